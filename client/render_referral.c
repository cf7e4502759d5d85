/* Messages: as they come to an inbox, and with the state of what they ask for. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/render.h"
#include "client/when.h"

/* ---- envelope ---- */

static void field_basis(const struct invocation *inv, struct sheet *s,
			const Ieum__V1__LegalBasis *b)
{
	char line[SHOWN_BYTES];

	if (!b)
		return;
	snprintf(line, sizeof line, "%s%s%s", SHOWN_WORD(inv, basis_kind, b->kind),
		 *b->article ? ", " : "", b->article);
	sheet_field(s, TEXT_LEGAL_BASIS, line);
}

static void fields_envelope(const struct invocation *inv, struct sheet *s,
			    const Ieum__V1__Envelope *e)
{
	char id[UUID_TEXT_BYTES], when[WHEN_BYTES], line[SHOWN_BYTES];

	if (!e)
		return;
	sheet_field(s, TEXT_IN_REPLY_TO, shown_id(&e->in_reply_to, id));
	sheet_field(s, TEXT_ABOUT, SHOWN_WORD(inv, category, e->category));
	sheet_field(s, TEXT_OCCURRED, when_time(e->occurred_at_ms, when));
	field_basis(inv, s, e->legal_basis);
	for (size_t i = 0; i < e->n_external_refs; i++) {
		snprintf(line, sizeof line, "%s %s", e->external_refs[i]->system,
			 e->external_refs[i]->number);
		sheet_field(s, TEXT_REFERENCES, line);
	}
}

/* ---- a delivery ---- */

/* "Immediate · Report received · delivery 4608 · attempt 2 · may have been shown before" */
static void delivery_title(const struct invocation *inv, const Ieum__V1__Delivery *d,
			   bool maybe_shown)
{
	const Ieum__V1__Envelope *e = d->referral ? d->referral->envelope : NULL;
	Ieum__V1__Urgency is = e ? e->urgency : IEUM__V1__URGENCY__URGENCY_UNSPECIFIED;
	/* A rule may have made it more urgent than its sender says. */
	if (d->urgency && d->urgency != IEUM__V1__URGENCY__URGENCY_ROUTINE)
		is = d->urgency;
	const char *urgency = is ? SHOWN_WORD(inv, urgency, is) : "";
	bool red = inv->colour && urgency_colour(is) == TABLE_RED;

	fputs(red ? "\033[31m" : inv->colour ? "\033[1m" : "", inv->out);
	if (*urgency)
		fprintf(inv->out, "%s · ", urgency);
	fprintf(inv->out, "%s · ", e ? SHOWN_WORD(inv, message_type, e->type) : "");
	fprintf(inv->out, say(inv, TEXT_DELIVERY_N), d->delivery_id);
	if (d->attempt > 1) {
		fputs(" · ", inv->out);
		fprintf(inv->out, say(inv, TEXT_ATTEMPT_N), d->attempt);
	}
	if (maybe_shown)
		fprintf(inv->out, " · %s", say(inv, TEXT_MAYBE_SHOWN));
	fputs(inv->colour ? "\033[0m\n" : "\n", inv->out);
}

enum exit_code render_delivery(const struct invocation *inv, const Ieum__V1__Delivery *d,
			       bool maybe_shown, const struct names *names, int64_t now_ms)
{
	char id[UUID_TEXT_BYTES], when[WHEN_BYTES], name[SHOWN_BYTES], who[SHOWN_WHO_BYTES];
	struct sheet s;
	enum exit_code code;

	if (d->drill)
		fprintf(inv->out, "** %s **\n", say(inv, TEXT_DRILL));
	delivery_title(inv, d, maybe_shown);
	sheet_begin(&s, inv);
	sheet_plain_column(&s, TABLE_LEFT);
	sheet_plain_column(&s, TABLE_LEFT);
	sheet_field(&s, TEXT_FROM, shown_who(inv, names, d->sender, d->sender_actor, who));
	sheet_field(&s, TEXT_MAILBOX, shown_name(inv, names, d->mailbox, name));
	sheet_field(&s, TEXT_CASE, shown_id(&d->case_id, id));
	if (d->referral && d->referral->envelope)
		sheet_field(&s, TEXT_MESSAGE, shown_id(&d->referral->envelope->message_id, id));
	sheet_field(&s, TEXT_RECEIVED, when_time(d->received_at_ms, when));
	if (d->answer_by_at_ms) {
		sheet_row(&s);
		sheet_colour(&s, say(inv, TEXT_ANSWER_BY), TABLE_DIM);
		sheet_colour(&s, when_deadline(d->answer_by_at_ms, now_ms, inv->lang, when),
			     due_colour(d->answer_by_at_ms, now_ms));
	}
	sheet_field(&s, TEXT_WHY_YOU, SHOWN_WORD(inv, delivery_cause, d->cause));
	if (d->referral)
		fields_envelope(inv, &s, d->referral->envelope);
	code = sheet_end(&s);
	if (!code && d->referral)
		code = render_content(inv, d->referral, d->sender, d->received_at_ms, names);
	fputc('\n', inv->out);
	return code;
}

