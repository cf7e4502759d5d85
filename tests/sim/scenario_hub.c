/* Scenarios on the simulated hub; see scenario_hub.h. */
#include "tests/sim/scenario_hub.h"

#include <stdlib.h>
#include <string.h>

#include "client/seal_message.h"
#include "proto/codec.h"
#include "proto/uuid7.h"
#include "tests/sim/sealing.h"

enum { KEY_REQUESTS_MAX = 64 };
enum { QUEUE_MAX = PLAY_DELIVERIES_MAX, CREDIT = 64, QUIET_ROUNDS_MAX = 1000, PLAY_ROWS = 200 };

struct client {
	const char *participant;
	uint64_t connection;
};

/* Keys that a client was asked for and hasn't answered yet. */
struct asked_key {
	const struct client *who;
	Ieum__V1__Referral *request;
};

struct scenario_hub {
	struct sim_hub *sim;
	struct play_hub play;
	struct client *clients;
	size_t n_clients;
	struct play_delivery queue[QUEUE_MAX]; /* taken, not yet given to the player */
	size_t n_queue, next;
	size_t n_new;                 /* deliveries of the last commit */
	struct play_receipt *receipt; /* of the submit under way */
	bool answered;
	struct sealing *sealing; /* NULL: nothing is sealed in this scenario */
	struct asked_key asked[KEY_REQUESTS_MAX];
	size_t n_asked;
	struct uuid7_source ids; /* of messages that clients send by themselves */
};

static struct client *client_of(struct scenario_hub *h, uint64_t connection)
{
	for (size_t i = 0; i < h->n_clients; i++) {
		if (h->clients[i].connection == connection)
			return &h->clients[i];
	}
	return NULL;
}

static void take_receipt(struct scenario_hub *h, const struct sim_output *o)
{
	h->answered = true;
	h->receipt->code = o->kind == SIM_REFUSAL ? o->code : IEUM_E_OK;
	snprintf(h->receipt->detail, sizeof h->receipt->detail, "%s: %s",
		 ieum_error((int)h->receipt->code)->name, o->detail);
	memcpy(h->receipt->case_id, o->case_id, PLAY_ID_BYTES);
	h->receipt->has_case = o->has_case;
}

/* The hub's own messages obey the rules that it holds others to, but for types that are its own. */
static void check_made_by_hub(const Ieum__V1__Referral *r)
{
	struct codec_problem problem;
	enum ieum_err err = codec_check_referral(r, &problem);

	if (err == IEUM_E_OK || err == IEUM_E_NOT_PERMITTED)
		return;
	fprintf(stderr, "the hub made a message that is wrong: %s\n", problem.detail);
	abort();
}

static void take_delivery(struct scenario_hub *h, const struct sim_output *o)
{
	const struct client *c = client_of(h, o->connection);
	Ieum__V1__Referral *r = ieum__v1__referral__unpack(NULL, o->payload_len, o->payload);

	h->n_new++;
	if (r && !*o->sender)
		check_made_by_hub(r);
	if (!c || !r || h->n_queue == QUEUE_MAX) {
		fprintf(stderr, "a delivery cannot be read\n");
		abort();
	}
	struct play_delivery *d = &h->queue[h->n_queue++];
	*d = (struct play_delivery){ .type = r->envelope->type,
				     .cause = o->cause,
				     .answer_by_at_ms = o->answer_by_at_ms };
	snprintf(d->participant, sizeof d->participant, "%s", c->participant);
	snprintf(d->mailbox, sizeof d->mailbox, "%s", o->mailbox);
	snprintf(d->sender, sizeof d->sender, "%s", o->sender);
	memcpy(d->message_id, o->message_id, PLAY_ID_BYTES);
	memcpy(d->case_id, o->case_id, PLAY_ID_BYTES);
	if (r->body_case == IEUM__V1__REFERRAL__BODY_HANDOVER &&
	    r->handover->change_id.len == PLAY_ID_BYTES) {
		memcpy(d->change_id, r->handover->change_id.data, PLAY_ID_BYTES);
		d->handed = (struct handover_row){ .open_referrals = r->handover->open_referrals,
						   .clocks = r->handover->clocks,
						   .holds = r->handover->holds };
	}
	if (r->body_case == IEUM__V1__REFERRAL__BODY_ANSWER) {
		d->answer = r->answer->kind;
		d->reason = r->answer->reason;
	}
	if (h->sealing && r->body_case == IEUM__V1__REFERRAL__BODY_KEY_REQUEST &&
	    h->n_asked < KEY_REQUESTS_MAX)
		h->asked[h->n_asked++] = (struct asked_key){ c, r };
	else
		ieum__v1__referral__free_unpacked(r, NULL);
	sim_hub_settle(h->sim, o->connection, 0,
		       &(struct sim_settle){ .done = &o->delivery_id, .n_done = 1 });
}

