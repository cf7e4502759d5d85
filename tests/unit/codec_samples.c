/* See codec_samples.h. */
#include "tests/unit/codec_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/codec_rules.h"
#include "proto/uuid7.h"

void samples_init(struct samples *s, uint64_t seed)
{
	*s = (struct samples){ .random = seed * 2 + 1 };
	arena_init(&s->arena, 64 * 1024 * 1024);
}

void samples_release(struct samples *s)
{
	arena_release(&s->arena);
}

/* xorshift64*: the same numbers from a seed on every machine. */
uint64_t samples_random(struct samples *s, uint64_t below)
{
	s->random ^= s->random >> 12;
	s->random ^= s->random << 25;
	s->random ^= s->random >> 27;
	return (s->random * UINT64_C(2685821657736338717) >> 16) % below;
}

static void *take(struct samples *s, size_t n)
{
	void *p = arena_zalloc(&s->arena, n);

	assert_non_null(p);
	return p;
}

char *samples_text(struct samples *s, const char *text)
{
	size_t n = strlen(text) + 1;

	return memcpy(take(s, n), text, n);
}

ProtobufCBinaryData samples_bytes(struct samples *s, const void *bytes, size_t n)
{
	uint8_t *data = take(s, n);

	memcpy(data, bytes, n);
	return (ProtobufCBinaryData){ .len = n, .data = data };
}

ProtobufCBinaryData samples_id(struct samples *s)
{
	static struct uuid7_source source;
	uint8_t id[UUID_BYTES];

	assert_int_equal(uuid7_next(&source, UINT64_C(1800000000000), id), IEUM_E_OK);
	return samples_bytes(s, id, sizeof id);
}

/* ---- one value by its rule ---- */

static char *random_text(struct samples *s, const struct codec_rule *rule)
{
	static const char *const letters[] = { "a", "b", "가", "힣", "é", "𝄞", "-", "x" };
	char text[512] = "";
	size_t max = rule->max && rule->max < sizeof text - 4 ? rule->max : 60;
	size_t wanted = 1 + samples_random(s, max);

	switch (rule->form) {
	case CODEC_FORM_DIGITS: return samples_text(s, "41570");
	case CODEC_FORM_LANGUAGE:
		return samples_text(s, samples_random(s, 2) ? "ko" : "zh-Hant-TW");
	case CODEC_FORM_MEDIA_TYPE: return samples_text(s, "text/plain; charset=utf-8");
	case CODEC_FORM_MONTH: return samples_text(s, "2026-11");
	default: break;
	}
	for (size_t n = 0, len; n < wanted; n += len) {
		const char *letter = letters[samples_random(s, 8)];

		len = strlen(letter);
		if (n + len > wanted)
			break;
		memcpy(text + n, letter, len + 1);
	}
	return samples_text(s, text[0] ? text : "a");
}

static ProtobufCBinaryData random_bytes(struct samples *s, const struct codec_rule *rule)
{
	uint8_t bytes[300];
	size_t max = rule->max ? rule->max : CODEC_BYTES_MAX;
	size_t n;

	if (max > sizeof bytes)
		max = sizeof bytes;
	if (rule->form == CODEC_FORM_MESSAGE_ID || rule->form == CODEC_FORM_ID)
		return samples_id(s);
	n = rule->min + samples_random(s, max - rule->min + 1);
	if (n == 0)
		n = 1;
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)('a' + samples_random(s, 26));
	return samples_bytes(s, bytes, n);
}

static uint64_t random_number(struct samples *s, const struct codec_rule *rule,
			      const ProtobufCFieldDescriptor *field)
{
	const ProtobufCEnumDescriptor *values = field->descriptor;

	if (field->type == PROTOBUF_C_TYPE_BOOL)
		return 1;
	if (field->type == PROTOBUF_C_TYPE_ENUM)
		return 1 + samples_random(s, values->n_values - 1);
	if (rule->most)
		return (uint64_t)rule->least +
		       samples_random(s, (uint64_t)(rule->most - rule->least) + 1);
	return 1 +
	       samples_random(s, field->type == PROTOBUF_C_TYPE_UINT32 ? UINT32_MAX : INT64_MAX);
}

