/* broker/audit_ledger: every way a delivery can be somewhere it can't be is found, and told
 * exactly; what is allowed passes, and the account comes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/audit_ledger.h"

static char ps[] = "gimpo-ps", aid[] = "legal-aid-1";
static struct audit_ledger *ledger;
static uint64_t seq;
static char why[AUDIT_LEDGER_WHY_BYTES];

static enum ieum_err apply(Ieum__V1__Event *e)
{
	why[0] = '\0';
	return audit_ledger_apply(ledger, ++seq, e, why);
}

static enum ieum_err names(char *first, char *second)
{
	Ieum__V1__Event e = IEUM__V1__EVENT__INIT;
	Ieum__V1__PolicyChanged p = IEUM__V1__POLICY_CHANGED__INIT;
	Ieum__V1__NumberedName n[2] = { IEUM__V1__NUMBERED_NAME__INIT,
					IEUM__V1__NUMBERED_NAME__INIT };
	Ieum__V1__NumberedName *list[] = { &n[0], &n[1] };

	n[0].number = 1;
	n[0].name = first;
	n[1].number = 2;
	n[1].name = second;
	p.n_mailboxes = 2;
	p.mailboxes = list;
	e.what_case = IEUM__V1__EVENT__WHAT_POLICY_CHANGED;
	e.policy_changed = &p;
	return apply(&e);
}

static enum ieum_err start_hub(void)
{
	Ieum__V1__Event e = IEUM__V1__EVENT__INIT;
	Ieum__V1__HubStarted s = IEUM__V1__HUB_STARTED__INIT;

	e.what_case = IEUM__V1__EVENT__WHAT_HUB_STARTED;
	e.hub_started = &s;
	return apply(&e);
}

static enum ieum_err connect_as(uint64_t number)
{
	Ieum__V1__Event e = IEUM__V1__EVENT__INIT;
	Ieum__V1__Connected c = IEUM__V1__CONNECTED__INIT;

	c.connection = number;
	e.what_case = IEUM__V1__EVENT__WHAT_CONNECTED;
	e.connected = &c;
	return apply(&e);
}

static enum ieum_err hang_up(uint64_t number)
{
	Ieum__V1__Event e = IEUM__V1__EVENT__INIT;
	Ieum__V1__Disconnected d = IEUM__V1__DISCONNECTED__INIT;

	d.connection = number;
	e.what_case = IEUM__V1__EVENT__WHAT_DISCONNECTED;
	e.disconnected = &d;
	return apply(&e);
}

/* One message to one mailbox; *id is its delivery. */
static enum ieum_err send_to(uint32_t mailbox, uint64_t *id)
{
	Ieum__V1__Event e = IEUM__V1__EVENT__INIT;
	Ieum__V1__Submitted s = IEUM__V1__SUBMITTED__INIT;
	Ieum__V1__Route r = IEUM__V1__ROUTE__INIT;
	Ieum__V1__Route *routes[] = { &r };

	r.mailbox = mailbox;
	s.n_routes = 1;
	s.routes = routes;
	e.what_case = IEUM__V1__EVENT__WHAT_SUBMITTED;
	e.submitted = &s;
	*id = (seq + 1) * 256;
	return apply(&e);
}

static enum ieum_err withdraw(uint64_t id)
{
	Ieum__V1__Event e = IEUM__V1__EVENT__INIT;
	Ieum__V1__Submitted s = IEUM__V1__SUBMITTED__INIT;

	s.n_withdrawn = 1;
	s.withdrawn = &id;
	e.what_case = IEUM__V1__EVENT__WHAT_SUBMITTED;
	e.submitted = &s;
	return apply(&e);
}

static enum ieum_err revoke(uint64_t id)
{
	Ieum__V1__Event e = IEUM__V1__EVENT__INIT;
	Ieum__V1__Submitted s = IEUM__V1__SUBMITTED__INIT;

	s.n_revoked = 1;
	s.revoked = &id;
	e.what_case = IEUM__V1__EVENT__WHAT_SUBMITTED;
	e.submitted = &s;
	return apply(&e);
}

static enum ieum_err release_to(uint64_t connection, uint64_t id)
{
	Ieum__V1__Event e = IEUM__V1__EVENT__INIT;
	Ieum__V1__DeliveriesReleased r = IEUM__V1__DELIVERIES_RELEASED__INIT;

	r.connection = connection;
	r.n_deliveries = 1;
	r.deliveries = &id;
	e.what_case = IEUM__V1__EVENT__WHAT_RELEASED;
	e.released = &r;
	return apply(&e);
}

static enum ieum_err settle(uint64_t id)
{
	Ieum__V1__Event e = IEUM__V1__EVENT__INIT;
	Ieum__V1__DeliveriesSettled s = IEUM__V1__DELIVERIES_SETTLED__INIT;

	s.n_deliveries = 1;
	s.deliveries = &id;
	e.what_case = IEUM__V1__EVENT__WHAT_SETTLED;
	e.settled = &s;
	return apply(&e);
}

static enum ieum_err give_back(uint64_t id, int64_t not_before_ms)
{
	Ieum__V1__Event e = IEUM__V1__EVENT__INIT;
	Ieum__V1__DeliveriesReturned r = IEUM__V1__DELIVERIES_RETURNED__INIT;

	r.n_deliveries = 1;
	r.deliveries = &id;
	r.not_before_at_ms = not_before_ms;
	e.what_case = IEUM__V1__EVENT__WHAT_RETURNED;
	e.returned = &r;
	return apply(&e);
}

static enum ieum_err requeue(uint64_t id)
{
	Ieum__V1__Event e = IEUM__V1__EVENT__INIT;
	Ieum__V1__DeliveriesRequeued r = IEUM__V1__DELIVERIES_REQUEUED__INIT;

