/* libieum: an agency's end of ieum.
 *
 * A `struct ieum` is one participant's connection to one hub, kept up for as long as it
 * exists: it tries the addresses in turn, comes back after a loss with growing, jittered
 * pauses, sends again (under the same message id) whatever had no receipt, and hands each
 * delivery over once.
 *
 * Threads: it lives on a libevent base and belongs to the thread that runs it.  Every function
 * is called on that thread, every callback comes from its loop; none comes from inside the
 * function that asked for it.  From inside a callback everything may be called but ieum_free().
 * The process ignores SIGPIPE from the first ieum_new() on.  A name in an address is looked
 * up where it is connected to, which may hold the loop for the time of a DNS query.
 *
 * Memory: arguments are borrowed for the call unless "takes" is said.  What a callback is given
 * is good until it returns.  Callback pointers may be NULL.
 *
 * Units: times are milliseconds; in messages Unix time, UTC.  Ids are 16 bytes.
 *
 * Errors: the table of proto/error.h (docs/protocol.md).  What is wrong with an argument is
 * returned at once; what the hub says comes by callback, as a struct ieum_failure.
 *
 * A program that only asks and waits uses the blocking functions at the end. */
#ifndef IEUM_H
#define IEUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

struct event_base;
struct ieum;

/* The messages of proto/ieum/v1, as protobuf-c makes them: include "ieum/v1/frame.pb-c.h". */
typedef struct Ieum__V1__Referral Ieum__V1__Referral;
typedef struct Ieum__V1__Receipt Ieum__V1__Receipt;
typedef struct Ieum__V1__Delivery Ieum__V1__Delivery;
typedef struct Ieum__V1__Query Ieum__V1__Query;
typedef struct Ieum__V1__Result Ieum__V1__Result;
typedef struct Ieum__V1__Welcome Ieum__V1__Welcome;

struct ieum_keyring;

enum {
	IEUM_ID_BYTES = 16,
	IEUM_ADDRESSES_MAX = 16,
	IEUM_WHY_BYTES = 512,        /* room for any reason text, with its NUL */
	IEUM_REASON_MAX_BYTES = 200, /* of a refused delivery */
	IEUM_OLD_KEYS_MAX = 8,
	IEUM_IDENTITIES_MAX = 64,
};

/* Why something did not work. */
struct ieum_failure {
	enum ieum_err code;
	const char *name; /* "QUEUE_FULL"; the hub's word, also for a code newer than we are */
	const char
		*detail; /* English, the field's path first when it is about a field; may be "" */
	uint32_t retry_after_ms; /* trying again can help, not before this; 0: it can't */
};

/* ---- a connection that is kept up ---- */

