/* Reading the small values that every section of the hub file is made of. */
#include "broker/policy/load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/catalog.h"
#include "proto/pbmap.h"

enum {
	TITLE_BYTES_MAX = 200,
	JURISDICTION_DIGITS_MIN = 2,
	JURISDICTION_DIGITS_MAX = 10,
	BUSINESS_AMOUNT_MAX = 2000, /* hours or days */
	ENUM_WORDS_MAX = 64,
	WITHIN_YEARS_MAX = 20,
};

void *load_alloc(struct loader *l, size_t n, size_t size)
{
	void *things = arena_zalloc(&l->p->arena, n > 0 ? n * size : 1);

	if (!things)
		l->no_memory = true;
	return things;
}

const char *load_copy(struct loader *l, const char *text)
{
	const char *copy = arena_copy(&l->p->arena, text, strlen(text) + 1);

	if (!copy)
		l->no_memory = true;
	return copy;
}

const char *load_format(struct loader *l, const char *format, ...)
{
	char text[2 * POLICY_STEP_TEXT_BYTES];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return load_copy(l, text);
}

const struct yaml_node *load_section(struct loader *l, const char *name, enum yaml_kind kind,
				     size_t max)
{
	const struct yaml_node *section = yaml_require(l->root, name, l->diag);

	if (!section)
		return NULL;
	if (yaml_kind(section) != kind) {
		yaml_mistake(l->diag, section, "'%s' must be %s, found %s", name,
			     tr(yaml_kind_name(kind)), tr(yaml_kind_name(yaml_kind(section))));
		return NULL;
	}
	if (yaml_count(section) < 1 || yaml_count(section) > max) {
		yaml_mistake(l->diag, section, "%zu entries in '%s'; 1 to %zu are allowed",
			     yaml_count(section), name, max);
		return NULL;
	}
	return section;
}

const struct yaml_node *load_nth(const struct loader *l, const char *section, size_t i)
{
	return yaml_at(yaml_get(l->root, section), i);
}

bool load_name(struct loader *l, const struct yaml_node *node, char joint,
	       char out[POLICY_NAME_BYTES])
{
	const char *text;
	char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789?";

	if (!yaml_read_text(node, POLICY_NAME_BYTES - 1, l->diag, &text))
		return false;
	allowed[sizeof allowed - 2] = joint;
	if (text[strspn(text, allowed)] != '\0' || *text == joint) {
		yaml_mistake(l->diag, node,
			     "'%s' is no name; use lower-case letters, digits and '%c'", text,
			     joint);
		return false;
	}
	(void)snprintf(out, POLICY_NAME_BYTES, "%s", text);
	return true;
}

bool load_jurisdiction(struct loader *l, const struct yaml_node *node, char out[16])
{
	const char *text;

	if (!yaml_read_text(node, POLICY_NAME_BYTES, l->diag, &text))
		return false;
	size_t n = strspn(text, "0123456789");
	if (text[n] != '\0' || n < JURISDICTION_DIGITS_MIN || n > JURISDICTION_DIGITS_MAX) {
		yaml_mistake(
			l->diag, node,
			"'%s' is no administrative code; write its %d to %d digits, for example \"41570\"",
			text, JURISDICTION_DIGITS_MIN, JURISDICTION_DIGITS_MAX);
		return false;
	}
	memcpy(out, text, n + 1);
	return true;
}

void load_title(struct loader *l, const struct yaml_node *map, const char **en, const char **ko)
{
	const struct yaml_node *title = yaml_require(map, "title", l->diag);

	*en = *ko = "";
	if (title)
		load_both_languages(l, title, en, ko);
}

void load_both_languages(struct loader *l, const struct yaml_node *node, const char **en,
			 const char **ko)
{
	const char *text;

	if (!yaml_schema_check(node, &schema_title, l->diag))
		return;
	const struct yaml_node *english = yaml_require(node, "en", l->diag);
	const struct yaml_node *korean = yaml_require(node, "ko", l->diag);
	if (english && yaml_read_text(english, TITLE_BYTES_MAX, l->diag, &text))
		*en = load_copy(l, text);
	if (korean && yaml_read_text(korean, TITLE_BYTES_MAX, l->diag, &text))
		*ko = load_copy(l, text);
}

const char *const load_weekdays[8] = { "sunday",   "monday", "tuesday",  "wednesday",
				       "thursday", "friday", "saturday", NULL };

static bool load_opening(struct loader *l, const struct yaml_node *node,
			 struct calendar_opening *out)
{
	enum { CLOCK_CHARS = 5 };
	const char *text, *dash;
	char open[CLOCK_CHARS + 1] = "";
	struct calendar_opening hours = { 0 };

	if (!yaml_read_text(node, POLICY_NAME_BYTES, l->diag, &text))
		return false;
	dash = strchr(text, '-');
	if (dash && dash - text == CLOCK_CHARS)
		memcpy(open, text, CLOCK_CHARS);
	if (!*open || !yaml_parse_clock(open, &hours.open_min) ||
	    !yaml_parse_clock(dash + 1, &hours.close_min)) {
		yaml_mistake(l->diag, node, "'%s' are no working hours; write \"09:00-18:00\"",
			     text);
		return false;
	}
	if (hours.open_min >= hours.close_min) {
		yaml_mistake(l->diag, node, "working hours '%s' end before they begin", text);
		return false;
	}
	*out = hours;
	return true;
}

