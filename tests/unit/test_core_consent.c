/* broker/core, consent: withdrawing it takes back what waits, cancels what nobody has taken on and
 * orders everyone who got something to stop; what rests on a statute goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core_trial.h"

static const char hub[] =
	"hub: {name: test.ieum, title: {en: T, ko: 티}, jurisdiction: \"41570\", time_zone: \"+09:00\"}\n"
	"calendar: {working_hours: \"09:00-18:00\", weekend: [saturday, sunday], holidays: []}\n"
	"domains: [legal]\n"
	"kinds:\n"
	"  office: {title: {en: O, ko: 관}, may_send: all}\n"
	"  team: {title: {en: T, ko: 팀}, may_send: none}\n"
	"participants:\n"
	"  ps: {kind: office, title: {en: ps, ko: 가}, head: boss}\n"
	"  manager: {kind: office, title: {en: manager, ko: 나}, head: boss}\n"
	"  counsellor: {kind: office, title: {en: counsellor, ko: 다}, head: boss}\n"
	"  other: {kind: office, title: {en: other, ko: 라}, head: boss}\n"
	"  aid: {kind: office, title: {en: aid, ko: 마}, head: boss, domains: [legal]}\n"
	"  boss: {kind: office, title: {en: boss, ko: 바}}\n"
	"bodies:\n"
	"  team:\n"
	"    kind: team\n"
	"    title: {en: team, ko: 팀}\n"
	"    mode: any\n"
	"    roles: {lead: [manager], help: [counsellor, other]}\n"
	"    lead: lead\n"
	"types:\n"
	"  default: {needs_case: true, may_open: true, needs_basis: true}\n"
	"  answer: {needs_case: false, needs_basis: false, needs_reply_to: true}\n"
	"  consent_withdrawal: {needs_basis: false}\n"
	"rules:\n"
	"  - {name: report, when: {type: report_received}, to: body:team, owner: lead:team}\n"
	"  - {name: again, when: {type: report_received, victim_consents: \"yes\", consent_withdrawn: true}, gives_consent: true}\n"
	"  - {name: support, when: {type: referral}, ranked: $domain, answer_within: 3 d, then: [{to: boss, within: 1 d}], blocks_closing: true}\n"
	"  - {name: work, when: {type: service_report}, to: case_owner}\n"
	"  - {name: withdrawn, when: {type: consent_withdrawal}, to: case_owner, stops_use: true}\n"
	"  - name: stop\n"
	"    when: {type: stop_use_order, sender_kind: hub, addressed: true}\n"
	"    to: addressees\n"
	"    each: true\n"
	"    answer_within: 1 d\n"
	"    stops_at: received\n"
	"    then: [{to: head, within: 1 d}]\n";

struct fixture {
	struct trial w;
	uint64_t ps, manager, counsellor, other, aid, boss;
	uint8_t case_id[CORE_ID_BYTES];
	struct message m;
	Ieum__V1__Consent consent;
	uint8_t order[CORE_ID_BYTES]; /* the last */
};

static void on_consent(struct fixture *f)
{
	ieum__v1__consent__init(&f->consent);
	f->m.basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT;
	f->m.basis.article = (char *)"";
	f->m.basis.consent = &f->consent;
}

static void report(struct fixture *f, bool on_consent_too)
{
	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	if (on_consent_too)
		on_consent(f);
	trial_submitted(&f->w, f->ps, &f->m);
	memcpy(f->case_id, f->m.id, CORE_ID_BYTES);
}

static int start(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	trial_start(&f->w, hub, NULL);
	f->ps = trial_connect(&f->w, "ps");
	f->manager = trial_connect(&f->w, "manager");
	f->counsellor = trial_connect(&f->w, "counsellor");
	f->other = trial_connect(&f->w, "other");
	f->aid = trial_connect(&f->w, "aid");
	f->boss = trial_connect(&f->w, "boss");
	report(f, true);
	*state = f;
	return 0;
}

static int stop(void **state)
{
	struct fixture *f = *state;

	trial_stop(&f->w);
	free(f);
	return 0;
}

static void take_all(struct fixture *f, uint64_t who)
{
	for (uint64_t id; (id = trial_release_one(&f->w, who));)
		assert_int_equal(trial_done(&f->w, who, id), IEUM_E_OK);
}

