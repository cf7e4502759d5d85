/* broker/policy, who can be asked now: time zones, hours and who is on duty, languages,
 * agreements, when a person can be reached safely, and the mistakes in all of these. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/policy/policy.h"
#include "ieum/v1/body.pb-c.h"
#include "ieum/v1/types.pb-c.h"
#include "tests/unit/hub_text.h"

#define TYPE(word)    IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_##word
#define URGENCY(word) IEUM__V1__URGENCY__URGENCY_##word
#define CAUSE(word)   IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_##word
#define SEX(word)     IEUM__V1__SEX__SEX_##word

enum { HOUR_MS = 60 * 60 * 1000 };

static const char good[] =
	"hub:\n"
	"  name: a.ieum\n"
	"  title: {en: A, ko: 가}\n"
	"  jurisdiction: \"41570\"\n"
	"  time_zone: Asia/Seoul\n"
	"calendar:\n"
	"  working_hours: \"09:00-18:00\"\n"
	"  weekend: [saturday, sunday]\n"
	"domains: [medical]\n"
	"kinds:\n"
	"  police: {title: {en: Police, ko: 경찰}, may_send: all}\n"
	"  watcher: {title: {en: Watcher, ko: 명예}, may_send: [risk_signal], hears: status}\n"
	"  onlooker: {title: {en: Onlooker, ko: 참관}, may_send: [risk_signal], reads: none}\n"
	"  first: {title: {en: First, ko: 첫째}, may_send: [answer], hears: answers, reads: cases}\n"
	"  second: {title: {en: Second, ko: 둘째}, may_send: [answer]}\n"
	"  hospital: {title: {en: Hospital, ko: 병원}, may_send: [answer]}\n"
	"  crew: {title: {en: Crew, ko: 무리}, may_send: none}\n"
	"participants:\n"
	"  ps: {kind: police, title: {en: Station, ko: 경찰서}, hours: always}\n"
	"  eye: {kind: watcher, title: {en: Eye, ko: 눈}}\n"
	"  ear: {kind: onlooker, title: {en: Ear, ko: 귀}}\n"
	"  centre-1: {kind: first, title: {en: One, ko: 하나}, languages: {vi: female, ru: any}}\n"
	"  centre-2: {kind: first, title: {en: Two, ko: 둘}, languages: [zh-Hant, KO], hours: \"12:00-21:00\", duty: night}\n"
	"  centre-3: {kind: second, title: {en: Three, ko: 셋}, languages: {vi: [female, male]}}\n"
	"  centre-4: {kind: second, title: {en: Four, ko: 넷}}\n"
	"  hotline: {kind: second, title: {en: Hotline, ko: 전화}, hours: always}\n"
	"  clinic-1: {kind: hospital, title: {en: CLI, ko: 일원}, domains: [medical], agreement: {from: 2026-03-01, until: 2026-09-30}}\n"
	"  clinic-2: {kind: hospital, title: {en: CLII, ko: 이원}, domains: [medical], ranks: {medical: 2}, agreement: {until: 2026-12-31}}\n"
	"  night: {kind: first, title: {en: Night, ko: 당직}, hours: \"18:00-24:00\", duty: late-night, languages: [en]}\n"
	"  late-night: {kind: first, title: {en: Late, ko: 심야}, hours: always}\n"
	"bodies:\n"
	"  team: {kind: crew, title: {en: Team, ko: 공동팀}, roles: {law: ps, help: centre-1}, lead: help, duty: night}\n"
	"types:\n"
	"  default: {needs_basis: false}\n"
	"rules:\n"
	"  - name: report\n"
	"    when: {type: report_received}\n"
	"    to: body:team\n"
	"    each: true\n"
	"    answer_within: 4 business hours\n"
	"    then: [{to: hotline}]\n"
	"  - name: told\n"
	"    when: {type: service_report}\n"
	"    to: centre-2\n"
	"  - name: interpreter\n"
	"    when: {type: interpreter_request}\n"
	"    to: \"role:first\"\n"
	"    matching: {language: $language, sex: $sex}\n"
	"    answer_within: 15 min\n"
	"    then:\n"
	"      - to: [\"role:second@41570\", hotline]\n"
	"      - to: ps\n"
	"  - name: russian\n"
	"    when: {type: referral}\n"
	"    to: \"role:first[ru]\"\n"
	"    answer_within: 1 h\n"
	"  - name: medical\n"
	"    when: {type: medical_request}\n"
	"    ranked: medical\n"
	"    answer_within: 15 min\n"
	"  - name: medical-known\n"
	"    when: {type: medical_request, addressed: true}\n"
	"    to: addressees\n"
	"    answer_within: 15 min\n"
	"  - name: visit\n"
	"    when: {type: visit_request}\n"
	"    to: \"role:hospital\"\n"
	"    contact_at: $visit_by_at_ms\n"
	"notification: {en: There is something new for you., ko: 확인할 내용이 있습니다.}\n";

static struct policy *policy;

/* One message and what came of it. */
static struct {
	Ieum__V1__Referral referral;
	Ieum__V1__Envelope envelope;
	Ieum__V1__InterpreterRequest interpreter;
	Ieum__V1__VisitRequest visit;
	Ieum__V1__Addressee addressee;
	Ieum__V1__Addressee *addressees[1];
	int excluded[1];
	struct policy_context ctx;
	struct policy_decision out;
	char detail[200];
} m;

