/* How a sealed narrative part (CMS, RFC 5652 and 5083) names those who can open it: plain
 * values, no parser.  Constant limits for both sides of the wire. */
#ifndef IEUM_PROTO_SEAL_RECIPIENT_H
#define IEUM_PROTO_SEAL_RECIPIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	/* Sealed parts of one message; numbers are 1 to this. */
	SEAL_PARTS_MAX = 16,
	/* Certificates that one part is sealed to, and all parts of a message together. */
	SEAL_RECIPIENTS_MAX = 512,
	SEAL_MESSAGE_RECIPIENTS_MAX = 1024,
	/* Of one RecipientInfo that is wrapped later: a P-256 one has some 300 bytes, one of
	 * RSA-4096 some 700. */
	SEAL_INFO_BYTES_MAX = 2048,
	/* A subject key identifier; a longer one (RFC 5280 gives 20) names nobody here. */
	SEAL_KEY_ID_MAX = 32,
};

/* A certificate as a RecipientInfo names it. */
struct seal_recipient {
	uint8_t key_id[SEAL_KEY_ID_MAX]; /* by_key_id: the subject key identifier */
	size_t key_id_len;
	uint8_t issuer_serial[32]; /* else: SHA-256 over the DER of issuer and serial number */
	bool by_key_id;
};

#endif
