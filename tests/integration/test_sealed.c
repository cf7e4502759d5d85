/* Sealed narratives through a real hub: sealed and opened by OpenSSL alone, a late joiner's key,
 * and that nothing of what was written is in the hub's memory or files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/seal_der.h"
#include "tests/integration/hub.h"
#include "tests/integration/peer.h"
#include "tests/integration/record.h"
#include "tests/unit/sealed.h"

static const char marker[] = "the-neighbour-in-302-called-us";
/* Sent beside it without a seal: where this is found, the other would be too. */
static const char clear_marker[] = "somebody-rang-about-the-noise";

static struct hub hub;

static void holder_read(struct sealed_holder *to, const char *name)
{
	char path[2 * HUB_PATH_BYTES];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/participants/%s.crt", hub.certificates, name);
	f = fopen(path, "r");
	assert_non_null(f);
	to->cert = PEM_read_X509(f, NULL, NULL, NULL);
	(void)fclose(f);
	(void)snprintf(path, sizeof path, "%s/participants/%s.key", hub.certificates, name);
	f = fopen(path, "r");
	assert_non_null(f);
	to->key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	(void)fclose(f);
	assert_non_null(to->cert);
	assert_non_null(to->key);
}

static int start(void **state)
{
	(void)state;
	hub_make(&hub, &(struct hub_options){ .drill = true });
	hub_start(&hub);
	return 0;
}

static int end(void **state)
{
	(void)state;
	record_audit(&hub);
	hub_remove(&hub);
	return 0;
}

/* ---- messages ---- */

/* A report whose reporter's name is sealed to n of them; *cms is to be freed. */
static void report(struct message *m, const struct sealed_holder *const *to, size_t n,
		   uint8_t **cms)
{
	size_t len;

	message_report(m, marker);
	*cms = sealed_to(to, n, marker, 0, &len);
	m->part.content_case = IEUM__V1__NARRATIVE_PART__CONTENT_SEALED;
	m->part.sealed = (ProtobufCBinaryData){ len, *cms };
	m->part.subject = IEUM__V1__NARRATIVE_SUBJECT__NARRATIVE_SUBJECT_REPORTER_IDENTITY;
	m->part.number = 1;
}

static void opens(const Ieum__V1__Referral *r, const struct sealed_holder *holder, int expected)
{
	assert_int_equal(r->n_narrative, 1);
	assert_int_equal(sealed_opens(r->narrative[0]->sealed.data, r->narrative[0]->sealed.len,
				      holder, marker),
			 expected);
}

static const Ieum__V1__Referral *read_back(struct peer *p, const uint8_t id[16])
{
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__ReferralQuery of = IEUM__V1__REFERRAL_QUERY__INIT;

	of.message_id = (ProtobufCBinaryData){ 16, (uint8_t *)id };
	q.what_case = IEUM__V1__QUERY__WHAT_REFERRAL;
	q.referral = &of;
	return peer_result(p, &q)->referral->referral;
}

static void uuid(uint8_t id[16])
{
	struct message m;

	message_report(&m, "x");
	memcpy(id, m.id, 16);
}

/* Answers a key_request as a holder's client would, with OpenSSL alone. */
static void wrap(struct peer *p, const Ieum__V1__Referral *request, const struct sealed_holder *own)
{
	const Ieum__V1__KeyRequest *asked = request->key_request;
	const Ieum__V1__Referral *m = read_back(p, asked->message_id.data);
	const struct seal_bytes before = { m->narrative[0]->sealed.data,
					   m->narrative[0]->sealed.len };
	const uint8_t *der = asked->certificates[0].data;
	struct sealed_holder newcomer = { d2i_X509(NULL, &der, (long)asked->certificates[0].len),
					  NULL };
	struct seal_bytes after, info[1];
	size_t n;

	assert_int_equal(asked->n_certificates, 1);
	after.data = sealed_again(before.data, before.len, own, &newcomer, &after.len);
	assert_int_equal(seal_new_recipients(&before, &after, info, 1, &n), IEUM_E_OK);
	assert_int_equal(n, 1);

	Ieum__V1__Referral r = IEUM__V1__REFERRAL__INIT;
	Ieum__V1__Envelope e = IEUM__V1__ENVELOPE__INIT;
	Ieum__V1__KeyWrap body = IEUM__V1__KEY_WRAP__INIT;
	Ieum__V1__WrappedKey key = IEUM__V1__WRAPPED_KEY__INIT, *keys[] = { &key };
	uint8_t id[16];
	uuid(id);
	e.message_id = (ProtobufCBinaryData){ 16, id };
	e.type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_KEY_WRAP;
	e.in_reply_to = request->envelope->message_id;
	r.envelope = &e;
	r.body_case = IEUM__V1__REFERRAL__BODY_KEY_WRAP;
	r.key_wrap = &body;
	body.message_id = asked->message_id;
	body.participant = asked->participant;
	body.keys = keys;
	body.n_keys = 1;
	key.part = asked->parts[0];
	key.recipient_info = (ProtobufCBinaryData){ info[0].len, (uint8_t *)info[0].data };
	(void)peer_receipt(p, peer_submit(p, &r));
	OPENSSL_free((uint8_t *)after.data);
	X509_free(newcomer.cert);
}

