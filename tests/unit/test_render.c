/* Rendering: what a case worker sees of a timeline, a delivery and the queues, in both languages and
 * in local time; nothing from the wire reaches the terminal as a command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "client/json_out.h"
#include "client/render.h"
#include "client/when.h"
#include "tests/unit/screen.h"

/* Messages hold texts that could be written to. */
#define MUTABLE(text) ((char[]){ text })

/* 2026-03-02 10:00 in Korea, a Monday. */
#define MONDAY_MS INT64_C(1772413200000)
#define MIN_MS    INT64_C(60000)

static uint8_t report_id[16] = { 1, 2, 3 };

/* ---- a case ---- */

static char nobody[] = "", ps[] = "gimpo-ps", team[] = "joint-response-team-gimpo/lead",
	    aid[] = "legal-aid-1", gateway[] = "gimpo-ps-gateway for 당직 3팀장";

static struct page {
	Ieum__V1__Result result, *list[1];
	Ieum__V1__CaseResult one;
	Ieum__V1__CaseSummary summary;
	Ieum__V1__TimelineEntry entries[5], *timeline[5];
	char *to_team[1], *to_ps[1], *to_aid[1];
} page;

static void entry(size_t i, Ieum__V1__TimelineKind kind, int64_t at_ms, char *from, char **to)
{
	Ieum__V1__TimelineEntry *e = &page.entries[i];

	ieum__v1__timeline_entry__init(e);
	e->kind = kind;
	e->at_ms = at_ms;
	e->from = from;
	e->to = to;
	e->n_to = to ? 1 : 0;
	page.timeline[i] = e;
}

static struct pages case_page(void)
{
	ieum__v1__result__init(&page.result);
	ieum__v1__case_result__init(&page.one);
	ieum__v1__case_summary__init(&page.summary);
	page.to_team[0] = team;
	page.to_ps[0] = ps;
	page.to_aid[0] = aid;
	entry(0, IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_SUBMITTED, MONDAY_MS, ps, page.to_team);
	page.entries[0].type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_REPORT_RECEIVED;
	page.entries[0].urgency = IEUM__V1__URGENCY__URGENCY_IMMEDIATE;
	page.entries[0].due_at_ms = MONDAY_MS + 240 * MIN_MS;
	page.entries[0].actor = gateway;
	page.entries[0].message_id = (ProtobufCBinaryData){ sizeof report_id, report_id };
	entry(1, IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_ANSWERED, MONDAY_MS + 5 * MIN_MS, team,
	      page.to_ps);
	page.entries[1].type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER;
	page.entries[1].answer = IEUM__V1__ANSWER_KIND__ANSWER_KIND_ACCEPT;
	page.entries[1].in_reply_to = page.entries[0].message_id;
	entry(2, IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_ESCALATED, MONDAY_MS + 1440 * MIN_MS,
	      nobody, page.to_aid);
	page.entries[2].type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_REFERRAL;
	page.entries[2].cause = IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_NEXT_RANK;
	entry(3, IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_ESCALATED, MONDAY_MS + 1441 * MIN_MS,
	      nobody, NULL);
	page.entries[3].type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_REFERRAL;
	entry(4, IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_CASE_STATE, MONDAY_MS + 1442 * MIN_MS, team,
	      page.to_ps);
	page.entries[4].case_state = IEUM__V1__CASE_STATE__CASE_STATE_CLOSED;
	page.summary.case_id = page.entries[0].message_id;
	page.summary.state = IEUM__V1__CASE_STATE__CASE_STATE_MANAGED;
	page.summary.category = IEUM__V1__CATEGORY__CATEGORY_DOMESTIC_VIOLENCE;
	page.summary.owner = team;
	page.summary.open_requests = 2;
	page.summary.next_due_at_ms = MONDAY_MS - 35 * MIN_MS;
	page.one.summary = &page.summary;
	page.one.n_timeline = 5;
	page.one.timeline = page.timeline;
	page.result.hub_time_at_ms = MONDAY_MS;
	page.result.what_case = IEUM__V1__RESULT__WHAT_CASE;
	page.result.case_ = &page.one;
	page.list[0] = &page.result;
	return (struct pages){ page.list, 1 };
}

