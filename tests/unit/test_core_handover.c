/* Hand-over of a jurisdiction: the dry run, the cut-over, a case taken or declined, what keeps
 * coming meanwhile, and the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/sealed.h"
#include "broker/core/state.h"
#include "proto/handover_row.h"
#include "proto/sha256.h"
#include "tests/unit/core_trial.h"

#define STEP(word) IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_##word

enum { CASES = 3 };

/* Two agencies: `old` is there for two towns, `new` for the second from some day on. */
static const char hub[] =
	"hub: {name: test.ieum, title: {en: T, ko: 티}, jurisdiction: \"41210\", time_zone: \"+09:00\"}\n"
	"calendar: {working_hours: \"09:00-18:00\", weekend: [saturday, sunday], holidays: []}\n"
	"domains: [care]\n"
	"kinds:\n"
	"  police: {title: {en: P, ko: 경}, may_send: {all_except: [jurisdiction_change]}}\n"
	"  agency: {title: {en: A, ko: 아}, may_send: {all_except: [jurisdiction_change]}}\n"
	"  city: {title: {en: C, ko: 시}, may_send: all}\n"
	"  provider: {title: {en: V, ko: 제}, may_send: [answer]}\n"
	"participants:\n"
	"  ps: {kind: police, title: {en: ps, ko: 가}}\n"
	"  old: {kind: agency, title: {en: old, ko: 나}, head: city, jurisdictions: [\"41390\", \"41210\"]}\n"
	"  new: {kind: agency, title: {en: new, ko: 다}, head: city, jurisdiction: \"99\"}\n"
	"  city: {kind: city, title: {en: city, ko: 라}}\n"
	"  carer: {kind: provider, title: {en: carer, ko: 마}, head: city, domains: [care]}\n"
	"types:\n"
	"  default: {needs_case: true, may_open: true}\n"
	"  answer: {needs_case: false, needs_reply_to: true}\n"
	"  jurisdiction_change: {needs_case: false}\n"
	"  handover_manifest: {needs_case: false}\n"
	"rules:\n"
	"  - name: report\n"
	"    when: {type: report_received}\n"
	"    to: \"role:agency\"\n"
	"    owner: \"role:agency\"\n"
	"    answer_within: 10 d\n"
	"    stops_at: completed\n"
	"    then: [{to: city, within: 1 d}]\n"
	"    case_state: investigating\n"
	"  - name: child\n"
	"    when: {type: report_received, child_at_home: true}\n"
	"    emit: {type: mutual_notification, open_case: true, link: same_incident}\n"
	"  - name: notified\n"
	"    when: {type: mutual_notification}\n"
	"    to: \"role:agency\"\n"
	"    owner: \"role:agency\"\n"
	"  - name: told\n"
	"    when: {type: contact_result, addressed: true}\n"
	"    to: addressees\n"
	"  - {name: withdrawn, when: {type: consent_withdrawal}, to: case_owner, stops_use: true}\n"
	"  - name: stop\n"
	"    when: {type: stop_use_order, sender_kind: hub, addressed: true}\n"
	"    to: addressees\n"
	"    each: true\n"
	"    answer_within: 1 d\n"
	"    stops_at: received\n"
	"    then: [{to: city, within: 1 d}]\n"
	"  - name: support\n"
	"    when: {type: referral}\n"
	"    ranked: $domain\n"
	"    answer_within: 20 d\n"
	"    then: [{to: city, within: 1 d}]\n"
	"  - name: ask\n"
	"    when: {type: information_request, addressed: true}\n"
	"    to: addressees\n"
	"    answer_within: 20 d\n"
	"    then: [{to: city, within: 1 d}]\n"
	"  - name: work\n"
	"    when: {type: service_report}\n"
	"    to: case_owner\n"
	"  - name: change\n"
	"    when: {type: jurisdiction_change}\n"
	"    hands_over: true\n"
	"  - name: case-handed-over\n"
	"    when: {type: handover, addressed: true}\n"
	"    to: addressees\n"
	"    answer_within: 1 d\n"
	"    stops_at: completed\n"
	"    on_accept: hand_over\n"
	"    then: [{to: [head, addressees, city], within: 1 d, repeat: true}]\n"
	"  - name: confirmed\n"
	"    when: {type: handover_manifest, sender_kind: [agency, city]}\n"
	"    to: city\n"
	"    confirms: true\n";

struct town {
	struct trial w;
	uint64_t ps, old, new, city, carer;
	uint8_t cases[CASES][CORE_ID_BYTES]; /* each opened by the report of the same id */
	uint8_t change[CORE_ID_BYTES];
	uint8_t asked[CASES][CORE_ID_BYTES]; /* the hub's requests, in the order of the cases */
};

static void take_all(struct trial *w, uint64_t connection)
{
	uint64_t id;

	while ((id = trial_release_one(w, connection)))
		assert_int_equal(trial_done(w, connection, id), IEUM_E_OK);
}

/* The next delivery, which has to come. */
static struct core_delivery take_next(struct trial *w, uint64_t connection)
{
	struct core_delivery d = { 0 };
	uint64_t id = trial_release_one(w, connection);

	assert_true(id && core_delivery(w->core, id, &d));
	return d;
}

static void open_town(struct town *t)
{
	struct message m;

	memset(t, 0, sizeof *t);
	trial_start(&t->w, hub, NULL);
	t->ps = trial_connect(&t->w, "ps");
	t->old = trial_connect(&t->w, "old");
	t->new = trial_connect(&t->w, "new");
	t->city = trial_connect(&t->w, "city");
	t->carer = trial_connect(&t->w, "carer");
	for (int i = 0; i < CASES; i++) {
		t->w.now += MIN_US;
		message_new(&t->w, &m, TYPE(REPORT_RECEIVED));
		message_open_case(&m);
		trial_submitted(&t->w, t->ps, &m);
		memcpy(t->cases[i], m.id, CORE_ID_BYTES);
	}
	take_all(&t->w, t->old);
}

static enum ieum_err announce(struct town *t, const char *from, const char *to, core_time_us at)
{
	struct message m;

	message_new(&t->w, &m, TYPE(JURISDICTION_CHANGE));
	m.change.from = (char *)from;
	m.change.to = (char *)to;
	m.change.from_jurisdiction = (char *)"41210";
	m.change.effective_at_ms = at / 1000;
	enum ieum_err err = trial_submit(&t->w, t->city, &m);
	if (!err)
		memcpy(t->change, m.id, CORE_ID_BYTES);
	return err;
}

/* Announced and in effect; the requests are what `new` then gets. */
static void cut_over(struct town *t)
{
	uint64_t ids[64];
	struct core_delivery d;
	int n_asked = 0;

	assert_int_equal(announce(t, "old", "new", t->w.now + DAY_US), IEUM_E_OK);
	take_all(&t->w, t->new);
	take_all(&t->w, t->old);
	(void)trial_at(&t->w, t->w.now + DAY_US);
	size_t n = trial_release(&t->w, t->new, 64, ids);
	for (size_t i = 0; i < n; i++) {
		assert_true(core_delivery(t->w.core, ids[i], &d));
		if (d.answer_by_at_ms)
			memcpy(t->asked[n_asked++], d.message_id, CORE_ID_BYTES);
		assert_int_equal(trial_done(&t->w, t->new, ids[i]), IEUM_E_OK);
	}
	assert_int_equal(n_asked, CASES);
}

static const Ieum__V1__HandoverResult *ask(struct town *t, uint64_t who, const char *from,
					   const char *to, enum ieum_err *err)
{
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__HandoverQuery of = IEUM__V1__HANDOVER_QUERY__INIT;

	q.what_case = IEUM__V1__QUERY__WHAT_HANDOVER;
	q.handover = &of;
	q.page_rows = 200;
	of.from = (char *)from;
	of.to = (char *)to;
	of.jurisdiction = (char *)"41210";
	if (!*from)
		of.change_id = (ProtobufCBinaryData){ CORE_ID_BYTES, t->change };
	const Ieum__V1__Result *r = trial_query(&t->w, who, &q, err);
	return r ? r->handover : NULL;
}

static const Ieum__V1__HandoverResult *status(struct town *t)
{
	enum ieum_err err;
	const Ieum__V1__HandoverResult *r = ask(t, t->city, "", "", &err);

	assert_int_equal(err, IEUM_E_OK);
	return r;
}

/* ---- the dry run ---- */

