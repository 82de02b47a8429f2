/*
 * redact_text.c
 *		SQL entry points for text: redact, find_pii, contains_pii.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "compat.h"
#include "error.h"
#include "redact/redact.h"
#include "redact/rules.h"

static void
check_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

/* Allocates for the scanner in the current memory context. */
static void *
resize(void *old, size_t size)
{
	if (!AllocSizeIsValid(size) && size > MaxAllocHugeSize)
		return NULL;
	return old ? repalloc_huge(old, size) : MemoryContextAllocHuge(CurrentMemoryContext, size);
}

/* All kinds, style tag. */
void
redactor_init(Redactor *r)
{
	memset(r, 0, offsetof(Redactor, lent));
	r->result.spans = r->result.lent = r->lent;
	r->result.room = lengthof(r->lent);
	r->options.kinds = REDACT_DEFAULT_KINDS;
	r->options.interrupt = check_interrupts;
	r->options.resize = resize;
	r->numbers.resize = resize;
}

/* Scans; true when there is a hit. */
bool
redactor_scan(Redactor *r, const char *text, size_t len)
{
	if (!redact_scan(text, len, &r->options, &r->result))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 bcce_hide_input()));
	return r->result.count > 0;
}

/* Notes what is about to be replaced, for whoever keeps statistics. */
void
redactor_count(Redactor *r, const RedactResult *result)
{
	RedactCounts *counts = r->counts;
	size_t		i;

	for (i = 0; counts != NULL && i < result->count; i++)
	{
		const RedactSpan *span = &result->spans[i];

		counts->kinds[span->kind]++;
		if (span->kind != REDACT_CUSTOM)
			continue;
		if (counts->rules == NULL)
			counts->rules = palloc0(r->options.rules->count * sizeof(int64));
		counts->rules[span->rule]++;
	}
}

/* Adds what was counted apart. */
void
redactor_add_counts(Redactor *r, const RedactCounts *counts)
{
	int			i;

	for (i = 0; i < REDACT_KINDS; i++)
		r->counts->kinds[i] += counts->kinds[i];
	if (counts->rules == NULL)
		return;
	if (r->counts->rules == NULL)
		r->counts->rules = palloc0(r->options.rules->count * sizeof(int64));
	for (i = 0; i < r->options.rules->count; i++)
		r->counts->rules[i] += counts->rules[i];
}

/* Writes one text with the hits of the last scan replaced. */
static text *
render(Redactor *r, const char *bytes, size_t len)
{
	size_t		bound = redact_rendered_bound(len, &r->result) + VARHDRSZ;
	text	   *out;

	if (!AllocHugeSizeIsValid(bound))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("text is too long to be redacted"),
				 bcce_hide_input()));
	out = MemoryContextAllocHuge(CurrentMemoryContext, bound);
	len = redact_render(bytes, len, &r->result, r->style, &r->numbers, VARDATA(out));
	redactor_count(r, &r->result);
	if (!AllocSizeIsValid(len + VARHDRSZ))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("redacted text would be too long"),
				 errdetail("It would have %zu bytes.", len),
				 bcce_hide_input()));
	SET_VARSIZE(out, len + VARHDRSZ);
	return out;
}

/*
 * The redacted text, or NULL when nothing was found.  What a hit hid from a
 * detector can come to light once a tag stands there; where hits touch other
 * text directly the result is therefore scanned again, so that redacting it
 * later finds nothing more.
 */
text *
redactor_text(Redactor *r, const char *bytes, size_t len)
{
	return redactor_scan(r, bytes, len) ? redactor_scanned(r, bytes, len) : NULL;
}

/* The same for a text whose hits the last scan left in the result. */
text *
redactor_scanned(Redactor *r, const char *bytes, size_t len)
{
	text	   *out;
	bool		settled;
	int			pass = 0;

	do
	{
		/* A rule may look across a tag. */
		settled = r->options.rules == NULL &&
			redact_is_settled(bytes, len, &r->result, r->style, r->options.kinds);
		out = render(r, bytes, len);
		bytes = VARDATA(out);
		len = VARSIZE(out) - VARHDRSZ;
	} while (!settled && ++pass < REDACT_PASSES && redactor_scan(r, bytes, len));
	return out;
}

/* The same for a text value that may be toasted; NULL: use the old value. */
text *
redactor_datum(Redactor *r, Datum value)
{
	text	   *in = DatumGetTextPP(value);
	text	   *out = redactor_text(r, VARDATA_ANY(in), VARSIZE_ANY_EXHDR(in));

	if (out == NULL && (Pointer) in != DatumGetPointer(value))
		pfree(in);
	return out;
}

/* "email, phone, ...": the words a caller may use. */
static char *
word_list(const char *const *words, int n)
{
	StringInfoData list;
	int			i;

	initStringInfo(&list);
	for (i = 0; i < n; i++)
		appendStringInfo(&list, "%s%s", i ? ", " : "", words[i]);
	return list.data;
}

/* Position of a word among the known ones, -1 if it is not there. */
static int
word_index(const text *word, const char *const *words, int n)
{
	int			i;

	for (i = 0; i < n; i++)
		if (VARSIZE_ANY_EXHDR(word) == strlen(words[i]) &&
			memcmp(VARDATA_ANY(word), words[i], strlen(words[i])) == 0)
			return i;
	return -1;
}

