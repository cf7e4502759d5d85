/* ieum answer: received, accept, reject, …; a message of its own, in reply to one. */
#include <stdlib.h>
#include <string.h>

#include "client/command.h"
#include "client/message.h"
#include "client/receipt.h"
#include "client/trouble.h"
#include "client/values.h"

static bool needs_reason(Ieum__V1__AnswerKind kind)
{
	return kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_REJECT ||
	       kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_FAIL ||
	       kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_ON_HOLD;
}

static enum exit_code take_words(const struct invocation *inv, Ieum__V1__Answer *a)
{
	enum exit_code code;
	int value = 0;

	code = value_word(inv, &ieum__v1__answer_kind__descriptor, inv->words[1], &value);
	a->kind = (Ieum__V1__AnswerKind)value;
	if (!code && given(inv, OPTION_REASON)) {
		code = value_word(inv, &ieum__v1__reason__descriptor, value_of(inv, OPTION_REASON),
				  &value);
		a->reason = (Ieum__V1__Reason)value;
	}
	if (!code && given(inv, OPTION_OUTCOME)) {
		code = value_word(inv, &ieum__v1__outcome__descriptor,
				  value_of(inv, OPTION_OUTCOME), &value);
		a->outcome = (Ieum__V1__Outcome)value;
	}
	return code;
}

/* `now_ms` counts for lengths of time: the hub's clock, once we know it. */
static enum exit_code take_times(const struct invocation *inv, Ieum__V1__Answer *a, int64_t now_ms)
{
	enum exit_code code = EXIT_DONE;

	if (given(inv, OPTION_UNTIL))
		code = value_time(inv, value_of(inv, OPTION_UNTIL), now_ms,
				  &a->more_time_until_at_ms);
	if (!code && given(inv, OPTION_SCHEDULED))
		code = value_time(inv, value_of(inv, OPTION_SCHEDULED), now_ms,
				  &a->scheduled_at_ms);
	return code;
}

static enum exit_code take_request(const struct invocation *inv, Ieum__V1__Answer *a)
{
	uint64_t number = 0;
	enum exit_code code = EXIT_DONE;

	if (given(inv, OPTION_REQUEST))
		code = value_number(inv, value_of(inv, OPTION_REQUEST), 1, UINT8_MAX, &number);
	a->request = (uint32_t)number;
	return code;
}

static enum exit_code take_answer(const struct invocation *inv, Ieum__V1__Answer *a)
{
	enum exit_code code = take_words(inv, a);

	if (!code)
		code = take_request(inv, a);
	if (!code)
		code = take_times(inv, a, 0);
	if (code)
		return code;
	if (needs_reason(a->kind) && !a->reason)
		return trouble_usage(inv, TEXT_ANSWER_NEEDS_REASON, inv->words[1]);
	if (a->kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_NEED_MORE_TIME &&
	    !given(inv, OPTION_UNTIL))
		return trouble_usage(inv, TEXT_ANSWER_NEEDS_UNTIL, inv->words[1]);
	if (given(inv, OPTION_REMARK)) {
		a->remark = strdup(value_of(inv, OPTION_REMARK));
		if (!a->remark)
			return trouble(inv, IEUM_E_NO_MEMORY, NULL);
	}
	return EXIT_DONE;
}

enum exit_code cmd_answer(struct invocation *inv)
{
	Ieum__V1__Referral *m = NULL;
	struct link *link = NULL;
	uint8_t to[UUID_BYTES];
	enum exit_code code = value_id(inv, inv->words[0], to);

	if (!code)
		code = message_answer(inv, to, &m);
	if (code)
		return code;
	code = take_answer(inv, m->answer);
	if (!code)
		code = message_add_text(inv, m);
	if (!code)
		code = link_open_to_submit(inv, &link);
	if (!code)
		code = take_times(inv, m->answer, link_hub_time_ms(link));
	if (!code)
		code = receipt_submit(inv, link, m);
	link_close(link);
	ieum__v1__referral__free_unpacked(m, NULL);
	return code;
}
