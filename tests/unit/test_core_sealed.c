/* broker/core, sealed narratives: whom a part has to be sealed to, who gets a key later, and who is
 * asked to wrap it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/sealed.h"
#include "broker/core/state.h"
#include "tests/unit/core_trial.h"

#define HUB_HEAD \
	"hub: {name: test.ieum, title: {en: T, ko: 티}, jurisdiction: \"41570\", time_zone: \"+09:00\"}\n" \
	"calendar: {working_hours: \"09:00-18:00\", weekend: [saturday, sunday], holidays: []}\n" \
	"sealed: {wrap_within: 10 min}\n" \
	"kinds:\n" \
	"  office: {title: {en: O, ko: 관}, may_send: all}\n" \
	"participants:\n" \
	"  city: {kind: office, title: {en: city, ko: 가}}\n" \
	"  boss: {kind: office, title: {en: boss, ko: 나}}\n" \
	"  aid: {kind: office, title: {en: aid, ko: 다}}\n" \
	"  more-aid: {kind: office, title: {en: more, ko: 라}}\n" \
	"  house: {kind: office, title: {en: house, ko: 마}}\n" \
	"bodies:\n" \
	"  team: {kind: office, title: {en: team, ko: 팀}, mode: any, roles: {help: ["
#define HUB_TAIL \
	"]}, lead: help}\n" \
	"counters:\n" \
	"  visits: {of: {type: visit_request}, per: subject, within: 1 year}\n" \
	"types: {default: {needs_case: true, may_open: true, needs_basis: true}, answer: {needs_case: false, needs_basis: false, needs_reply_to: true}}\n" \
	"rules:\n" \
	"  - {name: open, when: {type: referral}, to: boss, owner: boss}\n" \
	"  - {name: ask-team, when: {type: information_request}, to: \"body:team/help\", answer_within: 1 h, then: [{to: house, within: 1 d}]}\n" \
	"  - {name: all, when: {type: contact_result}, to: [\"body:team/help\", boss, house]}\n" \
	"  - {name: stop, when: {type: consent_withdrawal}, to: boss, stops_use: true}\n" \
	"  - {name: order, when: {type: stop_use_order, addressed: true}, to: addressees, each: true, answer_within: 1 d, stops_at: received, then: [{to: city, within: 1 d}]}\n" \
	"  - {name: tell, when: {type: visit_request}, to: boss}\n" \
	"  - {name: often, when: {type: visit_request, count: {visits: \">= 2\"}}, to: house}\n"

static const char hub[] = HUB_HEAD "aid, more-aid" HUB_TAIL;
static const char hub_with_house[] = HUB_HEAD "aid, more-aid, house" HUB_TAIL;

enum { CITY = 1, BOSS, AID, MORE_AID, HOUSE, STRANGER, N_PAPERS };

/* A certificate that is told apart by one number. */
struct paper {
	uint8_t der[64], fingerprint[CORE_HASH_BYTES], key_id[20], issuer_serial[CORE_HASH_BYTES];
	char serial[8];
	struct core_certificate k;
};

struct town {
	struct trial w;
	uint64_t at[N_PAPERS]; /* connections */
	struct paper papers[N_PAPERS + 2 * CORE_CERTIFICATES_PER_PARTICIPANT];
	uint8_t case_id[CORE_ID_BYTES];
	/* The message at hand. */
	struct message m;
	Ieum__V1__NarrativePart parts[2];
	Ieum__V1__NarrativePart *narrative[2];
	struct core_sealed sealed[2];
	struct seal_recipient recipients[2][N_PAPERS]; /* at most so many */
	Ieum__V1__WrappedKey keys[2];
	Ieum__V1__WrappedKey *key_list[2];
	/* The newest key_request that the hub sent. */
	Ieum__V1__Referral *request;
	uint32_t asked; /* mailbox */
	size_t requests;
};

static const char *const names[N_PAPERS] = { NULL,       "city",  "boss",    "aid",
					     "more-aid", "house", "stranger" };

/* ---- a town ---- */

static const struct core_certificate *paper(struct town *t, int number)
{
	struct paper *p = &t->papers[number];

	memset(p->der, number, sizeof p->der);
	memset(p->fingerprint, number, sizeof p->fingerprint);
	memset(p->key_id, number, sizeof p->key_id);
	memset(p->issuer_serial, 0x80 | number, sizeof p->issuer_serial);
	(void)snprintf(p->serial, sizeof p->serial, "%02x", (unsigned)number & 0xff);
	p->k = (struct core_certificate){
		.der = p->der,
		.der_len = sizeof p->der,
		.fingerprint = p->fingerprint,
		.key_id = p->key_id,
		.key_id_len = sizeof p->key_id,
		.issuer_serial = p->issuer_serial,
		.ends_at_ms = (t->w.now + 400 * DAY_US) / 1000,
		.actor = "someone",
		.serial = p->serial,
	};
	return &p->k;
}

/* With its certificate, which the hub knows from then on. */
static void comes_with(struct town *t, int who, int certificate)
{
	const struct core_connect k = {
		.participant = names[who],
		.actor = "someone",
		.address = "192.0.2.1:4",
		.certificate = "0a",
		.with = paper(t, certificate),
	};

	core_decision_reset(&t->w.d);
	assert_int_equal(trial_record(&t->w, core_decide_connect(t->w.core, t->w.policy, &k,
								 t->w.now, &t->w.d)),
			 IEUM_E_OK);
	t->at[who] = t->w.d.items[0].event->connected->connection;
}

static void comes(struct town *t, int who)
{
	comes_with(t, who, who);
}

static void goes(struct town *t, int who)
{
	trial_disconnect(&t->w, t->at[who]);
}

static int town_start(void **state)
{
	struct town *t = calloc(1, sizeof *t);

	if (!t)
		return -1;
	trial_start(&t->w, hub, NULL);
	comes(t, CITY);
	comes(t, BOSS);
	comes(t, AID);
	comes(t, HOUSE);
	message_new(&t->w, &t->m, TYPE(REFERRAL));
	t->m.support.domain = (char *)"care";
	message_open_case(&t->m);
	trial_submitted(&t->w, t->at[CITY], &t->m);
	memcpy(t->case_id, t->m.id, CORE_ID_BYTES);
	*state = t;
	return 0;
}

static int town_stop(void **state)
{
	struct town *t = *state;

	trial_verify(&t->w);
	if (t->request)
		ieum__v1__referral__free_unpacked(t->request, NULL);
	trial_stop(&t->w);
	free(t);
	return 0;
}

/* ---- messages ---- */

static void message(struct town *t, Ieum__V1__MessageType type)
{
	message_new(&t->w, &t->m, type);
	message_in_case(&t->m, t->case_id);
	t->m.referral.narrative = t->narrative;
	t->m.sealed = t->sealed;
}

