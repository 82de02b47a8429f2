/*
 * token.h
 *		Signed tokens that say for which tenants their holder speaks.
 *
 * The layout is PASETO v4.public (github.com/paseto-standard/paseto-spec):
 * "v4.public." and the base64url of a JSON text and its Ed25519 signature, a
 * dot, and the base64url of the footer {"kid": "..."}.  The signature covers
 * the footer too, and an assertion that is not in the token: which database
 * of which cluster it is for.  Nothing in a token chooses how it is checked.
 *
 * This header and its C files need no PostgreSQL, so that they can be fuzzed.
 */
#ifndef BCCE_TOKEN_H
#define BCCE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_MAX_BYTES			4096
#define TOKEN_MAX_TENANTS		64
#define TOKEN_KEY_BYTES			32
#define TOKEN_UUID_BYTES		16
#define TOKEN_KEY_ID_BYTES		64
#define TOKEN_ROLE_BYTES		252 /* a name of 63 bytes, in UTF-8 */
#define TOKEN_ASSERTION_BYTES	300

/* A token taken apart; nothing in it is known to be true. */
typedef struct Token
{
	unsigned char message[TOKEN_MAX_BYTES];
	size_t		message_len;
	unsigned char signature[64];
	unsigned char footer[TOKEN_MAX_BYTES];
	size_t		footer_len;
} Token;

/* What a token claims.  Instants are microseconds since 1970. */
typedef struct TokenClaims
{
	char		role[TOKEN_ROLE_BYTES + 1];
	int			tenant_count;
	unsigned char tenants[TOKEN_MAX_TENANTS][TOKEN_UUID_BYTES]; /* sorted, distinct */
	int64_t		issued_at;
	int64_t		not_before;		/* issued_at where the token has none */
	int64_t		expires_at;
} TokenClaims;

/* Takes a token apart.  False: it has not the form of one. */
extern bool token_decode(const char *text, size_t len, Token *token);

/* The name of the key, 1 to 64 of A-Z a-z 0-9 . _ - and a zero. */
extern bool token_key_id(const Token *token, char *key_id);
extern bool token_key_id_is_valid(const char *key_id, size_t len);

/* Did the holder of the private key sign it, for this assertion? */
extern bool token_is_signed(const Token *token, const unsigned char *public_key,
							const char *assertion, size_t assertion_len);

/* Reads the claims.  False: one is missing, twice, unknown or malformed. */
extern bool token_claims(const Token *token, TokenClaims *claims);

#endif
