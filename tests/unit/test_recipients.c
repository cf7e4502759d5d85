/* broker/recipients: whom the parts of a message are sealed to, all together bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/recipients.h"
#include "tests/unit/sealed.h"

enum { PARTS = 3 };

struct world {
	struct sealed_holder holder;
	struct arena arena;
	Ieum__V1__Referral r;
	Ieum__V1__NarrativePart parts[PARTS], *list[PARTS];
	struct core_submit s;
};

static int start(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof w);
	sealed_holder_make(&w.holder, "gimpo-ps", 0);
	arena_init(&w.arena, 1 << 20);
	ieum__v1__referral__init(&w.r);
	w.r.narrative = w.list;
	*state = &w;
	return 0;
}

static int stop(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < w->r.n_narrative; i++)
		if (w->parts[i].content_case == IEUM__V1__NARRATIVE_PART__CONTENT_SEALED)
			OPENSSL_free(w->parts[i].sealed.data);
	sealed_holder_release(&w->holder);
	arena_release(&w->arena);
	return 0;
}

/* One more part, sealed to so many certificates; 0: a clear one. */
static void add(struct world *w, size_t n)
{
	static const struct sealed_holder *many[SEAL_RECIPIENTS_MAX];
	Ieum__V1__NarrativePart *part = &w->parts[w->r.n_narrative];

	ieum__v1__narrative_part__init(part);
	part->content_case = IEUM__V1__NARRATIVE_PART__CONTENT_CLEAR;
	for (size_t i = 0; i < n; i++)
		many[i] = &w->holder;
	if (n) {
		part->content_case = IEUM__V1__NARRATIVE_PART__CONTENT_SEALED;
		part->sealed.data = sealed_to(many, n, "x", 0, &part->sealed.len);
	}
	w->list[w->r.n_narrative++] = part;
}

static void clear_parts_cost_nothing(void **state)
{
	struct world *w = *state;
	struct arena none;

	add(w, 0);
	arena_init(&none, 0);
	assert_int_equal(recipients_read(&w->r, &none, &w->s), IEUM_E_OK);
	assert_int_equal(w->s.n_sealed, 0);
	add(w, 1);
	assert_int_equal(recipients_read(&w->r, &none, &w->s), IEUM_E_NO_MEMORY);
	arena_release(&none);
}

static void each_part_has_its_own(void **state)
{
	struct world *w = *state;

	add(w, 2);
	add(w, 0);
	add(w, 3);
	assert_int_equal(recipients_read(&w->r, &w->arena, &w->s), IEUM_E_OK);
	assert_int_equal(w->s.n_sealed, 2);
	assert_int_equal(w->s.sealed[0].place, 0);
	assert_int_equal(w->s.sealed[0].n_recipients, 2);
	assert_int_equal(w->s.sealed[1].place, 2);
	assert_int_equal(w->s.sealed[1].n_recipients, 3);
	assert_ptr_equal(w->s.sealed[1].recipients, w->s.sealed[0].recipients + 2);
}

static void a_message_has_so_many_and_no_more(void **state)
{
	struct world *w = *state;

	add(w, SEAL_RECIPIENTS_MAX);
	add(w, SEAL_MESSAGE_RECIPIENTS_MAX - SEAL_RECIPIENTS_MAX);
	assert_int_equal(recipients_read(&w->r, &w->arena, &w->s), IEUM_E_OK);
	add(w, 1);
	w->s.n_sealed = 0;
	assert_int_equal(recipients_read(&w->r, &w->arena, &w->s), IEUM_E_FIELD_TOO_LARGE);
}

static void keys_are_read_as_parts_are(void **state)
{
	static uint8_t info[] = { 0x30, 0x00 };
	Ieum__V1__KeyWrap wrap = IEUM__V1__KEY_WRAP__INIT;
	Ieum__V1__WrappedKey key = IEUM__V1__WRAPPED_KEY__INIT, *keys[] = { &key };
	struct world *w = *state;

	w->r.body_case = IEUM__V1__REFERRAL__BODY_KEY_WRAP;
	w->r.key_wrap = &wrap;
	wrap.keys = keys;
	wrap.n_keys = 1;
	key.recipient_info = (ProtobufCBinaryData){ sizeof info, info };
	assert_int_equal(recipients_read(&w->r, &w->arena, &w->s), IEUM_E_NOT_SEALED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(clear_parts_cost_nothing),
		TEST(each_part_has_its_own),
		TEST(a_message_has_so_many_and_no_more),
		TEST(keys_are_read_as_parts_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
