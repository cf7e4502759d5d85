/* The rules of form behind the codec; for proto/codec*.c and their tests alone.
 *
 * A *shape* is a message's descriptor, one rule for each of its fields, in the descriptor's
 * order (by field number), and a check of what concerns several fields.  The decoder walks
 * bytes, descriptor and shape together.  A message without a shape gets the default rules of
 * its fields' types.  The name in a rule is for the reader and for the test that holds the
 * tables to the descriptors. */
#ifndef IEUM_PROTO_CODEC_RULES_H
#define IEUM_PROTO_CODEC_RULES_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/codec.h"
#include "proto/error.h"

enum {
	CODEC_FIELDS_MAX = 64, /* of one message: the decoder marks them in 64 bits */
	CODEC_DEPTH_MAX = 8,   /* messages inside one another; the schema has fewer */
	/* What a hub may send in one list; the frame's limit is lower for wide rows. */
	CODEC_HUB_REPEATED_MAX = 4096,
	CODEC_HUB_TEXT_MAX_BYTES = 4096,
	/* Bounds of single fields, as their comments in the .proto files say. */
	CODEC_BYTES_MAX = 64, /* bytes fields where their rule says nothing else */
	CODEC_JURISDICTION_MAX_DIGITS = 10,
	CODEC_LANGUAGE_MAX_BYTES = 35, /* RFC 5646, 4.4.1: what a reader must at least allow */
	CODEC_MEDIA_TYPE_MAX_BYTES = 127,
	CODEC_SOFTWARE_MAX_BYTES = 64,
	CODEC_REFUSAL_MAX_BYTES = 200,
	CODEC_CURSOR_MAX_BYTES = 256,
	CODEC_PAGE_ROWS_MAX = 200,
	CODEC_SUBJECT_TOKEN_MIN_BYTES = 16,
	CODEC_ITEMS_MAX = 32, /* items asked for, given or consented to; consent's recipients */
	CODEC_MEASURES_MAX = 8,
	CODEC_MEASURE_NUMBER_MAX = 20,
	CODEC_GRADE_MAX_BYTES = 8,
	CODEC_DIGEST_BYTES = 32,   /* SHA-256 */
	CODEC_COUNT_MAX = 1000000, /* things that are counted: attempts, sessions, cases */
	CODEC_AGE_MAX_YEARS = 150,
	CODEC_PLACES_MAX = 100,
	CODEC_WEIGHT_MAX = 5,
	CODEC_TITLE_MAX_BYTES = 120, /* of an action or an item of an agenda */
	CODEC_STOPPED_MAX = 64,      /* messages of one stop-use order */
	CODEC_AGENDA_MAX = 200,
	CODEC_WEEKDAYS_MAX = 7,
	CODEC_DAY_MINUTES = 1440,
	CODEC_SEALED_PARTS_MAX = 16,
	CODEC_CERTIFICATE_MAX_BYTES = 4 * 1024,
	CODEC_KEY_CERTIFICATES_MAX = 8, /* of one key request */
	CODEC_RECIPIENT_INFO_MAX_BYTES = 2 * 1024,
	CODEC_WRAPPED_KEYS_MAX = CODEC_SEALED_PARTS_MAX * CODEC_KEY_CERTIFICATES_MAX,
	CODEC_ON_BEHALF_MAX_BYTES = 64,
};

/* The last moment of the year 9999, beyond which no calendar here goes. */
#define CODEC_TIME_MAX_MS INT64_C(253402300799999)
/* Ten years: longer is no deadline, and no hold. */
#define CODEC_DURATION_MAX_MS (INT64_C(3652) * 24 * 3600 * 1000)

/* What a text or some bytes must look like. */
enum codec_form {
	CODEC_FORM_ANY,
	CODEC_FORM_ID,         /* 16 bytes */
	CODEC_FORM_MESSAGE_ID, /* UUIDv7 */
	CODEC_FORM_TOKEN,      /* opaque, but no resident number written as text */
	CODEC_FORM_DIGITS,     /* of an administrative code */
	CODEC_FORM_LANGUAGE,   /* BCP 47: letters, digits, dashes */
	CODEC_FORM_MEDIA_TYPE, /* RFC 6838: type/subtype */
	CODEC_FORM_MONTH,      /* "2026-11" */
};

