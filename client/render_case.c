/* Cases and their timelines, for a case worker at three in the morning. */
#include <inttypes.h>
#include <string.h>

#include "client/render.h"
#include "client/when.h"

enum {
	WHAT_CELLS = 64,
	GATE_LINE_BYTES = SHOWN_BYTES + 2 * WHEN_BYTES,
};

enum exit_code render_cases(const struct invocation *inv, const struct pages *pages,
			    const struct names *names)
{
	struct sheet s;
	size_t n = 0;

	for (size_t p = 0; p < pages->n; p++)
		n += pages->page[p]->cases->n_cases;
	if (n == 0) {
		fprintf(inv->out, "%s\n", say(inv, TEXT_NO_CASES));
		return EXIT_DONE;
	}
	sheet_begin(&s, inv);
	sheet_column(&s, TEXT_CASE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_ABOUT, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_STATE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_OWNER, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_OPENED, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_LAST, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_OPEN_REQUESTS, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_NEXT_DUE, TABLE_LEFT, 0);
	for (size_t p = 0; p < pages->n; p++) {
		const Ieum__V1__CasesResult *r = pages->page[p]->cases;
		int64_t now_ms = pages->page[p]->hub_time_at_ms;

		for (size_t i = 0; i < r->n_cases; i++) {
			const Ieum__V1__CaseSummary *c = r->cases[i];
			char id[UUID_TEXT_BYTES], name[SHOWN_BYTES], when[WHEN_BYTES];

			sheet_row(&s);
			sheet_cell(&s, shown_id(&c->case_id, id));
			sheet_cell(&s, SHOWN_WORD(inv, category, c->category));
			sheet_cell(&s, SHOWN_WORD(inv, case_state, c->state));
			sheet_cell(&s, shown_name(inv, names, c->owner, name));
			sheet_cell(&s, c->opened_at_ms ? when_time(c->opened_at_ms, when) : "-");
			sheet_cell(&s, c->last_at_ms ? when_time(c->last_at_ms, when) : "-");
			sheet_number(&s, c->open_requests);
			sheet_colour(&s, when_deadline(c->next_due_at_ms, now_ms, inv->lang, when),
				     due_colour(c->next_due_at_ms, now_ms));
		}
	}
	return sheet_end(&s);
}

/* ---- one case ---- */

/* "Identity of the child (until 2026-03-09 10:00)" */
static const char *gate_line(const struct invocation *inv, const Ieum__V1__GateView *g,
			     char out[GATE_LINE_BYTES])
{
	const char *title = inv->lang == WORDS_KO ? g->title_ko : g->title_en;
	char when[WHEN_BYTES], until[WHEN_BYTES * 2] = "";

	if (g->until_at_ms)
		snprintf(until, sizeof until, say(inv, TEXT_GATE_UNTIL),
			 when_time(g->until_at_ms, when));
	snprintf(out, GATE_LINE_BYTES, "%s%s%s", *title ? title : g->name, *until ? " " : "",
		 until);
	return out;
}

