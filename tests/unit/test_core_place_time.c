/* broker/core, places and time: pools that renew, counts that get old, holds for a period, who hears
 * that something ends soon; agreements that end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core_trial.h"

#define CHANGE(word) IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_##word

/* The trial begins on Monday, 2026-09-21, 23:13:20. */
#define TO_MONDAY_US    (6 * DAY_US + 46 * MIN_US + 40 * (MIN_US / 60))
#define TO_DATE_US(day) (((day)-22) * DAY_US + 46 * MIN_US + 40 * (MIN_US / 60))

#define HEAD(agreement) \
	"hub: {name: test.ieum, title: {en: T, ko: 티}, jurisdiction: \"41570\", time_zone: \"+09:00\"}\n" \
	"calendar: {working_hours: \"09:00-18:00\", weekend: [saturday, sunday], holidays: []}\n" \
	"kinds:\n" \
	"  office: {title: {en: O, ko: 관}, may_send: all}\n" \
	"participants:\n" \
	"  city: {kind: office, title: {en: city, ko: 가}}\n" \
	"  boss: {kind: office, title: {en: boss, ko: 다}}\n" \
	"  clinic: {kind: office, title: {en: clinic, ko: 라}" agreement "}\n" \
	"  house: {kind: office, title: {en: house, ko: 마}}\n"
#define POOLS(renews, stale) \
	"pools:\n" \
	"  slots: {title: {en: a, ko: 가}, keeper: clinic, kind: slot, places: 2, hold: 1 d, placement_within: 10 d" renews \
	"}\n" \
	"  beds: {title: {en: b, ko: 나}, keeper: house, kind: bed, places: 1, hold: 1 h, placement_within: 2 d, warn_before: 6 h" stale \
	"}\n" \
	"  more: {title: {en: c, ko: 다}, keeper: boss, kind: spare, places: 1, hold: 1 h}\n"
#define RULES \
	"types: {default: {needs_case: true, may_open: true, needs_basis: true}, answer: {needs_case: false, needs_basis: false, needs_reply_to: true}, capacity_report: {needs_case: false}}\n" \
	"rules:\n" \
	"  - {name: open, when: {type: referral}, to: boss}\n" \
	"  - name: bed\n" \
	"    when: {type: capacity_hold, pool: bed}\n" \
	"    holds: first\n" \
	"    answer_within: 15 min\n" \
	"    then: [{to: city, within: 10 min}, {to: \"pool:more\", within: 10 min}, {to: clinic, within: 1 d}]\n" \
	"  - {name: hold, when: {type: capacity_hold}, holds: first, answer_within: 1 d}\n" \
	"  - {name: placed, when: {type: placement_notice}, to: case_owner, takes_place: true}\n" \
	"  - {name: returned, when: {type: place_returned}, to: case_owner, returns_place: true}\n" \
	"  - {name: counted, when: {type: capacity_report}, counts_places: true}\n" \
	"  - {name: wait, when: {type: waitlist_entry}, waits: true}\n"

static const char weekly_hub[] = HEAD("") POOLS(", renews: weekly", "") RULES;
static const char daily_hub[] = HEAD("") POOLS(", renews: daily", "") RULES;
static const char monthly_hub[] = HEAD("") POOLS(", renews: monthly", "") RULES;
static const char plain_hub[] = HEAD("") POOLS("", "") RULES;

struct town {
	struct trial w;
	uint64_t city, boss, clinic, house;
	uint8_t case_id[CORE_ID_BYTES];
};

static void connect_all(struct town *t)
{
	t->city = trial_connect(&t->w, "city");
	t->boss = trial_connect(&t->w, "boss");
	t->clinic = trial_connect(&t->w, "clinic");
	t->house = trial_connect(&t->w, "house");
}

static void restart(struct town *t)
{
	trial_restart(&t->w);
	connect_all(t);
}

