/* See council.h. */
#include "tests/unit/council.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const char council_hub[] =
	"hub: {name: test.ieum, title: {en: T, ko: 티}, jurisdiction: \"41570\", time_zone: \"+09:00\"}\n"
	"calendar: {working_hours: \"09:00-18:00\", weekend: [saturday, sunday], holidays: []}\n"
	"kinds:\n"
	"  police: {title: {en: P, ko: 경}, may_send: all}\n"
	"  school: {title: {en: S, ko: 학}, may_send: all}\n"
	"  agency: {title: {en: A, ko: 아}, may_send: all}\n"
	"  office: {title: {en: O, ko: 관}, may_send: all}\n"
	"  watcher: {title: {en: W, ko: 명}, may_send: [risk_signal], hears: status}\n"
	"  council: {title: {en: C, ko: 협}, may_send: none}\n"
	"participants:\n"
	"  city: {kind: office, title: {en: city, ko: 시}, head: boss}\n"
	"  boss: {kind: office, title: {en: boss, ko: 장}}\n"
	"  ps: {kind: police, title: {en: ps, ko: 경}, head: boss}\n"
	"  ps-2: {kind: police, title: {en: ps-2, ko: 경2}, head: boss}\n"
	"  edu: {kind: school, title: {en: edu, ko: 교}, head: boss}\n"
	"  cpa: {kind: agency, title: {en: cpa, ko: 아}, head: boss}\n"
	"  watcher: {kind: watcher, title: {en: w, ko: 명}}\n"
	"bodies:\n"
	"  council:\n"
	"    kind: council\n"
	"    title: {en: council, ko: 협의체}\n"
	"    mode: each\n"
	"    roles: {convener: [city], police: [ps, ps-2], school: [edu], agency: [cpa]}\n"
	"    convener: convener\n"
	"gates:\n"
	"  identity: {title: {en: Identity, ko: 신원}, lasts: 7 d}\n"
	"linkage:\n"
	"  children:\n"
	"    of: {type: risk_signal, basis: pseudonymous_signal}\n"
	"    tokens_agree: 2\n"
	"    agencies: 2\n"
	"    within: 90 d\n"
	"    expires: 12 months\n"
	"    tells: convener:council\n"
	"    category_only: true\n"
	"    may_say: [제11조, to visit the child, category only, a child is in danger now]\n"
	"    gate: identity # until it is open\n"
	"types:\n"
	"  default: {needs_case: true, may_open: true, needs_basis: true}\n"
	"  answer: {needs_case: false, needs_basis: false, needs_reply_to: true}\n"
	"  information_response: {needs_case: false, needs_basis: false, needs_reply_to: true, acts_as_answer: complete}\n"
	"  identity_disclosure: {acts_as_answer: complete}\n"
	"  risk_signal: {needs_case: false}\n"
	"  conference_call: {needs_case: false, needs_basis: false}\n"
	"  conference_minutes: {needs_case: false, needs_basis: false}\n"
	"  agenda_item: {may_open: false}\n"
	"rules:\n"
	"  - name: linked\n"
	"    when: {type: linked_set_notice}\n"
	"    to: case_owner\n"
	"    case_state: investigating\n"
	"  - name: report\n"
	"    when: {type: report_received}\n"
	"    to: edu\n"
	"    owner: city\n"
	"  - name: round\n"
	"    when: {type: information_request, linked_set: false}\n"
	"    needs_item_basis: true\n"
	"    to: body:council\n"
	"    each: true\n"
	"    answer_within: 3 business days\n"
	"    stops_at: completed\n"
	"    then: [{to: head, within: 1 d}]\n"
	"  - name: blind-round\n"
	"    when: {type: information_request, linked_set: true}\n"
	"    anonymous_until: identity\n"
	"    to: body:council\n"
	"    each: true\n"
	"    answer_within: 3 business days\n"
	"    stops_at: completed\n"
	"    then: [{to: head, within: 1 d}]\n"
	"  - name: who-is-it\n"
	"    when: {type: identity_request, sender_kind: office, break_glass: false}\n"
	"    needs_basis: [statutory, consent]\n"
	"    to: [ps, ps-2, edu]\n"
	"    answer_within: 1 d\n"
	"    quorum: 2\n"
	"    quorum_of: kind\n"
	"    one_rejection_ends: true\n"
	"    on_accept: open_gate\n"
	"    gate: identity\n"
	"    then: [{to: boss, within: 1 d}]\n"
	"  - name: break-glass\n"
	"    when: {type: identity_request, sender_kind: office, break_glass: true}\n"
	"    needs_basis: imminent_danger\n"
	"    to: [boss, cpa]\n"
	"    opens_gate: identity\n"
	"  - name: asked-by-the-hub\n"
	"    when: {type: identity_request, sender_kind: hub, addressed: true}\n"
	"    to: addressees\n"
	"    each: true\n"
	"    answer_within: 1 d\n"
	"    stops_at: completed\n"
	"    then: [{to: head, within: 1 d}]\n"
	"  - name: it-is\n"
	"    when: {type: identity_disclosure}\n"
	"    needs_gate: identity\n"
	"    to: case_owner\n"
	"  - name: item\n"
	"    when: {type: agenda_item}\n"
	"    puts_on_agenda: true\n"
	"  - name: call\n"
	"    when: {type: conference_call, body: council}\n"
	"    to: body:council\n"
	"    sends_agenda: true\n"
	"  - name: minutes\n"
	"    when: {type: conference_minutes}\n"
	"    to: body:council\n"
	"    asks_actions: true\n"
	"    ends_agenda: true\n"
	"    then: [{to: head, within: 1 month}]\n"
	"  - name: close\n"
	"    when: {type: closure_request}\n"
	"    to: boss\n"
	"    answer_within: 1 d\n"
	"    on_accept: close_case\n"
	"    then: [{to: cpa, within: 1 d}]\n";

