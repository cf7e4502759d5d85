/* proto/frame: every split of the input, limits, and bytes that mean harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/frame.h"

enum { LIMIT = 1 << 20 };

static size_t put_frame(uint8_t *to, uint32_t len, uint8_t fill)
{
	size_t header = frame_header_put(to, len);

	memset(to + header, fill, len);
	return header + len;
}

static void headers_are_protobuf_varints(void **state)
{
	static const struct {
		uint32_t len;
		size_t size;
		uint8_t bytes[FRAME_HEADER_MAX_BYTES];
	} rows[] = {
		{ 1, 1, { 0x01 } },
		{ 127, 1, { 0x7f } },
		{ 128, 2, { 0x80, 0x01 } },
		{ 300, 2, { 0xac, 0x02 } },
		{ 16383, 2, { 0xff, 0x7f } },
		{ 16384, 3, { 0x80, 0x80, 0x01 } },
		{ 2097151, 3, { 0xff, 0xff, 0x7f } },
		{ 2097152, 4, { 0x80, 0x80, 0x80, 0x01 } },
		{ 268435455, 4, { 0xff, 0xff, 0xff, 0x7f } },
		{ 268435456, 5, { 0x80, 0x80, 0x80, 0x80, 0x01 } },
		{ UINT32_MAX, 5, { 0xff, 0xff, 0xff, 0xff, 0x0f } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t to[FRAME_HEADER_MAX_BYTES];
		struct frame_view view;
		assert_int_equal(frame_header_size(rows[i].len), rows[i].size);
		assert_int_equal(frame_header_put(to, rows[i].len), rows[i].size);
		assert_memory_equal(to, rows[i].bytes, rows[i].size);
		assert_int_equal(frame_next(to, rows[i].size, UINT32_MAX, &view), IEUM_E_OK);
		assert_null(view.payload);
		assert_int_equal(view.len, rows[i].len);
		assert_int_equal(view.missing, rows[i].len);
	}
}

/* Reads a stream of frames given in two pieces, the first `cut` bytes long. */
static void read_split(const uint8_t *stream, size_t n, size_t cut, const uint32_t *lens,
		       size_t frames)
{
	size_t at = 0, seen = 0;
	size_t ends[] = { cut, n };

	for (size_t piece = 0; piece < 2; piece++) {
		for (;;) {
			/* A copy of just what has arrived lets the sanitizer see a read beyond. */
			size_t have = ends[piece] - at;
			uint8_t *bytes = malloc(have ? have : 1);
			struct frame_view view;
			assert_non_null(bytes);
			memcpy(bytes, stream + at, have);
			assert_int_equal(frame_next(bytes, have, LIMIT, &view), IEUM_E_OK);
			if (!view.payload) {
				assert_int_equal(view.consumed, 0);
				assert_true(view.missing > 0);
				assert_true(have + view.missing <= n - at || at == n);
				free(bytes);
				break;
			}
			assert_true(seen < frames);
			assert_int_equal(view.missing, 0);
			assert_int_equal(view.len, lens[seen]);
			for (size_t i = 0; i < view.len; i++)
				assert_int_equal(view.payload[i], seen + 1);
			at += view.consumed;
			seen++;
			free(bytes);
		}
	}
	assert_int_equal(at, n);
	assert_int_equal(seen, frames);
}

static void every_split_gives_the_same_frames(void **state)
{
	static const uint32_t lens[] = { 1, 127, 128, 3, 300, 1, 1, 16384, 2 };
	static uint8_t stream[20000];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++)
		n += put_frame(stream + n, lens[i], (uint8_t)(i + 1));
	for (size_t cut = 0; cut <= n; cut++)
		read_split(stream, n, cut, lens, sizeof lens / sizeof lens[0]);
}

static void a_byte_at_a_time_says_what_is_missing(void **state)
{
	uint8_t stream[400];
	size_t n = put_frame(stream, 300, 7);
	struct frame_view view;

	(void)state;
	for (size_t have = 0; have < n; have++) {
		assert_int_equal(frame_next(stream, have, LIMIT, &view), IEUM_E_OK);
		assert_null(view.payload);
		assert_int_equal(view.missing, have < 2 ? 1 : n - have);
		assert_int_equal(view.len, have < 2 ? 0 : 300);
	}
	assert_int_equal(frame_next(stream, n, LIMIT, &view), IEUM_E_OK);
	assert_ptr_equal(view.payload, stream + 2);
	assert_int_equal(view.consumed, n);
}

static void the_limit_counts_payload_and_is_told_from_the_header(void **state)
{
	uint8_t stream[FRAME_HEADER_MAX_BYTES];
	struct frame_view view;

	(void)state;
	size_t n = frame_header_put(stream, 1000);
	assert_int_equal(frame_next(stream, n, 1000, &view), IEUM_E_OK);
	assert_int_equal(frame_next(stream, n, 999, &view), IEUM_E_FRAME_TOO_LARGE);
	assert_null(view.payload);
	assert_int_equal(frame_next(stream, n - 1, 999, &view), IEUM_E_OK);
	n = frame_header_put(stream, UINT32_MAX);
	assert_int_equal(frame_next(stream, n, LIMIT, &view), IEUM_E_FRAME_TOO_LARGE);
}

static void hostile_lengths_are_refused(void **state)
{
	static const struct {
		size_t n;
		uint8_t bytes[8];
	} rows[] = {
		{ 1, { 0x00 } },                               /* empty frame */
		{ 2, { 0x80, 0x00 } },                         /* empty, written long */
		{ 5, { 0x80, 0x80, 0x80, 0x80, 0x00 } },       /* the same, longest */
		{ 5, { 0xff, 0xff, 0xff, 0xff, 0x10 } },       /* 33 bits */
		{ 5, { 0x81, 0x80, 0x80, 0x80, 0x80 } },       /* goes on after five */
		{ 6, { 0x81, 0x80, 0x80, 0x80, 0x80, 0x00 } }, /* six bytes for a 1 */
		{ 8, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f } },
	};
	struct frame_view view;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(frame_next(rows[i].bytes, rows[i].n, SIZE_MAX, &view),
				 IEUM_E_FRAME_MALFORMED);
		assert_null(view.payload);
		assert_int_equal(view.consumed, 0);
	}
}

static void a_length_written_long_is_accepted(void **state)
{
	static const uint8_t stream[] = { 0x82, 0x80, 0x80, 0x80, 0x00, 'o', 'k' };
	struct frame_view view;

	(void)state;
	assert_int_equal(frame_next(stream, sizeof stream, LIMIT, &view), IEUM_E_OK);
	assert_int_equal(view.len, 2);
	assert_memory_equal(view.payload, "ok", 2);
	assert_int_equal(view.consumed, sizeof stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_protobuf_varints),
		cmocka_unit_test(every_split_gives_the_same_frames),
		cmocka_unit_test(a_byte_at_a_time_says_what_is_missing),
		cmocka_unit_test(the_limit_counts_payload_and_is_told_from_the_header),
		cmocka_unit_test(hostile_lengths_are_refused),
		cmocka_unit_test(a_length_written_long_is_accepted),
	};

	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
