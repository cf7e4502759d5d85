/* Two ends of channels on loopback in one event base, with real certificates made once per
 * process in a temporary folder; and a bare OpenSSL client that misbehaves on order. */
#ifndef IEUM_TESTS_CHANNEL_WORLD_H
#define IEUM_TESTS_CHANNEL_WORLD_H

#include <event2/event.h>
#include <openssl/ssl.h>

#include "proto/channel.h"

/* What one side has seen.  Every end counts all events of all channels that have it as arg. */
struct end {
	struct channel *ch; /* the last one that spoke; NULL after its CLOSED */
	uint64_t id;
	unsigned ready, frames, turn_ends, drained, broken, closed;
	size_t bytes;      /* of payloads */
	uint32_t checksum; /* over payloads and their lengths, in order */
	size_t last_len;
	char last[64]; /* beginning of the last payload, NUL-terminated */
	struct tls_identity peer;
	char address[64];
	enum channel_close_reason reason;
	char text[TLS_WHY_BYTES];
	unsigned troubles;
	char trouble[160];
	/* Called for each event after the counting; may be NULL. */
	void (*then)(struct end *end, enum channel_event event, const struct frame_view *frame);
	void *then_arg;
};

struct world {
	struct event_base *base;
	struct channel_loop *server_loop, *client_loop;
	struct channel_listener *listener;
	struct tls *server_tls, *client_tls;
	struct end server, client;
};

/* cmocka group fixtures: certificates in, certificates out. */
int world_certs_make(void **state);
int world_certs_remove(void **state);
const char *world_path(const char *name); /* "ca.crt": in a static buffer, 16 in turn */
struct tls *world_tls(enum tls_role role, const char *pair); /* "hub", "participants/…", "zoo/…" */
struct tls *world_tls_unchecked(const char *pair); /* a client's; NULL when it can't be used */
struct store;
struct store *world_store(void); /* of the authority */

/* limits NULL: default.  Listens on 127.0.0.1, port 0. */
void world_open(struct world *w, const struct channel_limits *server_limits);
void world_close(struct world *w);
struct channel *world_connect(struct world *w, const struct tls *tls);
/* A connection with both ends READY. */
void world_join(struct world *w);

void end_cb(struct channel *ch, enum channel_event event, const struct frame_view *frame,
	    void *arg);
void checksum_add(uint32_t *sum, const uint8_t *bytes, size_t n);

/* Runs the loop until cond holds; fails the test when it doesn't within 20 s. */
#define world_until(w, cond) \
	do { \
		int64_t until_ms_ = world_now_ms() + 20000; \
		while (!(cond)) { \
			if (world_now_ms() > until_ms_) \
				fail_msg("never happened: %s", #cond); \
			world_step(w); \
		} \
	} while (0)
int64_t world_now_ms(void);
void world_step(struct world *w);  /* waits at most 50 ms for an event */
void world_quiet(struct world *w); /* runs until nothing is ready */

/* A client that is no channel. */
struct raw {
	int fd;
	SSL_CTX *ctx;
	SSL *ssl;
};

int world_raw_socket(struct world *w);
/* pair NULL: without certificate; alpn NULL: none, else wire format. */
void raw_open(struct world *w, struct raw *raw, const char *pair, const char *alpn,
	      int max_version);
/* 1 or the SSL_get_error() of the end. */
int raw_handshake(struct world *w, struct raw *raw);
void raw_write(struct world *w, struct raw *raw, const uint8_t *bytes, size_t n);
void raw_close(struct raw *raw, bool reset);

#endif