static int64_t at(const char *minute)
{
	char text[YAML_TIME_TEXT_BYTES];
	int64_t us;

	(void)snprintf(text, sizeof text, "%s:00+09:00", minute);
	assert_true(yaml_parse_time_us(text, &us));
	return us / 1000;
}

static void message(const char *sender, Ieum__V1__MessageType type, const char *minute)
{
	ieum__v1__referral__init(&m.referral);
	ieum__v1__envelope__init(&m.envelope);
	m.referral.envelope = &m.envelope;
	m.envelope.type = type;
	m.ctx = (struct policy_context){ .referral = &m.referral,
					 .sender = policy_find_participant(policy, sender),
					 .now_ms = at(minute),
					 .case_owner = POLICY_NONE };
	assert_true(m.ctx.sender != POLICY_NONE);
}

static enum ieum_err decide(void)
{
	*m.detail = '\0';
	return policy_decide(policy, &m.ctx, &m.out, m.detail, sizeof m.detail);
}

static void decided(void)
{
	if (decide() != IEUM_E_OK)
		fail_msg("refused: %s", m.detail);
}

/* "team/law, night" */
static void names_are(const int *boxes, size_t n, const char *want)
{
	char got[400] = "";
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(got + used, sizeof got - used, "%s%s", used ? ", " : "",
					 policy_mailbox(policy, boxes[i])->name);
	assert_string_equal(got, want);
}

static void routes_are(const char *want)
{
	int boxes[POLICY_ROUTES_MAX];

	for (size_t i = 0; i < m.out.n_routes; i++)
		boxes[i] = m.out.routes[i].mailbox;
	names_are(boxes, m.out.n_routes, want);
}

static void asked_are(size_t task, const char *want)
{
	assert_true(task < m.out.n_tasks);
	names_are(m.out.tasks[task].asked, m.out.tasks[task].n_asked, want);
}

static void exclude(const char *name)
{
	m.excluded[0] = policy_find_participant(policy, name);
	m.ctx.excluded = m.excluded;
	m.ctx.n_excluded = 1;
}

/* ---- time zones ---- */

static void due_is(const char *zone, const char *from, const char *within, const char *to)
{
	char *text = hub_text_changed(good, "Asia/Seoul", zone);
	struct policy *p = hub_text_parsed(text);
	char got[YAML_TIME_TEXT_BYTES];
	int64_t from_us;

	assert_true(yaml_parse_time_us(from, &from_us));
	int64_t due_ms = policy_due(p, from_us / 1000, within);
	assert_true(yaml_format_time_us(due_ms * 1000, policy_offset_min(p, due_ms), got));
	assert_string_equal(got, to);
	policy_free(p);
	free(text);
}

static void a_zone_has_the_offsets_of_its_country(void **state)
{
	static const char h4[] = "4 business hours";

	(void)state;
	due_is("Asia/Seoul", "2026-09-18T16:00:00+09:00", h4, "2026-09-21T11:00:00+09:00");
	due_is("\"+09:00\"", "2026-09-18T16:00:00+09:00", h4, "2026-09-21T11:00:00+09:00");
	/* Seoul had summer time in 1988. */
	due_is("Asia/Seoul", "1988-07-01T16:00:00+10:00", h4, "1988-07-04T11:00:00+10:00");
	due_is("Europe/Berlin", "2026-03-27T16:00:00+01:00", h4, "2026-03-30T11:00:00+02:00");
	due_is("Europe/Berlin", "2026-10-23T16:00:00+02:00", h4, "2026-10-26T11:00:00+01:00");
	due_is("Europe/Berlin", "2099-07-03T16:00:00+02:00", h4, "2099-07-06T11:00:00+02:00");
	due_is("America/St_Johns", "2026-01-16T16:00:00-03:30", h4, "2026-01-19T11:00:00-03:30");
	due_is("Australia/Lord_Howe", "2026-07-17T16:00:00+10:30", h4, "2026-07-20T11:00:00+10:30");
	due_is("UTC", "2026-09-18T16:00:00Z", h4, "2026-09-21T11:00:00Z");
}

