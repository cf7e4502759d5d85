/* A certificate authority: ECDSA P-256 keys, X.509 certificates, one CRL.
 *
 * Everything is in memory here; store.h writes files.  One thread. */
#ifndef IEUM_CERTS_AUTHORITY_H
#define IEUM_CERTS_AUTHORITY_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdint.h>

#include "proto/error.h"

enum {
	CERTS_WHY_BYTES = 512,
	CERTS_SERIAL_BYTES = 16,   /* 128 random bits */
	CERTS_BACKDATE_S = 5 * 60, /* clocks of agencies differ */
};

/* A certificate with its key. */
struct pair {
	X509 *cert;
	EVP_PKEY *key;
};

struct wish {
	const char *cn;       /* UTF-8; NULL = none */
	const char *san;      /* "URI:spiffe://…,DNS:localhost,IP:127.0.0.1"; NULL = none */
	const char *usage;    /* "clientAuth", "serverAuth", "" = not said; NULL = an authority's */
	int64_t not_before_s; /* Unix seconds */
	int64_t not_after_s;
};

/* Why a certificate is revoked, as its list says (RFC 5280, 5.3.1).  What was signed before the
 * moment counts no more when the key was stolen, or nobody said that it wasn't. */
enum revocation {
	REVOKED_SILENTLY,   /* no reason is in the list */
	REVOKED_OUT_OF_USE, /* cessationOfOperation */
	REVOKED_STOLEN,     /* keyCompromise */
};

struct revoked {
	const char *serial_hex;
	int64_t at_s;
	enum revocation why;
};

/* A new key and a certificate for it, signed by issuer, or by itself when issuer is NULL.
 * NO_MEMORY or INTERNAL with OpenSSL's reason in why. */
enum ieum_err pair_new(const struct pair *issuer, const struct wish *wish, struct pair *out,
		       char why[CERTS_WHY_BYTES]) IEUM_MUST_CHECK;
void pair_release(struct pair *pair);
/* The same for a key of somebody else, of whom only its public half is here. */
enum ieum_err cert_sign(const struct pair *issuer, EVP_PKEY *key, const struct wish *wish,
			X509 **out, char why[CERTS_WHY_BYTES]) IEUM_MUST_CHECK;

/* Its serial in capital hex, to be freed with OPENSSL_free; NULL: no memory. */
char *cert_serial(const X509 *cert);

enum ieum_err crl_new(const struct pair *issuer, const struct revoked *revoked, size_t n,
		      int64_t now_s, int64_t next_update_s, X509_CRL **out,
		      char why[CERTS_WHY_BYTES]) IEUM_MUST_CHECK;

#endif
