/* ieum init: all that a hub of a new city needs to start.  Needs no hub.
 *
 * Everything is written into new files only; when one can't be, those that were made before it stay,
 * and what is missing is said.  The hub file and the daemon's are read back as a hub reads them. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "broker/config.h"
#include "certs/commands.h"
#include "client/command.h"
#include "client/hub_policy.h"
#include "client/json_out.h"
#include "client/new_city.h"
#include "client/trouble.h"

/* What the packages make: an account, and folders that belong to it. */
#define PACKAGED_ACCOUNT "ieum"
#define PACKAGED_DIR     "/etc/ieum"
#define PACKAGED_STATE   "/var/lib/ieum"
#define LISTEN_STANDARD  ":7443"
#define LISTEN_PORT      7443

struct init {
	struct invocation *inv;
	struct new_city *city;
	bool packaged;
	char hub[NEW_CITY_WORD_BYTES];
	char jurisdiction[16];
	char listen[256];
	char host[256];
	char address[300];
	char operator[NEW_CITY_WORD_BYTES];
};

/* ---- what is asked ---- */

/* A line from the standard input without its end; false at the end of the input. */
static bool ask(const struct init *in, enum text_id question, char *line, size_t room)
{
	size_t n = 0;
	int c;

	fputs(say(in->inv, question), in->inv->err);
	fflush(in->inv->err);
	while ((c = getchar()) != EOF && c != '\n')
		if (n + 1 < room)
			line[n++] = (char)c;
	line[n] = '\0';
	return c != EOF || n > 0;
}

/* The option's value, or an answer to the question; "" when there is neither. */
static void take(const struct init *in, enum arguments_option option, enum text_id question,
		 char *out, size_t room)
{
	out[0] = '\0';
	if (given(in->inv, option))
		snprintf(out, room, "%s", value_of(in->inv, option));
	else if (!ask(in, question, out, room))
		fputc('\n', in->inv->err);
}

static enum exit_code wrong(const struct init *in, enum arguments_option option, const char *value)
{
	enum text_id what = *value ? TEXT_OPTION_VALUE : TEXT_OPTION_MISSING;

	return trouble_usage(in->inv, what, arguments_option_name(option));
}

static enum exit_code add_agency(const struct init *in, const char *text)
{
	struct new_city *city = in->city;
	struct new_agency *a = &city->agencies[city->n];

	if (city->n == NEW_CITY_AGENCIES_MAX)
		return trouble_usage(in->inv, TEXT_TOO_MANY_WORDS, text);
	if (!new_city_read_agency(text, a))
		return trouble_usage(in->inv, TEXT_AGENCY_WRONG, text);
	for (size_t i = 0; i < city->n; i++)
		if (strcmp(city->agencies[i].name, a->name) == 0)
			return trouble_usage(in->inv, TEXT_AGENCY_TWICE, a->name);
	city->n++;
	return EXIT_DONE;
}

static enum exit_code take_agencies(const struct init *in)
{
	char line[NEW_CITY_TITLE_BYTES * 2];
	enum exit_code code = EXIT_DONE;

	for (size_t i = 0; i < in->inv->n_words && !code; i++)
		code = add_agency(in, in->inv->words[i]);
	if (!code && in->inv->n_words == 0)
		while (!code && ask(in, TEXT_ASK_AGENCY, line, sizeof line) && *line)
			code = add_agency(in, line);
	return code;
}

/* Queues are looked after by somebody who reads no case. */
static enum exit_code add_operator(struct init *in)
{
	static const char kind[] = "hub_operator";
	struct new_city *city = in->city;
	char text[NEW_CITY_WORD_BYTES * 2 + sizeof kind];
	int label = (int)strcspn(in->hub, ".");

	city->operator= in->operator;
	for (size_t i = 0; i < city->n; i++) {
		if (strcmp(city->agencies[i].kind, kind) == 0) {
			snprintf(in->operator, sizeof in->operator, "%s", city->agencies[i].name);
			return EXIT_DONE;
		}
	}
	snprintf(in->operator, sizeof in->operator, "%.40s-operator", in->hub);
	memmove(in->operator+(label < 40 ? label : 40), "-operator", sizeof "-operator");
	snprintf(text, sizeof text, "%s:%s", kind, in->operator);
	return add_agency(in, text);
}

