/* Sealed narratives: CMS AuthEnvelopedData (RFC 5083, AES-256-GCM) around SignedData (RFC 5652)
 * around a SealedContent; both are whole ContentInfos in DER, as `openssl cms` makes and reads them
 * with -binary.
 *
 * P-256 certificates are sealed to by ephemeral-static ECDH with X9.63 and SHA-256, RSA ones by
 * OAEP with SHA-256.  Pure functions of a keyring and bytes; any thread, no shared state.  Memory
 * that held clear text is wiped before it is given back. */
#ifndef IEUM_CLIENT_SEAL_H
#define IEUM_CLIENT_SEAL_H

#include "client/ieum.h"
#include "client/keyring.h"
#include "ieum/v1/referral.pb-c.h"
#include "proto/buf.h"
#include "proto/seal_der.h"

enum {
	SEAL_WRAP_MAX = 8, /* certificates at a time, as in KeyRequest */
};

/* Signed by our first key and sealed to the certificates (1 to SEAL_RECIPIENTS_MAX), appended to
 * out.  NO_MEMORY, FIELD_TOO_LARGE (out is full), NOT_SEALED (a certificate that can't be sealed to). */
enum ieum_err seal_make(const struct ieum_keyring *k, const Ieum__V1__SealedContent *content,
			X509 *const *to, size_t n, struct buf *out,
			char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;

/* What is known of a sealed part from outside. */
struct seal_outside {
	ProtobufCBinaryData message_id;
	const Ieum__V1__NarrativePart *part;
	const char *sender; /* as the hub says */
	int64_t at_ms;      /* when the hub received it; 0: now */
};

struct seal_inside {
	Ieum__V1__SealedContent *content; /* seal_inside_free() wipes it */
	struct tls_identity signer;       /* its name is "" where the certificate names nobody */
};

/* KEY_MISSING: no key of ours opens it.  CERTIFICATE_REVOKED, CERTIFICATE_EXPIRED: the signer's.
 * NOT_SEALED: damaged, or not what it is said to be (another signer than the sender, sealed for
 * another message or part).  NO_MEMORY. */
enum ieum_err seal_open(const struct ieum_keyring *k, const struct seal_outside *of,
			struct seal_inside *out, char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;
void seal_inside_free(struct seal_inside *inside); /* takes an empty one */

/* Does a key of ours open this CMS, whatever is in it?  KEY_MISSING: it isn't sealed to us.
 * NOT_SEALED: it is damaged, or what it has for us is no key of it.  NO_MEMORY. */
enum ieum_err seal_try_key(const struct ieum_keyring *k, const ProtobufCBinaryData *sealed,
			   char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;

/* The content key of a part wrapped for certificates of a newcomer: a RecipientInfo for each. */
struct seal_wrapped {
	struct buf cms; /* what the infos point into */
	struct seal_bytes infos[SEAL_WRAP_MAX];
	size_t n;
};

/* Opens the part first, and wraps nothing but the key of what it is said to be: else a holder would
 * open any ciphertext that somebody puts into a message.  Errors as of seal_open(); NOT_SEALED, too,
 * for a certificate that can't be sealed to. */
enum ieum_err seal_wrap(const struct ieum_keyring *k, const struct seal_outside *of,
			X509 *const *to, size_t n, struct seal_wrapped *out,
			char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;
void seal_wrapped_free(struct seal_wrapped *w);

#endif
