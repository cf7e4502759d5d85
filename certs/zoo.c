/* `ieum-certs zoo`: one certificate for each way of being refused. */
#include "certs/commands.h"

#include <stdlib.h>
#include <string.h>

enum { DAY_S = 24 * 60 * 60, URI_BYTES = 320 };

enum signer { BY_AUTHORITY, BY_STRANGER, BY_ITSELF };
enum san { SAN_GOOD, SAN_OTHER_HUB, SAN_NO_PATH, SAN_TWO, SAN_NONE };

/* Who refuses it: tls in the handshake, hub after it (error frame), nobody. */
static const struct cage {
	const char *name;
	enum signer signer;
	enum san san;
	const char *usage;
	int from_days, to_days;
	const char *refused_by, *words;
} cages[] = {
	{ "good", BY_AUTHORITY, SAN_GOOD, "clientAuth", 0, 365, "nobody", "" },
	{ "expired", BY_AUTHORITY, SAN_GOOD, "clientAuth", -30, -1, "tls",
	  "certificate has expired" },
	{ "not-yet-valid", BY_AUTHORITY, SAN_GOOD, "clientAuth", 1, 30, "tls",
	  "certificate is not yet valid" },
	{ "wrong-ca", BY_STRANGER, SAN_GOOD, "clientAuth", 0, 365, "tls",
	  "unable to get local issuer certificate" },
	{ "self-signed", BY_ITSELF, SAN_GOOD, "clientAuth", 0, 365, "tls",
	  "self-signed certificate" },
	{ "wrong-san", BY_AUTHORITY, SAN_OTHER_HUB, "clientAuth", 0, 365, "hub",
	  "IDENTITY_UNKNOWN" },
	{ "bad-san", BY_AUTHORITY, SAN_NO_PATH, "clientAuth", 0, 365, "tls",
	  "URI in the SAN is not spiffe://<hub>/<kind>/<name>" },
	{ "two-sans", BY_AUTHORITY, SAN_TWO, "clientAuth", 0, 365, "tls",
	  "certificate has more than one spiffe URI in its SAN" },
	{ "no-san", BY_AUTHORITY, SAN_NONE, "clientAuth", 0, 365, "tls",
	  "certificate has no spiffe URI in its SAN" },
	{ "no-client-auth", BY_AUTHORITY, SAN_GOOD, "serverAuth", 0, 365, "tls",
	  "unsuitable certificate purpose" },
	{ "no-usage", BY_AUTHORITY, SAN_GOOD, "", 0, 365, "tls",
	  "certificate does not say that it is for client use" },
	{ "revoked", BY_AUTHORITY, SAN_GOOD, "clientAuth", 0, 365, "tls", "certificate revoked" },
};

static void write_san(const struct zoo_subject *subject, enum san san, char to[2 * URI_BYTES])
{
	const char *hub = subject->hub, *kind = subject->kind, *name = subject->name;

	switch (san) {
	case SAN_GOOD: snprintf(to, 2 * URI_BYTES, "URI:spiffe://%s/%s/%s", hub, kind, name); break;
	case SAN_OTHER_HUB:
		snprintf(to, 2 * URI_BYTES, "URI:spiffe://elsewhere.%s/%s/%s", hub, kind, name);
		break;
	case SAN_NO_PATH: snprintf(to, 2 * URI_BYTES, "URI:spiffe://%s/%s", hub, kind); break;
	case SAN_TWO:
		snprintf(to, 2 * URI_BYTES, "URI:spiffe://%s/%s/%s,URI:spiffe://%s/operator/%s",
			 hub, kind, name, hub, name);
		break;
	case SAN_NONE: snprintf(to, 2 * URI_BYTES, "DNS:localhost"); break;
	}
}

static enum ieum_err make(struct store *store, const struct store *authority,
			  const struct store *stranger, const struct cage *cage,
			  const struct zoo_subject *subject, int64_t now_s, FILE *out,
			  char why[CERTS_WHY_BYTES])
{
	const struct store *const signers[] = {
		[BY_AUTHORITY] = authority,
		[BY_STRANGER] = stranger,
		[BY_ITSELF] = NULL,
	};
	char san[2 * URI_BYTES], cn[80];
	enum stored what;
	struct wish wish = {
		.cn = cn,
		.san = san,
		.usage = cage->usage,
		.not_before_s = now_s + (int64_t)cage->from_days * DAY_S - CERTS_BACKDATE_S,
		.not_after_s = now_s + (int64_t)cage->to_days * DAY_S,
	};

	write_san(subject, cage->san, san);
	snprintf(cn, sizeof cn, "zoo %s", cage->name);
	enum ieum_err err =
		store_issue(store, signers[cage->signer], cage->name, &wish, &what, why);
	if (!err)
		fprintf(out, "%s %s.crt\n", what == STORED_NEW ? "made" : "kept", cage->name);
	return err;
}

/* The same name as the real authority, another key. */
static enum ieum_err make_stranger(const struct store *authority, int64_t now_s,
				   struct store *stranger, char why[CERTS_WHY_BYTES])
{
	char cn[80] = "";
	struct wish wish = {
		.cn = cn,
		.not_before_s = now_s - CERTS_BACKDATE_S,
		.not_after_s = now_s + (int64_t)CERTS_DAYS_DEFAULT * DAY_S,
	};

	*stranger = (struct store){ 0 };
	X509_NAME_get_text_by_NID(X509_get_subject_name(authority->ca.cert), NID_commonName, cn,
				  sizeof cn);
	return pair_new(NULL, &wish, &stranger->ca, why);
}

static enum ieum_err write_table(const struct store *store, char why[CERTS_WHY_BYTES])
{
	char text[4096] = "# certificate\trefused by\twith these words\n";
	size_t n = strlen(text);

	for (size_t i = 0; i < sizeof cages / sizeof cages[0]; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s\t%s\t%s\n", cages[i].name,
				      cages[i].refused_by, cages[i].words);
	struct store over = *store;
	over.force = true;
	return store_write_text(&over, "zoo.tsv", text, why);
}

enum ieum_err certs_zoo(struct store *store, struct store *authority,
			const struct zoo_subject *subject, int64_t now_s, FILE *out,
			char why[CERTS_WHY_BYTES])
{
	struct store stranger;
	enum ieum_err err = make_stranger(authority, now_s, &stranger, why);
	char already[CERTS_WHY_BYTES];

	for (size_t i = 0; !err && i < sizeof cages / sizeof cages[0]; i++)
		err = make(store, authority, &stranger, &cages[i], subject, now_s, out, why);
	store_close(&stranger);
	/* Kept from an earlier run it is revoked already. */
	if (!err && store_revoke(authority, "revoked", REVOKED_OUT_OF_USE, now_s, NULL, already) ==
			    IEUM_E_OK)
		fprintf(out, "revoked revoked.crt\n");
	if (!err)
		err = store_write_crl(authority, now_s, CERTS_DAYS_DEFAULT, why);
	return err ? err : write_table(store, why);
}
