/* What the parts of libieum share; for client/lib*.c alone.
 *
 *   lib.c             options, new, free      lib_connection.c  up and down, Hello, silence
 *   lib_request.c     questions, the table    lib_submit.c      the queue of messages
 *                     of open requests        lib_settle.c      settles on their way
 *   lib_inbox.c       deliveries, repeats     lib_blocking.c    the wrapper
 *   lib_seal.c        sealed on their way     lib_key.c         keys for newcomers
 *   lib_spool.c       what is on the disk     lib_spool_inbox.c deliveries there
 *                                             lib_spool_hand.c  to the application
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
#include "client/keyring.h"
#include "client/lib_backoff.h"
#include "client/spool.h"
#include "ieum/v1/frame.pb-c.h"
#include "proto/arena.h"
#include "proto/channel.h"
#include "proto/codec.h"
#include "proto/tls.h"
#include "proto/uuid7.h"

enum {
	LIB_VERSION = 1,         /* of the protocol */
	LIB_SETTLES_MAX = 65536, /* waiting or without an answer */
	LIB_DETAIL_BYTES = 512,
	LIB_NAME_BYTES = 64,
	LIB_FRAME_ROOM_BYTES = 64, /* what a Submit frame adds to its referral, at most */
	LIB_RETRY_MIN_MS = 20,     /* on top of the hub's hint; doubles each time */
	LIB_KEPT_MAX = 16384,      /* receipted messages kept */
	LIB_SEALINGS_MAX = 4,      /* of one message: the first and three more */
	/* An id may lie so far in the future (ID_IN_FUTURE). */
	LIB_ID_FUTURE_MS = 10 * 60 * 1000,
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

/* What is to be noted on the spool about a message that has ended. */
enum lib_note { LIB_NOTE_RECEIPT, LIB_NOTE_REFUSED, LIB_NOTE_DROP };

/* A message on its way.  It is on one of four lists, or one of the spool's two, and on `started`
 * until it has its end. */
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
	bool sealed;        /* parts of it, by us */
	bool to_seal;       /* to ourselves alone so far: the hub is asked first whom it reaches */
	unsigned sealings;  /* how often it was sealed to others */
	bool renamed;       /* it had former_id, and nobody was told yet */

	/* With a spool. */
	UT_hash_handle hh_number;
	int64_t number; /* of its row; 0: none */
	bool writing;   /* on the list of what the transaction has */
	bool unsaved;   /* its bytes are newer than its row */
	bool accepted;  /* its row is on the disk */
	bool marked;    /* its row says that it may be on the wire */
	bool alone;     /* read back, or its caller has left: nobody waits for its callback */
	enum lib_note note;
	uint32_t code; /* of a refusal */
	char *detail;

	/* With a receipt. */
	uint64_t journal_number;
	uint8_t incarnation[IEUM_ID_BYTES];

	uint8_t message_id[IEUM_ID_BYTES], former_id[IEUM_ID_BYTES];
	size_t id_at; /* of the id in bytes */
	size_t len;
	uint8_t *bytes;
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

/* By what a repeat is known.  As long as the hub is the same incarnation: by its delivery id.  In
 * another one, where those begin anew: by why it came; what differs in that (an escalation) is no
 * repeat.  Without padding: they are hashed as bytes. */
struct seen_wire {
	uint64_t id;
	uint64_t incarnation;
};
struct seen_why {
	uint8_t message_id[IEUM_ID_BYTES];
	uint64_t mailbox; /* hash of its name */
	uint64_t cause;
	int64_t answer_by_at_ms, received_at_ms;
};

enum seen_state { SEEN_HELD, SEEN_SETTLING, SEEN_SETTLED };

struct seen {
	struct seen_why why;
	struct seen_wire wire; /* as the hub knows it now */
	uint64_t told_id;      /* the delivery id the application knows */
	int64_t row;           /* on the spool, where another process kept it; 0: none */
	bool again;            /* which may have handed it over */
	enum seen_state state;
	UT_hash_handle hh_why, hh_wire, hh_told;
	TAILQ_ENTRY(seen) link;
};
TAILQ_HEAD(seen_list, seen);

struct ieum {
	struct event_base *base;
	struct ieum_options options; /* strings are ours, in `strings` */
	struct arena strings;
	struct arena file_names; /* those of options that ieum_use_files() may change */
	const char *addresses[IEUM_ADDRESSES_MAX];
	struct channel_loop *loop;
	struct channel_limits limits;
	struct tls *tls;
	uint64_t files_read; /* tls_files_sum() when they were read */
	uint64_t files_seen; /* and when that was tried last */
	struct ieum_keyring *keyring;
	struct ieum_identity identities[IEUM_IDENTITIES_MAX]; /* and options.identities */
	bool files_looked_at;                                 /* in this turn */
	bool in_callback;
	bool in_work; /* work_ev's callback runs */

