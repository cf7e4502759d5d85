/* What a rule wants and what the message has instead, in words; see trace_rule.h.
 *
 * A new condition gets a row in `parts`; without one it is told of by its key alone. */
#include "broker/policy/trace_rule.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ieum/v1/referral.pb-c.h"
#include "ieum/v1/types.pb-c.h"
#include "proto/catalog.h"

/* Values one after the other, as many as there is room for. */
struct words {
	char *text;
	size_t bytes;
	size_t used;
};

static void add_format(struct words *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add_format(struct words *w, const char *format, ...)
{
	va_list args;

	if (w->used >= w->bytes)
		return;
	if (w->used > 0)
		w->used +=
			(size_t)snprintf(w->text + w->used, w->bytes - w->used, "%s", tr(" or "));
	if (w->used >= w->bytes)
		return;
	va_start(args, format);
	w->used += (size_t)vsnprintf(w->text + w->used, w->bytes - w->used, format, args);
	va_end(args);
}

static void add_word(struct words *w, const ProtobufCEnumDescriptor *type, int value)
{
	char word[PBMAP_WORD_BYTES];

	if (value != 0 && pbmap_enum_word(type, value, word))
		add_format(w, "%s", word);
}

static void add_bits(struct words *w, const ProtobufCEnumDescriptor *type, uint64_t bits)
{
	for (unsigned i = 0; i < type->n_values; i++) {
		int value = type->values[i].value;

		if (value < 64 && bits & UINT64_C(1) << value)
			add_word(w, type, value);
	}
}

void trace_words(const ProtobufCEnumDescriptor *type, uint64_t bits, char *out, size_t out_bytes)
{
	struct words w = { .text = out, .bytes = out_bytes };

	*out = '\0';
	add_bits(&w, type, bits);
}

/* ---- what the envelope has ---- */

typedef void part_writer(const struct condition *c, const struct scope *s, struct words *is,
			 struct words *wants);

static void write_category(const struct condition *c, const struct scope *s, struct words *is,
			   struct words *wants)
{
	add_word(is, &ieum__v1__category__descriptor, (int)s->category);
	add_bits(wants, &ieum__v1__category__descriptor, c->categories);
}

static void write_urgency(const struct condition *c, const struct scope *s, struct words *is,
			  struct words *wants)
{
	add_word(is, &ieum__v1__urgency__descriptor, (int)s->urgency);
	add_bits(wants, &ieum__v1__urgency__descriptor, c->urgencies);
}

static void write_basis(const struct condition *c, const struct scope *s, struct words *is,
			struct words *wants)
{
	add_word(is, &ieum__v1__basis_kind__descriptor, (int)s->basis);
	add_bits(wants, &ieum__v1__basis_kind__descriptor, c->bases);
}

static const char *kind_name(const struct policy *p, int kind)
{
	return kind == POLICY_KIND_HUB ? "hub" : p->kinds[kind].name;
}

static void write_sender_kind(const struct condition *c, const struct scope *s, struct words *is,
			      struct words *wants)
{
	add_format(is, "%s", kind_name(s->p, s->sender_kind));
	for (int kind = 0; kind <= POLICY_KIND_HUB; kind++) {
		if (c->sender_kinds & UINT64_C(1) << kind)
			add_format(wants, "%s", kind_name(s->p, kind));
	}
}

static void write_sender(const struct condition *c, const struct scope *s, struct words *is,
			 struct words *wants)
{
	if (s->ctx->sender != POLICY_NONE)
		add_format(is, "%s", s->p->participants[s->ctx->sender].name);
	for (size_t i = 0; i < c->n_senders; i++)
		add_format(wants, "%s", s->p->participants[c->senders[i]].name);
}

static void write_jurisdiction(const struct condition *c, const struct scope *s, struct words *is,
			       struct words *wants)
{
	add_format(is, "%s", s->jurisdiction);
	for (size_t i = 0; i < c->n_jurisdictions; i++)
		add_format(wants, "%s", c->jurisdictions[i]);
}

/* Of what can only be so or not, it is the other way than it should be. */
static void write_flag(int want, struct words *is, struct words *wants)
{
	add_format(is, "%s", want ? "false" : "true");
	add_format(wants, "%s", want ? "true" : "false");
}

static void write_addressed(const struct condition *c, const struct scope *s, struct words *is,
			    struct words *wants)
{
	(void)s;
	write_flag(c->addressed, is, wants);
}

static void write_opens_case(const struct condition *c, const struct scope *s, struct words *is,
			     struct words *wants)
{
	(void)s;
	write_flag(c->opens_case, is, wants);
}

static void write_working_hours(const struct condition *c, const struct scope *s, struct words *is,
				struct words *wants)
{
	(void)s;
	write_flag(c->working_hours, is, wants);
}

/* ---- what the case has ---- */

static void write_case_state(const struct condition *c, const struct scope *s, struct words *is,
			     struct words *wants)
{
	add_word(is, &ieum__v1__case_state__descriptor, (int)s->ctx->case_state);
	add_bits(wants, &ieum__v1__case_state__descriptor, c->case_states);
}

static void write_replies_to(const struct condition *c, const struct scope *s, struct words *is,
			     struct words *wants)
{
	add_word(is, &ieum__v1__message_type__descriptor, (int)s->ctx->replied_type);
	add_bits(wants, &ieum__v1__message_type__descriptor, c->replies_to);
}

static void write_grade(const struct condition *c, const struct scope *s, struct words *is,
			struct words *wants)
{
	const char *grade = s->ctx->case_grade;

	add_format(is, "%s", grade && *grade ? grade : "-");
	for (size_t i = 0; i < c->n_grades; i++)
		add_format(wants, "%s", c->grades[i]);
}

static void write_consent_withdrawn(const struct condition *c, const struct scope *s,
				    struct words *is, struct words *wants)
{
	(void)s;
	write_flag(c->consent_withdrawn, is, wants);
}

static void write_linked_set(const struct condition *c, const struct scope *s, struct words *is,
			     struct words *wants)
{
	(void)s;
	write_flag(c->linked_set, is, wants);
}

static void write_drill(const struct condition *c, const struct scope *s, struct words *is,
			struct words *wants)
{
	(void)s;
	write_flag(c->drill, is, wants);
}

/* ---- what the body has, and counters have ---- */

static void add_number(struct words *w, const ProtobufCFieldDescriptor *field, int64_t number)
{
	if (field->type == PROTOBUF_C_TYPE_BOOL)
		add_format(w, "%s", number ? "true" : "false");
	else if (field->type == PROTOBUF_C_TYPE_ENUM)
		add_word(w, field->descriptor, (int)number);
	else
		add_format(w, "%" PRId64, number);
}

static void add_wanted(struct words *w, const struct field_test *t)
{
	static const char *const signs[] = {
		[FIELD_IN] = "",
		[FIELD_NOT] = "!= ",
		[FIELD_AT_LEAST] = ">= ",
		[FIELD_AT_MOST] = "<= ",
		[FIELD_OVER] = "> ",
		[FIELD_UNDER] = "< ",
		[FIELD_REACHES] = "reaches ",
	};

	if (*signs[t->op]) {
		add_format(w, "%s%" PRId64, signs[t->op], t->numbers[0]);
		return;
	}
	for (size_t i = 0; i < t->n; i++) {
		if (t->field->type == PROTOBUF_C_TYPE_STRING)
			add_format(w, "'%s'", t->words[i]);
		else
			add_number(w, t->field, t->numbers[i]);
	}
}

static void write_counts(const struct condition *c, const struct scope *s, struct words *is,
			 struct words *wants)
{
	for (size_t i = 0; i < c->n_counts; i++) {
		const struct count_test *t = &c->counts[i];
		const char *name = policy_counter(s->p, t->counter)->name;
		char wanted[POLICY_TRACE_VALUE_BYTES] = "";
		struct words one = { .text = wanted, .bytes = sizeof wanted };

		add_format(is, "%s %" PRId64, name,
			   s->ctx->counts ? s->ctx->counts[t->counter] : 0);
		add_wanted(&one, &t->is);
		add_format(wants, "%s %s", name, wanted);
	}
}

static void write_fact(const struct field_test *t, const struct scope *s, struct words *is,
		       struct words *wants)
{
	int64_t number;
	const char *text;

	add_wanted(wants, t);
	for (size_t i = 0; s->body && field_value(t->field, s->body, i, &number, &text); i++) {
		if (t->field->type == PROTOBUF_C_TYPE_STRING)
			add_format(is, "'%s'", text);
		else
			add_number(is, t->field, number);
	}
}

static void write_unmet(const struct deciding *d, const struct rule *rule, struct policy_look *look)
{
	static const struct {
		const char *key;
		part_writer *write_cb;
	} parts[] = {
		{ "category", write_category },
		{ "urgency", write_urgency },
		{ "basis", write_basis },
		{ "sender_kind", write_sender_kind },
		{ "sender", write_sender },
		{ "jurisdiction", write_jurisdiction },
		{ "addressed", write_addressed },
		{ "opens_case", write_opens_case },
		{ "replies_to", write_replies_to },
		{ "working_hours", write_working_hours },
		{ "case_state", write_case_state },
		{ "grade", write_grade },
		{ "count", write_counts },
		{ "consent_withdrawn", write_consent_withdrawn },
		{ "linked_set", write_linked_set },
		{ "drill", write_drill },
	};
	struct words is = { .text = look->is, .bytes = sizeof look->is };
	struct words wants = { .text = look->wants, .bytes = sizeof look->wants };
	const struct field_test *test = condition_failed_test(&rule->when, &d->s);

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		if (strcmp(parts[i].key, look->key) == 0) {
			parts[i].write_cb(&rule->when, &d->s, &is, &wants);
			return;
		}
	}
	if (test && strcmp(test->field->name, look->key) == 0)
		write_fact(test, &d->s, &is, &wants);
}

