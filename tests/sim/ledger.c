/* The ledger of a play; see ledger.h. */
#include "tests/sim/ledger.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "ieum/v1/event.pb-c.h"
#include "proto/error.h"

enum { ID_BYTES = 16, TASKS_MAX = 16, ROUTE_BITS = 8 };

#define STATE(word) IEUM__V1__TASK_STATE__TASK_STATE_##word

struct numbers {
	uint32_t *at;
	size_t n;
};

struct ledger_task {
	int64_t due_at_ms;
	Ieum__V1__TaskState state;
	Ieum__V1__StopsAt stops_at;
	bool repeats;          /* its last step asks again and again */
	uint32_t rejected_by;  /* mailbox, the last … */
	uint64_t rejected_seq; /* … and when */
};

struct ledger_message {
	UT_hash_handle hh;
	uint8_t id[ID_BYTES];
	uint64_t seq;
	struct ledger_case *in;
	struct ledger_task tasks[TASKS_MAX];
	size_t n_tasks;
	struct ledger_hold *holds;
};

/* Places held for a message, in one pool. */
struct ledger_hold {
	struct ledger_hold *next;
	uint64_t seq; /* of the event that held them last */
	uint32_t pool, keeper;
	bool held;
};

struct ledger_clock {
	UT_hash_handle hh;
	uint64_t id;
	struct ledger_case *in;
	int64_t due_at_ms;
	bool runs, outlives_closing;
};

struct ledger_case {
	UT_hash_handle hh;
	uint8_t id[ID_BYTES];
	uint32_t owner;          /* mailbox */
	struct numbers owners;   /* all that there were */
	struct numbers members;  /* mailboxes that sent or got something */
	struct numbers ended;    /* of them: whose access is over */
	struct numbers excluded; /* participants */
};

struct ledger_delivery {
	UT_hash_handle hh;
	uint64_t id;
	uint32_t mailbox;
	struct ledger_case *in;
};

struct ledger_connection {
	UT_hash_handle hh;
	uint64_t number;
	uint32_t participant;
};

struct ledger {
	uint64_t seq; /* read so far */
	struct ledger_message *messages;
	struct ledger_case *cases;
	struct ledger_delivery *deliveries;
	struct ledger_connection *connections;
	struct ledger_clock *clocks;
	char trouble[LEDGER_TEXT_BYTES];
};

static void trouble(struct ledger *l, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void trouble(struct ledger *l, const char *format, ...)
{
	va_list args;

	if (l->trouble[0])
		return;
	int n = snprintf(l->trouble, sizeof l->trouble, "event %llu: ", (unsigned long long)l->seq);
	va_start(args, format);
	vsnprintf(l->trouble + n, sizeof l->trouble - (size_t)n, format, args);
	va_end(args);
}

const char *ledger_trouble(const struct ledger *l)
{
	return l->trouble;
}

static void *cleared(size_t bytes)
{
	void *p = calloc(1, bytes);

	if (!p)
		abort();
	return p;
}

/* ---- sets of numbers ---- */

static bool has(const struct numbers *set, uint32_t number)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->at[i] == number)
			return true;
	return false;
}

static void put(struct numbers *set, uint32_t number)
{
	if (number == 0 || has(set, number))
		return;
	set->at = realloc(set->at, (set->n + 1) * sizeof *set->at);
	if (!set->at)
		abort();
	set->at[set->n++] = number;
}

static void take_out(struct numbers *set, uint32_t number)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->at[i] == number)
			set->at[i] = set->at[--set->n];
}

/* ---- looking up ---- */

static struct ledger_message *message_of(struct ledger *l, const ProtobufCBinaryData *id)
{
	struct ledger_message *m = NULL;

	if (id->len == ID_BYTES)
		HASH_FIND(hh, l->messages, id->data, ID_BYTES, m);
	return m;
}

static struct ledger_case *case_of(const struct ledger *l, const uint8_t *id)
{
	struct ledger_case *c = NULL;

	HASH_FIND(hh, l->cases, id, ID_BYTES, c);
	return c;
}

static struct ledger_case *known_case(struct ledger *l, const ProtobufCBinaryData *id)
{
	struct ledger_case *c = id->len == ID_BYTES ? case_of(l, id->data) : NULL;

	if (!c)
		trouble(l, "it names a case that was never opened");
	return c;
}

static struct ledger_task *task_of(struct ledger *l, const ProtobufCBinaryData *id, uint32_t index)
{
	struct ledger_message *m = message_of(l, id);

