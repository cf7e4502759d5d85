/* What the parts of `ieum pipe` share; for client/cmd_pipe.c and client/pipe_*.c alone.
 *
 *   stdin ──► pipe_input.c: lines, commands ──► libieum ──► pipe_output.c: lines ──► stdout
 *                                                └─ pipe_seal.c: opens what was sealed
 *
 * What always holds: a command has exactly one line as its result.  Reading stops while a command
 * can't be handed over, too many have no result yet, or the output isn't taken; then the credit is
 * 0 as well.  All on one loop and one thread. */
#ifndef IEUM_CLIENT_PIPE_H
#define IEUM_CLIENT_PIPE_H

#include <event2/buffer.h>
#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "client/invocation.h"
#include "client/ieum.h"
#include "client/offline.h"
#include "ieum/v1/frame.pb-c.h"
#include "proto/pbmap.h"

enum {
	PIPE_LINE_BYTES_MAX = 4 * 1024 * 1024,
	PIPE_CALLS_MAX = 1024, /* commands without a result */
	/* Output that nobody has read: from here on nothing more is taken, until down to there. */
	PIPE_OUT_HIGH_BYTES = 256 * 1024,
	PIPE_OUT_LOW_BYTES = 64 * 1024,
	PIPE_READ_BYTES = 64 * 1024,
	PIPE_RETRY_MS = 500, /* told where trying again can help and the hub has named no time */
};

struct pipe;

/* A command that has no result yet. */
struct pipe_call {
	TAILQ_ENTRY(pipe_call) link;
	struct pipe *pipe;
	json_t *id; /* of its line; NULL: none */
	size_t line;
	/* Hands it to libieum; when it can't be taken now, TOO_MANY_REQUESTS or CONNECTION_LOST. */
	enum ieum_err (*start)(struct pipe_call *call, char why[IEUM_WHY_BYTES]);
	ProtobufCMessage *message; /* what is asked; freed by the call */
	uint8_t message_id[IEUM_ID_BYTES];
	bool has_message_id;
	bool accepted;  /* it is on the spool */
	json_t *opened; /* of a query's result: what stands beside it */
	/* Of a settle. */
	size_t settling, settled;
	json_t *unsettled; /* numbers of deliveries that could not be */
	struct ieum_failure failure;
	char name[64], detail[IEUM_WHY_BYTES];
};
TAILQ_HEAD(pipe_calls, pipe_call);

struct pipe {
	struct invocation *inv;
	struct pbmap_style style;
	struct event_base *base;
	struct event *in_ev, *out_ev, *patience, *signals[2];
	struct ieum *c;

	struct evbuffer *in;
	size_t line;            /* number of the last one taken */
	bool skipping;          /* the rest of a line that is too long */
	bool in_ended;          /* end of file, or told to end */
	struct pipe_call *held; /* can't be handed over yet; on `calls` as well */
	struct pipe_calls calls;
	size_t n_calls;
	struct offline_asking deadlines;
	LIST_HEAD(, pipe_giving) giving; /* keys for newcomers, on their way */

	struct evbuffer *out;
	size_t write_bytes; /* at a time, so that no write blocks */
	bool out_slow, out_broken;
	uint32_t window;  /* as `receive` said */
	uint32_t granted; /* as libieum knows it */

	bool welcomed;  /* ever */
	bool told_list; /* that our own revocation list has ended */
	bool alone;     /* never, but there is a spool: what needs the hub fails */
	bool progress;  /* something we wait for at the end has come, since we looked last */
	bool leaving;
	enum ieum_err last_err; /* why there is no connection */
	char last_why[IEUM_WHY_BYTES];
	enum exit_code code; /* of the first that failed */
};

/* cmd_pipe.c */
/* Looks at what can go on now: call it after everything that happened. */
void pipe_go_on(struct pipe *p);
/* The end, without waiting for anything; why has been said on stderr. */
void pipe_abort(struct pipe *p, enum exit_code code);

/* pipe_input.c */
void pipe_take_lines(struct pipe *p);
/* No command can be taken now. */
bool pipe_is_stuck(const struct pipe *p);
/* Tries again what could not be handed over; false: it still can't. */
bool pipe_hand_over_held(struct pipe *p);
/* Every command without a result gets one now: this failure, or that the spool keeps it. */
void pipe_end_all(struct pipe *p, enum ieum_err err, const char *detail);
/* A submit is on the spool's disk. */
void pipe_accepted(struct pipe *p, const uint8_t *message_id);
/* It goes under another id. */
void pipe_renamed(struct pipe *p, const uint8_t *before, const uint8_t *now);

/* pipe_output.c.  Values are taken; a NULL one aborts for want of memory. */
json_t *pipe_json(struct pipe *p, const ProtobufCMessage *message);
/* "retry_in_ms" as the style writes it. */
const char *pipe_key(const struct pipe *p, const char *name, char room[PBMAP_WORD_BYTES]);
json_t *pipe_error_json(struct pipe *p, const struct ieum_failure *why, const uint8_t *message_id);
void pipe_put(struct pipe *p, json_t *line);
/* {"what": value} */
void pipe_say(struct pipe *p, const char *what, json_t *value);
/* {"id": …, "what": value}; takes the call. */
void pipe_result(struct pipe_call *call, const char *what, json_t *value);
/* {"id": …, "line": N, "error": {…}}; takes the call.  code: what the command exits with for it. */
void pipe_failed(struct pipe_call *call, const struct ieum_failure *why, enum exit_code code);
/* The same, and the call goes on: {"id": …, "what": value}. */
void pipe_news(struct pipe_call *call, const char *what, json_t *value);
/* Writes what stdout takes without blocking. */
void pipe_write(struct pipe *p);

/* pipe_seal.c */
/* Opens the sealed parts of a message whose JSON is at hand.  With --plain each part gets "opened",
 * else what is returned stands beside the message; the caller's, may be NULL. */
json_t *pipe_open(struct pipe *p, json_t *referral, const Ieum__V1__Referral *m, const char *sender,
		  int64_t received_at_ms);
/* Is the delivery a key_request that the profile lets us answer by ourselves?  Then we settle it. */
bool pipe_give_key(struct pipe *p, const Ieum__V1__Delivery *d);
void pipe_drop_giving(struct pipe *p);

#endif
