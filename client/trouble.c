/* Saying errors; see trouble.h. */
#include "client/trouble.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "client/command.h"
#include "client/details.h"
#include "client/when.h"
#include "proto/catalog.h"

struct saying {
	uint32_t code;
	const char *name;
	const char *text;
	const char *detail; /* lines; NULL or "": none */
	const char *act;    /* what to do; NULL: nothing */
	uint32_t retry_after_ms;
	enum exit_code exit;
};

static void say_json(const struct invocation *inv, const struct saying *s)
{
	json_t *error = json_pack("{s:i, s:s, s:s, s:i}", "code", (int)s->code, "name", s->name,
				  "text", s->text, "exit", (int)s->exit);
	json_t *doc;

	if (error && s->detail && *s->detail)
		json_object_set_new(error, "detail", json_string(s->detail));
	if (error && s->act)
		json_object_set_new(error, "do", json_string(s->act));
	if (error && s->retry_after_ms)
		json_object_set_new(error, "retry_after_ms", json_integer(s->retry_after_ms));
	doc = json_pack("{s:o}", "error", error);
	if (!doc || json_dumpf(doc, inv->err, JSON_COMPACT) != 0)
		fputs("{\"error\":{\"code\":70,\"name\":\"NO_MEMORY\",\"exit\":9}}", inv->err);
	fputc('\n', inv->err);
	json_decref(doc);
}

/* Each line indented; what a hub sends can't move the cursor. */
static void say_lines(FILE *out, const char *lines)
{
	bool at_start = true;

	for (const char *c = lines; *c; c++) {
		if (at_start)
			fputs("  ", out);
		at_start = *c == '\n';
		fputc((unsigned char)*c < ' ' && *c != '\n' ? '?' : *c, out);
	}
	if (!at_start)
		fputc('\n', out);
}

static void say_text(const struct invocation *inv, const struct saying *s)
{
	char span[WHEN_BYTES], after[WHEN_BYTES * 2];

	if (s->code)
		fprintf(inv->err, "ieum: %s (%s)\n", s->text, s->name);
	else
		fprintf(inv->err, "ieum: %s\n", s->text);
	if (s->detail && *s->detail)
		say_lines(inv->err, s->detail);
	if (s->act)
		say_lines(inv->err, s->act);
	if (s->retry_after_ms) {
		snprintf(after, sizeof after, say(inv, TEXT_RETRY_AFTER),
			 when_span((int64_t)s->retry_after_ms, inv->lang, span));
		say_lines(inv->err, after);
	}
}

static enum exit_code say_it(const struct invocation *inv, const struct saying *s)
{
	char detail[DETAILS_BYTES];
	struct saying in_language = *s;

	in_language.detail = details_in(inv->lang, s->detail, detail);
	fflush(inv->out);
	if (inv->json)
		say_json(inv, &in_language);
	else
		say_text(inv, &in_language);
	return s->exit;
}

/* What a person can do about it; TEXT_COUNT_OF: nothing but what the error says. */
static enum text_id advice_id(enum ieum_err err)
{
	const struct ieum_error_row *row = ieum_error((int)err);

	switch (err) {
	case IEUM_E_IDENTITY_UNKNOWN: return TEXT_DO_ASK_OPERATOR;
	case IEUM_E_CERTIFICATE_REVOKED:
	case IEUM_E_CERTIFICATE_EXPIRED: return TEXT_DO_NEW_CERTIFICATE;
	case IEUM_E_DOMAIN_OPEN: return TEXT_DO_OPEN_REFERRALS;
	case IEUM_E_COMMIT_UNKNOWN:
	case IEUM_E_CONNECTION_LOST:
	case IEUM_E_TIMED_OUT: return TEXT_DO_RUN_AGAIN;
	case IEUM_E_SPOOL_FULL: return TEXT_DO_SPOOL_ROOM;
	case IEUM_E_SPOOL_LOCKED: return TEXT_DO_SPOOL_LOCKED;
	case IEUM_E_SPOOL_CORRUPT: return TEXT_DO_SPOOL_SALVAGE;
	case IEUM_E_JOURNAL_CORRUPT: return TEXT_DO_TELL_HUB;
	case IEUM_E_FILE_INVALID: return TEXT_DO_CHECK_FILE;
	case IEUM_E_FILE_UNREADABLE: return TEXT_DO_CHECK_PATH;
	case IEUM_E_CASE_UNKNOWN:
	case IEUM_E_REFERRAL_UNKNOWN:
	case IEUM_E_DELIVERY_UNKNOWN: return TEXT_DO_CHECK_ID;
	case IEUM_E_SPOOL_UNKNOWN: return TEXT_DO_LIST_SPOOL;
	case IEUM_E_SPOOL_FOREIGN: return TEXT_DO_OTHER_SPOOL;
	case IEUM_E_KEY_MISSING: return TEXT_DO_OTHER_KEY;
	/* Nothing to correct: the same again would be no better, or would count twice. */
	case IEUM_E_STATE_CONFLICT:
	case IEUM_E_CASE_CLOSED:
	case IEUM_E_SPOOL_KEEPS:
	case IEUM_E_FILE_EXISTS: return TEXT_COUNT_OF;
	case IEUM_E_TLS_FAILED: return TEXT_DO_CHECK_TLS;
	case IEUM_E_HUB_UNREACHABLE: return TEXT_DO_CHECK_ADDRESS;
	default: break;
	}
	if (row->retry != IEUM_RETRY_NO)
		return TEXT_DO_LATER;
	return row->fault == IEUM_FAULT_CLIENT ? TEXT_DO_CORRECT : TEXT_DO_ASK_OPERATOR;
}

