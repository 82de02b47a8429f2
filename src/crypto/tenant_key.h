/*
 * tenant_key.h
 *		The random key that each tenant has for itself.
 */
#ifndef BCCE_TENANT_KEY_H
#define BCCE_TENANT_KEY_H

#include "utils/uuid.h"

#define TENANT_KEY_BYTES	32

/*
 * Copies a key out that is derived from the tenant's for a use, which the label
 * names; wipe the copy after use.  Errors out (P0002) when the tenant has none.
 * Privileges and row security are not asked: the caller decides who may use a
 * key, and never shows it.
 */
extern void tenant_subkey_read(const pg_uuid_t *tenant, const char *label, size_t len,
							   unsigned char *subkey);

#endif
