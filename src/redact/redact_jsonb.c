/*
 * redact_jsonb.c
 *		Redaction of jsonb: values, with their key names as context, and keys
 *		when asked.
 *
 * A first walk looks for the first hit and builds nothing; a document without
 * one is returned as it is.  It reads the containers themselves: an iterator
 * would cost more than the scan of short values.  The second walk rebuilds, and
 * trusts the first for the values before the hit.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "compat.h"
#include "error.h"
#include "redact/redact.h"

/* The objects and arrays around the current element. */
typedef struct Level
{
	JsonbContainer *object;		/* NULL inside an array */
	JsonbValue	key;			/* the key in force, also for array elements */
	bool		has_key;
	HTAB	   *new_keys;		/* names given to redacted keys here */
	struct Level *outer;
} Level;

typedef struct Walk
{
	Redactor   *redactor;
	Level	   *level;
	bool		keys_too;
} Walk;

/* Steps into an object or array; an array's elements stand under its key. */
static void
enter(Walk *w, JsonbContainer *object)
{
	Level	   *level = palloc0(sizeof(Level));

	level->outer = w->level;
	level->object = object;
	if (object == NULL && w->level != NULL)
	{
		level->key = w->level->key;
		level->has_key = w->level->has_key;
	}
	w->level = level;
}

static void
leave(Walk *w)
{
	Level	   *level = w->level;

	w->level = level->outer;
	if (level->new_keys != NULL)
		hash_destroy(level->new_keys);
	pfree(level);
}

/* Tells the scanner under which key the next value stands. */
static void
set_key(Walk *w)
{
	RedactOptions *opt = &w->redactor->options;

	opt->key = NULL;
	if (w->level != NULL && w->level->has_key)
	{
		opt->key = w->level->key.val.string.val;
		opt->key_len = w->level->key.val.string.len;
	}
}

/* Makes a string value of a text. */
static void
set_string(JsonbValue *v, text *t)
{
	v->type = jbvString;
	v->val.string.val = VARDATA(t);
	v->val.string.len = VARSIZE(t) - VARHDRSZ;
}

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
static text *
redact_numeric(Redactor *r, Numeric number)
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

/* Redacts a string or a number in place; false when it holds nothing. */
static bool
redact_value(Walk *w, JsonbValue *v)
{
	text	   *out = NULL;

	set_key(w);
	if (v->type == jbvString)
		out = redactor_text(w->redactor, v->val.string.val, v->val.string.len);
	else if (v->type == jbvNumeric)
		out = redact_numeric(w->redactor, v->val.numeric);
	if (out != NULL)
		set_string(v, out);
	return out != NULL;
}

/* A name given to a redacted key: its hash, and the last number behind it. */
typedef struct NewKey
{
	uint64		hash;
	int			last;
} NewKey;

