/* proto/seal_der: the outside of what OpenSSL seals, and of what a stranger says is sealed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/seal_der.h"
#include "tests/unit/sealed.h"

static const char text[] = "the reporter is the neighbour in 302";

enum { HOLDERS = 3, OUT_MAX = 1 << 20 };
static struct sealed_holder holders[HOLDERS]; /* the last one has an RSA key */
static struct sealed_holder newcomer;

static const struct sealed_holder *const all[] = { &holders[0], &holders[1], &holders[2] };

static int make_holders(void **state)
{
	(void)state;
	sealed_holder_make(&holders[0], "gimpo-ps", 0);
	sealed_holder_make(&holders[1], "gimpo-center", 0);
	sealed_holder_make(&holders[2], "gimpo-city", 2048);
	sealed_holder_make(&newcomer, "care", 0); /* the shortest name: first in a SET OF */
	return 0;
}

static int release_holders(void **state)
{
	(void)state;
	for (size_t i = 0; i < HOLDERS; i++)
		sealed_holder_release(&holders[i]);
	sealed_holder_release(&newcomer);
	return 0;
}

static bool is_same(const struct seal_recipient *a, const struct seal_recipient *b)
{
	return a->by_key_id == b->by_key_id && a->key_id_len == b->key_id_len &&
	       memcmp(a->key_id, b->key_id, sizeof a->key_id) == 0 &&
	       memcmp(a->issuer_serial, b->issuer_serial, sizeof a->issuer_serial) == 0;
}

static bool names(const struct seal_recipient *list, size_t n, const struct sealed_holder *holder)
{
	struct seal_recipient by_key_id, by_issuer;

	sealed_names(holder, &by_key_id, &by_issuer);
	for (size_t i = 0; i < n; i++)
		if (is_same(&list[i], &by_key_id) || is_same(&list[i], &by_issuer))
			return true;
	return false;
}

static enum ieum_err read_recipients(const uint8_t *cms, size_t len)
{
	struct seal_recipient list[SEAL_RECIPIENTS_MAX];
	size_t n;

	/* A copy of just its length, so that a sanitizer sees a step beyond. */
	uint8_t *exact = malloc(len + !len);
	assert_non_null(exact);
	memcpy(exact, cms, len);
	enum ieum_err err = seal_recipients(exact, len, list, SEAL_RECIPIENTS_MAX, &n);
	free(exact);
	assert_int_equal(ERR_peek_error(), 0);
	return err;
}

static void all_recipients_are_read(unsigned flags)
{
	struct seal_recipient list[SEAL_RECIPIENTS_MAX];
	size_t len, n;
	uint8_t *cms = sealed_to(all, HOLDERS, text, flags, &len);

	assert_int_equal(seal_recipients(cms, len, list, SEAL_RECIPIENTS_MAX, &n), IEUM_E_OK);
	assert_int_equal(n, HOLDERS);
	for (size_t i = 0; i < HOLDERS; i++) {
		assert_true(names(list, n, &holders[i]));
		assert_int_equal(list[i].by_key_id, flags != 0);
	}
	assert_false(names(list, n, &newcomer));
	assert_int_equal(seal_recipients(cms, len, list, HOLDERS, &n), IEUM_E_OK);
	assert_int_equal(seal_recipients(cms, len, list, HOLDERS - 1, &n), IEUM_E_FIELD_TOO_LARGE);
	OPENSSL_free(cms);
}

static void recipients_are_read_by_either_name(void **state)
{
	(void)state;
	all_recipients_are_read(0);
	all_recipients_are_read(CMS_USE_KEYID);
}

