/* Random messages, good and bad; see random_internal.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/random_internal.h"

/* What a message is made of, on the stack of one call. */
struct draft {
	Ieum__V1__Referral referral;
	Ieum__V1__Envelope envelope;
	Ieum__V1__LegalBasis basis;
	Ieum__V1__Consent consent;
	Ieum__V1__Addressee addressee;
	Ieum__V1__Addressee *addressees[1];
	Ieum__V1__NarrativePart part;
	Ieum__V1__NarrativePart *parts[1];
	Ieum__V1__ReportReceived report;
	Ieum__V1__SupportReferral support;
	Ieum__V1__ServiceReport service;
	Ieum__V1__ContactResult contact;
	Ieum__V1__InformationRequest request;
	Ieum__V1__InformationResponse response;
	Ieum__V1__ClosureRequest closure;
	Ieum__V1__RiskSignal signal;
	Ieum__V1__Answer answer;
	const struct peer *peer; /* whose */
	uint8_t id[CORE_ID_BYTES];
	uint8_t narrative[WORLD_NARRATIVE_BYTES];
	char *consent_to[1];
	char *consent_items[1];
};

static void make_id(struct world *w, uint8_t id[CORE_ID_BYTES])
{
	uint64_t ms = (uint64_t)sim_hub_now_us(w->hub) / 1000;

	for (int i = 0; i < 6; i++)
		id[i] = (uint8_t)(ms >> (40 - 8 * i));
	for (int i = 6; i < CORE_ID_BYTES; i++)
		id[i] = (uint8_t)world_random(w, 256);
	id[6] = (uint8_t)(0x70 | (id[6] & 0x0f));
	id[8] = (uint8_t)(0x80 | (id[8] & 0x3f));
}

static void begin(struct world *w, struct draft *d, Ieum__V1__MessageType type)
{
	const struct peer *peer = d->peer;

	memset(d, 0, sizeof *d);
	d->peer = peer;
	ieum__v1__referral__init(&d->referral);
	ieum__v1__envelope__init(&d->envelope);
	ieum__v1__legal_basis__init(&d->basis);
	ieum__v1__narrative_part__init(&d->part);
	make_id(w, d->id);
	for (size_t i = 0; i < sizeof d->narrative; i++)
		d->narrative[i] = (uint8_t)('a' + world_random(w, 26));
	d->basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_STATUTORY;
	d->basis.article = (char *)"article";
	d->part.media_type = (char *)"text/plain";
	d->part.content_case = IEUM__V1__NARRATIVE_PART__CONTENT_CLEAR;
	d->part.clear = (ProtobufCBinaryData){ sizeof d->narrative, d->narrative };
	d->parts[0] = &d->part;
	d->envelope.message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, d->id };
	d->envelope.type = type;
	d->envelope.urgency = (Ieum__V1__Urgency)world_random(w, 5);
	d->envelope.legal_basis = &d->basis;
	d->referral.envelope = &d->envelope;
	d->referral.narrative = d->parts;
	d->referral.n_narrative = 1;
}

static void with_consent(struct draft *d)
{
	ieum__v1__consent__init(&d->consent);
	d->consent_to[0] = (char *)"any";
	d->consent_items[0] = (char *)"contact";
	d->consent.recipients = d->consent_to;
	d->consent.n_recipients = 1;
	d->consent.purpose = (char *)"support";
	d->consent.items = d->consent_items;
	d->consent.n_items = 1;
	d->basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT;
	d->basis.consent = &d->consent;
}

/* Mostly one that the peer has to do with. */
static void in_some_case(struct world *w, struct draft *d)
{
	const struct peer *p = d->peer;
	size_t n = p->n_cases < WORLD_PEER_CASES_MAX ? p->n_cases : WORLD_PEER_CASES_MAX;

	if (n > 0 && world_random(w, 16))
		d->envelope.case_id =
			(ProtobufCBinaryData){ CORE_ID_BYTES,
					       (uint8_t *)p->cases[world_random(w, n)] };
	else if (w->n_cases > 0)
		d->envelope.case_id =
			(ProtobufCBinaryData){ CORE_ID_BYTES,
					       w->cases[world_random(w, w->n_cases)] };
}

