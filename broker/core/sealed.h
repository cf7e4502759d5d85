/* Messages with sealed parts: which certificates hold their content keys, which were wrapped later,
 * and who wants some.
 *
 *      submitted.sealed ──► holders            a holder opens the part as it was submitted
 *      a delivery is queued, a reader asks ──► look ──► want ──► key_request ──► key_wrap ──► key
 *
 * What is inside stays closed to the hub: it knows the numbers of parts, participants, and a
 * RecipientInfo for each key that was wrapped, which it puts into the part for its reader.
 *
 * A *want* is somebody who may read parts that a valid certificate of it holds no key of: a newcomer,
 * or one more workstation.  Those who hold one are asked in turn (its own workstations, the case's
 * owner, the sender, the others); on silence and rejection the next.  A request has room for some
 * certificates: who wraps for these is asked for the rest.  When nobody is left to ask, it *waits* until a holder who was silent connects, somebody else becomes one, or the
 * newcomer comes with another certificate.  Whoever declined, or wrapped what doesn't open, is asked
 * again only on the last of these.
 *
 * What always holds: a message has one record, as long as its content is there; somebody wants parts
 * of a message once; a want is in the heap or waits; nobody without a valid certificate is asked for;
 * when one is seen, all is looked at again; what has still to be looked at is at the end of the
 * list.  Past the bounds below none is noted: all is looked at again when there is room, or who lacks
 * a key is noted when it reads the message.  Private to broker/core. */
#ifndef IEUM_BROKER_CORE_SEALED_H
#define IEUM_BROKER_CORE_SEALED_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/core/core.h"
#include "broker/core/heap.h"
#include "broker/core/lookup.h"
#include "broker/core/slab.h"
#include "ieum/v1/snapshot.pb-c.h"

struct applied;
struct referral;
struct snapshot_writing;
struct submission;

enum {
	SEALED_PARTS_MAX = 16,
	SEALED_NAMES_MAX = 16,       /* whom one part is for */
	SEALED_READERS_MAX = 512,    /* of one message, when whom it is sealed to is compared */
	SEALED_KEYS_MAX = 1024,      /* wrapped later, of one message */
	SEALED_REJECTED_MAX = 64,    /* of one message; the oldest make room */
	SEALED_ASKED_MAX = 32,       /* holders that are asked for one want before it waits */
	SEALED_PAUSE_MS = 600000,    /* between two rounds of asking for one want, at least */
	SEALED_WANTS_MAX = 1 << 13,  /* in the whole hub: a connection looks at all that wait */
	SEALED_WANTS_OF_ONE = 256,   /* of them of one participant */
	SEALED_WANTED_OF_ONE = 2048, /* of them of what one participant sent */
	SEALED_ROOM_EVERY = 64,      /* wants fewer: room for those who were skipped */
	SEALED_LOOKED_MAX = 64,      /* messages that are looked at in one decision */
	SEALED_LOOK_WORK = 4096,     /* and deliveries and readers of them, about */
	SEALED_NOTED_MAX = 32,       /* wants that one decision notes; the next goes on */
};

/* What a certificate is known by here: certificate_identifier(). */
struct sealed_certificates {
	uint64_t *ids; /* ascending */
	size_t n;
};

struct sealed_part {
	uint32_t number;
	uint32_t *holders; /* participants */
	size_t n_holders;
	struct sealed_certificates to; /* theirs, that it is sealed to */
	char **recipients;             /* names; none: every recipient of the message */
	size_t n_recipients;
};

/* Wrapped later. */
struct sealed_key {
	uint32_t participant, holder;
	uint32_t part;
	uint8_t *info;
	size_t info_len;
	uint8_t wrap_id[CORE_ID_BYTES]; /* the key_wrap that brought it */
	struct sealed_certificates to;
};

/* What a holder wrapped for a participant didn't open, which had this one as its newest certificate. */
struct sealed_rejected {
	uint32_t participant, holder;
	uint64_t newest;
};

struct sealed {
	uint32_t referral;
	uint32_t prev, next;
	struct sealed_part *parts;
	size_t n_parts;
	struct sealed_key *keys;
	size_t n_keys;
	struct sealed_rejected *rejected;
	size_t n_rejected;
	uint32_t first_want;
	uint64_t looked; /* the epoch in which it was looked at last; 0: none */
};

struct sealed_want {
	uint32_t sealed;
	uint32_t next; /* of the same message */
	uint32_t participant;
	uint32_t parts; /* a bit for each, the lowest for number 1 */
	uint32_t asked[SEALED_ASKED_MAX];
	uint32_t n_asked;
	uint32_t declined[SEALED_ASKED_MAX];
	uint32_t n_declined;
	uint64_t requests[SEALED_ASKED_MAX]; /* seqs of the newest key_requests */
	uint32_t n_requests;
	uint32_t partly;     /* asked for the certificates up to `through` only; 0: nobody */
	uint64_t through;    /* 0: for all */
	int64_t asked_at_ms; /* last */
	uint8_t request_id[CORE_ID_BYTES]; /* that asks the last of them; zero: none does */
	int64_t ask_again_at_ms;           /* 0: it waits */
	uint32_t place;
	uint32_t wait_prev, wait_next;
};

