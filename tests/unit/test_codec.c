/* proto/codec: every frame there and back, against protobuf-c as the second opinion; putting
 * frames together by hand; leaving out what is for others; errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/codec.h"
#include "proto/catalog.h"
#include "proto/codec_rules.h"
#include "proto/frame.h"
#include "tests/unit/codec_samples.h"

enum { ROUNDS = 200, FRAME_KINDS_END = IEUM__V1__FRAME__WHAT_GOODBYE + 1, TYPES_END = 48 };

static enum codec_from sender_of(Ieum__V1__Frame__WhatCase what)
{
	const struct codec_rule *rule = &codec_frame_shape.rules[what - 1];

	return rule->senders == 1u << CODEC_FROM_HUB ? CODEC_FROM_HUB : CODEC_FROM_CLIENT;
}

/* Decodes, packs what came out and compares with the input. */
static void there_and_back(struct samples *s, const Ieum__V1__Frame *frame, enum codec_from from)
{
	ProtobufCBinaryData bytes = samples_packed(s, &frame->base);
	struct codec_frame got;
	struct codec_problem problem = { 0 };
	struct arena arena;

	arena_init(&arena, CODEC_ARENA_BUDGET_BYTES);
	if (codec_decode(bytes.data, bytes.len, from, &arena, &got, &problem))
		fail_msg("frame kind %d: %s", frame->what_case, problem.detail);
	assert_int_equal(got.frame->what_case, frame->what_case);
	ProtobufCBinaryData again = samples_packed(s, &got.frame->base);
	assert_int_equal(again.len, bytes.len);
	assert_memory_equal(again.data, bytes.data, bytes.len);

	Ieum__V1__Frame *second = ieum__v1__frame__unpack(&arena.allocator, bytes.len, bytes.data);
	assert_non_null(second);
	again = samples_packed(s, &second->base);
	assert_memory_equal(again.data, bytes.data, bytes.len);
	arena_release(&arena);
}

static void every_kind_of_frame_comes_back_as_it_went(void **state)
{
	(void)state;
	for (int what = IEUM__V1__FRAME__WHAT_HELLO; what < FRAME_KINDS_END; what++) {
		for (uint64_t seed = 0; seed < ROUNDS; seed++) {
			struct samples s;

			samples_init(&s, seed);
			s.full = seed % 4 == 0;
			Ieum__V1__Frame *frame = samples_frame(&s, (Ieum__V1__Frame__WhatCase)what);
			there_and_back(&s, frame, sender_of(frame->what_case));
			samples_release(&s);
		}
	}
}

static void every_type_of_message_comes_back_as_it_went(void **state)
{
	(void)state;
	for (int type = 1; type < TYPES_END; type++) {
		for (uint64_t seed = 0; seed < 40; seed++) {
			struct samples s;

			samples_init(&s, seed);
			s.full = seed % 4 == 0;
			Ieum__V1__Frame *frame = samples_frame(&s, IEUM__V1__FRAME__WHAT_DELIVERY);
			frame->delivery->referral =
				samples_referral(&s, (Ieum__V1__MessageType)type);
			there_and_back(&s, frame, CODEC_FROM_HUB);
			samples_release(&s);
		}
	}
}

static void numbers_may_be_packed_or_not(void **state)
{
	/* settle{done: 1, 300 apart, then 2, 3, 4 together, release: 5} */
	static const uint8_t frame[] = { 0x08, 7, 0x42, 13, 0x08, 1,    0x08, 0xAC, 0x02,
					 0x0A, 3, 2,    3,  4,    0x12, 1,    5 };
	static const uint64_t done[] = { 1, 300, 2, 3, 4 };
	struct codec_frame got;
	struct codec_problem problem;
	struct arena arena;

	(void)state;
	arena_init(&arena, CODEC_ARENA_BUDGET_BYTES);
	assert_int_equal(codec_decode(frame, sizeof frame, CODEC_FROM_CLIENT, &arena, &got,
				      &problem),
			 IEUM_E_OK);
	assert_int_equal(got.frame->settle->n_done, 5);
	assert_memory_equal(got.frame->settle->done, done, sizeof done);
	assert_int_equal(got.frame->settle->n_release, 1);
	assert_int_equal(got.frame->settle->release[0], 5);
	arena_release(&arena);
}

/* The frame in a buffer of one: its payload. */
static struct frame_view only_frame(const struct buf *b)
{
	struct frame_view view;

