/* Rules of a referral: envelope, narrative, which body; see codec_rules.h. */
#include "ieum/v1/referral.pb-c.h"
#include "proto/codec_rules.h"

static const struct codec_rule case_link_rules[] = {
	ROW_ID("case_id", .required = true),
	ROW_ANY("kind", .required = true),
};
static CODEC_SHAPE(case_link, case_link);

static const struct codec_rule consent_rules[] = {
	ROW_NAME("recipients", .count_max = CODEC_ITEMS_MAX),
	ROW_TEXT("purpose", CODEC_TEXT_MAX_BYTES),
	ROW_NAME("items", .count_max = CODEC_ITEMS_MAX),
	ROW_TIME("keep_until_at_ms"),
	ROW_ANY("told_of_withdrawal"),
};
static CODEC_SHAPE(consent, consent);

static const struct codec_rule legal_basis_rules[] = {
	ROW_ANY("kind", .required = true, .missing = IEUM_E_LEGAL_BASIS_MISSING),
	ROW_TEXT("article", CODEC_TEXT_MAX_BYTES),
	ROW_SHAPE("consent", consent),
};
static CODEC_SHAPE(legal_basis, legal_basis, .check = codec_check_legal_basis);

static const struct codec_rule external_ref_rules[] = {
	ROW_NAME("system", .required = true),
	ROW_NAME("number", .required = true),
};
static CODEC_SHAPE(external_ref, external_ref);

static const struct codec_rule role_in_rules[] = {
	ROW_NAME("role", .required = true),
	ROW_JURISDICTION("jurisdiction"),
};
static CODEC_SHAPE(role_in, role_in);

static const struct codec_rule addressee_rules[] = {
	ROW_NAME("participant"),
	ROW_NAME("body"),
	ROW_SHAPE("role", role_in),
};
static CODEC_SHAPE(addressee, addressee, .check = codec_check_addressee);

static const struct codec_rule contact_window_rules[] = {
	ROW_NUMBER("weekdays", 1, CODEC_WEEKDAYS_MAX, .count_max = CODEC_WEEKDAYS_MAX),
	ROW_NUMBER("from_minute", 0, CODEC_DAY_MINUTES),
	ROW_NUMBER("until_minute", 0, CODEC_DAY_MINUTES),
};
static CODEC_SHAPE(contact_window, contact_window);

static const struct codec_rule safe_contact_rules[] = {
	ROW_SHAPE("windows", contact_window, .count_max = CODEC_REPEATED_MAX),
	ROW_ANY("neutral_only"),
};
static CODEC_SHAPE(safe_contact, safe_contact);

static const struct codec_rule envelope_rules[] = {
	ROW_MESSAGE_ID("message_id", .required = true),
	ROW_ANY("type", .required = true),
	ROW_ID("case_id"),
	ROW_ANY("open_case"),
	ROW_SHAPE("case_links", case_link, .count_max = CODEC_REPEATED_MAX),
	ROW_JURISDICTION("jurisdiction"),
	ROW_ANY("category"),
	ROW_ANY("urgency"),
	ROW_TIME("occurred_at_ms"),
	ROW_SHAPE("legal_basis", legal_basis),
	ROW_TEXT("subject_tokens", CODEC_BYTES_MAX, .form = CODEC_FORM_TOKEN,
		 .min = CODEC_SUBJECT_TOKEN_MIN_BYTES, .count_max = CODEC_REPEATED_MAX),
	ROW_SHAPE("external_refs", external_ref, .count_max = CODEC_REPEATED_MAX),
	ROW_SHAPE("addressees", addressee, .count_max = CODEC_REPEATED_MAX),
	ROW_NUMBER("answer_within_ms", 0, CODEC_DURATION_MAX_MS),
	ROW_ID("in_reply_to"),
	ROW_ID("supersedes"),
	ROW_NAME("excluded_participants", .count_max = CODEC_REPEATED_MAX),
	ROW_SHAPE("safe_contact", safe_contact),
	ROW_TEXT("on_behalf_of", CODEC_ON_BEHALF_MAX_BYTES),
};
static CODEC_SHAPE(envelope, envelope, .check = codec_check_envelope);

static const struct codec_rule narrative_rules[] = {
	ROW_TEXT("media_type", CODEC_MEDIA_TYPE_MAX_BYTES, .form = CODEC_FORM_MEDIA_TYPE,
		 .required = true),
	ROW_LANGUAGE("language"),
	ROW_NAME("recipients", .count_max = CODEC_REPEATED_MAX),
	ROW_ANY("subject"),
	ROW_TEXT("clear", CODEC_PAYLOAD_MAX_BYTES),
	ROW_TEXT("sealed", CODEC_SPLICED_MAX_BYTES),
	ROW_NUMBER("number", 0, CODEC_SEALED_PARTS_MAX),
};
static CODEC_SHAPE(narrative, narrative_part, .check = codec_check_narrative);
/* In the question whom it would reach: what is still to be sealed isn't there. */
#define narrative_asked_rules narrative_rules
static CODEC_SHAPE(narrative_asked, narrative_part, .check = codec_check_narrative_asked);

static const struct codec_rule referral_rules[] = {
	ROW_SHAPE("envelope", envelope, .required = true),
	ROW_SHAPE("narrative", narrative, .count_max = CODEC_REPEATED_MAX),
#define X(field, message) ROW_SHAPE(#field, message),
	CODEC_BODIES(X)
#undef X
};
CODEC_SHAPE(referral, referral, .check = codec_check_whole);

static const struct codec_rule referral_asked_rules[] = {
	ROW_SHAPE("envelope", envelope, .required = true),
	ROW_SHAPE("narrative", narrative_asked, .count_max = CODEC_REPEATED_MAX),
#define X(field, message) ROW_SHAPE(#field, message),
	CODEC_BODIES(X)
#undef X
};
CODEC_SHAPE(referral_asked, referral, .check = codec_check_whole);
