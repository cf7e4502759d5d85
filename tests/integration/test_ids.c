/* The client's message id: the same one has one effect, also across a restart; what is too old,
 * ahead of time or no UUIDv7 is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/uuid7.h"
#include "tests/integration/hub.h"
#include "tests/integration/peer.h"
#include "tests/integration/record.h"

static const int64_t minute_ms = 60 * 1000;

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
	assert_int_equal(hub_stop(&hub), 0);
	record_audit(&hub);
	hub_remove(&hub);
	return 0;
}

static void an_id_has_one_effect_also_across_a_restart(void **state)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	struct peer *to, *other;
	const Ieum__V1__Receipt *first, *again;
	struct message m, changed;
	uint8_t incarnation[16];
	uint64_t number;
	int64_t at_ms;

	(void)state;
	message_service_report(&m, "town-aid", NULL, "한 번만");
	first = peer_receipt(from, peer_submit(from, &m.referral));
	number = first->journal_number;
	at_ms = first->received_at_ms;
	assert_int_equal(first->incarnation.len, sizeof(incarnation));
	memcpy(incarnation, first->incarnation.data, sizeof(incarnation));
	hub_kill(&hub);
	peer_drop(from);
	hub_start(&hub);
	from = peer_connect(&hub, "town-ps");
	again = peer_receipt(from, peer_submit(from, &m.referral));
	assert_true(again->repeated);
	assert_int_equal(again->journal_number, number);
	assert_int_equal(again->received_at_ms, at_ms);
	assert_memory_equal(again->case_id.data, m.id, sizeof(m.id));
	assert_memory_equal(again->incarnation.data, incarnation, sizeof(incarnation));
	/* The same id for something else, or by somebody else, is no repeat. */
	message_service_report(&changed, "town-aid", NULL, "다른 내용입니다");
	memcpy(changed.id, m.id, sizeof(m.id));
	(void)peer_refused(from, peer_submit(from, &changed.referral), IEUM_E_ID_REUSED);
	other = peer_connect(&hub, "town-aid-2");
	(void)peer_refused(other, peer_submit(other, &m.referral), IEUM_E_ID_REUSED);
	to = peer_connect(&hub, "town-aid");
	peer_credit(to, 5);
	{
		const Ieum__V1__Delivery *d = peer_delivery(to);

		assert_memory_equal(d->referral->envelope->message_id.data, m.id, sizeof(m.id));
		peer_settle(to, d->delivery_id);
	}
	peer_ping(to);
	assert_false(peer_has(to, IEUM__V1__FRAME__WHAT_DELIVERY));
	peer_close(from);
	peer_close(to);
	peer_close(other);
	assert_int_equal(record_refused(&hub, IEUM_E_ID_REUSED, "submit service_report", NULL), 2);
}

static void set_id_ms(uint8_t id[16], int64_t ms)
{
	for (int i = 5; i >= 0; i--, ms >>= 8)
		id[i] = (uint8_t)ms;
}

static void ids_too_old_ahead_or_of_another_kind(void **state)
{
	const int64_t day_ms = INT64_C(24) * 60 * minute_ms;
	struct peer *from = peer_connect(&hub, "town-ps");
	const Ieum__V1__Error *error;
	struct message m;
	int64_t now_ms;

	(void)state;
	message_service_report(&m, "town-aid", NULL, NULL);
	now_ms = (int64_t)uuid7_ms(m.id);
	set_id_ms(m.id, now_ms - 31 * day_ms);
	error = peer_refused(from, peer_submit(from, &m.referral), IEUM_E_TOO_OLD);
	assert_int_equal(error->retry_after_ms, 0);
	assert_int_equal(error->message_id.len, sizeof(m.id));
	assert_memory_equal(error->message_id.data, m.id, sizeof(m.id));
	set_id_ms(m.id, now_ms - 29 * day_ms);
	(void)peer_receipt(from, peer_submit(from, &m.referral));
	set_id_ms(m.id, now_ms + 12 * minute_ms);
	(void)peer_refused(from, peer_submit(from, &m.referral), IEUM_E_ID_IN_FUTURE);
	set_id_ms(m.id, now_ms + 8 * minute_ms);
	(void)peer_receipt(from, peer_submit(from, &m.referral));
	m.id[6] = (uint8_t)(0x40 | (m.id[6] & 0x0f)); /* version 4 */
	(void)peer_refused(from, peer_submit(from, &m.referral), IEUM_E_ID_INVALID);
	peer_close(from);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(an_id_has_one_effect_also_across_a_restart),
		TEST(ids_too_old_ahead_or_of_another_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
