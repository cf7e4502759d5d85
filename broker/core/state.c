/* Tables of a core: names, connections, referrals by id; see state.h. */
#include "broker/core/state.h"

#include <stdlib.h>
#include <string.h>

uint64_t state_id_hash(const struct core *c, const uint8_t id[CORE_ID_BYTES])
{
	uint64_t w[2];

	memcpy(w, id, sizeof w);
	return lookup_hash(c->seed, w[0], w[1]);
}

static uint64_t name_hash(const struct core *c, uint32_t of, const char *name)
{
	uint64_t h = of;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 0x100000001b3u;
	return lookup_hash(c->seed, h, of);
}

uint32_t state_connection(const struct core *c, uint64_t number)
{
	struct lookup_probe p;
	uint32_t h = lookup_first(&c->connection_numbers, lookup_hash(c->seed, number, 0), &p);

	while (h && connection_at(c, h)->number != number)
		h = lookup_next(&p);
	return h;
}

uint32_t state_referral(const struct core *c, const uint8_t id[CORE_ID_BYTES])
{
	struct lookup_probe p;
	uint32_t h = lookup_first(&c->referral_ids, state_id_hash(c, id), &p);

	while (h && memcmp(referral_at(c, h)->id, id, CORE_ID_BYTES) != 0)
		h = lookup_next(&p);
	return h;
}

uint32_t state_case(const struct core *c, const uint8_t id[CORE_ID_BYTES])
{
	struct lookup_probe p;
	uint32_t h = lookup_first(&c->case_ids, state_id_hash(c, id), &p);

	while (h && memcmp(case_at(c, h)->id, id, CORE_ID_BYTES) != 0)
		h = lookup_next(&p);
	return h;
}

uint32_t state_delivery(const struct core *c, uint64_t delivery_id)
{
	uint32_t r = seqmap_get(&c->seqs, delivery_id >> CORE_ROUTE_BITS);
	uint32_t d = r ? referral_at(c, r)->first_delivery : 0;

	while (d && delivery_at(c, d)->id != delivery_id)
		d = delivery_at(c, d)->next;
	return d;
}

struct task *state_task(const struct core *c, const struct referral *r, uint32_t index)
{
	uint32_t t = r->first_task;

	while (t && task_at(c, t)->index != index)
		t = task_at(c, t)->next;
	return t ? task_at(c, t) : NULL;
}

struct mailbox *state_mailbox(const struct core *c, uint32_t number)
{
	return number && number <= c->n_mailboxes ? &c->mailboxes[number - 1] : NULL;
}

const char *state_participant_name(const struct core *c, uint32_t number)
{
	return number && number <= c->n_participants ? c->participants[number - 1].name : "";
}

const char *state_mailbox_name(const struct core *c, uint32_t number)
{
	return number && number <= c->n_mailboxes ? c->mailboxes[number - 1].name : "";
}

const char *state_actor_name(const struct core *c, uint32_t number)
{
	return number && number <= c->n_actors ? c->actors[number - 1].name : "";
}

/* ---- names ---- */

/* Room for one more in an array that doubles; n is what it holds. */
static void *grown(void *array, uint32_t n, size_t item_bytes)
{
	if (n >= 8 && (n & (n - 1)) != 0)
		return array;
	if (n > 0 && n < 8)
		return array;
	return realloc(array, (n ? 2 * (size_t)n : 8) * item_bytes);
}

uint32_t state_participant_number(const struct core *c, const char *name)
{
	struct lookup_probe p;
	uint32_t n = lookup_first(&c->participant_names, name_hash(c, 1, name), &p);

	while (n && strcmp(c->participants[n - 1].name, name) != 0)
		n = lookup_next(&p);
	return n;
}

uint32_t core_mailbox_number(const struct core *c, const char *name)
{
	struct lookup_probe p;
	uint32_t n = lookup_first(&c->mailbox_names, name_hash(c, 2, name), &p);

	while (n && strcmp(c->mailboxes[n - 1].name, name) != 0)
		n = lookup_next(&p);
	return n;
}

enum ieum_err state_name_participant(struct core *c, uint32_t number, const char *name)
{
	if (number != c->n_participants + 1 || number > CORE_PARTICIPANTS_MAX ||
	    state_participant_number(c, name))
		return IEUM_E_JOURNAL_CORRUPT;
	void *array = grown(c->participants, c->n_participants, sizeof *c->participants);
	if (!array)
		return IEUM_E_NO_MEMORY;
	c->participants = array;
	struct participant *p = &c->participants[number - 1];
	*p = (struct participant){ .name = strdup(name) };
	if (!p->name)
		return IEUM_E_NO_MEMORY;
	c->n_participants++;
	return lookup_add(&c->participant_names, name_hash(c, 1, name), number);
}

