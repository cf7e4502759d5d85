/* Valid messages of every kind, made from the codec's own rule tables and a seed. */
#ifndef IEUM_TESTS_CODEC_SAMPLES_H
#define IEUM_TESTS_CODEC_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ieum/v1/frame.pb-c.h"
#include "proto/arena.h"
#include "proto/buf.h"

struct samples {
	struct arena arena; /* what is made lives here */
	uint64_t random;
	bool full; /* set every field there can be, not a random choice */
};

void samples_init(struct samples *s, uint64_t seed);
void samples_release(struct samples *s);
uint64_t samples_random(struct samples *s, uint64_t below);

/* Copies into the samples' memory. */
char *samples_text(struct samples *s, const char *text);
ProtobufCBinaryData samples_bytes(struct samples *s, const void *bytes, size_t n);
ProtobufCBinaryData samples_id(struct samples *s);

/* A sealed part that nobody can open. */
ProtobufCBinaryData samples_sealed(struct samples *s);

/* A valid referral of that type. */
Ieum__V1__Referral *samples_referral(struct samples *s, Ieum__V1__MessageType type);

/* A valid frame of that kind; a referral inside it has a random type. */
Ieum__V1__Frame *samples_frame(struct samples *s, Ieum__V1__Frame__WhatCase what);

/* A typical small one: a 112 report that opens a case, on a statutory basis, with a clear
 * narrative of that many bytes (none when 0). */
Ieum__V1__Referral *samples_report(struct samples *s, size_t narrative_bytes);
Ieum__V1__Frame *samples_submit(struct samples *s, Ieum__V1__Referral *referral);

/* Packed, without a header. */
ProtobufCBinaryData samples_packed(struct samples *s, const ProtobufCMessage *message);

#endif
