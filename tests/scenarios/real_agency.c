/* Agencies as processes; see real_agency.h. */
#include "tests/scenarios/real_agency.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/process/ieumd_process.h"

extern char **environ;

enum { WORDS_MAX = 32, READ_BYTES = 4096 };

bool agency_prepare(struct agency *a, const char *name, const struct ieumd_process *hub)
{
	*a = (struct agency){ .name = name, .inbox_fd = -1 };
	snprintf(a->profile, sizeof a->profile, "%s/%s.yaml", hub->folder, name);
	FILE *f = fopen(a->profile, "w");
	bool ok =
		f &&
		fprintf(f,
			"addresses: [\"%s\"]\nca: certs/ca.crt\ncertificate: certs/participants/%s.crt\n"
			"key: certs/participants/%s.key\nspool: %s.spool\n",
			hub->address, name, name, name) > 0;
	if (f)
		ok = fclose(f) == 0 && ok;
	if (!ok)
		fprintf(stderr, "cannot write %s: %s\n", a->profile, strerror(errno));
	return ok;
}

/* Starts `ieum --profile … --json WORDS` with its output and its errors on pipes (-1: ours). */
static pid_t spawn_ieum(const struct agency *a, const char *bin, char *const *words, int out,
			int err)
{
	char program[512];
	char *argv[WORDS_MAX + 5] = { program, (char *)"--profile", (char *)a->profile,
				      (char *)"--json" };
	pid_t pid = -1;

	snprintf(program, sizeof program, "%s/ieum", bin);
	for (size_t i = 0; i < WORDS_MAX && words[i]; i++)
		argv[4 + i] = words[i];
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (out >= 0)
		posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (err >= 0)
		posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
	errno = posix_spawn(&pid, program, &actions, NULL, argv, environ);
	if (errno) {
		fprintf(stderr, "cannot start %s: %s\n", program, strerror(errno));
		pid = -1;
	}
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

bool agency_follow(struct agency *a, const char *bin)
{
	char *words[] = { (char *)"inbox", (char *)"--follow", NULL };
	int out[2];
	int err = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (err < 0 || pipe2(out, O_CLOEXEC) != 0) {
		fprintf(stderr, "%s: %s\n", a->name, strerror(errno));
		return false;
	}
	a->inbox = spawn_ieum(a, bin, words, out[1], err);
	close(out[1]);
	close(err);
	a->inbox_fd = out[0];
	return a->inbox > 0 && fcntl(a->inbox_fd, F_SETFL, O_NONBLOCK) == 0;
}

void agency_stop(struct agency *a)
{
	if (a->inbox > 0) {
		kill(a->inbox, SIGTERM);
		while (waitpid(a->inbox, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	if (a->inbox_fd >= 0)
		close(a->inbox_fd);
	free(a->partial);
	a->inbox = 0;
	a->inbox_fd = -1;
	a->partial = NULL;
	a->partial_len = 0;
}

static json_t *take_line(struct agency *a)
{
	char *end = memchr(a->partial, '\n', a->partial_len);

	if (!end)
		return NULL;
	size_t len = (size_t)(end - a->partial) + 1;
	json_error_t error;
	json_t *line = json_loadb(a->partial, len, 0, &error);
	if (!line)
		fprintf(stderr, "%s: %s in %.*s", a->name, error.text, (int)len, a->partial);
	a->partial_len -= len;
	memmove(a->partial, a->partial + len, a->partial_len);
	return line;
}

json_t *agency_next_line(struct agency *a)
{
	json_t *line = a->partial_len ? take_line(a) : NULL;

	while (!line && a->inbox_fd >= 0) {
		char *grown = a->partial_len < AGENCY_LINE_MAX_BYTES
				      ? realloc(a->partial, a->partial_len + READ_BYTES)
				      : NULL;
		if (!grown)
			abort();
		a->partial = grown;
		ssize_t n = read(a->inbox_fd, a->partial + a->partial_len, READ_BYTES);
		if (n <= 0)
			return NULL;
		a->partial_len += (size_t)n;
		line = take_line(a);
	}
	return line;
}

/* Reads both pipes to their ends. */
static void collect(int fds[2], char *texts[2], size_t lens[2])
{
	struct pollfd p[2] = { { fds[0], POLLIN, 0 }, { fds[1], POLLIN, 0 } };

	while ((p[0].fd >= 0 || p[1].fd >= 0) && poll(p, 2, -1) >= 0) {
		for (int i = 0; i < 2; i++) {
			if (p[i].fd < 0 || !p[i].revents)
				continue;
			texts[i] = realloc(texts[i], lens[i] + READ_BYTES);
			if (!texts[i])
				abort();
			ssize_t n = read(p[i].fd, texts[i] + lens[i], READ_BYTES);
			if (n <= 0)
				p[i].fd = -1;
			else
				lens[i] += (size_t)n;
		}
	}
}

int agency_run(const struct agency *a, const char *bin, char *const *words, json_t **printed)
{
	int out[2];
	int err[2];
	char *texts[2] = { NULL, NULL };
	size_t lens[2] = { 0, 0 };
	int status = 0;

	*printed = NULL;
	if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
		return -1;
	pid_t pid = spawn_ieum(a, bin, words, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	if (pid > 0)
		collect((int[]){ out[0], err[0] }, texts, lens);
	close(out[0]);
	close(err[0]);
	if (pid <= 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status)) {
		status = -1;
	} else {
		status = WEXITSTATUS(status);
		int which = status == 0 ? 0 : 1;
		*printed = lens[which] ? json_loadb(texts[which], lens[which],
						    JSON_DISABLE_EOF_CHECK, NULL)
				       : NULL;
		if (status != 0 && !*printed)
			fprintf(stderr, "%s: ieum %s: exit %d: %.*s\n", a->name, words[0], status,
				(int)lens[1], texts[1] ? texts[1] : "");
	}
	free(texts[0]);
	free(texts[1]);
	return status;
}
