/* The log: one line per event on stderr, key=value or JSON.
 *
 *     log_info("connected", LOG_U("connection", c), LOG_S("participant", name));
 *
 * A line names what happened, then fields.  No personal detail goes in: participants are
 * institutions and may be named, an actor (a certificate's subject CN), a narrative, a token or
 * a reference number may not.  Whatever a peer can cause at will goes through log_limited().
 *
 * log_open() once, before the first thread; writing is safe from any thread, one write() per line. */
#ifndef IEUM_BROKER_LOG_H
#define IEUM_BROKER_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_ERROR, /* someone has to act */
	LOG_WARN,  /* someone should look */
	LOG_INFO,
	LOG_DEBUG,
};

enum log_format {
	LOG_KV,
	LOG_JSON,
};

enum {
	LOG_LINE_BYTES = 4096, /* longer lines are cut; also what a pipe takes in one piece */
	LOG_RATE_LINES = 10,   /* of one log_rate in one window */
	LOG_RATE_WINDOW_MS = 10 * 1000,
};

enum log_kind {
	LOG_FIELD_END,
	LOG_FIELD_TEXT,
	LOG_FIELD_INT,
	LOG_FIELD_UINT,
	LOG_FIELD_BOOL,
};

struct log_field {
	const char *key;
	enum log_kind kind;
	union {
		const char *text; /* NULL writes as "" */
		int64_t i;
		uint64_t u;
		bool b;
	};
};

#define LOG_S(k, v) ((struct log_field){ .key = (k), .kind = LOG_FIELD_TEXT, .text = (v) })
#define LOG_I(k, v) ((struct log_field){ .key = (k), .kind = LOG_FIELD_INT, .i = (int64_t)(v) })
#define LOG_U(k, v) ((struct log_field){ .key = (k), .kind = LOG_FIELD_UINT, .u = (uint64_t)(v) })
#define LOG_B(k, v) ((struct log_field){ .key = (k), .kind = LOG_FIELD_BOOL, .b = (v) })
#define LOG_END     ((struct log_field){ .kind = LOG_FIELD_END })

/* Lines above `level` are left out.  fd is borrowed. */
void log_open(int fd, enum log_format format, enum log_level level);
bool log_wants(enum log_level level);

/* Fields end with LOG_END. */
void log_write(enum log_level level, const char *what, const struct log_field *fields);

#define log_at(level, what, ...) \
	log_write(level, what, (const struct log_field[]){ __VA_ARGS__, LOG_END })
#define log_error(what, ...) log_at(LOG_ERROR, what, __VA_ARGS__)
#define log_warn(what, ...)  log_at(LOG_WARN, what, __VA_ARGS__)
#define log_info(what, ...)  log_at(LOG_INFO, what, __VA_ARGS__)
#define log_debug(what, ...) log_at(LOG_DEBUG, what, __VA_ARGS__)

/* One kind of line that a peer can cause; one owner.  A zeroed one is ready. */
struct log_rate {
	int64_t window_at_ms;
	uint32_t lines;
	uint32_t suppressed;
};

/* May a line be written now?  Counts it as suppressed if not.  *suppressed: how many were left out
 * since the last one that was written; the line should tell. */
bool log_allowed(struct log_rate *rate, int64_t now_ms, uint32_t *suppressed);

#define log_limited(rate, now_ms, level, what, ...) \
	do { \
		uint32_t log_suppressed_; \
		if (log_wants(level) && log_allowed(rate, now_ms, &log_suppressed_)) \
			log_at(level, what, __VA_ARGS__, LOG_U("suppressed", log_suppressed_)); \
	} while (0)

#endif
