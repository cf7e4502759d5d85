/* Scenarios against real processes; see real_hub.h. */
#include "tests/scenarios/real_hub.h"

#include <errno.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/pbmap.h"
#include "proto/uuid7.h"
#include "tests/process/ieumd_process.h"
#include "tests/scenarios/real_agency.h"

extern char **environ;

enum { ARRIVE_WITHIN_MS = 15000, EXIT_HUB_REFUSED = 1, MINUTE_MS = 60000 };

struct real_hub {
	struct ieumd_process ieumd;
	const char *bin;
	const char *operator; /* who may move the clock */
	struct agency *agencies;
	struct pollfd *polled;
	size_t n_agencies;
	int64_t ahead_ms; /* hub time less that of this machine */
	struct play_hub play;
};

static struct agency *agency_named(struct real_hub *h, const char *name)
{
	for (size_t i = 0; i < h->n_agencies; i++) {
		if (strcmp(h->agencies[i].name, name) == 0)
			return &h->agencies[i];
	}
	fprintf(stderr, "the hub file has no participant '%s'\n", name);
	return NULL;
}

/* ---- reading what `ieum --json` prints ---- */

static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static uint32_t number_at(const json_t *object, const char *key)
{
	return (uint32_t)json_integer_value(json_object_get(object, key));
}

static int enum_at(const json_t *object, const char *key, const ProtobufCEnumDescriptor *type)
{
	int value = 0;

	if (*text_at(object, key))
		pbmap_enum_value(type, text_at(object, key), &value);
	return value;
}

/* The object that holds the key, wherever in the document it is. */
static const json_t *holder_of(const json_t *json, const char *key)
{
	const char *name = NULL;
	json_t *value = NULL;

	if (json_object_get(json, key))
		return json;
	json_object_foreach((json_t *)json, name, value)
	{
		const json_t *found = holder_of(value, key);
		if (found)
			return found;
	}
	return NULL;
}

static void read_delivery(const struct agency *a, const json_t *line, struct play_delivery *d)
{
	const json_t *delivery = holder_of(line, "delivery_id");
	const json_t *referral = json_object_get(delivery, "referral");
	const json_t *envelope = json_object_get(referral, "envelope");
	const json_t *answer = json_object_get(referral, "answer");
	const json_t *handover = json_object_get(referral, "handover");

	*d = (struct play_delivery){ .seen = false };
	snprintf(d->participant, sizeof d->participant, "%s", a->name);
	snprintf(d->mailbox, sizeof d->mailbox, "%s", text_at(delivery, "mailbox"));
	snprintf(d->sender, sizeof d->sender, "%s", text_at(delivery, "sender"));
	(void)uuid_parse(text_at(envelope, "message_id"), d->message_id);
	(void)uuid_parse(text_at(delivery, "case_id"), d->case_id);
	d->type = (Ieum__V1__MessageType)enum_at(envelope, "type",
						 &ieum__v1__message_type__descriptor);
	d->cause = (Ieum__V1__DeliveryCause)enum_at(delivery, "cause",
						    &ieum__v1__delivery_cause__descriptor);
	d->answer =
		(Ieum__V1__AnswerKind)enum_at(answer, "kind", &ieum__v1__answer_kind__descriptor);
	d->reason = (Ieum__V1__Reason)enum_at(answer, "reason", &ieum__v1__reason__descriptor);
	(void)uuid_parse(text_at(handover, "change_id"), d->change_id);
	d->handed = (struct handover_row){ .open_referrals = number_at(handover, "open_referrals"),
					   .clocks = number_at(handover, "clocks"),
					   .holds = number_at(handover, "holds") };
}

/* ---- what the player asks for ---- */

static bool write_referral(const char *path, const Ieum__V1__Referral *referral)
{
	json_t *json = NULL;
	bool ok = pbmap_to_json(&referral->base, NULL, &json) == IEUM_E_OK &&
		  json_dump_file(json, path, 0) == 0;

	json_decref(json);
	if (!ok)
		fprintf(stderr, "cannot write %s\n", path);
	return ok;
}

