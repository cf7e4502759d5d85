/* libieum: what is sealed on its way to the hub, sealed again when the hub says so, and a newcomer's
 * key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "certs/store.h"
#include "client/seal.h"
#include "proto/uuid7.h"
#include "tests/unit/libieum_world.h"

static const char marker[] = "the reporter lives next door";
static const char good[] = "what happened";

/* ---- certificates beside the world's ---- */

static void issue(const char *name, const char *uri)
{
	const int64_t now_s = (int64_t)time(NULL);
	struct wish wish = { .cn = "PC-1",
			     .san = uri,
			     .usage = "clientAuth",
			     .not_before_s = now_s - 60,
			     .not_after_s = now_s + 3600 };
	char path[64], why[CERTS_WHY_BYTES];
	enum stored what;

	snprintf(path, sizeof path, "participants/%s", name);
	if (store_issue(world_store(), world_store(), path, &wish, &what, why))
		fail_msg("%s", why);
}

static int make(void **state)
{
	if (world_certs_make(state))
		return -1;
	issue("gimpo-apo", "URI:spiffe://gimpo.ieum/city/gimpo-apo");
	issue("gimpo-aid", "URI:spiffe://gimpo.ieum/counselling_centre/gimpo-aid");
	return 0;
}

static struct ieum_keyring *keys_of(const char *name)
{
	char cert[64], key[64], why[IEUM_WHY_BYTES];
	struct ieum_keyring *k;

	snprintf(cert, sizeof cert, "participants/%s.crt", name);
	snprintf(key, sizeof key, "participants/%s.key", name);
	const struct ieum_options options = { .cert = world_path(cert),
					      .key = world_path(key),
					      .ca = world_path("ca.crt") };
	if (ieum_keyring_new(&options, &k, why))
		fail_msg("%s", why);
	return k;
}

/* What a participant finds in the sealed part of a message of gimpo-ps. */
static enum ieum_err found_by(const char *name, const Ieum__V1__Referral *m)
{
	struct ieum_keyring *k = keys_of(name);
	struct ieum_opened *opened;
	enum ieum_err err;

	assert_int_equal(ieum_open(k, m, "gimpo-ps", 0, &opened), IEUM_E_OK);
	assert_int_equal(opened->n, 2);
	assert_false(opened->parts[0].sealed);
	assert_true(opened->parts[1].sealed);
	err = opened->parts[1].err;
	if (!err) {
		assert_int_equal(opened->parts[1].len, strlen(marker));
		assert_memory_equal(opened->parts[1].content, marker, strlen(marker));
		assert_string_equal(opened->parts[1].signer, "gimpo-ps");
		assert_string_equal(opened->parts[1].actor, "gimpo-ps-1");
	}
	ieum_opened_free(opened);
	ieum_keyring_free(k);
	return err;
}

/* ---- the hub of these tests ---- */

/* Whom the policy of the moment chooses, by a turn; what came. */
static struct {
	const char *readers[8][2]; /* of the n-th question; then as the last */
	unsigned questions;
	unsigned refuse; /* so many submits as sealed otherwise */
	bool known;      /* the hub has a message with that id */
	bool cut_question, cut_submit;
	const char *wrong_certificate; /* of the first reader */
	Ieum__V1__Referral *got[16];   /* submits */
	unsigned n_got;
	unsigned given;  /* which of them a question for a message gets */
	unsigned spoken; /* which of them that is said to be */
} policy;

static bool holds(const Ieum__V1__Referral *m, const char *text)
{
	size_t len = ieum__v1__referral__get_packed_size(m);
	uint8_t *bytes = malloc(len);
	bool found;

	assert_non_null(bytes);
	ieum__v1__referral__pack(m, bytes);
	found = memmem(bytes, len, text, strlen(text)) != NULL;
	free(bytes);
	return found;
}