static void to_somebody(struct world *w, struct draft *d)
{
	ieum__v1__addressee__init(&d->addressee);
	d->addressee.to_case = IEUM__V1__ADDRESSEE__TO_PARTICIPANT;
	d->addressee.participant = (char *)w->peers[world_random(w, w->n_peers)].name;
	d->addressees[0] = &d->addressee;
	d->envelope.addressees = d->addressees;
	d->envelope.n_addressees = 1;
}

static int keep(struct world *w, struct draft *d, size_t peer)
{
	if (w->n_sent == WORLD_MESSAGES_MAX)
		return -1;
	struct sent *s = &w->sent[w->n_sent];
	*s = (struct sent){ .peer = peer,
			    .type = d->envelope.type,
			    .len = ieum__v1__referral__get_packed_size(&d->referral) };
	if (d->envelope.case_id.len == CORE_ID_BYTES) {
		memcpy(s->case_id, d->envelope.case_id.data, CORE_ID_BYTES);
		s->has_case = true;
	}
	memcpy(s->id, d->id, CORE_ID_BYTES);
	s->bytes = malloc(s->len);
	if (!s->bytes)
		abort();
	ieum__v1__referral__pack(&d->referral, s->bytes);
	return (int)w->n_sent++;
}

static void make_report(struct world *w, struct draft *d)
{
	static const Ieum__V1__Category categories[] = {
		IEUM__V1__CATEGORY__CATEGORY_DOMESTIC_VIOLENCE,
		IEUM__V1__CATEGORY__CATEGORY_SEXUAL_VIOLENCE,
		IEUM__V1__CATEGORY__CATEGORY_CHILD_ABUSE_PHYSICAL,
		IEUM__V1__CATEGORY__CATEGORY_CHILD_NEGLECT,
	};

	begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_REPORT_RECEIVED);
	ieum__v1__report_received__init(&d->report);
	d->envelope.open_case = true;
	d->envelope.category = categories[world_random(w, 4)];
	if (world_random(w, 6) == 0)
		with_consent(d);
	d->report.child_at_home = world_random(w, 2) == 0;
	d->report.dispatches_in_year = (uint32_t)world_random(w, 5);
	d->report.victim_consents = IEUM__V1__CONSENTING__CONSENTING_YES;
	d->referral.body_case = IEUM__V1__REFERRAL__BODY_REPORT_RECEIVED;
	d->referral.report_received = &d->report;
}

static void make_support(struct world *w, struct draft *d)
{
	static char *const domains[] = { "emotional", "legal",  "economic",
					 "medical",   "safety", "care" };

	begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_REFERRAL);
	ieum__v1__support_referral__init(&d->support);
	in_some_case(w, d);
	with_consent(d);
	d->support.domain = domains[world_random(w, 6)];
	d->referral.body_case = IEUM__V1__REFERRAL__BODY_REFERRAL;
	d->referral.referral = &d->support;
}

/* Mostly a message of its own, of the same type and case; sometimes anything. */
static void supersede_something(struct world *w, struct draft *d)
{
	for (int tries = 0; tries < 64 && w->n_sent > 0; tries++) {
		struct sent *s = &w->sent[world_random(w, w->n_sent)];
		if (tries && (&w->peers[s->peer] != d->peer || s->type != d->envelope.type))
			continue;
		if (tries == 0 && world_random(w, 8))
			continue;
		d->envelope.supersedes = (ProtobufCBinaryData){ CORE_ID_BYTES, s->id };
		if (s->has_case)
			d->envelope.case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, s->case_id };
		return;
	}
}

