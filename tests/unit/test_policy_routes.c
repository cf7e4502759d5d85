/* broker/policy, deciding: whom the example of Gimpo brings a message to, by when and then
 * whom; what is refused and why; and the order among rules, on small files. */
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

#define EXAMPLE        "examples/gimpo/hub.yaml"
#define TYPE(word)     IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_##word
#define CATEGORY(word) IEUM__V1__CATEGORY__CATEGORY_##word
#define BASIS(word)    IEUM__V1__BASIS_KIND__BASIS_KIND_##word
#define CAUSE(word)    IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_##word
#define STOPS(word)    IEUM__V1__STOPS_AT__STOPS_AT_##word

enum { MIN_MS = 60 * 1000, HOUR_MS = 60 * MIN_MS };

static struct policy *gimpo;

/* One message and what came of it. */
struct fixture {
	const struct policy *p;
	Ieum__V1__Referral referral;
	Ieum__V1__Envelope envelope;
	Ieum__V1__LegalBasis basis;
	Ieum__V1__ReportReceived report;
	Ieum__V1__Addressee addressee[2];
	Ieum__V1__RoleIn role;
	Ieum__V1__Addressee *addressees[2];
	int excluded[4];
	struct policy_context ctx;
	struct policy_decision out;
	char detail[200];
};

static uint8_t some_id[16] = { 1 };

static int64_t at(const char *minute)
{
	char text[YAML_TIME_TEXT_BYTES];
	int64_t us;

	(void)snprintf(text, sizeof text, "%s:00+09:00", minute);
	assert_true(yaml_parse_time_us(text, &us));
	return us / 1000;
}

/* A message in an existing case, by consent, on a Monday at 10:00. */
static struct fixture *message(const struct policy *p, const char *sender,
			       Ieum__V1__MessageType type)
{
	static struct fixture f;

	/* Whatever deciding leaves unset shows. */
	memset(&f, 0xa5, sizeof f);
	f.p = p;
	ieum__v1__referral__init(&f.referral);
	ieum__v1__envelope__init(&f.envelope);
	ieum__v1__legal_basis__init(&f.basis);
	f.referral.envelope = &f.envelope;
	f.envelope.type = type;
	f.envelope.case_id = (ProtobufCBinaryData){ sizeof some_id, some_id };
	f.envelope.legal_basis = &f.basis;
	f.basis.article = (char *)"아동학대처벌법 제11조";
	f.basis.kind = BASIS(CONSENT);
	f.ctx = (struct policy_context){ .referral = &f.referral,
					 .sender = sender ? policy_find_participant(p, sender)
							  : POLICY_NONE,
					 .now_ms = at("2026-09-28T10:00"),
					 .case_category = CATEGORY(DOMESTIC_VIOLENCE),
					 .case_owner = POLICY_NONE };
	assert_true(!sender || f.ctx.sender != POLICY_NONE);
	return &f;
}

static struct fixture *violence_report(void)
{
	struct fixture *f = message(gimpo, "gimpo-ps", TYPE(REPORT_RECEIVED));

	ieum__v1__report_received__init(&f->report);
	f->referral.report_received = &f->report;
	f->report.victim_consents = IEUM__V1__CONSENTING__CONSENTING_YES;
	f->envelope.case_id.len = 0;
	f->envelope.open_case = 1;
	f->envelope.category = CATEGORY(DOMESTIC_VIOLENCE);
	f->ctx.case_category = 0;
	return f;
}

static void address_to(struct fixture *f, const char *participant)
{
	size_t i = f->envelope.n_addressees++;

	ieum__v1__addressee__init(&f->addressee[i]);
	f->addressee[i].to_case = IEUM__V1__ADDRESSEE__TO_PARTICIPANT;
	f->addressee[i].participant = (char *)participant;
	f->addressees[i] = &f->addressee[i];
	f->envelope.addressees = f->addressees;
}

static void exclude(struct fixture *f, const char *participant)
{
	f->excluded[f->ctx.n_excluded++] = policy_find_participant(f->p, participant);
	f->ctx.excluded = f->excluded;
}

static enum ieum_err decide(struct fixture *f)
{
	f->detail[0] = '\0';
	return policy_decide(f->p, &f->ctx, &f->out, f->detail, sizeof f->detail);
}

static void accepted(struct fixture *f)
{
	enum ieum_err err = decide(f);

	if (err)
		fail_msg("%s: %s", ieum_error((int)err)->name, f->detail);
}

static void refused(struct fixture *f, enum ieum_err err, const char *says)
{
	assert_int_equal(decide(f), err);
	if (!strstr(f->detail, says))
		fail_msg("'%s' doesn't say '%s'", f->detail, says);
}

/* The routes in their order, "name name". */
static void routes_are(const struct fixture *f, const char *want)
{
	char got[1024] = "";
	size_t used = 0;

	for (size_t i = 0; i < f->out.n_routes; i++)
		used += (size_t)snprintf(got + used, sizeof got - used, "%s%s", i ? " " : "",
					 policy_mailbox(f->p, f->out.routes[i].mailbox)->name);
	assert_string_equal(got, want);
}

static void asked_are(const struct fixture *f, size_t task, const char *want)
{
	char got[1024] = "";
	size_t used = 0;

	assert_true(task < f->out.n_tasks);
	for (size_t i = 0; i < f->out.tasks[task].n_asked; i++)
		used += (size_t)snprintf(got + used, sizeof got - used, "%s%s", i ? " " : "",
					 policy_mailbox(f->p, f->out.tasks[task].asked[i])->name);
	assert_string_equal(got, want);
}

static void ladder_is(const struct fixture *f, size_t task, const char *want)
{
	char got[1024] = "";
	size_t used = 0;

	assert_true(task < f->out.n_tasks);
	for (size_t i = 0; i < f->out.tasks[task].n_ladder; i++)
		used += (size_t)snprintf(got + used, sizeof got - used, "%s%s", i ? "; " : "",
					 f->out.tasks[task].ladder[i].to);
	assert_string_equal(got, want);
}

