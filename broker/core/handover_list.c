/* Which cases a hand-over takes, what they hold, and what stands in their way.  The dry run and
 * the cut-over both ask here, so that the one tells what the other will do. */
#include <stdlib.h>
#include <string.h>

#include "broker/core/case_clock.h"
#include "broker/core/cases.h"
#include "broker/core/handover.h"
#include "broker/core/task.h"

struct handover *handover_find(const struct core *c, const uint8_t change_id[CORE_ID_BYTES])
{
	for (uint32_t i = 0; i < c->handovers.n; i++)
		if (memcmp(c->handovers.all[i]->change_id, change_id, CORE_ID_BYTES) == 0)
			return c->handovers.all[i];
	return NULL;
}

struct handover *handover_numbered(const struct core *c, uint32_t number)
{
	for (uint32_t i = 0; number && i < c->handovers.n; i++)
		if (c->handovers.all[i]->number == number)
			return c->handovers.all[i];
	return NULL;
}

struct handed_case *handover_case(const struct handover *h, const uint8_t case_id[CORE_ID_BYTES])
{
	struct handed_case key = { 0 };

	memcpy(key.row.case_id, case_id, CORE_ID_BYTES);
	return h->cases ? bsearch(&key, h->cases, h->n_cases, sizeof key, handover_row_compare)
			: NULL;
}

uint32_t handover_own_mailbox(const struct core *c, uint32_t participant)
{
	return participant ? core_mailbox_number(c, state_participant_name(c, participant)) : 0;
}

/* ---- which ---- */

struct handover_plan handover_plan(const struct core *c, const struct policy *p, uint32_t from,
				   uint32_t to, const char *jurisdiction)
{
	int index = policy_find_participant(p, state_mailbox_name(c, to));

	return (struct handover_plan){
		.from = from,
		.to = to,
		.from_participant = state_participant_number(c, state_mailbox_name(c, from)),
		.new_one = index == POLICY_NONE ? NULL : policy_participant(p, index),
		.jurisdiction = jurisdiction,
	};
}

static bool asks_for_it(const struct core *c, const struct handover_plan *plan,
			const struct task *t)
{
	return task_asks(t, plan->from) || t->holder == plan->from ||
	       referral_at(c, t->referral)->sender == plan->from_participant;
}

bool handover_concerns(const struct core *c, const struct handover_plan *plan,
		       const struct core_case *k)
{
	if (case_closed(k) || !policy_covers(plan->jurisdiction, k->jurisdiction))
		return false;
	if (k->owner == plan->from)
		return true;
	for (uint32_t th = k->open.head; th; th = task_at(c, th)->case_next)
		if (asks_for_it(c, plan, task_at(c, th)))
			return true;
	return false;
}

/* ---- what stands in its way ---- */

/* What the old one has asked for, the new one has to be able to go on with. */
static bool may_go_on(const struct core *c, const struct policy_participant *to,
		      uint32_t from_participant, const struct core_case *k)
{
	for (uint32_t th = k->open.head; th; th = task_at(c, th)->case_next) {
		const struct referral *r = referral_at(c, task_at(c, th)->referral);
		if (r->sender == from_participant && !(to->may_send >> r->type & 1))
			return false;
	}
	return true;
}

enum ieum_err handover_obstacle(const struct core *c, const struct handover_plan *plan,
				const struct core_case *k, const char **detail)
{
	const struct policy_participant *to = plan->new_one;

	*detail = "";
	if (!to) {
		*detail = "the new one is not in the hub file";
		return IEUM_E_ADDRESSEE_UNKNOWN;
	}
	if (case_excludes(k, to->number)) {
		*detail = "the new one is excluded from the case by a conflict of interest";
		return IEUM_E_CONFLICT_OF_INTEREST;
	}
	if (k->handover && k->handover != plan->number) {
		*detail = "the case is in another hand-over";
		return IEUM_E_STATE_CONFLICT;
	}
	if (!case_member(k, plan->to) && k->n_members >= CORE_CASE_MEMBERS_MAX) {
		*detail = "the case has as many participants as it may";
		return IEUM_E_HUB_FULL;
	}
	if (!may_go_on(c, to, plan->from_participant, k)) {
		*detail = "the new one may not send what open requests of the old one are";
		return IEUM_E_NOT_PERMITTED;
	}
	return IEUM_E_OK;
}

/* ---- all of them ---- */

enum ieum_err handover_count(const struct core *c, const struct handover_plan *plan, uint32_t *n)
{
	const struct mailbox *from = state_mailbox(c, plan->from);
	uint32_t looked = 0;

	*n = 0;
	for (uint32_t i = 0; from && i < from->n_cases; i++) {
		if (!from->cases[i])
			continue;
		if (looked++ == HANDOVER_LOOKED_MAX)
			return IEUM_E_HUB_FULL;
		*n += handover_concerns(c, plan, case_at(c, from->cases[i]));
	}
	return IEUM_E_OK;
}

struct handover_row handover_row_of(const struct core *c, const struct core_case *k)
{
	struct handover_row row = { .open_referrals = k->n_open, .holds = k->n_holds };

	for (uint32_t h = k->clocks.head; h; h = case_clock_at(c, h)->next)
		row.clocks += case_clock_open(case_clock_at(c, h));
	memcpy(row.case_id, k->id, CORE_ID_BYTES);
	return row;
}

enum ieum_err handover_digest(const struct core *c, const struct handover *h, struct arena *arena,
			      uint8_t digest[HANDOVER_DIGEST_BYTES])
{
	size_t len = (size_t)h->n_cases * HANDOVER_ROW_BYTES;
	uint8_t *bytes = arena_alloc(arena, len + 1);

	if (!bytes)
		return IEUM_E_NO_MEMORY;
	for (uint32_t i = 0; i < h->n_cases; i++)
		handover_row_put(&h->cases[i].row, bytes + (size_t)i * HANDOVER_ROW_BYTES);
	if (!c->sha256)
		return IEUM_E_INTERNAL;
	return c->sha256(bytes, len, digest) ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}
