/* proto/codec: the rule tables agree with the schema, and each single mistake gets its own
 * code and names its own field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/codec.h"
#include "proto/codec_rules.h"
#include "proto/wire.h"
#include "tests/unit/codec_samples.h"

/* ---- tables and schema ---- */

static void check_tables(const struct codec_shape *shape, const ProtobufCMessageDescriptor *type,
			 unsigned depth)
{
	assert_in_range(depth, 1, CODEC_DEPTH_MAX);
	assert_in_range(type->n_fields, 0, CODEC_FIELDS_MAX);
	if (shape) {
		assert_ptr_equal(shape->descriptor, type);
		if (shape->n_rules != type->n_fields)
			fail_msg("%s: %zu rules for %u fields", type->name, shape->n_rules,
				 type->n_fields);
	}
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		const struct codec_rule *rule = shape ? &shape->rules[i] : NULL;

		if (rule && strcmp(rule->name, field->name) != 0)
			fail_msg("%s: rule %u is for %s, the field is %s", type->name, i,
				 rule->name, field->name);
		switch (field->type) { /* those that the decoder knows */
		case PROTOBUF_C_TYPE_BOOL:
		case PROTOBUF_C_TYPE_ENUM:
		case PROTOBUF_C_TYPE_UINT32:
		case PROTOBUF_C_TYPE_INT64:
		case PROTOBUF_C_TYPE_UINT64:
		case PROTOBUF_C_TYPE_STRING:
		case PROTOBUF_C_TYPE_BYTES: break;
		case PROTOBUF_C_TYPE_MESSAGE:
			check_tables(rule ? rule->shape : NULL, field->descriptor, depth + 1);
			break;
		default:
			fail_msg("%s.%s has a type the decoder doesn't know", type->name,
				 field->name);
		}
	}
}

static void every_field_has_its_rule(void **state)
{
	(void)state;
	check_tables(&codec_frame_shape, &ieum__v1__frame__descriptor, 1);
}

static void a_type_and_its_body_differ_by_a_hundred(void **state)
{
	const ProtobufCEnumDescriptor *types = &ieum__v1__message_type__descriptor;
	unsigned bodies = 0;

	(void)state;
	for (unsigned i = 0; i < types->n_values; i++) {
		const char *word = types->values[i].name + strlen("MESSAGE_TYPE_");
		const ProtobufCFieldDescriptor *body = protobuf_c_message_descriptor_get_field(
			&ieum__v1__referral__descriptor, (unsigned)types->values[i].value + 100);

		if (types->values[i].value == 0)
			continue;
		if (!body || strcasecmp(body->name, word) != 0)
			fail_msg("type %s has the body %s", word, body ? body->name : "none");
		bodies++;
	}
	assert_int_equal(bodies + 2, ieum__v1__referral__descriptor.n_fields);
}

/* ---- mistakes in a struct ---- */

static enum ieum_err decode(struct samples *s, ProtobufCBinaryData bytes, enum codec_from from,
			    struct codec_problem *problem)
{
	struct codec_frame got;

	memset(problem, 0xEE, sizeof *problem);
	return codec_decode(bytes.data, bytes.len, from, &s->arena, &got, problem);
}

static void expect(enum ieum_err err, const struct codec_problem *problem, enum ieum_err wanted,
		   const char *detail)
{
	if (err != wanted)
		fail_msg("%s instead of %s (%s): %s", ieum_error((int)err)->name,
			 ieum_error((int)wanted)->name, detail, err ? problem->detail : "");
	if (err == IEUM_E_OK)
		return;
	assert_int_equal(problem->code, err);
	assert_string_equal(problem->detail, detail);
}

#define PART        (r->narrative[0])
#define ENVELOPE    (r->envelope)
#define BASIS       (r->envelope->legal_basis)
#define TEXT(text)  samples_text(s, text)
#define BYTES(text) samples_bytes(s, text, sizeof(text) - 1)

static char *letters(struct samples *s, size_t n)
{
	char *text = arena_zalloc(&s->arena, n + 1);

	assert_non_null(text);
	return memset(text, 'x', n);
}

static void give_consent(struct samples *s, Ieum__V1__Referral *r)
{
	static char *anyone[] = { (char *)"any" };
	Ieum__V1__Consent *consent = arena_alloc(&s->arena, sizeof *consent);

	ieum__v1__consent__init(consent);
	consent->recipients = consent->items = anyone;
	consent->n_recipients = consent->n_items = 1;
	consent->purpose = TEXT("support");
	BASIS->kind = IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT;
	BASIS->article = (char *)"";
	BASIS->consent = consent;
}

static Ieum__V1__Addressee *address(struct samples *s, Ieum__V1__Referral *r)
{
	Ieum__V1__Addressee **list = arena_alloc(&s->arena, sizeof(Ieum__V1__Addressee *));

	list[0] = arena_alloc(&s->arena, sizeof **list);
	ieum__v1__addressee__init(list[0]);
	ENVELOPE->addressees = list;
	ENVELOPE->n_addressees = 1;
	return list[0];
}

static Ieum__V1__Answer *answer(struct samples *s, Ieum__V1__Referral *r, Ieum__V1__AnswerKind kind)
{
	Ieum__V1__Answer *body = arena_alloc(&s->arena, sizeof *body);

	ieum__v1__answer__init(body);
	body->kind = kind;
	r->body_case = IEUM__V1__REFERRAL__BODY_ANSWER;
	r->answer = body;
	ENVELOPE->type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER;
	ENVELOPE->open_case = false;
	ENVELOPE->in_reply_to = samples_id(s);
	return body;
}

