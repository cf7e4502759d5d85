/* Addresses of the hub file in words: "head of Gimpo city hall", not "head:gimpo-welfare-division". */
#include <string.h>

#include "client/render.h"

/* What stands alone. */
static const struct {
	const char *word;
	enum text_id text;
} alone[] = {
	{ "case_owner", TEXT_OWNER },
	{ "head", TEXT_ADDRESS_HEAD },
	{ "head:sender", TEXT_ADDRESS_HEAD_OF_SENDER },
	{ "sender", TEXT_ADDRESS_SENDER },
	{ "addressees", TEXT_ADDRESS_ADDRESSEES },
};

/* What stands before a name. */
static const struct {
	const char *prefix;
	enum text_id text;
} before[] = {
	{ "head:", TEXT_ADDRESS_HEAD_OF },      { "lead:", TEXT_ADDRESS_LEAD },
	{ "convener:", TEXT_ADDRESS_CONVENER }, { "body:", TEXT_ADDRESS_BODY },
	{ "pool:", TEXT_ADDRESS_POOL },         { "role:", TEXT_ADDRESS_ROLE },
	{ "provider:", TEXT_ADDRESS_PROVIDER },
};

/* A participant's or body's title, a support domain's word; what narrows it stays behind it. */
static void name_in_words(const struct invocation *inv, const struct names *names, const char *name,
			  char out[SHOWN_BYTES])
{
	char plain[SHOWN_BYTES], title[SHOWN_BYTES];
	size_t n = strcspn(name, "#[@");
	const struct words_row *row;
	const char *text;

	snprintf(plain, sizeof plain, "%.*s", (int)n, name);
	row = words_find(plain);
	text = row && row->group == WORDS_DOMAIN ? words_text(plain, inv->lang)
						 : shown_name(inv, names, plain, title);
	snprintf(out, SHOWN_BYTES, "%s%s%s", text, name[n] ? " " : "", name + n);
}

static void one_in_words(const struct invocation *inv, const struct names *names, const char *one,
			 char out[SHOWN_BYTES])
{
	char name[SHOWN_BYTES];

	for (size_t i = 0; i < sizeof alone / sizeof alone[0]; i++) {
		if (strcmp(one, alone[i].word) == 0) {
			snprintf(out, SHOWN_BYTES, "%s", say(inv, alone[i].text));
			return;
		}
	}
	for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
		size_t n = strlen(before[i].prefix);

		if (strncmp(one, before[i].prefix, n) == 0 && one[n]) {
			name_in_words(inv, names, one + n, name);
			snprintf(out, SHOWN_BYTES, say(inv, before[i].text), name);
			return;
		}
	}
	snprintf(out, SHOWN_BYTES, "%s", shown_name(inv, names, one, name));
}

void render_address(const struct invocation *inv, const struct names *names, const char *address,
		    char *out, size_t room)
{
	char one[SHOWN_BYTES], words[SHOWN_BYTES];
	size_t used = 0;

	out[0] = '\0';
	for (const char *at = address; *at && used < room;) {
		const char *comma = strstr(at, ", ");
		size_t n = comma ? (size_t)(comma - at) : strlen(at);

		snprintf(one, sizeof one, "%.*s", (int)n, at);
		one_in_words(inv, names, one, words);
		used += (size_t)snprintf(out + used, room - used, "%s%s", used ? ", " : "", words);
		at += comma ? n + 2 : n;
	}
}
