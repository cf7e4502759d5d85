/* What was wrong with a frame, and the path of the field it was in; see codec_walk.h.
 *
 * Texts name fields, limits and numbers, never what a text or some bytes held. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "proto/codec_walk.h"

static void say(struct codec_problem *p, size_t *used, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void say_v(struct codec_problem *p, size_t *used, const char *format, va_list args)
{
	size_t room = sizeof p->detail - *used;
	int n = vsnprintf(p->detail + *used, room, format, args);

	if (n > 0)
		*used += (size_t)n < room ? (size_t)n : room - 1;
}

static void say(struct codec_problem *p, size_t *used, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_v(p, used, format, args);
	va_end(args);
}

static void say_field(struct codec_problem *p, size_t *used, const ProtobufCFieldDescriptor *field,
		      size_t index)
{
	say(p, used, "%s%s", *used ? "." : "", field->name);
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		say(p, used, "[%zu]", index);
}

static void say_path(const struct codec_walk *w, size_t *used)
{
	const struct codec_level *levels[CODEC_DEPTH_MAX];
	size_t n = 0;

	for (const struct codec_level *l = w->level; l && l->field; l = l->up) {
		assert(n < CODEC_DEPTH_MAX);
		levels[n++] = l;
	}
	if (w->root)
		say(w->problem, used, "%s", w->root);
	while (n-- > 0)
		say_field(w->problem, used, levels[n]->field, levels[n]->index);
}

enum ieum_err codec_refuse(const struct codec_walk *w, enum ieum_err code, const char *field,
			   const char *format, ...)
{
	size_t used = 0;
	va_list args;

	w->problem->code = code;
	say_path(w, &used);
	if (field)
		say(w->problem, &used, "%s%s", used ? "." : "", field);
	say(w->problem, &used, "%s: ", used ? "" : "frame");
	va_start(args, format);
	say_v(w->problem, &used, format, args);
	va_end(args);
	return code;
}

enum ieum_err codec_refuse_place(const struct codec_walk *w, enum ieum_err code,
				 const struct codec_place *place, const char *format, ...)
{
	size_t used = 0;
	va_list args;

	w->problem->code = code;
	say_path(w, &used);
	say_field(w->problem, &used, place->field, place->index);
	say(w->problem, &used, ": ");
	va_start(args, format);
	say_v(w->problem, &used, format, args);
	va_end(args);
	return code;
}

enum ieum_err codec_out_of_memory(const struct codec_walk *w)
{
	return codec_refuse(w, IEUM_E_NO_MEMORY, NULL, "takes more memory than allowed");
}
