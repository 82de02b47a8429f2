/*
 * values_select.c
 *		Values of some ranks in a list of any length, within bounded memory.
 *
 * A long list is read twice: one pass counts the values by their first 16 bits,
 * one gathers those that share these bits with a wanted value.  Where these are
 * too many, as with ties, the next 16 bits are counted among them, and so on:
 * when all bits are known, so is the value.
 */
#include "stats/select.h"
#include "stats/values.h"

#include <string.h>

#define DIGIT_BITS		16
#define DIGITS			(1 << DIGIT_BITS)
#define DIGITS_OF_WORD	(64 / DIGIT_BITS)

/* Lists up to this many words are gathered whole: counting takes longer. */
#define WHOLE_WORDS		16384

/* Buckets gathered in one pass: their numbers, from 1, fit into 16 bits. */
#define MAX_BATCH		(DIGITS - 1)

/* The values that share their first digits, and the ranks wanted of them. */
typedef struct Bucket
{
	uint64_t	prefix[2];		/* the words, zero behind the digits */
	int			n_digits;
	uint64_t	first;			/* rank of its smallest value */
	uint64_t	n;				/* values */
	size_t		rank;			/* the first of its ranks, and how many */
	size_t		n_ranks;
} Bucket;

typedef struct Selection
{
	const ValueList *list;
	const uint64_t *ranks;
	uint64_t   *answers;
	size_t		room;			/* words */
	int			width;
	void		(*tick) (void);
} Selection;

/* A pass over the list. */
typedef struct Pass
{
	const Selection *selection;
	const Bucket *bucket;		/* only its values count */
	uint64_t   *counts;			/* of the next digit */
	const uint16_t *batch;		/* number in the batch by the next digit */
	uint64_t  **to;				/* where the next word goes, by that number */
} Pass;

static void solve(Selection *selection, const Bucket *bucket);

/* A digit of a value. */
static inline uint32_t
digit_of(const uint64_t *value, int digit)
{
	return (uint32_t) (value[digit / DIGITS_OF_WORD] >> (64 - DIGIT_BITS - DIGIT_BITS * (digit % DIGITS_OF_WORD))) & (DIGITS - 1);
}

/* Does a value start with the digits of the bucket? */
static inline bool
in_bucket(const uint64_t *value, const Bucket *bucket)
{
	int			n = bucket->n_digits;

	if (n >= DIGITS_OF_WORD)
	{
		if (value[0] != bucket->prefix[0])
			return false;
		n -= DIGITS_OF_WORD;
		value++;
		return n == 0 || ((*value ^ bucket->prefix[1]) >> (64 - DIGIT_BITS * n)) == 0;
	}
	return n == 0 || ((*value ^ bucket->prefix[0]) >> (64 - DIGIT_BITS * n)) == 0;
}

/* Counts the next digit of the values of a bucket. */
static void
count_words(void *arg, const uint64_t *words, size_t n)
{
	Pass	   *pass = (Pass *) arg;
	const Bucket *bucket = pass->bucket;
	int			width = pass->selection->width;
	uint64_t   *counts = pass->counts;
	size_t		i;

	if (pass->selection->tick != NULL)
		pass->selection->tick();
	if (width == 1 && bucket->n_digits == 0)
		for (i = 0; i < n; i++)
			counts[words[i] >> (64 - DIGIT_BITS)]++;
	else
		for (i = 0; i < n; i += width)
			if (in_bucket(words + i, bucket))
				counts[digit_of(words + i, bucket->n_digits)]++;
}

/* Copies the values of a batch of buckets, each to its own place. */
static void
gather_words(void *arg, const uint64_t *words, size_t n)
{
	Pass	   *pass = (Pass *) arg;
	const Bucket *bucket = pass->bucket;
	const uint16_t *batch = pass->batch;
	int			width = pass->selection->width;
	uint16_t	number;
	size_t		i;

	if (pass->selection->tick != NULL)
		pass->selection->tick();
	if (width == 1 && bucket->n_digits == 0)
	{
		for (i = 0; i < n; i++)
			if ((number = batch[words[i] >> (64 - DIGIT_BITS)]) != 0)
				*pass->to[number]++ = words[i];
		return;
	}
	for (i = 0; i < n; i += width)
		if (in_bucket(words + i, bucket) && (number = batch[digit_of(words + i, bucket->n_digits)]) != 0)
		{
			memcpy(pass->to[number], words + i, width * sizeof(uint64_t));
			pass->to[number] += width;
		}
}

/* Copies all words. */
static void
copy_words(void *arg, const uint64_t *words, size_t n)
{
	uint64_t  **to = (uint64_t **) arg;

	memcpy(*to, words, n * sizeof(uint64_t));
	*to += n;
}

/* The answers of a bucket whose values are gathered. */
static void
answer(Selection *selection, const Bucket *bucket, uint64_t *values)
{
	int			width = selection->width;
	size_t		i;

	select_words(values, (size_t) bucket->n, width, bucket->first,
				 selection->ranks + bucket->rank, bucket->n_ranks, selection->tick);
	for (i = bucket->rank; i < bucket->rank + bucket->n_ranks; i++)
		memcpy(selection->answers + i * width, values + (selection->ranks[i] - bucket->first) * width,
			   width * sizeof(uint64_t));
}

/* The answers of a bucket in which all values are the same. */
static void
answer_same(Selection *selection, const Bucket *bucket)
{
	size_t		i;

	for (i = bucket->rank; i < bucket->rank + bucket->n_ranks; i++)
		memcpy(selection->answers + i * selection->width, bucket->prefix, selection->width * sizeof(uint64_t));
}

