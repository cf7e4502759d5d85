/* Rules of the typed bodies (body.proto), one table per message type; see codec_rules.h. */
#include "ieum/v1/body.pb-c.h"
#include "proto/codec_rules.h"

#define ROW_COUNT(n)    ROW_NUMBER(n, 0, CODEC_COUNT_MAX)
#define ROW_MEASURES(n) ROW_NUMBER(n, 1, CODEC_MEASURE_NUMBER_MAX, .count_max = CODEC_MEASURES_MAX)

static const struct codec_rule report_received_rules[] = {
	ROW_ANY("response_code"),        ROW_ANY("child_at_home"),     ROW_ANY("victim_consents"),
	ROW_COUNT("dispatches_in_year"), ROW_COUNT("checklist_score"), ROW_ANY("mandated_reporter"),
};
CODEC_SHAPE(report_received, report_received);

static const struct codec_rule mutual_notification_rules[] = {
	ROW_ID("report_id"),
};
CODEC_SHAPE(mutual_notification, mutual_notification);

static const struct codec_rule dispatch_request_rules[] = {
	ROW_TIME("departs_at_ms"),
};
CODEC_SHAPE(dispatch_request, dispatch_request);

static const struct codec_rule dispatch_result_rules[] = {
	ROW_ANY("joint"),
	ROW_ANY("child_seen"),
	ROW_ANY("entry_refused"),
};
CODEC_SHAPE(dispatch_result, dispatch_result);

static const struct codec_rule support_referral_rules[] = {
	ROW_NAME("domain", .required = true),
	ROW_LANGUAGE("language"),
	ROW_TIME("start_by_at_ms"),
};
CODEC_SHAPE(support_referral, support_referral);

static const struct codec_rule emergency_measure_report_rules[] = {
	ROW_NUMBER("measure", 1, 4),
	ROW_TIME("taken_at_ms"),
	ROW_ANY("extension_needed"),
};
CODEC_SHAPE(emergency_measure_report, emergency_measure_report);

static const struct codec_rule emergency_temporary_measure_notice_rules[] = {
	ROW_MEASURES("measures"),
	ROW_TIME("taken_at_ms"),
};
CODEC_SHAPE(emergency_temporary_measure_notice, emergency_temporary_measure_notice);

static const struct codec_rule temporary_measure_notice_rules[] = {
	ROW_MEASURES("measures"),
	ROW_TIME("from_at_ms"),
	ROW_TIME("until_at_ms"),
	ROW_ANY("prolongs"),
};
CODEC_SHAPE(temporary_measure_notice, temporary_measure_notice);

static const struct codec_rule court_filing_notice_rules[] = {
	ROW_ID("measure_id"),
	ROW_MEASURES("measures"),
	ROW_TIME("filed_at_ms"),
};
CODEC_SHAPE(court_filing_notice, court_filing_notice);

static const struct codec_rule conference_call_rules[] = {
	ROW_TIME("starts_at_ms"),
	ROW_NAME("body"),
};
CODEC_SHAPE(conference_call, conference_call);

static const struct codec_rule action_item_rules[] = {
	ROW_NAME("participant", .required = true),
	ROW_TIME("due_at_ms"),
	ROW_TEXT("title", CODEC_TITLE_MAX_BYTES),
};
static CODEC_SHAPE(action_item, action_item);

static const struct codec_rule decision_rules[] = {
	ROW_ID("item_id"),
	ROW_TEXT("text", CODEC_TEXT_MAX_BYTES, .required = true),
};
static CODEC_SHAPE(decision, decision);

static const struct codec_rule conference_minutes_rules[] = {
	ROW_ID("conference_id"),
	ROW_COUNT("actions"),
	ROW_SHAPE("action_items", action_item, .count_max = CODEC_REPEATED_MAX),
	ROW_ID("kept_item_ids", .count_max = CODEC_REPEATED_MAX),
	ROW_NAME("body"),
	ROW_SHAPE("decisions", decision, .count_max = CODEC_ITEMS_MAX),
	ROW_ID("given_up_ids", .count_max = CODEC_REPEATED_MAX),
};
CODEC_SHAPE(conference_minutes, conference_minutes);

static const struct codec_rule item_basis_rules[] = {
	ROW_NAME("item", .required = true),
	ROW_TEXT("article", CODEC_TEXT_MAX_BYTES, .required = true),
};
static CODEC_SHAPE(item_basis, item_basis);

