/* The ledger of a play: reading the journal, and what is asked of it; see ledger.h. */
#include "tests/sim/ledger_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/error.h"

void ledger_say(struct ledger *l, const char *format, ...)
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

void *ledger_zalloc(size_t bytes)
{
	void *p = calloc(1, bytes);

	if (!p)
		abort();
	return p;
}

/* ---- sets of numbers ---- */

bool numbers_have(const struct numbers *set, uint32_t number)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->at[i] == number)
			return true;
	return false;
}

void numbers_put(struct numbers *set, uint32_t number)
{
	if (number == 0 || numbers_have(set, number))
		return;
	set->at = realloc(set->at, (set->n + 1) * sizeof *set->at);
	if (!set->at)
		abort();
	set->at[set->n++] = number;
}

void numbers_take_out(struct numbers *set, uint32_t number)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->at[i] == number)
			set->at[i] = set->at[--set->n];
}

/* ---- looking up ---- */

struct ledger_message *ledger_message_of(struct ledger *l, const ProtobufCBinaryData *id)
{
	struct ledger_message *m = NULL;

	if (id->len == LEDGER_ID_BYTES)
		HASH_FIND(hh, l->messages, id->data, LEDGER_ID_BYTES, m);
	return m;
}

struct ledger_case *ledger_case_of(const struct ledger *l, const uint8_t *id)
{
	struct ledger_case *c = NULL;

	HASH_FIND(hh, l->cases, id, LEDGER_ID_BYTES, c);
	return c;
}

struct ledger_case *ledger_known_case(struct ledger *l, const ProtobufCBinaryData *id)
{
	struct ledger_case *c = id->len == LEDGER_ID_BYTES ? ledger_case_of(l, id->data) : NULL;

	if (!c)
		ledger_say(l, "it names a case that was never opened");
	return c;
}

/* ---- clocks ---- */