	if (m && index < m->n_tasks)
		return &m->tasks[index];
	trouble(l, "it names a request that nobody made");
	return NULL;
}

/* ---- where things go ---- */

static void add_routes(struct ledger *l, struct ledger_case *in, uint64_t seq,
		       Ieum__V1__Route *const *routes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct ledger_delivery *d = cleared(sizeof *d);
		d->id = seq << ROUTE_BITS | i;
		d->mailbox = routes[i]->mailbox;
		d->in = in;
		HASH_ADD(hh, l->deliveries, id, sizeof d->id, d);
		if (in)
			put(&in->members, d->mailbox);
	}
}

static void on_released(struct ledger *l, const Ieum__V1__DeliveriesReleased *e)
{
	struct ledger_connection *to = NULL;

	HASH_FIND(hh, l->connections, &e->connection, sizeof e->connection, to);
	if (!to)
		trouble(l, "something is released to a connection that there is not");
	for (size_t i = 0; to && i < e->n_deliveries; i++) {
		struct ledger_delivery *d = NULL;
		HASH_FIND(hh, l->deliveries, &e->deliveries[i], sizeof e->deliveries[i], d);
		if (!d)
			trouble(l, "a delivery is released that was never routed");
		else if (d->in && has(&d->in->excluded, to->participant))
			trouble(l, "participant %u gets something of a case it is excluded from",
				to->participant);
		else if (d->in && has(&d->in->ended, d->mailbox))
			trouble(l, "mailbox %u gets something of a case that it has handed over",
				d->mailbox);
	}
}

/* ---- requests ---- */

static bool is_open(const struct ledger_task *t)
{
	switch (t->state) {
	case STATE(REJECTED):
	case STATE(COMPLETED):
	case STATE(FAILED):
	case STATE(CANCELLED):
	case STATE(ENTERED_IN_ERROR): return false;
	default: return true;
	}
}

static void add_tasks(struct ledger *l, struct ledger_message *m, const Ieum__V1__Submitted *e)
{
	if (e->n_tasks > TASKS_MAX)
		trouble(l, "%zu requests of one message", e->n_tasks);
	for (size_t i = 0; i < e->n_tasks && i < TASKS_MAX; i++) {
		const Ieum__V1__Task *from = e->tasks[i];
		m->tasks[m->n_tasks++] = (struct ledger_task){
			.due_at_ms = from->due_at_ms,
			.state = STATE(REQUESTED),
			.stops_at = from->stops_at,
			.repeats = from->n_ladder && from->ladder[from->n_ladder - 1]->repeats,
		};
		if (from->n_asked == 0)
			trouble(l, "a request is asked of nobody");
	}
}

static void on_changed(struct ledger *l, const Ieum__V1__TaskChanged *e)
{
	struct ledger_task *t = task_of(l, &e->message_id, e->task);

	if (!t)
		return;
	/* What has ended can only turn out to have been an error. */
	if (!is_open(t) && e->state != STATE(ENTERED_IN_ERROR))
		trouble(l, "a request is answered that is over: state %d, answer %d, then %d",
			(int)t->state, (int)e->answer, (int)e->state);
	t->state = e->state;
	if (e->due_at_ms >= 0)
		t->due_at_ms = e->due_at_ms;
	if (e->rejected || e->answer == IEUM__V1__ANSWER_KIND__ANSWER_KIND_REJECT) {
		t->rejected_by = e->by;
		t->rejected_seq = l->seq;
	}
	if (!is_open(t))
		t->due_at_ms = 0;
}

static void on_escalated(struct ledger *l, const Ieum__V1__Escalated *e)
{
	struct ledger_task *t = task_of(l, &e->message_id, e->task);

	if (!t)
		return;
	if (!is_open(t) && e->cause == IEUM__V1__ESCALATION_CAUSE__ESCALATION_CAUSE_SILENCE)
		trouble(l, "the ladder of a request goes on that is over");
	t->state = e->state;
	t->due_at_ms = is_open(t) ? e->due_at_ms : 0;
	add_routes(l, message_of(l, &e->message_id)->in, l->seq, e->routes, e->n_routes);
}

static void on_clock_moved(struct ledger *l, const Ieum__V1__ClockMoved *e)
{
	struct ledger_task *t = task_of(l, &e->message_id, e->task);

	if (!t)
		return;
	t->state = STATE(REQUESTED);
	t->due_at_ms = e->due_at_ms;
}

