/* Bytes to a checked frame, in one pass.
 *
 * protobuf_c_message_unpack() is not used here: it forgets how long a text was on the wire (so
 * a NUL inside goes unseen), takes the last of duplicates, keeps unknown fields and copies
 * every payload.  This decoder fills the same structs, guided by the same descriptors, and
 * checks each byte while it is at hand; bytes fields point into the input.
 *
 * What always holds: a message is filled only up to the first problem; nothing is allocated
 * for an entry that a limit refuses; recursion is as deep as the schema (CODEC_DEPTH_MAX). */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"
#include "proto/codec_rules.h"
#include "proto/resident_number.h"
#include "proto/utf8.h"
#include "proto/wire.h"

/* The message that is being read and where it hangs. */
struct codec_level {
	const struct codec_level *up;
	const ProtobufCFieldDescriptor *field; /* of the message above; NULL: the root */
	size_t index;                          /* in a repeated field */
};

struct codec_walk {
	struct arena *arena;
	struct codec_problem *problem;
	const char *root; /* what a path begins with; NULL: the frame's fields */
	const struct codec_level *level;
	enum codec_from from;
	bool guards;
	const uint8_t *referral;
	size_t referral_len;
};

/* A field being read: where it stands and where it goes. */
struct codec_place {
	const ProtobufCFieldDescriptor *field;
	const struct codec_rule *rule;
	ProtobufCMessage *message;
	size_t index; /* in a repeated field */
};

static const struct codec_rule default_rule;

bool codec_guards(const struct codec_walk *w)
{
	return w->guards;
}

/* ---- problems ---- */

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

static void say_field(struct codec_problem *p, size_t *used, const ProtobufCFieldDescriptor *field, size_t index)
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

enum ieum_err codec_refuse(const struct codec_walk *w, enum ieum_err code, const char *field, const char *format,
			   ...)
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

static enum ieum_err refuse_place(const struct codec_walk *w, enum ieum_err code, const struct codec_place *place,
				  const char *format, ...) __attribute__((format(printf, 4, 5)));

static enum ieum_err refuse_place(const struct codec_walk *w, enum ieum_err code, const struct codec_place *place,
				  const char *format, ...)
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

static enum ieum_err out_of_memory(const struct codec_walk *w)
{
	return codec_refuse(w, IEUM_E_NO_MEMORY, NULL, "takes more memory than allowed");
}

/* ---- single values ---- */

static size_t value_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_BOOL: return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_ENUM: return sizeof(int);
	case PROTOBUF_C_TYPE_UINT32: return sizeof(uint32_t);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64: return sizeof(uint64_t);
	case PROTOBUF_C_TYPE_STRING: return sizeof(char *);
	case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_MESSAGE: return sizeof(ProtobufCMessage *);
	default: abort(); /* no such field in the schema; test_codec_rules.c holds it to that */
	}
}

static bool is_number(ProtobufCType type)
{
	return type != PROTOBUF_C_TYPE_STRING && type != PROTOBUF_C_TYPE_BYTES && type != PROTOBUF_C_TYPE_MESSAGE;
}

static enum ieum_err read_number(const struct codec_walk *w, const struct codec_place *place, uint64_t raw, void *to)
{
	const struct codec_rule *rule = place->rule;
	int64_t value = (int64_t)raw;
	bool unset = raw == 0 && place->field->label != PROTOBUF_C_LABEL_REPEATED;

	if (rule->most && !unset && (value < rule->least || value > rule->most))
		return refuse_place(w, IEUM_E_FIELD_INVALID, place, "%" PRId64 " is not within %" PRId64 " and %" PRId64,
				    value, rule->least, rule->most);
	switch (place->field->type) {
	case PROTOBUF_C_TYPE_BOOL:
		if (raw > 1)
			return refuse_place(w, IEUM_E_FIELD_INVALID, place, "is neither true nor false");
		*(protobuf_c_boolean *)to = (protobuf_c_boolean)raw;
		return IEUM_E_OK;
	case PROTOBUF_C_TYPE_ENUM: {
		const ProtobufCEnumDescriptor *type = place->field->descriptor;

		if (raw > INT32_MAX || !protobuf_c_enum_descriptor_get_value(type, (int)raw))
			return refuse_place(w, IEUM_E_FIELD_INVALID, place, "%" PRId64 " is not a value of %s", value,
					    type->short_name);
		*(int *)to = (int)raw;
		return IEUM_E_OK;
	}
	case PROTOBUF_C_TYPE_UINT32:
		if (raw > UINT32_MAX)
			return refuse_place(w, IEUM_E_FIELD_INVALID, place, "is over 32 bits");
		*(uint32_t *)to = (uint32_t)raw;
		return IEUM_E_OK;
	default:
		*(uint64_t *)to = raw;
		return IEUM_E_OK;
	}
}