static void a_dry_run_tells_what_would_go_and_what_not(void **state)
{
	struct town t;
	struct message m;
	enum ieum_err err;

	(void)state;
	open_town(&t);
	message_new(&t.w, &m, TYPE(SERVICE_REPORT));
	message_in_case(&m, t.cases[1]);
	message_exclude(&m, "new");
	trial_submitted(&t.w, t.ps, &m);
	const Ieum__V1__HandoverResult *r = ask(&t, t.city, "old", "new", &err);
	assert_int_equal(err, IEUM_E_OK);
	assert_int_equal(r->n_items, CASES);
	assert_int_equal(r->errors, 1);
	assert_int_equal(r->manifest->cases, CASES - 1);
	assert_int_equal(r->manifest->open_referrals, CASES - 1);
	for (size_t i = 0; i < CASES; i++) {
		bool is_it = memcmp(r->items[i]->case_id.data, t.cases[1], CORE_ID_BYTES) == 0;
		assert_int_equal(r->items[i]->stays, is_it);
		assert_int_equal(r->items[i]->error_code,
				 is_it ? IEUM_E_CONFLICT_OF_INTEREST : IEUM_E_OK);
	}
	/* Nothing has changed, and only who may announce it may ask. */
	trial_verify(&t.w);
	assert_int_equal(trial_case(&t.w, t.old, t.cases[0])->summary->state, CASE(INVESTIGATING));
	(void)ask(&t, t.ps, "old", "new", &err);
	assert_int_equal(err, IEUM_E_NOT_PERMITTED);
	/* The cut-over leaves it where it is, too, and says so: to who announced it and who keeps it. */
	assert_int_equal(announce(&t, "old", "new", t.w.now + MIN_US), IEUM_E_OK);
	uint64_t told = trial_counts(&t.w, "city").routed;
	(void)trial_at(&t.w, t.w.now + MIN_US);
	assert_int_equal(trial_counts(&t.w, "city").routed, told + 1);
	r = status(&t);
	assert_int_equal(r->manifest->cases, CASES);
	for (size_t i = 0; i < CASES; i++)
		if (memcmp(r->items[i]->case_id.data, t.cases[1], CORE_ID_BYTES) == 0)
			assert_int_equal(r->items[i]->step,
					 IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_KEPT);
	assert_int_equal(trial_case(&t.w, t.old, t.cases[1])->summary->state, CASE(INVESTIGATING));
	trial_stop(&t.w);
}

/* Each page counts what it tells of, and looks at no more. */
static void a_dry_run_comes_in_pages(void **state)
{
	Ieum__V1__HandoverQuery of = IEUM__V1__HANDOVER_QUERY__INIT;
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	struct town t;
	uint8_t cursor[16];
	enum ieum_err err;

	(void)state;
	open_town(&t);
	of.from = (char *)"old";
	of.to = (char *)"new";
	q.what_case = IEUM__V1__QUERY__WHAT_HANDOVER;
	q.handover = &of;
	q.page_rows = 1;
	for (int i = 0; i < CASES; i++) {
		const Ieum__V1__Result *r = trial_query(&t.w, t.city, &q, &err);
		assert_non_null(r);
		assert_int_equal(r->handover->n_items, 1);
		assert_int_equal(r->handover->manifest->cases, 1);
		assert_int_equal(r->handover->manifest->digest.len, 0);
		/* Newest first. */
		assert_memory_equal(r->handover->items[0]->case_id.data, t.cases[CASES - 1 - i],
				    CORE_ID_BYTES);
		q.cursor = (ProtobufCBinaryData){ r->next_cursor.len, cursor };
		if (r->next_cursor.len)
			memcpy(cursor, r->next_cursor.data, r->next_cursor.len);
	}
	const Ieum__V1__Result *end = q.cursor.len ? trial_query(&t.w, t.city, &q, &err) : NULL;
	assert_true(!end || (end->handover->n_items == 0 && end->next_cursor.len == 0));
	trial_stop(&t.w);
}

static void a_change_is_announced_once_and_can_be_taken_back(void **state)
{
	struct town t;

	(void)state;
	open_town(&t);
	assert_int_equal(announce(&t, "old", "old", t.w.now), IEUM_E_FIELD_INVALID);
	assert_int_equal(announce(&t, "old", "nobody", t.w.now), IEUM_E_FIELD_INVALID);
	assert_int_equal(announce(&t, "old", "new", t.w.now + DAY_US), IEUM_E_OK);
	assert_int_equal(announce(&t, "old", "new", t.w.now + DAY_US), IEUM_E_STATE_CONFLICT);
	/* Both are told. */
	assert_int_equal(trial_counts(&t.w, "old").queued, 1);
	assert_int_equal(trial_counts(&t.w, "new").queued, 1);
	/* Only by who announced it. */
	assert_int_equal(trial_answer(&t.w, t.old, t.change, ANSWER(CANCEL)), IEUM_E_NOT_ADDRESSED);
	assert_int_equal(trial_answer(&t.w, t.city, t.change, ANSWER(CANCEL)), IEUM_E_OK);
	assert_int_equal(trial_counts(&t.w, "old").queued, 2);
	trial_verify(&t.w);
	(void)trial_at(&t.w, t.w.now + 2 * DAY_US);
	assert_int_equal(trial_case(&t.w, t.old, t.cases[0])->summary->state, CASE(INVESTIGATING));
	assert_int_equal(status(&t)->step, STEP(CANCELLED));
	assert_int_equal(announce(&t, "old", "new", t.w.now + DAY_US), IEUM_E_OK);
	(void)trial_at(&t.w, t.w.now + DAY_US);
	assert_int_equal(trial_answer(&t.w, t.city, t.change, ANSWER(CANCEL)),
			 IEUM_E_STATE_CONFLICT);
	trial_stop(&t.w);
}

/* ---- the cut-over ---- */

static void open_report(struct town *t, uint8_t id[CORE_ID_BYTES])
{
	struct message m;

	message_new(&t->w, &m, TYPE(REPORT_RECEIVED));
	message_open_case(&m);
	trial_submitted(&t->w, t->ps, &m);
	memcpy(id, m.id, CORE_ID_BYTES);
}

static const Ieum__V1__HandoverChanged *due_once(struct town *t)
{
	core_decision_reset(&t->w.d);
	assert_int_equal(trial_record(&t->w,
				      core_decide_due(t->w.core, t->w.policy, t->w.now, &t->w.d)),
			 IEUM_E_OK);
	const Ieum__V1__Event *e = t->w.d.n_items ? t->w.d.items[0].event : NULL;
	return e && e->what_case == IEUM__V1__EVENT__WHAT_HANDOVER_CHANGED ? e->handover_changed
									   : NULL;
}

/* It takes effect in one event; its cases follow, a bounded number per call, and what comes between
 * finds each case where it belongs. */
static void many_cases_are_gathered_some_at_a_time(void **state)
{
	enum { MANY = 1200 };
	static uint8_t id[MANY][CORE_ID_BYTES];
	uint8_t late[CORE_ID_BYTES];
	struct town t;
	struct message m;

	(void)state;
	open_town(&t);
	for (int i = 0; i < MANY; i++)
		open_report(&t, id[i]);
	assert_int_equal(announce(&t, "old", "new", t.w.now + DAY_US), IEUM_E_OK);
	t.w.now += DAY_US;
	assert_int_equal(due_once(&t)->step, STEP(CUT_OVER));
	trial_verify(&t.w);
	open_report(&t, late);
	assert_string_equal(trial_case(&t.w, t.new, late)->summary->owner, "new");
	unsigned n_calls = 0;
	for (const Ieum__V1__HandoverChanged *e; (e = due_once(&t)); n_calls++) {
		assert_int_equal(e->step, STEP(GATHERED));
		assert_in_range(e->n_case_ids, 1, 512);
		trial_verify(&t.w);
		if (n_calls > 0)
			continue;
		/* The newest is not gathered yet. */
		assert_int_equal(trial_case(&t.w, t.old, id[MANY - 1])->summary->state,
				 CASE(INVESTIGATING));
		message_new(&t.w, &m, TYPE(SERVICE_REPORT));
		message_in_case(&m, id[MANY - 1]);
		uint64_t of_new = trial_counts(&t.w, "new").queued;
		trial_submitted(&t.w, t.ps, &m);
		assert_int_equal(trial_counts(&t.w, "new").queued, of_new);
		message_new(&t.w, &m, TYPE(HANDOVER_MANIFEST));
		m.manifest.change_id = (ProtobufCBinaryData){ CORE_ID_BYTES, t.change };
		assert_int_equal(trial_submit(&t.w, t.new, &m), IEUM_E_STATE_CONFLICT);
	}
	assert_true(n_calls > 2);
	assert_int_equal(status(&t)->manifest->cases, CASES + MANY);
	assert_int_equal(status(&t)->manifest->digest.len, HANDOVER_DIGEST_BYTES);
	assert_int_equal(trial_case(&t.w, t.old, id[MANY - 1])->summary->state, CASE(IN_HANDOVER));
	trial_stop(&t.w);
}