/* ---- places ---- */

static void on_places(struct ledger *l, const Ieum__V1__PlacesChanged *e)
{
	struct ledger_message *m = e->hold_id.len ? message_of(l, &e->hold_id) : NULL;
	struct ledger_hold *h = m ? m->holds : NULL;

	if (e->hold_id.len && !m)
		trouble(l, "places are held for a message that there is not");
	if (!m)
		return;
	while (h && h->pool != e->pool)
		h = h->next;
	if (!h) {
		h = cleared(sizeof *h);
		h->pool = e->pool;
		h->next = m->holds;
		m->holds = h;
	}
	h->held = e->state == IEUM__V1__HOLD_STATE__HOLD_STATE_HELD;
	h->seq = l->seq;
	if (e->keeper)
		h->keeper = e->keeper;
}

/* Whoever said no keeps nothing free, and nothing is kept for what is over. */
static void check_hold(struct ledger *l, const struct ledger_message *m,
		       const struct ledger_hold *h)
{
	bool over = m->n_tasks > 0;

	for (size_t i = 0; i < m->n_tasks; i++) {
		const struct ledger_task *t = &m->tasks[i];
		over &= !is_open(t) && t->state != STATE(COMPLETED);
		/* Of several requests the answer may have been to another. */
		if (m->n_tasks == 1 && h->keeper && t->rejected_by == h->keeper &&
		    h->seq < t->rejected_seq)
			trouble(l, "mailbox %u has rejected event %llu and holds places for it",
				h->keeper, (unsigned long long)m->seq);
	}
	if (over)
		trouble(l, "places are held for event %llu, whose request is over",
			(unsigned long long)m->seq);
}

/* ---- clocks ---- */

static void on_clock(struct ledger *l, const Ieum__V1__ClockChanged *e)
{
	struct ledger_clock *k = NULL;

	HASH_FIND(hh, l->clocks, &e->clock, sizeof e->clock, k);
	if (!k && e->change == IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_STARTED) {
		k = cleared(sizeof *k);
		k->id = e->clock;
		k->in = known_case(l, &e->case_id);
		k->outlives_closing = e->outlives_closing;
		HASH_ADD(hh, l->clocks, id, sizeof k->id, k);
	}
	if (!k) {
		trouble(l, "a clock changes that never started");
		return;
	}
	if (e->due_at_ms)
		k->due_at_ms = e->due_at_ms;
	switch (e->change) {
	case IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_STARTED:
	case IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_RESTARTED:
	case IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_RESUMED: k->runs = true; break;
	case IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_FROZEN:
	case IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_STOPPED:
	case IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_BREACHED: k->runs = false; break;
	default: break;
	}
}

static void close_clocks(struct ledger *l, const struct ledger_case *of, Ieum__V1__CaseState state)
{
	if (state != IEUM__V1__CASE_STATE__CASE_STATE_CLOSED)
		return;
	for (struct ledger_clock *k = l->clocks; k; k = k->hh.next)
		k->runs &= k->in != of || k->outlives_closing;
}

/* ---- messages and cases ---- */

static struct ledger_case *open_case(struct ledger *l, const Ieum__V1__Submitted *e)
{
	struct ledger_case *c = cleared(sizeof *c);

	memcpy(c->id, e->case_id.data, ID_BYTES);
	c->owner = e->case_opened->owner;
	HASH_ADD(hh, l->cases, id, ID_BYTES, c);
	return c;
}

static void on_case(struct ledger *l, struct ledger_case *c, const Ieum__V1__Submitted *e)
{
	if (e->case_owner)
		c->owner = e->case_owner;
	if (c->owner == 0)
		trouble(l, "a case without anybody who is responsible");
	put(&c->owners, c->owner);
	put(&c->members, c->owner);
	put(&c->members, e->sender_mailbox);
	close_clocks(l, c, e->case_state);
	for (size_t i = 0; i < e->n_excluded; i++)
		put(&c->excluded, e->excluded[i]);
}

/* Of a linked set only its case's owner learns, whom the policy names; where the same message hands
 * the case on, the one before. */
static void check_linked_set(struct ledger *l, const struct ledger_case *c,
			     const Ieum__V1__Submitted *e)
{
	for (size_t i = 0; i < e->n_routes; i++)
		if (!c || !has(&c->owners, e->routes[i]->mailbox))
			trouble(l,
				"mailbox %u learns of a linked set by cause %d; its case is owned by %u",
				e->routes[i]->mailbox, (int)e->routes[i]->cause, c ? c->owner : 0);
}

