/* See handover_list.h. */
#include "client/handover_list.h"

#include <stdlib.h>
#include <string.h>

#include "client/trouble.h"
#include "proto/sha256.h"

bool handover_list_digest(const struct handover_list *list, uint8_t digest[HANDOVER_DIGEST_BYTES])
{
	uint8_t *bytes = malloc(list->n * HANDOVER_ROW_BYTES + 1);
	bool ok = bytes != NULL;

	for (size_t i = 0; ok && i < list->n; i++)
		handover_row_put(&list->rows[i], bytes + i * HANDOVER_ROW_BYTES);
	ok = ok && sha256(bytes, list->n * HANDOVER_ROW_BYTES, digest);
	free(bytes);
	return ok;
}

struct gathering {
	const struct invocation *inv;
	struct link *link;
	const uint8_t *change_id;
	struct handover_list *list;
};

static bool is_listed(const struct handover_list *list, const ProtobufCBinaryData *case_id)
{
	for (size_t i = 0; i < list->n; i++)
		if (memcmp(list->rows[i].case_id, case_id->data, UUID_BYTES) == 0)
			return true;
	return false;
}

/* One of this change goes into the list. */
static enum exit_code take(struct gathering *g, const Ieum__V1__ReferralResult *r)
{
	const Ieum__V1__Referral *m = r->referral;

	if (!m || m->body_case != IEUM__V1__REFERRAL__BODY_HANDOVER ||
	    m->handover->change_id.len != UUID_BYTES || r->case_id.len != UUID_BYTES ||
	    memcmp(m->handover->change_id.data, g->change_id, UUID_BYTES) != 0 ||
	    is_listed(g->list, &r->case_id))
		return EXIT_DONE;
	if (g->list->n == HANDOVER_LIST_MAX)
		return trouble(g->inv, IEUM_E_FIELD_TOO_LARGE, NULL);
	struct handover_row *row = &g->list->rows[g->list->n++];
	memcpy(row->case_id, r->case_id.data, UUID_BYTES);
	row->open_referrals = m->handover->open_referrals;
	row->clocks = m->handover->clocks;
	row->holds = m->handover->holds;
	return EXIT_DONE;
}

static enum exit_code look_at_message(struct gathering *g, const ProtobufCBinaryData *id)
{
	Ieum__V1__ReferralQuery one = IEUM__V1__REFERRAL_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	struct pages pages = { 0 };

	one.message_id = *id;
	query.what_case = IEUM__V1__QUERY__WHAT_REFERRAL;
	query.referral = &one;
	enum exit_code code = link_ask(g->link, &query, &pages);
	if (!code)
		code = take(g, pages.page[0]->referral);
	pages_free(&pages);
	return code;
}

static enum exit_code look_at_case(struct gathering *g, const ProtobufCBinaryData *id)
{
	Ieum__V1__CaseQuery one = IEUM__V1__CASE_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	struct pages pages = { 0 };

	one.case_id = *id;
	query.what_case = IEUM__V1__QUERY__WHAT_CASE;
	query.case_ = &one;
	enum exit_code code = link_ask(g->link, &query, &pages);
	for (size_t p = 0; !code && p < pages.n; p++) {
		const Ieum__V1__CaseResult *r = pages.page[p]->case_;
		for (size_t i = 0; !code && i < r->n_timeline; i++) {
			const Ieum__V1__TimelineEntry *e = r->timeline[i];
			if (e->kind == IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_SUBMITTED &&
			    e->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_HANDOVER)
				code = look_at_message(g, &e->message_id);
		}
	}
	pages_free(&pages);
	return code;
}

enum exit_code handover_list_gather(const struct invocation *inv, struct link *link,
				    const uint8_t change_id[UUID_BYTES], struct handover_list *out)
{
	Ieum__V1__CasesQuery all = IEUM__V1__CASES_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	struct gathering g = { inv, link, change_id, out };
	struct pages pages = { 0 };

	*out = (struct handover_list){ .rows = calloc(HANDOVER_LIST_MAX, sizeof *out->rows) };
	if (!out->rows)
		return trouble(inv, IEUM_E_NO_MEMORY, NULL);
	all.closed = true;
	query.what_case = IEUM__V1__QUERY__WHAT_CASES;
	query.cases = &all;
	enum exit_code code = link_ask(link, &query, &pages);
	for (size_t p = 0; !code && p < pages.n; p++)
		for (size_t i = 0; !code && i < pages.page[p]->cases->n_cases; i++)
			code = look_at_case(&g, &pages.page[p]->cases->cases[i]->case_id);
	pages_free(&pages);
	qsort(out->rows, out->n, sizeof *out->rows, handover_row_compare);
	return code;
}