static void add_ref(struct samples *s, Ieum__V1__Referral *r, const char *system,
		    const char *number)
{
	Ieum__V1__ExternalRef **list = arena_alloc(&s->arena, sizeof(Ieum__V1__ExternalRef *));

	list[0] = arena_alloc(&s->arena, sizeof **list);
	ieum__v1__external_ref__init(list[0]);
	list[0]->system = TEXT(system);
	list[0]->number = TEXT(number);
	ENVELOPE->external_refs = list;
	ENVELOPE->n_external_refs = 1;
}

static void *body(struct samples *s, Ieum__V1__Referral *r, unsigned type)
{
	const ProtobufCMessageDescriptor *descriptor =
		codec_referral_shape.rules[type + 1].shape->descriptor;
	ProtobufCMessage *message = arena_alloc(&s->arena, descriptor->sizeof_message);

	descriptor->message_init(message);
	r->body_case = (Ieum__V1__Referral__BodyCase)(100 + type);
	ENVELOPE->type = (Ieum__V1__MessageType)type;
	r->report_received = (Ieum__V1__ReportReceived *)message;
	return message;
}

#define BODY(type_, Type) \
	((Ieum__V1__##Type *)body(s, r, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_##type_))
static void seal(struct samples *s, Ieum__V1__Referral *r)
{
	PART->content_case = IEUM__V1__NARRATIVE_PART__CONTENT_SEALED;
	PART->sealed = samples_sealed(s);
	PART->number = 1;
}

/* A second part as the first. */
static void part_twice(struct samples *s, Ieum__V1__Referral *r)
{
	Ieum__V1__NarrativePart **parts = arena_alloc(&s->arena, 2 * sizeof *r->narrative);

	parts[0] = PART;
	parts[1] = arena_copy(&s->arena, PART, sizeof *PART);
	r->narrative = parts;
	r->n_narrative = 2;
}

static ProtobufCBinaryData long_bytes(struct samples *s, size_t n)
{
	return samples_bytes(s, letters(s, n), n);
}

static void key_wrap(struct samples *s, Ieum__V1__Referral *r)
{
	Ieum__V1__KeyWrap *wrap = BODY(KEY_WRAP, KeyWrap);
	Ieum__V1__WrappedKey *key = arena_alloc(&s->arena, sizeof *key);

	ieum__v1__wrapped_key__init(key);
	key->part = 1;
	key->recipient_info = BYTES("info");
	wrap->message_id = samples_id(s);
	wrap->participant = TEXT("ps");
	wrap->keys = arena_copy(&s->arena, &key, sizeof(Ieum__V1__WrappedKey *));
	wrap->n_keys = 1;
	r->n_narrative = 0;
}

#define KIND(k) IEUM__V1__ANSWER_KIND__ANSWER_KIND_##k
#define AT      "submit.referral"

/* X(name, what is done to a correct report, code, detail) */
#define MISTAKES(X) \
	X(none, (void)r, OK, "") \
	X(no_envelope, r->envelope = NULL, FIELD_MISSING, AT ".envelope: is required") \
	X(no_message_id, ENVELOPE->message_id.len = 0, FIELD_MISSING, \
	  AT ".envelope.message_id: is required") \
	X(short_message_id, ENVELOPE->message_id.len = 15, ID_INVALID, \
	  AT ".envelope.message_id: is not a UUIDv7") \
	X(uuid4, ENVELOPE->message_id.data[6] = 0x40, ID_INVALID, \
	  AT ".envelope.message_id: is not a UUIDv7") \
	X(no_type, ENVELOPE->type = 0, FIELD_MISSING, AT ".envelope.type: is required") \
	X(type_beyond, ENVELOPE->type = 51, FIELD_INVALID, \
	  AT ".envelope.type: 51 is not a value of MessageType") \
	X(urgency_beyond, ENVELOPE->urgency = 9, FIELD_INVALID, \
	  AT ".envelope.urgency: 9 is not a value of Urgency") \
	X(urgency_negative, ENVELOPE->urgency = -1, FIELD_INVALID, \
	  AT ".envelope.urgency: -1 is not a value of Urgency") \
	X(urgency_unset, ENVELOPE->urgency = 0, OK, "") \
	X(case_id_of_15, \
	  (ENVELOPE->open_case = false, ENVELOPE->case_id = BYTES("123456789012345")), \
	  FIELD_INVALID, AT ".envelope.case_id: is 15 bytes long, not 16") \
	X(both_cases, ENVELOPE->case_id = samples_id(s), FIELD_INVALID, \
	  AT ".envelope.open_case: excludes case_id") \
	X(no_case_at_all, ENVELOPE->open_case = false, OK, "") \
	X(no_category, ENVELOPE->category = 0, FIELD_MISSING, \
	  AT ".envelope.category: is required when a case is opened") \
	X(jurisdiction, ENVELOPE->jurisdiction = TEXT("4157O"), FIELD_INVALID, \
	  AT ".envelope.jurisdiction: is not an administrative code of digits") \
	X(long_jurisdiction, ENVELOPE->jurisdiction = TEXT("12345678901"), FIELD_TOO_LARGE, \
	  AT ".envelope.jurisdiction: 11 bytes, allowed are 10") \
	X(occurred_negative, ENVELOPE->occurred_at_ms = -5, FIELD_INVALID, \
	  AT ".envelope.occurred_at_ms: -5 is not within 0 and 253402300799999") \
	X(no_basis, BASIS = NULL, OK, "") \
	X(basis_unset, BASIS->kind = 0, LEGAL_BASIS_MISSING, \
	  AT ".envelope.legal_basis.kind: is required") \
	X(no_article, BASIS->article = TEXT(""), LEGAL_BASIS_MISSING, \
	  AT ".envelope.legal_basis.article: a statutory basis names its article") \
	X(no_consent, BASIS->kind = IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT, LEGAL_BASIS_MISSING, \
	  AT ".envelope.legal_basis.consent: is required with this basis") \
	X(consent, give_consent(s, r), OK, "") \
	X(consent_to_nobody, (give_consent(s, r), BASIS->consent->n_recipients = 0), \
	  LEGAL_BASIS_MISSING, \
	  AT ".envelope.legal_basis.consent.recipients: consent says who may receive") \
	X(consent_for_nothing, (give_consent(s, r), BASIS->consent->purpose = TEXT("")), \
	  LEGAL_BASIS_MISSING, \
	  AT ".envelope.legal_basis.consent.purpose: consent says for what purpose") \
	X(consent_without_items, (give_consent(s, r), BASIS->consent->n_items = 0), \
	  LEGAL_BASIS_MISSING, AT ".envelope.legal_basis.consent.items: consent says which items") \
	X(short_token, ENVELOPE->subject_tokens[0].len = 15, FIELD_INVALID, \
	  AT ".envelope.subject_tokens[0]: 15 bytes, needed are 16") \
	X(empty_token, ENVELOPE->subject_tokens[0].len = 0, FIELD_MISSING, \
	  AT ".envelope.subject_tokens[0]: is empty") \
	X(long_token, ENVELOPE->subject_tokens[0] = samples_bytes(s, letters(s, 65), 65), \
	  FIELD_TOO_LARGE, AT ".envelope.subject_tokens[0]: 65 bytes, allowed are 64") \
	X(number_as_token, ENVELOPE->subject_tokens[0] = BYTES("900101-1234567 kim"), \
	  RESIDENT_NUMBER, \
	  AT ".envelope.subject_tokens[0]: looks like a resident registration number") \
	X(number_as_ref, add_ref(s, r, "welfare", "9001011234567"), RESIDENT_NUMBER, \
	  AT ".envelope.external_refs[0].number: looks like a resident registration number") \
	X(ref, add_ref(s, r, "112", "2026-0117-00321"), OK, "") \
	X(ref_without_number, add_ref(s, r, "112", ""), FIELD_MISSING, \
	  AT ".envelope.external_refs[0].number: is required") \
	X(addressee_unset, address(s, r), FIELD_MISSING, \
	  AT ".envelope.addressees[0]: names nobody") \
	X(addressee_empty, (address(s, r)->to_case = 2, ENVELOPE->addressees[0]->body = TEXT("")), \
	  FIELD_MISSING, AT ".envelope.addressees[0]: names nobody") \
	X(addressee_long, \
	  (address(s, r)->to_case = 1, ENVELOPE->addressees[0]->participant = letters(s, 65)), \
	  FIELD_TOO_LARGE, AT ".envelope.addressees[0].participant: 65 bytes, allowed are 64") \
	X(answer_within, ENVELOPE->answer_within_ms = -1, FIELD_INVALID, \
	  AT ".envelope.answer_within_ms: -1 is not within 0 and 315532800000") \
	X(reply_to_itself, ENVELOPE->in_reply_to = ENVELOPE->message_id, FIELD_INVALID, \
	  AT ".envelope.in_reply_to: is the message itself") \
	X(supersedes_itself, ENVELOPE->supersedes = ENVELOPE->message_id, FIELD_INVALID, \
	  AT ".envelope.supersedes: is the message itself") \
	X(bad_text, ENVELOPE->legal_basis->article = TEXT("a\xC3("), TEXT_INVALID, \
	  AT ".envelope.legal_basis.article: is not valid UTF-8, or holds a NUL") \
	X(no_body, r->body_case = 0, FIELD_MISSING, \
	  AT ".report_received: is the body that the type needs") \
	X(other_body, (BODY(CHECKIN, Checkin), ENVELOPE->type = 1), FIELD_INVALID, \
	  AT ".checkin: is not the body of a report_received") \
	X(no_media_type, PART->media_type = TEXT(""), FIELD_MISSING, \
	  AT ".narrative[0].media_type: is required") \
	X(media_type, PART->media_type = TEXT("text"), FIELD_INVALID, \
	  AT ".narrative[0].media_type: is not a media type") \
	X(language, PART->language = TEXT("ko_KR"), FIELD_INVALID, \
	  AT ".narrative[0].language: is not a language tag (BCP 47)") \
	X(no_content, PART->content_case = 0, FIELD_MISSING, \
	  AT ".narrative[0]: has no content, neither clear nor sealed") \
	X(reporter_in_clear, \
	  PART->subject = IEUM__V1__NARRATIVE_SUBJECT__NARRATIVE_SUBJECT_REPORTER_IDENTITY, \
	  SEALED_ONLY, AT ".narrative[0].clear: this subject is accepted sealed only") \
	X(shelter_in_clear, \
	  PART->subject = IEUM__V1__NARRATIVE_SUBJECT__NARRATIVE_SUBJECT_SHELTER_LOCATION, \
	  SEALED_ONLY, AT ".narrative[0].clear: this subject is accepted sealed only") \
	X(reporter_sealed, (seal(s, r), PART->subject = 1), OK, "") \
	X(sealed_without_number, (seal(s, r), PART->number = 0), FIELD_MISSING, \
	  AT ".narrative[0].number: names a sealed part, 1 to 16") \
	X(sealed_number_beyond, (seal(s, r), PART->number = 17), FIELD_INVALID, \
	  AT ".narrative[0].number: 17 is not within 0 and 16") \
	X(sealed_number_16, (seal(s, r), PART->number = 16), OK, "") \
	X(sealed_numbers_alike, (seal(s, r), part_twice(s, r)), FIELD_INVALID, \
	  AT ".narrative: two sealed parts have the number 1") \
	X(sealed_numbers_apart, (seal(s, r), part_twice(s, r), r->narrative[1]->number = 2), OK, \
	  "") \
	X(sealed_garbage, (seal(s, r), PART->sealed = BYTES("0\202\001sealed")), NOT_SEALED, \
	  AT ".narrative[0].sealed: is not CMS AuthEnvelopedData with AES-256-GCM in DER") \
	X(sealed_empty, (seal(s, r), PART->sealed.len = 0), NOT_SEALED, \
	  AT ".narrative[0].sealed: is not CMS AuthEnvelopedData with AES-256-GCM in DER") \
	X(key_request_by_agency, \
	  (BODY(KEY_REQUEST, KeyRequest)->message_id = samples_id(s), \
	   r->key_request->participant = TEXT("ps")), \
	  NOT_PERMITTED, AT ": only the hub makes a key_request") \
	X(certificate_notice_by_agency, (void)BODY(CERTIFICATE_NOTICE, CertificateNotice), \
	  NOT_PERMITTED, AT ": only the hub makes a certificate_notice") \
	X(key_wrap, key_wrap(s, r), OK, "") \
	X(key_wrap_narrative, (key_wrap(s, r), r->n_narrative = 1), FIELD_INVALID, \
	  AT ".narrative: a key_wrap carries none") \
	X(key_wrap_of_none, (key_wrap(s, r), r->key_wrap->message_id.len = 0), FIELD_MISSING, \
	  AT ".key_wrap.message_id: is required") \
	X(key_wrap_long, \
	  (key_wrap(s, r), r->key_wrap->keys[0]->recipient_info = long_bytes(s, 2049)), \
	  FIELD_TOO_LARGE, AT ".key_wrap.keys[0].recipient_info: 2049 bytes, allowed are 2048") \
	X(key_wrap_part_0, (key_wrap(s, r), r->key_wrap->keys[0]->part = 0), FIELD_MISSING, \
	  AT ".key_wrap.keys[0].part: is required") \
	X(number_in_text, PART->clear = BYTES("call 020202-3456789 now"), RESIDENT_NUMBER, \
	  AT ".narrative[0].clear: holds what looks like a resident registration number") \
	X(number_in_image, \
	  (PART->clear = BYTES("020202-3456789"), PART->media_type = TEXT("image/png")), OK, "") \
	X(number_on_clear, PART->number = 3, OK, "") \
	X(latin1_text, PART->clear = BYTES("caf\xE9"), TEXT_INVALID, \
	  AT ".narrative[0].clear: is not valid UTF-8, or holds a NUL") \
	X(utf16_text, PART->clear = BYTES("a\0b"), TEXT_INVALID, \
	  AT ".narrative[0].clear: is not valid UTF-8, or holds a NUL") \
	X(answer, answer(s, r, KIND(RECEIVED)), OK, "") \
	X(answer_to_nothing, (answer(s, r, KIND(ACCEPT)), ENVELOPE->in_reply_to.len = 0), \
	  FIELD_MISSING, AT ".envelope.in_reply_to: an answer names the message it replies to") \
	X(answer_of_no_kind, answer(s, r, 0), FIELD_MISSING, AT ".answer.kind: is required") \
	X(reject, answer(s, r, KIND(REJECT)), REASON_MISSING, \
	  AT ".answer.reason: is required with reject, fail and on_hold") \
	X(fail, answer(s, r, KIND(FAIL)), REASON_MISSING, \
	  AT ".answer.reason: is required with reject, fail and on_hold") \
	X(on_hold, answer(s, r, KIND(ON_HOLD)), REASON_MISSING, \
	  AT ".answer.reason: is required with reject, fail and on_hold") \
	X(reject_with_reason, answer(s, r, KIND(REJECT))->reason = 1, OK, "") \
	X(more_time, answer(s, r, KIND(NEED_MORE_TIME)), FIELD_MISSING, \
	  AT ".answer.more_time_until_at_ms: is required with need_more_time") \
	X(remark, answer(s, r, KIND(ACCEPT))->remark = letters(s, 501), FIELD_TOO_LARGE, \
	  AT ".answer.remark: 501 bytes, allowed are 500") \
	X(number_in_remark, answer(s, r, KIND(ACCEPT))->remark = TEXT("9001011234567"), \
	  RESIDENT_NUMBER, AT ".answer.remark: looks like a resident registration number") \
	X(nothing_said, BODY(INFORMATION_RESPONSE, InformationResponse), FIELD_MISSING, \
	  AT ".information_response.holding: is required") \
	X(refused, \
	  BODY(INFORMATION_RESPONSE, InformationResponse)->holding = \
		  IEUM__V1__HOLDING__HOLDING_REFUSED, \
	  REASON_MISSING, AT ".information_response.reason: is required when it is refused") \
	X(no_purpose, BODY(INFORMATION_REQUEST, InformationRequest), FIELD_MISSING, \
	  AT ".information_request.purpose: is required") \
	X(closure, BODY(CLOSURE_REQUEST, ClosureRequest), REASON_MISSING, \
	  AT ".closure_request.reason: is required") \
	X(no_domain, BODY(REFERRAL, SupportReferral), FIELD_MISSING, \
	  AT ".referral.domain: is required") \
	X(closure_notice, (BODY(CLOSURE_NOTICE, ClosureNotice), r->n_narrative = 0), \
	  NOT_PERMITTED, AT ": only the hub makes a closure_notice") \
	X(closure_narrative, BODY(CLOSURE_NOTICE, ClosureNotice), FIELD_INVALID, \
	  AT ".narrative: a closure_notice carries none") \
	X(measure, BODY(EMERGENCY_MEASURE_REPORT, EmergencyMeasureReport)->measure = 5, \
	  FIELD_INVALID, AT ".emergency_measure_report.measure: 5 is not within 1 and 4") \
	X(month, BODY(RISK_SIGNAL, RiskSignal)->month = TEXT("2026-13"), FIELD_INVALID, \
	  AT ".risk_signal.month: is not a month (2026-11)") \
	X(weight, BODY(RISK_SIGNAL, RiskSignal)->weight = 6, FIELD_INVALID, \
	  AT ".risk_signal.weight: 6 is not within 1 and 5") \
	X(digest, BODY(HANDOVER_MANIFEST, HandoverManifest)->digest = BYTES("short"), \
	  FIELD_INVALID, AT ".handover_manifest.digest: is 5 bytes long, not 32") \
	X(report_id, \
	  BODY(MUTUAL_NOTIFICATION, MutualNotification)->report_id = BYTES("12345678901234567"), \
	  FIELD_INVALID, AT ".mutual_notification.report_id: is 17 bytes long, not 16")

/* clang-format off */
#define X(name, doing, code, detail) \
	static void make_##name(struct samples *s, Ieum__V1__Referral *r) { (void)s; (void)(doing); }
MISTAKES(X)
#undef X

static const struct mistake {
	void (*make)(struct samples *s, Ieum__V1__Referral *r);
	enum ieum_err code;
	const char *detail;
} mistakes[] = {
#define X(name, doing, code, detail) { make_##name, IEUM_E_##code, detail },
	MISTAKES(X)
#undef X
};
/* clang-format on */

static void each_single_mistake_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		struct samples s;
		struct codec_problem problem;

		samples_init(&s, i);
		Ieum__V1__Referral *r = samples_report(&s, 40);
		mistakes[i].make(&s, r);
		ProtobufCBinaryData bytes = samples_packed(&s, &samples_submit(&s, r)->base);
		enum ieum_err err = decode(&s, bytes, CODEC_FROM_CLIENT, &problem);
		expect(err, &problem, mistakes[i].code, mistakes[i].detail);
		if (err) {
			assert_int_equal(problem.request_id, 7);
			assert_int_equal(problem.has_message_id,
					 r->envelope && r->envelope->message_id.len == 16);
		}
		/* A file's referral meets the same rules, and its path begins at the referral. */
		err = codec_check_referral(r, &problem);
		if (mistakes[i].code != IEUM_E_NOT_PERMITTED)
			expect(err, &problem, mistakes[i].code,
			       mistakes[i].detail + (err ? strlen("submit.") : 0));
		samples_release(&s);
	}
}

