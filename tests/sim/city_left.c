/* Who leaves a random city with one edition and comes back with another, or doesn't: participants,
 * bodies and roles, and who takes their places. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/city_internal.h"

enum { EDITIONS = 8 }; /* within which they leave */

static bool is_away(const struct city *c, unsigned leaves_at, unsigned returns_at)
{
	return leaves_at && c->edition >= leaves_at && (!returns_at || c->edition < returns_at);
}

/* When, of those who leave at all. */
static void choose_time(struct city *c, unsigned *leaves_at, unsigned *returns_at)
{
	*leaves_at = 1 + (unsigned)city_random(c, EDITIONS);
	*returns_at = city_once_in(c, 3) ? *leaves_at + 1 + (unsigned)city_random(c, EDITIONS) : 0;
}

/* ---- participants ---- */

/* Of some parts there is always somebody; whose rank others' build upon stays. */
static bool may_go(const struct city *c, const struct city_participant *p)
{
	const struct city_kind *kind = &c->kinds[p->kind];
	bool needed = kind->part == CITY_AUTHORITY || kind->part == CITY_DIVISION ||
		      kind->part == CITY_DUTY;

	return !p->domains && (!needed || kind->n > 1);
}

static bool may_succeed(const struct city *c, const struct city_participant *p)
{
	enum city_part part = c->kinds[p->kind].part;

	return !p->gone && part != CITY_WATCHER && part != CITY_OPERATOR;
}

/* From that one on, the next who is there. */
static int successor(const struct city *c, int from)
{
	while (!may_succeed(c, &c->people[from]))
		from = (from + 1) % c->n_people;
	return from;
}

static void let_people_leave(struct city *c)
{
	for (int i = 0; i < c->n_people; i++) {
		struct city_participant *p = &c->people[i];
		p->to = city_once_in(c, 4) ? -1 : (int)city_random(c, (uint64_t)c->n_people);
		if (city_random(c, 5))
			continue;
		unsigned leaves_at, returns_at;
		choose_time(c, &leaves_at, &returns_at);
		p->gone = is_away(c, leaves_at, returns_at) && may_go(c, p);
		c->kinds[p->kind].n -= p->gone;
	}
	for (int i = 0; i < c->n_people; i++)
		if (c->people[i].gone && c->people[i].to >= 0)
			c->people[i].to = successor(c, c->people[i].to);
}

/* Who stands in its place in what the file says of others: mostly not who gets what it had. */
static int in_place(const struct city *c, int who)
{
	while (!city_may_be_named(c, who))
		who = (who + 1) % c->n_people;
	return who;
}

static void fill_roles(struct city *c, struct city_body *b)
{
	for (int r = 0; r < b->n_roles; r++) {
		uint64_t before = b->members[r];
		for (int i = 0; i < c->n_people; i++)
			if (c->people[i].gone)
				b->members[r] &= ~(UINT64_C(1) << i);
		for (int i = 0; i < c->n_people && !b->members[r]; i++)
			if (before & UINT64_C(1) << i)
				b->members[r] = UINT64_C(1) << in_place(c, i);
	}
}

static void fill_places(struct city *c)
{
	for (int i = 0; i < c->n_people; i++)
		while (c->people[i].head >= 0 && c->people[c->people[i].head].gone)
			c->people[i].head = c->people[c->people[i].head].head;
	for (int b = 0; b < c->n_bodies; b++)
		fill_roles(c, &c->bodies[b]);
	for (int i = 0; i < c->n_pools; i++)
		city_set_keeper(c, &c->pools[i], in_place(c, c->pools[i].keeper));
}

/* ---- bodies ---- */

static struct city_left *add_left(struct city *c)
{
	if (c->n_left == CITY_LEFT_MAX)
		abort();
	return &c->left[c->n_left++];
}

static void let_body_leave(struct city *c, int at)
{
	struct city_left *left = add_left(c);

	city_add(left->name, sizeof left->name, "%s", c->bodies[at].name);
	memmove(&c->bodies[at], &c->bodies[at + 1],
		(size_t)(--c->n_bodies - at) * sizeof c->bodies[0]);
}

static void let_role_leave(struct city *c, struct city_body *b)
{
	struct city_left *left = add_left(c);

	b->n_roles--;
	city_add(left->name, sizeof left->name, "%s/%s", b->name, b->roles[b->n_roles]);
}

/* A body that is still there, one of its roles, or a participant. */
static void choose_place(struct city *c, struct city_left *left)
{
	int who = successor(c, (int)city_random(c, (uint64_t)c->n_people));
	uint64_t how = city_random(c, 3);

	if (c->n_bodies == 0 || how == 0) {
		city_add(left->to, sizeof left->to, "%s", c->people[who].name);
		return;
	}
	const struct city_body *b = &c->bodies[city_random(c, (uint64_t)c->n_bodies)];
	city_add(left->to, sizeof left->to, "%s", b->name);
	if (how == 1 && !b->each)
		city_add(left->to, sizeof left->to, "/%s", b->roles[0]);
}

static void let_bodies_leave(struct city *c)
{
	bool goes[CITY_BODIES_MAX] = { false }, loses[CITY_BODIES_MAX] = { false };

	for (int i = 0; i < c->n_bodies; i++) {
		unsigned leaves_at, returns_at;
		choose_time(c, &leaves_at, &returns_at);
		bool away = is_away(c, leaves_at, returns_at);
		goes[i] = city_once_in(c, 5) && away;
		loses[i] = city_once_in(c, 4) && away;
	}
	for (int i = c->n_bodies - 1; i >= 0; i--)
		if (goes[i])
			let_body_leave(c, i);
		else if (loses[i] && c->bodies[i].n_roles > 1)
			let_role_leave(c, &c->bodies[i]);
	for (int i = 0; i < c->n_left; i++)
		choose_place(c, &c->left[i]);
}

/* ---- all ---- */

void city_let_leave(struct city *c)
{
	let_people_leave(c);
	fill_places(c);
	let_bodies_leave(c);
}

void city_print_left(struct city *c)
{
	const char *title = "left:\n";

	for (int i = 0; i < c->n_people; i++) {
		const struct city_participant *p = &c->people[i];
		if (!p->gone || p->to < 0)
			continue;
		fprintf(c->out, "%s  %s: {to: %s}\n", title, p->name, c->people[p->to].name);
		title = "";
	}
	for (int i = 0; i < c->n_left; i++, title = "")
		fprintf(c->out, "%s  %s: {to: %s}\n", title, c->left[i].name, c->left[i].to);
}
