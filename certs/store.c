/* The folder of an authority; see store.h. */
#include "certs/store.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/index.h"

enum { KEY_MODE = 0600, FILE_MODE = 0644, DIR_MODE = 0755, DAY_S = 24 * 60 * 60 };

static enum ieum_err system_error(char why[CERTS_WHY_BYTES], enum ieum_err err, const char *path)
{
	snprintf(why, CERTS_WHY_BYTES, "%.400s: %s", path, strerror(errno));
	return err;
}

static enum ieum_err no_memory(char why[CERTS_WHY_BYTES])
{
	snprintf(why, CERTS_WHY_BYTES, "out of memory");
	ERR_clear_error();
	return IEUM_E_NO_MEMORY;
}

/* --- files --- */

static void path_of(const struct store *store, const char *name, const char *suffix,
		    char path[STORE_PATH_BYTES])
{
	snprintf(path, STORE_PATH_BYTES, "%s/%.255s%s", store->dir, name, suffix);
}

static bool exists(const struct store *store, const char *name, const char *suffix)
{
	char path[STORE_PATH_BYTES];
	struct stat st;

	path_of(store, name, suffix, path);
	return lstat(path, &st) == 0;
}

static enum ieum_err write_all(int fd, const char *path, const char *bytes, size_t n,
			       char why[CERTS_WHY_BYTES])
{
	while (n > 0) {
		ssize_t written = write(fd, bytes, n);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return system_error(why, IEUM_E_FILE_INVALID, path);
		bytes += written;
		n -= (size_t)written;
	}
	return IEUM_E_OK;
}

/* A new file, or with replace one renamed over what is there: never a half-written file under
 * the name, never a key that was open to others for a moment. */
static enum ieum_err write_file(const char *path, mode_t mode, bool replace, const char *bytes,
				size_t n, char why[CERTS_WHY_BYTES])
{
	char temporary[STORE_PATH_BYTES + 8];

	snprintf(temporary, sizeof temporary, "%s%s", path, replace ? ".new" : "");
	if (replace)
		unlink(temporary);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return system_error(why, IEUM_E_FILE_INVALID, temporary);
	enum ieum_err err = write_all(fd, temporary, bytes, n, why);
	if (!err && fchmod(fd, mode) < 0)
		err = system_error(why, IEUM_E_FILE_INVALID, temporary);
	if (close(fd) < 0 && !err)
		err = system_error(why, IEUM_E_FILE_INVALID, temporary);
	if (!err && replace && rename(temporary, path) < 0)
		err = system_error(why, IEUM_E_FILE_INVALID, path);
	if (err)
		unlink(temporary);
	return err;
}

static enum ieum_err write_bio(const struct store *store, BIO *bio, const char *name,
			       const char *suffix, mode_t mode, bool replace,
			       char why[CERTS_WHY_BYTES])
{
	char path[STORE_PATH_BYTES];
	char *bytes = NULL;
	long n = BIO_get_mem_data(bio, &bytes);

	path_of(store, name, suffix, path);
	return write_file(path, mode, replace, bytes, (size_t)n, why);
}

enum ieum_err store_write_text(const struct store *store, const char *name, const char *text,
			       char why[CERTS_WHY_BYTES])
{
	char path[STORE_PATH_BYTES];

	path_of(store, name, "", path);
	return write_file(path, FILE_MODE, store->force, text, strlen(text), why);
}

/* Encrypted by a key that scrypt makes of the passphrase: guessing costs memory. */
static bool write_key(BIO *to, EVP_PKEY *key, const char *passphrase)
{
	enum { SCRYPT_N = 1 << 14, SCRYPT_R = 8, SCRYPT_P = 1 };

	if (!passphrase)
		return PEM_write_bio_PKCS8PrivateKey(to, key, NULL, NULL, 0, NULL, NULL) == 1;
	X509_ALGOR *how = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, 0, NULL, SCRYPT_N,
						SCRYPT_R, SCRYPT_P);
	PKCS8_PRIV_KEY_INFO *clear = EVP_PKEY2PKCS8(key);
	X509_SIG *sealed = how && clear
				   ? PKCS8_set0_pbe(passphrase, (int)strlen(passphrase), clear, how)
				   : NULL;
	bool ok = sealed && PEM_write_bio_PKCS8(to, sealed) == 1;

	if (!sealed)
		X509_ALGOR_free(how);
	PKCS8_PRIV_KEY_INFO_free(clear);
	X509_SIG_free(sealed);
	return ok;
}