static void refer(struct fixture *f, bool on_consent_too, uint8_t id[CORE_ID_BYTES])
{
	message_in_case(message_new(&f->w, &f->m, TYPE(REFERRAL)), f->case_id);
	f->m.support.domain = (char *)"legal";
	if (on_consent_too)
		on_consent(f);
	trial_submitted(&f->w, f->manager, &f->m);
	memcpy(id, f->m.id, CORE_ID_BYTES);
}

/* The counsellor says so; how many orders the hub makes of it. */
static size_t withdraw(struct fixture *f, uint64_t who, uint8_t *only)
{
	ProtobufCBinaryData ids[1] = { { CORE_ID_BYTES, only } };
	size_t orders = 0;

	message_in_case(message_new(&f->w, &f->m, TYPE(CONSENT_WITHDRAWAL)), f->case_id);
	if (only) {
		f->m.withdrawal.message_ids = ids;
		f->m.withdrawal.n_message_ids = 1;
	}
	trial_submitted(&f->w, who, &f->m);
	for (size_t i = 0; i < f->w.d.n_items; i++) {
		const Ieum__V1__Event *e = f->w.d.items[i].event;
		if (e->what_case != IEUM__V1__EVENT__WHAT_SUBMITTED ||
		    e->submitted->type != TYPE(STOP_USE_ORDER))
			continue;
		orders++;
		memcpy(f->order, e->submitted->message_id.data, CORE_ID_BYTES);
	}
	trial_verify(&f->w);
	return orders;
}

static bool is_withdrawn(struct fixture *f)
{
	return trial_case(&f->w, f->manager, f->case_id)->consent_withdrawn;
}

/* ---- withdrawing ---- */

static void what_nobody_has_got_is_taken_back(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(trial_counts(&f->w, "team/help").queued, 1);
	take_all(f, f->manager);
	assert_int_equal(withdraw(f, f->manager, NULL), 0); /* who withdraws knows */
	assert_int_equal(trial_counts(&f->w, "team/help").queued, 0);
	assert_int_equal(trial_counts(&f->w, "team/help").withdrawn, 1);
	assert_true(is_withdrawn(f));
}

static void each_who_got_something_is_told_to_stop(void **state)
{
	struct fixture *f = *state;

	take_all(f, f->manager);
	take_all(f, f->counsellor); /* the role's copy; `other` of the same role never saw it */
	assert_int_equal(withdraw(f, f->ps, NULL), 1); /* both got the same */
	assert_int_equal(trial_counts(&f->w, "manager").routed, 1);
	assert_int_equal(trial_counts(&f->w, "counsellor").routed, 1);
	assert_int_equal(trial_counts(&f->w, "other").routed, 0);
	assert_int_equal(trial_referral(&f->w, f->manager, f->order)->n_tasks, 2);
}

static void an_order_names_what_was_got(void **state)
{
	struct fixture *f = *state;
	uint8_t id[CORE_ID_BYTES];
	size_t named[2] = { 0, 0 };
	size_t n = 0;

	take_all(f, f->counsellor);
	refer(f, true, id);
	take_all(f, f->aid);
	message_in_case(message_new(&f->w, &f->m, TYPE(SERVICE_REPORT)), f->case_id);
	trial_submitted(&f->w, f->aid, &f->m); /* by statute */
	take_all(f, f->manager);
	assert_int_equal(withdraw(f, f->ps, NULL), 2);
	for (size_t i = 0; i < f->w.d.n_items; i++) {
		const struct core_item *item = &f->w.d.items[i];
		if (item->event->what_case != IEUM__V1__EVENT__WHAT_SUBMITTED ||
		    item->event->submitted->type != TYPE(STOP_USE_ORDER))
			continue;
		Ieum__V1__Referral *r =
			ieum__v1__referral__unpack(NULL, item->payload_len, item->payload);
		assert_non_null(r);
		assert_memory_equal(r->stop_use_order->withdrawal_id.data, f->m.id, CORE_ID_BYTES);
		assert_int_equal(r->stop_use_order->n_message_ids, 1);
		bool of_report = memcmp(r->stop_use_order->message_ids[0].data, f->case_id,
					CORE_ID_BYTES) == 0;
		named[of_report] += r->envelope->n_addressees;
		n++;
		ieum__v1__referral__free_unpacked(r, NULL);
	}
	assert_int_equal(n, 2);
	assert_int_equal(named[1], 2); /* manager and counsellor: the report */
	assert_int_equal(named[0], 1); /* aid: the referral */
}

