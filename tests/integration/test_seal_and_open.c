/* Sealed narratives from `ieum submit` to a text on the reader's screen, with real processes: the
 * policy reloaded in between, a newcomer, a renewed certificate; and the hub that carried it all
 * never had the clear text, in no file and nowhere in its memory. */
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "client/lib_internal.h"
#include "tests/integration/desk.h"
#include "tests/integration/peer.h"

enum { PATH_BYTES = 2 * HUB_PATH_BYTES };

/* Nothing else may look like one of them. */
#define SECRET "rooftop-flat-behind-the-bakery"
#define PLAIN  "shouting-heard-at-the-market"

static struct hub hub;
static char message_id[64];

/* ---- running it ---- */

/* `pair`: which of the participant's certificates; `more`: further lines. */
static void write_profile(const char *name, const char *pair, const char *more)
{
	char file[128], text[8 * PATH_BYTES];

	snprintf(file, sizeof file, "%s.yaml", name);
	snprintf(text, sizeof text,
		 "addresses: [\"%s\"]\nca: %s/ca.crt\ncrl: %s/ca.crl\n"
		 "certificate: %s/participants/%s.crt\nkey: %s/participants/%s.key\n"
		 "server_name: localhost\nlanguage: en\n%s",
		 hub.address, hub.certificates, hub.certificates, hub.certificates, pair,
		 hub.certificates, pair, more);
	desk_write(file, text);
}

static void show(const char *who, const char *how)
{
	char words[256];

	snprintf(words, sizeof words, "referral show %s %s", message_id, how);
	desk_expect(who, words, EXIT_DONE);
}

/* ---- a town ---- */

static const char *const people[] = { "town-ps", "town-aid", "town-aid-2", "town-head", "town-op" };

static const char REPORT[] =
	"envelope:\n"
	"  category: domestic_violence\n"
	"  urgency: immediate\n"
	"  legal_basis: {kind: imminent_danger}\n"
	"report_received: {response_code: code_1, child_at_home: true}\n"
	"narrative:\n"
	"  - {media_type: text/plain, language: en, clear: {text: " PLAIN "}}\n"
	"  - {media_type: text/plain, language: en, subject: reporter_identity,\n"
	"     clear: {text: " SECRET "}}\n";

static int start(void **state)
{
	char folder[PATH_BYTES];

	(void)state;
	hub_make(&hub, &(struct hub_options){ .drill = true });
	snprintf(folder, sizeof folder, "%s/agencies", hub.folder);
	desk_open(&hub, folder);
	assert_int_equal(hub_run(&hub,
				 "mkdir %s && %s/ieum-certs dev --hub-file %s --out %s --actor "
				 "town-aid=new >%s/certs.log",
				 desk.folder, hub_bin(), hub.hub_file, hub.certificates,
				 desk.folder),
			 0);
	hub_start(&hub);
	for (size_t i = 0; i < sizeof people / sizeof people[0]; i++)
		write_profile(people[i], people[i], "");
	desk_write("report.yaml", REPORT);
	return 0;
}

static int end(void **state)
{
	(void)state;
	desk_close();
	hub_remove(&hub);
	return 0;
}

/* The hub has seen its certificate. */
static void greet(const char *who)
{
	desk_expect(who, "ping", EXIT_DONE);
}

static void submit(const char *words)
{
	char all[256];
	json_t *doc;

	snprintf(all, sizeof all, "submit report.yaml --open-case --json %s", words);
	desk_expect("town-ps", all, EXIT_DONE);
	doc = json_loads(desk.printed, 0, NULL);
	assert_non_null(doc);
	snprintf(message_id, sizeof message_id, "%s",
		 json_string_value(json_object_get(doc, "message_id")));
	json_decref(doc);
}

/* ---- where clear text could be ---- */

