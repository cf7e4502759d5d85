/* Messages with sealed parts as a part of the state; see sealed.h. */
#include "broker/core/sealed.h"

#include <stdlib.h>
#include <string.h>

#include "broker/core/apply.h"
#include "broker/core/mailbox.h"

static void want_placed(void *core, uint32_t want, uint32_t place)
{
	sealed_want_at(core, want)->place = place;
}

void sealed_init(struct core *c)
{
	slab_init(&c->sealed.records, sizeof(struct sealed));
	slab_init(&c->sealed.wants, sizeof(struct sealed_want));
	heap_init(&c->sealed.due, want_placed, c);
	lookup_init(&c->sealed.wraps);
}

static void free_parts(struct sealed *s)
{
	for (size_t i = 0; i < s->n_parts; i++) {
		for (size_t k = 0; k < s->parts[i].n_recipients; k++)
			free(s->parts[i].recipients[k]);
		free(s->parts[i].recipients);
		free(s->parts[i].holders);
	}
	free(s->parts);
	for (size_t i = 0; i < s->n_keys; i++)
		free(s->keys[i].info);
	free(s->keys);
	free(s->rejected);
}

static uint64_t wrap_hash(const struct core *c, const uint8_t wrap_id[CORE_ID_BYTES])
{
	uint64_t words[2];

	memcpy(words, wrap_id, sizeof words);
	return lookup_hash(c->seed, words[0], words[1]);
}

void sealed_deinit(struct core *c)
{
	for (uint32_t h = c->sealed.head; h; h = sealed_at(c, h)->next)
		free_parts(sealed_at(c, h));
	slab_deinit(&c->sealed.records);
	slab_deinit(&c->sealed.wants);
	heap_deinit(&c->sealed.due);
	lookup_deinit(&c->sealed.wraps);
}

/* ---- looking ---- */

struct sealed *sealed_at(const struct core *c, uint32_t h)
{
	return slab_at(&c->sealed.records, h);
}

struct sealed_want *sealed_want_at(const struct core *c, uint32_t h)
{
	return slab_at(&c->sealed.wants, h);
}

uint32_t sealed_want_of(const struct core *c, const struct sealed *s, uint32_t participant)
{
	uint32_t h = s->first_want;

	while (h && sealed_want_at(c, h)->participant != participant)
		h = sealed_want_at(c, h)->next;
	return h;
}

static bool holds_part(const struct sealed_part *part, uint32_t participant)
{
	for (size_t i = 0; i < part->n_holders; i++)
		if (part->holders[i] == participant)
			return true;
	return false;
}

uint32_t sealed_held(const struct sealed *s, uint32_t participant)
{
	return sealed_held_without(s, participant, NULL);
}

bool sealed_has_rejected(const struct core *c, const struct sealed *s, uint32_t participant,
			 uint32_t holder)
{
	for (size_t i = 0; i < s->n_rejected; i++) {
		const struct sealed_rejected *k = &s->rejected[i];
		if (k->participant == participant && (!holder || k->holder == holder) &&
		    k->newest == certificates_newest(c, participant))
			return true;
	}
	return false;
}

static bool came_by(const struct sealed_key *key, const uint8_t *wrap_id)
{
	return wrap_id && memcmp(key->wrap_id, wrap_id, CORE_ID_BYTES) == 0;
}

uint32_t sealed_held_without(const struct sealed *s, uint32_t participant, const uint8_t *wrap_id)
{
	uint32_t held = 0;

	for (size_t i = 0; i < s->n_parts; i++)
		if (holds_part(&s->parts[i], participant))
			held |= sealed_bit(s->parts[i].number);
	for (size_t i = 0; i < s->n_keys; i++)
		if (s->keys[i].participant == participant && !came_by(&s->keys[i], wrap_id))
			held |= sealed_bit(s->keys[i].part);
	return held;
}

uint32_t sealed_of_wrap(const struct core *c, const uint8_t wrap_id[CORE_ID_BYTES])
{
	struct lookup_probe probe;

	for (uint32_t h = lookup_first(&c->sealed.wraps, wrap_hash(c, wrap_id), &probe); h;
	     h = lookup_next(&probe))
		for (size_t i = 0; i < sealed_at(c, h)->n_keys; i++)
			if (came_by(&sealed_at(c, h)->keys[i], wrap_id))
				return h;
	return 0;
}

