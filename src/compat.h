/*
 * compat.h
 *		The one place that looks at PG_VERSION_NUM.
 */
#ifndef BCCE_COMPAT_H
#define BCCE_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "bcce needs PostgreSQL 15 or later"
#endif

/*
 * The library is built with hidden symbols, so that its functions cannot meet
 * those of another library in the server.  Those that the server looks up are
 * marked by its own macros since 16; before, that is done here.
 */
#if PG_VERSION_NUM < 160000 && defined(__GNUC__)
#include "fmgr.h"

#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))

#undef PG_FUNCTION_INFO_V1
#define PG_FUNCTION_INFO_V1(funcname) \
extern PGDLLEXPORT Datum funcname(PG_FUNCTION_ARGS); \
extern PGDLLEXPORT const Pg_finfo_record *CppConcat(pg_finfo_,funcname)(void); \
const Pg_finfo_record * \
CppConcat(pg_finfo_,funcname) (void) \
{ \
	static const Pg_finfo_record my_finfo = { 1 }; \
	return &my_finfo; \
} \
extern int no_such_variable
#endif

/* varatt.h was split out of postgres.h in 16. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* mul_size() is declared there in older minor releases (16.2), in palloc.h in newer ones (15.20, 17.12, 18.6). */
#include "storage/shmem.h"

/* Input functions can report errors without raising them since 16. */
#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#define bcce_ereturn(context, result, report)	ereturn(context, result, report)
#else
#define bcce_ereturn(context, result, report)	ereport(ERROR, report)
#endif

/* Intervals can be infinite since 17: 1 or -1 for those. */
#if PG_VERSION_NUM >= 170000
#define bcce_interval_infinity(span) \
	(INTERVAL_IS_NOEND(span) ? 1 : (INTERVAL_IS_NOBEGIN(span) ? -1 : 0))
#else
#define bcce_interval_infinity(span)	0
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

/* A datum of a sort can be left uncopied since 16. */
#if PG_VERSION_NUM >= 160000
#define bcce_tuplesort_getdatum(sort, datum, isnull)	tuplesort_getdatum(sort, true, false, datum, isnull, NULL)
#else
#define bcce_tuplesort_getdatum(sort, datum, isnull)	tuplesort_getdatum(sort, true, datum, isnull, NULL)
#endif

#endif
