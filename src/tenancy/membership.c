/*
 * membership.c
 *		The memberships of the role that is asking, kept per backend.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "bcce.h"
#include "compat.h"
#include "membership.h"
#include "store_cache.h"

/* The copy holds the rows for one role, the last that asked. */
static StoreCache cache;
static Oid	cached_role = InvalidOid;
static Membership *rows = NULL;
static int	row_count = 0;
static bool uses_token = false;

/* Where the columns are; the numbers are those of the table at hand. */
typedef struct MembershipColumns
{
	AttrNumber	role;
	AttrNumber	role_name;
	AttrNumber	tenant_id;
	AttrNumber	is_default;
	AttrNumber	valid_from;
	AttrNumber	valid_until;
} MembershipColumns;

/* Syscache callback: a role or its membership in other roles changed. */
static void
roles_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	store_cache_empty(&cache);
}

/* Byte order, which is the order of the type uuid. */
int
tenant_compare(const pg_uuid_t *a, const pg_uuid_t *b)
{
	return memcmp(a->data, b->data, UUID_LEN);
}

/* For qsort. */
static int
membership_compare(const void *a, const void *b)
{
	return tenant_compare(&((const Membership *) a)->tenant,
						  &((const Membership *) b)->tenant);
}

/*
 * Does a row of that role speak for the asking one?  It does when the asking
 * role has its privileges, as for GRANT.  A superuser has everybody's, which
 * says nothing about tenants, so for it only its own rows count.
 */
static bool
role_counts(Oid asking, bool asking_is_superuser, Oid role)
{
	if (asking_is_superuser)
		return role == asking;
	return has_privs_of_role(asking, role);
}

/* Resolves the columns by name: a dump may restore them in another order. */
static void
find_columns(StoreScan *scan, MembershipColumns *columns)
{
	columns->role = store_scan_column(scan, "role", REGROLEOID);
	columns->role_name = store_scan_column(scan, "role_name", TEXTOID);
	columns->tenant_id = store_scan_column(scan, "tenant_id", UUIDOID);
	columns->is_default = store_scan_column(scan, "is_default", BOOLOID);
	columns->valid_from = store_scan_column(scan, "valid_from", TIMESTAMPTZOID);
	columns->valid_until = store_scan_column(scan, "valid_until", TIMESTAMPTZOID);
}

/*
 * The role of a row.  A row whose role did not exist when it was written, as
 * in a restore that comes before the roles, is bound by its name until then.
 */
static Oid
row_role(StoreScan *scan, HeapTuple tuple, AttrNumber role, AttrNumber role_name)
{
	Datum		value;

	if (store_scan_value(scan, tuple, role, &value))
		return DatumGetObjectId(value);
	if (store_scan_value(scan, tuple, role_name, &value))
		return get_role_oid(TextDatumGetCString(value), true);
	return InvalidOid;
}

/* Reads a row.  False, that is no membership, if a column is NULL. */
static bool
read_row(StoreScan *scan, HeapTuple tuple, const MembershipColumns *columns,
		 Membership *row, Oid *role)
{
	Datum		tenant;
	Datum		is_default;
	Datum		from;
	Datum		until;

	*role = row_role(scan, tuple, columns->role, columns->role_name);
	if (!OidIsValid(*role) ||
		!store_scan_value(scan, tuple, columns->tenant_id, &tenant) ||
		!store_scan_value(scan, tuple, columns->is_default, &is_default) ||
		!store_scan_value(scan, tuple, columns->valid_from, &from) ||
		!store_scan_value(scan, tuple, columns->valid_until, &until))
		return false;

	row->tenant = *DatumGetUUIDP(tenant);
	row->is_default = DatumGetBool(is_default);
	row->valid_from = DatumGetTimestampTz(from);
	row->valid_until = DatumGetTimestampTz(until);
	return true;
}

/* Appends a row to the array, which grows by doubling. */
static void
append_row(Membership **array, int *count, int *capacity, const Membership *row)
{
	if (*count == *capacity)
	{
		*capacity *= 2;
		*array = repalloc_huge(*array, mul_size(*capacity, sizeof(Membership)));
	}
	(*array)[(*count)++] = *row;
}

/* Reads the rows that speak for the role; no table, no rows. */
static void
read_memberships(Oid asking, Membership **array, int *count, int *capacity)
{
	bool		asking_is_superuser = superuser_arg(asking);
	MembershipColumns columns;
	StoreScan	scan;
	HeapTuple	tuple;

	if (!store_scan_begin(&scan, &cache, 0, "bcce_private", "membership"))
		return;

	find_columns(&scan, &columns);
	while ((tuple = store_scan_next(&scan)) != NULL)
	{
		Membership	row;
		Oid			role;

		if (read_row(&scan, tuple, &columns, &row, &role) &&
			role_counts(asking, asking_is_superuser, role))
			append_row(array, count, capacity, &row);
	}
	store_scan_end(&scan);
}

/*
 * Is the role itself, not one that it is a member of, listed as a login that
 * presents tokens?
 */
static bool
read_uses_token(Oid asking)
{
	AttrNumber	role;
	AttrNumber	role_name;
	StoreScan	scan;
	HeapTuple	tuple;
	bool		found = false;

	if (!store_scan_begin(&scan, &cache, 1, "bcce_private", "token_login"))
		return false;
	role = store_scan_column(&scan, "role", REGROLEOID);
	role_name = store_scan_column(&scan, "role_name", TEXTOID);
	while (!found && (tuple = store_scan_next(&scan)) != NULL)
		found = row_role(&scan, tuple, role, role_name) == asking;
	store_scan_end(&scan);
	return found;
}

/* Fills the cache for a role. */
static void
fill_cache(Oid asking)
{
	MemoryContext context;
	Membership *array;
	int			count = 0;
	int			capacity = 4;
	bool		token;

	warn_of_other_version();
	context = store_cache_fill_begin(&cache);
	array = MemoryContextAlloc(context, capacity * sizeof(Membership));
	read_memberships(asking, &array, &count, &capacity);
	token = read_uses_token(asking);
	qsort(array, count, sizeof(Membership), membership_compare);
	store_cache_fill_end(&cache);

	rows = array;
	row_count = count;
	uses_token = token;
	cached_role = asking;
}

/* Makes the cache answer for a role. */
static void
ensure_cache(Oid role)
{
	static bool callbacks_registered = false;

	if (!callbacks_registered)
	{
		CacheRegisterSyscacheCallback(AUTHOID, roles_changed, (Datum) 0);
		CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, roles_changed, (Datum) 0);
		callbacks_registered = true;
	}

	if (!store_cache_is_valid(&cache) || cached_role != role)
		fill_cache(role);
}

/* The role's memberships, sorted by tenant.  Good until the next call. */
const Membership *
memberships_of(Oid role, int *count)
{
	ensure_cache(role);
	*count = row_count;
	return rows;
}

/* See the header. */
bool
role_uses_token(Oid role)
{
	ensure_cache(role);
	return uses_token;
}
