/* ieum-certs: the authority of a city, kept apart from its hub; and certificates for development
 * and tests, whose authority protects nobody. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "certs/arguments.h"
#include "certs/offline.h"
#include "yaml/yaml_value.h"

enum { EXIT_USAGE = 2 };

static const char usage[] =
	"ieum-certs: certificates for a hub and its participants\n"
	"\n"
	"The authority of a city, on a machine of its own (docs/certificates.md):\n"
	"\n"
	"  ieum-certs ca --out DIR [--name TEXT] [--passphrase-file FILE]\n"
	"      a new authority: ca.crt, ca.key, ca.crl, index.txt; without --passphrase-file it asks\n"
	"      for the passphrase that encrypts ca.key (an empty one: not encrypted)\n"
	"  ieum-certs sign REQUEST --hub-file FILE --out DIR [--days N | --until TIME] [--of-hub]\n"
	"      signs what `ieum cert request` made, when the hub file knows who asks, the key is good\n"
	"      and nothing else is asked for; an older certificate of the same one stays good; the hub's\n"
	"      own only with --of-hub, and says for which names it is\n"
	"  ieum-certs batch --requests DIR --hub-file FILE --out DIR [--days N | --until TIME]\n"
	"      signs every *.csr of a folder but the hub's own and those whose certificate is not due\n"
	"      yet, and lists the participants that have none\n"
	"  ieum-certs due --out DIR [--within DAYS]\n"
	"      certificates that end soon (60 days)\n"
	"  ieum-certs revoke NAME|SERIAL --out DIR [--stolen] [--days N | --until TIME]\n"
	"      revokes DIR/NAME.crt, DIR/participants/NAME.crt or by serial number, and signs ca.crl\n"
	"      anew; --stolen: somebody else may have its key, so that nothing signed by it counts any\n"
	"      more, of before either (also for one that is revoked already)\n"
	"  ieum-certs crl --out DIR [--days N | --until TIME]\n"
	"      signs ca.crl anew; it is good for so long\n"
	"\n"
	"For development and tests:\n"
	"\n"
	"  ieum-certs dev --hub-file FILE --out DIR [--host NAME]... [--actor PARTICIPANT=LABEL]...\n"
	"                 [--days N] [--force]\n"
	"      a CA, the hub's certificate and one for each participant of the hub file; what is\n"
	"      there already is kept, so a second run adds what is new in the hub file\n"
	"  ieum-certs zoo --out DIR [--ca DIR] [--hub NAME] [--participant KIND/NAME] [--force]\n"
	"      certificates that must be refused, one for each reason, and zoo.tsv that says how;\n"
	"      signed by the CA in --ca (its index and CRL learn of the revoked one), else by one\n"
	"      of their own\n"
	"\n"
	"  --hub-file FILE   hub.yaml; read: hub.name, participants.<name>.kind\n"
	"  --out DIR         where ca.crt ca.key ca.crl index.txt hub.* participants/* lie\n"
	"  --host NAME       one more DNS name or IP address of the hub (localhost, 127.0.0.1 and\n"
	"                    ::1 are always in)\n"
	"  --actor P=LABEL   one more workstation or person of participant P, its label as CN, in\n"
	"                    participants/P.LABEL.crt (each has P-1 in participants/P.crt)\n"
	"  --days N          how long certificates and CRL are valid, 1 to 3650 (365)\n"
	"  --until TIME      until when, instead: 2027-03-02T10:00:00+09:00\n"
	"  --passphrase-file FILE  its first line opens ca.key; else the terminal is asked\n"
	"  --force           make everything anew, the CA too, over what is there\n"
	"\n"
	"Exit: 0 done, 1 failed, 2 wrong arguments.\n";

int complain(const char *text)
{
	fprintf(stderr, "ieum-certs: %s\n", text);
	return EXIT_FAILURE;
}

int misused(const char *text)
{
	fprintf(stderr, "ieum-certs: %s; see ieum-certs --help\n", text);
	return EXIT_USAGE;
}

static bool read_days(const char *text, int *days)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*end || end == text || n < 1 || n > CERTS_DAYS_MAX)
		return false;
	*days = (int)n;
	return true;
}

static bool read_until(const char *text, int64_t *at_s)
{
	int64_t at_us;

	if (!yaml_parse_time_us(text, &at_us))
		return false;
	*at_s = at_us / 1000000;
	return true;
}

static bool push(const char *list[CERTS_LIST_MAX], size_t *n, const char *item)
{
	if (*n == CERTS_LIST_MAX)
		return false;
	list[(*n)++] = item;
	return true;
}

/* False: a mistake, told by getopt or by the return of usage. */
static bool read_option(int option, struct arguments *args)
{
	switch (option) {
	case 'f': args->hub_file = optarg; return true;
	case 'o': args->out = optarg; return true;
	case 'c': args->ca = optarg; return true;
	case 'u': args->hub = optarg; return true;
	case 'p': args->participant = optarg; return true;
	case 'H': return push(args->dev.hosts, &args->dev.hosts_n, optarg);
	case 'a': return push(args->dev.actors, &args->dev.actors_n, optarg);
	case 'd': return read_days(optarg, &args->dev.days);
	case 'F': args->force = true; return true;
	case 'r': args->requests = optarg; return true;
	case 'n': args->cn = optarg; return true;
	case 'P': args->passphrase_file = optarg; return true;
	case 'w': return read_days(optarg, &args->within_days);
	case 'S': args->stolen = true; return true;
	case 'B': args->of_hub = true; return true;
	case 'U': return read_until(optarg, &args->until_s);
	default: return false;
	}
}

