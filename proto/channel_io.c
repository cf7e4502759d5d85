/* Moving bytes: handshake, frames in, output out.
 *
 * Input is decrypted into the loop's scratch and parsed there; only an unfinished tail is
 * kept with the channel, and put in front of the scratch in the next turn.  A frame too
 * large for that is gathered in the channel's own buffer, which grows with what has
 * arrived, not with what was announced.
 * No readiness event comes for what OpenSSL has already read ahead: a turn that ends for lack
 * of room while SSL_has_pending() goes on in the next turn. */
#include "proto/channel_internal.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* OpenSSL's numbers for alerts received: 1000 + alert. */
enum { ALERT_RECEIVED = SSL_AD_REASON_OFFSET };

/* How a call into OpenSSL ended, when not with success. */
struct ending {
	enum channel_close_reason reason; /* NONE: it only has to wait */
	bool wants_read; /* the socket has no more; OpenSSL may hold a part of a record */
	bool wants_write;
	bool peer_may_read; /* an alert was sent or may be: linger */
	char text[TLS_WHY_BYTES];
};

static void explain_tls(const SSL *ssl, struct ending *end)
{
	unsigned long code = ERR_peek_error();
	int reason = ERR_GET_REASON(code);
	const char *refusal = tls_session_refusal(ssl);
	const char *text = ERR_reason_error_string(code);

	end->reason = CHANNEL_CLOSE_TLS;
	end->peer_may_read = true;
	if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason >= ALERT_RECEIVED) {
		end->reason = CHANNEL_CLOSE_REFUSED_BY_PEER;
		snprintf(end->text, sizeof end->text, "the peer's alert: %s",
			 SSL_alert_desc_string_long(reason - ALERT_RECEIVED));
	} else if (refusal) {
		end->reason = CHANNEL_CLOSE_PEER_REFUSED;
		snprintf(end->text, sizeof end->text, "%s", refusal);
	} else if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
		end->reason = CHANNEL_CLOSE_PEER_REFUSED;
		snprintf(end->text, sizeof end->text, "the peer has no certificate");
	} else if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		end->reason = CHANNEL_CLOSE_LOST;
		end->peer_may_read = false;
		snprintf(end->text, sizeof end->text, "ended without good-bye");
	} else {
		snprintf(end->text, sizeof end->text, "TLS: %s", text ? text : "unknown error");
	}
}

/* To be called at once after the call that returned ret; the error queue was empty before. */
static void explain(SSL *ssl, int ret, struct ending *end)
{
	int error = errno;

	*end = (struct ending){ 0 };
	switch (SSL_get_error(ssl, ret)) {
	case SSL_ERROR_WANT_READ: end->wants_read = true; break;
	case SSL_ERROR_WANT_WRITE: end->wants_write = true; break;
	case SSL_ERROR_ZERO_RETURN:
		end->reason = CHANNEL_CLOSE_PEER;
		snprintf(end->text, sizeof end->text, "closed by the peer");
		break;
	case SSL_ERROR_SYSCALL:
		end->reason = CHANNEL_CLOSE_LOST;
		snprintf(end->text, sizeof end->text, "%s",
			 error ? strerror(error) : "ended without good-bye");
		break;
	default: explain_tls(ssl, end); break;
	}
	ERR_clear_error();
}

static void want_write(struct channel *ch)
{
	if (event_add(&ch->write_ev, NULL) < 0)
		channel_fail(ch, CHANNEL_CLOSE_NO_MEMORY, NULL);
}

static void end_by(struct channel *ch, const struct ending *end)
{
	if (end->peer_may_read)
		channel_linger(ch, end->reason, end->text);
	else
		channel_fail(ch, end->reason, end->text);
}

/* --- handshake --- */

static void become_ready(struct channel *ch)
{
	char why[TLS_WHY_BYTES];

	ch->peer = malloc(sizeof *ch->peer);
	if (!ch->peer) {
		channel_fail(ch, CHANNEL_CLOSE_NO_MEMORY, NULL);
		return;
	}
	/* The verification has read it before: this cannot be refused any more. */
	if (tls_any_identity_of(SSL_get0_peer_certificate(ch->ssl), ch->peer, why)) {
		channel_fail(ch, CHANNEL_CLOSE_PEER_REFUSED, why);
		return;
	}
	ch->peer->chain_ends_s = tls_session_chain_ends_s(ch->ssl);
	channel_leave_handshake(ch);
	event_del(&ch->deadline_ev);
	ch->state = CHANNEL_OPEN;
	ch->last_input_ms = channel_now_ms();
	if (ch->paused)
		event_del(&ch->read_ev);
	ch->cb(ch, CHANNEL_READY, NULL, ch->arg);
	if (ch->state != CHANNEL_OPEN)
		return;
	if (buf_len(&ch->out) > 0)
		channel_on_turn_end(ch);
	/* The first frames may have come along with the end of the handshake. */
	if (!ch->paused)
		channel_read_turn(ch);
}

