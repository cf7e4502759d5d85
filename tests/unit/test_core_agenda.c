/* broker/core, agendas: what a meeting has before it, what minutes end, what is carried on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/agenda.h"
#include "tests/unit/council.h"
#include "tests/unit/hub_text.h"

/* A reported child, whose case the school and the police take part in. */
static void report(struct council *c, uint8_t case_id[CORE_ID_BYTES])
{
	message_open_case(message_new(&c->w, &c->m, TYPE(REPORT_RECEIVED)));
	trial_submitted(&c->w, c->ps, &c->m);
	memcpy(case_id, c->m.id, CORE_ID_BYTES);
}

static void put_item(struct council *c, uint64_t who, const uint8_t case_id[CORE_ID_BYTES],
		     uint8_t id[CORE_ID_BYTES])
{
	message_in_case(message_new(&c->w, &c->m, TYPE(AGENDA_ITEM)), case_id);
	c->m.item.body = (char *)"council";
	c->m.item.title = (char *)"absent for weeks";
	trial_submitted(&c->w, who, &c->m);
	memcpy(id, c->m.id, CORE_ID_BYTES);
	trial_verify(&c->w);
}

static void call(struct council *c, uint8_t id[CORE_ID_BYTES])
{
	message_new(&c->w, &c->m, TYPE(CONFERENCE_CALL));
	c->m.call.body = (char *)"council";
	trial_submitted(&c->w, c->city, &c->m);
	memcpy(id, c->m.id, CORE_ID_BYTES);
	trial_verify(&c->w);
}

struct minutes {
	Ieum__V1__ActionItem action[2];
	Ieum__V1__ActionItem *actions[2];
	ProtobufCBinaryData kept[1];
};

static struct message *minutes_of(struct council *c, const uint8_t conference[CORE_ID_BYTES])
{
	message_new(&c->w, &c->m, TYPE(CONFERENCE_MINUTES));
	c->m.minutes.conference_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)conference };
	return &c->m;
}

static void agree(struct council *c, struct minutes *m, const char *who, int64_t in_us)
{
	size_t i = c->m.minutes.n_action_items++;

	ieum__v1__action_item__init(&m->action[i]);
	m->action[i].participant = (char *)who;
	m->action[i].due_at_ms = in_us ? (c->w.now + in_us) / 1000 : 0;
	m->actions[i] = &m->action[i];
	c->m.minutes.action_items = m->actions;
}

static const Ieum__V1__AgendaResult *agenda(struct council *c, uint64_t who)
{
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__AgendaQuery of = IEUM__V1__AGENDA_QUERY__INIT;
	enum ieum_err err;

	of.body = (char *)"council";
	q.what_case = IEUM__V1__QUERY__WHAT_AGENDA;
	q.agenda = &of;
	const Ieum__V1__Result *r = trial_query(&c->w, who, &q, &err);
	return r ? r->agenda : NULL;
}

static void an_item_is_discussed_once(void **state)
{
	struct council *c = *state;
	uint8_t child[CORE_ID_BYTES], item[CORE_ID_BYTES], meeting[CORE_ID_BYTES];

	report(c, child);
	put_item(c, c->edu, child, item);
	const Ieum__V1__AgendaResult *a = agenda(c, c->cpa);
	assert_int_equal(a->n_entries, 1);
	assert_int_equal(a->entries[0]->kind, IEUM__V1__AGENDA_KIND__AGENDA_KIND_ITEM);
	assert_memory_equal(a->entries[0]->message_id.data, item, CORE_ID_BYTES);
	assert_memory_equal(a->entries[0]->case_id.data, child, CORE_ID_BYTES);
	assert_string_equal(a->entries[0]->participant, "edu");
	assert_int_equal(a->entries[0]->carried, 0);
	call(c, meeting);
	trial_submitted(&c->w, c->city, minutes_of(c, meeting));
	trial_verify(&c->w);
	assert_int_equal(agenda(c, c->cpa)->n_entries, 0);
}

