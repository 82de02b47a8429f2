/*
 * model_book.c
 *		The prices of language models, kept per backend.
 *
 * The rows of the store are read once.  What they say of a model, its prices
 * span by span of time, is put together when it is first asked for, under the
 * name that was asked, and kept for the next call.  One statement sees one state
 * of the book, whatever others commit meanwhile.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "cost/model_book.h"
#include "cost/model_rows.h"
#include "tenancy/store_cache.h"

#define MOST_ENTRIES	4096	/* then they are made anew: names come from senders */
#define BUCKETS			1024

/* From then on these prices hold, up to the next span. */
typedef struct PriceSpan
{
	TimestampTz from;
	ModelPrices prices;
} PriceSpan;

typedef struct BookEntry
{
	struct BookEntry *next;
	uint32		hash;
	pg_uuid_t	tenant;
	TimestampTz as_of;
	const char *model;
	int			len;
	bool		known;
	int			nspans;
	PriceSpan  *spans;
	int			last;			/* span found last */
} BookEntry;

static StoreCache cache;
static ModelRows rows;
static MemoryContext entry_context = NULL;	/* a child of the cache's */
static BookEntry *buckets[BUCKETS];
static int	nentries;
static BookEntry *last_entry = NULL;

static const pg_uuid_t nobody;

/* Forgets the entries; their memory is somebody else's to free. */
static void
forget_entries(void)
{
	memset(buckets, 0, sizeof(buckets));
	nentries = 0;
	last_entry = NULL;
	entry_context = NULL;
}

static void
fill_cache(void)
{
	ModelRows	fresh;
	MemoryContext old = MemoryContextSwitchTo(store_cache_fill_begin(&cache));

	model_rows_read(&cache, &fresh);
	MemoryContextSwitchTo(old);
	/* The entries go with the contents that the new ones replace. */
	forget_entries();
	store_cache_fill_end(&cache);
	rows = fresh;
}

/* What a snapshot sees of other transactions and of ours. */
typedef struct SnapshotMark
{
	TransactionId xmin;
	TransactionId xmax;
	CommandId	curcid;
	uint64		completed;
} SnapshotMark;

bool
statement_unchanged(uint64 *number)
{
	static SnapshotMark last;
	static uint64 counter = 0;
	SnapshotMark now = {0};
	bool		same;

	if (!ActiveSnapshotSet())
	{
		*number = ++counter;
		return false;
	}
	now.xmin = GetActiveSnapshot()->xmin;
	now.xmax = GetActiveSnapshot()->xmax;
	now.curcid = GetActiveSnapshot()->curcid;
	now.completed = GetActiveSnapshot()->snapXactCompletionCount;
	if (now.xmin != last.xmin || now.xmax != last.xmax || now.curcid != last.curcid ||
		now.completed != last.completed)
	{
		last = now;
		counter++;
	}
	same = *number == counter && counter > 0;
	*number = counter;
	return same;
}

/* Was a row known at a moment? */
static bool
is_known(const ModelRow *row, TimestampTz as_of)
{
	if (as_of == AS_OF_NOW)
		return row->known.until == DT_NOEND;
	return row->known.from <= as_of && as_of < row->known.until;
}

/* The names under which prices may stand, in the order in which they count. */
typedef struct Names
{
	int			n;
	const char *name[2 + MODEL_NAMES];
	int			len[2 + MODEL_NAMES];
} Names;

/* Everything that may bear on a model: rows of all names, of both lists. */
typedef struct Sources
{
	const BookEntry *entry;
	Names		names;
	TimestampTz *bounds;		/* where something begins or ends to hold */
	int			nbounds;
	int			room;
} Sources;

static void
add_bound(Sources *s, TimestampTz at)
{
	if (s->nbounds == s->room)
	{
		s->room = s->room ? s->room * 2 : 32;
		s->bounds = s->bounds ? repalloc(s->bounds, s->room * sizeof(TimestampTz)) :
			palloc(s->room * sizeof(TimestampTz));
	}
	s->bounds[s->nbounds++] = at;
}

static void
add_bounds(Sources *s, ModelRowSpan span)
{
	size_t		i;

	CHECK_FOR_INTERRUPTS();
	for (i = 0; i < span.count; i++)
		if (is_known(&span.first[i], s->entry->as_of))
		{
			add_bound(s, span.first[i].valid.from);
			if (span.first[i].valid.until != DT_NOEND)
				add_bound(s, span.first[i].valid.until);
		}
}

/* Does any row that is known price the model, at whatever time? */
static bool
is_priced(const Sources *s, const char *name, int len)
{
	const pg_uuid_t *tenants[] = {&nobody, &s->entry->tenant};
	int			t;
	size_t		i;

	for (t = 0; t < 2; t++)
	{
		ModelRowSpan span = model_rows_of(&rows, ROW_PRICE, tenants[t], name, len);

		for (i = 0; i < span.count; i++)
			if (is_known(&span.first[i], s->entry->as_of))
				return true;
	}
	return false;
}

