/* broker/core, random commands from a seed: whatever is decided, a replay of the packed events
 * reaches the same state, a snapshot gives it back, and nothing contradicts itself.
 *
 * CORE_SEED=number repeats one run; a failing one prints its seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core_trial.h"

enum {
	CONNECTIONS = 14,
	CASES = 12,
	MESSAGES = 64, /* remembered, to reply to */
	STEPS = 1500,
	VERIFY_EVERY = 25,
	SEEDS = 12,
};

struct run {
	struct trial w;
	uint64_t random;
	uint64_t connections[CONNECTIONS];
	uint8_t cases[CASES][CORE_ID_BYTES];
	size_t n_cases;
	uint8_t messages[MESSAGES][CORE_ID_BYTES];
	size_t n_messages;
	uint64_t in_flight[256];
	size_t n_in_flight;
	unsigned accepted, refused;
};

static const char *const names[] = { "ps",    "boss",  "manager", "counsellor", "city",
				     "aid-1", "aid-2", "carer",   "watcher",    "manager",
				     "aid-1", "boss",  "city",    "counsellor" };

static unsigned pick(struct run *r, unsigned n)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return (unsigned)(r->random >> 20) % n;
}

static uint64_t any_connection(struct run *r)
{
	unsigned i = pick(r, CONNECTIONS);

	if (!r->connections[i])
		r->connections[i] = trial_connect(&r->w, names[i]);
	return r->connections[i];
}

static void remember(struct run *r, const struct message *m)
{
	memcpy(r->messages[r->n_messages++ % MESSAGES], m->id, CORE_ID_BYTES);
	if (m->envelope.open_case)
		memcpy(r->cases[r->n_cases++ % CASES], m->id, CORE_ID_BYTES);
}

static const uint8_t *any_message(struct run *r)
{
	size_t n = r->n_messages < MESSAGES ? r->n_messages : MESSAGES;

	return r->messages[pick(r, (unsigned)n)];
}

static void choose_body(struct run *r, struct message *m)
{
	switch (m->envelope.type) {
	case TYPE(REPORT_RECEIVED): m->report.child_at_home = pick(r, 3) == 0; break;
	case TYPE(REFERRAL): m->support.domain = (char *)(pick(r, 3) ? "legal" : "care"); break;
	case TYPE(ANSWER):
		m->answer.kind = (Ieum__V1__AnswerKind)(1 + pick(r, 11));
		m->answer.reason = (Ieum__V1__Reason)pick(r, 12);
		m->answer.outcome = (Ieum__V1__Outcome)pick(r, 6);
		m->answer.more_time_until_at_ms = r->w.now / 1000 + (int64_t)pick(r, 100000000);
		break;
	case TYPE(INFORMATION_RESPONSE):
		m->response.holding = (Ieum__V1__Holding)(1 + pick(r, 3));
		m->response.reason = REASON(CONSENT_REFUSED);
		break;
	case TYPE(CLOSURE_REQUEST): m->closure.reason = REASON(GOALS_MET); break;
	default: break;
	}
}

static void build(struct run *r, struct message *m)
{
	static const Ieum__V1__MessageType types[] = {
		TYPE(REPORT_RECEIVED),
		TYPE(REFERRAL),
		TYPE(SERVICE_REPORT),
		TYPE(SERVICE_REPORT),
		TYPE(ANSWER),
		TYPE(ANSWER),
		TYPE(ANSWER),
		TYPE(INFORMATION_REQUEST),
		TYPE(INFORMATION_RESPONSE),
		TYPE(CLOSURE_REQUEST),
		TYPE(RECURRENCE_ALERT),
		TYPE(CONFERENCE_MINUTES),
		TYPE(RISK_SIGNAL),
	};
	Ieum__V1__MessageType type = types[pick(r, sizeof types / sizeof types[0])];

	message_new(&r->w, m, type);
	m->envelope.urgency = (Ieum__V1__Urgency)pick(r, 5);
	choose_body(r, m);
	if (type == TYPE(ANSWER) || type == TYPE(INFORMATION_RESPONSE)) {
		if (r->n_messages)
			message_reply(m, any_message(r));
	} else if (r->n_cases == 0 || pick(r, 8) == 0) {
		message_open_case(m);
	} else {
		message_in_case(
			m, r->cases[pick(r, r->n_cases < CASES ? (unsigned)r->n_cases : CASES)]);
	}
	if (type == TYPE(INFORMATION_REQUEST) || pick(r, 6) == 0)
		message_to(m, names[pick(r, CONNECTIONS)]);
	if (pick(r, 40) == 0)
		message_exclude(m, names[pick(r, CONNECTIONS)]);
	if (pick(r, 20) == 0 && r->n_messages) {
		memcpy(m->supersedes, any_message(r), CORE_ID_BYTES);
		m->envelope.supersedes = (ProtobufCBinaryData){ CORE_ID_BYTES, m->supersedes };
	}
	if (pick(r, 15) == 0 && r->n_cases > 1) {
		memcpy(m->link_to,
		       r->cases[pick(r, r->n_cases < CASES ? (unsigned)r->n_cases : CASES)],
		       CORE_ID_BYTES);
		ieum__v1__case_link__init(&m->link);
		m->link.case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, m->link_to };
		m->link.kind = IEUM__V1__LINK_KIND__LINK_KIND_SIBLING;
		m->links[0] = &m->link;
		m->envelope.case_links = m->links;
		m->envelope.n_case_links = 1;
	}
}

