/*
 * sketch_window.c
 *		A sketch of a window that slides over numbers.
 *
 * Counts and the sum can be taken back exactly.  Three things cannot: the
 * smallest and the largest number, for which there are queues of those that may
 * become it; up to 32 numbers as they are; and the scale that was lowered for
 * numbers that have left.  The last means to count the window anew, which
 * happens when its numbers come to span less than 64 octaves.
 */
#include "stats/sketch_window.h"

#include <math.h>
#include <string.h>

#include "stats/sketch_index.h"

/* Numbers for which there is room at first. */
#define FIRST_ROOM	64

/* An empty window. */
void
sketch_window_init(SketchWindow *window, void *context, int scale)
{
	memset(window, 0, sizeof(SketchWindow));
	sketch_init(&window->all, context, scale);
	sketch_init(&window->few, context, scale);
	window->scale = scale;
	sketch_to_buckets(&window->all);
}

/* Empties a window, perhaps for another scale. */
void
sketch_window_reset(SketchWindow *window, int scale)
{
	window->first = window->end;
	window->least.first = window->least.end;
	window->most.first = window->most.end;
	window->n_finite = 0;
	window->scale = scale;
	sketch_reset(&window->all);
	window->all.scale = (int16_t) scale;
	sketch_to_buckets(&window->all);
}

/* Moves places to twice the room. */
static uint64_t *
move_places(const SketchWindow *window, const SketchQueue *queue)
{
	uint64_t   *places = (uint64_t *) sketch_alloc(window->all.context, 2 * window->room * sizeof(uint64_t));
	uint64_t	i;

	for (i = queue->first; i < queue->end; i++)
		places[i & (2 * window->room - 1)] = queue->places[i & (window->room - 1)];
	sketch_free(queue->places);
	return places;
}

/* Makes room for one more number. */
static void
grow_window(SketchWindow *window)
{
	double	   *numbers;
	uint64_t	i;

	if (window->room == 0)
	{
		window->room = FIRST_ROOM;
		window->numbers = (double *) sketch_alloc(window->all.context, FIRST_ROOM * sizeof(double));
		window->least.places = (uint64_t *) sketch_alloc(window->all.context, FIRST_ROOM * sizeof(uint64_t));
		window->most.places = (uint64_t *) sketch_alloc(window->all.context, FIRST_ROOM * sizeof(uint64_t));
		return;
	}
	numbers = (double *) sketch_alloc(window->all.context, 2 * window->room * sizeof(double));
	for (i = window->first; i < window->end; i++)
		numbers[i & (2 * window->room - 1)] = window->numbers[i & (window->room - 1)];
	sketch_free(window->numbers);
	window->numbers = numbers;
	window->least.places = move_places(window, &window->least);
	window->most.places = move_places(window, &window->most);
	window->room *= 2;
}

/* The number at a place. */
static inline double
number_at(const SketchWindow *window, uint64_t place)
{
	return window->numbers[place & (window->room - 1)];
}

/* Lets a place join a queue, ahead of which no number stays that it outdoes. */
static inline void
join_queue(const SketchWindow *window, SketchQueue *queue, uint64_t place, double sign)
{
	double		value = sign * number_at(window, place);

	while (queue->end > queue->first &&
		   sign * number_at(window, queue->places[(queue->end - 1) & (window->room - 1)]) >= value)
		queue->end--;
	queue->places[queue->end++ & (window->room - 1)] = place;
}

/* Adds a number at the end. */
void
sketch_window_add(SketchWindow *window, double value)
{
	if (window->end - window->first == window->room)
		grow_window(window);
	window->numbers[window->end & (window->room - 1)] = value;
	sketch_add(&window->all, value);
	if (!isnan(value) && !isinf(value))
	{
		join_queue(window, &window->least, window->end, 1);
		join_queue(window, &window->most, window->end, -1);
		window->n_finite++;
	}
	window->end++;
}

/* Takes a finite number out of the buckets. */
static void
uncount(SketchWindow *window, double value)
{
	Sketch	   *all = &window->all;
	uint64_t	bits;

	/* the first number waits to be counted only if all do */
	if (window->n_finite <= (uint64_t) all->n_values)
		sketch_settle(all);
	value = -(value + 0.0);
	memcpy(&bits, &value, sizeof(bits));
	sketch_sum_add(&all->buckets->sum, bits);
	if (value == 0)
		all->buckets->n_zero--;
	else
	{
		SketchStore *store = value < 0 ? &all->buckets->positive : &all->buckets->negative;
		int32_t		place = sketch_bucket(fabs(value), all->scale) - store->first;

		if (sketch_recent(store)[place] > 0)
			sketch_recent(store)[place]--;
		else
			store->counts[place]--;
	}
}

/* Takes out the number at the front; there is one. */
void
sketch_window_remove(SketchWindow *window)
{
	double		value = number_at(window, window->first);

	if (isnan(value))
		window->all.odd->n_nan--;
	else if (isinf(value))
		*(value > 0 ? &window->all.odd->n_pos_inf : &window->all.odd->n_neg_inf) -= 1;
	else
	{
		uncount(window, value);
		window->n_finite--;
		if (window->least.places[window->least.first & (window->room - 1)] == window->first)
			window->least.first++;
		if (window->most.places[window->most.first & (window->room - 1)] == window->first)
			window->most.first++;
	}
	window->first++;
}

/* Do the buckets of a store perhaps fit at the next finer scale? */
static bool
may_be_finer(const SketchStore *store)
{
	int32_t		first;
	int32_t		last;

	return !sketch_range(store, &first, &last) || 2 * (last - first) - 1 < SKETCH_MAX_BUCKETS;
}

/* Counts the window anew, at the finest scale that it allows. */
static void
recount(SketchWindow *window)
{
	SketchOdd	odd = sketch_odd(&window->all);
	uint64_t	i;

	sketch_reset(&window->all);
	window->all.scale = (int16_t) window->scale;
	sketch_to_buckets(&window->all);
	*sketch_make_odd(&window->all) = odd;
	for (i = window->first; i < window->end; i++)
	{
		double		value = number_at(window, i);

		if ((i & 0xffff) == 0)
			sketch_pause();
		if (!isnan(value) && !isinf(value))
			sketch_add(&window->all, value);
	}
	sketch_settle(&window->all);
}

/* The few numbers of the window, as they are. */
static Sketch *
read_few(SketchWindow *window)
{
	uint64_t	i;

	sketch_reset(&window->few);
	window->few.scale = (int16_t) window->scale;
	*sketch_make_odd(&window->few) = sketch_odd(&window->all);
	for (i = window->first; i < window->end; i++)
	{
		double		value = number_at(window, i);

		if ((i & 0xffff) == 0)
			sketch_pause();
		if (!isnan(value) && !isinf(value))
			sketch_add(&window->few, value);
	}
	return &window->few;
}

/* The sketch of the numbers in the window, to be read before that slides on. */
Sketch *
sketch_window_read(SketchWindow *window)
{
	Sketch	   *all = &window->all;

	if (window->n_finite <= SKETCH_MAX_VALUES)
		return read_few(window);
	sketch_settle(all);
	if (all->scale < window->scale && may_be_finer(&all->buckets->positive) && may_be_finer(&all->buckets->negative))
		recount(window);
	all->buckets->min = number_at(window, window->least.places[window->least.first & (window->room - 1)]) + 0.0;
	all->buckets->max = number_at(window, window->most.places[window->most.first & (window->room - 1)]) + 0.0;
	return all;
}
