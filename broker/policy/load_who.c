/* What participants and bodies say about themselves beside their names: languages, hours, who
 * is on duty otherwise, and until when they are designated. */
#include "broker/policy/load.h"

#include <stdio.h>
#include <string.h>

#include "broker/policy/language.h"
#include "ieum/v1/body.pb-c.h"
#include "proto/catalog.h"

enum { LANGUAGES_MAX = 64, SEXES_MAX = 2 };

/* ---- languages ---- */

/* `any`, one sex, or several: a bit per value of the enum. */
static void load_sexes(struct loader *l, const struct yaml_node *node, struct spoken *out)
{
	const char *text = yaml_text(node);
	uint64_t bits = 0;

	if (text && strcmp(text, "any") == 0)
		return;
	if (load_enum_bits(l, node, &ieum__v1__sex__descriptor, "sex", &bits))
		out->sexes = (unsigned)bits;
}

bool load_language(struct loader *l, const struct yaml_node *node, char tag[LANGUAGE_BYTES])
{
	const char *text;
	char meant[LANGUAGE_BYTES];

	if (!yaml_read_text(node, LANGUAGE_BYTES - 1, l->diag, &text))
		return false;
	if (language_read(text, tag, meant))
		return true;
	if (*meant)
		yaml_mistake(l->diag, node, "'%s' is no language; did you mean '%s'?", text, meant);
	else
		yaml_mistake(l->diag, node,
			     "'%s' is no language; write its BCP 47 tag, for example vi", text);
	return false;
}

/* [ko, vi], or with the sexes of those who speak it {ko: any, vi: female}. */
void load_languages(struct loader *l, const struct yaml_node *node, struct participant_more *more)
{
	bool is_map = yaml_kind(node) == YAML_MAP;
	size_t n = yaml_count(node);
	char tag[LANGUAGE_BYTES];

	if (!node || (!is_map && !yaml_check_seq(node, 1, LANGUAGES_MAX, l->diag)))
		return;
	if (n < 1 || n > LANGUAGES_MAX) {
		yaml_mistake(l->diag, node, "%zu languages; 1 to %d are allowed", n, LANGUAGES_MAX);
		return;
	}
	struct spoken *spoken = load_alloc(l, n, sizeof *spoken);
	if (!spoken)
		return;
	more->spoken = spoken;
	for (size_t i = 0; i < n; i++) {
		const struct yaml_node *item = is_map ? yaml_key_at(node, i) : yaml_at(node, i);
		struct spoken *here = &spoken[more->n_spoken];

		here->sexes = ~0U;
		if (!load_language(l, item, tag))
			continue;
		here->language = load_copy(l, tag);
		if (!here->language)
			return;
		for (size_t k = 0; k < more->n_spoken; k++) {
			if (strcmp(spoken[k].language, here->language) == 0)
				yaml_mistake(l->diag, item,
					     "'%s' is in this list twice; once is enough",
					     here->language);
		}
		if (is_map)
			load_sexes(l, yaml_at(node, i), here);
		more->n_spoken++;
	}
}

/* ---- agreement ---- */

/* When nothing else is said. */
#define AGREEMENT_WARN_BEFORE_MS ((int64_t)30 * 24 * 60 * 60 * 1000)

void load_agreement(struct loader *l, const struct yaml_node *node, struct policy_participant *who)
{
	const struct yaml_node *from = yaml_get(node, "from"), *until = yaml_get(node, "until");

	who->from_day = INT64_MIN;
	who->until_day = INT64_MAX;
	who->warn_before_ms = AGREEMENT_WARN_BEFORE_MS;
	if (!node || !yaml_schema_check(node, &schema_agreement, l->diag))
		return;
	if (!from && !until)
		yaml_mistake(l->diag, node,
			     "an agreement without days; say 'from', 'until' or both");
	if (from)
		(void)yaml_read_date(from, l->diag, &who->from_day);
	if (until)
		(void)yaml_read_date(until, l->diag, &who->until_day);
	if (who->until_day < who->from_day)
		yaml_mistake(l->diag, until, "the agreement ends (%s) before it begins (%s)",
			     yaml_text(until), yaml_text(from));
	(void)yaml_schema_opt_span_ms(node, &schema_agreement, "warn_before", l->diag,
				      &who->warn_before_ms);
	if (!until && (yaml_get(node, "warn_before") || yaml_get(node, "tells")))
		yaml_mistake(l->diag, node,
			     "an agreement without 'until' never ends, so nobody is ever told");
}

