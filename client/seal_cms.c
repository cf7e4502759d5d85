/* What is shared of OpenSSL's CMS; see seal_cms.h. */
#include "client/seal_cms.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdio.h>

enum { CMS_MAX_BYTES = 16 * 1024 * 1024 };

/* OpenSSL's own defaults are SHA-1 and PKCS #1 v1.5. */
static bool set_rules(CMS_RecipientInfo *ri)
{
	EVP_PKEY_CTX *ctx = CMS_RecipientInfo_get0_pkey_ctx(ri);

	switch (CMS_RecipientInfo_type(ri)) {
	case CMS_RECIPINFO_AGREE: return EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, EVP_sha256()) > 0;
	case CMS_RECIPINFO_TRANS:
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
		       EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) > 0;
	default: return false;
	}
}

bool seal_cms_add(CMS_ContentInfo *cms, X509 *to, CMS_RecipientInfo **added)
{
	/* The key's identifier is shorter than issuer and serial number, where there is one. */
	unsigned flags = CMS_KEY_PARAM | (X509_get0_subject_key_id(to) ? CMS_USE_KEYID : 0);

	*added = CMS_add1_recipient_cert(cms, to, flags);
	return *added && set_rules(*added);
}

CMS_ContentInfo *seal_cms_read(const uint8_t *der, size_t len)
{
	const unsigned char *at = der;
	CMS_ContentInfo *cms =
		len <= CMS_MAX_BYTES ? d2i_CMS_ContentInfo(NULL, &at, (long)len) : NULL;

	if (cms && (at != der + len ||
		    OBJ_obj2nid(CMS_get0_type(cms)) != NID_id_smime_ct_authEnvelopedData)) {
		CMS_ContentInfo_free(cms);
		cms = NULL;
	}
	return cms;
}

enum ieum_err seal_cms_write(CMS_ContentInfo *cms, struct buf *out)
{
	int len = i2d_CMS_ContentInfo(cms, NULL);
	unsigned char *at;

	if (len <= 0)
		return IEUM_E_NO_MEMORY;
	at = buf_reserve(out, (size_t)len);
	if (!at)
		return IEUM_E_FIELD_TOO_LARGE;
	i2d_CMS_ContentInfo(cms, &at);
	buf_commit(out, (size_t)len);
	return IEUM_E_OK;
}

/* ---- unlocking ---- */

/* One of our keys, and a way in the CMS that names its certificate. */
struct way {
	CMS_RecipientInfo *ri;
	CMS_RecipientEncryptedKey *rek; /* of key agreement */
	EVP_PKEY *key;
};

/* The content key by that way, if there is one. */
static bool take_key(CMS_ContentInfo *cms, const struct way *w)
{
	bool taken;

	if (w->rek) {
		taken = CMS_RecipientInfo_kari_set0_pkey(w->ri, w->key) == 1 &&
			CMS_RecipientInfo_kari_decrypt(cms, w->ri, w->rek) == 1;
		CMS_RecipientInfo_kari_set0_pkey(w->ri, NULL);
		return taken;
	}
	if (EVP_PKEY_up_ref(w->key) != 1)
		return false;
	taken = CMS_RecipientInfo_set0_pkey(w->ri, w->key) == 1 &&
		CMS_RecipientInfo_decrypt(cms, w->ri) == 1;
	CMS_RecipientInfo_set0_pkey(w->ri, NULL);
	return taken;
}

/* Opening takes the key out of the CMS, and whoever wraps it needs it there. */
static bool opens(CMS_ContentInfo *cms, const struct way *w, BIO *out)
{
	if (take_key(cms, w) && CMS_decrypt(cms, NULL, NULL, NULL, out, CMS_BINARY) == 1 &&
	    take_key(cms, w))
		return true;
	(void)BIO_reset(out);
	ERR_clear_error();
	return false;
}

/* By one RecipientInfo; counts the ways that name us. */
static bool opens_by(CMS_ContentInfo *cms, CMS_RecipientInfo *ri, X509 *cert, EVP_PKEY *key,
		     BIO *out, size_t *ways)
{
	struct way w = { .ri = ri, .key = key };
	STACK_OF(CMS_RecipientEncryptedKey) * reks;

	if (CMS_RecipientInfo_type(ri) == CMS_RECIPINFO_TRANS) {
		if (CMS_RecipientInfo_ktri_cert_cmp(ri, cert) != 0)
			return false;
		++*ways;
		return opens(cms, &w, out);
	}
	if (CMS_RecipientInfo_type(ri) != CMS_RECIPINFO_AGREE)
		return false;
	reks = CMS_RecipientInfo_kari_get0_reks(ri);
	for (int i = 0; i < sk_CMS_RecipientEncryptedKey_num(reks); i++) {
		w.rek = sk_CMS_RecipientEncryptedKey_value(reks, i);
		if (CMS_RecipientEncryptedKey_cert_cmp(w.rek, cert) != 0)
			continue;
		++*ways;
		if (opens(cms, &w, out))
			return true;
	}
	return false;
}

enum ieum_err seal_cms_unlock(CMS_ContentInfo *cms, const struct ieum_keyring *k, BIO *out,
			      char why[IEUM_WHY_BYTES])
{
	STACK_OF(CMS_RecipientInfo) *infos = CMS_get0_RecipientInfos(cms);
	size_t ways = 0;

	for (size_t i = 0; i < k->n; i++) {
		for (int j = 0; j < sk_CMS_RecipientInfo_num(infos); j++) {
			if (opens_by(cms, sk_CMS_RecipientInfo_value(infos, j),
				     keyring_certificate(k, i), keyring_key(k, i), out, &ways))
				return IEUM_E_OK;
		}
	}
	ERR_clear_error();
	return ways == 0
		       ? seal_cms_fail(why, IEUM_E_KEY_MISSING, "it is not sealed to a key of ours")
		       : seal_cms_fail(why, IEUM_E_NOT_SEALED,
				       "it was changed on its way, or the key in it is a wrong "
				       "one");
}

enum ieum_err seal_cms_fail(char why[IEUM_WHY_BYTES], enum ieum_err err, const char *text)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	snprintf(why, IEUM_WHY_BYTES, "%s%s%s%s", text, reason ? " (" : "", reason ? reason : "",
		 reason ? ")" : "");
	ERR_clear_error();
	return err;
}
