/* A hub for tests; see core_trial.h. */
#include "tests/unit/core_trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/sha256.h"
#include "yaml/yaml_diag.h"

enum { TRIAL_SNAPSHOT_BYTES = 256 * 1024 * 1024 };

const char trial_hub[] =
	"hub: {name: test.ieum, title: {en: T, ko: 티}, jurisdiction: \"41570\", time_zone: \"+09:00\"}\n"
	"calendar: {working_hours: \"09:00-18:00\", weekend: [saturday, sunday], holidays: []}\n"
	"domains: [legal, care]\n"
	"kinds:\n"
	"  police: {title: {en: P, ko: 경}, may_send: all}\n"
	"  office: {title: {en: O, ko: 관}, may_send: all}\n"
	"  official: {title: {en: C, ko: 공}, may_send: all}\n"
	"  provider: {title: {en: V, ko: 제}, may_send: {all_except: [closure_request]}}\n"
	"  watcher: {title: {en: W, ko: 명}, may_send: [risk_signal]}\n"
	"  operator: {title: {en: X, ko: 운}, may_send: none}\n"
	"  team: {title: {en: T, ko: 팀}, may_send: none}\n"
	"participants:\n"
	"  ps: {kind: police, title: {en: ps, ko: 가}, head: boss}\n"
	"  boss: {kind: office, title: {en: boss, ko: 나}}\n"
	"  manager: {kind: office, title: {en: manager, ko: 다}, head: boss}\n"
	"  counsellor: {kind: office, title: {en: counsellor, ko: 라}, head: boss}\n"
	"  city: {kind: official, title: {en: city, ko: 마}, head: boss}\n"
	"  aid-1: {kind: provider, title: {en: aid-1, ko: 바}, head: boss, domains: [legal], ranks: {legal: 1}}\n"
	"  aid-2: {kind: provider, title: {en: aid-2, ko: 사}, head: boss, domains: [legal], ranks: {legal: 2}}\n"
	"  carer: {kind: provider, title: {en: carer, ko: 아}, head: boss, domains: [care]}\n"
	"  watcher: {kind: watcher, title: {en: watcher, ko: 자}}\n"
	"  op: {kind: operator, title: {en: op, ko: 차}, views: [queues]}\n"
	"bodies:\n"
	"  team:\n"
	"    kind: team\n"
	"    title: {en: team, ko: 팀}\n"
	"    mode: any\n"
	"    roles: {help: [manager, counsellor], lead: [manager]}\n"
	"    lead: lead\n"
	"types:\n"
	"  default: {needs_case: true, may_open: true, needs_basis: true}\n"
	"  answer: {needs_case: false, needs_basis: false, needs_reply_to: true}\n"
	"  information_response: {needs_case: false, needs_basis: false, needs_reply_to: true, acts_as_answer: complete}\n"
	"  risk_signal: {needs_case: false, needs_basis: false}\n"
	"  closure_notice: {needs_basis: false}\n"
	"rules:\n"
	"  - name: report\n"
	"    when: {type: report_received}\n"
	"    to: body:team/help\n"
	"    owner: lead:team\n"
	"    answer_within: 4 h\n"
	"    stops_at: received\n"
	"    then: [{to: lead:team, within: 1 h}, {to: head, within: 1 h}]\n"
	"  - name: child\n"
	"    when: {type: report_received, child_at_home: true}\n"
	"    emit: {type: mutual_notification, open_case: true, link: same_incident}\n"
	"  - name: notify\n"
	"    when: {type: mutual_notification}\n"
	"    to: \"role:official\"\n"
	"    owner: city\n"
	"    answer_within: 10 min\n"
	"    stops_at: received\n"
	"    then: [{to: head, within: 10 min}]\n"
	"  - name: support\n"
	"    when: {type: referral}\n"
	"    ranked: $domain\n"
	"    answer_within: 3 d\n"
	"    then: [{to: boss, within: 1 d, on: silence}]\n"
	"    blocks_closing: true\n"
	"  - name: work\n"
	"    when: {type: service_report}\n"
	"    to: case_owner\n"
	"  - name: minutes\n"
	"    when: {type: conference_minutes}\n"
	"    to: case_owner\n"
	"  - name: ask\n"
	"    when: {type: information_request, addressed: true}\n"
	"    to: addressees\n"
	"    each: true\n"
	"    answer_within: 3 d\n"
	"    stops_at: completed\n"
	"    then: [{to: head, within: 1 d}]\n"
	"  - name: again\n"
	"    when: {type: recurrence_alert}\n"
	"    to: lead:team\n"
	"    case_state: reopened\n"
	"  - name: close\n"
	"    when: {type: closure_request}\n"
	"    to: lead:team\n"
	"    answer_within: 1 d\n"
	"    then: [{to: boss, within: 1 d}]\n"
	"    on_accept: close_case\n"
	"    closing: true\n"
	"  - name: sign\n"
	"    when: {type: risk_signal}\n"
	"    to: city\n"
	"limits: {attempts_max: 4, queue_messages_max: 1000, settle_within: 60 s, redeliver_min: 1 s, redeliver_max: 5 s}\n";