/* One more part, sealed to those, by either name in turn. */
static void seal(struct town *t, const int *to)
{
	size_t i = t->m.n_sealed++;
	size_t n = 0;

	ieum__v1__narrative_part__init(&t->parts[i]);
	t->parts[i].media_type = (char *)"text/plain";
	t->parts[i].number = (uint32_t)i + 3;
	t->parts[i].content_case = IEUM__V1__NARRATIVE_PART__CONTENT_SEALED;
	t->narrative[i] = &t->parts[i];
	t->m.referral.n_narrative = i + 1;
	for (; to[n]; n++) {
		struct seal_recipient *r = &t->recipients[i][n];
		*r = (struct seal_recipient){ .by_key_id = n % 2 == 0, .key_id_len = 20 };
		memset(r->key_id, to[n], 20);
		memset(r->issuer_serial, 0x80 | to[n], sizeof r->issuer_serial);
	}
	t->sealed[i] = (struct core_sealed){ i, t->recipients[i], n };
}
#define TO(...) ((const int[]){ __VA_ARGS__, 0 })

static void refused(struct town *t, int who, enum ieum_err err, const char *says)
{
	enum ieum_err got = trial_submit(&t->w, t->at[who], &t->m);

	if (got != err || !strstr(t->w.detail, says))
		fail_msg("%s: %s", ieum_error((int)got)->name, t->w.detail);
}

/* A question to the team, sealed to those; its id. */
static void asks_team(struct town *t, const int *to)
{
	message(t, TYPE(INFORMATION_REQUEST));
	seal(t, to);
	trial_submitted(&t->w, t->at[BOSS], &t->m);
}

static const struct sealed *record(struct town *t, const uint8_t *id)
{
	uint32_t rh = state_referral(t->w.core, id);
	uint32_t h = rh ? referral_at(t->w.core, rh)->sealed : 0;

	return h ? sealed_at(t->w.core, h) : NULL;
}

static uint32_t number(struct town *t, int who)
{
	return state_participant_number(t->w.core, names[who]);
}

static uint32_t held(struct town *t, const uint8_t *id, int who)
{
	return sealed_held(record(t, id), number(t, who));
}

static const struct sealed_want *want(struct town *t, const uint8_t *id, int who)
{
	const struct sealed *s = record(t, id);
	uint32_t wh = s ? sealed_want_of(t->w.core, s, number(t, who)) : 0;

	return wh ? sealed_want_at(t->w.core, wh) : NULL;
}

/* ---- what time brings, with an eye on who is asked ---- */

static void note_request(struct town *t, const struct core_item *item)
{
	const Ieum__V1__Event *e = item->event;

	if (e->what_case != IEUM__V1__EVENT__WHAT_SUBMITTED ||
	    e->submitted->type != TYPE(KEY_REQUEST))
		return;
	if (t->request)
		ieum__v1__referral__free_unpacked(t->request, NULL);
	t->request = ieum__v1__referral__unpack(NULL, item->payload_len, item->payload);
	assert_non_null(t->request);
	assert_int_equal(e->submitted->n_routes, 1);
	t->asked = e->submitted->routes[0]->mailbox;
	t->requests++;
}

static size_t passes(struct town *t, core_time_us by)
{
	size_t before = t->requests;

	t->w.now += by;
	for (;;) {
		core_decision_reset(&t->w.d);
		assert_int_equal(core_decide_due(t->w.core, t->w.policy, t->w.now, &t->w.d),
				 IEUM_E_OK);
		if (t->w.d.n_items == 0)
			break;
		for (size_t i = 0; i < t->w.d.n_items; i++)
			note_request(t, &t->w.d.items[i]);
		assert_int_equal(trial_record(&t->w, IEUM_E_OK), IEUM_E_OK);
	}
	trial_verify(&t->w);
	return t->requests - before;
}

static void asked_is(struct town *t, int who)
{
	assert_string_equal(core_mailbox_name(t->w.core, t->asked), names[who]);
}

/* Wraps the first part for a participant, with a key for `certificate`. */
static enum ieum_err wraps(struct town *t, int holder, const uint8_t *id, int newcomer,
			   int certificate)
{
	static uint8_t info[] = "a recipient info";

	message_new(&t->w, &t->m, TYPE(KEY_WRAP));
	t->m.wrap.message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)id };
	t->m.wrap.participant = (char *)names[newcomer];
	t->m.wrap.keys = t->key_list;
	t->m.wrap.n_keys = 1;
	t->key_list[0] = &t->keys[0];
	ieum__v1__wrapped_key__init(&t->keys[0]);
	t->keys[0].part = 3;
	t->keys[0].recipient_info = (ProtobufCBinaryData){ sizeof info, info };
	t->recipients[0][0] = (struct seal_recipient){ .by_key_id = true, .key_id_len = 20 };
	memset(t->recipients[0][0].key_id, certificate, 20);
	t->sealed[0] = (struct core_sealed){ 0, t->recipients[0], 1 };
	t->m.sealed = t->sealed;
	t->m.n_sealed = 1;
	return trial_submit(&t->w, t->at[holder], &t->m);
}

static void reads_it(struct town *t, int who, const uint8_t *id)
{
	uint8_t ids[1][CORE_ID_BYTES];

	memcpy(ids[0], id, CORE_ID_BYTES);
	core_decision_reset(&t->w.d);
	assert_int_equal(trial_record(&t->w, core_decide_read(t->w.core, t->at[who], "referral",
							      ids, 1, t->w.now, &t->w.d)),
			 IEUM_E_OK);
}

static void takes_all(struct town *t, int who)
{
	uint64_t id;

	while ((id = trial_release_one(&t->w, t->at[who])))
		assert_int_equal(trial_done(&t->w, t->at[who], id), IEUM_E_OK);
}

static void answers(struct town *t, int who, const uint8_t *to, Ieum__V1__AnswerKind kind)
{
	assert_int_equal(trial_answer(&t->w, t->at[who], to, kind), IEUM_E_OK);
}

/* ---- whom it has to be sealed to ---- */

static void what_is_sealed_to_its_readers_is_taken(void **state)
{
	struct town *t = *state;

	asks_team(t, TO(AID, BOSS));
	assert_int_equal(held(t, t->m.id, AID), 1 << 2);
	assert_int_equal(held(t, t->m.id, BOSS), 1 << 2);
	assert_int_equal(held(t, t->m.id, HOUSE), 0);
	trial_restart(&t->w);
	assert_int_equal(held(t, t->m.id, AID), 1 << 2);
}

static void a_reader_who_lacks_is_named(void **state)
{
	struct town *t = *state;

	message(t, TYPE(INFORMATION_REQUEST));
	seal(t, TO(BOSS));
	refused(t, BOSS, IEUM_E_SEALED_OTHERWISE,
		"narrative[0]: 'aid' would read it, and it is not sealed to them");
	/* Its own key nobody has to keep. */
	message(t, TYPE(INFORMATION_REQUEST));
	seal(t, TO(AID));
	trial_submitted(&t->w, t->at[BOSS], &t->m);
}

static void who_would_not_read_it_is_named(void **state)
{
	struct town *t = *state;

	message(t, TYPE(INFORMATION_REQUEST));
	seal(t, TO(AID, HOUSE));
	refused(t, BOSS, IEUM_E_SEALED_OTHERWISE,
		"narrative[0]: is sealed to 'house', who would not read it");
	/* Whom the hub doesn't know it sends nothing to. */
	message(t, TYPE(INFORMATION_REQUEST));
	seal(t, TO(AID, STRANGER));
	trial_submitted(&t->w, t->at[BOSS], &t->m);
}

