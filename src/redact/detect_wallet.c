/*
 * detect_wallet.c
 *		The pack crypto_wallet: addresses and keys of crypto currencies, by the
 *		checksums of base58check, bech32 and bech32m; Ethereum's by its shape.
 */
#include <string.h>

#include <sodium.h>

#include "redact/scan_internal.h"

#define BASE58_BYTES	82		/* an extended key, the longest that is read */
#define CHECKSUM_BYTES	4

/* Value of a base58 digit, -1 if it is none. */
static int
base58_digit(uint8_t c)
{
	static const char digits[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int) (found - digits) : -1;
}

/* Decodes a number of so many bytes; false when it has another length. */
static bool
read_base58(const uint8_t *text, size_t len, uint8_t *out, size_t size)
{
	size_t		zeros;
	size_t		i;
	size_t		k;

	memset(out, 0, size);
	for (i = 0; i < len; i++)
	{
		int			carry = base58_digit(text[i]);

		if (carry < 0)
			return false;
		for (k = size; k-- > 0;)
		{
			carry += 58 * out[k];
			out[k] = (uint8_t) carry;
			carry >>= 8;
		}
		if (carry > 0)
			return false;
	}
	/* Each leading one is a byte of zeros, and there are no others. */
	for (zeros = 0; zeros < len && text[zeros] == '1'; zeros++);
	for (i = 0; i < size && out[i] == 0; i++);
	return i == zeros;
}

/* Does the number end in the checksum of what is before it? */
static bool
checksum_holds(const uint8_t *number, size_t size)
{
	uint8_t		hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, number, size - CHECKSUM_BYTES);
	crypto_hash_sha256(hash, hash, sizeof(hash));
	return memcmp(hash, number + size - CHECKSUM_BYTES, CHECKSUM_BYTES) == 0;
}

/* Whose base58check it is; NULL when the checksum fails. */
static const char *
base58_coin(const uint8_t *text, size_t len)
{
	uint8_t		number[BASE58_BYTES];
	size_t		size;

	if (len >= 26 && len <= 35)
		size = 25;
	else if (len == 51 || len == 52)
		size = len - 14;		/* a private key, 52: of a compressed public one */
	else if (len == 111)
		size = BASE58_BYTES;
	else
		return NULL;
	if (!read_base58(text, len, number, size) || !checksum_holds(number, size))
		return NULL;
	if (size > 25)
		return "key";
	switch (number[0])
	{
		case 0:
		case 5:
			return "bitcoin";
		case 48:
		case 50:
			return "litecoin";
		case 30:
			return "dogecoin";
		case 65:
			return "tron";
		default:
			return "base58check";
	}
}

/* One step of the checksum of BIP 173. */
static uint32_t
bech32_step(uint32_t state, uint32_t value)
{
	static const uint32_t generator[5] = {
		0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3
	};
	uint32_t	top = state >> 25;
	int			i;

	state = (state & 0x1ffffff) << 5 ^ value;
	for (i = 0; i < 5; i++)
		if (top >> i & 1)
			state ^= generator[i];
	return state;
}

/* Whose bech32 or bech32m it is; NULL when the checksum fails. */
static const char *
bech32_coin(const uint8_t *text, size_t len)
{
	static const char digits[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	uint32_t	state = 1;
	size_t		one;
	size_t		i;
	bool		upper = false;
	bool		small = false;

	if (len < 14 || len > 110)
		return NULL;
	for (i = 0; i < len; i++)
	{
		upper |= text[i] >= 'A' && text[i] <= 'Z';
		small |= text[i] >= 'a' && text[i] <= 'z';
	}
	for (one = len - 1; one > 0 && text[one] != '1'; one--);
	if ((upper && small) || one == 0 || len - one < 8)
		return NULL;
	for (i = 0; i < one; i++)
		state = bech32_step(state, lower(text[i]) >> 5);
	state = bech32_step(state, 0);
	for (i = 0; i < one; i++)
		state = bech32_step(state, lower(text[i]) & 31);
	for (i = one + 1; i < len; i++)
	{
		const char *digit = strchr(digits, lower(text[i]));

		if (digit == NULL)
			return NULL;
		state = bech32_step(state, (uint32_t) (digit - digits));
	}
	if (state != 1 && state != 0x2bc830a3)
		return NULL;
	if (one == 2 && (equal_lower(text, "bc", 2) || equal_lower(text, "tb", 2)))
		return "bitcoin";
	if (one == 3 && equal_lower(text, "ltc", 3))
		return "litecoin";
	return "bech32";
}

/* 0x and forty hexadecimal digits, not nearly all of them the same. */
static bool
is_ethereum(const uint8_t *text, size_t len)
{
	size_t		other = 0;
	size_t		i;

	if (len != 42 || text[0] != '0' || lower(text[1]) != 'x')
		return false;
	for (i = 2; i < len; i++)
	{
		if (!byte_is(text[i], B_HEX))
			return false;
		other += text[i] != text[2];
	}
	return other > 3;
}

/* A run of letters and digits: an address or a key? */
bool
detect_wallet(Scan *s, size_t start, size_t end)
{
	const uint8_t *text = s->text + start;
	size_t		len = end - start;
	const char *coin;

	if (is_ethereum(text, len))
	{
		scan_hit(s, start, end, REDACT_CRYPTO_WALLET, "ethereum", STRENGTH_SHAPE, 80);
		return true;
	}
	coin = base58_coin(text, len);
	if (coin == NULL)
		coin = bech32_coin(text, len);
	if (coin == NULL)
		return false;
	scan_hit(s, start, end, REDACT_CRYPTO_WALLET, coin, STRENGTH_VALID, 98);
	return true;
}
