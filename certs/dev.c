/* `ieum-certs dev`: everything that a hub and its participants need to talk. */
#include "certs/commands.h"

#include <arpa/inet.h>
#include <string.h>

enum { SAN_BYTES = 8192, DAY_S = 24 * 60 * 60, FILE_NAME_BYTES = 256 };

static void tell(FILE *out, const char *name, enum stored what)
{
	fprintf(out, "%s %s.crt\n", what == STORED_NEW ? "made" : "kept", name);
}

static struct wish leaf_wish(const struct dev_options *options)
{
	return (struct wish){
		.not_before_s = options->now_s - CERTS_BACKDATE_S,
		.not_after_s = options->now_s + (int64_t)options->days * DAY_S,
	};
}

/* Appends ",DNS:host" or ",IP:host"; only bytes that can't end the entry are let in. */
static enum ieum_err add_host(char san[SAN_BYTES], const char *host, char why[CERTS_WHY_BYTES])
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		".:-*";
	struct in6_addr literal;
	size_t n = strlen(san);
	bool is_ip =
		inet_pton(AF_INET, host, &literal) == 1 || inet_pton(AF_INET6, host, &literal) == 1;

	if (!*host || host[strspn(host, allowed)] || (!is_ip && strchr(host, ':')) ||
	    n + strlen(host) + 8 > SAN_BYTES) {
		snprintf(why, CERTS_WHY_BYTES, "%.200s: neither a host name nor an address", host);
		return IEUM_E_FIELD_INVALID;
	}
	snprintf(san + n, SAN_BYTES - n, ",%s:%s", is_ip ? "IP" : "DNS", host);
	return IEUM_E_OK;
}

static enum ieum_err make_hub(struct store *store, const struct hub_file *hub,
			      const struct dev_options *options, FILE *out,
			      char why[CERTS_WHY_BYTES])
{
	char san[SAN_BYTES];
	struct wish wish = leaf_wish(options);
	enum stored what;

	snprintf(san, sizeof san, "URI:spiffe://%s/hub/%.63s,DNS:localhost,IP:127.0.0.1,IP:::1",
		 hub->hub, hub->hub);
	for (size_t i = 0; i < options->hosts_n; i++) {
		enum ieum_err err = add_host(san, options->hosts[i], why);
		if (err)
			return err;
	}
	wish.cn = hub->hub;
	wish.san = san;
	wish.usage = "serverAuth";
	enum ieum_err err = store_issue(store, store, "hub", &wish, &what, why);
	if (!err)
		tell(out, "hub", what);
	return err;
}

static enum ieum_err make_participant(struct store *store, const struct hub_file *hub,
				      const struct hub_participant *participant, const char *actor,
				      const char *file, const struct dev_options *options,
				      FILE *out, char why[CERTS_WHY_BYTES])
{
	char san[TLS_IDENTITY_MAX_BYTES + 64];
	struct wish wish = leaf_wish(options);
	enum stored what;

	int n = snprintf(san, sizeof san, "URI:spiffe://%s/%s/%s", hub->hub, participant->kind,
			 participant->name);
	if (n - 4 > TLS_IDENTITY_MAX_BYTES) {
		snprintf(why, CERTS_WHY_BYTES, "%s: its URI would be over %d bytes",
			 participant->name, TLS_IDENTITY_MAX_BYTES);
		return IEUM_E_FIELD_TOO_LARGE;
	}
	wish.cn = actor;
	wish.san = san;
	wish.usage = "clientAuth";
	enum ieum_err err = store_issue(store, store, file, &wish, &what, why);
	if (!err)
		tell(out, file, what);
	return err;
}

static const struct hub_participant *find(const struct hub_file *hub, const char *name, size_t n)
{
	for (size_t i = 0; i < hub->n; i++)
		if (strlen(hub->participants[i].name) == n &&
		    memcmp(hub->participants[i].name, name, n) == 0)
			return &hub->participants[i];
	return NULL;
}

/* "gimpo-ps=desk-2": participants/gimpo-ps.desk-2.crt with CN desk-2. */
static enum ieum_err make_actor(struct store *store, const struct hub_file *hub, const char *spec,
				const struct dev_options *options, FILE *out,
				char why[CERTS_WHY_BYTES])
{
	char file[FILE_NAME_BYTES];
	const char *equals = strchr(spec, '=');
	const struct hub_participant *participant =
		equals ? find(hub, spec, (size_t)(equals - spec)) : NULL;

	if (!participant || !equals[1] || strlen(equals + 1) > TLS_ACTOR_MAX_BYTES ||
	    strpbrk(equals + 1, "/\t\n")) {
		snprintf(why, CERTS_WHY_BYTES,
			 "%.200s: not <participant of the hub file>=<label of 1 to %d bytes>", spec,
			 TLS_ACTOR_MAX_BYTES);
		return IEUM_E_FIELD_INVALID;
	}
	snprintf(file, sizeof file, "participants/%s.%s", participant->name, equals + 1);
	return make_participant(store, hub, participant, equals + 1, file, options, out, why);
}

static enum ieum_err make_first_actor(struct store *store, const struct hub_file *hub,
				      const struct hub_participant *participant,
				      const struct dev_options *options, FILE *out,
				      char why[CERTS_WHY_BYTES])
{
	char file[FILE_NAME_BYTES], actor[TLS_LABEL_MAX_BYTES + 3];

	/* X.520 ends a CN at 64 characters; a label has at most 63. */
	snprintf(actor, sizeof actor, "%.62s-1", participant->name);
	snprintf(file, sizeof file, "participants/%s", participant->name);
	return make_participant(store, hub, participant, actor, file, options, out, why);
}

enum ieum_err certs_dev(struct store *store, const struct hub_file *hub,
			const struct dev_options *options, FILE *out, char why[CERTS_WHY_BYTES])
{
	enum stored what;
	char cn[TLS_LABEL_MAX_BYTES + 1];

	if (options->ca_name)
		snprintf(cn, sizeof cn, "%s", options->ca_name);
	else
		snprintf(cn, sizeof cn, "%.40s development CA", hub->hub);
	enum ieum_err err =
		store_ca_load_or_make(store, cn, options->now_s, CERTS_CA_DAYS, &what, why);
	if (err)
		return err;
	tell(out, "ca", what);
	err = make_hub(store, hub, options, out, why);
	for (size_t i = 0; !err && i < hub->n; i++)
		err = make_first_actor(store, hub, &hub->participants[i], options, out, why);
	for (size_t i = 0; !err && i < options->actors_n; i++)
		err = make_actor(store, hub, options->actors[i], options, out, why);
	return err ? err : store_write_crl(store, options->now_s, options->days, why);
}