/* ---- start and stop ---- */

static struct policy *parse(const char *hub)
{
	static struct yaml_diag diag;
	struct policy *p = NULL;

	yaml_diag_init(&diag);
	enum ieum_err err = policy_parse("hub.yaml", hub, strlen(hub), &diag, &p);
	yaml_diag_print(&diag, stderr);
	assert_int_equal(err, IEUM_E_OK);
	return p;
}

static void apply_to_both(struct trial *w, const Ieum__V1__Event *e)
{
	uint64_t seq = core_last_seq(w->core) + 1;
	size_t len = ieum__v1__event__get_packed_size(e);
	uint8_t *bytes = malloc(len);

	assert_non_null(bytes);
	ieum__v1__event__pack(e, bytes);
	assert_int_equal(core_apply(w->core, seq, e), IEUM_E_OK);
	Ieum__V1__Event *again = ieum__v1__event__unpack(NULL, len, bytes);
	assert_non_null(again);
	assert_int_equal(core_apply(w->mirror, seq, again), IEUM_E_OK);
	ieum__v1__event__free_unpacked(again, NULL);
	free(bytes);
	w->events++;
	w->escalated += e->what_case == IEUM__V1__EVENT__WHAT_ESCALATED;
	w->hub_messages +=
		e->what_case == IEUM__V1__EVENT__WHAT_SUBMITTED && e->submitted->sender == 0;
}

enum ieum_err trial_record(struct trial *w, enum ieum_err decided)
{
	memcpy(w->detail, w->d.detail, sizeof w->detail);
	if (!decided)
		for (size_t i = 0; i < w->d.n_items; i++)
			apply_to_both(w, w->d.items[i].event);
	return decided;
}

/* Equal states decide equally: the second core is asked too. */
static enum ieum_err same(struct trial *w, enum ieum_err first, enum ieum_err second)
{
	assert_int_equal(first, second);
	assert_int_equal(w->d.n_items, w->again.n_items);
	assert_string_equal(w->d.detail, w->again.detail);
	for (size_t i = 0; i < w->d.n_items; i++) {
		uint8_t *a = malloc(ieum__v1__event__get_packed_size(w->d.items[i].event));
		uint8_t *b = malloc(ieum__v1__event__get_packed_size(w->again.items[i].event));
		assert_non_null(a);
		assert_non_null(b);
		size_t n = ieum__v1__event__pack(w->d.items[i].event, a);
		assert_int_equal(n, ieum__v1__event__pack(w->again.items[i].event, b));
		assert_memory_equal(a, b, n);
		free(a);
		free(b);
	}
	return first;
}

static struct core_decision *fresh_again(struct trial *w)
{
	core_decision_reset(&w->again);
	return &w->again;
}

static struct core_decision *fresh(struct trial *w)
{
	core_decision_reset(&w->d);
	return &w->d;
}

void trial_restart(struct trial *w)
{
	static const uint8_t incarnation[CORE_ID_BYTES] = { 7 };

	assert_int_equal(trial_record(w, core_decide_start(w->core, "test", incarnation, true,
							   w->now, fresh(w))),
			 IEUM_E_OK);
}

void trial_reload(struct trial *w, const char *hub)
{
	struct policy *p = parse(hub);

	assert_int_equal(trial_record(w, core_decide_policy(w->core, p, w->now, fresh(w))),
			 IEUM_E_OK);
	assert_int_equal(core_bind_policy(w->core, p), IEUM_E_OK);
	assert_int_equal(core_bind_policy(w->mirror, p), IEUM_E_OK);
	policy_free(w->policy);
	w->policy = p;
}