/* ---- taken ---- */

static void until_it_is_accepted_the_old_one_is_responsible(void **state)
{
	struct town t;
	struct message m;

	(void)state;
	open_town(&t);
	cut_over(&t);
	trial_verify(&t.w);
	const Ieum__V1__CaseResult *k = trial_case(&t.w, t.old, t.cases[0]);
	assert_int_equal(k->summary->state, CASE(IN_HANDOVER));
	assert_string_equal(k->summary->owner, "old");
	/* It may act; what comes reaches both. */
	assert_int_equal(trial_answer(&t.w, t.old, t.cases[0], ANSWER(RECEIVED)), IEUM_E_OK);
	message_new(&t.w, &m, TYPE(SERVICE_REPORT));
	message_in_case(&m, t.cases[0]);
	trial_submitted(&t.w, t.ps, &m);
	take_all(&t.w, t.ps);
	(void)take_next(&t.w, t.old); /* the manifest */
	struct core_delivery of_old = take_next(&t.w, t.old);
	assert_memory_equal(of_old.message_id, m.id, CORE_ID_BYTES);
	struct core_delivery of_new = take_next(&t.w, t.new);
	assert_memory_equal(of_new.message_id, m.id, CORE_ID_BYTES);
	assert_int_equal(of_new.cause, CAUSE(FORWARDED));
	/* And a new state is the case's when the hand-over is over. */
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[0], ANSWER(ACCEPT)), IEUM_E_OK);
	k = trial_case(&t.w, t.new, t.cases[0]);
	assert_int_equal(k->summary->state, CASE(INVESTIGATING));
	assert_string_equal(k->summary->owner, "new");
	trial_stop(&t.w);
}

/* With a certificate that is told apart by a number. */
static uint64_t comes_with(struct town *t, const char *name, int number)
{
	uint8_t bytes[4][CORE_HASH_BYTES];
	const struct core_certificate certificate = {
		.der = bytes[0],
		.der_len = sizeof bytes[0],
		.fingerprint = bytes[1],
		.key_id = bytes[2],
		.key_id_len = 20,
		.issuer_serial = bytes[3],
		.ends_at_ms = (t->w.now + 400 * DAY_US) / 1000,
		.actor = "someone",
		.serial = number == 1 ? "01" : "02",
	};
	const struct core_connect k = {
		.participant = name,
		.actor = "someone",
		.address = "192.0.2.1:4",
		.certificate = "0a",
		.with = &certificate,
	};

	memset(bytes, number, sizeof bytes);
	core_decision_reset(&t->w.d);
	assert_int_equal(trial_record(&t->w, core_decide_connect(t->w.core, t->w.policy, &k,
								 t->w.now, &t->w.d)),
			 IEUM_E_OK);
	return t->w.d.items[0].event->connected->connection;
}

/* Of a sealed message that was for the old one, the new one wants the key when it reads it. */
static void who_takes_a_case_over_wants_its_keys(void **state)
{
	static const struct seal_recipient somebody = { .by_key_id = true, .key_id_len = 20 };
	static const struct core_sealed sealed = { 0, &somebody, 1 };
	static char *of_old[] = { (char *)"old" };
	Ieum__V1__NarrativePart part = IEUM__V1__NARRATIVE_PART__INIT, *parts[] = { &part };
	struct town t;
	struct message m;

	(void)state;
	open_town(&t);
	message_new(&t.w, &m, TYPE(SERVICE_REPORT));
	message_in_case(&m, t.cases[0]);
	part.media_type = (char *)"text/plain";
	part.content_case = IEUM__V1__NARRATIVE_PART__CONTENT_SEALED;
	part.number = 1;
	part.recipients = of_old;
	part.n_recipients = 1;
	m.referral.narrative = parts;
	m.referral.n_narrative = 1;
	m.sealed = &sealed;
	m.n_sealed = 1;
	trial_submitted(&t.w, t.ps, &m);
	const struct sealed *s =
		sealed_at(t.w.core, referral_at(t.w.core, state_referral(t.w.core, m.id))->sealed);
	uint32_t successor = state_participant_number(t.w.core, "new");
	(void)comes_with(&t, "new", 2);
	cut_over(&t);
	(void)trial_at(&t.w, t.w.now);
	assert_int_equal(sealed_want_of(t.w.core, s, successor), 0);
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[0], ANSWER(ACCEPT)), IEUM_E_OK);
	for (int taken = 0; taken < 2; taken++) {
		core_decision_reset(&t.w.d);
		/* A query of it wants the key; nobody has to be asked for who may not read it. */
		assert_int_equal(
			trial_record(&t.w, core_decide_read(t.w.core, taken ? t.new : t.carer,
							    "referral", &m.id, 1, t.w.now, &t.w.d)),
			IEUM_E_OK);
		(void)trial_at(&t.w, t.w.now);
		assert_int_equal(sealed_want_of(t.w.core, s, successor) != 0, taken);
	}
	assert_int_equal(sealed_want_of(t.w.core, s, state_participant_number(t.w.core, "carer")),
			 0);
	trial_verify(&t.w);
	trial_stop(&t.w);
}

static enum ieum_err wrap_for(struct town *t, uint64_t holder, const uint8_t *id, const char *name,
			      int number)
{
	static uint8_t info[] = "a recipient info";
	struct seal_recipient recipient = { .by_key_id = true, .key_id_len = 20 };
	const struct core_sealed sealed = { 0, &recipient, 1 };
	Ieum__V1__WrappedKey key = IEUM__V1__WRAPPED_KEY__INIT, *keys[] = { &key };
	struct message m;

	memset(recipient.key_id, number, 20);
	message_new(&t->w, &m, TYPE(KEY_WRAP));
	m.wrap.message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)id };
	m.wrap.participant = (char *)name;
	m.wrap.keys = keys;
	m.wrap.n_keys = 1;
	key.part = 1;
	key.recipient_info = (ProtobufCBinaryData){ sizeof info, info };
	m.sealed = &sealed;
	m.n_sealed = 1;
	return trial_submit(&t->w, holder, &m);
}

/* The sender is gone, and of those who hold the key only the old one is left: it is asked, may read
 * that one message for it, and the new one has the key. */
static void keys_go_over_with_the_case(void **state)
{
	enum { OLD = 1, NEW };
	struct seal_recipient of_old = { .by_key_id = true, .key_id_len = 20 };
	const struct core_sealed sealed = { 0, &of_old, 1 };
	Ieum__V1__NarrativePart part = IEUM__V1__NARRATIVE_PART__INIT, *parts[] = { &part };
	struct town t;
	struct message m;

	(void)state;
	open_town(&t);
	uint64_t old = comes_with(&t, "old", OLD), new = comes_with(&t, "new", NEW);
	memset(of_old.key_id, OLD, 20);
	message_new(&t.w, &m, TYPE(SERVICE_REPORT));
	message_in_case(&m, t.cases[0]);
	part.media_type = (char *)"text/plain";
	part.content_case = IEUM__V1__NARRATIVE_PART__CONTENT_SEALED;
	part.number = 1;
	m.referral.narrative = parts;
	m.referral.n_narrative = 1;
	m.sealed = &sealed;
	m.n_sealed = 1;
	trial_submitted(&t.w, t.ps, &m);
	trial_disconnect(&t.w, t.ps);
	cut_over(&t);
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[0], ANSWER(ACCEPT)), IEUM_E_OK);
	assert_null(trial_referral(&t.w, old, m.id));
	core_decision_reset(&t.w.d);
	assert_int_equal(trial_record(&t.w, core_decide_read(t.w.core, new, "referral", &m.id, 1,
							     t.w.now, &t.w.d)),
			 IEUM_E_OK);
	(void)trial_at(&t.w, t.w.now);
	const Ieum__V1__ReferralResult *r = trial_referral(&t.w, old, m.id);
	assert_non_null(r);
	assert_int_equal(r->withheld, 0);
	assert_int_equal(wrap_for(&t, old, m.id, "new", NEW), IEUM_E_OK);
	const struct sealed *s =
		sealed_at(t.w.core, referral_at(t.w.core, state_referral(t.w.core, m.id))->sealed);
	assert_int_equal(sealed_held(s, state_participant_number(t.w.core, "new")), 1);
	/* Then it is the new one's alone. */
	assert_null(trial_referral(&t.w, old, m.id));
	int index = policy_find_participant(t.w.policy, "old");
	assert_int_equal(sealed_readable(t.w.core, t.w.policy, s, index), 0);
	trial_verify(&t.w);
	trial_stop(&t.w);
}

