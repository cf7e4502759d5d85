/* The outside of a sealed narrative part: a walk over its DER, by OpenSSL's reader of tags and
 * lengths.  Any thread. */
#include "proto/seal_der.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <string.h>

#include "proto/sha256.h"

/* One element: its header and its content, in place. */
struct element {
	const uint8_t *start;
	const uint8_t *content;
	size_t len; /* of the content */
	int tag;
	int class;
	bool constructed;
};

/* What has still to be read. */
struct reader {
	const uint8_t *at;
	size_t left;
};

static struct reader inside(const struct element *e)
{
	return (struct reader){ e->content, e->len };
}

static size_t whole(const struct element *e)
{
	return (size_t)(e->content - e->start) + e->len;
}

/* Tag and length in as few bytes as DER wants: two encodings of one thing would be two
 * recipients. */
static bool shortest(const struct element *e)
{
	return ASN1_object_size(e->constructed, (int)e->len, e->tag) == (int)whole(e);
}

static bool next(struct reader *r, struct element *e)
{
	long len = 0;

	if (r->left == 0 || r->left > INT32_MAX)
		return false;
	e->start = e->content = r->at;
	int form = ASN1_get_object(&e->content, &len, &e->tag, &e->class, (long)r->left);
	/* 0x80: not an element that ends in here; 1: of indefinite length */
	if (form & (0x80 | 1) || len < 0)
		return false;
	e->len = (size_t)len;
	e->constructed = form & V_ASN1_CONSTRUCTED;
	if (!shortest(e))
		return false;
	r->at += whole(e);
	r->left -= whole(e);
	return true;
}

static bool is(const struct element *e, int class, int tag, bool constructed)
{
	return e->class == class && e->tag == tag && e->constructed == constructed;
}

static bool take(struct reader *r, int class, int tag, bool constructed, struct element *e)
{
	return next(r, e) && is(e, class, tag, constructed);
}

static bool take_sequence(struct reader *r, struct element *e)
{
	return take(r, V_ASN1_UNIVERSAL, V_ASN1_SEQUENCE, true, e);
}

static bool take_octets(struct reader *r, struct element *e)
{
	return take(r, V_ASN1_UNIVERSAL, V_ASN1_OCTET_STRING, false, e);
}

/* An element with a tag of its context; false and untouched where another stands. */
static bool skip_context(struct reader *r, int tag, bool constructed)
{
	struct reader ahead = *r;
	struct element e;

	if (!take(&ahead, V_ASN1_CONTEXT_SPECIFIC, tag, constructed, &e))
		return false;
	*r = ahead;
	return true;
}

static bool take_version(struct reader *r)
{
	struct element e;

	return take(r, V_ASN1_UNIVERSAL, V_ASN1_INTEGER, false, &e) && e.len == 1;
}

static bool take_oid(struct reader *r, const uint8_t *oid, size_t len)
{
	struct element e;

	return take(r, V_ASN1_UNIVERSAL, V_ASN1_OBJECT, false, &e) && e.len == len &&
	       memcmp(e.content, oid, len) == 0;
}

/* ---- whom a RecipientInfo names ---------------------------------------------- */

static bool by_key_id(const struct element *id, struct seal_recipient *to)
{
	if (id->len == 0 || id->len > sizeof to->key_id)
		return false;
	to->by_key_id = true;
	to->key_id_len = id->len;
	memcpy(to->key_id, id->content, id->len);
	return true;
}

/* IssuerAndSerialNumber: the two lie side by side, so one digest covers both. */
static bool by_issuer_serial(const struct element *pair, struct seal_recipient *to)
{
	struct reader r = inside(pair);
	struct element issuer, serial;

	return take_sequence(&r, &issuer) &&
	       take(&r, V_ASN1_UNIVERSAL, V_ASN1_INTEGER, false, &serial) && r.left == 0 &&
	       sha256(pair->content, pair->len, to->issuer_serial);
}

/* KeyTransRecipientInfo (RFC 5652, 6.2.1). */
static bool read_transport(const struct element *info, struct seal_recipient *to)
{
	struct reader r = inside(info);
	struct element id, algorithm, key;

	*to = (struct seal_recipient){ 0 };
	if (!take_version(&r) || !next(&r, &id))
		return false;
	if (is(&id, V_ASN1_UNIVERSAL, V_ASN1_SEQUENCE, true)) {
		if (!by_issuer_serial(&id, to))
			return false;
	} else if (!is(&id, V_ASN1_CONTEXT_SPECIFIC, 0, false) || !by_key_id(&id, to)) {
		return false;
	}
	return take_sequence(&r, &algorithm) && take_octets(&r, &key) && r.left == 0;
}

