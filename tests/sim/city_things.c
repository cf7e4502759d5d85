/* What rules of a random city set off: places, the council, consent, hand-over, counters, clocks. */
#include <stdlib.h>
#include <string.h>

#include "ieum/v1/body.pb-c.h"
#include "ieum/v1/referral.pb-c.h"
#include "tests/sim/city_internal.h"

/* ---- places ---- */

static void simple_rule(struct city *c, const char *name, int type, const char *when,
			const char *what)
{
	struct city_rule *r = city_new_rule(c, name, type);

	city_add(r->when, sizeof r->when, "%s", when);
	city_add(r->what, sizeof r->what, "%s", what);
}

static void hold_rule(struct city *c, const char *urgencies, const char *how)
{
	struct city_rule *r = city_new_rule(c, "hold", TYPE(CAPACITY_HOLD));
	const char *within = city_duration(c);

	city_add(r->when, sizeof r->when, ", urgency: %s", urgencies);
	city_add(r->what, sizeof r->what, "    holds: %s\n    answer_within: %s\n    then:\n", how,
		 within);
	if (city_once_in(c, 2))
		city_add(r->what, sizeof r->what, "      - {to: \"pool:%s\", within: 1 h}\n",
			 c->pools[c->n_pools - 1].name);
	city_add(r->what, sizeof r->what, "      - {to: %s, within: %s}\n",
		 c->people[city_division(c)].name, city_duration(c));
}

void city_make_places(struct city *c)
{
	if (c->n_pools == 0)
		return;
	c->first_pool = c->n_pools > 1 && city_once_in(c, 4) ? 1 : 0; /* now and then one is gone */
	hold_rule(c, "[immediate, urgent]", city_once_in(c, 3) ? "first" : "every");
	hold_rule(c, "[priority, routine]", "first");
	simple_rule(c, "placed", TYPE(PLACEMENT_NOTICE), "", "    takes_place: true\n");
	simple_rule(c, "free", TYPE(PLACE_RETURNED), "",
		    "    to: case_owner\n    returns_place: true\n");
	simple_rule(c, "counted", TYPE(CAPACITY_REPORT), "", "    counts_places: true\n");
	simple_rule(c, "waits", TYPE(WAITLIST_ENTRY), "",
		    city_once_in(c, 2) ? "    waits: true\n    case_state: waitlisted\n"
				       : "    waits: true\n");
}

void city_print_pools(struct city *c)
{
	static const char *const holds[] = { "30 min", "2 h", "1 d", NULL };
	static const char *const renews[] = { "daily", "weekly", "monthly", NULL };
	static const char *const warns[] = { "10 min", "3 h", "2 d", NULL };

	for (int i = c->first_pool; i < c->n_pools; i++) {
		const struct city_pool *p = &c->pools[i];
		fprintf(c->out,
			"%s  %s:\n    title: {en: House, ko: 집}\n    keeper: %s\n    kind: %s\n"
			"    places: %u\n    hold: %s\n",
			i == c->first_pool ? "pools:\n" : "", p->name, c->people[p->keeper].name,
			p->kind, (unsigned)city_random(c, 4), city_one_of(c, holds));
		if (city_once_in(c, 4))
			fprintf(c->out, "    sex: %s\n", city_once_in(c, 2) ? "female" : "male");
		if (city_once_in(c, 4))
			fprintf(c->out, "    ages: \"0-%u\"\n", (unsigned)(6 + city_random(c, 12)));
		if (city_once_in(c, 2))
			fprintf(c->out, "    siblings: true\n");
		if (city_once_in(c, 6))
			fprintf(c->out, "    languages: [ko, vi]\n");
		if (city_once_in(c, 2))
			fprintf(c->out, "    placement_within: 6 h\n");
		if (city_once_in(c, 2))
			fprintf(c->out, "    offer_within: 48 h\n");
		if (city_once_in(c, 3))
			fprintf(c->out, "    renews: %s\n", city_one_of(c, renews));
		if (city_once_in(c, 2))
			fprintf(c->out, "    warn_before: %s\n", city_one_of(c, warns));
		if (city_once_in(c, 2))
			fprintf(c->out, "    stale_after: 7 d\n%s",
				city_once_in(c, 2) ? "    stale_tells: \"role:authority\"\n" : "");
	}
}

