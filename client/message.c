/* Making messages; see message.h. */
#include "client/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/link.h"
#include "client/seal_message.h"
#include "client/subject.h"
#include "client/trouble.h"
#include "client/values.h"
#include "proto/codec.h"
#include "proto/pbmap.h"

enum { BODY_FIELD_FIRST = 100 }; /* field number of a body = 100 + number of its type */

/* ---- files ---- */

static bool is_stdin(const char *path)
{
	return strcmp(path, "-") == 0;
}

/* The whole file; *bytes is the caller's. */
static enum exit_code read_all(const struct invocation *inv, const char *path, char **bytes,
			       size_t *n)
{
	FILE *in = is_stdin(path) ? stdin : fopen(path, "rb");
	char *all = in ? malloc(MESSAGE_FILE_BYTES_MAX + 1) : NULL;
	char detail[512];
	enum exit_code code = EXIT_DONE;

	if (!all) {
		code = in ? trouble(inv, IEUM_E_NO_MEMORY, NULL) : trouble_errno(inv, path);
	} else {
		*n = fread(all, 1, MESSAGE_FILE_BYTES_MAX + 1, in);
		if (ferror(in)) {
			code = trouble_errno(inv, path);
		} else if (*n > MESSAGE_FILE_BYTES_MAX) {
			snprintf(detail, sizeof detail, say(inv, TEXT_FILE_TOO_LARGE), path,
				 MESSAGE_FILE_BYTES_MAX);
			code = trouble(inv, IEUM_E_FILE_INVALID, detail);
		}
	}
	if (in && in != stdin)
		fclose(in);
	if (code) {
		free(all);
		return code;
	}
	*bytes = realloc(all, *n + 1);
	if (!*bytes)
		*bytes = all;
	return EXIT_DONE;
}

static enum exit_code parse(const struct invocation *inv, const char *name, const char *bytes,
			    size_t n, ProtobufCMessage **out)
{
	struct yaml_diag *diag = malloc(sizeof *diag);
	enum exit_code code;
	enum ieum_err err;

	if (!diag)
		return trouble(inv, IEUM_E_NO_MEMORY, NULL);
	yaml_diag_init(diag);
	err = pbmap_from_text(name, bytes, n, &ieum__v1__referral__descriptor, NULL, diag, out);
	code = err ? trouble_file(inv, err, diag) : EXIT_DONE;
	free(diag);
	return code;
}

/* ---- parts ---- */

static bool set_id(ProtobufCBinaryData *to, const uint8_t id[UUID_BYTES])
{
	uint8_t *copy = malloc(UUID_BYTES);

	if (!copy)
		return false;
	memcpy(copy, id, UUID_BYTES);
	free(to->data);
	to->data = copy;
	to->len = UUID_BYTES;
	return true;
}

/* Texts of a message that protobuf-c will free. */
static bool set_text(char **to, const char *text)
{
	*to = strdup(text);
	return *to != NULL;
}

static Ieum__V1__NarrativePart *new_part(const struct invocation *inv, char *bytes, size_t n)
{
	Ieum__V1__NarrativePart *part = malloc(sizeof *part);

	if (!part)
		return NULL;
	ieum__v1__narrative_part__init(part);
	if (!set_text(&part->media_type, "text/plain") ||
	    !set_text(&part->language, inv->lang == WORDS_KO ? "ko" : "en")) {
		ieum__v1__narrative_part__free_unpacked(part, NULL);
		return NULL;
	}
	part->content_case = IEUM__V1__NARRATIVE_PART__CONTENT_CLEAR;
	part->clear = (ProtobufCBinaryData){ n, (uint8_t *)bytes };
	return part;
}

static bool add_part(Ieum__V1__Referral *m, Ieum__V1__NarrativePart *part)
{
	Ieum__V1__NarrativePart **more =
		realloc(m->narrative, (m->n_narrative + 1) * sizeof(Ieum__V1__NarrativePart *));

	if (!more)
		return false;
	m->narrative = more;
	more[m->n_narrative++] = part;
	return true;
}

enum exit_code message_add_text(const struct invocation *inv, Ieum__V1__Referral *m)
{
	Ieum__V1__NarrativePart *part;
	enum exit_code code;
	char *bytes = NULL;
	size_t n = 0;

	if (!given(inv, OPTION_TEXT))
		return EXIT_DONE;
	code = read_all(inv, value_of(inv, OPTION_TEXT), &bytes, &n);
	if (code)
		return code;
	part = new_part(inv, bytes, n);
	if (!part)
		free(bytes);
	if (!part || !add_part(m, part)) {
		if (part)
			ieum__v1__narrative_part__free_unpacked(part, NULL);
		return trouble(inv, IEUM_E_NO_MEMORY, NULL);
	}
	return EXIT_DONE;
}

/* ---- options ---- */