static void what_a_hub_sends_is_not_searched_again(void **state)
{
	struct samples s;
	struct codec_problem problem;

	(void)state;
	samples_init(&s, 1);
	Ieum__V1__Frame *frame = samples_frame(&s, IEUM__V1__FRAME__WHAT_DELIVERY);
	frame->delivery->referral = samples_report(&s, 40);
	frame->delivery->referral->narrative[0]->clear = samples_bytes(&s, "020202-3456789", 14);
	assert_int_equal(decode(&s, samples_packed(&s, &frame->base), CODEC_FROM_HUB, &problem),
			 IEUM_E_OK);
	samples_release(&s);
}

static void the_message_id_of_a_refused_submit_is_told(void **state)
{
	struct samples s;
	struct codec_problem problem;

	(void)state;
	samples_init(&s, 1);
	Ieum__V1__Referral *r = samples_report(&s, 0);
	r->envelope->urgency = 9;
	assert_int_equal(decode(&s, samples_packed(&s, &samples_submit(&s, r)->base),
				CODEC_FROM_CLIENT, &problem),
			 IEUM_E_FIELD_INVALID);
	assert_true(problem.has_message_id);
	assert_memory_equal(problem.message_id, r->envelope->message_id.data, CODEC_ID_BYTES);
	samples_release(&s);
}