static void town_start(struct town *t, const char *hub)
{
	struct message m;

	trial_start(&t->w, hub, NULL);
	connect_all(t);
	message_new(&t->w, &m, TYPE(REFERRAL));
	m.support.domain = (char *)"care";
	message_open_case(&m);
	trial_submitted(&t->w, t->city, &m);
	memcpy(t->case_id, m.id, CORE_ID_BYTES);
}

/* ---- messages ---- */

static enum ieum_err ask(struct town *t, const char *pool, core_time_us from, core_time_us until,
			 uint8_t id[CORE_ID_BYTES])
{
	struct message m;

	message_new(&t->w, &m, TYPE(CAPACITY_HOLD));
	message_in_case(&m, t->case_id);
	m.hold.pool = (char *)pool;
	m.hold.from_at_ms = from / 1000;
	m.hold.until_at_ms = until / 1000;
	memcpy(id, m.id, CORE_ID_BYTES);
	return trial_submit(&t->w, t->city, &m);
}

static void held(struct town *t, const char *pool, uint8_t id[CORE_ID_BYTES])
{
	assert_int_equal(ask(t, pool, 0, 0, id), IEUM_E_OK);
	trial_verify(&t->w);
}

static void accepted(struct town *t, uint64_t keeper, const uint8_t *id)
{
	assert_int_equal(trial_answer(&t->w, keeper, id, ANSWER(ACCEPT)), IEUM_E_OK);
	trial_verify(&t->w);
}

static void placed(struct town *t, uint64_t keeper, const uint8_t *id)
{
	struct message m;

	message_new(&t->w, &m, TYPE(PLACEMENT_NOTICE));
	message_in_case(&m, t->case_id);
	m.placement.hold_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)id };
	trial_submitted(&t->w, keeper, &m);
	trial_verify(&t->w);
}

static enum ieum_err returned(struct town *t, uint64_t keeper, const uint8_t *id)
{
	struct message m;

	message_new(&t->w, &m, TYPE(PLACE_RETURNED));
	message_in_case(&m, t->case_id);
	m.place_returned.hold_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)id };
	return trial_submit(&t->w, keeper, &m);
}

static void counted(struct town *t, uint64_t keeper, const char *pool, uint32_t places)
{
	struct message m;

	message_new(&t->w, &m, TYPE(CAPACITY_REPORT));
	m.capacity.pool = (char *)pool;
	m.capacity.places = places;
	trial_submitted(&t->w, keeper, &m);
	trial_verify(&t->w);
}

static void waits(struct town *t, const char *pool)
{
	struct message m;

	message_new(&t->w, &m, TYPE(WAITLIST_ENTRY));
	message_in_case(&m, t->case_id);
	m.entry.pool = (char *)pool;
	trial_submitted(&t->w, t->city, &m);
	trial_verify(&t->w);
}

/* ---- looking ---- */

static const Ieum__V1__PoolView *pool_view(struct town *t, const char *pool)
{
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__PoolsQuery of = IEUM__V1__POOLS_QUERY__INIT;
	enum ieum_err err;

	of.pool = (char *)pool;
	q.what_case = IEUM__V1__QUERY__WHAT_POOLS;
	q.pools = &of;
	const Ieum__V1__Result *r = trial_query(&t->w, t->city, &q, &err);
	assert_non_null(r);
	return r->pools->pools[0];
}

static void pool_is(struct town *t, const char *pool, uint32_t is_held, uint32_t taken)
{
	const Ieum__V1__PoolView *v = pool_view(t, pool);

	if (v->held != is_held || v->taken != taken)
		fail_msg("%s: held %u, taken %u of %u", pool, v->held, v->taken, v->places);
}

static void pass(struct town *t, core_time_us span)
{
	(void)trial_at(&t->w, t->w.now + span);
	trial_verify(&t->w);
}

static uint64_t got(struct town *t, const char *mailbox)
{
	return trial_counts(&t->w, mailbox).routed;
}

