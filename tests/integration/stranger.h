/* A client that is no good one: plain TCP, another TLS version, another protocol, a certificate
 * that libieum itself would not use.  OpenSSL bare; every wait has an end.  A failed expectation
 * fails the cmocka test. */
#ifndef IEUM_TESTS_INTEGRATION_STRANGER_H
#define IEUM_TESTS_INTEGRATION_STRANGER_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/integration/hub.h"

struct stranger;

struct stranger_tls {
	const char *certificate; /* path in h->certificates, without .crt and .key */
	int max_version;         /* TLS1_2_VERSION; 0: any */
	const char *alpn;        /* NULL: none */
};

/* TCP only. */
struct stranger *stranger_connect(const struct hub *h);
/* "127.0.0.1:40123", as the hub sees it. */
const char *stranger_address(const struct stranger *s);
void stranger_send(struct stranger *s, const void *bytes, size_t n);
/* The hub ends the connection; whatever comes before is dropped. */
void stranger_await_end(struct stranger *s);

/* Begins TLS; the handshake is done by the calls below. */
void stranger_begin_tls(struct stranger *s, const struct hub *h, const struct stranger_tls *how);
/* As far as the handshake comes without waiting: true when it is done. */
bool stranger_try_handshake(struct stranger *s);
/* Waits until it is done. */
void stranger_handshake(struct stranger *s);
/* Waits until the hub has refused, in the handshake or after it: its alert, "certificate expired". */
const char *stranger_await_alert(struct stranger *s);
/* Through TLS: sends, and waits for some bytes back. */
void stranger_ask(struct stranger *s, const void *bytes, size_t n);
/* Serial number of the hub's certificate, hexadecimal. */
void stranger_hub_serial(const struct stranger *s, char serial[64]);

void stranger_end(struct stranger *s);

#endif
