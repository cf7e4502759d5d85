/* The random play; see random.h. */
#include "tests/sim/random.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/random_internal.h"

enum { START_US = 1772413200, CREDIT = 8, REPLAY_EVERY = 16, DAYS_MAX = 20 };

void world_trouble(struct world *w, const char *format, ...)
{
	char text[RANDOM_TEXT_BYTES - 40];
	va_list args;

	if (w->result->trouble[0])
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	snprintf(w->result->trouble, sizeof w->result->trouble, "step %u: %s", w->step, text);
}

/* splitmix64 */
uint64_t world_random(struct world *w, uint64_t n)
{
	uint64_t z = w->random += 0x9E3779B97F4A7C15u;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	z ^= z >> 31;
	return n ? z % n : z;
}

static struct peer *peer_of(struct world *w, uint64_t connection)
{
	for (size_t i = 0; i < w->n_peers; i++) {
		if (w->peers[i].connection == connection)
			return &w->peers[i];
	}
	return NULL;
}

/* ---- what the hub answers ---- */

/* From its receipt on, a message's exclusions hold. */
static void keep_exclusions(struct world *w, const struct sent *s, const uint8_t *case_id)
{
	Ieum__V1__Referral *r = ieum__v1__referral__unpack(NULL, s->len, s->bytes);

	for (size_t i = 0; r && i < r->envelope->n_excluded_participants &&
			   w->n_exclusions < WORLD_EXCLUSIONS_MAX;
	     i++) {
		struct exclusion *x = &w->exclusions[w->n_exclusions++];
		memcpy(x->case_id, case_id, CORE_ID_BYTES);
		snprintf(x->participant, sizeof x->participant, "%s",
			 r->envelope->excluded_participants[i]);
	}
	if (r)
		ieum__v1__referral__free_unpacked(r, NULL);
}

static void on_receipt(struct world *w, const struct sim_output *o)
{
	w->result->receipts++;
	for (size_t i = 0; i < w->n_sent; i++) {
		struct sent *s = &w->sent[i];
		if (memcmp(s->id, o->message_id, CORE_ID_BYTES) != 0)
			continue;
		if (s->receipted && (!o->repeated || o->seq != s->seq))
			world_trouble(w, "a repeat got another receipt");
		if (!s->receipted && o->has_case) {
			keep_exclusions(w, s, o->case_id);
			world_know_case(&w->peers[s->peer], o->case_id);
		}
		s->receipted = true;
		s->seq = o->seq;
		if (o->has_case && memcmp(o->case_id, s->id, CORE_ID_BYTES) == 0 && !o->repeated &&
		    w->n_cases < WORLD_CASES_MAX)
			memcpy(w->cases[w->n_cases++], o->case_id, CORE_ID_BYTES);
		return;
	}
	world_trouble(w, "a receipt for what was never sent");
}

static void check_recipient(struct world *w, const struct peer *p, const struct sim_output *o)
{
	const struct policy *policy = sim_hub_policy(w->hub);
	int m = policy_find_mailbox(policy, o->mailbox);

	for (size_t i = 0; o->has_case && i < w->n_exclusions; i++) {
		if (memcmp(w->exclusions[i].case_id, o->case_id, CORE_ID_BYTES) == 0 &&
		    strcmp(w->exclusions[i].participant, p->name) == 0)
			world_trouble(w, "%s got something of a case it is excluded from", p->name);
	}

	for (size_t i = 0; m != POLICY_NONE && i < policy_mailbox(policy, m)->n_consumers; i++) {
		int c = policy_mailbox(policy, m)->consumers[i];
		if (strcmp(policy_participant(policy, c)->name, p->name) == 0)
			return;
	}
	world_trouble(w, "%s got a delivery of %s", p->name, o->mailbox);
}

static void keep_got(struct world *w, const struct sim_output *o)
{
	for (size_t i = 0; i < w->n_got; i++) {
		if (w->got[i].delivery_id == o->delivery_id && w->got[i].settled)
			world_trouble(w, "a settled delivery came again");
	}
	if (w->n_got == w->got_cap) {
		w->got_cap = w->got_cap ? 2 * w->got_cap : 1024;
		w->got = realloc(w->got, w->got_cap * sizeof *w->got);
		if (!w->got)
			abort();
	}
	w->got[w->n_got++] = (struct got){ o->delivery_id, o->connection, false };
}

