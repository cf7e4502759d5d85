/* Sealed narrative parts and the certificates for them, made by OpenSSL alone: what the tests of
 * sealing hold our own code against. */
#ifndef IEUM_TESTS_UNIT_SEALED_H
#define IEUM_TESTS_UNIT_SEALED_H

#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/seal_recipient.h"

/* A certificate of its own key, with a subject key identifier. */
struct sealed_holder {
	X509 *cert;
	EVP_PKEY *key;
};

/* Fails the test when it can't.  bits: 0 makes a P-256 key, else an RSA one. */
void sealed_holder_make(struct sealed_holder *holder, const char *name, unsigned bits);
void sealed_holder_release(struct sealed_holder *holder);

/* The certificate's DER, to be freed. */
uint8_t *sealed_holder_certificate(const struct sealed_holder *holder, size_t *len);

/* What a CMS recipient names the certificate by, both ways: key_id and issuer_serial. */
void sealed_names(const struct sealed_holder *holder, struct seal_recipient *by_key_id,
		  struct seal_recipient *by_issuer);

/* AuthEnvelopedData with AES-256-GCM of the text to n holders, in DER, to be freed.  flags as of
 * CMS_encrypt, CMS_USE_KEYID for instance. */
uint8_t *sealed_to(const struct sealed_holder *const *holders, size_t n, const char *text,
		   unsigned flags, size_t *len);

/* A cipher of one's own. */
uint8_t *sealed_with(const EVP_CIPHER *cipher, const struct sealed_holder *const *holders, size_t n,
		     const char *text, unsigned flags, size_t *len);

/* 1 when the holder's key opens it and the text is that. */
int sealed_opens(const uint8_t *cms, size_t len, const struct sealed_holder *holder,
		 const char *text);

/* The same CMS with one recipient more, by a holder's key; to be freed. */
uint8_t *sealed_again(const uint8_t *cms, size_t len, const struct sealed_holder *holder,
		      const struct sealed_holder *newcomer, size_t *new_len);

#endif
