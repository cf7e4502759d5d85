#include "broker/config.h"

#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"
#include "yaml/yaml_doc.h"
#include "yaml/yaml_read.h"

enum limit_kind {
	LIMIT_COUNT,
	LIMIT_BYTES,
	LIMIT_TIME,
};

#define KIB    INT64_C(1024)
#define MIB    (1024 * KIB)
#define GIB    (1024 * MIB)
#define SECOND INT64_C(1000)
#define HOUR   (3600 * SECOND)

/* clang-format off */
static const struct limit_row {
	const char *key;
	enum limit_kind kind;
	size_t at;
	int64_t standard, min, max;
} limit_rows[] = {
#define ROW(key, field, kind, standard, min, max) \
	{ key, kind, offsetof(struct config_limits, field), standard, min, max }
	ROW("frame",                       frame,                LIMIT_BYTES, MIB,          64 * KIB, 16 * MIB),
	ROW("payload",                     payload,              LIMIT_BYTES, CODEC_PAYLOAD_MAX_BYTES, 1, CODEC_PAYLOAD_MAX_BYTES),
	ROW("outstanding_requests",        outstanding_requests, LIMIT_COUNT, 1024,         1,        65536),
	ROW("unsettled_deliveries",        unsettled_deliveries, LIMIT_COUNT, 4096,         1,        65536),
	ROW("connections",                 connections,          LIMIT_COUNT, 4096,         1,        100000),
	ROW("connections_per_participant", connections_per_participant, LIMIT_COUNT, 64,    1,        100000),
	ROW("rate_per_participant",        rate_per_participant, LIMIT_COUNT, 20000,        0,        10000000),
	ROW("out_buffer",                  out_buffer,           LIMIT_BYTES, 4 * MIB,      64 * KIB, 64 * MIB),
	ROW("slow_after",                  slow_after_ms,        LIMIT_TIME,  30 * SECOND,  100,      HOUR),
	ROW("handshakes",                  handshakes,           LIMIT_COUNT, 256,          1,        100000),
	ROW("handshake_within",            handshake_within_ms,  LIMIT_TIME,  10 * SECOND,  100,      600 * SECOND),
	ROW("idle_after",                  idle_after_ms,        LIMIT_TIME,  300 * SECOND, 100,      24 * HOUR),
	ROW("close_within",                close_within_ms,      LIMIT_TIME,  5 * SECOND,   100,      600 * SECOND),
	ROW("stop_within",                 stop_within_ms,       LIMIT_TIME,  10 * SECOND,  100,      600 * SECOND),
	ROW("journal_pending",             journal_pending,      LIMIT_BYTES, 16 * MIB,     64 * KIB, 24 * MIB),
	ROW("referrals",                   referrals,            LIMIT_COUNT, 5000000,      1,        INT64_C(1) << 40),
	ROW("deliveries",                  deliveries,           LIMIT_COUNT, 2000000,      1,        INT64_C(1) << 40),
	ROW("cases",                       cases,                LIMIT_COUNT, 1000000,      1,        INT64_C(1) << 40),
#undef ROW
};
/* clang-format on */

enum { LIMIT_ROWS = sizeof(limit_rows) / sizeof(limit_rows[0]) };

/* The folder of the file, with its slash; "" when it has none. */
static size_t folder_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) + 1 : 0;
}

static char *join(const char *config_path, const char *name)
{
	size_t folder = name[0] == '/' ? 0 : folder_len(config_path);
	size_t len = strlen(name);
	char *path = malloc(folder + len + 1);

	if (!path)
		return NULL;
	memcpy(path, config_path, folder);
	memcpy(path + folder, name, len + 1);
	return path;
}

/* With an unknown key the others are read all the same: every mistake is told at once. */
static bool is_map(const struct yaml_node *node, const char *const *keys, struct yaml_diag *diag)
{
	(void)yaml_check_map(node, keys, diag);
	return yaml_kind(node) == YAML_MAP;
}

/* A file named by the configuration.  True unless out of memory. */
static bool read_path(const struct yaml_node *map, const char *key, bool required,
		      struct yaml_diag *diag, const struct config *c, char **out)
{
	const char *name;

	if (required && !yaml_require(map, key, diag))
		return true;
	if (!yaml_opt_text(map, key, CONFIG_TEXT_MAX_BYTES, diag, &name))
		return true;
	*out = join(c->path, name);
	return *out != NULL;
}

