/* A tiny hub for libieum's tests: real TLS and frames on loopback, the codec, and no state but a
 * log of what came.  What it answers is set by the test. */
#ifndef IEUM_TESTS_LIBIEUM_HUB_H
#define IEUM_TESTS_LIBIEUM_HUB_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/codec.h"
#include "tests/unit/channel_world.h"

enum { HUB_LOG_MAX = 256 };

struct hub {
	struct world w;
	struct arena arena;
	uint8_t incarnation[16];
	uint32_t outstanding_requests; /* told in Welcome */
	int64_t id_window_ms;
	int64_t hub_time_at_ms; /* told in Welcome; 0: none */
	uint32_t frame_bytes;
	uint64_t copied_through;       /* told in Welcome */
	Ieum__V1__DeliveryCause cause; /* told with deliveries */
	int64_t answer_by_at_ms, received_at_ms;
	bool mute;                    /* answers nothing after Welcome */
	const Ieum__V1__Frame *frame; /* the one that came, while one of these runs */
	/* NULL: a receipt.  Answers, or not. */
	void (*on_submit)(struct hub *hub, uint64_t request_id, const uint8_t *message_id);
	/* NULL: Settled. */
	void (*on_settle)(struct hub *hub, uint64_t request_id, const Ieum__V1__Settle *settle);
	/* NULL: a Result for the query. */
	void (*on_query)(struct hub *hub, uint64_t request_id);
	/* NULL: Welcome. */
	void (*on_hello)(struct hub *hub, uint64_t request_id);

	/* what came */
	unsigned hellos, submits, settles, queries, pings, goodbyes;
	uint32_t credit;
	uint8_t ids[HUB_LOG_MAX][16]; /* of submits */
	int64_t at_ms[HUB_LOG_MAX];
	uint64_t requests[HUB_LOG_MAX];
	uint64_t done[HUB_LOG_MAX], released[HUB_LOG_MAX], refused[HUB_LOG_MAX];
	unsigned n_done, n_released, n_refused;
	char refusal[256];
	uint64_t journal_number;
};

void hub_open(struct hub *hub);
void hub_close(struct hub *hub);
const char *hub_address(const struct hub *hub);

void hub_send(struct hub *hub, Ieum__V1__Frame *frame);
void hub_welcome(struct hub *hub, uint64_t request_id);
void hub_receipt(struct hub *hub, uint64_t request_id, const uint8_t *message_id);
void hub_error(struct hub *hub, uint64_t request_id, enum ieum_err code, const char *detail,
	       uint32_t retry_after_ms);
void hub_goodbye(struct hub *hub);
/* A message with that id for the mailbox "gimpo-ps". */
void hub_deliver(struct hub *hub, uint64_t delivery_id, const uint8_t *message_id);
/* A copy of its journal is known, up to here. */
void hub_copied(struct hub *hub, uint64_t through);
/* Ends the connection without a word. */
void hub_cut(struct hub *hub);

#endif
