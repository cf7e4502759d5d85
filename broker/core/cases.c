/* Cases; see cases.h. */
#include "broker/core/cases.h"

#include <stdlib.h>
#include <string.h>

#include "broker/core/case_clock.h"
#include "broker/core/mailbox.h"
#include "broker/core/readers.h"
#include "broker/core/task.h"
#include "broker/core/timeline.h"

uint32_t case_open(struct core *c, const uint8_t id[CORE_ID_BYTES], uint64_t seq, int64_t at_ms)
{
	uint32_t h = slab_get(&c->cases);

	if (!h)
		return 0;
	struct core_case *k = case_at(c, h);
	memcpy(k->id, id, CORE_ID_BYTES);
	k->seq = seq;
	k->opened_at_ms = k->last_at_ms = at_ms;
	k->state = IEUM__V1__CASE_STATE__CASE_STATE_RECEIVED;
	return lookup_add(&c->case_ids, state_id_hash(c, id), h) ? 0 : h;
}

enum ieum_err case_set_jurisdiction(struct core_case *k, const char *code)
{
	size_t n = strlen(code);

	if (n >= sizeof k->jurisdiction)
		return IEUM_E_JOURNAL_CORRUPT;
	memcpy(k->jurisdiction, code, n + 1);
	return IEUM_E_OK;
}

const struct member *case_member(const struct core_case *k, uint32_t mailbox)
{
	for (uint32_t i = 0; i < k->n_members; i++)
		if (k->members[i].mailbox == mailbox)
			return &k->members[i];
	return NULL;
}

static enum ieum_err mailbox_add_case(struct mailbox *m, uint32_t h)
{
	if (m->n_cases == m->cap_cases) {
		uint32_t cap = m->cap_cases ? 2 * m->cap_cases : 8;
		uint32_t *cases = realloc(m->cases, cap * sizeof *cases);
		if (!cases)
			return IEUM_E_NO_MEMORY;
		m->cases = cases;
		m->cap_cases = cap;
	}
	m->cases[m->n_cases++] = h;
	return IEUM_E_OK;
}

enum ieum_err case_join(struct core *c, uint32_t h, uint32_t mailbox, bool sent)
{
	struct core_case *k = case_at(c, h);

	for (uint32_t i = 0; i < k->n_members; i++) {
		if (k->members[i].mailbox == mailbox) {
			k->members[i].sent |= sent;
			return IEUM_E_OK;
		}
	}
	if (k->n_members == CORE_CASE_MEMBERS_MAX || !state_mailbox(c, mailbox))
		return IEUM_E_JOURNAL_CORRUPT;
	if ((k->n_members & 3) == 0) {
		struct member *members = realloc(k->members, (k->n_members + 4) * sizeof *members);
		if (!members)
			return IEUM_E_NO_MEMORY;
		k->members = members;
	}
	k->members[k->n_members++] = (struct member){ .mailbox = mailbox, .sent = sent };
	return mailbox_add_case(&c->mailboxes[mailbox - 1], h);
}

enum ieum_err case_link(struct core_case *k, const uint8_t other[CORE_ID_BYTES], uint8_t kind)
{
	for (uint32_t i = 0; i < k->n_links; i++)
		if (memcmp(k->links[i].case_id, other, CORE_ID_BYTES) == 0 &&
		    k->links[i].kind == kind)
			return IEUM_E_OK;
	if (k->n_links == CORE_CASE_LINKS_MAX)
		return IEUM_E_JOURNAL_CORRUPT;
	struct link *links = realloc(k->links, (k->n_links + 1) * sizeof *links);
	if (!links)
		return IEUM_E_NO_MEMORY;
	k->links = links;
	memcpy(links[k->n_links].case_id, other, CORE_ID_BYTES);
	links[k->n_links++].kind = kind;
	return IEUM_E_OK;
}

bool case_excludes(const struct core_case *k, uint32_t participant)
{
	for (uint32_t i = 0; i < k->n_excluded; i++)
		if (k->excluded[i] == participant)
			return true;
	return false;
}

