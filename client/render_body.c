/* A message's typed body and its narrative as a person reads them: a line for each fact, a line of
 * its own for each part of a list. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "client/fields.h"
#include "client/opened.h"
#include "client/render.h"
#include "client/trouble.h"
#include "client/when.h"

struct reading {
	const struct invocation *inv;
	const struct names *names;
	FILE *out;
};

static void put_value(const struct reading *r, const char *key, const json_t *value);

static bool ends_in(const char *key, const char *unit)
{
	size_t n = strlen(key), u = strlen(unit);

	return n > u && strcmp(key + n - u, unit) == 0;
}

/* Without its unit, which the value tells. */
static const char *label(const struct reading *r, const char *key, char code[PBMAP_WORD_BYTES])
{
	size_t unit = strlen(ends_in(key, "_at_ms") ? "_at_ms" : ends_in(key, "_ms") ? "_ms" : "");

	snprintf(code, PBMAP_WORD_BYTES, "%.*s", (int)(strlen(key) - unit), key);
	const char *name = field_text(code, r->inv->lang);
	return name ? name : code;
}

/* A word of the domain, a value of fields.h, somebody of the directory, or the text as it is. */
static const char *text_of(const struct reading *r, const char *code, char name[SHOWN_BYTES])
{
	const char *text =
		words_find(code) ? words_text(code, r->inv->lang) : field_text(code, r->inv->lang);

	return text ? text : *code ? shown_name(r->inv, r->names, code, name) : "";
}

static void put_number(const struct reading *r, const char *key, const json_t *value)
{
	char when[WHEN_BYTES];

	if (json_is_real(value))
		fprintf(r->out, "%g", json_real_value(value));
	else if (ends_in(key, "_at_ms"))
		fputs(when_time(json_integer_value(value), when), r->out);
	else if (ends_in(key, "_ms"))
		fputs(when_span(json_integer_value(value), r->inv->lang, when), r->out);
	else
		fprintf(r->out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
}

/* "– Answer: accept · Title: …" */
static void put_part(const struct reading *r, const json_t *object)
{
	char code[PBMAP_WORD_BYTES];
	const char *between = "\n  – ";

	for (void *at = json_object_iter((json_t *)object); at;
	     at = json_object_iter_next((json_t *)object, at)) {
		fprintf(r->out, "%s%s: ", between, label(r, json_object_iter_key(at), code));
		put_value(r, json_object_iter_key(at), json_object_iter_value(at));
		between = " · ";
	}
}

static void put_list(const struct reading *r, const char *key, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);

		if (i && !json_is_object(item))
			fputs(", ", r->out);
		put_value(r, key, item);
	}
}

/* As `ieum handover` shows it: two people can compare them. */
static void put_digest(const struct reading *r, const char *base64)
{
	uint8_t bytes[SHOWN_BYTES];
	size_t n = strlen(base64), pad = 0;

	while (pad < n && base64[n - 1 - pad] == '=')
		pad++;
	int len = n / 4 * 3 <= sizeof bytes
			  ? EVP_DecodeBlock(bytes, (const uint8_t *)base64, (int)n)
			  : -1;
	for (int i = 0; i + (int)pad < len; i++)
		fprintf(r->out, "%02x", bytes[i]);
}

static void put_value(const struct reading *r, const char *key, const json_t *value)
{
	char name[SHOWN_BYTES];

	if (json_is_string(value) && strcmp(key, "digest") == 0) {
		put_digest(r, json_string_value(value));
		return;
	}
	/* Bytes that nobody reads: how many of them. */
	if (json_is_array(value) &&
	    (strcmp(key, "certificates") == 0 || strcmp(key, "keys") == 0)) {
		fprintf(r->out, "%zu", json_array_size(value));
		return;
	}
	switch (json_typeof(value)) {
	case JSON_STRING: fputs(text_of(r, json_string_value(value), name), r->out); break;
	case JSON_TRUE: fputs(say(r->inv, TEXT_YES), r->out); break;
	case JSON_FALSE: fputs(say(r->inv, TEXT_NO), r->out); break;
	case JSON_INTEGER:
	case JSON_REAL: put_number(r, key, value); break;
	case JSON_ARRAY: put_list(r, key, value); break;
	case JSON_OBJECT: put_part(r, value); break;
	case JSON_NULL: break;
	}
}