/* ---- where it must not be ---- */

static void say_openly(struct peer *p)
{
	struct message m;

	message_service_report(&m, "town-aid", NULL, clear_marker);
	(void)peer_receipt(p, peer_submit(p, &m.referral));
}

static size_t find_in(int memory, size_t from, size_t until, const char *text)
{
	size_t found = 0, room = 1 << 20, kept = 0, len = strlen(text);
	char *bytes = malloc(room + len);

	assert_non_null(bytes);
	while (from < until) {
		size_t want = until - from < room ? until - from : room;
		ssize_t n = pread(memory, bytes + kept, want, (off_t)from);
		if (n <= 0)
			break;
		found += memmem(bytes, kept + (size_t)n, text, len) != NULL;
		from += (size_t)n;
		/* It may lie across two pieces. */
		size_t end = kept + (size_t)n;
		kept = end < len ? end : len;
		memmove(bytes, bytes + end - kept, kept);
	}
	free(bytes);
	return found;
}

#define REGION_BYTES_MAX ((size_t)1 << 36)

/* In how many regions of the hub's memory it is. */
static size_t find_in_memory(const char *text)
{
	char path[64], line[512];
	size_t regions = 0, found = 0;

	(void)snprintf(path, sizeof path, "/proc/%d/maps", (int)hub.pid);
	FILE *maps = fopen(path, "r");
	assert_non_null(maps);
	(void)snprintf(path, sizeof path, "/proc/%d/mem", (int)hub.pid);
	int memory = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(memory >= 0);
	while (fgets(line, sizeof line, maps)) {
		char *at;
		size_t from = strtoul(line, &at, 16);
		size_t until = strtoul(at + 1, &at, 16);
		/* A sanitizer's shadow is terabytes, none of them the program's own bytes. */
		if (strncmp(at, " rw", 3) != 0 || until - from > REGION_BYTES_MAX)
			continue;
		regions++;
		found += find_in(memory, from, until, text) > 0;
	}
	assert_true(regions > 3);
	(void)fclose(maps);
	(void)close(memory);
	return found;
}

static bool is_on_disk(const char *text)
{
	int code = hub_run(&hub, "grep -rq %s %s", text, hub.folder);

	assert_true(code == 0 || code == 1);
	return code == 0;
}

static void is_nowhere(void)
{
	assert_true(find_in_memory(clear_marker) > 0);
	assert_true(is_on_disk(clear_marker));
	assert_int_equal(find_in_memory(marker), 0);
	assert_false(is_on_disk(marker));
}

/* ---- tests ---- */

static void it_is_sealed_to_whom_reach_tells(void **state)
{
	struct sealed_holder ps, aid;
	const struct sealed_holder *const both[] = { &ps, &aid };
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__ReachQuery of = IEUM__V1__REACH_QUERY__INIT;
	struct message m;
	uint8_t *cms;
	size_t len;

	(void)state;
	holder_read(&ps, "town-ps");
	holder_read(&aid, "town-aid");
	struct peer *police = peer_connect(&hub, "town-ps");
	struct peer *centre = peer_connect(&hub, "town-aid");
	peer_credit(centre, 10);

	message_report(&m, "");
	m.part.content_case = IEUM__V1__NARRATIVE_PART__CONTENT__NOT_SET;
	m.part.subject = IEUM__V1__NARRATIVE_SUBJECT__NARRATIVE_SUBJECT_REPORTER_IDENTITY;
	m.referral.narrative = m.parts;
	m.parts[0] = &m.part;
	m.referral.n_narrative = 1;
	m.part.media_type = (char *)"text/plain";
	of.referral = &m.referral;
	q.what_case = IEUM__V1__QUERY__WHAT_REACH;
	q.reach = &of;
	const Ieum__V1__ReachResult *reach = peer_result(police, &q)->reach;
	assert_int_equal(reach->n_readers, 2);
	assert_string_equal(reach->readers[0]->participant, "town-ps");
	assert_string_equal(reach->readers[1]->participant, "town-aid");
	uint8_t *der = sealed_holder_certificate(&aid, &len);
	assert_int_equal(reach->readers[1]->n_certificates, 1);
	assert_int_equal(reach->readers[1]->certificates[0].len, len);
	assert_memory_equal(reach->readers[1]->certificates[0].data, der, len);
	OPENSSL_free(der);

	report(&m, both, 1, &cms);
	const Ieum__V1__Error *error =
		peer_refused(police, peer_submit(police, &m.referral), IEUM_E_SEALED_OTHERWISE);
	assert_non_null(strstr(error->detail, "'town-aid' would read it"));
	OPENSSL_free(cms);

	report(&m, both, 2, &cms);
	(void)peer_receipt(police, peer_submit(police, &m.referral));
	say_openly(police);
	const Ieum__V1__Delivery *d = peer_delivery(centre);
	opens(d->referral, &aid, 1);
	peer_settle(centre, d->delivery_id);
	OPENSSL_free(cms);
	is_nowhere();
	peer_close(police);
	peer_close(centre);
	sealed_holder_release(&ps);
	sealed_holder_release(&aid);
}

