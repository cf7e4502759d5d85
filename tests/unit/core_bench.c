/* What the core alone costs per message: decide and apply of submit, release and settle, without
 * packing, disk or network.  Not part of the tests; prints one JSON line.
 *
 *     ieum-bench-core [hub file] [messages] [cases: 1 or more]
 *
 * Eight publishers report in their cases to eight recipients; releases and settles come in
 * batches of 64. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "broker/core/core.h"

enum { PAIRS = 8, BATCH = 64, PAYLOAD = 1024 };

struct bench {
	struct core *core;
	struct policy *policy;
	struct core_decision d;
	core_time_us now;
	uint64_t publishers[PAIRS], recipients[PAIRS];
	uint64_t ids;
	uint8_t (*cases)[CORE_ID_BYTES];
	size_t n_cases;
	double submit_ns, release_ns, settle_ns;
	char names[PAIRS][32]; /* of the recipients */
};

/* Of this thread's own work: other load on the machine doesn't count. */
static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void must(enum ieum_err err, const struct core_decision *d)
{
	if (err) {
		fprintf(stderr, "%s: %s\n", ieum_error((int)err)->name, d->detail);
		exit(1);
	}
}

static void record(struct bench *b, enum ieum_err err)
{
	must(err, &b->d);
	for (size_t i = 0; i < b->d.n_items; i++)
		must(core_apply(b->core, core_last_seq(b->core) + 1, b->d.items[i].event), &b->d);
}

static uint64_t connect_as(struct bench *b, const char *kind, int i)
{
	char name[32];

	snprintf(name, sizeof name, "%s-%d", kind, i);
	const struct core_connect k = { name, "bench", "127.0.0.1:1", "01" };
	core_decision_reset(&b->d);
	record(b, core_decide_connect(b->core, b->policy, &k, b->now, &b->d));
	return b->d.items[0].event->connected->connection;
}

static void start(struct bench *b, const char *hub)
{
	static const struct core_limits limits = { 1 << 30, 1 << 30, 1 << 30 };
	static const uint8_t incarnation[CORE_ID_BYTES] = { 1 };
	static struct yaml_diag diag;

	b->now = (core_time_us)1790000000 * 1000 * 1000;
	b->core = core_new(&limits, 12345);
	core_decision_init(&b->d, 16 * 1024 * 1024);
	yaml_diag_init(&diag);
	if (!b->core || policy_load(hub, &diag, &b->policy)) {
		yaml_diag_print(&diag, stderr);
		exit(1);
	}
	record(b, core_decide_start(b->core, "bench", incarnation, false, b->now, &b->d));
	core_decision_reset(&b->d);
	record(b, core_decide_policy(b->core, b->policy, b->now, &b->d));
	must(core_bind_policy(b->core, b->policy), &b->d);
	for (int i = 0; i < PAIRS; i++) {
		snprintf(b->names[i], sizeof b->names[i], "recipient-%d", i);
		b->publishers[i] = connect_as(b, "publisher", i);
		b->recipients[i] = connect_as(b, "recipient", i);
	}
}

static void new_id(struct bench *b, uint8_t id[CORE_ID_BYTES])
{
	uint64_t ms = (uint64_t)b->now / 1000;
	uint64_t mixed = ++b->ids * 0x9e3779b97f4a7c15u;

	for (int i = 0; i < 6; i++)
		id[i] = (uint8_t)(ms >> (40 - 8 * i));
	id[6] = 0x70;
	id[7] = (uint8_t)b->ids;
	memcpy(id + 8, &mixed, 8);
	id[8] = (uint8_t)(0x80 | (id[8] & 0x3f));
}

