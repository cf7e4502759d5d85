/* Printing an explanation; see explained.h.  Times are those of the hub's time zone, not of the
 * machine: a deadline is a matter of the hub. */
#include "client/explained_parts.h"

#include <inttypes.h>
#include <string.h>

#include "client/details.h"
#include "client/render.h"
#include "client/trouble.h"
#include "proto/catalog.h"

enum { LINE_BYTES = 2 * POLICY_TRACE_VALUE_BYTES + 128, LIST_BYTES = 2048 };

const char *explained_mailbox(const struct explained *e, int mailbox)
{
	return policy_mailbox(e->policy, mailbox)->name;
}

static const char *local_time(const struct explained *e, int64_t at_ms, char *out)
{
	return explain_local_time(e->policy, at_ms, out);
}

/* "gimpo-ps, gimpo-child-official" */
static const char *asked_list(const struct explained *e, const struct policy_task *task,
			      char out[LIST_BYTES])
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < task->n_asked && used < LIST_BYTES; i++)
		used += (size_t)snprintf(out + used, LIST_BYTES - used, "%s%s", i ? ", " : "",
					 explained_mailbox(e, task->asked[i]));
	return out;
}

/* ---- for people ---- */

static const char *because(const struct invocation *inv, const struct policy_look *look,
			   char out[LINE_BYTES])
{
	switch (look->verdict) {
	case POLICY_RULE_APPLIES: return say(inv, TEXT_RULE_APPLIES);
	case POLICY_RULE_FORBIDS: return say(inv, TEXT_RULE_FORBIDS);
	case POLICY_RULE_REFUSES: return say(inv, TEXT_RULE_REFUSES);
	case POLICY_RULE_UNMET:
	case POLICY_RULE_LACKS_BASIS: break;
	}
	if (*look->is && *look->wants)
		snprintf(out, LINE_BYTES, say(inv, TEXT_RULE_WANTS), look->key, look->is,
			 look->wants);
	else if (*look->wants)
		snprintf(out, LINE_BYTES, say(inv, TEXT_RULE_WANTS_SOME), look->key, look->wants);
	else
		snprintf(out, LINE_BYTES, say(inv, TEXT_RULE_UNMET), look->key);
	return out;
}

static enum table_colour verdict_colour(enum policy_verdict verdict)
{
	if (verdict == POLICY_RULE_APPLIES)
		return TABLE_BOLD;
	return verdict == POLICY_RULE_UNMET ? TABLE_DIM : TABLE_RED;
}

static enum exit_code print_rules(const struct invocation *inv, const struct explained *e)
{
	char line[LINE_BYTES];
	struct sheet s;

	sheet_begin(&s, inv);
	sheet_column(&s, TEXT_LINE, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_RULE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_BECAUSE, TABLE_LEFT, 0);
	for (size_t i = 0; i < e->x->n_looks; i++) {
		const struct policy_look *look = &e->x->looks[i];

		sheet_row(&s);
		sheet_number(&s, (uint64_t)look->line);
		sheet_colour(&s, look->rule, verdict_colour(look->verdict));
		sheet_colour(&s, because(inv, look, line),
			     look->verdict == POLICY_RULE_UNMET ? TABLE_DIM : TABLE_PLAIN);
	}
	return sheet_end(&s);
}

const char *explained_rule_of(const struct explained *e, size_t route)
{
	for (size_t i = 0; i < e->x->n_looks; i++) {
		const struct policy_look *look = &e->x->looks[i];

		if (route >= look->first_route && route < look->first_route + look->n_routes)
			return look->rule;
	}
	return "";
}

static enum exit_code print_recipients(const struct invocation *inv, const struct explained *e)
{
	const struct policy_decision *d = &e->x->decision;
	char time[EXPLAIN_TIME_BYTES];
	struct sheet s;

	if (d->n_routes == 0) {
		if (e->x->n_reaches == 0)
			fprintf(inv->out, "%s\n", say(inv, TEXT_REACHES_NOBODY));
		return EXIT_DONE;
	}
	sheet_begin(&s, inv);
	sheet_column(&s, TEXT_TO, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_BECAUSE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_RULE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_REQUEST, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_ANSWER_BY, TABLE_LEFT, 0);
	for (size_t i = 0; i < d->n_routes; i++) {
		const struct policy_route *route = &d->routes[i];

		sheet_row(&s);
		sheet_cell(&s, explained_mailbox(e, route->mailbox));
		sheet_cell(&s, SHOWN_WORD(inv, delivery_cause, route->cause));
		sheet_cell(&s, explained_rule_of(e, i));
		if (route->task < 0) {
			sheet_cell(&s, "");
			sheet_cell(&s, "");
			continue;
		}
		sheet_number(&s, (uint64_t)route->task + 1);
		sheet_cell(&s, local_time(e, d->tasks[route->task].due_at_ms, time));
	}
	return sheet_end(&s);
}

static enum text_id step_on(const struct policy_step *step)
{
	if (step->on_silence_only)
		return TEXT_ON_SILENCE;
	return step->on_rejection_only ? TEXT_ON_REJECTION : TEXT_ON_EITHER;
}

