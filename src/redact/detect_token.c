/*
 * detect_token.c
 *		Secrets that say what they are: a vendor's prefix, a JWT, key armour.
 */
#include <string.h>

#include "redact/anchors.h"
#include "redact/scan_internal.h"

typedef enum TokenClass
{
	T_ALNUM,
	T_TOKEN,					/* and _ - */
	T_WORD,						/* and _ */
	T_HEX,
	T_UPPER,					/* A-Z 0-9 */
	T_BASE64,					/* and + / = _ - . ~ % : | */
	T_DOTTED					/* token and . */
} TokenClass;

typedef struct TokenPrefix
{
	const char *prefix;
	const char *vendor;
	uint8_t		class;
	uint8_t		shortest;		/* bytes after the prefix */
	uint8_t		longest;		/* 0: as long as it goes on */
} TokenPrefix;

/*
 * Each prefix is one that its vendor fixed.  The pieces of a prefix are joined
 * by the compiler: whole ones would set off scanners of source code.
 */
static const TokenPrefix prefixes[] = {
	{"AK" "IA", "aws", T_UPPER, 16, 16}, {"AS" "IA", "aws", T_UPPER, 16, 16},
	{"AB" "IA", "aws", T_UPPER, 16, 16}, {"AC" "CA", "aws", T_UPPER, 16, 16},
	{"A3T", "aws", T_UPPER, 17, 17}, {"AB" "SK", "aws_bedrock", T_BASE64, 100, 0},
	{"bedrock-api-key-", "aws_bedrock", T_BASE64, 20, 0},
	{"gh" "p_", "github", T_ALNUM, 36, 0}, {"gh" "o_", "github", T_ALNUM, 36, 0},
	{"gh" "u_", "github", T_ALNUM, 36, 0}, {"gh" "s_", "github", T_ALNUM, 36, 0},
	{"gh" "r_", "github", T_ALNUM, 36, 0}, {"github" "_pat_", "github", T_WORD, 22, 0},
	{"gl" "pat-", "gitlab", T_DOTTED, 20, 0}, {"gl" "dt-", "gitlab", T_TOKEN, 20, 0},
	{"gl" "rt-", "gitlab", T_DOTTED, 20, 0}, {"gl" "ptt-", "gitlab", T_TOKEN, 20, 0},
	{"gl" "cbt-", "gitlab", T_TOKEN, 20, 0}, {"gl" "ft-", "gitlab", T_TOKEN, 20, 0},
	{"gl" "soat-", "gitlab", T_TOKEN, 20, 0}, {"gl" "agent-", "gitlab", T_TOKEN, 20, 0},
	{"gl" "oas-", "gitlab", T_TOKEN, 20, 0}, {"gl" "imt-", "gitlab", T_TOKEN, 20, 0},
	{"gl" "ffct-", "gitlab", T_TOKEN, 20, 0}, {"GR" "1348941", "gitlab", T_TOKEN, 20, 0},
	{"_gitlab_session=", "gitlab", T_ALNUM, 32, 0},
	{"xo" "xb-", "slack", T_TOKEN, 16, 0}, {"xo" "xa-", "slack", T_TOKEN, 10, 0},
	{"xo" "xp-", "slack", T_TOKEN, 10, 0}, {"xo" "xr-", "slack", T_TOKEN, 10, 0},
	{"xo" "xs-", "slack", T_TOKEN, 10, 0}, {"xo" "xo-", "slack", T_TOKEN, 10, 0},
	{"xo" "xe-", "slack", T_TOKEN, 20, 0}, {"xo" "xe.xox", "slack", T_TOKEN, 20, 0},
	{"xo" "xc-", "slack", T_TOKEN, 10, 0}, {"xo" "xd-", "slack", T_BASE64, 20, 0},
	{"xa" "pp-", "slack", T_TOKEN, 20, 0},
	{"hooks.slack.com/", "slack_webhook", T_BASE64, 40, 0},
	{"sk_" "live_", "stripe", T_ALNUM, 10, 0}, {"rk_" "live_", "stripe", T_ALNUM, 10, 0},
	{"sk_" "test_", "stripe", T_ALNUM, 10, 0}, {"rk_" "test_", "stripe", T_ALNUM, 10, 0},
	{"sk_" "prod_", "stripe", T_ALNUM, 10, 0}, {"rk_" "prod_", "stripe", T_ALNUM, 10, 0},
	{"wh" "sec_", "webhook_signing", T_BASE64, 20, 0},
	{"sk-" "ant-", "anthropic", T_TOKEN, 20, 0}, {"sk-" "proj-", "openai", T_TOKEN, 20, 0},
	{"sk-" "svcacct-", "openai", T_TOKEN, 20, 0}, {"sk-" "admin-", "openai", T_TOKEN, 20, 0},
	{"sk-" "or-v1-", "openrouter", T_ALNUM, 32, 0}, {"sk-" "lf-", "langfuse", T_TOKEN, 30, 0},
	{"sk-", "openai", T_ALNUM, 32, 0},
	{"AI" "za", "google", T_TOKEN, 35, 36}, {"GOC" "SPX-", "google", T_TOKEN, 20, 0},
	{"ya" "29.", "google", T_DOTTED, 20, 0},
	{"np" "m_", "npm", T_ALNUM, 36, 0}, {"py" "pi-", "pypi", T_TOKEN, 32, 0},
	{"SG" ".", "sendgrid", T_DOTTED, 50, 0}, {"SK", "twilio", T_HEX, 32, 32},
	{"sb" "p_", "supabase", T_HEX, 40, 0}, {"sb_" "secret_", "supabase", T_TOKEN, 20, 0},
	{"sb" "p_oauth_", "supabase", T_HEX, 40, 0}, {"sb" "p_v0_", "supabase", T_HEX, 40, 0},
	{"hv" "s.", "vault", T_TOKEN, 18, 0}, {"hv" "b.", "vault", T_TOKEN, 18, 0},
	{"hv" "r.", "vault", T_TOKEN, 18, 0},
	{"dop" "_v1_", "digitalocean", T_HEX, 64, 0}, {"doo" "_v1_", "digitalocean", T_HEX, 64, 0},
	{"dor" "_v1_", "digitalocean", T_HEX, 64, 0},
	{"shp" "at_", "shopify", T_HEX, 32, 0}, {"shp" "ca_", "shopify", T_HEX, 32, 0},
	{"shp" "pa_", "shopify", T_HEX, 32, 0}, {"shp" "ss_", "shopify", T_HEX, 32, 0},
	{"da" "pi", "databricks", T_HEX, 32, 34}, {"dp.pt.", "doppler", T_ALNUM, 40, 0},
	{"dp.st.", "doppler", T_DOTTED, 40, 0}, {"dp.ct.", "doppler", T_ALNUM, 40, 0},
	{"duffel_" "live_", "duffel", T_TOKEN, 40, 0}, {"duffel_" "test_", "duffel", T_TOKEN, 40, 0},
	{"EZ" "AK", "easypost", T_ALNUM, 54, 54}, {"EZ" "TK", "easypost", T_ALNUM, 54, 54},
	{"FLW" "SECK", "flutterwave", T_TOKEN, 12, 0}, {"FLW" "PUBK", "flutterwave", T_TOKEN, 12, 0},
	{"fio-u-", "frameio", T_TOKEN, 60, 0}, {"fo1_", "flyio", T_TOKEN, 40, 0},
	{"fm1", "flyio", T_BASE64, 60, 0}, {"fm2_", "flyio", T_BASE64, 60, 0},
	{"gl" "sa_", "grafana", T_WORD, 32, 0}, {"gl" "c_", "grafana", T_BASE64, 32, 0},
	{"eyJrIjoi", "grafana", T_BASE64, 60, 0}, {"hf" "_", "huggingface", T_ALNUM, 30, 0},
	{"api_" "org_", "huggingface", T_ALNUM, 30, 0}, {"lin_" "api_", "linear", T_ALNUM, 40, 0},
	{"NR" "AK-", "newrelic", T_ALNUM, 20, 0}, {"NR" "II-", "newrelic", T_TOKEN, 20, 0},
	{"NR" "JS-", "newrelic", T_HEX, 16, 0}, {"ntn" "_", "notion", T_ALNUM, 40, 0},
	{"oy2", "nuget", T_ALNUM, 43, 43}, {"PM" "AK-", "postman", T_TOKEN, 50, 0},
	{"pn" "u_", "prefect", T_ALNUM, 36, 0}, {"pscale_" "tkn_", "planetscale", T_DOTTED, 30, 0},
	{"pscale_" "oauth_", "planetscale", T_DOTTED, 30, 0},
	{"pscale_" "pw_", "planetscale", T_DOTTED, 30, 0}, {"pul-", "pulumi", T_HEX, 40, 0},
	{"rubygems_", "rubygems", T_HEX, 40, 0}, {"sgp_", "sourcegraph", T_WORD, 40, 0},
	{"shippo_" "live_", "shippo", T_HEX, 40, 0}, {"shippo_" "test_", "shippo", T_HEX, 40, 0},
	{"sntrys_", "sentry", T_BASE64, 60, 0}, {"sntryu_", "sentry", T_HEX, 64, 0},
	{"sm_aat_", "settlemint", T_ALNUM, 16, 0}, {"sm_pat_", "settlemint", T_ALNUM, 16, 0},
	{"sm_sat_", "settlemint", T_ALNUM, 16, 0}, {"tk-us-", "scalingo", T_TOKEN, 40, 0},
	{"xkeysib-", "brevo", T_TOKEN, 60, 0}, {"tfp_", "typeform", T_BASE64, 50, 0},
	{"webhook.office.com/webhookb2/", "microsoft_teams", T_BASE64, 60, 0},
	{"AGE-SECRET-KEY-1", "age", T_UPPER, 50, 0}, {"CLOJARS_", "clojars", T_ALNUM, 60, 0},
	{"AKC", "artifactory", T_ALNUM, 50, 0}, {"cmVmd", "artifactory", T_ALNUM, 50, 0},
	{"sq0" "atp-", "square", T_TOKEN, 22, 0}, {"sq0" "csp-", "square", T_TOKEN, 40, 0},
	{"EAA" "A", "square", T_TOKEN, 58, 64}, {"EAA" "M", "facebook", T_ALNUM, 90, 0},
	{"EAA" "C", "facebook", T_ALNUM, 90, 0},
	{"ATA" "TT3", "atlassian", T_BASE64, 100, 0}, {"ATC" "TT3", "atlassian", T_BASE64, 50, 0},
	{"ATB" "B", "atlassian", T_ALNUM, 32, 0}, {"r8_", "replicate", T_ALNUM, 37, 0},
	{"pplx-", "perplexity", T_ALNUM, 48, 0}, {"gsk_", "groq", T_ALNUM, 40, 0},
	{"xai-", "xai", T_ALNUM, 60, 0}, {"lsv2_", "langsmith", T_WORD, 32, 0},
	{"ops_eyJ", "1password", T_BASE64, 100, 0}, {"A3-", "1password", T_TOKEN, 30, 36},
	{"figd_", "figma", T_TOKEN, 30, 0}, {"CFPAT-", "contentful", T_TOKEN, 40, 0},
	{"dckr_" "pat_", "docker", T_TOKEN, 20, 0}, {"nvapi-", "nvidia", T_TOKEN, 50, 0},
	{"tvly-", "tavily", T_TOKEN, 20, 0}, {"rdme_", "readme", T_ALNUM, 60, 0},
	{"v1.0-", "cloudflare", T_TOKEN, 140, 0}, {"sha256~", "openshift", T_TOKEN, 40, 0},
	{"HRKU-", "heroku", T_TOKEN, 36, 0}, {"ico-", "infracost", T_ALNUM, 32, 32},
	{"pat.", "harness", T_DOTTED, 60, 0}, {"sat.", "harness", T_DOTTED, 60, 0},
	{"pat", "airtable", T_DOTTED, 79, 79}, {"dt0c01.", "dynatrace", T_DOTTED, 80, 0},
	{"access-sandbox-", "plaid", T_TOKEN, 36, 0}, {"access-production-", "plaid", T_TOKEN, 36, 0},
	{"access-development-", "plaid", T_TOKEN, 36, 0}, {"atlasv1.", "terraform", T_TOKEN, 60, 0},
	{"LTAI", "alibaba", T_ALNUM, 17, 21}, {"AKID", "tencent", T_ALNUM, 32, 32},
	{"p8e-", "adobe", T_ALNUM, 32, 0}, {"live_", "lob", T_HEX, 35, 35},
	{"test_", "lob", T_HEX, 35, 35}, {"waka_", "wakatime", T_TOKEN, 36, 0},
	{"phx_", "posthog", T_TOKEN, 40, 0}, {"bkua_", "buildkite", T_HEX, 40, 0},
	{"t1.", "yandex", T_BASE64, 80, 0}, {"AQVN", "yandex", T_TOKEN, 35, 38},
	{"s-s4t2", "intra42", T_TOKEN, 60, 0}, {"MII", NULL, 0, 0, 0},
	{"key-", "mailgun", T_HEX, 32, 32}, {"mlsn.", "mailersend", T_HEX, 64, 0},
	{"discord.com/api/webhooks/", "discord_webhook", T_BASE64, 60, 0},
	{"pcsk_", "pinecone", T_WORD, 40, 0}, {"tskey-", "tailscale", T_TOKEN, 30, 0},
	{"pat-na1-", "hubspot", T_TOKEN, 36, 36}, {"pat-eu1-", "hubspot", T_TOKEN, 36, 36},
	{"lin_" "oauth_", "linear", T_HEX, 64, 0}, {"sl.", "dropbox", T_TOKEN, 130, 0},
	{"dckr_" "oat_", "docker", T_TOKEN, 20, 0}, {"CCIPAT_", "circleci", T_WORD, 40, 0},
	{"API-", "octopus_deploy", T_UPPER, 26, 26}, {"sk_", "elevenlabs", T_HEX, 48, 48},
	{"rnd_", "render", T_ALNUM, 32, 32}, {"aio_", "adafruit", T_ALNUM, 28, 28},
	{"v2.local.", "paseto", T_DOTTED, 60, 0}, {"v4.local.", "paseto", T_DOTTED, 60, 0},
	{"v2.public.", "paseto", T_DOTTED, 60, 0}, {"v4.public.", "paseto", T_DOTTED, 60, 0},
	{"jina_", "jina", T_ALNUM, 50, 0}, {"apify_" "api_", "apify", T_ALNUM, 30, 0},
	{"signkey-", "inngest", T_TOKEN, 60, 0}, {"fw_", "fireworks", T_ALNUM, 24, 24},
	{"csk-", "cerebras", T_ALNUM, 40, 0}, {"nfp_", "netlify", T_ALNUM, 36, 0},
	{"napi_", "neon", T_ALNUM, 60, 0}, {"rpa_", "runpod", T_ALNUM, 40, 0},
	{"sqp_", "sonarqube", T_HEX, 40, 40}, {"sqa_", "sonarqube", T_HEX, 40, 40},
	{"squ_", "sonarqube", T_HEX, 40, 40}, {"dp.sa.", "doppler", T_ALNUM, 40, 0},
	{"amzn.mws.", "amazon_mws", T_TOKEN, 36, 36}, {"cal_" "live_", "cal", T_HEX, 32, 0},
	{"Bearer ", "bearer", T_BASE64, 20, 0}, {"bearer ", "bearer", T_BASE64, 20, 0},
	{"Basic ", "basic", T_BASE64, 16, 0}, {"ey" "J", "jwt", T_TOKEN, 10, 0}
};

