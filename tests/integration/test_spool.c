/* The spool against a real hub: an agency that sends and one that receives, each a process of its
 * own on libieum, are killed at random moments, and so are the hub and the network between them.
 * Then: what was accepted is in the journal exactly once; what the receiver has confirmed was never
 * handed over again.  And the same seen from the command: `ieum submit` without a hub.
 *
 * A round ends when so many messages were accepted or taken, told over a pipe; what happens then
 * follows from the seed (IEUM_SPOOL_SEED), as far as timing lets it be the same. */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <search.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/exit_code.h"
#include "client/ieum.h"
#include "client/spool.h"
#include "proto/uuid7.h"
#include "tests/integration/desk.h"
#include "tests/integration/hub.h"
#include "tests/integration/peer.h"
#include "tests/integration/record.h"

enum {
	ROUNDS = 14,
	MESSAGES_MAX = 200, /* of a round */
	WINDOW = 8,
	COPY_BYTES = 16384,
	LINE_BYTES = 64,
	DRAIN_S = 60,
};

static struct hub hub;
static uint64_t seed;

/* ---- a process of an agency ---- */

struct agency {
	struct ieum *c;
	int log; /* appended: what has happened, for the test to judge */
	unsigned outstanding;
	bool sends;
};

/* Before anything else happens, in one write: a kill leaves whole lines. */
static void note(const struct agency *a, char what, const uint8_t *id)
{
	char line[LINE_BYTES], text[UUID_TEXT_BYTES];

	uuid_format(id, text);
	int n = snprintf(line, sizeof line, "%c %s\n", what, text);
	if (write(a->log, line, (size_t)n) != n)
		_exit(3);
}

static void submit_more(struct agency *a);

static void on_submitted(struct ieum *c, const uint8_t *id, const Ieum__V1__Receipt *receipt,
			 const struct ieum_failure *failure, void *arg)
{
	struct agency *a = arg;

	(void)c;
	if (!receipt) {
		fprintf(stderr, "agency: %s %s\n", failure->name, failure->detail);
		note(a, 'F', id);
	}
	a->outstanding--;
	submit_more(a);
}

static void on_accepted(struct ieum *c, const uint8_t *id, void *ctx)
{
	struct agency *a = ctx;

	(void)c;
	note(a, 'A', id);
	if (write(STDOUT_FILENO, "a", 1) != 1)
		_exit(3);
}

static void submit_more(struct agency *a)
{
	char why[IEUM_WHY_BYTES];
	struct message m;

	while (a->outstanding < WINDOW) {
		message_service_report(&m, "town-aid", NULL, "spooled");
		m.envelope.message_id.len = 0;
		if (ieum_submit(a->c, &m.referral, on_submitted, a, NULL, why)) {
			fprintf(stderr, "agency: %s\n", why);
			_exit(3);
		}
		a->outstanding++;
	}
}

/* Without a hub there are no receipts: what is accepted makes room as well. */
static void more_offline(evutil_socket_t fd, short what, void *arg)
{
	struct agency *a = arg;

	(void)fd, (void)what;
	if (!ieum_connected(a->c) && a->outstanding < 1000) {
		unsigned outstanding = a->outstanding;

		a->outstanding = 0;
		submit_more(a);
		a->outstanding += outstanding;
	}
}

static void on_taken(struct ieum *c, uint64_t delivery_id, const struct ieum_failure *failure,
		     void *arg)
{
	uint8_t *id = arg;

	(void)c, (void)delivery_id;
	if (failure)
		_exit(3);
	const struct agency a = { .log = id[16] };
	note(&a, 'T', id);
	free(id);
	if (write(STDOUT_FILENO, "t", 1) != 1)
		_exit(3);
}

static void on_delivery(struct ieum *c, const Ieum__V1__Delivery *delivery, const uint8_t *referral,
			size_t referral_len, void *ctx)
{
	struct agency *a = ctx;
	uint8_t *id = malloc(17); /* and where to note it */

	(void)referral, (void)referral_len;
	memcpy(id, delivery->referral->envelope->message_id.data, 16);
	id[16] = (uint8_t)a->log;
	note(a, 'H', id);
	if (ieum_settle(c, delivery->delivery_id, IEUM_SETTLE_DONE, NULL, on_taken, id))
		_exit(3);
}