/* Length and form of a text or of bytes; an unset one has none. */
static enum ieum_err check_bytes(const struct codec_walk *w, const struct codec_place *place,
				 const struct wire_field *f, uint32_t max)
{
	const struct codec_rule *rule = place->rule;
	enum ieum_err ill_formed = rule->form == CODEC_FORM_MESSAGE_ID ? IEUM_E_ID_INVALID : IEUM_E_FIELD_INVALID;

	if (f->len == 0) {
		if (place->field->label == PROTOBUF_C_LABEL_REPEATED)
			return refuse_place(w, IEUM_E_FIELD_MISSING, place, "is empty");
		return IEUM_E_OK;
	}
	if (rule->min == max && f->len != max)
		return refuse_place(w, ill_formed, place, "is %zu bytes long, not %u", f->len, max);
	if (f->len > max)
		return refuse_place(w, IEUM_E_FIELD_TOO_LARGE, place, "%zu bytes, allowed are %u", f->len, max);
	if (f->len < rule->min)
		return refuse_place(w, ill_formed, place, "%zu bytes, needed are %u", f->len, rule->min);
	const char *problem = codec_form_problem(rule->form, f->bytes, f->len);
	if (problem)
		return refuse_place(w, ill_formed, place, "%s", problem);
	if (w->guards && (rule->form == CODEC_FORM_TOKEN || place->field->type == PROTOBUF_C_TYPE_STRING) &&
	    resident_number_found((const char *)f->bytes, f->len))
		return refuse_place(w, IEUM_E_RESIDENT_NUMBER, place, "looks like a resident registration number");
	return IEUM_E_OK;
}

static enum ieum_err read_text(struct codec_walk *w, const struct codec_place *place, const struct wire_field *f,
			       char **to)
{
	uint32_t max = place->rule->max;

	if (max == 0)
		max = w->from == CODEC_FROM_HUB ? CODEC_HUB_TEXT_MAX_BYTES : CODEC_TEXT_MAX_BYTES;
	if (f->len <= max && !utf8_text_valid(f->bytes, f->len))
		return refuse_place(w, IEUM_E_TEXT_INVALID, place, "is not valid UTF-8, or holds a NUL");
	enum ieum_err err = check_bytes(w, place, f, max);
	if (err)
		return err;
	char *text = arena_alloc(w->arena, f->len + 1);
	if (!text)
		return out_of_memory(w);
	memcpy(text, f->bytes, f->len);
	text[f->len] = '\0';
	*to = text;
	return IEUM_E_OK;
}

static enum ieum_err read_bytes(const struct codec_walk *w, const struct codec_place *place,
				const struct wire_field *f, ProtobufCBinaryData *to)
{
	uint32_t max = place->rule->max ? place->rule->max : CODEC_BYTES_MAX;
	enum ieum_err err = check_bytes(w, place, f, max);

	if (err)
		return err;
	to->len = f->len;
	to->data = f->len ? (uint8_t *)(uintptr_t)f->bytes : NULL; /* the struct knows no const */
	return IEUM_E_OK;
}

/* ---- repeated fields ---- */

/* How many entries an array with n of them has room for: arrays grow by doubling. */
static size_t room_for(size_t n)
{
	size_t room = n ? 4 : 0;

	while (room < n)
		room *= 2;
	return room;
}

/* Where the next `more` entries go; they are counted in. */
static enum ieum_err grow(struct codec_walk *w, struct codec_place *place, size_t more, void **to)
{
	size_t *n = (size_t *)(void *)((uint8_t *)place->message + place->field->quantifier_offset);
	void **array = (void **)(void *)((uint8_t *)place->message + place->field->offset);
	size_t size = value_size(place->field->type);
	size_t max = place->rule->count_max;

