/* From a file to a tree: libfyaml's events, one by one; see yaml_doc.h.
 *
 * Events, and not libfyaml's own documents, because an event never expands an alias and the
 * limits can be held while the tree grows. */
#include <errno.h>
#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include "yaml/yaml_doc.h"
#include "proto/catalog.h"
#include "yaml/yaml_tree.h"

/* A map or sequence whose end has not come yet. */
struct open_node {
	struct yaml_node *node;
	struct yaml_node *first;
	struct yaml_node *last;
};

struct loader {
	struct yaml_doc *doc;
	struct yaml_diag *diag;
	int line; /* of the last event that had a place */
	int column;
	bool root_seen;
	size_t depth;
	struct open_node open[YAML_DEPTH_MAX];
};

static enum ieum_err refuse(struct loader *l, const char *what)
{
	yaml_diag_add(l->diag, l->doc->name, l->line, l->column, "%s", tr(what));
	return IEUM_E_FILE_INVALID;
}

static void take_place(struct loader *l, struct fy_token *token)
{
	const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;

	if (!mark)
		return;
	l->line = mark->line + 1;
	l->column = mark->column + 1;
}

/* Puts a new node where the next one belongs: at the root or into the innermost open one. */
static enum ieum_err add_node(struct loader *l, enum yaml_kind kind, struct yaml_node **out)
{
	if (l->doc->nodes >= YAML_NODES_MAX)
		return refuse(l, "too many values in one file; split it");
	struct yaml_node *node = yaml_doc_alloc(l->doc, sizeof *node);
	if (!node)
		return IEUM_E_NO_MEMORY;
	l->doc->nodes++;
	node->doc = l->doc;
	node->kind = kind;
	node->line = l->line;
	node->column = l->column;
	if (l->depth > 0) {
		struct open_node *parent = &l->open[l->depth - 1];

		if (parent->last)
			parent->last->next = node;
		else
			parent->first = node;
		parent->last = node;
		parent->node->count++;
	} else {
		l->doc->root = node;
		l->root_seen = true;
	}
	*out = node;
	return IEUM_E_OK;
}

static bool quoted(struct fy_token *scalar)
{
	enum fy_scalar_style style = scalar ? fy_token_scalar_style(scalar) : FYSS_PLAIN;

	return style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
}

static bool means_null(const char *text, size_t n)
{
	return n == 0 || (n == 1 && *text == '~') || (n == 4 && memcmp(text, "null", 4) == 0);
}

static enum ieum_err on_scalar(struct loader *l, const struct fy_event_scalar_data *event)
{
	struct yaml_node *node;
	size_t n = 0;
	const char *text = event->value ? fy_token_get_text(event->value, &n) : NULL;
	bool plain = !event->value || fy_token_scalar_style(event->value) == FYSS_PLAIN;

	if (event->anchor || event->tag)
		return refuse(l, "anchors and tags are not used here; write the value itself");
	if (!text) {
		text = "";
		n = 0;
	}
	if (memchr(text, '\0', n))
		return refuse(l, "a text must not hold a NUL");
	enum ieum_err err =
		add_node(l, plain && means_null(text, n) ? YAML_NULL : YAML_SCALAR, &node);
	if (err || node->kind == YAML_NULL)
		return err;
	char *copy = yaml_doc_alloc(l->doc, n + 1);
	if (!copy)
		return IEUM_E_NO_MEMORY;
	memcpy(copy, text, n);
	node->text = copy;
	node->text_len = n;
	node->plain = plain;
	return IEUM_E_OK;
}

static enum ieum_err on_start(struct loader *l, enum yaml_kind kind, bool decorated)
{
	struct yaml_node *node;

	if (decorated)
		return refuse(l, "anchors and tags are not used here; write the value itself");
	if (l->depth >= YAML_DEPTH_MAX)
		return refuse(l, "maps and sequences lie too deep inside one another");
	enum ieum_err err = add_node(l, kind, &node);
	if (err)
		return err;
	l->open[l->depth++] = (struct open_node){ .node = node };
	return IEUM_E_OK;
}

