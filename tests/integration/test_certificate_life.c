/* Certificates while a hub runs: renewed, revoked, running out; those of another PKI; and what both
 * sides are told before.  Real certificates, made as an agency and a city make them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/integration/hub.h"
#include "tests/integration/peer.h"
#include "tests/integration/record.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)

static struct hub hub;

static int start_with(const struct hub_options *options)
{
	hub_make(&hub, options);
	hub_start(&hub);
	return 0;
}

static int start(void **state)
{
	(void)state;
	return start_with(&(struct hub_options){ .drill = false });
}

static int start_drill(void **state)
{
	(void)state;
	return start_with(&(struct hub_options){ .drill = true });
}

static int start_patient(void **state)
{
	(void)state;
	return start_with(&(struct hub_options){
		.config = "revocation_list_past: {accept_known_for: 24 h}\n" });
}

static int end(void **state)
{
	(void)state;
	hub_remove(&hub);
	return 0;
}

/* So many seconds from now, as ieum-certs takes it. */
static const char *in_seconds(int s)
{
	static char text[40];
	time_t at = time(NULL) + s;
	struct tm tm;

	assert_non_null(gmtime_r(&at, &tm));
	assert_true(strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S+00:00", &tm) > 0);
	return text;
}

/* A key and a request as an agency makes them, signed as a city does: participants/STEM. */
static void enrol(const char *stem, const char *participant, const char *kind, const char *who,
		  const char *more)
{
	assert_int_equal(
		hub_run(&hub,
			"cd %s/participants && %s/ieum cert request --out %s --hub town.ieum "
			"--kind %s --participant %s --name '%s' >>../../certs.log 2>&1",
			hub.certificates, hub_bin(), stem, kind, participant, who),
		0);
	assert_int_equal(
		hub_run(&hub,
			"%s/ieum-certs sign %s/participants/%s.csr --hub-file %s --out %s %s "
			">%s/signed 2>>%s/certs.log",
			hub_bin(), hub.certificates, stem, hub.hub_file, hub.certificates, more,
			hub.folder, hub.folder),
		0);
	assert_int_equal(hub_run(&hub,
				 "cd %s && cp $(sed -n 's/^signed \\([^ ]*\\) .*/\\1/p' ../signed) "
				 "participants/%s.crt",
				 hub.certificates, stem),
			 0);
}

static const Ieum__V1__Welcome *welcome; /* of the last connect_as() */

static struct peer *connect_as(const char *stem)
{
	char path[128];
	struct peer *p;

	(void)snprintf(path, sizeof path, "participants/%s", stem);
	p = peer_open(&hub, path);
	peer_hello(p);
	welcome = peer_expect(p, IEUM__V1__FRAME__WHAT_WELCOME)->welcome;
	return p;
}

/* How many certificates the directory has of it. */
static size_t known(struct peer *asks, const char *participant)
{
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	Ieum__V1__DirectoryQuery directory = IEUM__V1__DIRECTORY_QUERY__INIT;
	const Ieum__V1__Result *r;

	directory.certificates = true;
	query.what_case = IEUM__V1__QUERY__WHAT_DIRECTORY;
	query.directory = &directory;
	r = peer_result(asks, &query);
	for (size_t i = 0; i < r->directory->n_entries; i++)
		if (strcmp(r->directory->entries[i]->name, participant) == 0)
			return r->directory->entries[i]->n_certificates;
	fail_msg("%s is not in the directory", participant);
	return 0;
}

/* ---- renewal ---- */

static void several_people_and_a_renewal_are_one_participant(void **state)
{
	struct peer *p, *q, *head = peer_connect(&hub, "town-head");

	(void)state;
	enrol("kim", "town-ps", "police", "김경위", "--days 20");
	enrol("lee", "town-ps", "police", "lee", "");
	enrol("kim-2", "town-ps", "police", "김경위", "");
	p = connect_as("kim");
	assert_string_equal(welcome->participant, "town-ps");
	assert_string_equal(welcome->actor, "김경위");
	q = connect_as("lee");
	assert_string_equal(welcome->actor, "lee");
	peer_close(q);
	/* The new one beside the old: both are good, and both can be sealed to. */
	q = connect_as("kim-2");
	assert_string_equal(welcome->actor, "김경위");
	peer_ping(p);
	assert_int_equal(known(head, "town-ps"), 3);
	assert_int_equal(known(head, "town-aid"), 0);
	peer_close(p);
	peer_close(q);
	peer_close(head);
}

static void the_hubs_own_is_renewed_under_way(void **state)
{
	struct peer *p = peer_connect(&hub, "town-ps"), *q;

	(void)state;
	assert_int_equal(hub_run(&hub,
				 "cd %s && rm hub.crt hub.key && %s/ieum-certs dev --hub-file %s "
				 "--out %s --days 700 >>../certs.log 2>&1",
				 hub.certificates, hub_bin(), hub.hub_file, hub.certificates),
			 0);
	(void)hub_await_log(&hub, "event=certificates_read");
	q = peer_connect(&hub, "town-aid");
	peer_ping(q);
	peer_ping(p); /* nobody was sent away */
	peer_close(p);
	peer_close(q);
}

/* Certificates of one day's batch: more desks than the hub keeps. */
static void a_seventeenth_is_left_out_and_told_of_once(void **state)
{
	char more[64], stem[32];
	struct peer *p;

	(void)state;
	(void)snprintf(more, sizeof more, "--until %s", in_seconds(20 * 24 * 3600));
	for (int i = 1; i <= 17; i++) {
		(void)snprintf(stem, sizeof stem, "desk-%d", i);
		enrol(stem, "town-ps", "police", stem, more);
	}
	for (int i = 1; i <= 17; i++) {
		(void)snprintf(stem, sizeof stem, "desk-%d", i);
		peer_close(connect_as(stem));
	}
	const char *line = hub_await_log(&hub, "event=certificate_left_out");
	assert_non_null(strstr(line, "participant=town-ps"));
	p = connect_as("desk-17");
	assert_int_not_equal(welcome->certificate_ends_at_ms, 0);
	assert_int_equal(known(p, "town-ps"), 16);
	peer_close(p);
	peer_close(connect_as("desk-1"));
	assert_int_equal(hub_stop(&hub), 0);
	const char *first = strstr(hub.log, "event=certificate_left_out");
	assert_null(strstr(first + 1, "event=certificate_left_out"));
	/* One line for each that is kept, however often they come. */
	int told = 0;
	for (const char *at = hub.log; (at = strstr(at, "event=certificate_ends")); at++)
		told += strncmp(at, "event=certificate_ends matter=participant", 41) == 0;
	assert_int_equal(told, 16);
}

/* ---- the end of one ---- */

static void a_revoked_one_ends_when_the_list_says_so(void **state)
{
	struct peer *p = peer_connect(&hub, "town-ps"), *q = peer_connect(&hub, "town-head");

	(void)state;
	assert_int_equal(known(q, "town-ps"), 1);
	hub_revoke(&hub, "town-ps");
	(void)peer_expect_error(p, IEUM_E_CERTIFICATE_REVOKED); /* without a SIGHUP */
	(void)peer_await_close(p);
	(void)hub_await_log(&hub, "event=certificate_forgotten");
	assert_int_equal(known(q, "town-ps"), 0);
	peer_close(q);
	peer_drop(p);
	assert_int_equal(record_refused(&hub, IEUM_E_CERTIFICATE_REVOKED, "reload", NULL), 1);
}

static void one_revoked_while_the_hub_was_down_is_known_no_more(void **state)
{
	struct peer *p = peer_connect(&hub, "town-ps"), *q;

	(void)state;
	peer_close(p);
	assert_int_equal(hub_stop(&hub), 0);
	hub_revoke(&hub, "town-ps");
	hub_start(&hub);
	(void)hub_await_log(&hub, "event=certificate_forgotten");
	q = peer_connect(&hub, "town-head");
	assert_int_equal(known(q, "town-ps"), 0);
	peer_close(q);
}

static void one_that_runs_out_ends_its_session_then(void **state)
{
	char more[64];
	struct peer *p;

	(void)state;
	(void)snprintf(more, sizeof more, "--until %s", in_seconds(4));
	enrol("brief", "town-ps", "police", "brief", more);
	p = connect_as("brief");
	(void)peer_expect_error(p, IEUM_E_CERTIFICATE_EXPIRED);
	(void)peer_await_close(p);
	peer_drop(p);
	assert_int_equal(record_refused(&hub, IEUM_E_CERTIFICATE_EXPIRED, "certificate", NULL), 1);
}

/* ---- notices ---- */

static void expect_notice(struct peer *p, Ieum__V1__CertificateMatter matter, const char *whose)
{
	const Ieum__V1__Delivery *d = peer_delivery(p);
	const Ieum__V1__CertificateNotice *n = d->referral->certificate_notice;

	assert_int_equal(d->referral->body_case, IEUM__V1__REFERRAL__BODY_CERTIFICATE_NOTICE);
	assert_int_equal(n->matter, matter);
	assert_string_equal(n->participant, whose);
	peer_settle(p, d->delivery_id);
}

static void both_sides_are_told_before_it_ends(void **state)
{
	struct peer *ps, *op = peer_connect(&hub, "town-op");

	(void)state;
	peer_close(peer_connect(&hub, "town-ps")); /* known from now on */
	peer_advance(op, 331 * DAY_MS);            /* 34 days before */
	peer_credit(op, 10);
	peer_ping(op);
	assert_false(peer_has(op, IEUM__V1__FRAME__WHAT_DELIVERY));
	peer_advance(op, 5 * DAY_MS); /* 29 */
	/* Of the hub's own, of its list, of its operator's and of the participant's. */
	for (int i = 0; i < 3; i++)
		(void)peer_delivery(op);
	(void)hub_await_log(&hub, "event=certificate_ends");
	hub_kill(&hub);
	hub_start(&hub);
	peer_drop(op);
	/* Each once, also over a restart. */
	ps = peer_connect(&hub, "town-ps");
	peer_credit(ps, 10);
	expect_notice(ps, IEUM__V1__CERTIFICATE_MATTER__CERTIFICATE_MATTER_PARTICIPANT, "town-ps");
	peer_ping(ps);
	assert_false(peer_has(ps, IEUM__V1__FRAME__WHAT_DELIVERY));
	op = peer_connect(&hub, "town-op");
	peer_advance(op, 23 * DAY_MS); /* 6 */
	expect_notice(ps, IEUM__V1__CERTIFICATE_MATTER__CERTIFICATE_MATTER_PARTICIPANT, "town-ps");
	peer_advance(op, 5 * DAY_MS + DAY_MS / 24); /* and less than 1 */
	expect_notice(ps, IEUM__V1__CERTIFICATE_MATTER__CERTIFICATE_MATTER_PARTICIPANT, "town-ps");
	peer_ping(ps);
	assert_false(peer_has(ps, IEUM__V1__FRAME__WHAT_DELIVERY));
	peer_close(ps);
	peer_close(op);
}

/* ---- a list that has ended ---- */

static void let_list_end(void)
{
	assert_int_equal(hub_run(&hub, "%s/ieum-certs crl --out %s --until %s >>%s/certs.log 2>&1",
				 hub_bin(), hub.certificates, in_seconds(8), hub.folder),
			 0);
	(void)hub_await_log(&hub, "event=certificates_read");
	(void)hub_await_log(&hub, "matter=revocation_list participant=\"\" serial=\"\" in_days=0");
}

static void past_its_end_a_list_lets_nobody_in(void **state)
{
	struct peer *p = peer_connect(&hub, "town-ps"), *q;

	(void)state;
	assert_true(peer_welcome(p)->revocation_list_ends_at_ms >
		    (int64_t)time(NULL) * 1000 + 300 * DAY_MS);
	let_list_end();
	q = peer_open(&hub, "participants/town-aid");
	assert_int_equal(peer_await_close(q), CHANNEL_CLOSE_REFUSED_BY_PEER);
	peer_drop(q);
	(void)hub_await_log(&hub, "CRL has expired");
	peer_ping(p); /* who was let in stays */
	/* A new list, and all is well. */
	assert_int_equal(hub_run(&hub, "%s/ieum-certs crl --out %s >>%s/certs.log 2>&1", hub_bin(),
				 hub.certificates, hub.folder),
			 0);
	(void)hub_await_log(&hub, "event=certificates_read");
	peer_close(peer_connect(&hub, "town-aid"));
	peer_ping(p);
	peer_close(p);
}

static void past_its_end_a_list_lets_in_whom_the_hub_knows(void **state)
{
	struct peer *q;

	(void)state;
	peer_close(peer_connect(&hub, "town-ps"));
	let_list_end();
	peer_close(peer_connect(&hub, "town-ps"));
	q = peer_open(&hub, "participants/town-aid");
	assert_non_null(strstr(peer_expect_error(q, IEUM_E_UNAVAILABLE)->detail,
			       "revocation list has ended"));
	(void)peer_await_close(q);
	peer_drop(q);
}

/* ---- another PKI ---- */

/* A certificate without a word of ieum in it, of an authority of its own, whose list is there too. */
static void make_foreign(void)
{
	assert_int_equal(
		hub_run(&hub,
			"cd %s && mkdir pki && cd pki && touch index.txt && "
			"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key "
			"-out ca.crt -days 30 -subj '/O=National/CN=Agency CA' 2>>../../certs.log && "
			"openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout a.key -out a.csr "
			"-subj '/O=National/CN=officer 7' 2>>../../certs.log && "
			"printf 'extendedKeyUsage=clientAuth\\nkeyUsage=digitalSignature\\n' >ext && "
			"openssl x509 -req -in a.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 9 "
			"-extfile ext -out a.crt 2>>../../certs.log && chmod 600 a.key",
			hub.certificates),
		0);
	assert_int_equal(
		hub_run(&hub,
			"cd %s/pki && printf '[ca]\\ndefault_ca=x\\n[x]\\ndatabase=index.txt\\n"
			"default_md=sha256\\n' >conf && openssl ca -gencrl -config conf -keyfile ca.key "
			"-cert ca.crt -crldays 30 -out ca.crl 2>>../../certs.log && "
			"cat ca.crt >>../ca.crt && cat ca.crl >>../ca.crl && cp a.key ../participants/foreign.key "
			"&& cp a.crt ../participants/foreign.crt",
			hub.certificates),
		0);
}

static void a_certificate_of_another_pki_is_known_as_the_file_says(void **state)
{
	struct peer *p;

	(void)state;
	make_foreign();
	(void)hub_await_log(&hub, "event=certificates_read");
	/* Trusted, but nobody said whose it is. */
	p = peer_open(&hub, "participants/foreign");
	assert_int_equal(peer_await_close(p), CHANNEL_CLOSE_REFUSED_BY_PEER);
	peer_drop(p);
	(void)hub_await_log(&hub, "no spiffe URI");
	assert_int_equal(
		hub_run(&hub,
			"key=$(%s/ieum cert show %s/pki/a.crt --json | sed -n 's/.*\"key_sha256\": "
			"\"\\([0-9a-f]*\\)\".*/\\1/p') && sed -i \"s/^  town-ps: {kind: police,/& identities: "
			"[{key: $key}],/\" %s && grep -q \"key: [0-9a-f]\\{64\\}\" %s",
			hub_bin(), hub.certificates, hub.hub_file, hub.hub_file),
		0);
	assert_true(hub_reload(&hub));
	p = connect_as("foreign");
	assert_string_equal(welcome->participant, "town-ps");
	assert_string_equal(welcome->actor, "officer 7");
	/* Its key is for signing alone: nobody is told to seal to it. */
	assert_int_equal(known(p, "town-ps"), 0);
	/* Who lists some is known by those alone. */
	struct peer *q = peer_open(&hub, "participants/town-ps");
	(void)peer_expect_error(q, IEUM_E_IDENTITY_UNKNOWN);
	peer_drop(q);
	/* By issuer and subject as well; the key is named no more. */
	assert_int_equal(hub_run(&hub,
				 "sed -i \"s/identities: [^]]*]/identities: [{issuer: 'CN=Agency "
				 "CA,O=National', subject: 'CN=officer 7,O=National'}]/\" %s",
				 hub.hub_file),
			 0);
	assert_true(hub_reload(&hub));
	peer_ping(p);
	/* And nobody's again. */
	assert_int_equal(hub_run(&hub, "sed -i \"s/officer 7,/officer 8,/\" %s", hub.hub_file), 0);
	assert_true(hub_reload(&hub));
	(void)peer_expect_error(p, IEUM_E_IDENTITY_UNKNOWN);
	peer_drop(p);
}

/* ---- a gateway ---- */

static void only_a_gateway_speaks_for_somebody(void **state)
{
	struct message m;
	struct peer *p = peer_connect(&hub, "town-ps"), *aid;
	const Ieum__V1__Error *error;

	(void)state;
	message_service_report(&m, "town-aid", NULL, "visited");
	m.envelope.on_behalf_of = (char *)"officer 7";
	error = peer_refused(p, peer_submit(p, &m.referral), IEUM_E_NOT_PERMITTED);
	assert_non_null(strstr(error->detail, "on_behalf_of"));
	assert_int_equal(hub_run(&hub, "sed -i 's/^  town-ps: {kind: police,/& gateway: true,/' %s",
				 hub.hub_file),
			 0);
	assert_true(hub_reload(&hub));
	message_service_report(&m, "town-aid", NULL, "visited");
	m.envelope.on_behalf_of = (char *)"officer 7";
	(void)peer_receipt(p, peer_submit(p, &m.referral));
	aid = peer_connect(&hub, "town-aid");
	peer_credit(aid, 1);
	assert_string_equal(peer_delivery(aid)->sender_actor, "town-ps-1 for officer 7");
	peer_close(aid);
	peer_close(p);
	assert_int_equal(hub_stop(&hub), 0);
	assert_int_equal(hub_run(&hub,
				 "%s/ieum audit ledger %s --participant town-aid --json | "
				 "grep -q '\"on_behalf_of\": \"officer 7\"'",
				 hub_bin(), hub.journal),
			 0);
	assert_int_equal(hub_run(&hub,
				 "%s/ieum audit ledger %s --participant town-aid | "
				 "grep -q 'town-ps (town-ps-1 for officer 7)'",
				 hub_bin(), hub.journal),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(several_people_and_a_renewal_are_one_participant,
						start, end),
		cmocka_unit_test_setup_teardown(a_seventeenth_is_left_out_and_told_of_once, start,
						end),
		cmocka_unit_test_setup_teardown(the_hubs_own_is_renewed_under_way, start, end),
		cmocka_unit_test_setup_teardown(a_revoked_one_ends_when_the_list_says_so, start,
						end),
		cmocka_unit_test_setup_teardown(one_revoked_while_the_hub_was_down_is_known_no_more,
						start, end),
		cmocka_unit_test_setup_teardown(one_that_runs_out_ends_its_session_then, start,
						end),
		cmocka_unit_test_setup_teardown(both_sides_are_told_before_it_ends, start_drill,
						end),
		cmocka_unit_test_setup_teardown(past_its_end_a_list_lets_nobody_in, start, end),
		cmocka_unit_test_setup_teardown(past_its_end_a_list_lets_in_whom_the_hub_knows,
						start_patient, end),
		cmocka_unit_test_setup_teardown(
			a_certificate_of_another_pki_is_known_as_the_file_says, start, end),
		cmocka_unit_test_setup_teardown(only_a_gateway_speaks_for_somebody, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
