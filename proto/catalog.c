/* Texts for people in their language; see catalog.h. */
#include "proto/catalog.h"

#include <limits.h>
#include <libintl.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DOMAIN     "ieum"
#define TRANSLATED "C.UTF-8" /* on every machine, unlike ko_KR.UTF-8 */

static enum words_lang language = WORDS_EN;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t messages; /* 0: nothing is translated */

/* <folder of the program>/<up>/share/locale, if it is there. */
static bool beside_program(const char *up, char folder[PATH_MAX])
{
	char program[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
	char *slash;

	if (n < 0)
		return false;
	program[n] = '\0';
	slash = strrchr(program, '/');
	if (!slash)
		return false;
	*slash = '\0';
	n = snprintf(folder, PATH_MAX, "%s/%s/share/locale", program, up);
	return n > 0 && n < PATH_MAX && access(folder, R_OK) == 0;
}

static void bind_to(const char *folder)
{
	/* In the locale "C" gettext never looks. */
	messages = newlocale(LC_MESSAGES_MASK, TRANSLATED, (locale_t)0);
	/* English is the key itself, so only one catalog is ever looked into.  Which language a person
	 * wants is words_lang_chosen()'s to say, which doesn't ask this variable. */
	setenv("LANGUAGE", "ko", 1);
	bindtextdomain(DOMAIN, folder);
	bind_textdomain_codeset(DOMAIN, "UTF-8");
}

static void find(void)
{
	char folder[PATH_MAX];

	/* bin, or sbin; test programs lie a folder deeper. */
	if (beside_program("..", folder) || beside_program("../..", folder))
		bind_to(folder);
}

void catalog_open(void)
{
	pthread_once(&once, find);
}

void catalog_use(enum words_lang lang)
{
	language = lang;
	/* What the system says of an error (strerror) is in that language too, where it knows it. */
	setlocale(LC_MESSAGES, lang == WORDS_EN ? "C" : TRANSLATED);
	setlocale(LC_CTYPE, TRANSLATED);
}

const char *catalog_text(enum words_lang lang, const char *english)
{
	/* The key "" is the catalog's head. */
	if (lang == WORDS_EN || english[0] == '\0')
		return english;
	catalog_open();
	if (!messages)
		return english;

	/* The thread's own locale may be "C": a hub logs in English and sends in both. */
	locale_t before = uselocale(messages);
	const char *text = dgettext(DOMAIN, english);
	uselocale(before);
	return text;
}

const char *tr(const char *english)
{
	return catalog_text(language, english);
}
