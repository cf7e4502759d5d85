/* Our keys and whom we trust, for sealed narratives.  Built whole from files; renewed as a whole.
 *
 * The first pair signs and is sealed to; all of them open.  A certificate is judged as that of a
 * TLS client: chain to our `ca`, extended key usage, our revocation list.  A revocation list that
 * has run out is still believed in what it revokes; what it means that it has run out is for the
 * connection to say. */
#ifndef IEUM_CLIENT_KEYRING_H
#define IEUM_CLIENT_KEYRING_H

#include <openssl/x509.h>
#include <stdint.h>

#include "client/ieum.h"
#include "proto/tls.h"

enum { KEYRING_KEYS_MAX = IEUM_OLD_KEYS_MAX + 1 };

/* Whose a certificate is that fits a name; as in tls_identity.names. */
struct keyring_pin {
	char participant[TLS_LABEL_MAX_BYTES + 1];
	uint8_t name[TLS_HASH_BYTES];
};

struct ieum_keyring {
	struct tls *keys[KEYRING_KEYS_MAX]; /* ours first, then the old ones */
	size_t n;
	struct keyring_pin pins[IEUM_IDENTITIES_MAX];
	size_t n_pins;
};

/* The keyring has from now on what the other one has, and in addition, where there is room, what it
 * had so far, last what it signed with: what was sealed to that still opens, however often the
 * keyring is renewed.  Frees the other one. */
void keyring_renew(struct ieum_keyring *k, struct ieum_keyring *with);

/* Borrowed from the keyring, until it is renewed. */
X509 *keyring_certificate(const struct ieum_keyring *k, size_t i);
EVP_PKEY *keyring_key(const struct ieum_keyring *k, size_t i);
/* Intermediates of the first; may be NULL. */
STACK_OF(X509) * keyring_chain(const struct ieum_keyring *k);

/* Is it the certificate of somebody who takes part?  `others`: intermediates that came with it, may
 * be NULL.  at_ms 0: now.  Else something that was done then: what has run out since, or was
 * revoked later for a reason that is no theft of its key, was good.  CERTIFICATE_REVOKED, CERTIFICATE_EXPIRED,
 * NOT_SEALED (another authority, another use), NO_MEMORY. */
enum ieum_err keyring_judge(const struct ieum_keyring *k, X509 *cert, STACK_OF(X509) * others,
			    int64_t at_ms, char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;

/* Whom the certificate names; the name is "" when it names nobody of a hub (no spiffe URI), and the
 * actor is then the whole subject.
 * NOT_SEALED when what it names is no participant. */
enum ieum_err keyring_names(X509 *cert, struct tls_identity *out,
			    char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;
/* The same of our own. */
void keyring_own(const struct ieum_keyring *k, struct tls_identity *out);
/* A certificate that names somebody has to name that participant of our hub; one that names nobody is
 * whose the pins say (then out->name says so), and has to be among them when the participant has some. */
enum ieum_err keyring_is(const struct ieum_keyring *k, X509 *cert, const char *participant,
			 struct tls_identity *out, char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;

/* A certificate that the hub says is this participant's, judged now: it has to name it, at our hub, or
 * to be pinned as its own, or ours; and its key has to be one to seal to.  *out is the caller's. */
enum ieum_err keyring_recipient(const struct ieum_keyring *k, const uint8_t *der, size_t len,
				const char *participant, X509 **out,
				char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;

#endif
