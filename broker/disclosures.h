/* The disclosure ledger: who received or read what of a case, of a person, or at all, from a
 * journal alone.
 *
 * A disclosure is a delivery that was released to a participant's connection ("released to", not
 * "read": what became of it there nobody here knows), something that a query gave, or the key of a
 * sealed part that a holder wrapped for somebody.  All are on disk before their bytes leave, so
 * nothing that was disclosed is missing here.  Reads the journal
 * as the audit does, beside a running hub or after a kill; does not verify it.  One thread; blocks. */
#ifndef IEUM_BROKER_DISCLOSURES_H
#define IEUM_BROKER_DISCLOSURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ieum/v1/types.pb-c.h"
#include "proto/error.h"

enum { DISCLOSURES_WHY_BYTES = 512, DISCLOSURES_ID_BYTES = 16 };

/* Exactly one of these. */
struct disclosures_of {
	const uint8_t *case_id; /* 16 bytes: of the messages of this case, and of the case itself */
	/* A subject token: of the messages that carry it, of blind signals whose tag is the same (also
	 * when their content was erased), and of the cases of both. */
	const uint8_t *token;
	size_t token_len;
	const char *participant; /* everything that this one got */
};

/* One disclosure; texts are "" and ids NULL where they don't apply, good during the call. */
struct disclosure {
	uint64_t seq; /* of the event that records it */
	int64_t at_us;
	const char *participant, *actor, *address; /* who, from where */
	const char *read; /* what a query gave, "case", "referral", …; "" : a delivery */
	const char *
		mailbox; /* of a delivery: through which; of a body's role, who claimed it is above */
	Ieum__V1__DeliveryCause cause;
	const uint8_t *message_id, *case_id;
	Ieum__V1__MessageType type;
	const char *sender;       /* whose message; "" with a message: the hub's */
	const char *sender_actor; /* the person or workstation, or "gateway for person" */
	const char *on_behalf_of; /* the person for whom the sender's gateway spoke */
	Ieum__V1__BasisKind basis;
	const char *article;
	bool erased; /* its content is gone by now */
	/* Not 0: neither delivery nor query, but keys of these parts of the message were given to the
	 * participant, whose person is not known.  Part number n is bit n - 1. */
	uint32_t key_parts;
	const char *wrapped_by, *wrapped_by_actor; /* by which holder, and who there */
};

typedef enum ieum_err disclosure_cb(void *ctx, const struct disclosure *d);

/* Gives them in the order in which they happened.  What the callback returns ends it.
 * FILE_UNREADABLE, JOURNAL_VERSION, JOURNAL_IO, JOURNAL_CORRUPT, NO_MEMORY: more in `why`. */
enum ieum_err disclosures_list(const char *path, const struct disclosures_of *of, disclosure_cb *cb,
			       void *ctx, char why[DISCLOSURES_WHY_BYTES]) IEUM_MUST_CHECK;

#endif
