/* The sections about the hub as a whole: hub, calendar, limits, types, retention, domains. */
#include "broker/policy/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/policy/zone.h"
#include "ieum/v1/types.pb-c.h"

enum {
	HOLIDAYS_MAX = 2000,
	MIN_MS = 60 * 1000,
	HOUR_MS = 60 * MIN_MS,
	OFFSET_HOURS_MAX = 14,
};

static const int64_t DAY_MS = 24LL * HOUR_MS;
#define HOLIDAYS_WARN_BEFORE_MS (60 * DAY_MS) /* when the file does not say */

static bool is_hub_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-");

	return name[n] == '\0' && *name != '.' && *name != '-' && name[n - 1] != '.';
}

/* "+09:00", or the name of a zone in the IANA database. */
static void load_time_zone(struct loader *l, const struct yaml_node *node)
{
	const char *text;
	int minutes;

	if (!yaml_read_text(node, POLICY_NAME_BYTES - 1, l->diag, &text))
		return;
	if (*text != '+' && *text != '-') {
		(void)zone_load(l, node, &l->p->calendar);
		return;
	}
	if (!yaml_parse_clock(text + 1, &minutes) || minutes > OFFSET_HOURS_MAX * 60) {
		yaml_mistake(l->diag, node,
			     "'%s' is no offset from UTC; write \"+09:00\", or a name such as "
			     "Asia/Seoul",
			     text);
		return;
	}
	l->p->calendar.offset_min = *text == '-' ? -minutes : minutes;
}

void load_hub(struct loader *l)
{
	const struct yaml_node *hub = load_section(l, "hub", YAML_MAP, 16);
	const struct yaml_node *name, *jurisdiction, *zone;
	const char *text;

	if (!hub)
		return;
	(void)yaml_schema_check(hub, &schema_hub, l->diag);
	name = yaml_require(hub, "name", l->diag);
	jurisdiction = yaml_require(hub, "jurisdiction", l->diag);
	zone = yaml_require(hub, "time_zone", l->diag);
	if (name && yaml_read_text(name, POLICY_NAME_BYTES - 1, l->diag, &text)) {
		if (is_hub_name(text))
			(void)snprintf(l->p->hub, sizeof l->p->hub, "%s", text);
		else
			yaml_mistake(
				l->diag, name,
				"'%s' is no hub name; use lower-case letters, digits, '.' and '-', "
				"for example gimpo.ieum",
				text);
	}
	load_title(l, hub, &l->p->title_en, &l->p->title_ko);
	if (jurisdiction)
		(void)load_jurisdiction(l, jurisdiction, l->p->jurisdiction);
	if (zone)
		load_time_zone(l, zone);
}

static void load_working_hours(struct loader *l, const struct yaml_node *node)
{
	struct calendar_hours hours;

	if (!load_hours(l, node, &hours))
		return;
	l->p->calendar.open_min = hours.open_min;
	l->p->calendar.close_min = hours.close_min;
	l->p->calendar.own = hours.own;
}

static void load_weekend(struct loader *l, const struct yaml_node *node)
{
	const char *const *days = load_weekdays;
	size_t day;

	if (!yaml_check_seq(node, 0, 6, l->diag))
		return;
	for (size_t i = 0; i < yaml_count(node); i++) {
		if (!yaml_read_word(yaml_at(node, i), days, l->diag, &day))
			continue;
		if (l->p->calendar.weekend & 1U << day)
			yaml_mistake(l->diag, yaml_at(node, i),
				     "'%s' is in this list twice; once is enough", days[day]);
		l->p->calendar.weekend |= 1U << day;
	}
}