static ProtobufCMessage *random_message(struct samples *s, const struct codec_shape *shape,
					const ProtobufCMessageDescriptor *type);

static void put_value(struct samples *s, const struct codec_rule *rule,
		      const ProtobufCFieldDescriptor *field, uint8_t *to)
{
	uint64_t number;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING: *(char **)(void *)to = random_text(s, rule); return;
	case PROTOBUF_C_TYPE_BYTES:
		*(ProtobufCBinaryData *)(void *)to = random_bytes(s, rule);
		return;
	case PROTOBUF_C_TYPE_MESSAGE:
		*(ProtobufCMessage **)(void *)to =
			random_message(s, rule->shape, field->descriptor);
		return;
	default: break;
	}
	number = random_number(s, rule, field);
	if (field->type == PROTOBUF_C_TYPE_INT64 || field->type == PROTOBUF_C_TYPE_UINT64)
		*(uint64_t *)(void *)to = number;
	else
		*(uint32_t *)(void *)to =
			(uint32_t)number; /* enum, bool and 32 bits are all int-sized */
}

static size_t size_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_STRING: return sizeof(char *);
	case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_MESSAGE: return sizeof(ProtobufCMessage *);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64: return sizeof(uint64_t);
	default: return sizeof(uint32_t);
	}
}

static void put_field(struct samples *s, const struct codec_rule *rule,
		      const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
	uint8_t *at = (uint8_t *)message + field->offset;
	uint8_t *quantifier = (uint8_t *)message + field->quantifier_offset;

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		size_t max = rule->count_max && rule->count_max < 9 ? rule->count_max : 9;
		size_t n = 1 + samples_random(s, max);
		uint8_t *array = take(s, n * size_of(field->type));

		for (size_t i = 0; i < n; i++)
			put_value(s, rule, field, array + i * size_of(field->type));
		*(size_t *)(void *)quantifier = n;
		*(uint8_t **)(void *)at = array;
		return;
	}
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		if (*(uint32_t *)(void *)quantifier)
			return;
		*(uint32_t *)(void *)quantifier = field->id;
	}
	put_value(s, rule, field, at);
}

static ProtobufCMessage *random_message(struct samples *s, const struct codec_shape *shape,
					const ProtobufCMessageDescriptor *type)
{
	static const struct codec_rule none;
	ProtobufCMessage *message = take(s, type->sizeof_message);
	unsigned start = (unsigned)samples_random(s, type->n_fields ? type->n_fields : 1);

	type->message_init(message);
	if (shape == &codec_referral_shape || shape == &codec_referral_asked_shape)
		return &samples_referral(s, (Ieum__V1__MessageType)(1 + samples_random(s, 37)))
				->base;
	/* From a random field on, so that every case of a oneof has its turn. */
	for (unsigned k = 0; k < type->n_fields; k++) {
		unsigned i = (start + k) % type->n_fields;
		const struct codec_rule *rule = shape ? &shape->rules[i] : &none;
		bool oneof = type->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF;

		if (oneof || s->full || rule->required || samples_random(s, 2))
			put_field(s, rule, &type->fields[i], message);
	}
	return message;
}

/* ---- what concerns several fields ---- */

/* AuthEnvelopedData with AES-256-GCM to one recipient, as far as one sees from outside. */
ProtobufCBinaryData samples_sealed(struct samples *s)
{
	static const uint8_t cms[] = {
		0x30, 0x7f, 0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10,
		0x01, 0x17, 0xa0, 0x70, 0x30, 0x6e, 0x02, 0x01, 0x00, 0x31, 0x21, 0x30, 0x1f,
		0x02, 0x01, 0x02, 0x80, 0x04, 0x01, 0x02, 0x03, 0x04, 0x30, 0x0b, 0x06, 0x09,
		0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x07, 0x04, 0x07, 0x77, 0x72,
		0x61, 0x70, 0x70, 0x65, 0x64, 0x30, 0x34, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
		0xf7, 0x0d, 0x01, 0x07, 0x01, 0x30, 0x1e, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
		0x65, 0x03, 0x04, 0x01, 0x2e, 0x30, 0x11, 0x04, 0x0c, 0x6e, 0x6f, 0x6e, 0x63,
		0x65, 0x2d, 0x6f, 0x66, 0x2d, 0x31, 0x32, 0x62, 0x02, 0x01, 0x10, 0x80, 0x07,
		0x63, 0x6f, 0x6e, 0x74, 0x65, 0x6e, 0x74, 0x04, 0x10, 0x30, 0x31, 0x32, 0x33,
		0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66
	};

	return samples_bytes(s, cms, sizeof cms);
}

