/*
 * sketch_type.h
 *		Sketches as values of the type bcce.sketch.
 */
#ifndef BCCE_SKETCH_TYPE_H
#define BCCE_SKETCH_TYPE_H

#include "utils/array.h"

#include "stats/sketch.h"

/* Turns a percentile into a value of the type that is asked for. */
typedef Datum (*PercentileDatum) (double value);

extern void sketch_of_datum(Sketch *sketch, Datum datum);
extern Datum sketch_get_datum(Sketch *sketch);
extern void sketch_check_percentile(double q);
extern void sketch_check_percentiles(ArrayType *qs);
extern Datum sketch_percentiles(Sketch *sketch, ArrayType *qs, Oid type, PercentileDatum convert);

#endif