static void what_stays_open_is_carried(void **state)
{
	struct council *c = *state;
	uint8_t child[CORE_ID_BYTES], kept[CORE_ID_BYTES], other[CORE_ID_BYTES],
		late[CORE_ID_BYTES], meeting[CORE_ID_BYTES];
	struct minutes m;

	report(c, child);
	put_item(c, c->edu, child, kept);
	put_item(c, c->ps, child, other);
	call(c, meeting);
	put_item(c, c->ps, child, late);
	minutes_of(c, meeting);
	m.kept[0] = (ProtobufCBinaryData){ CORE_ID_BYTES, kept };
	c->m.minutes.kept_item_ids = m.kept;
	c->m.minutes.n_kept_item_ids = 1;
	trial_submitted(&c->w, c->city, &c->m);
	trial_verify(&c->w);
	const Ieum__V1__AgendaResult *a = agenda(c, c->city);
	assert_int_equal(a->n_entries, 2);
	assert_memory_equal(a->entries[0]->message_id.data, kept, CORE_ID_BYTES);
	assert_int_equal(a->entries[0]->carried, 1);
	/* Put there after the call: not before that meeting. */
	assert_memory_equal(a->entries[1]->message_id.data, late, CORE_ID_BYTES);
	assert_int_equal(a->entries[1]->carried, 0);
	/* What is not on it can't stay on it. */
	call(c, meeting);
	minutes_of(c, meeting);
	m.kept[0].data = other;
	c->m.minutes.kept_item_ids = m.kept;
	c->m.minutes.n_kept_item_ids = 1;
	council_refused(c, c->city, IEUM_E_REFERRAL_UNKNOWN);
}

static void an_action_reappears_until_it_is_done(void **state)
{
	struct council *c = *state;
	uint8_t meeting[CORE_ID_BYTES], first[CORE_ID_BYTES];
	struct minutes m;

	call(c, meeting);
	minutes_of(c, meeting);
	agree(c, &m, "cpa", 14 * DAY_US);
	agree(c, &m, "edu", 20 * DAY_US);
	trial_submitted(&c->w, c->city, &c->m);
	memcpy(first, c->m.id, CORE_ID_BYTES);
	trial_verify(&c->w);
	assert_int_equal(trial_answer(&c->w, c->edu, first, ANSWER(COMPLETE)), IEUM_E_OK);
	(void)trial_at(&c->w, c->w.now + 30 * DAY_US);
	/* Its head was told when the time was over. */
	assert_int_equal(council_routed(c, "boss"), 1);
	for (uint32_t carried = 1; carried <= 2; carried++) {
		const Ieum__V1__AgendaResult *a = agenda(c, c->ps);
		assert_int_equal(a->n_entries, 1);
		assert_int_equal(a->entries[0]->kind, IEUM__V1__AGENDA_KIND__AGENDA_KIND_ACTION);
		assert_memory_equal(a->entries[0]->message_id.data, first, CORE_ID_BYTES);
		assert_string_equal(a->entries[0]->participant, "cpa");
		assert_int_equal(a->entries[0]->carried, carried);
		call(c, meeting);
		trial_submitted(&c->w, c->city, minutes_of(c, meeting));
		trial_verify(&c->w);
	}
	assert_int_equal(trial_answer(&c->w, c->cpa, first, ANSWER(COMPLETE)), IEUM_E_OK);
	assert_int_equal(agenda(c, c->ps)->n_entries, 0);
	call(c, meeting);
	trial_submitted(&c->w, c->city, minutes_of(c, meeting));
	trial_verify(&c->w);
}

static enum ieum_err answer_request(struct council *c, uint64_t who,
				    const uint8_t id[CORE_ID_BYTES], uint32_t request,
				    Ieum__V1__AnswerKind kind)
{
	message_reply(message_new(&c->w, &c->m, TYPE(ANSWER)), id);
	c->m.answer.kind = kind;
	c->m.answer.request = request;
	enum ieum_err err = trial_submit(&c->w, who, &c->m);
	trial_verify(&c->w);
	return err;
}

