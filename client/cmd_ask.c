/* The commands that only ask: case, deadlines, referral, directory, whoami, pool, queue. */
#include <string.h>

#include "client/command.h"
#include "client/json_out.h"
#include "client/offline.h"
#include "client/render.h"
#include "client/trouble.h"
#include "client/values.h"

/* How an answer is shown to a person. */
typedef enum exit_code render_cb(const struct invocation *inv, const struct pages *pages,
				 const struct names *names);

static enum exit_code show(struct invocation *inv, struct link *link, const struct pages *pages,
			   render_cb *render, bool titles)
{
	struct pages directory = { 0 };
	struct names names;
	enum exit_code code;

	if (inv->json)
		return json_out_pages(inv, pages);
	if (titles)
		link_ask_directory(link, &directory);
	names = (struct names){ directory.page, directory.n };
	code = render(inv, pages, &names);
	pages_free(&directory);
	return code;
}

/* `titles`: names become titles of the directory. */
static enum exit_code ask_and_show(struct invocation *inv, Ieum__V1__Query *query,
				   render_cb *render, bool titles)
{
	struct pages pages = { 0 };
	struct link *link = NULL;
	enum exit_code code = link_open(inv, &link);

	if (!code)
		code = link_ask(link, query, &pages);
	if (!code)
		code = show(inv, link, &pages, render, titles);
	pages_free(&pages);
	link_close(link);
	return code;
}

/* ---- case ---- */

static enum exit_code show_case(const struct invocation *inv, const struct pages *pages,
				const struct names *names)
{
	return render_case(inv, pages, names, strcmp(inv->words[0], "timeline") == 0);
}

static enum exit_code list_cases(struct invocation *inv)
{
	Ieum__V1__CasesQuery cases = IEUM__V1__CASES_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;

	if (inv->n_words > 1)
		return trouble_usage(inv, TEXT_WORD_TOO_MUCH, inv->words[1]);
	cases.closed = given(inv, OPTION_CLOSED);
	query.what_case = IEUM__V1__QUERY__WHAT_CASES;
	query.cases = &cases;
	return ask_and_show(inv, &query, render_cases, true);
}

enum exit_code cmd_case(struct invocation *inv)
{
	Ieum__V1__CaseQuery one = IEUM__V1__CASE_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	uint8_t id[UUID_BYTES];
	enum exit_code code;

	if (strcmp(inv->words[0], "list") == 0)
		return list_cases(inv);
	if (given(inv, OPTION_CLOSED))
		return trouble_usage(inv, TEXT_OPTION_NOT_HERE,
				     arguments_option_name(OPTION_CLOSED));
	if (inv->n_words < 2)
		return trouble_usage(inv, TEXT_WORD_MISSING, inv->words[0]);
	code = value_id(inv, inv->words[1], id);
	if (code)
		return code;
	one.case_id = (ProtobufCBinaryData){ UUID_BYTES, id };
	query.what_case = IEUM__V1__QUERY__WHAT_CASE;
	query.case_ = &one;
	return ask_and_show(inv, &query, show_case, true);
}

/* ---- deadlines ---- */

/* Without the hub, which was said: what it said last. */
static void show_offline(struct invocation *inv)
{
	const struct spool_options options = { .path = inv->profile->spool };
	char reason[SPOOL_WHY_BYTES];
	struct spool *s;
	enum ieum_err err = spool_open(&options, &s, reason);

	if (err) {
		(void)trouble(inv, err, reason);
		return;
	}
	(void)offline_deadlines(inv, s);
	spool_close(s);
}

static enum exit_code ask_deadlines(struct invocation *inv, struct link *link)
{
	Ieum__V1__DeadlinesQuery deadlines = IEUM__V1__DEADLINES_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	struct pages pages = { 0 };
	enum exit_code code;

	deadlines.breached = given(inv, OPTION_BREACHED);
	query.what_case = IEUM__V1__QUERY__WHAT_DEADLINES;
	query.deadlines = &deadlines;
	code = link_ask(link, &query, &pages);
	if (!code && !given(inv, OPTION_BREACHED))
		offline_keep_deadlines(link_inner(link), &pages);
	if (!code)
		code = show(inv, link, &pages, render_deadlines, true);
	pages_free(&pages);
	return code;
}

/* No hub, or one that went silent, or away, before it answered. */
static bool is_without_hub(enum exit_code code)
{
	return code == EXIT_UNREACHABLE || code == EXIT_TIMED_OUT;
}

