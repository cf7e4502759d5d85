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
	case FIELD_REACHES: return value >= t->numbers[0]; /* and less before: reaches_now() */
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
static void read_value(ProtobufCType type, const void *at, int64_t *number, const char **text)
{
	int32_t narrow;
	uint32_t positive;

	switch (type) {
	case PROTOBUF_C_TYPE_STRING:
		memcpy(text, at, sizeof *text);
		*text = *text ? *text : "";
		return;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		memcpy(&positive, at, sizeof positive);
		*number = positive;
		return;
	default: break;
	}
	if (width_of(type) == sizeof *number) {
		memcpy(number, at, sizeof *number);
		return;
	}
	memcpy(&narrow, at, sizeof narrow);
	*number = narrow;
}

bool field_value(const ProtobufCFieldDescriptor *field, const void *body, size_t i, int64_t *number,
		 const char **text)
{
	const char *at = (const char *)body + field->offset;
	size_t n = 1;

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		memcpy(&n, (const char *)body + field->quantifier_offset, sizeof n);
		at = *(const char *const *)(const void *)at;
	}
	if (i < n)
		read_value(field->type, at + i * width_of(field->type), number, text);
	return i < n;
}

/* Of several values one is enough. */
static bool test_passes(const struct field_test *t, const void *body)
{
	const char *text = NULL;
	int64_t number = 0;

	for (size_t i = 0; field_value(t->field, body, i, &number, &text); i++) {
		if (t->field->type == PROTOBUF_C_TYPE_STRING ? text_passes(t, text)
							     : number_passes(t, number))
			return true;
	}
	return false;
}

const struct field_test *condition_failed_test(const struct condition *c, const struct scope *s)
{
	for (size_t i = 0; i < c->n_tests; i++) {
		if (c->tests[i].type == s->type &&
		    (!s->body || !test_passes(&c->tests[i], s->body)))
			return &c->tests[i];
	}
	return NULL;
}

static bool is_of_grade(const struct condition *c, const char *grade)
{
	const char *is = grade && *grade ? grade : "-";

	for (size_t i = 0; i < c->n_grades; i++) {
		if (strcmp(c->grades[i], is) == 0)
			return true;
	}
	return c->n_grades == 0;
}

/* Was it less without the message? */
static bool reaches_now(const struct scope *s, const struct count_test *t, int64_t count)
{
	struct policy_counting with = policy_count(s->p, t->counter, s->ctx);

	return with.counts && count - with.weight < t->is.numbers[0];
}

static bool counts_pass(const struct condition *c, const struct scope *s)
{
	const struct policy_context *ctx = s->ctx;

	for (size_t i = 0; i < c->n_counts; i++) {
		const struct count_test *t = &c->counts[i];

		int64_t count = ctx->counts ? ctx->counts[t->counter] : 0;

		if (count == POLICY_COUNT_UNKNOWN || !number_passes(&t->is, count) ||
		    (t->is.op == FIELD_REACHES && !reaches_now(s, t, count)))
			return false;
	}
	return true;
}

bool condition_depends(const struct condition *c, const struct scope *s)
{
	struct condition without = *c;
	bool unknown = false;

	for (size_t i = 0; i < c->n_counts; i++)
		unknown |= s->ctx->counts &&
			   s->ctx->counts[c->counts[i].counter] == POLICY_COUNT_UNKNOWN;
	without.n_counts = 0;
	return unknown && !condition_unmet(&without, s);
}

/* What is known of the case, and of the hub. */
static const char *case_unmet(const struct condition *c, const struct scope *s)
{
	if (!has_bit(c->case_states, s->ctx->case_state))
		return "case_state";
	if (!is_of_grade(c, s->ctx->case_grade))
		return "grade";
	if (!wants(c->consent_withdrawn, s->ctx->consent_withdrawn))
		return "consent_withdrawn";
	if (!counts_pass(c, s))
		return "count";
	if (!wants(c->linked_set, s->ctx->linked_set))
		return "linked_set";
	if (!wants(c->drill, s->ctx->drill))
		return "drill";
	return NULL;
}

/* Cheapest first: most rules of a type differ in category or kind of sender.  The type itself
 * was looked at already, when the rules were sorted by type. */
const char *condition_unmet(const struct condition *c, const struct scope *s)
{
	const struct field_test *failed;

	if (!has_bit(c->categories, s->category))
		return "category";
	if (!has_bit(c->sender_kinds, s->sender_kind))
		return "sender_kind";
	if (!has_bit(c->urgencies, s->urgency))
		return "urgency";
	if (!has_bit(c->bases, s->basis))
		return "basis";
	if (!wants(c->addressed, s->envelope->n_addressees > 0))
		return "addressed";
	if (!has_bit(c->replies_to, (int)s->ctx->replied_type))
		return "replies_to";
	if (!wants(c->opens_case, s->envelope->open_case))
		return "opens_case";
	if (!is_sender(c, s->ctx->sender))
		return "sender";
	if (!is_in_jurisdiction(c, s->jurisdiction))
		return "jurisdiction";
	const char *of_case = case_unmet(c, s);
	if (of_case)
		return of_case;
	failed = condition_failed_test(c, s);
	if (failed)
		return failed->field->name;
	if (c->working_hours >= 0 &&
	    !wants(c->working_hours, calendar_is_open(&s->p->calendar, s->ctx->now_ms)))
		return "working_hours";
	return NULL;
}

int64_t body_number(const struct scope *s, const ProtobufCFieldDescriptor *field)
{
	int64_t wide = 0;
	int32_t narrow = 0;

	if (!s->body || !field)
		return 0;
	if (width_of(field->type) == sizeof wide) {
		memcpy(&wide, (const char *)s->body + field->offset, sizeof wide);
		return wide;
	}
	memcpy(&narrow, (const char *)s->body + field->offset, sizeof narrow);
	return narrow;
}

const char *body_text(const struct scope *s, const ProtobufCFieldDescriptor *field)
{
	const char *text = NULL;

	if (s->body && field)
		memcpy(&text, (const char *)s->body + field->offset, sizeof text);
	return text && *text ? text : NULL;
}
