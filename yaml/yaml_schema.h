/* What a map of a YAML file may hold: one table per map, for the loader that reads it and for
 * the JSON Schema that editors check against (proto/schema_json.h), so that the two can't differ.
 *
 * A table is a `struct yaml_schema`: a row per key with the type of its value, whether it is
 * needed and one line of English.  A loader calls yaml_schema_check() on the node and reads what
 * has a range or a list of words through yaml_schema_opt_x(), which take both from the row.  A
 * key without a row is a mistake in the file, so a new key is one new row:
 *
 *	{ "rate_per_s", SCHEMA_INT(1, 1000000), SCHEMA_OPTIONAL, "submits and queries a second" },
 *
 * and a new map is one new table, named by SCHEMA_MAP(table) in the row of the map around it.
 * The tables of hub.yaml are in broker/policy/schema.c, those of scenario files beside their
 * loader.  `make schemas` afterwards writes docs/schema/ anew.
 *
 * Tables are constant; any thread. */
#ifndef IEUM_YAML_YAML_SCHEMA_H
#define IEUM_YAML_YAML_SCHEMA_H

#include <protobuf-c/protobuf-c.h>

#include "yaml/yaml_read.h"

enum { YAML_SCHEMA_KEYS_MAX = 96 }; /* of one map */

enum yaml_schema_is {
	YAML_SCHEMA_ANYTHING,
	YAML_SCHEMA_TEXT,     /* at most `max` bytes; where there is a `pattern`, of that form */
	YAML_SCHEMA_INT,      /* min … max */
	YAML_SCHEMA_BOOL,     /* true or false */
	YAML_SCHEMA_WORD,     /* one of `words` */
	YAML_SCHEMA_ENUM,     /* a short word of the protobuf enum `enumeration` */
	YAML_SCHEMA_DURATION, /* any unit: "3 business days" */
	YAML_SCHEMA_SPAN,     /* of fixed length, min … max milliseconds */
	YAML_SCHEMA_BYTES,    /* "64 KiB", min … max bytes */
	YAML_SCHEMA_LIST,     /* min … max of `of`; max 0: any number */
	YAML_SCHEMA_MANY,     /* one of `of`, or a list of them */
	YAML_SCHEMA_BY_NAME,  /* a map from names of the file's own, or of `pattern`, to `of` */
	YAML_SCHEMA_EITHER,   /* as `of`, or as `other` */
	YAML_SCHEMA_MAP,      /* of the table `map` */
	YAML_SCHEMA_MESSAGE,  /* a protobuf message by its fields' names, as pbmap.h reads it */
};

struct yaml_schema;

struct yaml_schema_type {
	enum yaml_schema_is is;
	int64_t min, max;
	const char
		*pattern; /* an ECMA 262 regular expression; the loader has its own words for it */
	const char *example;      /* with a pattern */
	const char *const *words; /* ends with NULL */
	const ProtobufCEnumDescriptor *enumeration;
	const ProtobufCMessageDescriptor *message;
	const struct yaml_schema_type *of, *other;
	const struct yaml_schema *map;
};

struct yaml_schema_key {
	const char *key;
	struct yaml_schema_type type;
	bool needed;
	const char *line; /* in English, for the editor */
};

struct yaml_schema {
	const char *name; /* in the JSON Schema; unique in one file */
	const char *line;
	const struct yaml_schema_key
		*keys; /* ends with a row without key; the file's usual order */
	/* Further keys of which the loader itself says which are right: the words of an enum … */
	const ProtobufCEnumDescriptor *other_keys;
	struct yaml_schema_type other_type;
	/* … or the fields of whatever body a message of this kind can have. */
	const ProtobufCMessageDescriptor *facts_of;
	/* Keys of which one at least is there; ends with NULL.  NULL: no such condition. */
	const char *const *one_of;
};

/* The node is a map whose every key has a row; as yaml_check_map().  What is missing shows when
 * the loader asks for it by yaml_require(). */
bool yaml_schema_check(const struct yaml_node *node, const struct yaml_schema *schema,
		       struct yaml_diag *diag);

