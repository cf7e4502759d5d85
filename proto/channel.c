/* The life of a channel: its verbs, how it closes, when it is freed.  The states and who
 * else has a part in them are in channel_internal.h. */
#include "proto/channel_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct channel *channel_make(struct channel_loop *loop, SSL *ssl, channel_cb *cb, void *arg)
{
	struct channel *ch = calloc(1, sizeof *ch);

	if (!ch)
		return NULL;
	*ch = (struct channel){ .loop = loop, .ssl = ssl, .fd = -1, .cb = cb, .arg = arg };
	buf_init(&ch->in,
		 loop->limits.max_frame_bytes + FRAME_HEADER_MAX_BYTES + CHANNEL_SCRATCH_BYTES);
	buf_init(&ch->out, loop->limits.out_max_bytes);
	ch->last_input_ms = channel_now_ms();
	if (!channel_slot_take(ch)) {
		free(ch);
		return NULL;
	}
	LIST_INSERT_HEAD(&loop->all, ch, all_link);
	loop->count++;
	return ch;
}

static const char *doing(const struct channel *ch)
{
	return ch->state == CHANNEL_HANDSHAKING ? "handshake" : "read";
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct channel *ch = arg;
	const char *now = doing(ch);
	int64_t began_us = channel_began_us(ch->loop);

	switch (ch->state) {
	case CHANNEL_HANDSHAKING: channel_handshake(ch); break;
	case CHANNEL_OPEN:
		if (ch->write_wants_read)
			channel_on_turn_end(ch);
		if (ch->paused)
			event_del(&ch->read_ev);
		else
			channel_read_turn(ch);
		break;
	case CHANNEL_FINISHING:
	case CHANNEL_LINGERING: channel_discard_turn(ch); break;
	case CHANNEL_CONNECTING:
	case CHANNEL_GONE: break;
	}
	channel_took(ch->loop, now, began_us);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct channel *ch = arg;
	const char *now = doing(ch);
	int64_t began_us = channel_began_us(ch->loop);

	event_del(&ch->write_ev);
	switch (ch->state) {
	case CHANNEL_CONNECTING: channel_connected(ch); break;
	case CHANNEL_HANDSHAKING: channel_handshake(ch); break;
	case CHANNEL_OPEN:
		if (ch->read_wants_write && !ch->paused)
			channel_read_turn(ch);
		channel_on_turn_end(ch);
		break;
	case CHANNEL_FINISHING: channel_on_turn_end(ch); break;
	case CHANNEL_LINGERING:
	case CHANNEL_GONE: break;
	}
	channel_took(ch->loop, now, began_us);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct channel *ch = arg;

	if (ch->state == CHANNEL_CONNECTING)
		channel_fail(ch, CHANNEL_CLOSE_HANDSHAKE_TIMEOUT, "no connection in time");
	else if (ch->state == CHANNEL_HANDSHAKING)
		channel_fail(ch, CHANNEL_CLOSE_HANDSHAKE_TIMEOUT, "no TLS handshake in time");
	else
		channel_fail(ch, CHANNEL_CLOSE_HERE, "the rest was not taken in time");
}

enum ieum_err channel_attach(struct channel *ch, int fd)
{
	struct event_base *base = ch->loop->base;
	int on = 1;

