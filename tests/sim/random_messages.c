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
	Ieum__V1__ConsentWithdrawal withdrawal;
	uint8_t token[34];
	ProtobufCBinaryData tokens[1];
	Ieum__V1__CapacityHold hold;
	Ieum__V1__PlacementNotice placement;
	Ieum__V1__PlaceReturned place_returned;
	Ieum__V1__CapacityReport capacity;
	Ieum__V1__WaitlistEntry entry;
	Ieum__V1__EmergencyMeasureReport emergency;
	Ieum__V1__EmergencyTemporaryMeasureNotice emergency_temporary;
	Ieum__V1__CourtFilingNotice filing;
	Ieum__V1__TemporaryMeasureNotice temporary;
	Ieum__V1__Answer answer;
	const struct peer *peer; /* whose */
	uint8_t id[CORE_ID_BYTES];
	uint8_t narrative[WORLD_NARRATIVE_BYTES];
	char *consent_to[1];
	char *consent_items[1];
	char *excluded[1];
};

void world_make_id(struct world *w, uint8_t id[CORE_ID_BYTES])
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
	world_make_id(w, d->id);
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

int world_keep(struct world *w, const Ieum__V1__Referral *referral, size_t peer)
{
	const Ieum__V1__Envelope *e = referral->envelope;

	if (w->n_sent == WORLD_MESSAGES_MAX)
		return -1;
	struct sent *s = &w->sent[w->n_sent];
	*s = (struct sent){ .peer = peer,
			    .type = e->type,
			    .len = ieum__v1__referral__get_packed_size(referral) };
	if (e->case_id.len == CORE_ID_BYTES) {
		memcpy(s->case_id, e->case_id.data, CORE_ID_BYTES);
		s->has_case = true;
	}
	memcpy(s->id, e->message_id.data, CORE_ID_BYTES);
	s->bytes = malloc(s->len);
	if (!s->bytes)
		abort();
	ieum__v1__referral__pack(referral, s->bytes);
	return (int)w->n_sent++;
}

static int keep(struct world *w, struct draft *d, size_t peer)
{
	return world_keep(w, &d->referral, peer);
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
		d->contact.outcome =
			world_random(w, 8) ? IEUM__V1__CONTACT_OUTCOME__CONTACT_OUTCOME_NOT_REACHED
					   : IEUM__V1__CONTACT_OUTCOME__CONTACT_OUTCOME_REACHED;
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

/* Of everything in the case; so rarely that consent mostly holds. */
static void make_withdrawal(struct world *w, struct draft *d)
{
	begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CONSENT_WITHDRAWAL);
	ieum__v1__consent_withdrawal__init(&d->withdrawal);
	in_some_case(w, d);
	d->referral.body_case = IEUM__V1__REFERRAL__BODY_CONSENT_WITHDRAWAL;
	d->referral.consent_withdrawal = &d->withdrawal;
}

/* One of a few people, seen again and again. */
static void about_somebody(struct world *w, struct draft *d)
{
	memset(d->token, (int)(1 + world_random(w, 5)), sizeof d->token);
	d->tokens[0] = (ProtobufCBinaryData){ sizeof d->token, d->token };
	d->envelope.subject_tokens = d->tokens;
	d->envelope.n_subject_tokens = 1;
}

static void make_signal(struct world *w, struct draft *d)
{
	begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_RISK_SIGNAL);
	ieum__v1__risk_signal__init(&d->signal);
	d->signal.month = (char *)"2026-03";
	d->signal.weight = 2;
	d->referral.body_case = IEUM__V1__REFERRAL__BODY_RISK_SIGNAL;
	d->referral.risk_signal = &d->signal;
	about_somebody(w, d);
}

/* A pool of the hub file or one of its kinds; sometimes none. */
static char *some_pool(struct world *w, bool kinds_too)
{
	const struct policy *p = sim_hub_policy(w->hub);

	if (policy_pools(p) == 0 || world_random(w, 64) == 0)
		return (char *)"nowhere";
	struct policy_pool *pool = policy_pool(p, (int)world_random(w, policy_pools(p)));
	return kinds_too && world_random(w, 2) ? pool->kind : pool->name;
}

