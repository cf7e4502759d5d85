/* The spool: what an agency has submitted and what it was given, on its own disk.
 *
 *   submit     waiting ──receipt──► receipted ──Copied covers it, or too many are kept──► gone
 *                 ▲  │                  │
 *                 │  │ final error      └── the hub has a new incarnation ──► waiting
 *                 │  ▼
 *                 refused ──► gone (told to the application, or dropped by its user)
 *   delivery   held ──the application has taken it──► taken ──enough newer ones──► gone
 *
 * One SQLite file (WAL, synchronous=FULL) beside which lies FILE-holders, a file of locks.
 * Several processes may have it open: each locks a byte of that file, its *slot*, and a row that
 * waits or is held belongs to a slot.  The rows of a slot whose lock nobody has belong to a process
 * that died, and are adopted.
 *
 * Writing functions begin a transaction where there is none; nothing counts before spool_commit().
 * After a failed one everything since the last commit is undone.  Every row has a digest, checked
 * when it is read.  Its owner, participant and hub, is bound in it.
 *
 * What is gone can't be read from the file any more (secure_delete), nor from its log once a process
 * that has it open ends.
 *
 * One thread at a time.  It blocks: a commit waits for the disk.
 *
 * Errors, with what and where in `why`; what to do follows from the code (docs/spool.md), and is in
 * `why` where it doesn't: SPOOL_FULL (its limit or the disk's), SPOOL_CORRUPT (`ieum spool check`,
 * then `salvage`), SPOOL_LOCKED, FILE_UNREADABLE (it can't be opened, read or written),
 * FILE_INVALID (others may read it), SPOOL_FOREIGN (it is of another participant or hub),
 * NO_MEMORY.  After FILE_UNREADABLE at a commit every later one fails as well: what the disk has
 * is known only after opening it again. */
#ifndef IEUM_CLIENT_SPOOL_H
#define IEUM_CLIENT_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

enum {
	SPOOL_VERSION = 2,
	SPOOL_SLOTS_MAX = 64, /* processes that have it open */
	SPOOL_WHY_BYTES = 512,
	SPOOL_ID_BYTES = 16,
	SPOOL_DETAIL_BYTES = 512,
	SPOOL_TAKEN_MAX = 16384, /* taken deliveries remembered */
	SPOOL_BUSY_MS = 5000,    /* how long another process's transaction is waited for */
};

struct spool;

struct spool_options {
	const char *path;
	const char *participant, *hub; /* NULL: bound later, by spool_bind() */
	uint64_t bytes_max;            /* messages and deliveries in it; 0: 256 MiB */
	const char *vfs;               /* of SQLite; NULL: the usual one */
	uint32_t busy_ms;              /* 0: SPOOL_BUSY_MS */
};

enum ieum_err spool_open(const struct spool_options *options, struct spool **out,
			 char why[SPOOL_WHY_BYTES]) IEUM_MUST_CHECK;
void spool_close(struct spool *s); /* takes NULL; what isn't committed is undone */

/* Why the last function failed. */
const char *spool_why(const struct spool *s);

/* Binds the owner where none is, else compares it. */
enum ieum_err spool_bind(struct spool *s, const char *participant, const char *hub) IEUM_MUST_CHECK;

enum ieum_err spool_commit(struct spool *s) IEUM_MUST_CHECK; /* OK when there is nothing */
bool spool_dirty(const struct spool *s);                     /* something waits for it */
void spool_rollback(struct spool *s); /* everything since the last commit is undone */

/* ---- submits ---- */

enum spool_state { SPOOL_WAITING, SPOOL_RECEIPTED, SPOOL_REFUSED };

/* Who can open what was sealed here. */
enum spool_sealed {
	SPOOL_NOT_SEALED,
	SPOOL_SEALED_TO_US,   /* we alone: the hub couldn't be asked yet whom it reaches */
	SPOOL_SEALED_TO_THEM, /* and those whom it reached when the hub was asked */
};

