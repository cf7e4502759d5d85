/* index.txt: which certificates an authority has signed and which of them it revoked.
 *
 * One line each, tab-separated, as `openssl ca` keeps it: V or R, end of validity, moment of
 * revocation ("261122140000Z,keyCompromise"; a reason may be missing) or nothing, serial, file,
 * subject. */
#ifndef IEUM_CERTS_INDEX_H
#define IEUM_CERTS_INDEX_H

#include "certs/authority.h"

enum {
	INDEX_ROWS_MAX = 100000,
	INDEX_SERIAL_BYTES = 48,
	INDEX_FILE_BYTES = 320,
};

struct index_row {
	int64_t not_after_s;
	int64_t revoked_s;   /* 0 = in force */
	enum revocation why; /* of a revoked one */
	char serial[INDEX_SERIAL_BYTES];
	char file[INDEX_FILE_BYTES]; /* "participants/gimpo-ps.crt" */
};

struct index {
	struct index_row *rows;
	size_t n;
};

/* A file that is not there is an empty index. */
enum ieum_err index_load(const char *path, struct index *out,
			 char why[CERTS_WHY_BYTES]) IEUM_MUST_CHECK;
void index_release(struct index *index);
enum ieum_err index_add(struct index *index, const struct index_row *row) IEUM_MUST_CHECK;

/* The whole text of the file, to be freed; NULL: no memory. */
char *index_text(const struct index *index);

#endif
