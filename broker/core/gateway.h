/* Messages that a participant's gateway sends for a person of its agency.  Private to broker/core,
 * but for the name of both, which the disclosure ledger tells too. */
#ifndef IEUM_BROKER_CORE_GATEWAY_H
#define IEUM_BROKER_CORE_GATEWAY_H

#include <stdint.h>

#include "proto/error.h"

/* The actor that stands for both: the gateway's certificate's name and the person. */
#define GATEWAY_ACTOR "%.300s for %.64s"
enum { GATEWAY_ACTOR_BYTES = 512 };

struct core;
struct submission;

/* NOT_PERMITTED of one that is no gateway; SENDER_FULL, HUB_FULL. */
enum ieum_err gateway_check(const struct submission *s) IEUM_MUST_CHECK;
/* The actor (number) that stands for both; 0: no memory. */
uint32_t gateway_actor(struct core *c, uint32_t actor, const char *person);

#endif