static bool do_submit(void *ctx, const char *who, const Ieum__V1__Referral *referral,
		      struct play_receipt *receipt)
{
	struct real_hub *h = ctx;
	struct agency *a = agency_named(h, who);
	char path[320];
	char *words[] = { (char *)"submit", path, NULL };
	json_t *printed = NULL;

	snprintf(path, sizeof path, "%s/message.json", h->ieumd.folder);
	if (!a || !write_referral(path, referral))
		return false;
	int code = agency_run(a, h->bin, words, &printed);
	*receipt = (struct play_receipt){ .code = IEUM_E_OK };
	if (code == 0) {
		const json_t *r = holder_of(printed, "case_id");
		receipt->has_case = r && uuid_parse(text_at(r, "case_id"), receipt->case_id);
	} else {
		const json_t *error = json_object_get(printed, "error");
		receipt->code = (enum ieum_err)json_integer_value(json_object_get(error, "code"));
		snprintf(receipt->detail, sizeof receipt->detail, "%s: %s", text_at(error, "name"),
			 text_at(error, "detail"));
	}
	json_decref(printed);
	return code >= 0 && (code == 0 || receipt->code != IEUM_E_OK);
}

static bool is_opened(const json_t *part)
{
	return json_object_get(json_object_get(part, "opened"), "text") != NULL;
}

static bool do_opens(void *ctx, const char *who, const uint8_t *message_id, bool *opens)
{
	struct real_hub *h = ctx;
	struct agency *a = agency_named(h, who);
	char id[UUID_TEXT_BYTES];
	char *words[] = { (char *)"referral", (char *)"show", id, NULL };
	json_t *printed = NULL;
	const json_t *part = NULL;
	size_t i = 0, sealed = 0, opened = 0;

	*opens = false;
	if (!a)
		return false;
	uuid_format(message_id, id);
	if (agency_run(a, h->bin, words, &printed) == 0) {
		json_array_foreach(json_object_get(holder_of(printed, "narrative"), "narrative"), i,
				   part)
		{
			sealed += json_object_get(part, "sealed") != NULL;
			opened += is_opened(part);
		}
	}
	json_decref(printed);
	*opens = sealed > 0 && opened == sealed;
	return true;
}

static int64_t monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool take(struct real_hub *h, struct play_delivery *out)
{
	for (size_t i = 0; i < h->n_agencies; i++) {
		json_t *line = agency_next_line(&h->agencies[i]);
		if (!line)
			continue;
		bool is_delivery = holder_of(line, "delivery_id") != NULL;
		if (is_delivery)
			read_delivery(&h->agencies[i], line, out);
		json_decref(line);
		if (is_delivery)
			return true;
	}
	return false;
}

static bool wait_for_delivery(struct real_hub *h, int within_ms, struct play_delivery *out,
			      bool *got)
{
	int64_t until = monotonic_ms() + within_ms;

	for (;;) {
		*got = take(h, out);
		int64_t left = until - monotonic_ms();
		if (*got || left <= 0)
			return true;
		for (size_t i = 0; i < h->n_agencies; i++)
			h->polled[i] = (struct pollfd){ h->agencies[i].inbox_fd, POLLIN, 0 };
		if (poll(h->polled, h->n_agencies, (int)left) < 0 && errno != EINTR)
			return false;
		for (size_t i = 0; i < h->n_agencies; i++) {
			if ((h->polled[i].revents & (POLLHUP | POLLIN)) == POLLHUP) {
				fprintf(stderr, "the inbox of %s has ended\n", h->agencies[i].name);
				return false;
			}
		}
	}
}

static bool do_next_delivery(void *ctx, struct play_delivery *out, bool *got)
{
	return wait_for_delivery(ctx, ARRIVE_WITHIN_MS, out, got);
}