/* The key first: what has a certificate has its key. */
static enum ieum_err write_pair(const struct store *store, const struct pair *pair,
				const char *name, char why[CERTS_WHY_BYTES])
{
	BIO *key = BIO_new(BIO_s_secmem()), *cert = BIO_new(BIO_s_mem());
	enum ieum_err err;

	if (!key || !cert || PEM_write_bio_X509(cert, pair->cert) != 1 ||
	    !write_key(key, pair->key, strcmp(name, "ca") == 0 ? store->passphrase : NULL))
		err = no_memory(why);
	else
		err = write_bio(store, key, name, ".key", KEY_MODE, store->force, why);
	if (!err)
		err = write_bio(store, cert, name, ".crt", FILE_MODE, store->force, why);
	BIO_free(key);
	BIO_free(cert);
	return err;
}

static enum ieum_err make_dir(const char *path, char why[CERTS_WHY_BYTES])
{
	if (mkdir(path, DIR_MODE) < 0 && errno != EEXIST)
		return system_error(why, IEUM_E_FILE_INVALID, path);
	return IEUM_E_OK;
}

enum ieum_err store_open(const char *dir, bool force, struct store *store,
			 char why[CERTS_WHY_BYTES])
{
	char path[STORE_PATH_BYTES];

	*store = (struct store){ .force = force };
	if (strlen(dir) >= sizeof store->dir) {
		snprintf(why, CERTS_WHY_BYTES, "the folder's name is too long");
		return IEUM_E_FIELD_TOO_LARGE;
	}
	snprintf(store->dir, sizeof store->dir, "%s", dir);
	path_of(store, "participants", "", path);
	enum ieum_err err = make_dir(dir, why);
	return err ? err : make_dir(path, why);
}

void store_close(struct store *store)
{
	pair_release(&store->ca);
	store->dir[0] = '\0';
}

/* --- the index --- */

static enum ieum_err load_index(const struct store *store, struct index *index,
				char why[CERTS_WHY_BYTES])
{
	char path[STORE_PATH_BYTES];

	path_of(store, "index.txt", "", path);
	return index_load(path, index, why);
}

static enum ieum_err save_index(const struct store *store, const struct index *index,
				char why[CERTS_WHY_BYTES])
{
	char path[STORE_PATH_BYTES];
	char *text = index_text(index);

	if (!text)
		return no_memory(why);
	path_of(store, "index.txt", "", path);
	enum ieum_err err = write_file(path, FILE_MODE, true, text, strlen(text), why);
	free(text);
	return err;
}

static enum ieum_err record(const struct store *store, const X509 *cert, const char *name,
			    int64_t not_after_s, char why[CERTS_WHY_BYTES])
{
	struct index_row row = { .not_after_s = not_after_s };
	struct index index;
	char *serial = cert_serial(cert);

	if (!serial)
		return no_memory(why);
	snprintf(row.serial, sizeof row.serial, "%s", serial);
	snprintf(row.file, sizeof row.file, "%.255s.crt", name);
	OPENSSL_free(serial);
	enum ieum_err err = load_index(store, &index, why);
	if (err)
		return err;
	err = index_add(&index, &row);
	if (err)
		snprintf(why, CERTS_WHY_BYTES, "index.txt: %s", ieum_error((int)err)->text);
	else
		err = save_index(store, &index, why);
	index_release(&index);
	return err;
}

/* --- the authority --- */

enum ieum_err store_ca_load(struct store *store, char why[CERTS_WHY_BYTES])
{
	char path[STORE_PATH_BYTES];
	FILE *in;

