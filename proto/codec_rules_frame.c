/* Rules of the frames: who may send which, and what it must hold; see codec_rules.h.
 *
 * What only a hub sends has few rules of its own: the client trusts its hub to mean what it
 * says, and only makes sure that it can be read. */
#include "ieum/v1/frame.pb-c.h"
#include "proto/codec_rules.h"

#define BY_CLIENT (1u << CODEC_FROM_CLIENT)
#define BY_HUB    (1u << CODEC_FROM_HUB)
/* clang-format off */
#define ROW_REFERRAL(n, ...) ROW_SHAPE(n, referral, .max = CODEC_PAYLOAD_MAX_BYTES, __VA_ARGS__)
/* To its reader, with keys that were wrapped later. */
#define ROW_SPLICED(n, ...) ROW_SHAPE(n, referral, .max = CODEC_SPLICED_MAX_BYTES, __VA_ARGS__)
#define ROW_REQUEST(n, ...) \
	{ .name = (n), .senders = BY_CLIENT, .needs_request_id = true, __VA_ARGS__ }
#define ROW_REPLY(n, ...) { .name = (n), .senders = BY_HUB, __VA_ARGS__ }
/* clang-format on */

/* ---- by the client ---- */

static const struct codec_rule hello_rules[] = {
	ROW_ANY("version_min", .required = true),
	ROW_ANY("version_max", .required = true),
	ROW_TEXT("software", CODEC_SOFTWARE_MAX_BYTES),
	ROW_ANY("journal_number"),
	ROW_ID("incarnation"),
};
static CODEC_SHAPE(hello, hello, .check = codec_check_hello);

static const struct codec_rule submit_rules[] = {
	ROW_REFERRAL("referral", .required = true),
};
static CODEC_SHAPE(submit, submit, .check = codec_check_submit);

static const struct codec_rule delivery_refusal_rules[] = {
	ROW_ANY("delivery_id", .required = true),
	ROW_TEXT("reason", CODEC_REFUSAL_MAX_BYTES, .required = true,
		 .missing = IEUM_E_REASON_MISSING),
};
static CODEC_SHAPE(delivery_refusal, delivery_refusal);

static const struct codec_rule settle_rules[] = {
	ROW_ANY("done", .count_max = CODEC_SETTLE_MAX),
	ROW_ANY("release", .count_max = CODEC_SETTLE_MAX),
	ROW_SHAPE("refuse", delivery_refusal, .count_max = CODEC_SETTLE_MAX),
};
static CODEC_SHAPE(settle, settle, .check = codec_check_settle);

static const struct codec_rule case_query_rules[] = {
	ROW_ID("case_id", .required = true),
};
static CODEC_SHAPE(case_query, case_query);

static const struct codec_rule referral_query_rules[] = {
	ROW_ID("message_id", .required = true), /* a hub's own ids too */
};
static CODEC_SHAPE(referral_query, referral_query);

static const struct codec_rule directory_query_rules[] = {
	ROW_NAME("kind"),
	ROW_ANY("certificates"),
};
static CODEC_SHAPE(directory_query, directory_query);

static const struct codec_rule reach_query_rules[] = {
	ROW_SHAPE("referral", referral_asked, .max = CODEC_PAYLOAD_MAX_BYTES, .required = true),
};
static CODEC_SHAPE(reach_query, reach_query);

static const struct codec_rule queue_query_rules[] = {
	ROW_NAME("mailbox", .required = true),
	ROW_ANY("dead_letters"),
};
static CODEC_SHAPE(queue_query, queue_query);

static const struct codec_rule pools_query_rules[] = {
	ROW_NAME("pool"),
};
static CODEC_SHAPE(pools_query, pools_query);

static const struct codec_rule agenda_query_rules[] = {
	ROW_NAME("body", .required = true),
};
static CODEC_SHAPE(agenda_query, agenda_query);

static const struct codec_rule handover_query_rules[] = {
	ROW_NAME("from"),
	ROW_NAME("to"),
	ROW_JURISDICTION("jurisdiction"),
	ROW_ID("change_id"),
};
static CODEC_SHAPE(handover_query, handover_query);

