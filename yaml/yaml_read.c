/* Strict, typed reading of YAML nodes; see yaml_read.h. */
#include "yaml/yaml_read.h"

#include <ctype.h>
#include <string.h>

#include "proto/catalog.h"

enum { SHOWN_BYTES = 60 }; /* of a wrong value in a message */

bool yaml_expected(const struct yaml_node *node, const char *what, struct yaml_diag *diag)
{
	const char *text = yaml_text(node);

	if (text)
		yaml_mistake(diag, node, "'%.*s' is not %s", SHOWN_BYTES, text, tr(what));
	else
		yaml_mistake(diag, node, "expected %s, found %s", tr(what),
			     tr(yaml_kind_name(yaml_kind(node))));
	return false;
}

bool yaml_check_map(const struct yaml_node *node, const char *const *allowed,
		    struct yaml_diag *diag)
{
	bool good = true;

	if (yaml_kind(node) != YAML_MAP)
		return yaml_expected(node, "a map", diag);
	for (size_t i = 0; i < yaml_count(node); i++) {
		const struct yaml_node *key = yaml_key_at(node, i);
		const char *text = yaml_text(key);
		const char *const *a = allowed;

		while (*a && strcmp(*a, text) != 0)
			a++;
		if (*a)
			continue;
		good = false;
		const char *near = yaml_nearest(text, allowed);
		if (near)
			yaml_mistake(diag, key, "unknown key '%.*s'; did you mean '%s'?",
				     SHOWN_BYTES, text, near);
		else
			yaml_mistake(diag, key, "unknown key '%.*s'", SHOWN_BYTES, text);
	}
	return good;
}

bool yaml_check_seq(const struct yaml_node *node, size_t min, size_t max, struct yaml_diag *diag)
{
	size_t n = yaml_count(node);

	if (yaml_kind(node) != YAML_SEQ)
		return yaml_expected(node, "a sequence", diag);
	if (n >= min && n <= max)
		return true;
	if (n < min)
		yaml_mistake(diag, node, "%zu entries; at least %zu are needed", n, min);
	else
		yaml_mistake(diag, node, "%zu entries; at most %zu are allowed", n, max);
	return false;
}

const struct yaml_node *yaml_require(const struct yaml_node *map, const char *key,
				     struct yaml_diag *diag)
{
	const struct yaml_node *value = yaml_get(map, key);

	if (yaml_kind(value) != YAML_NULL)
		return value;
	if (yaml_kind(map) != YAML_MAP)
		(void)yaml_expected(map, "a map", diag);
	else if (value)
		yaml_mistake(diag, value, "key '%s' has no value", key);
	else
		yaml_mistake(diag, map, "key '%s' is missing", key);
	return NULL;
}

bool yaml_read_text(const struct yaml_node *node, size_t max_bytes, struct yaml_diag *diag,
		    const char **out)
{
	size_t n = yaml_text_len(node);

	if (yaml_kind(node) != YAML_SCALAR)
		return yaml_expected(node, "a text", diag);
	if (n == 0) {
		yaml_mistake(diag, node, "an empty text");
		return false;
	}
	if (n > max_bytes) {
		yaml_mistake(diag, node, "a text of %zu bytes; at most %zu are allowed", n,
			     max_bytes);
		return false;
	}
	*out = yaml_text(node);
	return true;
}

/* All of the text as a whole decimal number; false also when it doesn't fit. */
static bool parse_int(const char *text, int64_t *out)
{
	bool negative = *text == '-';
	int64_t value = 0;

	if (negative)
		text++;
	if (*text == '\0')
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' ||
		    __builtin_mul_overflow(value, (int64_t)10, &value) ||
		    __builtin_sub_overflow(value, (int64_t)(*text - '0'), &value))
			return false;
	}
	/* Gathered below zero, where there is room for INT64_MIN. */
	if (!negative && value == INT64_MIN)
		return false;
	*out = negative ? value : -value;
	return true;
}

