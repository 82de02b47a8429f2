/*
 * aggregate_state.c
 *		For test/tap/percentile_exact.sh: calls the functions of an aggregate as the
 *		server would, so that a test can hand them bytes of its own.
 */
#include "postgres.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "utils/array.h"

PG_MODULE_MAGIC;

/* Calls a function as an aggregate would. */
static Datum
call(Oid function, AggState *aggregate, int n, const NullableDatum *arguments, bool *isnull)
{
	LOCAL_FCINFO(fcinfo, 3);
	FmgrInfo	flinfo;
	Datum		result;

	fmgr_info(function, &flinfo);
	InitFunctionCallInfoData(*fcinfo, &flinfo, n, InvalidOid, (Node *) aggregate, NULL);
	memcpy(fcinfo->args, arguments, n * sizeof(NullableDatum));
	result = FunctionCallInvoke(fcinfo);
	*isnull = fcinfo->isnull;
	return result;
}

static AggState *
make_aggregate(void)
{
	AggState   *aggregate = makeNode(AggState);

	aggregate->curaggcontext = CreateStandaloneExprContext();
	return aggregate;
}

PG_FUNCTION_INFO_V1(make_state);
/* make_state(v anyarray, q float8[], step oid, serialize oid) returns bytea */
Datum
make_state(PG_FUNCTION_ARGS)
{
	AggState   *aggregate = make_aggregate();
	ArrayIterator iterator = array_create_iterator(PG_GETARG_ARRAYTYPE_P(0), 0, NULL);
	NullableDatum arguments[3] = {{0, true}, {0, false}, {PG_GETARG_DATUM(1), false}};
	bool		isnull;

	while (array_iterate(iterator, &arguments[1].value, &arguments[1].isnull))
	{
		arguments[0].value = call(PG_GETARG_OID(2), aggregate, 3, arguments, &isnull);
		arguments[0].isnull = false;
	}
	return call(PG_GETARG_OID(3), aggregate, 1, arguments, &isnull);
}

PG_FUNCTION_INFO_V1(end_state);
/* end_state(bytea, deserialize oid, combine oid, final oid) returns boolean: is there an answer? */
Datum
end_state(PG_FUNCTION_ARGS)
{
	AggState   *aggregate = make_aggregate();
	NullableDatum arguments[2] = {{PG_GETARG_DATUM(0), false}, {0, true}};
	bool		isnull;

	arguments[1].value = call(PG_GETARG_OID(1), aggregate, 2, arguments, &isnull);
	arguments[1].isnull = false;
	arguments[0].isnull = true;
	arguments[0].value = call(PG_GETARG_OID(2), aggregate, 2, arguments, &isnull);
	arguments[0].isnull = false;
	arguments[0].value = call(PG_GETARG_OID(2), aggregate, 2, arguments, &isnull);
	call(PG_GETARG_OID(3), aggregate, 1, arguments, &isnull);
	PG_RETURN_BOOL(!isnull);
}
