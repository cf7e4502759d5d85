/* broker/core, places: holds, asking several pools, waiting lists; that no place is ever given
 * twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core_trial.h"

static const char pools_hub[] =
	"hub: {name: test.ieum, title: {en: T, ko: 티}, jurisdiction: \"41570\", time_zone: \"+09:00\"}\n"
	"calendar: {working_hours: \"09:00-18:00\", weekend: [saturday, sunday], holidays: []}\n"
	"kinds:\n"
	"  office: {title: {en: O, ko: 관}, may_send: all}\n"
	"  shelter: {title: {en: S, ko: 쉼}, may_send: all}\n"
	"participants:\n"
	"  city: {kind: office, title: {en: city, ko: 가}}\n"
	"  agency: {kind: office, title: {en: agency, ko: 나}}\n"
	"  boss: {kind: office, title: {en: boss, ko: 다}}\n"
	"  house: {kind: shelter, title: {en: house, ko: 라}, hours: \"09:00-18:00\", duty: night}\n"
	"  night: {kind: shelter, title: {en: night, ko: 밤}, hours: always}\n"
	"  home: {kind: shelter, title: {en: home, ko: 마}}\n"
	"  foster: {kind: shelter, title: {en: foster, ko: 바}}\n"
	"pools:\n"
	"  house-girls: {title: {en: a, ko: 가}, keeper: house, kind: bed, places: 1, sex: female, ages: \"7-17\", hold: 30 min, placement_within: 2 h, offer_within: 48 h}\n"
	"  house-boys: {title: {en: b, ko: 나}, keeper: house, kind: bed, places: 1, sex: male, hold: 30 min}\n"
	"  home: {title: {en: c, ko: 다}, keeper: home, kind: bed, places: 3, siblings: true, languages: [vi, ko], hold: 30 min, offer_within: 48 h}\n"
	"  foster: {title: {en: d, ko: 라}, keeper: foster, kind: family, places: 1, siblings: true, hold: 1 h}\n"
	"types: {default: {needs_case: true, may_open: true, needs_basis: true}, answer: {needs_case: false, needs_basis: false, needs_reply_to: true}, capacity_report: {needs_case: false}}\n"
	"rules:\n"
	"  - {name: open, when: {type: referral}, to: boss}\n"
	"  - name: hold\n"
	"    when: {type: capacity_hold, urgency: [routine, immediate]}\n"
	"    holds: first\n"
	"    answer_within: 15 min\n"
	"    then: [{to: \"pool:foster\", within: 20 min}, {to: boss, within: 1 d}]\n"
	"    blocks_closing: true\n"
	"  - name: hold-every\n"
	"    when: {type: capacity_hold, urgency: urgent}\n"
	"    holds: every\n"
	"    answer_within: 15 min\n"
	"  - {name: placed, when: {type: placement_notice}, to: case_owner, takes_place: true}\n"
	"  - {name: returned, when: {type: place_returned}, to: case_owner, returns_place: true, case_state: managed}\n"
	"  - {name: counted, when: {type: capacity_report}, counts_places: true}\n"
	"  - {name: wait, when: {type: waitlist_entry}, waits: true, case_state: waitlisted}\n"
	"  - {name: close, when: {type: closure_request}, to: boss, answer_within: 1 d, on_accept: close_case}\n"
	"  - {name: withdrawn, when: {type: consent_withdrawal}, to: case_owner, stops_use: true}\n"
	"  - {name: stop-use, when: {type: stop_use_order, addressed: true}, to: addressees, each: true, answer_within: 1 d, then: [{to: boss, within: 1 d}]}\n";

struct town {
	struct trial w;
	uint64_t city, agency, boss, house, home, foster;
	uint8_t case_id[CORE_ID_BYTES];
	uint8_t other_case[CORE_ID_BYTES];
};

static void open_case(struct town *t, uint64_t who, uint8_t id[CORE_ID_BYTES])
{
	struct message m;

	message_new(&t->w, &m, TYPE(REFERRAL));
	m.support.domain = (char *)"care";
	message_open_case(&m);
	trial_submitted(&t->w, who, &m);
	memcpy(id, m.id, CORE_ID_BYTES);
}

static void town_start(struct town *t, const char *hub)
{
	trial_start(&t->w, hub, NULL);
	t->city = trial_connect(&t->w, "city");
	t->agency = trial_connect(&t->w, "agency");
	t->boss = trial_connect(&t->w, "boss");
	t->house = trial_connect(&t->w, "house");
	t->home = trial_connect(&t->w, "home");
	t->foster = trial_connect(&t->w, "foster");
	open_case(t, t->city, t->case_id);
	open_case(t, t->agency, t->other_case);
}

/* ---- messages ---- */

#define SEX(word) IEUM__V1__SEX__SEX_##word

static struct message *hold_new(struct town *t, struct message *m, const uint8_t *case_id,
				const char *pool)
{
	message_new(&t->w, m, TYPE(CAPACITY_HOLD));
	message_in_case(m, case_id);
	m->hold.pool = (char *)pool;
	m->hold.sex = SEX(FEMALE);
	m->hold.age_years = 9;
	return m;
}

static void held(struct town *t, uint64_t who, const uint8_t *case_id, const char *pool,
		 uint8_t id[CORE_ID_BYTES])
{
	struct message m;

	trial_submitted(&t->w, who, hold_new(t, &m, case_id, pool));
	memcpy(id, m.id, CORE_ID_BYTES);
	trial_verify(&t->w);
}

static enum ieum_err placed(struct town *t, uint64_t who, const uint8_t *case_id, const uint8_t *id)
{
	struct message m;

	message_new(&t->w, &m, TYPE(PLACEMENT_NOTICE));
	message_in_case(&m, case_id);
	m.placement.hold_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)id };
	m.placement.location_token = (ProtobufCBinaryData){ 16, (uint8_t *)"opaque-token-016" };
	return trial_submit(&t->w, who, &m);
}

static enum ieum_err returned(struct town *t, uint64_t who, const uint8_t *case_id,
			      const uint8_t *id)
{
	struct message m;

	message_new(&t->w, &m, TYPE(PLACE_RETURNED));
	message_in_case(&m, case_id);
	m.place_returned.hold_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)id };
	return trial_submit(&t->w, who, &m);
}

static enum ieum_err reported(struct town *t, uint64_t who, const char *pool, uint32_t places)
{
	struct message m;

	message_new(&t->w, &m, TYPE(CAPACITY_REPORT));
	m.capacity.pool = (char *)pool;
	m.capacity.places = places;
	return trial_submit(&t->w, who, &m);
}

