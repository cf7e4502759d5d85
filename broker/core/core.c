/* A core's life, and the one door through which its state changes: core_apply(). */
#include "broker/core/core.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core/apply.h"
#include "broker/core/case_clock.h"
#include "broker/core/cases.h"
#include "broker/core/handover.h"
#include "broker/core/leaving.h"
#include "broker/core/mailbox.h"
#include "broker/core/state.h"
#include "broker/core/task.h"

static void task_placed(void *core, uint32_t task, uint32_t place)
{
	task_at(core, task)->place = place;
}

static void transit_placed(void *core, uint32_t transit, uint32_t place)
{
	transit_at(core, transit)->place = place;
}

struct core *core_new(const struct core_limits *limits, uint64_t hash_seed)
{
	struct core *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->scratch = calloc(1, sizeof *c->scratch);
	if (!c->scratch) {
		free(c);
		return NULL;
	}
	c->limits = *limits;
	c->seed = hash_seed;
	slab_init(&c->connections, sizeof(struct connection));
	slab_init(&c->referrals, sizeof(struct referral));
	slab_init(&c->cases, sizeof(struct core_case));
	slab_init(&c->deliveries, sizeof(struct delivery));
	slab_init(&c->transits, sizeof(struct transit));
	slab_init(&c->readers, sizeof(struct reader));
	slab_init(&c->lanes, sizeof(struct lane));
	slab_init(&c->tasks, sizeof(struct task));
	counts_init(c);
	places_init(c);
	signals_init(c);
	agreements_init(c);
	certificates_init(c);
	sealed_init(c);
	heap_init(&c->clocks, task_placed, c);
	heap_init(&c->waiting, transit_placed, c);
	heap_init(&c->scratch->candidates, NULL, NULL);
	case_clocks_init(c);
	return c;
}

/* Records that own memory of their own.  One that was given back owns none any more. */
static void free_owned(struct core *c)
{
	for (uint32_t h = 1; h < c->tasks.used; h++) {
		free(task_at(c, h)->asked);
		free(task_at(c, h)->ladder);
		free(task_at(c, h)->approval);
	}
	for (uint32_t h = 1; h < c->cases.used; h++)
		case_deinit(case_at(c, h));
	for (uint32_t h = 1; h < c->deliveries.used; h++) {
		const struct delivery *d = delivery_at(c, h);
		if (d->state == DELIVERY_DEAD && d->transit)
			free(transit_at(c, d->transit)->why);
	}
}

static void free_names(struct core *c)
{
	for (uint32_t i = 0; i < c->n_participants; i++)
		free(c->participants[i].name);
	for (uint32_t i = 0; i < c->n_actors; i++)
		free(c->actors[i].name);
	for (uint32_t i = 0; i < c->n_mailboxes; i++)
		mailbox_deinit(&c->mailboxes[i]);
	free(c->participants);
	free(c->mailboxes);
	free(c->actors);
}

void core_free(struct core *c)
{
	if (!c)
		return;
	free_owned(c);
	certificates_deinit(c);
	sealed_deinit(c);
	free_names(c);
	handovers_deinit(&c->handovers);
	leavers_deinit(&c->leavers);
	struct lookup *indexes[] = { &c->participant_names,  &c->mailbox_names, &c->actor_names,
				     &c->connection_numbers, &c->referral_ids,  &c->case_ids,
				     &c->lane_keys };
	for (size_t i = 0; i < sizeof indexes / sizeof indexes[0]; i++)
		lookup_deinit(indexes[i]);
	struct slab *slabs[] = { &c->connections, &c->referrals, &c->cases, &c->deliveries,
				 &c->transits,    &c->readers,   &c->lanes, &c->tasks };
	for (size_t i = 0; i < sizeof slabs / sizeof slabs[0]; i++)
		slab_deinit(slabs[i]);
	counts_deinit(c);
	places_deinit(c);
	signals_deinit(c);
	agendas_deinit(&c->agendas);
	seqmap_deinit(&c->seqs);
	case_clocks_deinit(c);
	names_deinit(&c->names);
	heap_deinit(&c->clocks);
	heap_deinit(&c->waiting);
	heap_deinit(&c->agreements);
	heap_deinit(&c->scratch->candidates);
	free(c->scratch->counted);
	free(c->scratch);
	free(c->ready);
	free(c->policy_participants);
	free(c->policy_mailboxes);
	free(c);
}

void core_use_sha256(struct core *c, core_sha256_fn *sha256)
{
	c->sha256 = sha256;
}

/* ---- the hub and its connections ---- */

/* Newest first, so that each goes back before the one that went back before it. */
static enum ieum_err take_all_back(struct core *c, uint32_t kh)
{
	enum ieum_err err = IEUM_E_OK;

	while (!err && connection_at(c, kh)->in_flight.tail)
		err = mailbox_take_back(
			c, transit_at(c, connection_at(c, kh)->in_flight.tail)->delivery);
	return err;
}

enum ieum_err apply_disconnected(struct core *c, const Ieum__V1__Disconnected *e)
{
	uint32_t kh = state_connection(c, e->connection);