/* Whoever has several does and answers them in its own order. */
static void each_action_is_answered_by_itself(void **state)
{
	struct council *c = *state;
	uint8_t meeting[CORE_ID_BYTES], first[CORE_ID_BYTES];
	struct minutes m;

	call(c, meeting);
	minutes_of(c, meeting);
	agree(c, &m, "cpa", 14 * DAY_US);
	agree(c, &m, "cpa", 20 * DAY_US);
	trial_submitted(&c->w, c->city, &c->m);
	memcpy(first, c->m.id, CORE_ID_BYTES);
	const Ieum__V1__AgendaResult *a = agenda(c, c->cpa);
	assert_int_equal(a->n_entries, 2);
	assert_int_equal(a->entries[1]->action, 2);
	assert_int_equal(a->entries[1]->request, 2);
	assert_int_equal(answer_request(c, c->edu, first, 2, ANSWER(COMPLETE)),
			 IEUM_E_NOT_ADDRESSED);
	assert_int_equal(answer_request(c, c->cpa, first, 3, ANSWER(COMPLETE)),
			 IEUM_E_NOT_ADDRESSED);
	assert_int_equal(answer_request(c, c->cpa, first, 2, ANSWER(COMPLETE)), IEUM_E_OK);
	a = agenda(c, c->cpa);
	assert_int_equal(a->n_entries, 1);
	assert_int_equal(a->entries[0]->action, 1);
	assert_true(a->entries[0]->due_at_ms == (c->w.now + 14 * DAY_US) / 1000);
	assert_int_equal(answer_request(c, c->cpa, first, 2, ANSWER(COMPLETE)),
			 IEUM_E_STATE_CONFLICT);
	/* The meeting's secretary takes the other back, and that one alone. */
	assert_int_equal(answer_request(c, c->city, first, 1, ANSWER(CANCEL)), IEUM_E_OK);
	const Ieum__V1__ReferralResult *r = trial_referral(&c->w, c->city, first);
	assert_int_equal(r->tasks[0]->state, TASK(CANCELLED));
	assert_int_equal(r->tasks[1]->state, TASK(COMPLETED));
}

/* Requests of the rules come first: the number of an action is not that of its request. */
static void actions_have_their_own_numbers(void **state)
{
	struct council *c = *state;
	char *hub = hub_text_changed(council_hub,
				     "    asks_actions: true\n    ends_agenda: true\n"
				     "    then: [{to: head, within: 1 month}]\n",
				     "    each: true\n    answer_within: 1 d\n"
				     "    then: [{to: boss, within: 1 d}]\n"
				     "  - name: minutes-actions\n"
				     "    when: {type: conference_minutes}\n"
				     "    asks_actions: true\n    ends_agenda: true\n"
				     "    then: [{to: head, within: 1 month}]\n");
	uint8_t meeting[CORE_ID_BYTES], first[CORE_ID_BYTES];
	struct minutes m;

	trial_reload(&c->w, hub);
	free(hub);
	call(c, meeting);
	minutes_of(c, meeting);
	agree(c, &m, "cpa", 14 * DAY_US);
	trial_submitted(&c->w, c->city, &c->m);
	memcpy(first, c->m.id, CORE_ID_BYTES);
	const Ieum__V1__AgendaResult *a = agenda(c, c->cpa);
	assert_int_equal(a->n_entries, 1);
	assert_int_equal(a->entries[0]->action, 1);
	uint32_t request = a->entries[0]->request;
	assert_int_equal(request, trial_referral(&c->w, c->city, first)->n_tasks);
	assert_int_equal(answer_request(c, c->cpa, first, request, ANSWER(COMPLETE)), IEUM_E_OK);
	assert_int_equal(agenda(c, c->cpa)->n_entries, 0);
}