struct spool_message {
	int64_t number; /* in the order of being put; from 1 */
	enum spool_state state;
	uint8_t message_id[SPOOL_ID_BYTES];
	const uint8_t *referral; /* packed */
	size_t len;
	int64_t since_ms; /* Unix time when it was put */
	bool stamped;     /* we made the id */
	bool on_wire;     /* it may have been */
	enum spool_sealed sealed;
	bool mine; /* out: of this process */
	/* receipted */
	uint64_t journal_number;
	/* refused */
	uint32_t code;
	char detail[SPOOL_DETAIL_BYTES];
};

/* What is put belongs to this process.  *number is told.  SPOOL_FULL undoes nothing else. */
enum ieum_err spool_put(struct spool *s, const struct spool_message *m,
			int64_t *number) IEUM_MUST_CHECK;
/* Another id, or other sealed parts, in the same place; it may be on the wire from then on. */
enum ieum_err spool_replace(struct spool *s, const struct spool_message *m) IEUM_MUST_CHECK;
enum ieum_err spool_receipted(struct spool *s, int64_t number, const uint8_t *incarnation,
			      uint64_t journal_number) IEUM_MUST_CHECK;
enum ieum_err spool_refused(struct spool *s, int64_t number, uint32_t code,
			    const char *detail) IEUM_MUST_CHECK;
enum ieum_err spool_drop(struct spool *s, int64_t number) IEUM_MUST_CHECK;
/* What of ours waits may be on the wire from now on, but for ids made by us whose time (Unix, ms) isn't
 * above the first and up to the second. */
enum ieum_err spool_sending(struct spool *s, int64_t after_ms, int64_t until_ms) IEUM_MUST_CHECK;
/* A refused one waits again, for this process, as if no hub had ever seen it and its id were ours. */
enum ieum_err spool_resend(struct spool *s, int64_t number) IEUM_MUST_CHECK;

/* Receipted messages up to the number are on another disk as well: gone. */
enum ieum_err spool_copied(struct spool *s, const uint8_t *incarnation,
			   uint64_t through) IEUM_MUST_CHECK;
/* Those with a receipt of another incarnation wait again, for this process; how many. */
enum ieum_err spool_again(struct spool *s, const uint8_t *incarnation, size_t *n) IEUM_MUST_CHECK;
/* Of the receipted messages the oldest go until the rest has at most so many bytes; how many went. */
enum ieum_err spool_trim(struct spool *s, uint64_t bytes, size_t *n) IEUM_MUST_CHECK;

/* What was left by processes that died is ours now.  Deliveries only when asked for. */
enum ieum_err spool_adopt(struct spool *s, bool deliveries, size_t *n) IEUM_MUST_CHECK;

/* False: stop. */
typedef bool spool_message_cb(const struct spool_message *m, void *arg);
/* Ours that wait, with numbers above `after`, in order. */
enum ieum_err spool_waiting(struct spool *s, int64_t after, spool_message_cb *cb,
			    void *arg) IEUM_MUST_CHECK;
/* All, of every process. */
enum ieum_err spool_messages(struct spool *s, spool_message_cb *cb, void *arg) IEUM_MUST_CHECK;

/* ---- deliveries ---- */

struct spool_delivery {
	int64_t number;
	bool taken;
	bool mine;
	uint8_t message_id[SPOOL_ID_BYTES];
	uint64_t mailbox;                    /* hash of its name */
	uint64_t wire_id;                    /* the hub's id, in */
	uint8_t incarnation[SPOOL_ID_BYTES]; /* this one */
	uint64_t told_id;                    /* as the application knows it */
	bool handed; /* an application, of this process or another, may have been given it */
	/* Why it came, as the hub tells it: with these a hub that was restored from a backup is
	 * known to give it again. */
	int cause;
	int64_t answer_by_at_ms; /* 0: no answer is asked for */
	int64_t received_at_ms;
	int64_t since_ms;     /* Unix time when it came */
	const uint8_t *frame; /* as it came; NULL of one that is taken */
	size_t len;
};

