/* Asking for a new city; see new_city_ask.h. */
#include "client/new_city_ask.h"

#include <string.h>
#include <unistd.h>

#include "client/command.h"
#include "client/trouble.h"

#define LISTEN_STANDARD ":7443"

enum { ONE_WHO_ASKS_AND_ONE_WHO_IS_ASKED = 2 };

static const char operator_kind[] = "hub_operator";

struct asking {
	const struct invocation *inv;
	struct new_city_answers *answers;
	struct new_city *city;
	bool ended; /* the standard input */
};

/* A line from the standard input without its end; false at the end of the input. */
static bool ask(struct asking *a, enum text_id question, char *line, size_t room)
{
	size_t n = 0;
	int c;

	fputs(say(a->inv, question), a->inv->err);
	fflush(a->inv->err);
	while ((c = getchar()) != EOF && c != '\n')
		if (n + 1 < room)
			line[n++] = (char)c;
	line[n] = '\0';
	a->ended = c == EOF;
	if (a->ended)
		fputc('\n', a->inv->err);
	return !a->ended || n > 0;
}

/* Somebody is there who can answer better. */
static bool asks_again(const struct asking *a)
{
	return !a->ended && isatty(STDIN_FILENO);
}

static void say_wrong(const struct asking *a, enum text_id what, const char *value)
{
	fprintf(a->inv->err, say(a->inv, what), value);
	fputc('\n', a->inv->err);
}

struct question {
	enum arguments_option option;
	enum text_id ask, wrong;
	bool (*valid)(const char *text);
	const char *otherwise; /* for an empty answer; NULL: there has to be one */
};

/* The option's value, or the answer to its question. */
static enum exit_code take(struct asking *a, const struct question *q, char *out, size_t room)
{
	bool asked = !given(a->inv, q->option);

	for (;;) {
		out[0] = '\0';
		if (!asked)
			snprintf(out, room, "%s", value_of(a->inv, q->option));
		else
			(void)ask(a, q->ask, out, room);
		if (!*out && q->otherwise)
			snprintf(out, room, "%s", q->otherwise);
		if (q->valid(out))
			return EXIT_DONE;
		if (!asked || !asks_again(a))
			break;
		if (*out)
			say_wrong(a, q->wrong, out);
	}
	return *out ? trouble_usage(a->inv, q->wrong, out)
		    : trouble_usage(a->inv, TEXT_OPTION_MISSING, arguments_option_name(q->option));
}

/* ---- agencies ---- */

/* What is wrong with it, and of what; false: nothing is, and it was added. */
static bool refuses_agency(struct new_city *city, const char *text, enum text_id *what)
{
	struct new_agency *a = &city->agencies[city->n];

	*what = TEXT_AGENCIES_TOO_MANY;
	if (city->n == NEW_CITY_AGENCIES_MAX)
		return true;
	*what = TEXT_AGENCY_WRONG;
	if (!new_city_read_agency(text, a))
		return true;
	*what = TEXT_AGENCY_TWICE;
	for (size_t i = 0; i < city->n; i++)
		if (strcmp(city->agencies[i].name, a->name) == 0)
			return true;
	city->n++;
	return false;
}

static enum exit_code add_agency(const struct asking *a, const char *text)
{
	enum text_id what;

	return refuses_agency(a->city, text, &what) ? trouble_usage(a->inv, what, text) : EXIT_DONE;
}

/* Whoever only looks after the queues neither asks nor is asked. */
static bool has_enough(const struct new_city *city)
{
	size_t n = 0;

	for (size_t i = 0; i < city->n; i++)
		n += strcmp(city->agencies[i].kind, operator_kind) != 0;
	return n >= ONE_WHO_ASKS_AND_ONE_WHO_IS_ASKED;
}

static enum exit_code too_few(const struct asking *a)
{
	return trouble_usage(a->inv, TEXT_AGENCIES_MISSING, "");
}

/* Until an empty line, or the end of the input. */
static enum exit_code ask_agencies(struct asking *a)
{
	char line[NEW_CITY_TITLE_BYTES * 2];
	enum text_id what;

	for (;;) {
		bool more = ask(a, TEXT_ASK_AGENCY, line, sizeof line) && *line;

		if (more && refuses_agency(a->city, line, &what)) {
			if (!asks_again(a))
				return trouble_usage(a->inv, what, line);
			say_wrong(a, what, line);
		} else if (!more && has_enough(a->city)) {
			return EXIT_DONE;
		} else if (!more && !asks_again(a)) {
			return too_few(a);
		} else if (!more) {
			say_wrong(a, TEXT_AGENCIES_MISSING, "");
		}
	}
}

