/* One connection of a participant, from CHANNEL_READY to CHANNEL_CLOSED.
 *
 *            Hello            Connected recorded           Goodbye, error, stop
 *  GREETING ───────► (held until durable) ───► OPEN ───────────────────────────► CLOSING
 *      └──── not listed, too many, no common version ───────────────────────────────┘
 *
 * A session is freed in CHANNEL_CLOSED; whoever acts later keeps its channel_id.  Loop thread only. */
#ifndef IEUM_BROKER_SESSION_H
#define IEUM_BROKER_SESSION_H

#include "broker/outbox.h"
#include "broker/server_internal.h"

enum session_state {
	SESSION_GREETING,
	SESSION_OPEN,
	SESSION_CLOSING,
};

/* Why a session isn't read. */
enum session_wait {
	SESSION_WAIT_OUTPUT = 1 << 0,  /* too much output waits for it */
	SESSION_WAIT_JOURNAL = 1 << 1, /* the disk has to catch up */
	SESSION_WAIT_STOP = 1 << 2,    /* the hub stops */
	SESSION_WAIT_TURN = 1 << 3,    /* it has held the loop for its share of this turn */
};

struct session {
	struct owner owner;
	struct server *server;
	struct channel *ch;
	uint64_t channel_id;
	enum session_state state;
	unsigned waits;
	int participant;     /* index in the policy; POLICY_NONE: not listed */
	uint64_t connection; /* number in the journal; 0: none yet */
	uint64_t last_request_id;
	uint32_t outstanding; /* requests without an answer */
	uint32_t credit;
	uint32_t reads;        /* payloads asked from the journal */
	int64_t since_ms;      /* monotonic */
	int64_t turn_began_us; /* the first of the frames that came together; 0: none of them yet */
	bool on_pump, in_roster;
	bool unread;    /* the batch had no room for its reads */
	bool welcomed;  /* Welcome has left */
	bool unchecked; /* its certificate was not judged by the newest files yet */
	struct outbox outbox;
	LIST_ENTRY(session) all_link, participant_link;
	TAILQ_ENTRY(session) pump_link, waiting_link, resting_link;
};

/* A frame at hand. */
struct request {
	struct session *s;
	const struct codec_frame *frame;
	uint64_t id;
};

/* session.c */
void session_channel_cb(struct channel *ch, enum channel_event event,
			const struct frame_view *frame, void *arg);
void session_free(struct session *s); /* without a word to anyone */
void session_wait(struct session *s, enum session_wait why);
void session_resume(struct session *s, enum session_wait why);
/* Those who had their share of the last turn are read again. */
void session_rested(struct server *sv);
/* Good-bye was said: what isn't answered yet will be asked again. */
void session_part(struct session *s);
/* Records ends that had to wait for room in the journal.  At most `connections`: nobody is
 * greeted while there is none. */
void session_record_ended(struct server *sv);
/* An Error for the whole connection, then good-bye.  Held output is forgotten; the Error itself is
 * held when it rests on state. */
void session_end(struct session *s, enum ieum_err err, const char *detail);
const struct policy_participant *session_participant(const struct session *s);
/* The participant of a certificate in a policy: IDENTITY_UNKNOWN, else OK and *index. */
enum ieum_err session_identify(const struct tls_identity *peer, const struct policy *policy,
			       int *index);
/* A frame into outbox_buf() as the answer to a request. */
void session_answer(struct session *s, const Ieum__V1__Frame *frame);
/* The same for an answer that rests on no state: it leaves at once. */
void session_answer_direct(struct session *s, const Ieum__V1__Frame *frame);
/* Its buffer can't take what has to go into it: drop it. */
void session_overflow(struct session *s, enum ieum_err err);

/* refusing.c: an Error to a request, recorded (coalesced) where the table of errors says that
 * the refusal is somebody's to know. */
struct refusing {
	enum ieum_err err;
	const char *what;   /* "submit report_received" */
	const char *detail; /* or NULL */
	uint32_t retry_after_ms;
	const uint8_t *message_id; /* or NULL */
};
bool refusing_rests_on_state(enum ieum_err err);
void refusing_answer(struct session *s, uint64_t request_id, const struct refusing *r);
void refusing_record(struct server *sv, uint32_t participant, uint64_t connection,
		     enum ieum_err err, const char *what, const uint8_t *message_id);
void refusing_flush(struct server *sv, bool all);

/* requests.c */
void requests_dispatch(const struct request *rq);
bool requests_rate(const struct request *rq, const char *what);

/* queries.c */
void queries_answer(const struct request *rq);
void queries_payload_read(struct server *sv, uint64_t seq, bool erased);
void queries_forget(struct server *sv, uint64_t channel_id);

/* releases.c */
void releases_want(struct session *s);
void releases_turn(struct server *sv);
/* A batch has come back: whoever found no room in it for reading payloads tries again. */
void releases_read_again(struct server *sv);
struct reading {
	const struct session *s;
	const uint8_t *case_id; /* of the message that is read; NULL: none */
};

/* A narrative part's recipient: is it this session's participant, by any of its names, or somebody
 * who has handed the case over to it?  `ctx` is a struct reading. */
bool releases_is_reader(void *ctx, const char *recipient, size_t len);
/* Puts the keys that were wrapped for the session's participant into the sealed parts of what it
 * gets: the referral's bytes, then in the server's arena. */
enum ieum_err releases_add_keys(struct session *s, const uint8_t *message_id,
				const uint8_t **referral, size_t *len) IEUM_MUST_CHECK;

#endif
