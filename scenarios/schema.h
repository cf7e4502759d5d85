/* What may stand in a scenario file: the tables that its loader checks every map against and
 * that docs/schema/scenario.schema.json is made of.  A new key is one row in schema.c, then
 * `make schemas`; yaml/yaml_schema.h says how tables are written. */
#ifndef IEUM_SCENARIOS_SCHEMA_H
#define IEUM_SCENARIOS_SCHEMA_H

#include "yaml/yaml_schema.h"

extern const struct yaml_schema scenario_schema_file;
extern const struct yaml_schema scenario_schema_words; /* a text in both languages */
extern const struct yaml_schema scenario_schema_subject;
extern const struct yaml_schema scenario_schema_step;
extern const struct yaml_schema scenario_schema_expect;
extern const struct yaml_schema scenario_schema_plan;

#endif
