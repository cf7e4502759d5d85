/* Council key files; see council_key.h. */
#include "client/council_key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "yaml/yaml_doc.h"
#include "yaml/yaml_read.h"

/* ---- reading ---- */

/* Reads the whole of an open file; the descriptor stays the caller's. */
static enum ieum_err read_file(int fd, char bytes[COUNCIL_FILE_BYTES_MAX + 1], size_t *n)
{
	ssize_t got;

	*n = 0;
	do {
		got = read(fd, bytes + *n, COUNCIL_FILE_BYTES_MAX + 1 - *n);
		if (got > 0)
			*n += (size_t)got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	return got < 0 ? IEUM_E_FILE_UNREADABLE : IEUM_E_OK;
}

/* The permissions are those of the file that is read, whatever its name stands for meanwhile. */
static enum ieum_err read_own_file(const char *path, struct yaml_diag *diag,
				   char bytes[COUNCIL_FILE_BYTES_MAX + 1], size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum ieum_err err = IEUM_E_OK;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0) {
		err = IEUM_E_FILE_UNREADABLE;
	} else if (!S_ISREG(st.st_mode)) {
		yaml_diag_add(diag, path, 0, 0, "not a file");
		err = IEUM_E_FILE_INVALID;
	} else if (st.st_mode & (S_IRWXG | S_IRWXO)) {
		yaml_diag_add(diag, path, 0, 0,
			      "others than its owner can get at this key; chmod 600, and if they "
			      "may have read it, make a new epoch");
		err = IEUM_E_FILE_INVALID;
	} else {
		err = read_file(fd, bytes, n);
	}
	if (err == IEUM_E_FILE_UNREADABLE)
		yaml_diag_add(diag, path, 0, 0, "cannot be read: %s", strerror(errno));
	if (!err && *n > COUNCIL_FILE_BYTES_MAX) {
		yaml_diag_add(diag, path, 0, 0, "larger than %d bytes", COUNCIL_FILE_BYTES_MAX);
		err = IEUM_E_FILE_INVALID;
	}
	if (fd >= 0)
		close(fd);
	return err;
}

/* 32 bytes in the one base64 text that stands for them. */
static bool key_from_text(const char *text, uint8_t key[COUNCIL_KEY_BYTES])
{
	uint8_t bytes[COUNCIL_KEY_BYTES + 1], again[COUNCIL_KEY_TEXT_BYTES];
	bool ok = strlen(text) == COUNCIL_KEY_TEXT_BYTES - 1 &&
		  EVP_DecodeBlock(bytes, (const uint8_t *)text, COUNCIL_KEY_TEXT_BYTES - 1) ==
			  COUNCIL_KEY_BYTES + 1;

	if (ok) {
		EVP_EncodeBlock(again, bytes, COUNCIL_KEY_BYTES);
		ok = memcmp(again, text, sizeof again) == 0;
		memcpy(key, bytes, COUNCIL_KEY_BYTES);
	}
	OPENSSL_cleanse(bytes, sizeof bytes);
	OPENSSL_cleanse(again, sizeof again);
	return ok;
}

static void read_key(const struct yaml_node *map, struct yaml_diag *diag, struct council_epoch *e)
{
	const struct yaml_node *node = yaml_require(map, "key", diag);
	const char *text = NULL;

	if (!node || !yaml_read_text(node, COUNCIL_FILE_BYTES_MAX, diag, &text))
		return;
	if (!key_from_text(text, e->key))
		yaml_mistake(diag, node, "not 32 bytes in base64");
}

static void read_day(const struct yaml_node *map, const char *key, struct yaml_diag *diag,
		     char out[COUNCIL_DAY_BYTES])
{
	const struct yaml_node *node = yaml_require(map, key, diag);
	int64_t days;

	if (node && yaml_read_date(node, diag, &days))
		snprintf(out, COUNCIL_DAY_BYTES, "%.10s", yaml_text(node));
}

