/*
 * detect_id.c
 *		The pack national_id: numbers that states give to persons, their
 *		businesses, papers and cars, by pattern, check digits and words beside.
 *
 * A candidate is one to six groups of letters and digits with the same sign
 * between.  What its scheme asks for beside pattern and check depends on how
 * often other numbers look the same: nothing, groups, a word, or that the text
 * holds nothing else.
 */
#include <string.h>

#include "redact/id_check.h"
#include "redact/scan_internal.h"

/* Without what else is the number a hit? */
typedef enum Need
{
	FREE,						/* nothing: pattern and check tell */
	GROUPED,					/* groups, else as ALONE */
	ALONE,						/* the text holds nothing else, or there is a word */
	WORD						/* a word beside it or in the key */
} Need;

/*
 * A pattern: a letter, d digit, n either, upper case and digits themselves, {n}
 * one to n of what stands before it, a blank where a group may end and | where
 * one does.
 */
typedef struct Scheme
{
	const char *name;
	const char *pattern;
	const char *signs;			/* that may stand between groups */
	IdCheck		check;			/* NULL: pattern only */
	Need		need;
	const char *words;			/* with | between */
} Scheme;

#define PASSPORT	"passport|pasaporte|passaporto|passeport|reisepass|travel document|\xec\x97\xac\xea\xb6\x8c"
#define PLATE		"plate|vehicle|car reg|kennzeichen|license tag|plaka"
#define LICENCE		"driver|driving|licen|permit|permis|patente|f\xc3\xbchrerschein|fuehrerschein"
#define LICENCE_NUMBER	"driver|driving licen|license number|licence number|license no|licence no|permit number"
#define SWEDISH		"personnummer|pnr|personal identity|swedish"