/* agency ROLE ADDRESS CERTIFICATES NAME SPOOL LOG */
static int run_agency(char **argv)
{
	char cert[300], key[300], ca[300], why[IEUM_WHY_BYTES];
	const char *address = argv[3];
	struct agency a = { .sends = strcmp(argv[2], "sender") == 0 };
	struct event_base *base = event_base_new();
	const struct timeval often = { .tv_usec = 2000 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(cert, sizeof cert, "%s/participants/%s.crt", argv[4], argv[5]);
	snprintf(key, sizeof key, "%s/participants/%s.key", argv[4], argv[5]);
	snprintf(ca, sizeof ca, "%s/ca.crt", argv[4]);
	a.log = open(argv[7], O_WRONLY | O_APPEND | O_CREAT, 0600);
	struct ieum_options options = { .addresses = &address,
					.n_addresses = 1,
					.server_name = "localhost",
					.cert = cert,
					.key = key,
					.ca = ca,
					.pause_min_ms = 5,
					.pause_max_ms = 50,
					.spool = argv[6],
					.spool_deliveries = !a.sends,
					.credit = a.sends ? 0 : 16,
					.callbacks = { .delivery = on_delivery,
						       .accepted = on_accepted },
					.ctx = &a };
	if (ieum_new(base, &options, &a.c, why)) {
		fprintf(stderr, "agency: %s\n", why);
		return 3;
	}
	struct event *timer = event_new(base, -1, EV_PERSIST, more_offline, &a);
	if (a.sends) {
		submit_more(&a);
		event_add(timer, &often);
	}
	event_base_dispatch(base);
	return 0;
}

/* ---- the network between: a process that is killed with all of its connections ---- */

static bool pass_on(int from, int to)
{
	char bytes[COPY_BYTES];
	ssize_t n = read(from, bytes, sizeof bytes);

	for (ssize_t at = 0, wrote; at < n; at += wrote) {
		wrote = write(to, bytes + at, (size_t)(n - at));
		if (wrote <= 0)
			return false;
	}
	return n > 0;
}

static int open_socket(uint16_t port, bool listens)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (listens ? bind(fd, (void *)&in, sizeof in) || listen(fd, 16)
		    : connect(fd, (void *)&in, sizeof in)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void serve(int client, uint16_t to)
{
	int server = open_socket(to, false);
	struct pollfd fds[] = { { .fd = client, .events = POLLIN },
				{ .fd = server, .events = POLLIN } };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (server >= 0 && poll(fds, 2, -1) > 0) {
		if ((fds[0].revents && !pass_on(client, server)) ||
		    (fds[1].revents && !pass_on(server, client)))
			break;
	}
	_exit(0);
}

/* network FROM TO */
static int run_network(char **argv)
{
	uint16_t to = (uint16_t)strtoul(argv[3], NULL, 10);
	int fd = open_socket((uint16_t)strtoul(argv[2], NULL, 10), true), client;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	if (fd < 0 || write(STDOUT_FILENO, "n", 1) != 1)
		return 3;
	while ((client = accept(fd, NULL, NULL)) >= 0) {
		if (fork() == 0) {
			close(fd);
			serve(client, to);
		}
		close(client);
	}
	return 0;
}

/* ---- starting and killing them ---- */

struct process {
	pid_t pid;
	int out;
};

static struct process start_process(char *const *argv)
{
	struct process p;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	p.pid = fork();
	if (p.pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execv("/proc/self/exe", argv);
		_exit(4);
	}
	close(ends[1]);
	p.out = ends[0];
	return p;
}

static void kill_process(struct process *p)
{
	if (!p->pid)
		return;
	kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
	close(p->out);
	*p = (struct process){ 0 };
}

static struct process sender, receiver, network;
static char through[64], logs[HUB_PATH_BYTES + 64];
static uint16_t network_port;

static uint16_t free_port(void)
{
	struct sockaddr_in in = { 0 };
	socklen_t len = sizeof in;
	int fd = open_socket(0, true);

	assert_int_equal(getsockname(fd, (void *)&in, &len), 0);
	close(fd);
	return ntohs(in.sin_port);
}

static void start_network(void)
{
	char from[16], to[16], byte;
	char *argv[] = { (char *)"test_spool", (char *)"network", from, to, NULL };

	if (network.pid)
		return;
	snprintf(from, sizeof from, "%u", network_port);
	snprintf(to, sizeof to, "%s", strrchr(hub.address, ':') + 1);
	network = start_process(argv);
	assert_int_equal(read(network.out, &byte, 1), 1);
}

static void start_agency(struct process *p, const char *role, const char *name)
{
	char spool[HUB_PATH_BYTES + 64], log[HUB_PATH_BYTES + 128];
	char *argv[] = { (char *)"test_spool",
			 (char *)"agency",
			 (char *)role,
			 through,
			 hub.certificates,
			 (char *)name,
			 spool,
			 log,
			 NULL };

	if (p->pid)
		return;
	snprintf(spool, sizeof spool, "%s/%s.spool", hub.folder, name);
	snprintf(log, sizeof log, "%s.%s", logs, name);
	*p = start_process(argv);
}

/* Waits until so many were accepted, or taken. */
static void await_bytes(const struct process *p, unsigned n)
{
	struct pollfd fd = { .fd = p->out, .events = POLLIN };
	char bytes[MESSAGES_MAX];

	while (n > 0) {
		if (poll(&fd, 1, HUB_WAIT_S * 1000) != 1)
			fail_msg("nothing more comes from the %s; hub %d, network %d",
				 p == &sender ? "sender" : "receiver", hub.pid, network.pid);
		ssize_t got = read(p->out, bytes, n < sizeof bytes ? n : sizeof bytes);
		if (got <= 0)
			fail_msg("the agency has ended by itself");
		n -= (unsigned)got;
	}
}

/* ---- what is expected ---- */

struct fate {
	char id[UUID_TEXT_BYTES];
	unsigned accepted, failed, recorded, handed, taken;
	bool handed_after_taken;
};

static void *fates;

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct fate *)a)->id, ((const struct fate *)b)->id);
}