void trial_start(struct trial *w, const char *hub, const struct core_limits *limits)
{
	static const struct core_limits wide = { 1 << 20, 1 << 20, 1 << 20 };

	memset(w, 0, sizeof *w);
	w->now = (core_time_us)1790000000 * 1000 * 1000;
	w->core = core_new(limits ? limits : &wide, 42);
	w->mirror = core_new(limits ? limits : &wide, 4711);
	assert_non_null(w->core);
	assert_non_null(w->mirror);
	core_use_sha256(w->core, sha256);
	core_use_sha256(w->mirror, sha256);
	core_decision_init(&w->d, 16 * 1024 * 1024);
	core_decision_init(&w->again, 16 * 1024 * 1024);
	arena_init(&w->arena, 16 * 1024 * 1024);
	trial_restart(w);
	trial_reload(w, hub);
}

void trial_stop(struct trial *w)
{
	trial_verify(w);
	core_free(w->core);
	core_free(w->mirror);
	policy_free(w->policy);
	core_decision_release(&w->d);
	core_decision_release(&w->again);
	arena_release(&w->arena);
}

/* ---- equality ---- */

static void snapshot(const struct core *c, struct buf *out)
{
	buf_init(out, TRIAL_SNAPSHOT_BYTES);
	assert_int_equal(core_snapshot_write(c, out), IEUM_E_OK);
}

static void equal(const struct buf *a, const struct buf *b)
{
	assert_int_equal(buf_len(a), buf_len(b));
	assert_memory_equal(buf_bytes(a), buf_bytes(b), buf_len(a));
}

static void sound(const struct core *c)
{
	char what[200];

	if (core_check(c, what, sizeof what))
		fail_msg("core_check: %s", what);
}

void trial_verify(struct trial *w)
{
	static const struct core_limits wide = { 1 << 20, 1 << 20, 1 << 20 };
	struct buf a;
	struct buf b;
	struct buf again;
	struct core *read = core_new(&wide, 99);

	sound(w->core);
	snapshot(w->core, &a);
	snapshot(w->mirror, &b);
	equal(&a, &b);
	assert_non_null(read);
	assert_int_equal(core_snapshot_read(read, buf_bytes(&a), buf_len(&a)), IEUM_E_OK);
	sound(read);
	snapshot(read, &again);
	equal(&a, &again);
	assert_true(core_next_due(read) == core_next_due(w->core));
	buf_release(&a);
	buf_release(&b);
	buf_release(&again);
	/* From here on the mirror is one that was restored. */
	core_free(w->mirror);
	w->mirror = read;
	core_use_sha256(w->mirror, sha256);
	assert_int_equal(core_bind_policy(w->mirror, w->policy), IEUM_E_OK);
}

/* ---- connections and messages ---- */

uint64_t trial_connect(struct trial *w, const char *participant)
{
	const struct core_connect k = { .participant = participant,
					.actor = "someone",
					.address = "192.0.2.1:4",
					.certificate = "0a" };

	assert_int_equal(
		trial_record(w, core_decide_connect(w->core, w->policy, &k, w->now, fresh(w))),
		IEUM_E_OK);
	return w->d.items[0].event->connected->connection;
}

void trial_disconnect(struct trial *w, uint64_t connection)
{
	assert_int_equal(
		trial_record(w, core_decide_disconnect(w->core, connection, w->now, fresh(w))),
		IEUM_E_OK);
}

static void set_body(struct message *m, Ieum__V1__MessageType type)
{
	const ProtobufCFieldDescriptor *f =
		protobuf_c_message_descriptor_get_field(&ieum__v1__referral__descriptor,
							(unsigned)type + 100);

	assert_non_null(f);
	((const ProtobufCMessageDescriptor *)f->descriptor)
		->message_init((ProtobufCMessage *)&m->report);
	m->referral.body_case = (Ieum__V1__Referral__BodyCase)f->id;
	m->referral.report_received = &m->report;
}

struct message *message_new(struct trial *w, struct message *m, Ieum__V1__MessageType type)
{
	uint64_t ms = (uint64_t)w->now / 1000;

