/* The times of a case's clocks: from when they count, when they warn, end, and end later. */
#include <string.h>

#include "broker/policy/compiled.h"

size_t policy_clocks(const struct policy *p)
{
	return p->n_clocks;
}

const struct policy_clock *policy_clock(const struct policy *p, int index)
{
	return index >= 0 && (size_t)index < p->n_clocks ? &p->clocks[index].is : NULL;
}

int policy_find_clock(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_clocks; i++)
		if (strcmp(p->clocks[i].is.name, name) == 0)
			return (int)i;
	return POLICY_NONE;
}

/* A time of the body; 0: it has none of that name, or does not state it. */
static int64_t body_time(const Ieum__V1__Referral *r, const char *name)
{
	const ProtobufCMessage *body =
		r && r->body_case ? (const ProtobufCMessage *)r->report_received : NULL;
	const ProtobufCFieldDescriptor *field =
		body ? protobuf_c_message_descriptor_get_field_by_name(body->descriptor, name)
		     : NULL;
	int64_t at_ms = 0;

	if (field && field->type == PROTOBUF_C_TYPE_INT64 &&
	    field->label != PROTOBUF_C_LABEL_REPEATED)
		memcpy(&at_ms, (const char *)body + field->offset, sizeof at_ms);
	return at_ms;
}

int64_t policy_clock_from(const struct policy *p, int index, const Ieum__V1__Referral *referral,
			  int64_t occurred_at_ms, int64_t now_ms)
{
	const struct clock *k = &p->clocks[index];
	int64_t stated_ms = k->from_field ? body_time(referral, k->from_field) : 0;

	if (stated_ms)
		return stated_ms;
	return k->is.from_received || !occurred_at_ms ? now_ms : occurred_at_ms;
}

int64_t policy_acted_at(const struct policy_act *act, const Ieum__V1__Referral *referral)
{
	return act->acted_at ? body_time(referral, act->acted_at) : 0;
}

int64_t policy_clock_end(const struct policy *p, int index, int64_t from_ms)
{
	return calendar_add(&p->calendar, from_ms, p->clocks[index].within);
}

int64_t policy_clock_round(const struct policy *p, int index, int64_t *began_ms, int64_t from_ms)
{
	return calendar_round(&p->calendar, began_ms, from_ms, p->clocks[index].within);
}

/* Keeps warn_ms ascending and without repeats. */
static void add_warning(int64_t *warn_ms, size_t *n, int64_t at_ms)
{
	size_t at = *n;

	for (size_t i = 0; i < *n; i++)
		if (warn_ms[i] == at_ms)
			return;
	if (*n == POLICY_CLOCK_WARNINGS_MAX)
		return;
	for (; at > 0 && warn_ms[at - 1] > at_ms; at--)
		warn_ms[at] = warn_ms[at - 1];
	warn_ms[at] = at_ms;
	(*n)++;
}

size_t policy_clock_warnings(const struct policy *p, int index, int64_t began_ms, int64_t from_ms,
			     int64_t end_ms, int64_t warn_ms[POLICY_CLOCK_WARNINGS_MAX])
{
	const struct clock *k = &p->clocks[index];
	int64_t put_off_ms = end_ms - policy_clock_round(p, index, &began_ms, from_ms);
	size_t n = 0;

	for (size_t i = 0; i < k->n_warn; i++) {
		int64_t at_ms = calendar_add(&p->calendar, from_ms, k->warn[i]) + put_off_ms;
		if (at_ms < end_ms)
			add_warning(warn_ms, &n, at_ms);
	}
	for (size_t i = 0; i < k->n_warn_before; i++) {
		int64_t before_ms;
		if (yaml_duration_ms(k->warn_before[i], &before_ms) && end_ms - before_ms > from_ms)
			add_warning(warn_ms, &n, end_ms - before_ms);
	}
	return n;
}

static bool lies_within(const struct policy *p, unsigned days, int64_t from_ms, int64_t end_ms)
{
	const struct calendar *c = &p->calendar;
	int64_t day = calendar_day(c, from_ms);
	int64_t last = calendar_day(c, end_ms - 1);

	if (last - day > CALENDAR_DAYS_MAX)
		last = day + CALENDAR_DAYS_MAX;
	for (; day <= last; day++) {
		if (days & 1U << calendar_weekday(day))
			return true;
		if (days & 1U << CLOCK_DAY_HOLIDAY && calendar_is_holiday(c, day))
			return true;
	}
	return false;
}

int64_t policy_clock_extended(const struct policy *p, int index, int64_t from_ms, int64_t end_ms)
{
	const struct clock *k = &p->clocks[index];

	if (k->extension_days && !lies_within(p, k->extension_days, from_ms, end_ms))
		return 0;
	return calendar_add(&p->calendar, end_ms, k->extended_by);
}

const char *policy_clock_days(const struct policy *p, int index)
{
	return p->clocks[index].extension_words;
}