static bool in_range(const struct yaml_node *node, int64_t value, int64_t min, int64_t max,
		     struct yaml_diag *diag)
{
	if (value >= min && value <= max)
		return true;
	yaml_mistake(diag, node, "%lld is out of range; allowed are %lld to %lld", (long long)value,
		     (long long)min, (long long)max);
	return false;
}

bool yaml_read_int(const struct yaml_node *node, int64_t min, int64_t max, struct yaml_diag *diag,
		   int64_t *out)
{
	int64_t value;

	if (yaml_kind(node) == YAML_SCALAR && !yaml_plain(node)) {
		yaml_mistake(diag, node, "a text in quotes; a number has none");
		return false;
	}
	if (!yaml_plain(node) || !parse_int(yaml_text(node), &value))
		return yaml_expected(node, "a whole number", diag);
	if (!in_range(node, value, min, max, diag))
		return false;
	*out = value;
	return true;
}

bool yaml_read_bool(const struct yaml_node *node, struct yaml_diag *diag, bool *out)
{
	const char *text = yaml_plain(node) ? yaml_text(node) : "";

	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return yaml_expected(node, "true or false", diag);
	*out = *text == 't';
	return true;
}

bool yaml_read_word(const struct yaml_node *node, const char *const *words, struct yaml_diag *diag,
		    size_t *out)
{
	const char *text = yaml_text(node);
	char list[160] = "";
	size_t at = 0;

	if (!text)
		return yaml_expected(node, "a word", diag);
	for (size_t i = 0; words[i]; i++) {
		if (strcmp(words[i], text) == 0) {
			*out = i;
			return true;
		}
		size_t left = sizeof list - at;
		int n = snprintf(list + at, left, "%s%s", i ? ", " : "", words[i]);
		at += n < 0 ? 0 : (size_t)n < left ? (size_t)n : left - 1;
	}
	const char *near = yaml_nearest(text, words);
	if (near)
		yaml_mistake(diag, node, "unknown word '%.*s'; did you mean '%s'?", SHOWN_BYTES,
			     text, near);
	else
		yaml_mistake(diag, node, "unknown word '%.*s'; allowed are %s%s", SHOWN_BYTES, text,
			     list, at + 1 >= sizeof list ? "…" : "");
	return false;
}

bool yaml_read_duration(const struct yaml_node *node, struct yaml_diag *diag,
			struct yaml_duration *out)
{
	const char *text = yaml_text(node);

	if (!text || !yaml_parse_duration(text, out))
		return yaml_expected(
			node, "a duration such as 30 s, 10 min, 4 h, 3 d or 3 business days", diag);
	return true;
}

bool yaml_read_duration_ms(const struct yaml_node *node, int64_t min_ms, int64_t max_ms,
			   struct yaml_diag *diag, int64_t *out)
{
	const char *text = yaml_text(node);
	struct yaml_duration duration;
	int64_t ms;

	if (!text || !yaml_parse_duration(text, &duration) || !yaml_duration_ms(duration, &ms))
		return yaml_expected(node, "a duration such as 500 ms, 30 s, 10 min, 4 h or 3 d",
				     diag);
	if (ms < min_ms || ms > max_ms) {
		yaml_mistake(diag, node, "%s is out of range; allowed are %lld ms to %lld ms", text,
			     (long long)min_ms, (long long)max_ms);
		return false;
	}
	*out = ms;
	return true;
}

bool yaml_read_time_us(const struct yaml_node *node, struct yaml_diag *diag, int64_t *out)
{
	const char *text = yaml_text(node);

	if (!text || !yaml_parse_time_us(text, out))
		return yaml_expected(node, "a time such as 2026-01-02T09:00:00+09:00", diag);
	return true;
}

bool yaml_read_clock(const struct yaml_node *node, struct yaml_diag *diag, int *out_minutes)
{
	const char *text = yaml_text(node);

	if (!text || !yaml_parse_clock(text, out_minutes))
		return yaml_expected(node, "a time of day such as 09:00", diag);
	return true;
}

