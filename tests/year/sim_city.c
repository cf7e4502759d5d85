/* The simulated hub of a city's year: core, policy and memory journal in this process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sim/hub.h"
#include "tests/year/city.h"

enum { BATCH_MAX = 1024, RELEASE_MAX = 256, QUERY_ARENA_BYTES = 8 << 20 };

struct agency {
	const char *name;
	uint64_t connection;
	uint64_t settle[RELEASE_MAX];
	size_t n_settle;
};

/* Submitted since the last commit, in case it is lost. */
struct pending {
	size_t agency;
	uint8_t *bytes;
	size_t len;
	uint8_t id[CITY_ID_BYTES];
};

struct sim_city {
	struct city_hub hub;
	struct city_events events;
	struct sim_hub *sim;
	struct agency *agencies;
	size_t n_agencies;
	struct pending pending[BATCH_MAX];
	size_t n_pending;
	bool heard;
	struct arena arena; /* of the last query's result */
};

static bool fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	return false;
}

static void on_delivery(struct sim_city *c, const struct sim_output *out)
{
	Ieum__V1__Referral *r = ieum__v1__referral__unpack(NULL, out->payload_len, out->payload);

	if (!r)
		abort();
	c->events.delivery(c->events.ctx, out->mailbox, out->delivery_id, r);
	ieum__v1__referral__free_unpacked(r, NULL);
	for (size_t i = 0; i < c->n_agencies; i++) {
		struct agency *a = &c->agencies[i];
		if (a->connection == out->connection && a->n_settle < RELEASE_MAX)
			a->settle[a->n_settle++] = out->delivery_id;
	}
}

static void on_output(void *ctx, const struct sim_output *out)
{
	struct sim_city *c = ctx;

	c->heard = true;
	if (out->kind == SIM_DELIVERY)
		on_delivery(c, out);
	else if (out->kind == SIM_RECEIPT || out->kind == SIM_REFUSAL)
		c->events.receipt(c->events.ctx, c->pending[out->tag].id,
				  out->kind == SIM_REFUSAL ? out->code : IEUM_E_OK, out->detail);
}

static bool connect_all(struct sim_city *c)
{
	for (size_t i = 0; i < c->n_agencies; i++) {
		c->agencies[i].n_settle = 0;
		c->agencies[i].connection = sim_hub_connect(c->sim, c->agencies[i].name);
		if (!c->agencies[i].connection)
			return fail(c->agencies[i].name, "cannot connect");
	}
	return sim_hub_commit(c->sim, SIM_COMMIT);
}

static bool commit(struct sim_city *c, enum sim_fault fault)
{
	size_t n = c->n_pending;
	struct pending done[BATCH_MAX];

	memcpy(done, c->pending, n * sizeof *done);
	bool ok = sim_hub_commit(c->sim, fault) == (fault == SIM_COMMIT);
	/* The receipts may have led to new submits behind the old ones. */
	memmove(c->pending, c->pending + n, (c->n_pending - n) * sizeof *c->pending);
	c->n_pending -= n;
	for (size_t i = 0; i < n; i++)
		free(done[i].bytes);
	return ok && !*sim_hub_trouble(c->sim) ? true : fail("commit", sim_hub_trouble(c->sim));
}

static void put(struct sim_city *c, size_t tag)
{
	struct pending *p = &c->pending[tag];
	Ieum__V1__Referral *r = ieum__v1__referral__unpack(NULL, p->len, p->bytes);

	if (!r)
		abort();
	sim_hub_submit(c->sim, c->agencies[p->agency].connection, tag, r);
	ieum__v1__referral__free_unpacked(r, NULL);
}

/* Queued only: what leaves a callback goes to the hub in run(). */
static bool do_submit(void *ctx, const char *who, const Ieum__V1__Referral *referral)
{
	struct sim_city *c = ctx;
	struct pending *p = &c->pending[c->n_pending];
	size_t i = 0;

	if (c->n_pending == BATCH_MAX)
		return fail(who, "more at once than this program sends");
	while (i < c->n_agencies && strcmp(c->agencies[i].name, who) != 0)
		i++;
	if (i == c->n_agencies)
		return fail(who, "is not in the hub file");
	p->agency = i;
	p->len = ieum__v1__referral__get_packed_size(referral);
	p->bytes = malloc(p->len);
	if (!p->bytes)
		abort();
	ieum__v1__referral__pack(referral, p->bytes);
	memcpy(p->id, referral->envelope->message_id.data, CITY_ID_BYTES);
	c->n_pending++;
	return true;
}

static void settle_all(struct sim_city *c)
{
	for (size_t i = 0; i < c->n_agencies; i++) {
		struct agency *a = &c->agencies[i];
		const struct sim_settle settle = { .done = a->settle, .n_done = a->n_settle };

		if (a->n_settle > 0)
			sim_hub_settle(c->sim, a->connection, 0, &settle);
		a->n_settle = 0;
		sim_hub_pump(c->sim, a->connection, RELEASE_MAX);
	}
}

