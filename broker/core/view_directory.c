/* What the policy knows: the directory, who the caller is, whom a message would reach. */
#include <stdio.h>
#include <string.h>

#include "broker/core/occasion.h"
#include "broker/core/submit.h"
#include "broker/core/cases.h"
#include "broker/core/view.h"

enum {
	REACH_BYTES = 256 * 1024,                 /* for counting, and deciding whom it reaches */
	DIRECTORY_CERTIFICATE_BYTES = 128 * 1024, /* of one page; past it the page ends */
};

/* ---- directory ---- */

static Ieum__V1__DirectoryEntry *entry_of(struct viewing *w, const char *name, const char *kind,
					  const char *jurisdiction, const char *en, const char *ko)
{
	Ieum__V1__DirectoryEntry *e = view_alloc(w, sizeof *e);

	if (!e)
		return NULL;
	*e = (Ieum__V1__DirectoryEntry)IEUM__V1__DIRECTORY_ENTRY__INIT;
	e->name = view_text(name);
	e->kind = view_text(kind);
	e->jurisdiction = view_text(jurisdiction);
	e->title_en = view_text(en ? en : "");
	e->title_ko = view_text(ko ? ko : "");
	return e;
}

/* "role: participant" for every one of every role. */
static enum ieum_err put_members(struct viewing *w, const struct policy_body *b,
				 Ieum__V1__DirectoryEntry *e)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n_mailboxes; i++)
		n += policy_mailbox(w->p, b->mailboxes[i])->n_consumers;
	e->members = view_alloc(w, n * sizeof *e->members);
	if (!e->members)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < b->n_mailboxes; i++) {
		const struct policy_mailbox *m = policy_mailbox(w->p, b->mailboxes[i]);
		const char *slash = strchr(m->name, '/');
		for (size_t k = 0; k < m->n_consumers; k++) {
			char *text = view_alloc(w, 2 * POLICY_NAME_BYTES + 2);
			if (!text)
				return IEUM_E_NO_MEMORY;
			snprintf(text, 2 * POLICY_NAME_BYTES + 2, "%.63s: %.63s",
				 slash ? slash + 1 : "member",
				 policy_participant(w->p, m->consumers[k])->name);
			e->members[e->n_members++] = text;
		}
	}
	return IEUM_E_OK;
}

/* Those that are valid now; how many bytes they are is added. */
static enum ieum_err put_certificates(struct viewing *w, const struct policy_participant *who,
				      Ieum__V1__DirectoryEntry *e, size_t *bytes)
{
	struct core_certificate known[CORE_CERTIFICATES_PER_PARTICIPANT];
	size_t n = certificates_of(w->c, who->number, to_ms(w->v->now), known,
				   CORE_CERTIFICATES_PER_PARTICIPANT);

	e->certificates = view_alloc(w, n * sizeof *e->certificates);
	if (!e->certificates)
		return IEUM_E_NO_MEMORY;
	for (; e->n_certificates < n; e->n_certificates++) {
		const struct core_certificate *k = &known[e->n_certificates];
		e->certificates[e->n_certificates] =
			(ProtobufCBinaryData){ k->der_len, (uint8_t *)k->der };
		*bytes += k->der_len;
	}
	return IEUM_E_OK;
}

/* Participants first, then bodies. */
static enum ieum_err directory_row(struct viewing *w, size_t i, const char *kind,
				   Ieum__V1__DirectoryEntry **out)
{
	size_t n_participants = policy_participants(w->p);

	*out = NULL;
	if (i < n_participants) {
		const struct policy_participant *who = policy_participant(w->p, (int)i);
		if ((*kind && strcmp(kind, who->kind) != 0) ||
		    (w->who.who->reads_nothing && who != w->who.who))
			return IEUM_E_OK;
		*out = entry_of(w, who->name, who->kind, who->jurisdiction, who->title_en,
				who->title_ko);
		if (!*out)
			return IEUM_E_NO_MEMORY;
		(*out)->n_domains = who->n_domains;
		(*out)->domains = (char **)who->domains;
		return IEUM_E_OK;
	}
	const struct policy_body *b = policy_body(w->p, (int)(i - n_participants));
	if ((*kind && strcmp(kind, b->kind) != 0) || w->who.who->reads_nothing)
		return IEUM_E_OK;
	*out = entry_of(w, b->name, b->kind, b->jurisdiction, b->title_en, b->title_ko);
	if (!*out)
		return IEUM_E_NO_MEMORY;
	(*out)->is_body = true;
	return put_members(w, b, *out);
}