#define PREFIXES	((int) (sizeof(prefixes) / sizeof(prefixes[0])))

/* Chains of the prefixes that share a first letter; -1 ends. */
static int16_t chain_head[256];
static int16_t chain_next[PREFIXES];

uint8_t		token_gate[65536 / 8];

/* Opens the gate for every prefix, and builds the chains. */
void
token_init(void)
{
	int			i;
	int			c;

	for (i = 0; i < 256; i++)
		chain_head[i] = -1;
	/* Discord's tokens begin with the base64 of a digit and another. */
	for (i = 0; i < 3 * 4 * 16; i++)
	{
		unsigned	index = token_gate_index("MNO"[i / 64], "DTjz"[i / 16 % 4], (uint8_t) (i & 15));

		token_gate[index >> 3] |= (uint8_t) (1 << (index & 7));
	}
	for (i = 0; i < 3 * 4; i++)
	{
		char		head[3] = {"MNO"[i / 4], "DTjz"[i % 4], '?'};

		anchors_add_token(head);
	}
	for (i = PREFIXES - 1; i >= 0; i--)
	{
		const char *p = prefixes[i].prefix;
		const uint8_t *prefix = (const uint8_t *) p;

		chain_next[i] = chain_head[prefix[0]];
		chain_head[prefix[0]] = (int16_t) i;
		if (prefixes[i].vendor != NULL)
		{
			char		head[3] = {p[0], p[1], p[2] ? p[2] : '?'};

			anchors_add_token(head);
		}
		for (c = 0; c < 16; c++)
			if (prefix[2] == '\0' || (prefix[2] & 15) == c)
			{
				unsigned	index = token_gate_index(prefix[0], prefix[1], (uint8_t) c);

				token_gate[index >> 3] |= (uint8_t) (1 << (index & 7));
			}
	}
}

