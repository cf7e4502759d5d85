/* Closing a case: not while somebody owes something, and then everyone who referred hears. */
#include <stdio.h>
#include <string.h>

#include "broker/core/case_clock.h"
#include "broker/core/cases.h"
#include "broker/core/submit.h"
#include "broker/core/task.h"

enum { CLOSING_NAMED_MAX = 3, TYPE_WORD_BYTES = 48 };

static const char *type_word(uint8_t type, char out[TYPE_WORD_BYTES])
{
	const ProtobufCEnumValue *v =
		protobuf_c_enum_descriptor_get_value(&ieum__v1__message_type__descriptor, type);

	snprintf(out, TYPE_WORD_BYTES, "%s", v ? v->name + strlen("MESSAGE_TYPE_") : "?");
	for (char *at = out; *at; at++)
		*at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
	return out;
}

/* What is in the way, the first few by name. */
struct hindrances {
	char text[CORE_DETAIL_BYTES];
	size_t used;
	unsigned n;
};

static void add(struct hindrances *h, const char *kind, const char *of, const char *name)
{
	if (h->n++ >= CLOSING_NAMED_MAX)
		return;
	int more = snprintf(h->text + h->used, sizeof h->text - h->used, "%s%s %s'%.40s'",
			    h->used ? ", " : "", kind, of, name);
	h->used += more > 0 ? (size_t)more : 0;
	h->used = h->used < sizeof h->text ? h->used : sizeof h->text - 1;
}

static void add_requests(const struct submission *s, const struct task *but, struct hindrances *h)
{
	for (uint32_t th = case_at(s->c, s->core_case)->open.head; th;
	     th = task_at(s->c, th)->case_next) {
		const struct task *t = task_at(s->c, th);
		if (t == but || !t->blocks_closing)
			continue;
		uint32_t asked = t->holder    ? t->holder
				 : t->n_asked ? t->asked[t->n_asked - 1].mailbox
					      : 0;
		char type[TYPE_WORD_BYTES];
		add(h, type_word(referral_at(s->c, t->referral)->type, type), "of ",
		    state_mailbox_name(s->c, asked));
	}
}

/* A time that something else has to stop is not over because a case is; as the policy says now. */
static void add_clocks(const struct submission *s, struct hindrances *h)
{
	for (uint32_t ch = case_at(s->c, s->core_case)->clocks.head; ch;
	     ch = case_clock_at(s->c, ch)->next) {
		const struct case_clock *k = case_clock_at(s->c, ch);
		const char *name = names_text(&s->c->names, k->name);
		const struct policy_clock *clock =
			policy_clock(s->p, policy_find_clock(s->p, name));
		if (case_clock_going(k) && clock && clock->blocks_closing)
			add(h, "clock", "", name);
	}
}

enum ieum_err closing_check(struct submission *s, const struct task *but)
{
	struct hindrances h = { 0 };

	add_requests(s, but, &h);
	add_clocks(s, &h);
	if (h.n == 0)
		return IEUM_E_OK;
	return decision_refuse(s->d, IEUM_E_DOMAIN_OPEN, "%u open: %s", h.n, h.text);
}

enum ieum_err closing_carry_out(struct submission *s)
{
	struct core_case *k = case_at(s->c, referral_at(s->c, s->closes->referral)->core_case);
	Ieum__V1__Reason reason = (Ieum__V1__Reason)s->closes->effect_reason;

	if (decision_case_state(s->c, s->d, k->id, NULL) == IEUM__V1__CASE_STATE__CASE_STATE_CLOSED)
		return IEUM_E_OK;
	Ieum__V1__CaseChanged *e = decision_case_changed(s->d, s->now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, k->id };
	e->state = IEUM__V1__CASE_STATE__CASE_STATE_CLOSED;
	e->reason = reason;
	struct occasion o;
	enum ieum_err err = occasion_of_time(s->c, s->p, s->d, s->now,
					     referral_at(s->c, s->closes->referral)->core_case, &o);
	if (err)
		return err;
	/* Those too whom this very message excludes. */
	o.excluded = s->excluded;
	o.n_excluded = s->context.n_excluded;
	return outcome_of_case(&o, reason);
}
