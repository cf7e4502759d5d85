/* Times and spans of time as a person reads them, in the time zone of the machine (TZ).
 *
 * Reads the time zone, never the clock: the moment that counts as now is given. */
#ifndef IEUM_CLIENT_WHEN_H
#define IEUM_CLIENT_WHEN_H

#include <stdint.h>

#include "proto/words.h"

enum { WHEN_BYTES = 96 };

/* "2026-03-02 10:00"; empty for 0, which stands for no time everywhere in the protocol. */
const char *when_time(int64_t unix_ms, char out[WHEN_BYTES]);
/* "2026-03-02 (Mon)", "2026-03-02 (월)". */
const char *when_day(int64_t unix_ms, enum words_lang lang, char out[WHEN_BYTES]);
/* "10:00". */
const char *when_clock(int64_t unix_ms, char out[WHEN_BYTES]);

/* The two largest units: "2 d 3 h", "45 min", "12 s"; "2일 3시간". */
const char *when_span(int64_t ms, enum words_lang lang, char out[WHEN_BYTES]);

/* "2026-03-02 10:10 (in 9 min)", or "… (35 min overdue)". */
const char *when_deadline(int64_t unix_ms, int64_t now_ms, enum words_lang lang,
			  char out[WHEN_BYTES]);

#endif