/* Of two schemes with the same shape the first that holds gives the name. */
static const Scheme schemes[] = {
	{"uk_nhs", "ddd ddd dddd", " -", check_uk_nhs, ALONE, "nhs|health service|patient"},
	{"uk_nino", "aa dd dd dd a", " -", check_uk_nino, FREE, "nino|national insurance|ni number"},
	{"uk_driving_licence", "nnnnnddddddnnnaa", "", check_uk_licence, FREE, LICENCE},
	{"uk_driving_licence", "nnnnnddddddnnnda", "", check_uk_licence, FREE, LICENCE},
	{"uk_passport", "aaddddddd", "", NULL, ALONE, PASSPORT},
	{"uk_passport", "ddddddddd", "", NULL, WORD, PASSPORT},
	{"uk_vehicle_registration", "aadd aaa", " ", check_uk_plate, ALONE, PLATE},
	{"uk_vehicle_registration", "ad{3} aaa", " ", check_uk_plate, ALONE, PLATE},
	{"uk_vehicle_registration", "aaa d{3}a", " ", check_uk_plate, ALONE, PLATE},
	{"us_itin", "ddd|dd|dddd", " -", check_us_itin, FREE, "itin|taxpayer|tax id"},
	{"us_itin", "ddd dd dddd", "-", check_us_itin, GROUPED, "itin|taxpayer|tax id"},
	{"us_passport", "addddddddd", "", NULL, WORD, PASSPORT},
	{"us_npi", "dddd ddd ddd", " -", check_us_npi, ALONE, "npi|provider"},
	{"us_mbi", "dand and aadd", " -", check_us_mbi, FREE, "mbi|medicare"},
	{"us_aba_routing", "dddd dddd d", "-", check_us_routing, ALONE, "routing|aba|rtn|bank"},
	{"us_bank", "ddddd{13}", "", NULL, WORD, "bank account|checking|savings account|bank number|account number"},
	{"us_dea", "nnddddddd", "", check_us_dea, ALONE, "dea|certificate|medical licen"},
	{"us_driver_license", "a{2}dddd{12}a", "", NULL, WORD, LICENCE_NUMBER},
	{"us_driver_license", "a{2}dddd{12}", "", NULL, WORD, LICENCE_NUMBER},
	{"us_driver_license", "dddd{12}a{2}", "", NULL, WORD, LICENCE_NUMBER},
	{"us_driver_license", "ddddd{12}", "", NULL, WORD, LICENCE_NUMBER},
	{"au_abn", "dd ddd ddd ddd", " ", check_au_abn, GROUPED, "abn|business number"},
	{"au_acn", "ddd ddd ddd", " ", check_au_acn, ALONE, "acn|company number"},
	{"au_tfn", "ddd ddd ddd", " ", check_au_tfn, ALONE, "tfn|tax file"},
	{"au_medicare", "dddd|ddddd|d", " ", check_au_medicare, FREE, "medicare"},
	{"au_medicare", "dddddddddd", "", check_au_medicare, ALONE, "medicare"},
	{"ca_sin", "ddd ddd ddd", " -", check_ca_sin, ALONE, "sin|social insurance|nas"},
	{"de_tax_id", "dd ddd ddd ddd", " ", check_de_tax_id, GROUPED, "idnr|steuer|tax|tin"},
	{"de_tax_id", "dd ddd ddd ddd", " ", check_iso7064, ALONE, "idnr|steuer|tax|tin"},
	{"de_tax_number", "ddd|ddd|ddddd", "/", NULL, ALONE, "steuer|tax"},
	{"de_tax_number", "dd|ddd|ddddd", "/", NULL, ALONE, "steuer|tax"},
	{"de_tax_number", "dd|ddd|dddd", "/", NULL, ALONE, "steuer|tax"},
	{"de_tax_number", "dd|dddd|dddd", "/", NULL, ALONE, "steuer|tax"},
	{"de_social_security", "dd dddddd a ddd", " ", check_de_pension, FREE, "rvnr|sozialversicherung|rentenversicherung"},
	{"de_health_insurance", "addddddddd", "", check_de_health, ALONE, "krankenkasse|kvnr|egk|versicher"},
	{"de_passport", "annnnnnnd", "", check_icao, ALONE, PASSPORT "|pass|ausweis"},
	{"us_passport", "adddddddd", "", NULL, ALONE, PASSPORT},
	{"de_id_card", "addddddddd", "", check_icao, ALONE, "ausweis|perso|id card"},
	{"de_fuehrerschein", "aadddddddda", "", NULL, ALONE, LICENCE},
	{"de_fuehrerschein", "nddnnnnnndn", "", NULL, WORD, "f\xc3\xbchrerschein|fuehrerschein"},
	{"de_handelsregister", "HRA d{6}", " ", NULL, FREE, "handelsregister|hra"},
	{"de_handelsregister", "HRB d{6}", " ", NULL, FREE, "handelsregister|hrb"},
	{"de_kfz", "a{3}|a{2} dd{3}", " -", NULL, ALONE, PLATE},
	{"de_kfz", "a{3}|a{2} dd{3}a", " -", NULL, ALONE, PLATE},
	{"de_lanr", "ddddddddd", "", check_de_lanr, ALONE, "lanr|arztnummer"},
	{"de_bsnr", "ddddddddd", "", NULL, WORD, "bsnr|betriebsst"},
	{"de_vat_id", "DE ddd ddd ddd", " .", NULL, FREE, "ust|vat|umsatzsteuer"},
	{"es_nif", "dddddddd a", "-", check_es_nif, FREE, "nif|dni"},
	{"es_nif", "ddddddd a", "-", check_es_nif, ALONE, "nif|dni"},
	{"es_nie", "a ddddddd a", "-", check_es_nif, FREE, "nie|extranjero"},
	{"es_passport", "aaadddddd", "", NULL, ALONE, PASSPORT},
	{"fi_personal_identity_code", "dddddd dddn", "-+", check_fi_hetu, GROUPED, "hetu|personal identity|henkil"},
	{"fi_personal_identity_code", "ddddddadddn", "", check_fi_hetu, FREE, "hetu|personal identity|henkil"},
	{"in_aadhaar", "dddd dddd dddd", " -:", check_in_aadhaar, GROUPED, "aadhaar|aadhar|uidai|uid"},
	{"in_pan", "aaaaadddda", "", check_in_pan, FREE, "pan|permanent account"},
	{"in_pan", "aaaaadddda", "", NULL, ALONE, "pan|permanent account"},
	{"in_passport", "addddddd", "", check_in_passport, ALONE, PASSPORT},
	{"in_vehicle_registration", "aad{2}a{3}dddd", "", NULL, ALONE, PLATE},
	{"in_voter", "aaaddddddd", "", NULL, ALONE, "vote|epic|election"},
	{"in_gstin", "ddaaaaaddddanZn", "", check_in_gstin, FREE, "gst"},
	{"it_fiscal_code", "aaaaaa dd a dd addda", " ", check_it_fiscal, FREE, "codice fiscale|cf|fiscal"},
	{"it_driver_license", "aaddddddda", "", NULL, ALONE, LICENCE},
	{"it_identity_card", "aadddddaa", "", NULL, ALONE, "carta|identit|id card"},
	{"it_vat_code", "ddddddddddd", "_", check_luhn, ALONE, "iva|piva|vat"},
	{"it_vat_code", "dddddddd ddd", " _", check_luhn, ALONE, "iva|piva|vat"},
	{"kr_rrn", "dddddd|ddddddd", "-", check_kr_rrn, FREE, "rrn|frn"},
	{"kr_rrn", "ddddddddddddd", "", check_kr_rrn, WORD, "rrn|frn|resident|\xec\xa3\xbc\xeb\xaf\xbc|\xec\x99\xb8\xea\xb5\xad"},
	{"kr_passport", "adddadddd", "", check_kr_passport, ALONE, PASSPORT},
	{"kr_driver_license", "dd|dd|dddddd|dd", "-", NULL, FREE, LICENCE},
	{"kr_brn", "ddd|dd|ddddd", "-", check_kr_brn, FREE, "brn"},
	{"kr_brn", "dddddddddd", "", check_kr_brn, WORD, "brn|business|\xec\x82\xac\xec\x97\x85"},
	{"ng_nin", "ddddddddddd", "", check_verhoeff, WORD, "nin|national identi"},
	{"ng_vehicle_registration", "aaa dddaa", "-", NULL, ALONE, PLATE},
	{"ph_tin", "ddd|ddd|ddd|ddd", "-", NULL, FREE, "tin|tax|bir"},
	{"ph_tin", "ddd ddd ddd ddd", "-", NULL, WORD, "tin|bir"},
	{"ph_tin", "ddd ddd ddd", "-", NULL, WORD, "tin|bir"},
	{"pl_pesel", "ddddddddddd", "", check_pl_pesel, ALONE, "pesel"},
	{"se_personnummer", "dddddddd dddd", "-+", check_se_person, ALONE, SWEDISH},
	{"se_personnummer", "dddddd dddd", "-+", check_se_person, ALONE, SWEDISH},
	{"se_organisationsnummer", "dddddd dddd", "-", check_se_company, ALONE, "orgnummer|org.nr|org nr|organisation|company identi"},
	{"sg_fin", "addddddda", "", check_sg_nric, FREE, "nric|fin"},
	{"sg_fin", "addddddda", "", NULL, WORD, "nric"},
	{"sg_uen", "dddddddda", "", check_sg_uen, FREE, "uen"},
	{"sg_uen", "ddddddddda", "", check_sg_uen, FREE, "uen"},
	{"sg_uen", "addaadddda", "", check_sg_uen, FREE, "uen"},
	{"th_tnin", "d dddd ddddd dd d", " -", check_th_tnin, GROUPED, "tnin|thai|\xe0\xb8\x9a\xe0\xb8\xb1\xe0\xb8\x95\xe0\xb8\xa3|\xe0\xb8\x9b\xe0\xb8\xa3\xe0\xb8\xb0\xe0\xb8\x8a\xe0\xb8\xb2"},
	{"tr_national_id", "ddddddddddd", "", check_tr_person, ALONE, "kimlik|tckn"},
	{"tr_license_plate", "dd a{3} d{4}", " ", check_tr_plate, ALONE, PLATE},
	{"za_id_number", "dddddd dddd ddd", " ", check_za_id, GROUPED, "south african|rsa id|sa id"},
	{"br_cpf", "ddd|ddd|ddd|dd", ".-", check_br_cpf, FREE, "cpf"},
	{"br_cpf", "ddddddddddd", "", check_br_cpf, WORD, "cpf"},
	{"cn_resident_id", "dddddddddddddddddn", "", check_cn_ric, FREE, "resident"},
	{"fr_nir", "d|dd|dd|dd|ddd|ddd|dd", " ", check_fr_nir, FREE, "nir|insee|s\xc3\xa9""curit\xc3\xa9 sociale"},
	{"fr_nir", "ddddddddddddddd", "", check_fr_nir, WORD, "nir|insee|s\xc3\xa9""curit\xc3\xa9 sociale"},
	{"be_national_number", "dd|dd|dd|ddd|dd", ".-", check_be_person, FREE, "rijksregister|registre national|niss"},
	{"be_national_number", "ddddddddddd", "", check_be_person, WORD, "rijksregister|registre national|niss"},
	{"nl_bsn", "dddd dd ddd", " .", check_nl_bsn, WORD, "bsn|burgerservice|sofi"},
	{"ch_ahv", "ddd dddd dddd dd", " .", check_ch_ahv, FREE, "ahv|avs"},
	{"no_fodselsnummer", "dddddd|ddddd", " ", check_no_person, FREE, "f\xc3\xb8""dsel|personnummer"},
	{"no_fodselsnummer", "ddddddddddd", "", check_no_person, WORD, "f\xc3\xb8""dsel|personnummer"},
	{"mx_curp", "aaaaddddddaaaaaand", "", check_mx_curp, FREE, "curp"}
};

