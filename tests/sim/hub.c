/* The in-process hub; see hub.h. */
#include "tests/sim/hub.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/recipients.h"
#include "proto/buf.h"
#include "proto/codec.h"
#include "proto/sha256.h"

enum {
	ARENA_BYTES = 64 << 20,
	SNAPSHOT_BYTES_MAX = 1 << 30,
	DUE_ROUNDS_MAX = 100000,
	SIM_RECIPIENTS_BYTES = 1 << 20,
};

static const struct core_limits limits = { 1000000, 1000000, 1000000 };

struct sim_hub {
	struct memory_disk *disk;
	struct journal *journal;
	struct journal_batch *batch;
	struct core *core;
	struct policy *policy;
	struct core_decision d;
	int64_t now_us;
	sim_output_cb *cb;
	void *cb_ctx;
	struct sim_output outputs[SIM_OUTPUTS_MAX];
	size_t n_outputs;
	struct buf snapshot; /* of the last check, empty: none */
	unsigned restarts;
	char trouble[SIM_TEXT_BYTES];
};

static void trouble(struct sim_hub *h, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void trouble(struct sim_hub *h, const char *format, ...)
{
	va_list args;

	if (h->trouble[0])
		return;
	va_start(args, format);
	vsnprintf(h->trouble, sizeof h->trouble, format, args);
	va_end(args);
}

const char *sim_hub_trouble(const struct sim_hub *h)
{
	return h->trouble;
}

int64_t sim_hub_now_us(const struct sim_hub *h)
{
	return h->now_us;
}

const struct core *sim_hub_core(const struct sim_hub *h)
{
	return h->core;
}

struct policy *sim_hub_policy(struct sim_hub *h)
{
	return h->policy;
}

struct journal *sim_hub_journal(struct sim_hub *h)
{
	return h->journal;
}

void sim_hub_listen(struct sim_hub *h, sim_output_cb *cb, void *ctx)
{
	h->cb = cb;
	h->cb_ctx = ctx;
}

/* ---- recording ---- */

/* The daemon salts with random bytes; here the salt is the seq, so that runs repeat. */
static void fill_hash(const struct core_item *item, uint64_t seq, struct journal_event *e)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t *hash = malloc(JOURNAL_HASH_BYTES);

	memset(e->salt, 0, sizeof e->salt);
	memcpy(e->salt, &seq, sizeof seq);
	if (!md || !hash || !EVP_DigestInit_ex(md, EVP_sha256(), NULL) ||
	    !EVP_DigestUpdate(md, e->salt, sizeof e->salt) ||
	    !EVP_DigestUpdate(md, item->payload, item->payload_len) ||
	    !EVP_DigestFinal_ex(md, hash, NULL))
		abort();
	EVP_MD_CTX_free(md);
	item->event->submitted->payload_hash.len = JOURNAL_HASH_BYTES;
	item->event->submitted->payload_hash.data = hash;
}

static void record_item(struct sim_hub *h, const struct core_item *item)
{
	uint64_t seq = core_last_seq(h->core) + 1;
	struct journal_event e = { 0 };

	if (item->payload) {
		uint8_t *payload = journal_batch_space(h->batch, item->payload_len + 1);
		if (!payload)
			abort();
		memcpy(payload, item->payload, item->payload_len);
		e.payload = payload;
		e.payload_len = item->payload_len;
		fill_hash(item, seq, &e);
	}
	e.kept_len = ieum__v1__event__get_packed_size(item->event);
	uint8_t *kept = journal_batch_space(h->batch, e.kept_len);
	if (!kept)
		abort();
	ieum__v1__event__pack(item->event, kept);
	e.kept = kept;
	if (h->batch->n_events == 0)
		h->batch->first_seq = seq;
	if (journal_batch_add(h->batch, &e) != IEUM_E_OK)
		trouble(h, "the batch is full");
	enum ieum_err err = core_apply(h->core, seq, item->event);
	if (err != IEUM_E_OK)
		trouble(h, "event %llu cannot be applied: %s", (unsigned long long)seq,
			ieum_error((int)err)->name);
	if (item->payload) {
		free(item->event->submitted->payload_hash.data);
		item->event->submitted->payload_hash.data = NULL;
		item->event->submitted->payload_hash.len = 0;
	}
}

static void record(struct sim_hub *h)
{
	for (size_t i = 0; i < h->d.n_items; i++)
		record_item(h, &h->d.items[i]);
}