/* Four digits, two and two: what else is wrong with it is the day that it says. */
static bool has_form_of_date(const char *text)
{
	static const char form[] = "dddd-dd-dd";
	size_t i = 0;

	while (form[i] && text[i] &&
	       (form[i] == '-' ? text[i] == '-' : isdigit((unsigned char)text[i])))
		i++;
	return !form[i] && !text[i];
}

bool yaml_read_date(const struct yaml_node *node, struct yaml_diag *diag, int64_t *out_days)
{
	const char *text = yaml_text(node);

	if (text && has_form_of_date(text) && !yaml_parse_date(text, out_days)) {
		yaml_mistake(diag, node, "'%s' is no day of the years %d to %d", text,
			     YAML_YEAR_MIN, YAML_YEAR_MAX);
		return false;
	}
	if (!text || !yaml_parse_date(text, out_days))
		return yaml_expected(node, "a date such as 2026-10-03", diag);
	return true;
}

bool yaml_read_bytes(const struct yaml_node *node, int64_t min, int64_t max, struct yaml_diag *diag,
		     int64_t *out)
{
	static const struct {
		const char *text;
		int shift;
	} units[] = { { "", 0 }, { "KiB", 10 }, { "MiB", 20 }, { "GiB", 30 } };
	const char *text = yaml_text(node);
	int64_t value = -1;

	if (text) {
		size_t n = strspn(text, "0123456789");
		char number[20] = "";

		if (n > 0 && n < sizeof number) {
			const char *unit = text + n + (text[n] == ' ');

			memcpy(number, text, n);
			(void)parse_int(number, &value);
			size_t i = 0;
			while (i < 4 && strcmp(unit, units[i].text) != 0)
				i++;
			if (i == 4 ||
			    __builtin_mul_overflow(value, INT64_C(1) << units[i].shift, &value))
				value = -1;
		}
	}
	if (value < 0)
		return yaml_expected(node, "a number of bytes such as 512, 64 KiB or 16 MiB", diag);
	if (!in_range(node, value, min, max, diag))
		return false;
	*out = value;
	return true;
}

bool yaml_opt_text(const struct yaml_node *map, const char *key, size_t max_bytes,
		   struct yaml_diag *diag, const char **out)
{
	const struct yaml_node *node = yaml_get(map, key);

	return node && yaml_read_text(node, max_bytes, diag, out);
}

bool yaml_opt_int(const struct yaml_node *map, const char *key, int64_t min, int64_t max,
		  struct yaml_diag *diag, int64_t *out)
{
	const struct yaml_node *node = yaml_get(map, key);

	return node && yaml_read_int(node, min, max, diag, out);
}

bool yaml_opt_bool(const struct yaml_node *map, const char *key, struct yaml_diag *diag, bool *out)
{
	const struct yaml_node *node = yaml_get(map, key);

	return node && yaml_read_bool(node, diag, out);
}

bool yaml_opt_word(const struct yaml_node *map, const char *key, const char *const *words,
		   struct yaml_diag *diag, size_t *out)
{
	const struct yaml_node *node = yaml_get(map, key);

	return node && yaml_read_word(node, words, diag, out);
}

bool yaml_opt_duration(const struct yaml_node *map, const char *key, struct yaml_diag *diag,
		       struct yaml_duration *out)
{
	const struct yaml_node *node = yaml_get(map, key);

	return node && yaml_read_duration(node, diag, out);
}

bool yaml_opt_duration_ms(const struct yaml_node *map, const char *key, int64_t min_ms,
			  int64_t max_ms, struct yaml_diag *diag, int64_t *out)
{
	const struct yaml_node *node = yaml_get(map, key);

	return node && yaml_read_duration_ms(node, min_ms, max_ms, diag, out);
}

bool yaml_opt_bytes(const struct yaml_node *map, const char *key, int64_t min, int64_t max,
		    struct yaml_diag *diag, int64_t *out)
{
	const struct yaml_node *node = yaml_get(map, key);

	return node && yaml_read_bytes(node, min, max, diag, out);
}