/* Does a byte belong to a class of tokens? */
static bool
in_class(uint8_t c, int class)
{
	switch (class)
	{
		case T_ALNUM:
			return byte_is(c, B_ALNUM);
		case T_WORD:
			return byte_is(c, B_ALNUM) || c == '_';
		case T_HEX:
			return byte_is(c, B_HEX);
		case T_UPPER:
			return byte_is(c, B_DIGIT) || (c >= 'A' && c <= 'Z');
		case T_DOTTED:
			return byte_is(c, B_TOKEN) || c == '.';
		case T_BASE64:
			return byte_is(c, B_TOKEN) || (c != 0 && strchr("+/=.~%:|@", c) != NULL);
		default:
			return byte_is(c, B_TOKEN);
	}
}

/* End of the token after a prefix, 0 when it is too short or too long. */
static size_t
token_end(Scan *s, size_t from, const TokenPrefix *p)
{
	size_t		end = from;

	/* A stand-in is known by its head: whoever is measured whole is a hit. */
	while (end < s->len && end - from < p->shortest && in_class(s->text[end], p->class))
		end++;
	if (end - from < p->shortest || is_masked(s->text + from, end - from))
		return 0;
	while (end < s->len && in_class(s->text[end], p->class))
	{
		end++;
		tick(s, end);
		if (p->longest && end - from > p->longest)
			return 0;
	}
	/* A full stop or colon after a token closes the sentence. */
	while (end > from && strchr(".:|", s->text[end - 1]) != NULL)
		end--;
	return end;
}

