#include "broker/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
	int fd;
	enum log_format format;
	enum log_level level;
} log_to = { STDERR_FILENO, LOG_KV, LOG_INFO };

/* A line being written; what doesn't fit is left out. */
struct line {
	char text[LOG_LINE_BYTES];
	size_t len;
};

enum { LINE_END_BYTES = 2 }; /* the brace of JSON and the newline always fit */

static const char *const level_names[] = { "error", "warn", "info", "debug" };

void log_open(int fd, enum log_format format, enum log_level level)
{
	log_to.fd = fd;
	log_to.format = format;
	log_to.level = level;
}

bool log_wants(enum log_level level)
{
	return level <= log_to.level;
}

static bool line_fits(const struct line *l, size_t n)
{
	return l->len + n <= sizeof(l->text) - LINE_END_BYTES;
}

static void line_put(struct line *l, const char *text, size_t n)
{
	if (!line_fits(l, n))
		return;
	memcpy(l->text + l->len, text, n);
	l->len += n;
}

static void line_puts(struct line *l, const char *text)
{
	line_put(l, text, strlen(text));
}

/* Quoted for both formats: JSON's escapes, which key=value readers know too. */
static void line_quoted(struct line *l, const char *text)
{
	enum { ESCAPE_BYTES = 6 };

	if (!line_fits(l, 2 + ESCAPE_BYTES))
		return;
	line_put(l, "\"", 1);
	for (const char *c = text; *c && line_fits(l, ESCAPE_BYTES + 1); c++) {
		unsigned char byte = (unsigned char)*c;

		if (byte == '"' || byte == '\\') {
			line_put(l, "\\", 1);
			line_put(l, c, 1);
		} else if (byte == '\n') {
			line_put(l, "\\n", 2);
		} else if (byte < 0x20 || byte == 0x7f) {
			char escape[ESCAPE_BYTES + 1];

			snprintf(escape, sizeof(escape), "\\u%04x", byte);
			line_put(l, escape, ESCAPE_BYTES);
		} else {
			line_put(l, c, 1);
		}
	}
	line_put(l, "\"", 1);
}

/* Without quotes where a reader of key=value can't mistake it. */
static bool is_plain(const char *text)
{
	if (!*text)
		return false;
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == '"' || *c == '=' || *c == '\\' || *c == 0x7f)
			return false;
	return true;
}

static void line_field(struct line *l, const struct log_field *field)
{
	char number[32];

	if (log_to.format == LOG_JSON) {
		line_put(l, ",", 1);
		line_quoted(l, field->key);
		line_put(l, ":", 1);
	} else {
		line_put(l, " ", 1);
		line_puts(l, field->key);
		line_put(l, "=", 1);
	}
	switch (field->kind) {
	case LOG_FIELD_TEXT: {
		const char *text = field->text ? field->text : "";

		if (log_to.format == LOG_KV && is_plain(text))
			line_puts(l, text);
		else
			line_quoted(l, text);
		return;
	}
	case LOG_FIELD_INT: snprintf(number, sizeof(number), "%" PRId64, field->i); break;
	case LOG_FIELD_UINT: snprintf(number, sizeof(number), "%" PRIu64, field->u); break;
	case LOG_FIELD_BOOL:
		snprintf(number, sizeof(number), "%s", field->b ? "true" : "false");
		break;
	case LOG_FIELD_END: return;
	}
	line_puts(l, number);
}

static void line_time(struct line *l)
{
	struct timespec now;
	struct tm tm;
	char text[80];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	snprintf(text, sizeof(text),
		 log_to.format == LOG_JSON ? "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ\""
					   : "time=%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ",
		 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		 now.tv_nsec / 1000000);
	line_puts(l, text);
}

void log_write(enum log_level level, const char *what, const struct log_field *fields)
{
	struct line l = { .len = 0 };

	if (!log_wants(level))
		return;
	line_time(&l);
	line_field(&l, &LOG_S("level", level_names[level]));
	line_field(&l, &LOG_S("event", what));
	for (const struct log_field *f = fields; f && f->kind != LOG_FIELD_END; f++)
		line_field(&l, f);
	if (log_to.format == LOG_JSON)
		l.text[l.len++] = '}';
	l.text[l.len++] = '\n';
	/* A log that can't be written is nobody's reason to stop. */
	while (write(log_to.fd, l.text, l.len) < 0 && errno == EINTR)
		;
}

bool log_allowed(struct log_rate *rate, int64_t now_ms, uint32_t *suppressed)
{
	if (rate->window_at_ms == 0 || now_ms - rate->window_at_ms >= LOG_RATE_WINDOW_MS) {
		rate->window_at_ms = now_ms;
		rate->lines = 0;
	}
	if (rate->lines >= LOG_RATE_LINES) {
		rate->suppressed++;
		return false;
	}
	rate->lines++;
	*suppressed = rate->suppressed;
	rate->suppressed = 0;
	return true;
}
