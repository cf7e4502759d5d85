/* libieum's end of the spool: what is written when.  See lib_internal.h and spool.h.
 *
 *   lib_spool.c        submits, receipts, copies     lib_spool_inbox.c  deliveries
 *                                                    lib_spool_hand.c   to the application
 *
 * Everything that a turn of the loop gathers goes into one transaction, committed at the turn's
 * end (lib_spool_turn); nothing of it reaches the hub or the application before.  Receipts are
 * noted with the next one, or after LIB_NOTE_MS: without the note the message is only sent again. */
#ifndef IEUM_CLIENT_LIB_SPOOL_H
#define IEUM_CLIENT_LIB_SPOOL_H

#include "client/lib_internal.h"
#include "client/spool.h"

enum {
	LIB_NOTE_MS = 200,
	LIB_AGAIN_MS = 1000,           /* after a transaction that failed */
	LIB_ADOPT_MS = 5000,           /* how often to look for what dead processes left */
	LIB_LOAD_MAX = 256,            /* messages read back in one turn */
	LIB_HAND_MAX = 64,             /* deliveries handed over in one turn */
	LIB_PAGES_MAX_BYTES = 4 << 20, /* of one result kept for when the hub isn't there */
};

/* A delivery on the spool that the application hasn't taken. */
struct held {
	int64_t number; /* of its row; 0: none */
	uint64_t told_id, wire_id;
	bool told;    /* handed over */
	bool taking;  /* confirmed; on the disk with the next commit */
	bool resting; /* given back */
	bool marked;  /* its row says that it was handed over, or will with the next commit: */
	bool marking;
	bool again; /* the application may have been given it before */
	bool bare;  /* has no row: it is the hub's until the application has taken it */
	ieum_settle_cb *cb;
	void *arg;
	TAILQ_ENTRY(held) link;
	UT_hash_handle hh;
	size_t len;
	uint8_t frame[]; /* as it came; empty of one that was handed over */
};
TAILQ_HEAD(held_list, held);

struct lib_spool {
	struct spool *file;
	struct outgoing_list writing; /* in the transaction */
	struct lib_trouble failed;    /* what could first not be written into it; or OK */
	struct outgoing_list noted;   /* ended, and not yet noted */
	struct outgoing *by_number;
	int64_t note_due_ms, adopt_due_ms; /* monotonic; INT64_MAX: never */
	int64_t load_after;                /* numbers up to here were read back */
	bool load_more;
	uint64_t copied_through; /* 0: the hub knows of no copy */
	uint64_t since_trim;     /* bytes receipted since the oldest were let go */

	struct held_list pending, ready, handed, taking, resting;
	struct held *by_told;
	size_t n_pending, n_ready, n_handed;
	int64_t held_after;
	bool held_more;
	int64_t take_due_ms; /* monotonic: when what is taken is written; 0: at once */
	bool taken_written;  /* it is in the transaction */
	bool trouble_told;   /* since it last worked */
	bool shut;           /* no deliveries are asked for: enough are held */
};

/* Tells the application that something could not be written. */
void lib_spool_tell(struct ieum *c, const struct ieum_failure *failure);
void lib_spool_trouble(struct ieum *c, enum ieum_err err); /* with the spool's last why */
/* The same of what fails again and again: once, until deliveries can be written again. */
void lib_spool_trouble_once(struct ieum *c, enum ieum_err err, const char *why);

/* lib_spool_inbox.c */
struct held *lib_held_new(const uint8_t *frame, size_t len); /* NULL: no memory */
void lib_held_free(struct lib_spool *sp, struct held *h);    /* on no list */
void lib_held_add(struct lib_spool *sp, struct held *h);     /* by its told_id */
struct held *lib_held_find(const struct lib_spool *sp, uint64_t told_id);
/* Delivery ids of another incarnation begin anew, so two that are held can have the same. */
uint64_t lib_held_told_for(struct ieum *c, uint64_t delivery_id);
/* Enough are held, or there are few again: the hub is told. */
void lib_spool_weigh(struct ieum *c);
/* Settles at the hub what was kept; those that the application has taken are told by the other. */
void lib_spool_inbox_committed(struct ieum *c, struct held_list *taken);
void lib_spool_inbox_tell_taken(struct ieum *c, struct held_list *taken);
void lib_spool_inbox_undone(struct ieum *c, const struct ieum_failure *failure);
void lib_spool_inbox_free(struct lib_spool *sp);

/* lib_spool_hand.c */
void lib_spool_inbox_turn(struct ieum *c);
/* NULL: that was told. */
Ieum__V1__Delivery *lib_held_read(struct ieum *c, const struct held *h, struct arena *arena,
				  struct codec_frame *frame);
/* The marks are on the disk, or can't be. */
void lib_spool_marked(struct lib_spool *sp);
/* What wasn't handed over says so on the disk again: for whoever ends. */
enum ieum_err lib_spool_unmark(struct lib_spool *sp) IEUM_MUST_CHECK;
/* What the application gave back is handed over again. */
void lib_spool_inbox_rested(struct ieum *c);
/* What the application has taken is to be written now; writes it. */
bool lib_spool_taking_is_due(const struct lib_spool *sp);
enum ieum_err lib_spool_write_taken(struct lib_spool *sp) IEUM_MUST_CHECK;

#endif
