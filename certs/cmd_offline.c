/* The commands of a city's authority: ca, sign, batch, due, revoke, crl. */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/arguments.h"
#include "certs/offline.h"

enum { DAY_S = 24 * 60 * 60 };

static struct offline_options options_of(const struct arguments *args)
{
	return (struct offline_options){
		.now_s = args->dev.now_s,
		.until_s = args->until_s ? args->until_s
					 : args->dev.now_s + (int64_t)args->dev.days * DAY_S,
		.within_days = args->within_days,
		.of_hub = args->of_hub,
	};
}

/* ---- the passphrase ---- */

/* The first line of the file that was named, if any. */
static enum ieum_err read_passphrase(struct arguments *args, struct store *store,
				     char why[CERTS_WHY_BYTES])
{
	if (!args->passphrase_file)
		return IEUM_E_OK;
	FILE *in = fopen(args->passphrase_file, "re");
	const char *line = in ? fgets(args->passphrase, sizeof args->passphrase, in) : NULL;
	if (!line)
		snprintf(why, CERTS_WHY_BYTES, "%.300s: %s", args->passphrase_file,
			 in ? "its first line has no passphrase" : strerror(errno));
	if (in)
		fclose(in);
	if (!line)
		return IEUM_E_FILE_UNREADABLE;
	args->passphrase[strcspn(args->passphrase, "\n")] = '\0';
	store->passphrase = args->passphrase;
	return IEUM_E_OK;
}

/* Typed twice on the terminal; empty: the key will not be encrypted. */
static enum ieum_err ask_passphrase(struct arguments *args, struct store *store,
				    char why[CERTS_WHY_BYTES])
{
	if (args->passphrase_file)
		return read_passphrase(args, store, why);
	if (EVP_read_pw_string(args->passphrase, sizeof args->passphrase,
			       "Passphrase for ca.key (empty: none): ", 1) != 0) {
		snprintf(why, CERTS_WHY_BYTES,
			 "no passphrase: there is no terminal, or the two differ; use "
			 "--passphrase-file");
		return IEUM_E_FILE_UNREADABLE;
	}
	store->passphrase = *args->passphrase ? args->passphrase : NULL;
	return IEUM_E_OK;
}

static enum ieum_err open_authority(struct arguments *args, struct store *store,
				    char why[CERTS_WHY_BYTES])
{
	enum ieum_err err = store_open(args->out, false, store, why);

	if (!err)
		err = read_passphrase(args, store, why);
	return err ? err : store_ca_load(store, why);
}

static int ended(struct arguments *args, struct store *store, enum ieum_err err, const char *why)
{
	store_close(store);
	OPENSSL_cleanse(args->passphrase, sizeof args->passphrase);
	return err ? complain(why) : EXIT_SUCCESS;
}

/* ---- the commands ---- */

int run_ca(struct arguments *args)
{
	char why[CERTS_WHY_BYTES];
	struct offline_options options = options_of(args);
	struct store store;

	if (args->name)
		return misused("ca needs --out only");
	enum ieum_err err = store_open(args->out, false, &store, why);
	if (!err)
		err = ask_passphrase(args, &store, why);
	if (!err)
		err = offline_ca(&store, args->cn ? args->cn : "ieum city CA", &options, why);
	return ended(args, &store, err, why);
}

int run_sign(struct arguments *args, bool batch)
{
	static struct yaml_diag diag;
	char why[CERTS_WHY_BYTES];
	struct offline_options options = options_of(args);
	struct hub_file hub;
	struct store store;
	size_t refused = 0;

	if (!args->hub_file || batch != (args->requests != NULL) || batch == (args->name != NULL))
		return misused(batch ? "batch needs --requests, --hub-file and --out"
				     : "sign needs REQUEST, --hub-file and --out");
	yaml_diag_init(&diag);
	enum ieum_err err = hub_file_load(args->hub_file, &hub, &diag);
	if (err) {
		yaml_diag_print(&diag, stderr);
		return complain(ieum_error((int)err)->text);
	}
	err = open_authority(args, &store, why);
	if (!err && batch)
		err = offline_batch(&store, &hub, args->requests, &options, stdout, &refused, why);
	else if (!err)
		err = offline_sign(&store, &hub, args->name, &options, stdout, why);
	hub_file_release(&hub);
	int code = ended(args, &store, err, why);
	return refused ? EXIT_FAILURE : code;
}

int run_due(struct arguments *args)
{
	char why[CERTS_WHY_BYTES];
	struct offline_options options = options_of(args);
	struct store store;

	if (args->name)
		return misused("due needs --out, and --within DAYS if any");
	enum ieum_err err = store_open(args->out, false, &store, why);
	if (!err)
		err = offline_due(&store, &options, stdout, why);
	return ended(args, &store, err, why);
}

int run_crl(struct arguments *args, bool revoke)
{
	char why[CERTS_WHY_BYTES];
	struct store store;

	if (revoke != (args->name != NULL))
		return misused(revoke ? "revoke needs NAME or SERIAL and --out"
				      : "crl needs --out only");
	enum ieum_err err = open_authority(args, &store, why);
	if (!err && revoke) {
		char inside[STORE_PATH_BYTES];
		snprintf(inside, sizeof inside, "participants/%.200s", args->name);
		enum revocation reason = args->stolen ? REVOKED_STOLEN : REVOKED_OUT_OF_USE;
		err = store_revoke(&store, inside, reason, args->dev.now_s, stdout, why);
		if (err == IEUM_E_FILE_INVALID)
			err = store_revoke(&store, args->name, reason, args->dev.now_s, stdout,
					   why);
	}
	if (!err)
		err = store_write_crl_until(&store, args->dev.now_s, options_of(args).until_s, why);
	if (!err)
		printf("signed %s/ca.crl: copy it to the hub, and to those who seal and open\n",
		       args->out);
	return ended(args, &store, err, why);
}
