/* A participant's connection for tests: the protocol bare, blocking, nothing hidden.
 *
 * A frame is sent as it is given, so that wrong ones can be; what comes is kept in order until
 * it is asked for.  Every wait ends by the frame, or fails the test with what came instead.
 * libieum is what applications use; this is for tests of the hub itself. */
#ifndef IEUM_TESTS_INTEGRATION_PEER_H
#define IEUM_TESTS_INTEGRATION_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ieum/v1/frame.pb-c.h"
#include "proto/channel.h"
#include "proto/codec.h"
#include "tests/integration/hub.h"

struct peer;

/* Connects and says Hello; expects Welcome. */
struct peer *peer_connect(const struct hub *h, const char *participant);
/* Connects, without Hello; any certificate: "certs/zoo/expired" for expired.crt and expired.key. */
struct peer *peer_open(const struct hub *h, const char *certificate_path);
void peer_hello(struct peer *p);
const Ieum__V1__Welcome *peer_welcome(const struct peer *p); /* after peer_connect() */

/* Good-bye and close; frees it. */
void peer_close(struct peer *p);
/* Drops the connection without a word; frees it. */
void peer_drop(struct peer *p);

/* Numbers the frame when its request_id is 0, sends it; the request id. */
uint64_t peer_send(struct peer *p, Ieum__V1__Frame *frame);
void peer_send_bytes(struct peer *p, const void *bytes, size_t n);

/* The next frame of that kind, waiting for it; earlier ones of other kinds stay for later.  An
 * Error that comes meanwhile fails the test unless an Error was asked for. Good until the peer ends. */
const Ieum__V1__Frame *peer_expect(struct peer *p, Ieum__V1__Frame__WhatCase what);
/* The answer to a request, whatever it is. */
const Ieum__V1__Frame *peer_answer(struct peer *p, uint64_t request_id);
/* The Error with this code as the answer to a request. */
const Ieum__V1__Error *peer_refused(struct peer *p, uint64_t request_id, enum ieum_err code);
/* An Error with this code as the next one. */
const Ieum__V1__Error *peer_expect_error(struct peer *p, enum ieum_err code);
/* Is there one already, without waiting?  (After a later answer has shown that everything earlier came.) */
bool peer_has(struct peer *p, Ieum__V1__Frame__WhatCase what);

/* Waits until the connection has ended. */
enum channel_close_reason peer_await_close(struct peer *p);
/* Why it ended, in the channel's words; "" while it lives. */
const char *peer_why(const struct peer *p);

/* Stops and starts reading, for slow readers. */
void peer_pause(struct peer *p);
void peer_resume(struct peer *p);

/* ---- in one word ---- */

void peer_credit(struct peer *p, uint32_t deliveries);
void peer_settle(struct peer *p, uint64_t delivery_id);    /* waits for Settled */
void peer_give_back(struct peer *p, uint64_t delivery_id); /* Settle.release; likewise */
void peer_refuse(struct peer *p, uint64_t delivery_id, const char *reason); /* likewise */
uint64_t peer_send_settle(struct peer *p, Ieum__V1__Settle *settle);        /* waits for nothing */
void peer_ping(struct peer *p);                                             /* waits for Pong */
void peer_advance(struct peer *p, int64_t by_ms);                           /* waits for Advanced */
uint64_t peer_submit(struct peer *p, Ieum__V1__Referral *referral);
const Ieum__V1__Receipt *peer_receipt(struct peer *p, uint64_t request_id);
const Ieum__V1__Delivery *peer_delivery(struct peer *p);
uint64_t peer_query(struct peer *p, Ieum__V1__Query *query);
const Ieum__V1__Result *peer_result(struct peer *p, Ieum__V1__Query *query); /* asks and waits */

/* ---- messages ---- */

/* A referral with everything it points to; must not move. */
struct message {
	Ieum__V1__Referral referral;
	Ieum__V1__Envelope envelope;
	Ieum__V1__LegalBasis basis;
	Ieum__V1__Addressee addressee, *addressees[1];
	Ieum__V1__NarrativePart part, *parts[1];
	Ieum__V1__ReportReceived report;
	Ieum__V1__ServiceReport service;
	Ieum__V1__Answer answer;
	uint8_t id[CODEC_ID_BYTES];
	uint8_t case_id[CODEC_ID_BYTES];
	uint8_t reply_to[CODEC_ID_BYTES];
};

/* A service_report to one participant; opens a case unless one is given. */
void message_service_report(struct message *m, const char *to, const uint8_t *case_id,
			    const char *narrative);
/* A 112 report; opens a case. */
void message_report(struct message *m, const char *narrative);
void message_answer(struct message *m, const uint8_t *in_reply_to, Ieum__V1__AnswerKind kind);

#endif
