/* Judging a request before it is signed; see request.h. */
#include "certs/request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

static enum ieum_err refuse(char why[CERTS_WHY_BYTES], const char *path, const char *text)
{
	snprintf(why, CERTS_WHY_BYTES, "%.200s: %.280s", path, text);
	ERR_clear_error();
	return IEUM_E_FILE_INVALID;
}

/* Sealed narratives need a key that others can agree one with. */
static const char *key_problem(EVP_PKEY *key)
{
	char curve[32] = "";

	if (EVP_PKEY_is_a(key, "RSA"))
		return EVP_PKEY_get_bits(key) >= REQUEST_RSA_BITS_MIN
			       ? NULL
			       : "an RSA key has 3072 bits or more; better: EC P-256, as `ieum "
				 "cert request` makes it";
	if (EVP_PKEY_is_a(key, "EC") &&
	    EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL) == 1 &&
	    (strcmp(curve, "prime256v1") == 0 || strcmp(curve, "secp384r1") == 0))
		return NULL;
	return "the key is neither EC P-256 (or P-384) nor RSA; make it by `ieum cert request`";
}

/* The one CN, as UTF-8 without control characters. */
static const char *read_actor(const X509_NAME *subject, struct request *r)
{
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	unsigned char *text = NULL;

	if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
		return "the subject names one person or workstation as CN";
	int n = ASN1_STRING_to_UTF8(&text,
				    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	bool good = n > 0 && (size_t)n < sizeof r->actor && !memchr(text, '/', (size_t)n);
	for (int i = 0; good && i < n; i++)
		good = text[i] >= 0x20 && text[i] != 0x7f;
	if (good)
		memcpy(r->actor, text, (size_t)n);
	OPENSSL_free(text);
	return good ? NULL : "the CN is empty, too long, or holds '/' or control characters";
}

/* "spiffe://<hub>/<kind>/<name>" of somebody in the hub file, or of the hub itself. */
static const char *find_participant(const char *uri, const struct hub_file *hub, struct request *r)
{
	char expected[2 * TLS_IDENTITY_MAX_BYTES + 32];

	snprintf(expected, sizeof expected, "spiffe://%s/hub/%s", hub->hub, hub->hub);
	r->of_hub = strcmp(uri, expected) == 0;
	if (r->of_hub) {
		snprintf(r->participant, sizeof r->participant, "hub");
		return NULL;
	}
	for (size_t i = 0; i < hub->n; i++) {
		const struct hub_participant *p = &hub->participants[i];
		snprintf(expected, sizeof expected, "spiffe://%s/%s/%s", hub->hub, p->kind,
			 p->name);
		if (strcmp(uri, expected) != 0)
			continue;
		snprintf(r->participant, sizeof r->participant, "%s", p->name);
		return NULL;
	}
	return "its URI names nobody of the hub file: spiffe://<hub>/<kind>/<name> has to agree "
	       "with `hub.name` and with the participant's kind and name";
}

static const char *add_host(const GENERAL_NAME *name, struct request *r, size_t *n_hosts)
{
	char text[INET6_ADDRSTRLEN > 256 ? INET6_ADDRSTRLEN : 256] = "";
	const ASN1_STRING *value = name->type == GEN_DNS ? (ASN1_STRING *)name->d.dNSName
							 : (ASN1_STRING *)name->d.iPAddress;
	const unsigned char *bytes = ASN1_STRING_get0_data(value);
	int n = ASN1_STRING_length(value);
	size_t at = strlen(r->san);

	if (name->type == GEN_IPADD)
		(void)inet_ntop(n == 4 ? AF_INET : AF_INET6, bytes, text, sizeof text);
	else if (n > 0 && (size_t)n < sizeof text)
		memcpy(text, bytes, (size_t)n);
	if (!*text ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "0123456789.:-") != strlen(text) ||
	    ++*n_hosts > REQUEST_HOSTS_MAX || at + strlen(text) + 8 > sizeof r->san)
		return "a host name in it is none, or there are too many";
	snprintf(r->san + at, sizeof r->san - at, ",%s:%s", name->type == GEN_IPADD ? "IP" : "DNS",
		 text);
	return NULL;
}

static const char *read_names(const GENERAL_NAMES *names, const struct hub_file *hub,
			      struct request *r)
{
	char uri[TLS_IDENTITY_MAX_BYTES + 1] = "";
	const char *problem = NULL;
	size_t n_hosts = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type != GEN_URI)
			continue;
		int n = ASN1_STRING_length(name->d.uniformResourceIdentifier);
		const void *bytes = ASN1_STRING_get0_data(name->d.uniformResourceIdentifier);
		if (*uri || n <= 0 || (size_t)n >= sizeof uri || memchr(bytes, 0, (size_t)n))
			return "it asks for more than one URI, or for one that is none";
		memcpy(uri, bytes, (size_t)n);
	}
	if (!*uri)
		return "it asks for no URI; `ieum cert request` puts spiffe://<hub>/<kind>/<name> "
		       "into it";
	if ((problem = find_participant(uri, hub, r)))
		return problem;
	snprintf(r->san, sizeof r->san, "URI:%s", uri);
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && !problem; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type == GEN_URI)
			continue;
		if (!r->of_hub || (name->type != GEN_DNS && name->type != GEN_IPADD))
			return "it asks for names that a participant has no use of, besides its URI";
		problem = add_host(name, r, &n_hosts);
	}
	return problem;
}

static const char *judge(const struct hub_file *hub, struct request *r)
{
	EVP_PKEY *key = X509_REQ_get0_pubkey(r->pem);
	const char *problem = key ? key_problem(key) : "its key cannot be read";

	/* That whoever asks has the key: else a key of somebody else could be bound to it. */
	if (!problem && X509_REQ_verify(r->pem, key) != 1)
		problem = "it is not signed by its own key";
	if (!problem)
		problem = read_actor(X509_REQ_get_subject_name(r->pem), r);
	if (problem)
		return problem;
	STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(r->pem);
	GENERAL_NAMES *names =
		extensions ? X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL) : NULL;
	problem = read_names(names, hub, r);
	GENERAL_NAMES_free(names);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	return problem;
}

enum ieum_err request_load(const char *path, const struct hub_file *hub, struct request *out,
			   char why[CERTS_WHY_BYTES])
{
	FILE *in = fopen(path, "re");

	*out = (struct request){ 0 };
	if (!in) {
		snprintf(why, CERTS_WHY_BYTES, "%.300s: %s", path, strerror(errno));
		return IEUM_E_FILE_UNREADABLE;
	}
	out->pem = PEM_read_X509_REQ(in, NULL, NULL, NULL);
	fclose(in);
	if (!out->pem)
		return refuse(why, path, "no PEM request (BEGIN CERTIFICATE REQUEST)");
	const char *problem = judge(hub, out);
	if (!problem)
		return IEUM_E_OK;
	request_release(out);
	return refuse(why, path, problem);
}

void request_release(struct request *r)
{
	X509_REQ_free(r->pem);
	r->pem = NULL;
}