/* Is it in a readable page of the process? */
static bool process_holds(pid_t pid, const char *text)
{
	char path[64], line[512];
	bool found = false;
	FILE *maps;
	int mem;

	snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	maps = fopen(path, "r");
	assert_true(mem >= 0);
	assert_non_null(maps);
	while (!found && fgets(line, sizeof line, maps)) {
		char *rest;
		unsigned long long from = strtoull(line, &rest, 16),
				   to = strtoull(rest + 1, &rest, 16);
		size_t n = (size_t)(to - from);
		char *pages = rest[1] == 'r' && n < (size_t)1 << 30 ? malloc(n) : NULL;
		ssize_t got = pages ? pread(mem, pages, n, (off_t)from) : 0;

		found = got > 0 && memmem(pages, (size_t)got, text, strlen(text));
		free(pages);
	}
	fclose(maps);
	close(mem);
	return found;
}

/* In a file of the hub's, or in its log? */
static bool files_hold(const char *text)
{
	return hub_logged(&hub, text) ||
	       hub_run(&hub, "grep -rqaF --exclude-dir=agencies -e %s %s", text, hub.folder) == 0;
}

/* ---- tests ---- */

static void it_is_read_by_whom_it_reaches_and_nobody_else(void **state)
{
	(void)state;
	greet("town-aid");
	submit("");
	desk_expect("town-aid", "inbox --limit 1", EXIT_DONE);
	assert_in(desk.printed, "| " PLAIN);
	assert_in(desk.printed,
		  "Reporter identity (sealed; signed by town-ps, town-ps-1 · Town police)");
	assert_in(desk.printed, "| " SECRET);
	show("town-ps", ""); /* its own */
	assert_in(desk.printed, "| " SECRET);
	show("town-aid", "--json");
	assert_in(desk.printed, "\"opened\"");
	assert_in(desk.printed, SECRET);
	assert_in(desk.printed, "\"signed_by\": \"town-ps\"");
	assert_true(files_hold(PLAIN)); /* so the search finds what is there */
	assert_true(process_holds(hub.pid, PLAIN));
	assert_false(files_hold(SECRET));
	assert_false(process_holds(hub.pid, SECRET));
}

static void everything_can_be_sealed(void **state)
{
	char words[128];

	(void)state;
	greet("town-aid");
	desk_expect("town-ps", "reach report.yaml --open-case --seal", EXIT_DONE);
	assert_in(desk.printed, "Town aid");
	submit("--seal");
	desk_expect("town-aid", "inbox --limit 1 --json", EXIT_DONE);
	assert_in(desk.printed, "\"text\":\"" PLAIN "\"");
	assert_in(desk.printed, "\"text\":\"" SECRET "\"");
	write_profile("town-ps", "town-ps", "seal: all\n");
	submit("");
	desk_expect("town-aid", "inbox --limit 1", EXIT_DONE);
	assert_in(desk.printed, "| " PLAIN);
	assert_false(files_hold(PLAIN));
	assert_false(process_holds(hub.pid, PLAIN));
	/* And an answer, to whoever asked. */
	desk_write("notes.txt", SECRET " is empty\n");
	snprintf(words, sizeof words, "answer %s received --text notes.txt --seal", message_id);
	desk_expect("town-aid", words, EXIT_DONE);
	desk_expect("town-ps", "inbox --limit 1", EXIT_DONE);
	assert_in(desk.printed, "signed by town-aid, town-aid-1");
	assert_in(desk.printed, "| " SECRET " is empty");
	assert_false(process_holds(hub.pid, SECRET));
}

/* ---- the policy changes between the question and the message ---- */

struct racing {
	struct event_base *base;
	struct ieum *c;
	bool receipted, reloaded, is_connected;
	char detail[256];
};

static void on_connected(struct ieum *c, const Ieum__V1__Welcome *welcome, void *ctx)
{
	struct racing *r = ctx;

	(void)c, (void)welcome;
	r->is_connected = true;
}

