/* What the parts of the server share; for the files of broker/ alone.
 *
 *   server.c    making, listeners, the turn, ending        session.c   one connection's life
 *   start.c     the first events of a run                  requests.c  submit, settle, credit, ping
 *   commits.c   what comes back from the journal thread    queries.c   reading
 *   due.c       deadlines, the drill's clock, the tick     releases.c  deliveries
 *   reload.c    SIGHUP       stop.c  SIGTERM, SIGINT       outbox.c    output held for a commit
 *   erasures.c  payloads past their retention            certificates.c  what ends, is revoked, changes
 *   roster.c    participants and who of them is here       refusing.c  Error frames and their record */
#ifndef IEUM_BROKER_SERVER_INTERNAL_H
#define IEUM_BROKER_SERVER_INTERNAL_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/queue.h>

#include "broker/clock.h"
#include "broker/log.h"
#include "broker/outbox.h"
#include "broker/rate.h"
#include "broker/pace.h"
#include "broker/recorder.h"
#include "broker/refusals.h"
#include "broker/retention.h"
#include "broker/server.h"
#include "broker/snapshotter.h"
#include "broker/version.h"
#include "proto/channel.h"
#include "proto/codec.h"

struct session;
struct reload;

enum {
	SERVER_TICK_MS = 1000,
	SERVER_HOLD_US = 500,        /* after so long a callback leaves the rest to the next turn */
	SERVER_DUE_ROUNDS = 32,      /* decisions about what is due, per turn */
	SERVER_RELEASE_ROUNDS = 256, /* decisions about deliveries, per turn */
	SERVER_ADVANCES_MAX = 16,    /* drill operators waiting */
	SERVER_PARKED_QUERIES_MAX = 256, /* waiting for a payload, in all */
	SERVER_DECISION_BUDGET_BYTES = 64 << 20,
	SERVER_RETRY_MS = 1000,           /* hint where nothing better is known */
	SERVER_SOON_MS = 200,             /* hint for what passes by itself */
	SERVER_DATES_TICKS = 6 * 60 * 60, /* how often expiry is looked at */
};

LIST_HEAD(session_set, session);
TAILQ_HEAD(session_queue, session);

/* A participant of the policy as the loop sees it; index as in the policy. */
struct roster_entry {
	struct session_set sessions;
	uint32_t n_sessions;
	struct rate_bucket rate;
	bool told_left_out; /* that it has more certificates than are kept: once in a log */
};

struct roster {
	struct roster_entry *entries;
	size_t n_entries;
	int *mailbox_of_number; /* index in the policy, or POLICY_NONE */
	size_t n_numbers;
};

/* Whom a channel calls back about: a session from CHANNEL_READY on. */
struct owner {
	struct server *server;
	struct session *session;
};

/* A drill operator who waits until everything due has been done. */
struct advance {
	uint64_t channel_id;
	uint64_t request_id;
	int64_t until_us;
};

/* A query that waits for a payload to be read. */
struct parked_query {
	TAILQ_ENTRY(parked_query) link;
	uint64_t channel_id;
	uint64_t request_id;
	uint64_t payload_seq;
	uint8_t message_id[CORE_ID_BYTES];
};
TAILQ_HEAD(parked_queries, parked_query);

enum server_stopping {
	SERVER_RUNNING,
	SERVER_DRAINING, /* nothing new; what was gathered is being committed */
	SERVER_PARTING,  /* Goodbye was said; waiting for the peers to go */
};

struct server {
	const struct config *config;
	bool drill;
	uint8_t incarnation[JOURNAL_INCARNATION_BYTES];
	enum server_exit exit;
	enum server_stopping stopping;

	struct event_base *base;
	struct event turn_ev;  /* runs after everything that was ready in this turn */
	struct event again_ev; /* work was left over: another turn, after a look at the sockets */
	struct event due_ev, tick_ev, commit_ev, stop_ev;
	struct event term_ev, int_ev, hup_ev, usr1_ev;

	struct channel_loop *channels;
	struct channel_listener *listeners[CONFIG_LISTEN_MAX];
	struct tls *tls;
	struct policy *policy;
	struct owner nobody; /* of channels without a session yet */

	struct journal *journal;
	struct core *core;
	struct committer *committer;
	struct snapshotter *snapshotter;
	struct reload *reload;
	struct retention *retention; /* NULL: the journal can't be read beside its writer */
	struct {
		int64_t next_at_us, again_at_us; /* hub time of the next look */
		uint64_t erased, kept;           /* by the present one */
		bool looking;
	} erasures;
	struct {
		uint64_t files_seen, files_read; /* what TLS reads: as last seen, as last read */
		uint32_t participant, judged;    /* whose are judged again, and how many were */
		bool judging;
	} certificates;
	struct recorder recorder;
	struct core_decision decision; /* of the command at hand */
	struct arena arena;            /* of the frame at hand */
	bool stalled;                  /* the journal can't commit now */
	bool in_turn;
	bool look_due; /* the tick: also for what is no deadline */
	bool failed;

