/* What the hub answers, as tables for people.  With --json the commands print by json_out.h. */
#ifndef IEUM_CLIENT_RENDER_H
#define IEUM_CLIENT_RENDER_H

#include "client/invocation.h"
#include "client/link.h"
#include "client/shown.h"
#include "client/table.h"

/* Each returns EXIT_DONE, or EXIT_FAILED having said so (out of memory). */
enum exit_code render_cases(const struct invocation *inv, const struct pages *pages,
			    const struct names *names);
/* A case's head; with its timeline when `timeline`. */
enum exit_code render_case(const struct invocation *inv, const struct pages *pages,
			   const struct names *names, bool timeline);
/* What ends when, in order of time. */
enum exit_code render_deadlines(const struct invocation *inv, const struct pages *pages,
				const struct names *names);
/* The clocks of a case; nothing when it has none. */
enum exit_code render_clocks(const struct invocation *inv, Ieum__V1__ClockView *const *clocks,
			     size_t n, int64_t now_ms);
enum exit_code render_referral(const struct invocation *inv, const struct pages *pages,
			       const struct names *names);
/* Of an item its own title, of an action that of the minutes' which it is; "": it has none. */
const char *agenda_title(const Ieum__V1__Referral *r, const Ieum__V1__AgendaEntry *entry);
enum exit_code render_agenda(const struct invocation *inv, const struct pages *pages,
			     const struct names *names);
enum exit_code render_directory(const struct invocation *inv, const struct pages *pages);
/* "head, lead:team" of a hub file as "the head, lead of Gimpo response team". */
void render_address(const struct invocation *inv, const struct names *names, const char *address,
		    char *out, size_t room);
enum exit_code render_reach(const struct invocation *inv, const struct pages *pages,
			    const struct names *names);
enum exit_code render_whoami(const struct invocation *inv, const Ieum__V1__WhoamiResult *who);
enum exit_code render_pools(const struct invocation *inv, const struct pages *pages,
			    const struct names *names);
/* One pool, with its holds and waiting list. */
enum exit_code render_pool(const struct invocation *inv, const struct pages *pages,
			   const struct names *names);
enum exit_code render_handover(const struct invocation *inv, const struct pages *pages,
			       const struct names *names);
enum exit_code render_queues(const struct invocation *inv, const struct pages *pages);
enum exit_code render_queue(const struct invocation *inv, const struct pages *pages);
/* maybe_shown: ieum_handed_before(). */
enum exit_code render_delivery(const struct invocation *inv, const Ieum__V1__Delivery *d,
			       bool maybe_shown, const struct names *names, int64_t now_ms);

/* Body and narrative of a message, indented; used for deliveries and referrals.  Who sent it and
 * when the hub received it is what a sealed narrative is checked by. */
enum exit_code render_content(const struct invocation *inv, const Ieum__V1__Referral *m,
			      const char *sender, int64_t received_at_ms,
			      const struct names *names);

/* ---- what they are made of ---- */

/* A table whose making has failed once stays failed: cells are added without looking at each. */
struct sheet {
	const struct invocation *inv;
	struct table *table;
	enum ieum_err err;
};

void sheet_begin(struct sheet *s, const struct invocation *inv);
void sheet_column(struct sheet *s, enum text_id title, enum table_align align, size_t least_cells);
/* A column without a title. */
void sheet_plain_column(struct sheet *s, enum table_align align);
void sheet_row(struct sheet *s);
void sheet_cell(struct sheet *s, const char *text);
void sheet_colour(struct sheet *s, const char *text, enum table_colour colour);
void sheet_number(struct sheet *s, uint64_t n);
/* Prints it and frees it. */
enum exit_code sheet_end(struct sheet *s);

/* Two columns, "Responsible  Joint response team"; a row is left out when the text is empty. */
void sheet_field(struct sheet *s, enum text_id name, const char *text);

/* Red when it has passed, yellow within the last hour, plain otherwise. */
enum table_colour due_colour(int64_t due_ms, int64_t now_ms);

/* Red for immediate, yellow for urgent. */
enum table_colour urgency_colour(Ieum__V1__Urgency urgency);

#endif