/* ---- duty ---- */

static void at_night_whoever_is_on_duty_gets_what_cannot_wait(void **state)
{
	(void)state;
	message("ps", TYPE(REPORT_RECEIVED), "2026-09-28T19:00");
	m.envelope.urgency = URGENCY(IMMEDIATE);
	decided();
	routes_are("team/law, team/help, night");
	assert_int_equal(m.out.routes[2].cause, CAUSE(DUTY));
	assert_int_equal(m.out.n_tasks, 2);
	asked_are(0, "team/law, night");
	asked_are(1, "team/help, night");
	/* The clock of the request is still the team's. */
	assert_int_equal(m.out.tasks[0].due_at_ms, at("2026-09-29T13:00"));
}

static void by_day_and_when_it_can_wait_nobody_is_paged(void **state)
{
	(void)state;
	message("ps", TYPE(REPORT_RECEIVED), "2026-09-28T17:59");
	m.envelope.urgency = URGENCY(IMMEDIATE);
	decided();
	routes_are("team/law, team/help");
	message("ps", TYPE(REPORT_RECEIVED), "2026-09-28T19:00");
	m.envelope.urgency = URGENCY(URGENT);
	decided();
	routes_are("team/law, team/help");
	message("ps", TYPE(REPORT_RECEIVED), "2026-09-28T19:00");
	decided();
	routes_are("team/law, team/help");
}

static void duty_goes_on_to_whoever_is_there(void **state)
{
	(void)state;
	message("ps", TYPE(REPORT_RECEIVED), "2026-09-28T03:00");
	m.envelope.urgency = URGENCY(IMMEDIATE);
	decided();
	routes_are("team/law, team/help, late-night");
	/* On a Sunday the night shift isn't there either. */
	message("ps", TYPE(REPORT_RECEIVED), "2026-09-27T19:00");
	m.envelope.urgency = URGENCY(IMMEDIATE);
	decided();
	routes_are("team/law, team/help, late-night");
}

static void own_hours_decide_whether_somebody_is_there(void **state)
{
	(void)state;
	message("ps", TYPE(SERVICE_REPORT), "2026-09-28T20:00");
	m.envelope.urgency = URGENCY(IMMEDIATE);
	decided();
	routes_are("centre-2");
	message("ps", TYPE(SERVICE_REPORT), "2026-09-28T22:00");
	m.envelope.urgency = URGENCY(IMMEDIATE);
	decided();
	routes_are("centre-2, night");
	assert_int_equal(m.out.routes[1].task, -1);
	/* Hours of the hub's day, not of its own. */
	message("ps", TYPE(SERVICE_REPORT), "2026-09-28T10:00");
	m.envelope.urgency = URGENCY(IMMEDIATE);
	decided();
	routes_are("centre-2, late-night");
}

static void whoever_has_a_conflict_is_on_duty_for_nobody(void **state)
{
	(void)state;
	message("ps", TYPE(REPORT_RECEIVED), "2026-09-28T19:00");
	m.envelope.urgency = URGENCY(IMMEDIATE);
	exclude("night");
	decided();
	/* The next along the way is there for the team all the same. */
	routes_are("team/law, team/help, late-night");
	asked_are(0, "team/law, late-night");
	message("ps", TYPE(REPORT_RECEIVED), "2026-09-28T03:00");
	m.envelope.urgency = URGENCY(IMMEDIATE);
	exclude("late-night");
	decided();
	routes_are("team/law, team/help, night");
}

static void a_step_of_a_ladder_finds_who_is_on_duty(void **state)
{
	int box = policy_find_mailbox(policy, "team/law");

	(void)state;
	message("ps", TYPE(REPORT_RECEIVED), "2026-09-28T19:00");
	assert_int_equal(policy_duty(policy, &m.ctx, box), POLICY_NONE);
	m.envelope.urgency = URGENCY(IMMEDIATE);
	assert_int_equal(policy_duty(policy, &m.ctx, box), policy_find_mailbox(policy, "night"));
	assert_int_equal(policy_duty(policy, &m.ctx, policy_find_mailbox(policy, "clinic-1")),
			 POLICY_NONE);
}

/* ---- agreements ---- */