enum ieum_err case_exclude(struct core_case *k, uint32_t participant)
{
	if (case_excludes(k, participant))
		return IEUM_E_OK;
	if (k->n_excluded == CORE_CASE_EXCLUDED_MAX)
		return IEUM_E_JOURNAL_CORRUPT;
	uint32_t *excluded = realloc(k->excluded, (k->n_excluded + 1) * sizeof *excluded);
	if (!excluded)
		return IEUM_E_NO_MEMORY;
	k->excluded = excluded;
	excluded[k->n_excluded++] = participant;
	return IEUM_E_OK;
}

/* ---- state, and the list of closed ones ---- */

static void closed_append(struct core *c, uint32_t h)
{
	struct core_case *k = case_at(c, h);

	k->closed_prev = c->closed.tail;
	k->closed_next = 0;
	*(c->closed.tail ? &case_at(c, c->closed.tail)->closed_next : &c->closed.head) = h;
	c->closed.tail = h;
}

static void closed_remove(struct core *c, uint32_t h)
{
	struct core_case *k = case_at(c, h);

	*(k->closed_prev ? &case_at(c, k->closed_prev)->closed_next : &c->closed.head) =
		k->closed_next;
	*(k->closed_next ? &case_at(c, k->closed_next)->closed_prev : &c->closed.tail) =
		k->closed_prev;
}

void case_set_state(struct core *c, uint32_t h, uint8_t state)
{
	struct core_case *k = case_at(c, h);

	if (case_closed(k))
		closed_remove(c, h);
	/* What would be its state but for the hand-over is remembered until that is over. */
	if (k->handover && state != IEUM__V1__CASE_STATE__CASE_STATE_CLOSED) {
		k->state_but_handover = state;
		state = IEUM__V1__CASE_STATE__CASE_STATE_IN_HANDOVER;
	}
	k->state = state;
	if (!case_closed(k))
		return;
	closed_append(c, h);
	case_clocks_close(c, h);
	waits_close(c, h);
}

void case_begin_handover(struct core *c, uint32_t h, uint32_t number)
{
	struct core_case *k = case_at(c, h);

	k->handover = number;
	case_set_state(c, h, k->state);
}

void case_end_handover(struct core *c, uint32_t h)
{
	struct core_case *k = case_at(c, h);

	if (!k->handover)
		return;
	k->handover = 0;
	if (!case_closed(k))
		case_set_state(c, h, k->state_but_handover);
	k->state_but_handover = 0;
}

static void mailbox_drop_case(struct mailbox *m, uint32_t h);

enum ieum_err case_leave(struct core *c, uint32_t h, const struct ended *as)
{
	struct core_case *k = case_at(c, h);
	uint32_t kept = 0;

	for (uint32_t i = 0; i < k->n_members; i++)
		if (k->members[i].mailbox != as->mailbox)
			k->members[kept++] = k->members[i];
	k->n_members = kept;
	mailbox_drop_case(&c->mailboxes[as->mailbox - 1], h);
	kept = 0;
	for (uint32_t i = 0; i < k->n_ended; i++)
		if (k->ended[i].mailbox != as->successor)
			k->ended[kept++] = k->ended[i];
	k->n_ended = kept;
	struct ended *ended = realloc(k->ended, (kept + 1) * sizeof *ended);
	if (!ended)
		return IEUM_E_NO_MEMORY;
	k->ended = ended;
	ended[k->n_ended++] = *as;
	return IEUM_E_OK;
}

void case_touch(struct core *c, uint32_t h, int64_t at_ms)
{
	struct core_case *k = case_at(c, h);

	if (k->last_at_ms == at_ms)
		return;
	k->last_at_ms = at_ms;
	if (case_closed(k)) {
		closed_remove(c, h);
		closed_append(c, h);
	}
}

int64_t case_next_due(const struct core *c, const struct core_case *k)
{
	int64_t due_at_ms = case_clocks_next_end(c, k);

	for (uint32_t th = k->open.head; th; th = task_at(c, th)->case_next) {
		int64_t at = task_at(c, th)->due_at_ms;
		if (at && (!due_at_ms || at < due_at_ms))
			due_at_ms = at;
	}
	return due_at_ms;
}

