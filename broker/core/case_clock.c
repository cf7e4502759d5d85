/* Clocks of cases; see case_clock.h.  Only what applies events is here. */
#include "broker/core/case_clock.h"

#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/timeline.h"

static void clock_placed(void *core, uint32_t clock, uint32_t place)
{
	case_clock_at(core, clock)->place = place;
}

void case_clocks_init(struct core *c)
{
	slab_init(&c->case_clocks.records, sizeof(struct case_clock));
	heap_init(&c->case_clocks.next, clock_placed, c);
	deadlines_init(&c->ending);
	deadlines_init(&c->breaches);
}

void case_clocks_deinit(struct core *c)
{
	slab_deinit(&c->case_clocks.records);
	heap_deinit(&c->case_clocks.next);
	deadlines_deinit(&c->ending);
	deadlines_deinit(&c->breaches);
}

/* ---- one clock ---- */

static void take_warnings(struct case_clock *k, const Ieum__V1__ClockChanged *e)
{
	k->n_warn = 0;
	for (size_t i = 0; i < e->n_warn_at_ms && k->n_warn < POLICY_CLOCK_WARNINGS_MAX; i++)
		k->warn_at_ms[k->n_warn++] = e->warn_at_ms[i];
}

void case_clock_change(struct case_clock *k, const Ieum__V1__ClockChanged *e)
{
	if (e->due_at_ms)
		k->due_at_ms = e->due_at_ms;
	take_warnings(k, e);
	switch (e->change) {
	case CLOCK_CHANGE(STARTED):
	case CLOCK_CHANGE(RESTARTED):
		k->state = CLOCK_STATE(RUNNING);
		k->from_at_ms = e->from_at_ms;
		k->began_at_ms = e->began_at_ms ? e->began_at_ms : e->from_at_ms;
		k->extensions = 0;
		k->left_ms = 0;
		break;
	case CLOCK_CHANGE(EXTENDED):
		k->extensions = e->extensions;
		k->left_ms = e->left_ms;
		break;
	case CLOCK_CHANGE(FROZEN):
		k->state = CLOCK_STATE(FROZEN);
		k->left_ms = e->left_ms;
		break;
	case CLOCK_CHANGE(RESUMED):
		k->state = CLOCK_STATE(RUNNING);
		k->left_ms = 0;
		break;
	case CLOCK_CHANGE(STOPPED):
		k->state = CLOCK_STATE(STOPPED);
		k->left_ms = 0;
		break;
	case CLOCK_CHANGE(BREACHED):
		k->state = CLOCK_STATE(BREACHED);
		k->breached_at_ms = k->due_at_ms;
		break;
	default: break; /* warned */
	}
}

/* Into the heap and the lists, or out of them, as its state says. */
static enum ieum_err list_clock(struct core *c, uint32_t h)
{
	struct case_clock *k = case_clock_at(c, h);
	struct heap *next = &c->case_clocks.next;
	struct deadline what = { .tie = k->id, .item = h };
	enum ieum_err err = IEUM_E_OK;

	if (case_clock_runs(k)) {
		uint64_t at = (uint64_t)(k->n_warn ? k->warn_at_ms[0] : k->due_at_ms);
		if (k->place)
			heap_rekey(next, k->place, at, k->id);
		else
			err = heap_push(next, at, k->id, h);
	} else if (k->place) {
		heap_remove(next, k->place);
	}
	bool ends = case_clock_runs(k) || k->state == CLOCK_STATE(BREACHED);
	what.at_ms = ends ? k->due_at_ms : 0;
	if (!err)
		err = deadlines_set(&c->ending, &k->ending, &what);
	what.at_ms = k->breached_at_ms;
	if (!err)
		err = deadlines_set(&c->breaches, &k->breach, &what);
	return err;
}

static void drop_clock(struct core *c, uint32_t h)
{
	struct case_clock *k = case_clock_at(c, h);
	struct core_case *of = case_at(c, k->core_case);

	k->state = CLOCK_STATE(STOPPED);
	k->breached_at_ms = 0;
	(void)!list_clock(c, h); /* only takes out: needs no memory */
	*(k->prev ? &case_clock_at(c, k->prev)->next : &of->clocks.head) = k->next;
	*(k->next ? &case_clock_at(c, k->next)->prev : &of->clocks.tail) = k->prev;
	of->n_clocks--;
	slab_put(&c->case_clocks.records, h);
}

/* A full case forgets what was stopped in time, the oldest first. */
static enum ieum_err make_room(struct core *c, struct core_case *of)
{
	uint32_t oldest = of->clocks.head;

	if (of->n_clocks < CASE_CLOCKS_MAX)
		return IEUM_E_OK;
	while (oldest && !case_clock_spare(case_clock_at(c, oldest)))
		oldest = case_clock_at(c, oldest)->next;
	if (!oldest)
		return IEUM_E_JOURNAL_CORRUPT;
	drop_clock(c, oldest);
	return IEUM_E_OK;
}

enum ieum_err case_clock_restore(struct core *c, uint32_t h, uint32_t ch)
{
	struct case_clock *k = case_clock_at(c, h);
	struct core_case *of = case_at(c, ch);

