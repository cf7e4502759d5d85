/* broker/core, sealed narratives of as many readers and names as a message can have: who reads which
 * part is found name by name, and has to be what sealed_is_named() says of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "broker/core/sealed.h"
#include "broker/core/state.h"
#include "proto/codec.h"
#include "tests/unit/core_trial.h"

enum { READERS = 500, PARTS = 16, NAMES = 16, HUB_BYTES = 512 * 1024 };

/* More is not there to be decided. */
_Static_assert((int)SEALED_NAMES_MAX == CODEC_REPEATED_MAX, "names of one part");
_Static_assert((int)SEALED_PARTS_MAX == CODEC_REPEATED_MAX, "parts of a narrative");

struct town {
	struct trial w;
	uint64_t city; /* connection */
	uint8_t case_id[CORE_ID_BYTES];
	struct message m;
	Ieum__V1__NarrativePart parts[PARTS];
	Ieum__V1__NarrativePart *narrative[PARTS];
	char *names[PARTS][NAMES];
	char texts[PARTS * NAMES][32];
	struct core_sealed sealed[PARTS];
	struct seal_recipient recipients[READERS];
};

/* ---- a town of many ---- */

/* `all` have one mailbox together, in the order of their names; the last of them another one too. */
static char *hub_text(void)
{
	char *text = malloc(HUB_BYTES);
	FILE *out = fmemopen(text, HUB_BYTES, "w");

	assert_non_null(out);
	fputs("hub: {name: test.ieum, title: {en: T, ko: 티}, jurisdiction: \"41570\", time_zone: "
	      "\"+09:00\"}\n"
	      "calendar: {working_hours: \"09:00-18:00\", weekend: [saturday, sunday], holidays: []}\n"
	      "sealed: {wrap_within: 10 min}\n"
	      "kinds:\n  office: {title: {en: O, ko: 관}, may_send: all}\n"
	      "participants:\n  city: {kind: office, title: {en: city, ko: 가}}\n",
	      out);
	for (int i = 0; i < READERS; i++)
		fprintf(out, "  p%d: {kind: office, title: {en: p, ko: 나}}\n", i);
	fputs("bodies:\n  all: {kind: office, title: {en: all, ko: 팀}, mode: any, roles: {help: [p0",
	      out);
	for (int i = 1; i < READERS; i++)
		fprintf(out, ", p%d", i);
	fprintf(out,
		"]}, lead: help}\n  few: {kind: office, title: {en: few, ko: 팀}, mode: any, roles: "
		"{help: [p%d], more: [p0, p1]}, lead: help}\n",
		READERS - 1);
	fputs("types: {default: {needs_case: true, may_open: true, needs_basis: true}}\n"
	      "rules:\n"
	      "  - {name: open, when: {type: referral}, to: city, owner: city}\n"
	      "  - {name: ask, when: {type: contact_result}, to: \"body:all/help\"}\n",
	      out);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* A certificate of each of them but the last. */
static void comes(struct trial *w, int number, const char *name)
{
	char fingerprint[CORE_HASH_BYTES] = "", key_id[20] = "";
	char issuer_serial[CORE_HASH_BYTES] = "";
	const struct core_certificate certificate = {
		.der = (const uint8_t *)"x",
		.der_len = 1,
		.fingerprint = (const uint8_t *)fingerprint,
		.key_id = (const uint8_t *)key_id,
		.key_id_len = sizeof key_id,
		.issuer_serial = (const uint8_t *)issuer_serial,
		.ends_at_ms = (w->now + 400 * DAY_US) / 1000,
		.actor = "someone",
		.serial = "1",
	};
	const struct core_connect k = { .participant = name,
					.actor = "someone",
					.address = "192.0.2.1:4",
					.certificate = "1",
					.with = &certificate };

	(void)snprintf(fingerprint, sizeof fingerprint, "f%d", number);
	(void)snprintf(key_id, sizeof key_id, "k%d", number);
	(void)snprintf(issuer_serial, sizeof issuer_serial, "s%d", number);
	core_decision_reset(&w->d);
	assert_int_equal(trial_record(w,
				      core_decide_connect(w->core, w->policy, &k, w->now, &w->d)),
			 IEUM_E_OK);
}

static int town_start(void **state)
{
	struct town *t = calloc(1, sizeof *t);
	char *text = hub_text(), name[16];

	assert_non_null(t);
	trial_start(&t->w, text, NULL);
	free(text);
	for (int i = 0; i < READERS; i++) {
		(void)snprintf(name, sizeof name, "p%d", i);
		comes(&t->w, i, name);
	}
	comes(&t->w, READERS, "city");
	t->city = t->w.d.items[0].event->connected->connection;
	message_new(&t->w, &t->m, TYPE(REFERRAL));
	t->m.support.domain = (char *)"care";
	message_open_case(&t->m);
	trial_submitted(&t->w, t->city, &t->m);
	memcpy(t->case_id, t->m.id, CORE_ID_BYTES);
	*state = t;
	return 0;
}

static int town_stop(void **state)
{
	struct town *t = *state;

	trial_stop(&t->w);
	free(t);
	return 0;
}

/* Sealed parts for everybody in `all`, which is the last of the names; to the first `sealed_to`. */
static void message(struct town *t, size_t parts, size_t sealed_to)
{
	message_new(&t->w, &t->m, TYPE(CONTACT_RESULT));
	message_in_case(&t->m, t->case_id);
	t->m.referral.narrative = t->narrative;
	t->m.sealed = t->sealed;
	t->m.n_sealed = t->m.referral.n_narrative = parts;
	for (size_t i = 0; i < sealed_to; i++) {
		char key_id[20] = "";

		(void)snprintf(key_id, sizeof key_id, "k%hu", (unsigned short)i);
		t->recipients[i] =
			(struct seal_recipient){ .by_key_id = true, .key_id_len = sizeof key_id };
		memcpy(t->recipients[i].key_id, key_id, sizeof key_id);
	}
	for (size_t i = 0; i < parts; i++) {
		ieum__v1__narrative_part__init(&t->parts[i]);
		t->parts[i].media_type = (char *)"text/plain";
		t->parts[i].number = (uint32_t)i + 1;
		t->parts[i].content_case = IEUM__V1__NARRATIVE_PART__CONTENT_SEALED;
		t->parts[i].recipients = t->names[i];
		t->parts[i].n_recipients = NAMES;
		t->narrative[i] = &t->parts[i];
		t->sealed[i] = (struct core_sealed){ i, t->recipients, sealed_to };
		for (size_t k = 0; k < NAMES; k++) {
			char *name = t->texts[i * NAMES + k];

			(void)snprintf(name, sizeof t->texts[0], "p%zu", i * NAMES + k);
			t->names[i][k] = name;
		}
		t->names[i][NAMES - 2] = (char *)"few";
		t->names[i][NAMES - 1] = (char *)"all";
	}
}

/* ---- tests ---- */

/* How long one decision takes is printed, and judged by nobody: machines differ. */
static enum ieum_err decide(struct town *t, size_t parts, const char *what)
{
	enum { TIMES = 20 };
	struct timespec begin, end;
	enum ieum_err err = IEUM_E_OK;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int i = 0; i < TIMES; i++) {
		const struct core_submit s = { .connection = t->city,
					       .referral = &t->m.referral,
					       .bytes = (const uint8_t *)"",
					       .len = 1000,
					       .sealed = t->m.sealed,
					       .n_sealed = t->m.n_sealed };

		core_decision_reset(&t->w.d);
		err = core_decide_submit(t->w.core, t->w.policy, &s, t->w.now, &t->w.d);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	print_message("# %zu parts, %d names each, %d readers, %s: %.0f us\n", parts, NAMES,
		      READERS, what,
		      (double)(end.tv_sec - begin.tv_sec) * 1e6 / TIMES +
			      (double)(end.tv_nsec - begin.tv_nsec) / 1e3 / TIMES);
	return err;
}

static void the_one_who_lacks_is_found_among_many(void **state)
{
	static const size_t sizes[] = { 2, 5, PARTS };
	struct town *t = *state;
	char missing[96];

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		message(t, sizes[i], READERS);
		assert_int_equal(decide(t, sizes[i], "taken"), IEUM_E_OK);
		t->sealed[sizes[i] - 1].n_recipients--;
		assert_int_equal(decide(t, sizes[i], "one lacks the last"),
				 IEUM_E_SEALED_OTHERWISE);
		(void)snprintf(missing, sizeof missing,
			       "narrative[%zu]: 'p%d' would read it, and it is not sealed to them",
			       sizes[i] - 1, READERS - 1);
		assert_string_equal(t->w.d.detail, missing);
	}
}