int64_t sealed_next_due_ms(const struct core *c)
{
	const struct heap_entry *first = heap_first(&c->sealed.due);

	if (c->sealed.first_look)
		return to_ms(c->last_at_us);
	return first ? (int64_t)first->key : INT64_MAX;
}

size_t core_keys(const struct core *c, uint64_t connection, const uint8_t *message_id,
		 struct core_key *out, size_t max)
{
	uint32_t rh = state_referral(c, message_id);
	uint32_t kh = state_connection(c, connection);
	size_t n = 0;

	if (!rh || !kh || !referral_at(c, rh)->sealed)
		return 0;
	const struct sealed *s = sealed_at(c, referral_at(c, rh)->sealed);
	for (size_t i = 0; i < s->n_keys && n < max; i++)
		if (s->keys[i].participant == connection_at(c, kh)->participant)
			out[n++] = (struct core_key){ s->keys[i].part, s->keys[i].info,
						      s->keys[i].info_len };
	return n;
}

/* ---- the list, in the order of looking ---- */

static void unlink_record(struct core *c, uint32_t h)
{
	struct sealed *s = sealed_at(c, h);

	if (c->sealed.first_look == h)
		c->sealed.first_look = s->next;
	*(s->prev ? &sealed_at(c, s->prev)->next : &c->sealed.head) = s->next;
	*(s->next ? &sealed_at(c, s->next)->prev : &c->sealed.tail) = s->prev;
}

static void link_last(struct core *c, uint32_t h)
{
	struct sealed *s = sealed_at(c, h);

	s->prev = c->sealed.tail;
	s->next = 0;
	*(c->sealed.tail ? &sealed_at(c, c->sealed.tail)->next : &c->sealed.head) = h;
	c->sealed.tail = h;
}

/* Before the first that has to be looked at. */
static void link_looked(struct core *c, uint32_t h)
{
	uint32_t before = c->sealed.first_look;

	if (!before) {
		link_last(c, h);
		return;
	}
	struct sealed *s = sealed_at(c, h);
	s->next = before;
	s->prev = sealed_at(c, before)->prev;
	*(s->prev ? &sealed_at(c, s->prev)->next : &c->sealed.head) = h;
	sealed_at(c, before)->prev = h;
}

void sealed_look(struct core *c, uint32_t h)
{
	if (sealed_at(c, h)->look)
		return;
	unlink_record(c, h);
	link_last(c, h);
	sealed_at(c, h)->look = true;
	if (!c->sealed.first_look)
		c->sealed.first_look = h;
}

void sealed_look_all(struct core *c)
{
	for (uint32_t h = c->sealed.head; h && h != c->sealed.first_look; h = sealed_at(c, h)->next)
		sealed_at(c, h)->look = true;
	c->sealed.first_look = c->sealed.head;
}

/* ---- wants ---- */

static void leave_queue(struct core *c, uint32_t wh)
{
	struct sealed_want *w = sealed_want_at(c, wh);

	if (w->place) {
		heap_remove(&c->sealed.due, w->place);
		return;
	}
	*(w->wait_prev ? &sealed_want_at(c, w->wait_prev)->wait_next : &c->sealed.wait_head) =
		w->wait_next;
	if (w->wait_next)
		sealed_want_at(c, w->wait_next)->wait_prev = w->wait_prev;
}

static enum ieum_err join_queue(struct core *c, uint32_t wh, int64_t ask_again_at_ms)
{
	struct sealed_want *w = sealed_want_at(c, wh);

	w->ask_again_at_ms = ask_again_at_ms;
	if (ask_again_at_ms) {
		/* Equal moments in an order that is the same in every core. */
		uint64_t seq = referral_at(c, sealed_at(c, w->sealed)->referral)->seq;
		return heap_push(&c->sealed.due, (uint64_t)ask_again_at_ms,
				 seq << 20 | w->participant, wh);
	}
	w->wait_prev = 0;
	w->wait_next = c->sealed.wait_head;
	if (w->wait_next)
		sealed_want_at(c, w->wait_next)->wait_prev = wh;
	c->sealed.wait_head = wh;
	return IEUM_E_OK;
}

