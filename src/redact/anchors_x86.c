/*
 * anchors_x86.c
 *		The masks by SSE2, which every x86-64 has, and by AVX2.
 */
#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>
#include <string.h>

#include "redact/anchors.h"

/* SSE2 */

#define EACH16(expression) \
	do { int part; for (part = 0; part < 4; part++) { \
		__m128i v = vec[part]; (void) v; \
		mask |= (uint64_t) (uint32_t) _mm_movemask_epi8(expression) << (16 * part); } } while (0)

/* Bytes equal to one. */
static inline uint64_t
equal16(const __m128i *vec, char c)
{
	uint64_t	mask = 0;

	EACH16(_mm_cmpeq_epi8(v, _mm_set1_epi8(c)));
	return mask;
}

/* Bytes from first to first + count. */
static inline uint64_t
range16(const __m128i *vec, char first, char count)
{
	uint64_t	mask = 0;

	EACH16(_mm_cmpeq_epi8(_mm_min_epu8(_mm_sub_epi8(v, _mm_set1_epi8(first)), _mm_set1_epi8(count)),
						  _mm_sub_epi8(v, _mm_set1_epi8(first))));
	return mask;
}

/* Without a shuffle of bytes the words are looked up where letters stand. */
static inline void
literals16(const uint8_t *window, ByteMasks *m, int lane)
{
	uint64_t	letters;

	m->secret[lane] = m->token[lane] = m->context[lane] = m->brief[lane] = 0;
	for (letters = m->letter[lane]; letters; letters &= letters - 1)
	{
		int			i = __builtin_ctzll(letters);

		literals_of(window + i, m, lane, i);
	}
}

static inline void
window_sse2(const uint8_t *window, ByteMasks *m, int lane)
{
	__m128i		vec[4];
	__m128i		folded[4];
	const char *c;
	int			i;

	for (i = 0; i < 4; i++)
	{
		vec[i] = _mm_loadu_si128((const __m128i *) (window + 16 * i));
		folded[i] = _mm_or_si128(vec[i], _mm_set1_epi8(0x20));
	}
	m->digit[lane] = range16(vec, '0', 9);
	m->letter[lane] = range16(folded, 'a', 25);
	m->upper[lane] = range16(vec, 'A', 25);
	m->hex_letter[lane] = range16(folded, 'a', 5);
	m->at[lane] = equal16(vec, '@');
	m->colon[lane] = equal16(vec, ':');
	m->dash[lane] = equal16(vec, '-');
	m->dot[lane] = equal16(vec, '.');
	m->space[lane] = equal16(vec, ' ');
	m->bracket[lane] = range16(vec, '(', 1);
	m->plus[lane] = equal16(vec, '+');
	m->path[lane] = equal16(vec, '/') | m->plus[lane] | equal16(vec, '~');
	m->zero[lane] = equal16(vec, '0');
	m->letter_c[lane] = equal16(folded, 'c');
	m->letter_n[lane] = equal16(folded, 'n');
	m->underscore[lane] = equal16(vec, '_');
	m->escape[lane] = equal16(vec, '%') | equal16(vec, '\\');
	m->after[lane] = m->space[lane] | m->colon[lane];
	for (c = "\t\n!\"'()+,=>?[\\]`|"; *c; c++)
		m->after[lane] |= equal16(vec, *c);
	literals16(window, m, lane);
}

void
anchors_sse2(const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name)
{
	ANCHOR_LOOP(window_sse2);
}

/* AVX2 */

#define AVX2 __attribute__((target("avx2,bmi,bmi2")))

AVX2 static inline uint64_t
mask32(__m256i low, __m256i high)
{
	return (uint32_t) _mm256_movemask_epi8(low) |
		(uint64_t) (uint32_t) _mm256_movemask_epi8(high) << 32;
}

AVX2 static inline uint64_t
equal32(const __m256i *vec, char c)
{
	__m256i		wanted = _mm256_set1_epi8(c);

	return mask32(_mm256_cmpeq_epi8(vec[0], wanted), _mm256_cmpeq_epi8(vec[1], wanted));
}

AVX2 static inline __m256i
in_range32(__m256i v, char first, char count)
{
	__m256i		from_first = _mm256_sub_epi8(v, _mm256_set1_epi8(first));

	return _mm256_cmpeq_epi8(_mm256_min_epu8(from_first, _mm256_set1_epi8(count)), from_first);
}