static void make_notice(struct world *w, struct draft *d)
{
	if (world_random(w, 2)) {
		begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_SERVICE_REPORT);
		ieum__v1__service_report__init(&d->service);
		d->service.domain = (char *)"care";
		d->referral.body_case = IEUM__V1__REFERRAL__BODY_SERVICE_REPORT;
		d->referral.service_report = &d->service;
	} else {
		begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CONTACT_RESULT);
		ieum__v1__contact_result__init(&d->contact);
		d->contact.outcome = IEUM__V1__CONTACT_OUTCOME__CONTACT_OUTCOME_NOT_REACHED;
		d->contact.attempt = 1;
		d->referral.body_case = IEUM__V1__REFERRAL__BODY_CONTACT_RESULT;
		d->referral.contact_result = &d->contact;
	}
	in_some_case(w, d);
	if (world_random(w, 2))
		to_somebody(w, d);
	if (world_random(w, 8) == 0)
		supersede_something(w, d);
}

static void make_question(struct world *w, struct draft *d)
{
	begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_INFORMATION_REQUEST);
	ieum__v1__information_request__init(&d->request);
	d->request.purpose = (char *)"agenda of the month";
	d->request.round = (char *)"round";
	in_some_case(w, d);
	if (world_random(w, 8))
		to_somebody(w, d);
	d->referral.body_case = IEUM__V1__REFERRAL__BODY_INFORMATION_REQUEST;
	d->referral.information_request = &d->request;
}

static void make_closure(struct world *w, struct draft *d)
{
	begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CLOSURE_REQUEST);
	ieum__v1__closure_request__init(&d->closure);
	d->closure.reason = IEUM__V1__REASON__REASON_GOALS_MET;
	in_some_case(w, d);
	d->referral.body_case = IEUM__V1__REFERRAL__BODY_CLOSURE_REQUEST;
	d->referral.closure_request = &d->closure;
}

static void make_signal(struct world *w, struct draft *d)
{
	begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_RISK_SIGNAL);
	ieum__v1__risk_signal__init(&d->signal);
	d->signal.month = (char *)"2026-03";
	d->signal.weight = 2;
	d->referral.body_case = IEUM__V1__REFERRAL__BODY_RISK_SIGNAL;
	d->referral.risk_signal = &d->signal;
}

int world_make_message(struct world *w, size_t peer)
{
	static void (*const makers[])(struct world *, struct draft *) = {
		make_report, make_report,   make_support, make_support, make_notice,
		make_notice, make_question, make_closure, make_signal,
	};
	struct draft d = { .peer = &w->peers[peer] };
	const struct policy_participant *who =
		policy_participant(sim_hub_policy(w->hub), (int)peer);

	bool sensible = false;

	/* Mostly what this kind of agency may send; sometimes what it may not. */
	for (int i = 0; i < 16 && !sensible; i++) {
		makers[world_random(w, sizeof makers / sizeof makers[0])](w, &d);
		sensible = who->may_send >> d.envelope.type & 1 &&
			   (d.envelope.open_case || d.peer->n_cases > 0 ||
			    d.envelope.type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_RISK_SIGNAL);
	}
	if (!sensible && world_random(w, 64))
		return -1;
	if (world_random(w, 12) == 0) {
		static char *excluded[1];
		excluded[0] = (char *)w->peers[world_random(w, w->n_peers)].name;
		d.envelope.excluded_participants = excluded;
		d.envelope.n_excluded_participants = 1;
	}
	return keep(w, &d, peer);
}