static void on_submitted(struct ieum *c, const uint8_t *id, const Ieum__V1__Receipt *receipt,
			 const struct ieum_failure *failure, void *arg)
{
	struct racing *r = arg;

	(void)c, (void)id;
	r->receipted = receipt != NULL;
	snprintf(r->detail, sizeof r->detail, "%s", failure ? failure->detail : "");
	event_base_loopbreak(r->base);
}

/* Comes with the answer to the sealer's own question: what is sealed by that is not sent yet. */
static void on_reach(struct ieum *c, const Ieum__V1__Result *result, const uint8_t *referral,
		     size_t referral_len, const struct ieum_failure *failure, void *arg)
{
	struct racing *r = arg;

	(void)c, (void)referral, (void)referral_len;
	assert_null(failure);
	assert_true(result->reach->n_readers > 0);
	assert_int_equal(
		hub_run(&hub,
			"sed -i 's/    to: town-aid$/    to: town-aid-2/; s/- to: head/- to: town-head/' %s",
			hub.hub_file),
		0);
	assert_true(hub_reload(&hub));
	r->reloaded = true;
}

static void ask_reach(struct racing *r)
{
	Ieum__V1__ReachQuery reach = IEUM__V1__REACH_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	struct message m;

	message_report(&m, "-");
	reach.referral = &m.referral;
	query.what_case = IEUM__V1__QUERY__WHAT_REACH;
	query.reach = &reach;
	assert_int_equal(ieum_query(r->c, &query, on_reach, r), IEUM_E_OK);
}

static void open_racing(struct racing *r)
{
	char ca[PATH_BYTES], cert[PATH_BYTES], key[PATH_BYTES], why[IEUM_WHY_BYTES];
	const char *address = hub.address;
	struct ieum_options options = { .addresses = &address,
					.n_addresses = 1,
					.server_name = "localhost",
					.cert = cert,
					.key = key,
					.ca = ca,
					.callbacks.connected = on_connected,
					.ctx = r };

	snprintf(ca, sizeof ca, "%s/ca.crt", hub.certificates);
	snprintf(cert, sizeof cert, "%s/participants/town-ps.crt", hub.certificates);
	snprintf(key, sizeof key, "%s/participants/town-ps.key", hub.certificates);
	*r = (struct racing){ .base = event_base_new() };
	if (ieum_new(r->base, &options, &r->c, why))
		fail_msg("%s", why);
	while (!r->is_connected)
		event_base_loop(r->base, EVLOOP_ONCE);
}

static void when_the_policy_changes_it_is_sealed_again(void **state)
{
	struct message m;
	struct racing r;
	char why[IEUM_WHY_BYTES];
	uint8_t id[IEUM_ID_BYTES];

	(void)state;
	greet("town-aid");
	greet("town-aid-2");
	open_racing(&r);
	message_report(&m, SECRET);
	m.part.subject = IEUM__V1__NARRATIVE_SUBJECT__NARRATIVE_SUBJECT_REPORTER_IDENTITY;
	if (ieum_submit_sealed(r.c, &m.referral, IEUM_SEAL_NEEDED, on_submitted, &r, id, why))
		fail_msg("%s", why);
	ask_reach(&r);
	event_base_dispatch(r.base);
	assert_true(r.reloaded);
	if (!r.receipted)
		fail_msg("refused: %s", r.detail);
	assert_int_equal(TAILQ_FIRST(&r.c->kept)->sealings, 2);
	ieum_free(r.c);
	event_base_free(r.base);
	desk_expect("town-aid-2", "inbox --limit 1", EXIT_DONE);
	assert_in(desk.printed, "| " SECRET);
	assert_false(process_holds(hub.pid, SECRET));
}

/* ---- a newcomer ---- */