/* header.payload[.signature], the header being JSON in base64url. */
static size_t
jwt_end(Scan *s, size_t at)
{
	size_t		end = token_run_end(s, at);
	size_t		payload = end + 1;
	size_t		i;

	if (end - at < 12 || end - at > 4096 || byte_at(s, end) != '.')
		return 0;
	for (i = payload; i < payload + 8; i++)
		if (!byte_is(byte_at(s, i), B_TOKEN))
			return 0;
	while (i < s->len && (byte_is(s->text[i], B_TOKEN) || s->text[i] == '.'))
		i++;
	while (s->text[i - 1] == '.')
		i--;
	return i;
}

/* A run of token bytes of a length between two, and the byte behind it. */
static size_t
token_part(const Scan *s, size_t at, size_t shortest, size_t longest)
{
	size_t		end = at;

	while (end - at <= longest && byte_is(byte_at(s, end), B_TOKEN))
		end++;
	return end - at >= shortest && end - at <= longest ? end : 0;
}

/* Discord: the id of a bot in base64, six bytes of time, 27 or more. */
static size_t
discord_end(const Scan *s, size_t at)
{
	size_t		end;

	if (s->text[at] < 'M' || s->text[at] > 'O' ||
		!(byte_at(s, at + 24) == '.' || byte_at(s, at + 25) == '.' || byte_at(s, at + 26) == '.'))
		return 0;
	end = token_part(s, at, 24, 26);
	if (end == 0 || (end = token_part(s, end + 1, 6, 6)) == 0 || byte_at(s, end) != '.')
		return 0;
	return token_part(s, end + 1, 27, 38);
}