void world_know_case(struct peer *p, const uint8_t case_id[CORE_ID_BYTES])
{
	size_t n = p->n_cases < WORLD_PEER_CASES_MAX ? p->n_cases : WORLD_PEER_CASES_MAX;

	for (size_t i = 0; i < n; i++) {
		if (memcmp(p->cases[i], case_id, CORE_ID_BYTES) == 0)
			return;
	}
	memcpy(p->cases[p->n_cases++ % WORLD_PEER_CASES_MAX], case_id, CORE_ID_BYTES);
}

/* The newest requests; in a full list one takes the place of another. */
static void keep_asked(struct world *w, struct peer *p, const struct sim_output *o)
{
	Ieum__V1__Referral *r = ieum__v1__referral__unpack(NULL, o->payload_len, o->payload);
	size_t at = p->n_asked < WORLD_ASKED_MAX ? p->n_asked++ : world_random(w, WORLD_ASKED_MAX);

	p->asked[at] = (struct asked_of){ .has_case = o->has_case };
	memcpy(p->asked[at].id, o->message_id, CORE_ID_BYTES);
	memcpy(p->asked[at].case_id, o->case_id, CORE_ID_BYTES);
	if (r && r->envelope)
		p->asked[at].type = r->envelope->type;
	if (r)
		ieum__v1__referral__free_unpacked(r, NULL);
}

static void on_delivery(struct world *w, const struct sim_output *o)
{
	struct peer *p = peer_of(w, o->connection);

	w->result->deliveries++;
	if (!p) {
		world_trouble(w, "a delivery to nobody");
		return;
	}
	check_recipient(w, p, o);
	keep_got(w, o);
	if (p->n_unsettled < WORLD_UNSETTLED_MAX)
		p->unsettled[p->n_unsettled++] = o->delivery_id;
	if (o->has_case)
		world_know_case(p, o->case_id);
	if (o->answer_by_at_ms)
		keep_asked(w, p, o);
}

static void on_settled(struct world *w, const struct sim_output *o)
{
	w->result->settles++;
	for (size_t i = 0; i < WORLD_SETTLES_MAX; i++) {
		const struct settle_under_way *s = &w->settles[i];
		for (size_t k = 0; s->tag == o->tag && k < s->n_done; k++) {
			for (size_t g = 0; g < w->n_got; g++) {
				if (w->got[g].delivery_id == s->done[k])
					w->got[g].settled = true;
			}
		}
	}
}

static void on_output(void *ctx, const struct sim_output *o)
{
	struct world *w = ctx;

	switch (o->kind) {
	case SIM_RECEIPT: on_receipt(w, o); break;
	case SIM_DELIVERY: on_delivery(w, o); break;
	case SIM_SETTLED: on_settled(w, o); break;
	case SIM_REFUSAL:
		w->result->refusals++;
		if (w->config->trace)
			fprintf(stderr, "%u refused %s: %s\n", w->step,
				ieum_error((int)o->code)->name, o->detail);
		break;
	}
}

/* ---- what may happen ---- */

static void submit(struct world *w, int index)
{
	if (index < 0)
		return;
	struct sent *s = &w->sent[index];
	struct peer *p = &w->peers[s->peer];
	Ieum__V1__Referral *r = ieum__v1__referral__unpack(NULL, s->len, s->bytes);

	if (!r)
		abort();
	if (p->connection) {
		w->result->submits++;
		sim_hub_submit(w->hub, p->connection, ++w->next_tag, r);
	}
	ieum__v1__referral__free_unpacked(r, NULL);
}

static void do_submit(struct world *w, size_t peer)
{
	int index = world_make_message(w, peer);

	/* Many agencies have nothing to say of their own accord: somebody else then. */
	for (int tries = 0; index < 0 && tries < 16; tries++)
		index = world_make_message(w, world_random(w, w->n_peers));
	submit(w, index);
}

static void do_answer(struct world *w, size_t peer)
{
	submit(w, world_make_answer(w, peer));
}

static void do_repeat(struct world *w, size_t peer)
{
	(void)peer;
	if (w->n_sent == 0)
		return;
	w->result->repeats++;
	submit(w, (int)world_random(w, w->n_sent));
}

static void do_pump(struct world *w, size_t peer)
{
	struct peer *p = &w->peers[peer];

	if (p->connection && p->n_unsettled < CREDIT)
		sim_hub_pump(w->hub, p->connection, (uint32_t)(CREDIT - p->n_unsettled));
}