struct codec_shape;
struct codec_walk;

struct codec_rule {
	const char *name;
	enum codec_form form;
	uint32_t min, max;     /* bytes of each text, bytes or message that is there */
	uint32_t count_max;    /* of a repeated field */
	int64_t least, most;   /* of a number; not looked at when most is 0 */
	bool required;         /* there, and not its type's zero */
	enum ieum_err missing; /* the code when it is not; 0: FIELD_MISSING */
	unsigned senders;      /* of Frame: who may send this kind, 1 << enum codec_from */
	bool needs_request_id; /* of Frame, from a client */
	const struct codec_shape *shape; /* of a message; NULL: default rules */
};

struct codec_shape {
	const ProtobufCMessageDescriptor *descriptor;
	const struct codec_rule *rules;
	size_t n_rules;
	enum ieum_err (*check)(const struct codec_walk *w, const ProtobufCMessage *message);
	enum ieum_err unknown; /* what an unknown field means; 0: FIELD_UNKNOWN */
};

/* Rows of a rule table; further members may follow the arguments: ROW_ID("case_id",
 * .required = true). */
/* clang-format off */
#define ROW_ANY(n, ...) { .name = (n), __VA_ARGS__ } /* flags, enums, free numbers */
#define ROW_TEXT(n, bytes, ...) { .name = (n), .max = (bytes), __VA_ARGS__ }
#define ROW_NAME(n, ...) ROW_TEXT(n, CODEC_NAME_MAX_BYTES, __VA_ARGS__)
#define ROW_ID(n, ...) \
	ROW_TEXT(n, CODEC_ID_BYTES, .min = CODEC_ID_BYTES, .form = CODEC_FORM_ID, __VA_ARGS__)
#define ROW_MESSAGE_ID(n, ...) \
	ROW_TEXT(n, CODEC_BYTES_MAX, .form = CODEC_FORM_MESSAGE_ID, __VA_ARGS__)
#define ROW_NUMBER(n, least_, most_, ...) \
	{ .name = (n), .least = (least_), .most = (most_), __VA_ARGS__ }
#define ROW_TIME(n, ...) { .name = (n), .most = CODEC_TIME_MAX_MS, __VA_ARGS__ }
#define ROW_JURISDICTION(n, ...) \
	ROW_TEXT(n, CODEC_JURISDICTION_MAX_DIGITS, .form = CODEC_FORM_DIGITS, __VA_ARGS__)
#define ROW_LANGUAGE(n, ...) \
	ROW_TEXT(n, CODEC_LANGUAGE_MAX_BYTES, .form = CODEC_FORM_LANGUAGE, __VA_ARGS__)
#define ROW_SHAPE(n, s, ...) { .name = (n), .shape = &codec_##s##_shape, __VA_ARGS__ }
/* clang-format on */

#define CODEC_SHAPE(s, type, ...) \
	const struct codec_shape codec_##s##_shape = { \
		.descriptor = &ieum__v1__##type##__descriptor, \
		.rules = s##_rules, \
		.n_rules = sizeof s##_rules / sizeof s##_rules[0], \
		__VA_ARGS__ \
	}

