/* JSON to the output; see json_out.h. */
#include "client/json_out.h"

#include "client/opened.h"
#include "client/trouble.h"
#include "proto/pbmap.h"

/* Empty lists and zeroes are shown: a reader need not know which fields exist. */
static const struct pbmap_style style = { .defaults = true };

static enum exit_code dump(const struct invocation *inv, json_t *doc, size_t flags, bool flush)
{
	bool bad = !doc || json_dumpf(doc, inv->out, flags) != 0 || fputc('\n', inv->out) == EOF ||
		   (flush && fflush(inv->out) != 0);

	if (!doc)
		return trouble(inv, IEUM_E_NO_MEMORY, NULL);
	json_decref(doc);
	return bad ? trouble_output(inv) : EXIT_DONE;
}

enum exit_code json_out(const struct invocation *inv, json_t *doc)
{
	return dump(inv, doc, JSON_INDENT(2), false);
}

enum exit_code json_out_message(const struct invocation *inv, const ProtobufCMessage *message,
				bool line)
{
	json_t *doc = NULL;
	enum ieum_err err = pbmap_to_json(message, &style, &doc);

	if (err)
		return trouble(inv, err, NULL);
	return line ? dump(inv, doc, JSON_COMPACT, true) : json_out(inv, doc);
}

static enum ieum_err open_into(const struct invocation *inv, json_t *of, const char *sender,
			       int64_t received_at_ms, const Ieum__V1__Referral *m)
{
	struct ieum_opened *opened = opened_of(inv, m, sender, received_at_ms);
	enum ieum_err err = opened_into_json(json_object_get(of, "referral"), m, opened, &style);

	ieum_opened_free(opened);
	return err;
}

enum exit_code json_out_delivery(const struct invocation *inv, const Ieum__V1__Delivery *d,
				 bool maybe_shown)
{
	json_t *doc = NULL;
	enum ieum_err err = pbmap_to_json(&d->base, &style, &doc);

	if (!err)
		err = open_into(inv, doc, d->sender, d->received_at_ms, d->referral);
	if (!err && json_object_set_new(doc, "maybe_shown_before", json_boolean(maybe_shown)))
		err = IEUM_E_NO_MEMORY;
	if (err) {
		json_decref(doc);
		return trouble(inv, err, NULL);
	}
	return dump(inv, doc, JSON_COMPACT, true);
}

/* The lists of `page`, which has the same shape, go to the ends of those of `into`. */
static bool append_page(json_t *into, json_t *page)
{
	for (void *at = json_object_iter(page); at; at = json_object_iter_next(page, at)) {
		json_t *list = json_object_get(into, json_object_iter_key(at));
		json_t *more = json_object_iter_value(at);

		if (json_is_array(list) && json_is_array(more) && json_array_extend(list, more))
			return false;
	}
	return true;
}

/* The one object inside a Result: {"hub_time_at_ms": …, "cases": {…}}. */
static json_t *inner(json_t *result)
{
	for (void *at = json_object_iter(result); at; at = json_object_iter_next(result, at)) {
		if (json_is_object(json_object_iter_value(at)))
			return json_object_iter_value(at);
	}
	return NULL;
}

enum exit_code json_out_pages(const struct invocation *inv, const struct pages *pages)
{
	json_t *doc = NULL;
	enum ieum_err err = pbmap_to_json(&pages->page[0]->base, &style, &doc);

	for (size_t i = 1; i < pages->n && !err; i++) {
		json_t *page = NULL, *into = inner(doc), *more;

		err = pbmap_to_json(&pages->page[i]->base, &style, &page);
		more = err ? NULL : inner(page);
		if (!err && into && more && !append_page(into, more))
			err = IEUM_E_NO_MEMORY;
		json_decref(page);
	}
	if (!err && pages->page[0]->what_case == IEUM__V1__RESULT__WHAT_REFERRAL) {
		const Ieum__V1__ReferralResult *r = pages->page[0]->referral;

		err = open_into(inv, inner(doc), r->sender, r->received_at_ms, r->referral);
	}
	if (err) {
		json_decref(doc);
		return trouble(inv, err, NULL);
	}
	json_object_del(doc, "next_cursor");
	return json_out(inv, doc);
}
