/*
 * raise_error.c
 *		Errors raised from SQL that keep the statement out of the server log.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "compat.h"
#include "error.h"

#define SQLSTATE_LENGTH 5

/*
 * Is it five digits or upper-case letters, and not of a class that means
 * success (00), warning (01) or no data (02)?
 */
static bool
sqlstate_is_error(const char *sqlstate)
{
	if (strlen(sqlstate) != SQLSTATE_LENGTH ||
		strspn(sqlstate, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != SQLSTATE_LENGTH)
		return false;
	return !(sqlstate[0] == '0' && sqlstate[1] >= '0' && sqlstate[1] <= '2');
}

/* An argument as a C string, NULL for NULL. */
static char *
text_argument(FunctionCallInfo fcinfo, int number)
{
	return PG_ARGISNULL(number) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(number));
}

/* Refuses a call that names no error. */
static void
check_error_arguments(const char *sqlstate, const char *message)
{
	if (sqlstate == NULL || !sqlstate_is_error(sqlstate))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid SQLSTATE"),
				 errdetail("An error's SQLSTATE has five characters out of 0-9 and A-Z, and its class is not 00, 01 or 02."),
				 bcce_hide_input()));
	if (message == NULL || message[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an error needs a message"),
				 bcce_hide_input()));
}

PG_FUNCTION_INFO_V1(raise_error);
/* SQL: raises the error; the log gets these words and no statement. */
Datum
raise_error(PG_FUNCTION_ARGS)
{
	char	   *sqlstate = text_argument(fcinfo, 0);
	char	   *message = text_argument(fcinfo, 1);
	char	   *detail = text_argument(fcinfo, 2);
	char	   *hint = text_argument(fcinfo, 3);

	check_error_arguments(sqlstate, message);
	ereport(ERROR,
			(errcode(MAKE_SQLSTATE(sqlstate[0], sqlstate[1], sqlstate[2],
								   sqlstate[3], sqlstate[4])),
			 errmsg_internal("%s", message),
			 detail != NULL ? errdetail_internal("%s", detail) : 0,
			 hint != NULL ? errhint("%s", hint) : 0,
			 bcce_hide_input()));
	PG_RETURN_VOID();
}
