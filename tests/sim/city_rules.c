/* The rules of a random city: one or several for most message types, by templates over the
 * grammar of docs/hub-file.md. */
#include <stdlib.h>
#include <string.h>

#include "ieum/v1/body.pb-c.h"
#include "ieum/v1/referral.pb-c.h"
#include "proto/pbmap.h"
#include "tests/sim/city_internal.h"

void city_type_word(int type, char *out, size_t bytes)
{
	char word[PBMAP_WORD_BYTES];

	if (!pbmap_enum_word(&ieum__v1__message_type__descriptor, type, word))
		abort();
	out[0] = '\0';
	city_add(out, bytes, "%s", word);
}

/* What the hub makes itself in these cities; a rule of one makes only later ones. */
static const int made_types[] = { TYPE(MUTUAL_NOTIFICATION), TYPE(VISIT_REQUEST),
				  TYPE(RECURRENCE_ALERT), TYPE(MONITORING_DUE), TYPE(CHECKIN) };
enum { MADE_TYPES = sizeof made_types / sizeof made_types[0] };

static const int ordinary_types[] = {
	TYPE(REPORT_RECEIVED),
	TYPE(DISPATCH_REQUEST),
	TYPE(DISPATCH_RESULT),
	TYPE(REFERRAL),
	TYPE(EMERGENCY_MEASURE_REPORT),
	TYPE(EMERGENCY_TEMPORARY_MEASURE_NOTICE),
	TYPE(TEMPORARY_MEASURE_NOTICE),
	TYPE(COURT_FILING_NOTICE),
	TYPE(CONFERENCE_CALL),
	TYPE(CONFERENCE_MINUTES),
	TYPE(INFORMATION_REQUEST),
	TYPE(CASE_JUDGEMENT),
	TYPE(PROTECTION_PLAN),
	TYPE(CASE_PLAN),
	TYPE(MEDICAL_REQUEST),
	TYPE(CONTACT_RESULT),
	TYPE(SERVICE_REPORT),
	TYPE(INTERPRETER_REQUEST),
	TYPE(REUNIFICATION_REQUEST),
	TYPE(TRANSFER),
	TYPE(RISK_SIGNAL),
};
enum { ORDINARY_TYPES = sizeof ordinary_types / sizeof ordinary_types[0] };

struct city_rule *city_new_rule(struct city *c, const char *name, int type)
{
	struct city_rule *r = &c->rules[c->n_rules];

	if (c->n_rules == CITY_RULES_MAX)
		abort();
	c->n_rules++;
	city_add(r->name, sizeof r->name, "%s-%d", name, c->n_rules);
	r->type = type;
	r->takes_clocks = true;
	return r;
}

/* ---- when ---- */

/* A key stands once in a condition. */
static void add_when(struct city_rule *r, const char *key, const char *value)
{
	char start[CITY_NAME_BYTES + 8] = "";

	city_add(start, sizeof start, ", %s: ", key);
	if (!strstr(r->when, start))
		city_add(r->when, sizeof r->when, "%s%s", start, value);
}

/* A fact of the body that may be or not. */
static void body_fact(struct city *c, struct city_rule *r)
{
	char value[CITY_NAME_BYTES] = "";
	const ProtobufCFieldDescriptor *body =
		protobuf_c_message_descriptor_get_field(&ieum__v1__referral__descriptor,
							100 + (unsigned)r->type);
	const ProtobufCMessageDescriptor *of = body->descriptor;
	const ProtobufCFieldDescriptor *f = &of->fields[city_random(c, of->n_fields)];
	char word[PBMAP_WORD_BYTES];

	if (f->label == PROTOBUF_C_LABEL_REPEATED || strcmp(f->name, "grade") == 0)
		return;
	if (f->type == PROTOBUF_C_TYPE_BOOL) {
		add_when(r, f->name, city_once_in(c, 2) ? "true" : "false");
	} else if (f->type == PROTOBUF_C_TYPE_UINT32) {
		city_add(value, sizeof value, "\"%s %u\"",
			 city_once_in(c, 2) ? ">=" : "<=", (unsigned)(1 + city_random(c, 3)));
		add_when(r, f->name, value);
	} else if (f->type == PROTOBUF_C_TYPE_ENUM) {
		const ProtobufCEnumDescriptor *e = f->descriptor;
		if (!pbmap_enum_word(e, e->values[1 + city_random(c, e->n_values - 1)].value, word))
			abort();
		city_add(value, sizeof value, "\"%s\"", word);
		add_when(r, f->name, value);
	}
}