#define SCHEMES		((int) (sizeof(schemes) / sizeof(schemes[0])))

#define ID_GROUPS	6
#define ID_BYTES	20			/* letters and digits of the longest */

typedef struct Candidate
{
	char		id[ID_BYTES + 1];	/* in upper case, without signs */
	int			len;
	uint32_t	ends;			/* bit i: a group ends before byte i */
	char		signs[ID_GROUPS];	/* behind each group but the last */
	int			groups;
	bool		small;			/* holds a letter in lower case */
	size_t		start;
	size_t		end;
} Candidate;

/* Is the byte one of a pattern's class, or itself? */
static bool
class_holds(char class, char c)
{
	switch (class)
	{
		case 'a':
			return c >= 'A';
		case 'd':
			return c <= '9';
		case 'n':
			return true;
		default:
			return c == class;
	}
}

/* Has the candidate the pattern, its groups ending only where they may? */
static bool
has_pattern(const char *p, const Candidate *c)
{
	uint32_t	may_end = 0;
	uint32_t	must_end = 0;
	int			at = 0;

	for (; *p; p++)
	{
		int			from = at;
		int			most = 1;
		char		class = *p;

		if (class == ' ' || class == '|')
		{
			may_end |= 1u << at;
			must_end |= class == '|' ? 1u << at : 0;
			continue;
		}
		if (p[1] == '{')
		{
			most = p[2] - '0';
			if (p[3] != '}')
				most = most * 10 + p[3] - '0';
			p = strchr(p, '}');
		}
		while (at < c->len && at - from < most && class_holds(class, c->id[at]) &&
			   !(at > from && (c->ends >> at & 1)))
			at++;
		if (at == from)
			return false;
	}
	return at == c->len && (c->ends & ~may_end) == 0 && (must_end & ~c->ends) == 0;
}

