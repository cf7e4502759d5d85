/* The profile file: where the hub is and who we are.
 *
 *     addresses: [hub-a.gimpo.example:7443, hub-b.gimpo.example:7443]
 *     ca: ca.crt                    # paths are relative to the profile's folder
 *     certificate: gimpo-ps.crt
 *     key: gimpo-ps.key
 *     server_name: hub.gimpo.ieum   # may be left out: the host of the address
 *     crl: ca.crl                   # may be left out: whom to seal to no more
 *     old_keys:                     # may be left out: still open what was sealed to them
 *       - {certificate: gimpo-ps-2025.crt, key: gimpo-ps-2025.key}
 *     identities:                   # may be left out: whose a certificate of another PKI is
 *       - {participant: gimpo-aid, key: "sha256:9f86…"}
 *       - {participant: gimpo-aid, issuer: "CN=Agency CA,O=National", subject: "CN=officer 7"}
 *     seal: all                     # or needed, the default: what hubs take only sealed
 *     wrap_keys: ask                # or auto, the default: newcomers get keys by themselves
 *     language: ko                  # may be left out: en or ko, else by the locale
 *     spool: gimpo-ps.spool         # may be left out: in the folder of states; none: without one
 *
 * Read whole, with every mistake and its line; never changes afterwards. */
#ifndef IEUM_CLIENT_PROFILE_H
#define IEUM_CLIENT_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "client/ieum.h"
#include "proto/error.h"
#include "proto/words.h"
#include "yaml/yaml_diag.h"

enum {
	PROFILE_ADDRESSES_MAX = 16,
	PROFILE_TEXT_MAX_BYTES = 1024, /* one address, name or path */
	PROFILE_PATH_BYTES = 4096,
};

struct profile {
	char *addresses[PROFILE_ADDRESSES_MAX];
	size_t n_addresses;
	char *ca;
	char *certificate;
	char *key;
	char *server_name; /* NULL: the host of the address */
	char *crl;         /* NULL: none */
	struct ieum_old_key old_keys[IEUM_OLD_KEYS_MAX];
	size_t n_old_keys;
	struct ieum_identity identities[IEUM_IDENTITIES_MAX];
	size_t n_identities;
	char *spool;        /* file; NULL: none, or not said (spool_place.h) */
	bool no_spool;      /* none is wanted */
	bool spool_missing; /* one is, but there is no place for it (spool_place.h) */
	bool seal_all;
	bool ask_to_wrap;
	bool has_language;
	enum words_lang language;
};

/* FILE_UNREADABLE, FILE_INVALID (every mistake in diag), NO_MEMORY.  The caller owns *out. */
enum ieum_err profile_load(const char *path, struct yaml_diag *diag,
			   struct profile **out) IEUM_MUST_CHECK;
void profile_free(struct profile *profile); /* takes NULL */

/* Only its language, before anything else of it is needed: true when the file is there and says one.
 * Its mistakes are told when it is read whole. */
bool profile_says_language(const char *path, enum words_lang *out);

/* Which file: `asked` (NULL: not asked), else $IEUM_PROFILE, else ieum/profile.yaml in the folder
 * of configurations.  FILE_UNREADABLE when there is no home to look in, FIELD_TOO_LARGE. */
enum ieum_err profile_path(const char *asked, char out[PROFILE_PATH_BYTES]) IEUM_MUST_CHECK;

#endif
