/* See handover_plan.h. */
#include "client/handover_plan.h"

#include <stdlib.h>
#include <string.h>

#include "client/handover_list.h"

static bool is_plan(const Ieum__V1__HandoverResult *r)
{
	return r->manifest && (r->step == IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_UNSPECIFIED ||
			       r->step == IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_ANNOUNCED);
}

/* What stays, then what only has something in its way, then the rest, each by id. */
static int compare_items(const void *a, const void *b)
{
	const Ieum__V1__HandoverItem *x = *(Ieum__V1__HandoverItem *const *)a;
	const Ieum__V1__HandoverItem *y = *(Ieum__V1__HandoverItem *const *)b;

	if (x->stays != y->stays)
		return x->stays ? -1 : 1;
	if ((x->error_code != 0) != (y->error_code != 0))
		return x->error_code ? -1 : 1;
	return memcmp(x->case_id.data, y->case_id.data, UUID_BYTES);
}

static bool take_page(Ieum__V1__HandoverResult *first, Ieum__V1__HandoverResult *page)
{
	size_t n = first->n_items + page->n_items;
	Ieum__V1__HandoverItem **items = realloc(first->items, (n + 1) * sizeof(void *));

	if (!items)
		return false;
	if (page->n_items)
		memcpy(items + first->n_items, page->items, page->n_items * sizeof(void *));
	first->items = items;
	first->n_items = n;
	page->n_items = 0;
	first->errors += page->errors;
	first->not_accepted += page->not_accepted;
	first->manifest->cases += page->manifest->cases;
	first->manifest->open_referrals += page->manifest->open_referrals;
	first->manifest->clocks += page->manifest->clocks;
	first->manifest->holds += page->manifest->holds;
	return true;
}

static bool put_digest(Ieum__V1__HandoverResult *r)
{
	struct handover_list list = { .rows = calloc(r->n_items + 1, sizeof *list.rows) };
	uint8_t *digest = malloc(HANDOVER_DIGEST_BYTES);
	bool ok = list.rows && digest;

	for (size_t i = 0; ok && i < r->n_items; i++) {
		const Ieum__V1__HandoverItem *item = r->items[i];
		struct handover_row *row = &list.rows[list.n];
		if (item->stays)
			continue;
		memcpy(row->case_id, item->case_id.data, UUID_BYTES);
		row->open_referrals = item->open_referrals;
		row->clocks = item->clocks;
		row->holds = item->holds;
		list.n++;
	}
	if (ok)
		qsort(list.rows, list.n, sizeof *list.rows, handover_row_compare);
	ok = ok && handover_list_digest(&list, digest);
	free(list.rows);
	if (!ok) {
		free(digest);
		return false;
	}
	free(r->manifest->digest.data);
	r->manifest->digest = (ProtobufCBinaryData){ HANDOVER_DIGEST_BYTES, digest };
	return true;
}

static bool well_formed(const Ieum__V1__HandoverResult *r)
{
	bool ok = r->manifest != NULL;

	for (size_t i = 0; i < r->n_items && ok; i++)
		ok = r->items[i]->case_id.len == UUID_BYTES;
	return ok;
}

bool handover_plan_add_up(struct pages *pages)
{
	Ieum__V1__HandoverResult *first = pages->page[0]->handover;
	bool ok = true;

	for (size_t i = 0; i < pages->n; i++)
		if (!well_formed(pages->page[i]->handover) || !is_plan(first))
			return true;
	for (size_t i = 1; i < pages->n && ok; i++)
		ok = take_page(first, pages->page[i]->handover);
	if (!ok)
		return false;
	if (first->n_items > 0)
		qsort(first->items, first->n_items, sizeof(void *), compare_items);
	return put_digest(first);
}