/* A kind that may send it; authorities may send all. */
static const char *sender_kind(struct city *c, int type)
{
	for (int tries = 0; tries < 8; tries++) {
		const struct city_kind *k = &c->kinds[city_random(c, (uint64_t)c->n_kinds)];
		if (k->n > 0 && k->may_send & BIT(type))
			return k->name;
	}
	return c->kinds[0].name;
}

static void condition(struct city *c, struct city_rule *r)
{
	static const char *const categories[] = {
		"domestic_violence", "[child_neglect, child_abuse_physical]",
		"[stalking, dating_violence, sexual_violence]",
		"[family_support, elder_isolation, domestic_violence]", NULL
	};
	static const char *const urgencies[] = { "immediate", "[urgent, priority]",
						 "[routine, urgent]", NULL };
	static const char *const states[] = { "[received, investigating]", "managed",
					      "[reopened, monitoring, managed]", NULL };

	switch (city_random(c, 9)) {
	case 0: add_when(r, "category", city_one_of(c, categories)); break;
	case 1: add_when(r, "urgency", city_one_of(c, urgencies)); break;
	case 2: add_when(r, "sender_kind", sender_kind(c, r->type)); break;
	case 3: add_when(r, "case_state", city_one_of(c, states)); break;
	case 4: add_when(r, "working_hours", city_once_in(c, 2) ? "true" : "false"); break;
	case 5: add_when(r, "basis", "[statutory, consent]"); break;
	default: body_fact(c, r);
	}
}

/* ---- what ---- */

static void recipients(struct city *c, struct city_rule *r, struct city_reach *reach)
{
	char to[CITY_TEXT_BYTES];
	unsigned n = 1 + (unsigned)city_random(c, 2);

	city_add(r->what, sizeof r->what, "    to: [");
	for (unsigned i = 0; i < n; i++) {
		city_address(c, reach, to);
		city_add(r->what, sizeof r->what, "%s%s", i ? ", " : "", to);
	}
	city_add(r->what, sizeof r->what, "]\n");
}

static void case_effects(struct city *c, struct city_rule *r)
{
	static const char *const states[] = { "investigating", "judged",   "protected", "managed",
					      "monitoring",    "reopened", NULL };

	if (city_once_in(c, 5))
		city_add(r->what, sizeof r->what, "    case_state: %s\n", city_one_of(c, states));
	if (city_once_in(c, 6))
		city_add(r->what, sizeof r->what, "    owner: %s\n",
			 city_once_in(c, 2) && r->type != TYPE(RISK_SIGNAL)
				 ? "sender"
				 : c->people[city_pick(c)].name);
}

static void emit(struct city *c, struct city_rule *r, size_t from)
{
	char word[64];

	if (from >= MADE_TYPES)
		return;
	int type = made_types[from + city_random(c, MADE_TYPES - from)];
	city_type_word(type, word, sizeof word);
	city_add(r->what, sizeof r->what, "    emit: {type: %s", word);
	if (city_once_in(c, 3))
		city_add(r->what, sizeof r->what, ", open_case: true, link: %s",
			 city_once_in(c, 2) ? "same_incident" : "same_household");
	if (city_once_in(c, 2))
		city_add(r->what, sizeof r->what, ", urgency: urgent");
	if (city_once_in(c, 3))
		city_add(r->what, sizeof r->what, ", article: Article 1");
	if (type == TYPE(VISIT_REQUEST) && city_once_in(c, 2))
		city_add(r->what, sizeof r->what, ", body: {failed_contacts: 3}");
	city_add(r->what, sizeof r->what, "}\n");
}