/* The notice that is due then, `span` from now; the caller frees it.  Nothing happens yet. */
static Ieum__V1__DeadlineNotice *notice_due(struct town *t, core_time_us span)
{
	Ieum__V1__Referral *r = NULL;

	core_decision_reset(&t->w.d);
	assert_int_equal(core_decide_due(t->w.core, t->w.policy, t->w.now + span, &t->w.d),
			 IEUM_E_OK);
	for (size_t i = 0; i < t->w.d.n_items && !r; i++) {
		const struct core_item *item = &t->w.d.items[i];
		if (item->event->what_case == IEUM__V1__EVENT__WHAT_SUBMITTED)
			r = ieum__v1__referral__unpack(NULL, item->payload_len, item->payload);
	}
	if (!r)
		return NULL;
	assert_int_equal(r->body_case, IEUM__V1__REFERRAL__BODY_DEADLINE_NOTICE);
	Ieum__V1__DeadlineNotice *body = r->deadline_notice;
	r->body_case = IEUM__V1__REFERRAL__BODY__NOT_SET;
	r->deadline_notice = NULL;
	ieum__v1__referral__free_unpacked(r, NULL);
	return body;
}

static void notice_is(struct town *t, core_time_us span, const char *pool, const char *participant,
		      Ieum__V1__ClockChange change, int64_t due_at_ms)
{
	Ieum__V1__DeadlineNotice *body = notice_due(t, span);

	assert_non_null(body);
	assert_string_equal(body->pool, pool);
	assert_string_equal(body->participant, participant);
	assert_string_equal(body->clock, "");
	assert_int_equal(body->change, change);
	assert_true(body->due_at_ms == due_at_ms);
	ieum__v1__deadline_notice__free_unpacked(body, NULL);
}

/* ---- pools that renew ---- */

static void slots_are_given_anew_every_monday(void **state)
{
	struct town t;
	uint8_t first[CORE_ID_BYTES], second[CORE_ID_BYTES], third[CORE_ID_BYTES];

	(void)state;
	town_start(&t, weekly_hub);
	assert_true(pool_view(&t, "slots")->renews_at_ms == (t.w.now + TO_MONDAY_US) / 1000);
	held(&t, "slots", first);
	accepted(&t, t.clinic, first);
	placed(&t, t.clinic, first);
	held(&t, "slots", second);
	accepted(&t, t.clinic, second);
	pool_is(&t, "slots", 1, 1);
	assert_int_equal(ask(&t, "slots", 0, 0, third), IEUM_E_NO_PLACE);
	waits(&t, "slots");
	pass(&t, TO_MONDAY_US - MIN_US);
	pool_is(&t, "slots", 1, 1);
	/* What was used counts no more, what is still to be used does. */
	pass(&t, MIN_US);
	pool_is(&t, "slots", 2, 0);
	assert_int_equal(pool_view(&t, "slots")->waiting, 0);
	assert_int_equal(ask(&t, "slots", 0, 0, third), IEUM_E_NO_PLACE);
	assert_int_equal(returned(&t, t.clinic, first), IEUM_E_STATE_CONFLICT);
	assert_true(pool_view(&t, "slots")->renews_at_ms == (t.w.now + 7 * DAY_US) / 1000);
	placed(&t, t.clinic, second);
	pool_is(&t, "slots", 1, 1);
	trial_stop(&t.w);
}

static void slots_are_given_anew_by_the_day_and_the_month(void **state)
{
	struct town t;
	uint8_t id[CORE_ID_BYTES];

	(void)state;
	town_start(&t, daily_hub);
	held(&t, "slots", id);
	accepted(&t, t.clinic, id);
	placed(&t, t.clinic, id);
	pass(&t, TO_DATE_US(22) - 1000);
	pool_is(&t, "slots", 0, 1);
	pass(&t, 1000);
	pool_is(&t, "slots", 0, 0);
	trial_stop(&t.w);

	town_start(&t, monthly_hub);
	held(&t, "slots", id);
	accepted(&t, t.clinic, id);
	placed(&t, t.clinic, id);
	pass(&t, TO_DATE_US(31) - 1000); /* the first of October */
	pool_is(&t, "slots", 0, 1);
	pass(&t, 1000);
	pool_is(&t, "slots", 0, 0);
	assert_true(pool_view(&t, "slots")->renews_at_ms == (t.w.now + 31 * DAY_US) / 1000);
	trial_stop(&t.w);
}