enum exit_code cmd_deadlines(struct invocation *inv)
{
	struct link *link = NULL;
	enum exit_code code = link_open(inv, &link);
	bool opened = !code;

	if (opened)
		code = ask_deadlines(inv, link);
	if (inv->profile && inv->profile->spool && code && (!opened || is_without_hub(code)))
		show_offline(inv);
	link_close(link);
	return code;
}

/* ---- referral ---- */

enum exit_code cmd_referral(struct invocation *inv)
{
	Ieum__V1__ReferralQuery one = IEUM__V1__REFERRAL_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	uint8_t id[UUID_BYTES];
	enum exit_code code = value_id(inv, inv->words[1], id);

	if (code)
		return code;
	one.message_id = (ProtobufCBinaryData){ UUID_BYTES, id };
	query.what_case = IEUM__V1__QUERY__WHAT_REFERRAL;
	query.referral = &one;
	return ask_and_show(inv, &query, render_referral, true);
}

/* ---- directory, whoami ---- */

static enum exit_code show_directory(const struct invocation *inv, const struct pages *pages,
				     const struct names *names)
{
	(void)names;
	return render_directory(inv, pages);
}

enum exit_code cmd_directory(struct invocation *inv)
{
	Ieum__V1__DirectoryQuery directory = IEUM__V1__DIRECTORY_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;

	if (given(inv, OPTION_KIND))
		directory.kind = value_of(inv, OPTION_KIND);
	query.what_case = IEUM__V1__QUERY__WHAT_DIRECTORY;
	query.directory = &directory;
	return ask_and_show(inv, &query, show_directory, false);
}

static enum exit_code show_whoami(const struct invocation *inv, const struct pages *pages,
				  const struct names *names)
{
	(void)names;
	return render_whoami(inv, pages->page[0]->whoami);
}

enum exit_code cmd_whoami(struct invocation *inv)
{
	Ieum__V1__WhoamiQuery whoami = IEUM__V1__WHOAMI_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;

	query.what_case = IEUM__V1__QUERY__WHAT_WHOAMI;
	query.whoami = &whoami;
	return ask_and_show(inv, &query, show_whoami, false);
}

/* ---- pools ---- */

enum exit_code cmd_pool(struct invocation *inv)
{
	Ieum__V1__PoolsQuery pools = IEUM__V1__POOLS_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	bool one = strcmp(inv->words[0], "show") == 0;

	if (one && inv->n_words < 2)
		return trouble_usage(inv, TEXT_WORD_MISSING, inv->words[0]);
	if (!one && inv->n_words > 1)
		return trouble_usage(inv, TEXT_WORD_TOO_MUCH, inv->words[1]);
	if (one)
		pools.pool = inv->words[1];
	query.what_case = IEUM__V1__QUERY__WHAT_POOLS;
	query.pools = &pools;
	return ask_and_show(inv, &query, one ? render_pool : render_pools, true);
}

/* ---- queues ---- */

static enum exit_code show_queues(const struct invocation *inv, const struct pages *pages,
				  const struct names *names)
{
	(void)names;
	return render_queues(inv, pages);
}

static enum exit_code show_queue(const struct invocation *inv, const struct pages *pages,
				 const struct names *names)
{
	(void)names;
	return render_queue(inv, pages);
}

static enum exit_code list_queues(struct invocation *inv)
{
	Ieum__V1__QueuesQuery queues = IEUM__V1__QUEUES_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;

	if (given(inv, OPTION_DEAD_LETTERS))
		return trouble_usage(inv, TEXT_OPTION_NOT_HERE,
				     arguments_option_name(OPTION_DEAD_LETTERS));
	if (inv->n_words > 1)
		return trouble_usage(inv, TEXT_WORD_TOO_MUCH, inv->words[1]);
	query.what_case = IEUM__V1__QUERY__WHAT_QUEUES;
	query.queues = &queues;
	return ask_and_show(inv, &query, show_queues, false);
}

enum exit_code cmd_queue(struct invocation *inv)
{
	Ieum__V1__QueueQuery queue = IEUM__V1__QUEUE_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;

	if (strcmp(inv->words[0], "list") == 0)
		return list_queues(inv);
	if (inv->n_words < 2)
		return trouble_usage(inv, TEXT_WORD_MISSING, inv->words[0]);
	queue.mailbox = inv->words[1];
	queue.dead_letters = given(inv, OPTION_DEAD_LETTERS);
	query.what_case = IEUM__V1__QUERY__WHAT_QUEUE;
	query.queue = &queue;
	return ask_and_show(inv, &query, show_queue, false);
}
