/* What the parts of the channel share; for proto/channel*.c alone.
 *
 *   channel.c         life: states, verbs, close, free
 *   channel_io.c      handshake, reading frames, writing
 *   channel_loop.c    scratch and spare memory, end of turn, ids
 *   channel_listen.c  accepting           channel_connect.c  connecting
 *   channel_address.c "host:port"
 *
 *            connect()          accept()
 *               |                  |
 *          CONNECTING ------> HANDSHAKING ------> OPEN
 *               |                  |               | finish, broken input
 *               |                  |               v
 *               |                  |           FINISHING  sending the rest, discarding input
 *               |                  | alert sent    | close_notify sent
 *               |                  +------> LINGERING     socket half closed, discarding
 *               |                  |               |      until the peer ends or deadline
 *               +------------------+-----> GONE <--+      freed at the end of the turn
 *
 * Lingering matters: closing a socket with unread input resets it, and a reset destroys
 * the alert or the last frame before the peer has read it.
 * CHANNEL_CLOSED is reported at the end of the turn in which LINGERING or GONE begins. */
#ifndef IEUM_PROTO_CHANNEL_INTERNAL_H
#define IEUM_PROTO_CHANNEL_INTERNAL_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <netdb.h>
#include <sys/queue.h>

#include "proto/channel.h"
#include "proto/tls_session.h"

enum {
	/* One turn of one channel reads at most this, so that a fast peer delays others by no
	 * more than its parsing.  Shared by all channels of a loop. */
	CHANNEL_SCRATCH_BYTES = 256 * 1024,
	/* One turn of one channel writes at most this. */
	CHANNEL_WRITE_TURN_BYTES = 256 * 1024,
	CHANNEL_WRITE_HOLD_US = 500, /* of one turn; then the sockets are looked at */
	CHANNEL_SPARES_MAX = 32,
	CHANNEL_SPARE_MAX_BYTES = 256 * 1024,
	CHANNEL_ADDRESS_BYTES = 64,
	CHANNEL_ACCEPT_TURN_MAX = 64,
	CHANNEL_LISTEN_BACKLOG = 1024,
	CHANNEL_ACCEPT_RETRY_MS = 1000,
};

enum channel_state {
	CHANNEL_CONNECTING,
	CHANNEL_HANDSHAKING,
	CHANNEL_OPEN,
	CHANNEL_FINISHING,
	CHANNEL_LINGERING,
	CHANNEL_GONE,
};

struct channel {
	struct channel_loop *loop;
	SSL *ssl;
	int fd;
	enum channel_state state;
	enum channel_close_reason reason;
	bool accepted;    /* not connected: counts among the handshakes of the listeners */
	bool told_closed; /* CLOSED was told */
	bool paused;
	bool owes_drained;
	bool read_wants_write; /* OpenSSL's cross-wants */
	bool write_wants_read;
	bool on_turn, on_again; /* which lists it is on */
	struct event read_ev, write_ev, deadline_ev;
	struct buf in;  /* the unfinished tail, or what a pause left over */
	size_t missing; /* bytes the first frame of in still lacks; 0 unknown */
	struct buf out;
	int64_t last_input_ms;
	uint64_t id;
	channel_cb *cb;
	void *arg;
	struct tls_identity *peer;
	struct addrinfo *addresses, *next_address; /* while connecting */
	char *text;                                /* of the close */
	char address[CHANNEL_ADDRESS_BYTES];
	TAILQ_ENTRY(channel) turn_link, again_link;
	LIST_ENTRY(channel) all_link;
};

TAILQ_HEAD(channel_list, channel);
LIST_HEAD(channel_set, channel);
TAILQ_HEAD(listener_list, channel_listener);

struct channel_slot {
	struct channel *ch;
	uint32_t generation;
	uint32_t next_free; /* index + 1 */
};

struct channel_loop {
	struct event_base *base;
	struct channel_limits limits;
	struct event turn_ev;  /* runs after all events that were ready in this turn */
	struct event again_ev; /* runs in the next turn, after a look at the sockets */
	struct event later_ev; /* the same for output that one turn had no time for */
	struct channel_set all;
	struct channel_list turn, again;
	struct listener_list listeners;
	struct channel_slot *slots;
	uint32_t slots_n, free_slot, count, handshaking;
	struct buf spares[CHANNEL_SPARES_MAX]; /* memory between two uses */
	unsigned spares_n;
	channel_took_cb *took_cb; /* may be NULL */
	void *took_arg;
	uint8_t scratch[CHANNEL_SCRATCH_BYTES];
};

struct channel_listener {
	struct channel_loop *loop;
	SSL_CTX *ctx;
	struct event accept_ev, retry_ev;
	channel_cb *cb;
	channel_trouble_cb *trouble_cb;
	void *arg;
	int fd;
	bool held;    /* a limit was reached */
	bool starved; /* out of descriptors or memory */
	char address[CHANNEL_ADDRESS_BYTES];
	TAILQ_ENTRY(channel_listener) link;
};

/* channel.c */
struct channel *channel_make(struct channel_loop *loop, SSL *ssl, channel_cb *cb, void *arg);
enum ieum_err channel_attach(struct channel *ch, int fd); /* takes fd, also on failure */
void channel_destroy(struct channel *ch);
void channel_set_deadline(struct channel *ch, uint32_t within_ms);
void channel_leave_handshake(struct channel *ch);
/* Ends it for this reason, the first one counts; text may be NULL. */
void channel_fail(struct channel *ch, enum channel_close_reason reason, const char *text);
/* As fail, but lets the peer read what was sent to it. */
void channel_linger(struct channel *ch, enum channel_close_reason reason, const char *text);
void channel_set_reason(struct channel *ch, enum channel_close_reason reason, const char *text);

/* channel_io.c */
void channel_handshake(struct channel *ch);
void channel_read_turn(struct channel *ch);
void channel_write_turn(struct channel *ch);
void channel_discard_turn(struct channel *ch);

/* channel_loop.c */
void channel_on_turn_end(struct channel *ch);
void channel_on_next_turn(struct channel *ch);
bool channel_slot_take(struct channel *ch);
void channel_slot_give(struct channel *ch);
void channel_buf_lend(struct channel_loop *loop, struct buf *b); /* spare memory, if any */
void channel_buf_back(struct channel_loop *loop, struct buf *b); /* empties b */
/* Around a callback; 0 when nobody measures. */
int64_t channel_began_us(const struct channel_loop *loop);
void channel_took(const struct channel_loop *loop, const char *what, int64_t began_us);
int64_t channel_now_ms(void);

/* channel_listen.c: room was made; accept again. */
void channel_listeners_wake(struct channel_loop *loop);

/* channel_connect.c: the socket became writable, or this address failed. */
void channel_connected(struct channel *ch);

/* channel_address.c */
struct addrinfo *channel_resolve(const char *address, bool passive, char *host, size_t host_bytes,
				 char why[TLS_WHY_BYTES], enum ieum_err *err);
void channel_address_text(const struct sockaddr *addr, socklen_t len,
			  char to[CHANNEL_ADDRESS_BYTES]);

#endif