/* A word begins: with a vendor's prefix?  Returns the token's end, or at. */
size_t
detect_token(Scan *s, size_t at)
{
	const uint8_t *text = s->text + at;
	int			i;

	if (!wants(s, REDACT_SECRET))
		return at;
	if (text[0] >= 'M' && text[0] <= 'O')
	{
		size_t		end = discord_end(s, at);

		if (end)
		{
			scan_hit(s, at, end, REDACT_SECRET, "discord", STRENGTH_SHAPE, 85);
			return end;
		}
	}
	for (i = chain_head[text[0]]; i >= 0; i = chain_next[i])
	{
		const TokenPrefix *p = &prefixes[i];
		size_t		len;
		size_t		from;
		size_t		end;

		if ((uint8_t) p->prefix[1] != byte_at(s, at + 1))
			continue;
		len = strlen(p->prefix);
		from = at + len;
		if (p->vendor == NULL || s->len - at < len + p->shortest ||
			memcmp(text, p->prefix, len) != 0)
			continue;
		if (strcmp(p->vendor, "jwt") == 0)
			end = jwt_end(s, at);
		else
			end = token_end(s, from, p);
		if (end == 0)
			continue;
		if (p->prefix[len - 1] == ' ')
		{
			size_t		behind = end;

			/* The scheme's name is no secret, prose is none, nor what a tag goes on. */
			while (byte_at(s, behind) == '.' || byte_at(s, behind) == ':' || byte_at(s, behind) == '|')
				behind++;
			if (byte_at(s, behind) == '[' || !secret_value(s->text + from, end - from, NAME_WEAK, true))
				continue;
			scan_hit(s, from, end, REDACT_SECRET, p->vendor, STRENGTH_SHAPE, 80);
			return end;
		}
		scan_hit(s, at, end, REDACT_SECRET, p->vendor, STRENGTH_VALID, 95);
		return end;
	}
	return at;
}

