/*
 * tenant_key.h
 *		The random key that each tenant has for itself.
 */
#ifndef BCCE_TENANT_KEY_H
#define BCCE_TENANT_KEY_H

#include "utils/uuid.h"

#define TENANT_KEY_BYTES	32

/*
 * Copies the tenant's key out; wipe the copy after use.  Errors out (P0002)
 * when the tenant has none.  Privileges and row security are not asked: the
 * caller decides who may use a key, and never shows it.
 */
extern void tenant_key_read(const pg_uuid_t *tenant, unsigned char *key);

#endif
