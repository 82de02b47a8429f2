/*
 * anchors_arm.c
 *		The masks by NEON, which every AArch64 has.
 */
#if defined(__aarch64__)

#include <arm_neon.h>

#include "redact/anchors.h"

/* One bit for each byte that is not zero; bytes are 0 or 255. */
static inline uint64_t
mask16(const uint8x16_t *v)
{
	static const uint8_t places[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
	const uint8x16_t place = vld1q_u8(places);
	uint8x16_t	low = vpaddq_u8(vandq_u8(v[0], place), vandq_u8(v[1], place));
	uint8x16_t	high = vpaddq_u8(vandq_u8(v[2], place), vandq_u8(v[3], place));

	low = vpaddq_u8(low, high);
	low = vpaddq_u8(low, low);
	return vgetq_lane_u64(vreinterpretq_u64_u8(low), 0);
}

/* Bits of the tables that both halves of each byte have in common. */
static inline uint8x16_t
lookup16(uint8x16_t v, const uint8_t *low_table, const uint8_t *high_table)
{
	return vandq_u8(vqtbl1q_u8(vld1q_u8(low_table), vandq_u8(v, vdupq_n_u8(15))),
					vqtbl1q_u8(vld1q_u8(high_table), vshrq_n_u8(v, 4)));
}

/* Where a word of a set begins, in some of its buckets: lookups at neighbouring bytes. */
static inline uint64_t
literals16(const uint8_t *window, const LiteralSet *set, int n, uint8_t fold, uint8_t buckets)
{
	uint8x16_t	found[4];
	int			i;
	int			k;

	for (i = 0; i < 4; i++)
	{
		found[i] = vdupq_n_u8(buckets);
		for (k = 0; k < n; k++)
		{
			uint8x16_t	v = vorrq_u8(vld1q_u8(window + 16 * i + k), vdupq_n_u8(fold));

			found[i] = vandq_u8(found[i], lookup16(v, set->low[k], set->high[k]));
		}
		found[i] = vtstq_u8(found[i], found[i]);
	}
	return mask16(found);
}

static inline void
window_neon(const uint8_t *window, Lanes *plane, ByteMasks *m, int lane)
{
	uint8x16_t	bits[4];
	int			i;
	int			k;

	for (k = 0; k < 8; k++)
	{
		for (i = 0; i < 4; i++)
			bits[i] = vtstq_u8(vld1q_u8(window + 16 * i), vdupq_n_u8((uint8_t) (1 << k)));
		plane[k][lane] = mask16(bits);
	}
	m->secret[lane] = literals16(window, &secret_literals, 3, 0x20, 0xFF);
	m->token[lane] = literals16(window, &token_literals, 3, 0, 0xFF);
	m->context[lane] = literals16(window, &context_literals, 4, 0x20, (uint8_t) ~BRIEF_BUCKETS);
	m->brief[lane] = literals16(window, &context_literals, 4, 0x20, BRIEF_BUCKETS);
}

void
anchors_neon(const uint8_t *window, int n, Anchors *anchors, uint64_t *open_name)
{
	ANCHOR_LOOP(window_neon, classify);
}

#endif
