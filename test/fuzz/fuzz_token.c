/*
 * fuzz_token.c
 *		The test vectors of PASETO v4.public, every bit of a token flipped, every
 *		way to break its claims, and random damage to what is signed.
 *
 * Stands alone (fuzz_token [seconds] [seed]), or is linked as a libFuzzer
 * target with -DLIBFUZZER: the input is then the text of a token whose claims
 * are read whoever signed it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "crypto/token.h"
#include "random.h"

/* What must hold for claims that were accepted. */
static void
check_claims(const TokenClaims *claims)
{
	require(strlen(claims->role) >= 1 && strlen(claims->role) <= TOKEN_ROLE_BYTES, "role");
	require(claims->tenant_count >= 1 && claims->tenant_count <= TOKEN_MAX_TENANTS, "number of tenants");
	for (int i = 1; i < claims->tenant_count; i++)
		require(memcmp(claims->tenants[i - 1], claims->tenants[i], TOKEN_UUID_BYTES) < 0, "order of tenants");
	require(claims->issued_at < claims->expires_at && claims->not_before < claims->expires_at, "order of times");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *text = malloc(size ? size : 1);
	char		key_id[TOKEN_KEY_ID_BYTES + 1];
	Token		token;
	TokenClaims claims;

	memcpy(text, data, size);
	if (token_decode(text, size, &token))
	{
		if (token_key_id(&token, key_id))
			require(token_key_id_is_valid(key_id, strlen(key_id)), "name of the key");
		if (token_claims(&token, &claims))
			check_claims(&claims);
	}
	free(text);
	return 0;
}

#ifndef LIBFUZZER

static unsigned char public_key[crypto_sign_PUBLICKEYBYTES];
static unsigned char secret_key[crypto_sign_SECRETKEYBYTES];

static const char assertion[] = "bcce|7300000000000000001|shop";
static const char footer[] = "{\"kid\":\"a\"}";
static const char good[] =
"{\"sub\":\"bi\",\"tid\":[\"0190a000-0000-7000-8000-000000000002\",\"0190A000-0000-7000-8000-000000000001\"],"
"\"iat\":\"2026-01-31T12:00:00Z\",\"exp\":\"2026-01-31T13:10:00.25+01:00\"}";