	/* the connection */
	enum lib_state state;
	struct channel *ch;
	size_t address, tried; /* whose turn it is; how many of this round failed */
	struct backoff backoff;
	struct event reconnect_ev, work_ev, tick_ev;
	struct lib_trouble reason; /* why the connection will end, as the hub said it */
	uint32_t reconnect_hint_ms;
	bool pinged;      /* for silence */
	bool drill;       /* the hub's clock is not ours */
	bool plain_hello; /* the hub is of a version that reads no receipt there */
	Ieum__V1__Limits hub;
	int64_t hub_time_ms, hub_time_since_ms; /* in Welcome; monotonic; 0: not told yet */
	struct uuid7_source ids;                /* by the hub's time */
	uint8_t incarnation[IEUM_ID_BYTES];
	unsigned incarnation_n;  /* 0: none known */
	uint64_t receipt_number; /* the newest of this incarnation that we know of; 0: none */
	struct arena arena;      /* of the frame at hand */

	uint64_t last_request_id;
	struct request *requests;

	struct outgoing_list waiting, sent, delayed, kept, started;
	size_t n_started, started_bytes, n_kept, kept_bytes;

	LIST_HEAD(, wrapping) wrappings; /* key requests that are being answered */

	uint32_t credit;
	struct settle_ops settles;
	struct settle_batches batches;
	size_t n_settles;
	struct lib_spool *spool; /* NULL: none */
	int64_t alone_since_ms;  /* monotonic; without a connection */
	bool alone_told;
	struct seen *seen_by_why, *seen_by_wire, *seen_by_told;
	struct seen_list seen;
};

/* lib.c */
int64_t lib_now_ms(void); /* monotonic */
uint64_t lib_random(void);
void lib_trouble_set(struct lib_trouble *t, enum ieum_err code, const char *name,
		     const char *detail, uint32_t retry_after_ms);
/* Something may be sent now, or a time to wait has changed: looked at once in this loop turn. */
void lib_work_soon(struct ieum *c);

