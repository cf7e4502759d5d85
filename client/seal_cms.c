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

bool seal_cms_unlock(CMS_ContentInfo *cms, const struct ieum_keyring *k)
{
	for (size_t i = 0; i < k->n; i++) {
		if (CMS_decrypt_set1_pkey(cms, keyring_key(k, i), keyring_certificate(k, i)) == 1)
			return true;
	}
	return false;
}

enum ieum_err seal_cms_fail(char why[IEUM_WHY_BYTES], enum ieum_err err, const char *text)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	snprintf(why, IEUM_WHY_BYTES, "%s%s%s%s", text, reason ? " (" : "", reason ? reason : "",
		 reason ? ")" : "");
	ERR_clear_error();
	return err;
}
