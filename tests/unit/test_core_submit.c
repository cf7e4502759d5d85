/* broker/core, submitting: what is refused and why, ids and repeats, limits, supersedes,
 * exclusion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core_trial.h"

struct fixture {
	struct trial w;
	uint64_t ps, aid, manager, boss;
	uint8_t case_id[CORE_ID_BYTES];
	struct message m;
};

static int start_with(void **state, const struct core_limits *limits)
{
	struct fixture *f = calloc(1, sizeof *f);

	trial_start(&f->w, trial_hub, limits);
	f->ps = trial_connect(&f->w, "ps");
	f->aid = trial_connect(&f->w, "aid-1");
	f->manager = trial_connect(&f->w, "manager");
	f->boss = trial_connect(&f->w, "boss");
	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	trial_submitted(&f->w, f->ps, &f->m);
	memcpy(f->case_id, f->m.id, CORE_ID_BYTES);
	*state = f;
	return 0;
}

static int start(void **state)
{
	return start_with(state, NULL);
}

static int stop(void **state)
{
	struct fixture *f = *state;

	trial_stop(&f->w);
	free(f);
	return 0;
}

/* Refused, and nothing is recorded of it. */
static void refused(struct fixture *f, uint64_t from, struct message *m, enum ieum_err code)
{
	size_t events = f->w.events;
	enum ieum_err err = trial_submit(&f->w, from, m);

	if (err != code)
		fail_msg("%s instead of %s: %s", ieum_error((int)err)->name,
			 ieum_error((int)code)->name, f->w.detail);
	assert_int_equal(f->w.events, events);
	assert_int_equal(f->w.d.n_items, 0);
}

static struct message *report(struct fixture *f, const char *to)
{
	message_in_case(message_new(&f->w, &f->m, TYPE(SERVICE_REPORT)), f->case_id);
	if (to)
		message_to(&f->m, to);
	return &f->m;
}

static void a_repeat_gets_the_first_receipt(void **state)
{
	struct fixture *f = *state;

	trial_submitted(&f->w, f->ps, report(f, "aid-1"));
	uint64_t seq = f->w.d.receipt_seq;
	int64_t at = f->w.d.receipt_at_us;
	f->w.now += HOUR_US;
	trial_submitted(&f->w, f->ps, &f->m);
	assert_true(f->w.d.repeated);
	assert_int_equal(f->w.d.n_items, 0);
	assert_true(f->w.d.receipt_seq == seq && f->w.d.receipt_at_us == at);
	assert_true(f->w.d.has_case);
	assert_memory_equal(f->w.d.case_id, f->case_id, CORE_ID_BYTES);
	assert_int_equal(trial_counts(&f->w, "aid-1").routed, 1);
}

static void a_repeat_stands_under_another_policy_and_after_the_window(void **state)
{
	struct fixture *f = *state;

	trial_submitted(&f->w, f->ps, report(f, "aid-1"));
	uint64_t seq = f->w.d.receipt_seq;
	struct message first = f->m;
	first.referral.envelope = &first.envelope;
	first.envelope.message_id.data = first.id;
	/* Police may send no reports from now on. */
	const char *from = "may_send: all}\n  office";
	const char *hit = strstr(trial_hub, from);
	assert_non_null(hit);
	size_t n = (size_t)(hit - trial_hub);
	char *changed = NULL;
	assert_true(asprintf(&changed, "%.*smay_send: {all_except: [service_report]}}\n  office%s",
			     (int)n, trial_hub, hit + strlen(from)) > 0);
	trial_reload(&f->w, changed);
	free(changed);
	refused(f, f->ps, report(f, "aid-1"), IEUM_E_NOT_PERMITTED);
	f->w.now += 40 * DAY_US;
	assert_int_equal(trial_submit(&f->w, f->ps, &first), IEUM_E_OK);
	assert_true(f->w.d.repeated && f->w.d.receipt_seq == seq);
}

