/* What the files of certificates share; private to them. */
#ifndef IEUM_BROKER_CORE_CERTIFICATES_IN_H
#define IEUM_BROKER_CORE_CERTIFICATES_IN_H

#include "broker/core/decision.h"

#define CERTIFICATE_DAY_MS ((int64_t)24 * 60 * 60 * 1000)

static inline struct certificate *certificate_at(const struct core *c, uint32_t h)
{
	return slab_at(&c->certificates.records, h);
}

uint32_t certificate_find(const struct core *c, const uint8_t fingerprint[CORE_HASH_BYTES]);
struct core_certificate certificate_shown(const struct certificate *k);
/* How many days ahead its end is told, the soonest first, 0 last. */
const uint8_t *certificate_days(const struct certificate *k, size_t *n);
/* When something is told next; 0: everything was. */
int64_t certificate_next_ms(const struct certificate *k);

#endif
