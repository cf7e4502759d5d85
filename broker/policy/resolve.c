/* From an address to mailboxes, leaving out whoever has a conflict of interest. */
#include "broker/policy/route.h"

#include <string.h>

void scope_init(struct scope *s, const struct policy *p, const struct policy_context *ctx)
{
	const Ieum__V1__Referral *referral = ctx->referral;
	const Ieum__V1__Envelope *envelope = referral ? referral->envelope : NULL;
	bool from_hub = ctx->sender == POLICY_NONE;

	*s = (struct scope){ .p = p, .ctx = ctx, .envelope = envelope, .exclude = true };
	s->asked = ctx->asked;
	s->n_asked = ctx->n_asked;
	s->sender_kind = from_hub ? POLICY_KIND_HUB : p->more[ctx->sender].kind;
	s->category = ctx->case_category;
	s->urgency = IEUM__V1__URGENCY__URGENCY_ROUTINE;
	s->jurisdiction = ctx->case_jurisdiction;
	if (envelope) {
		s->type = envelope->type;
		/* Every case of the oneof is a pointer to a message. */
		s->body = referral->report_received;
		if (envelope->category)
			s->category = envelope->category;
		if (envelope->urgency)
			s->urgency = envelope->urgency;
		if (envelope->legal_basis)
			s->basis = envelope->legal_basis->kind;
		if (envelope->jurisdiction && *envelope->jurisdiction)
			s->jurisdiction = envelope->jurisdiction;
	}
	if (!s->jurisdiction || !*s->jurisdiction)
		s->jurisdiction =
			from_hub ? p->jurisdiction : p->participants[ctx->sender].jurisdiction;
}

bool policy_excludes(const struct policy_context *ctx, int participant)
{
	for (size_t i = 0; i < ctx->n_excluded; i++) {
		if (ctx->excluded[i] == participant)
			return true;
	}
	return false;
}

bool scope_excludes(const struct scope *s, int mailbox)
{
	const struct policy_mailbox *box = &s->p->mailboxes[mailbox];

	if (s->ctx->n_excluded == 0)
		return false;
	for (size_t i = 0; i < box->n_consumers; i++) {
		if (!policy_excludes(s->ctx, box->consumers[i]))
			return false;
	}
	return true;
}

void mailbox_list_init(struct mailbox_list *list)
{
	list->n = 0;
	list->excluded = 0;
	list->full = false;
}

void mailbox_list_add(const struct scope *s, struct mailbox_list *list, int mailbox)
{
	for (size_t i = 0; i < list->n; i++) {
		if (list->at[i] == mailbox)
			return;
	}
	if (s->exclude && scope_excludes(s, mailbox)) {
		list->excluded++;
		return;
	}
	if (list->n == POLICY_ROUTES_MAX) {
		list->full = true;
		return;
	}
	list->at[list->n++] = mailbox;
}

/* Someone of a group that the sender is in itself: its own copy would tell it nothing. */
static void add_participant(const struct scope *s, struct mailbox_list *list, int participant)
{
	if (participant != s->ctx->sender)
		mailbox_list_add(s, list, s->p->participants[participant].mailbox);
}

/* Has somebody who speaks it, of that sex where it matters. */
static bool serves(const struct scope *s, int participant)
{
	const struct participant_more *more = &s->p->more[participant];
	bool any = !s->language && s->sex == 0;

	for (size_t i = 0; i < more->n_spoken && !any; i++)
		any = (!s->language || language_suits(more->spoken[i].language, s->language,
						      strlen(s->language))) &&
		      (s->sex == 0 || more->spoken[i].sexes & 1U << s->sex);
	return any;
}

/* One of those whom a role or a support domain stands for. */
static void add_one_of(const struct scope *s, struct mailbox_list *list, int participant,
		       const char *code)
{
	if (policy_serves(s->p, participant, code) && is_designated(s, participant) &&
	    serves(s, participant))
		add_participant(s, list, participant);
}

static void add_body(const struct scope *s, struct mailbox_list *list, const int *mailboxes,
		     size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct policy_mailbox *box = &s->p->mailboxes[mailboxes[i]];

		if (box->body == POLICY_NONE)
			add_participant(s, list, box->consumers[0]);
		else
			mailbox_list_add(s, list, mailboxes[i]);
	}
}

static void add_role(const struct scope *s, struct mailbox_list *list, int kind_index,
		     const char *code)
{
	const struct policy *p = s->p;
	const struct policy_kind *kind = &p->kinds[kind_index];

	for (size_t i = 0; i < kind->n_participants; i++)
		add_one_of(s, list, kind->participants[i], code);
	/* A body speaks no language: its members do, and they are in it for something else. */
	for (size_t i = 0; i < kind->n_bodies && !s->language && s->sex == 0; i++) {
		const struct policy_body *body = &p->bodies[kind->bodies[i]];

		if (policy_covers(body->jurisdiction, code))
			add_body(s, list, body->mailboxes, body->n_mailboxes);
	}
}

void provider_resolve(const struct scope *s, int domain, int rank, struct mailbox_list *list)
{
	const struct policy *p = s->p;
	const struct policy_domain *d = &p->domains[domain];

	for (size_t i = 0; i < d->n_providers; i++) {
		int who = d->providers[i];

		if (rank == 0 || p->more[who].ranks[domain] == rank)
			add_one_of(s, list, who, s->jurisdiction);
	}
}