static bool do_run(void *ctx, bool quiet)
{
	struct sim_city *c = ctx;

	do {
		c->heard = false;
		for (size_t i = 0; i < c->n_pending; i++)
			put(c, i);
		/* What is due at once: offers of places that got free. */
		sim_hub_advance(c->sim, 0);
		settle_all(c);
		if (!commit(c, SIM_COMMIT))
			return false;
	} while (quiet && (c->heard || c->n_pending > 0));
	return true;
}

static bool do_advance(void *ctx, int64_t by_ms)
{
	struct sim_city *c = ctx;

	sim_hub_advance(c->sim, by_ms * 1000);
	return do_run(c, true);
}

static bool do_query(void *ctx, const char *who, const Ieum__V1__Query *query,
		     const Ieum__V1__Result **result)
{
	struct sim_city *c = ctx;
	struct core_view view = { .query = query,
				  .now = sim_hub_now_us(c->sim),
				  .arena = &c->arena };

	arena_reset(&c->arena);
	for (size_t i = 0; i < c->n_agencies; i++)
		if (strcmp(c->agencies[i].name, who) == 0)
			view.connection = c->agencies[i].connection;
	enum ieum_err err = core_view(sim_hub_core(c->sim), sim_hub_policy(c->sim), &view);

	*result = view.result;
	return err == IEUM_E_OK || fail(who, view.detail);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Power is cut in the middle of a write; what was in the batch is sent again. */
static bool do_kill(void *ctx, double *restart_ms)
{
	struct sim_city *c = ctx;
	struct pending lost[BATCH_MAX];
	size_t n = c->n_pending;
	double start = seconds();

	memcpy(lost, c->pending, n * sizeof *lost);
	for (size_t i = 0; i < n; i++)
		put(c, i);
	c->n_pending = 0;
	settle_all(c);
	(void)sim_hub_commit(c->sim, SIM_TEAR_BATCH);
	*restart_ms = (seconds() - start) * 1e3;
	memcpy(c->pending, lost, n * sizeof *lost);
	c->n_pending = n;
	return connect_all(c);
}

static int64_t do_now_ms(void *ctx)
{
	const struct sim_city *c = ctx;

	return sim_hub_now_us(c->sim) / 1000;
}

static uint64_t do_memory(void *ctx)
{
	(void)ctx;
	return 0;
}

static bool do_reconcile(void *ctx, struct city_mailbox **rows, size_t *n, uint64_t *messages)
{
	struct sim_city *c = ctx;
	const struct core *core = sim_hub_core(c->sim);
	size_t max = policy_mailboxes(sim_hub_policy(c->sim));

	*rows = calloc(max + 1, sizeof **rows);
	*n = 0;
	*messages = 0;
	if (!*rows)
		abort();
	for (uint32_t number = 1; core_mailbox_name(core, number); number++) {
		struct core_mailbox_counts counts;
		struct city_mailbox *row = &(*rows)[*n];

		if (!core_mailbox_counts(core, number, &counts) || counts.routed == 0)
			continue;
		snprintf(row->name, sizeof row->name, "%s", core_mailbox_name(core, number));
		row->routed = counts.routed;
		row->settled = counts.settled;
		row->other = counts.routed - counts.settled;
		++*n;
	}
	return sim_hub_check(c->sim) ? true : fail("the hub", sim_hub_trouble(c->sim));
}

static void do_end(void *ctx)
{
	struct sim_city *c = ctx;

	for (size_t i = 0; i < c->n_pending; i++)
		free(c->pending[i].bytes);
	arena_release(&c->arena);
	sim_hub_free(c->sim);
	free(c->agencies);
	free(c);
}

struct city_hub *sim_city_new(const char *hub_file, const struct city_events *events)
{
	struct sim_city *c = calloc(1, sizeof *c);
	char why[SIM_TEXT_BYTES] = "cannot be read";
	size_t len = 0;
	char *text = sim_hub_file(hub_file, &len);

	if (!c)
		abort();
	c->events = *events;
	arena_init(&c->arena, QUERY_ARENA_BYTES);
	c->hub = (struct city_hub){ c,          "simulated",  do_submit, do_run,
				    do_advance, do_query,     do_kill,   do_now_ms,
				    do_memory,  do_reconcile, do_end };
	if (text)
		c->sim = sim_hub_new(hub_file, text, len, CITY_STARTS_US, why, sizeof why);
	free(text);
	if (!c->sim) {
		fail(hub_file, why);
		free(c);
		return NULL;
	}
	sim_hub_listen(c->sim, on_output, c);
	c->n_agencies = policy_participants(sim_hub_policy(c->sim));
	c->agencies = calloc(c->n_agencies, sizeof *c->agencies);
	if (!c->agencies)
		abort();
	for (size_t i = 0; i < c->n_agencies; i++)
		c->agencies[i].name = policy_participant(sim_hub_policy(c->sim), (int)i)->name;
	if (!connect_all(c)) {
		do_end(c);
		return NULL;
	}
	return &c->hub;
}
