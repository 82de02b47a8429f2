/*
 * anchors_wide.c
 *		The masks by AVX-512 for long texts: eight windows side by side, where four
 *		would leave half of a vector empty.
 */
#if defined(__x86_64__) && defined(__GNUC__)

#define LANES	8

#include <immintrin.h>
#include <string.h>

#include "redact/anchors.h"
#include "redact/anchors_avx512.h"

AVX512 void
anchors_avx512_wide(const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name)
{
	anchors_by_avx512(window, n, anchors, open_name);
}

#endif
