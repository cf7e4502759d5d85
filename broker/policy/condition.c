/* Does a message meet a rule's condition? */
#include "broker/policy/route.h"

#include <string.h>

static bool has_bit(uint64_t bits, int value)
{
	return bits == 0 || (value >= 0 && value < 64 && bits & UINT64_C(1) << value);
}

static bool wants(int want, bool is)
{
	return want < 0 || (want != 0) == is;
}

static bool is_sender(const struct condition *c, int sender)
{
	for (size_t i = 0; i < c->n_senders; i++) {
		if (c->senders[i] == sender)
			return true;
	}
	return c->n_senders == 0;
}

static bool is_in_jurisdiction(const struct condition *c, const char *code)
{
	for (size_t i = 0; i < c->n_jurisdictions; i++) {
		if (policy_covers(c->jurisdictions[i], code))
			return true;
	}
	return c->n_jurisdictions == 0;
}

static bool number_passes(const struct field_test *t, int64_t value)
{
	bool is_in = false;

	switch (t->op) {
	case FIELD_AT_LEAST: return value >= t->numbers[0];
	case FIELD_AT_MOST: return value <= t->numbers[0];
	case FIELD_OVER: return value > t->numbers[0];
	case FIELD_UNDER: return value < t->numbers[0];
	case FIELD_IN:
	case FIELD_NOT: break;
	}
	for (size_t i = 0; i < t->n; i++)
		is_in |= t->numbers[i] == value;
	return is_in == (t->op == FIELD_IN);
}

static bool text_passes(const struct field_test *t, const char *text)
{
	bool is_in = false;

	for (size_t i = 0; i < t->n; i++)
		is_in |= strcmp(t->words[i], text) == 0;
	return is_in == (t->op == FIELD_IN);
}

static size_t width_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64: return sizeof(int64_t);
	case PROTOBUF_C_TYPE_STRING: return sizeof(char *);
	default: return sizeof(int32_t);
	}
}

/* The value that lies at `at`; enums and bools are ints there. */
static bool value_passes(const struct field_test *t, const void *at)
{
	int32_t narrow;
	uint32_t positive;
	int64_t wide;

	switch (t->field->type) {
	case PROTOBUF_C_TYPE_STRING: {
		const char *text = *(const char *const *)at;

		return text_passes(t, text ? text : "");
	}
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		memcpy(&positive, at, sizeof positive);
		return number_passes(t, positive);
	default: break;
	}
	if (width_of(t->field->type) == sizeof wide) {
		memcpy(&wide, at, sizeof wide);
		return number_passes(t, wide);
	}
	memcpy(&narrow, at, sizeof narrow);
	return number_passes(t, narrow);
}

static bool test_passes(const struct field_test *t, const void *body)
{
	const char *at = (const char *)body + t->field->offset;
	size_t n;

	if (t->field->label != PROTOBUF_C_LABEL_REPEATED)
		return value_passes(t, at);
	/* Of several values one is enough. */
	memcpy(&n, (const char *)body + t->field->quantifier_offset, sizeof n);
	at = *(const char *const *)(const void *)at;
	for (size_t i = 0; i < n; i++) {
		if (value_passes(t, at + i * width_of(t->field->type)))
			return true;
	}
	return false;
}

static bool fields_pass(const struct condition *c, const struct scope *s)
{
	for (size_t i = 0; i < c->n_tests; i++) {
		if (c->tests[i].type == s->type &&
		    (!s->body || !test_passes(&c->tests[i], s->body)))
			return false;
	}
	return true;
}

/* Cheapest first: most rules of a type differ in category or kind of sender.  The type itself
 * was looked at already, when the rules were sorted by type. */
bool condition_meets(const struct condition *c, const struct scope *s)
{
	return has_bit(c->categories, s->category) && has_bit(c->sender_kinds, s->sender_kind) &&
	       has_bit(c->urgencies, s->urgency) && has_bit(c->bases, s->basis) &&
	       wants(c->addressed, s->envelope->n_addressees > 0) &&
	       wants(c->opens_case, s->envelope->open_case) && is_sender(c, s->ctx->sender) &&
	       is_in_jurisdiction(c, s->jurisdiction) && fields_pass(c, s) &&
	       wants(c->working_hours,
		     c->working_hours >= 0 && calendar_is_open(&s->p->calendar, s->ctx->now_ms));
}

const char *body_text(const struct scope *s, const ProtobufCFieldDescriptor *field)
{
	const char *text = NULL;

	if (s->body && field)
		memcpy(&text, (const char *)s->body + field->offset, sizeof text);
	return text && *text ? text : NULL;
}
