/* Starting and stopping a real ieumd; see ieumd_process.h. */
#include "tests/process/ieumd_process.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { LINE_BYTES = 4096 };

static bool say(const char *what, const char *which)
{
	fprintf(stderr, "%s %s: %s\n", what, which, strerror(errno));
	return false;
}

/* Waits for the end; the status of waitpid, -1 when there is none. */
static int await(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return status;
}

static bool make_certificates(const struct ieumd_process *h)
{
	char program[512];
	pid_t pid = 0;

	snprintf(program, sizeof program, "%s/ieum-certs", h->bin);
	char *argv[] = { program,     (char *)"dev",   (char *)"--hub-file",
			 h->hub_file, (char *)"--out", (char *)h->certificates,
			 NULL };
	posix_spawn_file_actions_t quiet;
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	int err = posix_spawn(&pid, program, &quiet, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&quiet);
	errno = err;
	return err == 0 && await(pid) == 0 ? true : say("cannot make certificates with", program);
}

static bool write_config(const struct ieumd_process *h)
{
	FILE *f = fopen(h->config, "w");
	bool ok =
		f &&
		fprintf(f,
			"listen: %s\ncertificate: certs/hub.crt\nkey: certs/hub.key\nca: certs/ca.crt\n"
			"hub_file: %s\nuser: root\njournal: {engine: sqlite, path: journal.db}\nlog: {level: info}\n"
			"limits: {rate_per_participant: 0}\n",
			h->address[0] ? h->address : "127.0.0.1:0", h->hub_file) > 0;

	if (f)
		ok = fclose(f) == 0 && ok;
	return ok || say("cannot write", h->config);
}

bool ieumd_prepare(struct ieumd_process *h, const char *bin, const char *hub_file, const char *base,
		   bool drill)
{
	*h = (struct ieumd_process){ .bin = bin, .drill = drill };
	h->hub_file = realpath(hub_file, NULL);
	if (!h->hub_file)
		return say("cannot find", hub_file);
	snprintf(h->folder, sizeof h->folder, "%s/ieum.XXXXXX", base);
	if (!mkdtemp(h->folder)) {
		h->folder[0] = 0;
		return say("no folder below", base);
	}
	snprintf(h->certificates, sizeof h->certificates, "%s/certs", h->folder);
	snprintf(h->journal, sizeof h->journal, "%s/journal.db", h->folder);
	snprintf(h->config, sizeof h->config, "%s/ieumd.yaml", h->folder);
	snprintf(h->log, sizeof h->log, "%s/ieumd.log", h->folder);
	return make_certificates(h);
}

struct log_copy {
	FILE *from;
	FILE *to;
};

/* The pipe must be read for ever, or the daemon would wait for us. */
static void *copy_log(void *arg)
{
	struct log_copy *c = arg;
	char line[LINE_BYTES];

	while (fgets(line, sizeof line, c->from)) {
		fputs(line, c->to);
		fflush(c->to);
	}
	fclose(c->from);
	fclose(c->to);
	free(c);
	return NULL;
}

/* Reads up to the line that tells the address, then leaves the rest to a thread. */
static bool read_address(struct ieumd_process *h, int fd)
{
	struct log_copy *c = malloc(sizeof *c);
	char line[LINE_BYTES];
	pthread_t thread;

	if (!c)
		abort();
	*c = (struct log_copy){ fdopen(fd, "r"), fopen(h->log, "a") };
	if (!c->from || !c->to)
		abort();
	while (fgets(line, sizeof line, c->from)) {
		const char *at = strstr(line, "listen=");
		fputs(line, c->to);
		if (!at || !strstr(line, "ready")) {
			if (strstr(line, "level=error"))
				fputs(line, stderr);
			continue;
		}
		sscanf(at, "listen=%63[^ \n]", h->address);
		if (pthread_create(&thread, NULL, copy_log, c) != 0)
			abort();
		pthread_detach(thread);
		return true;
	}
	fprintf(stderr, "ieumd did not start; its last line: %s", line);
	fclose(c->from);
	fclose(c->to);
	free(c);
	return false;
}

bool ieumd_start(struct ieumd_process *h)
{
	char program[512];
	int fds[2];

	if (!write_config(h))
		return false;
	snprintf(program, sizeof program, "%s/ieumd", h->bin);
	char from[sizeof "2026-03-02T10:00:00Z"] = "";
	char *argv[] = { program,   (char *)"--config",
			 h->config, h->drill ? (char *)"--drill" : NULL,
			 NULL,      NULL };
	if (h->drill_from_us) {
		time_t seconds = (time_t)(h->drill_from_us / 1000000);
		struct tm utc;

		strftime(from, sizeof from, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
		argv[3] = (char *)"--drill-from";
		argv[4] = from;
	}
	if (pipe2(fds, O_CLOEXEC) != 0)
		return say("no pipe for", program);
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDERR_FILENO);
	errno = posix_spawn(&h->pid, program, &actions, NULL, argv, environ);
	bool ok = errno == 0;
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	if (!ok) {
		close(fds[0]);
		h->pid = 0;
		return say("cannot start", program);
	}
	return read_address(h, fds[0]);
}

bool ieumd_kill(struct ieumd_process *h)
{
	bool ok = h->pid > 0 && kill(h->pid, SIGKILL) == 0 && await(h->pid) != -1;

	h->pid = 0;
	return ok;
}

bool ieumd_stop(struct ieumd_process *h)
{
	int status = h->pid > 0 && kill(h->pid, SIGTERM) == 0 ? await(h->pid) : -1;

	h->pid = 0;
	if (status != 0)
		fprintf(stderr, "ieumd did not stop as asked (status %d)\n", status);
	return status == 0;
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st;
	(void)kind;
	(void)walk;
	return remove(path);
}

void ieumd_remove(struct ieumd_process *h)
{
	if (h->pid > 0)
		ieumd_kill(h);
	if (h->folder[0])
		nftw(h->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(h->hub_file);
	h->hub_file = NULL;
}