struct ieum_callbacks {
	/* The hub has welcomed us: who it takes us for, limits, its time, our certificate's end. */
	void (*connected)(struct ieum *c, const Ieum__V1__Welcome *welcome, void *ctx);
	/* A connection ended or an attempt failed; why.  permanent: trying again will not help
	 * until someone changes something (a refused certificate, an unlisted participant); it
	 * is tried again all the same, at the longest pause.  retry_in_ms: when the next attempt
	 * begins; -1: never, we were stopped. */
	void (*disconnected)(struct ieum *c, const struct ieum_failure *why, bool permanent,
			     int64_t retry_in_ms, void *ctx);
	/* A message for us, not seen before.  `referral` in it is set; its bytes as the sender
	 * made them (without parts for others) are beside.  It must be settled, now or later. */
	void (*delivery)(struct ieum *c, const Ieum__V1__Delivery *delivery,
			 const uint8_t *referral, size_t referral_len, void *ctx);
	/* The hub's journal was restored from a backup: what it had receipted after that may be
	 * lost there, so the last `resending` messages that we had receipts for are sent again
	 * under their ids, which changes nothing where they are known. */
	void (*incarnation_changed)(struct ieum *c, const uint8_t *before, const uint8_t *now,
				    size_t resending, void *ctx);
	/* What became of one of those, or of one on the spool for which nobody waits any more (an
	 * earlier process left it, or a blocking submit's time was over): receipt or failure, the
	 * other is NULL.  With a spool a failed one stays there, refused, until its user drops it. */
	void (*resent)(struct ieum *c, const uint8_t *message_id, const Ieum__V1__Receipt *receipt,
		       const struct ieum_failure *failure, void *ctx);
	/* With a spool: a message that was submitted is on its disk, and from here on not lost. */
	void (*accepted)(struct ieum *c, const uint8_t *message_id, void *ctx);
	/* A message goes under a new id, `now`: the hub would have refused the one that libieum had made
	 * for it, because the clock was wrong then or it has waited too long, and no hub has seen it.
	 * With a spool it is on the disk so.  Every callback after this one names it by the new id. */
	void (*renamed)(struct ieum *c, const uint8_t *before, const uint8_t *now, void *ctx);
	/* Messages with a receipt were let go from the spool before the hub knew of a copy of its
	 * journal: there were more than it keeps.  Should the hub's disk be lost now, only the
	 * hub's backups have them. */
	void (*let_go)(struct ieum *c, size_t messages, void *ctx);
	/* The spool could not be written or read; why, where and what to do is in the detail.  What
	 * it was about is not lost: a receipt is noted, and a delivery taken, when it works again.
	 * Of deliveries it is told once, until one can be kept again. */
	void (*spool_trouble)(struct ieum *c, const struct ieum_failure *why, void *ctx);
	/* There has been no hub for alone_after_ms; told once, and again after a connection was
	 * there.  waiting: messages without a receipt.  Its user has to know by now: the telephone
	 * is quicker. */
	void (*alone)(struct ieum *c, int64_t for_ms, uint64_t waiting, void *ctx);
};

/* PEM files of a pair that was ours before: still opens what was sealed to it. */
struct ieum_old_key {
	const char *cert, *key;
};

/* Whose a certificate of another PKI is, which names nobody of the hub itself: SHA-256 over its public
 * key's DER (64 hexadecimal digits; "sha256:" may stand before them), or its issuer and subject as `ieum
 * cert show` prints them. */
struct ieum_identity {
	const char *participant;
	const char *key;
	const char *issuer, *subject;
};

/* Zeroed is default where a default is named. */
struct ieum_options {
	const char *const *addresses; /* "host:port", tried in turn; 1 to IEUM_ADDRESSES_MAX */
	size_t n_addresses;
	const char
		*server_name; /* to find in the hub's certificate; NULL: the host of the address */
	const char *cert, *key;              /* PEM files: our certificate chain; its key, 0600 */
	const char *ca;                      /* PEM file: whom to trust */
	const char *crl;                     /* PEM file or directory; NULL: none */
	const struct ieum_old_key *old_keys; /* for sealed narratives; see ieum_open() */
	size_t n_old_keys;                   /* at most IEUM_OLD_KEYS_MAX */
	const struct ieum_identity *identities; /* of others, to seal to */
	size_t n_identities;                    /* at most IEUM_IDENTITIES_MAX */
	const char *
		software; /* name and version for the hub's operator, at most 64 bytes; default "libieum" */
	uint32_t credit; /* deliveries to hold unsettled at a time; 0: none until ieum_credit() */
	uint32_t pause_min_ms; /* before reconnecting: the first pause; default 500 */
	uint32_t pause_max_ms; /* the longest; default 30,000 */
	uint32_t silence_ms;   /* nothing heard for so long: ping, then reconnect; default 30,000 */
	uint32_t submits_max;  /* submits without a receipt; default 4096 */
	size_t submit_bytes_max; /* and their bytes; default 64 MiB */
	int64_t retry_for_ms;    /* give a submit up after so long; 0: never */
	size_t keep_bytes_max; /* receipted messages kept for a new incarnation; default 16 MiB, SIZE_MAX: none */
	uint32_t remember_max;    /* deliveries remembered to remove repeats; default 16,384 */
	const char *spool;        /* file that keeps what must not be lost, see below; NULL: none */
	uint64_t spool_bytes_max; /* of messages and deliveries in it; default 256 MiB */
	bool spool_deliveries;    /* deliveries too */
	uint32_t alone_after_ms;  /* without a hub, until `alone`; default 120,000 */
	struct ieum_callbacks callbacks;
	void *ctx; /* of these callbacks */
};