static void on_clock(struct ledger *l, const Ieum__V1__ClockChanged *e)
{
	struct ledger_clock *k = NULL;

	HASH_FIND(hh, l->clocks, &e->clock, sizeof e->clock, k);
	if (!k && e->change == IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_STARTED) {
		k = ledger_zalloc(sizeof *k);
		k->id = e->clock;
		k->in = ledger_known_case(l, &e->case_id);
		k->outlives_closing = e->outlives_closing;
		HASH_ADD(hh, l->clocks, id, sizeof k->id, k);
	}
	if (!k) {
		ledger_say(l, "a clock changes that never started");
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

/* ---- messages ---- */

static struct ledger_case *open_case(struct ledger *l, const Ieum__V1__Submitted *e)
{
	struct ledger_case *c = ledger_zalloc(sizeof *c);

	memcpy(c->id, e->case_id.data, LEDGER_ID_BYTES);
	c->seq = l->seq;
	c->owner = e->case_opened->owner;
	HASH_ADD(hh, l->cases, id, LEDGER_ID_BYTES, c);
	return c;
}

/* Of a linked set only its case's owner learns, whom the policy names; where the same message hands
 * the case on, the one before. */
static void check_linked_set(struct ledger *l, const struct ledger_case *c,
			     const Ieum__V1__Submitted *e)
{
	for (size_t i = 0; i < e->n_routes; i++)
		if (!c || !numbers_have(&c->owners, e->routes[i]->mailbox))
			ledger_say(
				l,
				"mailbox %u learns of a linked set by cause %d; its case is owned by %u",
				e->routes[i]->mailbox, (int)e->routes[i]->cause, c ? c->owner : 0);
}

static struct ledger_message *add_message(struct ledger *l, const Ieum__V1__Submitted *e)
{
	struct ledger_message *m = ledger_zalloc(sizeof *m);

	memcpy(m->id, e->message_id.data, LEDGER_ID_BYTES);
	m->seq = l->seq;
	m->sender = e->sender;
	m->type = e->type;
	m->basis = e->basis;
	m->reply_to = ledger_message_of(l, &e->in_reply_to);
	HASH_ADD(hh, l->messages, id, LEDGER_ID_BYTES, m);
	if (e->case_opened)
		m->in = open_case(l, e);
	else if (e->case_id.len)
		m->in = ledger_known_case(l, &e->case_id);
	if (m->in) {
		*(m->in->last_message ? &m->in->last_message->next_in_case : &m->in->messages) = m;
		m->in->last_message = m;
	}
	return m;
}

/* Whoever does something about a request after all reads its case again. */
static void takes_on(struct ledger_case *c, const Ieum__V1__Submitted *e,
		     const Ieum__V1__TaskChanged *change)
{
	switch (change->answer) {
	case IEUM__V1__ANSWER_KIND__ANSWER_KIND_ACCEPT:
	case IEUM__V1__ANSWER_KIND__ANSWER_KIND_IN_PROGRESS:
	case IEUM__V1__ANSWER_KIND__ANSWER_KIND_INTERIM:
	case IEUM__V1__ANSWER_KIND__ANSWER_KIND_ON_HOLD:
	case IEUM__V1__ANSWER_KIND__ANSWER_KIND_COMPLETE:
	case IEUM__V1__ANSWER_KIND__ANSWER_KIND_FAIL:
		numbers_take_out(&c->out, change->by);
		numbers_take_out(&c->out, e->sender_mailbox);
		break;
	default: break;
	}
}

static void on_submitted(struct ledger *l, const Ieum__V1__Submitted *e)
{
	if (e->message_id.len != LEDGER_ID_BYTES || ledger_message_of(l, &e->message_id)) {
		ledger_say(l, "a message has two effects");
		return;
	}
	struct ledger_message *m = add_message(l, e);
	if (m->in)
		ledger_on_case(l, m->in, e);
	if (e->agenda)
		ledger_on_agenda(l, m, e->agenda);
	if (e->type == TYPE(LINKED_SET_NOTICE) && e->sender == 0)
		check_linked_set(l, m->in, e);
	ledger_check_taken_back(l, e);
	ledger_withdraw(l, e->withdrawn, e->n_withdrawn);
	ledger_withdraw(l, e->revoked, e->n_revoked);
	ledger_add_routes(l, m, e->routes, e->n_routes);
	ledger_add_tasks(l, m, e);
	for (size_t i = 0; i < e->n_answered; i++) {
		ledger_on_changed(l, e->answered[i]);
		if (m->in)
			takes_on(m->in, e, e->answered[i]);
	}
	for (size_t i = 0; i < e->n_clocks; i++)
		ledger_on_clock_moved(l, e->clocks[i]);
}

/* ---- the journal ---- */

static void on_event(struct ledger *l, const Ieum__V1__Event *e)
{
	ledger_on_mail(l, e);
	switch (e->what_case) {
	case IEUM__V1__EVENT__WHAT_POLICY_CHANGED: ledger_on_policy(l, e->policy_changed); break;
	case IEUM__V1__EVENT__WHAT_SUBMITTED: on_submitted(l, e->submitted); break;
	case IEUM__V1__EVENT__WHAT_ESCALATED: ledger_on_escalated(l, e->escalated); break;
	case IEUM__V1__EVENT__WHAT_CASE_CHANGED: ledger_on_case_changed(l, e->case_changed); break;
	case IEUM__V1__EVENT__WHAT_PLACES_CHANGED: ledger_on_places(l, e->places_changed); break;
	case IEUM__V1__EVENT__WHAT_CLOCK_CHANGED: on_clock(l, e->clock_changed); break;
	case IEUM__V1__EVENT__WHAT_HANDOVER_CHANGED:
		ledger_on_handover(l, e->handover_changed);
		break;
	case IEUM__V1__EVENT__WHAT_LEFT: ledger_on_left(l, e->left); break;
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
		ledger_say(l, "what is to be erasable stands in the kept part (event kind %d)",
			   (int)e->what_case);
	if (!l->trouble[0])
		on_event(l, e);
	ieum__v1__event__free_unpacked(e, NULL);
	return IEUM_E_OK;
}

bool ledger_read(struct ledger *l, struct journal *journal)
{
	if (journal_load(journal, l->seq + 1, UINT64_MAX, 0, read_record, l) != IEUM_E_OK)
		ledger_say(l, "the journal cannot be read");
	if (!l->trouble[0])
		ledger_check_orders(l);
	return l->trouble[0] == '\0';
}

/* ---- questions ---- */

bool ledger_check_time(struct ledger *l, int64_t now_ms)
{
	for (const struct ledger_message *m = l->messages; m; m = m->hh.next) {
		ledger_check_requests(l, m, now_ms);
		ledger_check_holds(l, m, now_ms);
	}
	for (const struct ledger_clock *k = l->clocks; k; k = k->hh.next)
		if (k->runs && k->due_at_ms <= now_ms)
			ledger_say(l, "clock %llu is over and nothing was done",
				   (unsigned long long)k->id);
	ledger_check_owners(l);
	return l->trouble[0] == '\0';
}

size_t ledger_owed(const struct ledger *l, uint64_t last_seq)
{
	size_t n = 0;

	for (const struct ledger_message *m = l->messages; m; m = m->hh.next)
		for (size_t i = 0; i < m->n_tasks; i++)
			n += m->seq <= last_seq && ledger_is_open(&m->tasks[i]) &&
			     m->tasks[i].due_at_ms && !m->tasks[i].repeats;
	return n;
}

bool ledger_may_read(const struct ledger *l, const struct policy *p, int participant,
		     const uint8_t case_id[16])
{
	const struct policy_participant *who = policy_participant(p, participant);
	const struct ledger_case *c = ledger_case_of(l, case_id);

	if (!c || numbers_have(&c->excluded, who->number) || who->reads_nothing)
		return false;
	for (size_t i = 0; i < who->n_mailboxes; i++) {
		uint32_t mailbox = policy_mailbox(p, who->mailboxes[i])->number;
		if (numbers_have(&c->members, mailbox) && !ledger_has_left(c, mailbox) &&
		    !numbers_have(&c->out, mailbox))
			return true;
	}
	return false;
}

/* ---- beginning and end ---- */

struct ledger *ledger_new(void)
{
	return ledger_zalloc(sizeof(struct ledger));
}

static void free_message(struct ledger_message *m)
{
	for (struct ledger_hold *h = m->holds; h;) {
		struct ledger_hold *next = h->next;
		free(h);
		h = next;
	}
	for (size_t i = 0; i < m->n_tasks; i++) {
		free(m->tasks[i].asked.at);
		free(m->tasks[i].since.at);
	}
	free((void *)m->listed);
	free(m);
}

static void free_case(struct ledger_case *c)
{
	free(c->members.at);
	free(c->out.at);
	free(c->owners.at);
	free(c->ended.at);
	free(c->asked_back.at);
	free(c->excluded.at);
	free(c);
}

static void free_delivery(struct ledger_delivery *d)
{
	free(d->to.at);
	free(d->who.at);
	free(d);
}

#define FREE_ALL(type, head, free_one) \
	do { \
		struct type *each_, *next_; \
		HASH_ITER(hh, (head), each_, next_) { \
			HASH_DEL((head), each_); \
			free_one(each_); \
		} \
	} while (0)

void ledger_free(struct ledger *l)
{
	if (!l)
		return;
	FREE_ALL(ledger_clock, l->clocks, free);
	FREE_ALL(ledger_message, l->messages, free_message);
	FREE_ALL(ledger_case, l->cases, free_case);
	FREE_ALL(ledger_delivery, l->deliveries, free_delivery);
	FREE_ALL(ledger_connection, l->connections, free);
	for (uint32_t i = 0; i < LEDGER_MAILBOXES_MAX; i++)
		free(l->mailboxes[i].consumers.at);
	free(l);
}