static void on_submit(struct hub *hub, uint64_t request_id, const uint8_t *message_id)
{
	const Ieum__V1__Referral *m = hub->frame->submit->referral;
	size_t len = ieum__v1__referral__get_packed_size(m);
	uint8_t *bytes = malloc(len);

	assert_non_null(bytes);
	ieum__v1__referral__pack(m, bytes);
	policy.got[policy.n_got++] = ieum__v1__referral__unpack(NULL, len, bytes);
	free(bytes);
	if (policy.cut_submit) {
		policy.cut_submit = false;
		hub_cut(hub);
	} else if (policy.known) {
		hub_error(hub, request_id, IEUM_E_ID_REUSED, "envelope.message_id", 0);
	} else if (policy.refuse > 0) {
		policy.refuse--;
		hub_error(hub, request_id, IEUM_E_SEALED_OTHERWISE, "part 1, gimpo-aid", 0);
	} else {
		hub_receipt(hub, request_id, message_id);
	}
}

static void add_reader(Ieum__V1__ReachReader *reader, ProtobufCBinaryData *der, uint32_t *part,
		       const char *participant, const char *certificate)
{
	struct ieum_keyring *k = keys_of(certificate);

	ieum__v1__reach_reader__init(reader);
	reader->participant = (char *)participant;
	der->len = (size_t)i2d_X509(keyring_certificate(k, 0), &der->data);
	reader->certificates = der;
	reader->n_certificates = 1;
	*part = 1;
	reader->parts = part;
	reader->n_parts = 1;
	ieum_keyring_free(k);
}

static void answer_reach(struct hub *hub, uint64_t request_id)
{
	Ieum__V1__Frame answer = IEUM__V1__FRAME__INIT;
	Ieum__V1__Result result = IEUM__V1__RESULT__INIT;
	Ieum__V1__ReachResult reach = IEUM__V1__REACH_RESULT__INIT;
	Ieum__V1__ReachReader readers[2], *list[2] = { &readers[0], &readers[1] };
	ProtobufCBinaryData der[2] = { 0 };
	uint32_t parts[2];
	unsigned turn = policy.questions++;

	if (policy.cut_question) {
		policy.cut_question = false;
		hub_cut(hub);
		return;
	}
	while (turn > 0 && !policy.readers[turn][0])
		turn--;
	for (size_t i = 0; i < 2 && policy.readers[turn][i]; i++) {
		const char *name = policy.readers[turn][i];

		add_reader(&readers[i], &der[i], &parts[i], name,
			   policy.wrong_certificate ? policy.wrong_certificate : name);
		reach.n_readers = i + 1;
	}
	reach.readers = list;
	result.what_case = IEUM__V1__RESULT__WHAT_REACH;
	result.reach = &reach;
	answer.request_id = request_id;
	answer.what_case = IEUM__V1__FRAME__WHAT_RESULT;
	answer.result = &result;
	hub_send(hub, &answer);
	for (size_t i = 0; i < reach.n_readers; i++)
		OPENSSL_free(der[i].data);
}

static void answer_referral(struct hub *hub, uint64_t request_id)
{
	Ieum__V1__Frame answer = IEUM__V1__FRAME__INIT;
	Ieum__V1__Result result = IEUM__V1__RESULT__INIT;
	Ieum__V1__ReferralResult referral = IEUM__V1__REFERRAL_RESULT__INIT;

	referral.message_id = policy.got[policy.spoken]->envelope->message_id;
	referral.referral = policy.got[policy.given];
	referral.sender = (char *)"gimpo-ps";
	result.what_case = IEUM__V1__RESULT__WHAT_REFERRAL;
	result.referral = &referral;
	answer.request_id = request_id;
	answer.what_case = IEUM__V1__FRAME__WHAT_RESULT;
	answer.result = &result;
	hub_send(hub, &answer);
}

static void on_query(struct hub *hub, uint64_t request_id)
{
	const Ieum__V1__Query *query = hub->frame->query;

	if (query->what_case == IEUM__V1__QUERY__WHAT_REFERRAL) {
		answer_referral(hub, request_id);
		return;
	}
	assert_int_equal(query->what_case, IEUM__V1__QUERY__WHAT_REACH);
	/* Nothing of the narrative is needed to ask. */
	assert_false(holds(query->reach->referral, marker));
	assert_false(holds(query->reach->referral, good));
	answer_reach(hub, request_id);
}