static enum ieum_err put_title(struct viewing *w, Ieum__V1__DirectoryResult *r, const char *name,
			       const char *en, const char *ko)
{
	Ieum__V1__TitleEntry *t = view_alloc(w, sizeof *t);

	if (!t)
		return IEUM_E_NO_MEMORY;
	*t = (Ieum__V1__TitleEntry)IEUM__V1__TITLE_ENTRY__INIT;
	t->name = view_text(name);
	t->title_en = view_text(en);
	t->title_ko = view_text(ko);
	r->titles[r->n_titles++] = t;
	return IEUM_E_OK;
}

/* Names that messages and timelines speak of beside those of participants and bodies. */
static enum ieum_err put_titles(struct viewing *w, Ieum__V1__DirectoryResult *r)
{
	size_t clocks = policy_clocks(w->p), gates = policy_gates(w->p), pools = policy_pools(w->p);
	enum ieum_err err = IEUM_E_OK;

	r->titles = view_alloc(w, (clocks + gates + pools) * sizeof *r->titles);
	if (!r->titles)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < clocks && !err; i++) {
		const struct policy_clock *k = policy_clock(w->p, (int)i);
		err = put_title(w, r, k->name, k->title_en, k->title_ko);
	}
	for (size_t i = 0; i < gates && !err; i++) {
		const struct policy_gate *g = policy_gate(w->p, (int)i);
		err = put_title(w, r, g->name, g->title_en, g->title_ko);
	}
	for (size_t i = 0; i < pools && !err; i++) {
		const struct policy_pool *pool = policy_pool(w->p, (int)i);
		if (view_may_see_pool(w, pool))
			err = put_title(w, r, pool->name, pool->title_en, pool->title_ko);
	}
	return err;
}

enum ieum_err view_directory(struct viewing *w, const Ieum__V1__DirectoryQuery *q)
{
	Ieum__V1__DirectoryResult *r = view_alloc(w, sizeof *r);
	size_t n = policy_participants(w->p) + policy_bodies(w->p);
	size_t certificate_bytes = 0;

	if (!r)
		return IEUM_E_NO_MEMORY;
	*r = (Ieum__V1__DirectoryResult)IEUM__V1__DIRECTORY_RESULT__INIT;
	w->v->result->what_case = IEUM__V1__RESULT__WHAT_DIRECTORY;
	w->v->result->directory = r;
	if (w->cursor == 0 && !w->who.who->reads_nothing) {
		enum ieum_err err = put_titles(w, r);
		if (err)
			return err;
	}
	r->entries = view_alloc(w, w->rows * sizeof *r->entries);
	if (!r->entries)
		return IEUM_E_NO_MEMORY;
	for (size_t i = w->cursor; i < n; i++) {
		Ieum__V1__DirectoryEntry *row;
		if (r->n_entries == w->rows || certificate_bytes > DIRECTORY_CERTIFICATE_BYTES)
			return view_more(w, i);
		enum ieum_err err = directory_row(w, i, q->kind, &row);
		if (err)
			return err;
		if (row && q->certificates && i < policy_participants(w->p))
			err = put_certificates(w, policy_participant(w->p, (int)i), row,
					       &certificate_bytes);
		if (err)
			return err;
		if (row)
			r->entries[r->n_entries++] = row;
	}
	return IEUM_E_OK;
}

/* ---- who am I ---- */

enum ieum_err view_whoami(struct viewing *w)
{
	static const char *const views[] = { "queues", "drill" };
	const struct policy_participant *who = w->who.who;
	Ieum__V1__WhoamiResult *r = view_alloc(w, sizeof *r);

	if (!r)
		return IEUM_E_NO_MEMORY;
	*r = (Ieum__V1__WhoamiResult)IEUM__V1__WHOAMI_RESULT__INIT;
	w->v->result->what_case = IEUM__V1__RESULT__WHAT_WHOAMI;
	w->v->result->whoami = r;
	r->participant = view_text(who->name);
	r->kind = view_text(who->kind);
	r->jurisdiction = view_text(who->jurisdiction);
	r->actor = view_text(state_actor_name(w->c, connection_at(w->c, w->who.connection)->actor));
	r->hub = view_text(policy_hub(w->p));
	r->drill = w->c->drill;
	const char *en, *ko;
	policy_notification(w->p, &en, &ko);
	r->notification_en = view_text(en);
	r->notification_ko = view_text(ko);
	r->mailboxes = view_alloc(w, who->n_mailboxes * sizeof *r->mailboxes);
	r->views = view_alloc(w, sizeof views);
	if (!r->mailboxes || !r->views)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < who->n_mailboxes; i++)
		r->mailboxes[r->n_mailboxes++] = policy_mailbox(w->p, who->mailboxes[i])->name;
	for (size_t i = 0; i < sizeof views / sizeof views[0]; i++)
		if (who->views & 1U << i)
			r->views[r->n_views++] = view_text(views[i]);
	return IEUM_E_OK;
}