static void waits(struct town *t, uint64_t who, const char *pool, uint32_t priority,
		  uint8_t id[CORE_ID_BYTES])
{
	struct message m;

	message_new(&t->w, &m, TYPE(WAITLIST_ENTRY));
	message_in_case(&m, who == t->city ? t->case_id : t->other_case);
	m.entry.pool = (char *)pool;
	m.entry.priority = priority;
	m.entry.sex = SEX(FEMALE);
	m.entry.age_years = 9 + (uint32_t)(t->w.ids % 5); /* so that needs differ */
	trial_submitted(&t->w, who, &m);
	memcpy(id, m.id, CORE_ID_BYTES);
	trial_verify(&t->w);
}

static void answers(struct town *t, uint64_t who, const uint8_t *id, Ieum__V1__AnswerKind kind)
{
	enum ieum_err err = trial_answer(&t->w, who, id, kind);

	if (err)
		fail_msg("refused: %s: %s", ieum_error((int)err)->name, t->w.detail);
	trial_verify(&t->w);
}

/* ---- looking ---- */

static const Ieum__V1__PoolView *pool_view(struct town *t, uint64_t who, const char *pool)
{
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__PoolsQuery of = IEUM__V1__POOLS_QUERY__INIT;
	enum ieum_err err;

	of.pool = (char *)pool;
	q.what_case = IEUM__V1__QUERY__WHAT_POOLS;
	q.pools = &of;
	q.page_rows = 200;
	const Ieum__V1__Result *r = trial_query(&t->w, who, &q, &err);
	return r ? r->pools->pools[0] : NULL;
}

static void pool_is(struct town *t, const char *pool, uint32_t is_held, uint32_t taken,
		    uint32_t is_free)
{
	const Ieum__V1__PoolView *v = pool_view(t, t->city, pool);

	assert_non_null(v);
	if (v->held != is_held || v->taken != taken || v->free != is_free)
		fail_msg("%s: held %u, taken %u, free %u of %u", pool, v->held, v->taken, v->free,
			 v->places);
	trial_verify(&t->w);
}

static uint32_t position(struct town *t, uint64_t who, const char *pool, const uint8_t *id)
{
	const Ieum__V1__PoolView *v = pool_view(t, who, pool);

	for (size_t i = 0; i < v->n_entries; i++)
		if (memcmp(v->entries[i]->entry_id.data, id, CORE_ID_BYTES) == 0)
			return v->entries[i]->position;
	return UINT32_MAX;
}

/* The newest offer that this entry led to. */
static bool offered(struct town *t, const uint8_t *case_id, uint64_t who, const uint8_t *entry,
		    uint8_t offer[CORE_ID_BYTES])
{
	const Ieum__V1__CaseResult *r = trial_case(&t->w, who, case_id);
	bool found = false;

	for (size_t i = 0; i < r->n_timeline; i++) {
		const Ieum__V1__TimelineEntry *e = r->timeline[i];
		if (e->kind != IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_SUBMITTED ||
		    e->type != TYPE(PLACE_OFFER) ||
		    memcmp(e->in_reply_to.data, entry, CORE_ID_BYTES) != 0)
			continue;
		memcpy(offer, e->message_id.data, CORE_ID_BYTES);
		found = true;
	}
	return found;
}

static bool asks(struct town *t, uint64_t who, const uint8_t *id, const char *mailbox)
{
	const Ieum__V1__ReferralResult *r = trial_referral(&t->w, who, id);

	for (size_t i = 0; i < r->n_deliveries; i++)
		if (strcmp(r->deliveries[i]->mailbox, mailbox) == 0)
			return true;
	return false;
}

static void pass(struct town *t, core_time_us span)
{
	(void)trial_at(&t->w, t->w.now + span);
	trial_verify(&t->w);
}

/* ---- holding ---- */

static void two_race_for_one_bed(void **state)
{
	struct town t;
	uint8_t first[CORE_ID_BYTES], second[CORE_ID_BYTES];

	(void)state;
	town_start(&t, pools_hub);
	held(&t, t.city, t.case_id, "bed", first);
	pool_is(&t, "house-girls", 1, 0, 0);
	assert_true(asks(&t, t.city, first, "house"));
	held(&t, t.agency, t.other_case, "bed", second);
	pool_is(&t, "house-girls", 1, 0, 0);
	pool_is(&t, "home", 1, 0, 2);
	assert_true(asks(&t, t.agency, second, "home"));
	assert_false(asks(&t, t.agency, second, "house"));
	answers(&t, t.house, first, ANSWER(ACCEPT));
	answers(&t, t.home, second, ANSWER(ACCEPT));
	assert_int_equal(placed(&t, t.house, t.case_id, first), IEUM_E_OK);
	assert_int_equal(placed(&t, t.home, t.other_case, second), IEUM_E_OK);
	pool_is(&t, "house-girls", 0, 1, 0);
	pool_is(&t, "home", 0, 1, 2);
	assert_int_equal(trial_task(&t.w, t.city, first), TASK(COMPLETED));
	trial_stop(&t.w);
}

static void a_pool_suits_by_sex_age_language_and_siblings(void **state)
{
	static const struct {
		Ieum__V1__Sex sex;
		uint32_t age, places;
		const char *language, *pool;
	} table[] = {
		{ SEX(FEMALE), 9, 1, "", "house-girls" }, { SEX(MALE), 9, 1, "", "house-boys" },
		{ SEX(FEMALE), 5, 1, "", "home" },        { SEX(UNSPECIFIED), 9, 1, "", "home" },
		{ SEX(FEMALE), 9, 2, "", "home" },        { SEX(FEMALE), 0, 1, "", "house-girls" },
		{ SEX(FEMALE), 9, 3, "vi-VN", "home" },   { SEX(FEMALE), 9, 3, "ru", NULL },
	};
	struct town t;
	struct message m;

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		town_start(&t, pools_hub);
		hold_new(&t, &m, t.case_id, "bed");
		m.hold.sex = table[i].sex;
		m.hold.age_years = table[i].age;
		m.hold.places = table[i].places;
		m.hold.language = (char *)table[i].language;
		trial_submitted(&t.w, t.city, &m);
		if (table[i].pool)
			assert_int_equal(pool_view(&t, t.city, table[i].pool)->held,
					 table[i].places);
		else
			assert_true(asks(&t, t.city, m.id, "boss"));
		trial_stop(&t.w);
	}
}