static void open_two(struct two *w)
{
	memset(&policy, 0, sizeof policy);
	policy.readers[0][0] = "gimpo-apo";
	two_open(w);
	w->hub.on_submit = on_submit;
	w->hub.on_query = on_query;
}

static void close_two(struct two *w)
{
	for (unsigned i = 0; i < policy.n_got; i++)
		ieum__v1__referral__free_unpacked(policy.got[i], NULL);
	two_close(w);
}

/* A report with a clear part and one with the reporter's identity; its id. */
static const uint8_t *submit(struct two *w, enum ieum_seal what)
{
	static uint8_t id[16];
	Ieum__V1__Referral *m = samples_report(&w->samples, 50);
	Ieum__V1__NarrativePart part = *m->narrative[0], happened = part;
	Ieum__V1__NarrativePart *parts[] = { &happened, &part };
	char why[IEUM_WHY_BYTES];

	happened.clear = (ProtobufCBinaryData){ strlen(good), (uint8_t *)good };
	part.clear = (ProtobufCBinaryData){ strlen(marker), (uint8_t *)marker };
	part.subject = IEUM__V1__NARRATIVE_SUBJECT__NARRATIVE_SUBJECT_REPORTER_IDENTITY;
	m->envelope->message_id.len = 0;
	m->narrative = parts;
	m->n_narrative = 2;
	if (ieum_submit_sealed(w->client.c, m, what, two_on_submitted, &w->client, id, why))
		fail_msg("%s", why);
	return id;
}

/* ---- submitting ---- */

/* What is sealed names the id that it was sealed under. */
static void a_sealed_message_of_a_wrong_clock_is_sealed_again_under_another_id(void **state)
{
	const int64_t days_40_ms = INT64_C(40) * 86400 * 1000;
	struct two w;
	const char *address;

	(void)state;
	memset(&policy, 0, sizeof policy);
	policy.readers[0][0] = "gimpo-apo";
	two_hub_only(&w);
	w.hub.on_submit = on_submit;
	w.hub.on_query = on_query;
	w.hub.id_window_ms = days_40_ms / 2;
	w.hub.hub_time_at_ms = (int64_t)time(NULL) * 1000 + days_40_ms;
	struct ieum_options options = two_options(&w, &address);
	two_connect(&w, &options);
	const uint8_t *id = submit(&w, IEUM_SEAL_NEEDED);
	UNTIL(w.client.receipts == 1);
	assert_memory_not_equal(w.hub.ids[0], id, 16);
	assert_true((int64_t)uuid7_ms(w.hub.ids[0]) >= w.hub.hub_time_at_ms);
	assert_int_equal(found_by("gimpo-apo", policy.got[0]), IEUM_E_OK);
	assert_int_equal(found_by("gimpo-ps", policy.got[0]), IEUM_E_OK);
	close_two(&w);
}

static void a_sealed_part_goes_to_those_whom_the_message_reaches(void **state)
{
	struct two w;

	(void)state;
	open_two(&w);
	const uint8_t *id = submit(&w, IEUM_SEAL_NEEDED);
	UNTIL(w.client.receipts == 1);
	assert_int_equal(policy.questions, 1);
	assert_int_equal(policy.n_got, 1);
	assert_memory_equal(policy.got[0]->envelope->message_id.data, id, 16);
	assert_false(holds(policy.got[0], marker));
	assert_true(holds(policy.got[0], good));
	assert_int_equal(found_by("gimpo-apo", policy.got[0]), IEUM_E_OK);
	assert_int_equal(found_by("gimpo-ps", policy.got[0]), IEUM_E_OK); /* its own */
	assert_int_equal(found_by("gimpo-aid", policy.got[0]), IEUM_E_KEY_MISSING);
	close_two(&w);
}

static void everything_is_sealed_when_asked(void **state)
{
	struct two w;

	(void)state;
	open_two(&w);
	submit(&w, IEUM_SEAL_ALL);
	UNTIL(w.client.receipts == 1);
	assert_false(holds(policy.got[0], marker));
	assert_false(holds(policy.got[0], good));
	close_two(&w);
}

