/* Our keys and whom we trust; see keyring.h. */
#include "client/keyring.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/tls_session.h"

/* ---- files ---- */

static enum ieum_err add(struct ieum_keyring *k, const struct tls_files *files, char why[])
{
	enum ieum_err err = tls_new(TLS_CLIENT, files, &k->keys[k->n], why);

	if (!err)
		k->n++;
	return err;
}

static bool digest(const char *text, uint8_t out[TLS_HASH_BYTES])
{
	return EVP_Digest(text, strlen(text), out, NULL, EVP_sha256(), NULL) == 1;
}

/* The texts that tls_identity.names are over; the digits in lower case. */
static enum ieum_err add_pin(struct ieum_keyring *k, const struct ieum_identity *of)
{
	static const char prefix[] = "sha256:";
	struct keyring_pin *pin = &k->pins[k->n_pins];
	const char *key = of->key;
	char text[2304];
	int n;

	if (!of->participant || strlen(of->participant) >= sizeof pin->participant ||
	    (key ? of->issuer || of->subject : !of->issuer || !of->subject))
		return IEUM_E_FIELD_INVALID;
	if (key && strncmp(key, prefix, sizeof prefix - 1) == 0)
		key += sizeof prefix - 1;
	n = key ? snprintf(text, sizeof text, "key %s", key)
		: snprintf(text, sizeof text, "name %s\n%s", of->issuer, of->subject);
	if (n < 0 || (size_t)n >= sizeof text)
		return IEUM_E_FIELD_INVALID;
	for (char *c = text; key && *c; c++)
		*c = *c >= 'A' && *c <= 'F' ? (char)(*c - 'A' + 'a') : *c;
	if (!digest(text, pin->name))
		return IEUM_E_NO_MEMORY;
	snprintf(pin->participant, sizeof pin->participant, "%s", of->participant);
	k->n_pins++;
	return IEUM_E_OK;
}

static enum ieum_err add_pins(struct ieum_keyring *k, const struct ieum_options *o,
			      char why[IEUM_WHY_BYTES])
{
	enum ieum_err err = IEUM_E_OK;

	if (o->n_identities > IEUM_IDENTITIES_MAX)
		err = IEUM_E_FIELD_INVALID;
	for (size_t i = 0; i < o->n_identities && !err; i++)
		err = add_pin(k, &o->identities[i]);
	if (err)
		snprintf(why, IEUM_WHY_BYTES,
			 "options: an identity is a participant with a key, or with issuer and "
			 "subject; at most %d",
			 IEUM_IDENTITIES_MAX);
	return err;
}

enum ieum_err ieum_keyring_new(const struct ieum_options *o, struct ieum_keyring **out,
			       char why[IEUM_WHY_BYTES])
{
	struct ieum_keyring *k = calloc(1, sizeof *k);
	enum ieum_err err;

	*out = NULL;
	snprintf(why, IEUM_WHY_BYTES, "%s", ieum_error(IEUM_E_NO_MEMORY)->text);
	if (!k)
		return IEUM_E_NO_MEMORY;
	if (o->n_old_keys > IEUM_OLD_KEYS_MAX) {
		snprintf(why, IEUM_WHY_BYTES, "options: at most %d old keys", IEUM_OLD_KEYS_MAX);
		free(k);
		return IEUM_E_FIELD_INVALID;
	}
	err = add(k,
		  &(struct tls_files){ .cert = o->cert,
				       .key = o->key,
				       .ca = o->ca,
				       .crl = o->crl,
				       .other_names = true },
		  why);
	for (size_t i = 0; i < o->n_old_keys && !err; i++)
		err = add(k,
			  &(struct tls_files){ .cert = o->old_keys[i].cert,
					       .key = o->old_keys[i].key,
					       .ca = o->ca,
					       .other_names = true },
			  why);
	if (!err)
		err = add_pins(k, o, why);
	if (err) {
		ieum_keyring_free(k);
		return err;
	}
	*out = k;
	return IEUM_E_OK;
}

void ieum_keyring_free(struct ieum_keyring *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->n; i++)
		tls_free(k->keys[i]);
	free(k);
}

static bool has(const struct ieum_keyring *k, const X509 *cert)
{
	for (size_t i = 0; i < k->n; i++) {
		if (X509_cmp(keyring_certificate(k, i), cert) == 0)
			return true;
	}
	return false;
}

void keyring_renew(struct ieum_keyring *k, struct ieum_keyring *with)
{
	struct ieum_keyring old = *k;
	size_t left = 0;

	*k = *with;
	for (size_t i = 0; i < old.n; i++) {
		if (k->n < KEYRING_KEYS_MAX && !has(k, keyring_certificate(&old, i)))
			k->keys[k->n++] = old.keys[i];
		else
			old.keys[left++] = old.keys[i];
	}
	old.n = left;
	*with = old;
	ieum_keyring_free(with);
}