/* A round trip of another client has gone by: what was released before has been sent. */
static bool do_settled_down(void *ctx, struct play_delivery *out, bool *got)
{
	struct real_hub *h = ctx;
	char *words[] = { (char *)"ping", NULL };
	json_t *printed = NULL;

	int code = agency_run(agency_named(h, h->operator), h->bin, words, &printed);
	json_decref(printed);
	return code == 0 && wait_for_delivery(h, 0, out, got);
}

static bool do_advance(void *ctx, int64_t by_ms)
{
	struct real_hub *h = ctx;
	char span[32];
	char *words[] = { (char *)"drill", (char *)"advance", span, NULL };
	json_t *printed = NULL;

	/* No amount may be as large as weeks in milliseconds. */
	if (by_ms % MINUTE_MS == 0)
		snprintf(span, sizeof span, "%lld min", (long long)(by_ms / MINUTE_MS));
	else
		snprintf(span, sizeof span, "%lld ms", (long long)by_ms);
	int code = agency_run(agency_named(h, h->operator), h->bin, words, &printed);
	json_decref(printed);
	h->ahead_ms += by_ms;
	return code == 0;
}

static bool do_crash(void *ctx)
{
	struct real_hub *h = ctx;

	return ieumd_kill(&h->ieumd) && ieumd_start(&h->ieumd);
}

/* Runs `ieum WORD show ID` for somebody. */
static json_t *show(struct real_hub *h, const char *who, const char *what, const uint8_t *id)
{
	char text[UUID_TEXT_BYTES];
	char *words[] = { (char *)what, (char *)"show", text, NULL };
	struct agency *a = agency_named(h, who);
	json_t *printed = NULL;

	uuid_format(id, text);
	if (!a || agency_run(a, h->bin, words, &printed) != 0) {
		json_decref(printed);
		return NULL;
	}
	return printed;
}

static void take_clocks(const json_t *holder, struct play_case *out)
{
	const json_t *clocks = json_object_get(holder, "clocks");

	for (size_t i = 0; i < json_array_size(clocks) && out->n_clocks < PLAY_CLOCKS_MAX; i++) {
		const json_t *of = json_array_get(clocks, i);
		struct play_clock *k = &out->clocks[out->n_clocks++];
		snprintf(k->name, sizeof k->name, "%s", text_at(of, "name"));
		k->state = (Ieum__V1__ClockState)enum_at(of, "state",
							 &ieum__v1__clock_state__descriptor);
		k->due_at_ms = json_integer_value(json_object_get(of, "due_at_ms"));
	}
}

static bool do_case_state(void *ctx, const char *who, const uint8_t *case_id, struct play_case *out)
{
	json_t *printed = show(ctx, who, "case", case_id);
	const json_t *holder = holder_of(printed, "summary");
	const json_t *summary = json_object_get(holder, "summary");

	out->state =
		(Ieum__V1__CaseState)enum_at(summary, "state", &ieum__v1__case_state__descriptor);
	snprintf(out->owner, sizeof out->owner, "%s", text_at(summary, "owner"));
	out->consent_withdrawn = json_is_true(json_object_get(holder, "consent_withdrawn"));
	snprintf(out->grade, sizeof out->grade, "%s", text_at(summary, "grade"));
	take_clocks(holder, out);
	const json_t *gates = json_object_get(holder, "gates");
	for (; out->n_gates < json_array_size(gates) && out->n_gates < PLAY_GATES_MAX;
	     out->n_gates++)
		snprintf(out->gates[out->n_gates], sizeof out->gates[0], "%s",
			 json_string_value(
				 json_object_get(json_array_get(gates, out->n_gates), "name")));
	json_decref(printed);
	return out->state != IEUM__V1__CASE_STATE__CASE_STATE_UNSPECIFIED;
}

