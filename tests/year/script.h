/* What happens in a case: who says what, ten messages from the report to the closing. */
#ifndef IEUM_TESTS_YEAR_SCRIPT_H
#define IEUM_TESTS_YEAR_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

#include "ieum/v1/referral.pb-c.h"

enum { SCRIPTS = 3, SCRIPT_STEPS = 10 };

/* One message; it answers the message of an earlier step, or belongs to the case. */
struct script_step {
	const char *who;
	Ieum__V1__MessageType type;
	int answers; /* step, -1: no answer */
	Ieum__V1__AnswerKind kind;
};

struct script {
	const char *name;
	uint32_t in_a_year; /* cases; sources in script.c */
	Ieum__V1__Category category;
	Ieum__V1__Urgency urgency;
	Ieum__V1__BasisKind basis;
	struct script_step steps[SCRIPT_STEPS];
};

extern const struct script scripts[SCRIPTS];

/* The message of a step, in the caller's structs. */
struct script_message {
	Ieum__V1__Referral referral;
	Ieum__V1__Envelope envelope;
	Ieum__V1__LegalBasis basis;
	Ieum__V1__Consent consent;
	char *recipients[1];
	union {
		Ieum__V1__ReportReceived report;
		Ieum__V1__Answer answer;
		Ieum__V1__SupportReferral support;
		Ieum__V1__ServiceReport service;
		Ieum__V1__ContactResult contact;
		Ieum__V1__CaseJudgement judgement;
		Ieum__V1__ProtectionPlan protection;
		Ieum__V1__CasePlan plan;
		Ieum__V1__ClosureRequest closure;
	} body;
	Ieum__V1__NarrativePart narrative;
	Ieum__V1__NarrativePart *narratives[1];
};
void script_message(const struct script *s, size_t step, uint8_t (*ids)[16],
		    struct script_message *m);

#endif
