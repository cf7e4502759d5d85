#include "broker/refusals.h"

#include <stdio.h>

static struct refusal *set_of(struct refusals *r, uint32_t participant, enum ieum_err code)
{
	return r->place[(participant * 31u + (unsigned)code) % REFUSALS_SETS];
}

static void begin(struct refusal *p, uint32_t participant, enum ieum_err code, uint64_t connection,
		  const char *what, int64_t now_us)
{
	*p = (struct refusal){
		.used = true,
		.participant = participant,
		.code = code,
		.connection = connection,
		.since_us = now_us,
	};
	snprintf(p->what, sizeof(p->what), "%s", what);
}

bool refusals_count(struct refusals *r, uint32_t participant, enum ieum_err code,
		    uint64_t connection, const char *what, int64_t now_us, struct refusal *pushed)
{
	struct refusal *set = set_of(r, participant, code);
	struct refusal *place = &set[0];

	*pushed = (struct refusal){ .used = false };
	for (struct refusal *p = set; p < set + REFUSALS_WAYS; p++) {
		if (p->used && p->participant == participant && p->code == code) {
			if (p->count == 0 && now_us - p->since_us >= REFUSALS_WINDOW_US) {
				begin(p, participant, code, connection, what, now_us);
				return true;
			}
			p->count++;
			return false;
		}
		if (!p->used || (place->used && p->since_us < place->since_us))
			place = p;
	}
	if (place->used)
		*pushed = *place;
	begin(place, participant, code, connection, what, now_us);
	return true;
}

bool refusals_take(struct refusals *r, int64_t now_us, bool all, struct refusal *out)
{
	for (size_t s = 0; s < REFUSALS_SETS; s++) {
		for (struct refusal *p = r->place[s]; p < r->place[s] + REFUSALS_WAYS; p++) {
			if (!p->used || (!all && now_us - p->since_us < REFUSALS_WINDOW_US))
				continue;
			*out = *p;
			p->used = false;
			if (out->count)
				return true;
		}
	}
	return false;
}
