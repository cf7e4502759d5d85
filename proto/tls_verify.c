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
#include <time.h>

/* What of tls_files counts in judging; a context's own copy. */
struct rules {
	int64_t crl_grace_s;
	bool other_names;
};

static void free_openssl(void *parent, void *what, CRYPTO_EX_DATA *data, int index, long argl,
			 void *argp)
{
	(void)parent, (void)data, (void)index, (void)argl, (void)argp;
	OPENSSL_free(what);
}

/* The reason of a refusal, of a session. */
static int reason_slot(void)
{
	static int slot = -1;

	if (slot < 0)
		slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_openssl);
	return slot;
}

/* Not NULL: a CRL past its end was let count, in a session. */
static int stale_slot(void)
{
	static int slot = -1;

	if (slot < 0)
		slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return slot;
}

static int rules_slot(void)
{
	static int slot = -1;

	if (slot < 0)
		slot = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_openssl);
	return slot;
}

static const struct rules *rules_of(const SSL_CTX *ctx)
{
	return SSL_CTX_get_ex_data(ctx, rules_slot());
}

static bool says_usage(X509 *cert, bool server)
{
	uint32_t usage = X509_get_extended_key_usage(cert);

	return usage != UINT32_MAX && (usage & (server ? XKU_SSL_SERVER : XKU_SSL_CLIENT));
}

/* The rules beyond OpenSSL's, for the certificate at the end of a good chain. */
static enum ieum_err check_holder(X509 *cert, bool server, bool any, struct tls_identity *id,
				  char why[TLS_WHY_BYTES])
{
	enum ieum_err err = any && !server ? tls_any_identity_of(cert, id, why)
					   : tls_identity_of(cert, id, why);

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

/* Past its end, but not too long: whoever uses the channel lets in whom it knows. */
static bool within_grace(X509_STORE_CTX *store, const struct rules *rules)
{
	X509_CRL *crl = X509_STORE_CTX_get0_current_crl(store);
	const ASN1_TIME *end = crl ? X509_CRL_get0_nextUpdate(crl) : NULL;
	int days, seconds;

	return rules->crl_grace_s > 0 && end && ASN1_TIME_diff(&days, &seconds, end, NULL) == 1 &&
	       (int64_t)days * 24 * 60 * 60 + seconds < rules->crl_grace_s;
}

/* OpenSSL found fault.  1: it is let pass. */
static int judge_fault(X509_STORE_CTX *store, SSL *ssl, char why[TLS_WHY_BYTES])
{
	int error = X509_STORE_CTX_get_error(store);

	if (error == X509_V_ERR_CRL_HAS_EXPIRED &&
	    within_grace(store, rules_of(SSL_get_SSL_CTX(ssl)))) {
		static char stale;
		SSL_set_ex_data(ssl, stale_slot(), &stale);
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	name_holder(X509_STORE_CTX_get0_cert(store), X509_verify_cert_error_string(error), why);
	return 0;
}

static int judge(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	char why[TLS_WHY_BYTES];

	if (!ok) {
		if (judge_fault(store, ssl, why))
			return 1;
	} else {
		struct tls_identity id;
		char text[TLS_WHY_BYTES];
		if (X509_STORE_CTX_get_error_depth(store) != 0)
			return 1;
		if (check_holder(leaf, !SSL_is_server(ssl),
				 rules_of(SSL_get_SSL_CTX(ssl))->other_names, &id,
				 text) == IEUM_E_OK)
			return 1;
		/* The peer is told "bad certificate". */
		X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
		snprintf(why, sizeof why, "%.400s, serial %s", text, id.serial);
	}
	OPENSSL_free(SSL_get_ex_data(ssl, reason_slot()));
	SSL_set_ex_data(ssl, reason_slot(), OPENSSL_strdup(why));
	return 0;
}

enum ieum_err tls_verify_setup(SSL_CTX *ctx, const struct tls_files *files)
{
	struct rules *rules = OPENSSL_malloc(sizeof *rules);

	if (!rules || reason_slot() < 0 || stale_slot() < 0 || rules_slot() < 0 ||
	    SSL_CTX_set_ex_data(ctx, rules_slot(), rules) != 1) {
		OPENSSL_free(rules);
		return IEUM_E_NO_MEMORY;
	}
	*rules = (struct rules){ files->crl_grace_s, files->other_names };
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, judge);
	return IEUM_E_OK;
}

const char *tls_session_refusal(const SSL *ssl)
{
	return SSL_get_ex_data(ssl, reason_slot());
}

bool tls_session_is_stale(const SSL *ssl)
{
	return SSL_get_ex_data(ssl, stale_slot()) != NULL;
}

int64_t tls_session_chain_ends_s(const SSL *ssl)
{
	STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
	int64_t first_s = 0;

	for (int i = 0; i < sk_X509_num(chain); i++) {
		struct tm tm;
		if (ASN1_TIME_to_tm(X509_get0_notAfter(sk_X509_value(chain, i)), &tm) != 1)
			continue;
		int64_t at_s = (int64_t)timegm(&tm);
		if (!first_s || at_s < first_s)
			first_s = at_s;
	}
	return first_s;
}

static enum ieum_err verdict(int error)
{
	switch (error) {
	case X509_V_ERR_CERT_REVOKED: return IEUM_E_CERTIFICATE_REVOKED;
	case X509_V_ERR_CERT_HAS_EXPIRED: return IEUM_E_CERTIFICATE_EXPIRED;
	default: return IEUM_E_TLS_FAILED;
	}
}

/* Of whoever is here already, or was: a list that is past its end still says who was revoked. */
static int pass_old_lists(int ok, X509_STORE_CTX *store)
{
	return ok || X509_STORE_CTX_get_error(store) == X509_V_ERR_CRL_HAS_EXPIRED;
}

static bool verifies(X509_STORE_CTX *store)
{
	X509_STORE_CTX_set_verify_cb(store, pass_old_lists);
	return X509_verify_cert(store) == 1;
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
	} else if (!verifies(store)) {
		int error = X509_STORE_CTX_get_error(store);
		name_holder(cert, X509_verify_cert_error_string(error), why);
		err = verdict(error);
	} else {
		struct tls_identity id;
		if (check_holder(cert, server, rules_of(tls_ctx(tls))->other_names, &id, why))
			err = IEUM_E_TLS_FAILED;
	}
	X509_STORE_CTX_free(store);
	ERR_clear_error();
	return err;
}

enum ieum_err tls_judge(const struct tls *tls, const uint8_t *der, size_t len,
			struct tls_identity *out, char why[TLS_WHY_BYTES])
{
	X509 *cert = d2i_X509(NULL, &der, (long)len);
	enum ieum_err err = IEUM_E_TLS_FAILED;

	snprintf(why, TLS_WHY_BYTES, "not a certificate");
	if (cert)
		err = tls_verify_again(tls, TLS_SERVER, cert, NULL, why);
	if (!err)
		err = tls_any_identity_of(cert, out, why);
	X509_free(cert);
	ERR_clear_error();
	return err;
}
