#include "tests/integration/hub.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { COMMAND_BYTES = 1024 };

const char *hub_bin(void)
{
	static char bin[HUB_PATH_BYTES];
	const char *build = getenv("IEUM_BUILD");

	snprintf(bin, sizeof(bin), "%s/bin", build ? build : "build/release");
	return bin;
}

int hub_run(const struct hub *h, const char *format, ...)
{
	char command[COMMAND_BYTES];
	va_list args;
	int n, status;

	(void)h;
	va_start(args, format);
	n = vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	assert_true(n > 0 && (size_t)n < sizeof(command));
	status = system(command); /* NOLINT(cert-env33-c): every command is written in a test */
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- making ---- */

static void write_config(const struct hub *h, const struct hub_options *options)
{
	FILE *f = fopen(h->config, "w");
	const char *engine = options->engine ? options->engine : "sqlite";

	assert_non_null(f);
	fprintf(f, "listen: 127.0.0.1:0\n");
	fprintf(f,
		"certificate: certs/hub.crt\nkey: certs/hub.key\nca: certs/ca.crt\ncrl: certs/ca.crl\n");
	fprintf(f, "hub_file: hub.yaml\n");
	fprintf(f, "user: %s\n", options->user ? options->user : "root");
	fprintf(f, "journal: { engine: %s%s }\n", engine,
		strcmp(engine, "sqlite") == 0 ? ", path: journal.db" : "");
	fprintf(f, "log: { level: debug, format: %s }\n", options->json_log ? "json" : "kv");
	if (options->config)
		fputs(options->config, f);
	fclose(f);
}

/* "hub:\n  name: X": enough of YAML for the files of tests. */
static void read_name(struct hub *h)
{
	FILE *f = fopen(h->hub_file, "r");
	char line[256];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "  name: %63s", h->name) == 1)
			break;
	fclose(f);
	assert_true(h->name[0]);
}

void hub_make(struct hub *h, const struct hub_options *options)
{
	const char *hub_file =
		options->hub_file ? options->hub_file : "tests/integration/town.yaml";

	*h = (struct hub){ .drill = options->drill, .log_fd = -1 };
	snprintf(h->folder, sizeof(h->folder), "/tmp/ieum-hub-XXXXXX");
	assert_non_null(mkdtemp(h->folder));
	snprintf(h->config, sizeof(h->config), "%.200s/ieumd.yaml", h->folder);
	snprintf(h->hub_file, sizeof(h->hub_file), "%.200s/hub.yaml", h->folder);
	snprintf(h->certificates, sizeof(h->certificates), "%.200s/certs", h->folder);
	snprintf(h->journal, sizeof(h->journal), "%.200s/journal.db", h->folder);
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->grown, NULL);
	assert_int_equal(hub_run(h, "cp %s %s", hub_file, h->hub_file), 0);
	assert_int_equal(hub_run(h, "%s/ieum-certs dev --hub-file %s --out %s >%s/certs.log 2>&1",
				 hub_bin(), h->hub_file, h->certificates, h->folder),
			 0);
	read_name(h);
	write_config(h, options);
}

/* ---- the log ---- */