static void counts_end_where_they_say(void **state)
{
	struct samples s;
	struct codec_problem problem;
	uint64_t done[CODEC_SETTLE_MAX + 1];

	(void)state;
	samples_init(&s, 1);
	Ieum__V1__Referral *r = samples_report(&s, 0);
	char *excluded[17];
	for (size_t i = 0; i < 17; i++)
		excluded[i] = samples_text(&s, "someone");
	r->envelope->excluded_participants = excluded;
	r->envelope->n_excluded_participants = 16;
	ProtobufCBinaryData bytes = samples_packed(&s, &samples_submit(&s, r)->base);
	assert_int_equal(decode(&s, bytes, CODEC_FROM_CLIENT, &problem), IEUM_E_OK);
	r->envelope->n_excluded_participants = 17;
	bytes = samples_packed(&s, &samples_submit(&s, r)->base);
	expect(decode(&s, bytes, CODEC_FROM_CLIENT, &problem), &problem, IEUM_E_FIELD_TOO_LARGE,
	       "submit.referral.envelope.excluded_participants[16]: more than 16 entries");

	Ieum__V1__Frame *frame = samples_frame(&s, IEUM__V1__FRAME__WHAT_SETTLE);
	frame->settle->n_release = frame->settle->n_refuse = 0;
	for (size_t i = 0; i <= CODEC_SETTLE_MAX; i++)
		done[i] = i + 1;
	frame->settle->done = done;
	frame->settle->n_done = CODEC_SETTLE_MAX;
	assert_int_equal(decode(&s, samples_packed(&s, &frame->base), CODEC_FROM_CLIENT, &problem),
			 IEUM_E_OK);
	frame->settle->n_done++;
	expect(decode(&s, samples_packed(&s, &frame->base), CODEC_FROM_CLIENT, &problem), &problem,
	       IEUM_E_FIELD_TOO_LARGE, "settle.done[0]: more than 4096 entries");
	frame->settle->n_done--;
	frame->settle->n_release = 1;
	frame->settle->release = done;
	expect(decode(&s, samples_packed(&s, &frame->base), CODEC_FROM_CLIENT, &problem), &problem,
	       IEUM_E_FIELD_TOO_LARGE, "settle: more than 4096 deliveries");
	samples_release(&s);
}

