/* Building credentials from files; see tls.h. */
#include "proto/tls_session.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	/* Read-ahead takes what the socket holds in one system call, up to this. */
	READ_AHEAD_BYTES = 64 * 1024,
	CRL_FILES_MAX = 256,
};

struct tls {
	SSL_CTX *ctx;
	struct tls_identity own;
	struct tls_certificate own_certificate;
	int64_t crl_next_update_s;
	uint8_t crl_fingerprint[TLS_HASH_BYTES];
};

static const unsigned char alpn_wire[] = "\x06" TLS_ALPN;

/* "file: what (OpenSSL's or the system's reason)", and the error queue emptied. */
static enum ieum_err explain(char why[TLS_WHY_BYTES], enum ieum_err err, const char *file,
			     const char *what)
{
	unsigned long code = ERR_peek_error();
	const char *reason = NULL;

	if (code)
		reason = ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code))
						: ERR_reason_error_string(code);
	if (reason)
		snprintf(why, TLS_WHY_BYTES, "%s: %s (%s)", file, what, reason);
	else
		snprintf(why, TLS_WHY_BYTES, "%s: %s", file, what);
	ERR_clear_error();
	return err;
}

static enum ieum_err unreadable(char why[TLS_WHY_BYTES], const char *file)
{
	snprintf(why, TLS_WHY_BYTES, "%s: %s", file, strerror(errno));
	return IEUM_E_FILE_UNREADABLE;
}

/* Without this OpenSSL would ask for the pass phrase on the terminal. */
static int no_pass_phrase(char *to, int size, int writing, void *arg)
{
	(void)to, (void)size, (void)writing, (void)arg;
	return -1;
}

static enum ieum_err load_key(SSL_CTX *ctx, const char *file, char why[TLS_WHY_BYTES])
{
	enum ieum_err err = IEUM_E_OK;
	struct stat st;
	EVP_PKEY *key = NULL;
	FILE *in = fopen(file, "re");

	if (!in)
		return unreadable(why, file);
	if (fstat(fileno(in), &st) < 0) {
		err = unreadable(why, file);
		goto out;
	}
	if (st.st_mode & (S_IRWXG | S_IRWXO)) {
		snprintf(why, TLS_WHY_BYTES,
			 "%s: the key is open to others (mode %04o); chmod 600 it", file,
			 (unsigned)(st.st_mode & 07777));
		err = IEUM_E_FILE_INVALID;
		goto out;
	}
	key = PEM_read_PrivateKey(in, NULL, no_pass_phrase, NULL);
	if (!key)
		err = explain(why, IEUM_E_FILE_INVALID, file, "no unencrypted PEM private key");
	else if (SSL_CTX_use_PrivateKey(ctx, key) != 1 || SSL_CTX_check_private_key(ctx) != 1)
		err = explain(why, IEUM_E_FILE_INVALID, file,
			      "the key does not belong to the certificate");
out:
	EVP_PKEY_free(key);
	fclose(in);
	return err;
}

/* OpenSSL's own loaders report a missing file as a parse error; ask first. */
static enum ieum_err must_open(const char *file, char why[TLS_WHY_BYTES])
{
	FILE *in = fopen(file, "re");

	if (!in)
		return unreadable(why, file);
	fclose(in);
	return IEUM_E_OK;
}

/* An agency may come with a certificate of another PKI, which the hub knows by another name; a hub
 * is always what its URI says. */
static enum ieum_err load_cert(struct tls *tls, enum tls_role role, const char *file,
			       char why[TLS_WHY_BYTES])
{
	char reason[TLS_WHY_BYTES];
	enum ieum_err err = must_open(file, why);

	if (err)
		return err;
	if (SSL_CTX_use_certificate_chain_file(tls->ctx, file) != 1)
		return explain(why, IEUM_E_FILE_INVALID, file, "no usable PEM certificate");
	X509 *cert = SSL_CTX_get0_certificate(tls->ctx);
	if (role == TLS_CLIENT ? tls_any_identity_of(cert, &tls->own, reason)
			       : tls_identity_of(cert, &tls->own, reason)) {
		snprintf(why, TLS_WHY_BYTES, "%s: %.400s", file, reason);
		return IEUM_E_FILE_INVALID;
	}
	return tls_certificate_of(cert, &tls->own_certificate);
}

