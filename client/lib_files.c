/* libieum: our certificate, our key, whom we trust and who was revoked, while their files change; see
 * lib_internal.h.
 *
 * They are read whole or not at all: files that don't belong together yet, or are half written, leave
 * in force what was read before. */
#include "client/lib_internal.h"

#include <stdio.h>
#include <string.h>

_Static_assert((int)IEUM_WHY_BYTES == (int)TLS_WHY_BYTES, "a reason's room");

static struct tls_files files_of(const struct ieum *c)
{
	return (struct tls_files){
		.cert = c->options.cert,
		.key = c->options.key,
		.ca = c->options.ca,
		.crl = c->options.crl,
		/* A list past its end still says who was revoked.  It is for the hub to insist on a
		 * new one; an agency with an old copy must not be cut off. */
		.crl_grace_s = INT64_MAX,
	};
}

static uint64_t sum_of_files(const struct ieum *c)
{
	const struct tls_files files = files_of(c);

	return tls_files_sum(&files);
}

bool lib_files_are_named(const struct ieum_options *options, char why[IEUM_WHY_BYTES])
{
	if (!options->cert || !options->key || !options->ca)
		snprintf(why, IEUM_WHY_BYTES, "options: cert, key and ca are required");
	else if (options->n_old_keys > IEUM_OLD_KEYS_MAX)
		snprintf(why, IEUM_WHY_BYTES, "options: too many old keys");
	else
		return true;
	return false;
}

static const char *own(struct arena *names, const char *text, bool *ok)
{
	const char *copy = text ? arena_copy(names, text, strlen(text) + 1) : NULL;

	*ok = *ok && (copy || !text);
	return copy;
}

bool lib_files_name(const struct ieum_options *from, struct ieum_options *to, struct arena *names)
{
	struct ieum_old_key *old_keys = arena_zalloc(names, sizeof *old_keys * IEUM_OLD_KEYS_MAX);
	bool ok = old_keys != NULL;

	to->cert = own(names, from->cert, &ok);
	to->key = own(names, from->key, &ok);
	to->ca = own(names, from->ca, &ok);
	to->crl = own(names, from->crl, &ok);
	for (size_t i = 0; ok && i < from->n_old_keys; i++)
		old_keys[i] = (struct ieum_old_key){ own(names, from->old_keys[i].cert, &ok),
						     own(names, from->old_keys[i].key, &ok) };
	to->old_keys = old_keys;
	to->n_old_keys = from->n_old_keys;
	return ok;
}

static enum ieum_err load(const struct ieum *c, struct tls **tls, struct ieum_keyring **keyring,
			  char why[IEUM_WHY_BYTES])
{
	const struct tls_files files = files_of(c);
	enum ieum_err err = tls_new(TLS_CLIENT, &files, tls, why);

	if (err)
		return err;
	err = ieum_keyring_new(&c->options, keyring, why);
	if (err) {
		tls_free(*tls);
		*tls = NULL;
	}
	return err;
}

enum ieum_err lib_files_read(struct ieum *c, char why[IEUM_WHY_BYTES])
{
	/* Before they are read: what changes meanwhile has changed since. */
	c->files_read = c->files_seen = sum_of_files(c);
	return load(c, &c->tls, &c->keyring, why);
}

static enum ieum_err renew(struct ieum *c, char why[IEUM_WHY_BYTES])
{
	struct ieum_keyring *keyring;
	struct tls *fresh;
	enum ieum_err err = load(c, &fresh, &keyring, why);

	if (err)
		return err;
	tls_free(c->tls);
	c->tls = fresh;
	keyring_renew(c->keyring, keyring);
	return IEUM_E_OK;
}

enum ieum_err ieum_use_files(struct ieum *c, const struct ieum_options *options,
			     char why[IEUM_WHY_BYTES])
{
	const struct ieum_options old = c->options;
	struct arena names;
	enum ieum_err err = IEUM_E_NO_MEMORY;

	if (!lib_files_are_named(options, why))
		return IEUM_E_FIELD_INVALID;
	arena_init(&names, LIB_FILE_NAMES_MAX_BYTES);
	snprintf(why, IEUM_WHY_BYTES, "%s", ieum_error(err)->text);
	if (lib_files_name(options, &c->options, &names)) {
		uint64_t sum = sum_of_files(c);

		err = renew(c, why);
		if (!err)
			c->files_read = c->files_seen = sum;
	}
	if (err) {
		c->options = old;
		arena_release(&names);
		return err;
	}
	arena_release(&c->file_names);
	c->file_names = names;
	if (c->state == LIB_DOWN)
		lib_connect_soon(c, 0);
	return IEUM_E_OK;
}

bool lib_files_changed(const struct ieum *c)
{
	return sum_of_files(c) != c->files_read;
}

static void read_again(struct ieum *c, uint64_t sum)
{
	char why[IEUM_WHY_BYTES];

	c->files_seen = sum;
	if (renew(c, why) == IEUM_E_OK)
		c->files_read = sum;
}

void lib_files_renew(struct ieum *c)
{
	uint64_t sum = sum_of_files(c);

	if (sum != c->files_read)
		read_again(c, sum);
}

void lib_files_look(struct ieum *c)
{
	uint64_t sum;

	if (c->files_looked_at)
		return;
	c->files_looked_at = true;
	sum = sum_of_files(c);
	/* What could not be used is not tried again until it changes, or a connection needs it. */
	if (sum != c->files_seen)
		read_again(c, sum);
}
