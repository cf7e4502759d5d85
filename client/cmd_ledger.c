/* ieum audit ledger: who received or read what, or was given its key, from a journal file alone.
 *
 * As cmd_audit.c this knows the broker, for an auditor has this one program. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "broker/disclosures.h"
#include "client/command.h"
#include "client/json_out.h"
#include "client/render.h"
#include "client/trouble.h"
#include "client/values.h"
#include "client/when.h"

enum { TOKEN_BYTES_MAX = 64, PARTS_MAX = 32 };

/* Where the rows go. */
struct printing {
	const struct invocation *inv;
	struct sheet sheet;
	json_t *list; /* NULL: a table */
	size_t n;
};

/* ---- whose ---- */

struct wanted {
	uint8_t case_id[UUID_BYTES];
	uint8_t token[TOKEN_BYTES_MAX];
};

static enum exit_code take_token(const struct invocation *inv, struct wanted *w,
				 struct disclosures_of *of)
{
	const char *text = value_of(inv, OPTION_TOKEN);
	uint8_t bytes[TOKEN_BYTES_MAX + 8];
	size_t n = strlen(text);
	int len = n > 0 && n % 4 == 0 && n / 4 * 3 <= sizeof bytes
			  ? EVP_DecodeBlock(bytes, (const uint8_t *)text, (int)n)
			  : -1;

	for (size_t i = n; len > 0 && i > n - 2 && text[i - 1] == '='; i--)
		len--;
	if (len <= 0 || len > TOKEN_BYTES_MAX)
		return trouble_usage(inv, TEXT_LEDGER_TOKEN, text);
	memcpy(w->token, bytes, (size_t)len);
	of->token = w->token;
	of->token_len = (size_t)len;
	return EXIT_DONE;
}

static enum exit_code take_wanted(const struct invocation *inv, struct wanted *w,
				  struct disclosures_of *of)
{
	int n = given(inv, OPTION_CASE) + given(inv, OPTION_TOKEN) + given(inv, OPTION_PARTICIPANT);
	enum exit_code code;

	if (given(inv, OPTION_EARLIER))
		return trouble_usage(inv, TEXT_OPTION_NOT_HERE,
				     arguments_option_name(OPTION_EARLIER));
	if (n != 1)
		return trouble_usage(inv, TEXT_LEDGER_WHICH, "");
	if (given(inv, OPTION_TOKEN))
		return take_token(inv, w, of);
	if (given(inv, OPTION_PARTICIPANT)) {
		of->participant = value_of(inv, OPTION_PARTICIPANT);
		return EXIT_DONE;
	}
	code = value_id(inv, value_of(inv, OPTION_CASE), w->case_id);
	of->case_id = w->case_id;
	return code;
}

/* ---- printing ---- */

static const char *id_text(const uint8_t *id, char out[UUID_TEXT_BYTES])
{
	*out = '\0';
	if (id)
		uuid_format(id, out);
	return out;
}

static const char *how_word(const struct disclosure *d)
{
	return d->key_parts ? "key" : *d->read ? "read" : "received";
}

