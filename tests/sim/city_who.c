/* Who takes part in a random city: kinds, participants, bodies, domains, pools by name. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/city_internal.h"

#define ALL_TYPES ((BIT(CITY_TYPES) - 1) & ~UINT64_C(1))

static int add_kind(struct city *c, const char *name, enum city_part part, uint64_t may_send)
{
	struct city_kind *k = &c->kinds[c->n_kinds];

	city_add(k->name, sizeof k->name, "%s", name);
	k->part = part;
	k->may_send = may_send & ALL_TYPES;
	return c->n_kinds++;
}

static uint64_t some_types(struct city *c)
{
	uint64_t types = BIT(TYPE(ANSWER)) | BIT(TYPE(INFORMATION_RESPONSE));

	types |= city_once_in(c, 3) ? ALL_TYPES & ~city_random(c, 0) : city_random(c, 0);
	return types;
}

static void make_kinds(struct city *c)
{
	unsigned offices = (unsigned)city_random(c, 7);
	char name[] = "office_a";

	add_kind(c, "authority", CITY_AUTHORITY, ALL_TYPES);
	add_kind(c, "division", CITY_DIVISION, some_types(c));
	add_kind(c, "duty_office", CITY_DUTY, BIT(TYPE(ANSWER)) | BIT(TYPE(VISIT_REQUEST)));
	for (unsigned i = 0; i < offices; i++, name[strlen("office_")]++)
		add_kind(c, name, CITY_OFFICE, some_types(c));
	if (city_once_in(c, 2))
		add_kind(c, "watcher", CITY_WATCHER, BIT(TYPE(RISK_SIGNAL)));
	if (city_once_in(c, 2))
		add_kind(c, "operator", CITY_OPERATOR, 0);
}

static int add_person(struct city *c, int kind)
{
	struct city_participant *p = &c->people[c->n_people];
	char *dash;

	city_add(p->name, sizeof p->name, "%s-%d", c->kinds[kind].name, ++c->kinds[kind].n);
	while ((dash = strchr(p->name, '_')))
		*dash = '-';
	p->kind = kind;
	p->head = -1;
	/* The heads of heads come to an end: each is somebody who came earlier. */
	if (c->n_people > 0 && city_random(c, 3))
		p->head = (int)city_random(c, (uint64_t)c->n_people);
	if (p->head >= 0 && (c->kinds[c->people[p->head].kind].part == CITY_WATCHER ||
			     c->kinds[c->people[p->head].kind].part == CITY_OPERATOR))
		p->head = -1;
	p->elsewhere = c->kinds[kind].part == CITY_OFFICE && city_once_in(c, 5);
	return c->n_people++;
}

static void make_participants(struct city *c)
{
	int wanted = 5 + (int)city_random(c, city_once_in(c, 3) ? 36 : 14);

	for (int k = 0; k < c->n_kinds; k++)
		add_person(c, k);
	add_person(c, 0);
	while (c->n_people < wanted) {
		int kind = (int)city_random(c, (uint64_t)c->n_kinds);
		if (c->kinds[kind].part == CITY_AUTHORITY || c->kinds[kind].part == CITY_OFFICE ||
		    city_once_in(c, 3))
			add_person(c, kind);
	}
}

bool city_may_be_named(const struct city *c, int who)
{
	enum city_part part = c->kinds[c->people[who].kind].part;

	if (c->people[who].gone)
		return false;
	return part == CITY_AUTHORITY || part == CITY_OFFICE || part == CITY_DUTY;
}

int city_pick(struct city *c)
{
	for (;;) {
		int who = (int)city_random(c, (uint64_t)c->n_people);
		if (city_may_be_named(c, who))
			return who;
	}
}

int city_division(struct city *c)
{
	for (;;) {
		int who = (int)city_random(c, (uint64_t)c->n_people);
		if (c->kinds[c->people[who].kind].part == CITY_DIVISION && !c->people[who].gone)
			return who;
	}
}