/* Nobody answers; the head is next, and has the message without its key. */
static void escalate(void)
{
	greet("town-aid");
	submit("");
	desk_expect("town-aid", "inbox --limit 1", EXIT_DONE);
	greet("town-head");
	desk_expect("town-op", "drill advance '11 min'", EXIT_DONE);
	desk_expect("town-head", "inbox --limit 1", EXIT_DONE);
	assert_in(desk.printed, "| " PLAIN);
	assert_in(desk.printed, "Reporter identity (sealed");
	assert_in(desk.printed, "look again later");
	assert_not_in(desk.printed, SECRET);
}

static void the_owner_s_client_gives_a_newcomer_the_key(void **state)
{
	(void)state;
	escalate();
	desk_expect("town-aid", "inbox --limit 1", EXIT_DONE);
	assert_in(desk.printed, "town-head can open the sealed parts");
	assert_not_in(desk.printed, "ieum key wrap"); /* nobody has to */
	desk_expect("town-head", "inbox --limit 1", EXIT_DONE);
	assert_in(desk.printed, "ieum referral show");
	assert_in(desk.printed, message_id);
	show("town-head", "");
	assert_in(desk.printed,
		  "Reporter identity (sealed; signed by town-ps, town-ps-1 · Town police)");
	assert_in(desk.printed, "| " SECRET);
	assert_false(files_hold(SECRET));
	assert_false(process_holds(hub.pid, SECRET));
}

/* The id of the key_request that was printed. */
static void take_request(char id[64])
{
	const char *line = strstr(desk.printed, "ieum key wrap ");

	if (!line) {
		fail_msg("nothing asks for a key in:\n%s", desk.printed);
		return;
	}
	snprintf(id, 64, "%.36s", line + strlen("ieum key wrap "));
}

static void its_user_is_asked_first_and_may_refuse(void **state)
{
	char id[64] = "", words[128];

	(void)state;
	write_profile("town-aid", "town-aid", "wrap_keys: ask\n");
	escalate();
	desk_expect("town-aid", "inbox --limit 1", EXIT_DONE);
	take_request(id);
	snprintf(words, sizeof words, "key refuse %s", id);
	desk_expect("town-aid", words, EXIT_USAGE); /* without a reason */
	snprintf(words, sizeof words, "key refuse %s --reason off_purpose", id);
	desk_expect("town-aid", words, EXIT_DONE);
	/* The next who can is the sender. */
	write_profile("town-ps", "town-ps", "wrap_keys: ask\n");
	desk_expect("town-ps", "inbox --limit 1", EXIT_DONE);
	take_request(id);
	snprintf(words, sizeof words, "key wrap %s", id);
	desk_expect("town-ps", words, EXIT_DONE);
	show("town-head", "");
	assert_in(desk.printed, "| " SECRET);
	snprintf(words, sizeof words, "key wrap %s", message_id);
	desk_expect("town-ps", words, EXIT_USAGE); /* that one asks for nothing */
}

/* ---- two certificates ---- */

static void both_certificates_of_a_renewal_open(void **state)
{
	char more[4 * PATH_BYTES];

	(void)state;
	greet("town-aid");
	submit(""); /* before it */
	desk_expect("town-aid", "inbox --limit 1", EXIT_DONE);
	write_profile("renewed", "town-aid.new", "");
	show("renewed", "");
	assert_not_in(desk.printed, SECRET);
	snprintf(more, sizeof more,
		 "old_keys: [{certificate: %s/participants/town-aid.crt, key: "
		 "%s/participants/town-aid.key}]\n",
		 hub.certificates, hub.certificates);
	write_profile("renewed", "town-aid.new", more);
	show("renewed", "");
	assert_in(desk.printed, "| " SECRET);
	write_profile("renewed", "town-aid.new", "");
	submit(""); /* while both are valid */
	show("renewed", "");
	assert_in(desk.printed, "| " SECRET);
	show("town-aid", "");
	assert_in(desk.printed, "| " SECRET);
}

/* ---- a new revocation list ---- */

/* town-ps's certificate was stolen; only town-aid knows so far, by a list that is written over in the
 * folder of lists that its profile names. */
