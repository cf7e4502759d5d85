/* Random addresses, and ladders that ask somebody new with each step. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/city_internal.h"

enum { EACH_MAX = 16 }; /* requests that one message may make */

static int role_box(int body, int role)
{
	return CITY_PARTICIPANTS_MAX + body * CITY_ROLES_MAX + role;
}

static void reach_role(const struct city *c, struct city_reach *reach, int body, int role)
{
	const struct city_body *b = &c->bodies[body];

	if (!b->each)
		reach->in[role_box(body, role)] = true;
	for (int i = 0; b->each && i < c->n_people; i++)
		if (b->members[role] & UINT64_C(1) << i)
			reach->in[i] = true;
}

static void body_address(struct city *c, struct city_reach *reach, char out[CITY_TEXT_BYTES])
{
	int body = (int)city_random(c, (uint64_t)c->n_bodies);
	const struct city_body *b = &c->bodies[body];
	int role = (int)city_random(c, (uint64_t)b->n_roles);

	switch (city_random(c, 3)) {
	case 0:
		city_add(out, CITY_TEXT_BYTES, "%s:%s", b->council ? "convener" : "lead", b->name);
		reach_role(c, reach, body, 0);
		break;
	case 1:
		city_add(out, CITY_TEXT_BYTES, "body:%s/%s", b->name, b->roles[role]);
		reach_role(c, reach, body, role);
		break;
	default:
		city_add(out, CITY_TEXT_BYTES, "body:%s", b->name);
		for (role = 0; role < b->n_roles; role++)
			reach_role(c, reach, body, role);
	}
}

static void kind_address(struct city *c, struct city_reach *reach, char out[CITY_TEXT_BYTES])
{
	int kind = c->people[city_pick(c)].kind;

	city_add(out, CITY_TEXT_BYTES, "\"role:%s\"", c->kinds[kind].name);
	for (int i = 0; i < c->n_people; i++)
		if (c->people[i].kind == kind && !c->people[i].gone)
			reach->in[i] = true;
}

static void provider_address(struct city *c, struct city_reach *reach, char out[CITY_TEXT_BYTES])
{
	int d = (int)city_random(c, (uint64_t)c->n_domains);

	city_add(out, CITY_TEXT_BYTES, "\"provider:%s\"", c->domains[d]);
	for (int i = 0; i < c->n_people; i++)
		if (c->people[i].domains & 1U << d)
			reach->in[i] = true;
}

void city_address(struct city *c, struct city_reach *reach, char out[CITY_TEXT_BYTES])
{
	int who = city_pick(c);

	out[0] = '\0';
	switch (city_random(c, 8)) {
	case 0:
	case 1: kind_address(c, reach, out); return;
	case 2:
	case 3:
		if (c->n_bodies) {
			body_address(c, reach, out);
			return;
		}
		break;
	case 4:
		if (c->n_domains) {
			provider_address(c, reach, out);
			return;
		}
		break;
	case 5:
		city_add(out, CITY_TEXT_BYTES, "case_owner");
		reach->unknown = true;
		return;
	default: break;
	}
	city_add(out, CITY_TEXT_BYTES, "%s", c->people[who].name);
	reach->in[who] = true;
}

/* ---- ladders ---- */

static int count(const struct city_reach *reach)
{
	int n = 0;

	for (int i = 0; i < CITY_BOXES_MAX; i++)
		n += reach->in[i];
	return n;
}

static bool all_have_heads(const struct city *c, const struct city_reach *reach)
{
	for (int i = 0; i < c->n_people; i++)
		if (reach->in[i] && c->people[i].head < 0)
			return false;
	for (int b = 0; b < c->n_bodies; b++)
		for (int r = 0; r < c->bodies[b].n_roles; r++)
			for (int i = 0; i < c->n_people; i++)
				if (reach->in[role_box(b, r)] &&
				    c->bodies[b].members[r] & UINT64_C(1) << i &&
				    c->people[i].head < 0)
					return false;
	return true;
}

const char *city_duration(struct city *c)
{
	static const char *const texts[] = { "10 min",
					     "2 h",
					     "1 d",
					     "3 business days",
					     "4 business hours",
					     "30 h",
					     "1 business day",
					     "5 d",
					     "45 min",
					     NULL };

	return city_one_of(c, texts);
}

static void add_step(struct city *c, struct city_rule *r, const char *to, bool last)
{
	static const char *const causes[] = { "silence", "rejection", "either", NULL };

	city_add(r->what, sizeof r->what, "      - {to: %s", to);
	/* Asked again but seldom: a play lasts months, and each of its steps checks every delivery. */
	if (city_once_in(c, 2))
		city_add(r->what, sizeof r->what, ", within: %s",
			 last && city_once_in(c, 3) ? "8 d, repeat: true" : city_duration(c));
	if (!last && city_once_in(c, 2))
		city_add(r->what, sizeof r->what, ", on: %s", city_one_of(c, causes));
	city_add(r->what, sizeof r->what, "}\n");
}

/* Steps to somebody who wasn't asked, then one to a division, which nobody else names. */
void city_ladder(struct city *c, struct city_rule *r, struct city_reach *reach, bool each)
{
	static const char *const stops[] = { "received", "decided", "completed", NULL };
	unsigned n = (unsigned)city_random(c, 3);
	int who = city_division(c);

	city_add(r->what, sizeof r->what, "    answer_within: %s\n", city_duration(c));
	if (city_once_in(c, 2))
		city_add(r->what, sizeof r->what, "    stops_at: %s\n", city_one_of(c, stops));
	if (city_once_in(c, 5))
		city_add(r->what, sizeof r->what, "    clock_from: occurred\n");
	if (each && !reach->unknown && count(reach) <= EACH_MAX)
		city_add(r->what, sizeof r->what, "    each: true\n");
	if (city_once_in(c, 4))
		city_add(r->what, sizeof r->what, "    blocks_closing: true\n");
	city_add(r->what, sizeof r->what, "    then:\n");
	for (unsigned i = 0; i < n; i++) {
		struct city_reach more = *reach;
		char to[CITY_TEXT_BYTES];
		if (!reach->unknown && city_once_in(c, 3) && all_have_heads(c, reach)) {
			add_step(c, r, "head", false);
			reach->unknown = true;
			continue;
		}
		city_address(c, &more, to);
		if (more.unknown == reach->unknown && count(&more) == count(reach))
			continue;
		*reach = more;
		add_step(c, r, to, false);
	}
	add_step(c, r, c->people[who].name, true);
}
