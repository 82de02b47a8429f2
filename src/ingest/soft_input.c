/*
 * soft_input.c
 *		Conversions that answer NULL where the server's own raise an error.
 *
 * An inbox counts a bad row and goes on; an error would end the whole COPY and
 * print the row.  Each function looks at the text first and calls the server's
 * input function only for what that one is known to take.
 */
#include "postgres.h"

#include <errno.h>
#include <math.h>
#include <sys/socket.h>

#include "common/jsonapi.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/inet.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "compat.h"
#include "ingest/soft_text.h"
#include "ingest/soft_time.h"

/* Longer than any address. */
#define MAX_ADDRESS		100

/* The trimmed bytes of a text argument; false when nothing is left. */
static bool
trimmed_arg(FunctionCallInfo fcinfo, int arg, const char **s, size_t *len)
{
	text	   *value = PG_GETARG_TEXT_PP(arg);

	*s = VARDATA_ANY(value);
	*len = VARSIZE_ANY_EXHDR(value);
	text_trim(s, len);
	return *len > 0;
}

PG_FUNCTION_INFO_V1(try_timestamptz);
/* try_timestamptz(value text, zone text) returns timestamptz */
Datum
try_timestamptz(PG_FUNCTION_ARGS)
{
	text	   *zone_name = PG_GETARG_TEXT_PP(1);
	const char *s;
	size_t		len;
	pg_tz	   *zone;
	TimestampTz result;

	if (!trimmed_arg(fcinfo, 0, &s, &len))
		PG_RETURN_NULL();
	zone = soft_zone(VARDATA_ANY(zone_name), VARSIZE_ANY_EXHDR(zone_name));
	if (zone == NULL || !soft_timestamptz(s, len, zone, &result))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(result);
}

PG_FUNCTION_INFO_V1(try_float8);
/* try_float8(value text) returns double precision */
Datum
try_float8(PG_FUNCTION_ARGS)
{
	const char *s;
	size_t		len;
	double		result;

	if (!trimmed_arg(fcinfo, 0, &s, &len) || !text_is_number(s, len))
		PG_RETURN_NULL();
	errno = 0;
	result = strtod(pnstrdup(s, len), NULL);

	/* out of range is an error for the server, but for denormal results */
	if (isinf(result) || (errno == ERANGE && result == 0))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(result);
}

PG_FUNCTION_INFO_V1(try_bigint);
/* try_bigint(value text) returns bigint */
Datum
try_bigint(PG_FUNCTION_ARGS)
{
	const char *s;
	size_t		len;
	int64_t		result;

	if (!trimmed_arg(fcinfo, 0, &s, &len) || !text_to_int64(s, len, &result))
		PG_RETURN_NULL();
	PG_RETURN_INT64(result);
}

PG_FUNCTION_INFO_V1(try_numeric);
/* try_numeric(value text) returns numeric */
Datum
try_numeric(PG_FUNCTION_ARGS)
{
	const char *s;
	size_t		len;

	if (!trimmed_arg(fcinfo, 0, &s, &len) || !text_is_number(s, len))
		PG_RETURN_NULL();
	return DirectFunctionCall3(numeric_in, CStringGetDatum(pnstrdup(s, len)),
							   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

PG_FUNCTION_INFO_V1(try_boolean);
/* try_boolean(value text) returns boolean */
Datum
try_boolean(PG_FUNCTION_ARGS)
{
	const char *s;
	size_t		len;
	bool		result;

	if (!trimmed_arg(fcinfo, 0, &s, &len) || !parse_bool_with_len(s, len, &result))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(result);
}

PG_FUNCTION_INFO_V1(try_uuid);
/* try_uuid(value text) returns uuid */
Datum
try_uuid(PG_FUNCTION_ARGS)
{
	const char *s;
	size_t		len;
	pg_uuid_t  *result = (pg_uuid_t *) palloc(sizeof(pg_uuid_t));

	if (!trimmed_arg(fcinfo, 0, &s, &len) || !text_to_uuid(s, len, result->data))
		PG_RETURN_NULL();
	PG_RETURN_UUID_P(result);
}

PG_FUNCTION_INFO_V1(try_inet);
/* try_inet(value text) returns inet */
Datum
try_inet(PG_FUNCTION_ARGS)
{
	const char *s;
	size_t		len;
	char	   *copy;
	inet	   *result = (inet *) palloc0(sizeof(inet));
	int			bits;

	if (!trimmed_arg(fcinfo, 0, &s, &len) || len > MAX_ADDRESS)
		PG_RETURN_NULL();
	copy = pnstrdup(s, len);
	ip_family(result) = strchr(copy, ':') != NULL ? PGSQL_AF_INET6 : PGSQL_AF_INET;
	bits = pg_inet_net_pton(ip_family(result), copy, ip_addr(result), -1);
	if (bits < 0 || bits > ip_maxbits(result))
		PG_RETURN_NULL();
	ip_bits(result) = bits;
	SET_INET_VARSIZE(result);
	PG_RETURN_INET_P(result);
}

/*
 * Would jsonb_in() take the text?  The bounds come first: deep nesting is an
 * error already for the reader, and a server that is not in UTF-8 raises one
 * for escapes it has no character for.
 */
static bool
is_jsonb(char *s, size_t len)
{
	return json_is_bounded(s, len, GetDatabaseEncoding() != PG_UTF8) &&
		pg_parse_json(bcce_json_lex(s, (int) len), &nullSemAction) == JSON_SUCCESS;
}

PG_FUNCTION_INFO_V1(try_jsonb);
/* try_jsonb(value text) returns jsonb */
Datum
try_jsonb(PG_FUNCTION_ARGS)
{
	const char *s;
	size_t		len;
	char	   *copy;

	if (!trimmed_arg(fcinfo, 0, &s, &len) || len > JSON_MAX_BYTES)
		PG_RETURN_NULL();
	copy = pnstrdup(s, len);
	if (!is_jsonb(copy, len))
		PG_RETURN_NULL();
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(copy));
}