static void a_new_hub_file_passes_no_monday_over(void **state)
{
	struct town t;
	uint8_t id[CORE_ID_BYTES];

	(void)state;
	town_start(&t, weekly_hub);
	held(&t, "slots", id);
	accepted(&t, t.clinic, id);
	placed(&t, t.clinic, id);
	t.w.now += TO_MONDAY_US + MIN_US;
	restart(&t);
	trial_reload(&t.w, daily_hub);
	trial_verify(&t.w);
	pool_is(&t, "slots", 0, 1);
	pass(&t, 0);
	pool_is(&t, "slots", 0, 0);
	assert_true(pool_view(&t, "slots")->renews_at_ms == (t.w.now + DAY_US - MIN_US) / 1000);
	trial_reload(&t.w, plain_hub);
	assert_true(pool_view(&t, "slots")->renews_at_ms == 0);
	trial_verify(&t.w);
	trial_stop(&t.w);
}

static void many_slots_end_at_once(void **state)
{
	enum { SLOTS = 100 };
	struct town t;
	uint8_t id[CORE_ID_BYTES];

	(void)state;
	town_start(&t, weekly_hub);
	counted(&t, t.clinic, "slots", SLOTS);
	for (int i = 0; i < SLOTS; i++) {
		assert_int_equal(ask(&t, "slots", 0, 0, id), IEUM_E_OK);
		placed(&t, t.clinic, id);
	}
	pool_is(&t, "slots", 0, SLOTS);
	pass(&t, TO_MONDAY_US);
	pool_is(&t, "slots", 0, 0);
	trial_stop(&t.w);
}

/* ---- counts ---- */

static const char stale_hub[] = HEAD("") POOLS("", ", stale_after: 7 d, stale_tells: boss") RULES;
static const char stale_sooner_hub[] =
	HEAD("") POOLS("", ", stale_after: 5 d, stale_tells: boss") RULES;

static void an_old_count_is_told_to_its_keeper(void **state)
{
	struct town t;

	(void)state;
	town_start(&t, stale_hub);
	uint64_t house = got(&t, "house"), boss = got(&t, "boss");
	int64_t stale_at_ms = (t.w.now + 7 * DAY_US) / 1000;

	pass(&t, 7 * DAY_US - MIN_US);
	assert_false(pool_view(&t, "beds")->stale);
	assert_int_equal(got(&t, "house"), house);
	notice_is(&t, MIN_US, "beds", "", CHANGE(BREACHED), stale_at_ms);
	pass(&t, MIN_US);
	assert_int_equal(got(&t, "house"), house + 1);
	assert_int_equal(got(&t, "boss"), boss + 1);
	/* Once; but it stays listed. */
	pass(&t, 30 * DAY_US);
	trial_reload(&t.w, stale_sooner_hub);
	pass(&t, 0);
	assert_int_equal(got(&t, "house"), house + 1);
	assert_true(pool_view(&t, "beds")->stale);
	counted(&t, t.house, "beds", 1);
	assert_false(pool_view(&t, "beds")->stale);
	pass(&t, 5 * DAY_US);
	assert_int_equal(got(&t, "house"), house + 2);
	trial_stop(&t.w);
}

