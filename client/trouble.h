/* Errors, said to a person or to a program: on stderr, in the chosen language, with what to do.
 *
 *     ieum: the case cannot close while a referral or a clock in it is open (DOMAIN_OPEN)
 *       legal, medical
 *       Wait for, or cancel, the open referrals: …
 *
 * With --json one object: {"error": {"code": 33, "name": "DOMAIN_OPEN", "text": …, "detail": …,
 * "do": …, "retry_after_ms": …, "exit": 1}}; code 0 for what has no number in the error table.
 * Every function returns the code to exit with. */
#ifndef IEUM_CLIENT_TROUBLE_H
#define IEUM_CLIENT_TROUBLE_H

#include <stdint.h>

#include "client/invocation.h"
#include "yaml/yaml_diag.h"

/* detail may be NULL; what details.h knows is said in the language. */
enum exit_code trouble(const struct invocation *inv, enum ieum_err err, const char *detail);

/* What `ieum spool check` found: it isn't told to look once more. */
enum exit_code trouble_damaged(const struct invocation *inv, const char *detail);

/* No answer came in time, and the message is kept: another submit would be another message. */
enum exit_code trouble_kept(const struct invocation *inv, const char *detail);

/* The same with the hint of an Error frame; text NULL: the table's. */
struct trouble_from_hub {
	uint32_t code;
	const char *name;
	const char *detail;
	const char *act;               /* what to do; NULL: what follows from the code */
	const char *text_en, *text_ko; /* for codes that this version does not know */
	uint32_t retry_after_ms;
};
enum exit_code trouble_hub(const struct invocation *inv, const struct trouble_from_hub *e);

/* A mistake on the command line; the text has one %s. */
enum exit_code trouble_usage(const struct invocation *inv, enum text_id what, const char *word);

/* Mistakes in a YAML file, each with its line. */
enum exit_code trouble_file(const struct invocation *inv, enum ieum_err err,
			    const struct yaml_diag *diag);

/* A file that can't be read: errno says why. */
enum exit_code trouble_errno(const struct invocation *inv, const char *path);

enum exit_code trouble_output(const struct invocation *inv);

#endif