static void mend_narrative(struct samples *s, Ieum__V1__Referral *r)
{
	for (size_t i = 0; i < r->n_narrative; i++) {
		Ieum__V1__NarrativePart *part = r->narrative[i];
		if (part->content_case == IEUM__V1__NARRATIVE_PART__CONTENT_CLEAR) {
			part->subject = IEUM__V1__NARRATIVE_SUBJECT__NARRATIVE_SUBJECT_UNSPECIFIED;
			continue;
		}
		part->number = (uint32_t)i + 1;
		part->sealed = samples_sealed(s);
	}
}

static void mend_basis(struct samples *s, Ieum__V1__LegalBasis *basis)
{
	Ieum__V1__Consent *consent = basis->consent;

	if (basis->kind == IEUM__V1__BASIS_KIND__BASIS_KIND_STATUTORY)
		basis->article = samples_text(s, "아동학대처벌법 제11조");
	if (basis->kind == IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT &&
	    (!consent || !consent->n_recipients || !consent->n_items || !consent->purpose[0]))
		basis->kind = IEUM__V1__BASIS_KIND__BASIS_KIND_IMMINENT_DANGER;
}

static void mend_envelope(struct samples *s, Ieum__V1__Envelope *e)
{
	if (e->open_case) {
		e->case_id = (ProtobufCBinaryData){ 0 };
		e->category = IEUM__V1__CATEGORY__CATEGORY_STALKING;
	}
	if (e->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER)
		e->in_reply_to = samples_id(s);
	if (e->legal_basis)
		mend_basis(s, e->legal_basis);
}

static void mend_body(Ieum__V1__Referral *r)
{
	if (r->body_case == IEUM__V1__REFERRAL__BODY_ANSWER) {
		r->answer->reason = IEUM__V1__REASON__REASON_CAPACITY_FULL;
		r->answer->more_time_until_at_ms = 1800000000000;
	}
	if (r->body_case == IEUM__V1__REFERRAL__BODY_INFORMATION_RESPONSE)
		r->information_response->reason = IEUM__V1__REASON__REASON_OFF_PURPOSE;
}

Ieum__V1__Referral *samples_referral(struct samples *s, Ieum__V1__MessageType type)
{
	const struct codec_rule *rules = codec_referral_shape.rules;
	const ProtobufCFieldDescriptor *fields = codec_referral_shape.descriptor->fields;
	Ieum__V1__Referral *r = take(s, sizeof *r);
	const unsigned body = (unsigned)type + 1; /* after envelope and narrative */

	ieum__v1__referral__init(r);
	put_field(s, &rules[0], &fields[0], &r->base);
	if (type != IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CLOSURE_NOTICE &&
	    type != IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_KEY_WRAP)
		put_field(s, &rules[1], &fields[1], &r->base);
	put_field(s, &rules[body], &fields[body], &r->base);
	r->envelope->type = type;
	mend_envelope(s, r->envelope);
	mend_body(r);
	mend_narrative(s, r);
	return r;
}