static void who_rejects_or_stays_silent_gives_the_place_to_the_next(void **state)
{
	struct town t;
	uint8_t id[CORE_ID_BYTES];

	(void)state;
	town_start(&t, pools_hub);
	held(&t, t.city, t.case_id, "bed", id);
	answers(&t, t.house, id, ANSWER(REJECT));
	pool_is(&t, "house-girls", 0, 0, 1);
	pool_is(&t, "home", 1, 0, 2);
	pass(&t, 16 * MIN_US);
	pool_is(&t, "home", 0, 0, 3);
	pool_is(&t, "foster", 1, 0, 0);
	assert_true(asks(&t, t.city, id, "foster"));
	answers(&t, t.foster, id, ANSWER(REJECT));
	pool_is(&t, "foster", 0, 0, 1);
	assert_true(asks(&t, t.city, id, "boss"));
	/* Whoever stayed silent may still take it, while there is a place. */
	answers(&t, t.home, id, ANSWER(ACCEPT));
	pool_is(&t, "home", 1, 0, 2);
	trial_stop(&t.w);
}

static void a_late_acceptance_needs_a_place_that_is_left(void **state)
{
	struct town t;
	uint8_t id[CORE_ID_BYTES], other[CORE_ID_BYTES];

	(void)state;
	town_start(&t, pools_hub);
	held(&t, t.city, t.case_id, "bed", id);
	pass(&t, 16 * MIN_US);
	pool_is(&t, "house-girls", 0, 0, 1);
	held(&t, t.agency, t.other_case, "house-girls", other);
	assert_int_equal(trial_answer(&t.w, t.house, id, ANSWER(ACCEPT)), IEUM_E_NO_PLACE);
	answers(&t, t.house, other, ANSWER(REJECT));
	answers(&t, t.house, id, ANSWER(ACCEPT));
	pool_is(&t, "house-girls", 1, 0, 0);
	pool_is(&t, "home", 0, 0, 3);
	trial_stop(&t.w);
}

static void without_a_place_the_ladder_begins_at_once(void **state)
{
	struct town t;
	struct message m;
	uint8_t id[CORE_ID_BYTES];

	(void)state;
	town_start(&t, pools_hub);
	held(&t, t.city, t.case_id, "house-girls", id);
	held(&t, t.city, t.case_id, "house-girls", id);
	pool_is(&t, "foster", 1, 0, 0);
	held(&t, t.city, t.case_id, "house-girls", id);
	assert_true(asks(&t, t.city, id, "boss"));
	assert_false(asks(&t, t.city, id, "house"));
	/* A rule without a ladder refuses. */
	hold_new(&t, &m, t.case_id, "house-girls");
	m.envelope.urgency = URGENCY(URGENT);
	assert_int_equal(trial_submit(&t.w, t.city, &m), IEUM_E_NO_PLACE);
	hold_new(&t, &m, t.case_id, "nowhere");
	assert_int_equal(trial_submit(&t.w, t.city, &m), IEUM_E_FIELD_INVALID);
	trial_stop(&t.w);
}

static void of_several_pools_the_first_to_accept_has_it(void **state)
{
	struct town t;
	struct message m;

	(void)state;
	town_start(&t, pools_hub);
	hold_new(&t, &m, t.case_id, "bed");
	m.envelope.urgency = URGENCY(URGENT);
	trial_submitted(&t.w, t.city, &m);
	pool_is(&t, "house-girls", 1, 0, 0);
	pool_is(&t, "home", 1, 0, 2);
	struct core_mailbox_counts before = trial_counts(&t.w, "house");
	answers(&t, t.home, m.id, ANSWER(ACCEPT));
	pool_is(&t, "house-girls", 0, 0, 1);
	pool_is(&t, "home", 1, 0, 2);
	/* The other keeper is told. */
	assert_int_equal(trial_counts(&t.w, "house").routed, before.routed + 1);
	assert_int_equal(trial_answer(&t.w, t.house, m.id, ANSWER(ACCEPT)), IEUM_E_STATE_CONFLICT);
	/* One keeper's rejection leaves the other's place held. */
	hold_new(&t, &m, t.case_id, "bed");
	m.envelope.urgency = URGENCY(URGENT);
	trial_submitted(&t.w, t.city, &m);
	answers(&t, t.house, m.id, ANSWER(REJECT));
	pool_is(&t, "house-girls", 0, 0, 1);
	pool_is(&t, "home", 2, 0, 1);
	trial_stop(&t.w);
}

/* Also when all holds are over, and each of the pools has room again. */
static void one_request_takes_a_place_in_one_pool(void **state)
{
	struct town t;
	struct message m;

	(void)state;
	town_start(&t, pools_hub);
	hold_new(&t, &m, t.case_id, "bed");
	m.envelope.urgency = URGENCY(URGENT);
	trial_submitted(&t.w, t.city, &m);
	(void)trial_at(&t.w, t.w.now + HOUR_US);
	assert_int_equal(placed(&t, t.house, t.case_id, m.id), IEUM_E_OK);
	assert_int_equal(placed(&t, t.home, t.case_id, m.id), IEUM_E_STATE_CONFLICT);
	trial_verify(&t.w);
	trial_stop(&t.w);
}

static void a_hold_lapses_and_both_sides_hear(void **state)
{
	struct town t;
	uint8_t id[CORE_ID_BYTES];

	(void)state;
	town_start(&t, pools_hub);
	held(&t, t.city, t.case_id, "house-girls", id);
	pass(&t, 10 * MIN_US);
	answers(&t, t.house, id, ANSWER(ACCEPT));
	pass(&t, 119 * MIN_US);
	pool_is(&t, "house-girls", 1, 0, 0);
	struct core_mailbox_counts city = trial_counts(&t.w, "city");
	struct core_mailbox_counts house = trial_counts(&t.w, "house");
	pass(&t, 2 * MIN_US);
	pool_is(&t, "house-girls", 0, 0, 1);
	assert_int_equal(trial_counts(&t.w, "city").routed, city.routed + 1);
	assert_int_equal(trial_counts(&t.w, "house").routed, house.routed + 1);
	/* The ladder goes on: the next pool is asked, as if nobody had accepted. */
	assert_int_equal(trial_task(&t.w, t.city, id), TASK(REQUESTED));
	pool_is(&t, "foster", 1, 0, 0);
	answers(&t, t.foster, id, ANSWER(REJECT));
	pool_is(&t, "foster", 0, 0, 1);
	trial_verify(&t.w);
	/* The child came after all. */
	assert_int_equal(placed(&t, t.house, t.case_id, id), IEUM_E_OK);
	pool_is(&t, "house-girls", 0, 1, 0);
	trial_stop(&t.w);
}

/* Who has taken it on has until the deadline, not for ever. */
static void what_fails_in_somebodys_hands_holds_nothing(void **state)
{
	struct town t;
	struct message m;

	(void)state;
	town_start(&t, pools_hub);
	hold_new(&t, &m, t.case_id, "house-girls")->envelope.urgency = URGENCY(URGENT);
	trial_submitted(&t.w, t.city, &m);
	answers(&t, t.house, m.id, ANSWER(ON_HOLD));
	pass(&t, 15 * MIN_US);
	assert_int_equal(trial_task(&t.w, t.city, m.id), TASK(FAILED));
	pool_is(&t, "house-girls", 0, 0, 1);
	trial_stop(&t.w);
}

