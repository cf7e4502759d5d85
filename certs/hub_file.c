/* Reading names and kinds from a hub file; see hub_file.h. */
#include "certs/hub_file.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "yaml/yaml_doc.h"
#include "yaml/yaml_read.h"

/* The bytes that tls_identity accepts in each part of a spiffe URI. */
static bool read_label(const struct yaml_node *node, char *to, size_t room, struct yaml_diag *diag)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
	const char *text = yaml_text(node);
	size_t n = yaml_text_len(node);

	if (!text || n == 0 || n >= room || strspn(text, allowed) != n || *text == '.' ||
	    *text == '-') {
		yaml_mistake(diag, node,
			     "a name in a certificate has 1 to %zu of a-z, 0-9, '.', '_', '-' and "
			     "begins with a letter, digit or '_'",
			     room - 1);
		return false;
	}
	memcpy(to, text, n + 1);
	return true;
}

static enum ieum_err read_participants(const struct yaml_node *map, struct hub_file *out,
				       struct yaml_diag *diag)
{
	size_t n = yaml_count(map);

	if (yaml_kind(map) != YAML_MAP || n > HUB_FILE_PARTICIPANTS_MAX) {
		yaml_mistake(diag, map, "participants must be a map of at most %d names",
			     HUB_FILE_PARTICIPANTS_MAX);
		return IEUM_E_FILE_INVALID;
	}
	out->participants = calloc(n + 1, sizeof *out->participants);
	if (!out->participants)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < n; i++) {
		struct hub_participant *participant = &out->participants[out->n++];
		const struct yaml_node *kind = yaml_require(yaml_at(map, i), "kind", diag);
		read_label(yaml_key_at(map, i), participant->name, sizeof participant->name, diag);
		if (kind)
			read_label(kind, participant->kind, sizeof participant->kind, diag);
	}
	return IEUM_E_OK;
}

enum ieum_err hub_file_load(const char *path, struct hub_file *out, struct yaml_diag *diag)
{
	struct yaml_doc *doc = NULL;

	*out = (struct hub_file){ 0 };
	enum ieum_err err = yaml_doc_open(path, diag, &doc);
	if (err)
		return err;
	const struct yaml_node *root = yaml_doc_root(doc);
	const struct yaml_node *hub = yaml_require(root, "hub", diag);
	const struct yaml_node *name = hub ? yaml_require(hub, "name", diag) : NULL;
	const struct yaml_node *participants = yaml_require(root, "participants", diag);
	if (name)
		read_label(name, out->hub, sizeof out->hub, diag);
	if (participants)
		err = read_participants(participants, out, diag);
	if (!err && diag->count > 0)
		err = IEUM_E_FILE_INVALID;
	yaml_doc_free(doc);
	if (err)
		hub_file_release(out);
	return err;
}

void hub_file_release(struct hub_file *file)
{
	free(file->participants);
	*file = (struct hub_file){ 0 };
}
