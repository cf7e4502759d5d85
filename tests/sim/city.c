/* A random city's hub file, section by section; see city.h. */
#include "tests/sim/city.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/city_internal.h"

/* splitmix64 */
uint64_t city_random(struct city *c, uint64_t n)
{
	uint64_t z = *c->random += 0x9E3779B97F4A7C15u;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	z ^= z >> 31;
	return n ? z % n : z;
}

bool city_once_in(struct city *c, uint64_t n)
{
	return city_random(c, n) == 0;
}

const char *city_one_of(struct city *c, const char *const *texts)
{
	size_t n = 0;

	while (texts[n])
		n++;
	return texts[city_random(c, n)];
}

void city_add(char *text, size_t bytes, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	int more = vsnprintf(text + used, bytes - used, format, args);
	va_end(args);
	if (more < 0 || (size_t)more >= bytes - used)
		abort();
}

/* Zones with and without daylight saving, on both halves of the globe. */
static void print_hub(struct city *c)
{
	static const char *const zones[] = { "Asia/Seoul",
					     "\"+09:00\"",
					     "Europe/Berlin",
					     "America/New_York",
					     "Australia/Sydney",
					     "Asia/Kathmandu",
					     NULL };

	fprintf(c->out,
		"hub:\n  name: city.ieum\n  title: {en: City, ko: 도시}\n"
		"  jurisdiction: \"41570\"\n  time_zone: %s\n",
		city_one_of(c, zones));
}

static void print_calendar(struct city *c)
{
	static const char *const hours[] = {
		"\"09:00-18:00\"",
		"\"08:30-17:00\"",
		"\"00:00-24:00\"",
		"\"10:00-14:00\"",
		"{default: \"09:00-18:00\", sunday: \"10:00-12:00\", monday: \"13:00-20:00\"}",
		NULL
	};
	static const char *const weekends[] = { "saturday, sunday", "friday, saturday", "sunday",
						"", NULL };
	unsigned n = (unsigned)city_random(c, 12);

	fprintf(c->out, "calendar:\n  working_hours: %s\n  weekend: [%s]\n", city_one_of(c, hours),
		city_one_of(c, weekends));
	if (n == 0)
		return;
	fprintf(c->out, "  holidays:\n");
	for (unsigned i = 0; i < n; i++)
		fprintf(c->out, "    - 2026-%02u-%02u\n", 1 + i % 12,
			(unsigned)(1 + city_random(c, 28)));
}

/* Most of them need a case and a basis; what may open one is the city's. */
static void print_types(struct city *c)
{
	char word[64];

	fprintf(c->out, "types:\n  default: {needs_case: true, needs_basis: %s}\n",
		city_once_in(c, 3) ? "false" : "true");
	for (int type = 1; type < CITY_TYPES; type++) {
		if (!(c->may_open & BIT(type)))
			continue;
		city_type_word(type, word, sizeof word);
		fprintf(c->out, "  %s: {may_open: true%s%s}\n", word,
			city_once_in(c, 3) ? ", needs_case: false" : "",
			city_once_in(c, 3) ? ", more_time: {at_most: 3 d, times: 2}" : "");
	}
	fprintf(c->out,
		"  answer: {needs_case: false, needs_basis: false, needs_reply_to: true}\n"
		"  information_response: {needs_case: false, needs_reply_to: true, acts_as_answer: complete}\n"
		"  capacity_report: {needs_case: false, needs_basis: false}\n"
		"  place_returned: {needs_basis: false}\n"
		"  risk_signal: {needs_case: false}\n"
		"  jurisdiction_change: {needs_case: false}\n"
		"  handover_manifest: {needs_case: false}\n"
		"  conference_call: {needs_case: false}\n"
		"  conference_minutes: {needs_case: false}\n"
		"  consent_withdrawal: {needs_basis: false}\n"
		"  identity_disclosure: {acts_as_answer: complete}\n");
}

/* Small numbers, so that they are reached. */
static void print_limits(struct city *c)
{
	static const char *const windows[] = { "30 d", "10 d", "90 d", NULL };
	static const char *const settles[] = { "60 s", "10 min", "5 s", NULL };

	fprintf(c->out, "limits: {id_window: %s, settle_within: %s, attempts_max: %u",
		city_one_of(c, windows), city_one_of(c, settles),
		(unsigned)(2 + city_random(c, 8)));
	if (city_once_in(c, 4))
		fprintf(c->out, ", queue_messages_max: %u", (unsigned)(20 + city_random(c, 200)));
	fprintf(c->out, "}\nretention: {default: %u months, risk_signal: 30 d}\n",
		(unsigned)(1 + city_random(c, 24)));
	if (city_once_in(c, 2))
		fprintf(c->out, "notification: {en: Please look., ko: 확인하십시오.}\n");
}

static void choose_opening(struct city *c)
{
	static const int types[] = { TYPE(MUTUAL_NOTIFICATION),
				     TYPE(INFORMATION_REQUEST),
				     TYPE(VISIT_REQUEST),
				     TYPE(WAITLIST_ENTRY),
				     TYPE(CHECKIN),
				     TYPE(DISPATCH_REQUEST) };

	c->may_open = BIT(TYPE(REPORT_RECEIVED));
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (city_once_in(c, 2))
			c->may_open |= BIT(types[i]);
}

char *city_hub_file(uint64_t seed, unsigned edition, size_t *len)
{
	struct city *c = calloc(1, sizeof *c);
	char *text = NULL;

	if (!c)
		abort();
	c->seed = seed;
	c->edition = edition;
	c->who = seed * 2 + 1;
	c->leaving = (seed + 2) * 0xD1B54A32D192ED03u;
	c->how = (seed + 1) * 0x9E3779B97F4A7C15u + edition * 0x94D049BB133111EBu;
	c->out = open_memstream(&text, len);
	if (!c->out)
		abort();
	c->random = &c->who;
	city_make_people(c);
	c->random = &c->leaving;
	city_let_leave(c);
	c->random = &c->how;
	c->agencies = city_once_in(c, 3);
	choose_opening(c);
	city_make_rules(c);
	fprintf(c->out, "# City %llu, edition %u.\n", (unsigned long long)seed, edition);
	print_hub(c);
	print_calendar(c);
	city_print_people(c);
	city_print_left(c);
	print_types(c);
	city_print_pools(c);
	city_print_things(c);
	city_print_rules(c);
	print_limits(c);
	if (fclose(c->out) != 0)
		abort();
	free(c);
	return text;
}