	if (max == 0)
		max = w->from == CODEC_FROM_HUB ? CODEC_HUB_REPEATED_MAX : CODEC_REPEATED_MAX;
	place->index = *n;
	if (more > max - *n)
		return refuse_place(w, IEUM_E_FIELD_TOO_LARGE, place, "more than %zu entries", max);
	if (room_for(*n + more) > room_for(*n)) {
		void *bigger = arena_alloc(w->arena, room_for(*n + more) * size);
		if (!bigger)
			return out_of_memory(w);
		if (*n)
			memcpy(bigger, *array, *n * size);
		*array = bigger;
	}
	*to = (uint8_t *)*array + *n * size;
	return IEUM_E_OK;
}

static void count_in(const struct codec_place *place, size_t more)
{
	*(size_t *)(void *)((uint8_t *)place->message + place->field->quantifier_offset) += more;
}

/* Numbers one after the other in one field, as proto3 writes them. */
static enum ieum_err read_packed(struct codec_walk *w, struct codec_place *place, const struct wire_field *f)
{
	const uint8_t *at = f->bytes, *end = f->bytes + f->len;
	size_t size = value_size(place->field->type);
	size_t n = 0;
	void *to;

	for (const uint8_t *byte = at; byte < end; byte++)
		n += *byte < 0x80;
	if (f->len == 0)
		return IEUM_E_OK;
	if (n == 0)
		return refuse_place(w, IEUM_E_FRAME_MALFORMED, place, "is cut off");
	enum ieum_err err = grow(w, place, n, &to);
	if (err)
		return err;
	for (; at < end; to = (uint8_t *)to + size) {
		uint64_t raw;

		at = wire_varint(at, end, &raw);
		if (!at)
			return refuse_place(w, IEUM_E_FRAME_MALFORMED, place, "is cut off");
		err = read_number(w, place, raw, to);
		if (err)
			return err;
		place->index++;
	}
	count_in(place, n);
	return IEUM_E_OK;
}

/* ---- messages ---- */

static enum ieum_err read_fields(struct codec_walk *w, const struct codec_shape *shape, const uint8_t *at,
				 const uint8_t *end, ProtobufCMessage *message);

static enum ieum_err read_message(struct codec_walk *w, const struct codec_place *place, const struct wire_field *f,
				  ProtobufCMessage **to)
{
	const ProtobufCMessageDescriptor *type = place->field->descriptor;
	const struct codec_rule *rule = place->rule;
	struct codec_level level = { .up = w->level, .field = place->field, .index = place->index };

	if (rule->max && f->len > rule->max)
		return refuse_place(w, IEUM_E_FIELD_TOO_LARGE, place, "%zu bytes, allowed are %u", f->len, rule->max);
	ProtobufCMessage *message = arena_alloc(w->arena, type->sizeof_message);
	if (!message)
		return out_of_memory(w);
	type->message_init(message);
	if (rule->shape == &codec_referral_shape) {
		w->referral = f->bytes;
		w->referral_len = f->len;
	}
	w->level = &level;
	enum ieum_err err = read_fields(w, rule->shape, f->bytes, f->bytes + f->len, message);
	w->level = level.up;
	*to = message;
	return err;
}

/* One value to where it belongs; *set: it isn't its type's zero. */
static enum ieum_err read_value(struct codec_walk *w, struct codec_place *place, const struct wire_field *f, void *to,
				bool *set)
{
	switch (place->field->type) {
	case PROTOBUF_C_TYPE_STRING:
		*set = f->len > 0;
		return read_text(w, place, f, to);
	case PROTOBUF_C_TYPE_BYTES:
		*set = f->len > 0;
		return read_bytes(w, place, f, to);
	case PROTOBUF_C_TYPE_MESSAGE:
		*set = true;
		return read_message(w, place, f, to);
	default:
		*set = f->value != 0;
		return read_number(w, place, f->value, to);
	}
}

static enum ieum_err read_repeated(struct codec_walk *w, struct codec_place *place, const struct wire_field *f)
{
	void *to;
	bool set;

