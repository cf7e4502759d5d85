/* libieum: our certificate, our key, whom we trust and who was revoked, while their files change; see
 * lib_internal.h.
 *
 * They are read whole or not at all: files that don't belong together yet, or are half written, leave
 * in force what was read before. */
#include "client/lib_internal.h"

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
	const struct tls_files files = files_of(c);

	/* Before they are read: what changes meanwhile has changed since. */
	c->files_read = c->files_seen = tls_files_sum(&files);
	return load(c, &c->tls, &c->keyring, why);
}

enum ieum_err ieum_reload_certificates(struct ieum *c, char why[IEUM_WHY_BYTES])
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

static void read_again(struct ieum *c, uint64_t sum)
{
	char why[IEUM_WHY_BYTES];

	c->files_seen = sum;
	if (ieum_reload_certificates(c, why) == IEUM_E_OK)
		c->files_read = sum;
}

void lib_files_renew(struct ieum *c)
{
	const struct tls_files files = files_of(c);
	uint64_t sum = tls_files_sum(&files);

	if (sum != c->files_read)
		read_again(c, sum);
}

void lib_files_look(struct ieum *c)
{
	const struct tls_files files = files_of(c);
	uint64_t sum;

	if (c->files_looked_at)
		return;
	c->files_looked_at = true;
	sum = tls_files_sum(&files);
	/* What could not be used is not tried again until it changes, or a connection needs it. */
	if (sum != c->files_seen)
		read_again(c, sum);
}
