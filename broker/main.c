/* ieumd: the order in which it comes up and goes down; everything else is
 * elsewhere. */
#include <getopt.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/config.h"
#include "broker/log.h"
#include "broker/privileges.h"
#include "broker/replay.h"
#include "broker/server.h"
#include "broker/version.h"
#include "proto/catalog.h"

struct options {
	const char *config;
	bool check;
	bool restored;
	bool drill;
	int64_t drill_from_us; /* 0: now */
};

/* All that lives from start to end, in the order of its making. */
struct process {
	struct config *config;
	struct policy *policy; /* until the server takes it */
	struct tls *tls;       /* the same */
	struct journal *journal;
	struct core *core;
	struct server *server;
	uint64_t snapshot_seq;
};

static const char usage[] =
	N_("usage: ieumd --config FILE [--check | --restored] [--lang en|ko] "
	   "[--drill | --drill-from TIME]\n"
	   "       ieumd --version | --help\n"
	   "\n"
	   "  --config FILE  how the daemon runs (ieumd.yaml)\n"
	   "  --check        look at the configuration, the hub file and the "
	   "certificates, then exit\n"
	   "  --restored     the journal is a copy that was put back: begin a new "
	   "incarnation, then exit\n"
	   "  --lang LANG    of what --check and the start say, en or ko; else the locale's.  "
	   "The log is English\n"
	   "  --drill        nothing is real: a drill's journal, and a clock that its "
	   "operator moves\n"
	   "  --drill-from TIME  a drill whose clock begins then: "
	   "2026-03-02T10:00:00+09:00\n"
	   "\n"
	   "Signals: SIGHUP reloads certificates, revocation list and hub file (all "
	   "or nothing);\n"
	   "SIGUSR1 confirms a jump of the system's clock; SIGTERM and SIGINT stop, a "
	   "second one at once.\n"
	   "\n"
	   "Exit codes:\n"
	   "  0  stopped as asked, everything on disk; --check found no mistake\n"
	   "  1  the configuration has mistakes\n"
	   "  2  wrong usage\n"
	   "  3  could not start: an address, the journal, memory\n"
	   "  4  the journal failed; start again, it is replayed\n"
	   "  5  the journal is of a newer version, a drill's, or damaged\n");

/* Reads the options; true when there is something left to do, else *code. */
static bool read_options(int argc, char **argv, struct options *o, int *code)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'k' },
		{ "restored", no_argument, NULL, 'r' },
		{ "lang", required_argument, NULL, 'l' },
		{ "drill", no_argument, NULL, 'd' },
		{ "drill-from", required_argument, NULL, 'f' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;
	enum words_lang lang;

	*o = (struct options){ .config = NULL };
	*code = SERVER_EXIT_STOPPED;
	while ((option = getopt_long(argc, argv, "c:h", known, NULL)) != -1) {
		switch (option) {
		case 'c': o->config = optarg; break;
		case 'k': o->check = true; break;
		case 'r': o->restored = true; break;
		case 'l':
			if (words_lang_named(optarg, &lang)) {
				catalog_use(lang);
				break;
			}
			fprintf(stderr, tr("ieumd: '%s' is no language; possible are en and ko\n"),
				optarg);
			*code = SERVER_EXIT_USAGE;
			return false;
		case 'd': o->drill = true; break;
		case 'f':
			o->drill = yaml_parse_time_us(optarg, &o->drill_from_us);
			if (o->drill)
				break;
			fprintf(stderr,
				tr("ieumd: '%s' is no time; write 2026-03-02T10:00:00+09:00\n"),
				optarg);
			*code = SERVER_EXIT_USAGE;
			return false;
		case 'v': puts(IEUM_VERSION); return false;
		case 'h': fputs(tr(usage), stdout); return false;
		default: *code = SERVER_EXIT_USAGE; return false;
		}
	}
	if (o->config && optind == argc)
		return true;
	fputs(tr(usage), stderr);
	*code = SERVER_EXIT_USAGE;
	return false;
}

static enum server_exit check(const struct options *o)
{
	size_t mistakes = config_check(o->config, stderr);

	if (mistakes) {
		fprintf(stderr, mistakes == 1 ? tr("%s: %zu mistake\n") : tr("%s: %zu mistakes\n"),
			o->config, mistakes);
		return SERVER_EXIT_MISTAKES;
	}
	fprintf(stderr, tr("%s: no mistakes\n"), o->config);
	return SERVER_EXIT_STOPPED;
}

static bool drop_privileges(const struct options *o, const struct config *c)
{
	char why[PRIVILEGES_WHY_BYTES];

	if (privileges_drop(c->user, why) == IEUM_E_OK)
		return true;
	if (c->user_line)
		fprintf(stderr, "%s:%d: %s\n", o->config, c->user_line, why);
	else
		fprintf(stderr, "%s: %s\n", o->config, why);
	return false;
}

static enum server_exit read_files(const struct options *o, struct process *p)
{
	struct yaml_diag diag;
	char why[TLS_WHY_BYTES] = "";

