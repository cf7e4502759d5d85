/* ieum audit verify: a journal file, without a hub.
 *
 * The only file of the client that knows the broker: an auditor has this one program, and a
 * second reading of journals would be a second truth (docs/decisions/0008). */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/audit.h"
#include "client/command.h"
#include "client/json_out.h"
#include "client/render.h"
#include "client/trouble.h"
#include "client/values.h"
#include "client/when.h"

enum { ROOT_TEXT_BYTES = 2 * AUDIT_HASH_BYTES + 1 };

static const char *hex(const uint8_t *bytes, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
	return out;
}

static bool unhex(const char *text, uint8_t out[AUDIT_HASH_BYTES])
{
	if (strlen(text) != 2 * AUDIT_HASH_BYTES ||
	    strspn(text, "0123456789abcdefABCDEF") != 2 * AUDIT_HASH_BYTES)
		return false;
	for (size_t i = 0; i < AUDIT_HASH_BYTES; i++) {
		char byte[3] = { text[2 * i], text[2 * i + 1], '\0' };

		out[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	return true;
}

/* "SIZE:ROOT" */
static enum exit_code take_earlier(const struct invocation *inv, struct audit_options *options)
{
	const char *text = value_of(inv, OPTION_EARLIER);
	char *end = NULL;

	if (!given(inv, OPTION_EARLIER))
		return EXIT_DONE;
	options->earlier_size = isdigit((unsigned char)*text) ? strtoull(text, &end, 10) : 0;
	if (!options->earlier_size || *end != ':' || !unhex(end + 1, options->earlier_root))
		return trouble_usage(inv, TEXT_EARLIER_WRONG, text);
	return EXIT_DONE;
}

static void show_progress(void *ctx, uint64_t done, uint64_t of)
{
	const struct invocation *inv = ctx;

	fputc('\r', inv->err);
	fprintf(inv->err, say(inv, TEXT_AUDIT_PROGRESS), (int)(of ? done * 100 / of : 0), done, of);
	fflush(inv->err);
}

/* ---- what was found ---- */

static json_t *json_mailboxes(const struct audit *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->n_mailboxes; i++) {
		const struct audit_mailbox *m = &a->mailboxes[i];

		json_array_append_new(
			list, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "mailbox", m->name,
					"routed", (json_int_t)m->routed, "queued",
					(json_int_t)m->queued, "in_flight",
					(json_int_t)m->in_flight, "settled", (json_int_t)m->settled,
					"dead_lettered", (json_int_t)m->dead_lettered, "withdrawn",
					(json_int_t)m->withdrawn));
	}
	return list;
}

static enum exit_code print_json(const struct invocation *inv, const struct audit *a)
{
	char root[ROOT_TEXT_BYTES], incarnation[UUID_TEXT_BYTES];
	json_t *doc;

	uuid_format(a->incarnation, incarnation);
	doc = json_pack("{s:b, s:I, s:I, s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:o}", "sound",
			(int)a->sound, "events", (json_int_t)a->events, "commits",
			(json_int_t)a->commits, "root", hex(a->root, AUDIT_HASH_BYTES, root),
			"incarnation", incarnation, "drill", (int)a->drill, "first_at_us",
			(json_int_t)a->first_at_us, "last_at_us", (json_int_t)a->last_at_us,
			"messages", (json_int_t)a->messages, "payloads_checked",
			(json_int_t)a->payloads_checked, "payloads_erased",
			(json_int_t)a->payloads_erased, "mailboxes", json_mailboxes(a));
	if (doc && !a->sound) {
		json_object_set_new(doc, "mismatch", json_string(a->mismatch));
		json_object_set_new(doc, "mismatch_event",
				    json_integer((json_int_t)a->mismatch_seq));
	}
	return json_out(inv, doc);
}

static enum exit_code print_mailboxes(const struct invocation *inv, const struct audit *a)
{
	struct sheet s;

	sheet_begin(&s, inv);
	sheet_column(&s, TEXT_MAILBOX, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_ROUTED, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_DEPTH, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_IN_FLIGHT_N, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_SETTLED_COUNT, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_DEAD_N, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_WITHDRAWN_COUNT, TABLE_RIGHT, 0);
	for (size_t i = 0; i < a->n_mailboxes; i++) {
		const struct audit_mailbox *m = &a->mailboxes[i];

		if (m->routed == 0)
			continue;
		sheet_row(&s);
		sheet_cell(&s, m->name);
		sheet_number(&s, m->routed);
		sheet_number(&s, m->queued);
		sheet_number(&s, m->in_flight);
		sheet_number(&s, m->settled);
		sheet_number(&s, m->dead_lettered);
		sheet_number(&s, m->withdrawn);
	}
	return sheet_end(&s);
}