static void read_epoch(const struct yaml_node *node, struct yaml_diag *diag,
		       struct ieum_council_key *key)
{
	static const char *const keys[] = { "epoch", "key", "from", "until", NULL };
	struct council_epoch *e = &key->epochs[key->n_epochs];
	const struct yaml_node *number;
	int64_t n = 0;

	if (!yaml_check_map(node, keys, diag) && yaml_kind(node) != YAML_MAP)
		return;
	number = yaml_require(node, "epoch", diag);
	if (number && yaml_read_int(number, 1, COUNCIL_EPOCH_MAX, diag, &n) && key->n_epochs > 0 &&
	    n <= e[-1].number)
		yaml_mistake(diag, number, "epochs are written in ascending order, each once");
	e->number = (uint8_t)n;
	read_key(node, diag, e);
	read_day(node, "from", diag, e->from);
	read_day(node, "until", diag, e->until);
	if (*e->from && *e->until && strcmp(e->until, e->from) < 0)
		yaml_mistake(diag, node, "it ends before it begins");
	key->n_epochs++;
}

static size_t valid_on(const struct ieum_council_key *key, const char *day)
{
	size_t n = 0;

	for (size_t i = 0; i < key->n_epochs; i++)
		n += strcmp(key->epochs[i].from, day) <= 0 &&
		     strcmp(day, key->epochs[i].until) <= 0;
	return n;
}

/* Is there a day on which more epochs are valid than there may be?  If so, it is the first of one. */
static bool too_many_on_a_day(const struct ieum_council_key *key)
{
	for (size_t i = 0; i < key->n_epochs; i++) {
		if (valid_on(key, key->epochs[i].from) > COUNCIL_EPOCHS_A_DAY_MAX)
			return true;
	}
	return false;
}

void council_key_read(const struct yaml_node *root, struct yaml_diag *diag,
		      struct ieum_council_key *key)
{
	static const char *const keys[] = { "council", "epochs", NULL };
	const struct yaml_node *council, *epochs;
	const char *name = NULL;

	if (!yaml_check_map(root, keys, diag) && yaml_kind(root) != YAML_MAP)
		return;
	council = yaml_require(root, "council", diag);
	if (council && yaml_read_text(council, COUNCIL_NAME_BYTES_MAX, diag, &name))
		snprintf(key->council, sizeof key->council, "%s", name);
	epochs = yaml_require(root, "epochs", diag);
	if (!epochs || !yaml_check_seq(epochs, 1, COUNCIL_EPOCHS_MAX, diag))
		return;
	for (size_t i = 0; i < yaml_count(epochs); i++)
		read_epoch(yaml_at(epochs, i), diag, key);
	if (too_many_on_a_day(key))
		yaml_mistake(diag, epochs, "on one day at most %d epochs are valid",
			     COUNCIL_EPOCHS_A_DAY_MAX);
}

enum ieum_err council_key_load(const char *path, struct yaml_diag *diag,
			       struct ieum_council_key **out)
{
	struct ieum_council_key *key = calloc(1, sizeof *key);
	char *bytes = malloc(COUNCIL_FILE_BYTES_MAX + 1);
	struct yaml_doc *doc = NULL;
	size_t n = 0, mistakes = diag->count;
	enum ieum_err err = IEUM_E_NO_MEMORY;

	if (key && bytes)
		err = read_own_file(path, diag, bytes, &n);
	if (!err)
		err = yaml_doc_parse(path, bytes, n, diag, &doc);
	if (!err) {
		council_key_read(yaml_doc_root(doc), diag, key);
		err = diag->count > mistakes ? IEUM_E_FILE_INVALID : IEUM_E_OK;
	}
	yaml_doc_erase(doc);
	if (bytes)
		OPENSSL_cleanse(bytes, n);
	free(bytes);
	if (err)
		ieum_council_key_free(key);
	else
		*out = key;
	return err;
}