/* Two rules about minutes: the meeting ends once, its actions are asked once. */
static void two_rules_end_a_meeting_once(void **state)
{
	struct council *c = *state;
	char *hub = hub_text_changed(council_hub, "  - name: close\n",
				     "  - name: minutes-too\n"
				     "    when: {type: conference_minutes}\n"
				     "    to: boss\n"
				     "    asks_actions: true\n    ends_agenda: true\n"
				     "    then: [{to: cpa, within: 1 month}]\n"
				     "  - name: item-too\n"
				     "    when: {type: agenda_item}\n"
				     "    puts_on_agenda: true\n"
				     "  - name: call-too\n"
				     "    when: {type: conference_call, body: council}\n"
				     "    sends_agenda: true\n"
				     "  - name: close\n");
	uint8_t child[CORE_ID_BYTES], item[CORE_ID_BYTES], meeting[CORE_ID_BYTES];
	struct minutes m;

	trial_reload(&c->w, hub);
	free(hub);
	report(c, child);
	put_item(c, c->edu, child, item);
	assert_int_equal(agenda(c, c->cpa)->n_entries, 1);
	call(c, meeting);
	minutes_of(c, meeting);
	agree(c, &m, "cpa", 14 * DAY_US);
	trial_submitted(&c->w, c->city, &c->m);
	trial_verify(&c->w);
	assert_int_equal(agenda(c, c->cpa)->n_entries, 1);
}

/* Who got the minutes for an action knows the meeting, and is no member for that. */
static void only_members_add_to_what_is_open(void **state)
{
	struct council *c = *state;
	char *hub = hub_text_changed(council_hub, "    ends_agenda: true\n", "");
	uint8_t meeting[CORE_ID_BYTES];
	struct minutes m;

	trial_reload(&c->w, hub);
	free(hub);
	call(c, meeting);
	minutes_of(c, meeting);
	agree(c, &m, "cpa", 14 * DAY_US);
	council_refused(c, c->boss, IEUM_E_NOT_PERMITTED);
	assert_int_equal(agenda(c, c->cpa)->n_entries, 0);
}

/* What is done takes no room. */
static void done_actions_leave_the_agenda(void **state)
{
	struct council *c = *state;
	uint8_t meeting[CORE_ID_BYTES];
	struct minutes m;

	for (int i = 0; i <= AGENDA_ENTRIES_MAX; i++) {
		message_new(&c->w, &c->m, TYPE(CONFERENCE_CALL));
		c->m.call.body = (char *)"council";
		trial_submitted(&c->w, c->city, &c->m);
		memcpy(meeting, c->m.id, CORE_ID_BYTES);
		minutes_of(c, meeting);
		agree(c, &m, "cpa", DAY_US);
		trial_submitted(&c->w, c->city, &c->m);
		assert_int_equal(trial_answer(&c->w, c->cpa, c->m.id, ANSWER(COMPLETE)), IEUM_E_OK);
	}
	assert_int_equal(agenda(c, c->ps)->n_entries, 0);
}

static void actions_are_checked(void **state)
{
	struct council *c = *state;
	uint8_t meeting[CORE_ID_BYTES];
	struct minutes m;

	call(c, meeting);
	minutes_of(c, meeting);
	agree(c, &m, "nobody", DAY_US);
	council_refused(c, c->city, IEUM_E_ADDRESSEE_UNKNOWN);
	minutes_of(c, meeting);
	agree(c, &m, "watcher", DAY_US);
	council_refused(c, c->city, IEUM_E_NOT_PERMITTED);
	minutes_of(c, meeting);
	agree(c, &m, "cpa", 0);
	council_refused(c, c->city, IEUM_E_FIELD_MISSING);
	minutes_of(c, meeting);
	agree(c, &m, "cpa", -DAY_US);
	council_refused(c, c->city, IEUM_E_FIELD_INVALID);
}

static void members_only(void **state)
{
	struct council *c = *state;
	uint8_t child[CORE_ID_BYTES];

	report(c, child);
	assert_null(agenda(c, c->boss));
	message_in_case(message_new(&c->w, &c->m, TYPE(AGENDA_ITEM)), child);
	c->m.item.body = (char *)"council";
	/* Not in the case, then not in the body. */
	council_refused(c, c->boss, IEUM_E_CASE_UNKNOWN);
	message_open_case(message_new(&c->w, &c->m, TYPE(CONFERENCE_CALL)));
	c->m.call.body = (char *)"council";
	council_refused(c, c->boss, IEUM_E_NOT_PERMITTED);
	message_in_case(message_new(&c->w, &c->m, TYPE(AGENDA_ITEM)), child);
	c->m.item.body = (char *)"another";
	council_refused(c, c->ps, IEUM_E_FIELD_INVALID);
}

