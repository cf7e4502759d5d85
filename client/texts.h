/* Everything the command `ieum` says to a person, in one table, in English; the other languages are in
 * po/ (proto/catalog.h, `make po`).
 *
 * Words of the domain are in proto/words.h, errors of the wire in proto/error.h, the codes of exit
 * in exit_code.h.  A translation takes the same arguments (tests/unit/test_texts.c holds that).  Korean
 * texts avoid particles that depend on the word before. */
#ifndef IEUM_CLIENT_TEXTS_H
#define IEUM_CLIENT_TEXTS_H

#include <inttypes.h>

#include "client/texts_help.h"
#include "proto/words.h"

/* X(name, English) */
/* clang-format off */
#define IEUM_TEXTS(X) \
	IEUM_HELP_TEXTS(X) \
	/* the command line */ \
	X(TOO_MANY_WORDS,      "too many words on the command line, from '%s' on") \
	X(OPTION_TWICE,        "--%s is given twice") \
	X(OPTION_NEEDS_VALUE,  "%s needs a value") \
	X(OPTION_UNKNOWN,      "unknown option %s") \
	X(OPTION_NOT_HERE,     "--%s does not go with this command") \
	X(OPTION_VALUE,        "--%s: this value is not possible here") \
	X(COMMAND_MISSING,     "which command?") \
	X(COMMAND_UNKNOWN,     "unknown command '%s'") \
	X(WORD_MISSING,        "something is missing after '%s'") \
	X(WORD_TOO_MUCH,       "'%s' is too much here") \
	X(WORD_UNKNOWN,        "'%s' is not possible here") \
	X(ID_WRONG,            "'%s' is not an id (36 characters, as the receipt and the inbox print it)") \
	X(NUMBER_WRONG,        "'%s' is not a number that is possible here") \
	X(DURATION_WRONG,      "'%s' is not a length of time; write 90s, 30min, 4h or 2d") \
	X(DURATION_BUSINESS,   "'%s': only the hub's calendar knows how long that is; write h or d") \
	X(TIME_WRONG,          "'%s' is not a time; write 2026-03-02T09:00:00+09:00 or 2026-03-02 09:00") \
	X(SETTLE_WHICH,        "say one of --done, --release, --refuse REASON%s") \
	X(ANSWER_NEEDS_REASON, "'%s' needs --reason") \
	X(ANSWER_NEEDS_UNTIL,  "'%s' needs --until") \
	X(CASE_OR_OPEN,        "--case and --open-case exclude each other%s") \
	X(EARLIER_WRONG,       "'%s' is not SIZE:ROOT (a number, a colon, 64 hexadecimal digits)") \
	X(SEE_HELP,            "see: ieum %s%s--help") \
	X(ONE_OF,              "possible: %s") \
	/* what to do after an error */ \
	X(DO_CORRECT,          "Correct it and send it again.") \
	X(DO_ASK_OPERATOR,     "Ask the hub's operator.") \
	X(DO_LATER,            "Nothing was accepted. Try again later.") \
	X(DO_RUN_AGAIN,        "Run the command again.") \
	X(DO_SAME_ID,          "It may have arrived. Run the command again: under the same message id, %s, it is never recorded twice.") \
	X(DO_LOOK_FIRST,       "It may have arrived: look with 'ieum referral show %s' before you run the command again.") \
	X(DO_LOOK_OR_SAME_ID,  "It may have arrived: look with 'ieum referral show %s' before you submit it again, or submit it again with '--message-id %s': under the same id it is never recorded twice.") \
	X(DO_LOOK_ANSWERED,    "It may have arrived: look with 'ieum referral show %s' whether the request is answered before you run the command again.") \
	X(DO_LOOK_CLOCK,       "The clock may have been moved on already: a second time would be added to it.") \
	X(DO_NOTHING_SENT,     "Stopped: nothing was sent and nothing was kept.") \
	X(DO_NOT_AGAIN,        "Nothing is lost: don't submit it again, that would be a second message.") \
	X(DO_SPOOL_ROOM,       "Make room on its disk, or let the spool empty itself: reach the hub, and take what was delivered.") \
	X(DO_SPOOL_LOCKED,     "End the other program, or try again.") \
	X(DO_LIST_SPOOL,       "'ieum spool list' shows what is in it.") \
	X(DO_OTHER_SPOOL,      "Name another file in the profile (spool: FILE).") \
	X(DO_OTHER_KEY,        "Have a colleague do it whose key opens it; a key of your own that was replaced belongs into the profile's old_keys.") \
	X(DO_SALVAGE,          "'ieum spool salvage' saves what can be read; the damaged file stays beside it.") \
	X(DO_SPOOL_SALVAGE,    "See what is damaged with 'ieum spool check'; 'ieum spool salvage' saves what can be read.") \
	X(DO_CHECK_ADDRESS,    "Check the addresses in the profile and that the hub is running.") \
	X(DO_CHECK_TLS,        "Check certificate, key, ca and server_name in the profile. Revoked or expired: ask the hub's operator for a new certificate.") \
	X(DO_NEW_CERTIFICATE,  "Ask the hub's operator for a new certificate.") \
	X(DO_CHECK_ID,         "Check the number. What you have no part in is not shown, by design.") \
	X(DO_CHECK_PATH,       "Check the path and its permissions.") \
	X(DO_CHECK_FILE,       "Correct the file.") \
	X(DO_MAKE_PROFILE,     "Write a profile (see ieum --help) or name one with --profile.") \
	X(DO_OPEN_REFERRALS,   "Wait for the open referrals or cancel them; ieum case timeline shows them.") \
	X(DO_TELL_HUB,         "Tell the hub's operator now; keep a copy of the journal.") \
	X(RETRY_AFTER,         "not before %s from now") \
	X(FILE_CANT,           "%s: %s") \
	X(FILE_TOO_LARGE,      "%s: larger than %d bytes") \
	X(OUTPUT_FAILED,       "the output cannot be written") \
	/* time */ \
	X(SUN, "Sun") X(MON, "Mon") X(TUE, "Tue") X(WED, "Wed") \
	X(THU, "Thu") X(FRI, "Fri") X(SAT, "Sat") \
	X(SPAN_S,     "%" PRId64 " s") \
	X(SPAN_MIN,   "%" PRId64 " min") \
	X(SPAN_H,     "%" PRId64 " h") \
	X(SPAN_H_MIN, "%" PRId64 " h %" PRId64 " min") \
	X(SPAN_D,     "%" PRId64 " d") \
	X(SPAN_D_H,   "%" PRId64 " d %" PRId64 " h") \
	X(DUE_IN,     "%s (in %s)") \
	X(OVERDUE,    "%s (%s overdue)") \
	/* small words */ \
	X(HUB,       "Hub") \
	X(YES,       "yes") \
	X(NO,        "no") \
	X(NONE,      "none") \
	X(DRILL,     "DRILL: nothing here is real") \
	X(CERTIFICATE_ENDS, "Your certificate ends on %s; ask the hub's operator for a new one.") \
	X(OWN_LIST_ENDED, "The revocation list in your profile ended on %s: who was revoked since isn't known here. Ask whoever signs the certificates for a new one (ca.crl) and put it in its place.") \
	X(FIELD_VALUE, "%s: %s") \
	/* receipts */ \
	X(RECEIVED_BY_HUB,  "The hub has it: message %s") \
	X(REPEATED_BY_HUB,  "The hub had it already: message %s") \
	X(RECEIPT_JOURNAL,  "  journal number %" PRIu64 ", received %s") \
	X(RECEIPT_CASE,     "  case %s") \
	X(SETTLED_N,        "%zu deliveries settled") \
	/* inbox */ \
	X(INBOX_EMPTY,      "Nothing new.") \
	X(INBOX_NOTICE,     "There is something new for you.") \
	X(INBOX_WAITING,    "Waiting for messages. Ctrl-C ends.") \
	X(CONNECTION_AGAIN, "The connection was lost; trying again.") \
	X(CONNECTION_STILL, "Still trying to reach the hub. Ctrl-C ends.") \
	X(CONNECTED_AGAIN,  "Connected again.") \
	X(INBOX_HELD,       "The hub is not reached yet. This came before and was not printed:") \
	X(DELIVERY_N,       "delivery %" PRIu64) \
	X(ATTEMPT_N,        "attempt %" PRIu32) \
	X(MAYBE_SHOWN,      "may have been shown before") \
	X(FROM,             "From") \
	X(MAILBOX,          "Mailbox") \
	X(CASE,             "Case") \
	X(MESSAGE,          "Message") \
	X(IN_REPLY_TO,      "Replies to") \
	X(RECEIVED,         "Received") \
	X(OCCURRED,         "Occurred") \
	X(ANSWER_BY,        "Answer by") \
	X(WHY_YOU,          "Why you") \
	X(ABOUT,            "About") \
	X(LEGAL_BASIS,      "Legal basis") \
	X(REFERENCES,       "References") \
	X(PART_SEALED,      "(sealed, %zu bytes)") \
	X(PART_SIGNED,      "(sealed; signed by %s, %s)") \
	X(PART_SIGNED_NAMELESS, "(sealed; signed by %s, whose certificate names no participant)") \
	X(PART_KEY_ASKED,   "(sealed, and to no key of this computer; who may read it gets one from those who hold it: look again later, or have a colleague look)") \
	X(PART_NOT_OPENED,  "(sealed, and not shown: %s)") \
	X(KEY_TO_WRAP,      "→ ieum key wrap %s") \
	X(KEY_CAME,         "→ ieum referral show %s") \
	X(KEY_WRAPPED,      "%s can open the sealed parts of %s now.") \
	X(KEY_NOT_WRAPPED,  "%s gets no key for %s: %s") \
	X(KEY_WRONG,        "The key that has come for %s opens nothing; it was rejected, and the hub asks the next one who holds it.") \
	X(KEY_NOT_ASKED,    "message %s asks for no key") \
	X(PART_ATTACHMENT,  "(attachment %s, %zu bytes)") \
	X(CONTENT_ERASED,   "(the content was erased at the end of its retention)") \
	X(CONTENT_OF_OTHERS, "(the content is for those it was addressed to)") \
	X(CONTENT_WITHDRAWN, "(not shown: the consent was withdrawn)") \
	/* cases and timelines */ \
	X(NO_CASES,         "You take part in no open case.") \
	X(STATE,            "State") \
	X(GRADE,            "Repeat risk") \
	X(CONSENT,          "Consent") \
	X(CONSENT_ENDED,    "withdrawn: only duties by law and danger allow sharing") \
	X(OWNER,            "Responsible") \
	X(OPENED,           "Opened") \
	X(LAST,             "Last event") \
	X(OPEN_REQUESTS,    "Open requests") \
	X(NEXT_DUE,         "Next deadline") \
	X(JURISDICTION,     "Jurisdiction") \
	X(PARTICIPANTS,     "Taking part") \
	X(LINKED,           "Linked case") \
	X(WHEN,             "When") \
	X(WHO,              "Who") \
	X(WHAT,             "What") \
	X(TO,               "To") \
	X(NOTE,             "Note") \
	X(ENTRY_ANSWER,     "%s (re: %s)") \
	X(ENTRY_SILENCE,    "%s: no answer in time, the next is asked") \
	X(ENTRY_REJECTED,   "%s: rejected, the next is asked") \
	X(ENTRY_NOBODY,     "%s: nobody is left to ask") \
	X(ENTRY_FAILED,     "FAILED, nobody answered: %s") \
	X(ENTRY_DELIVERED,  "Delivered: %s") \
	X(ENTRY_CASE,       "Case: %s") \
	X(ENTRY_GRADE,      "Repeat risk: grade %s") \
	X(ENTRY_NO_GRADE,   "Repeat risk: no grade any more") \
	X(ENTRY_WITHDRAWN,  "Consent withdrawn") \
	X(ENTRY_WITHDRAWN_IN_PART, "Consent withdrawn, of some messages") \
	X(ENTRY_GIVEN,      "Consent given again") \
	X(ENTRY_DEAD,       "COULD NOT BE DELIVERED: tell the operator") \
	X(ENTRY_UNKNOWN,    "(this version does not know this entry)") \
	X(NOTE_DUE,         "by %s") \
	/* referrals */ \
	X(ASKED,            "Asked of") \
	X(ANSWERED,         "Answer") \
	X(SILENT,           "silent") \
	X(APPROVED_BY,      "%zu of %u have approved%s%s") \
	X(CARRIED,          "Meetings before") \
	X(NO_AGENDA,        "Nothing is on the agenda.") \
	X(GATES,            "Gate open") \
	X(GATE_UNTIL,       "(until %s)") \
	X(ENTRY_GATE,       "Gate opened: %s") \
	X(BREAK_GLASS,      "Break-glass: the gate IS OPEN already, on imminent danger and without approval. There is nothing to approve; if there was no such danger, tell the convener and your head now.") \
	X(ENTRY_GATE_AT_ONCE, "Gate opened at once, without approval (break-glass): %s") \
	X(DEADLINE,         "Deadline") \
	X(STEPS_LEFT,       "Next steps left") \
	X(OUTCOME,          "Result") \
	X(DELIVERIES,       "Deliveries") \
	X(RELEASED_TO,      "Delivered to") \
	X(ATTEMPTS,         "Attempts") \
	X(DELIVERY,         "Delivery") \
	X(QUEUED,           "waiting") \
	X(IN_FLIGHT,        "delivered") \
	X(SETTLED,          "taken") \
	X(DEAD_LETTERED,    "given up") \
	X(WITHDRAWN,        "withdrawn") \
	/* directory, reach, whoami */ \
	X(NAME,             "Name") \
	X(TITLE,            "Title") \
	X(KIND,             "Kind") \
	X(SERVES,           "Serves") \
	X(MEMBERS,          "Members") \
	X(NO_ENTRIES,       "Nobody of this kind.") \
	X(REACHES_NOBODY,   "This message would reach nobody.") \
	X(REACH_KEEPERS,    "It asks the keepers of pools that suit, as far as places are free: %s") \
	X(REACH_DEPENDS,    "Whom else it reaches depends on what was counted of the person; that is not told in advance.") \
	X(ADDRESS_HEAD,     "the head") \
	X(ADDRESS_HEAD_OF,  "head of %s") \
	X(ADDRESS_HEAD_OF_SENDER, "head of the sender") \
	X(ADDRESS_SENDER,   "the sender") \
	X(ADDRESS_ADDRESSEES, "those addressed") \
	X(ADDRESS_LEAD,     "lead of %s") \
	X(ADDRESS_CONVENER, "convener of %s") \
	X(ADDRESS_BODY,     "all of %s") \
	X(ADDRESS_POOL,     "a place in %s") \
	X(ADDRESS_ROLE,     "everyone of kind %s") \
	X(ADDRESS_PROVIDER, "whoever provides %s") \
	X(BECAUSE,          "Why") \
	X(THEN,             "Then") \
	X(RULES,            "Rules: %s") \
	X(YOU_ARE,          "You") \
	X(ACTOR,            "Person or workstation") \
	X(MAILBOXES,        "Mailboxes") \
	X(VIEWS,            "Views") \
	X(PONG,             "%s: %.1f ms") \
	X(PINGS_SUM,        "%zu answered, min %.1f, median %.1f, max %.1f ms") \
	/* queues */ \
	X(DEPTH,            "Waiting") \
	X(OLDEST,           "Oldest") \
	X(IN_FLIGHT_N,      "In flight") \
	X(DEAD_N,           "Dead letters") \
	X(CONSUMERS,        "Connected") \
	X(BYTES,            "Bytes") \
	X(HEAD_WAITS,       "Why its head waits") \
	X(NO_QUEUES,        "There are no queues.") \
	X(QUEUE_EMPTY,      "Nothing here.") \
	X(NOT_BEFORE,       "Not before") \
	X(WHY,              "Why") \
	X(TYPE,             "Type") \
	X(URGENCY,          "Urgency") \
	X(AGE,              "Age") \
	/* clocks */ \
	X(CLOCK,            "Clock") \
	X(ENDS,             "Ends") \
	X(CLOCK_LEFT,       "%s left") \
	X(CLOCK_LATE,       "was breached") \
	X(CLOCK_LONGER,     "extended %u times") \
	X(ENTRY_CLOCK,      "Clock %s: %s") \
	X(WAITS_FOR,        "Waits for") \
	X(NO_DEADLINES,     "No clock runs and nothing is owed in your cases.") \
	X(NO_BREACHES,      "No clock of your cases was ever breached.") \
	/* pools */ \
	X(POOL,             "Pool") \
	X(KEEPER,           "Kept by") \
	X(PLACES,           "Places") \
	X(PLACES_FREE,      "Free") \
	X(PLACES_HELD,      "Held") \
	X(PLACES_TAKEN,     "Taken") \
	X(PLACES_WANTED,    "Waited for") \
	X(COUNTED,          "Counted") \
	X(RENEWS,           "Given anew") \
	X(NEEDED_UNTIL,     "Needed until") \
	X(COUNT_STALE,      " (stale)") \
	X(POSITION,         "Position") \
	X(PRIORITY,         "Priority") \
	X(UNTIL,            "Until") \
	X(NO_POOLS,         "There are no pools that you may ask.") \
	X(ENTRY_PLACE,      "Place in %s: %s") \
	/* a new city */ \
	X(ASK_HUB,          "Name of the hub (city.ieum): ") \
	X(ASK_JURISDICTION, "Administrative code of the city, digits: ") \
	X(ASK_LISTEN,       "Where it listens, ADDRESS:PORT or :PORT [:7443]: ") \
	X(ASK_AGENCY,       "An agency, KIND:NAME or KIND:NAME:TITLE (empty line: no more): ") \
	X(HUB_WRONG,        "--hub: '%s' can't be a hub's name; write a-z, 0-9, '.' and '-', like gimpo.ieum") \
	X(JURISDICTION_WRONG, "--jurisdiction: '%s' is no administrative code; write 2 to 10 digits, like 41570") \
	X(LISTEN_WRONG,     "--listen: '%s' is no place to listen; write ADDRESS:PORT, or :PORT for every address, like :7443") \
	X(HOST_WRONG,       "--host: '%s' is no host's name; write a name or an address without a port, like hub.gimpo.example") \
	X(AGENCY_WRONG,     "'%s' is no agency; write kind:name or kind:name:title, kind and name of a-z, 0-9, '-' and '_'") \
	X(AGENCY_TWICE,     "'%s' is there twice") \
	X(AGENCIES_TOO_MANY, "'%s' is one agency more than init writes; add it to hub.yaml afterwards") \
	X(AGENCIES_MISSING, "at least two agencies are needed, --agency KIND:NAME%s") \
	X(THERE_ALREADY,    "%s is there already and is not overwritten; choose another --dir, or move it away") \
	X(INIT_DONE,        "%s is ready in %s: %zu agencies. Next:") \
	X(INIT_CHECK,       "look the files over; hub.yaml says who hears what") \
	X(INIT_START,       "start the hub") \
	X(INIT_WHOAMI,      "ask it as an agency") \
	X(INIT_HAND_OUT,    "give each agency its own of these folders, to be its ~/.config/ieum; its key is in it: keep no copy") \
	X(INIT_CA,          "move the authority's key off this machine: it signs whoever takes part") \
	X(SCENARIO_AFTER, "… %s later") \
	X(SCENARIO_OPENS, "%s opens what is sealed in %s") \
	X(SCENARIO_SEALED, "%s can't open what is sealed in %s") \
	X(SCENARIO_CRASH, "the hub's power fails; it starts again") \
	/* drill */ \
	X(COPIED_THROUGH,   "A copy of the journal up to number %" PRIu64 " is off the hub's disk: the agencies let go what they kept up to there.") \
	/* the spool */ \
	X(NO_HUB_FOR,       "No connection to the hub for %s; messages that wait in the spool: %" PRIu64 ". Use the telephone for what is urgent; your own open deadlines: ieum deadlines") \
	X(SPOOL_KEPT,       "Kept in the spool, not yet at the hub: message %s. The next ieum command that reaches the hub sends it, or: ieum spool send") \
	X(SPOOL_RENAMED,    "Message %s goes under a new id, %s: the hub would have refused the old one, because this computer's clock was wrong when it was made or because it has waited too long.") \
	X(SPOOL_MISSING,    "There is no spool: no place for it (no home folder, or it can't be written to), and the profile names none. What isn't receipted now isn't sent by itself later. Name a file in the profile (spool: FILE), or spool: none.") \
	X(SPOOL_SENT,       "Sent from the spool: message %s") \
	X(SPOOL_REFUSED,    "The hub refused message %s from the spool: %s (%s) %s") \
	X(SPOOL_NONE,       "there is no spool: the profile says `spool: none`, or there is no home folder for one") \
	X(SPOOL_SUM,        "%s: waiting %" PRIu64 ", receipted %" PRIu64 ", deliveries not taken %" PRIu64 "; %.1f of %.1f MiB") \
	X(SPOOL_LET_GO,     "%" PRIu64 " messages with a receipt were let go before the hub knew of a copy of its journal.") \
	X(SPOOL_SINCE,      "Since") \
	X(SPOOL_WAITING,    "waiting") \
	X(SPOOL_RECEIPTED,  "receipted") \
	X(SPOOL_IS_REFUSED, "refused") \
	X(SPOOL_SOUND,      "%s: sound") \
	X(SPOOL_SAVED,      "Saved: messages %" PRIu64 ", deliveries %" PRIu64 "; not readable: %" PRIu64 " or more. The old file lies in %s") \
	X(SPOOL_NONE_WAITS, "Nothing waits in the spool.") \
	X(SPOOL_DROPPED,    "Dropped from the spool: message %s") \
	X(SPOOL_IS_WAITING, "it waits to be sent and may be on its way; only what the hub has refused can be dropped or sent again") \
	X(SPOOL_HAS_RECEIPT, "the hub has it; it leaves the spool by itself once a copy of the hub's journal is elsewhere") \
	X(OFFLINE_DEADLINES, "As the hub said at %s; it may have changed since:") \
	X(OFFLINE_NEVER,    "The hub has never told this machine your open deadlines: there may be some that aren't listed here.") \
	X(OFFLINE_DELIVERIES, "Deliveries that want an answer and came since then, or that you haven't taken yet:") \
	X(SPOOL_WITHOUT,    "Going on without the spool: what is delivered stays with the hub until it is printed.") \
	X(CLOCK_ADVANCED,   "The drill's clock is now %s.") \
	/* hand-over */ \
	X(CHANGE,           "Change") \
	X(EFFECTIVE,        "Takes effect") \
	X(CASES,            "Cases") \
	X(NOT_ACCEPTED,     "Not accepted") \
	X(KEPT,             "Stayed") \
	X(CLOCKS,           "Clocks") \
	X(PROGRESS,         "Hand-over") \
	X(LAST_READ,        "Last read by the old agency") \
	X(HANDOVER_SUM,     "Cases: %u. Open requests: %u. Clocks: %u. Places: %u.") \
	X(HANDOVER_LEFT,    "Not accepted: %u. With something in the way: %u.") \
	X(NO_CHANGES,       "No jurisdiction changes that you may see.") \
	X(ENTRY_HANDED_OVER, "Handed over to %s") \
	/* certificates */ \
	X(CERT_REQUESTED,      "%s.key is the key: it stays here.\nThe request for %s, %s, is %s.csr: send it to whoever signs for the hub.") \
	X(CERT_THERE,          "%s is there already; choose another --out") \
	X(CERT_NO_URI,         "your certificate is of another PKI; name hub, kind, participant and name") \
	X(CERT_URI,            "Is") \
	X(CERT_BEGINS,         "Begins") \
	X(CERT_ISSUER,         "Signed by") \
	X(CERT_SUBJECT,        "Subject") \
	X(CERT_SERIAL,         "Serial number") \
	X(CERT_KEY,            "Key") \
	X(CERT_PIN,            "Key, SHA-256") \
	X(CERT_USES,           "For") \
	X(CERT_SIGNS_AND_SEALED, "connecting, signing, and being sealed to") \
	X(CERT_SIGNS,          "connecting and signing; nobody can seal to it") \
	X(CERT_NO_USE,         "neither connecting nor signing") \
	/* tokens */ \
	X(DAY_WRONG,           "'%s' is not a day; write 2026-03-01") \
	X(OPTION_MISSING,      "--%s is needed here") \
	X(SUBJECT_TWICE,       "--subject and --%s exclude each other") \
	X(TOKENS_THERE,        "'%s' has subject_tokens already; leave out --subject") \
	X(TOKENS_TOO_FEW,      "Too few identifiers. A token needs one of: name and birth; name and phone; birth and phone; guardian, birth and sex; name and postcode; birth, sex and postcode.") \
	X(TOKENS_NO_EPOCH,     "No epoch of the council key is valid on %s. Ask the council for the key that is.") \
	X(COUNCIL_OTHER,       "the file is the key of another council: %s") \
	X(EPOCHS_A_DAY,        "two epochs are valid on %s already; begin later (--from)") \
	X(EPOCHS_FULL,         "The file has as many epochs as it may (16, numbers up to 255). Take ended ones out.") \
	X(EPOCH_MADE,          "Key of %s: epoch %d, valid %s to %s. Give the file to the council's members only.") \
	X(EPOCH_OVERLAP,       "It overlaps the epoch before it by %" PRId64 " days.") \
	X(EPOCH_NO_OVERLAP,    "It does not overlap the epoch before it: signals from before and after will never be linked.") \
	X(EPOCH,               "Epoch") \
	X(TOKEN,               "Token") \
	X(TOKEN_NAME_BIRTH,         "Name, birth date") \
	X(TOKEN_NAME_PHONE,         "Name, guardian's phone") \
	X(TOKEN_BIRTH_PHONE,        "Birth date, guardian's phone") \
	X(TOKEN_GUARDIAN_BIRTH_SEX, "Guardian, birth date, sex") \
	X(TOKEN_NAME_POSTCODE,      "Name, postcode") \
	X(TOKEN_BIRTH_SEX_POSTCODE, "Birth date, sex, postcode") \
	/* policies, offline */ \
	X(EXPLAINED,        "%s from %s, %s") \
	X(LINE,             "Line") \
	X(RULE,             "Rule") \
	X(RULE_APPLIES,     "applies") \
	X(RULE_FORBIDS,     "forbids it") \
	X(RULE_REFUSES,     "applies, but can't be carried out") \
	X(RULE_WANTS,       "%s is %s, the rule wants %s") \
	X(RULE_WANTS_SOME,  "%s is not stated, the rule wants %s") \
	X(RULE_UNMET,       "its %s is for other messages") \
	X(REQUEST,          "Request") \
	X(REQUEST_N,        "Request %zu, to %s:") \
	X(CLOCK_STOPS_AT,   "the clock stops at: %s") \
	X(ON_SILENCE,       "on silence") \
	X(ON_REJECTION,     "on rejection") \
	X(ON_EITHER,        "on silence or rejection") \
	X(CLOSING,          "Closing") \
	X(BLOCKS_CLOSING,   "not while this is open") \
	X(ASKS_TO_CLOSE,    "refused while something open blocks it") \
	X(QUORUM,           "Acceptances needed") \
	X(OPENS_GATE,       "Opens gate") \
	X(HUB_SENDS,        "The hub sends") \
	X(CASE_OF_ITS_OWN,  "in a case of its own") \
	X(SETS_OFF,         "Sets off") \
	X(MAY_REACH,        "May reach") \
	X(COUNTS_IN,        "Counts in") \
	X(COUNTS_ANEW,      "Counts anew") \
	X(CASE_STATE,       "Case state") \
	X(WOULD_BE_REFUSED, "Refused: %s (%s)") \
	X(PARTICIPANT_UNKNOWN, "'%s' is no participant of the hub file") \
	X(MAILBOX_UNKNOWN,  "'%s' is no mailbox of the hub file") \
	X(COUNTER_UNKNOWN,  "'%s' is no counter of the hub file") \
	X(HOLIDAYS_END,     "%s: warning: the list of holidays ends soon or has ended; add the next ones") \
	X(POLICY_GOOD,      "%s: no mistake (%zu participants, %zu bodies, %zu mailboxes)") \
	X(TEST_PASSED,      "passed") \
	X(TEST_FAILED,      "FAILED") \
	X(TESTS_SUM,        "%zu passed, %zu failed") \
	/* audit */ \
	X(AUDIT_SOUND,      "SOUND: %" PRIu64 " events in %" PRIu64 " commits, nothing missing, nothing changed.") \
	X(AUDIT_MISMATCH,   "MISMATCH at event %" PRIu64 ": %s") \
	X(AUDIT_MISMATCH_ALL, "MISMATCH: %s") \
	X(AUDIT_UP_TO,      "Verified before it: %" PRIu64 " events.") \
	X(LEDGER_WHICH,     "say whose disclosures: one of --case ID, --token BASE64, --participant NAME%s") \
	X(LEDGER_TOKEN,     "'%s' is not a token in base64") \
	X(LEDGER_NOTHING,   "Nothing was disclosed.") \
	X(LEDGER_READ,      "read: %s") \
	X(LEDGER_READ_CASES, "read: list of cases") \
	X(LEDGER_READ_CASE, "read: case") \
	X(LEDGER_READ_REFERRAL, "read: message") \
	X(LEDGER_READ_STATUS, "read: how far a message is") \
	X(LEDGER_READ_DEADLINES, "read: deadlines") \
	X(LEDGER_READ_AGENDA, "read: agenda") \
	X(LEDGER_READ_POOLS, "read: places") \
	X(LEDGER_READ_HANDOVER, "read: hand-over") \
	X(LEDGER_READ_QUEUES, "read: queues") \
	X(LEDGER_READ_QUEUE, "read: queue") \
	X(LEDGER_KEY,       "key of part %s, from %s") \
	X(LEDGER_HOW,       "How") \
	X(LEDGER_WHO,       "To whom") \
	X(LEDGER_WHOSE,     "Whose") \
	X(LEDGER_FROM,      "Address") \
	X(LEDGER_HUB,       "the hub") \
	X(LEDGER_ERASED,    "%s (erased)") \
	X(AUDIT_EVENTS,     "Events") \
	X(AUDIT_ROOT,       "Root") \
	X(AUDIT_SPAN,       "From – to") \
	X(AUDIT_MESSAGES,   "Messages") \
	X(AUDIT_PAYLOADS,   "%" PRIu64 " (content checked %" PRIu64 ", erased at the end of retention %" PRIu64 ")") \
	X(AUDIT_INCARNATION, "Incarnation") \
	X(AUDIT_NOTE_ROOT,  "To prove later that nothing before this was changed, keep: --earlier %" PRIu64 ":%s") \
	X(AUDIT_PROGRESS,   "%3d %%  %" PRIu64 " of %" PRIu64 " events") \
	X(ROUTED,           "Routed") \
	X(SETTLED_COUNT,    "Settled") \
	X(WITHDRAWN_COUNT,  "Withdrawn")
/* clang-format on */

enum text_id {
#define X(name, english) TEXT_##name,
	IEUM_TEXTS(X)
#undef X
		TEXT_COUNT_OF
};

/* Never NULL. */
const char *text(enum text_id id, enum words_lang lang);

#endif
