/* The key that the members of a council share and the hub never holds.
 *
 *     council: information-council-gimpo
 *     epochs:
 *       - {epoch: 1, key: "…32 bytes in base64…", from: 2026-01-01, until: 2027-03-31}
 *       - {epoch: 2, key: "…", from: 2027-01-01, until: 2028-03-31}
 *
 * An epoch is valid on the days `from` to `until`, both included.  Where two overlap, tokens are
 * made under both, so that what was sent before a rotation still meets what is sent after it.
 * The file belongs to its owner alone; the keys are erased from memory when the struct goes. */
#ifndef IEUM_CLIENT_COUNCIL_KEY_H
#define IEUM_CLIENT_COUNCIL_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "client/ieum_tokens.h"
#include "yaml/yaml_doc.h"

enum {
	COUNCIL_KEY_BYTES = 32,
	COUNCIL_KEY_TEXT_BYTES = 45,  /* of a key in base64, with its NUL */
	COUNCIL_NAME_BYTES_MAX = 128, /* without the NUL */
	COUNCIL_EPOCH_MAX = 255,      /* byte 1 of a token */
	COUNCIL_EPOCHS_MAX = 16,      /* in one file; the oldest can be taken out */
	COUNCIL_EPOCHS_A_DAY_MAX = 2, /* with every kind of token that an envelope has room for */
	COUNCIL_DAY_BYTES = 11,       /* "2026-03-01" */
	COUNCIL_FILE_BYTES_MAX = 64 * 1024,
};

struct council_epoch {
	uint8_t number;
	uint8_t key[COUNCIL_KEY_BYTES];
	char from[COUNCIL_DAY_BYTES], until[COUNCIL_DAY_BYTES]; /* such texts sort by time */
};

struct ieum_council_key {
	char council[COUNCIL_NAME_BYTES_MAX + 1];
	size_t n_epochs;
	struct council_epoch epochs[COUNCIL_EPOCHS_MAX]; /* by number */
};

/* Every mistake in diag.  FILE_UNREADABLE, FILE_INVALID, NO_MEMORY.  The caller owns *out. */
enum ieum_err council_key_load(const char *path, struct yaml_diag *diag,
			       struct ieum_council_key **out) IEUM_MUST_CHECK;

/* The same from a document, into an empty key; the mistakes are in diag. */
void council_key_read(const struct yaml_node *root, struct yaml_diag *diag,
		      struct ieum_council_key *key);

/* Adds an epoch with a new random key.  FIELD_TOO_LARGE: there are as many as there may be;
 * FIELD_INVALID: the number is not greater than the last; STATE_CONFLICT: three would be valid on
 * one day; INTERNAL: no random bytes. */
enum ieum_err council_key_add(struct ieum_council_key *key, int number, const char *from,
			      const char *until) IEUM_MUST_CHECK;

/* Writes the file anew, mode 0600; the old one stays whole until the new one is on the disk.
 * FILE_UNREADABLE with errno. */
enum ieum_err council_key_write(const struct ieum_council_key *key,
				const char *path) IEUM_MUST_CHECK;

#endif
