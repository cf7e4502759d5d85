/* Who a certificate says its holder is: one spiffe URI among the SANs, the subject's CN,
 * serial and end.  Pure functions of the certificate, any thread.
 *
 * What leaves here is safe to log and to compare with strcmp: no NUL, no control
 * characters, bounded. */
#include "proto/tls_session.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char scheme[] = "spiffe://";

static enum ieum_err refuse(char why[TLS_WHY_BYTES], enum ieum_err err, const char *text)
{
	snprintf(why, TLS_WHY_BYTES, "%s", text);
	return err;
}

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

/* Copies one part of the path up to end; false when empty, too long or with other bytes.
 * A first byte that is a letter or digit rules out "." and "..". */
static bool take_part(char *to, size_t max, const char *from, const char *end)
{
	size_t n = (size_t)(end - from);

	if (n == 0 || n > max || !is_name_byte(*from) || *from == '.' || *from == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_name_byte(from[i]))
			return false;
	memcpy(to, from, n);
	to[n] = '\0';
	return true;
}

static bool parse_uri(struct tls_identity *id)
{
	const char *hub = id->uri + sizeof scheme - 1;
	const char *kind = strchr(hub, '/');
	const char *name = kind ? strchr(kind + 1, '/') : NULL;

	return name && take_part(id->hub, sizeof id->hub - 1, hub, kind) &&
	       take_part(id->kind, sizeof id->kind - 1, kind + 1, name) &&
	       take_part(id->name, sizeof id->name - 1, name + 1, name + strlen(name));
}

static enum ieum_err read_uri(X509 *cert, struct tls_identity *id, char why[TLS_WHY_BYTES])
{
	enum ieum_err err = IEUM_E_OK;
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names) && !err; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type != GEN_URI)
			continue;
		const ASN1_IA5STRING *uri = name->d.uniformResourceIdentifier;
		const char *bytes = (const char *)ASN1_STRING_get0_data(uri);
		size_t n = (size_t)ASN1_STRING_length(uri);
		if (n < sizeof scheme - 1 || memcmp(bytes, scheme, sizeof scheme - 1) != 0)
			continue;
		if (id->uri[0])
			err = refuse(why, IEUM_E_FIELD_INVALID,
				     "certificate has more than one spiffe URI in its SAN");
		else if (n >= sizeof id->uri || memchr(bytes, '\0', n))
			err = refuse(why, IEUM_E_FIELD_INVALID,
				     "spiffe URI in the SAN is too long or holds a NUL");
		else
			memcpy(id->uri, bytes, n);
	}
	GENERAL_NAMES_free(names);
	if (err)
		return err;
	if (!id->uri[0])
		return refuse(why, IEUM_E_FIELD_MISSING,
			      "certificate has no spiffe URI in its SAN");
	if (!parse_uri(id)) {
		id->uri[0] = '\0';
		return refuse(why, IEUM_E_FIELD_INVALID,
			      "URI in the SAN is not spiffe://<hub>/<kind>/<name>");
	}
	return IEUM_E_OK;
}

/* C0, DEL and C1 would let a certificate forge log lines. */
static bool has_control(const unsigned char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] < 0x20 || text[i] == 0x7f)
			return true;
		if (text[i] == 0xc2 && i + 1 < n && text[i + 1] < 0xa0)
			return true;
	}
	return false;
}