static const char *advice(const struct invocation *inv, enum ieum_err err)
{
	enum text_id id = advice_id(err);

	return id == TEXT_COUNT_OF ? NULL : say(inv, id);
}

static const char *table_text(const struct invocation *inv, const struct ieum_error_row *row)
{
	return catalog_text(inv->lang, row->text);
}

/* An error of the table that isn't the hub's. */
static enum exit_code say_own(const struct invocation *inv, enum ieum_err err, const char *detail,
			      const char *act, enum exit_code code)
{
	const struct ieum_error_row *row = ieum_error((int)err);

	return say_it(inv, &(struct saying){ .code = (uint32_t)row->number,
					     .name = row->name,
					     .text = table_text(inv, row),
					     .detail = detail,
					     .act = act,
					     .exit = code });
}

enum exit_code trouble(const struct invocation *inv, enum ieum_err err, const char *detail)
{
	return say_own(inv, err, detail, advice(inv, err), exit_code_of(err));
}

enum exit_code trouble_damaged(const struct invocation *inv, const char *detail)
{
	return say_own(inv, IEUM_E_SPOOL_CORRUPT, detail, say(inv, TEXT_DO_SALVAGE),
		       exit_code_of(IEUM_E_SPOOL_CORRUPT));
}

enum exit_code trouble_kept(const struct invocation *inv, const char *detail)
{
	return say_own(inv, IEUM_E_TIMED_OUT, detail, say(inv, TEXT_DO_NOT_AGAIN), EXIT_KEPT);
}

enum exit_code trouble_hub(const struct invocation *inv, const struct trouble_from_hub *e)
{
	const struct ieum_error_row *row = ieum_error((int)e->code);
	bool known = row->number == (int)e->code;
	const char *hub_text = inv->lang == WORDS_KO && *e->text_ko ? e->text_ko : e->text_en;
	enum ieum_err err = (enum ieum_err)row->number;

	return say_it(inv, &(struct saying){ .code = e->code,
					     .name = known ? row->name : e->name,
					     .text = known || !*hub_text ? table_text(inv, row)
									 : hub_text,
					     .detail = e->detail,
					     .act = e->act  ? e->act
						    : known ? advice(inv, err)
							    : NULL,
					     .retry_after_ms = e->retry_after_ms,
					     .exit = known               ? exit_code_of(err)
						     : e->retry_after_ms ? EXIT_LATER
									 : EXIT_REFUSED });
}

enum exit_code trouble_usage(const struct invocation *inv, enum text_id what, const char *word)
{
	char what_text[512], see[128];

	snprintf(what_text, sizeof what_text, say(inv, what), word);
	snprintf(see, sizeof see, say(inv, TEXT_SEE_HELP), inv->command ? inv->command->name : "",
		 inv->command ? " " : "");
	return say_it(inv,
		      &(struct saying){
			      .name = "USAGE", .text = what_text, .act = see, .exit = EXIT_USAGE });
}

enum exit_code trouble_file(const struct invocation *inv, enum ieum_err err,
			    const struct yaml_diag *diag)
{
	char *lines = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&lines, &n);
	enum exit_code code;

	if (out) {
		yaml_diag_print(diag, out);
		fclose(out);
	}
	code = trouble(inv, err, lines);
	free(lines);
	return code;
}

enum exit_code trouble_errno(const struct invocation *inv, const char *path)
{
	char detail[1024];

	snprintf(detail, sizeof detail, say(inv, TEXT_FILE_CANT), path, strerror(errno));
	return trouble(inv, IEUM_E_FILE_UNREADABLE, detail);
}

enum exit_code trouble_output(const struct invocation *inv)
{
	return say_it(inv, &(struct saying){ .name = "OUTPUT",
					     .text = say(inv, TEXT_OUTPUT_FAILED),
					     .exit = EXIT_FAILED });
}
