/* What the parts of one decision share.  Private to broker/policy. */
#ifndef IEUM_BROKER_POLICY_DECIDE_H
#define IEUM_BROKER_POLICY_DECIDE_H

#include "broker/policy/route.h"
#include "proto/pbmap.h"

struct deciding {
	struct scope s;
	struct policy_decision *out;
	struct mailbox_list addressed;  /* whom the sender named */
	const struct rule *lacks_basis; /* first rule that the message's basis does not open */
	bool emptied_by_conflict;       /* a rule's recipients were all excluded */
	bool texts_full;                /* no room for the text of a step */
	char *detail;
	size_t detail_bytes;
};

/* Writes the detail, returns err. */
enum ieum_err decide_refuse(struct deciding *d, enum ieum_err err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
const char *decide_type_word(const struct deciding *d, char word[PBMAP_WORD_BYTES]);

/* A mailbox gets the message once: a second route only adds the request, when there is none. */
enum ieum_err decide_route(struct deciding *d, int mailbox, Ieum__V1__DeliveryCause cause,
			   int task);

/* The recipients of a rule that matched, and the requests it makes of them. */
enum ieum_err decide_recipients(struct deciding *d, const struct rule *rule);

/* Adds whoever is on duty for those that are off hours, where the message can't wait; they may
 * answer in their place. */
enum ieum_err decide_duty(struct deciding *d);

/* GATE_CLOSED, LEGAL_BASIS_MISSING: what the rule says of gates and items; gate.c. */
enum ieum_err gate_check(struct deciding *d, const struct rule *rule);
/* GATE_CLOSED: the message says more than it may in the case of a linked set; anonymity.c. */
enum ieum_err anonymity_check(struct deciding *d);
/* The first linkage that takes the message as a signal. */
void gate_add_signal(struct deciding *d);

/* Where the sender set a deadline for those it named and no rule asks them, this does. */
enum ieum_err decide_sender_deadline(struct deciding *d);

#endif