static const struct codec_rule information_request_rules[] = {
	ROW_TEXT("purpose", CODEC_TEXT_MAX_BYTES, .required = true),
	ROW_NAME("items", .count_max = CODEC_ITEMS_MAX),
	ROW_NAME("round"),
	ROW_SHAPE("item_bases", item_basis, .count_max = CODEC_ITEMS_MAX),
};
CODEC_SHAPE(information_request, information_request);

static const struct codec_rule information_response_rules[] = {
	ROW_ANY("holding", .required = true),
	ROW_NAME("items", .count_max = CODEC_ITEMS_MAX),
	ROW_ANY("reason"),
};
CODEC_SHAPE(information_response, information_response, .check = codec_check_information_response);

static const struct codec_rule answer_rules[] = {
	ROW_ANY("kind", .required = true),
	ROW_ANY("outcome"),
	ROW_ANY("reason"),
	ROW_TIME("more_time_until_at_ms"),
	ROW_TIME("scheduled_at_ms"),
	ROW_TEXT("remark", CODEC_TEXT_MAX_BYTES),
	ROW_COUNT("request"),
	ROW_ANY("asked_for"),
	ROW_TEXT("no_answer_from", CODEC_TITLE_MAX_BYTES, .count_max = CODEC_AGENDA_MAX),
};
CODEC_SHAPE(answer, answer, .check = codec_check_answer);

static const struct codec_rule case_judgement_rules[] = {
	ROW_ANY("judgement", .required = true),
};
CODEC_SHAPE(case_judgement, case_judgement);

static const struct codec_rule protection_plan_rules[] = {
	ROW_ANY("separated"),
	ROW_TIME("review_at_ms"),
};
CODEC_SHAPE(protection_plan, protection_plan);

static const struct codec_rule case_plan_rules[] = {
	ROW_TIME("review_at_ms"),
	ROW_NAME("domains", .count_max = CODEC_REPEATED_MAX),
};
CODEC_SHAPE(case_plan, case_plan);

static const struct codec_rule capacity_hold_rules[] = {
	ROW_NAME("pool"),
	ROW_ANY("sex"),
	ROW_NUMBER("age_years", 0, CODEC_AGE_MAX_YEARS),
	ROW_NUMBER("places", 0, CODEC_PLACES_MAX),
	ROW_NUMBER("hold_ms", 0, CODEC_DURATION_MAX_MS),
	ROW_LANGUAGE("language"),
	ROW_TIME("from_at_ms"),
	ROW_TIME("until_at_ms"),
};
CODEC_SHAPE(capacity_hold, capacity_hold);

static const struct codec_rule placement_notice_rules[] = {
	ROW_ID("hold_id"),
	ROW_TEXT("location_token", CODEC_BYTES_MAX, .form = CODEC_FORM_TOKEN),
	ROW_TIME("placed_at_ms"),
};
CODEC_SHAPE(placement_notice, placement_notice);

static const struct codec_rule medical_request_rules[] = {
	ROW_NAME("service"),
	ROW_ANY("forensic"),
};
CODEC_SHAPE(medical_request, medical_request);

static const struct codec_rule visit_request_rules[] = {
	ROW_TIME("visit_by_at_ms"),
	ROW_COUNT("failed_contacts"),
};
CODEC_SHAPE(visit_request, visit_request);

static const struct codec_rule contact_result_rules[] = {
	ROW_ANY("outcome"),
	ROW_COUNT("attempt"),
	ROW_TIME("next_at_ms"),
};
CODEC_SHAPE(contact_result, contact_result);

static const struct codec_rule service_report_rules[] = {
	ROW_NAME("domain"),
	ROW_ANY("outcome"),
	ROW_COUNT("sessions"),
};
CODEC_SHAPE(service_report, service_report);

static const struct codec_rule monitoring_due_rules[] = {
	ROW_TIME("due_at_ms"),
	ROW_TEXT("grade", CODEC_GRADE_MAX_BYTES),
};
CODEC_SHAPE(monitoring_due, monitoring_due);

static const struct codec_rule recurrence_alert_rules[] = {
	ROW_COUNT("dispatches_in_year"),
	ROW_TEXT("grade", CODEC_GRADE_MAX_BYTES),
};
CODEC_SHAPE(recurrence_alert, recurrence_alert);

static const struct codec_rule consent_withdrawal_rules[] = {
	ROW_ID("message_ids", .count_max = CODEC_REPEATED_MAX),
};
CODEC_SHAPE(consent_withdrawal, consent_withdrawal);

