/* Reading: what a query may see is decided by the core; that it was read is on disk before the
 * answer leaves (promise 2).  A referral's content may have to come from the journal first: such a query
 * is parked and decided anew when the payload is there. */
#include <stdlib.h>
#include <string.h>

#include "broker/session.h"

/* What a kind of query is called in the journal, and whether its answer is a disclosure that is recorded. */
static const struct kind {
	const char *what;
	const char *full; /* for the pace of the loop */
	Ieum__V1__Query__WhatCase what_case;
	bool is_recorded;
} kinds[] = {
	{ "cases", "query cases", IEUM__V1__QUERY__WHAT_CASES, true },
	{ "case", "query case", IEUM__V1__QUERY__WHAT_CASE, true },
	{ "referral", "query referral", IEUM__V1__QUERY__WHAT_REFERRAL, true },
	{ "deadlines", "query deadlines", IEUM__V1__QUERY__WHAT_DEADLINES, true },
	{ "agenda", "query agenda", IEUM__V1__QUERY__WHAT_AGENDA, true },
	{ "pools", "query pools", IEUM__V1__QUERY__WHAT_POOLS, true },
	{ "handover", "query handover", IEUM__V1__QUERY__WHAT_HANDOVER, true },
	{ "queues", "query queues", IEUM__V1__QUERY__WHAT_QUEUES, true },
	{ "queue", "query queue", IEUM__V1__QUERY__WHAT_QUEUE, true },
	{ "directory", "query directory", IEUM__V1__QUERY__WHAT_DIRECTORY, false },
	{ "reach", "query reach", IEUM__V1__QUERY__WHAT_REACH, false },
	{ "whoami", "query whoami", IEUM__V1__QUERY__WHAT_WHOAMI, false },
};

static const struct kind *kind_of(const Ieum__V1__Query *query)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].what_case == query->what_case)
			return &kinds[i];
	return NULL;
}

/* A query at hand: a request's, or a parked one's. */
struct asking {
	struct session *s;
	uint64_t request_id;
	const struct kind *kind;
	struct core_view view;
};

static void refuse(const struct asking *a, enum ieum_err err, const char *detail)
{
	char what[REFUSALS_WHAT_BYTES];

	snprintf(what, sizeof(what), "query %s", a->kind->what);
	refusing_answer(a->s, a->request_id,
			&(struct refusing){ .err = err, .what = what, .detail = detail });
}

/* ---- parked queries ---- */

static bool park(const struct asking *a)
{
	struct server *sv = a->s->server;
	struct parked_query *p;

	if (sv->n_parked == SERVER_PARKED_QUERIES_MAX)
		return false;
	p = calloc(1, sizeof(*p));
	if (!p || recorder_read(&sv->recorder, a->view.payload_seq, NULL) != IEUM_E_OK) {
		free(p);
		return false;
	}
	p->channel_id = a->s->channel_id;
	p->request_id = a->request_id;
	p->payload_seq = a->view.payload_seq;
	memcpy(p->message_id, a->view.query->referral->message_id.data, sizeof(p->message_id));
	TAILQ_INSERT_TAIL(&sv->parked, p, link);
	sv->n_parked++;
	return true;
}

static void unpark(struct server *sv, struct parked_query *p)
{
	TAILQ_REMOVE(&sv->parked, p, link);
	sv->n_parked--;
}

void queries_forget(struct server *sv, uint64_t channel_id)
{
	struct parked_query *p = TAILQ_FIRST(&sv->parked);

	while (p) {
		struct parked_query *next = TAILQ_NEXT(p, link);

		if (channel_id == 0 || p->channel_id == channel_id) {
			unpark(sv, p);
			free(p);
		}
		p = next;
	}
}

/* ---- content ---- */

/* The content into the result, without what isn't for whoever asks. */
static enum ieum_err add_content(struct asking *a, const uint8_t *payload, size_t len)
{
	struct arena *arena = a->view.arena;
	const uint8_t *filtered;
	size_t filtered_len;
	struct reading reading = { a->s, a->view.result->referral->case_id.data };
	const struct codec_reader reader = {
		.is_reader = releases_is_reader,
		.ctx = &reading,
		.is_sender = strcmp(a->view.result->referral->sender,
				    session_participant(a->s)->name) == 0,
	};
	enum ieum_err err =
		codec_filter_referral(payload, len, &reader, arena, &filtered, &filtered_len);

	if (!err && a->view.sealed)
		err = releases_add_keys(a->s, a->view.read_id, &filtered, &filtered_len);
	if (err)
		return err;
	a->view.result->referral->referral =
		ieum__v1__referral__unpack(&arena->allocator, filtered_len, filtered);
	return a->view.result->referral->referral ? IEUM_E_OK : IEUM_E_INTERNAL;
}

