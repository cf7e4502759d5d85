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
#include "client/new_city_ask.h"
#include "client/trouble.h"

/* What the packages make: an account, and folders that belong to it. */
#define PACKAGED_ACCOUNT "ieum"
#define PACKAGED_DIR     "/etc/ieum"
#define PACKAGED_STATE   "/var/lib/ieum"

struct init {
	struct invocation *inv;
	struct new_city *city;
	struct new_city_answers answers;
	bool packaged;
};

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
	static const char *const files[] = { "ieumd.yaml", "hub.yaml", "certs/ca.key", "agencies" };
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

static enum ieum_err sign_all(const struct init *in, const char *hub_path, const char *certs_path,
			      char why[CERTS_WHY_BYTES])
{
	char ca_name[64];
	struct dev_options options = { .ca_name = ca_name,
				       .hosts = { in->answers.host },
				       .hosts_n = 1,
				       .days = CERTS_DAYS_DEFAULT,
				       .now_s = (int64_t)time(NULL) };
	struct yaml_diag *diag = malloc(sizeof *diag);
	struct store store = { 0 };
	struct hub_file hub = { 0 };
	FILE *quiet = fopen("/dev/null", "w");
	enum ieum_err err = diag && quiet ? IEUM_E_OK : IEUM_E_NO_MEMORY;

	why[0] = '\0';
	snprintf(ca_name, sizeof ca_name, "%.50s CA", in->answers.hub);
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

/* ---- what each agency gets ---- */

static enum exit_code copy_file(const struct init *in, const char *from, const char *to)
{
	char bytes[4096];
	FILE *source = fopen(from, "re"), *out;
	size_t n;
	bool failed;

	if (!source)
		return trouble_errno(in->inv, from);
	out = create(to);
	while (out && (n = fread(bytes, 1, sizeof bytes, source)) > 0)
		fwrite(bytes, 1, n, out);
	failed = !out || ferror(source) || ferror(out);
	fclose(source);
	if (out && fclose(out) != 0)
		failed = true;
	return failed ? trouble_errno(in->inv, to) : EXIT_DONE;
}

static enum exit_code write_profile(const struct init *in, const struct new_agency *a)
{
	char path[NEW_CITY_PATH_BYTES];
	FILE *out = create(path_of(in, path, "agencies/%s/profile.yaml", a->name));

	if (!out)
		return trouble_errno(in->inv, path);
	new_city_write_profile(in->city, a, out);
	return fclose(out) == 0 ? EXIT_DONE : trouble_errno(in->inv, path);
}

/* Of certs/, into the agency's folder.  The authority has no use for its key: that is moved. */
static enum exit_code hand_out(const struct init *in, const struct new_agency *a)
{
	static const char *const lists[] = { "ca.crt", "ca.crl" };
	char from[NEW_CITY_PATH_BYTES], to[NEW_CITY_PATH_BYTES];
	enum exit_code code = EXIT_DONE;

	if (mkdir(path_of(in, to, "agencies/%s", a->name), 0700) != 0)
		return trouble_errno(in->inv, to);
	for (size_t i = 0; i < sizeof lists / sizeof lists[0] && !code; i++)
		code = copy_file(in, path_of(in, from, "certs/%s", lists[i]),
				 path_of(in, to, "agencies/%s/%s", a->name, lists[i]));
	if (!code)
		code = copy_file(in, path_of(in, from, "certs/participants/%s.crt", a->name),
				 path_of(in, to, "agencies/%s/%s.crt", a->name, a->name));
	if (!code && rename(path_of(in, from, "certs/participants/%s.key", a->name),
			    path_of(in, to, "agencies/%s/%s.key", a->name, a->name)) != 0)
		code = trouble_errno(in->inv, to);
	return code ? code : write_profile(in, a);
}

static enum exit_code write_agencies(const struct init *in)
{
	char path[NEW_CITY_PATH_BYTES];
	enum exit_code code = make_folder(in, path_of(in, path, "agencies"));

	for (size_t i = 0; i < in->city->n && !code; i++)
		code = hand_out(in, &in->city->agencies[i]);
	return code;
}

/* ---- what to do next ---- */

static void print_step(const struct init *in, int number, enum text_id what, const char *command)
{
	fprintf(in->inv->out, "  %d. %s\n       %s\n", number, say(in->inv, what), command);
}

static enum exit_code print_next(const struct init *in)
{
	const struct new_city *city = in->city;
	const char *first = city->agencies[0].name;
	char check[NEW_CITY_PATH_BYTES + 64], start[NEW_CITY_PATH_BYTES + 64],
		whoami[NEW_CITY_PATH_BYTES + 128], key[NEW_CITY_PATH_BYTES + 64],
		folders[NEW_CITY_PATH_BYTES + 64];

	snprintf(folders, sizeof folders, "%s/agencies", city->dir);
	snprintf(check, sizeof check, "ieumd --config %s/ieumd.yaml --check", city->dir);
	if (in->packaged)
		snprintf(start, sizeof start, "systemctl enable --now ieumd");
	else
		snprintf(start, sizeof start, "ieumd --config %s/ieumd.yaml", city->dir);
	snprintf(whoami, sizeof whoami, "ieum --profile %s/agencies/%s/profile.yaml whoami",
		 city->dir, first);
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
	print_step(in, 4, TEXT_INIT_HAND_OUT, folders);
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
		code = write_agencies(in);
	return code ? code : check_all(in);
}

enum exit_code cmd_init(struct invocation *inv)
{
	struct init in = { .inv = inv, .city = calloc(1, sizeof *in.city) };
	enum exit_code code;

	if (!in.city)
		return trouble(inv, IEUM_E_NO_MEMORY, NULL);
	look_around(&in);
	code = new_city_ask(inv, &in.answers, in.city);
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