static void who_asked_may_take_it_back(void **state)
{
	struct town t;
	uint8_t id[CORE_ID_BYTES];

	(void)state;
	town_start(&t, pools_hub);
	held(&t, t.city, t.case_id, "house-girls", id);
	answers(&t, t.house, id, ANSWER(ACCEPT));
	answers(&t, t.city, id, ANSWER(CANCEL));
	pool_is(&t, "house-girls", 0, 0, 1);
	trial_stop(&t.w);
}

static void an_older_count_is_refused(void **state)
{
	struct town t;
	struct message m;

	(void)state;
	town_start(&t, pools_hub);
	pass(&t, HOUR_US);
	assert_int_equal(reported(&t, t.home, "home", 4), IEUM_E_OK);
	message_new(&t.w, &m, TYPE(CAPACITY_REPORT));
	m.capacity.pool = (char *)"home";
	m.capacity.places = 3;
	m.capacity.as_of_at_ms = (t.w.now - MIN_US) / 1000;
	assert_int_equal(trial_submit(&t.w, t.home, &m), IEUM_E_STATE_CONFLICT);
	pool_is(&t, "home", 0, 0, 4);
	m.capacity.as_of_at_ms = 0;
	trial_submitted(&t.w, t.home, &m);
	pool_is(&t, "home", 0, 0, 3);
	trial_stop(&t.w);
}

/* Who would be asked for a place is told without holding one. */
static void reach_names_the_pools_that_suit(void **state)
{
	struct town t;
	struct message m;
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__ReachQuery of = IEUM__V1__REACH_QUERY__INIT;
	enum ieum_err err;

	(void)state;
	town_start(&t, pools_hub);
	of.referral = &hold_new(&t, &m, t.case_id, "bed")->referral;
	q.what_case = IEUM__V1__QUERY__WHAT_REACH;
	q.reach = &of;
	const Ieum__V1__Result *r = trial_query(&t.w, t.city, &q, &err);
	assert_non_null(r);
	assert_int_equal(r->reach->n_pools, 2);
	assert_string_equal(r->reach->pools[0]->pool, "house-girls");
	assert_string_equal(r->reach->pools[0]->keeper, "house");
	assert_string_equal(r->reach->pools[1]->pool, "home");
	pool_is(&t, "house-girls", 0, 0, 1);
	trial_stop(&t.w);
}

static void only_the_keeper_places_returns_and_counts(void **state)
{
	struct town t;
	uint8_t id[CORE_ID_BYTES];

	(void)state;
	town_start(&t, pools_hub);
	held(&t, t.city, t.case_id, "house-girls", id);
	assert_int_equal(placed(&t, t.city, t.case_id, id), IEUM_E_NOT_PERMITTED);
	assert_int_equal(placed(&t, t.house, t.case_id, t.case_id), IEUM_E_FIELD_INVALID);
	assert_int_equal(returned(&t, t.house, t.case_id, id), IEUM_E_STATE_CONFLICT);
	assert_int_equal(placed(&t, t.house, t.case_id, id), IEUM_E_OK);
	assert_int_equal(placed(&t, t.house, t.case_id, id), IEUM_E_STATE_CONFLICT);
	assert_int_equal(returned(&t, t.city, t.case_id, id), IEUM_E_NOT_PERMITTED);
	assert_int_equal(reported(&t, t.city, "house-girls", 4), IEUM_E_NOT_PERMITTED);
	assert_int_equal(reported(&t, t.house, "house-girls", 0), IEUM_E_NO_PLACE);
	assert_non_null(strstr(t.w.detail, "1 taken"));
	assert_int_equal(reported(&t, t.house, "house-girls", 2), IEUM_E_OK);
	pool_is(&t, "house-girls", 0, 1, 1);
	assert_int_equal(returned(&t, t.house, t.case_id, id), IEUM_E_OK);
	pool_is(&t, "house-girls", 0, 0, 2);
	trial_stop(&t.w);
}

static void a_conflict_of_interest_leaves_a_keeper_out(void **state)
{
	struct town t;
	struct message m;

	(void)state;
	town_start(&t, pools_hub);
	message_exclude(hold_new(&t, &m, t.case_id, "bed"), "house");
	trial_submitted(&t.w, t.city, &m);
	pool_is(&t, "house-girls", 0, 0, 1);
	pool_is(&t, "home", 1, 0, 2);
	trial_stop(&t.w);
}

static void who_is_on_duty_accepts_for_the_keeper(void **state)
{
	struct town t;
	struct message m;

	(void)state;
	town_start(&t, pools_hub);
	/* The trial begins at a quarter past eleven at night. */
	uint64_t night = trial_connect(&t.w, "night");
	hold_new(&t, &m, t.case_id, "bed");
	m.envelope.urgency = URGENCY(IMMEDIATE);
	trial_submitted(&t.w, t.city, &m);
	assert_true(asks(&t, t.city, m.id, "house"));
	assert_true(asks(&t, t.city, m.id, "night"));
	answers(&t, night, m.id, ANSWER(ACCEPT));
	pool_is(&t, "house-girls", 1, 0, 0);
	assert_int_equal(placed(&t, t.house, t.case_id, m.id), IEUM_E_OK);
	pool_is(&t, "house-girls", 0, 1, 0);
	trial_stop(&t.w);
}

static void who_is_on_duty_gives_the_keepers_place_back(void **state)
{
	struct town t;
	struct message m;

	(void)state;
	town_start(&t, pools_hub);
	uint64_t night = trial_connect(&t.w, "night");
	hold_new(&t, &m, t.case_id, "bed");
	m.envelope.urgency = URGENCY(IMMEDIATE);
	trial_submitted(&t.w, t.city, &m);
	answers(&t, night, m.id, ANSWER(ACCEPT));
	answers(&t, night, m.id, ANSWER(FAIL));
	pool_is(&t, "house-girls", 0, 0, 1);
	trial_stop(&t.w);
}

/* ---- policies ---- */

static const char *with(const char *old, const char *new)
{
	static char text[sizeof pools_hub + 1000];
	const char *at = strstr(pools_hub, old);

	assert_non_null(at);
	(void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - pools_hub), pools_hub, new,
		       at + strlen(old));
	return text;
}