int64_t ieum_revocation_list_ends_at_ms(const struct ieum_keyring *k)
{
	return tls_crl_next_update_s(k->keys[0]) * 1000;
}

X509 *keyring_certificate(const struct ieum_keyring *k, size_t i)
{
	return SSL_CTX_get0_certificate(tls_ctx(k->keys[i]));
}

EVP_PKEY *keyring_key(const struct ieum_keyring *k, size_t i)
{
	return SSL_CTX_get0_privatekey(tls_ctx(k->keys[i]));
}

STACK_OF(X509) * keyring_chain(const struct ieum_keyring *k)
{
	STACK_OF(X509) *chain = NULL;

	SSL_CTX_get0_chain_certs(tls_ctx(k->keys[0]), &chain);
	return chain;
}

/* ---- judging ---- */

/* Was it valid at that second? */
static bool valid_at(const X509 *cert, time_t at_s)
{
	return ASN1_TIME_cmp_time_t(X509_get0_notBefore(cert), at_s) <= 0 &&
	       ASN1_TIME_cmp_time_t(X509_get0_notAfter(cert), at_s) >= 0;
}

/* Whoever has stolen a key signs whatever date he likes; and that it wasn't stolen has to be said. */
static bool is_stolen(const X509_REVOKED *entry)
{
	ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
	long why = reason ? ASN1_ENUMERATED_get(reason) : CRL_REASON_UNSPECIFIED;

	ASN1_ENUMERATED_free(reason);
	return why == CRL_REASON_UNSPECIFIED || why == CRL_REASON_KEY_COMPROMISE ||
	       why == CRL_REASON_CA_COMPROMISE || why == CRL_REASON_AA_COMPROMISE;
}

static bool revoked_later(X509_STORE_CTX *store, time_t at_s)
{
	X509_CRL *crl = X509_STORE_CTX_get0_current_crl(store);
	X509_REVOKED *entry = NULL;

	if (!crl || !X509_CRL_get0_by_cert(crl, &entry, X509_STORE_CTX_get_current_cert(store)) ||
	    !entry)
		return false;
	return ASN1_TIME_cmp_time_t(X509_REVOKED_get0_revocationDate(entry), at_s) > 0 &&
	       !is_stolen(entry);
}

static int forgive(int ok, X509_STORE_CTX *store)
{
	const time_t *at_s = X509_STORE_CTX_get_app_data(store);

	if (ok)
		return 1;
	switch (X509_STORE_CTX_get_error(store)) {
	case X509_V_ERR_CRL_HAS_EXPIRED: break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		if (*at_s && valid_at(X509_STORE_CTX_get_current_cert(store), *at_s))
			break;
		return 0;
	case X509_V_ERR_CERT_REVOKED:
		if (*at_s && revoked_later(store, *at_s))
			break;
		return 0;
	default: return 0;
	}
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
}

static enum ieum_err verdict(int error)
{
	switch (error) {
	case X509_V_ERR_CERT_REVOKED: return IEUM_E_CERTIFICATE_REVOKED;
	case X509_V_ERR_CERT_HAS_EXPIRED: return IEUM_E_CERTIFICATE_EXPIRED;
	case X509_V_ERR_OUT_OF_MEM: return IEUM_E_NO_MEMORY;
	default: return IEUM_E_NOT_SEALED;
	}
}

enum ieum_err keyring_judge(const struct ieum_keyring *k, X509 *cert, STACK_OF(X509) * others,
			    int64_t at_ms, char why[IEUM_WHY_BYTES])
{
	X509_STORE_CTX *store = X509_STORE_CTX_new();
	time_t at_s = (time_t)(at_ms / 1000);
	enum ieum_err err = IEUM_E_OK;

	if (!store ||
	    !X509_STORE_CTX_init(store, SSL_CTX_get_cert_store(tls_ctx(k->keys[0])), cert,
				 others) ||
	    !X509_STORE_CTX_set_default(store, "ssl_client")) {
		err = IEUM_E_NO_MEMORY;
		snprintf(why, IEUM_WHY_BYTES, "%s", ieum_error((int)err)->text);
	} else {
		X509_STORE_CTX_set_app_data(store, &at_s);
		X509_STORE_CTX_set_verify_cb(store, forgive);
		if (X509_verify_cert(store) != 1) {
			int error = X509_STORE_CTX_get_error(store);

			snprintf(why, IEUM_WHY_BYTES, "%s", X509_verify_cert_error_string(error));
			err = verdict(error);
		}
	}
	X509_STORE_CTX_free(store);
	ERR_clear_error();
	return err;
}

