/* Messages that a participant's gateway sends for a person of its agency.  Private to broker/core. */
#ifndef IEUM_BROKER_CORE_GATEWAY_H
#define IEUM_BROKER_CORE_GATEWAY_H

#include <stdint.h>

#include "proto/error.h"

struct core;
struct submission;

/* NOT_PERMITTED of one that is no gateway; SENDER_FULL, HUB_FULL. */
enum ieum_err gateway_check(const struct submission *s) IEUM_MUST_CHECK;
/* The actor (number) that stands for both; 0: no memory. */
uint32_t gateway_actor(struct core *c, uint32_t actor, const char *person);

#endif
