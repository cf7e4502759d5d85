/* What the core alone costs per message: decide and apply of submit, release and settle, without
 * packing, disk or network.  Not part of the tests; prints one JSON line.
 *
 *     ieum-bench-core [hub file] [messages] [cases: 1 or more] [certificates]
 *
 * With certificates each message has a part that is sealed to so many, the sender's and the
 * recipient's among them; reading whom it is sealed to, as the codec and the session do, counts
 * as the core's.  Eight publishers report in their cases to eight recipients; releases and settles come in
 * batches of 64. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "broker/core/core.h"
#include "broker/recipients.h"
#include "proto/seal_der.h"
#include "proto/sha256.h"

enum { PAIRS = 8, BATCH = 64, PAYLOAD = 1024, SERIALS = 2 * PAIRS };

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
	/* Of each pair: CMS to n_certificates; of none: NULL. */
	struct buf sealed[PAIRS];
	size_t n_certificates;
	struct arena arena;
};

/* ---- sealed parts ---- */

/* An element of DER in front of what the buffer holds from `from` on. */
static void wrap(struct buf *b, size_t from, uint8_t tag)
{
	size_t n = buf_len(b) - from;
	uint8_t head[4] = { tag, 0x82, (uint8_t)(n >> 8), (uint8_t)n };
	size_t len = n < 128 ? 2 : n < 256 ? 3 : 4;

	if (n < 128)
		head[1] = (uint8_t)n;
	else if (n < 256)
		head[1] = 0x81, head[2] = (uint8_t)n;
	if (!buf_reserve(b, len))
		abort();
	buf_commit(b, len);
	memmove(b->base + b->head + from + len, b->base + b->head + from, n);
	memcpy(b->base + b->head + from, head, len);
}

static void put(struct buf *b, uint8_t tag, const void *bytes, size_t n)
{
	size_t from = buf_len(b);

	if (buf_append(b, bytes, n))
		abort();
	wrap(b, from, tag);
}

/* Issuer and serial number: as long as those of a real one. */
static void put_name(struct buf *b, uint16_t serial)
{
	static const uint8_t issuer[60];
	const uint8_t number[16] = { 1, (uint8_t)(serial >> 8), (uint8_t)serial };

	put(b, 0x30, issuer, sizeof issuer);
	put(b, 0x02, number, sizeof number);
}

/* KeyAgreeRecipientInfo for a P-256 certificate. */
static void put_recipient(struct buf *b, uint16_t serial)
{
	static const uint8_t zero[91];
	size_t info = buf_len(b);

	put(b, 0x02, "\3", 1);
	put(b, 0xa0, zero, sizeof zero);
	put(b, 0x30, zero, 28);
	size_t keys = buf_len(b);
	put_name(b, serial);
	wrap(b, keys, 0x30);
	put(b, 0x04, zero, 40);
	wrap(b, keys, 0x30);
	wrap(b, keys, 0x30);
	wrap(b, info, 0xa1);
}

static void put_content(struct buf *b)
{
	static const uint8_t gcm[] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2e };
	static const uint8_t text[400];
	size_t from = buf_len(b);

	put(b, 0x06, "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", 9);
	size_t algorithm = buf_len(b);
	put(b, 0x06, gcm, sizeof gcm);
	size_t parameters = buf_len(b);
	put(b, 0x04, text, 12);
	put(b, 0x02, "\x10", 1);
	wrap(b, parameters, 0x30);
	wrap(b, algorithm, 0x30);
	put(b, 0x80, text, sizeof text);
	wrap(b, from, 0x30);
	put(b, 0x04, text, 16);
}

