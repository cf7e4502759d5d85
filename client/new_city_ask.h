/* What `ieum init` is told: by options and words, and what is not by questions.
 *
 * A wrong answer says what a right one looks like.  On a terminal the same question follows again; an
 * option, or a line from anywhere else, ends it. */
#ifndef IEUM_CLIENT_NEW_CITY_ASK_H
#define IEUM_CLIENT_NEW_CITY_ASK_H

#include "client/invocation.h"
#include "client/new_city.h"

/* Texts that a new city borrows.  There is room for what is too long, so that it is refused as it was
 * given. */
struct new_city_answers {
	char hub[2 * NEW_CITY_WORD_BYTES];
	char jurisdiction[NEW_CITY_WORD_BYTES];
	char listen[300];
	char host[300];    /* by which name the profiles find the hub */
	char address[320]; /* the same with the port */
	char operator[NEW_CITY_WORD_BYTES];
};

/* Fills the city but for where it will be.  `city` borrows from `answers`.  DONE; USAGE, said. */
enum exit_code new_city_ask(const struct invocation *inv, struct new_city_answers *answers,
			    struct new_city *city);

#endif