static void rules_are(const struct fixture *f, const char *want)
{
	char got[1024] = "";
	size_t used = 0;

	for (size_t i = 0; i < f->out.n_rules; i++)
		used += (size_t)snprintf(got + used, sizeof got - used, "%s%s", i ? " " : "",
					 f->out.rules[i]);
	assert_string_equal(got, want);
}

static void owner_is(const struct fixture *f, const char *want)
{
	assert_true(f->out.case_owner != POLICY_NONE);
	assert_string_equal(policy_mailbox(f->p, f->out.case_owner)->name, want);
}

/* ---- scenario (a): domestic violence ---- */

static void a_report_with_consent_reaches_every_role_of_the_team(void **state)
{
	struct fixture *f = violence_report();

	(void)state;
	accepted(f);
	rules_are(f, "violence-report");
	routes_are(f, "joint-response-team-gimpo/police joint-response-team-gimpo/counsellor "
		      "joint-response-team-gimpo/case_manager");
	assert_int_equal(f->out.n_tasks, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct policy_task *task = &f->out.tasks[i];

		assert_int_equal(f->out.routes[i].cause, CAUSE(RULE));
		assert_int_equal(f->out.routes[i].task, i);
		assert_int_equal(task->n_asked, 1);
		assert_int_equal(task->asked[0], f->out.routes[i].mailbox);
		assert_int_equal(task->stops_at, STOPS(RECEIVED));
		assert_int_equal(task->due_at_ms, at("2026-09-28T14:00"));
		assert_int_equal(task->effect, 0);
		assert_false(task->blocks_closing);
		ladder_is(f, i, "lead:joint-response-team-gimpo; gimpo-welfare-division");
		assert_string_equal(task->ladder[0].within, "4 business hours");
		assert_int_equal(task->ladder[0].due_at_ms, at("2026-09-28T18:00"));
		assert_int_equal(task->ladder[1].due_at_ms, at("2026-09-29T13:00"));
	}
	owner_is(f, "joint-response-team-gimpo/case_manager");
	assert_int_equal(f->out.n_emits, 0);
	assert_false(f->out.closing);
}

static void sexual_violence_goes_to_the_same_team(void **state)
{
	struct fixture *f = violence_report();

	(void)state;
	f->envelope.category = CATEGORY(SEXUAL_VIOLENCE);
	accepted(f);
	rules_are(f, "violence-report");
}

static void off_hours_the_clock_waits_and_immediate_pages_the_duty_officer(void **state)
{
	struct fixture *f = violence_report();

	(void)state;
	f->ctx.now_ms = at("2026-09-18T22:00"); /* a Friday */
	accepted(f);
	rules_are(f, "violence-report");
	assert_int_equal(f->out.tasks[0].due_at_ms, at("2026-09-21T13:00"));

	f->envelope.urgency = IEUM__V1__URGENCY__URGENCY_IMMEDIATE;
	accepted(f);
	rules_are(f, "violence-report violence-report-at-night");
	asked_are(f, 0, "joint-response-team-gimpo/police");
	asked_are(f, 3, "gimpo-duty");
	assert_int_equal(f->out.routes[3].mailbox, policy_find_mailbox(gimpo, "gimpo-duty"));
	assert_int_equal(f->out.routes[3].cause, CAUSE(DUTY));
}

static void a_child_at_home_is_notified_of_consent_or_not(void **state)
{
	struct fixture *f = violence_report();

	(void)state;
	f->report.child_at_home = 1;
	accepted(f);
	rules_are(f, "violence-report child-at-home");
	assert_int_equal(f->out.n_emits, 1);
	assert_int_equal(f->out.emits[0].type, TYPE(MUTUAL_NOTIFICATION));
	assert_true(f->out.emits[0].open_case);
	assert_int_equal(f->out.emits[0].link, IEUM__V1__LINK_KIND__LINK_KIND_SAME_INCIDENT);

	f->report.victim_consents = IEUM__V1__CONSENTING__CONSENTING_NO;
	f->basis.kind = BASIS(STATUTORY);
	accepted(f);
	rules_are(f, "child-at-home");
	routes_are(f, "");
	assert_int_equal(f->out.n_emits, 1);
	owner_is(f, "gimpo-ps");
}

static void the_notification_reaches_the_official_and_then_both_chiefs(void **state)
{
	struct fixture *f = message(gimpo, NULL, TYPE(MUTUAL_NOTIFICATION));
	const struct policy_task *task = &f->out.tasks[0];

	(void)state;
	f->envelope.open_case = 1;
	f->envelope.case_id.len = 0;
	f->envelope.category = CATEGORY(DOMESTIC_VIOLENCE);
	f->envelope.legal_basis = NULL;
	accepted(f);
	routes_are(f, "gimpo-child-official");
	owner_is(f, "gimpo-child-official");
	assert_int_equal(f->out.case_state, IEUM__V1__CASE_STATE__CASE_STATE_INVESTIGATING);
	assert_int_equal(task->stops_at, STOPS(RECEIVED));
	assert_int_equal(task->due_at_ms, f->ctx.now_ms + 10 * MIN_MS);
	ladder_is(f, 0, "head, head:gimpo-ps; gimpo-welfare-division");
	assert_int_equal(task->ladder[0].due_at_ms, f->ctx.now_ms + 48 * HOUR_MS);

	/* As the core does it when the step fires. */
	int boxes[4];

	f->ctx.asked = task->asked;
	f->ctx.n_asked = task->n_asked;
	assert_int_equal(policy_resolve(gimpo, task->ladder[0].to, &f->ctx, boxes, 4), 2);
	assert_int_equal(boxes[0], policy_find_mailbox(gimpo, "gimpo-child-head"));
	assert_int_equal(boxes[1], policy_find_mailbox(gimpo, "gimpo-ps-head"));
}