/* `"09:00-18:00"`, or by days: `{default: "09:00-18:00", saturday: "09:00-13:00"}`. */
bool load_hours(struct loader *l, const struct yaml_node *node, struct calendar_hours *out)
{
	struct calendar_hours hours = { 0 };
	struct calendar_opening each = { 0 };
	const struct yaml_node *usual = node;
	bool good = true;

	if (yaml_kind(node) == YAML_MAP) {
		good = yaml_schema_check(node, &schema_hours, l->diag);
		usual = yaml_require(node, "default", l->diag);
	}
	for (int day = 0; yaml_kind(node) == YAML_MAP && load_weekdays[day]; day++) {
		const struct yaml_node *own = yaml_get(node, load_weekdays[day]);

		if (own && (good = load_opening(l, own, &hours.own.on[day]) && good))
			hours.own.days |= 1U << day;
	}
	if (!usual || !load_opening(l, usual, &each) || !good)
		return false;
	hours.open_min = each.open_min;
	hours.close_min = each.close_min;
	*out = hours;
	return true;
}

static bool within_calendar(struct yaml_duration d)
{
	static const int64_t most[] = {
		[YAML_UNIT_MS] = 1000LL * 86400 * 366 * WITHIN_YEARS_MAX,
		[YAML_UNIT_S] = 86400LL * 366 * WITHIN_YEARS_MAX,
		[YAML_UNIT_MIN] = 1440LL * 366 * WITHIN_YEARS_MAX,
		[YAML_UNIT_H] = 24LL * 366 * WITHIN_YEARS_MAX,
		[YAML_UNIT_D] = 366LL * WITHIN_YEARS_MAX,
		[YAML_UNIT_BUSINESS_HOUR] = BUSINESS_AMOUNT_MAX,
		[YAML_UNIT_BUSINESS_DAY] = BUSINESS_AMOUNT_MAX,
		[YAML_UNIT_MONTH] = 12LL * WITHIN_YEARS_MAX,
		[YAML_UNIT_YEAR] = WITHIN_YEARS_MAX,
	};

	return d.amount <= most[d.unit];
}

bool load_within(struct loader *l, const struct yaml_node *node, struct yaml_duration *out,
		 const char **text)
{
	struct yaml_duration d;

	if (!yaml_read_duration(node, l->diag, &d))
		return false;
	if (d.amount == 0) {
		yaml_mistake(l->diag, node,
			     "nobody can answer within 0; write how long they have, \"10 min\"");
		return false;
	}
	if (!within_calendar(d)) {
		yaml_mistake(l->diag, node,
			     "'%s' is too long: at most %d years, or %d business days or hours",
			     yaml_text(node), WITHIN_YEARS_MAX, BUSINESS_AMOUNT_MAX);
		return false;
	}
	*out = d;
	*text = load_copy(l, yaml_text(node));
	return true;
}

size_t load_items(const struct yaml_node *node)
{
	return yaml_kind(node) == YAML_SEQ ? yaml_count(node) : 1;
}

const struct yaml_node *load_item(const struct yaml_node *node, size_t i)
{
	return yaml_kind(node) == YAML_SEQ ? yaml_at(node, i) : node;
}

void load_unknown(struct loader *l, const struct yaml_node *node, const char *what,
		  const char *const *words)
{
	const char *text = yaml_text(node);
	const char *near = yaml_nearest(text, words);
	char known[160] = "";
	size_t used = 0;

	if (near) {
		yaml_mistake(l->diag, node, "unknown %s '%.64s'; did you mean '%s'?", tr(what),
			     text, near);
		return;
	}
	for (; *words && used + strlen(*words) + 3 < sizeof known; words++)
		used += (size_t)snprintf(known + used, sizeof known - used, "%s%s",
					 used ? ", " : "", *words);
	yaml_mistake(l->diag, node, "unknown %s '%.64s'; known are: %s%s", tr(what), text, known,
		     *words ? ", …" : "");
}

bool load_enum(struct loader *l, const struct yaml_node *node, const ProtobufCEnumDescriptor *type,
	       const char *what, int *out)
{
	const char *text;
	char names[ENUM_WORDS_MAX][PBMAP_WORD_BYTES];
	const char *words[ENUM_WORDS_MAX + 1];
	size_t n = 0;

	if (!yaml_read_text(node, PBMAP_WORD_BYTES, l->diag, &text))
		return false;
	for (unsigned i = 0; i < type->n_values && n < ENUM_WORDS_MAX; i++) {
		int value = type->values[i].value;

		if (value == 0 || !pbmap_enum_word(type, value, names[n]))
			continue;
		if (strcmp(names[n], text) == 0) {
			*out = value;
			return true;
		}
		words[n] = names[n];
		n++;
	}
	words[n] = NULL;
	load_unknown(l, node, what, words);
	return false;
}

bool load_enum_bits(struct loader *l, const struct yaml_node *node,
		    const ProtobufCEnumDescriptor *type, const char *what, uint64_t *bits)
{
	uint64_t found = 0;
	bool good = true;

	if (yaml_kind(node) == YAML_SEQ && !yaml_check_seq(node, 1, ENUM_WORDS_MAX, l->diag))
		return false;
	for (size_t i = 0; i < load_items(node); i++) {
		const struct yaml_node *item = load_item(node, i);
		int value = 0;

		if (!load_enum(l, item, type, what, &value)) {
			good = false;
		} else if (found & UINT64_C(1) << value) {
			yaml_mistake(l->diag, item, "'%s' is in this list twice; once is enough",
				     yaml_text(item));
			good = false;
		}
		found |= UINT64_C(1) << value;
	}
	if (good)
		*bits = found;
	return good;
}
