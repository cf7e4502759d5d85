/* How deciding tells of a rule; see trace.h.  Private to broker/policy. */
#ifndef IEUM_BROKER_POLICY_TRACE_RULE_H
#define IEUM_BROKER_POLICY_TRACE_RULE_H

#include "broker/policy/decide.h"
#include "broker/policy/trace.h"

/* `unmet` as condition_unmet() gives it; `err` is what applying the rule came to, the counts are
 * those before it. */
void trace_rule(const struct deciding *d, const struct rule *rule, const char *unmet,
		enum ieum_err err, size_t first_route, size_t first_task);

/* The words of an enum's values: "consent or imminent_danger". */
void trace_words(const ProtobufCEnumDescriptor *type, uint64_t bits, char *out, size_t out_bytes);

#endif