static void a_new_hub_file_changes_the_places(void **state)
{
	struct town t;
	uint8_t id[CORE_ID_BYTES], entry[CORE_ID_BYTES], offer[CORE_ID_BYTES];

	(void)state;
	town_start(&t, pools_hub);
	held(&t, t.city, t.case_id, "home", id);
	answers(&t, t.home, id, ANSWER(ACCEPT));
	assert_int_equal(placed(&t, t.home, t.case_id, id), IEUM_E_OK);
	assert_int_equal(reported(&t, t.home, "home", 7), IEUM_E_OK);
	/* What the keeper said stands while the file says the same as before … */
	trial_reload(&t.w, with("places: 1, sex: male", "places: 2, sex: male"));
	pool_is(&t, "home", 0, 1, 6);
	pool_is(&t, "house-boys", 0, 0, 2);
	/* … and what is in use stays, where the file takes it away. */
	trial_reload(&t.w, with("kind: bed, places: 3", "kind: bed, places: 0"));
	pool_is(&t, "home", 0, 1, 0);
	assert_int_equal(returned(&t, t.home, t.case_id, id), IEUM_E_OK);
	pool_is(&t, "home", 0, 0, 0);
	/* Whoever waits for the kind is offered a place of a pool that is new. */
	waits(&t, t.city, "family", 1, entry);
	pass(&t, 0);
	assert_true(offered(&t, t.case_id, t.city, entry, offer));
	answers(&t, t.city, offer, ANSWER(REJECT));
	held(&t, t.city, t.case_id, "foster", id);
	waits(&t, t.city, "family", 1, entry);
	pass(&t, 0);
	assert_false(offered(&t, t.case_id, t.city, entry, offer));
	trial_reload(
		&t.w,
		with("types: {",
		     "  second: {title: {en: e, ko: 마}, keeper: foster, kind: family, places: 1, hold: 1 h}\n"
		     "types: {"));
	pass(&t, 0);
	assert_true(offered(&t, t.case_id, t.city, entry, offer));
	trial_stop(&t.w);
}

/* ---- waiting ---- */

static void whoever_waits_is_offered_a_place_in_order(void **state)
{
	struct town t;
	uint8_t id[CORE_ID_BYTES], a[CORE_ID_BYTES], b[CORE_ID_BYTES], c[CORE_ID_BYTES];
	uint8_t offer[CORE_ID_BYTES];

	(void)state;
	town_start(&t, pools_hub);
	held(&t, t.city, t.case_id, "house-girls", id);
	assert_int_equal(placed(&t, t.house, t.case_id, id), IEUM_E_OK);
	waits(&t, t.city, "house-girls", 0, a);
	waits(&t, t.agency, "house-girls", 0, b);
	waits(&t, t.agency, "house-girls", 5, c);
	pass(&t, 0);
	assert_int_equal(position(&t, t.city, "house-girls", a), 2);
	assert_int_equal(position(&t, t.agency, "house-girls", b), 3);
	assert_int_equal(position(&t, t.agency, "house-girls", c), 1);
	/* Others' entries are the keeper's to see. */
	assert_int_equal(position(&t, t.city, "house-girls", c), UINT32_MAX);
	assert_int_equal(position(&t, t.house, "house-girls", c), 1);
	assert_int_equal(trial_case(&t.w, t.city, t.case_id)->summary->state, CASE(WAITLISTED));

	assert_int_equal(returned(&t, t.house, t.case_id, id), IEUM_E_OK);
	pass(&t, 0);
	pool_is(&t, "house-girls", 1, 0, 0);
	assert_true(offered(&t, t.other_case, t.agency, c, offer));
	assert_int_equal(position(&t, t.agency, "house-girls", c), 0);
	/* Silence: the next one gets it. */
	pass(&t, 48 * HOUR_US);
	assert_int_equal(position(&t, t.agency, "house-girls", c), UINT32_MAX);
	assert_true(offered(&t, t.case_id, t.city, a, offer));
	assert_false(offered(&t, t.other_case, t.agency, b, id));
	/* Rejected: the next one. */
	answers(&t, t.city, offer, ANSWER(REJECT));
	pass(&t, 0);
	assert_true(offered(&t, t.other_case, t.agency, b, offer));
	struct core_mailbox_counts house = trial_counts(&t.w, "house");
	answers(&t, t.agency, offer, ANSWER(ACCEPT));
	assert_int_equal(trial_counts(&t.w, "house").routed, house.routed + 1);
	pool_is(&t, "house-girls", 1, 0, 0);
	assert_int_equal(placed(&t, t.house, t.other_case, offer), IEUM_E_OK);
	pool_is(&t, "house-girls", 0, 1, 0);
	assert_int_equal(trial_task(&t.w, t.agency, offer), TASK(COMPLETED));
	assert_int_equal(position(&t, t.agency, "house-girls", b), UINT32_MAX);
	trial_stop(&t.w);
}

static void an_entry_can_be_taken_back(void **state)
{
	struct town t;
	uint8_t id[CORE_ID_BYTES], a[CORE_ID_BYTES], b[CORE_ID_BYTES], offer[CORE_ID_BYTES];

	(void)state;
	town_start(&t, pools_hub);
	held(&t, t.city, t.case_id, "house-girls", id);
	waits(&t, t.city, "house-girls", 0, a);
	waits(&t, t.agency, "house-girls", 0, b);
	assert_int_equal(trial_answer(&t.w, t.agency, a, ANSWER(CANCEL)), IEUM_E_REFERRAL_UNKNOWN);
	answers(&t, t.city, a, ANSWER(CANCEL));
	assert_int_equal(position(&t, t.agency, "house-girls", b), 1);
	assert_int_equal(trial_answer(&t.w, t.city, a, ANSWER(CANCEL)), IEUM_E_STATE_CONFLICT);
	answers(&t, t.house, id, ANSWER(REJECT));
	pass(&t, 0);
	assert_true(offered(&t, t.other_case, t.agency, b, offer));
	/* With an offer open: that ends too, and its place is free. */
	answers(&t, t.agency, b, ANSWER(CANCEL));
	assert_int_equal(trial_task(&t.w, t.agency, offer), TASK(CANCELLED));
	pool_is(&t, "house-girls", 0, 0, 1);
	trial_stop(&t.w);
}

/* Whoever is to reply; the keeper hears only of what is accepted. */
static void an_offer_that_ends_soon_is_told(void **state)
{
	struct town t;
	uint8_t a[CORE_ID_BYTES], offer[CORE_ID_BYTES];

	(void)state;
	town_start(&t, pools_hub);
	waits(&t, t.city, "bed", 0, a);
	pass(&t, 0);
	assert_true(offered(&t, t.case_id, t.city, a, offer));
	struct core_mailbox_counts city = trial_counts(&t.w, "city");
	struct core_mailbox_counts house = trial_counts(&t.w, "house");
	pass(&t, 36 * HOUR_US - MIN_US);
	assert_int_equal(trial_counts(&t.w, "city").routed, city.routed);
	pass(&t, 2 * MIN_US);
	assert_int_equal(trial_counts(&t.w, "city").routed, city.routed + 1);
	assert_int_equal(trial_counts(&t.w, "house").routed, house.routed);
	pool_is(&t, "house-girls", 1, 0, 0);
	answers(&t, t.city, offer, ANSWER(ACCEPT));
	trial_stop(&t.w);
}

