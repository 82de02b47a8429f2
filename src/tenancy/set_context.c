/*
 * set_context.c
 *		Verifying a context token, and taking it as this transaction's context.
 *
 * A login that many share, such as that of a BI server, has no tenants of its
 * own.  It presents a token that somebody else signed: for which role, which
 * tenants, and until when.  Whatever is wrong with a token, the caller gets
 * one message; the reason goes to the server log.  No text of the token does.
 */
#include "postgres.h"

#include <sodium.h>

#include "access/detoast.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "commands/dbcommands.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "context_key.h"
#include "context_setting.h"
#include "crypto/token.h"
#include "error.h"
#include "membership.h"

/* How far the signer's clock may be ahead of ours. */
#define LEEWAY			(INT64CONST(30) * USECS_PER_SEC)

/* From the Unix epoch to the server's, in microseconds. */
#define EPOCH_USECS		((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

/* The one error for every token that is refused. */
static void
refuse(const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 errmsg("the context token is not valid"),
			 errdetail_log("%s", reason),
			 errhint("Get a new token for this role and for what bcce.context_assertion() says; the server log has the reason."),
			 bcce_hide_input()));
}

/* What a token must be signed for: this database of this cluster. */
static char *
context_assertion_text(void)
{
	return psprintf("bcce|" UINT64_FORMAT "|%s", GetSystemIdentifier(), get_database_name(MyDatabaseId));
}

/* A text of ours as UTF-8, which tokens are in. */
static char *
as_utf8(char *text)
{
	return pg_server_to_any(text, strlen(text), PG_UTF8);
}

/* Takes the argument apart; a huge one is not even read. */
static void
decode_argument(Datum argument, Token *token)
{
	text	   *bytes;

	if (toast_raw_datum_size(argument) - VARHDRSZ > TOKEN_MAX_BYTES)
		refuse("It has more than 4096 bytes.");
	bytes = DatumGetTextPP(argument);
	if (!token_decode(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), token))
		refuse("It has not the form of a PASETO v4.public token.");
}

/* Finds the key that the footer names, and checks the signature with it. */
static void
check_signature(const Token *token, TimestampTz now, char *key_id)
{
	unsigned char public_key[TOKEN_KEY_BYTES];
	char	   *assertion = as_utf8(context_assertion_text());

	if (!token_key_id(token, key_id))
		refuse("Its footer names no key.");
	if (!context_key_find(key_id, now, public_key))
		refuse("Its key is unknown, not in force, or revoked.");
	if (!token_is_signed(token, public_key, assertion, strlen(assertion)))
		refuse("Its signature is not that of its key for this database.");
}

/* Checks what the claims say about time. */
static void
check_times(const TokenClaims *claims, TimestampTz now)
{
	int64		unix_now = now + EPOCH_USECS;

	if (claims->expires_at - claims->issued_at > context_max_lifetime())
		refuse("Its life is longer than bcce.context_max_ttl.");
	if (claims->expires_at <= unix_now)
		refuse("It has expired.");
	if (Max(claims->issued_at, claims->not_before) > unix_now + LEEWAY)
		refuse("It is not valid yet.");
}

/* Checks whom the claims are about: the caller, a login that needs a token. */
static void
check_role(const TokenClaims *claims)
{
	Oid			role = GetOuterUserId();

	if (strcmp(claims->role, as_utf8(GetUserNameFromId(role, false))) != 0)
		refuse("It is for another role.");
	if (!role_uses_token(role))
		refuse("The role takes its tenants from memberships, not from a token.");
}

/* Verifies a token, or refuses it. */
static void
verify(Datum argument, TenantContext *context)
{
	TimestampTz now = GetCurrentTimestamp();
	Token		token;
	TokenClaims claims;

	decode_argument(argument, &token);
	check_signature(&token, now, context->key_id);
	if (!token_claims(&token, &claims))
		refuse("A claim is missing, given twice, unknown or malformed.");
	check_times(&claims, now);
	check_role(&claims);

	context->role = GetOuterUserId();
	context->expires_at = claims.expires_at - EPOCH_USECS;
	context->tenant_count = claims.tenant_count;
	memcpy(context->tenants, claims.tenants, sizeof(claims.tenants));
}

/* Refuses another context than the one that this transaction has. */
static void
check_no_other(const TenantContext *context)
{
	const TenantContext *present = tenant_context();

	if (present == NULL ||
		(present->role == context->role && present->tenant_count == context->tenant_count &&
		 memcmp(present->tenants, context->tenants, context->tenant_count * UUID_LEN) == 0))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("this transaction has another context already"),
			 errhint("Begin a new transaction for another role or other tenants."),
			 bcce_hide_input()));
}

PG_FUNCTION_INFO_V1(set_context);
/* set_context(token text) returns void */
Datum
set_context(PG_FUNCTION_ARGS)
{
	TenantContext context = {0};

	if (InSecurityRestrictedOperation())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot set the context within security-restricted operation"),
				 bcce_hide_input()));
	if (PG_ARGISNULL(0))
		refuse("It is NULL.");
	verify(PG_GETARG_DATUM(0), &context);
	check_no_other(&context);
	set_tenant_context(&context);
	if (!IsTransactionBlock())
		ereport(WARNING,
				(errcode(ERRCODE_NO_ACTIVE_SQL_TRANSACTION),
				 errmsg("the context ends with this statement"),
				 errhint("Call bcce.set_context() between BEGIN and COMMIT, before what is to be read."),
				 bcce_hide_input()));
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(context_assertion);
/* context_assertion() returns text */
Datum
context_assertion(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(context_assertion_text()));
}

PG_FUNCTION_INFO_V1(is_ed25519_public_key);
/* is_ed25519_public_key(key bytea) returns boolean */
Datum
is_ed25519_public_key(PG_FUNCTION_ARGS)
{
	bytea	   *key = PG_GETARG_BYTEA_PP(0);

	PG_RETURN_BOOL(VARSIZE_ANY_EXHDR(key) == TOKEN_KEY_BYTES &&
				   crypto_core_ed25519_is_valid_point((unsigned char *) VARDATA_ANY(key)) == 1);
}