static void seal(struct bench *b, int pair)
{
	struct buf *out = &b->sealed[pair];

	buf_init(out, 60000);
	put(out, 0x06, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17", 11);
	size_t wrapped = buf_len(out);
	put(out, 0x02, "\0", 1);
	size_t infos = buf_len(out);
	for (size_t i = 0; i < b->n_certificates; i++)
		put_recipient(out, (uint16_t)(i < 2 ? 2 * (size_t)pair + i : SERIALS + i));
	wrap(out, infos, 0x31);
	put_content(out);
	wrap(out, wrapped, 0x30);
	wrap(out, wrapped, 0xa0);
	wrap(out, 0, 0x30);
}

/* ---- the hub ---- */

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

static uint64_t connect_as(struct bench *b, const char *kind, int i, uint16_t serial)
{
	char name[32];
	uint8_t fingerprint[CORE_HASH_BYTES] = { 1, (uint8_t)serial };
	uint8_t issuer_serial[CORE_HASH_BYTES];
	struct buf named;

	buf_init(&named, 256);
	put_name(&named, serial);
	if (!sha256(buf_bytes(&named), buf_len(&named), issuer_serial))
		abort();
	buf_release(&named);
	const struct core_certificate certificate = {
		.der = fingerprint,
		.der_len = sizeof fingerprint,
		.fingerprint = fingerprint,
		.issuer_serial = issuer_serial,
		.ends_at_ms = INT64_C(4102444800000),
		.actor = "bench",
		.serial = "01",
	};

	snprintf(name, sizeof name, "%s-%d", kind, i);
	const struct core_connect k = {
		.participant = name,
		.actor = "bench",
		.address = "127.0.0.1:1",
		.certificate = "01",
		.with = b->n_certificates ? &certificate : NULL,
	};
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
		b->publishers[i] = connect_as(b, "publisher", i, (uint16_t)(2 * i));
		b->recipients[i] = connect_as(b, "recipient", i, (uint16_t)(2 * i + 1));
		if (b->n_certificates)
			seal(b, i);
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

/* As the codec and the session read whom it is sealed to. */
static void read_sealed(struct bench *b, struct core_submit *s)
{
	static struct seal_recipient list[SEAL_RECIPIENTS_MAX];
	const Ieum__V1__NarrativePart *part = s->referral->narrative[0];
	size_t n;

	arena_reset(&b->arena);
	must(seal_recipients(part->sealed.data, part->sealed.len, list, SEAL_RECIPIENTS_MAX, &n),
	     &b->d);
	must(recipients_read(s->referral, &b->arena, s), &b->d);
}

static void submit(struct bench *b, int pair, uint8_t *case_id, bool open)
{
	Ieum__V1__NarrativePart part = IEUM__V1__NARRATIVE_PART__INIT, *parts[] = { &part };
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
	struct core_submit s = {
		.connection = b->publishers[pair],
		.referral = &r,
		.bytes = id,
		.len = PAYLOAD,
	};
	core_decision_reset(&b->d);
	if (b->n_certificates) {
		part.number = 1;
		part.content_case = IEUM__V1__NARRATIVE_PART__CONTENT_SEALED;
		part.sealed = (ProtobufCBinaryData){ buf_len(&b->sealed[pair]),
						     (uint8_t *)buf_bytes(&b->sealed[pair]) };
		r.narrative = parts;
		r.n_narrative = 1;
		read_sealed(b, &s);
	}
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

	b.n_certificates = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;
	arena_init(&b.arena, 1 << 20);
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
	printf("{\"bench\":\"core\",\"messages\":%.0f,\"cases\":%zu,\"certificates\":%zu,\"submit_ns\":%.0f,\"release_ns\":%.0f,"
	       "\"settle_ns\":%.0f,\"total_ns\":%.0f,\"bytes_per_settled\":%.0f}\n",
	       n, b.n_cases, b.n_certificates, b.submit_ns / n, b.release_ns / n, b.settle_ns / n,
	       (b.submit_ns + b.release_ns + b.settle_ns) / n, (double)used / n);
	core_free(b.core);
	policy_free(b.policy);
	core_decision_release(&b.d);
	for (int i = 0; i < PAIRS; i++)
		buf_release(&b.sealed[i]);
	arena_release(&b.arena);
	free(b.cases);
	return 0;
}
