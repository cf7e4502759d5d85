/* Building a decision: events in its arena.  Private to broker/core. */
#ifndef IEUM_BROKER_CORE_DECISION_H
#define IEUM_BROKER_CORE_DECISION_H

#include "broker/core/state.h"

/* Who is behind a connection, by the bound policy. */
struct caller {
	uint32_t connection;  /* handle */
	uint32_t participant; /* number */
	int index;            /* in the policy */
	const struct policy_participant *who;
};

/* IDENTITY_UNKNOWN when the connection is gone or the policy lists its participant no more. */
enum ieum_err caller_of(const struct core *c, const struct policy *p, uint64_t connection,
			struct caller *out) IEUM_MUST_CHECK;
/* Does the caller consume this mailbox (number)? */
bool caller_consumes(const struct core *c, const struct policy *p, const struct caller *who,
		     uint32_t mailbox);
/* Has the caller a mailbox in the case that has not declined? */
bool caller_reads_case(const struct policy *p, const struct caller *who, const struct core_case *k);
/* Has the caller a mailbox in the case? */
bool caller_in_case(const struct core *c, const struct policy *p, const struct caller *who,
		    const struct core_case *k);
/* Its own mailbox, by number. */
uint32_t caller_mailbox(const struct policy *p, const struct caller *who);

/* Does more than one connection take from the mailbox now? */
bool mailbox_is_shared(const struct core *c, const struct policy *p, uint32_t mailbox);

/* The next event, with its time; NULL when there is no room or memory. */
Ieum__V1__Event *decision_event(struct core_decision *d, core_time_us now);

/* A cleared array or struct in the arena; NULL when over budget. */
void *decision_zalloc(struct core_decision *d, size_t bytes);

/* The seq that the newest event of the decision will have. */
uint64_t decision_seq(const struct core *c, const struct core_decision *d);

/* How many mailboxes take part in the case once the decision so far is applied. */
size_t decision_case_members(const struct core *c, const struct core_decision *d,
			     const uint8_t case_id[CORE_ID_BYTES]);

/* The case's state once the decision so far is applied, or what of it comes before that event (NULL:
 * all); 0: it is not there yet. */
Ieum__V1__CaseState decision_case_state(const struct core *c, const struct core_decision *d,
					const uint8_t case_id[CORE_ID_BYTES],
					const Ieum__V1__Submitted *before);

/* The mailbox that owns the case once the decision so far is applied. */
uint32_t decision_case_owner(const struct core_decision *d, const struct core_case *k);

/* Who has a conflict of interest in the case once the decision so far is applied: indices of the
 * policy, at most `max` of them.  Their number. */
size_t decision_case_excluded(const struct core *c, const struct policy *p,
			      const struct core_decision *d, const struct core_case *k,
			      int *excluded, size_t max);

/* Refuses: code, with a text for `detail`. */
enum ieum_err decision_refuse(struct core_decision *d, enum ieum_err code, const char *format, ...)
	__attribute__((format(printf, 3, 4))) IEUM_MUST_CHECK;