enum ieum_err sealed_place_want(struct core *c, uint32_t wh, int64_t ask_again_at_ms)
{
	leave_queue(c, wh);
	return join_queue(c, wh, ask_again_at_ms);
}

static void count_want(struct core *c, const struct sealed_want *w, bool more)
{
	uint32_t sender = referral_at(c, sealed_at(c, w->sealed)->referral)->sender;
	uint32_t by = more ? 1 : UINT32_MAX;

	c->participants[w->participant - 1].n_wants += by;
	if (sender)
		c->participants[sender - 1].n_wanted += by;
}

bool sealed_has_room(const struct core *c, const struct sealed *s, uint32_t participant,
		     size_t beside)
{
	uint32_t sender = referral_at(c, s->referral)->sender;

	return c->sealed.wants.live + beside < SEALED_WANTS_MAX &&
	       c->participants[participant - 1].n_wants < SEALED_WANTS_OF_ONE &&
	       !(sender && c->participants[sender - 1].n_wanted + beside >= SEALED_WANTED_OF_ONE);
}

/* It waits; 0: no memory. */
uint32_t sealed_add_want(struct core *c, uint32_t h, uint32_t participant)
{
	uint32_t wh = slab_get(&c->sealed.wants);
	uint32_t *link = &sealed_at(c, h)->first_want;

	if (!wh)
		return 0;
	struct sealed_want *w = sealed_want_at(c, wh);
	w->sealed = h;
	w->participant = participant;
	while (*link)
		link = &sealed_want_at(c, *link)->next;
	*link = wh;
	count_want(c, w, true);
	return join_queue(c, wh, 0) ? 0 : wh;
}

static void drop_want(struct core *c, uint32_t wh)
{
	uint32_t *link = &sealed_at(c, sealed_want_at(c, wh)->sealed)->first_want;

	while (*link != wh)
		link = &sealed_want_at(c, *link)->next;
	*link = sealed_want_at(c, wh)->next;
	leave_queue(c, wh);
	count_want(c, sealed_want_at(c, wh), false);
	slab_put(&c->sealed.wants, wh);
	if (c->sealed.skipped && c->sealed.wants.live % SEALED_ROOM_EVERY == 0) {
		c->sealed.skipped = false;
		sealed_look_all(c);
	}
}

void sealed_forget(struct core *c, struct referral *r)
{
	uint32_t h = r->sealed;

	if (!h)
		return;
	while (sealed_at(c, h)->first_want)
		drop_want(c, sealed_at(c, h)->first_want);
	for (size_t i = 0; i < sealed_at(c, h)->n_keys; i++)
		(void)lookup_remove(&c->sealed.wraps,
				    wrap_hash(c, sealed_at(c, h)->keys[i].wrap_id), h);
	unlink_record(c, h);
	free_parts(sealed_at(c, h));
	slab_put(&c->sealed.records, h);
	r->sealed = 0;
}

/* ---- applying ---- */

static enum ieum_err fill_part(struct core *c, struct sealed_part *to,
			       const Ieum__V1__SealedPart *from)
{
	to->number = from->number;
	to->holders = calloc(from->n_holders + 1, sizeof *to->holders);
	to->recipients = calloc(from->n_recipients + 1, sizeof *to->recipients);
	if (!to->holders || !to->recipients)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < from->n_holders; i++) {
		if (from->holders[i] == 0 || from->holders[i] > c->n_participants)
			return IEUM_E_JOURNAL_CORRUPT;
		to->holders[to->n_holders++] = from->holders[i];
	}
	for (size_t i = 0; i < from->n_recipients; i++) {
		to->recipients[i] = strdup(from->recipients[i]);
		if (!to->recipients[i])
			return IEUM_E_NO_MEMORY;
		to->n_recipients++;
	}
	return IEUM_E_OK;
}

enum ieum_err sealed_add(struct core *c, uint32_t rh, Ieum__V1__SealedPart *const *parts, size_t n)
{
	uint32_t h = slab_get(&c->sealed.records);
	uint32_t numbers = 0;
	enum ieum_err err = IEUM_E_OK;