	/* Frames are gathered per turn already; waiting for more would only add delay. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	ch->fd = fd;
	if (SSL_set_fd(ch->ssl, fd) != 1 ||
	    event_assign(&ch->read_ev, base, fd, EV_READ | EV_PERSIST, on_readable, ch) < 0 ||
	    event_assign(&ch->write_ev, base, fd, EV_WRITE | EV_PERSIST, on_writable, ch) < 0)
		return IEUM_E_NO_MEMORY;
	return IEUM_E_OK;
}

void channel_set_deadline(struct channel *ch, uint32_t within_ms)
{
	struct timeval within = { within_ms / 1000, within_ms % 1000 * 1000 };

	if (!event_initialized(&ch->deadline_ev) &&
	    evtimer_assign(&ch->deadline_ev, ch->loop->base, on_deadline, ch) < 0)
		return;
	evtimer_add(&ch->deadline_ev, &within);
}

void channel_leave_handshake(struct channel *ch)
{
	if (!ch->accepted || ch->state > CHANNEL_HANDSHAKING)
		return;
	ch->loop->handshaking--;
	channel_listeners_wake(ch->loop);
}

static void stop_events(struct channel *ch)
{
	if (event_initialized(&ch->read_ev))
		event_del(&ch->read_ev);
	if (event_initialized(&ch->write_ev))
		event_del(&ch->write_ev);
	if (event_initialized(&ch->deadline_ev))
		event_del(&ch->deadline_ev);
}

void channel_set_reason(struct channel *ch, enum channel_close_reason reason, const char *text)
{
	if (ch->reason != CHANNEL_CLOSE_NONE)
		return;
	ch->reason = reason;
	ch->text = text ? strdup(text) : NULL;
}

void channel_fail(struct channel *ch, enum channel_close_reason reason, const char *text)
{
	if (ch->state == CHANNEL_GONE)
		return;
	channel_set_reason(ch, reason, text);
	channel_leave_handshake(ch);
	ch->state = CHANNEL_GONE;
	stop_events(ch);
	channel_on_turn_end(ch);
}

void channel_linger(struct channel *ch, enum channel_close_reason reason, const char *text)
{
	if (ch->state >= CHANNEL_LINGERING)
		return;
	channel_set_reason(ch, reason, text);
	channel_leave_handshake(ch);
	ch->state = CHANNEL_LINGERING;
	buf_release(&ch->in);
	channel_buf_back(ch->loop, &ch->out);
	event_del(&ch->write_ev);
	if (shutdown(ch->fd, SHUT_WR) < 0 || event_add(&ch->read_ev, NULL) < 0) {
		channel_fail(ch, reason, NULL);
		return;
	}
	channel_set_deadline(ch, ch->loop->limits.close_within_ms);
	channel_on_turn_end(ch);
}

void channel_destroy(struct channel *ch)
{
	struct channel_loop *loop = ch->loop;

	stop_events(ch);
	channel_leave_handshake(ch);
	if (ch->on_turn)
		TAILQ_REMOVE(&loop->turn, ch, turn_link);
	if (ch->on_again)
		TAILQ_REMOVE(&loop->again, ch, again_link);
	LIST_REMOVE(ch, all_link);
	channel_slot_give(ch);
	SSL_free(ch->ssl);
	if (ch->fd >= 0)
		close(ch->fd);
	if (ch->addresses)
		freeaddrinfo(ch->addresses);
	channel_buf_back(loop, &ch->in);
	channel_buf_back(loop, &ch->out);
	free(ch->peer);
	free(ch->text);
	free(ch);
	loop->count--;
	channel_listeners_wake(loop);
}

/* --- verbs --- */

uint64_t channel_id(const struct channel *ch)
{
	return ch->id;
}

void channel_set_arg(struct channel *ch, void *arg)
{
	ch->arg = arg;
}

void *channel_arg(const struct channel *ch)
{
	return ch->arg;
}

const struct tls_identity *channel_peer(const struct channel *ch)
{
	return ch->peer;
}

const char *channel_address(const struct channel *ch)
{
	return ch->address;
}

int64_t channel_last_input_ms(const struct channel *ch)
{
	return ch->last_input_ms;
}

enum channel_close_reason channel_close_reason(const struct channel *ch)
{
	return ch->reason;
}

const char *channel_close_reason_name(enum channel_close_reason reason)
{
	static const char *const names[] = {
		[CHANNEL_CLOSE_NONE] = "none",
		[CHANNEL_CLOSE_HERE] = "here",
		[CHANNEL_CLOSE_PEER] = "peer",
		[CHANNEL_CLOSE_LOST] = "lost",
		[CHANNEL_CLOSE_UNREACHABLE] = "unreachable",
		[CHANNEL_CLOSE_HANDSHAKE_TIMEOUT] = "handshake_timeout",
		[CHANNEL_CLOSE_PEER_REFUSED] = "peer_refused",
		[CHANNEL_CLOSE_REFUSED_BY_PEER] = "refused_by_peer",
		[CHANNEL_CLOSE_TLS] = "tls",
		[CHANNEL_CLOSE_FRAME_MALFORMED] = "frame_malformed",
		[CHANNEL_CLOSE_FRAME_TOO_LARGE] = "frame_too_large",
		[CHANNEL_CLOSE_NO_MEMORY] = "no_memory",
	};

	return (size_t)reason < sizeof names / sizeof names[0] ? names[reason] : "none";
}

const char *channel_close_text(const struct channel *ch)
{
	return ch->text ? ch->text : channel_close_reason_name(ch->reason);
}

struct buf *channel_out(struct channel *ch)
{
	channel_buf_lend(ch->loop, &ch->out);
	return &ch->out;
}

size_t channel_out_bytes(const struct channel *ch)
{
	return buf_len(&ch->out);
}

void channel_flush(struct channel *ch)
{
	/* Before READY the bytes wait; the end of the handshake flushes. */
	if (ch->state == CHANNEL_OPEN || ch->state == CHANNEL_FINISHING)
		channel_on_turn_end(ch);
}

bool channel_out_swap(struct channel *ch, struct buf *filled)
{
	if (buf_len(&ch->out) > 0 || buf_len(filled) > ch->out.max)
		return false;
	buf_swap(&ch->out, filled);
	size_t max = filled->max;
	filled->max = ch->out.max;
	ch->out.max = max;
	channel_flush(ch);
	return true;
}

enum ieum_err channel_send(struct channel *ch, const uint8_t *payload, uint32_t len)
{
	struct buf *out = channel_out(ch);
	size_t header = frame_header_size(len);

