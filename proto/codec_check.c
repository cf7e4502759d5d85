/* What concerns several fields of one message; see codec_rules.h.
 *
 * Only form: what can be said of a message by itself.  Whether the sender may send it, and
 * whether the case or the request is in a state for it, is for the hub to decide. */
#include <string.h>
#include <strings.h>

#include "ieum/v1/frame.pb-c.h"
#include "proto/codec_rules.h"
#include "proto/resident_number.h"
#include "proto/seal_der.h"
#include "proto/utf8.h"

enum { BODY_FIELD_BASE = 100 }; /* the body of type n is field 100 + n of Referral */

static bool empty(const char *text)
{
	return text[0] == '\0';
}

static bool same_id(ProtobufCBinaryData a, ProtobufCBinaryData b)
{
	return a.len == b.len && a.len > 0 && memcmp(a.data, b.data, a.len) == 0;
}

enum ieum_err codec_check_hello(const struct codec_walk *w, const ProtobufCMessage *message)
{
	const Ieum__V1__Hello *hello = (const Ieum__V1__Hello *)message;

	if (hello->version_min > hello->version_max)
		return codec_refuse(w, IEUM_E_FIELD_INVALID, "version_min", "is above version_max");
	if ((hello->journal_number > 0) != (hello->incarnation.len > 0))
		return codec_refuse(w, IEUM_E_FIELD_MISSING,
				    hello->journal_number ? "incarnation" : "journal_number",
				    "is required, as the other half of a receipt");
	return IEUM_E_OK;
}

enum ieum_err codec_check_submit(const struct codec_walk *w, const ProtobufCMessage *message)
{
	const Ieum__V1__Submit *submit = (const Ieum__V1__Submit *)message;
	const char *what = NULL;

	switch (submit->referral->envelope->type) {
	case IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CLOSURE_NOTICE: what = "closure_notice"; break;
	case IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_KEY_REQUEST: what = "key_request"; break;
	case IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CERTIFICATE_NOTICE:
		what = "certificate_notice";
		break;
	default: return IEUM_E_OK;
	}
	return codec_refuse(w, IEUM_E_NOT_PERMITTED, "referral", "only the hub makes a %s", what);
}

enum ieum_err codec_check_settle(const struct codec_walk *w, const ProtobufCMessage *message)
{
	const Ieum__V1__Settle *settle = (const Ieum__V1__Settle *)message;

	if (settle->n_done + settle->n_release + settle->n_refuse > CODEC_SETTLE_MAX)
		return codec_refuse(w, IEUM_E_FIELD_TOO_LARGE, NULL, "more than %d deliveries",
				    CODEC_SETTLE_MAX);
	return IEUM_E_OK;
}

enum ieum_err codec_check_query(const struct codec_walk *w, const ProtobufCMessage *message)
{
	const Ieum__V1__Query *query = (const Ieum__V1__Query *)message;

	if (query->what_case == IEUM__V1__QUERY__WHAT__NOT_SET)
		return codec_refuse(w, IEUM_E_FIELD_MISSING, NULL, "asks nothing");
	return IEUM_E_OK;
}

/* ---- a referral ---- */

static enum ieum_err check_part_numbers(const struct codec_walk *w, const Ieum__V1__Referral *r)
{
	uint32_t seen = 0;

	for (size_t i = 0; i < r->n_narrative; i++) {
		const Ieum__V1__NarrativePart *part = r->narrative[i];
		if (part->content_case != IEUM__V1__NARRATIVE_PART__CONTENT_SEALED)
			continue;
		if (seen & UINT32_C(1) << part->number)
			return codec_refuse(w, IEUM_E_FIELD_INVALID, "narrative",
					    "two sealed parts have the number %u", part->number);
		seen |= part->number ? UINT32_C(1) << part->number : 0;
	}
	return IEUM_E_OK;
}

enum ieum_err codec_check_whole(const struct codec_walk *w, const ProtobufCMessage *message)
{
	const Ieum__V1__Referral *r = (const Ieum__V1__Referral *)message;
	uint32_t wanted = (uint32_t)r->envelope->type + BODY_FIELD_BASE;
	const ProtobufCFieldDescriptor *want =
		protobuf_c_message_descriptor_get_field(message->descriptor, wanted);
	const ProtobufCFieldDescriptor *have =
		protobuf_c_message_descriptor_get_field(message->descriptor, r->body_case);

