/* Closing a case: not while somebody owes something, and then everyone who referred hears. */
#include <stdio.h>
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/submit.h"
#include "broker/core/task.h"

enum { CLOSING_NAMED_MAX = 3 };

static const char *type_word(uint8_t type)
{
	const ProtobufCEnumValue *v =
		protobuf_c_enum_descriptor_get_value(&ieum__v1__message_type__descriptor, type);

	return v ? v->name + strlen("MESSAGE_TYPE_") : "?";
}

enum ieum_err closing_check(struct submission *s, const struct task *but)
{
	char open[CORE_DETAIL_BYTES] = "";
	size_t used = 0;
	unsigned n = 0;

	for (uint32_t th = case_at(s->c, s->core_case)->open.head; th;
	     th = task_at(s->c, th)->case_next) {
		const struct task *t = task_at(s->c, th);
		if (t == but || !t->blocks_closing || n++ >= CLOSING_NAMED_MAX)
			continue;
		uint32_t asked = t->holder    ? t->holder
				 : t->n_asked ? t->asked[t->n_asked - 1].mailbox
					      : 0;
		int more =
			snprintf(open + used, sizeof open - used, "%s%s of '%.40s'",
				 used ? ", " : "", type_word(referral_at(s->c, t->referral)->type),
				 state_mailbox_name(s->c, asked));
		used += more > 0 ? (size_t)more : 0;
		used = used < sizeof open ? used : sizeof open - 1;
	}
	if (n == 0)
		return IEUM_E_OK;
	for (char *p = open; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return decision_refuse(s->d, IEUM_E_DOMAIN_OPEN, "%u open: %s", n, open);
}

enum ieum_err closing_carry_out(struct submission *s)
{
	struct core_case *k = case_at(s->c, referral_at(s->c, s->closes->referral)->core_case);
	Ieum__V1__Reason reason = (Ieum__V1__Reason)s->closes->effect_reason;

	if (case_closed(k))
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