static char *
encode(char *to, const unsigned char *bytes, size_t len)
{
	sodium_bin2base64(to, 3 * TOKEN_MAX_BYTES, bytes, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return to + strlen(to);
}

static unsigned char *
put(unsigned char *to, const void *piece, size_t len)
{
	for (int i = 0; i < 8; i++)
		*to++ = (unsigned char) ((uint64_t) len >> (8 * i));
	memcpy(to, piece, len);
	return to + len;
}

/* Signs as the standard says, apart from the code under test. */
static size_t
sign(char *text, const char *head, const unsigned char *message, size_t len, const char *foot)
{
	static unsigned char encoded[4 * TOKEN_MAX_BYTES];
	static unsigned char body[2 * TOKEN_MAX_BYTES];
	unsigned char *to = encoded;
	char	   *end;

	for (int i = 0; i < 8; i++)
		*to++ = i == 0 ? 4 : 0;
	to = put(to, head, strlen(head));
	to = put(to, message, len);
	to = put(to, foot, strlen(foot));
	to = put(to, assertion, strlen(assertion));
	memcpy(body, message, len);
	crypto_sign_detached(body + len, NULL, encoded, (unsigned long long) (to - encoded), secret_key);
	strcpy(text, head);
	end = encode(text + strlen(text), body, len + crypto_sign_BYTES);
	if (*foot != '\0')
	{
		*end++ = '.';
		end = encode(end, (const unsigned char *) foot, strlen(foot));
	}
	return (size_t) (end - text);
}

/* What set_context() checks without a clock. */
static bool
accepted(const char *text, size_t len, TokenClaims *claims)
{
	char		key_id[TOKEN_KEY_ID_BYTES + 1];
	Token		token;

	return token_decode(text, len, &token) && token_key_id(&token, key_id) && strcmp(key_id, "a") == 0 &&
		token_is_signed(&token, public_key, assertion, strlen(assertion)) &&
		token_claims(&token, claims);
}

/* Is this message good, properly signed? */
static bool
accepted_claims(const char *message, TokenClaims *claims)
{
	static char text[8 * TOKEN_MAX_BYTES];
	size_t		len = sign(text, "v4.public.", (const unsigned char *) message, strlen(message), footer);

	return accepted(text, len, claims);
}

static bool
accepted_footer(const char *foot)
{
	static char text[8 * TOKEN_MAX_BYTES];
	TokenClaims claims;
	size_t		len = sign(text, "v4.public.", (const unsigned char *) good, strlen(good), foot);

	return accepted(text, len, &claims);
}

/*
 * Official vectors, github.com/paseto-standard/test-vectors v4.json.  Those
 * with a footer keep a "kid"; their claims are not ours.
 */
static void
check_vectors(void)
{
	static const struct
	{
		const char *token;
		const char *payload;	/* NULL: must fail */
		const char *foot;
		const char *implicit;
	}			vectors[] =
	{
		{"v4.public.eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9bg_XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcAxFaSeef1QlXEFtkqxT1ciiQEDA",
		"{\"data\":\"this is a signed message\",\"exp\":\"2022-01-01T00:00:00+00:00\"}", "", ""},
		{"v4.public.eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9v3Jt8mx_TdM2ceTGoqwrh4yDFn0XsHvvV_D0DtwQxVrJEBMl0F2caAdgnpKlt4p7xBnx1HcO-SPo8FPp214HDw.eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2MGhhTiJ9",
		"{\"data\":\"this is a signed message\",\"exp\":\"2022-01-01T00:00:00+00:00\"}", "{\"kid\":\"zVhMiPBP9fRf2snEcT7gFTioeA9COcNy9DfgL1W60haN\"}", ""},
		{"v4.public.eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQwMDowMDowMCswMDowMCJ9NPWciuD3d0o5eXJXG5pJy-DiVEoyPYWs1YSTwWHNJq6DZD3je5gf-0M4JR9ipdUSJbIovzmBECeaWmaqcaP0DQ.eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2MGhhTiJ9",
		"{\"data\":\"this is a signed message\",\"exp\":\"2022-01-01T00:00:00+00:00\"}", "{\"kid\":\"zVhMiPBP9fRf2snEcT7gFTioeA9COcNy9DfgL1W60haN\"}", "{\"test-vector\":\"4-S-3\"}"},
		{"v4.local.vngXfCISbnKgiP6VWGuOSlYrFYU300fy9ijW33rznDYgxHNPwWluAY2Bgb0z54CUs6aYYkIJ-bOOOmJHPuX_34Agt_IPlNdGDpRdGNnBz2MpWJvB3cttheEc1uyCEYltj7wBQQYX.YXJiaXRyYXJ5LXN0cmluZy10aGF0LWlzbid0LWpzb24",
		NULL, NULL, "{\"test-vector\":\"4-F-1\"}"},
		{"v4.public.eyJpbnZhbGlkIjoidGhpcyBzaG91bGQgbmV2ZXIgZGVjb2RlIn22Sp4gjCaUw0c7EH84ZSm_jN_Qr41MrgLNu5LIBCzUr1pn3Z-Wukg9h3ceplWigpoHaTLcwxj0NsI1vjTh67YB.eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2MGhhTiJ9",
		NULL, NULL, "{\"test-vector\":\"4-F-2\"}"},
		{"v3.local.23e_2PiqpQBPvRFKzB0zHhjmxK3sKo2grFZRRLM-U7L0a8uHxuF9RlVz3Ic6WmdUUWTxCaYycwWV1yM8gKbZB2JhygDMKvHQ7eBf8GtF0r3K0Q_gF1PXOxcOgztak1eD1dPe9rLVMSgR0nHJXeIGYVuVrVoLWQ.YXJiaXRyYXJ5LXN0cmluZy10aGF0LWlzbid0LWpzb24",
		NULL, NULL, "{\"test-vector\":\"4-F-3\"}"},
		{"v4.local.32VIErrEkmY4JVILovbmfPXKW9wT1OdQepjMTC_MOtjA4kiqw7_tcaOM5GNEcnTxl60WkwMsYXw6FSNb_UdJPXjpzm0KW9ojM5f4O2mRvE2IcweP-PRdoHjd5-RHCiExR1IK6t4x-RMNXtQNbz7FvFZ_G-lFpk5RG3EOrwDL6CgDqcerSQ==.eyJraWQiOiJ6VmhNaVBCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2MGhhTiJ9",
		NULL, NULL, ""}
	};
	static const char key_text[] = "1eb9dbbbbc047c03fd70604e0071f0987e16b28b757225c11f00415d0e20b1a2";
	unsigned char key[TOKEN_KEY_BYTES];
	Token		token;

	sodium_hex2bin(key, sizeof(key), key_text, strlen(key_text), NULL, NULL, NULL);
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
	{
		bool		is_good = token_decode(vectors[i].token, strlen(vectors[i].token), &token) &&
			token_is_signed(&token, key, vectors[i].implicit, strlen(vectors[i].implicit));

		require(is_good == (vectors[i].payload != NULL), "a vector of the standard");
		if (!is_good)
			continue;
		require(token.message_len == strlen(vectors[i].payload) &&
				memcmp(token.message, vectors[i].payload, token.message_len) == 0, "payload of a vector");
		require(token.footer_len == strlen(vectors[i].foot) &&
				memcmp(token.footer, vectors[i].foot, token.footer_len) == 0, "footer of a vector");
		require(!token_is_signed(&token, key, "x", 1), "another assertion");
	}
}

/* With a key of small order, here that of zero, anybody can sign anything. */
static void
check_small_order(void)
{
	unsigned char key[TOKEN_KEY_BYTES] = {1};
	Token		token = {.message_len = 1, .signature = {1}};

	require(!token_is_signed(&token, key, "", 0), "a key of small order");
}

/* The token as it should be, and every bit, byte and length of it changed. */
static void
check_damage(void)
{
	static char text[8 * TOKEN_MAX_BYTES];
	TokenClaims claims;
	size_t		len = sign(text, "v4.public.", (const unsigned char *) good, strlen(good), footer);
	unsigned char was_key[sizeof(public_key)];

	require(accepted(text, len, &claims), "a good token is refused");
	check_claims(&claims);
	require(strcmp(claims.role, "bi") == 0 && claims.tenant_count == 2, "claims");
	require(claims.tenants[0][15] == 1 && claims.tenants[1][15] == 2, "tenants");
	require(claims.issued_at == INT64_C(1769860800000000) && claims.not_before == claims.issued_at &&
			claims.expires_at == claims.issued_at + INT64_C(600250000), "times");
	for (size_t at = 0; at < len; at++)
	{
		char		was = text[at];

		for (int c = 0; c < 256; c++)
		{
			text[at] = (char) c;
			require(text[at] == was || !accepted(text, len, &claims), "a changed byte is accepted");
		}
		text[at] = was;
		require(!accepted(text, at, &claims), "a cut token is accepted");
	}
	for (int c = 0; c < 256; c++)
	{
		text[len] = (char) c;
		require(!accepted(text, len + 1, &claims), "a longer token is accepted");
	}
	for (size_t bit = 0; bit < 8 * sizeof(public_key); bit++)
	{
		memcpy(was_key, public_key, sizeof(was_key));
		public_key[bit / 8] ^= (unsigned char) (1 << bit % 8);
		require(!accepted(text, len, &claims), "another key");
		memcpy(public_key, was_key, sizeof(was_key));
	}
	/* Properly signed, under another header. */
	len = sign(text, "v2.public.", (const unsigned char *) good, strlen(good), footer);
	require(!accepted(text, len, &claims), "another version");
	len = sign(text, "V4.public.", (const unsigned char *) good, strlen(good), footer);
	require(!accepted(text, len, &claims), "a header in capitals");
	check_small_order();
}

#define TID "\"tid\":[\"0190a000-0000-7000-8000-000000000001\"]"
#define IAT "\"iat\":\"2026-01-31T12:00:00Z\""
#define EXP "\"exp\":\"2026-01-31T12:10:00Z\""
#define SUB "\"sub\":\"bi\""

/* Claims that are good, and claims that are not, all properly signed. */
static void
check_forms(void)
{
	static const char *const fine[] = {
		"{" SUB "," TID "," IAT "," EXP "}",
		" {\t" EXP " ,\r\n" IAT "," TID "," SUB "} ",
		"{\"\\u0073\\u0075b\":\"bi\"," TID "," IAT "," EXP "}",
		"{" SUB "," TID "," IAT "," EXP ",\"nbf\":\"2026-01-31T12:00:00Z\",\"jti\":\"1\",\"iss\":\"\"}",
		"{\"sub\":\"\\uD83D\\uDE00 \xc3\xa9\\n\\\"\"," TID "," IAT "," EXP "}",
		"{" SUB "," TID ",\"iat\":\"2024-02-29T00:00:00.123456789-15:59\"," EXP "}"
	};
	static const char *const bad[] = {
		"", "{}", "[]", "null", "\"\"", "{", "}", "{\"", "{\"sub", "{\"sub\"", "{\"sub\":", "{\"sub\":\"", "{" SUB,
		"{" SUB "," TID "," IAT "}", "{" SUB "," TID "," EXP "}", "{" SUB "," IAT "," EXP "}", "{" TID "," IAT "," EXP "}",
		/* twice */
		"{" SUB "," SUB "," TID "," IAT "," EXP "}", "{" SUB "," TID "," TID "," IAT "," EXP "}",
		"{" SUB "," TID "," IAT "," EXP "," EXP "}", "{" SUB "," TID "," IAT "," IAT "," EXP "}",
		"{" SUB ",\"s\\u0075b\":\"bi\"," TID "," IAT "," EXP "}",
		"{" SUB "," TID "," IAT "," EXP ",\"jti\":\"1\",\"jti\":\"1\"}",
		/* unknown */
		"{" SUB "," TID "," IAT "," EXP ",\"aud\":\"x\"}", "{" SUB "," TID "," IAT "," EXP ",\"cap\":[]}",
		"{" SUB "," TID "," IAT "," EXP ",\"\":\"x\"}", "{" SUB "," TID "," IAT "," EXP ",\"SUB\":\"bi\"}",
		"{" SUB "," TID "," IAT "," EXP ",\"a_long_name_of_a_claim\":\"x\"}",
		/* punctuation */
		"{" SUB "," TID "," IAT "," EXP ",}", "{," SUB "," TID "," IAT "," EXP "}", "{" SUB " " TID "," IAT "," EXP "}",
		"{" SUB "," TID "," IAT "," EXP "}}", "{" SUB "," TID "," IAT "," EXP "} {}", "{" SUB "," TID "," IAT "," EXP "}x",
		"{sub:\"bi\"," TID "," IAT "," EXP "}", "{'sub':'bi'," TID "," IAT "," EXP "}", "/**/{" SUB "," TID "," IAT "," EXP "}",
		"\xef\xbb\xbf{" SUB "," TID "," IAT "," EXP "}",
		/* role */
		"{\"sub\":\"\"," TID "," IAT "," EXP "}", "{\"sub\":null," TID "," IAT "," EXP "}", "{\"sub\":1," TID "," IAT "," EXP "}",
		"{\"sub\":[\"bi\"]," TID "," IAT "," EXP "}", "{\"sub\":\"b\\u0000i\"," TID "," IAT "," EXP "}", "{\"sub\":\"b\\xi\"," TID "," IAT "," EXP "}",
		"{\"sub\":\"b\ni\"," TID "," IAT "," EXP "}", "{\"sub\":\"\xff\"," TID "," IAT "," EXP "}", "{\"sub\":\"\xc0\xaf\"," TID "," IAT "," EXP "}",
		"{\"sub\":\"\xed\xa0\x80\"," TID "," IAT "," EXP "}", "{\"sub\":\"\xf4\x90\x80\x80\"," TID "," IAT "," EXP "}", "{\"sub\":\"\xe2\x82\"," TID "," IAT "," EXP "}",
		"{\"sub\":\"\\ud800\"," TID "," IAT "," EXP "}", "{\"sub\":\"\\udc00\"," TID "," IAT "," EXP "}", "{\"sub\":\"\\ud800\\u0041\"," TID "," IAT "," EXP "}",
		"{\"sub\":\"\\u12g4\"," TID "," IAT "," EXP "}",
		/* tenants */
		"{" SUB ",\"tid\":\"0190a000-0000-7000-8000-000000000001\"," IAT "," EXP "}", "{" SUB ",\"tid\":[]," IAT "," EXP "}",
		"{" SUB ",\"tid\":[null]," IAT "," EXP "}", "{" SUB ",\"tid\":[[\"0190a000-0000-7000-8000-000000000001\"]]," IAT "," EXP "}",
		"{" SUB ",\"tid\":[\"0190a000-0000-7000-8000-00000000000g\"]," IAT "," EXP "}", "{" SUB ",\"tid\":[\"0190a00000007000800000000000000001\"]," IAT "," EXP "}",
		"{" SUB ",\"tid\":[\"0190a000-0000-7000-8000-000000000001\",]," IAT "," EXP "}", "{" SUB ",\"tid\":[\"0190a000-0000-7000-8000-000000000001\"," IAT "," EXP "}",
		"{" SUB ",\"tid\":[\"0190a000-0000-7000-8000-000000000001\",\"0190A000-0000-7000-8000-000000000001\"]," IAT "," EXP "}",
		"{" SUB ",\"tid\":[\"0190a000000-07000-8000-000000000001\"]," IAT "," EXP "}", "{" SUB ",\"tid\":[\"*\"]," IAT "," EXP "}",
		/* times */
		"{" SUB "," TID "," IAT ",\"exp\":1769861400}", "{" SUB "," TID "," IAT ",\"exp\":\"\"}", "{" SUB "," TID "," IAT ",\"exp\":\"infinity\"}",
		"{" SUB "," TID "," IAT ",\"exp\":\"2026-01-31T12:00:00Z\"}", "{" SUB "," TID "," IAT ",\"exp\":\"2026-01-31T11:59:59Z\"}",
		"{" SUB "," TID "," IAT ",\"exp\":\"2026-01-31 12:10:00Z\"}", "{" SUB "," TID "," IAT ",\"exp\":\"2026-01-31T12:10:00\"}",
		"{" SUB "," TID "," IAT ",\"exp\":\"2026-01-31T12:10Z\"}", "{" SUB "," TID "," IAT ",\"exp\":\"2026-02-29T12:10:00Z\"}",
		"{" SUB "," TID "," IAT ",\"exp\":\"2026-13-01T12:10:00Z\"}", "{" SUB "," TID "," IAT ",\"exp\":\"2026-01-32T12:10:00Z\"}",
		"{" SUB "," TID "," IAT ",\"exp\":\"2026-02-01T24:00:00Z\"}", "{" SUB "," TID "," IAT ",\"exp\":\"2026-02-01T12:60:00Z\"}",
		"{" SUB "," TID "," IAT ",\"exp\":\"2026-02-01T12:00:60Z\"}", "{" SUB "," TID "," IAT ",\"exp\":\"2026-02-01T12:00:00.Z\"}",
		"{" SUB "," TID "," IAT ",\"exp\":\"2026-02-01T12:00:00.0000000001Z\"}", "{" SUB "," TID "," IAT ",\"exp\":\"2026-02-01T12:00:00+0100\"}",
		"{" SUB "," TID "," IAT ",\"exp\":\"2026-02-01T12:00:00+16:00\"}", "{" SUB "," TID "," IAT ",\"exp\":\"2026-02-01T12:00:00+01:60\"}",
		"{" SUB "," TID "," IAT ",\"exp\":\"2026-02-01T12:00:00Zx\"}", "{" SUB "," TID "," IAT ",\"exp\":\"+2026-02-01T12:00:00Z\"}",
		"{" SUB "," TID ",\"iat\":\"1969-12-31T23:59:59Z\"," EXP "}", "{" SUB "," TID "," IAT "," EXP ",\"nbf\":\"2026-01-31T12:10:00Z\"}"
	};
	static const char *const bad_footers[] = {
		"", "{}", "a", "{\"kid\":\"\"}", "{\"kid\":\"b\"}", "{\"kid\":\"a\",\"kid\":\"a\"}", "{\"kid\":\"a\",\"wpk\":\"\"}", "{\"KID\":\"a\"}",
		"{\"kid\":[\"a\"]}", "{\"kid\":\"a b\"}", "{\"kid\":\"a\"}x", "{\"kid\":\"a\"", "{\"kid\":\"\\u0000a\"}",
		"{\"kid\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}"
	};
	static char many[TOKEN_MAX_BYTES * 2];
	TokenClaims claims;

	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		require(accepted_claims(fine[i], &claims), fine[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		require(!accepted_claims(bad[i], &claims), bad[i]);
	require(accepted_footer(footer) && accepted_footer(" { \"\\u006bid\" : \"a\" } "), "a good footer is refused");
	for (size_t i = 0; i < sizeof(bad_footers) / sizeof(bad_footers[0]); i++)
		require(!accepted_footer(bad_footers[i]), bad_footers[i]);

	for (int n = 60; n <= 66; n++)
	{
		char	   *to = many + sprintf(many, "{\"sub\":\"b\"," IAT "," EXP ",\"tid\":[");

		for (int i = 0; i < n; i++)
			to += sprintf(to, "%s\"0190a000-0000-7000-8000-0000000000%02d\"", i ? "," : "", i);
		strcpy(to, "]}");
		require(accepted_claims(many, &claims) == (n <= TOKEN_MAX_TENANTS), "64 tenants and no more");
	}
	/* As long as a token may be, and one byte more. */
	for (size_t pad = 2500; pad < 3200; pad++)
	{
		static char text[8 * TOKEN_MAX_BYTES];
		size_t		len;

		memset(many, ' ', pad);
		strcpy(many + pad, good);
		len = sign(text, "v4.public.", (const unsigned char *) many, strlen(many), footer);
		require(accepted(text, len, &claims) == (len <= TOKEN_MAX_BYTES), "4 KiB and no more");
	}
}

/* Damaged claims under a good signature: no crash, and what passes is sound. */
static void
check_random(void)
{
	static char text[8 * TOKEN_MAX_BYTES];
	unsigned char message[1024];
	size_t		len = strlen(good);
	size_t		changes = 1 + next_random(4);
	TokenClaims claims;

	memcpy(message, good, len);
	while (changes-- > 0)
	{
		size_t		at = next_random(len);

		switch (next_random(4))
		{
			case 0:
				message[at] = (unsigned char) next_bits();
				break;
			case 1:
				message[at] = message[next_random(len)];
				break;
			case 2:
				len = at > 0 ? at : 1;
				break;
			default:
				memmove(message + next_random(len), message + at, (len - at) / 2);
				break;
		}
	}
	len = sign(text, "v4.public.", message, len, footer);
	LLVMFuzzerTestOneInput((const uint8_t *) text, len);
	if (accepted(text, len, &claims))
		check_claims(&claims);
	for (size_t i = 0; i < 10; i++)
		text[next_random(len)] = "AQgw-_.{}\"\0\xff"[next_random(12)];
	LLVMFuzzerTestOneInput((const uint8_t *) text, len);
}

int
main(int argc, char **argv)
{
	time_t		stop = time(NULL) + (argc > 1 ? atoi(argv[1]) : 10);
	long		n = 0;

	if (argc > 2)
		state = strtoull(argv[2], NULL, 10) * 2654435761u + 1;
	require(sodium_init() >= 0, "libsodium");
	crypto_sign_keypair(public_key, secret_key);
	check_vectors();
	check_forms();
	check_damage();
	do
	{
		for (int i = 0; i < 1000; i++, n++)
			check_random();
	} while (time(NULL) < stop);
	printf("fuzz_token: %ld damaged tokens, nothing found\n", n);
	return 0;
}

#endif
