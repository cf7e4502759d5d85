/* Times for people; see when.h. */
#include "client/when.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "client/texts.h"

/* False for 0 and what the time zone can't express. */
static int local(int64_t unix_ms, struct tm *out)
{
	time_t s = (time_t)(unix_ms / 1000);

	return unix_ms != 0 && localtime_r(&s, out) != NULL;
}

static const char *formatted(int64_t unix_ms, const char *format, char out[WHEN_BYTES])
{
	struct tm t;

	if (!local(unix_ms, &t) || strftime(out, WHEN_BYTES, format, &t) == 0)
		out[0] = '\0';
	return out;
}

const char *when_time(int64_t unix_ms, char out[WHEN_BYTES])
{
	return formatted(unix_ms, "%Y-%m-%d %H:%M", out);
}

const char *when_clock(int64_t unix_ms, char out[WHEN_BYTES])
{
	return formatted(unix_ms, "%H:%M", out);
}

/* Not by the C locale: the language is the caller's choice, whatever the machine has. */
const char *when_day(int64_t unix_ms, enum words_lang lang, char out[WHEN_BYTES])
{
	static const enum text_id days[] = { TEXT_SUN, TEXT_MON, TEXT_TUE, TEXT_WED,
					     TEXT_THU, TEXT_FRI, TEXT_SAT };
	struct tm t;

	out[0] = '\0';
	if (local(unix_ms, &t))
		snprintf(out, WHEN_BYTES, "%04d-%02d-%02d (%s)", t.tm_year + 1900, t.tm_mon + 1,
			 t.tm_mday, text(days[t.tm_wday % 7], lang));
	return out;
}

const char *when_span(int64_t ms, enum words_lang lang, char out[WHEN_BYTES])
{
	int64_t s = ms < 0 ? 0 : ms / 1000;

	if (s < 60)
		snprintf(out, WHEN_BYTES, text(TEXT_SPAN_S, lang), s);
	else if (s < 3600)
		snprintf(out, WHEN_BYTES, text(TEXT_SPAN_MIN, lang), s / 60);
	else if (s < 86400 && s / 60 % 60 == 0)
		snprintf(out, WHEN_BYTES, text(TEXT_SPAN_H, lang), s / 3600);
	else if (s < 86400)
		snprintf(out, WHEN_BYTES, text(TEXT_SPAN_H_MIN, lang), s / 3600, s / 60 % 60);
	else if (s / 3600 % 24 == 0)
		snprintf(out, WHEN_BYTES, text(TEXT_SPAN_D, lang), s / 86400);
	else
		snprintf(out, WHEN_BYTES, text(TEXT_SPAN_D_H, lang), s / 86400, s / 3600 % 24);
	return out;
}

const char *when_deadline(int64_t unix_ms, int64_t now_ms, enum words_lang lang,
			  char out[WHEN_BYTES])
{
	char span[WHEN_BYTES], time[WHEN_BYTES];
	int64_t left = unix_ms - now_ms;

	when_time(unix_ms, time);
	if (!*time || now_ms == 0)
		snprintf(out, WHEN_BYTES, "%.*s", WHEN_BYTES - 1, time);
	else
		snprintf(out, WHEN_BYTES, text(left >= 0 ? TEXT_DUE_IN : TEXT_OVERDUE, lang), time,
			 when_span(left >= 0 ? left : -left, lang, span));
	return out;
}
