/* One message seen by the rules, and the mailboxes behind an address.
 *
 * Pure and without allocation: everything here lives on the stack of one decision.
 * Private to broker/policy. */
#ifndef IEUM_BROKER_POLICY_ROUTE_H
#define IEUM_BROKER_POLICY_ROUTE_H

#include "broker/policy/compiled.h"

/* What conditions and addresses look at, with every default filled in. */
struct scope {
	const struct policy *p;
	const struct policy_context *ctx;
	const Ieum__V1__Envelope *envelope; /* NULL: no message at hand */
	const void *body;                   /* its typed body, or NULL */
	Ieum__V1__MessageType type;
	Ieum__V1__Category category;
	Ieum__V1__Urgency urgency;
	Ieum__V1__BasisKind basis;
	const char *jurisdiction; /* the message's, else the case's, the sender's, the hub's */
	int sender_kind;
	bool exclude;     /* leave out whoever has a conflict of interest */
	const int *asked; /* for "head" */
	size_t n_asked;
};

/* Mailboxes without repeats. */
struct mailbox_list {
	int at[POLICY_ROUTES_MAX];
	size_t n;
	size_t excluded; /* left out because of a conflict of interest */
	bool full;       /* there were more */
};

void scope_init(struct scope *s, const struct policy *p, const struct policy_context *ctx);

/* Every member of the mailbox is excluded. */
bool scope_excludes(const struct scope *s, int mailbox);

void mailbox_list_init(struct mailbox_list *list);
void mailbox_list_add(const struct scope *s, struct mailbox_list *list, int mailbox);

bool condition_meets(const struct condition *c, const struct scope *s);

/* The text of a string field of the body; NULL when it has none. */
const char *body_text(const struct scope *s, const ProtobufCFieldDescriptor *field);

/* One address of `len` bytes.  False: `why` says what is wrong with it. */
bool address_parse(const struct policy *p, const char *text, size_t len, struct address *out,
		   char *why, size_t why_bytes);
void address_resolve(const struct scope *s, const struct address *a, struct mailbox_list *list);
/* Several with commas between; what can't be parsed reaches nobody. */
void address_resolve_text(const struct scope *s, const char *text, struct mailbox_list *list);

/* Providers of a domain at a rank (0: any), in the message's jurisdiction. */
void provider_resolve(const struct scope *s, int domain, int rank, struct mailbox_list *list);

/* Whom the sender named.  NULL, or the addressee that isn't in the hub file. */
const char *addressees_resolve(const struct scope *s, struct mailbox_list *list);

#endif