/* Reads the certificates, opens the spool and begins to connect when the loop runs.  Borrows base
 * until ieum_free().  FIELD_INVALID, FILE_UNREADABLE, FILE_INVALID, SPOOL_FULL, SPOOL_CORRUPT,
 * SPOOL_LOCKED, SPOOL_FOREIGN (of another participant or hub), NO_MEMORY with the reason in why. */
enum ieum_err ieum_new(struct event_base *base, const struct ieum_options *options,
		       struct ieum **out, char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;

/* Says good-bye once what was already written is sent, and does not come back: `disconnected`
 * with code OK is the last callback. */
void ieum_stop(struct ieum *c);

/* At once and without a word.  Requests without an answer get no callback any more.  NULL is fine. */
void ieum_free(struct ieum *c);

bool ieum_connected(const struct ieum *c);

/* Files under other names, as after a renewal: cert, key, ca, crl and old_keys of options count from the
 * next connection on (begun at once where there is none), and for what is sealed and opened from now
 * on; the open connection stays, and nothing else of options is heeded.  All or nothing: FILE_UNREADABLE, FILE_INVALID, FIELD_INVALID or
 * NO_MEMORY with the reason in why, and the old stay.  Files that change under the same names need no
 * call: they are looked at before each connection, and before what comes over one is handled. */
enum ieum_err ieum_use_files(struct ieum *c, const struct ieum_options *options,
			     char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;

/* ---- the spool ----
 *
 * With options.spool, a SQLite file of mode 0600 in a folder that exists, nothing submitted is lost
 * with this process, its machine's power or the hub's disk:
 *
 *   - ieum_submit() returns OK when the message has its place in the transaction of this turn of the
 *     loop.  It is accepted when that is on the disk (synced): then `accepted` comes, and only then
 *     is it sent.  Where the commit fails, cb comes with the failure and nothing was accepted.
 *     SPOOL_FULL, SPOOL_LOCKED, FILE_UNREADABLE are returned at once when it is known then.
 *   - It is kept until its receipt, across restarts, and after that until the hub knows of a copy of
 *     its journal that covers it (Welcome.copied_through, Copied); while the hub knows of none, the
 *     newest keep_bytes_max bytes, and `let_go` tells of the others.  When the hub comes back with
 *     another incarnation they are sent again under their ids.
 *   - What an earlier process left, or one that died, is sent by whoever connects next; `resent`
 *     tells how it ended.  Several processes may use one spool.
 *   - retry_for_ms isn't heeded: nothing is given up.
 *
 * With spool_deliveries a delivery is written to the disk before the application gets it, and settled
 * at the hub (done) once it is there; ieum_settle(IEUM_SETTLE_DONE) says that the application has
 * taken it, and cb comes when that is on the disk.  What isn't taken is handed over again by the next
 * process, also without a hub (ieum_handed_before() tells whether it may have been before), and never
 * again what is.  After RELEASE it is handed over again here, some seconds later; REFUSE is too late
 * then: STATE_CONFLICT.  A key_request is not written there: it is answered while connected, or released
 * for a colleague.  At most options.credit are with the application at a time.  Where the commit fails,
 * cb comes with the failure, once; it is tried again by itself.  A delivery that can't be kept is handed
 * over all the same and settled as without a spool.
 *
 * Clear narratives lie there in clear, sealed ones sealed (see ieum_submit_sealed()).  A commit holds
 * the loop for the time of a disk sync. */

/* through: the newest number of the journal that a copy is known of; or failure. */
typedef void ieum_copied_cb(struct ieum *c, uint64_t through, const struct ieum_failure *failure,
			    void *arg);

/* An operator tells the hub that a copy of its journal up to this number is off its disk.
 * incarnation: of the copy (16 bytes); NULL: the one we are connected to.  As ieum_query(). */
enum ieum_err ieum_confirm_copy(struct ieum *c, uint64_t journal_number, const uint8_t *incarnation,
				ieum_copied_cb *cb, void *arg) IEUM_MUST_CHECK;

/* Keeps a result for when the hub isn't there, under a name of the application's; replaces the last
 * one.  Without a spool, or on failure, nothing is kept. */
void ieum_keep_result(struct ieum *c, const char *name, const Ieum__V1__Result *const *pages,
		      size_t n);

/* ---- sending ---- */

/* receipt or failure, the other is NULL.  A failure TIMED_OUT after retry_for_ms says nothing
 * about whether the hub has the message: ask, or submit it again under the same id. */
typedef void ieum_submit_cb(struct ieum *c, const uint8_t *message_id,
			    const Ieum__V1__Receipt *receipt, const struct ieum_failure *failure,
			    void *arg);

/* Queues a message; connected or not.  It is sent again after a lost connection and after an
 * error that names a time to wait, until there is a receipt, a final error or retry_for_ms is
 * over: then cb, exactly once.  Messages are sent in order, but one that has to wait is
 * overtaken.  An empty message_id is filled with a new UUIDv7 by the hub's clock, or by ours before
 * a hub has told its time; and again with a newer one (`renamed`) if the hub would take it for too
 * old or in the future before it was ever on the wire.  message_id, if not NULL, is told it.  TOO_MANY_REQUESTS: the queue is full, try after the next callback.  What the
 * codec refuses is returned with the field's path in why (may be NULL). */
enum ieum_err ieum_submit(struct ieum *c, const Ieum__V1__Referral *referral, ieum_submit_cb *cb,
			  void *arg, uint8_t message_id[IEUM_ID_BYTES],
			  char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;

/* The same for a packed Referral that has its message id; not checked here but by the hub.
 * ID_INVALID: there is none in it. */
enum ieum_err ieum_submit_bytes(struct ieum *c, const uint8_t *referral, size_t len,
				ieum_submit_cb *cb, void *arg) IEUM_MUST_CHECK;

/* Which parts of a narrative are sealed before they leave this process. */
enum ieum_seal {
	IEUM_SEAL_NEEDED, /* a reporter's identity, a shelter's location: hubs take no others */
	IEUM_SEAL_ALL,
};

/* The same, with clear parts of the narrative sealed to those who will read them: the hub is asked
 * whom the message would reach, each certificate that it names is checked (our `ca` and `crl`, and
 * that it names that participant; one that names nobody has to be in options.identities), and the
 * parts are signed by our key.  When the hub's policy has
 * changed meanwhile it is asked and sealed again, up to three times; then SEALED_OTHERWISE comes
 * by cb as any failure does.  A reader whose certificates are not to be trusted: NOT_SEALED,
 * CERTIFICATE_REVOKED or CERTIFICATE_EXPIRED with its name, and nothing is sent.  A reader whose
 * certificate nobody knows yet gets its key later: see ieum_key_wrap().  We can open it too.
 *
 * While it waits it is sealed to ourselves.
 * With nothing to seal it is ieum_submit(). */
enum ieum_err ieum_submit_sealed(struct ieum *c, const Ieum__V1__Referral *referral,
				 enum ieum_seal what, ieum_submit_cb *cb, void *arg,
				 uint8_t message_id[IEUM_ID_BYTES],
				 char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;

/* Submits without a receipt or failure yet. */
size_t ieum_submits_waiting(const struct ieum *c);

/* ---- receiving ---- */

/* How many deliveries to hold unsettled at a time; cut to what the hub allows. */
void ieum_credit(struct ieum *c, uint32_t deliveries);

/* From inside `delivery` until it is settled: may the application have been given this one before?
 * By a process that ended before it was taken, or by this one, to which it was given back.  Only a
 * spool knows; what the hub knows of it is in `attempt`. */
bool ieum_handed_before(struct ieum *c, uint64_t delivery_id);

enum ieum_settle {
	IEUM_SETTLE_DONE,    /* I have it: never again */
	IEUM_SETTLE_RELEASE, /* give it to a colleague */
	IEUM_SETTLE_REFUSE,  /* I can't read it: counts as a failed attempt */
};

/* failure NULL: it is on the hub's disk. */
typedef void ieum_settle_cb(struct ieum *c, uint64_t delivery_id,
			    const struct ieum_failure *failure, void *arg);

/* Those of one loop turn travel together.  Connected or not: a settle without an answer is sent
 * again.  reason: for the operator, required to refuse, at most IEUM_REASON_MAX_BYTES, without
 * personal data.  REASON_MISSING, FIELD_TOO_LARGE, TEXT_INVALID, RESIDENT_NUMBER, NO_MEMORY. */
enum ieum_err ieum_settle(struct ieum *c, uint64_t delivery_id, enum ieum_settle how,
			  const char *reason, ieum_settle_cb *cb, void *arg) IEUM_MUST_CHECK;

/* ---- asking; only while connected ---- */

/* result or failure, the other is NULL; CONNECTION_LOST when the connection ended first.
 * referral: the bytes of a ReferralResult's referral, or NULL. */
typedef void ieum_query_cb(struct ieum *c, const Ieum__V1__Result *result, const uint8_t *referral,
			   size_t referral_len, const struct ieum_failure *failure, void *arg);
/* failure NULL: the hub's time. */
typedef void ieum_time_cb(struct ieum *c, int64_t hub_time_at_ms,
			  const struct ieum_failure *failure, void *arg);

/* CONNECTION_LOST (not connected now), TOO_MANY_REQUESTS (as many without an answer as the hub
 * allows), FIELD_TOO_LARGE, NO_MEMORY. */
enum ieum_err ieum_query(struct ieum *c, const Ieum__V1__Query *query, ieum_query_cb *cb,
			 void *arg) IEUM_MUST_CHECK;
enum ieum_err ieum_ping(struct ieum *c, ieum_time_cb *cb, void *arg) IEUM_MUST_CHECK;

/* An operator of a drill moves the hub's clock. */
enum ieum_err ieum_advance(struct ieum *c, int64_t by_ms, ieum_time_cb *cb,
			   void *arg) IEUM_MUST_CHECK;

/* ---- sealed narratives ---- */

/* Our keys, and whom we trust: what opens. */

/* Of a connection; good until it is freed.  It follows its files, within ieum's callbacks and never
 * beside them: use it on that thread. */
const struct ieum_keyring *ieum_keyring(const struct ieum *c);
/* Without one: of cert, key, ca, crl and old_keys, as they are now.  FILE_UNREADABLE, FILE_INVALID, FIELD_INVALID,
 * NO_MEMORY with the reason in why. */
enum ieum_err ieum_keyring_new(const struct ieum_options *options, struct ieum_keyring **out,
			       char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;
void ieum_keyring_free(struct ieum_keyring *keyring); /* NULL is fine */

/* When the revocation list of its files ends, of several the first: Unix ms; 0: it has none.  Past that
 * it is still believed in what it revokes, and says nothing of who was revoked since. */
int64_t ieum_revocation_list_ends_at_ms(const struct ieum_keyring *keyring);

/* One part of a narrative. */
struct ieum_opened_part {
	bool sealed; /* else it is clear, and nothing else is said here */
	/* OK.  KEY_MISSING: it is not sealed to a key of ours; the hub has it asked for.
	 * CERTIFICATE_REVOKED, CERTIFICATE_EXPIRED: the signer's was, when the hub received it.
	 * NOT_SEALED: damaged, or not what it is said to be.  NO_MEMORY. */
	enum ieum_err err;
	char why[IEUM_WHY_BYTES];
	uint8_t *content; /* as media_type says; NULL with an error */
	size_t len;
	/* Who signed it, by the certificate: the participant, who is the sender, and the person
	 * or workstation.  signer "": the certificate names nobody of a hub, so that who sent it
	 * is the hub's word; actor is the certificate's subject then. */
	char signer[64];
	char actor[260];
};

struct ieum_opened {
	size_t n; /* as many as the narrative has */
	struct ieum_opened_part parts[];
};

/* Opens what is sealed in a message, and checks who signed it: that a delivery's (or a
 * ReferralResult's) sender did, with a certificate that was good when the hub received it, for this
 * message and no other.  received_at_ms 0: now.  *out is the caller's, for ieum_opened_free(), which
 * wipes it.  NO_MEMORY. */
enum ieum_err ieum_open(const struct ieum_keyring *keyring, const Ieum__V1__Referral *referral,
			const char *sender, int64_t received_at_ms,
			struct ieum_opened **out) IEUM_MUST_CHECK;
void ieum_opened_free(struct ieum_opened *opened); /* NULL is fine */

/* Answers a key_request that was delivered (its Referral): asks the hub for the message, checks the
 * newcomer's certificates as ieum_submit_sealed() does, wraps the keys of the parts that we can open
 * and submits them as key_wrap; then cb, exactly once, with that message's id.  When none of them is
 * sealed to us, cb is told KEY_MISSING and the request is not answered: give its delivery back
 * (IEUM_SETTLE_RELEASE), a colleague may have the key.  When it can't be done for another reason the
 * request is answered by `reject`, so that the hub asks the next holder, and cb is told why:
 * NOT_SEALED, CERTIFICATE_REVOKED, CERTIFICATE_EXPIRED, or what the hub says.  Only
 * while connected; errors at once: CONNECTION_LOST, TOO_MANY_REQUESTS, FIELD_INVALID (no key_request),
 * NO_MEMORY. */
enum ieum_err ieum_key_wrap(struct ieum *c, const Ieum__V1__Referral *request, ieum_submit_cb *cb,
			    void *arg, char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;

/* A key_wrap was delivered (its Referral): asks the hub for the message and tries the key.  When what
 * came for us opens nothing it is answered by `reject`, so that the hub asks the next holder, and cb is
 * told NOT_SEALED; else cb comes with neither receipt nor failure, or with why it couldn't be tried.
 * Errors at once as of ieum_key_wrap(). */
enum ieum_err ieum_key_check(struct ieum *c, const Ieum__V1__Referral *wrap, ieum_submit_cb *cb,
			     void *arg, char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;

/* Answers a key_request by `reject` instead.  reason: a number of enum Reason in types.proto; remark may be
 * NULL. */
enum ieum_err ieum_key_refuse(struct ieum *c, const Ieum__V1__Referral *request, int reason,
			      const char *remark, ieum_submit_cb *cb, void *arg,
			      char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;

/* ---- blocking: ask and wait, on a loop of its own ---- */

/* One thread at a time.  Every function runs the loop until it has its answer or timeout_ms is
 * over (TIMED_OUT).  What a function gives out is good until the next call of the same one.
 * Any error leaves its text in ieum_blocking_failure(). */
struct ieum_blocking;

/* Options as above; of the callbacks `resent`, `renamed`, `let_go`, `spool_trouble` and `alone` are
 * used.  Tries until it is welcomed; a refusal that trying again can't change is returned at once,
 * with the text in why. */
enum ieum_err ieum_blocking_open(const struct ieum_options *options, int64_t timeout_ms,
				 struct ieum_blocking **out,
				 char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;

/* Says good-bye, waiting at most a second for it to arrive.  NULL is fine. */
void ieum_blocking_close(struct ieum_blocking *b);

/* The same without waiting for the hub: what is submitted is accepted by the spool.  Then, or later,
 * ieum_blocking_connect() waits. */
enum ieum_err ieum_blocking_begin(const struct ieum_options *options, struct ieum_blocking **out,
				  char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;
enum ieum_err ieum_blocking_connect(struct ieum_blocking *b, int64_t timeout_ms) IEUM_MUST_CHECK;

/* From now until it is closed SIGINT and SIGTERM don't end the process: the call that waits returns as
 * if its time were over, and every later one at once.  One of these connections in a process. */
void ieum_blocking_heed_signals(struct ieum_blocking *b);
bool ieum_blocking_interrupted(const struct ieum_blocking *b); /* one has come */

/* The connection inside: only for functions that have no callback of the caller's. */
struct ieum *ieum_blocking_inner(struct ieum_blocking *b);

/* Until what is on the spool has a receipt or a failure; *left: messages that have none.  TIMED_OUT,
 * or why there is no connection. */
enum ieum_err ieum_blocking_drain(struct ieum_blocking *b, int64_t timeout_ms,
				  uint64_t *left) IEUM_MUST_CHECK;

/* Of the last call that failed; never NULL. */
const struct ieum_failure *ieum_blocking_failure(const struct ieum_blocking *b);
const Ieum__V1__Welcome *ieum_blocking_welcome(const struct ieum_blocking *b);

/* After TIMED_OUT the message stays queued and may still arrive; the same referral with the same
 * message id can be submitted again.  With a spool that isn't needed: it is accepted, which
 * ieum_blocking_accepted() says, `resent` tells its end, and a refusal is kept on the spool.  So too
 * after key_wrap and key_refuse, as soon as there was something to submit.  message_id: of the last
 * message submitted, and after TIMED_OUT with a spool of what is kept. */
bool ieum_blocking_accepted(const struct ieum_blocking *b, const uint8_t **message_id);
enum ieum_err ieum_blocking_submit(struct ieum_blocking *b, const Ieum__V1__Referral *referral,
				   int64_t timeout_ms,
				   const Ieum__V1__Receipt **receipt) IEUM_MUST_CHECK;

enum ieum_err ieum_blocking_submit_sealed(struct ieum_blocking *b,
					  const Ieum__V1__Referral *referral, enum ieum_seal what,
					  int64_t timeout_ms,
					  const Ieum__V1__Receipt **receipt) IEUM_MUST_CHECK;

/* The receipt is that of the key_wrap, or of the rejection. */
enum ieum_err ieum_blocking_key_wrap(struct ieum_blocking *b, const Ieum__V1__Referral *request,
				     int64_t timeout_ms,
				     const Ieum__V1__Receipt **receipt) IEUM_MUST_CHECK;
enum ieum_err ieum_blocking_key_refuse(struct ieum_blocking *b, const Ieum__V1__Referral *request,
				       int reason, const char *remark, int64_t timeout_ms,
				       const Ieum__V1__Receipt **receipt) IEUM_MUST_CHECK;
const struct ieum_keyring *ieum_blocking_keyring(const struct ieum_blocking *b);

/* A connection that is lost meanwhile is waited for, and the question asked again.  referral and
 * referral_len may be NULL. */
enum ieum_err ieum_blocking_query(struct ieum_blocking *b, const Ieum__V1__Query *query,
				  int64_t timeout_ms, const Ieum__V1__Result **result,
				  const uint8_t **referral, size_t *referral_len) IEUM_MUST_CHECK;

/* The next delivery; options.credit must not be 0.  TIMED_OUT: none came. */
enum ieum_err ieum_blocking_next(struct ieum_blocking *b, int64_t timeout_ms,
				 const Ieum__V1__Delivery **delivery, const uint8_t **referral,
				 size_t *referral_len) IEUM_MUST_CHECK;

enum ieum_err ieum_blocking_settle(struct ieum_blocking *b, uint64_t delivery_id,
				   enum ieum_settle how, const char *reason,
				   int64_t timeout_ms) IEUM_MUST_CHECK;
enum ieum_err ieum_blocking_confirm_copy(struct ieum_blocking *b, uint64_t journal_number,
					 const uint8_t *incarnation, int64_t timeout_ms,
					 uint64_t *through) IEUM_MUST_CHECK;
enum ieum_err ieum_blocking_ping(struct ieum_blocking *b, int64_t timeout_ms,
				 int64_t *hub_time_at_ms) IEUM_MUST_CHECK;

/* Not asked again when the connection is lost: CONNECTION_LOST, it may have happened or not. */
enum ieum_err ieum_blocking_advance(struct ieum_blocking *b, int64_t by_ms, int64_t timeout_ms,
				    int64_t *hub_time_at_ms) IEUM_MUST_CHECK;

#endif
