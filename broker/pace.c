#include "broker/pace.h"

#include <string.h>

static struct pace_kind *kind_of(struct pace *p, const char *what)
{
	unsigned i;

	/* The same literal is nearly always the same pointer. */
	for (i = 0; i < p->n_kinds; i++)
		if (p->kinds[i].what == what)
			return &p->kinds[i];
	for (i = 0; i < p->n_kinds; i++)
		if (strcmp(p->kinds[i].what, what) == 0)
			return &p->kinds[i];
	if (p->n_kinds == PACE_KINDS_MAX)
		return &p->kinds[PACE_KINDS_MAX - 1];
	p->kinds[p->n_kinds].what = what;
	return &p->kinds[p->n_kinds++];
}

void pace_took(struct pace *p, const char *what, int64_t us)
{
	struct pace_kind *kind = kind_of(p, what);

	kind->n++;
	if (us > kind->longest_us)
		kind->longest_us = us;
	if (us <= PACE_MAX_US)
		return;
	kind->over++;
	log_limited(&p->lines, pace_wall_us() / 1000, LOG_WARN, "loop_held", LOG_S("by", what),
		    LOG_I("us", us));
}

void pace_since(struct pace *p, const char *what, int64_t began_us)
{
	pace_took(p, what, pace_now_us() - began_us);
}

void pace_turn(struct pace *p)
{
	p->turn_began_us = pace_now_us();
}

void pace_request(struct pace *p, const char *what, int64_t began_wall_us)
{
	int64_t us = pace_wall_us() - began_wall_us;

	if (us > PACE_MAX_US) {
		int64_t used_us = pace_now_us() - p->turn_began_us;

		us = used_us < us ? used_us : us;
	}
	pace_took(p, what, us);
}

void pace_tell(const struct pace *p)
{
	for (unsigned i = 0; i < p->n_kinds; i++)
		log_info("loop", LOG_S("by", p->kinds[i].what), LOG_U("times", p->kinds[i].n),
			 LOG_I("longest_us", p->kinds[i].longest_us),
			 LOG_U("over_1ms", p->kinds[i].over));
}