static void parts_for_some_are_sealed_to_them(void **state)
{
	static char *of_boss[] = { (char *)"boss" };
	static char *of_team[] = { (char *)"team" };
	struct town *t = *state;

	message(t, TYPE(CONTACT_RESULT));
	seal(t, TO(AID));
	seal(t, TO(BOSS));
	t->parts[0].recipients = of_team;
	t->parts[1].recipients = of_boss;
	t->parts[0].n_recipients = t->parts[1].n_recipients = 1;
	trial_submitted(&t->w, t->at[CITY], &t->m);
	assert_int_equal(held(t, t->m.id, AID), 1 << 2);
	assert_int_equal(held(t, t->m.id, BOSS), 1 << 3);

	message(t, TYPE(CONTACT_RESULT));
	seal(t, TO(AID, BOSS));
	t->parts[0].recipients = of_team;
	t->parts[0].n_recipients = 1;
	refused(t, CITY, IEUM_E_SEALED_OTHERWISE, "is sealed to 'boss'");
}

static void the_excluded_are_no_readers(void **state)
{
	struct town *t = *state;

	message(t, TYPE(INFORMATION_REQUEST));
	message_exclude(&t->m, "aid");
	seal(t, TO(AID));
	refused(t, BOSS, IEUM_E_SEALED_OTHERWISE, "is sealed to 'aid'");
	message(t, TYPE(INFORMATION_REQUEST));
	message_exclude(&t->m, "aid");
	seal(t, TO(BOSS));
	trial_submitted(&t->w, t->at[BOSS], &t->m);
}

static void a_certificate_that_has_ended_counts_for_nothing(void **state)
{
	struct town *t = *state;

	(void)passes(t, 401 * DAY_US);
	message(t, TYPE(INFORMATION_REQUEST));
	seal(t, TO(AID));
	trial_submitted(&t->w, t->at[BOSS], &t->m);
	assert_int_equal(held(t, t->m.id, AID), 0);
}

/* ---- reach ---- */

static const Ieum__V1__ReachResult *reach(struct town *t, int who)
{
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__ReachQuery of = IEUM__V1__REACH_QUERY__INIT;
	enum ieum_err err;

	of.referral = &t->m.referral;
	q.what_case = IEUM__V1__QUERY__WHAT_REACH;
	q.reach = &of;
	const Ieum__V1__Result *r = trial_query(&t->w, t->at[who], &q, &err);
	assert_int_equal(err, IEUM_E_OK);
	assert_non_null(r);
	return r->reach;
}

static const Ieum__V1__ReachReader *reader(const Ieum__V1__ReachResult *r, int who)
{
	for (size_t i = 0; i < r->n_readers; i++)
		if (strcmp(r->readers[i]->participant, names[who]) == 0)
			return r->readers[i];
	return NULL;
}

static void reach_tells_who_reads_which_parts(void **state)
{
	static char *of_boss[] = { (char *)"boss" };
	struct town *t = *state;

	message(t, TYPE(CONTACT_RESULT));
	seal(t, TO(AID));
	seal(t, TO(BOSS));
	t->parts[1].recipients = of_boss;
	t->parts[1].n_recipients = 1;
	const Ieum__V1__ReachResult *r = reach(t, CITY);
	assert_int_equal(r->n_readers, 5);
	assert_int_equal(reader(r, AID)->n_parts, 1);
	assert_int_equal(reader(r, AID)->parts[0], 0);
	assert_int_equal(reader(r, AID)->n_certificates, 1);
	assert_memory_equal(reader(r, AID)->certificates[0].data, t->papers[AID].der, 64);
	assert_int_equal(reader(r, BOSS)->n_parts, 2);
	assert_int_equal(reader(r, CITY)->n_parts, 2); /* the sender */
	assert_int_equal(reader(r, CITY)->n_certificates, 1);
	assert_int_equal(reader(r, MORE_AID)->n_certificates, 0); /* never seen */

	message_exclude(&t->m, "more-aid");
	r = reach(t, CITY);
	assert_null(reader(r, MORE_AID));
	assert_int_equal(r->n_readers, 4);
}

static void reach_tells_whom_an_answer_goes_back_to(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];

	asks_team(t, TO(AID));
	memcpy(id, t->m.id, CORE_ID_BYTES);
	message_new(&t->w, &t->m, TYPE(ANSWER));
	message_reply(&t->m, id);
	t->m.answer.kind = ANSWER(ACCEPT);
	t->m.referral.narrative = t->narrative;
	t->m.sealed = t->sealed;
	seal(t, TO(AID, BOSS));
	const Ieum__V1__ReachResult *r = reach(t, AID);
	assert_non_null(reader(r, BOSS));
	assert_non_null(reader(r, AID));
	assert_int_equal(r->n_readers, 2);
	trial_submitted(&t->w, t->at[AID], &t->m);
}

/* ---- late joiners ---- */

static void a_newcomer_without_a_certificate_gets_its_key_when_it_comes(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];
	struct core_key keys[4];
	const Ieum__V1__KeyRequest *asked;

	asks_team(t, TO(AID));
	memcpy(id, t->m.id, CORE_ID_BYTES);
	assert_int_equal(passes(t, 0), 0);
	assert_null(want(t, id, MORE_AID)); /* there is nothing to wrap for */
	assert_null(want(t, id, AID));
	assert_int_equal(passes(t, HOUR_US / 2), 0);
	comes(t, MORE_AID);
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, AID); /* boss, who owns the case, holds no key */
	asked = t->request->key_request;
	assert_memory_equal(asked->message_id.data, id, CORE_ID_BYTES);
	assert_string_equal(asked->participant, "more-aid");
	assert_int_equal(asked->n_parts, 1);
	assert_int_equal(asked->parts[0], 3);
	assert_int_equal(asked->n_certificates, 1);
	assert_memory_equal(asked->certificates[0].data, t->papers[MORE_AID].der, 64);
	assert_int_equal(t->request->envelope->case_id.len, 0);

	assert_int_equal(core_keys(t->w.core, t->at[MORE_AID], id, keys, 4), 0);
	assert_int_equal(wraps(t, AID, id, MORE_AID, MORE_AID), IEUM_E_OK);
	assert_int_equal(core_keys(t->w.core, t->at[MORE_AID], id, keys, 4), 1);
	assert_int_equal(keys[0].part, 3);
	assert_string_equal((const char *)keys[0].info, "a recipient info");
	assert_int_equal(core_keys(t->w.core, t->at[AID], id, keys, 4), 0);
	assert_null(want(t, id, MORE_AID));
	assert_int_equal(held(t, id, MORE_AID), 1 << 2);
	/* "The key has come": a delivery of its own. */
	assert_int_equal(trial_counts(&t->w, "more-aid").routed, 1);
	/* Nobody is asked any more. */
	assert_int_equal(passes(t, HOUR_US / 4), 0);
	trial_restart(&t->w);
	assert_int_equal(held(t, id, MORE_AID), 1 << 2);
}

