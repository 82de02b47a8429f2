/*
 * Stands in for message translation.  Debian's PostgreSQL 15 waits for ever in
 * bindtextdomain() when libasan is loaded before it; the sanitizer run needs
 * no translated messages.
 */
char	   *bindtextdomain(const char *domain, const char *dirname);
char	   *bind_textdomain_codeset(const char *domain, const char *codeset);
char	   *textdomain(const char *domain);
char	   *gettext(const char *id);
char	   *dgettext(const char *domain, const char *id);
char	   *dcgettext(const char *domain, const char *id, int category);
char	   *ngettext(const char *one, const char *many, unsigned long n);
char	   *dngettext(const char *domain, const char *one, const char *many, unsigned long n);
char	   *dcngettext(const char *domain, const char *one, const char *many, unsigned long n, int category);

char *
bindtextdomain(const char *domain, const char *dirname)
{
	return (char *) dirname;
}

char *
bind_textdomain_codeset(const char *domain, const char *codeset)
{
	return (char *) codeset;
}

char *
textdomain(const char *domain)
{
	return (char *) domain;
}

char *
gettext(const char *id)
{
	return (char *) id;
}

char *
dgettext(const char *domain, const char *id)
{
	return (char *) id;
}

char *
dcgettext(const char *domain, const char *id, int category)
{
	return (char *) id;
}

char *
ngettext(const char *one, const char *many, unsigned long n)
{
	return (char *) (n == 1 ? one : many);
}

char *
dngettext(const char *domain, const char *one, const char *many, unsigned long n)
{
	return (char *) (n == 1 ? one : many);
}

char *
dcngettext(const char *domain, const char *one, const char *many, unsigned long n, int category)
{
	return (char *) (n == 1 ? one : many);
}