static enum exit_code render_head(const struct invocation *inv, const struct pages *pages,
				  const struct names *names)
{
	const Ieum__V1__CaseResult *r = pages->page[0]->case_;
	const Ieum__V1__CaseSummary *c = r->summary;
	int64_t now_ms = pages->page[0]->hub_time_at_ms;
	char id[UUID_TEXT_BYTES], name[SHOWN_BYTES], when[WHEN_BYTES], number[24],
		gate[GATE_LINE_BYTES];
	struct sheet s;

	sheet_begin(&s, inv);
	sheet_plain_column(&s, TABLE_LEFT);
	sheet_plain_column(&s, TABLE_LEFT);
	sheet_field(&s, TEXT_CASE, shown_id(&c->case_id, id));
	sheet_field(&s, TEXT_ABOUT, SHOWN_WORD(inv, category, c->category));
	sheet_field(&s, TEXT_STATE, SHOWN_WORD(inv, case_state, c->state));
	if (*c->grade)
		sheet_field(&s, TEXT_GRADE, c->grade);
	for (size_t i = 0; i < r->n_gates; i++)
		sheet_field(&s, TEXT_GATES, gate_line(inv, r->gates[i], gate));
	if (r->consent_withdrawn) {
		sheet_row(&s);
		sheet_colour(&s, say(inv, TEXT_CONSENT), TABLE_DIM);
		sheet_colour(&s, say(inv, TEXT_CONSENT_ENDED), TABLE_RED);
	}
	sheet_field(&s, TEXT_OWNER, shown_name(inv, names, c->owner, name));
	sheet_field(&s, TEXT_JURISDICTION, c->jurisdiction);
	sheet_field(&s, TEXT_OPENED, c->opened_at_ms ? when_time(c->opened_at_ms, when) : "-");
	sheet_field(&s, TEXT_LAST, c->last_at_ms ? when_time(c->last_at_ms, when) : "-");
	snprintf(number, sizeof number, "%" PRIu32, c->open_requests);
	sheet_field(&s, TEXT_OPEN_REQUESTS, number);
	if (c->next_due_at_ms) {
		sheet_row(&s);
		sheet_colour(&s, say(inv, TEXT_NEXT_DUE), TABLE_DIM);
		sheet_colour(&s, when_deadline(c->next_due_at_ms, now_ms, inv->lang, when),
			     due_colour(c->next_due_at_ms, now_ms));
	}
	for (size_t i = 0; i < r->n_participants; i++) {
		sheet_row(&s);
		sheet_colour(&s, i == 0 ? say(inv, TEXT_PARTICIPANTS) : "", TABLE_DIM);
		sheet_cell(&s, shown_name(inv, names, r->participants[i], name));
	}
	for (size_t i = 0; i < r->n_links; i++) {
		char line[UUID_TEXT_BYTES + 2 * SHOWN_BYTES];

		snprintf(line, sizeof line, "%s (%s, %s)", shown_id(&r->links[i]->case_id, id),
			 SHOWN_WORD(inv, link_kind, r->links[i]->kind),
			 shown_name(inv, names, r->links[i]->owner, name));
		sheet_field(&s, TEXT_LINKED, line);
	}
	return sheet_end(&s);
}

/* What kind of message a line answers, when that message is among those shown. */
static int type_of(const struct pages *pages, const ProtobufCBinaryData *message_id)
{
	for (size_t p = 0; p < pages->n && message_id->len == UUID_BYTES; p++) {
		const Ieum__V1__CaseResult *r = pages->page[p]->case_;

		for (size_t i = 0; i < r->n_timeline; i++) {
			const Ieum__V1__TimelineEntry *e = r->timeline[i];

			if (e->kind == IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_SUBMITTED &&
			    e->message_id.len == UUID_BYTES &&
			    memcmp(e->message_id.data, message_id->data, UUID_BYTES) == 0)
				return (int)e->type;
		}
	}
	return 0;
}

static void what_answered(const struct invocation *inv, const struct pages *pages,
			  const Ieum__V1__TimelineEntry *e, char *out, size_t n)
{
	const char *answer = SHOWN_WORD(inv, answer_kind, e->answer);
	const char *to = SHOWN_WORD(inv, message_type, type_of(pages, &e->in_reply_to));

	if (!*answer)
		answer = SHOWN_WORD(inv, message_type, e->type);
	if (*to)
		snprintf(out, n, say(inv, TEXT_ENTRY_ANSWER), answer, to);
	else
		snprintf(out, n, "%s", answer);
}

/* Nobody left to ask is what a duty officer must see first. */
static enum table_colour what_escalated(const struct invocation *inv,
					const Ieum__V1__TimelineEntry *e, char *out, size_t n)
{
	enum text_id id = e->n_to == 0 ? TEXT_ENTRY_NOBODY
			  : e->cause == IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_NEXT_RANK
				  ? TEXT_ENTRY_REJECTED
				  : TEXT_ENTRY_SILENCE;

	snprintf(out, n, say(inv, id), SHOWN_WORD(inv, message_type, e->type));
	return id == TEXT_ENTRY_NOBODY ? TABLE_RED : TABLE_YELLOW;
}

/* The hub itself answers only when nobody else did. */
static enum table_colour what_submitted(const struct invocation *inv, const struct pages *pages,
					const Ieum__V1__TimelineEntry *e, char *out, size_t n)
{
	if (e->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER && !*e->from) {
		snprintf(out, n, say(inv, TEXT_ENTRY_FAILED),
			 SHOWN_WORD(inv, message_type, type_of(pages, &e->in_reply_to)));
		return TABLE_RED;
	}
	snprintf(out, n, "%s", SHOWN_WORD(inv, message_type, e->type));
	return TABLE_BOLD;
}

