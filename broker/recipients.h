/* Whom the sealed parts of a message are for, as one sees from outside: what the core decides by, and
 * has no parser for.  Any thread. */
#ifndef IEUM_BROKER_RECIPIENTS_H
#define IEUM_BROKER_RECIPIENTS_H

#include "broker/core/core.h"
#include "proto/arena.h"

/* Fills to->sealed with every sealed part of the narrative, or every key of a key_wrap, in the arena;
 * nothing is allocated where there are none.  NOT_SEALED, FIELD_TOO_LARGE (more than
 * SEAL_MESSAGE_RECIPIENTS_MAX together), NO_MEMORY. */
enum ieum_err recipients_read(const Ieum__V1__Referral *referral, struct arena *arena,
			      struct core_submit *to) IEUM_MUST_CHECK;

#endif
