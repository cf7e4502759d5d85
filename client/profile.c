/* Reading a profile; see profile.h. */
#include "client/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "yaml/yaml_doc.h"
#include "yaml/yaml_read.h"

enum { LANGUAGE_BYTES = 2 }; /* "en", "ko" */

struct reader {
	const struct yaml_node *root;
	struct yaml_diag *diag;
	size_t folder_len; /* of the file's path, with the slash */
	bool no_memory;
};

static char *copied(struct reader *r, const char *prefix, size_t prefix_len, const char *text)
{
	size_t n = strlen(text) + 1;
	char *copy = malloc(prefix_len + n);

	if (!copy) {
		r->no_memory = true;
		return NULL;
	}
	memcpy(copy, prefix, prefix_len);
	memcpy(copy + prefix_len, text, n);
	return copy;
}

static char *read_text(struct reader *r, const struct yaml_node *node)
{
	const char *text = NULL;

	if (!yaml_read_text(node, PROFILE_TEXT_MAX_BYTES, r->diag, &text))
		return NULL;
	return copied(r, "", 0, text);
}

static char *read_path_of(struct reader *r, const char *file, const struct yaml_node *node)
{
	const char *text = NULL;

	if (!node || !yaml_read_text(node, PROFILE_TEXT_MAX_BYTES, r->diag, &text))
		return NULL;
	return copied(r, file, text[0] == '/' ? 0 : r->folder_len, text);
}

static char *read_path(struct reader *r, const char *file, const char *key)
{
	return read_path_of(r, file, yaml_require(r->root, key, r->diag));
}

static void read_old_keys(struct reader *r, const char *file, struct profile *p)
{
	static const char *const keys[] = { "certificate", "key", NULL };
	const struct yaml_node *node = yaml_get(r->root, "old_keys");

	if (!node || !yaml_check_seq(node, 0, IEUM_OLD_KEYS_MAX, r->diag))
		return;
	for (size_t i = 0; i < yaml_count(node); i++) {
		const struct yaml_node *pair = yaml_at(node, i);

		if (!yaml_check_map(pair, keys, r->diag))
			continue;
		p->old_keys[i].cert =
			read_path_of(r, file, yaml_require(pair, "certificate", r->diag));
		p->old_keys[i].key = read_path_of(r, file, yaml_require(pair, "key", r->diag));
		p->n_old_keys = i + 1;
	}
}

static bool is_key(const char *text)
{
	static const char prefix[] = "sha256:";

	if (strncmp(text, prefix, sizeof prefix - 1) == 0)
		text += sizeof prefix - 1;
	return strlen(text) == 64 && strspn(text, "0123456789abcdefABCDEF") == 64;
}

static char *read_optional(struct reader *r, const struct yaml_node *map, const char *key)
{
	const struct yaml_node *node = yaml_get(map, key);

	return node ? read_text(r, node) : NULL;
}

static void read_identity(struct reader *r, const struct yaml_node *node, struct ieum_identity *to)
{
	const struct yaml_node *participant = yaml_require(node, "participant", r->diag);

	to->participant = participant ? read_text(r, participant) : NULL;
	to->key = read_optional(r, node, "key");
	to->issuer = read_optional(r, node, "issuer");
	to->subject = read_optional(r, node, "subject");
	if (!yaml_get(node, "key") == !yaml_get(node, "issuer") ||
	    !yaml_get(node, "issuer") != !yaml_get(node, "subject"))
		yaml_mistake(r->diag, node, "an identity has a 'key', or 'issuer' and 'subject'");
	else if (to->key && !is_key(to->key))
		yaml_mistake(
			r->diag, node,
			"a key is SHA-256 over its DER, 64 hexadecimal digits; `ieum cert show "
			"FILE` prints it");
}

static void read_identities(struct reader *r, struct profile *p)
{
	static const char *const keys[] = { "participant", "key", "issuer", "subject", NULL };
	const struct yaml_node *node = yaml_get(r->root, "identities");

	if (!node || !yaml_check_seq(node, 0, IEUM_IDENTITIES_MAX, r->diag))
		return;
	for (size_t i = 0; i < yaml_count(node); i++) {
		if (yaml_check_map(yaml_at(node, i), keys, r->diag))
			read_identity(r, yaml_at(node, i), &p->identities[p->n_identities++]);
	}
}

static void read_sealing(struct reader *r, const char *file, struct profile *p)
{
	static const char *const seals[] = { "needed", "all", NULL };
	static const char *const wraps[] = { "auto", "ask", NULL };
	const struct yaml_node *crl = yaml_get(r->root, "crl");
	size_t which;

	if (crl)
		p->crl = read_path_of(r, file, crl);
	read_old_keys(r, file, p);
	read_identities(r, p);
	if (yaml_opt_word(r->root, "seal", seals, r->diag, &which))
		p->seal_all = which == 1;
	if (yaml_opt_word(r->root, "wrap_keys", wraps, r->diag, &which))
		p->ask_to_wrap = which == 1;
}

static void read_spool(struct reader *r, const char *file, struct profile *p)
{
	const struct yaml_node *node = yaml_get(r->root, "spool");

	if (!node)
		return;
	if (yaml_kind(node) == YAML_SCALAR && strcmp(yaml_text(node), "none") == 0)
		p->no_spool = true;
	else
		p->spool = read_path_of(r, file, node);
}