struct sealed_messages {
	struct slab records, wants;
	uint32_t head, tail;
	uint32_t first_look; /* the first that has to be looked at; 0: none */
	uint64_t epoch;      /* what was looked at in another has to be looked at */
	struct heap due;     /* wants that are not waiting */
	uint32_t wait_head;
	bool skipped;        /* somebody lacks a key for whom there was no room */
	struct lookup wraps; /* records by the key_wraps that brought their keys */
};

static inline uint32_t sealed_bit(uint32_t part)
{
	return part >= 1 && part <= SEALED_PARTS_MAX ? UINT32_C(1) << (part - 1) : 0;
}

void sealed_init(struct core *c);
void sealed_deinit(struct core *c);

/* ---- looking; sealed.c, wants: sealed_wants.c ---- */

struct sealed *sealed_at(const struct core *c, uint32_t h);
struct sealed_want *sealed_want_at(const struct core *c, uint32_t h);
/* 0: it wants none. */
uint32_t sealed_want_of(const struct core *c, const struct sealed *s, uint32_t participant);
/* Is this one asked to wrap for it? */
static inline bool sealed_asks(const struct sealed_want *w, uint32_t participant)
{
	for (uint32_t i = 0; i < w->n_asked; i++)
		if (w->asked[i] == participant)
			return true;
	return false;
}
/* Does what it is asked for leave out certificates, for which it is asked next? */
bool sealed_asked_partly(const struct sealed_want *w, uint32_t holder);
/* Does this one not wrap for it? */
bool sealed_declined(const struct sealed_want *w, uint32_t participant);
/* Has the participant given back what this holder (0: anyone) wrapped, and comes with the same
 * certificates since? */
bool sealed_has_rejected(const struct core *c, const struct sealed *s, uint32_t participant,
			 uint32_t holder);
/* The parts (bits) that a participant holds a key of, from the beginning or wrapped later. */
uint32_t sealed_held(const struct sealed *s, uint32_t participant);
/* A participant's valid certificates, in the order in which they were seen, and what each holds. */
struct sealed_own {
	struct core_certificate known[CORE_CERTIFICATES_PER_PARTICIPANT];
	uint64_t ids[CORE_CERTIFICATES_PER_PARTICIPANT];
	uint32_t held[CORE_CERTIFICATES_PER_PARTICIPANT]; /* parts (bits) */
	size_t n;
};
/* Without what one key_wrap has brought (NULL: with all). */
void sealed_own(const struct core *c, const struct sealed *s, uint32_t participant, int64_t now_ms,
		const uint8_t *wrap_id, struct sealed_own *out);
/* The parts (bits) that some valid certificate of the participant holds no key of.  Of what it sent
 * itself those parts only that it has sealed to itself. */
uint32_t sealed_lacks(const struct core *c, const struct sealed *s, uint32_t participant,
		      int64_t now_ms);
uint32_t sealed_lacks_without(const struct core *c, const struct sealed *s, uint32_t participant,
			      int64_t now_ms, const uint8_t *wrap_id);
/* Does one of them hold one of the parts? */
static inline bool sealed_holds(const struct sealed_own *own, uint32_t parts)
{
	for (size_t i = 0; i < own->n; i++)
		if (own->held[i] & parts)
			return true;
	return false;
}
/* Has it still to be looked at? */
bool sealed_to_look(const struct core *c, const struct sealed *s);
/* The message whose keys a key_wrap has brought, and that are still kept; 0: none. */
uint32_t sealed_of_wrap(const struct core *c, const uint8_t wrap_id[CORE_ID_BYTES]);
/* INT64_MAX: nothing has to be done. */
int64_t sealed_next_due_ms(const struct core *c);

/* ---- who reads; sealed_readers.c ---- */

/* Is this one of the participant's names: its own, a mailbox's, a body's, or of somebody who has
 * handed the case (handle; 0: none) over to it? */
bool sealed_is_named(const struct core *c, const struct policy *p, int participant,
		     uint32_t core_case, const char *name);
/* The same of a whole narrative: in `of`, by participant (index of the policy), a bit for each part
 * that names it, from bit 0, or that names nobody.  `of` is zero before.  INTERNAL: more parts or
 * names than a codec takes. */
enum ieum_err sealed_read_names(const struct core *c, const struct policy *p, uint32_t core_case,
				Ieum__V1__NarrativePart *const *parts, size_t n_parts,
				uint16_t *of) IEUM_MUST_CHECK;
/* Participants (indexes of the policy), each once. */
struct sealed_readers {
	int index[SEALED_READERS_MAX];
	size_t n;
	uint64_t listed[POLICY_PARTICIPANTS_MAX / 64]; /* the same, a bit each */
};
bool sealed_reads(const struct sealed_readers *readers, int participant);
/* One that isn't listed.  False: it is full. */
bool sealed_add_reader(struct sealed_readers *to, int participant);
/* Adds those who take from a mailbox (number), without the excluded.  FIELD_TOO_LARGE. */
enum ieum_err sealed_add_readers(const struct core *c, const struct policy *p, uint32_t mailbox,
				 const int *excluded, size_t n_excluded,
				 struct sealed_readers *to) IEUM_MUST_CHECK;