static void the_owner_is_asked_first_then_the_sender_then_the_others(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];

	message(t, TYPE(CONTACT_RESULT));
	seal(t, TO(HOUSE, AID, CITY, BOSS));
	trial_submitted(&t->w, t->at[CITY], &t->m);
	memcpy(id, t->m.id, CORE_ID_BYTES);
	comes(t, MORE_AID);
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, BOSS);
	assert_int_equal(passes(t, 10 * MIN_US - 1000000), 0);
	assert_int_equal(passes(t, 1000000), 1); /* wrap_within */
	asked_is(t, CITY);
	/* A rejection is not waited for. */
	assert_int_equal(trial_answer(&t->w, t->at[CITY], t->request->envelope->message_id.data,
				      ANSWER(REJECT)),
			 IEUM_E_OK);
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, HOUSE);
	assert_int_equal(passes(t, 10 * MIN_US), 1);
	asked_is(t, AID);
	/* A second answer to what was asked long ago changes nothing. */
	assert_int_equal(passes(t, 10 * MIN_US), 0);
	assert_int_equal(want(t, id, MORE_AID)->ask_again_at_ms, 0);
	assert_int_equal(passes(t, DAY_US / 2), 0);
	/* Somebody who can comes back. */
	goes(t, BOSS);
	comes(t, BOSS);
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, BOSS);
}

static void whoever_is_connected_is_asked_before_who_is_not(void **state)
{
	struct town *t = *state;

	message(t, TYPE(CONTACT_RESULT));
	seal(t, TO(HOUSE, AID, CITY, BOSS));
	trial_submitted(&t->w, t->at[CITY], &t->m);
	goes(t, BOSS);
	goes(t, CITY);
	goes(t, HOUSE);
	comes(t, MORE_AID);
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, AID);
	assert_int_equal(passes(t, 10 * MIN_US), 1);
	asked_is(t, BOSS);
	comes(t, HOUSE);
	assert_int_equal(passes(t, 10 * MIN_US), 1);
	asked_is(t, HOUSE);
	assert_int_equal(passes(t, 10 * MIN_US), 1);
	asked_is(t, CITY);
}

static void who_cannot_wrap_wakes_nobody(void **state)
{
	struct town *t = *state;

	asks_team(t, TO(AID));
	comes(t, MORE_AID);
	assert_int_equal(passes(t, 0), 1);
	assert_int_equal(passes(t, 10 * MIN_US), 0);
	goes(t, CITY);
	comes(t, CITY);
	assert_int_equal(passes(t, 0), 0);
	goes(t, AID);
	comes(t, AID);
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, AID);
}

static void wrong_keys_are_refused(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];

	asks_team(t, TO(AID));
	memcpy(id, t->m.id, CORE_ID_BYTES);
	assert_int_equal(wraps(t, AID, id, MORE_AID, MORE_AID), IEUM_E_FIELD_INVALID);
	comes(t, MORE_AID);
	assert_int_equal(wraps(t, AID, id, MORE_AID, AID), IEUM_E_FIELD_INVALID);
	assert_int_equal(wraps(t, AID, id, MORE_AID, STRANGER), IEUM_E_FIELD_INVALID);
	assert_int_equal(wraps(t, AID, id, HOUSE, HOUSE), IEUM_E_NOT_PERMITTED);
	assert_int_equal(wraps(t, CITY, id, MORE_AID, MORE_AID), IEUM_E_REFERRAL_UNKNOWN);
	assert_int_equal(wraps(t, MORE_AID, id, MORE_AID, MORE_AID), IEUM_E_REFERRAL_UNKNOWN);
	assert_int_equal(wraps(t, AID, t->case_id, MORE_AID, MORE_AID), IEUM_E_REFERRAL_UNKNOWN);
	assert_int_equal(wraps(t, AID, id, STRANGER, STRANGER), IEUM_E_ADDRESSEE_UNKNOWN);
	/* Unasked, by who holds one. */
	assert_int_equal(wraps(t, AID, id, MORE_AID, MORE_AID), IEUM_E_OK);
	/* Who holds a key gets none that nobody asked for: it could stand in the way of a good one. */
	assert_int_equal(wraps(t, MORE_AID, id, AID, AID), IEUM_E_NOT_PERMITTED);
	assert_int_equal(wraps(t, AID, id, MORE_AID, MORE_AID), IEUM_E_NOT_PERMITTED);
	assert_non_null(strstr(t->w.detail, "holds a key of it"));
}

static void who_holds_one_part_wraps_no_other(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];

	comes(t, MORE_AID);
	goes(t, MORE_AID);
	message(t, TYPE(INFORMATION_REQUEST));
	seal(t, TO(AID, MORE_AID));
	seal(t, TO(AID, MORE_AID, BOSS));
	trial_submitted(&t->w, t->at[BOSS], &t->m);
	memcpy(id, t->m.id, CORE_ID_BYTES);
	assert_int_equal(wraps(t, BOSS, id, MORE_AID, MORE_AID), IEUM_E_NOT_PERMITTED);
	assert_non_null(strstr(t->w.detail, "it is not sealed to you"));
}

/* The sender has what it wrote, sealed to itself or not. */
static void the_sender_wants_no_key(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];

	asks_team(t, TO(AID));
	memcpy(id, t->m.id, CORE_ID_BYTES);
	reads_it(t, BOSS, id);
	assert_int_equal(passes(t, 0), 0);
	assert_null(want(t, id, BOSS));
}

static void a_snapshot_keeps_keys_and_who_wants_some(void **state)
{
	const struct core_limits limits = { 100, 100, 100 };
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];
	struct buf bytes;

	asks_team(t, TO(AID, BOSS));
	memcpy(id, t->m.id, CORE_ID_BYTES);
	comes(t, MORE_AID);
	assert_int_equal(wraps(t, AID, id, MORE_AID, MORE_AID), IEUM_E_OK);
	assert_int_equal(passes(t, HOUR_US), 1);
	asked_is(t, BOSS);
	buf_init(&bytes, 1 << 20);
	assert_int_equal(core_snapshot_write(t->w.core, &bytes), IEUM_E_OK);
	struct core *other = core_new(&limits, 7);
	assert_non_null(other);
	assert_int_equal(core_snapshot_read(other, buf_bytes(&bytes), buf_len(&bytes)), IEUM_E_OK);
	const struct sealed *s =
		sealed_at(other, referral_at(other, state_referral(other, id))->sealed);
	assert_int_equal(sealed_held(s, number(t, MORE_AID)), 1 << 2);
	assert_int_equal(s->n_keys, 1);
	assert_int_equal(s->keys[0].holder, number(t, AID));
	assert_int_equal(sealed_lacks(other, s, number(t, MORE_AID), 0), 0);
	assert_int_equal(sealed_lacks(other, s, number(t, AID), 0), 0);
	assert_int_equal(sealed_lacks(other, s, number(t, HOUSE), 0), 1 << 2);
	uint32_t wh = sealed_want_of(other, s, number(t, HOUSE));
	assert_int_not_equal(wh, 0);
	assert_int_equal(sealed_want_at(other, wh)->asked[0], number(t, BOSS));
	assert_int_equal(core_next_due(other), core_next_due(t->w.core));
	core_free(other);
	buf_release(&bytes);
}

static void an_escalation_brings_a_newcomer(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];

	asks_team(t, TO(AID, BOSS));
	memcpy(id, t->m.id, CORE_ID_BYTES);
	assert_int_equal(passes(t, 0), 0);
	assert_null(want(t, id, HOUSE));
	assert_int_equal(passes(t, HOUR_US), 1); /* silence: house is asked */
	assert_non_null(want(t, id, HOUSE));
	asked_is(t, BOSS);
	assert_int_equal(wraps(t, BOSS, id, HOUSE, HOUSE), IEUM_E_OK);
	assert_int_equal(held(t, id, HOUSE), 1 << 2);
}