static void on_output(void *ctx, const struct sim_output *o)
{
	struct scenario_hub *h = ctx;

	switch (o->kind) {
	case SIM_RECEIPT:
	case SIM_REFUSAL:
		if (h->receipt)
			take_receipt(h, o);
		break;
	case SIM_DELIVERY: take_delivery(h, o); break;
	case SIM_SETTLED: break;
	}
}

/* As `ieum inbox` does by itself. */
static void answer_key(struct scenario_hub *h, const struct asked_key *asked)
{
	Ieum__V1__Referral *m = sealing_wrap(h->sealing, asked->who->participant, asked->request);
	uint8_t id[UUID_BYTES];
	struct play_receipt receipt = { .code = IEUM_E_OK };

	if (uuid7_next(&h->ids, (uint64_t)(sim_hub_now_us(h->sim) / 1000), id))
		abort();
	m->envelope->message_id = (ProtobufCBinaryData){ sizeof id, id };
	h->receipt = &receipt;
	h->answered = false;
	sim_hub_submit(h->sim, asked->who->connection, 1, m);
	sim_hub_commit(h->sim, SIM_COMMIT);
	h->receipt = NULL;
	if (!h->answered || receipt.code) {
		fprintf(stderr, "%s's key_wrap is refused: %s\n", asked->who->participant,
			receipt.detail);
		abort();
	}
	m->envelope->message_id = (ProtobufCBinaryData){ 0 };
	ieum__v1__referral__free_unpacked(m, NULL);
}

static bool answer_keys(struct scenario_hub *h)
{
	bool any = h->n_asked > 0;

	while (h->n_asked > 0) {
		struct asked_key asked = h->asked[--h->n_asked];

		answer_key(h, &asked);
		ieum__v1__referral__free_unpacked(asked.request, NULL);
	}
	return any;
}

/* Releases and settles until nothing moves any more. */
static bool settle_all(struct scenario_hub *h)
{
	for (int round = 0; round < QUIET_ROUNDS_MAX; round++) {
		h->n_new = 0;
		for (size_t i = 0; i < h->n_clients; i++)
			sim_hub_pump(h->sim, h->clients[i].connection, CREDIT);
		sim_hub_commit(h->sim, SIM_COMMIT);
		if (answer_keys(h))
			continue;
		if (h->n_new == 0)
			return sim_hub_check(h->sim) ||
			       (fprintf(stderr, "%s\n", sim_hub_trouble(h->sim)), false);
	}
	fprintf(stderr, "deliveries never end\n");
	return false;
}

static uint64_t connect_one(struct scenario_hub *h, const char *participant)
{
	const struct policy *policy = sim_hub_policy(h->sim);
	struct tls_certificate room;
	struct core_certificate with;

	if (!h->sealing)
		return sim_hub_connect(h->sim, participant);
	sealing_certificate(
		h->sealing, participant,
		policy_participant(policy, policy_find_participant(policy, participant))->kind,
		&room, &with);
	return sim_hub_connect_with(h->sim, participant, &with);
}

static bool connect_all(struct scenario_hub *h)
{
	for (size_t i = 0; i < h->n_clients; i++) {
		h->clients[i].connection = connect_one(h, h->clients[i].participant);
		if (!h->clients[i].connection) {
			fprintf(stderr, "%s cannot connect\n", h->clients[i].participant);
			return false;
		}
	}
	return sim_hub_commit(h->sim, SIM_COMMIT);
}

/* ---- what the player asks for ---- */

static uint64_t connection_of(struct scenario_hub *h, const char *who)
{
	for (size_t i = 0; i < h->n_clients; i++) {
		if (strcmp(h->clients[i].participant, who) == 0)
			return h->clients[i].connection;
	}
	fprintf(stderr, "the hub file has no participant '%s'\n", who);
	return 0;
}

static enum ieum_err ask(struct scenario_hub *h, const char *who, const Ieum__V1__Query *query,
			 struct arena *arena, const Ieum__V1__Result **result);

