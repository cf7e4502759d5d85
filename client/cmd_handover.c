/* ieum handover: what a change of jurisdiction would do, how far one is, and confirming it. */
#include <stdlib.h>
#include <string.h>

#include "client/command.h"
#include "client/handover_list.h"
#include "client/handover_plan.h"
#include "client/json_out.h"
#include "client/receipt.h"
#include "client/render.h"
#include "client/trouble.h"
#include "client/values.h"
#include "proto/sha256.h"

static enum exit_code show(struct invocation *inv, struct link *link, const struct pages *pages)
{
	struct pages directory = { 0 };
	struct names names;
	enum exit_code code;

	if (inv->json)
		return json_out_pages(inv, pages);
	link_ask_directory(link, &directory);
	names = (struct names){ directory.page, directory.n };
	code = render_handover(inv, pages, &names);
	pages_free(&directory);
	return code;
}

static enum exit_code ask_and_show(struct invocation *inv, Ieum__V1__HandoverQuery *handover)
{
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	struct pages pages = { 0 };
	struct link *link = NULL;
	enum exit_code code = link_open(inv, &link);

	query.what_case = IEUM__V1__QUERY__WHAT_HANDOVER;
	query.handover = handover;
	if (!code)
		code = link_ask(link, &query, &pages);
	if (!code && !handover_plan_add_up(&pages))
		code = trouble(inv, IEUM_E_NO_MEMORY, NULL);
	if (!code)
		code = show(inv, link, &pages);
	pages_free(&pages);
	link_close(link);
	return code;
}

static enum exit_code plan(struct invocation *inv)
{
	Ieum__V1__HandoverQuery of = IEUM__V1__HANDOVER_QUERY__INIT;
	enum arguments_option missing = given(inv, OPTION_FROM) ? OPTION_TO : OPTION_FROM;

	if (!given(inv, OPTION_FROM) || !given(inv, OPTION_TO))
		return trouble_usage(inv, TEXT_OPTION_MISSING, arguments_option_name(missing));
	of.from = value_of(inv, OPTION_FROM);
	of.to = value_of(inv, OPTION_TO);
	if (given(inv, OPTION_JURISDICTION))
		of.jurisdiction = value_of(inv, OPTION_JURISDICTION);
	return ask_and_show(inv, &of);
}

/* ---- confirming ---- */

/* As a message that can be freed as a whole; NULL: no memory. */
static Ieum__V1__Referral *manifest_of(const struct handover_list *list,
				       const uint8_t change_id[UUID_BYTES],
				       uint8_t digest[SHA256_BYTES])
{
	Ieum__V1__Referral m = IEUM__V1__REFERRAL__INIT;
	Ieum__V1__Envelope envelope = IEUM__V1__ENVELOPE__INIT;
	Ieum__V1__HandoverManifest body = IEUM__V1__HANDOVER_MANIFEST__INIT;

	envelope.type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_HANDOVER_MANIFEST;
	m.envelope = &envelope;
	m.body_case = IEUM__V1__REFERRAL__BODY_HANDOVER_MANIFEST;
	m.handover_manifest = &body;
	body.change_id = (ProtobufCBinaryData){ UUID_BYTES, (uint8_t *)change_id };
	body.digest = (ProtobufCBinaryData){ SHA256_BYTES, digest };
	body.cases = (uint32_t)list->n;
	for (size_t i = 0; i < list->n; i++) {
		body.open_referrals += list->rows[i].open_referrals;
		body.clocks += list->rows[i].clocks;
		body.holds += list->rows[i].holds;
	}
	size_t len = ieum__v1__referral__get_packed_size(&m);
	uint8_t *bytes = malloc(len);
	if (!bytes)
		return NULL;
	ieum__v1__referral__pack(&m, bytes);
	Ieum__V1__Referral *copy = ieum__v1__referral__unpack(NULL, len, bytes);
	free(bytes);
	return copy;
}

static enum exit_code confirm(struct invocation *inv, const uint8_t change_id[UUID_BYTES])
{
	struct handover_list list = { 0 };
	uint8_t digest[SHA256_BYTES];
	Ieum__V1__Referral *m = NULL;
	struct link *link = NULL;
	enum exit_code code = link_open(inv, &link);

	if (!code)
		code = handover_list_gather(inv, link, change_id, &list);
	if (!code) {
		m = handover_list_digest(&list, digest) ? manifest_of(&list, change_id, digest)
							: NULL;
		code = m ? receipt_submit(inv, link, m) : trouble(inv, IEUM_E_NO_MEMORY, NULL);
	}
	if (m)
		ieum__v1__referral__free_unpacked(m, NULL);
	free(list.rows);
	link_close(link);
	return code;
}

enum exit_code cmd_handover(struct invocation *inv)
{
	Ieum__V1__HandoverQuery of = IEUM__V1__HANDOVER_QUERY__INIT;
	bool planned = strcmp(inv->words[0], "plan") == 0;
	bool listed = strcmp(inv->words[0], "list") == 0;
	uint8_t change_id[UUID_BYTES];
	enum exit_code code;

	if ((planned || listed) && inv->n_words > 1)
		return trouble_usage(inv, TEXT_WORD_TOO_MUCH, inv->words[1]);
	if (planned)
		return plan(inv);
	for (int i = 0; i < 3; i++) {
		static const enum arguments_option plans_only[] = { OPTION_FROM, OPTION_TO,
								    OPTION_JURISDICTION };
		if (given(inv, plans_only[i]))
			return trouble_usage(inv, TEXT_OPTION_NOT_HERE,
					     arguments_option_name(plans_only[i]));
	}
	if (listed)
		return ask_and_show(inv, &of);
	if (inv->n_words < 2)
		return trouble_usage(inv, TEXT_WORD_MISSING, inv->words[0]);
	code = value_id(inv, inv->words[1], change_id);
	if (code)
		return code;
	if (strcmp(inv->words[0], "confirm") == 0)
		return confirm(inv, change_id);
	of.change_id = (ProtobufCBinaryData){ UUID_BYTES, change_id };
	return ask_and_show(inv, &of);
}
