/* The random play; see random.h. */
#include "tests/sim/random.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/city.h"
#include "tests/sim/random_internal.h"

enum {
	START_US = 1772413200,
	CREDIT = 8,
	REPLAY_EVERY = 16,
	DAYS_MAX = 20,
	CITY_DAYS_MAX = 200,
	COUNCIL_ONE_IN = 6
};

static bool is_city(const struct world *w)
{
	return w->config->hub_text == NULL;
}

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

	p->asked[at] =
		(struct asked_of){ .has_case = o->has_case, .due_at_ms = o->answer_by_at_ms };
	memcpy(p->asked[at].id, o->message_id, CORE_ID_BYTES);
	memcpy(p->asked[at].case_id, o->case_id, CORE_ID_BYTES);
	if (r && r->envelope)
		p->asked[at].type = r->envelope->type;
	if (p->asked[at].type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_PLACE_OFFER)
		w->offers[w->n_offers++ % WORLD_OFFERS_MAX] = p->asked[at];
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
	world_read_ledger(w);
	if (!ledger_disclosed(w->ledger, o->delivery_id, o->connection))
		world_trouble(w, "%s got a delivery, and nothing is on record of it", p->name);
	check_recipient(w, p, o);
	city_check_watcher(w, p, o);
	city_keep_list(p, o);
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
		w->last_refused = o->code;
		if (w->config->trace)
			fprintf(stderr, "%u refused %s: %s\n", w->step,
				ieum_error((int)o->code)->name, o->detail);
		break;
	}
}

/* ---- what may happen ---- */

void world_submit(struct world *w, int index)
{
	if (index < 0)
		return;
	struct sent *s = &w->sent[index];
	struct peer *p = &w->peers[s->peer];
	Ieum__V1__Referral *r = ieum__v1__referral__unpack(NULL, s->len, s->bytes);

	if (!r)
		abort();
	/* Whoever has something to say comes back for it. */
	if (!p->connection && is_city(w) && p->who != POLICY_NONE &&
	    sim_hub_now_us(w->hub) >= p->away_until_us)
		p->connection = sim_hub_connect(w->hub, p->name);
	if (p->connection) {
		uint64_t before = core_last_seq(sim_hub_core(w->hub));
		w->result->submits++;
		sim_hub_submit(w->hub, p->connection, ++w->next_tag, r);
		if (s->receipted && core_last_seq(sim_hub_core(w->hub)) != before)
			world_trouble(w, "a repeat has changed something");
	}
	ieum__v1__referral__free_unpacked(r, NULL);
}

static void do_submit(struct world *w, size_t peer)
{
	if (world_random(w, COUNCIL_ONE_IN) == 0) {
		world_submit(w, world_make_council(w, peer));
		return;
	}
	if (is_city(w)) {
		world_submit(w, world_make_any(w, peer));
		return;
	}
	int index = world_make_message(w, peer);

	/* Many agencies have nothing to say of their own accord: somebody else then. */
	for (int tries = 0; index < 0 && tries < 16; tries++)
		index = world_make_message(w, world_random(w, w->n_peers));
	world_submit(w, index);
}

static void do_answer(struct world *w, size_t peer)
{
	if (is_city(w))
		city_answer(w, peer);
	else
		world_submit(w, world_make_answer(w, peer));
}

