/* Blocking libieum for commands; see link.h. */
#include "client/link.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/trouble.h"
#include "client/version.h"
#include "client/when.h"

enum { LINE_BYTES = PROFILE_PATH_BYTES + 256 };

struct link {
	const struct invocation *inv;
	struct ieum_blocking *b;
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
			inv->lang = inv->profile->language;
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
				      .software = "ieum " IEUM_CLIENT_VERSION,
				      .keep_bytes_max = SIZE_MAX };
}

enum exit_code link_failure(const struct invocation *inv, const struct ieum_failure *why)
{
	const struct ieum_error_row *row = ieum_error((int)why->code);

	return trouble_hub(inv,
			   &(struct trouble_from_hub){ .code = (uint32_t)why->code,
						       .name = why->name,
						       .detail = why->detail,
						       .text_en = row->text_en,
						       .text_ko = row->text_ko,
						       .retry_after_ms = why->retry_after_ms });
}

/* Nobody may take a drill for the real thing, or be surprised by an expired certificate. */
void link_greet(const struct invocation *inv, const Ieum__V1__Welcome *welcome)
{
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
}

enum exit_code link_open(struct invocation *inv, struct link **out)
{
	struct ieum_options options;
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
	link_options(inv, &options);
	err = ieum_blocking_open(&options, inv->timeout_ms, &link->b, why);
	if (err) {
		free(link);
		return trouble(inv, err, why);
	}
	link_greet(inv, ieum_blocking_welcome(link->b));
	*out = link;
	return EXIT_DONE;
}

void link_close(struct link *link)
{
	if (!link)
		return;
	ieum_blocking_close(link->b);
	free(link);
}

int64_t link_hub_time_ms(const struct link *link)
{
	const Ieum__V1__Welcome *welcome = ieum_blocking_welcome(link->b);

	return welcome ? welcome->hub_time_at_ms : 0;
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

enum exit_code link_submit(struct link *link, const Ieum__V1__Referral *referral,
			   const Ieum__V1__Receipt **out)
{
	enum ieum_err err = ieum_blocking_submit(link->b, referral, link->inv->timeout_ms, out);

	return err ? failed(link) : EXIT_DONE;
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

	return err ? failed(link) : EXIT_DONE;
}
