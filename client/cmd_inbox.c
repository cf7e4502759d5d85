/* ieum inbox: prints what comes, and takes it once it is printed; or only says that it is there.
 *
 *   connecting ──welcome──► asking for titles ──answer──► receiving ──end──► settling ──► leaving
 *       └──no hub──► printing what the spool holds, and still connecting
 *
 * What always holds: a delivery is settled, with a spool taken from it, only after its text has left
 * this process (flushed without an error), so a full disk or a closed pipe loses nothing; and before the last settle the
 * credit is 0, so nothing is released to us that we would not print. */
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/command.h"
#include "client/inbox.h"
#include "client/spool_place.h"
#include "client/trouble.h"
#include "client/values.h"
#include "client/when.h"

enum {
	INBOX_CREDIT = 32,
	INBOX_LOOK_CREDIT = 1024, /* --settle none: all of it stays unsettled */
	INBOX_QUIET_MS = 1000,    /* unless --wait says otherwise */
	INBOX_GOODBYE_MS = 1000,
};

int64_t inbox_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void inbox_arm(struct inbox *in, int64_t ms)
{
	struct timeval tv = { .tv_sec = (time_t)(ms / 1000),
			      .tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	evtimer_add(in->quiet, &tv);
}

void inbox_end(struct inbox *in, enum exit_code code)
{
	if (code && !in->code)
		in->code = code;
	if (!in->ending && in->c)
		ieum_credit(in->c, 0);
	in->ending = true;
	if (in->settling > 0 || (giving_any(&in->giver) && !in->given_up)) {
		inbox_arm(in, in->inv->timeout_ms);
	} else if (!in->leaving) {
		in->leaving = true;
		ieum_stop(in->c);
		inbox_arm(in, INBOX_GOODBYE_MS);
	}
}

/* ---- the connection ---- */

/* One at a time when they are counted: a second one would be released to us unread. */
static void receive(struct inbox *in)
{
	uint64_t credit = in->settle ? INBOX_CREDIT : INBOX_LOOK_CREDIT;

	if (in->ending)
		return;
	if (in->limit && in->settle)
		credit = 1;
	else if (in->limit && in->limit < credit)
		credit = in->limit;
	ieum_credit(in->c, (uint32_t)credit);
	if (in->follow)
		evtimer_del(in->quiet);
	else
		inbox_arm(in, in->quiet_ms);
}

static void titles(struct ieum *c, const Ieum__V1__Result *result, const uint8_t *referral,
		   size_t referral_len, const struct ieum_failure *failure, void *arg)
{
	struct inbox *in = arg;

	(void)c;
	(void)referral;
	(void)referral_len;
	(void)failure; /* without titles, names stand for themselves */
	if (result && in->directory.n == 0 && result->what_case == IEUM__V1__RESULT__WHAT_DIRECTORY)
		pages_add(&in->directory, result);
	receive(in);
}

static void neutral_text(struct ieum *c, const Ieum__V1__Result *result, const uint8_t *referral,
			 size_t referral_len, const struct ieum_failure *failure, void *arg)
{
	struct inbox *in = arg;

	(void)c;
	(void)referral;
	(void)referral_len;
	(void)failure; /* without the hub's, there is our own */
	if (result && result->what_case == IEUM__V1__RESULT__WHAT_WHOAMI) {
		const char *text = in->inv->lang == WORDS_KO ? result->whoami->notification_ko
							     : result->whoami->notification_en;

		if (*text && !in->notice)
			in->notice = strdup(text);
	}
	receive(in);
}

/* What has to be known before anything is printed. */
static bool ask_first(struct inbox *in)
{
	Ieum__V1__DirectoryQuery directory = IEUM__V1__DIRECTORY_QUERY__INIT;
	Ieum__V1__WhoamiQuery whoami = IEUM__V1__WHOAMI_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;

	if (in->notify) {
		query.what_case = IEUM__V1__QUERY__WHAT_WHOAMI;
		query.whoami = &whoami;
		return ieum_query(in->c, &query, neutral_text, in) == IEUM_E_OK;
	}
	if (in->inv->json)
		return false;
	query.page_rows = LINK_PAGE_ROWS;
	query.what_case = IEUM__V1__QUERY__WHAT_DIRECTORY;
	query.directory = &directory;
	return ieum_query(in->c, &query, titles, in) == IEUM_E_OK;
}

static void connected(struct ieum *c, const Ieum__V1__Welcome *welcome, void *arg)
{
	struct inbox *in = arg;

	in->hub_ahead_ms = welcome->hub_time_at_ms - inbox_now_ms();
	in->told_away = false;
	if (!in->ending)
		offline_ask(&in->deadlines, c);
	if (in->asked) { /* a connection that came back keeps its credit */
		if (!in->ending && in->follow && !in->inv->json)
			fprintf(in->inv->err, "%s\n", say(in->inv, TEXT_CONNECTED_AGAIN));
		return;
	}
	in->asked = true;
	if (in->away) /* what comes now is printed with titles */
		ieum_credit(c, 0);
	if (!in->notify) /* each notice says it */
		link_greet(in->inv, welcome, ieum_keyring(c));
	if (in->follow && !in->inv->json)
		fprintf(in->inv->err, "%s\n", say(in->inv, TEXT_INBOX_WAITING));
	if (!ask_first(in))
		receive(in);
}

static void tell_away(const struct inbox *in, const struct ieum_failure *why)
{
	if (in->inv->json)
		return;
	if (!in->asked)
		(void)trouble(in->inv, why->code, why->detail);
	fprintf(in->inv->err, "%s\n",
		say(in->inv, in->asked ? TEXT_CONNECTION_AGAIN : TEXT_CONNECTION_STILL));
}

/* What is on this machine already doesn't need the hub. */
static void print_held(struct inbox *in)
{
	if (!in->spooled || in->asked || in->away || in->ending)
		return;
	in->away = true;
	ieum_credit(in->c, INBOX_CREDIT);
}

/* code: of why, which was said. */
static void give_up_on_hub(struct inbox *in, enum exit_code code)
{
	in->hopeless = true;
	in->code = code;
	print_held(in);
	inbox_arm(in, in->quiet_ms);
}

static void disconnected(struct ieum *c, const struct ieum_failure *why, bool permanent,
			 int64_t retry_in_ms, void *arg)
{
	struct inbox *in = arg;

	(void)retry_in_ms;
	in->last_err = why->code;
	snprintf(in->last_why, sizeof in->last_why, "%s", why->detail);
	if (!in->ending && link_renew(in->inv, c))
		permanent = false;
	if (in->leaving || why->code == IEUM_E_OK) {
		event_base_loopbreak(in->base);
	} else if (permanent && in->spooled && !in->asked && !in->ending) {
		if (!in->hopeless)
			give_up_on_hub(in, link_failure(in->inv, why));
	} else if (permanent || in->ending) {
		in->settling = 0;
		in->given_up = true;
		inbox_end(in, link_failure(in->inv, why));
	} else {
		if (in->follow && !in->told_away) {
			in->told_away = true;
			tell_away(in, why);
		}
		print_held(in);
	}
}

static void resent(struct ieum *c, const uint8_t *message_id, const Ieum__V1__Receipt *receipt,
		   const struct ieum_failure *failure, void *arg)
{
	const struct inbox *in = arg;

	(void)c;
	spool_say_resent(in->inv, message_id, receipt, failure);
}

static void renamed(struct ieum *c, const uint8_t *before, const uint8_t *now, void *arg)
{
	const struct inbox *in = arg;

	(void)c;
	spool_say_renamed(in->inv, before, now);
}

static void let_go(struct ieum *c, size_t messages, void *arg)
{
	const struct inbox *in = arg;

	(void)c;
	spool_say_let_go(in->inv, messages);
}

static void spool_trouble(struct ieum *c, const struct ieum_failure *why, void *arg)
{
	const struct inbox *in = arg;

	(void)c;
	spool_say_trouble(in->inv, why);
	if (in->spooled && !in->inv->json)
		fprintf(in->inv->err, "%s\n", say(in->inv, TEXT_SPOOL_WITHOUT));
}

static void alone(struct ieum *c, int64_t for_ms, uint64_t waiting, void *arg)
{
	const struct inbox *in = arg;

	(void)c;
	spool_say_alone(in->inv, for_ms, waiting);
}

static enum exit_code say_no_answer(const struct inbox *in)
{
	return trouble(in->inv, in->last_err ? in->last_err : IEUM_E_TIMED_OUT, in->last_why);
}

static void quiet_cb(evutil_socket_t fd, short what, void *arg)
{
	struct inbox *in = arg;

	(void)fd;
	(void)what;
	if (in->leaving) {
		event_base_loopbreak(in->base);
		return;
	}
	if (in->spooled && !in->asked && !in->away && !in->ending) {
		give_up_on_hub(in, say_no_answer(in)); /* no attempt has even failed */
		return;
	}
	if (in->ending || !in->asked) {
		in->settling = 0;
		in->given_up = true;
		inbox_end(in, in->hopeless ? in->code : say_no_answer(in));
		return;
	}
	if (in->printed == 0 && !in->inv->json)
		fprintf(in->inv->out, "%s\n", say(in->inv, TEXT_INBOX_EMPTY));
	inbox_end(in, EXIT_DONE);
}

/* ---- the command ---- */

static void signal_cb(evutil_socket_t signal, short what, void *arg)
{
	(void)signal;
	(void)what;
	inbox_end(arg, EXIT_DONE);
}

static enum exit_code take_options(const struct invocation *inv, struct inbox *in)
{
	const char *how = value_of(inv, OPTION_SETTLE);
	enum exit_code code = EXIT_DONE;

	in->follow = given(inv, OPTION_FOLLOW);
	in->quiet_ms = INBOX_QUIET_MS;
	in->notify = given(inv, OPTION_NOTIFY);
	in->settle = !in->notify;
	/* What is neither taken nor given back for long counts as an attempt that failed. */
	if (in->notify && in->follow)
		return trouble_usage(inv, TEXT_OPTION_NOT_HERE,
				     arguments_option_name(OPTION_FOLLOW));
	if (in->notify && given(inv, OPTION_SETTLE))
		return trouble_usage(inv, TEXT_OPTION_NOT_HERE,
				     arguments_option_name(OPTION_SETTLE));
	if (given(inv, OPTION_SETTLE)) {
		in->settle = strcmp(how, "done") == 0;
		if (!in->settle && strcmp(how, "none") != 0)
			return trouble_usage(inv, TEXT_OPTION_VALUE,
					     arguments_option_name(OPTION_SETTLE));
	}
	if (given(inv, OPTION_LIMIT))
		code = value_number(inv, value_of(inv, OPTION_LIMIT), 1, UINT32_MAX, &in->limit);
	if (!code && given(inv, OPTION_WAIT))
		code = value_duration(inv, value_of(inv, OPTION_WAIT), &in->quiet_ms);
	return code;
}

static bool prepare(struct inbox *in)
{
	static const int numbers[] = { SIGINT, SIGTERM };

	in->base = event_base_new();
	in->quiet = in->base ? evtimer_new(in->base, quiet_cb, in) : NULL;
	if (!in->quiet)
		return false;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		in->signals[i] = evsignal_new(in->base, numbers[i], signal_cb, in);
		if (!in->signals[i] || evsignal_add(in->signals[i], NULL))
			return false;
	}
	return true;
}