static void another_s_id_or_another_content_is_refused(void **state)
{
	struct fixture *f = *state;

	trial_submitted(&f->w, f->ps, report(f, "aid-1"));
	refused(f, f->boss, &f->m, IEUM_E_ID_REUSED);
	f->m.payload = 99999;
	refused(f, f->ps, &f->m, IEUM_E_ID_REUSED);
	f->m.payload = 0;
	f->m.envelope.type = TYPE(CASE_PLAN);
	refused(f, f->ps, &f->m, IEUM_E_ID_REUSED);
}

static void ids_have_a_window(void **state)
{
	struct fixture *f = *state;

	report(f, "aid-1");
	f->w.now += 30 * DAY_US + 1000 * 1000;
	refused(f, f->ps, &f->m, IEUM_E_TOO_OLD);
	f->w.now -= DAY_US;
	trial_submitted(&f->w, f->ps, &f->m);
	f->w.now += DAY_US;
	report(f, "aid-1");
	f->w.now -= 10 * MIN_US + 1000 * 1000;
	refused(f, f->ps, &f->m, IEUM_E_ID_IN_FUTURE);
	f->w.now += 2 * 1000 * 1000;
	trial_submitted(&f->w, f->ps, &f->m);
	report(f, "aid-1")->envelope.occurred_at_ms = f->w.now / 1000 + 11 * MIN_US / 1000;
	refused(f, f->ps, &f->m, IEUM_E_FIELD_INVALID);
}

static void cases_and_replies_must_be_known_to_the_sender(void **state)
{
	struct fixture *f = *state;
	uint64_t aid_2 = trial_connect(&f->w, "aid-2");

	refused(f, aid_2, report(f, "carer"), IEUM_E_CASE_UNKNOWN);
	report(f, "carer")->case_id[3] ^= 1;
	refused(f, f->ps, &f->m, IEUM_E_CASE_UNKNOWN);
	report(f, "carer")->envelope.open_case = 1;
	refused(f, f->ps, &f->m, IEUM_E_FIELD_INVALID);
	message_new(&f->w, &f->m, TYPE(ANSWER));
	message_reply(&f->m, f->case_id);
	f->m.answer.kind = ANSWER(RECEIVED);
	refused(f, aid_2, &f->m, IEUM_E_REFERRAL_UNKNOWN);
	f->m.reply_to[2] ^= 1;
	refused(f, f->ps, &f->m, IEUM_E_REFERRAL_UNKNOWN);
}

static void links_go_both_ways_and_only_from_known_cases(void **state)
{
	struct fixture *f = *state;
	struct message m;

	message_open_case(message_new(&f->w, &m, TYPE(REPORT_RECEIVED)));
	memcpy(m.link_to, f->case_id, CORE_ID_BYTES);
	ieum__v1__case_link__init(&m.link);
	m.link.case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, m.link_to };
	m.link.kind = IEUM__V1__LINK_KIND__LINK_KIND_SIBLING;
	m.links[0] = &m.link;
	m.envelope.case_links = m.links;
	m.envelope.n_case_links = 1;
	refused(f, f->aid, &m, IEUM_E_CASE_UNKNOWN);
	trial_submitted(&f->w, f->ps, &m);
	const Ieum__V1__CaseResult *r = trial_case(&f->w, f->ps, f->case_id);
	assert_int_equal(r->n_links, 1);
	assert_memory_equal(r->links[0]->case_id.data, m.id, CORE_ID_BYTES);
	assert_string_equal(r->links[0]->owner, "team/lead");
}

