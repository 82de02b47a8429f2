/*
 * verify_hmac.c
 *		SQL entry point of the signature check.
 */
#include "postgres.h"

#include "fmgr.h"

#include "compat.h"
#include "error.h"
#include "webhook/hmac.h"

/* The algorithm of a name, or the error that lists them. */
static HmacAlgorithm
algorithm_arg(text *name)
{
	HmacAlgorithm algorithm;

	if (!hmac_algorithm(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), &algorithm))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown signature algorithm"),
				 errdetail("The name has %d bytes.", (int) VARSIZE_ANY_EXHDR(name)),
				 errhint("Use sha256 or sha512."),
				 bcce_hide_input()));
	return algorithm;
}

/*
 * Refuses an empty key.  Anybody can sign with it, so it must verify nothing;
 * and it is a fault of the receiver's set-up, which "false" would hide among
 * bad signatures.
 */
static inline void
check_key(bytea *key)
{
	if (VARSIZE_ANY_EXHDR(key) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("signature key is empty"),
				 errdetail("The key has 0 bytes; everybody knows it."),
				 errhint("Give the secret that the sender signs with."),
				 bcce_hide_input()));
}

PG_FUNCTION_INFO_V1(verify_hmac);
/* verify_hmac(data bytea, signature bytea, key bytea, algorithm text) returns boolean */
Datum
verify_hmac(PG_FUNCTION_ARGS)
{
	bytea	   *data = PG_GETARG_BYTEA_PP(0);
	bytea	   *signature = PG_GETARG_BYTEA_PP(1);
	bytea	   *key = PG_GETARG_BYTEA_PP(2);
	HmacAlgorithm algorithm = algorithm_arg(PG_GETARG_TEXT_PP(3));

	check_key(key);
	PG_RETURN_BOOL(hmac_verify(algorithm,
							   (unsigned char *) VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key),
							   (unsigned char *) VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data),
							   (unsigned char *) VARDATA_ANY(signature),
							   VARSIZE_ANY_EXHDR(signature)));
}
