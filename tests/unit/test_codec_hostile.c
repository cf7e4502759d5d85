/* proto/codec against hostile bytes: mutated, cut off, nested, huge.  Run under the address
 * sanitizer this shows that nothing is read or written outside; in every build, that whatever
 * is accepted is complete enough to be packed again and read to the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/codec.h"
#include "proto/utf8.h"
#include "proto/wire.h"
#include "tests/unit/codec_samples.h"

enum { FRAME_KINDS = 16, SEEDS = 12, MUTATIONS = 150 };

/* Decodes from memory that ends with the last byte, so that a read beyond is seen. */
static enum ieum_err decode_exactly(const uint8_t *bytes, size_t n, enum codec_from from,
				    struct arena *arena)
{
	uint8_t *copy = malloc(n ? n : 1);
	struct codec_frame got;
	struct codec_problem problem;

	assert_non_null(copy);
	memcpy(copy, bytes, n);
	memset(&problem, 'x', sizeof problem);
	arena_reset(arena);
	enum ieum_err err = codec_decode(copy, n, from, arena, &got, &problem);
	if (err) {
		assert_int_equal(problem.code, err);
		assert_non_null(memchr(problem.detail, '\0', sizeof problem.detail));
		assert_true(
			utf8_text_valid((const uint8_t *)problem.detail, strlen(problem.detail)));
	} else {
		size_t len = ieum__v1__frame__get_packed_size(got.frame);
		uint8_t *again = malloc(len ? len : 1);

		assert_non_null(again);
		assert_int_equal(ieum__v1__frame__pack(got.frame, again), len);
		err = codec_decode(again, len, from, arena, &got, &problem);
		if (err)
			fail_msg("accepted, packed again and then refused: %s", problem.detail);
		free(again);
	}
	free(copy);
	return err;
}

static void mutate(struct samples *s, uint8_t *bytes, size_t *n, size_t room)
{
	size_t times = 1 + samples_random(s, 3);

	while (times-- > 0 && *n > 0) {
		size_t at = samples_random(s, *n);
		size_t some = 1 + samples_random(s, 8);

		switch (samples_random(s, 6)) {
		case 0: bytes[at] ^= (uint8_t)(1u << samples_random(s, 8)); break;
		case 1: bytes[at] = (uint8_t)samples_random(s, 256); break;
		case 2: bytes[at] = samples_random(s, 2) ? 0xFF : 0x80; break;
		case 3: /* take some away */
			if (some > *n - at)
				some = *n - at;
			memmove(bytes + at, bytes + at + some, *n - at - some);
			*n -= some;
			break;
		case 4: /* double some */
			if (some > *n - at || *n + some > room)
				break;
			memmove(bytes + at + some, bytes + at, *n - at);
			*n += some;
			break;
		default: *n = at; break;
		}
	}
}

static void mutated_frames_do_no_harm(void **state)
{
	unsigned accepted = 0, refused = 0;
	struct arena arena;

	(void)state;
	arena_init(&arena, CODEC_ARENA_BUDGET_BYTES);
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		for (int kind = 0; kind < FRAME_KINDS; kind++) {
			struct samples s;

			samples_init(&s, seed * 100 + (uint64_t)kind);
			s.full = seed % 2 == 0;
			Ieum__V1__Frame *frame =
				samples_frame(&s, (Ieum__V1__Frame__WhatCase)(kind + 2));
			ProtobufCBinaryData bytes = samples_packed(&s, &frame->base);
			size_t room = bytes.len + 64;
			uint8_t *mutant = malloc(room);
			assert_non_null(mutant);
			for (int i = 0; i < MUTATIONS; i++) {
				size_t n = bytes.len;

				memcpy(mutant, bytes.data, n);
				mutate(&s, mutant, &n, room);
				enum codec_from from =
					samples_random(&s, 2) ? CODEC_FROM_CLIENT : CODEC_FROM_HUB;
				if (decode_exactly(mutant, n, from, &arena))
					refused++;
				else
					accepted++;
			}
			free(mutant);
			samples_release(&s);
		}
	}
	arena_release(&arena);
	/* Both happen often, or the mutations are no test. */
	assert_in_range(accepted, 200, SEEDS * FRAME_KINDS * MUTATIONS);
	assert_in_range(refused, 2000, SEEDS * FRAME_KINDS * MUTATIONS);
}