	memset(m, 0, sizeof *m);
	ieum__v1__referral__init(&m->referral);
	ieum__v1__envelope__init(&m->envelope);
	ieum__v1__legal_basis__init(&m->basis);
	m->referral.envelope = &m->envelope;
	m->envelope.legal_basis = &m->basis;
	m->basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_STATUTORY;
	m->basis.article = (char *)"제11조";
	for (int i = 0; i < 6; i++)
		m->id[i] = (uint8_t)(ms >> (40 - 8 * i));
	m->id[6] = 0x70;
	m->id[8] = 0x80;
	w->ids++;
	memcpy(m->id + 9, (const uint8_t *)&w->ids, 6);
	m->envelope.message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, m->id };
	m->envelope.type = type;
	m->envelope.urgency = URGENCY(ROUTINE);
	set_body(m, type);
	return m;
}

void message_open_case(struct message *m)
{
	m->envelope.open_case = 1;
	m->envelope.category = IEUM__V1__CATEGORY__CATEGORY_DOMESTIC_VIOLENCE;
}

void message_in_case(struct message *m, const uint8_t case_id[CORE_ID_BYTES])
{
	memcpy(m->case_id, case_id, CORE_ID_BYTES);
	m->envelope.case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, m->case_id };
}

void message_reply(struct message *m, const uint8_t id[CORE_ID_BYTES])
{
	memcpy(m->reply_to, id, CORE_ID_BYTES);
	m->envelope.in_reply_to = (ProtobufCBinaryData){ CORE_ID_BYTES, m->reply_to };
}

void message_to(struct message *m, const char *participant)
{
	size_t i = m->envelope.n_addressees++;

	ieum__v1__addressee__init(&m->addressee[i]);
	m->addressee[i].to_case = IEUM__V1__ADDRESSEE__TO_PARTICIPANT;
	m->addressee[i].participant = (char *)participant;
	m->addressees[i] = &m->addressee[i];
	m->envelope.addressees = m->addressees;
}

void message_exclude(struct message *m, const char *participant)
{
	m->excluded[m->envelope.n_excluded_participants++] = (char *)participant;
	m->envelope.excluded_participants = m->excluded;
}

enum ieum_err trial_submit(struct trial *w, uint64_t connection, struct message *m)
{
	size_t len = m->payload ? m->payload : ieum__v1__referral__get_packed_size(&m->referral);
	const struct core_submit s = {
		.connection = connection,
		.referral = &m->referral,
		.bytes = (const uint8_t *)"",
		.len = len,
		.sealed = m->sealed,
		.n_sealed = m->n_sealed,
	};
	enum ieum_err err = core_decide_submit(w->core, w->policy, &s, w->now, fresh(w));

	return trial_record(
		w,
		same(w, err, core_decide_submit(w->mirror, w->policy, &s, w->now, fresh_again(w))));
}

void trial_submitted(struct trial *w, uint64_t connection, struct message *m)
{
	enum ieum_err err = trial_submit(w, connection, m);

	if (err)
		fail_msg("refused: %s: %s", ieum_error((int)err)->name, w->detail);
}

enum ieum_err trial_answer(struct trial *w, uint64_t connection, const uint8_t to[CORE_ID_BYTES],
			   Ieum__V1__AnswerKind kind)
{
	struct message m;

	message_new(w, &m, TYPE(ANSWER));
	message_reply(&m, to);
	m.answer.kind = kind;
	m.answer.reason = REASON(CAPACITY_FULL);
	m.answer.more_time_until_at_ms = w->now / 1000 + 10 * DAY_US / 1000;
	return trial_submit(w, connection, &m);
}

/* ---- deliveries ---- */

size_t trial_release(struct trial *w, uint64_t connection, uint32_t max, uint64_t *ids)
{
	uint64_t peeked[CORE_RELEASE_MAX];
	size_t n_peeked = core_peek_release(w->core, w->policy, connection, max, w->now, peeked);

	assert_int_equal(core_decide_release(w->core, w->policy, connection, max, w->now, fresh(w)),
			 IEUM_E_OK);
	(void)same(w, IEUM_E_OK,
		   core_decide_release(w->mirror, w->policy, connection, max, w->now,
				       fresh_again(w)));
	if (w->d.n_items == 0) {
		assert_int_equal(n_peeked, 0);
		return 0;
	}
	const Ieum__V1__DeliveriesReleased *e = w->d.items[0].event->released;
	assert_int_equal(e->n_deliveries, n_peeked);
	assert_memory_equal(e->deliveries, peeked, n_peeked * sizeof *peeked);
	memcpy(ids, e->deliveries, e->n_deliveries * sizeof *ids);
	(void)trial_record(w, IEUM_E_OK);
	return n_peeked;
}

