/* Blocking libieum for commands; see link.h. */
#include "client/link.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/command.h"
#include "client/seal_message.h"
#include "client/shown.h"
#include "client/spool_place.h"
#include "client/trouble.h"
#include "client/version.h"
#include "client/when.h"
#include "proto/catalog.h"

enum { LINE_BYTES = PROFILE_PATH_BYTES + 256, ACT_BYTES = 1024 };

struct link {
	struct invocation *inv;
	struct ieum_blocking *b;
	/* Why there is no spool although there should be one; OK: there is, or none is wanted. */
	enum ieum_err spool_err;
	char spool_why[IEUM_WHY_BYTES];
};

/* Somebody who runs `ieum` for the first time. */
static const char *no_profile(const struct invocation *inv, const char *path, char line[LINE_BYTES])
{
	snprintf(line, LINE_BYTES, "%s\n%s", path, say(inv, TEXT_DO_MAKE_PROFILE));
	return line;
}

enum exit_code link_profile(struct invocation *inv)
{
	char path[PROFILE_PATH_BYTES], line[LINE_BYTES];

	if (inv->profile)
		return EXIT_DONE;
	struct yaml_diag *diag = malloc(sizeof *diag);
	enum ieum_err err = profile_path(value_of(inv, OPTION_PROFILE), path);
	enum exit_code code = EXIT_DONE;

	if (!diag) {
		code = trouble(inv, IEUM_E_NO_MEMORY, NULL);
	} else if (err) {
		code = trouble(inv, err, say(inv, TEXT_DO_MAKE_PROFILE));
	} else {
		yaml_diag_init(diag);
		err = profile_load(path, diag, &inv->profile);
		if (err == IEUM_E_FILE_UNREADABLE && !given(inv, OPTION_PROFILE))
			code = trouble(inv, err, no_profile(inv, path, line));
		else if (err)
			code = trouble_file(inv, err, diag);
		else if (inv->profile->has_language && !given(inv, OPTION_LANG))
			catalog_use(inv->lang = inv->profile->language);
		if (!code && spool_place(inv->profile))
			code = trouble(inv, IEUM_E_NO_MEMORY, NULL);
	}
	free(diag);
	return code;
}

