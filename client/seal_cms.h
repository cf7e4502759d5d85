/* What sealing, opening and wrapping share of OpenSSL's CMS; for client/seal*.c alone. */
#ifndef IEUM_CLIENT_SEAL_CMS_H
#define IEUM_CLIENT_SEAL_CMS_H

#include <openssl/cms.h>

#include "client/seal.h"

/* One certificate more that opens it.  False: it can't be sealed to. */
bool seal_cms_add(CMS_ContentInfo *cms, X509 *to, CMS_RecipientInfo **added);

/* The DER, which has to be a whole AuthEnvelopedData; NULL when it is none. */
CMS_ContentInfo *seal_cms_read(const uint8_t *der, size_t len);
/* Appends it. */
enum ieum_err seal_cms_write(CMS_ContentInfo *cms, struct buf *out) IEUM_MUST_CHECK;

/* What is inside, appended to the memory BIO; the CMS has its content key from then on.  Anybody may
 * have added a RecipientInfo that names us and holds no key, or a wrong one: each is tried until the
 * content opens.  KEY_MISSING: none names us.  NOT_SEALED: none of those that do opens it. */
enum ieum_err seal_cms_unlock(CMS_ContentInfo *cms, const struct ieum_keyring *k, BIO *out,
			      char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;

/* seal_open() of a CMS that is read already; as seal_cms_unlock() it leaves the key there. */
enum ieum_err seal_cms_open(const struct ieum_keyring *k, CMS_ContentInfo *cms,
			    const struct seal_outside *of, struct seal_inside *out,
			    char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;

/* OpenSSL's reason behind our words; empties its queue. */
enum ieum_err seal_cms_fail(char why[IEUM_WHY_BYTES], enum ieum_err err, const char *text);

#endif