static struct fate *fate_of(const char *id)
{
	struct fate *f = calloc(1, sizeof *f);

	memcpy(f->id, id, sizeof f->id - 1);
	struct fate **known = tsearch(f, &fates, by_id);
	if (*known != f)
		free(f);
	return *known;
}

static void read_log(const char *name)
{
	char path[HUB_PATH_BYTES + 128], line[LINE_BYTES];

	snprintf(path, sizeof path, "%s.%s", logs, name);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		line[2 + UUID_TEXT_BYTES - 1] = '\0';
		struct fate *fate = fate_of(line + 2);

		fate->accepted += line[0] == 'A';
		fate->failed += line[0] == 'F';
		fate->handed_after_taken |= line[0] == 'H' && fate->taken;
		fate->handed += line[0] == 'H';
		fate->taken += line[0] == 'T';
	}
	fclose(f);
}

static void read_event(void *ctx, uint64_t seq, const Ieum__V1__Event *event)
{
	char id[UUID_TEXT_BYTES];

	(void)ctx, (void)seq;
	if (event->what_case != IEUM__V1__EVENT__WHAT_SUBMITTED)
		return;
	uuid_format(event->submitted->message_id.data, id);
	fate_of(id)->recorded++;
}

static struct {
	unsigned accepted, recorded, handed, again, taken;
} sums;
static char trouble[256];

static void judge(const void *node, VISIT visit, int depth)
{
	const struct fate *f = *(struct fate *const *)node;

	(void)depth;
	if (visit != postorder && visit != leaf)
		return;
	sums.accepted += f->accepted;
	sums.recorded += f->recorded;
	sums.handed += f->handed;
	sums.again += f->handed > 1;
	sums.taken += f->taken;
	if (f->accepted && !f->recorded)
		snprintf(trouble, sizeof trouble, "%s was accepted and is lost", f->id);
	else if (f->recorded > 1)
		snprintf(trouble, sizeof trouble, "%s is in the journal twice", f->id);
	else if (f->handed_after_taken)
		snprintf(trouble, sizeof trouble, "%s came again after it was taken", f->id);
	else if (f->recorded && !f->handed)
		snprintf(trouble, sizeof trouble, "%s was never handed over", f->id);
	else if (f->failed)
		snprintf(trouble, sizeof trouble, "%s was refused", f->id);
}

/* ---- the rounds ---- */

