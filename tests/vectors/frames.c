/* Bytes and their meaning; see frames.h. */
#include "tests/vectors/frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"
#include "proto/pbmap.h"

static json_t *one(const struct frame_view *view, enum codec_from from, struct arena *arena)
{
	static const struct pbmap_style canonical = { .canonical = true };
	struct codec_frame frame;
	struct codec_problem problem;
	json_t *json = NULL;
	enum ieum_err err = codec_decode(view->payload, view->len, from, arena, &frame, &problem);

	if (err)
		return json_pack("{s:s, s:s}", "error", ieum_error((int)err)->name, "detail",
				 problem.detail);
	if (pbmap_to_json(&frame.frame->base, &canonical, &json))
		return NULL;
	return json_pack("{s:o}", "frame", json);
}

json_t *frames_meaning(const uint8_t *bytes, size_t n, enum codec_from from)
{
	json_t *frames = json_array(), *meaning = json_pack("{s:o}", "frames", frames);
	struct frame_view view = { 0 };
	size_t at = 0;
	enum ieum_err err = IEUM_E_OK;

	while (at < n && !err) {
		struct arena arena;

		err = frame_next(bytes + at, n - at, FRAMES_LIMIT_BYTES, &view);
		if (err || !view.payload)
			break;
		arena_init(&arena, CODEC_ARENA_BUDGET_BYTES);
		json_array_append_new(frames, one(&view, from, &arena));
		arena_release(&arena);
		at += view.consumed;
	}
	if (err)
		json_object_set_new(meaning, "ends", json_string(ieum_error((int)err)->name));
	else if (at < n)
		json_object_set_new(meaning, "missing", json_integer((json_int_t)view.missing));
	return meaning;
}

uint8_t *frames_unhex(const char *text, size_t *n)
{
	size_t length = strlen(text);
	uint8_t *bytes = malloc(length + 1);

	*n = length / 2;
	if (!bytes || length % 2 != 0 || strspn(text, "0123456789abcdef") != length) {
		free(bytes);
		return NULL;
	}
	for (size_t i = 0; i < *n; i++) {
		const char byte[3] = { text[2 * i], text[2 * i + 1], '\0' };

		bytes[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	return bytes;
}

json_t *frames_hex(const uint8_t *bytes, size_t n)
{
	char *text = calloc(2, n + 1);
	json_t *json;

	for (size_t i = 0; text && i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	json = json_string(text);
	free(text);
	return json;
}