static void a_late_joiner_opens_it_with_a_key_that_was_wrapped(void **state)
{
	struct sealed_holder ps, aid, head;
	const struct sealed_holder *const both[] = { &ps, &aid };
	const Ieum__V1__Delivery *d;
	struct message m;
	uint8_t *cms;

	(void)state;
	holder_read(&ps, "town-ps");
	holder_read(&aid, "town-aid");
	holder_read(&head, "town-head");
	struct peer *police = peer_connect(&hub, "town-ps");
	struct peer *centre = peer_connect(&hub, "town-aid");
	struct peer *operator= peer_connect(&hub, "town-op");
	report(&m, both, 2, &cms);
	(void)peer_receipt(police, peer_submit(police, &m.referral));
	say_openly(police);
	OPENSSL_free(cms);

	/* Silence: the head of the centre is asked, whom the hub has never seen. */
	peer_advance(operator, 11 * 60 * 1000);
	struct peer *hall = peer_connect(&hub, "town-head");
	opens(read_back(hall, m.id), &head, 0);
	peer_credit(centre, 10);
	for (;;) {
		d = peer_delivery(centre);
		peer_settle(centre, d->delivery_id);
		if (d->referral->envelope->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_KEY_REQUEST)
			break;
	}
	assert_string_equal(d->referral->key_request->participant, "town-head");
	wrap(centre, d->referral, &aid);

	opens(read_back(hall, m.id), &head, 1);
	opens(read_back(hall, m.id), &aid, 1);
	peer_credit(hall, 10);
	d = peer_delivery(hall);
	opens(d->referral, &head, 1);
	peer_settle(hall, d->delivery_id);
	d = peer_delivery(hall);
	assert_int_equal(d->referral->envelope->type,
			 IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_KEY_WRAP);
	assert_memory_equal(d->referral->key_wrap->message_id.data, m.id, 16);
	peer_settle(hall, d->delivery_id);
	/* For others nothing has changed. */
	opens(read_back(police, m.id), &ps, 1);
	opens(read_back(police, m.id), &head, 0);
	is_nowhere();

	/* A hub that is started again still knows the key. */
	peer_close(police);
	peer_close(centre);
	peer_close(operator);
	peer_close(hall);
	hub_kill(&hub);
	hub_start(&hub);
	hall = peer_connect(&hub, "town-head");
	opens(read_back(hall, m.id), &head, 1);
	peer_close(hall);
	sealed_holder_release(&ps);
	sealed_holder_release(&aid);
	sealed_holder_release(&head);
}

/* Nobody answers: the operator's log says so, and who comes back is asked again. */
static void where_nobody_wraps_the_log_says_so(void **state)
{
	struct sealed_holder ps, aid;
	const struct sealed_holder *const both[] = { &ps, &aid };
	const Ieum__V1__Delivery *d;
	struct message m;
	uint8_t *cms;

	(void)state;
	holder_read(&ps, "town-ps");
	holder_read(&aid, "town-aid");
	struct peer *police = peer_connect(&hub, "town-ps");
	struct peer *centre = peer_connect(&hub, "town-aid");
	struct peer *hall = peer_connect(&hub, "town-head");
	struct peer *operator= peer_connect(&hub, "town-op");
	report(&m, both, 2, &cms);
	(void)peer_receipt(police, peer_submit(police, &m.referral));
	OPENSSL_free(cms);
	peer_advance(operator, 11 * 60 * 1000);
	assert_false(hub_logged(&hub, "nobody wraps"));
	peer_advance(operator, 31 * 60 * 1000); /* the centre, then the police: 15 minutes each */
	(void)hub_await_log(&hub, "nobody wraps the keys of a sealed message");
	peer_close(centre);
	centre = peer_connect(&hub, "town-aid");
	peer_credit(centre, 10);
	/* The one that it never read was withdrawn for the new one. */
	for (int requests = 0; requests < 1;) {
		d = peer_delivery(centre);
		peer_settle(centre, d->delivery_id);
		requests += d->referral->envelope->type ==
			    IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_KEY_REQUEST;
	}
	peer_close(police);
	peer_close(centre);
	peer_close(hall);
	peer_close(operator);
	sealed_holder_release(&ps);
	sealed_holder_release(&aid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_is_sealed_to_whom_reach_tells, start, end),
		cmocka_unit_test_setup_teardown(a_late_joiner_opens_it_with_a_key_that_was_wrapped,
						start, end),
		cmocka_unit_test_setup_teardown(where_nobody_wraps_the_log_says_so, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