/* ---- forgetting ---- */

bool referral_lacks_consent(const struct core *c, const struct referral *r)
{
	return r->basis == IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT &&
	       (r->consent_withdrawn ||
		(r->core_case && case_at(c, r->core_case)->consent_withdrawn));
}

bool referral_ended(const struct core *c, const struct referral *r)
{
	for (uint32_t th = r->first_task; th; th = task_at(c, th)->next)
		if (task_open(task_at(c, th)))
			return false;
	return r->n_unsettled == 0 && !places_open(c, state_referral(c, r->id));
}

bool case_ended(const struct core *c, const struct core_case *k)
{
	for (uint32_t rh = k->referrals.head; rh; rh = referral_at(c, rh)->next_in_case)
		if (!referral_ended(c, referral_at(c, rh)))
			return false;
	return case_closed(k) && !case_clocks_going(c, k);
}

static void delivery_forget(struct core *c, uint32_t dh)
{
	struct delivery *d = delivery_at(c, dh);

	for (uint32_t rh = d->readers, next; rh; rh = next) {
		next = ((struct reader *)slab_at(&c->readers, rh))->next;
		slab_put(&c->readers, rh);
	}
	if (d->transit)
		mailbox_forget_dead(c, dh);
	uint64_t seq = d->id >> CORE_ROUTE_BITS;
	if (seq != referral_at(c, d->referral)->seq)
		seqmap_clear(&c->seqs, seq);
	slab_put(&c->deliveries, dh);
}

void referral_forget(struct core *c, uint32_t rh)
{
	struct referral *r = referral_at(c, rh);

	for (uint32_t dh = r->first_delivery, next; dh; dh = next) {
		next = delivery_at(c, dh)->next;
		delivery_forget(c, dh);
	}
	for (uint32_t th = r->first_task, next; th; th = next) {
		next = task_at(c, th)->next;
		task_free(c, th);
	}
	places_forget(c, rh);
	readers_forget(c, &r->readers);
	sealed_forget(c, r);
	if (r->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_AGENDA)
		agenda_copy_forget(c, r->id);
	struct list *list = r->core_case ? &case_at(c, r->core_case)->referrals : &c->loose;
	*(r->prev_in_case ? &referral_at(c, r->prev_in_case)->next_in_case : &list->head) =
		r->next_in_case;
	*(r->next_in_case ? &referral_at(c, r->next_in_case)->prev_in_case : &list->tail) =
		r->prev_in_case;
	state_drop_referral(c, rh);
}

/* The mailbox's list keeps its other places: they are cursors of pages. */
static void mailbox_drop_case(struct mailbox *m, uint32_t h)
{
	for (uint32_t i = 0; i < m->n_cases; i++) {
		if (m->cases[i] == h) {
			m->cases[i] = 0;
			return;
		}
	}
}

void case_deinit(struct core_case *k)
{
	free(k->members);
	free(k->links);
	free(k->excluded);
	gates_deinit(&k->gates);
	free(k->contact);
	free(k->ended);
	timeline_free(&k->timeline);
	k->members = NULL;
	k->links = NULL;
	k->excluded = NULL;
	k->contact = NULL;
	k->ended = NULL;
}

void case_forget(struct core *c, uint32_t h)
{
	struct core_case *k = case_at(c, h);

	signals_forget(c, k->signal_set);
	agendas_forget(&c->agendas, k->id);
	for (uint32_t rh = k->referrals.head, next; rh; rh = next) {
		next = referral_at(c, rh)->next_in_case;
		referral_forget(c, rh);
	}
	for (uint32_t i = 0; i < k->n_members; i++)
		mailbox_drop_case(&c->mailboxes[k->members[i].mailbox - 1], h);
	if (case_closed(k))
		closed_remove(c, h);
	case_clocks_forget(c, h);
	lookup_remove(&c->case_ids, state_id_hash(c, k->id), h);
	counts_forget(c, k->id);
	readers_forget(c, &k->readers);
	case_deinit(k);
	slab_put(&c->cases, h);
}