/* What is for the old one is for the new one too, asked of one participant or of all at once. */
static void the_old_ones_name_means_the_new_one(void **state)
{
	static char *of_old[] = { (char *)"old" };
	Ieum__V1__NarrativePart part = IEUM__V1__NARRATIVE_PART__INIT, *parts[] = { &part };
	struct town t;

	(void)state;
	open_town(&t);
	cut_over(&t);
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[0], ANSWER(ACCEPT)), IEUM_E_OK);
	part.recipients = of_old;
	part.n_recipients = 1;
	for (int in_case = 0; in_case < 2; in_case++) {
		uint32_t ch = in_case ? state_case(t.w.core, t.cases[0]) : 0;
		uint16_t *of = calloc(policy_participants(t.w.policy), sizeof *of);
		int new = policy_find_participant(t.w.policy, "new");

		assert_non_null(of);
		assert_int_equal(sealed_read_names(t.w.core, t.w.policy, ch, parts, 1, of),
				 IEUM_E_OK);
		assert_int_equal(of[new], in_case);
		for (size_t i = 0; i < policy_participants(t.w.policy); i++)
			assert_int_equal(of[i],
					 sealed_is_named(t.w.core, t.w.policy, (int)i, ch, "old"));
		free(of);
	}
	trial_stop(&t.w);
}

static int64_t due_of(struct town *t, uint64_t who, const uint8_t *id)
{
	const Ieum__V1__ReferralResult *r = trial_referral(&t->w, who, id);

	assert_non_null(r);
	return r->tasks[0]->due_at_ms;
}

static void deadlines_are_not_reset(void **state)
{
	struct town t;

	(void)state;
	open_town(&t);
	int64_t due_at_ms = due_of(&t, t.ps, t.cases[0]);
	cut_over(&t);
	assert_int_equal(due_of(&t, t.ps, t.cases[0]), due_at_ms);
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[0], ANSWER(ACCEPT)), IEUM_E_OK);
	(void)trial_at(&t.w, t.w.now);
	const Ieum__V1__ReferralResult *r = trial_referral(&t.w, t.new, t.cases[0]);
	assert_non_null(r);
	assert_int_equal(r->tasks[0]->due_at_ms, due_at_ms);
	assert_string_equal(r->tasks[0]->asked, "new");
	/* The new one gets what it owes, with the old deadline, and can answer it. */
	struct core_delivery d = take_next(&t.w, t.new);
	assert_memory_equal(d.message_id, t.cases[0], CORE_ID_BYTES);
	assert_int_equal(d.cause, CAUSE(FORWARDED));
	assert_int_equal(d.answer_by_at_ms, due_at_ms);
	assert_int_equal(trial_answer(&t.w, t.new, t.cases[0], ANSWER(COMPLETE)), IEUM_E_OK);
	trial_stop(&t.w);
}

static void the_old_ones_access_ends(void **state)
{
	struct town t;
	struct message m;

	(void)state;
	open_town(&t);
	cut_over(&t);
	take_all(&t.w, t.old);
	/* One is in flight to it, one waits. */
	for (int i = 0; i < 2; i++) {
		message_new(&t.w, &m, TYPE(SERVICE_REPORT));
		message_in_case(&m, t.cases[0]);
		trial_submitted(&t.w, t.ps, &m);
	}
	uint64_t in_flight = trial_release_one(&t.w, t.old);
	int64_t released_at_ms = t.w.now / 1000;
	assert_true(in_flight);
	t.w.now += MIN_US / 2;
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[0], ANSWER(ACCEPT)), IEUM_E_OK);
	trial_verify(&t.w);
	assert_int_equal(trial_counts(&t.w, "old").queued, 0);
	assert_int_equal(trial_counts(&t.w, "old").in_flight, 0);
	assert_int_equal(trial_counts(&t.w, "old").withdrawn, 2);
	assert_int_equal(trial_done(&t.w, t.old, in_flight), IEUM_E_OK);
	assert_null(trial_case(&t.w, t.old, t.cases[0]));
	assert_null(trial_referral(&t.w, t.old, t.cases[0]));
	assert_non_null(trial_case(&t.w, t.old, t.cases[1]));
	message_new(&t.w, &m, TYPE(SERVICE_REPORT));
	message_in_case(&m, t.cases[0]);
	assert_int_equal(trial_submit(&t.w, t.old, &m), IEUM_E_CASE_UNKNOWN);
	assert_int_equal(trial_answer(&t.w, t.old, t.cases[0], ANSWER(COMPLETE)),
			 IEUM_E_REFERRAL_UNKNOWN);
	/* When it last had something of it is on record. */
	const Ieum__V1__HandoverResult *r = status(&t);
	assert_int_equal(r->items[0]->step, STEP(ACCEPTED));
	assert_int_equal(r->items[0]->last_read_at_ms, released_at_ms);
	assert_int_equal(r->items[1]->step, STEP(ASKED));
	/* Its successor reads what it had. */
	assert_non_null(trial_referral(&t.w, t.new, t.cases[0]));
	trial_stop(&t.w);
}

/* Nor does it learn from the hand-over's list how a case goes on. */
static void the_list_tells_the_old_one_no_more_than_that_it_was_taken(void **state)
{
	struct town t;
	struct message m;
	enum ieum_err err;

	(void)state;
	open_town(&t);
	cut_over(&t);
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[0], ANSWER(ACCEPT)), IEUM_E_OK);
	const Ieum__V1__HandoverResult *r = ask(&t, t.old, "", "", &err);
	assert_non_null(r);
	assert_int_equal(r->items[0]->step, STEP(ACCEPTED));
	assert_int_equal(r->items[0]->state, 0);
	assert_int_equal(r->items[1]->state, CASE(IN_HANDOVER));
	r = ask(&t, t.new, "", "", &err);
	assert_int_equal(r->items[0]->state, CASE(INVESTIGATING));
	/* Whoever is excluded from a case finds it nowhere. */
	message_new(&t.w, &m, TYPE(SERVICE_REPORT));
	message_in_case(&m, t.cases[2]);
	message_exclude(&m, "city");
	trial_submitted(&t.w, t.ps, &m);
	assert_int_equal(status(&t)->n_items, CASES - 1);
	r = ask(&t, t.city, "old", "new", &err);
	assert_int_equal(r->n_items, 1);
	trial_stop(&t.w);
}

static void a_read_by_a_query_is_the_last_read(void **state)
{
	struct town t;

	(void)state;
	open_town(&t);
	cut_over(&t);
	t.w.now += HOUR_US;
	core_decision_reset(&t.w.d);
	assert_int_equal(trial_record(&t.w,
				      core_decide_read(t.w.core, t.old, "case",
						       (const uint8_t(*)[CORE_ID_BYTES])t.cases[0],
						       1, t.w.now, &t.w.d)),
			 IEUM_E_OK);
	int64_t read_at_ms = t.w.now / 1000;
	trial_verify(&t.w);
	t.w.now += HOUR_US;
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[0], ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(status(&t)->items[0]->last_read_at_ms, read_at_ms);
	trial_stop(&t.w);
}

