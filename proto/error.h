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
	X(0,  OK,                  NONE,    NO,        "done") \
	/* frames and fields */ \
	X(1,  FRAME_TOO_LARGE,     CLIENT,  NO,        "the frame is larger than the agreed limit") \
	X(2,  FRAME_MALFORMED,     CLIENT,  NO,        "the frame is not a valid ieum frame") \
	X(3,  FRAME_UNEXPECTED,    CLIENT,  NO,        "this frame is not expected now") \
	X(4,  FRAME_UNKNOWN,       CLIENT,  NO,        "the frame holds a request this hub does not know") \
	X(5,  FIELD_INVALID,       CLIENT,  NO,        "a field has a value that is not allowed") \
	X(6,  FIELD_MISSING,       CLIENT,  NO,        "a required field is missing") \
	X(7,  FIELD_TOO_LARGE,     CLIENT,  NO,        "a field is longer, or has more entries, than allowed") \
	X(8,  FIELD_UNKNOWN,       CLIENT,  NO,        "the message has a field this hub does not know") \
	X(9,  TEXT_INVALID,        CLIENT,  NO,        "a text is not valid UTF-8 or holds a NUL") \
	X(10, RESIDENT_NUMBER,     CLIENT,  NO,        "a field holds what looks like a resident registration number; ieum carries none, remove it or put it in a sealed narrative") \
	X(11, SEALED_ONLY,         CLIENT,  NO,        "a reporter's identity or a shelter's location is accepted sealed only") \
	X(12, VERSION_UNSUPPORTED, CLIENT,  NO,        "no protocol version in common") \
	X(13, ID_INVALID,          CLIENT,  NO,        "the message id is not a UUIDv7") \
	X(14, ID_IN_FUTURE,        CLIENT,  NO,        "the message id lies more than ten minutes in the future; check the sender's clock") \
	X(15, TOO_OLD,             CLIENT,  NO,        "the message id is older than the hub remembers") \
	X(16, ID_REUSED,           CLIENT,  NO,        "the message id was used before for another message") \
	/* who and what may be done */ \
	X(20, IDENTITY_UNKNOWN,    CLIENT,  NO,        "the certificate names nobody whom this hub lists") \
	X(21, CERTIFICATE_REVOKED, CLIENT,  NO,        "the certificate was revoked") \
	X(22, CERTIFICATE_EXPIRED, CLIENT,  NO,        "the certificate has expired") \
	X(23, NOT_PERMITTED,       POLICY,  NO,        "the hub's policy does not permit this") \
	X(24, CONFLICT_OF_INTEREST,POLICY,  NO,        "the participant is excluded from this case by a conflict of interest") \
	X(25, NO_ROUTE,            POLICY,  NO,        "no rule says who must receive this; name an addressee or ask the hub's operator") \
	X(26, ADDRESSEE_UNKNOWN,   CLIENT,  NO,        "an addressee is not in this hub's directory") \
	X(27, LEGAL_BASIS_MISSING, POLICY,  NO,        "the legal basis this message needs is missing or insufficient") \
	X(28, REASON_MISSING,      CLIENT,  NO,        "a rejection or refusal needs a reason") \
	X(29, CASE_UNKNOWN,        CLIENT,  NO,        "no such case, or not one you may see") \
	X(30, REFERRAL_UNKNOWN,    CLIENT,  NO,        "no such referral, or not one you may see") \
	X(31, STATE_CONFLICT,      CLIENT,  NO,        "the referral's state does not allow this") \
	X(32, CASE_CLOSED,         CLIENT,  NO,        "the case is closed") \
	X(33, DOMAIN_OPEN,         POLICY,  NO,        "the case cannot close while a referral or a clock in it is open") \
	X(34, DELIVERY_UNKNOWN,    CLIENT,  NO,        "no such delivery for this participant") \
	X(35, NOT_ADDRESSED,       POLICY,  NO,        "only someone asked by the referral may answer it") \
	X(36, UNSAFE_CONTACT_TIME, POLICY,  NO,        "the time lies outside the hours in which the person can be reached safely") \
	X(37, GATE_CLOSED,         POLICY,  NO,        "the gate that this needs is not open; it opens by the approvals that the policy asks for") \
	X(38, CONSENT_WITHDRAWN,   POLICY,  NO,        "the consent was withdrawn; only a duty by law or imminent danger allows sharing now") \
	X(39, MANIFEST_MISMATCH,   CLIENT,  NO,        "the manifest does not agree with what was handed over") \
	/* limits */ \
	X(40, TOO_MANY_CONNECTIONS,HUB,     LATER,     "too many connections") \
	X(41, TOO_MANY_REQUESTS,   CLIENT,  LATER,     "too many requests outstanding") \
	X(42, RATE_LIMITED,        CLIENT,  LATER,     "requests come faster than agreed") \
	X(43, QUEUE_FULL,          HUB,     LATER,     "a recipient's queue is full") \
	X(44, CREDIT_TOO_LARGE,    CLIENT,  NO,        "more credit than unsettled deliveries allowed") \
	X(45, HUB_FULL,            HUB,     LATER,     "the hub holds as much as it may; tell its operator") \
	X(46, TIMED_OUT,           HUB,     LATER,     "no answer in time") \
	X(47, NO_PLACE,            POLICY,  NO,        "no suitable place is free, or not that many") \
	X(48, SENDER_FULL,         CLIENT,  NO,        "the hub keeps as much for this participant as it may; take back what is not needed any more, or wait until some of it has ended") \
	/* the hub and its journal */ \
	X(50, UNAVAILABLE,         JOURNAL, LATER,     "the hub cannot record now, so it accepts nothing new") \
	X(51, STOPPING,            HUB,     RECONNECT, "the hub is stopping") \
	X(52, DISK_FULL,           JOURNAL, LATER,     "no space left for the journal") \
	X(53, JOURNAL_IO,          JOURNAL, RECONNECT, "the journal cannot be written or read") \
	X(54, JOURNAL_CORRUPT,     JOURNAL, NO,        "the journal does not verify") \
	X(55, JOURNAL_VERSION,     JOURNAL, NO,        "the journal was written by a newer version") \
	X(56, PAYLOAD_ERASED,      POLICY,  NO,        "the content was erased at the end of its retention") \
	X(57, INTERNAL,            HUB,     LATER,     "an error inside the hub; its operator finds it in the log") \
	X(58, COMMIT_UNKNOWN,      JOURNAL, RECONNECT, "it is not known whether the journal recorded this; send it again with the same id") \
	X(59, JOURNAL_LOCKED,      JOURNAL, NO,        "the journal is open for writing elsewhere") \
	X(60, JOURNAL_DRILL,       JOURNAL, NO,        "a drill and a live journal must not be mixed") \
	X(61, JOURNAL_FENCED,      JOURNAL, RECONNECT, "another hub has taken the journal over") \
	X(62, SEALED_OTHERWISE,    POLICY,  NO,        "the narrative is sealed to others than the policy chooses now; ask again whom it reaches and seal it again") \
	X(63, NOT_SEALED,          CLIENT,  NO,        "what should be sealed is not a sealed narrative that can be read as one") \
	X(64, KEY_MISSING,         CLIENT,  NO,        "no key of ours opens this") \
	/* local to a process, never on the wire */ \
	X(70, NO_MEMORY,           HUB,     LATER,     "out of memory") \
	X(71, FILE_UNREADABLE,     CLIENT,  NO,        "a file cannot be read") \
	X(72, FILE_INVALID,        CLIENT,  NO,        "a file has mistakes") \
	X(73, TLS_FAILED,          CLIENT,  RECONNECT, "the TLS connection failed") \
	X(74, CONNECTION_LOST,     HUB,     RECONNECT, "the connection was lost") \
	X(75, HUB_UNREACHABLE,     HUB,     RECONNECT, "no address of the hub answers") \
	X(76, SPOOL_FULL,          CLIENT,  LATER,     "the spool holds as much as it may; nothing was accepted") \
	X(77, SPOOL_CORRUPT,       CLIENT,  NO,        "the spool cannot be read as one") \
	X(78, SPOOL_LOCKED,        CLIENT,  LATER,     "another program uses the spool") \
	X(79, SPOOL_FOREIGN,       CLIENT,  NO,        "the spool belongs to somebody else") \
	X(80, SPOOL_UNKNOWN,       CLIENT,  NO,        "no such message in this spool") \
	X(81, SPOOL_KEEPS,         CLIENT,  NO,        "this message cannot be dropped from the spool") \
	X(82, FILE_EXISTS,         CLIENT,  NO,        "a file is there already and is not overwritten")
/* clang-format on */

enum ieum_err {
#define X(number, name, fault, retry, text) IEUM_E_##name = (number),
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
	const char *text; /* English; shown through proto/catalog.h */
};

/* The row of a number; numbers without a row give that of INTERNAL.  Never NULL. */
const struct ieum_error_row *ieum_error(int number);

/* "client", "policy", "hub", "journal" or "none". */
const char *ieum_fault_name(enum ieum_fault fault);

#endif