/* lib_files.c */
enum { LIB_FILE_NAMES_MAX_BYTES = 64 * 1024 };
/* The required ones are there, and not too many: else why not. */
bool lib_files_are_named(const struct ieum_options *options, char why[IEUM_WHY_BYTES]);
/* Copies the names of from into to, in the arena; false: no memory. */
bool lib_files_name(const struct ieum_options *from, struct ieum_options *to, struct arena *names);
/* c->tls and c->keyring, which are not there yet. */
enum ieum_err lib_files_read(struct ieum *c, char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;
/* They aren't what was read: another attempt may end otherwise. */
bool lib_files_changed(const struct ieum *c);
/* They are about to be used for a connection: reads them when they have changed. */
void lib_files_renew(struct ieum *c);
/* Something has come that they may judge: the same, once in a turn, so that a client that stays
 * connected knows a new revocation list before it shows what somebody signed. */
void lib_files_look(struct ieum *c);

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

/* lib_id.c */
int64_t lib_wall_ms(void); /* Unix time by our own clock */
/* By the hub's clock once it was told. */
enum ieum_err lib_id_make(struct ieum *c, uint8_t id[IEUM_ID_BYTES]) IEUM_MUST_CHECK;
/* Of which times ids are taken by the hub now, as far as we know: above and up to. */
struct lib_id_window {
	int64_t oldest_ms, newest_ms;
};
struct lib_id_window lib_id_window(const struct ieum *c);
bool lib_id_fits(const struct lib_id_window *w, const uint8_t id[IEUM_ID_BYTES]);
/* Gives it another id where the hub would refuse the one it has, if that is ours and no hub has seen
 * it.  With a spool that has to be on the disk first. */
bool lib_id_renew(struct ieum *c, struct outgoing *o);
/* The application hears of it. */
void lib_id_tell(struct ieum *c, struct outgoing *o);

/* lib_submit.c */
/* A message that has its id, which is ours if it is `stamped`; checked. */
enum ieum_err lib_submit(struct ieum *c, const Ieum__V1__Referral *referral, bool stamped,
			 bool to_seal, ieum_submit_cb *cb, void *arg,
			 char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;
/* Other bytes for the same message; takes them. */
void lib_submit_set_bytes(struct ieum *c, struct outgoing *o, uint8_t *bytes, size_t len);
void lib_submits_send(struct ieum *c);
void lib_submits_lost(struct ieum *c);
void lib_submits_free(struct ieum *c);
int64_t lib_submits_due_ms(const struct ieum *c);
void lib_submits_tick(struct ieum *c);
size_t lib_submits_again(struct ieum *c); /* those kept; how many */
/* Those kept up to this number of the journal have a copy. */
void lib_submits_copied(struct ieum *c, uint64_t through);
/* One that was read back from the spool; NULL: no memory. */
struct outgoing *lib_submit_loaded(struct ieum *c, const uint8_t *bytes, size_t len);
/* Is there such a message whose row isn't on the disk yet? */
bool lib_submit_accepting(const struct ieum *c, ieum_submit_cb *cb, const void *arg);
/* Its caller waits no more: with a spool `resent` tells its end.  False: no such message on a spool;
 * the callback still comes. */
bool lib_submit_leave(struct ieum *c, ieum_submit_cb *cb, const void *arg,
		      uint8_t message_id[IEUM_ID_BYTES]);
/* It waits before it goes on. */
void lib_submit_delay(struct ieum *c, struct outgoing *o, int64_t ms);
/* It could not be accepted: told and freed. */
void lib_submit_failed(struct ieum *c, struct outgoing *o, const struct ieum_failure *failure);

/* lib_spool.c; without a spool they do nothing. */
enum ieum_err lib_spool_open(struct ieum *c, char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;
void lib_spool_close(struct ieum *c);
enum ieum_err lib_spool_put(struct ieum *c, struct outgoing *o,
			    char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;
/* On no list, with other bytes than its row: goes on when they are on the disk. */
void lib_spool_changed(struct ieum *c, struct outgoing *o);
/* Has its row to be written again before it is sent? */
bool lib_spool_must_mark(const struct ieum *c, const struct outgoing *o);
/* Takes what has ended. */
void lib_spool_finished(struct ieum *c, struct outgoing *o, const Ieum__V1__Receipt *receipt,
			const struct ieum_failure *failure);
void lib_spool_turn(struct ieum *c);
/* False: the connection is being dropped. */
bool lib_spool_welcome(struct ieum *c, const Ieum__V1__Welcome *welcome, size_t *resending);
void lib_spool_copied(struct ieum *c, const Ieum__V1__Copied *copied);
uint64_t lib_spool_waiting(struct ieum *c); /* messages without a receipt */
bool lib_spool_idle(const struct ieum *c);  /* all of ours have ended */
int64_t lib_spool_due_ms(const struct ieum *c);
void lib_spool_tick(struct ieum *c);

/* lib_spool_inbox.c */
void lib_spool_delivery(struct ieum *c, const Ieum__V1__Delivery *delivery,
			const struct frame_view *view);
/* Has it told the application of a delivery under that number, which isn't taken yet? */
bool lib_spool_holds(const struct ieum *c, uint64_t told_id);
bool lib_spool_shut(const struct ieum *c);                        /* no deliveries are wanted now */
bool lib_spool_again(const struct ieum *c, uint64_t delivery_id); /* was it handed over before? */
/* What the spool has of a delivery that isn't to be kept on it; one that is taken there is settled. */
void lib_spool_known(struct ieum *c, const Ieum__V1__Delivery *delivery,
		     struct spool_delivery *known);
void lib_spool_row_taken(struct ieum *c, int64_t number);
/* lib_spool_hand.c.  False: not a delivery of the spool. */
bool lib_spool_settle(struct ieum *c, uint64_t delivery_id, enum ieum_settle how,
		      ieum_settle_cb *cb, void *arg, enum ieum_err *err);

/* lib_seal.c: asks whom the message would reach; false: not now. */
bool lib_seal_ask(struct ieum *c, struct outgoing *o);
/* The answer: its parts are sealed to them. */
enum ieum_err lib_seal_answered(struct ieum *c, struct outgoing *o, const Ieum__V1__Result *result,
				char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;

/* lib_key.c */
void lib_keys_free(struct ieum *c);
/* The same as of lib_submit.c, for the caller of ieum_key_wrap(); one that hasn't come as far as its
 * answer gives none any more.  The callback doesn't come. */
bool lib_key_accepting(const struct ieum *c, ieum_submit_cb *cb, const void *arg);
bool lib_key_leave(struct ieum *c, ieum_submit_cb *cb, const void *arg,
		   uint8_t message_id[IEUM_ID_BYTES]);

/* lib_settle.c */
enum ieum_err lib_settle(struct ieum *c, uint64_t delivery_id, enum ieum_settle how,
			 const char *reason, ieum_settle_cb *cb, void *arg) IEUM_MUST_CHECK;
void lib_settles_send(struct ieum *c);
void lib_settles_through(struct ieum *c, uint64_t request_id);
void lib_settles_lost(struct ieum *c);
void lib_settles_free(struct ieum *c);

/* lib_inbox.c */
void lib_inbox_delivery(struct ieum *c, const struct codec_frame *frame,
			const struct frame_view *view);
uint64_t lib_inbox_mailbox(const Ieum__V1__Delivery *delivery); /* as a number */
/* Repeats of it will be passed over.  told_id: how the application knows it. */
void lib_inbox_remember(struct ieum *c, const Ieum__V1__Delivery *delivery, uint64_t told_id);
/* The application has taken it. */
void lib_inbox_taken(struct ieum *c, uint64_t told_id);
bool lib_inbox_is_told(struct ieum *c, uint64_t told_id); /* of one that is remembered */
/* A delivery we can't read: refused, if it can be seen which; false: it can't. */
bool lib_inbox_unreadable(struct ieum *c, const struct frame_view *view, const char *why);
uint64_t lib_inbox_wire_id(struct ieum *c, uint64_t told_id);
void lib_inbox_settling(struct ieum *c, uint64_t told_id);
void lib_inbox_settled(struct ieum *c, uint64_t told_id, enum ieum_settle how, bool failed);
void lib_inbox_free(struct ieum *c);

#endif