static void what_a_holder_adds_is_cut_out_and_put_back(void **state)
{
	(void)state;
	for (size_t by = 0; by < HOLDERS; by++) {
		struct seal_bytes added[4];
		struct seal_recipient who[4];
		struct buf out;
		size_t len, more_len, n, named;
		uint8_t *cms = sealed_to(all, HOLDERS, text, 0, &len);
		uint8_t *more = sealed_again(cms, len, &holders[by], &newcomer, &more_len);
		const struct seal_bytes before = { cms, len }, after = { more, more_len };

		assert_int_equal(sealed_opens(cms, len, &newcomer, text), 0);
		assert_int_equal(seal_new_recipients(&before, &after, added, 4, &n), IEUM_E_OK);
		assert_int_equal(n, 1);
		assert_int_equal(seal_info_recipients(added[0].data, added[0].len, who, 4, &named),
				 IEUM_E_OK);
		assert_int_equal(named, 1);
		assert_true(names(who, named, &newcomer));
		buf_init(&out, OUT_MAX);
		assert_int_equal(seal_splice(cms, len, added, n, &out), IEUM_E_OK);
		assert_int_equal(sealed_opens(buf_bytes(&out), buf_len(&out), &newcomer, text), 1);
		for (size_t i = 0; i < HOLDERS; i++)
			assert_int_equal(
				sealed_opens(buf_bytes(&out), buf_len(&out), &holders[i], text), 1);
		/* OpenSSL writes DER as we do: byte for byte. */
		assert_int_equal(buf_len(&out), more_len);
		assert_memory_equal(buf_bytes(&out), more, more_len);
		buf_release(&out);
		OPENSSL_free(cms);
		OPENSSL_free(more);
	}
}

static void a_splice_twice_adds_once(void **state)
{
	struct seal_bytes added[2];
	struct buf once, twice;
	size_t len, more_len, n;

	(void)state;
	uint8_t *cms = sealed_to(all, HOLDERS, text, 0, &len);
	uint8_t *more = sealed_again(cms, len, &holders[0], &newcomer, &more_len);
	const struct seal_bytes before = { cms, len }, after = { more, more_len };
	assert_int_equal(seal_new_recipients(&before, &after, added, 1, &n), IEUM_E_OK);
	added[1] = added[0];
	buf_init(&once, OUT_MAX);
	buf_init(&twice, OUT_MAX);
	assert_int_equal(seal_splice(cms, len, added, 2, &once), IEUM_E_OK);
	assert_int_equal(seal_splice(buf_bytes(&once), buf_len(&once), added, 1, &twice),
			 IEUM_E_OK);
	assert_int_equal(buf_len(&once), more_len);
	assert_int_equal(buf_len(&twice), more_len);
	buf_release(&once);
	buf_release(&twice);
	OPENSSL_free(cms);
	OPENSSL_free(more);
}

static void a_full_buffer_or_list_takes_nothing(void **state)
{
	struct seal_bytes added[2];
	struct buf out;
	size_t len, more_len, n;

	(void)state;
	uint8_t *cms = sealed_to(all, HOLDERS, text, 0, &len);
	uint8_t *more = sealed_again(cms, len, &holders[0], &newcomer, &more_len);
	const struct seal_bytes before = { cms, len }, after = { more, more_len };
	assert_int_equal(seal_new_recipients(&before, &after, added, 0, &n),
			 IEUM_E_FIELD_TOO_LARGE);
	assert_int_equal(seal_new_recipients(&before, &after, added, 1, &n), IEUM_E_OK);
	buf_init(&out, more_len + 2);
	assert_int_equal(buf_append(&out, "abc", 3), IEUM_E_OK);
	assert_int_equal(seal_splice(cms, len, added, 1, &out), IEUM_E_FIELD_TOO_LARGE);
	assert_int_equal(buf_len(&out), 3);
	/* What is no RecipientInfo is put into nothing. */
	added[1] = (struct seal_bytes){ cms, 40 };
	buf_consume(&out, 3);
	assert_int_equal(seal_splice(cms, len, added, 2, &out), IEUM_E_NOT_SEALED);
	assert_int_equal(buf_len(&out), 0);
	buf_release(&out);
	OPENSSL_free(cms);
	OPENSSL_free(more);
}

