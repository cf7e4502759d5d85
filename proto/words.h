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
};

/* clang-format off */
/* X(group, code, English, Korean).  English is the code in sentence case unless the field says it
 * otherwise; a code that appears in two groups reads the same in both. */
#define IEUM_WORDS(X) \
	X(MESSAGE, report_received,                    "Report received",                    "신고접수") \
	X(MESSAGE, mutual_notification,                "Mutual notification",                "상호통보") \
	X(MESSAGE, dispatch_request,                   "Joint dispatch",                     "동행출동") \
	X(MESSAGE, dispatch_result,                    "Dispatch result",                    "출동결과") \
	X(MESSAGE, referral,                           "Referral",                           "의뢰") \
	X(MESSAGE, emergency_measure_report,           "Emergency measure report",           "응급조치결과보고서") \
	X(MESSAGE, emergency_temporary_measure_notice, "Emergency temporary measure notice", "긴급임시조치통지") \
	X(MESSAGE, temporary_measure_notice,           "Temporary measure notice",           "임시조치통지") \
	X(MESSAGE, court_filing_notice,                "Court filing notice",                "법원청구통지") \
	X(MESSAGE, conference_call,                    "Conference call",                    "사례회의소집") \
	X(MESSAGE, conference_minutes,                 "Conference minutes",                 "회의록") \
	X(MESSAGE, information_request,                "Information request",                "정보요청") \
	X(MESSAGE, information_response,               "Information response",               "정보회신") \
	X(MESSAGE, answer,                             "Answer",                             "회신") \
	X(MESSAGE, case_judgement,                     "Case judgement",                     "사례판단") \
	X(MESSAGE, protection_plan,                    "Protection plan",                    "보호계획") \
	X(MESSAGE, case_plan,                          "Case plan",                          "사례관리계획") \
	X(MESSAGE, capacity_hold,                      "Hold a place",                       "자리확보") \
	X(MESSAGE, placement_notice,                   "Placement notice",                   "입소통보") \
	X(MESSAGE, medical_request,                    "Medical request",                    "진료의뢰") \
	X(MESSAGE, visit_request,                      "Visit request",                      "방문요청") \
	X(MESSAGE, contact_result,                     "Contact result",                     "접촉결과") \
	X(MESSAGE, service_report,                     "Service report",                     "서비스보고") \
	X(MESSAGE, monitoring_due,                     "Monitoring due",                     "점검예정") \
	X(MESSAGE, recurrence_alert,                   "Recurrence alert",                   "재발알림") \
	X(MESSAGE, consent_withdrawal,                 "Consent withdrawal",                 "동의철회") \
	X(MESSAGE, risk_signal,                        "Risk signal",                        "위기징후") \
	X(MESSAGE, checkin,                            "Checkin",                            "안부확인") \
	X(MESSAGE, interpreter_request,                "Interpreter request",                "통역요청") \
	X(MESSAGE, jurisdiction_change,                "Jurisdiction change",                "관할변경") \
	X(MESSAGE, handover,                           "Handover",                           "이관") \
	X(MESSAGE, handover_manifest,                  "Handover manifest",                  "이관목록") \
	X(MESSAGE, transfer,                           "Family moved",                       "전출입") \
	X(MESSAGE, reunification_request,              "Reunification request",              "복귀신청") \
	X(MESSAGE, closure_request,                    "Closure request",                    "종결요청") \
	X(MESSAGE, closure_notice,                     "Closure notice",                     "종결통보") \
	X(MESSAGE, waitlist_entry,                     "Waitlist entry",                     "대기등록") \
	X(MESSAGE, deadline_notice,                    "Deadline notice",                    "기한알림") \
	X(MESSAGE, stop_use_order,                     "Stop use order",                     "이용중지") \
	X(MESSAGE, agenda_item,                        "Agenda item",                        "안건") \
	X(MESSAGE, agenda,                             "Agenda",                             "안건목록") \
	X(MESSAGE, linked_set_notice,                  "Linked set notice",                  "연결알림") \
	X(MESSAGE, identity_request,                   "Identity request",                   "신원확인요청") \
	X(MESSAGE, identity_disclosure,                "Identity disclosure",                "신원제공") \
	X(MESSAGE, capacity_report,                    "Capacity report",                    "정원보고") \
	X(MESSAGE, place_offer,                        "Place offer",                        "입소제안") \
	X(MESSAGE, place_returned,                     "Place returned",                     "퇴소통보") \
	X(CATEGORY, domestic_violence,                 "Domestic violence",                  "가정폭력") \
	X(CATEGORY, sexual_violence,                   "Sexual violence",                    "성폭력") \
	X(CATEGORY, stalking,                          "Stalking",                           "스토킹") \
	X(CATEGORY, dating_violence,                   "Dating violence",                    "교제폭력") \
	X(CATEGORY, child_abuse_physical,              "Child abuse physical",               "아동학대(신체)") \
	X(CATEGORY, child_abuse_emotional,             "Child abuse emotional",              "아동학대(정서)") \
	X(CATEGORY, child_abuse_sexual,                "Child abuse sexual",                 "아동학대(성)") \
	X(CATEGORY, child_neglect,                     "Child neglect",                      "방임") \
	X(CATEGORY, elder_isolation,                   "Elder isolation",                    "고독") \
	X(CATEGORY, family_support,                    "Family support",                     "가족지원") \
	X(REFERRAL_STATE, requested,                   "Requested",                          "요청") \
	X(REFERRAL_STATE, received,                    "Received",                           "접수") \
	X(REFERRAL_STATE, accepted,                    "Accepted",                           "수락") \
	X(REFERRAL_STATE, rejected,                    "Rejected",                           "반려") \
	X(REFERRAL_STATE, in_progress,                 "In progress",                        "진행중") \
	X(REFERRAL_STATE, on_hold,                     "On hold",                            "보류") \
	X(REFERRAL_STATE, completed,                   "Completed",                          "완료") \
	X(REFERRAL_STATE, failed,                      "Failed",                             "실패") \
	X(REFERRAL_STATE, cancelled,                   "Cancelled",                          "취소") \
	X(REFERRAL_STATE, entered_in_error,            "Entered in error",                   "오등록") \
	X(OUTCOME, scheduled,                          "Scheduled",                          "예약됨") \
	X(OUTCOME, unattended,                         "Unattended",                         "불참") \
	X(OUTCOME, interim,                            "Interim",                            "중간보고") \
	X(OUTCOME, provided,                           "Provided",                           "제공함") \
	X(OUTCOME, nothing_held,                       "Nothing held",                       "보유 없음") \
	X(CASE_STATE, received,                        "Received",                           "접수") \
	X(CASE_STATE, investigating,                   "Investigating",                      "조사중") \
	X(CASE_STATE, judged,                          "Judged",                             "판단") \
	X(CASE_STATE, protected,                       "Protected",                          "분리보호") \
	X(CASE_STATE, managed,                         "Managed",                            "사례관리중") \
	X(CASE_STATE, monitoring,                      "Monitoring",                         "모니터링") \
	X(CASE_STATE, in_handover,                     "In handover",                        "이관중") \
	X(CASE_STATE, waitlisted,                      "Waitlisted",                         "대기") \
	X(CASE_STATE, reunified,                       "Reunified",                          "가정복귀") \
	X(CASE_STATE, closed,                          "Closed",                             "종결") \
	X(CASE_STATE, reopened,                        "Reopened",                           "재개") \
	X(JUDGEMENT, abuse_case,                       "Abuse case",                         "아동학대사례") \
	X(JUDGEMENT, general_case,                     "General case",                       "일반사례") \
	X(REASON, capacity_full,                       "Capacity full",                      "정원초과") \
	X(REASON, out_of_jurisdiction,                 "Out of jurisdiction",                "관할외") \
	X(REASON, consent_refused,                     "Consent refused",                    "동의거부") \
	X(REASON, unreachable,                         "Unreachable",                        "연락두절") \
	X(REASON, goals_met,                           "Goals met",                          "목표달성") \
	X(REASON, moved_away,                          "Moved away",                         "전출") \
	X(REASON, reporter_exposure,                   "Reporter exposure",                  "신고자노출우려") \
	X(REASON, off_purpose,                         "Off purpose",                        "목적외사용") \
	X(REASON, endangers_family,                    "Endangers family",                   "가족위험") \
	X(REASON, other_source_better,                 "Other source better",                "타기관적합") \
	X(REASON, recurrence,                          "Recurrence",                         "재발") \
	X(REASON, conflict_of_interest,                "Conflict of interest",               "이해관계") \
	X(URGENCY, immediate,                          "Immediate",                          "즉시") \
	X(URGENCY, urgent,                             "Urgent",                             "긴급") \
	X(URGENCY, priority,                           "Priority",                           "우선") \
	X(URGENCY, routine,                            "Routine",                            "일반") \
	X(LEGAL_BASIS, statutory,                      "Statutory",                          "법령") \
	X(LEGAL_BASIS, consent,                        "Consent",                            "동의") \
	X(LEGAL_BASIS, imminent_danger,                "Imminent danger",                    "급박한 위험") \
	X(LEGAL_BASIS, pseudonymous_signal,            "Pseudonymous signal",                "가명 신호") \
	X(DOMAIN, emotional,                           "Emotional",                          "정서") \
	X(DOMAIN, legal,                               "Legal",                              "법률") \
	X(DOMAIN, economic,                            "Economic",                           "경제") \
	X(DOMAIN, medical,                             "Medical",                            "의료") \
	X(DOMAIN, safety,                              "Safety",                             "안전") \
	X(DOMAIN, care,                                "Care",                               "돌봄") \
	X(LINK, same_incident,                         "Same incident",                      "같은 사건") \
	X(LINK, sibling,                               "Sibling",                            "형제자매") \
	X(LINK, same_household,                        "Same household",                     "같은 가구") \
	X(ANSWER, accept,                              "Accept",                             "수락함") \
	X(ANSWER, reject,                              "Reject",                             "반려함") \
	X(ANSWER, need_more_time,                      "Need more time",                     "기한 연장") \
	X(ANSWER, complete,                            "Complete",                           "완료함") \
	X(ANSWER, fail,                                "Fail",                               "실패함") \
	X(ANSWER, cancel,                              "Cancel",                             "취소함") \
	X(CAUSE, rule,                                 "Rule",                               "정책") \
	X(CAUSE, addressed,                            "Addressed",                          "지정 수신") \
	X(CAUSE, escalated,                            "Escalated",                          "상위 보고") \
	X(CAUSE, next_rank,                            "Next rank",                          "다음 순위") \
	X(CAUSE, outcome,                              "Outcome",                            "결과 통보") \
	X(CAUSE, duty,                                 "Duty",                               "당직") \
	X(CAUSE, clock,                                "Clock",                              "기한") \
	X(CAUSE, forwarded,                            "Forwarded",                          "이관 전달") \
	X(CLOCK, started,                              "Started",                            "개시") \
	X(CLOCK, warned,                               "Ends soon",                          "만료 예고") \
	X(CLOCK, extended,                             "Extended",                           "연장") \
	X(CLOCK, frozen,                               "Frozen",                             "정지") \
	X(CLOCK, resumed,                              "Resumed",                            "속행") \
	X(CLOCK, stopped,                              "Stopped",                            "종료") \
	X(CLOCK, breached,                             "Breached",                           "기한 도과") \
	X(CLOCK, restarted,                            "Restarted",                          "재개시") \
	X(CLOCK, running,                              "Running",                            "진행") \
	X(PLACE, held,                                 "Held",                               "확보") \
	X(PLACE, taken,                                "Taken",                              "입소") \
	X(PLACE, released,                             "Released",                           "해제") \
	X(PLACE, free,                                 "Free",                               "빈자리") \
	X(PLACE, lapsed,                               "Lapsed",                             "실효") \
	X(PLACE, returned,                             "Returned",                           "퇴소") \
	X(WAIT, waiting,                               "Waiting",                            "대기중") \
	X(WAIT, offered,                               "Offered",                            "제안됨") \
	X(WAIT, placed,                                "Placed",                             "입소함") \
	X(WAIT, ended,                                 "Ended",                              "끝남") \
	X(HANDOVER, announced,                         "Announced",                          "예고됨") \
	X(HANDOVER, cut_over,                          "Cut over",                           "시행됨") \
	X(HANDOVER, listed,                            "Listed",                             "목록 통지") \
	X(HANDOVER, asked,                             "Asked",                              "인수 요청됨") \
	X(HANDOVER, kept,                              "Kept",                               "존치") \
	X(AGENDA, item,                                "Item",                               "안건 항목") \
	X(AGENDA, action,                              "Action",                             "조치") \
	X(AGENDA, linked_set,                          "Linked set",                         "연결된 신호")
/* clang-format on */

struct words_row {
	enum words_group group;
	const char *code;
	const char *text_en;
	const char *text_ko;
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