/* ---- the council ---- */

static void linkage_rules(struct city *c)
{
	simple_rule(c, "linked", TYPE(LINKED_SET_NOTICE), "",
		    city_once_in(c, 2) ? "    to: case_owner\n    case_state: investigating\n"
				       : "    to: case_owner\n");
	struct city_rule *r = city_new_rule(c, "who-sent", TYPE(IDENTITY_REQUEST));
	struct city_reach reach = { { false }, true };
	city_add(r->when, sizeof r->when, ", sender_kind: hub, addressed: true");
	city_add(r->what, sizeof r->what, "    to: addressees\n    each: true\n");
	city_ladder(c, r, &reach, false);
	r->takes_clocks = false;
}

/* Several who have to approve; how many, and of how many kinds. */
static unsigned approvers(struct city *c, struct city_rule *r, struct city_reach *reach,
			  unsigned *kinds)
{
	bool seen[CITY_KINDS_MAX] = { false };
	unsigned n = 0;

	city_add(r->what, sizeof r->what, "    to: [");
	for (unsigned tries = 1 + (unsigned)city_random(c, 6); tries > 0; tries--) {
		int who = city_pick(c);
		if (reach->in[who])
			continue;
		city_add(r->what, sizeof r->what, "%s%s", n ? ", " : "", c->people[who].name);
		reach->in[who] = true;
		*kinds += !seen[c->people[who].kind];
		seen[c->people[who].kind] = true;
		n++;
	}
	city_add(r->what, sizeof r->what, "]\n");
	return n;
}

static void gate_rules(struct city *c)
{
	struct city_rule *r = city_new_rule(c, "identity", TYPE(IDENTITY_REQUEST));
	struct city_reach reach = { { false }, false };
	unsigned kinds = 0;

	city_add(r->when, sizeof r->when, ", break_glass: false, sender_kind: [%s]",
		 c->kinds[0].name);
	unsigned n = approvers(c, r, &reach, &kinds);
	bool of_kinds = kinds > 2 && city_once_in(c, 2);
	if (of_kinds)
		n = kinds;
	/* Whoever asks may be one of them. */
	city_add(r->what, sizeof r->what,
		 "    quorum: %u\n    on_accept: open_gate\n    gate: gate-1\n",
		 1 + (unsigned)(n > 2 ? city_random(c, n - 1) : 0));
	if (of_kinds || c->agencies)
		city_add(r->what, sizeof r->what, "    quorum_of: %s\n",
			 of_kinds ? "kind" : "agency");
	if (city_once_in(c, 3))
		city_add(r->what, sizeof r->what, "    one_rejection_ends: true\n");
	city_ladder(c, r, &reach, false);
	simple_rule(c, "glass", TYPE(IDENTITY_REQUEST), ", break_glass: true, urgency: immediate",
		    "    to: case_owner\n    opens_gate: gate-1\n");
	simple_rule(c, "shown", TYPE(IDENTITY_DISCLOSURE), "",
		    "    needs_gate: gate-1\n    to: case_owner\n");
	if (c->links)
		simple_rule(c, "anonymous", TYPE(INFORMATION_REQUEST), ", linked_set: true",
			    "    anonymous_until: gate-1\n");
}

/* Who is responsible for the body is asked for it. */
static void meets_within(struct city *c, char what[CITY_TEXT_BYTES], const char *key)
{
	if (city_once_in(c, 2))
		city_add(what, CITY_TEXT_BYTES,
			 "    %s: %s\n    then:\n      - {to: %s, within: 3 d}\n", key,
			 city_duration(c), c->people[city_division(c)].name);
}

static void meeting_rules(struct city *c, const struct city_body *b)
{
	char when[CITY_TEXT_BYTES] = "";
	char what[CITY_TEXT_BYTES] = "";
	struct city_rule *r;

	city_add(when, sizeof when, ", body: %s", b->name);
	city_add(what, sizeof what, "    to: \"body:%s\"\n    puts_on_agenda: true\n", b->name);
	meets_within(c, what, "meeting_within");
	simple_rule(c, "item", TYPE(AGENDA_ITEM), when, what);
	what[0] = '\0';
	city_add(what, sizeof what, "    to: \"body:%s\"\n    sends_agenda: true\n", b->name);
	meets_within(c, what, "minutes_within");
	simple_rule(c, "meets", TYPE(CONFERENCE_CALL), when, what);
	what[0] = '\0';
	city_add(what, sizeof what, "    to: \"body:%s\"\n    ends_agenda: true\n", b->name);
	simple_rule(c, "minutes", TYPE(CONFERENCE_MINUTES), when, what);
	r = city_new_rule(c, "actions", TYPE(CONFERENCE_MINUTES));
	city_add(r->what, sizeof r->what,
		 "    asks_actions: true\n    then:\n      - {to: %s, within: 5 d}\n",
		 c->people[city_division(c)].name);
}

