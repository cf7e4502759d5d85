/* The agenda of a body, for its members: what its next meeting would have before it. */
#include "broker/core/agenda.h"
#include "broker/core/view.h"

static bool is_member(const struct viewing *w, const struct policy_body *body)
{
	for (size_t i = 0; i < body->n_mailboxes; i++)
		for (size_t k = 0; k < w->who.who->n_mailboxes; k++)
			if (w->who.who->mailboxes[k] == body->mailboxes[i])
				return true;
	return false;
}

/* The convener's number, when that is who asks. */
static uint32_t convener(const struct viewing *w, const struct policy_body *body)
{
	for (size_t k = 0; body->lead != POLICY_NONE && k < w->who.who->n_mailboxes; k++)
		if (w->who.who->mailboxes[k] == body->lead)
			return policy_mailbox(w->p, body->lead)->number;
	return 0;
}

enum ieum_err view_agenda(struct viewing *w, const Ieum__V1__AgendaQuery *q)
{
	int index = policy_find_body(w->p, q->body);
	const struct policy_body *body = index == POLICY_NONE ? NULL : policy_body(w->p, index);

	if (!body || !is_member(w, body))
		return view_refuse(w, IEUM_E_NOT_PERMITTED,
				   "query.agenda.body: no body that you are a member of");
	const struct agenda_reader r = { .c = w->c,
					 .p = w->p,
					 .participants = &w->who.index,
					 .n_participants = 1,
					 .linked_sets_of = convener(w, body),
					 .arena = w->v->arena };
	Ieum__V1__AgendaResult *result = view_alloc(w, sizeof *result);
	Ieum__V1__AgendaEntry *rows = view_alloc(w, AGENDA_SHOWN_MAX * sizeof *rows);
	if (!result || !rows)
		return IEUM_E_NO_MEMORY;
	*result = (Ieum__V1__AgendaResult)IEUM__V1__AGENDA_RESULT__INIT;
	result->entries = view_alloc(w, AGENDA_SHOWN_MAX * sizeof *result->entries);
	if (!result->entries)
		return IEUM_E_NO_MEMORY;
	result->n_entries = agenda_fill(&r, body->name, rows, AGENDA_SHOWN_MAX);
	for (size_t i = 0; i < result->n_entries; i++)
		result->entries[i] = &rows[i];
	w->v->result->what_case = IEUM__V1__RESULT__WHAT_AGENDA;
	w->v->result->agenda = result;
	return IEUM_E_OK;
}