static void what_needs_no_seal_asks_nothing(void **state)
{
	struct two w;
	char why[IEUM_WHY_BYTES];

	(void)state;
	open_two(&w);
	Ieum__V1__Referral *m = samples_report(&w.samples, 50);
	m->envelope->message_id.len = 0;
	assert_int_equal(ieum_submit_sealed(w.client.c, m, IEUM_SEAL_NEEDED, two_on_submitted,
					    &w.client, NULL, why),
			 IEUM_E_OK);
	UNTIL(w.client.receipts == 1);
	assert_int_equal(policy.questions, 0);
	close_two(&w);
}

static void when_the_policy_changed_it_is_sealed_again(void **state)
{
	struct two w;

	(void)state;
	open_two(&w);
	policy.readers[1][0] = "gimpo-aid";
	policy.readers[1][1] = "gimpo-apo";
	policy.refuse = 1;
	const uint8_t *id = submit(&w, IEUM_SEAL_NEEDED);
	UNTIL(w.client.receipts == 1);
	assert_int_equal(w.client.failures, 0);
	assert_int_equal(policy.questions, 2);
	assert_int_equal(policy.n_got, 2);
	assert_memory_equal(policy.got[1]->envelope->message_id.data, id, 16);
	assert_int_equal(found_by("gimpo-aid", policy.got[0]), IEUM_E_KEY_MISSING);
	assert_int_equal(found_by("gimpo-aid", policy.got[1]), IEUM_E_OK);
	assert_int_equal(found_by("gimpo-apo", policy.got[1]), IEUM_E_OK);
	close_two(&w);
}

static void it_is_sealed_again_three_times_and_no_more(void **state)
{
	struct two w;

	(void)state;
	open_two(&w);
	policy.refuse = 3;
	submit(&w, IEUM_SEAL_NEEDED);
	UNTIL(w.client.receipts == 1);
	assert_int_equal(policy.n_got, 4);
	policy.refuse = 100;
	submit(&w, IEUM_SEAL_NEEDED);
	UNTIL(w.client.failures == 1);
	assert_int_equal(policy.n_got, 8);
	assert_int_equal(w.client.failure, IEUM_E_SEALED_OTHERWISE);
	assert_string_equal(w.client.detail, "part 1, gimpo-aid");
	close_two(&w);
}

static void a_lost_question_is_asked_again(void **state)
{
	struct two w;

	(void)state;
	open_two(&w);
	policy.cut_question = true;
	submit(&w, IEUM_SEAL_NEEDED);
	UNTIL(w.client.receipts == 1);
	assert_int_equal(policy.questions, 2);
	assert_int_equal(policy.n_got, 1);
	assert_int_equal(found_by("gimpo-apo", policy.got[0]), IEUM_E_OK);
	close_two(&w);
}

/* The hub that has it would take other bytes for another message. */
static void what_was_on_the_wire_goes_again_as_it_was(void **state)
{
	struct two w;

	(void)state;
	open_two(&w);
	policy.cut_submit = true;
	submit(&w, IEUM_SEAL_NEEDED);
	UNTIL(w.client.receipts == 1);
	assert_int_equal(policy.questions, 1);
	assert_int_equal(policy.n_got, 2);
	assert_int_equal(policy.got[0]->narrative[1]->sealed.len,
			 policy.got[1]->narrative[1]->sealed.len);
	assert_memory_equal(policy.got[0]->narrative[1]->sealed.data,
			    policy.got[1]->narrative[1]->sealed.data,
			    policy.got[1]->narrative[1]->sealed.len);
	close_two(&w);
}

/* After a time-out, by another process: other bytes under the same id. */
static void sealed_anew_under_an_id_that_the_hub_has_it_says_what_to_do(void **state)
{
	struct two w;

	(void)state;
	open_two(&w);
	policy.known = true;
	submit(&w, IEUM_SEAL_NEEDED);
	UNTIL(w.client.failures == 1);
	assert_int_equal(w.client.failure, IEUM_E_ID_REUSED);
	assert_non_null(strstr(w.client.detail, "ieum referral show"));
	close_two(&w);
}

