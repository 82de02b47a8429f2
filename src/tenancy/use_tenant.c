/*
 * use_tenant.c
 *		Choosing the tenant to work in, and where a role's tenants come from.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "compat.h"
#include "context_setting.h"
#include "error.h"
#include "membership.h"
#include "tenancy.h"

PG_FUNCTION_INFO_V1(use_tenant);
/* use_tenant(tenant uuid, is_local boolean) returns void */
Datum
use_tenant(PG_FUNCTION_ARGS)
{
	bool		is_local = PG_ARGISNULL(1) || PG_GETARG_BOOL(1);
	ChosenTenant chosen = {.role = GetOuterUserId()};

	if (PG_ARGISNULL(0))
	{
		set_chosen_tenant(NULL, is_local);
		PG_RETURN_VOID();
	}
	chosen.tenant = *PG_GETARG_UUID_P(0);
	if (!tenant_is_callers(&chosen.tenant))
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("tenant not found"),
				 errhint("Name one of your tenants; bcce.whoami() lists them."),
				 bcce_hide_input()));
	set_chosen_tenant(&chosen, is_local);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(membership_mode);
/* membership_mode() returns text */
Datum
membership_mode(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(role_uses_token(GetOuterUserId()) ? "token" : "direct"));
}
