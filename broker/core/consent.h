/* Consent to share, withdrawn and given again.  Private to broker/core. */
#ifndef IEUM_BROKER_CORE_CONSENT_H
#define IEUM_BROKER_CORE_CONSENT_H

#include "broker/core/occasion.h"

/* Who withdraws it: what waits is taken back, requests that nobody has taken on are cancelled, and
 * everyone who got something is told to stop using it. */
enum ieum_err consent_stop_use(const struct occasion *o) IEUM_MUST_CHECK;
/* It holds again. */
enum ieum_err consent_give(const struct occasion *o) IEUM_MUST_CHECK;

#endif
