/*
 * log_line.c
 *		A line in the server log, without the statement that caused it.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "compat.h"
#include "error.h"

PG_FUNCTION_INFO_V1(log_line);
/* SQL: writes the message to the server log, and to nobody else. */
Datum
log_line(PG_FUNCTION_ARGS)
{
	char	   *message = text_to_cstring(PG_GETARG_TEXT_PP(0));

	ereport(LOG_SERVER_ONLY,
			(errmsg_internal("%s", message),
			 bcce_hide_input()));
	PG_RETURN_VOID();
}
