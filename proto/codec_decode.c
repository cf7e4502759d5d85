/* Bytes to a checked frame, in one pass.
 *
 * protobuf_c_message_unpack() is not used here: it forgets how long a text was on the wire (so
 * a NUL inside goes unseen), takes the last of duplicates, keeps unknown fields and copies
 * every payload.  This decoder fills the same structs, guided by the same descriptors, and
 * checks each byte while it is at hand; bytes fields point into the input.
 *
 * What always holds: a message is filled only up to the first problem; nothing is allocated
 * for an entry that a limit refuses; recursion is as deep as the schema (CODEC_DEPTH_MAX). */
#include <inttypes.h>
#include <string.h>

#include "proto/codec_walk.h"

static const struct codec_rule default_rule;

bool codec_guards(const struct codec_walk *w)
{
	return w->guards;
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
	size_t size = codec_value_size(place->field->type);
	size_t max = place->rule->count_max;

	if (max == 0)
		max = w->from == CODEC_FROM_HUB ? CODEC_HUB_REPEATED_MAX : CODEC_REPEATED_MAX;
	place->index = *n;
	if (more > max - *n)
		return codec_refuse_place(w, IEUM_E_FIELD_TOO_LARGE, place, "more than %zu entries",
					  max);
	if (room_for(*n + more) > room_for(*n)) {
		void *bigger = arena_alloc(w->arena, room_for(*n + more) * size);
		if (!bigger)
			return codec_out_of_memory(w);
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
static enum ieum_err read_packed(struct codec_walk *w, struct codec_place *place,
				 const struct wire_field *f)
{
	const uint8_t *at = f->bytes, *end = f->bytes + f->len;
	size_t size = codec_value_size(place->field->type);
	size_t n = 0;
	void *to;

	for (const uint8_t *byte = at; byte < end; byte++)
		n += *byte < 0x80;
	if (f->len == 0)
		return IEUM_E_OK;
	if (n == 0)
		return codec_refuse_place(w, IEUM_E_FRAME_MALFORMED, place, "is cut off");
	enum ieum_err err = grow(w, place, n, &to);
	if (err)
		return err;
	for (; at < end; to = (uint8_t *)to + size) {
		uint64_t raw;

		at = wire_varint(at, end, &raw);
		if (!at)
			return codec_refuse_place(w, IEUM_E_FRAME_MALFORMED, place, "is cut off");
		err = codec_read_number(w, place, raw, to);
		if (err)
			return err;
		place->index++;
	}
	count_in(place, n);
	return IEUM_E_OK;
}

/* ---- messages ---- */

static enum ieum_err read_fields(struct codec_walk *w, const struct codec_shape *shape,
				 const uint8_t *at, const uint8_t *end, ProtobufCMessage *message);

static enum ieum_err read_message(struct codec_walk *w, const struct codec_place *place,
				  const struct wire_field *f, ProtobufCMessage **to)
{
	const ProtobufCMessageDescriptor *type = place->field->descriptor;
	const struct codec_rule *rule = place->rule;
	struct codec_level level = { .up = w->level, .field = place->field, .index = place->index };

	if (rule->max && f->len > rule->max)
		return codec_refuse_place(w, IEUM_E_FIELD_TOO_LARGE, place,
					  "%zu bytes, allowed are %u", f->len, rule->max);
	ProtobufCMessage *message = arena_alloc(w->arena, type->sizeof_message);
	if (!message)
		return codec_out_of_memory(w);
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
static enum ieum_err read_value(struct codec_walk *w, struct codec_place *place,
				const struct wire_field *f, void *to, bool *set)
{
	switch (place->field->type) {
	case PROTOBUF_C_TYPE_STRING: *set = f->len > 0; return codec_read_text(w, place, f, to);
	case PROTOBUF_C_TYPE_BYTES: *set = f->len > 0; return codec_read_bytes(w, place, f, to);
	case PROTOBUF_C_TYPE_MESSAGE: *set = true; return read_message(w, place, f, to);
	default: *set = f->value != 0; return codec_read_number(w, place, f->value, to);
	}
}

static enum ieum_err read_repeated(struct codec_walk *w, struct codec_place *place,
				   const struct wire_field *f)
{
	void *to = NULL;
	bool set;

	if (codec_is_number(place->field->type) && f->type == WIRE_BYTES)
		return read_packed(w, place, f);
	enum ieum_err err = grow(w, place, 1, &to);
	if (!err)
		err = read_value(w, place, f, to, &set);
	if (!err)
		count_in(place, 1);
	return err;
}

/* *seen marks fields that were there, *set those that were not zero. */
static enum ieum_err read_single(struct codec_walk *w, struct codec_place *place,
				 const struct wire_field *f, uint64_t bit, uint64_t *seen,
				 uint64_t *present)
{
	const ProtobufCFieldDescriptor *field = place->field;
	bool set;

	if (*seen & bit)
		return codec_refuse_place(w, IEUM_E_FIELD_INVALID, place, "is there twice");
	*seen |= bit;
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		uint32_t *chosen =
			(uint32_t *)(void *)((uint8_t *)place->message + field->quantifier_offset);

		if (*chosen)
			return codec_refuse_place(w, IEUM_E_FIELD_INVALID, place,
						  "excludes another field that is there too");
		*chosen = field->id;
	}
	enum ieum_err err =
		read_value(w, place, f, (uint8_t *)place->message + field->offset, &set);
	if (set)
		*present |= bit;
	return err;
}

static enum ieum_err check_present(const struct codec_walk *w, const struct codec_shape *shape,
				   uint64_t present)
{
	for (size_t i = 0; i < shape->n_rules; i++) {
		const struct codec_rule *rule = &shape->rules[i];

		if (rule->required && !(present >> i & 1))
			return codec_refuse(w, rule->missing ? rule->missing : IEUM_E_FIELD_MISSING,
					    rule->name, "is required");
	}
	return IEUM_E_OK;
}

/* Fields mostly come in order, so the one after the last is tried first. */
static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *type,
						  unsigned guess, uint32_t number)
{
	if (guess < type->n_fields && type->fields[guess].id == number)
		return &type->fields[guess];
	return protobuf_c_message_descriptor_get_field(type, number);
}

static enum ieum_err read_field(struct codec_walk *w, const struct codec_shape *shape,
				struct codec_place *place, const struct wire_field *f,
				uint64_t *seen, uint64_t *present)
{
	const ProtobufCFieldDescriptor *field = place->field;
	unsigned index = (unsigned)(field - place->message->descriptor->fields);
	bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;

	place->rule = shape ? &shape->rules[index] : &default_rule;
	if (place->rule->senders && !(place->rule->senders >> w->from & 1))
		return codec_refuse_place(w, IEUM_E_FRAME_UNEXPECTED, place,
					  "is not for this side to send");
	if (f->type != (codec_is_number(field->type) ? WIRE_VARINT : WIRE_BYTES) &&
	    !(repeated && f->type == WIRE_BYTES))
		return codec_refuse_place(w, IEUM_E_FRAME_MALFORMED, place,
					  "is not encoded as its type");
	if (repeated)
		return read_repeated(w, place, f);
	return read_single(w, place, f, UINT64_C(1) << index, seen, present);
}

static enum ieum_err read_fields(struct codec_walk *w, const struct codec_shape *shape,
				 const uint8_t *at, const uint8_t *end, ProtobufCMessage *message)
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
			return codec_refuse(w, IEUM_E_FRAME_MALFORMED, NULL,
					    "is cut off or not protobuf");
		place.field = find_field(type, guess, f.number);
		if (!place.field)
			return codec_refuse(
				w, shape && shape->unknown ? shape->unknown : IEUM_E_FIELD_UNKNOWN,
				NULL, "has no field %" PRIu32, f.number);
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
static const uint8_t *find_raw(const uint8_t *at, const uint8_t *end, uint32_t number,
			       struct wire_field *f)
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
		protobuf_c_message_descriptor_get_field(&ieum__v1__frame__descriptor,
							frame->what_case);

	if (!field)
		return codec_refuse(w, IEUM_E_FIELD_MISSING, NULL, "holds nothing");
	if (w->from == CODEC_FROM_CLIENT && frame->request_id == 0 &&
	    codec_frame_shape.rules[field - ieum__v1__frame__descriptor.fields].needs_request_id)
		return codec_refuse(w, IEUM_E_FIELD_MISSING, "request_id", "is required with %s",
				    field->name);
	return IEUM_E_OK;
}