static unsigned signal_senders(const struct city *c)
{
	unsigned n = 0;

	for (int i = 0; i < c->n_people; i++)
		n += !c->people[i].gone &&
		     c->kinds[c->people[i].kind].may_send & BIT(TYPE(RISK_SIGNAL));
	return n;
}

/* The first kind of all is theirs, and one of them is always there. */
static const char *first_authority(const struct city *c)
{
	int who = 0;

	while (c->people[who].gone || c->people[who].kind != 0)
		who++;
	return c->people[who].name;
}

void city_make_council(struct city *c)
{
	const struct city_body *council = NULL;

	for (int i = 0; i < c->n_bodies; i++)
		if (c->bodies[i].council)
			council = &c->bodies[i];
	c->links = city_random(c, 3) > 0 && signal_senders(c) > 1;
	c->n_gates = (int)city_random(c, 3) > 0;
	if (council)
		city_add(c->linkage_tells, sizeof c->linkage_tells, "convener:%s", council->name);
	else
		city_add(c->linkage_tells, sizeof c->linkage_tells, "%s", first_authority(c));
	if (c->links)
		linkage_rules(c);
	if (c->n_gates)
		gate_rules(c);
	if (council)
		meeting_rules(c, council);
}

static void print_linkage(struct city *c)
{
	if (!c->links)
		return;
	unsigned tokens = (unsigned)(1 + city_random(c, 2));
	unsigned agencies = (unsigned)(2 + city_random(c, 2));

	if (agencies > signal_senders(c))
		agencies = signal_senders(c);
	fprintf(c->out,
		"linkage:\n  set-1:\n    of: {type: risk_signal, basis: pseudonymous_signal}\n"
		"    tokens_agree: %u\n    agencies: %u\n    within: %u d\n    expires: %u months\n"
		"    tells: %s\n%s",
		tokens, agencies, (unsigned)(5 + city_random(c, 90)),
		(unsigned)(1 + city_random(c, 12)), c->linkage_tells,
		city_once_in(c, 2) && c->n_gates ? "    category_only: true\n    gate: gate-1\n"
						 : "");
}

/* ---- consent and hand-over ---- */

void city_make_consent(struct city *c)
{
	struct city_rule *r;
	struct city_reach reach = { { false }, true };

	simple_rule(c, "withdrawn", TYPE(CONSENT_WITHDRAWAL), "",
		    "    to: case_owner\n    stops_use: true\n");
	r = city_new_rule(c, "stop-use", TYPE(STOP_USE_ORDER));
	city_add(r->when, sizeof r->when, ", sender_kind: hub, addressed: true");
	city_add(r->what, sizeof r->what, "    to: addressees\n    each: true\n");
	city_ladder(c, r, &reach, false);
	r->takes_clocks = false;
	simple_rule(c, "given-again", TYPE(REPORT_RECEIVED),
		    ", victim_consents: \"yes\", consent_withdrawn: true, addressed: either",
		    "    gives_consent: true\n");
}

void city_make_handover(struct city *c)
{
	struct city_rule *r;
	int who = city_division(c);

	if (city_once_in(c, 4))
		return;
	simple_rule(c, "changes", TYPE(JURISDICTION_CHANGE), "", "    hands_over: true\n");
	r = city_new_rule(c, "takes-over", TYPE(HANDOVER));
	city_add(r->when, sizeof r->when, ", sender_kind: hub, addressed: true");
	city_add(r->what, sizeof r->what,
		 "    to: addressees\n    answer_within: 1 d\n    on_accept: hand_over\n    then:\n"
		 "      - {to: %s, within: 1 d%s}\n",
		 c->people[who].name, city_once_in(c, 2) ? ", repeat: true" : "");
	r->takes_clocks = false;
	simple_rule(c, "confirmed", TYPE(HANDOVER_MANIFEST), ", addressed: either",
		    "    confirms: true\n");
}

