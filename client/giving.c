/* Keys for newcomers; see giving.h. */
#include "client/giving.h"

#include <stdlib.h>

#include "client/details.h"
#include "client/shown.h"

/* A key_request that is being answered, or a key_wrap that is being tried. */
struct giving {
	LIST_ENTRY(giving) link;
	struct giver *giver;
	uint64_t delivery_id;
	bool came; /* it is our key */
	char to[SHOWN_BYTES];
	char message[UUID_TEXT_BYTES]; /* that is sealed */
};

static void say_given(const struct giving *g, const struct ieum_failure *failure)
{
	const struct invocation *inv = g->giver->inv;
	char detail[DETAILS_BYTES];

	if (inv->json || (g->came && (!failure || failure->code != IEUM_E_NOT_SEALED)))
		return;
	if (g->came)
		fprintf(inv->out, say(inv, TEXT_KEY_WRONG), g->message);
	else if (failure)
		fprintf(inv->out, say(inv, TEXT_KEY_NOT_WRAPPED), g->to, g->message,
			*failure->detail ? details_in(inv->lang, failure->detail, detail)
					 : failure->name);
	else
		fprintf(inv->out, say(inv, TEXT_KEY_WRAPPED), g->to, g->message);
	fputs("\n\n", inv->out);
	fflush(inv->out);
}

static void answered(struct ieum *c, const uint8_t *message_id, const Ieum__V1__Receipt *receipt,
		     const struct ieum_failure *failure, void *arg)
{
	struct giving *g = arg;
	/* Asked again on the next connection; or a colleague's to give, who has the key. */
	bool again = failure && (failure->code == IEUM_E_CONNECTION_LOST ||
				 failure->code == IEUM_E_KEY_MISSING);

	(void)c, (void)message_id, (void)receipt;
	LIST_REMOVE(g, link);
	if (!again)
		say_given(g, failure);
	g->giver->done(g->giver->ctx, g->delivery_id,
		       again ? IEUM_SETTLE_RELEASE : IEUM_SETTLE_DONE);
	free(g);
}

bool giving_wanted(const struct giver *giver, const Ieum__V1__Delivery *d)
{
	if (d->referral->body_case == IEUM__V1__REFERRAL__BODY_KEY_WRAP)
		return true;
	return !giver->inv->profile->ask_to_wrap &&
	       d->referral->body_case == IEUM__V1__REFERRAL__BODY_KEY_REQUEST;
}

bool giving_start(struct giver *giver, struct ieum *c, const Ieum__V1__Delivery *d)
{
	const Ieum__V1__Referral *m = d->referral;
	struct giving *g = calloc(1, sizeof *g);
	enum ieum_err err;

	if (!g)
		return false;
	g->giver = giver;
	g->delivery_id = d->delivery_id;
	g->came = m->body_case == IEUM__V1__REFERRAL__BODY_KEY_WRAP;
	snprintf(g->to, sizeof g->to, "%s",
		 g->came ? m->key_wrap->participant : m->key_request->participant);
	shown_id(g->came ? &m->key_wrap->message_id : &m->key_request->message_id, g->message);
	err = g->came ? ieum_key_check(c, m, answered, g, NULL)
		      : ieum_key_wrap(c, m, answered, g, NULL);
	if (err) {
		free(g);
		return false;
	}
	LIST_INSERT_HEAD(&giver->list, g, link);
	return true;
}

bool giving_any(const struct giver *giver)
{
	return !LIST_EMPTY(&giver->list);
}

void giving_drop(struct giver *giver)
{
	struct giving *g;

	while ((g = LIST_FIRST(&giver->list))) {
		LIST_REMOVE(g, link);
		free(g);
	}
}