static void a_new_member_of_a_team_gets_what_is_still_on_its_way(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];

	asks_team(t, TO(AID, BOSS));
	memcpy(id, t->m.id, CORE_ID_BYTES);
	assert_int_equal(passes(t, 0), 0);
	trial_reload(&t->w, hub_with_house);
	assert_int_equal(passes(t, 0), 1);
	assert_non_null(want(t, id, HOUSE));
	asked_is(t, BOSS);
	/* Who is a member no more wants nothing any more. */
	trial_reload(&t->w, hub);
	assert_int_equal(passes(t, 10 * MIN_US), 0);
	assert_null(want(t, id, HOUSE));
}

static void who_reads_it_by_a_query_gets_the_key(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];
	uint64_t ids[8];

	asks_team(t, TO(AID, BOSS));
	memcpy(id, t->m.id, CORE_ID_BYTES);
	for (size_t n = trial_release(&t->w, t->at[AID], 8, ids); n > 0; n--)
		assert_int_equal(trial_done(&t->w, t->at[AID], ids[n - 1]), IEUM_E_OK);
	trial_reload(&t->w, hub_with_house);
	assert_int_equal(passes(t, 0), 0); /* nothing is on its way */
	reads_it(t, HOUSE, id);
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, BOSS);
	reads_it(t, AID, id);
	reads_it(t, BOSS, id);
	assert_int_equal(passes(t, 0), 0);
	/* Who may not read it is not asked for. */
	reads_it(t, CITY, id);
	assert_int_equal(passes(t, 0), 0);
	assert_null(want(t, id, CITY));
}

static void the_excluded_get_no_key(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];

	asks_team(t, TO(AID, BOSS));
	memcpy(id, t->m.id, CORE_ID_BYTES);
	comes(t, MORE_AID);
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, BOSS);
	message(t, TYPE(VISIT_REQUEST));
	message_exclude(&t->m, "more-aid");
	trial_submitted(&t->w, t->at[CITY], &t->m);
	assert_int_equal(passes(t, 10 * MIN_US), 0);
	assert_null(want(t, id, MORE_AID));
	assert_int_equal(wraps(t, BOSS, id, MORE_AID, MORE_AID), IEUM_E_NOT_PERMITTED);
}

/* Whoever has not had it by then gets no key either. */
static void on_a_withdrawn_consent_no_key_is_wrapped(void **state)
{
	static char *anybody[] = { (char *)"any" };
	Ieum__V1__Consent consent = IEUM__V1__CONSENT__INIT;
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];

	consent.recipients = consent.items = anybody;
	consent.n_recipients = consent.n_items = 1;
	message(t, TYPE(INFORMATION_REQUEST));
	t->m.basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT;
	t->m.basis.consent = &consent;
	seal(t, TO(AID));
	trial_submitted(&t->w, t->at[BOSS], &t->m);
	memcpy(id, t->m.id, CORE_ID_BYTES);
	assert_int_equal(trial_done(&t->w, t->at[AID], trial_release_one(&t->w, t->at[AID])),
			 IEUM_E_OK);
	reads_it(t, AID, id);
	assert_int_equal(passes(t, 0), 0);
	message(t, TYPE(CONSENT_WITHDRAWAL));
	trial_submitted(&t->w, t->at[CITY], &t->m);
	comes(t, MORE_AID);
	assert_int_equal(wraps(t, AID, id, MORE_AID, MORE_AID), IEUM_E_NOT_PERMITTED);
}

/* Of two parts a holder is asked for the one that it can open. */
static void a_holder_is_asked_for_what_it_holds(void **state)
{
	struct town *t = *state;

	message(t, TYPE(INFORMATION_REQUEST));
	seal(t, TO(AID));
	seal(t, TO(AID, BOSS));
	trial_submitted(&t->w, t->at[BOSS], &t->m);
	comes(t, MORE_AID);
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, BOSS);
	assert_int_equal(t->request->key_request->n_parts, 1);
	assert_int_equal(t->request->key_request->parts[0], 4);
	assert_int_equal(passes(t, 10 * MIN_US), 1);
	asked_is(t, AID);
	assert_int_equal(t->request->key_request->n_parts, 2);
}

static void an_excluded_holder_is_not_asked(void **state)
{
	struct town *t = *state;

	asks_team(t, TO(AID));
	message(t, TYPE(VISIT_REQUEST));
	message_exclude(&t->m, "aid");
	trial_submitted(&t->w, t->at[CITY], &t->m);
	comes(t, MORE_AID);
	assert_int_equal(passes(t, 0), 0);
}

/* A rule that counts sends it to somebody of whom reach can't tell. */
static void who_gets_it_by_counting_is_a_late_joiner(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];
	uint8_t token[34] = { 1 };
	ProtobufCBinaryData tokens[] = { { sizeof token, token } };

	message(t, TYPE(VISIT_REQUEST));
	t->m.envelope.subject_tokens = tokens;
	t->m.envelope.n_subject_tokens = 1;
	trial_submitted(&t->w, t->at[BOSS], &t->m);
	message(t, TYPE(VISIT_REQUEST));
	t->m.envelope.subject_tokens = tokens;
	t->m.envelope.n_subject_tokens = 1;
	seal(t, TO(BOSS));
	assert_null(reader(reach(t, CITY), HOUSE)); /* others' visits don't show */
	trial_submitted(&t->w, t->at[CITY], &t->m);
	memcpy(id, t->m.id, CORE_ID_BYTES);
	assert_int_equal(passes(t, 0), 1);
	assert_non_null(want(t, id, HOUSE));
	asked_is(t, BOSS);
}

/* ---- holders who don't, and keys that open nothing ---- */

static void what_does_not_open_is_given_back_and_the_next_is_asked(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES], wrap[CORE_ID_BYTES];

	asks_team(t, TO(AID, BOSS));
	memcpy(id, t->m.id, CORE_ID_BYTES);
	comes(t, MORE_AID);
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, BOSS);
	assert_int_equal(wraps(t, BOSS, id, MORE_AID, MORE_AID), IEUM_E_OK);
	memcpy(wrap, t->m.id, CORE_ID_BYTES);
	assert_int_equal(held(t, id, MORE_AID), 1 << 2);
	trial_restart(&t->w);
	comes(t, BOSS);
	comes(t, AID);
	comes(t, MORE_AID);
	takes_all(t, MORE_AID);
	answers(t, MORE_AID, wrap, ANSWER(REJECT));
	assert_int_equal(held(t, id, MORE_AID), 0);
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, AID);
	assert_int_equal(wraps(t, AID, id, MORE_AID, MORE_AID), IEUM_E_OK);
	assert_int_equal(held(t, id, MORE_AID), 1 << 2);
	/* Said twice, it concerns nobody else's key. */
	answers(t, MORE_AID, wrap, ANSWER(REJECT));
	assert_int_equal(held(t, id, MORE_AID), 1 << 2);
	assert_int_equal(passes(t, HOUR_US / 4), 0);
}