static void silence_on_an_order_escalates(void **state)
{
	struct fixture *f = *state;

	take_all(f, f->counsellor);
	take_all(f, f->manager);
	assert_int_equal(withdraw(f, f->ps, NULL), 1);
	assert_int_equal(trial_answer(&f->w, f->counsellor, f->order, ANSWER(RECEIVED)), IEUM_E_OK);
	assert_int_equal(trial_counts(&f->w, "boss").routed, 0);
	(void)trial_at(&f->w, f->w.now + DAY_US);
	assert_int_equal(trial_counts(&f->w, "boss").routed, 1); /* the manager's head alone */
	assert_int_equal(trial_answer(&f->w, f->boss, f->order, ANSWER(RECEIVED)), IEUM_E_OK);
	trial_verify(&f->w);
}

static void what_nobody_has_taken_on_is_cancelled(void **state)
{
	struct fixture *f = *state;
	uint8_t open[CORE_ID_BYTES];
	uint8_t taken[CORE_ID_BYTES];
	uint8_t by_law[CORE_ID_BYTES];

	refer(f, true, taken);
	assert_int_equal(trial_answer(&f->w, f->aid, taken, ANSWER(ACCEPT)), IEUM_E_OK);
	refer(f, true, open);
	assert_int_equal(trial_answer(&f->w, f->aid, open, ANSWER(RECEIVED)), IEUM_E_OK);
	refer(f, false, by_law);
	take_all(f, f->manager);
	uint64_t before = trial_counts(&f->w, "manager").routed;
	withdraw(f, f->ps, NULL);
	assert_int_equal(trial_task(&f->w, f->manager, open), TASK(CANCELLED));
	assert_int_equal(trial_task(&f->w, f->manager, taken), TASK(ACCEPTED));
	assert_int_equal(trial_task(&f->w, f->manager, by_law), TASK(REQUESTED));
	/* Who asked hears of it, beside the order to it and the owner's copy of the withdrawal. */
	assert_int_equal(trial_counts(&f->w, "manager").routed, before + 2);
	assert_int_equal(trial_answer(&f->w, f->aid, open, ANSWER(ACCEPT)), IEUM_E_STATE_CONFLICT);
	assert_int_equal(trial_answer(&f->w, f->aid, taken, ANSWER(FAIL)), IEUM_E_OK);
	/* In the case's history it is a message, no answer. */
	const Ieum__V1__CaseResult *r = trial_case(&f->w, f->manager, f->case_id);
	bool submitted = false, told = false;
	for (size_t i = 0; i < r->n_timeline; i++) {
		const Ieum__V1__TimelineEntry *e = r->timeline[i];
		submitted |= e->type == TYPE(CONSENT_WITHDRAWAL) &&
			     e->kind == IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_SUBMITTED;
		told |= e->kind == IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_CONSENT &&
			strcmp(e->name, "withdrawn") == 0;
	}
	assert_true(submitted && told);
}

static void single_messages_can_be_withdrawn(void **state)
{
	struct fixture *f = *state;
	uint8_t first[CORE_ID_BYTES];
	uint8_t second[CORE_ID_BYTES];

	take_all(f, f->counsellor);
	refer(f, true, first);
	refer(f, true, second);
	take_all(f, f->aid);
	assert_int_equal(withdraw(f, f->ps, first), 1);
	assert_int_equal(trial_counts(&f->w, "aid").routed, 3);
	assert_int_equal(trial_counts(&f->w, "counsellor").routed, 0);
	assert_int_equal(trial_task(&f->w, f->manager, first), TASK(CANCELLED));
	assert_int_equal(trial_task(&f->w, f->manager, second), TASK(REQUESTED));
	assert_false(is_withdrawn(f));
	refer(f, true, second); /* for the rest it stands */
}

static void the_excluded_are_told_nothing(void **state)
{
	struct fixture *f = *state;
	uint8_t id[CORE_ID_BYTES];

	refer(f, true, id);
	take_all(f, f->aid);
	message_in_case(message_new(&f->w, &f->m, TYPE(SERVICE_REPORT)), f->case_id);
	message_to(&f->m, "manager");
	message_exclude(&f->m, "aid");
	trial_submitted(&f->w, f->ps, &f->m);
	uint64_t before = trial_counts(&f->w, "aid").routed;
	assert_int_equal(withdraw(f, f->ps, NULL), 0);
	assert_int_equal(trial_counts(&f->w, "aid").routed, before);
}

