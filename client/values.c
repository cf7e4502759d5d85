/* Reading what was typed; see values.h. */
#include "client/values.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/trouble.h"
#include "proto/pbmap.h"
#include "yaml/yaml_value.h"

enum exit_code value_id(const struct invocation *inv, const char *text, uint8_t out[UUID_BYTES])
{
	return uuid_parse(text, out) ? EXIT_DONE : trouble_usage(inv, TEXT_ID_WRONG, text);
}

static bool digits(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

enum exit_code value_number(const struct invocation *inv, const char *text, uint64_t min,
			    uint64_t max, uint64_t *out)
{
	uint64_t n;

	errno = 0;
	n = strtoull(text, NULL, 10);
	if (!digits(text) || errno || n < min || n > max)
		return trouble_usage(inv, TEXT_NUMBER_WRONG, text);
	*out = n;
	return EXIT_DONE;
}

enum exit_code value_duration(const struct invocation *inv, const char *text, int64_t *out_ms)
{
	struct yaml_duration d;
	uint64_t plain = 0;

	if (digits(text)) {
		enum exit_code code = value_number(inv, text, 1, INT64_MAX, &plain);

		if (!code)
			*out_ms = (int64_t)plain;
		return code;
	}
	if (!yaml_parse_duration(text, &d) || d.amount <= 0)
		return trouble_usage(inv, TEXT_DURATION_WRONG, text);
	return yaml_duration_ms(d, out_ms) ? EXIT_DONE
					   : trouble_usage(inv, TEXT_DURATION_BUSINESS, text);
}

/* "2026-03-05 18:00" in the machine's time zone. */
static bool local_time(const char *text, int64_t *out_ms)
{
	struct tm t = { 0 }, same;
	const char *end = strptime(text, "%Y-%m-%d %H:%M", &t);
	time_t s;

	if (!end || *end)
		return false;
	t.tm_isdst = -1;
	same = t;
	s = mktime(&same);
	/* mktime() takes 30 February for 2 March. */
	if (s == (time_t)-1 || same.tm_mday != t.tm_mday || same.tm_hour != t.tm_hour)
		return false;
	*out_ms = (int64_t)s * 1000;
	return true;
}

enum exit_code value_time(const struct invocation *inv, const char *text, int64_t now_ms,
			  int64_t *out_ms)
{
	struct yaml_duration d;
	int64_t us, ms;

	if (local_time(text, out_ms))
		return EXIT_DONE;
	if (yaml_parse_time_us(text, &us)) {
		*out_ms = us / 1000;
		return EXIT_DONE;
	}
	if (yaml_parse_duration(text, &d) && d.amount > 0) {
		if (!yaml_duration_ms(d, &ms))
			return trouble_usage(inv, TEXT_DURATION_BUSINESS, text);
		*out_ms = now_ms + ms;
		return EXIT_DONE;
	}
	return trouble_usage(inv, TEXT_TIME_WRONG, text);
}

enum exit_code value_word(const struct invocation *inv, const ProtobufCEnumDescriptor *type,
			  const char *text, int *out)
{
	char possible[480], word[PBMAP_WORD_BYTES];
	size_t n = 0;

	if (pbmap_enum_value(type, text, out) && *out != 0)
		return EXIT_DONE;
	/* Value 0 is "not stated" in every enum of ieum. */
	for (unsigned i = 0; i < type->n_values && n < sizeof possible; i++) {
		if (type->values[i].value != 0 &&
		    pbmap_enum_word(type, type->values[i].value, word))
			n += (size_t)snprintf(possible + n, sizeof possible - n, "%s%s",
					      n ? ", " : "", word);
	}
	possible[sizeof possible - 1] = '\0';
	return trouble_usage(inv, n ? TEXT_ONE_OF : TEXT_WORD_UNKNOWN, n ? possible : text);
}