static struct sim_output *add_output(struct sim_hub *h, enum sim_output_kind kind,
				     uint64_t connection, uint64_t tag)
{
	if (h->n_outputs == SIM_OUTPUTS_MAX) {
		trouble(h, "too many outputs for one commit");
		h->n_outputs--;
	}
	struct sim_output *o = &h->outputs[h->n_outputs++];
	*o = (struct sim_output){ .kind = kind, .connection = connection, .tag = tag };
	return o;
}

static void add_refusal(struct sim_hub *h, uint64_t connection, uint64_t tag, enum ieum_err code,
			const char *detail)
{
	struct sim_output *o = add_output(h, SIM_REFUSAL, connection, tag);

	o->code = code;
	snprintf(o->detail, sizeof o->detail, "%s", detail);
}

/* ---- start and restart ---- */

static enum ieum_err fold(void *core, const struct journal_record *r)
{
	Ieum__V1__Event *event = ieum__v1__event__unpack(NULL, r->kept_len, r->kept);

	if (!event)
		return IEUM_E_JOURNAL_CORRUPT;
	enum ieum_err err = core_apply(core, r->seq, event);
	ieum__v1__event__free_unpacked(event, NULL);
	return err;
}

static struct core *folded(struct sim_hub *h)
{
	struct core *core = core_new(&limits, 42);

	if (!core)
		abort();
	core_use_sha256(core, sha256);
	enum ieum_err err = journal_load(h->journal, 1, UINT64_MAX, 0, fold, core);
	if (err != IEUM_E_OK)
		trouble(h, "the journal cannot be replayed: %s", ieum_error((int)err)->name);
	return core;
}

/* The newest snapshot and what came after it; every other time only the journal is there. */
static struct core *resumed(struct sim_hub *h)
{
	if (++h->restarts % 2 == 0 || buf_len(&h->snapshot) == 0)
		return folded(h);
	struct core *core = core_new(&limits, 43);
	if (!core)
		abort();
	core_use_sha256(core, sha256);
	enum ieum_err err =
		core_snapshot_read(core, buf_bytes(&h->snapshot), buf_len(&h->snapshot));
	if (!err)
		err = journal_load(h->journal, core_last_seq(core) + 1, UINT64_MAX, 0, fold, core);
	if (err)
		trouble(h, "a snapshot and the journal after it cannot be read: %s",
			ieum_error((int)err)->name);
	return core;
}

static void start(struct sim_hub *h)
{
	static const uint8_t incarnation[JOURNAL_INCARNATION_BYTES] = { 1 };
	struct journal_config config = {
		.engine = "memory", .disk = h->disk, .create = true, .incarnation = { 1 }
	};

	if (journal_open(&config, &h->journal) != IEUM_E_OK)
		abort();
	h->core = resumed(h);
	if (h->now_us < core_last_at_us(h->core))
		h->now_us = core_last_at_us(h->core);
	core_decision_reset(&h->d);
	if (core_decide_start(h->core, "simulator", incarnation, false, h->now_us, &h->d) !=
	    IEUM_E_OK)
		trouble(h, "the start was refused");
	record(h);
	core_decision_reset(&h->d);
	if (core_decide_policy(h->core, h->policy, h->now_us, &h->d) != IEUM_E_OK)
		trouble(h, "the policy was refused");
	record(h);
	if (core_bind_policy(h->core, h->policy) != IEUM_E_OK)
		trouble(h, "the policy cannot be bound");
}

static void restart(struct sim_hub *h)
{
	journal_batch_clear(h->batch);
	h->n_outputs = 0;
	journal_close(h->journal);
	core_free(h->core);
	start(h);
	sim_hub_commit(h, SIM_COMMIT);
}

char *sim_hub_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;

	if (f && fseek(f, 0, SEEK_END) == 0) {
		long n = ftell(f);
		rewind(f);
		text = n >= 0 ? malloc((size_t)n + 1) : NULL;
		*len = text ? fread(text, 1, (size_t)n, f) : 0;
		if (text)
			text[*len] = 0;
	}
	if (f)
		fclose(f);
	return text;
}

struct sim_hub *sim_hub_new(const char *name, const char *text, size_t len, int64_t start_us,
			    char *why, size_t why_bytes)
{
	struct yaml_diag *diag = calloc(1, sizeof *diag);
	struct sim_hub *h = calloc(1, sizeof *h);

	if (!h || !diag)
		abort();
	if (policy_parse(name, text, len, diag, &h->policy) != IEUM_E_OK) {
		snprintf(why, why_bytes, "%s",
			 diag->count ? diag->mistakes[0].text : "the hub file cannot be read");
		free(diag);
		free(h);
		return NULL;
	}
	free(diag);
	h->now_us = start_us;
	buf_init(&h->snapshot, SNAPSHOT_BYTES_MAX);
	h->disk = memory_disk_new();
	h->batch = journal_batch_new();
	if (!h->disk || !h->batch)
		abort();
	core_decision_init(&h->d, ARENA_BYTES);
	start(h);
	sim_hub_commit(h, SIM_COMMIT);
	return h;
}

