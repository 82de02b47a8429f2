/*
 * pseudonym.h
 *		Keyed names that stand for a person or an identifier.
 *
 * A pseudonym is "<domain>_" and 26 characters of base32 (a-z, 2-7): 128 bits
 * of BLAKE2b over the value, keyed by the tenant's own random key and the
 * domain, so that the same value has another name in another tenant or domain.
 */
#ifndef BCCE_PSEUDONYM_H
#define BCCE_PSEUDONYM_H

#include "utils/uuid.h"

/* Does the text already have the shape of a pseudonym? */
extern bool pseudonym_is(const char *s, size_t len);

/*
 * The pseudonym of a value for a tenant.  Errors out when the tenant has no
 * key (tenants get one when they are made), never echoing the value.
 */
extern text *pseudonym_for(const pg_uuid_t *tenant, const char *value, size_t len,
						   const char *domain);

/*
 * The letters of a keyed name for a text that redaction replaces, four bits of
 * the hash each, from a key of its own: no pseudonym can be told by them.
 */
extern void redaction_letters(const pg_uuid_t *tenant, const char *tag, const char *value,
							  size_t len, const char *alphabet16, char *letters, int n);

#endif
