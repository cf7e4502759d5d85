/* Judging the peer's certificate, during the handshake and again later.
 *
 * OpenSSL checks chain, time, purpose and revocation; this adds what it leaves open: the
 * extended key usage must be there (an absent one would mean "any"), and the certificate
 * must carry exactly one identity.  The reason of a refusal is kept with the session, since
 * the peer sees only an alert.  Reasons name the spiffe URI and the serial, never the CN,
 * which may be a person's name.  Owned by the thread of the session. */
#include "proto/tls_session.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>

static void free_reason(void *parent, void *reason, CRYPTO_EX_DATA *data, int index, long argl,
			void *argp)
{
	(void)parent, (void)data, (void)index, (void)argl, (void)argp;
	OPENSSL_free(reason);
}

static int reason_slot(void)
{
	static int slot = -1;

	if (slot < 0)
		slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_reason);
	return slot;
}

static bool says_usage(X509 *cert, bool server)
{
	uint32_t usage = X509_get_extended_key_usage(cert);

	return usage != UINT32_MAX && (usage & (server ? XKU_SSL_SERVER : XKU_SSL_CLIENT));
}

/* The rules beyond OpenSSL's, for the certificate at the end of a good chain. */
static enum ieum_err check_holder(X509 *cert, bool server, struct tls_identity *id,
				  char why[TLS_WHY_BYTES])
{
	enum ieum_err err = tls_identity_of(cert, id, why);

	if (!err && !says_usage(cert, server)) {
		snprintf(why, TLS_WHY_BYTES, "certificate does not say that it is for %s use",
			 server ? "server" : "client");
		err = IEUM_E_FIELD_INVALID;
	}
	return err;
}

/* "certificate has expired (spiffe://…, serial 0a1b)". */
static void name_holder(X509 *cert, const char *reason, char why[TLS_WHY_BYTES])
{
	struct tls_identity id;
	char ignored[TLS_WHY_BYTES];

	if (!cert || tls_identity_of(cert, &id, ignored))
		snprintf(why, TLS_WHY_BYTES, "%s%s%s", reason, cert ? ", serial " : "",
			 cert ? id.serial : "");
	else
		snprintf(why, TLS_WHY_BYTES, "%s (%s, serial %s)", reason, id.uri, id.serial);
}

static int judge(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	char why[TLS_WHY_BYTES];

	if (!ok) {
		name_holder(leaf, X509_verify_cert_error_string(X509_STORE_CTX_get_error(store)),
			    why);
	} else {
		struct tls_identity id;
		char text[TLS_WHY_BYTES];
		if (X509_STORE_CTX_get_error_depth(store) != 0)
			return 1;
		if (check_holder(leaf, !SSL_is_server(ssl), &id, text) == IEUM_E_OK)
			return 1;
		/* The peer is told "bad certificate". */
		X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
		snprintf(why, sizeof why, "%.400s, serial %s", text, id.serial);
	}
	OPENSSL_free(SSL_get_ex_data(ssl, reason_slot()));
	SSL_set_ex_data(ssl, reason_slot(), OPENSSL_strdup(why));
	return 0;
}

enum ieum_err tls_verify_setup(SSL_CTX *ctx)
{
	if (reason_slot() < 0)
		return IEUM_E_NO_MEMORY;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, judge);
	return IEUM_E_OK;
}

const char *tls_session_refusal(const SSL *ssl)
{
	return SSL_get_ex_data(ssl, reason_slot());
}

static enum ieum_err verdict(int error)
{
	switch (error) {
	case X509_V_ERR_CERT_REVOKED: return IEUM_E_CERTIFICATE_REVOKED;
	case X509_V_ERR_CERT_HAS_EXPIRED: return IEUM_E_CERTIFICATE_EXPIRED;
	default: return IEUM_E_TLS_FAILED;
	}
}

enum ieum_err tls_verify_again(const struct tls *tls, enum tls_role judge_role, X509 *cert,
			       STACK_OF(X509) * chain, char why[TLS_WHY_BYTES])
{
	bool server = judge_role == TLS_CLIENT; /* the one judged is at the other end */
	X509_STORE_CTX *store = X509_STORE_CTX_new();
	enum ieum_err err = IEUM_E_OK;

	if (!store ||
	    !X509_STORE_CTX_init(store, SSL_CTX_get_cert_store(tls_ctx(tls)), cert, chain) ||
	    !X509_STORE_CTX_set_default(store, server ? "ssl_server" : "ssl_client")) {
		snprintf(why, TLS_WHY_BYTES, "out of memory");
		err = IEUM_E_NO_MEMORY;
	} else if (X509_verify_cert(store) != 1) {
		int error = X509_STORE_CTX_get_error(store);
		name_holder(cert, X509_verify_cert_error_string(error), why);
		err = verdict(error);
	} else {
		struct tls_identity id;
		if (check_holder(cert, server, &id, why))
			err = IEUM_E_TLS_FAILED;
	}
	X509_STORE_CTX_free(store);
	ERR_clear_error();
	return err;
}