static void all_of_them_hold_all_of_it(void **state)
{
	struct town *t = *state;

	message(t, PARTS, READERS);
	trial_submitted(&t->w, t->city, &t->m);
	uint32_t rh = state_referral(t->w.core, t->m.id);
	const struct sealed *s = sealed_at(t->w.core, referral_at(t->w.core, rh)->sealed);
	assert_int_equal(s->n_parts, PARTS);
	for (int i = 0; i < PARTS; i++)
		assert_int_equal(s->parts[i].n_holders, READERS);
}

static void each_is_named_as_one_by_one(void **state)
{
	static char *const words[] = { (char *)"city",     (char *)"p7",    (char *)"all",
				       (char *)"all/help", (char *)"few",   (char *)"few/more",
				       (char *)"few/help", (char *)"nobody" };
	enum { WORDS = sizeof words / sizeof words[0] };
	struct town *t = *state;
	uint16_t of[READERS + 1] = { 0 };

	/* One in each part, and in the last but one some twice; the last is for everybody. */
	message(t, WORDS + 2, 0);
	for (size_t i = 0; i < WORDS; i++) {
		t->names[i][0] = words[i];
		t->parts[i].n_recipients = 1;
	}
	memcpy(t->names[WORDS], (char *[]){ words[1], words[5], words[1] }, 3 * sizeof words[0]);
	t->parts[WORDS].n_recipients = 3;
	t->parts[WORDS + 1].n_recipients = 0;
	assert_int_equal(sealed_read_names(t->w.core, t->w.policy, 0, t->narrative, WORDS + 2, of),
			 IEUM_E_OK);
	for (int who = 0; who <= READERS; who++) {
		bool named[WORDS];

		for (size_t i = 0; i < WORDS; i++) {
			named[i] = sealed_is_named(t->w.core, t->w.policy, who, 0, words[i]);
			assert_int_equal(of[who] >> i & 1, named[i]);
		}
		assert_int_equal(of[who] >> WORDS & 1, named[1] || named[5]);
		assert_int_equal(of[who] >> (WORDS + 1) & 1, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_one_who_lacks_is_found_among_many, town_start,
						town_stop),
		cmocka_unit_test_setup_teardown(each_is_named_as_one_by_one, town_start, town_stop),
		cmocka_unit_test_setup_teardown(all_of_them_hold_all_of_it, town_start, town_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
