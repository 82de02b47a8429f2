/*
 * hmac.c
 *		HMAC (RFC 2104) over bytes, without a server underneath.
 *
 * The multi-part calls of libsodium are used because its one-shot call takes
 * keys of 32 bytes only, while senders choose keys of any length.
 */
#include "webhook/hmac.h"

#include <string.h>

#include <sodium.h>

/* See the header. */
bool
hmac_algorithm(const char *name, size_t len, HmacAlgorithm *algorithm)
{
	if (len != 6)
		return false;
	if (memcmp(name, "sha256", 6) == 0)
		*algorithm = HMAC_SHA256;
	else if (memcmp(name, "sha512", 6) == 0)
		*algorithm = HMAC_SHA512;
	else
		return false;
	return true;
}

/* See the header. */
size_t
hmac_bytes(HmacAlgorithm algorithm)
{
	return algorithm == HMAC_SHA512 ? crypto_auth_hmacsha512_BYTES : crypto_auth_hmacsha256_BYTES;
}

/* HMAC-SHA-256; the state holds the key, so it is wiped. */
static void
compute_sha256(const unsigned char *key, size_t key_len,
			   const unsigned char *data, size_t data_len, unsigned char *code)
{
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, key, key_len);
	crypto_auth_hmacsha256_update(&state, data, data_len);
	crypto_auth_hmacsha256_final(&state, code);
	sodium_memzero(&state, sizeof(state));
}

/* HMAC-SHA-512, likewise. */
static void
compute_sha512(const unsigned char *key, size_t key_len,
			   const unsigned char *data, size_t data_len, unsigned char *code)
{
	crypto_auth_hmacsha512_state state;

	crypto_auth_hmacsha512_init(&state, key, key_len);
	crypto_auth_hmacsha512_update(&state, data, data_len);
	crypto_auth_hmacsha512_final(&state, code);
	sodium_memzero(&state, sizeof(state));
}

/* See the header. */
void
hmac_compute(HmacAlgorithm algorithm,
			 const unsigned char *key, size_t key_len,
			 const unsigned char *data, size_t data_len,
			 unsigned char *code)
{
	if (algorithm == HMAC_SHA512)
		compute_sha512(key, key_len, data, data_len, code);
	else
		compute_sha256(key, key_len, data, data_len, code);
}

/* See the header. */
bool
hmac_verify(HmacAlgorithm algorithm,
			const unsigned char *key, size_t key_len,
			const unsigned char *data, size_t data_len,
			const unsigned char *signature, size_t signature_len)
{
	unsigned char code[HMAC_MAX_BYTES];
	bool		equal;

	if (key_len == 0 || signature_len != hmac_bytes(algorithm))
		return false;
	hmac_compute(algorithm, key, key_len, data, data_len, code);
	equal = sodium_memcmp(code, signature, signature_len) == 0;
	sodium_memzero(code, sizeof(code));
	return equal;
}
