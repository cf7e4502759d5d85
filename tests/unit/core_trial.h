/* A hub for tests: a policy, a core, and a second core that learns of everything only by the
 * packed bytes of the events, as a replay does, or from a snapshot.  Every event recorded here goes through both,
 * and the trial can be asked whether they are equal. */
#ifndef IEUM_TESTS_UNIT_CORE_TRIAL_H
#define IEUM_TESTS_UNIT_CORE_TRIAL_H

#include "broker/core/core.h"

#define MIN_US  ((core_time_us)60 * 1000 * 1000)
#define HOUR_US (60 * MIN_US)
#define DAY_US  (24 * HOUR_US)

#define TYPE(word)    IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_##word
#define ANSWER(word)  IEUM__V1__ANSWER_KIND__ANSWER_KIND_##word
#define TASK(word)    IEUM__V1__TASK_STATE__TASK_STATE_##word
#define REASON(word)  IEUM__V1__REASON__REASON_##word
#define CAUSE(word)   IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_##word
#define URGENCY(word) IEUM__V1__URGENCY__URGENCY_##word
#define STATE(word)   IEUM__V1__DELIVERY_STATE__DELIVERY_STATE_##word
#define CASE(word)    IEUM__V1__CASE_STATE__CASE_STATE_##word

struct trial {
	struct core *core;
	struct core *mirror;
	struct policy *policy;
	core_time_us now;
	struct core_decision d;
	struct core_decision again;     /* of the second core */
	struct arena arena;             /* of queries */
	uint64_t ids;                   /* message ids made */
	size_t events;                  /* recorded */
	size_t escalated, hub_messages; /* of them */
	char detail[CORE_DETAIL_BYTES]; /* of the last refusal */
};

extern const char trial_hub[]; /* the hub file that most tests use */

void trial_start(struct trial *w, const char *hub, const struct core_limits *limits);
void trial_stop(struct trial *w);

/* Both cores are equal, written, read and written again too, and without contradiction. */
void trial_verify(struct trial *w);

/* Records what was decided; a refusal records nothing. */
enum ieum_err trial_record(struct trial *w, enum ieum_err decided);
void trial_reload(struct trial *w, const char *hub);
void trial_restart(struct trial *w);

uint64_t trial_connect(struct trial *w, const char *participant);
void trial_disconnect(struct trial *w, uint64_t connection);

/* A message to build on: routine, by statute, in no case. */
struct message {
	Ieum__V1__Referral referral;
	Ieum__V1__Envelope envelope;
	Ieum__V1__LegalBasis basis;
	Ieum__V1__Addressee addressee[4];
	Ieum__V1__Addressee *addressees[4];
	Ieum__V1__CaseLink link;
	Ieum__V1__CaseLink *links[1];
	char *excluded[2];
	union {
		Ieum__V1__ReportReceived report;
		Ieum__V1__SupportReferral support;
		Ieum__V1__ServiceReport service;
		Ieum__V1__Answer answer;
		Ieum__V1__ClosureRequest closure;
		Ieum__V1__InformationRequest request;
		Ieum__V1__InformationResponse response;
		Ieum__V1__CapacityHold hold;
		Ieum__V1__PlacementNotice placement;
		Ieum__V1__PlaceReturned place_returned;
		Ieum__V1__CapacityReport capacity;
		Ieum__V1__WaitlistEntry entry;
		Ieum__V1__RecurrenceAlert recurrence;
		Ieum__V1__ConferenceMinutes minutes;
		Ieum__V1__RiskSignal signal;
		Ieum__V1__JurisdictionChange change;
		Ieum__V1__HandoverManifest manifest;
		Ieum__V1__ContactResult contact;
		Ieum__V1__ConsentWithdrawal withdrawal;
		Ieum__V1__InterpreterRequest interpreter;
		Ieum__V1__VisitRequest visit;
		Ieum__V1__IdentityRequest identity;
		Ieum__V1__IdentityDisclosure disclosure;
		Ieum__V1__AgendaItem item;
		Ieum__V1__ConferenceCall call;
		Ieum__V1__EmergencyMeasureReport emergency;
		Ieum__V1__TemporaryMeasureNotice measure;
		Ieum__V1__CourtFilingNotice court;
		Ieum__V1__Checkin checkin;
		Ieum__V1__KeyWrap wrap;
	};
	uint8_t id[CORE_ID_BYTES];
	uint8_t case_id[CORE_ID_BYTES], reply_to[CORE_ID_BYTES], supersedes[CORE_ID_BYTES],
		link_to[CORE_ID_BYTES];
	size_t payload; /* bytes it seems to have; 0: as packed */
	/* Whom its sealed parts, or the keys of a key_wrap, are for. */
	const struct core_sealed *sealed;
	size_t n_sealed;
};

struct message *message_new(struct trial *w, struct message *m, Ieum__V1__MessageType type);
void message_open_case(struct message *m);
void message_in_case(struct message *m, const uint8_t case_id[CORE_ID_BYTES]);
void message_to(struct message *m, const char *participant);
void message_reply(struct message *m, const uint8_t id[CORE_ID_BYTES]);
void message_exclude(struct message *m, const char *participant);

enum ieum_err trial_submit(struct trial *w, uint64_t connection, struct message *m);
/* A message of `type`, which must be accepted. */
void trial_submitted(struct trial *w, uint64_t connection, struct message *m);
enum ieum_err trial_answer(struct trial *w, uint64_t connection, const uint8_t to[CORE_ID_BYTES],
			   Ieum__V1__AnswerKind kind);

size_t trial_release(struct trial *w, uint64_t connection, uint32_t max, uint64_t *ids);
uint64_t trial_release_one(struct trial *w, uint64_t connection); /* 0: nothing */
enum ieum_err trial_done(struct trial *w, uint64_t connection, uint64_t delivery);
enum ieum_err trial_give_back(struct trial *w, uint64_t connection, uint64_t delivery);
enum ieum_err trial_refuse(struct trial *w, uint64_t connection, uint64_t delivery,
			   const char *why);
/* Does what is due at the time, the clock moved there; how many events. */
size_t trial_at(struct trial *w, core_time_us when);

struct core_mailbox_counts trial_counts(struct trial *w, const char *mailbox);

/* A query's result; NULL with *err. */
const Ieum__V1__Result *trial_query(struct trial *w, uint64_t connection, Ieum__V1__Query *q,
				    enum ieum_err *err);
const Ieum__V1__CaseResult *trial_case(struct trial *w, uint64_t connection,
				       const uint8_t id[CORE_ID_BYTES]);
const Ieum__V1__ReferralResult *trial_referral(struct trial *w, uint64_t connection,
					       const uint8_t id[CORE_ID_BYTES]);
/* State of the first task. */
Ieum__V1__TaskState trial_task(struct trial *w, uint64_t connection,
			       const uint8_t id[CORE_ID_BYTES]);

#endif