static bool read_arguments(int argc, char **argv, struct arguments *args)
{
	static const struct option options[] = {
		{ "hub-file", required_argument, NULL, 'f' },
		{ "out", required_argument, NULL, 'o' },
		{ "ca", required_argument, NULL, 'c' },
		{ "hub", required_argument, NULL, 'u' },
		{ "participant", required_argument, NULL, 'p' },
		{ "host", required_argument, NULL, 'H' },
		{ "actor", required_argument, NULL, 'a' },
		{ "days", required_argument, NULL, 'd' },
		{ "force", no_argument, NULL, 'F' },
		{ "requests", required_argument, NULL, 'r' },
		{ "name", required_argument, NULL, 'n' },
		{ "passphrase-file", required_argument, NULL, 'P' },
		{ "within", required_argument, NULL, 'w' },
		{ "until", required_argument, NULL, 'U' },
		{ "stolen", no_argument, NULL, 'S' },
		{ "of-hub", no_argument, NULL, 'B' },
		{ 0 },
	};
	int option;

	*args = (struct arguments){
		.hub = "gimpo.ieum",
		.participant = "police/gimpo-ps",
		.within_days = OFFLINE_RENEW_DAYS,
		.dev = { .days = CERTS_DAYS_DEFAULT, .now_s = (int64_t)time(NULL) },
	};
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!read_option(option, args))
			return false;
	if (optind < argc)
		args->name = argv[optind++];
	return optind == argc && args->out;
}

static int run_dev(const struct arguments *args)
{
	static struct yaml_diag diag;
	char why[CERTS_WHY_BYTES];
	struct hub_file hub;
	struct store store;

	if (!args->hub_file || args->name)
		return misused("dev needs --hub-file and --out");
	yaml_diag_init(&diag);
	enum ieum_err err = hub_file_load(args->hub_file, &hub, &diag);
	if (err) {
		yaml_diag_print(&diag, stderr);
		return complain(ieum_error((int)err)->text);
	}
	err = store_open(args->out, args->force, &store, why);
	if (!err)
		err = certs_dev(&store, &hub, &args->dev, stdout, why);
	store_close(&store);
	hub_file_release(&hub);
	return err ? complain(why) : EXIT_SUCCESS;
}

/* A CA and a hub, so that the zoo can be tried on its own. */
static enum ieum_err make_own_authority(struct store *store, const struct arguments *args,
					char why[CERTS_WHY_BYTES])
{
	struct hub_file hub = { 0 };

	snprintf(hub.hub, sizeof hub.hub, "%s", args->hub);
	return certs_dev(store, &hub, &args->dev, stdout, why);
}

static int run_zoo(const struct arguments *args)
{
	char why[CERTS_WHY_BYTES], kind[TLS_LABEL_MAX_BYTES + 1];
	const char *slash = strchr(args->participant, '/');
	struct store store = { 0 }, other = { 0 };
	struct store *authority = args->ca ? &other : &store;

	if (args->name || !slash || (size_t)(slash - args->participant) >= sizeof kind)
		return misused("zoo needs --out, and --participant KIND/NAME if any");
	snprintf(kind, sizeof kind, "%.*s", (int)(slash - args->participant), args->participant);
	const struct zoo_subject subject = { args->hub, kind, slash + 1 };
	enum ieum_err err = store_open(args->out, args->force, &store, why);
	if (!err && args->ca)
		err = store_open(args->ca, false, &other, why);
	if (!err && args->ca)
		err = store_ca_load(&other, why);
	else if (!err)
		err = make_own_authority(&store, args, why);
	if (!err)
		err = certs_zoo(&store, authority, &subject, args->dev.now_s, stdout, why);
	store_close(&store);
	store_close(&other);
	return err ? complain(why) : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct arguments args;
	const char *command = argc > 1 ? argv[1] : "";

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		}
	}
	if (argc < 2)
		return misused("which of ca, sign, batch, due, revoke, crl, dev, zoo?");
	if (!read_arguments(argc - 1, argv + 1, &args))
		return misused("wrong or missing arguments");
	/* Nothing here may be open to others for a moment, whatever the caller's mask. */
	umask(022);
	if (strcmp(command, "dev") == 0)
		return run_dev(&args);
	if (strcmp(command, "zoo") == 0)
		return run_zoo(&args);
	if (strcmp(command, "ca") == 0)
		return run_ca(&args);
	if (strcmp(command, "sign") == 0)
		return run_sign(&args, false);
	if (strcmp(command, "batch") == 0)
		return run_sign(&args, true);
	if (strcmp(command, "due") == 0)
		return run_due(&args);
	if (strcmp(command, "revoke") == 0)
		return run_crl(&args, true);
	if (strcmp(command, "crl") == 0)
		return run_crl(&args, false);
	return misused("no such command");
}
