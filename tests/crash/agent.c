/* One connection of an agency: what it submits, and what it does with what it gets. */
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/crash/load_internal.h"
#include "tests/integration/peer.h"

enum {
	WINDOW = 32, /* submits without a receipt, per agent */
	CREDIT = 24,
	NARRATIVE_BYTES = 3000,
	ARENA_BYTES = 16 << 20,
};

/* ---- submitting ---- */

static void put_frame(struct agent *a, Ieum__V1__Frame *frame)
{
	frame->request_id = ++a->request_id;
	assert_int_equal(codec_put(channel_out(a->ch), frame), IEUM_E_OK);
	channel_flush(a->ch);
}

static void put_submit(struct agent *a, const struct sent *s)
{
	assert_int_equal(codec_put_submit(channel_out(a->ch), ++a->request_id, s->bytes, s->len),
			 IEUM_E_OK);
	channel_flush(a->ch);
	a->outstanding++;
}

/* Into the memory, then on the wire. */
static void submit(struct agent *a, const struct message *m)
{
	struct sent *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	memcpy(s->id, m->id, sizeof(s->id));
	s->len = ieum__v1__referral__get_packed_size(&m->referral);
	s->bytes = malloc(s->len);
	assert_non_null(s->bytes);
	ieum__v1__referral__pack(&m->referral, s->bytes);
	load_remember_sent(a->load, s);
	TAILQ_INSERT_TAIL(&a->owed, s, link);
	load_count_submit(a->load);
	put_submit(a, s);
}

/* Most are reports of a service, to one or to a shared inbox, in a new case or an old one; some
 * ask for an answer. */
static void submit_something(struct agent *a)
{
	struct load *l = a->load;
	char text[NARRATIVE_BYTES + 1];
	size_t len = load_random(l, NARRATIVE_BYTES);
	struct message m;

	memset(text, 'a' + (int)load_random(l, 26), len);
	text[len] = '\0';
	if (strcmp(a->role->participant, "town-ps") == 0 && load_random(l, 8) == 0) {
		message_report(&m, text);
	} else {
		message_service_report(&m, "town-head",
				       a->has_case && load_random(l, 2) ? a->case_id : NULL, text);
		if (load_random(l, 3)) {
			m.addressee.to_case = IEUM__V1__ADDRESSEE__TO_BODY;
			m.addressee.body = (char *)"town-desk";
		} else if (load_random(l, 2)) {
			m.addressee.participant = (char *)"town-aid";
		}
		m.envelope.urgency = (Ieum__V1__Urgency)load_random(l, 5);
	}
	submit(a, &m);
}

static void fill_window(struct agent *a)
{
	while (a->role->submits && !a->load->is_draining && a->outstanding < WINDOW)
		submit_something(a);
}

static void on_receipt(struct agent *a, const Ieum__V1__Receipt *r)
{
	struct load *l = a->load;
	struct sent *s = load_find_sent(l, r->message_id.data);

	if (!s) {
		load_broken(l, "a receipt for what was never sent");
		return;
	}
	a->outstanding--;
	l->counts.repeated += r->repeated ? 1 : 0;
	if (s->number && s->number != r->journal_number)
		load_broken(l, "a message has the receipts %llu and %llu",
			    (unsigned long long)s->number, (unsigned long long)r->journal_number);
	if (!s->number) {
		TAILQ_REMOVE(&a->owed, s, link);
		TAILQ_INSERT_TAIL(&a->receipted, s, link);
		l->counts.receipted++;
	}
	s->number = r->journal_number;
	memcpy(a->case_id, r->case_id.data,
	       r->case_id.len == sizeof(a->case_id) ? sizeof(a->case_id) : 0);
	a->has_case |= r->case_id.len == sizeof(a->case_id);
	fill_window(a);
}

/* ---- receiving ---- */

static void settle_held(struct agent *a)
{
	Ieum__V1__Settle settle = IEUM__V1__SETTLE__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	uint64_t ids[HELD_MAX];

	if (a->n_held == 0)
		return;
	for (unsigned i = 0; i < a->n_held; i++) {
		struct settling *s = calloc(1, sizeof(*s));

		assert_non_null(s);
		ids[i] = a->held[i]->id;
		s->delivered = a->held[i];
		s->request_id = a->request_id + 1;
		STAILQ_INSERT_TAIL(&a->settling, s, link);
	}
	settle.done = ids;
	settle.n_done = a->n_held;
	frame.what_case = IEUM__V1__FRAME__WHAT_SETTLE;
	frame.settle = &settle;
	put_frame(a, &frame);
	a->n_held = 0;
}

/* The hub may have taken these before it died, or not: it comes to the same. */
static void settle_unconfirmed(struct agent *a)
{
	struct settling *s;

	while ((s = STAILQ_FIRST(&a->unconfirmed))) {
		STAILQ_REMOVE_HEAD(&a->unconfirmed, link);
		a->held[a->n_held++] = s->delivered;
		free(s);
		if (a->n_held == HELD_MAX)
			settle_held(a);
	}
	settle_held(a);
}

static void refuse(struct agent *a, uint64_t id)
{
	Ieum__V1__DeliveryRefusal refusal = IEUM__V1__DELIVERY_REFUSAL__INIT, *refusals[1];
	Ieum__V1__Settle settle = IEUM__V1__SETTLE__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	refusal.delivery_id = id;
	refusal.reason = (char *)"not now";
	refusals[0] = &refusal;
	settle.refuse = refusals;
	settle.n_refuse = 1;
	frame.what_case = IEUM__V1__FRAME__WHAT_SETTLE;
	frame.settle = &settle;
	put_frame(a, &frame);
}

