/* What the parts of libieum share; for client/lib*.c alone.
 *
 *   lib.c             options, new, free      lib_connection.c  up and down, Hello, silence
 *   lib_request.c     questions, the table    lib_submit.c      the queue of messages
 *                     of open requests        lib_settle.c      settles on their way
 *   lib_inbox.c       deliveries, repeats     lib_blocking.c    the wrapper
 *
 *          pause over              READY, Hello sent         Welcome
 *   DOWN ────────────► CONNECTING ───────────────► GREETING ─────────► UP
 *     ▲                    │                          │                 │
 *     └────────────────────┴─────── CHANNEL_CLOSED ───┴─────────────────┘
 *   STOPPED: as DOWN, for good.
 *
 * Whatever asks something of the hub is a `struct request` in one table, keyed by its number on
 * this connection; an answer, or the end of the connection, takes it out and tells its owner. */
#ifndef IEUM_CLIENT_LIB_INTERNAL_H
#define IEUM_CLIENT_LIB_INTERNAL_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/queue.h>
#include <uthash.h>

#include "client/ieum.h"
#include "client/lib_backoff.h"
#include "ieum/v1/frame.pb-c.h"
#include "proto/arena.h"
#include "proto/channel.h"
#include "proto/codec.h"
#include "proto/tls.h"

enum {
	LIB_VERSION = 1,         /* of the protocol */
	LIB_SETTLES_MAX = 65536, /* waiting or without an answer */
	LIB_DETAIL_BYTES = 512,
	LIB_NAME_BYTES = 64,
	LIB_FRAME_ROOM_BYTES = 64, /* what a Submit frame adds to its referral, at most */
	LIB_RETRY_MIN_MS = 20,     /* on top of the hub's hint; doubles each time */
	LIB_KEPT_MAX = 16384,      /* receipted messages kept */
};

enum lib_state { LIB_DOWN, LIB_CONNECTING, LIB_GREETING, LIB_UP, LIB_STOPPED };

/* A failure with its texts, for those who keep one. */
struct lib_trouble {
	struct ieum_failure failure;
	char name[LIB_NAME_BYTES];
	char detail[LIB_DETAIL_BYTES];
};

struct request;

/* frame: the answer; failure: an Error, or the end of the connection; neither: it is only to be
 * freed.  The request is no longer in the table. */
typedef void request_cb(struct ieum *c, struct request *r, const struct codec_frame *frame,
			const struct ieum_failure *failure);

struct request {
	uint64_t id; /* 0: not in the table */
	request_cb *answered;
	UT_hash_handle hh;
};

/* A message on its way.  It is on one of four lists, and on `started` until it has its end. */
struct outgoing {
	struct request request;
	TAILQ_ENTRY(outgoing) link;    /* waiting, sent, delayed or kept */
	TAILQ_ENTRY(outgoing) started; /* order of ieum_submit(): of expiry */
	ieum_submit_cb *cb;
	void *arg;
	int64_t since_ms, not_before_ms; /* monotonic */
	unsigned delays;
	bool sent, delayed; /* which list */
	bool stamped;       /* we made the id */
	bool on_wire;       /* ever */
	bool resent;        /* it had a receipt of another incarnation */
	uint8_t message_id[IEUM_ID_BYTES];
	size_t id_at; /* of the id in bytes */
	size_t len;
	uint8_t bytes[];
};
TAILQ_HEAD(outgoing_list, outgoing);

struct settle_op {
	STAILQ_ENTRY(settle_op) link;
	uint64_t delivery_id; /* as the application knows it */
	enum ieum_settle how;
	bool alone; /* a batch with it was refused: send it by itself */
	ieum_settle_cb *cb;
	void *arg;
	char reason[];
};
STAILQ_HEAD(settle_ops, settle_op);

struct settle_batch {
	struct request request;
	TAILQ_ENTRY(settle_batch) link;
	struct settle_ops ops;
};
TAILQ_HEAD(settle_batches, settle_batch);

/* Which delivery of which message: by what a repeat is known, also in another incarnation, where
 * delivery ids begin anew. */
struct seen_key {
	uint8_t message_id[IEUM_ID_BYTES];
	uint64_t mailbox; /* hash of its name */
};

enum seen_state { SEEN_HELD, SEEN_SETTLING, SEEN_SETTLED };

