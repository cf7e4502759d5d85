/* Is everything in a hub file needed?  Takes one thing of it away at a time, or changes it, and
 * plays the scenarios: one of them has to notice.  What nobody misses is not covered, or is no rule.
 *
 *   ieum-needed HUB.yaml SCENARIO.yaml...          each entry of the rules and of what they drive
 *   ieum-needed --keys HUB.yaml SCENARIO.yaml...   each key of an entry, and ten times each number
 *
 * With --keys the hub file's own tests, tests.yaml beside it, may notice too.  Scenarios of other
 * hub files are left out.  A line each (TAP). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/policy/trial.h"
#include "tests/scenarios/edited.h"
#include "tests/sim/scenario_hub.h"
#include "yaml/yaml_doc.h"

enum { SCENARIOS_MAX = 200, WHY_BYTES = 512, PATH_BYTES = 512, WORKERS = 2 };

/* Keys that no message's way depends on.  Whatever is not here has to be missed by somebody. */
static const struct untested {
	const char *section, *key; /* section NULL: of any */
	const char *why;
} untested[] = {
	{ NULL, "title", "a name on screen" },
	{ "participants", "views", "what an operator may look at: the broker's own tests hold it" },
	{ "participants", "rate_per_s",
	  "a limit of the connection: the broker's own tests hold it" },
};

struct checking {
	const struct yaml_node *root;
	const char *hub;
	char *text;
	size_t len;
	bool keys;
	const char *scenarios[SCENARIOS_MAX]; /* files: playing twice needs a fresh load */
	size_t n_scenarios;
	size_t last; /* that noticed: likely to notice the next one too */
	int worker;  /* of WORKERS, each of which tries its share; -1: only counts */
	int number;
	int missed;
};

static bool plays(const struct checking *k, size_t i, const char *text, size_t len)
{
	struct play_result result = { 0 };
	const struct play_options quiet = { 0 };
	char why[WHY_BYTES];
	struct yaml_diag *diag = calloc(1, sizeof *diag);
	struct scenario *s = NULL;
	struct scenario_hub *hub = NULL;
	bool ok = false;

	if (!diag)
		abort();
	if (scenario_load(k->scenarios[i], diag, &s) == IEUM_E_OK)
		hub = scenario_hub_of_text(s, text, len, why, sizeof why);

	if (hub) {
		struct sim_hub *sim = scenario_hub_sim(hub);

		ok = play_scenario(s, sim_hub_policy(sim), scenario_hub_play(hub), &quiet,
				   &result) &&
		     sim_hub_check(sim);
	}
	scenario_hub_free(hub);
	scenario_free(s);
	free(diag);
	return ok;
}

/* Do the hub file's own tests pass? */
static bool passes_tests(const struct checking *k, const struct policy *p)
{
	struct yaml_diag *diag = calloc(1, sizeof *diag);
	const char *slash = strrchr(k->hub, '/');
	struct trial_result *result = calloc(1, sizeof *result);
	struct trials *t = NULL;
	char path[PATH_BYTES];

	if (!diag || !result)
		abort();
	(void)snprintf(path, sizeof path, "%.*stests.yaml", slash ? (int)(slash - k->hub) + 1 : 0,
		       k->hub);
	bool ok = trials_load(p, path, diag, &t) == IEUM_E_OK;
	for (size_t i = 0; ok && i < t->n; i++)
		ok = trial_run(t, &t->trials[i], result) == IEUM_E_OK && result->n_differences == 0;
	trials_free(t);
	free(result);
	free(diag);
	return ok;
}

/* The loader, or the file's own tests; NULL: neither. */
static const char *noticed_by_file(const struct checking *k, const char *text, size_t len)
{
	struct yaml_diag *diag = calloc(1, sizeof *diag);
	const char *who = NULL;
	struct policy *p = NULL;

	if (!diag)
		abort();
	if (policy_parse("hub.yaml", text, len, diag, &p) != IEUM_E_OK)
		who = "the hub file itself";
	else if (k->keys && !passes_tests(k, p))
		who = "the hub file's tests";
	policy_free(p);
	free(diag);
	return who;
}

/* Who misses it? */
static const char *noticed_by(struct checking *k, const char *text, size_t len)
{
	const char *who = noticed_by_file(k, text, len);

	for (size_t i = 0; i < k->n_scenarios && !who; i++) {
		size_t at = (k->last + i) % k->n_scenarios;

		if (plays(k, at, text, len))
			continue;
		k->last = at;
		who = k->scenarios[at];
	}
	return who;
}