void channel_handshake(struct channel *ch)
{
	struct ending end;

	ERR_clear_error();
	errno = 0;
	int ret = SSL_do_handshake(ch->ssl);
	if (ret == 1) {
		become_ready(ch);
		return;
	}
	explain(ch->ssl, ret, &end);
	if (end.reason != CHANNEL_CLOSE_NONE)
		end_by(ch, &end);
	else if (end.wants_write)
		want_write(ch);
}

/* --- reading --- */

/* Decrypts into `to` until it is full or the socket has no more. */
static size_t fill(struct channel *ch, uint8_t *to, size_t room, struct ending *end)
{
	size_t got = 0;

	*end = (struct ending){ 0 };
	while (got < room) {
		size_t n;
		ERR_clear_error();
		errno = 0;
		int ret = SSL_read_ex(ch->ssl, to + got, room - got, &n);
		if (ret != 1) {
			explain(ch->ssl, ret, end);
			break;
		}
		got += n;
		/* Without a rest inside OpenSSL another call would only ask the socket again, and
		 * the event base does that for all channels at once. */
		if (!SSL_has_pending(ch->ssl))
			break;
	}
	if (got > 0)
		ch->last_input_ms = channel_now_ms();
	return got;
}

/* Did the turn end with something in OpenSSL's memory that another call would give?  Part of a
 * record is pending too, but without the rest of it nothing can be had. */
static bool has_more(const struct channel *ch, const struct ending *end)
{
	return !end->wants_read && SSL_has_pending(ch->ssl);
}

static void break_input(struct channel *ch, enum ieum_err err)
{
	enum channel_close_reason reason = err == IEUM_E_FRAME_TOO_LARGE
						   ? CHANNEL_CLOSE_FRAME_TOO_LARGE
						   : CHANNEL_CLOSE_FRAME_MALFORMED;

	channel_set_reason(ch, reason, ieum_error((int)err)->text);
	ch->cb(ch, CHANNEL_BROKEN, NULL, ch->arg);
	channel_finish(ch);
}

/* Hands out the whole frames among n bytes, returns how many bytes they took. */
static size_t deliver(struct channel *ch, const uint8_t *bytes, size_t n)
{
	enum ieum_err err = IEUM_E_OK;
	size_t at = 0;
	bool any = false;

	ch->missing = 0;
	while (at < n && ch->state == CHANNEL_OPEN && !ch->paused) {
		struct frame_view view;
		err = frame_next(bytes + at, n - at, ch->loop->limits.max_frame_bytes, &view);
		if (err)
			break;
		if (!view.payload) {
			ch->missing = view.missing;
			break;
		}
		at += view.consumed;
		any = true;
		ch->cb(ch, CHANNEL_FRAME, &view, ch->arg);
	}
	if (any && ch->state != CHANNEL_GONE)
		ch->cb(ch, CHANNEL_TURN_END, NULL, ch->arg);
	if (err && ch->state == CHANNEL_OPEN)
		break_input(ch, err);
	return at;
}

/* One turn through the scratch: the tail kept, then what the socket has. */
static enum ieum_err read_by_scratch(struct channel *ch, struct ending *end)
{
	uint8_t *scratch = ch->loop->scratch;
	size_t n = buf_len(&ch->in);

	if (n > 0)
		memcpy(scratch, buf_bytes(&ch->in), n);
	channel_buf_back(ch->loop, &ch->in);
	n += fill(ch, scratch + n, CHANNEL_SCRATCH_BYTES - n, end);
	size_t taken = deliver(ch, scratch, n);
	if (taken == n || ch->state != CHANNEL_OPEN)
		return IEUM_E_OK;
	channel_buf_lend(ch->loop, &ch->in);
	return buf_append(&ch->in, scratch + taken, n - taken);
}

/* One turn for a large frame, or for the much that a pause left over. */
static enum ieum_err read_by_own_buffer(struct channel *ch, struct ending *end)
{
	size_t room = ch->missing;

	*end = (struct ending){ 0 };
	if (room > CHANNEL_SCRATCH_BYTES)
		room = CHANNEL_SCRATCH_BYTES;
	if (room > 0) {
		uint8_t *to = buf_reserve(&ch->in, room);
		if (!to)
			return IEUM_E_NO_MEMORY;
		buf_commit(&ch->in, fill(ch, to, room, end));
	}
	buf_consume(&ch->in, deliver(ch, buf_bytes(&ch->in), buf_len(&ch->in)));
	if (buf_len(&ch->in) == 0 || ch->state != CHANNEL_OPEN)
		channel_buf_back(ch->loop, &ch->in);
	return IEUM_E_OK;
}

