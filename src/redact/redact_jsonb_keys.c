/*
 * redact_jsonb_keys.c
 *		Redaction of jsonb where keys change too, which is rare: the document is
 *		taken apart and built anew, since its keys are sorted and distinct.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/hsearch.h"

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

/* Redacts a string or a number in place; false when it holds nothing. */
static bool
redact_value(Walk *w, JsonbValue *v)
{
	text	   *out = NULL;

	set_key(w);
	if (v->type == jbvString)
		out = redactor_text(w->redactor, v->val.string.val, v->val.string.len);
	else if (v->type == jbvNumeric)
		out = redactor_numeric(w->redactor, v->val.numeric);
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
		return redact_key(w, v);
	if (token == WJB_VALUE || token == WJB_ELEM)
		return redact_value(w, v);
	return false;
}

/* The document with all its keys and values redacted. */
Jsonb *
redactor_jsonb_keys(Redactor *r, Jsonb *document)
{
	Walk		w = {r, NULL};
	JsonbIterator *it = JsonbIteratorInit(&document->root);
	JsonbParseState *state = NULL;
	JsonbValue *result = NULL;
	JsonbIteratorToken token;
	JsonbValue	v;

	while ((token = JsonbIteratorNext(&it, &v, false)) != WJB_DONE)
	{
		bool		has_value = token == WJB_KEY || token == WJB_VALUE || token == WJB_ELEM ||
			(token == WJB_BEGIN_ARRAY && v.val.array.rawScalar);

		follow(&w, it, token, &v);
		redact_token(&w, token, &v);
		result = pushJsonbValue(&state, token, has_value ? &v : NULL);
		CHECK_FOR_INTERRUPTS();
	}
	return JsonbValueToJsonb(result);
}