/* Two who wrap by themselves, and one who gives back whatever comes: it has to end. */
static void whose_key_was_given_back_is_not_asked_again(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];

	asks_team(t, TO(AID, BOSS));
	memcpy(id, t->m.id, CORE_ID_BYTES);
	comes(t, MORE_AID);
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, BOSS);
	assert_int_equal(wraps(t, BOSS, id, MORE_AID, MORE_AID), IEUM_E_OK);
	answers(t, MORE_AID, t->m.id, ANSWER(REJECT));
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, AID);
	assert_int_equal(wraps(t, AID, id, MORE_AID, MORE_AID), IEUM_E_OK);
	answers(t, MORE_AID, t->m.id, ANSWER(REJECT));
	trial_restart(&t->w);
	for (int i = 0; i < 3; i++) {
		comes(t, AID);
		comes(t, BOSS);
		comes(t, MORE_AID);
		assert_int_equal(passes(t, HOUR_US / 4), 0);
	}
	/* One that comes unasked and is given back is not followed at once. */
	comes(t, HOUSE);
	assert_int_equal(wraps(t, AID, id, MORE_AID, MORE_AID), IEUM_E_OK);
	comes_with(t, MORE_AID, STRANGER);
	answers(t, MORE_AID, t->m.id, ANSWER(REJECT));
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, BOSS);
	assert_int_equal(wraps(t, BOSS, id, MORE_AID, MORE_AID), IEUM_E_OK);
	answers(t, MORE_AID, t->m.id, ANSWER(REJECT));
	assert_int_equal(passes(t, 0), 0);
}

static void who_declined_is_asked_again_on_another_certificate_alone(void **state)
{
	struct town *t = *state;

	asks_team(t, TO(AID));
	comes(t, MORE_AID);
	assert_int_equal(passes(t, 0), 1);
	answers(t, AID, t->request->envelope->message_id.data, ANSWER(REJECT));
	assert_int_equal(passes(t, 0), 0);
	for (int i = 0; i < 3; i++) {
		goes(t, AID);
		comes(t, AID);
		goes(t, MORE_AID);
		comes(t, MORE_AID);
		uint64_t before = core_last_seq(t->w.core);
		assert_int_equal(passes(t, HOUR_US / 4), 0);
		assert_true(core_last_seq(t->w.core) == before);
	}
	goes(t, MORE_AID);
	comes_with(t, MORE_AID, STRANGER);
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, AID);
}

static void who_was_silent_is_asked_again_after_a_pause(void **state)
{
	struct town *t = *state;

	asks_team(t, TO(AID, BOSS));
	comes(t, MORE_AID);
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, BOSS);
	assert_int_equal(passes(t, 10 * MIN_US), 1);
	asked_is(t, AID);
	answers(t, AID, t->request->envelope->message_id.data, ANSWER(REJECT));
	for (int i = 0; i < 3; i++) {
		goes(t, BOSS);
		comes(t, BOSS);
		assert_int_equal(passes(t, 0), 0);
	}
	assert_int_equal(passes(t, 10 * MIN_US), 1);
	asked_is(t, BOSS);
	/* The one that it has not read yet is taken back. */
	assert_int_equal(trial_counts(&t->w, "boss").withdrawn, 1);
}

static void when_the_key_has_come_nobody_else_is_asked(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];

	asks_team(t, TO(AID, BOSS));
	memcpy(id, t->m.id, CORE_ID_BYTES);
	comes(t, MORE_AID);
	assert_int_equal(passes(t, 0), 1);
	assert_int_equal(passes(t, 10 * MIN_US), 1);
	asked_is(t, AID);
	takes_all(t, AID);
	assert_int_equal(wraps(t, AID, id, MORE_AID, MORE_AID), IEUM_E_OK);
	assert_int_equal(trial_counts(&t->w, "boss").withdrawn, 1);
	assert_int_equal(trial_counts(&t->w, "aid").withdrawn, 0);
}

/* A workstation without the key gives the request back: a colleague gets it, and when none can, nobody
 * has to look after it. */
static void a_request_that_is_given_back_goes_to_a_colleague_and_is_no_dead_letter(void **state)
{
	struct town *t = *state;
	uint64_t first = t->at[AID], request;

	asks_team(t, TO(AID, BOSS));
	comes(t, MORE_AID);
	assert_int_equal(passes(t, 0), 1);
	takes_all(t, AID);
	comes(t, AID); /* a second workstation */
	answers(t, BOSS, t->request->envelope->message_id.data, ANSWER(REJECT));
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, AID);
	request = trial_release_one(&t->w, t->at[AID]);
	assert_int_not_equal(request, 0);
	assert_int_equal(trial_give_back(&t->w, t->at[AID], request), IEUM_E_OK);
	assert_int_equal(trial_release_one(&t->w, t->at[AID]), 0);
	assert_int_equal(trial_release_one(&t->w, first), request);
	trial_disconnect(&t->w, t->at[AID]);
	for (unsigned i = 1; i < policy_limits(t->w.policy)->attempts_max; i++) {
		assert_int_equal(trial_give_back(&t->w, first, request), IEUM_E_OK);
		assert_int_equal(trial_release_one(&t->w, first), 0); /* not at once */
		(void)passes(t, policy_limits(t->w.policy)->redeliver_max_ms * 1000);
		assert_int_equal(trial_release_one(&t->w, first),
				 i + 1 < policy_limits(t->w.policy)->attempts_max ? request : 0);
	}
	assert_int_equal(trial_counts(&t->w, "aid").dead_lettered, 0);
	t->at[AID] = first;
}

/* To have had it closed is not to know it. */
static void who_got_it_closed_gets_no_key_after_a_withdrawal(void **state)
{
	static char *anybody[] = { (char *)"any" };
	Ieum__V1__Consent consent = IEUM__V1__CONSENT__INIT;
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];

	consent.recipients = consent.items = anybody;
	consent.n_recipients = consent.n_items = 1;
	message(t, TYPE(INFORMATION_REQUEST));
	t->m.basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT;
	t->m.basis.consent = &consent;
	seal(t, TO(AID));
	trial_submitted(&t->w, t->at[BOSS], &t->m);
	memcpy(id, t->m.id, CORE_ID_BYTES);
	comes(t, MORE_AID);
	takes_all(t, MORE_AID);
	reads_it(t, MORE_AID, id);
	message(t, TYPE(CONSENT_WITHDRAWAL));
	trial_submitted(&t->w, t->at[CITY], &t->m);
	assert_int_equal(wraps(t, AID, id, MORE_AID, MORE_AID), IEUM_E_NOT_PERMITTED);
	assert_int_equal(passes(t, 0), 0);
	assert_null(want(t, id, MORE_AID));
}

/* Who was asked and declined takes no part any more, and doesn't hear who has come. */
static void who_has_left_the_case_is_not_asked(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];

	asks_team(t, TO(AID));
	memcpy(id, t->m.id, CORE_ID_BYTES);
	assert_int_equal(trial_done(&t->w, t->at[AID], trial_release_one(&t->w, t->at[AID])),
			 IEUM_E_OK);
	answers(t, AID, id, ANSWER(REJECT));
	assert_int_equal(passes(t, 0), 0);
	assert_non_null(want(t, id, HOUSE)); /* who is asked next */
}