static void a_reader_with_somebody_else_s_certificate_gets_nothing(void **state)
{
	struct two w;

	(void)state;
	open_two(&w);
	policy.wrong_certificate = "gimpo-aid";
	submit(&w, IEUM_SEAL_NEEDED);
	UNTIL(w.client.failures == 1);
	assert_int_equal(w.client.failure, IEUM_E_NOT_SEALED);
	assert_non_null(strstr(w.client.detail, "gimpo-apo"));
	assert_non_null(strstr(w.client.detail, "gimpo-aid"));
	assert_int_equal(policy.n_got, 0);
	close_two(&w);
}

/* ---- a newcomer ---- */

struct asking {
	Ieum__V1__Referral m;
	Ieum__V1__Envelope e;
	Ieum__V1__KeyRequest request;
	ProtobufCBinaryData der;
	uint32_t part;
	uint8_t id[16];
};

/* The hub asks us for the key of the first message that it got. */
static void ask(struct asking *a, const char *participant, const char *certificate)
{
	struct ieum_keyring *k = keys_of(certificate);

	*a = (struct asking){ .part = 1, .id = "the request's id" };
	ieum__v1__referral__init(&a->m);
	ieum__v1__envelope__init(&a->e);
	ieum__v1__key_request__init(&a->request);
	a->der.len = (size_t)i2d_X509(keyring_certificate(k, 0), &a->der.data);
	ieum_keyring_free(k);
	a->e.message_id = (ProtobufCBinaryData){ 16, a->id };
	a->request.message_id = policy.got[0]->envelope->message_id;
	a->request.participant = (char *)participant;
	a->request.parts = &a->part;
	a->request.n_parts = 1;
	a->request.certificates = &a->der;
	a->request.n_certificates = 1;
	a->m.envelope = &a->e;
	a->m.body_case = IEUM__V1__REFERRAL__BODY_KEY_REQUEST;
	a->m.key_request = &a->request;
}

static void a_holder_wraps_the_key_for_a_newcomer(void **state)
{
	struct two w;
	struct asking a;
	char why[IEUM_WHY_BYTES];
	struct buf cms;

	(void)state;
	open_two(&w);
	submit(&w, IEUM_SEAL_NEEDED);
	UNTIL(w.client.receipts == 1);
	ask(&a, "gimpo-aid", "gimpo-aid");
	assert_int_equal(ieum_key_wrap(w.client.c, &a.m, two_on_submitted, &w.client, why),
			 IEUM_E_OK);
	UNTIL(w.client.receipts == 2);
	const Ieum__V1__Referral *m = policy.got[1];
	assert_int_equal(m->body_case, IEUM__V1__REFERRAL__BODY_KEY_WRAP);
	assert_memory_equal(m->envelope->in_reply_to.data, a.id, 16);
	assert_string_equal(m->key_wrap->participant, "gimpo-aid");
	assert_int_equal(m->key_wrap->n_keys, 1);
	assert_int_equal(m->key_wrap->keys[0]->part, 1);
	/* As the hub puts it there. */
	ProtobufCBinaryData *sealed = &policy.got[0]->narrative[1]->sealed;
	const struct seal_bytes info = { m->key_wrap->keys[0]->recipient_info.data,
					 m->key_wrap->keys[0]->recipient_info.len };
	buf_init(&cms, 64 * 1024);
	assert_int_equal(seal_splice(sealed->data, sealed->len, &info, 1, &cms), IEUM_E_OK);
	assert_int_equal(found_by("gimpo-aid", policy.got[0]), IEUM_E_KEY_MISSING);
	free(sealed->data);
	sealed->len = buf_len(&cms);
	sealed->data = malloc(sealed->len);
	assert_non_null(sealed->data);
	memcpy(sealed->data, buf_bytes(&cms), sealed->len);
	assert_int_equal(found_by("gimpo-aid", policy.got[0]), IEUM_E_OK);
	buf_release(&cms);
	OPENSSL_free(a.der.data);
	close_two(&w);
}