static void an_accepted_offer_lapses_without_a_placement(void **state)
{
	struct town t;
	uint8_t a[CORE_ID_BYTES], offer[CORE_ID_BYTES];

	(void)state;
	town_start(&t, pools_hub);
	waits(&t, t.city, "bed", 0, a);
	pass(&t, 0);
	assert_true(offered(&t, t.case_id, t.city, a, offer));
	answers(&t, t.city, offer, ANSWER(ACCEPT));
	pass(&t, 121 * MIN_US);
	assert_int_equal(trial_task(&t.w, t.city, offer), TASK(FAILED));
	pool_is(&t, "house-girls", 0, 0, 1);
	trial_stop(&t.w);
}

static void siblings_wait_for_enough_places(void **state)
{
	struct town t;
	struct message m;
	uint8_t id[CORE_ID_BYTES], one[CORE_ID_BYTES], offer[CORE_ID_BYTES];

	(void)state;
	town_start(&t, pools_hub);
	hold_new(&t, &m, t.case_id, "home");
	m.hold.places = 2;
	trial_submitted(&t.w, t.city, &m);
	memcpy(id, m.id, CORE_ID_BYTES);
	message_new(&t.w, &m, TYPE(WAITLIST_ENTRY));
	message_in_case(&m, t.case_id);
	m.entry.pool = (char *)"home";
	m.entry.places = 2;
	m.entry.priority = 9;
	trial_submitted(&t.w, t.city, &m);
	waits(&t, t.agency, "home", 0, one);
	pass(&t, 0);
	assert_false(offered(&t, t.case_id, t.city, m.id, offer));
	assert_true(offered(&t, t.other_case, t.agency, one, offer));
	answers(&t, t.home, id, ANSWER(REJECT));
	pass(&t, 0);
	assert_true(offered(&t, t.case_id, t.city, m.id, offer));
	pool_is(&t, "home", 3, 0, 0);
	trial_stop(&t.w);
}

/* ---- with what becomes of the case ---- */

static void closed(struct town *t, uint64_t who, const uint8_t *case_id)
{
	struct message m;

	message_in_case(message_new(&t->w, &m, TYPE(CLOSURE_REQUEST)), case_id);
	m.closure.reason = REASON(GOALS_MET);
	trial_submitted(&t->w, who, &m);
	answers(t, t->boss, m.id, ANSWER(ACCEPT));
}

static void excluded(struct town *t, uint64_t who, const uint8_t *case_id, const char *participant)
{
	struct message m;

	message_in_case(message_new(&t->w, &m, TYPE(REFERRAL)), case_id);
	m.support.domain = (char *)"care";
	message_exclude(&m, participant);
	trial_submitted(&t->w, who, &m);
	trial_verify(&t->w);
}

static void a_place_comes_back_from_a_closed_case(void **state)
{
	struct town t;
	uint8_t id[CORE_ID_BYTES];

	(void)state;
	town_start(&t, pools_hub);
	held(&t, t.city, t.case_id, "house-girls", id);
	assert_int_equal(placed(&t, t.house, t.case_id, id), IEUM_E_OK);
	closed(&t, t.city, t.case_id);
	assert_int_equal(returned(&t, t.house, t.case_id, id), IEUM_E_OK);
	pool_is(&t, "house-girls", 0, 0, 1);
	assert_int_equal(trial_case(&t.w, t.city, t.case_id)->summary->state, CASE(CLOSED));
	assert_int_equal(returned(&t, t.house, t.case_id, id), IEUM_E_CASE_CLOSED);
	trial_stop(&t.w);
}

/* Its keeper may not write into the case any more: who is responsible for the case says it. */
static void a_place_of_an_excluded_keeper_comes_back(void **state)
{
	struct town t;
	uint8_t id[CORE_ID_BYTES];

	(void)state;
	town_start(&t, pools_hub);
	held(&t, t.city, t.case_id, "house-girls", id);
	assert_int_equal(placed(&t, t.house, t.case_id, id), IEUM_E_OK);
	assert_int_equal(returned(&t, t.city, t.case_id, id), IEUM_E_NOT_PERMITTED);
	excluded(&t, t.city, t.case_id, "house");
	assert_int_equal(returned(&t, t.house, t.case_id, id), IEUM_E_CONFLICT_OF_INTEREST);
	assert_int_equal(returned(&t, t.boss, t.case_id, id), IEUM_E_NOT_PERMITTED);
	assert_int_equal(returned(&t, t.city, t.case_id, id), IEUM_E_OK);
	pool_is(&t, "house-girls", 0, 0, 1);
	trial_stop(&t.w);
}

static void nobody_waits_in_a_closed_case(void **state)
{
	struct town t;
	uint8_t id[CORE_ID_BYTES], a[CORE_ID_BYTES], b[CORE_ID_BYTES];

	(void)state;
	town_start(&t, pools_hub);
	held(&t, t.city, t.case_id, "house-girls", id);
	assert_int_equal(placed(&t, t.house, t.case_id, id), IEUM_E_OK);
	waits(&t, t.city, "house-girls", 3, a);
	waits(&t, t.agency, "house-girls", 0, b);
	assert_int_equal(position(&t, t.agency, "house-girls", b), 2);
	closed(&t, t.city, t.case_id);
	trial_verify(&t.w);
	assert_int_equal(position(&t, t.agency, "house-girls", b), 1);
	assert_int_equal(pool_view(&t, t.house, "house-girls")->waiting, 1);
	assert_int_equal(trial_answer(&t.w, t.city, a, ANSWER(CANCEL)), IEUM_E_STATE_CONFLICT);
	trial_stop(&t.w);
}

static void on_consent(struct town *t, struct message *m)
{
	m->basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT;
	trial_submitted(&t->w, t->city, m);
	trial_verify(&t->w);
}

static void waits_on_consent(struct town *t, const char *pool, struct message *m)
{
	message_in_case(message_new(&t->w, m, TYPE(WAITLIST_ENTRY)), t->case_id);
	m->entry.pool = (char *)pool;
	m->entry.sex = SEX(FEMALE);
	m->entry.age_years = 9;
	on_consent(t, m);
}

