/* What a hub has written down: its journal, read beside the running daemon or after its end.
 *
 * An event that an answer rests on is durable before the answer leaves, so a test that has the
 * answer finds the event here without waiting. */
#ifndef IEUM_TESTS_INTEGRATION_RECORD_H
#define IEUM_TESTS_INTEGRATION_RECORD_H

#include <stdint.h>

#include "ieum/v1/event.pb-c.h"
#include "proto/error.h"
#include "tests/integration/hub.h"

/* Calls it for every event, in order. */
typedef void record_cb(void *ctx, uint64_t seq, const Ieum__V1__Event *event);
void record_each(const struct hub *h, record_cb *cb, void *ctx);

/* Refusals with this code, repeats counted; what: as in the event, NULL: anything.
 * *events, if not NULL: in how many events. */
uint32_t record_refused(const struct hub *h, enum ieum_err code, const char *what,
			uint32_t *events);

/* How often this was read; id NULL: whatever case or message. */
uint32_t record_read(const struct hub *h, const char *what, const uint8_t *id);

/* Expects that the offline audit finds the journal sound. */
void record_audit(const struct hub *h);

#endif