/* What somebody would say next; now and then what makes no sense. */
static Ieum__V1__AnswerKind next_answer(struct world *w, Ieum__V1__AnswerKind said)
{
	static const Ieum__V1__AnswerKind first[] = {
		IEUM__V1__ANSWER_KIND__ANSWER_KIND_RECEIVED,
		IEUM__V1__ANSWER_KIND__ANSWER_KIND_RECEIVED,
		IEUM__V1__ANSWER_KIND__ANSWER_KIND_ACCEPT,
		IEUM__V1__ANSWER_KIND__ANSWER_KIND_ACCEPT,
		IEUM__V1__ANSWER_KIND__ANSWER_KIND_REJECT,
		IEUM__V1__ANSWER_KIND__ANSWER_KIND_NEED_MORE_TIME,
		IEUM__V1__ANSWER_KIND__ANSWER_KIND_ON_HOLD,
	};
	static const Ieum__V1__AnswerKind then[] = {
		IEUM__V1__ANSWER_KIND__ANSWER_KIND_IN_PROGRESS,
		IEUM__V1__ANSWER_KIND__ANSWER_KIND_INTERIM,
		IEUM__V1__ANSWER_KIND__ANSWER_KIND_NEED_MORE_TIME,
		IEUM__V1__ANSWER_KIND__ANSWER_KIND_COMPLETE,
		IEUM__V1__ANSWER_KIND__ANSWER_KIND_COMPLETE,
		IEUM__V1__ANSWER_KIND__ANSWER_KIND_FAIL,
	};
	bool begun = said != 0 && said != IEUM__V1__ANSWER_KIND__ANSWER_KIND_RECEIVED &&
		     said != IEUM__V1__ANSWER_KIND__ANSWER_KIND_NEED_MORE_TIME;

	if (world_random(w, 10) == 0)
		return (Ieum__V1__AnswerKind)(1 + world_random(w, 11));
	return begun ? then[world_random(w, sizeof then / sizeof then[0])]
		     : first[world_random(w, sizeof first / sizeof first[0])];
}

static bool ends(Ieum__V1__AnswerKind kind)
{
	return kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_REJECT ||
	       kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_COMPLETE ||
	       kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_FAIL;
}

/* Information is given, not held or refused. */
static void make_response(struct world *w, struct draft *d)
{
	begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_INFORMATION_RESPONSE);
	ieum__v1__information_response__init(&d->response);
	d->response.holding = (Ieum__V1__Holding)(1 + world_random(w, 3));
	d->response.reason = IEUM__V1__REASON__REASON_ENDANGERS_FAMILY;
	d->referral.body_case = IEUM__V1__REFERRAL__BODY_INFORMATION_RESPONSE;
	d->referral.information_response = &d->response;
}

static void make_answer(struct world *w, struct draft *d, Ieum__V1__AnswerKind kind)
{
	begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER);
	ieum__v1__answer__init(&d->answer);
	d->answer.kind = kind;
	d->answer.reason = IEUM__V1__REASON__REASON_CAPACITY_FULL;
	d->answer.more_time_until_at_ms = sim_hub_now_us(w->hub) / 1000 + 86400000;
	d->referral.body_case = IEUM__V1__REFERRAL__BODY_ANSWER;
	d->referral.answer = &d->answer;
}

int world_make_answer(struct world *w, size_t peer)
{
	struct peer *p = &w->peers[peer];
	struct draft d = { .peer = p };

	if (p->n_asked == 0)
		return -1;
	size_t i = world_random(w, p->n_asked);
	struct asked_of a = p->asked[i];
	bool responds = a.type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_INFORMATION_REQUEST &&
			world_random(w, 2);
	Ieum__V1__AnswerKind kind =
		responds ? IEUM__V1__ANSWER_KIND__ANSWER_KIND_COMPLETE : next_answer(w, a.said);
	p->asked[i].said = kind;
	if (ends(kind))
		p->asked[i] = p->asked[--p->n_asked];
	if (responds)
		make_response(w, &d);
	else
		make_answer(w, &d, kind);
	d.envelope.in_reply_to = (ProtobufCBinaryData){ CORE_ID_BYTES, a.id };
	if (a.has_case)
		d.envelope.case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, a.case_id };
	return keep(w, &d, peer);
}