	r.n_deliveries = 1;
	r.deliveries = &id;
	e.what_case = IEUM__V1__EVENT__WHAT_REQUEUED;
	e.requeued = &r;
	return apply(&e);
}

static enum ieum_err bury(uint64_t id)
{
	Ieum__V1__Event e = IEUM__V1__EVENT__INIT;
	Ieum__V1__DeliveriesDeadLettered d = IEUM__V1__DELIVERIES_DEAD_LETTERED__INIT;

	d.n_deliveries = 1;
	d.deliveries = &id;
	e.what_case = IEUM__V1__EVENT__WHAT_DEAD_LETTERED;
	e.dead_lettered = &d;
	return apply(&e);
}

#define ok(call) assert_int_equal((call), IEUM_E_OK)
#define wrong(call, text) \
	do { \
		assert_int_equal((call), IEUM_E_JOURNAL_CORRUPT); \
		assert_non_null(strstr(why, text)); \
	} while (0)

static void assert_counts(uint32_t mailbox, uint64_t routed, uint64_t queued, uint64_t in_flight,
			  uint64_t settled, uint64_t dead, uint64_t withdrawn)
{
	audit_ledger_count(ledger);
	struct audit_ledger_counts c = audit_ledger_counts(ledger, mailbox);

	assert_int_equal(c.routed, routed);
	assert_int_equal(c.queued, queued);
	assert_int_equal(c.in_flight, in_flight);
	assert_int_equal(c.settled, settled);
	assert_int_equal(c.dead_lettered, dead);
	assert_int_equal(c.withdrawn, withdrawn);
}

static int make(void **state)
{
	(void)state;
	seq = 0;
	ledger = audit_ledger_new();
	return ledger && !start_hub() && !names(ps, aid) && !connect_as(7) ? 0 : -1;
}

static int drop(void **state)
{
	(void)state;
	audit_ledger_free(ledger);
	ledger = NULL;
	return 0;
}

static void a_delivery_goes_its_way(void **state)
{
	uint64_t id;

	(void)state;
	ok(send_to(1, &id));
	assert_counts(1, 1, 1, 0, 0, 0, 0);
	ok(release_to(7, id));
	assert_counts(1, 1, 0, 1, 0, 0, 0);
	ok(settle(id));
	assert_counts(1, 1, 0, 0, 1, 0, 0);
	assert_counts(2, 0, 0, 0, 0, 0, 0);
	assert_string_equal(audit_ledger_mailbox_name(ledger, 2), "legal-aid-1");
}

static void a_lost_connection_puts_it_back(void **state)
{
	uint64_t id;

	(void)state;
	ok(send_to(1, &id));
	ok(release_to(7, id));
	ok(hang_up(7));
	assert_counts(1, 1, 1, 0, 0, 0, 0);
	ok(connect_as(8));
	ok(release_to(8, id));
	ok(start_hub());
	assert_counts(1, 1, 1, 0, 0, 0, 0);
	/* A late settle by its number counts. */
	ok(settle(id));
	assert_counts(1, 1, 0, 0, 1, 0, 0);
}

static void failed_attempts_wait_and_end(void **state)
{
	uint64_t id;

	(void)state;
	ok(send_to(2, &id));
	ok(release_to(7, id));
	ok(give_back(id, 99));
	assert_counts(2, 1, 1, 0, 0, 0, 0);
	wrong(release_to(7, id), "was not queued");
	ok(requeue(id));
	ok(release_to(7, id));
	ok(give_back(id, 0));
	ok(release_to(7, id));
	ok(bury(id));
	assert_counts(2, 1, 0, 0, 0, 1, 0);
	wrong(bury(id), "twice");
	ok(settle(id));
	assert_counts(2, 1, 0, 0, 1, 0, 0);
}

static void what_nobody_had_is_withdrawn(void **state)
{
	uint64_t first, second;

	(void)state;
	ok(send_to(1, &first));
	ok(withdraw(first));
	assert_counts(1, 1, 0, 0, 0, 0, 1);
	ok(send_to(1, &second));
	ok(release_to(7, second));
	ok(hang_up(7));
	wrong(withdraw(second), "somebody had it before");
	/* But for want of consent. */
	ok(revoke(second));
	assert_counts(1, 2, 0, 0, 0, 0, 2);
}

static void contradictions_are_named(void **state)
{
	uint64_t id;

	(void)state;
	wrong(send_to(3, &id), "mailbox number 3");
	ok(send_to(1, &id));
	wrong(settle(id), "never released");
	wrong(release_to(9, id), "connection 9");
	wrong(give_back(id, 0), "not in flight");
	wrong(requeue(id), "not waiting");
	ok(release_to(7, id));
	wrong(release_to(7, id), "was not queued");
	ok(settle(id));
	wrong(settle(id), "never routed, or was over");
	wrong(release_to(7, id), "never routed, or was over");
	wrong(bury(12345), "delivery 12345");
	wrong(connect_as(7), "open already");
	wrong(hang_up(55), "not open");
	wrong(names(ps, ps), "given twice");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_delivery_goes_its_way, make, drop),
		cmocka_unit_test_setup_teardown(a_lost_connection_puts_it_back, make, drop),
		cmocka_unit_test_setup_teardown(failed_attempts_wait_and_end, make, drop),
		cmocka_unit_test_setup_teardown(what_nobody_had_is_withdrawn, make, drop),
		cmocka_unit_test_setup_teardown(contradictions_are_named, make, drop),
	};

	return cmocka_run_group_tests_name("audit_ledger", tests, NULL, NULL);
}