enum ieum_err spool_deliver(struct spool *s, const struct spool_delivery *d,
			    int64_t *number) IEUM_MUST_CHECK;
/* The same one, without its frame, number 0: none.  Of this incarnation that is the one with its wire
 * id; of another the first that came to the same mailbox for the same reason. */
enum ieum_err spool_find_delivery(struct spool *s, const struct spool_delivery *like,
				  struct spool_delivery *out) IEUM_MUST_CHECK;
/* The same delivery under another id of the hub's. */
enum ieum_err spool_renew(struct spool *s, int64_t number, uint64_t wire_id,
			  const uint8_t *incarnation) IEUM_MUST_CHECK;
/* The application is about to be given it; or was not. */
enum ieum_err spool_handed(struct spool *s, int64_t number, bool handed) IEUM_MUST_CHECK;
enum ieum_err spool_taken(struct spool *s, int64_t number) IEUM_MUST_CHECK;

typedef bool spool_delivery_cb(const struct spool_delivery *d, void *arg);
/* Ours that are held, with numbers above `after`, in order. */
enum ieum_err spool_held(struct spool *s, int64_t after, spool_delivery_cb *cb,
			 void *arg) IEUM_MUST_CHECK;
/* Those with a term: all that are held, and all that came at or after this time, of every process;
 * in the order of their terms. */
enum ieum_err spool_terms(struct spool *s, int64_t since_ms, spool_delivery_cb *cb,
			  void *arg) IEUM_MUST_CHECK;

/* ---- pages for when the hub isn't there ---- */

struct spool_page {
	const uint8_t *bytes;
	size_t len;
};

/* Replaces what was kept under this name.  as_of_ms: our clock, as a delivery's since_ms. */
enum ieum_err spool_keep_pages(struct spool *s, const char *name, int64_t as_of_ms,
			       const struct spool_page *pages, size_t n) IEUM_MUST_CHECK;
typedef bool spool_page_cb(int64_t as_of_ms, const struct spool_page *page, void *arg);
enum ieum_err spool_pages(struct spool *s, const char *name, spool_page_cb *cb,
			  void *arg) IEUM_MUST_CHECK;

/* ---- the whole ---- */

struct spool_sum {
	uint64_t bytes, bytes_max;
	uint64_t waiting, receipted, refused, held;
	uint64_t let_go; /* receipted messages that went without a copy, ever */
	uint64_t copied_through;
	char participant[80], hub[80];
	uint8_t incarnation[SPOOL_ID_BYTES];
	bool has_incarnation;
	uint64_t receipt_number; /* the newest receipt of this incarnation; 0: none */
};
enum ieum_err spool_sum(struct spool *s, struct spool_sum *out) IEUM_MUST_CHECK;
/* What the hub said last; kept for whoever looks. */
enum ieum_err spool_note_hub(struct spool *s, const uint8_t *incarnation,
			     uint64_t copied_through) IEUM_MUST_CHECK;

/* Looks at every page and every digest; OK, or SPOOL_CORRUPT with the first things found, a line
 * each, in `why`. */
enum ieum_err spool_check(const char *path, char why[SPOOL_WHY_BYTES]) IEUM_MUST_CHECK;

struct spool_salvaged {
	uint64_t messages, deliveries; /* saved */
	uint64_t lost;                 /* rows that can't be read, at least */
	char aside[4096];              /* where the old file lies now */
};
/* Moves the file aside and makes a new one with every row that can still be read.  SPOOL_LOCKED
 * while a process has it open. */
enum ieum_err spool_salvage(const char *path, struct spool_salvaged *out,
			    char why[SPOOL_WHY_BYTES]) IEUM_MUST_CHECK;

#endif
