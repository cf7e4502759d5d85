/* broker/core, certificates: which are known of whom, who is found by what a sealed part names, and
 * who is told that one ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/certificates.h"
#include "broker/core/state.h"
#include "tests/unit/core_trial.h"

#define MATTER(word) IEUM__V1__CERTIFICATE_MATTER__CERTIFICATE_MATTER_##word

static int start(void **state)
{
	static struct trial w;

	trial_start(&w, trial_hub, NULL);
	*state = &w;
	return 0;
}

static int stop(void **state)
{
	struct trial *w = *state;

	trial_verify(w);
	trial_stop(w);
	return 0;
}

/* A certificate that is told apart by one number. */
struct paper {
	uint8_t der[64], fingerprint[CORE_HASH_BYTES], key_id[20], issuer_serial[CORE_HASH_BYTES];
	char serial[8];
	struct core_certificate k;
};

static struct paper *paper(struct paper *p, uint8_t number, const char *actor, core_time_us ends)
{
	memset(p->der, number, sizeof p->der);
	memset(p->fingerprint, number, sizeof p->fingerprint);
	memset(p->key_id, number, sizeof p->key_id);
	memset(p->issuer_serial, 0x80 | number, sizeof p->issuer_serial);
	(void)snprintf(p->serial, sizeof p->serial, "%02x", number);
	p->k = (struct core_certificate){
		.der = p->der,
		.der_len = sizeof p->der,
		.fingerprint = p->fingerprint,
		.key_id = p->key_id,
		.key_id_len = sizeof p->key_id,
		.issuer_serial = p->issuer_serial,
		.ends_at_ms = ends / 1000,
		.actor = actor,
		.serial = p->serial,
	};
	return p;
}

static uint64_t connect_with(struct trial *w, const char *participant, const struct paper *p)
{
	const struct core_connect k = {
		.participant = participant,
		.actor = p->k.actor,
		.address = "192.0.2.1:4",
		.certificate = p->serial,
		.with = &p->k,
	};

	core_decision_reset(&w->d);
	assert_int_equal(trial_record(w,
				      core_decide_connect(w->core, w->policy, &k, w->now, &w->d)),
			 IEUM_E_OK);
	trial_verify(w);
	return w->d.items[0].event->connected->connection;
}

static uint32_t number_of(const struct trial *w, const char *name)
{
	return policy_participant(w->policy, policy_find_participant(w->policy, name))->number;
}

static size_t known(const struct trial *w, const char *name)
{
	struct core_certificate all[CORE_CERTIFICATES_PER_PARTICIPANT];

	return certificates_of(w->core, number_of(w, name), w->now / 1000, all,
			       CORE_CERTIFICATES_PER_PARTICIPANT);
}

static uint32_t holder(const struct trial *w, const struct paper *p, bool by_key_id, uint32_t after)
{
	return certificates_holder(w->core, by_key_id ? p->key_id : p->issuer_serial,
				   by_key_id ? sizeof p->key_id : sizeof p->issuer_serial,
				   by_key_id, w->now / 1000, after);
}

static void what_comes_is_known_and_found(void **state)
{
	struct trial *w = *state;
	struct paper a, b;

	paper(&a, 1, "one", w->now + 400 * DAY_US);
	paper(&b, 2, "two", w->now + 400 * DAY_US);
	connect_with(w, "ps", &a);
	connect_with(w, "ps", &b);
	size_t events = w->events;
	connect_with(w, "ps", &b);
	assert_int_equal(w->events, events + 1); /* that it connected; it was known */
	assert_int_equal(known(w, "ps"), 2);
	assert_int_equal(known(w, "city"), 0);
	assert_int_equal(holder(w, &a, true, 0), number_of(w, "ps"));
	assert_int_equal(holder(w, &b, false, 0), number_of(w, "ps"));
	assert_int_equal(holder(w, &b, false, number_of(w, "ps")), 0);
	/* Neither is mistaken for the other. */
	assert_int_equal(certificates_holder(w->core, a.issuer_serial, CORE_HASH_BYTES, true,
					     w->now / 1000, 0),
			 0);
	/* A fingerprint is no name that a sealed part uses. */
	assert_int_equal(certificates_holder(w->core, a.fingerprint, CORE_HASH_BYTES, false,
					     w->now / 1000, 0),
			 0);
}