static void a_payload_ends_where_it_says(void **state)
{
	struct samples s;
	struct codec_problem problem;

	(void)state;
	samples_init(&s, 1);
	Ieum__V1__Referral *r = samples_report(&s, CODEC_PAYLOAD_MAX_BYTES);
	size_t over = samples_packed(&s, &r->base).len - CODEC_PAYLOAD_MAX_BYTES;
	r->narrative[0]->clear.len -= over;
	assert_int_equal(samples_packed(&s, &r->base).len, CODEC_PAYLOAD_MAX_BYTES);
	ProtobufCBinaryData bytes = samples_packed(&s, &samples_submit(&s, r)->base);
	assert_int_equal(decode(&s, bytes, CODEC_FROM_CLIENT, &problem), IEUM_E_OK);
	assert_int_equal(codec_check_referral(r, &problem), IEUM_E_OK);
	r->narrative[0]->clear.len++;
	bytes = samples_packed(&s, &samples_submit(&s, r)->base);
	expect(decode(&s, bytes, CODEC_FROM_CLIENT, &problem), &problem, IEUM_E_FIELD_TOO_LARGE,
	       "submit.referral: 786433 bytes, allowed are 786432");
	expect(codec_check_referral(r, &problem), &problem, IEUM_E_FIELD_TOO_LARGE,
	       "referral: 786433 bytes, allowed are 786432");
	samples_release(&s);
}