static void lane_placed(void *core, uint32_t lane, uint32_t place)
{
	lane_at(core, lane)->place = place;
}

enum ieum_err state_name_mailbox(struct core *c, uint32_t number, const char *name)
{
	if (number != c->n_mailboxes + 1 || number > CORE_PARTICIPANTS_MAX ||
	    core_mailbox_number(c, name))
		return IEUM_E_JOURNAL_CORRUPT;
	void *array = grown(c->mailboxes, c->n_mailboxes, sizeof *c->mailboxes);
	if (!array)
		return IEUM_E_NO_MEMORY;
	c->mailboxes = array;
	struct mailbox *m = &c->mailboxes[number - 1];
	*m = (struct mailbox){ .name = strdup(name) };
	if (!m->name)
		return IEUM_E_NO_MEMORY;
	for (int u = 0; u < CORE_URGENCIES; u++)
		heap_init(&m->ready[u], lane_placed, c);
	c->n_mailboxes++;
	return lookup_add(&c->mailbox_names, name_hash(c, 2, name), number);
}

uint32_t state_find_actor(const struct core *c, uint32_t participant, const char *name)
{
	struct lookup_probe p;
	uint32_t n = lookup_first(&c->actor_names, name_hash(c, participant, name), &p);

	while (n && (c->actors[n - 1].participant != participant ||
		     strcmp(c->actors[n - 1].name, name) != 0))
		n = lookup_next(&p);
	return n;
}

uint32_t state_actor(struct core *c, uint32_t participant, const char *name)
{
	uint32_t n = state_find_actor(c, participant, name);

	if (n || c->n_actors == CORE_ACTORS_MAX)
		return n;
	void *array = grown(c->actors, c->n_actors, sizeof *c->actors);
	if (!array)
		return 0;
	c->actors = array;
	char *copy = strdup(name);
	n = c->n_actors + 1;
	if (!copy || lookup_add(&c->actor_names, name_hash(c, participant, name), n)) {
		free(copy);
		return 0;
	}
	c->actors[n - 1] = (struct actor){ .name = copy, .participant = participant };
	c->n_actors = n;
	c->participants[participant - 1].n_actors++;
	return n;
}

/* ---- records ---- */

enum ieum_err state_connect(struct core *c, uint64_t number, uint32_t participant, uint32_t actor)
{
	if (number <= c->last_connection || participant == 0 || participant > c->n_participants)
		return IEUM_E_JOURNAL_CORRUPT;
	uint32_t h = slab_get(&c->connections);
	if (!h)
		return IEUM_E_NO_MEMORY;
	*connection_at(c, h) =
		(struct connection){ .number = number, .participant = participant, .actor = actor };
	c->last_connection = number;
	c->participants[participant - 1].n_connections++;
	return lookup_add(&c->connection_numbers, lookup_hash(c->seed, number, 0), h);
}

void state_disconnect(struct core *c, uint32_t connection)
{
	const struct connection *k = connection_at(c, connection);

	c->participants[k->participant - 1].n_connections--;
	lookup_remove(&c->connection_numbers, lookup_hash(c->seed, k->number, 0), connection);
	slab_put(&c->connections, connection);
}

enum ieum_err state_add_referral(struct core *c, uint32_t referral)
{
	const struct referral *r = referral_at(c, referral);
	enum ieum_err err = lookup_add(&c->referral_ids, state_id_hash(c, r->id), referral);

	return err ? err : seqmap_set(&c->seqs, r->seq, referral);
}

void state_drop_referral(struct core *c, uint32_t referral)
{
	const struct referral *r = referral_at(c, referral);

	if (id_ms(r->id) > c->forgotten_id_ms)
		c->forgotten_id_ms = id_ms(r->id);
	lookup_remove(&c->referral_ids, state_id_hash(c, r->id), referral);
	seqmap_clear(&c->seqs, r->seq);
	slab_put(&c->referrals, referral);
}

/* ---- the bound policy ---- */

int state_policy_participant(const struct core *c, const struct policy *p, uint32_t number)
{
	if (number == 0)
		return POLICY_NONE;
	if (number <= c->n_policy_participants) {
		int i = c->policy_participants[number - 1];
		if (i != POLICY_NONE && (size_t)i < policy_participants(p) &&
		    policy_participant(p, i)->number == number)
			return i;
	}
	return policy_find_participant(p, state_participant_name(c, number));
}

int state_policy_mailbox(const struct core *c, const struct policy *p, uint32_t number)
{
	if (number == 0)
		return POLICY_NONE;
	if (number <= c->n_policy_mailboxes) {
		int i = c->policy_mailboxes[number - 1];
		if (i != POLICY_NONE && (size_t)i < policy_mailboxes(p) &&
		    policy_mailbox(p, i)->number == number)
			return i;
	}
	return policy_find_mailbox(p, state_mailbox_name(c, number));
}
