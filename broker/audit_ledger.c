/* Where every delivery is; see audit_ledger.h. */
#include "broker/audit_ledger.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/audit_table.h"
#include "proto/catalog.h"

enum {
	ROUTES_MAX = 256, /* of one event: delivery id = seq * 256 + route */
};

enum place {
	QUEUED,
	IN_FLIGHT, /* queued again as soon as its connection is gone */
	WAITING,   /* for its time after a failed attempt; counts as queued */
	DEAD,
};

struct delivery {
	uint64_t id;
	uint64_t connection; /* in flight to */
	uint32_t mailbox;
	enum place place;
	bool released_once;
};

struct connection {
	uint64_t number;
};

struct mailbox {
	char *name;
	struct audit_ledger_counts counts; /* queued, in_flight: by audit_ledger_count() */
};

struct audit_ledger {
	struct audit_table deliveries;  /* struct delivery: what is not over */
	struct audit_table connections; /* struct connection: what is open */
	struct mailbox *mailboxes;      /* mailboxes[number - 1] */
	uint32_t n_mailboxes;
	char *why;
};

struct audit_ledger *audit_ledger_new(void)
{
	struct audit_ledger *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	audit_table_init(&l->deliveries, sizeof(struct delivery));
	audit_table_init(&l->connections, sizeof(struct connection));
	return l;
}

void audit_ledger_free(struct audit_ledger *l)
{
	if (!l)
		return;
	audit_table_deinit(&l->deliveries);
	audit_table_deinit(&l->connections);
	for (uint32_t i = 0; i < l->n_mailboxes; i++)
		free(l->mailboxes[i].name);
	free(l->mailboxes);
	free(l);
}

static enum ieum_err __attribute__((format(printf, 2, 3)))
wrong(struct audit_ledger *l, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(l->why, AUDIT_LEDGER_WHY_BYTES, tr(format), args);
	va_end(args);
	return IEUM_E_JOURNAL_CORRUPT;
}

/* ---- names and connections ---- */

static enum ieum_err name_mailbox(struct audit_ledger *l, const Ieum__V1__NumberedName *n)
{
	if (n->number == 0 || n->number > AUDIT_LEDGER_MAILBOXES_MAX)
		return wrong(l, "mailbox number %" PRIu32 " is out of range", n->number);
	if (n->number > l->n_mailboxes) {
		struct mailbox *more = realloc(l->mailboxes, n->number * sizeof *more);

		if (!more)
			return IEUM_E_NO_MEMORY;
		memset(more + l->n_mailboxes, 0, (n->number - l->n_mailboxes) * sizeof *more);
		l->mailboxes = more;
		l->n_mailboxes = n->number;
	}
	struct mailbox *m = &l->mailboxes[n->number - 1];
	if (m->name)
		return wrong(l, "mailbox number %" PRIu32 " is given twice", n->number);
	m->name = strdup(n->name);
	return m->name ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

static enum ieum_err take_policy(struct audit_ledger *l, const Ieum__V1__PolicyChanged *p)
{
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < p->n_mailboxes && !err; i++)
		err = name_mailbox(l, p->mailboxes[i]);
	return err;
}

static bool is_open(const struct audit_ledger *l, uint64_t connection)
{
	return audit_table_find(&l->connections, connection) != NULL;
}

static enum ieum_err connect(struct audit_ledger *l, uint64_t number)
{
	if (is_open(l, number))
		return wrong(l, "connection %" PRIu64 " is open already", number);
	return audit_table_add(&l->connections, number) ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

static enum ieum_err disconnect(struct audit_ledger *l, uint64_t number)
{
	if (!is_open(l, number))
		return wrong(l, "connection %" PRIu64 " ends, but it is not open", number);
	audit_table_drop(&l->connections, number);
	return IEUM_E_OK;
}

/* ---- deliveries ---- */

static enum place place_of(const struct audit_ledger *l, const struct delivery *d)
{
	if (d->place == IN_FLIGHT && !is_open(l, d->connection))
		return QUEUED;
	return d->place;
}

/* NULL, and said why, when it is not among those that are not over. */
static struct delivery *find_delivery(struct audit_ledger *l, uint64_t id, const char *done)
{
	struct delivery *d = audit_table_find(&l->deliveries, id);

