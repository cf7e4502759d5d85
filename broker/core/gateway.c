/* Messages that a participant's gateway sends for a person of its agency: the person is recorded
 * beside the certificate's actor, as "gateway for person".  Who answers for it stays the
 * participant; the hub knows nothing of the person but the name that is stated. */
#include "broker/core/gateway.h"

#include <stdio.h>
#include <string.h>

#include "broker/core/submit.h"

static void name_both(const char *gateway, const char *person, char out[GATEWAY_ACTOR_BYTES])
{
	(void)snprintf(out, GATEWAY_ACTOR_BYTES, GATEWAY_ACTOR, gateway, person);
}

enum ieum_err gateway_check(const struct submission *s)
{
	const char *person = s->envelope->on_behalf_of;
	const struct core *c = s->c;
	char both[GATEWAY_ACTOR_BYTES];

	if (!*person)
		return IEUM_E_OK;
	if (!s->who.who->gateway)
		return decision_refuse(
			s->d, IEUM_E_NOT_PERMITTED,
			"envelope.on_behalf_of: '%.64s' is no gateway in the hub file",
			s->who.who->name);
	name_both(state_actor_name(c, connection_at(c, s->who.connection)->actor), person, both);
	if (state_find_actor(c, s->who.participant, both))
		return IEUM_E_OK;
	if (c->n_actors == CORE_ACTORS_MAX)
		return decision_refuse(s->d, IEUM_E_HUB_FULL, "too many different actors");
	if (c->participants[s->who.participant - 1].n_actors >= CORE_PERSONS_MAX)
		return decision_refuse(s->d, IEUM_E_SENDER_FULL,
				       "envelope.on_behalf_of: more than %d different persons; "
				       "state who it is, not the session or the request",
				       CORE_PERSONS_MAX);
	return IEUM_E_OK;
}

uint32_t gateway_actor(struct core *c, uint32_t actor, const char *person)
{
	char both[GATEWAY_ACTOR_BYTES];

	if (!actor || !*person)
		return actor;
	name_both(state_actor_name(c, actor), person, both);
	return state_actor(c, c->actors[actor - 1].participant, both);
}
