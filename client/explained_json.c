/* An explanation for programs; docs/cli.md describes it. */
#include "client/explained_parts.h"
#include "client/json_out.h"
#include "proto/pbmap.h"

static const char *const verdicts[] = {
	[POLICY_RULE_APPLIES] = "applies",         [POLICY_RULE_UNMET] = "unmet",
	[POLICY_RULE_LACKS_BASIS] = "lacks_basis", [POLICY_RULE_FORBIDS] = "forbids",
	[POLICY_RULE_REFUSES] = "refuses",
};

static json_t *json_rules(const struct explained *e)
{
	json_t *list = json_array();

	for (size_t i = 0; i < e->x->n_looks; i++) {
		const struct policy_look *look = &e->x->looks[i];
		json_t *rule = json_pack("{s:s, s:i, s:s}", "rule", look->rule, "line", look->line,
					 "verdict", verdicts[look->verdict]);

		if (*look->key) {
			json_object_set_new(rule, "key", json_string(look->key));
			json_object_set_new(rule, "is", json_string(look->is));
			json_object_set_new(rule, "wants", json_string(look->wants));
		}
		json_array_append_new(list, rule);
	}
	return list;
}

static json_t *json_recipients(const struct explained *e)
{
	const struct policy_decision *d = &e->x->decision;
	char word[PBMAP_WORD_BYTES];
	json_t *list = json_array();

	for (size_t i = 0; i < d->n_routes; i++) {
		const struct policy_route *route = &d->routes[i];
		json_t *to;

		if (!pbmap_enum_word(&ieum__v1__delivery_cause__descriptor, (int)route->cause,
				     word))
			word[0] = '\0';
		to = json_pack("{s:s, s:s, s:s}", "mailbox", explained_mailbox(e, route->mailbox),
			       "cause", word, "rule", explained_rule_of(e, i));
		if (route->task >= 0)
			json_object_set_new(to, "request", json_integer(route->task));
		json_array_append_new(list, to);
	}
	return list;
}

static json_t *json_steps(const struct explained *e, const struct policy_task *task)
{
	char time[EXPLAIN_TIME_BYTES];
	json_t *list = json_array();

	for (size_t i = 0; i < task->n_ladder; i++) {
		const struct policy_step *step = &task->ladder[i];

		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:I, s:s, s:s}", "to", step->to, "within",
				  step->within, "due_at_ms", (json_int_t)step->due_at_ms, "due",
				  explain_local_time(e->policy, step->due_at_ms, time), "on",
				  step->on_silence_only     ? "silence"
				  : step->on_rejection_only ? "rejection"
							    : "either"));
	}
	return list;
}

static json_t *json_requests(const struct explained *e)
{
	const struct policy_decision *d = &e->x->decision;
	char time[EXPLAIN_TIME_BYTES], word[PBMAP_WORD_BYTES];
	json_t *list = json_array();

	for (size_t i = 0; i < d->n_tasks; i++) {
		const struct policy_task *task = &d->tasks[i];
		json_t *asked = json_array();

		for (size_t k = 0; k < task->n_asked; k++)
			json_array_append_new(asked,
					      json_string(explained_mailbox(e, task->asked[k])));
		if (!pbmap_enum_word(&ieum__v1__stops_at__descriptor, (int)task->stops_at, word))
			word[0] = '\0';
		json_array_append_new(
			list,
			json_pack("{s:o, s:I, s:s, s:s, s:b, s:b, s:i, s:s, s:o}", "asked", asked,
				  "due_at_ms", (json_int_t)task->due_at_ms, "due",
				  explain_local_time(e->policy, task->due_at_ms, time), "stops_at",
				  word, "blocks_closing", (int)task->blocks_closing, "closes_case",
				  (int)(task->effect == IEUM__V1__CASE_EFFECT__CASE_EFFECT_CLOSE),
				  "quorum", task->quorum > 1 ? (int)task->quorum : 1, "gate",
				  task->gate ? task->gate : "", "ladder", json_steps(e, task)));
	}
	return list;
}