static bool read_listen(const struct yaml_node *root, struct yaml_diag *diag, struct config *c)
{
	const struct yaml_node *node = yaml_require(root, "listen", diag);
	const struct yaml_node *const one[] = { node };
	size_t n = 1;

	if (!node)
		return true;
	if (yaml_kind(node) == YAML_SEQ) {
		if (!yaml_check_seq(node, 1, CONFIG_LISTEN_MAX, diag))
			return true;
		n = yaml_count(node);
	}
	for (size_t i = 0; i < n; i++) {
		const struct yaml_node *item =
			yaml_kind(node) == YAML_SEQ ? yaml_at(node, i) : one[0];
		const char *text;

		if (!yaml_read_text(item, CONFIG_TEXT_MAX_BYTES, diag, &text))
			continue;
		if (!strrchr(text, ':'))
			yaml_mistake(
				diag, item,
				"'%s' has no port; write \"address:port\", for example \"0.0.0.0:7443\"",
				text);
		c->listen[c->n_listen] = strdup(text);
		if (!c->listen[c->n_listen])
			return false;
		c->n_listen++;
	}
	return true;
}

/* `refuse`, or `{accept_known_for: 24 h}`. */
static void read_list_past(const struct yaml_node *root, struct yaml_diag *diag, struct config *c)
{
	static const char *const keys[] = { "accept_known_for", NULL };
	const struct yaml_node *past = yaml_get(root, "revocation_list_past"), *within;
	const char *text = yaml_text(past);
	int64_t ms;

	if (!past || (text && strcmp(text, "refuse") == 0))
		return;
	if (yaml_kind(past) != YAML_MAP) {
		yaml_mistake(diag, past,
			     "'revocation_list_past' is refuse, or {accept_known_for: 24 h}");
		return;
	}
	if (is_map(past, keys, diag) &&
	    (within = yaml_require(past, "accept_known_for", diag)) != NULL &&
	    yaml_read_duration_ms(within, CONFIG_LIST_PAST_MIN_MS, CONFIG_LIST_PAST_MAX_MS, diag,
				  &ms))
		c->tls.crl_grace_s = ms / 1000;
}

static bool read_user(const struct yaml_node *root, struct yaml_diag *diag, struct config *c)
{
	const char *name;

	c->user_line = yaml_line(yaml_get(root, "user"));
	if (!yaml_opt_text(root, "user", CONFIG_TEXT_MAX_BYTES, diag, &name))
		return true;
	c->user = strdup(name);
	return c->user != NULL;
}

static bool read_journal(const struct yaml_node *root, struct yaml_diag *diag, struct config *c)
{
	static const char *const keys[] = { "engine", "path", NULL };
	static const char *const engines[] = { "sqlite", "memory", NULL };
	const struct yaml_node *node = yaml_require(root, "journal", diag);
	size_t engine = 0;

	if (!node || !is_map(node, keys, diag))
		return true;
	yaml_opt_word(node, "engine", engines, diag, &engine);
	c->journal_engine = strdup(engines[engine]);
	return c->journal_engine && read_path(node, "path", engine == 0, diag, c, &c->journal_path);
}

static void read_log(const struct yaml_node *root, struct yaml_diag *diag, struct config *c)
{
	static const char *const keys[] = { "format", "level", NULL };
	static const char *const formats[] = { "kv", "json", NULL };
	static const char *const levels[] = { "error", "warn", "info", "debug", NULL };
	const struct yaml_node *node = yaml_get(root, "log");
	size_t format = LOG_KV, level = LOG_INFO;

	if (!node || !is_map(node, keys, diag))
		return;
	yaml_opt_word(node, "format", formats, diag, &format);
	yaml_opt_word(node, "level", levels, diag, &level);
	c->log_format = (enum log_format)format;
	c->log_level = (enum log_level)level;
}

static void read_limit(const struct yaml_node *map, const struct limit_row *row,
		       struct yaml_diag *diag, struct config_limits *limits)
{
	int64_t *value = (int64_t *)(void *)((char *)limits + row->at);
	const struct yaml_node *node = yaml_get(map, row->key);

	*value = row->standard;
	if (!node)
		return;
	switch (row->kind) {
	case LIMIT_COUNT: yaml_read_int(node, row->min, row->max, diag, value); break;
	case LIMIT_BYTES: yaml_read_bytes(node, row->min, row->max, diag, value); break;
	case LIMIT_TIME: yaml_read_duration_ms(node, row->min, row->max, diag, value); break;
	}
}