static const ProtobufCMessage *body_of(const Ieum__V1__Referral *m)
{
	const ProtobufCMessageDescriptor *type = m->base.descriptor;
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field(type, (unsigned)m->body_case);

	return field && field->type == PROTOBUF_C_TYPE_MESSAGE && m->body_case
		       ? *(const ProtobufCMessage *const *)((const char *)m + field->offset)
		       : NULL;
}

/* "Child at home: yes" for each fact. */
static enum ieum_err put_facts(struct reading *r, const ProtobufCMessage *body)
{
	char code[PBMAP_WORD_BYTES];
	json_t *facts = NULL;
	enum ieum_err err = pbmap_to_json(body, NULL, &facts);

	if (err)
		return err;
	for (void *at = json_object_iter(facts); at; at = json_object_iter_next(facts, at)) {
		fprintf(r->out, "%s: ", label(r, json_object_iter_key(at), code));
		put_value(r, json_object_iter_key(at), json_object_iter_value(at));
		fputc('\n', r->out);
	}
	json_decref(facts);
	return IEUM_E_OK;
}

static enum exit_code render_body(const struct invocation *inv, const Ieum__V1__Referral *m,
				  const struct names *names)
{
	const ProtobufCMessage *body = body_of(m);
	char *text = NULL;
	size_t n = 0;
	enum ieum_err err = IEUM_E_NO_MEMORY;
	struct reading r = { inv, names, NULL };

	if (!body)
		return EXIT_DONE;
	r.out = open_memstream(&text, &n);
	if (r.out) {
		if (m->body_case == IEUM__V1__REFERRAL__BODY_IDENTITY_REQUEST &&
		    m->identity_request->break_glass)
			fprintf(r.out, "%s\n", say(inv, TEXT_BREAK_GLASS));
		err = put_facts(&r, body);
		if (fclose(r.out) && !err)
			err = IEUM_E_NO_MEMORY;
	}
	if (!err)
		shown_text(inv->out, text, n, "    ");
	free(text);
	return err ? trouble(inv, err, NULL) : EXIT_DONE;
}

static void render_part(const struct invocation *inv, const Ieum__V1__NarrativePart *part,
			const struct ieum_opened_part *opened, const struct names *names)
{
	if (part->content_case == IEUM__V1__NARRATIVE_PART__CONTENT_SEALED) {
		opened_render(inv, part, opened, names);
	} else if (strncmp(part->media_type, "text/", 5) != 0) {
		fputs("    ", inv->out);
		fprintf(inv->out, say(inv, TEXT_PART_ATTACHMENT), part->media_type,
			part->clear.len);
		fputc('\n', inv->out);
	} else {
		shown_text(inv->out, (const char *)part->clear.data, part->clear.len, "    | ");
	}
}

/* What there is to do about keys.  What is answered by itself is said once it is. */
static void render_key_hint(const struct invocation *inv, const Ieum__V1__Referral *m)
{
	bool asks = m->body_case == IEUM__V1__REFERRAL__BODY_KEY_REQUEST && inv->profile &&
		    inv->profile->ask_to_wrap;
	char id[UUID_TEXT_BYTES];

	if (!asks && m->body_case != IEUM__V1__REFERRAL__BODY_KEY_WRAP)
		return;
	shown_id(asks ? &m->envelope->message_id : &m->key_wrap->message_id, id);
	fputs("    ", inv->out);
	fprintf(inv->out, say(inv, asks ? TEXT_KEY_TO_WRAP : TEXT_KEY_CAME), id);
	fputc('\n', inv->out);
}

enum exit_code render_content(const struct invocation *inv, const Ieum__V1__Referral *m,
			      const char *sender, int64_t received_at_ms, const struct names *names)
{
	enum exit_code code = render_body(inv, m, names);
	struct ieum_opened *opened = opened_of(inv, m, sender, received_at_ms);

	for (size_t i = 0; i < m->n_narrative && !code; i++)
		render_part(inv, m->narrative[i], opened ? &opened->parts[i] : NULL, names);
	ieum_opened_free(opened);
	if (!code)
		render_key_hint(inv, m);
	return code;
}
