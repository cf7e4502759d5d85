/* broker/policy, loading: what each section of a hub file becomes, and every mistake with the
 * place it is told at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "broker/policy/policy.h"
#include "ieum/v1/types.pb-c.h"
#include "tests/unit/hub_text.h"

#define EXAMPLE "examples/gimpo/hub.yaml"

/* A small hub file without mistakes; each test of a mistake changes one thing in it. */
static const char good[] =
	"hub:\n"
	"  name: a.ieum\n"
	"  title: {en: A, ko: 가}\n"
	"  jurisdiction: \"41570\"\n"
	"  time_zone: \"+09:00\"\n"
	"calendar:\n"
	"  working_hours: \"09:00-18:00\"\n"
	"  weekend: [saturday, sunday]\n"
	"  holidays: [2026-10-03, 2026-10-09]\n"
	"domains: [legal, medical]\n"
	"kinds:\n"
	"  police: {title: {en: P, ko: 경}, may_send: {all_except: [case_plan]}}\n"
	"  aid: {title: {en: L, ko: 법}, may_send: [answer, service_report]}\n"
	"  watcher: {title: {en: W, ko: 명}, may_send: [risk_signal]}\n"
	"  crew: {title: {en: C, ko: 팀}, may_send: none}\n"
	"participants:\n"
	"  ps: {kind: police, title: {en: P, ko: 경}, head: boss, views: [queues], rate_per_s: 7}\n"
	"  boss: {kind: police, title: {en: B, ko: 장}, jurisdiction: \"41\"}\n"
	"  aid-1: {kind: aid, title: {en: L, ko: 법}, domains: [legal], head: team/law}\n"
	"  aid-2: {kind: aid, title: {en: M, ko: 벗}, domains: [legal], ranks: {legal: 2}}\n"
	"  clinic: {kind: aid, title: {en: H, ko: 의}, domains: [medical]}\n"
	"  eye: {kind: watcher, title: {en: E, ko: 눈}}\n"
	"bodies:\n"
	"  team: {kind: crew, title: {en: T, ko: 팀}, mode: any, roles: {law: [ps, aid-2], help: aid-1}, lead: help}\n"
	"  council: {kind: crew, title: {en: U, ko: 협}, mode: each, roles: {x: ps, y: [aid-1, ps]}, convener: x}\n"
	"types:\n"
	"  default: {needs_case: true}\n"
	"  report_received: {may_open: true, needs_basis: true}\n"
	"  information_response: {needs_case: false, needs_reply_to: true, acts_as_answer: complete}\n"
	"rules:\n"
	"  - name: no-signals\n"
	"    when: {type: risk_signal, sender_kind: watcher, addressed: true}\n"
	"    forbid: not to a person\n"
	"  - name: support\n"
	"    when: {type: referral}\n"
	"    ranked: $domain\n"
	"    answer_within: 3 business days\n"
	"    then: [{to: boss, within: 1 business day}]\n"
	"  - name: report\n"
	"    when: {type: report_received, child_at_home: true, dispatches_in_year: \">= 3\"}\n"
	"    needs_basis: [consent, statutory]\n"
	"    to: [body:team, \"provider:legal\"]\n"
	"    each: true\n"
	"    answer_within: 4 business hours\n"
	"    then: [{to: boss, on: silence}]\n"
	"    emit: {type: mutual_notification, open_case: true, link: same_incident}\n"
	"  - name: notify\n"
	"    when: {type: mutual_notification}\n"
	"    to: ps\n"
	"    answer_within: 10 min\n"
	"    then: [{to: head}]\n"
	"limits: {id_window: 7 d, attempts_max: 3, queue_bytes_max: 2 MiB}\n"
	"retention: {default: 5 years, risk_signal: 12 months}\n";

/* ---- what sections become ---- */

