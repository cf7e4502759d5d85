/* Making certificates and the revocation list; see authority.h. */
#include "certs/authority.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static enum ieum_err explain(char why[CERTS_WHY_BYTES], const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	snprintf(why, CERTS_WHY_BYTES, "%s: %s", what, reason ? reason : "out of memory");
	ERR_clear_error();
	return IEUM_E_INTERNAL;
}

static bool set_serial(X509 *cert)
{
	unsigned char bytes[CERTS_SERIAL_BYTES];
	bool ok = false;

	if (RAND_bytes(bytes, sizeof bytes) != 1)
		return false;
	/* RFC 5280: positive; and all serials then have the same length. */
	bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40);
	BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
	ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
	BN_free(number);
	return ok;
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	bool ok = extension && X509_add_ext(cert, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return ok;
}

static bool add_extensions(X509 *cert, X509 *issuer, const struct wish *wish)
{
	if (!add_extension(cert, issuer, NID_subject_key_identifier, "hash"))
		return false;
	if (issuer != cert &&
	    !add_extension(cert, issuer, NID_authority_key_identifier, "keyid:always"))
		return false;
	if (wish->san && !add_extension(cert, issuer, NID_subject_alt_name, wish->san))
		return false;
	if (!wish->usage)
		return add_extension(cert, issuer, NID_basic_constraints,
				     "critical,CA:TRUE,pathlen:0") &&
		       add_extension(cert, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
	/* To sign (TLS, what is sealed), and to be sealed to. */
	const char *uses = EVP_PKEY_is_a(X509_get0_pubkey(cert), "RSA")
				   ? "critical,digitalSignature,keyEncipherment"
				   : "critical,digitalSignature,keyAgreement";
	return add_extension(cert, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(cert, issuer, NID_key_usage, uses) &&
	       (!*wish->usage || add_extension(cert, issuer, NID_ext_key_usage, wish->usage));
}

static bool fill(X509 *cert, EVP_PKEY *key, X509 *issuer, const struct wish *wish)
{
	X509_NAME *subject = X509_get_subject_name(cert);

	if (X509_set_version(cert, X509_VERSION_3) != 1 || !set_serial(cert) ||
	    X509_set_pubkey(cert, key) != 1 ||
	    !ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)wish->not_before_s) ||
	    !ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)wish->not_after_s))
		return false;
	if (wish->cn && X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
						   (const unsigned char *)wish->cn, -1, -1, 0) != 1)
		return false;
	return X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1 &&
	       add_extensions(cert, issuer, wish);
}

enum ieum_err pair_new(const struct pair *issuer, const struct wish *wish, struct pair *out,
		       char why[CERTS_WHY_BYTES])
{
	ERR_clear_error();
	*out = (struct pair){ .cert = X509_new(), .key = EVP_EC_gen("P-256") };
	X509 *issuer_cert = issuer ? issuer->cert : out->cert;
	EVP_PKEY *issuer_key = issuer ? issuer->key : out->key;

	if (!out->cert || !out->key || !fill(out->cert, out->key, issuer_cert, wish) ||
	    X509_sign(out->cert, issuer_key, EVP_sha256()) == 0) {
		pair_release(out);
		return explain(why, "no certificate");
	}
	return IEUM_E_OK;
}

enum ieum_err cert_sign(const struct pair *issuer, EVP_PKEY *key, const struct wish *wish,
			X509 **out, char why[CERTS_WHY_BYTES])
{
	ERR_clear_error();
	*out = X509_new();
	if (!*out || !fill(*out, key, issuer->cert, wish) ||
	    X509_sign(*out, issuer->key, EVP_sha256()) == 0) {
		X509_free(*out);
		*out = NULL;
		return explain(why, "no certificate");
	}
	return IEUM_E_OK;
}

void pair_release(struct pair *pair)
{
	X509_free(pair->cert);
	EVP_PKEY_free(pair->key);
	*pair = (struct pair){ 0 };
}

char *cert_serial(const X509 *cert)
{
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	char *hex = number ? BN_bn2hex(number) : NULL;

	BN_free(number);
	return hex;
}

static bool set_reason(X509_REVOKED *row, enum revocation why)
{
	ASN1_ENUMERATED *reason;
	bool ok;

	if (why == REVOKED_SILENTLY)
		return true;
	reason = ASN1_ENUMERATED_new();
	ok = reason &&
	     ASN1_ENUMERATED_set(reason, why == REVOKED_STOLEN
						 ? CRL_REASON_KEY_COMPROMISE
						 : CRL_REASON_CESSATION_OF_OPERATION) == 1 &&
	     X509_REVOKED_add1_ext_i2d(row, NID_crl_reason, reason, 0, 0) == 1;
	ASN1_ENUMERATED_free(reason);
	return ok;
}

static bool add_revoked(X509_CRL *crl, const struct revoked *revoked)
{
	X509_REVOKED *row = X509_REVOKED_new();
	ASN1_TIME *at = ASN1_TIME_set(NULL, (time_t)revoked->at_s);
	BIGNUM *number = NULL;
	ASN1_INTEGER *serial = NULL;
	bool ok = row && at && BN_hex2bn(&number, revoked->serial_hex) > 0 &&
		  (serial = BN_to_ASN1_INTEGER(number, NULL)) != NULL &&
		  X509_REVOKED_set_serialNumber(row, serial) == 1 &&
		  X509_REVOKED_set_revocationDate(row, at) == 1 && set_reason(row, revoked->why) &&
		  X509_CRL_add0_revoked(crl, row) == 1;

	if (!ok)
		X509_REVOKED_free(row);
	ASN1_TIME_free(at);
	BN_free(number);
	ASN1_INTEGER_free(serial);
	return ok;
}

static bool set_crl_frame(X509_CRL *crl, X509 *issuer, int64_t now_s, int64_t next_update_s)
{
	ASN1_TIME *now = ASN1_TIME_set(NULL, (time_t)(now_s - CERTS_BACKDATE_S));
	ASN1_TIME *next = ASN1_TIME_set(NULL, (time_t)next_update_s);
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	/* The number must grow from list to list: the second of signing does. */
	bool ok = now && next && number && ASN1_INTEGER_set_int64(number, now_s) == 1 &&
		  X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
		  X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer)) == 1 &&
		  X509_CRL_set1_lastUpdate(crl, now) == 1 &&
		  X509_CRL_set1_nextUpdate(crl, next) == 1 &&
		  X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0) == 1;

	ASN1_TIME_free(now);
	ASN1_TIME_free(next);
	ASN1_INTEGER_free(number);
	return ok;
}

enum ieum_err crl_new(const struct pair *issuer, const struct revoked *revoked, size_t n,
		      int64_t now_s, int64_t next_update_s, X509_CRL **out,
		      char why[CERTS_WHY_BYTES])
{
	X509_CRL *crl = X509_CRL_new();
	bool ok = crl && set_crl_frame(crl, issuer->cert, now_s, next_update_s);

	ERR_clear_error();
	for (size_t i = 0; ok && i < n; i++)
		ok = add_revoked(crl, &revoked[i]);
	ok = ok && X509_CRL_sort(crl) == 1 && X509_CRL_sign(crl, issuer->key, EVP_sha256()) > 0;
	if (!ok) {
		X509_CRL_free(crl);
		*out = NULL;
		return explain(why, "no revocation list");
	}
	*out = crl;
	return IEUM_E_OK;
}
