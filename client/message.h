/* Messages from files and options, ready to be submitted.
 *
 * A message belongs to the caller: ieum__v1__referral__free_unpacked(m, NULL).  What goes wrong has
 * been said when something else than EXIT_DONE is returned. */
#ifndef IEUM_CLIENT_MESSAGE_H
#define IEUM_CLIENT_MESSAGE_H

#include "client/invocation.h"
#include "ieum/v1/referral.pb-c.h"
#include "proto/uuid7.h"

enum { MESSAGE_FILE_BYTES_MAX = 16 * 1024 * 1024 };

/* YAML or JSON; "-" is standard input.  The type is that of the body when the file names none.
 * Then --case, --open-case, --reply-to, --message-id and --text. */
enum exit_code message_read(const struct invocation *inv, const char *path,
			    Ieum__V1__Referral **out);

/* The envelope's type is that of the body where it says none. */
void message_type_from_body(Ieum__V1__Referral *m);

/* An empty answer to a message; --message-id. */
enum exit_code message_answer(const struct invocation *inv, const uint8_t to[UUID_BYTES],
			      Ieum__V1__Referral **out);

/* --text FILE as one more part of the narrative; nothing when it isn't given. */
enum exit_code message_add_text(const struct invocation *inv, Ieum__V1__Referral *m);

/* Gives it an id of this time when it has none. */
enum exit_code message_name(const struct invocation *inv, Ieum__V1__Referral *m, int64_t now_ms);

/* Is its form right?  Says what is not, before anything is sent.  Parts that will be sealed count as
 * such; an id that is missing will be made. */
enum exit_code message_check(const struct invocation *inv, const Ieum__V1__Referral *m);

/* The message as the hub is asked about it, without the contents of parts that will be sealed. */
struct message_outline {
	Ieum__V1__Referral m; /* borrows the rest */
	Ieum__V1__NarrativePart *parts, **list;
};
/* False when out of memory. */
bool message_outline(const struct invocation *inv, const Ieum__V1__Referral *m,
		     struct message_outline *out);
void message_outline_free(struct message_outline *outline);

#endif