static void a_timeline_reads_from_left_to_right(void **state)
{
	struct pages pages = case_page();
	struct names none = { 0 };

	(void)state;
	assert_int_equal(render_case(&screen.inv, &pages, &none, true), EXIT_DONE);
	assert_says("2026-03-02 09:25 (35 min overdue)");
	assert_says("2026-03-02 (Mon) 10:00  gimpo-ps (gimpo-ps-gateway for 당직 3팀장)  Report");
	assert_says("Report received");
	assert_says("Immediate · by 2026-03-02 14:00");
	/* The same day is not said twice. */
	assert_says("                 10:05  joint-response-team-gimpo/lead");
	assert_says("Accept (re: Report received)");
	assert_says("2026-03-03 (Tue) 10:00  Hub");
	assert_says("Referral: rejected, the next is asked");
	assert_says("Referral: nobody is left to ask");
	assert_says("Case: Closed\n");
	assert_says_not("\033");
}

static void risk_and_consent_are_told(void **state)
{
	static char grade[] = "A", none_any_more[] = "-", withdrawn[] = "withdrawn",
		    given[] = "given";
	struct pages pages = case_page();
	struct names none = { 0 };

	(void)state;
	page.summary.grade = grade;
	page.one.consent_withdrawn = true;
	for (size_t i = 0; i < 2; i++) {
		entry(i, IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_GRADE, MONDAY_MS, nobody, NULL);
		page.entries[i].name = i ? none_any_more : grade;
		entry(i + 2, IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_CONSENT, MONDAY_MS, ps, NULL);
		page.entries[i + 2].name = i ? given : withdrawn;
	}
	assert_int_equal(render_case(&screen.inv, &pages, &none, true), EXIT_DONE);
	assert_says("Repeat risk");
	assert_says("withdrawn: only duties by law and danger allow sharing");
	assert_says("Repeat risk: grade A");
	assert_says("Repeat risk: no grade any more");
	assert_says("Consent withdrawn");
	assert_says("Consent given again");
}

static void a_message_says_who_sent_it(void **state)
{
	struct pages pages = case_page();
	struct names none = { 0 };
	Ieum__V1__ReferralResult r = IEUM__V1__REFERRAL_RESULT__INIT;

	(void)state;
	r.sender = ps;
	r.sender_actor = gateway;
	page.result.what_case = IEUM__V1__RESULT__WHAT_REFERRAL;
	page.result.referral = &r;
	assert_int_equal(render_referral(&screen.inv, &pages, &none), EXIT_DONE);
	assert_says("gimpo-ps (gimpo-ps-gateway for 당직 3팀장)\n");
}

static void the_same_in_korean(void **state)
{
	struct pages pages = case_page();
	struct names none = { 0 };

	(void)state;
	screen.inv.lang = WORDS_KO;
	assert_int_equal(render_case(&screen.inv, &pages, &none, true), EXIT_DONE);
	assert_says("책임 기관");
	assert_says("가정폭력");
	assert_says("2026-03-02 09:25 (35분 지남)");
	assert_says("2026-03-02 (월) 10:00");
	assert_says("즉시 · 기한 2026-03-02 14:00");
	assert_says("수락함 (신고접수에 대해)");
	assert_says("허브");
	assert_says("의뢰: 더 요청할 기관 없음");
	assert_says("사례: 종결");
}

static void colour_marks_what_is_overdue(void **state)
{
	struct pages pages = case_page();
	struct names none = { 0 };

	(void)state;
	screen.inv.colour = true;
	assert_int_equal(render_case(&screen.inv, &pages, &none, false), EXIT_DONE);
	assert_says("\033[31m2026-03-02 09:25 (35 min overdue)");
}

static void addresses_become_words(void **state)
{
	struct names none = { 0 };
	char words[256];

	(void)state;
	render_address(&screen.inv, &none, "head, head:gimpo-ps", words, sizeof words);
	assert_string_equal(words, "the head, head of gimpo-ps");
	render_address(&screen.inv, &none, "lead:team", words, sizeof words);
	assert_string_equal(words, "lead of team");
	render_address(&screen.inv, &none, "provider:legal#2[vi,female]", words, sizeof words);
	assert_string_equal(words, "whoever provides Legal #2[vi,female]");
	render_address(&screen.inv, &none, "role:", words, sizeof words);
	assert_string_equal(words, "role:");
	render_address(&screen.inv, &none, "gimpo-ps", words, 5);
	assert_string_equal(words, "gimp");
	screen.inv.lang = WORDS_KO;
	render_address(&screen.inv, &none, "convener:council, case_owner, gimpo-ps", words,
		       sizeof words);
	assert_string_equal(words, "council 의장 기관, 책임 기관, gimpo-ps");
}