/* RecipientEncryptedKey (RFC 5652, 6.2.2). */
static bool read_agreed_key(const struct element *one, struct seal_recipient *to)
{
	struct reader r = inside(one);
	struct element id, key;

	*to = (struct seal_recipient){ 0 };
	if (!next(&r, &id))
		return false;
	if (is(&id, V_ASN1_UNIVERSAL, V_ASN1_SEQUENCE, true)) {
		if (!by_issuer_serial(&id, to))
			return false;
	} else {
		struct reader named = inside(&id);
		struct element key_id;

		if (!is(&id, V_ASN1_CONTEXT_SPECIFIC, 0, true) || !take_octets(&named, &key_id) ||
		    !by_key_id(&key_id, to))
			return false;
	}
	return take_octets(&r, &key) && r.left == 0;
}

/* A list of recipients that fills up. */
struct recipients {
	struct seal_recipient *list;
	size_t max;
	size_t n;
};

static enum ieum_err add(struct recipients *to, const struct seal_recipient *one)
{
	if (to->n == to->max)
		return IEUM_E_FIELD_TOO_LARGE;
	to->list[to->n++] = *one;
	return IEUM_E_OK;
}

/* KeyAgreeRecipientInfo (RFC 5652, 6.2.2): one sender's key, any number of recipients. */
static enum ieum_err read_agreement(const struct element *info, struct recipients *to)
{
	struct reader r = inside(info);
	struct element originator, algorithm, keys, one;
	struct seal_recipient named;

	if (!take_version(&r) || !take(&r, V_ASN1_CONTEXT_SPECIFIC, 0, true, &originator))
		return IEUM_E_NOT_SEALED;
	(void)skip_context(&r, 1, true); /* user keying material */
	if (!take_sequence(&r, &algorithm) || !take_sequence(&r, &keys) || r.left > 0 ||
	    keys.len == 0)
		return IEUM_E_NOT_SEALED;
	for (r = inside(&keys); r.left > 0;) {
		if (!take_sequence(&r, &one) || !read_agreed_key(&one, &named))
			return IEUM_E_NOT_SEALED;
		enum ieum_err err = add(to, &named);
		if (err)
			return err;
	}
	return IEUM_E_OK;
}

static enum ieum_err read_info(const struct element *info, struct recipients *to)
{
	struct seal_recipient named;

	if (is(info, V_ASN1_CONTEXT_SPECIFIC, 1, true))
		return read_agreement(info, to);
	if (!is(info, V_ASN1_UNIVERSAL, V_ASN1_SEQUENCE, true) || !read_transport(info, &named))
		return IEUM_E_NOT_SEALED;
	return add(to, &named);
}

static enum ieum_err read_one_info(const uint8_t *info, size_t len, struct seal_recipient *out,
				   size_t max, size_t *n)
{
	struct reader r = { info, len };
	struct recipients to = { out, max, 0 };
	struct element e;

	if (len > SEAL_INFO_BYTES_MAX || !next(&r, &e) || r.left > 0)
		return IEUM_E_NOT_SEALED;
	enum ieum_err err = read_info(&e, &to);
	*n = to.n;
	return err;
}

/* OpenSSL notes an error for what is no element; nobody is to find it. */
enum ieum_err seal_info_recipients(const uint8_t *info, size_t len, struct seal_recipient *out,
				   size_t max, size_t *n)
{
	ERR_set_mark();
	enum ieum_err err = read_one_info(info, len, out, max, n);
	ERR_pop_to_mark();
	return err;
}

/* ---- the CMS around them ------------------------------------------------------ */

/* A sealed part, taken apart as far as the splice needs it. */
struct envelope {
	struct element type;    /* contentType of the ContentInfo */
	struct element version; /* of the AuthEnvelopedData: what stands before the infos … */
	struct element infos;   /* SET OF RecipientInfo */
	struct reader rest;     /* … and behind them */
};