void sim_hub_free(struct sim_hub *h)
{
	if (!h)
		return;
	journal_close(h->journal);
	journal_batch_free(h->batch);
	memory_disk_free(h->disk);
	core_free(h->core);
	core_decision_release(&h->d);
	policy_free(h->policy);
	buf_release(&h->snapshot);
	free(h);
}

/* ---- requests ---- */

uint64_t sim_hub_connect_with(struct sim_hub *h, const char *participant,
			      const struct core_certificate *with)
{
	struct core_connect c = { .participant = participant,
				  .actor = "workstation-1",
				  .address = "192.0.2.1:40000",
				  .certificate = "01",
				  .with = with };

	core_decision_reset(&h->d);
	if (core_decide_connect(h->core, h->policy, &c, h->now_us, &h->d) != IEUM_E_OK ||
	    h->d.n_items < 1 || !h->d.items[0].event->connected)
		return 0;
	uint64_t connection = h->d.items[0].event->connected->connection;
	record(h);
	return connection;
}

uint64_t sim_hub_connect(struct sim_hub *h, const char *participant)
{
	return sim_hub_connect_with(h, participant, NULL);
}

void sim_hub_disconnect(struct sim_hub *h, uint64_t connection)
{
	core_decision_reset(&h->d);
	if (core_decide_disconnect(h->core, connection, h->now_us, &h->d) != IEUM_E_OK)
		trouble(h, "a disconnect was refused");
	record(h);
}

void sim_hub_submit(struct sim_hub *h, uint64_t connection, uint64_t tag,
		    const Ieum__V1__Referral *referral)
{
	size_t len = ieum__v1__referral__get_packed_size(referral);
	uint8_t *bytes = malloc(len + 1);
	struct core_submit s = {
		.connection = connection, .referral = referral, .bytes = bytes, .len = len
	};

	struct codec_problem problem;

	if (!bytes)
		abort();
	if (codec_check_referral(referral, &problem) != IEUM_E_OK) {
		add_refusal(h, connection, tag, problem.code, problem.detail);
		free(bytes);
		return;
	}
	ieum__v1__referral__pack(referral, bytes);
	core_decision_reset(&h->d);
	struct arena arena;
	arena_init(&arena, SIM_RECIPIENTS_BYTES);
	enum ieum_err err = recipients_read(referral, &arena, &s);
	if (err == IEUM_E_OK)
		err = core_decide_submit(h->core, h->policy, &s, h->now_us, &h->d);
	arena_release(&arena);
	if (err != IEUM_E_OK) {
		add_refusal(h, connection, tag, err, h->d.detail);
	} else {
		struct sim_output *o = add_output(h, SIM_RECEIPT, connection, tag);
		memcpy(o->message_id, referral->envelope->message_id.data, CORE_ID_BYTES);
		memcpy(o->case_id, h->d.case_id, CORE_ID_BYTES);
		o->has_case = h->d.has_case;
		o->repeated = h->d.repeated;
		o->seq = h->d.receipt_seq;
		record(h);
	}
	free(bytes);
}

void sim_hub_settle(struct sim_hub *h, uint64_t connection, uint64_t tag,
		    const struct sim_settle *settle)
{
	Ieum__V1__DeliveryRefusal refusals[SIM_REFUSE_MAX];
	Ieum__V1__DeliveryRefusal *list[SIM_REFUSE_MAX];
	struct core_settle s = {
		.connection = connection,
		.done = settle->done,
		.n_done = settle->n_done,
		.release = settle->release,
		.n_release = settle->n_release,
		.refuse = list,
		.n_refuse = settle->n_refuse,
	};

	for (size_t i = 0; i < s.n_refuse; i++) {
		ieum__v1__delivery_refusal__init(&refusals[i]);
		refusals[i].delivery_id = settle->refuse[i];
		refusals[i].reason = (char *)"cannot be read here";
		list[i] = &refusals[i];
	}
	core_decision_reset(&h->d);
	enum ieum_err err = core_decide_settle(h->core, h->policy, &s, h->now_us, &h->d);
	if (err != IEUM_E_OK) {
		add_refusal(h, connection, tag, err, h->d.detail);
		return;
	}
	add_output(h, SIM_SETTLED, connection, tag);
	record(h);
}

