/*
 * sketch_window.h
 *		A sketch of a window that slides over numbers.
 *
 * Numbers leave in the order in which they came, as in the frames of window
 * functions.  What is read is what a sketch of the numbers in the window is,
 * to the byte; so the window remembers them.
 */
#ifndef BCCE_SKETCH_WINDOW_H
#define BCCE_SKETCH_WINDOW_H

#include "stats/sketch.h"

/* Places in a queue, the first of them that of the extreme number. */
typedef struct SketchQueue
{
	uint64_t   *places;			/* modulo the room of the window */
	uint64_t	first;
	uint64_t	end;
} SketchQueue;

typedef struct SketchWindow
{
	double	   *numbers;		/* by place, modulo room */
	uint64_t	first;			/* places of the numbers in the window */
	uint64_t	end;
	uint64_t	room;			/* a power of two, or 0 */
	uint64_t	n_finite;
	SketchQueue least;			/* finite ones with no smaller one behind them */
	SketchQueue most;			/* the same with no larger one */
	int			scale;			/* the finest allowed */
	Sketch		all;			/* buckets of all numbers in the window */
	Sketch		few;			/* made when so few are read that they are kept */
} SketchWindow;

extern void sketch_window_init(SketchWindow *window, void *context, int scale);
extern void sketch_window_reset(SketchWindow *window, int scale);
extern void sketch_window_add(SketchWindow *window, double value);
extern void sketch_window_remove(SketchWindow *window);
extern Sketch *sketch_window_read(SketchWindow *window);

#endif