/*
 * "-----BEGIN ... PRIVATE KEY-----" to the matching END line, or as far as the
 * body goes when the text was cut.
 */
size_t
detect_armour(Scan *s, size_t at)
{
	static const char begin[] = "-----begin ";
	size_t		i = at;
	size_t		line;

	while (i < s->len && s->text[i] == '-')
		i++;
	if (i - at < 5 || s->len - i < 6 || !equal_lower(s->text + i - 5, begin, 11))
		return i;
	at = i - 5;
	for (line = i + 6; line < s->len && line - i < 48 &&
		 (byte_is(s->text[line], B_ALNUM) || s->text[line] == ' '); line++);
	if (line - i < 17 || byte_at(s, line) != '-' ||
		!(equal_lower(s->text + line - 11, "private key", 11) ||
		  (line - i > 23 && equal_lower(s->text + line - 17, "private key block", 17))))
		return i;
	while (byte_at(s, line) == '-')
		line++;
	for (i = line; i < s->len; i++)
	{
		uint8_t		c = s->text[i];

		tick(s, i);
		if (byte_is(c, B_ALNUM | B_SPACE) || (c && strchr("+/=\\:,()._", c) != NULL))
			continue;
		if (c == '-' && byte_at(s, i + 1) != '-')
			continue;
		break;
	}
	if (s->len - i >= 9 && equal_lower(s->text + i, "-----end ", 9))
	{
		for (i += 9; i < s->len && byte_is(s->text[i], B_ALNUM | B_SPACE); i++);
		while (byte_at(s, i) == '-')
			i++;
	}
	else
		while (i > line && byte_is(s->text[i - 1], B_SPACE))
			i--;
	scan_hit(s, at, i, REDACT_SECRET, "private_key", STRENGTH_VALID, 99);
	return i;
}

