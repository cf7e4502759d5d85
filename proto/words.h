/* The words of the domain: the code in files and messages, and what a person reads.
 *
 * Codes are the short enum words of the .proto files.  Kinds of institutions are not here:
 * which there are is the hub file's matter.  Constant; any thread. */
#ifndef IEUM_PROTO_WORDS_H
#define IEUM_PROTO_WORDS_H

#include <stdbool.h>
#include <stddef.h>

enum words_lang { WORDS_EN, WORDS_KO };

enum words_group {
	WORDS_MESSAGE,
	WORDS_CATEGORY,
	WORDS_REFERRAL_STATE,
	WORDS_OUTCOME,
	WORDS_CASE_STATE,
	WORDS_JUDGEMENT,
	WORDS_REASON,
	WORDS_URGENCY,
	WORDS_LEGAL_BASIS,
	WORDS_DOMAIN,   /* support domains */
	WORDS_LINK,     /* between cases */
	WORDS_ANSWER,   /* what an answer says */
	WORDS_CAUSE,    /* why a message came to a mailbox */
	WORDS_CLOCK,    /* what happened to a clock, and where it stands */
	WORDS_PLACE,    /* what became of a held place */
	WORDS_WAIT,     /* of a waiting list */
	WORDS_HANDOVER, /* how far a hand-over is */
	WORDS_AGENDA,   /* of a meeting */
	WORDS_SUBJECT,  /* what a sealed part is about */
};

/* clang-format off */
/* X(group, code, English).  English is the code in sentence case unless the field says it
 * otherwise; a code that appears in two groups reads the same in both. */