/* The row of a span that holds at a moment; an alias, or NULL. */
static const ModelRow *
alias_at(const Sources *s, const pg_uuid_t *tenant, TimestampTz at)
{
	ModelRowSpan span = model_rows_of(&rows, ROW_ALIAS, tenant, s->entry->model, s->entry->len);
	size_t		i;

	for (i = 0; i < span.count; i++)
		if (is_known(&span.first[i], s->entry->as_of) &&
			span.first[i].valid.from <= at && at < span.first[i].valid.until)
			return &span.first[i];
	return NULL;
}

/*
 * Under which name the model is priced at a moment: its own, else what an alias
 * says (the tenant's first), else one of its other spellings.
 */
static bool
resolve_name(const Sources *s, TimestampTz at, const char **name, int *len)
{
	const BookEntry *e = s->entry;
	const ModelRow *alias;
	int			i;

	*name = e->model;
	*len = e->len;
	if (is_priced(s, *name, *len))
		return true;
	alias = alias_at(s, &e->tenant, at);
	if (alias == NULL)
		alias = alias_at(s, &nobody, at);
	if (alias != NULL)
	{
		*name = alias->model;
		*len = alias->model_len;
		return true;
	}
	for (i = 0; i < s->names.n; i++)
	{
		*name = s->names.name[i];
		*len = s->names.len[i];
		if (is_priced(s, *name, *len))
			return true;
	}
	return false;
}

/* The bounds of all rows of a name. */
static void
add_name(Sources *s, const char *name, int len)
{
	const pg_uuid_t *tenants[] = {&nobody, &s->entry->tenant};
	int			t;

	for (t = 0; t < 2; t++)
	{
		add_bounds(s, model_rows_of(&rows, ROW_PRICE, tenants[t], name, len));
		add_bounds(s, model_rows_of(&rows, ROW_FACTOR, tenants[t], name, len));
	}
}

/* Follows aliases of the name itself; what they stand for is a name, too. */
static void
add_aliases(Sources *s, const pg_uuid_t *tenant)
{
	ModelRowSpan span = model_rows_of(&rows, ROW_ALIAS, tenant, s->entry->model, s->entry->len);
	size_t		i;

	add_bounds(s, span);
	for (i = 0; i < span.count; i++)
		if (is_known(&span.first[i], s->entry->as_of))
			add_name(s, span.first[i].model, span.first[i].model_len);
}

static int
compare_times(const void *a, const void *b)
{
	TimestampTz x = *(const TimestampTz *) a;
	TimestampTz y = *(const TimestampTz *) b;

	return (x > y) - (x < y);
}

/* When anything about the model changes, in order and once each. */
static void
collect_bounds(Sources *s)
{
	int			kept = 0;
	int			i;

	add_bound(s, DT_NOBEGIN);
	add_name(s, s->entry->model, s->entry->len);
	add_name(s, "*", 1);
	add_aliases(s, &nobody);
	add_aliases(s, &s->entry->tenant);
	for (i = 0; i < s->names.n; i++)
		add_name(s, s->names.name[i], s->names.len[i]);
	qsort(s->bounds, s->nbounds, sizeof(TimestampTz), compare_times);
	for (i = 1; i < s->nbounds; i++)
		if (s->bounds[i] != s->bounds[kept])
			s->bounds[++kept] = s->bounds[i];
	s->nbounds = kept + 1;
}

/* Calls a function for every row of a name that holds at a moment. */
typedef void (*RowFunction) (ModelPrices *prices, const ModelRow *row);

static void
each_row(const Sources *s, ModelRowKind kind, const pg_uuid_t *tenant, const char *name, int len,
		 TimestampTz at, RowFunction take, ModelPrices *prices)
{
	ModelRowSpan span = model_rows_of(&rows, kind, tenant, name, len);
	size_t		i;

	for (i = 0; i < span.count; i++)
	{
		const ModelRow *row = &span.first[i];

		if (is_known(row, s->entry->as_of) && row->valid.from <= at && at < row->valid.until)
			take(prices, row);
	}
}

/* Notes a size of context that has prices of its own. */
static void
take_context(ModelPrices *prices, const ModelRow *row)
{
	int64	   *above = (int64 *) prices->above;
	int			i;
	int			at;

	for (at = 0; at < prices->ncontexts && above[at] < row->above; at++)
		;
	if (at < prices->ncontexts && above[at] == row->above)
		return;
	above = above ? repalloc(above, (prices->ncontexts + 1) * sizeof(int64)) : palloc(sizeof(int64));
	for (i = prices->ncontexts; i > at; i--)
		above[i] = above[i - 1];
	above[at] = row->above;
	prices->above = above;
	prices->ncontexts++;
}

static void
take_price(ModelPrices *prices, const ModelRow *row)
{
	int			context = 0;

	while (prices->above[context] != row->above)
		context++;
	*price_slot(prices, row->tier, context, row->class) = row->value;
	prices->known = true;
}

static void
take_factor(ModelPrices *prices, const ModelRow *row)
{
	prices->factor[row->factor] = (int32) row->value;
}