/* Whoever has a conflict of interest in a case doesn't see that it is discussed. */
static void the_excluded_see_nothing(void **state)
{
	struct council *c = *state;
	uint8_t child[CORE_ID_BYTES], item[CORE_ID_BYTES], meeting[CORE_ID_BYTES];
	uint64_t copies;

	report(c, child);
	put_item(c, c->edu, child, item);
	message_in_case(message_new(&c->w, &c->m, TYPE(INFORMATION_REQUEST)), child);
	c->m.request.purpose = (char *)"x";
	message_exclude(&c->m, "cpa");
	trial_submitted(&c->w, c->city, &c->m);
	assert_int_equal(agenda(c, c->cpa)->n_entries, 0);
	assert_int_equal(agenda(c, c->ps)->n_entries, 1);
	copies = c->w.hub_messages;
	call(c, meeting);
	/* The convener's, the members', and one without it. */
	assert_int_equal(c->w.hub_messages - copies, 3);
}

static void linked_sets_are_the_convener_s(void **state)
{
	struct council *c = *state;
	uint8_t case_id[CORE_ID_BYTES];

	council_signal(c, 1, 2);
	trial_submitted(&c->w, c->edu, &c->m);
	council_signal(c, 1, 2);
	trial_submitted(&c->w, c->ps, &c->m);
	council_linked_case(c, case_id);
	const Ieum__V1__AgendaResult *a = agenda(c, c->city);
	assert_int_equal(a->n_entries, 1);
	assert_int_equal(a->entries[0]->kind, IEUM__V1__AGENDA_KIND__AGENDA_KIND_LINKED_SET);
	assert_memory_equal(a->entries[0]->case_id.data, case_id, CORE_ID_BYTES);
	assert_int_equal(agenda(c, c->ps)->n_entries, 0);
	assert_int_equal(agenda(c, c->edu)->n_entries, 0);
}

static void an_agenda_is_bounded(void **state)
{
	struct council *c = *state;
	uint8_t child[CORE_ID_BYTES], item[CORE_ID_BYTES];

	report(c, child);
	for (int i = 0; i < AGENDA_ENTRIES_MAX; i++) {
		message_in_case(message_new(&c->w, &c->m, TYPE(AGENDA_ITEM)), child);
		c->m.item.body = (char *)"council";
		trial_submitted(&c->w, c->edu, &c->m);
	}
	message_in_case(message_new(&c->w, &c->m, TYPE(AGENDA_ITEM)), child);
	c->m.item.body = (char *)"council";
	council_refused(c, c->edu, IEUM_E_HUB_FULL);
	for (int i = 0; i < AGENDA_MEETINGS_MAX + 2; i++)
		call(c, item);
}

/* ---- a conflict of interest that is declared when the agenda has been sent ---- */

static void exclude(struct council *c, const uint8_t case_id[CORE_ID_BYTES], const char *who)
{
	message_in_case(message_new(&c->w, &c->m, TYPE(REPORT_RECEIVED)), case_id);
	message_exclude(&c->m, who);
	trial_submitted(&c->w, c->ps, &c->m);
	trial_verify(&c->w);
}

/* What the agendas that wait for the mailbox's only consumer tell of, all of them settled. */
static size_t agendas_taken(struct council *c, uint64_t who, uint8_t last[CORE_ID_BYTES])
{
	uint64_t ids[64];
	size_t n = trial_release(&c->w, who, 64, ids);
	size_t agendas = 0;

	for (size_t i = 0; i < n; i++) {
		struct core_delivery d;
		assert_true(core_delivery(c->w.core, ids[i], &d));
		const Ieum__V1__ReferralResult *r = trial_referral(&c->w, who, d.message_id);
		if (r && r->type == TYPE(AGENDA)) {
			memcpy(last, d.message_id, CORE_ID_BYTES);
			agendas++;
		}
		assert_int_equal(trial_done(&c->w, who, ids[i]), IEUM_E_OK);
	}
	return agendas;
}