static void dismantle(struct inbox *in)
{
	in->inv->keyring = NULL;
	ieum_free(in->c);
	giving_drop(&in->giver);
	for (size_t i = 0; i < sizeof in->signals / sizeof in->signals[0]; i++) {
		if (in->signals[i])
			event_free(in->signals[i]);
	}
	if (in->quiet)
		event_free(in->quiet);
	offline_asking_end(&in->deadlines);
	if (in->base)
		event_base_free(in->base);
	pages_free(&in->directory);
	free(in->notice);
}

/* Where only the spool fails, what is delivered stays with the hub until it is printed: a broken disk
 * must not hide from an agency what it is asked. */
static enum ieum_err begin(struct inbox *in, struct ieum_options *options, char why[IEUM_WHY_BYTES])
{
	char again[IEUM_WHY_BYTES];
	enum ieum_err err = ieum_new(in->base, options, &in->c, why);

	if (!err || !options->spool)
		return err;
	options->spool = NULL;
	options->spool_deliveries = false;
	options->keep_bytes_max = SIZE_MAX;
	if (ieum_new(in->base, options, &in->c, again))
		return err;
	(void)trouble(in->inv, err, why);
	if (!in->inv->json)
		fprintf(in->inv->err, "%s\n", say(in->inv, TEXT_SPOOL_WITHOUT));
	return IEUM_E_OK;
}