static void one_key_of_two_participants_finds_both(void **state)
{
	struct trial *w = *state;
	struct paper a, b;

	paper(&a, 1, "one", w->now + 400 * DAY_US);
	paper(&b, 2, "one", w->now + 400 * DAY_US);
	memcpy(b.key_id, a.key_id, sizeof b.key_id);
	connect_with(w, "city", &a);
	connect_with(w, "ps", &b);
	uint32_t first = holder(w, &a, true, 0);
	uint32_t second = holder(w, &a, true, first);
	assert_int_equal(first, number_of(w, "ps"));
	assert_int_equal(second, number_of(w, "city"));
	assert_int_equal(holder(w, &a, true, second), 0);
}

static void a_certificate_is_of_one_participant(void **state)
{
	struct trial *w = *state;
	struct paper a;

	paper(&a, 1, "one", w->now + 400 * DAY_US);
	connect_with(w, "city", &a);
	connect_with(w, "ps", &a);
	assert_int_equal(known(w, "city"), 0);
	assert_int_equal(known(w, "ps"), 1);
}

static void the_one_that_ends_first_makes_room(void **state)
{
	struct trial *w = *state;
	struct paper p, early;

	for (unsigned i = 1; i <= CORE_CERTIFICATES_PER_PARTICIPANT; i++)
		connect_with(w, "ps", paper(&p, (uint8_t)i, "one", w->now + (100 + i) * DAY_US));
	assert_int_equal(known(w, "ps"), CORE_CERTIFICATES_PER_PARTICIPANT);
	/* It ends before all that are known: nobody leaves for it. */
	connect_with(w, "ps", paper(&early, 90, "one", w->now + 90 * DAY_US));
	assert_int_equal(holder(w, &early, true, 0), 0);
	connect_with(w, "ps", paper(&p, 91, "one", w->now + 200 * DAY_US));
	assert_int_equal(known(w, "ps"), CORE_CERTIFICATES_PER_PARTICIPANT);
	assert_int_equal(holder(w, &p, true, 0), number_of(w, "ps"));
	assert_int_equal(holder(w, paper(&early, 1, "one", 0), true, 0), 0);
	assert_int_equal(holder(w, paper(&early, 2, "one", 0), true, 0), number_of(w, "ps"));
}

/* Certificates of one batch end in the same second. */
static void of_those_that_end_together_the_first_stay(void **state)
{
	struct trial *w = *state;
	struct paper p;
	core_time_us ends = w->now + 20 * DAY_US;
	uint64_t told = CORE_CERTIFICATES_PER_PARTICIPANT;

	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 1; i <= CORE_CERTIFICATES_PER_PARTICIPANT + 1; i++) {
			char desk[8];
			(void)snprintf(desk, sizeof desk, "desk-%u", i);
			connect_with(w, "ps", paper(&p, (uint8_t)i, desk, ends));
			if (round > 0) /* it connected: nothing is new */
				assert_int_equal(w->d.n_items, 1);
		}
		trial_at(w, w->now);
		assert_int_equal(trial_counts(w, "ps").routed, told);
	}
	assert_int_equal(holder(w, &p, true, 0), 0);
	assert_int_equal(known(w, "ps"), CORE_CERTIFICATES_PER_PARTICIPANT);
	/* Its renewal, which ends later, makes room for itself. */
	connect_with(w, "ps", paper(&p, 90, "desk-17", ends + 300 * DAY_US));
	assert_int_equal(holder(w, &p, true, 0), number_of(w, "ps"));
	/* Who had to leave for it doesn't come back. */
	connect_with(w, "ps", paper(&p, 1, "desk-1", ends));
	assert_int_equal(w->d.n_items, 1);
	trial_at(w, w->now);
	assert_int_equal(trial_counts(w, "ps").routed, told);
}

static void what_is_revoked_is_known_no_more(void **state)
{
	struct trial *w = *state;
	struct paper a, b;
	uint8_t gone[2][CORE_HASH_BYTES];

	connect_with(w, "ps", paper(&a, 1, "one", w->now + 400 * DAY_US));
	connect_with(w, "ps", paper(&b, 2, "two", w->now + 400 * DAY_US));
	memcpy(gone[0], a.fingerprint, CORE_HASH_BYTES);
	memset(gone[1], 0x77, CORE_HASH_BYTES); /* nobody's */
	core_decision_reset(&w->d);
	assert_int_equal(
		trial_record(w, core_decide_certificates_gone(w->core, gone, 2, w->now, &w->d)),
		IEUM_E_OK);
	assert_int_equal(holder(w, &a, true, 0), 0);
	assert_int_equal(known(w, "ps"), 1);
	trial_restart(w);
	assert_int_equal(known(w, "ps"), 1);
}