void channel_read_turn(struct channel *ch)
{
	struct ending end;
	size_t kept = buf_len(&ch->in);
	bool unread_kept = kept > 0 && ch->missing == 0;

	ch->read_wants_write = false;
	enum ieum_err err = kept + ch->missing > CHANNEL_SCRATCH_BYTES / 2
				    ? read_by_own_buffer(ch, &end)
				    : read_by_scratch(ch, &end);
	if (ch->state != CHANNEL_OPEN)
		return;
	if (err)
		channel_fail(ch, CHANNEL_CLOSE_NO_MEMORY, NULL);
	else if (end.reason != CHANNEL_CLOSE_NONE)
		end_by(ch, &end);
	else if (end.wants_write) {
		ch->read_wants_write = true;
		want_write(ch);
	} else if (!ch->paused && (unread_kept || has_more(ch, &end)))
		channel_on_next_turn(ch);
}

/* Reads and forgets, so that the peer can read our last words before the socket closes. */
void channel_discard_turn(struct channel *ch)
{
	struct ending end;

	if (ch->state == CHANNEL_FINISHING) {
		fill(ch, ch->loop->scratch, CHANNEL_SCRATCH_BYTES, &end);
		if (end.reason == CHANNEL_CLOSE_PEER)
			event_del(&ch->read_ev);
		else if (end.reason != CHANNEL_CLOSE_NONE)
			channel_fail(ch, end.reason, end.text);
		else if (has_more(ch, &end))
			channel_on_next_turn(ch);
		return;
	}
	ssize_t n = recv(ch->fd, ch->loop->scratch, CHANNEL_SCRATCH_BYTES, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		channel_fail(ch, ch->reason, NULL);
}

/* --- writing --- */

/* The peer is gone for writing, but may have told why before: an alert or frames that
 * arrived are worth more than "broken pipe". */
static void write_failed(struct channel *ch, const struct ending *end)
{
	buf_release(&ch->out);
	if (ch->state == CHANNEL_OPEN && end->reason == CHANNEL_CLOSE_LOST && !ch->paused)
		channel_read_turn(ch);
	channel_fail(ch, end->reason, end->text);
}

static void say_good_bye(struct channel *ch)
{
	struct ending end;

	ERR_clear_error();
	errno = 0;
	int ret = SSL_shutdown(ch->ssl);
	if (ret >= 0) {
		channel_linger(ch, CHANNEL_CLOSE_HERE, "closed here");
		return;
	}
	explain(ch->ssl, ret, &end);
	if (end.reason != CHANNEL_CLOSE_NONE)
		channel_fail(ch, end.reason, end.text);
	else if (end.wants_write)
		want_write(ch);
}

static void settle_output(struct channel *ch)
{
	if (buf_len(&ch->out) == 0)
		channel_buf_back(ch->loop, &ch->out);
	if (ch->owes_drained && ch->state == CHANNEL_OPEN &&
	    buf_len(&ch->out) <= ch->loop->limits.out_low_bytes) {
		ch->owes_drained = false;
		ch->cb(ch, CHANNEL_DRAINED, NULL, ch->arg);
	}
}

void channel_write_turn(struct channel *ch)
{
	struct ending end = { 0 };
	size_t written = 0;

	if (buf_len(&ch->out) > ch->loop->limits.out_high_bytes)
		ch->owes_drained = true;
	ch->write_wants_read = false;
	while (buf_len(&ch->out) > 0 && written < CHANNEL_WRITE_TURN_BYTES) {
		size_t n;
		ERR_clear_error();
		errno = 0;
		int ret = SSL_write_ex(ch->ssl, buf_bytes(&ch->out), buf_len(&ch->out), &n);
		if (ret != 1) {
			explain(ch->ssl, ret, &end);
			break;
		}
		buf_consume(&ch->out, n);
		written += n;
	}
	if (end.reason != CHANNEL_CLOSE_NONE) {
		write_failed(ch, &end);
		return;
	}
	if (buf_len(&ch->out) > 0) {
		ch->write_wants_read = written < CHANNEL_WRITE_TURN_BYTES && !end.wants_write;
		if (!ch->write_wants_read)
			want_write(ch);
	} else if (ch->state == CHANNEL_FINISHING) {
		say_good_bye(ch);
		return;
	}
	settle_output(ch);
}