int council_start(void **state)
{
	struct council *c = calloc(1, sizeof *c);

	assert_non_null(c);
	trial_start(&c->w, council_hub, NULL);
	c->city = trial_connect(&c->w, "city");
	c->ps = trial_connect(&c->w, "ps");
	c->edu = trial_connect(&c->w, "edu");
	c->cpa = trial_connect(&c->w, "cpa");
	c->boss = trial_connect(&c->w, "boss");
	*state = c;
	return 0;
}

int council_stop(void **state)
{
	struct council *c = *state;

	trial_stop(&c->w);
	free(c);
	return 0;
}

static void make_token(uint8_t token[34], int kind, int subject)
{
	memset(token, 0, 34);
	token[0] = (uint8_t)kind;
	token[1] = 1;
	for (int i = 2; i < 34; i++)
		token[i] = (uint8_t)(subject * 41 + kind * 7 + i);
}

void council_signal(struct council *c, int subject, int kinds)
{
	message_new(&c->w, &c->m, TYPE(RISK_SIGNAL));
	c->m.basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_PSEUDONYMOUS_SIGNAL;
	c->m.envelope.category = IEUM__V1__CATEGORY__CATEGORY_CHILD_NEGLECT;
	c->m.signal.weight = 2;
	for (int i = 0; i < kinds; i++) {
		make_token(c->tokens[i], i + 1, subject);
		c->list[i] = (ProtobufCBinaryData){ sizeof c->tokens[i], c->tokens[i] };
	}
	c->m.envelope.subject_tokens = c->list;
	c->m.envelope.n_subject_tokens = (size_t)kinds;
}

void council_other_token(struct council *c, int kind, int subject)
{
	make_token(c->tokens[kind - 1], kind, subject);
}

bool council_takes(struct council *c, uint64_t connection, Ieum__V1__MessageType type,
		   struct core_delivery *out)
{
	uint64_t ids[64];
	bool found = false;
	size_t n;

	while ((n = trial_release(&c->w, connection, 64, ids)) > 0) {
		for (size_t i = 0; i < n; i++) {
			struct core_delivery d;
			assert_true(core_delivery(c->w.core, ids[i], &d));
			const Ieum__V1__ReferralResult *r =
				trial_referral(&c->w, connection, d.message_id);
			if (r && r->type == type) {
				*out = d;
				found = true;
			}
			assert_int_equal(trial_done(&c->w, connection, ids[i]), IEUM_E_OK);
		}
	}
	return found;
}

void council_linked_case(struct council *c, uint8_t case_id[CORE_ID_BYTES])
{
	struct core_delivery d;

	if (council_takes(c, c->city, TYPE(LINKED_SET_NOTICE), &d) && d.case_id)
		memcpy(case_id, d.case_id, CORE_ID_BYTES);
	else
		fail_msg("the city gets no case of linked signals");
}

void council_refused(struct council *c, uint64_t who, enum ieum_err want)
{
	enum ieum_err err = trial_submit(&c->w, who, &c->m);

	if (err != want)
		fail_msg("%s instead of %s: %s", ieum_error((int)err)->name,
			 ieum_error((int)want)->name, c->w.detail);
}

uint64_t council_routed(struct council *c, const char *mailbox)
{
	return trial_counts(&c->w, mailbox).routed;
}
