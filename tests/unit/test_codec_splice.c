/* proto/codec: keys that were wrapped later, put into the sealed parts of a referral's bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/codec.h"
#include "tests/unit/codec_samples.h"
#include "tests/unit/sealed.h"

static const char text[] = "the shelter is behind the school";

enum { PARTS = 3 };

struct world {
	struct samples s;
	struct sealed_holder holder, newcomer;
	Ieum__V1__Referral *r;
	ProtobufCBinaryData bytes; /* of the referral */
	struct codec_key keys[PARTS];
};

/* What a holder adds to a part for the newcomer. */
static struct seal_bytes wrapped(struct world *w, ProtobufCBinaryData cms)
{
	const struct seal_bytes before = { cms.data, cms.len };
	struct seal_bytes after, info;
	size_t n;

	after.data = sealed_again(cms.data, cms.len, &w->holder, &w->newcomer, &after.len);
	assert_int_equal(seal_new_recipients(&before, &after, &info, 1, &n), IEUM_E_OK);
	info.data = samples_bytes(&w->s, info.data, info.len).data;
	OPENSSL_free((uint8_t *)after.data);
	return info;
}

/* A clear part and two sealed ones, with numbers 7 and 3. */
static int start(void **state)
{
	static struct world w;
	const struct sealed_holder *const to[] = { &w.holder };
	static const uint32_t numbers[PARTS] = { 0, 7, 3 };

	samples_init(&w.s, 1);
	sealed_holder_make(&w.holder, "gimpo-ps", 0);
	sealed_holder_make(&w.newcomer, "gimpo-shelter", 0);
	w.r = samples_report(&w.s, 40);
	Ieum__V1__NarrativePart **parts = arena_alloc(&w.s.arena, PARTS * sizeof *w.r->narrative);
	for (size_t i = 0; i < PARTS; i++) {
		parts[i] = arena_copy(&w.s.arena, w.r->narrative[0], sizeof *parts[i]);
		if (!numbers[i])
			continue;
		size_t len;
		uint8_t *cms = sealed_to(to, 1, text, 0, &len);
		parts[i]->number = numbers[i];
		parts[i]->content_case = IEUM__V1__NARRATIVE_PART__CONTENT_SEALED;
		parts[i]->sealed = samples_bytes(&w.s, cms, len);
		OPENSSL_free(cms);
	}
	w.r->narrative = parts;
	w.r->n_narrative = PARTS;
	w.bytes = samples_packed(&w.s, &w.r->base);
	w.keys[0] = (struct codec_key){ 7, wrapped(&w, parts[1]->sealed) };
	w.keys[1] = (struct codec_key){ 3, wrapped(&w, parts[2]->sealed) };
	*state = &w;
	return 0;
}

static int stop(void **state)
{
	struct world *w = *state;

	sealed_holder_release(&w->holder);
	sealed_holder_release(&w->newcomer);
	samples_release(&w->s);
	return 0;
}

static Ieum__V1__Referral *spliced(struct world *w, const struct codec_key *keys, size_t n)
{
	const uint8_t *bytes;
	size_t len;

	assert_int_equal(codec_splice_referral(w->bytes.data, w->bytes.len, keys, n, &w->s.arena,
					       &bytes, &len),
			 IEUM_E_OK);
	Ieum__V1__Referral *r = ieum__v1__referral__unpack(&w->s.arena.allocator, len, bytes);
	assert_non_null(r);
	assert_int_equal(r->n_narrative, PARTS);
	/* In the order and form of the library: the clear part as it was. */
	assert_int_equal(samples_packed(&w->s, &r->base).len, len);
	assert_memory_equal(samples_packed(&w->s, &r->base).data, bytes, len);
	assert_string_equal(r->narrative[0]->media_type, w->r->narrative[0]->media_type);
	assert_int_equal(r->narrative[0]->clear.len, 40);
	assert_memory_equal(r->envelope->message_id.data, w->r->envelope->message_id.data, 16);
	return r;
}

static int opens(const struct Ieum__V1__NarrativePart *part, const struct sealed_holder *who)
{
	return sealed_opens(part->sealed.data, part->sealed.len, who, text);
}

static void each_key_goes_into_its_part(void **state)
{
	struct world *w = *state;
	Ieum__V1__Referral *r = spliced(w, w->keys, 2);

	for (size_t i = 1; i < PARTS; i++) {
		assert_int_equal(opens(r->narrative[i], &w->newcomer), 1);
		assert_int_equal(opens(r->narrative[i], &w->holder), 1);
		assert_int_equal(r->narrative[i]->number, w->r->narrative[i]->number);
	}
	r = spliced(w, w->keys + 1, 1);
	assert_int_equal(opens(r->narrative[1], &w->newcomer), 0);
	assert_int_equal(opens(r->narrative[2], &w->newcomer), 1);
}

static void without_keys_nothing_is_touched(void **state)
{
	struct world *w = *state;
	struct arena none;
	const uint8_t *bytes;
	size_t len;

	arena_init(&none, 0);
	assert_int_equal(codec_splice_referral(w->bytes.data, w->bytes.len, NULL, 0, &none, &bytes,
					       &len),
			 IEUM_E_OK);
	assert_ptr_equal(bytes, w->bytes.data);
	assert_int_equal(len, w->bytes.len);
	assert_int_equal(codec_splice_referral(w->bytes.data, w->bytes.len, w->keys, 2, &none,
					       &bytes, &len),
			 IEUM_E_NO_MEMORY);
	arena_release(&none);
}

static void a_key_of_no_part_or_of_no_form_is_left_out(void **state)
{
	struct world *w = *state;
	const struct codec_key of_none = { 5, w->keys[0].info };
	const struct codec_key bad = { 7, { (const uint8_t *)"garbage", 7 } };

	Ieum__V1__Referral *r = spliced(w, &of_none, 1);
	assert_int_equal(r->narrative[1]->sealed.len, w->r->narrative[1]->sealed.len);
	r = spliced(w, &bad, 1);
	assert_int_equal(r->narrative[1]->sealed.len, w->r->narrative[1]->sealed.len);
}

static void cut_short_is_malformed(void **state)
{
	struct world *w = *state;
	const uint8_t *bytes;
	size_t len, ok = 0;

	for (size_t n = 0; n < w->bytes.len; n++) {
		uint8_t *exact = malloc(n + !n);
		assert_non_null(exact);
		memcpy(exact, w->bytes.data, n);
		ok += codec_splice_referral(exact, n, w->keys, 2, &w->s.arena, &bytes, &len) ==
		      IEUM_E_OK;
		free(exact);
	}
	/* At a field's border a shorter message ends; one of 800 bytes has few of them. */
	assert_in_range(ok, 1, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_goes_into_its_part),
		cmocka_unit_test(without_keys_nothing_is_touched),
		cmocka_unit_test(a_key_of_no_part_or_of_no_form_is_left_out),
		cmocka_unit_test(cut_short_is_malformed),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
