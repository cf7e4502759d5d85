/* An authority apart from the hub; see offline.h. */
#include "certs/offline.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certs/request.h"

enum { DAY_S = 24 * 60 * 60, CA_DAYS = 3650, NAME_BYTES = 256, DATE_BYTES = 32 };

static const char *date_text(int64_t at_s, char out[DATE_BYTES])
{
	time_t at = (time_t)at_s;
	struct tm tm;

	out[0] = '\0';
	if (gmtime_r(&at, &tm))
		strftime(out, DATE_BYTES, "%Y-%m-%d %H:%M UTC", &tm);
	return out;
}

enum ieum_err offline_ca(struct store *store, const char *cn, const struct offline_options *options,
			 char why[CERTS_WHY_BYTES])
{
	enum stored what;
	enum ieum_err err = store_ca_load_or_make(store, cn, options->now_s, CA_DAYS, &what, why);

	if (!err && what == STORED_KEPT) {
		snprintf(why, CERTS_WHY_BYTES, "%.400s: an authority is there already", store->dir);
		return IEUM_E_FILE_INVALID;
	}
	return err ? err : store_write_crl_until(store, options->now_s, options->until_s, why);
}

/* ---- what is in force ---- */

/* Of the request: whether its key is certified, and whom it would follow. */
struct looking {
	const struct request *r;
	int64_t due_s;
	char prefix[NAME_BYTES]; /* of the files of the same participant and CN */
	bool has_key;            /* in one that isn't due */
	char follows[NAME_BYTES];
	int64_t follows_until_s;
};

static enum ieum_err look(void *ctx, const char *file, const char *serial, int64_t not_after_s,
			  X509 *cert)
{
	struct looking *l = ctx;

	(void)serial;
	if (cert && X509_get0_pubkey(cert) &&
	    EVP_PKEY_eq(X509_get0_pubkey(cert), X509_REQ_get0_pubkey(l->r->pem)) == 1 &&
	    not_after_s > l->due_s)
		l->has_key = true;
	if (strncmp(file, l->prefix, strlen(l->prefix)) == 0 && not_after_s > l->follows_until_s) {
		snprintf(l->follows, sizeof l->follows, "%.255s", file);
		l->follows_until_s = not_after_s;
	}
	return IEUM_E_OK;
}

/* ---- signing ---- */

/* "participants/gimpo-ps.desk-1-": what follows is the serial number's begin. */
static void name_prefix(const struct request *r, char out[NAME_BYTES])
{
	snprintf(out, NAME_BYTES, "%s%s.%.160s-", r->of_hub ? "" : "participants/", r->participant,
		 r->actor);
	for (char *c = strchr(out, '.'); c && *c; c++)
		if (*c == ' ' || *c == '\\')
			*c = '_';
}

static enum ieum_err sign(struct store *store, const struct request *r, const char *prefix,
			  const struct offline_options *options, char name[NAME_BYTES],
			  char why[CERTS_WHY_BYTES])
{
	const struct wish wish = {
		.cn = r->actor,
		.san = r->san,
		.usage = r->of_hub ? "serverAuth" : "clientAuth",
		.not_before_s = options->now_s - CERTS_BACKDATE_S,
		.not_after_s = options->until_s,
	};
	X509 *cert = NULL;
	enum ieum_err err = cert_sign(&store->ca, X509_REQ_get0_pubkey(r->pem), &wish, &cert, why);
	char *serial = err ? NULL : cert_serial(cert);

	if (!err && !serial)
		err = IEUM_E_NO_MEMORY;
	if (!err) {
		snprintf(name, NAME_BYTES, "%.240s%.8s", prefix, serial);
		err = store_keep(store, cert, name, options->until_s, why);
	}
	OPENSSL_free(serial);
	X509_free(cert);
	return err;
}

static enum ieum_err sign_request(struct store *store, const struct request *r, bool again,
				  const struct offline_options *options, FILE *out,
				  char why[CERTS_WHY_BYTES])
{
	struct looking l = { .r = r,
			     .due_s = options->now_s + (int64_t)options->within_days * DAY_S };
	char name[NAME_BYTES], date[DATE_BYTES];

	name_prefix(r, l.prefix);
	enum ieum_err err = store_each(store, options->now_s, look, &l, why);
	if (err)
		return err;
	if (l.has_key && !again) {
		fprintf(out, "kept %s: its key has a certificate that is not due\n", l.follows);
		return IEUM_E_OK;
	}
	err = sign(store, r, l.prefix, options, name, why);
	if (err)
		return err;
	fprintf(out, "signed %s.crt for %s, %s, until %s\n", name, r->participant, r->actor,
		date_text(options->until_s, date));
	if (r->of_hub)
		fprintf(out, "  it is the hub for whoever reaches it by: %s\n", r->san);
	if (*l.follows)
		fprintf(out, "  it follows %s, which is good until %s\n", l.follows,
			date_text(l.follows_until_s, date));
	return IEUM_E_OK;
}