/* The entry of a name among the new keys of this object, made when absent. */
static NewKey *
new_key(Level *level, const StringInfo name, bool *found)
{
	uint64		hash = hash_bytes_extended((unsigned char *) name->data, name->len, 0);
	HASHCTL		ctl = {0};

	if (level->new_keys == NULL)
	{
		ctl.keysize = sizeof(uint64);
		ctl.entrysize = sizeof(NewKey);
		ctl.hcxt = CurrentMemoryContext;
		level->new_keys = hash_create("redacted keys", 32, &ctl,
									  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	return hash_search(level->new_keys, &hash, HASH_ENTER, found);
}

/* Takes a name if no old and no new key of this object has it. */
static bool
take_name(Level *level, const StringInfo name)
{
	JsonbValue	value;
	NewKey	   *key;
	bool		found;

	if (getKeyJsonValueFromContainer(level->object, name->data, name->len, &value) != NULL)
		return false;
	key = new_key(level, name, &found);
	if (!found)
		key->last = 1;
	return !found;
}

/* Redacts a key; #2, #3 ... keep two redacted keys of one object apart. */
static bool
redact_key(Walk *w, JsonbValue *key)
{
	text	   *out;
	StringInfoData name;
	StringInfoData base;
	NewKey	   *plain;
	bool		found;
	int			number = 1;
	int			len;

	w->redactor->options.key = NULL;
	out = redactor_text(w->redactor, key->val.string.val, key->val.string.len);
	if (out == NULL)
		return false;
	initStringInfo(&name);
	appendBinaryStringInfo(&name, VARDATA(out), VARSIZE(out) - VARHDRSZ);
	len = name.len;
	if (!take_name(w->level, &name))
	{
		plain = new_key(w->level, &name, &found);
		number = found ? plain->last : 1;
		do
		{
			name.len = len;
			appendStringInfo(&name, "#%d", ++number);
		} while (!take_name(w->level, &name));
		base = name;
		base.len = len;
		new_key(w->level, &base, &found)->last = number;
	}
	key->val.string.val = name.data;
	key->val.string.len = name.len;
	return true;
}

/* Keeps track of where the walk is. */
static void
follow(Walk *w, JsonbIterator *it, JsonbIteratorToken token, const JsonbValue *v)
{
	if (token == WJB_BEGIN_OBJECT)
		enter(w, it->container);
	else if (token == WJB_BEGIN_ARRAY)
		enter(w, NULL);
	else if (token == WJB_END_OBJECT || token == WJB_END_ARRAY)
		leave(w);
	else if (token == WJB_KEY)
	{
		w->level->key = *v;
		w->level->has_key = true;
	}
}

/* Redacts the value or key of one token in place; false without a hit. */
static bool
redact_token(Walk *w, JsonbIteratorToken token, JsonbValue *v)
{
	if (token == WJB_KEY)
		return w->keys_too && redact_key(w, v);
	if (token == WJB_VALUE || token == WJB_ELEM)
		return redact_value(w, v);
	return false;
}

/*
 * The first hit, in the order in which an iterator gives the tokens.  next
 * counts those seen; the key in force is in the redactor's options.
 */
static bool
find_first(Walk *w, JsonbContainer *container, int64 *next)
{
	RedactOptions *opt = &w->redactor->options;
	uint32		n = JsonContainerSize(container);
	bool		is_object = JsonContainerIsObject(container);
	JEntry	   *entries = container->children;
	char	   *data = (char *) &entries[is_object ? 2 * n : n];
	const char *outer_key = opt->key;
	size_t		outer_len = opt->key_len;
	uint32		key_offset = 0;
	uint32		offset = is_object ? getJsonbOffset(container, n) : 0;
	char	   *digits;
	uint32		i;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	(*next)++;
	for (i = 0; i < n; i++)
	{
		uint32		at = is_object ? n + i : i;
		JEntry		entry = entries[at];
		uint32		len = getJsonbLength(container, at);

		if (is_object)
		{
			uint32		key_len = getJsonbLength(container, i);

			opt->key = NULL;
			if (w->keys_too && redactor_scan(w->redactor, data + key_offset, key_len))
				return true;
			(*next)++;
			opt->key = data + key_offset;
			opt->key_len = key_len;
			key_offset += key_len;
		}
		if (JBE_ISCONTAINER(entry))
		{
			if (find_first(w, (JsonbContainer *) (data + INTALIGN(offset)), next))
				return true;
		}
		else
		{
			if (JBE_ISSTRING(entry) && redactor_scan(w->redactor, data + offset, len))
				return true;
			if (JBE_ISNUMERIC(entry) &&
				numeric_kind(w->redactor, (Numeric) (data + INTALIGN(offset)), &digits) >= 0)
				return true;
			(*next)++;
		}
		offset += len;
	}
	(*next)++;
	opt->key = outer_key;
	opt->key_len = outer_len;
	return false;
}

/* Ordinal of the first token with a hit, -1 when there is none. */
static int64
first_hit(Walk *w, Jsonb *document)
{
	int64		next = 0;

	w->redactor->options.key = NULL;
	return find_first(w, &document->root, &next) ? next : -1;
}

/*
 * Rebuilds the document; tokens before the first hit are known to be clean, and
 * the hits of the first were the last to be found.
 */
static Jsonb *
rebuild(Walk *w, Jsonb *document, int64 clean)
{
	JsonbIterator *it = JsonbIteratorInit(&document->root);
	JsonbParseState *state = NULL;
	JsonbValue *result = NULL;
	JsonbIteratorToken token;
	JsonbValue	v;
	int64		ordinal;

	for (ordinal = 0; (token = JsonbIteratorNext(&it, &v, false)) != WJB_DONE; ordinal++)
	{
		bool		has_value = token == WJB_KEY || token == WJB_VALUE || token == WJB_ELEM ||
			(token == WJB_BEGIN_ARRAY && v.val.array.rawScalar);

		follow(w, it, token, &v);
		if (ordinal == clean && token != WJB_KEY && v.type == jbvString)
			set_string(&v, redactor_scanned(w->redactor, v.val.string.val, v.val.string.len));
		else if (ordinal >= clean)
			redact_token(w, token, &v);
		result = pushJsonbValue(&state, token, has_value ? &v : NULL);
		CHECK_FOR_INTERRUPTS();
	}
	return JsonbValueToJsonb(result);
}

/* The redacted document, or NULL when nothing was found. */
Jsonb *
redactor_jsonb(Redactor *r, Jsonb *document, bool keys_too)
{
	Walk		w = {r, NULL, keys_too};
	int64		first = first_hit(&w, document);

	if (first < 0)
		return NULL;
	w.level = NULL;
	memset(&r->numbers.last, 0, sizeof(r->numbers.last));
	r->numbers.slots = NULL;
	r->numbers.size = r->numbers.used = 0;
	return rebuild(&w, document, first);
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
