/* The core: what the hub knows, what it decides and how that changes what it knows.
 *
 *     core_decide_x(core, policy, command, now) -> decision (events | refusal)
 *     core_apply(core, seq, event)              -> the new state
 *
 * Deciding changes nothing; applying decides nothing.  State is a fold of core_apply over
 * the journal, live and at restart alike: two cores that applied the same events are
 * equal, and their snapshots are the same bytes.  There is no clock, disk, socket, random or log here;
 * time comes in with each command.  One thread at a time owns a core.
 *
 * A decision may be thrown away (nothing happened), or recorded: then every event of it is
 * appended to one batch and applied, in order.  Whoever records fills in the payload hash
 * of each `submitted` event first (the core has no cryptography).
 *
 * Ids: participants and mailboxes by number (from PolicyChanged), connections by the
 * number given in Connected, deliveries by seq * 256 + route. */
#ifndef IEUM_BROKER_CORE_CORE_H
#define IEUM_BROKER_CORE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/policy/policy.h"
#include "ieum/v1/event.pb-c.h"
#include "ieum/v1/frame.pb-c.h"
#include "ieum/v1/query.pb-c.h"
#include "proto/arena.h"
#include "proto/buf.h"
#include "proto/error.h"
#include "proto/seal_recipient.h"

enum {
	CORE_ID_BYTES = 16,
	CORE_DETAIL_BYTES = 200,
	/* Three for each who may take part in a case and be told at once: when a gate opens, the
	 * consent is withdrawn, or the case closes. */
	CORE_DECISION_EVENTS_MAX = 1024,
	CORE_RELEASE_MAX = 256,             /* deliveries of one release */
	CORE_ID_FUTURE_MS = 10 * 60 * 1000, /* ids may lie so far ahead */
	CORE_CASE_MEMBERS_MAX = 320,        /* mailboxes that take part in one case */
	CORE_CASE_LINKS_MAX = 32,
	CORE_HASH_BYTES = 32, /* SHA-256 */
	CORE_CERTIFICATES_PER_PARTICIPANT = 16,
	CORE_CERTIFICATE_BYTES_MAX = 4 * 1024, /* DER; nobody can seal to a larger one */
	CORE_OWN_CERTIFICATES_MAX = 2, /* of the hub: its certificate, its revocation list */
};

/* What the process can hold; reached: HUB_FULL. */
struct core_limits {
	uint64_t referrals_max;
	uint64_t deliveries_max; /* not settled yet */
	uint64_t cases_max;
};

struct core;

/* Empty state, before any event.  `hash_seed` is random per process: it hardens tables
 * against chosen ids and never shows in any result.  NULL when out of memory. */
struct core *core_new(const struct core_limits *limits, uint64_t hash_seed);
void core_free(struct core *core); /* takes NULL */

/* SHA-256 of some bytes; false: out of memory.  The core has no cryptography of its own, but a
 * hand-over's list has a digest, which is decided: whoever decides lends this pure function. */
typedef bool core_sha256_fn(const uint8_t *bytes, size_t len, uint8_t digest[32]);
void core_use_sha256(struct core *core, core_sha256_fn *sha256);

/* ---- deciding ---- */

/* An event that was decided, not yet recorded. */
struct core_item {
	Ieum__V1__Event *event; /* in the decision's arena; at_us is set */
	const uint8_t *payload; /* erasable part of a `submitted`, or NULL */
	size_t payload_len;
};

struct core_decision {
	/* Everything decided lives here; it may point into the command (its referral, settle),
	 * into the policy and into the core, so apply and pack before any of them changes. */
	struct arena arena;
	struct core_item items[CORE_DECISION_EVENTS_MAX];
	size_t n_items;
	/* With a refusal: */
	char detail[CORE_DETAIL_BYTES];
	uint32_t retry_after_ms; /* 0: trying again can't help */
	/* With a submit that was accepted or repeated: */
	bool repeated; /* no event: the first receipt stands */
	uint64_t receipt_seq;
	int64_t receipt_at_us;
	uint8_t case_id[CORE_ID_BYTES];
	bool has_case;
};

void core_decision_init(struct core_decision *d, size_t arena_budget_bytes);
void core_decision_reset(struct core_decision *d); /* for the next command; keeps memory */
void core_decision_release(struct core_decision *d);

/* Hub time of a command, microseconds Unix UTC.  Must not be smaller than the last
 * event's; core_last_at_us() tells that. */