	/* Loaded again: after a wrong passphrase, or when the store had one. */
	pair_release(&store->ca);
	path_of(store, "ca", ".crt", path);
	if (!(in = fopen(path, "re")))
		return system_error(why, IEUM_E_FILE_UNREADABLE, path);
	store->ca.cert = PEM_read_X509(in, NULL, NULL, NULL);
	fclose(in);
	path_of(store, "ca", ".key", path);
	if (!(in = fopen(path, "re")))
		return system_error(why, IEUM_E_FILE_UNREADABLE, path);
	/* Without one given, OpenSSL asks for it on the terminal where the key needs one. */
	store->ca.key = PEM_read_PrivateKey(in, NULL, NULL, (void *)store->passphrase);
	fclose(in);
	ERR_clear_error();
	if (!store->ca.cert || !store->ca.key ||
	    X509_check_private_key(store->ca.cert, store->ca.key) != 1) {
		ERR_clear_error();
		snprintf(why, CERTS_WHY_BYTES,
			 "%.400s: ca.crt and ca.key are not a pair, or the passphrase is wrong",
			 store->dir);
		return IEUM_E_FILE_INVALID;
	}
	return IEUM_E_OK;
}

static enum ieum_err only_half(const char *name, char why[CERTS_WHY_BYTES])
{
	snprintf(why, CERTS_WHY_BYTES,
		 "%.300s: only one of .crt and .key is there; remove it or use --force", name);
	return IEUM_E_FILE_INVALID;
}

enum ieum_err store_ca_load_or_make(struct store *store, const char *cn, int64_t now_s, int days,
				    enum stored *what, char why[CERTS_WHY_BYTES])
{
	struct wish wish = {
		.cn = cn,
		.not_before_s = now_s - CERTS_BACKDATE_S,
		.not_after_s = now_s + (int64_t)days * DAY_S,
	};
	bool has_cert = exists(store, "ca", ".crt"), has_key = exists(store, "ca", ".key");

	*what = STORED_KEPT;
	if (!store->force && has_cert && has_key)
		return store_ca_load(store, why);
	if (!store->force && has_cert != has_key)
		return only_half("ca", why);
	*what = STORED_NEW;
	enum ieum_err err = pair_new(NULL, &wish, &store->ca, why);
	if (!err)
		err = write_pair(store, &store->ca, "ca", why);
	/* The index of another authority's certificates is of no use to this one. */
	if (!err)
		err = save_index(store, &(struct index){ 0 }, why);
	return err;
}

enum ieum_err store_issue(struct store *store, const struct store *authority, const char *name,
			  const struct wish *wish, enum stored *what, char why[CERTS_WHY_BYTES])
{
	bool has_cert = exists(store, name, ".crt"), has_key = exists(store, name, ".key");
	struct pair pair;

	*what = STORED_KEPT;
	if (!store->force && has_cert && has_key)
		return IEUM_E_OK;
	if (!store->force && has_cert != has_key)
		return only_half(name, why);
	*what = STORED_NEW;
	enum ieum_err err = pair_new(authority ? &authority->ca : NULL, wish, &pair, why);
	if (err)
		return err;
	/* Recorded first: a certificate that exists can always be revoked. */
	if (authority && authority->dir[0])
		err = record(authority, pair.cert, name, wish->not_after_s, why);
	if (!err)
		err = write_pair(store, &pair, name, why);
	pair_release(&pair);
	return err;
}

enum ieum_err store_keep(struct store *store, X509 *cert, const char *name, int64_t not_after_s,
			 char why[CERTS_WHY_BYTES])
{
	BIO *pem = BIO_new(BIO_s_mem());
	enum ieum_err err;

	if (exists(store, name, ".crt")) {
		BIO_free(pem);
		snprintf(why, CERTS_WHY_BYTES, "%.300s.crt is there already", name);
		return IEUM_E_FILE_INVALID;
	}
	if (!pem || PEM_write_bio_X509(pem, cert) != 1)
		err = no_memory(why);
	else /* recorded first: a certificate that exists can always be revoked */
		err = record(store, cert, name, not_after_s, why);
	if (!err)
		err = write_bio(store, pem, name, ".crt", FILE_MODE, false, why);
	BIO_free(pem);
	return err;
}