/* One holder as often as it takes: the list's end, then one beyond. */
static void the_list_of_recipients_ends(void **state)
{
	const struct sealed_holder *many[SEAL_RECIPIENTS_MAX + 1];
	struct seal_bytes none = { 0 };
	struct buf out;
	size_t len;

	(void)state;
	for (size_t i = 0; i <= SEAL_RECIPIENTS_MAX; i++)
		many[i] = &holders[i % 2];
	uint8_t *cms = sealed_to(many, SEAL_RECIPIENTS_MAX, text, 0, &len);
	assert_int_equal(read_recipients(cms, len), IEUM_E_OK);
	OPENSSL_free(cms);
	cms = sealed_to(many, SEAL_RECIPIENTS_MAX + 1, text, 0, &len);
	assert_int_equal(read_recipients(cms, len), IEUM_E_FIELD_TOO_LARGE);
	buf_init(&out, OUT_MAX);
	assert_int_equal(seal_splice(cms, len, &none, 0, &out), IEUM_E_FIELD_TOO_LARGE);
	buf_release(&out);
	OPENSSL_free(cms);
}

static void other_kinds_of_cms_are_not_sealed(void **state)
{
	size_t len;

	(void)state;
	uint8_t *cms = sealed_with(EVP_aes_128_gcm(), all, 1, text, 0, &len);
	assert_int_equal(read_recipients(cms, len), IEUM_E_NOT_SEALED);
	OPENSSL_free(cms);
	cms = sealed_with(EVP_aes_256_cbc(), all, 1, text, 0, &len);
	assert_int_equal(read_recipients(cms, len), IEUM_E_NOT_SEALED);
	OPENSSL_free(cms);
	cms = sealed_to(all, 0, text, 0, &len);
	assert_int_equal(read_recipients(cms, len), IEUM_E_NOT_SEALED);
	OPENSSL_free(cms);
}

static void cut_short_or_followed_is_not_sealed(void **state)
{
	size_t len;
	uint8_t *cms = sealed_to(all, HOLDERS, text, 0, &len);
	uint8_t *longer = malloc(len + 1);

	(void)state;
	for (size_t i = 0; i < len; i++)
		assert_int_equal(read_recipients(cms, i), IEUM_E_NOT_SEALED);
	assert_non_null(longer);
	memcpy(longer, cms, len);
	longer[len] = 0;
	assert_int_equal(read_recipients(longer, len + 1), IEUM_E_NOT_SEALED);
	free(longer);
	OPENSSL_free(cms);
}

/* A key that two share, a password, a kind unknown: nobody sees who could open it. */
static void other_kinds_of_recipients_are_not_sealed(void **state)
{
	struct seal_bytes added[1];
	struct seal_recipient who[2];
	uint8_t info[SEAL_INFO_BYTES_MAX];
	size_t len, more_len, n, named;
	uint8_t *cms = sealed_to(all, 1, text, 0, &len);
	uint8_t *more = sealed_again(cms, len, &holders[0], &newcomer, &more_len);
	const struct seal_bytes before = { cms, len }, after = { more, more_len };

	(void)state;
	assert_int_equal(seal_new_recipients(&before, &after, added, 1, &n), IEUM_E_OK);
	memcpy(info, added[0].data, added[0].len);
	assert_int_equal(info[0], 0xa1);
	assert_int_equal(seal_info_recipients(info, added[0].len, who, 2, &named), IEUM_E_OK);
	for (info[0] = 0xa2; info[0] <= 0xa4; info[0]++)
		assert_int_equal(seal_info_recipients(info, added[0].len, who, 2, &named),
				 IEUM_E_NOT_SEALED);
	OPENSSL_free(cms);
	OPENSSL_free(more);
}

/* Every byte changed to every value: it may pass (a key's bytes, a name's), never go beyond, and
 * what passes can be spliced. */
static void no_changed_byte_leads_astray(void **state)
{
	size_t len, passed = 0;
	uint8_t *cms = sealed_to(all, HOLDERS, text, 0, &len);
	struct buf out;

	(void)state;
	buf_init(&out, OUT_MAX);
	for (size_t i = 0; i < len; i++)
		for (unsigned change = 1; change < 256; change++) {
			cms[i] ^= (uint8_t)change;
			enum ieum_err err = read_recipients(cms, len);
			assert_true(err == IEUM_E_OK || err == IEUM_E_NOT_SEALED);
			if (!err) {
				assert_int_equal(seal_splice(cms, len, NULL, 0, &out), IEUM_E_OK);
				buf_consume(&out, buf_len(&out));
				passed++;
			}
			cms[i] ^= (uint8_t)change;
		}
	assert_true(passed > 0);
	buf_release(&out);
	OPENSSL_free(cms);
}