/* The bucket of a digit within a bucket, without its ranks. */
static Bucket
sub_bucket(const Bucket *parent, uint32_t digit, uint64_t first, uint64_t n)
{
	Bucket		bucket = *parent;
	int			word = parent->n_digits / DIGITS_OF_WORD;

	bucket.prefix[word] |= (uint64_t) digit << (64 - DIGIT_BITS - DIGIT_BITS * (parent->n_digits % DIGITS_OF_WORD));
	bucket.n_digits++;
	bucket.first = first;
	bucket.n = n;
	bucket.n_ranks = 0;
	return bucket;
}

/* Divides a bucket by its next digit; returns how many parts hold ranks. */
static size_t
divide(Selection *selection, const Bucket *parent, Bucket *parts)
{
	uint64_t   *counts = (uint64_t *) values_alloc(selection->list->context, DIGITS * sizeof(uint64_t));
	Pass		pass = {.selection = selection,.bucket = parent,.counts = counts};
	uint64_t	first = parent->first;
	size_t		rank = parent->rank;
	size_t		end = parent->rank + parent->n_ranks;
	size_t		n_parts = 0;
	uint32_t	digit;

	memset(counts, 0, DIGITS * sizeof(uint64_t));
	values_scan(selection->list, count_words, &pass);
	for (digit = 0; digit < DIGITS && rank < end; digit++)
	{
		Bucket	   *part = &parts[n_parts];

		if (selection->ranks[rank] < first + counts[digit])
		{
			*part = sub_bucket(parent, digit, first, counts[digit]);
			part->rank = rank;
			while (rank < end && selection->ranks[rank] < first + counts[digit])
				rank++;
			part->n_ranks = rank - part->rank;
			n_parts++;
		}
		first += counts[digit];
	}
	values_free(counts);
	return n_parts;
}

/* Gathers parts of a bucket in one pass, and answers them. */
static void
answer_parts(Selection *selection, const Bucket *parent, const Bucket *parts, size_t n_parts, size_t n_words)
{
	void	   *context = selection->list->context;
	uint64_t   *buffer = (uint64_t *) values_alloc(context, n_words * sizeof(uint64_t));
	uint16_t   *batch = (uint16_t *) values_alloc(context, DIGITS * sizeof(uint16_t));
	uint64_t  **to = (uint64_t **) values_alloc(context, (n_parts + 1) * sizeof(uint64_t *));
	Pass		pass = {.selection = selection,.bucket = parent,.batch = batch,.to = to};
	uint64_t   *start = buffer;
	size_t		i;

	memset(batch, 0, DIGITS * sizeof(uint16_t));
	for (i = 0; i < n_parts; i++)
	{
		batch[digit_of(parts[i].prefix, parent->n_digits)] = (uint16_t) (i + 1);
		to[i + 1] = start;
		start += parts[i].n * selection->width;
	}
	values_scan(selection->list, gather_words, &pass);
	for (i = 0, start = buffer; i < n_parts; i++)
	{
		answer(selection, &parts[i], start);
		start += parts[i].n * selection->width;
	}
	values_free(to);
	values_free(batch);
	values_free(buffer);
}

/* Finds the answers among the parts of a bucket, by as few passes as fit. */
static void
solve_parts(Selection *selection, const Bucket *parent, const Bucket *parts, size_t n_parts)
{
	size_t		i = 0;

	while (i < n_parts)
	{
		size_t		start = i;
		uint64_t	n_words = 0;

		for (; i < n_parts && i - start < MAX_BATCH; i++)
		{
			uint64_t	more = parts[i].n * selection->width;

			if (more > selection->room - n_words)
				break;
			n_words += more;
		}
		if (i > start)
			answer_parts(selection, parent, parts + start, i - start, (size_t) n_words);
		else
			solve(selection, &parts[i++]);
	}
}

/* Finds the answers in a bucket that is too large to gather. */
static void
solve(Selection *selection, const Bucket *bucket)
{
	void	   *context = selection->list->context;
	Bucket	   *parts;
	size_t		most = bucket->n_ranks < DIGITS ? bucket->n_ranks : DIGITS;

	if (bucket->n_digits == DIGITS_OF_WORD * selection->width)
	{
		answer_same(selection, bucket);
		return;
	}
	parts = (Bucket *) values_alloc(context, most * sizeof(Bucket));
	solve_parts(selection, bucket, parts, divide(selection, bucket, parts));
	values_free(parts);
}

/* See values.h. */
void
values_select(const ValueList *list, const uint64_t *ranks, size_t n_ranks,
			  uint64_t *answers, size_t room, void (*tick) (void))
{
	Selection	selection = {list, ranks, answers, room, (int) list->width, tick};
	Bucket		all = {.n = values_count(list),.n_ranks = n_ranks};
	uint64_t	n_words = all.n * list->width;

	if (n_words <= WHOLE_WORDS && n_words <= room)
	{
		uint64_t	few[64];
		uint64_t   *buffer = n_words <= 64 ? few : (uint64_t *) values_alloc(list->context, (size_t) n_words * sizeof(uint64_t));
		uint64_t   *to = buffer;

		values_scan(list, copy_words, &to);
		answer(&selection, &all, buffer);
		if (buffer != few)
			values_free(buffer);
	}
	else if (n_ranks > 0)
		solve(&selection, &all);
}
