/* The form of a person's name: docs/tokens.md, "Names".
 *
 * The difficulty is telling an honorific from a syllable of the name: 김민준군 is young Mr 김민준,
 * 김소양 is a whole name.  In doubt the syllable stays: two forms of one person's name miss each
 * other, which other kinds of token make good; one form of two persons' names would not be noticed. */
#include <string.h>

#include "client/identifier.h"

enum { WORDS_MAX = LETTERS_TEXT_BYTES_MAX };

/* A name as its words, which lie one after the other in `all`. */
struct name {
	struct letters all;
	size_t n_words;
	size_t begin[WORDS_MAX]; /* of each word in `all` */
};

/* What follows a name.  `whole`: characters that must be left of the name, so that no syllable of
 * its own is taken; `apart`: the same where it stands as a word of its own. */
static const struct honorific {
	const char *text;
	size_t whole, apart;
} honorifics[] = {
	{ "어린이", 2, 2 }, { "아동", 2, 2 }, { "학생", 2, 2 }, { "선생", 2, 2 }, { "여사", 2, 2 },
	{ "씨", 2, 2 },     { "님", 3, 2 },   { "군", 3, 2 },   { "양", 3, 2 },
};

static const char *const titles[] = { "mr", "mrs", "ms", "miss", "dr" };

/* Surnames of two syllables that are in use. */
static const char *const long_surnames[] = { "남궁", "독고", "동방", "사공",
					     "서문", "선우", "제갈", "황보" };

/* "김민준 어머니" is somebody else than 김민준. */
static const char *const relations[] = {
	"어머니", "어머님",   "아버지",   "아버님", "엄마", "아빠",   "할머니",
	"할머님", "할아버지", "할아버님", "보호자", "부모", "부모님", "모친",
	"부친",   "친모",     "친부",     "계모",   "계부", "조모",   "조부",
	"숙모",   "숙부",     "고모",     "이모",   "삼촌", "아기",   "신생아",
};
/* The same, but only as words of their own. */
static const char *const short_relations[] = { "모", "부", "母", "父" };

static const char *const fillers[] = {
	"미상",      "불상",     "불명",     "미정",     "모름",     "없음",     "익명",
	"무명",      "이름없음", "이름모름", "성명미상", "성명불상", "신원미상", "신원불상",
	"무명남",    "무명녀",   "남아",     "여아",     "아동",     "어린이",   "학생",
	"anonymous", "none",     "noname",   "unknown",
};

#define COUNT_OF(list) (sizeof(list) / sizeof(list)[0])

static bool is_sign(int32_t c)
{
	switch (c) {
	case '\'':
	case '`':
	case 0x00B4: /* acute accent */
	case 0x00B7: /* middle dot */
	case 0x2018: /* quotation marks used as apostrophes */
	case 0x2019:
	case 0x318D: /* Hangul letter that is typed as a middle dot */
	case 0x30FB: /* Katakana middle dot */ return true;
	default: return letters_is_dash(c);
	}
}

/* "Mr.Kim" is two words. */
static bool is_gap(int32_t c)
{
	return letters_is_space(c) || c == '.' || c == ',';
}

static void split(const struct letters *text, struct name *out)
{
	bool inside = false;

	out->n_words = 0;
	out->all.n = 0;
	for (size_t i = 0; i < text->n && out->n_words < WORDS_MAX; i++) {
		if (is_gap(text->at[i])) {
			inside = false;
			continue;
		}
		if (is_sign(text->at[i]))
			continue;
		if (!inside)
			out->begin[out->n_words++] = out->all.n;
		inside = true;
		out->all.at[out->all.n++] = text->at[i];
	}
}

static enum identifier_wrong check_letters(const struct letters *text)
{
	if (text->n == 0)
		return IDENTIFIER_EMPTY;
	for (size_t i = 0; i < text->n; i++) {
		if (!letters_is_letter(text->at[i]))
			return IDENTIFIER_NOT_LETTERS;
	}
	for (size_t i = 0; i < text->n; i++) {
		if (letters_is_jamo(text->at[i]))
			return IDENTIFIER_LOOSE_JAMO;
	}
	return IDENTIFIER_NONE;
}

static bool word_is(const struct name *name, size_t word, const char *utf8)
{
	size_t end = word + 1 < name->n_words ? name->begin[word + 1] : name->all.n;
	size_t len = letters_end(&name->all, end, utf8);

	return len > 0 && end - len == name->begin[word];
}

