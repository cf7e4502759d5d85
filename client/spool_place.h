/* The command's spool: where it lies, and what is said of it on stderr.  Main thread. */
#ifndef IEUM_CLIENT_SPOOL_PLACE_H
#define IEUM_CLIENT_SPOOL_PLACE_H

#include "client/ieum.h"
#include "client/invocation.h"

/* Fills profile->spool where the profile doesn't name one: ieum/spool-<participant>.db in the folder
 * of states ($XDG_STATE_HOME, else ~/.local/state), which is made.  NULL stays: the profile wants
 * none, or there is no home or no folder can be made in it (profile->spool_missing), or the certificate
 * can't be read, which connecting will say. */
enum ieum_err spool_place(struct profile *profile) IEUM_MUST_CHECK;

/* In the user's words; with --json an object on a line. */
void spool_say_alone(const struct invocation *inv, int64_t for_ms, uint64_t waiting);
void spool_say_resent(const struct invocation *inv, const uint8_t *message_id,
		      const Ieum__V1__Receipt *receipt, const struct ieum_failure *failure);
void spool_say_renamed(const struct invocation *inv, const uint8_t *before, const uint8_t *now);
/* There should be one, and nobody knows where; nothing is said where there is one. */
void spool_say_missing(const struct invocation *inv);
void spool_say_let_go(const struct invocation *inv, size_t messages);
void spool_say_trouble(const struct invocation *inv, const struct ieum_failure *why);
/* It has no receipt, but it is not lost. */
void spool_say_kept(const struct invocation *inv, const uint8_t *message_id);

#endif