	if (!kh)
		return IEUM_E_JOURNAL_CORRUPT;
	enum ieum_err err = take_all_back(c, kh);
	if (!err)
		state_disconnect(c, kh);
	return err;
}

enum ieum_err apply_connected(struct core *c, const struct applied *a, const Ieum__V1__Connected *e)
{
	if (e->participant == 0 || e->participant > c->n_participants)
		return IEUM_E_JOURNAL_CORRUPT;
	uint32_t actor = state_actor(c, e->participant, e->actor);
	if (!actor)
		return IEUM_E_NO_MEMORY;
	enum ieum_err err = state_connect(c, e->connection, e->participant, actor);
	return err ? err : sealed_wake(c, a, e->participant);
}

enum ieum_err apply_hub_started(struct core *c, const Ieum__V1__HubStarted *e)
{
	enum ieum_err err = IEUM_E_OK;

	c->drill = e->drill;
	copies_started(c, e);
	if (e->incarnation.len == CORE_ID_BYTES)
		memcpy(c->incarnation, e->incarnation.data, CORE_ID_BYTES);
	while (!err && c->flight.tail)
		err = mailbox_take_back(c, transit_at(c, c->flight.tail)->delivery);
	/* Those that live are looked for by number: few, and numbers only grow. */
	for (uint32_t h = 1; !err && h < c->connections.used && c->connections.live > 0; h++)
		if (connection_at(c, h)->participant &&
		    state_connection(c, connection_at(c, h)->number) == h)
			state_disconnect(c, h);
	return err;
}

enum ieum_err apply_policy_changed(struct core *c, const struct applied *a,
				   const Ieum__V1__PolicyChanged *e)
{
	enum ieum_err err = IEUM_E_OK;

	if (e->hash.len != POLICY_HASH_BYTES)
		return IEUM_E_JOURNAL_CORRUPT;
	memcpy(c->policy_hash, e->hash.data, POLICY_HASH_BYTES);
	c->settle_within_ms = e->settle_within_ms;
	for (size_t i = 0; i < e->n_participants && !err; i++)
		err = state_name_participant(c, e->participants[i]->number,
					     e->participants[i]->name);
	for (size_t i = 0; i < e->n_mailboxes && !err; i++)
		err = state_name_mailbox(c, e->mailboxes[i]->number, e->mailboxes[i]->name);
	for (size_t i = 0; i < e->n_agreements_due && !err; i++)
		err = apply_agreement_due(c, e->agreements_due[i]);
	if (!err)
		err = leavers_apply_policy(c, e);
	/* Whoever takes from a mailbox may be others now. */
	sealed_look_all(c);
	return err ? err : places_policy_changed(c, e, to_ms(a->at_us));
}

static enum ieum_err certificates_changed(struct core *c, const struct applied *a,
					  const Ieum__V1__CertificatesChanged *e)
{
	bool somebody = false;
	enum ieum_err err = apply_certificates_changed(c, e);

	for (size_t i = 0; i < e->n_seen; i++)
		somebody |= e->seen[i]->participant != 0;
	/* What was sealed before lacks a key for it. */
	if (somebody)
		sealed_look_all(c);
	for (size_t i = 0; i < e->n_seen && !err; i++)
		if (e->seen[i]->participant)
			err = sealed_certificate(c, a, e->seen[i]->participant);
	return err;
}

/* ---- dispatch ---- */