static enum ieum_err load_ca(SSL_CTX *ctx, enum tls_role role, const char *file,
			     char why[TLS_WHY_BYTES])
{
	enum ieum_err err = must_open(file, why);

	if (err)
		return err;
	/* load_verify_locations alone would be content with a file of CRLs. */
	STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(file);
	if (!names || SSL_CTX_load_verify_locations(ctx, file, NULL) != 1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return explain(why, IEUM_E_FILE_INVALID, file, "no usable PEM certificate");
	}
	/* Tells clients which of their certificates can be meant. */
	if (role == TLS_SERVER)
		SSL_CTX_set_client_CA_list(ctx, names);
	else
		sk_X509_NAME_pop_free(names, X509_NAME_free);
	return IEUM_E_OK;
}

static void note_next_update(struct tls *tls, const X509_CRL *crl)
{
	struct tm tm;

	if (!X509_CRL_get0_nextUpdate(crl) ||
	    ASN1_TIME_to_tm(X509_CRL_get0_nextUpdate(crl), &tm) != 1)
		return;
	int64_t at = (int64_t)timegm(&tm);
	if (tls->crl_next_update_s != 0 && at >= tls->crl_next_update_s)
		return;
	if (X509_CRL_digest(crl, EVP_sha256(), tls->crl_fingerprint, NULL) == 1)
		tls->crl_next_update_s = at;
}

static enum ieum_err load_crl_file(struct tls *tls, const char *file, char why[TLS_WHY_BYTES])
{
	X509_STORE *store = SSL_CTX_get_cert_store(tls->ctx);
	enum ieum_err err = IEUM_E_OK;
	unsigned count = 0;
	X509_CRL *crl;
	FILE *in = fopen(file, "re");

	if (!in)
		return unreadable(why, file);
	ERR_clear_error();
	while (!err && (crl = PEM_read_X509_CRL(in, NULL, no_pass_phrase, NULL))) {
		if (X509_STORE_add_crl(store, crl) != 1)
			err = explain(why, IEUM_E_FILE_INVALID, file, "the CRL cannot be used");
		note_next_update(tls, crl);
		X509_CRL_free(crl);
		count++;
	}
	/* The end of the file is "no start line"; anything else is a damaged CRL. */
	if (!err && (count == 0 || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE))
		err = explain(why, IEUM_E_FILE_INVALID, file, "no usable PEM CRL");
	ERR_clear_error();
	fclose(in);
	return err;
}

static bool is_crl_name(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && (strcmp(dot, ".crl") == 0 || strcmp(dot, ".pem") == 0);
}

static enum ieum_err load_crl_dir(struct tls *tls, const char *path, char why[TLS_WHY_BYTES])
{
	enum ieum_err err = IEUM_E_OK;
	unsigned count = 0;
	const struct dirent *entry;
	DIR *dir = opendir(path);

	if (!dir)
		return unreadable(why, path);
	while (!err && count < CRL_FILES_MAX && (entry = readdir(dir))) {
		char file[4096];
		if (!is_crl_name(entry->d_name))
			continue;
		snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
		err = load_crl_file(tls, file, why);
		count++;
	}
	closedir(dir);
	if (!err && (count == 0 || count == CRL_FILES_MAX)) {
		snprintf(why, TLS_WHY_BYTES, "%s: no *.crl or *.pem file in it, or %d and more",
			 path, CRL_FILES_MAX);
		err = IEUM_E_FILE_INVALID;
	}
	return err;
}

static enum ieum_err load_crl(struct tls *tls, const char *path, char why[TLS_WHY_BYTES])
{
	struct stat st;