static void submit(struct bench *b, int pair, uint8_t *case_id, bool open)
{
	uint8_t id[CORE_ID_BYTES];
	Ieum__V1__Referral r = IEUM__V1__REFERRAL__INIT;
	Ieum__V1__Envelope e = IEUM__V1__ENVELOPE__INIT;
	Ieum__V1__LegalBasis basis = IEUM__V1__LEGAL_BASIS__INIT;
	Ieum__V1__ServiceReport body = IEUM__V1__SERVICE_REPORT__INIT;
	Ieum__V1__Addressee a = IEUM__V1__ADDRESSEE__INIT;
	Ieum__V1__Addressee *addressees[] = { &a };

	new_id(b, id);
	r.envelope = &e;
	r.body_case = IEUM__V1__REFERRAL__BODY_SERVICE_REPORT;
	r.service_report = &body;
	e.message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, id };
	e.type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_SERVICE_REPORT;
	e.legal_basis = &basis;
	basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_STATUTORY;
	e.category = IEUM__V1__CATEGORY__CATEGORY_FAMILY_SUPPORT;
	a.to_case = IEUM__V1__ADDRESSEE__TO_PARTICIPANT;
	a.participant = b->names[pair];
	e.addressees = addressees;
	e.n_addressees = 1;
	e.open_case = open;
	if (open)
		memcpy(case_id, id, CORE_ID_BYTES);
	else
		e.case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, case_id };
	const struct core_submit s = { b->publishers[pair], &r, id, PAYLOAD };
	core_decision_reset(&b->d);
	record(b, core_decide_submit(b->core, b->policy, &s, b->now, &b->d));
}

static void deliver(struct bench *b, int pair)
{
	uint64_t ids[BATCH];
	double from = now_ns();

	core_decision_reset(&b->d);
	record(b,
	       core_decide_release(b->core, b->policy, b->recipients[pair], BATCH, b->now, &b->d));
	if (b->d.n_items == 0)
		return;
	const Ieum__V1__DeliveriesReleased *e = b->d.items[0].event->released;
	size_t n = e->n_deliveries;
	memcpy(ids, e->deliveries, n * sizeof *ids);
	double half = now_ns();
	const struct core_settle s = { .connection = b->recipients[pair],
				       .done = ids,
				       .n_done = n };
	core_decision_reset(&b->d);
	record(b, core_decide_settle(b->core, b->policy, &s, b->now, &b->d));
	b->release_ns += half - from;
	b->settle_ns += now_ns() - half;
}

int main(int argc, char **argv)
{
	static struct bench b;
	size_t messages = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000;
	uint64_t rounds = messages / (PAIRS * BATCH);

	b.n_cases = argc > 3 ? strtoul(argv[3], NULL, 10) : PAIRS;
	if (b.n_cases < PAIRS)
		b.n_cases = PAIRS;
	b.cases = calloc(b.n_cases, sizeof *b.cases);
	if (!b.cases)
		return 1;
	start(&b, argc > 1 ? argv[1] : "bench/hub.yaml");
	for (size_t i = 0; i < b.n_cases; i++)
		submit(&b, (int)(i % PAIRS), b.cases[i], true);
	for (int i = 0; i < PAIRS; i++)
		for (size_t n = 0; n < b.n_cases; n += BATCH)
			deliver(&b, i);
	b.submit_ns = b.release_ns = b.settle_ns = 0;
	size_t heap = mallinfo2().uordblks + mallinfo2().hblkhd;
	size_t at = 0;
	size_t whole = b.n_cases - b.n_cases % PAIRS; /* so that a pair keeps its cases */
	for (uint64_t round = 0; round < rounds; round++) {
		double from = now_ns();
		b.now += 1000;
		for (int i = 0; i < PAIRS * BATCH; i++) {
			int pair = i % PAIRS;
			submit(&b, pair, b.cases[(at + (size_t)i) % whole], false);
		}
		at += PAIRS * BATCH;
		b.submit_ns += now_ns() - from;
		for (int i = 0; i < PAIRS; i++)
			deliver(&b, i);
	}
	double n = (double)rounds * PAIRS * BATCH;
	size_t used = mallinfo2().uordblks + mallinfo2().hblkhd - heap;
	printf("{\"bench\":\"core\",\"messages\":%.0f,\"cases\":%zu,\"submit_ns\":%.0f,\"release_ns\":%.0f,"
	       "\"settle_ns\":%.0f,\"total_ns\":%.0f,\"bytes_per_settled\":%.0f}\n",
	       n, b.n_cases, b.submit_ns / n, b.release_ns / n, b.settle_ns / n,
	       (b.submit_ns + b.release_ns + b.settle_ns) / n, (double)used / n);
	core_free(b.core);
	policy_free(b.policy);
	core_decision_release(&b.d);
	free(b.cases);
	return 0;
}
