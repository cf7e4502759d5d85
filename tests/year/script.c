/* See script.h.  How many a year: 43,084 family supports, 288 domestic-violence reports a month and
 * 254 child reports are the figures that two Korean cities gave to the press; ten messages for
 * each case is this program's own assumption. */
#include "tests/year/script.h"

#include <stdbool.h>

#define TYPE(t)          IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_##t
#define SAYS(t)          TYPE(t), -1, 0
#define ANSWERS(step, k) TYPE(ANSWER), (step), IEUM__V1__ANSWER_KIND__ANSWER_KIND_##k

const struct script scripts[] = {
	{
		.name = "family support",
		.in_a_year = 43084,
		.category = IEUM__V1__CATEGORY__CATEGORY_FAMILY_SUPPORT,
		.urgency = IEUM__V1__URGENCY__URGENCY_ROUTINE,
		.basis = IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT,
		.steps = {
			{ "gimpo-family-centre", SAYS(REPORT_RECEIVED) },
			{ "gimpo-dong-centre", ANSWERS(0, RECEIVED) },
			{ "gimpo-welfare-division", SAYS(REFERRAL) },
			{ "gimpo-emergency-welfare", ANSWERS(2, ACCEPT) },
			{ "gimpo-emergency-welfare", SAYS(SERVICE_REPORT) },
			{ "gimpo-emergency-welfare", ANSWERS(2, COMPLETE) },
			{ "gimpo-dong-centre", SAYS(CONTACT_RESULT) },
			{ "gimpo-dong-centre", SAYS(SERVICE_REPORT) },
			{ "gimpo-welfare-division", SAYS(CLOSURE_REQUEST) },
			{ "gimpo-welfare-division", ANSWERS(8, ACCEPT) },
		},
	},
	{
		.name = "domestic violence",
		.in_a_year = 288 * 12,
		.category = IEUM__V1__CATEGORY__CATEGORY_DOMESTIC_VIOLENCE,
		.urgency = IEUM__V1__URGENCY__URGENCY_URGENT,
		.basis = IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT,
		.steps = {
			{ "gimpo-ps", SAYS(REPORT_RECEIVED) },
			{ "gimpo-ps", ANSWERS(0, RECEIVED) },
			{ "gimpo-counselling", ANSWERS(0, RECEIVED) },
			{ "gimpo-case-manager", ANSWERS(0, RECEIVED) },
			{ "gimpo-case-manager", SAYS(REFERRAL) },
			{ "gimpo-emergency-welfare", ANSWERS(4, ACCEPT) },
			{ "gimpo-counselling", SAYS(SERVICE_REPORT) },
			{ "gimpo-emergency-welfare", ANSWERS(4, COMPLETE) },
			{ "gimpo-counselling", SAYS(CLOSURE_REQUEST) },
			{ "gimpo-case-manager", ANSWERS(8, ACCEPT) },
		},
	},
	{
		.name = "child report",
		.in_a_year = 254,
		.category = IEUM__V1__CATEGORY__CATEGORY_CHILD_ABUSE_PHYSICAL,
		.urgency = IEUM__V1__URGENCY__URGENCY_IMMEDIATE,
		.basis = IEUM__V1__BASIS_KIND__BASIS_KIND_STATUTORY,
		.steps = {
			{ "gimpo-ps", SAYS(REPORT_RECEIVED) },
			{ "gimpo-child-official", ANSWERS(0, RECEIVED) },
			{ "gimpo-child-official", SAYS(CASE_JUDGEMENT) },
			{ "gimpo-child-official", SAYS(PROTECTION_PLAN) },
			{ "gimpo-cpa", ANSWERS(3, ACCEPT) },
			{ "gimpo-cpa", SAYS(CASE_PLAN) },
			{ "gimpo-cpa", SAYS(CONTACT_RESULT) },
			{ "gimpo-cpa", SAYS(SERVICE_REPORT) },
			{ "gimpo-cpa", SAYS(CLOSURE_REQUEST) },
			{ "gimpo-child-official", ANSWERS(8, ACCEPT) },
		},
	},
};