static void withdraws_consent(struct town *t)
{
	struct message m;

	message_in_case(message_new(&t->w, &m, TYPE(CONSENT_WITHDRAWAL)), t->case_id);
	trial_submitted(&t->w, t->city, &m);
	trial_verify(&t->w);
}

static void without_consent_nothing_is_held_or_waited_for(void **state)
{
	struct town t;
	struct message hold, entry, offered_to;
	uint8_t b[CORE_ID_BYTES], offer[CORE_ID_BYTES];

	(void)state;
	town_start(&t, pools_hub);
	waits_on_consent(&t, "home", &offered_to);
	pass(&t, 0);
	assert_true(offered(&t, t.case_id, t.city, offered_to.id, offer));
	on_consent(&t, hold_new(&t, &hold, t.case_id, "house-girls"));
	pool_is(&t, "house-girls", 1, 0, 0);
	/* More than one withdrawal ends. */
	for (int i = 0; i < 20; i++)
		waits_on_consent(&t, "house-girls", &entry);
	waits(&t, t.agency, "house-girls", 0, b);
	withdraws_consent(&t);
	pool_is(&t, "house-girls", 0, 0, 1);
	/* Nor does a keeper learn of it by the offer that is open. */
	uint64_t routed = trial_counts(&t.w, "home").routed;
	assert_int_equal(trial_answer(&t.w, t.city, offer, ANSWER(ACCEPT)),
			 IEUM_E_CONSENT_WITHDRAWN);
	assert_int_equal(trial_counts(&t.w, "home").routed, routed);
	pass(&t, 0);
	assert_false(offered(&t, t.case_id, t.city, entry.id, offer));
	assert_true(offered(&t, t.other_case, t.agency, b, offer));
	trial_stop(&t.w);
}

/* ---- several things by one message ---- */

static char *with_rules(const char *rules)
{
	char *text = NULL;

	assert_true(asprintf(&text, "%s%s", pools_hub, rules) > 0);
	return text;
}

static void taking_an_entry_back_may_close_its_case(void **state)
{
	char *hub = with_rules(
		"  - {name: over, when: {type: answer, outcome: scheduled}, case_state: closed}\n");
	struct town t;
	struct message m;
	uint8_t id[CORE_ID_BYTES], entry[CORE_ID_BYTES];

	(void)state;
	town_start(&t, hub);
	free(hub);
	held(&t, t.city, t.case_id, "house-girls", id);
	waits(&t, t.agency, "house-girls", 0, entry);
	message_reply(message_new(&t.w, &m, TYPE(ANSWER)), entry);
	m.answer.kind = ANSWER(CANCEL);
	m.answer.outcome = IEUM__V1__OUTCOME__OUTCOME_SCHEDULED;
	trial_submitted(&t.w, t.agency, &m);
	trial_verify(&t.w);
	assert_int_equal(position(&t, t.agency, "house-girls", entry), UINT32_MAX);
	trial_stop(&t.w);
}

static void what_two_rules_say_is_done_once(void **state)
{
	char *hub = with_rules(
		"  - {name: placed-2, when: {type: placement_notice}, to: boss, takes_place: true}\n"
		"  - {name: returned-2, when: {type: place_returned}, to: boss, returns_place: true}\n"
		"  - {name: wait-2, when: {type: waitlist_entry}, waits: true}\n"
		"  - {name: hold-2, when: {type: capacity_hold}, holds: first, answer_within: 1 h}\n");
	struct town t;
	uint8_t id[CORE_ID_BYTES], entry[CORE_ID_BYTES];

	(void)state;
	town_start(&t, hub);
	free(hub);
	held(&t, t.city, t.case_id, "bed", id);
	pool_is(&t, "house-girls", 1, 0, 0);
	pool_is(&t, "home", 0, 0, 3);
	waits(&t, t.agency, "house-girls", 0, entry);
	assert_int_equal(position(&t, t.agency, "house-girls", entry), 1);
	assert_int_equal(placed(&t, t.house, t.case_id, id), IEUM_E_OK);
	pool_is(&t, "house-girls", 0, 1, 0);
	assert_int_equal(returned(&t, t.house, t.case_id, id), IEUM_E_OK);
	pool_is(&t, "house-girls", 0, 0, 1);
	trial_stop(&t.w);
}

/* The notice of a placement may itself be the answer: to a hold that lapsed it takes the place that
 * is left, and not one more. */
static void a_notice_that_answers_takes_the_last_place(void **state)
{
	static const char last[] = "capacity_report: {needs_case: false}}";
	const char *rest = strstr(pools_hub, last);
	char *changed = NULL;
	struct town t;
	struct message m;
	uint8_t id[CORE_ID_BYTES];

	(void)state;
	assert_non_null(rest);
	assert_true(asprintf(&changed, "%.*splacement_notice: {acts_as_answer: complete}, %s",
			     (int)(rest - pools_hub), pools_hub, rest) > 0);
	town_start(&t, changed);
	free(changed);
	held(&t, t.city, t.case_id, "house-girls", id);
	pass(&t, 31 * MIN_US);
	pool_is(&t, "house-girls", 0, 0, 1);
	message_new(&t.w, &m, TYPE(PLACEMENT_NOTICE));
	message_in_case(&m, t.case_id);
	message_reply(&m, id);
	m.placement.hold_id = (ProtobufCBinaryData){ CORE_ID_BYTES, id };
	trial_submitted(&t.w, t.house, &m);
	pool_is(&t, "house-girls", 0, 1, 0);
	trial_stop(&t.w);
}

/* The hub file without one line of it. */
static char *without(const char *pool)
{
	const char *line = strstr(pools_hub, pool);
	char *text = NULL;

	assert_non_null(line);
	assert_true(asprintf(&text, "%.*s%s", (int)(line - pools_hub), pools_hub,
			     strchr(line, '\n') + 1) > 0);
	return text;
}

/* What it held until then is kept as long as was said; what it gave up it doesn't give again. */
static void a_pool_that_the_file_has_no_more_gives_nothing_anew(void **state)
{
	char *hub = without("  house-girls:");
	struct town t;
	uint8_t live[CORE_ID_BYTES], dead[CORE_ID_BYTES];

	(void)state;
	town_start(&t, pools_hub);
	held(&t, t.city, t.case_id, "house-girls", dead);
	pass(&t, 31 * MIN_US);
	held(&t, t.city, t.case_id, "house-girls", live);
	trial_reload(&t.w, hub);
	free(hub);
	answers(&t, t.house, live, ANSWER(ACCEPT));
	assert_int_equal(trial_answer(&t.w, t.house, dead, ANSWER(ACCEPT)), IEUM_E_NO_PLACE);
	assert_non_null(strstr(t.w.detail, "house-girls"));
	pass(&t, 31 * MIN_US);
	assert_int_equal(trial_answer(&t.w, t.house, dead, ANSWER(ACCEPT)), IEUM_E_NO_PLACE);
	trial_stop(&t.w);
}