static void a_new_hub_file_says_when_a_count_is_stale(void **state)
{
	struct town t;

	(void)state;
	town_start(&t, plain_hub);
	uint64_t house = got(&t, "house");

	pass(&t, 6 * DAY_US);
	trial_reload(&t.w, stale_hub);
	pass(&t, HOUR_US);
	assert_int_equal(got(&t, "house"), house);
	trial_reload(&t.w, stale_sooner_hub);
	pass(&t, 0);
	assert_int_equal(got(&t, "house"), house + 1);
	trial_reload(&t.w, plain_hub);
	pass(&t, 60 * DAY_US);
	assert_int_equal(got(&t, "house"), house + 1);
	trial_stop(&t.w);
}

/* ---- for a time ---- */

static void a_place_is_asked_for_a_time(void **state)
{
	struct town t;
	uint8_t id[CORE_ID_BYTES];
	core_time_us until;

	(void)state;
	town_start(&t, plain_hub);
	until = t.w.now + 10 * DAY_US;
	assert_int_equal(ask(&t, "bed", 0, until, id), IEUM_E_OK);
	accepted(&t, t.house, id);
	placed(&t, t.house, id);
	assert_true(pool_view(&t, "beds")->holds[0]->until_at_ms == until / 1000);
	uint64_t house = got(&t, "house"), city = got(&t, "city");

	pass(&t, 10 * DAY_US - 6 * HOUR_US - MIN_US);
	assert_int_equal(got(&t, "house"), house);
	notice_is(&t, MIN_US, "beds", "", CHANGE(WARNED), until / 1000);
	pass(&t, MIN_US);
	assert_int_equal(got(&t, "house"), house + 1);
	assert_int_equal(got(&t, "city"), city + 1);
	restart(&t);
	notice_is(&t, 6 * HOUR_US, "beds", "", CHANGE(BREACHED), until / 1000);
	pass(&t, 6 * HOUR_US);
	assert_int_equal(got(&t, "house"), house + 2);
	assert_int_equal(got(&t, "city"), city + 2);
	/* Somebody still lives there: only the keeper says that the bed is free. */
	pass(&t, 30 * DAY_US);
	pool_is(&t, "beds", 0, 1);
	assert_int_equal(got(&t, "house"), house + 2);
	assert_int_equal(returned(&t, t.house, id), IEUM_E_OK);
	pool_is(&t, "beds", 0, 0);
	trial_stop(&t.w);
}

static void a_hold_ends_with_the_time_it_was_asked_for(void **state)
{
	struct town t;
	uint8_t id[CORE_ID_BYTES], other[CORE_ID_BYTES];
	core_time_us began;

	(void)state;
	town_start(&t, plain_hub);
	began = t.w.now;
	assert_int_equal(ask(&t, "bed", 0, began + DAY_US, id), IEUM_E_OK);
	accepted(&t, t.house, id);
	assert_true(pool_view(&t, "beds")->holds[0]->lapses_at_ms == (began + DAY_US) / 1000);
	pass(&t, DAY_US);
	pool_is(&t, "beds", 0, 0);
	assert_int_equal(trial_task(&t.w, t.city, id), TASK(FAILED));
	/* A keeper who answers when it is over holds nothing any more. */
	assert_int_equal(ask(&t, "bed", 0, t.w.now + 5 * MIN_US, other), IEUM_E_OK);
	assert_true(pool_view(&t, "beds")->holds[0]->lapses_at_ms == (t.w.now + 5 * MIN_US) / 1000);
	pass(&t, 6 * MIN_US);
	assert_int_equal(trial_answer(&t.w, t.house, other, ANSWER(ACCEPT)), IEUM_E_STATE_CONFLICT);
	trial_stop(&t.w);
}

static void an_accepted_place_that_lapses_soon_is_told(void **state)
{
	struct town t;
	uint8_t id[CORE_ID_BYTES];

	(void)state;
	town_start(&t, plain_hub);
	held(&t, "bed", id);
	assert_null(notice_due(&t, 14 * MIN_US));
	accepted(&t, t.house, id);
	uint64_t house = got(&t, "house"), city = got(&t, "city");

	notice_is(&t, 42 * HOUR_US, "beds", "", CHANGE(WARNED), (t.w.now + 2 * DAY_US) / 1000);
	pass(&t, 42 * HOUR_US);
	assert_int_equal(got(&t, "house"), house + 1);
	assert_int_equal(got(&t, "city"), city + 1);
	pool_is(&t, "beds", 1, 0);
	pass(&t, 6 * HOUR_US);
	pool_is(&t, "beds", 0, 0);
	trial_stop(&t.w);
}

