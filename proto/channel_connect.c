/* Connecting: each address of a name in turn, then the handshake.
 *
 * Names are looked up with getaddrinfo() inside channel_connect(), which may block.  evdns
 * would not, but it is a resolver of its own that knows neither nsswitch nor mDNS; a client
 * waits for its hub anyway, and a broker connects to literals only. */
#include "proto/channel_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HOST_BYTES = 256 };

static void drop_socket(struct channel *ch)
{
	if (event_initialized(&ch->write_ev))
		event_del(&ch->write_ev);
	if (ch->fd >= 0)
		close(ch->fd);
	ch->fd = -1;
}

/* 0 when a connection is under way, else the errno. */
static int try_address(struct channel *ch, const struct addrinfo *at)
{
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	channel_address_text(at->ai_addr, at->ai_addrlen, ch->address);
	if (channel_attach(ch, fd) != IEUM_E_OK)
		return ENOMEM;
	/* Connected at once is reported by the same event: writable. */
	if (connect(fd, at->ai_addr, at->ai_addrlen) < 0 && errno != EINPROGRESS)
		return errno;
	return event_add(&ch->write_ev, NULL) < 0 ? ENOMEM : 0;
}

/* Starts on the next address; without one the channel ends, telling the last error. */
static void try_next(struct channel *ch, int error)
{
	while (ch->next_address) {
		const struct addrinfo *at = ch->next_address;
		ch->next_address = at->ai_next;
		drop_socket(ch);
		error = try_address(ch, at);
		if (error == 0)
			return;
	}
	char text[TLS_WHY_BYTES];
	snprintf(text, sizeof text, "%s: %s", ch->address, strerror(error));
	channel_fail(ch, CHANNEL_CLOSE_UNREACHABLE, text);
}

void channel_connected(struct channel *ch)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (getsockopt(ch->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error) {
		try_next(ch, error);
		return;
	}
	ch->state = CHANNEL_HANDSHAKING;
	if (event_add(&ch->read_ev, NULL) < 0)
		channel_fail(ch, CHANNEL_CLOSE_NO_MEMORY, NULL);
	else
		channel_handshake(ch);
}

static enum ieum_err no_memory(char why[TLS_WHY_BYTES])
{
	snprintf(why, TLS_WHY_BYTES, "out of memory");
	return IEUM_E_NO_MEMORY;
}

enum ieum_err channel_connect(struct channel_loop *loop,
			      const struct channel_connect_options *options, struct channel **out,
			      char why[TLS_WHY_BYTES])
{
	char host[HOST_BYTES];
	enum ieum_err err;

	*out = NULL;
	if (loop->count >= loop->limits.channels_max) {
		snprintf(why, TLS_WHY_BYTES, "%u channels already", loop->count);
		return IEUM_E_TOO_MANY_CONNECTIONS;
	}
	struct addrinfo *addresses =
		channel_resolve(options->address, false, host, sizeof host, why, &err);
	if (!addresses)
		return err;
	SSL *ssl = tls_session_connect(tls_ctx(options->tls),
				       options->server_name ? options->server_name : host);
	if (!ssl) {
		freeaddrinfo(addresses);
		snprintf(why, TLS_WHY_BYTES, "the server name is none, or out of memory");
		return IEUM_E_FIELD_INVALID;
	}
	struct channel *ch = channel_make(loop, ssl, options->cb, options->arg);
	if (!ch) {
		freeaddrinfo(addresses);
		SSL_free(ssl);
		return no_memory(why);
	}
	ch->addresses = ch->next_address = addresses;
	channel_set_deadline(ch, loop->limits.handshake_within_ms);
	try_next(ch, EADDRNOTAVAIL);
	*out = ch;
	return IEUM_E_OK;
}