	if (is_number(place->field->type) && f->type == WIRE_BYTES)
		return read_packed(w, place, f);
	enum ieum_err err = grow(w, place, 1, &to);
	if (!err)
		err = read_value(w, place, f, to, &set);
	if (!err)
		count_in(place, 1);
	return err;
}

/* *seen marks fields that were there, *set those that were not zero. */
static enum ieum_err read_single(struct codec_walk *w, struct codec_place *place, const struct wire_field *f,
				 uint64_t bit, uint64_t *seen, uint64_t *present)
{
	const ProtobufCFieldDescriptor *field = place->field;
	bool set;

	if (*seen & bit)
		return refuse_place(w, IEUM_E_FIELD_INVALID, place, "is there twice");
	*seen |= bit;
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		uint32_t *chosen = (uint32_t *)(void *)((uint8_t *)place->message + field->quantifier_offset);

		if (*chosen)
			return refuse_place(w, IEUM_E_FIELD_INVALID, place, "excludes another field that is there too");
		*chosen = field->id;
	}
	enum ieum_err err = read_value(w, place, f, (uint8_t *)place->message + field->offset, &set);
	if (set)
		*present |= bit;
	return err;
}

static enum ieum_err check_present(const struct codec_walk *w, const struct codec_shape *shape, uint64_t present)
{
	for (size_t i = 0; i < shape->n_rules; i++) {
		const struct codec_rule *rule = &shape->rules[i];

		if (rule->required && !(present >> i & 1))
			return codec_refuse(w, rule->missing ? rule->missing : IEUM_E_FIELD_MISSING, rule->name,
					    "is required");
	}
	return IEUM_E_OK;
}

/* Fields mostly come in order, so the one after the last is tried first. */
static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *type, unsigned guess,
						  uint32_t number)
{
	if (guess < type->n_fields && type->fields[guess].id == number)
		return &type->fields[guess];
	return protobuf_c_message_descriptor_get_field(type, number);
}

static enum ieum_err read_field(struct codec_walk *w, const struct codec_shape *shape, struct codec_place *place,
				const struct wire_field *f, uint64_t *seen, uint64_t *present)
{
	const ProtobufCFieldDescriptor *field = place->field;
	unsigned index = (unsigned)(field - place->message->descriptor->fields);
	bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;

	place->rule = shape ? &shape->rules[index] : &default_rule;
	if (place->rule->senders && !(place->rule->senders >> w->from & 1))
		return refuse_place(w, IEUM_E_FRAME_UNEXPECTED, place, "is not for this side to send");
	if (f->type != (is_number(field->type) ? WIRE_VARINT : WIRE_BYTES) &&
	    !(repeated && f->type == WIRE_BYTES))
		return refuse_place(w, IEUM_E_FRAME_MALFORMED, place, "is not encoded as its type");
	if (repeated)
		return read_repeated(w, place, f);
	return read_single(w, place, f, UINT64_C(1) << index, seen, present);
}

static enum ieum_err read_fields(struct codec_walk *w, const struct codec_shape *shape, const uint8_t *at,
				 const uint8_t *end, ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	uint64_t seen = 0, present = 0;
	unsigned guess = 0;
	enum ieum_err err;

	while (at < end) {
		struct wire_field f;
		struct codec_place place = { .message = message };

		at = wire_field(at, end, &f);
		if (!at)
			return codec_refuse(w, IEUM_E_FRAME_MALFORMED, NULL, "is cut off or not protobuf");
		place.field = find_field(type, guess, f.number);
		if (!place.field)
			return codec_refuse(w, shape && shape->unknown ? shape->unknown : IEUM_E_FIELD_UNKNOWN, NULL,
					    "has no field %" PRIu32, f.number);
		guess = (unsigned)(place.field - type->fields) + 1;
		err = read_field(w, shape, &place, &f, &seen, &present);
		if (err)
			return err;
	}
	if (!shape)
		return IEUM_E_OK;
	err = check_present(w, shape, present);
	return err || !shape->check ? err : shape->check(w, message);
}

/* ---- the two ways in ---- */

/* The bytes of the first field with that number, however broken the rest is. */
static const uint8_t *find_raw(const uint8_t *at, const uint8_t *end, uint32_t number, struct wire_field *f)
{
	while (at && at < end) {
		at = wire_field(at, end, f);
		if (at && f->number == number)
			return at;
	}
	return NULL;
}