	if (!h)
		return IEUM_E_NO_MEMORY;
	struct sealed *s = sealed_at(c, h);
	s->referral = rh;
	referral_at(c, rh)->sealed = h;
	link_looked(c, h);
	s->parts = calloc(n, sizeof *s->parts);
	if (!s->parts)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < n && !err; i++) {
		uint32_t bit = sealed_bit(parts[i]->number);
		if (!bit || numbers & bit)
			return IEUM_E_JOURNAL_CORRUPT;
		numbers |= bit;
		s->n_parts++;
		err = fill_part(c, &s->parts[i], parts[i]);
	}
	return err;
}

enum ieum_err sealed_add_key(struct core *c, struct sealed *s, const struct sealed_key *key)
{
	struct sealed_key *more;

	if (s->n_keys == SEALED_KEYS_MAX || !sealed_bit(key->part) || key->participant == 0 ||
	    key->participant > c->n_participants || key->holder == 0 ||
	    key->holder > c->n_participants || key->info_len == 0)
		return IEUM_E_JOURNAL_CORRUPT;
	more = realloc(s->keys, (s->n_keys + 1) * sizeof *s->keys);
	if (!more)
		return IEUM_E_NO_MEMORY;
	s->keys = more;
	s->keys[s->n_keys] = *key;
	s->keys[s->n_keys].info = malloc(key->info_len);
	if (!s->keys[s->n_keys].info)
		return IEUM_E_NO_MEMORY;
	memcpy(s->keys[s->n_keys++].info, key->info, key->info_len);
	return lookup_add(&c->sealed.wraps, wrap_hash(c, key->wrap_id),
			  referral_at(c, s->referral)->sealed);
}

enum ieum_err sealed_add_rejected(struct core *c, struct sealed *s,
				  const struct sealed_rejected *rejected)
{
	if (rejected->participant == 0 || rejected->participant > c->n_participants ||
	    rejected->holder == 0 || rejected->holder > c->n_participants)
		return IEUM_E_JOURNAL_CORRUPT;
	if (s->n_rejected == SEALED_REJECTED_MAX)
		memmove(&s->rejected[0], &s->rejected[1], --s->n_rejected * sizeof *s->rejected);
	struct sealed_rejected *more =
		realloc(s->rejected, (s->n_rejected + 1) * sizeof *s->rejected);
	if (!more)
		return IEUM_E_NO_MEMORY;
	s->rejected = more;
	s->rejected[s->n_rejected++] = *rejected;
	return IEUM_E_OK;
}

/* Keys that are dropped together. */
struct dropping {
	uint32_t participant;
	uint32_t holder, parts; /* wrapped by this one for those parts */
	const uint8_t *wrap_id; /* or brought by this key_wrap */
};

static bool is_dropped(const struct sealed_key *key, const struct dropping *which)
{
	if (key->participant != which->participant)
		return false;
	return which->wrap_id
		       ? came_by(key, which->wrap_id)
		       : key->holder == which->holder && which->parts & sealed_bit(key->part);
}

static void drop_keys(struct core *c, uint32_t h, const struct dropping *which)
{
	struct sealed *s = sealed_at(c, h);
	size_t kept = 0;

	for (size_t i = 0; i < s->n_keys; i++) {
		if (!is_dropped(&s->keys[i], which)) {
			s->keys[kept++] = s->keys[i];
			continue;
		}
		(void)lookup_remove(&c->sealed.wraps, wrap_hash(c, s->keys[i].wrap_id), h);
		free(s->keys[i].info);
	}
	s->n_keys = kept;
}

/* Not before the pause since the last round is over. */
static enum ieum_err wake(struct core *c, const struct applied *a, uint32_t wh)
{
	const struct sealed_want *w = sealed_want_at(c, wh);
	int64_t rested_ms = w->asked_at_ms ? w->asked_at_ms + SEALED_PAUSE_MS : 0;
	int64_t now_ms = to_ms(a->at_us);

	return sealed_place_want(c, wh, rested_ms > now_ms ? rested_ms : now_ms);
}