static void providers_count_on_the_days_of_their_agreement(void **state)
{
	(void)state;
	message("ps", TYPE(MEDICAL_REQUEST), "2026-02-28T23:59");
	decided();
	routes_are("clinic-2");
	message("ps", TYPE(MEDICAL_REQUEST), "2026-03-01T00:00");
	decided();
	routes_are("clinic-1");
	message("ps", TYPE(MEDICAL_REQUEST), "2026-09-30T23:59");
	decided();
	routes_are("clinic-1");
	message("ps", TYPE(MEDICAL_REQUEST), "2026-10-01T00:00");
	decided();
	routes_are("clinic-2");
	message("ps", TYPE(MEDICAL_REQUEST), "2027-01-01T00:00");
	assert_int_equal(decide(), IEUM_E_NO_ROUTE);
}

static void a_role_has_those_whose_agreement_runs(void **state)
{
	(void)state;
	message("ps", TYPE(VISIT_REQUEST), "2026-09-28T10:00");
	decided();
	routes_are("clinic-1, clinic-2");
	message("ps", TYPE(VISIT_REQUEST), "2026-10-01T10:00");
	decided();
	routes_are("clinic-2");
}

static void by_its_name_it_is_reached_for_ever(void **state)
{
	(void)state;
	message("ps", TYPE(MEDICAL_REQUEST), "2027-02-01T10:00");
	ieum__v1__addressee__init(&m.addressee);
	m.addressee.to_case = IEUM__V1__ADDRESSEE__TO_PARTICIPANT;
	m.addressee.participant = (char *)"clinic-1";
	m.addressees[0] = &m.addressee;
	m.envelope.addressees = m.addressees;
	m.envelope.n_addressees = 1;
	decided();
	routes_are("clinic-1");
	asked_are(0, "clinic-1");
}

static void an_agreement_ends_with_its_last_day(void **state)
{
	(void)state;
	assert_int_equal(policy_agreement_ends_ms(policy,
						  policy_find_participant(policy, "clinic-1")),
			 at("2026-10-01T00:00"));
	assert_int_equal(policy_agreement_ends_ms(policy, policy_find_participant(policy, "ps")),
			 INT64_MAX);
}

/* ---- languages ---- */

static void interpreter(const char *language, Ieum__V1__Sex sex)
{
	message("ps", TYPE(INTERPRETER_REQUEST), "2026-09-28T10:00");
	ieum__v1__interpreter_request__init(&m.interpreter);
	m.interpreter.language = (char *)language;
	m.interpreter.sex = sex;
	m.referral.body_case = IEUM__V1__REFERRAL__BODY_INTERPRETER_REQUEST;
	m.referral.interpreter_request = &m.interpreter;
}

static void only_those_who_speak_it_are_asked(void **state)
{
	(void)state;
	interpreter("vi", SEX(FEMALE));
	decided();
	routes_are("centre-1");
	interpreter("ru", SEX(MALE));
	decided();
	routes_are("centre-1");
	interpreter("ko", SEX(FEMALE));
	decided();
	routes_are("centre-2");
	interpreter("zh-hant", 0);
	decided();
	routes_are("centre-2");
}

static void a_tag_that_only_says_it_more_exactly_is_the_same_language(void **state)
{
	(void)state;
	interpreter("vi-VN", 0);
	decided();
	routes_are("centre-1");
	interpreter("zh", 0);
	decided();
	routes_are("centre-2");
	interpreter("zh-Hans", 0);
	decided();
	routes_are("hotline");
	interpreter("v", 0);
	decided();
	routes_are("hotline");
}

static void the_ladder_looks_for_the_same(void **state)
{
	int boxes[POLICY_ROUTES_MAX];

	(void)state;
	interpreter("vi", SEX(FEMALE));
	decided();
	assert_int_equal(m.out.tasks[0].n_ladder, 2);
	assert_string_equal(m.out.tasks[0].ladder[0].to, "role:second@41570[vi,female], hotline");
	assert_string_equal(m.out.tasks[0].ladder[1].to, "ps");
	/* As the core resolves it when the step fires: of the body nothing is known then. */
	m.referral.body_case = 0;
	m.referral.interpreter_request = NULL;
	size_t n = policy_resolve(policy, m.out.tasks[0].ladder[0].to, &m.ctx, boxes,
				  POLICY_ROUTES_MAX);
	names_are(boxes, n, "centre-3, hotline");
	n = policy_resolve(policy, "role:second[male]", &m.ctx, boxes, POLICY_ROUTES_MAX);
	names_are(boxes, n, "centre-3");
	n = policy_resolve(policy, "role:second", &m.ctx, boxes, POLICY_ROUTES_MAX);
	names_are(boxes, n, "centre-3, centre-4, hotline");
	n = policy_resolve(policy, "role:second[vi,female,male]", &m.ctx, boxes, POLICY_ROUTES_MAX);
	assert_int_equal(n, 0);
}

