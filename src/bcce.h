/*
 * bcce.h
 *		What the module start calls in the topics.
 */
#ifndef BCCE_H
#define BCCE_H

/* The SQL version this library was built for; install() compares the two. */
#define BCCE_VERSION "1.0"

extern void report_now_init(void);

#endif