typedef int64_t core_time_us;

/* The first event of every run, after the journal was replayed. */
enum ieum_err core_decide_start(const struct core *core, const char *software,
				const uint8_t *incarnation, bool drill, core_time_us now,
				struct core_decision *d) IEUM_MUST_CHECK;

/* A policy takes effect; no event when the journal's newest is the same. */
enum ieum_err core_decide_policy(const struct core *core, const struct policy *policy,
				 core_time_us now, struct core_decision *d) IEUM_MUST_CHECK;

/* After the PolicyChanged was applied (or at start when there was none to write): fills the
 * numbers into the policy, so that deciding needs no search by name. */
enum ieum_err core_bind_policy(struct core *core, struct policy *policy) IEUM_MUST_CHECK;

/* A certificate that the hub knows, of a participant or its own; or its revocation list, which ends
 * as well. */
struct core_certificate {
	uint32_t participant; /* number; 0: the hub's own */
	Ieum__V1__CertificateMatter matter;
	const uint8_t *der; /* NULL: the hub's own */
	size_t der_len;
	const uint8_t *fingerprint;   /* CORE_HASH_BYTES: SHA-256 over the DER */
	const uint8_t *key_id;        /* subject key identifier, at most CORE_HASH_BYTES */
	size_t key_id_len;            /* 0: it has none */
	const uint8_t *issuer_serial; /* CORE_HASH_BYTES: SHA-256 over the DER of both; NULL: own */
	int64_t ends_at_ms;
	const char *actor, *serial;
};

struct core_connect {
	const char *participant; /* name */
	const char *actor;
	const char *address;
	const char *certificate;             /* serial, hexadecimal */
	const struct core_certificate *with; /* that it came with, to be known; or NULL */
};

/* IDENTITY_UNKNOWN.  The connection's number is in the event. */
enum ieum_err core_decide_connect(const struct core *core, const struct policy *policy,
				  const struct core_connect *k, core_time_us now,
				  struct core_decision *d) IEUM_MUST_CHECK;

/* Certificates that TLS would not accept any more, or not as this participant's: they are known no
 * more.  At most CORE_CERTIFICATES_PER_PARTICIPANT; unknown ones are passed over. */
enum ieum_err core_decide_certificates_gone(const struct core *core,
					    const uint8_t (*fingerprints)[CORE_HASH_BYTES],
					    size_t n, core_time_us now,
					    struct core_decision *d) IEUM_MUST_CHECK;
/* The hub's own certificate and revocation list as they are now; no event when it knows them. */
enum ieum_err core_decide_own_certificates(const struct core *core,
					   const struct core_certificate *own, size_t n,
					   core_time_us now,
					   struct core_decision *d) IEUM_MUST_CHECK;

enum ieum_err core_decide_disconnect(const struct core *core, uint64_t connection, core_time_us now,
				     struct core_decision *d) IEUM_MUST_CHECK;

/* Whom a sealed part of the narrative, or a key that was wrapped, is for: read from its outside. */
struct core_sealed {
	size_t place; /* in Referral.narrative, or KeyWrap.keys, from 0 */
	const struct seal_recipient *recipients;
	size_t n_recipients;
};

struct core_submit {
	uint64_t connection;                /* of the sender */
	const Ieum__V1__Referral *referral; /* checked by the codec */
	const uint8_t *bytes;               /* as received: the payload */
	size_t len;
	const struct core_sealed *sealed; /* every sealed part, every key of a key_wrap */
	size_t n_sealed;
};

/* Every refusal of the table's second and third part, TOO_OLD, ID_IN_FUTURE, ID_REUSED,
 * STATE_CONFLICT, …; OK with d->repeated and no items for a duplicate. */
enum ieum_err core_decide_submit(const struct core *core, const struct policy *policy,
				 const struct core_submit *from, core_time_us now,
				 struct core_decision *d) IEUM_MUST_CHECK;

/* Releases up to `max` deliveries of the connection's mailboxes to it: most urgent first,
 * then oldest.  OK with no items when there is nothing to release. */
enum ieum_err core_decide_release(const struct core *core, const struct policy *policy,
				  uint64_t connection, uint32_t max, core_time_us now,
				  struct core_decision *d) IEUM_MUST_CHECK;

struct core_settle {
	uint64_t connection;
	const uint64_t *done;
	size_t n_done;
	const uint64_t *release;
	size_t n_release;
	Ieum__V1__DeliveryRefusal *const *refuse;
	size_t n_refuse;
};