static json_t *json_emits(const struct explained *e)
{
	const struct policy_decision *d = &e->x->decision;
	char type[PBMAP_WORD_BYTES], link[PBMAP_WORD_BYTES];
	json_t *list = json_array();

	for (size_t i = 0; i < d->n_emits; i++) {
		const struct policy_emit *emit = &d->emits[i];

		if (!pbmap_enum_word(&ieum__v1__message_type__descriptor, (int)emit->type, type))
			type[0] = '\0';
		if (!emit->link ||
		    !pbmap_enum_word(&ieum__v1__link_kind__descriptor, (int)emit->link, link))
			link[0] = '\0';
		json_array_append_new(list, json_pack("{s:s, s:b, s:s}", "type", type, "open_case",
						      (int)emit->open_case, "link", link));
	}
	return list;
}

static json_t *json_acts(const struct explained *e)
{
	const struct policy_decision *d = &e->x->decision;
	json_t *list = json_array();

	for (size_t i = 0; i < d->n_acts; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s}", "act", d->acts[i].key, "value",
						d->acts[i].text ? d->acts[i].text : "", "rule",
						d->acts[i].rule));
	return list;
}

static json_t *json_reaches(const struct explained *e)
{
	json_t *list = json_array();

	for (size_t i = 0; i < e->x->n_reaches; i++) {
		const struct explain_reach *to = &e->x->reaches[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "mailbox",
						      explained_mailbox(e, to->mailbox), "act",
						      to->act->key, "rule", to->act->rule));
	}
	return list;
}

static json_t *json_counters(const struct explained *e, uint64_t counters)
{
	json_t *list = json_array();

	for (size_t i = 0; i < policy_counters(e->policy); i++)
		if (counters >> i & 1)
			json_array_append_new(list,
					      json_string(policy_counter(e->policy, (int)i)->name));
	return list;
}

static void add_decision(const struct explained *e, json_t *doc)
{
	const struct policy_decision *d = &e->x->decision;
	char word[PBMAP_WORD_BYTES];

	json_object_set_new(doc, "recipients", json_recipients(e));
	json_object_set_new(doc, "requests", json_requests(e));
	json_object_set_new(doc, "emits", json_emits(e));
	json_object_set_new(doc, "acts", json_acts(e));
	json_object_set_new(doc, "may_reach", json_reaches(e));
	json_object_set_new(doc, "counts_in", json_counters(e, e->x->counted));
	json_object_set_new(doc, "counts_anew", json_counters(e, e->x->begun_anew));
	if (d->case_owner != POLICY_NONE)
		json_object_set_new(doc, "owner", json_string(explained_mailbox(e, d->case_owner)));
	if (d->case_state &&
	    pbmap_enum_word(&ieum__v1__case_state__descriptor, (int)d->case_state, word))
		json_object_set_new(doc, "case_state", json_string(word));
	json_object_set_new(doc, "closing", json_boolean(d->closing));
}

enum exit_code explained_json(const struct invocation *inv, const struct explained *e)
{
	char type[PBMAP_WORD_BYTES], time[EXPLAIN_TIME_BYTES];
	json_t *doc;

	if (!pbmap_enum_word(&ieum__v1__message_type__descriptor, (int)e->message->envelope->type,
			     type))
		type[0] = '\0';
	doc = json_pack("{s:s, s:s, s:I, s:s, s:o}", "type", type, "sender",
			e->sender == POLICY_NONE ? "hub"
						 : policy_participant(e->policy, e->sender)->name,
			"at_ms", (json_int_t)e->at_ms, "at",
			explain_local_time(e->policy, e->at_ms, time), "rules", json_rules(e));
	if (doc && e->x->err)
		json_object_set_new(doc, "refused",
				    json_pack("{s:i, s:s, s:s}", "code", (int)e->x->err, "name",
					      ieum_error((int)e->x->err)->name, "detail",
					      e->x->detail));
	else if (doc)
		add_decision(e, doc);
	return json_out(inv, doc);
}
