/* A change of jurisdiction hands over each case by a message of the hub; some rule has to ask the
 * new one whether it takes it, or nothing would ever be handed over. */
#include "broker/policy/load.h"

#include "ieum/v1/event.pb-c.h"
#include "ieum/v1/types.pb-c.h"

/* It names the one who shall be responsible as its addressee. */
static bool asks_the_new_one(const struct rule *rule)
{
	const struct condition *c = &rule->when;
	uint64_t handover = UINT64_C(1) << IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_HANDOVER;

	return c->types & handover && c->n_senders == 0 && c->addressed != 0 && rule->asks &&
	       rule->effect == IEUM__V1__CASE_EFFECT__CASE_EFFECT_HAND_OVER &&
	       (c->sender_kinds == 0 || c->sender_kinds & UINT64_C(1) << POLICY_KIND_HUB);
}

void check_handover(struct loader *l)
{
	const struct policy *p = l->p;
	bool asked = false, confirmed = false;

	for (size_t i = 0; i < p->n_rules; i++) {
		asked |= asks_the_new_one(&p->rules[i]);
		confirmed |= check_has_act(&p->rules[i], POLICY_ACT_CONFIRM);
	}
	for (size_t i = 0; i < p->n_rules && !(asked && confirmed); i++) {
		const struct yaml_node *node = yaml_get(load_nth(l, "rules", i), "hands_over");

		if (!check_has_act(&p->rules[i], POLICY_ACT_HAND_OVER))
			continue;
		if (asked) {
			yaml_mistake(
				l->diag, node,
				"no hand-over is ever complete: nobody can state what it has "
				"got; add a rule for handover_manifest with \"confirms: true\"");
			return;
		}
		yaml_mistake(
			l->diag, node,
			"nobody is asked to take the cases; add a rule for the hub's handover: "
			"\"when: {type: handover, sender_kind: hub, addressed: true}\" with "
			"\"to: addressees\" and \"on_accept: hand_over\"");
		return;
	}
}