static void try_edit(struct checking *k, const struct edit *edit, const char *path)
{
	size_t len;

	k->number++;
	if (k->number % WORKERS != k->worker)
		return;
	char *text = edited_text(k->root, edit, &len);
	const char *who = noticed_by(k, text, len);

	printf("%s %d - %s%s%s%s%s\n", who ? "ok" : "not ok", k->number, path,
	       edit->value ? ": " : "", edit->value ? edit->value : "",
	       who ? ", missed by " : " is missed by nobody", who ? who : "");
	fflush(stdout);
	k->missed += !who;
	free(text);
}

/* ---- by key ---- */

static const char *why_untested(const char *section, const char *key)
{
	for (size_t i = 0; i < sizeof untested / sizeof untested[0]; i++)
		if (strcmp(untested[i].key, key) == 0 &&
		    (!untested[i].section || strcmp(untested[i].section, section) == 0))
			return untested[i].why;
	return NULL;
}

/* "30" of "3", "40 business hours" of "4 business hours"; NULL: it begins with no number above 0. */
static char *tenfold(const struct yaml_node *node)
{
	const char *text = yaml_kind(node) == YAML_SCALAR ? yaml_text(node) : "";
	size_t n = strspn(text, "0123456789");
	char *more = NULL;

	if (n == 0 || *text == '0' || (text[n] && text[n] != ' ') ||
	    asprintf(&more, "%.*s0%s", (int)n, text, text + n) < 0)
		return NULL;
	return more;
}

static void try_values(struct checking *k, const char *section, const struct yaml_node *node,
		       const char *path);

/* One entry of a map or of a sequence: without it, with more of it, and all that is in it. */
static void try_entry(struct checking *k, const char *section, const struct yaml_node *node,
		      size_t i, const char *path)
{
	const struct yaml_node *value = yaml_at(node, i);
	char *more = tenfold(value);

	try_edit(k, &(struct edit){ node, i, NULL }, path);
	if (more)
		try_edit(k, &(struct edit){ node, i, more }, path);
	free(more);
	try_values(k, section, value, path);
}

static void try_values(struct checking *k, const char *section, const struct yaml_node *node,
		       const char *path)
{
	bool is_map = yaml_kind(node) == YAML_MAP;
	char below[PATH_BYTES];

	for (size_t i = 0; i < yaml_count(node); i++) {
		const char *key = is_map ? yaml_text(yaml_key_at(node, i)) : "";
		const char *why = why_untested(section, key);

		if (is_map)
			(void)snprintf(below, sizeof below, "%s, %s", path, key);
		else
			(void)snprintf(below, sizeof below, "%s %zu", path, i + 1);
		/* Of a list of words each is a matter of its own only where the words are maps. */
		if (!is_map && yaml_kind(yaml_at(node, i)) != YAML_MAP)
			continue;
		if (strcmp(key, "name") == 0 && strcmp(section, "rules") == 0)
			continue;
		if (!why)
			try_entry(k, section, node, i, below);
		else if (++k->number % WORKERS == k->worker)
			printf("ok %d - %s # SKIP %s\n", k->number, below, why);
	}
}

/* ---- entries that are alike ---- */

/* What a scenario shows with one of them holds for the other: they differ in these alone. */
static bool is_own(const char *section, const char *key)
{
	return why_untested(section, key) || strcmp(key, "keeper") == 0;
}

static bool is_same(const struct yaml_node *a, const struct yaml_node *b)
{
	if (yaml_kind(a) != yaml_kind(b) || yaml_count(a) != yaml_count(b))
		return false;
	if (yaml_kind(a) == YAML_SCALAR)
		return strcmp(yaml_text(a), yaml_text(b)) == 0;
	for (size_t i = 0; i < yaml_count(a); i++)
		if (!is_same(yaml_at(a, i), yaml_at(b, i)) ||
		    (yaml_kind(a) == YAML_MAP && !is_same(yaml_key_at(a, i), yaml_key_at(b, i))))
			return false;
	return true;
}

static size_t count_shared(const char *section, const struct yaml_node *entry)
{
	size_t n = 0;

	for (size_t i = 0; i < yaml_count(entry); i++)
		n += !is_own(section, yaml_text(yaml_key_at(entry, i)));
	return n;
}

static bool is_alike(const char *section, const struct yaml_node *a, const struct yaml_node *b)
{
	if (yaml_kind(a) != YAML_MAP || count_shared(section, a) != count_shared(section, b))
		return false;
	for (size_t i = 0; i < yaml_count(a); i++) {
		const char *key = yaml_text(yaml_key_at(a, i));
		const struct yaml_node *other = yaml_get(b, key);

		if (!is_own(section, key) && (!other || !is_same(yaml_at(a, i), other)))
			return false;
	}
	return true;
}

