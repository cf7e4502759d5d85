/* Opening what was sealed, and seeing who wrote it; see seal.h. */
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "client/seal_cms.h"

static enum ieum_err refuse(char why[IEUM_WHY_BYTES], const char *text)
{
	return seal_cms_fail(why, IEUM_E_NOT_SEALED, text);
}

/* ---- the signature ---- */

static bool is_strong(CMS_SignerInfo *si)
{
	X509_ALGOR *digest = NULL;

	CMS_SignerInfo_get0_algs(si, NULL, NULL, &digest, NULL);
	switch (digest ? OBJ_obj2nid(digest->algorithm) : NID_undef) {
	case NID_sha256:
	case NID_sha384:
	case NID_sha512: return true;
	default: return false;
	}
}

/* The one who signed, if it is one and the signature is good. */
static X509 *signer_of(CMS_ContentInfo *cms, BIO *out)
{
	STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(cms);
	STACK_OF(X509) *signers = NULL;
	X509 *signer = NULL;

	if (sk_CMS_SignerInfo_num(infos) == 1 && is_strong(sk_CMS_SignerInfo_value(infos, 0)) &&
	    /* Its certificate is judged by us. */
	    CMS_verify(cms, NULL, NULL, NULL, out, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) == 1)
		signers = CMS_get0_signers(cms);
	if (signers && sk_X509_num(signers) == 1)
		signer = sk_X509_value(signers, 0);
	sk_X509_free(signers);
	return signer;
}

static enum ieum_err judge_signer(const struct ieum_keyring *k, CMS_ContentInfo *cms, X509 *signer,
				  const struct seal_outside *of, struct tls_identity *out,
				  char why[IEUM_WHY_BYTES])
{
	STACK_OF(X509) *others = CMS_get1_certs(cms);
	char reason[IEUM_WHY_BYTES];
	enum ieum_err err = keyring_judge(k, signer, others, of->at_ms, reason);

	sk_X509_pop_free(others, X509_free);
	if (!err)
		err = keyring_is(k, signer, of->sender, out, reason);
	if (err)
		snprintf(why, IEUM_WHY_BYTES,
			 "its signer's certificate is not to be trusted: %.400s", reason);
	return err;
}

/* The signed bytes of `in`. */
static enum ieum_err verify(const struct ieum_keyring *k, BIO *in, const struct seal_outside *of,
			    BIO *out, struct tls_identity *who, char why[IEUM_WHY_BYTES])
{
	CMS_ContentInfo *cms = d2i_CMS_bio(in, NULL);
	enum ieum_err err = IEUM_E_OK;
	X509 *signer;

	if (!cms || BIO_pending(in) > 0 || OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed)
		err = refuse(why, "inside is no CMS SignedData");
	else if (!(signer = signer_of(cms, out)))
		err = refuse(why, "its signature is not good");
	else
		err = judge_signer(k, cms, signer, of, who, why);
	CMS_ContentInfo_free(cms);
	return err;
}

/* ---- the content ---- */

/* What was signed for one place doesn't count in another. */
static bool belongs(const Ieum__V1__SealedContent *c, const struct seal_outside *of)
{
	const Ieum__V1__NarrativePart *part = of->part;

	return c->message_id.len == of->message_id.len &&
	       memcmp(c->message_id.data, of->message_id.data, c->message_id.len) == 0 &&
	       c->number == part->number && c->subject == part->subject &&
	       strcmp(c->media_type, part->media_type) == 0 &&
	       strcmp(c->language, part->language) == 0;
}

static enum ieum_err read_content(BIO *in, const struct seal_outside *of, struct seal_inside *out,
				  char why[IEUM_WHY_BYTES])
{
	char *bytes = NULL;
	long len = BIO_get_mem_data(in, &bytes);

	out->content = ieum__v1__sealed_content__unpack(NULL, len > 0 ? (size_t)len : 0,
							(const uint8_t *)bytes);
	if (!out->content)
		return refuse(why, "inside is no SealedContent");
	if (!belongs(out->content, of)) {
		seal_inside_free(out);
		return refuse(why, "it was sealed for another message, or another part of it");
	}
	return IEUM_E_OK;
}

enum ieum_err seal_cms_open(const struct ieum_keyring *k, CMS_ContentInfo *cms,
			    const struct seal_outside *of, struct seal_inside *out,
			    char why[IEUM_WHY_BYTES])
{
	/* They wipe themselves. */
	BIO *inside = BIO_new(BIO_s_mem()), *content = BIO_new(BIO_s_mem());
	enum ieum_err err;

	*out = (struct seal_inside){ 0 };
	if (!inside || !content)
		err = seal_cms_fail(why, IEUM_E_NO_MEMORY, ieum_error(IEUM_E_NO_MEMORY)->text);
	else
		err = seal_cms_unlock(cms, k, inside, why);
	if (!err)
		err = verify(k, inside, of, content, &out->signer, why);
	if (!err)
		err = read_content(content, of, out, why);
	BIO_free(inside);
	BIO_free(content);
	ERR_clear_error();
	return err;
}

enum ieum_err seal_open(const struct ieum_keyring *k, const struct seal_outside *of,
			struct seal_inside *out, char why[IEUM_WHY_BYTES])
{
	CMS_ContentInfo *cms;
	enum ieum_err err;

	*out = (struct seal_inside){ 0 };
	ERR_clear_error();
	cms = seal_cms_read(of->part->sealed.data, of->part->sealed.len);
	if (!cms)
		return refuse(why, "this is no CMS AuthEnvelopedData");
	err = seal_cms_open(k, cms, of, out, why);
	CMS_ContentInfo_free(cms);
	return err;
}

/* ---- a key alone ---- */

enum ieum_err seal_try_key(const struct ieum_keyring *k, const ProtobufCBinaryData *sealed,
			   char why[IEUM_WHY_BYTES])
{
	CMS_ContentInfo *cms;
	BIO *inside = BIO_new(BIO_s_mem());
	enum ieum_err err;

	ERR_clear_error();
	cms = seal_cms_read(sealed->data, sealed->len);
	if (!inside)
		err = seal_cms_fail(why, IEUM_E_NO_MEMORY, ieum_error(IEUM_E_NO_MEMORY)->text);
	else if (!cms)
		err = refuse(why, "this is no CMS AuthEnvelopedData");
	else
		err = seal_cms_unlock(cms, k, inside, why);
	CMS_ContentInfo_free(cms);
	BIO_free(inside);
	return err;
}

void seal_inside_free(struct seal_inside *inside)
{
	if (inside->content) {
		OPENSSL_cleanse(inside->content->content.data, inside->content->content.len);
		ieum__v1__sealed_content__free_unpacked(inside->content, NULL);
	}
	*inside = (struct seal_inside){ 0 };
}
