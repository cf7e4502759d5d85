/* From hub.yaml to a policy: reads the file, runs every section's loader, then the checks
 * that need all of them.  All or nothing: with one mistake there is no policy. */
#include "broker/policy/load.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BUDGET_BYTES = 64 * 1024 * 1024 };

static enum ieum_err file_mistake(struct yaml_diag *diag, const char *path, const char *what)
{
	yaml_diag_add(diag, path, 0, 0, "%s", what);
	return IEUM_E_FILE_UNREADABLE;
}

/* The caller frees *text. */
static enum ieum_err read_file(const char *path, struct yaml_diag *diag, char **text, size_t *len)
{
	FILE *file = fopen(path, "rb");

	if (!file)
		return file_mistake(diag, path, "cannot be opened");
	enum ieum_err err = IEUM_E_OK;
	char *bytes = malloc(POLICY_FILE_BYTES_MAX + 1);
	size_t n = bytes ? fread(bytes, 1, POLICY_FILE_BYTES_MAX + 1, file) : 0;

	if (!bytes) {
		err = IEUM_E_NO_MEMORY;
	} else if (ferror(file)) {
		err = file_mistake(diag, path, "cannot be read");
	} else if (n > POLICY_FILE_BYTES_MAX) {
		yaml_diag_add(diag, path, 0, 0, "larger than the %d bytes a hub file may have",
			      POLICY_FILE_BYTES_MAX);
		err = IEUM_E_FILE_INVALID;
	}
	(void)fclose(file);
	if (err) {
		free(bytes);
		return err;
	}
	*text = bytes;
	*len = n;
	return IEUM_E_OK;
}

static void load_sections(struct loader *l)
{
	if (!yaml_schema_check(l->root, &schema_file, l->diag))
		if (yaml_kind(l->root) != YAML_MAP)
			return;
	load_hub(l);
	load_calendar(l);
	load_limits(l);
	load_sealed(l);
	load_types(l);
	load_retention(l);
	load_domains(l);
	load_kinds(l);
	if (l->no_memory)
		return;
	load_participants(l);
	if (l->no_memory)
		return;
	load_identities(l);
	load_bodies(l);
	if (l->no_memory)
		return;
	load_attendance(l);
	load_left(l);
	load_notification(l);
	if (l->no_memory)
		return;
	load_heads(l);
	load_providers(l);
	load_kind_members(l);
	if (!l->no_memory)
		load_agreement_tells(l);
	if (!l->no_memory)
		load_legal_bases(l);
	if (!l->no_memory)
		load_counters(l);
	if (!l->no_memory)
		load_clocks(l);
	if (!l->no_memory)
		load_gates(l);
	if (!l->no_memory)
		load_linkages(l);
	if (!l->no_memory)
		load_pools(l);
	if (!l->no_memory)
		load_rules(l);
}

/* What follows from a first mistake is no second one: the checks of the whole look only at
 * a file whose parts are right. */
static void check_whole(struct loader *l)
{
	if (l->no_memory || l->diag->count > l->mistakes_before)
		return;
	check_heads(l);
	check_circles(l);
	check_duty(l);
	check_notification(l);
	check_providers(l);
	check_pools(l);
	check_places(l);
	check_counters(l);
	check_conditions(l);
	check_gates(l);
	check_rules(l);
	check_handover(l);
	check_linkages(l);
	check_quorums(l);
	check_clocks(l);
}

static bool keep_text(struct policy *p, const char *text, size_t len)
{
	p->text = malloc(len + 1);
	if (!p->text)
		return false;
	memcpy(p->text, text, len);
	p->text[len] = '\0';
	return EVP_Digest(text, len, p->hash, NULL, EVP_sha256(), NULL) == 1;
}

enum ieum_err policy_parse(const char *name, const char *text, size_t len, struct yaml_diag *diag,
			   struct policy **out)
{
	struct policy *p = calloc(1, sizeof *p);
	struct yaml_doc *doc = NULL;
	enum ieum_err err = IEUM_E_NO_MEMORY;

	if (!p)
		return IEUM_E_NO_MEMORY;
	arena_init(&p->arena, ARENA_BUDGET_BYTES);
	if (!keep_text(p, text, len))
		goto out;
	err = yaml_doc_parse(name, text, len, diag, &doc);
	if (err)
		goto out;

	struct loader l = {
		.p = p, .diag = diag, .root = yaml_doc_root(doc), .mistakes_before = diag->count
	};

	load_sections(&l);
	check_whole(&l);
	if (l.no_memory)
		err = IEUM_E_NO_MEMORY;
	else if (diag->count > l.mistakes_before)
		err = IEUM_E_FILE_INVALID;
out:
	yaml_doc_free(doc);
	if (err) {
		policy_free(p);
		return err;
	}
	*out = p;
	return IEUM_E_OK;
}

enum ieum_err policy_load(const char *path, struct yaml_diag *diag, struct policy **out)
{
	char *text = NULL;
	size_t len = 0;
	enum ieum_err err = read_file(path, diag, &text, &len);

	if (err)
		return err;
	err = policy_parse(path, text, len, diag, out);
	free(text);
	return err;
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	HASH_CLEAR(hh, p->names);
	arena_release(&p->arena);
	free(p->text);
	free(p);
}