static void read_addresses(struct reader *r, struct profile *p)
{
	const struct yaml_node *node = yaml_require(r->root, "addresses", r->diag);

	if (!node)
		return;
	if (yaml_kind(node) == YAML_SCALAR) {
		p->addresses[0] = read_text(r, node);
		p->n_addresses = p->addresses[0] ? 1 : 0;
		return;
	}
	if (!yaml_check_seq(node, 1, PROFILE_ADDRESSES_MAX, r->diag))
		return;
	for (size_t i = 0; i < yaml_count(node); i++) {
		char *address = read_text(r, yaml_at(node, i));

		if (address)
			p->addresses[p->n_addresses++] = address;
	}
}

static void read_profile(struct reader *r, const char *file, struct profile *p)
{
	static const char *const keys[] = { "addresses",   "ca",        "certificate", "key",
					    "server_name", "language",  "crl",         "old_keys",
					    "seal",        "wrap_keys", "spool",       "identities",
					    NULL };
	static const char *const languages[] = { "en", "ko", NULL };
	const struct yaml_node *server_name;
	size_t language;

	if (!yaml_check_map(r->root, keys, r->diag) && yaml_kind(r->root) != YAML_MAP)
		return;
	read_addresses(r, p);
	p->ca = read_path(r, file, "ca");
	p->certificate = read_path(r, file, "certificate");
	p->key = read_path(r, file, "key");
	server_name = yaml_get(r->root, "server_name");
	if (server_name)
		p->server_name = read_text(r, server_name);
	read_sealing(r, file, p);
	read_spool(r, file, p);
	if (yaml_opt_word(r->root, "language", languages, r->diag, &language)) {
		p->has_language = true;
		p->language = language == 0 ? WORDS_EN : WORDS_KO;
	}
}

enum ieum_err profile_load(const char *path, struct yaml_diag *diag, struct profile **out)
{
	const char *slash = strrchr(path, '/');
	struct reader r = { .diag = diag, .folder_len = slash ? (size_t)(slash - path) + 1 : 0 };
	struct yaml_doc *doc = NULL;
	struct profile *p = calloc(1, sizeof *p);
	size_t mistakes = diag->count;
	enum ieum_err err;

	if (!p)
		return IEUM_E_NO_MEMORY;
	err = yaml_doc_open(path, diag, &doc);
	if (!err) {
		r.root = yaml_doc_root(doc);
		read_profile(&r, path, p);
		if (r.no_memory)
			err = IEUM_E_NO_MEMORY;
		else if (diag->count > mistakes)
			err = IEUM_E_FILE_INVALID;
		yaml_doc_free(doc);
	}
	if (err) {
		profile_free(p);
		return err;
	}
	*out = p;
	return IEUM_E_OK;
}

bool profile_says_language(const char *path, enum words_lang *out)
{
	struct yaml_diag *diag = malloc(sizeof *diag);
	struct yaml_doc *doc = NULL;
	struct stat st;
	bool says = false;

	/* What can be read once only is left for when it is needed. */
	if (diag && stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
		yaml_diag_init(diag);
		if (yaml_doc_open(path, diag, &doc) == IEUM_E_OK) {
			const char *name = yaml_text(yaml_get(yaml_doc_root(doc), "language"));

			says = name && strlen(name) == LANGUAGE_BYTES &&
			       words_lang_named(name, out);
		}
		yaml_doc_free(doc);
	}
	free(diag);
	return says;
}

void profile_free(struct profile *profile)
{
	if (!profile)
		return;
	for (size_t i = 0; i < profile->n_addresses; i++)
		free(profile->addresses[i]);
	free(profile->ca);
	free(profile->certificate);
	free(profile->key);
	free(profile->server_name);
	free(profile->spool);
	free(profile->crl);
	for (size_t i = 0; i < profile->n_old_keys; i++) {
		free((char *)profile->old_keys[i].cert);
		free((char *)profile->old_keys[i].key);
	}
	for (size_t i = 0; i < profile->n_identities; i++) {
		free((char *)profile->identities[i].participant);
		free((char *)profile->identities[i].key);
		free((char *)profile->identities[i].issuer);
		free((char *)profile->identities[i].subject);
	}
	free(profile);
}

static bool set(const char *value)
{
	return value && *value;
}

enum ieum_err profile_path(const char *asked, char out[PROFILE_PATH_BYTES])
{
	const char *named = set(asked) ? asked : getenv("IEUM_PROFILE");
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int n;

	if (set(named))
		n = snprintf(out, PROFILE_PATH_BYTES, "%s", named);
	else if (set(config))
		n = snprintf(out, PROFILE_PATH_BYTES, "%s/ieum/profile.yaml", config);
	else if (set(home))
		n = snprintf(out, PROFILE_PATH_BYTES, "%s/.config/ieum/profile.yaml", home);
	else
		return IEUM_E_FILE_UNREADABLE;
	return n < PROFILE_PATH_BYTES ? IEUM_E_OK : IEUM_E_FIELD_TOO_LARGE;
}