static void read_limits(const struct yaml_node *root, struct yaml_diag *diag, struct config *c)
{
	const struct yaml_node *node = yaml_get(root, "limits");
	const char *keys[LIMIT_ROWS + 1];

	for (size_t i = 0; i < LIMIT_ROWS; i++)
		keys[i] = limit_rows[i].key;
	keys[LIMIT_ROWS] = NULL;
	if (node && !is_map(node, keys, diag))
		node = NULL;
	for (size_t i = 0; i < LIMIT_ROWS; i++)
		read_limit(node, &limit_rows[i], diag, &c->limits);
	/* A full frame holds a payload and what is around it. */
	if (c->limits.payload + CODEC_TEXT_MAX_BYTES > c->limits.frame)
		yaml_mistake(diag, node,
			     "limits: a payload of %lld bytes doesn't fit into a frame of %lld",
			     (long long)c->limits.payload, (long long)c->limits.frame);
}

static void read_numbers(const struct yaml_node *root, struct yaml_diag *diag, struct config *c)
{
	static const char *const keys[] = { "every_events", NULL };
	const struct yaml_node *snapshot = yaml_get(root, "snapshot");

	c->snapshot_every_events = 200000;
	c->cache_bytes = 64 * MIB;
	if (snapshot && is_map(snapshot, keys, diag))
		yaml_opt_int(snapshot, "every_events", 0, INT64_C(1) << 40, diag,
			     &c->snapshot_every_events);
	yaml_opt_bytes(root, "cache", 8 * MIB, 64 * GIB, diag, &c->cache_bytes);
}

static bool read_root(const struct yaml_node *root, struct yaml_diag *diag, struct config *c)
{
	static const char *const keys[] = {
		"listen",   "certificate", "key",    "ca",   "crl",
		"hub_file", "journal",     "log",    "user", "revocation_list_past",
		"snapshot", "cache",       "limits", NULL
	};
	char *certificate = NULL, *key = NULL, *ca = NULL, *crl = NULL;
	bool ok;

	if (!is_map(root, keys, diag))
		return true;
	ok = read_path(root, "certificate", true, diag, c, &certificate) &&
	     read_path(root, "key", true, diag, c, &key) &&
	     read_path(root, "ca", true, diag, c, &ca) &&
	     read_path(root, "crl", false, diag, c, &crl);
	c->tls = (struct tls_files){ .cert = certificate, .key = key, .ca = ca, .crl = crl };
	c->tls_line = yaml_line(yaml_get(root, "certificate"));
	c->hub_file_line = yaml_line(yaml_get(root, "hub_file"));
	ok = ok && read_path(root, "hub_file", true, diag, c, &c->hub_file);
	ok = ok && read_listen(root, diag, c) && read_user(root, diag, c) &&
	     read_journal(root, diag, c);
	read_list_past(root, diag, c);
	read_log(root, diag, c);
	read_numbers(root, diag, c);
	read_limits(root, diag, c);
	return ok;
}

enum ieum_err config_read(const char *path, struct yaml_diag *diag, struct config **out)
{
	struct yaml_doc *doc = NULL;
	struct config *c = NULL;
	enum ieum_err err = yaml_doc_open(path, diag, &doc);

	*out = NULL;
	if (err)
		return err;
	c = calloc(1, sizeof(*c));
	if (!c)
		goto no_memory;
	c->log_level = LOG_INFO;
	c->path = strdup(path);
	if (!c->path || !read_root(yaml_doc_root(doc), diag, c))
		goto no_memory;
	yaml_doc_free(doc);
	*out = c;
	return diag->count ? IEUM_E_FILE_INVALID : IEUM_E_OK;

no_memory:
	yaml_doc_free(doc);
	config_free(c);
	return IEUM_E_NO_MEMORY;
}

enum ieum_err config_load(const char *path, struct yaml_diag *diag, struct config **out)
{
	enum ieum_err err = config_read(path, diag, out);

	if (err) {
		config_free(*out);
		*out = NULL;
	}
	return err;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_listen; i++)
		free(c->listen[i]);
	/* The struct that the TLS code reads has const strings; these are ours. */
	free((char *)c->tls.cert);
	free((char *)c->tls.key);
	free((char *)c->tls.ca);
	free((char *)c->tls.crl);
	free(c->user);
	free(c->hub_file);
	free(c->journal_engine);
	free(c->journal_path);
	free(c->path);
	free(c);
}