/* One who takes nothing must not keep the others from theirs; when there is room, it has its turn. */
static void one_participant_wants_no_more_than_its_share(void **state)
{
	struct town *t = *state;
	uint8_t ids[SEALED_WANTS_OF_ONE + 1][CORE_ID_BYTES];
	size_t n = SEALED_WANTS_OF_ONE + 1, last = n;

	for (size_t i = 0; i < n; i++) {
		message(t, TYPE(CONTACT_RESULT));
		seal(t, TO(AID, BOSS, HOUSE));
		trial_submitted(&t->w, t->at[CITY], &t->m);
		memcpy(ids[i], t->m.id, CORE_ID_BYTES);
	}
	comes(t, MORE_AID);
	(void)passes(t, 0);
	assert_int_equal(t->w.core->sealed.wants.live, SEALED_WANTS_OF_ONE);
	for (size_t i = 0; i < n; i++)
		last = want(t, ids[i], MORE_AID) ? last : i;
	assert_true(last < n);
	/* Nor by keys that it gives back. */
	assert_int_equal(wraps(t, AID, ids[last], MORE_AID, MORE_AID), IEUM_E_OK);
	answers(t, MORE_AID, t->m.id, ANSWER(REJECT));
	assert_int_equal(held(t, ids[last], MORE_AID), 0);
	assert_int_equal(t->w.core->sealed.wants.live, SEALED_WANTS_OF_ONE);
	trial_verify(&t->w);
	for (size_t i = 0, wrapped = 0; wrapped < SEALED_ROOM_EVERY; i++) {
		if (i == last)
			continue;
		assert_int_equal(wraps(t, AID, ids[i], MORE_AID, MORE_AID), IEUM_E_OK);
		wrapped++;
	}
	(void)passes(t, 0);
	assert_non_null(want(t, ids[last], MORE_AID));
}

/* ---- by certificate ---- */

/* One more workstation of a participant, which has a certificate of its own: its connection. */
static uint64_t another_comes(struct town *t, int who, int certificate)
{
	uint64_t first = t->at[who], second;

	comes_with(t, who, certificate);
	second = t->at[who];
	t->at[who] = first;
	return second;
}

static size_t keys_of(struct town *t, int who, const uint8_t *id)
{
	struct core_key keys[CORE_KEYS_MAX];

	return core_keys(t->w.core, t->at[who], id, keys, CORE_KEYS_MAX);
}

static void a_workstation_that_comes_later_gets_its_key_of_a_colleague(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];

	asks_team(t, TO(AID, BOSS));
	memcpy(id, t->m.id, CORE_ID_BYTES);
	assert_int_equal(passes(t, 0), 0);
	(void)another_comes(t, AID, N_PAPERS);
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, AID); /* before boss, who owns the case */
	assert_int_equal(t->request->key_request->n_certificates, 1);
	assert_memory_equal(t->request->key_request->certificates[0].data, t->papers[N_PAPERS].der,
			    64);
	assert_int_equal(wraps(t, AID, id, AID, N_PAPERS), IEUM_E_OK);
	assert_null(want(t, id, AID));
	assert_int_equal(keys_of(t, AID, id), 1);
	assert_int_equal(passes(t, HOUR_US / 2), 0);
	trial_restart(&t->w);
	comes(t, AID);
	reads_it(t, AID, id);
	assert_null(want(t, id, AID));
}

/* A sender need not seal to all of them. */
static void a_workstation_that_was_left_out_gets_its_key(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];

	(void)another_comes(t, AID, N_PAPERS);
	asks_team(t, TO(AID, N_PAPERS, BOSS));
	assert_int_equal(passes(t, 0), 0);
	asks_team(t, TO(AID, BOSS));
	memcpy(id, t->m.id, CORE_ID_BYTES);
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, AID);
	assert_int_equal(t->request->key_request->n_certificates, 1);
	assert_memory_equal(t->request->key_request->certificates[0].data, t->papers[N_PAPERS].der,
			    64);
}

/* Also when all has been taken from the queue, and of what was sealed to the sender itself. */
static void a_workstation_that_reads_later_gets_its_key(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];

	asks_team(t, TO(AID, BOSS));
	memcpy(id, t->m.id, CORE_ID_BYTES);
	takes_all(t, AID);
	comes(t, MORE_AID);
	assert_int_equal(wraps(t, AID, id, MORE_AID, MORE_AID), IEUM_E_OK);
	takes_all(t, MORE_AID);
	assert_int_equal(passes(t, 0), 0);
	(void)another_comes(t, BOSS, N_PAPERS);
	(void)another_comes(t, AID, N_PAPERS + 1);
	assert_int_equal(passes(t, 0), 0);
	reads_it(t, BOSS, id);
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, BOSS);
	assert_int_equal(wraps(t, BOSS, id, BOSS, N_PAPERS), IEUM_E_OK);
	assert_null(want(t, id, BOSS));
	reads_it(t, AID, id);
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, AID);
	/* The only one that has the key is away: another holder is asked before. */
	answers(t, AID, t->request->envelope->message_id.data, ANSWER(REJECT));
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, BOSS);
}

/* A request has room for half of them, and the holder wraps for what it trusts. */
static void every_certificate_is_asked_for(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];

	asks_team(t, TO(AID, BOSS));
	memcpy(id, t->m.id, CORE_ID_BYTES);
	assert_int_equal(passes(t, 0), 0);
	for (int i = 0; i < CORE_CERTIFICATES_PER_PARTICIPANT; i++) {
		comes_with(t, MORE_AID, N_PAPERS + i);
		goes(t, MORE_AID);
	}
	comes_with(t, MORE_AID, N_PAPERS);
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, BOSS);
	assert_int_equal(t->request->key_request->n_certificates, 8);
	/* One that nobody uses locks nobody out. */
	assert_int_equal(wraps(t, BOSS, id, MORE_AID, N_PAPERS + 3), IEUM_E_OK);
	assert_int_equal(wraps(t, BOSS, id, MORE_AID, N_PAPERS + 3), IEUM_E_NOT_PERMITTED);
	assert_non_null(want(t, id, MORE_AID));
	trial_verify(&t->w);
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, BOSS);
	const Ieum__V1__KeyRequest *asked = t->request->key_request;
	assert_int_equal(asked->n_certificates, 8);
	assert_memory_equal(asked->certificates[0].data, t->papers[N_PAPERS + 8].der, 64);
	for (int i = 8; i < CORE_CERTIFICATES_PER_PARTICIPANT; i++)
		assert_int_equal(wraps(t, BOSS, id, MORE_AID, N_PAPERS + i), IEUM_E_OK);
	/* What it left out is the next one's. */
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, AID);
	assert_int_equal(t->request->key_request->n_certificates, 7);
	for (int i = 0; i < 8; i++)
		if (i != 3)
			assert_int_equal(wraps(t, AID, id, MORE_AID, N_PAPERS + i), IEUM_E_OK);
	assert_null(want(t, id, MORE_AID));
	assert_int_equal(keys_of(t, MORE_AID, id), CORE_CERTIFICATES_PER_PARTICIPANT);
	assert_int_equal(passes(t, HOUR_US / 2), 0);
}

