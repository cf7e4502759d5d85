/* What a message would set off beside its recipients, as far as the hub file knows: what is counted,
 * and whom an act would tell or ask.  Who that is in the end, the hub knows: which places are free,
 * and what was handed over. */
#include "broker/policy/explain.h"

void explain_counts(const struct policy *p, const struct policy_context *ctx, struct explanation *x)
{
	for (size_t i = 0; i < policy_counters(p); i++) {
		const struct policy_counting counting = policy_count(p, (int)i, ctx);

		x->counted |= (uint64_t)counting.counts << i;
		x->begun_anew |= (uint64_t)counting.resets << i;
	}
}

static void reach(struct explanation *x, const struct policy_act *act, int mailbox)
{
	for (size_t i = 0; i < x->n_reaches; i++)
		if (x->reaches[i].mailbox == mailbox)
			return;
	if (mailbox != POLICY_NONE && x->n_reaches < EXPLAIN_REACHES_MAX)
		x->reaches[x->n_reaches++] =
			(struct explain_reach){ .mailbox = mailbox, .act = act };
}

/* Both sides of a change of jurisdiction are told of it. */
static void reach_both(const struct policy *p, const struct policy_context *ctx,
		       const struct policy_act *act, struct explanation *x)
{
	const Ieum__V1__Referral *m = ctx->referral;

	if (m->body_case != IEUM__V1__REFERRAL__BODY_JURISDICTION_CHANGE)
		return;
	const char *const both[] = { m->jurisdiction_change->from, m->jurisdiction_change->to };
	for (size_t i = 0; i < sizeof both / sizeof both[0]; i++) {
		int who = policy_find_participant(p, both[i]);
		if (who != POLICY_NONE && who != ctx->sender)
			reach(x, act, policy_participant(p, who)->mailbox);
	}
}

static void reach_keepers(const struct policy *p, const struct policy_context *ctx,
			  const struct policy_act *act, struct explanation *x)
{
	int pools[EXPLAIN_REACHES_MAX];
	size_t n = policy_pools_suiting(p, ctx, pools, EXPLAIN_REACHES_MAX);

	for (size_t i = 0; i < n; i++)
		reach(x, act, policy_participant(p, policy_pool(p, pools[i])->keeper)->mailbox);
}

void explain_acts(const struct policy *p, const struct policy_context *ctx, struct explanation *x)
{
	for (size_t i = 0; i < x->decision.n_acts; i++) {
		const struct policy_act *act = &x->decision.acts[i];

		if (act->kind == POLICY_ACT_HAND_OVER)
			reach_both(p, ctx, act, x);
		else if (act->kind == POLICY_ACT_HOLD)
			reach_keepers(p, ctx, act, x);
	}
}