/* As libieum does it: sealed to whom the hub says.  What the hub would refuse is left to it. */
static void seal(struct scenario_hub *h, const char *who, Ieum__V1__Referral *m)
{
	Ieum__V1__ReachQuery reach = IEUM__V1__REACH_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	const Ieum__V1__Result *result = NULL;
	struct arena arena;

	arena_init(&arena, 16 << 20);
	reach.referral = m;
	query.what_case = IEUM__V1__QUERY__WHAT_REACH;
	query.reach = &reach;
	if (ask(h, who, &query, &arena, &result) == IEUM_E_OK)
		sealing_to(h->sealing, who, m, result->reach);
	arena_release(&arena);
}

static bool do_submit(void *ctx, const char *who, const Ieum__V1__Referral *referral,
		      struct play_receipt *receipt)
{
	struct scenario_hub *h = ctx;
	uint64_t connection = connection_of(h, who);

	if (!connection)
		return false;
	Ieum__V1__Referral *sealed = h->sealing ? sealing_close(h->sealing, who, referral) : NULL;
	if (sealed)
		seal(h, who, sealed);
	h->receipt = receipt;
	h->answered = false;
	sim_hub_submit(h->sim, connection, 1, sealed ? sealed : referral);
	sim_hub_advance(h->sim, 0);
	sim_hub_commit(h->sim, SIM_COMMIT);
	h->receipt = NULL;
	if (sealed)
		ieum__v1__referral__free_unpacked(sealed, NULL);
	return h->answered && settle_all(h);
}

static bool do_next_delivery(void *ctx, struct play_delivery *out, bool *got)
{
	struct scenario_hub *h = ctx;

	*got = h->next < h->n_queue;
	if (*got)
		*out = h->queue[h->next++];
	return true;
}

static bool do_advance(void *ctx, int64_t by_ms)
{
	struct scenario_hub *h = ctx;

	sim_hub_advance(h->sim, by_ms * 1000);
	return settle_all(h);
}

static bool do_crash(void *ctx)
{
	struct scenario_hub *h = ctx;

	sim_hub_commit(h->sim, SIM_LOSE_COMPLETION);
	return connect_all(h) && settle_all(h);
}

/* What a real client asks is on record: so it is here. */
static enum ieum_err ask(struct scenario_hub *h, const char *who, const Ieum__V1__Query *query,
			 struct arena *arena, const Ieum__V1__Result **result)
{
	enum ieum_err err = IEUM_E_OK;

	*result = sim_hub_query(h->sim, connection_of(h, who), query, arena, &err);
	return sim_hub_commit(h->sim, SIM_COMMIT) ? err : IEUM_E_INTERNAL;
}

static void take_clocks(const Ieum__V1__CaseResult *r, struct play_case *out)
{
	for (size_t i = 0; i < r->n_clocks && out->n_clocks < PLAY_CLOCKS_MAX; i++) {
		struct play_clock *k = &out->clocks[out->n_clocks++];
		snprintf(k->name, sizeof k->name, "%s", r->clocks[i]->name);
		k->state = r->clocks[i]->state;
		k->due_at_ms = r->clocks[i]->due_at_ms;
	}
}

static bool do_case_state(void *ctx, const char *who, const uint8_t *case_id, struct play_case *out)
{
	struct scenario_hub *h = ctx;
	Ieum__V1__CaseQuery what = IEUM__V1__CASE_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	const Ieum__V1__Result *result = NULL;
	struct arena arena;

	arena_init(&arena, 16 << 20);
	what.case_id = (ProtobufCBinaryData){ PLAY_ID_BYTES, (uint8_t *)case_id };
	query.what_case = IEUM__V1__QUERY__WHAT_CASE;
	query.case_ = &what;
	enum ieum_err err = ask(h, who, &query, &arena, &result);
	if (err == IEUM_E_OK) {
		out->state = result->case_->summary->state;
		snprintf(out->owner, sizeof out->owner, "%s", result->case_->summary->owner);
		out->consent_withdrawn = result->case_->consent_withdrawn;
		snprintf(out->grade, sizeof out->grade, "%s", result->case_->summary->grade);
		take_clocks(result->case_, out);
		for (; out->n_gates < result->case_->n_gates && out->n_gates < PLAY_GATES_MAX;
		     out->n_gates++)
			snprintf(out->gates[out->n_gates], sizeof out->gates[0], "%s",
				 result->case_->gates[out->n_gates]->name);
	}
	arena_release(&arena);
	return err == IEUM_E_OK;
}