/* The row of a key that is there. */
const struct yaml_schema_key *yaml_schema_row(const struct yaml_schema *schema, const char *key);

/* As yaml_opt_x(), with range or words from the key's row. */
bool yaml_schema_opt_int(const struct yaml_node *map, const struct yaml_schema *schema,
			 const char *key, struct yaml_diag *diag, int64_t *out);
bool yaml_schema_opt_word(const struct yaml_node *map, const struct yaml_schema *schema,
			  const char *key, struct yaml_diag *diag, size_t *out);
bool yaml_schema_opt_span_ms(const struct yaml_node *map, const struct yaml_schema *schema,
			     const char *key, struct yaml_diag *diag, int64_t *out);
bool yaml_schema_opt_bytes(const struct yaml_node *map, const struct yaml_schema *schema,
			   const char *key, struct yaml_diag *diag, int64_t *out);

/* ---- how tables are written ---- */

#define SCHEMA_NEEDED   true
#define SCHEMA_OPTIONAL false
#define SCHEMA_END \
	{ \
		.key = NULL \
	}

/* clang-format off */
#define SCHEMA_ANYTHING { .is = YAML_SCHEMA_ANYTHING }
#define SCHEMA_TEXT(bytes) { .is = YAML_SCHEMA_TEXT, .max = (bytes) }
#define SCHEMA_FORM(regex, such_as) { .is = YAML_SCHEMA_TEXT, .pattern = (regex), .example = (such_as) }
#define SCHEMA_INT(from, to) { .is = YAML_SCHEMA_INT, .min = (from), .max = (to) }
#define SCHEMA_BOOL { .is = YAML_SCHEMA_BOOL }
#define SCHEMA_WORD(...) { .is = YAML_SCHEMA_WORD, .words = (const char *const[]){ __VA_ARGS__, NULL } }
#define SCHEMA_ENUM(name) { .is = YAML_SCHEMA_ENUM, .enumeration = &ieum__v1__##name##__descriptor }
#define SCHEMA_DURATION { .is = YAML_SCHEMA_DURATION }
#define SCHEMA_SPAN(from_ms, to_ms) { .is = YAML_SCHEMA_SPAN, .min = (from_ms), .max = (to_ms) }
#define SCHEMA_BYTES(from, to) { .is = YAML_SCHEMA_BYTES, .min = (from), .max = (to) }
#define SCHEMA_MAP(table) { .is = YAML_SCHEMA_MAP, .map = &(table) }
#define SCHEMA_MESSAGE(name) { .is = YAML_SCHEMA_MESSAGE, .message = &ieum__v1__##name##__descriptor }
#define SCHEMA_TYPE_AT(...) &(const struct yaml_schema_type) __VA_ARGS__
#define SCHEMA_LIST(from, to, ...) { .is = YAML_SCHEMA_LIST, .min = (from), .max = (to), .of = SCHEMA_TYPE_AT(__VA_ARGS__) }
#define SCHEMA_MANY(...) { .is = YAML_SCHEMA_MANY, .of = SCHEMA_TYPE_AT(__VA_ARGS__) }
#define SCHEMA_BY_NAME(...) { .is = YAML_SCHEMA_BY_NAME, .of = SCHEMA_TYPE_AT(__VA_ARGS__) }
#define SCHEMA_EITHER(first, ...) { .is = YAML_SCHEMA_EITHER, .of = SCHEMA_TYPE_AT(first), .other = SCHEMA_TYPE_AT(__VA_ARGS__) }
/* By the names of mailboxes: "gimpo-ps" or "joint-response-team-gimpo/police". */
#define SCHEMA_BY_MAILBOX(...) { .is = YAML_SCHEMA_BY_NAME, .pattern = "^[a-z0-9][a-z0-9-]{0,62}(/[a-z0-9_]{1,63})?$", .of = SCHEMA_TYPE_AT(__VA_ARGS__) }
#define SCHEMA_KEYS (const struct yaml_schema_key[])
/* clang-format on */

#endif