static void do_repeat(struct world *w, size_t peer)
{
	(void)peer;
	if (w->n_sent == 0)
		return;
	w->result->repeats++;
	world_submit(w, (int)world_random(w, w->n_sent));
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

void world_lose_connection(struct peer *p)
{
	for (size_t i = 0; i < p->n_unsettled && p->n_held < WORLD_HELD_MAX; i++)
		p->held[p->n_held++] = p->unsettled[i];
	p->n_unsettled = 0;
	p->connection = 0;
}

void world_lose_connections(struct world *w)
{
	for (size_t i = 0; i < w->n_peers; i++)
		world_lose_connection(&w->peers[i]);
}

static void do_come_or_go(struct world *w, size_t peer)
{
	struct peer *p = &w->peers[peer];

	if (!p->connection && sim_hub_now_us(w->hub) < p->away_until_us)
		return;
	if (!p->connection) {
		p->connection = sim_hub_connect(w->hub, p->name);
		return;
	}
	/* What is still on its way to a client that goes away is lost to it. */
	if (!sim_hub_commit(w->hub, SIM_COMMIT))
		return;
	sim_hub_disconnect(w->hub, p->connection);
	world_lose_connection(p);
	if (p->character == CHARACTER_VANISHES)
		p->away_until_us =
			sim_hub_now_us(w->hub) + (int64_t)world_random(w, 6 * 86400) * 1000000;
}

void world_read_ledger(struct world *w)
{
	if (!ledger_read(w->ledger, sim_hub_journal(w->hub)) ||
	    (sim_hub_committed(w->hub) && !ledger_check_mailboxes(w->ledger, sim_hub_core(w->hub))))
		world_trouble(w, "%s", ledger_trouble(w->ledger));
}

/* Time passes; whatever ended meanwhile, something came of it. */
static void pass_time(struct world *w, int64_t by_us)
{
	sim_hub_advance(w->hub, by_us);
	if (!sim_hub_commit(w->hub, SIM_COMMIT))
		return;
	world_read_ledger(w);
	if (!ledger_check_time(w->ledger, sim_hub_now_us(w->hub) / 1000))
		world_trouble(w, "%s", ledger_trouble(w->ledger));
}

static void do_time(struct world *w, size_t peer)
{
	static const int64_t spans_s[] = { 1,     1,     10,    70,        600,       3600,
					   14400, 86400, 86400, 3 * 86400, 31 * 86400 };
	int64_t span_us = spans_s[world_random(w, is_city(w) ? 11 : 8)] * 1000000;
	int64_t days_max = is_city(w) ? CITY_DAYS_MAX : DAYS_MAX;

	(void)peer;
	if (span_us > (int64_t)3 * 86400 * 1000000 && world_random(w, 4))
		span_us = 3600000000;
	if (sim_hub_now_us(w->hub) + span_us < (START_US + days_max * 86400) * 1000000)
		pass_time(w, span_us);
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
	world_lose_connections(w);
	if (!sim_hub_check(w->hub))
		world_trouble(w, "after a crash: %s", sim_hub_trouble(w->hub));
}

static const struct {
	const char *name;
	void (*act)(struct world *w, size_t peer);
	unsigned weight;
} acts[] = {
	{ "submit", do_submit, 20 },
	{ "answer", do_answer, 15 },
	{ "repeat", do_repeat, 5 },
	{ "pump", do_pump, 30 },
	{ "settle", do_settle, 25 },
	{ "come or go", do_come_or_go, 6 },
	{ "time", do_time, 6 },
	{ "commit", do_commit, 25 },
	{ "crash", do_crash, 3 },
	/* From here on in cities only. */
	{ "restart", city_restart, 1 },
	{ "reload", city_reload, 1 },
	{ "query", city_query, 6 },
};

enum { ACTS = sizeof acts / sizeof acts[0], CITY_ACTS = 3 };

static void step(struct world *w)
{
	unsigned total = 0;

	size_t n = is_city(w) ? ACTS : ACTS - CITY_ACTS;

	for (size_t i = 0; i < n; i++)
		total += acts[i].weight;
	uint64_t pick = world_random(w, total);
	size_t peer = world_random(w, w->n_peers);
	while (w->peers[peer].who == POLICY_NONE)
		peer = (peer + 1) % w->n_peers;
	for (size_t i = 0; i < n; i++) {
		if (pick >= acts[i].weight) {
			pick -= acts[i].weight;
			continue;
		}
		if (w->config->trace)
			fprintf(stderr, "%u %s %s\n", w->step, acts[i].name, w->peers[peer].name);
		acts[i].act(w, peer);
		break;
	}
	world_read_ledger(w);
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
			if (!p->connection)
				continue;
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
 * hub's, or somebody who took it on: core_check() finds none that waits without a clock, and the
 * ledger none whose clock still runs, but for those that are asked again until somebody answers and
 * for what a schedule has asked since. */
static void check_nothing_is_owed(struct world *w)
{
	uint64_t last = core_last_seq(sim_hub_core(w->hub));
	char what[RANDOM_TEXT_BYTES / 2];

	for (int day = 0; day < WORLD_LAST_DAYS && !w->result->trouble[0]; day += 2) {
		take_everything(w);
		pass_time(w, (int64_t)2 * 86400 * 1000000);
	}
	for (int day = WORLD_LAST_DAYS; day < WORLD_ACTION_DAYS && !w->result->trouble[0];
	     day += 30) {
		world_read_ledger(w);
		if (ledger_owed(w->ledger, last) == 0)
			break;
		take_everything(w);
		pass_time(w, (int64_t)30 * 86400 * 1000000);
	}
	take_everything(w);
	if (ledger_owed(w->ledger, last))
		world_trouble(w, "%zu answers are still owed %d days after the end",
			      ledger_owed(w->ledger, last), WORLD_LAST_DAYS);
	if (core_check(sim_hub_core(w->hub), what, sizeof what) != IEUM_E_OK)
		world_trouble(w, "at the end: %s", what);
}

/* At the end everybody comes, repeats what was acknowledged and takes what is queued. */
static void finish(struct world *w)
{
	sim_hub_commit(w->hub, SIM_COMMIT);
	for (size_t i = 0; i < w->n_peers; i++) {
		if (!w->peers[i].connection && w->peers[i].who != POLICY_NONE)
			w->peers[i].connection = sim_hub_connect(w->hub, w->peers[i].name);
	}
	for (size_t i = 0; i < w->n_sent; i++) {
		uint64_t receipts = w->result->receipts;
		if (!w->sent[i].receipted || !w->peers[w->sent[i].peer].connection)
			continue;
		w->last_refused = IEUM_E_OK;
		world_submit(w, (int)i);
		sim_hub_commit(w->hub, SIM_COMMIT);
		/* Only a city's play is long enough for an id to be too old. */
		if (is_city(w) && w->last_refused == IEUM_E_TOO_OLD)
			continue;
		if (w->result->receipts != receipts + 1)
			world_trouble(w, "an acknowledged message is not known any more");
	}
	check_nothing_is_owed(w);
	world_check_journal(w);
	if (!sim_hub_check(w->hub))
		world_trouble(w, "%s", sim_hub_trouble(w->hub));
}

/* In its own city, or on the file that was given. */
static bool open_hub(struct world *w)
{
	const struct random_config *config = w->config;
	char why[RANDOM_TEXT_BYTES / 2] = "";
	size_t len = config->hub_len;
	char *city = is_city(w) ? city_hub_file(w->seed, 0, &len) : NULL;

	w->hub = sim_hub_new(config->hub_name, city ? city : config->hub_text, len,
			     (int64_t)START_US * 1000000, why, sizeof why);
	free(city);
	if (!w->hub)
		world_trouble(w, "the hub file has a mistake: %s", why);
	else
		sim_hub_listen(w->hub, on_output, w);
	return w->hub != NULL;
}

static void gather_peers(struct world *w)
{
	w->n_peers = policy_participants(sim_hub_policy(w->hub));
	w->peers = calloc(w->n_peers, sizeof *w->peers);
	if (!w->peers)
		abort();
	for (size_t i = 0; i < w->n_peers; i++) {
		struct peer *p = &w->peers[i];
		p->who = (int)i;
		snprintf(p->name, sizeof p->name, "%s",
			 policy_participant(sim_hub_policy(w->hub), (int)i)->name);
		if (is_city(w))
			p->character = (enum character)world_random(w, CHARACTERS);
		if (world_random(w, 8))
			p->connection = sim_hub_connect(w->hub, p->name);
	}
}

static void world_free(struct world *w)
{
	for (size_t i = 0; i < w->n_sent; i++)
		free(w->sent[i].bytes);
	free(w->got);
	free(w->peers);
	ledger_free(w->ledger);
	sim_hub_free(w->hub);
	free(w);
}

bool random_play(const struct random_config *config, uint64_t seed, struct random_result *result)
{
	struct world *w = calloc(1, sizeof *w);

	*result = (struct random_result){ 0 };
	if (!w)
		abort();
	w->config = config;
	w->result = result;
	w->random = w->seed = seed;
	w->ledger = ledger_new();
	if (open_hub(w)) {
		gather_peers(w);
		for (w->step = 1; w->step <= config->steps && !result->trouble[0]; w->step++)
			step(w);
		if (!result->trouble[0])
			finish(w);
		if (!result->trouble[0] && sim_hub_trouble(w->hub)[0])
			world_trouble(w, "%s", sim_hub_trouble(w->hub));
	}
	result->steps = w->step - 1;
	world_free(w);
	return !result->trouble[0];
}