static void a_full_queue_is_refused_with_a_hint(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 1000; i++) {
		f->w.now += 1000;
		trial_submitted(&f->w, f->ps, report(f, "aid-1"));
	}
	refused(f, f->ps, report(f, "aid-1"), IEUM_E_QUEUE_FULL);
	assert_true(f->w.d.retry_after_ms > 0);
	trial_submitted(&f->w, f->ps, report(f, "aid-2"));
	uint64_t id = trial_release_one(&f->w, f->aid);
	refused(f, f->ps, report(f, "aid-1"), IEUM_E_QUEUE_FULL);
	assert_int_equal(trial_done(&f->w, f->aid, id), IEUM_E_OK);
	trial_submitted(&f->w, f->ps, report(f, "aid-1"));
}

static void a_queue_full_of_bytes_is_refused(void **state)
{
	struct fixture *f = *state;

	report(f, "aid-1")->payload = 200 << 20;
	trial_submitted(&f->w, f->ps, &f->m);
	report(f, "aid-1")->payload = 200 << 20;
	refused(f, f->ps, &f->m, IEUM_E_QUEUE_FULL);
}

static int start_small(void **state)
{
	static const struct core_limits small = { .referrals_max = 4,
						  .deliveries_max = 3,
						  .cases_max = 1 };

	return start_with(state, &small);
}

static void the_hub_has_an_end(void **state)
{
	struct fixture *f = *state;

	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	refused(f, f->ps, &f->m, IEUM_E_HUB_FULL);
	assert_true(f->w.d.retry_after_ms > 0);
	trial_submitted(&f->w, f->ps, report(f, "aid-1"));
	trial_submitted(&f->w, f->ps, report(f, "aid-1"));
	refused(f, f->ps, report(f, "aid-1"), IEUM_E_HUB_FULL);
	assert_int_equal(trial_done(&f->w, f->aid, trial_release_one(&f->w, f->aid)), IEUM_E_OK);
	trial_submitted(&f->w, f->ps, report(f, "aid-1"));
	assert_int_equal(trial_done(&f->w, f->aid, trial_release_one(&f->w, f->aid)), IEUM_E_OK);
	refused(f, f->ps, report(f, "aid-1"), IEUM_E_HUB_FULL);
	assert_string_equal(f->w.detail, "referrals");
}

static void a_case_has_room_for_so_many_links(void **state)
{
	struct fixture *f = *state;
	struct message m;

	for (int i = 0; i <= CORE_CASE_LINKS_MAX; i++) {
		f->w.now += 1000;
		message_open_case(message_new(&f->w, &m, TYPE(SERVICE_REPORT)));
		message_to(&m, "carer");
		memcpy(m.link_to, f->case_id, CORE_ID_BYTES);
		ieum__v1__case_link__init(&m.link);
		m.link.case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, m.link_to };
		m.link.kind = IEUM__V1__LINK_KIND__LINK_KIND_SIBLING;
		m.links[0] = &m.link;
		m.envelope.case_links = m.links;
		m.envelope.n_case_links = 1;
		if (i < CORE_CASE_LINKS_MAX)
			trial_submitted(&f->w, f->ps, &m);
		else
			refused(f, f->ps, &m, IEUM_E_FIELD_TOO_LARGE);
	}
}

static void supersede(struct message *m, const uint8_t id[CORE_ID_BYTES])
{
	memcpy(m->supersedes, id, CORE_ID_BYTES);
	m->envelope.supersedes = (ProtobufCBinaryData){ CORE_ID_BYTES, m->supersedes };
}