static void late_answers_go_to_the_new_one(void **state)
{
	struct town t;
	struct message m;

	(void)state;
	open_town(&t);
	message_new(&t.w, &m, TYPE(REFERRAL));
	message_in_case(&m, t.cases[2]);
	m.support.domain = (char *)"care";
	trial_submitted(&t.w, t.old, &m);
	cut_over(&t);
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[2], ANSWER(ACCEPT)), IEUM_E_OK);
	(void)trial_at(&t.w, t.w.now);
	take_all(&t.w, t.new);
	take_all(&t.w, t.old);
	assert_int_equal(trial_answer(&t.w, t.carer, m.id, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(trial_counts(&t.w, "old").queued, 0);
	struct core_delivery d = take_next(&t.w, t.new);
	assert_int_equal(d.cause, CAUSE(FORWARDED));
	/* What the old one asked for the new one can call off. */
	assert_int_equal(trial_answer(&t.w, t.new, m.id, ANSWER(CANCEL)), IEUM_E_OK);
	assert_int_equal(trial_task(&t.w, t.new, m.id), TASK(CANCELLED));
	trial_stop(&t.w);
}

static void new_reports_go_to_the_new_one_from_the_cut_over(void **state)
{
	struct town t;
	struct message m;

	(void)state;
	open_town(&t);
	cut_over(&t);
	take_all(&t.w, t.old);
	message_new(&t.w, &m, TYPE(REPORT_RECEIVED));
	message_open_case(&m);
	trial_submitted(&t.w, t.ps, &m);
	assert_int_equal(trial_counts(&t.w, "old").queued, 0);
	assert_string_equal(trial_case(&t.w, t.new, m.id)->summary->owner, "new");
	struct core_delivery d = take_next(&t.w, t.new);
	assert_int_equal(d.cause, CAUSE(FORWARDED));
	assert_int_equal(trial_answer(&t.w, t.new, m.id, ANSWER(RECEIVED)), IEUM_E_OK);
	/* The other town's stay where they were. */
	message_new(&t.w, &m, TYPE(REPORT_RECEIVED));
	message_open_case(&m);
	m.envelope.jurisdiction = (char *)"41390";
	trial_submitted(&t.w, t.ps, &m);
	assert_string_equal(trial_case(&t.w, t.old, m.id)->summary->owner, "old");
	trial_stop(&t.w);
}

/* Also one that the hub opens itself, by a rule. */
static void a_case_opened_by_the_hub_is_the_new_ones_too(void **state)
{
	struct town t;
	struct message m;

	(void)state;
	open_town(&t);
	cut_over(&t);
	take_all(&t.w, t.old);
	message_new(&t.w, &m, TYPE(REPORT_RECEIVED));
	message_open_case(&m);
	m.report.child_at_home = true;
	trial_submitted(&t.w, t.ps, &m);
	assert_int_equal(trial_counts(&t.w, "old").queued, 0);
	take_next(&t.w, t.new);
	struct core_delivery d = take_next(&t.w, t.new);
	assert_memory_not_equal(d.message_id, m.id, CORE_ID_BYTES);
	assert_int_equal(d.cause, CAUSE(FORWARDED));
	assert_string_equal(trial_case(&t.w, t.new, d.case_id)->summary->owner, "new");
	trial_stop(&t.w);
}

/* A case of somebody else's, of which the old one was told, is none of those it hands over: what it
 * got on a consent it has itself to stop using. */
static void who_got_it_on_consent_is_told_to_stop_not_the_new_one(void **state)
{
	Ieum__V1__Consent consent = IEUM__V1__CONSENT__INIT;
	uint8_t case_id[CORE_ID_BYTES];
	struct town t;
	struct message m;

	(void)state;
	open_town(&t);
	message_new(&t.w, &m, TYPE(CONTACT_RESULT));
	message_open_case(&m);
	message_to(&m, "old");
	m.basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT;
	m.basis.article = (char *)"";
	m.basis.consent = &consent;
	trial_submitted(&t.w, t.city, &m);
	memcpy(case_id, m.id, CORE_ID_BYTES);
	take_all(&t.w, t.old);
	cut_over(&t);
	take_all(&t.w, t.old);
	uint64_t told = trial_counts(&t.w, "new").routed;
	message_new(&t.w, &m, TYPE(CONSENT_WITHDRAWAL));
	message_in_case(&m, case_id);
	trial_submitted(&t.w, t.city, &m);
	assert_int_equal(trial_counts(&t.w, "new").routed, told);
	struct core_delivery d = take_next(&t.w, t.old);
	assert_int_equal(trial_answer(&t.w, t.old, d.message_id, ANSWER(RECEIVED)), IEUM_E_OK);
	assert_int_equal(trial_task(&t.w, t.old, d.message_id), TASK(RECEIVED));
	trial_verify(&t.w);
	trial_stop(&t.w);
}

/* ---- not taken ---- */

static void a_declined_case_stays(void **state)
{
	struct town t;
	uint64_t before;

	(void)state;
	open_town(&t);
	cut_over(&t);
	take_all(&t.w, t.old);
	take_all(&t.w, t.city);
	before = trial_counts(&t.w, "city").queued;
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[1], ANSWER(REJECT)), IEUM_E_OK);
	const Ieum__V1__CaseResult *k = trial_case(&t.w, t.old, t.cases[1]);
	assert_int_equal(k->summary->state, CASE(INVESTIGATING));
	assert_string_equal(k->summary->owner, "old");
	/* Who keeps it and who announced the change are told why. */
	assert_int_equal(trial_counts(&t.w, "old").queued, 1);
	assert_int_equal(trial_counts(&t.w, "city").queued, before + 1);
	assert_int_equal(status(&t)->items[1]->step, STEP(KEPT));
	/* It stays so: what goes to the old one is not brought to the new one any more. */
	struct message m;
	message_new(&t.w, &m, TYPE(SERVICE_REPORT));
	message_in_case(&m, t.cases[1]);
	trial_submitted(&t.w, t.ps, &m);
	assert_int_equal(trial_counts(&t.w, "old").queued, 2);
	assert_int_equal(trial_counts(&t.w, "new").queued, 0);
	trial_stop(&t.w);
}

/* Also where the old one is asked in it, but not responsible for it. */
static void a_declined_case_of_another_owner_stays(void **state)
{
	struct town t;
	struct message m;

	(void)state;
	open_town(&t);
	message_new(&t.w, &m, TYPE(REFERRAL));
	message_open_case(&m);
	message_to(&m, "old");
	m.support.domain = (char *)"care";
	trial_submitted(&t.w, t.city, &m);
	uint8_t id[CORE_ID_BYTES];
	memcpy(id, m.id, CORE_ID_BYTES);
	message_new(&t.w, &m, TYPE(INFORMATION_REQUEST));
	message_in_case(&m, id);
	message_to(&m, "old");
	trial_submitted(&t.w, t.city, &m);
	assert_string_equal(trial_case(&t.w, t.city, id)->summary->owner, "city");
	assert_int_equal(announce(&t, "old", "new", t.w.now + DAY_US), IEUM_E_OK);
	(void)trial_at(&t.w, t.w.now + DAY_US);
	assert_int_equal(status(&t)->manifest->cases, CASES + 1);
	struct core_delivery d;
	bool declined = false;
	for (uint64_t delivery; (delivery = trial_release_one(&t.w, t.new));)
		if (core_delivery(t.w.core, delivery, &d) && d.answer_by_at_ms &&
		    memcmp(d.case_id, id, CORE_ID_BYTES) == 0)
			declined = !trial_answer(&t.w, t.new, d.message_id, ANSWER(REJECT));
	assert_true(declined);
	take_all(&t.w, t.new);
	take_all(&t.w, t.old);
	message_new(&t.w, &m, TYPE(INFORMATION_REQUEST));
	message_in_case(&m, id);
	message_to(&m, "old");
	trial_submitted(&t.w, t.city, &m);
	assert_int_equal(trial_counts(&t.w, "old").queued, 1);
	assert_int_equal(trial_counts(&t.w, "new").queued, 0);
	trial_stop(&t.w);
}

static void silence_is_pressed_daily_and_only_the_new_one_can_take_it(void **state)
{
	struct town t;

	(void)state;
	open_town(&t);
	cut_over(&t);
	for (int day = 0; day < 5; day++) {
		take_all(&t.w, t.city);
		take_all(&t.w, t.new);
		(void)trial_at(&t.w, t.w.now + DAY_US + MIN_US);
		assert_true(trial_counts(&t.w, "city").queued >= CASES);
		trial_verify(&t.w);
	}
	assert_int_equal(trial_answer(&t.w, t.city, t.asked[0], ANSWER(ACCEPT)),
			 IEUM_E_NOT_ADDRESSED);
	assert_int_equal(trial_answer(&t.w, t.city, t.asked[0], ANSWER(RECEIVED)), IEUM_E_OK);
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[0], ANSWER(IN_PROGRESS)), IEUM_E_OK);
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[0], ANSWER(COMPLETE)), IEUM_E_OK);
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[1], ANSWER(ACCEPT)), IEUM_E_OK);
	trial_stop(&t.w);
}

/* ---- the end ---- */