static enum ieum_err apply_what(struct core *c, const struct applied *a, const Ieum__V1__Event *e)
{
	switch (e->what_case) {
	case IEUM__V1__EVENT__WHAT_HUB_STARTED: return apply_hub_started(c, e->hub_started);
	case IEUM__V1__EVENT__WHAT_POLICY_CHANGED:
		return apply_policy_changed(c, a, e->policy_changed);
	case IEUM__V1__EVENT__WHAT_CONNECTED: return apply_connected(c, a, e->connected);
	case IEUM__V1__EVENT__WHAT_DISCONNECTED: return apply_disconnected(c, e->disconnected);
	case IEUM__V1__EVENT__WHAT_SUBMITTED: return apply_submitted(c, a, e->submitted);
	case IEUM__V1__EVENT__WHAT_RELEASED: return apply_released(c, a, e->released);
	case IEUM__V1__EVENT__WHAT_SETTLED: return apply_settled(c, e->settled);
	case IEUM__V1__EVENT__WHAT_RETURNED: return apply_returned(c, e->returned);
	case IEUM__V1__EVENT__WHAT_REQUEUED: return apply_requeued(c, e->requeued);
	case IEUM__V1__EVENT__WHAT_DEAD_LETTERED:
		return apply_dead_lettered(c, a, e->dead_lettered);
	case IEUM__V1__EVENT__WHAT_ESCALATED: return apply_escalated(c, a, e->escalated);
	case IEUM__V1__EVENT__WHAT_CASE_CHANGED: return apply_case_changed(c, a, e->case_changed);
	case IEUM__V1__EVENT__WHAT_SIGNAL_KEPT: return apply_signal_kept(c, a, e->signal_kept);
	case IEUM__V1__EVENT__WHAT_AGENDA_CHANGED:
		return apply_agenda_changed(c, a, e->agenda_changed);
	case IEUM__V1__EVENT__WHAT_PLACES_CHANGED:
		return apply_places_changed(c, a, e->places_changed);
	case IEUM__V1__EVENT__WHAT_WAIT_CHANGED: return apply_wait_changed(c, e->wait_changed);
	case IEUM__V1__EVENT__WHAT_POOL_DUE: return apply_pool_due(c, e->pool_due);
	case IEUM__V1__EVENT__WHAT_AGREEMENT_DUE: return apply_agreement_due(c, e->agreement_due);
	case IEUM__V1__EVENT__WHAT_CERTIFICATES_CHANGED:
		return certificates_changed(c, a, e->certificates_changed);
	case IEUM__V1__EVENT__WHAT_KEYS_CHANGED: return apply_keys_changed(c, a, e->keys_changed);
	case IEUM__V1__EVENT__WHAT_COUNTED: return apply_counted(c, a, e->counted);
	case IEUM__V1__EVENT__WHAT_PAYLOAD_ERASED: return apply_erased(c, e->payload_erased);
	case IEUM__V1__EVENT__WHAT_FORGOTTEN: return apply_forgotten(c, e->forgotten);
	case IEUM__V1__EVENT__WHAT_CLOCK_CHANGED:
		return apply_clock_changed(c, a, e->clock_changed);
	case IEUM__V1__EVENT__WHAT_HANDOVER_CHANGED:
		return apply_handover_changed(c, a, e->handover_changed);
	case IEUM__V1__EVENT__WHAT_LEFT: return apply_left(c, a, e->left);
	case IEUM__V1__EVENT__WHAT_WAS_READ: return apply_was_read(c, a, e->was_read);
	case IEUM__V1__EVENT__WHAT_COPY_CONFIRMED:
		return apply_copy_confirmed(c, a, e->copy_confirmed);
	/* Evidence: nothing that is known changes. */
	case IEUM__V1__EVENT__WHAT_REFUSED:
	case IEUM__V1__EVENT__WHAT_CLOCK_ADVANCED: return IEUM_E_OK;
	default: return IEUM_E_JOURNAL_VERSION;
	}
}

enum ieum_err core_apply(struct core *c, uint64_t seq, const Ieum__V1__Event *e)
{
	struct applied a = { .seq = seq, .at_us = e->at_us };

	if (seq != c->last_seq + 1 || e->at_us < c->last_at_us)
		return IEUM_E_JOURNAL_CORRUPT;
	enum ieum_err err = apply_what(c, &a, e);
	if (err)
		return err;
	c->last_seq = seq;
	c->last_at_us = e->at_us;
	return IEUM_E_OK;
}

uint64_t core_last_seq(const struct core *c)
{
	return c->last_seq;
}

core_time_us core_last_at_us(const struct core *c)
{
	return c->last_at_us;
}

core_time_us core_next_due(const struct core *c)
{
	const struct heap_entry *clock = heap_first(&c->clocks);
	const struct heap_entry *of_case = heap_first(&c->case_clocks.next);
	const struct heap_entry *waiting = heap_first(&c->waiting);
	int64_t due_ms = INT64_MAX / 1000;

	if (clock && (int64_t)clock->key < due_ms)
		due_ms = (int64_t)clock->key;
	if (of_case && (int64_t)of_case->key < due_ms)
		due_ms = (int64_t)of_case->key;
	if (waiting && (int64_t)waiting->key < due_ms)
		due_ms = (int64_t)waiting->key;
	int64_t of_handovers_ms = handover_next_due_ms(c);
	if (of_handovers_ms < due_ms)
		due_ms = of_handovers_ms;
	if (c->leavers.n > 0 && to_ms(c->last_at_us) < due_ms)
		due_ms = to_ms(c->last_at_us);
	int64_t of_places_ms = places_next_due_ms(c);
	if (of_places_ms < due_ms)
		due_ms = of_places_ms;
	int64_t of_agreements_ms = agreements_next_due_ms(c);
	if (of_agreements_ms < due_ms)
		due_ms = of_agreements_ms;
	int64_t of_certificates_ms = certificates_next_due_ms(c);
	if (of_certificates_ms < due_ms)
		due_ms = of_certificates_ms;
	int64_t of_sealed_ms = sealed_next_due_ms(c);
	if (of_sealed_ms < due_ms)
		due_ms = of_sealed_ms;
	if (c->flight.head) {
		const struct transit *t = transit_at(c, c->flight.head);
		int64_t at = delivery_at(c, t->delivery)->released_at_ms + c->settle_within_ms;
		due_ms = at < due_ms ? at : due_ms;
	}
	return due_ms == INT64_MAX / 1000 ? INT64_MAX : due_ms * 1000;
}

/* ---- names ---- */

const char *core_mailbox_name(const struct core *c, uint32_t number)
{
	return number && number <= c->n_mailboxes ? c->mailboxes[number - 1].name : NULL;
}