enum ieum_err codec_decode(const uint8_t *payload, size_t len, enum codec_from from,
			   struct arena *arena, struct codec_frame *out,
			   struct codec_problem *problem)
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
		err = codec_out_of_memory(&w);
	}
	if (err) {
		find_ids(payload, len, problem);
		return err;
	}
	*out = (struct codec_frame){ .frame = frame,
				     .referral = w.referral,
				     .referral_len = w.referral_len };
	return IEUM_E_OK;
}

/* Packing and reading back costs little where a message is made by hand, and so there is one
 * set of rules that reads one form. */
enum ieum_err codec_check_referral(const Ieum__V1__Referral *referral,
				   struct codec_problem *problem)
{
	struct arena arena;
	struct codec_walk w = {
		.arena = &arena, .problem = problem, .root = "referral", .guards = true
	};
	size_t len = ieum__v1__referral__get_packed_size(referral);
	enum ieum_err err;

	problem->request_id = 0;
	problem->has_message_id = false;
	if (len > CODEC_PAYLOAD_MAX_BYTES)
		return codec_refuse(&w, IEUM_E_FIELD_TOO_LARGE, NULL, "%zu bytes, allowed are %d",
				    len, CODEC_PAYLOAD_MAX_BYTES);
	arena_init(&arena, CODEC_ARENA_BUDGET_BYTES);
	uint8_t *bytes = arena_alloc(&arena, len);
	Ieum__V1__Referral *copy = arena_alloc(&arena, sizeof *copy);
	if (bytes && copy) {
		ieum__v1__referral__init(copy);
		ieum__v1__referral__pack(referral, bytes);
		err = read_fields(&w, &codec_referral_shape, bytes, bytes + len, &copy->base);
	} else {
		err = codec_out_of_memory(&w);
	}
	arena_release(&arena);
	const Ieum__V1__Envelope *envelope = referral->envelope;
	if (err && envelope && envelope->message_id.len == CODEC_ID_BYTES) {
		memcpy(problem->message_id, envelope->message_id.data, CODEC_ID_BYTES);
		problem->has_message_id = true;
	}
	return err;
}