static void what_is_superseded_before_delivery_is_withdrawn(void **state)
{
	struct fixture *f = *state;
	uint8_t first[CORE_ID_BYTES];

	trial_submitted(&f->w, f->ps, report(f, "aid-1"));
	memcpy(first, f->m.id, CORE_ID_BYTES);
	supersede(report(f, "aid-1"), first);
	refused(f, f->manager, &f->m, IEUM_E_REFERRAL_UNKNOWN);
	trial_submitted(&f->w, f->ps, &f->m);
	assert_int_equal(trial_counts(&f->w, "aid-1").withdrawn, 1);
	uint64_t id = trial_release_one(&f->w, f->aid);
	assert_int_equal(id >> 8, core_last_seq(f->w.core) - 1);
	assert_int_equal(trial_release_one(&f->w, f->aid), 0);
	/* What somebody got stays got. */
	uint8_t second[CORE_ID_BYTES];
	memcpy(second, f->m.id, CORE_ID_BYTES);
	supersede(report(f, "aid-1"), second);
	trial_submitted(&f->w, f->ps, &f->m);
	assert_int_equal(trial_counts(&f->w, "aid-1").withdrawn, 1);
	assert_int_equal(trial_counts(&f->w, "aid-1").in_flight, 1);
	/* Even when it is back in the queue. */
	memcpy(second, f->m.id, CORE_ID_BYTES);
	assert_true(trial_release_one(&f->w, f->aid) != 0);
	trial_disconnect(&f->w, f->aid);
	supersede(report(f, "aid-1"), second);
	trial_submitted(&f->w, f->ps, &f->m);
	assert_int_equal(trial_counts(&f->w, "aid-1").withdrawn, 1);
	assert_int_equal(trial_counts(&f->w, "aid-1").queued, 3);
}

static void what_is_superseded_is_not_chased_any_more(void **state)
{
	struct fixture *f = *state;
	struct message m;

	message_in_case(message_new(&f->w, &m, TYPE(REFERRAL)), f->case_id);
	m.support.domain = (char *)"legal";
	trial_submitted(&f->w, f->manager, &m);
	uint8_t first[CORE_ID_BYTES];
	memcpy(first, m.id, CORE_ID_BYTES);
	message_in_case(message_new(&f->w, &m, TYPE(REFERRAL)), f->case_id);
	m.support.domain = (char *)"legal";
	supersede(&m, first);
	trial_submitted(&f->w, f->manager, &m);
	assert_int_equal(trial_task(&f->w, f->manager, first), TASK(CANCELLED));
	assert_int_equal(trial_task(&f->w, f->manager, m.id), TASK(REQUESTED));
}

static void the_excluded_get_nothing_and_read_nothing(void **state)
{
	struct fixture *f = *state;

	/* Queued before the exclusion: withdrawn. */
	trial_submitted(&f->w, f->ps, report(f, "aid-1"));
	message_exclude(report(f, "aid-2"), "aid-1");
	trial_submitted(&f->w, f->ps, &f->m);
	assert_int_equal(trial_counts(&f->w, "aid-1").withdrawn, 1);
	assert_int_equal(trial_release_one(&f->w, f->aid), 0);
	refused(f, f->ps, report(f, "aid-1"), IEUM_E_CONFLICT_OF_INTEREST);
	refused(f, f->aid, report(f, "aid-2"), IEUM_E_CONFLICT_OF_INTEREST);
	assert_null(trial_case(&f->w, f->aid, f->case_id));
	assert_null(trial_referral(&f->w, f->aid, f->case_id));
	message_exclude(report(f, "aid-2"), "nobody");
	refused(f, f->ps, &f->m, IEUM_E_FIELD_INVALID);
}

static void an_excluded_member_of_a_role_is_passed_over(void **state)
{
	struct fixture *f = *state;
	uint64_t counsellor = trial_connect(&f->w, "counsellor");

	/* The report waits in the mailbox that manager and counsellor share. */
	message_exclude(report(f, "aid-2"), "counsellor");
	trial_submitted(&f->w, f->ps, &f->m);
	assert_int_equal(trial_counts(&f->w, "team/help").queued, 1);
	assert_int_equal(trial_release_one(&f->w, counsellor), 0);
	assert_true(trial_release_one(&f->w, f->manager) != 0);
}

static void a_case_whose_owner_is_excluded_gets_another(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(trial_case(&f->w, f->ps, f->case_id)->summary->owner, "team/lead");
	message_exclude(report(f, "aid-2"), "manager");
	trial_submitted(&f->w, f->ps, &f->m);
	assert_string_equal(trial_case(&f->w, f->ps, f->case_id)->summary->owner, "ps");
}