/* Entries of the agenda that the last decision made anew. */
static size_t sent_anew(struct council *c, size_t *entries)
{
	size_t n = 0;

	for (size_t i = 0; i < c->w.d.n_items; i++) {
		const struct core_item *item = &c->w.d.items[i];
		if (item->event->what_case != IEUM__V1__EVENT__WHAT_SUBMITTED ||
		    item->event->submitted->type != TYPE(AGENDA))
			continue;
		Ieum__V1__Referral *r =
			ieum__v1__referral__unpack(NULL, item->payload_len, item->payload);
		assert_non_null(r);
		*entries = r->agenda->n_entries;
		n++;
		ieum__v1__referral__free_unpacked(r, NULL);
	}
	return n;
}

static void a_queued_agenda_is_taken_back(void **state)
{
	struct council *c = *state;
	uint8_t child[CORE_ID_BYTES], other[CORE_ID_BYTES], item[CORE_ID_BYTES],
		meeting[CORE_ID_BYTES], got[CORE_ID_BYTES];
	size_t entries = 0;

	report(c, child);
	report(c, other);
	put_item(c, c->edu, child, item);
	put_item(c, c->edu, other, item);
	call(c, meeting);
	uint64_t before = trial_counts(&c->w, "cpa").withdrawn;
	exclude(c, child, "cpa");
	assert_int_equal(trial_counts(&c->w, "cpa").withdrawn, before + 1);
	/* It gets another, with what it may know of. */
	assert_int_equal(sent_anew(c, &entries), 1);
	assert_int_equal(entries, 1);
	assert_int_equal(agendas_taken(c, c->cpa, got), 1);
	/* Everyone else keeps what was sent. */
	assert_int_equal(agendas_taken(c, c->edu, got), 1);
	/* Once more, of the other: it had that agenda, so it gets none again. */
	exclude(c, other, "cpa");
	assert_int_equal(sent_anew(c, &entries), 0);
}

static void an_agenda_it_has_is_read_no_more(void **state)
{
	struct council *c = *state;
	uint8_t child[CORE_ID_BYTES], item[CORE_ID_BYTES], meeting[CORE_ID_BYTES],
		got[CORE_ID_BYTES];
	enum ieum_err err;
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__ReferralQuery of = IEUM__V1__REFERRAL_QUERY__INIT;

	report(c, child);
	put_item(c, c->edu, child, item);
	call(c, meeting);
	assert_int_equal(agendas_taken(c, c->cpa, got), 1);
	of.message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, got };
	q.what_case = IEUM__V1__QUERY__WHAT_REFERRAL;
	q.referral = &of;
	assert_non_null(trial_query(&c->w, c->cpa, &q, &err));
	exclude(c, child, "cpa");
	assert_null(trial_query(&c->w, c->cpa, &q, &err));
	assert_int_equal(err, IEUM_E_CONFLICT_OF_INTEREST);
}

/* What one had in its hands comes back to no colleague, also after a restart. */
static void an_agenda_under_way_is_taken_back(void **state)
{
	struct council *c = *state;
	uint8_t child[CORE_ID_BYTES], item[CORE_ID_BYTES], meeting[CORE_ID_BYTES],
		got[CORE_ID_BYTES];
	uint64_t ids[64];

	report(c, child);
	put_item(c, c->edu, child, item);
	call(c, meeting);
	assert_true(trial_release(&c->w, c->cpa, 64, ids) > 0);
	trial_restart(&c->w);
	c->ps = trial_connect(&c->w, "ps");
	exclude(c, child, "cpa");
	c->cpa = trial_connect(&c->w, "cpa");
	assert_int_equal(agendas_taken(c, c->cpa, got), 1);
	assert_memory_not_equal(got, meeting, CORE_ID_BYTES);
	trial_verify(&c->w);
}

