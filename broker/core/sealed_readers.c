/* Who may read which parts of a narrative; see sealed.h. */
#include <stdlib.h>
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

/* What a name is, in this policy and case; each may be POLICY_NONE. */
struct named {
	int participant, mailbox, body;
	int successor; /* mailbox of who has taken the case over from the mailbox of that name */
};

static struct named look_up(const struct core *c, const struct policy *p, uint32_t ch,
			    const char *name)
{
	uint32_t mailbox = ch ? core_mailbox_number(c, name) : 0;
	uint32_t successor = mailbox ? handover_in_place(c, p, ch, mailbox) : 0;

	return (struct named){
		.participant = policy_find_participant(p, name),
		.mailbox = policy_find_mailbox(p, name),
		.body = policy_find_body(p, name),
		.successor = successor && successor != mailbox
				     ? state_policy_mailbox(c, p, successor)
				     : POLICY_NONE,
	};
}

/* Also of a body whose members have no mailbox in common. */
static bool is_member(const struct policy *p, const struct policy_participant *who, int index)
{
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
	const struct named n = look_up(c, p, ch, name);

	return n.participant == participant ||
	       (n.mailbox != POLICY_NONE && takes_from(who, n.mailbox)) ||
	       (n.successor != POLICY_NONE && takes_from(who, n.successor)) ||
	       is_member(p, who, n.body);
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

/* ---- all the names of a message at once ---- */

/* A name of one part or more. */
struct naming {
	const char *name;
	uint16_t parts;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct naming *)a)->name, ((const struct naming *)b)->name);
}

static void mark_mailbox(const struct policy *p, int mailbox, uint16_t parts, uint16_t *of)
{
	const struct policy_mailbox *m = policy_mailbox(p, mailbox);

	for (size_t i = 0; i < m->n_consumers; i++)
		of[m->consumers[i]] |= parts;
}

static void mark(const struct core *c, const struct policy *p, uint32_t ch,
		 const struct naming *asked, uint16_t *of)
{
	const struct named n = look_up(c, p, ch, asked->name);
	const struct policy_body *body = n.body == POLICY_NONE ? NULL : policy_body(p, n.body);

	if (n.participant != POLICY_NONE)
		of[n.participant] |= asked->parts;
	if (n.mailbox != POLICY_NONE)
		mark_mailbox(p, n.mailbox, asked->parts, of);
	if (n.successor != POLICY_NONE)
		mark_mailbox(p, n.successor, asked->parts, of);
	for (size_t i = 0; body && i < body->n_mailboxes; i++)
		mark_mailbox(p, body->mailboxes[i], asked->parts, of);
}

/* Each name once: a body of hundreds may be named in every part. */
enum ieum_err sealed_read_names(const struct core *c, const struct policy *p, uint32_t core_case,
				Ieum__V1__NarrativePart *const *parts, size_t n_parts, uint16_t *of)
{
	struct naming asked[SEALED_PARTS_MAX * SEALED_NAMES_MAX];
	uint16_t everybody = 0;
	size_t n = 0, kept = 0;

	if (n_parts > SEALED_PARTS_MAX)
		return IEUM_E_INTERNAL;
	for (size_t i = 0; i < n_parts; i++) {
		if (parts[i]->n_recipients > SEALED_NAMES_MAX)
			return IEUM_E_INTERNAL;
		if (parts[i]->n_recipients == 0)
			everybody |= (uint16_t)(1u << i);
		for (size_t k = 0; k < parts[i]->n_recipients; k++)
			asked[n++] =
				(struct naming){ parts[i]->recipients[k], (uint16_t)(1u << i) };
	}
	for (size_t i = 0; everybody && i < policy_participants(p); i++)
		of[i] |= everybody;
	qsort(asked, n, sizeof asked[0], by_name);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && by_name(&asked[kept - 1], &asked[i]) == 0)
			asked[kept - 1].parts |= asked[i].parts;
		else
			asked[kept++] = asked[i];
	}
	for (size_t i = 0; i < kept; i++)
		mark(c, p, core_case, &asked[i], of);
	return IEUM_E_OK;
}

/* ---- who takes from a mailbox ---- */

static bool is_listed(const int *list, size_t n, int participant)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == participant)
			return true;
	return false;
}

bool sealed_reads(const struct sealed_readers *readers, int participant)
{
	return readers->listed[participant / 64] >> (participant % 64) & 1;
}

bool sealed_add_reader(struct sealed_readers *to, int participant)
{
	if (to->n == SEALED_READERS_MAX)
		return false;
	to->index[to->n++] = participant;
	to->listed[participant / 64] |= UINT64_C(1) << participant % 64;
	return true;
}

enum ieum_err sealed_add_readers(const struct core *c, const struct policy *p, uint32_t mailbox,
				 const int *excluded, size_t n_excluded, struct sealed_readers *to)
{
	int index = state_policy_mailbox(c, p, mailbox);
	const struct policy_mailbox *m = index == POLICY_NONE ? NULL : policy_mailbox(p, index);

	for (size_t i = 0; m && i < m->n_consumers; i++) {
		int who = m->consumers[i];
		if (sealed_reads(to, who) || is_listed(excluded, n_excluded, who))
			continue;
		if (!sealed_add_reader(to, who))
			return IEUM_E_FIELD_TOO_LARGE;
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