static void add_head(const struct scope *s, struct mailbox_list *list, int participant)
{
	int head = s->p->participants[participant].head;

	if (head != POLICY_NONE)
		mailbox_list_add(s, list, head);
}

static void add_heads_of_asked(const struct scope *s, struct mailbox_list *list)
{
	for (size_t i = 0; i < s->n_asked; i++) {
		const struct policy_mailbox *box = policy_mailbox(s->p, s->asked[i]);

		for (size_t k = 0; box && k < box->n_consumers; k++)
			add_head(s, list, box->consumers[k]);
	}
}

static void add_providers(const struct scope *s, const struct address *a, struct mailbox_list *list)
{
	provider_resolve(s, a->index, a->part, list);
}

static void add_of_kind(const struct scope *s, const struct address *a, struct mailbox_list *list)
{
	add_role(s, list, a->index, *a->jurisdiction ? a->jurisdiction : s->jurisdiction);
}

/* What the address itself asks for comes before what the rule does. */
static void add_matching(const struct scope *s, const struct address *a, struct mailbox_list *list,
			 void (*add)(const struct scope *s, const struct address *a,
				     struct mailbox_list *list))
{
	struct scope narrow = *s;

	if (*a->language || a->sex) {
		narrow.language = *a->language ? a->language : NULL;
		narrow.sex = a->sex;
	}
	add(&narrow, a, list);
}

void address_resolve(const struct scope *s, const struct address *a, struct mailbox_list *list)
{
	const struct policy *p = s->p;

	switch (a->kind) {
	case ADDRESS_MAILBOX: mailbox_list_add(s, list, a->index); break;
	case ADDRESS_BODY:
		add_body(s, list, p->bodies[a->index].mailboxes, p->bodies[a->index].n_mailboxes);
		break;
	case ADDRESS_BODY_ROLE: {
		const struct body_role *role = &p->roles[a->index].roles[a->part];

		add_body(s, list, role->mailboxes, role->n_mailboxes);
		break;
	}
	case ADDRESS_LEAD: mailbox_list_add(s, list, p->bodies[a->index].lead); break;
	case ADDRESS_ROLE: add_matching(s, a, list, add_of_kind); break;
	case ADDRESS_PROVIDER: add_matching(s, a, list, add_providers); break;
	case ADDRESS_POOL:
		mailbox_list_add(s, list, p->participants[p->pools[a->index].keeper].mailbox);
		break;
	case ADDRESS_HEAD: add_heads_of_asked(s, list); break;
	case ADDRESS_HEAD_OF:
		if (a->index != POLICY_NONE || s->ctx->sender != POLICY_NONE)
			add_head(s, list, a->index != POLICY_NONE ? a->index : s->ctx->sender);
		break;
	case ADDRESS_SENDER:
		if (s->ctx->sender != POLICY_NONE)
			mailbox_list_add(s, list, p->participants[s->ctx->sender].mailbox);
		break;
	case ADDRESS_CASE_OWNER:
		if (s->ctx->case_owner != POLICY_NONE)
			mailbox_list_add(s, list, s->ctx->case_owner);
		break;
	case ADDRESS_ADDRESSEES: (void)addressees_resolve(s, list); break;
	}
}

void address_resolve_text(const struct scope *s, const char *text, struct mailbox_list *list)
{
	struct address address = { 0 };
	char why[1] = "";

	while (*text) {
		size_t len = address_length(text);

		if (address_parse(s->p, text, len, &address, why, sizeof why))
			address_resolve(s, &address, list);
		text += len;
		text += strspn(text, ", ");
	}
}

static const char *addressee_resolve(const struct scope *s, const Ieum__V1__Addressee *to,
				     struct mailbox_list *list)
{
	const struct policy *p = s->p;
	const char *code;
	int found;

	switch (to->to_case) {
	case IEUM__V1__ADDRESSEE__TO_PARTICIPANT:
		found = policy_find_participant(p, to->participant);
		if (found == POLICY_NONE)
			return to->participant;
		mailbox_list_add(s, list, p->participants[found].mailbox);
		return NULL;
	case IEUM__V1__ADDRESSEE__TO_BODY:
		found = policy_find_body(p, to->body);
		if (found == POLICY_NONE)
			return to->body;
		add_body(s, list, p->bodies[found].mailboxes, p->bodies[found].n_mailboxes);
		return NULL;
	case IEUM__V1__ADDRESSEE__TO_ROLE:
		found = policy_find_kind(p, to->role->role, strlen(to->role->role));
		if (found == POLICY_NONE)
			return to->role->role;
		code = to->role->jurisdiction;
		add_role(s, list, found, code && *code ? code : s->jurisdiction);
		return NULL;
	default: return "(empty)";
	}
}

const char *addressees_resolve(const struct scope *s, struct mailbox_list *list)
{
	if (!s->envelope)
		return NULL;
	for (size_t i = 0; i < s->envelope->n_addressees; i++) {
		const char *missing = addressee_resolve(s, s->envelope->addressees[i], list);

		if (missing)
			return missing;
	}
	return NULL;
}

size_t policy_resolve(const struct policy *p, const char *address, const struct policy_context *ctx,
		      int *mailboxes, size_t max)
{
	struct scope s;
	struct mailbox_list list;

	scope_init(&s, p, ctx);
	mailbox_list_init(&list);
	address_resolve_text(&s, address, &list);
	if (list.n > max)
		list.n = max;
	memcpy(mailboxes, list.at, list.n * sizeof *mailboxes);
	return list.n;
}
