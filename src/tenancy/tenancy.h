/*
 * tenancy.h
 *		Whose rows the caller may see.
 */
#ifndef BCCE_TENANCY_H
#define BCCE_TENANCY_H

#include "utils/uuid.h"

/* The tenant the caller works in.  False: none. */
extern bool current_tenant_id(pg_uuid_t *result);

/* Is it one of the caller's tenants? */
extern bool tenant_is_callers(const pg_uuid_t *tenant);

/*
 * Is it one of the caller's tenants, or does the caller bypass row security?
 * Says nothing about whether such a tenant exists.
 */
extern bool tenant_is_visible(const pg_uuid_t *tenant);

/*
 * The same, or does upkeep run, which the policies show every tenant?  For what
 * upkeep only reckons with and never hands to its caller.
 */
extern bool tenant_is_readable(const pg_uuid_t *tenant);

#endif