static bool do_task_state(void *ctx, const char *who, const uint8_t *message_id, const char *inbox,
			  Ieum__V1__TaskState *state)
{
	struct scenario_hub *h = ctx;
	Ieum__V1__ReferralQuery what = IEUM__V1__REFERRAL_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	const Ieum__V1__Result *result = NULL;
	struct arena arena;
	bool found = false;

	arena_init(&arena, 16 << 20);
	what.message_id = (ProtobufCBinaryData){ PLAY_ID_BYTES, (uint8_t *)message_id };
	query.what_case = IEUM__V1__QUERY__WHAT_REFERRAL;
	query.referral = &what;
	enum ieum_err err = ask(h, who, &query, &arena, &result);
	for (size_t i = 0; err == IEUM_E_OK && !found && i < result->referral->n_tasks; i++) {
		found = !inbox || strcmp(result->referral->tasks[i]->asked, inbox) == 0 ||
			strcmp(result->referral->tasks[i]->asked_first, inbox) == 0;
		*state = result->referral->tasks[i]->state;
	}
	arena_release(&arena);
	return found;
}

/* It may have the message, and its key opens what is sealed in it. */
static bool do_opens(void *ctx, const char *who, const uint8_t *message_id, bool *opens)
{
	struct scenario_hub *h = ctx;
	Ieum__V1__ReferralQuery what = IEUM__V1__REFERRAL_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	const Ieum__V1__Result *result = NULL;
	struct core_key keys[CORE_KEYS_MAX];
	struct arena arena;

	*opens = false;
	if (!h->sealing)
		return true;
	arena_init(&arena, 16 << 20);
	what.message_id = (ProtobufCBinaryData){ PLAY_ID_BYTES, (uint8_t *)message_id };
	query.what_case = IEUM__V1__QUERY__WHAT_REFERRAL;
	query.referral = &what;
	if (ask(h, who, &query, &arena, &result) == IEUM_E_OK && !result->referral->withheld) {
		size_t n = core_keys(sim_hub_core(h->sim), connection_of(h, who), message_id, keys,
				     CORE_KEYS_MAX);
		*opens = sealing_opens(h->sealing, who, message_id, keys, n);
	}
	arena_release(&arena);
	return true;
}

static bool do_pool(void *ctx, const char *who, const char *pool, const uint8_t *entry,
		    struct play_pool *out)
{
	struct scenario_hub *h = ctx;
	Ieum__V1__PoolsQuery what = IEUM__V1__POOLS_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	const Ieum__V1__Result *result = NULL;
	struct arena arena;

	arena_init(&arena, 16 << 20);
	what.pool = (char *)pool;
	query.what_case = IEUM__V1__QUERY__WHAT_POOLS;
	query.pools = &what;
	query.page_rows = PLAY_ROWS;
	enum ieum_err err = ask(h, who, &query, &arena, &result);
	if (err == IEUM_E_OK) {
		const Ieum__V1__PoolView *v = result->pools->pools[0];
		*out = (struct play_pool){ v->held, v->taken, v->free, 0 };
		for (size_t i = 0; entry && i < v->n_entries; i++)
			if (memcmp(v->entries[i]->entry_id.data, entry, PLAY_ID_BYTES) == 0)
				out->position = v->entries[i]->position;
	}
	arena_release(&arena);
	return err == IEUM_E_OK;
}

static bool do_agenda(void *ctx, const char *who, const char *body, struct play_agenda *out,
		      size_t *n)
{
	struct scenario_hub *h = ctx;
	Ieum__V1__AgendaQuery what = IEUM__V1__AGENDA_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	const Ieum__V1__Result *result = NULL;
	struct arena arena;
	size_t room = *n;

	arena_init(&arena, 16 << 20);
	what.body = (char *)body;
	query.what_case = IEUM__V1__QUERY__WHAT_AGENDA;
	query.agenda = &what;
	enum ieum_err err = ask(h, who, &query, &arena, &result);
	for (*n = 0; err == IEUM_E_OK && *n < result->agenda->n_entries && *n < room; ++*n) {
		memcpy(out[*n].message_id, result->agenda->entries[*n]->message_id.data,
		       PLAY_ID_BYTES);
		out[*n].carried = result->agenda->entries[*n]->carried;
	}
	arena_release(&arena);
	return err == IEUM_E_OK;
}

