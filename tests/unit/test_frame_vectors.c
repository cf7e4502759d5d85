/* tests/vectors/frames.json: the C code reads the bytes as it is written there, and writes what it
 * has read as the same bytes.  The clients of tests/foreign do it without any of our code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/pbmap.h"
#include "tests/vectors/frames.h"

enum { VECTORS_MIN = 40 };

static json_t *vectors;

static int read_vectors(void **state)
{
	(void)state;
	vectors = json_load_file("tests/vectors/frames.json", 0, NULL);
	return vectors ? 0 : -1;
}

static int drop_vectors(void **state)
{
	(void)state;
	json_decref(vectors);
	return 0;
}

static const char *text_of(const json_t *vector, const char *name)
{
	return json_string_value(json_object_get(vector, name));
}

static void bytes_mean_what_is_written(void **state)
{
	static const char *const said[] = { "frames", "missing", "ends" };
	json_t *vector;
	size_t i;

	(void)state;
	assert_true(json_array_size(vectors) >= VECTORS_MIN);
	json_array_foreach(vectors, i, vector)
	{
		bool hub = strcmp(text_of(vector, "from"), "hub") == 0;
		size_t n;
		uint8_t *bytes = frames_unhex(text_of(vector, "bytes"), &n);
		assert_non_null(bytes);
		json_t *meaning =
			frames_meaning(bytes, n, hub ? CODEC_FROM_HUB : CODEC_FROM_CLIENT);

		for (size_t s = 0; s < sizeof said / sizeof said[0]; s++) {
			if (!json_equal(json_object_get(vector, said[s]),
					json_object_get(meaning, said[s])) &&
			    (json_object_get(vector, said[s]) || json_object_get(meaning, said[s])))
				fail_msg("%s: %s: %s", text_of(vector, "name"), said[s],
					 json_dumps(meaning, 0));
		}
		json_decref(meaning);
		free(bytes);
	}
}

/* Of the frames that may be sent: what is made of their JSON. */
static void what_is_written_becomes_the_bytes(void **state)
{
	json_t *vector, *entry;
	size_t i, f, made = 0;

	(void)state;
	json_array_foreach(vectors, i, vector)
	{
		struct buf out;
		bool whole =
			!json_object_get(vector, "missing") && !json_object_get(vector, "ends");

		buf_init(&out, FRAMES_LIMIT_BYTES);
		json_array_foreach(json_object_get(vector, "frames"), f, entry)
		{
			ProtobufCMessage *frame = NULL;
			char why[PBMAP_WHY_BYTES];

			if (!json_object_get(entry, "frame")) {
				whole = false;
				continue;
			}
			if (pbmap_from_json(json_object_get(entry, "frame"),
					    &ieum__v1__frame__descriptor, why, &frame))
				fail_msg("%s: %s", text_of(vector, "name"), why);
			assert_int_equal(codec_put(&out, (Ieum__V1__Frame *)frame), IEUM_E_OK);
			protobuf_c_message_free_unpacked(frame, NULL);
		}
		/* A length with more bytes than it needs is read, never written. */
		if (whole && strcmp(text_of(vector, "name"), "length-in-five-bytes") != 0) {
			json_t *hex = frames_hex(buf_bytes(&out), buf_len(&out));

			assert_string_equal(json_string_value(hex), text_of(vector, "bytes"));
			json_decref(hex);
			made++;
		}
		buf_release(&out);
	}
	assert_true(made >= 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_mean_what_is_written),
		cmocka_unit_test(what_is_written_becomes_the_bytes),
	};

	return cmocka_run_group_tests(tests, read_vectors, drop_vectors);
}
