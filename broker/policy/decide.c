/* Whom a message reaches, who owes an answer by when, and what else the rules do.
 *
 * In order: may the sender send this at all; whom did it name; then every rule of the type
 * from the top of the file to its end.  All rules that match apply.  A mailbox gets the
 * message once, and the first rule that asks it decides its request and clock; the first
 * rule that says an owner or a case state decides that.  Excluded participants are left
 * out while addresses are resolved, so no rule can reach them.
 *
 * No allocation; the decision is written entry by entry because it is large. */
#include "broker/policy/decide.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "broker/policy/trace_rule.h"
#include "ieum/v1/types.pb-c.h"
#include "proto/pbmap.h"

enum ieum_err decide_refuse(struct deciding *d, enum ieum_err err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(d->detail, d->detail_bytes, format, args);
	va_end(args);
	return err;
}

const char *decide_type_word(const struct deciding *d, char word[PBMAP_WORD_BYTES])
{
	(void)pbmap_enum_word(&ieum__v1__message_type__descriptor, (int)d->s.type, word);
	return word;
}

static const char *sender_kind_name(const struct deciding *d)
{
	return d->s.sender_kind == POLICY_KIND_HUB ? "hub" : d->s.p->kinds[d->s.sender_kind].name;
}

/* A conflict that this very message declares does not stop it: somebody has to be able to
 * say so. */
static bool sender_excluded(const struct deciding *d)
{
	const struct policy_context *ctx = d->s.ctx;
	const char *name = d->s.p->participants[ctx->sender].name;
	bool excluded = false;

	for (size_t i = 0; i < ctx->n_excluded; i++)
		excluded |= ctx->excluded[i] == ctx->sender;
	for (size_t i = 0; excluded && i < d->s.envelope->n_excluded_participants; i++)
		excluded = strcmp(d->s.envelope->excluded_participants[i], name) != 0;
	return excluded;
}

static enum ieum_err check_sender(struct deciding *d)
{
	char word[PBMAP_WORD_BYTES];

	if (!(d->s.p->participants[d->s.ctx->sender].may_send & UINT64_C(1) << d->s.type))
		return decide_refuse(d, IEUM_E_NOT_PERMITTED,
				     "participants of kind '%s' may not send %s",
				     sender_kind_name(d), decide_type_word(d, word));
	if (d->s.ctx->n_excluded > 0 && sender_excluded(d))
		return decide_refuse(d, IEUM_E_CONFLICT_OF_INTEREST,
				     "'%s' is excluded from this case; it cannot send into it",
				     d->s.p->participants[d->s.ctx->sender].name);
	return IEUM_E_OK;
}

static enum ieum_err check_type(struct deciding *d)
{
	const struct policy_type *type = &d->s.p->types[d->s.type];
	const Ieum__V1__Envelope *e = d->s.envelope;
	char word[PBMAP_WORD_BYTES];

	if (e->open_case && !type->may_open)
		return decide_refuse(d, IEUM_E_NOT_PERMITTED,
				     "envelope.open_case: %s cannot open a case",
				     decide_type_word(d, word));
	if (type->needs_case && e->case_id.len == 0 && !e->open_case)
		return decide_refuse(d, IEUM_E_FIELD_MISSING,
				     "envelope.case_id: %s belongs to a case%s",
				     decide_type_word(d, word),
				     type->may_open ? "; name it or set open_case" : "; name it");
	if (e->open_case && e->category == 0)
		return decide_refuse(d, IEUM_E_FIELD_MISSING,
				     "envelope.category: a new case needs one");
	if (type->needs_reply_to && e->in_reply_to.len == 0)
		return decide_refuse(d, IEUM_E_FIELD_MISSING,
				     "envelope.in_reply_to: %s replies to a message",
				     decide_type_word(d, word));
	/* Were it left out, the person might seem to be safe at any time. */
	size_t fault = e->safe_contact ? policy_contact_fault(e->safe_contact) : 0;

	if (e->safe_contact && fault < e->safe_contact->n_windows)
		return decide_refuse(d, IEUM_E_FIELD_INVALID,
				     "envelope.safe_contact.windows[%zu]: ends before it begins",
				     fault);
	if (type->needs_basis && d->s.basis == 0)
		return decide_refuse(d, IEUM_E_LEGAL_BASIS_MISSING,
				     "envelope.legal_basis: %s needs one",
				     decide_type_word(d, word));
	return IEUM_E_OK;
}