enum ieum_err ieum_council_key_load(const char *path, struct ieum_council_key **out,
				    char why[IEUM_WHY_BYTES])
{
	struct yaml_diag *diag = malloc(sizeof *diag);
	enum ieum_err err = IEUM_E_NO_MEMORY;

	why[0] = '\0';
	if (diag) {
		yaml_diag_init(diag);
		err = council_key_load(path, diag, out);
		if (err && diag->count > 0)
			snprintf(why, IEUM_WHY_BYTES, "%s", diag->mistakes[0].text);
	}
	free(diag);
	return err;
}

void ieum_council_key_free(struct ieum_council_key *key)
{
	if (!key)
		return;
	OPENSSL_cleanse(key, sizeof *key);
	free(key);
}

const char *ieum_council_key_council(const struct ieum_council_key *key)
{
	return key->council;
}

/* ---- writing ---- */

enum ieum_err council_key_add(struct ieum_council_key *key, int number, const char *from,
			      const char *until)
{
	struct council_epoch *e = &key->epochs[key->n_epochs];

	if (key->n_epochs == COUNCIL_EPOCHS_MAX)
		return IEUM_E_FIELD_TOO_LARGE;
	if (number < 1 || number > COUNCIL_EPOCH_MAX ||
	    (key->n_epochs > 0 && number <= e[-1].number))
		return IEUM_E_FIELD_INVALID;
	if (RAND_priv_bytes(e->key, sizeof e->key) != 1)
		return IEUM_E_INTERNAL;
	e->number = (uint8_t)number;
	snprintf(e->from, sizeof e->from, "%s", from);
	snprintf(e->until, sizeof e->until, "%s", until);
	key->n_epochs++;
	if (!too_many_on_a_day(key))
		return IEUM_E_OK;
	key->n_epochs--;
	OPENSSL_cleanse(e, sizeof *e);
	return IEUM_E_STATE_CONFLICT;
}

static bool print_key(const struct ieum_council_key *key, FILE *out)
{
	uint8_t text[COUNCIL_KEY_TEXT_BYTES];

	fputs("# Secret: with this key anybody can find out whom a token stands for.\n"
	      "# For the members of the council alone; never for the hub.\n",
	      out);
	fprintf(out, "council: \"");
	for (const char *c = key->council; *c; c++)
		fprintf(out, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
	fprintf(out, "\"\nepochs:\n");
	for (size_t i = 0; i < key->n_epochs; i++) {
		const struct council_epoch *e = &key->epochs[i];

		EVP_EncodeBlock(text, e->key, COUNCIL_KEY_BYTES);
		fprintf(out, "  - {epoch: %d, key: \"%s\", from: %s, until: %s}\n", e->number,
			(const char *)text, e->from, e->until);
	}
	OPENSSL_cleanse(text, sizeof text);
	return fflush(out) == 0 && !ferror(out);
}

/* Puts what a name stands for on the disk. */
static bool sync_folder(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd;
	bool ok;

	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
		 slash ? path : ".");
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

enum ieum_err council_key_write(const struct ieum_council_key *key, const char *path)
{
	char fresh[PATH_MAX], buffer[BUFSIZ];
	bool ok = false;
	FILE *out = NULL;
	int fd;

	if (snprintf(fresh, sizeof fresh, "%s.XXXXXX", path) >= (int)sizeof fresh) {
		errno = ENAMETOOLONG;
		return IEUM_E_FILE_UNREADABLE;
	}
	fd = mkostemp(fresh, O_CLOEXEC); /* mode 0600 */
	if (fd < 0)
		return IEUM_E_FILE_UNREADABLE;
	out = fdopen(fd, "w");
	if (out) {
		setvbuf(out, buffer, _IOFBF, sizeof buffer);
		ok = print_key(key, out) && fsync(fd) == 0;
		ok = fclose(out) == 0 && ok;
	} else {
		close(fd);
	}
	OPENSSL_cleanse(buffer, sizeof buffer);
	ok = ok && rename(fresh, path) == 0 && sync_folder(path);
	if (!ok) {
		int why = errno;

		unlink(fresh);
		errno = why;
	}
	return ok ? IEUM_E_OK : IEUM_E_FILE_UNREADABLE;
}