/* ---- whom would it reach ---- */

static Ieum__V1__ReachEntry *reach_row(struct viewing *w, const struct policy_decision *decided,
				       const struct policy_route *route, Ieum__V1__MessageType type)
{
	const struct policy_task *t = route->task >= 0 ? &decided->tasks[route->task] : NULL;
	Ieum__V1__ReachEntry *e = view_alloc(w, sizeof *e);

	if (!e)
		return NULL;
	*e = (Ieum__V1__ReachEntry)IEUM__V1__REACH_ENTRY__INIT;
	e->mailbox = policy_mailbox(w->p, route->mailbox)->name;
	e->cause = route->cause;
	e->type = type;
	if (!t)
		return e;
	e->answer_by_at_ms = t->due_at_ms;
	e->ladder = view_alloc(w, t->n_ladder * sizeof *e->ladder);
	for (size_t i = 0; e->ladder && i < t->n_ladder; i++) {
		const char *to = t->ladder[i].to;
		/* Some are written into the decision, which the next message is decided in. */
		e->ladder[i] = arena_copy(w->v->arena, to, strlen(to) + 1);
		if (!e->ladder[i])
			return NULL;
		e->n_ladder++;
	}
	return e->ladder ? e : NULL;
}

/* The rules' view of the message; a case counts only for those who take part in it. */
static enum ieum_err reach_context(struct viewing *w, struct submission *s)
{
	const ProtobufCBinaryData *id = &s->envelope->case_id;

	s->core_case = id->len == CORE_ID_BYTES ? state_case(w->c, id->data) : 0;
	if (s->core_case && case_excludes(case_at(w->c, s->core_case), w->who.participant))
		return view_refuse(w, IEUM_E_CONFLICT_OF_INTEREST,
				   "query.reach.referral.envelope.case_id");
	if (id->len &&
	    (!s->core_case || !caller_reads_case(w->p, &w->who, case_at(w->c, s->core_case))))
		return view_refuse(w, IEUM_E_CASE_UNKNOWN, "query.reach.referral.envelope.case_id");
	return submit_context(s);
}

/* What was decided, of the message itself or of one that follows from it. */
static enum ieum_err put_reach(struct viewing *w, const struct policy_decision *decided,
			       Ieum__V1__MessageType type)
{
	Ieum__V1__ReachResult *r = w->v->result->reach;

	for (size_t i = 0; i < decided->n_routes; i++) {
		r->entries[r->n_entries] = reach_row(w, decided, &decided->routes[i], type);
		if (!r->entries[r->n_entries++])
			return IEUM_E_NO_MEMORY;
	}
	for (size_t i = 0; i < decided->n_rules; i++)
		r->rules[r->n_rules++] = view_text(decided->rules[i]);
	return IEUM_E_OK;
}

/* Which of them are free isn't told: who asks holds none for asking. */
static enum ieum_err put_pools(struct viewing *w, const struct policy_context *ctx,
			       const struct policy_decision *decided)
{
	Ieum__V1__ReachResult *r = w->v->result->reach;
	int pools[POLICY_ROUTES_MAX];
	size_t n = 0;

	for (size_t i = 0; i < decided->n_acts && n == 0; i++)
		if (decided->acts[i].kind == POLICY_ACT_HOLD)
			n = policy_pools_suiting(w->p, ctx, pools, POLICY_ROUTES_MAX);
	r->pools = view_alloc(w, (n + 1) * sizeof *r->pools);
	Ieum__V1__ReachPool *rows = view_alloc(w, (n + 1) * sizeof *rows);
	if (!r->pools || !rows)
		return IEUM_E_NO_MEMORY;
	for (; r->n_pools < n; r->n_pools++) {
		const struct policy_pool *pool = policy_pool(w->p, pools[r->n_pools]);
		rows[r->n_pools] = (Ieum__V1__ReachPool)IEUM__V1__REACH_POOL__INIT;
		rows[r->n_pools].pool = view_text(pool->name);
		rows[r->n_pools].keeper = view_text(policy_participant(w->p, pool->keeper)->name);
		r->pools[r->n_pools] = &rows[r->n_pools];
	}
	return IEUM_E_OK;
}

