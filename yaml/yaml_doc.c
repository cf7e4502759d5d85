/* Memory and reading of a YAML tree; see yaml_doc.h. */
#include "yaml/yaml_doc.h"

#include <stdlib.h>
#include <string.h>

#include "proto/catalog.h"
#include "yaml/yaml_tree.h"

enum { CHUNK_BYTES = 64 * 1024 };

void *yaml_doc_alloc(struct yaml_doc *doc, size_t n)
{
	struct yaml_chunk *chunk = doc->chunks;

	n = (n + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	if (!chunk || chunk->size - chunk->used < n) {
		size_t size = n > CHUNK_BYTES ? n : CHUNK_BYTES;

		chunk = calloc(1, sizeof *chunk + size);
		if (!chunk)
			return NULL;
		chunk->size = size;
		chunk->next = doc->chunks;
		doc->chunks = chunk;
	}
	void *bytes = (char *)chunk->bytes + chunk->used;
	chunk->used += n;
	return bytes;
}

struct yaml_doc *yaml_doc_new(const char *name)
{
	struct yaml_doc *doc = calloc(1, sizeof *doc);
	size_t n = strlen(name);

	if (!doc)
		return NULL;
	if (n >= sizeof doc->name)
		name += n - (sizeof doc->name - 1);
	memcpy(doc->name, name, strlen(name) + 1);
	return doc;
}

void yaml_doc_free(struct yaml_doc *doc)
{
	if (!doc)
		return;
	while (doc->chunks) {
		struct yaml_chunk *chunk = doc->chunks;

		doc->chunks = chunk->next;
		free(chunk);
	}
	free(doc);
}

void yaml_doc_erase(struct yaml_doc *doc)
{
	if (!doc)
		return;
	for (struct yaml_chunk *chunk = doc->chunks; chunk; chunk = chunk->next)
		explicit_bzero(chunk->bytes, chunk->used);
	yaml_doc_free(doc);
}

const struct yaml_node *yaml_doc_root(const struct yaml_doc *doc)
{
	return doc->root;
}

const char *yaml_doc_name(const struct yaml_doc *doc)
{
	return doc->name;
}

enum yaml_kind yaml_kind(const struct yaml_node *node)
{
	return node ? node->kind : YAML_NULL;
}

int yaml_line(const struct yaml_node *node)
{
	return node ? node->line : 0;
}

int yaml_column(const struct yaml_node *node)
{
	return node ? node->column : 0;
}

const char *yaml_file(const struct yaml_node *node)
{
	return node ? node->doc->name : "";
}

const char *yaml_kind_name(enum yaml_kind kind)
{
	switch (kind) {
	case YAML_NULL: return N_("nothing");
	case YAML_SCALAR: return N_("a value");
	case YAML_MAP: return N_("a map");
	case YAML_SEQ: return N_("a sequence");
	}
	return "?";
}

const char *yaml_text(const struct yaml_node *node)
{
	return yaml_kind(node) == YAML_SCALAR ? node->text : NULL;
}

size_t yaml_text_len(const struct yaml_node *node)
{
	return yaml_kind(node) == YAML_SCALAR ? node->text_len : 0;
}

bool yaml_plain(const struct yaml_node *node)
{
	return yaml_kind(node) == YAML_SCALAR && node->plain;
}

size_t yaml_count(const struct yaml_node *node)
{
	switch (yaml_kind(node)) {
	case YAML_MAP: return node->count / 2;
	case YAML_SEQ: return node->count;
	default: return 0;
	}
}

const struct yaml_node *yaml_at(const struct yaml_node *node, size_t i)
{
	if (i >= yaml_count(node))
		return NULL;
	return node->kind == YAML_MAP ? node->inside[2 * i + 1] : node->inside[i];
}

const struct yaml_node *yaml_key_at(const struct yaml_node *node, size_t i)
{
	return yaml_kind(node) == YAML_MAP && i < yaml_count(node) ? node->inside[2 * i] : NULL;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	if (yaml_kind(map) != YAML_MAP)
		return NULL;
	for (size_t i = 0; i < map->count; i += 2) {
		if (strcmp(map->inside[i]->text, key) == 0)
			return map->inside[i + 1];
	}
	return NULL;
}

void yaml_mistake(struct yaml_diag *diag, const struct yaml_node *node, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	yaml_diag_addv(diag, yaml_file(node), yaml_line(node), yaml_column(node), format, args);
	va_end(args);
}