static void when_nobody_of_the_first_speaks_it_the_next_are_asked_at_once(void **state)
{
	(void)state;
	interpreter("vi", SEX(MALE));
	decided();
	routes_are("centre-3, hotline");
	asked_are(0, "centre-3, hotline");
	assert_int_equal(m.out.tasks[0].n_ladder, 1);
	assert_int_equal(m.out.tasks[0].due_at_ms, at("2026-09-28T10:15"));
	interpreter("uz", 0);
	decided();
	routes_are("hotline");
}

static void who_is_excluded_is_not_asked_in_its_language(void **state)
{
	(void)state;
	interpreter("vi", SEX(FEMALE));
	exclude("centre-1");
	decided();
	routes_are("centre-3, hotline");
}

static void an_address_can_name_the_language_itself(void **state)
{
	(void)state;
	message("ps", TYPE(REFERRAL), "2026-09-28T10:00");
	decided();
	routes_are("centre-1");
	exclude("centre-1");
	assert_int_equal(decide(), IEUM_E_CONFLICT_OF_INTEREST);
}

static void what_is_no_language_gets_into_no_address(void **state)
{
	(void)state;
	interpreter("vi],ps,role:first[ru", 0);
	assert_int_equal(decide(), IEUM_E_FIELD_INVALID);
}

/* ---- safe contact ---- */

static struct policy_contact mornings = {
	/* Monday to Thursday 09:00-11:30, and Sunday noon. */
	.windows = { { .weekdays = 0x1e, .from_min = 540, .until_min = 690 },
		     { .weekdays = 0x01, .from_min = 720, .until_min = 780 } },
	.n_windows = 2,
};

static enum ieum_err visit_at(const char *minute, const struct policy_contact *known)
{
	message("ps", TYPE(VISIT_REQUEST), "2026-09-25T10:00");
	ieum__v1__visit_request__init(&m.visit);
	m.visit.visit_by_at_ms = minute ? at(minute) : 0;
	m.referral.body_case = IEUM__V1__REFERRAL__BODY_VISIT_REQUEST;
	m.referral.visit_request = &m.visit;
	m.ctx.case_contact = known;
	return decide();
}

static void an_unsafe_time_is_refused(void **state)
{
	(void)state;
	assert_int_equal(visit_at("2026-09-28T08:59", &mornings), IEUM_E_UNSAFE_CONTACT_TIME);
	assert_string_equal(m.detail, "visit_request.visit_by_at_ms: rule 'visit'");
	assert_int_equal(visit_at("2026-09-28T09:00", &mornings), IEUM_E_OK);
	assert_int_equal(visit_at("2026-09-28T11:30", &mornings), IEUM_E_OK);
	assert_int_equal(visit_at("2026-09-28T11:31", &mornings), IEUM_E_UNSAFE_CONTACT_TIME);
	assert_int_equal(visit_at("2026-10-02T09:00", &mornings), IEUM_E_UNSAFE_CONTACT_TIME);
	assert_int_equal(visit_at("2026-09-27T12:30", &mornings), IEUM_E_OK);
	assert_int_equal(visit_at(NULL, &mornings), IEUM_E_OK);
	assert_int_equal(visit_at("2026-09-28T03:00", NULL), IEUM_E_OK);
}

static void what_the_message_says_comes_before_what_the_case_knows(void **state)
{
	uint32_t days[] = { 6, 7 };
	Ieum__V1__ContactWindow window = IEUM__V1__CONTACT_WINDOW__INIT;
	Ieum__V1__ContactWindow *windows[] = { &window };
	Ieum__V1__SafeContact stated = IEUM__V1__SAFE_CONTACT__INIT;

	(void)state;
	window.weekdays = days;
	window.n_weekdays = 2;
	window.from_minute = 1200;
	window.until_minute = 1440;
	stated.windows = windows;
	stated.n_windows = 1;
	(void)visit_at("2026-09-27T23:59", &mornings);
	assert_int_equal(decide(), IEUM_E_UNSAFE_CONTACT_TIME);
	m.envelope.safe_contact = &stated;
	assert_int_equal(decide(), IEUM_E_OK);
	m.visit.visit_by_at_ms = at("2026-09-28T09:30"); /* a Monday */
	assert_int_equal(decide(), IEUM_E_UNSAFE_CONTACT_TIME);
	/* Without windows: at any time. */
	stated.n_windows = 0;
	assert_int_equal(decide(), IEUM_E_OK);
}

