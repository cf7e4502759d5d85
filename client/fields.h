/* The facts of a message's body as a person reads them: field names and values that are no words
 * of the domain (those are in proto/words.h).
 *
 * Codes are the field names of proto/ieum/v1/body.proto, without "_at_ms"; tests/unit/test_fields.c
 * holds that none is missing. */
#ifndef IEUM_CLIENT_FIELDS_H
#define IEUM_CLIENT_FIELDS_H

#include "proto/words.h"

/* X(code, English, Korean) */
/* clang-format off */
#define IEUM_FIELDS(X) \
	X(response_code,      "112 code",                   "112 코드") \
	X(child_at_home,      "Child at home",              "집에 아동 있음") \
	X(victim_consents,    "Victim consents",            "피해자 동의") \
	X(dispatches_in_year, "Dispatches in a year",       "1년간 출동") \
	X(checklist_score,    "Checklist score",            "체크리스트 점수") \
	X(mandated_reporter,  "Mandated reporter",          "신고의무자") \
	X(report_id,          "Report",                     "신고") \
	X(departs,            "Departs",                    "출발") \
	X(joint,              "Joint",                      "동행") \
	X(child_seen,         "Child seen",                 "아동 대면") \
	X(entry_refused,      "Entry refused",              "출입 거부") \
	X(domain,             "Domain",                     "분야") \
	X(language,           "Language",                   "언어") \
	X(start_by,           "Start by",                   "시작 희망") \
	X(measure,            "Measure no.",                "조치 호수") \
	X(measures,           "Measures no.",               "조치 호수") \
	X(taken,              "Taken",                      "조치 일시") \
	X(extension_needed,   "Extension needed",           "연장 필요") \
	X(prolongs,           "Prolongs the one before",    "기간 연장") \
	X(from,               "From",                       "시작") \
	X(until,              "Until",                      "종료") \
	X(measure_id,         "Measure notice",             "조치 통지") \
	X(filed,              "Filed",                      "청구 일시") \
	X(starts,             "Starts",                     "시작") \
	X(body,               "Body",                       "기구") \
	X(conference_id,      "Conference",                 "회의") \
	X(actions,            "Actions",                    "조치 사항") \
	X(action,             "Action no.",                 "조치 번호") \
	X(purpose,            "Purpose",                    "목적") \
	X(items,              "Items",                      "항목") \
	X(round,              "Round",                      "회차") \
	X(holding,            "Holding",                    "보유 여부") \
	X(reason,             "Reason",                     "사유") \
	X(kind,               "Answer",                     "회신") \
	X(outcome,            "Outcome",                    "결과") \
	X(more_time_until,    "More time until",            "연장 기한") \
	X(scheduled,          "Scheduled",                  "일정") \
	X(remark,             "Remark",                     "비고") \
	X(request,            "Request (number)",           "요청 번호") \
	X(asked_for,          "Nobody took on",             "응하지 않은 요청") \
	X(no_answer_from,     "No answer from",             "응답 없는 기관") \
	X(judgement,          "Judgement",                  "판단") \
	X(separated,          "Separated",                  "분리") \
	X(review,             "Next review",                "다음 점검") \
	X(domains,            "Domains",                    "분야") \
	X(pool,               "Place",                      "자리") \
	X(sex,                "Sex",                        "성별") \
	X(age_years,          "Age",                        "나이") \
	X(places,             "Places",                     "자리 수") \
	X(hold,               "Held for",                   "확보 시간") \
	X(hold_id,            "Hold",                       "자리확보") \
	X(location_token,     "Place token",                "장소 토큰") \
	X(placed,             "Placed",                     "입소 일시") \
	X(service,            "Service",                    "진료과") \
	X(forensic,           "Secure evidence",            "증거 채취") \
	X(visit_by,           "Visit by",                   "방문 기한") \
	X(failed_contacts,    "Failed contacts",            "연락 실패") \
	X(attempt,            "Attempt",                    "시도") \
	X(next,               "Next",                       "다음") \
	X(sessions,           "Sessions",                   "횟수") \
	X(due,                "Due",                        "예정") \
	X(grade,              "Grade",                      "등급") \
	X(parts,              "Parts",                      "부분") \
	X(part,               "Part",                       "부분") \
	X(certificates,       "Certificates",               "인증서") \
	X(keys,               "Keys",                       "키") \
	X(recipient_info,     "Key",                        "키") \
	X(matter,             "What ends",                  "만료 대상") \
	X(actor,              "Person or workstation",      "사용자 또는 단말") \
	X(serial,             "Serial number",              "일련번호") \
	X(ends,               "Ends",                       "만료") \
	X(message_ids,        "Messages concerned",         "해당 메시지") \
	X(month,              "Month",                      "월") \
	X(weight,             "Weight",                     "정도") \
	X(reached,            "Reached",                    "연락됨") \
	X(needed,             "Needed",                     "필요 일시") \
	X(from_jurisdiction,  "From jurisdiction",          "이전 관할") \
	X(to_jurisdiction,    "To jurisdiction",            "새 관할") \
	X(effective,          "Effective",                  "시행") \
	X(to,                 "To",                         "대상") \
	X(cases,              "Cases",                      "사례 수") \
	X(open_referrals,     "Open referrals",             "미완료 의뢰") \
	X(digest,             "Digest",                     "다이제스트") \
	X(moved,              "Moved",                      "전출입일") \
	X(agency_opinion,     "Agency's opinion",           "기관 의견") \
	X(doctor_opinion,     "Doctor's opinion",           "의사 의견") \
	X(programme_attended, "Programme attended",         "프로그램 이수") \
	X(seen_face_to_face,  "Seen face to face",          "대면 확인") \
	X(closed,             "Closed",                     "종결") \
	X(priority,           "Priority",                   "우선순위") \
	X(participant,         "Participant",               "기관") \
	X(title,               "Title",                     "제목") \
	X(entries,             "Entries",                   "항목") \
	X(carried,             "Carried over",              "이월") \
	X(decisions,           "Decisions",                 "결정 사항") \
	X(case_id,             "Case",                      "사례") \
	X(message_id,          "Message",                   "메시지") \
	X(as_of,               "Counted",                   "집계 시각") \
	X(action_items,        "Actions",                   "조치 사항") \
	X(kept_item_ids,       "Items kept",                "유지된 안건") \
	X(change,              "What happened",             "변동") \
	X(clock,               "Clock",                     "기한") \
	X(started_by_id,       "Started by",                "개시 메시지") \
	X(change_id,           "Change",                    "관할변경") \
	X(clocks,              "Clocks",                    "기한 수") \
	X(holds,               "Places held",               "확보된 자리") \
	X(signal_ids,          "Signals",                   "위기징후") \
	X(break_glass,         "Opened at once (break glass)", "긴급 개방") \
	X(item_bases,          "Basis of each item",        "항목별 근거") \
	X(article,             "Article",                   "조문") \
	X(item,                "Item",                      "항목명") \
	X(agencies,            "Agencies",                  "기관 수") \
	X(category_only,       "Only the category is known", "유형만 공유") \
	X(expires,             "Expires",                   "만료") \
	X(first,               "First",                     "최초") \
	X(last,                "Last",                      "최근") \
	X(linkage,             "Linked as",                 "연결 기준") \
	X(signals,             "Signals",                   "위기징후 수") \
	X(entry_id,            "Waiting list entry",        "대기 항목") \
	X(reply_by,            "Reply by",                  "회신 기한") \
	X(returned,            "Returned",                  "퇴소 일시") \
	X(withdrawal_id,       "Withdrawal",                "동의철회") \
	X(given_up_ids,        "Actions given up",           "중단한 조치") \
	X(item_id,             "Agenda item",                "안건") \
	X(text,                "Text",                       "내용") \
	X(state,               "State",                      "상태") \
	X(category,            "Category",                   "분류") \
	X(months,              "Months",                     "해당 월") \
	X(signs,               "Signs",                      "징후") \
	/* values */ \
	X(yes,                "yes",                        "예") \
	X(no,                 "no",                         "아니요") \
	X(female,             "female",                     "여") \
	X(male,               "male",                       "남") \
	X(held,               "held",                       "보유") \
	X(nothing_held,       "nothing held",               "보유 없음") \
	X(refused,            "refused",                    "거부") \
	X(not_reached,        "not reached",                "연락 안 됨") \
	X(hub,                "the hub's certificate",      "허브 인증서") \
	X(revocation_list,    "the revocation list",        "폐지 목록") \
	X(code_0,             "0",                          "0") \
	X(code_1,             "1",                          "1") \
	X(code_2,             "2",                          "2") \
	X(code_3,             "3",                          "3") \
	X(code_4,             "4",                          "4")
/* clang-format on */

/* What a person reads for a field or a value; NULL when there is no row. */
const char *field_text(const char *code, enum words_lang lang);

#endif