static void without_consent_or_child_nobody_is_told(void **state)
{
	struct fixture *f = violence_report();

	(void)state;
	f->report.victim_consents = IEUM__V1__CONSENTING__CONSENTING_NO;
	refused(f, IEUM_E_NOT_PERMITTED, "rule 'violence-without-consent'");
}

static void a_basis_that_does_not_do_is_named(void **state)
{
	struct fixture *f = violence_report();

	(void)state;
	f->basis.kind = BASIS(STATUTORY);
	refused(f, IEUM_E_LEGAL_BASIS_MISSING,
		"rule 'violence-report' needs the basis consent or imminent_danger");
	f->envelope.legal_basis = NULL;
	refused(f, IEUM_E_LEGAL_BASIS_MISSING, "report_received needs one");
}

/* That the rules give the case; "": none. */
static const char *grade_of(const struct fixture *f)
{
	for (size_t i = 0; i < f->out.n_acts; i++) {
		if (f->out.acts[i].kind == POLICY_ACT_GRADE)
			return f->out.acts[i].text;
	}
	return "";
}

static void the_third_dispatch_in_a_year_calls_for_a_conference(void **state)
{
	struct fixture *f = violence_report();

	(void)state;
	f->report.dispatches_in_year = 2;
	accepted(f);
	rules_are(f, "violence-report second-dispatch-by-112");
	assert_string_equal(grade_of(f), "B");
	f->report.dispatches_in_year = 3;
	accepted(f);
	rules_are(f, "violence-report third-dispatch-by-112");
	assert_string_equal(grade_of(f), "A");
	assert_int_equal(f->out.n_emits, 1);
	assert_int_equal(f->out.emits[0].type, TYPE(RECURRENCE_ALERT));
	/* What the hub sends then. */
	f->envelope.type = TYPE(RECURRENCE_ALERT);
	f->ctx.sender = POLICY_NONE;
	accepted(f);
	rules_are(f, "recurrence");
	assert_int_equal(f->out.n_tasks, 3);
	assert_int_equal(f->out.tasks[0].due_at_ms, f->ctx.now_ms + 24 * HOUR_MS);
}

static struct fixture *support_in(const char *domain)
{
	static Ieum__V1__SupportReferral body;
	struct fixture *f = message(gimpo, "gimpo-case-manager", TYPE(REFERRAL));

	ieum__v1__support_referral__init(&body);
	body.domain = (char *)domain;
	f->referral.referral = &body;
	return f;
}

static void support_goes_through_the_ranks_of_its_domain(void **state)
{
	struct fixture *f = support_in("legal");

	(void)state;
	accepted(f);
	routes_are(f, "gimpo-legal-aid");
	assert_int_equal(f->out.n_tasks, 1);
	ladder_is(f, 0, "provider:legal#2; gimpo-welfare-division");
	assert_true(f->out.tasks[0].blocks_closing);
	assert_int_equal(f->out.tasks[0].stops_at, STOPS(DECIDED));
	assert_int_equal(f->out.tasks[0].due_at_ms, at("2026-10-02T00:00"));
	/* Friday, the Monday's substitute holiday, Tuesday, Wednesday. */
	assert_int_equal(f->out.tasks[0].ladder[0].due_at_ms, at("2026-10-08T00:00"));
	assert_int_equal(f->out.case_state, IEUM__V1__CASE_STATE__CASE_STATE_MANAGED);
}