static void a_time_that_no_pool_can_keep_is_refused(void **state)
{
	struct town t;
	uint8_t id[CORE_ID_BYTES];

	(void)state;
	town_start(&t, plain_hub);
	core_time_us now = t.w.now;
	assert_int_equal(ask(&t, "bed", now + 3 * DAY_US, 0, id), IEUM_E_FIELD_INVALID);
	assert_non_null(strstr(t.w.detail, "ask again nearer to that time"));
	assert_int_equal(ask(&t, "bed", 0, now - HOUR_US, id), IEUM_E_FIELD_INVALID);
	assert_int_equal(ask(&t, "bed", now + DAY_US, now + HOUR_US, id), IEUM_E_FIELD_INVALID);
	assert_non_null(strstr(t.w.detail, "before it begins"));
	assert_int_equal(ask(&t, "bed", now + DAY_US, now + 9 * DAY_US, id), IEUM_E_OK);
	pool_is(&t, "beds", 1, 0);
	trial_stop(&t.w);
}

/* Also where the first pool was full and nothing was held at first. */
static void the_ladder_asks_for_the_same_time(void **state)
{
	struct town t;
	uint8_t id[CORE_ID_BYTES], next[CORE_ID_BYTES];
	core_time_us until;

	(void)state;
	town_start(&t, plain_hub);
	held(&t, "bed", id);
	accepted(&t, t.house, id);
	until = t.w.now + 40 * MIN_US;
	assert_int_equal(ask(&t, "bed", 0, until, next), IEUM_E_OK);
	pass(&t, 11 * MIN_US);
	pool_is(&t, "more", 1, 0);
	assert_true(pool_view(&t, "more")->holds[0]->until_at_ms == until / 1000);
	assert_true(pool_view(&t, "more")->holds[0]->lapses_at_ms == until / 1000);
	trial_stop(&t.w);
}

/* ---- agreements ---- */

static const char agreement_hub[] =
	HEAD(", agreement: {until: 2026-10-31, warn_before: 14 d, tells: [boss]}") POOLS("", "")
		RULES;
static const char longer_hub[] =
	HEAD(", agreement: {until: 2026-12-31, warn_before: 14 d, tells: [boss]}") POOLS("", "")
		RULES;

static void an_agreement_that_ends_is_told_before_and_then(void **state)
{
	struct town t;

	(void)state;
	town_start(&t, agreement_hub);
	uint64_t clinic = got(&t, "clinic"), boss = got(&t, "boss");
	core_time_us ends = t.w.now + TO_DATE_US(62); /* the first of November */

	pass(&t, TO_DATE_US(48) - MIN_US);
	assert_int_equal(got(&t, "clinic"), clinic);
	notice_is(&t, MIN_US, "", "clinic", CHANGE(WARNED), ends / 1000);
	pass(&t, MIN_US);
	assert_int_equal(got(&t, "clinic"), clinic + 1);
	assert_int_equal(got(&t, "boss"), boss + 1);
	restart(&t);
	pass(&t, 14 * DAY_US - MIN_US);
	assert_int_equal(got(&t, "clinic"), clinic + 1);
	notice_is(&t, MIN_US, "", "clinic", CHANGE(STOPPED), ends / 1000);
	pass(&t, MIN_US);
	assert_int_equal(got(&t, "clinic"), clinic + 2);
	assert_int_equal(got(&t, "boss"), boss + 2);
	/* Told is told, also to the file that says the same again. */
	trial_reload(&t.w, plain_hub);
	trial_reload(&t.w, agreement_hub);
	pass(&t, 300 * DAY_US);
	assert_int_equal(got(&t, "clinic"), clinic + 2);
	trial_stop(&t.w);
}

