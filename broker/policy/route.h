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
	bool exclude;         /* leave out whoever has a conflict of interest */
	bool any_day;         /* whether an agreement runs plays no part */
	const char *language; /* NULL: nobody is left out for the language they speak */
	int sex;              /* of who speaks it; 0: any */
	const int *asked;     /* for "head" */
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
/* Has this participant a conflict of interest there? */
bool policy_excludes(const struct policy_context *ctx, int participant);

/* Every member of the mailbox is excluded. */
bool scope_excludes(const struct scope *s, int mailbox);

void mailbox_list_init(struct mailbox_list *list);
void mailbox_list_add(const struct scope *s, struct mailbox_list *list, int mailbox);

/* duty.c: the mailbox that gets a message beside this one, or POLICY_NONE; see policy_duty(). */
int duty_of(const struct scope *s, int mailbox);
/* Today is a day of the participant's agreement. */
bool is_designated(const struct scope *s, int participant);

/* The first key of a rule's `when` that the message does not meet; NULL: it meets the whole. */
const char *condition_unmet(const struct condition *c, const struct scope *s);
/* Does it fit, but for what is counted, of which something is unknown? */
bool condition_depends(const struct condition *c, const struct scope *s);
/* The first comparison with a fact of the body that fails; NULL: none. */
const struct field_test *condition_failed_test(const struct condition *c, const struct scope *s);

/* The i-th value of a field of the body that a rule can compare: as a text if it is one, else as a
 * number.  False behind the last; a field that is not repeated has one. */
bool field_value(const ProtobufCFieldDescriptor *field, const void *body, size_t i, int64_t *number,
		 const char **text);

/* The text of a string field of the body; NULL when it has none. */
const char *body_text(const struct scope *s, const ProtobufCFieldDescriptor *field);
/* The value of a time or an enum of the body; 0 when it has none. */
int64_t body_number(const struct scope *s, const ProtobufCFieldDescriptor *field);

/* One address of `len` bytes.  False: `why` says what is wrong with it. */
size_t address_length(const char *text); /* up to the comma before the next address */
bool address_parse(const struct policy *p, const char *text, size_t len, struct address *out,
		   char *why, size_t why_bytes);
void address_resolve(const struct scope *s, const struct address *a, struct mailbox_list *list);
/* Several with commas between; what can't be parsed reaches nobody. */
void address_resolve_text(const struct scope *s, const char *text, struct mailbox_list *list);

/* The same addresses with what the scope asks of them written behind each role and provider, for
 * a ladder that is resolved later.  How many bytes that takes, as snprintf() counts. */
size_t address_narrow(const struct scope *s, const char *text, char *out, size_t out_bytes);

/* Providers of a domain at a rank (0: any), in the message's jurisdiction. */
void provider_resolve(const struct scope *s, int domain, int rank, struct mailbox_list *list);

/* Whom the sender named.  NULL, or the addressee that isn't in the hub file. */
const char *addressees_resolve(const struct scope *s, struct mailbox_list *list);

#endif