bool policy_knows_article(const struct policy *p, const char *article)
{
	bool known = p->n_articles == 0;

	for (size_t i = 0; i < p->n_articles && !known; i++)
		known = strcmp(p->articles[i], article) == 0;
	return known;
}

/* Where the hub file lists its statutes, an article that nobody knows is no basis. */
static enum ieum_err check_article(struct deciding *d)
{
	const Ieum__V1__LegalBasis *basis = d->s.envelope->legal_basis;

	const Ieum__V1__InformationRequest *asked =
		d->s.type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_INFORMATION_REQUEST ? d->s.body
										      : NULL;
	const char *unknown = NULL;

	if (basis && basis->kind == IEUM__V1__BASIS_KIND__BASIS_KIND_STATUTORY &&
	    !policy_knows_article(d->s.p, basis->article))
		unknown = basis->article;
	for (size_t i = 0; asked && i < asked->n_item_bases && !unknown; i++)
		if (!policy_knows_article(d->s.p, asked->item_bases[i]->article))
			unknown = asked->item_bases[i]->article;
	return unknown ? decide_refuse(d, IEUM_E_LEGAL_BASIS_MISSING,
				       "'%.80s' is none of the articles in legal_bases of the hub "
				       "file",
				       unknown)
		       : IEUM_E_OK;
}

enum ieum_err decide_route(struct deciding *d, int mailbox, Ieum__V1__DeliveryCause cause, int task)
{
	struct policy_decision *out = d->out;

	for (size_t i = 0; i < out->n_routes; i++) {
		if (out->routes[i].mailbox != mailbox)
			continue;
		if (out->routes[i].task < 0)
			out->routes[i].task = task;
		return IEUM_E_OK;
	}
	if (out->n_routes == POLICY_ROUTES_MAX)
		return decide_refuse(d, IEUM_E_FIELD_TOO_LARGE,
				     "more than %d mailboxes would get this", POLICY_ROUTES_MAX);
	out->routes[out->n_routes++] =
		(struct policy_route){ .mailbox = mailbox, .cause = cause, .task = task };
	return IEUM_E_OK;
}

static enum ieum_err route_addressees(struct deciding *d)
{
	const char *missing = addressees_resolve(&d->s, &d->addressed);

	if (missing)
		return decide_refuse(d, IEUM_E_ADDRESSEE_UNKNOWN, "envelope.addressees: '%.64s'",
				     missing);
	if (d->addressed.n == 0 && d->addressed.excluded > 0)
		return decide_refuse(
			d, IEUM_E_CONFLICT_OF_INTEREST,
			"envelope.addressees: everyone named is excluded from this case");
	if (d->addressed.n == 0)
		return decide_refuse(d, IEUM_E_NO_ROUTE,
				     "envelope.addressees: nobody of that role in %s",
				     d->s.jurisdiction);
	if (d->addressed.full)
		return decide_refuse(d, IEUM_E_FIELD_TOO_LARGE,
				     "more than %d mailboxes would get this", POLICY_ROUTES_MAX);
	for (size_t i = 0; i < d->addressed.n; i++) {
		d->out->routes[i] = (struct policy_route){
			.mailbox = d->addressed.at[i],
			.cause = IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ADDRESSED,
			.task = -1
		};
	}
	d->out->n_routes = d->addressed.n;
	return IEUM_E_OK;
}

/* What two rules say of one message is done once, as the first says.  Clocks know themselves what
 * a second start means, holds that one message holds places once, and a grade that it is set. */
static bool is_said(const struct policy_decision *out, const struct policy_act *act)
{
	bool has_index = act->kind == POLICY_ACT_OPEN_GATE;

	if (act->kind == POLICY_ACT_CLOCK || act->kind == POLICY_ACT_HOLD ||
	    act->kind == POLICY_ACT_GRADE)
		return false;
	for (size_t i = 0; i < out->n_acts; i++)
		if (out->acts[i].kind == act->kind &&
		    (!has_index || out->acts[i].index == act->index))
			return true;
	return false;
}