/* The first entry that this one is like; its own number when there is none before. */
static size_t like_which(const char *name, const struct yaml_node *section, size_t i)
{
	bool may_be_alike = strcmp(name, "pools") == 0 || strcmp(name, "participants") == 0;

	for (size_t k = 0; may_be_alike && k < i; k++)
		if (is_alike(name, yaml_at(section, k), yaml_at(section, i)))
			return k;
	return i;
}

/* ---- whole entries ---- */

/* Of a sequence the name in its map, of a map the key. */
static const char *entry_name(const struct yaml_node *section, size_t i)
{
	return yaml_kind(section) == YAML_MAP ? yaml_text(yaml_key_at(section, i))
					      : yaml_text(yaml_get(yaml_at(section, i), "name"));
}

static void check_section(struct checking *k, const char *name)
{
	const struct yaml_node *section = yaml_get(k->root, name);
	char path[PATH_BYTES];

	for (size_t i = 0; i < yaml_count(section); i++) {
		(void)snprintf(path, sizeof path, "%s: %s", name, entry_name(section, i));
		size_t like = k->keys ? like_which(name, section, i) : i;

		if (like < i && ++k->number % WORKERS == k->worker)
			printf("ok %d - %s # SKIP as '%s'\n", k->number, path,
			       entry_name(section, like));
		if (k->keys && like == i)
			try_values(k, name, yaml_at(section, i), path);
		else if (!k->keys)
			try_edit(k, &(struct edit){ section, i, NULL }, path);
	}
}

/* Those of this hub file that pass with all of it. */
static bool take_scenario(struct checking *k, const char *hub, const char *path)
{
	struct yaml_diag *diag = calloc(1, sizeof *diag);
	struct scenario *s = NULL;
	char *mine = realpath(hub, NULL);

	if (!diag || !mine)
		abort();
	if (scenario_load(path, diag, &s) != IEUM_E_OK) {
		yaml_diag_print(diag, stderr);
		free(diag);
		free(mine);
		return false;
	}
	char *its = realpath(s->hub_file, NULL);
	bool same = its && strcmp(its, mine) == 0;

	free(its);
	free(mine);
	free(diag);
	scenario_free(s);
	if (!same || k->n_scenarios == SCENARIOS_MAX)
		return true;
	k->scenarios[k->n_scenarios++] = path;
	if (plays(k, k->n_scenarios - 1, k->text, k->len))
		return true;
	fprintf(stderr, "%s does not pass with the whole hub file\n", path);
	return false;
}

static void check_all(struct checking *k)
{
	static const char *const sections[] = { "rules",   "clocks", "counters",
						"linkage", "gates",  "pools" };
	static const char *const of_keys[] = { "kinds", "participants", "bodies", "types" };

	k->number = k->missed = 0;
	for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++)
		check_section(k, sections[i]);
	for (size_t i = 0; k->keys && i < sizeof of_keys / sizeof of_keys[0]; i++)
		check_section(k, of_keys[i]);
}

/* Each share in a process of its own.  False: somebody missed nothing where he should have. */
static bool check_in_parallel(struct checking *k)
{
	bool ok = true;
	int status;

	fflush(stdout);
	for (k->worker = 0; k->worker < WORKERS; k->worker++) {
		pid_t child = fork();

		if (child < 0)
			abort();
		if (child == 0) {
			check_all(k);
			_exit(k->missed ? 1 : 0);
		}
	}
	for (int i = 0; i < WORKERS; i++)
		ok &= wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	k->worker = -1;
	check_all(k);
	return ok && k->number > 0;
}

int main(int argc, char **argv)
{
	struct checking k = { 0 };
	struct yaml_doc *doc = NULL;
	int first = 1;

	k.keys = argc > 1 && strcmp(argv[1], "--keys") == 0;
	first += k.keys;
	if (argc <= first + 1) {
		fprintf(stderr, "usage: ieum-needed [--keys] HUB.yaml SCENARIO.yaml...\n");
		return 2;
	}
	struct yaml_diag *diag = calloc(1, sizeof *diag);

	if (!diag)
		abort();
	k.hub = argv[first];
	bool ok = yaml_doc_open(k.hub, diag, &doc) == IEUM_E_OK;
	if (ok) {
		k.root = yaml_doc_root(doc);
		k.text = edited_text(k.root, &(struct edit){ 0 }, &k.len);
	}
	for (int i = first + 1; i < argc && ok; i++)
		ok = take_scenario(&k, k.hub, argv[i]);
	ok = ok && !noticed_by_file(&k, k.text, k.len) && check_in_parallel(&k);
	printf("1..%d\n", k.number);
	yaml_doc_free(doc);
	free(k.text);
	free(diag);
	return ok ? 0 : 1;
}
