/* Which schema is made of which table; see files.h. */
#include "tests/schema/files.h"

#include "broker/policy/schema.h"
#include "broker/policy/trial.h"
#include "scenarios/schema.h"

const struct schema_file schema_files[] = {
	{ "docs/schema/hub.schema.json", &schema_file },
	{ "docs/schema/scenario.schema.json", &scenario_schema_file },
	{ "docs/schema/policy-tests.schema.json", &trial_schema_file },
	{ NULL, NULL },
};
