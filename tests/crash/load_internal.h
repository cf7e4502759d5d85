/* What load.c (the memory, running) and agent.c (one connection's work) share. */
#ifndef IEUM_TESTS_CRASH_LOAD_INTERNAL_H
#define IEUM_TESTS_CRASH_LOAD_INTERNAL_H

#include <sys/queue.h>

#include "proto/channel.h"
#include "proto/codec.h"
#include "tests/crash/load.h"

enum {
	AGENTS = 6,
	HELD_MAX = 8, /* deliveries an agent sits on before it settles them together */
};

struct role {
	const char *participant;
	bool submits;
};

/* A message, as long as the test runs. */
struct sent {
	uint8_t id[CODEC_ID_BYTES]; /* first: it is compared by */
	TAILQ_ENTRY(sent) link;     /* of its agent, in the order of submitting */
	uint8_t *bytes;             /* the packed referral */
	size_t len;
	uint64_t number; /* in the journal; 0: no receipt yet */
};
TAILQ_HEAD(sent_list, sent);

struct delivered {
	uint64_t id;     /* first: it is compared by */
	bool is_settled; /* Settled has come */
};

/* A delivery whose Settle is on its way, or was when the connection ended. */
struct settling {
	STAILQ_ENTRY(settling) link;
	uint64_t request_id;
	struct delivered *delivered;
};

STAILQ_HEAD(settling_list, settling);

struct agent {
	struct load *load;
	const struct role *role;
	struct tls *tls;
	struct channel *ch; /* NULL: not connected */
	bool is_welcome;
	uint64_t request_id;
	unsigned outstanding;
	struct sent_list owed; /* without a receipt */
	struct sent_list receipted;
	uint8_t case_id[CODEC_ID_BYTES]; /* one of its own, receipted */
	bool has_case;
	struct settling_list settling, unconfirmed;
	struct delivered *held[HELD_MAX];
	unsigned n_held;
};

struct load {
	const char *certificates;
	uint64_t random;
	struct event_base *base;
	struct channel_loop *channels;
	struct event *kill_ev, *look_ev;
	struct load_kill kill_at;
	uint64_t last_message; /* counts.submitted at which the kill is near */
	bool is_draining, is_late;
	struct agent agents[AGENTS];
	void *sent, *delivered; /* trees by id */
	struct load_counts counts;
	char trouble[200];
};

/* load.c: what is known of a message or a delivery; NULL: nothing. */
struct sent *load_find_sent(const struct load *l, const uint8_t *id);
struct delivered *load_find_delivered(const struct load *l, uint64_t id);
/* Takes it. */
void load_remember_sent(struct load *l, struct sent *s);
void load_remember_delivered(struct load *l, struct delivered *d);
/* A new message goes out: is it time? */
void load_count_submit(struct load *l);
/* A promise is broken: the first one is kept, and the run ends. */
void load_broken(struct load *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* agent.c: every event of its channel. */
void agent_channel_cb(struct channel *ch, enum channel_event event, const struct frame_view *view,
		      void *arg);
/* What became of what was on its way isn't known any more. */
void agent_forget_connection(struct agent *a);

#endif