/* To what request, and about what message, is the refusal an answer? */
static void find_ids(const uint8_t *payload, size_t len, struct codec_problem *problem)
{
	static const uint32_t path[] = { 4, 1, 1, 1 }; /* submit, referral, envelope, message_id */
	struct wire_field f;

	if (find_raw(payload, payload + len, 1, &f) && f.type == WIRE_VARINT)
		problem->request_id = f.value;
	f.bytes = payload;
	f.len = len;
	for (size_t i = 0; i < sizeof path / sizeof path[0]; i++)
		if (!find_raw(f.bytes, f.bytes + f.len, path[i], &f) || f.type != WIRE_BYTES)
			return;
	if (f.len == CODEC_ID_BYTES) {
		memcpy(problem->message_id, f.bytes, CODEC_ID_BYTES);
		problem->has_message_id = true;
	}
}

static enum ieum_err check_frame(const struct codec_walk *w, const Ieum__V1__Frame *frame)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field(&ieum__v1__frame__descriptor, frame->what_case);

	if (!field)
		return codec_refuse(w, IEUM_E_FIELD_MISSING, NULL, "holds nothing");
	if (w->from == CODEC_FROM_CLIENT && frame->request_id == 0 &&
	    codec_frame_shape.rules[field - ieum__v1__frame__descriptor.fields].needs_request_id)
		return codec_refuse(w, IEUM_E_FIELD_MISSING, "request_id", "is required with %s", field->name);
	return IEUM_E_OK;
}

enum ieum_err codec_decode(const uint8_t *payload, size_t len, enum codec_from from, struct arena *arena,
			   struct codec_frame *out, struct codec_problem *problem)
{
	struct codec_walk w = {
		.arena = arena,
		.problem = problem,
		.from = from,
		.guards = from == CODEC_FROM_CLIENT,
	};
	Ieum__V1__Frame *frame = arena_alloc(arena, sizeof *frame);
	enum ieum_err err;

	*out = (struct codec_frame){ 0 };
	problem->request_id = 0;
	problem->has_message_id = false;
	if (frame) {
		ieum__v1__frame__init(frame);
		err = read_fields(&w, &codec_frame_shape, payload, payload + len, &frame->base);
		if (!err)
			err = check_frame(&w, frame);
	} else {
		err = out_of_memory(&w);
	}
	if (err) {
		find_ids(payload, len, problem);
		return err;
	}
	*out = (struct codec_frame){ .frame = frame, .referral = w.referral, .referral_len = w.referral_len };
	return IEUM_E_OK;
}

/* Packing and reading back costs little where a message is made by hand, and so there is one
 * set of rules that reads one form. */
enum ieum_err codec_check_referral(const Ieum__V1__Referral *referral, struct codec_problem *problem)
{
	struct arena arena;
	struct codec_walk w = { .arena = &arena, .problem = problem, .root = "referral", .guards = true };
	size_t len = ieum__v1__referral__get_packed_size(referral);
	enum ieum_err err;

	problem->request_id = 0;
	problem->has_message_id = false;
	if (len > CODEC_PAYLOAD_MAX_BYTES)
		return codec_refuse(&w, IEUM_E_FIELD_TOO_LARGE, NULL, "%zu bytes, allowed are %d", len,
				    CODEC_PAYLOAD_MAX_BYTES);
	arena_init(&arena, CODEC_ARENA_BUDGET_BYTES);
	uint8_t *bytes = arena_alloc(&arena, len);
	Ieum__V1__Referral *copy = arena_alloc(&arena, sizeof *copy);
	if (bytes && copy) {
		ieum__v1__referral__init(copy);
		ieum__v1__referral__pack(referral, bytes);
		err = read_fields(&w, &codec_referral_shape, bytes, bytes + len, &copy->base);
	} else {
		err = out_of_memory(&w);
	}
	arena_release(&arena);
	const Ieum__V1__Envelope *envelope = referral->envelope;
	if (err && envelope && envelope->message_id.len == CODEC_ID_BYTES) {
		memcpy(problem->message_id, envelope->message_id.data, CODEC_ID_BYTES);
		problem->has_message_id = true;
	}
	return err;
}
