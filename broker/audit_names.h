/* Names by their number, as a journal gives them when they first appear: of participants, of
 * mailboxes.  One owner. */
#ifndef IEUM_BROKER_AUDIT_NAMES_H
#define IEUM_BROKER_AUDIT_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "ieum/v1/event.pb-c.h"
#include "proto/error.h"

/* Empty when all is 0. */
struct audit_names {
	char **texts; /* texts[number - 1]; owned */
	uint32_t n;
};

void audit_names_deinit(struct audit_names *names);

/* Copies them; the newest name of a number holds.  JOURNAL_CORRUPT for a number that no hub gives,
 * NO_MEMORY. */
enum ieum_err audit_names_take(struct audit_names *names, Ieum__V1__NumberedName *const *from,
			       size_t n) IEUM_MUST_CHECK;

/* "": it has none.  Good until names are taken again. */
const char *audit_names_of(const struct audit_names *names, uint32_t number);

#endif