	if (!have)
		return codec_refuse(w, IEUM_E_FIELD_MISSING, want ? want->name : NULL,
				    "is the body that the type needs");
	if (have != want)
		return codec_refuse(w, IEUM_E_FIELD_INVALID, have->name, "is not the body of a %s",
				    want ? want->name : "message of that type");
	if (r->body_case == IEUM__V1__REFERRAL__BODY_ANSWER && r->envelope->in_reply_to.len == 0)
		return codec_refuse(w, IEUM_E_FIELD_MISSING, "envelope.in_reply_to",
				    "an answer names the message it replies to");
	if ((r->body_case == IEUM__V1__REFERRAL__BODY_CLOSURE_NOTICE ||
	     r->body_case == IEUM__V1__REFERRAL__BODY_KEY_WRAP) &&
	    r->n_narrative > 0)
		return codec_refuse(w, IEUM_E_FIELD_INVALID, "narrative", "a %s carries none",
				    have->name);
	return check_part_numbers(w, r);
}

enum ieum_err codec_check_envelope(const struct codec_walk *w, const ProtobufCMessage *message)
{
	const Ieum__V1__Envelope *e = (const Ieum__V1__Envelope *)message;

	if (e->open_case && e->case_id.len > 0)
		return codec_refuse(w, IEUM_E_FIELD_INVALID, "open_case", "excludes case_id");
	if (e->open_case && e->category == IEUM__V1__CATEGORY__CATEGORY_UNSPECIFIED)
		return codec_refuse(w, IEUM_E_FIELD_MISSING, "category",
				    "is required when a case is opened");
	if (same_id(e->in_reply_to, e->message_id))
		return codec_refuse(w, IEUM_E_FIELD_INVALID, "in_reply_to",
				    "is the message itself");
	if (same_id(e->supersedes, e->message_id))
		return codec_refuse(w, IEUM_E_FIELD_INVALID, "supersedes", "is the message itself");
	return IEUM_E_OK;
}

enum ieum_err codec_check_legal_basis(const struct codec_walk *w, const ProtobufCMessage *message)
{
	const Ieum__V1__LegalBasis *basis = (const Ieum__V1__LegalBasis *)message;
	const Ieum__V1__Consent *consent = basis->consent;

	if (basis->kind == IEUM__V1__BASIS_KIND__BASIS_KIND_STATUTORY && empty(basis->article))
		return codec_refuse(w, IEUM_E_LEGAL_BASIS_MISSING, "article",
				    "a statutory basis names its article");
	if (basis->kind != IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT)
		return IEUM_E_OK;
	if (!consent)
		return codec_refuse(w, IEUM_E_LEGAL_BASIS_MISSING, "consent",
				    "is required with this basis");
	if (consent->n_recipients == 0)
		return codec_refuse(w, IEUM_E_LEGAL_BASIS_MISSING, "consent.recipients",
				    "consent says who may receive");
	if (empty(consent->purpose))
		return codec_refuse(w, IEUM_E_LEGAL_BASIS_MISSING, "consent.purpose",
				    "consent says for what purpose");
	if (consent->n_items == 0)
		return codec_refuse(w, IEUM_E_LEGAL_BASIS_MISSING, "consent.items",
				    "consent says which items");
	return IEUM_E_OK;
}

enum ieum_err codec_check_addressee(const struct codec_walk *w, const ProtobufCMessage *message)
{
	const Ieum__V1__Addressee *to = (const Ieum__V1__Addressee *)message;

	switch (to->to_case) {
	case IEUM__V1__ADDRESSEE__TO_ROLE: return IEUM_E_OK;
	case IEUM__V1__ADDRESSEE__TO_PARTICIPANT:
		if (!empty(to->participant))
			return IEUM_E_OK;
		break;
	case IEUM__V1__ADDRESSEE__TO_BODY:
		if (!empty(to->body))
			return IEUM_E_OK;
		break;
	default: break;
	}
	return codec_refuse(w, IEUM_E_FIELD_MISSING, NULL, "names nobody");
}

/* Is it something a person reads as text? */
static bool is_text(const char *media_type)
{
	return strncasecmp(media_type, "text/", strlen("text/")) == 0;
}

static enum ieum_err check_sealed(const struct codec_walk *w, const Ieum__V1__NarrativePart *part)
{
	struct seal_recipient recipients[SEAL_RECIPIENTS_MAX];
	size_t n;