/* ---- a referral with its tasks ---- */

/* What whoever was asked has said last. */
static const char *task_answer(const struct invocation *inv, const Ieum__V1__TaskView *t)
{
	if (t->answer)
		return SHOWN_WORD(inv, answer_kind, t->answer);
	/* Its ladder has moved on. */
	return *t->asked_first && strcmp(t->asked, t->asked_first) != 0 ? say(inv, TEXT_SILENT)
									: "";
}

/* "Police", or "Police → head of police" once somebody else is asked. */
static const char *task_asked(const struct invocation *inv, const struct names *names,
			      const Ieum__V1__TaskView *t, char out[2 * SHOWN_BYTES + 8])
{
	char first[SHOWN_BYTES], now[SHOWN_BYTES];
	const char *name = shown_name(inv, names, t->asked, now);

	if (!*t->asked_first || strcmp(t->asked, t->asked_first) == 0)
		snprintf(out, 2 * SHOWN_BYTES + 8, "%s", name);
	else
		snprintf(out, 2 * SHOWN_BYTES + 8, "%s → %s",
			 shown_name(inv, names, t->asked_first, first), name);
	return out;
}

/* "1 of 2 have approved: Education office" */
static void render_approvals(const struct invocation *inv, const Ieum__V1__ReferralResult *r,
			     const struct names *names)
{
	char list[4 * SHOWN_BYTES] = "", name[SHOWN_BYTES];
	size_t used = 0;

	for (size_t i = 0; i < r->n_tasks; i++) {
		const Ieum__V1__TaskView *t = r->tasks[i];

		for (size_t k = 0; k < t->n_accepted_by && used < sizeof list; k++)
			used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
						 k ? ", " : "",
						 shown_name(inv, names, t->accepted_by[k], name));
		if (t->quorum < 2)
			continue;
		fprintf(inv->out, say(inv, TEXT_APPROVED_BY), t->n_accepted_by, t->quorum,
			*list ? ": " : "", list);
		fputc('\n', inv->out);
	}
}

static enum exit_code render_tasks(const struct invocation *inv, const Ieum__V1__ReferralResult *r,
				   const struct names *names, int64_t now_ms)
{
	char name[2 * SHOWN_BYTES + 8], when[WHEN_BYTES], line[SHOWN_BYTES];
	struct sheet s;
	enum exit_code code;

	if (r->n_tasks == 0)
		return EXIT_DONE;
	sheet_begin(&s, inv);
	sheet_column(&s, TEXT_REQUEST, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_ASKED, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_STATE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_ANSWERED, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_OUTCOME, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_DEADLINE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_STEPS_LEFT, TABLE_RIGHT, 0);
	for (size_t i = 0; i < r->n_tasks; i++) {
		const Ieum__V1__TaskView *t = r->tasks[i];
		const char *outcome = SHOWN_WORD(inv, outcome, t->outcome);
		const char *reason = SHOWN_WORD(inv, reason, t->reason);

		sheet_row(&s);
		sheet_number(&s, (uint64_t)t->task + 1);
		sheet_cell(&s, task_asked(inv, names, t, name));
		sheet_cell(&s, SHOWN_WORD(inv, task_state, t->state));
		sheet_cell(&s, task_answer(inv, t));
		snprintf(line, sizeof line, "%s%s%s", outcome, *outcome && *reason ? ", " : "",
			 reason);
		sheet_cell(&s, line);
		sheet_colour(&s, when_deadline(t->due_at_ms, now_ms, inv->lang, when),
			     due_colour(t->due_at_ms, now_ms));
		sheet_number(&s, t->steps_left);
	}
	fputc('\n', inv->out);
	code = sheet_end(&s);
	if (!code)
		render_approvals(inv, r, names);
	return code;
}