/* The minutes have come: there is nothing to send. */
static void an_agenda_of_the_past_is_only_taken_back(void **state)
{
	struct council *c = *state;
	uint8_t child[CORE_ID_BYTES], item[CORE_ID_BYTES], meeting[CORE_ID_BYTES],
		got[CORE_ID_BYTES];
	size_t entries = 0;

	report(c, child);
	put_item(c, c->edu, child, item);
	call(c, meeting);
	trial_submitted(&c->w, c->city, minutes_of(c, meeting));
	exclude(c, child, "cpa");
	assert_int_equal(sent_anew(c, &entries), 0);
	assert_int_equal(agendas_taken(c, c->cpa, got), 0);
}

/* ---- who stands in for whom ---- */

/* The first of the ladder is asked at once. */
static void a_convener_with_a_conflict_is_not_asked_to_meet(void **state)
{
	struct council *c = *state;
	char *hub = hub_text_changed(council_hub,
				     "    when: {type: agenda_item}\n    puts_on_agenda: true\n",
				     "    when: {type: agenda_item}\n    puts_on_agenda: true\n"
				     "    meeting_within: 10 d\n"
				     "    then: [{to: boss, within: 3 d}]\n");
	uint8_t child[CORE_ID_BYTES], item[CORE_ID_BYTES];

	trial_reload(&c->w, hub);
	free(hub);
	report(c, child);
	exclude(c, child, "city");
	put_item(c, c->edu, child, item);
	const Ieum__V1__ReferralResult *r = trial_referral(&c->w, c->edu, item);
	assert_int_equal(r->n_tasks, 1);
	assert_string_equal(r->tasks[0]->asked, "boss");
}

/* One of the police has left, and the agency that comes in its place may not hear of one of the cases. */
static void an_agenda_on_its_way_goes_to_no_successor_with_a_conflict(void **state)
{
	struct council *c = *state;
	char *role = hub_text_changed(council_hub, "police: [ps, ps-2]", "police: [ps]");
	char *gone = hub_text_changed(role, "to: [ps, ps-2, edu]", "to: [ps, edu]");
	char *hub = hub_text_changed(
		gone, "  ps-2: {kind: police, title: {en: ps-2, ko: 경2}, head: boss}\n", "");
	char *with = NULL;
	uint8_t child[CORE_ID_BYTES], item[CORE_ID_BYTES], meeting[CORE_ID_BYTES];

	assert_true(asprintf(&with, "%sleft: {ps-2: {to: cpa}}\n", hub) > 0);
	report(c, child);
	exclude(c, child, "cpa");
	put_item(c, c->edu, child, item);
	call(c, meeting);
	uint64_t before = council_routed(c, "cpa");
	trial_reload(&c->w, with);
	/* What a reload leaves to do is due at no time. */
	do {
		core_decision_reset(&c->w.d);
		assert_int_equal(core_decide_due(c->w.core, c->w.policy, c->w.now, &c->w.d),
				 IEUM_E_OK);
		assert_int_equal(trial_record(&c->w, IEUM_E_OK), IEUM_E_OK);
	} while (c->w.d.n_items > 0);
	trial_verify(&c->w);
	assert_true(trial_counts(&c->w, "ps-2").withdrawn > 0);
	assert_int_equal(council_routed(c, "cpa"), before);
	free(role);
	free(gone);
	free(hub);
	free(with);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, council_start, council_stop)
		T(an_item_is_discussed_once),
		T(what_stays_open_is_carried),
		T(an_action_reappears_until_it_is_done),
		T(each_action_is_answered_by_itself),
		T(actions_have_their_own_numbers),
		T(two_rules_end_a_meeting_once),
		T(only_members_add_to_what_is_open),
		T(done_actions_leave_the_agenda),
		T(actions_are_checked),
		T(members_only),
		T(the_excluded_see_nothing),
		T(a_convener_with_a_conflict_is_not_asked_to_meet),
		T(an_agenda_on_its_way_goes_to_no_successor_with_a_conflict),
		T(linked_sets_are_the_convener_s),
		T(an_agenda_is_bounded),
		T(a_queued_agenda_is_taken_back),
		T(an_agenda_it_has_is_read_no_more),
		T(an_agenda_under_way_is_taken_back),
		T(an_agenda_of_the_past_is_only_taken_back),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