static const struct codec_rule query_rules[] = {
	ROW_TEXT("cursor", CODEC_CURSOR_MAX_BYTES),
	ROW_NUMBER("page_rows", 0, CODEC_PAGE_ROWS_MAX),
	ROW_ANY("cases"),
	ROW_SHAPE("case", case_query),
	ROW_SHAPE("referral", referral_query),
	ROW_SHAPE("directory", directory_query),
	ROW_SHAPE("reach", reach_query),
	ROW_ANY("whoami"),
	ROW_ANY("queues"),
	ROW_SHAPE("queue", queue_query),
	ROW_ANY("deadlines"),
	ROW_SHAPE("pools", pools_query),
	ROW_SHAPE("agenda", agenda_query),
	ROW_SHAPE("handover", handover_query),
};
static CODEC_SHAPE(query, query, .check = codec_check_query, .unknown = IEUM_E_FRAME_UNKNOWN);

static const struct codec_rule advance_rules[] = {
	ROW_NUMBER("by_ms", 1, CODEC_DURATION_MAX_MS, .required = true),
};
static CODEC_SHAPE(advance, advance);

static const struct codec_rule confirm_copy_rules[] = {
	ROW_ANY("journal_number", .required = true),
	ROW_ID("incarnation", .required = true),
};
static CODEC_SHAPE(confirm_copy, confirm_copy);

/* ---- by the hub ---- */

static const struct codec_rule welcome_rules[] = {
	ROW_ANY("version", .required = true),
	ROW_TEXT("hub", CODEC_HUB_TEXT_MAX_BYTES),
	ROW_NAME("participant"),
	ROW_TEXT("actor", CODEC_HUB_TEXT_MAX_BYTES),
	ROW_ID("incarnation", .required = true),
	ROW_TIME("hub_time_at_ms"),
	ROW_ANY("limits", .required = true),
	ROW_TIME("certificate_ends_at_ms"),
	ROW_ANY("drill"),
	ROW_ANY("copied_through"),
	ROW_TIME("revocation_list_ends_at_ms"),
};
static CODEC_SHAPE(welcome, welcome);

static const struct codec_rule receipt_rules[] = {
	ROW_MESSAGE_ID("message_id", .required = true),
	ROW_ANY("journal_number", .required = true),
	ROW_TIME("received_at_ms"),
	ROW_ID("case_id"),
	ROW_ID("incarnation"),
	ROW_ANY("repeated"),
	ROW_ANY("drill"),
};
static CODEC_SHAPE(receipt, receipt);

static const struct codec_rule delivery_rules[] = {
	ROW_ANY("delivery_id", .required = true),
	ROW_ANY("attempt"),
	ROW_TEXT("mailbox", CODEC_HUB_TEXT_MAX_BYTES),
	ROW_TEXT("sender", CODEC_HUB_TEXT_MAX_BYTES),
	ROW_TEXT("sender_actor", CODEC_HUB_TEXT_MAX_BYTES),
	ROW_TIME("received_at_ms"),
	ROW_ANY("journal_number"),
	ROW_ANY("cause"),
	ROW_TIME("answer_by_at_ms"),
	ROW_ID("case_id"),
	ROW_SPLICED("referral", .required = true),
	ROW_ANY("drill"),
	ROW_ANY("urgency"),
};
static CODEC_SHAPE(delivery, delivery);

static const struct codec_rule referral_result_rules[] = {
	ROW_ID("message_id"),
	ROW_ID("case_id"),
	ROW_ANY("type"),
	ROW_TEXT("sender", CODEC_HUB_TEXT_MAX_BYTES),
	ROW_TIME("received_at_ms"),
	ROW_ANY("journal_number"),
	ROW_ANY("tasks"),
	ROW_ANY("deliveries"),
	ROW_SPLICED("referral"),
	ROW_ANY("withheld"),
	ROW_TEXT("sender_actor", CODEC_HUB_TEXT_MAX_BYTES),
};
static CODEC_SHAPE(referral_result, referral_result);

/* Certificates are larger than other bytes. */
static const struct codec_rule directory_entry_rules[] = {
	ROW_ANY("name"),
	ROW_ANY("kind"),
	ROW_ANY("jurisdiction"),
	ROW_ANY("title_en"),
	ROW_ANY("title_ko"),
	ROW_ANY("domains"),
	ROW_ANY("members"),
	ROW_ANY("is_body"),
	ROW_TEXT("certificates", CODEC_CERTIFICATE_MAX_BYTES),
};
static CODEC_SHAPE(directory_entry, directory_entry);