static void on_submitted(struct ledger *l, const Ieum__V1__Submitted *e)
{
	struct ledger_message *m = cleared(sizeof *m);

	if (e->message_id.len != ID_BYTES || message_of(l, &e->message_id)) {
		trouble(l, "a message has two effects");
		free(m);
		return;
	}
	memcpy(m->id, e->message_id.data, ID_BYTES);
	m->seq = l->seq;
	HASH_ADD(hh, l->messages, id, ID_BYTES, m);
	if (e->case_opened)
		m->in = open_case(l, e);
	else if (e->case_id.len)
		m->in = known_case(l, &e->case_id);
	if (m->in)
		on_case(l, m->in, e);
	if (e->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_LINKED_SET_NOTICE && e->sender == 0)
		check_linked_set(l, m->in, e);
	add_routes(l, m->in, l->seq, e->routes, e->n_routes);
	add_tasks(l, m, e);
	for (size_t i = 0; i < e->n_answered; i++)
		on_changed(l, e->answered[i]);
	for (size_t i = 0; i < e->n_clocks; i++)
		on_clock_moved(l, e->clocks[i]);
}

static void on_case_changed(struct ledger *l, const Ieum__V1__CaseChanged *e)
{
	struct ledger_case *c = known_case(l, &e->case_id);

	if (c)
		close_clocks(l, c, e->state);
	if (!c || !e->owner)
		return;
	c->owner = e->owner;
	put(&c->owners, c->owner);
	put(&c->members, c->owner);
}

static void on_handover(struct ledger *l, const Ieum__V1__HandoverChanged *e)
{
	if (e->step == IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_FORWARDED &&
	    message_of(l, &e->message_id))
		add_routes(l, message_of(l, &e->message_id)->in, l->seq, e->routes, e->n_routes);
	/* Whoever is asked to take it on gets what comes for it meanwhile. */
	for (size_t i = 0;
	     e->step == IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_ASKED && i < e->n_case_ids; i++)
		if (known_case(l, &e->case_ids[i]))
			put(&known_case(l, &e->case_ids[i])->owners, e->to);
	if (e->step != IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_ACCEPTED)
		return;
	for (size_t i = 0; i < e->n_case_ids; i++) {
		struct ledger_case *c = known_case(l, &e->case_ids[i]);
		if (!c)
			return;
		c->owner = e->to;
		put(&c->owners, c->owner);
		take_out(&c->members, e->from);
		put(&c->members, e->to);
		put(&c->ended, e->from);
		take_out(&c->ended, e->to);
	}
}

/* ---- the journal ---- */

static void on_event(struct ledger *l, const Ieum__V1__Event *e)
{
	struct ledger_connection *c;

	switch (e->what_case) {
	case IEUM__V1__EVENT__WHAT_CONNECTED:
		c = cleared(sizeof *c);
		c->number = e->connected->connection;
		c->participant = e->connected->participant;
		HASH_ADD(hh, l->connections, number, sizeof c->number, c);
		break;
	case IEUM__V1__EVENT__WHAT_SUBMITTED: on_submitted(l, e->submitted); break;
	case IEUM__V1__EVENT__WHAT_RELEASED: on_released(l, e->released); break;
	case IEUM__V1__EVENT__WHAT_ESCALATED: on_escalated(l, e->escalated); break;
	case IEUM__V1__EVENT__WHAT_CASE_CHANGED: on_case_changed(l, e->case_changed); break;
	case IEUM__V1__EVENT__WHAT_PLACES_CHANGED: on_places(l, e->places_changed); break;
	case IEUM__V1__EVENT__WHAT_CLOCK_CHANGED: on_clock(l, e->clock_changed); break;
	case IEUM__V1__EVENT__WHAT_HANDOVER_CHANGED: on_handover(l, e->handover_changed); break;
	default: break;
	}
}

static enum ieum_err read_record(void *ctx, const struct journal_record *r)
{
	struct ledger *l = ctx;
	Ieum__V1__Event *e = ieum__v1__event__unpack(NULL, r->kept_len, r->kept);

	if (!e)
		return IEUM_E_JOURNAL_CORRUPT;
	l->seq = r->seq;
	if (memmem(r->kept, r->kept_len, LEDGER_MARKER, strlen(LEDGER_MARKER)))
		trouble(l, "what is to be erasable stands in the kept part (event kind %d)",
			(int)e->what_case);
	on_event(l, e);
	ieum__v1__event__free_unpacked(e, NULL);
	return IEUM_E_OK;
}