/* The prices of a name at a moment: the defaults, and over them the tenant's. */
static void
prices_at(const Sources *s, const char *name, int len, TimestampTz at, ModelPrices *prices)
{
	const pg_uuid_t *tenants[] = {&nobody, &s->entry->tenant};
	ModelRow	base = {.above = 0};
	int			nslots;
	int			t;
	int			i;

	take_context(prices, &base);
	for (t = 0; t < 2; t++)
		each_row(s, ROW_PRICE, tenants[t], name, len, at, take_context, prices);
	nslots = SERVICE_TIERS * prices->ncontexts * TOKEN_CLASSES;
	prices->pico = palloc(nslots * sizeof(int64));
	for (i = 0; i < nslots; i++)
		prices->pico[i] = NO_PRICE;
	for (t = 0; t < 2; t++)
	{
		each_row(s, ROW_PRICE, tenants[t], name, len, at, take_price, prices);
		each_row(s, ROW_FACTOR, tenants[t], "*", 1, at, take_factor, prices);
		each_row(s, ROW_FACTOR, tenants[t], name, len, at, take_factor, prices);
	}
}

/* Puts together what the rows say of the model of an entry. */
static void
build_entry(BookEntry *entry)
{
	Sources		s = {.entry = entry};
	int			i;

	s.names.n = model_spellings(entry->model, entry->len, s.names.name, s.names.len);
	collect_bounds(&s);
	entry->spans = palloc0(s.nbounds * sizeof(PriceSpan));
	entry->nspans = s.nbounds;
	for (i = 0; i < s.nbounds; i++)
	{
		PriceSpan  *span = &entry->spans[i];
		const char *name;
		int			len;

		span->from = s.bounds[i];
		if (!resolve_name(&s, span->from, &name, &len))
			continue;
		entry->known = true;
		prices_at(&s, name, len, span->from, &span->prices);
	}
	pfree(s.bounds);
}

static BookEntry *
make_entry(const pg_uuid_t *tenant, const char *model, int len, TimestampTz as_of, uint32 hash)
{
	MemoryContext old;
	BookEntry  *entry;
	char	   *name;

	if (nentries >= MOST_ENTRIES)
	{
		MemoryContext full = entry_context;

		forget_entries();
		MemoryContextDelete(full);
	}
	if (entry_context == NULL)
		entry_context = AllocSetContextCreate(cache.context, "bcce model prices", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(entry_context);
	entry = palloc0(sizeof(BookEntry));
	name = palloc(len);
	memcpy(name, model, len);
	entry->model = name;
	entry->len = len;
	entry->tenant = *tenant;
	entry->as_of = as_of;
	entry->hash = hash;
	build_entry(entry);
	MemoryContextSwitchTo(old);
	/* Only now, so that an error on the way leaves no half of an entry. */
	entry->next = buckets[hash % BUCKETS];
	buckets[hash % BUCKETS] = entry;
	nentries++;
	return entry;
}

static bool
is_entry(const BookEntry *e, const pg_uuid_t *tenant, const char *model, int len, TimestampTz as_of)
{
	return e->len == len && e->as_of == as_of && memcmp(e->model, model, len) == 0 &&
		memcmp(&e->tenant, tenant, sizeof(pg_uuid_t)) == 0;
}

/* The entry of a name, made when there is none. */
static BookEntry *
find_entry(const pg_uuid_t *tenant, const char *model, int len, TimestampTz as_of)
{
	BookEntry  *e = last_entry;
	uint32		hash;

	if (e != NULL && is_entry(e, tenant, model, len, as_of))
		return e;
	hash = hash_bytes((const unsigned char *) model, len);
	hash = hash_combine(hash, hash_bytes(tenant->data, UUID_LEN));
	for (e = buckets[hash % BUCKETS]; e != NULL; e = e->next)
		if (e->hash == hash && is_entry(e, tenant, model, len, as_of))
			break;
	if (e == NULL)
		e = make_entry(tenant, model, len, as_of, hash);
	last_entry = e;
	return e;
}

const ModelPrices *
model_book_find(const pg_uuid_t *tenant, const char *model, int len, TimestampTz at, TimestampTz as_of)
{
	static uint64 statement = 0;
	uint64		now = statement;
	BookEntry  *entry;
	int			low;
	int			high;

	if (!statement_unchanged(&now) && !store_cache_is_valid(&cache))
		fill_cache();
	statement = now;
	entry = find_entry(tenant ? tenant : &nobody, model, len, as_of);
	if (!entry->known)
		return NULL;

	low = entry->last;
	if (!(entry->spans[low].from <= at &&
		  (low + 1 == entry->nspans || at < entry->spans[low + 1].from)))
	{
		low = 0;
		high = entry->nspans;
		while (high - low > 1)
		{
			int			middle = low + (high - low) / 2;

			if (entry->spans[middle].from <= at)
				low = middle;
			else
				high = middle;
		}
		entry->last = low;
	}
	return &entry->spans[low].prices;
}
