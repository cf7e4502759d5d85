/* Who of the policy's participants is here, and who consumes which mailbox. */
#include <stdlib.h>

#include "broker/session.h"

enum ieum_err roster_build(struct roster *roster, const struct policy *policy)
{
	size_t mailboxes = policy_mailboxes(policy);
	size_t numbers = 1;

	*roster = (struct roster){ .n_entries = policy_participants(policy) };
	for (size_t i = 0; i < mailboxes; i++)
		if (policy_mailbox(policy, (int)i)->number >= numbers)
			numbers = policy_mailbox(policy, (int)i)->number + 1;
	roster->entries = calloc(roster->n_entries + 1, sizeof(*roster->entries));
	roster->mailbox_of_number = malloc(numbers * sizeof(*roster->mailbox_of_number));
	if (!roster->entries || !roster->mailbox_of_number) {
		roster_free(roster);
		return IEUM_E_NO_MEMORY;
	}
	roster->n_numbers = numbers;
	for (size_t i = 0; i < numbers; i++)
		roster->mailbox_of_number[i] = POLICY_NONE;
	for (size_t i = 0; i < mailboxes; i++)
		roster->mailbox_of_number[policy_mailbox(policy, (int)i)->number] = (int)i;
	return IEUM_E_OK;
}

void roster_free(struct roster *roster)
{
	free(roster->entries);
	free(roster->mailbox_of_number);
	*roster = (struct roster){ .entries = NULL };
}

void roster_join(struct server *sv, struct session *s)
{
	struct roster_entry *entry = &sv->roster.entries[s->participant];

	LIST_INSERT_HEAD(&entry->sessions, s, participant_link);
	entry->n_sessions++;
	s->in_roster = true;
}

void roster_leave(struct server *sv, struct session *s)
{
	if (!s->in_roster)
		return;
	LIST_REMOVE(s, participant_link);
	sv->roster.entries[s->participant].n_sessions--;
	s->in_roster = false;
}

void roster_wake(struct server *sv, uint32_t mailbox_number)
{
	const struct policy_mailbox *mailbox;
	int index = mailbox_number < sv->roster.n_numbers
			    ? sv->roster.mailbox_of_number[mailbox_number]
			    : POLICY_NONE;

	/* A mailbox of an earlier policy has nobody who consumes it. */
	if (index == POLICY_NONE)
		return;
	mailbox = policy_mailbox(sv->policy, index);
	for (size_t i = 0; i < mailbox->n_consumers; i++) {
		struct session *s;

		LIST_FOREACH(s, &sv->roster.entries[mailbox->consumers[i]].sessions,
			     participant_link) {
			releases_want(s);
		}
	}
}
