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
	c->sealed.epoch = 1;
}

static void free_key(struct sealed_key *key)
{
	free(key->info);
	free(key->to.ids);
}

static void free_parts(struct sealed *s)
{
	for (size_t i = 0; i < s->n_parts; i++) {
		for (size_t k = 0; k < s->parts[i].n_recipients; k++)
			free(s->parts[i].recipients[k]);
		free(s->parts[i].recipients);
		free(s->parts[i].holders);
		free(s->parts[i].to.ids);
	}
	free(s->parts);
	for (size_t i = 0; i < s->n_keys; i++)
		free_key(&s->keys[i]);
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

static bool holds_part(const struct sealed_part *part, uint32_t participant)
{
	for (size_t i = 0; i < part->n_holders; i++)
		if (part->holders[i] == participant)
			return true;
	return false;
}

uint32_t sealed_held(const struct sealed *s, uint32_t participant)
{
	uint32_t held = 0;

	for (size_t i = 0; i < s->n_parts; i++)
		if (holds_part(&s->parts[i], participant))
			held |= sealed_bit(s->parts[i].number);
	for (size_t i = 0; i < s->n_keys; i++)
		if (s->keys[i].participant == participant)
			held |= sealed_bit(s->keys[i].part);
	return held;
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

/* ---- by certificate ---- */

static int compare_certificates(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool is_among(const struct sealed_certificates *list, uint64_t id)
{
	return list->n && bsearch(&id, list->ids, list->n, sizeof id, compare_certificates);
}

void sealed_own(const struct core *c, const struct sealed *s, uint32_t participant, int64_t now_ms,
		const uint8_t *wrap_id, struct sealed_own *out)
{
	out->n = certificates_of(c, participant, now_ms, out->known,
				 CORE_CERTIFICATES_PER_PARTICIPANT);
	for (size_t k = 0; k < out->n; k++) {
		out->ids[k] = certificate_identifier(out->known[k].fingerprint);
		out->held[k] = 0;
		for (size_t i = 0; i < s->n_parts; i++)
			if (is_among(&s->parts[i].to, out->ids[k]))
				out->held[k] |= sealed_bit(s->parts[i].number);
	}
	for (size_t i = 0; i < s->n_keys; i++) {
		if (s->keys[i].participant != participant || came_by(&s->keys[i], wrap_id))
			continue;
		for (size_t k = 0; k < out->n; k++)
			if (is_among(&s->keys[i].to, out->ids[k]))
				out->held[k] |= sealed_bit(s->keys[i].part);
	}
}

uint32_t sealed_lacks_without(const struct core *c, const struct sealed *s, uint32_t participant,
			      int64_t now_ms, const uint8_t *wrap_id)
{
	uint32_t parts = 0, lacks = 0;
	struct sealed_own own;

	for (size_t i = 0; i < s->n_parts; i++)
		parts |= sealed_bit(s->parts[i].number);
	/* Its own key nobody has to keep. */
	if (participant == referral_at(c, s->referral)->sender)
		parts &= sealed_held(s, participant);
	sealed_own(c, s, participant, now_ms, wrap_id, &own);
	for (size_t k = 0; k < own.n; k++)
		lacks |= parts & ~own.held[k];
	return lacks;
}

uint32_t sealed_lacks(const struct core *c, const struct sealed *s, uint32_t participant,
		      int64_t now_ms)
{
	return sealed_lacks_without(c, s, participant, now_ms, NULL);
}

/* Copies them; none: those that the participants have now, which was not recorded once. */
static enum ieum_err take_ids(const struct core *c, const uint64_t *ids, size_t n,
			      const uint32_t *participants, size_t n_participants,
			      struct sealed_certificates *out)
{
	out->ids = calloc(n ? n : n_participants * CORE_CERTIFICATES_PER_PARTICIPANT + 1,
			  sizeof *out->ids);
	if (!out->ids)
		return IEUM_E_NO_MEMORY;
	if (n)
		memcpy(out->ids, ids, n * sizeof *out->ids);
	out->n = n;
	for (size_t i = 0; !n && i < n_participants; i++) {
		struct core_certificate known[CORE_CERTIFICATES_PER_PARTICIPANT];
		size_t k = certificates_of(c, participants[i], INT64_MIN, known,
					   CORE_CERTIFICATES_PER_PARTICIPANT);
		while (k-- > 0)
			out->ids[out->n++] = certificate_identifier(known[k].fingerprint);
	}
	if (out->n)
		qsort(out->ids, out->n, sizeof *out->ids, compare_certificates);
	return IEUM_E_OK;
}

/* ---- keys ---- */

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

bool sealed_to_look(const struct core *c, const struct sealed *s)
{
	return s->looked != c->sealed.epoch;
}

void sealed_look(struct core *c, uint32_t h)
{
	if (sealed_to_look(c, sealed_at(c, h)))
		return;
	unlink_record(c, h);
	link_last(c, h);
	sealed_at(c, h)->looked = 0;
	if (!c->sealed.first_look)
		c->sealed.first_look = h;
}

void sealed_look_all(struct core *c)
{
	c->sealed.epoch++;
	c->sealed.first_look = c->sealed.head;
}

void sealed_forget(struct core *c, struct referral *r)
{
	uint32_t h = r->sealed;

	if (!h)
		return;
	while (sealed_at(c, h)->first_want)
		sealed_drop_want(c, sealed_at(c, h)->first_want);
	for (size_t i = 0; i < sealed_at(c, h)->n_keys; i++)
		(void)lookup_remove(&c->sealed.wraps,
				    wrap_hash(c, sealed_at(c, h)->keys[i].wrap_id), h);
	unlink_record(c, h);
	free_parts(sealed_at(c, h));
	slab_put(&c->sealed.records, h);
	r->sealed = 0;
}

/* ---- applying ---- */

static enum ieum_err fill_part(const struct core *c, struct sealed_part *to,
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
	enum ieum_err err = take_ids(c, from->certificates, from->n_certificates, to->holders,
				     to->n_holders, &to->to);
	if (err)
		return err;
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
	s->looked = c->sealed.epoch;
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
	struct sealed_key *to = &s->keys[s->n_keys];
	to->info = malloc(key->info_len);
	enum ieum_err err =
		to->info ? take_ids(c, key->to.ids, key->to.n, &key->participant, 1, &to->to)
			 : IEUM_E_NO_MEMORY;
	if (err) {
		free(to->info);
		return err;
	}
	memcpy(to->info, key->info, key->info_len);
	s->n_keys++;
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
	const struct sealed_key *by; /* that the same holder has wrapped anew, for the same */
	const uint8_t *wrap_id;      /* or brought by this key_wrap */
};

static bool is_dropped(const struct sealed_key *key, const struct dropping *which)
{
	if (key->participant != which->participant)
		return false;
	if (which->wrap_id)
		return came_by(key, which->wrap_id);
	if (!which->by || key->holder != which->by->holder || key->part != which->by->part)
		return false;
	for (size_t i = 0; i < key->to.n; i++)
		if (!is_among(&which->by->to, key->to.ids[i]))
			return false;
	return true;
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
		free_key(&s->keys[i]);
	}
	s->n_keys = kept;
}

/* What the same holder wrapped before for the same certificates is replaced.  Another holder's stays,
 * and what a colleague wrapped for another workstation: nobody undoes what somebody else has done. */
static enum ieum_err replace_key(struct core *c, uint32_t h, const Ieum__V1__KeysChanged *e,
				 const Ieum__V1__KeptKey *kept)
{
	struct sealed *s = sealed_at(c, h);
	struct sealed_key key = { .participant = e->participant,
				  .holder = e->holder,
				  .part = kept->part,
				  .info = kept->recipient_info.data,
				  .info_len = kept->recipient_info.len,
				  .to = { kept->certificates, kept->n_certificates } };

	if (e->wrap_id.len == CORE_ID_BYTES)
		memcpy(key.wrap_id, e->wrap_id.data, CORE_ID_BYTES);
	enum ieum_err err = sealed_add_key(c, s, &key);
	if (!err) {
		/* It moves while others go. */
		const struct sealed_key by = s->keys[s->n_keys - 1];
		s->n_keys--;
		drop_keys(c, h, &(struct dropping){ .participant = e->participant, .by = &by });
		s->keys[s->n_keys++] = by;
	}
	return err;
}

static enum ieum_err apply_wrapped(struct core *c, const struct applied *a, uint32_t h,
				   const Ieum__V1__KeysChanged *e)
{
	uint32_t wh = sealed_want_of(c, sealed_at(c, h), e->participant);
	enum ieum_err err = IEUM_E_OK;
	uint32_t parts = 0;

	for (size_t i = 0; i < e->n_keys && !err; i++) {
		parts |= sealed_bit(e->keys[i]->part);
		err = replace_key(c, h, e, e->keys[i]);
	}
	if (!err && wh)
		err = sealed_want_served(c, a, wh, e->holder);
	return err ? err : sealed_wake_others(c, a, h, parts);
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
			sealed_drop_want(c, wh);
		return IEUM_E_OK;
	}
	if (!wh)
		wh = sealed_add_want(c, h, e->participant);
	if (!wh)
		return IEUM_E_NO_MEMORY;
	return sealed_want_changed(c, a, wh, e);
}

static enum ieum_err apply_looked(struct core *c, uint32_t through)
{
	/* A hub that looked at less, or in another order, wrote this. */
	if (!sealed_to_look(c, sealed_at(c, through)))
		return IEUM_E_OK;
	for (uint32_t h = c->sealed.first_look; h; h = sealed_at(c, h)->next) {
		sealed_at(c, h)->looked = c->sealed.epoch;
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
