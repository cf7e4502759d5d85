/* Sealed narrative parts made by OpenSSL's CMS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/sha256.h"
#include "tests/unit/sealed.h"

enum { A_YEAR_S = 365 * 24 * 60 * 60 };

static void add_extension(X509 *cert, int nid, const char *value)
{
	X509V3_CTX about;

	X509V3_set_ctx(&about, cert, cert, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &about, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(cert, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

void sealed_holder_make(struct sealed_holder *holder, const char *name, unsigned bits)
{
	static int64_t serial;
	X509 *cert = X509_new();

	holder->key = bits ? EVP_RSA_gen(bits) : EVP_EC_gen("P-256");
	assert_non_null(cert);
	assert_non_null(holder->key);
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set_int64(X509_get_serialNumber(cert), 0x1234567800 + ++serial);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), A_YEAR_S);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
				   (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	X509_set_pubkey(cert, holder->key);
	add_extension(cert, NID_subject_key_identifier, "hash");
	assert_int_not_equal(X509_sign(cert, holder->key, EVP_sha256()), 0);
	holder->cert = cert;
}

void sealed_holder_release(struct sealed_holder *holder)
{
	X509_free(holder->cert);
	EVP_PKEY_free(holder->key);
	*holder = (struct sealed_holder){ 0 };
}

uint8_t *sealed_holder_certificate(const struct sealed_holder *holder, size_t *len)
{
	uint8_t *der = NULL;
	int n = i2d_X509(holder->cert, &der);

	assert_true(n > 0);
	*len = (size_t)n;
	return der;
}

void sealed_names(const struct sealed_holder *holder, struct seal_recipient *by_key_id,
		  struct seal_recipient *by_issuer)
{
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(holder->cert);
	uint8_t *issuer = NULL, *serial = NULL;
	int issuer_len = i2d_X509_NAME(X509_get_issuer_name(holder->cert), &issuer);
	int serial_len = i2d_ASN1_INTEGER(X509_get_serialNumber(holder->cert), &serial);
	uint8_t both[512];

	assert_true(issuer_len > 0 && serial_len > 0 &&
		    (size_t)(issuer_len + serial_len) < sizeof both);
	memcpy(both, issuer, (size_t)issuer_len);
	memcpy(both + issuer_len, serial, (size_t)serial_len);
	*by_issuer = (struct seal_recipient){ 0 };
	assert_true(sha256(both, (size_t)(issuer_len + serial_len), by_issuer->issuer_serial));
	*by_key_id = (struct seal_recipient){ .by_key_id = true };
	by_key_id->key_id_len = (size_t)ASN1_STRING_length(id);
	memcpy(by_key_id->key_id, ASN1_STRING_get0_data(id), by_key_id->key_id_len);
	OPENSSL_free(issuer);
	OPENSSL_free(serial);
}

static uint8_t *encoded(CMS_ContentInfo *cms, size_t *len)
{
	uint8_t *der = NULL;
	int n = i2d_CMS_ContentInfo(cms, &der);

	assert_true(n > 0);
	CMS_ContentInfo_free(cms);
	*len = (size_t)n;
	return der;
}

uint8_t *sealed_with(const EVP_CIPHER *cipher, const struct sealed_holder *const *holders, size_t n,
		     const char *text, unsigned flags, size_t *len)
{
	STACK_OF(X509) *to = sk_X509_new_null();
	BIO *in = BIO_new_mem_buf(text, -1);

	for (size_t i = 0; i < n; i++)
		sk_X509_push(to, holders[i]->cert);
	CMS_ContentInfo *cms = CMS_encrypt(to, in, cipher, flags | CMS_BINARY);
	assert_non_null(cms);
	BIO_free(in);
	sk_X509_free(to);
	return encoded(cms, len);
}

uint8_t *sealed_to(const struct sealed_holder *const *holders, size_t n, const char *text,
		   unsigned flags, size_t *len)
{
	return sealed_with(EVP_aes_256_gcm(), holders, n, text, flags, len);
}

int sealed_opens(const uint8_t *cms, size_t len, const struct sealed_holder *holder,
		 const char *text)
{
	const uint8_t *at = cms;
	CMS_ContentInfo *content = d2i_CMS_ContentInfo(NULL, &at, (long)len);
	BIO *out = BIO_new(BIO_s_mem());
	char *opened = NULL;

	assert_non_null(content);
	int ok = CMS_decrypt(content, holder->key, holder->cert, NULL, out, CMS_BINARY);
	long n = BIO_get_mem_data(out, &opened);
	ok = ok && n == (long)strlen(text) && memcmp(opened, text, (size_t)n) == 0;
	BIO_free(out);
	CMS_ContentInfo_free(content);
	return ok;
}

uint8_t *sealed_again(const uint8_t *cms, size_t len, const struct sealed_holder *holder,
		      const struct sealed_holder *newcomer, size_t *new_len)
{
	const uint8_t *at = cms;
	CMS_ContentInfo *content = d2i_CMS_ContentInfo(NULL, &at, (long)len);

	assert_non_null(content);
	assert_int_equal(CMS_decrypt_set1_pkey(content, holder->key, holder->cert), 1);
	CMS_RecipientInfo *info = CMS_add1_recipient_cert(content, newcomer->cert, 0);
	assert_non_null(info);
	EVP_CIPHER_CTX *wrap = CMS_RecipientInfo_kari_get0_ctx(info);
	if (wrap) {
		/* Without it, an envelope read from DER has no cipher to wrap with. */
		EVP_CIPHER_CTX_set_flags(wrap, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
		assert_int_equal(EVP_EncryptInit_ex(wrap, EVP_aes_256_wrap(), NULL, NULL, NULL), 1);
	}
	assert_int_equal(CMS_RecipientInfo_encrypt(content, info), 1);
	return encoded(content, new_len);
}
