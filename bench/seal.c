/* Measuring sealed narratives; see seal.h. */
#include "bench/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/seal.h"
#include "ieum/v1/frame.pb-c.h"

enum { PATH_BYTES = 512, TIMEOUT_MS = 10000, PEOPLE = 16, ROUND = 8 };

struct pair_paths {
	char cert[PATH_BYTES], key[PATH_BYTES], ca[PATH_BYTES];
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* recipient-0 to 7, then publisher-0 to 7. */
static void person(unsigned i, char name[32])
{
	snprintf(name, 32, "%s-%u", i < PEOPLE / 2 ? "recipient" : "publisher", i % (PEOPLE / 2));
}

static struct ieum_options options_of(const struct seal_bench_config *c, const char *name,
				      struct pair_paths *paths)
{
	snprintf(paths->cert, PATH_BYTES, "%s/participants/%s.crt", c->certificates, name);
	snprintf(paths->key, PATH_BYTES, "%s/participants/%s.key", c->certificates, name);
	snprintf(paths->ca, PATH_BYTES, "%s/ca.crt", c->certificates);
	return (struct ieum_options){ .addresses = &c->address,
				      .n_addresses = 1,
				      .server_name = "localhost",
				      .cert = paths->cert,
				      .key = paths->key,
				      .ca = paths->ca };
}

/* ---- on one core ---- */

struct desk {
	struct ieum_keyring *sender, *people[PEOPLE];
	Ieum__V1__SealedContent content;
	Ieum__V1__NarrativePart part;
	uint8_t id[IEUM_ID_BYTES];
	uint8_t *text;
	struct buf sealed;
};

static bool desk_open(struct desk *d, const struct seal_bench_config *c, char *why)
{
	struct pair_paths paths;
	struct ieum_options options;
	char name[32];

	for (unsigned i = 0; i < PEOPLE; i++) {
		person(i, name);
		options = options_of(c, name, &paths);
		if (ieum_keyring_new(&options, &d->people[i], why))
			return false;
	}
	options = options_of(c, "publisher-0", &paths);
	if (ieum_keyring_new(&options, &d->sender, why))
		return false;
	d->text = malloc(c->payload_bytes);
	if (!d->text)
		return false;
	memset(d->text, 'x', c->payload_bytes);
	ieum__v1__sealed_content__init(&d->content);
	ieum__v1__narrative_part__init(&d->part);
	d->content.message_id = (ProtobufCBinaryData){ sizeof d->id, d->id };
	d->content.number = d->part.number = 1;
	d->content.media_type = d->part.media_type = (char *)"text/plain";
	d->content.content = (ProtobufCBinaryData){ c->payload_bytes, d->text };
	buf_init(&d->sealed, (size_t)1 << 20);
	return true;
}

static void desk_close(struct desk *d)
{
	for (unsigned i = 0; i < PEOPLE; i++)
		ieum_keyring_free(d->people[i]);
	ieum_keyring_free(d->sender);
	buf_release(&d->sealed);
	free(d->text);
}

static bool seal_once(struct desk *d, unsigned recipients, char *why)
{
	X509 *to[PEOPLE];

	for (unsigned i = 0; i < recipients; i++)
		to[i] = keyring_certificate(d->people[i], 0);
	buf_consume(&d->sealed, buf_len(&d->sealed));
	return seal_make(d->sender, &d->content, to, recipients, &d->sealed, why) == IEUM_E_OK;
}

static bool open_once(struct desk *d, unsigned recipients, char *why)
{
	const struct seal_outside of = { .message_id = d->content.message_id,
					 .part = &d->part,
					 .sender = "publisher-0" };
	struct seal_inside inside;
	bool ok;

	d->part.content_case = IEUM__V1__NARRATIVE_PART__CONTENT_SEALED;
	d->part.sealed =
		(ProtobufCBinaryData){ buf_len(&d->sealed), (uint8_t *)buf_bytes(&d->sealed) };
	ok = seal_open(d->people[recipients - 1], &of, &inside, why) == IEUM_E_OK;
	seal_inside_free(&inside);
	return ok;
}

typedef bool once(struct desk *d, unsigned recipients, char *why);

/* So many a second; 0: it failed. */
static double rate(struct desk *d, once *what, unsigned recipients, double seconds, char *why)
{
	int64_t began = now_ns(), now = began;
	unsigned long n = 0;

	while ((double)(now - began) < seconds * 1e9) {
		for (int i = 0; i < ROUND; i++, n++) {
			if (!what(d, recipients, why))
				return 0;
		}
		now = now_ns();
	}
	return (double)n / ((double)(now - began) / 1e9);
}

static bool on_one_core(const struct seal_bench_config *c, struct seal_bench_result *out)
{
	static const unsigned recipients[SEAL_BENCH_SIZES] = { 1, 3, 10 };
	struct desk d = { 0 };
	bool ok = desk_open(&d, c, out->trouble);

	for (int i = 0; i < SEAL_BENCH_SIZES && ok; i++) {
		out->size[i].recipients = recipients[i];
		out->size[i].seals_per_s =
			rate(&d, seal_once, recipients[i], c->seconds, out->trouble);
		out->size[i].bytes = buf_len(&d.sealed);
		out->size[i].opens_per_s =
			rate(&d, open_once, recipients[i], c->seconds, out->trouble);
		ok = out->size[i].seals_per_s > 0 && out->size[i].opens_per_s > 0;
	}
	desk_close(&d);
	return ok;
}

/* ---- to a hub ---- */

static bool submit_once(struct ieum_blocking *b, const struct seal_bench_config *c,
			enum ieum_seal what, struct hist *took, char *trouble)
{
	Ieum__V1__Referral m = IEUM__V1__REFERRAL__INIT;
	Ieum__V1__Envelope e = IEUM__V1__ENVELOPE__INIT;
	Ieum__V1__LegalBasis basis = IEUM__V1__LEGAL_BASIS__INIT;
	Ieum__V1__ServiceReport report = IEUM__V1__SERVICE_REPORT__INIT;
	Ieum__V1__Addressee to = IEUM__V1__ADDRESSEE__INIT, *tos[] = { &to };
	Ieum__V1__NarrativePart part = IEUM__V1__NARRATIVE_PART__INIT, *parts[] = { &part };
	uint8_t *text = malloc(c->payload_bytes);
	int64_t began = now_ns();
	enum ieum_err err = IEUM_E_NO_MEMORY;