static void add_delivery(struct sim_hub *h, uint64_t connection, uint64_t delivery_id)
{
	struct core_delivery d;
	struct sim_output *o = add_output(h, SIM_DELIVERY, connection, 0);

	if (!core_delivery(h->core, delivery_id, &d)) {
		trouble(h, "a delivery was released that does not exist");
		return;
	}
	o->delivery_id = delivery_id;
	o->seq = d.seq;
	o->attempt = d.attempt;
	o->cause = d.cause;
	o->answer_by_at_ms = d.answer_by_at_ms;
	memcpy(o->message_id, d.message_id, CORE_ID_BYTES);
	o->has_case = d.case_id != NULL;
	if (d.case_id)
		memcpy(o->case_id, d.case_id, CORE_ID_BYTES);
	snprintf(o->mailbox, sizeof o->mailbox, "%s", d.mailbox);
	snprintf(o->sender, sizeof o->sender, "%s", d.sender);
}

void sim_hub_pump(struct sim_hub *h, uint64_t connection, uint32_t max)
{
	core_decision_reset(&h->d);
	enum ieum_err err =
		core_decide_release(h->core, h->policy, connection, max, h->now_us, &h->d);
	if (err != IEUM_E_OK) {
		trouble(h, "a release was refused: %s", ieum_error((int)err)->name);
		return;
	}
	record(h);
	for (size_t i = 0; i < h->d.n_items; i++) {
		const Ieum__V1__DeliveriesReleased *r = h->d.items[i].event->released;
		for (size_t k = 0; r && k < r->n_deliveries; k++)
			add_delivery(h, connection, r->deliveries[k]);
	}
}

enum ieum_err sim_hub_reload(struct sim_hub *h, const char *name, const char *text, size_t len,
			     char *why, size_t why_bytes)
{
	struct yaml_diag *diag = calloc(1, sizeof *diag);
	struct policy *fresh = NULL;

	if (!diag)
		abort();
	enum ieum_err err = policy_parse(name, text, len, diag, &fresh);
	if (err)
		snprintf(why, why_bytes, "%s",
			 diag->count ? diag->mistakes[0].text : "the hub file cannot be read");
	free(diag);
	if (err)
		return err;
	core_decision_reset(&h->d);
	err = core_decide_policy(h->core, fresh, h->now_us, &h->d);
	if (err) {
		snprintf(why, why_bytes, "%s", h->d.detail);
		policy_free(fresh);
		return err;
	}
	record(h);
	if (core_bind_policy(h->core, fresh) != IEUM_E_OK)
		trouble(h, "a policy cannot be bound");
	policy_free(h->policy);
	h->policy = fresh;
	return IEUM_E_OK;
}

static const char *what_is_read(const struct core_view *v)
{
	if (v->query->what_case == IEUM__V1__QUERY__WHAT_CASE)
		return "case";
	if (v->query->what_case == IEUM__V1__QUERY__WHAT_HANDOVER)
		return "handover";
	return v->payload_seq ? "referral" : "referral_status";
}

const Ieum__V1__Result *sim_hub_query(struct sim_hub *h, uint64_t connection,
				      const Ieum__V1__Query *query, struct arena *arena,
				      enum ieum_err *err)
{
	struct core_view v = {
		.connection = connection, .query = query, .now = h->now_us, .arena = arena
	};

	*err = core_view(h->core, h->policy, &v);
	if (*err)
		return NULL;
	if (!v.has_read_id)
		return v.result;
	const uint8_t(*id)[CORE_ID_BYTES] = (const uint8_t(*)[CORE_ID_BYTES]) & v.read_id;
	core_decision_reset(&h->d);
	if (core_decide_read(h->core, connection, what_is_read(&v), id, 1, h->now_us, &h->d) !=
	    IEUM_E_OK)
		trouble(h, "a reading cannot be recorded");
	record(h);
	return v.result;
}

static void do_due(struct sim_hub *h)
{
	for (int i = 0; i < DUE_ROUNDS_MAX; i++) {
		core_decision_reset(&h->d);
		if (core_decide_due(h->core, h->policy, h->now_us, &h->d) != IEUM_E_OK)
			trouble(h, "what is due was refused");
		if (h->d.n_items == 0)
			return;
		record(h);
	}
	trouble(h, "what is due never ends");
}

