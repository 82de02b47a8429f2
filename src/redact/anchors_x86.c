/*
 * anchors_x86.c
 *		The masks by SSE2, which every x86-64 has, and by AVX2.
 */
#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>
#include <string.h>

#include "redact/anchors.h"
#include "redact/anchors_avx512.h"

/* SSE2 */

/* Without a shuffle of bytes the words are looked up where letters stand. */
static inline void
window_sse2(const uint8_t *window, Lanes *plane, ByteMasks *m, int lane)
{
	__m128i		vec[4];
	uint64_t	letters = 0;
	int			i;
	int			k;

	for (i = 0; i < 4; i++)
	{
		__m128i		folded;

		vec[i] = _mm_loadu_si128((const __m128i *) (window + 16 * i));
		folded = _mm_sub_epi8(_mm_or_si128(vec[i], _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
		letters |= (uint64_t) (uint32_t) _mm_movemask_epi8(
			_mm_cmpeq_epi8(_mm_min_epu8(folded, _mm_set1_epi8(25)), folded)) << (16 * i);
	}
	for (k = 7; k >= 0; k--)
	{
		uint64_t	bits = 0;

		for (i = 0; i < 4; i++)
		{
			bits |= (uint64_t) (uint32_t) _mm_movemask_epi8(vec[i]) << (16 * i);
			vec[i] = _mm_add_epi8(vec[i], vec[i]);
		}
		plane[k][lane] = bits;
	}
	m->secret[lane] = m->token[lane] = m->context[lane] = m->brief[lane] = 0;
	for (; letters; letters &= letters - 1)
		literals_of(window + __builtin_ctzll(letters), m, lane, __builtin_ctzll(letters));
}

void
anchors_sse2(const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name)
{
	ANCHOR_LOOP(window_sse2, classify);
}

/* AVX2 */

#define AVX2 __attribute__((target("avx2,bmi,bmi2")))

AVX2 static inline uint64_t
mask32(__m256i low, __m256i high)
{
	return (uint32_t) _mm256_movemask_epi8(low) |
		(uint64_t) (uint32_t) _mm256_movemask_epi8(high) << 32;
}

AVX2 static inline __m256i
table32(const uint8_t *table)
{
	return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *) table));
}

/* Bits of the tables that both halves of each byte have in common. */
AVX2 static inline __m256i
lookup32(__m256i low, __m256i high, const uint8_t *low_table, const uint8_t *high_table)
{
	return _mm256_and_si256(_mm256_shuffle_epi8(table32(low_table), low),
							_mm256_shuffle_epi8(table32(high_table), high));
}

/* Bytes that are not zero. */
AVX2 static inline uint64_t
set32(__m256i low, __m256i high)
{
	__m256i		zero = _mm256_setzero_si256();

	return ~mask32(_mm256_cmpeq_epi8(low, zero), _mm256_cmpeq_epi8(high, zero));
}

/* Narrows the sets of words by one of their letters; the last letter of three has no more. */
AVX2 static inline void
narrow32(const uint8_t *window, int k, __m256i *secret, __m256i *token, __m256i *context)
{
	const __m256i nibble = _mm256_set1_epi8(0x0F);
	__m256i		v = _mm256_loadu_si256((const __m256i *) (window + k));
	__m256i		folded = _mm256_or_si256(v, _mm256_set1_epi8(0x20));
	__m256i		low = _mm256_and_si256(v, nibble);
	__m256i		high = _mm256_and_si256(_mm256_srli_epi16(folded, 4), nibble);

	*context = _mm256_and_si256(*context, lookup32(low, high, context_literals.low[k], context_literals.high[k]));
	if (k == 3)
		return;
	*secret = _mm256_and_si256(*secret, lookup32(low, high, secret_literals.low[k], secret_literals.high[k]));
	high = _mm256_and_si256(_mm256_srli_epi16(v, 4), nibble);
	*token = _mm256_and_si256(*token, lookup32(low, high, token_literals.low[k], token_literals.high[k]));
}

AVX2 static inline void
literals32(const uint8_t *window, ByteMasks *m, int lane)
{
	const __m256i brief = _mm256_set1_epi8((char) BRIEF_BUCKETS);
	__m256i		secret[2];
	__m256i		token[2];
	__m256i		context[2];
	int			part;

	for (part = 0; part < 2; part++, window += 32)
	{
		secret[part] = token[part] = context[part] = _mm256_set1_epi8(-1);
		narrow32(window, 0, &secret[part], &token[part], &context[part]);
		narrow32(window, 1, &secret[part], &token[part], &context[part]);
		narrow32(window, 2, &secret[part], &token[part], &context[part]);
		narrow32(window, 3, &secret[part], &token[part], &context[part]);
	}
	m->secret[lane] = set32(secret[0], secret[1]);
	m->token[lane] = set32(token[0], token[1]);
	m->brief[lane] = set32(_mm256_and_si256(brief, context[0]), _mm256_and_si256(brief, context[1]));
	m->context[lane] = set32(_mm256_andnot_si256(brief, context[0]), _mm256_andnot_si256(brief, context[1]));
}

AVX2 static inline void
window_avx2(const uint8_t *window, Lanes *plane, ByteMasks *m, int lane)
{
	__m256i		low = _mm256_loadu_si256((const __m256i *) window);
	__m256i		high = _mm256_loadu_si256((const __m256i *) (window + 32));
	int			k;

	for (k = 7; k >= 0; k--)
	{
		plane[k][lane] = mask32(low, high);
		low = _mm256_add_epi8(low, low);
		high = _mm256_add_epi8(high, high);
	}
	literals32(window, m, lane);
}

AVX2 void
anchors_avx2(const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name)
{
	ANCHOR_LOOP(window_avx2, classify);
}

/* AVX-512 */

AVX512 void
anchors_avx512(const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name)
{
	if (n > LANES)
		anchors_avx512_wide(window, n, anchors, open_name);
	else
		anchors_by_avx512(window, n, anchors, open_name);
}

#endif