/* Of what is only planned each page counts what it tells of; of what goes on each tells of all. */
static void add_page(const Ieum__V1__HandoverResult *r, struct play_handover *out)
{
	bool planned = r->step == IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_UNSPECIFIED ||
		       r->step == IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_ANNOUNCED;

	if (!planned)
		*out = (struct play_handover){ .cases = 0 };
	out->step = r->step;
	out->cases += r->manifest->cases;
	out->not_accepted += r->not_accepted;
	out->errors += r->errors;
}

static bool do_handover(void *ctx, const char *who, const struct play_handover_query *of,
			struct play_handover *out)
{
	struct scenario_hub *h = ctx;
	Ieum__V1__HandoverQuery what = IEUM__V1__HANDOVER_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	const Ieum__V1__Result *result = NULL;
	struct arena arena;

	arena_init(&arena, 16 << 20);
	if (of->change_id)
		what.change_id = (ProtobufCBinaryData){ PLAY_ID_BYTES, (uint8_t *)of->change_id };
	if (of->from)
		what.from = (char *)of->from;
	if (of->to)
		what.to = (char *)of->to;
	if (of->jurisdiction)
		what.jurisdiction = (char *)of->jurisdiction;
	query.what_case = IEUM__V1__QUERY__WHAT_HANDOVER;
	query.handover = &what;
	*out = (struct play_handover){ .cases = 0 };
	enum ieum_err err;
	do {
		err = ask(h, who, &query, &arena, &result);
		if (err != IEUM_E_OK)
			break;
		add_page(result->handover, out);
		query.cursor = result->next_cursor;
	} while (query.cursor.len > 0);
	arena_release(&arena);
	return err == IEUM_E_OK;
}

static int64_t do_now_ms(void *ctx)
{
	const struct scenario_hub *h = ctx;

	return sim_hub_now_us(h->sim) / 1000;
}

/* ---- making one ---- */

struct scenario_hub *scenario_hub_new(const struct scenario *s, char *why, size_t why_bytes)
{
	size_t len = 0;
	char *text = sim_hub_file(s->hub_file, &len);
	struct scenario_hub *h = NULL;

	if (text)
		h = scenario_hub_of_text(s, text, len, why, why_bytes);
	else
		snprintf(why, why_bytes, "%s cannot be read", s->hub_file);
	free(text);
	return h;
}

struct scenario_hub *scenario_hub_of_text(const struct scenario *s, const char *text, size_t len,
					  char *why, size_t why_bytes)
{
	struct scenario_hub *h = calloc(1, sizeof *h);

	if (!h)
		abort();
	h->sim = sim_hub_new(s->hub_file, text, len, s->starts_us, why, why_bytes);
	if (!h->sim) {
		free(h);
		return NULL;
	}
	sim_hub_listen(h->sim, on_output, h);
	if (sealing_wanted(s))
		h->sealing = sealing_new(policy_hub(sim_hub_policy(h->sim)));
	h->n_clients = policy_participants(sim_hub_policy(h->sim));
	h->clients = calloc(h->n_clients, sizeof *h->clients);
	if (!h->clients)
		abort();
	for (size_t i = 0; i < h->n_clients; i++)
		h->clients[i].participant =
			policy_participant(sim_hub_policy(h->sim), (int)i)->name;
	h->play = (struct play_hub){ h,          do_submit, do_next_delivery, do_next_delivery,
				     do_advance, do_crash,  do_case_state,    do_task_state,
				     do_now_ms,  do_pool,   do_agenda,        do_handover,
				     do_opens };
	if (!connect_all(h)) {
		snprintf(why, why_bytes, "not everybody can connect");
		scenario_hub_free(h);
		return NULL;
	}
	return h;
}

void scenario_hub_free(struct scenario_hub *h)
{
	if (!h)
		return;
	sim_hub_free(h->sim);
	while (h->n_asked > 0)
		ieum__v1__referral__free_unpacked(h->asked[--h->n_asked].request, NULL);
	sealing_free(h->sealing);
	free(h->clients);
	free(h);
}

const struct play_hub *scenario_hub_play(struct scenario_hub *h)
{
	return &h->play;
}

struct sim_hub *scenario_hub_sim(struct scenario_hub *h)
{
	return h->sim;
}