	assert_int_equal(frame_next(buf_bytes(b), buf_len(b), 1 << 20, &view), IEUM_E_OK);
	assert_non_null(view.payload);
	assert_int_equal(view.consumed, buf_len(b));
	return view;
}

static void the_referrals_bytes_are_told_as_they_came(void **state)
{
	struct samples s;
	struct codec_frame got;
	struct codec_problem problem;
	struct arena arena;

	(void)state;
	samples_init(&s, 1);
	arena_init(&arena, CODEC_ARENA_BUDGET_BYTES);
	Ieum__V1__Referral *referral = samples_report(&s, 1024);
	ProtobufCBinaryData bytes = samples_packed(&s, &referral->base);
	ProtobufCBinaryData submit = samples_packed(&s, &samples_submit(&s, referral)->base);
	assert_int_equal(codec_decode(submit.data, submit.len, CODEC_FROM_CLIENT, &arena, &got,
				      &problem),
			 IEUM_E_OK);
	assert_int_equal(got.referral_len, bytes.len);
	assert_memory_equal(got.referral, bytes.data, bytes.len);
	assert_true(got.referral > submit.data && got.referral < submit.data + submit.len);
	/* The narrative isn't copied. */
	const uint8_t *clear = got.frame->submit->referral->narrative[0]->clear.data;
	assert_true(clear > submit.data && clear < submit.data + submit.len);
	arena_release(&arena);
	samples_release(&s);
}

static void put_writes_header_and_payload(void **state)
{
	struct samples s;
	struct buf out;

	(void)state;
	samples_init(&s, 1);
	buf_init(&out, 1 << 20);
	Ieum__V1__Frame *frame = samples_submit(&s, samples_report(&s, 3000));
	ProtobufCBinaryData bytes = samples_packed(&s, &frame->base);
	assert_int_equal(codec_put(&out, frame), IEUM_E_OK);
	struct frame_view view = only_frame(&out);
	assert_int_equal(view.len, bytes.len);
	assert_memory_equal(view.payload, bytes.data, bytes.len);
	buf_release(&out);
	samples_release(&s);
}

static void put_is_refused_whole_at_the_buffers_limit(void **state)
{
	struct samples s;
	struct buf out;

	(void)state;
	samples_init(&s, 1);
	Ieum__V1__Frame *frame = samples_submit(&s, samples_report(&s, 300));
	size_t whole = samples_packed(&s, &frame->base).len + 2;
	ProtobufCBinaryData referral = samples_packed(&s, &frame->submit->referral->base);
	buf_init(&out, whole - 1);
	assert_int_equal(codec_put(&out, frame), IEUM_E_FIELD_TOO_LARGE);
	assert_int_equal(codec_put_submit(&out, 7, referral.data, referral.len),
			 IEUM_E_FIELD_TOO_LARGE);
	assert_int_equal(buf_len(&out), 0);
	buf_release(&out);
	buf_init(&out, whole);
	assert_int_equal(codec_put(&out, frame), IEUM_E_OK);
	assert_int_equal(buf_len(&out), whole);
	assert_int_equal(codec_put(&out, frame), IEUM_E_FIELD_TOO_LARGE);
	assert_int_equal(buf_len(&out), whole);
	buf_release(&out);
	samples_release(&s);
}

static void submit_and_delivery_by_hand_equal_the_packed_ones(void **state)
{
	static const size_t sizes[] = { 0, 1, 100, 130, 16000, 300000 };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct samples s;
		struct buf out;

		samples_init(&s, i);
		buf_init(&out, 1 << 20);
		Ieum__V1__Referral *referral = samples_report(&s, sizes[i]);
		ProtobufCBinaryData bytes = samples_packed(&s, &referral->base);

		Ieum__V1__Frame *frame = samples_submit(&s, referral);
		frame->request_id = UINT64_C(1) << (9 * i);
		ProtobufCBinaryData wanted = samples_packed(&s, &frame->base);
		assert_int_equal(codec_put_submit(&out, frame->request_id, bytes.data, bytes.len),
				 IEUM_E_OK);
		assert_int_equal(only_frame(&out).len, wanted.len);
		assert_memory_equal(only_frame(&out).payload, wanted.data, wanted.len);
		buf_consume(&out, buf_len(&out));

		frame = samples_frame(&s, IEUM__V1__FRAME__WHAT_DELIVERY);
		frame->request_id = 0;
		frame->delivery->referral = referral;
		wanted = samples_packed(&s, &frame->base);
		frame->delivery->referral = NULL;
		assert_int_equal(codec_put_delivery(&out, frame->delivery, bytes.data, bytes.len),
				 IEUM_E_OK);
		assert_int_equal(only_frame(&out).len, wanted.len);
		assert_memory_equal(only_frame(&out).payload, wanted.data, wanted.len);
		buf_release(&out);
		samples_release(&s);
	}
}

