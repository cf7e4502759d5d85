/* What may stand in hub.yaml: the tables that its loaders check every map against and that
 * docs/schema/hub.schema.json is made of.
 *
 * A new key: one row in its table in schema.c, and the loader that reads it.  A new map: one
 * table there, its name here, and SCHEMA_MAP(its name) in the row of the map around it.  Then
 * `make schemas`, and a line in docs/hub-file.md. */
#ifndef IEUM_BROKER_POLICY_SCHEMA_H
#define IEUM_BROKER_POLICY_SCHEMA_H

#include "yaml/yaml_schema.h"

extern const struct yaml_schema schema_file; /* hub.yaml as a whole */
extern const struct yaml_schema schema_title;
extern const struct yaml_schema schema_hub;
extern const struct yaml_schema schema_calendar;
extern const struct yaml_schema schema_kind;
extern const struct yaml_schema schema_may_send;
extern const struct yaml_schema schema_participant;
extern const struct yaml_schema schema_agreement;
extern const struct yaml_schema schema_identity;
extern const struct yaml_schema schema_body;
extern const struct yaml_schema schema_left;
extern const struct yaml_schema schema_types;
extern const struct yaml_schema schema_hours;
extern const struct yaml_schema schema_more_time;
extern const struct yaml_schema schema_type;
extern const struct yaml_schema schema_rule;
extern const struct yaml_schema schema_matching;
extern const struct yaml_schema schema_when;
extern const struct yaml_schema schema_step;
extern const struct yaml_schema schema_emit;
extern const struct yaml_schema schema_counter;
extern const struct yaml_schema schema_clock;
extern const struct yaml_schema schema_clock_extend;
extern const struct yaml_schema schema_clock_then;
extern const struct yaml_schema schema_gate;
extern const struct yaml_schema schema_linkage;
extern const struct yaml_schema schema_pool;
extern const struct yaml_schema schema_limits;
extern const struct yaml_schema schema_sealed;
extern const struct yaml_schema schema_retention;

#endif