static void a_request_is_not_cancelled_and_passed_on_at_once(void **state)
{
	struct fixture *f = *state;
	uint8_t id[CORE_ID_BYTES];

	refer(f, true, id);
	message_in_case(message_new(&f->w, &f->m, TYPE(CONSENT_WITHDRAWAL)), f->case_id);
	message_exclude(&f->m, "aid");
	trial_submitted(&f->w, f->ps, &f->m);
	assert_int_equal(f->w.d.items[0].event->submitted->n_answered, 1);
	assert_int_equal(f->w.d.items[0].event->submitted->n_clocks, 0);
	assert_int_equal(trial_task(&f->w, f->manager, id), TASK(CANCELLED));
	trial_verify(&f->w);
}

static void what_is_not_settled_comes_to_no_colleague(void **state)
{
	struct fixture *f = *state;

	/* Given back: it waits again, and the counsellor has seen it. */
	uint64_t id = trial_release_one(&f->w, f->counsellor);
	assert_int_equal(trial_give_back(&f->w, f->counsellor, id), IEUM_E_OK);
	assert_int_equal(withdraw(f, f->ps, NULL), 1);
	assert_int_equal(trial_counts(&f->w, "team/help").queued, 0);
	assert_int_equal(trial_counts(&f->w, "counsellor").routed, 1);
	assert_int_equal(trial_release_one(&f->w, f->other), 0);
}

static void what_is_under_way_ends_with_who_has_it(void **state)
{
	struct fixture *f = *state;
	uint64_t id = trial_release_one(&f->w, f->counsellor);

	assert_int_equal(withdraw(f, f->ps, NULL), 1);
	assert_int_equal(trial_counts(&f->w, "team/help").in_flight, 0);
	assert_int_equal(trial_counts(&f->w, "team/help").withdrawn, 1);
	assert_int_equal(trial_done(&f->w, f->counsellor, id), IEUM_E_OK);
	trial_disconnect(&f->w, f->counsellor);
	assert_int_equal(trial_release_one(&f->w, f->other), 0);
	trial_verify(&f->w);
}

static void silence_of_who_has_taken_it_on_tells_nobody_new(void **state)
{
	struct fixture *f = *state;
	uint8_t id[CORE_ID_BYTES];

	refer(f, true, id);
	assert_int_equal(trial_answer(&f->w, f->aid, id, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(trial_answer(&f->w, f->aid, id, ANSWER(NEED_MORE_TIME)), IEUM_E_OK);
	take_all(f, f->manager);
	withdraw(f, f->ps, NULL);
	take_all(f, f->manager);
	(void)trial_at(&f->w, f->w.now + 11 * DAY_US);
	assert_int_equal(trial_task(&f->w, f->manager, id), TASK(FAILED));
	const Ieum__V1__ReferralResult *r = trial_referral(&f->w, f->manager, id);
	assert_int_equal(r->n_deliveries, 1); /* the provider's */
	assert_true(trial_counts(&f->w, "manager").queued >=
		    1); /* who asked hears that it failed */
	trial_verify(&f->w);
}

static bool may_read(struct fixture *f, uint64_t who, const uint8_t id[CORE_ID_BYTES])
{
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__ReferralQuery of = IEUM__V1__REFERRAL_QUERY__INIT;
	struct core_view v = {
		.connection = who, .query = &q, .now = f->w.now, .arena = &f->w.arena
	};

	of.message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)id };
	q.what_case = IEUM__V1__QUERY__WHAT_REFERRAL;
	q.referral = &of;
	arena_reset(&f->w.arena);
	assert_int_equal(core_view(f->w.core, f->w.policy, &v), IEUM_E_OK);
	return v.payload_seq != 0;
}

static void who_has_not_read_it_reads_it_no_more(void **state)
{
	struct fixture *f = *state;

	take_all(f, f->counsellor);
	assert_true(may_read(f, f->other, f->case_id)); /* of the same role */
	withdraw(f, f->ps, NULL);
	assert_false(may_read(f, f->other, f->case_id));
	assert_true(may_read(f, f->counsellor, f->case_id));
	assert_true(may_read(f, f->ps, f->case_id));
}