static const struct codec_rule risk_signal_rules[] = {
	ROW_TEXT("month", sizeof "2026-11" - 1, .form = CODEC_FORM_MONTH),
	ROW_NUMBER("weight", 1, CODEC_WEIGHT_MAX),
};
CODEC_SHAPE(risk_signal, risk_signal);

static const struct codec_rule checkin_rules[] = {
	ROW_ANY("reached"),
	ROW_TIME("next_at_ms"),
};
CODEC_SHAPE(checkin, checkin);

static const struct codec_rule interpreter_request_rules[] = {
	ROW_LANGUAGE("language", .required = true),
	ROW_TIME("needed_at_ms"),
	ROW_ANY("sex"),
};
CODEC_SHAPE(interpreter_request, interpreter_request);

static const struct codec_rule jurisdiction_change_rules[] = {
	ROW_JURISDICTION("from_jurisdiction"), ROW_JURISDICTION("to_jurisdiction"),
	ROW_TIME("effective_at_ms"),           ROW_NAME("from", .required = true),
	ROW_NAME("to", .required = true),
};
CODEC_SHAPE(jurisdiction_change, jurisdiction_change);

static const struct codec_rule handover_rules[] = {
	ROW_NAME("to"),      ROW_TIME("effective_at_ms"), ROW_NAME("from"),
	ROW_ID("change_id"), ROW_COUNT("open_referrals"), ROW_COUNT("clocks"),
	ROW_COUNT("holds"),
};
CODEC_SHAPE(handover, handover);

static const struct codec_rule handover_manifest_rules[] = {
	ROW_COUNT("cases"),
	ROW_COUNT("open_referrals"),
	ROW_TEXT("digest", CODEC_DIGEST_BYTES, .min = CODEC_DIGEST_BYTES),
	ROW_COUNT("clocks"),
	ROW_COUNT("holds"),
	ROW_ID("change_id"),
};
CODEC_SHAPE(handover_manifest, handover_manifest);

static const struct codec_rule transfer_rules[] = {
	ROW_JURISDICTION("to_jurisdiction"),
	ROW_TIME("moved_at_ms"),
};
CODEC_SHAPE(transfer, transfer);

static const struct codec_rule reunification_request_rules[] = {
	ROW_ANY("agency_opinion"),
	ROW_ANY("doctor_opinion"),
	ROW_ANY("programme_attended"),
	ROW_ANY("seen_face_to_face"),
};
CODEC_SHAPE(reunification_request, reunification_request);

static const struct codec_rule closure_request_rules[] = {
	ROW_ANY("reason", .required = true, .missing = IEUM_E_REASON_MISSING),
	ROW_ANY("seen_face_to_face"),
};
CODEC_SHAPE(closure_request, closure_request);

static const struct codec_rule closure_notice_rules[] = {
	ROW_ANY("reason"),
	ROW_TIME("closed_at_ms"),
};
CODEC_SHAPE(closure_notice, closure_notice);

static const struct codec_rule waitlist_entry_rules[] = {
	ROW_NAME("pool"), ROW_NUMBER("places", 0, CODEC_PLACES_MAX),       ROW_COUNT("priority"),
	ROW_ANY("sex"),   ROW_NUMBER("age_years", 0, CODEC_AGE_MAX_YEARS), ROW_LANGUAGE("language"),
};
CODEC_SHAPE(waitlist_entry, waitlist_entry);

static const struct codec_rule deadline_notice_rules[] = {
	ROW_NAME("clock"),       ROW_ANY("change"), ROW_TIME("due_at_ms"),
	ROW_ID("started_by_id"), ROW_NAME("pool"),  ROW_NAME("participant"),
};
CODEC_SHAPE(deadline_notice, deadline_notice);

static const struct codec_rule stop_use_order_rules[] = {
	ROW_ID("withdrawal_id"),
	ROW_ID("message_ids", .count_max = CODEC_STOPPED_MAX),
};
CODEC_SHAPE(stop_use_order, stop_use_order);

static const struct codec_rule agenda_item_rules[] = {
	ROW_NAME("body", .required = true),
	ROW_TEXT("title", CODEC_TITLE_MAX_BYTES),
};
CODEC_SHAPE(agenda_item, agenda_item);