/* ---- mistakes on the wire ---- */

/* A submit whose envelope and referral end in these bytes too. */
static ProtobufCBinaryData submit_with(struct samples *s, const char *in_envelope,
				       size_t n_envelope, const char *in_referral,
				       size_t n_referral)
{
	Ieum__V1__Referral *r = samples_report(s, 0);
	ProtobufCBinaryData envelope = samples_packed(s, &r->envelope->base);
	uint8_t *bytes = arena_zalloc(&s->arena, envelope.len + n_envelope + n_referral + 100);
	uint8_t *at = wire_put_head(bytes, 1, envelope.len + n_envelope);
	struct buf frame;

	memcpy(at, envelope.data, envelope.len);
	memcpy(at += envelope.len, in_envelope, n_envelope);
	at = wire_put_head(at + n_envelope, 101, 0);
	memcpy(at, in_referral, n_referral);
	at += n_referral;
	buf_init(&frame, 4096);
	assert_int_equal(codec_put_submit(&frame, 7, bytes, (size_t)(at - bytes)), IEUM_E_OK);
	/* Its header is one or two bytes. */
	size_t header = buf_bytes(&frame)[0] & 0x80 ? 2 : 1;
	ProtobufCBinaryData data =
		samples_bytes(s, buf_bytes(&frame) + header, buf_len(&frame) - header);
	buf_release(&frame);
	return data;
}

