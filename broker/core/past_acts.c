/* Times at which a message says that something was done: none of them lies ahead, beyond what the
 * sender's clock may be wrong by.  A deadline that counts from such a time, or is stopped by it,
 * would otherwise be whatever somebody types. */
#include "broker/core/submit.h"

struct past_act {
	const char *field; /* of the body */
	int64_t at_ms;     /* 0: not stated, or the type states none */
};

static struct past_act read_body(const Ieum__V1__Referral *r)
{
	switch (r->body_case) {
	case IEUM__V1__REFERRAL__BODY_EMERGENCY_MEASURE_REPORT:
		return (struct past_act){ "emergency_measure_report.taken_at_ms",
					  r->emergency_measure_report->taken_at_ms };
	case IEUM__V1__REFERRAL__BODY_EMERGENCY_TEMPORARY_MEASURE_NOTICE:
		return (struct past_act){ "emergency_temporary_measure_notice.taken_at_ms",
					  r->emergency_temporary_measure_notice->taken_at_ms };
	case IEUM__V1__REFERRAL__BODY_COURT_FILING_NOTICE:
		return (struct past_act){ "court_filing_notice.filed_at_ms",
					  r->court_filing_notice->filed_at_ms };
	case IEUM__V1__REFERRAL__BODY_PLACEMENT_NOTICE:
		return (struct past_act){ "placement_notice.placed_at_ms",
					  r->placement_notice->placed_at_ms };
	case IEUM__V1__REFERRAL__BODY_PLACE_RETURNED:
		return (struct past_act){ "place_returned.returned_at_ms",
					  r->place_returned->returned_at_ms };
	case IEUM__V1__REFERRAL__BODY_CAPACITY_REPORT:
		return (struct past_act){ "capacity_report.as_of_at_ms",
					  r->capacity_report->as_of_at_ms };
	default: return (struct past_act){ 0 };
	}
}

enum ieum_err submit_check_past_acts(struct submission *s)
{
	int64_t latest_ms = s->now_ms + CORE_ID_FUTURE_MS;
	struct past_act act = read_body(s->from->referral);

	if (s->envelope->occurred_at_ms > latest_ms)
		act = (struct past_act){ "envelope.occurred_at_ms", s->envelope->occurred_at_ms };
	if (act.at_ms <= latest_ms)
		return IEUM_E_OK;
	return decision_refuse(s->d, IEUM_E_FIELD_INVALID, "%s: more than ten minutes ahead",
			       act.field);
}