/* Is a byte one of a set?  Zero is in none. */
static bool
one_of(uint8_t c, const char *set)
{
	return c != 0 && strchr(set, c) != NULL;
}

/* May these signs stand in a number of the scheme?  One kind, or two in turn. */
static bool
signs_fit(const Scheme *scheme, const Candidate *c)
{
	bool		mixed = strcmp(scheme->signs, ".-") == 0;
	int			i;

	for (i = 0; i < c->groups - 1; i++)
		if (!one_of((uint8_t) c->signs[i], scheme->signs) || (!mixed && c->signs[i] != c->signs[0]))
			return false;
	return true;
}

#define WORD_BEFORE	64			/* bytes looked at for words */
#define WORD_BEHIND	24

/* Does one of the words stand in a text?  Short ones whole, others at a beginning. */
static bool
has_word(const uint8_t *text, size_t len, const char *words)
{
	while (*words)
	{
		size_t		size = strcspn(words, "|");
		size_t		i;

		for (i = 0; i + size <= len; i++)
		{
			uint8_t		before = i > 0 ? text[i - 1] : 0;
			uint8_t		after = i + size < len ? text[i + size] : 0;

			if (!equal_lower(text + i, words, size))
				continue;
			if (byte_is(before, B_ALPHA) && !(before >= 'a' && text[i] < 'a'))
				continue;
			if (size > 4 || !byte_is(after, B_ALPHA) || (after < 'a' && text[i + size - 1] >= 'a'))
				return true;
		}
		words += size + (words[size] == '|');
	}
	return false;
}