AVX2 static inline uint64_t
range32(const __m256i *vec, char first, char count)
{
	return mask32(in_range32(vec[0], first, count), in_range32(vec[1], first, count));
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
window_avx2(const uint8_t *window, ByteMasks *m, int lane)
{
	const __m256i nibble = _mm256_set1_epi8(0x0F);
	__m256i		vec[2];
	__m256i		folded[2];
	__m256i		after[2];
	int			i;

	for (i = 0; i < 2; i++)
	{
		vec[i] = _mm256_loadu_si256((const __m256i *) (window + 32 * i));
		folded[i] = _mm256_or_si256(vec[i], _mm256_set1_epi8(0x20));
		after[i] = lookup32(_mm256_and_si256(vec[i], nibble),
							_mm256_and_si256(_mm256_srli_epi16(vec[i], 4), nibble),
							after_low, after_high);
	}
	m->digit[lane] = range32(vec, '0', 9);
	m->letter[lane] = range32(folded, 'a', 25);
	m->upper[lane] = range32(vec, 'A', 25);
	m->hex_letter[lane] = range32(folded, 'a', 5);
	m->at[lane] = equal32(vec, '@');
	m->colon[lane] = equal32(vec, ':');
	m->dash[lane] = equal32(vec, '-');
	m->dot[lane] = equal32(vec, '.');
	m->space[lane] = equal32(vec, ' ');
	m->bracket[lane] = range32(vec, '(', 1);
	m->plus[lane] = equal32(vec, '+');
	m->path[lane] = equal32(vec, '/') | m->plus[lane] | equal32(vec, '~');
	m->zero[lane] = equal32(vec, '0');
	m->letter_c[lane] = equal32(folded, 'c');
	m->letter_n[lane] = equal32(folded, 'n');
	m->underscore[lane] = equal32(vec, '_');
	m->escape[lane] = equal32(vec, '%') | equal32(vec, '\\');
	m->after[lane] = set32(after[0], after[1]);
	literals32(window, m, lane);
}

AVX2 void
anchors_avx2(const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name)
{
	ANCHOR_LOOP(window_avx2);
}

/* AVX-512: comparisons give masks of 64 bits at once, and a shuffle looks up six bits of a byte. */

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,bmi,bmi2")))

AVX512 static inline uint64_t
equal64(__m512i v, char c)
{
	return _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(c));
}

AVX512 static inline uint64_t
range64(__m512i v, char first, char count)
{
	return _mm512_cmple_epu8_mask(_mm512_sub_epi8(v, _mm512_set1_epi8(first)), _mm512_set1_epi8(count));
}

AVX512 static inline __m512i
lookup64(__m512i low, __m512i high, const uint8_t *low_table, const uint8_t *high_table)
{
	__m512i		l = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *) low_table));
	__m512i		h = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *) high_table));

	return _mm512_and_si512(_mm512_shuffle_epi8(l, low), _mm512_shuffle_epi8(h, high));
}

/* Buckets of a set for one letter of its words. */
AVX512 static inline __m512i
buckets64(__m512i v, const LiteralSet *set, int k)
{
	return _mm512_permutexvar_epi8(v, _mm512_loadu_si512(set->six[k]));
}

AVX512 static inline void
literals64(const uint8_t *window, ByteMasks *m, int lane)
{
	__m512i		v = _mm512_loadu_si512(window);
	__m512i		secret = buckets64(v, &secret_literals, 0);
	__m512i		token = buckets64(v, &token_literals, 0);
	__m512i		context = buckets64(v, &context_literals, 0);
	int			k;

	for (k = 1; k < 3; k++)
	{
		v = _mm512_loadu_si512(window + k);
		secret = _mm512_and_si512(secret, buckets64(v, &secret_literals, k));
		token = _mm512_and_si512(token, buckets64(v, &token_literals, k));
		context = _mm512_and_si512(context, buckets64(v, &context_literals, k));
	}
	v = _mm512_loadu_si512(window + 3);
	context = _mm512_and_si512(context, buckets64(v, &context_literals, 3));
	m->secret[lane] = _mm512_test_epi8_mask(secret, secret);
	m->token[lane] = _mm512_test_epi8_mask(token, token);
	m->context[lane] = _mm512_test_epi8_mask(context, _mm512_set1_epi8((char) ~BRIEF_BUCKETS));
	m->brief[lane] = _mm512_test_epi8_mask(context, _mm512_set1_epi8((char) BRIEF_BUCKETS));
}

AVX512 static inline void
window_avx512(const uint8_t *window, ByteMasks *m, int lane)
{
	const __m512i nibble = _mm512_set1_epi8(0x0F);
	__m512i		v = _mm512_loadu_si512(window);
	__m512i		folded = _mm512_or_si512(v, _mm512_set1_epi8(0x20));
	__m512i		after = lookup64(_mm512_and_si512(v, nibble),
								 _mm512_and_si512(_mm512_srli_epi16(v, 4), nibble),
								 after_low, after_high);

	m->digit[lane] = range64(v, '0', 9);
	m->letter[lane] = range64(folded, 'a', 25);
	m->upper[lane] = range64(v, 'A', 25);
	m->hex_letter[lane] = range64(folded, 'a', 5);
	m->at[lane] = equal64(v, '@');
	m->colon[lane] = equal64(v, ':');
	m->dash[lane] = equal64(v, '-');
	m->dot[lane] = equal64(v, '.');
	m->space[lane] = equal64(v, ' ');
	m->bracket[lane] = range64(v, '(', 1);
	m->plus[lane] = equal64(v, '+');
	m->path[lane] = equal64(v, '/') | m->plus[lane] | equal64(v, '~');
	m->zero[lane] = equal64(v, '0');
	m->underscore[lane] = equal64(v, '_');
	m->escape[lane] = equal64(v, '%') | equal64(v, '\\');
	m->letter_c[lane] = equal64(folded, 'c');
	m->letter_n[lane] = equal64(folded, 'n');
	m->after[lane] = _mm512_test_epi8_mask(after, after);
	literals64(window, m, lane);
}

AVX512 void
anchors_avx512(const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name)
{
	ANCHOR_LOOP(window_avx512);
}

#endif