static void an_error_frame_carries_the_row_of_the_table(void **state)
{
	static const uint8_t id[CODEC_ID_BYTES] = { 1, 2, 3 };
	struct buf out;
	struct arena arena;
	struct codec_frame got;
	struct codec_problem problem;

	(void)state;
	buf_init(&out, 4096);
	arena_init(&arena, CODEC_ARENA_BUDGET_BYTES);
	assert_int_equal(codec_put_error(&out, 9, IEUM_E_QUEUE_FULL, "mailbox a/b", 1500, id),
			 IEUM_E_OK);
	struct frame_view view = only_frame(&out);
	assert_int_equal(codec_decode(view.payload, view.len, CODEC_FROM_HUB, &arena, &got,
				      &problem),
			 IEUM_E_OK);
	const Ieum__V1__Error *error = got.frame->error;
	assert_int_equal(got.frame->request_id, 9);
	assert_int_equal(error->code, IEUM_E_QUEUE_FULL);
	assert_string_equal(error->name, "QUEUE_FULL");
	assert_string_equal(error->detail, "mailbox a/b");
	assert_string_equal(error->text_en, ieum_error(IEUM_E_QUEUE_FULL)->text);
	assert_string_equal(error->text_ko,
			    catalog_text(WORDS_KO, ieum_error(IEUM_E_QUEUE_FULL)->text));
	assert_string_equal(error->fault, "hub");
	assert_int_equal(error->retry_after_ms, 1500);
	assert_int_equal(error->message_id.len, sizeof id);
	assert_memory_equal(error->message_id.data, id, sizeof id);
	buf_consume(&out, buf_len(&out));
	assert_int_equal(codec_put_error(&out, 0, IEUM_E_STOPPING, NULL, 0, NULL), IEUM_E_OK);
	view = only_frame(&out);
	assert_int_equal(codec_decode(view.payload, view.len, CODEC_FROM_HUB, &arena, &got,
				      &problem),
			 IEUM_E_OK);
	assert_int_equal(got.frame->error->message_id.len, 0);
	arena_release(&arena);
	buf_release(&out);
}

/* ---- the narrative's readers ---- */

static bool is_reader(void *ctx, const char *recipient, size_t len)
{
	const char *const *names = ctx;

	for (; *names; names++)
		if (strlen(*names) == len && memcmp(*names, recipient, len) == 0)
			return true;
	return false;
}

static void add_part(struct samples *s, Ieum__V1__Referral *r, size_t i, const char *text,
		     char **recipients, size_t n)
{
	static Ieum__V1__NarrativePart parts[4];

	ieum__v1__narrative_part__init(&parts[i]);
	parts[i].media_type = samples_text(s, "text/plain");
	parts[i].content_case = IEUM__V1__NARRATIVE_PART__CONTENT_CLEAR;
	parts[i].clear = samples_bytes(s, text, strlen(text));
	parts[i].recipients = recipients;
	parts[i].n_recipients = n;
	r->narrative[i] = &parts[i];
	r->n_narrative = i + 1;
}

static void a_reader_gets_only_the_parts_meant_for_it(void **state)
{
	char *for_b[] = { (char[]){ "b" } }, *for_ab[] = { (char[]){ "a" }, (char[]){ "b" } };
	Ieum__V1__NarrativePart *parts[4];
	const char *a[] = { "a", "body/role", NULL }, *b[] = { "b", NULL }, *c[] = { "c", NULL };
	const char **readers[] = { a, b, c };
	static const char *const wanted[] = { "open ab", "open ab b", "open" };
	struct samples s;

	(void)state;
	samples_init(&s, 1);
	Ieum__V1__Referral *r = samples_report(&s, 0);
	r->narrative = parts;
	add_part(&s, r, 0, "open", NULL, 0);
	add_part(&s, r, 1, "ab", for_ab, 2);
	add_part(&s, r, 2, "b", for_b, 1);
	ProtobufCBinaryData bytes = samples_packed(&s, &r->base);
	for (size_t i = 0; i < 3; i++) {
		const uint8_t *filtered;
		size_t len;
		char got[40] = "";

		const struct codec_reader reader = { is_reader, (void *)readers[i], true };
		assert_int_equal(codec_filter_referral(bytes.data, bytes.len, &reader, &s.arena,
						       &filtered, &len),
				 IEUM_E_OK);
		assert_int_equal(filtered == bytes.data, readers[i] == b);
		Ieum__V1__Referral *seen =
			ieum__v1__referral__unpack(&s.arena.allocator, len, filtered);
		assert_non_null(seen);
		assert_non_null(seen->report_received);
		for (size_t k = 0, n = 0; k < seen->n_narrative; k++)
			n += (size_t)snprintf(got + n, sizeof got - n, "%s%.*s", k ? " " : "",
					      (int)seen->narrative[k]->clear.len,
					      (const char *)seen->narrative[k]->clear.data);
		assert_string_equal(got, wanted[i]);
	}
	samples_release(&s);
}

