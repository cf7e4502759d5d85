/* Listening: accept in small batches, stop at the limits, survive a lack of descriptors. */
#include "proto/channel_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HOST_BYTES = 256 };

static void tell(const struct channel_listener *listener, const char *text)
{
	if (listener->trouble_cb)
		listener->trouble_cb(text, listener->arg);
}

static bool at_limit(const struct channel_loop *loop)
{
	return loop->count >= loop->limits.channels_max ||
	       loop->handshaking >= loop->limits.handshaking_max;
}

/* Takes fd.  A failure here is a lack of memory: that one connection is dropped. */
static void start_channel(struct channel_listener *listener, int fd, const struct sockaddr *from,
			  socklen_t from_len)
{
	struct channel_loop *loop = listener->loop;
	SSL *ssl = tls_session_accept(listener->ctx);
	struct channel *ch = ssl ? channel_make(loop, ssl, listener->cb, listener->arg) : NULL;

	if (!ch) {
		SSL_free(ssl);
		close(fd);
		tell(listener, "accept: out of memory, a connection was dropped");
		return;
	}
	ch->accepted = true;
	ch->state = CHANNEL_HANDSHAKING;
	loop->handshaking++;
	channel_address_text(from, from_len, ch->address);
	channel_set_deadline(ch, loop->limits.handshake_within_ms);
	if (channel_attach(ch, fd) != IEUM_E_OK || event_add(&ch->read_ev, NULL) < 0)
		channel_fail(ch, CHANNEL_CLOSE_NO_MEMORY, NULL);
}

/* A listening socket stays readable while it can't accept: without this the loop would spin. */
static void starve(struct channel_listener *listener, int error)
{
	struct timeval retry = { CHANNEL_ACCEPT_RETRY_MS / 1000,
				 CHANNEL_ACCEPT_RETRY_MS % 1000 * 1000 };
	char text[160];

	event_del(&listener->accept_ev);
	evtimer_add(&listener->retry_ev, &retry);
	if (listener->starved)
		return;
	listener->starved = true;
	snprintf(text, sizeof text, "accept: %s; trying again every %d ms", strerror(error),
		 CHANNEL_ACCEPT_RETRY_MS);
	tell(listener, text);
}

static void hold(struct channel_listener *listener)
{
	event_del(&listener->accept_ev);
	listener->held = true;
}

static void accept_waiting(struct channel_listener *listener, int fd)
{
	for (unsigned i = 0; i < CHANNEL_ACCEPT_TURN_MAX; i++) {
		struct sockaddr_storage from;
		socklen_t len = sizeof from;
		if (at_limit(listener->loop)) {
			hold(listener);
			return;
		}
		int conn =
			accept4(fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (conn < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			    errno == ENOMEM)
				starve(listener, errno);
			return;
		}
		if (listener->starved) {
			listener->starved = false;
			tell(listener, "accept: working again");
		}
		start_channel(listener, conn, (struct sockaddr *)&from, len);
	}
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	struct channel_listener *listener = arg;
	int64_t began_us = channel_began_us(listener->loop);

	accept_waiting(listener, fd);
	channel_took(listener->loop, "accept", began_us);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct channel_listener *listener = arg;

	if (!listener->held)
		event_add(&listener->accept_ev, NULL);
}

void channel_listeners_wake(struct channel_loop *loop)
{
	struct channel_listener *listener;

	if (at_limit(loop))
		return;
	for (listener = TAILQ_FIRST(&loop->listeners); listener;
	     listener = TAILQ_NEXT(listener, link)) {
		if (!listener->held)
			continue;
		listener->held = false;
		if (!evtimer_pending(&listener->retry_ev, NULL))
			event_add(&listener->accept_ev, NULL);
	}
}

/* The socket, or -1 with errno. */
static int bind_one(const struct addrinfo *at)
{
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1, off = 0;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (at->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	if (bind(fd, at->ai_addr, at->ai_addrlen) < 0 || listen(fd, CHANNEL_LISTEN_BACKLOG) < 0) {
		int error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* ":port" is every address: an IPv6 socket takes IPv4 too, so it is tried first. */
static int bind_any(const struct addrinfo *addresses)
{
	static const int families[] = { AF_INET6, AF_INET };
	int fd = -1;

	for (unsigned f = 0; f < 2 && fd < 0; f++)
		for (const struct addrinfo *at = addresses; at && fd < 0; at = at->ai_next)
			if (at->ai_family == families[f])
				fd = bind_one(at);
	return fd;
}

static enum ieum_err open_socket(const char *address, int *fd, char why[TLS_WHY_BYTES])
{
	char host[HOST_BYTES];
	enum ieum_err err;
	struct addrinfo *addresses = channel_resolve(address, true, host, sizeof host, why, &err);

	if (!addresses)
		return err;
	*fd = host[0] ? bind_one(addresses) : bind_any(addresses);
	if (*fd < 0) {
		snprintf(why, TLS_WHY_BYTES, "%.200s: %s", address, strerror(errno));
		err = IEUM_E_HUB_UNREACHABLE;
	}
	freeaddrinfo(addresses);
	return err;
}

static void read_address(struct channel_listener *listener)
{
	struct sockaddr_storage bound;
	socklen_t len = sizeof bound;

	if (getsockname(listener->fd, (struct sockaddr *)&bound, &len) == 0)
		channel_address_text((struct sockaddr *)&bound, len, listener->address);
}

enum ieum_err channel_listen(struct channel_loop *loop,
			     const struct channel_listen_options *options,
			     struct channel_listener **out, char why[TLS_WHY_BYTES])
{
	int fd = -1;

	*out = NULL;
	enum ieum_err err = open_socket(options->address, &fd, why);
	if (err)
		return err;
	struct channel_listener *listener = calloc(1, sizeof *listener);
	if (!listener)
		goto no_memory;
	*listener = (struct channel_listener){
		.loop = loop,
		.cb = options->cb,
		.trouble_cb = options->trouble_cb,
		.arg = options->arg,
		.fd = fd,
	};
	read_address(listener);
	if (event_assign(&listener->accept_ev, loop->base, fd, EV_READ | EV_PERSIST, on_accept,
			 listener) < 0 ||
	    evtimer_assign(&listener->retry_ev, loop->base, on_retry, listener) < 0 ||
	    event_add(&listener->accept_ev, NULL) < 0)
		goto no_memory;
	channel_listener_set_tls(listener, options->tls);
	TAILQ_INSERT_TAIL(&loop->listeners, listener, link);
	*out = listener;
	return IEUM_E_OK;
no_memory:
	free(listener);
	close(fd);
	snprintf(why, TLS_WHY_BYTES, "out of memory");
	return IEUM_E_NO_MEMORY;
}

void channel_listener_free(struct channel_listener *listener)
{
	if (!listener)
		return;
	TAILQ_REMOVE(&listener->loop->listeners, listener, link);
	event_del(&listener->accept_ev);
	event_del(&listener->retry_ev);
	close(listener->fd);
	SSL_CTX_free(listener->ctx);
	free(listener);
}

const char *channel_listener_address(const struct channel_listener *listener)
{
	return listener->address;
}

void channel_listener_set_tls(struct channel_listener *listener, const struct tls *tls)
{
	SSL_CTX *ctx = tls_ctx(tls);

	SSL_CTX_up_ref(ctx);
	SSL_CTX_free(listener->ctx);
	listener->ctx = ctx;
}