/* The plain rule of a type: who hears or is asked of it. */
static void plain_rule(struct city *c, int type, bool always, size_t emits_from)
{
	struct city_rule *r = city_new_rule(c, "plain", type);
	struct city_reach reach = { { false }, false };

	if (!always && city_random(c, 3))
		condition(c, r);
	if (!always && city_once_in(c, 4))
		condition(c, r);
	if (city_once_in(c, 6))
		city_add(r->what, sizeof r->what,
			 "    needs_basis: [statutory, imminent_danger, consent]\n");
	recipients(c, r, &reach);
	if (city_random(c, 3))
		city_ladder(c, r, &reach, city_once_in(c, 3));
	case_effects(c, r);
	if (city_once_in(c, 4))
		emit(c, r, emits_from);
}

/* Providers rank by rank. */
static void ranked_rule(struct city *c)
{
	struct city_rule *r = city_new_rule(c, "ranked", TYPE(REFERRAL));
	struct city_reach reach = { { false }, true };

	city_add(r->what, sizeof r->what, "    ranked: $domain\n");
	if (city_once_in(c, 3))
		city_add(r->what, sizeof r->what, "    matching: {language: $language}\n");
	city_ladder(c, r, &reach, false);
}

static void interpreter_rule(struct city *c)
{
	struct city_rule *r = city_new_rule(c, "speaks", TYPE(INTERPRETER_REQUEST));
	struct city_reach reach = { { false }, false };

	recipients(c, r, &reach);
	city_add(r->what, sizeof r->what, "    matching: {language: $language, sex: $sex}\n");
	city_ladder(c, r, &reach, false);
}

/* Whom the sender named is asked. */
static void addressed_rule(struct city *c)
{
	struct city_rule *r = city_new_rule(c, "addressed", TYPE(SERVICE_REPORT));
	struct city_reach reach = { { false }, true };
	const char *types =
		"[service_report, visit_request, medical_request, dispatch_request, referral]";

	/* The types stand in for its own. */
	r->type = 0;
	city_add(r->when, sizeof r->when, "type: %s, sender_kind: %s, addressed: true", types,
		 c->kinds[0].name);
	city_add(r->what, sizeof r->what, "    to: addressees\n    each: true\n");
	city_ladder(c, r, &reach, false);
	r->takes_clocks = false;
}

/* A fact of the body in front, so that it never forbids all of another rule. */
static void forbid_rule(struct city *c)
{
	struct city_rule *r = city_new_rule(c, "forbid", TYPE(REPORT_RECEIVED));

	city_add(r->when, sizeof r->when,
		 ", victim_consents: \"no\", child_at_home: false, addressed: either");
	city_add(r->what, sizeof r->what, "    forbid: nobody may be told\n");
	r->takes_clocks = false;
}

static void contact_rule(struct city *c)
{
	struct city_rule *r = city_new_rule(c, "safe", TYPE(CONTACT_RESULT));

	city_add(r->when, sizeof r->when, ", addressed: either");
	city_add(r->what, sizeof r->what, "    contact_at: $next_at_ms\n");
}

static void closing_rule(struct city *c)
{
	struct city_rule *r = city_new_rule(c, "closing", TYPE(CLOSURE_REQUEST));
	struct city_reach reach = { { false }, false };

	recipients(c, r, &reach);
	city_add(r->what, sizeof r->what, "    on_accept: close_case\n");
	if (city_random(c, 3))
		city_add(r->what, sizeof r->what, "    closing: true\n");
	city_ladder(c, r, &reach, false);
	r->takes_clocks = false;
}

