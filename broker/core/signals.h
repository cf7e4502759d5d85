/* Blind signals, and the sets they make.
 *
 * Of a signal's tokens their tags are kept: kind, epoch and the first eight bytes of the HMAC, by
 * which the same token is found again.  Two signals agree when so many kinds of their tags are
 * equal as the linkage asks for; those that agree, directly or through others, are one set.  A set
 * with signals of enough different agencies becomes a case, which its convener alone hears of:
 * neither the signals' senders nor anybody else takes part in it.
 *
 * What always holds: a signal belongs to exactly one set, a set has its signals in the order of
 * their events; a tag lists the signals that have it in that order too, so that what is looked at
 * first, and what is dropped when a list is full, does not depend on how the state came about. */
#ifndef IEUM_BROKER_CORE_SIGNALS_H
#define IEUM_BROKER_CORE_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/core/heap.h"
#include "broker/core/lookup.h"
#include "broker/core/slab.h"
#include "broker/policy/policy.h"
#include "ieum/v1/event.pb-c.h"
#include "ieum/v1/snapshot.pb-c.h"
#include "proto/error.h"

enum {
	CORE_SIGNALS_MAX = 1 << 18,                          /* kept at one time … */
	CORE_SIGNALS_PER_SENDER_MAX = CORE_SIGNALS_MAX / 16, /* … of one sender */
	SIGNAL_TAGS_MAX = 16,    /* of one signal, as an envelope has tokens */
	SIGNAL_TOKEN_BYTES = 34, /* kind, epoch, HMAC-SHA-256: docs/tokens.md */
	SIGNAL_KIND_MAX = 15,
	SIGNAL_TAG_BYTES = 8,        /* of the HMAC */
	SIGNALS_PER_TAG_MAX = 64,    /* further ones push out the oldest … */
	SIGNALS_PER_TAG_OWN_MAX = 8, /* … of the same sender, when it has that many */
	SIGNALS_PER_SET_MAX = 256,   /* then the oldest leaves it */
	SIGNALS_JOINED_MAX = 4,      /* sets that one signal can make one */
	SIGNALS_ENDED_MAX = 4,       /* sets that end on occasion of one new signal */
	SIGNALS_SIGNS_MAX = 32,      /* of a set that its notice tells */
	SIGNALS_MONTHS_MAX = 12,     /* of a set that an agenda shows */
};

struct core;
struct arena;
struct core_case;
struct applied;
struct occasion;
struct submission;
struct snapshot_writing;

struct signal {
	uint8_t id[16]; /* of the message */
	uint64_t seq;   /* of the event that kept it; 0: the record is free */
	int64_t at_ms, until_ms;
	uint32_t participant, weight;
	uint32_t month;                   /* year * 12 + month - 1; 0: not stated */
	uint8_t category;                 /* as the message had it */
	uint32_t set, set_prev, set_next; /* in order of seq */
	uint32_t n_tags;
	uint64_t tags[SIGNAL_TAGS_MAX];
	uint8_t kinds[SIGNAL_TAGS_MAX], epochs[SIGNAL_TAGS_MAX];
	uint32_t places[SIGNAL_TAGS_MAX]; /* in the tags' lists; 0: pushed out */
};

struct signal_set {
	uint32_t head, tail, n;
	uint32_t core_case; /* that it has become; 0: none */
	uint32_t place;
	int64_t until_ms;
	char linkage[POLICY_NAME_BYTES];
};

/* A tag, and one signal in its list. */
struct signal_tag {
	uint64_t tag;
	uint32_t newest, n;
	uint8_t kind, epoch;
};

struct tag_place {
	uint32_t tag, signal;
	uint32_t newer, older;
	uint32_t which; /* of the signal's tags */
};

struct signals {
	struct slab records, sets, tags, places;
	struct lookup ids;      /* message ids to signals */
	struct lookup tag_keys; /* tags */
	struct heap ends;       /* sets, by when they are over */
};

void signals_init(struct core *c);
void signals_deinit(struct core *c);

/* Is the case a linked set's? */
bool signals_own_case(const struct core *c, const struct core_case *k);
/* By which linkage; NULL: the set is over, or united with another. */
const char *signals_linkage(const struct core *c, const struct core_case *k);
/* The months of its signals, each once, "2026-11"; at most SIGNALS_MONTHS_MAX. */
enum ieum_err signals_months(const struct core *c, const struct core_case *k, struct arena *arena,
			     char ***list, size_t *n) IEUM_MUST_CHECK;
/* Is it a linked set's whose gate is closed?  Then only its owner knows how and when it came to be. */
bool signals_closed_case(const struct core *c, const struct policy *p, const struct core_case *k,
			 int64_t now_ms);

/* ---- deciding ---- */

/* The occasion's message is a signal of that linkage: it is kept, and may make a set known.
 * FIELD_MISSING, FIELD_INVALID (its tokens), HUB_FULL; never anything that tells of a set. */
enum ieum_err signals_decide(const struct occasion *o, int linkage) IEUM_MUST_CHECK;
/* The gate of a linked set's case is open now: those who sent its signals are asked who it is. */
enum ieum_err signals_ask_who(const struct occasion *o, const char *gate) IEUM_MUST_CHECK;
/* FIELD_INVALID when the disclosure names a signal that its sender didn't send. */
enum ieum_err signals_check_disclosure(struct submission *s) IEUM_MUST_CHECK;

/* ---- state ---- */

enum ieum_err apply_signal_kept(struct core *c, const struct applied *a,
				const Ieum__V1__SignalKept *e) IEUM_MUST_CHECK;
/* The case is forgotten: so is its set (its handle, 0: none). */
void signals_forget(struct core *c, uint32_t set);

enum ieum_err signals_write(struct snapshot_writing *w) IEUM_MUST_CHECK;
enum ieum_err signals_read(struct core *c, const Ieum__V1__SnapshotSignal *m) IEUM_MUST_CHECK;
/* NULL, or what is wrong. */
const char *signals_check(const struct core *c);

#endif