static void names_become_titles(void **state)
{
	Ieum__V1__Result result = IEUM__V1__RESULT__INIT, *list[] = { &result };
	Ieum__V1__DirectoryResult directory = IEUM__V1__DIRECTORY_RESULT__INIT;
	Ieum__V1__DirectoryEntry e = IEUM__V1__DIRECTORY_ENTRY__INIT, *entries[] = { &e };
	struct names names = { list, 1 };
	char out[SHOWN_BYTES];

	(void)state;
	e.name = MUTABLE("joint-response-team-gimpo");
	e.title_en = MUTABLE("Joint response team");
	e.title_ko = MUTABLE("공동대응팀");
	directory.n_entries = 1;
	directory.entries = entries;
	result.what_case = IEUM__V1__RESULT__WHAT_DIRECTORY;
	result.directory = &directory;
	assert_string_equal(shown_name(&screen.inv, &names, team, out), "Joint response team/lead");
	assert_string_equal(shown_name(&screen.inv, &names, ps, out), "gimpo-ps");
	assert_string_equal(shown_name(&screen.inv, &names, "", out), "Hub");
	screen.inv.lang = WORDS_KO;
	assert_string_equal(shown_name(&screen.inv, &names, team, out), "공동대응팀/lead");
}

/* ---- a delivery ---- */

static void a_delivery_is_told_whole_and_harmless(void **state)
{
	static char hostile[] = "첫 줄\n\033[2J\xC2\x9B###둘째 줄";
	Ieum__V1__Delivery d = IEUM__V1__DELIVERY__INIT;
	Ieum__V1__Referral r = IEUM__V1__REFERRAL__INIT;
	Ieum__V1__Envelope e = IEUM__V1__ENVELOPE__INIT;
	Ieum__V1__ReportReceived body = IEUM__V1__REPORT_RECEIVED__INIT;
	Ieum__V1__NarrativePart clear = IEUM__V1__NARRATIVE_PART__INIT;
	Ieum__V1__NarrativePart sealed = IEUM__V1__NARRATIVE_PART__INIT;
	Ieum__V1__NarrativePart *parts[] = { &clear, &sealed };
	struct names none = { 0 };

	(void)state;
	/* U+202E: what follows would show from right to left. */
	memcpy(strchr(hostile, '#'), (const uint8_t[]){ 0xE2, 0x80, 0xAE }, 3);
	clear.media_type = MUTABLE("text/plain");
	clear.content_case = IEUM__V1__NARRATIVE_PART__CONTENT_CLEAR;
	clear.clear = (ProtobufCBinaryData){ sizeof hostile - 1, (uint8_t *)hostile };
	sealed.subject = IEUM__V1__NARRATIVE_SUBJECT__NARRATIVE_SUBJECT_SHELTER_LOCATION;
	sealed.content_case = IEUM__V1__NARRATIVE_PART__CONTENT_SEALED;
	sealed.sealed = (ProtobufCBinaryData){ 5, (uint8_t *)hostile };
	e.type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_REPORT_RECEIVED;
	e.urgency = IEUM__V1__URGENCY__URGENCY_IMMEDIATE;
	e.message_id = (ProtobufCBinaryData){ sizeof report_id, report_id };
	body.child_at_home = true;
	r.envelope = &e;
	r.body_case = IEUM__V1__REFERRAL__BODY_REPORT_RECEIVED;
	r.report_received = &body;
	r.n_narrative = 2;
	r.narrative = parts;
	d.delivery_id = 4608;
	d.attempt = 2;
	d.sender = ps;
	d.sender_actor = MUTABLE("desk 3");
	d.mailbox = team;
	d.answer_by_at_ms = MONDAY_MS + 10 * MIN_MS;
	d.referral = &r;
	assert_int_equal(render_delivery(&screen.inv, &d, false, &none, MONDAY_MS), EXIT_DONE);
	assert_says_not("shown before");
	assert_int_equal(render_delivery(&screen.inv, &d, true, &none, MONDAY_MS), EXIT_DONE);
	assert_says("attempt 2 · may have been shown before\n");
	assert_says("Immediate · Report received · delivery 4608 · attempt 2");
	assert_says("gimpo-ps (desk 3)");
	assert_says("2026-03-02 10:10 (in 10 min)");
	assert_says("Child at home: yes");
	assert_says("| 첫 줄\n    | ?[2J??둘째 줄\n");
	assert_says("    Shelter location (sealed, 5 bytes)\n");
	assert_says_not("\033");
}

