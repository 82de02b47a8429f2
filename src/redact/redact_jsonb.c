/*
 * redact_jsonb.c
 *		Redaction of jsonb: values, with their key names as context, and keys
 *		when asked.
 *
 * A first walk looks for the first hit and builds nothing; a document without
 * one is returned as it is.  A second one copies the document's bytes and puts
 * redacted strings in, trusting the first for what stands before the hit.  Both
 * read the containers themselves: an iterator would cost more than the scan of
 * short values, and building values to sort and write them again still more.
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "compat.h"
#include "error.h"
#include "redact/redact.h"

/* The kind of a number under a key such as "card_number", or -1; its digits. */
static int
numeric_kind(Redactor *r, Numeric number, char **digits)
{
	int			kind;

	if (!redact_number_key(&r->options))
		return -1;
	*digits = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));
	kind = redact_number(*digits, strlen(*digits), &r->options);
	if (kind < 0)
		pfree(*digits);
	return kind;
}

/* Such a number redacted; NULL when it is nothing. */
text *
redactor_numeric(Redactor *r, Numeric number)
{
	RedactSpan	span = {0};
	RedactResult one = {&span, 1, 1, &span, NULL};
	text	   *out;
	char	   *digits;
	size_t		len;
	int			kind = numeric_kind(r, number, &digits);

	if (kind < 0)
		return NULL;
	len = strlen(digits);
	span.len = len;
	span.kind = kind;
	redactor_count(r, &one);
	out = palloc(VARHDRSZ + redact_rendered_bound(len, &one));
	SET_VARSIZE(out, VARHDRSZ + redact_render(digits, len, &one, r->style, &r->numbers, VARDATA(out)));
	return out;
}

/* A walk over the containers of a document. */
typedef struct Walk
{
	Redactor   *redactor;
	bool		keys_too;
	const JEntry *first;		/* the value with the first hit */
	bool		before;			/* copying what stands before it */
	bool		key_hit;		/* a key is to be redacted */
	StringInfoData out;
} Walk;

/* Numbers begin anew in every document. */
static void
redactor_new_document(Redactor *r)
{
	memset(&r->numbers.last, 0, sizeof(r->numbers.last));
	r->numbers.slots = NULL;
	r->numbers.size = r->numbers.used = 0;
}

/* The members of an object or the elements of an array. */
typedef struct Members
{
	JsonbContainer *container;
	bool		is_object;
	uint32		n;
	char	   *data;			/* keys, then values */
	uint32		key_offset;		/* of the key of member i */
	uint32		offset;			/* of its value */
} Members;

static void
members_of(JsonbContainer *container, Members *m)
{
	m->container = container;
	m->is_object = JsonContainerIsObject(container);
	m->n = JsonContainerSize(container);
	m->data = (char *) &container->children[m->is_object ? 2 * m->n : m->n];
	m->key_offset = 0;
	m->offset = m->is_object ? getJsonbOffset(container, m->n) : 0;
}

/*
 * Length of the entry whose data begins at an offset: as getJsonbLength(), which
 * has to add up what is known here.
 */
static inline uint32
entry_length(JEntry entry, uint32 offset)
{
	return JBE_HAS_OFF(entry) ? JBE_OFFLENFLD(entry) - offset : JBE_OFFLENFLD(entry);
}

/*
 * Takes the next key: it is the context of the value.  True when it is to be
 * redacted itself.
 */
static inline bool
next_key(Walk *w, Members *m, uint32 i, bool look)
{
	RedactOptions *opt = &w->redactor->options;
	char	   *key = m->data + m->key_offset;
	uint32		len = entry_length(m->container->children[i], m->key_offset);

	opt->key = NULL;
	if (look && redactor_scan(w->redactor, key, len))
	{
		w->key_hit = true;
		return true;
	}
	opt->key = key;
	opt->key_len = len;
	m->key_offset += len;
	return false;
}

/*
 * Looks for the first hit; its key is then in the redactor's options.  Elements
 * of an array stand under the key of the array.
 */