static enum exit_code option_id(const struct invocation *inv, enum arguments_option option,
				ProtobufCBinaryData *to)
{
	uint8_t id[UUID_BYTES];
	enum exit_code code;

	if (!given(inv, option))
		return EXIT_DONE;
	code = value_id(inv, value_of(inv, option), id);
	if (!code && !set_id(to, id))
		code = trouble(inv, IEUM_E_NO_MEMORY, NULL);
	return code;
}

/* False when out of memory; what is there already goes with the message. */
static bool set_tokens(Ieum__V1__Envelope *e, const struct ieum_tokens *tokens)
{
	e->subject_tokens = calloc(tokens->n, sizeof *e->subject_tokens);
	if (!e->subject_tokens)
		return false;
	for (size_t i = 0; i < tokens->n; i++) {
		uint8_t *copy = malloc(IEUM_TOKEN_BYTES);

		if (!copy)
			return false;
		memcpy(copy, tokens->at[i].bytes, IEUM_TOKEN_BYTES);
		e->subject_tokens[i] = (ProtobufCBinaryData){ IEUM_TOKEN_BYTES, copy };
		e->n_subject_tokens = i + 1;
	}
	return true;
}

/* The tokens of whom --subject describes. */
static enum exit_code add_tokens(const struct invocation *inv, Ieum__V1__Envelope *e)
{
	struct subject_tokens subject;
	enum exit_code code;

	if (!given(inv, OPTION_SUBJECT)) {
		enum arguments_option alone =
			given(inv, OPTION_ON) ? OPTION_ON : OPTION_COUNCIL_KEY;

		return given(inv, alone) ? trouble_usage(inv, TEXT_OPTION_NOT_HERE,
							 arguments_option_name(alone))
					 : EXIT_DONE;
	}
	if (e->n_subject_tokens > 0)
		return trouble_usage(inv, TEXT_TOKENS_THERE, inv->words[0]);
	code = subject_read(inv, &subject);
	if (!code && !set_tokens(e, &subject.tokens))
		code = trouble(inv, IEUM_E_NO_MEMORY, NULL);
	return code;
}

void message_type_from_body(Ieum__V1__Referral *m)
{
	if (m->envelope->type == 0 && (int)m->body_case > BODY_FIELD_FIRST)
		m->envelope->type = (Ieum__V1__MessageType)((int)m->body_case - BODY_FIELD_FIRST);
}

/* The person for whom a gateway sends. */
static bool add_person(const struct invocation *inv, Ieum__V1__Envelope *e)
{
	const char *person = value_of(inv, OPTION_ON_BEHALF_OF);
	char *copy = person ? strdup(person) : NULL;

	if (!copy)
		return !person;
	if (e->on_behalf_of != protobuf_c_empty_string)
		free(e->on_behalf_of);
	e->on_behalf_of = copy;
	return true;
}

static enum exit_code apply_options(const struct invocation *inv, Ieum__V1__Referral *m)
{
	Ieum__V1__Envelope *e = m->envelope;
	enum exit_code code = EXIT_DONE;

	if (given(inv, OPTION_CASE) && given(inv, OPTION_OPEN_CASE))
		return trouble_usage(inv, TEXT_CASE_OR_OPEN, "");
	message_type_from_body(m);
	if (given(inv, OPTION_OPEN_CASE))
		e->open_case = true;
	if (!add_person(inv, e))
		return trouble(inv, IEUM_E_NO_MEMORY, NULL);
	code = option_id(inv, OPTION_CASE, &e->case_id);
	if (!code)
		code = option_id(inv, OPTION_MESSAGE_ID, &e->message_id);
	if (!code)
		code = option_id(inv, OPTION_REPLY_TO, &e->in_reply_to);
	if (!code)
		code = add_tokens(inv, e);
	return code ? code : message_add_text(inv, m);
}

static bool ensure_envelope(Ieum__V1__Referral *m)
{
	if (m->envelope)
		return true;
	m->envelope = malloc(sizeof *m->envelope);
	if (!m->envelope)
		return false;
	ieum__v1__envelope__init(m->envelope);
	return true;
}

enum exit_code message_read(const struct invocation *inv, const char *path,
			    Ieum__V1__Referral **out)
{
	ProtobufCMessage *parsed = NULL;
	Ieum__V1__Referral *m;
	enum exit_code code;
	char *bytes = NULL;
	size_t n = 0;

	if (is_stdin(path) && given(inv, OPTION_TEXT) && is_stdin(value_of(inv, OPTION_TEXT)))
		return trouble_usage(inv, TEXT_OPTION_VALUE, arguments_option_name(OPTION_TEXT));
	code = read_all(inv, path, &bytes, &n);
	if (code)
		return code;
	code = parse(inv, is_stdin(path) ? "stdin" : path, bytes, n, &parsed);
	free(bytes);
	if (!parsed)
		return code;
	m = (Ieum__V1__Referral *)parsed;
	code = ensure_envelope(m) ? apply_options(inv, m) : trouble(inv, IEUM_E_NO_MEMORY, NULL);
	if (code)
		ieum__v1__referral__free_unpacked(m, NULL);
	else
		*out = m;
	return code;
}

