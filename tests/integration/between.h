/* Something between an agency and the hub that holds back: a process that passes on what each says
 * until the agency has sent so many encrypted TLS records; from then on nothing comes back any more,
 * until the agency ends the connection.  The next connection begins anew.
 *
 * libieum's connection begins with four such records: certificate, its proof, Finished, Hello; then
 * each frame that it waits for an answer to is one.  A failed expectation fails the cmocka test. */
#ifndef IEUM_TESTS_INTEGRATION_BETWEEN_H
#define IEUM_TESTS_INTEGRATION_BETWEEN_H

#include "tests/integration/hub.h"

enum { BETWEEN_HELLO = 4 }; /* records up to Hello */

struct between {
	pid_t pid;
	int out;
	char address[64]; /* for a profile */
};

/* records 0: not even the handshake gets through.  swallow: the last of them doesn't reach the hub. */
void between_start(struct between *b, const struct hub *h, unsigned records, bool swallow);
/* Waits until it holds back. */
void between_await(const struct between *b);
void between_end(struct between *b); /* SIGKILL; takes an ended one */

#endif