	yaml_diag_init(&diag);
	if (config_load(o->config, &diag, &p->config) != IEUM_E_OK) {
		yaml_diag_print(&diag, stderr);
		return SERVER_EXIT_MISTAKES;
	}
	if (!drop_privileges(o, p->config))
		return SERVER_EXIT_MISTAKES;
	if (policy_load(p->config->hub_file, &diag, &p->policy) != IEUM_E_OK) {
		yaml_diag_print(&diag, stderr);
		return SERVER_EXIT_MISTAKES;
	}
	struct tls_files files = p->config->tls;
	files.other_names = policy_names_certificates(p->policy);
	if (tls_new(TLS_SERVER, &files, &p->tls, why) != IEUM_E_OK) {
		fprintf(stderr, "%s:%d: %s\n", o->config, p->config->tls_line, why);
		return SERVER_EXIT_MISTAKES;
	}
	if (strcmp(tls_own(p->tls)->hub, policy_hub(p->policy)) != 0) {
		fprintf(stderr, tr("%s:%d: the certificate is of another hub than the hub file\n"),
			o->config, p->config->tls_line);
		return SERVER_EXIT_MISTAKES;
	}
	/* From here on the log speaks, which is English for programs and for support. */
	catalog_use(WORDS_EN);
	log_open(STDERR_FILENO, p->config->log_format, p->config->log_level);
	return SERVER_EXIT_STOPPED;
}

static void log_journal(void *ctx, const char *line)
{
	(void)ctx;
	log_info("journal", LOG_S("text", line));
}

/* Starting again helps against none of these. */
static enum server_exit exit_of_journal(enum ieum_err err)
{
	switch (err) {
	case IEUM_E_JOURNAL_VERSION:
	case IEUM_E_JOURNAL_DRILL:
	case IEUM_E_JOURNAL_CORRUPT: return SERVER_EXIT_NOT_ITS_JOURNAL;
	default: return SERVER_EXIT_NOT_STARTED;
	}
}

static void tell_incarnation(const struct journal *j)
{
	const char *why = journal_info(j)->restored_why;

	if (why[0])
		log_warn(
			"new_incarnation", LOG_U("seq", journal_last_seq(j)), LOG_S("why", why),
			LOG_S("text",
			      "the journal is taken for a copy that was put back: agencies send again what they have receipts for"));
}

static enum server_exit open_journal(const struct options *o, struct process *p)
{
	const struct config_limits *limits = &p->config->limits;
	struct journal_config journal = {
		.engine = p->config->journal_engine,
		.path = p->config->journal_path,
		.create = true,
		.drill = o->drill,
		.restored = o->restored,
		.log_cb = log_journal,
	};
	struct replay replay = {
		.limits = { (uint64_t)limits->referrals, (uint64_t)limits->deliveries,
			    (uint64_t)limits->cases },
	};
	enum ieum_err err = IEUM_E_INTERNAL;

	if (RAND_bytes(journal.incarnation, sizeof(journal.incarnation)) == 1)
		err = journal_open(&journal, &p->journal);
	if (!err)
		tell_incarnation(p->journal);
	if (!err)
		err = replay_journal(p->journal, &replay, &p->core);
	if (err) {
		log_error("not_started", LOG_S("what", "journal"),
			  LOG_S("error", ieum_error((int)err)->name),
			  LOG_S("text", ieum_error((int)err)->text));
		return exit_of_journal(err);
	}
	p->snapshot_seq = replay.snapshot_seq;
	log_info("replayed", LOG_U("seq", core_last_seq(p->core)),
		 LOG_U("snapshot_seq", replay.snapshot_seq), LOG_U("events", replay.events));
	return SERVER_EXIT_STOPPED;
}

static enum server_exit serve(const struct options *o, struct process *p)
{
	struct server_parts parts = {
		.config = p->config,
		.policy = p->policy,
		.tls = p->tls,
		.journal = p->journal,
		.core = p->core,
		.snapshot_seq = p->snapshot_seq,
		.drill = o->drill,
		.drill_from_us = o->drill_from_us,
	};

	p->policy = NULL;
	p->tls = NULL;
	if (server_new(&parts, &p->server) != IEUM_E_OK)
		return SERVER_EXIT_NOT_STARTED;
	return server_run(p->server);
}

int main(int argc, char **argv)
{
	struct options options;
	struct process p = { .config = NULL };
	int code;

	signal(SIGPIPE, SIG_IGN);
	catalog_open();
	catalog_use(words_lang_chosen(NULL));
	if (!read_options(argc, argv, &options, &code))
		return code;
	if (options.check)
		return (int)check(&options);

	code = (int)read_files(&options, &p);
	if (code == SERVER_EXIT_STOPPED)
		code = (int)open_journal(&options, &p);
	if (code == SERVER_EXIT_STOPPED && !options.restored)
		code = (int)serve(&options, &p);

	server_free(p.server);
	core_free(p.core);
	journal_close(p.journal);
	tls_free(p.tls);
	policy_free(p.policy);
	config_free(p.config);
	return code;
}