static void revoke_for_aid(void)
{
	assert_int_equal(
		hub_run(&hub,
			"cp -a %s %s/after && %s/ieum-certs revoke town-ps --stolen --out "
			"%s/after >>%s/certs.log 2>&1 && cat %s/after/ca.crl >%s/lists/ca.crl",
			hub.certificates, desk.folder, hub_bin(), desk.folder, hub.folder,
			desk.folder, desk.folder),
		0);
}

/* The profile names the new pair, and the old is revoked under a running inbox. */
static void a_renewal_under_new_names_needs_no_restart(void **state)
{
	char more[4 * PATH_BYTES];
	FILE *shown, *told;
	pid_t pid;

	(void)state;
	greet("town-aid");
	submit(""); /* sealed to the old one */
	shown = desk_follow("town-aid", "--lang=en", &pid, &told);
	desk_await_line(told, "Waiting for messages.");
	desk_await_line(shown, "| " SECRET);
	snprintf(more, sizeof more,
		 "old_keys: [{certificate: %s/participants/town-aid.crt, key: "
		 "%s/participants/town-aid.key}]\n",
		 hub.certificates, hub.certificates);
	write_profile("town-aid", "town-aid.new", more);
	hub_revoke(&hub, "town-aid");
	desk_await_line(told, "Connected again.");
	submit("");
	desk_await_line(shown, "| " SECRET);
	desk_end_following(pid);
	fclose(shown);
	fclose(told);
}

static void who_stays_connected_knows_the_new_list(void **state)
{
	char text[8 * PATH_BYTES];
	pid_t pid;

	(void)state;
	assert_int_equal(hub_run(&hub, "mkdir %s/lists && cp %s/ca.crl %s/lists/", desk.folder,
				 hub.certificates, desk.folder),
			 0);
	snprintf(text, sizeof text,
		 "addresses: [\"%s\"]\nca: %s/ca.crt\ncrl: %s/lists\n"
		 "certificate: %s/participants/town-aid.crt\nkey: %s/participants/town-aid.key\n"
		 "server_name: localhost\nlanguage: en\n",
		 hub.address, hub.certificates, desk.folder, hub.certificates, hub.certificates);
	desk_write("town-aid.yaml", text);
	greet("town-aid");
	FILE *shown = desk_follow("town-aid", "--lang=en", &pid, NULL);
	submit("");
	desk_await_line(shown, "(sealed; signed by town-ps, town-ps-1 · Town police)");
	desk_await_line(shown, "| " SECRET);
	revoke_for_aid();
	submit("");
	desk_await_line(shown, "| " PLAIN);
	desk_expect_line(shown,
			 "its signer's certificate is not to be trusted: certificate revoked");
	desk_end_following(pid);
	fclose(shown);
}

/* Ours is past its end: that is said, and cuts nobody off. */
static void an_old_list_of_our_own_is_told_of(void **state)
{
	char text[8 * PATH_BYTES];

	(void)state;
	assert_int_equal(
		hub_run(&hub,
			"cd %s && touch index && printf '[ca]\\ndefault_ca=x\\n[x]\\n"
			"database=index\\ndefault_md=sha256\\n' >conf && openssl ca -gencrl -config "
			"conf -keyfile %s/ca.key -cert %s/ca.crt -crl_lastupdate 20240101000000Z "
			"-crl_nextupdate 20240201000000Z -out old.crl 2>>certs.log",
			desk.folder, hub.certificates, hub.certificates),
		0);
	greet("town-aid");
	assert_not_in(desk.said, "revocation list");
	snprintf(text, sizeof text,
		 "addresses: [\"%s\"]\nca: %s/ca.crt\ncrl: %s/old.crl\n"
		 "certificate: %s/participants/town-aid.crt\nkey: %s/participants/town-aid.key\n"
		 "server_name: localhost\nlanguage: en\n",
		 hub.address, hub.certificates, desk.folder, hub.certificates, hub.certificates);
	desk_write("town-aid.yaml", text);
	greet("town-aid");
	assert_in(desk.said, "The revocation list in your profile ended on 2024-02-01");
	desk_expect("town-aid", "ping --json", EXIT_DONE);
	assert_not_in(desk.said, "revocation list");
	desk_expect("town-aid", "inbox", EXIT_DONE);
	assert_in(desk.said, "ended on 2024-02-01");
	assert_int_equal(
		hub_run(&hub,
			"cd %s && echo '{\"ping\": {}}' | %s --profile town-aid.yaml pipe | "
			"grep -qx '{\"revocationListEnded\":{\"endedAtMs\":1706745600000}}'",
			desk.folder, desk.ieum),
		0);
}