/* What has no room is not left out in silence: it may be what a law asks for. */
static enum ieum_err add_consequences(struct deciding *d, const struct rule *rule)
{
	struct policy_decision *out = d->out;
	bool full = out->n_emits + rule->n_emits > POLICY_EMITS_MAX;

	for (size_t i = 0; i < rule->n_emits && !full; i++)
		out->emits[out->n_emits++] = rule->emits[i];
	for (size_t i = 0; i < rule->n_acts && !full; i++) {
		if (is_said(out, &rule->acts[i]))
			continue;
		full = out->n_acts == POLICY_ACTS_MAX;
		if (!full)
			out->acts[out->n_acts++] = rule->acts[i];
	}
	if (!full)
		return IEUM_E_OK;
	return decide_refuse(d, IEUM_E_FIELD_TOO_LARGE,
			     "rule '%s' is one too many: together they would set off more than %d "
			     "acts, or %d messages",
			     rule->name, POLICY_ACTS_MAX, POLICY_EMITS_MAX);
}

static enum ieum_err apply_effects(struct deciding *d, const struct rule *rule)
{
	struct policy_decision *out = d->out;
	struct mailbox_list owner;

	if (out->n_rules < POLICY_RULES_MATCHED_MAX)
		out->rules[out->n_rules++] = rule->name;
	if (rule->closing)
		out->closing = true;
	/* The more urgent, the smaller. */
	if (rule->urgency && rule->urgency < d->s.urgency)
		d->s.urgency = out->urgency = rule->urgency;
	if (rule->case_state && !out->case_state)
		out->case_state = rule->case_state;
	if (rule->owner && out->case_owner == POLICY_NONE) {
		mailbox_list_init(&owner);
		address_resolve(&d->s, rule->owner, &owner);
		if (owner.n > 0)
			out->case_owner = owner.at[0];
	}
	return add_consequences(d, rule);
}

/* The person may be with whoever must not hear of it. */
static enum ieum_err check_contact(struct deciding *d, const struct rule *rule)
{
	const struct field_ref *field = &rule->contact_at;
	const struct policy_contact *contact = d->s.ctx->case_contact;
	struct policy_contact stated;
	char word[PBMAP_WORD_BYTES];

	if (!field->name)
		return IEUM_E_OK;
	if (d->s.envelope->safe_contact) {
		policy_read_contact(d->s.envelope->safe_contact, &stated);
		contact = &stated;
	}
	if (!contact ||
	    policy_is_safe_contact(d->s.p, contact, body_number(&d->s, field->of[d->s.type])))
		return IEUM_E_OK;
	return decide_refuse(d, IEUM_E_UNSAFE_CONTACT_TIME, "%s.%s: rule '%s'",
			     decide_type_word(d, word), field->name, rule->name);
}

static enum ieum_err apply_rule(struct deciding *d, const struct rule *rule)
{
	enum ieum_err err = check_contact(d, rule);

	if (err)
		return err;
	if (rule->forbid)
		return decide_refuse(d, IEUM_E_NOT_PERMITTED, "rule '%s': %s", rule->name,
				     rule->forbid);
	if (rule->needs_basis && !(rule->needs_basis & 1U << d->s.basis)) {
		if (!d->lacks_basis)
			d->lacks_basis = rule;
		return IEUM_E_OK;
	}
	enum ieum_err closed = gate_check(d, rule);
	if (closed)
		return closed;
	enum ieum_err full = apply_effects(d, rule);
	if (full)
		return full;
	return rule->n_to > 0 || rule->ranked.used ? decide_recipients(d, rule) : IEUM_E_OK;
}

static enum ieum_err refuse_nobody(struct deciding *d)
{
	char words[120];

	if (d->lacks_basis) {
		trace_words(&ieum__v1__basis_kind__descriptor, d->lacks_basis->needs_basis, words,
			    sizeof words);
		return decide_refuse(d, IEUM_E_LEGAL_BASIS_MISSING, "rule '%s' needs the basis %s",
				     d->lacks_basis->name, words);
	}
	if (d->emptied_by_conflict)
		return decide_refuse(d, IEUM_E_CONFLICT_OF_INTEREST,
				     "everyone whom the rules name is excluded from this case");
	return decide_refuse(d, IEUM_E_NO_ROUTE,
			     "no rule names a recipient for %s from kind '%s' in %s",
			     decide_type_word(d, words), sender_kind_name(d), d->s.jurisdiction);
}

