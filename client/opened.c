/* Opened narratives as text and as JSON; see opened.h. */
#include "client/opened.h"

#include <string.h>

#include "client/details.h"
#include "client/shown.h"

struct ieum_opened *opened_of(const struct invocation *inv, const Ieum__V1__Referral *m,
			      const char *sender, int64_t received_at_ms)
{
	struct ieum_opened *opened = NULL;

	if (!inv->keyring || !m || !m->envelope)
		return NULL;
	for (size_t i = 0; i < m->n_narrative; i++) {
		if (m->narrative[i]->content_case != IEUM__V1__NARRATIVE_PART__CONTENT_SEALED)
			continue;
		/* Out of memory it stays closed. */
		(void)!ieum_open(inv->keyring, m, sender, received_at_ms, &opened);
		break;
	}
	return opened;
}

/* ---- text ---- */

static void line(const struct invocation *inv, enum text_id id, const char *text, const char *more)
{
	fprintf(inv->out, say(inv, id), text, more);
	fputc('\n', inv->out);
}

/* "ec-counsel, desk-1 · Women's counselling centre": who it is says the certificate, and what the one
 * is called the hub. */
static void signer_line(const struct invocation *inv, const struct ieum_opened_part *o,
			const struct names *names)
{
	char name[SHOWN_BYTES], who[sizeof o->actor + SHOWN_BYTES + 8];
	const char *title = shown_name(inv, names, o->signer, name);

	snprintf(who, sizeof who, strcmp(title, o->signer) == 0 ? "%s" : "%s · %s", o->actor,
		 title);
	line(inv, TEXT_PART_SIGNED, o->signer, who);
}

static void render_content(const struct invocation *inv, const Ieum__V1__NarrativePart *part,
			   const struct ieum_opened_part *o, const struct names *names)
{
	if (*o->signer)
		signer_line(inv, o, names);
	else
		line(inv, TEXT_PART_SIGNED_NAMELESS, o->actor, "");
	if (strncmp(part->media_type, "text/", 5) == 0) {
		shown_text(inv->out, (const char *)o->content, o->len, "    | ");
		return;
	}
	fputs("    ", inv->out);
	fprintf(inv->out, say(inv, TEXT_PART_ATTACHMENT), part->media_type, o->len);
	fputc('\n', inv->out);
}

void opened_render(const struct invocation *inv, const Ieum__V1__NarrativePart *part,
		   const struct ieum_opened_part *opened, const struct names *names)
{
	const char *subject = SHOWN_WORD(inv, narrative_subject, part->subject);
	char why[DETAILS_BYTES];

	fprintf(inv->out, "    %s%s", subject, *subject ? " " : "");
	if (!opened || !opened->sealed) {
		fprintf(inv->out, say(inv, TEXT_PART_SEALED), part->sealed.len);
		fputc('\n', inv->out);
	} else if (opened->err == IEUM_E_KEY_MISSING) {
		line(inv, TEXT_PART_KEY_ASKED, "", "");
	} else if (opened->err) {
		line(inv, TEXT_PART_NOT_OPENED, details_in(inv->lang, opened->why, why), "");
	} else {
		render_content(inv, part, opened, names);
	}
}

/* ---- JSON ---- */

/* Text as text; else as a clear part's bytes are written. */
static json_t *content_json(const Ieum__V1__NarrativePart *part, const struct ieum_opened_part *o,
			    const struct pbmap_style *style)
{
	Ieum__V1__NarrativePart as = *part;
	json_t *json = NULL, *content = NULL;

	if (strncmp(part->media_type, "text/", 5) == 0)
		content = json_stringn((const char *)o->content, o->len);
	if (content)
		return json_pack("{s:o}", "text", content);
	as.content_case = IEUM__V1__NARRATIVE_PART__CONTENT_CLEAR;
	as.clear = (ProtobufCBinaryData){ o->len, o->content };
	if (pbmap_to_json(&as.base, style, &json) == IEUM_E_OK)
		content = json_pack("{s:O}", "clear", json_object_get(json, "clear"));
	json_decref(json);
	return content;
}

static json_t *part_json(const Ieum__V1__NarrativePart *part, const struct ieum_opened_part *o,
			 const struct pbmap_style *style)
{
	json_t *json;

	if (o->err)
		return json_pack("{s:s, s:s}", "error", ieum_error((int)o->err)->name, "detail",
				 o->why);
	json = content_json(part, o, style);
	if (!json ||
	    json_object_set_new(json, style->canonical ? "signedBy" : "signed_by",
				json_string(o->signer)) ||
	    json_object_set_new(json, "actor", json_string(o->actor))) {
		json_decref(json);
		return NULL;
	}
	return json;
}

enum ieum_err opened_into_json(json_t *referral, const Ieum__V1__Referral *m,
			       const struct ieum_opened *opened, const struct pbmap_style *style)
{
	json_t *parts = json_object_get(referral, "narrative");

	for (size_t i = 0; opened && i < opened->n; i++) {
		json_t *json, *part = json_array_get(parts, i);

		if (!opened->parts[i].sealed || !part)
			continue;
		json = part_json(m->narrative[i], &opened->parts[i], style);
		if (!json || json_object_set_new(part, "opened", json))
			return IEUM_E_NO_MEMORY;
	}
	return IEUM_E_OK;
}