/* Settles a random part, in random order, each in one of three ways. */
static void settle_list(struct world *w, struct peer *p, uint64_t *list, size_t *n, bool only_done)
{
	uint64_t done[WORLD_UNSETTLED_MAX];
	uint64_t release[WORLD_UNSETTLED_MAX];
	uint64_t refuse[WORLD_UNSETTLED_MAX];
	size_t n_done = 0;
	size_t n_release = 0;
	size_t n_refuse = 0;
	size_t take = *n ? 1 + world_random(w, *n) : 0;

	for (size_t i = 0; i < take; i++) {
		size_t k = world_random(w, *n);
		uint64_t id = list[k];
		uint64_t how = only_done ? 9 : world_random(w, 10);
		list[k] = list[--*n];
		if (how == 0)
			release[n_release++] = id;
		else if (how == 1)
			refuse[n_refuse++] = id;
		else
			done[n_done++] = id;
	}
	if (take == 0)
		return;
	struct settle_under_way *s = &w->settles[w->n_settles++ % WORLD_SETTLES_MAX];
	s->tag = ++w->next_tag;
	s->n_done = n_done;
	memcpy(s->done, done, n_done * sizeof *done);
	struct sim_settle settle = { done, n_done, release, n_release, refuse, n_refuse };
	sim_hub_settle(w->hub, p->connection, s->tag, &settle);
}

static void do_settle(struct world *w, size_t peer)
{
	struct peer *p = &w->peers[peer];

	if (!p->connection)
		return;
	if (world_random(w, 5) == 0) /* late, from a connection that was lost */
		settle_list(w, p, p->held, &p->n_held, true);
	else
		settle_list(w, p, p->unsettled, &p->n_unsettled, false);
}

static void lose_connection(struct peer *p)
{
	for (size_t i = 0; i < p->n_unsettled && p->n_held < WORLD_HELD_MAX; i++)
		p->held[p->n_held++] = p->unsettled[i];
	p->n_unsettled = 0;
	p->connection = 0;
}

static void do_come_or_go(struct world *w, size_t peer)
{
	struct peer *p = &w->peers[peer];

	if (!p->connection) {
		p->connection = sim_hub_connect(w->hub, p->name);
		return;
	}
	/* What is still on its way to a client that goes away is lost to it. */
	if (!sim_hub_commit(w->hub, SIM_COMMIT))
		return;
	sim_hub_disconnect(w->hub, p->connection);
	lose_connection(p);
}

static void do_time(struct world *w, size_t peer)
{
	static const int64_t spans_s[] = { 1, 1, 10, 70, 600, 3600, 14400, 86400 };
	int64_t span_us = spans_s[world_random(w, 8)] * 1000000;

	(void)peer;
	if (sim_hub_now_us(w->hub) + span_us < (START_US + (int64_t)DAYS_MAX * 86400) * 1000000)
		sim_hub_advance(w->hub, span_us);
}

static void do_commit(struct world *w, size_t peer)
{
	(void)peer;
	sim_hub_commit(w->hub, SIM_COMMIT);
}

static void do_crash(struct world *w, size_t peer)
{
	(void)peer;
	if (world_random(w, 10) != 0)
		return;
	w->result->crashes++;
	sim_hub_commit(w->hub, (enum sim_fault)(SIM_LOSE_BATCH + world_random(w, 3)));
	for (size_t i = 0; i < w->n_peers; i++)
		lose_connection(&w->peers[i]);
	if (!sim_hub_check(w->hub))
		world_trouble(w, "after a crash: %s", sim_hub_trouble(w->hub));
}

static const struct {
	const char *name;
	void (*act)(struct world *w, size_t peer);
	unsigned weight;
} acts[] = {
	{ "submit", do_submit, 20 }, { "answer", do_answer, 15 },
	{ "repeat", do_repeat, 5 },  { "pump", do_pump, 30 },
	{ "settle", do_settle, 25 }, { "come or go", do_come_or_go, 6 },
	{ "time", do_time, 6 },      { "commit", do_commit, 25 },
	{ "crash", do_crash, 3 },
};

static void step(struct world *w)
{
	unsigned total = 0;

	for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
		total += acts[i].weight;
	uint64_t pick = world_random(w, total);
	size_t peer = world_random(w, w->n_peers);
	for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
		if (pick >= acts[i].weight) {
			pick -= acts[i].weight;
			continue;
		}
		if (w->config->trace)
			fprintf(stderr, "%u %s %s\n", w->step, acts[i].name, w->peers[peer].name);
		acts[i].act(w, peer);
		break;
	}
	char what[RANDOM_TEXT_BYTES / 2];
	if (core_check(sim_hub_core(w->hub), what, sizeof what) != IEUM_E_OK)
		world_trouble(w, "%s", what);
	if (w->step % REPLAY_EVERY == 0 && !sim_hub_check(w->hub))
		world_trouble(w, "%s", sim_hub_trouble(w->hub));
}