void link_options(const struct invocation *inv, struct ieum_options *out)
{
	const struct profile *p = inv->profile;

	*out = (struct ieum_options){ .addresses = (const char *const *)p->addresses,
				      .n_addresses = p->n_addresses,
				      .server_name = p->server_name,
				      .cert = p->certificate,
				      .key = p->key,
				      .ca = p->ca,
				      .crl = p->crl,
				      .old_keys = p->old_keys,
				      .n_old_keys = p->n_old_keys,
				      .identities = p->identities,
				      .n_identities = p->n_identities,
				      .software = "ieum " IEUM_CLIENT_VERSION,
				      .spool = p->spool,
				      .keep_bytes_max = p->spool ? 0 : SIZE_MAX };
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_files(const struct profile *a, const struct profile *b)
{
	bool same = same_text(a->certificate, b->certificate) && same_text(a->key, b->key) &&
		    same_text(a->ca, b->ca) && same_text(a->crl, b->crl) &&
		    a->n_old_keys == b->n_old_keys;

	for (size_t i = 0; same && i < a->n_old_keys; i++)
		same = same_text(a->old_keys[i].cert, b->old_keys[i].cert) &&
		       same_text(a->old_keys[i].key, b->old_keys[i].key);
	return same;
}

/* What can't be used is told: whoever changed the profile believes that it counts. */
static bool use_files(struct invocation *inv, struct ieum *c, const struct profile *p)
{
	const struct ieum_options files = { .cert = p->certificate,
					    .key = p->key,
					    .ca = p->ca,
					    .crl = p->crl,
					    .old_keys = p->old_keys,
					    .n_old_keys = p->n_old_keys };
	char why[IEUM_WHY_BYTES] = "";
	enum ieum_err err = ieum_use_files(c, &files, why);

	if (err)
		(void)trouble(inv, err, why);
	return err == IEUM_E_OK;
}

bool link_renew(struct invocation *inv, struct ieum *c)
{
	const struct profile *used = inv->renewed ? inv->renewed : inv->profile;
	char path[PROFILE_PATH_BYTES];
	struct yaml_diag *diag = malloc(sizeof *diag);
	struct profile *now = NULL;
	bool renewed = false;

	if (!diag)
		return false;
	yaml_diag_init(diag);
	/* One that is being written is read at the next attempt. */
	if (!profile_path(value_of(inv, OPTION_PROFILE), path) && !profile_load(path, diag, &now) &&
	    !same_files(now, used))
		renewed = use_files(inv, c, now);
	if (renewed) {
		profile_free(inv->renewed);
		inv->renewed = now;
		now = NULL;
	}
	profile_free(now);
	free(diag);
	return renewed;
}

enum ieum_seal link_sealing(const struct invocation *inv)
{
	return given(inv, OPTION_SEAL) || (inv->profile && inv->profile->seal_all)
		       ? IEUM_SEAL_ALL
		       : IEUM_SEAL_NEEDED;
}

/* act: what to do, where another thing than follows from the error. */
static enum exit_code failure_with(const struct invocation *inv, const struct ieum_failure *why,
				   const char *act)
{
	const struct ieum_error_row *row = ieum_error((int)why->code);

	return trouble_hub(inv,
			   &(struct trouble_from_hub){ .code = (uint32_t)why->code,
						       .name = why->name,
						       .detail = why->detail,
						       .act = act,
						       .text_en = row->text,
						       .text_ko = catalog_text(WORDS_KO, row->text),
						       .retry_after_ms = why->retry_after_ms });
}

enum exit_code link_failure(const struct invocation *inv, const struct ieum_failure *why)
{
	return failure_with(inv, why, NULL);
}

int64_t link_list_ended_at_ms(const struct ieum_keyring *keyring)
{
	int64_t ends_at_ms = ieum_revocation_list_ends_at_ms(keyring);
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return ends_at_ms && ends_at_ms / 1000 < (int64_t)t.tv_sec ? ends_at_ms : 0;
}

/* Nobody may take a drill for the real thing, or be surprised by an expired certificate or a list of
 * revoked ones that is old. */
void link_greet(const struct invocation *inv, const Ieum__V1__Welcome *welcome,
		const struct ieum_keyring *keyring)
{
	int64_t ended_at_ms = link_list_ended_at_ms(keyring);
	char when[WHEN_BYTES];

	if (inv->json || !welcome)
		return;
	if (welcome->drill)
		fprintf(inv->out, "** %s **\n", say(inv, TEXT_DRILL));
	if (welcome->certificate_ends_at_ms) {
		fprintf(inv->err, say(inv, TEXT_CERTIFICATE_ENDS),
			when_time(welcome->certificate_ends_at_ms, when));
		fputc('\n', inv->err);
	}
	if (ended_at_ms) {
		fprintf(inv->err, say(inv, TEXT_OWN_LIST_ENDED), when_time(ended_at_ms, when));
		fputc('\n', inv->err);
	}
}

static void on_resent(struct ieum *c, const uint8_t *message_id, const Ieum__V1__Receipt *receipt,
		      const struct ieum_failure *failure, void *ctx)
{
	(void)c;
	spool_say_resent(ctx, message_id, receipt, failure);
}

static void on_renamed(struct ieum *c, const uint8_t *before, const uint8_t *now, void *ctx)
{
	(void)c;
	spool_say_renamed(ctx, before, now);
}

static void on_let_go(struct ieum *c, size_t messages, void *ctx)
{
	(void)c;
	spool_say_let_go(ctx, messages);
}

static void on_spool_trouble(struct ieum *c, const struct ieum_failure *why, void *ctx)
{
	(void)c;
	spool_say_trouble(ctx, why);
}

static void on_alone(struct ieum *c, int64_t for_ms, uint64_t waiting, void *ctx)
{
	(void)c;
	spool_say_alone(ctx, for_ms, waiting);
}

/* Where only the spool fails, reading goes on without it: submitting will say why it can't. */
static enum ieum_err begin(struct link *link, char why[IEUM_WHY_BYTES])
{
	struct ieum_options options;
	char again[IEUM_WHY_BYTES];

	link_options(link->inv, &options);
	options.callbacks.resent = on_resent;
	options.callbacks.renamed = on_renamed;
	options.callbacks.let_go = on_let_go;
	options.callbacks.spool_trouble = on_spool_trouble;
	options.callbacks.alone = on_alone;
	options.ctx = link->inv;
	enum ieum_err err = ieum_blocking_begin(&options, &link->b, why);
	if (!err || !options.spool)
		return err;
	options.spool = NULL;
	if (ieum_blocking_begin(&options, &link->b, again))
		return err;
	link->spool_err = err;
	snprintf(link->spool_why, sizeof link->spool_why, "%s", why);
	return IEUM_E_OK;
}

static enum exit_code link_new(struct invocation *inv, struct link **out)
{
	char why[IEUM_WHY_BYTES] = "";
	struct link *link;
	enum exit_code code = link_profile(inv);
	enum ieum_err err;

	if (code)
		return code;
	link = calloc(1, sizeof *link);
	if (!link)
		return trouble(inv, IEUM_E_NO_MEMORY, NULL);
	link->inv = inv;
	spool_say_missing(inv);
	err = begin(link, why);
	if (err) {
		free(link);
		return trouble(inv, err, why);
	}
	*out = link;
	return EXIT_DONE;
}

static void greeted(struct link *link)
{
	link->inv->keyring = ieum_blocking_keyring(link->b);
	link_greet(link->inv, ieum_blocking_welcome(link->b), link->inv->keyring);
}

enum exit_code link_open(struct invocation *inv, struct link **out)
{
	struct link *link = NULL;
	enum exit_code code = link_new(inv, &link);

	if (code || !link)
		return code;
	enum ieum_err err = ieum_blocking_connect(link->b, inv->timeout_ms);
	if (err) {
		code = trouble(inv, err, ieum_blocking_failure(link->b)->detail);
		ieum_blocking_close(link->b);
		free(link);
		return code;
	}
	if (link->spool_err)
		(void)trouble(inv, link->spool_err, link->spool_why);
	greeted(link);
	*out = link;
	return EXIT_DONE;
}

/* By its user, who then has to know that there is nothing on its way. */
static enum exit_code stopped_before(const struct link *link)
{
	const struct ieum_failure why = { .code = IEUM_E_HUB_UNREACHABLE,
					  .name = ieum_error(IEUM_E_HUB_UNREACHABLE)->name,
					  .detail = ieum_blocking_failure(link->b)->detail };

	return failure_with(link->inv, &why, say(link->inv, TEXT_DO_NOTHING_SENT));
}

enum exit_code link_open_to_submit(struct invocation *inv, struct link **out)
{
	struct link *link = NULL;
	enum exit_code code = link_new(inv, &link);

	if (code || !link)
		return code;
	ieum_blocking_heed_signals(link->b);
	if (link->spool_err)
		code = trouble(inv, link->spool_err, link->spool_why);
	else if (ieum_blocking_connect(link->b, inv->timeout_ms) == IEUM_E_OK)
		greeted(link);
	else if (ieum_blocking_interrupted(link->b))
		code = stopped_before(link);
	else if (!inv->profile->spool)
		code = link_failure(inv, ieum_blocking_failure(link->b));
	if (code) {
		ieum_blocking_close(link->b);
		free(link);
		return code;
	}
	*out = link;
	return EXIT_DONE;
}

enum exit_code link_drain(struct link *link)
{
	uint64_t left;
	enum ieum_err err = ieum_blocking_drain(link->b, link->inv->timeout_ms, &left);

	return err ? link_failure(link->inv, ieum_blocking_failure(link->b)) : EXIT_DONE;
}

bool link_connected(const struct link *link)
{
	return ieum_connected(ieum_blocking_inner(link->b));
}

struct ieum *link_inner(struct link *link)
{
	return ieum_blocking_inner(link->b);
}

enum exit_code link_confirm_copy(struct link *link, uint64_t journal_number,
				 const uint8_t *incarnation, uint64_t *through)
{
	enum ieum_err err = ieum_blocking_confirm_copy(link->b, journal_number, incarnation,
						       link->inv->timeout_ms, through);

	return err ? link_failure(link->inv, ieum_blocking_failure(link->b)) : EXIT_DONE;
}

void link_close(struct link *link)
{
	if (!link)
		return;
	uint64_t left;

	link->inv->keyring = NULL;
	/* What an earlier run left goes on its way with this one. */
	if (link->inv->profile->spool && link_connected(link) &&
	    !ieum_blocking_interrupted(link->b))
		(void)!ieum_blocking_drain(link->b, LINK_DRAIN_MS, &left);
	ieum_blocking_close(link->b);
	free(link);
}

int64_t link_hub_time_ms(const struct link *link)
{
	const Ieum__V1__Welcome *welcome = ieum_blocking_welcome(link->b);

	struct timespec t;

	if (welcome)
		return welcome->hub_time_at_ms;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum exit_code failed(const struct link *link)
{
	return link_failure(link->inv, ieum_blocking_failure(link->b));
}

/* ---- questions ---- */

/* libieum's result is good until the next question. */
static Ieum__V1__Result *copied(const Ieum__V1__Result *result)
{
	size_t n = ieum__v1__result__get_packed_size(result);
	uint8_t *bytes = malloc(n ? n : 1);
	Ieum__V1__Result *copy = NULL;

	if (bytes) {
		ieum__v1__result__pack(result, bytes);
		copy = ieum__v1__result__unpack(NULL, n, bytes);
	}
	free(bytes);
	return copy;
}

bool pages_add(struct pages *pages, const Ieum__V1__Result *result)
{
	Ieum__V1__Result **more = realloc(pages->page, (pages->n + 1) * sizeof(Ieum__V1__Result *));

	if (!more)
		return false;
	pages->page = more;
	more[pages->n] = copied(result);
	if (!more[pages->n])
		return false;
	pages->n++;
	return true;
}

void pages_free(struct pages *pages)
{
	for (size_t i = 0; i < pages->n; i++)
		ieum__v1__result__free_unpacked(pages->page[i], NULL);
	free(pages->page);
	*pages = (struct pages){ 0 };
}

/* OK, an error of libieum (ieum_blocking_failure() has it), or NO_MEMORY. */
static enum ieum_err ask(struct link *link, Ieum__V1__Query *query, struct pages *out)
{
	const Ieum__V1__Result *result;
	enum ieum_err err;

	*out = (struct pages){ 0 };
	query->page_rows = LINK_PAGE_ROWS;
	do {
		err = ieum_blocking_query(link->b, query, link->inv->timeout_ms, &result, NULL,
					  NULL);
		if (err)
			break;
		/* The oneofs of question and answer have the same order; an answer to something
		 * else is a hub that we don't understand. */
		if ((int)result->what_case != (int)query->what_case) {
			err = IEUM_E_FRAME_UNEXPECTED;
			break;
		}
		if (!pages_add(out, result)) {
			err = IEUM_E_NO_MEMORY;
			break;
		}
		query->cursor = out->page[out->n - 1]->next_cursor;
	} while (query->cursor.len > 0 && out->n < LINK_PAGES_MAX);
	if (err)
		pages_free(out);
	return err;
}

enum exit_code link_ask(struct link *link, Ieum__V1__Query *query, struct pages *out)
{
	enum ieum_err err = ask(link, query, out);

	if (!err)
		return EXIT_DONE;
	if (err == IEUM_E_NO_MEMORY || err == IEUM_E_FRAME_UNEXPECTED)
		return trouble(link->inv, err, NULL);
	return failed(link);
}

bool link_peek(struct link *link, Ieum__V1__Query *query, struct pages *out)
{
	return ask(link, query, out) == IEUM_E_OK;
}

void link_ask_directory(struct link *link, struct pages *out)
{
	Ieum__V1__DirectoryQuery directory = IEUM__V1__DIRECTORY_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;

	query.what_case = IEUM__V1__QUERY__WHAT_DIRECTORY;
	query.directory = &directory;
	if (ask(link, &query, out))
		*out = (struct pages){ 0 };
}

/* ---- the rest ---- */

/* Whether the hub has it can't be told from this. */
static bool is_open(enum ieum_err err)
{
	return err == IEUM_E_TIMED_OUT || err == IEUM_E_CONNECTION_LOST ||
	       err == IEUM_E_COMMIT_UNKNOWN;
}

/* What has been submitted and has no receipt; act: what to do where nobody knows whether it arrived. */
static enum exit_code without_receipt(const struct link *link, enum ieum_err err, const char *act)
{
	const uint8_t *message_id;

	if (!err)
		return EXIT_DONE;
	if (err == IEUM_E_TIMED_OUT && ieum_blocking_accepted(link->b, &message_id)) {
		(void)trouble_kept(link->inv, ieum_blocking_failure(link->b)->detail);
		spool_say_kept(link->inv, message_id);
		return EXIT_KEPT;
	}
	return failure_with(link->inv, ieum_blocking_failure(link->b), is_open(err) ? act : NULL);
}

/* Sealed again it would be other bytes, which the hub doesn't take under the same id. */
static enum text_id how_again(const struct link *link, const Ieum__V1__Referral *m)
{
	const struct command *command = link->inv->command;

	if (seal_message_wanted(m, link_sealing(link->inv)) ||
	    !(command->options & COMMAND_OPTION(MESSAGE_ID)))
		return TEXT_DO_LOOK_FIRST;
	return m->envelope->message_id.len ? TEXT_DO_SAME_ID : TEXT_DO_LOOK_OR_SAME_ID;
}

enum exit_code link_submit(struct link *link, const Ieum__V1__Referral *referral,
			   const Ieum__V1__Receipt **out)
{
	const uint8_t *message_id;
	char id[UUID_TEXT_BYTES], act[ACT_BYTES];
	int64_t timeout_ms = link_connected(link) ? link->inv->timeout_ms : 0;
	enum ieum_err err;

	if (link->spool_err)
		return trouble(link->inv, link->spool_err, link->spool_why);
	ieum_blocking_heed_signals(link->b);
	err = ieum_blocking_submit_sealed(link->b, referral, link_sealing(link->inv), timeout_ms,
					  out);
	(void)ieum_blocking_accepted(link->b, &message_id);
	uuid_format(message_id, id);
	snprintf(act, sizeof act, say(link->inv, how_again(link, referral)), id, id);
	enum exit_code code = without_receipt(link, err, act);
	if (is_open(err) && code != EXIT_KEPT && link->inv->json)
		fprintf(link->inv->err, "{\"message_id\":\"%s\"}\n", id);
	return code;
}

static enum exit_code key_answered(const struct link *link, const Ieum__V1__Referral *request,
				   enum ieum_err err)
{
	char id[UUID_TEXT_BYTES], act[ACT_BYTES];

	snprintf(act, sizeof act, say(link->inv, TEXT_DO_LOOK_ANSWERED),
		 shown_id(&request->envelope->message_id, id));
	return without_receipt(link, err, act);
}

enum exit_code link_key_wrap(struct link *link, const Ieum__V1__Referral *request,
			     const Ieum__V1__Receipt **out)
{
	ieum_blocking_heed_signals(link->b);
	return key_answered(link, request,
			    ieum_blocking_key_wrap(link->b, request, link->inv->timeout_ms, out));
}

enum exit_code link_key_refuse(struct link *link, const Ieum__V1__Referral *request, int reason,
			       const char *remark, const Ieum__V1__Receipt **out)
{
	ieum_blocking_heed_signals(link->b);
	return key_answered(link, request,
			    ieum_blocking_key_refuse(link->b, request, reason, remark,
						     link->inv->timeout_ms, out));
}

enum exit_code link_settle(struct link *link, uint64_t delivery_id, enum ieum_settle how,
			   const char *reason)
{
	enum ieum_err err =
		ieum_blocking_settle(link->b, delivery_id, how, reason, link->inv->timeout_ms);

	return err ? failed(link) : EXIT_DONE;
}

static double monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

enum exit_code link_ping(struct link *link, double *ms)
{
	double began = monotonic_ms();
	int64_t hub_time_ms;
	enum ieum_err err = ieum_blocking_ping(link->b, link->inv->timeout_ms, &hub_time_ms);

	if (err)
		return failed(link);
	*ms = monotonic_ms() - began;
	return EXIT_DONE;
}

enum exit_code link_advance(struct link *link, int64_t by_ms, int64_t *hub_time_ms)
{
	enum ieum_err err =
		ieum_blocking_advance(link->b, by_ms, link->inv->timeout_ms, hub_time_ms);

	if (!err)
		return EXIT_DONE;
	return failure_with(link->inv, ieum_blocking_failure(link->b),
			    is_open(err) ? say(link->inv, TEXT_DO_LOOK_CLOCK) : NULL);
}
