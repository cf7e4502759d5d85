/* Codes, ids and names as a person reads them. */
#ifndef IEUM_CLIENT_SHOWN_H
#define IEUM_CLIENT_SHOWN_H

#include <protobuf-c/protobuf-c.h>

#include "client/invocation.h"
#include "ieum/v1/query.pb-c.h"
#include "proto/pbmap.h"
#include "proto/uuid7.h"

enum { SHOWN_BYTES = 256, SHOWN_WHO_BYTES = 3 * SHOWN_BYTES };

/* The word of an enum value in the chosen language; "" for 0, which means not stated. */
const char *shown_word(const struct invocation *inv, const ProtobufCEnumDescriptor *type, int value,
		       char out[PBMAP_WORD_BYTES]);

/* The same by the message's name in lower case: SHOWN_WORD(inv, task_state, task->state).  The text
 * lives until the end of the block. */
#define SHOWN_WORD(inv, type, value) \
	shown_word(inv, &ieum__v1__##type##__descriptor, (int)(value), \
		   (char[PBMAP_WORD_BYTES]){ 0 })

/* A UUID's text; "" for an empty one, hexadecimal digits for one of another length. */
const char *shown_id(const ProtobufCBinaryData *id, char out[UUID_TEXT_BYTES]);

/* Prints text from the wire: control characters but newline as '?', each line indented. */
void shown_text(FILE *out, const char *text, size_t n, const char *indent);

/* Titles of the directory.  Zeroed: knows none, and names stand for themselves. */
struct names {
	Ieum__V1__Result *const *pages; /* borrowed */
	size_t n_pages;
};

/* "Gimpo Police Station" for "gimpo-ps"; "Joint response team (Gimpo case manager)" for the role of
 * a body that one participant has, "Joint response team/lead" where it is not one; the title of a
 * clock, gate or pool; the hub for "". */
const char *shown_name(const struct invocation *inv, const struct names *names, const char *name,
		       char out[SHOWN_BYTES]);

/* The same with the person or workstation, "Gimpo Police Station (desk 3)"; `actor` may be "". */
const char *shown_who(const struct invocation *inv, const struct names *names, const char *name,
		      const char *actor, char out[SHOWN_WHO_BYTES]);

#endif