static void make_hold(struct world *w, struct draft *d)
{
	begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CAPACITY_HOLD);
	ieum__v1__capacity_hold__init(&d->hold);
	in_some_case(w, d);
	d->hold.pool = some_pool(w, true);
	d->hold.sex = (Ieum__V1__Sex)world_random(w, 3);
	d->hold.age_years = (uint32_t)world_random(w, 20);
	d->hold.places = (uint32_t)world_random(w, 4);
	if (world_random(w, 8) == 0)
		d->hold.language = (char *)"vi";
	if (world_random(w, 8) == 0)
		d->hold.hold_ms = 60000;
	d->referral.body_case = IEUM__V1__REFERRAL__BODY_CAPACITY_HOLD;
	d->referral.capacity_hold = &d->hold;
}

static void make_entry(struct world *w, struct draft *d)
{
	begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_WAITLIST_ENTRY);
	ieum__v1__waitlist_entry__init(&d->entry);
	in_some_case(w, d);
	d->entry.pool = some_pool(w, true);
	d->entry.sex = (Ieum__V1__Sex)world_random(w, 3);
	d->entry.age_years = (uint32_t)world_random(w, 12);
	d->entry.places = (uint32_t)world_random(w, 3);
	d->entry.priority = (uint32_t)world_random(w, 3);
	d->referral.body_case = IEUM__V1__REFERRAL__BODY_WAITLIST_ENTRY;
	d->referral.waitlist_entry = &d->entry;
}

/* Mostly of a pool that the peer keeps; the number goes up and down. */
static void make_count(struct world *w, struct draft *d)
{
	const struct policy *p = sim_hub_policy(w->hub);

	begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CAPACITY_REPORT);
	ieum__v1__capacity_report__init(&d->capacity);
	d->capacity.pool = some_pool(w, false);
	for (size_t i = 0; i < policy_pools(p); i++) {
		const struct policy_pool *pool = policy_pool(p, (int)i);
		if (d->peer->who == pool->keeper)
			d->capacity.pool = (char *)pool->name;
	}
	d->capacity.places = (uint32_t)world_random(w, 5);
	d->referral.body_case = IEUM__V1__REFERRAL__BODY_CAPACITY_REPORT;
	d->referral.capacity_report = &d->capacity;
}

/* The hold of a request that the peer got, or any message's. */
static void some_hold(struct world *w, struct draft *d, ProtobufCBinaryData *hold_id)
{
	const struct peer *p = d->peer;
	size_t n_offers = w->n_offers < WORLD_OFFERS_MAX ? w->n_offers : WORLD_OFFERS_MAX;

	if (n_offers > 0 && world_random(w, 3) == 0) {
		const struct asked_of *a = &w->offers[world_random(w, n_offers)];
		*hold_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)a->id };
		d->envelope.case_id = (ProtobufCBinaryData){ a->has_case ? CORE_ID_BYTES : 0,
							     (uint8_t *)a->case_id };
		return;
	}
	for (int tries = 0; tries < 16 && p->n_asked > 0; tries++) {
		const struct asked_of *a = &p->asked[world_random(w, p->n_asked)];
		if (tries < 15 && a->type != IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CAPACITY_HOLD)
			continue;
		*hold_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)a->id };
		if (a->has_case)
			d->envelope.case_id =
				(ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)a->case_id };
		return;
	}
	if (w->n_sent > 0)
		*hold_id = (ProtobufCBinaryData){ CORE_ID_BYTES,
						  w->sent[world_random(w, w->n_sent)].id };
}

static void make_placement(struct world *w, struct draft *d)
{
	bool comes = world_random(w, 3) > 0;

	begin(w, d,
	      comes ? IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_PLACEMENT_NOTICE
		    : IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_PLACE_RETURNED);
	ieum__v1__placement_notice__init(&d->placement);
	ieum__v1__place_returned__init(&d->place_returned);
	in_some_case(w, d);
	d->referral.body_case = comes ? IEUM__V1__REFERRAL__BODY_PLACEMENT_NOTICE
				      : IEUM__V1__REFERRAL__BODY_PLACE_RETURNED;
	if (comes) {
		d->referral.placement_notice = &d->placement;
		d->placement.location_token =
			(ProtobufCBinaryData){ strlen(WORLD_LOCATION), (uint8_t *)WORLD_LOCATION };
		some_hold(w, d, &d->placement.hold_id);
	} else {
		d->referral.place_returned = &d->place_returned;
		some_hold(w, d, &d->place_returned.hold_id);
	}
}

