/* libieum: the ids of messages, by the hub's clock.
 *
 * A hub takes ids of its own window only: not older than it remembers them, and hardly from the
 * future.  One that was made here while this machine's clock was wrong, or that has waited too
 * long, is made anew as long as no hub can have seen it. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/lib_internal.h"
#include "client/seal_message.h"

int64_t lib_wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* 0: no hub has told us its time yet. */
static int64_t hub_now_ms(const struct ieum *c)
{
	return c->hub_time_ms ? c->hub_time_ms + lib_now_ms() - c->hub_time_since_ms : 0;
}

enum ieum_err lib_id_make(struct ieum *c, uint8_t id[IEUM_ID_BYTES])
{
	int64_t now = hub_now_ms(c);

	if (now <= 0)
		return uuid7_make(id);
	/* Another hub's time, a drill's, must not hold this one's up. */
	if (c->ids.last_ms > (uint64_t)now + LIB_ID_FUTURE_MS / 2)
		c->ids = (struct uuid7_source){ 0 };
	return uuid7_next(&c->ids, (uint64_t)now, id);
}

struct lib_id_window lib_id_window(const struct ieum *c)
{
	int64_t now = hub_now_ms(c), window = c->hub.id_window_ms;
	struct lib_id_window w = { 0, INT64_MAX };

	if (now <= 0)
		now = lib_wall_ms();
	/* What is about to be too old is so when it gets there. */
	if (window > 0)
		w.oldest_ms = now - window + window / 1024;
	w.newest_ms = now + LIB_ID_FUTURE_MS;
	return w;
}

bool lib_id_fits(const struct lib_id_window *w, const uint8_t id[IEUM_ID_BYTES])
{
	int64_t at_ms = (int64_t)uuid7_ms(id);

	return at_ms > w->oldest_ms && at_ms <= w->newest_ms;
}

/* What is sealed is bound to its id: closed again under the new one, to ourselves alone. */
static bool reseal(struct ieum *c, struct outgoing *o, const uint8_t id[IEUM_ID_BYTES])
{
	Ieum__V1__Referral *m = ieum__v1__referral__unpack(NULL, o->len, o->bytes);
	char why[IEUM_WHY_BYTES];
	uint8_t *bytes = NULL;

	if (m && !seal_message_rename(c->keyring, m, id, why)) {
		size_t len = ieum__v1__referral__get_packed_size(m);

		bytes = malloc(len);
		if (bytes) {
			ieum__v1__referral__pack(m, bytes);
			lib_submit_set_bytes(c, o, bytes, len);
			o->to_seal = true;
		}
	}
	if (m)
		ieum__v1__referral__free_unpacked(m, NULL);
	return bytes != NULL;
}

bool lib_id_renew(struct ieum *c, struct outgoing *o)
{
	const struct lib_id_window window = lib_id_window(c);
	uint8_t id[IEUM_ID_BYTES];

	if (!o->stamped || o->on_wire || lib_id_fits(&window, o->message_id) || lib_id_make(c, id))
		return false;
	if (!o->sealed)
		memcpy(o->bytes + o->id_at, id, sizeof id);
	else if (!reseal(c, o, id))
		return false;
	if (!o->renamed)
		memcpy(o->former_id, o->message_id, sizeof id);
	memcpy(o->message_id, id, sizeof id);
	o->renamed = true;
	return true;
}

void lib_id_tell(struct ieum *c, struct outgoing *o)
{
	if (!o->renamed)
		return;
	o->renamed = false;
	if (c->options.callbacks.renamed)
		c->options.callbacks.renamed(c, o->former_id, o->message_id, c->options.ctx);
}
