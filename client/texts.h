/* Everything the command `ieum` says to a person, in English and Korean, in one table.
 *
 * Words of the domain are in proto/words.h, errors of the wire in proto/error.h, the codes of exit
 * in exit_code.h.  A text with conversions has the same ones, in the same order, in both languages
 * (tests/unit/test_texts.c holds that).  Korean texts avoid particles that depend on the word before.
 * Going over to gettext later means: the English column becomes the msgid. */
#ifndef IEUM_CLIENT_TEXTS_H
#define IEUM_CLIENT_TEXTS_H

#include <inttypes.h>

#include "client/texts_help.h"
#include "proto/words.h"

/* X(name, English, Korean) */
/* clang-format off */
#define IEUM_TEXTS(X) \
	IEUM_HELP_TEXTS(X) \
	/* the command line */ \
	X(TOO_MANY_WORDS,      "too many words on the command line, from '%s' on",       "명령에 단어가 너무 많습니다: '%s'부터") \
	X(OPTION_TWICE,        "--%s is given twice",                                    "--%s 옵션이 두 번 있습니다") \
	X(OPTION_NEEDS_VALUE,  "%s needs a value",                                       "%s 옵션에는 값이 필요합니다") \
	X(OPTION_UNKNOWN,      "unknown option %s",                                      "모르는 옵션: %s") \
	X(OPTION_NOT_HERE,     "--%s does not go with this command",                     "이 명령에는 쓸 수 없는 옵션: --%s") \
	X(OPTION_VALUE,        "--%s: this value is not possible here",                  "--%s: 쓸 수 없는 값입니다") \
	X(COMMAND_MISSING,     "which command?",                                         "명령이 없습니다") \
	X(COMMAND_UNKNOWN,     "unknown command '%s'",                                   "모르는 명령: '%s'") \
	X(WORD_MISSING,        "something is missing after '%s'",                        "'%s' 뒤에 필요한 값이 없습니다") \
	X(WORD_TOO_MUCH,       "'%s' is too much here",                                  "필요 없는 값: '%s'") \
	X(WORD_UNKNOWN,        "'%s' is not possible here",                              "여기에 쓸 수 없는 값: '%s'") \
	X(ID_WRONG,            "'%s' is not an id (36 characters, as the receipt and the inbox print it)", "번호가 아닙니다: '%s' (접수증과 수신함에 나오는 36자)") \
	X(NUMBER_WRONG,        "'%s' is not a number that is possible here",             "쓸 수 없는 숫자: '%s'") \
	X(DURATION_WRONG,      "'%s' is not a length of time; write 90 s, 30 min, 4 h or 2 d", "시간 길이가 아닙니다: '%s' (예: 90 s, 30 min, 4 h, 2 d)") \
	X(DURATION_BUSINESS,   "'%s': only the hub's calendar knows how long that is; write h or d", "'%s': 길이는 허브의 달력만 압니다. h 또는 d로 쓰십시오") \
	X(TIME_WRONG,          "'%s' is not a time; write 2026-03-02T09:00:00+09:00 or 2026-03-02 09:00", "시각이 아닙니다: '%s' (예: 2026-03-02T09:00:00+09:00 또는 2026-03-02 09:00)") \
	X(SETTLE_WHICH,        "say one of --done, --release, --refuse REASON%s",        "--done, --release, --refuse 사유 가운데 하나를 쓰십시오%s") \
	X(ANSWER_NEEDS_REASON, "'%s' needs --reason",                                    "'%s' 회신에는 --reason이 필요합니다") \
	X(ANSWER_NEEDS_UNTIL,  "'%s' needs --until",                                     "'%s' 회신에는 --until이 필요합니다") \
	X(CASE_OR_OPEN,        "--case and --open-case exclude each other%s",            "--case와 --open-case는 함께 쓸 수 없습니다%s") \
	X(EARLIER_WRONG,       "'%s' is not SIZE:ROOT (a number, a colon, 64 hexadecimal digits)", "크기:루트 형식이 아닙니다: '%s' (숫자, 쌍점, 16진수 64자리)") \
	X(SEE_HELP,            "see: ieum %s%s--help",                                    "도움말: ieum %s%s--help") \
	X(ONE_OF,              "possible: %s",                                           "쓸 수 있는 값: %s") \
	/* what to do after an error */ \
	X(DO_CORRECT,          "Correct it and send it again.",                          "고쳐서 다시 보내십시오.") \
	X(DO_ASK_OPERATOR,     "Ask the hub's operator.",                                "허브 운영자에게 문의하십시오.") \
	X(DO_LATER,            "Nothing was accepted. Try again later.",                 "접수되지 않았습니다. 나중에 다시 시도하십시오.") \
	X(DO_RESEND,           "Run the command again; the same message id is never recorded twice.", "명령을 다시 실행하십시오. 같은 메시지 번호는 두 번 기록되지 않습니다.") \
	X(DO_CHECK_ADDRESS,    "Check the addresses in the profile and that the hub is running.", "프로필의 주소와 허브가 켜져 있는지 확인하십시오.") \
	X(DO_CHECK_TLS,        "Check certificate, key, ca and server_name in the profile. Revoked or expired: ask the hub's operator for a new certificate.", "프로필의 인증서, 키, ca, server_name을 확인하십시오. 폐기나 만료라면 허브 운영자에게 새 인증서를 요청하십시오.") \
	X(DO_NEW_CERTIFICATE,  "Ask the hub's operator for a new certificate.",          "허브 운영자에게 새 인증서를 요청하십시오.") \
	X(DO_CHECK_ID,         "Check the number. What you have no part in is not shown, by design.", "번호를 확인하십시오. 참여하지 않는 사례와 의뢰는 보이지 않습니다.") \
	X(DO_CHECK_PATH,       "Check the path and its permissions.",                    "경로와 권한을 확인하십시오.") \
	X(DO_CHECK_FILE,       "Correct the file.",                                      "파일을 고치십시오.") \
	X(DO_MAKE_PROFILE,     "Write a profile (see ieum --help) or name one with --profile.", "프로필을 만들거나(ieum --help 참조) --profile로 지정하십시오.") \
	X(DO_OPEN_REFERRALS,   "Wait for the open referrals or cancel them; ieum case timeline shows them.", "끝나지 않은 의뢰를 기다리거나 취소하십시오. ieum case timeline에서 볼 수 있습니다.") \
	X(DO_TELL_HUB,         "Tell the hub's operator now; keep a copy of the journal.", "저널을 복사해 두고 지금 허브 운영자에게 알리십시오.") \
	X(RETRY_AFTER,         "not before %s from now",                                 "%s 뒤부터") \
	X(FILE_CANT,           "%s: %s",                                                 "%s: %s") \
	X(FILE_TOO_LARGE,      "%s: larger than %d bytes",                               "%s: %d바이트를 넘습니다") \
	X(OUTPUT_FAILED,       "the output cannot be written",                           "출력할 수 없습니다") \
	/* time */ \
	X(SUN, "Sun", "일") X(MON, "Mon", "월") X(TUE, "Tue", "화") X(WED, "Wed", "수") \
	X(THU, "Thu", "목") X(FRI, "Fri", "금") X(SAT, "Sat", "토") \
	X(SPAN_S,     "%" PRId64 " s",                 "%" PRId64 "초") \
	X(SPAN_MIN,   "%" PRId64 " min",               "%" PRId64 "분") \
	X(SPAN_H,     "%" PRId64 " h",                 "%" PRId64 "시간") \
	X(SPAN_H_MIN, "%" PRId64 " h %" PRId64 " min", "%" PRId64 "시간 %" PRId64 "분") \
	X(SPAN_D,     "%" PRId64 " d",                 "%" PRId64 "일") \
	X(SPAN_D_H,   "%" PRId64 " d %" PRId64 " h",   "%" PRId64 "일 %" PRId64 "시간") \
	X(DUE_IN,     "%s (in %s)",                    "%s (%s 남음)") \
	X(OVERDUE,    "%s (%s overdue)",               "%s (%s 지남)") \
	/* small words */ \
	X(HUB,       "Hub",  "허브") \
	X(YES,       "yes",  "예") \
	X(NO,        "no",   "아니요") \
	X(NONE,      "none", "없음") \
	X(DRILL,     "DRILL: nothing here is real", "훈련: 실제가 아님") \
	X(CERTIFICATE_ENDS, "Your certificate ends on %s; ask the hub's operator for a new one.", "인증서가 %s에 만료됩니다. 허브 운영자에게 새 인증서를 요청하십시오.") \
	X(FIELD_VALUE, "%s: %s", "%s: %s") \
	/* receipts */ \
	X(RECEIVED_BY_HUB,  "The hub has it: message %s",                   "허브에 접수됨: 메시지 %s") \
	X(REPEATED_BY_HUB,  "The hub had it already: message %s",           "이미 접수된 메시지: %s") \
	X(RECEIPT_JOURNAL,  "  journal number %" PRIu64 ", received %s",    "  저널 번호 %" PRIu64 ", 접수 %s") \
	X(RECEIPT_CASE,     "  case %s",                                    "  사례 %s") \
	X(MESSAGE_ID_IS,    "message id %s (to send it again, put it into envelope.message_id)", "메시지 번호 %s (다시 보내려면 envelope.message_id에 쓰십시오)") \
	X(SETTLED_N,        "%zu deliveries settled",                       "배달 %zu건 처리됨") \
	/* inbox */ \
	X(INBOX_EMPTY,      "Nothing new.",                                 "새 메시지가 없습니다.") \
	X(INBOX_NOTICE,     "There is something new for you.",              "확인할 내용이 있습니다.") \
	X(INBOX_WAITING,    "Waiting for messages. Ctrl-C ends.",           "메시지를 기다립니다. 끝내려면 Ctrl-C.") \
	X(CONNECTION_AGAIN, "The connection was lost; trying again.",       "연결이 끊어져 다시 연결합니다.") \
	X(CONNECTED_AGAIN,  "Connected again.",                             "다시 연결되었습니다.") \
	X(DELIVERY_N,       "delivery %" PRIu64,                            "배달 %" PRIu64) \
	X(ATTEMPT_N,        "attempt %" PRIu32,                             "%" PRIu32 "번째 시도") \
	X(FROM,             "From",        "보낸 곳") \
	X(MAILBOX,          "Mailbox",     "수신함") \
	X(CASE,             "Case",        "사례") \
	X(MESSAGE,          "Message",     "메시지") \
	X(IN_REPLY_TO,      "Replies to",  "회신 대상") \
	X(RECEIVED,         "Received",    "접수") \
	X(OCCURRED,         "Occurred",    "발생") \
	X(ANSWER_BY,        "Answer by",   "회신 기한") \
	X(WHY_YOU,          "Why you",     "받은 이유") \
	X(ABOUT,            "About",       "분류") \
	X(LEGAL_BASIS,      "Legal basis", "법적 근거") \
	X(REFERENCES,       "References",  "외부 번호") \
	X(PART_SEALED,      "(sealed, %zu bytes)",          "(봉인됨, %zu바이트)") \
	X(PART_ATTACHMENT,  "(attachment %s, %zu bytes)",   "(첨부 %s, %zu바이트)") \
	X(CONTENT_ERASED,   "(the content was erased at the end of its retention)", "(보존 기간이 끝나 내용이 삭제됨)") \
	X(CONTENT_OF_OTHERS, "(the content is for those it was addressed to)", "(내용은 받은 기관만 볼 수 있음)") \
	X(CONTENT_WITHDRAWN, "(not shown: the consent was withdrawn)", "(동의가 철회되어 표시하지 않음)") \
	/* cases and timelines */ \
	X(NO_CASES,         "You take part in no open case.",               "참여 중인 진행 사례가 없습니다.") \
	X(STATE,            "State",       "상태") \
	X(GRADE,            "Repeat risk", "재범위험 등급") \
	X(CONSENT,          "Consent",     "동의") \
	X(CONSENT_ENDED,    "withdrawn: only duties by law and danger allow sharing", "철회됨: 법령상 의무와 급박한 위험만 공유 가능") \
	X(OWNER,            "Responsible", "책임 기관") \
	X(OPENED,           "Opened",      "시작") \
	X(LAST,             "Last event",  "최근") \
	X(OPEN_REQUESTS,    "Open requests", "미완료 요청") \
	X(NEXT_DUE,         "Next deadline", "다음 기한") \
	X(JURISDICTION,     "Jurisdiction", "관할") \
	X(PARTICIPANTS,     "Taking part", "참여 기관") \
	X(LINKED,           "Linked case", "연결 사례") \
	X(WHEN,             "When",        "일시") \
	X(WHO,              "Who",         "기관") \
	X(WHAT,             "What",        "내용") \
	X(TO,               "To",          "대상") \
	X(NOTE,             "Note",        "비고") \
	X(ENTRY_ANSWER,     "%s (re: %s)",                                  "%s (%s에 대해)") \
	X(ENTRY_SILENCE,    "%s: no answer in time, the next is asked",     "%s: 기한 내 회신 없어 다음 요청") \
	X(ENTRY_REJECTED,   "%s: rejected, the next is asked",              "%s: 반려되어 다음 순위 요청") \
	X(ENTRY_NOBODY,     "%s: nobody is left to ask",                    "%s: 더 요청할 기관 없음") \
	X(ENTRY_FAILED,     "FAILED, nobody answered: %s",                  "실패, 응답한 기관 없음: %s") \
	X(ENTRY_DELIVERED,  "Delivered: %s",                                "전달: %s") \
	X(ENTRY_CASE,       "Case: %s",                                     "사례: %s") \
	X(ENTRY_GRADE,      "Repeat risk: grade %s",                        "재범위험 등급: %s") \
	X(ENTRY_NO_GRADE,   "Repeat risk: no grade any more",               "재범위험 등급: 해제") \
	X(ENTRY_WITHDRAWN,  "Consent withdrawn",                            "동의 철회") \
	X(ENTRY_WITHDRAWN_IN_PART, "Consent withdrawn, of some messages",   "동의 일부 철회") \
	X(ENTRY_GIVEN,      "Consent given again",                          "다시 동의") \
	X(ENTRY_DEAD,       "COULD NOT BE DELIVERED: tell the operator",    "전달 실패: 운영자에게 알리십시오") \
	X(ENTRY_UNKNOWN,    "(this version does not know this entry)",      "(이 버전이 모르는 항목)") \
	X(NOTE_DUE,         "by %s",                                        "기한 %s") \
	/* referrals */ \
	X(ASKED,            "Asked",       "요청 대상") \
	X(ANSWERED,         "Answer",      "회신") \
	X(SILENT,           "silent",      "무응답") \
	X(APPROVED_BY,      "%zu of %u have approved%s%s", "승인 %zu / %u%s%s") \
	X(CARRIED,          "Meetings before", "지난 회의") \
	X(NO_AGENDA,        "Nothing is on the agenda.", "안건이 없습니다.") \
	X(GATES,            "Gate open",   "승인됨") \
	X(GATE_UNTIL,       "(until %s)",  "(%s까지)") \
	X(ENTRY_GATE,       "Gate opened: %s", "승인: %s") \
	X(BREAK_GLASS,      "Break-glass: the gate IS OPEN already, on imminent danger and without approval. There is nothing to approve; if there was no such danger, tell the convener and your head now.", "비상 열람: 긴급한 위험을 이유로 승인 없이 이미 열렸습니다. 승인할 것은 없습니다. 그런 위험이 없었다면 지금 의장 기관과 기관장에게 알리십시오.") \
	X(ENTRY_GATE_AT_ONCE, "Gate opened at once, without approval (break-glass): %s", "승인 없이 긴급 열람(비상): %s") \
	X(DEADLINE,         "Deadline",    "기한") \
	X(STEPS_LEFT,       "Next steps left", "남은 단계") \
	X(OUTCOME,          "Outcome",     "결과") \
	X(DELIVERIES,       "Delivered to", "전달 현황") \
	X(RELEASED_TO,      "Delivered to", "받은 곳") \
	X(ATTEMPTS,         "Attempts",    "시도") \
	X(DELIVERY,         "Delivery",    "배달") \
	X(QUEUED,           "waiting",         "대기") \
	X(IN_FLIGHT,        "delivered",       "전달됨") \
	X(SETTLED,          "taken",           "수령") \
	X(DEAD_LETTERED,    "given up",        "전달 실패") \
	X(WITHDRAWN,        "withdrawn",       "철회") \
	/* directory, reach, whoami */ \
	X(NAME,             "Name",        "이름") \
	X(TITLE,            "Title",       "명칭") \
	X(KIND,             "Kind",        "종류") \
	X(SERVES,           "Serves",      "분야") \
	X(MEMBERS,          "Members",     "구성") \
	X(NO_ENTRIES,       "Nobody of this kind.",                         "해당 기관이 없습니다.") \
	X(REACHES_NOBODY,   "This message would reach nobody.",             "이 메시지를 받을 기관이 없습니다.") \
	X(REACH_KEEPERS,    "It asks the keepers of pools that suit, as far as places are free: %s", "요건에 맞는 자리 중 빈자리가 있는 곳의 관리 기관에 요청합니다: %s") \
	X(REACH_DEPENDS,    "Whom else it reaches depends on what was counted of the person; that is not told in advance.", "그 밖의 수신처는 대상자에 관해 집계된 건수에 따라 달라지며, 미리 알려 드리지 않습니다.") \
	X(BECAUSE,          "Why",         "이유") \
	X(THEN,             "Then",        "이후") \
	X(RULES,            "Rules: %s",   "적용 규칙: %s") \
	X(YOU_ARE,          "You",         "나") \
	X(ACTOR,            "Person or workstation", "사용자 또는 단말") \
	X(MAILBOXES,        "Mailboxes",   "수신함") \
	X(VIEWS,            "Views",       "조회 권한") \
	X(PONG,             "%s: %.1f ms", "%s: %.1f ms") \
	X(PINGS_SUM,        "%zu answered, min %.1f, median %.1f, max %.1f ms", "응답 %zu회, 최소 %.1f, 중앙 %.1f, 최대 %.1f ms") \
	/* queues */ \
	X(DEPTH,            "Waiting",     "대기") \
	X(OLDEST,           "Oldest",      "최장 대기") \
	X(IN_FLIGHT_N,      "In flight",   "전달중") \
	X(DEAD_N,           "Dead letters", "전달 실패") \
	X(CONSUMERS,        "Connected",   "접속") \
	X(BYTES,            "Bytes",       "바이트") \
	X(HEAD_WAITS,       "Why its head waits", "첫 건이 기다리는 이유") \
	X(NO_QUEUES,        "There are no queues.",                         "대기열이 없습니다.") \
	X(QUEUE_EMPTY,      "Nothing here.",                                "비어 있습니다.") \
	X(NOT_BEFORE,       "Not before",  "다음 시도") \
	X(WHY,              "Why",         "이유") \
	X(TYPE,             "Type",        "유형") \
	X(URGENCY,          "Urgency",     "긴급도") \
	X(AGE,              "Age",         "경과") \
	/* clocks */ \
	X(CLOCK,            "Clock",       "기한") \
	X(ENDS,             "Ends",        "만료") \
	X(CLOCK_LEFT,       "%s left",     "남은 시간 %s") \
	X(CLOCK_LATE,       "was breached", "도과 이력") \
	X(CLOCK_LONGER,     "extended %u times", "연장 %u회") \
	X(ENTRY_CLOCK,      "Clock %s: %s",                                 "기한 %s: %s") \
	X(WAITS_FOR,        "Waits for",   "대상") \
	X(NO_DEADLINES,     "No clock runs and nothing is owed in your cases.", "참여 중인 사례에 진행 중인 기한이 없습니다.") \
	X(NO_BREACHES,      "No clock of your cases was ever breached.",    "참여 중인 사례에 도과된 기한이 없습니다.") \
	/* pools */ \
	X(POOL,             "Pool",        "시설") \
	X(KEEPER,           "Kept by",     "운영기관") \
	X(PLACES,           "Places",      "정원") \
	X(PLACES_FREE,      "Free",        "빈자리") \
	X(PLACES_HELD,      "Held",        "확보") \
	X(PLACES_TAKEN,     "Taken",       "입소") \
	X(PLACES_WANTED,    "Waited for",  "대기") \
	X(COUNTED,          "Counted",     "집계") \
	X(RENEWS,           "Given anew",  "재개방") \
	X(NEEDED_UNTIL,     "Needed until", "필요 기간") \
	X(COUNT_STALE,      " (stale)",    " (오래됨)") \
	X(POSITION,         "Position",    "순번") \
	X(PRIORITY,         "Priority",    "우선순위") \
	X(UNTIL,            "Until",       "기한") \
	X(NO_POOLS,         "There are no pools that you may ask.",         "요청할 수 있는 시설이 없습니다.") \
	X(ENTRY_PLACE,      "Place in %s: %s",                             "%s 자리: %s") \
	X(SCENARIO_AFTER, "… %s later", "… %s 지남") \
	X(SCENARIO_CRASH, "the hub's power fails; it starts again", "허브 전원이 끊기고 다시 시작합니다") \
	/* drill */ \
	X(CLOCK_ADVANCED,   "The drill's clock is now %s.",                 "훈련 시계: %s") \
	/* hand-over */ \
	X(CHANGE,           "Change",      "관할변경") \
	X(EFFECTIVE,        "Takes effect", "시행") \
	X(CASES,            "Cases",       "사례") \
	X(NOT_ACCEPTED,     "Not accepted", "미인수") \
	X(KEPT,             "Stayed",      "존치") \
	X(CLOCKS,           "Clocks",      "기한") \
	X(PROGRESS,         "Hand-over",   "이관") \
	X(LAST_READ,        "Last read by the old agency", "이전 기관 최종 열람") \
	X(HANDOVER_SUM,     "Cases: %u. Open requests: %u. Clocks: %u. Places: %u.", "사례 %u, 미완료 요청 %u, 기한 %u, 자리 %u") \
	X(HANDOVER_LEFT,    "Not accepted: %u. With something in the way: %u.", "미인수 %u, 장애 %u") \
	X(NO_CHANGES,       "No jurisdiction changes that you may see.",    "볼 수 있는 관할변경이 없습니다.") \
	X(ENTRY_HANDED_OVER, "Handed over to %s",                           "이관: %s") \
	/* tokens */ \
	X(DAY_WRONG,           "'%s' is not a day; write 2026-03-01",                    "날짜가 아닙니다: '%s' (예: 2026-03-01)") \
	X(OPTION_MISSING,      "--%s is needed here",                                    "--%s 옵션이 필요합니다") \
	X(SUBJECT_TWICE,       "--subject and --%s exclude each other",                  "--subject와 --%s 옵션은 함께 쓸 수 없습니다") \
	X(TOKENS_THERE,        "'%s' has subject_tokens already; leave out --subject",   "'%s'에 이미 subject_tokens가 있습니다. --subject를 빼십시오") \
	X(TOKENS_TOO_FEW,      "Too few identifiers. A token needs one of: name and birth; name and phone; birth and phone; guardian, birth and sex; name and postcode; birth, sex and postcode.", "식별정보가 부족합니다. 다음 가운데 하나가 필요합니다: 이름·생년월일, 이름·전화, 생년월일·전화, 보호자·생년월일·성별, 이름·우편번호, 생년월일·성별·우편번호.") \
	X(TOKENS_NO_EPOCH,     "No epoch of the council key is valid on %s. Ask the council for the key that is.", "%s에 유효한 협의체 키가 없습니다. 협의체에 현재 키를 요청하십시오.") \
	X(COUNCIL_OTHER,       "the file is the key of another council: %s",             "다른 협의체의 키 파일입니다: %s") \
	X(EPOCHS_A_DAY,        "two epochs are valid on %s already; begin later (--from)", "%s에 이미 두 세대가 유효합니다. 더 늦게 시작하십시오 (--from)") \
	X(EPOCHS_FULL,         "The file has as many epochs as it may (16, numbers up to 255). Take ended ones out.", "파일의 세대 수가 한도에 이르렀습니다 (16개, 번호는 255까지). 끝난 세대를 빼십시오.") \
	X(EPOCH_MADE,          "Key of %s: epoch %d, valid %s to %s. Give the file to the council's members only.", "%s 키: 제%d세대, 유효 기간 %s부터 %s까지. 협의체 구성원에게만 전하십시오.") \
	X(EPOCH_OVERLAP,       "It overlaps the epoch before it by %" PRId64 " days.",   "앞 세대와 %" PRId64 "일 겹칩니다.") \
	X(EPOCH_NO_OVERLAP,    "It does not overlap the epoch before it: signals from before and after will never be linked.", "앞 세대와 겹치지 않습니다. 전후의 신호는 서로 연결되지 않습니다.") \
	X(EPOCH,               "Epoch",       "세대") \
	X(TOKEN,               "Token",       "토큰") \
	X(TOKEN_NAME_BIRTH,         "Name, birth date",               "이름·생년월일") \
	X(TOKEN_NAME_PHONE,         "Name, guardian's phone",         "이름·보호자 전화") \
	X(TOKEN_BIRTH_PHONE,        "Birth date, guardian's phone",   "생년월일·보호자 전화") \
	X(TOKEN_GUARDIAN_BIRTH_SEX, "Guardian, birth date, sex",      "보호자·생년월일·성별") \
	X(TOKEN_NAME_POSTCODE,      "Name, postcode",                 "이름·우편번호") \
	X(TOKEN_BIRTH_SEX_POSTCODE, "Birth date, sex, postcode",      "생년월일·성별·우편번호") \
	/* policies, offline */ \
	X(EXPLAINED,        "%s from %s, %s",                               "%s, 보낸 곳 %s, %s") \
	X(LINE,             "Line",        "줄") \
	X(RULE,             "Rule",        "규칙") \
	X(RULE_APPLIES,     "applies",                                      "적용") \
	X(RULE_FORBIDS,     "forbids it",                                   "금지") \
	X(RULE_REFUSES,     "applies, but can't be carried out",            "적용되나 실행할 수 없음") \
	X(RULE_WANTS,       "%s is %s, the rule wants %s",                  "%s 값은 %s, 규칙은 %s") \
	X(RULE_WANTS_SOME,  "%s is not stated, the rule wants %s",          "%s 값이 없음, 규칙은 %s") \
	X(RULE_UNMET,       "its %s is for other messages",                 "%s 조건이 다름") \
	X(REQUEST,          "Request",     "요청") \
	X(REQUEST_N,        "Request %zu, to %s:",                          "요청 %zu, 대상 %s:") \
	X(CLOCK_STOPS_AT,   "the clock stops at: %s",                       "기한을 멈추는 회신: %s") \
	X(ON_SILENCE,       "on silence",                                   "무응답 시") \
	X(ON_REJECTION,     "on rejection",                                 "반려 시") \
	X(ON_EITHER,        "on silence or rejection",                      "무응답 또는 반려 시") \
	X(CLOSING,          "Closing",     "종결") \
	X(BLOCKS_CLOSING,   "not while this is open",                       "이 요청이 열려 있으면 불가") \
	X(ASKS_TO_CLOSE,    "refused while something open blocks it",       "막는 요청이 열려 있으면 거부") \
	X(QUORUM,           "Acceptances needed", "필요한 수락 수") \
	X(OPENS_GATE,       "Opens gate",  "열리는 관문") \
	X(HUB_SENDS,        "The hub sends", "허브가 보냄") \
	X(CASE_OF_ITS_OWN,  "in a case of its own",                         "별도 사례") \
	X(SETS_OFF,         "Sets off",    "개시") \
	X(MAY_REACH,        "May reach",   "전달 가능") \
	X(COUNTS_IN,        "Counts in",   "계수") \
	X(COUNTS_ANEW,      "Counts anew", "계수 초기화") \
	X(CASE_STATE,       "Case state",  "사례 상태") \
	X(WOULD_BE_REFUSED, "Refused: %s (%s)",                             "거부: %s (%s)") \
	X(PARTICIPANT_UNKNOWN, "'%s' is no participant of the hub file",    "허브 파일에 없는 기관: '%s'") \
	X(MAILBOX_UNKNOWN,  "'%s' is no mailbox of the hub file",           "허브 파일에 없는 수신함: '%s'") \
	X(COUNTER_UNKNOWN,  "'%s' is no counter of the hub file",           "허브 파일에 없는 계수기: '%s'") \
	X(HOLIDAYS_END,     "%s: warning: the list of holidays ends soon or has ended; add the next ones", "%s: 주의: 공휴일 목록이 곧 끝나거나 이미 끝남; 다음 공휴일을 추가할 것") \
	X(POLICY_GOOD,      "%s: no mistake (%zu participants, %zu bodies, %zu mailboxes)", "%s: 잘못 없음 (기관 %zu, 기구 %zu, 수신함 %zu)") \
	X(TEST_PASSED,      "passed",      "통과") \
	X(TEST_FAILED,      "FAILED",      "실패") \
	X(TESTS_SUM,        "%zu passed, %zu failed",                       "통과 %zu, 실패 %zu") \
	/* audit */ \
	X(AUDIT_SOUND,      "SOUND: %" PRIu64 " events in %" PRIu64 " commits, nothing missing, nothing changed.", "이상 없음: 이벤트 %" PRIu64 "건, 커밋 %" PRIu64 "회, 누락 없음, 변경 없음.") \
	X(AUDIT_MISMATCH,   "MISMATCH at event %" PRIu64 ": %s",            "불일치, 이벤트 %" PRIu64 ": %s") \
	X(AUDIT_MISMATCH_ALL, "MISMATCH: %s",                               "불일치: %s") \
	X(AUDIT_UP_TO,      "Verified before it: %" PRIu64 " events.",      "그 앞까지 검증됨: 이벤트 %" PRIu64 "건.") \
	X(LEDGER_WHICH,     "say whose disclosures: one of --case ID, --token BASE64, --participant NAME%s", "무엇의 제공 내역인지 하나만 쓰십시오: --case 번호, --token BASE64, --participant 기관%s") \
	X(LEDGER_TOKEN,     "'%s' is not a token in base64",                "base64 토큰이 아닙니다: '%s'") \
	X(LEDGER_NOTHING,   "Nothing was disclosed.",                       "제공된 것이 없습니다.") \
	X(LEDGER_READ,      "read: %s",    "조회: %s") \
	X(LEDGER_HOW,       "How",         "경로") \
	X(LEDGER_WHO,       "To whom",     "제공받은 기관") \
	X(LEDGER_WHOSE,     "Whose",       "보낸 기관") \
	X(LEDGER_FROM,      "Person, address", "담당자, 주소") \
	X(LEDGER_HUB,       "the hub",     "허브") \
	X(LEDGER_ERASED,    "%s (erased)", "%s (삭제됨)") \
	X(AUDIT_EVENTS,     "Events",      "이벤트") \
	X(AUDIT_ROOT,       "Root",        "루트") \
	X(AUDIT_SPAN,       "From – to",   "기간") \
	X(AUDIT_MESSAGES,   "Messages",    "메시지") \
	X(AUDIT_PAYLOADS,   "%" PRIu64 " (content checked %" PRIu64 ", erased at the end of retention %" PRIu64 ")", "%" PRIu64 " (내용 확인 %" PRIu64 ", 보존 만료 삭제 %" PRIu64 ")") \
	X(AUDIT_INCARNATION, "Incarnation", "저널 세대") \
	X(AUDIT_NOTE_ROOT,  "To prove later that nothing before this was changed, keep: --earlier %" PRIu64 ":%s", "이후 변경이 없었음을 증명하려면 보관: --earlier %" PRIu64 ":%s") \
	X(AUDIT_PROGRESS,   "\r%3d %%  %" PRIu64 " of %" PRIu64 " events", "\r%3d %%  이벤트 %" PRIu64 " / %" PRIu64) \
	X(ROUTED,           "Routed",      "배정") \
	X(SETTLED_COUNT,    "Taken",       "수령") \
	X(WITHDRAWN_COUNT,  "Withdrawn",   "철회")
/* clang-format on */

enum text_id {
#define X(name, en, ko) TEXT_##name,
	IEUM_TEXTS(X)
#undef X
		TEXT_COUNT_OF
};

/* Never NULL. */
const char *text(enum text_id id, enum words_lang lang);

#endif
