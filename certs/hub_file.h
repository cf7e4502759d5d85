/* What certificates need from a hub file: the hub's name, and each participant with its kind.
 *
 * The rest of the file is policy and not looked at: the broker judges it. */
#ifndef IEUM_CERTS_HUB_FILE_H
#define IEUM_CERTS_HUB_FILE_H

#include <stddef.h>

#include "proto/error.h"
#include "proto/tls.h"
#include "yaml/yaml_diag.h"

enum { HUB_FILE_PARTICIPANTS_MAX = 10000 };

struct hub_participant {
	char name[TLS_LABEL_MAX_BYTES + 1];
	char kind[TLS_LABEL_MAX_BYTES + 1];
};

struct hub_file {
	char hub[TLS_IDENTITY_MAX_BYTES + 1];
	struct hub_participant *participants;
	size_t n;
};

/* FILE_UNREADABLE, FILE_INVALID with the mistakes in diag, NO_MEMORY. */
enum ieum_err hub_file_load(const char *path, struct hub_file *out,
			    struct yaml_diag *diag) IEUM_MUST_CHECK;
void hub_file_release(struct hub_file *file);

#endif