/* ---- counters ---- */

void city_make_counters(struct city *c)
{
	static const int types[CITY_COUNTERS_MAX] = { TYPE(REPORT_RECEIVED), TYPE(CONTACT_RESULT),
						      TYPE(RISK_SIGNAL), TYPE(SERVICE_REPORT) };
	static const char *const per[] = { "case", "subject", "sender", "household", NULL };
	static const char *const spans[] = { "1 year", "90 d", "5 d", "2 months", NULL };
	char word[64];

	c->n_counters = (int)city_random(c, CITY_COUNTERS_MAX + 1);
	for (int i = 0; i < c->n_counters; i++) {
		const char *of = city_one_of(c, per);
		bool weighed = types[i] == TYPE(RISK_SIGNAL) && city_once_in(c, 2);
		char *text = c->counters[i];
		city_type_word(types[i], word, sizeof word);
		city_add(text, CITY_TEXT_BYTES,
			 "  counter-%d:\n    of: {type: %s}\n    per: %s\n    within: %s\n", i + 1,
			 word, of, city_one_of(c, spans));
		if (weighed)
			city_add(text, CITY_TEXT_BYTES, "    weight: $weight\n");
		else if (strcmp(of, "sender") != 0 && city_once_in(c, 3))
			city_add(text, CITY_TEXT_BYTES, "    distinct: sender\n");
		/* Per subject they come to many events of one message: two counters at most. */
		if (i < 2 && city_once_in(c, 3))
			city_add(text, CITY_TEXT_BYTES, "    resets: {type: closure_request}\n");
		struct city_rule *r = city_new_rule(c, "counts", types[i]);
		city_add(r->when, sizeof r->when,
			 ", addressed: either, count: {counter-%d: \">= %u\"}", i + 1,
			 (unsigned)(2 + city_random(c, 3)));
		city_add(r->what, sizeof r->what, "    grade: %s\n",
			 city_once_in(c, 2) ? "A" : "B");
		if (city_once_in(c, 2))
			city_add(
				r->what, sizeof r->what,
				"    emit: {type: recurrence_alert, urgency: urgent, article: Article 2, "
				"body: {dispatches_in_year: $count.counter-%d, grade: A}}\n",
				i + 1);
	}
}

/* ---- clocks ---- */

static struct city_rule *rule_for_clock(struct city *c)
{
	for (;;) {
		struct city_rule *r = &c->rules[city_random(c, (uint64_t)c->n_rules)];
		if (r->takes_clocks)
			return r;
	}
}

const char *city_time_field(struct city *c, int type)
{
	const ProtobufCFieldDescriptor *body =
		protobuf_c_message_descriptor_get_field(&ieum__v1__referral__descriptor,
							100 + (unsigned)type);
	const ProtobufCMessageDescriptor *of = body->descriptor;

	if (of->n_fields == 0)
		return NULL;
	const ProtobufCFieldDescriptor *f = &of->fields[city_random(c, of->n_fields)];
	return f->type == PROTOBUF_C_TYPE_INT64 && f->label != PROTOBUF_C_LABEL_REPEATED ? f->name
											 : NULL;
}

static void clock_times(struct city *c, char *text, const struct city_rule *starts)
{
	static const struct {
		const char *within, *warn;
	} spans[] = {
		{ "2 h", "warn: 1 h" },
		{ "48 h", "warn: [24 h, 40 h]" },
		{ "72 h", "warn_before: [12 h, 2 h]" },
		{ "10 d", "warn_before: 2 d" },
		{ "2 months", "warn_before: [14 d, 3 d]" },
		{ "3 business days", "warn: 1 business day" },
		{ "1 month", "warn: 20 d" },
	};
	size_t i = (size_t)city_random(c, sizeof spans / sizeof spans[0]);
	const char *field = city_once_in(c, 2) ? city_time_field(c, starts->type) : NULL;

	city_add(text, CITY_TEXT_BYTES, "    within: %s\n    %s\n", spans[i].within, spans[i].warn);
	if (field)
		city_add(text, CITY_TEXT_BYTES, "    from: $%s\n", field);
	else if (city_once_in(c, 2))
		city_add(text, CITY_TEXT_BYTES, "    from: received\n");
}