static void who_is_not_listed_gets_nothing(void **state)
{
	struct fixture *f = *state;
	const struct core_connect k = {
		.participant = "stranger", .actor = "x", .address = "y", .certificate = "z"
	};

	core_decision_reset(&f->w.d);
	assert_int_equal(core_decide_connect(f->w.core, f->w.policy, &k, f->w.now, &f->w.d),
			 IEUM_E_IDENTITY_UNKNOWN);
	refused(f, 99999, report(f, "aid-1"), IEUM_E_IDENTITY_UNKNOWN);
	refused(f, trial_connect(&f->w, "watcher"), report(f, "aid-1"), IEUM_E_CASE_UNKNOWN);
	refused(f, f->ps, report(f, "nobody"), IEUM_E_ADDRESSEE_UNKNOWN);
}

static void a_notice_that_a_rule_emits_has_a_case_of_its_own(void **state)
{
	struct fixture *f = *state;
	uint64_t city = trial_connect(&f->w, "city");
	uint64_t ids[4];

	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	f->m.report.child_at_home = 1;
	f->m.envelope.urgency = URGENCY(IMMEDIATE);
	trial_submitted(&f->w, f->ps, &f->m);
	assert_int_equal(f->w.d.n_items, 2);
	const struct core_item *item = &f->w.d.items[1];
	assert_int_equal(item->event->submitted->sender, 0);
	Ieum__V1__Referral *r = ieum__v1__referral__unpack(NULL, item->payload_len, item->payload);
	assert_non_null(r);
	assert_int_equal(r->body_case, IEUM__V1__REFERRAL__BODY_MUTUAL_NOTIFICATION);
	assert_memory_equal(r->mutual_notification->report_id.data, f->m.id, CORE_ID_BYTES);
	assert_int_equal(r->envelope->message_id.data[6] >> 4, 7);
	assert_int_equal(r->envelope->urgency, URGENCY(IMMEDIATE));
	assert_int_equal(r->n_narrative, 0);
	uint8_t notice[CORE_ID_BYTES];
	memcpy(notice, r->envelope->message_id.data, CORE_ID_BYTES);
	ieum__v1__referral__free_unpacked(r, NULL);
	assert_int_equal(trial_release(&f->w, city, 4, ids), 1);
	const Ieum__V1__CaseResult *k = trial_case(&f->w, city, notice);
	assert_string_equal(k->summary->owner, "city");
	assert_int_equal(k->n_links, 1);
	assert_null(trial_case(&f->w, city, f->m.id));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_repeat_gets_the_first_receipt),
		TEST(a_repeat_stands_under_another_policy_and_after_the_window),
		TEST(another_s_id_or_another_content_is_refused),
		TEST(ids_have_a_window),
		TEST(cases_and_replies_must_be_known_to_the_sender),
		TEST(links_go_both_ways_and_only_from_known_cases),
		TEST(a_full_queue_is_refused_with_a_hint),
		TEST(a_queue_full_of_bytes_is_refused),
		cmocka_unit_test_setup_teardown(the_hub_has_an_end, start_small, stop),
		TEST(a_case_has_room_for_so_many_links),
		TEST(what_is_superseded_before_delivery_is_withdrawn),
		TEST(what_is_superseded_is_not_chased_any_more),
		TEST(the_excluded_get_nothing_and_read_nothing),
		TEST(an_excluded_member_of_a_role_is_passed_over),
		TEST(a_case_whose_owner_is_excluded_gets_another),
		TEST(who_is_not_listed_gets_nothing),
		TEST(a_notice_that_a_rule_emits_has_a_case_of_its_own),
	};

	return cmocka_run_group_tests_name("core submit", tests, NULL, NULL);
}
