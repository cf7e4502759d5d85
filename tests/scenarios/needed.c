/* Is every rule of a hub file needed?  Takes each entry of its rules (and of the sections that
 * rules drive) away, one at a time, and plays the scenarios: one of them has to notice.  A rule
 * that nobody misses is not covered, or is no rule.
 *
 *   ieum-needed HUB.yaml SCENARIO.yaml...
 *
 * Scenarios of other hub files are left out.  A line each (TAP). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/sim/scenario_hub.h"
#include "yaml/yaml_doc.h"

enum { SCENARIOS_MAX = 200, WHY_BYTES = 512 };

struct lines {
	size_t from, until; /* bytes of the text */
};

struct checking {
	char *text;
	size_t len;
	const char *scenarios[SCENARIOS_MAX]; /* files: playing twice needs a fresh load */
	size_t n_scenarios;
	size_t last; /* that noticed: likely to notice the next one too */
	int number;
	int missed;
};

/* Where line `line` (from 1) begins; the end of the text when there are fewer. */
static size_t line_start(const struct checking *k, int line)
{
	size_t at = 0;

	for (; line > 1 && at < k->len; line--) {
		const char *end = memchr(k->text + at, '\n', k->len - at);

		at = end ? (size_t)(end - k->text) + 1 : k->len;
	}
	return at;
}

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

static bool is_refused(const char *text, size_t len)
{
	struct yaml_diag *diag = calloc(1, sizeof *diag);
	struct policy *p = NULL;

	if (!diag)
		abort();
	bool refused = policy_parse("hub.yaml", text, len, diag, &p) != IEUM_E_OK;

	policy_free(p);
	free(diag);
	return refused;
}

/* Who misses it? */
static const char *noticed_by(struct checking *k, const char *text, size_t len)
{
	if (is_refused(text, len))
		return "the hub file itself";
	for (size_t i = 0; i < k->n_scenarios; i++) {
		size_t at = (k->last + i) % k->n_scenarios;

		if (!plays(k, at, text, len)) {
			k->last = at;
			return k->scenarios[at];
		}
	}
	return NULL;
}

static void check_without(struct checking *k, const char *section, const char *name,
			  struct lines cut)
{
	size_t len = k->len - (cut.until - cut.from);
	char *text = malloc(len + 1);

	if (!text)
		abort();
	memcpy(text, k->text, cut.from);
	memcpy(text + cut.from, k->text + cut.until, k->len - cut.until);
	text[len] = '\0';
	const char *who = noticed_by(k, text, len);

	printf("%s %d - %s: %s%s%s\n", who ? "ok" : "not ok", ++k->number, section, name,
	       who ? ", missed by " : " is missed by no scenario", who ? who : "");
	fflush(stdout);
	k->missed += !who;
	free(text);
}

/* What a node's line begins: of a sequence the name in its map, of a map the key. */
static const char *entry_name(const struct yaml_node *section, size_t i)
{
	return yaml_kind(section) == YAML_MAP ? yaml_text(yaml_key_at(section, i))
					      : yaml_text(yaml_get(yaml_at(section, i), "name"));
}

static int entry_line(const struct yaml_node *section, size_t i)
{
	return yaml_kind(section) == YAML_MAP ? yaml_line(yaml_key_at(section, i))
					      : yaml_line(yaml_at(section, i));
}

static void check_section(struct checking *k, const struct yaml_node *root, const char *name)
{
	const struct yaml_node *section = yaml_get(root, name);
	size_t n = yaml_count(section);
	int end = 0;

	for (size_t i = 0; n > 0 && i < yaml_count(root); i++) {
		int line = yaml_line(yaml_key_at(root, i));

		if (line > entry_line(section, n - 1) && (!end || line < end))
			end = line;
	}
	for (size_t i = 0; i < n; i++) {
		int until = i + 1 < n ? entry_line(section, i + 1) : end;
		struct lines cut = { line_start(k, entry_line(section, i)),
				     until ? line_start(k, until) : k->len };

		check_without(k, name, entry_name(section, i), cut);
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

int main(int argc, char **argv)
{
	static const char *const sections[] = { "rules",   "clocks", "counters",
						"linkage", "gates",  "pools" };
	struct checking k = { 0 };
	struct yaml_doc *doc = NULL;

	if (argc <= 2) {
		fprintf(stderr, "usage: ieum-needed HUB.yaml SCENARIO.yaml...\n");
		return 2;
	}
	struct yaml_diag *diag = calloc(1, sizeof *diag);

	if (!diag)
		abort();
	k.text = sim_hub_file(argv[1], &k.len);
	bool ok = k.text && yaml_doc_open(argv[1], diag, &doc) == IEUM_E_OK;
	for (int i = 2; i < argc && ok; i++)
		ok = take_scenario(&k, argv[1], argv[i]);
	for (size_t i = 0; i < sizeof sections / sizeof sections[0] && ok; i++)
		check_section(&k, yaml_doc_root(doc), sections[i]);
	printf("1..%d\n", k.number);
	yaml_doc_free(doc);
	free(k.text);
	free(diag);
	return ok && k.number > 0 && k.missed == 0 ? 0 : 1;
}
