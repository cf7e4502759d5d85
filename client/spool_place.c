/* The command's spool; see spool_place.h. */
#include "client/spool_place.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/details.h"
#include "client/shown.h"
#include "client/trouble.h"
#include "client/when.h"
#include "proto/catalog.h"
#include "proto/tls_session.h"

enum { FILE_BYTES = 256 };

/* ---- where ---- */

/* By who we are, so that two profiles on one machine have two; else by whom the certificate calls. */
static bool file_name(const char *certificate, char out[FILE_BYTES])
{
	char why[TLS_WHY_BYTES];
	struct tls_identity who = { 0 };
	FILE *f = fopen(certificate, "r");
	X509 *cert = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
	bool known = cert && tls_any_identity_of(cert, &who, why) == IEUM_E_OK;

	if (f)
		fclose(f);
	X509_free(cert);
	if (!known)
		return false;
	snprintf(out, FILE_BYTES, "spool-%.128s.db", who.name[0] ? who.name : "own");
	return true;
}

static bool set(const char *value)
{
	return value && *value;
}

/* Every folder on the way, for us alone; what is there stays as it is. */
static bool make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		bool made = mkdir(path, 0700) == 0 || errno == EEXIST;
		*slash = '/';
		if (!made)
			return false;
	}
	return true;
}

enum ieum_err spool_place(struct profile *p)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char path[PROFILE_PATH_BYTES], file[FILE_BYTES];
	int n;

	if (p->spool || p->no_spool || !file_name(p->certificate, file))
		return IEUM_E_OK;
	p->spool_missing = !set(state) && (!set(home) || access(home, F_OK) != 0);
	if (p->spool_missing)
		return IEUM_E_OK;
	if (set(state))
		n = snprintf(path, sizeof path, "%s/ieum/%s", state, file);
	else
		n = snprintf(path, sizeof path, "%s/.local/state/ieum/%s", home, file);
	if ((size_t)n >= sizeof path)
		return IEUM_E_FIELD_TOO_LARGE;
	p->spool_missing = !make_folders(path);
	if (p->spool_missing)
		return IEUM_E_OK;
	p->spool = strdup(path);
	return p->spool ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

/* ---- saying ---- */

/* Takes the object. */
static void say_object(const struct invocation *inv, json_t *object)
{
	if (object)
		json_dumpf(object, inv->err, JSON_COMPACT);
	fputc('\n', inv->err);
	fflush(inv->err);
	json_decref(object);
}

static const char *id_text(const uint8_t *message_id, char out[UUID_TEXT_BYTES])
{
	uuid_format(message_id, out);
	return out;
}

void spool_say_alone(const struct invocation *inv, int64_t for_ms, uint64_t waiting)
{
	char span[WHEN_BYTES];

	if (inv->json) {
		say_object(inv, json_pack("{s:s, s:I, s:I}", "notice", "no_hub", "for_ms",
					  (json_int_t)for_ms, "waiting", (json_int_t)waiting));
		return;
	}
	fprintf(inv->err, say(inv, TEXT_NO_HUB_FOR), when_span(for_ms, inv->lang, span), waiting);
	fputc('\n', inv->err);
}

static const char *failure_text(const struct invocation *inv, const struct ieum_failure *failure)
{
	const struct ieum_error_row *row = ieum_error((int)failure->code);

	return catalog_text(inv->lang, row->text);
}

void spool_say_resent(const struct invocation *inv, const uint8_t *message_id,
		      const Ieum__V1__Receipt *receipt, const struct ieum_failure *failure)
{
	char id[UUID_TEXT_BYTES], detail[DETAILS_BYTES];

	id_text(message_id, id);
	if (inv->json) {
		say_object(inv, receipt ? json_pack("{s:s, s:s}", "notice", "spool_sent",
						    "message_id", id)
					: json_pack("{s:s, s:s, s:s, s:s}", "notice",
						    "spool_refused", "message_id", id, "name",
						    failure->name, "detail", failure->detail));
		return;
	}
	if (receipt)
		fprintf(inv->err, say(inv, TEXT_SPOOL_SENT), id);
	else
		fprintf(inv->err, say(inv, TEXT_SPOOL_REFUSED), id, failure_text(inv, failure),
			failure->name, details_in(inv->lang, failure->detail, detail));
	fputc('\n', inv->err);
}

void spool_say_renamed(const struct invocation *inv, const uint8_t *before, const uint8_t *now)
{
	char old[UUID_TEXT_BYTES], id[UUID_TEXT_BYTES];

	id_text(before, old);
	id_text(now, id);
	if (inv->json) {
		say_object(inv, json_pack("{s:s, s:s, s:s}", "notice", "spool_renamed", "before",
					  old, "message_id", id));
		return;
	}
	fprintf(inv->err, say(inv, TEXT_SPOOL_RENAMED), old, id);
	fputc('\n', inv->err);
}

void spool_say_missing(const struct invocation *inv)
{
	const struct profile *p = inv->profile;

	if (!p->spool_missing)
		return;
	if (inv->json) {
		say_object(inv, json_pack("{s:s}", "notice", "no_spool"));
		return;
	}
	fprintf(inv->err, "%s\n", say(inv, TEXT_SPOOL_MISSING));
}

void spool_say_let_go(const struct invocation *inv, size_t messages)
{
	if (inv->json)
		say_object(inv, json_pack("{s:s, s:I}", "notice", "spool_let_go", "messages",
					  (json_int_t)messages));
}

void spool_say_trouble(const struct invocation *inv, const struct ieum_failure *why)
{
	(void)trouble(inv, why->code, why->detail);
}

void spool_say_kept(const struct invocation *inv, const uint8_t *message_id)
{
	char id[UUID_TEXT_BYTES];

	id_text(message_id, id);
	if (inv->json) {
		json_t *kept = json_pack("{s:s, s:b}", "message_id", id, "kept", 1);

		if (kept)
			json_dumpf(kept, inv->out, 0);
		fputc('\n', inv->out);
		json_decref(kept);
		return;
	}
	fprintf(inv->out, say(inv, TEXT_SPOOL_KEPT), id);
	fputc('\n', inv->out);
}
