/*
 * context_key.h
 *		The public keys that context tokens may be signed with.
 */
#ifndef BCCE_CONTEXT_KEY_H
#define BCCE_CONTEXT_KEY_H

#include "datatype/timestamp.h"

/*
 * Copies out the public key of that name, if it is in force at that instant;
 * false where there is none.  public_key may be NULL.
 */
extern bool context_key_find(const char *key_id, TimestampTz at, unsigned char *public_key);

#endif