/* As the new one computes it: of what it was told about each case but that one. */
static void manifest(struct town *t, struct message *m, size_t but)
{
	const Ieum__V1__HandoverResult *r = status(t);
	static uint8_t bytes[4 * CASES * HANDOVER_ROW_BYTES];
	static uint8_t digest[SHA256_BYTES];

	message_new(&t->w, m, TYPE(HANDOVER_MANIFEST));
	m->manifest.change_id = (ProtobufCBinaryData){ CORE_ID_BYTES, t->change };
	for (size_t i = 0; i < r->n_items; i++) {
		struct handover_row row = { .open_referrals = r->items[i]->open_referrals,
					    .clocks = r->items[i]->clocks,
					    .holds = r->items[i]->holds };
		if (i == but)
			continue;
		memcpy(row.case_id, r->items[i]->case_id.data, CORE_ID_BYTES);
		handover_row_put(&row, bytes + m->manifest.cases++ * HANDOVER_ROW_BYTES);
		m->manifest.open_referrals += row.open_referrals;
	}
	assert_true(sha256(bytes, m->manifest.cases * HANDOVER_ROW_BYTES, digest));
	m->manifest.digest = (ProtobufCBinaryData){ SHA256_BYTES, digest };
}

static void it_is_complete_only_when_all_is_taken_and_the_lists_agree(void **state)
{
	struct town t;
	struct message m;

	(void)state;
	open_town(&t);
	cut_over(&t);
	for (int i = 0; i < CASES - 1; i++)
		assert_int_equal(trial_answer(&t.w, t.new, t.asked[i], ANSWER(ACCEPT)), IEUM_E_OK);
	manifest(&t, &m, SIZE_MAX);
	assert_int_equal(trial_submit(&t.w, t.new, &m), IEUM_E_STATE_CONFLICT);
	assert_string_equal(t.w.detail, "cases not accepted yet: 1 of 3");
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[CASES - 1], ANSWER(ACCEPT)), IEUM_E_OK);
	m.manifest.open_referrals++;
	assert_int_equal(trial_submit(&t.w, t.new, &m), IEUM_E_MANIFEST_MISMATCH);
	assert_string_equal(t.w.detail,
			    "handover_manifest.open_referrals: 4, but 3 were handed over");
	m.manifest.open_referrals--;
	m.manifest.digest.data[7] ^= 1;
	assert_int_equal(trial_submit(&t.w, t.new, &m), IEUM_E_MANIFEST_MISMATCH);
	m.manifest.digest.data[7] ^= 1;
	assert_int_equal(trial_submit(&t.w, t.old, &m), IEUM_E_NOT_ADDRESSED);
	take_all(&t.w, t.old);
	take_all(&t.w, t.city);
	trial_submitted(&t.w, t.new, &m);
	assert_int_equal(trial_counts(&t.w, "old").queued, 1);
	assert_int_equal(trial_counts(&t.w, "city").queued, 1);
	assert_int_equal(status(&t)->step, STEP(COMPLETED));
	/* The redirection outlives it, until the hub file sends nothing there any more. */
	message_new(&t.w, &m, TYPE(REPORT_RECEIVED));
	message_open_case(&m);
	trial_submitted(&t.w, t.ps, &m);
	assert_string_equal(trial_case(&t.w, t.new, m.id)->summary->owner, "new");
	trial_stop(&t.w);
}

static void confirm(struct town *t, uint64_t who)
{
	struct message m;

	manifest(t, &m, SIZE_MAX);
	trial_submitted(&t->w, who, &m);
}

/* Whatever is asked for a case: one case so, all others accepted. */
static void answer_all_asked(struct town *t, uint64_t who, const uint8_t *one,
			     Ieum__V1__AnswerKind kind)
{
	struct core_delivery d;

	for (uint64_t id; (id = trial_release_one(&t->w, who));) {
		assert_true(core_delivery(t->w.core, id, &d));
		assert_int_equal(trial_done(&t->w, who, id), IEUM_E_OK);
		if (!d.answer_by_at_ms || *d.sender)
			continue;
		bool is_it = memcmp(d.case_id, one, CORE_ID_BYTES) == 0;
		assert_int_equal(trial_answer(&t->w, who, d.message_id,
					      is_it ? kind : ANSWER(ACCEPT)),
				 IEUM_E_OK);
	}
}

static void hand_all_over(struct town *t)
{
	cut_over(t);
	for (int i = 0; i < CASES; i++)
		assert_int_equal(trial_answer(&t->w, t->new, t->asked[i], ANSWER(ACCEPT)),
				 IEUM_E_OK);
	confirm(t, t->new);
}

static void is_whose(struct town *t, uint64_t who, const char *name)
{
	uint8_t id[CORE_ID_BYTES];

	open_report(t, id);
	const Ieum__V1__CaseResult *k = trial_case(&t->w, who, id);
	assert_non_null(k);
	assert_string_equal(k->summary->owner, name);
}

/* Though the hub file names the first of the three all the time. */
static void a_jurisdiction_moves_on(void **state)
{
	struct town t;

	(void)state;
	open_town(&t);
	hand_all_over(&t);
	is_whose(&t, t.new, "new");
	assert_int_equal(announce(&t, "new", "city", t.w.now + DAY_US), IEUM_E_OK);
	is_whose(&t, t.new, "new");
	(void)trial_at(&t.w, t.w.now + DAY_US);
	is_whose(&t, t.city, "city");
	trial_verify(&t.w);
	trial_stop(&t.w);
}

/* What is still on its way to the second can't go on to the third; another change takes it there. */
static void a_jurisdiction_moves_on_before_it_has_arrived(void **state)
{
	uint8_t first[CORE_ID_BYTES];
	struct town t;

	(void)state;
	open_town(&t);
	cut_over(&t);
	memcpy(first, t.change, CORE_ID_BYTES);
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[0], ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(announce(&t, "new", "city", t.w.now + DAY_US), IEUM_E_OK);
	(void)trial_at(&t.w, t.w.now + DAY_US);
	trial_verify(&t.w);
	assert_int_equal(status(&t)->manifest->cases, 1);
	is_whose(&t, t.city, "city");
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[1], ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[2], ANSWER(REJECT)), IEUM_E_OK);
	trial_verify(&t.w);
	assert_string_equal(trial_case(&t.w, t.new, t.cases[0])->summary->owner, "new");
	assert_string_equal(trial_case(&t.w, t.new, t.cases[1])->summary->owner, "new");
	assert_string_equal(trial_case(&t.w, t.old, t.cases[2])->summary->owner, "old");
	answer_all_asked(&t, t.city, t.cases[0], ANSWER(ACCEPT));
	assert_string_equal(trial_case(&t.w, t.city, t.cases[0])->summary->owner, "city");
	confirm(&t, t.city);
	assert_int_equal(status(&t)->step, STEP(COMPLETED));
	assert_int_equal(announce(&t, "new", "city", t.w.now + DAY_US), IEUM_E_OK);
	(void)trial_at(&t.w, t.w.now + DAY_US);
	answer_all_asked(&t, t.city, t.cases[1], ANSWER(ACCEPT));
	assert_string_equal(trial_case(&t.w, t.city, t.cases[1])->summary->owner, "city");
	/* The first change is complete without what has gone on. */
	memcpy(t.change, first, CORE_ID_BYTES);
	const Ieum__V1__HandoverResult *r = status(&t);
	assert_int_equal(r->step, STEP(CUT_OVER));
	assert_int_equal(r->not_accepted, 0);
	trial_verify(&t.w);
	trial_stop(&t.w);
}

static void a_jurisdiction_comes_back(void **state)
{
	struct town t;

	(void)state;
	open_town(&t);
	hand_all_over(&t);
	assert_int_equal(announce(&t, "new", "old", t.w.now + DAY_US), IEUM_E_OK);
	(void)trial_at(&t.w, t.w.now + DAY_US);
	is_whose(&t, t.old, "old");
	trial_verify(&t.w);
	/* Its cases too, one by one; until then the other one answers for them. */
	answer_all_asked(&t, t.old, t.cases[1], ANSWER(REJECT));
	assert_string_equal(trial_case(&t.w, t.old, t.cases[0])->summary->owner, "old");
	assert_null(trial_case(&t.w, t.new, t.cases[0]));
	assert_string_equal(trial_case(&t.w, t.new, t.cases[1])->summary->owner, "new");
	trial_verify(&t.w);
	confirm(&t, t.old);
	/* And goes once more. */
	assert_int_equal(announce(&t, "old", "new", t.w.now + DAY_US), IEUM_E_OK);
	(void)trial_at(&t.w, t.w.now + DAY_US);
	is_whose(&t, t.new, "new");
	answer_all_asked(&t, t.new, t.cases[0], ANSWER(ACCEPT));
	assert_string_equal(trial_case(&t.w, t.new, t.cases[0])->summary->owner, "new");
	assert_null(trial_case(&t.w, t.old, t.cases[0]));
	trial_verify(&t.w);
	trial_stop(&t.w);
}

