/* ieum cert: the key and its request at the agency; what a certificate says.  Needs no hub. */
#include <string.h>
#include <time.h>

#include "client/cert_request.h"
#include "client/command.h"
#include "client/json_out.h"
#include "client/link.h"
#include "client/render.h"
#include "client/trouble.h"
#include "client/when.h"

enum { LINE_BYTES = 1024 };

/* ---- request ---- */

/* Whom the request names: by options, else whoever the profile's certificate is of: a renewal. */
struct named {
	char hub[TLS_IDENTITY_MAX_BYTES + 1];
	char kind[TLS_LABEL_MAX_BYTES + 1];
	char participant[TLS_LABEL_MAX_BYTES + 1];
	char actor[4 * TLS_ACTOR_MAX_BYTES + 1];
};

static enum exit_code name_by_profile(struct invocation *inv, struct named *out)
{
	char why[CERT_WHY_BYTES];
	struct cert_facts facts;
	enum exit_code code = link_profile(inv);

	if (code)
		return code;
	enum ieum_err err = cert_read(inv->profile->certificate, &facts, why);
	if (err)
		return trouble(inv, err, why);
	if (!facts.id.uri[0])
		return trouble(inv, IEUM_E_FIELD_MISSING, say(inv, TEXT_CERT_NO_URI));
	snprintf(out->hub, sizeof out->hub, "%s", facts.id.hub);
	snprintf(out->kind, sizeof out->kind, "%s", facts.id.kind);
	snprintf(out->participant, sizeof out->participant, "%s", facts.id.name);
	snprintf(out->actor, sizeof out->actor, "%s", facts.id.actor);
	return EXIT_DONE;
}

static enum exit_code take(const struct invocation *inv, enum arguments_option option, char *out,
			   size_t room)
{
	const char *value = value_of(inv, option);

	if (!value && !*out)
		return trouble_usage(inv, TEXT_OPTION_MISSING, arguments_option_name(option));
	if (value && strlen(value) >= room)
		return trouble(inv, IEUM_E_FIELD_TOO_LARGE, arguments_option_name(option));
	if (value)
		snprintf(out, room, "%s", value);
	return EXIT_DONE;
}

static enum exit_code name(struct invocation *inv, struct named *out)
{
	static const enum arguments_option who[] = { OPTION_HUB, OPTION_KIND, OPTION_PARTICIPANT,
						     OPTION_NAME };
	bool any = false;
	enum exit_code code = EXIT_DONE;

	*out = (struct named){ .hub = "" };
	for (size_t i = 0; i < sizeof who / sizeof who[0]; i++)
		any |= given(inv, who[i]);
	if (!any)
		code = name_by_profile(inv, out);
	if (!code)
		code = take(inv, OPTION_HUB, out->hub, sizeof out->hub);
	if (!code)
		code = take(inv, OPTION_KIND, out->kind, sizeof out->kind);
	if (!code)
		code = take(inv, OPTION_PARTICIPANT, out->participant, sizeof out->participant);
	return code ? code : take(inv, OPTION_NAME, out->actor, sizeof out->actor);
}

static enum exit_code request(struct invocation *inv)
{
	char why[CERT_WHY_BYTES], line[LINE_BYTES];
	struct named who;
	enum exit_code code;

	if (inv->n_words > 1)
		return trouble_usage(inv, TEXT_WORD_TOO_MUCH, inv->words[1]);
	if (!given(inv, OPTION_OUT))
		return trouble_usage(inv, TEXT_OPTION_MISSING, arguments_option_name(OPTION_OUT));
	if ((code = name(inv, &who)))
		return code;
	const struct cert_wish wish = { .hub = who.hub,
					.kind = who.kind,
					.participant = who.participant,
					.actor = who.actor,
					.hosts = value_of(inv, OPTION_HOST) };
	const char *stem = value_of(inv, OPTION_OUT);
	enum ieum_err err = cert_request(stem, &wish, why);
	if (err == IEUM_E_FILE_EXISTS) {
		snprintf(line, sizeof line, say(inv, TEXT_CERT_THERE), why);
		return trouble(inv, err, line);
	}
	if (err)
		return trouble(inv, err, why);
	snprintf(line, sizeof line, "spiffe://%s/%s/%s", who.hub, who.kind, who.participant);
	if (inv->json)
		return json_out(inv,
				json_pack("{s:s, s:s, s:s+, s:s+}", "uri", line, "actor", who.actor,
					  "key", stem, ".key", "request", stem, ".csr"));
	fprintf(inv->out, say(inv, TEXT_CERT_REQUESTED), stem, line, who.actor, stem);
	fputc('\n', inv->out);
	return EXIT_DONE;
}

/* ---- show ---- */

static const char *uses(const struct invocation *inv, const struct cert_facts *f)
{
	return f->can_sign && f->can_be_sealed_to ? say(inv, TEXT_CERT_SIGNS_AND_SEALED)
	       : f->can_sign                      ? say(inv, TEXT_CERT_SIGNS)
						  : say(inv, TEXT_CERT_NO_USE);
}

static enum exit_code show_json(const struct invocation *inv, const struct cert_facts *f)
{
	return json_out(inv, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:b}",
				       "uri", f->id.uri, "actor", f->id.actor, "serial",
				       f->id.serial, "issuer", f->issuer, "subject", f->subject,
				       "key", f->key_type, "key_sha256", f->key_pin, "begins_at_ms",
				       (json_int_t)f->begins_at_ms, "ends_at_ms",
				       (json_int_t)f->ends_at_ms, "signs", f->can_sign,
				       "can_be_sealed_to", f->can_be_sealed_to));
}

static enum exit_code show(struct invocation *inv)
{
	char why[CERT_WHY_BYTES], begins[WHEN_BYTES], ends[WHEN_BYTES];
	struct cert_facts f;
	struct sheet s;

	if (inv->n_words < 2) {
		enum exit_code code = link_profile(inv);
		if (code)
			return code;
	}
	enum ieum_err err =
		cert_read(inv->n_words < 2 ? inv->profile->certificate : inv->words[1], &f, why);
	if (err)
		return trouble(inv, err, why);
	if (inv->json)
		return show_json(inv, &f);
	sheet_begin(&s, inv);
	sheet_plain_column(&s, TABLE_LEFT);
	sheet_plain_column(&s, TABLE_LEFT);
	sheet_field(&s, TEXT_CERT_URI, f.id.uri);
	sheet_field(&s, TEXT_ACTOR, f.id.actor);
	sheet_field(&s, TEXT_CERT_BEGINS, when_time(f.begins_at_ms, begins));
	sheet_field(&s, TEXT_ENDS, when_time(f.ends_at_ms, ends));
	sheet_field(&s, TEXT_CERT_ISSUER, f.issuer);
	sheet_field(&s, TEXT_CERT_SUBJECT, f.subject);
	sheet_field(&s, TEXT_CERT_SERIAL, f.id.serial);
	sheet_field(&s, TEXT_CERT_KEY, f.key_type);
	sheet_field(&s, TEXT_CERT_PIN, f.key_pin);
	sheet_field(&s, TEXT_CERT_USES, uses(inv, &f));
	return sheet_end(&s);
}

enum exit_code cmd_cert(struct invocation *inv)
{
	return strcmp(inv->words[0], "request") == 0 ? request(inv) : show(inv);
}
