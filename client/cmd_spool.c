/* ieum spool: what waits on this machine; sending, looking at and saving it. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "client/command.h"
#include "client/details.h"
#include "client/json_out.h"
#include "client/link.h"
#include "client/offline.h"
#include "client/render.h"
#include "client/spool.h"
#include "client/spool_place.h"
#include "client/trouble.h"
#include "client/values.h"
#include "client/when.h"

#define MIB (1024.0 * 1024)

/* ---- the file ---- */

static enum exit_code open_spool(struct invocation *inv, struct spool **out)
{
	char why[SPOOL_WHY_BYTES];
	enum exit_code code = offline_spool(inv);

	if (code)
		return code;
	const struct spool_options options = { .path = inv->profile->spool };
	enum ieum_err err = spool_open(&options, out, why);
	return err ? trouble(inv, err, why) : EXIT_DONE;
}

/* ---- list ---- */

struct listing {
	const struct invocation *inv;
	struct sheet sheet;
	json_t *json;
	size_t n;
};

static const char *state_word(enum spool_state state)
{
	static const char *const words[] = { "waiting", "receipted", "refused" };

	return words[state];
}

static enum text_id state_text(enum spool_state state)
{
	return state == SPOOL_WAITING     ? TEXT_SPOOL_WAITING
	       : state == SPOOL_RECEIPTED ? TEXT_SPOOL_RECEIPTED
					  : TEXT_SPOOL_IS_REFUSED;
}

static Ieum__V1__MessageType type_of(const struct spool_message *m)
{
	Ieum__V1__Referral *r = ieum__v1__referral__unpack(NULL, m->len, m->referral);
	Ieum__V1__MessageType type = r && r->envelope
					     ? r->envelope->type
					     : IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_UNSPECIFIED;

	if (r)
		ieum__v1__referral__free_unpacked(r, NULL);
	return type;
}

static void add_json(struct listing *l, const struct spool_message *m, const char *id)
{
	char word[PBMAP_WORD_BYTES];
	json_t *row = json_pack(
		"{s:I, s:s, s:s, s:s, s:I, s:I}", "number", (json_int_t)m->number, "message_id", id,
		"state", state_word(m->state), "type",
		pbmap_enum_word(&ieum__v1__message_type__descriptor, (int)type_of(m), word) ? word
											    : "",
		"since_at_ms", (json_int_t)m->since_ms, "bytes", (json_int_t)m->len);

	if (m->state == SPOOL_REFUSED)
		json_object_set_new(row, "error",
				    json_pack("{s:s, s:s}", "name", ieum_error((int)m->code)->name,
					      "detail", m->detail));
	json_array_append_new(l->json, row);
}

static bool add_message(const struct spool_message *m, void *arg)
{
	struct listing *l = arg;
	const struct invocation *inv = l->inv;
	char id[UUID_TEXT_BYTES], when[WHEN_BYTES], why[DETAILS_BYTES];

	uuid_format(m->message_id, id);
	l->n++;
	if (inv->json) {
		add_json(l, m, id);
		return true;
	}
	sheet_row(&l->sheet);
	sheet_cell(&l->sheet, when_time(m->since_ms, when));
	sheet_colour(&l->sheet, say(inv, state_text(m->state)),
		     m->state == SPOOL_REFUSED ? TABLE_RED : TABLE_PLAIN);
	sheet_cell(&l->sheet, SHOWN_WORD(inv, message_type, type_of(m)));
	sheet_cell(&l->sheet, id);
	sheet_cell(&l->sheet,
		   m->state == SPOOL_REFUSED ? details_in(inv->lang, m->detail, why) : "");
	return true;
}

static void begin_list(struct listing *l)
{
	sheet_begin(&l->sheet, l->inv);
	sheet_column(&l->sheet, TEXT_SPOOL_SINCE, TABLE_LEFT, 0);
	sheet_column(&l->sheet, TEXT_STATE, TABLE_LEFT, 0);
	sheet_column(&l->sheet, TEXT_WHAT, TABLE_LEFT, 0);
	sheet_column(&l->sheet, TEXT_MESSAGE, TABLE_LEFT, 0);
	sheet_column(&l->sheet, TEXT_NOTE, TABLE_LEFT, 40);
}

static enum exit_code print_sum(const struct invocation *inv, const struct spool_sum *sum)
{
	fprintf(inv->out, say(inv, TEXT_SPOOL_SUM), inv->profile->spool, sum->waiting,
		sum->receipted, sum->held, (double)sum->bytes / MIB, (double)sum->bytes_max / MIB);
	fputc('\n', inv->out);
	if (sum->let_go) {
		fprintf(inv->out, say(inv, TEXT_SPOOL_LET_GO), sum->let_go);
		fputc('\n', inv->out);
	}
	return EXIT_DONE;
}

static enum exit_code print_json(const struct invocation *inv, struct listing *l,
				 const struct spool_sum *sum)
{
	return json_out(inv,
			json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "spool",
				  inv->profile->spool, "waiting", (json_int_t)sum->waiting,
				  "receipted", (json_int_t)sum->receipted, "refused",
				  (json_int_t)sum->refused, "held", (json_int_t)sum->held, "bytes",
				  (json_int_t)sum->bytes, "bytes_max", (json_int_t)sum->bytes_max,
				  "copied_through", (json_int_t)sum->copied_through, "let_go",
				  (json_int_t)sum->let_go, "messages", l->json));
}

static enum exit_code list(struct invocation *inv)
{
	struct listing l = { .inv = inv, .json = json_array() };
	struct spool_sum sum;
	struct spool *s;
	enum exit_code code = open_spool(inv, &s);

