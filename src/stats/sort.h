/*
 * sort.h
 *		Words of 64 bits sorted in place, without a server underneath.
 *
 * By their highest byte, then each bucket by the next ("American flag sort":
 * McIlroy, Bostic and McIlroy 1993): at most eight passes over a key, whatever
 * the data, and no memory but the stack.
 */
#ifndef BCCE_SORT_H
#define BCCE_SORT_H

#include <stddef.h>
#include <stdint.h>

/* Called about once a millisecond, to let the caller stop. */
typedef void (*SortTick) (void);

extern void sort_words(uint64_t *keys, size_t n, SortTick tick);

#endif