static void reads(struct fixture *f, uint64_t who, const char *what, const uint8_t *id)
{
	uint8_t ids[1][CORE_ID_BYTES];

	memcpy(ids[0], id, CORE_ID_BYTES);
	core_decision_reset(&f->w.d);
	assert_int_equal(trial_record(&f->w, core_decide_read(f->w.core, who, what,
							      (const uint8_t(*)[CORE_ID_BYTES])ids,
							      1, f->w.now, &f->w.d)),
			 IEUM_E_OK);
}

static void who_read_it_by_a_query_is_told_to_stop(void **state)
{
	struct fixture *f = *state;

	reads(f, f->other, "referral", f->case_id);
	assert_int_equal(withdraw(f, f->ps, NULL), 1);
	assert_int_equal(trial_counts(&f->w, "other").routed, 1);
	assert_int_equal(trial_answer(&f->w, f->other, f->order, ANSWER(RECEIVED)), IEUM_E_OK);
	assert_int_equal(trial_counts(&f->w, "counsellor").routed, 0);
}

/* Its silence escalates like everyone's. */
static void who_read_the_timeline_is_told_to_stop(void **state)
{
	struct fixture *f = *state;

	reads(f, f->other, "case", f->case_id);
	reads(f, f->other, "case", f->case_id);
	assert_int_equal(withdraw(f, f->ps, NULL), 1);
	assert_int_equal(trial_counts(&f->w, "other").routed, 1);
	(void)trial_at(&f->w, f->w.now + DAY_US);
	assert_int_equal(trial_counts(&f->w, "boss").routed, 1);
}

static void what_came_after_the_reading_was_not_read(void **state)
{
	struct fixture *f = *state;
	uint8_t id[CORE_ID_BYTES];

	reads(f, f->other, "case", f->case_id);
	refer(f, true, id);
	assert_int_equal(withdraw(f, f->ps, id), 0);
	assert_int_equal(trial_counts(&f->w, "other").routed, 0);
}

static void its_state_alone_is_not_what_it_says(void **state)
{
	struct fixture *f = *state;

	reads(f, f->other, "referral_status", f->case_id);
	reads(f, f->ps, "referral", f->case_id); /* its own */
	assert_int_equal(withdraw(f, f->manager, NULL), 0);
}

static void who_read_it_is_known_after_a_restart(void **state)
{
	struct fixture *f = *state;

	reads(f, f->other, "referral", f->case_id);
	reads(f, f->counsellor, "case", f->case_id);
	trial_verify(&f->w);
	trial_restart(&f->w);
	f->ps = trial_connect(&f->w, "ps");
	f->manager = trial_connect(&f->w, "manager");
	assert_int_equal(withdraw(f, f->ps, NULL), 1);
	assert_int_equal(trial_counts(&f->w, "other").routed, 1);
	assert_int_equal(trial_counts(&f->w, "counsellor").routed, 1);
}

/* ---- of single messages ---- */

static void a_single_message_is_read_by_nobody_new(void **state)
{
	struct fixture *f = *state;
	uint8_t kept[CORE_ID_BYTES];

	take_all(f, f->counsellor);
	withdraw(f, f->ps, f->case_id);
	assert_false(is_withdrawn(f));
	assert_false(may_read(f, f->other, f->case_id));
	assert_true(may_read(f, f->counsellor, f->case_id));
	assert_true(may_read(f, f->ps, f->case_id));
	message_in_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)), f->case_id);
	on_consent(f);
	trial_submitted(&f->w, f->ps, &f->m);
	memcpy(kept, f->m.id, CORE_ID_BYTES);
	assert_true(may_read(f, f->other, kept));
	trial_verify(&f->w);
	trial_restart(&f->w);
	f->other = trial_connect(&f->w, "other");
	assert_false(may_read(f, f->other, f->case_id));
}

