/* Details of errors for people; see details.h. */
#include "client/details.h"

#include <stdio.h>
#include <string.h>

#include "proto/catalog.h"

enum { HOLES_MAX = 4, WORD_BYTES = 64 };

struct hole {
	const char *text;
	size_t len;
};

struct writing {
	enum words_lang lang;
	char *out;
	size_t used;
	bool full;
};

static void put(struct writing *w, const char *text, size_t len)
{
	if (w->full || len >= DETAILS_BYTES - w->used) {
		w->full = true;
		return;
	}
	memcpy(w->out + w->used, text, len);
	w->used += len;
	w->out[w->used] = '\0';
}

/* ---- knowing a sentence again ---- */

static bool ends_with(const char *text, size_t n, const char *end, size_t len)
{
	return n >= len && memcmp(text + n - len, end, len) == 0;
}

/* Where the words behind a value begin: the first place that has them, at the end the last. */
static const char *behind_hole(const char *words, size_t len, const char *text, size_t n)
{
	if (words[len] == '\0')
		return ends_with(text, n, words, len) ? text + n - len : NULL;
	return memmem(text, n, words, len);
}

/* Is the text this sentence?  Its values then, in order. */
static bool is_sentence(const char *sentence, const char *text, size_t n,
			struct hole holes[HOLES_MAX])
{
	size_t found = 0;

	for (;;) {
		const char *hole = strstr(sentence, "%s");
		size_t len = hole ? (size_t)(hole - sentence) : strlen(sentence);

		if (n < len || memcmp(sentence, text, len) != 0)
			return false;
		text += len;
		n -= len;
		if (!hole)
			return n == 0;
		sentence = hole + 2;
		const char *next = strstr(sentence, "%s");
		const char *at =
			behind_hole(sentence, next ? (size_t)(next - sentence) : strlen(sentence),
				    text, n);
		if (!at || found == HOLES_MAX)
			return false;
		holes[found++] = (struct hole){ text, (size_t)(at - text) };
		n -= (size_t)(at - text);
		text = at;
	}
}

/* ---- saying it ---- */

/* The word of a message or of a state, as files and messages have it. */
static const char *word_of(const struct writing *w, const struct hole *value)
{
	char code[WORD_BYTES];
	const struct words_row *row;

	if (value->len >= sizeof code)
		return NULL;
	memcpy(code, value->text, value->len);
	code[value->len] = '\0';
	row = words_find(code);
	return row && (row->group == WORDS_MESSAGE || row->group == WORDS_REFERRAL_STATE)
		       ? words_text(code, w->lang)
		       : NULL;
}

/* A value may be a sentence of its own: "the peer's alert: certificate revoked". */
static void put_value(struct writing *w, const struct hole *value)
{
	const char *word = word_of(w, value);

	if (word) {
		put(w, word, strlen(word));
		return;
	}
	for (size_t i = 0; details_known[i]; i++) {
		const char *own = details_known[i];

		if (strlen(own) == value->len && memcmp(own, value->text, value->len) == 0) {
			own = catalog_text(w->lang, own);
			put(w, own, strlen(own));
			return;
		}
	}
	put(w, value->text, value->len);
}

/* A translation names its values in their order, "%s", or by number, "%2$s". */
static void put_sentence(struct writing *w, const char *translated,
			 const struct hole holes[HOLES_MAX])
{
	size_t next = 0;

	while (*translated) {
		size_t plain = strcspn(translated, "%");

		put(w, translated, plain);
		translated += plain;
		if (*translated == '\0')
			return;
		if (translated[1] == 's') {
			put_value(w, &holes[next++ % HOLES_MAX]);
			translated += 2;
		} else if (translated[1] >= '1' && translated[1] <= '0' + HOLES_MAX &&
			   translated[2] == '$' && translated[3] == 's') {
			put_value(w, &holes[translated[1] - '1']);
			translated += 4;
		} else {
			put(w, translated++, 1);
		}
	}
}

static bool put_known(struct writing *w, const char *text, size_t n)
{
	struct hole holes[HOLES_MAX] = { { "", 0 } };

	for (size_t i = 0; details_known[i]; i++) {
		if (is_sentence(details_known[i], text, n, holes)) {
			put_sentence(w, catalog_text(w->lang, details_known[i]), holes);
			return true;
		}
	}
	return false;
}

/* "where: ": a field, a path, an address; 0: none. */
static size_t where(const char *text, size_t n)
{
	for (size_t i = 0; i + 1 < n && text[i] != ' '; i++)
		if (text[i] == ':' && text[i + 1] == ' ')
			return i + 2;
	return 0;
}

static void put_line(struct writing *w, const char *text, size_t n)
{
	size_t place;

	while ((place = where(text, n)) > 0) {
		put(w, text, place);
		text += place;
		n -= place;
	}
	if (!put_known(w, text, n))
		put(w, text, n);
}

const char *details_in(enum words_lang lang, const char *english, char out[DETAILS_BYTES])
{
	struct writing w = { .lang = lang, .out = out };

	if (lang == WORDS_EN || !english)
		return english;
	out[0] = '\0';
	for (const char *line = english; *line;) {
		size_t n = strcspn(line, "\n");

		put_line(&w, line, n);
		line += n;
		if (*line)
			put(&w, line++, 1);
	}
	return w.full ? english : out;
}
