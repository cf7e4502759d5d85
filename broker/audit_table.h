/* Records found by a 64-bit number: deliveries, connections and erased payloads of an audit.
 *
 * A record is any struct that begins with its key, a uint64_t.  Its address is good until it is
 * dropped.  One owner. */
#ifndef IEUM_BROKER_AUDIT_TABLE_H
#define IEUM_BROKER_AUDIT_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "broker/core/lookup.h"
#include "broker/core/slab.h"

struct audit_table {
	struct slab records;
	struct lookup keys;
};

void audit_table_init(struct audit_table *t, size_t record_bytes);
void audit_table_deinit(struct audit_table *t);

/* NULL: there is none. */
void *audit_table_find(const struct audit_table *t, uint64_t key);
/* A cleared record with this key, which must not be there yet; NULL when out of memory. */
void *audit_table_add(struct audit_table *t, uint64_t key);
/* It must be there. */
void audit_table_drop(struct audit_table *t, uint64_t key);
void audit_table_clear(struct audit_table *t);

/* Every record, in no order: begin with *at = 0; NULL after the last.  Nothing may be added or
 * dropped meanwhile. */
void *audit_table_next(const struct audit_table *t, uint32_t *at);

#endif
