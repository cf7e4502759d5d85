/* Signing and sealing, and wrapping for a newcomer; see seal.h. */
#include "client/seal.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "client/seal_cms.h"

/* ---- sealing ---- */

/* SealedContent as bytes; *len of them. */
static uint8_t *pack(const Ieum__V1__SealedContent *content, size_t *len)
{
	uint8_t *bytes;

	*len = ieum__v1__sealed_content__get_packed_size(content);
	bytes = OPENSSL_malloc(*len ? *len : 1);
	if (bytes)
		ieum__v1__sealed_content__pack(content, bytes);
	return bytes;
}

/* The signed bytes, DER; *out is the caller's, to wipe. */
static int sign(const struct ieum_keyring *k, const Ieum__V1__SealedContent *content,
		unsigned char **out)
{
	size_t len;
	uint8_t *clear = pack(content, &len);
	BIO *in = clear ? BIO_new_mem_buf(clear, (int)len) : NULL;
	CMS_ContentInfo *cms = NULL;
	int signed_len = -1;

	*out = NULL;
	if (in)
		cms = CMS_sign(keyring_certificate(k, 0), keyring_key(k, 0), keyring_chain(k), in,
			       CMS_BINARY | CMS_NOSMIMECAP);
	if (cms)
		signed_len = i2d_CMS_ContentInfo(cms, out);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	if (clear)
		OPENSSL_clear_free(clear, len);
	return signed_len;
}

static bool add_all(CMS_ContentInfo *cms, X509 *const *to, size_t n)
{
	CMS_RecipientInfo *added;

	for (size_t i = 0; i < n; i++) {
		if (!seal_cms_add(cms, to[i], &added))
			return false;
	}
	return n > 0;
}

enum ieum_err seal_make(const struct ieum_keyring *k, const Ieum__V1__SealedContent *content,
			X509 *const *to, size_t n, struct buf *out, char why[IEUM_WHY_BYTES])
{
	enum ieum_err err = IEUM_E_OK;
	CMS_ContentInfo *cms = NULL;
	unsigned char *inside;
	BIO *in = NULL;
	int len;

	ERR_clear_error();
	len = sign(k, content, &inside);
	if (len > 0)
		in = BIO_new_mem_buf(inside, len);
	if (in)
		cms = CMS_encrypt(NULL, in, EVP_aes_256_gcm(), CMS_BINARY | CMS_PARTIAL);
	if (!cms)
		err = seal_cms_fail(why, IEUM_E_NO_MEMORY, "the narrative cannot be signed");
	else if (!add_all(cms, to, n) || CMS_final(cms, in, NULL, CMS_BINARY) != 1)
		err = seal_cms_fail(why, IEUM_E_NOT_SEALED,
				    "a recipient's certificate has no key to seal to");
	else if ((err = seal_cms_write(cms, out)))
		seal_cms_fail(why, err, ieum_error((int)err)->text);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	if (inside)
		OPENSSL_clear_free(inside, len > 0 ? (size_t)len : 0);
	return err;
}

/* ---- wrapping ---- */

/* The wrap of key agreement needs a cipher of its own, which OpenSSL chooses when it seals and
 * forgets when it has opened. */
static bool choose_wrap(CMS_RecipientInfo *ri)
{
	EVP_CIPHER_CTX *ctx;

	if (CMS_RecipientInfo_type(ri) != CMS_RECIPINFO_AGREE)
		return true;
	ctx = CMS_RecipientInfo_kari_get0_ctx(ri);
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	return EVP_EncryptInit_ex(ctx, EVP_aes_256_wrap(), NULL, NULL, NULL) == 1;
}

static bool wrap_all(CMS_ContentInfo *cms, X509 *const *to, size_t n)
{
	CMS_RecipientInfo *added;

	for (size_t i = 0; i < n; i++) {
		if (!seal_cms_add(cms, to[i], &added) || !choose_wrap(added) ||
		    CMS_RecipientInfo_encrypt(cms, added) != 1)
			return false;
	}
	return true;
}

/* The CMS with keys for them, into out->cms. */
static enum ieum_err open_and_wrap(const struct ieum_keyring *k, const struct seal_outside *of,
				   X509 *const *to, size_t n, struct seal_wrapped *out,
				   char why[IEUM_WHY_BYTES])
{
	const ProtobufCBinaryData *sealed = &of->part->sealed;
	CMS_ContentInfo *cms = seal_cms_read(sealed->data, sealed->len);
	struct seal_inside inside;
	enum ieum_err err;

	if (!cms)
		return seal_cms_fail(why, IEUM_E_NOT_SEALED, "this is no sealed narrative");
	err = seal_cms_open(k, cms, of, &inside, why);
	if (!err && !wrap_all(cms, to, n))
		err = seal_cms_fail(why, IEUM_E_NOT_SEALED,
				    "the newcomer's certificate has no key to seal to");
	else if (!err && (err = seal_cms_write(cms, &out->cms)))
		seal_cms_fail(why, err, ieum_error((int)err)->text);
	seal_inside_free(&inside);
	CMS_ContentInfo_free(cms);
	return err;
}

enum ieum_err seal_wrap(const struct ieum_keyring *k, const struct seal_outside *of,
			X509 *const *to, size_t n, struct seal_wrapped *out,
			char why[IEUM_WHY_BYTES])
{
	const struct seal_bytes before = { of->part->sealed.data, of->part->sealed.len };
	struct seal_bytes after;
	enum ieum_err err;

	*out = (struct seal_wrapped){ 0 };
	buf_init(&out->cms, before.len + SEAL_WRAP_MAX * SEAL_INFO_BYTES_MAX);
	ERR_clear_error();
	err = open_and_wrap(k, of, to, n < SEAL_WRAP_MAX ? n : SEAL_WRAP_MAX, out, why);
	after = (struct seal_bytes){ buf_bytes(&out->cms), buf_len(&out->cms) };
	if (!err &&
	    (err = seal_new_recipients(&before, &after, out->infos, SEAL_WRAP_MAX, &out->n)))
		seal_cms_fail(why, err, "this is no sealed narrative");
	if (err)
		seal_wrapped_free(out);
	return err;
}

void seal_wrapped_free(struct seal_wrapped *w)
{
	buf_release(&w->cms);
	*w = (struct seal_wrapped){ 0 };
}