/* ---- where it will run ---- */

static bool same_folder(const char *a, const char *b)
{
	struct stat of_a, of_b;

	return strcmp(a, b) == 0 || (stat(a, &of_a) == 0 && stat(b, &of_b) == 0 &&
				     of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino);
}

/* Root sets up the hub of the packages, in its folder.  Anybody else, and root in any other folder,
 * sets up one to try out, which keeps away from that one's journal and account. */
static void look_around(struct init *in)
{
	struct stat st;
	bool there = geteuid() == 0 && getpwnam(PACKAGED_ACCOUNT) && stat(PACKAGED_STATE, &st) == 0;

	in->city->dir = given(in->inv, OPTION_DIR) ? value_of(in->inv, OPTION_DIR)
			: there                    ? PACKAGED_DIR
						   : ".";
	in->packaged = there && same_folder(in->city->dir, PACKAGED_DIR);
	in->city->account = geteuid() != 0 ? NULL : in->packaged ? PACKAGED_ACCOUNT : "root";
	in->city->journal = in->packaged ? PACKAGED_STATE "/journal.db" : "journal.db";
}

/* By which name the profiles find the hub. */
static enum exit_code take_host(struct init *in)
{
	const char *port = strrchr(in->listen, ':');
	size_t n = (size_t)(port - in->listen);

	if (given(in->inv, OPTION_HOST))
		snprintf(in->host, sizeof in->host, "%s", value_of(in->inv, OPTION_HOST));
	else if (n == 0 || strncmp(in->listen, "0.0.0.0:", 8) == 0 ||
		 strncmp(in->listen, "[::]:", 5) == 0)
		gethostname(in->host, sizeof in->host - 1);
	else if (in->listen[0] == '[')
		snprintf(in->host, sizeof in->host, "%.*s", (int)n - 2, in->listen + 1);
	else
		snprintf(in->host, sizeof in->host, "%.*s", (int)n, in->listen);
	if (!new_city_host_valid(in->host))
		return wrong(in, OPTION_HOST, in->host);
	snprintf(in->address, sizeof in->address, strchr(in->host, ':') ? "[%s]%s" : "%s%s",
		 in->host, strcmp(port, ":0") == 0 ? LISTEN_STANDARD : port);
	in->city->address = in->address;
	return EXIT_DONE;
}

static enum exit_code take_all(struct init *in)
{
	enum exit_code code;

	look_around(in);
	take(in, OPTION_HUB, TEXT_ASK_HUB, in->hub, sizeof in->hub);
	if (!new_city_hub_valid(in->hub))
		return wrong(in, OPTION_HUB, in->hub);
	take(in, OPTION_JURISDICTION, TEXT_ASK_JURISDICTION, in->jurisdiction,
	     sizeof in->jurisdiction);
	if (!new_city_jurisdiction_valid(in->jurisdiction))
		return wrong(in, OPTION_JURISDICTION, in->jurisdiction);
	/* Somebody who gives the agencies too has said all that has no good default. */
	if (given(in->inv, OPTION_LISTEN) || in->inv->n_words == 0)
		take(in, OPTION_LISTEN, TEXT_ASK_LISTEN, in->listen, sizeof in->listen);
	if (!*in->listen)
		snprintf(in->listen, sizeof in->listen, LISTEN_STANDARD);
	if (!new_city_listen_valid(in->listen))
		return wrong(in, OPTION_LISTEN, in->listen);
	in->city->hub = in->hub;
	in->city->jurisdiction = in->jurisdiction;
	in->city->listen = in->listen;
	code = take_host(in);
	if (!code)
		code = take_agencies(in);
	if (!code)
		code = add_operator(in);
	/* One who asks and one who is asked. */
	if (!code && in->city->n < 3)
		code = trouble_usage(in->inv, TEXT_AGENCIES_MISSING, "");
	return code;
}

/* ---- files ---- */

static const char *path_of(const struct init *in, char path[NEW_CITY_PATH_BYTES],
			   const char *format, ...) __attribute__((format(printf, 3, 4)));

