/* Deliveries, followed one by one from their route to their end; see ledger.h.
 *
 * What was released is on record before it leaves; per mailbox the sum of all ways is what was
 * routed, and the core counts the same. */
#include "tests/sim/ledger_internal.h"

struct ledger_delivery *ledger_delivery_of(struct ledger *l, uint64_t id)
{
	struct ledger_delivery *d = NULL;

	HASH_FIND(hh, l->deliveries, &id, sizeof id, d);
	return d;
}

static void set_way(struct ledger *l, struct ledger_delivery *d, enum ledger_way way)
{
	l->mailboxes[d->mailbox].ways[d->way]--;
	l->mailboxes[d->mailbox].ways[way]++;
	d->way = way;
}

void ledger_add_routes(struct ledger *l, struct ledger_message *m, Ieum__V1__Route *const *routes,
		       size_t n)
{
	ledger_check_shared(l, m, n);
	for (size_t i = 0; i < n; i++) {
		ledger_check_route(l, m, routes[i]);
		if (l->trouble[0])
			return;
		struct ledger_delivery *d = ledger_zalloc(sizeof *d);
		d->id = l->seq << LEDGER_ROUTE_BITS | i;
		d->mailbox = routes[i]->mailbox;
		d->of = m;
		d->next = m->deliveries;
		m->deliveries = d;
		HASH_ADD(hh, l->deliveries, id, sizeof d->id, d);
		l->mailboxes[d->mailbox].routed++;
		l->mailboxes[d->mailbox].ways[WAY_QUEUED]++;
		if (m->in)
			ledger_joins(m, routes[i]);
	}
}

/* ---- to somebody ---- */

static void release(struct ledger *l, const struct ledger_connection *to, struct ledger_delivery *d)
{
	const struct ledger_case *in = d->of->in;

	if (d->way != WAY_QUEUED)
		ledger_say(l, "a delivery is released that is not queued, but %d", (int)d->way);
	else if (!numbers_have(&l->mailboxes[d->mailbox].consumers, to->participant))
		ledger_say(l, "participant %u gets something of mailbox %u, which is not its own",
			   to->participant, d->mailbox);
	else if (in && numbers_have(&in->excluded, to->participant))
		ledger_say(l, "participant %u gets something of a case it is excluded from",
			   to->participant);
	else if (ledger_tells_excluded(d->of, to->participant))
		ledger_say(l, "participant %u gets an agenda with a case it is excluded from",
			   to->participant);
	ledger_check_released(l, d);
	set_way(l, d, WAY_IN_FLIGHT);
	d->connection = to->number;
	numbers_put(&d->to, (uint32_t)to->number);
	numbers_put(&d->who, to->participant);
}

static void on_released(struct ledger *l, const Ieum__V1__DeliveriesReleased *e)
{
	struct ledger_connection *to = NULL;

	HASH_FIND(hh, l->connections, &e->connection, sizeof e->connection, to);
	if (!to)
		ledger_say(l, "something is released to a connection that there is not");
	for (size_t i = 0; to && i < e->n_deliveries; i++) {
		struct ledger_delivery *d = ledger_delivery_of(l, e->deliveries[i]);
		if (d)
			release(l, to, d);
		else
			ledger_say(l, "a delivery is released that was never routed");
	}
}

bool ledger_disclosed(const struct ledger *l, uint64_t delivery, uint64_t connection)
{
	const struct ledger_delivery *d = NULL;

	HASH_FIND(hh, l->deliveries, &delivery, sizeof delivery, d);
	return d && numbers_have(&d->to, (uint32_t)connection);
}

/* ---- and on ---- */

/* Each of them goes one way, if it is on one of the others. */
static void move(struct ledger *l, const uint64_t *deliveries, size_t n, unsigned from,
		 enum ledger_way way)
{
	for (size_t i = 0; i < n; i++) {
		struct ledger_delivery *d = ledger_delivery_of(l, deliveries[i]);
		if (!d || !(from >> d->way & 1))
			ledger_say(l, "delivery %llu goes from way %d to %d",
				   (unsigned long long)deliveries[i], d ? (int)d->way : -1,
				   (int)way);
		else
			set_way(l, d, way);
	}
}

void ledger_withdraw(struct ledger *l, const uint64_t *deliveries, size_t n)
{
	move(l, deliveries, n, 1U << WAY_QUEUED | 1U << WAY_WAITS | 1U << WAY_IN_FLIGHT,
	     WAY_WITHDRAWN);
}