static void what_cannot_be_wrapped_is_rejected(void **state)
{
	struct two w;
	struct asking a;
	char why[IEUM_WHY_BYTES];

	(void)state;
	open_two(&w);
	submit(&w, IEUM_SEAL_NEEDED);
	UNTIL(w.client.receipts == 1);
	ask(&a, "gimpo-aid", "gimpo-apo"); /* a certificate of another */
	assert_int_equal(ieum_key_wrap(w.client.c, &a.m, two_on_submitted, &w.client, why),
			 IEUM_E_OK);
	UNTIL(w.client.failures == 1);
	assert_int_equal(w.client.failure, IEUM_E_NOT_SEALED);
	assert_int_equal(policy.got[1]->body_case, IEUM__V1__REFERRAL__BODY_ANSWER);
	assert_int_equal(policy.got[1]->answer->kind, IEUM__V1__ANSWER_KIND__ANSWER_KIND_REJECT);
	assert_memory_equal(policy.got[1]->envelope->in_reply_to.data, a.id, 16);
	a.part = 2; /* there is none */
	assert_int_equal(ieum_key_wrap(w.client.c, &a.m, two_on_submitted, &w.client, why),
			 IEUM_E_OK);
	UNTIL(w.client.failures == 2);
	assert_int_equal(policy.got[2]->answer->kind, IEUM__V1__ANSWER_KIND__ANSWER_KIND_REJECT);
	a.m.body_case = IEUM__V1__REFERRAL__BODY__NOT_SET;
	assert_int_equal(ieum_key_wrap(w.client.c, &a.m, two_on_submitted, &w.client, why),
			 IEUM_E_FIELD_INVALID);
	OPENSSL_free(a.der.data);
	close_two(&w);
}

/* Two messages, and the hub asks us for a key of the second. */
static void ask_of_two(struct two *w, struct asking *a)
{
	open_two(w);
	submit(w, IEUM_SEAL_NEEDED);
	submit(w, IEUM_SEAL_NEEDED);
	world_until(&w->hub.w, w->client.receipts == 2);
	ask(a, "gimpo-aid", "gimpo-aid");
	a->request.message_id = policy.got[1]->envelope->message_id;
	policy.spoken = policy.given = 1;
}

static void must_reject(struct two *two, struct asking *a)
{
	struct two *w = two;
	char why[IEUM_WHY_BYTES];
	unsigned failures = w->client.failures;

	assert_int_equal(ieum_key_wrap(w->client.c, &a->m, two_on_submitted, &w->client, why),
			 IEUM_E_OK);
	world_until(&w->hub.w, w->client.failures > failures);
	assert_int_equal(w->client.failure, IEUM_E_NOT_SEALED);
	const Ieum__V1__Referral *last = policy.got[policy.n_got - 1];
	assert_int_equal(last->body_case, IEUM__V1__REFERRAL__BODY_ANSWER);
	assert_int_equal(last->answer->kind, IEUM__V1__ANSWER_KIND__ANSWER_KIND_REJECT);
}

/* A hub, or somebody who put a stranger's ciphertext into a message of his own, would have us open
 * what the newcomer may not read. */
static void what_belongs_to_another_message_is_not_wrapped(void **state)
{
	struct two w;
	struct asking a;
	char why[IEUM_WHY_BYTES];

	(void)state;
	ask_of_two(&w, &a);
	policy.given = 0;
	must_reject(&w, &a);
	policy.spoken = 0;
	must_reject(&w, &a);
	policy.spoken = policy.given = 1;
	ProtobufCBinaryData *one = &policy.got[0]->narrative[1]->sealed,
			    *two = &policy.got[1]->narrative[1]->sealed, swap = *one;
	*one = *two;
	*two = swap;
	must_reject(&w, &a);
	*two = *one;
	*one = swap;
	assert_int_equal(ieum_key_wrap(w.client.c, &a.m, two_on_submitted, &w.client, why),
			 IEUM_E_OK);
	UNTIL(w.client.receipts == 3);
	assert_int_equal(policy.got[policy.n_got - 1]->body_case,
			 IEUM__V1__REFERRAL__BODY_KEY_WRAP);
	OPENSSL_free(a.der.data);
	close_two(&w);
}

/* ---- a key that has come ---- */