static void who_declines_for_some_certificates_is_asked_for_the_others(void **state)
{
	struct town *t = *state;

	asks_team(t, TO(AID));
	assert_int_equal(passes(t, 0), 0);
	for (int i = 0; i < CORE_CERTIFICATES_PER_PARTICIPANT; i++)
		comes_with(t, MORE_AID, N_PAPERS + i);
	assert_int_equal(passes(t, 0), 1);
	answers(t, AID, t->request->envelope->message_id.data, ANSWER(REJECT));
	trial_verify(&t->w);
	assert_int_equal(passes(t, 0), 1);
	asked_is(t, AID);
	assert_memory_equal(t->request->key_request->certificates[0].data,
			    t->papers[N_PAPERS + 8].der, 64);
	answers(t, AID, t->request->envelope->message_id.data, ANSWER(REJECT));
	assert_int_equal(passes(t, HOUR_US / 4), 0);
	goes(t, AID);
	comes(t, AID);
	assert_int_equal(passes(t, HOUR_US / 4), 0);
}

enum { CROWD = 2 * SEALED_NOTED_MAX + 5 };

/* The town with a crowd besides, in the team or not. */
static char *crowded(bool in_team)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	const char *bodies = strstr(HUB_HEAD, "bodies:\n");

	assert_non_null(f);
	fprintf(f, "%.*s", (int)(bodies - HUB_HEAD), HUB_HEAD);
	for (int i = 0; i < CROWD; i++)
		fprintf(f, "  m%d: {kind: office, title: {en: m%d, ko: %d}}\n", i, i, i);
	fprintf(f, "%said, more-aid", bodies);
	for (int i = 0; i < CROWD && in_team; i++)
		fprintf(f, ", m%d", i);
	fprintf(f, "%s", HUB_TAIL);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void reload(struct town *t, char *text)
{
	trial_reload(&t->w, text);
	free(text);
}

/* So many at once that one decision doesn't note them all. */
static void a_crowd_is_noted_in_steps(void **state)
{
	struct town *t = *state;
	char name[8];

	reload(t, crowded(false));
	for (int i = 0; i < CROWD; i++) {
		(void)snprintf(name, sizeof name, "m%hhu", (unsigned char)i);
		const struct core_connect k = { .participant = name,
						.actor = "someone",
						.address = "192.0.2.1:4",
						.certificate = "0a",
						.with = paper(t, N_PAPERS + i % 32) };
		memset(t->papers[N_PAPERS + i % 32].fingerprint, 100 + i, CORE_HASH_BYTES);
		core_decision_reset(&t->w.d);
		assert_int_equal(trial_record(&t->w, core_decide_connect(t->w.core, t->w.policy, &k,
									 t->w.now, &t->w.d)),
				 IEUM_E_OK);
	}
	asks_team(t, TO(AID, BOSS));
	assert_int_equal(passes(t, 0), 0);
	reload(t, crowded(true));
	core_decision_reset(&t->w.d);
	assert_int_equal(core_decide_due(t->w.core, t->w.policy, t->w.now, &t->w.d), IEUM_E_OK);
	assert_int_equal(t->w.d.n_items, SEALED_NOTED_MAX);
	assert_int_equal(passes(t, 0), CROWD);
	assert_int_equal(t->w.core->sealed.wants.live, CROWD);
}

/* ---- the end ---- */

static void keys_go_with_the_content(void **state)
{
	struct town *t = *state;
	uint8_t id[CORE_ID_BYTES];

	asks_team(t, TO(AID));
	memcpy(id, t->m.id, CORE_ID_BYTES);
	comes(t, MORE_AID);
	assert_int_equal(passes(t, 0), 1);
	takes_all(t, AID);
	assert_int_equal(wraps(t, AID, id, MORE_AID, MORE_AID), IEUM_E_OK);
	Ieum__V1__Event e = IEUM__V1__EVENT__INIT;
	Ieum__V1__PayloadErased erased = IEUM__V1__PAYLOAD_ERASED__INIT;
	uint64_t seq = referral_at(t->w.core, state_referral(t->w.core, id))->seq;
	core_decision_reset(&t->w.d);
	erased.seqs = &seq;
	erased.n_seqs = 1;
	e.at_us = t->w.now;
	e.what_case = IEUM__V1__EVENT__WHAT_PAYLOAD_ERASED;
	e.payload_erased = &erased;
	t->w.d.items[0].event = &e;
	t->w.d.n_items = 1;
	assert_int_equal(trial_record(&t->w, IEUM_E_OK), IEUM_E_OK);
	assert_null(record(t, id));
	trial_verify(&t->w);
	assert_int_equal(wraps(t, AID, id, MORE_AID, MORE_AID), IEUM_E_REFERRAL_UNKNOWN);
	/* A request that was sent before may still be answered. */
	assert_int_equal(trial_answer(&t->w, t->at[AID], t->request->envelope->message_id.data,
				      ANSWER(REJECT)),
			 IEUM_E_OK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, town_start, town_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_sealed_to_its_readers_is_taken),
		TEST(a_reader_who_lacks_is_named),
		TEST(who_would_not_read_it_is_named),
		TEST(parts_for_some_are_sealed_to_them),
		TEST(the_excluded_are_no_readers),
		TEST(a_certificate_that_has_ended_counts_for_nothing),
		TEST(reach_tells_who_reads_which_parts),
		TEST(reach_tells_whom_an_answer_goes_back_to),
		TEST(a_newcomer_without_a_certificate_gets_its_key_when_it_comes),
		TEST(the_owner_is_asked_first_then_the_sender_then_the_others),
		TEST(whoever_is_connected_is_asked_before_who_is_not),
		TEST(who_cannot_wrap_wakes_nobody),
		TEST(wrong_keys_are_refused),
		TEST(who_holds_one_part_wraps_no_other),
		TEST(the_sender_wants_no_key),
		TEST(a_snapshot_keeps_keys_and_who_wants_some),
		TEST(an_escalation_brings_a_newcomer),
		TEST(a_new_member_of_a_team_gets_what_is_still_on_its_way),
		TEST(who_reads_it_by_a_query_gets_the_key),
		TEST(the_excluded_get_no_key),
		TEST(on_a_withdrawn_consent_no_key_is_wrapped),
		TEST(a_holder_is_asked_for_what_it_holds),
		TEST(an_excluded_holder_is_not_asked),
		TEST(who_gets_it_by_counting_is_a_late_joiner),
		TEST(what_does_not_open_is_given_back_and_the_next_is_asked),
		TEST(whose_key_was_given_back_is_not_asked_again),
		TEST(who_declined_is_asked_again_on_another_certificate_alone),
		TEST(who_was_silent_is_asked_again_after_a_pause),
		TEST(when_the_key_has_come_nobody_else_is_asked),
		TEST(a_request_that_is_given_back_goes_to_a_colleague_and_is_no_dead_letter),
		TEST(who_got_it_closed_gets_no_key_after_a_withdrawal),
		TEST(who_has_left_the_case_is_not_asked),
		TEST(one_participant_wants_no_more_than_its_share),
		TEST(a_workstation_that_comes_later_gets_its_key_of_a_colleague),
		TEST(a_workstation_that_was_left_out_gets_its_key),
		TEST(a_workstation_that_reads_later_gets_its_key),
		TEST(every_certificate_is_asked_for),
		TEST(who_declines_for_some_certificates_is_asked_for_the_others),
		TEST(a_crowd_is_noted_in_steps),
		TEST(keys_go_with_the_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
