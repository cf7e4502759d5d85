/* A channel: TLS 1.3 and frames on one socket, for the broker and the client alike.
 *
 * All of it belongs to the thread that runs the event base.  The owner hears of a channel
 * through one callback and acts on it through the verbs below.
 *   - CHANNEL_CLOSED is the last event of every channel and comes exactly once, always from
 *     the loop and never from inside a verb; when that call returns the channel is gone.
 *     A pointer is good until then; whoever acts later keeps channel_id().
 *   - Input is parsed in place: a frame's bytes are valid only during CHANNEL_FRAME.
 *   - Output is appended to channel_out() and leaves in one go at the end of the loop turn.
 *   - The process must ignore SIGPIPE: channel_loop_new() does so, because OpenSSL writes to
 *     the socket itself and cannot pass MSG_NOSIGNAL. */
#ifndef IEUM_PROTO_CHANNEL_H
#define IEUM_PROTO_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/buf.h"
#include "proto/error.h"
#include "proto/frame.h"
#include "proto/tls.h"

struct event_base;
struct channel;
struct channel_loop;
struct channel_listener;

enum channel_event {
	CHANNEL_READY,    /* handshake done, channel_peer() is known */
	CHANNEL_FRAME,    /* one whole frame */
	CHANNEL_TURN_END, /* after the last CHANNEL_FRAME of this turn: act on the batch */
	CHANNEL_DRAINED,  /* output had passed out_high_bytes and fell to out_low_bytes */
	CHANNEL_BROKEN,   /* input is no frame (see channel_close_reason()): append a last word
			   * to channel_out(); the channel finishes by itself */
	CHANNEL_CLOSED,   /* the end: channel_close_reason(), channel_close_text() */
};

enum channel_close_reason {
	CHANNEL_CLOSE_NONE,              /* not closed */
	CHANNEL_CLOSE_HERE,              /* the owner asked */
	CHANNEL_CLOSE_PEER,              /* the peer said good-bye */
	CHANNEL_CLOSE_LOST,              /* reset, or ended without good-bye */
	CHANNEL_CLOSE_UNREACHABLE,       /* no address accepted the connection */
	CHANNEL_CLOSE_HANDSHAKE_TIMEOUT, /* connecting and handshake took too long */
	CHANNEL_CLOSE_PEER_REFUSED,      /* we refused the peer's certificate */
	CHANNEL_CLOSE_REFUSED_BY_PEER,   /* the peer sent a fatal TLS alert */
	CHANNEL_CLOSE_TLS,               /* anything else that TLS does not allow */
	CHANNEL_CLOSE_FRAME_MALFORMED,
	CHANNEL_CLOSE_FRAME_TOO_LARGE,
	CHANNEL_CLOSE_NO_MEMORY,
};

/* frame is set for CHANNEL_FRAME only. */
typedef void channel_cb(struct channel *ch, enum channel_event event,
			const struct frame_view *frame, void *arg);

/* A listener's troubles that pass (out of descriptors) and their end, for the log. */
typedef void channel_trouble_cb(const char *text, void *arg);

struct channel_limits {
	size_t max_frame_bytes;       /* payload of one frame, in */
	size_t out_max_bytes;         /* most output that may wait per channel */
	size_t out_high_bytes;        /* above: CHANNEL_DRAINED is owed */
	size_t out_low_bytes;         /* at or below: CHANNEL_DRAINED is paid */
	uint32_t channels_max;        /* in all; at it, listeners wait */
	uint32_t handshaking_max;     /* accepted and not yet ready; at it, listeners wait */
	uint32_t handshake_within_ms; /* connect and handshake together */
	uint32_t close_within_ms;     /* to flush, say good-bye and hear the peer's */
};

/* 1 MiB frames, 8 MiB out, 4096 channels, 256 handshakes, 10 s, 5 s. */
extern const struct channel_limits channel_limits_default;

/* --- the loop: scratch memory, end-of-turn flush, deferred frees --- */

/* Borrows base.  limits NULL = default.  NULL when out of memory. */
struct channel_loop *channel_loop_new(struct event_base *base,
				      const struct channel_limits *limits) IEUM_MUST_CHECK;

/* Drops what is still open without a word and without events; free listeners first. */
void channel_loop_free(struct channel_loop *loop);

/* Told after each of the loop's callbacks: what it did ("accept", "handshake", "read" with the
 * frames that came, "write") and how much of the thread's processor time it took. */
typedef void channel_took_cb(const char *what, int64_t us, void *arg);
void channel_loop_measure(struct channel_loop *loop, channel_took_cb *cb, void *arg);

/* Channels not yet gone, those included that only wait for the peer's good-bye. */
uint32_t channel_loop_count(const struct channel_loop *loop);

/* NULL when that channel is gone. */
struct channel *channel_find(struct channel_loop *loop, uint64_t id);

/* --- making channels --- */