	k->core_case = ch;
	k->prev = of->clocks.tail;
	k->next = 0;
	*(of->clocks.tail ? &case_clock_at(c, of->clocks.tail)->next : &of->clocks.head) = h;
	of->clocks.tail = h;
	of->n_clocks++;
	return list_clock(c, h);
}

/* ---- applying ---- */

static enum ieum_err start_clock(struct core *c, const Ieum__V1__ClockChanged *e, uint32_t *out)
{
	uint32_t ch = e->case_id.len == CORE_ID_BYTES ? state_case(c, e->case_id.data) : 0;

	if (!ch || e->due_at_ms <= 0 || e->started_by_id.len > CORE_ID_BYTES)
		return IEUM_E_JOURNAL_CORRUPT;
	enum ieum_err err = make_room(c, case_at(c, ch));
	if (err)
		return err;
	uint32_t name = names_number(&c->names, e->name);
	uint32_t h = name ? slab_get(&c->case_clocks.records) : 0;
	if (!h)
		return IEUM_E_NO_MEMORY;
	struct case_clock *k = case_clock_at(c, h);
	k->id = e->clock;
	k->name = (uint16_t)name;
	k->outlives_closing = e->outlives_closing;
	k->ends_well = e->ends_well;
	if (e->started_by_id.len)
		memcpy(k->started_by, e->started_by_id.data, e->started_by_id.len);
	case_clock_change(k, e);
	*out = h;
	return case_clock_restore(c, h, ch);
}

static uint32_t find_clock(const struct core *c, const ProtobufCBinaryData *case_id, uint64_t id)
{
	uint32_t ch = case_id->len == CORE_ID_BYTES ? state_case(c, case_id->data) : 0;
	uint32_t h = ch ? case_at(c, ch)->clocks.head : 0;

	while (h && case_clock_at(c, h)->id != id)
		h = case_clock_at(c, h)->next;
	return h;
}

/* Traffic that starts a clock anew is in the timeline already. */
static bool is_told(const Ieum__V1__ClockChanged *e)
{
	return e->change != CLOCK_CHANGE(RESTARTED) || !e->message_id.len;
}

static enum ieum_err tell(struct core *c, const struct applied *a, uint32_t h,
			  const Ieum__V1__ClockChanged *e)
{
	const struct case_clock *k = case_clock_at(c, h);
	uint32_t by =
		e->message_id.len == CORE_ID_BYTES ? state_referral(c, e->message_id.data) : 0;

	if (!is_told(e))
		return IEUM_E_OK;
	struct entry *line =
		apply_entry(c, k->core_case, a, IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_CLOCK, by);
	if (!line)
		return IEUM_E_NO_MEMORY;
	line->what = (uint8_t)e->change;
	entry_set_name(line, k->name);
	line->due_at_ms = k->state == CLOCK_STATE(FROZEN) ? 0 : k->due_at_ms;
	return IEUM_E_OK;
}

enum ieum_err apply_clock_changed(struct core *c, const struct applied *a,
				  const Ieum__V1__ClockChanged *e)
{
	uint32_t h = 0;
	enum ieum_err err = IEUM_E_OK;

	if (e->change == CLOCK_CHANGE(STARTED)) {
		err = start_clock(c, e, &h);
	} else {
		h = find_clock(c, &e->case_id, e->clock);
		if (!h || !case_clock_open(case_clock_at(c, h)))
			return IEUM_E_JOURNAL_CORRUPT;
		case_clock_change(case_clock_at(c, h), e);
		err = list_clock(c, h);
	}
	return err ? err : tell(c, a, h, e);
}

/* ---- with its case ---- */

void case_clocks_close(struct core *c, uint32_t ch)
{
	for (uint32_t h = case_at(c, ch)->clocks.head; h; h = case_clock_at(c, h)->next) {
		struct case_clock *k = case_clock_at(c, h);
		if (k->outlives_closing || !case_clock_open(k))
			continue;
		k->state = CLOCK_STATE(STOPPED);
		k->n_warn = 0;
		k->left_ms = 0;
		(void)!list_clock(c, h); /* only takes out: needs no memory */
	}
}

void case_clocks_forget(struct core *c, uint32_t ch)
{
	while (case_at(c, ch)->clocks.head)
		drop_clock(c, case_at(c, ch)->clocks.head);
}

bool case_clocks_going(const struct core *c, const struct core_case *of)
{
	for (uint32_t h = of->clocks.head; h; h = case_clock_at(c, h)->next) {
		if (case_clock_going(case_clock_at(c, h)))
			return true;
	}
	return false;
}

uint32_t case_clocks_breached(const struct core *c, const struct core_case *of)
{
	uint32_t n = 0;

	for (uint32_t h = of->clocks.head; h; h = case_clock_at(c, h)->next)
		n += case_clock_at(c, h)->state == CLOCK_STATE(BREACHED);
	return n;
}

int64_t case_clocks_next_end(const struct core *c, const struct core_case *of)
{
	int64_t end_ms = 0;

	for (uint32_t h = of->clocks.head; h; h = case_clock_at(c, h)->next) {
		const struct case_clock *k = case_clock_at(c, h);
		if (case_clock_runs(k) && (!end_ms || k->due_at_ms < end_ms))
			end_ms = k->due_at_ms;
	}
	return end_ms;
}
