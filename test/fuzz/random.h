/*
 * random.h
 *		Made-up numbers, and what must hold of them, for the programs beside it.
 */
#ifndef BCCE_FUZZ_RANDOM_H
#define BCCE_FUZZ_RANDOM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t state = 88172645463325252ull;

/* xorshift: the same numbers for the same seed everywhere. */
static inline uint64_t
next_bits(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 2685821657736338717ull;
}

static inline int
next_random(int below)
{
	return (int) ((next_bits() >> 33) % (uint64_t) below);
}

/* From 0 to below 1. */
static inline double
next_share(void)
{
	return (double) (next_bits() >> 11) / 9007199254740992.0;
}

/* Stops the program, with the name of its file, unless the fact is one. */
#define require(fact, what) \
	do { \
		if (!(fact)) \
		{ \
			fprintf(stderr, "%s: %s\n", __FILE__, what); \
			abort(); \
		} \
	} while (0)

#endif