/* ---- who is told of an end ---- */

static uint64_t got(struct trial *w, const char *mailbox)
{
	return trial_counts(w, mailbox).routed;
}

static void told(struct trial *w, core_time_us when, const char *whose, uint64_t *theirs,
		 uint64_t *operators)
{
	trial_at(w, when - 1000);
	assert_int_equal(got(w, whose), *theirs);
	assert_int_equal(got(w, "op"), *operators);
	trial_at(w, when);
	assert_int_equal(got(w, whose), ++*theirs);
	assert_int_equal(got(w, "op"), ++*operators);
	trial_verify(w);
}

static void both_sides_are_told_at_30_7_and_1_days_and_then(void **state)
{
	struct trial *w = *state;
	struct paper a;
	core_time_us ends = w->now + 60 * DAY_US;
	uint64_t ps = got(w, "ps"), op = got(w, "op");

	connect_with(w, "ps", paper(&a, 1, "one", ends));
	told(w, ends - 30 * DAY_US, "ps", &ps, &op);
	trial_restart(w);
	connect_with(w, "ps", &a);
	told(w, ends - 7 * DAY_US, "ps", &ps, &op);
	told(w, ends - DAY_US, "ps", &ps, &op);
	told(w, ends, "ps", &ps, &op);
	assert_int_equal(known(w, "ps"), 0);
	/* It is told of no more, and one that has ended is not known anew. */
	connect_with(w, "ps", &a);
	trial_at(w, ends + 100 * DAY_US);
	assert_int_equal(got(w, "ps"), ps);
}

static void the_notice_says_whose_and_when(void **state)
{
	struct trial *w = *state;
	struct paper a;
	core_time_us ends = w->now + 5 * DAY_US; /* within 7 days already: told at once, and once */
	uint64_t ps;

	connect_with(w, "ps", paper(&a, 1, "one", ends));
	ps = connect_with(w, "ps", &a);
	trial_at(w, w->now);
	assert_int_equal(got(w, "ps"), 1);
	trial_at(w, ends - DAY_US - 1000);
	assert_int_equal(got(w, "ps"), 1);
	core_decision_reset(&w->d);
	w->now = ends - DAY_US;
	assert_int_equal(core_decide_due(w->core, w->policy, w->now, &w->d), IEUM_E_OK);
	assert_int_equal(w->d.n_items, 2);
	Ieum__V1__Referral *r =
		ieum__v1__referral__unpack(NULL, w->d.items[1].payload_len, w->d.items[1].payload);
	assert_non_null(r);
	assert_int_equal(r->body_case, IEUM__V1__REFERRAL__BODY_CERTIFICATE_NOTICE);
	assert_int_equal(r->certificate_notice->matter, MATTER(PARTICIPANT));
	assert_string_equal(r->certificate_notice->participant, "ps");
	assert_string_equal(r->certificate_notice->actor, "one");
	assert_string_equal(r->certificate_notice->serial, "01");
	assert_int_equal(r->certificate_notice->ends_at_ms, ends / 1000);
	ieum__v1__referral__free_unpacked(r, NULL);
	assert_int_equal(trial_record(w, IEUM_E_OK), IEUM_E_OK);
	assert_int_not_equal(trial_release_one(w, ps), 0);
}

static void a_renewed_certificate_is_not_told_of(void **state)
{
	struct trial *w = *state;
	struct paper old, other, new;
	core_time_us ends = w->now + 60 * DAY_US;

	connect_with(w, "ps", paper(&old, 1, "one", ends));
	trial_at(w, ends - 30 * DAY_US);
	assert_int_equal(got(w, "ps"), 1);
	/* A colleague's doesn't help. */
	connect_with(w, "ps", paper(&other, 2, "two", ends + 300 * DAY_US));
	trial_at(w, ends - 7 * DAY_US);
	assert_int_equal(got(w, "ps"), 2);
	connect_with(w, "ps", paper(&new, 3, "one", ends + 300 * DAY_US));
	trial_at(w, ends - DAY_US);
	assert_int_equal(got(w, "ps"), 2);
	assert_int_equal(known(w, "ps"), 3); /* both open what was sealed meanwhile */
	trial_at(w, ends);
	assert_int_equal(got(w, "ps"), 2);
	assert_int_equal(known(w, "ps"), 2);
}