/* EncryptedContentInfo with AES-256-GCM (RFC 5084, 3.2) and its content. */
static bool content_is_gcm(struct reader *r)
{
	static const uint8_t aes256_gcm[] = {
		0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2e
	};
	struct element info, type, algorithm, parameters, nonce, content;

	if (!take_sequence(r, &info))
		return false;
	struct reader in = inside(&info);
	if (!take(&in, V_ASN1_UNIVERSAL, V_ASN1_OBJECT, false, &type) ||
	    !take_sequence(&in, &algorithm) ||
	    !take(&in, V_ASN1_CONTEXT_SPECIFIC, 0, false, &content) || in.left > 0)
		return false;
	in = inside(&algorithm);
	if (!take_oid(&in, aes256_gcm, sizeof aes256_gcm) || !take_sequence(&in, &parameters) ||
	    in.left > 0)
		return false;
	in = inside(&parameters);
	return take_octets(&in, &nonce) && nonce.len > 0;
}

static bool open_envelope(const uint8_t *cms, size_t len, struct envelope *to)
{
	static const uint8_t auth_enveloped[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
						  0x01, 0x09, 0x10, 0x01, 0x17 };
	struct reader r = { cms, len };
	struct element info, wrapped, data, mac;

	if (!take_sequence(&r, &info) || r.left > 0)
		return false;
	r = inside(&info);
	struct reader oid = r;
	if (!next(&r, &to->type) || !take_oid(&oid, auth_enveloped, sizeof auth_enveloped) ||
	    !take(&r, V_ASN1_CONTEXT_SPECIFIC, 0, true, &wrapped) || r.left > 0)
		return false;
	r = inside(&wrapped);
	if (!take_sequence(&r, &data) || r.left > 0)
		return false;
	r = inside(&data);
	/* No originatorInfo: with recipients as we take them there is nothing to say in it. */
	if (!take(&r, V_ASN1_UNIVERSAL, V_ASN1_INTEGER, false, &to->version) ||
	    to->version.len != 1 || to->version.content[0] != 0 ||
	    !take(&r, V_ASN1_UNIVERSAL, V_ASN1_SET, true, &to->infos))
		return false;
	to->rest = r;
	if (!content_is_gcm(&r))
		return false;
	(void)skip_context(&r, 1, true); /* authenticated attributes */
	if (!take_octets(&r, &mac) || mac.len != 16)
		return false;
	(void)skip_context(&r, 2, true); /* attributes that are not */
	return r.left == 0;
}

static enum ieum_err read_recipients(const uint8_t *cms, size_t len, struct seal_recipient *out,
				     size_t max, size_t *n)
{
	struct recipients to = { out, max, 0 };
	struct envelope envelope;
	struct element info;

	*n = 0;
	if (!open_envelope(cms, len, &envelope) || envelope.infos.len == 0)
		return IEUM_E_NOT_SEALED;
	for (struct reader r = inside(&envelope.infos); r.left > 0;) {
		if (!next(&r, &info))
			return IEUM_E_NOT_SEALED;
		enum ieum_err err = read_info(&info, &to);
		if (err)
			return err;
	}
	*n = to.n;
	return IEUM_E_OK;
}

enum ieum_err seal_recipients(const uint8_t *cms, size_t len, struct seal_recipient *out,
			      size_t max, size_t *n)
{
	ERR_set_mark();
	enum ieum_err err = read_recipients(cms, len, out, max, n);
	ERR_pop_to_mark();
	return err;
}

/* ---- adding to them ------------------------------------------------------------ */

/* RecipientInfos in the order of DER (X.690, 11.6). */
struct infos {
	struct seal_bytes list[SEAL_RECIPIENTS_MAX];
	size_t n;
	size_t bytes;
};

