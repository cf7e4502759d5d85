/* What an answer does to the places held for the message it replies to.
 *
 * Whoever takes the request on keeps the place, longer now; what others hold for it ends and
 * they are told.  Who rejects or fails gives its place back, who asked gives all back. */
#include <string.h>

#include "broker/core/placing.h"
#include "broker/core/submit.h"
#include "broker/core/task.h"

static enum ieum_err change(struct submission *s, const struct hold *hold, uint8_t state,
			    int64_t at_ms)
{
	return placing_change(s->d, s->c, s->now,
			      &(struct placing_change){ .hold = hold,
							.state = state,
							.at_ms = at_ms,
							.message_id = &s->e->message_id });
}

static bool is_offer(const struct referral *r)
{
	return r->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_PLACE_OFFER;
}

/* ---- taken on ---- */

static uint32_t asked_step(const struct task *t, uint32_t mailbox)
{
	for (uint32_t i = 0; i < t->n_asked; i++)
		if (t->asked[i].mailbox == mailbox)
			return t->asked[i].step;
	return UINT32_MAX;
}

/* Does `by` speak for the hold?  Of an offer whoever was asked; else its keeper, or who was asked
 * beside the keeper, being on duty. */
static bool speaks_for(const struct submission *s, const struct task *t, const struct hold *hold,
		       uint32_t by)
{
	if (is_offer(referral_at(s->c, hold->referral)) || hold->keeper == by)
		return true;
	return hold_live(hold) && asked_step(t, by) == asked_step(t, hold->keeper);
}

/* A pool that the hub file has no more gives no place anew. */
static bool may_hold_again(const struct submission *s, const struct hold *hold)
{
	return pool_policy_index(s->c, hold->pool) != POLICY_NONE &&
	       placing_free(s->c, s->d, hold->pool) >= hold->places;
}

/* The hold that the acceptance is about: the keeper's own first, best one that still holds. */
static uint32_t find_own(const struct submission *s, const struct task *t, uint32_t by)
{
	uint32_t found = 0;
	int rank = 0;

	for (uint32_t h = hold_of(s->c, t->referral); h; h = hold_at(s->c, h)->next) {
		const struct hold *hold = hold_at(s->c, h);
		bool is_free = may_hold_again(s, hold);
		int is = !speaks_for(s, t, hold, by) ? 0
			 : hold->keeper == by        ? 3 + hold_live(hold) * 2 + is_free
						     : 1 + hold_live(hold);
		if (is > rank) {
			found = h;
			rank = is;
		}
	}
	return found;
}

/* A place that was given up meanwhile is held again if there still is one. */
static enum ieum_err keep(struct submission *s, uint32_t h)
{
	const struct hold *hold = hold_at(s->c, h);
	int64_t until_ms = placing_kept_until(s->c, s->p, hold, s->now_ms);

	if (hold->state == HOLD(TAKEN))
		return IEUM_E_OK;
	if (hold->state != HOLD(HELD) && !may_hold_again(s, hold))
		return decision_refuse(
			s->d, IEUM_E_NO_PLACE,
			pool_policy_index(s->c, hold->pool) == POLICY_NONE
				? "the time for the place is over, and '%.63s' is no pool of this hub any more"
				: "the place in '%.63s' was given to others meanwhile",
			pool_at(s->c, hold->pool)->name);
	if (hold->until_ms && hold->until_ms <= s->now_ms)
		return decision_refuse(s->d, IEUM_E_STATE_CONFLICT,
				       "the time for which the place was asked is over");
	return placing_change(
		s->d, s->c, s->now,
		&(struct placing_change){
			.hold = hold,
			.state = HOLD(HELD),
			.at_ms = until_ms,
			.warn_at_ms = placing_warns_at(s->c, s->p, hold->pool, until_ms, s->now_ms),
			.message_id = &s->e->message_id });
}

static enum ieum_err release_others(struct submission *s, uint32_t referral, uint32_t but)
{
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t h = hold_of(s->c, referral); h && !err; h = hold_at(s->c, h)->next) {
		const struct hold *hold = hold_at(s->c, h);
		if (h == but || hold->state != HOLD(HELD))
			continue;
		err = change(s, hold, HOLD(RELEASED), 0);
		if (!err && but && !submit_excludes(s, hold->keeper))
			err = submit_route(s->d, s->e, hold->keeper,
					   IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ANSWER, 0);
	}
	return err;
}

/* What is offered is not shared any more with who keeps it. */
static enum ieum_err check_consent(struct submission *s, const struct referral *offer)
{
	uint32_t entry = offer->in_reply_to ? seqmap_get(&s->c->seqs, offer->in_reply_to) : 0;

	if (!is_offer(offer) || !entry || !placing_lacks_consent(s->c, referral_at(s->c, entry)))
		return IEUM_E_OK;
	return decision_refuse(s->d, IEUM_E_CONSENT_WITHDRAWN,
			       "the consent on which the place was waited for is withdrawn");
}

static enum ieum_err taken_on(struct submission *s, const struct task *t, uint32_t by)
{
	const struct referral *r = referral_at(s->c, t->referral);
	uint32_t own = find_own(s, t, by);
	enum ieum_err err = check_consent(s, r);

	if (!err && own)
		err = keep(s, own);

