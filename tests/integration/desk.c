/* An agency's desk; see desk.h. */
#include "tests/integration/desk.h"

#include <fcntl.h>
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

enum { OUTPUT_BYTES_MAX = 1 << 20, PATH_BYTES = 2 * HUB_PATH_BYTES };

struct desk desk;

void desk_open(struct hub *hub, const char *folder)
{
	char path[PATH_BYTES];

	desk = (struct desk){ .hub = hub };
	snprintf(desk.folder, sizeof desk.folder, "%s", folder);
	snprintf(path, sizeof path, "%s/ieum", hub_bin());
	assert_non_null(realpath(path, desk.ieum));
}

void desk_close(void)
{
	free(desk.printed);
	free(desk.said);
	desk.printed = desk.said = NULL;
}

static FILE *open_file(const char *name, const char *mode)
{
	char path[PATH_BYTES];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", desk.folder, name);
	f = fopen(path, mode);
	assert_non_null(f);
	return f;
}

void desk_write(const char *name, const char *text)
{
	FILE *f = open_file(name, "w");

	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static char *read_text(const char *name)
{
	char *text = calloc(1, OUTPUT_BYTES_MAX);
	FILE *f = open_file(name, "r");

	assert_non_null(text);
	assert_true(fread(text, 1, OUTPUT_BYTES_MAX - 1, f) < OUTPUT_BYTES_MAX - 1);
	fclose(f);
	return text;
}

void desk_read(void)
{
	desk_close();
	desk.printed = read_text("out");
	desk.said = read_text("err");
}

int desk_run(const char *who, const char *words)
{
	int code = hub_run(desk.hub,
			   "cd %s && TZ=KST-9 LC_ALL=C.UTF-8 XDG_STATE_HOME=%s %s --profile "
			   "%s.yaml %s >out 2>err </dev/null",
			   desk.folder, desk.folder, desk.ieum, who, words);

	desk_read();
	return code;
}

int desk_run_bare(const char *who, const char *words)
{
	int code =
		hub_run(desk.hub, "cd %s && env -i %s --profile %s.yaml %s >out 2>err </dev/null",
			desk.folder, desk.ieum, who, words);

	desk_read();
	return code;
}

void desk_expect(const char *who, const char *words, enum exit_code code)
{
	int got = desk_run(who, words);

	if (got != (int)code)
		fail_msg("ieum %s as %s: exit %d, not %d\n%s%s", words, who, got, (int)code,
			 desk.printed, desk.said);
}

FILE *desk_follow(const char *who, const char *form, pid_t *pid, FILE **told)
{
	char profile[PATH_BYTES];
	int ends[2], words[2];

	snprintf(profile, sizeof profile, "%s/%s.yaml", desk.folder, who);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(pipe2(words, O_CLOEXEC), 0);
	*pid = fork();
	assert_true(*pid >= 0);
	if (*pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		if (told)
			dup2(words[1], STDERR_FILENO);
		if (chdir(desk.folder))
			_exit(126);
		execl(desk.ieum, "ieum", "--profile", profile, "inbox", "--follow", form,
		      (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	close(words[1]);
	if (told)
		*told = fdopen(words[0], "r");
	else
		close(words[0]);
	return fdopen(ends[0], "r");
}

void desk_expect_line(FILE *from, const char *part)
{
	char *line = NULL;
	size_t room = 0;

	assert_true(getline(&line, &room, from) > 0);
	assert_in(line, part);
	free(line);
}

void desk_await_line(FILE *from, const char *part)
{
	char *line = NULL;
	size_t room = 0;

	do {
		assert_true(getline(&line, &room, from) > 0);
	} while (!strstr(line, part));
	free(line);
}

void desk_end_following(pid_t pid)
{
	int status;

	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_DONE);
}

void assert_in(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is missing in:\n%s", part, text);
}

void assert_not_in(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' is in:\n%s", part, text);
}
