/* See cert_request.h. */
#include "client/cert_request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proto/tls_session.h"

enum { PATH_BYTES = 4096, KEY_MODE = 0600, REQUEST_MODE = 0644 };

static enum ieum_err refuse(char why[CERT_WHY_BYTES], enum ieum_err err, const char *what,
			    const char *text)
{
	snprintf(why, CERT_WHY_BYTES, "%.250s: %.200s", what, text);
	ERR_clear_error();
	return err;
}

/* ---- asking ---- */

static bool is_part(const char *text, size_t max)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t n = strlen(text);

	return n > 0 && n <= max && strspn(text, allowed) == n && *text != '.' && *text != '-';
}

/* "URI:spiffe://…,DNS:hub.example,IP:10.0.0.1" */
static enum ieum_err write_names(const struct cert_wish *wish, char *out, size_t room,
				 char why[CERT_WHY_BYTES])
{
	char hosts[CERT_HOSTS_BYTES], *save, *host;
	struct in6_addr literal;
	int n = snprintf(out, room, "URI:spiffe://%s/%s/%s", wish->hub, wish->kind,
			 wish->participant);

	if (!is_part(wish->hub, TLS_IDENTITY_MAX_BYTES) ||
	    !is_part(wish->kind, TLS_LABEL_MAX_BYTES) ||
	    !is_part(wish->participant, TLS_LABEL_MAX_BYTES) || n - 4 > TLS_IDENTITY_MAX_BYTES)
		return refuse(
			why, IEUM_E_FIELD_INVALID, out,
			"hub, kind and name have letters a-z, digits, '.', '_' and '-', as in "
			"the hub file");
	if (strlen(wish->hosts ? wish->hosts : "") >= sizeof hosts)
		return refuse(why, IEUM_E_FIELD_TOO_LARGE, "hosts", "too many");
	snprintf(hosts, sizeof hosts, "%s", wish->hosts ? wish->hosts : "");
	for (host = strtok_r(hosts, ",", &save); host; host = strtok_r(NULL, ",", &save)) {
		bool ip = inet_pton(AF_INET, host, &literal) == 1 ||
			  inet_pton(AF_INET6, host, &literal) == 1;
		size_t at = strlen(out);
		if (!ip && strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789.-") != strlen(host))
			return refuse(why, IEUM_E_FIELD_INVALID, host,
				      "neither a host name nor an address");
		snprintf(out + at, room - at, ",%s:%s", ip ? "IP" : "DNS", host);
	}
	return IEUM_E_OK;
}

static bool is_actor(const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f || text[i] == '/')
			return false;
	return n > 0 && n <= 4 * (size_t)TLS_ACTOR_MAX_BYTES;
}

static bool add_names(X509_REQ *request, const char *names)
{
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
	bool pushed = list && extension && sk_X509_EXTENSION_push(list, extension) > 0;
	bool ok = pushed && X509_REQ_add_extensions(request, list) == 1;

	if (!pushed)
		X509_EXTENSION_free(extension);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	return ok;
}

static X509_REQ *make_request(EVP_PKEY *key, const char *actor, const char *names)
{
	X509_REQ *request = X509_REQ_new();

	if (request && X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 &&
	    X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(request), NID_commonName,
				       MBSTRING_UTF8, (const unsigned char *)actor, -1, -1,
				       0) == 1 &&
	    X509_REQ_set_pubkey(request, key) == 1 && add_names(request, names) &&
	    X509_REQ_sign(request, key, EVP_sha256()) > 0)
		return request;
	X509_REQ_free(request);
	return NULL;
}

/* A new file, never through a link, never half-written under its name when it fails. */
static enum ieum_err write_new(const char *path, mode_t mode, BIO *from, char why[CERT_WHY_BYTES])
{
	char *bytes;
	long n = BIO_get_mem_data(from, &bytes);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd < 0 && errno == EEXIST) {
		(void)snprintf(why, CERT_WHY_BYTES, "%.450s", path);
		return IEUM_E_FILE_EXISTS;
	}
	if (fd < 0)
		return refuse(why, IEUM_E_FILE_UNREADABLE, path, strerror(errno));
	bool ok = fchmod(fd, mode) == 0 && write(fd, bytes, (size_t)n) == n && fsync(fd) == 0;
	int failed = errno;
	if (close(fd) == 0 && ok)
		return IEUM_E_OK;
	unlink(path);
	return refuse(why, IEUM_E_FILE_UNREADABLE, path, strerror(failed));
}