/* ---- names ---- */

/* Who it says it is, in the words of its authority. */
static void call_by_subject(X509 *cert, struct tls_identity *out)
{
	char *subject = tls_name_text(X509_get_subject_name(cert));

	snprintf(out->actor, sizeof out->actor, "%s", subject ? subject : "");
	OPENSSL_free(subject);
}

enum ieum_err keyring_names(X509 *cert, struct tls_identity *out, char why[IEUM_WHY_BYTES])
{
	char reason[TLS_WHY_BYTES];
	enum ieum_err err = tls_identity_of(cert, out, reason);

	if (!err || out->name[0])
		return IEUM_E_OK;
	if (err == IEUM_E_FIELD_MISSING) {
		/* With what it is pinned by; one that lacks even that has none. */
		if (tls_any_identity_of(cert, out, reason))
			out->n_names = 0;
		call_by_subject(cert, out);
		return IEUM_E_OK;
	}
	snprintf(why, IEUM_WHY_BYTES, "%.400s", reason);
	return IEUM_E_NOT_SEALED;
}

void keyring_own(const struct ieum_keyring *k, struct tls_identity *out)
{
	char why[IEUM_WHY_BYTES];

	if (keyring_names(keyring_certificate(k, 0), out, why))
		*out = (struct tls_identity){ 0 };
}

/* Is a certificate without a name that participant's?  False with `*any`: others are. */
static bool is_pinned(const struct ieum_keyring *k, const struct tls_identity *id,
		      const char *participant, bool *any)
{
	*any = false;
	for (size_t i = 0; i < k->n_pins; i++) {
		if (strcmp(k->pins[i].participant, participant) != 0)
			continue;
		*any = true;
		for (size_t j = 0; j < id->n_names; j++) {
			if (memcmp(id->names[j], k->pins[i].name, TLS_HASH_BYTES) == 0)
				return true;
		}
	}
	return false;
}

enum ieum_err keyring_is(const struct ieum_keyring *k, X509 *cert, const char *participant,
			 struct tls_identity *out, char why[IEUM_WHY_BYTES])
{
	enum ieum_err err = keyring_names(cert, out, why);
	struct tls_identity own;
	bool any;

	if (err)
		return err;
	if (!out->name[0]) {
		if (is_pinned(k, out, participant, &any))
			snprintf(out->name, sizeof out->name, "%s", participant);
		if (out->name[0] || !any)
			return IEUM_E_OK;
		snprintf(why, IEUM_WHY_BYTES, "it is none of the `identities` of %.63s",
			 participant);
		return IEUM_E_NOT_SEALED;
	}
	keyring_own(k, &own);
	if (strcmp(out->name, participant) == 0 && (!own.name[0] || strcmp(out->hub, own.hub) == 0))
		return IEUM_E_OK;
	snprintf(why, IEUM_WHY_BYTES, "it is %.255s's, and the hub says it is %.63s's", out->uri,
		 participant);
	return IEUM_E_NOT_SEALED;
}

static enum ieum_err check_recipient(const struct ieum_keyring *k, X509 *cert,
				     const char *participant, char why[IEUM_WHY_BYTES])
{
	struct tls_identity id;
	enum ieum_err err = keyring_judge(k, cert, NULL, 0, why);

	if (!err)
		err = keyring_is(k, cert, participant, &id, why);
	if (!err && !id.name[0] && !has(k, cert)) {
		/* The hub's word alone would let it read along with a certificate of its choice. */
		snprintf(why, IEUM_WHY_BYTES,
			 "it names no participant; when it is that one's, list it under "
			 "`identities` of the profile");
		return IEUM_E_NOT_SEALED;
	}
	if (!err && !tls_can_be_sealed_to(cert)) {
		snprintf(why, IEUM_WHY_BYTES, "its key is none to seal to");
		return IEUM_E_NOT_SEALED;
	}
	return err;
}

enum ieum_err keyring_recipient(const struct ieum_keyring *k, const uint8_t *der, size_t len,
				const char *participant, X509 **out, char why[IEUM_WHY_BYTES])
{
	const unsigned char *at = der;
	X509 *cert = d2i_X509(NULL, &at, (long)len);
	char reason[IEUM_WHY_BYTES] = "it is no certificate";
	enum ieum_err err = IEUM_E_NOT_SEALED;

	*out = NULL;
	ERR_clear_error();
	if (cert && at == der + len)
		err = check_recipient(k, cert, participant, reason);
	if (err) {
		snprintf(why, IEUM_WHY_BYTES,
			 "the certificate of %.63s is not to be trusted: %.400s", participant,
			 reason);
		X509_free(cert);
		return err;
	}
	*out = cert;
	return IEUM_E_OK;
}
