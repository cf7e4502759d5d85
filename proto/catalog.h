/* Texts for people in their language.
 *
 * The English text is the key: it stands in the source, marked by N_() where it is data and looked
 * up by tr() where it is shown.  Other languages are gettext's catalogs, po/<language>.po, compiled
 * into <folder>/<language>/LC_MESSAGES/ieum.mo.  What is looked up belongs to the catalog and stays.
 * Choosing is for main(), before any other thread; looking up is for any thread. */
#ifndef IEUM_PROTO_CATALOG_H
#define IEUM_PROTO_CATALOG_H

#include "proto/words.h"

/* Marks a text for the catalog; it is shown by tr() or catalog_text(). */
#define N_(text) text

/* Finds the catalogs: share/locale beside the program's bin or sbin, so that a program from the
 * build and an installed one find each their own.  For main(), before any other thread: it sets the
 * environment's LANGUAGE.  Left out, the first text that is looked up does it. */
void catalog_open(void);

/* The language of the process: what tr() and the system's own messages (strerror) are in from now
 * on.  English before. */
void catalog_use(enum words_lang lang);

/* The text in a language; what has no translation stays English.  A format's translation takes the
 * same arguments (`make check` holds that). */
const char *catalog_text(enum words_lang lang, const char *english) __attribute__((format_arg(2)));
const char *tr(const char *english) __attribute__((format_arg(1)));

#endif