static enum exit_code print_summary(const struct invocation *inv, const struct audit *a)
{
	char root[ROOT_TEXT_BYTES], id[UUID_TEXT_BYTES], from[WHEN_BYTES], to[WHEN_BYTES];
	char line[3 * WHEN_BYTES];
	struct sheet s;

	uuid_format(a->incarnation, id);
	sheet_begin(&s, inv);
	sheet_plain_column(&s, TABLE_LEFT);
	sheet_plain_column(&s, TABLE_LEFT);
	sheet_field(&s, TEXT_AUDIT_ROOT, hex(a->root, AUDIT_HASH_BYTES, root));
	snprintf(line, sizeof line, "%" PRIu64, a->events);
	sheet_field(&s, TEXT_AUDIT_EVENTS, line);
	snprintf(line, sizeof line, "%s – %s", when_time(a->first_at_us / 1000, from),
		 when_time(a->last_at_us / 1000, to));
	sheet_field(&s, TEXT_AUDIT_SPAN, a->first_at_us ? line : "");
	snprintf(line, sizeof line, say(inv, TEXT_AUDIT_PAYLOADS), a->messages, a->payloads_checked,
		 a->payloads_erased);
	sheet_field(&s, TEXT_AUDIT_MESSAGES, line);
	sheet_field(&s, TEXT_AUDIT_INCARNATION, id);
	return sheet_end(&s);
}

static void print_verdict(const struct invocation *inv, const struct audit *a)
{
	fputs(!inv->colour ? "" : a->sound ? "\033[32m" : "\033[31m", inv->out);
	if (a->sound)
		fprintf(inv->out, say(inv, TEXT_AUDIT_SOUND), a->events, a->commits);
	else if (a->mismatch_seq)
		fprintf(inv->out, say(inv, TEXT_AUDIT_MISMATCH), a->mismatch_seq, a->mismatch);
	else
		fprintf(inv->out, say(inv, TEXT_AUDIT_MISMATCH_ALL), a->mismatch);
	fputs(inv->colour ? "\033[0m\n" : "\n", inv->out);
	if (!a->sound) {
		fprintf(inv->out, say(inv, TEXT_AUDIT_UP_TO), a->events);
		fputc('\n', inv->out);
	}
	if (a->drill)
		fprintf(inv->out, "** %s **\n", say(inv, TEXT_DRILL));
}

static enum exit_code print_audit(const struct invocation *inv, const struct audit *a)
{
	char root[ROOT_TEXT_BYTES];
	enum exit_code code;

	if (inv->json)
		return print_json(inv, a);
	print_verdict(inv, a);
	fputc('\n', inv->out);
	code = print_summary(inv, a);
	if (!code) {
		fputc('\n', inv->out);
		code = print_mailboxes(inv, a);
	}
	if (!code && a->sound && a->events) {
		fputc('\n', inv->out);
		fprintf(inv->out, say(inv, TEXT_AUDIT_NOTE_ROOT), a->events,
			hex(a->root, AUDIT_HASH_BYTES, root));
		fputc('\n', inv->out);
	}
	return code;
}

/* Errors of the file, not of a hub. */
static enum exit_code say_why(const struct invocation *inv, enum ieum_err err,
			      const struct audit *a)
{
	enum exit_code code = trouble(inv, err, *a->mismatch ? a->mismatch : inv->words[1]);

	return code == EXIT_MISMATCH || code == EXIT_FAILED ? code : EXIT_FILE;
}

static enum exit_code verify(struct invocation *inv)
{
	bool terminal = !inv->json && isatty(fileno(inv->err)) == 1;
	struct audit_options options = { .progress_cb = terminal ? show_progress : NULL,
					 .progress_ctx = inv };
	enum exit_code code = take_earlier(inv, &options);
	struct audit a;
	enum ieum_err err;

	if (code)
		return code;
	err = audit_run(inv->words[1], &options, &a);
	if (terminal)
		fputs("\r\033[K", inv->err);
	if (err)
		return say_why(inv, err, &a);
	code = print_audit(inv, &a);
	if (!code && !a.sound)
		code = EXIT_MISMATCH;
	audit_release(&a);
	return code;
}

enum exit_code cmd_audit(struct invocation *inv)
{
	static const enum arguments_option others[] = { OPTION_CASE, OPTION_TOKEN,
							OPTION_PARTICIPANT };

	if (strcmp(inv->words[0], "ledger") == 0)
		return cmd_ledger(inv);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (given(inv, others[i]))
			return trouble_usage(inv, TEXT_OPTION_NOT_HERE,
					     arguments_option_name(others[i]));
	return verify(inv);
}