/* A family moves away, and back again. */
static void a_case_comes_back(void **state)
{
	const uint64_t none = 0;
	struct town t;
	struct message m;

	(void)state;
	open_town(&t);
	const uint64_t who[] = { t.old, t.new, t.old, none };
	const char *const to[] = { "new", "old" };
	for (int i = 0; i < 2; i++) {
		message_new(&t.w, &m, TYPE(HANDOVER));
		message_in_case(&m, t.cases[0]);
		message_to(&m, to[i]);
		trial_submitted(&t.w, who[i], &m);
		trial_verify(&t.w);
		(void)trial_at(&t.w, t.w.now + DAY_US + MIN_US); /* pressed once */
		trial_verify(&t.w);
		assert_int_equal(trial_answer(&t.w, who[i + 1], m.id, ANSWER(ACCEPT)), IEUM_E_OK);
		(void)trial_at(&t.w, t.w.now);
		trial_verify(&t.w);
		const Ieum__V1__CaseResult *k = trial_case(&t.w, who[i + 1], t.cases[0]);
		assert_non_null(k);
		assert_string_equal(k->summary->owner, to[i]);
		assert_null(trial_case(&t.w, who[i], t.cases[0]));
	}
	trial_stop(&t.w);
}

static void without_a_rule_the_new_one_is_asked_all_the_same(void **state)
{
	struct town t;
	char *other = strdup(hub);

	(void)state;
	assert_non_null(other);
	open_town(&t);
	assert_int_equal(announce(&t, "old", "new", t.w.now + DAY_US), IEUM_E_OK);
	take_all(&t.w, t.new);
	/* The hub file that came meanwhile knows nothing of hand-overs. */
	*strstr(other, "  - name: change") = '\0';
	trial_reload(&t.w, other);
	(void)trial_at(&t.w, t.w.now + DAY_US);
	assert_int_equal(trial_counts(&t.w, "new").queued, CASES + 1);
	for (int i = 0; i <= CASES; i++) {
		struct core_delivery d = take_next(&t.w, t.new);
		if (d.answer_by_at_ms)
			assert_int_equal(trial_answer(&t.w, t.new, d.message_id, ANSWER(ACCEPT)),
					 IEUM_E_OK);
	}
	assert_int_equal(status(&t)->not_accepted, 0);
	free(other);
	trial_stop(&t.w);
}

static char *hub_without_the_new_one(void)
{
	char *other = strdup(hub);

	assert_non_null(other);
	char *line = strstr(other, "  new: {kind");
	assert_non_null(line);
	char *rest = strchr(line, '\n') + 1;
	memmove(line, rest, strlen(rest) + 1);
	return other;
}

/* The hub looks once a second, also where no time is due. */
static void look(struct town *t)
{
	while (due_once(t) || t->w.d.n_items)
		trial_verify(&t->w);
}

static void a_change_to_somebody_who_is_gone_is_given_up(void **state)
{
	char *other = hub_without_the_new_one();
	struct town t;

	(void)state;
	open_town(&t);
	assert_int_equal(announce(&t, "old", "new", t.w.now + DAY_US), IEUM_E_OK);
	trial_reload(&t.w, other);
	(void)trial_at(&t.w, t.w.now + DAY_US);
	assert_int_equal(status(&t)->step, STEP(CANCELLED));
	assert_int_equal(trial_case(&t.w, t.old, t.cases[0])->summary->state, CASE(INVESTIGATING));
	is_whose(&t, t.old, "old");
	trial_verify(&t.w);
	free(other);
	trial_stop(&t.w);
}

/* What it had taken is whose the hub file says; the rest stays, and can be handed to somebody else. */
static void cases_of_somebody_who_is_gone_stay(void **state)
{
	static const char left[] = "left: {new: {to: carer}}\n";
	char *without = hub_without_the_new_one();
	size_t bytes = strlen(without) + sizeof left;
	char *other = malloc(bytes);
	struct town t;

	(void)state;
	open_town(&t);
	cut_over(&t);
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[0], ANSWER(ACCEPT)), IEUM_E_OK);
	trial_disconnect(&t.w, t.new);
	take_all(&t.w, t.city);
	assert_non_null(other);
	snprintf(other, bytes, "%s%s", without, left);
	trial_reload(&t.w, other);
	look(&t);
	assert_string_equal(trial_case(&t.w, t.carer, t.cases[0])->summary->owner, "carer");
	assert_int_equal(status(&t)->step, STEP(CANCELLED));
	for (int i = 1; i < CASES; i++) {
		const Ieum__V1__CaseResult *k = trial_case(&t.w, t.old, t.cases[i]);
		assert_int_equal(k->summary->state, CASE(INVESTIGATING));
		assert_string_equal(k->summary->owner, "old");
		assert_int_equal(trial_task(&t.w, t.old, t.asked[i]), TASK(FAILED));
	}
	/* Who announced it is told, and nobody is pressed any more. */
	assert_int_equal(trial_counts(&t.w, "city").queued, 1);
	(void)trial_at(&t.w, t.w.now + 2 * DAY_US);
	assert_int_equal(trial_counts(&t.w, "city").queued, 1);
	is_whose(&t, t.old, "old");
	assert_int_equal(announce(&t, "old", "city", t.w.now + MIN_US), IEUM_E_OK);
	(void)trial_at(&t.w, t.w.now + MIN_US);
	assert_int_equal(trial_case(&t.w, t.old, t.cases[1])->summary->state, CASE(IN_HANDOVER));
	trial_verify(&t.w);
	free(without);
	free(other);
	trial_stop(&t.w);
}

static void whoever_is_excluded_meanwhile_does_not_get_it(void **state)
{
	struct town t;
	struct message m;

	(void)state;
	open_town(&t);
	cut_over(&t);
	message_new(&t.w, &m, TYPE(SERVICE_REPORT));
	message_in_case(&m, t.cases[1]);
	message_exclude(&m, "new");
	trial_submitted(&t.w, t.ps, &m);
	trial_verify(&t.w);
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[1], ANSWER(ACCEPT)),
			 IEUM_E_CONFLICT_OF_INTEREST);
	assert_int_equal(status(&t)->items[1]->step, STEP(KEPT));
	assert_int_equal(trial_case(&t.w, t.old, t.cases[1])->summary->state, CASE(INVESTIGATING));
	assert_int_equal(trial_task(&t.w, t.ps, t.asked[1]), TASK(CANCELLED));
	trial_stop(&t.w);
}

/* What it may not read any more it can't have on its list. */
static void a_list_may_lack_what_the_new_one_may_not_know(void **state)
{
	struct town t;
	struct message m;

	(void)state;
	open_town(&t);
	cut_over(&t);
	message_new(&t.w, &m, TYPE(SERVICE_REPORT));
	message_in_case(&m, t.cases[1]);
	message_exclude(&m, "new");
	trial_submitted(&t.w, t.ps, &m);
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[0], ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[2], ANSWER(ACCEPT)), IEUM_E_OK);
	manifest(&t, &m, SIZE_MAX);
	assert_int_equal(m.manifest.cases, CASES);
	manifest(&t, &m, 0);
	assert_int_equal(trial_submit(&t.w, t.new, &m), IEUM_E_MANIFEST_MISMATCH);
	manifest(&t, &m, 1);
	assert_int_equal(m.manifest.cases, CASES - 1);
	trial_submitted(&t.w, t.new, &m);
	assert_int_equal(status(&t)->step, STEP(COMPLETED));
	trial_stop(&t.w);
}