static enum table_colour answer_colour(Ieum__V1__AnswerKind answer)
{
	if (answer == IEUM__V1__ANSWER_KIND__ANSWER_KIND_REJECT ||
	    answer == IEUM__V1__ANSWER_KIND__ANSWER_KIND_FAIL)
		return TABLE_YELLOW;
	return answer == IEUM__V1__ANSWER_KIND__ANSWER_KIND_COMPLETE ? TABLE_GREEN : TABLE_PLAIN;
}

/* As the policy calls it; its name when the case has forgotten it. */
static const char *clock_title(const struct invocation *inv, const struct pages *pages,
			       const char *name)
{
	const Ieum__V1__CaseResult *r = pages->page[0]->case_;

	for (size_t i = 0; i < r->n_clocks; i++) {
		const Ieum__V1__ClockView *k = r->clocks[i];
		const char *title = inv->lang == WORDS_KO ? k->title_ko : k->title_en;

		if (strcmp(k->name, name) == 0 && *title)
			return title;
	}
	return name;
}

/* The line's heart, and how it should stand out. */
static enum table_colour what(const struct invocation *inv, const struct pages *pages,
			      const struct names *names, const Ieum__V1__TimelineEntry *e,
			      char *out, size_t n)
{
	char name[SHOWN_BYTES];

	switch (e->kind) {
	case IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_SUBMITTED:
		return what_submitted(inv, pages, e, out, n);
	case IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_ANSWERED:
		what_answered(inv, pages, e, out, n);
		return answer_colour(e->answer);
	case IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_ESCALATED:
		return what_escalated(inv, e, out, n);
	case IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_DELIVERED:
		snprintf(out, n, say(inv, TEXT_ENTRY_DELIVERED),
			 SHOWN_WORD(inv, message_type, e->type));
		return TABLE_DIM;
	case IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_CASE_STATE:
		snprintf(out, n, say(inv, TEXT_ENTRY_CASE),
			 SHOWN_WORD(inv, case_state, e->case_state));
		return TABLE_GREEN;
	case IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_PLACE:
		snprintf(out, n, say(inv, TEXT_ENTRY_PLACE), shown_name(inv, names, e->name, name),
			 SHOWN_WORD(inv, hold_state, e->hold_state));
		return TABLE_GREEN;
	case IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_HANDED_OVER:
		snprintf(out, n, say(inv, TEXT_ENTRY_HANDED_OVER),
			 e->n_to ? shown_name(inv, names, e->to[0], name) : "");
		return TABLE_YELLOW;
	case IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_GATE:
		snprintf(out, n, say(inv, e->at_once ? TEXT_ENTRY_GATE_AT_ONCE : TEXT_ENTRY_GATE),
			 shown_name(inv, names, e->name, name));
		return TABLE_YELLOW;
	case IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_GRADE:
		if (strcmp(e->name, "-") == 0)
			snprintf(out, n, "%s", say(inv, TEXT_ENTRY_NO_GRADE));
		else
			snprintf(out, n, say(inv, TEXT_ENTRY_GRADE), e->name);
		return TABLE_YELLOW;
	case IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_CONSENT:
		snprintf(out, n, "%s",
			 say(inv, strcmp(e->name, "given") == 0 ? TEXT_ENTRY_GIVEN
				  : strcmp(e->name, "withdrawn") == 0
					  ? TEXT_ENTRY_WITHDRAWN
					  : TEXT_ENTRY_WITHDRAWN_IN_PART));
		return TABLE_YELLOW;
	case IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_CLOCK:
		snprintf(out, n, say(inv, TEXT_ENTRY_CLOCK), clock_title(inv, pages, e->name),
			 SHOWN_WORD(inv, clock_change, e->clock_change));
		return e->clock_change == IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_BREACHED ? TABLE_RED
		       : e->clock_change == IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_WARNED
			       ? TABLE_YELLOW
			       : TABLE_PLAIN;
	case IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_DEAD_LETTERED:
		snprintf(out, n, "%s", say(inv, TEXT_ENTRY_DEAD));
		return TABLE_RED;
	default: snprintf(out, n, "%s", say(inv, TEXT_ENTRY_UNKNOWN)); return TABLE_PLAIN;
	}
}

