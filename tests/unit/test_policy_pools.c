/* broker/policy, pools: what the section becomes, which pool suits whom, and the mistakes in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/policy/policy.h"
#include "ieum/v1/body.pb-c.h"
#include "tests/unit/hub_text.h"

#define SEX(word) IEUM__V1__SEX__SEX_##word

static const char good[] =
	"hub: {name: a.ieum, title: {en: A, ko: 가}, jurisdiction: \"41570\", time_zone: \"+09:00\"}\n"
	"calendar: {working_hours: \"09:00-18:00\", weekend: [saturday, sunday], holidays: []}\n"
	"kinds:\n"
	"  office: {title: {en: O, ko: 관}, may_send: all}\n"
	"participants:\n"
	"  city: {kind: office, title: {en: C, ko: 시}}\n"
	"  house: {kind: office, title: {en: H, ko: 집}}\n"
	"  province: {kind: office, title: {en: P, ko: 도}, jurisdiction: \"41\"}\n"
	"pools:\n"
	"  girls:\n"
	"    title: {en: Girls, ko: 여아}\n"
	"    keeper: house\n"
	"    kind: bed\n"
	"    places: 7\n"
	"    sex: female\n"
	"    ages: \"7-17\"\n"
	"    hold: 30 min\n"
	"    offer_within: 48 h\n"
	"    stale_after: 7 d\n"
	"  all:\n"
	"    title: {en: All, ko: 모두}\n"
	"    keeper: province\n"
	"    kind: bed\n"
	"    places: 3\n"
	"    siblings: true\n"
	"    languages: [ko, vi]\n"
	"    hold: 1 h\n"
	"    placement_within: 2 business hours\n"
	"  elsewhere: {title: {en: E, ko: 밖}, keeper: house, kind: bed, jurisdiction: \"41210\", places: 0, hold: 1 h}\n"
	"types: {default: {needs_basis: false}}\n"
	"rules:\n"
	"  - name: hold\n"
	"    when: {type: capacity_hold}\n"
	"    holds: first\n"
	"    answer_within: 15 min\n"
	"    then: [{to: \"pool:all#2\", within: 20 min}, {to: city}]\n"
	"    blocks_closing: true\n"
	"  - {name: told, when: {type: capacity_hold}, to: city}\n"
	"  - {name: counted, when: {type: capacity_report}, counts_places: true}\n"
	"  - {name: taken, when: {type: placement_notice}, takes_place: true}\n"
	"  - {name: free, when: {type: place_returned}, returns_place: true}\n";

static void pools_have_what_the_file_says(void **state)
{
	struct policy *p = hub_text_parsed(good);
	const struct policy_pool *girls = policy_pool(p, 0);
	const struct policy_pool *all = policy_pool(p, policy_find_pool(p, "all"));

	(void)state;
	assert_int_equal(policy_pools(p), 3);
	assert_string_equal(girls->name, "girls");
	assert_string_equal(girls->kind, "bed");
	assert_string_equal(girls->title_ko, "여아");
	assert_string_equal(girls->jurisdiction, "41570");
	assert_int_equal(girls->keeper, policy_find_participant(p, "house"));
	assert_int_equal(girls->places, 7);
	assert_int_equal(girls->sexes, 1U << SEX(FEMALE));
	assert_int_equal(girls->age_from, 7);
	assert_int_equal(girls->age_until, 17);
	assert_false(girls->siblings);
	assert_string_equal(girls->hold, "30 min");
	assert_string_equal(girls->placement_within, "30 min");
	assert_string_equal(girls->offer_within, "48 h");
	assert_string_equal(girls->stale_after, "7 d");
	assert_int_equal(girls->renews, POLICY_RENEWS_NEVER);
	assert_int_equal(policy_pool_renews_at(p, 0, 0), 0);
	assert_string_equal(all->jurisdiction, "41");
	assert_string_equal(all->placement_within, "2 business hours");
	assert_string_equal(all->offer_within, "1 h");
	assert_string_equal(all->stale_after, "");
	assert_int_equal(all->n_languages, 2);
	assert_int_equal(policy_find_pool(p, "bed"), POLICY_NONE);
	assert_null(policy_pool(p, POLICY_NONE));
	assert_null(policy_pool(p, 3));
	assert_true(policy_knows_pool(p, "bed") && policy_knows_pool(p, "girls"));
	assert_false(policy_knows_pool(p, "bad"));
	policy_free(p);
}

static void a_pool_suits_or_not(void **state)
{
	static const struct {
		struct policy_need need;
		bool suits[3]; /* girls, all, elsewhere */
	} table[] = {
		{ { "bed", "41570", SEX(FEMALE), 9, "", 1 }, { true, true, false } },
		{ { "bed", "41570", SEX(MALE), 9, "", 1 }, { false, true, false } },
		{ { "bed", "41570", SEX(UNSPECIFIED), 9, "", 1 }, { false, true, false } },
		{ { "bed", "41570", SEX(FEMALE), 7, "", 1 }, { true, true, false } },
		{ { "bed", "41570", SEX(FEMALE), 6, "", 1 }, { false, true, false } },
		{ { "bed", "41570", SEX(FEMALE), 18, "", 1 }, { false, true, false } },
		{ { "bed", "41570", SEX(FEMALE), 0, "", 1 }, { true, true, false } },
		{ { "bed", "41570", SEX(FEMALE), 9, "", 2 }, { false, true, false } },
		{ { "bed", "41570", SEX(FEMALE), 9, "vi-VN", 1 }, { true, true, false } },
		{ { "bed", "41570", SEX(FEMALE), 9, "ru", 1 }, { true, false, false } },
		{ { "bed", "41210", SEX(FEMALE), 9, "", 1 }, { false, true, true } },
		{ { "girls", "41210", SEX(FEMALE), 9, "", 1 }, { true, false, false } },
		{ { "girls", "41570", SEX(MALE), 9, "", 1 }, { false, false, false } },
		{ { "all", "41570", SEX(MALE), 9, "", 1 }, { false, true, false } },
	};
	struct policy *p = hub_text_parsed(good);

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		for (int k = 0; k < 3; k++)
			if (policy_pool_suits(p, k, &table[i].need) != table[i].suits[k])
				fail_msg("row %zu, pool %d", i, k);
	policy_free(p);
}