static const struct raw_mistake {
	const char *envelope, *referral;
	size_t n_envelope, n_referral;
	enum ieum_err code;
	const char *detail;
} raw_mistakes[] = {
#define IN_ENVELOPE(bytes) .envelope = (bytes), .n_envelope = sizeof(bytes) - 1, .referral = ""
#define IN_REFERRAL(bytes) .referral = (bytes), .n_referral = sizeof(bytes) - 1, .envelope = ""
	{ IN_ENVELOPE(""), .code = IEUM_E_OK },
	{ IN_ENVELOPE("\xB8\x01\x05"), .code = IEUM_E_FIELD_UNKNOWN,
	  .detail = AT ".envelope: has no field 23" },
	{ IN_ENVELOPE("\xB9\x01\x05\0\0\0\0\0\0\0"), .code = IEUM_E_FIELD_UNKNOWN,
	  .detail = AT ".envelope: has no field 23" },
	{ IN_REFERRAL("\x82\x0A\x00"), .code = IEUM_E_FIELD_UNKNOWN,
	  .detail = AT ": has no field 160" },
	{ IN_REFERRAL("\xB2\x06\x00"), .code = IEUM_E_FIELD_INVALID,
	  .detail = AT ".mutual_notification: excludes another field that is there too" },
	{ IN_REFERRAL("\xAA\x06\x00"), .code = IEUM_E_FIELD_INVALID,
	  .detail = AT ".report_received: is there twice" },
	{ IN_REFERRAL("\x0A\x00"), .code = IEUM_E_FIELD_INVALID,
	  .detail = AT ".envelope: is there twice" },
	{ IN_ENVELOPE("\x40\x01"), .code = IEUM_E_FIELD_INVALID,
	  .detail = AT ".envelope.urgency: is there twice" },
	{ IN_ENVELOPE("\x42\x01\x01"), .code = IEUM_E_FRAME_MALFORMED,
	  .detail = AT ".envelope.urgency: is not encoded as its type" },
	{ IN_ENVELOPE("\x70\x80"), .code = IEUM_E_FRAME_MALFORMED,
	  .detail = AT ".envelope: is cut off or not protobuf" },
	{ IN_ENVELOPE("\x03"), .code = IEUM_E_FRAME_MALFORMED,
	  .detail = AT ".envelope: is cut off or not protobuf" },
	{ IN_ENVELOPE("\x8A\x01\x7F"), .code = IEUM_E_FRAME_MALFORMED,
	  .detail = AT ".envelope: is cut off or not protobuf" },
	{ IN_ENVELOPE("\x8A\x01\x04x\0yz"), .code = IEUM_E_TEXT_INVALID,
	  .detail = AT ".envelope.excluded_participants[0]: is not valid UTF-8, or holds a NUL" },
	{ IN_ENVELOPE("\x8A\x01\x00"), .code = IEUM_E_FIELD_MISSING,
	  .detail = AT ".envelope.excluded_participants[0]: is empty" },
	{ IN_ENVELOPE("\x70\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"),
	  .code = IEUM_E_FRAME_MALFORMED, .detail = AT ".envelope: is cut off or not protobuf" },
};

static void each_mistake_on_the_wire_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof raw_mistakes / sizeof raw_mistakes[0]; i++) {
		const struct raw_mistake *m = &raw_mistakes[i];
		struct samples s;
		struct codec_problem problem;

		samples_init(&s, i);
		ProtobufCBinaryData bytes =
			submit_with(&s, m->envelope, m->n_envelope, m->referral, m->n_referral);
		expect(decode(&s, bytes, CODEC_FROM_CLIENT, &problem), &problem, m->code,
		       m->detail);
		samples_release(&s);
	}
}