static const char *delivery_state(const struct invocation *inv, Ieum__V1__DeliveryState state)
{
	switch (state) {
	case IEUM__V1__DELIVERY_STATE__DELIVERY_STATE_QUEUED: return say(inv, TEXT_QUEUED);
	case IEUM__V1__DELIVERY_STATE__DELIVERY_STATE_IN_FLIGHT: return say(inv, TEXT_IN_FLIGHT);
	case IEUM__V1__DELIVERY_STATE__DELIVERY_STATE_SETTLED: return say(inv, TEXT_SETTLED);
	case IEUM__V1__DELIVERY_STATE__DELIVERY_STATE_DEAD_LETTERED:
		return say(inv, TEXT_DEAD_LETTERED);
	case IEUM__V1__DELIVERY_STATE__DELIVERY_STATE_WITHDRAWN: return say(inv, TEXT_WITHDRAWN);
	default: return "";
	}
}

static enum exit_code render_deliveries(const struct invocation *inv,
					const Ieum__V1__ReferralResult *r,
					const struct names *names)
{
	char name[SHOWN_BYTES], when[WHEN_BYTES];
	struct sheet s;

	if (r->n_deliveries == 0)
		return EXIT_DONE;
	sheet_begin(&s, inv);
	sheet_column(&s, TEXT_DELIVERIES, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_STATE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_RELEASED_TO, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_WHEN, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_WHY, TABLE_LEFT, 0);
	for (size_t i = 0; i < r->n_deliveries; i++) {
		const Ieum__V1__DeliveryView *d = r->deliveries[i];
		bool dead = d->state == IEUM__V1__DELIVERY_STATE__DELIVERY_STATE_DEAD_LETTERED;

		sheet_row(&s);
		sheet_cell(&s, shown_name(inv, names, d->mailbox, name));
		sheet_colour(&s, delivery_state(inv, d->state), dead ? TABLE_RED : TABLE_PLAIN);
		sheet_cell(&s, *d->released_to ? shown_name(inv, names, d->released_to, name) : "");
		sheet_cell(&s, when_time(d->released_at_ms, when));
		sheet_cell(&s, SHOWN_WORD(inv, delivery_cause, d->cause));
	}
	fputc('\n', inv->out);
	return sheet_end(&s);
}

static enum text_id why_no_content(Ieum__V1__Withheld why)
{
	switch (why) {
	case IEUM__V1__WITHHELD__WITHHELD_ERASED: return TEXT_CONTENT_ERASED;
	case IEUM__V1__WITHHELD__WITHHELD_CONSENT_WITHDRAWN: return TEXT_CONTENT_WITHDRAWN;
	default: return TEXT_CONTENT_OF_OTHERS;
	}
}

enum exit_code render_referral(const struct invocation *inv, const struct pages *pages,
			       const struct names *names)
{
	const Ieum__V1__ReferralResult *r = pages->page[0]->referral;
	int64_t now_ms = pages->page[0]->hub_time_at_ms;
	char id[UUID_TEXT_BYTES], who[SHOWN_WHO_BYTES], when[WHEN_BYTES];
	enum exit_code code;
	struct sheet s;

	sheet_begin(&s, inv);
	sheet_plain_column(&s, TABLE_LEFT);
	sheet_plain_column(&s, TABLE_LEFT);
	sheet_field(&s, TEXT_MESSAGE, shown_id(&r->message_id, id));
	sheet_field(&s, TEXT_TYPE, SHOWN_WORD(inv, message_type, r->type));
	sheet_field(&s, TEXT_FROM, shown_who(inv, names, r->sender, r->sender_actor, who));
	sheet_field(&s, TEXT_CASE, shown_id(&r->case_id, id));
	sheet_field(&s, TEXT_RECEIVED, when_time(r->received_at_ms, when));
	if (r->referral)
		fields_envelope(inv, &s, r->referral->envelope);
	code = sheet_end(&s);
	if (!code && r->referral)
		code = render_content(inv, r->referral, r->sender, r->received_at_ms, names);
	else if (!code)
		fprintf(inv->out, "    %s\n", say(inv, why_no_content(r->withheld)));
	if (!code)
		code = render_tasks(inv, r, names, now_ms);
	return code ? code : render_deliveries(inv, r, names);
}