/* Is there a word beside the candidate, up to our tags, or in the key? */
static bool
word_beside(const Scan *s, const Candidate *c, const char *words)
{
	size_t		from = c->start;
	size_t		to = c->end;

	while (from > 0 && c->start - from < WORD_BEFORE && s->text[from - 1] != ']')
		from--;
	while (to < s->len && to - c->end < WORD_BEHIND && s->text[to] != '[' && s->text[to] != '\n')
		to++;
	return has_word(s->text + from, c->start - from, words) ||
		has_word(s->text + c->end, to - c->end, words) ||
		(s->opt->key && has_word((const uint8_t *) s->opt->key, s->opt->key_len, words));
}

/* Does the text hold nothing else, with no key to say what it is? */
static bool
stands_alone(const Scan *s, const Candidate *c)
{
	size_t		i;

	if (s->opt->key != NULL || c->start > 2 || s->len - c->end > 2)
		return false;
	for (i = 0; i < c->start; i++)
		if (!byte_is(s->text[i], B_SPACE) && s->text[i] != '"')
			return false;
	for (i = c->end; i < s->len; i++)
		if (!byte_is(s->text[i], B_SPACE) && s->text[i] != '"')
			return false;
	return true;
}

/* Do further numbers of a row stand beside groups that have blanks between? */
static bool
in_row(const Scan *s, const Candidate *c)
{
	return c->signs[0] == ' ' &&
		((byte_before(s, c->start, 1) == ' ' && byte_is(byte_before(s, c->start, 2), B_DIGIT)) ||
		 (byte_at(s, c->end) == ' ' && byte_is(byte_at(s, c->end + 1), B_DIGIT)));
}

/* Is the candidate a number of the scheme?  Notes it if so. */
static bool
judge_scheme(Scan *s, const Scheme *scheme, const Candidate *c)
{
	bool		word;
	bool		tells;			/* pattern and check alone */

	if (!has_pattern(scheme->pattern, c) || !signs_fit(scheme, c) ||
		(scheme->check != NULL && !scheme->check(c->id, c->len)))
		return false;
	word = word_beside(s, c, scheme->words);
	tells = !c->small && !(c->groups > 1 && in_row(s, c)) &&
		(scheme->need == FREE || (scheme->need == GROUPED && c->groups > 1));
	if (!word && !tells && !(scheme->need != WORD && stands_alone(s, c)))
		return false;
	if (word || tells)
		scan_hit(s, c->start, c->end, REDACT_NATIONAL_ID, scheme->name,
				 scheme->check ? STRENGTH_VALID : STRENGTH_CONTEXT, scheme->check && word ? 95 : 80);
	else
		scan_hit(s, c->start, c->end, REDACT_NATIONAL_ID, scheme->name, STRENGTH_CONTEXT, 60);
	return true;
}

/* Schemes by the lengths that their patterns have. */
static uint8_t by_length[ID_BYTES + 1][SCHEMES + 1];

void
id_init(void)
{
	int			used[ID_BYTES + 1] = {0};
	int			i;
	int			n;

	for (i = 0; i < SCHEMES; i++)
	{
		const char *p = schemes[i].pattern;
		int			least = 0;
		int			most = 0;

		for (; *p; p++)
		{
			if (*p == '{')
			{
				most += (p[2] == '}' ? p[1] - '0' : (p[1] - '0') * 10 + p[2] - '0') - 1;
				p = strchr(p, '}');
			}
			else if (*p != ' ' && *p != '|')
				least++, most++;
		}
		/* A number of few digits says nothing, whatever its pattern. */
		for (n = least < 4 ? 4 : least; n <= most && n <= ID_BYTES; n++)
			by_length[n][used[n]++] = (uint8_t) (i + 1);
	}
}

/* Adds the group of letters and digits at a position; false when it is too much. */
static bool
add_group(const Scan *s, Candidate *c, size_t *at)
{
	while (byte_is(byte_at(s, *at), B_ALNUM))
	{
		uint8_t		byte = s->text[(*at)++];

		if (c->len == ID_BYTES)
			return false;
		c->small |= byte >= 'a';
		c->id[c->len++] = (char) (byte >= 'a' ? byte - ('a' - 'A') : byte);
	}
	c->id[c->len] = '\0';
	c->groups++;
	c->end = *at;
	return true;
}