static const struct raw_frame {
	const char *bytes;
	size_t n;
	enum codec_from from;
	enum ieum_err code;
	const char *detail;
	uint64_t request_id;
} raw_frames[] = {
#define RAW(b) .bytes = (b), .n = sizeof(b) - 1
	{ RAW(""), CODEC_FROM_CLIENT, IEUM_E_FIELD_MISSING, "frame: holds nothing", 0 },
	{ RAW("\x08\x05"), CODEC_FROM_CLIENT, IEUM_E_FIELD_MISSING, "frame: holds nothing", 5 },
	{ RAW("\x08\x05\xA2\x01\x00"), CODEC_FROM_CLIENT, IEUM_E_FRAME_UNKNOWN,
	  "frame: has no field 20", 5 },
	{ RAW("\x08\x05\x52\x02\x7A\x00"), CODEC_FROM_CLIENT, IEUM_E_FRAME_UNKNOWN,
	  "query: has no field 15", 5 },
	{ RAW("\x08\x05\x52\x00"), CODEC_FROM_CLIENT, IEUM_E_FIELD_MISSING, "query: asks nothing",
	  5 },
	{ RAW("\x08\x05\x52\x05\x10\xC9\x01\x42\x00"), CODEC_FROM_CLIENT, IEUM_E_FIELD_INVALID,
	  "query.page_rows: 201 is not within 0 and 200", 5 },
	{ RAW("\x08\x05\x52\x02\x22\x00"), CODEC_FROM_CLIENT, IEUM_E_FIELD_MISSING,
	  "query.case.case_id: is required", 5 },
	{ RAW("\x08\x05\x1A\x00"), CODEC_FROM_CLIENT, IEUM_E_FRAME_UNEXPECTED,
	  "welcome: is not for this side to send", 5 },
	{ RAW("\x08\x05\x6A\x00"), CODEC_FROM_CLIENT, IEUM_E_FRAME_UNEXPECTED,
	  "pong: is not for this side to send", 5 },
	{ RAW("\x08\x05\x22\x00"), CODEC_FROM_HUB, IEUM_E_FRAME_UNEXPECTED,
	  "submit: is not for this side to send", 5 },
	{ RAW("\x62\x00"), CODEC_FROM_CLIENT, IEUM_E_FIELD_MISSING,
	  "request_id: is required with ping", 0 },
	{ RAW("\x62\x00\x08\x09"), CODEC_FROM_CLIENT, IEUM_E_OK, "", 9 },
	{ RAW("\x8A\x01\x00"), CODEC_FROM_CLIENT, IEUM_E_OK, "", 0 },
	{ RAW("\x8A\x01\x00"), CODEC_FROM_HUB, IEUM_E_OK, "", 0 },
	{ RAW("\x08\x05\x22\x00"), CODEC_FROM_CLIENT, IEUM_E_FIELD_MISSING,
	  "submit.referral: is required", 5 },
	{ RAW("\x08\x05\x12\x04\x08\x02\x10\x01"), CODEC_FROM_CLIENT, IEUM_E_FIELD_INVALID,
	  "hello.version_min: is above version_max", 5 },
	{ RAW("\x08\x05\x12\x02\x10\x01"), CODEC_FROM_CLIENT, IEUM_E_FIELD_MISSING,
	  "hello.version_min: is required", 5 },
	{ RAW("\x08\x05\x12\x04\x08\x00\x10\x01"), CODEC_FROM_CLIENT, IEUM_E_FIELD_MISSING,
	  "hello.version_min: is required", 5 },
	{ RAW("\x08\x05\x12\x06\x08\x01\x10\x01\x20\x07"), CODEC_FROM_CLIENT, IEUM_E_FIELD_MISSING,
	  "hello.incarnation: is required, as the other half of a receipt", 5 },
	{ RAW("\x08\x05\x12\x16\x08\x01\x10\x01\x2A\x10"
	      "0123456789abcdef"),
	  CODEC_FROM_CLIENT, IEUM_E_FIELD_MISSING,
	  "hello.journal_number: is required, as the other half of a receipt", 5 },
	{ RAW("\x08\x05\x3A\x06\x40\x81\x80\x80\x80\x10"), CODEC_FROM_HUB, IEUM_E_FIELD_INVALID,
	  "delivery.cause: 4294967297 is not a value of DeliveryCause", 5 },
	{ RAW("\x08\x05\x2A\x06\x08\xFF\xFF\xFF\xFF\x1F"), CODEC_FROM_HUB, IEUM_E_FRAME_MALFORMED,
	  "", 5 },
	{ RAW("\x08\x05\x32\x06\x08\xFF\xFF\xFF\xFF\x1F"), CODEC_FROM_CLIENT, IEUM_E_FIELD_INVALID,
	  "credit.deliveries: is over 32 bits", 5 },
	{ RAW("\x08\x05\x42\x04\x1A\x02\x08\x01"), CODEC_FROM_CLIENT, IEUM_E_REASON_MISSING,
	  "settle.refuse[0].reason: is required", 5 },
	{ RAW("\x08\x05\x42\x03\x0A\x01\x80"), CODEC_FROM_CLIENT, IEUM_E_FRAME_MALFORMED,
	  "settle.done[0]: is cut off", 5 },
	{ RAW("\x08\x05\x42\x04\x0A\x02\x01\x80"), CODEC_FROM_CLIENT, IEUM_E_FRAME_MALFORMED,
	  "settle.done[1]: is cut off", 5 },
	{ RAW("\x08\x05\x7A\x00"), CODEC_FROM_CLIENT, IEUM_E_FIELD_MISSING,
	  "advance.by_ms: is required", 5 },
	{ RAW("\x08\x05\x62\x00\x62\x00"), CODEC_FROM_CLIENT, IEUM_E_FIELD_INVALID,
	  "ping: is there twice", 5 },
	{ RAW("\x08\x05\x62\x00\x32\x00"), CODEC_FROM_CLIENT, IEUM_E_FIELD_INVALID,
	  "credit: excludes another field that is there too", 5 },
	{ RAW("\x08\x05\x1A\x02\x48\x02"), CODEC_FROM_HUB, IEUM_E_FIELD_INVALID,
	  "welcome.drill: is neither true nor false", 5 },
};

static void frames_are_judged_before_what_is_in_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof raw_frames / sizeof raw_frames[0]; i++) {
		const struct raw_frame *f = &raw_frames[i];
		struct samples s;
		struct codec_problem problem;

		samples_init(&s, i);
		enum ieum_err err =
			decode(&s, samples_bytes(&s, f->bytes, f->n), f->from, &problem);
		if (f->code == IEUM_E_FRAME_MALFORMED && !f->detail[0])
			assert_int_equal(err, f->code);
		else
			expect(err, &problem, f->code, f->detail);
		if (err)
			assert_int_equal(problem.request_id, f->request_id);
		samples_release(&s);
	}
}

static void a_small_budget_is_no_memory_and_not_growth(void **state)
{
	struct samples s;
	struct codec_frame got;
	struct codec_problem problem;
	struct arena arena;

	(void)state;
	samples_init(&s, 1);
	ProtobufCBinaryData bytes =
		samples_packed(&s, &samples_submit(&s, samples_report(&s, 100))->base);
	size_t budget = 0;
	for (;; budget += 16) {
		arena_init(&arena, budget);
		enum ieum_err err = codec_decode(bytes.data, bytes.len, CODEC_FROM_CLIENT, &arena,
						 &got, &problem);
		assert_true(arena.used <= budget);
		arena_release(&arena);
		if (!err)
			break;
		assert_int_equal(err, IEUM_E_NO_MEMORY);
		assert_int_equal(problem.request_id, 7);
	}
	assert_in_range(budget, 500, 8000);
	samples_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_has_its_rule),
		cmocka_unit_test(a_type_and_its_body_differ_by_a_hundred),
		cmocka_unit_test(each_single_mistake_is_named),
		cmocka_unit_test(what_a_hub_sends_is_not_searched_again),
		cmocka_unit_test(the_message_id_of_a_refused_submit_is_told),
		cmocka_unit_test(counts_end_where_they_say),
		cmocka_unit_test(a_payload_ends_where_it_says),
		cmocka_unit_test(each_mistake_on_the_wire_is_named),
		cmocka_unit_test(frames_are_judged_before_what_is_in_them),
		cmocka_unit_test(a_small_budget_is_no_memory_and_not_growth),
	};

	return cmocka_run_group_tests_name("codec rules", tests, NULL, NULL);
}