	if (text) {
		memset(text, 'x', c->payload_bytes);
		e.type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_SERVICE_REPORT;
		e.open_case = true;
		e.category = IEUM__V1__CATEGORY__CATEGORY_FAMILY_SUPPORT;
		basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_IMMINENT_DANGER;
		e.legal_basis = &basis;
		to.to_case = IEUM__V1__ADDRESSEE__TO_PARTICIPANT;
		to.participant = (char *)"recipient-0";
		e.addressees = tos;
		e.n_addressees = 1;
		part.media_type = (char *)"text/plain";
		part.content_case = IEUM__V1__NARRATIVE_PART__CONTENT_CLEAR;
		part.clear = (ProtobufCBinaryData){ c->payload_bytes, text };
		m.envelope = &e;
		m.body_case = IEUM__V1__REFERRAL__BODY_SERVICE_REPORT;
		m.service_report = &report;
		m.narrative = parts;
		m.n_narrative = 1;
		err = ieum_blocking_submit_sealed(b, &m, what, TIMEOUT_MS, NULL);
	}
	free(text);
	if (err)
		snprintf(trouble, 600, "a submit failed: %s", ieum_blocking_failure(b)->detail);
	else
		hist_add(took, now_ns() - began);
	return err == IEUM_E_OK;
}

/* Clear and sealed in turn, so that the disk treats both alike. */
static bool to_a_hub(const struct seal_bench_config *c, struct seal_bench_result *out)
{
	struct pair_paths paths;
	struct ieum_options options = options_of(c, "recipient-0", &paths);
	struct ieum_blocking *b = NULL;
	int64_t began;
	bool ok;

	/* The hub has seen its certificate. */
	if (ieum_blocking_open(&options, TIMEOUT_MS, &b, out->trouble))
		return false;
	ieum_blocking_close(b);
	options = options_of(c, "publisher-0", &paths);
	if (ieum_blocking_open(&options, TIMEOUT_MS, &b, out->trouble))
		return false;
	began = now_ns();
	do {
		ok = submit_once(b, c, IEUM_SEAL_NEEDED, &out->clear, out->trouble) &&
		     submit_once(b, c, IEUM_SEAL_ALL, &out->sealed, out->trouble);
	} while (ok && (double)(now_ns() - began) < c->seconds * 1e9);
	ieum_blocking_close(b);
	return ok;
}

bool seal_bench(const struct seal_bench_config *config, struct seal_bench_result *out)
{
	return on_one_core(config, out) && to_a_hub(config, out);
}