/* Who has got a key can wrap it for the others. */
static enum ieum_err wake_others(struct core *c, const struct applied *a, uint32_t h,
				 uint32_t parts)
{
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t wh = sealed_at(c, h)->first_want; wh && !err;
	     wh = sealed_want_at(c, wh)->next)
		if (!sealed_want_at(c, wh)->place && sealed_want_at(c, wh)->parts & parts)
			err = wake(c, a, wh);
	return err;
}

static enum ieum_err apply_wrapped(struct core *c, const struct applied *a, uint32_t h,
				   const Ieum__V1__KeysChanged *e)
{
	struct sealed *s = sealed_at(c, h);
	uint32_t wh = sealed_want_of(c, s, e->participant);
	enum ieum_err err = IEUM_E_OK;
	uint32_t parts = 0;

	for (size_t i = 0; i < e->n_keys; i++)
		parts |= sealed_bit(e->keys[i]->part);
	/* What the same holder wrapped before for the same part is replaced: the certificates may be
	 * others now.  Another holder's stays: nobody undoes what somebody else has done. */
	drop_keys(c, h,
		  &(struct dropping){
			  .participant = e->participant, .holder = e->holder, .parts = parts });
	for (size_t i = 0; i < e->n_keys && !err; i++) {
		struct sealed_key key = { .participant = e->participant,
					  .holder = e->holder,
					  .part = e->keys[i]->part,
					  .info = e->keys[i]->recipient_info.data,
					  .info_len = e->keys[i]->recipient_info.len };
		if (e->wrap_id.len == CORE_ID_BYTES)
			memcpy(key.wrap_id, e->wrap_id.data, CORE_ID_BYTES);
		err = sealed_add_key(c, s, &key);
	}
	if (!err && wh && (sealed_want_at(c, wh)->parts &= ~parts) == 0)
		drop_want(c, wh);
	return err ? err : wake_others(c, a, h, parts);
}

bool sealed_declined(const struct sealed_want *w, uint32_t participant)
{
	for (uint32_t i = 0; i < w->n_declined; i++)
		if (w->declined[i] == participant)
			return true;
	return false;
}

/* The oldest makes room. */
static void note_request(struct core *c, struct sealed_want *w, const uint8_t *request_id)
{
	uint32_t rh = state_referral(c, request_id);

	if (!rh)
		return;
	if (w->n_requests == SEALED_ASKED_MAX)
		memmove(&w->requests[0], &w->requests[1], --w->n_requests * sizeof *w->requests);
	w->requests[w->n_requests++] = referral_at(c, rh)->seq;
}

static void note_asked(struct core *c, const struct applied *a, struct sealed_want *w,
		       const Ieum__V1__KeysChanged *e)
{
	bool asks = e->holder && e->request_id.len == CORE_ID_BYTES;

	memset(w->request_id, 0, CORE_ID_BYTES);
	if (asks) {
		memcpy(w->request_id, e->request_id.data, CORE_ID_BYTES);
		w->asked_at_ms = to_ms(a->at_us);
		note_request(c, w, w->request_id);
	}
	if (e->declined && !sealed_declined(w, e->holder) && w->n_declined < SEALED_ASKED_MAX)
		w->declined[w->n_declined++] = e->holder;
	/* When it has to wait, those who said nothing may be asked again. */
	if (!e->ask_again_at_ms)
		w->n_asked = 0;
	else if (asks && w->n_asked < SEALED_ASKED_MAX)
		w->asked[w->n_asked++] = e->holder;
}

static enum ieum_err apply_wanted(struct core *c, const struct applied *a, uint32_t h,
				  const Ieum__V1__KeysChanged *e)
{
	uint32_t wh = sealed_want_of(c, sealed_at(c, h), e->participant);

	if (e->wrap_id.len == CORE_ID_BYTES) {
		drop_keys(c, h,
			  &(struct dropping){ .participant = e->participant,
					      .wrap_id = e->wrap_id.data });
		enum ieum_err err = sealed_add_rejected(
			c, sealed_at(c, h),
			&(struct sealed_rejected){ e->participant, e->holder,
						   certificates_newest(c, e->participant) });
		if (err)
			return err;
	}
	if (e->n_parts == 0) {
		if (wh)
			drop_want(c, wh);
		return IEUM_E_OK;
	}
	if (!wh)
		wh = sealed_add_want(c, h, e->participant);
	if (!wh)
		return IEUM_E_NO_MEMORY;
	struct sealed_want *w = sealed_want_at(c, wh);
	w->parts = 0;
	for (size_t i = 0; i < e->n_parts; i++)
		w->parts |= sealed_bit(e->parts[i]);
	note_asked(c, a, w, e);
	return sealed_place_want(c, wh, e->ask_again_at_ms);
}