/* Each message of the protocol in its event.  NULL as decision_event(). */
#define DECISION_EVENT(lower, UPPER, Type) \
	static inline Ieum__V1__##Type *decision_##lower(struct core_decision *d, \
							 core_time_us now) \
	{ \
		Ieum__V1__##Type *e = decision_zalloc(d, sizeof *e); \
		Ieum__V1__Event *event = e ? decision_event(d, now) : NULL; \
		if (!event) \
			return NULL; \
		*e = (Ieum__V1__##Type)IEUM__V1__##UPPER##__INIT; \
		event->lower = e; \
		event->what_case = DECISION_WHAT_##lower; \
		return e; \
	}
#define DECISION_WHAT_hub_started          IEUM__V1__EVENT__WHAT_HUB_STARTED
#define DECISION_WHAT_policy_changed       IEUM__V1__EVENT__WHAT_POLICY_CHANGED
#define DECISION_WHAT_connected            IEUM__V1__EVENT__WHAT_CONNECTED
#define DECISION_WHAT_disconnected         IEUM__V1__EVENT__WHAT_DISCONNECTED
#define DECISION_WHAT_submitted            IEUM__V1__EVENT__WHAT_SUBMITTED
#define DECISION_WHAT_released             IEUM__V1__EVENT__WHAT_RELEASED
#define DECISION_WHAT_settled              IEUM__V1__EVENT__WHAT_SETTLED
#define DECISION_WHAT_returned             IEUM__V1__EVENT__WHAT_RETURNED
#define DECISION_WHAT_requeued             IEUM__V1__EVENT__WHAT_REQUEUED
#define DECISION_WHAT_dead_lettered        IEUM__V1__EVENT__WHAT_DEAD_LETTERED
#define DECISION_WHAT_escalated            IEUM__V1__EVENT__WHAT_ESCALATED
#define DECISION_WHAT_was_read             IEUM__V1__EVENT__WHAT_WAS_READ
#define DECISION_WHAT_refused              IEUM__V1__EVENT__WHAT_REFUSED
#define DECISION_WHAT_clock_advanced       IEUM__V1__EVENT__WHAT_CLOCK_ADVANCED
#define DECISION_WHAT_case_changed         IEUM__V1__EVENT__WHAT_CASE_CHANGED
#define DECISION_WHAT_payload_erased       IEUM__V1__EVENT__WHAT_PAYLOAD_ERASED
#define DECISION_WHAT_forgotten            IEUM__V1__EVENT__WHAT_FORGOTTEN
#define DECISION_WHAT_clock_changed        IEUM__V1__EVENT__WHAT_CLOCK_CHANGED
#define DECISION_WHAT_counted              IEUM__V1__EVENT__WHAT_COUNTED
#define DECISION_WHAT_places_changed       IEUM__V1__EVENT__WHAT_PLACES_CHANGED
#define DECISION_WHAT_wait_changed         IEUM__V1__EVENT__WHAT_WAIT_CHANGED
#define DECISION_WHAT_signal_kept          IEUM__V1__EVENT__WHAT_SIGNAL_KEPT
#define DECISION_WHAT_handover_changed     IEUM__V1__EVENT__WHAT_HANDOVER_CHANGED
#define DECISION_WHAT_agenda_changed       IEUM__V1__EVENT__WHAT_AGENDA_CHANGED
#define DECISION_WHAT_pool_due             IEUM__V1__EVENT__WHAT_POOL_DUE
#define DECISION_WHAT_agreement_due        IEUM__V1__EVENT__WHAT_AGREEMENT_DUE
#define DECISION_WHAT_left                 IEUM__V1__EVENT__WHAT_LEFT
#define DECISION_WHAT_certificates_changed IEUM__V1__EVENT__WHAT_CERTIFICATES_CHANGED
#define DECISION_WHAT_keys_changed         IEUM__V1__EVENT__WHAT_KEYS_CHANGED
#define DECISION_WHAT_copy_confirmed       IEUM__V1__EVENT__WHAT_COPY_CONFIRMED
DECISION_EVENT(hub_started, HUB_STARTED, HubStarted)
DECISION_EVENT(policy_changed, POLICY_CHANGED, PolicyChanged)
DECISION_EVENT(connected, CONNECTED, Connected)
DECISION_EVENT(disconnected, DISCONNECTED, Disconnected)
DECISION_EVENT(submitted, SUBMITTED, Submitted)
DECISION_EVENT(released, DELIVERIES_RELEASED, DeliveriesReleased)
DECISION_EVENT(settled, DELIVERIES_SETTLED, DeliveriesSettled)
DECISION_EVENT(returned, DELIVERIES_RETURNED, DeliveriesReturned)
DECISION_EVENT(requeued, DELIVERIES_REQUEUED, DeliveriesRequeued)
DECISION_EVENT(dead_lettered, DELIVERIES_DEAD_LETTERED, DeliveriesDeadLettered)
DECISION_EVENT(escalated, ESCALATED, Escalated)
DECISION_EVENT(was_read, WAS_READ, WasRead)
DECISION_EVENT(refused, REFUSED, Refused)
DECISION_EVENT(clock_advanced, CLOCK_ADVANCED, ClockAdvanced)
DECISION_EVENT(case_changed, CASE_CHANGED, CaseChanged)
DECISION_EVENT(payload_erased, PAYLOAD_ERASED, PayloadErased)
DECISION_EVENT(forgotten, FORGOTTEN, Forgotten)
DECISION_EVENT(clock_changed, CLOCK_CHANGED, ClockChanged)
DECISION_EVENT(counted, COUNTED, Counted)
DECISION_EVENT(places_changed, PLACES_CHANGED, PlacesChanged)
DECISION_EVENT(wait_changed, WAIT_CHANGED, WaitChanged)
DECISION_EVENT(signal_kept, SIGNAL_KEPT, SignalKept)
DECISION_EVENT(handover_changed, HANDOVER_CHANGED, HandoverChanged)
DECISION_EVENT(agenda_changed, AGENDA_CHANGED, AgendaChanged)
DECISION_EVENT(pool_due, POOL_DUE, PoolDue)
DECISION_EVENT(agreement_due, AGREEMENT_DUE, AgreementDue)
DECISION_EVENT(left, LEFT, Left)
DECISION_EVENT(certificates_changed, CERTIFICATES_CHANGED, CertificatesChanged)
DECISION_EVENT(keys_changed, KEYS_CHANGED, KeysChanged)
DECISION_EVENT(copy_confirmed, COPY_CONFIRMED, CopyConfirmed)

#endif