static void a_renewed_agreement_is_not_told(void **state)
{
	struct town t;

	(void)state;
	town_start(&t, agreement_hub);
	uint64_t clinic = got(&t, "clinic");

	pass(&t, TO_DATE_US(48));
	assert_int_equal(got(&t, "clinic"), clinic + 1);
	trial_reload(&t.w, longer_hub);
	trial_verify(&t.w);
	pass(&t, 40 * DAY_US);
	assert_int_equal(got(&t, "clinic"), clinic + 1);
	pass(&t, 25 * DAY_US); /* past 2026-12-18 */
	assert_int_equal(got(&t, "clinic"), clinic + 2);
	trial_reload(&t.w, plain_hub);
	trial_verify(&t.w);
	pass(&t, 60 * DAY_US);
	assert_int_equal(got(&t, "clinic"), clinic + 2);
	trial_stop(&t.w);
}

/* ---- what one sender may keep ---- */

/* Of an age of its own, so that each is a need of its own. */
static enum ieum_err entered(struct town *t, uint64_t who, uint32_t age_years, const char *language)
{
	struct message m;

	message_new(&t->w, &m, TYPE(WAITLIST_ENTRY));
	message_in_case(&m, t->case_id);
	m.entry.pool = (char *)"slots";
	m.entry.age_years = age_years;
	m.entry.language = (char *)language;
	return trial_submit(&t->w, who, &m);
}

static void nobody_fills_the_waiting_lists_alone(void **state)
{
	enum { WAITS = 2500, NEEDS = 256, AGES = 100 };
	static const char *const languages[] = { "ko", "vi", "zh" };
	struct town t;

	(void)state;
	town_start(&t, plain_hub);
	counted(&t, t.clinic, "slots", 0);
	for (uint32_t i = 0; i < NEEDS; i++)
		assert_int_equal(entered(&t, t.city, 1 + i % AGES, languages[i / AGES]), IEUM_E_OK);
	assert_int_equal(entered(&t, t.city, 0, "ru"), IEUM_E_SENDER_FULL);
	assert_non_null(strstr(t.w.detail, "256 different needs"));
	for (uint32_t i = NEEDS; i < WAITS; i++)
		assert_int_equal(entered(&t, t.city, 1, "ko"), IEUM_E_OK);
	assert_int_equal(entered(&t, t.city, 1, "ko"), IEUM_E_SENDER_FULL);
	assert_non_null(strstr(t.w.detail, "2500 entries"));
	/* Others aren't hindered. */
	assert_int_equal(entered(&t, t.boss, 0, "ru"), IEUM_E_OK);
	trial_verify(&t.w);
	trial_stop(&t.w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_are_given_anew_every_monday),
		cmocka_unit_test(slots_are_given_anew_by_the_day_and_the_month),
		cmocka_unit_test(a_new_hub_file_passes_no_monday_over),
		cmocka_unit_test(many_slots_end_at_once),
		cmocka_unit_test(an_old_count_is_told_to_its_keeper),
		cmocka_unit_test(a_new_hub_file_says_when_a_count_is_stale),
		cmocka_unit_test(a_place_is_asked_for_a_time),
		cmocka_unit_test(a_hold_ends_with_the_time_it_was_asked_for),
		cmocka_unit_test(an_accepted_place_that_lapses_soon_is_told),
		cmocka_unit_test(a_time_that_no_pool_can_keep_is_refused),
		cmocka_unit_test(the_ladder_asks_for_the_same_time),
		cmocka_unit_test(an_agreement_that_ends_is_told_before_and_then),
		cmocka_unit_test(a_renewed_agreement_is_not_told),
		cmocka_unit_test(nobody_fills_the_waiting_lists_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