static enum exit_code take_agencies(struct asking *a)
{
	enum exit_code code = EXIT_DONE;

	if (a->inv->n_words == 0)
		return ask_agencies(a);
	for (size_t i = 0; i < a->inv->n_words && !code; i++)
		code = add_agency(a, a->inv->words[i]);
	if (!code && !has_enough(a->city))
		code = too_few(a);
	return code;
}

/* Queues are looked after by somebody who reads no case. */
static enum exit_code add_operator(const struct asking *a)
{
	const char *hub = a->answers->hub;
	char *name = a->answers->operator, text[NEW_CITY_WORD_BYTES * 2 + sizeof operator_kind];
	size_t room = sizeof a->answers->operator;

	a->city->operator= name;
	for (size_t i = 0; i < a->city->n; i++) {
		if (strcmp(a->city->agencies[i].kind, operator_kind) == 0) {
			snprintf(name, room, "%s", a->city->agencies[i].name);
			return EXIT_DONE;
		}
	}
	int label = (int)strcspn(hub, ".");
	snprintf(name, room, "%.*s-operator", label < 40 ? label : 40, hub);
	snprintf(text, sizeof text, "%s:%s", operator_kind, name);
	return add_agency(a, text);
}

/* ---- the hub ---- */

/* By which name the profiles find the hub. */
static enum exit_code take_host(const struct asking *a)
{
	struct new_city_answers *in = a->answers;
	const char *port = strrchr(in->listen, ':');
	size_t n = (size_t)(port - in->listen);

	if (given(a->inv, OPTION_HOST))
		snprintf(in->host, sizeof in->host, "%s", value_of(a->inv, OPTION_HOST));
	else if (n == 0 || strncmp(in->listen, "0.0.0.0:", 8) == 0 ||
		 strncmp(in->listen, "[::]:", 5) == 0)
		gethostname(in->host, sizeof in->host - 1);
	else if (in->listen[0] == '[')
		snprintf(in->host, sizeof in->host, "%.*s", (int)n - 2, in->listen + 1);
	else
		snprintf(in->host, sizeof in->host, "%.*s", (int)n, in->listen);
	if (!new_city_host_valid(in->host))
		return trouble_usage(a->inv, TEXT_HOST_WRONG, in->host);
	snprintf(in->address, sizeof in->address, strchr(in->host, ':') ? "[%s]%s" : "%s%s",
		 in->host, strcmp(port, ":0") == 0 ? LISTEN_STANDARD : port);
	return EXIT_DONE;
}

static enum exit_code take_listen(struct asking *a)
{
	static const struct question question = { OPTION_LISTEN, TEXT_ASK_LISTEN, TEXT_LISTEN_WRONG,
						  new_city_listen_valid, LISTEN_STANDARD };
	struct new_city_answers *in = a->answers;

	/* Somebody who gives the agencies too has said all that has no good default. */
	if (given(a->inv, OPTION_LISTEN) || a->inv->n_words == 0)
		return take(a, &question, in->listen, sizeof in->listen);
	snprintf(in->listen, sizeof in->listen, LISTEN_STANDARD);
	return EXIT_DONE;
}

enum exit_code new_city_ask(const struct invocation *inv, struct new_city_answers *answers,
			    struct new_city *city)
{
	static const struct question hub = { OPTION_HUB, TEXT_ASK_HUB, TEXT_HUB_WRONG,
					     new_city_hub_valid, NULL },
				     jurisdiction = { OPTION_JURISDICTION, TEXT_ASK_JURISDICTION,
						      TEXT_JURISDICTION_WRONG,
						      new_city_jurisdiction_valid, NULL };
	struct asking a = { .inv = inv, .answers = answers, .city = city };
	enum exit_code code = take(&a, &hub, answers->hub, sizeof answers->hub);

	if (!code)
		code = take(&a, &jurisdiction, answers->jurisdiction, sizeof answers->jurisdiction);
	if (!code)
		code = take_listen(&a);
	if (!code)
		code = take_host(&a);
	city->hub = answers->hub;
	city->jurisdiction = answers->jurisdiction;
	city->listen = answers->listen;
	city->address = answers->address;
	if (!code)
		code = take_agencies(&a);
	return code ? code : add_operator(&a);
}