	if (code) {
		json_decref(l.json);
		return code;
	}
	enum ieum_err err = spool_sum(s, &sum);
	if (!err && !inv->json) {
		code = print_sum(inv, &sum);
		begin_list(&l);
	}
	if (!err)
		err = spool_messages(s, add_message, &l);
	if (!inv->json)
		code = sheet_end(&l.sheet);
	if (err)
		code = trouble(inv, err, spool_why(s));
	else if (inv->json)
		return spool_close(s), print_json(inv, &l, &sum);
	else if (!code)
		code = offline_deadlines(inv, s);
	spool_close(s);
	json_decref(l.json);
	return code;
}

/* ---- send ---- */

static enum exit_code send_all(struct invocation *inv)
{
	struct link *link = NULL;
	enum exit_code code = link_open_to_submit(inv, &link);

	if (!code)
		code = link_drain(link);
	link_close(link);
	if (code)
		return code;
	if (inv->json)
		return json_out(inv, json_pack("{s:i}", "waiting", 0));
	fprintf(inv->out, "%s\n", say(inv, TEXT_SPOOL_NONE_WAITS));
	return EXIT_DONE;
}

/* ---- check and salvage ---- */

static enum exit_code check(struct invocation *inv)
{
	char why[SPOOL_WHY_BYTES];
	enum exit_code code = offline_spool(inv);

	if (code)
		return code;
	enum ieum_err err = spool_check(inv->profile->spool, why);
	if (err == IEUM_E_SPOOL_CORRUPT)
		return trouble_damaged(inv, why);
	if (err)
		return trouble(inv, err, why);
	if (inv->json)
		return json_out(inv, json_pack("{s:b}", "sound", 1));
	fprintf(inv->out, say(inv, TEXT_SPOOL_SOUND), inv->profile->spool);
	fputc('\n', inv->out);
	return EXIT_DONE;
}

static enum exit_code salvage(struct invocation *inv)
{
	struct spool_salvaged saved;
	char why[SPOOL_WHY_BYTES];
	enum exit_code code = offline_spool(inv);

	if (code)
		return code;
	enum ieum_err err = spool_salvage(inv->profile->spool, &saved, why);
	if (err)
		return trouble(inv, err, why);
	if (inv->json)
		return json_out(inv, json_pack("{s:I, s:I, s:I, s:s}", "messages",
					       (json_int_t)saved.messages, "deliveries",
					       (json_int_t)saved.deliveries, "lost",
					       (json_int_t)saved.lost, "aside", saved.aside));
	fprintf(inv->out, say(inv, TEXT_SPOOL_SAVED), saved.messages, saved.deliveries, saved.lost,
		saved.aside);
	fputc('\n', inv->out);
	return EXIT_DONE;
}

/* ---- drop and resend ---- */

struct picking {
	uint8_t id[UUID_BYTES];
	int64_t number; /* 0: not found */
	enum spool_state state;
};

static bool find_message(const struct spool_message *m, void *arg)
{
	struct picking *p = arg;

	if (memcmp(m->message_id, p->id, sizeof p->id) != 0)
		return true;
	p->number = m->number;
	p->state = m->state;
	return false;
}

static enum exit_code not_refused(const struct invocation *inv, const struct picking *p)
{
	if (!p->number)
		return trouble(inv, IEUM_E_SPOOL_UNKNOWN, inv->words[1]);
	return trouble(inv, IEUM_E_SPOOL_KEEPS,
		       say(inv, p->state == SPOOL_WAITING ? TEXT_SPOOL_IS_WAITING
							  : TEXT_SPOOL_HAS_RECEIPT));
}

/* Only with what the hub has refused: what waits may be on its way. */
static enum exit_code with_refused(struct invocation *inv,
				   enum ieum_err (*act)(struct spool *s, int64_t number))
{
	struct picking p = { 0 };
	struct spool *s = NULL;
	enum exit_code code = value_id(inv, inv->words[1], p.id);

	if (!code)
		code = open_spool(inv, &s);
	if (code)
		return code;
	enum ieum_err err = spool_messages(s, find_message, &p);
	if (!err && p.number && p.state == SPOOL_REFUSED)
		err = act(s, p.number);
	if (!err)
		err = spool_commit(s);
	if (err)
		code = trouble(inv, err, spool_why(s));
	else if (!p.number || p.state != SPOOL_REFUSED)
		code = not_refused(inv, &p);
	spool_close(s);
	return code;
}

static enum exit_code drop(struct invocation *inv)
{
	enum exit_code code = with_refused(inv, spool_drop);

	if (code)
		return code;
	if (inv->json)
		return json_out(inv, json_pack("{s:s}", "dropped", inv->words[1]));
	fprintf(inv->out, say(inv, TEXT_SPOOL_DROPPED), inv->words[1]);
	fputc('\n', inv->out);
	return EXIT_DONE;
}

static enum exit_code resend(struct invocation *inv)
{
	enum exit_code code = with_refused(inv, spool_resend);

	return code ? code : send_all(inv);
}

enum exit_code cmd_spool(struct invocation *inv)
{
	const char *sub = inv->words[0];

	if (strcmp(sub, "drop") == 0 || strcmp(sub, "resend") == 0)
		return inv->n_words < 2           ? trouble_usage(inv, TEXT_WORD_MISSING, sub)
		       : strcmp(sub, "drop") == 0 ? drop(inv)
						  : resend(inv);
	if (inv->n_words > 1)
		return trouble_usage(inv, TEXT_WORD_TOO_MUCH, inv->words[1]);
	return strcmp(sub, "list") == 0    ? list(inv)
	       : strcmp(sub, "send") == 0  ? send_all(inv)
	       : strcmp(sub, "check") == 0 ? check(inv)
					   : salvage(inv);
}