/* Ranks go without gaps among those of the hub's own jurisdiction; who is elsewhere is first. */
static void make_domains(struct city *c)
{
	static const char *const names[CITY_DOMAINS_MAX] = { "emotional", "legal", "medical",
							     "care" };

	c->n_domains = (int)city_random(c, CITY_DOMAINS_MAX + 1);
	for (int d = 0; d < c->n_domains; d++) {
		unsigned providers = 1 + (unsigned)city_random(c, 4);
		int last = 0;
		city_add(c->domains[d], sizeof c->domains[d], "%s", names[d]);
		for (unsigned i = 0; i < providers; i++) {
			struct city_participant *p = &c->people[city_pick(c)];
			if (p->domains & 1U << d)
				continue;
			p->domains |= 1U << d;
			p->ranks[d] = p->elsewhere || last == 0
					      ? 1
					      : 1 + (int)city_random(c, (uint64_t)last + 1);
			if (!p->elsewhere && p->ranks[d] > last)
				last = p->ranks[d];
		}
	}
}

static void make_body(struct city *c, int kind, bool council)
{
	static const char *const roles[CITY_ROLES_MAX] = { "chair", "second", "third", "fourth" };
	struct city_body *b = &c->bodies[c->n_bodies];

	b->kind = kind;
	b->council = council;
	b->each = city_once_in(c, 2);
	b->n_roles = 1 + (int)city_random(c, CITY_ROLES_MAX);
	city_add(b->name, sizeof b->name, "%s-%d", council ? "council" : "team", ++c->n_bodies);
	for (int r = 0; r < b->n_roles; r++) {
		unsigned n = r == 0 ? 1 : 1 + (unsigned)city_random(c, 3);
		city_add(b->roles[r], sizeof b->roles[r], "%s", roles[r]);
		for (unsigned i = 0; i < n; i++)
			b->members[r] |= UINT64_C(1) << city_pick(c);
	}
}

static void make_bodies(struct city *c)
{
	int n = (int)city_random(c, CITY_BODIES_MAX + 1);
	int team = add_kind(c, "team", CITY_BODY, 0);
	int council = add_kind(c, "council", CITY_BODY, 0);

	for (int i = 0; i < n; i++) {
		bool is_council = city_once_in(c, 2);
		make_body(c, is_council ? council : team, is_council);
	}
}

void city_set_keeper(struct city *c, struct city_pool *p, int who)
{
	p->keeper = who;
	c->kinds[c->people[who].kind].may_send |= BIT(TYPE(ANSWER)) | BIT(TYPE(PLACEMENT_NOTICE)) |
						  BIT(TYPE(PLACE_RETURNED)) |
						  BIT(TYPE(CAPACITY_REPORT));
}

static void make_pools(struct city *c)
{
	c->n_pools = (int)city_random(c, CITY_POOLS_MAX + 1);
	for (int i = 0; i < c->n_pools; i++) {
		struct city_pool *p = &c->pools[i];
		city_add(p->name, sizeof p->name, "house-%d", i + 1);
		city_add(p->kind, sizeof p->kind, "%s",
			 city_once_in(c, 2) ? "shelter" : "day_place");
		city_set_keeper(c, p, city_pick(c));
	}
}

void city_make_people(struct city *c)
{
	make_kinds(c);
	make_participants(c);
	make_domains(c);
	make_bodies(c);
	make_pools(c);
}

/* ---- as text ---- */

static void print_may_send(struct city *c, uint64_t types)
{
	char word[64];
	const char *comma = "";

	if (types == ALL_TYPES || types == 0) {
		fprintf(c->out, "    may_send: %s\n", types ? "all" : "none");
		return;
	}
	fprintf(c->out, "    may_send: [");
	for (int type = 1; type < CITY_TYPES; type++) {
		if (!(types & BIT(type)))
			continue;
		city_type_word(type, word, sizeof word);
		fprintf(c->out, "%s%s", comma, word);
		comma = ", ";
	}
	fprintf(c->out, "]\n");
}

static void print_kinds(struct city *c)
{
	fprintf(c->out, "kinds:\n");
	for (int i = 0; i < c->n_kinds; i++) {
		const struct city_kind *k = &c->kinds[i];
		fprintf(c->out, "  %s:\n    title: {en: Kind %d, ko: 종류 %d}\n", k->name, i, i);
		print_may_send(c, k->may_send);
		if (k->part == CITY_WATCHER)
			fprintf(c->out, "    hears: status\n    reads: none\n");
	}
}

static void print_languages(struct city *c)
{
	static const char *const languages[] = { "[ko]", "[ko, vi]", "{vi: female, ko: any}",
						 "{zh: [female, male], en: any}", NULL };

	if (city_once_in(c, 3))
		fprintf(c->out, "    languages: %s\n", city_one_of(c, languages));
}