static int by_text_then_place(const void *a, const void *b)
{
	const struct yaml_node *x = *(const struct yaml_node *const *)a;
	const struct yaml_node *y = *(const struct yaml_node *const *)b;
	int order = strcmp(x->text, y->text);

	if (order != 0)
		return order;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

/* Keys are plain words, and each occurs once.  Such a mistake leaves the tree whole, so that it is
 * only noted and the others are still found. */
static enum ieum_err check_keys(struct loader *l, const struct yaml_node *map)
{
	size_t n = map->count / 2;
	const struct yaml_node **keys = calloc(n ? n : 1, sizeof(struct yaml_node *));

	if (!keys)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < n; i++) {
		keys[i] = map->inside[2 * i];
		if (keys[i]->kind != YAML_SCALAR) {
			/* An empty key has no place of its own. */
			yaml_mistake(l->diag,
				     keys[i]->kind == YAML_NULL ? map->inside[2 * i + 1] : keys[i],
				     "a key must be a plain word, not %s",
				     yaml_kind_name(keys[i]->kind));
			free(keys);
			return IEUM_E_OK;
		}
		if (keys[i]->plain && strcmp(keys[i]->text, "<<") == 0)
			yaml_mistake(l->diag, keys[i],
				     "merge keys are not used here; write the keys out");
	}
	qsort(keys, n, sizeof(struct yaml_node *), by_text_then_place);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(keys[i]->text, keys[i - 1]->text) == 0)
			yaml_mistake(l->diag, keys[i],
				     "key '%s' is there twice, first in line %d; remove one",
				     keys[i]->text, keys[i - 1]->line);
	}
	free(keys);
	return IEUM_E_OK;
}

static enum ieum_err on_end(struct loader *l)
{
	struct open_node *closing = &l->open[--l->depth];
	struct yaml_node *node = closing->node;
	size_t i = 0;

	node->inside =
		yaml_doc_alloc(l->doc, (node->count ? node->count : 1) * sizeof *node->inside);
	if (!node->inside)
		return IEUM_E_NO_MEMORY;
	for (struct yaml_node *child = closing->first; child; child = child->next)
		node->inside[i++] = child;
	return node->kind == YAML_MAP ? check_keys(l, node) : IEUM_E_OK;
}

static enum ieum_err on_event(struct loader *l, struct fy_event *event)
{
	switch (event->type) {
	case FYET_DOCUMENT_START:
		take_place(l, event->document_start.document_start);
		if (l->root_seen)
			return refuse(l, "a second document begins here; one file is one document");
		return IEUM_E_OK;
	case FYET_ALIAS:
		take_place(l, event->alias.anchor);
		return refuse(l, "aliases are not used here; write the value itself");
	case FYET_SCALAR:
		take_place(l, event->scalar.value);
		/* libfyaml means what is within the quotes. */
		if (quoted(event->scalar.value) && l->column > 1)
			l->column--;
		return on_scalar(l, &event->scalar);
	case FYET_MAPPING_START:
		take_place(l, event->mapping_start.mapping_start);
		return on_start(l, YAML_MAP,
				event->mapping_start.anchor || event->mapping_start.tag);
	case FYET_SEQUENCE_START:
		take_place(l, event->sequence_start.sequence_start);
		return on_start(l, YAML_SEQ,
				event->sequence_start.anchor || event->sequence_start.tag);
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END: return on_end(l);
	default: return IEUM_E_OK;
	}
}

/* What libfyaml found wrong, in our words' form. */
static enum ieum_err syntax_mistakes(struct loader *l, struct fy_diag *fy)
{
	/* This one points at the value before the line that is meant. */
	static const char multiline_hint[] = N_("; check the indentation of the next line");
	struct fy_diag_error *error;
	void *at = NULL;
	size_t before = l->diag->count;

	while ((error = fy_diag_errors_iterate(fy, &at)) != NULL)
		yaml_diag_add(l->diag, l->doc->name, error->line, error->column, "%s%s", error->msg,
			      strstr(error->msg, "multiline plain key") ? tr(multiline_hint) : "");
	if (l->diag->count == before)
		return refuse(l, "this is not YAML");
	return IEUM_E_FILE_INVALID;
}

static enum ieum_err run_parser(struct loader *l, struct fy_parser *parser, struct fy_diag *fy)
{
	size_t before = l->diag->count;
	struct fy_event *event;

	while ((event = fy_parser_parse(parser)) != NULL) {
		enum ieum_err err = on_event(l, event);

		fy_parser_event_free(parser, event);
		if (err)
			return err;
	}
	if (fy_diag_got_error(fy))
		return syntax_mistakes(l, fy);
	return l->diag->count == before ? IEUM_E_OK : IEUM_E_FILE_INVALID;
}

static bool named_json(const char *name)
{
	size_t n = strlen(name);

	return n >= 5 && strcmp(name + n - 5, ".json") == 0;
}

