/*
 * compat.h
 *		The one place that looks at PG_VERSION_NUM.
 */
#ifndef BCCE_COMPAT_H
#define BCCE_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "bcce needs PostgreSQL 15 or later"
#endif

/* varatt.h was split out of postgres.h in 16. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#endif
