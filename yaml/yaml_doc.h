/* A YAML (or JSON) document in memory whose every node knows its line and column.
 *
 * The parsing is libfyaml's; this keeps a small read-only tree of it.  Refused, each
 * with its place: a second document in the file, duplicate keys, keys that are not
 * scalars, anchors, aliases, merge keys and tags (a file says what it means where it
 * means it, and nothing can be expanded into something larger than the file), text
 * that is not UTF-8 or holds a NUL, and whatever passes the limits below.
 *
 * A document is read-only after opening and may then be read from several threads. */
#ifndef IEUM_YAML_YAML_DOC_H
#define IEUM_YAML_YAML_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"
#include "yaml/yaml_diag.h"

enum {
	YAML_FILE_BYTES_MAX = 16 * 1024 * 1024,
	YAML_NODES_MAX = 1000000, /* scalars, maps and sequences, keys included */
	YAML_DEPTH_MAX = 32,      /* maps and sequences inside one another */
	YAML_NAME_BYTES =
		256, /* longest file name kept for messages; longer ones lose their beginning */
};

enum yaml_kind {
	YAML_NULL,   /* nothing, `null` or `~` */
	YAML_SCALAR, /* any other single value, quoted or not */
	YAML_MAP,
	YAML_SEQ,
};

struct yaml_doc;
struct yaml_node;

/* Reads a file, which must not change meanwhile.  FILE_UNREADABLE when it can't be opened or
 * read, FILE_INVALID when it is no acceptable document, both with a mistake in `diag`; NO_MEMORY.
 * The caller owns *doc. */
enum ieum_err yaml_doc_open(const char *path, struct yaml_diag *diag,
			    struct yaml_doc **doc) IEUM_MUST_CHECK;

/* The same from memory; `name` stands for the file in messages.  Copies both. */
enum ieum_err yaml_doc_parse(const char *name, const void *bytes, size_t n, struct yaml_diag *diag,
			     struct yaml_doc **doc) IEUM_MUST_CHECK;

/* Takes NULL.  Every node and text of the document goes with it. */
void yaml_doc_free(struct yaml_doc *doc);
/* The same for a document with secrets, which are overwritten first.  What libfyaml held while it
 * read them is not. */
void yaml_doc_erase(struct yaml_doc *doc);

/* Never NULL; an empty file has a YAML_NULL root. */
const struct yaml_node *yaml_doc_root(const struct yaml_doc *doc);
const char *yaml_doc_name(const struct yaml_doc *doc);

/* What follows borrows from the document.  A NULL node is accepted everywhere and reads as
 * YAML_NULL, empty, line 0. */
enum yaml_kind yaml_kind(const struct yaml_node *node);
int yaml_line(const struct yaml_node *node);   /* 1 = first */
int yaml_column(const struct yaml_node *node); /* 1 = first */
const char *yaml_file(const struct yaml_node *node);

/* "a map", "a sequence", "a value", "nothing": for messages. */
const char *yaml_kind_name(enum yaml_kind kind);

/* The text of a scalar, NUL-terminated; NULL for every other kind. */
const char *yaml_text(const struct yaml_node *node);
size_t yaml_text_len(const struct yaml_node *node);
/* Written without quotes and not as a block: only such a scalar can be a number or a bool. */
bool yaml_plain(const struct yaml_node *node);

/* How many items a sequence or pairs a map has; 0 for every other kind. */
size_t yaml_count(const struct yaml_node *node);
/* The i-th item of a sequence or value of a map in file order; NULL outside of 0 … count - 1. */
const struct yaml_node *yaml_at(const struct yaml_node *node, size_t i);
/* The i-th key of a map (a scalar); NULL outside, and for sequences. */
const struct yaml_node *yaml_key_at(const struct yaml_node *node, size_t i);
/* The value of a key of a map, NULL when there is none.  A value left empty is a YAML_NULL node. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/* Adds a mistake at a node's place. */
void yaml_mistake(struct yaml_diag *diag, const struct yaml_node *node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
