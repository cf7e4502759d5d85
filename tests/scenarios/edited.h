/* A YAML document written anew with one thing changed: an entry of a map or of a sequence is gone,
 * or another value is in its place.  What it means stays the same else; comments go. */
#ifndef IEUM_TESTS_SCENARIOS_EDITED_H
#define IEUM_TESTS_SCENARIOS_EDITED_H

#include "yaml/yaml_doc.h"

struct edit {
	const struct yaml_node *at; /* the map or the sequence; NULL: nothing is changed */
	size_t index;               /* of the entry in it */
	const char *value;          /* a scalar in its place; NULL: the entry goes */
};

/* The caller frees it; aborts without memory. */
char *edited_text(const struct yaml_node *root, const struct edit *edit, size_t *len);

#endif
