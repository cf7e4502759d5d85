/* What a message may not do or say while a gate of its case is closed; which linkage takes a
 * signal. */
#include "broker/policy/decide.h"

#include <string.h>

static bool is_open(const struct deciding *d, int gate)
{
	return d->s.ctx->gates_open & UINT32_C(1) << (gate - 1);
}

static enum ieum_err refuse_closed(struct deciding *d, const struct rule *rule, int gate,
				   const char *what)
{
	return decide_refuse(d, IEUM_E_GATE_CLOSED, "rule '%s': %s'%s' is not open in this case",
			     rule->name, what, d->s.p->gates[gate - 1].name);
}

static bool names_somebody(const struct deciding *d)
{
	return d->s.envelope->n_external_refs > 0 || d->s.envelope->n_subject_tokens > 0 ||
	       d->s.ctx->referral->n_narrative > 0;
}

static bool has_basis(const Ieum__V1__InformationRequest *request, const char *item)
{
	for (size_t i = 0; i < request->n_item_bases; i++) {
		if (strcmp(request->item_bases[i]->item, item) == 0)
			return true;
	}
	return false;
}

static enum ieum_err check_items(struct deciding *d, const struct rule *rule)
{
	const Ieum__V1__InformationRequest *request = d->s.body;

	for (size_t i = 0; i < request->n_items; i++) {
		if (!has_basis(request, request->items[i]))
			return decide_refuse(
				d, IEUM_E_LEGAL_BASIS_MISSING,
				"information_request.item_bases: rule '%s' needs the basis "
				"of each item; '%.40s' has none",
				rule->name, request->items[i]);
	}
	return IEUM_E_OK;
}

enum ieum_err gate_check(struct deciding *d, const struct rule *rule)
{
	if (rule->needs_gate && !is_open(d, rule->needs_gate))
		return refuse_closed(d, rule, rule->needs_gate, "the gate ");
	if (rule->anonymous_until && !is_open(d, rule->anonymous_until) && names_somebody(d))
		return refuse_closed(
			d, rule, rule->anonymous_until,
			"leave out subject_tokens, external_refs and narrative: the gate ");
	if (rule->needs_item_basis && d->s.body)
		return check_items(d, rule);
	return IEUM_E_OK;
}

void gate_add_signal(struct deciding *d)
{
	struct policy_decision *out = d->out;

	for (size_t i = 0; i < d->s.p->n_linkages && out->n_acts < POLICY_ACTS_MAX; i++) {
		const struct linkage *linkage = &d->s.p->linkages[i];

		if (!(linkage->of.types & UINT64_C(1) << d->s.type) ||
		    condition_unmet(&linkage->of, &d->s))
			continue;
		out->acts[out->n_acts++] = (struct policy_act){ .kind = POLICY_ACT_KEEP_SIGNAL,
								.index = (int)i,
								.rule = linkage->is.name,
								.key = "linkage" };
		return;
	}
}

/* ---- for the core ---- */

size_t policy_gates(const struct policy *p)
{
	return p->n_gates;
}

const struct policy_gate *policy_gate(const struct policy *p, int index)
{
	return index >= 0 && (size_t)index < p->n_gates ? &p->gates[index] : NULL;
}

int policy_find_gate(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_gates; i++) {
		if (strcmp(p->gates[i].name, name) == 0)
			return (int)i;
	}
	return POLICY_NONE;
}

size_t policy_ladder(const struct policy *p, int rule, int64_t from_ms, struct policy_step *steps)
{
	const struct rule *r = &p->rules[rule];

	for (size_t i = 0; i < r->n_steps; i++) {
		const struct rule_step *from = &r->steps[i];

		from_ms = calendar_add(&p->calendar, from_ms, from->within_parsed);
		steps[i] = (struct policy_step){ .to = from->to,
						 .within = from->within,
						 .due_at_ms = from_ms,
						 .on_silence_only = from->on_silence_only,
						 .on_rejection_only = from->on_rejection_only };
	}
	return r->n_steps;
}

const struct policy_linkage *policy_linkage(const struct policy *p, int index)
{
	return index >= 0 && (size_t)index < p->n_linkages ? &p->linkages[index].is : NULL;
}

int policy_find_linkage(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_linkages; i++) {
		if (strcmp(p->linkages[i].is.name, name) == 0)
			return (int)i;
	}
	return POLICY_NONE;
}

const struct policy_gate *policy_linkage_gate(const struct policy *p, int linkage)
{
	bool is_one = linkage >= 0 && (size_t)linkage < p->n_linkages;

	return is_one ? policy_gate(p, p->linkages[linkage].gate - 1) : NULL;
}