static void a_submit_cut_off_anywhere_is_refused(void **state)
{
	struct samples s;
	struct arena arena;

	(void)state;
	samples_init(&s, 5);
	s.full = true;
	arena_init(&arena, CODEC_ARENA_BUDGET_BYTES);
	for (int type = 1; type <= 37; type++) {
		if (type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CLOSURE_NOTICE)
			continue;
		Ieum__V1__Frame *frame =
			samples_submit(&s, samples_referral(&s, (Ieum__V1__MessageType)type));
		ProtobufCBinaryData bytes = samples_packed(&s, &frame->base);
		for (size_t n = 0; n < bytes.len; n++)
			assert_int_not_equal(decode_exactly(bytes.data, n, CODEC_FROM_CLIENT,
							    &arena),
					     IEUM_E_OK);
		assert_int_equal(decode_exactly(bytes.data, bytes.len, CODEC_FROM_CLIENT, &arena),
				 IEUM_E_OK);
	}
	arena_release(&arena);
	samples_release(&s);
}

static void random_bytes_do_no_harm(void **state)
{
	struct samples s;
	struct arena arena;
	uint8_t bytes[64];

	(void)state;
	samples_init(&s, 9);
	arena_init(&arena, CODEC_ARENA_BUDGET_BYTES);
	for (int i = 0; i < 50000; i++) {
		size_t n = samples_random(&s, sizeof bytes);

		for (size_t k = 0; k < n; k++)
			bytes[k] = (uint8_t)(samples_random(&s, 3) ? samples_random(&s, 32)
								   : samples_random(&s, 256));
		(void)!decode_exactly(bytes, n, i % 2 ? CODEC_FROM_CLIENT : CODEC_FROM_HUB, &arena);
	}
	arena_release(&arena);
	samples_release(&s);
}

/* The same field inside itself a thousand times: as an unknown one it's refused at once, as a
 * known one the schema ends it. */
static void deep_nesting_ends_at_the_schema(void **state)
{
	enum { LEVELS = 1000 };
	static uint8_t bytes[LEVELS * 5];
	struct arena arena;

	(void)state;
	arena_init(&arena, CODEC_ARENA_BUDGET_BYTES);
	for (uint32_t number = 1; number < 20; number++) {
		uint8_t *at = bytes + sizeof bytes;
		size_t len = 0;

		for (int level = 0; level < LEVELS; level++) {
			size_t head = wire_head_size(number, len);
			at -= head;
			wire_put_head(at, number, len);
			len += head;
		}
		assert_int_not_equal(decode_exactly(at, len, CODEC_FROM_CLIENT, &arena), IEUM_E_OK);
		assert_int_not_equal(decode_exactly(at, len, CODEC_FROM_HUB, &arena), IEUM_E_OK);
		assert_in_range(arena.used, 0, 4096);
	}
	arena_release(&arena);
}

/* A frame of 1 MiB that is all entries of one list: memory stays in proportion. */
static void huge_counts_are_refused_before_they_cost(void **state)
{
	static uint8_t bytes[1 << 20];
	struct arena arena;
	uint8_t *at = bytes;

	(void)state;
	arena_init(&arena, CODEC_ARENA_BUDGET_BYTES);
	*at++ = 0x08; /* request_id 1, settle { refuse, refuse, … } */
	*at++ = 1;
	at = wire_put_head(at, 8, sizeof bytes - 6);
	for (; at + 7 <= bytes + sizeof bytes; at += 7)
		memcpy(at, "\x1A\x05\x08\x01\x12\x01x", 7);
	assert_int_equal(decode_exactly(bytes, sizeof bytes, CODEC_FROM_CLIENT, &arena),
			 IEUM_E_FIELD_TOO_LARGE);
	assert_in_range(arena.used, 0, CODEC_ARENA_BUDGET_BYTES / 4);

	at = wire_put_head(bytes + 2, 8, sizeof bytes - 6); /* settle { done: 1, 1, 1, … } packed */
	at = wire_put_head(at, 1, sizeof bytes - 10);
	memset(at, 1, (size_t)(bytes + sizeof bytes - at));
	assert_int_equal(decode_exactly(bytes, sizeof bytes, CODEC_FROM_CLIENT, &arena),
			 IEUM_E_FIELD_TOO_LARGE);
	assert_in_range(arena.used, 0, 4096);
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mutated_frames_do_no_harm),
		cmocka_unit_test(a_submit_cut_off_anywhere_is_refused),
		cmocka_unit_test(random_bytes_do_no_harm),
		cmocka_unit_test(deep_nesting_ends_at_the_schema),
		cmocka_unit_test(huge_counts_are_refused_before_they_cost),
	};

	return cmocka_run_group_tests_name("codec, hostile bytes", tests, NULL, NULL);
}