static enum exit_code print_ladder(const struct invocation *inv, const struct explained *e,
				   size_t index)
{
	const struct policy_task *task = &e->x->decision.tasks[index];
	char list[LIST_BYTES], time[EXPLAIN_TIME_BYTES];
	struct sheet s;

	fputc('\n', inv->out);
	fprintf(inv->out, say(inv, TEXT_REQUEST_N), index + 1, asked_list(e, task, list));
	fputc('\n', inv->out);
	sheet_begin(&s, inv);
	sheet_plain_column(&s, TABLE_LEFT);
	sheet_plain_column(&s, TABLE_LEFT);
	sheet_plain_column(&s, TABLE_LEFT);
	sheet_row(&s);
	sheet_cell(&s, "");
	sheet_cell(&s, local_time(e, task->due_at_ms, time));
	snprintf(list, sizeof list, say(inv, TEXT_CLOCK_STOPS_AT),
		 SHOWN_WORD(inv, stops_at, task->stops_at));
	sheet_cell(&s, list);
	for (size_t i = 0; i < task->n_ladder; i++) {
		const struct policy_step *step = &task->ladder[i];

		sheet_row(&s);
		sheet_cell(&s, step->to);
		sheet_cell(&s, local_time(e, step->due_at_ms, time));
		sheet_cell(&s, say(inv, step_on(step)));
	}
	if (task->blocks_closing)
		sheet_field(&s, TEXT_CLOSING, say(inv, TEXT_BLOCKS_CLOSING));
	if (task->quorum > 1) {
		snprintf(list, sizeof list, "%" PRIu32, task->quorum);
		sheet_field(&s, TEXT_QUORUM, list);
	}
	if (task->gate)
		sheet_field(&s, TEXT_OPENS_GATE, task->gate);
	return sheet_end(&s);
}

static void add_counters(struct sheet *s, const struct explained *e, enum text_id what,
			 uint64_t counters)
{
	for (size_t i = 0; i < policy_counters(e->policy); i++)
		if (counters >> i & 1)
			sheet_field(s, what, policy_counter(e->policy, (int)i)->name);
}

static void add_reaches(const struct invocation *inv, struct sheet *s, const struct explained *e)
{
	char line[LINE_BYTES], act[EXPLAINED_ACT_BYTES];

	for (size_t i = 0; i < e->x->n_reaches; i++) {
		const struct explain_reach *to = &e->x->reaches[i];

		snprintf(line, sizeof line, "%s: %s (%s)", explained_mailbox(e, to->mailbox),
			 explained_act(inv, to->act, act), to->act->rule);
		sheet_field(s, TEXT_MAY_REACH, line);
	}
}

static enum exit_code print_effects(const struct invocation *inv, const struct explained *e)
{
	const struct policy_decision *d = &e->x->decision;
	char line[LINE_BYTES], act[EXPLAINED_ACT_BYTES];
	struct sheet s;

	fputc('\n', inv->out);
	sheet_begin(&s, inv);
	sheet_plain_column(&s, TABLE_LEFT);
	sheet_plain_column(&s, TABLE_LEFT);
	for (size_t i = 0; i < d->n_emits; i++) {
		snprintf(line, sizeof line, "%s%s%s",
			 SHOWN_WORD(inv, message_type, d->emits[i].type),
			 d->emits[i].open_case ? ", " : "",
			 d->emits[i].open_case ? say(inv, TEXT_CASE_OF_ITS_OWN) : "");
		sheet_field(&s, TEXT_HUB_SENDS, line);
	}
	for (size_t i = 0; i < d->n_acts; i++) {
		snprintf(line, sizeof line, "%s (%s)", explained_act(inv, &d->acts[i], act),
			 d->acts[i].rule);
		sheet_field(&s, TEXT_SETS_OFF, line);
	}
	add_reaches(inv, &s, e);
	add_counters(&s, e, TEXT_COUNTS_IN, e->x->counted);
	add_counters(&s, e, TEXT_COUNTS_ANEW, e->x->begun_anew);
	if (d->case_owner != POLICY_NONE)
		sheet_field(&s, TEXT_OWNER, explained_mailbox(e, d->case_owner));
	sheet_field(&s, TEXT_CASE_STATE, SHOWN_WORD(inv, case_state, d->case_state));
	if (d->closing)
		sheet_field(&s, TEXT_CLOSING, say(inv, TEXT_ASKS_TO_CLOSE));
	return sheet_end(&s);
}

static void print_refusal(const struct invocation *inv, const struct explained *e)
{
	const struct ieum_error_row *row = ieum_error((int)e->x->err);
	char detail[DETAILS_BYTES];

	fputs(inv->colour ? "\n\033[31m" : "\n", inv->out);
	fprintf(inv->out, say(inv, TEXT_WOULD_BE_REFUSED), catalog_text(inv->lang, row->text),
		row->name);
	fputs(inv->colour ? "\033[0m\n" : "\n", inv->out);
	if (*e->x->detail)
		fprintf(inv->out, "  %s\n", details_in(inv->lang, e->x->detail, detail));
}

static enum exit_code print_text(const struct invocation *inv, const struct explained *e)
{
	const char *sender = e->sender == POLICY_NONE
				     ? say(inv, TEXT_HUB)
				     : policy_participant(e->policy, e->sender)->name;
	char time[EXPLAIN_TIME_BYTES];
	enum exit_code code;

	fprintf(inv->out, say(inv, TEXT_EXPLAINED),
		SHOWN_WORD(inv, message_type, e->message->envelope->type), sender,
		local_time(e, e->at_ms, time));
	fputs("\n\n", inv->out);
	code = e->x->n_looks > 0 ? print_rules(inv, e) : EXIT_DONE;
	if (code || e->x->err) {
		if (!code)
			print_refusal(inv, e);
		return code;
	}
	fputc('\n', inv->out);
	code = print_recipients(inv, e);
	for (size_t i = 0; i < e->x->decision.n_tasks && !code; i++)
		code = print_ladder(inv, e, i);
	return code ? code : print_effects(inv, e);
}

enum exit_code explained_print(const struct invocation *inv, const struct explained *e)
{
	return inv->json ? explained_json(inv, e) : print_text(inv, e);
}