static void filtering_needs_no_memory_when_nothing_goes_and_says_when_there_is_none(void **state)
{
	char *for_b[] = { (char[]){ "b" } };
	Ieum__V1__NarrativePart *parts[4];
	const char *a[] = { "a", NULL };
	const struct codec_reader reader = { is_reader, (void *)a, true };
	const uint8_t *filtered;
	size_t len;
	struct samples s;
	struct arena none;

	(void)state;
	samples_init(&s, 1);
	arena_init(&none, 0);
	Ieum__V1__Referral *r = samples_report(&s, 100);
	ProtobufCBinaryData bytes = samples_packed(&s, &r->base);
	assert_int_equal(codec_filter_referral(bytes.data, bytes.len, &reader, &none, &filtered,
					       &len),
			 IEUM_E_OK);
	assert_ptr_equal(filtered, bytes.data);
	r->narrative = parts;
	add_part(&s, r, 0, "b", for_b, 1);
	bytes = samples_packed(&s, &r->base);
	assert_int_equal(codec_filter_referral(bytes.data, bytes.len, &reader, &none, &filtered,
					       &len),
			 IEUM_E_NO_MEMORY);
	assert_int_equal(codec_filter_referral(bytes.data, bytes.len - 1, &reader, &none, &filtered,
					       &len),
			 IEUM_E_FRAME_MALFORMED);
	samples_release(&s);
}

static void tokens_go_back_to_nobody_but_their_sender(void **state)
{
	static const char *const nobody[] = { NULL };
	struct codec_reader reader = { is_reader, (void *)nobody, true };
	const uint8_t *filtered;
	struct samples s;
	size_t len;

	(void)state;
	samples_init(&s, 1);
	Ieum__V1__Referral *r = samples_report(&s, 100);
	Ieum__V1__Envelope *e = r->envelope;
	ProtobufCBinaryData tokens[2] = { { 34, (uint8_t[34]){ 1, 1 } },
					  { 34, (uint8_t[34]){ 2, 1 } } };
	e->subject_tokens = tokens;
	e->n_subject_tokens = 2;
	ProtobufCBinaryData bytes = samples_packed(&s, &r->base);
	assert_int_equal(codec_filter_referral(bytes.data, bytes.len, &reader, &s.arena, &filtered,
					       &len),
			 IEUM_E_OK);
	assert_ptr_equal(filtered, bytes.data);
	assert_int_equal(len, bytes.len);
	reader.is_sender = false;
	assert_int_equal(codec_filter_referral(bytes.data, bytes.len, &reader, &s.arena, &filtered,
					       &len),
			 IEUM_E_OK);
	/* Nothing else of it has changed. */
	e->n_subject_tokens = 0;
	bytes = samples_packed(&s, &r->base);
	assert_int_equal(len, bytes.len);
	assert_memory_equal(filtered, bytes.data, len);
	samples_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_frame_comes_back_as_it_went),
		cmocka_unit_test(every_type_of_message_comes_back_as_it_went),
		cmocka_unit_test(numbers_may_be_packed_or_not),
		cmocka_unit_test(the_referrals_bytes_are_told_as_they_came),
		cmocka_unit_test(put_writes_header_and_payload),
		cmocka_unit_test(put_is_refused_whole_at_the_buffers_limit),
		cmocka_unit_test(submit_and_delivery_by_hand_equal_the_packed_ones),
		cmocka_unit_test(an_error_frame_carries_the_row_of_the_table),
		cmocka_unit_test(a_reader_gets_only_the_parts_meant_for_it),
		cmocka_unit_test(tokens_go_back_to_nobody_but_their_sender),
		cmocka_unit_test(
			filtering_needs_no_memory_when_nothing_goes_and_says_when_there_is_none),
	};

	return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
