/*
 * anchors_avx512.h
 *		Windows by AVX-512: a product of bit matrices turns bytes into planes, a
 *		shuffle looks up six bits of a byte, and tests give masks of 64 bits.
 */
#ifndef BCCE_REDACT_ANCHORS_AVX512_H
#define BCCE_REDACT_ANCHORS_AVX512_H

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,gfni,bmi,bmi2")))

/* Quadword k of the answer has bit k of every byte. */
AVX512 static inline __m512i
planes64(__m512i v)
{
	const __m512i reversed = _mm512_set_epi8(56, 57, 58, 59, 60, 61, 62, 63, 48, 49, 50, 51, 52, 53, 54, 55,
											 40, 41, 42, 43, 44, 45, 46, 47, 32, 33, 34, 35, 36, 37, 38, 39,
											 24, 25, 26, 27, 28, 29, 30, 31, 16, 17, 18, 19, 20, 21, 22, 23,
											 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
	const __m512i gathered = _mm512_set_epi8(63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6,
											 61, 53, 45, 37, 29, 21, 13, 5, 60, 52, 44, 36, 28, 20, 12, 4,
											 59, 51, 43, 35, 27, 19, 11, 3, 58, 50, 42, 34, 26, 18, 10, 2,
											 57, 49, 41, 33, 25, 17, 9, 1, 56, 48, 40, 32, 24, 16, 8, 0);

	/* Eight bytes are a matrix of bits, with its last row first: transposed by multiplying one with it. */
	v = _mm512_shuffle_epi8(v, reversed);
	v = _mm512_gf2p8affine_epi64_epi8(_mm512_set1_epi64((long long) 0x8040201008040201), v, 0);
	return _mm512_permutexvar_epi8(gathered, v);
}

/* The planes of four windows, two in each vector: 0 and 2, 4 and 6, 1 and 3, 5 and 7. */
AVX512 static inline void
pair_planes(const __m512i *window, __m512i *pair)
{
	const __m512i low = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0);
	const __m512i high = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
	__m512i		even01 = _mm512_unpacklo_epi64(window[0], window[1]);
	__m512i		even23 = _mm512_unpacklo_epi64(window[2], window[3]);
	__m512i		odd01 = _mm512_unpackhi_epi64(window[0], window[1]);
	__m512i		odd23 = _mm512_unpackhi_epi64(window[2], window[3]);

	pair[0] = _mm512_permutex2var_epi64(even01, low, even23);
	pair[1] = _mm512_permutex2var_epi64(even01, high, even23);
	pair[2] = _mm512_permutex2var_epi64(odd01, low, odd23);
	pair[3] = _mm512_permutex2var_epi64(odd01, high, odd23);
}

/* The planes of all lanes. */
AVX512 static inline void
set_planes(const __m512i *window, Lanes *plane)
{
	__m512i		pair[LANES];
	int			i;

	pair_planes(window, pair);
#if LANES == 8
	pair_planes(window + 4, pair + 4);
#endif
#pragma GCC unroll 4
	for (i = 0; i < 4; i++)
	{
		int			k = i < 2 ? 4 * i : 4 * i - 7;

#if LANES == 8
		plane[k] = (Lanes) _mm512_shuffle_i64x2(pair[i], pair[i + 4], 0x44);
		plane[k + 2] = (Lanes) _mm512_shuffle_i64x2(pair[i], pair[i + 4], 0xEE);
#else
		plane[k] = (Lanes) _mm512_castsi512_si256(pair[i]);
		plane[k + 2] = (Lanes) _mm512_extracti64x4_epi64(pair[i], 1);
#endif
	}
}

/* Buckets of a set for one letter of its words. */
AVX512 static inline __m512i
buckets64(__m512i v, const LiteralSet *set, int k)
{
	return _mm512_permutexvar_epi8(v, _mm512_loadu_si512(set->six[k]));
}

/* Sets the words of one window. */
AVX512 static inline void
words64(const uint8_t *window, ByteMasks *m, int lane)
{
	__m512i		v0 = _mm512_loadu_si512(window);
	__m512i		v1 = _mm512_loadu_si512(window + 1);
	__m512i		v2 = _mm512_loadu_si512(window + 2);
	__m512i		v3 = _mm512_loadu_si512(window + 3);
	__m512i		secret = buckets64(v0, &secret_literals, 0) & buckets64(v1, &secret_literals, 1) &
		buckets64(v2, &secret_literals, 2);
	__m512i		token = buckets64(v0, &token_literals, 0) & buckets64(v1, &token_literals, 1) &
		buckets64(v2, &token_literals, 2);
	__m512i		context = buckets64(v0, &context_literals, 0) & buckets64(v1, &context_literals, 1) &
		buckets64(v2, &context_literals, 2) & buckets64(v3, &context_literals, 3);

	m->secret[lane] = _mm512_test_epi8_mask(secret, secret);
	m->token[lane] = _mm512_test_epi8_mask(token, token);
	m->context[lane] = _mm512_test_epi8_mask(context, _mm512_set1_epi8((char) ~BRIEF_BUCKETS));
	m->brief[lane] = _mm512_test_epi8_mask(context, _mm512_set1_epi8((char) BRIEF_BUCKETS));
}

/* The body of an AnchorFunction; lanes without a window are worked on and not read. */
AVX512 static inline void
anchors_by_avx512(const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name)
{
	while (n > 0)
	{
		__m512i		planes[LANES];
		Lanes		plane[8];
		ByteMasks	m;
		int			lanes = n < LANES ? n : LANES;
		int			lane;

		for (lane = 0; lane < lanes; lane++)
		{
			planes[lane] = planes64(_mm512_loadu_si512(window + lane * WINDOW));
			words64(window + lane * WINDOW, &m, lane);
		}
		for (; lane < LANES; lane++)
			planes[lane] = _mm512_setzero_si512();
		set_planes(planes, plane);
		classify(plane, &m);
		combine_masks(&m, lanes, anchors, open_name);
		n -= lanes;
		window += lanes * WINDOW;
		anchors += lanes;
	}
}

#endif