static enum policy_verdict verdict_of(const struct deciding *d, const struct rule *rule,
				      const char *unmet, enum ieum_err err)
{
	if (unmet)
		return POLICY_RULE_UNMET;
	if (rule->forbid)
		return POLICY_RULE_FORBIDS;
	if (err)
		return POLICY_RULE_REFUSES;
	if (rule->needs_basis && !(rule->needs_basis & 1U << d->s.basis))
		return POLICY_RULE_LACKS_BASIS;
	return POLICY_RULE_APPLIES;
}

void trace_rule(const struct deciding *d, const struct rule *rule, const char *unmet,
		enum ieum_err err, size_t first_route, size_t first_task)
{
	struct policy_look look = {
		.rule = rule->name,
		.line = rule->line,
		.verdict = verdict_of(d, rule, unmet, err),
		.key = unmet ? unmet : "",
		.first_route = first_route,
		.n_routes = d->out->n_routes - first_route,
		.first_task = first_task,
		.n_tasks = d->out->n_tasks - first_task,
	};

	if (look.verdict == POLICY_RULE_UNMET) {
		write_unmet(d, rule, &look);
	} else if (look.verdict == POLICY_RULE_LACKS_BASIS) {
		const struct condition needs = { .bases = rule->needs_basis };
		struct words is = { .text = look.is, .bytes = sizeof look.is };
		struct words wants = { .text = look.wants, .bytes = sizeof look.wants };

		look.key = "needs_basis";
		write_basis(&needs, &d->s, &is, &wants);
	}
	d->s.ctx->trace->look_cb(d->s.ctx->trace->ctx, &look);
}