static enum ieum_err load(struct loader *l, const char *bytes, size_t n)
{
	/* Without output and with collecting, libfyaml prints nothing itself. */
	struct fy_diag_cfg diag_cfg = { .level = FYET_ERROR, .module_mask = ~0u };
	struct fy_diag *fy = fy_diag_create(&diag_cfg);
	struct fy_parser *parser = NULL;
	enum ieum_err err = IEUM_E_NO_MEMORY;

	if (!fy)
		return IEUM_E_NO_MEMORY;
	fy_diag_set_collect_errors(fy, true);
	struct fy_parse_cfg cfg = {
		.flags = FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2 |
			 (named_json(l->doc->name) ? FYPCF_JSON_FORCE : FYPCF_JSON_NONE),
		.diag = fy,
	};
	parser = fy_parser_create(&cfg);
	if (parser && fy_parser_set_string(parser, bytes, n) == 0)
		err = run_parser(l, parser, fy);
	fy_parser_destroy(parser);
	fy_diag_destroy(fy);
	return err;
}

/* The line and column where bytes stop being text. */
static void place_of(const char *bytes, size_t at, int *line, int *column)
{
	*line = 1;
	*column = 1;
	for (size_t i = 0; i < at; i++) {
		if (bytes[i] == '\n') {
			++*line;
			*column = 1;
		} else if (((unsigned char)bytes[i] & 0xC0) != 0x80) {
			++*column;
		}
	}
}

static enum ieum_err check_bytes(struct loader *l, const char *bytes, size_t n)
{
	const char *bad = n ? memchr(bytes, '\0', n) : NULL;
	const char *what = "a NUL byte; this is not text";

	if (n > YAML_FILE_BYTES_MAX)
		return refuse(l, "the file is larger than 16 MiB; split it");
	if (!bad) {
		bad = (const char *)u8_check((const uint8_t *)bytes, n);
		what = "not valid UTF-8; save the file as UTF-8";
	}
	if (!bad)
		return IEUM_E_OK;
	place_of(bytes, (size_t)(bad - bytes), &l->line, &l->column);
	return refuse(l, what);
}

enum ieum_err yaml_doc_parse(const char *name, const void *bytes, size_t n, struct yaml_diag *diag,
			     struct yaml_doc **doc)
{
	struct loader l = { .doc = yaml_doc_new(name), .diag = diag };
	enum ieum_err err;

	if (!l.doc)
		return IEUM_E_NO_MEMORY;
	err = check_bytes(&l, bytes, n);
	if (!err)
		err = load(&l, n ? bytes : "", n);
	if (!err && !l.doc->root) {
		struct yaml_node *root;

		l.line = l.column = 1;
		err = add_node(&l, YAML_NULL, &root);
	}
	if (err) {
		yaml_doc_free(l.doc);
		return err;
	}
	*doc = l.doc;
	return IEUM_E_OK;
}

/* All of a file, at most one byte over the limit, which check_bytes() then refuses. */
static enum ieum_err read_all(FILE *in, char **bytes, size_t *n)
{
	size_t cap = 64 * 1024, len = 0, got;
	char *base = malloc(cap);

	if (!base)
		return IEUM_E_NO_MEMORY;
	while ((got = fread(base + len, 1, cap - len, in)) > 0) {
		len += got;
		if (len > YAML_FILE_BYTES_MAX)
			break;
		if (len < cap)
			continue;
		char *more = realloc(base, cap * 2);
		if (!more) {
			free(base);
			return IEUM_E_NO_MEMORY;
		}
		base = more;
		cap *= 2;
	}
	if (ferror(in)) {
		free(base);
		return IEUM_E_FILE_UNREADABLE;
	}
	*bytes = base;
	*n = len;
	return IEUM_E_OK;
}

enum ieum_err yaml_doc_open(const char *path, struct yaml_diag *diag, struct yaml_doc **doc)
{
	FILE *in = fopen(path, "re");
	char *bytes = NULL;
	size_t n = 0;
	enum ieum_err err = IEUM_E_FILE_UNREADABLE;

	errno = in ? 0 : errno;
	if (in)
		err = read_all(in, &bytes, &n);
	if (err == IEUM_E_FILE_UNREADABLE)
		yaml_diag_add(diag, path, 0, 0, "cannot be read: %s", strerror(errno));
	if (!err)
		err = yaml_doc_parse(path, bytes, n, diag, doc);
	free(bytes);
	if (in)
		(void)fclose(in);
	return err;
}