static void the_text_and_its_hash_are_kept(void **state)
{
	struct policy *p = hub_text_parsed(good);
	uint8_t hash[POLICY_HASH_BYTES];

	(void)state;
	assert_string_equal(policy_text(p), good);
	assert_int_equal(EVP_Digest(good, strlen(good), hash, NULL, EVP_sha256(), NULL), 1);
	assert_memory_equal(policy_hash(p), hash, sizeof hash);
	assert_string_equal(policy_hub(p), "a.ieum");
	policy_free(p);
}

static void participants_have_what_the_file_says(void **state)
{
	struct policy *p = hub_text_parsed(good);
	int ps = policy_find_participant(p, "ps");
	const struct policy_participant *who = policy_participant(p, ps);

	(void)state;
	assert_int_equal(policy_participants(p), 6);
	assert_string_equal(who->name, "ps");
	assert_string_equal(who->kind, "police");
	assert_string_equal(who->jurisdiction, "41570");
	assert_string_equal(who->title_en, "P");
	assert_string_equal(who->title_ko, "경");
	assert_int_equal(who->head, policy_find_mailbox(p, "boss"));
	assert_int_equal(who->views, POLICY_VIEW_QUEUES);
	assert_int_equal(who->rate_per_s, 7);
	assert_int_equal(who->mailbox, policy_find_mailbox(p, "ps"));
	assert_int_equal(who->n_mailboxes, 2);
	assert_int_equal(who->mailboxes[0], who->mailbox);
	assert_int_equal(who->mailboxes[1], policy_find_mailbox(p, "team/law"));
	assert_true(who->may_send & UINT64_C(1) << IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_REFERRAL);
	assert_false(who->may_send & UINT64_C(1) << IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CASE_PLAN);

	who = policy_participant(p, policy_find_participant(p, "aid-1"));
	assert_int_equal(who->head, policy_find_mailbox(p, "team/law"));
	assert_int_equal(who->n_domains, 1);
	assert_string_equal(who->domains[0], "legal");
	assert_string_equal(policy_participant(p, policy_find_participant(p, "boss"))->jurisdiction,
			    "41");

	assert_int_equal(policy_find_participant(p, "team"), POLICY_NONE);
	assert_int_equal(policy_find_participant(p, "nobody"), POLICY_NONE);
	assert_null(policy_participant(p, POLICY_NONE));
	assert_null(policy_participant(p, 6));
	policy_free(p);
}

static void bodies_have_a_mailbox_per_role_or_those_of_their_members(void **state)
{
	struct policy *p = hub_text_parsed(good);
	const struct policy_body *team = policy_body(p, policy_find_body(p, "team"));
	const struct policy_body *council = policy_body(p, policy_find_body(p, "council"));
	const struct policy_mailbox *law = policy_mailbox(p, policy_find_mailbox(p, "team/law"));

	(void)state;
	assert_int_equal(policy_bodies(p), 2);
	assert_int_equal(policy_mailboxes(p), 8);
	assert_int_equal(team->n_mailboxes, 2);
	assert_string_equal(policy_mailbox(p, team->mailboxes[0])->name, "team/law");
	assert_string_equal(policy_mailbox(p, team->lead)->name, "team/help");
	assert_int_equal(law->n_consumers, 2);
	assert_int_equal(law->consumers[1], policy_find_participant(p, "aid-2"));
	assert_int_equal(law->body, policy_find_body(p, "team"));
	assert_string_equal(law->title_ko, "팀");

	assert_int_equal(council->n_mailboxes, 2);
	assert_string_equal(policy_mailbox(p, council->mailboxes[0])->name, "ps");
	assert_string_equal(policy_mailbox(p, council->mailboxes[1])->name, "aid-1");
	assert_string_equal(policy_mailbox(p, council->lead)->name, "ps");
	assert_int_equal(policy_find_mailbox(p, "council/x"), POLICY_NONE);
	policy_free(p);
}