void load_agreement_tells(struct loader *l)
{
	struct policy *p = l->p;

	for (size_t i = 0; i < p->n_participants; i++) {
		const struct yaml_node *tells =
			yaml_get(yaml_get(load_nth(l, "participants", i), "agreement"), "tells");
		struct policy_participant *who = &p->participants[i];

		if (tells)
			load_told_addresses(l, tells, false, &who->agreement_tells,
					    &who->n_agreement_tells);
	}
}

/* ---- the neutral text ---- */

void load_notification(struct loader *l)
{
	const struct yaml_node *node = yaml_get(l->root, "notification");

	l->p->notification_en = l->p->notification_ko = "";
	if (node)
		load_both_languages(l, node, &l->p->notification_en, &l->p->notification_ko);
}

/* ---- hours and duty ---- */

static void load_own_hours(struct loader *l, const struct yaml_node *node, struct attendance *out)
{
	struct calendar_hours *hours = load_alloc(l, 1, sizeof *hours);
	const char *text = yaml_text(node);

	if (!hours)
		return;
	if (text && strcmp(text, "always") == 0)
		hours->always = true;
	else if (!load_hours(l, node, hours))
		return;
	out->hours = hours;
}

static void load_duty(struct loader *l, const struct yaml_node *node, struct attendance *out)
{
	const struct policy *p = l->p;
	const char *text;

	if (!yaml_read_text(node, POLICY_NAME_BYTES - 1, l->diag, &text))
		return;
	int who = policy_find_participant(p, text);
	if (who == POLICY_NONE)
		load_unknown(l, node, "duty contact", p->participant_words);
	else
		out->duty = p->participants[who].mailbox;
}

static struct attendance load_one(struct loader *l, const struct yaml_node *node)
{
	struct attendance out = { .duty = POLICY_NONE };
	const struct yaml_node *hours = yaml_get(node, "hours"), *duty = yaml_get(node, "duty");

	if (hours)
		load_own_hours(l, hours, &out);
	if (duty)
		load_duty(l, duty, &out);
	if (duty && out.hours && out.hours->always)
		yaml_mistake(
			l->diag, duty,
			"nobody is on duty for who is there always; leave 'hours' or 'duty' out");
	return out;
}

static void load_body_attendance(struct loader *l, size_t body)
{
	struct policy *p = l->p;
	const struct yaml_node *node = load_nth(l, "bodies", body);
	const struct yaml_node *said = yaml_get(node, "hours");
	struct attendance here = load_one(l, node);

	if (!said)
		said = yaml_get(node, "duty");
	if (said && p->roles[body].each)
		yaml_mistake(
			l->diag, said,
			"in a body of mode 'each' the members have the mailboxes: give 'hours' "
			"and 'duty' to them");
	for (size_t i = 0; i < p->n_mailboxes; i++) {
		if (p->mailboxes[i].body == (int)body)
			p->attendance[i] = here;
	}
}

void load_attendance(struct loader *l)
{
	struct policy *p = l->p;

	p->attendance = load_alloc(l, p->n_mailboxes, sizeof *p->attendance);
	if (!p->attendance)
		return;
	for (size_t i = 0; i < p->n_mailboxes; i++)
		p->attendance[i].duty = POLICY_NONE;
	for (size_t i = 0; i < p->n_participants; i++)
		p->attendance[p->participants[i].mailbox] =
			load_one(l, load_nth(l, "participants", i));
	for (size_t i = 0; i < p->n_bodies; i++)
		load_body_attendance(l, i);
}
