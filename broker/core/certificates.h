/* Certificates that the hub knows: those that participants came with, its own, and the
 * revocation list that it checks by.
 *
 * Of a participant's they are what others seal to; of all of them it is told when they end.
 * Judging a certificate is not done here: what comes was judged by TLS, and what TLS would accept
 * no more (revoked, another authority, another participant's now) is said by whoever looked.
 *
 * What always holds: a certificate is of one participant, or the hub's, and known once; a
 * participant has at most CORE_CERTIFICATES_PER_PARTICIPANT, in the order in which they were seen;
 * one of which something has still to be told is in the heap once, at that moment. */
#ifndef IEUM_BROKER_CORE_CERTIFICATES_H
#define IEUM_BROKER_CORE_CERTIFICATES_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/core/core.h"
#include "broker/core/heap.h"
#include "broker/core/lookup.h"
#include "broker/core/slab.h"
#include "ieum/v1/snapshot.pb-c.h"

enum {
	CERTIFICATE_SERIAL_BYTES = 41, /* hexadecimal and NUL */
	CERTIFICATE_UNTOLD = 255,      /* days: nothing was told yet */
};

struct snapshot_writing;

struct certificate {
	uint8_t fingerprint[CORE_HASH_BYTES];
	uint8_t issuer_serial[CORE_HASH_BYTES]; /* zero: not a certificate */
	uint8_t key_id[CORE_HASH_BYTES];
	uint8_t key_id_len;
	uint8_t told;         /* days ahead that were told last, 0: its end */
	uint8_t matter;       /* enum Ieum__V1__CertificateMatter */
	uint32_t participant; /* 0: the hub's own */
	uint32_t prev, next;  /* of the participant, or of the hub */
	uint32_t place;       /* in the heap */
	int64_t ends_at_ms;
	uint8_t *der;
	size_t der_len;
	char *actor;
	char serial[CERTIFICATE_SERIAL_BYTES];
};

/* In `struct participant`: its own. */
struct certificate_list {
	uint32_t head, tail, n;
};

struct certificates {
	struct slab records;
	struct lookup ids;           /* fingerprints, key ids, issuers with serial numbers */
	struct heap due;             /* by when something has to be told */
	struct certificate_list own; /* of the hub: its certificate, its revocation list */
};

void certificates_init(struct core *c);
void certificates_deinit(struct core *c);

/* INT64_MAX: nothing has to be told. */
int64_t certificates_next_due_ms(const struct core *c);

/* A connection has come with it: into the decision, when it isn't known. */
enum ieum_err certificates_seen(const struct core *c, uint32_t participant,
				const struct core_certificate *seen, core_time_us now,
				struct core_decision *d) IEUM_MUST_CHECK;
/* One that ends soon, or has ended: those whom it concerns are told. */
enum ieum_err certificates_due(const struct core *c, const struct policy *p, core_time_us now,
			       struct core_decision *d) IEUM_MUST_CHECK;

/* Those of a participant (number) that are valid at that time, in the order in which they were
 * seen; at most `max`.  How many. */
size_t certificates_of(const struct core *c, uint32_t participant, int64_t now_ms,
		       struct core_certificate *out, size_t max);
/* A certificate's identifier: the first eight bytes of its fingerprint.  Of the one that the
 * participant came with last; 0: none. */
uint64_t certificate_identifier(const uint8_t fingerprint[CORE_HASH_BYTES]);
uint64_t certificates_newest(const struct core *c, uint32_t participant);
/* The identifiers of the participant's that are valid at that time and that a CMS recipient names;
 * at most `max`.  How many. */
size_t certificates_named(const struct core *c, uint32_t participant, const uint8_t *id, size_t len,
			  bool by_key_id, int64_t now_ms, uint64_t *out, size_t max);
/* Whose is a certificate that is valid at that time and that a CMS recipient names by `id`: a
 * subject key identifier, else SHA-256 over the DER of issuer and serial number.  The lowest number
 * above `after`: a key can be in certificates of several participants.  0: no more. */
uint32_t certificates_holder(const struct core *c, const uint8_t *id, size_t len, bool by_key_id,
			     int64_t now_ms, uint32_t after);

enum ieum_err apply_certificates_changed(struct core *c,
					 const Ieum__V1__CertificatesChanged *e) IEUM_MUST_CHECK;

enum ieum_err certificates_write(struct snapshot_writing *w) IEUM_MUST_CHECK;
enum ieum_err certificates_read(struct core *c,
				const Ieum__V1__SnapshotCertificate *m) IEUM_MUST_CHECK;
/* NULL, or what is wrong. */
const char *certificates_check(const struct core *c);

#endif
