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

/* tls_verify.c: makes ctx check what tls.h promises of the peer. */
enum ieum_err tls_verify_setup(SSL_CTX *ctx);

/* tls_verify.c: judges a certificate and the chain that came with it by the trust, the CRLs
 * and the time of now.  CERTIFICATE_REVOKED, CERTIFICATE_EXPIRED, TLS_FAILED or NO_MEMORY. */
enum ieum_err tls_verify_again(const struct tls *tls, enum tls_role judge, X509 *cert,
			       STACK_OF(X509) * chain, char why[TLS_WHY_BYTES]) IEUM_MUST_CHECK;

/* tls_identity.c: FIELD_MISSING or FIELD_INVALID with the reason in why. */
enum ieum_err tls_identity_of(X509 *cert, struct tls_identity *out,
			      char why[TLS_WHY_BYTES]) IEUM_MUST_CHECK;

#endif