struct channel_listen_options {
	const char *address;   /* "127.0.0.1:7443", "[::1]:7443", ":7443" (any), port 0 = free */
	const struct tls *tls; /* borrowed during the call */
	channel_cb *cb;        /* of every accepted channel; CLOSED may come without READY */
	channel_trouble_cb *trouble_cb; /* may be NULL */
	void *arg;                      /* for both */
};

/* FIELD_INVALID (address), HUB_UNREACHABLE (cannot bind), NO_MEMORY; why says more. */
enum ieum_err channel_listen(struct channel_loop *loop,
			     const struct channel_listen_options *options,
			     struct channel_listener **out,
			     char why[TLS_WHY_BYTES]) IEUM_MUST_CHECK;
void channel_listener_free(struct channel_listener *listener);

/* The bound address, "127.0.0.1:40123". */
const char *channel_listener_address(const struct channel_listener *listener);

/* New connections use tls from now on; live ones stay (channel_recheck). */
void channel_listener_set_tls(struct channel_listener *listener, const struct tls *tls);

struct channel_connect_options {
	const char *address;     /* "host:port"; a name is looked up at once, which may block:
				  * the client library's bargain, a broker connects to literals */
	const char *server_name; /* to find in the hub's certificate; NULL = host of address */
	const struct tls *tls;   /* borrowed during the call */
	channel_cb *cb;
	void *arg;
};

/* Each address of the name is tried in turn within handshake_within_ms.  In TLS 1.3 READY
 * comes before the hub has judged our certificate: a refusal shows as CHANNEL_CLOSED with
 * CHANNEL_CLOSE_REFUSED_BY_PEER afterwards. */
enum ieum_err channel_connect(struct channel_loop *loop,
			      const struct channel_connect_options *options, struct channel **out,
			      char why[TLS_WHY_BYTES]) IEUM_MUST_CHECK;

/* --- a channel --- */

uint64_t channel_id(const struct channel *ch); /* never 0, never used twice */
void channel_set_arg(struct channel *ch, void *arg);
void *channel_arg(const struct channel *ch);
const struct tls_identity *channel_peer(const struct channel *ch); /* NULL before READY */
/* Was it judged by a revocation list that is past its end (tls_files.crl_grace_s)? */
bool channel_peer_is_stale(const struct channel *ch);
/* What the peer came with.  NO_MEMORY; INTERNAL before READY. */
enum ieum_err channel_peer_certificate(const struct channel *ch,
				       struct tls_certificate *out) IEUM_MUST_CHECK;
const char *channel_address(const struct channel *ch);   /* the peer's, "host:port" */
int64_t channel_last_input_ms(const struct channel *ch); /* CLOCK_MONOTONIC */
enum channel_close_reason channel_close_reason(const struct channel *ch);
const char *channel_close_reason_name(enum channel_close_reason reason); /* "peer_refused" */
const char *channel_close_text(const struct channel *ch); /* one line for the log, never NULL */

/* Whole frames, header and payload, are appended here; its max is out_max_bytes, so the
 * append that would pass it fails and the owner decides what becomes of a slow peer.  Then
 * channel_flush(): the bytes leave at the end of this loop turn. */
struct buf *channel_out(struct channel *ch);
void channel_flush(struct channel *ch);

/* CHANNEL_DRAINED is owed from now on, however little waits here: for an owner who holds more
 * output back than it has given. */
void channel_owe_drained(struct channel *ch);

/* How much waits there. */
size_t channel_out_bytes(const struct channel *ch);

/* Gives a filled buffer without copying when nothing else waits: exchanges the memory (not
 * the limit) and returns true; false changes nothing.  Flushes by itself. */
bool channel_out_swap(struct channel *ch, struct buf *filled);

/* Header, payload and flush in one.  FIELD_TOO_LARGE: over out_max_bytes, nothing added. */
enum ieum_err channel_send(struct channel *ch, const uint8_t *payload,
			   uint32_t len) IEUM_MUST_CHECK;

/* Back-pressure: no CHANNEL_FRAME until resumed, and the peer's window fills.  A pause takes
 * effect at once, also in the middle of a turn.  While paused a peer's end goes unseen. */
void channel_pause(struct channel *ch);
void channel_resume(struct channel *ch);

/* Good-bye: no more frames are read; what waits in channel_out() is sent, then close_notify.
 * CHANNEL_CLOSED comes when that is done or close_within_ms is over.  Before READY it is
 * channel_close(). */
void channel_finish(struct channel *ch);

/* At once; what waits is dropped.  CHANNEL_CLOSED comes at the end of this turn. */
void channel_close(struct channel *ch);

/* Would the live peer's certificate still be accepted under tls (a new CRL, this moment)?
 * OK, CERTIFICATE_REVOKED, CERTIFICATE_EXPIRED or TLS_FAILED with the reason in why. */
enum ieum_err channel_recheck(const struct channel *ch, const struct tls *tls,
			      char why[TLS_WHY_BYTES]) IEUM_MUST_CHECK;

#endif
