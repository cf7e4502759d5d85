/* Checks of participants among each other: heads and duty contacts in a circle, domains and
 * ranks that nobody has, a neutral text that is none. */
#include "broker/policy/load.h"

#include <stdio.h>
#include <string.h>

#include "proto/catalog.h"

enum { CHAIN_BYTES = 200, SHORT_NAME_BYTES = 3 };

/* The participant who is the head of another; a role of a body ends the chain. */
static int head_of(const struct policy *p, int participant)
{
	int box = p->participants[participant].head;

	if (box == POLICY_NONE || p->mailboxes[box].body != POLICY_NONE)
		return POLICY_NONE;
	return p->mailboxes[box].consumers[0];
}

/* Writes "a, b, a" when one after the other, `next` leads back to where it began. */
static bool is_circle(const struct policy *p, int from,
		      int (*next)(const struct policy *p, int participant), char *chain,
		      size_t chain_bytes)
{
	int who = from;
	size_t used = (size_t)snprintf(chain, chain_bytes, "%s", p->participants[from].name);

	for (size_t i = 0; i < p->n_participants; i++) {
		who = next(p, who);
		/* Each circle is told once, at its first participant. */
		if (who == POLICY_NONE || who < from)
			return false;
		if (used < chain_bytes)
			used += (size_t)snprintf(chain + used, chain_bytes - used, ", %s",
						 p->participants[who].name);
		if (who == from)
			return true;
	}
	return false;
}

void check_heads(struct loader *l)
{
	char chain[CHAIN_BYTES];

	for (size_t i = 0; i < l->p->n_participants; i++) {
		if (is_circle(l->p, (int)i, head_of, chain, sizeof chain))
			yaml_mistake(
				l->diag, yaml_get(load_nth(l, "participants", i), "head"),
				"the heads go in a circle (%s): silence would never reach anyone new",
				chain);
	}
}

/* ---- who is on duty ---- */

/* The participant who is on duty for another. */
static int duty_contact_of(const struct policy *p, int participant)
{
	int box = p->attendance[p->participants[participant].mailbox].duty;

	return box == POLICY_NONE ? POLICY_NONE : p->mailboxes[box].consumers[0];
}

/* Somebody along the duty contacts has to be there when who has them isn't. */
static void check_duty_hours(struct loader *l, int mailbox, const struct yaml_node *node)
{
	const struct policy *p = l->p;
	const struct attendance *of = &p->attendance[mailbox];
	bool is_there = of->duty == POLICY_NONE;

	for (int at = of->duty; at != POLICY_NONE && !is_there; at = p->attendance[at].duty)
		is_there =
			calendar_is_open_beyond(&p->calendar, p->attendance[at].hours, of->hours);
	if (!is_there)
		yaml_mistake(l->diag, node,
			     "'%s' is never there when it is needed: outside of the hours of whom "
			     "it stands in for; give it \"hours: always\", or a duty contact of "
			     "its own",
			     yaml_text(node));
}

void check_duty(struct loader *l)
{
	char chain[CHAIN_BYTES];

	for (size_t i = 0; i < l->p->n_participants; i++) {
		if (is_circle(l->p, (int)i, duty_contact_of, chain, sizeof chain))
			yaml_mistake(
				l->diag, yaml_get(load_nth(l, "participants", i), "duty"),
				"the duty contacts go in a circle (%s): at night nobody would be reached",
				chain);
	}
	if (l->diag->count > l->mistakes_before)
		return; /* in a circle the next check would not end */
	for (size_t i = 0; i < l->p->n_participants; i++)
		check_duty_hours(l, l->p->participants[i].mailbox,
				 yaml_get(load_nth(l, "participants", i), "duty"));
	for (size_t i = 0; i < l->p->n_bodies; i++)
		if (!l->p->roles[i].each)
			check_duty_hours(l, l->p->bodies[i].mailboxes[0],
					 yaml_get(load_nth(l, "bodies", i), "duty"));
}

/* ---- the neutral text ---- */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* As a word: "p" is not named by "Please", nor "it" by "items", but "school" is by "schools".  In
 * Korean words are joined and particles follow, so there every place counts. */
static bool is_named(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = text; (at = strcasestr(at, name)); at++) {
		bool begins = at == text || !is_word(at[-1]) || !is_word(*name);
		bool ends = n > SHORT_NAME_BYTES || !is_word(at[n]) || !is_word(name[n - 1]);

		if (begins && ends)
			return true;
	}
	return false;
}

static void check_neutral(struct loader *l, const char *key, const char *text, const char *name)
{
	if (name && *name && is_named(text, name))
		yaml_mistake(
			l->diag, yaml_get(yaml_get(l->root, "notification"), key),
			"this text names '%s'; whoever looks over a shoulder must learn nothing",
			name);
}

void check_notification(struct loader *l)
{
	const struct policy *p = l->p;

	for (size_t i = 0; i < p->n_kinds; i++) {
		check_neutral(l, "en", p->notification_en, p->kinds[i].title_en);
		check_neutral(l, "ko", p->notification_ko, p->kinds[i].title_ko);
	}
	for (size_t i = 0; i < p->n_mailboxes; i++) {
		/* A role has the title of its body, which is told once. */
		if (i > 0 && p->mailboxes[i].title_en == p->mailboxes[i - 1].title_en)
			continue;
		check_neutral(l, "en", p->notification_en, p->mailboxes[i].title_en);
		check_neutral(l, "ko", p->notification_ko, p->mailboxes[i].title_ko);
	}
}

/* ---- support domains and their ranks ---- */

/* Somebody has that rank on at least one day of the other's agreement. */
static bool someone_has_rank(const struct policy *p, size_t domain, int rank,
			     const struct policy_participant *with)
{
	for (size_t i = 0; i < p->n_participants; i++) {
		const struct policy_participant *who = &p->participants[i];

		if (p->more[i].ranks[domain] == rank &&
		    policy_serves(p, (int)i, with->jurisdiction) &&
		    who->from_day <= with->until_day && who->until_day >= with->from_day)
			return true;
	}
	return false;
}

static void check_ranks(struct loader *l, size_t domain)
{
	const struct policy *p = l->p;
	const char *name = p->domains[domain].name;

	for (size_t i = 0; i < p->n_participants; i++) {
		const struct policy_participant *who = &p->participants[i];
		int rank = p->more[i].ranks[domain];
		bool limited = who->from_day != INT64_MIN || who->until_day != INT64_MAX;
		const struct yaml_node *ranks = yaml_get(load_nth(l, "participants", i), "ranks");

		if (rank > 1 && !someone_has_rank(p, domain, rank - 1, who))
			yaml_mistake(l->diag, yaml_get(ranks, name),
				     "'%s' has rank %d in '%s', but nobody in %s has rank %d%s; "
				     "ranks go 1, 2, 3 without gaps",
				     who->name, rank, name, who->jurisdiction, rank - 1,
				     limited ? tr(" on any day of its agreement") : "");
	}
}

void check_providers(struct loader *l)
{
	const struct policy *p = l->p;

	for (size_t d = 0; d < p->n_domains; d++) {
		if (p->domains[d].n_providers == 0)
			yaml_mistake(l->diag, yaml_at(yaml_get(l->root, "domains"), d),
				     "nobody serves support domain '%s'; give it to a participant "
				     "(\"domains: [%s]\") or leave it out",
				     p->domains[d].name, p->domains[d].name);
		check_ranks(l, d);
	}
}