static void every_domain_of_the_example_has_a_provider(void **state)
{
	static const char *const pairs[][2] = {
		{ "emotional", "gimpo-counselling" },
		{ "legal", "gimpo-legal-aid" },
		{ "economic", "gimpo-emergency-welfare" },
		{ "medical", "gimpo-hospital-1" },
		{ "safety", "gimpo-shelter" },
		{ "care", "gimpo-cpa" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		struct fixture *f = support_in(pairs[i][0]);

		accepted(f);
		routes_are(f, pairs[i][1]);
	}
	refused(support_in(""), IEUM_E_FIELD_MISSING, "referral.domain");
	refused(support_in("housing"), IEUM_E_FIELD_INVALID, "'housing' is no support domain");
}

static void the_sender_may_name_the_provider(void **state)
{
	struct fixture *f = support_in("legal");

	(void)state;
	address_to(f, "gimpo-lawyer-clinic");
	accepted(f);
	rules_are(f, "support-addressed");
	routes_are(f, "gimpo-lawyer-clinic");
	assert_int_equal(f->out.routes[0].cause, CAUSE(ADDRESSED));
	assert_int_equal(f->out.routes[0].task, 0);
	assert_true(f->out.tasks[0].blocks_closing);
}

static void reports_go_to_whoever_owns_the_case(void **state)
{
	struct fixture *f = message(gimpo, "gimpo-legal-aid", TYPE(SERVICE_REPORT));

	(void)state;
	refused(f, IEUM_E_NO_ROUTE,
		"no rule names a recipient for service_report from kind 'legal_aid' in 41570");
	f->ctx.case_owner = policy_find_mailbox(gimpo, "joint-response-team-gimpo/case_manager");
	accepted(f);
	routes_are(f, "joint-response-team-gimpo/case_manager");
	assert_int_equal(f->out.n_tasks, 0);
	assert_int_equal(f->out.routes[0].task, -1);
	assert_int_equal(f->out.case_owner, POLICY_NONE);
	assert_int_equal(f->out.case_state, 0);
}

static void the_lead_approves_closing(void **state)
{
	struct fixture *f = message(gimpo, "gimpo-counselling", TYPE(CLOSURE_REQUEST));

	(void)state;
	accepted(f);
	assert_true(f->out.closing);
	asked_are(f, 0, "joint-response-team-gimpo/case_manager");
	assert_int_equal(f->out.tasks[0].effect, IEUM__V1__CASE_EFFECT__CASE_EFFECT_CLOSE);
	assert_false(f->out.tasks[0].blocks_closing);
}

static void a_measure_starts_its_clock(void **state)
{
	struct fixture *f = message(gimpo, "gimpo-ps", TYPE(EMERGENCY_TEMPORARY_MEASURE_NOTICE));

	(void)state;
	f->envelope.occurred_at_ms = f->ctx.now_ms - 5 * HOUR_MS;
	f->ctx.case_owner = policy_find_mailbox(gimpo, "joint-response-team-gimpo/case_manager");
	accepted(f);
	routes_are(f, "joint-response-team-gimpo/police joint-response-team-gimpo/counsellor "
		      "joint-response-team-gimpo/case_manager");
	/* A clock of the case, not a request of anybody. */
	assert_int_equal(f->out.n_tasks, 0);
	assert_int_equal(f->out.n_acts, 1);
	assert_int_equal(f->out.acts[0].kind, POLICY_ACT_CLOCK);
	assert_int_equal(f->out.acts[0].verb, IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_STARTED);
	assert_string_equal(f->out.acts[0].text, "emergency-temporary-measure");
}

/* ---- the council's round ---- */

static void a_round_asks_every_member_by_itself(void **state)
{
	struct fixture *f = message(gimpo, "gimpo-welfare-division", TYPE(INFORMATION_REQUEST));

	(void)state;
	f->basis.kind = BASIS(STATUTORY);
	accepted(f);
	routes_are(f, "gimpo-ps gimpo-edu gimpo-cpa gimpo-emergency-welfare");
	assert_int_equal(f->out.n_tasks, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(f->out.tasks[i].n_asked, 1);
		assert_int_equal(f->out.tasks[i].due_at_ms,
				 at("2026-10-02T00:00")); /* day 4 begins */
		assert_int_equal(f->out.tasks[i].stops_at, STOPS(COMPLETED));
		ladder_is(f, i, "head");
	}

	int head;

	f->ctx.asked = f->out.tasks[1].asked;
	f->ctx.n_asked = 1;
	assert_int_equal(policy_resolve(gimpo, "head", &f->ctx, &head, 1), 1);
	assert_int_equal(head, policy_find_mailbox(gimpo, "gimpo-edu-head"));
}

static void a_round_may_name_its_members(void **state)
{
	struct fixture *f = message(gimpo, "gimpo-welfare-division", TYPE(INFORMATION_REQUEST));

	(void)state;
	address_to(f, "gimpo-edu");
	address_to(f, "gimpo-ps");
	accepted(f);
	rules_are(f, "information-addressed");
	routes_are(f, "gimpo-edu gimpo-ps");
	assert_int_equal(f->out.n_tasks, 2);
}

static void an_answer_needs_no_rule(void **state)
{
	struct fixture *f = message(gimpo, "gimpo-edu", TYPE(INFORMATION_RESPONSE));

	(void)state;
	refused(f, IEUM_E_FIELD_MISSING, "envelope.in_reply_to");
	f->envelope.in_reply_to = (ProtobufCBinaryData){ sizeof some_id, some_id };
	accepted(f);
	assert_int_equal(f->out.n_routes, 0);
	f->envelope.type = TYPE(ANSWER);
	f->envelope.legal_basis = NULL;
	accepted(f);
}

static void a_watcher_sends_signals_and_nothing_else(void **state)
{
	struct fixture *f = message(gimpo, "gimpo-watcher", TYPE(RISK_SIGNAL));

	(void)state;
	f->envelope.case_id.len = 0;
	f->basis.kind = BASIS(PSEUDONYMOUS_SIGNAL);
	accepted(f);
	routes_are(f, "gimpo-dong-centre");
	asked_are(f, 0, "gimpo-dong-centre");
	address_to(f, "gimpo-ps");
	refused(f, IEUM_E_NOT_PERMITTED, "rule 'watcher-names-nobody'");
	f = message(gimpo, "gimpo-watcher", TYPE(REFERRAL));
	refused(f, IEUM_E_NOT_PERMITTED,
		"participants of kind 'citizen_watcher' may not send referral");
}

/* ---- the other rules ---- */

static void a_childs_report_goes_to_the_other_side(void **state)
{
	static const char *const pairs[][2] = {
		{ "gimpo-ps", "gimpo-child-official" },
		{ "gimpo-child-official", "gimpo-ps" },
		{ "gimpo-edu", "gimpo-child-official gimpo-ps" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		struct fixture *f = violence_report();

		f->ctx.sender = policy_find_participant(gimpo, pairs[i][0]);
		f->envelope.category = CATEGORY(CHILD_NEGLECT);
		f->basis.kind = BASIS(STATUTORY);
		accepted(f);
		routes_are(f, pairs[i][1]);
		owner_is(f, "gimpo-child-official");
		assert_int_equal(f->out.tasks[0].due_at_ms, f->ctx.now_ms + 10 * MIN_MS);
	}
}

static void an_interpreter_is_looked_for_in_two_places(void **state)
{
	struct fixture *f = message(gimpo, "gimpo-case-manager", TYPE(INTERPRETER_REQUEST));

	(void)state;
	accepted(f);
	routes_are(f, "gimpo-family-centre");
	assert_int_equal(f->out.tasks[0].due_at_ms, f->ctx.now_ms + 15 * MIN_MS);
	ladder_is(f, 0, "role:foreign_resident_centre; gimpo-welfare-division");
}

static void a_hospital_has_a_quarter_of_an_hour(void **state)
{
	struct fixture *f = message(gimpo, "gimpo-case-manager", TYPE(MEDICAL_REQUEST));

	(void)state;
	accepted(f);
	routes_are(f, "gimpo-hospital-1");
	ladder_is(f, 0, "provider:medical#2; gimpo-welfare-division");
	assert_int_equal(f->out.tasks[0].ladder[0].due_at_ms, f->ctx.now_ms + 30 * MIN_MS);
}

static void a_missed_checkin_climbs_its_ladder(void **state)
{
	static Ieum__V1__Checkin body;
	struct fixture *f = message(gimpo, "gimpo-neighbour-carer", TYPE(CHECKIN));

	(void)state;
	ieum__v1__checkin__init(&body);
	f->referral.checkin = &body;
	accepted(f);
	rules_are(f, "checkin-missed");
	assert_int_equal(f->out.tasks[0].ladder[1].due_at_ms, f->ctx.now_ms + 6 * HOUR_MS);
	body.reached = 1;
	accepted(f);
	rules_are(f, "checkin-done");
	assert_int_equal(f->out.n_tasks, 0);
}

/* ---- addressees ---- */

static void addressees_must_be_known(void **state)
{
	struct fixture *f = message(gimpo, "gimpo-case-manager", TYPE(SERVICE_REPORT));

	(void)state;
	address_to(f, "gimpo-ps");
	address_to(f, "gimpo-nobody");
	refused(f, IEUM_E_ADDRESSEE_UNKNOWN, "'gimpo-nobody'");
	f->addressee[1].to_case = IEUM__V1__ADDRESSEE__TO_BODY;
	f->addressee[1].body = (char *)"no-body";
	refused(f, IEUM_E_ADDRESSEE_UNKNOWN, "'no-body'");
	f->addressee[1].body = (char *)"joint-response-team-gimpo";
	accepted(f);
	routes_are(f,
		   "gimpo-ps joint-response-team-gimpo/police joint-response-team-gimpo/counsellor "
		   "joint-response-team-gimpo/case_manager");
	assert_int_equal(f->out.n_rules, 0);
}

static void an_addressed_role_is_looked_for_in_a_jurisdiction(void **state)
{
	struct fixture *f = message(gimpo, "gimpo-case-manager", TYPE(SERVICE_REPORT));

	(void)state;
	address_to(f, "");
	ieum__v1__role_in__init(&f->role);
	f->role.role = (char *)"designated_hospital";
	f->addressee[0].to_case = IEUM__V1__ADDRESSEE__TO_ROLE;
	f->addressee[0].role = &f->role;
	accepted(f);
	routes_are(f, "gimpo-hospital-1 gimpo-hospital-2");
	f->role.jurisdiction = (char *)"41210";
	refused(f, IEUM_E_NO_ROUTE, "nobody of that role");
	f->role.role = (char *)"hospital";
	refused(f, IEUM_E_ADDRESSEE_UNKNOWN, "'hospital'");
}

static void a_senders_deadline_shortens_and_never_lengthens(void **state)
{
	struct fixture *f = message(gimpo, "gimpo-case-manager", TYPE(MEDICAL_REQUEST));

	(void)state;
	f->envelope.answer_within_ms = 5 * MIN_MS;
	accepted(f);
	assert_int_equal(f->out.tasks[0].due_at_ms, f->ctx.now_ms + 5 * MIN_MS);
	assert_int_equal(f->out.tasks[0].ladder[0].due_at_ms, f->ctx.now_ms + 20 * MIN_MS);
	f->envelope.answer_within_ms = INT64_MAX;
	accepted(f);
	assert_int_equal(f->out.tasks[0].due_at_ms, f->ctx.now_ms + 15 * MIN_MS);
}

static void a_senders_deadline_asks_where_no_rule_does(void **state)
{
	struct fixture *f = message(gimpo, "gimpo-case-manager", TYPE(SERVICE_REPORT));

	(void)state;
	address_to(f, "gimpo-ps");
	accepted(f);
	assert_int_equal(f->out.n_tasks, 0);
	f->envelope.answer_within_ms = HOUR_MS;
	accepted(f);
	assert_int_equal(f->out.n_tasks, 1);
	asked_are(f, 0, "gimpo-ps");
	assert_int_equal(f->out.routes[0].task, 0);
	assert_int_equal(f->out.tasks[0].due_at_ms, f->ctx.now_ms + HOUR_MS);
	assert_int_equal(f->out.tasks[0].n_ladder, 0);
	assert_int_equal(f->out.tasks[0].stops_at, STOPS(DECIDED));
}

/* ---- conflict of interest ---- */

static void an_excluded_provider_is_skipped_for_the_next_rank(void **state)
{
	struct fixture *f = support_in("legal");

	(void)state;
	exclude(f, "gimpo-legal-aid");
	accepted(f);
	routes_are(f, "gimpo-lawyer-clinic");
	ladder_is(f, 0, "gimpo-welfare-division");
	exclude(f, "gimpo-lawyer-clinic");
	accepted(f);
	routes_are(f, "gimpo-welfare-division");
	ladder_is(f, 0, "");
	exclude(f, "gimpo-welfare-division");
	refused(f, IEUM_E_CONFLICT_OF_INTEREST, "rule 'support'");
}

static void an_excluded_members_head_is_asked_when_nobody_is_left(void **state)
{
	struct fixture *f = message(gimpo, "gimpo-ps", TYPE(DISPATCH_REQUEST));

	(void)state;
	exclude(f, "gimpo-child-official");
	accepted(f);
	routes_are(f, "gimpo-child-head");
}

static void an_excluded_role_leaves_the_rest_of_the_team(void **state)
{
	struct fixture *f = violence_report();

	(void)state;
	exclude(f, "gimpo-counselling");
	accepted(f);
	routes_are(f, "joint-response-team-gimpo/police joint-response-team-gimpo/case_manager");
}

static void excluded_addressees_get_nothing(void **state)
{
	struct fixture *f = message(gimpo, "gimpo-case-manager", TYPE(SERVICE_REPORT));

	(void)state;
	address_to(f, "gimpo-ps");
	address_to(f, "gimpo-edu");
	exclude(f, "gimpo-ps");
	accepted(f);
	routes_are(f, "gimpo-edu");
	exclude(f, "gimpo-edu");
	refused(f, IEUM_E_CONFLICT_OF_INTEREST, "everyone named is excluded");
}

static void an_excluded_sender_may_only_say_so(void **state)
{
	struct fixture *f = support_in("legal");
	static char *names[] = { (char *)"gimpo-case-manager" };

	(void)state;
	exclude(f, "gimpo-case-manager");
	refused(f, IEUM_E_CONFLICT_OF_INTEREST, "'gimpo-case-manager' is excluded");
	f->envelope.n_excluded_participants = 1;
	f->envelope.excluded_participants = names;
	accepted(f);
}

/* ---- what a type needs ---- */

static void cases_are_named_or_opened_as_the_type_allows(void **state)
{
	struct fixture *f = support_in("legal");

	(void)state;
	f->envelope.case_id.len = 0;
	refused(f, IEUM_E_FIELD_MISSING, "envelope.case_id: referral belongs to a case; name it");
	f->envelope.open_case = 1;
	refused(f, IEUM_E_NOT_PERMITTED, "envelope.open_case: referral cannot open a case");
	f = violence_report();
	f->envelope.category = 0;
	refused(f, IEUM_E_FIELD_MISSING, "envelope.category");
	f->envelope.open_case = 0;
	refused(f, IEUM_E_FIELD_MISSING, "set open_case");
}

/* ---- order among rules, on a small file ---- */

static const char head_of_file[] =
	"hub: {name: a.ieum, title: {en: A, ko: 가}, jurisdiction: \"41570\", time_zone: \"+09:00\"}\n"
	"calendar: {working_hours: \"09:00-18:00\", weekend: [saturday, sunday]}\n"
	"kinds:\n"
	"  k: {title: {en: K, ko: 가}, may_send: all}\n"
	"  m: {title: {en: M, ko: 나}, may_send: none}\n"
	"participants:\n"
	"  a: {kind: k, title: {en: A, ko: 가}, head: d}\n"
	"  b: {kind: k, title: {en: B, ko: 나}}\n"
	"  c: {kind: k, title: {en: C, ko: 다}}\n"
	"  d: {kind: m, title: {en: D, ko: 라}}\n"
	"  far: {kind: k, title: {en: F, ko: 마}, jurisdiction: \"41210\"}\n"
	"  province: {kind: m, title: {en: P, ko: 바}, jurisdiction: \"41\"}\n"
	"types: {default: {needs_case: true}, report_received: {may_open: true}}\n"
	"rules:\n";

static struct policy *with_rules(const char *rules)
{
	static struct yaml_diag diag;
	struct policy *p = NULL;
	char text[4096];

	(void)snprintf(text, sizeof text, "%s%s", head_of_file, rules);
	yaml_diag_init(&diag);
	if (policy_parse("hub.yaml", text, strlen(text), &diag, &p) != IEUM_E_OK) {
		yaml_diag_print(&diag, stderr);
		fail_msg("the file should have no mistake");
	}
	return p;
}

static void all_rules_apply_and_a_mailbox_gets_it_once(void **state)
{
	struct policy *p = with_rules(
		"- {name: one, to: [b, c], owner: c, case_state: managed}\n"
		"- {name: two, to: [c, d], answer_within: 1 h, owner: b, case_state: judged}\n"
		"- {name: three, to: [d, b], answer_within: 2 h, closing: true}\n"
		"- {name: four, to: d, answer_within: 3 h}\n"
		"- {name: five, to: [c, d]}\n");
	struct fixture *f = message(p, "a", TYPE(CASE_PLAN));

	(void)state;
	accepted(f);
	rules_are(f, "one two three four five");
	routes_are(f, "b c d");
	assert_int_equal(f->out.n_tasks, 2);
	asked_are(f, 0, "c d");
	asked_are(f, 1, "b");
	assert_int_equal(f->out.routes[0].task, 1);
	assert_int_equal(f->out.routes[1].task, 0);
	assert_int_equal(f->out.routes[2].task, 0);
	owner_is(f, "c");
	assert_int_equal(f->out.case_state, IEUM__V1__CASE_STATE__CASE_STATE_MANAGED);
	assert_true(f->out.closing);
	policy_free(p);
}

static void steps_for_a_rejection_take_no_time(void **state)
{
	struct policy *p = with_rules("- name: one\n"
				      "  to: b\n"
				      "  answer_within: 1 h\n"
				      "  then:\n"
				      "  - {to: c, within: 2 h, on: rejection}\n"
				      "  - {to: d, within: 3 h, on: silence}\n"
				      "  - {to: far}\n");
	struct fixture *f = message(p, "a", TYPE(CASE_PLAN));
	const struct policy_step *ladder = f->out.tasks[0].ladder;

	(void)state;
	accepted(f);
	ladder_is(f, 0, "c; d; far");
	assert_true(ladder[0].on_rejection_only && !ladder[0].on_silence_only);
	assert_true(ladder[1].on_silence_only && !ladder[1].on_rejection_only);
	assert_false(ladder[2].on_silence_only || ladder[2].on_rejection_only);
	assert_int_equal(ladder[0].due_at_ms, 0);
	assert_int_equal(ladder[1].due_at_ms, f->ctx.now_ms + 4 * HOUR_MS);
	assert_int_equal(ladder[2].due_at_ms, f->ctx.now_ms + 5 * HOUR_MS);
	assert_string_equal(ladder[2].within, "1 h");
	policy_free(p);
}

static void a_jurisdiction_is_the_messages_or_the_cases_or_the_senders(void **state)
{
	struct policy *p =
		with_rules("- {name: near, when: {jurisdiction: \"41570\"}, to: b}\n"
			   "- {name: wide, when: {jurisdiction: [\"41\", \"99\"]}, to: c}\n"
			   "- {name: kind, to: \"role:k\"}\n"
			   "- {name: there, to: \"role:m@41570\"}\n");
	struct fixture *f = message(p, "a", TYPE(CASE_PLAN));

	(void)state;
	accepted(f);
	routes_are(f,
		   "b c d province"); /* the province covers its cities; `a` has sent it itself */
	f->ctx.case_jurisdiction = "41210";
	accepted(f);
	routes_are(f, "c far d province");
	f->envelope.jurisdiction = (char *)"26000";
	accepted(f);
	routes_are(f, "d province");
	policy_free(p);
}

static void a_rule_may_add_to_whom_the_sender_named(void **state)
{
	struct policy *p =
		with_rules("- {name: always, when: {addressed: either}, to: c}\n"
			   "- {name: unnamed, to: d}\n"
			   "- {name: named, when: {addressed: true}, to: d, answer_within: 1 h}\n");
	struct fixture *f = message(p, "a", TYPE(CASE_PLAN));

	(void)state;
	accepted(f);
	rules_are(f, "always unnamed");
	address_to(f, "b");
	accepted(f);
	rules_are(f, "always named");
	routes_are(f, "b c d");
	assert_int_equal(f->out.routes[0].cause, CAUSE(ADDRESSED));
	assert_int_equal(f->out.routes[1].cause, CAUSE(RULE));
	policy_free(p);
}

static void a_rule_to_the_addressees_is_for_messages_that_name_some(void **state)
{
	struct policy *p = with_rules("- {name: named, to: addressees, answer_within: 1 h}\n"
				      "- {name: unnamed, to: d}\n");
	struct fixture *f = message(p, "a", TYPE(CASE_PLAN));

	(void)state;
	accepted(f);
	rules_are(f, "unnamed");
	address_to(f, "b");
	address_to(f, "c");
	accepted(f);
	rules_are(f, "named");
	asked_are(f, 0, "b c");
	policy_free(p);
}

static void conditions_on_senders_bases_and_fields(void **state)
{
	static Ieum__V1__TemporaryMeasureNotice body;
	static uint32_t measures[] = { 2, 5 };
	struct policy *p = with_rules(
		"- {name: who, when: {sender: [b, a]}, to: c}\n"
		"- {name: other, when: {sender: b}, to: c}\n"
		"- {name: basis, when: {basis: consent}, to: c}\n"
		"- {name: opens, when: {opens_case: true}, to: c}\n"
		"- {name: stays, when: {opens_case: false}, to: c}\n"
		"- {name: any-of-several, when: {type: temporary_measure_notice, measures: 5}, to: c}\n"
		"- {name: over, when: {type: temporary_measure_notice, measures: \"> 5\"}, to: c}\n"
		"- {name: at-most, when: {type: temporary_measure_notice, until_at_ms: \"<= -3\"}, to: c}\n"
		"- {name: not, when: {type: temporary_measure_notice, from_at_ms: \"!= 7\"}, to: c}\n"
		"- {name: list, when: {type: temporary_measure_notice, from_at_ms: [6, 7]}, to: c}\n");
	struct fixture *f = message(p, "a", TYPE(TEMPORARY_MEASURE_NOTICE));

	(void)state;
	ieum__v1__temporary_measure_notice__init(&body);
	body.n_measures = 2;
	body.measures = measures;
	body.until_at_ms = -3;
	body.from_at_ms = 7;
	f->referral.temporary_measure_notice = &body;
	accepted(f);
	rules_are(f, "who basis stays any-of-several at-most list");
	body.until_at_ms = INT64_C(1) << 40;
	body.from_at_ms = 8;
	measures[1] = 6;
	f->basis.kind = BASIS(STATUTORY);
	accepted(f);
	rules_are(f, "who stays over not");
	policy_free(p);
}

/* As many participants as wanted, and a rule for each that asks it. */
static struct policy *with_crowd(int n)
{
	static char text[16384];
	static struct yaml_diag diag;
	struct policy *p = NULL;
	const char *types = strstr(head_of_file, "types:");
	size_t used = (size_t)snprintf(text, sizeof text, "%.*s", (int)(types - head_of_file),
				       head_of_file);

	for (int i = 0; i < n; i++)
		used += (size_t)snprintf(text + used, sizeof text - used,
					 "  x%d: {kind: m, title: {en: X, ko: 사}}\n", i);
	used += (size_t)snprintf(text + used, sizeof text - used, "%s", types);
	for (int i = 0; i < n; i++)
		used += (size_t)snprintf(text + used, sizeof text - used,
					 "- {name: r%d, to: x%d, answer_within: 1 h}\n", i, i);
	yaml_diag_init(&diag);
	if (policy_parse("hub.yaml", text, used, &diag, &p) != IEUM_E_OK)
		yaml_diag_print(&diag, stderr);
	assert_non_null(p);
	return p;
}

static void more_requests_than_there_is_room_for_are_refused(void **state)
{
	struct policy *p = with_crowd(POLICY_TASKS_MAX);
	struct fixture *f = message(p, "a", TYPE(CASE_PLAN));

	(void)state;
	accepted(f);
	assert_int_equal(f->out.n_tasks, POLICY_TASKS_MAX);
	policy_free(p);

	p = with_crowd(POLICY_TASKS_MAX + 1);
	f = message(p, "a", TYPE(CASE_PLAN));
	refused(f, IEUM_E_FIELD_TOO_LARGE, "more than 16 requests");
	policy_free(p);
}

static void more_rules_than_can_be_named_apply_too(void **state)
{
	char rules[4096] = "";
	size_t used = 0;
	struct policy *p;
	struct fixture *f;

	(void)state;
	for (int i = 0; i <= POLICY_RULES_MATCHED_MAX; i++)
		used += (size_t)snprintf(rules + used, sizeof rules - used,
					 "- {name: r%d, to: %s}\n", i,
					 i < POLICY_RULES_MATCHED_MAX ? "c" : "b");
	p = with_rules(rules);
	f = message(p, "a", TYPE(CASE_PLAN));
	accepted(f);
	routes_are(f, "c b");
	assert_int_equal(f->out.n_rules, POLICY_RULES_MATCHED_MAX);
	policy_free(p);
}

/* Rather than leave out what a law may ask for. */
static void more_acts_than_there_is_room_for_are_refused(void **state)
{
	char rules[4096];
	struct policy *p;
	struct fixture *f;

	(void)state;
	for (int n = POLICY_ACTS_MAX; n <= POLICY_ACTS_MAX + 1; n++) {
		size_t used = 0;
		for (int i = 0; i < n; i++)
			used += (size_t)snprintf(rules + used, sizeof rules - used,
						 "- {name: r%d, to: c, grade: A}\n", i);
		p = with_rules(rules);
		f = message(p, "a", TYPE(CASE_PLAN));
		if (n == POLICY_ACTS_MAX)
			accepted(f);
		else
			refused(f, IEUM_E_FIELD_TOO_LARGE, "rule 'r32' is one too many");
		policy_free(p);
	}
}

static void a_bad_address_reaches_nobody(void **state)
{
	struct fixture *f = message(gimpo, "gimpo-ps", TYPE(REFERRAL));
	int boxes[8];

	(void)state;
	assert_int_equal(policy_resolve(gimpo, "gone-since", &f->ctx, boxes, 8), 0);
	assert_int_equal(policy_resolve(gimpo, "", &f->ctx, boxes, 8), 0);
	assert_int_equal(policy_resolve(gimpo, "gone-since, sender", &f->ctx, boxes, 8), 1);
	assert_int_equal(policy_resolve(gimpo, "body:joint-response-team-gimpo", &f->ctx, boxes, 2),
			 2);
	assert_int_equal(policy_resolve(gimpo, "provider:legal", &f->ctx, boxes, 8), 2);
	exclude(f, "gimpo-legal-aid");
	assert_int_equal(policy_resolve(gimpo, "provider:legal#1", &f->ctx, boxes, 8), 0);
}

static int load_example(void **state)
{
	static struct yaml_diag diag;

	(void)state;
	yaml_diag_init(&diag);
	if (policy_load(EXAMPLE, &diag, &gimpo) == IEUM_E_OK)
		return 0;
	yaml_diag_print(&diag, stderr);
	return -1;
}

static int free_example(void **state)
{
	(void)state;
	policy_free(gimpo);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_with_consent_reaches_every_role_of_the_team),
		cmocka_unit_test(sexual_violence_goes_to_the_same_team),
		cmocka_unit_test(off_hours_the_clock_waits_and_immediate_pages_the_duty_officer),
		cmocka_unit_test(a_child_at_home_is_notified_of_consent_or_not),
		cmocka_unit_test(the_notification_reaches_the_official_and_then_both_chiefs),
		cmocka_unit_test(without_consent_or_child_nobody_is_told),
		cmocka_unit_test(a_basis_that_does_not_do_is_named),
		cmocka_unit_test(the_third_dispatch_in_a_year_calls_for_a_conference),
		cmocka_unit_test(support_goes_through_the_ranks_of_its_domain),
		cmocka_unit_test(every_domain_of_the_example_has_a_provider),
		cmocka_unit_test(the_sender_may_name_the_provider),
		cmocka_unit_test(reports_go_to_whoever_owns_the_case),
		cmocka_unit_test(the_lead_approves_closing),
		cmocka_unit_test(a_measure_starts_its_clock),
		cmocka_unit_test(a_round_asks_every_member_by_itself),
		cmocka_unit_test(a_round_may_name_its_members),
		cmocka_unit_test(an_answer_needs_no_rule),
		cmocka_unit_test(a_watcher_sends_signals_and_nothing_else),
		cmocka_unit_test(a_childs_report_goes_to_the_other_side),
		cmocka_unit_test(an_interpreter_is_looked_for_in_two_places),
		cmocka_unit_test(a_hospital_has_a_quarter_of_an_hour),
		cmocka_unit_test(a_missed_checkin_climbs_its_ladder),
		cmocka_unit_test(addressees_must_be_known),
		cmocka_unit_test(an_addressed_role_is_looked_for_in_a_jurisdiction),
		cmocka_unit_test(a_senders_deadline_shortens_and_never_lengthens),
		cmocka_unit_test(a_senders_deadline_asks_where_no_rule_does),
		cmocka_unit_test(an_excluded_provider_is_skipped_for_the_next_rank),
		cmocka_unit_test(an_excluded_members_head_is_asked_when_nobody_is_left),
		cmocka_unit_test(an_excluded_role_leaves_the_rest_of_the_team),
		cmocka_unit_test(excluded_addressees_get_nothing),
		cmocka_unit_test(an_excluded_sender_may_only_say_so),
		cmocka_unit_test(cases_are_named_or_opened_as_the_type_allows),
		cmocka_unit_test(all_rules_apply_and_a_mailbox_gets_it_once),
		cmocka_unit_test(steps_for_a_rejection_take_no_time),
		cmocka_unit_test(a_jurisdiction_is_the_messages_or_the_cases_or_the_senders),
		cmocka_unit_test(a_rule_may_add_to_whom_the_sender_named),
		cmocka_unit_test(a_rule_to_the_addressees_is_for_messages_that_name_some),
		cmocka_unit_test(conditions_on_senders_bases_and_fields),
		cmocka_unit_test(more_requests_than_there_is_room_for_are_refused),
		cmocka_unit_test(more_rules_than_can_be_named_apply_too),
		cmocka_unit_test(more_acts_than_there_is_room_for_are_refused),
		cmocka_unit_test(a_bad_address_reaches_nobody),
	};

	return cmocka_run_group_tests(tests, load_example, free_example);
}