	if (!d)
		(void)wrong(l,
			    "delivery %" PRIu64
			    " was %s, but it was never routed, or was over before",
			    id, done);
	return d;
}

static enum ieum_err route(struct audit_ledger *l, uint64_t seq, Ieum__V1__Route *const *routes,
			   size_t n)
{
	if (n > ROUTES_MAX)
		return wrong(l, "it has %zu routes, more than an event can have", n);
	for (size_t i = 0; i < n; i++) {
		struct delivery *d;
		uint32_t number = routes[i]->mailbox;

		if (number == 0 || number > l->n_mailboxes || !l->mailboxes[number - 1].name)
			return wrong(l,
				     "it is routed to mailbox number %" PRIu32
				     ", which has no name",
				     number);
		d = audit_table_add(&l->deliveries, seq * ROUTES_MAX + i);
		if (!d)
			return IEUM_E_NO_MEMORY;
		d->mailbox = number;
		l->mailboxes[number - 1].counts.routed++;
	}
	return IEUM_E_OK;
}

static enum ieum_err release(struct audit_ledger *l, const Ieum__V1__DeliveriesReleased *r)
{
	if (!is_open(l, r->connection))
		return wrong(l,
			     "deliveries were released to connection %" PRIu64
			     ", which is not open",
			     r->connection);
	for (size_t i = 0; i < r->n_deliveries; i++) {
		struct delivery *d = find_delivery(l, r->deliveries[i], "released");

		if (!d)
			return IEUM_E_JOURNAL_CORRUPT;
		if (place_of(l, d) != QUEUED)
			return wrong(l, "delivery %" PRIu64 " was released, but it was not queued",
				     d->id);
		d->place = IN_FLIGHT;
		d->connection = r->connection;
		d->released_once = true;
	}
	return IEUM_E_OK;
}

static enum ieum_err settle(struct audit_ledger *l, const Ieum__V1__DeliveriesSettled *s)
{
	for (size_t i = 0; i < s->n_deliveries; i++) {
		struct delivery *d = find_delivery(l, s->deliveries[i], "settled");

		if (!d)
			return IEUM_E_JOURNAL_CORRUPT;
		if (!d->released_once)
			return wrong(l, "delivery %" PRIu64 " was settled, but never released",
				     d->id);
		if (d->place == DEAD)
			l->mailboxes[d->mailbox - 1].counts.dead_lettered--;
		l->mailboxes[d->mailbox - 1].counts.settled++;
		audit_table_drop(&l->deliveries, d->id);
	}
	return IEUM_E_OK;
}

static enum ieum_err take_back(struct audit_ledger *l, const Ieum__V1__DeliveriesReturned *r)
{
	for (size_t i = 0; i < r->n_deliveries; i++) {
		struct delivery *d = find_delivery(l, r->deliveries[i], "returned");

		if (!d)
			return IEUM_E_JOURNAL_CORRUPT;
		if (place_of(l, d) != IN_FLIGHT)
			return wrong(l,
				     "delivery %" PRIu64 " was returned, but it was not in flight",
				     d->id);
		d->place = r->not_before_at_ms ? WAITING : QUEUED;
	}
	return IEUM_E_OK;
}

static enum ieum_err requeue(struct audit_ledger *l, const Ieum__V1__DeliveriesRequeued *r)
{
	for (size_t i = 0; i < r->n_deliveries; i++) {
		struct delivery *d = find_delivery(l, r->deliveries[i], "queued again");

		if (!d)
			return IEUM_E_JOURNAL_CORRUPT;
		if (d->place != WAITING)
			return wrong(l,
				     "delivery %" PRIu64
				     " was queued again, but it was not waiting",
				     d->id);
		d->place = QUEUED;
	}
	return IEUM_E_OK;
}

static enum ieum_err bury(struct audit_ledger *l, const Ieum__V1__DeliveriesDeadLettered *e)
{
	for (size_t i = 0; i < e->n_deliveries; i++) {
		struct delivery *d = find_delivery(l, e->deliveries[i], "dead-lettered");

		if (!d)
			return IEUM_E_JOURNAL_CORRUPT;
		if (d->place == DEAD)
			return wrong(l, "delivery %" PRIu64 " was dead-lettered twice", d->id);
		d->place = DEAD;
		l->mailboxes[d->mailbox - 1].counts.dead_lettered++;
	}
	return IEUM_E_OK;
}

/* `from_readers`: also from whoever had it before, because its case was handed over, its content
 * erased, the consent to it withdrawn or the key that it asks for has come. */
static enum ieum_err withdraw(struct audit_ledger *l, const uint64_t *ids, size_t n,
			      bool from_readers)
{
	for (size_t i = 0; i < n; i++) {
		struct delivery *d = find_delivery(l, ids[i], "withdrawn");

		if (!d)
			return IEUM_E_JOURNAL_CORRUPT;
		if (d->released_once && !from_readers)
			return wrong(l,
				     "delivery %" PRIu64
				     " was withdrawn, but somebody had it before",
				     d->id);
		l->mailboxes[d->mailbox - 1].counts.withdrawn++;
		audit_table_drop(&l->deliveries, d->id);
	}
	return IEUM_E_OK;
}

static enum ieum_err submit(struct audit_ledger *l, uint64_t seq, const Ieum__V1__Submitted *s)
{
	enum ieum_err err = withdraw(l, s->withdrawn, s->n_withdrawn, false);

