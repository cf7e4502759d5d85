/* What happens in random cities only: agencies with characters, restarts whose deadlines are
 * compared, other hub files, readers; see random_internal.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/arena.h"
#include "tests/sim/city.h"
#include "tests/sim/random_internal.h"

enum { ARENA_BYTES = 8 << 20, DEADLINES_BYTES = 1 << 20, PAGE_ROWS = 200 };

#define ANSWER(word) IEUM__V1__ANSWER_KIND__ANSWER_KIND_##word

/* ---- answering ---- */

static void answer_as(struct world *w, size_t peer, Ieum__V1__AnswerKind kind)
{
	struct peer *p = &w->peers[peer];
	Ieum__V1__Referral r = IEUM__V1__REFERRAL__INIT;
	Ieum__V1__Envelope e = IEUM__V1__ENVELOPE__INIT;
	Ieum__V1__Answer a = IEUM__V1__ANSWER__INIT;
	uint8_t id[CORE_ID_BYTES];

	if (p->n_asked == 0)
		return;
	/* Mostly of late: what is old has ended. */
	size_t last = world_random(w, p->n_asked) + world_random(w, p->n_asked);
	const struct asked_of *of = &p->asked[last < p->n_asked ? last : p->n_asked - 1];
	world_make_id(w, id);
	e.message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, id };
	e.type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER;
	e.in_reply_to = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)of->id };
	a.kind = kind;
	a.reason = IEUM__V1__REASON__REASON_OUT_OF_JURISDICTION;
	a.remark = (char *)LEDGER_MARKER;
	a.more_time_until_at_ms =
		sim_hub_now_us(w->hub) / 1000 + (int64_t)world_random(w, 10 * 86400) * 1000;
	r.envelope = &e;
	r.body_case = IEUM__V1__REFERRAL__BODY_ANSWER;
	r.answer = &a;
	world_submit(w, world_keep(w, &r, peer));
}

/* Only what is over by now. */
static void answer_late(struct world *w, size_t peer)
{
	struct peer *p = &w->peers[peer];
	int64_t now_ms = sim_hub_now_us(w->hub) / 1000;

	for (size_t i = 0; i < p->n_asked; i++) {
		struct asked_of late = p->asked[i];
		if (late.due_at_ms >= now_ms)
			continue;
		p->asked[i] = p->asked[0];
		p->asked[0] = late;
		world_submit(w, world_make_answer(w, peer));
		return;
	}
}

/* What somebody else was asked, as far as this one can know of it at all. */
static void answer_strange(struct world *w, size_t peer)
{
	const struct peer *other = &w->peers[world_random(w, w->n_peers)];
	struct peer *p = &w->peers[peer];

	if (other->n_asked == 0)
		return;
	size_t at = p->n_asked < WORLD_ASKED_MAX ? p->n_asked++ : world_random(w, WORLD_ASKED_MAX);
	p->asked[at] = other->asked[world_random(w, other->n_asked)];
	answer_as(w, peer, world_random(w, 2) ? ANSWER(ACCEPT) : ANSWER(COMPLETE));
}

static void answer_twice(struct world *w, size_t peer)
{
	static const Ieum__V1__AnswerKind kinds[] = { ANSWER(RECEIVED), ANSWER(ACCEPT),
						      ANSWER(COMPLETE), ANSWER(NEED_MORE_TIME),
						      ANSWER(REJECT) };
	Ieum__V1__AnswerKind kind = kinds[world_random(w, 5)];

	answer_as(w, peer, kind);
	answer_as(w, peer, kind);
}

void city_answer(struct world *w, size_t peer)
{
	switch (w->peers[peer].character) {
	case CHARACTER_LATE: answer_late(w, peer); break;
	case CHARACTER_REFUSES: answer_as(w, peer, ANSWER(REJECT)); break;
	case CHARACTER_STRANGER:
		if (world_random(w, 2)) {
			answer_strange(w, peer);
			break;
		}
		/* fallthrough */
	case CHARACTER_TWICE: answer_twice(w, peer); break;
	default: world_submit(w, world_make_answer(w, peer));
	}
}

/* ---- restarts ---- */

/* Everything that this one may see of what ends when, packed. */
static size_t deadlines_of(struct world *w, const struct peer *p, uint8_t *bytes)
{
	Ieum__V1__DeadlinesQuery asks = IEUM__V1__DEADLINES_QUERY__INIT;
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	struct arena arena;
	enum ieum_err err;
	size_t used = 0;

	arena_init(&arena, ARENA_BYTES);
	q.what_case = IEUM__V1__QUERY__WHAT_DEADLINES;
	q.deadlines = &asks;
	q.page_rows = PAGE_ROWS;
	for (int breached = 0; breached < 2; breached++) {
		asks.breached = breached;
		const Ieum__V1__Result *r = sim_hub_query(w->hub, p->connection, &q, &arena, &err);
		if (!r)
			continue;
		size_t len = ieum__v1__result__get_packed_size(r);
		if (used + len > DEADLINES_BYTES)
			break;
		used += ieum__v1__result__pack(r, bytes + used);
	}
	arena_release(&arena);
	return used;
}

