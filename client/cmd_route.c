/* ieum route explain: which rules a message meets and why, offline, from the hub file alone. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/command.h"
#include "client/explained.h"
#include "client/hub_policy.h"
#include "client/message.h"
#include "client/trouble.h"
#include "client/values.h"

static enum exit_code needs(const struct invocation *inv, enum arguments_option option)
{
	if (given(inv, option))
		return EXIT_DONE;
	return trouble_usage(inv, TEXT_OPTION_MISSING, arguments_option_name(option));
}

static enum exit_code take_sender(const struct invocation *inv, const struct policy *p, int *out)
{
	const char *name = value_of(inv, OPTION_SENDER);

	*out = policy_find_participant(p, name);
	if (*out == POLICY_NONE && strcmp(name, "hub") != 0)
		return trouble_usage(inv, TEXT_PARTICIPANT_UNKNOWN, name);
	return EXIT_DONE;
}

static enum exit_code take_time(const struct invocation *inv, const struct policy *p, int64_t *out)
{
	*out = (int64_t)time(NULL) * 1000;
	if (given(inv, OPTION_AT) && !explain_parse_time(p, value_of(inv, OPTION_AT), out))
		return trouble_usage(inv, TEXT_TIME_WRONG, value_of(inv, OPTION_AT));
	return EXIT_DONE;
}

static enum exit_code take_owner(const struct invocation *inv, const struct policy *p,
				 struct explain_case *c)
{
	if (!given(inv, OPTION_CASE_OWNER))
		return EXIT_DONE;
	c->owner = policy_find_mailbox(p, value_of(inv, OPTION_CASE_OWNER));
	if (c->owner == POLICY_NONE)
		return trouble_usage(inv, TEXT_MAILBOX_UNKNOWN, value_of(inv, OPTION_CASE_OWNER));
	return EXIT_DONE;
}

/* "a,b,c" */
static enum exit_code take_excluded(const struct invocation *inv, const struct policy *p,
				    struct explain_case *c)
{
	char *list = given(inv, OPTION_EXCLUDED) ? value_of(inv, OPTION_EXCLUDED) : NULL;
	char *rest = NULL;

	for (char *name = list ? strtok_r(list, ",", &rest) : NULL; name;
	     name = strtok_r(NULL, ",", &rest)) {
		int who = policy_find_participant(p, name);

		if (who == POLICY_NONE || c->n_excluded == EXPLAIN_EXCLUDED_MAX)
			return trouble_usage(inv, TEXT_PARTICIPANT_UNKNOWN, name);
		c->excluded[c->n_excluded++] = who;
	}
	return EXIT_DONE;
}

/* "dispatches=3,reports=2" */
static enum exit_code take_counted(const struct invocation *inv, const struct policy *p,
				   struct explain_case *c)
{
	char *list = given(inv, OPTION_COUNTED) ? value_of(inv, OPTION_COUNTED) : NULL;
	char *rest = NULL;

	for (char *one = list ? strtok_r(list, ",", &rest) : NULL; one;
	     one = strtok_r(NULL, ",", &rest)) {
		char *number = strchr(one, '=');
		enum exit_code code;
		uint64_t n = 0;
		int index;

		if (!number)
			return trouble_usage(inv, TEXT_NUMBER_WRONG, one);
		*number++ = '\0';
		index = explain_find_counter(p, one);
		if (index == POLICY_NONE)
			return trouble_usage(inv, TEXT_COUNTER_UNKNOWN, one);
		code = value_number(inv, number, 0, UINT32_MAX, &n);
		if (code)
			return code;
		c->counts[index] = (int64_t)n;
	}
	return EXIT_DONE;
}

static enum exit_code take_case(const struct invocation *inv, const struct policy *p,
				struct explain_case *c)
{
	enum exit_code code = EXIT_DONE;
	int word = 0;

	explain_case_init(c);
	if (given(inv, OPTION_CASE_CATEGORY))
		code = value_word(inv, &ieum__v1__category__descriptor,
				  value_of(inv, OPTION_CASE_CATEGORY), &word);
	c->category = (Ieum__V1__Category)word;
	word = 0;
	if (!code && given(inv, OPTION_CASE_STATE))
		code = value_word(inv, &ieum__v1__case_state__descriptor,
				  value_of(inv, OPTION_CASE_STATE), &word);
	c->state = (Ieum__V1__CaseState)word;
	word = 0;
	if (!code && given(inv, OPTION_REPLIES_TO))
		code = value_word(inv, &ieum__v1__message_type__descriptor,
				  value_of(inv, OPTION_REPLIES_TO), &word);
	c->replied_type = (Ieum__V1__MessageType)word;
	if (!code)
		code = take_owner(inv, p, c);
	if (!code)
		code = take_counted(inv, p, c);
	return code ? code : take_excluded(inv, p, c);
}

/* A message that says nothing of its case belongs to the one that the options tell of. */
static enum exit_code put_into_case(const struct invocation *inv, Ieum__V1__Referral *m,
				    int64_t now_ms)
{
	Ieum__V1__Envelope *e = m->envelope;
	bool told = given(inv, OPTION_CASE_CATEGORY) || given(inv, OPTION_CASE_STATE) ||
		    given(inv, OPTION_CASE_OWNER) || given(inv, OPTION_EXCLUDED);
	struct uuid7_source source = { 0 };
	uint8_t *id;

	if (!told || e->open_case || e->case_id.len > 0)
		return EXIT_DONE;
	id = malloc(UUID_BYTES);
	if (!id || uuid7_next(&source, (uint64_t)now_ms, id)) {
		free(id);
		return trouble(inv, IEUM_E_NO_MEMORY, NULL);
	}
	e->case_id = (ProtobufCBinaryData){ UUID_BYTES, id };
	return EXIT_DONE;
}

static enum exit_code explain_message(const struct invocation *inv, const struct policy *p,
				      Ieum__V1__Referral *m)
{
	struct explained e = { .policy = p, .message = m };
	struct explanation *x = NULL;
	struct explain_case c;
	enum exit_code code = take_sender(inv, p, &e.sender);
	enum ieum_err err;

	if (!code)
		code = take_time(inv, p, &e.at_ms);
	if (!code)
		code = take_case(inv, p, &c);
	if (!code)
		code = put_into_case(inv, m, e.at_ms);
	if (!code)
		code = message_name(inv, m, e.at_ms);
	if (!code)
		code = message_check(inv, m);
	if (code)
		return code;
	err = explain(p, m, e.sender, e.at_ms, &c, &x);
	if (err)
		return trouble(inv, err, NULL);
	e.x = x;
	code = explained_print(inv, &e);
	if (!code && x->err)
		code = EXIT_REFUSED;
	explanation_free(x);
	return code;
}

enum exit_code cmd_route(struct invocation *inv)
{
	Ieum__V1__Referral *m = NULL;
	struct policy *p = NULL;
	enum exit_code code = needs(inv, OPTION_HUB);

	if (!code)
		code = needs(inv, OPTION_SENDER);
	if (!code)
		code = hub_policy_load(inv, value_of(inv, OPTION_HUB), &p);
	if (!code)
		code = message_read(inv, inv->words[1], &m);
	if (!code) {
		code = explain_message(inv, p, m);
		ieum__v1__referral__free_unpacked(m, NULL);
	}
	policy_free(p);
	return code;
}