static void a_single_message_goes_up_no_ladder(void **state)
{
	struct fixture *f = *state;
	uint8_t withdrawn[CORE_ID_BYTES];
	uint8_t stands[CORE_ID_BYTES];

	refer(f, true, withdrawn);
	refer(f, true, stands);
	assert_int_equal(trial_answer(&f->w, f->aid, withdrawn, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(trial_answer(&f->w, f->aid, withdrawn, ANSWER(NEED_MORE_TIME)), IEUM_E_OK);
	withdraw(f, f->ps, withdrawn);
	(void)trial_at(&f->w, f->w.now + 11 * DAY_US);
	assert_int_equal(trial_task(&f->w, f->manager, withdrawn), TASK(FAILED));
	assert_int_equal(trial_referral(&f->w, f->manager, withdrawn)->n_deliveries, 1);
	assert_int_equal(trial_referral(&f->w, f->manager, stands)->n_deliveries, 2);
}

static void a_single_message_is_stopped_once(void **state)
{
	struct fixture *f = *state;
	uint8_t id[CORE_ID_BYTES];

	refer(f, true, id);
	take_all(f, f->aid);
	assert_int_equal(withdraw(f, f->ps, id), 1);
	assert_int_equal(withdraw(f, f->ps, id), 0);
	/* All the rest: aid has got nothing more. */
	assert_int_equal(withdraw(f, f->ps, NULL), 0);
	assert_true(is_withdrawn(f));
}

/* ---- afterwards ---- */

static void nothing_more_is_shared_on_consent(void **state)
{
	struct fixture *f = *state;
	uint8_t id[CORE_ID_BYTES];

	withdraw(f, f->ps, NULL);
	message_in_case(message_new(&f->w, &f->m, TYPE(REFERRAL)), f->case_id);
	f->m.support.domain = (char *)"legal";
	on_consent(f);
	assert_int_equal(trial_submit(&f->w, f->manager, &f->m), IEUM_E_CONSENT_WITHDRAWN);
	refer(f, false, id);
	message_in_case(message_new(&f->w, &f->m, TYPE(REFERRAL)), f->case_id);
	f->m.support.domain = (char *)"legal";
	f->m.basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_IMMINENT_DANGER;
	trial_submitted(&f->w, f->manager, &f->m);
	trial_verify(&f->w);
}

static void it_can_be_given_again(void **state)
{
	struct fixture *f = *state;
	uint8_t id[CORE_ID_BYTES];

	withdraw(f, f->ps, NULL);
	assert_true(is_withdrawn(f));
	message_in_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)), f->case_id);
	f->m.report.victim_consents = IEUM__V1__CONSENTING__CONSENTING_YES;
	on_consent(f);
	trial_submitted(&f->w, f->ps, &f->m);
	assert_false(is_withdrawn(f));
	refer(f, true, id);
	trial_verify(&f->w);
}

static void a_second_withdrawal_orders_nothing_twice(void **state)
{
	struct fixture *f = *state;

	take_all(f, f->counsellor);
	assert_int_equal(withdraw(f, f->ps, NULL), 1);
	assert_int_equal(withdraw(f, f->ps, NULL), 0);
}

static void it_is_known_after_a_restart(void **state)
{
	struct fixture *f = *state;

	withdraw(f, f->ps, NULL);
	trial_restart(&f->w);
	f->manager = trial_connect(&f->w, "manager");
	assert_true(is_withdrawn(f));
	message_in_case(message_new(&f->w, &f->m, TYPE(SERVICE_REPORT)), f->case_id);
	on_consent(f);
	assert_int_equal(trial_submit(&f->w, f->manager, &f->m), IEUM_E_CONSENT_WITHDRAWN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_nobody_has_got_is_taken_back),
		TEST(each_who_got_something_is_told_to_stop),
		TEST(an_order_names_what_was_got),
		TEST(silence_on_an_order_escalates),
		TEST(what_nobody_has_taken_on_is_cancelled),
		TEST(single_messages_can_be_withdrawn),
		TEST(the_excluded_are_told_nothing),
		TEST(a_request_is_not_cancelled_and_passed_on_at_once),
		TEST(what_is_not_settled_comes_to_no_colleague),
		TEST(what_is_under_way_ends_with_who_has_it),
		TEST(silence_of_who_has_taken_it_on_tells_nobody_new),
		TEST(who_has_not_read_it_reads_it_no_more),
		TEST(who_read_it_by_a_query_is_told_to_stop),
		TEST(who_read_the_timeline_is_told_to_stop),
		TEST(what_came_after_the_reading_was_not_read),
		TEST(its_state_alone_is_not_what_it_says),
		TEST(who_read_it_is_known_after_a_restart),
		TEST(a_single_message_is_read_by_nobody_new),
		TEST(a_single_message_goes_up_no_ladder),
		TEST(a_single_message_is_stopped_once),
		TEST(nothing_more_is_shared_on_consent),
		TEST(it_can_be_given_again),
		TEST(a_second_withdrawal_orders_nothing_twice),
		TEST(it_is_known_after_a_restart),
	};

	return cmocka_run_group_tests_name("core consent", tests, NULL, NULL);
}