static void a_keeper_excluded_later_gets_no_offer_made(void **state)
{
	struct town t;
	struct message m;
	uint8_t id[CORE_ID_BYTES], a[CORE_ID_BYTES], b[CORE_ID_BYTES], offer[CORE_ID_BYTES];

	(void)state;
	town_start(&t, pools_hub);
	held(&t, t.city, t.case_id, "house-girls", id);
	waits(&t, t.city, "house-girls", 3, a);
	waits(&t, t.agency, "house-girls", 0, b);
	message_new(&t.w, &m, TYPE(REFERRAL));
	message_in_case(&m, t.case_id);
	m.support.domain = (char *)"care";
	message_exclude(&m, "house");
	trial_submitted(&t.w, t.city, &m);
	pass(&t, 16 * MIN_US);
	assert_false(offered(&t, t.case_id, t.city, a, offer));
	assert_true(offered(&t, t.other_case, t.agency, b, offer));
	trial_stop(&t.w);
}

static void many_wait_and_each_place_is_offered_once(void **state)
{
	enum { WAITING = 2000, PLACES = 100 };
	struct town t;
	uint8_t id[CORE_ID_BYTES];

	(void)state;
	town_start(&t, pools_hub);
	held(&t, t.city, t.case_id, "house-girls", id);
	assert_int_equal(placed(&t, t.house, t.case_id, id), IEUM_E_OK);
	for (int i = 0; i < WAITING; i++) {
		struct message m;
		message_new(&t.w, &m, TYPE(WAITLIST_ENTRY));
		message_in_case(&m, t.case_id);
		m.entry.pool = (char *)"house-girls";
		m.entry.sex = SEX(FEMALE);
		m.entry.age_years = 7 + (uint32_t)i % 11;
		m.entry.priority = (uint32_t)i % 3;
		trial_submitted(&t.w, t.city, &m);
	}
	assert_int_equal(reported(&t, t.house, "house-girls", PLACES + 1), IEUM_E_OK);
	assert_int_equal(trial_at(&t.w, t.w.now), 3 * PLACES);
	pool_is(&t, "house-girls", PLACES, 1, 0);
	assert_int_equal(pool_view(&t, t.house, "house-girls")->waiting, WAITING - PLACES);
	trial_stop(&t.w);
}

/* Whoever decided it: a journal that gives a place twice is no journal of this hub. */
static void an_event_that_gives_a_place_twice_is_refused(void **state)
{
	struct town t;
	Ieum__V1__Event event = IEUM__V1__EVENT__INIT;
	Ieum__V1__PlacesChanged e = IEUM__V1__PLACES_CHANGED__INIT;
	uint8_t id[CORE_ID_BYTES];

	(void)state;
	town_start(&t, pools_hub);
	held(&t, t.city, t.case_id, "house-girls", id);
	event.at_us = t.w.now;
	event.what_case = IEUM__V1__EVENT__WHAT_PLACES_CHANGED;
	event.places_changed = &e;
	e.pool = 1;
	e.hold_id = (ProtobufCBinaryData){ CORE_ID_BYTES, t.other_case };
	e.state = IEUM__V1__HOLD_STATE__HOLD_STATE_HELD;
	e.places = 1;
	e.at_ms = t.w.now / 1000 + 1;
	assert_int_equal(core_apply(t.w.mirror, core_last_seq(t.w.mirror) + 1, &event),
			 IEUM_E_JOURNAL_CORRUPT);
	/* That core is unusable now; the trial goes on with a restored one. */
	core_free(t.w.mirror);
	t.w.mirror = core_new(&(struct core_limits){ 1 << 20, 1 << 20, 1 << 20 }, 5);
	struct buf bytes;
	buf_init(&bytes, 1 << 20);
	assert_int_equal(core_snapshot_write(t.w.core, &bytes), IEUM_E_OK);
	assert_int_equal(core_snapshot_read(t.w.mirror, buf_bytes(&bytes), buf_len(&bytes)),
			 IEUM_E_OK);
	buf_release(&bytes);
	trial_stop(&t.w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_race_for_one_bed),
		cmocka_unit_test(a_pool_suits_by_sex_age_language_and_siblings),
		cmocka_unit_test(who_rejects_or_stays_silent_gives_the_place_to_the_next),
		cmocka_unit_test(a_late_acceptance_needs_a_place_that_is_left),
		cmocka_unit_test(without_a_place_the_ladder_begins_at_once),
		cmocka_unit_test(of_several_pools_the_first_to_accept_has_it),
		cmocka_unit_test(one_request_takes_a_place_in_one_pool),
		cmocka_unit_test(a_hold_lapses_and_both_sides_hear),
		cmocka_unit_test(an_older_count_is_refused),
		cmocka_unit_test(reach_names_the_pools_that_suit),
		cmocka_unit_test(what_fails_in_somebodys_hands_holds_nothing),
		cmocka_unit_test(who_asked_may_take_it_back),
		cmocka_unit_test(only_the_keeper_places_returns_and_counts),
		cmocka_unit_test(who_is_on_duty_accepts_for_the_keeper),
		cmocka_unit_test(who_is_on_duty_gives_the_keepers_place_back),
		cmocka_unit_test(a_conflict_of_interest_leaves_a_keeper_out),
		cmocka_unit_test(a_new_hub_file_changes_the_places),
		cmocka_unit_test(whoever_waits_is_offered_a_place_in_order),
		cmocka_unit_test(an_entry_can_be_taken_back),
		cmocka_unit_test(an_accepted_offer_lapses_without_a_placement),
		cmocka_unit_test(an_offer_that_ends_soon_is_told),
		cmocka_unit_test(siblings_wait_for_enough_places),
		cmocka_unit_test(a_pool_that_the_file_has_no_more_gives_nothing_anew),
		cmocka_unit_test(a_keeper_excluded_later_gets_no_offer_made),
		cmocka_unit_test(a_place_comes_back_from_a_closed_case),
		cmocka_unit_test(a_place_of_an_excluded_keeper_comes_back),
		cmocka_unit_test(nobody_waits_in_a_closed_case),
		cmocka_unit_test(without_consent_nothing_is_held_or_waited_for),
		cmocka_unit_test(taking_an_entry_back_may_close_its_case),
		cmocka_unit_test(what_two_rules_say_is_done_once),
		cmocka_unit_test(a_notice_that_answers_takes_the_last_place),
		cmocka_unit_test(an_event_that_gives_a_place_twice_is_refused),
		cmocka_unit_test(many_wait_and_each_place_is_offered_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