	struct clock clock;
	int64_t now_us;       /* hub time of this turn; 0: not looked at yet */
	bool clock_confirmed; /* by the operator, until the next tick */

	struct roster roster;
	struct session_set sessions;
	struct session_queue pump;                 /* may have something to be released */
	struct session_queue held[RECORDER_SIDES]; /* have output held for that side */
	struct session_queue waiting;              /* not read until the journal has caught up */
	struct session_queue resting;              /* not read until the next turn: others first */
	bool unread;                               /* some session is */
	uint64_t *ended; /* connections whose end isn't recorded yet: the journal had no room */
	size_t n_ended;
	struct refusals refusals;
	struct parked_queries parked;
	size_t n_parked;
	struct advance advances[SERVER_ADVANCES_MAX];
	size_t n_advances;

	struct pace pace;
	uint32_t ticks;
	struct log_rate tls_lines, identity_lines, slow_lines, trouble_lines;
};

/* server.c */
int64_t server_now_us(struct server *sv); /* hub time, the same for a whole turn */
void server_turn_soon(struct server *sv); /* at the end of this turn of the loop */
/* Records sv->decision.  False: the server has failed and will end; do nothing more. */
bool server_record(struct server *sv);
/* Release nothing more and end. */
void server_fail(struct server *sv, enum ieum_err err, const char *doing);

/* start.c: HubStarted and PolicyChanged, committed before anything else happens. */
enum ieum_err start_record(struct server *sv) IEUM_MUST_CHECK;

/* commits.c */
void commits_cb(evutil_socket_t fd, short what, void *arg);

/* due.c */
bool due_turn(struct server *sv); /* true: there is more to do, in another turn */
void due_arm(struct server *sv);
void due_tick_cb(evutil_socket_t fd, short what, void *arg);
void due_confirm_clock_cb(evutil_socket_t fd, short what, void *arg);
void due_await_advance(struct server *sv, struct session *s, uint64_t request_id, int64_t by_ms);

/* certificates.c */
enum ieum_err certificates_start(struct server *sv)
	IEUM_MUST_CHECK; /* among a run's first events */
/* Records the hub's own as they are now.  False: the server has failed. */
bool certificates_take_own(struct server *sv);
/* The files that TLS reads are about to be read. */
void certificates_note_files(struct server *sv);
/* Each certificate that the core knows is to be judged by the newest files. */
void certificates_judge_again(struct server *sv);
bool certificates_turn(struct server *sv); /* true: there are more */
void certificates_tick(struct server *sv); /* once a second: who has ended, which files changed */
void certificates_tell_dates(const struct server *sv); /* warns of what ends soon */
/* Tells the log what sv->decision, which is not recorded yet, says of certificates. */
void certificates_tell_due(const struct server *sv);
/* A session that is open now came with this one: when it isn't kept, since there are too many. */
void certificates_tell_left_out(const struct session *s, const struct core_certificate *with);
/* Was the peer judged by a revocation list past its end, and is it nobody that is known? */
bool certificates_is_stranger(const struct session *s);

/* erasures.c */
void erasures_tick(struct server *sv);
void erasures_soon(struct server *sv); /* the policy may keep less now */

/* roster.c */
enum ieum_err roster_build(struct roster *roster, const struct policy *policy) IEUM_MUST_CHECK;
void roster_free(struct roster *roster);
void roster_join(struct server *sv, struct session *s);
void roster_leave(struct server *sv, struct session *s);
/* Everyone here who consumes this mailbox may have something to be released. */
void roster_wake(struct server *sv, uint32_t mailbox_number);

/* reload.c, stop.c */
enum ieum_err reload_new(struct server *sv, struct reload **out) IEUM_MUST_CHECK;
void reload_free(struct reload *r); /* takes NULL; waits for what is being read */
/* What TLS reads has changed: that alone is read again.  False: another reload is on its way. */
bool reload_certificates(struct server *sv);
/* A session that may not go on: `what` goes into the record, `why` into the log. */
void reload_admit_no_more(struct session *s, enum ieum_err err, const char *what, const char *why);
bool reload_turn(struct server *sv); /* true: sessions are still to be looked at again */
/* Whoever does something is looked at first.  False: it may do nothing any more. */
bool reload_checked(struct session *s);
void reload_cb(evutil_socket_t fd, short what, void *arg);
void stop_cb(evutil_socket_t signal_number, short what, void *arg);
void stop_deadline_cb(evutil_socket_t fd, short what, void *arg);
void stop_turn(struct server *sv);

#endif
