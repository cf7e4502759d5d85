/* broker/core, participation: whoever declines reads the case no more, and reads it again once
 * there is a reason to. */
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
	"kinds:\n"
	"  office: {title: {en: O, ko: 관}, may_send: all}\n"
	"participants:\n"
	"  city: {kind: office, title: {en: city, ko: 가}}\n"
	"  boss: {kind: office, title: {en: boss, ko: 나}}\n"
	"  aid: {kind: office, title: {en: aid, ko: 다}}\n"
	"  more-aid: {kind: office, title: {en: more, ko: 라}}\n"
	"  house: {kind: office, title: {en: house, ko: 마}}\n"
	"  home: {kind: office, title: {en: home, ko: 바}}\n"
	"bodies:\n"
	"  team: {kind: office, title: {en: team, ko: 팀}, mode: any, roles: {help: [aid]}, lead: help}\n"
	"pools:\n"
	"  beds: {title: {en: b, ko: 자}, keeper: house, kind: bed, places: 1, hold: 30 min, placement_within: 2 h}\n"
	"  rooms: {title: {en: r, ko: 방}, keeper: home, kind: bed, places: 1, hold: 30 min, placement_within: 2 h}\n"
	"types: {default: {needs_case: true, may_open: true, needs_basis: true}, answer: {needs_case: false, needs_basis: false, needs_reply_to: true}}\n"
	"rules:\n"
	"  - {name: open, when: {type: referral}, to: boss}\n"
	"  - {name: visit, when: {type: visit_request}, to: aid, answer_within: 1 h, then: [{to: more-aid, within: 1 h}, {to: boss, within: 1 d}]}\n"
	"  - {name: ask-team, when: {type: information_request}, to: \"body:team/help\", answer_within: 1 h, then: [{to: boss, within: 1 d}]}\n"
	"  - {name: tell, when: {type: contact_result}, to: aid}\n"
	"  - {name: hold, when: {type: capacity_hold}, holds: first, answer_within: 30 min, then: [{to: boss, within: 1 d}]}\n"
	"  - {name: placed, when: {type: placement_notice}, to: case_owner, takes_place: true}\n"
	"  - {name: returned, when: {type: place_returned}, to: case_owner, returns_place: true}\n";

struct town {
	struct trial w;
	uint64_t city, boss, aid, more_aid, house, home;
	uint8_t case_id[CORE_ID_BYTES];
};

static int town_start(void **state)
{
	struct town *t = calloc(1, sizeof *t);
	struct message m;

	if (!t)
		return -1;
	trial_start(&t->w, hub, NULL);
	t->city = trial_connect(&t->w, "city");
	t->boss = trial_connect(&t->w, "boss");
	t->aid = trial_connect(&t->w, "aid");
	t->more_aid = trial_connect(&t->w, "more-aid");
	t->house = trial_connect(&t->w, "house");
	t->home = trial_connect(&t->w, "home");
	message_new(&t->w, &m, TYPE(REFERRAL));
	m.support.domain = (char *)"care";
	message_open_case(&m);
	trial_submitted(&t->w, t->city, &m);
	memcpy(t->case_id, m.id, CORE_ID_BYTES);
	*state = t;
	return 0;
}

static int town_stop(void **state)
{
	struct town *t = *state;

	trial_verify(&t->w);
	trial_stop(&t->w);
	free(t);
	return 0;
}

static void sends(struct town *t, uint64_t who, Ieum__V1__MessageType type,
		  uint8_t id[CORE_ID_BYTES])
{
	struct message m;

	message_new(&t->w, &m, type);
	message_in_case(&m, t->case_id);
	if (type == TYPE(CAPACITY_HOLD))
		m.hold.pool = (char *)"bed";
	trial_submitted(&t->w, who, &m);
	memcpy(id, m.id, CORE_ID_BYTES);
}

static void answers(struct town *t, uint64_t who, const uint8_t *id, Ieum__V1__AnswerKind kind)
{
	enum ieum_err err = trial_answer(&t->w, who, id, kind);

	if (err)
		fail_msg("refused: %s: %s", ieum_error((int)err)->name, t->w.detail);
	trial_verify(&t->w);
}

static bool lists(struct town *t, uint64_t who)
{
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__CasesQuery of = IEUM__V1__CASES_QUERY__INIT;
	enum ieum_err err;

	q.what_case = IEUM__V1__QUERY__WHAT_CASES;
	q.cases = &of;
	q.page_rows = 10;
	const Ieum__V1__Result *r = trial_query(&t->w, who, &q, &err);
	assert_non_null(r);
	return r->cases->n_cases > 0;
}

/* By its timeline and in its list alike. */
static bool reads(struct town *t, uint64_t who)
{
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__CaseQuery of = IEUM__V1__CASE_QUERY__INIT;
	enum ieum_err err;

	of.case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, t->case_id };
	q.what_case = IEUM__V1__QUERY__WHAT_CASE;
	q.case_ = &of;
	q.page_rows = 10;
	bool can = trial_query(&t->w, who, &q, &err) != NULL;
	assert_true(can || err == IEUM_E_CASE_UNKNOWN);
	assert_int_equal(lists(t, who), can);
	return can;
}

static void pass(struct town *t, core_time_us span)
{
	(void)trial_at(&t->w, t->w.now + span);
	trial_verify(&t->w);
}

/* ---- it ends ---- */