static bool do_task_state(void *ctx, const char *who, const uint8_t *message_id, const char *inbox,
			  Ieum__V1__TaskState *state)
{
	json_t *printed = show(ctx, who, "referral", message_id);
	const json_t *tasks = json_object_get(holder_of(printed, "tasks"), "tasks");
	bool found = false;

	for (size_t i = 0; !found && i < json_array_size(tasks); i++) {
		const json_t *task = json_array_get(tasks, i);
		found = !inbox || strcmp(text_at(task, "asked"), inbox) == 0 ||
			strcmp(text_at(task, "asked_first"), inbox) == 0;
		*state = (Ieum__V1__TaskState)enum_at(task, "state",
						      &ieum__v1__task_state__descriptor);
	}
	json_decref(printed);
	return found;
}

static bool do_pool(void *ctx, const char *who, const char *pool, const uint8_t *entry,
		    struct play_pool *out)
{
	struct real_hub *h = ctx;
	char *words[] = { (char *)"pool", (char *)"show", (char *)pool, NULL };
	struct agency *a = agency_named(h, who);
	json_t *printed = NULL;
	uint8_t id[PLAY_ID_BYTES];

	if (!a || agency_run(a, h->bin, words, &printed) != 0) {
		json_decref(printed);
		return false;
	}
	const json_t *pages =
		json_object_get(json_object_get(holder_of(printed, "pools"), "pools"), "pools");
	for (size_t k = 0; k < json_array_size(pages); k++) {
		const json_t *view = json_array_get(pages, k);
		const json_t *entries = json_object_get(view, "entries");
		out->held = number_at(view, "held");
		out->taken = number_at(view, "taken");
		out->free = number_at(view, "free");
		for (size_t i = 0; entry && i < json_array_size(entries); i++) {
			const json_t *of = json_array_get(entries, i);
			if (uuid_parse(text_at(of, "entry_id"), id) &&
			    memcmp(id, entry, sizeof id) == 0)
				out->position = number_at(of, "position");
		}
	}
	json_decref(printed);
	return true;
}

static bool do_agenda(void *ctx, const char *who, const char *body, struct play_agenda *out,
		      size_t *n)
{
	struct real_hub *h = ctx;
	char *words[] = { (char *)"agenda", (char *)body, NULL };
	struct agency *a = agency_named(h, who);
	json_t *printed = NULL;
	size_t room = *n;

	if (!a || agency_run(a, h->bin, words, &printed) != 0) {
		json_decref(printed);
		return false;
	}
	const json_t *entries = json_object_get(holder_of(printed, "entries"), "entries");
	for (*n = 0; *n < json_array_size(entries) && *n < room; ++*n) {
		const json_t *entry = json_array_get(entries, *n);
		(void)uuid_parse(text_at(entry, "message_id"), out[*n].message_id);
		out[*n].carried = number_at(entry, "carried");
	}
	json_decref(printed);
	return true;
}

static bool do_handover(void *ctx, const char *who, const struct play_handover_query *of,
			struct play_handover *out)
{
	struct real_hub *h = ctx;
	struct agency *a = agency_named(h, who);
	char text[UUID_TEXT_BYTES] = "";
	const char *jurisdiction = of->jurisdiction ? of->jurisdiction : "";
	char *status[] = { (char *)"handover", (char *)"status", text, NULL };
	char *plan[] = { (char *)"handover",
			 (char *)"plan",
			 (char *)"--from",
			 (char *)of->from,
			 (char *)"--to",
			 (char *)of->to,
			 *jurisdiction ? (char *)"--jurisdiction" : NULL,
			 (char *)jurisdiction,
			 NULL };
	json_t *printed = NULL;

	if (of->change_id)
		uuid_format(of->change_id, text);
	if (!a || agency_run(a, h->bin, of->change_id ? status : plan, &printed) != 0) {
		json_decref(printed);
		return false;
	}
	const json_t *result = json_object_get(holder_of(printed, "handover"), "handover");
	const json_t *manifest = json_object_get(result, "manifest");
	out->step = (Ieum__V1__HandoverStep)enum_at(result, "step",
						    &ieum__v1__handover_step__descriptor);
	out->cases = number_at(manifest, "cases");
	out->not_accepted = number_at(result, "not_accepted");
	out->errors = number_at(result, "errors");
	json_decref(printed);
	return true;
}