static void a_rule_that_holds_makes_its_request_itself(void **state)
{
	static struct policy_task task;
	struct policy *p = hub_text_parsed(good);

	(void)state;
	assert_string_equal(policy_hold_task(p, 0, &task), "15 min");
	assert_int_equal(task.effect, IEUM__V1__CASE_EFFECT__CASE_EFFECT_TAKE_PLACE);
	assert_true(task.blocks_closing);
	assert_int_equal(task.n_asked, 0);
	assert_int_equal(task.n_ladder, 2);
	assert_string_equal(task.ladder[0].to, "pool:all#2");
	assert_string_equal(task.ladder[0].within, "20 min");
	assert_string_equal(task.ladder[1].within, "15 min");
	assert_int_equal(task.ladder[0].due_at_ms, 0);

	Ieum__V1__Referral r = IEUM__V1__REFERRAL__INIT;
	struct policy_context ctx = { .referral = &r, .sender = 0, .case_owner = POLICY_NONE };
	int boxes[4];
	assert_int_equal(policy_resolve(p, "pool:all#2", &ctx, boxes, 4), 1);
	assert_int_equal(boxes[0], policy_find_mailbox(p, "province"));
	assert_int_equal(policy_resolve(p, "pool:gone", &ctx, boxes, 4), 0);
	policy_free(p);
}

static void mistakes_in_pools(void **state)
{
	static const struct hub_text_mistake table[] = {
		{ "    keeper: house\n", "    keeper: hose\n", "hose", "did you mean 'house'?" },
		{ "    keeper: house\n", "", "title: {en: Girls", "'keeper'" },
		{ "    kind: bed\n", "    kind: all\n", "all\n    places: 7",
		  "is the name of a pool" },
		{ "    kind: bed\n", "    kind: Bed\n", "Bed\n", "is no name" },
		{ "places: 7", "places: many", "many\n", "whole number" },
		{ "places: 7", "places: 100001", "100001", "0 to 100000" },
		{ "sex: female", "sex: girl", "girl\n", "unknown sex 'girl'" },
		{ "\"7-17\"", "\"17-7\"", "\"17-7\"", "end before they begin" },
		{ "\"7-17\"", "\"7\"", "\"7\"", "are no ages" },
		{ "\"7-17\"", "\"7-170\"", "\"7-170\"", "are no ages" },
		{ "\"7-17\"", "\"-17\"", "\"-17\"", "are no ages" },
		{ "[ko, vi]", "[ko, vn]", "vn]", "did you mean 'vi'?" },
		{ "    hold: 30 min\n", "", "title: {en: Girls", "'hold'" },
		{ "hold: 30 min", "hold: 0 min", "0 min", "within 0" },
		{ "stale_after: 7 d", "renews: yearly", "yearly\n", "daily" },
		{ "stale_after: 7 d", "warn_before: 0 min", "0 min\n  all", "60000" },
		{ "stale_after: 7 d", "stale_tells: city", "city\n", "without 'stale_after'" },
		{ "stale_after: 7 d", "stale_after: 7 d\n    stale_tells: cty", "cty\n",
		  "did you mean 'city'?" },
		{ "stale_after: 7 d", "stale_after: 7 d\n    stale_tells: case_owner",
		  "case_owner\n", "nobody when there is no case" },
		{ "siblings: true", "sibling: true", "sibling", "did you mean 'siblings'?" },
		{ "holds: first", "holds: last", "last\n", "first" },
		{ "    answer_within: 15 min\n"
		  "    then: [{to: \"pool:all#2\", within: 20 min}, {to: city}]\n"
		  "    blocks_closing: true\n",
		  "", "first", "'holds' needs 'answer_within'" },
		{ "pool:all#2", "pool:al", "\"pool:al\"", "did you mean 'all'?" },
		{ "pool:all#2", "pool:all#none", "\"pool:all#none\"", "number of places" },
		{ "{to: \"pool:all#2\", within", "{to: [\"pool:all\", house], within",
		  "\"pool:all\"", "the only one in its step" },
		{ "    holds: first\n", "    holds: first\n    to: house\n", "house\n    answer",
		  "asks the keepers" },
		{ "to: city}\n  - {name: counted", "to: \"pool:all\"}\n  - {name: counted",
		  "\"pool:all\"}", "by 'holds' and in 'then' only" },
		{ "    holds: first\n", "    to: house\n", "\"pool:all#2\"", "holds no places" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(good, table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pools_have_what_the_file_says),
		cmocka_unit_test(a_pool_suits_or_not),
		cmocka_unit_test(a_rule_that_holds_makes_its_request_itself),
		cmocka_unit_test(mistakes_in_pools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