/* ---- two workstations ---- */

/* A running inbox that is connected. */
struct follower {
	pid_t pid;
	FILE *out, *err;
};

static struct follower follow(const char *who)
{
	struct follower f;

	f.out = desk_follow(who, "--lang=en", &f.pid, &f.err);
	desk_await_line(f.err, "Waiting for messages.");
	return f;
}

static void end_following(const struct follower *f)
{
	desk_end_following(f->pid);
	fclose(f->out);
	fclose(f->err);
}

/* It has a certificate of its own, which the hub sees when all is over. */
static void a_workstation_that_joins_later_gets_the_key_of_a_colleague(void **state)
{
	struct follower colleague;

	(void)state;
	greet("town-aid");
	submit("");
	desk_expect("town-aid", "inbox --limit 1", EXIT_DONE);
	assert_in(desk.printed, "| " SECRET);
	colleague = follow("town-aid");
	write_profile("second", "town-aid.new", "");
	show("second", "");
	assert_not_in(desk.printed, SECRET);
	assert_in(desk.printed, "look again");
	desk_await_line(colleague.out, "town-aid can open the sealed parts");
	show("second", "");
	assert_in(desk.printed, "(sealed; signed by town-ps, town-ps-1 · Town police)");
	assert_in(desk.printed, "| " SECRET);
	end_following(&colleague);
	assert_false(files_hold(SECRET));
	assert_false(process_holds(hub.pid, SECRET));
}

/* The one without the key is asked for a newcomer's; it leaves that to its colleague. */
static void a_workstation_without_the_key_declines_for_itself_only(void **state)
{
	struct follower without, colleague;

	(void)state;
	greet("town-aid");
	submit("");
	desk_expect("town-aid", "inbox --limit 1", EXIT_DONE);
	write_profile("second", "town-aid.new", "");
	without = follow("second");
	greet("town-head");
	desk_expect("town-op", "drill advance '11 min'", EXIT_DONE);
	desk_expect("town-head", "inbox --limit 1", EXIT_DONE);
	assert_in(desk.printed, "look again");
	colleague = follow("town-aid");
	desk_await_line(colleague.out, "town-head can open the sealed parts");
	show("town-head", "");
	assert_in(desk.printed, "| " SECRET);
	end_following(&without);
	end_following(&colleague);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, end)
	const struct CMUnitTest tests[] = {
		TEST(it_is_read_by_whom_it_reaches_and_nobody_else),
		TEST(everything_can_be_sealed),
		TEST(when_the_policy_changes_it_is_sealed_again),
		TEST(the_owner_s_client_gives_a_newcomer_the_key),
		TEST(its_user_is_asked_first_and_may_refuse),
		TEST(both_certificates_of_a_renewal_open),
		TEST(a_renewal_under_new_names_needs_no_restart),
		TEST(who_stays_connected_knows_the_new_list),
		TEST(an_old_list_of_our_own_is_told_of),
		TEST(a_workstation_that_joins_later_gets_the_key_of_a_colleague),
		TEST(a_workstation_without_the_key_declines_for_itself_only),
	};

	return cmocka_run_group_tests_name("seal and open", tests, NULL, NULL);
}
