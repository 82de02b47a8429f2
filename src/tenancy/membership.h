/*
 * membership.h
 *		The rows of bcce_private.membership that speak for a role.
 */
#ifndef BCCE_MEMBERSHIP_H
#define BCCE_MEMBERSHIP_H

#include "datatype/timestamp.h"
#include "utils/uuid.h"

typedef struct Membership
{
	pg_uuid_t	tenant;
	TimestampTz valid_from;
	TimestampTz valid_until;
	bool		is_default;
} Membership;

/* Byte order, which is the order of the type uuid. */
extern int	tenant_compare(const pg_uuid_t *a, const pg_uuid_t *b);

/*
 * The role's memberships, sorted by tenant, whatever their time of validity.
 * One tenant may occur several times.  Good until the next call.
 */
extern const Membership *memberships_of(Oid role, int *count);

/* Does the role take its tenants from a token instead? */
extern bool role_uses_token(Oid role);

#endif