/* ':' inside a Telegram bot token: eight to ten digits, A and 34 more. */
size_t
detect_bot_token(Scan *s, size_t colon)
{
	size_t		start = colon;
	size_t		end;

	if (byte_at(s, colon + 1) != 'A')
		return colon + 1;
	while (start > 0 && colon - start < 12 && byte_is(s->text[start - 1], B_DIGIT))
		start--;
	for (end = colon + 1; end < s->len && end - colon < 38 && byte_is(s->text[end], B_TOKEN); end++);
	if (colon - start < 8 || colon - start > 10 || end - colon < 35 || end - colon > 37)
		return colon + 1;
	scan_hit(s, start, end, REDACT_SECRET, "telegram", STRENGTH_VALID, 90);
	return end;
}

/* '~' inside an Azure client secret: three bytes, a digit, Q~ and 31 more. */
size_t
detect_azure_secret(Scan *s, size_t tilde)
{
	size_t		start;
	size_t		end = tilde + 1;

	if (!wants(s, REDACT_SECRET) || tilde < 5 || s->text[tilde - 1] != 'Q')
		return tilde + 1;
	for (start = tilde; start > tilde - 5; start--)
		if (!byte_is(s->text[start - 1], B_TOKEN) && s->text[start - 1] != '.' && s->text[start - 1] != '~')
			return tilde + 1;
	while (end < s->len && end - tilde <= 35 &&
		   (byte_is(s->text[end], B_TOKEN) || s->text[end] == '.' || s->text[end] == '~'))
		end++;
	if (end - tilde < 32 || end - tilde > 35 || byte_is(byte_before(s, start, 1), B_TOKEN))
		return tilde + 1;
	scan_hit(s, start, end, REDACT_SECRET, "azure", STRENGTH_VALID, 90);
	return end;
}

/* '-' inside a Mailchimp key: 32 hexadecimal digits before, us and a number behind. */
size_t
detect_mailchimp_key(Scan *s, size_t dash)
{
	size_t		start = dash;
	size_t		end = dash + 3;

	if (!wants(s, REDACT_SECRET) || byte_at(s, dash + 1) != 'u' || byte_at(s, dash + 2) != 's')
		return dash + 1;
	while (start > 0 && dash - start < 33 && byte_is(s->text[start - 1], B_HEX))
		start--;
	while (end < dash + 6 && byte_is(byte_at(s, end), B_DIGIT))
		end++;
	if (dash - start != 32 || end == dash + 3 || end > dash + 5 || byte_is(byte_at(s, end), B_ALNUM) ||
		byte_is(byte_before(s, start, 1), B_TOKEN))
		return dash + 1;
	scan_hit(s, start, end, REDACT_SECRET, "mailchimp", STRENGTH_VALID, 90);
	return end;
}