static const char *path_of(const struct init *in, char path[NEW_CITY_PATH_BYTES],
			   const char *format, ...)
{
	int n = snprintf(path, NEW_CITY_PATH_BYTES, "%s/", in->city->dir);
	va_list args;

	va_start(args, format);
	if (n > 0 && n < NEW_CITY_PATH_BYTES)
		vsnprintf(path + n, (size_t)(NEW_CITY_PATH_BYTES - n), format, args);
	va_end(args);
	return path;
}

static enum exit_code make_folder(const struct init *in, const char *path)
{
	if (mkdir(path, 0755) == 0 || errno == EEXIST)
		return EXIT_DONE;
	return trouble_errno(in->inv, path);
}

/* Nothing is made before all of it can be. */
static enum exit_code nothing_there(const struct init *in)
{
	static const char *const files[] = { "ieumd.yaml", "hub.yaml", "certs/ca.key", "profiles" };
	char path[NEW_CITY_PATH_BYTES];

	if (strlen(in->city->dir) > NEW_CITY_PATH_BYTES / 2)
		return trouble_usage(in->inv, TEXT_OPTION_VALUE, arguments_option_name(OPTION_DIR));
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		if (access(path_of(in, path, "%s", files[i]), F_OK) == 0)
			return trouble_usage(in->inv, TEXT_THERE_ALREADY, path);
	return EXIT_DONE;
}

static FILE *create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	return fd < 0 ? NULL : fdopen(fd, "w");
}

static enum exit_code write_file(const struct init *in, const char *name,
				 void (*write)(const struct new_city *, FILE *))
{
	char path[NEW_CITY_PATH_BYTES];
	FILE *out = create(path_of(in, path, "%s", name));

	if (!out)
		return trouble_errno(in->inv, path);
	write(in->city, out);
	return fclose(out) == 0 ? EXIT_DONE : trouble_errno(in->inv, path);
}

/* A mistake in it comes from what was asked for: the file goes again, so that it can be said anew. */
static enum exit_code write_hub_file(const struct init *in)
{
	char path[NEW_CITY_PATH_BYTES];
	struct policy *policy = NULL;
	enum exit_code code = write_file(in, "hub.yaml", new_city_write_hub);

	if (code)
		return code;
	code = hub_policy_load(in->inv, path_of(in, path, "hub.yaml"), &policy);
	policy_free(policy);
	if (code)
		unlink(path);
	return code;
}

static enum exit_code write_profiles(const struct init *in)
{
	char path[NEW_CITY_PATH_BYTES];
	enum exit_code code = make_folder(in, path_of(in, path, "profiles"));

	for (size_t i = 0; i < in->city->n && !code; i++) {
		FILE *out =
			create(path_of(in, path, "profiles/%s.yaml", in->city->agencies[i].name));

		if (!out)
			return trouble_errno(in->inv, path);
		new_city_write_profile(in->city, &in->city->agencies[i], out);
		if (fclose(out) != 0)
			code = trouble_errno(in->inv, path);
	}
	return code;
}

static enum ieum_err sign_all(const struct init *in, const char *hub_path, const char *certs_path,
			      char why[CERTS_WHY_BYTES])
{
	char ca_name[64];
	struct dev_options options = { .ca_name = ca_name,
				       .hosts = { in->host },
				       .hosts_n = 1,
				       .days = CERTS_DAYS_DEFAULT,
				       .now_s = (int64_t)time(NULL) };
	struct yaml_diag *diag = malloc(sizeof *diag);
	struct store store = { 0 };
	struct hub_file hub = { 0 };
	FILE *quiet = fopen("/dev/null", "w");
	enum ieum_err err = diag && quiet ? IEUM_E_OK : IEUM_E_NO_MEMORY;

	why[0] = '\0';
	snprintf(ca_name, sizeof ca_name, "%.50s CA", in->hub);
	if (!err) {
		yaml_diag_init(diag);
		err = hub_file_load(hub_path, &hub, diag);
	}
	if (!err)
		err = store_open(certs_path, false, &store, why);
	if (!err)
		err = certs_dev(&store, &hub, &options, quiet, why);
	store_close(&store);
	hub_file_release(&hub);
	if (quiet)
		fclose(quiet);
	free(diag);
	return err;
}