	if (!err)
		err = withdraw(l, s->revoked, s->n_revoked, true);
	return err ? err : route(l, seq, s->routes, s->n_routes);
}

static enum ieum_err hand_over(struct audit_ledger *l, uint64_t seq,
			       const Ieum__V1__HandoverChanged *h)
{
	enum ieum_err err = withdraw(l, h->withdrawn, h->n_withdrawn, true);

	return err ? err : route(l, seq, h->routes, h->n_routes);
}

enum ieum_err audit_ledger_apply(struct audit_ledger *l, uint64_t seq, const Ieum__V1__Event *event,
				 char why[AUDIT_LEDGER_WHY_BYTES])
{
	l->why = why;
	switch (event->what_case) {
	case IEUM__V1__EVENT__WHAT_HUB_STARTED:
		audit_table_clear(&l->connections);
		return IEUM_E_OK;
	case IEUM__V1__EVENT__WHAT_POLICY_CHANGED: return take_policy(l, event->policy_changed);
	case IEUM__V1__EVENT__WHAT_CONNECTED: return connect(l, event->connected->connection);
	case IEUM__V1__EVENT__WHAT_DISCONNECTED:
		return disconnect(l, event->disconnected->connection);
	case IEUM__V1__EVENT__WHAT_SUBMITTED: return submit(l, seq, event->submitted);
	case IEUM__V1__EVENT__WHAT_ESCALATED:
		return route(l, seq, event->escalated->routes, event->escalated->n_routes);
	case IEUM__V1__EVENT__WHAT_RELEASED: return release(l, event->released);
	case IEUM__V1__EVENT__WHAT_SETTLED: return settle(l, event->settled);
	case IEUM__V1__EVENT__WHAT_RETURNED: return take_back(l, event->returned);
	case IEUM__V1__EVENT__WHAT_REQUEUED: return requeue(l, event->requeued);
	case IEUM__V1__EVENT__WHAT_DEAD_LETTERED: return bury(l, event->dead_lettered);
	case IEUM__V1__EVENT__WHAT_HANDOVER_CHANGED:
		return hand_over(l, seq, event->handover_changed);
	case IEUM__V1__EVENT__WHAT_LEFT:
		return withdraw(l, event->left->withdrawn, event->left->n_withdrawn, true);
	case IEUM__V1__EVENT__WHAT_KEYS_CHANGED:
		return withdraw(l, event->keys_changed->withdrawn, event->keys_changed->n_withdrawn,
				true);
	case IEUM__V1__EVENT__WHAT_PAYLOAD_ERASED:
		return withdraw(l, event->payload_erased->withdrawn,
				event->payload_erased->n_withdrawn, true);
	default: return IEUM_E_OK; /* moves no delivery; the core refuses what it doesn't know */
	}
}

/* ---- the account ---- */

uint32_t audit_ledger_mailboxes(const struct audit_ledger *l)
{
	return l->n_mailboxes;
}

const char *audit_ledger_mailbox_name(const struct audit_ledger *l, uint32_t number)
{
	const char *name = l->mailboxes[number - 1].name;

	return name ? name : "";
}

void audit_ledger_count(struct audit_ledger *l)
{
	const struct delivery *d;
	uint32_t at = 0;

	for (uint32_t i = 0; i < l->n_mailboxes; i++) {
		l->mailboxes[i].counts.queued = 0;
		l->mailboxes[i].counts.in_flight = 0;
	}
	while ((d = audit_table_next(&l->deliveries, &at)) != NULL) {
		struct audit_ledger_counts *c = &l->mailboxes[d->mailbox - 1].counts;
		enum place place = place_of(l, d);

		if (place == IN_FLIGHT)
			c->in_flight++;
		else if (place != DEAD)
			c->queued++;
	}
}

struct audit_ledger_counts audit_ledger_counts(const struct audit_ledger *l, uint32_t number)
{
	return l->mailboxes[number - 1].counts;
}