static enum ieum_err apply_looked(struct core *c, uint32_t through)
{
	for (uint32_t h = c->sealed.first_look; h; h = sealed_at(c, h)->next) {
		sealed_at(c, h)->look = false;
		c->sealed.first_look = sealed_at(c, h)->next;
		if (h == through)
			return IEUM_E_OK;
	}
	return IEUM_E_JOURNAL_CORRUPT;
}

static enum ieum_err withdraw(struct core *c, const Ieum__V1__KeysChanged *e)
{
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < e->n_withdrawn && !err; i++) {
		uint32_t dh = state_delivery(c, e->withdrawn[i]);
		err = dh ? mailbox_end(c, dh, DELIVERY_WITHDRAWN, NULL) : IEUM_E_JOURNAL_CORRUPT;
	}
	return err;
}

enum ieum_err apply_keys_changed(struct core *c, const struct applied *a,
				 const Ieum__V1__KeysChanged *e)
{
	uint32_t rh =
		e->message_id.len == CORE_ID_BYTES ? state_referral(c, e->message_id.data) : 0;
	uint32_t h = rh ? referral_at(c, rh)->sealed : 0;

	if (!h || e->participant > c->n_participants || e->holder > c->n_participants)
		return IEUM_E_JOURNAL_CORRUPT;
	enum ieum_err err = withdraw(c, e);
	if (err)
		return err;
	c->sealed.skipped |= e->skipped;
	if (e->participant && e->n_keys > 0)
		return apply_wrapped(c, a, h, e);
	if (e->participant)
		return apply_wanted(c, a, h, e);
	if (!e->look)
		return apply_looked(c, h);
	sealed_look(c, h);
	return IEUM_E_OK;
}

/* Which of them it may read is for the policy to say, when somebody is asked. */
enum ieum_err sealed_was_read(struct core *c, const struct applied *a, uint32_t rh,
			      uint32_t participant)
{
	const struct referral *r = referral_at(c, rh);
	struct sealed *s = r->sealed ? sealed_at(c, r->sealed) : NULL;
	uint32_t parts = 0;

	if (!s || participant == r->sender || sealed_want_of(c, s, participant) ||
	    !sealed_has_room(c, s, participant, 0))
		return IEUM_E_OK;
	for (size_t i = 0; i < s->n_parts; i++)
		parts |= sealed_bit(s->parts[i].number);
	parts &= ~sealed_held(s, participant);
	if (!parts)
		return IEUM_E_OK;
	uint32_t wh = sealed_add_want(c, r->sealed, participant);
	if (!wh)
		return IEUM_E_NO_MEMORY;
	sealed_want_at(c, wh)->parts = parts;
	return sealed_place_want(c, wh, to_ms(a->at_us));
}

enum ieum_err sealed_wake(struct core *c, const struct applied *a, uint32_t participant)
{
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t wh = c->sealed.wait_head, next; wh && !err; wh = next) {
		const struct sealed_want *w = sealed_want_at(c, wh);
		next = w->wait_next;
		if (!sealed_declined(w, participant) &&
		    !sealed_has_rejected(c, sealed_at(c, w->sealed), w->participant, participant) &&
		    sealed_held(sealed_at(c, w->sealed), participant) & w->parts)
			err = wake(c, a, wh);
	}
	return err;
}

/* Whoever declined may have done so because of the certificates that there were. */
enum ieum_err sealed_certificate(struct core *c, const struct applied *a, uint32_t participant)
{
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t wh = c->sealed.wait_head, next; wh && !err; wh = next) {
		struct sealed_want *w = sealed_want_at(c, wh);
		next = w->wait_next;
		if (w->participant != participant)
			continue;
		w->n_declined = 0;
		err = wake(c, a, wh);
	}
	return err;
}
