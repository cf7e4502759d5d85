/* The player; see play.h. */
#include "tests/scenarios/play.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/catalog.h"
#include "proto/pbmap.h"
#include "proto/uuid7.h"
#include "proto/words.h"
#include "tests/scenarios/manifest.h"
#include "yaml/yaml_value.h"

enum { NAMES_MAX = SCENARIO_STEPS_MAX * 2, SEOUL_OFFSET_S = 9 * 3600 };

/* A message's name in the file and what it turned out to be. */
struct named {
	const char *name;
	uint8_t message_id[PLAY_ID_BYTES];
	uint8_t case_id[PLAY_ID_BYTES];
	const char *sender;
};

struct player {
	const struct scenario *scenario;
	const struct policy *policy;
	const struct play_hub *hub;
	const struct play_options *options;
	struct play_result *result;
	struct uuid7_source ids;
	struct named names[NAMES_MAX];
	size_t n_names;
	struct play_delivery deliveries[PLAY_DELIVERIES_MAX]; /* of the whole play */
	size_t n_deliveries;
	size_t step_first; /* the first delivery of this step */
};

static bool trouble(struct player *p, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Keeps the first thing that went wrong; always false. */
static bool trouble(struct player *p, int line, const char *format, ...)
{
	char text[400];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (!p->result->trouble[0])
		snprintf(p->result->trouble, sizeof p->result->trouble, "%s:%d: %s",
			 p->scenario->path, line, text);
	return false;
}

static struct named *find_name(struct player *p, const char *name)
{
	for (size_t i = p->n_names; name && i > 0; i--) {
		if (strcmp(p->names[i - 1].name, name) == 0)
			return &p->names[i - 1];
	}
	return NULL;
}

static void add_name(struct player *p, const char *name, const char *sender,
		     const uint8_t *message_id, const uint8_t *case_id)
{
	if (!name || p->n_names == NAMES_MAX)
		return;
	struct named *n = &p->names[p->n_names++];
	n->name = name;
	n->sender = sender;
	memcpy(n->message_id, message_id, PLAY_ID_BYTES);
	memcpy(n->case_id, case_id, PLAY_ID_BYTES);
}

/* ---- the timeline that people read ---- */

static const char *mailbox_title(const struct player *p, const char *mailbox, enum words_lang lang)
{
	int i = policy_find_mailbox(p->policy, mailbox);

	if (i == POLICY_NONE)
		return mailbox;
	const struct policy_mailbox *m = policy_mailbox(p->policy, i);
	const char *title = lang == WORDS_KO ? m->title_ko : m->title_en;
	return title ? title : mailbox;
}

static void tell_time(struct player *p)
{
	time_t at = (time_t)(p->hub->now_ms(p->hub->ctx) / 1000) + SEOUL_OFFSET_S;
	struct tm tm;
	char text[32];

	gmtime_r(&at, &tm);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M", &tm);
	fprintf(p->options->timeline, "%s%s%s  ", p->options->colour ? "\033[2m" : "", text,
		p->options->colour ? "\033[0m" : "");
}

static void type_words(Ieum__V1__MessageType type, const char **en, const char **ko)
{
	static _Thread_local char word[PBMAP_WORD_BYTES];

	pbmap_enum_word(&ieum__v1__message_type__descriptor, (int)type, word);
	*en = words_text(word, WORDS_EN);
	*ko = words_text(word, WORDS_KO);
}

static void tell_answer(FILE *out, Ieum__V1__AnswerKind kind, Ieum__V1__Reason reason);

static void tell_span(FILE *out, const char *text)
{
	static const char *const units_ko[] = {
		[YAML_UNIT_MS] = "밀리초",
		[YAML_UNIT_S] = "초",
		[YAML_UNIT_MIN] = "분",
		[YAML_UNIT_H] = "시간",
		[YAML_UNIT_D] = "일",
		[YAML_UNIT_BUSINESS_HOUR] = "업무시간",
		[YAML_UNIT_BUSINESS_DAY] = "영업일",
		[YAML_UNIT_MONTH] = "개월",
		[YAML_UNIT_YEAR] = "년",
	};
	struct yaml_duration d = { 0 };

	(void)yaml_parse_duration(text, &d);
	fprintf(out, "· %lld%s 지남 (%s later)\n", (long long)d.amount, units_ko[d.unit], text);
}

static void tell_step(struct player *p, const struct scenario_step *step)
{
	const char *en = "";
	const char *ko = "";

	if (!p->options->timeline)
		return;
	tell_time(p);
	if (step->kind == SCENARIO_AFTER) {
		tell_span(p->options->timeline, step->after);
	} else if (step->kind == SCENARIO_CRASH) {
		fprintf(p->options->timeline,
			"· the hub is killed and started again / 허브 강제 종료 후 재시작\n");
	} else if (step->message) {
		type_words(step->message->envelope->type, &en, &ko);
		fprintf(p->options->timeline, "%s%s (%s)%s: %s (%s)",
			p->options->colour ? "\033[1m" : "", mailbox_title(p, step->who, WORDS_KO),
			mailbox_title(p, step->who, WORDS_EN), p->options->colour ? "\033[0m" : "",
			ko, en);
		if (step->message->body_case == IEUM__V1__REFERRAL__BODY_ANSWER)
			tell_answer(p->options->timeline, step->message->answer->kind,
				    step->message->answer->reason);
		if (step->message->body_case == IEUM__V1__REFERRAL__BODY_REFERRAL)
			fprintf(p->options->timeline, ": %s (%s)",
				words_text(step->message->referral->domain, WORDS_KO),
				step->message->referral->domain);
		fputc('\n', p->options->timeline);
	} else {
		fprintf(p->options->timeline, "· looking / 확인\n");
	}
	if (step->say_ko)
		fprintf(p->options->timeline, "                    %s\n", step->say_ko);
	if (step->say_en)
		fprintf(p->options->timeline, "                    %s\n", step->say_en);
}

/* ": 반려 · 정원초과 (reject, capacity_full)" for an answer. */
static void tell_answer(FILE *out, Ieum__V1__AnswerKind kind, Ieum__V1__Reason reason)
{
	char word[PBMAP_WORD_BYTES];
	char why[PBMAP_WORD_BYTES];

	pbmap_enum_word(&ieum__v1__answer_kind__descriptor, (int)kind, word);
	pbmap_enum_word(&ieum__v1__reason__descriptor, (int)reason, why);
	if (reason)
		fprintf(out, ": %s · %s (%s, %s)", words_text(word, WORDS_KO),
			words_text(why, WORDS_KO), word, why);
	else
		fprintf(out, ": %s (%s)", words_text(word, WORDS_KO), word);
}

static void tell_delivery(struct player *p, const struct play_delivery *d)
{
	FILE *out = p->options->timeline;
	const char *en = "";
	const char *ko = "";
	char cause[PBMAP_WORD_BYTES];

	if (!out)
		return;
	type_words(d->type, &en, &ko);
	fprintf(out, "                    → %s", mailbox_title(p, d->mailbox, WORDS_KO));
	if (strcmp(d->mailbox, d->participant) != 0)
		fprintf(out, " · %s", mailbox_title(p, d->participant, WORDS_KO));
	fprintf(out, " (%s): %s (%s)", mailbox_title(p, d->participant, WORDS_EN), ko, en);
	if (d->answer)
		tell_answer(out, d->answer, d->reason);
	if (d->cause > IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ANSWER) {
		pbmap_enum_word(&ieum__v1__delivery_cause__descriptor, (int)d->cause, cause);
		fprintf(out, " · %s (%s)", words_text(cause, WORDS_KO),
			words_text(cause, WORDS_EN));
	}
	fputc('\n', out);
}

static void tell_held(struct player *p, const char *format, ...)
{
	va_list args;

	if (!p->options->timeline)
		return;
	fprintf(p->options->timeline, "                    %s✓%s ",
		p->options->colour ? "\033[32m" : "", p->options->colour ? "\033[0m" : "");
	va_start(args, format);
	vfprintf(p->options->timeline, format, args);
	va_end(args);
	fputc('\n', p->options->timeline);
}

/* ---- deliveries ---- */

static struct play_delivery *keep_delivery(struct player *p, const struct play_delivery *d)
{
	if (p->n_deliveries == PLAY_DELIVERIES_MAX)
		return NULL;
	p->deliveries[p->n_deliveries] = *d;
	tell_delivery(p, d);
	return &p->deliveries[p->n_deliveries++];
}

static bool matches(struct player *p, const struct scenario_expect *e,
		    const struct play_delivery *d)
{
	const struct named *n = find_name(p, e->message);

	if (d->seen || (e->inbox && strcmp(d->mailbox, e->inbox) != 0))
		return false;
	if (e->cause && d->cause != e->cause)
		return false;
	const struct named *of = find_name(p, e->of);
	if (of && memcmp(of->case_id, d->case_id, PLAY_ID_BYTES) != 0)
		return false;
	if (e->message)
		return n && memcmp(n->message_id, d->message_id, PLAY_ID_BYTES) == 0;
	return d->type == e->type;
}

static bool expect_gets(struct player *p, const struct scenario_expect *e)
{
	struct play_delivery *found = NULL;
	struct play_delivery d;
	bool got = true;

	for (size_t i = 0; i < p->n_deliveries && !found; i++) {
		if (matches(p, e, &p->deliveries[i]))
			found = &p->deliveries[i];
	}
	while (!found && got) {
		if (!p->hub->next_delivery(p->hub->ctx, &d, &got))
			return trouble(p, e->line, "the hub cannot be asked any more");
		struct play_delivery *kept = got ? keep_delivery(p, &d) : NULL;
		if (kept && matches(p, e, kept))
			found = kept;
	}
	if (!found)
		return trouble(p, e->line, "%s did not get %s", e->inbox ? e->inbox : "nobody",
			       e->message ? e->message : "what was expected");
	found->seen = true;
	/* Whoever got what the hub made can ask for its case. */
	add_name(p, e->as, found->participant, found->message_id, found->case_id);
	return true;
}

/* Takes what has come without waiting for more. */
static bool settle_down(struct player *p, int line)
{
	struct play_delivery d;
	bool got = true;

	while (got) {
		if (!p->hub->settled_down(p->hub->ctx, &d, &got))
			return trouble(p, line, "the hub cannot be asked any more");
		if (got && !keep_delivery(p, &d))
			return trouble(p, line, "too many deliveries for one scenario");
	}
	return true;
}

static bool expect_nothing(struct player *p, const struct scenario_expect *e)
{
	if (!settle_down(p, e->line))
		return false;
	for (size_t i = p->step_first; i < p->n_deliveries; i++) {
		if (!p->deliveries[i].seen && strcmp(p->deliveries[i].mailbox, e->inbox) == 0)
			return trouble(p, e->line, "%s got something", e->inbox);
	}
	tell_held(p, "%s: 받은 것 없음 (gets nothing)", mailbox_title(p, e->inbox, WORDS_KO));
	return true;
}

static bool expect_state(struct player *p, const struct scenario_expect *e,
			 Ieum__V1__CaseState state)
{
	char word[PBMAP_WORD_BYTES];

	if (!e->state)
		return true;
	pbmap_enum_word(&ieum__v1__case_state__descriptor, (int)state, word);
	if ((int)state != e->state)
		return trouble(p, e->line, "the case is %s", word);
	tell_held(p, "사례 상태 (case): %s (%s)", words_text(word, WORDS_KO), word);
	return true;
}

static bool expect_risk_and_consent(struct player *p, const struct scenario_expect *e,
				    const struct play_case *is)
{
	const char *grade = *is->grade ? is->grade : "-";

	if (e->grade && strcmp(grade, e->grade) != 0)
		return trouble(p, e->line, "the case has grade %s", grade);
	if (e->grade)
		tell_held(p, "재범위험 등급 (grade): %s", grade);
	if (e->consent_withdrawn < 0)
		return true;
	if (is->consent_withdrawn != (e->consent_withdrawn != 0))
		return trouble(p, e->line, "consent is%s withdrawn",
			       is->consent_withdrawn ? "" : " not");
	tell_held(p, is->consent_withdrawn ? "동의 철회됨 (consent withdrawn)"
					   : "동의 유효 (consent holds)");
	return true;
}

/* A real hub's clock goes on while the scenario is played. */
#define CLOCK_TOLERANCE_MS ((int64_t)10 * 60 * 1000)

static bool expect_clock(struct player *p, const struct scenario_expect *e,
			 const struct play_case *is)
{
	const struct play_clock *k = NULL;
	char word[PBMAP_WORD_BYTES], due[YAML_TIME_TEXT_BYTES] = "";

	for (size_t i = 0; i < is->n_clocks; i++)
		if (strcmp(is->clocks[i].name, e->clock) == 0)
			k = &is->clocks[i];
	if (!k)
		return trouble(p, e->line, "the case has no clock '%s'", e->clock);
	pbmap_enum_word(&ieum__v1__clock_state__descriptor, (int)k->state, word);
	if ((int)k->state != e->state)
		return trouble(p, e->line, "clock '%s' is %s", e->clock, word);
	if (k->due_at_ms)
		yaml_format_time_us(k->due_at_ms * 1000, SEOUL_OFFSET_S / 60, due);
	if (e->due_us && llabs(k->due_at_ms - e->due_us / 1000) > CLOCK_TOLERANCE_MS)
		return trouble(p, e->line, "clock '%s' ends %s", e->clock, due);
	tell_held(p, "기한 (clock) %s: %s (%s) %s", e->clock, words_text(word, WORDS_KO), word,
		  due);
	return true;
}

static bool expect_gate(struct player *p, const struct scenario_expect *e,
			const struct play_case *is)
{
	bool open = false;

	for (size_t i = 0; i < is->n_gates; i++)
		open |= strcmp(is->gates[i], e->gate) == 0;
	if (open != e->is)
		return trouble(p, e->line, "the gate '%s' is %s", e->gate,
			       open ? "open" : "closed");
	tell_held(p, "%s: %s", e->gate, open ? "승인됨 (gate open)" : "승인 전 (gate closed)");
	return true;
}

static bool expect_agenda(struct player *p, const struct scenario_expect *e)
{
	const struct named *n = find_name(p, e->message);
	static struct play_agenda list[PLAY_AGENDA_MAX];
	const struct play_agenda *found = NULL;
	size_t entries = PLAY_AGENDA_MAX;

	if (!n || !p->hub->agenda(p->hub->ctx, e->by, e->agenda, list, &entries))
		return trouble(p, e->line, "the agenda cannot be read");
	for (size_t i = 0; i < entries && !found; i++) {
		if (memcmp(list[i].message_id, n->message_id, PLAY_ID_BYTES) == 0 ||
		    memcmp(list[i].message_id, n->case_id, PLAY_ID_BYTES) == 0)
			found = &list[i];
	}
	if ((found != NULL) != e->is)
		return trouble(p, e->line, "'%s' is %s the agenda that %s sees", e->message,
			       found ? "on" : "not on", e->by);
	if (found && e->carried >= 0 && found->carried != e->carried)
		return trouble(p, e->line, "'%s' was before %u meetings", e->message,
			       found->carried);
	tell_held(p, "안건목록 (agenda): %s %s", e->message,
		  e->is ? "있음 (on it)" : "없음 (not on it)");
	return true;
}

static bool expect_case(struct player *p, const struct scenario_expect *e)
{
	const struct named *n = find_name(p, e->message);
	struct play_case is = { .state = IEUM__V1__CASE_STATE__CASE_STATE_UNSPECIFIED };

	const char *by = e->by ? e->by : n ? n->sender : NULL;
	if (!n || !by)
		return trouble(p, e->line, "no agency of this file can ask for the case of '%s'",
			       e->message);
	if (!p->hub->case_state(p->hub->ctx, by, n->case_id, &is))
		return trouble(p, e->line, "the case cannot be read");
	if (e->owner && strcmp(e->owner, is.owner) != 0)
		return trouble(p, e->line, "%s is responsible for the case", is.owner);
	if (e->gate)
		return expect_gate(p, e, &is);
	if (e->clock)
		return expect_clock(p, e, &is);
	return expect_state(p, e, is.state) && expect_risk_and_consent(p, e, &is);
}

static bool expect_task(struct player *p, const struct scenario_expect *e)
{
	const struct named *n = find_name(p, e->message);
	Ieum__V1__TaskState state = IEUM__V1__TASK_STATE__TASK_STATE_UNSPECIFIED;
	char word[PBMAP_WORD_BYTES];

	if (!n || !n->sender)
		return trouble(p, e->line, "no agency of this file can ask for '%s'", e->message);
	if (!p->hub->task_state(p->hub->ctx, n->sender, n->message_id, e->inbox, &state))
		return trouble(p, e->line, "the referral cannot be read");
	pbmap_enum_word(&ieum__v1__task_state__descriptor, (int)state, word);
	if ((int)state != e->state)
		return trouble(p, e->line, "the request is %s", word);
	tell_held(p, "%s: %s (%s)", e->message, words_text(word, WORDS_KO), word);
	return true;
}

/* As its keeper sees it; an entry as whoever sent it. */
static bool expect_pool(struct player *p, const struct scenario_expect *e)
{
	const struct policy_pool *pool =
		policy_pool(p->policy, policy_find_pool(p->policy, e->pool));
	const struct named *n = find_name(p, e->message);
	struct play_pool is = { 0 };

	if (!pool || (e->kind == SCENARIO_WAITS && (!n || !n->sender)))
		return trouble(p, e->line, "the hub file has no pool '%s', or nobody waits",
			       e->pool);
	if (!p->hub->pool(p->hub->ctx,
			  n ? n->sender : policy_participant(p->policy, pool->keeper)->name,
			  e->pool, n ? n->message_id : NULL, &is))
		return trouble(p, e->line, "the pool cannot be read");
	if (n && is.position != e->position)
		return trouble(p, e->line, "'%s' has position %u", e->message, is.position);
	if (!n && ((e->held >= 0 && is.held != e->held) ||
		   (e->taken >= 0 && is.taken != e->taken) || (e->free >= 0 && is.free != e->free)))
		return trouble(p, e->line, "'%s' has %u held, %u taken, %u free", e->pool, is.held,
			       is.taken, is.free);
	if (n)
		tell_held(p, "%s: 대기 순번 (position) %u", pool->title_ko, is.position);
	else
		tell_held(p, "%s: 확보 (held) %u, 입소 (taken) %u, 빈자리 (free) %u",
			  pool->title_ko, is.held, is.taken, is.free);
	return true;
}

static bool expect_opens(struct player *p, const struct scenario_expect *e)
{
	const struct named *n = find_name(p, e->message);
	bool opens = false;

	if (!n || !p->hub->opens(p->hub->ctx, e->by, n->message_id, &opens))
		return trouble(p, e->line, "'%s' cannot be asked for", e->message);
	if (opens != e->is)
		return trouble(p, e->line, "%s %s what is sealed in '%s'", e->by,
			       opens ? "opens" : "can't open", e->message);
	tell_held(p, "%s: 봉인된 내용 %s", mailbox_title(p, e->by, WORDS_KO),
		  opens ? "열람 (opens what is sealed)" : "열 수 없음 (can't open what is sealed)");
	return true;
}

static bool expect_hidden(struct player *p, const struct scenario_expect *e)
{
	const struct named *n = find_name(p, e->message);
	struct play_case is = { .state = IEUM__V1__CASE_STATE__CASE_STATE_UNSPECIFIED };

	bool reads = n && p->hub->case_state(p->hub->ctx, e->by, n->case_id, &is);

	if (reads && e->clock) {
		for (size_t i = 0; i < is.n_clocks; i++)
			if (strcmp(is.clocks[i].name, e->clock) == 0)
				return trouble(p, e->line, "%s sees the clock '%s'", e->by,
					       e->clock);
		tell_held(p, "%s: 기한 %s 비공개 (doesn't see the clock)",
			  mailbox_title(p, e->by, WORDS_KO), e->clock);
		return true;
	}
	if (!n || reads)
		return trouble(p, e->line, "%s can read the case of '%s'", e->by, e->message);
	tell_held(p, "%s: 열람 불가 (can't read the case)", mailbox_title(p, e->by, WORDS_KO));
	return true;
}

static bool expect_handover(struct player *p, const struct scenario_expect *e)
{
	const struct named *n = find_name(p, e->message);
	const struct play_handover_query of = {
		n ? n->message_id : NULL,
		e->from,
		e->to,
		e->jurisdiction,
	};
	struct play_handover is = { .cases = 0 };

	if (!p->hub->handover(p->hub->ctx, e->by, &of, &is))
		return trouble(p, e->line, "the hand-over cannot be asked about");
	if ((e->state && (int)is.step != e->state) || (e->cases >= 0 && is.cases != e->cases) ||
	    (e->not_accepted >= 0 && is.not_accepted != e->not_accepted) ||
	    (e->errors >= 0 && is.errors != e->errors))
		return trouble(p, e->line, "step %d, %u cases, %u not accepted, %u errors",
			       (int)is.step, is.cases, is.not_accepted, is.errors);
	tell_held(p, "이관 (hand-over): %u건 (cases), %u 미수락 (not accepted), %u 오류 (errors)",
		  is.cases, is.not_accepted, is.errors);
	return true;
}

static bool check_expect(struct player *p, const struct scenario_expect *e)
{
	switch (e->kind) {
	case SCENARIO_GETS: return expect_gets(p, e);
	case SCENARIO_GETS_NOTHING: return expect_nothing(p, e);
	case SCENARIO_CASE_STATE: return expect_case(p, e);
	case SCENARIO_TASK_STATE: return expect_task(p, e);
	case SCENARIO_POOL:
	case SCENARIO_WAITS: return expect_pool(p, e);
	case SCENARIO_AGENDA: return expect_agenda(p, e);
	case SCENARIO_HIDDEN: return expect_hidden(p, e);
	case SCENARIO_OPENS: return expect_opens(p, e);
	case SCENARIO_HANDOVER: return expect_handover(p, e);
	case SCENARIO_REFUSED: return true; /* checked where the message was submitted */
	}
	return false;
}

/* ---- steps ---- */

static enum ieum_err expected_refusal(const struct scenario_step *step)
{
	for (size_t i = 0; i < step->n_expects; i++) {
		if (step->expects[i].kind == SCENARIO_REFUSED)
			return step->expects[i].code;
	}
	return IEUM_E_OK;
}

static ProtobufCBinaryData id_copy(const uint8_t *id)
{
	uint8_t *copy = malloc(PLAY_ID_BYTES);

	if (!copy)
		abort();
	memcpy(copy, id, PLAY_ID_BYTES);
	return (ProtobufCBinaryData){ PLAY_ID_BYTES, copy };
}

static void add_id(ProtobufCBinaryData **list, size_t *n, const uint8_t *id)
{
	*list = realloc(*list, (*n + 1) * sizeof **list);
	if (!*list)
		abort();
	(*list)[(*n)++] = id_copy(id);
}

/* Ids that the file gives by name; the referral owns them, so that playing twice needs a
 * fresh load. */
static bool fill_envelope(struct player *p, const struct scenario_step *step, uint8_t *message_id)
{
	Ieum__V1__Envelope *e = step->message->envelope;
	const struct named *in_case = find_name(p, step->in_case ? step->in_case : step->reply_to);
	const struct named *reply_to = find_name(p, step->reply_to);
	const struct named *supersedes = find_name(p, step->supersedes);
	const struct named *hold = find_name(p, step->hold);
	Ieum__V1__ConferenceMinutes *minutes =
		step->message->body_case == IEUM__V1__REFERRAL__BODY_CONFERENCE_MINUTES
			? step->message->conference_minutes
			: NULL;

	if (uuid7_next(&p->ids, (uint64_t)p->hub->now_ms(p->hub->ctx), message_id) != IEUM_E_OK)
		return false;
	e->message_id = id_copy(message_id);
	e->open_case = step->opens_case;
	static const uint8_t no_case[PLAY_ID_BYTES];
	if (in_case && !step->opens_case && !e->case_id.len &&
	    memcmp(in_case->case_id, no_case, sizeof no_case) != 0)
		e->case_id = id_copy(in_case->case_id);
	if (reply_to)
		e->in_reply_to = id_copy(reply_to->message_id);
	if (supersedes)
		e->supersedes = id_copy(supersedes->message_id);
	if (step->manifest_of &&
	    step->message->body_case == IEUM__V1__REFERRAL__BODY_HANDOVER_MANIFEST &&
	    !manifest_fill(step->message->handover_manifest,
			   find_name(p, step->manifest_of)->message_id, step->who, p->deliveries,
			   p->n_deliveries))
		return false;
	if (minutes && step->conference)
		minutes->conference_id = id_copy(find_name(p, step->conference)->message_id);
	if (minutes && step->keeps)
		add_id(&minutes->kept_item_ids, &minutes->n_kept_item_ids,
		       find_name(p, step->keeps)->message_id);
	if (step->signal &&
	    step->message->body_case == IEUM__V1__REFERRAL__BODY_IDENTITY_DISCLOSURE)
		add_id(&step->message->identity_disclosure->signal_ids,
		       &step->message->identity_disclosure->n_signal_ids,
		       find_name(p, step->signal)->message_id);
	if (hold && step->message->body_case == IEUM__V1__REFERRAL__BODY_PLACEMENT_NOTICE)
		step->message->placement_notice->hold_id = id_copy(hold->message_id);
	if (hold && step->message->body_case == IEUM__V1__REFERRAL__BODY_PLACE_RETURNED)
		step->message->place_returned->hold_id = id_copy(hold->message_id);
	return true;
}

static bool submit_step(struct player *p, const struct scenario_step *step)
{
	struct play_receipt receipt = { .code = IEUM_E_OK };
	enum ieum_err expected = expected_refusal(step);
	uint8_t message_id[PLAY_ID_BYTES];

	if (!fill_envelope(p, step, message_id))
		return trouble(p, step->line, "no message id");
	if (!p->hub->submit(p->hub->ctx, step->who, step->message, &receipt))
		return trouble(p, step->line, "the hub cannot be asked any more");
	if (receipt.code != expected)
		return trouble(p, step->line, "%s %s",
			       expected ? "was not refused as expected but:" : "was refused:",
			       receipt.code ? receipt.detail : "accepted");
	if (receipt.code) {
		tell_held(p, "거절됨 (refused): %s — %s",
			  catalog_text(WORDS_KO, ieum_error(receipt.code)->text), receipt.detail);
		return true;
	}
	static const uint8_t no_case[PLAY_ID_BYTES];
	add_name(p, step->name, step->who, message_id,
		 receipt.has_case ? receipt.case_id : no_case);
	return true;
}

static bool advance_step(struct player *p, const struct scenario_step *step)
{
	int64_t now = p->hub->now_ms(p->hub->ctx);
	int64_t then = policy_due(p->policy, now, step->after);

	if (then <= now || !p->hub->advance(p->hub->ctx, then - now))
		return trouble(p, step->line, "the clock cannot be moved by %s", step->after);
	return true;
}

static bool nobody_else(struct player *p, const struct scenario_step *step)
{
	if (!settle_down(p, step->line))
		return false;
	for (size_t i = p->step_first; i < p->n_deliveries; i++) {
		if (!p->deliveries[i].seen)
			return trouble(p, step->line, "%s got something that nobody expected",
				       p->deliveries[i].mailbox);
	}
	return true;
}

static bool play_step(struct player *p, const struct scenario_step *step)
{
	bool ok = true;

	p->step_first = p->n_deliveries;
	tell_step(p, step);
	if (step->kind == SCENARIO_SUBMIT || step->kind == SCENARIO_ANSWER)
		ok = submit_step(p, step);
	else if (step->kind == SCENARIO_AFTER)
		ok = advance_step(p, step);
	else if (step->kind == SCENARIO_CRASH && !p->hub->crash(p->hub->ctx))
		ok = trouble(p, step->line, "the hub did not come back");
	for (size_t i = 0; ok && i < step->n_expects; i++) {
		ok = check_expect(p, &step->expects[i]);
		p->result->expectations += ok;
	}
	if (ok && step->kind != SCENARIO_CRASH)
		ok = settle_down(p, step->line);
	return ok && (!step->nobody_else || nobody_else(p, step));
}

bool play_scenario(const struct scenario *s, const struct policy *policy,
		   const struct play_hub *hub, const struct play_options *options,
		   struct play_result *result)
{
	struct player *p = calloc(1, sizeof *p);
	bool ok = true;

	*result = (struct play_result){ 0 };
	if (!p)
		abort();
	p->scenario = s;
	p->policy = policy;
	p->hub = hub;
	p->options = options;
	p->result = result;
	if (options->timeline)
		fprintf(options->timeline, "\n%s\n%s\n\n", s->title_ko, s->title_en);
	for (size_t i = 0; ok && i < s->n_steps; i++) {
		ok = play_step(p, &s->steps[i]);
		result->steps += ok;
	}
	free(p);
	return ok;
}