/* ---- JSON ---- */

static void pages_become_one_document(void **state)
{
	Ieum__V1__Result results[2] = { IEUM__V1__RESULT__INIT, IEUM__V1__RESULT__INIT };
	Ieum__V1__Result *list[] = { &results[0], &results[1] };
	Ieum__V1__QueuesResult queues[2] = { IEUM__V1__QUEUES_RESULT__INIT,
					     IEUM__V1__QUEUES_RESULT__INIT };
	Ieum__V1__QueueSummary q = IEUM__V1__QUEUE_SUMMARY__INIT, *one[] = { &q };
	struct pages pages = { list, 2 };
	json_t *doc;

	(void)state;
	q.mailbox = ps;
	for (int i = 0; i < 2; i++) {
		queues[i].n_queues = 1;
		queues[i].queues = one;
		results[i].what_case = IEUM__V1__RESULT__WHAT_QUEUES;
		results[i].queues = &queues[i];
	}
	results[0].next_cursor = (ProtobufCBinaryData){ 3, report_id };
	assert_int_equal(json_out_pages(&screen.inv, &pages), EXIT_DONE);
	fflush(screen.inv.out);
	doc = json_loads(screen.printed, 0, NULL);
	assert_non_null(doc);
	assert_null(json_object_get(doc, "next_cursor"));
	assert_int_equal(json_array_size(json_object_get(json_object_get(doc, "queues"), "queues")),
			 2);
	json_decref(doc);
}

/* ---- times ---- */

static void spans_have_their_two_largest_units(void **state)
{
	char out[WHEN_BYTES];

	(void)state;
	assert_string_equal(when_span(12999, WORDS_EN, out), "12 s");
	assert_string_equal(when_span(45 * MIN_MS, WORDS_EN, out), "45 min");
	assert_string_equal(when_span(120 * MIN_MS, WORDS_EN, out), "2 h");
	assert_string_equal(when_span(125 * MIN_MS, WORDS_KO, out), "2시간 5분");
	assert_string_equal(when_span(51 * 60 * MIN_MS, WORDS_EN, out), "2 d 3 h");
	assert_string_equal(when_span(48 * 60 * MIN_MS, WORDS_KO, out), "2일");
	assert_string_equal(when_span(-5, WORDS_EN, out), "0 s");
	assert_string_equal(when_time(0, out), "");
	assert_string_equal(when_deadline(0, MONDAY_MS, WORDS_EN, out), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_timeline_reads_from_left_to_right, screen_open,
						screen_close),
		cmocka_unit_test_setup_teardown(a_message_says_who_sent_it, screen_open,
						screen_close),
		cmocka_unit_test_setup_teardown(the_same_in_korean, screen_open, screen_close),
		cmocka_unit_test_setup_teardown(risk_and_consent_are_told, screen_open,
						screen_close),
		cmocka_unit_test_setup_teardown(colour_marks_what_is_overdue, screen_open,
						screen_close),
		cmocka_unit_test_setup_teardown(addresses_become_words, screen_open, screen_close),
		cmocka_unit_test_setup_teardown(names_become_titles, screen_open, screen_close),
		cmocka_unit_test_setup_teardown(a_delivery_is_told_whole_and_harmless, screen_open,
						screen_close),
		cmocka_unit_test_setup_teardown(pages_become_one_document, screen_open,
						screen_close),
		cmocka_unit_test_setup_teardown(spans_have_their_two_largest_units, screen_open,
						screen_close),
	};

	return cmocka_run_group_tests_name("render", tests, NULL, NULL);
}
