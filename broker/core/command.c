/* Decisions that need little thought: start, policy, connections, what goes on record. */
#include <stdlib.h>
#include <string.h>

#include "broker/core/decision.h"
#include "broker/core/leaving.h"
#include "broker/core/placing.h"

enum ieum_err core_decide_start(const struct core *c, const char *software,
				const uint8_t *incarnation, bool drill, core_time_us now,
				struct core_decision *d)
{
	(void)c;
	Ieum__V1__HubStarted *e = decision_hub_started(d, now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->software = arena_copy(&d->arena, software, strlen(software) + 1);
	e->incarnation.data = arena_copy(&d->arena, incarnation, CORE_ID_BYTES);
	e->incarnation.len = CORE_ID_BYTES;
	e->drill = drill;
	return e->software && e->incarnation.data ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

/* ---- the policy ---- */

static enum ieum_err add_name(struct core_decision *d, Ieum__V1__NumberedName **names, size_t *n,
			      uint32_t number, const char *name)
{
	Ieum__V1__NumberedName *row = decision_zalloc(d, sizeof *row);

	if (!row)
		return IEUM_E_NO_MEMORY;
	*row = (Ieum__V1__NumberedName)IEUM__V1__NUMBERED_NAME__INIT;
	row->number = number;
	row->name = arena_copy(&d->arena, name, strlen(name) + 1);
	names[(*n)++] = row;
	return row->name ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

static enum ieum_err add_names(const struct core *c, const struct policy *p,
			       struct core_decision *d, Ieum__V1__PolicyChanged *e)
{
	enum ieum_err err = IEUM_E_OK;

	e->participants =
		decision_zalloc(d, (policy_participants(p) + 1) * sizeof *e->participants);
	e->mailboxes = decision_zalloc(d, (policy_mailboxes(p) + 1) * sizeof *e->mailboxes);
	if (!e->participants || !e->mailboxes)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < policy_participants(p) && !err; i++) {
		const char *name = policy_participant(p, (int)i)->name;
		if (!state_participant_number(c, name))
			err = add_name(d, e->participants, &e->n_participants,
				       c->n_participants + (uint32_t)e->n_participants + 1, name);
	}
	for (size_t i = 0; i < policy_mailboxes(p) && !err; i++) {
		const char *name = policy_mailbox(p, (int)i)->name;
		if (!core_mailbox_number(c, name))
			err = add_name(d, e->mailboxes, &e->n_mailboxes,
				       c->n_mailboxes + (uint32_t)e->n_mailboxes + 1, name);
	}
	if (c->n_participants + e->n_participants > CORE_PARTICIPANTS_MAX ||
	    c->n_mailboxes + e->n_mailboxes > CORE_PARTICIPANTS_MAX)
		return decision_refuse(d, IEUM_E_HUB_FULL, "too many participants were ever named");
	return err;
}

enum ieum_err core_decide_policy(const struct core *c, const struct policy *p, core_time_us now,
				 struct core_decision *d)
{
	if (c->settle_within_ms == policy_limits(p)->settle_within_ms &&
	    memcmp(c->policy_hash, policy_hash(p), POLICY_HASH_BYTES) == 0)
		return IEUM_E_OK;
	Ieum__V1__PolicyChanged *e = decision_policy_changed(d, now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->hash.data = arena_copy(&d->arena, policy_hash(p), POLICY_HASH_BYTES);
	e->hash.len = POLICY_HASH_BYTES;
	e->text = arena_copy(&d->arena, policy_text(p), strlen(policy_text(p)) + 1);
	e->settle_within_ms = policy_limits(p)->settle_within_ms;
	if (!e->hash.data || !e->text)
		return IEUM_E_NO_MEMORY;
	enum ieum_err err = add_names(c, p, d, e);
	if (!err)
		err = agreements_policy(c, p, now, d, e);
	if (!err)
		err = leavers_policy(c, p, d, e);
	return err ? err : placing_policy(c, p, now, d, e);
}

enum ieum_err core_bind_policy(struct core *c, struct policy *p)
{
	size_t n = c->n_participants + c->n_mailboxes + 1;
	int *participants = malloc(n * sizeof *participants);
	int *mailboxes = malloc(n * sizeof *mailboxes);

	if (!participants || !mailboxes) {
		free(participants);
		free(mailboxes);
		return IEUM_E_NO_MEMORY;
	}
	for (size_t i = 0; i < n; i++)
		participants[i] = mailboxes[i] = POLICY_NONE;
	for (size_t i = 0; i < policy_participants(p); i++) {
		struct policy_participant *who = policy_participant(p, (int)i);
		who->number = state_participant_number(c, who->name);
		if (who->number)
			participants[who->number - 1] = (int)i;
	}
	for (size_t i = 0; i < policy_mailboxes(p); i++) {
		struct policy_mailbox *m = policy_mailbox(p, (int)i);
		m->number = core_mailbox_number(c, m->name);
		if (m->number)
			mailboxes[m->number - 1] = (int)i;
	}
	free(c->policy_participants);
	free(c->policy_mailboxes);
	c->policy_participants = participants;
	c->policy_mailboxes = mailboxes;
	c->n_policy_participants = c->n_participants;
	c->n_policy_mailboxes = c->n_mailboxes;
	return places_bind(c, p);
}

/* ---- connections ---- */

static char *copy_text(struct core_decision *d, const char *text)
{
	return arena_copy(&d->arena, text ? text : "", (text ? strlen(text) : 0) + 1);
}

/* Actors are never forgotten, since what they did isn't.  One participant's, whose certificates name
 * sessions, must not keep the others' people out. */
static enum ieum_err check_actor(const struct core *c, uint32_t participant, const char *actor,
				 struct core_decision *d)
{
	if (state_find_actor(c, participant, actor))
		return IEUM_E_OK;
	if (c->participants[participant - 1].n_actors >= CORE_ACTORS_OF_ONE_MAX)
		return decision_refuse(
			d, IEUM_E_SENDER_FULL,
			"more than %d different people and workstations; a certificate's CN "
			"has to name one of them, not a session",
			CORE_ACTORS_OF_ONE_MAX);
	if (c->n_actors == CORE_ACTORS_MAX)
		return decision_refuse(d, IEUM_E_HUB_FULL, "too many different actors");
	return IEUM_E_OK;
}

enum ieum_err core_decide_connect(const struct core *c, const struct policy *p,
				  const struct core_connect *k, core_time_us now,
				  struct core_decision *d)
{
	int index = policy_find_participant(p, k->participant);
	uint32_t number = index == POLICY_NONE ? 0 : policy_participant(p, index)->number;

	if (!number)
		return decision_refuse(d, IEUM_E_IDENTITY_UNKNOWN, "not in the hub file");
	enum ieum_err err = check_actor(c, number, k->actor, d);
	if (err)
		return err;
	Ieum__V1__Connected *e = decision_connected(d, now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->connection = c->last_connection + 1;
	e->participant = number;
	e->actor = copy_text(d, k->actor);
	e->address = copy_text(d, k->address);
	e->certificate = copy_text(d, k->certificate);
	if (!e->actor || !e->address || !e->certificate)
		return IEUM_E_NO_MEMORY;
	return k->with ? certificates_seen(c, number, k->with, now, d) : IEUM_E_OK;
}

enum ieum_err core_decide_disconnect(const struct core *c, uint64_t connection, core_time_us now,
				     struct core_decision *d)
{
	if (!state_connection(c, connection))
		return IEUM_E_OK;
	Ieum__V1__Disconnected *e = decision_disconnected(d, now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->connection = connection;
	return IEUM_E_OK;
}

/* ---- for the record ---- */

enum ieum_err core_decide_read(const struct core *c, uint64_t connection, const char *what,
			       const uint8_t (*ids)[CORE_ID_BYTES], size_t n_ids, core_time_us now,
			       struct core_decision *d)
{
	(void)c;
	Ieum__V1__WasRead *e = decision_was_read(d, now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->connection = connection;
	e->what = copy_text(d, what);
	e->ids = decision_zalloc(d, (n_ids + 1) * sizeof *e->ids);
	uint8_t *bytes = arena_copy(&d->arena, ids, n_ids * CORE_ID_BYTES);
	if (!e->what || !e->ids || (n_ids && !bytes))
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < n_ids; i++)
		e->ids[i] = (ProtobufCBinaryData){ CORE_ID_BYTES, bytes + i * CORE_ID_BYTES };
	e->n_ids = n_ids;
	return IEUM_E_OK;
}

enum ieum_err core_decide_refused(const struct core *c, const struct core_refused *r,
				  core_time_us now, struct core_decision *d)
{
	(void)c;
	Ieum__V1__Refused *e = decision_refused(d, now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->participant = r->participant;
	e->connection = r->connection;
	e->code = (uint32_t)r->code;
	e->what = copy_text(d, r->what);
	e->count = r->count;
	if (r->message_id) {
		e->message_id.data = arena_copy(&d->arena, r->message_id, CORE_ID_BYTES);
		e->message_id.len = CORE_ID_BYTES;
	}
	return e->what && (!r->message_id || e->message_id.data) ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

enum ieum_err core_decide_advance(const struct core *c, uint64_t connection, int64_t by_ms,
				  core_time_us now, struct core_decision *d)
{
	if (!c->drill)
		return decision_refuse(d, IEUM_E_NOT_PERMITTED, "this hub is not a drill");
	if (by_ms < 0 || by_ms > CORE_ADVANCE_MAX_MS)
		return decision_refuse(d, IEUM_E_FIELD_INVALID, "advance.by_ms: 1 ms to 400 days");
	Ieum__V1__ClockAdvanced *e = decision_clock_advanced(d, now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->connection = connection;
	e->by_ms = by_ms;
	return IEUM_E_OK;
}