static bool
find_first(Walk *w, JsonbContainer *container)
{
	RedactOptions *opt = &w->redactor->options;
	const char *outer_key = opt->key;
	size_t		outer_len = opt->key_len;
	Members		m;
	char	   *digits;
	uint32		i;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	members_of(container, &m);
	for (i = 0; i < m.n; i++)
	{
		uint32		at = m.is_object ? m.n + i : i;
		JEntry		entry = container->children[at];
		uint32		len = entry_length(container->children[at], m.offset);

		w->first = &container->children[at];
		if (m.is_object && next_key(w, &m, i, w->keys_too))
			return true;
		if (JBE_ISSTRING(entry))
		{
			if (redactor_scan(w->redactor, m.data + m.offset, len))
				return true;
		}
		else if (JBE_ISNUMERIC(entry))
		{
			if (numeric_kind(w->redactor, (Numeric) (m.data + INTALIGN(m.offset)), &digits) >= 0)
				return true;
		}
		else if (JBE_ISCONTAINER(entry) &&
				 find_first(w, (JsonbContainer *) (m.data + INTALIGN(m.offset))))
			return true;
		m.offset += len;
	}
	opt->key = outer_key;
	opt->key_len = outer_len;
	return false;
}

/* Appends bytes: mostly few, with room for them. */
static inline void
append(Walk *w, const char *bytes, uint32 len)
{
	if (w->out.maxlen - w->out.len <= len)
		enlargeStringInfo(&w->out, len);
	memcpy(w->out.data + w->out.len, bytes, len);
	w->out.len += len;
}

/* Numbers and containers begin at a multiple of four bytes. */
static void
align_out(Walk *w)
{
	while (w->out.len != INTALIGN(w->out.len))
		append(w, "", 1);
}

static bool copy_container(Walk *w, JsonbContainer *container);

/* A string or number, redacted; NULL when it holds nothing. */
static text *
redacted_scalar(Walk *w, JEntry entry, char *value, uint32 len, bool is_first)
{
	if (JBE_ISNUMERIC(entry))
		return redactor_numeric(w->redactor, (Numeric) value);
	if (!JBE_ISSTRING(entry))
		return NULL;
	/* Its hits were the last that the first walk found. */
	if (is_first)
		return redactor_scanned(w->redactor, value, len);
	return redactor_text(w->redactor, value, len);
}

/*
 * Appends a value as it is or redacted, and says what its entry is.  False when
 * a key in it is to be redacted.
 */
static bool
copy_value(Walk *w, const JEntry *from, Members *m, uint32 len, JEntry *type)
{
	uint32		offset = JBE_ISNUMERIC(*from) || JBE_ISCONTAINER(*from) ? INTALIGN(m->offset) : m->offset;
	char	   *value = m->data + offset;
	bool		is_first = from == w->first;
	text	   *redacted;

	*type = *from & JENTRY_TYPEMASK;
	len -= offset - m->offset;
	if (is_first)
		w->before = false;
	if (JBE_ISCONTAINER(*from))
	{
		align_out(w);
		return copy_container(w, (JsonbContainer *) value);
	}
	redacted = redacted_scalar(w, *from, value, len, is_first);
	if (redacted != NULL)
	{
		*type = JENTRY_ISSTRING;
		append(w, VARDATA(redacted), VARSIZE(redacted) - VARHDRSZ);
		return true;
	}
	if (JBE_ISNUMERIC(*from))
		align_out(w);
	append(w, value, len);
	return true;
}

/*
 * Notes the length of the value that was appended last, or now and then where
 * it ends, as the server does.
 */
static void
set_entry(Walk *w, int entries, uint32 at, JEntry type, uint32 len, uint32 end)
{
	JEntry		entry = type | (at % JB_OFFSET_STRIDE == 0 ? end | JENTRY_HAS_OFF : len);

	if (end > JENTRY_OFFLENMASK)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("redacted document would be too long"),
				 errdetail("Its values would have more than %u bytes.", JENTRY_OFFLENMASK),
				 bcce_hide_input()));
	memcpy(w->out.data + entries + at * sizeof(JEntry), &entry, sizeof(JEntry));
}

/*
 * Appends the values of a container before the one that is the first hit or
 * holds it, as they are, and steps behind them; how many.
 */