Ieum__V1__Frame *samples_frame(struct samples *s, Ieum__V1__Frame__WhatCase what)
{
	const unsigned index = (unsigned)what - 1;
	Ieum__V1__Frame *frame = take(s, sizeof *frame);

	ieum__v1__frame__init(frame);
	frame->request_id = 1 + samples_random(s, 1000);
	put_field(s, &codec_frame_shape.rules[index], &codec_frame_shape.descriptor->fields[index],
		  &frame->base);
	if (what == IEUM__V1__FRAME__WHAT_HELLO &&
	    frame->hello->version_min > frame->hello->version_max)
		frame->hello->version_min = 1;
	if (what == IEUM__V1__FRAME__WHAT_HELLO)
		frame->hello->journal_number = frame->hello->incarnation.len ? 7 : 0;
	if (what == IEUM__V1__FRAME__WHAT_SUBMIT)
		frame->submit->referral =
			samples_referral(s, (Ieum__V1__MessageType)(1 + samples_random(s, 35)));
	return frame;
}

Ieum__V1__Referral *samples_report(struct samples *s, size_t narrative_bytes)
{
	Ieum__V1__Referral *r = take(s, sizeof *r);
	Ieum__V1__Envelope *e = take(s, sizeof *e);
	Ieum__V1__LegalBasis *basis = take(s, sizeof *basis);
	Ieum__V1__ReportReceived *report = take(s, sizeof *report);
	Ieum__V1__NarrativePart *part = take(s, sizeof *part);

	ieum__v1__referral__init(r);
	ieum__v1__envelope__init(e);
	ieum__v1__legal_basis__init(basis);
	ieum__v1__report_received__init(report);
	ieum__v1__narrative_part__init(part);
	e->message_id = samples_id(s);
	e->type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_REPORT_RECEIVED;
	e->open_case = true;
	e->jurisdiction = samples_text(s, "41570");
	e->category = IEUM__V1__CATEGORY__CATEGORY_DOMESTIC_VIOLENCE;
	e->urgency = IEUM__V1__URGENCY__URGENCY_IMMEDIATE;
	e->occurred_at_ms = 1800000000000;
	basis->kind = IEUM__V1__BASIS_KIND__BASIS_KIND_STATUTORY;
	basis->article = samples_text(s, "가정폭력처벌법 제5조");
	e->legal_basis = basis;
	e->n_subject_tokens = 1;
	e->subject_tokens = take(s, sizeof *e->subject_tokens);
	e->subject_tokens[0] = samples_bytes(s, "tokentokentokentoken", 20);
	report->response_code = IEUM__V1__RESPONSE_CODE__RESPONSE_CODE_CODE_1;
	report->child_at_home = true;
	r->envelope = e;
	r->body_case = IEUM__V1__REFERRAL__BODY_REPORT_RECEIVED;
	r->report_received = report;
	if (narrative_bytes) {
		part->media_type = samples_text(s, "text/plain");
		part->language = samples_text(s, "ko");
		part->content_case = IEUM__V1__NARRATIVE_PART__CONTENT_CLEAR;
		part->clear.len = narrative_bytes;
		part->clear.data = take(s, narrative_bytes);
		memset(part->clear.data, 'n', narrative_bytes);
		for (size_t i = 0; i + 3 <= narrative_bytes;
		     i += 7) /* words of Korean and numbers */
			memcpy(part->clear.data + i, i % 2 ? "가" : "112", 3);
		r->n_narrative = 1;
		r->narrative = take(s, sizeof(struct Ieum__V1__NarrativePart *));
		r->narrative[0] = part;
	}
	return r;
}

Ieum__V1__Frame *samples_submit(struct samples *s, Ieum__V1__Referral *referral)
{
	Ieum__V1__Frame *frame = take(s, sizeof *frame);

	ieum__v1__frame__init(frame);
	frame->request_id = 7;
	frame->what_case = IEUM__V1__FRAME__WHAT_SUBMIT;
	frame->submit = take(s, sizeof *frame->submit);
	ieum__v1__submit__init(frame->submit);
	frame->submit->referral = referral;
	return frame;
}

ProtobufCBinaryData samples_packed(struct samples *s, const ProtobufCMessage *message)
{
	ProtobufCBinaryData data = { .len = protobuf_c_message_get_packed_size(message) };

	data.data = take(s, data.len);
	protobuf_c_message_pack(message, data.data);
	return data;
}
