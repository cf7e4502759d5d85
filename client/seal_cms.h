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

/* With the first of our keys that is among its recipients. */
bool seal_cms_unlock(CMS_ContentInfo *cms, const struct ieum_keyring *k);

/* OpenSSL's reason behind our words; empties its queue. */
enum ieum_err seal_cms_fail(char why[IEUM_WHY_BYTES], enum ieum_err err, const char *text);

#endif