/* A family moves on before the list is confirmed. */
static void a_list_may_lack_what_the_new_one_has_handed_on(void **state)
{
	struct town t;
	struct message m;

	(void)state;
	open_town(&t);
	cut_over(&t);
	for (int i = 0; i < CASES; i++)
		assert_int_equal(trial_answer(&t.w, t.new, t.asked[i], ANSWER(ACCEPT)), IEUM_E_OK);
	message_new(&t.w, &m, TYPE(HANDOVER));
	message_in_case(&m, t.cases[2]);
	message_to(&m, "city");
	trial_submitted(&t.w, t.new, &m);
	assert_int_equal(trial_answer(&t.w, t.city, m.id, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_null(trial_case(&t.w, t.new, t.cases[2]));
	manifest(&t, &m, 2);
	trial_submitted(&t.w, t.new, &m);
	assert_int_equal(status(&t)->step, STEP(COMPLETED));
	trial_stop(&t.w);
}

/* The hub file with `left` at its end, without the line of one who takes part; the caller's. */
static char *hub_that_left(const char *from, const char *line, const char *left)
{
	const char *at = strstr(from, line);
	char *other = NULL;

	assert_non_null(at);
	assert_true(asprintf(&other, "%.*s%s%s", (int)(at - from), from, strchr(at, '\n') + 1,
			     left) > 0);
	return other;
}

/* It has left the hub file since it handed over: there is nobody to be told. */
static void the_end_is_told_to_nobody_who_is_gone(void **state)
{
	char *other = hub_that_left(hub, "  old: {kind", "left: {old: {to: carer}}\n");
	struct town t;

	(void)state;
	open_town(&t);
	cut_over(&t);
	for (int i = 0; i < CASES; i++)
		assert_int_equal(trial_answer(&t.w, t.new, t.asked[i], ANSWER(ACCEPT)), IEUM_E_OK);
	trial_disconnect(&t.w, t.old);
	trial_reload(&t.w, other);
	look(&t);
	uint64_t old = trial_counts(&t.w, "old").routed;
	confirm(&t, t.new);
	assert_int_equal(status(&t)->step, STEP(COMPLETED));
	assert_int_equal(trial_counts(&t.w, "old").routed, old);
	free(other);
	trial_stop(&t.w);
}

/* Who owns a case leaves the hub file while others hand over what they have in it. */
static void a_case_changes_hands_beside_a_hand_over(void **state)
{
	const char *rule = strstr(hub, "    owner: \"role:agency\"\n");
	char *before = NULL;
	struct town t;
	struct message m;

	(void)state;
	assert_true(asprintf(&before, "%.*s%s", (int)(rule - hub), hub, strchr(rule, '\n') + 1) >
		    0);
	char *other = hub_that_left(before, "  ps: {kind", "left: {ps: {to: carer}}\n");
	open_town(&t);
	trial_reload(&t.w, before);
	message_new(&t.w, &m, TYPE(REPORT_RECEIVED));
	message_open_case(&m);
	trial_submitted(&t.w, t.ps, &m);
	assert_int_equal(announce(&t, "old", "new", t.w.now + DAY_US), IEUM_E_OK);
	(void)trial_at(&t.w, t.w.now + DAY_US);
	assert_string_equal(trial_case(&t.w, t.ps, m.id)->summary->owner, "ps");
	assert_int_equal(trial_case(&t.w, t.ps, m.id)->summary->state, CASE(IN_HANDOVER));
	trial_disconnect(&t.w, t.ps);
	trial_reload(&t.w, other);
	look(&t);
	assert_string_equal(trial_case(&t.w, t.carer, m.id)->summary->owner, "carer");
	assert_int_equal(trial_case(&t.w, t.carer, m.id)->summary->state, CASE(IN_HANDOVER));
	free(before);
	free(other);
	trial_stop(&t.w);
}

/* The old one ends a case before the new one has answered. */
static void a_case_that_was_closed_meanwhile_can_be_taken(void **state)
{
	struct town t;
	struct message m;
	char *other = NULL;

	(void)state;
	assert_true(asprintf(&other,
			     "%s  - {name: over, when: {type: closure_notice}, to: city, "
			     "case_state: closed}\n",
			     hub) > 0);
	open_town(&t);
	trial_reload(&t.w, other);
	cut_over(&t);
	for (int i = 0; i < 2; i++) {
		message_new(&t.w, &m, TYPE(CLOSURE_NOTICE));
		message_in_case(&m, t.cases[i]);
		trial_submitted(&t.w, t.old, &m);
		trial_verify(&t.w);
		assert_int_equal(trial_case(&t.w, t.old, t.cases[i])->summary->state, CASE(CLOSED));
	}
	/* Reports go on, and nobody is left out. */
	(void)trial_at(&t.w, t.w.now + 2 * DAY_US);
	trial_verify(&t.w);
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[0], ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[1], ANSWER(REJECT)), IEUM_E_OK);
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[2], ANSWER(ACCEPT)), IEUM_E_OK);
	trial_verify(&t.w);
	assert_string_equal(trial_case(&t.w, t.new, t.cases[0])->summary->owner, "new");
	assert_int_equal(trial_case(&t.w, t.new, t.cases[0])->summary->state, CASE(CLOSED));
	assert_string_equal(trial_case(&t.w, t.old, t.cases[1])->summary->owner, "old");
	confirm(&t, t.new);
	assert_int_equal(status(&t)->step, STEP(COMPLETED));
	free(other);
	trial_stop(&t.w);
}

static void a_ladder_that_ends_is_begun_anew(void **state)
{
	struct town t;
	char *other = strdup(hub);

	(void)state;
	assert_non_null(other);
	memcpy(strstr(other, ", repeat: true"), "              ", strlen(", repeat: true"));
	open_town(&t);
	trial_reload(&t.w, other);
	cut_over(&t);
	for (int day = 0; day < 2; day++)
		(void)trial_at(&t.w, t.w.now + DAY_US);
	trial_verify(&t.w);
	assert_int_equal(trial_answer(&t.w, t.new, t.asked[0], ANSWER(ACCEPT)),
			 IEUM_E_STATE_CONFLICT);
	/* Another request is there instead. */
	unsigned n_accepted = 0;
	struct core_delivery d;
	for (uint64_t id; (id = trial_release_one(&t.w, t.new));)
		if (core_delivery(t.w.core, id, &d) && d.answer_by_at_ms > t.w.now / 1000 &&
		    !trial_answer(&t.w, t.new, d.message_id, ANSWER(ACCEPT)))
			n_accepted++;
	assert_int_equal(n_accepted, CASES);
	assert_int_equal(status(&t)->not_accepted, 0);
	free(other);
	trial_stop(&t.w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dry_run_tells_what_would_go_and_what_not),
		cmocka_unit_test(a_dry_run_comes_in_pages),
		cmocka_unit_test(a_change_is_announced_once_and_can_be_taken_back),
		cmocka_unit_test(many_cases_are_gathered_some_at_a_time),
		cmocka_unit_test(until_it_is_accepted_the_old_one_is_responsible),
		cmocka_unit_test(who_takes_a_case_over_wants_its_keys),
		cmocka_unit_test(keys_go_over_with_the_case),
		cmocka_unit_test(the_old_ones_name_means_the_new_one),
		cmocka_unit_test(deadlines_are_not_reset),
		cmocka_unit_test(the_old_ones_access_ends),
		cmocka_unit_test(the_list_tells_the_old_one_no_more_than_that_it_was_taken),
		cmocka_unit_test(a_read_by_a_query_is_the_last_read),
		cmocka_unit_test(late_answers_go_to_the_new_one),
		cmocka_unit_test(new_reports_go_to_the_new_one_from_the_cut_over),
		cmocka_unit_test(a_case_opened_by_the_hub_is_the_new_ones_too),
		cmocka_unit_test(who_got_it_on_consent_is_told_to_stop_not_the_new_one),
		cmocka_unit_test(a_declined_case_stays),
		cmocka_unit_test(a_declined_case_of_another_owner_stays),
		cmocka_unit_test(silence_is_pressed_daily_and_only_the_new_one_can_take_it),
		cmocka_unit_test(it_is_complete_only_when_all_is_taken_and_the_lists_agree),
		cmocka_unit_test(a_jurisdiction_moves_on),
		cmocka_unit_test(a_jurisdiction_moves_on_before_it_has_arrived),
		cmocka_unit_test(a_jurisdiction_comes_back),
		cmocka_unit_test(a_case_comes_back),
		cmocka_unit_test(without_a_rule_the_new_one_is_asked_all_the_same),
		cmocka_unit_test(a_change_to_somebody_who_is_gone_is_given_up),
		cmocka_unit_test(cases_of_somebody_who_is_gone_stay),
		cmocka_unit_test(the_end_is_told_to_nobody_who_is_gone),
		cmocka_unit_test(a_case_changes_hands_beside_a_hand_over),
		cmocka_unit_test(whoever_is_excluded_meanwhile_does_not_get_it),
		cmocka_unit_test(a_list_may_lack_what_the_new_one_may_not_know),
		cmocka_unit_test(a_list_may_lack_what_the_new_one_has_handed_on),
		cmocka_unit_test(a_case_that_was_closed_meanwhile_can_be_taken),
		cmocka_unit_test(a_ladder_that_ends_is_begun_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