static void print_hours(struct city *c, int duty)
{
	static const char *const hours[] = { "\"09:00-22:00\"", "\"06:00-12:00\"",
					     "{default: \"08:00-20:00\", friday: \"08:00-12:00\"}",
					     "always", NULL };
	const char *chosen = city_once_in(c, 3) ? city_one_of(c, hours) : NULL;

	if (chosen)
		fprintf(c->out, "    hours: %s\n", chosen);
	if ((!chosen || *chosen != 'a') && city_once_in(c, 2))
		fprintf(c->out, "    duty: %s\n", c->people[duty].name);
}

/* Whose rank others' build upon has no gap in its time. */
static void print_agreement(struct city *c, const struct city_participant *p)
{
	if (p->domains || city_random(c, 6))
		return;
	fprintf(c->out, "    agreement: {from: 2026-01-01, until: 2026-%02u-15%s}\n",
		(unsigned)(3 + city_random(c, 6)),
		city_once_in(c, 2) ? ", warn_before: 5 d, tells: \"role:authority\"" : "");
}

static void print_domains_of(struct city *c, const struct city_participant *p)
{
	const char *comma = "";

	if (!p->domains)
		return;
	fprintf(c->out, "    domains: [");
	for (int d = 0; d < c->n_domains; d++)
		if (p->domains & 1U << d) {
			fprintf(c->out, "%s%s", comma, c->domains[d]);
			comma = ", ";
		}
	fprintf(c->out, "]\n    ranks: {");
	comma = "";
	for (int d = 0; d < c->n_domains; d++)
		if (p->domains & 1U << d) {
			fprintf(c->out, "%s%s: %d", comma, c->domains[d], p->ranks[d]);
			comma = ", ";
		}
	fprintf(c->out, "}\n");
}

static void print_participant(struct city *c, int who, int duty)
{
	const struct city_participant *p = &c->people[who];
	enum city_part part = c->kinds[p->kind].part;

	fprintf(c->out, "  %s:\n    kind: %s\n    title: {en: P%d, ko: 참%d}\n", p->name,
		c->kinds[p->kind].name, who, who);
	if (p->elsewhere)
		fprintf(c->out, "    jurisdiction: \"%s\"\n", who % 2 ? "41210" : "41");
	if (c->agencies)
		fprintf(c->out, "    agency: %s\n", p->name);
	if (p->head >= 0)
		fprintf(c->out, "    head: %s\n", c->people[p->head].name);
	print_domains_of(c, p);
	print_languages(c);
	if (part == CITY_DUTY)
		fprintf(c->out, "    hours: always\n");
	else
		print_hours(c, duty);
	print_agreement(c, p);
	if (part == CITY_OPERATOR)
		fprintf(c->out, "    views: [queues]\n");
}

static void print_body(struct city *c, const struct city_body *b)
{
	fprintf(c->out,
		"  %s:\n    kind: %s\n    title: {en: Body, ko: 모임}\n    mode: %s\n    roles:\n",
		b->name, c->kinds[b->kind].name, b->each ? "each" : "any");
	for (int r = 0; r < b->n_roles; r++) {
		const char *comma = "";
		fprintf(c->out, "      %s: [", b->roles[r]);
		for (int i = 0; i < c->n_people; i++)
			if (b->members[r] & UINT64_C(1) << i) {
				fprintf(c->out, "%s%s", comma, c->people[i].name);
				comma = ", ";
			}
		fprintf(c->out, "]\n");
	}
	fprintf(c->out, "    %s: %s\n", b->council ? "convener" : "lead", b->roles[0]);
}

void city_print_people(struct city *c)
{
	int duty = 0;

	if (c->n_domains) {
		fprintf(c->out, "domains: [");
		for (int d = 0; d < c->n_domains; d++)
			fprintf(c->out, "%s%s", d ? ", " : "", c->domains[d]);
		fprintf(c->out, "]\n");
	}
	print_kinds(c);
	while (c->people[duty].gone || c->kinds[c->people[duty].kind].part != CITY_DUTY)
		duty++;
	fprintf(c->out, "participants:\n");
	for (int i = 0; i < c->n_people; i++)
		if (!c->people[i].gone)
			print_participant(c, i, duty);
	if (c->n_bodies)
		fprintf(c->out, "bodies:\n");
	for (int i = 0; i < c->n_bodies; i++)
		print_body(c, &c->bodies[i]);
}
