/*
 * redact.h
 *		What the SQL wrappers of redaction share.
 */
#ifndef BCCE_REDACT_H
#define BCCE_REDACT_H

#include "utils/jsonb.h"
#include "utils/uuid.h"

#include "redact/render.h"

/* What was replaced. */
typedef struct RedactCounts
{
	int64		kinds[REDACT_KINDS];
	int64	   *rules;			/* of REDACT_CUSTOM, by rule; NULL while there are none */
} RedactCounts;

/* One document being redacted: options, buffers that are used again. */
typedef struct Redactor
{
	RedactOptions options;
	RedactStyle style;
	RedactResult result;
	RedactNumbers numbers;
	RedactCounts *counts;		/* of what was replaced; NULL: nobody counts */
	RedactSpan	lent[8];		/* most texts have no more hits */
} Redactor;

/* redact_text.c */
extern void redactor_init(Redactor *r);
extern void redactor_count(Redactor *r, const RedactResult *result);
extern void redactor_add_counts(Redactor *r, const RedactCounts *counts);
extern bool redactor_scan(Redactor *r, const char *text, size_t len);
extern text *redactor_text(Redactor *r, const char *bytes, size_t len);
extern text *redactor_scanned(Redactor *r, const char *bytes, size_t len);
extern text *redactor_datum(Redactor *r, Datum value);
extern void redactor_arguments(Redactor *r, ArrayType *kinds, text *style);

/* redact_for.c: from then on with the rules, style and key of a tenant */
extern void redactor_use_tenant(Redactor *r, const pg_uuid_t *tenant);

/* redact_jsonb.c */
extern text *redactor_numeric(Redactor *r, Numeric number);
extern Jsonb *redactor_jsonb(Redactor *r, Jsonb *document, bool keys_too);

/* redact_jsonb_keys.c */
extern Jsonb *redactor_jsonb_keys(Redactor *r, Jsonb *document);

#endif