uint64_t trial_release_one(struct trial *w, uint64_t connection)
{
	uint64_t id;

	return trial_release(w, connection, 1, &id) ? id : 0;
}

static enum ieum_err settle(struct trial *w, const struct core_settle *s)
{
	enum ieum_err err = core_decide_settle(w->core, w->policy, s, w->now, fresh(w));

	return trial_record(
		w,
		same(w, err, core_decide_settle(w->mirror, w->policy, s, w->now, fresh_again(w))));
}

enum ieum_err trial_done(struct trial *w, uint64_t connection, uint64_t delivery)
{
	return settle(w, &(struct core_settle){
				 .connection = connection, .done = &delivery, .n_done = 1 });
}

enum ieum_err trial_give_back(struct trial *w, uint64_t connection, uint64_t delivery)
{
	return settle(w, &(struct core_settle){
				 .connection = connection, .release = &delivery, .n_release = 1 });
}

enum ieum_err trial_refuse(struct trial *w, uint64_t connection, uint64_t delivery, const char *why)
{
	Ieum__V1__DeliveryRefusal r = IEUM__V1__DELIVERY_REFUSAL__INIT;
	Ieum__V1__DeliveryRefusal *list[] = { &r };

	r.delivery_id = delivery;
	r.reason = (char *)why;
	return settle(w, &(struct core_settle){
				 .connection = connection, .refuse = list, .n_refuse = 1 });
}

size_t trial_at(struct trial *w, core_time_us when)
{
	size_t n = 0;

	assert_true(when >= w->now);
	w->now = when;
	for (;;) {
		enum ieum_err err = core_decide_due(w->core, w->policy, w->now, fresh(w));
		(void)same(w, err, core_decide_due(w->mirror, w->policy, w->now, fresh_again(w)));
		if (err)
			fail_msg("due: %s: %s", ieum_error((int)err)->name, w->d.detail);
		if (w->d.n_items == 0)
			return n;
		n += w->d.n_items;
		assert_true(n < 100000);
		(void)trial_record(w, IEUM_E_OK);
	}
}

/* ---- looking ---- */

struct core_mailbox_counts trial_counts(struct trial *w, const char *mailbox)
{
	struct core_mailbox_counts counts;

	assert_true(core_mailbox_counts(w->core, core_mailbox_number(w->core, mailbox), &counts));
	return counts;
}

const Ieum__V1__Result *trial_query(struct trial *w, uint64_t connection, Ieum__V1__Query *q,
				    enum ieum_err *err)
{
	struct core_view v = {
		.connection = connection, .query = q, .now = w->now, .arena = &w->arena
	};

	arena_reset(&w->arena);
	*err = core_view(w->core, w->policy, &v);
	memcpy(w->detail, v.detail, sizeof w->detail);
	return *err ? NULL : v.result;
}

const Ieum__V1__CaseResult *trial_case(struct trial *w, uint64_t connection,
				       const uint8_t id[CORE_ID_BYTES])
{
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__CaseQuery of = IEUM__V1__CASE_QUERY__INIT;
	enum ieum_err err;

	of.case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)id };
	q.what_case = IEUM__V1__QUERY__WHAT_CASE;
	q.case_ = &of;
	q.page_rows = 200;
	const Ieum__V1__Result *r = trial_query(w, connection, &q, &err);
	return r ? r->case_ : NULL;
}

const Ieum__V1__ReferralResult *trial_referral(struct trial *w, uint64_t connection,
					       const uint8_t id[CORE_ID_BYTES])
{
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__ReferralQuery of = IEUM__V1__REFERRAL_QUERY__INIT;
	enum ieum_err err;

	of.message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)id };
	q.what_case = IEUM__V1__QUERY__WHAT_REFERRAL;
	q.referral = &of;
	const Ieum__V1__Result *r = trial_query(w, connection, &q, &err);
	return r ? r->referral : NULL;
}

Ieum__V1__TaskState trial_task(struct trial *w, uint64_t connection,
			       const uint8_t id[CORE_ID_BYTES])
{
	const Ieum__V1__ReferralResult *r = trial_referral(w, connection, id);

	assert_non_null(r);
	assert_true(r->n_tasks > 0);
	return r->tasks[0]->state;
}
