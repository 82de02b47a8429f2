/*
 * token.c
 *		PASETO v4.public: taking a token apart and checking its signature.
 */
#include "crypto/token.h"

#include <string.h>

#include <sodium.h>

static const char header[] = "v4.public.";

#define HEADER_BYTES	(sizeof(header) - 1)

/* What a character of base64url stands for; -1: none of its alphabet. */
static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	if (c == '_')
		return 63;
	return -1;
}

/*
 * Decodes base64url without padding.  Bits that are left over must be zero:
 * the same bytes have one spelling only.  out holds TOKEN_MAX_BYTES.
 */
static bool
base64_decode(const char *in, size_t len, unsigned char *out, size_t *out_len)
{
	uint32_t	bits = 0;
	int			held = 0;

	*out_len = 0;
	if (len % 4 == 1 || len / 4 * 3 + 2 > TOKEN_MAX_BYTES)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		int			value = base64_value(in[i]);

		if (value < 0)
			return false;
		bits = (bits << 6 | (uint32_t) value) & 0xffffff;
		held += 6;
		if (held >= 8)
		{
			held -= 8;
			out[(*out_len)++] = (unsigned char) (bits >> held);
		}
	}
	return (bits & ((1u << held) - 1)) == 0;
}

/* See the header. */
bool
token_decode(const char *text, size_t len, Token *token)
{
	const char *body = text + HEADER_BYTES;
	const char *end = text + len;
	const char *dot;

	if (len <= HEADER_BYTES || len > TOKEN_MAX_BYTES ||
		memcmp(text, header, HEADER_BYTES) != 0)
		return false;
	dot = memchr(body, '.', (size_t) (end - body));
	if (dot == NULL)
		dot = end;
	if (!base64_decode(body, (size_t) (dot - body), token->message, &token->message_len) ||
		token->message_len <= sizeof(token->signature))
		return false;
	token->message_len -= sizeof(token->signature);
	memcpy(token->signature, token->message + token->message_len, sizeof(token->signature));

	token->footer_len = 0;
	if (dot == end)
		return true;
	return base64_decode(dot + 1, (size_t) (end - dot - 1), token->footer, &token->footer_len) &&
		token->footer_len > 0;
}

/* Appends eight bytes, the lowest first. */
static unsigned char *
put_length(unsigned char *to, uint64_t length)
{
	for (int i = 0; i < 8; i++)
		*to++ = (unsigned char) (length >> (8 * i));
	return to;
}

/* Appends a piece and its length before it. */
static unsigned char *
put_piece(unsigned char *to, const void *piece, size_t len)
{
	to = put_length(to, len);
	if (len > 0)
		memcpy(to, piece, len);
	return to + len;
}

/*
 * See the header.  What is signed is the standard's pre-authentication
 * encoding of header, message, footer and assertion.  libsodium refuses keys
 * of small order and signatures that are not canonical.
 */
bool
token_is_signed(const Token *token, const unsigned char *public_key,
				const char *assertion, size_t assertion_len)
{
	unsigned char signed_bytes[5 * 8 + HEADER_BYTES + 2 * TOKEN_MAX_BYTES + TOKEN_ASSERTION_BYTES];
	unsigned char *to = signed_bytes;

	if (assertion_len > TOKEN_ASSERTION_BYTES)
		return false;
	to = put_length(to, 4);
	to = put_piece(to, header, HEADER_BYTES);
	to = put_piece(to, token->message, token->message_len);
	to = put_piece(to, token->footer, token->footer_len);
	to = put_piece(to, assertion, assertion_len);
	return crypto_sign_verify_detached(token->signature, signed_bytes,
									   (unsigned long long) (to - signed_bytes),
									   public_key) == 0;
}
