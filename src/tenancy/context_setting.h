/*
 * context_setting.h
 *		Two settings that only this library can set: the verified context of a
 *		token, and the tenant that the caller chose to work in.
 */
#ifndef BCCE_CONTEXT_SETTING_H
#define BCCE_CONTEXT_SETTING_H

#include "crypto/token.h"
#include "datatype/timestamp.h"
#include "utils/uuid.h"

/* What a verified token says. */
typedef struct TenantContext
{
	Oid			role;			/* counts for this outer role only */
	TimestampTz expires_at;
	char		key_id[TOKEN_KEY_ID_BYTES + 1];
	int			tenant_count;
	pg_uuid_t	tenants[TOKEN_MAX_TENANTS]; /* sorted, distinct */
} TenantContext;

typedef struct ChosenTenant
{
	Oid			role;			/* counts for this outer role only */
	pg_uuid_t	tenant;
} ChosenTenant;

/* The longest life of a token, in microseconds. */
extern int64 context_max_lifetime(void);

/* What is set for that role; NULL: nothing. */
extern const TenantContext *tenant_context_of(Oid role);
extern const ChosenTenant *chosen_tenant_of(Oid role);

/* What is set for whatever role; NULL: nothing. */
extern const TenantContext *tenant_context(void);

/* Sets the context until the transaction ends. */
extern void set_tenant_context(const TenantContext *context);

/* Sets the choice, for the transaction or for the session; NULL clears it. */
extern void set_chosen_tenant(const ChosenTenant *chosen, bool is_local);

#endif