static const struct codec_rule directory_result_rules[] = {
	ROW_SHAPE("entries", directory_entry),
	ROW_ANY("titles"),
};
static CODEC_SHAPE(directory_result, directory_result);

static const struct codec_rule reach_reader_rules[] = {
	ROW_ANY("participant"),
	ROW_ANY("parts"),
	ROW_TEXT("certificates", CODEC_CERTIFICATE_MAX_BYTES),
};
static CODEC_SHAPE(reach_reader, reach_reader);

static const struct codec_rule reach_result_rules[] = {
	ROW_ANY("entries"),
	ROW_ANY("rules"),
	ROW_ANY("depends_on_counts"),
	ROW_ANY("pools"),
	ROW_SHAPE("readers", reach_reader),
};
static CODEC_SHAPE(reach_result, reach_result);

static const struct codec_rule result_rules[] = {
	ROW_TEXT("next_cursor", CODEC_CURSOR_MAX_BYTES),
	ROW_TIME("hub_time_at_ms"),
	ROW_ANY("cases"),
	ROW_ANY("case"),
	ROW_SHAPE("referral", referral_result),
	ROW_SHAPE("directory", directory_result),
	ROW_SHAPE("reach", reach_result),
	ROW_ANY("whoami"),
	ROW_ANY("queues"),
	ROW_ANY("queue"),
	ROW_ANY("deadlines"),
	ROW_ANY("pools"),
	ROW_ANY("agenda"),
	ROW_ANY("handover"),
	ROW_ANY("drill"),
};
static CODEC_SHAPE(result, result);

static const struct codec_rule error_rules[] = {
	ROW_ANY("code", .required = true),
	ROW_TEXT("name", CODEC_HUB_TEXT_MAX_BYTES),
	ROW_TEXT("detail", CODEC_HUB_TEXT_MAX_BYTES),
	ROW_TEXT("text_en", CODEC_HUB_TEXT_MAX_BYTES),
	ROW_TEXT("text_ko", CODEC_HUB_TEXT_MAX_BYTES),
	ROW_ANY("retry_after_ms"),
	ROW_TEXT("fault", CODEC_HUB_TEXT_MAX_BYTES),
	ROW_ID("message_id"),
};
static CODEC_SHAPE(error, error);

static const struct codec_rule copied_rules[] = {
	ROW_ANY("journal_number"),
	ROW_ID("incarnation", .required = true),
};
static CODEC_SHAPE(copied, copied);

/* ---- by both ---- */

static const struct codec_rule goodbye_rules[] = {
	ROW_TEXT("why", CODEC_TEXT_MAX_BYTES),
};
static CODEC_SHAPE(goodbye, goodbye);

static const struct codec_rule frame_rules[] = {
	ROW_ANY("request_id"),
	ROW_REQUEST("hello", .shape = &codec_hello_shape),
	ROW_REPLY("welcome", .shape = &codec_welcome_shape),
	ROW_REQUEST("submit", .shape = &codec_submit_shape),
	ROW_REPLY("receipt", .shape = &codec_receipt_shape),
	ROW_REQUEST("credit"),
	ROW_REPLY("delivery", .shape = &codec_delivery_shape),
	ROW_REQUEST("settle", .shape = &codec_settle_shape),
	ROW_REPLY("settled"),
	ROW_REQUEST("query", .shape = &codec_query_shape),
	ROW_REPLY("result", .shape = &codec_result_shape),
	ROW_REQUEST("ping"),
	ROW_REPLY("pong"),
	ROW_REPLY("error", .shape = &codec_error_shape),
	ROW_REQUEST("advance", .shape = &codec_advance_shape),
	ROW_REPLY("advanced"),
	ROW_SHAPE("goodbye", goodbye),
	ROW_REPLY("copied", .shape = &codec_copied_shape),
	ROW_REQUEST("confirm_copy", .shape = &codec_confirm_copy_shape),
};
CODEC_SHAPE(frame, frame, .unknown = IEUM_E_FRAME_UNKNOWN);