/* ---- what kinds hear and read, and the neutral text ---- */

static void kinds_say_what_they_hear_and_read(void **state)
{
	const struct policy_participant *eye, *ear, *first;
	const char *en, *ko;

	(void)state;
	eye = policy_participant(policy, policy_find_participant(policy, "eye"));
	ear = policy_participant(policy, policy_find_participant(policy, "ear"));
	first = policy_participant(policy, policy_find_participant(policy, "centre-1"));
	assert_true(eye->hears_status && eye->reads_nothing);
	assert_true(!ear->hears_status && ear->reads_nothing);
	assert_true(!first->hears_status && !first->reads_nothing);
	policy_notification(policy, &en, &ko);
	assert_string_equal(en, "There is something new for you.");
	assert_string_equal(ko, "확인할 내용이 있습니다.");
}

/* ---- mistakes ---- */

static void mistakes_in_hours_and_duty(void **state)
{
	static const struct hub_text_mistake table[] = {
		{ "duty: night}\n  centre-3", "duty: nigth}\n  centre-3", "nigth",
		  "unknown duty contact 'nigth'; did you mean 'night'?" },
		{ "duty: late-night", "duty: night", "night, languages",
		  "the duty contacts go in a circle (night, night)" },
		{ "ko: 심야}, hours: always", "ko: 심야}, duty: night", "late-night, languages",
		  "the duty contacts go in a circle (night, late-night, night)" },
		{ "ko: 심야}, hours: always", "ko: 심야}, hours: always, duty: ps", "ps}\nbodies",
		  "nobody is on duty for who is there always" },
		{ "\"12:00-21:00\"", "\"21:00-12:00\"", "\"21:00-12:00\"",
		  "end before they begin" },
		{ "\"12:00-21:00\"", "alway", "alway,", "are no working hours" },
		{ "lead: help, duty: night", "mode: each, duty: night", "night}\ntypes",
		  "give 'hours' and 'duty' to them" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(good, table);
}

static void hours_can_differ_by_the_day(void **state)
{
	static const char by_day[] =
		"working_hours: {default: \"09:00-18:00\", saturday: \"09:00-13:00\"}";
	char *text = hub_text_changed(good, "working_hours: \"09:00-18:00\"", by_day);
	struct policy *p = hub_text_parsed(text);

	(void)state;
	/* Friday 16:00, over Saturday's four hours: two of them are enough. */
	int64_t from_ms = at("2026-03-06T16:00");
	assert_int_equal(policy_due(p, from_ms, "4 business hours"), at("2026-03-07T11:00"));
	assert_int_equal(policy_due(policy, from_ms, "4 business hours"), at("2026-03-09T11:00"));
	policy_free(p);
	free(text);
}

static void a_list_of_holidays_ends(void **state)
{
	static const char listed[] =
		"weekend: [saturday, sunday]\n  holidays: [2026-05-05, 2026-12-25]\n";
	static const char until[] =
		"weekend: [saturday, sunday]\n  holidays: [2026-05-05]\n  holidays_until: 2026-12-31\n"
		"  warn_before: 10 d\n";
	char *one = hub_text_changed(good, "weekend: [saturday, sunday]\n", listed);
	char *other = hub_text_changed(good, "weekend: [saturday, sunday]\n", until);
	struct policy *p = hub_text_parsed(one), *q = hub_text_parsed(other);

	(void)state;
	assert_false(policy_holidays_end_soon(policy, at("2026-03-03T10:00")));
	assert_int_equal(policy_holidays_end_ms(policy), INT64_MAX);
	assert_int_equal(policy_holidays_end_ms(p), at("2026-12-26T00:00"));
	assert_false(policy_holidays_end_soon(p, at("2026-10-26T00:00")));
	assert_true(policy_holidays_end_soon(p, at("2026-10-27T00:00")));
	assert_true(policy_holidays_end_soon(p, at("2027-10-27T00:00")));
	assert_int_equal(policy_holidays_end_ms(q), at("2027-01-01T00:00"));
	assert_false(policy_holidays_end_soon(q, at("2026-12-21T23:59")));
	assert_true(policy_holidays_end_soon(q, at("2026-12-22T00:00")));
	policy_free(p);
	policy_free(q);
	free(one);
	free(other);
}

static void mistakes_in_the_calendar(void **state)
{
	static const struct hub_text_mistake table[] = {
		{ "working_hours: \"09:00-18:00\"", "working_hours: {saturday: \"09:00-13:00\"}",
		  "{saturday", "key 'default' is missing" },
		{ "working_hours: \"09:00-18:00\"",
		  "working_hours: {default: \"09:00-18:00\", satuday: \"09:00-13:00\"}", "satuday",
		  "did you mean 'saturday'?" },
		{ "working_hours: \"09:00-18:00\"",
		  "working_hours: {default: \"09:00-18:00\", saturday: \"13:00-09:00\"}",
		  "\"13:00-09:00\"", "end before they begin" },
		{ "weekend: [saturday, sunday]",
		  "weekend: [saturday, sunday]\n  holidays: [2027-05-05]\n  holidays_until: 2026-12-31",
		  "2026-12-31", "has a holiday after 2026-12-31" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(good, table);
}

static void mistakes_in_languages(void **state)
{
	static const struct hub_text_mistake table[] = {
		{ "[zh-Hant, KO]", "[zh-Hant, vn]", "vn]", "did you mean 'vi'?" },
		{ "[zh-Hant, KO]", "[korean]", "korean", "write its BCP 47 tag" },
		{ "[zh-Hant, KO]", "[ko, KO]", "KO]", "twice" },
		{ "[zh-Hant, KO]", "[]", "[]", "" },
		{ "vi: female", "vi: femal", "femal", "unknown sex 'femal'" },
		{ "$language, sex: $sex", "$languages, sex: $sex", "$languages",
		  "has no text field 'languages' that could name a language" },
		{ "$language, sex: $sex", "$language, sex: $needed_at_ms", "$needed_at_ms",
		  "has no field 'needed_at_ms' that could say a sex" },
		{ "{language: $language, sex: $sex}", "{}", "{}", "'language', 'sex' or both" },
		{ "role:first[ru]", "role:first[xx]", "\"role:first[xx]\"", "'xx' is no language" },
		{ "role:first[ru]", "role:first[ru", "\"role:first[ru\"", "needs a language" },
		{ "role:first[ru]", "role:first[]", "\"role:first[]\"", "needs a language" },
		{ "role:first[ru]", "body:team[ru]", "\"body:team[ru]\"", "unknown body" },
		{ "    to: centre-2\n", "    matching: {language: vi}\n    case_state: managed\n",
		  "{language: vi}", "names nobody of whom 'matching' could choose" },
		{ "role:first[ru]", "role:first[uz]", "\"role:first[uz]\"", "reaches nobody" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(good, table);
}

static void mistakes_in_agreements(void **state)
{
	static const struct hub_text_mistake table[] = {
		{ "until: 2026-09-30", "until: 2026-02-01", "2026-02-01",
		  "the agreement ends (2026-02-01) before it begins (2026-03-01)" },
		{ "{until: 2026-12-31}", "{}", "{}", "say 'from', 'until' or both" },
		{ "{from: 2026-03-01, until: 2026-09-30}", "{from: 2026-03-01, warn_before: 60 d}",
		  "{from: 2026-03-01, warn", "never ends, so nobody is ever told" },
		{ "{until: 2026-12-31}", "{until: 2026-12-31, tells: [head]}", "head]",
		  "nobody when there is no case" },
		{ "{until: 2026-12-31}", "{until: 2026-13-31}", "2026-13-31", "2026-13-31" },
		{ "{until: 2026-12-31}", "{from: 2026-10-01}", "2}, agreement",
		  "nobody in 41570 has rank 1 on any day of its agreement" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(good, table);
}

static void mistakes_in_safe_contact_and_what_is_told(void **state)
{
	static const struct hub_text_mistake table[] = {
		{ "$visit_by_at_ms", "visit_by_at_ms", "visit_by_at_ms",
		  "names a time of the body" },
		{ "$visit_by_at_ms", "$failed_contacts", "$failed_contacts",
		  "has no time 'failed_contacts'" },
		{ "hears: status", "hears: nothing", "nothing", "answers" },
		{ "reads: none", "reads: case", "case}", "cases" },
		{ "There is something", "The police have something", "The police",
		  "this text names 'Police'" },
		{ "There is something", "Policemen have something", "Policemen",
		  "this text names 'Police'" },
		{ "확인할", "공동팀에서 확인할", "공동팀에서", "this text names '공동팀'" },
		{ ", ko: 확인할 내용이 있습니다.", "", "{en: There", "key 'ko' is missing" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(good, table);
}

static void a_short_title_is_named_as_a_word_only(void **state)
{
	static const struct hub_text_mistake as_a_word[] = {
		{ "{en: Police, ko: 경찰}", "{en: is, ko: 경찰}", "There is",
		  "this text names 'is'" },
	};
	char *text = hub_text_changed(good, "{en: Police, ko: 경찰}", "{en: so, ko: 경찰}");
	struct policy *p = hub_text_parsed(text);

	(void)state;
	policy_free(p);
	free(text);
	HUB_TEXT_CHECK_ALL(good, as_a_word);
}

static int begin(void **state)
{
	(void)state;
	policy = hub_text_parsed(good);
	return 0;
}

static int end(void **state)
{
	(void)state;
	policy_free(policy);
	return 0;
}

static int left_to(const struct policy *p, const char *mailbox)
{
	int to = policy_left_to(p, mailbox);

	return to == POLICY_NONE ? to : policy_find_mailbox(p, policy_mailbox(p, to)->name);
}

static void who_left_has_a_successor(void **state)
{
	char *text = hub_text_changed(good, "rules:\n",
				      "left:\n"
				      "  gone: {to: ps, since: 2026-10-01}\n"
				      "  old-team: {to: team}\n"
				      "  third/x: {to: team/law}\n"
				      "rules:\n");
	struct policy *p = hub_text_parsed(text);

	(void)state;
	assert_int_equal(left_to(p, "gone"), policy_find_mailbox(p, "ps"));
	assert_int_equal(left_to(p, "old-team/law"), policy_find_mailbox(p, "team/law"));
	assert_int_equal(left_to(p, "old-team/other"), policy_find_mailbox(p, "team/help"));
	assert_int_equal(left_to(p, "third/x"), policy_find_mailbox(p, "team/law"));
	assert_int_equal(left_to(p, "third/y"), POLICY_NONE);
	assert_int_equal(left_to(p, "nobody"), POLICY_NONE);
	policy_free(p);
	free(text);
}

static void mistakes_of_who_left(void **state)
{
	static const struct hub_text_mistake table[] = {
		{ "rules:\n", "left: {ps: {to: eye}}\nrules:\n", "ps: {to: eye}",
		  "'ps' is in this file; only who left it has a successor here" },
		{ "rules:\n", "left: {gone: {to: centre-5}}\nrules:\n", "centre-5}",
		  "unknown participant or body 'centre-5'; did you mean 'centre-" },
		{ "rules:\n", "left: {gone: {to: eye, since: soon}}\nrules:\n", "soon}", "soon" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(good, table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zone_has_the_offsets_of_its_country),
		cmocka_unit_test(at_night_whoever_is_on_duty_gets_what_cannot_wait),
		cmocka_unit_test(by_day_and_when_it_can_wait_nobody_is_paged),
		cmocka_unit_test(duty_goes_on_to_whoever_is_there),
		cmocka_unit_test(own_hours_decide_whether_somebody_is_there),
		cmocka_unit_test(whoever_has_a_conflict_is_on_duty_for_nobody),
		cmocka_unit_test(a_step_of_a_ladder_finds_who_is_on_duty),
		cmocka_unit_test(providers_count_on_the_days_of_their_agreement),
		cmocka_unit_test(a_role_has_those_whose_agreement_runs),
		cmocka_unit_test(by_its_name_it_is_reached_for_ever),
		cmocka_unit_test(an_agreement_ends_with_its_last_day),
		cmocka_unit_test(only_those_who_speak_it_are_asked),
		cmocka_unit_test(a_tag_that_only_says_it_more_exactly_is_the_same_language),
		cmocka_unit_test(the_ladder_looks_for_the_same),
		cmocka_unit_test(when_nobody_of_the_first_speaks_it_the_next_are_asked_at_once),
		cmocka_unit_test(who_is_excluded_is_not_asked_in_its_language),
		cmocka_unit_test(an_address_can_name_the_language_itself),
		cmocka_unit_test(what_is_no_language_gets_into_no_address),
		cmocka_unit_test(an_unsafe_time_is_refused),
		cmocka_unit_test(what_the_message_says_comes_before_what_the_case_knows),
		cmocka_unit_test(kinds_say_what_they_hear_and_read),
		cmocka_unit_test(mistakes_in_hours_and_duty),
		cmocka_unit_test(hours_can_differ_by_the_day),
		cmocka_unit_test(a_list_of_holidays_ends),
		cmocka_unit_test(mistakes_in_the_calendar),
		cmocka_unit_test(mistakes_in_languages),
		cmocka_unit_test(mistakes_in_agreements),
		cmocka_unit_test(mistakes_in_safe_contact_and_what_is_told),
		cmocka_unit_test(a_short_title_is_named_as_a_word_only),
		cmocka_unit_test(who_left_has_a_successor),
		cmocka_unit_test(mistakes_of_who_left),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