/* Words for sets of kinds, and what else an array of kinds may hold. */
static const char *const set_name[] = {"default", "all"};

/* The bit set of one element of an array of the first known kinds; 0 when it is unknown. */
static uint32
kinds_named(const text *word, int known)
{
	int			kind = word_index(word, redact_kind_name, known);

	if (kind >= 0)
		return 1u << kind;
	switch (word_index(word, set_name, lengthof(set_name)))
	{
		case 0:
			return REDACT_DEFAULT_KINDS;
		case 1:
			return REDACT_EVERY_KIND;
		default:
			return 0;
	}
}

/* The bit set of an array of names; NULL means all kinds but the packs. */
static uint32
read_kinds(Redactor *r, ArrayType *array, int known)
{
	Datum	   *items;
	bool	   *nulls;
	int			n;
	int			i;
	uint32		kinds = 0;

	if (array == NULL)
		return r->options.kinds;
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &items, &nulls, &n);
	for (i = 0; i < n; i++)
	{
		uint32		named = nulls[i] ? 0 : kinds_named(DatumGetTextPP(items[i]), known);

		if (named == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unknown kind of personal data"),
					 errdetail("It is element %d of the array.", i + 1),
					 errhint("Known kinds: %s; default stands for all but national_id and crypto_wallet, all for all.",
							 word_list(redact_kind_name, known)),
					 bcce_hide_input()));
		kinds |= named;
	}
	return kinds;
}

/*
 * Reads the arguments kinds and style, each may be NULL for the default.  Rules
 * and keyed names are a tenant's: without one there are no such words.
 */
void
redactor_arguments(Redactor *r, ArrayType *kinds, text *style)
{
	bool		has_tenant = r->numbers.key != NULL;
	int			styles = has_tenant ? STYLES : STYLE_HASH;
	int			index = style ? word_index(style, redact_style_name, styles) : (int) r->style;

	r->options.kinds = read_kinds(r, kinds, has_tenant ? REDACT_KINDS : REDACT_CUSTOM);
	if (index < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown style of redaction"),
				 errhint("Known styles: %s.", word_list(redact_style_name, styles)),
				 bcce_hide_input()));
	r->style = (RedactStyle) index;
}

PG_FUNCTION_INFO_V1(redact_text);

/* redact(text) */
Datum
redact_text(PG_FUNCTION_ARGS)
{
	Redactor	r;
	text	   *out;

	redactor_init(&r);
	out = redactor_datum(&r, PG_GETARG_DATUM(0));
	PG_RETURN_DATUM(out ? PointerGetDatum(out) : PG_GETARG_DATUM(0));
}

PG_FUNCTION_INFO_V1(redact_text_as);

/* redact(text, kinds text[], style text) */
Datum
redact_text_as(PG_FUNCTION_ARGS)
{
	Redactor	r;
	text	   *out;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	redactor_init(&r);
	redactor_arguments(&r, PG_ARGISNULL(1) ? NULL : PG_GETARG_ARRAYTYPE_P(1),
					   PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2));
	out = redactor_datum(&r, PG_GETARG_DATUM(0));
	PG_RETURN_DATUM(out ? PointerGetDatum(out) : PG_GETARG_DATUM(0));
}

PG_FUNCTION_INFO_V1(contains_pii);

/* contains_pii(text): stops at the first hit. */
Datum
contains_pii(PG_FUNCTION_ARGS)
{
	text	   *in = PG_GETARG_TEXT_PP(0);
	Redactor	r;

	redactor_init(&r);
	r.options.first_only = true;
	PG_RETURN_BOOL(redactor_scan(&r, VARDATA_ANY(in), VARSIZE_ANY_EXHDR(in)));
}

PG_FUNCTION_INFO_V1(find_pii);

/* find_pii(text [, kinds]): where, in characters from 1 as substr() counts. */
Datum
find_pii(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	text	   *in;
	const char *bytes;
	size_t		counted = 0;
	int			characters = 0;
	Redactor	r;
	size_t		i;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	in = PG_GETARG_TEXT_PP(0);
	bytes = VARDATA_ANY(in);
	redactor_init(&r);
	if (PG_NARGS() > 1 && !PG_ARGISNULL(1))
		redactor_arguments(&r, PG_GETARG_ARRAYTYPE_P(1), NULL);
	redactor_scan(&r, bytes, VARSIZE_ANY_EXHDR(in));
	for (i = 0; i < r.result.count; i++)
	{
		const RedactSpan *span = &r.result.spans[i];
		Datum		values[5];
		bool		nulls[5] = {false};

		characters += pg_mbstrlen_with_len(bytes + counted, span->start - counted);
		counted = span->start;
		values[0] = CStringGetTextDatum(redact_kind_name[span->kind]);
		nulls[1] = span->subtype == NULL;
		values[1] = nulls[1] ? (Datum) 0 : CStringGetTextDatum(span->subtype);
		values[2] = Int32GetDatum(characters + 1);
		values[3] = Int32GetDatum(pg_mbstrlen_with_len(bytes + counted, span->len));
		values[4] = Float4GetDatum(span->confidence / 100.0f);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		CHECK_FOR_INTERRUPTS();
	}
	return (Datum) 0;
}