/* No element is the beginning of another, so the shorter one needs no padding. */
static int compare(const struct seal_bytes *a, const struct seal_bytes *b)
{
	int order = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

static enum ieum_err insert(struct infos *to, const struct seal_bytes *one)
{
	size_t at = to->n;

	while (at > 0 && compare(&to->list[at - 1], one) > 0)
		at--;
	if (at > 0 && compare(&to->list[at - 1], one) == 0)
		return IEUM_E_OK;
	if (to->n == SEAL_RECIPIENTS_MAX)
		return IEUM_E_FIELD_TOO_LARGE;
	memmove(&to->list[at + 1], &to->list[at], (to->n - at) * sizeof to->list[0]);
	to->list[at] = *one;
	to->n++;
	to->bytes += one->len;
	return IEUM_E_OK;
}

static enum ieum_err insert_own(struct infos *to, const struct envelope *envelope)
{
	struct element info;

	for (struct reader r = inside(&envelope->infos); r.left > 0;) {
		if (!next(&r, &info))
			return IEUM_E_NOT_SEALED;
		struct seal_bytes one = { info.start, whole(&info) };
		enum ieum_err err = insert(to, &one);
		if (err)
			return err;
	}
	return IEUM_E_OK;
}

static enum ieum_err insert_added(struct infos *to, const struct seal_bytes *infos, size_t n)
{
	struct seal_recipient named[SEAL_RECIPIENTS_MAX];
	size_t count;

	for (size_t i = 0; i < n; i++) {
		enum ieum_err err = read_one_info(infos[i].data, infos[i].len, named,
						  SEAL_RECIPIENTS_MAX, &count);
		if (!err)
			err = insert(to, &infos[i]);
		if (err)
			return err;
	}
	return IEUM_E_OK;
}

static uint8_t *put(uint8_t *at, const uint8_t *bytes, size_t n)
{
	memcpy(at, bytes, n);
	return at + n;
}

static size_t sized(size_t content, int tag)
{
	return (size_t)ASN1_object_size(1, (int)content, tag);
}

/* Headers and lengths from the outside in; what they hold is copied as it was. */
static enum ieum_err write_envelope(const struct envelope *from, const struct infos *infos,
				    struct buf *out)
{
	size_t set = sized(infos->bytes, V_ASN1_SET);
	size_t data = whole(&from->version) + set + from->rest.left;
	size_t wrapped = sized(data, V_ASN1_SEQUENCE);
	size_t info = whole(&from->type) + sized(wrapped, 0);
	size_t total = sized(info, V_ASN1_SEQUENCE);
	if (buf_len(out) + total > out->max)
		return IEUM_E_FIELD_TOO_LARGE;
	uint8_t *at = buf_reserve(out, total);

	if (!at)
		return IEUM_E_NO_MEMORY;
	ASN1_put_object(&at, 1, (int)info, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	at = put(at, from->type.start, whole(&from->type));
	ASN1_put_object(&at, 1, (int)wrapped, 0, V_ASN1_CONTEXT_SPECIFIC);
	ASN1_put_object(&at, 1, (int)data, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	at = put(at, from->version.start, whole(&from->version));
	ASN1_put_object(&at, 1, (int)infos->bytes, V_ASN1_SET, V_ASN1_UNIVERSAL);
	for (size_t i = 0; i < infos->n; i++)
		at = put(at, infos->list[i].data, infos->list[i].len);
	put(at, from->rest.at, from->rest.left);
	buf_commit(out, total);
	return IEUM_E_OK;
}

static enum ieum_err splice(const uint8_t *cms, size_t len, const struct seal_bytes *added,
			    size_t n, struct buf *out)
{
	struct infos infos = { .n = 0 };
	struct envelope envelope;

	if (!open_envelope(cms, len, &envelope))
		return IEUM_E_NOT_SEALED;
	enum ieum_err err = insert_own(&infos, &envelope);
	if (!err)
		err = insert_added(&infos, added, n);
	return err ? err : write_envelope(&envelope, &infos, out);
}

enum ieum_err seal_splice(const uint8_t *cms, size_t len, const struct seal_bytes *infos, size_t n,
			  struct buf *out)
{
	ERR_set_mark();
	enum ieum_err err = splice(cms, len, infos, n, out);
	ERR_pop_to_mark();
	return err;
}

static bool has(const struct infos *infos, const struct seal_bytes *one)
{
	for (size_t i = 0; i < infos->n; i++)
		if (compare(&infos->list[i], one) == 0)
			return true;
	return false;
}

static enum ieum_err find_new(const struct seal_bytes *before, const struct seal_bytes *after,
			      struct seal_bytes *out, size_t max, size_t *n)
{
	struct infos old = { .n = 0 }, now = { .n = 0 };
	struct envelope envelope;

	*n = 0;
	if (!open_envelope(before->data, before->len, &envelope) || insert_own(&old, &envelope))
		return IEUM_E_NOT_SEALED;
	if (!open_envelope(after->data, after->len, &envelope) || insert_own(&now, &envelope))
		return IEUM_E_NOT_SEALED;
	for (size_t i = 0; i < now.n; i++) {
		if (has(&old, &now.list[i]))
			continue;
		if (*n == max)
			return IEUM_E_FIELD_TOO_LARGE;
		out[(*n)++] = now.list[i];
	}
	return IEUM_E_OK;
}

enum ieum_err seal_new_recipients(const struct seal_bytes *before, const struct seal_bytes *after,
				  struct seal_bytes *out, size_t max, size_t *n)
{
	ERR_set_mark();
	enum ieum_err err = find_new(before, after, out, max, n);
	ERR_pop_to_mark();
	return err;
}