static void set_body(const struct script_step *step, struct script_message *m)
{
	switch (step->type) {
	case TYPE(REPORT_RECEIVED):
		ieum__v1__report_received__init(&m->body.report);
		m->body.report.victim_consents = IEUM__V1__CONSENTING__CONSENTING_YES;
		m->referral.report_received = &m->body.report;
		break;
	case TYPE(ANSWER):
		ieum__v1__answer__init(&m->body.answer);
		m->body.answer.kind = step->kind;
		m->referral.answer = &m->body.answer;
		break;
	case TYPE(REFERRAL):
		ieum__v1__support_referral__init(&m->body.support);
		m->body.support.domain = (char *)"economic";
		m->referral.referral = &m->body.support;
		break;
	case TYPE(SERVICE_REPORT):
		ieum__v1__service_report__init(&m->body.service);
		m->referral.service_report = &m->body.service;
		break;
	case TYPE(CONTACT_RESULT):
		ieum__v1__contact_result__init(&m->body.contact);
		m->body.contact.outcome = IEUM__V1__CONTACT_OUTCOME__CONTACT_OUTCOME_REACHED;
		m->referral.contact_result = &m->body.contact;
		break;
	case TYPE(CASE_JUDGEMENT):
		ieum__v1__case_judgement__init(&m->body.judgement);
		m->body.judgement.judgement = IEUM__V1__JUDGEMENT__JUDGEMENT_ABUSE_CASE;
		m->referral.case_judgement = &m->body.judgement;
		break;
	case TYPE(PROTECTION_PLAN):
		ieum__v1__protection_plan__init(&m->body.protection);
		m->referral.protection_plan = &m->body.protection;
		break;
	case TYPE(CASE_PLAN):
		ieum__v1__case_plan__init(&m->body.plan);
		m->referral.case_plan = &m->body.plan;
		break;
	default:
		ieum__v1__closure_request__init(&m->body.closure);
		m->body.closure.reason = IEUM__V1__REASON__REASON_GOALS_MET;
		m->body.closure.seen_face_to_face = true;
		m->referral.closure_request = &m->body.closure;
		break;
	}
	m->referral.body_case = (Ieum__V1__Referral__BodyCase)(100 + (int)step->type);
}

static void set_basis(const struct script *s, struct script_message *m)
{
	ieum__v1__legal_basis__init(&m->basis);
	m->basis.kind = s->basis;
	m->basis.article = (char *)"";
	if (s->basis == IEUM__V1__BASIS_KIND__BASIS_KIND_STATUTORY)
		m->basis.article = (char *)"아동학대처벌법 제11조";
	if (s->basis == IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT) {
		ieum__v1__consent__init(&m->consent);
		m->recipients[0] = (char *)"any";
		m->consent.recipients = m->recipients;
		m->consent.n_recipients = 1;
		m->consent.purpose = (char *)"support";
		m->consent.items = m->recipients;
		m->consent.n_items = 1;
		m->basis.consent = &m->consent;
	}
	m->envelope.legal_basis = &m->basis;
}

void script_message(const struct script *s, size_t step, uint8_t (*ids)[16],
		    struct script_message *m)
{
	static const char text[] = "상담 기록 요약: 다음 방문은 다음 주에 하기로 함.";
	const struct script_step *what = &s->steps[step];

	ieum__v1__referral__init(&m->referral);
	ieum__v1__envelope__init(&m->envelope);
	m->referral.envelope = &m->envelope;
	m->envelope.message_id = (ProtobufCBinaryData){ 16, ids[step] };
	m->envelope.type = what->type;
	m->envelope.urgency = s->urgency;
	if (step == 0) {
		m->envelope.open_case = true;
		m->envelope.category = s->category;
	} else {
		m->envelope.case_id = (ProtobufCBinaryData){ 16, ids[0] };
	}
	if (what->answers >= 0)
		m->envelope.in_reply_to = (ProtobufCBinaryData){ 16, ids[what->answers] };
	set_basis(s, m);
	set_body(what, m);
	ieum__v1__narrative_part__init(&m->narrative);
	m->narrative.media_type = (char *)"text/plain";
	m->narrative.language = (char *)"ko";
	m->narrative.content_case = IEUM__V1__NARRATIVE_PART__CONTENT_CLEAR;
	m->narrative.clear = (ProtobufCBinaryData){ sizeof text - 1, (uint8_t *)text };
	m->narratives[0] = &m->narrative;
	m->referral.narrative = m->narratives;
	m->referral.n_narrative = 1;
}