struct checked {
	unsigned n;
	enum ieum_err err;
	bool receipt;
};

static void on_checked(struct ieum *c, const uint8_t *message_id, const Ieum__V1__Receipt *receipt,
		       const struct ieum_failure *failure, void *arg)
{
	struct checked *got = arg;

	(void)c, (void)message_id;
	got->n++;
	got->err = failure ? failure->code : IEUM_E_OK;
	got->receipt = receipt != NULL;
}

static void a_key_that_opens_nothing_is_rejected(void **state)
{
	struct two w;
	char why[IEUM_WHY_BYTES];
	struct checked got = { 0 };
	uint8_t id[16] = "the wrap's own i";

	(void)state;
	open_two(&w);
	submit(&w, IEUM_SEAL_NEEDED);
	UNTIL(w.client.receipts == 1);
	Ieum__V1__Referral m = IEUM__V1__REFERRAL__INIT;
	Ieum__V1__Envelope e = IEUM__V1__ENVELOPE__INIT;
	Ieum__V1__KeyWrap wrap = IEUM__V1__KEY_WRAP__INIT;
	Ieum__V1__WrappedKey key = IEUM__V1__WRAPPED_KEY__INIT, *keys = &key;
	ProtobufCBinaryData *sealed = &policy.got[0]->narrative[1]->sealed;

	e.message_id = (ProtobufCBinaryData){ 16, id };
	key.part = 1;
	wrap.message_id = policy.got[0]->envelope->message_id;
	wrap.keys = &keys;
	wrap.n_keys = 1;
	m.envelope = &e;
	assert_int_equal(ieum_key_check(w.client.c, &m, on_checked, &got, why),
			 IEUM_E_FIELD_INVALID);
	m.body_case = IEUM__V1__REFERRAL__BODY_KEY_WRAP;
	m.key_wrap = &wrap;
	assert_int_equal(ieum_key_check(w.client.c, &m, on_checked, &got, why), IEUM_E_OK);
	UNTIL(got.n == 1);
	assert_int_equal(got.err, IEUM_E_OK);
	assert_false(got.receipt);
	assert_int_equal(policy.n_got, 1);
	sealed->data[sealed->len - 1] ^= 1; /* of the tag: no key opens it */
	assert_int_equal(ieum_key_check(w.client.c, &m, on_checked, &got, why), IEUM_E_OK);
	UNTIL(got.n == 2);
	assert_int_equal(got.err, IEUM_E_NOT_SEALED);
	assert_int_equal(policy.n_got, 2);
	assert_int_equal(policy.got[1]->body_case, IEUM__V1__REFERRAL__BODY_ANSWER);
	assert_int_equal(policy.got[1]->answer->kind, IEUM__V1__ANSWER_KIND__ANSWER_KIND_REJECT);
	assert_memory_equal(policy.got[1]->envelope->in_reply_to.data, id, 16);
	close_two(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sealed_part_goes_to_those_whom_the_message_reaches),
		cmocka_unit_test(
			a_sealed_message_of_a_wrong_clock_is_sealed_again_under_another_id),
		cmocka_unit_test(everything_is_sealed_when_asked),
		cmocka_unit_test(what_needs_no_seal_asks_nothing),
		cmocka_unit_test(when_the_policy_changed_it_is_sealed_again),
		cmocka_unit_test(it_is_sealed_again_three_times_and_no_more),
		cmocka_unit_test(a_lost_question_is_asked_again),
		cmocka_unit_test(what_was_on_the_wire_goes_again_as_it_was),
		cmocka_unit_test(sealed_anew_under_an_id_that_the_hub_has_it_says_what_to_do),
		cmocka_unit_test(a_reader_with_somebody_else_s_certificate_gets_nothing),
		cmocka_unit_test(a_holder_wraps_the_key_for_a_newcomer),
		cmocka_unit_test(what_cannot_be_wrapped_is_rejected),
		cmocka_unit_test(what_belongs_to_another_message_is_not_wrapped),
		cmocka_unit_test(a_key_that_opens_nothing_is_rejected),
	};

	return cmocka_run_group_tests_name("libieum seal", tests, make, world_certs_remove);
}