static void on_delivery(struct agent *a, const Ieum__V1__Delivery *d)
{
	struct load *l = a->load;
	struct delivered *known = load_find_delivered(l, d->delivery_id);
	struct message answer;

	if (known && known->is_settled) {
		load_broken(l, "delivery %llu comes after its Settled",
			    (unsigned long long)d->delivery_id);
		return;
	}
	l->counts.redelivered += known ? 1 : 0;
	if (!known) {
		known = calloc(1, sizeof(*known));
		assert_non_null(known);
		known->id = d->delivery_id;
		load_remember_delivered(l, known);
		l->counts.delivered++;
		if (d->answer_by_at_ms) {
			message_answer(&answer, d->referral->envelope->message_id.data,
				       IEUM__V1__ANSWER_KIND__ANSWER_KIND_COMPLETE);
			submit(a, &answer);
		}
	}
	if (load_random(l, 20) == 0) {
		refuse(a, d->delivery_id);
		return;
	}
	a->held[a->n_held++] = known;
	if (a->n_held == HELD_MAX || load_random(l, 3) || l->is_draining)
		settle_held(a);
}

static void on_settled(struct agent *a, uint64_t through)
{
	struct settling *s;

	while ((s = STAILQ_FIRST(&a->settling)) && s->request_id <= through) {
		STAILQ_REMOVE_HEAD(&a->settling, link);
		a->load->counts.settled += s->delivered->is_settled ? 0 : 1;
		s->delivered->is_settled = true;
		free(s);
	}
}

/* ---- connections ---- */

static void on_welcome(struct agent *a)
{
	Ieum__V1__Credit credit = IEUM__V1__CREDIT__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	struct sent *s;

	a->is_welcome = true;
	TAILQ_FOREACH(s, &a->owed, link) {
		put_submit(a, s);
	}
	credit.deliveries = CREDIT;
	frame.what_case = IEUM__V1__FRAME__WHAT_CREDIT;
	frame.credit = &credit;
	put_frame(a, &frame);
	if (a->load->is_draining || load_random(a->load, 2))
		settle_unconfirmed(a);
	fill_window(a);
}

static void on_error(struct agent *a, const Ieum__V1__Error *e)
{
	/* While it stops it may say so; nothing else is expected. */
	if (e->code != IEUM_E_STOPPING)
		load_broken(a->load, "%s: %s %s", a->role->participant, e->name, e->detail);
}

static void on_frame(struct agent *a, const struct frame_view *view)
{
	struct codec_problem problem;
	struct codec_frame decoded;
	struct arena arena;
	uint8_t *bytes;

	arena_init(&arena, ARENA_BYTES);
	bytes = arena_copy(&arena, view->payload, view->len);
	if (codec_decode(bytes, view->len, CODEC_FROM_HUB, &arena, &decoded, &problem)) {
		load_broken(a->load, "a frame that is not valid: %s", problem.detail);
		arena_release(&arena);
		return;
	}
	switch (decoded.frame->what_case) {
	case IEUM__V1__FRAME__WHAT_WELCOME: on_welcome(a); break;
	case IEUM__V1__FRAME__WHAT_RECEIPT: on_receipt(a, decoded.frame->receipt); break;
	case IEUM__V1__FRAME__WHAT_DELIVERY: on_delivery(a, decoded.frame->delivery); break;
	case IEUM__V1__FRAME__WHAT_SETTLED:
		on_settled(a, decoded.frame->settled->through_request_id);
		break;
	case IEUM__V1__FRAME__WHAT_ERROR: on_error(a, decoded.frame->error); break;
	case IEUM__V1__FRAME__WHAT_GOODBYE: break;
	default:
		load_broken(a->load, "frame %d came unasked", (int)decoded.frame->what_case);
		break;
	}
	arena_release(&arena);
}

static void hello(struct agent *a)
{
	Ieum__V1__Hello h = IEUM__V1__HELLO__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	h.version_min = h.version_max = 1;
	frame.what_case = IEUM__V1__FRAME__WHAT_HELLO;
	frame.hello = &h;
	put_frame(a, &frame);
}

void agent_forget_connection(struct agent *a)
{
	STAILQ_CONCAT(&a->unconfirmed, &a->settling);
	a->ch = NULL;
	a->is_welcome = false;
	a->request_id = 0;
	a->outstanding = a->n_held = 0;
}

void agent_channel_cb(struct channel *ch, enum channel_event event, const struct frame_view *view,
		      void *arg)
{
	struct agent *a = arg;
	bool any = false;

	switch (event) {
	case CHANNEL_READY: hello(a); break;
	case CHANNEL_FRAME:
		if (!a->load->trouble[0])
			on_frame(a, view);
		break;
	case CHANNEL_CLOSED:
		if (a->load->is_draining && channel_close_reason(ch) != CHANNEL_CLOSE_HERE)
			load_broken(a->load, "closed while nobody was killed: %s",
				    channel_close_text(ch));
		agent_forget_connection(a);
		for (int i = 0; i < AGENTS; i++)
			any |= a->load->agents[i].ch != NULL;
		if (!any)
			event_base_loopbreak(a->load->base);
		break;
	case CHANNEL_TURN_END:
	case CHANNEL_DRAINED:
	case CHANNEL_BROKEN: break;
	}
}
