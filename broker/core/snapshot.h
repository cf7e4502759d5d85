/* What the parts of a snapshot share: each part of the core writes and reads records of its own.
 * Private to broker/core. */
#ifndef IEUM_BROKER_CORE_SNAPSHOT_H
#define IEUM_BROKER_CORE_SNAPSHOT_H

#include "broker/core/state.h"
#include "ieum/v1/snapshot.pb-c.h"

struct snapshot_writing {
	const struct core *c;
	struct arena arena; /* of the record being built */
	struct buf *out;
};

/* Ends a record; its memory is given back. */
enum ieum_err snapshot_put(struct snapshot_writing *w, Ieum__V1__SnapshotRecord__WhatCase what,
			   void *message) IEUM_MUST_CHECK;
/* n cleared things, and one more; NULL when there is no memory. */
void *snapshot_room(struct snapshot_writing *w, size_t n, size_t bytes);

static inline ProtobufCBinaryData snapshot_id(const uint8_t id[CORE_ID_BYTES])
{
	return (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)id };
}

/* The case that the message of this number opened; 0: none.  For reading and writing, once the
 * cases are there. */
uint32_t snapshot_case(const struct core *c, uint64_t seq);

#endif