/* Sends it, and sometimes the same again. */
static void submit(struct run *r)
{
	struct message m;
	uint64_t from = any_connection(r);

	build(r, &m);
	if (trial_submit(&r->w, from, &m)) {
		r->refused++;
		return;
	}
	r->accepted++;
	remember(r, &m);
	uint64_t seq = r->w.d.receipt_seq;
	assert_false(r->w.d.repeated);
	if (pick(r, 5) == 0) {
		assert_int_equal(trial_submit(&r->w, from, &m), IEUM_E_OK);
		assert_true(r->w.d.repeated);
		assert_int_equal(r->w.d.n_items, 0);
		assert_true(r->w.d.receipt_seq == seq);
	}
}

static void release(struct run *r)
{
	uint64_t ids[CORE_RELEASE_MAX];
	size_t n = trial_release(&r->w, any_connection(r), 1 + pick(r, 12), ids);

	for (size_t i = 0; i < n; i++)
		r->in_flight[r->n_in_flight++ % 256] = ids[i];
}

static void settle(struct run *r)
{
	size_t n = r->n_in_flight < 256 ? r->n_in_flight : 256;
	uint64_t id = n ? r->in_flight[pick(r, (unsigned)n)] : 0;

	for (unsigned i = 0; n && i < CONNECTIONS; i++) {
		uint64_t from = r->connections[i];
		enum ieum_err err = IEUM_E_DELIVERY_UNKNOWN;
		if (!from)
			continue;
		switch (pick(r, 5)) {
		case 0:
			err = trial_refuse(&r->w, from, id, pick(r, 2) ? "busy" : "unreadable");
			break;
		case 1: err = trial_give_back(&r->w, from, id); break;
		default: err = trial_done(&r->w, from, id); break;
		}
		if (!err)
			return;
		assert_int_equal(err, IEUM_E_DELIVERY_UNKNOWN);
	}
}

static void step(struct run *r)
{
	static const core_time_us jumps[] = { 1000 * 1000, 10 * 1000 * 1000, MIN_US, HOUR_US,
					      DAY_US };
	unsigned what = pick(r, 100);

	r->w.now += pick(r, 5000000);
	if (what < 45) {
		submit(r);
	} else if (what < 65) {
		release(r);
	} else if (what < 85) {
		settle(r);
	} else if (what < 95) {
		trial_at(&r->w, r->w.now + jumps[pick(r, 5)]);
	} else if (what < 99) {
		unsigned i = pick(r, CONNECTIONS);
		if (r->connections[i])
			trial_disconnect(&r->w, r->connections[i]);
		r->connections[i] = 0;
	} else {
		trial_restart(&r->w);
		memset(r->connections, 0, sizeof r->connections);
	}
}

static struct run running;

static void run_seed(uint64_t seed)
{
	struct run *r = &running;

	memset(r, 0, sizeof *r);
	r->random = seed * 0x9e3779b97f4a7c15u + 1;
	trial_start(&r->w, trial_hub, NULL);
	for (int i = 0; i < STEPS; i++) {
		step(r);
		if (i % VERIFY_EVERY == 0)
			trial_verify(&r->w);
	}
	/* Everything that is chased comes to an end. */
	trial_at(&r->w, r->w.now + 200 * DAY_US);
	trial_verify(&r->w);
	assert_true(r->accepted > STEPS / 10);
	assert_true(r->w.escalated > 0);
	assert_true(r->w.hub_messages > 0);
	trial_at(&r->w, r->w.now + 900 * DAY_US);
	trial_stop(&r->w);
}

static void replay_and_snapshots_reach_the_same_state(void **state)
{
	const char *only = getenv("CORE_SEED");

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		uint64_t use = only ? strtoull(only, NULL, 10) : seed;
		print_message("seed %llu\n", (unsigned long long)use);
		run_seed(use);
		print_message(
			"  %u accepted, %u refused, %zu events, %zu escalated, %zu by the hub\n",
			running.accepted, running.refused, running.w.events, running.w.escalated,
			running.w.hub_messages);
		if (only)
			break;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replay_and_snapshots_reach_the_same_state),
	};

	return cmocka_run_group_tests_name("core random", tests, NULL, NULL);
}