static void lengths_that_lie_are_not_sealed(void **state)
{
	static const uint8_t endless[] = { 0x30, 0x80, 0x00, 0x00 };
	static const uint8_t huge[] = { 0x30, 0x84, 0xff, 0xff, 0xff, 0xff };
	static const uint8_t wide[] = {
		0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
	};
	static const uint8_t long_tag[] = { 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x00 };
	static const uint8_t padded[] = { 0x30, 0x81, 0x00 };

	(void)state;
	assert_int_equal(read_recipients((const uint8_t *)"", 0), IEUM_E_NOT_SEALED);
	assert_int_equal(read_recipients(endless, sizeof endless), IEUM_E_NOT_SEALED);
	assert_int_equal(read_recipients(huge, sizeof huge), IEUM_E_NOT_SEALED);
	assert_int_equal(read_recipients(wide, sizeof wide), IEUM_E_NOT_SEALED);
	assert_int_equal(read_recipients(long_tag, sizeof long_tag), IEUM_E_NOT_SEALED);
	assert_int_equal(read_recipients(padded, sizeof padded), IEUM_E_NOT_SEALED);
}

/* A second way to write one thing would hide a recipient from the comparison of bytes. */
static void a_length_in_too_many_bytes_is_not_sealed(void **state)
{
	struct seal_bytes before, after, added[1];
	struct seal_recipient who[2];
	size_t len, more_len, n, named;
	uint8_t *cms = sealed_to(all, 1, text, 0, &len);
	uint8_t *more = sealed_again(cms, len, &holders[0], &newcomer, &more_len);
	uint8_t padded[SEAL_INFO_BYTES_MAX];

	(void)state;
	before = (struct seal_bytes){ cms, len };
	after = (struct seal_bytes){ more, more_len };
	assert_int_equal(seal_new_recipients(&before, &after, added, 1, &n), IEUM_E_OK);
	/* a1 82 hh ll … or a1 81 ll … with one zero more */
	size_t header = 2 + (added[0].data[1] & 0x7f);
	padded[0] = added[0].data[0];
	padded[1] = (uint8_t)(added[0].data[1] + 1);
	padded[2] = 0;
	memcpy(padded + 3, added[0].data + 2, added[0].len - 2);
	assert_true(header > 2);
	assert_int_equal(seal_info_recipients(padded, added[0].len + 1, who, 2, &named),
			 IEUM_E_NOT_SEALED);
	assert_int_equal(seal_info_recipients(added[0].data, added[0].len, who, 2, &named),
			 IEUM_E_OK);
	assert_int_equal(seal_info_recipients(added[0].data, added[0].len, who, 0, &named),
			 IEUM_E_FIELD_TOO_LARGE);
	OPENSSL_free(cms);
	OPENSSL_free(more);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recipients_are_read_by_either_name),
		cmocka_unit_test(what_a_holder_adds_is_cut_out_and_put_back),
		cmocka_unit_test(a_splice_twice_adds_once),
		cmocka_unit_test(a_full_buffer_or_list_takes_nothing),
		cmocka_unit_test(the_list_of_recipients_ends),
		cmocka_unit_test(other_kinds_of_cms_are_not_sealed),
		cmocka_unit_test(other_kinds_of_recipients_are_not_sealed),
		cmocka_unit_test(cut_short_or_followed_is_not_sealed),
		cmocka_unit_test(no_changed_byte_leads_astray),
		cmocka_unit_test(lengths_that_lie_are_not_sealed),
		cmocka_unit_test(a_length_in_too_many_bytes_is_not_sealed),
	};

	return cmocka_run_group_tests(tests, make_holders, release_holders);
}
