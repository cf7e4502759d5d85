/* broker/policy, whose a certificate is: identities of another PKI, and the mistakes in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/policy/policy.h"
#include "proto/sha256.h"

#define KEY_A "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define KEY_B "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"

#define HEAD \
	"hub: {name: test.ieum, title: {en: T, ko: 티}, jurisdiction: \"41570\", time_zone: \"+09:00\"}\n" \
	"calendar: {working_hours: \"09:00-18:00\", weekend: [saturday, sunday], holidays: []}\n" \
	"kinds:\n" \
	"  police: {title: {en: P, ko: 경}, may_send: all}\n" \
	"participants:\n"
#define TAIL \
	"types: {default: {needs_case: true, may_open: true, needs_basis: true}, answer: {needs_case: false, needs_basis: false, needs_reply_to: true}}\n" \
	"rules:\n" \
	"  - {name: any, when: {type: referral}, to: b}\n"
#define WHO(name, more) "  " name ": {kind: police, title: {en: X, ko: 가}" more "}\n"

static struct policy *load(const char *participants, struct yaml_diag *diag)
{
	char text[8192];
	struct policy *p = NULL;

	(void)snprintf(text, sizeof text, HEAD "%s" TAIL, participants);
	yaml_diag_init(diag);
	if (policy_parse("hub.yaml", text, strlen(text), diag, &p))
		return NULL;
	return p;
}

/* Of a certificate that is called by these, at most four; ends with NULL. */
static int whose(const struct policy *p, const char *const *texts)
{
	uint8_t names[4][POLICY_HASH_BYTES];
	size_t n = 0;

	for (; texts[n]; n++)
		assert_true(sha256((const uint8_t *)texts[n], strlen(texts[n]), names[n]));
	return policy_identify(p, (const uint8_t(*)[POLICY_HASH_BYTES])names, n);
}

static void whose_is(const struct policy *p, const char *const *texts, const char *name)
{
	int index = whose(p, texts);

	assert_int_not_equal(index, POLICY_NONE);
	assert_string_equal(policy_participant(p, index)->name, name);
}

#define CALLED(...) \
	(const char *const[]) \
	{ \
		__VA_ARGS__, NULL \
	}

static void each_way_of_naming_one_is_found(void **state)
{
	struct yaml_diag diag;
	struct policy *p = load(
		WHO("a", ", identities: [{uri: \"urn:kr:police:a\"}, {key: \"sha256:" KEY_A "\"}]") WHO(
			"b",
			", identities: [{issuer: \"CN=경찰청 CA,O=경찰청\", subject: \"CN=b,O=김포\"}]")
			WHO("c", ""),
		&diag);

	(void)state;
	assert_non_null(p);
	assert_true(policy_names_certificates(p));
	whose_is(p, CALLED("key x", "uri urn:kr:police:a"), "a");
	whose_is(p, CALLED("key " KEY_A), "a");
	whose_is(p, CALLED("name CN=경찰청 CA,O=경찰청\nCN=b,O=김포"), "b");
	whose_is(p, CALLED("uri spiffe://test.ieum/police/c"), "c");
	/* Who lists some is known by those alone. */
	assert_int_equal(whose(p, CALLED("uri spiffe://test.ieum/police/a")), POLICY_NONE);
	assert_int_equal(whose(p, CALLED("uri spiffe://test.ieum/office/c")), POLICY_NONE);
	assert_int_equal(whose(p, CALLED("uri spiffe://other.ieum/police/c")), POLICY_NONE);
	assert_int_equal(whose(p, CALLED("uri CN=b")), POLICY_NONE);
	/* Of two it is nobody's. */
	assert_int_equal(whose(p, CALLED("key " KEY_A, "uri spiffe://test.ieum/police/c")),
			 POLICY_NONE);
	policy_free(p);
	p = load(WHO("b", ""), &diag);
	assert_non_null(p);
	assert_false(policy_names_certificates(p));
	policy_free(p);
}

static void mistakes_have_their_line(void **state)
{
	static const struct {
		const char *participants, *says;
	} rows[] = {
		{ WHO("a", ", identities: [{key: \"" KEY_A "\"}]") WHO(
			  "b", ", identities: [{key: \"" KEY_B "\"}, {key: \"sha256:" KEY_A "\"}]"),
		  "hub.yaml:7:" },
		{ WHO("a", ", identities: [{key: \"" KEY_A "\"}]")
			  WHO("b", ", identities: [{key: \"" KEY_A "\"}]"),
		  "this certificate is 'a' already, in line 6" },
		{ WHO("a", ", identities: [{uri: \"spiffe://test.ieum/police/b\"}]") WHO("b", ""),
		  "this is the URI of 'b'" },
		{ WHO("b", ", identities: [{uri: \"urn:b\", key: \"" KEY_A "\"}]"),
		  "an identity is a 'uri'" },
		{ WHO("b", ", identities: [{issuer: \"CN=x\"}]"), "an identity is a 'uri'" },
		{ WHO("b", ", identities: [{key: \"12ab\"}]"), "64 hexadecimal digits" },
		{ WHO("b", ", identities: []"), "hub.yaml:6:" },
		{ WHO("b", ", identities: [{email: x}]"), "email" },
		{ WHO("b", ", gateway: perhaps"), "hub.yaml:6:" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct yaml_diag diag;
		bool found = false;
		assert_null(load(rows[i].participants, &diag));
		for (size_t k = 0; k < yaml_diag_kept(&diag); k++)
			found |= strstr(diag.mistakes[k].text, rows[i].says) != NULL;
		if (!found)
			fail_msg("row %zu: '%s' is not in '%s'", i, rows[i].says,
				 yaml_diag_kept(&diag) ? diag.mistakes[0].text : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_way_of_naming_one_is_found),
		cmocka_unit_test(mistakes_have_their_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