static void take_everything(struct world *w)
{
	uint64_t before;

	do {
		before = w->result->deliveries;
		for (size_t i = 0; i < w->n_peers; i++) {
			struct peer *p = &w->peers[i];
			struct sim_settle all = { .done = p->unsettled, .n_done = p->n_unsettled };
			if (p->n_unsettled)
				sim_hub_settle(w->hub, p->connection, ++w->next_tag, &all);
			p->n_unsettled = 0;
			sim_hub_pump(w->hub, p->connection, WORLD_UNSETTLED_MAX);
		}
		sim_hub_commit(w->hub, SIM_COMMIT);
	} while (w->result->deliveries != before && !w->result->trouble[0]);
}

/* Promise 4: nobody says anything any more, and in the end every request has an answer, be it the
 * hub's, or somebody who took it on: core_check() finds none that waits without a clock, and no
 * clock is left. */
static void check_nothing_is_owed(struct world *w)
{
	char what[RANDOM_TEXT_BYTES / 2];

	for (int day = 0; day < WORLD_LAST_DAYS && !w->result->trouble[0]; day++) {
		take_everything(w);
		sim_hub_advance(w->hub, (int64_t)86400 * 1000000);
	}
	take_everything(w);
	if (core_next_due(sim_hub_core(w->hub)) != INT64_MAX)
		world_trouble(w, "something is still due %d days after the end", WORLD_LAST_DAYS);
	if (core_check(sim_hub_core(w->hub), what, sizeof what) != IEUM_E_OK)
		world_trouble(w, "at the end: %s", what);
}

/* At the end everybody comes, repeats what was acknowledged and takes what is queued. */
static void finish(struct world *w)
{
	sim_hub_commit(w->hub, SIM_COMMIT);
	for (size_t i = 0; i < w->n_peers; i++) {
		if (!w->peers[i].connection)
			w->peers[i].connection = sim_hub_connect(w->hub, w->peers[i].name);
	}
	for (size_t i = 0; i < w->n_sent; i++) {
		uint64_t receipts = w->result->receipts;
		if (!w->sent[i].receipted)
			continue;
		submit(w, (int)i);
		sim_hub_commit(w->hub, SIM_COMMIT);
		if (w->result->receipts != receipts + 1)
			world_trouble(w, "an acknowledged message is not known any more");
	}
	check_nothing_is_owed(w);
	world_check_journal(w);
	if (!sim_hub_check(w->hub))
		world_trouble(w, "%s", sim_hub_trouble(w->hub));
}

bool random_play(const struct random_config *config, uint64_t seed, struct random_result *result)
{
	struct world *w = calloc(1, sizeof *w);
	char why[RANDOM_TEXT_BYTES] = "";

	*result = (struct random_result){ 0 };
	if (!w)
		abort();
	w->config = config;
	w->result = result;
	w->random = seed;
	w->hub = sim_hub_new(config->hub_name, config->hub_text, config->hub_len,
			     (int64_t)START_US * 1000000, why, sizeof why);
	if (!w->hub) {
		world_trouble(w, "%s", why);
		free(w);
		return false;
	}
	sim_hub_listen(w->hub, on_output, w);
	w->n_peers = policy_participants(sim_hub_policy(w->hub));
	w->peers = calloc(w->n_peers, sizeof *w->peers);
	if (!w->peers)
		abort();
	for (size_t i = 0; i < w->n_peers; i++) {
		w->peers[i].name = policy_participant(sim_hub_policy(w->hub), (int)i)->name;
		if (world_random(w, 8))
			w->peers[i].connection = sim_hub_connect(w->hub, w->peers[i].name);
	}
	for (w->step = 1; w->step <= config->steps && !result->trouble[0]; w->step++)
		step(w);
	if (!result->trouble[0])
		finish(w);
	if (!result->trouble[0] && sim_hub_trouble(w->hub)[0])
		world_trouble(w, "%s", sim_hub_trouble(w->hub));
	for (size_t i = 0; i < w->n_sent; i++)
		free(w->sent[i].bytes);
	free(w->got);
	free(w->peers);
	sim_hub_free(w->hub);
	free(w);
	return !result->trouble[0];
}