static const struct codec_rule agenda_entry_rules[] = {
	ROW_ANY("kind"),         ROW_ID("message_id"),  ROW_ID("case_id"),
	ROW_NAME("participant"), ROW_TIME("due_at_ms"), ROW_TEXT("title", CODEC_TITLE_MAX_BYTES),
	ROW_COUNT("carried"),    ROW_COUNT("action"),   ROW_COUNT("request"),
	ROW_ANY("state"),        ROW_ANY("category"),   ROW_TEXT("months", sizeof "2026-11" - 1),
};
static CODEC_SHAPE(agenda_entry, agenda_entry);

static const struct codec_rule agenda_rules[] = {
	ROW_NAME("body"),
	ROW_ID("conference_id"),
	ROW_SHAPE("entries", agenda_entry, .count_max = CODEC_AGENDA_MAX),
};
CODEC_SHAPE(agenda, agenda);

static const struct codec_rule linked_sign_rules[] = {
	ROW_ANY("category"),
	ROW_TEXT("month", sizeof "2026-11" - 1),
	ROW_COUNT("weight"),
};
static CODEC_SHAPE(linked_sign, linked_sign);

static const struct codec_rule linked_set_notice_rules[] = {
	ROW_NAME("linkage"),       ROW_COUNT("agencies"),    ROW_COUNT("signals"),
	ROW_COUNT("weight"),       ROW_TIME("first_at_ms"),  ROW_TIME("last_at_ms"),
	ROW_TIME("expires_at_ms"), ROW_ANY("category_only"), ROW_SHAPE("signs", linked_sign),
};
CODEC_SHAPE(linked_set_notice, linked_set_notice);

static const struct codec_rule identity_request_rules[] = {
	ROW_TEXT("purpose", CODEC_TEXT_MAX_BYTES, .required = true),
	ROW_ANY("break_glass"),
	ROW_ID("signal_ids", .count_max = CODEC_REPEATED_MAX),
};
CODEC_SHAPE(identity_request, identity_request);

static const struct codec_rule identity_disclosure_rules[] = {
	ROW_ID("signal_ids", .count_max = CODEC_REPEATED_MAX),
};
CODEC_SHAPE(identity_disclosure, identity_disclosure);

static const struct codec_rule capacity_report_rules[] = {
	ROW_NAME("pool", .required = true),
	ROW_COUNT("places"),
	ROW_TIME("as_of_at_ms"),
};
CODEC_SHAPE(capacity_report, capacity_report);

static const struct codec_rule place_offer_rules[] = {
	ROW_NAME("pool"),
	ROW_NUMBER("places", 0, CODEC_PLACES_MAX),
	ROW_TIME("reply_by_at_ms"),
	ROW_ID("entry_id"),
};
CODEC_SHAPE(place_offer, place_offer);

static const struct codec_rule place_returned_rules[] = {
	ROW_ID("hold_id", .required = true),
	ROW_TIME("returned_at_ms"),
};
CODEC_SHAPE(place_returned, place_returned);

static const struct codec_rule key_request_rules[] = {
	ROW_ID("message_id", .required = true),
	ROW_NAME("participant", .required = true),
	ROW_NUMBER("parts", 1, CODEC_SEALED_PARTS_MAX, .count_max = CODEC_SEALED_PARTS_MAX),
	ROW_TEXT("certificates", CODEC_CERTIFICATE_MAX_BYTES,
		 .count_max = CODEC_KEY_CERTIFICATES_MAX),
};
CODEC_SHAPE(key_request, key_request);

static const struct codec_rule wrapped_key_rules[] = {
	ROW_NUMBER("part", 1, CODEC_SEALED_PARTS_MAX, .required = true),
	ROW_TEXT("recipient_info", CODEC_RECIPIENT_INFO_MAX_BYTES, .required = true),
};
static CODEC_SHAPE(wrapped_key, wrapped_key);

static const struct codec_rule key_wrap_rules[] = {
	ROW_ID("message_id", .required = true),
	ROW_NAME("participant", .required = true),
	ROW_SHAPE("keys", wrapped_key, .count_max = CODEC_WRAPPED_KEYS_MAX),
};
CODEC_SHAPE(key_wrap, key_wrap);

static const struct codec_rule certificate_notice_rules[] = {
	ROW_ANY("matter"),
	ROW_NAME("participant"),
	ROW_TEXT("actor", CODEC_TEXT_MAX_BYTES),
	ROW_TEXT("serial", CODEC_BYTES_MAX),
	ROW_TIME("ends_at_ms"),
};
CODEC_SHAPE(certificate_notice, certificate_notice);