struct seen {
	struct seen_key key;
	uint64_t told_id; /* the delivery id the application knows */
	uint64_t wire_id; /* the one the hub knows now */
	unsigned incarnation;
	enum seen_state state;
	UT_hash_handle hh, hh_told;
	TAILQ_ENTRY(seen) link;
};
TAILQ_HEAD(seen_list, seen);

struct ieum {
	struct event_base *base;
	struct ieum_options options; /* strings are ours, in `strings` */
	struct arena strings;
	const char *addresses[IEUM_ADDRESSES_MAX];
	struct channel_loop *loop;
	struct channel_limits limits;
	struct tls *tls;
	bool in_callback;

	/* the connection */
	enum lib_state state;
	struct channel *ch;
	size_t address, tried; /* whose turn it is; how many of this round failed */
	struct backoff backoff;
	struct event reconnect_ev, work_ev, tick_ev;
	struct lib_trouble reason; /* why the connection will end, as the hub said it */
	uint32_t reconnect_hint_ms;
	bool pinged; /* for silence */
	Ieum__V1__Limits hub;
	uint8_t incarnation[IEUM_ID_BYTES];
	unsigned incarnation_n; /* 0: none known */
	struct arena arena;     /* of the frame at hand */

	uint64_t last_request_id;
	struct request *requests;

	struct outgoing_list waiting, sent, delayed, kept, started;
	size_t n_started, started_bytes, n_kept, kept_bytes;

	uint32_t credit;
	struct settle_ops settles;
	struct settle_batches batches;
	size_t n_settles;
	struct seen *seen_by_key, *seen_by_told;
	struct seen_list seen;
};

/* lib.c */
int64_t lib_now_ms(void); /* monotonic */
uint64_t lib_random(void);
void lib_trouble_set(struct lib_trouble *t, enum ieum_err code, const char *name,
		     const char *detail, uint32_t retry_after_ms);
/* Something may be sent now, or a time to wait has changed: looked at once in this loop turn. */
void lib_work_soon(struct ieum *c);

/* lib_connection.c */
void lib_connect(evutil_socket_t fd, short what, void *arg); /* reconnect_ev's */
void lib_connect_soon(struct ieum *c, uint32_t in_ms);
void lib_drop(struct ieum *c, enum ieum_err code, const char *detail);
void lib_send_credit(struct ieum *c);
int64_t lib_silence_due_ms(const struct ieum *c); /* INT64_MAX: never */
void lib_silence_check(struct ieum *c);

/* lib_request.c: may another request be sent now? */
bool lib_request_room(const struct ieum *c);
/* Puts the frame, with the request's new number, into the channel and the request into the table;
 * not when it fails. */
enum ieum_err lib_request_send(struct ieum *c, struct request *r,
			       Ieum__V1__Frame *frame) IEUM_MUST_CHECK;
void lib_request_add(struct ieum *c, struct request *r);
void lib_request_remove(struct ieum *c, struct request *r);
void lib_request_answer(struct ieum *c, const struct codec_frame *frame);
void lib_requests_lost(struct ieum *c, const struct ieum_failure *why);
void lib_requests_free(struct ieum *c);

/* lib_submit.c */
void lib_submits_send(struct ieum *c);
void lib_submits_lost(struct ieum *c);
void lib_submits_free(struct ieum *c);
int64_t lib_submits_due_ms(const struct ieum *c);
void lib_submits_tick(struct ieum *c);
size_t lib_submits_again(struct ieum *c); /* those kept; how many */

/* lib_settle.c */
void lib_settles_send(struct ieum *c);
void lib_settles_through(struct ieum *c, uint64_t request_id);
void lib_settles_lost(struct ieum *c);
void lib_settles_free(struct ieum *c);

/* lib_inbox.c */
void lib_inbox_delivery(struct ieum *c, const struct codec_frame *frame);
/* A delivery we can't read: refused, if it can be seen which; false: it can't. */
bool lib_inbox_unreadable(struct ieum *c, const struct frame_view *view, const char *why);
uint64_t lib_inbox_wire_id(struct ieum *c, uint64_t told_id);
void lib_inbox_settling(struct ieum *c, uint64_t told_id);
void lib_inbox_settled(struct ieum *c, uint64_t told_id, enum ieum_settle how, bool failed);
void lib_inbox_free(struct ieum *c);

#endif