static void types_limits_and_retention_have_defaults(void **state)
{
	struct policy *p = hub_text_parsed(good);
	const struct policy_type *report =
		policy_type(p, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_REPORT_RECEIVED);
	const struct policy_type *response =
		policy_type(p, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_INFORMATION_RESPONSE);
	struct yaml_duration kept;

	(void)state;
	assert_true(report->needs_case && report->may_open && report->needs_basis);
	assert_false(report->needs_reply_to);
	assert_false(response->needs_case);
	assert_true(response->needs_reply_to);
	assert_int_equal(response->acts_as_answer, IEUM__V1__ANSWER_KIND__ANSWER_KIND_COMPLETE);
	assert_true(policy_type(p, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CHECKIN)->needs_case);

	assert_int_equal(policy_limits(p)->id_window_ms, 7 * INT64_C(86400000));
	assert_int_equal(policy_limits(p)->attempts_max, 3);
	assert_int_equal(policy_limits(p)->queue_bytes_max, 2 * 1024 * 1024);
	assert_int_equal(policy_limits(p)->settle_within_ms, 60000);
	assert_int_equal(policy_limits(p)->wrap_within_ms, 15 * 60000);
	assert_int_equal(policy_limits(p)->redeliver_min_ms, 1000);
	assert_int_equal(policy_limits(p)->redeliver_max_ms, 300000);
	assert_true(policy_limits(p)->queue_messages_max > 0);

	kept = policy_retention(p, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_RISK_SIGNAL);
	assert_true(kept.amount == 12 && kept.unit == YAML_UNIT_MONTH);
	kept = policy_retention(p, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_REFERRAL);
	assert_true(kept.amount == 5 && kept.unit == YAML_UNIT_YEAR);
	policy_free(p);
}

/* The way back from now finds the last moment from which the way forward ends by now. */
static void retention_ends_by_the_calendar(void **state)
{
	const Ieum__V1__MessageType signal = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_RISK_SIGNAL;
	struct policy *p = hub_text_parsed(good);
	char *without = hub_text_changed(good, "retention: {default: 5 years, risk_signal",
					 "retention: {risk_signal");
	struct policy *bare = hub_text_parsed(without);
	int64_t received, ends;

	(void)state;
	assert_true(yaml_parse_time_us("2024-02-29T10:00:00+09:00", &received));
	assert_true(yaml_parse_time_us("2025-02-28T10:00:00+09:00", &ends));
	received /= 1000;
	ends /= 1000;
	assert_int_equal(policy_kept_until(p, signal, received), ends);
	assert_in_range(policy_aged_at(p, signal, ends), received, INT64_MAX);
	assert_true(policy_aged_at(p, signal, ends - 1) < received);
	for (int64_t now = ends; now < ends + 5000000000; now += 98765432) {
		int64_t aged = policy_aged_at(p, signal, now);

		assert_true(policy_kept_until(p, signal, aged) <= now);
		assert_true(policy_kept_until(p, signal, aged + 1) > now);
	}
	assert_true(policy_aged_at(bare, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_REFERRAL, ends) ==
		    INT64_MIN);
	policy_free(bare);
	policy_free(p);
	free(without);
}

static void a_deadline_goes_through_the_calendar(void **state)
{
	struct policy *p = hub_text_parsed(good);
	int64_t friday, monday;

	(void)state;
	assert_true(yaml_parse_time_us("2026-09-18T16:00:00+09:00", &friday));
	assert_true(yaml_parse_time_us("2026-09-21T11:00:00+09:00", &monday));
	assert_int_equal(policy_due(p, friday / 1000, "4 business hours"), monday / 1000);
	assert_int_equal(policy_due(p, friday / 1000, "10 min"), friday / 1000 + 600000);
	assert_int_equal(policy_due(p, friday / 1000, ""), 0);
	policy_free(p);
}