bool ledger_read(struct ledger *l, struct journal *journal)
{
	if (journal_load(journal, l->seq + 1, UINT64_MAX, 0, read_record, l) != IEUM_E_OK)
		trouble(l, "the journal cannot be read");
	return l->trouble[0] == '\0';
}

/* ---- questions ---- */

/* Has it been answered as far as its clock asks? */
static bool may_stand_still(const struct ledger_task *t)
{
	bool taken_on = t->state != STATE(REQUESTED) && t->state != STATE(RECEIVED);

	if (t->stops_at == IEUM__V1__STOPS_AT__STOPS_AT_RECEIVED)
		return t->state != STATE(REQUESTED);
	return t->stops_at == IEUM__V1__STOPS_AT__STOPS_AT_DECIDED && taken_on;
}

static void check_task(struct ledger *l, const struct ledger_message *m,
		       const struct ledger_task *t, int64_t now_ms)
{
	if (is_open(t) && t->due_at_ms && t->due_at_ms <= now_ms)
		trouble(l, "the request of event %llu is overdue and nothing was done",
			(unsigned long long)m->seq);
	if (is_open(t) && !t->due_at_ms && !may_stand_still(t))
		trouble(l, "the request of event %llu has no answer and no clock",
			(unsigned long long)m->seq);
}

bool ledger_check_time(struct ledger *l, int64_t now_ms)
{
	for (const struct ledger_message *m = l->messages; m; m = m->hh.next) {
		for (size_t i = 0; i < m->n_tasks; i++)
			check_task(l, m, &m->tasks[i], now_ms);
		for (const struct ledger_hold *h = m->holds; h; h = h->next)
			if (h->held)
				check_hold(l, m, h);
	}
	for (const struct ledger_clock *k = l->clocks; k; k = k->hh.next)
		if (k->runs && k->due_at_ms <= now_ms)
			trouble(l, "clock %llu is over and nothing was done",
				(unsigned long long)k->id);
	return l->trouble[0] == '\0';
}

size_t ledger_owed(const struct ledger *l, uint64_t last_seq)
{
	size_t n = 0;

	for (const struct ledger_message *m = l->messages; m; m = m->hh.next)
		for (size_t i = 0; i < m->n_tasks; i++)
			n += m->seq <= last_seq && is_open(&m->tasks[i]) && m->tasks[i].due_at_ms &&
			     !m->tasks[i].repeats;
	return n;
}

bool ledger_may_read(const struct ledger *l, const struct policy *p, int participant,
		     const uint8_t case_id[16])
{
	const struct policy_participant *who = policy_participant(p, participant);
	const struct ledger_case *c = case_of(l, case_id);

	if (!c || has(&c->excluded, who->number) || who->reads_nothing)
		return false;
	for (size_t i = 0; i < who->n_mailboxes; i++) {
		uint32_t mailbox = policy_mailbox(p, who->mailboxes[i])->number;
		if (has(&c->members, mailbox) && !has(&c->ended, mailbox))
			return true;
	}
	return false;
}

struct ledger *ledger_new(void)
{
	return cleared(sizeof(struct ledger));
}

void ledger_free(struct ledger *l)
{
	struct ledger_message *m, *m_next;
	struct ledger_case *c, *c_next;
	struct ledger_delivery *d, *d_next;
	struct ledger_connection *k, *k_next;
	struct ledger_clock *clock, *clock_next;

	if (!l)
		return;
	HASH_ITER(hh, l->clocks, clock, clock_next) {
		HASH_DEL(l->clocks, clock);
		free(clock);
	}
	HASH_ITER(hh, l->messages, m, m_next) {
		HASH_DEL(l->messages, m);
		for (struct ledger_hold *h = m->holds; h;) {
			struct ledger_hold *next = h->next;
			free(h);
			h = next;
		}
		free(m);
	}
	HASH_ITER(hh, l->cases, c, c_next) {
		HASH_DEL(l->cases, c);
		free(c->members.at);
		free(c->owners.at);
		free(c->ended.at);
		free(c->excluded.at);
		free(c);
	}
	HASH_ITER(hh, l->deliveries, d, d_next) {
		HASH_DEL(l->deliveries, d);
		free(d);
	}
	HASH_ITER(hh, l->connections, k, k_next) {
		HASH_DEL(l->connections, k);
		free(k);
	}
	free(l);
}