void sim_hub_advance(struct sim_hub *h, int64_t by_us)
{
	int64_t until = h->now_us + by_us;

	while (core_next_due(h->core) <= until) {
		if (core_next_due(h->core) > h->now_us)
			h->now_us = core_next_due(h->core);
		int64_t before = core_next_due(h->core);
		do_due(h);
		if (h->batch->n_events > JOURNAL_BATCH_EVENTS_MAX / 2)
			sim_hub_commit(h, SIM_COMMIT);
		if (h->trouble[0] || core_next_due(h->core) == before) {
			trouble(h, "something is due and stays due");
			return;
		}
	}
	h->now_us = until;
}

/* ---- commit ---- */

static void hand_over(struct sim_hub *h)
{
	size_t n = h->n_outputs;

	h->n_outputs = 0;
	for (size_t i = 0; i < n; i++) {
		struct sim_output o = h->outputs[i];
		uint8_t salt[JOURNAL_SALT_BYTES];
		uint8_t *payload = NULL;
		if (o.kind == SIM_DELIVERY &&
		    journal_payload_read(h->journal, o.seq, salt, &payload, &o.payload_len) !=
			    IEUM_E_OK)
			trouble(h, "the payload of a delivery is not in the journal");
		o.payload = payload;
		if (h->cb)
			h->cb(h->cb_ctx, &o);
		free(payload);
	}
}

bool sim_hub_commit(struct sim_hub *h, enum sim_fault fault)
{
	static const enum memory_fault faults[] = { MEMORY_FAULT_NONE, MEMORY_LOSE_BATCH,
						    MEMORY_LOSE_COMPLETION, MEMORY_TORN_BATCH };

	h->batch->at_us = h->now_us;
	if (fault != SIM_COMMIT && !journal_batch_empty(h->batch))
		memory_disk_fail(h->disk, faults[fault], 0, 1);
	enum ieum_err err = IEUM_E_OK;
	if (!journal_batch_empty(h->batch))
		err = journal_append(h->journal, h->batch);
	if (fault != SIM_COMMIT) {
		restart(h);
		return false;
	}
	if (err != IEUM_E_OK)
		trouble(h, "the commit failed: %s", ieum_error((int)err)->name);
	journal_batch_clear(h->batch);
	hand_over(h);
	return true;
}

bool sim_hub_committed(const struct sim_hub *h)
{
	return journal_batch_empty(h->batch);
}

/* ---- checks ---- */

static bool same_state(const struct core *a, const struct core *b)
{
	struct buf x;
	struct buf y;

	buf_init(&x, SNAPSHOT_BYTES_MAX);
	buf_init(&y, SNAPSHOT_BYTES_MAX);
	bool same = core_snapshot_write(a, &x) == IEUM_E_OK &&
		    core_snapshot_write(b, &y) == IEUM_E_OK && buf_len(&x) == buf_len(&y) &&
		    memcmp(buf_bytes(&x), buf_bytes(&y), buf_len(&x)) == 0;
	buf_release(&x);
	buf_release(&y);
	return same;
}

static void check_snapshot(struct sim_hub *h)
{
	struct core *restored = core_new(&limits, 7);
	struct buf *bytes = &h->snapshot;
	char what[SIM_TEXT_BYTES - 64];

	buf_release(bytes);
	buf_init(bytes, SNAPSHOT_BYTES_MAX);
	if (restored)
		core_use_sha256(restored, sha256);
	if (!restored || core_snapshot_write(h->core, bytes) != IEUM_E_OK ||
	    core_snapshot_read(restored, buf_bytes(bytes), buf_len(bytes)) != IEUM_E_OK)
		trouble(h, "a snapshot cannot be restored");
	else if (!same_state(h->core, restored))
		trouble(h, "a restored snapshot is another state");
	else if (core_check(restored, what, sizeof what) != IEUM_E_OK)
		trouble(h, "a restored snapshot contradicts itself: %s", what);
	else if (core_next_due(restored) != core_next_due(h->core))
		trouble(h, "a restored snapshot has another next deadline");
	core_free(restored);
}

bool sim_hub_check(struct sim_hub *h)
{
	char what[SIM_TEXT_BYTES - 64];

	if (!h->trouble[0] && core_check(h->core, what, sizeof what) != IEUM_E_OK)
		trouble(h, "the state contradicts itself: %s", what);
	if (!h->trouble[0] && journal_batch_empty(h->batch)) {
		struct core *replayed = folded(h);
		if (!same_state(h->core, replayed))
			trouble(h, "replaying the journal reaches another state");
		core_free(replayed);
		check_snapshot(h);
	}
	return !h->trouble[0];
}
