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
	memset(d, 0, sizeof *d);
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

static void in_some_case(struct world *w, struct draft *d)
{
	if (w->n_cases > 0)
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
			    .len = ieum__v1__referral__get_packed_size(&d->referral) };
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
	if (world_random(w, 2))
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
	if (world_random(w, 4) == 0 && w->n_sent > 0)
		d->envelope.supersedes =
			(ProtobufCBinaryData){ CORE_ID_BYTES,
					       w->sent[world_random(w, w->n_sent)].id };
}

static void make_question(struct world *w, struct draft *d)
{
	begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_INFORMATION_REQUEST);
	ieum__v1__information_request__init(&d->request);
	d->request.purpose = (char *)"agenda of the month";
	d->request.round = (char *)"round";
	in_some_case(w, d);
	if (world_random(w, 2))
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
	struct draft d;
	const struct policy_participant *who =
		policy_participant(sim_hub_policy(w->hub), (int)peer);

	/* Mostly what this kind of agency may send; sometimes what it may not. */
	for (int i = 0; i < 8; i++) {
		makers[world_random(w, sizeof makers / sizeof makers[0])](w, &d);
		if (who->may_send >> d.envelope.type & 1)
			break;
	}
	if (world_random(w, 5) == 0) {
		static char *excluded[1];
		excluded[0] = (char *)w->peers[world_random(w, w->n_peers)].name;
		d.envelope.excluded_participants = excluded;
		d.envelope.n_excluded_participants = 1;
	}
	return keep(w, &d, peer);
}

int world_make_answer(struct world *w, size_t peer)
{
	struct peer *p = &w->peers[peer];
	struct draft d;

	if (p->n_asked == 0)
		return -1;
	size_t i = world_random(w, p->n_asked);
	begin(w, &d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER);
	ieum__v1__answer__init(&d.answer);
	d.answer.kind = (Ieum__V1__AnswerKind)(1 + world_random(w, 11));
	d.answer.reason = IEUM__V1__REASON__REASON_CAPACITY_FULL;
	d.answer.more_time_until_at_ms = sim_hub_now_us(w->hub) / 1000 + 86400000;
	d.envelope.in_reply_to = (ProtobufCBinaryData){ CORE_ID_BYTES, p->asked[i] };
	static const uint8_t none[CORE_ID_BYTES];
	if (memcmp(p->asked_case[i], none, sizeof none) != 0)
		d.envelope.case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, p->asked_case[i] };
	d.referral.body_case = IEUM__V1__REFERRAL__BODY_ANSWER;
	d.referral.answer = &d.answer;
	return keep(w, &d, peer);
}