static void who_rejects_reads_no_more(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES], other[CORE_ID_BYTES];

	sends(t, t->city, TYPE(VISIT_REQUEST), id);
	assert_true(reads(t, t->aid));
	answers(t, t->aid, id, ANSWER(REJECT));
	assert_false(reads(t, t->aid));
	/* What it was sent is its own still; the rest isn't. */
	assert_non_null(trial_referral(&t->w, t->aid, id));
	sends(t, t->boss, TYPE(REFERRAL), other);
	assert_null(trial_referral(&t->w, t->aid, other));
	const Ieum__V1__CaseResult *r = trial_case(&t->w, t->city, t->case_id);
	for (size_t i = 0; i < r->n_participants; i++)
		assert_string_not_equal(r->participants[i], "aid");
	assert_true(reads(t, t->more_aid));
	assert_true(reads(t, t->boss));
}

/* Also of itself: it joined the case by answering. */
static void who_rejects_for_a_body_reads_no_more(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];

	sends(t, t->city, TYPE(INFORMATION_REQUEST), id);
	answers(t, t->aid, id, ANSWER(REJECT));
	assert_false(reads(t, t->aid));
}

static void whose_place_another_has_reads_no_more(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];

	sends(t, t->city, TYPE(CAPACITY_HOLD), id);
	assert_true(reads(t, t->house));
	answers(t, t->city, id, ANSWER(CANCEL));
	assert_false(reads(t, t->house));
	assert_false(reads(t, t->home));
}

static void whose_accepted_place_lapses_reads_no_more(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];

	sends(t, t->city, TYPE(CAPACITY_HOLD), id);
	answers(t, t->house, id, ANSWER(ACCEPT));
	pass(t, 119 * MIN_US);
	assert_true(reads(t, t->house));
	pass(t, 2 * MIN_US);
	assert_false(reads(t, t->house));
	assert_int_equal(trial_task(&t->w, t->city, id), TASK(REQUESTED));
	/* The next pool is asked, and may decline as well as accept. */
	assert_true(reads(t, t->home));
	answers(t, t->home, id, ANSWER(REJECT));
	assert_false(reads(t, t->home));
	answers(t, t->boss, id, ANSWER(ACCEPT));
	assert_int_equal(trial_task(&t->w, t->city, id), TASK(ACCEPTED));
}

/* ---- it doesn't ---- */

static void who_has_another_part_reads_on(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES], told[CORE_ID_BYTES];

	sends(t, t->city, TYPE(VISIT_REQUEST), id);
	sends(t, t->city, TYPE(CONTACT_RESULT), told);
	answers(t, t->aid, id, ANSWER(REJECT));
	assert_true(reads(t, t->aid));
	/* The next one has sent something of its own. */
	sends(t, t->more_aid, TYPE(CONTACT_RESULT), told);
	answers(t, t->more_aid, id, ANSWER(REJECT));
	assert_true(reads(t, t->more_aid));
	/* And the last is responsible for the case. */
	answers(t, t->boss, id, ANSWER(REJECT));
	assert_true(reads(t, t->boss));
}

static void who_took_on_another_request_reads_on(void **state)
{
	struct town *t = *state;
	uint8_t first[CORE_ID_BYTES], second[CORE_ID_BYTES], third[CORE_ID_BYTES];

	sends(t, t->city, TYPE(VISIT_REQUEST), first);
	sends(t, t->city, TYPE(VISIT_REQUEST), second);
	answers(t, t->aid, first, ANSWER(REJECT));
	assert_true(reads(t, t->aid)); /* it is still asked the second */
	answers(t, t->aid, second, ANSWER(COMPLETE));
	sends(t, t->city, TYPE(VISIT_REQUEST), third);
	answers(t, t->aid, third, ANSWER(REJECT));
	assert_true(reads(t, t->aid)); /* it has done that */
}

/* ---- it begins again ---- */

static void who_is_asked_anew_reads_again(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];

	sends(t, t->city, TYPE(VISIT_REQUEST), id);
	answers(t, t->aid, id, ANSWER(REJECT));
	assert_false(reads(t, t->aid));
	sends(t, t->city, TYPE(VISIT_REQUEST), id);
	assert_true(reads(t, t->aid));
	answers(t, t->aid, id, ANSWER(REJECT));
	assert_false(reads(t, t->aid));
}

static void who_has_the_person_after_all_reads_again(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];
	struct message m;

	sends(t, t->city, TYPE(CAPACITY_HOLD), id);
	answers(t, t->house, id, ANSWER(ACCEPT));
	pass(t, 121 * MIN_US);
	assert_false(reads(t, t->house));
	message_new(&t->w, &m, TYPE(PLACEMENT_NOTICE));
	message_in_case(&m, t->case_id);
	m.placement.hold_id = (ProtobufCBinaryData){ CORE_ID_BYTES, id };
	m.placement.location_token = (ProtobufCBinaryData){ 16, (uint8_t *)"opaque-token-016" };
	trial_submitted(&t->w, t->house, &m);
	assert_true(reads(t, t->house));
}

int main(void)
{
#define IN_TOWN(test) cmocka_unit_test_setup_teardown(test, town_start, town_stop)
	const struct CMUnitTest tests[] = {
		IN_TOWN(who_rejects_reads_no_more),
		IN_TOWN(who_rejects_for_a_body_reads_no_more),
		IN_TOWN(whose_place_another_has_reads_no_more),
		IN_TOWN(whose_accepted_place_lapses_reads_no_more),
		IN_TOWN(who_has_another_part_reads_on),
		IN_TOWN(who_took_on_another_request_reads_on),
		IN_TOWN(who_is_asked_anew_reads_again),
		IN_TOWN(who_has_the_person_after_all_reads_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