static X509 *read_signed(const struct store *store, const char *file)
{
	char path[STORE_PATH_BYTES];
	X509 *cert = NULL;

	path_of(store, file, "", path);
	FILE *in = fopen(path, "re");
	if (in) {
		cert = PEM_read_X509(in, NULL, NULL, NULL);
		fclose(in);
	}
	ERR_clear_error();
	return cert;
}

enum ieum_err store_each(const struct store *store, int64_t now_s, store_row_cb *cb, void *ctx,
			 char why[CERTS_WHY_BYTES])
{
	struct index index;
	enum ieum_err err = load_index(store, &index, why);

	for (size_t i = 0; i < index.n && !err; i++) {
		const struct index_row *row = &index.rows[i];
		if (row->revoked_s || row->not_after_s <= now_s)
			continue;
		X509 *cert = read_signed(store, row->file);
		err = cb(ctx, row->file, row->serial, row->not_after_s, cert);
		X509_free(cert);
	}
	index_release(&index);
	return err;
}

/* --- revocation --- */

/* That a key was stolen may come out later: then the moment stays and the reason changes. */
static bool revoke_row(struct index_row *row, enum revocation reason, int64_t now_s)
{
	if (row->revoked_s && (reason != REVOKED_STOLEN || row->why == REVOKED_STOLEN))
		return false;
	if (!row->revoked_s)
		row->revoked_s = now_s;
	row->why = reason;
	return true;
}

enum ieum_err store_revoke(struct store *store, const char *name, enum revocation reason,
			   int64_t now_s, FILE *out, char why[CERTS_WHY_BYTES])
{
	char file[INDEX_FILE_BYTES];
	struct index index;
	unsigned hits = 0;

	enum ieum_err err = load_index(store, &index, why);
	if (err)
		return err;
	snprintf(file, sizeof file, "%.255s.crt", name);
	for (size_t i = 0; i < index.n; i++) {
		struct index_row *row = &index.rows[i];

		if ((strcmp(row->file, file) != 0 && strcasecmp(row->serial, name) != 0) ||
		    !revoke_row(row, reason, now_s))
			continue;
		hits++;
		if (out)
			fprintf(out, "revoked %s, serial number %s\n", row->file, row->serial);
	}
	if (hits == 0) {
		snprintf(why, CERTS_WHY_BYTES, "index.txt: no certificate %.300s in force", file);
		err = IEUM_E_FILE_INVALID;
	} else {
		err = save_index(store, &index, why);
	}
	index_release(&index);
	return err;
}

static enum ieum_err sign_crl(const struct store *store, const struct index *index, int64_t now_s,
			      int64_t until_s, X509_CRL **crl, char why[CERTS_WHY_BYTES])
{
	struct revoked *revoked = calloc(index->n + 1, sizeof *revoked);
	size_t n = 0;

	if (!revoked)
		return no_memory(why);
	for (size_t i = 0; i < index->n; i++)
		if (index->rows[i].revoked_s)
			revoked[n++] =
				(struct revoked){ index->rows[i].serial, index->rows[i].revoked_s,
						  index->rows[i].why };
	enum ieum_err err = crl_new(&store->ca, revoked, n, now_s, until_s, crl, why);
	free(revoked);
	return err;
}

enum ieum_err store_write_crl(struct store *store, int64_t now_s, int days,
			      char why[CERTS_WHY_BYTES])
{
	return store_write_crl_until(store, now_s, now_s + (int64_t)days * DAY_S, why);
}

enum ieum_err store_write_crl_until(struct store *store, int64_t now_s, int64_t until_s,
				    char why[CERTS_WHY_BYTES])
{
	struct index index;
	X509_CRL *crl = NULL;
	BIO *pem = NULL;

	enum ieum_err err = load_index(store, &index, why);
	if (err)
		return err;
	err = sign_crl(store, &index, now_s, until_s, &crl, why);
	index_release(&index);
	if (err)
		return err;
	pem = BIO_new(BIO_s_mem());
	if (!pem || PEM_write_bio_X509_CRL(pem, crl) != 1)
		err = no_memory(why);
	else
		err = write_bio(store, pem, "ca", ".crl", FILE_MODE, true, why);
	BIO_free(pem);
	X509_CRL_free(crl);
	return err;
}
