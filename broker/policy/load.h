/* What the loaders of the hub file's sections share.
 *
 * Every load_x() goes through its whole section and adds each mistake it meets; whether
 * there were any is looked at once, in load.c.  The index of a kind, participant, body or
 * rule is its position in its section, also when it has mistakes.  Private to broker/policy. */
#ifndef IEUM_BROKER_POLICY_LOAD_H
#define IEUM_BROKER_POLICY_LOAD_H

#include "broker/policy/compiled.h"
#include "broker/policy/schema.h"
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
/* {en: …, ko: …} */
void load_both_languages(struct loader *l, const struct yaml_node *node, const char **en,
			 const char **ko);
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

/* The place of the gate that a key of a rule or linkage names, from 1; 0: there is no such key. */
int load_gate_name(struct loader *l, const struct yaml_node *map, const char *key);
/* needs_gate, anonymous_until, quorum … of a rule, after its request. */
void load_gate_keys(struct loader *l, const struct yaml_node *node, struct rule *rule);

/* `holds: first` or `holds: every`; *verb is an enum policy_holds. */
bool load_holds(struct loader *l, const struct yaml_node *node, struct rule *rule, int *verb);

/* The acts among a rule's keys, into rule->acts. */
void load_acts(struct loader *l, const struct yaml_node *node, struct rule *rule);

/* `emit`: one message that the hub makes itself, or several.  `source_types` are those that it can
 * come from, a bit per type; 0: it comes from no message. */
void load_emits(struct loader *l, const struct yaml_node *node, uint64_t source_types,
		const struct policy_emit **out, size_t *n_out);

/* The index of a counter; POLICY_NONE after a mistake at `node`. */
int load_counter_index(struct loader *l, const struct yaml_node *node, const char *name);

/* "09:00-18:00", opening before it closes. */
extern const char *const load_weekdays[8]; /* Sunday first; ends with NULL */
bool load_hours(struct loader *l, const struct yaml_node *node, struct calendar_hours *out);

/* A BCP 47 tag, in its usual form. */
bool load_language(struct loader *l, const struct yaml_node *node, char tag[LANGUAGE_BYTES]);

/* "$name": a field that the bodies of all these types have, of that type and not repeated.
 * `use` says in a mistake what it would be good for. */
bool load_field_ref(struct loader *l, const struct yaml_node *node, uint64_t types,
		    ProtobufCType type, const char *use, struct field_ref *out);

/* An address of the policy language that `node` holds. */
bool load_address(struct loader *l, const struct yaml_node *node, struct address *out);

/* Addresses that are told when something ends, where no message was sent; `in_case`: of a case. */
void load_told_addresses(struct loader *l, const struct yaml_node *node, bool in_case,
			 const char *const **out, size_t *n);

/* ---- sections ---- */
void load_hub(struct loader *l);
void load_calendar(struct loader *l);
void load_limits(struct loader *l);
void load_sealed(struct loader *l);
void load_types(struct loader *l);
void load_retention(struct loader *l);
void load_domains(struct loader *l);
void load_kinds(struct loader *l);
void load_participants(struct loader *l);
void load_identities(struct loader *l); /* when all participants are there */
void load_bodies(struct loader *l);     /* and with them, every mailbox */
void load_left(struct loader *l);
void load_languages(struct loader *l, const struct yaml_node *node, struct participant_more *more);
void load_agreement(struct loader *l, const struct yaml_node *node, struct policy_participant *who);
void load_attendance(struct loader *l); /* hours and duty of every mailbox */
void load_notification(struct loader *l);
void load_matching(struct loader *l, const struct yaml_node *node, struct rule *rule);
/* A time of the body by its name, as the value of that key; a mistake where one of the types has
 * none. */
bool load_time_ref(struct loader *l, const struct yaml_node *node, const char *key, uint64_t types,
		   const char *use, struct field_ref *out);
void load_contact_at(struct loader *l, const struct yaml_node *node, struct rule *rule);
void load_heads(struct loader *l);
void load_providers(struct loader *l);
void load_agreement_tells(struct loader *l); /* when bodies and ranks are there */
void load_kind_members(struct loader *l);
void load_counters(struct loader *l); /* before the rules, which may look at them */
void load_clocks(struct loader *l);   /* before the rules, which start and stop them */
void load_gates(struct loader *l);
void load_linkages(struct loader *l);
void load_legal_bases(struct loader *l); /* before whatever emits on one */
void load_pools(struct loader *l);
void load_rules(struct loader *l);
void load_condition(struct loader *l, const struct yaml_node *when, struct condition *out);

/* Mistakes that show only when everything is there. */
void check_heads(struct loader *l);
void check_circles(struct loader *l);
void check_duty(struct loader *l);
void check_notification(struct loader *l);
void check_clocks(struct loader *l);
/* Does the rule take a message of this type that the hub makes? */
bool check_takes_from_hub(const struct rule *rule, Ieum__V1__MessageType type);
void check_providers(struct loader *l);
void check_pools(struct loader *l);
void check_places(struct loader *l); /* pools against the rules for places */
void check_conditions(struct loader *l);
void check_gates(struct loader *l);
bool check_has_act(const struct rule *rule, enum policy_act_kind kind);
/* Does the condition admit this participant, with a type that it may send? */
bool check_may_send(const struct policy *p, const struct condition *c, size_t participant);
void check_handover(struct loader *l);
void check_counters(struct loader *l);
void check_rules(struct loader *l);
void check_linkages(struct loader *l);
void check_quorums(struct loader *l);

const struct yaml_node *load_nth(const struct loader *l, const char *section, size_t i);

#endif