/* Whether what a message says was told, and not only how far it is, decides who has got it. */
static const char *what_was_read(const struct asking *a)
{
	bool without_content = a->view.query->what_case == IEUM__V1__QUERY__WHAT_REFERRAL &&
			       !a->view.result->referral->referral;

	return without_content ? "referral_status" : a->kind->what;
}

/* Records the reading and puts the answer behind that record. */
static void answer(struct asking *a)
{
	struct server *sv = a->s->server;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	enum ieum_err err;

	if (a->kind->is_recorded) {
		const uint8_t(*id)[CORE_ID_BYTES] =
			(const uint8_t(*)[CORE_ID_BYTES]) & a->view.read_id;

		core_decision_reset(&sv->decision);
		err = core_decide_read(sv->core, a->s->connection, what_was_read(a), id,
				       a->view.has_read_id ? 1 : 0, server_now_us(sv),
				       &sv->decision);
		if (err) {
			refuse(a, err, sv->decision.detail);
			return;
		}
		if (!server_record(sv))
			return;
	}
	frame.request_id = a->request_id;
	frame.what_case = IEUM__V1__FRAME__WHAT_RESULT;
	a->view.result->drill = sv->drill;
	frame.result = a->view.result;
	/* What discloses nothing is answered also while nothing can be recorded. */
	if (sv->stalled && !a->kind->is_recorded && a->s->welcomed)
		session_answer_direct(a->s, &frame);
	else
		session_answer(a->s, &frame);
}

/* No payload at hand: `unreadable` when the journal has been asked already. */
static void view_and_answer(struct asking *a, const Ieum__V1__Query *query, bool unreadable)
{
	struct server *sv = a->s->server;
	const uint8_t *payload;
	size_t len;
	enum ieum_err err;

	a->view = (struct core_view){
		.connection = a->s->connection,
		.query = query,
		.now = server_now_us(sv),
		.arena = &sv->arena,
	};
	err = core_view(sv->core, sv->policy, &a->view);
	if (!err && a->view.payload_seq && !unreadable) {
		if (payload_cache_get(sv->recorder.cache, a->view.payload_seq, &payload, &len)) {
			err = len ? add_content(a, payload, len) : IEUM_E_OK;
		} else {
			if (!park(a))
				refuse(a, IEUM_E_TOO_MANY_REQUESTS, "");
			return;
		}
	}
	if (err)
		refuse(a, err, a->view.detail);
	else
		answer(a);
}

void queries_answer(const struct request *rq)
{
	struct asking a = { .s = rq->s, .request_id = rq->id };
	struct server *sv = rq->s->server;
	const Ieum__V1__Query *query = rq->frame->frame->query;
	int64_t began_us;

	a.kind = kind_of(query);
	if (!a.kind) {
		session_end(rq->s, IEUM_E_FRAME_UNKNOWN, "");
		return;
	}
	if (!requests_rate(rq, "query"))
		return;
	if (a.kind->is_recorded && (sv->stalled || recorder_room(&sv->recorder) == RECORDER_FULL)) {
		refuse(&a, IEUM_E_UNAVAILABLE, "");
		return;
	}
	began_us = pace_now_us();
	view_and_answer(&a, query, false);
	pace_since(&sv->pace, a.kind->full, began_us);
}

/* A parked query whose payload was looked for: decided anew, if whoever asked is still here. */
static void resume(struct server *sv, struct parked_query *p, bool erased)
{
	struct channel *ch = channel_find(sv->channels, p->channel_id);
	struct session *s = ch ? ((const struct owner *)channel_arg(ch))->session : NULL;
	Ieum__V1__ReferralQuery referral = IEUM__V1__REFERRAL_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	struct asking a = { .s = s, .request_id = p->request_id };

	if (!s || s->state != SESSION_OPEN)
		return;
	referral.message_id = (ProtobufCBinaryData){ sizeof(p->message_id), p->message_id };
	query.what_case = IEUM__V1__QUERY__WHAT_REFERRAL;
	query.referral = &referral;
	a.kind = kind_of(&query);
	arena_reset(&sv->arena);
	view_and_answer(&a, &query, erased);
}

void queries_payload_read(struct server *sv, uint64_t seq, bool erased)
{
	struct parked_queries others = TAILQ_HEAD_INITIALIZER(others);
	struct parked_queries these = TAILQ_HEAD_INITIALIZER(these);
	struct parked_query *p;

	/* Taken out first: what has to be read again is parked again meanwhile. */
	while ((p = TAILQ_FIRST(&sv->parked))) {
		TAILQ_REMOVE(&sv->parked, p, link);
		if (p->payload_seq == seq) {
			sv->n_parked--;
			TAILQ_INSERT_TAIL(&these, p, link);
		} else {
			TAILQ_INSERT_TAIL(&others, p, link);
		}
	}
	TAILQ_CONCAT(&sv->parked, &others, link);
	while ((p = TAILQ_FIRST(&these))) {
		TAILQ_REMOVE(&these, p, link);
		resume(sv, p, erased);
		free(p);
	}
}