/* Told at once, or up to four days late. */
static int64_t some_time_ago_ms(struct world *w)
{
	int64_t now_ms = sim_hub_now_us(w->hub) / 1000;

	return world_random(w, 2) ? now_ms : now_ms - (int64_t)world_random(w, 4 * 86400) * 1000;
}

static void make_taken(struct world *w, struct draft *d, int64_t at_ms)
{
	if (world_random(w, 2)) {
		begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_EMERGENCY_MEASURE_REPORT);
		ieum__v1__emergency_measure_report__init(&d->emergency);
		d->emergency.taken_at_ms = at_ms;
		d->emergency.extension_needed = world_random(w, 3) == 0;
		d->referral.body_case = IEUM__V1__REFERRAL__BODY_EMERGENCY_MEASURE_REPORT;
		d->referral.emergency_measure_report = &d->emergency;
	} else {
		begin(w, d,
		      IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_EMERGENCY_TEMPORARY_MEASURE_NOTICE);
		ieum__v1__emergency_temporary_measure_notice__init(&d->emergency_temporary);
		d->emergency_temporary.taken_at_ms = at_ms;
		d->referral.body_case = IEUM__V1__REFERRAL__BODY_EMERGENCY_TEMPORARY_MEASURE_NOTICE;
		d->referral.emergency_temporary_measure_notice = &d->emergency_temporary;
	}
}

static void make_decided(struct world *w, struct draft *d, int64_t at_ms)
{
	static uint32_t measures[] = { 3 };

	if (world_random(w, 2)) {
		begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_COURT_FILING_NOTICE);
		ieum__v1__court_filing_notice__init(&d->filing);
		d->filing.measures = measures;
		d->filing.n_measures = world_random(w, 2);
		d->filing.filed_at_ms = at_ms;
		d->referral.body_case = IEUM__V1__REFERRAL__BODY_COURT_FILING_NOTICE;
		d->referral.court_filing_notice = &d->filing;
	} else {
		begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_TEMPORARY_MEASURE_NOTICE);
		ieum__v1__temporary_measure_notice__init(&d->temporary);
		d->temporary.from_at_ms = at_ms;
		d->temporary.prolongs = world_random(w, 3) == 0;
		d->referral.body_case = IEUM__V1__REFERRAL__BODY_TEMPORARY_MEASURE_NOTICE;
		d->referral.temporary_measure_notice = &d->temporary;
	}
}

/* What starts, freezes, extends and stops clocks. */
static void make_measure(struct world *w, struct draft *d)
{
	int64_t at_ms = some_time_ago_ms(w);

	if (world_random(w, 2))
		make_taken(w, d, at_ms);
	else
		make_decided(w, d, at_ms);
	d->envelope.occurred_at_ms = at_ms;
	in_some_case(w, d);
}

static void exclude_somebody(struct world *w, struct draft *d, size_t whom)
{
	d->excluded[0] = w->peers[whom].name;
	d->envelope.excluded_participants = d->excluded;
	d->envelope.n_excluded_participants = 1;
}

int world_make_message(struct world *w, size_t peer)
{
	static void (*const makers[])(struct world *, struct draft *) = {
		make_report,     make_report,   make_support, make_support,   make_notice,
		make_notice,     make_question, make_closure, make_signal,    make_hold,
		make_hold,       make_entry,    make_count,   make_placement, make_placement,
		make_withdrawal, make_measure,  make_measure,
	};
	struct draft d = { .peer = &w->peers[peer] };
	const struct policy_participant *who =
		policy_participant(sim_hub_policy(w->hub), w->peers[peer].who);

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
	if (world_random(w, 12) == 0)
		exclude_somebody(w, &d, world_random(w, w->n_peers));
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
	if (world_random(w, 6) == 0)
		d->answer.request = 1 + (uint32_t)world_random(w, 3);
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
	if (a.has_case && world_random(w, 24) == 0)
		exclude_somebody(w, &d, world_random(w, 2) ? peer : world_random(w, w->n_peers));
	return keep(w, &d, peer);
}
