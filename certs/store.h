/* The folder of an authority.
 *
 *   ca.crt ca.key ca.crl  index.txt  hub.crt hub.key  participants/<name>.crt .key
 *
 * index.txt has a line for each certificate signed, in the form of `openssl ca`: that is
 * where a revocation list is made from.  Keys are written 0600, created with O_EXCL and never
 * through a link; with force a new file is renamed over the old one.  One process at a time. */
#ifndef IEUM_CERTS_STORE_H
#define IEUM_CERTS_STORE_H

#include <stdbool.h>

#include "certs/authority.h"

enum { STORE_PATH_BYTES = 4096 };

struct store {
	char dir[STORE_PATH_BYTES - 320]; /* leaves room for a file's name */
	bool force;                       /* write over what is there */
	const char *passphrase;           /* of ca.key; NULL: not encrypted, or asked for */
	struct pair ca;                   /* empty until store_ca_*() */
};

enum stored { STORED_NEW, STORED_KEPT };

/* Makes the folder (0755) and dir/participants; FILE_INVALID when it can't. */
enum ieum_err store_open(const char *dir, bool force, struct store *store,
			 char why[CERTS_WHY_BYTES]) IEUM_MUST_CHECK;
void store_close(struct store *store);

/* Reads ca.crt and ca.key. */
enum ieum_err store_ca_load(struct store *store, char why[CERTS_WHY_BYTES]) IEUM_MUST_CHECK;

/* The authority that is there, or a new one with an empty index; with force always new. */
enum ieum_err store_ca_load_or_make(struct store *store, const char *cn, int64_t now_s, int days,
				    enum stored *what, char why[CERTS_WHY_BYTES]) IEUM_MUST_CHECK;

/* Makes <name>.crt and <name>.key in store, signed by the authority (a store with its CA,
 * often the same one) and recorded in its index; NULL = signed by itself, recorded nowhere.
 * Both there and no force: kept.  Only one there: FILE_INVALID. */
enum ieum_err store_issue(struct store *store, const struct store *authority, const char *name,
			  const struct wish *wish, enum stored *what,
			  char why[CERTS_WHY_BYTES]) IEUM_MUST_CHECK;

/* Records a certificate that was signed for somebody else's key and writes it to <name>.crt, which
 * must not be there. */
enum ieum_err store_keep(struct store *store, X509 *cert, const char *name, int64_t not_after_s,
			 char why[CERTS_WHY_BYTES]) IEUM_MUST_CHECK;

/* Every certificate that is in force at that time, in the order of signing; `cert` is NULL where its
 * file is gone.  What the callback returns ends it. */
typedef enum ieum_err store_row_cb(void *ctx, const char *file, const char *serial,
				   int64_t not_after_s, X509 *cert);
enum ieum_err store_each(const struct store *store, int64_t now_s, store_row_cb *cb, void *ctx,
			 char why[CERTS_WHY_BYTES]) IEUM_MUST_CHECK;

/* Marks the certificates in <name>.crt, or the one whose serial number (hexadecimal) the name is, as
 * revoked in the index; FILE_INVALID when the index has none in force, or, of a key that turns out to
 * be stolen, none that wasn't revoked so.  Each is told on out, unless that is NULL. */
enum ieum_err store_revoke(struct store *store, const char *name, enum revocation reason,
			   int64_t now_s, FILE *out, char why[CERTS_WHY_BYTES]) IEUM_MUST_CHECK;

/* Signs ca.crl anew from the index, always over the old one. */
enum ieum_err store_write_crl(struct store *store, int64_t now_s, int days,
			      char why[CERTS_WHY_BYTES]) IEUM_MUST_CHECK;

/* The same with the moment until which it counts. */
enum ieum_err store_write_crl_until(struct store *store, int64_t now_s, int64_t until_s,
				    char why[CERTS_WHY_BYTES]) IEUM_MUST_CHECK;

/* dir/name must not be there yet, or force; the content is text. */
enum ieum_err store_write_text(const struct store *store, const char *name, const char *text,
			       char why[CERTS_WHY_BYTES]) IEUM_MUST_CHECK;

#endif
