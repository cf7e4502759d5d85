/* The sealed parts of a message on its way: which they are, to whom, and again when that changes.
 *
 * A message whose recipients aren't known yet has its parts sealed to ourselves alone, so that its
 * clear text lies nowhere while it waits.  Messages are protobuf-c's own, on the heap, and changed
 * in place; one that a function fails on is only fit to be freed. */
#ifndef IEUM_CLIENT_SEAL_MESSAGE_H
#define IEUM_CLIENT_SEAL_MESSAGE_H

#include "client/seal.h"
#include "ieum/v1/query.pb-c.h"

/* Does `what` ask to seal this part? */
bool seal_part_wanted(const Ieum__V1__NarrativePart *part, enum ieum_seal what);
/* Is there a clear part that `what` asks to seal? */
bool seal_message_wanted(const Ieum__V1__Referral *m, enum ieum_seal what);

/* Seals these parts to our own certificate; they get a number where they have none.  The message
 * has its id.  FIELD_INVALID (a number twice), FIELD_TOO_LARGE (more than SEAL_PARTS_MAX), NO_MEMORY. */
enum ieum_err seal_message_close(const struct ieum_keyring *k, Ieum__V1__Referral *m,
				 enum ieum_seal what, char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;

/* Opens the parts that we have sealed, and seals each to its readers and to us.  Parts that somebody
 * else has sealed stay.  What is wrong with a reader's certificate is its error: NOT_SEALED,
 * CERTIFICATE_REVOKED, CERTIFICATE_EXPIRED; KEY_MISSING when we can open none of them; NO_MEMORY. */
enum ieum_err seal_message_to(const struct ieum_keyring *k, Ieum__V1__Referral *m,
			      Ieum__V1__ReachReader *const *readers, size_t n,
			      char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;

/* Gives it another id (16 bytes), to which what we have sealed is bound: sealed again, to ourselves
 * alone.  KEY_MISSING when there is a sealed part that we can't open; NO_MEMORY. */
enum ieum_err seal_message_rename(const struct ieum_keyring *k, Ieum__V1__Referral *m,
				  const uint8_t *id, char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;

/* Takes the narrative's contents away, which nobody needs to say whom it would reach. */
enum ieum_err seal_message_empty(Ieum__V1__Referral *m) IEUM_MUST_CHECK;

#endif