/* Settling twice is no error; a late settle of this participant's own delivery counts.
 * DELIVERY_UNKNOWN (nothing of the request takes effect). */
enum ieum_err core_decide_settle(const struct core *core, const struct policy *policy,
				 const struct core_settle *from, core_time_us now,
				 struct core_decision *d) IEUM_MUST_CHECK;

/* Records that the connection reads something by a query (promise 2). */
enum ieum_err core_decide_read(const struct core *core, uint64_t connection, const char *what,
			       const uint8_t (*ids)[CORE_ID_BYTES], size_t n_ids, core_time_us now,
			       struct core_decision *d) IEUM_MUST_CHECK;

/* Records refusals; whoever calls counts repeats within a minute. */
struct core_refused {
	uint64_t connection;  /* 0: none */
	uint32_t participant; /* number, 0: unknown */
	enum ieum_err code;
	const char *what;
	uint32_t count;
	const uint8_t *message_id; /* or NULL */
};
enum ieum_err core_decide_refused(const struct core *core, const struct core_refused *r,
				  core_time_us now, struct core_decision *d) IEUM_MUST_CHECK;

/* A drill's clock moves forward; by 0: it has arrived, so that a restart goes on from here. */
enum ieum_err core_decide_advance(const struct core *core, uint64_t connection, int64_t by_ms,
				  core_time_us now, struct core_decision *d) IEUM_MUST_CHECK;

/* An operator says that a copy of the journal up to a number is off the hub's disk.  OK with no
 * items when that was known.  FIELD_INVALID: a copy of another journal, or of what isn't there. */
enum ieum_err core_decide_copied(const struct core *core, uint64_t connection,
				 const Ieum__V1__ConfirmCopy *copy, core_time_us now,
				 struct core_decision *d) IEUM_MUST_CHECK;
uint64_t core_copied_through(const struct core *core); /* 0: no copy is known */

/* Does what is due by now: settle time-outs, dead letters, deliveries that waited long enough,
 * ladders, what may be forgotten.  A bounded part of it; call again until there are no events. */
enum ieum_err core_decide_due(const struct core *core, const struct policy *policy,
			      core_time_us now, struct core_decision *d) IEUM_MUST_CHECK;

/* A payload that is in the journal and may be past its retention. */
struct core_aged {
	uint64_t seq; /* of its `submitted` event, which the core may have forgotten */
	int64_t at_us;
	Ieum__V1__MessageType type;
	bool has_case;
	uint8_t case_id[CORE_ID_BYTES];
	bool erased; /* out; false: it is still needed, or not that old */
};

enum { CORE_ERASE_MAX = 256 };

/* Erases the payloads that the policy keeps no longer, but for those of a case that isn't closed,
 * of a request that is open and of a delivery that is in flight.  At most CORE_ERASE_MAX; OK with
 * no items when none can go. */
enum ieum_err core_decide_erase(const struct core *core, const struct policy *policy,
				struct core_aged *aged, size_t n, core_time_us now,
				struct core_decision *d) IEUM_MUST_CHECK;

/* When something is due next; INT64_MAX: nothing. */
core_time_us core_next_due(const struct core *core);

/* ---- applying ---- */

/* seq must be core_last_seq() + 1.  JOURNAL_CORRUPT when the event contradicts the state
 * (the state is then unusable), NO_MEMORY. */
enum ieum_err core_apply(struct core *core, uint64_t seq,
			 const Ieum__V1__Event *event) IEUM_MUST_CHECK;

uint64_t core_last_seq(const struct core *core);
core_time_us core_last_at_us(const struct core *core);

/* ---- snapshots ---- */

enum { CORE_SNAPSHOT_VERSION = 5 };

/* The whole state as bytes, in a canonical order: equal states give equal bytes. */
enum ieum_err core_snapshot_write(const struct core *core, struct buf *out) IEUM_MUST_CHECK;
/* Into an empty core.  JOURNAL_CORRUPT: use it no further, replay from the start. */
enum ieum_err core_snapshot_read(struct core *core, const uint8_t *bytes,
				 size_t len) IEUM_MUST_CHECK;

/* ---- looking ---- */

/* Mailboxes (numbers) that got something to release since the last call; at most max per call. */
size_t core_take_ready(struct core *core, uint32_t *mailboxes, size_t max);