#define IEUM_WORDS(X) \
	X(MESSAGE, report_received,                    "Report received") \
	X(MESSAGE, mutual_notification,                "Mutual notification") \
	X(MESSAGE, dispatch_request,                   "Joint dispatch") \
	X(MESSAGE, dispatch_result,                    "Dispatch result") \
	X(MESSAGE, referral,                           "Referral") \
	X(MESSAGE, emergency_measure_report,           "Emergency measure report") \
	X(MESSAGE, emergency_temporary_measure_notice, "Emergency temporary measure notice") \
	X(MESSAGE, temporary_measure_notice,           "Temporary measure notice") \
	X(MESSAGE, court_filing_notice,                "Court filing notice") \
	X(MESSAGE, conference_call,                    "Conference call") \
	X(MESSAGE, conference_minutes,                 "Conference minutes") \
	X(MESSAGE, information_request,                "Information request") \
	X(MESSAGE, information_response,               "Information response") \
	X(MESSAGE, answer,                             "Answer") \
	X(MESSAGE, case_judgement,                     "Case judgement") \
	X(MESSAGE, protection_plan,                    "Protection plan") \
	X(MESSAGE, case_plan,                          "Case plan") \
	X(MESSAGE, capacity_hold,                      "Hold a place") \
	X(MESSAGE, placement_notice,                   "Placement notice") \
	X(MESSAGE, medical_request,                    "Medical request") \
	X(MESSAGE, visit_request,                      "Visit request") \
	X(MESSAGE, contact_result,                     "Contact result") \
	X(MESSAGE, service_report,                     "Service report") \
	X(MESSAGE, monitoring_due,                     "Monitoring due") \
	X(MESSAGE, recurrence_alert,                   "Recurrence alert") \
	X(MESSAGE, consent_withdrawal,                 "Consent withdrawal") \
	X(MESSAGE, risk_signal,                        "Risk signal") \
	X(MESSAGE, checkin,                            "Checkin") \
	X(MESSAGE, interpreter_request,                "Interpreter request") \
	X(MESSAGE, jurisdiction_change,                "Jurisdiction change") \
	X(MESSAGE, handover,                           "Handover") \
	X(MESSAGE, handover_manifest,                  "Handover manifest") \
	X(MESSAGE, transfer,                           "Family moved") \
	X(MESSAGE, reunification_request,              "Reunification request") \
	X(MESSAGE, closure_request,                    "Closure request") \
	X(MESSAGE, closure_notice,                     "Closure notice") \
	X(MESSAGE, waitlist_entry,                     "Waitlist entry") \
	X(MESSAGE, deadline_notice,                    "Deadline notice") \
	X(MESSAGE, stop_use_order,                     "Stop use order") \
	X(MESSAGE, agenda_item,                        "Agenda item") \
	X(MESSAGE, agenda,                             "Agenda") \
	X(MESSAGE, linked_set_notice,                  "Linked set notice") \
	X(MESSAGE, identity_request,                   "Identity request") \
	X(MESSAGE, identity_disclosure,                "Identity disclosure") \
	X(MESSAGE, capacity_report,                    "Capacity report") \
	X(MESSAGE, place_offer,                        "Place offer") \
	X(MESSAGE, place_returned,                     "Place returned") \
	X(MESSAGE, key_request,                        "Key request") \
	X(MESSAGE, key_wrap,                           "Key wrap") \
	X(MESSAGE, certificate_notice,                 "Certificate notice") \
	X(CATEGORY, domestic_violence,                 "Domestic violence") \
	X(CATEGORY, sexual_violence,                   "Sexual violence") \
	X(CATEGORY, stalking,                          "Stalking") \
	X(CATEGORY, dating_violence,                   "Dating violence") \
	X(CATEGORY, child_abuse_physical,              "Child abuse physical") \
	X(CATEGORY, child_abuse_emotional,             "Child abuse emotional") \
	X(CATEGORY, child_abuse_sexual,                "Child abuse sexual") \
	X(CATEGORY, child_neglect,                     "Child neglect") \
	X(CATEGORY, elder_isolation,                   "Elder isolation") \
	X(CATEGORY, family_support,                    "Family support") \
	X(REFERRAL_STATE, requested,                   "Requested") \
	X(REFERRAL_STATE, received,                    "Received") \
	X(REFERRAL_STATE, accepted,                    "Accepted") \
	X(REFERRAL_STATE, rejected,                    "Rejected") \
	X(REFERRAL_STATE, in_progress,                 "In progress") \
	X(REFERRAL_STATE, on_hold,                     "On hold") \
	X(REFERRAL_STATE, completed,                   "Completed") \
	X(REFERRAL_STATE, failed,                      "Failed") \
	X(REFERRAL_STATE, cancelled,                   "Cancelled") \
	X(REFERRAL_STATE, entered_in_error,            "Entered in error") \
	X(OUTCOME, scheduled,                          "Scheduled") \
	X(OUTCOME, unattended,                         "Unattended") \
	X(OUTCOME, interim,                            "Interim") \
	X(OUTCOME, provided,                           "Provided") \
	X(OUTCOME, nothing_held,                       "Nothing held") \
	X(CASE_STATE, received,                        "Received") \
	X(CASE_STATE, investigating,                   "Investigating") \
	X(CASE_STATE, judged,                          "Judged") \
	X(CASE_STATE, protected,                       "Protected") \
	X(CASE_STATE, managed,                         "Managed") \
	X(CASE_STATE, monitoring,                      "Monitoring") \
	X(CASE_STATE, in_handover,                     "In handover") \
	X(CASE_STATE, waitlisted,                      "Waitlisted") \
	X(CASE_STATE, reunified,                       "Reunified") \
	X(CASE_STATE, closed,                          "Closed") \
	X(CASE_STATE, reopened,                        "Reopened") \
	X(JUDGEMENT, abuse_case,                       "Abuse case") \
	X(JUDGEMENT, general_case,                     "General case") \
	X(REASON, capacity_full,                       "Capacity full") \
	X(REASON, out_of_jurisdiction,                 "Out of jurisdiction") \
	X(REASON, consent_refused,                     "Consent refused") \
	X(REASON, unreachable,                         "Unreachable") \
	X(REASON, goals_met,                           "Goals met") \
	X(REASON, moved_away,                          "Moved away") \
	X(REASON, reporter_exposure,                   "Reporter exposure") \
	X(REASON, off_purpose,                         "Off purpose") \
	X(REASON, endangers_family,                    "Endangers family") \
	X(REASON, other_source_better,                 "Other source better") \
	X(REASON, recurrence,                          "Recurrence") \
	X(REASON, conflict_of_interest,                "Conflict of interest") \
	X(URGENCY, immediate,                          "Immediate") \
	X(URGENCY, urgent,                             "Urgent") \
	X(URGENCY, priority,                           "Priority") \
	X(URGENCY, routine,                            "Routine") \
	X(LEGAL_BASIS, statutory,                      "Statutory") \
	X(LEGAL_BASIS, consent,                        "Consent") \
	X(LEGAL_BASIS, imminent_danger,                "Imminent danger") \
	X(LEGAL_BASIS, pseudonymous_signal,            "Pseudonymous signal") \
	X(DOMAIN, emotional,                           "Emotional") \
	X(DOMAIN, legal,                               "Legal") \
	X(DOMAIN, economic,                            "Economic") \
	X(DOMAIN, medical,                             "Medical") \
	X(DOMAIN, safety,                              "Safety") \
	X(DOMAIN, care,                                "Care") \
	X(LINK, same_incident,                         "Same incident") \
	X(LINK, sibling,                               "Sibling") \
	X(LINK, same_household,                        "Same household") \
	X(ANSWER, accept,                              "Accept") \
	X(ANSWER, reject,                              "Reject") \
	X(ANSWER, need_more_time,                      "Need more time") \
	X(ANSWER, complete,                            "Complete") \
	X(ANSWER, fail,                                "Fail") \
	X(ANSWER, cancel,                              "Cancel") \
	X(CAUSE, rule,                                 "Rule") \
	X(CAUSE, addressed,                            "Addressed") \
	X(CAUSE, escalated,                            "Escalated") \
	X(CAUSE, next_rank,                            "Next rank") \
	X(CAUSE, outcome,                              "Outcome") \
	X(CAUSE, duty,                                 "Duty") \
	X(CAUSE, clock,                                "Clock") \
	X(CAUSE, forwarded,                            "Forwarded") \
	X(CLOCK, started,                              "Started") \
	X(CLOCK, warned,                               "Ends soon") \
	X(CLOCK, extended,                             "Extended") \
	X(CLOCK, frozen,                               "Frozen") \
	X(CLOCK, resumed,                              "Resumed") \
	X(CLOCK, stopped,                              "Stopped") \
	X(CLOCK, breached,                             "Breached") \
	X(CLOCK, restarted,                            "Restarted") \
	X(CLOCK, running,                              "Running") \
	X(PLACE, held,                                 "Held") \
	X(PLACE, taken,                                "Taken") \
	X(PLACE, released,                             "Released") \
	X(PLACE, free,                                 "Free") \
	X(PLACE, lapsed,                               "Lapsed") \
	X(PLACE, returned,                             "Returned") \
	X(WAIT, waiting,                               "Waiting") \
	X(WAIT, offered,                               "Offered") \
	X(WAIT, placed,                                "Placed") \
	X(WAIT, ended,                                 "Ended") \
	X(HANDOVER, announced,                         "Announced") \
	X(HANDOVER, cut_over,                          "Cut over") \
	X(HANDOVER, listed,                            "Listed") \
	X(HANDOVER, asked,                             "Asked") \
	X(HANDOVER, kept,                              "Kept") \
	X(AGENDA, item,                                "Item") \
	X(AGENDA, action,                              "Action") \
	X(AGENDA, linked_set,                          "Linked set") \
	X(SUBJECT, reporter_identity,                  "Reporter identity") \
	X(SUBJECT, shelter_location,                   "Shelter location")
/* clang-format on */

struct words_row {
	enum words_group group;
	const char *code;
	const char *text; /* English; words_text() gives the others */
};

/* Every row, group by group. */
const struct words_row *words_rows(size_t *count);

/* The row of a code, NULL when there is none. */
const struct words_row *words_find(const char *code);

/* What a person reads for a code; the code itself when it has no row. */
const char *words_text(const char *code, enum words_lang lang);

/* "en", "ko", or a locale name that begins with one of them ("ko_KR.UTF-8"). */
bool words_lang_named(const char *name, enum words_lang *lang);

/* The language asked for by name (NULL or "": not asked), else that of LC_ALL, LC_MESSAGES or LANG
 * (the first that is set), else English. */
enum words_lang words_lang_chosen(const char *name);

#endif