/* The power fails when everything is on disk: each deadline is what it was. */
void city_restart(struct world *w, size_t peer)
{
	struct peer *p = &w->peers[peer];
	uint8_t *before = malloc(DEADLINES_BYTES);
	uint8_t *after = malloc(DEADLINES_BYTES);

	if (!before || !after)
		abort();
	if (p->connection && sim_hub_commit(w->hub, SIM_COMMIT)) {
		size_t n_before = deadlines_of(w, p, before);
		w->result->crashes++;
		sim_hub_commit(w->hub, SIM_LOSE_COMPLETION);
		world_lose_connections(w);
		p->connection = sim_hub_connect(w->hub, p->name);
		size_t n_after = deadlines_of(w, p, after);
		if (n_before != n_after || memcmp(before, after, n_after) != 0)
			world_trouble(w, "a restart has changed the deadlines that %s sees",
				      p->name);
		if (!sim_hub_check(w->hub))
			world_trouble(w, "after a restart: %s", sim_hub_trouble(w->hub));
	}
	free(before);
	free(after);
}

/* ---- another hub file ---- */

/* Whoever is in the file no more is let go; what it left behind may wait for the next time. */
static void list_again(struct world *w)
{
	for (size_t i = 0; i < w->n_peers; i++) {
		struct peer *p = &w->peers[i];
		p->who = policy_find_participant(sim_hub_policy(w->hub), p->name);
		if (p->who != POLICY_NONE || !p->connection)
			continue;
		sim_hub_disconnect(w->hub, p->connection);
		world_lose_connection(p);
	}
	if (world_random(w, 2))
		sim_hub_advance(w->hub, 0);
}

void city_reload(struct world *w, size_t peer)
{
	char why[RANDOM_TEXT_BYTES / 2] = "";
	size_t len;
	char *text = city_hub_file(w->seed, w->edition + 1, &len);

	(void)peer;
	/* What was decided by the old one, and is on its way out, belongs to it. */
	sim_hub_commit(w->hub, SIM_COMMIT);
	w->edition++;
	switch (sim_hub_reload(w->hub, w->config->hub_name, text, len, why, sizeof why)) {
	case IEUM_E_OK: list_again(w); break;
	/* Some case would be nobody's: the next file may say more of it. */
	case IEUM_E_STATE_CONFLICT: break;
	default: world_trouble(w, "the hub file of edition %u is refused: %s", w->edition, why);
	}
	free(text);
}

/* ---- reading ---- */

void city_query(struct world *w, size_t peer)
{
	struct peer *p = &w->peers[peer];
	Ieum__V1__CaseQuery asks = IEUM__V1__CASE_QUERY__INIT;
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	struct arena arena;
	enum ieum_err err;

	if (!p->connection || w->n_cases == 0 || !sim_hub_commit(w->hub, SIM_COMMIT))
		return;
	world_read_ledger(w);
	arena_init(&arena, ARENA_BYTES);
	asks.case_id =
		(ProtobufCBinaryData){ CORE_ID_BYTES, w->cases[world_random(w, w->n_cases)] };
	q.what_case = IEUM__V1__QUERY__WHAT_CASE;
	q.case_ = &asks;
	if (sim_hub_query(w->hub, p->connection, &q, &arena, &err) &&
	    !ledger_may_read(w->ledger, sim_hub_policy(w->hub), p->who, asks.case_id.data))
		world_trouble(w, "%s reads a case it has no part in", p->name);
	arena_release(&arena);
}

/* ---- what comes ---- */

static bool tells_status_only(const struct sim_output *o, const Ieum__V1__Referral *r)
{
	const Ieum__V1__Answer *a =
		r->body_case == IEUM__V1__REFERRAL__BODY_ANSWER ? r->answer : NULL;

	return a && !o->has_case && r->envelope->case_id.len == 0 && r->n_narrative == 0 &&
	       (a->kind == ANSWER(RECEIVED) || a->kind == ANSWER(COMPLETE)) && a->outcome == 0 &&
	       a->reason == 0 && *a->remark == '\0' && a->scheduled_at_ms == 0 &&
	       *o->sender == '\0';
}

/* That its agreement with the hub ends is its own affair, and no case's. */
static bool is_of_its_agreement(const struct sim_output *o, const Ieum__V1__Referral *r)
{
	return r && r->envelope->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_DEADLINE_NOTICE &&
	       !o->has_case && r->envelope->case_id.len == 0 && *o->sender == '\0';
}

void city_check_watcher(struct world *w, const struct peer *p, const struct sim_output *o)
{
	const struct policy *policy = sim_hub_policy(w->hub);
	int who = policy_find_participant(policy, p->name);

	if (!policy_participant(policy, who)->hears_status ||
	    o->cause == IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ADDRESSED)
		return;
	Ieum__V1__Referral *r = ieum__v1__referral__unpack(NULL, o->payload_len, o->payload);
	if (!r || (!tells_status_only(o, r) && !is_of_its_agreement(o, r)))
		world_trouble(
			w,
			"%s hears more than that it was received and handled: type %d, cause %d, from '%s'",
			p->name, r ? (int)r->envelope->type : 0, (int)o->cause, o->sender);
	if (r)
		ieum__v1__referral__free_unpacked(r, NULL);
}

void city_keep_list(struct peer *p, const struct sim_output *o)
{
	Ieum__V1__Referral *r = ieum__v1__referral__unpack(NULL, o->payload_len, o->payload);
	const Ieum__V1__HandoverManifest *m =
		r && r->body_case == IEUM__V1__REFERRAL__BODY_HANDOVER_MANIFEST
			? r->handover_manifest
			: NULL;

	if (m && m->digest.len == sizeof p->list_digest && m->change_id.len == CORE_ID_BYTES) {
		p->list = *m;
		memcpy(p->list_digest, m->digest.data, sizeof p->list_digest);
		memcpy(p->list_change, m->change_id.data, CORE_ID_BYTES);
		p->list.digest.data = p->list_digest;
		p->list.change_id.data = p->list_change;
		p->has_list = true;
	}
	if (r)
		ieum__v1__referral__free_unpacked(r, NULL);
}