/* The parts (bits) that the participant may read now. */
uint32_t sealed_readable(const struct core *c, const struct policy *p, const struct sealed *s,
			 int participant);

/* ---- deciding ---- */

/* sealed_submit.c: by the routes so far.  SEALED_OTHERWISE. */
enum ieum_err sealed_compare(struct submission *s) IEUM_MUST_CHECK;
/* Whom it would reach, as far as reach can tell: before the policy's decision of a message with
 * sealed parts. */
enum ieum_err sealed_told(struct submission *s) IEUM_MUST_CHECK;
/* Who would read the narrative, into a result; on what the decision of the message has come to. */
enum ieum_err sealed_reach(struct submission *s, struct arena *arena,
			   Ieum__V1__ReachResult *out) IEUM_MUST_CHECK;
/* When all else of a message is decided: does somebody get it who holds no key? */
enum ieum_err sealed_late(struct submission *s) IEUM_MUST_CHECK;

/* sealed_due.c: the next that has to be done about wants. */
enum ieum_err sealed_due(const struct core *c, const struct policy *p, core_time_us now,
			 struct core_decision *d) IEUM_MUST_CHECK;

/* The want's requests that nobody has got yet, to a mailbox (0: all), are withdrawn by the event. */
enum ieum_err sealed_withdraw_requests(const struct core *c, const struct sealed_want *w,
				       uint32_t mailbox, struct core_decision *d,
				       Ieum__V1__KeysChanged *e) IEUM_MUST_CHECK;

/* key_wrap.c: is it a message about keys, which no rule routes?  Then all of it is decided here. */
bool key_message(const struct submission *s);
enum ieum_err key_message_decide(struct submission *s) IEUM_MUST_CHECK;

/* ---- applying; sealed.c, sealed_wants.c ---- */

/* The message (rh, a handle) has these. */
enum ieum_err sealed_add(struct core *c, uint32_t rh, Ieum__V1__SealedPart *const *parts,
			 size_t n) IEUM_MUST_CHECK;
/* A delivery of it was queued; the hub file has changed. */
void sealed_look(struct core *c, uint32_t h);
void sealed_look_all(struct core *c);
/* May one more be noted, beside some that are being decided? */
bool sealed_has_room(const struct core *c, const struct sealed *s, uint32_t participant,
		     size_t beside);
/* Its content is gone. */
void sealed_forget(struct core *c, struct referral *r);
/* Somebody has read the message by a query. */
enum ieum_err sealed_was_read(struct core *c, const struct applied *a, uint32_t rh,
			      uint32_t participant) IEUM_MUST_CHECK;
/* Somebody has connected, and may hold what others wait for. */
enum ieum_err sealed_wake(struct core *c, const struct applied *a,
			  uint32_t participant) IEUM_MUST_CHECK;
/* A certificate of somebody was seen for the first time. */
enum ieum_err sealed_certificate(struct core *c, const struct applied *a,
				 uint32_t participant) IEUM_MUST_CHECK;
enum ieum_err apply_keys_changed(struct core *c, const struct applied *a,
				 const Ieum__V1__KeysChanged *e) IEUM_MUST_CHECK;

/* ---- sealed_snapshot.c ---- */

enum ieum_err sealed_write(struct snapshot_writing *w) IEUM_MUST_CHECK;
enum ieum_err sealed_read(struct core *c, const Ieum__V1__SnapshotSealed *m) IEUM_MUST_CHECK;
/* NULL, or what is wrong. */
const char *sealed_check(const struct core *c);

/* What reading a snapshot shares with applying. */
uint32_t sealed_add_want(struct core *c, uint32_t h, uint32_t participant);
enum ieum_err sealed_place_want(struct core *c, uint32_t wh,
				int64_t ask_again_at_ms) IEUM_MUST_CHECK;
void sealed_drop_want(struct core *c, uint32_t wh);
/* Who has got a key can wrap it for the others. */
enum ieum_err sealed_wake_others(struct core *c, const struct applied *a, uint32_t h,
				 uint32_t parts) IEUM_MUST_CHECK;
/* After keys were wrapped for it: what it still wants. */
enum ieum_err sealed_want_served(struct core *c, const struct applied *a, uint32_t wh,
				 uint32_t holder) IEUM_MUST_CHECK;
/* What an event says of a want that there is. */
enum ieum_err sealed_want_changed(struct core *c, const struct applied *a, uint32_t wh,
				  const Ieum__V1__KeysChanged *e) IEUM_MUST_CHECK;
enum ieum_err sealed_add_rejected(struct core *c, struct sealed *s,
				  const struct sealed_rejected *rejected) IEUM_MUST_CHECK;
enum ieum_err sealed_add_key(struct core *c, struct sealed *s,
			     const struct sealed_key *key) IEUM_MUST_CHECK;

#endif
