/* What always holds of the clocks of cases, counted again; see case_clock.h. */
#include <stdio.h>

#include "broker/core/case_clock.h"
#include "broker/core/cases.h"

static enum ieum_err wrong(char *what, size_t what_bytes, const struct case_clock *k,
			   const char *why)
{
	snprintf(what, what_bytes, "clock %llu %s", (unsigned long long)k->id, why);
	return IEUM_E_JOURNAL_CORRUPT;
}

/* Its next moment, 0: it does nothing of its own accord. */
static int64_t next_moment(const struct case_clock *k)
{
	if (!case_clock_runs(k))
		return 0;
	return k->n_warn ? k->warn_at_ms[0] : k->due_at_ms;
}

static const char *fault(const struct core *c, const struct case_clock *k)
{
	const struct heap *next = &c->case_clocks.next;
	int64_t at_ms = next_moment(k);
	bool ends = case_clock_runs(k) || k->state == CLOCK_STATE(BREACHED);

	if ((at_ms != 0) != (k->place != 0))
		return "runs or is in the heap, but not both";
	if (k->place && (k->place > next->n || next->entries[k->place - 1].key != (uint64_t)at_ms))
		return "waits at the wrong place";
	if (ends != (k->ending != 0))
		return "ends or is in the list of what ends, but not both";
	if ((k->breached_at_ms != 0) != (k->breach != 0))
		return "was breached or is in the list of breaches, but not both";
	if (k->state == CLOCK_STATE(BREACHED) && !k->breached_at_ms)
		return "is breached and nothing says when";
	if ((k->left_ms != 0) != (k->state == CLOCK_STATE(FROZEN)))
		return "has time left or is not frozen";
	for (unsigned i = 1; i < k->n_warn; i++)
		if (k->warn_at_ms[i] <= k->warn_at_ms[i - 1])
			return "warns out of order";
	if (k->n_warn && k->warn_at_ms[k->n_warn - 1] >= k->due_at_ms)
		return "warns after its end";
	if (!*names_text(&c->names, k->name))
		return "has no name";
	if (case_closed(case_at(c, k->core_case)) && !k->outlives_closing && case_clock_open(k))
		return "goes on in a closed case";
	return NULL;
}

enum ieum_err case_clocks_check(const struct core *c, char *what, size_t what_bytes)
{
	uint32_t found = 0, running = 0, listed = 0;

	for (uint64_t seq = seqmap_next(&c->seqs, 1); seq; seq = seqmap_next(&c->seqs, seq + 1)) {
		const struct referral *r = referral_at(c, seqmap_get(&c->seqs, seq));
		if (r->seq != seq || !r->core_case || case_at(c, r->core_case)->seq != seq)
			continue;
		const struct core_case *of = case_at(c, r->core_case);
		for (uint32_t h = of->clocks.head; h; h = case_clock_at(c, h)->next) {
			const struct case_clock *k = case_clock_at(c, h);
			const char *why =
				k->core_case != r->core_case ? "is another case's" : fault(c, k);
			if (why)
				return wrong(what, what_bytes, k, why);
			found++;
			running += case_clock_runs(k);
			listed += k->ending != 0;
		}
	}
	if (found == c->case_clocks.records.live && running == c->case_clocks.next.n &&
	    listed + c->clocks.n == c->ending.nodes.live)
		return IEUM_E_OK;
	snprintf(what, what_bytes, "%u clocks of cases, %u found; %u in the heap, %u run",
		 c->case_clocks.records.live, found, c->case_clocks.next.n, running);
	return IEUM_E_JOURNAL_CORRUPT;
}