static void clock_end(struct city *c, char *text, bool every)
{
	static const char *const ends[] = { "{case_state: monitoring}", "{grade: B}",
					    "{emit: {type: monitoring_due, body: {grade: B}}}",
					    "{emit: {type: checkin, urgency: urgent}}", NULL };
	static const char *const urgencies[] = { "immediate", "urgent", "priority", "routine",
						 NULL };

	if (every || city_once_in(c, 2))
		city_add(text, CITY_TEXT_BYTES, "    tells: %s\n",
			 city_once_in(c, 2) ? "case_owner" : c->people[city_pick(c)].name);
	if (city_once_in(c, 3))
		city_add(text, CITY_TEXT_BYTES, "    breach_tells: %s\n",
			 c->people[city_division(c)].name);
	if (city_once_in(c, 3))
		city_add(text, CITY_TEXT_BYTES, "    then: %s\n", city_one_of(c, ends));
	if (city_once_in(c, 2))
		city_add(text, CITY_TEXT_BYTES, "    %s: true\n",
			 city_once_in(c, 2) ? "outlives_closing" : "ends_at_closing");
	if (city_once_in(c, 4))
		city_add(text, CITY_TEXT_BYTES, "    urgency: %s\n    breach_urgency: %s\n",
			 city_one_of(c, urgencies), city_one_of(c, urgencies));
}

static void make_clock(struct city *c, int i)
{
	char *text = c->clocks[i];
	uint32_t bit = 1U << i;
	struct city_rule *starts = rule_for_clock(c);
	bool every = city_once_in(c, 5);
	bool expires = !every && city_once_in(c, 4);

	starts->verbs[CITY_STARTS] |= bit;
	city_add(text, CITY_TEXT_BYTES, "  clock-%d:\n    title: {en: Clock, ko: 시한}\n", i + 1);
	clock_times(c, text, starts);
	clock_end(c, text, every);
	if (every)
		city_add(text, CITY_TEXT_BYTES, "    every: true\n");
	if (expires)
		city_add(text, CITY_TEXT_BYTES, "    expires: true\n");
	if (!every && !expires && city_once_in(c, 3))
		city_add(text, CITY_TEXT_BYTES, "    begins_again: true\n");
	if (city_once_in(c, 3)) {
		city_add(text, CITY_TEXT_BYTES, "    extend: {by: 48 h, times: 2%s}\n",
			 city_once_in(c, 2) ? ", includes: [saturday, holiday]" : "");
		rule_for_clock(c)->verbs[CITY_EXTENDS] |= bit;
	}
	if ((!every && !expires) || city_once_in(c, 2))
		rule_for_clock(c)->verbs[CITY_STOPS] |= bit;
	if (city_once_in(c, 3)) {
		rule_for_clock(c)->verbs[CITY_FREEZES] |= bit;
		rule_for_clock(c)->verbs[CITY_RESUMES] |= bit;
	}
	if (city_once_in(c, 5) && !strstr(text, "$"))
		rule_for_clock(c)->verbs[CITY_RESTARTS] |= bit;
}

void city_make_clocks(struct city *c)
{
	c->n_clocks = (int)city_random(c, CITY_CLOCKS_MAX + 1);
	for (int i = 0; i < c->n_clocks; i++)
		make_clock(c, i);
}

void city_print_things(struct city *c)
{
	for (int i = 0; i < c->n_counters; i++)
		fprintf(c->out, "%s%s", i ? "" : "counters:\n", c->counters[i]);
	bool lasts = city_once_in(c, 2);
	bool clock = c->n_gates && lasts && city_once_in(c, 2);
	if (c->n_gates)
		fprintf(c->out, "gates:\n  gate-1:\n    title: {en: Gate, ko: 문}\n%s%s",
			lasts ? "    lasts: 7 d\n" : "", clock ? "    clock: open\n" : "");
	print_linkage(c);
	if (c->n_clocks || clock)
		fprintf(c->out, "clocks:\n%s",
			clock ? "  open:\n    title: {en: Open, ko: 열림}\n    within: 7 d\n"
				"    expires: true\n    warn_before: 1 d\n"
			      : "");
	for (int i = 0; i < c->n_clocks; i++)
		fputs(c->clocks[i], c->out);
}
