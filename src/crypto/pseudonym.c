/*
 * pseudonym.c
 *		Keyed names that stand for a person or an identifier.
 */
#include "postgres.h"

#include <sodium.h>

#include "fmgr.h"
#include "utils/builtins.h"

#include "compat.h"
#include "crypto/pseudonym.h"
#include "crypto/tenant_key.h"
#include "error.h"
#include "tenancy/tenancy.h"

/* 128 bits: enough for no two values ever to meet by chance. */
#define HASH_BYTES		16
#define HASH_CHARS		26
#define MAX_DOMAIN		16
#define MAX_LABEL		64			/* longer than a purpose and any domain or tag */

/* Base32 of RFC 4648 in lower case. */
static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

/* What else the subkeys are derived from; a new scheme takes a new word. */
static const char derivation[] = "bcce pseudonym v1";
static const char redaction_derivation[] = "bcce redaction v1";

/* Writes the 26 characters for 16 bytes. */
static void
base32_encode(const unsigned char *bytes, char *out)
{
	uint32		bits = 0;
	int			held = 0;
	int			i;

	for (i = 0; i < HASH_BYTES; i++)
	{
		bits = (bits << 8) | bytes[i];
		for (held += 8; held >= 5; held -= 5)
			*out++ = alphabet[(bits >> (held - 5)) & 31];
	}
	*out = alphabet[(bits << (5 - held)) & 31];
}

/* Could base32_encode() have written these 26 characters? */
static bool
is_encoded(const char *s)
{
	int			i;

	for (i = 0; i < HASH_CHARS; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '2' && s[i] <= '7')))
			return false;

	/* the last character holds three bits and two zeros */
	return strchr("aeimquy4", s[HASH_CHARS - 1]) != NULL;
}

/* Length of the run of letters a-z that s begins with, at most one more than a domain has. */
static size_t
domain_length(const char *s, size_t len)
{
	size_t		n = 0;

	while (n < len && n <= MAX_DOMAIN && s[n] >= 'a' && s[n] <= 'z')
		n++;
	return n;
}

/* See the header. */
bool
pseudonym_is(const char *s, size_t len)
{
	size_t		n = domain_length(s, len);

	return n >= 1 && n <= MAX_DOMAIN && len == n + 1 + HASH_CHARS &&
		s[n] == '_' && is_encoded(s + n + 1);
}

/* Refuses a domain that is not one to sixteen letters a-z; returns its length. */
static size_t
check_domain(const char *domain)
{
	size_t		len = strlen(domain);

	if (len < 1 || len > MAX_DOMAIN || domain_length(domain, len) != len)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pseudonym domain is not valid"),
				 errdetail("The domain has %zu bytes; %zu of them are leading letters a-z.",
						   len, domain_length(domain, len)),
				 errhint("Give 1 to %d lower-case letters a-z, such as user or email.", MAX_DOMAIN),
				 bcce_hide_input()));
	return len;
}

/*
 * The hash of a value.  The key used is not the tenant's own but one derived
 * from it for the domain: equal values of two domains cannot be joined.
 */
static void
hash_value(const pg_uuid_t *tenant, const char *purpose, const char *domain, size_t domain_len,
		   const char *value, size_t len, unsigned char *hash)
{
	char		label[MAX_LABEL];
	size_t		purpose_len = strlen(purpose);
	unsigned char subkey[TENANT_KEY_BYTES];

	if (purpose_len + domain_len > sizeof(label))
		elog(ERROR, "the label of a derived key is too long");
	memcpy(label, purpose, purpose_len);
	memcpy(label + purpose_len, domain, domain_len);
	tenant_subkey_read(tenant, label, purpose_len + domain_len, subkey);
	crypto_generichash(hash, HASH_BYTES, (const unsigned char *) value, len,
					   subkey, sizeof(subkey));
	sodium_memzero(subkey, sizeof(subkey));
}

/* See the header. */
text *
pseudonym_for(const pg_uuid_t *tenant, const char *value, size_t len, const char *domain)
{
	size_t		domain_len = check_domain(domain);
	unsigned char hash[HASH_BYTES];
	char		name[MAX_DOMAIN + 1 + HASH_CHARS];

	if (pseudonym_is(value, len) && len == domain_len + 1 + HASH_CHARS &&
		memcmp(value, domain, domain_len) == 0)
		return cstring_to_text_with_len(value, len);

	hash_value(tenant, derivation, domain, domain_len, value, len, hash);

	memcpy(name, domain, domain_len);
	name[domain_len] = '_';
	base32_encode(hash, name + domain_len + 1);
	return cstring_to_text_with_len(name, domain_len + 1 + HASH_CHARS);
}

/* See the header. */
void
redaction_letters(const pg_uuid_t *tenant, const char *tag, const char *value, size_t len,
				  const char *alphabet16, char *letters, int n)
{
	unsigned char hash[HASH_BYTES];
	int			i;

	Assert(n <= 2 * HASH_BYTES);
	hash_value(tenant, redaction_derivation, tag, strlen(tag), value, len, hash);
	for (i = 0; i < n; i++)
		letters[i] = alphabet16[hash[i / 2] >> (i % 2 ? 0 : 4) & 15];
}

/* The pseudonym of SQL arguments. */
static text *
pseudonym_of_args(const pg_uuid_t *tenant, text *value, text *domain)
{
	return pseudonym_for(tenant, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value),
						 text_to_cstring(domain));
}

PG_FUNCTION_INFO_V1(pseudonym);
/* pseudonym(value text, domain text) returns text: for the caller's tenant */
Datum
pseudonym(PG_FUNCTION_ARGS)
{
	pg_uuid_t	tenant;

	if (!current_tenant_id(&tenant))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("there is no current tenant"),
				 errdetail("A pseudonym is keyed by its tenant."),
				 errhint("Work as a role that is bound to a tenant, or name the tenant as third argument."),
				 bcce_hide_input()));
	PG_RETURN_TEXT_P(pseudonym_of_args(&tenant, PG_GETARG_TEXT_PP(0), PG_GETARG_TEXT_PP(1)));
}

PG_FUNCTION_INFO_V1(pseudonym_in_tenant);
/* pseudonym(value text, domain text, tenant uuid) returns text */
Datum
pseudonym_in_tenant(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *tenant = PG_GETARG_UUID_P(2);

	if (!tenant_is_visible(tenant))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for tenant"),
				 errdetail("The tenant is none of the caller's."),
				 errhint("Name a tenant that bcce.current_tenants() lists."),
				 bcce_hide_input()));
	PG_RETURN_TEXT_P(pseudonym_of_args(tenant, PG_GETARG_TEXT_PP(0), PG_GETARG_TEXT_PP(1)));
}
