/*
 * bcce.h
 *		What the topics share with the module start and with each other.
 */
#ifndef BCCE_H
#define BCCE_H

/* The SQL version this library was built for. */
#define BCCE_VERSION "1.0"

extern void report_now_init(void);
extern void context_settings_init(void);
extern void warn_of_other_version(void);

#endif
