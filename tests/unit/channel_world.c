/* The two ends on loopback; see channel_world.h. */
#include "tests/unit/channel_world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "certs/commands.h"

static char dir[64];
static struct store store;

/* --- certificates --- */

int world_certs_make(void **state)
{
	static struct hub_participant police = { "gimpo-ps", "police" };
	struct hub_file hub = { .hub = "gimpo.ieum", .participants = &police, .n = 1 };
	struct dev_options options = { .days = 30, .now_s = (int64_t)time(NULL) };
	struct zoo_subject subject = { "gimpo.ieum", "police", "gimpo-ps" };
	struct store zoo;
	char why[CERTS_WHY_BYTES], path[STORE_PATH_BYTES];
	FILE *null = fopen("/dev/null", "w");

	(void)state;
	snprintf(dir, sizeof dir, "/tmp/ieum-channel-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/zoo", dir);
	if (store_open(dir, false, &store, why) || store_open(path, false, &zoo, why) ||
	    certs_dev(&store, &hub, &options, null, why) ||
	    certs_zoo(&zoo, &store, &subject, options.now_s, null, why))
		fail_msg("%s", why);
	store_close(&zoo);
	fclose(null);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

int world_certs_remove(void **state)
{
	(void)state;
	store_close(&store);
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *world_path(const char *name)
{
	static char paths[16][256];
	static unsigned turn;
	char *path = paths[turn++ % 16];

	snprintf(path, sizeof paths[0], "%s/%s", dir, name);
	return path;
}

struct store *world_store(void)
{
	return &store;
}

static struct tls *load(enum tls_role role, const char *pair, char why[TLS_WHY_BYTES])
{
	char cert[128], key[128];
	struct tls *tls = NULL;

	snprintf(cert, sizeof cert, "%s.crt", pair);
	snprintf(key, sizeof key, "%s.key", pair);
	struct tls_files files = {
		.cert = world_path(cert),
		.key = world_path(key),
		.ca = world_path("ca.crt"),
		.crl = role == TLS_SERVER ? world_path("ca.crl") : NULL,
	};
	return tls_new(role, &files, &tls, why) ? NULL : tls;
}

struct tls *world_tls(enum tls_role role, const char *pair)
{
	char why[TLS_WHY_BYTES];
	struct tls *tls = load(role, pair, why);

	if (!tls)
		fail_msg("%s", why);
	return tls;
}

struct tls *world_tls_unchecked(const char *pair)
{
	char why[TLS_WHY_BYTES];

	return load(TLS_CLIENT, pair, why);
}

/* --- ends --- */

void checksum_add(uint32_t *sum, const uint8_t *bytes, size_t n)
{
	uint32_t s = *sum ^ (uint32_t)n;

	for (size_t i = 0; i < n; i++)
		s = (s ^ bytes[i]) * 16777619u;
	*sum = s;
}

static void count_frame(struct end *end, const struct frame_view *frame)
{
	size_t n = frame->len < sizeof end->last ? frame->len : sizeof end->last - 1;

	end->frames++;
	end->bytes += frame->len;
	end->last_len = frame->len;
	checksum_add(&end->checksum, frame->payload, frame->len);
	memcpy(end->last, frame->payload, n);
	end->last[n] = '\0';
}

void end_cb(struct channel *ch, enum channel_event event, const struct frame_view *frame, void *arg)
{
	struct end *end = arg;

	end->ch = ch;
	end->id = channel_id(ch);
	switch (event) {
	case CHANNEL_READY:
		end->ready++;
		end->peer = *channel_peer(ch);
		snprintf(end->address, sizeof end->address, "%s", channel_address(ch));
		break;
	case CHANNEL_FRAME: count_frame(end, frame); break;
	case CHANNEL_TURN_END: end->turn_ends++; break;
	case CHANNEL_DRAINED: end->drained++; break;
	case CHANNEL_BROKEN: end->broken++; break;
	case CHANNEL_CLOSED:
		end->closed++;
		end->ch = NULL;
		end->reason = channel_close_reason(ch);
		snprintf(end->text, sizeof end->text, "%s", channel_close_text(ch));
		break;
	}
	if (end->then)
		end->then(end, event, frame);
}

static void on_trouble(const char *text, void *arg)
{
	struct end *end = arg;

	end->troubles++;
	snprintf(end->trouble, sizeof end->trouble, "%s", text);
}

/* --- the world --- */

int64_t world_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void world_step(struct world *w)
{
	struct timeval at_most = { 0, 50000 };

	event_base_loopexit(w->base, &at_most);
	event_base_loop(w->base, EVLOOP_ONCE);
}

void world_quiet(struct world *w)
{
	for (int i = 0; i < 4; i++)
		event_base_loop(w->base, EVLOOP_NONBLOCK);
}

void world_open(struct world *w, const struct channel_limits *server_limits)
{
	char why[TLS_WHY_BYTES];

	*w = (struct world){ .base = event_base_new() };
	assert_non_null(w->base);
	w->server_tls = world_tls(TLS_SERVER, "hub");
	w->client_tls = world_tls(TLS_CLIENT, "participants/gimpo-ps");
	w->server_loop = channel_loop_new(w->base, server_limits);
	w->client_loop = channel_loop_new(w->base, NULL);
	assert_non_null(w->server_loop);
	assert_non_null(w->client_loop);
	struct channel_listen_options options = {
		.address = "127.0.0.1:0",
		.tls = w->server_tls,
		.cb = end_cb,
		.trouble_cb = on_trouble,
		.arg = &w->server,
	};
	if (channel_listen(w->server_loop, &options, &w->listener, why))
		fail_msg("%s", why);
}

void world_close(struct world *w)
{
	channel_listener_free(w->listener);
	channel_loop_free(w->server_loop);
	channel_loop_free(w->client_loop);
	tls_free(w->server_tls);
	tls_free(w->client_tls);
	event_base_free(w->base);
}

struct channel *world_connect(struct world *w, const struct tls *tls)
{
	char why[TLS_WHY_BYTES];
	struct channel *ch = NULL;
	struct channel_connect_options options = {
		.address = channel_listener_address(w->listener),
		.tls = tls,
		.cb = end_cb,
		.arg = &w->client,
	};

	if (channel_connect(w->client_loop, &options, &ch, why))
		fail_msg("%s", why);
	return ch;
}

void world_join(struct world *w)
{
	unsigned server = w->server.ready + 1, client = w->client.ready + 1;

	world_connect(w, w->client_tls);
	world_until(w, w->server.ready == server && w->client.ready == client);
}

/* --- the bare client --- */

int world_raw_socket(struct world *w)
{
	const char *address = channel_listener_address(w->listener);
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

void raw_open(struct world *w, struct raw *raw, const char *pair, const char *alpn, int max_version)
{
	char file[128];

	raw->fd = world_raw_socket(w);
	raw->ctx = SSL_CTX_new(TLS_client_method());
	assert_non_null(raw->ctx);
	if (max_version)
		SSL_CTX_set_max_proto_version(raw->ctx, max_version);
	if (pair) {
		snprintf(file, sizeof file, "%s.crt", pair);
		assert_int_equal(SSL_CTX_use_certificate_chain_file(raw->ctx, world_path(file)), 1);
		snprintf(file, sizeof file, "%s.key", pair);
		assert_int_equal(SSL_CTX_use_PrivateKey_file(raw->ctx, world_path(file),
							     SSL_FILETYPE_PEM),
				 1);
	}
	if (alpn)
		SSL_CTX_set_alpn_protos(raw->ctx, (const unsigned char *)alpn,
					(unsigned)strlen(alpn));
	raw->ssl = SSL_new(raw->ctx);
	assert_non_null(raw->ssl);
	SSL_set_fd(raw->ssl, raw->fd);
	SSL_set_connect_state(raw->ssl);
}

int raw_handshake(struct world *w, struct raw *raw)
{
	for (;;) {
		ERR_clear_error();
		int ret = SSL_do_handshake(raw->ssl);
		if (ret == 1) {
			world_quiet(w);
			return 1;
		}
		int error = SSL_get_error(raw->ssl, ret);
		if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
			return error;
		world_step(w);
	}
}

void raw_write(struct world *w, struct raw *raw, const uint8_t *bytes, size_t n)
{
	while (n > 0) {
		size_t written;
		ERR_clear_error();
		if (SSL_write_ex(raw->ssl, bytes, n, &written) == 1) {
			bytes += written;
			n -= written;
		} else {
			world_step(w);
		}
	}
}

void raw_close(struct raw *raw, bool reset)
{
	struct linger at_once = { 1, 0 };

	if (reset)
		setsockopt(raw->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	SSL_free(raw->ssl);
	SSL_CTX_free(raw->ctx);
	close(raw->fd);
}
