/* The JSON Schemas that the project keeps under docs/schema, and the tables each is made of. */
#ifndef IEUM_TESTS_SCHEMA_FILES_H
#define IEUM_TESTS_SCHEMA_FILES_H

#include "yaml/yaml_schema.h"

struct schema_file {
	const char *path;
	const struct yaml_schema *table;
};

/* Ends with a row without path. */
extern const struct schema_file schema_files[];

#endif
