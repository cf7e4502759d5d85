/* What the journal says of clocks, followed from their start: nothing fires before its time or
 * twice, what stands still does not end, and an end moves only by an event that says so. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/random_internal.h"

struct followed {
	uint64_t id;
	int64_t due_at_ms;
	int64_t warned_until_ms; /* warnings up to then have been given */
	Ieum__V1__ClockChange last;
	bool breached;
};

struct clock_scan {
	struct followed *at;
	size_t n, cap;
};

struct clock_scan *clock_scan_new(void)
{
	struct clock_scan *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	return s;
}

void clock_scan_free(struct clock_scan *s)
{
	free(s->at);
	free(s);
}

static struct followed *follow(struct clock_scan *s, const Ieum__V1__ClockChanged *e)
{
	for (size_t i = s->n; i > 0; i--)
		if (s->at[i - 1].id == e->clock)
			return &s->at[i - 1];
	if (e->change != IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_STARTED)
		return NULL;
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 64;
		s->at = realloc(s->at, s->cap * sizeof *s->at);
		if (!s->at)
			abort();
	}
	s->at[s->n] = (struct followed){ .id = e->clock };
	return &s->at[s->n++];
}

/* What this event may not be after what was before; NULL: all is well. */
static const char *fault(const struct followed *k, const Ieum__V1__ClockChanged *e, int64_t at_ms)
{
	bool by_time = e->message_id.len == 0;

	if (k->last == IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_STOPPED)
		return "changes after it was stopped";
	switch (e->change) {
	case IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_STARTED:
		return k->last             ? "starts twice"
		       : e->due_at_ms <= 0 ? "starts without an end"
					   : NULL;
	case IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_BREACHED:
		if (k->breached)
			return "is breached twice";
		return at_ms < k->due_at_ms ? "is breached before its end" : NULL;
	case IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_WARNED:
		if (k->breached)
			return "warns after its end";
		return at_ms <= k->warned_until_ms ? "warns twice"
		       : at_ms >= k->due_at_ms     ? "warns when it is over"
						   : NULL;
	case IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_RESTARTED:
		return by_time && at_ms < k->due_at_ms ? "comes round before its time" : NULL;
	default: return NULL;
	}
}

void clock_scan_event(struct clock_scan *s, struct world *w, uint64_t seq, int64_t at_ms,
		      const Ieum__V1__ClockChanged *e)
{
	struct followed *k = follow(s, e);
	const char *why = k ? fault(k, e, at_ms) : "was never started";

	if (why)
		world_trouble(w, "clock %llu %s (seq %llu)", (unsigned long long)e->clock, why,
			      (unsigned long long)seq);
	if (!k)
		return;
	if (e->due_at_ms)
		k->due_at_ms = e->due_at_ms;
	if (e->change == IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_WARNED)
		k->warned_until_ms = at_ms;
	k->last = e->change;
	k->breached = e->change == IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_BREACHED;
	w->result->clocks += e->change == IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_STARTED;
	w->result->breaches += k->breached;
}