/* The core brings these back to the referrer, whatever the rules add. */
static bool is_answer(const struct deciding *d)
{
	return d->s.type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER ||
	       (d->s.p->types[d->s.type].acts_as_answer && d->s.envelope->in_reply_to.len > 0);
}

/* That it is traffic, which starts clocks anew, is not enough for a message that reaches nobody. */
static bool does_something(const struct policy_decision *out)
{
	for (size_t i = 0; i < out->n_acts; i++)
		if (out->acts[i].kind != POLICY_ACT_CLOCK ||
		    out->acts[i].verb != IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_RESTARTED)
			return true;
	return false;
}

static enum ieum_err finish(struct deciding *d)
{
	const struct policy_context *ctx = d->s.ctx;
	struct policy_decision *out = d->out;

	if (out->n_routes == 0 && out->n_emits == 0 && !does_something(out) && !is_answer(d))
		return refuse_nobody(d);
	if (!d->s.envelope->open_case || out->case_owner != POLICY_NONE)
		return IEUM_E_OK;
	/* Someone is always responsible: whoever opened the case until a rule says another.  Who
	 * hears no more than a status can't be. */
	if (ctx->sender != POLICY_NONE && !d->s.p->participants[ctx->sender].hears_status)
		out->case_owner = d->s.p->participants[ctx->sender].mailbox;
	else if (out->n_routes > 0)
		out->case_owner = out->routes[0].mailbox;
	else if (ctx->sender != POLICY_NONE)
		return decide_refuse(d, IEUM_E_NO_ROUTE,
				     "nobody would own the case: kind '%s' hears only a status",
				     sender_kind_name(d));
	return IEUM_E_OK;
}

static void begin(struct deciding *d, const struct policy *p, const struct policy_context *ctx,
		  struct policy_decision *out)
{
	scope_init(&d->s, p, ctx);
	mailbox_list_init(&d->addressed);
	d->out = out;
	d->lacks_basis = NULL;
	d->emptied_by_conflict = false;
	d->texts_full = false;
	out->n_step_text_bytes = 0;
	out->n_routes = out->n_tasks = out->n_rules = out->n_emits = out->n_acts = 0;
	out->case_owner = POLICY_NONE;
	out->case_state = IEUM__V1__CASE_STATE__CASE_STATE_UNSPECIFIED;
	out->urgency = d->s.urgency;
	out->closing = out->depends_on_counts = false;
}

enum ieum_err policy_decide(const struct policy *p, const struct policy_context *ctx,
			    struct policy_decision *out, char *detail, size_t detail_bytes)
{
	struct deciding d;
	enum ieum_err err = IEUM_E_OK;

	d.detail = detail;
	d.detail_bytes = detail_bytes;
	begin(&d, p, ctx, out);
	if (!d.s.envelope || (int)d.s.type <= 0 || (int)d.s.type >= POLICY_TYPES)
		return decide_refuse(&d, IEUM_E_FIELD_MISSING, "envelope.type");
	if (ctx->sender != POLICY_NONE) {
		err = check_sender(&d);
		if (!err)
			err = check_type(&d);
		if (!err)
			err = check_article(&d);
		if (!err)
			err = anonymity_check(&d);
	}
	if (!err && d.s.envelope->n_addressees > 0)
		err = route_addressees(&d);

	const struct rules_of_type *rules = &p->of_type[d.s.type];

	for (size_t i = 0; !err && i < rules->n; i++) {
		const struct rule *rule = rules->rules[i];
		const char *unmet = condition_unmet(&rule->when, &d.s);
		size_t n_routes = out->n_routes, n_tasks = out->n_tasks;

		if (!unmet)
			err = apply_rule(&d, rule);
		else if (rule->when.n_counts > 0)
			out->depends_on_counts |= condition_depends(&rule->when, &d.s);
		if (ctx->trace)
			trace_rule(&d, rule, unmet, err, n_routes, n_tasks);
	}
	if (!err)
		gate_add_signal(&d);
	if (!err && d.s.envelope->answer_within_ms > 0)
		err = decide_sender_deadline(&d);
	if (!err)
		err = decide_duty(&d);
	return err ? err : finish(&d);
}
