/* What the hub answers, as JSON by proto/pbmap.h: field names as in the .proto files, times as
 * numbers in the unit of their name. */
#ifndef IEUM_CLIENT_JSON_OUT_H
#define IEUM_CLIENT_JSON_OUT_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#include "client/invocation.h"
#include "client/link.h"

/* All pages as one document: what the first has, its lists continued by the others'.  Of a referral
 * what was sealed is opened. */
enum exit_code json_out_pages(const struct invocation *inv, const struct pages *pages);

/* One message: a document, or (line) one object on one line, flushed. */
enum exit_code json_out_message(const struct invocation *inv, const ProtobufCMessage *message,
				bool line);

/* A delivery on one line, flushed; what was sealed in it is opened.  maybe_shown:
 * ieum_handed_before(). */
enum exit_code json_out_delivery(const struct invocation *inv, const Ieum__V1__Delivery *d,
				 bool maybe_shown);

/* Takes the document. */
enum exit_code json_out(const struct invocation *inv, json_t *doc);

#endif