static void on_settled(struct ledger *l, const Ieum__V1__DeliveriesSettled *e)
{
	for (size_t i = 0; i < e->n_deliveries; i++) {
		const struct ledger_delivery *d = ledger_delivery_of(l, e->deliveries[i]);
		if (d && d->who.n == 0)
			ledger_say(l, "a delivery is settled that nobody got");
	}
	move(l, e->deliveries, e->n_deliveries,
	     1U << WAY_QUEUED | 1U << WAY_WAITS | 1U << WAY_IN_FLIGHT | 1U << WAY_DEAD,
	     WAY_SETTLED);
}

/* What was in flight there is queued again; 0: everywhere. */
static void lose_connection(struct ledger *l, uint64_t connection)
{
	for (struct ledger_delivery *d = l->deliveries; d; d = d->hh.next)
		if (d->way == WAY_IN_FLIGHT && (!connection || d->connection == connection))
			set_way(l, d, WAY_QUEUED);
}

static void on_connected(struct ledger *l, const Ieum__V1__Connected *e)
{
	struct ledger_connection *c = ledger_zalloc(sizeof *c);

	c->number = e->connection;
	c->participant = e->participant;
	HASH_ADD(hh, l->connections, number, sizeof c->number, c);
}

static void on_gone(struct ledger *l, uint64_t connection)
{
	struct ledger_connection *c = NULL, *next = NULL;

	lose_connection(l, connection);
	HASH_ITER(hh, l->connections, c, next) {
		if (connection && c->number != connection)
			continue;
		HASH_DEL(l->connections, c);
		free(c);
	}
}

void ledger_on_mail(struct ledger *l, const Ieum__V1__Event *e)
{
	switch (e->what_case) {
	case IEUM__V1__EVENT__WHAT_HUB_STARTED: on_gone(l, 0); break;
	case IEUM__V1__EVENT__WHAT_CONNECTED: on_connected(l, e->connected); break;
	case IEUM__V1__EVENT__WHAT_DISCONNECTED: on_gone(l, e->disconnected->connection); break;
	case IEUM__V1__EVENT__WHAT_RELEASED: on_released(l, e->released); break;
	case IEUM__V1__EVENT__WHAT_SETTLED: on_settled(l, e->settled); break;
	case IEUM__V1__EVENT__WHAT_RETURNED:
		move(l, e->returned->deliveries, e->returned->n_deliveries, 1U << WAY_IN_FLIGHT,
		     e->returned->not_before_at_ms ? WAY_WAITS : WAY_QUEUED);
		break;
	case IEUM__V1__EVENT__WHAT_REQUEUED:
		move(l, e->requeued->deliveries, e->requeued->n_deliveries, 1U << WAY_WAITS,
		     WAY_QUEUED);
		break;
	case IEUM__V1__EVENT__WHAT_DEAD_LETTERED:
		move(l, e->dead_lettered->deliveries, e->dead_lettered->n_deliveries,
		     1U << WAY_IN_FLIGHT, WAY_DEAD);
		break;
	case IEUM__V1__EVENT__WHAT_KEYS_CHANGED:
		ledger_withdraw(l, e->keys_changed->withdrawn, e->keys_changed->n_withdrawn);
		break;
	case IEUM__V1__EVENT__WHAT_PAYLOAD_ERASED:
		ledger_withdraw(l, e->payload_erased->withdrawn, e->payload_erased->n_withdrawn);
		break;
	default: break;
	}
}

/* ---- conservation ---- */

bool ledger_check_mailboxes(struct ledger *l, const struct core *core)
{
	for (uint32_t i = 1; i < LEDGER_MAILBOXES_MAX && *l->mailboxes[i].name; i++) {
		const struct ledger_mailbox *m = &l->mailboxes[i];
		struct core_mailbox_counts is;
		if (!core_mailbox_counts(core, i, &is))
			ledger_say(l, "mailbox %u is not known", i);
		else if (is.routed != m->routed ||
			 is.queued != m->ways[WAY_QUEUED] + m->ways[WAY_WAITS] ||
			 is.in_flight != m->ways[WAY_IN_FLIGHT] ||
			 is.settled != m->ways[WAY_SETTLED] ||
			 is.dead_lettered != m->ways[WAY_DEAD] ||
			 is.withdrawn != m->ways[WAY_WITHDRAWN])
			ledger_say(
				l,
				"mailbox %u counts routed %llu, settled %llu; the journal says %llu, %llu",
				i, (unsigned long long)is.routed, (unsigned long long)is.settled,
				(unsigned long long)m->routed,
				(unsigned long long)m->ways[WAY_SETTLED]);
	}
	return l->trouble[0] == '\0';
}
