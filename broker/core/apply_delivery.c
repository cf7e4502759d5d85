/* Applying what happens to deliveries; see apply.h. */
#include "broker/core/apply.h"
#include "broker/core/cases.h"
#include "broker/core/mailbox.h"
#include "broker/core/timeline.h"

static enum ieum_err case_told(struct core *c, const struct applied *a, const struct delivery *d,
			       Ieum__V1__TimelineKind kind, uint32_t actor)
{
	uint32_t ch = referral_at(c, d->referral)->core_case;

	if (!ch)
		return IEUM_E_OK;
	struct entry *line = timeline_add(&case_at(c, ch)->timeline);
	if (!line)
		return IEUM_E_NO_MEMORY;
	line->seq = a->seq;
	line->at_ms = to_ms(a->at_us);
	line->referral = d->referral;
	line->kind = (uint8_t)kind;
	line->what = d->cause;
	line->mailbox = d->mailbox;
	line->actor = actor;
	case_touch(c, ch, line->at_ms);
	return IEUM_E_OK;
}

enum ieum_err apply_released(struct core *c, const struct applied *a,
			     const Ieum__V1__DeliveriesReleased *e)
{
	uint32_t kh = state_connection(c, e->connection);
	enum ieum_err err = IEUM_E_OK;

	if (!kh)
		return IEUM_E_JOURNAL_CORRUPT;
	for (size_t i = 0; i < e->n_deliveries && !err; i++) {
		bool first_time = false;
		uint32_t dh = state_delivery(c, e->deliveries[i]);
		if (!dh)
			return IEUM_E_JOURNAL_CORRUPT;
		err = mailbox_release(c, dh, kh, to_ms(a->at_us), &first_time);
		if (!err && first_time)
			err = case_told(c, a, delivery_at(c, dh),
					IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_DELIVERED,
					connection_at(c, kh)->actor);
	}
	return err;
}

enum ieum_err apply_settled(struct core *c, const Ieum__V1__DeliveriesSettled *e)
{
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < e->n_deliveries && !err; i++) {
		uint32_t dh = state_delivery(c, e->deliveries[i]);
		err = dh ? mailbox_end(c, dh, DELIVERY_SETTLED, NULL) : IEUM_E_JOURNAL_CORRUPT;
	}
	return err;
}

enum ieum_err apply_returned(struct core *c, const Ieum__V1__DeliveriesReturned *e)
{
	bool handed_back = e->cause == IEUM__V1__RETURN_CAUSE__RETURN_CAUSE_RELEASED;
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < e->n_deliveries && !err; i++) {
		uint32_t dh = state_delivery(c, e->deliveries[i]);
		err = dh ? mailbox_fail(c, dh, e->not_before_at_ms, handed_back)
			 : IEUM_E_JOURNAL_CORRUPT;
	}
	return err;
}

enum ieum_err apply_requeued(struct core *c, const Ieum__V1__DeliveriesRequeued *e)
{
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < e->n_deliveries && !err; i++) {
		uint32_t dh = state_delivery(c, e->deliveries[i]);
		err = dh ? mailbox_requeue(c, dh) : IEUM_E_JOURNAL_CORRUPT;
	}
	return err;
}

enum ieum_err apply_dead_lettered(struct core *c, const struct applied *a,
				  const Ieum__V1__DeliveriesDeadLettered *e)
{
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < e->n_deliveries && !err; i++) {
		uint32_t dh = state_delivery(c, e->deliveries[i]);
		err = dh ? mailbox_end(c, dh, DELIVERY_DEAD, e->why) : IEUM_E_JOURNAL_CORRUPT;
		if (!err)
			err = case_told(c, a, delivery_at(c, dh),
					IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_DEAD_LETTERED, 0);
	}
	return err;
}
