/* Who may read which parts of a narrative; see sealed.h. */
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/handover.h"
#include "broker/core/mailbox.h"
#include "broker/core/sealed.h"

/* ---- names ---- */

static bool takes_from(const struct policy_participant *who, int mailbox)
{
	for (size_t i = 0; i < who->n_mailboxes; i++)
		if (who->mailboxes[i] == mailbox)
			return true;
	return false;
}

/* Also of a body whose members have no mailbox in common. */
static bool is_member(const struct policy *p, const struct policy_participant *who,
		      const char *name)
{
	int index = policy_find_body(p, name);
	const struct policy_body *body = index == POLICY_NONE ? NULL : policy_body(p, index);

	for (size_t i = 0; body && i < body->n_mailboxes; i++)
		if (takes_from(who, body->mailboxes[i]))
			return true;
	return false;
}

bool sealed_is_named(const struct core *c, const struct policy *p, int participant, uint32_t ch,
		     const char *name)
{
	const struct policy_participant *who = policy_participant(p, participant);

	if (strcmp(who->name, name) == 0 || is_member(p, who, name))
		return true;
	for (size_t i = 0; i < who->n_mailboxes; i++)
		if (strcmp(policy_mailbox(p, who->mailboxes[i])->name, name) == 0)
			return true;
	uint32_t mailbox = ch ? core_mailbox_number(c, name) : 0;
	uint32_t successor = mailbox ? handover_in_place(c, p, ch, mailbox) : 0;
	return successor && successor != mailbox &&
	       takes_from(who, state_policy_mailbox(c, p, successor));
}

bool core_is_reader(const struct core *c, const struct policy *p, uint64_t connection,
		    const uint8_t *case_id, const char *name, size_t len)
{
	char of[2 * POLICY_NAME_BYTES];
	struct caller who;

	if (len >= sizeof of || caller_of(c, p, connection, &who))
		return false;
	memcpy(of, name, len);
	of[len] = '\0';
	return sealed_is_named(c, p, who.index, case_id ? state_case(c, case_id) : 0, of);
}

/* ---- who takes from a mailbox ---- */

static bool is_listed(const int *list, size_t n, int participant)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == participant)
			return true;
	return false;
}

enum ieum_err sealed_add_readers(const struct core *c, const struct policy *p, uint32_t mailbox,
				 const int *excluded, size_t n_excluded, struct sealed_readers *to)
{
	int index = state_policy_mailbox(c, p, mailbox);
	const struct policy_mailbox *m = index == POLICY_NONE ? NULL : policy_mailbox(p, index);

	for (size_t i = 0; m && i < m->n_consumers; i++) {
		int who = m->consumers[i];
		if (is_listed(excluded, n_excluded, who) || is_listed(to->index, to->n, who))
			continue;
		if (to->n == SEALED_READERS_MAX)
			return IEUM_E_FIELD_TOO_LARGE;
		to->index[to->n++] = who;
	}
	return IEUM_E_OK;
}

/* ---- a message that is there ---- */

/* Did it come to the participant, or to somebody who has handed the case over to it? */
static bool came_to(const struct core *c, const struct policy *p, const struct referral *r,
		    const struct caller *who)
{
	const struct core_case *k = r->core_case ? case_at(c, r->core_case) : NULL;

	if (r->sender == who->participant ||
	    (k && r->sender && handover_inherits(c, p, who, k, handover_own_mailbox(c, r->sender))))
		return true;
	for (uint32_t dh = r->first_delivery; dh; dh = delivery_at(c, dh)->next) {
		const struct delivery *d = delivery_at(c, dh);
		if ((k && handover_inherits(c, p, who, k, d->mailbox)) ||
		    (d->state != DELIVERY_WITHDRAWN && caller_consumes(c, p, who, d->mailbox)))
			return true;
	}
	return false;
}

uint32_t sealed_readable(const struct core *c, const struct policy *p, const struct sealed *s,
			 int participant)
{
	const struct referral *r = referral_at(c, s->referral);
	const struct policy_participant *of = policy_participant(p, participant);
	const struct caller who = { .participant = of->number, .index = participant, .who = of };
	const struct core_case *k = r->core_case ? case_at(c, r->core_case) : NULL;
	uint32_t parts = 0;

	if (!of->number || (k && case_excludes(k, of->number)) ||
	    (k && handover_left(c, p, &who, k)) || !came_to(c, p, r, &who))
		return 0;
	for (size_t i = 0; i < s->n_parts; i++) {
		const struct sealed_part *part = &s->parts[i];
		bool reads = part->n_recipients == 0 || r->sender == of->number;
		for (size_t to = 0; to < part->n_recipients && !reads; to++)
			reads = sealed_is_named(c, p, participant, r->core_case,
						part->recipients[to]);
		if (reads)
			parts |= sealed_bit(part->number);
	}
	/* On a consent that was withdrawn nobody gets to know more than it does already: what came
	 * closed is not known. */
	return referral_lacks_consent(c, r) ? parts & sealed_held(s, of->number) : parts;
}