static uint32
copy_before(Walk *w, Members *m)
{
	const JEntry *children = m->container->children;
	const char *first = (const char *) w->first;
	uint32		from = m->offset;
	uint32		i;

	for (i = 0; i < m->n; i++)
	{
		const JEntry *entry = &children[m->is_object ? m->n + i : i];
		const char *value = m->data + m->offset;
		uint32		len = entry_length(*entry, m->offset);

		if (entry == w->first || (first > value && first < value + len))
			break;
		if (m->is_object)
			m->key_offset += entry_length(children[i], m->key_offset);
		m->offset += len;
	}
	append(w, m->data + from, m->offset - from);
	return i;
}

/* Appends a container with its values redacted; keys stay as they are. */
static bool
copy_container(Walk *w, JsonbContainer *container)
{
	RedactOptions *opt = &w->redactor->options;
	const char *outer_key = opt->key;
	size_t		outer_len = opt->key_len;
	int			entries = w->out.len + offsetof(JsonbContainer, children);
	Members		m;
	int			values;
	uint32		i;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	members_of(container, &m);
	/* The header, the entries and the keys lie together. */
	append(w, (char *) container, m.data + m.offset - (char *) container);
	values = w->out.len - m.offset;
	for (i = w->before ? copy_before(w, &m) : 0; i < m.n; i++)
	{
		uint32		at = m.is_object ? m.n + i : i;
		uint32		len = entry_length(container->children[at], m.offset);
		int			start = w->out.len;
		JEntry		type;

		if (m.is_object && next_key(w, &m, i, w->keys_too && !w->before))
			return false;
		if (!copy_value(w, &container->children[at], &m, len, &type))
			return false;
		set_entry(w, entries, at, type, w->out.len - start, w->out.len - values);
		m.offset += len;
	}
	opt->key = outer_key;
	opt->key_len = outer_len;
	return true;
}

/* The document with its values redacted, or NULL where a key is to be, too. */
static Jsonb *
copy_document(Walk *w, Jsonb *document)
{
	initStringInfo(&w->out);
	enlargeStringInfo(&w->out, VARSIZE(document) + 64);
	w->out.len = VARHDRSZ;
	w->before = true;
	w->redactor->options.key = NULL;
	if (!copy_container(w, &document->root))
		return NULL;
	SET_VARSIZE(w->out.data, w->out.len);
	return (Jsonb *) w->out.data;
}

/* The redacted document, or NULL when nothing was found. */
Jsonb *
redactor_jsonb(Redactor *r, Jsonb *document, bool keys_too)
{
	Walk		w = {r, keys_too};
	RedactCounts *counts = r->counts;
	RedactCounts document_counts = {0};
	Jsonb	   *copy = NULL;

	r->options.key = NULL;
	if (!find_first(&w, &document->root))
		return NULL;
	redactor_new_document(r);
	if (counts != NULL)
		r->counts = &document_counts;
	if (!w.key_hit)
		copy = copy_document(&w, document);
	if (copy == NULL)
	{
		/* All anew, and counted anew. */
		memset(&document_counts, 0, sizeof(document_counts));
		redactor_new_document(r);
		copy = redactor_jsonb_keys(r, document);
	}
	r->counts = counts;
	if (counts != NULL)
		redactor_add_counts(r, &document_counts);
	return copy;
}
PG_FUNCTION_INFO_V1(redact_jsonb);

/* redact(jsonb) */
Datum
redact_jsonb(PG_FUNCTION_ARGS)
{
	Redactor	r;
	Jsonb	   *out;

	redactor_init(&r);
	out = redactor_jsonb(&r, PG_GETARG_JSONB_P(0), false);
	PG_RETURN_DATUM(out ? JsonbPGetDatum(out) : PG_GETARG_DATUM(0));
}

PG_FUNCTION_INFO_V1(redact_jsonb_as);

/* redact(jsonb, kinds text[], style text) */
Datum
redact_jsonb_as(PG_FUNCTION_ARGS)
{
	Redactor	r;
	Jsonb	   *out;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	redactor_init(&r);
	redactor_arguments(&r, PG_ARGISNULL(1) ? NULL : PG_GETARG_ARRAYTYPE_P(1),
					   PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2));
	out = redactor_jsonb(&r, PG_GETARG_JSONB_P(0), false);
	PG_RETURN_DATUM(out ? JsonbPGetDatum(out) : PG_GETARG_DATUM(0));
}
