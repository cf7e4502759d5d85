/* `ieumd --check`: what the configuration names, looked at without starting anything. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "broker/config.h"
#include "broker/policy/policy.h"
#include "broker/privileges.h"
#include "proto/catalog.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int days_left(int64_t at_s)
{
	return (int)((at_s - time(NULL)) / (24 * 3600));
}

static size_t check_hub_file(const struct config *c, FILE *out, struct policy **policy)
{
	struct yaml_diag diag;
	enum ieum_err err;

	yaml_diag_init(&diag);
	err = policy_load(c->hub_file, &diag, policy);
	if (!err)
		return 0;
	if (err == IEUM_E_FILE_UNREADABLE)
		fprintf(out, "%s:%d: ", base_name(c->path), c->hub_file_line);
	if (diag.count == 0)
		fprintf(out, "%s: %s\n", c->hub_file, tr(ieum_error(err)->text));
	yaml_diag_print(&diag, out);
	return diag.count ? diag.count : 1;
}

/* An agreement that is over is no mistake of the file, but nobody is asked under it any more. */
static void check_agreements(const struct config *c, FILE *out, const struct policy *policy)
{
	for (int i = 0; i < (int)policy_participants(policy); i++) {
		const char *name = policy_participant(policy, i)->name;
		int64_t ends_ms = policy_agreement_ends_ms(policy, i);

		if (ends_ms == INT64_MAX)
			continue;
		if (ends_ms / 1000 <= time(NULL))
			fprintf(out, tr("%s: warning: the agreement of '%s' has ended\n"),
				c->hub_file, name);
		else if (days_left(ends_ms / 1000) < CONFIG_AGREEMENT_WARNING_DAYS)
			fprintf(out, tr("%s: warning: the agreement of '%s' ends in %d days\n"),
				c->hub_file, name, days_left(ends_ms / 1000));
	}
}

/* Beyond its end working days and what the law says of holidays would be counted wrongly. */
static void check_holidays(const struct config *c, FILE *out, const struct policy *policy)
{
	int64_t ends_s = policy_holidays_end_ms(policy) / 1000;

	if (!policy_holidays_end_soon(policy, (int64_t)time(NULL) * 1000))
		return;
	if (ends_s <= time(NULL))
		fprintf(out, tr("%s: warning: the list of holidays has ended; add the next ones\n"),
			c->hub_file);
	else
		fprintf(out,
			tr("%s: warning: the list of holidays ends in %d days; add the next ones\n"),
			c->hub_file, days_left(ends_s));
}

static size_t check_own_certificate(const struct config *c, FILE *out, const struct tls *tls)
{
	int64_t ends_s = tls_own(tls)->not_after_s;

	if (ends_s <= time(NULL)) {
		fprintf(out, tr("%s:%d: the certificate has expired\n"), base_name(c->path),
			c->tls_line);
		return 1;
	}
	if (days_left(ends_s) < CONFIG_CERTIFICATE_WARNING_DAYS)
		fprintf(out, tr("%s:%d: warning: the certificate ends in %d days\n"),
			base_name(c->path), c->tls_line, days_left(ends_s));
	return 0;
}

static size_t check_list(const struct config *c, FILE *out, const struct tls *tls)
{
	int64_t ends_s = tls_crl_next_update_s(tls), now_s = time(NULL);

	if (ends_s && ends_s <= now_s) {
		fprintf(out,
			now_s - ends_s < c->tls.crl_grace_s
				? tr("%s:%d: the revocation list is out of date: nobody new would be let in\n")
				: tr("%s:%d: the revocation list is out of date: every client would be refused\n"),
			base_name(c->path), c->tls_line);
		return 1;
	}
	if (ends_s && days_left(ends_s) < CONFIG_LIST_WARNING_DAYS)
		fprintf(out,
			tr("%s:%d: warning: the revocation list ends in %d hours; put a new one in its place\n"),
			base_name(c->path), c->tls_line, (int)((ends_s - now_s) / 3600));
	return 0;
}

static size_t check_certificates(const struct config *c, FILE *out, const struct policy *policy)
{
	char why[TLS_WHY_BYTES] = "";
	const char *file = base_name(c->path);
	struct tls *tls = NULL;
	size_t mistakes = 0;
	struct tls_files files = c->tls;

	files.other_names = policy && policy_names_certificates(policy);
	enum ieum_err err = tls_new(TLS_SERVER, &files, &tls, why);

	if (err) {
		fprintf(out, "%s:%d: %s\n", file, c->tls_line,
			why[0] ? why : tr(ieum_error(err)->text));
		return 1;
	}
	mistakes = check_own_certificate(c, out, tls) + check_list(c, out, tls);
	if (policy && strcmp(tls_own(tls)->hub, policy_hub(policy)) != 0) {
		fprintf(out,
			tr("%s:%d: the certificate is of the hub '%s', the hub file of '%s'\n"),
			file, c->tls_line, tls_own(tls)->hub, policy_hub(policy));
		mistakes++;
	}
	tls_free(tls);
	return mistakes;
}

/* From here on nothing is read that the daemon itself could not. */
static size_t check_account(const struct config *c, FILE *out)
{
	char why[PRIVILEGES_WHY_BYTES];

	if (privileges_drop(c->user, why) == IEUM_E_OK)
		return 0;
	fprintf(out, "%s:%d: %s\n", base_name(c->path), c->user_line ? c->user_line : 1, why);
	return 1;
}

size_t config_check(const char *path, FILE *out)
{
	struct yaml_diag diag;
	struct config *c = NULL;
	struct policy *policy = NULL;
	size_t mistakes;

	yaml_diag_init(&diag);
	enum ieum_err err = config_read(path, &diag, &c);
	if (err) {
		yaml_diag_print(&diag, out);
		mistakes = diag.count ? diag.count : 1;
	} else {
		mistakes = check_account(c, out);
	}
	if (!c)
		return mistakes;
	if (c->hub_file)
		mistakes += check_hub_file(c, out, &policy);
	if (policy) {
		check_agreements(c, out, policy);
		check_holidays(c, out, policy);
	}
	if (c->tls.cert && c->tls.key && c->tls.ca)
		mistakes += check_certificates(c, out, policy);
	policy_free(policy);
	config_free(c);
	return mistakes;
}