static void add_note(char *out, size_t size, const char *text)
{
	size_t n = strlen(out);

	if (*text && n + 1 < size)
		snprintf(out + n, size - n, "%s%s", n ? " · " : "", text);
}

/* Urgency where it matters, outcome, reason, a new deadline. */
static void note(const struct invocation *inv, const Ieum__V1__TimelineEntry *e, char *out,
		 size_t size)
{
	char when[WHEN_BYTES], due[WHEN_BYTES * 2];

	out[0] = '\0';
	if (e->kind == IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_SUBMITTED &&
	    e->urgency != IEUM__V1__URGENCY__URGENCY_ROUTINE)
		add_note(out, size, SHOWN_WORD(inv, urgency, e->urgency));
	add_note(out, size, SHOWN_WORD(inv, outcome, e->outcome));
	add_note(out, size, SHOWN_WORD(inv, reason, e->reason));
	if (e->kind != IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_CASE_STATE)
		add_note(out, size, SHOWN_WORD(inv, case_state, e->case_state));
	if (e->due_at_ms > 0) {
		snprintf(due, sizeof due, say(inv, TEXT_NOTE_DUE), when_time(e->due_at_ms, when));
		add_note(out, size, due);
	}
}

/* To whom, where that says more than the rest of the line. */
static void whom(const struct invocation *inv, const struct names *names,
		 const Ieum__V1__TimelineEntry *e, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	if (e->kind == IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_CASE_STATE)
		return;
	for (size_t i = 0; i < e->n_to && used < size; i++) {
		char name[SHOWN_BYTES];

		if (strcmp(e->to[i], e->from) == 0)
			continue;
		used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "",
					 shown_name(inv, names, e->to[i], name));
	}
}

/* The date only where it changes: the eye finds the hour. */
static void entry_time(const struct invocation *inv, struct sheet *s, int64_t at_ms,
		       char last_day[WHEN_BYTES])
{
	char day[WHEN_BYTES], clock[WHEN_BYTES], line[2 * WHEN_BYTES];
	bool same = strcmp(when_day(at_ms, inv->lang, day), last_day) == 0;

	when_clock(at_ms, clock);
	if (same) {
		sheet_cell(s, clock);
		return;
	}
	snprintf(line, sizeof line, "%s %s", day, clock);
	sheet_cell(s, line);
	memcpy(last_day, day, WHEN_BYTES);
}

static void entry_row(const struct invocation *inv, struct sheet *s, const struct pages *pages,
		      const struct names *names, const Ieum__V1__TimelineEntry *e)
{
	char who[SHOWN_WHO_BYTES], text[1024];
	enum table_colour colour;

	sheet_cell(s, shown_who(inv, names, e->from, e->actor, who));
	colour = what(inv, pages, names, e, text, sizeof text);
	sheet_colour(s, text, colour);
	whom(inv, names, e, text, sizeof text);
	sheet_cell(s, text);
	note(inv, e, text, sizeof text);
	sheet_colour(s, text, urgency_colour(e->urgency));
}

static enum exit_code render_timeline(const struct invocation *inv, const struct pages *pages,
				      const struct names *names)
{
	char last_day[WHEN_BYTES] = "";
	struct sheet s;

	sheet_begin(&s, inv);
	sheet_column(&s, TEXT_WHEN, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_WHO, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_WHAT, TABLE_LEFT, WHAT_CELLS);
	sheet_column(&s, TEXT_TO, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_NOTE, TABLE_LEFT, 0);
	for (size_t p = 0; p < pages->n; p++) {
		const Ieum__V1__CaseResult *r = pages->page[p]->case_;

		for (size_t i = 0; i < r->n_timeline; i++) {
			sheet_row(&s);
			entry_time(inv, &s, r->timeline[i]->at_ms, last_day);
			entry_row(inv, &s, pages, names, r->timeline[i]);
		}
	}
	return sheet_end(&s);
}

enum exit_code render_case(const struct invocation *inv, const struct pages *pages,
			   const struct names *names, bool timeline)
{
	const Ieum__V1__CaseResult *r = pages->page[0]->case_;
	enum exit_code code = render_head(inv, pages, names);

	if (!code)
		code = render_clocks(inv, r->clocks, r->n_clocks, pages->page[0]->hub_time_at_ms);
	if (code || !timeline)
		return code;
	fputc('\n', inv->out);
	return render_timeline(inv, pages, names);
}
