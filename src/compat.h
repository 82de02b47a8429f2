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

/* DecodeDateTime() reports details through one more argument since 16. */
#if PG_VERSION_NUM >= 160000
#define bcce_decode_datetime(field, ftype, nf, dtype, tm, fsec, tzp) \
	DecodeDateTime(field, ftype, nf, dtype, tm, fsec, tzp, &(DateTimeErrorExtra) {0})
#else
#define bcce_decode_datetime(field, ftype, nf, dtype, tm, fsec, tzp) \
	DecodeDateTime(field, ftype, nf, dtype, tm, fsec, tzp)
#endif

/* What a check hook hands over as extra is freed by guc_free() since 16. */
#if PG_VERSION_NUM >= 160000
#define bcce_guc_malloc(size)	guc_malloc(LOG, size)
#else
#define bcce_guc_malloc(size)	malloc(size)
#endif

/* Since 17 the JSON reader can be given its working state. */
#if PG_VERSION_NUM >= 170000
#define bcce_json_lex(json, len) \
	makeJsonLexContextCstringLen(NULL, json, len, GetDatabaseEncoding(), true)
#else
#define bcce_json_lex(json, len) \
	makeJsonLexContextCstringLen(json, len, GetDatabaseEncoding(), true)
#endif

#endif
