/* Asking a policy what it would do; see explain.h. */
#include "broker/policy/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void explain_case_init(struct explain_case *c)
{
	*c = (struct explain_case){ .owner = POLICY_NONE };
}

int explain_find_counter(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < policy_counters(p); i++) {
		if (strcmp(policy_counter(p, (int)i)->name, name) == 0)
			return (int)i;
	}
	return POLICY_NONE;
}

int explain_find_gate(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < policy_gates(p); i++) {
		if (strcmp(policy_gate(p, (int)i)->name, name) == 0)
			return (int)i;
	}
	return POLICY_NONE;
}

static bool exclude(struct explain_case *c, int participant)
{
	for (size_t i = 0; i < c->n_excluded; i++) {
		if (c->excluded[i] == participant)
			return true;
	}
	if (c->n_excluded == EXPLAIN_EXCLUDED_MAX)
		return false;
	c->excluded[c->n_excluded++] = participant;
	return true;
}

/* Whom the message itself declares; an unknown name is a refusal, as it is in a hub. */
static enum ieum_err exclude_declared(const struct policy *p, const Ieum__V1__Envelope *e,
				      struct explain_case *c, struct explanation *x)
{
	for (size_t i = 0; i < e->n_excluded_participants; i++) {
		int who = policy_find_participant(p, e->excluded_participants[i]);

		if (who == POLICY_NONE) {
			(void)snprintf(x->detail, sizeof x->detail,
				       "envelope.excluded_participants: '%.64s' is not listed",
				       e->excluded_participants[i]);
			x->err = IEUM_E_ADDRESSEE_UNKNOWN;
			return IEUM_E_OK;
		}
		if (!exclude(c, who))
			return IEUM_E_FIELD_TOO_LARGE;
	}
	return IEUM_E_OK;
}

struct looking {
	struct explanation *x;
	size_t room;
	bool no_memory;
};

static void keep_look(void *ctx, const struct policy_look *look)
{
	struct looking *l = ctx;

	if (l->x->n_looks == l->room) {
		size_t room = l->room ? 2 * l->room : 16;
		struct policy_look *more = realloc(l->x->looks, room * sizeof *more);

		if (!more) {
			l->no_memory = true;
			return;
		}
		l->x->looks = more;
		l->room = room;
	}
	l->x->looks[l->x->n_looks++] = *look;
}

enum ieum_err explain(const struct policy *p, const Ieum__V1__Referral *message, int sender,
		      int64_t now_ms, const struct explain_case *c, struct explanation **out)
{
	struct explanation *x = calloc(1, sizeof *x);
	struct looking looking = { .x = x };
	struct policy_trace trace = { .look_cb = keep_look, .ctx = &looking };
	struct explain_case known = *c;
	enum ieum_err err;

	if (!x)
		return IEUM_E_NO_MEMORY;
	err = exclude_declared(p, message->envelope, &known, x);
	if (!err && !x->err) {
		const struct policy_context ctx = {
			.referral = message,
			.sender = sender,
			.now_ms = now_ms,
			.case_category = known.category,
			.case_state = known.state,
			.case_jurisdiction = known.jurisdiction,
			.case_grade = known.grade,
			.case_owner = known.owner,
			.counts = known.counts,
			.consent_withdrawn = known.consent_withdrawn,
			.linked_set = known.linked_set,
			.gates_open = known.gates_open,
			.replied_type = known.replied_type,
			.excluded = known.excluded,
			.n_excluded = known.n_excluded,
			.trace = &trace,
		};

		x->err = policy_decide(p, &ctx, &x->decision, x->detail, sizeof x->detail);
		if (!x->err) {
			explain_counts(p, &ctx, x);
			explain_acts(p, &ctx, x);
		}
	}
	if (!err && looking.no_memory)
		err = IEUM_E_NO_MEMORY;
	if (err) {
		explanation_free(x);
		return err;
	}
	*out = x;
	return IEUM_E_OK;
}

void explanation_free(struct explanation *x)
{
	if (!x)
		return;
	free(x->looks);
	free(x);
}

const char *explain_local_time(const struct policy *p, int64_t unix_ms,
			       char out[EXPLAIN_TIME_BYTES])
{
	char text[YAML_TIME_TEXT_BYTES];

	out[0] = '\0';
	/* "2026-03-02T14:00:00+09:00", without what every reader knows. */
	if (unix_ms == 0 ||
	    !yaml_format_time_us(unix_ms * 1000, policy_offset_min(p, unix_ms), text))
		return out;
	text[10] = ' ';
	int n = strncmp(text + 16, ":00", 3) == 0 ? 16 : 19;
	(void)snprintf(out, EXPLAIN_TIME_BYTES, "%.*s", n, text);
	return out;
}

bool explain_parse_time(const struct policy *p, const char *text, int64_t *unix_ms)
{
	char whole[YAML_TIME_TEXT_BYTES];
	size_t n = strlen(text);
	int64_t us, offset_ms;

	if (yaml_parse_time_us(text, &us)) {
		*unix_ms = us / 1000;
		return true;
	}
	if ((n != 16 && n != 19) || (text[10] != ' ' && text[10] != 'T'))
		return false;
	(void)snprintf(whole, sizeof whole, "%.10sT%s%sZ", text, text + 11, n == 16 ? ":00" : "");
	if (!yaml_parse_time_us(whole, &us))
		return false;
	/* The offset of the moment itself, which is known only with the offset: near enough at
	 * first, then right, except within an hour that a change of the clocks doubles or skips. */
	offset_ms = policy_offset_min(p, us / 1000) * INT64_C(60000);
	offset_ms = policy_offset_min(p, us / 1000 - offset_ms) * INT64_C(60000);
	*unix_ms = us / 1000 - offset_ms;
	return true;
}