static void *read_log(void *arg)
{
	struct hub *h = arg;
	char piece[4096];
	ssize_t n;

	while ((n = read(h->log_fd, piece, sizeof(piece))) > 0) {
		pthread_mutex_lock(&h->lock);
		h->log = realloc(h->log, h->log_len + (size_t)n + 1);
		if (!h->log)
			abort();
		memcpy(h->log + h->log_len, piece, (size_t)n);
		h->log_len += (size_t)n;
		h->log[h->log_len] = '\0';
		pthread_cond_broadcast(&h->grown);
		pthread_mutex_unlock(&h->lock);
	}
	pthread_mutex_lock(&h->lock);
	h->log_ended = true;
	pthread_cond_broadcast(&h->grown);
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

static void forget_log(struct hub *h)
{
	if (h->log_fd < 0)
		return;
	pthread_join(h->reader, NULL);
	close(h->log_fd);
	h->log_fd = -1;
}

static _Noreturn void fail_with_log(struct hub *h, const char *text)
{
	fprintf(stderr, "---- the hub's log ----\n%s---- end of it ----\n", h->log ? h->log : "");
	pthread_mutex_unlock(&h->lock);
	fail_msg("not in the hub's log: %s", text);
	abort(); /* fail_msg() has not returned */
}

/* A whole line after the mark that holds the text; under the lock. */
static char *find_line(struct hub *h, const char *text)
{
	char *found = h->log && h->mark < h->log_len ? strstr(h->log + h->mark, text) : NULL;

	return found && strchr(found, '\n') ? found : NULL;
}

const char *hub_await_log(struct hub *h, const char *text)
{
	static char line[4096];
	struct timespec until;
	char *found, *end;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += HUB_WAIT_S;
	pthread_mutex_lock(&h->lock);
	while (!find_line(h, text))
		if (h->log_ended || pthread_cond_timedwait(&h->grown, &h->lock, &until))
			break;
	found = find_line(h, text);
	if (!found)
		fail_with_log(h, text);
	end = strchr(found, '\n');
	while (found > h->log && found[-1] != '\n')
		found--;
	len = (size_t)(end - found) < sizeof(line) ? (size_t)(end - found) : sizeof(line) - 1;
	memcpy(line, found, len);
	line[len] = '\0';
	h->mark = (size_t)(end - h->log) + 1;
	pthread_mutex_unlock(&h->lock);
	return line;
}

bool hub_logged(struct hub *h, const char *text)
{
	bool found;

	pthread_mutex_lock(&h->lock);
	found = h->log && strstr(h->log, text);
	pthread_mutex_unlock(&h->lock);
	return found;
}

/* ---- the process ---- */

static void spawn(struct hub *h)
{
	char program[HUB_PATH_BYTES + 16];
	int ends[2];

	forget_log(h);
	free(h->log);
	h->log = NULL;
	h->log_len = h->mark = 0;
	h->log_ended = false;
	snprintf(program, sizeof(program), "%s/ieumd", hub_bin());
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fflush(NULL);
	h->pid = fork();
	assert_true(h->pid >= 0);
	if (h->pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		execl(program, program, "--config", h->config, h->drill ? "--drill" : (char *)NULL,
		      (char *)NULL);
		perror(program);
		_exit(127);
	}
	close(ends[1]);
	h->log_fd = ends[0];
	assert_int_equal(pthread_create(&h->reader, NULL, read_log, h), 0);
}

/* The next start listens on the same port, so that clients find the hub again. */
static void keep_address(struct hub *h)
{
	assert_int_equal(hub_run(h, "sed -i 's/^listen: .*/listen: %s/' %s", h->address, h->config),
			 0);
}

void hub_start(struct hub *h)
{
	const char *line;

	assert_int_equal(h->pid, 0);
	spawn(h);
	line = strstr(hub_await_log(h, "ready"), "127.0.0.1:");
	assert_non_null(line);
	snprintf(h->address, sizeof(h->address), "%.*s", (int)strcspn(line, " \",\n"), line);
	keep_address(h);
}

int hub_await_end(struct hub *h)
{
	int status = 0;

	assert_true(h->pid > 0);
	assert_int_equal(waitpid(h->pid, &status, 0), h->pid);
	h->pid = 0;
	forget_log(h);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int hub_start_and_end(struct hub *h)
{
	spawn(h);
	return hub_await_end(h);
}

void hub_signal(struct hub *h, int signal_number)
{
	assert_true(h->pid > 0);
	assert_int_equal(kill(h->pid, signal_number), 0);
}

int hub_stop(struct hub *h)
{
	hub_signal(h, SIGTERM);
	return hub_await_end(h);
}

void hub_kill(struct hub *h)
{
	hub_signal(h, SIGKILL);
	assert_int_equal(hub_await_end(h), 128 + SIGKILL);
}

bool hub_reload(struct hub *h)
{
	hub_signal(h, SIGHUP);
	return strstr(hub_await_log(h, "reload"), "reloaded") != NULL;
}

void hub_revoke(struct hub *h, const char *participant)
{
	assert_int_equal(hub_run(h, "%s/ieum-certs revoke %s --out %s >>%s/certs.log 2>&1",
				 hub_bin(), participant, h->certificates, h->folder),
			 0);
}

void hub_remove(struct hub *h)
{
	if (h->pid > 0)
		hub_kill(h);
	forget_log(h);
	free(h->log);
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->grown);
	if (getenv("IEUM_KEEP"))
		fprintf(stderr, "kept: %s\n", h->folder);
	else
		(void)hub_run(h, "rm -r %s", h->folder);
}
