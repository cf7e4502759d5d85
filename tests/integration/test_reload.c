/* SIGHUP: hub file, revocation list and certificates; everything is taken or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/integration/hub.h"
#include "tests/integration/peer.h"
#include "tests/integration/record.h"
#include "tests/integration/stranger.h"

static struct hub hub;

static int start(void **state)
{
	(void)state;
	hub_make(&hub, &(struct hub_options){ .drill = false });
	hub_start(&hub);
	return 0;
}

static int end(void **state)
{
	(void)state;
	hub_remove(&hub);
	return 0;
}

/* ---- changing what the hub reads ---- */

/* Certificates for everyone in the hub file, and for further ones ("--actor town-ps=desk"). */
static void make_certificates(const char *more)
{
	assert_int_equal(hub_run(&hub,
				 "%s/ieum-certs dev --hub-file %s --out %s %s >>%s/certs.log 2>&1",
				 hub_bin(), hub.hub_file, hub.certificates, more, hub.folder),
			 0);
}

static void edit_hub_file(const char *sed)
{
	assert_int_equal(hub_run(&hub, "sed -i '%s' %s", sed, hub.hub_file), 0);
}

static void add_newcomer(void)
{
	edit_hub_file(
		"s/^  town-op:.*/&\\n  newcomer: {kind: police, title: {en: New, ko: 새경찰서}}/");
	make_certificates("");
}

static void expect_in(const char *participant)
{
	struct peer *p = peer_connect(&hub, participant);

	peer_ping(p);
	peer_close(p);
}

static void expect_not_listed(const char *certificate)
{
	struct peer *p = peer_open(&hub, certificate);

	(void)peer_expect_error(p, IEUM_E_IDENTITY_UNKNOWN);
	(void)peer_await_close(p);
	peer_drop(p);
}

static void hub_serial(char serial[64])
{
	struct stranger *s = stranger_connect(&hub);

	stranger_begin_tls(s, &hub,
			   &(struct stranger_tls){ .certificate = "participants/town-ps" });
	stranger_handshake(s);
	stranger_hub_serial(s, serial);
	stranger_end(s);
}

/* From one to another, and settled. */
static void expect_flow(struct peer *from, struct peer *to, const char *to_name)
{
	const Ieum__V1__Delivery *d;
	struct message m;

	message_service_report(&m, to_name, NULL, "지원");
	(void)peer_receipt(from, peer_submit(from, &m.referral));
	d = peer_delivery(to);
	assert_memory_equal(d->referral->envelope->message_id.data, m.id, sizeof(m.id));
	peer_settle(to, d->delivery_id);
}

/* ---- the hub file ---- */

static void a_new_participant_may_come(void **state)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	struct peer *to;

	(void)state;
	add_newcomer();
	expect_not_listed("participants/newcomer");
	assert_true(hub_reload(&hub));
	to = peer_connect(&hub, "newcomer");
	peer_credit(to, 1);
	/* Whoever was here before reaches it too. */
	expect_flow(from, to, "newcomer");
	peer_close(from);
	peer_close(to);
	/* And the change is in the journal: a restart knows the newcomer. */
	hub_kill(&hub);
	hub_start(&hub);
	expect_in("newcomer");
	record_audit(&hub);
}

static void who_is_taken_out_is_told_and_goes(void **state)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	struct peer *stays = peer_connect(&hub, "town-aid");
	struct peer *goes;
	struct message m;

	(void)state;
	add_newcomer();
	assert_true(hub_reload(&hub));
	goes = peer_connect(&hub, "newcomer");
	peer_credit(stays, 5);
	edit_hub_file("/^  newcomer:/d");
	assert_true(hub_reload(&hub));
	(void)peer_expect_error(goes, IEUM_E_IDENTITY_UNKNOWN);
	assert_int_equal(peer_await_close(goes), CHANNEL_CLOSE_PEER);
	peer_drop(goes);
	expect_not_listed("participants/newcomer");
	/* Nobody can write to it any more; the others go on, with the credit they had. */
	message_service_report(&m, "newcomer", NULL, NULL);
	(void)peer_refused(from, peer_submit(from, &m.referral), IEUM_E_ADDRESSEE_UNKNOWN);
	expect_flow(from, stays, "town-aid");
	peer_close(from);
	peer_close(stays);
	assert_int_equal(record_refused(&hub, IEUM_E_IDENTITY_UNKNOWN, "reload", NULL), 1);
}

