/* How long payloads are kept. */
#include "broker/policy/calendar.h"
#include "broker/policy/compiled.h"

int64_t policy_kept_until(const struct policy *p, Ieum__V1__MessageType type, int64_t received_ms)
{
	struct yaml_duration kept = policy_retention(p, type);

	return kept.amount ? calendar_add(&p->calendar, received_ms, kept) : INT64_MAX;
}

/* Months differ, so there is no way back but to try: the sum never falls as its start rises. */
int64_t policy_aged_at(const struct policy *p, Ieum__V1__MessageType type, int64_t now_ms)
{
	int64_t aged = 0;
	int64_t kept = now_ms;

	if (policy_kept_until(p, type, aged) > now_ms)
		return INT64_MIN;
	while (kept - aged > 1) {
		int64_t middle = aged + (kept - aged) / 2;

		if (policy_kept_until(p, type, middle) <= now_ms)
			aged = middle;
		else
			kept = middle;
	}
	return aged;
}