static void own(struct trial *w, struct paper *hub, struct paper *list)
{
	struct core_certificate both[CORE_OWN_CERTIFICATES_MAX] = { hub->k, list->k };

	both[0].matter = MATTER(HUB);
	both[1].matter = MATTER(REVOCATION_LIST);
	for (int i = 0; i < CORE_OWN_CERTIFICATES_MAX; i++)
		both[i].der_len = both[i].key_id_len = 0;
	core_decision_reset(&w->d);
	assert_int_equal(trial_record(w, core_decide_own_certificates(w->core, both,
								      CORE_OWN_CERTIFICATES_MAX,
								      w->now, &w->d)),
			 IEUM_E_OK);
}

static void operators_are_told_of_the_hubs_own(void **state)
{
	struct trial *w = *state;
	struct paper hub, list, next;
	core_time_us ends = w->now + 60 * DAY_US, list_ends = w->now + 10 * DAY_US;
	uint64_t op = got(w, "op");

	own(w, paper(&hub, 1, "hub", ends), paper(&list, 2, "", list_ends));
	size_t events = w->events;
	own(w, &hub, &list);
	assert_int_equal(w->events, events);
	trial_at(w, list_ends - 3 * DAY_US - 1000);
	assert_int_equal(got(w, "op"), op);
	trial_at(w, list_ends - 3 * DAY_US);
	assert_int_equal(got(w, "op"), ++op);
	trial_at(w, list_ends - DAY_US);
	assert_int_equal(got(w, "op"), ++op);
	trial_at(w, list_ends);
	assert_int_equal(got(w, "op"), ++op);
	trial_restart(w);
	own(w, &hub, &list); /* the same old list: told is told */
	trial_at(w, list_ends + DAY_US);
	assert_int_equal(got(w, "op"), op);
	own(w, &hub, paper(&next, 3, "", ends + 300 * DAY_US));
	trial_at(w, ends - 30 * DAY_US);
	assert_int_equal(got(w, "op"), ++op);
	assert_int_equal(got(w, "boss"), 0);
}

/* ---- the directory ---- */

static void the_directory_has_those_that_are_valid(void **state)
{
	struct trial *w = *state;
	struct paper a, b;
	enum ieum_err err;
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__DirectoryQuery asked = IEUM__V1__DIRECTORY_QUERY__INIT;
	uint64_t boss = trial_connect(w, "boss");

	connect_with(w, "ps", paper(&a, 1, "one", w->now + DAY_US / 2));
	connect_with(w, "ps", paper(&b, 2, "two", w->now + 400 * DAY_US));
	q.what_case = IEUM__V1__QUERY__WHAT_DIRECTORY;
	q.directory = &asked;
	asked.kind = (char *)"police";
	const Ieum__V1__Result *r = trial_query(w, boss, &q, &err);
	assert_int_equal(r->directory->entries[0]->n_certificates, 0);
	asked.certificates = true;
	r = trial_query(w, boss, &q, &err);
	assert_int_equal(r->directory->entries[0]->n_certificates, 2);
	assert_memory_equal(r->directory->entries[0]->certificates[1].data, b.der, sizeof b.der);
	w->now += DAY_US / 2;
	r = trial_query(w, boss, &q, &err);
	assert_int_equal(r->directory->entries[0]->n_certificates, 1);
}

/* ---- gateways ---- */

static enum ieum_err send_for(struct trial *w, uint64_t from, const char *person)
{
	struct message m;

	message_new(w, &m, TYPE(REFERRAL));
	m.support.domain = (char *)"legal";
	m.envelope.on_behalf_of = (char *)person;
	message_open_case(&m);
	message_to(&m, "boss");
	return trial_submit(w, from, &m);
}