static void a_broken_hub_file_changes_nothing(void **state)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	struct peer *to = peer_connect(&hub, "town-aid");
	char place[32];

	(void)state;
	peer_credit(to, 5);
	add_newcomer();
	/* The newcomer is right, the line after it isn't. */
	edit_hub_file("s/^bodies:/  broken: {kind: polise, title: {en: B, ko: B}}\\nbodies:/");
	assert_int_equal(hub_run(&hub, "grep -n polise %s | cut -d: -f1 >%s/line", hub.hub_file,
				 hub.folder),
			 0);
	{
		char path[HUB_PATH_BYTES + 8], number[16] = "";
		FILE *f;

		snprintf(path, sizeof(path), "%s/line", hub.folder);
		f = fopen(path, "r");
		assert_non_null(f);
		assert_non_null(fgets(number, sizeof(number), f));
		fclose(f);
		number[strcspn(number, "\n")] = '\0';
		snprintf(place, sizeof(place), "hub.yaml:%s:", number);
	}
	assert_false(hub_reload(&hub));
	assert_true(hub_logged(&hub, place));
	expect_not_listed("participants/newcomer");
	expect_flow(from, to, "town-aid");
	/* Put right, it is taken. */
	edit_hub_file("/polise/d");
	assert_true(hub_reload(&hub));
	expect_in("newcomer");
	peer_close(from);
	peer_close(to);
}

static void expect_owner(const char *owner, const uint8_t case_id[CODEC_ID_BYTES])
{
	struct peer *p = peer_connect(&hub, owner);
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__CaseQuery of = IEUM__V1__CASE_QUERY__INIT;

	of.case_id = (ProtobufCBinaryData){ CODEC_ID_BYTES, (uint8_t *)case_id };
	q.what_case = IEUM__V1__QUERY__WHAT_CASE;
	q.case_ = &of;
	q.page_rows = 50;
	assert_string_equal(peer_result(p, &q)->case_->summary->owner, owner);
	peer_close(p);
}

static void nobody_goes_and_leaves_a_case_without_an_owner(void **state)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	struct message m;

	(void)state;
	add_newcomer();
	edit_hub_file("s/^    owner: town-aid$/    owner: newcomer/");
	assert_true(hub_reload(&hub));
	message_report(&m, NULL);
	(void)peer_receipt(from, peer_submit(from, &m.referral));
	edit_hub_file("/^  newcomer:/d");
	edit_hub_file("s/^    owner: newcomer$/    owner: town-aid/");
	assert_false(hub_reload(&hub));
	assert_true(hub_logged(&hub, "newcomer owns 1 open cases and holds 0 open requests"));
	expect_owner("newcomer", m.id);
	peer_close(from);
	/* A start takes it no more than a reload does. */
	assert_int_equal(hub_stop(&hub), 0);
	assert_int_not_equal(hub_start_and_end(&hub), 0);
	assert_true(hub_logged(&hub, "hub_file_refused"));
	edit_hub_file("s/^rules:/left: {newcomer: {to: town-head}}\\nrules:/");
	hub_start(&hub);
	expect_owner("town-head", m.id);
	record_audit(&hub);
}

static void a_hub_keeps_its_name(void **state)
{
	(void)state;
	edit_hub_file("s/name: town.ieum/name: other.ieum/");
	assert_false(hub_reload(&hub));
	expect_in("town-ps");
}

/* ---- the revocation list ---- */