static enum ieum_err write_both(const char *stem, EVP_PKEY *key, X509_REQ *request,
				char why[CERT_WHY_BYTES])
{
	char key_path[PATH_BYTES], request_path[PATH_BYTES];
	BIO *key_pem = BIO_new(BIO_s_secmem()), *request_pem = BIO_new(BIO_s_mem());
	enum ieum_err err = IEUM_E_NO_MEMORY;

	(void)snprintf(key_path, sizeof key_path, "%.4000s.key", stem);
	(void)snprintf(request_path, sizeof request_path, "%.4000s.csr", stem);
	if (key_pem && request_pem &&
	    PEM_write_bio_PKCS8PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL) == 1 &&
	    PEM_write_bio_X509_REQ(request_pem, request) == 1)
		err = write_new(key_path, KEY_MODE, key_pem, why);
	if (!err) {
		err = write_new(request_path, REQUEST_MODE, request_pem, why);
		if (err)
			unlink(key_path);
	}
	BIO_free(key_pem);
	BIO_free(request_pem);
	return err;
}

enum ieum_err cert_request(const char *stem, const struct cert_wish *wish, char why[CERT_WHY_BYTES])
{
	char names[CERT_HOSTS_BYTES + 2 * TLS_IDENTITY_MAX_BYTES];
	enum ieum_err err = write_names(wish, names, sizeof names, why);

	if (!err && !is_actor(wish->actor))
		err = refuse(
			why, IEUM_E_FIELD_INVALID, "name",
			"who uses it has 1 to 64 characters, no '/' and no control characters");
	if (err)
		return err;
	ERR_clear_error();
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_REQ *request = key ? make_request(key, wish->actor, names) : NULL;
	err = request ? write_both(stem, key, request, why)
		      : refuse(why, IEUM_E_NO_MEMORY, "request", "it could not be made");
	X509_REQ_free(request);
	EVP_PKEY_free(key);
	return err;
}

/* ---- looking ---- */

static void copy_name(const X509_NAME *name, char out[CERT_NAME_BYTES])
{
	char *text = tls_name_text(name);

	snprintf(out, CERT_NAME_BYTES, "%s", text ? text : "");
	OPENSSL_free(text);
}

static void read_key(X509 *cert, struct cert_facts *out)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	unsigned char *der = NULL, digest[TLS_HASH_BYTES];
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	char group[32] = "";

	if (n > 0 && EVP_Digest(der, (size_t)n, digest, NULL, EVP_sha256(), NULL) == 1)
		for (int i = 0; i < TLS_HASH_BYTES; i++)
			(void)snprintf(out->key_pin + 2 * i, 3, "%02x", digest[i]);
	OPENSSL_free(der);
	if (key && EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1)
		snprintf(out->key_type, sizeof out->key_type, "EC %s", group);
	else if (key)
		snprintf(out->key_type, sizeof out->key_type, "%s %d", EVP_PKEY_get0_type_name(key),
			 EVP_PKEY_get_bits(key));
	/* Absent: any use. */
	uint32_t usage = X509_get_key_usage(cert);
	out->can_sign = (usage & KU_DIGITAL_SIGNATURE) != 0;
	out->can_be_sealed_to = key && EVP_PKEY_is_a(key, "RSA")
					? (usage & KU_KEY_ENCIPHERMENT) != 0
					: (usage & KU_KEY_AGREEMENT) != 0;
}

static int64_t time_ms(const ASN1_TIME *at)
{
	struct tm tm;

	return ASN1_TIME_to_tm(at, &tm) == 1 ? (int64_t)timegm(&tm) * 1000 : 0;
}

enum ieum_err cert_read(const char *path, struct cert_facts *out, char why[CERT_WHY_BYTES])
{
	char reason[TLS_WHY_BYTES] = "";
	FILE *in = fopen(path, "re");

	*out = (struct cert_facts){ .key_pin = "" };
	if (!in)
		return refuse(why, IEUM_E_FILE_UNREADABLE, path, strerror(errno));
	X509 *cert = PEM_read_X509(in, NULL, NULL, NULL);
	fclose(in);
	if (!cert)
		return refuse(why, IEUM_E_FILE_INVALID, path,
			      "no PEM certificate (BEGIN CERTIFICATE)");
	enum ieum_err err = tls_any_identity_of(cert, &out->id, reason);
	if (err) {
		err = refuse(why, IEUM_E_FILE_INVALID, path, reason);
	} else {
		copy_name(X509_get_issuer_name(cert), out->issuer);
		copy_name(X509_get_subject_name(cert), out->subject);
		read_key(cert, out);
		out->begins_at_ms = time_ms(X509_get0_notBefore(cert));
		out->ends_at_ms = time_ms(X509_get0_notAfter(cert));
	}
	X509_free(cert);
	ERR_clear_error();
	return err;
}