/* One delivery as a release needs it. */
struct core_delivery {
	uint64_t delivery_id;
	uint64_t seq; /* of the `submitted` event: key of the payload */
	uint32_t attempt;
	uint32_t payload_bytes;
	const char *mailbox; /* name */
	const char *sender;  /* name, "" for the hub */
	const char *sender_actor;
	int64_t received_at_ms;
	Ieum__V1__DeliveryCause cause;
	int64_t answer_by_at_ms;
	Ieum__V1__Urgency urgency;
	const uint8_t *case_id; /* 16 bytes or NULL */
	const uint8_t *message_id;
	bool sealed; /* it has sealed parts: core_keys() may have something to add */
};
bool core_delivery(const struct core *core, uint64_t delivery_id, struct core_delivery *out);

/* Deliveries in flight on this connection: what counts against its credit. */
uint32_t core_in_flight(const struct core *core, uint64_t connection);

/* The next deliveries that core_decide_release would take, to fetch their payloads first. */
size_t core_peek_release(const struct core *core, const struct policy *policy, uint64_t connection,
			 uint32_t max, core_time_us now, uint64_t *delivery_ids);

/* The known certificate with this fingerprint.  False: none.  What it points to is good until the
 * next event is applied. */
bool core_certificate(const struct core *core, const uint8_t fingerprint[CORE_HASH_BYTES],
		      struct core_certificate *out);
/* All that are known of a participant (number), those that have ended meanwhile included. */
size_t core_certificates(const struct core *core, uint32_t participant,
			 struct core_certificate *out, size_t max);
uint32_t core_participants(const struct core *core); /* numbers are 1 to this */
const char *core_participant_name(const struct core *core, uint32_t number); /* "" for 0 */

const char *core_mailbox_name(const struct core *core, uint32_t number); /* NULL: none */
uint32_t core_mailbox_number(const struct core *core, const char *name); /* 0: none */

/* Is the connection's participant meant by this name, which a narrative part lists: its own, a
 * mailbox's, a body's, or of somebody who has handed the case (16 bytes; NULL: none) over to it? */
bool core_is_reader(const struct core *core, const struct policy *policy, uint64_t connection,
		    const uint8_t *case_id, const char *name, size_t len);

enum { CORE_KEYS_MAX = 256 }; /* of one participant and message */

/* Content keys of a message's sealed parts that were wrapped for the connection's participant after
 * the parts had been sealed: they belong into what it gets.  At most `max`; how many. */
struct core_key {
	uint32_t part;       /* NarrativePart.number */
	const uint8_t *info; /* DER of a RecipientInfo; good until the next event is applied */
	size_t info_len;
};
size_t core_keys(const struct core *core, uint64_t connection, const uint8_t *message_id,
		 struct core_key *out, size_t max);

/* Whose case is it and may this connection see it?  Fills a query's result in the arena:
 * CASE_UNKNOWN, REFERRAL_UNKNOWN, NOT_PERMITTED, CONFLICT_OF_INTEREST, FIELD_INVALID (cursor).
 * `payload_seq` of a referral query: whose payload belongs into the result, 0: none. */
struct core_view {
	uint64_t connection;
	const Ieum__V1__Query *query;
	core_time_us now;
	struct arena *arena;
	Ieum__V1__Result *result;       /* out */
	uint64_t payload_seq;           /* out */
	bool sealed;                    /* out: it has sealed parts, see core_keys() */
	uint8_t read_id[CORE_ID_BYTES]; /* out: what was read, for the record */
	bool has_read_id;
	uint32_t looked;                /* out: records looked at, which a page bounds */
	char detail[CORE_DETAIL_BYTES]; /* out, with an error */
};
enum ieum_err core_view(const struct core *core, const struct policy *policy,
			struct core_view *v) IEUM_MUST_CHECK;

/* Conservation (promise 7) and every other promise that the state alone can show: OK, or
 * JOURNAL_CORRUPT with the first contradiction in `what`.  O(state): simulator and audit. */
enum ieum_err core_check(const struct core *core, char *what, size_t what_bytes) IEUM_MUST_CHECK;

/* Counters of a mailbox, for conservation and metrics. */
struct core_mailbox_counts {
	uint64_t routed, queued, in_flight, settled, dead_lettered, withdrawn;
	uint64_t queued_bytes;
	int64_t oldest_at_ms; /* of the queued; 0: none */
};
bool core_mailbox_counts(const struct core *core, uint32_t mailbox,
			 struct core_mailbox_counts *out);

#endif