static int by_day(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void load_holidays(struct loader *l, const struct yaml_node *node)
{
	size_t n = 0;

	if (!yaml_check_seq(node, 0, HOLIDAYS_MAX, l->diag))
		return;
	int64_t *days = load_alloc(l, yaml_count(node), sizeof *days);

	if (!days)
		return;
	for (size_t i = 0; i < yaml_count(node); i++) {
		if (!yaml_read_date(yaml_at(node, i), l->diag, &days[n]))
			continue;
		for (size_t k = 0; k < n; k++) {
			if (days[k] != days[n])
				continue;
			yaml_mistake(l->diag, yaml_at(node, i),
				     "holiday %s is in this list twice; once is enough",
				     yaml_text(yaml_at(node, i)));
			break;
		}
		n++;
	}
	qsort(days, n, sizeof *days, by_day);
	l->p->calendar.holidays = days;
	l->p->calendar.n_holidays = n;
}

/* Until when the list is complete: from then on business days and what the law says of holidays
 * would be counted wrongly, without anybody noticing. */
static void load_holidays_end(struct loader *l, const struct yaml_node *node)
{
	struct calendar *c = &l->p->calendar;
	const struct yaml_node *until = yaml_get(node, "holidays_until");
	int64_t day;

	c->warn_before_ms = HOLIDAYS_WARN_BEFORE_MS;
	(void)yaml_schema_opt_span_ms(node, &schema_calendar, "warn_before", l->diag,
				      &c->warn_before_ms);
	if (c->n_holidays > 0)
		c->holidays_until_day = c->holidays[c->n_holidays - 1];
	if (!until || !yaml_read_date(until, l->diag, &day))
		return;
	if (c->n_holidays > 0 && day < c->holidays_until_day)
		yaml_mistake(l->diag, until,
			     "the list has a holiday after %s, the day until which it is complete",
			     yaml_text(until));
	c->holidays_until_day = day;
}

void load_calendar(struct loader *l)
{
	const struct yaml_node *calendar = load_section(l, "calendar", YAML_MAP, 16);

	l->p->calendar.open_min = 0;
	l->p->calendar.close_min = 24 * 60;
	l->p->calendar.holidays_until_day = INT64_MAX;
	if (!calendar)
		return;
	(void)yaml_schema_check(calendar, &schema_calendar, l->diag);
	const struct yaml_node *hours = yaml_require(calendar, "working_hours", l->diag);
	const struct yaml_node *weekend = yaml_require(calendar, "weekend", l->diag);
	const struct yaml_node *holidays = yaml_get(calendar, "holidays");
	if (hours)
		load_working_hours(l, hours);
	if (weekend)
		load_weekend(l, weekend);
	if (holidays)
		load_holidays(l, holidays);
	load_holidays_end(l, calendar);
}

void load_limits(struct loader *l)
{
	const struct yaml_node *limits = yaml_get(l->root, "limits");
	const struct yaml_schema *s = &schema_limits;
	struct policy_limits *out = &l->p->limits;
	int64_t attempts = 8, messages = 100000, bytes = 256LL * 1024 * 1024;

	*out = (struct policy_limits){
		.id_window_ms = 30 * DAY_MS,
		.settle_within_ms = MIN_MS,
		.redeliver_min_ms = 1000,
		.redeliver_max_ms = 5LL * MIN_MS,
	};
	if (limits && yaml_schema_check(limits, s, l->diag)) {
		(void)yaml_schema_opt_span_ms(limits, s, "id_window", l->diag, &out->id_window_ms);
		(void)yaml_schema_opt_span_ms(limits, s, "settle_within", l->diag,
					      &out->settle_within_ms);
		(void)yaml_schema_opt_span_ms(limits, s, "redeliver_min", l->diag,
					      &out->redeliver_min_ms);
		(void)yaml_schema_opt_span_ms(limits, s, "redeliver_max", l->diag,
					      &out->redeliver_max_ms);
		(void)yaml_schema_opt_int(limits, s, "attempts_max", l->diag, &attempts);
		(void)yaml_schema_opt_int(limits, s, "queue_messages_max", l->diag, &messages);
		(void)yaml_schema_opt_bytes(limits, s, "queue_bytes_max", l->diag, &bytes);
	}
	if (out->redeliver_min_ms > out->redeliver_max_ms)
		yaml_mistake(
			l->diag, limits,
			"redeliver_min is longer than redeliver_max; it grows from one to the other");
	out->attempts_max = (uint32_t)attempts;
	out->queue_messages_max = (uint32_t)messages;
	out->queue_bytes_max = (uint64_t)bytes;
}

void load_sealed(struct loader *l)
{
	const struct yaml_node *sealed = yaml_get(l->root, "sealed");

	l->p->limits.wrap_within_ms = 15LL * MIN_MS;
	if (sealed && yaml_schema_check(sealed, &schema_sealed, l->diag))
		(void)yaml_schema_opt_span_ms(sealed, &schema_sealed, "wrap_within", l->diag,
					      &l->p->limits.wrap_within_ms);
}

/* Reads the key as a message type, or `default` as 0. */
static bool type_or_default(struct loader *l, const struct yaml_node *key, int *type)
{
	*type = 0;
	return strcmp(yaml_text(key), "default") == 0 ||
	       load_enum(l, key, &ieum__v1__message_type__descriptor, "message type", type);
}

static void load_more_time(struct loader *l, const struct yaml_node *node, struct policy_type *out)
{
	const struct yaml_node *most;
	struct yaml_duration parsed;
	int64_t times = 0;

	if (!node || !yaml_schema_check(node, &schema_more_time, l->diag))
		return;
	out->more_time = NULL;
	out->more_times = 0;
	if ((most = yaml_get(node, "at_most")))
		(void)load_within(l, most, &parsed, &out->more_time);
	if (yaml_opt_int(node, "times", 1, POLICY_MORE_TIMES_MAX, l->diag, &times))
		out->more_times = (uint32_t)times;
}

static void load_type(struct loader *l, const struct yaml_node *node, struct policy_type *out)
{
	const struct yaml_node *answer = yaml_get(node, "acts_as_answer");
	int kind = 0;

	if (!yaml_schema_check(node, &schema_type, l->diag))
		return;
	(void)yaml_opt_bool(node, "needs_case", l->diag, &out->needs_case);
	(void)yaml_opt_bool(node, "may_open", l->diag, &out->may_open);
	(void)yaml_opt_bool(node, "needs_basis", l->diag, &out->needs_basis);
	(void)yaml_opt_bool(node, "needs_reply_to", l->diag, &out->needs_reply_to);
	load_more_time(l, yaml_get(node, "more_time"), out);
	if (answer &&
	    load_enum(l, answer, &ieum__v1__answer_kind__descriptor, "kind of answer", &kind))
		out->acts_as_answer = (Ieum__V1__AnswerKind)kind;
}

void load_types(struct loader *l)
{
	const struct yaml_node *types = load_section(l, "types", YAML_MAP, POLICY_TYPES);
	const struct yaml_node *fallback = yaml_get(types, "default");
	int type;

	if (fallback)
		load_type(l, fallback, &l->p->types[0]);
	for (size_t i = 1; i < POLICY_TYPES; i++)
		l->p->types[i] = l->p->types[0];
	for (size_t i = 0; i < yaml_count(types); i++) {
		if (type_or_default(l, yaml_key_at(types, i), &type) && type != 0)
			load_type(l, yaml_at(types, i), &l->p->types[type]);
	}
}

void load_retention(struct loader *l)
{
	const struct yaml_node *retention = yaml_get(l->root, "retention");
	const char *text;
	int type;

	if (!retention)
		return;
	if (yaml_kind(retention) != YAML_MAP) {
		yaml_mistake(l->diag, retention,
			     "'retention' must be a map, for example {default: 5 years}");
		return;
	}
	if (yaml_get(retention, "default"))
		(void)load_within(l, yaml_get(retention, "default"), &l->p->retention[0], &text);
	for (size_t i = 1; i < POLICY_TYPES; i++)
		l->p->retention[i] = l->p->retention[0];
	for (size_t i = 0; i < yaml_count(retention); i++) {
		if (type_or_default(l, yaml_key_at(retention, i), &type) && type != 0)
			(void)load_within(l, yaml_at(retention, i), &l->p->retention[type], &text);
	}
}

void load_domains(struct loader *l)
{
	const struct yaml_node *domains = yaml_get(l->root, "domains");
	struct policy *p = l->p;
	size_t n = yaml_count(domains);
	char name[POLICY_NAME_BYTES];

	if (domains && !yaml_check_seq(domains, 1, POLICY_DOMAINS_MAX, l->diag))
		n = 0;
	p->domains = load_alloc(l, n, sizeof *p->domains);
	p->domain_words = load_alloc(l, n + 1, sizeof *p->domain_words);
	if (l->no_memory)
		return;
	for (size_t i = 0; i < n; i++) {
		const struct yaml_node *node = yaml_at(domains, i);

		if (!load_name(l, node, '_', name))
			continue;
		if (policy_find_domain(p, name, strlen(name)) != POLICY_NONE)
			yaml_mistake(l->diag, node, "'%s' is in this list twice; once is enough",
				     name);
		p->domains[p->n_domains].name = load_copy(l, name);
		p->domain_words[p->n_domains] = p->domains[p->n_domains].name;
		if (l->no_memory)
			return;
		p->n_domains++;
	}
}
