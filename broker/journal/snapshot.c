/* Snapshots of the state: what makes a blob of bytes trustworthy enough to start from.
 *
 * A header goes before the caller's bytes (integers little-endian):
 *
 *   0   8  "IEUMSNAP"            40  32  root of that commit
 *   8   4  header format, 1      72   8  length of the bytes
 *   12  4  the caller's version  80  32  SHA-256 over header 0..80 and the bytes
 *   16  8  seq it was made at    112     the bytes
 *   24  8  reserved, 0
 *   32  8  size of the first commit that holds seq
 *
 * Size and root bind it to this journal's history: after a restored backup, a
 * snapshot of the lost future is passed over. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "broker/journal/engine.h"

enum {
	HEADER_FORMAT = 1,
	HEADER_BYTES = 112,
	HEADER_HASHED = 80,
	SNAPSHOTS_LISTED = 16,
};

static const char magic[8] = { 'I', 'E', 'U', 'M', 'S', 'N', 'A', 'P' };

struct snapshot_header {
	char magic[8];
	uint32_t format;
	uint32_t version;
	uint64_t seq;
	uint64_t reserved;
	uint64_t commit_size;
	uint8_t commit_root[MERKLE_HASH_BYTES];
	uint64_t body_len;
	uint8_t digest[MERKLE_HASH_BYTES];
};

_Static_assert(sizeof(struct snapshot_header) == HEADER_BYTES, "a stored layout has no padding");
_Static_assert(offsetof(struct snapshot_header, digest) == HEADER_HASHED,
	       "the digest covers all before it");

static enum ieum_err digest(const struct snapshot_header *h, const void *body, size_t len,
			    uint8_t out[MERKLE_HASH_BYTES])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) &&
		  EVP_DigestUpdate(ctx, h, HEADER_HASHED) && EVP_DigestUpdate(ctx, body, len) &&
		  EVP_DigestFinal_ex(ctx, out, NULL);

	EVP_MD_CTX_free(ctx);
	return ok ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

enum ieum_err journal_snapshot_put(struct journal *j, uint64_t seq, uint32_t version,
				   const void *bytes, size_t len)
{
	struct snapshot_header h = { .format = htole32(HEADER_FORMAT),
				     .version = htole32(version),
				     .seq = htole64(seq),
				     .body_len = htole64(len) };
	struct journal_commit commit;
	enum ieum_err err = journal_refresh(j);

	if (err)
		return err;
	if (seq == 0 || seq > j->last.size)
		return IEUM_E_FIELD_INVALID;
	if (len > JOURNAL_SNAPSHOT_BYTES_MAX)
		return IEUM_E_FIELD_TOO_LARGE;
	err = j->engine->commit_from(j->store, seq, &commit);
	if (err)
		return err;
	memcpy(h.magic, magic, sizeof magic);
	h.commit_size = htole64(commit.size);
	memcpy(h.commit_root, commit.root.bytes, sizeof h.commit_root);
	err = digest(&h, bytes, len, h.digest);
	if (err)
		return err;
	return j->engine->snapshot_put(j->store, seq, &h, sizeof h, bytes, len);
}

/* Why a blob cannot be used, NULL when it can. */
static const char *objection(struct journal *j, uint64_t seq, uint32_t version, const uint8_t *blob,
			     size_t len)
{
	struct snapshot_header h;
	struct journal_commit commit;
	uint8_t sum[MERKLE_HASH_BYTES];

	if (len < sizeof h)
		return "it is cut short";
	memcpy(&h, blob, sizeof h);
	if (memcmp(h.magic, magic, sizeof magic) != 0)
		return "it is not a snapshot";
	if (le32toh(h.format) != HEADER_FORMAT)
		return "its format is unknown";
	if (le64toh(h.body_len) != len - sizeof h)
		return "its length is wrong";
	if (digest(&h, blob + sizeof h, len - sizeof h, sum) ||
	    memcmp(sum, h.digest, sizeof sum) != 0)
		return "its checksum is wrong";
	if (le64toh(h.seq) != seq)
		return "its name and content differ";
	if (le32toh(h.version) != version)
		return "it holds another version of the state";
	if (seq > j->last.size || j->engine->commit_from(j->store, seq, &commit) ||
	    commit.size != le64toh(h.commit_size) ||
	    memcmp(commit.root.bytes, h.commit_root, sizeof sum) != 0)
		return "it belongs to another history";
	return NULL;
}

enum ieum_err journal_snapshot_get(struct journal *j, uint32_t version, uint64_t *seq,
				   uint8_t **bytes, size_t *len)
{
	uint64_t seqs[SNAPSHOTS_LISTED];
	size_t n = 0;
	enum ieum_err err = j->engine->snapshot_list(j->store, seqs, SNAPSHOTS_LISTED, &n);

	*seq = 0;
	*bytes = NULL;
	*len = 0;
	for (size_t i = 0; !err && i < n; i++) {
		uint8_t *blob = NULL;
		size_t blob_len = 0;
		const char *why = "it cannot be read";

		if (!j->engine->snapshot_read(j->store, seqs[i], &blob, &blob_len))
			why = objection(j, seqs[i], version, blob, blob_len);
		if (!why) {
			*seq = seqs[i];
			*len = blob_len - HEADER_BYTES;
			memmove(blob, blob + HEADER_BYTES, *len);
			*bytes = blob;
			return IEUM_E_OK;
		}
		free(blob);
		journal_log(j->log_cb, j->log_ctx,
			    "journal: the snapshot at %llu is passed over: %s",
			    (unsigned long long)seqs[i], why);
	}
	return err;
}
