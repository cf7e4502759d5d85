/* What the parts of the decoder share; for proto/codec*.c alone.
 *
 *   codec_decode.c   messages and the ways in    codec_value.c   single values
 *   codec_problem.c  what was wrong, and where   codec_check.c   several fields of one message */
#ifndef IEUM_PROTO_CODEC_WALK_H
#define IEUM_PROTO_CODEC_WALK_H

#include "proto/codec.h"
#include "proto/codec_rules.h"
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

/* codec_problem.c; codec_refuse() is in codec_rules.h. */
enum ieum_err codec_refuse_place(const struct codec_walk *w, enum ieum_err code,
				 const struct codec_place *place, const char *format,
				 ...) IEUM_MUST_CHECK __attribute__((format(printf, 4, 5)));
enum ieum_err codec_out_of_memory(const struct codec_walk *w) IEUM_MUST_CHECK;

/* codec_value.c: how a value of that type lies in its struct, and one from the wire into *to.  The
 * place's rule is kept; texts are copied into the arena, bytes are not copied. */
size_t codec_value_size(ProtobufCType type);
bool codec_is_number(ProtobufCType type);
enum ieum_err codec_read_number(const struct codec_walk *w, const struct codec_place *place,
				uint64_t raw, void *to) IEUM_MUST_CHECK;
enum ieum_err codec_read_text(struct codec_walk *w, const struct codec_place *place,
			      const struct wire_field *f, char **to) IEUM_MUST_CHECK;
enum ieum_err codec_read_bytes(const struct codec_walk *w, const struct codec_place *place,
			       const struct wire_field *f, ProtobufCBinaryData *to) IEUM_MUST_CHECK;

#endif