/* May a number begin behind this, and end before that? */
static bool
free_before(const Scan *s, size_t at)
{
	uint8_t		c = byte_before(s, at, 1);
	uint8_t		d = byte_before(s, at, 2);

	if (c == '_' || c == '+' || c == '@')
		return false;
	return (c != '-' && c != '.' && c != '/' && c != ':' && c != ',') || !byte_is(d, B_DIGIT | (c == '-' ? B_ALPHA : 0));
}

static bool
free_behind(const Scan *s, size_t at)
{
	uint8_t		c = byte_at(s, at);
	uint8_t		d = byte_at(s, at + 1);

	if (c == '_' || c == '@')
		return false;
	return (c != '-' && c != '.' && c != '/' && c != ':' && c != ',') || !byte_is(d, B_DIGIT | (c == '-' ? B_ALPHA : 0));
}

/*
 * A run of letters and digits begins: a number?  The longest one is taken.
 * Returns its end, or 0.
 */
size_t
detect_id(Scan *s, size_t start)
{
	Candidate	c;
	Candidate	prefix[ID_GROUPS];
	int			n = 0;
	size_t		at = start;
	bool		digit = false;
	size_t		i;

	/* A word, such as most runs are, leaves here. */
	for (i = start; i < start + 7 && byte_is(byte_at(s, i), B_ALPHA); i++);
	if (i - start > 6 || (!byte_is(byte_at(s, i), B_DIGIT) && (i - start > 3 || !one_of(byte_at(s, i), " -."))))
		return 0;
	if (!free_before(s, start))
		return 0;
	memset(&c, 0, sizeof(c));
	c.start = start;
	while (n < ID_GROUPS && add_group(s, &c, &at))
	{
		prefix[n++] = c;
		if (n == ID_GROUPS || !one_of(byte_at(s, at), " -./:_+") || !byte_is(byte_at(s, at + 1), B_ALNUM))
			break;
		c.signs[c.groups - 1] = (char) s->text[at++];
		c.ends |= 1u << c.len;
	}
	while (n-- > 0)
	{
		const Candidate *p = &prefix[n];
		const uint8_t *scheme;

		for (i = 0, digit = false; i < (size_t) p->len; i++)
			digit |= p->id[i] <= '9';
		if (!digit || !free_behind(s, p->end))
			continue;
		for (scheme = by_length[p->len]; *scheme; scheme++)
			if (judge_scheme(s, &schemes[*scheme - 1], p))
				return p->end;
	}
	return 0;
}

/* The pass over the runs of letters and digits, for the packs that are wanted. */
void
scan_packs(Scan *s)
{
	size_t		at = 0;
	size_t		next_tick = TICK_BYTES;

	while (at < s->len)
	{
		size_t		start = at;
		size_t		end = 0;

		if (!byte_is(s->text[at], B_ALNUM))
		{
			at++;
			continue;
		}
		while (at < s->len && byte_is(s->text[at], B_ALNUM))
			at++;
		/* The n of an escaped newline belongs to the text before. */
		if (byte_before(s, start, 1) == '\\' && at - start > 1 && strchr("nrt", s->text[start]) != NULL)
			start++;
		if (at - start >= 14 && wants(s, REDACT_CRYPTO_WALLET) && byte_before(s, start, 1) != '_' &&
			byte_at(s, at) != '_' && detect_wallet(s, start, at))
			end = at;
		if (end == 0 && wants(s, REDACT_NATIONAL_ID) && s->len - start >= 4)
			end = detect_id(s, start);
		if (end > at)
			at = end;
		if (at >= next_tick)
		{
			next_tick = at + TICK_BYTES;
			if (s->opt->interrupt)
				s->opt->interrupt();
		}
		if (s->opt->first_only && s->result->count > 0)
			break;
	}
}

/* Is a number without a sign that stands under a key one of the pack? */
bool
id_number(const char *digits, size_t len, const RedactOptions *opt)
{
	RedactResult result = {0};
	RedactSpan	lent[2];
	Scan		s = {0};

	result.spans = result.lent = lent;
	result.room = 2;
	s.text = (const uint8_t *) digits;
	s.len = len;
	s.opt = opt;
	s.result = &result;
	return detect_id(&s, 0) == len;
}
