/* What others may see of a compiled policy. */
#include "broker/policy/compiled.h"

#include <string.h>

const char *policy_hub(const struct policy *p)
{
	return p->hub;
}

const char *policy_text(const struct policy *p)
{
	return p->text;
}

const uint8_t *policy_hash(const struct policy *p)
{
	return p->hash;
}

const struct policy_limits *policy_limits(const struct policy *p)
{
	return &p->limits;
}

static size_t type_index(Ieum__V1__MessageType type)
{
	return (size_t)type < POLICY_TYPES ? (size_t)type : 0;
}

const struct policy_type *policy_type(const struct policy *p, Ieum__V1__MessageType type)
{
	return &p->types[type_index(type)];
}

struct yaml_duration policy_retention(const struct policy *p, Ieum__V1__MessageType type)
{
	return p->retention[type_index(type)];
}

size_t policy_participants(const struct policy *p)
{
	return p->n_participants;
}

struct policy_participant *policy_participant(const struct policy *p, int index)
{
	return index >= 0 && (size_t)index < p->n_participants ? &p->participants[index] : NULL;
}

size_t policy_mailboxes(const struct policy *p)
{
	return p->n_mailboxes;
}

struct policy_mailbox *policy_mailbox(const struct policy *p, int index)
{
	return index >= 0 && (size_t)index < p->n_mailboxes ? &p->mailboxes[index] : NULL;
}

size_t policy_bodies(const struct policy *p)
{
	return p->n_bodies;
}

const struct policy_body *policy_body(const struct policy *p, int index)
{
	return index >= 0 && (size_t)index < p->n_bodies ? &p->bodies[index] : NULL;
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macro */
const struct name_entry *policy_name(const struct policy *p, const char *name, size_t len)
{
	struct name_entry *entry;

	HASH_FIND(hh, p->names, name, len, entry);
	return entry;
}

int policy_find_participant(const struct policy *p, const char *name)
{
	const struct name_entry *entry = policy_name(p, name, strlen(name));

	return entry ? entry->participant : POLICY_NONE;
}

int policy_find_mailbox(const struct policy *p, const char *name)
{
	const struct name_entry *entry = policy_name(p, name, strlen(name));

	return entry ? entry->mailbox : POLICY_NONE;
}

int policy_find_body(const struct policy *p, const char *name)
{
	const struct name_entry *entry = policy_name(p, name, strlen(name));

	return entry ? entry->body : POLICY_NONE;
}

int policy_find_domain(const struct policy *p, const char *name, size_t len)
{
	for (size_t i = 0; i < p->n_domains; i++) {
		if (strncmp(p->domains[i].name, name, len) == 0 && p->domains[i].name[len] == '\0')
			return (int)i;
	}
	return POLICY_NONE;
}

int policy_find_kind(const struct policy *p, const char *name, size_t len)
{
	for (size_t i = 0; i < p->n_kinds; i++) {
		if (strncmp(p->kinds[i].name, name, len) == 0 && p->kinds[i].name[len] == '\0')
			return (int)i;
	}
	return POLICY_NONE;
}

bool policy_covers(const char *wider, const char *code)
{
	return strncmp(wider, code, strlen(wider)) == 0;
}

bool policy_serves(const struct policy *p, int participant, const char *code)
{
	const struct policy_participant *who = &p->participants[participant];
	bool serves = policy_covers(who->jurisdiction, code);

	for (size_t i = 0; i < who->n_elsewhere && !serves; i++)
		serves = policy_covers(who->elsewhere[i], code);
	return serves;
}

int policy_offset_min(const struct policy *p, int64_t at_ms)
{
	return calendar_offset_min(&p->calendar, at_ms);
}

void policy_notification(const struct policy *p, const char **en, const char **ko)
{
	*en = p->notification_en;
	*ko = p->notification_ko;
}

int64_t policy_due(const struct policy *p, int64_t from_ms, const char *within)
{
	struct yaml_duration duration;

	if (!yaml_parse_duration(within, &duration))
		return 0;
	return calendar_add(&p->calendar, from_ms, duration);
}