static void a_revoked_session_ends_and_its_deliveries_go_on(void **state)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	struct peer *revoked = peer_connect(&hub, "town-aid");
	struct peer *colleague;
	const Ieum__V1__Delivery *d;
	struct stranger *s;
	struct message m;
	uint64_t id;

	(void)state;
	make_certificates("--actor town-aid=desk-2");
	peer_credit(revoked, 1);
	message_service_report(&m, "town-aid", NULL, "배달 중");
	(void)peer_receipt(from, peer_submit(from, &m.referral));
	id = peer_delivery(revoked)->delivery_id;
	hub_revoke(&hub, "town-aid");
	/* Not yet known to the hub. */
	peer_ping(revoked);
	assert_true(hub_reload(&hub));
	(void)peer_expect_error(revoked, IEUM_E_CERTIFICATE_REVOKED);
	(void)peer_await_close(revoked);
	peer_drop(revoked);
	s = stranger_connect(&hub);
	stranger_begin_tls(s, &hub,
			   &(struct stranger_tls){ .certificate = "participants/town-aid" });
	assert_string_equal(stranger_await_alert(s), "certificate revoked");
	stranger_end(s);
	assert_non_null(strstr(hub_await_log(&hub, "event=tls_refused"), "certificate revoked"));
	/* The participant is not revoked: another workstation takes over what was in flight. */
	colleague = peer_connect(&hub, "town-aid.desk-2");
	peer_credit(colleague, 1);
	d = peer_delivery(colleague);
	assert_int_equal(d->delivery_id, id);
	assert_int_equal(d->attempt, 1);
	peer_settle(colleague, id);
	peer_close(colleague);
	peer_close(from);
	assert_int_equal(record_refused(&hub, IEUM_E_CERTIFICATE_REVOKED, "reload", NULL), 1);
}

/* ---- the hub's own certificate ---- */

static void a_new_certificate_is_for_new_connections(void **state)
{
	struct peer *old = peer_connect(&hub, "town-ps");
	struct peer *to = peer_connect(&hub, "town-aid");
	char before[64], after[64];

	(void)state;
	hub_serial(before);
	assert_int_equal(
		hub_run(&hub, "rm %s/hub.crt %s/hub.key", hub.certificates, hub.certificates), 0);
	make_certificates("");
	hub_serial(after);
	assert_string_equal(before, after);
	assert_true(hub_reload(&hub));
	hub_serial(after);
	assert_string_not_equal(before, after);
	peer_credit(to, 1);
	expect_flow(old, to, "town-aid");
	peer_close(old);
	peer_close(to);
}

static void all_or_nothing(void **state)
{
	struct peer *live = peer_connect(&hub, "town-aid-2");
	char before[64], after[64];

	(void)state;
	hub_serial(before);
	/* A good hub file and a good revocation list, but a key that isn't the certificate's. */
	add_newcomer();
	hub_revoke(&hub, "town-aid-2");
	assert_int_equal(
		hub_run(&hub, "cp -p %s/hub.key %s/hub.key.kept && cp %s/ca.key %s/hub.key",
			hub.certificates, hub.certificates, hub.certificates, hub.certificates),
		0);
	assert_false(hub_reload(&hub));
	expect_not_listed("participants/newcomer");
	peer_ping(live);
	hub_serial(after);
	assert_string_equal(before, after);
	/* And the reverse: good certificates, a hub file that isn't there. */
	assert_int_equal(hub_run(&hub, "mv %s/hub.key.kept %s/hub.key && mv %s %s.away",
				 hub.certificates, hub.certificates, hub.hub_file, hub.hub_file),
			 0);
	assert_false(hub_reload(&hub));
	peer_ping(live);
	expect_not_listed("participants/newcomer");
	assert_int_equal(hub_run(&hub, "mv %s.away %s", hub.hub_file, hub.hub_file), 0);
	assert_true(hub_reload(&hub));
	(void)peer_expect_error(live, IEUM_E_CERTIFICATE_REVOKED);
	(void)peer_await_close(live);
	peer_drop(live);
	expect_in("newcomer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_new_participant_may_come, start, end),
		cmocka_unit_test_setup_teardown(who_is_taken_out_is_told_and_goes, start, end),
		cmocka_unit_test_setup_teardown(a_broken_hub_file_changes_nothing, start, end),
		cmocka_unit_test_setup_teardown(nobody_goes_and_leaves_a_case_without_an_owner,
						start, end),
		cmocka_unit_test_setup_teardown(a_hub_keeps_its_name, start, end),
		cmocka_unit_test_setup_teardown(a_revoked_session_ends_and_its_deliveries_go_on,
						start, end),
		cmocka_unit_test_setup_teardown(a_new_certificate_is_for_new_connections, start,
						end),
		cmocka_unit_test_setup_teardown(all_or_nothing, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
