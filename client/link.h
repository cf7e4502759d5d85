/* The connection of one command to the hub: blocking libieum with this command's patience and its
 * way of saying errors.
 *
 * Every function that can fail has said why on stderr when it returns something else than
 * EXIT_DONE: the caller only passes the code on.  Each blocks at most --timeout. */
#ifndef IEUM_CLIENT_LINK_H
#define IEUM_CLIENT_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/ieum.h"
#include "client/invocation.h"
#include "ieum/v1/frame.pb-c.h"
#include "ieum/v1/query.pb-c.h"

enum {
	LINK_PAGES_MAX = 10000, /* of one question */
	LINK_PAGE_ROWS = 200,
	LINK_DRAIN_MS = 2000, /* for what an earlier run left on the spool */
};

struct link;

/* Reads the profile into inv->profile and takes its language; once is enough. */
enum exit_code link_profile(struct invocation *inv);
/* libieum's options from the profile; borrow it. */
void link_options(const struct invocation *inv, struct ieum_options *out);
/* A connection has ended: takes the files that the profile names now, if it names others than it did,
 * as after a renewal.  True: so it was, and another attempt may end otherwise. */
bool link_renew(struct invocation *inv, struct ieum *c);
/* Which parts of a narrative this command seals. */
enum ieum_seal link_sealing(const struct invocation *inv);

/* What a failure means to whoever runs the command. */
enum exit_code link_failure(const struct invocation *inv, const struct ieum_failure *why);

/* Where people look: on stdout that this is a drill; on stderr that our certificate ends soon. */
void link_greet(const struct invocation *inv, const Ieum__V1__Welcome *welcome,
		const struct ieum_keyring *keyring);
/* When our own revocation list ended, Unix ms; 0: it has not. */
int64_t link_list_ended_at_ms(const struct ieum_keyring *keyring);

/* Reads the profile, connects, says hello. */
enum exit_code link_open(struct invocation *inv, struct link **out);
/* The same for a command that submits: with a spool it also opens where the hub can't be reached
 * within --timeout, and not at all without the spool that there should be. */
enum exit_code link_open_to_submit(struct invocation *inv, struct link **out);
void link_close(struct link *link); /* takes NULL */
bool link_connected(const struct link *link);
struct ieum *link_inner(struct link *link);

/* Waits until what is on the spool has its receipt or failure. */
enum exit_code link_drain(struct link *link);
/* A copy of the journal is off the hub's disk; incarnation NULL: of the one that runs. */
enum exit_code link_confirm_copy(struct link *link, uint64_t journal_number,
				 const uint8_t *incarnation, uint64_t *through);

/* The hub's clock when it welcomed us: a drill's may be days ahead of ours.  Ours before that. */
int64_t link_hub_time_ms(const struct link *link);

/* All pages of an answer, of the kind that was asked for; at least one. */
struct pages {
	Ieum__V1__Result **page;
	size_t n;
};
enum exit_code link_ask(struct link *link, Ieum__V1__Query *query, struct pages *out);
/* Adds a copy of a result; false when out of memory. */
bool pages_add(struct pages *pages, const Ieum__V1__Result *result);
/* The same; false, and nothing is said, where there is no answer for us. */
bool link_peek(struct link *link, Ieum__V1__Query *query, struct pages *out);
void pages_free(struct pages *pages); /* takes an empty one */

/* The directory, for titles: none when the hub doesn't give it. */
void link_ask_directory(struct link *link, struct pages *out);

/* *out is good until the next call.  Seals what link_sealing() says.  EXIT_KEPT: no receipt, but it
 * is on the spool; that was said. */
enum exit_code link_submit(struct link *link, const Ieum__V1__Referral *referral,
			   const Ieum__V1__Receipt **out);
/* Answers to a key_request; *out as above. */
enum exit_code link_key_wrap(struct link *link, const Ieum__V1__Referral *request,
			     const Ieum__V1__Receipt **out);
enum exit_code link_key_refuse(struct link *link, const Ieum__V1__Referral *request, int reason,
			       const char *remark, const Ieum__V1__Receipt **out);

/* Returns once it is on the hub's disk. */
enum exit_code link_settle(struct link *link, uint64_t delivery_id, enum ieum_settle how,
			   const char *reason);

enum exit_code link_ping(struct link *link, double *ms);
enum exit_code link_advance(struct link *link, int64_t by_ms, int64_t *hub_time_ms);

#endif