enum exit_code message_answer(const struct invocation *inv, const uint8_t to[UUID_BYTES],
			      Ieum__V1__Referral **out)
{
	Ieum__V1__Referral *m = malloc(sizeof *m);
	Ieum__V1__Answer *answer = malloc(sizeof *answer);

	if (!m || !answer) {
		free(m);
		free(answer);
		return trouble(inv, IEUM_E_NO_MEMORY, NULL);
	}
	ieum__v1__referral__init(m);
	ieum__v1__answer__init(answer);
	m->body_case = IEUM__V1__REFERRAL__BODY_ANSWER;
	m->answer = answer;
	if (!ensure_envelope(m) || !set_id(&m->envelope->in_reply_to, to) ||
	    !add_person(inv, m->envelope)) {
		ieum__v1__referral__free_unpacked(m, NULL);
		return trouble(inv, IEUM_E_NO_MEMORY, NULL);
	}
	m->envelope->type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER;
	enum exit_code code = option_id(inv, OPTION_MESSAGE_ID, &m->envelope->message_id);
	if (code)
		ieum__v1__referral__free_unpacked(m, NULL);
	else
		*out = m;
	return code;
}

enum exit_code message_name(const struct invocation *inv, Ieum__V1__Referral *m, int64_t now_ms)
{
	struct uuid7_source source = { 0 };
	uint8_t id[UUID_BYTES];
	enum ieum_err err;

	if (m->envelope->message_id.len)
		return EXIT_DONE;
	err = now_ms > 0 ? uuid7_next(&source, (uint64_t)now_ms, id) : uuid7_make(id);
	if (!err && !set_id(&m->envelope->message_id, id))
		err = IEUM_E_NO_MEMORY;
	return err ? trouble(inv, err, NULL) : EXIT_DONE;
}

bool message_outline(const struct invocation *inv, const Ieum__V1__Referral *m,
		     struct message_outline *out)
{
	enum ieum_seal what = link_sealing(inv);
	size_t n = m->n_narrative;

	*out = (struct message_outline){ .m = *m };
	out->parts = calloc(n ? n : 1, sizeof *out->parts);
	out->list = calloc(n ? n : 1, sizeof(Ieum__V1__NarrativePart *));
	if (!out->parts || !out->list) {
		message_outline_free(out);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		Ieum__V1__NarrativePart *part = &out->parts[i];

		*part = *m->narrative[i];
		out->list[i] = part;
		if (seal_part_wanted(part, what))
			part->content_case = IEUM__V1__NARRATIVE_PART__CONTENT__NOT_SET;
	}
	out->m.narrative = out->list;
	return true;
}

void message_outline_free(struct message_outline *outline)
{
	free(outline->parts);
	free(outline->list);
	*outline = (struct message_outline){ 0 };
}

/* What is to be sealed may say anything: bytes, for the codec. */
static void fill(const Ieum__V1__Referral *m, struct message_outline *outline)
{
	static uint8_t anything[] = "-";

	for (size_t i = 0; i < outline->m.n_narrative; i++) {
		Ieum__V1__NarrativePart *part = &outline->parts[i];

		if (part->content_case == m->narrative[i]->content_case)
			continue;
		part->media_type = (char *)"application/octet-stream";
		part->subject = IEUM__V1__NARRATIVE_SUBJECT__NARRATIVE_SUBJECT_UNSPECIFIED;
		part->content_case = IEUM__V1__NARRATIVE_PART__CONTENT_CLEAR;
		part->clear = (ProtobufCBinaryData){ 1, anything };
	}
}

enum exit_code message_check(const struct invocation *inv, const Ieum__V1__Referral *m)
{
	struct codec_problem problem = { 0 };
	struct message_outline outline;
	Ieum__V1__Envelope envelope = *m->envelope;
	uint8_t id[UUID_BYTES];
	enum ieum_err err = IEUM_E_OK;

	if (!message_outline(inv, m, &outline))
		return trouble(inv, IEUM_E_NO_MEMORY, NULL);
	fill(m, &outline);
	if (envelope.message_id.len == 0 && !(err = uuid7_make(id)))
		envelope.message_id = (ProtobufCBinaryData){ sizeof id, id };
	outline.m.envelope = &envelope;
	if (!err)
		err = codec_check_referral(&outline.m, &problem);
	message_outline_free(&outline);
	if (!err)
		return EXIT_DONE;
	trouble(inv, err, problem.detail);
	return EXIT_FILE;
}
