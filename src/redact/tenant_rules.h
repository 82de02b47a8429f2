/*
 * tenant_rules.h
 *		The redaction rules and the style of a tenant, kept per backend.
 */
#ifndef BCCE_TENANT_RULES_H
#define BCCE_TENANT_RULES_H

#include "utils/uuid.h"

#include "redact/render.h"
#include "redact/rules.h"

/*
 * The tenant's rules in force, NULL when it has none, and its style.  Good until
 * the next call.  Does not ask who is calling.
 */
extern const RedactRules *tenant_rules(const pg_uuid_t *tenant, RedactStyle *style);

#endif