static uint64_t below(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static void play_round(bool with_hub)
{
	struct process *counted;

	if (with_hub && !hub.pid)
		hub_start(&hub);
	if (below(4))
		start_network();
	start_agency(&sender, "sender", "town-ps");
	start_agency(&receiver, "receiver", "town-aid");
	counted = hub.pid && network.pid && below(2) ? &receiver : &sender;
	await_bytes(counted, 1 + (unsigned)below(MESSAGES_MAX - 1));
	switch (below(5)) {
	case 0: kill_process(&sender); break;
	case 1: kill_process(counted); break;
	case 2: kill_process(&network); break;
	case 3:
		if (hub.pid)
			hub_kill(&hub);
		break;
	default:
		kill_process(&sender);
		kill_process(&receiver);
		kill_process(&network);
		break;
	}
}

static void write_profile(const char *name, const char *address)
{
	char path[HUB_PATH_BYTES + 64];

	snprintf(path, sizeof path, "%s/%s.yaml", hub.folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f,
		"addresses: [\"%s\"]\nca: %s/ca.crt\ncertificate: %s/participants/%s.crt\n"
		"key: %s/participants/%s.key\nserver_name: localhost\nlanguage: en\nspool: %s.spool\n",
		address, hub.certificates, hub.certificates, name, hub.certificates, name, name);
	assert_int_equal(fclose(f), 0);
}

static int ieum(const char *name, const char *words)
{
	return hub_run(&hub,
		       "cd %s && LC_ALL=C.UTF-8 %s/ieum --profile %s.yaml >out 2>err </dev/null %s",
		       hub.folder, hub_bin(), name, words);
}

static uint64_t held_by(const char *name)
{
	char path[HUB_PATH_BYTES + 64], why[SPOOL_WHY_BYTES];
	struct spool_sum sum;
	struct spool *s;

	snprintf(path, sizeof path, "%s/%s.spool", hub.folder, name);
	const struct spool_options options = { .path = path };
	if (spool_open(&options, &s, why))
		fail_msg("%s", why);
	assert_int_equal(spool_sum(s, &sum), IEUM_E_OK);
	spool_close(s);
	return sum.waiting;
}

static void count_routed(void *ctx, uint64_t seq, const Ieum__V1__Event *event)
{
	(void)seq;
	*(unsigned *)ctx += event->what_case == IEUM__V1__EVENT__WHAT_SUBMITTED;
}

/* By its spool: of some that a kill caught right behind the commit the agency heard nothing. */
static unsigned taken_so_far(void)
{
	char path[HUB_PATH_BYTES + 64];
	sqlite3_stmt *stmt;
	sqlite3 *db;

	snprintf(path, sizeof path, "%s/town-aid.spool", hub.folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM delivery WHERE taken = 1", -1,
					    &stmt, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	unsigned n = (unsigned)sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return n;
}

/* Everything that was accepted reaches the hub, and its receiver. */
static void drain(void)
{
	unsigned recorded = 0;

	kill_process(&sender);
	kill_process(&receiver);
	if (!hub.pid)
		hub_start(&hub);
	start_network();
	write_profile("town-ps", through);
	if (ieum("town-ps", "spool send --timeout 60s"))
		fail_msg("ieum spool send: see err in %s", hub.folder);
	assert_int_equal(held_by("town-ps"), 0);
	record_each(&hub, count_routed, &recorded);
	unsigned taken = taken_so_far();
	start_agency(&receiver, "receiver", "town-aid");
	await_bytes(&receiver, recorded - taken);
	kill_process(&receiver);
}

static void kills_of_client_network_and_hub_lose_and_double_nothing(void **state)
{
	(void)state;
	print_message("# seed %llu\n", (unsigned long long)seed);
	hub_start(&hub);
	for (unsigned i = 0; i < ROUNDS; i++)
		play_round(below(4) != 0);
	drain();
	record_each(&hub, read_event, NULL);
	read_log("town-ps");
	read_log("town-aid");
	twalk(fates, judge);
	tdestroy(fates, free);
	fates = NULL;
	if (trouble[0])
		fail_msg("%s", trouble);
	print_message("# accepted %u, recorded %u, handed %u (again %u), taken %u\n", sums.accepted,
		      sums.recorded, sums.handed, sums.again, sums.taken);
	assert_true(sums.accepted > 0);
	assert_int_equal(sums.recorded, taken_so_far());
	assert_int_equal(hub_stop(&hub), 0);
	record_audit(&hub);
}

/* ---- the command ---- */

static void put_file(const char *name, const char *text)
{
	char path[HUB_PATH_BYTES + 64];

	snprintf(path, sizeof path, "%s/%s", hub.folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void expect_output(const char *file, const char *text)
{
	if (hub_run(&hub, "grep -qF -- '%s' %s/%s", text, hub.folder, file)) {
		hub_run(&hub, "cat %s/out %s/err >&2", hub.folder, hub.folder);
		fail_msg("not in %s: %s", file, text);
	}
}

static void expect_no_output(const char *file, const char *text)
{
	if (!hub_run(&hub, "grep -qF -- '%s' %s/%s", text, hub.folder, file))
		fail_msg("in %s: %s", file, text);
}

/* Of the first message that `--json spool list` told last. */
#define FIRST_ID "$(grep -o '\"message_id\": \"[^\"]*' out | head -1 | cut -d '\"' -f 4)"

/* Nobody is advised to send again what is on its way, or at the hub already. */
static void expect_kept(const char *why)
{
	assert_int_equal(ieum("town-ps", "--json spool list"), EXIT_DONE);
	assert_int_equal(ieum("town-ps", "spool drop " FIRST_ID), EXIT_REFUSED);
	expect_output("err", "SPOOL_KEEPS");
	expect_output("err", why);
	expect_no_output("err", "send it again");
}

static void submit_without_a_hub_is_kept_and_sent_by_the_next_command(void **state)
{
	(void)state;
	write_profile("town-ps", hub.address[0] ? hub.address : "127.0.0.1:1");
	put_file("report.yaml", DESK_REPORT);
	hub_start(&hub);
	write_profile("town-ps", hub.address);
	assert_int_equal(ieum("town-ps", "submit report.yaml"), EXIT_DONE);
	assert_int_equal(ieum("town-ps", "deadlines"), EXIT_DONE);
	assert_int_equal(hub_stop(&hub), 0);
	assert_int_equal(ieum("town-ps", "submit report.yaml --timeout 1s"), EXIT_KEPT);
	expect_output("out", "Kept in the spool, not yet at the hub");
	expect_output("err", "submit it again, that would be a second message");
	expect_no_output("err", "Run the command again");
	assert_int_equal(held_by("town-ps"), 1);
	assert_int_equal(ieum("town-ps", "spool list"), EXIT_DONE);
	expect_output("out", "waiting 1,");
	expect_kept("the hub has it");
	assert_int_equal(ieum("town-ps", "spool drop 0192f5d4-7c1e-7a3b-9c4d-0123456789ab"),
			 EXIT_NOT_FOUND);
	expect_output("err", "no such message in this spool");
	assert_int_equal(ieum("town-ps", "deadlines --timeout 1s"), EXIT_UNREACHABLE);
	expect_output("out", "As the hub said at");
	hub_start(&hub);
	assert_int_equal(ieum("town-ps", "whoami"), EXIT_DONE);
	expect_output("err", "Sent from the spool: message");
	assert_int_equal(held_by("town-ps"), 0);
	assert_int_equal(ieum("town-ps", "--json spool send"), EXIT_DONE);
	expect_output("out", "\"waiting\": 0");
	/* An operator's copy: the agency's spool is empty after the next connection. */
	write_profile("town-op", hub.address);
	assert_int_equal(ieum("town-ps", "hub copied 3"), EXIT_REFUSED);
	assert_int_equal(ieum("town-op", "hub copied 1000000"), EXIT_REFUSED);
	expect_output("err", "newest is");
	assert_int_equal(ieum("town-op", "hub copied 12"), EXIT_DONE);
	assert_int_equal(ieum("town-ps", "whoami"), EXIT_DONE);
	assert_int_equal(ieum("town-ps", "--json spool list"), EXIT_DONE);
	expect_output("out", "\"copied_through\": 12");
	assert_int_equal(ieum("town-ps", "spool check"), EXIT_DONE);
	assert_int_equal(hub_stop(&hub), 0);
	record_audit(&hub);
}

/* ---- what is known without a hub ---- */

enum { MANY = 210 }; /* more than a page of an answer */

static void submit_many(void)
{
	char path[HUB_PATH_BYTES + 64];

	snprintf(path, sizeof path, "%s/lines", hub.folder);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	for (unsigned i = 0; i < MANY; i++)
		fputs("{\"submit\": {\"referral\": {\"envelope\": {\"type\": \"report_received\","
		      " \"category\": \"domestic_violence\", \"urgency\": \"immediate\","
		      " \"open_case\": true, \"legal_basis\": {\"kind\": \"imminent_danger\"}},"
		      " \"report_received\": {\"response_code\": \"code_1\","
		      " \"child_at_home\": true}}}}\n",
		      f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(ieum("town-ps", "pipe --plain <lines"), EXIT_DONE);
}

static unsigned deadlines_in_out(void)
{
	char path[HUB_PATH_BYTES + 64], *text = NULL;
	size_t room = 0;
	unsigned n = 0;

	snprintf(path, sizeof path, "%s/out", hub.folder);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	while (getline(&text, &room, f) > 0)
		for (const char *at = text; (at = strstr(at, "\"due_at_ms\"")); at++)
			n++;
	free(text);
	fclose(f);
	return n;
}

static void whoever_was_connected_knows_all_deadlines_later(void **state)
{
	static const char *const words[] = { "inbox", "inbox --settle none" };

	(void)state;
	hub_start(&hub);
	write_profile("town-ps", hub.address);
	submit_many();
	assert_int_equal(ieum("town-ps", "--json deadlines"), EXIT_DONE);
	unsigned all = deadlines_in_out();
	assert_true(all > 200);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		assert_int_equal(hub_run(&hub, "rm %s/town-ps.spool*", hub.folder), 0);
		write_profile("town-ps", "127.0.0.1:1");
		assert_int_equal(ieum("town-ps", "deadlines --timeout 1s"), EXIT_UNREACHABLE);
		expect_output("out", "The hub has never told this machine your open deadlines");
		write_profile("town-ps", hub.address);
		assert_int_equal(ieum("town-ps", words[i]), EXIT_DONE);
		write_profile("town-ps", "127.0.0.1:1");
		assert_int_equal(ieum("town-ps", "--json deadlines --timeout 1s"),
				 EXIT_UNREACHABLE);
		assert_int_equal(deadlines_in_out(), all);
	}
	assert_int_equal(hub_stop(&hub), 0);
	record_audit(&hub);
}

static void a_faulty_spool_hides_nothing_that_comes(void **state)
{
	(void)state;
	hub_start(&hub);
	write_profile("town-ps", hub.address);
	write_profile("town-aid", hub.address);
	put_file("report.yaml", DESK_REPORT);
	assert_int_equal(ieum("town-aid", "deadlines"), EXIT_DONE);
	assert_int_equal(ieum("town-ps", "submit report.yaml"), EXIT_DONE);
	assert_int_equal(hub_run(&hub,
				 "printf damage | dd of=%s/town-aid.spool bs=1 seek=100"
				 " conv=notrunc 2>/dev/null",
				 hub.folder),
			 0);
	assert_int_equal(ieum("town-aid", "inbox"), EXIT_DONE);
	expect_output("out", "Report received");
	expect_output("err", "SPOOL_CORRUPT");
	expect_output("err", "Going on without the spool");
	assert_int_equal(ieum("town-aid", "deadlines"), EXIT_DONE);
	expect_output("err", "SPOOL_CORRUPT");
	/* What submits doesn't go on. */
	assert_int_equal(ieum("town-aid", "submit report.yaml"), EXIT_FILE);
	write_profile("town-aid", "127.0.0.1:1");
	assert_int_equal(ieum("town-aid", "deadlines --timeout 1s"), EXIT_UNREACHABLE);
	expect_output("err", "SPOOL_CORRUPT");
	assert_int_equal(hub_stop(&hub), 0);
	record_audit(&hub);
}

static void a_damaged_spool_is_said_with_what_to_do(void **state)
{
	(void)state;
	write_profile("town-ps", "127.0.0.1:1");
	put_file("report.yaml", DESK_REPORT);
	assert_int_equal(ieum("town-ps", "submit report.yaml --timeout 100ms"), EXIT_KEPT);
	expect_kept("it waits to be sent and may be on its way");
	assert_int_equal(hub_run(&hub,
				 "printf '\\377\\377\\377\\377\\377' | dd of=%s/town-ps.spool"
				 " bs=1 seek=8192 conv=notrunc 2>/dev/null",
				 hub.folder),
			 0);
	assert_int_equal(ieum("town-ps", "spool list"), EXIT_FILE);
	expect_output("err", "SPOOL_CORRUPT");
	expect_output("err", "ieum spool salvage");
	expect_no_output("err", "Correct it");
	expect_no_output("err", "***"); /* SQLite's own words */
	assert_int_equal(ieum("town-ps", "spool check"), EXIT_FILE);
	expect_output("err", "some of its pages are damaged");
	expect_output("err", "ieum spool salvage");
	expect_no_output("err", "***");
	expect_no_output("err", "ieum spool check"); /* that was just run */
	assert_int_equal(ieum("town-ps", "--lang ko spool check"), EXIT_FILE);
	expect_output("err", "일부 쪽이 손상되었습니다");
}

/* ---- copies ---- */

static uint64_t confirm(struct peer *p, uint64_t number, ProtobufCBinaryData incarnation)
{
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	Ieum__V1__ConfirmCopy copy = IEUM__V1__CONFIRM_COPY__INIT;

	copy.journal_number = number;
	copy.incarnation = incarnation;
	frame.what_case = IEUM__V1__FRAME__WHAT_CONFIRM_COPY;
	frame.confirm_copy = &copy;
	return peer_send(p, &frame);
}

static void a_copy_is_told_to_everyone_and_outlives_a_kill(void **state)
{
	uint8_t another[16] = { 1 };

	(void)state;
	hub_start(&hub);
	struct peer *op = peer_connect(&hub, "town-op"), *ps = peer_connect(&hub, "town-ps");
	assert_int_equal(peer_welcome(ps)->copied_through, 0);
	ProtobufCBinaryData incarnation = peer_welcome(op)->incarnation;
	(void)peer_refused(op, confirm(op, 2, (ProtobufCBinaryData){ 16, another }),
			   IEUM_E_FIELD_INVALID);
	(void)peer_refused(ps, confirm(ps, 2, incarnation), IEUM_E_NOT_PERMITTED);
	const Ieum__V1__Frame *answer = peer_answer(op, confirm(op, 2, incarnation));
	assert_int_equal(answer->what_case, IEUM__V1__FRAME__WHAT_COPIED);
	assert_int_equal(answer->copied->journal_number, 2);
	const Ieum__V1__Frame *told = peer_expect(ps, IEUM__V1__FRAME__WHAT_COPIED);
	assert_int_equal(told->request_id, 0);
	assert_int_equal(told->copied->journal_number, 2);
	/* Less than what is known changes nothing, and nobody else hears of it. */
	answer = peer_answer(op, confirm(op, 1, incarnation));
	assert_int_equal(answer->copied->journal_number, 2);
	peer_ping(ps);
	assert_false(peer_has(ps, IEUM__V1__FRAME__WHAT_COPIED));
	hub_kill(&hub);
	peer_drop(op);
	peer_drop(ps);
	hub_start(&hub);
	ps = peer_connect(&hub, "town-ps");
	assert_int_equal(peer_welcome(ps)->copied_through, 2);
	peer_close(ps);
	assert_int_equal(hub_stop(&hub), 0);
	record_audit(&hub);
}

static int start(void **state)
{
	(void)state;
	hub_make(&hub, &(struct hub_options){ 0 });
	network_port = free_port();
	snprintf(through, sizeof through, "127.0.0.1:%u", network_port);
	snprintf(logs, sizeof logs, "%s/log", hub.folder);
	return 0;
}

static int end(void **state)
{
	(void)state;
	kill_process(&sender);
	kill_process(&receiver);
	kill_process(&network);
	hub_remove(&hub);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			kills_of_client_network_and_hub_lose_and_double_nothing, start, end),
		cmocka_unit_test_setup_teardown(a_copy_is_told_to_everyone_and_outlives_a_kill,
						start, end),
		cmocka_unit_test_setup_teardown(
			submit_without_a_hub_is_kept_and_sent_by_the_next_command, start, end),
		cmocka_unit_test_setup_teardown(a_damaged_spool_is_said_with_what_to_do, start,
						end),
		cmocka_unit_test_setup_teardown(whoever_was_connected_knows_all_deadlines_later,
						start, end),
		cmocka_unit_test_setup_teardown(a_faulty_spool_hides_nothing_that_comes, start,
						end),
	};
	const char *fixed = getenv("IEUM_SPOOL_SEED");

	signal(SIGPIPE, SIG_IGN);
	if (argc == 8 && strcmp(argv[1], "agency") == 0)
		return run_agency(argv);
	if (argc == 4 && strcmp(argv[1], "network") == 0)
		return run_network(argv);
	seed = fixed && *fixed ? strtoull(fixed, NULL, 10) : (uint64_t)time(NULL) * 2654435761u;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
