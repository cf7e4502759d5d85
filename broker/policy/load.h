/* What the loaders of the hub file's sections share.
 *
 * Every load_x() goes through its whole section and adds each mistake it meets; whether
 * there were any is looked at once, in load.c.  The index of a kind, participant, body or
 * rule is its position in its section, also when it has mistakes.  Private to broker/policy. */
#ifndef IEUM_BROKER_POLICY_LOAD_H
#define IEUM_BROKER_POLICY_LOAD_H

#include "broker/policy/compiled.h"
#include "yaml/yaml_doc.h"
#include "yaml/yaml_read.h"

struct loader {
	struct policy *p;
	struct yaml_diag *diag;
	const struct yaml_node *root;
	size_t mistakes_before; /* of other files, in the same diag */
	bool no_memory;
};

/* n zeroed things of `size` bytes in the policy's arena.  NULL: l->no_memory is set. */
void *load_alloc(struct loader *l, size_t n, size_t size);
const char *load_copy(struct loader *l, const char *text);
const char *load_format(struct loader *l, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The section `name`, which must be a map (or a sequence) of 1 … max entries; NULL after a mistake. */
const struct yaml_node *load_section(struct loader *l, const char *name, enum yaml_kind kind,
				     size_t max);

/* Lower-case letters, digits and `joint` ('-' or '_'), at most POLICY_NAME_BYTES - 1. */
bool load_name(struct loader *l, const struct yaml_node *node, char joint,
	       char out[POLICY_NAME_BYTES]);
/* Digits of an administrative code. */
bool load_jurisdiction(struct loader *l, const struct yaml_node *node, char out[16]);
/* `title: {en: …, ko: …}` of a map. */
void load_title(struct loader *l, const struct yaml_node *map, const char **en, const char **ko);
/* A duration above 0 that a calendar can add up; *text is the arena's copy. */
bool load_within(struct loader *l, const struct yaml_node *node, struct yaml_duration *out,
		 const char **text);

/* One value or a sequence of them: how many, and the i-th. */
size_t load_items(const struct yaml_node *node);
const struct yaml_node *load_item(const struct yaml_node *node, size_t i);

/* The value of an enum's short word, never its 0.  `what` names it in a mistake. */
bool load_enum(struct loader *l, const struct yaml_node *node, const ProtobufCEnumDescriptor *type,
	       const char *what, int *out);
/* One word or several, as a bit per value. */
bool load_enum_bits(struct loader *l, const struct yaml_node *node,
		    const ProtobufCEnumDescriptor *type, const char *what, uint64_t *bits);

/* "unknown KIND 'text'; did you mean 'x'?" */
void load_unknown(struct loader *l, const struct yaml_node *node, const char *what,
		  const char *const *words);

/* An address of the policy language that `node` holds. */
bool load_address(struct loader *l, const struct yaml_node *node, struct address *out);

/* ---- sections ---- */
void load_hub(struct loader *l);
void load_calendar(struct loader *l);
void load_limits(struct loader *l);
void load_types(struct loader *l);
void load_retention(struct loader *l);
void load_domains(struct loader *l);
void load_kinds(struct loader *l);
void load_participants(struct loader *l);
void load_bodies(struct loader *l); /* and with them, every mailbox */
void load_heads(struct loader *l);
void load_providers(struct loader *l);
void load_kind_members(struct loader *l);
void load_rules(struct loader *l);
void load_condition(struct loader *l, const struct yaml_node *when, struct condition *out);

/* Mistakes that show only when everything is there. */
void check_heads(struct loader *l);
void check_providers(struct loader *l);
void check_rules(struct loader *l);

const struct yaml_node *load_nth(const struct loader *l, const char *section, size_t i);

#endif
