/* The agencies' side of sealed narratives in a simulated scenario: real keys and certificates, made
 * when they are first needed and kept for the rest of the process, and libieum's own sealing.
 *
 * One thread.  What can't be done aborts: it is the test's own. */
#ifndef IEUM_TESTS_SIM_SEALING_H
#define IEUM_TESTS_SIM_SEALING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/core/core.h"
#include "ieum/v1/query.pb-c.h"
#include "ieum/v1/referral.pb-c.h"
#include "proto/tls.h"
#include "scenarios/scenario.h"

struct sealing;

/* Is there something to seal in it? */
bool sealing_wanted(const struct scenario *s);

struct sealing *sealing_new(const char *hub);
void sealing_free(struct sealing *s); /* takes NULL */

/* What a participant connects with; *out points into *room. */
void sealing_certificate(struct sealing *s, const char *participant, const char *kind,
			 struct tls_certificate *room, struct core_certificate *out);

/* A copy of the message with the parts that need it sealed to its sender; NULL: none needs it. */
Ieum__V1__Referral *sealing_close(struct sealing *s, const char *who, const Ieum__V1__Referral *m);
/* Sealed to whom it would reach, and remembered. */
void sealing_to(struct sealing *s, const char *who, Ieum__V1__Referral *m,
		const Ieum__V1__ReachResult *reach);

/* The key_wrap that answers a key_request to `who`; its id is yet to be set. */
Ieum__V1__Referral *sealing_wrap(struct sealing *s, const char *who,
				 const Ieum__V1__Referral *request);

/* Can it open what is sealed in the message, with keys that were wrapped for it? */
bool sealing_opens(struct sealing *s, const char *who, const uint8_t *message_id,
		   const struct core_key *keys, size_t n);

#endif