/* A message that the hub would make, decided as when it is made. */
static enum ieum_err put_emitted(struct viewing *w, const struct submission *s,
				 const struct policy_emit *emit)
{
	struct policy_decision *decided = &w->c->scratch->decision;
	struct policy_context ctx = s->context;
	Ieum__V1__Referral made = IEUM__V1__REFERRAL__INIT;
	Ieum__V1__Envelope envelope = *s->envelope;

	envelope.type = emit->type;
	envelope.open_case = emit->open_case;
	envelope.n_addressees = 0;
	envelope.answer_within_ms = 0;
	envelope.in_reply_to = envelope.supersedes = (ProtobufCBinaryData){ 0 };
	if (!*envelope.jurisdiction)
		envelope.jurisdiction = (char *)(ctx.case_jurisdiction ? ctx.case_jurisdiction
								       : s->who.who->jurisdiction);
	made.envelope = &envelope;
	if (!hub_message_set_body(w->v->arena, &made, emit->type))
		return IEUM_E_NO_MEMORY;
	ctx.referral = &made;
	ctx.sender = POLICY_NONE;
	enum ieum_err err = policy_decide(w->p, &ctx, decided, w->v->detail, sizeof w->v->detail);
	return err ? err : put_reach(w, decided, emit->type);
}

static enum ieum_err decide_reach(struct viewing *w, const struct submission *s)
{
	enum { MESSAGES_MAX = 1 + POLICY_EMITS_MAX };
	struct policy_decision *decided = &w->c->scratch->decision;
	struct policy_emit emits[POLICY_EMITS_MAX];
	Ieum__V1__ReachResult *r = view_alloc(w, sizeof *r);
	enum ieum_err err =
		policy_decide(w->p, &s->context, decided, w->v->detail, sizeof w->v->detail);

	if (err || !r)
		return err ? err : IEUM_E_NO_MEMORY;
	*r = (Ieum__V1__ReachResult)IEUM__V1__REACH_RESULT__INIT;
	w->v->result->what_case = IEUM__V1__RESULT__WHAT_REACH;
	w->v->result->reach = r;
	r->entries = view_alloc(w, MESSAGES_MAX * POLICY_ROUTES_MAX * sizeof *r->entries);
	r->rules = view_alloc(w, MESSAGES_MAX * POLICY_RULES_MATCHED_MAX * sizeof *r->rules);
	if (!r->entries || !r->rules)
		return IEUM_E_NO_MEMORY;
	/* The next message is decided in the same scratch. */
	size_t n_emits = decided->n_emits;
	memcpy(emits, decided->emits, sizeof emits);
	r->depends_on_counts = decided->depends_on_counts;
	err = put_pools(w, &s->context, decided);
	if (!err)
		err = put_reach(w, decided, s->envelope->type);
	for (size_t i = 0; i < n_emits && !err; i++)
		err = put_emitted(w, s, &emits[i]);
	return err;
}

/* Who would read its narrative.  What could not be submitted as it is has no readers: why not,
 * submitting it tells. */
static enum ieum_err put_readers(struct viewing *w, const struct submission *asked)
{
	struct submission s = {
		.c = asked->c,
		.p = asked->p,
		.d = asked->d,
		.now = asked->now,
		.now_ms = asked->now_ms,
		.from = asked->from,
		.envelope = asked->envelope,
		.who = asked->who,
		.only_asks = true,
	};

	if (s.from->referral->n_narrative == 0 || submit_whom(&s))
		return IEUM_E_OK;
	return sealed_reach(&s, w->v->arena, w->v->result->reach);
}

enum ieum_err view_reach(struct viewing *w, const Ieum__V1__ReachQuery *q)
{
	const struct core_submit from = { .connection = w->v->connection, .referral = q->referral };
	struct core_decision *d = view_alloc(w, sizeof *d);

	if (!d)
		return IEUM_E_NO_MEMORY;
	if (!q->referral || !q->referral->envelope)
		return view_refuse(w, IEUM_E_FIELD_MISSING, "query.reach.referral");
	struct submission s = {
		.c = w->c,
		.p = w->p,
		.d = d,
		.now = w->v->now,
		.now_ms = to_ms(w->v->now),
		.from = &from,
		.envelope = q->referral->envelope,
		.who = w->who,
		.only_asks = true,
	};
	arena_init(&d->arena, REACH_BYTES);
	enum ieum_err err = reach_context(w, &s);
	if (!err)
		err = submit_count(&s);
	if (err && !*w->v->detail)
		err = view_refuse(w, err, d->detail);
	if (!err)
		err = decide_reach(w, &s);
	if (!err)
		err = put_readers(w, &s);
	arena_release(&d->arena);
	return err;
}
