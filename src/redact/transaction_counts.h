/*
 * transaction_counts.h
 *		Counts what a transaction redacts, and writes it down when it commits.
 */
#ifndef BCCE_TRANSACTION_COUNTS_H
#define BCCE_TRANSACTION_COUNTS_H

#include "utils/rel.h"

#include "redact/redact.h"
#include "redact/rules.h"

/* Adds what was replaced in a row of a table for a tenant. */
extern void count_redactions(const pg_uuid_t *tenant, Oid table, const RedactCounts *counts,
							 const RedactRules *rules);

#endif
