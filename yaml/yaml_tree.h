/* The tree behind yaml_doc.h: made by yaml_load.c, read by yaml_doc.c, and by nobody else.
 *
 * Nodes and texts lie in chunks that belong to the document and never move. */
#ifndef IEUM_YAML_YAML_TREE_H
#define IEUM_YAML_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "yaml/yaml_doc.h"

struct yaml_chunk {
	struct yaml_chunk *next;
	size_t used;
	size_t size;
	max_align_t bytes[];
};

struct yaml_node {
	const struct yaml_doc *doc;
	struct yaml_node *next; /* sibling; keys and values of a map alternate */
	enum yaml_kind kind;
	bool plain;
	int line;
	int column;
	const char *text; /* scalars */
	size_t text_len;
	size_t count; /* nodes in `inside`: items, or keys and values */
	const struct yaml_node **inside;
};

struct yaml_doc {
	char name[YAML_NAME_BYTES];
	struct yaml_chunk *chunks;
	size_t nodes;
	struct yaml_node *root;
};

/* n zeroed bytes that live as long as the document; NULL when out of memory. */
void *yaml_doc_alloc(struct yaml_doc *doc, size_t n);

/* An empty document; NULL when out of memory. */
struct yaml_doc *yaml_doc_new(const char *name);

#endif
