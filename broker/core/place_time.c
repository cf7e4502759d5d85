/* Places and the passing of time, where nothing lapses: both sides of a hold hear that it ends, a
 * pool's places are given anew, its keeper hears that the count is old. */
#include "broker/core/placing.h"

enum { RENEWED_AT_ONCE_MAX = 32 }; /* places that end by one decision */

/* ---- holds ---- */

static struct hub_message *make_notice(const struct occasion *o, const char *pool,
				       Ieum__V1__ClockChange change, int64_t due_at_ms)
{
	struct hub_message *m =
		hub_message_new(o, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_DEADLINE_NOTICE);

	if (!m)
		return NULL;
	m->referral.deadline_notice->pool = (char *)pool;
	m->referral.deadline_notice->change = change;
	m->referral.deadline_notice->due_at_ms = due_at_ms;
	return m;
}

static enum ieum_err tell_both(const struct occasion *o, const struct hold *hold, uint32_t wants,
			       uint32_t keeper, Ieum__V1__ClockChange change)
{
	const struct referral *r = referral_at(o->c, hold->referral);
	struct hub_message *m =
		make_notice(o, pool_at(o->c, hold->pool)->name, change, hold->lapses_at_ms);
	enum ieum_err err = IEUM_E_OK;

	if (!m)
		return IEUM_E_NO_MEMORY;
	m->envelope.urgency =
		(Ieum__V1__Urgency)(r->urgency + IEUM__V1__URGENCY__URGENCY_IMMEDIATE);
	m->envelope.in_reply_to = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)r->id };
	m->referral.deadline_notice->started_by_id = m->envelope.in_reply_to;
	if (wants)
		err = hub_message_to(o, m, wants, IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_CLOCK);
	if (!err && keeper)
		err = hub_message_to(o, m, keeper, IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_CLOCK);
	return err ? err : hub_message_end(o, m);
}

enum ieum_err placing_tell_of_end(const struct occasion *o, const struct hold *hold, uint32_t wants,
				  uint32_t keeper)
{
	bool over = hold->lapses_at_ms <= o->now_ms;
	enum ieum_err err = placing_change(o->d, o->c, o->now,
					   &(struct placing_change){
						   .hold = hold,
						   .state = hold->state,
						   .at_ms = over ? 0 : hold->lapses_at_ms,
						   .told = true,
					   });

	return err ? err
		   : tell_both(o, hold, wants, keeper,
			       over ? IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_BREACHED
				    : IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_WARNED);
}

enum ieum_err placing_tell_lapsed(const struct occasion *o, const struct hold *hold, uint32_t wants)
{
	return tell_both(o, hold, wants, hold->keeper,
			 IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_BREACHED);
}

int64_t placing_warns_at(const struct core *c, const struct policy *p, uint32_t pool,
			 int64_t ends_at_ms, int64_t now_ms)
{
	const struct policy_pool *of = policy_pool(p, pool_policy_index(c, pool));

	return of && of->warn_before_ms && ends_at_ms - of->warn_before_ms > now_ms
		       ? ends_at_ms - of->warn_before_ms
		       : 0;
}

/* ---- pools ---- */

/* As it is, to be changed; NULL: no memory. */
static Ieum__V1__PoolDue *due_event(const struct occasion *o, uint32_t number)
{
	Ieum__V1__PoolDue *e = decision_pool_due(o->d, o->now);
	const struct pool *pool = pool_at(o->c, number);

	if (!e)
		return NULL;
	e->pool = number;
	e->renews_at_ms = pool->renews_at_ms;
	e->stale_at_ms = pool->stale_at_ms;
	e->stale_told = pool->stale_told;
	return e;
}

enum ieum_err placing_counted(const struct occasion *o, uint32_t number, int64_t as_of_at_ms)
{
	const struct policy_pool *of = policy_pool(o->p, pool_policy_index(o->c, number));

	if (!of || !*of->stale_after)
		return IEUM_E_OK;
	Ieum__V1__PoolDue *e = due_event(o, number);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->stale_at_ms = policy_due(o->p, as_of_at_ms, of->stale_after);
	e->stale_told = false;
	return IEUM_E_OK;
}

/* What was taken counts no more; what is only held goes on and counts from now on.  While there is
 * more than one decision may hold, the moment stays due. */
static enum ieum_err renew(const struct occasion *o, uint32_t number)
{
	const struct pool *pool = pool_at(o->c, number);
	int index = pool_policy_index(o->c, number);
	enum ieum_err err = IEUM_E_OK;
	unsigned ended = 0;

	for (uint32_t h = pool->first_live; h && !err; h = hold_at(o->c, h)->live_next) {
		const struct hold *hold = hold_at(o->c, h);
		if (hold->state != HOLD(TAKEN))
			continue;
		if (ended++ == RENEWED_AT_ONCE_MAX)
			return IEUM_E_OK;
		err = placing_change(o->d, o->c, o->now,
				     &(struct placing_change){ .hold = hold,
							       .state = HOLD(RETURNED) });
	}
	if (err)
		return err;
	Ieum__V1__PoolDue *e = due_event(o, number);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->renews_at_ms = index == POLICY_NONE ? 0 : policy_pool_renews_at(o->p, index, o->now_ms);
	return IEUM_E_OK;
}

static enum ieum_err tell_stale(const struct occasion *o, uint32_t number)
{
	int index = pool_policy_index(o->c, number);
	const struct policy_pool *of = policy_pool(o->p, index);
	Ieum__V1__PoolDue *e = due_event(o, number);

	if (!e)
		return IEUM_E_NO_MEMORY;
	e->stale_at_ms = 0;
	e->stale_told = true;
	if (!of)
		return IEUM_E_OK;
	struct hub_message *m =
		make_notice(o, of->name, IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_BREACHED,
			    pool_at(o->c, number)->stale_at_ms);
	if (!m)
		return IEUM_E_NO_MEMORY;
	enum ieum_err err = hub_message_to(o, m, placing_keeper(o->p, index),
					   IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_CLOCK);
	for (size_t i = 0; i < of->n_stale_tells && !err; i++)
		err = hub_message_address(o, m, of->stale_tells[i],
					  IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_CLOCK);
	return err ? err : hub_message_end(o, m);
}

enum ieum_err placing_due_pool(const struct core *c, const struct policy *p, core_time_us now,
			       struct core_decision *d)
{
	const struct heap_entry *first = heap_first(&c->places.pools_due);
	struct occasion o;

	if (!first || (int64_t)first->key > to_ms(now))
		return IEUM_E_OK;
	const struct pool *pool = pool_at(c, first->item);
	bool renews = pool->renews_at_ms && pool->renews_at_ms <= to_ms(now);
	enum ieum_err err = occasion_of_time(c, p, d, now, 0, &o);
	if (err)
		return err;
	return renews ? renew(&o, first->item) : tell_stale(&o, first->item);
}