static void the_example_has_no_mistake(void **state)
{
	static struct yaml_diag diag;
	struct policy *p = NULL;

	(void)state;
	yaml_diag_init(&diag);
	if (policy_load(EXAMPLE, &diag, &p) != IEUM_E_OK)
		yaml_diag_print(&diag, stderr);
	assert_non_null(p);
	assert_string_equal(policy_hub(p), "gimpo.ieum");
	policy_free(p);
}

/* ---- mistakes ---- */

static void mistakes_in_the_hub_and_its_calendar(void **state)
{
	static const struct hub_text_mistake table[] = {
		{ "name: a.ieum", "name: A.ieum", "A.ieum", "is no hub name" },
		{ "  name: a.ieum\n", "", "title: {en: A",
		  "key 'name' is missing" }, /* at the map's first key */
		{ "title: {en: A, ko: 가}", "title: {en: A}", "{en: A}", "key 'ko' is missing" },
		{ "\"41570\"\n", "gimpo\n", "gimpo\n", "administrative code" },
		{ "\"+09:00\"", "Asia/Seol", "Asia/Seol", "did you mean 'Asia/Seoul'?" },
		{ "\"+09:00\"", "Korean", "Korean", "write a name such as Asia/Seoul" },
		{ "\"+09:00\"", "GMT+9", "GMT+9", "unknown time zone" },
		{ "\"+09:00\"", "\"+19:00\"", "\"+19:00\"", "no offset" },
		{ "\"09:00-18:00\"", "\"9-18\"", "\"9-18\"", "no working hours" },
		{ "\"09:00-18:00\"", "\"18:00-09:00\"", "\"18:00-09:00\"",
		  "end before they begin" },
		{ "[saturday, sunday]", "[saturday, sundays]", "sundays", "sunday" },
		{ "[saturday, sunday]", "[sunday, sunday]", "sunday]", "twice" },
		{ "2026-10-09", "2026-10-32", "2026-10-32", "2026-10-32" },
		{ "2026-10-09", "2026-10-03", "2026-10-03]", "twice" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(good, table);
}

static void mistakes_in_kinds_and_participants(void **state)
{
	static const struct hub_text_mistake table[] = {
		{ "[legal, medical]", "[legal, medical, legal]", "legal]", "twice" },
		{ "[legal, medical]", "[legal, medical, Care]", "Care", "is no name" },
		{ "[legal, medical]", "[legal, medical, care]", "care]",
		  "nobody serves support domain 'care'" },
		{ "[risk_signal]", "[risk_signals]", "risk_signals",
		  "did you mean 'risk_signal'?" },
		{ "[risk_signal]", "[]", "[]", "may send nothing" },
		{ "[risk_signal]", "[risk_signal, risk_signal]", "risk_signal]", "twice" },
		{ "{all_except: [case_plan]}", "{except: [case_plan]}", "except: [",
		  "unknown key 'except'" },
		{ "  eye: {kind: watcher", "  eye: {kind: watchers", "watchers",
		  "did you mean 'watcher'?" },
		{ "  eye: {kind: watcher, ", "  eye: {", "{title: {en: E",
		  "key 'kind' is missing" },
		{ "  eye:", "  Eye_1:", "Eye_1", "lower-case letters, digits and '-'" },
		{ "head: boss,", "head: bos,", "bos,", "did you mean 'boss'?" },
		{ "views: [queues]", "views: [queue]", "queue]", "queue" },
		{ "rate_per_s: 7", "rate_per_s: 0", "0}", "out of range" },
		{ "domains: [medical]", "domains: [legal, medical, legal]", "legal]}\n  eye",
		  "twice" },
		{ "domains: [medical]", "domains: [medicine]", "medicine",
		  "unknown support domain" },
		{ "ranks: {legal: 2}", "ranks: {medical: 2}", "medical: 2",
		  "not in this participant's domains" },
		{ "ranks: {legal: 2}", "ranks: {legal: 3}", "3}", "nobody in 41570 has rank 2" },
		{ "ranks: {legal: 2}", "ranks: {legal: 9}", "9}", "out of range" },
		{ "jurisdiction: \"41\"}", "jurisdiction: \"41\", head: ps}", "boss, views",
		  "in a circle (ps, boss, ps)" },
		{ "title: {en: E, ko: 눈}}", "title: {en: E, ko: 눈}, head: eye}", "eye}",
		  "in a circle (eye, eye)" },
		{ "  eye: {", "  ps: {", "ps: {kind: watcher", "ps" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(good, table);
}

static void mistakes_in_bodies(void **state)
{
	static const struct hub_text_mistake table[] = {
		{ "roles: {law: [ps, aid-2], help: aid-1}", "roles: {law: [], help: aid-1}",
		  "[], help", "a role without members" },
		{ "roles: {x: ps, y: [aid-1, ps]}, convener: x", "roles: {}", "{}}", "needs 1 to" },
		{ "law: [ps, aid-2]", "law: [ps, aid-3]", "aid-3", "did you mean 'aid-1'?" },
		{ "law: [ps, aid-2]", "law: [ps, ps]", "ps], help", "twice" },
		{ "lead: help", "lead: helper", "helper", "did you mean 'help'?" },
		{ "lead: help", "lead: help, convener: law", "team: {kind",
		  "a lead and a convener" },
		{ "convener: x", "convener: y", "y}",
		  "'y' has 2 members; one must be responsible" },
		{ "mode: each", "mode: every", "every", "every" },
		{ "  council: {kind: crew", "  council: {kind: crow", "crow",
		  "did you mean 'crew'?" },
		{ "  council: {", "  \"ab/c\": {", "\"ab/c\"", "is no name" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(good, table);
}

static void a_body_may_not_have_a_participants_name(void **state)
{
	static const struct hub_text_mistake m = { "  council: {", "  eye: {", "eye: {kind: crew",
						   "is a participant already" };

	(void)state;
	hub_text_check(good, &m, 1);
}

static void mistakes_in_types_limits_and_retention(void **state)
{
	static const struct hub_text_mistake table[] = {
		{ "  report_received: {may_open", "  report_receive: {may_open",
		  "report_receive:", "did you mean 'report_received'?" },
		{ "may_open: true,", "may_open: yes,", "yes,", "true or false" },
		{ "acts_as_answer: complete", "acts_as_answer: completed", "completed",
		  "did you mean 'complete'?" },
		{ "id_window: 7 d", "id_window: 7 days", "7 days", "7 days" },
		{ "id_window: 7 d", "redeliver_min: 10 min, redeliver_max: 1 min", "{redeliver_min",
		  "longer than redeliver_max" },
		{ "attempts_max: 3", "attempts: 3", "attempts:", "unknown key" },
		{ "risk_signal: 12 months", "risk_signals: 12 months", "risk_signals",
		  "did you mean 'risk_signal'?" },
		{ "default: 5 years", "default: 500 years", "500 years", "too long" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(good, table);
}

static void mistakes_in_conditions(void **state)
{
	static const struct hub_text_mistake table[] = {
		{ "when: {type: referral}", "when: {type: referal}", "referal",
		  "did you mean 'referral'?" },
		{ "when: {type: referral}", "when: {type: referral, category: domestic_violance}",
		  "domestic_violance",
		  "unknown category 'domestic_violance'; did you mean 'domestic_violence'?" },
		{ "when: {type: referral}", "when: {type: referral, urgency: now}", "now}",
		  "known are: immediate" },
		{ "when: {type: referral}", "when: {type: referral, sender_kind: polise}", "polise",
		  "did you mean 'police'?" },
		{ "when: {type: referral}", "when: {type: referral, sender: pss}", "pss",
		  "did you mean 'ps'?" },
		{ "when: {type: referral}", "when: {type: referral, jurisdiction: gimpo}", "gimpo",
		  "administrative code" },
		{ "when: {type: referral}", "when: {type: referral, addressed: maybe}", "maybe",
		  "true or false" },
		{ "child_at_home: true", "child_at_hom: true", "child_at_hom",
		  "a report_received has no field 'child_at_hom'; did you mean 'child_at_home'?" },
		{ "child_at_home: true", "child_at_home: 1", "1, dis", "true or false" },
		{ "\">= 3\"", "three", "three", "is no number" },
		{ "\">= 3\"", "\"< 0\"", "\"< 0\"", "can never match" },
		{ "\">= 3\"", "-17", "-17", "can never match" },
		{ "child_at_home: true", "response_code: 7", "7, dis",
		  "unknown response_code '7'" },
		{ "when: {type: mutual_notification}",
		  "when: {type: mutual_notification, report_id: xyz}", "xyz}",
		  "can't compare them" },
		{ "when: {type: referral}", "when: referral", "referral\n", "must be a map" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(good, table);
}

static void mistakes_in_rules(void **state)
{
	static const struct hub_text_mistake table[] = {
		{ "    to: ps\n", "    to: pss\n", "pss",
		  "unknown participant 'pss'; did you mean 'ps'?" },
		{ "    to: ps\n", "    to: team\n", "team\n", "write 'body:team'" },
		{ "    to: ps\n", "    to: police\n", "police\n", "write 'role:police'" },
		{ "    to: ps\n", "    to: body:teams\n", "body:teams", "did you mean 'team'?" },
		{ "    to: ps\n", "    to: body:team/lawyer\n", "body:team/lawyer",
		  "unknown role" },
		{ "    to: ps\n", "    to: \"role:polices\"\n", "\"role:polices\"",
		  "did you mean 'police'?" },
		{ "    to: ps\n", "    to: \"role:police@x\"\n", "\"role:police@x\"",
		  "digits of a jurisdiction" },
		{ "    to: ps\n", "    to: \"provider:legal#3\"\n", "\"provider:legal#3\"",
		  "nobody has rank 3" },
		{ "    to: ps\n", "    to: \"provider:care\"\n", "\"provider:care\"",
		  "unknown support domain" },
		{ "    to: ps\n", "    to: \"head:boss\"\n", "\"head:boss\"", "has no head" },
		{ "    to: ps\n", "    to: \"mailto:x\"\n", "\"mailto:x\"", "is no address" },
		{ "ranked: $domain", "ranked: $domian", "$domian", "no text field 'domian'" },
		{ "ranked: $domain", "ranked: law", "law\n", "unknown support domain 'law'" },
		{ "answer_within: 10 min", "answer_within: 10 minutes", "10 minutes",
		  "10 minutes" },
		{ "answer_within: 10 min", "answer_within: 0", "0\n    then", "within 0" },
		{ "answer_within: 10 min", "answer_within: 5000 business days", "5000",
		  "too long" },
		{ "on: silence", "on: quiet", "quiet", "silence" },
		{ "link: same_incident", "link: same", "same}", "unknown kind of link" },
		{ "open_case: true, link", "link", "same_incident", "without \"open_case: true\"" },
		{ "needs_basis: [consent, statutory]", "needs_basis: [consents]", "consents",
		  "did you mean 'consent'?" },
		{ "    each: true\n", "    eech: true\n", "eech", "did you mean 'each'?" },
		{ "then: [{to: head}]", "then: [{within: 1 h}]", "{within: 1 h",
		  "key 'to' is missing" },
		{ "then: [{to: head}]", "then: []", "[]", "at least 1" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(good, table);
}

static void what_is_missing_is_told_beside_what_needs_it(void **state)
{
	static const struct hub_text_mistake hub = { "hub:\n", "hubs:\n",
						     "hubs:", "did you mean 'hub'?" };
	static const struct hub_text_mistake type = { "when: {type: referral}",
						      "when: {typ: referral}", "typ: referral",
						      "needs 'type' beside it" };
	static const struct hub_text_mistake within = { "    answer_within: 3 business days\n", "",
							"[{to: boss, within",
							"'then' needs 'answer_within'" };

	(void)state;
	hub_text_check(good, &hub, 2);
	hub_text_check(good, &type, 2);
	hub_text_check(good, &within, 2);
}

static void two_rules_may_not_have_one_name(void **state)
{
	static const struct hub_text_mistake m = { "name: notify", "name: support",
						   "support\n    when: {type: mutual",
						   "rule 'support' exists already (line 34)" };

	(void)state;
	hub_text_check(good, &m, 1);
}

static void rules_that_can_never_match(void **state)
{
	static const struct hub_text_mistake table[] = {
		{ "when: {type: referral}", "when: {type: referral, sender_kind: aid}", "aid}\n",
		  "can never match" },
		{ "when: {type: referral}", "when: {type: referral, sender: eye}", "eye}\n",
		  "can never match" },
		{ "when: {type: referral}", "when: {type: referral, sender_kind: hub}", "hub}\n",
		  "can never match" },
		{ "when: {type: report_received, ",
		  "when: {type: report_received, basis: imminent_danger, ", "[consent, statutory]",
		  "none of the bases" },
		{ "when: {type: referral}\n    ranked: $domain",
		  "when: {type: referral, addressed: false}\n    to: addressees", "false}",
		  "is for messages that name nobody" },
		{ "when: {type: risk_signal, sender_kind: watcher, addressed: true}",
		  "when: {type: [mutual_notification, risk_signal]}", "name: notify",
		  "rule 'no-signals' (line 31) forbids all of it" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(good, table);
}

static void rules_without_sense(void **state)
{
	static const struct hub_text_mistake table[] = {
		{ "    forbid: not to a person\n", "", "name: no-signals", "does nothing" },
		{ "    forbid: not to a person\n", "    forbid: no\n    to: ps\n", "no\n    to: ps",
		  "nothing else in it can happen" },
		{ "    ranked: $domain\n", "    ranked: $domain\n    to: ps\n", "$domain",
		  "make two rules of it" },
		{ "    ranked: $domain\n", "    case_state: managed\n", "3 business days",
		  "asks nobody" },
		{ "    to: ps\n", "    to: head\n", "head\n    answer", "only in 'then'" },
		{ "    to: ps\n", "    to: ps\n    owner: head\n", "head\n    answer",
		  "an owner must be certain" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(good, table);
}

static void ladders_that_end_at_nobody(void **state)
{
	static const struct hub_text_mistake table[] = {
		{ "    to: ps\n", "    to: boss\n", "head}]", "the head of 'boss', who has none" },
		{ "then: [{to: head}]", "then: [{to: ps}]", "ps}]",
		  "asks nobody who was not asked before" },
		{ "then: [{to: head}]", "then: [{to: head}, {to: \"role:crew@99999\"}]",
		  "\"role:crew@99999\"", "reaches nobody" },
		{ "    to: ps\n", "    to: \"role:crew@99999\"\n", "\"role:crew@99999\"",
		  "reaches nobody" },
		{ "    then: [{to: head}]\n", "", "10 min", "ends nowhere" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(good, table);
}

static void messages_of_the_hub_that_lead_nowhere_or_round(void **state)
{
	static const struct hub_text_mistake table[] = {
		{ "emit: {type: mutual_notification,", "emit: {type: information_response,",
		  "information_response, open", "it replies to a message" },
		{ "when: {type: mutual_notification}",
		  "when: {type: mutual_notification, sender_kind: police}",
		  "{type: mutual_notification, open",
		  "no rule has recipients for the mutual_notification" },
		{ "    to: ps\n", "    to: ps\n    emit: {type: mutual_notification}\n",
		  "{type: mutual_notification}\n    answer", "without end" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(good, table);
}

static void all_mistakes_are_told_at_once(void **state)
{
	static struct yaml_diag diag;
	struct policy *p = NULL;
	char *text = hub_text_changed(good, "ranked: $domain", "ranked: law");
	char *hub = strstr(text, "a.ieum");

	(void)state;
	*hub = 'A';
	yaml_diag_init(&diag);
	assert_int_equal(policy_parse("hub.yaml", text, strlen(text), &diag, &p),
			 IEUM_E_FILE_INVALID);
	assert_int_equal(diag.count, 2);
	assert_int_equal(diag.mistakes[0].line, 2);
	free(text);
}

static void mistakes_of_another_file_hide_none(void **state)
{
	static struct yaml_diag diag;
	struct policy *p = NULL;
	char *text = hub_text_changed(good, "[legal, medical]", "[legal, medical, care]");

	(void)state;
	yaml_diag_init(&diag);
	yaml_diag_add(&diag, "other.yaml", 1, 1, "wrong");
	assert_int_equal(policy_parse("hub.yaml", text, strlen(text), &diag, &p),
			 IEUM_E_FILE_INVALID);
	assert_int_equal(diag.count, 2);
	free(text);
	assert_int_equal(policy_parse("hub.yaml", good, strlen(good), &diag, &p), IEUM_E_OK);
	assert_int_equal(diag.count, 2);
	policy_free(p);
}

static void a_file_that_is_missing_or_too_large(void **state)
{
	static struct yaml_diag diag;
	struct policy *p = NULL;

	(void)state;
	yaml_diag_init(&diag);
	assert_int_equal(policy_load("examples/gimpo/no.yaml", &diag, &p), IEUM_E_FILE_UNREADABLE);
	assert_int_equal(diag.count, 1);
	assert_int_equal(policy_load("/dev/zero", &diag, &p), IEUM_E_FILE_INVALID);
	assert_int_equal(diag.count, 2);
	assert_non_null(strstr(diag.mistakes[1].text, "larger than"));
	assert_null(p);
}

/* Whatever is cut off, the loader ends with mistakes or a policy and never worse. */
static void every_part_of_a_file_is_survived(void **state)
{
	static struct yaml_diag diag;

	(void)state;
	for (size_t n = 0; n < strlen(good); n += 3) {
		struct policy *p = NULL;
		enum ieum_err err;

		yaml_diag_init(&diag);
		err = policy_parse("hub.yaml", good, n, &diag, &p);
		assert_true(err == IEUM_E_OK ? p != NULL : diag.count > 0);
		policy_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_and_its_hash_are_kept),
		cmocka_unit_test(participants_have_what_the_file_says),
		cmocka_unit_test(bodies_have_a_mailbox_per_role_or_those_of_their_members),
		cmocka_unit_test(types_limits_and_retention_have_defaults),
		cmocka_unit_test(retention_ends_by_the_calendar),
		cmocka_unit_test(a_deadline_goes_through_the_calendar),
		cmocka_unit_test(the_example_has_no_mistake),
		cmocka_unit_test(mistakes_in_the_hub_and_its_calendar),
		cmocka_unit_test(mistakes_in_kinds_and_participants),
		cmocka_unit_test(mistakes_in_bodies),
		cmocka_unit_test(a_body_may_not_have_a_participants_name),
		cmocka_unit_test(mistakes_in_types_limits_and_retention),
		cmocka_unit_test(mistakes_in_conditions),
		cmocka_unit_test(mistakes_in_rules),
		cmocka_unit_test(what_is_missing_is_told_beside_what_needs_it),
		cmocka_unit_test(two_rules_may_not_have_one_name),
		cmocka_unit_test(rules_that_can_never_match),
		cmocka_unit_test(rules_without_sense),
		cmocka_unit_test(ladders_that_end_at_nobody),
		cmocka_unit_test(messages_of_the_hub_that_lead_nowhere_or_round),
		cmocka_unit_test(all_mistakes_are_told_at_once),
		cmocka_unit_test(mistakes_of_another_file_hide_none),
		cmocka_unit_test(a_file_that_is_missing_or_too_large),
		cmocka_unit_test(every_part_of_a_file_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