/* Every body: its field in Referral (and the word of its message type), its message. */
#define CODEC_BODIES(X) \
	X(report_received, report_received) \
	X(mutual_notification, mutual_notification) \
	X(dispatch_request, dispatch_request) \
	X(dispatch_result, dispatch_result) \
	X(referral, support_referral) \
	X(emergency_measure_report, emergency_measure_report) \
	X(emergency_temporary_measure_notice, emergency_temporary_measure_notice) \
	X(temporary_measure_notice, temporary_measure_notice) \
	X(court_filing_notice, court_filing_notice) \
	X(conference_call, conference_call) \
	X(conference_minutes, conference_minutes) \
	X(information_request, information_request) \
	X(information_response, information_response) \
	X(answer, answer) \
	X(case_judgement, case_judgement) \
	X(protection_plan, protection_plan) \
	X(case_plan, case_plan) \
	X(capacity_hold, capacity_hold) \
	X(placement_notice, placement_notice) \
	X(medical_request, medical_request) \
	X(visit_request, visit_request) \
	X(contact_result, contact_result) \
	X(service_report, service_report) \
	X(monitoring_due, monitoring_due) \
	X(recurrence_alert, recurrence_alert) \
	X(consent_withdrawal, consent_withdrawal) \
	X(risk_signal, risk_signal) \
	X(checkin, checkin) \
	X(interpreter_request, interpreter_request) \
	X(jurisdiction_change, jurisdiction_change) \
	X(handover, handover) \
	X(handover_manifest, handover_manifest) \
	X(transfer, transfer) \
	X(reunification_request, reunification_request) \
	X(closure_request, closure_request) \
	X(closure_notice, closure_notice) \
	X(waitlist_entry, waitlist_entry) \
	X(deadline_notice, deadline_notice) \
	X(stop_use_order, stop_use_order) \
	X(agenda_item, agenda_item) \
	X(agenda, agenda) \
	X(linked_set_notice, linked_set_notice) \
	X(identity_request, identity_request) \
	X(identity_disclosure, identity_disclosure) \
	X(capacity_report, capacity_report) \
	X(place_offer, place_offer) \
	X(place_returned, place_returned) \
	X(key_request, key_request) \
	X(key_wrap, key_wrap) \
	X(certificate_notice, certificate_notice)

#define X(field, message) extern const struct codec_shape codec_##message##_shape;
CODEC_BODIES(X)
#undef X
extern const struct codec_shape codec_referral_shape;
extern const struct codec_shape codec_referral_asked_shape; /* in a reach query */
extern const struct codec_shape codec_frame_shape;

/* What concerns several fields of one message; codec_check.c. */
enum ieum_err codec_check_hello(const struct codec_walk *w, const ProtobufCMessage *message);
enum ieum_err codec_check_submit(const struct codec_walk *w, const ProtobufCMessage *message);
enum ieum_err codec_check_settle(const struct codec_walk *w, const ProtobufCMessage *message);
enum ieum_err codec_check_query(const struct codec_walk *w, const ProtobufCMessage *message);
enum ieum_err codec_check_whole(const struct codec_walk *w, const ProtobufCMessage *message);
enum ieum_err codec_check_envelope(const struct codec_walk *w, const ProtobufCMessage *message);
enum ieum_err codec_check_legal_basis(const struct codec_walk *w, const ProtobufCMessage *message);
enum ieum_err codec_check_addressee(const struct codec_walk *w, const ProtobufCMessage *message);
enum ieum_err codec_check_narrative(const struct codec_walk *w, const ProtobufCMessage *message);
enum ieum_err codec_check_narrative_asked(const struct codec_walk *w,
					  const ProtobufCMessage *message);
enum ieum_err codec_check_answer(const struct codec_walk *w, const ProtobufCMessage *message);
enum ieum_err codec_check_information_response(const struct codec_walk *w,
					       const ProtobufCMessage *message);

/* Between a check and the decoder: fills the problem in, with the path of the message and
 * then `field` (NULL: the message itself) before the text.  Returns code. */
enum ieum_err codec_refuse(const struct codec_walk *w, enum ieum_err code, const char *field,
			   const char *format, ...) IEUM_MUST_CHECK
	__attribute__((format(printf, 4, 5)));

/* Must resident numbers be looked for?  What a hub sends was looked at when it came in. */
bool codec_guards(const struct codec_walk *w);

/* codec_form.c: NULL when the bytes have the form, else what they should have been. */
const char *codec_form_problem(enum codec_form form, const uint8_t *bytes, size_t n);

#endif
