/* The JSON Schema (draft 2020-12) of a YAML file, from the tables that its loader checks by.
 *
 * For editors and for checking a file before it reaches a hub.  It says everything that one value
 * shows by itself; what depends on another (an unknown participant, a rule that can never match)
 * only the loader can tell.  It is stricter than the loader in wanting quotes around digits that
 * are text. */
#ifndef IEUM_PROTO_SCHEMA_JSON_H
#define IEUM_PROTO_SCHEMA_JSON_H

#include "proto/error.h"
#include "yaml/yaml_schema.h"

/* Indented, with a line end; equal tables give equal bytes.  NO_MEMORY; the caller frees *out. */
enum ieum_err schema_json(const struct yaml_schema *file, char **out) IEUM_MUST_CHECK;

#endif