static bool drop_title(struct name *name)
{
	for (size_t t = 0; t < COUNT_OF(titles) && name->n_words > 1; t++) {
		size_t len = name->begin[1];

		if (!word_is(name, 0, titles[t]))
			continue;
		name->all.n -= len;
		memmove(name->all.at, name->all.at + len, name->all.n * sizeof *name->all.at);
		name->n_words--;
		for (size_t w = 0; w < name->n_words; w++)
			name->begin[w] = name->begin[w + 1] - len;
		return true;
	}
	return false;
}

/* Is the last word one of its own, and not the third of a name written syllable by syllable? */
static bool last_stands_apart(const struct name *name)
{
	size_t last = name->n_words - 1;

	return last > 0 && name->begin[last] - name->begin[last - 1] >= 2;
}

static bool names_a_relation(const struct name *name)
{
	for (size_t r = 0; r < COUNT_OF(short_relations) && last_stands_apart(name); r++) {
		if (word_is(name, name->n_words - 1, short_relations[r]))
			return true;
	}
	for (size_t r = 0; r < COUNT_OF(relations); r++) {
		size_t len = letters_end(&name->all, name->all.n, relations[r]);

		/* One syllable before it: a name such as 김아기. */
		if (len > 0 && name->all.n - len != 1)
			return true;
	}
	return false;
}

/* How many characters must be left before this honorific, which takes the last `len`. */
static size_t must_stay(const struct name *name, const struct honorific *h, size_t len)
{
	size_t rest = name->all.n - len, last = name->n_words - 1;
	bool apart = name->begin[last] == rest && last_stands_apart(name);

	if (rest > 0 && !letters_is_syllable(name->all.at[rest - 1]))
		return 2;
	for (size_t s = 0; s < COUNT_OF(long_surnames); s++) {
		if (letters_begin(&name->all, long_surnames[s]))
			return (apart ? h->apart : h->whole) + 1;
	}
	return apart ? h->apart : h->whole;
}

/* 김 학생: an honorific after a surname alone.  김양 and 김군 may be whole names. */
static bool is_surname_only(const struct name *name)
{
	for (size_t h = 0; h < COUNT_OF(honorifics) && honorifics[h].whole == 2; h++) {
		size_t len = letters_end(&name->all, name->all.n, honorifics[h].text);
		size_t rest = name->all.n - len;

		if (len == 0)
			continue;
		if (rest == 1)
			return true;
		for (size_t s = 0; s < COUNT_OF(long_surnames) && rest == 2; s++) {
			if (letters_begin(&name->all, long_surnames[s]))
				return true;
		}
	}
	return false;
}

static bool drop_honorific(struct name *name)
{
	for (size_t h = 0; h < COUNT_OF(honorifics); h++) {
		size_t len = letters_end(&name->all, name->all.n, honorifics[h].text);

		if (len == 0 || name->all.n < len + must_stay(name, &honorifics[h], len))
			continue;
		name->all.n -= len;
		while (name->n_words > 1 && name->begin[name->n_words - 1] >= name->all.n)
			name->n_words--;
		return true;
	}
	return false;
}

static bool is_filler(const struct letters *text)
{
	for (size_t f = 0; f < COUNT_OF(fillers); f++) {
		if (letters_are(text, fillers[f]))
			return true;
	}
	return false;
}

/* 김민준A: how a class register tells two of one name apart. */
static bool is_of_class_register(const struct letters *text)
{
	return text->n > 1 && letters_is_syllable(text->at[text->n - 2]) &&
	       text->at[text->n - 1] >= 'a' && text->at[text->n - 1] <= 'z';
}

enum identifier_wrong name_form(struct letters *text)
{
	struct name name;
	enum identifier_wrong wrong = identifier_failed(letters_fold(text));

	if (wrong)
		return wrong;
	split(text, &name);
	wrong = check_letters(&name.all);
	if (wrong)
		return wrong;
	while (drop_title(&name))
		;
	do {
		if (names_a_relation(&name))
			return IDENTIFIER_RELATION;
		if (is_surname_only(&name))
			return IDENTIFIER_TOO_SHORT;
	} while (drop_honorific(&name));
	*text = name.all;
	if (is_of_class_register(text))
		return IDENTIFIER_NOT_LETTERS;
	if (is_filler(text))
		return IDENTIFIER_FILLER;
	return text->n < 2 ? IDENTIFIER_TOO_SHORT : IDENTIFIER_NONE;
}