static enum exit_code run(struct inbox *in)
{
	struct ieum_options options;
	char why[IEUM_WHY_BYTES] = "";
	enum ieum_err err;

	if (!prepare(in))
		return trouble(in->inv, IEUM_E_NO_MEMORY, NULL);
	link_options(in->inv, &options);
	options.callbacks.connected = connected;
	options.callbacks.disconnected = disconnected;
	options.callbacks.delivery = inbox_delivered;
	options.callbacks.resent = resent;
	options.callbacks.renamed = renamed;
	options.callbacks.let_go = let_go;
	options.callbacks.spool_trouble = spool_trouble;
	options.callbacks.alone = alone;
	options.ctx = in;
	/* What is only looked at stays with the hub, and of what is counted no more is released. */
	options.spool_deliveries = in->settle && !in->limit;
	err = begin(in, &options, why);
	if (err)
		return trouble(in->inv, err, why);
	in->spooled = options.spool && options.spool_deliveries;
	if (!offline_asking_begin(&in->deadlines, in->base, &options))
		return trouble(in->inv, IEUM_E_NO_MEMORY, NULL);
	/* Who follows may be started before the hub, as after a power cut: it is there when the hub is. */
	if (!in->follow || given(in->inv, OPTION_TIMEOUT))
		inbox_arm(in, in->inv->timeout_ms);
	event_base_dispatch(in->base);
	return in->code;
}

enum exit_code cmd_inbox(struct invocation *inv)
{
	struct inbox in = { .inv = inv,
			    .giver = { .inv = inv, .done = inbox_key_given, .ctx = &in } };
	enum exit_code code = take_options(inv, &in);

	if (!code)
		code = link_profile(inv);
	if (!code) {
		spool_say_missing(inv);
		code = run(&in);
	}
	dismantle(&in);
	return code;
}
