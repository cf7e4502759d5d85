/* Gates of cases; see gates.h. */
#include "broker/core/gates.h"

#include <stdlib.h>
#include <string.h>

#include "broker/core/case_clock_act.h"
#include "broker/core/cases.h"
#include "broker/core/occasion.h"
#include "broker/core/signals.h"
#include "broker/core/snapshot.h"

static const struct case_gate *find(const struct case_gates *g, const char *name)
{
	for (uint32_t i = 0; i < g->n; i++)
		if (strcmp(g->list[i].name, name) == 0)
			return &g->list[i];
	return NULL;
}

bool gate_is_open(const struct case_gates *g, const char *name, int64_t now_ms)
{
	const struct case_gate *gate = find(g, name);

	return gate && (!gate->until_ms || gate->until_ms > now_ms);
}

uint32_t gates_open(const struct policy *p, const struct core_case *k, int64_t now_ms)
{
	uint32_t open = 0;

	for (size_t i = 0; k && k->gates.n > 0 && i < policy_gates(p); i++)
		if (gate_is_open(&k->gates, policy_gate(p, (int)i)->name, now_ms))
			open |= UINT32_C(1) << i;
	return open;
}

/* ---- deciding ---- */

/* Its end is announced before it comes. */
static enum ieum_err start_clock(const struct occasion *o, const char *name)
{
	const struct policy_gate *gate = policy_gate(o->p, policy_find_gate(o->p, name));
	struct policy_act act = { .kind = POLICY_ACT_CLOCK,
				  .index = gate ? gate->clock : POLICY_NONE,
				  .verb = IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_STOPPED,
				  .rule = name };

	if (act.index == POLICY_NONE)
		return IEUM_E_OK;
	/* One that was open anyway is open for longer. */
	enum ieum_err err = case_clock_act(o, &act);
	act.verb = IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_STARTED;
	return err ? err : case_clock_act(o, &act);
}

enum ieum_err gate_decide(const struct occasion *o, const char *name, int64_t for_ms,
			  const ProtobufCBinaryData *approved)
{
	const struct core_case *k = o->core_case ? case_at(o->c, o->core_case) : NULL;

	if (!o->case_id.len)
		return decision_refuse(o->d, IEUM_E_FIELD_MISSING,
				       "envelope.case_id: a gate is a case's");
	if (k && k->gates.n == CASE_GATES_MAX && !find(&k->gates, name))
		return decision_refuse(o->d, IEUM_E_HUB_FULL,
				       "the case has as many gates as it may");
	Ieum__V1__CaseChanged *e = decision_case_changed(o->d, o->now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->case_id = o->case_id;
	e->gate_opened = (char *)name;
	e->gate_until_at_ms = for_ms ? o->now_ms + for_ms : 0;
	if (approved)
		e->message_id = *approved;
	else if (o->referral)
		e->message_id = o->referral->envelope->message_id;
	e->at_once = !approved;
	enum ieum_err err = start_clock(o, name);
	if (err)
		return err;
	/* Open already: they were asked when it opened. */
	return k && !gate_is_open(&k->gates, name, o->now_ms) ? signals_ask_who(o, name)
							      : IEUM_E_OK;
}

enum ieum_err gate_act(const struct occasion *o, int gate)
{
	const struct policy_gate *g = policy_gate(o->p, gate);

	return g ? gate_decide(o, g->name, g->lasts_ms, NULL) : IEUM_E_OK;
}

/* ---- state ---- */

enum ieum_err gate_set(struct case_gates *g, const char *name, int64_t until_ms)
{
	struct case_gate *gate = (struct case_gate *)find(g, name);
	size_t len = strlen(name);

	if (!gate) {
		if (g->n == CASE_GATES_MAX || len == 0 || len >= POLICY_NAME_BYTES)
			return IEUM_E_JOURNAL_CORRUPT;
		struct case_gate *list = realloc(g->list, (g->n + 1U) * sizeof *list);
		if (!list)
			return IEUM_E_NO_MEMORY;
		g->list = list;
		gate = &list[g->n++];
		*gate = (struct case_gate){ .until_ms = 0 };
		memcpy(gate->name, name, len);
	}
	gate->until_ms = until_ms;
	return IEUM_E_OK;
}

void gates_deinit(struct case_gates *g)
{
	free(g->list);
	*g = (struct case_gates){ 0 };
}

/* ---- snapshots ---- */

enum ieum_err gates_write(struct snapshot_writing *w, const struct case_gates *g,
			  Ieum__V1__SnapshotGate ***list, size_t *n)
{
	Ieum__V1__SnapshotGate *rows = snapshot_room(w, g->n, sizeof *rows);

	*list = snapshot_room(w, g->n, sizeof **list);
	if (!rows || !*list)
		return IEUM_E_NO_MEMORY;
	for (*n = 0; *n < g->n; ++*n) {
		rows[*n] = (Ieum__V1__SnapshotGate)IEUM__V1__SNAPSHOT_GATE__INIT;
		rows[*n].name = g->list[*n].name;
		rows[*n].until_at_ms = g->list[*n].until_ms;
		(*list)[*n] = &rows[*n];
	}
	return IEUM_E_OK;
}

enum ieum_err gates_read(struct case_gates *g, Ieum__V1__SnapshotGate *const *list, size_t n)
{
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < n && !err; i++)
		err = gate_set(g, list[i]->name, list[i]->until_at_ms);
	return err;
}