static enum ieum_err refuse(char why[CERTS_WHY_BYTES], const char *request, const char *text)
{
	snprintf(why, CERTS_WHY_BYTES, "%.200s: %s", request, text);
	return IEUM_E_FILE_INVALID;
}

enum ieum_err offline_sign(struct store *store, const struct hub_file *hub, const char *request,
			   const struct offline_options *options, FILE *out,
			   char why[CERTS_WHY_BYTES])
{
	struct request r;
	enum ieum_err err = request_load(request, hub, &r, why);

	if (err)
		return err;
	if (r.of_hub && !options->of_hub)
		err = refuse(
			why, request,
			"it asks to be the hub itself: sign it with --of-hub if it is from the "
			"hub's own machine; an agency must never have it");
	else if (options->of_hub && !r.of_hub)
		err = refuse(why, request, "it is no request of the hub: leave --of-hub out");
	else
		err = sign_request(store, &r, true, options, out, why);
	request_release(&r);
	return err;
}

/* ---- all of them ---- */

static int is_request(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && strcmp(dot, ".csr") == 0;
}

struct listing {
	const struct hub_file *hub;
	bool *has;
};

static enum ieum_err note_holder(void *ctx, const char *file, const char *serial,
				 int64_t not_after_s, X509 *cert)
{
	static const char folder[] = "participants/";
	struct listing *l = ctx;

	(void)serial, (void)not_after_s, (void)cert;
	if (strncmp(file, folder, sizeof folder - 1) != 0)
		return IEUM_E_OK;
	file += sizeof folder - 1;
	for (size_t i = 0; i < l->hub->n; i++) {
		size_t n = strlen(l->hub->participants[i].name);
		if (strncmp(file, l->hub->participants[i].name, n) == 0 && file[n] == '.')
			l->has[i] = true;
	}
	return IEUM_E_OK;
}

static enum ieum_err tell_missing(const struct store *store, const struct hub_file *hub,
				  const struct offline_options *options, FILE *out,
				  char why[CERTS_WHY_BYTES])
{
	struct listing l = { .hub = hub, .has = calloc(hub->n + 1, sizeof *l.has) };
	enum ieum_err err = IEUM_E_NO_MEMORY;

	if (l.has)
		err = store_each(store, options->now_s, note_holder, &l, why);
	for (size_t i = 0; i < hub->n && !err; i++)
		if (!l.has[i])
			fprintf(out, "missing %s: no certificate in force, and no request of it\n",
				hub->participants[i].name);
	free(l.has);
	return err;
}

static enum ieum_err load_of_agency(const char *path, const struct hub_file *hub, struct request *r,
				    char why[CERTS_WHY_BYTES])
{
	enum ieum_err err = request_load(path, hub, r, why);

	if (err || !r->of_hub)
		return err;
	request_release(r);
	return refuse(why, path,
		      "it asks to be the hub itself; if it does come from the hub's machine, use "
		      "`ieum-certs sign --of-hub`");
}

enum ieum_err offline_batch(struct store *store, const struct hub_file *hub, const char *requests,
			    const struct offline_options *options, FILE *out, size_t *refused,
			    char why[CERTS_WHY_BYTES])
{
	struct dirent **found = NULL;
	int n = scandir(requests, &found, is_request, alphasort);
	enum ieum_err err = IEUM_E_OK;

	*refused = 0;
	if (n < 0) {
		snprintf(why, CERTS_WHY_BYTES, "%.300s: %s", requests, strerror(errno));
		return IEUM_E_FILE_UNREADABLE;
	}
	for (int i = 0; i < n; i++) {
		char path[STORE_PATH_BYTES];
		struct request r;
		if (err)
			continue;
		snprintf(path, sizeof path, "%.3000s/%.255s", requests, found[i]->d_name);
		if (load_of_agency(path, hub, &r, why)) {
			fprintf(out, "refused %s\n", why);
			++*refused;
			continue;
		}
		err = sign_request(store, &r, false, options, out, why);
		request_release(&r);
	}
	for (int i = 0; i < n; i++)
		free(found[i]);
	free(found);
	return err ? err : tell_missing(store, hub, options, out, why);
}

/* ---- what ends soon ---- */

struct due {
	int64_t until_s;
	FILE *out;
};

static enum ieum_err tell_due(void *ctx, const char *file, const char *serial, int64_t not_after_s,
			      X509 *cert)
{
	const struct due *d = ctx;
	char date[DATE_BYTES];

	(void)cert;
	if (not_after_s <= d->until_s)
		fprintf(d->out, "due %s, serial %s, ends %s\n", file, serial,
			date_text(not_after_s, date));
	return IEUM_E_OK;
}

enum ieum_err offline_due(const struct store *store, const struct offline_options *options,
			  FILE *out, char why[CERTS_WHY_BYTES])
{
	struct due d = { options->now_s + (int64_t)options->within_days * DAY_S, out };

	return store_each(store, options->now_s, tell_due, &d, why);
}