static json_t *parts_json(uint32_t parts)
{
	json_t *list = json_array();

	for (uint32_t number = 1; list && number <= PARTS_MAX; number++)
		if (parts >> (number - 1) & 1 &&
		    json_array_append_new(list, json_integer(number)) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static enum ieum_err add_json(struct printing *p, const struct disclosure *d)
{
	char message[UUID_TEXT_BYTES], in_case[UUID_TEXT_BYTES], word[3][PBMAP_WORD_BYTES];

	(void)pbmap_enum_word(&ieum__v1__message_type__descriptor, (int)d->type, word[0]);
	(void)pbmap_enum_word(&ieum__v1__basis_kind__descriptor, (int)d->basis, word[1]);
	(void)pbmap_enum_word(&ieum__v1__delivery_cause__descriptor, (int)d->cause, word[2]);
	json_t *row = json_pack(
		"{s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, "
		"s:s, s:s, s:o}",
		"journal_number", (json_int_t)d->seq, "at_us", (json_int_t)d->at_us, "participant",
		d->participant, "actor", d->actor, "address", d->address, "how", how_word(d),
		"read", d->read, "mailbox", d->mailbox, "cause", d->cause ? word[2] : "",
		"message_id", id_text(d->message_id, message), "type", d->message_id ? word[0] : "",
		"case_id", id_text(d->case_id, in_case), "sender", d->sender, "sender_actor",
		d->sender_actor, "on_behalf_of", d->on_behalf_of, "article", d->article, "erased",
		(int)d->erased, "wrapped_by", d->wrapped_by, "wrapped_by_actor",
		d->wrapped_by_actor, "parts", parts_json(d->key_parts));
	if (!row || json_object_set_new(row, "basis", json_string(d->basis ? word[1] : "")) != 0 ||
	    json_array_append_new(p->list, row) != 0)
		return IEUM_E_NO_MEMORY;
	return IEUM_E_OK;
}

/* "statutory, 아동복지법 제22조의4" */
static const char *basis_text(const struct printing *p, const struct disclosure *d,
			      char out[SHOWN_WHO_BYTES])
{
	const char *kind = d->basis ? SHOWN_WORD(p->inv, basis_kind, d->basis) : "";

	snprintf(out, SHOWN_WHO_BYTES, "%s%s%s", kind, *d->article ? ", " : "", d->article);
	return out;
}

/* What was asked for, by the name that it has in the journal. */
static const char *read_text(const struct printing *p, const char *what, char out[SHOWN_WHO_BYTES])
{
	static const struct {
		const char *what;
		enum text_id text;
	} asked[] = {
		{ "cases", TEXT_LEDGER_READ_CASES },
		{ "case", TEXT_LEDGER_READ_CASE },
		{ "referral", TEXT_LEDGER_READ_REFERRAL },
		{ "referral_status", TEXT_LEDGER_READ_STATUS },
		{ "deadlines", TEXT_LEDGER_READ_DEADLINES },
		{ "agenda", TEXT_LEDGER_READ_AGENDA },
		{ "pools", TEXT_LEDGER_READ_POOLS },
		{ "handover", TEXT_LEDGER_READ_HANDOVER },
		{ "queues", TEXT_LEDGER_READ_QUEUES },
		{ "queue", TEXT_LEDGER_READ_QUEUE },
	};

	for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
		if (strcmp(asked[i].what, what) == 0)
			return say(p->inv, asked[i].text);
	snprintf(out, SHOWN_WHO_BYTES, say(p->inv, TEXT_LEDGER_READ), what);
	return out;
}

/* "gimpo-ps (desk 3)": as shown_who(), but an auditor is told names, which are in the journal. */
static const char *who_text(const char *name, const char *actor, char out[SHOWN_WHO_BYTES])
{
	snprintf(out, SHOWN_WHO_BYTES, *actor ? "%s (%s)" : "%s%s", name, actor);
	return out;
}

/* "key of part 2, 3, from gimpo-child-official (desk-1)" */
static const char *key_text(const struct printing *p, const struct disclosure *d,
			    char out[SHOWN_WHO_BYTES])
{
	char parts[SHOWN_BYTES / 2], who[SHOWN_WHO_BYTES];
	size_t len = 0;

	for (uint32_t number = 1; number <= PARTS_MAX; number++)
		if (d->key_parts >> (number - 1) & 1)
			len += (size_t)snprintf(parts + len, sizeof parts - len, "%s%u",
						len > 0 ? ", " : "", (unsigned)number);
	snprintf(out, SHOWN_WHO_BYTES, say(p->inv, TEXT_LEDGER_KEY), parts,
		 who_text(d->wrapped_by, d->wrapped_by_actor, who));
	return out;
}

static const char *how_text(const struct printing *p, const struct disclosure *d,
			    char out[SHOWN_WHO_BYTES])
{
	if (d->key_parts)
		return key_text(p, d, out);
	if (*d->read)
		return read_text(p, d->read, out);
	snprintf(out, SHOWN_WHO_BYTES, "%s%s%s", SHOWN_WORD(p->inv, delivery_cause, d->cause),
		 strcmp(d->mailbox, d->participant) != 0 ? ", " : "",
		 strcmp(d->mailbox, d->participant) != 0 ? d->mailbox : "");
	return out;
}

/* Who sent it; the hub itself is no participant. */
static const char *sender_text(const struct printing *p, const struct disclosure *d,
			       char out[SHOWN_WHO_BYTES])
{
	if (!d->message_id)
		return "";
	return *d->sender ? who_text(d->sender, d->sender_actor, out)
			  : say(p->inv, TEXT_LEDGER_HUB);
}

static void add_row(struct printing *p, const struct disclosure *d)
{
	char when[WHEN_BYTES], line[SHOWN_WHO_BYTES], id[UUID_TEXT_BYTES];
	const char *type = d->message_id ? SHOWN_WORD(p->inv, message_type, d->type) : "";
	struct sheet *s = &p->sheet;

	sheet_row(s);
	sheet_cell(s, when_time(d->at_us / 1000, when));
	sheet_cell(s, who_text(d->participant, d->actor, line));
	sheet_cell(s, d->address);
	sheet_colour(s, how_text(p, d, line),
		     d->cause == IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ESCALATED ? TABLE_YELLOW
										    : TABLE_PLAIN);
	snprintf(line, sizeof line, d->erased ? say(p->inv, TEXT_LEDGER_ERASED) : "%s", type);
	sheet_cell(s, line);
	sheet_cell(s, sender_text(p, d, line));
	sheet_cell(s, basis_text(p, d, line));
	sheet_cell(s, id_text(d->case_id, id));
	sheet_cell(s, id_text(d->message_id, id));
}

static void begin_table(struct printing *p)
{
	struct sheet *s = &p->sheet;

	sheet_begin(s, p->inv);
	sheet_column(s, TEXT_WHEN, TABLE_LEFT, 0);
	sheet_column(s, TEXT_LEDGER_WHO, TABLE_LEFT, 0);
	sheet_column(s, TEXT_LEDGER_FROM, TABLE_LEFT, 0);
	sheet_column(s, TEXT_LEDGER_HOW, TABLE_LEFT, 0);
	sheet_column(s, TEXT_TYPE, TABLE_LEFT, 0);
	sheet_column(s, TEXT_LEDGER_WHOSE, TABLE_LEFT, 0);
	sheet_column(s, TEXT_LEGAL_BASIS, TABLE_LEFT, 0);
	sheet_column(s, TEXT_CASE, TABLE_LEFT, 0);
	sheet_column(s, TEXT_MESSAGE, TABLE_LEFT, 0);
}

static enum ieum_err print_cb(void *ctx, const struct disclosure *d)
{
	struct printing *p = ctx;

	if (p->list) {
		p->n++;
		return add_json(p, d);
	}
	if (p->n++ == 0)
		begin_table(p);
	add_row(p, d);
	return p->sheet.err;
}

static enum exit_code end(struct printing *p, enum ieum_err err)
{
	enum exit_code code = EXIT_DONE;

	if (p->list && err)
		json_decref(p->list);
	else if (p->list)
		code = json_out(p->inv, p->list);
	else if (p->n > 0)
		code = sheet_end(&p->sheet);
	else if (!err)
		fprintf(p->inv->out, "%s\n", say(p->inv, TEXT_LEDGER_NOTHING));
	return code;
}

enum exit_code cmd_ledger(struct invocation *inv)
{
	struct disclosures_of of = { .case_id = NULL };
	struct printing p = { .inv = inv };
	char why[DISCLOSURES_WHY_BYTES];
	struct wanted w;
	enum exit_code code = take_wanted(inv, &w, &of);

	if (code)
		return code;
	p.list = inv->json ? json_array() : NULL;
	enum ieum_err err = disclosures_list(inv->words[1], &of, print_cb, &p, why);
	code = end(&p, err);
	if (!err)
		return code;
	code = trouble(inv, err, *why ? why : inv->words[1]);
	return code == EXIT_MISMATCH || code == EXIT_FAILED ? code : EXIT_FILE;
}