	if (header + len > out->max - buf_len(out))
		return IEUM_E_FIELD_TOO_LARGE;
	uint8_t *to = buf_reserve(out, header + len);
	if (!to)
		return IEUM_E_NO_MEMORY;
	frame_header_put(to, len);
	memcpy(to + header, payload, len);
	buf_commit(out, header + len);
	channel_flush(ch);
	return IEUM_E_OK;
}

void channel_pause(struct channel *ch)
{
	ch->paused = true;
	if (ch->state == CHANNEL_OPEN && !ch->write_wants_read)
		event_del(&ch->read_ev);
}

void channel_owe_drained(struct channel *ch)
{
	ch->owes_drained = true;
}

void channel_resume(struct channel *ch)
{
	if (!ch->paused)
		return;
	ch->paused = false;
	if (ch->state != CHANNEL_OPEN)
		return;
	if (event_add(&ch->read_ev, NULL) < 0)
		channel_fail(ch, CHANNEL_CLOSE_NO_MEMORY, NULL);
	/* What the pause cut off lies in our memory or OpenSSL's, where no event comes for it. */
	channel_on_next_turn(ch);
}

void channel_finish(struct channel *ch)
{
	if (ch->state >= CHANNEL_FINISHING)
		return;
	if (ch->state < CHANNEL_OPEN) {
		channel_close(ch);
		return;
	}
	ch->state = CHANNEL_FINISHING;
	if (event_add(&ch->read_ev, NULL) < 0) {
		channel_fail(ch, CHANNEL_CLOSE_NO_MEMORY, NULL);
		return;
	}
	channel_set_deadline(ch, ch->loop->limits.close_within_ms);
	channel_on_turn_end(ch);
}

void channel_close(struct channel *ch)
{
	channel_fail(ch, CHANNEL_CLOSE_HERE, "closed here");
}

enum ieum_err channel_peer_certificate(const struct channel *ch, struct tls_certificate *out)
{
	X509 *cert = SSL_get0_peer_certificate(ch->ssl);

	return cert ? tls_certificate_of(cert, out) : IEUM_E_INTERNAL;
}

bool channel_peer_is_stale(const struct channel *ch)
{
	return tls_session_is_stale(ch->ssl);
}

enum ieum_err channel_recheck(const struct channel *ch, const struct tls *tls,
			      char why[TLS_WHY_BYTES])
{
	X509 *cert = SSL_get0_peer_certificate(ch->ssl);

	if (!cert) {
		snprintf(why, TLS_WHY_BYTES, "no certificate yet");
		return IEUM_E_TLS_FAILED;
	}
	return tls_verify_again(tls, SSL_is_server(ch->ssl) ? TLS_SERVER : TLS_CLIENT, cert,
				SSL_get_peer_cert_chain(ch->ssl), why);
}