	/* Of an offer the keeper hears only now. */
	if (!err && own && is_offer(r) && !submit_excludes(s, hold_at(s->c, own)->keeper))
		err = submit_route(s->d, s->e, hold_at(s->c, own)->keeper,
				   IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ANSWER, 0);
	return err ? err : release_others(s, t->referral, own);
}

/* ---- given back ---- */

static enum ieum_err give_back(struct submission *s, uint32_t referral, uint32_t by)
{
	const struct referral *r = referral_at(s->c, referral);
	uint32_t wh = wait_of_offer(s->c, referral);
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t h = hold_of(s->c, referral); h && !err; h = hold_at(s->c, h)->next) {
		const struct hold *hold = hold_at(s->c, h);
		if (hold->state == HOLD(HELD) && (!by || is_offer(r) || hold->keeper == by))
			err = change(s, hold, HOLD(RELEASED), 0);
	}
	if (!err && wh && wait_open(wait_at(s->c, wh)))
		err = placing_wait_ends(s->c, s->d, s->now, wh,
					IEUM__V1__WAIT_STATE__WAIT_STATE_ENDED);
	return err;
}

static enum ieum_err answered(struct submission *s, const Ieum__V1__TaskChanged *change)
{
	uint32_t rh = state_referral(s->c, change->message_id.data);
	const struct referral *r = referral_at(s->c, rh);
	const struct task *t = state_task(s->c, r, change->task);

	if (!t || t->effect != IEUM__V1__CASE_EFFECT__CASE_EFFECT_TAKE_PLACE)
		return IEUM_E_OK;
	switch (change->answer) {
	case IEUM__V1__ANSWER_KIND__ANSWER_KIND_REJECT:
	case IEUM__V1__ANSWER_KIND__ANSWER_KIND_FAIL:
		/* Also what the keeper holds, for whom somebody on duty has answered. */
		return give_back(s, rh, task_state_ended(change->state) ? 0 : change->by);
	case IEUM__V1__ANSWER_KIND__ANSWER_KIND_CANCEL:
	case IEUM__V1__ANSWER_KIND__ANSWER_KIND_ENTERED_IN_ERROR: return give_back(s, rh, 0);
	default: break;
	}
	return task_answer_takes(change->answer) && t->holder != change->by
		       ? taken_on(s, t, change->by)
		       : IEUM_E_OK;
}

/* ---- after the end of the case ---- */

static const ProtobufCBinaryData *hold_named(const Ieum__V1__Referral *r)
{
	switch (r->body_case) {
	case IEUM__V1__REFERRAL__BODY_PLACEMENT_NOTICE: return &r->placement_notice->hold_id;
	case IEUM__V1__REFERRAL__BODY_PLACE_RETURNED: return &r->place_returned->hold_id;
	default: return NULL;
	}
}

bool placing_is_owed(const struct submission *s)
{
	const ProtobufCBinaryData *id = hold_named(s->from->referral);
	uint32_t rh = id && id->len == CORE_ID_BYTES ? state_referral(s->c, id->data) : 0;

	for (uint32_t h = rh ? hold_of(s->c, rh) : 0; h; h = hold_at(s->c, h)->next)
		if (hold_live(hold_at(s->c, h)) && referral_at(s->c, rh)->core_case == s->core_case)
			return true;
	return false;
}

/* ---- entries of waiting lists ---- */

static bool takes_back(const struct submission *s)
{
	return s->answer.strict && task_answer_is_referrers(s->answer.kind) && s->reply;
}

bool placing_cancels(const struct submission *s)
{
	uint32_t wh = s->reply ? wait_of(s->c, s->reply) : 0;

	return takes_back(s) && wh && wait_open(wait_at(s->c, wh));
}

/* The offer that is open ends too. */
static enum ieum_err cancel_offer(struct submission *s, uint32_t offer)
{
	const struct referral *r = referral_at(s->c, offer);
	const struct task *t = placing_task(s->c, r);
	Ieum__V1__TaskChanged *change;

	if (t && task_open(t) && !answer_ends(s->e, r, t)) {
		enum ieum_err err = answer_add_change(s, r, t, &change);
		if (err)
			return err;
		change->answer = IEUM__V1__ANSWER_KIND__ANSWER_KIND_CANCEL;
		change->state = IEUM__V1__TASK_STATE__TASK_STATE_CANCELLED;
		change->due_at_ms = 0;
	}
	return give_back(s, offer, 0);
}

static enum ieum_err end_entry(struct submission *s, uint32_t referral)
{
	uint32_t wh = wait_of(s->c, referral);

	if (!wh || !wait_open(wait_at(s->c, wh)))
		return IEUM_E_OK;
	if (wait_at(s->c, wh)->state == WAIT(OFFERED))
		return cancel_offer(s, wait_at(s->c, wh)->offer);
	return placing_wait_ends(s->c, s->d, s->now, wh, IEUM__V1__WAIT_STATE__WAIT_STATE_ENDED);
}

enum ieum_err placing_answered(struct submission *s)
{
	const ProtobufCBinaryData *replaced = &s->e->supersedes;
	size_t n = s->e->n_answered;
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < n && !err; i++)
		err = answered(s, s->e->answered[i]);
	if (!err && takes_back(s))
		err = end_entry(s, s->reply);
	if (!err && replaced->len == CORE_ID_BYTES && state_referral(s->c, replaced->data))
		err = end_entry(s, state_referral(s->c, replaced->data));
	return err;
}
