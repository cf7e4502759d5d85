/* A key, and the request for its certificate, at the agency itself; and what a certificate says.
 *
 * The key is made here and written for its owner alone; it never leaves the machine.  What goes to
 * whoever signs is the request (PKCS#10): public key, name, URI, signed by the key. */
#ifndef IEUM_CLIENT_CERT_REQUEST_H
#define IEUM_CLIENT_CERT_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"
#include "proto/tls.h"

enum {
	CERT_WHY_BYTES = 512,
	CERT_NAME_BYTES = 512,
	CERT_HOSTS_BYTES = 4096,
};

struct cert_wish {
	const char *hub, *kind, *participant; /* spiffe://<hub>/<kind>/<participant> */
	const char *actor;                    /* the person or workstation, UTF-8 */
	const char *hosts; /* of a hub: its names and addresses, with commas between; or NULL */
};

/* Writes `<stem>.key` (EC P-256, PKCS#8, 0600) and `<stem>.csr`, neither of which may be there.
 * FIELD_INVALID, FILE_EXISTS (why: the path), FILE_UNREADABLE (errno's words), NO_MEMORY; `why` says which. */
enum ieum_err cert_request(const char *stem, const struct cert_wish *wish,
			   char why[CERT_WHY_BYTES]) IEUM_MUST_CHECK;

/* What a certificate says, and what a hub file can know it by. */
struct cert_facts {
	struct tls_identity id; /* uri "": not of ieum's own */
	char issuer[CERT_NAME_BYTES], subject[CERT_NAME_BYTES];
	char key_pin[2 * TLS_HASH_BYTES + 1]; /* SHA-256 over the public key's DER, hexadecimal */
	char key_type[64];                    /* "EC prime256v1", "RSA 3072" */
	int64_t begins_at_ms, ends_at_ms;
	bool can_sign, can_be_sealed_to;
};

/* The first certificate of a PEM file.  FILE_UNREADABLE, FILE_INVALID, NO_MEMORY. */
enum ieum_err cert_read(const char *path, struct cert_facts *out,
			char why[CERT_WHY_BYTES]) IEUM_MUST_CHECK;

#endif
