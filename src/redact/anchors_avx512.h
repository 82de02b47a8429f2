/*
 * anchors_avx512.h
 *		One window by AVX-512: tests give masks of 64 bits at once, and a shuffle
 *		looks up six bits of a byte.
 */
#ifndef BCCE_REDACT_ANCHORS_AVX512_H
#define BCCE_REDACT_ANCHORS_AVX512_H

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,bmi,bmi2")))

/* Buckets of a set for one letter of its words. */
AVX512 static inline __m512i
buckets64(__m512i v, const LiteralSet *set, int k)
{
	return _mm512_permutexvar_epi8(v, _mm512_loadu_si512(set->six[k]));
}

AVX512 static inline void
window_avx512(const uint8_t *window, Lanes *plane, ByteMasks *m, int lane)
{
	__m512i		v = _mm512_loadu_si512(window);
	__m512i		secret = buckets64(v, &secret_literals, 0);
	__m512i		token = buckets64(v, &token_literals, 0);
	__m512i		context = buckets64(v, &context_literals, 0);
	int			k;

	for (k = 7; k >= 0; k--)
	{
		plane[k][lane] = _mm512_movepi8_mask(v);
		v = _mm512_add_epi8(v, v);
	}
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

#endif
