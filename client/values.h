/* Values as they are typed on the command line.
 *
 * Each returns EXIT_DONE and writes *out, or has said what is wrong and returns the code to exit
 * with.  Times without an offset are local. */
#ifndef IEUM_CLIENT_VALUES_H
#define IEUM_CLIENT_VALUES_H

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

#include "client/invocation.h"
#include "proto/uuid7.h"

/* Bytes that point at the id of a message or case. */
enum exit_code value_id(const struct invocation *inv, const char *text, uint8_t out[UUID_BYTES]);

enum exit_code value_number(const struct invocation *inv, const char *text, uint64_t min,
			    uint64_t max, uint64_t *out);

/* Milliseconds, or a length of units with a fixed length; greater than 0. */
enum exit_code value_duration(const struct invocation *inv, const char *text, int64_t *out_ms);

/* RFC 3339, "2026-03-05 18:00", or a length of time from now on. */
enum exit_code value_time(const struct invocation *inv, const char *text, int64_t now_ms,
			  int64_t *out_ms);

/* The short word of an enum ("capacity_full"); lists the possible ones otherwise. */
enum exit_code value_word(const struct invocation *inv, const ProtobufCEnumDescriptor *type,
			  const char *text, int *out);

#endif