	if (part->number == 0)
		return codec_refuse(w, IEUM_E_FIELD_MISSING, "number",
				    "names a sealed part, 1 to %d", CODEC_SEALED_PARTS_MAX);
	enum ieum_err err = seal_recipients(part->sealed.data, part->sealed.len, recipients,
					    SEAL_RECIPIENTS_MAX, &n);
	if (err == IEUM_E_FIELD_TOO_LARGE)
		return codec_refuse(w, err, "sealed", "is sealed to more than %d certificates",
				    SEAL_RECIPIENTS_MAX);
	if (err)
		return codec_refuse(w, err, "sealed",
				    "is not CMS AuthEnvelopedData with AES-256-GCM in DER");
	return IEUM_E_OK;
}

enum ieum_err codec_check_narrative(const struct codec_walk *w, const ProtobufCMessage *message)
{
	const Ieum__V1__NarrativePart *part = (const Ieum__V1__NarrativePart *)message;

	if (part->content_case == IEUM__V1__NARRATIVE_PART__CONTENT__NOT_SET)
		return codec_refuse(w, IEUM_E_FIELD_MISSING, NULL,
				    "has no content, neither clear nor sealed");
	if (part->content_case == IEUM__V1__NARRATIVE_PART__CONTENT_SEALED)
		return check_sealed(w, part);
	if (part->subject != IEUM__V1__NARRATIVE_SUBJECT__NARRATIVE_SUBJECT_UNSPECIFIED)
		return codec_refuse(w, IEUM_E_SEALED_ONLY, "clear",
				    "this subject is accepted sealed only");
	if (!is_text(part->media_type))
		return IEUM_E_OK;
	if (!utf8_text_valid(part->clear.data, part->clear.len))
		return codec_refuse(w, IEUM_E_TEXT_INVALID, "clear",
				    "is not valid UTF-8, or holds a NUL");
	if (codec_guards(w) &&
	    resident_number_found((const char *)part->clear.data, part->clear.len))
		return codec_refuse(w, IEUM_E_RESIDENT_NUMBER, "clear",
				    "holds what looks like a resident registration number");
	return IEUM_E_OK;
}

enum ieum_err codec_check_narrative_asked(const struct codec_walk *w,
					  const ProtobufCMessage *message)
{
	const Ieum__V1__NarrativePart *part = (const Ieum__V1__NarrativePart *)message;

	return part->content_case == IEUM__V1__NARRATIVE_PART__CONTENT_CLEAR
		       ? codec_check_narrative(w, message)
		       : IEUM_E_OK;
}

/* ---- bodies ---- */

enum ieum_err codec_check_answer(const struct codec_walk *w, const ProtobufCMessage *message)
{
	const Ieum__V1__Answer *answer = (const Ieum__V1__Answer *)message;

	switch (answer->kind) {
	case IEUM__V1__ANSWER_KIND__ANSWER_KIND_REJECT:
	case IEUM__V1__ANSWER_KIND__ANSWER_KIND_FAIL:
	case IEUM__V1__ANSWER_KIND__ANSWER_KIND_ON_HOLD:
		if (answer->reason == IEUM__V1__REASON__REASON_UNSPECIFIED)
			return codec_refuse(w, IEUM_E_REASON_MISSING, "reason",
					    "is required with reject, fail and on_hold");
		return IEUM_E_OK;
	case IEUM__V1__ANSWER_KIND__ANSWER_KIND_NEED_MORE_TIME:
		if (answer->more_time_until_at_ms == 0)
			return codec_refuse(w, IEUM_E_FIELD_MISSING, "more_time_until_at_ms",
					    "is required with need_more_time");
		return IEUM_E_OK;
	default: return IEUM_E_OK;
	}
}

enum ieum_err codec_check_information_response(const struct codec_walk *w,
					       const ProtobufCMessage *message)
{
	const Ieum__V1__InformationResponse *response =
		(const Ieum__V1__InformationResponse *)message;

	if (response->holding == IEUM__V1__HOLDING__HOLDING_REFUSED &&
	    response->reason == IEUM__V1__REASON__REASON_UNSPECIFIED)
		return codec_refuse(w, IEUM_E_REASON_MISSING, "reason",
				    "is required when it is refused");
	return IEUM_E_OK;
}
