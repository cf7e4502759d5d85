/* A certificate as others need it to seal to its holder: its bytes, and by what a CMS recipient names
 * it (RFC 5652, 6.2).  Pure functions of the certificate, any thread. */
#include "proto/tls_session.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>

/* The DER of issuer and serial number, one after the other, into SHA-256. */
static enum ieum_err hash_issuer_serial(const X509 *cert, uint8_t out[TLS_HASH_BYTES])
{
	enum ieum_err err = IEUM_E_NO_MEMORY;
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	unsigned char *issuer = NULL, *serial = NULL;
	int n_issuer = i2d_X509_NAME(X509_get_issuer_name(cert), &issuer);
	int n_serial = i2d_ASN1_INTEGER(X509_get0_serialNumber(cert), &serial);

	if (hash && n_issuer > 0 && n_serial > 0 &&
	    EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 &&
	    EVP_DigestUpdate(hash, issuer, (size_t)n_issuer) == 1 &&
	    EVP_DigestUpdate(hash, serial, (size_t)n_serial) == 1 &&
	    EVP_DigestFinal_ex(hash, out, NULL) == 1)
		err = IEUM_E_OK;
	OPENSSL_free(issuer);
	OPENSSL_free(serial);
	EVP_MD_CTX_free(hash);
	return err;
}

bool tls_can_be_sealed_to(X509 *cert)
{
	/* All bits where the certificate has no such extension. */
	uint32_t usage = X509_get_key_usage(cert);
	const EVP_PKEY *key = X509_get0_pubkey(cert);

	if (key && EVP_PKEY_is_a(key, "EC"))
		return usage & KU_KEY_AGREEMENT;
	return key && EVP_PKEY_is_a(key, "RSA") && (usage & KU_KEY_ENCIPHERMENT);
}

enum ieum_err tls_certificate_of(X509 *cert, struct tls_certificate *out)
{
	const ASN1_OCTET_STRING *key_id = X509_get0_subject_key_id(cert);
	unsigned int hash_len = sizeof out->fingerprint;
	int n = i2d_X509(cert, NULL);

	*out = (struct tls_certificate){ .der_len = 0 };
	if (n <= 0 || X509_digest(cert, EVP_sha256(), out->fingerprint, &hash_len) != 1)
		return IEUM_E_NO_MEMORY;
	if ((size_t)n <= sizeof out->der) {
		unsigned char *to = out->der;
		out->der_len = (size_t)i2d_X509(cert, &to);
	}
	if (key_id && (size_t)ASN1_STRING_length(key_id) <= sizeof out->key_id) {
		out->key_id_len = (size_t)ASN1_STRING_length(key_id);
		memcpy(out->key_id, ASN1_STRING_get0_data(key_id), out->key_id_len);
	}
	out->can_be_sealed_to = tls_can_be_sealed_to(cert);
	return hash_issuer_serial(cert, out->issuer_serial);
}