static void a_gateway_says_for_whom_it_sends(void **state)
{
	struct trial *w = *state;
	char hub[16384];
	struct core_delivery d;
	uint64_t ps, boss = trial_connect(w, "boss");

	ps = trial_connect(w, "ps");
	assert_int_equal(send_for(w, ps, "kim"), IEUM_E_NOT_PERMITTED);
	assert_non_null(strstr(w->detail, "envelope.on_behalf_of: 'ps' is no gateway"));
	const char *at = strstr(trial_hub, "head: boss}\n");
	(void)snprintf(hub, sizeof hub, "%.*shead: boss, gateway: true}\n%s", (int)(at - trial_hub),
		       trial_hub, at + strlen("head: boss}\n"));
	trial_reload(w, hub);
	assert_int_equal(send_for(w, ps, "kim"), IEUM_E_OK);
	assert_true(core_delivery(w->core, trial_release_one(w, boss), &d));
	assert_string_equal(d.sender, "ps");
	assert_string_equal(d.sender_actor, "someone for kim");
	assert_string_equal(trial_referral(w, boss, d.message_id)->sender_actor, "someone for kim");
	trial_verify(w);
	assert_int_equal(send_for(w, ps, ""), IEUM_E_OK);
	assert_true(core_delivery(w->core, trial_release_one(w, boss), &d));
	assert_string_equal(d.sender_actor, "someone");
	/* A session or a request instead of a person does not fill the hub's table of actors. */
	enum ieum_err err = IEUM_E_OK;
	unsigned people = 0;
	for (; people <= CORE_PERSONS_MAX && !err; people++) {
		char person[16];
		(void)snprintf(person, sizeof person, "p-%u", people);
		err = send_for(w, ps, person);
		if (!err)
			assert_int_equal(trial_done(w, boss, trial_release_one(w, boss)),
					 IEUM_E_OK);
	}
	assert_int_equal(err, IEUM_E_SENDER_FULL);
	assert_int_equal(people, CORE_PERSONS_MAX - 1); /* beside "someone" and "kim" */
	assert_int_equal(send_for(w, ps, "kim"), IEUM_E_OK);
}

/* ---- how many people ---- */

static enum ieum_err connect_as(struct trial *w, const char *participant, const char *actor)
{
	const struct core_connect k = { .participant = participant,
					.actor = actor,
					.address = "192.0.2.1:4",
					.certificate = "1" };

	core_decision_reset(&w->d);
	enum ieum_err err = core_decide_connect(w->core, w->policy, &k, w->now, &w->d);
	return err ? err : trial_record(w, IEUM_E_OK);
}

/* A CN for each session: that fills a participant's own share, and nobody else's. */
static void one_participants_people_do_not_keep_others_out(void **state)
{
	struct trial *w = *state;
	enum ieum_err err = IEUM_E_OK;
	unsigned people = 0;
	char actor[16];

	for (; people <= CORE_ACTORS_OF_ONE_MAX && !err; people++) {
		(void)snprintf(actor, sizeof actor, "session-%u", people);
		err = connect_as(w, "ps", actor);
	}
	assert_int_equal(err, IEUM_E_SENDER_FULL);
	assert_int_equal(people, CORE_ACTORS_OF_ONE_MAX + 1);
	assert_non_null(strstr(w->d.detail, "more than 5120 different people"));
	assert_int_equal(connect_as(w, "ps", "session-7"), IEUM_E_OK);
	assert_int_equal(connect_as(w, "boss", "somebody new"), IEUM_E_OK);
	trial_restart(w);
	assert_int_equal(connect_as(w, "ps", "session-x"), IEUM_E_SENDER_FULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_comes_is_known_and_found, start, stop),
		cmocka_unit_test_setup_teardown(one_key_of_two_participants_finds_both, start,
						stop),
		cmocka_unit_test_setup_teardown(a_certificate_is_of_one_participant, start, stop),
		cmocka_unit_test_setup_teardown(the_one_that_ends_first_makes_room, start, stop),
		cmocka_unit_test_setup_teardown(of_those_that_end_together_the_first_stay, start,
						stop),
		cmocka_unit_test_setup_teardown(what_is_revoked_is_known_no_more, start, stop),
		cmocka_unit_test_setup_teardown(both_sides_are_told_at_30_7_and_1_days_and_then,
						start, stop),
		cmocka_unit_test_setup_teardown(the_notice_says_whose_and_when, start, stop),
		cmocka_unit_test_setup_teardown(a_renewed_certificate_is_not_told_of, start, stop),
		cmocka_unit_test_setup_teardown(operators_are_told_of_the_hubs_own, start, stop),
		cmocka_unit_test_setup_teardown(the_directory_has_those_that_are_valid, start,
						stop),
		cmocka_unit_test_setup_teardown(a_gateway_says_for_whom_it_sends, start, stop),
		cmocka_unit_test_setup_teardown(one_participants_people_do_not_keep_others_out,
						start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
