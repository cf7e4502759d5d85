/* The files of a hub that `ieum init` writes: who takes part, and how it runs.
 *
 * Texts are checked by new_city_*_valid() before they are put into a file; all are the caller's. */
#ifndef IEUM_CLIENT_NEW_CITY_H
#define IEUM_CLIENT_NEW_CITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum {
	NEW_CITY_AGENCIES_MAX = 250,
	NEW_CITY_WORD_BYTES = 64, /* a kind or a name, as a certificate can hold it */
	NEW_CITY_TITLE_BYTES = 200,
	NEW_CITY_PATH_BYTES = 4096,
};

struct new_agency {
	char kind[NEW_CITY_WORD_BYTES];
	char name[NEW_CITY_WORD_BYTES];
	char title[NEW_CITY_TITLE_BYTES];
};

struct new_city {
	const char *dir;
	const char *hub;
	const char *jurisdiction;
	const char *listen;   /* "address:port" or ":port" */
	const char *address;  /* "host:port", for the profiles */
	const char *account;  /* the hub's when it is started as root; NULL: not started as root */
	const char *journal;  /* path, relative to dir */
	const char *operator; /* participant that looks after queues, one of the agencies */
	struct new_agency agencies[NEW_CITY_AGENCIES_MAX];
	size_t n;
};

/* "police:gimpo-ps" or "police:gimpo-ps:Gimpo police station". */
bool new_city_read_agency(const char *text, struct new_agency *out);
bool new_city_hub_valid(const char *text);
bool new_city_jurisdiction_valid(const char *text);
bool new_city_listen_valid(const char *text);
bool new_city_host_valid(const char *text);

/* Whom a report goes to: the first case manager, else city division, else the last agency. */
const struct new_agency *new_city_receiver(const struct new_city *city);

void new_city_write_hub(const struct new_city *city, FILE *out);
void new_city_write_ieumd(const struct new_city *city, FILE *out);
void new_city_write_profile(const struct new_city *city, const struct new_agency *agency,
			    FILE *out);

#endif