static void reopening_rule(struct city *c)
{
	struct city_rule *r = city_new_rule(c, "reopens", TYPE(REPORT_RECEIVED));

	city_add(r->when, sizeof r->when, ", case_state: closed, addressed: either");
	city_add(r->what, sizeof r->what, "    case_state: reopened\n");
}

/* Answers may set off clocks. */
static void answer_rule(struct city *c)
{
	static const char *const kinds[] = { "received", "accept", "complete", "need_more_time",
					     NULL };
	struct city_rule *r = city_new_rule(c, "answered", TYPE(ANSWER));

	city_add(r->when, sizeof r->when, ", kind: %s", city_one_of(c, kinds));
	city_add(r->what, sizeof r->what, "    case_state: investigating\n");
}

/* Whatever state a condition may want comes about somehow. */
static void state_rules(struct city *c)
{
	static const struct {
		const char *state;
		int type;
	} rows[] = { { "managed", TYPE(CASE_PLAN) },
		     { "monitoring", TYPE(MONITORING_DUE) },
		     { "reopened", TYPE(RECURRENCE_ALERT) } };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct city_rule *r = city_new_rule(c, "becomes", rows[i].type);

		city_add(r->what, sizeof r->what, "    case_state: %s\n", rows[i].state);
	}
}

void city_make_rules(struct city *c)
{
	for (size_t i = 0; i < MADE_TYPES; i++)
		plain_rule(c, made_types[i], true, i + 1);
	for (size_t i = 0; i < ORDINARY_TYPES; i++) {
		unsigned n = (unsigned)city_random(c, 4);
		for (unsigned k = 0; k < n; k++)
			plain_rule(c, ordinary_types[i], k == 0 && city_once_in(c, 2), 0);
	}
	if (c->n_domains)
		ranked_rule(c);
	interpreter_rule(c);
	addressed_rule(c);
	forbid_rule(c);
	contact_rule(c);
	closing_rule(c);
	if (city_once_in(c, 2))
		reopening_rule(c);
	answer_rule(c);
	city_make_places(c);
	city_make_council(c);
	city_make_consent(c);
	city_make_handover(c);
	city_make_counters(c);
	city_make_clocks(c);
	state_rules(c);
}

/* When that was done, whatever the message says of itself. */
static void print_acted_at(struct city *c, const struct city_rule *r)
{
	uint32_t acts = r->verbs[CITY_STARTS] | r->verbs[CITY_STOPS];
	const char *field = acts && r->type ? city_time_field(c, r->type) : NULL;

	if (field)
		fprintf(c->out, "    acted_at: $%s\n", field);
}

static void print_clock_acts(struct city *c, const struct city_rule *r)
{
	static const char *const words[CITY_VERBS] = { "starts",  "restarts", "stops",
						       "freezes", "resumes",  "extends" };

	for (int v = 0; v < CITY_VERBS; v++) {
		const char *comma = "";
		if (!r->verbs[v])
			continue;
		fprintf(c->out, "    %s: [", words[v]);
		for (int k = 0; k < c->n_clocks; k++)
			if (r->verbs[v] & 1U << k) {
				fprintf(c->out, "%sclock-%d", comma, k + 1);
				comma = ", ";
			}
		fprintf(c->out, "]\n");
	}
}

void city_print_rules(struct city *c)
{
	char word[64];

	fprintf(c->out, "rules:\n");
	for (int i = 0; i < c->n_rules; i++) {
		const struct city_rule *r = &c->rules[i];
		fprintf(c->out, "  - name: %s\n", r->name);
		if (r->type) {
			city_type_word(r->type, word, sizeof word);
			fprintf(c->out, "    when: {type: %s%s}\n", word, r->when);
		} else {
			fprintf(c->out, "    when: {%s}\n", r->when);
		}
		fprintf(c->out, "%s", r->what);
		print_clock_acts(c, r);
		print_acted_at(c, r);
	}
}