static int64_t do_now_ms(void *ctx)
{
	const struct real_hub *h = ctx;
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + h->ahead_ms;
}

/* ---- start and end ---- */

static bool start_agencies(struct real_hub *h, const struct policy *policy)
{
	h->n_agencies = policy_participants(policy);
	h->agencies = calloc(h->n_agencies, sizeof *h->agencies);
	h->polled = calloc(h->n_agencies, sizeof *h->polled);
	if (!h->agencies || !h->polled)
		abort();
	for (size_t i = 0; i < h->n_agencies; i++) {
		const struct policy_participant *p = policy_participant(policy, (int)i);
		if (p->views & POLICY_VIEW_DRILL)
			h->operator= p->name;
		if (!agency_prepare(&h->agencies[i], p->name, &h->ieumd) ||
		    !agency_follow(&h->agencies[i], h->bin))
			return false;
	}
	if (!h->operator)
		fprintf(stderr, "nobody in the hub file has the view 'drill'\n");
	return h->operator!= NULL;
}

struct real_hub *real_hub_new(const struct scenario *s, const struct policy *policy,
			      const char *bin, const char *base)
{
	struct real_hub *h = calloc(1, sizeof *h);

	if (!h)
		abort();
	h->bin = bin;
	h->play = (struct play_hub){ h,          do_submit, do_next_delivery, do_settled_down,
				     do_advance, do_crash,  do_case_state,    do_task_state,
				     do_now_ms,  do_pool,   do_agenda,        do_handover,
				     do_opens };
	bool ok = ieumd_prepare(&h->ieumd, bin, s->hub_file, base, true);
	h->ieumd.drill_from_us = s->starts_us;
	h->ahead_ms = s->starts_us / 1000 - do_now_ms(h);
	if (!ok || !ieumd_start(&h->ieumd) || !start_agencies(h, policy)) {
		(void)real_hub_end(h, NULL, NULL);
		return NULL;
	}
	return h;
}

static bool run_audit(struct real_hub *h, FILE *out)
{
	char program[512];
	int status = -1;
	pid_t pid = 0;

	snprintf(program, sizeof program, "%s/ieum", h->bin);
	char *argv[] = { program, (char *)"audit", (char *)"verify", h->ieumd.journal, NULL };
	fprintf(out, "\n$ ieum audit verify journal.db\n");
	fflush(out);
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fileno(out), STDOUT_FILENO);
	bool ok = posix_spawn(&pid, program, &actions, NULL, argv, environ) == 0 &&
		  waitpid(pid, &status, 0) == pid && status == 0;
	posix_spawn_file_actions_destroy(&actions);
	return ok;
}

static bool copy_file(const char *from, const char *to)
{
	FILE *in = fopen(from, "rb");
	FILE *out = fopen(to, "wb");
	char bytes[65536];
	bool ok = in && out;
	size_t n = 0;

	while (ok && (n = fread(bytes, 1, sizeof bytes, in)) > 0)
		ok = fwrite(bytes, 1, n, out) == n;
	ok = ok && !ferror(in);
	if (in)
		fclose(in);
	if (out)
		ok = fclose(out) == 0 && ok;
	if (!ok)
		fprintf(stderr, "cannot copy %s to %s\n", from, to);
	return ok;
}

bool real_hub_end(struct real_hub *h, FILE *audit, const char *keep_journal)
{
	bool ok = true;

	for (size_t i = 0; i < h->n_agencies; i++)
		agency_stop(&h->agencies[i]);
	if (h->ieumd.pid > 0)
		ok = ieumd_stop(&h->ieumd);
	if (audit)
		ok = run_audit(h, audit) && ok;
	if (keep_journal)
		ok = copy_file(h->ieumd.journal, keep_journal) && ok;
	ieumd_remove(&h->ieumd);
	free(h->agencies);
	free(h->polled);
	free(h);
	return ok;
}

const struct play_hub *real_hub_play(struct real_hub *h)
{
	return &h->play;
}