static enum ieum_err read_actor(X509 *cert, struct tls_identity *id, char why[TLS_WHY_BYTES])
{
	X509_NAME *subject = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	if (at < 0)
		return refuse(why, IEUM_E_FIELD_MISSING, "certificate has no CN");
	if (X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
		return refuse(why, IEUM_E_FIELD_INVALID, "certificate has more than one CN");

	unsigned char *text = NULL;
	int n = ASN1_STRING_to_UTF8(&text,
				    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	enum ieum_err err = IEUM_E_OK;
	if (n <= 0 || (size_t)n >= sizeof id->actor || has_control(text, (size_t)n))
		err = refuse(why, IEUM_E_FIELD_INVALID,
			     "CN is empty, too long, not UTF-8 or holds control characters");
	else
		memcpy(id->actor, text, (size_t)n);
	OPENSSL_free(text);
	return err;
}

static enum ieum_err read_serial(X509 *cert, struct tls_identity *id, char why[TLS_WHY_BYTES])
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	int n = ASN1_STRING_length(serial);
	const unsigned char *bytes = ASN1_STRING_get0_data(serial);

	if (n <= 0 || (size_t)n * 2 >= sizeof id->serial)
		return refuse(why, IEUM_E_FIELD_INVALID, "serial number is longer than 20 bytes");
	for (int i = 0; i < n; i++)
		snprintf(id->serial + 2 * i, 3, "%02x", bytes[i]);
	return IEUM_E_OK;
}

static enum ieum_err read_end(X509 *cert, struct tls_identity *id, char why[TLS_WHY_BYTES])
{
	struct tm tm;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
		return refuse(why, IEUM_E_FIELD_INVALID, "end of validity is not a time");
	id->not_after_s = (int64_t)timegm(&tm);
	return IEUM_E_OK;
}

/* ---- other names ---- */

static bool add_name(struct tls_identity *id, const char *kind, const char *text, size_t len)
{
	unsigned int n = TLS_HASH_BYTES;
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	bool ok = id->n_names == TLS_NAMES_MAX ||
		  (hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 &&
		   EVP_DigestUpdate(hash, kind, strlen(kind)) == 1 &&
		   EVP_DigestUpdate(hash, text, len) == 1 &&
		   EVP_DigestFinal_ex(hash, id->names[id->n_names++], &n) == 1);

	EVP_MD_CTX_free(hash);
	return ok;
}

char *tls_name_text(const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL, *bytes;
	/* As RFC 4514 has it, but what is not ASCII stays readable. */
	unsigned long how = XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB;

	if (bio && X509_NAME_print_ex(bio, name, 0, how) >= 0) {
		long n = BIO_get_mem_data(bio, &bytes);
		text = OPENSSL_strndup(bytes, (size_t)n);
	}
	BIO_free(bio);
	return text;
}

static bool add_issuer_and_subject(X509 *cert, struct tls_identity *id)
{
	char *issuer = tls_name_text(X509_get_issuer_name(cert));
	char *subject = tls_name_text(X509_get_subject_name(cert));
	size_t room = issuer && subject ? strlen(issuer) + strlen(subject) + 2 : 0;
	char *both = room ? OPENSSL_malloc(room) : NULL;
	bool ok = false;

	if (both) {
		(void)snprintf(both, room, "%s\n%s", issuer, subject);
		ok = add_name(id, "name ", both, room - 1);
	}
	OPENSSL_free(issuer);
	OPENSSL_free(subject);
	OPENSSL_free(both);
	return ok;
}

static bool add_key(X509 *cert, struct tls_identity *id)
{
	unsigned char *der = NULL, digest[TLS_HASH_BYTES];
	char hex[2 * TLS_HASH_BYTES + 1];
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	bool ok = n > 0 && EVP_Digest(der, (size_t)n, digest, NULL, EVP_sha256(), NULL) == 1;

	OPENSSL_free(der);
	if (!ok)
		return false;
	for (int i = 0; i < TLS_HASH_BYTES; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return add_name(id, "key ", hex, 2 * TLS_HASH_BYTES);
}

static bool add_uris(X509 *cert, struct tls_identity *id)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	/* Whatever else is there, this one counts. */
	bool ok = !id->uri[0] || add_name(id, "uri ", id->uri, strlen(id->uri));

	for (int i = 0; i < sk_GENERAL_NAME_num(names) && ok; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		const ASN1_IA5STRING *uri = name->d.uniformResourceIdentifier;
		if (name->type == GEN_URI)
			ok = add_name(id, "uri ", (const char *)ASN1_STRING_get0_data(uri),
				      (size_t)ASN1_STRING_length(uri));
	}
	GENERAL_NAMES_free(names);
	return ok;
}

static enum ieum_err read_all(X509 *cert, bool any, struct tls_identity *out,
			      char why[TLS_WHY_BYTES])
{
	*out = (struct tls_identity){ 0 };
	enum ieum_err err = read_serial(cert, out, why);
	if (!err)
		err = read_end(cert, out, why);
	if (!err)
		err = read_uri(cert, out, why);
	if (err && any && out->not_after_s) {
		out->uri[0] = out->hub[0] = out->kind[0] = out->name[0] = '\0';
		err = IEUM_E_OK;
	}
	if (!err)
		err = read_actor(cert, out, why);
	if (!err &&
	    (!add_key(cert, out) || !add_issuer_and_subject(cert, out) || !add_uris(cert, out)))
		err = refuse(why, IEUM_E_NO_MEMORY, "out of memory");
	return err;
}

enum ieum_err tls_identity_of(X509 *cert, struct tls_identity *out, char why[TLS_WHY_BYTES])
{
	return read_all(cert, false, out, why);
}

enum ieum_err tls_any_identity_of(X509 *cert, struct tls_identity *out, char why[TLS_WHY_BYTES])
{
	return read_all(cert, true, out, why);
}