	if (!path)
		return IEUM_E_OK;
	if (stat(path, &st) < 0)
		return unreadable(why, path);
	enum ieum_err err =
		S_ISDIR(st.st_mode) ? load_crl_dir(tls, path, why) : load_crl_file(tls, path, why);
	if (!err)
		X509_STORE_set_flags(SSL_CTX_get_cert_store(tls->ctx),
				     X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	return err;
}

/* A client without ALPN is welcome; one that offers only other protocols is lost. */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		       const unsigned char *in, unsigned int in_len, void *arg)
{
	(void)ssl, (void)arg;
	unsigned char *chosen = NULL;

	if (SSL_select_next_proto(&chosen, out_len, alpn_wire, sizeof alpn_wire - 1, in, in_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static bool set_rules(SSL_CTX *ctx, enum tls_role role, const struct tls_files *files)
{
	static const unsigned char session_context[] = TLS_ALPN;

	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_default_read_buffer_len(ctx, READ_AHEAD_BYTES);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_default_passwd_cb(ctx, no_pass_phrase);
	if (role == TLS_SERVER)
		SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
	else if (SSL_CTX_set_alpn_protos(ctx, alpn_wire, sizeof alpn_wire - 1) != 0)
		return false;
	return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
	       SSL_CTX_set_session_id_context(ctx, session_context, sizeof session_context - 1) ==
		       1 &&
	       tls_verify_setup(ctx, files) == IEUM_E_OK;
}

enum ieum_err tls_new(enum tls_role role, const struct tls_files *files, struct tls **out,
		      char why[TLS_WHY_BYTES])
{
	struct tls *tls = calloc(1, sizeof *tls);
	enum ieum_err err;

	*out = NULL;
	why[0] = '\0';
	ERR_clear_error();
	if (!tls) {
		snprintf(why, TLS_WHY_BYTES, "out of memory");
		return IEUM_E_NO_MEMORY;
	}
	tls->ctx = SSL_CTX_new(role == TLS_SERVER ? TLS_server_method() : TLS_client_method());
	if (!tls->ctx || !set_rules(tls->ctx, role, files))
		err = explain(why, IEUM_E_NO_MEMORY, "OpenSSL", "no context");
	else
		err = load_cert(tls, role, files->cert, why);
	if (!err)
		err = load_key(tls->ctx, files->key, why);
	if (!err)
		err = load_ca(tls->ctx, role, files->ca, why);
	if (!err)
		err = load_crl(tls, files->crl, why);
	if (err) {
		tls_free(tls);
		return err;
	}
	*out = tls;
	return IEUM_E_OK;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->ctx);
	free(tls);
}

const struct tls_identity *tls_own(const struct tls *tls)
{
	return &tls->own;
}

const struct tls_certificate *tls_own_certificate(const struct tls *tls)
{
	return &tls->own_certificate;
}

const uint8_t *tls_crl_fingerprint(const struct tls *tls)
{
	return tls->crl_next_update_s ? tls->crl_fingerprint : NULL;
}

int64_t tls_crl_next_update_s(const struct tls *tls)
{
	return tls->crl_next_update_s;
}

SSL_CTX *tls_ctx(const struct tls *tls)
{
	return tls->ctx;
}

SSL *tls_session_accept(SSL_CTX *ctx)
{
	SSL *ssl = SSL_new(ctx);

	if (ssl)
		SSL_set_accept_state(ssl);
	return ssl;
}

SSL *tls_session_connect(SSL_CTX *ctx, const char *server_name)
{
	struct in6_addr literal;
	SSL *ssl = SSL_new(ctx);

	if (!ssl)
		return NULL;
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
						       X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	bool is_ip = inet_pton(AF_INET, server_name, &literal) == 1 ||
		     inet_pton(AF_INET6, server_name, &literal) == 1;
	int ok = is_ip ? X509_VERIFY_PARAM_set1_ip_asc(param, server_name)
		       : (X509_VERIFY_PARAM_set1_host(param, server_name, 0) == 1 &&
			  SSL_set_tlsext_host_name(ssl, server_name) == 1);
	if (ok != 1) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_connect_state(ssl);
	return ssl;
}
