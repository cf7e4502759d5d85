/* The side of tls.h that speaks OpenSSL; for proto/tls*.c and proto/channel*.c alone. */
#ifndef IEUM_PROTO_TLS_SESSION_H
#define IEUM_PROTO_TLS_SESSION_H

#include <openssl/ssl.h>

#include "proto/tls.h"

/* The context in a struct tls; up-ref it to keep it. */
SSL_CTX *tls_ctx(const struct tls *tls);

/* A session to accept with, or to connect to server_name (DNS name or IP literal) with.
 * NULL when out of memory or the name cannot be one. */
SSL *tls_session_accept(SSL_CTX *ctx);
SSL *tls_session_connect(SSL_CTX *ctx, const char *server_name);

/* Why the peer's certificate was refused; NULL when it was not. */
const char *tls_session_refusal(const SSL *ssl);
/* It was judged by a CRL that is past its end. */
bool tls_session_is_stale(const SSL *ssl);

/* tls_verify.c: makes ctx check what tls.h promises of the peer; of `files` the rules count. */
enum ieum_err tls_verify_setup(SSL_CTX *ctx, const struct tls_files *files);
/* The first end of the chain that was verified, Unix seconds; 0: none was. */
int64_t tls_session_chain_ends_s(const SSL *ssl);

/* tls_verify.c: judges a certificate and the chain that came with it by the trust, the CRLs
 * (one that is past its end still counts) and the time of now.  CERTIFICATE_REVOKED, CERTIFICATE_EXPIRED, TLS_FAILED or NO_MEMORY. */
enum ieum_err tls_verify_again(const struct tls *tls, enum tls_role judge, X509 *cert,
			       STACK_OF(X509) * chain, char why[TLS_WHY_BYTES]) IEUM_MUST_CHECK;

/* tls_identity.c: FIELD_MISSING or FIELD_INVALID with the reason in why; NO_MEMORY. */
enum ieum_err tls_identity_of(X509 *cert, struct tls_identity *out,
			      char why[TLS_WHY_BYTES]) IEUM_MUST_CHECK;
/* The same of a certificate that may lack a spiffe URI, or have one of other use: then uri is "". */
enum ieum_err tls_any_identity_of(X509 *cert, struct tls_identity *out,
				  char why[TLS_WHY_BYTES]) IEUM_MUST_CHECK;
/* "CN=김포,O=…": the last part of the name first; NULL: no memory.  Freed by OPENSSL_free. */
char *tls_name_text(const X509_NAME *name);

/* tls_certificate.c.  Can a content key be wrapped for its key?  EC with keyAgreement, RSA with
 * keyEncipherment, where the certificate says what its key is for. */
bool tls_can_be_sealed_to(X509 *cert);
/* NO_MEMORY. */
enum ieum_err tls_certificate_of(X509 *cert, struct tls_certificate *out) IEUM_MUST_CHECK;

#endif
