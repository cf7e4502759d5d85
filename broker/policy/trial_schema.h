/* What may stand in a file of a policy's own tests: the tables that trial_load.c checks every map
 * against and that docs/schema/policy-tests.schema.json is made of.  Private to broker/policy. */
#ifndef IEUM_BROKER_POLICY_TRIAL_SCHEMA_H
#define IEUM_BROKER_POLICY_TRIAL_SCHEMA_H

#include "broker/policy/trial.h"

enum { TRIAL_COUNT_MAX = 1000000 }; /* of a counter */

extern const struct yaml_schema trial_schema_test;
extern const struct yaml_schema trial_schema_case;
extern const struct yaml_schema trial_schema_expect;
extern const struct yaml_schema trial_schema_step;

#endif
