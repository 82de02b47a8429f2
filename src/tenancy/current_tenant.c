/*
 * current_tenant.c
 *		Which tenants the caller has, and which one the caller works in.
 *
 * The caller is the outer role: what SET ROLE chose, or else the login.  A
 * SECURITY DEFINER function does not change it, so such a function may show
 * more columns but never another tenant's rows.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"

#include "compat.h"
#include "context_key.h"
#include "context_setting.h"
#include "membership.h"
#include "tenancy.h"

typedef struct CallerTenant
{
	pg_uuid_t	id;
	bool		is_default;
} CallerTenant;

/* Is the membership in force at the start of the statement? */
static bool
membership_is_valid(const Membership *membership)
{
	TimestampTz now = GetCurrentStatementStartTimestamp();

	return membership->valid_from <= now && now < membership->valid_until;
}

/* Does what a token said still count?  NULL, that is no token, never does. */
static bool
context_is_valid(const TenantContext *context)
{
	TimestampTz now = GetCurrentStatementStartTimestamp();

	return context != NULL && now < context->expires_at &&
		context_key_find(context->key_id, now, NULL);
}

/* The tenants of a token. */
static CallerTenant *
context_tenants(const TenantContext *context, int *count)
{
	CallerTenant *tenants = palloc(TOKEN_MAX_TENANTS * sizeof(CallerTenant));

	*count = context_is_valid(context) ? context->tenant_count : 0;
	for (int i = 0; i < *count; i++)
	{
		tenants[i].id = context->tenants[i];
		tenants[i].is_default = false;
	}
	return tenants;
}

/* The tenants of the role's memberships. */
static CallerTenant *
membership_tenants(Oid role, int *count)
{
	int			membership_count;
	const Membership *memberships = memberships_of(role, &membership_count);
	CallerTenant *tenants;

	*count = 0;
	tenants = palloc_extended(mul_size(Max(membership_count, 1), sizeof(CallerTenant)),
							  MCXT_ALLOC_HUGE);
	for (int i = 0; i < membership_count; i++)
	{
		const Membership *membership = &memberships[i];
		CallerTenant *last = *count > 0 ? &tenants[*count - 1] : NULL;

		if (!membership_is_valid(membership))
			continue;
		if (last == NULL || tenant_compare(&last->id, &membership->tenant) != 0)
		{
			last = &tenants[(*count)++];
			last->id = membership->tenant;
			last->is_default = false;
		}
		last->is_default |= membership->is_default;
	}
	return tenants;
}

/* For bsearch. */
static int
caller_tenant_compare(const void *a, const void *b)
{
	return tenant_compare(&((const CallerTenant *) a)->id,
						  &((const CallerTenant *) b)->id);
}

/* The tenant of that id; NULL: none of them. */
static const CallerTenant *
find_tenant(const CallerTenant *tenants, int count, const pg_uuid_t *id)
{
	CallerTenant key = {.id = *id};

	return bsearch(&key, tenants, count, sizeof(CallerTenant), caller_tenant_compare);
}

/* Keeps those that a token names too: the role ceased to need one meanwhile. */
static void
narrow(CallerTenant *tenants, int *count, const TenantContext *context)
{
	int			allowed_count;
	CallerTenant *allowed = context_tenants(context, &allowed_count);
	int			kept = 0;

	for (int i = 0; i < *count; i++)
		if (find_tenant(allowed, allowed_count, &tenants[i].id) != NULL)
			tenants[kept++] = tenants[i];
	*count = kept;
	pfree(allowed);
}

/*
 * Decides the caller's tenants: the one place that does.  A login that
 * presents tokens has those of its token, any other role those of its
 * memberships.  Sorted and distinct, in memory of the current context.
 */
static CallerTenant *
caller_tenants(int *count)
{
	Oid			role = GetOuterUserId();
	const TenantContext *context = tenant_context_of(role);
	CallerTenant *tenants;

	if (role_uses_token(role))
		return context_tenants(context, count);
	tenants = membership_tenants(role, count);
	if (context != NULL)
		narrow(tenants, count, context);
	return tenants;
}

/* The only tenant that is marked as default; NULL when none or several are. */
static const CallerTenant *
default_tenant(const CallerTenant *tenants, int count)
{
	const CallerTenant *found = NULL;

	for (int i = 0; i < count; i++)
	{
		if (!tenants[i].is_default)
			continue;
		if (found != NULL)
			return NULL;
		found = &tenants[i];
	}
	return found;
}

/*
 * The tenant the caller works in: the one it chose, or the only one, or the
 * default.  A choice that is no longer the caller's is not replaced: that
 * would show another tenant's numbers in its place.
 */
bool
current_tenant_id(pg_uuid_t *result)
{
	const ChosenTenant *choice = chosen_tenant_of(GetOuterUserId());
	int			count;
	CallerTenant *tenants = caller_tenants(&count);
	const CallerTenant *current;

	if (choice != NULL)
		current = find_tenant(tenants, count, &choice->tenant);
	else
		current = count == 1 ? tenants : default_tenant(tenants, count);
	if (current != NULL)
		*result = current->id;
	pfree(tenants);
	return current != NULL;
}

/* See the header. */
bool
tenant_is_callers(const pg_uuid_t *tenant)
{
	int			count;
	CallerTenant *tenants = caller_tenants(&count);
	bool		found = find_tenant(tenants, count, tenant) != NULL;

	pfree(tenants);
	return found;
}

/* One of the caller's tenants, or any when the caller bypasses row security? */
bool
tenant_is_visible(const pg_uuid_t *tenant)
{
	return has_bypassrls_privilege(GetOuterUserId()) || tenant_is_callers(tenant);
}

/* See the header.  Nobody is bcce_maintainer but functions that belong to it. */
bool
tenant_is_readable(const pg_uuid_t *tenant)
{
	return tenant_is_visible(tenant) ||
		get_role_oid("bcce_maintainer", true) == GetUserId();
}

PG_FUNCTION_INFO_V1(current_tenant);
/* SQL: the tenant the caller works in, or NULL. */
Datum
current_tenant(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *result = palloc(sizeof(pg_uuid_t));

	if (!current_tenant_id(result))
		PG_RETURN_NULL();
	PG_RETURN_UUID_P(result);
}

PG_FUNCTION_INFO_V1(current_tenants);
/* SQL: the caller's tenants, never NULL. */
Datum
current_tenants(PG_FUNCTION_ARGS)
{
	int			count;
	CallerTenant *tenants = caller_tenants(&count);
	Datum	   *values = palloc(mul_size(Max(count, 1), sizeof(Datum)));

	for (int i = 0; i < count; i++)
		values[i] = UUIDPGetDatum(&tenants[i].id);
	PG_RETURN_ARRAYTYPE_P(construct_array(values, count, UUIDOID, UUID_LEN,
										  false, TYPALIGN_CHAR));
}

PG_FUNCTION_INFO_V1(bypasses_row_security);
/* SQL: do policies not apply to the caller? */
Datum
bypasses_row_security(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(has_bypassrls_privilege(GetOuterUserId()));
}
