/*
 * hmac.h
 *		HMAC (RFC 2104) over bytes, without a server underneath.
 */
#ifndef BCCE_HMAC_H
#define BCCE_HMAC_H

#include <stdbool.h>
#include <stddef.h>

typedef enum HmacAlgorithm
{
	HMAC_SHA256,
	HMAC_SHA512
} HmacAlgorithm;

/* Room for the longest code. */
#define HMAC_MAX_BYTES	64

/* The algorithm of a name of exactly these bytes ("sha256", "sha512"). */
extern bool hmac_algorithm(const char *name, size_t len, HmacAlgorithm *algorithm);

/* Bytes of the code an algorithm makes. */
extern size_t hmac_bytes(HmacAlgorithm algorithm);

/* The code of data under a key of any length, hmac_bytes() long. */
extern void hmac_compute(HmacAlgorithm algorithm,
						 const unsigned char *key, size_t key_len,
						 const unsigned char *data, size_t data_len,
						 unsigned char *code);

/*
 * Is the signature the whole code of data?  Takes the same time wherever the
 * first wrong byte is; a signature of another length, or an empty key, is
 * never right.
 */
extern bool hmac_verify(HmacAlgorithm algorithm,
						const unsigned char *key, size_t key_len,
						const unsigned char *data, size_t data_len,
						const unsigned char *signature, size_t signature_len);

#endif
