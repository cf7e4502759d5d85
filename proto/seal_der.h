/* The outside of a sealed narrative part: whom a CMS AuthEnvelopedData (RFC 5083) is sealed to,
 * and adding to them.  No key is needed for that and none is used; what is inside stays closed.
 *
 * The bytes are a stranger's.  Only strict DER is taken: definite lengths, nothing before or
 * after, AES-256-GCM (RFC 5084), recipients by key agreement or key transport (a password or a
 * shared key would open it to somebody whom nobody sees).  Work is bounded by the length of the
 * bytes and by SEAL_RECIPIENTS_MAX; memory is the caller's.  Any thread; OpenSSL's error queue
 * is left as it was. */
#ifndef IEUM_PROTO_SEAL_DER_H
#define IEUM_PROTO_SEAL_DER_H

#include <stddef.h>
#include <stdint.h>

#include "proto/buf.h"
#include "proto/error.h"
#include "proto/seal_recipient.h"

/* Bytes that somebody else owns. */
struct seal_bytes {
	const uint8_t *data;
	size_t len;
};

/* Whom it is sealed to: *n of them in out.  NOT_SEALED unless it is a well-formed AuthEnvelopedData
 * with AES-256-GCM and at least one recipient; FIELD_TOO_LARGE for more than max. */
enum ieum_err seal_recipients(const uint8_t *cms, size_t len, struct seal_recipient *out,
			      size_t max, size_t *n) IEUM_MUST_CHECK;

/* The same of one RecipientInfo that was cut out; at most SEAL_INFO_BYTES_MAX long. */
enum ieum_err seal_info_recipients(const uint8_t *info, size_t len, struct seal_recipient *out,
				   size_t max, size_t *n) IEUM_MUST_CHECK;

/* Appends to out the CMS with these RecipientInfos among its own, in the order that DER asks of
 * a SET OF; one that is there already is left out.  NOT_SEALED (of the CMS or of an info),
 * FIELD_TOO_LARGE (more than SEAL_RECIPIENTS_MAX together, or out is full), NO_MEMORY: then
 * nothing was appended. */
enum ieum_err seal_splice(const uint8_t *cms, size_t len, const struct seal_bytes *infos, size_t n,
			  struct buf *out) IEUM_MUST_CHECK;

/* The RecipientInfos of `after` that `before` lacks, in place: *n of them in out.  Both are the
 * same CMS but for recipients; whoever adds one with a library finds it by this.  NOT_SEALED;
 * FIELD_TOO_LARGE for more than max. */
enum ieum_err seal_new_recipients(const struct seal_bytes *before, const struct seal_bytes *after,
				  struct seal_bytes *out, size_t max, size_t *n) IEUM_MUST_CHECK;

#endif
