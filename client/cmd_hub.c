/* ieum ping, ieum drill, ieum hub: about the hub itself. */
#include <stdlib.h>
#include <string.h>

#include "client/command.h"
#include "client/json_out.h"
#include "client/link.h"
#include "client/trouble.h"
#include "client/values.h"
#include "client/when.h"

enum {
	PINGS_MAX = 10000,
	DRILL_WORDS_BYTES = 128,
};

/* ---- ping ---- */

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static enum exit_code print_pings(const struct invocation *inv, double *ms, size_t n)
{
	json_t *list;

	if (inv->json) {
		list = json_array();
		for (size_t i = 0; i < n; i++)
			json_array_append_new(list, json_real(ms[i]));
		return json_out(inv, json_pack("{s:o}", "ping_ms", list));
	}
	if (n > 1) {
		qsort(ms, n, sizeof *ms, by_size);
		fprintf(inv->out, say(inv, TEXT_PINGS_SUM), n, ms[0], ms[n / 2], ms[n - 1]);
		fputc('\n', inv->out);
	}
	return EXIT_DONE;
}

static enum exit_code ping(const struct invocation *inv, struct link *link, double *ms, size_t n)
{
	enum exit_code code = EXIT_DONE;

	for (size_t i = 0; i < n && !code; i++) {
		code = link_ping(link, &ms[i]);
		if (!code && !inv->json) {
			fprintf(inv->out, say(inv, TEXT_PONG), inv->profile->addresses[0], ms[i]);
			fputc('\n', inv->out);
		}
	}
	return code ? code : print_pings(inv, ms, n);
}

enum exit_code cmd_ping(struct invocation *inv)
{
	struct link *link = NULL;
	uint64_t n = 1;
	enum exit_code code = EXIT_DONE;
	double *ms;

	if (given(inv, OPTION_COUNT))
		code = value_number(inv, value_of(inv, OPTION_COUNT), 1, PINGS_MAX, &n);
	if (code)
		return code;
	ms = calloc(n, sizeof *ms);
	if (!ms)
		return trouble(inv, IEUM_E_NO_MEMORY, NULL);
	code = link_open(inv, &link);
	if (!code)
		code = ping(inv, link, ms, n);
	link_close(link);
	free(ms);
	return code;
}

/* ---- drill ---- */

/* "4 h" may come as one word or as two. */
static enum exit_code take_distance(const struct invocation *inv, int64_t *by_ms)
{
	char words[DRILL_WORDS_BYTES] = "";
	size_t used = 0;

	for (size_t i = 1; i < inv->n_words && used < sizeof words; i++)
		used += (size_t)snprintf(words + used, sizeof words - used, "%s%s",
					 i > 1 ? " " : "", inv->words[i]);
	if (used >= sizeof words)
		return trouble_usage(inv, TEXT_WORD_TOO_MUCH, inv->words[inv->n_words - 1]);
	return value_duration(inv, words, by_ms);
}

enum exit_code cmd_drill(struct invocation *inv)
{
	char when[WHEN_BYTES];
	struct link *link = NULL;
	int64_t by_ms = 0, now_ms = 0;
	enum exit_code code = take_distance(inv, &by_ms);

	if (!code)
		code = link_open(inv, &link);
	if (!code)
		code = link_advance(link, by_ms, &now_ms);
	link_close(link);
	if (code)
		return code;
	if (inv->json)
		return json_out(inv, json_pack("{s:I}", "hub_time_at_ms", (json_int_t)now_ms));
	fprintf(inv->out, say(inv, TEXT_CLOCK_ADVANCED), when_time(now_ms, when));
	fputc('\n', inv->out);
	return EXIT_DONE;
}

/* ---- hub ---- */

/* An operator, or the job that makes backups: the copy is off the hub's disk. */
enum exit_code cmd_hub(struct invocation *inv)
{
	uint8_t incarnation[UUID_BYTES];
	uint64_t number, through = 0;
	struct link *link = NULL;
	enum exit_code code = value_number(inv, inv->words[1], 1, INT64_MAX, &number);

	if (!code && inv->n_words > 2)
		code = value_id(inv, inv->words[2], incarnation);
	if (!code)
		code = link_open(inv, &link);
	if (!code)
		code = link_confirm_copy(link, number, inv->n_words > 2 ? incarnation : NULL,
					 &through);
	link_close(link);
	if (code)
		return code;
	if (inv->json)
		return json_out(inv, json_pack("{s:I}", "copied_through", (json_int_t)through));
	fprintf(inv->out, say(inv, TEXT_COPIED_THROUGH), through);
	fputc('\n', inv->out);
	return EXIT_DONE;
}
