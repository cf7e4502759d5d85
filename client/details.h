/* What an error says beyond its code, in the reader's language.
 *
 * A hub writes its details in English, and so does libieum: they go over the wire, into logs and to
 * programs.  Whoever shows one to a person shows it through this.  What isn't known stays as it is. */
#ifndef IEUM_CLIENT_DETAILS_H
#define IEUM_CLIENT_DETAILS_H

#include <stddef.h>

#include "proto/words.h"

enum { DETAILS_BYTES = 2048 };

/* Line by line: where it is ("envelope.case_id: ", "/var/lib/…: ", "hub:7443: ") stays, the sentence
 * behind is in the language.  The result is `english` or `out`. */
const char *details_in(enum words_lang lang, const char *english, char out[DETAILS_BYTES]);

/* The sentences that are known, as the catalogs have them: each value in one is a %s.  NULL ends
 * them. */
extern const char *const details_known[];

#endif
