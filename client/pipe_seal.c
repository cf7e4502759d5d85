/* ieum pipe: sealed narratives are opened for whoever reads, and keys are given to newcomers; see
 * pipe.h. */
#include <stdlib.h>
#include <string.h>

#include "client/opened.h"
#include "client/pipe.h"
#include "client/trouble.h"
#include "ieum/v1/frame.pb-c.h"

/* ---- opening ---- */

/* A message in protobuf's own mapping keeps to its fields: what was opened stands beside it, as
 * [{"part": 0, …}].  The caller's; NULL: nothing was. */
static json_t *lifted_out(json_t *referral)
{
	json_t *list = NULL, *part;
	size_t i;

	json_array_foreach(json_object_get(referral, "narrative"), i, part)
	{
		json_t *opened = json_object_get(part, "opened");

		if (!opened)
			continue;
		json_object_set_new(opened, "part", json_integer((json_int_t)i));
		list = list ? list : json_array();
		json_array_append(list, opened);
		json_object_del(part, "opened");
	}
	return list;
}

json_t *pipe_open(struct pipe *p, json_t *referral, const Ieum__V1__Referral *m, const char *sender,
		  int64_t received_at_ms)
{
	struct ieum_opened *opened = opened_of(p->inv, m, sender, received_at_ms);
	enum ieum_err err = opened_into_json(referral, m, opened, &p->style);

	ieum_opened_free(opened);
	if (err)
		pipe_abort(p, trouble(p->inv, err, NULL));
	return p->style.canonical ? lifted_out(referral) : NULL;
}

/* ---- keys for newcomers ---- */

/* A key_request that is being answered. */
struct pipe_giving {
	LIST_ENTRY(pipe_giving) link;
	struct pipe *pipe;
	uint64_t delivery_id;
	json_t *about; /* whom, of which message */
};

static void forget(struct pipe_giving *g)
{
	LIST_REMOVE(g, link);
	json_decref(g->about);
	free(g);
}

void pipe_drop_giving(struct pipe *p)
{
	struct pipe_giving *g;

	while ((g = LIST_FIRST(&p->giving))) {
		LIST_REMOVE(g, link);
		json_decref(g->about);
		free(g);
	}
}

static void settled(struct ieum *c, uint64_t delivery_id, const struct ieum_failure *failure,
		    void *arg)
{
	struct pipe_giving *g = arg;
	struct pipe *p = g->pipe;

	(void)c, (void)delivery_id, (void)failure;
	forget(g);
	pipe_go_on(p);
}

/* On failure the hub asks the next holder; or us again on the next connection, or a colleague who has
 * the key. */
static void given_key(struct ieum *c, const uint8_t *message_id, const Ieum__V1__Receipt *receipt,
		      const struct ieum_failure *failure, void *arg)
{
	struct pipe_giving *g = arg;
	struct pipe *p = g->pipe;
	bool again = failure && (failure->code == IEUM_E_CONNECTION_LOST ||
				 failure->code == IEUM_E_KEY_MISSING);
	char room[PBMAP_WORD_BYTES];

	(void)message_id, (void)receipt;
	if (failure && !again)
		json_object_set_new(g->about, "error", pipe_error_json(p, failure, NULL));
	if (!again)
		pipe_say(p, pipe_key(p, failure ? "key_not_wrapped" : "key_wrapped", room),
			 json_incref(g->about));
	if (ieum_settle(c, g->delivery_id, again ? IEUM_SETTLE_RELEASE : IEUM_SETTLE_DONE, NULL,
			settled, g))
		forget(g);
	pipe_go_on(p);
}

bool pipe_give_key(struct pipe *p, const Ieum__V1__Delivery *d)
{
	const Ieum__V1__Referral *m = d->referral;
	struct pipe_giving *g;
	json_t *request;
	char room[PBMAP_WORD_BYTES];

	/* One that opens nothing is rejected; the program hears of both as of any message. */
	if (m->body_case == IEUM__V1__REFERRAL__BODY_KEY_WRAP)
		(void)!ieum_key_check(p->c, m, NULL, NULL, NULL);
	if (p->inv->profile->ask_to_wrap || m->body_case != IEUM__V1__REFERRAL__BODY_KEY_REQUEST)
		return false;
	g = calloc(1, sizeof *g);
	request = pipe_json(p, &m->key_request->base);
	if (!g || !request) {
		free(g);
		json_decref(request);
		return false;
	}
	*g = (struct pipe_giving){
		.pipe = p,
		.delivery_id = d->delivery_id,
		.about = json_pack("{s:O, s:O}", pipe_key(p, "message_id", room),
				   json_object_get(request, pipe_key(p, "message_id", room)),
				   "participant", json_object_get(request, "participant")),
	};
	json_decref(request);
	LIST_INSERT_HEAD(&p->giving, g, link);
	if (!ieum_key_wrap(p->c, m, given_key, g, NULL))
		return true;
	/* The program sees the request then, and may answer it itself. */
	forget(g);
	return false;
}