/* The authority and everyone's certificates; the hub's key is the account's. */
static enum exit_code make_certificates(const struct init *in)
{
	char hub_path[NEW_CITY_PATH_BYTES], path[NEW_CITY_PATH_BYTES], why[CERTS_WHY_BYTES];
	const struct passwd *account = in->packaged ? getpwnam(PACKAGED_ACCOUNT) : NULL;
	enum ieum_err err =
		sign_all(in, path_of(in, hub_path, "hub.yaml"), path_of(in, path, "certs"), why);

	if (err)
		return trouble(in->inv, err, why);
	if (account && chown(path_of(in, path, "certs/hub.key"), account->pw_uid, 0) != 0)
		return trouble_errno(in->inv, path);
	return EXIT_DONE;
}

/* ---- what to do next ---- */

static void print_step(const struct init *in, int number, enum text_id what, const char *command)
{
	fprintf(in->inv->out, "  %d. %s\n", number, say(in->inv, what));
	if (*command)
		fprintf(in->inv->out, "       %s\n", command);
}

static enum exit_code print_next(const struct init *in)
{
	const struct new_city *city = in->city;
	const char *first = city->agencies[0].name;
	char check[NEW_CITY_PATH_BYTES + 64], start[NEW_CITY_PATH_BYTES + 64],
		whoami[NEW_CITY_PATH_BYTES + 128], key[NEW_CITY_PATH_BYTES + 64];

	snprintf(check, sizeof check, "ieumd --config %s/ieumd.yaml --check", city->dir);
	if (in->packaged)
		snprintf(start, sizeof start, "systemctl enable --now ieumd");
	else
		snprintf(start, sizeof start, "ieumd --config %s/ieumd.yaml", city->dir);
	snprintf(whoami, sizeof whoami, "ieum --profile %s/profiles/%s.yaml whoami", city->dir,
		 first);
	snprintf(key, sizeof key, "%s/certs/ca.key", city->dir);
	if (in->inv->json)
		return json_out(in->inv,
				json_pack("{s:s, s:s, s:s, s:I, s:[s,s,s]}", "hub", city->hub,
					  "dir", city->dir, "address", city->address, "agencies",
					  (json_int_t)city->n, "next", check, start, whoami));
	fprintf(in->inv->out, say(in->inv, TEXT_INIT_DONE), city->hub, city->dir, city->n);
	fputc('\n', in->inv->out);
	print_step(in, 1, TEXT_INIT_CHECK, check);
	print_step(in, 2, TEXT_INIT_START, start);
	print_step(in, 3, TEXT_INIT_WHOAMI, whoami);
	print_step(in, 4, TEXT_INIT_HAND_OUT, "");
	print_step(in, 5, TEXT_INIT_CA, key);
	return EXIT_DONE;
}

/* As the daemon will: when it has an account of its own, with no more rights than that. */
static enum exit_code check_all(const struct init *in)
{
	char path[NEW_CITY_PATH_BYTES], *lines = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&lines, &n);
	size_t mistakes;
	enum exit_code code = EXIT_DONE;

	if (!out)
		return trouble(in->inv, IEUM_E_NO_MEMORY, NULL);
	mistakes = config_check(path_of(in, path, "ieumd.yaml"), out);
	fclose(out);
	if (mistakes)
		code = trouble(in->inv, IEUM_E_FILE_INVALID, lines);
	free(lines);
	return code;
}

static enum exit_code write_all(const struct init *in)
{
	enum exit_code code = make_folder(in, in->city->dir);

	if (!code)
		code = write_hub_file(in);
	if (!code)
		code = make_certificates(in);
	if (!code)
		code = write_file(in, "ieumd.yaml", new_city_write_ieumd);
	if (!code)
		code = write_profiles(in);
	return code ? code : check_all(in);
}

enum exit_code cmd_init(struct invocation *inv)
{
	struct init in = { .inv = inv, .city = calloc(1, sizeof *in.city) };
	enum exit_code code;

	if (!in.city)
		return trouble(inv, IEUM_E_NO_MEMORY, NULL);
	code = take_all(&in);
	if (!code)
		code = nothing_there(&in);
	if (!code) {
		/* What is written is for all to read, keys apart. */
		mode_t before = umask(022);

		code = write_all(&in);
		umask(before);
	}
	if (!code)
		code = print_next(&in);
	free(in.city);
	return code;
}
