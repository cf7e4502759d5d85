/* The error table: every way a request can fail, for both sides of the wire.
 *
 * One X-macro row is one error: number on the wire, C name, whose fault it is,
 * whether trying again can help, text in English, text in Korean.  Numbers are
 * never reused; a row may be added, never changed in meaning.
 * Fallible functions of this project return `enum ieum_err`, 0 being success.
 * Everything here is constant and may be used from any thread. */
#ifndef IEUM_PROTO_ERROR_H
#define IEUM_PROTO_ERROR_H

#include <stdbool.h>

/* Whose fault it is: says who has to act. */
enum ieum_fault {
	IEUM_FAULT_NONE,
	IEUM_FAULT_CLIENT,  /* the message or the caller: correct it */
	IEUM_FAULT_POLICY,  /* the hub's rules do not allow it */
	IEUM_FAULT_HUB,     /* the hub is short of something: later, or tell its operator */
	IEUM_FAULT_JOURNAL, /* the hub cannot record, so it does not act */
};

/* How to try again: never as it is, after the hinted time, or on a new connection. */
enum ieum_retry {
	IEUM_RETRY_NO,
	IEUM_RETRY_LATER,
	IEUM_RETRY_RECONNECT,
};

/* clang-format off */
#define IEUM_ERRORS(X) \
	X(0,  OK,                  NONE,    NO,        "done", "완료") \
	/* frames and fields */ \
	X(1,  FRAME_TOO_LARGE,     CLIENT,  NO,        "the frame is larger than the agreed limit", "프레임이 합의된 한도를 넘습니다") \
	X(2,  FRAME_MALFORMED,     CLIENT,  NO,        "the frame is not a valid ieum frame", "올바른 이음 프레임이 아닙니다") \
	X(3,  FRAME_UNEXPECTED,    CLIENT,  NO,        "this frame is not expected now", "지금 올 수 없는 프레임입니다") \
	X(4,  FRAME_UNKNOWN,       CLIENT,  NO,        "the frame holds a request this hub does not know", "이 허브가 모르는 요청입니다") \
	X(5,  FIELD_INVALID,       CLIENT,  NO,        "a field has a value that is not allowed", "허용되지 않는 값이 있습니다") \
	X(6,  FIELD_MISSING,       CLIENT,  NO,        "a required field is missing", "필수 항목이 없습니다") \
	X(7,  FIELD_TOO_LARGE,     CLIENT,  NO,        "a field is longer, or has more entries, than allowed", "항목이 허용 한도를 넘습니다") \
	X(8,  FIELD_UNKNOWN,       CLIENT,  NO,        "the message has a field this hub does not know", "이 허브가 모르는 항목입니다") \
	X(9,  TEXT_INVALID,        CLIENT,  NO,        "a text is not valid UTF-8 or holds a NUL", "글자가 올바른 UTF-8이 아니거나 NUL이 있습니다") \
	X(10, RESIDENT_NUMBER,     CLIENT,  NO,        "a field holds what looks like a resident registration number; ieum carries none, remove it or put it in a sealed narrative", "주민등록번호로 보이는 값이 있습니다. 이음은 이를 받지 않으니 지우거나 봉인된 서술에 넣으십시오") \
	X(11, SEALED_ONLY,         CLIENT,  NO,        "a reporter's identity or a shelter's location is accepted sealed only", "신고자 신원과 쉼터 위치는 봉인된 형태로만 받습니다") \
	X(12, VERSION_UNSUPPORTED, CLIENT,  NO,        "no protocol version in common", "공통 프로토콜 버전이 없습니다") \
	X(13, ID_INVALID,          CLIENT,  NO,        "the message id is not a UUIDv7", "메시지 번호가 UUIDv7이 아닙니다") \
	X(14, ID_IN_FUTURE,        CLIENT,  NO,        "the message id lies more than ten minutes in the future; check the sender's clock", "메시지 번호의 시각이 10분 넘게 앞섭니다. 보내는 쪽 시계를 확인하십시오") \
	X(15, TOO_OLD,             CLIENT,  NO,        "the message id is older than the hub remembers", "허브가 기억하는 기간보다 오래된 메시지입니다") \
	X(16, ID_REUSED,           CLIENT,  NO,        "the message id was used before for another message", "이미 다른 메시지에 쓰인 번호입니다") \
	/* who and what may be done */ \
	X(20, IDENTITY_UNKNOWN,    CLIENT,  NO,        "the certificate names nobody whom this hub lists", "이 허브에 등록되지 않은 인증서입니다") \
	X(21, CERTIFICATE_REVOKED, CLIENT,  NO,        "the certificate was revoked", "폐기된 인증서입니다") \
	X(22, CERTIFICATE_EXPIRED, CLIENT,  NO,        "the certificate has expired", "만료된 인증서입니다") \
	X(23, NOT_PERMITTED,       POLICY,  NO,        "the hub's policy does not permit this", "허브 정책이 허용하지 않습니다") \
	X(24, CONFLICT_OF_INTEREST,POLICY,  NO,        "the participant is excluded from this case by a conflict of interest", "이해관계로 이 사례에서 제외된 기관입니다") \
	X(25, NO_ROUTE,            POLICY,  NO,        "no rule says who must receive this; name an addressee or ask the hub's operator", "받을 기관을 정한 규칙이 없습니다. 수신자를 지정하거나 허브 운영자에게 문의하십시오") \
	X(26, ADDRESSEE_UNKNOWN,   CLIENT,  NO,        "an addressee is not in this hub's directory", "명부에 없는 수신자입니다") \
	X(27, LEGAL_BASIS_MISSING, POLICY,  NO,        "the legal basis this message needs is missing or insufficient", "필요한 법적 근거가 없거나 부족합니다") \
	X(28, REASON_MISSING,      CLIENT,  NO,        "a rejection or refusal needs a reason", "반려나 거부에는 사유가 필요합니다") \
	X(29, CASE_UNKNOWN,        CLIENT,  NO,        "no such case, or not one you may see", "없는 사례이거나 볼 수 없는 사례입니다") \
	X(30, REFERRAL_UNKNOWN,    CLIENT,  NO,        "no such referral, or not one you may see", "없는 의뢰이거나 볼 수 없는 의뢰입니다") \
	X(31, STATE_CONFLICT,      CLIENT,  NO,        "the referral's state does not allow this", "의뢰의 현재 상태에서 할 수 없습니다") \
	X(32, CASE_CLOSED,         CLIENT,  NO,        "the case is closed", "종결된 사례입니다") \
	X(33, DOMAIN_OPEN,         POLICY,  NO,        "the case cannot close while a referral or a clock in it is open", "끝나지 않은 의뢰나 기한이 있어 종결할 수 없습니다") \
	X(34, DELIVERY_UNKNOWN,    CLIENT,  NO,        "no such delivery for this participant", "이 기관의 배달이 아니거나 없는 배달입니다") \
	X(35, NOT_ADDRESSED,       POLICY,  NO,        "only someone asked by the referral may answer it", "의뢰를 받은 기관만 회신할 수 있습니다") \
	X(36, UNSAFE_CONTACT_TIME, POLICY,  NO,        "the time lies outside the hours in which the person can be reached safely", "안전하게 연락할 수 있는 시간이 아닙니다") \
	X(37, GATE_CLOSED,         POLICY,  NO,        "the gate that this needs is not open; it opens by the approvals that the policy asks for", "필요한 승인이 없어 아직 열리지 않았습니다") \
	X(38, CONSENT_WITHDRAWN,   POLICY,  NO,        "the consent was withdrawn; only a duty by law or imminent danger allows sharing now", "동의가 철회되어 법령상 의무나 급박한 위험이 있을 때만 공유할 수 있습니다") \
	X(39, MANIFEST_MISMATCH,   CLIENT,  NO,        "the manifest does not agree with what was handed over", "이관목록이 실제 이관된 내용과 다릅니다") \
	/* limits */ \
	X(40, TOO_MANY_CONNECTIONS,HUB,     LATER,     "too many connections", "접속이 너무 많습니다") \
	X(41, TOO_MANY_REQUESTS,   CLIENT,  LATER,     "too many requests outstanding", "처리 중인 요청이 너무 많습니다") \
	X(42, RATE_LIMITED,        CLIENT,  LATER,     "requests come faster than agreed", "요청이 합의된 속도보다 빠릅니다") \
	X(43, QUEUE_FULL,          HUB,     LATER,     "a recipient's queue is full", "수신 기관의 대기열이 가득 찼습니다") \
	X(44, CREDIT_TOO_LARGE,    CLIENT,  NO,        "more credit than unsettled deliveries allowed", "허용된 미처리 배달 수를 넘는 수신 허가입니다") \
	X(45, HUB_FULL,            HUB,     LATER,     "the hub holds as much as it may; tell its operator", "허브의 보관 한도에 이르렀습니다. 운영자에게 알리십시오") \
	X(46, TIMED_OUT,           HUB,     LATER,     "no answer in time", "제때 응답이 없습니다") \
	X(47, NO_PLACE,            POLICY,  NO,        "no suitable place is free, or not that many", "맞는 빈자리가 없거나 모자랍니다") \
	X(48, SENDER_FULL,         CLIENT,  NO,        "the hub keeps as much for this participant as it may; take back what is not needed any more, or wait until some of it has ended", "이 기관 몫의 보관 한도에 이르렀습니다. 필요 없는 것을 거두거나 일부가 끝나기를 기다리십시오") \
	/* the hub and its journal */ \
	X(50, UNAVAILABLE,         JOURNAL, LATER,     "the hub cannot record now, so it accepts nothing new", "허브가 기록할 수 없어 새 요청을 받지 않습니다") \
	X(51, STOPPING,            HUB,     RECONNECT, "the hub is stopping", "허브가 종료 중입니다") \
	X(52, DISK_FULL,           JOURNAL, LATER,     "no space left for the journal", "저널을 쓸 공간이 없습니다") \
	X(53, JOURNAL_IO,          JOURNAL, RECONNECT, "the journal cannot be written or read", "저널을 읽거나 쓸 수 없습니다") \
	X(54, JOURNAL_CORRUPT,     JOURNAL, NO,        "the journal does not verify", "저널 검증에 실패했습니다") \
	X(55, JOURNAL_VERSION,     JOURNAL, NO,        "the journal was written by a newer version", "더 새로운 버전이 쓴 저널입니다") \
	X(56, PAYLOAD_ERASED,      POLICY,  NO,        "the content was erased at the end of its retention", "보존 기간이 끝나 내용이 삭제되었습니다") \
	X(57, INTERNAL,            HUB,     LATER,     "an error inside the hub; its operator finds it in the log", "허브 내부 오류입니다. 운영자가 기록에서 확인할 수 있습니다") \
	X(58, COMMIT_UNKNOWN,      JOURNAL, RECONNECT, "it is not known whether the journal recorded this; send it again with the same id", "기록 여부를 알 수 없습니다. 같은 번호로 다시 보내십시오") \
	X(59, JOURNAL_LOCKED,      JOURNAL, NO,        "the journal is open for writing elsewhere", "다른 곳에서 이미 쓰고 있는 저널입니다") \
	X(60, JOURNAL_DRILL,       JOURNAL, NO,        "a drill and a live journal must not be mixed", "훈련용 저널과 실제 저널은 섞을 수 없습니다") \
	X(61, JOURNAL_FENCED,      JOURNAL, RECONNECT, "another hub has taken the journal over", "다른 허브가 저널을 넘겨받았습니다") \
	/* local to a process, never on the wire */ \
	X(70, NO_MEMORY,           HUB,     LATER,     "out of memory", "메모리가 부족합니다") \
	X(71, FILE_UNREADABLE,     CLIENT,  NO,        "a file cannot be read", "파일을 읽을 수 없습니다") \
	X(72, FILE_INVALID,        CLIENT,  NO,        "a file has mistakes", "파일에 잘못된 곳이 있습니다") \
	X(73, TLS_FAILED,          CLIENT,  RECONNECT, "the TLS connection failed", "TLS 연결에 실패했습니다") \
	X(74, CONNECTION_LOST,     HUB,     RECONNECT, "the connection was lost", "연결이 끊어졌습니다") \
	X(75, HUB_UNREACHABLE,     HUB,     RECONNECT, "no address of the hub answers", "허브에 연결할 수 없습니다")
/* clang-format on */

enum ieum_err {
#define X(number, name, fault, retry, en, ko) IEUM_E_##name = (number),
	IEUM_ERRORS(X)
#undef X
};

/* A result that may not be ignored. */
#define IEUM_MUST_CHECK __attribute__((warn_unused_result))

struct ieum_error_row {
	int number;
	const char *name; /* "TOO_OLD": stable, for scripts and logs */
	enum ieum_fault fault;
	enum ieum_retry retry;
	const char *text_en;
	const char *text_ko;
};

/* The row of a number; numbers without a row give that of INTERNAL.  Never NULL. */
const struct ieum_error_row *ieum_error(int number);

/* "client", "policy", "hub", "journal" or "none". */
const char *ieum_fault_name(enum ieum_fault fault);

#endif
