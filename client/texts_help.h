/* The longer part of the texts (texts.h): what --help says.
 *
 * LINE_x is the command's line in `ieum --help`, HELP_x what `ieum x --help` prints.  Words in
 * capitals stand for values. */
#ifndef IEUM_CLIENT_TEXTS_HELP_H
#define IEUM_CLIENT_TEXTS_HELP_H

/* clang-format off */
#define IEUM_HELP_TEXTS(X) \
	X(HELP_BEGIN, \
	  "usage: ieum [OPTION…] COMMAND …\n\nCarries case referrals between agencies. Commands:\n\n") \
	X(HELP_OPTIONS, \
	  "\nOptions of every command:\n" \
	  "  --profile FILE    where the hub is and who we are; else $IEUM_PROFILE,\n" \
	  "                    else ~/.config/ieum/profile.yaml\n" \
	  "  --json            print JSON (one document; inbox: one object a line)\n" \
	  "  --lang en|ko      language; else the profile's, else the locale's\n" \
	  "  --timeout TIME    how long to wait for the hub: 10s, 1min (default 15s)\n" \
	  "  --help            what a command does, with examples\n" \
	  "  --version\n\nExit codes:\n") \
	X(HELP_PROFILE, \
	  "\nA profile:\n" \
	  "  addresses: [hub.gimpo.example:7443]\n" \
	  "  ca: ca.crt                 # paths are relative to the profile's folder\n" \
	  "  certificate: gimpo-ps.crt\n" \
	  "  key: gimpo-ps.key\n" \
	  "  server_name: hub.gimpo.ieum\n" \
	  "  spool: spool.db            # or none; else in ~/.local/state/ieum (ieum spool --help)\n" \
	  "  language: ko\n" \
	  "  crl: ca.crl                # whom to seal to no more\n" \
	  "  old_keys: [{certificate: gimpo-ps-2025.crt, key: gimpo-ps-2025.key}]  # open what is older\n" \
	  "  identities: [{participant: gimpo-aid, key: \"sha256:9f86…\"}]  # whose a certificate without a name is\n" \
	  "  seal: needed               # or all: every narrative\n" \
	  "  wrap_keys: auto            # or ask: before somebody gets a key (ieum key --help)\n") \
	X(LINE_SUBMIT,    "hand a message to the hub") \
	X(LINE_INBOX,     "print what has come for you, and take it") \
	X(LINE_ANSWER,    "answer a message") \
	X(LINE_SETTLE,    "take, give back or refuse deliveries") \
	X(LINE_KEY,       "open sealed parts for whoever gets them later") \
	X(LINE_PIPE,      "JSON lines in and out, for programs in any language") \
	X(LINE_CASE,      "your cases, one case, its timeline") \
	X(LINE_DEADLINES, "what ends when in your cases, and what is overdue") \
	X(LINE_REFERRAL,  "one message: content, who owes what, where it went") \
	X(LINE_AGENDA,    "what the next meeting of a council has before it") \
	X(LINE_DIRECTORY, "who takes part in this hub") \
	X(LINE_REACH,     "whom would this message reach? (sends nothing)") \
	X(LINE_WHOAMI,    "who the hub takes you for") \
	X(LINE_PING,      "is the hub there, and how fast") \
	X(LINE_AUDIT,     "verify a journal file; who got what, offline") \
	X(LINE_QUEUE,     "operator: the queues, envelopes only") \
	X(LINE_HANDOVER,  "hand-over of a jurisdiction: dry run, progress, confirm") \
	X(LINE_POOL,      "places: how many are free, who waits") \
	X(LINE_TOKEN,     "blind tokens of a person, and a council's key (no hub)") \
	X(LINE_CERT,      "your key and the request for its certificate (no hub)") \
	X(LINE_ROUTE,     "which rules a message meets and why, offline") \
	X(LINE_POLICY,    "check a hub file, run its tests, offline") \
	X(LINE_SCENARIO,  "a scenario file as its timeline, offline") \
	X(LINE_INIT,      "set up a hub for a new city, offline") \
	X(LINE_DRILL,     "operator of a drill: move its clock on") \
	X(HELP_ROUTE, \
	  "usage: ieum route explain FILE|- --hub HUB.yaml --sender NAME [--at TIME] [--open-case | --case ID]\n" \
	  "                   [--case-category C] [--case-state S] [--case-owner MAILBOX] [--excluded NAME,…]\n" \
	  "                   [--counted COUNTER=N,…] [--replies-to TYPE]\n\n" \
	  "Says what a hub with this hub file would do with a message, and why: every rule of the message's\n" \
	  "type and what it wants that the message has not; who gets it, who owes an answer until when and\n" \
	  "who is asked then; what the hub sends and sets off itself; or the refusal. Asks no hub.\n\n" \
	  "  --hub FILE          the hub file\n" \
	  "  --sender NAME       the participant that sends it, or: hub\n" \
	  "  --at TIME           when the hub gets it, in the hub's local time: '2026-03-02 10:00'; else now\n" \
	  "  --case-category C   it belongs to a case of this category …\n" \
	  "  --case-state S      … in this state\n" \
	  "  --case-owner M      … that this mailbox is responsible for\n" \
	  "  --excluded N,N      … in which these participants have a conflict of interest\n" \
	  "  --counted C=N,C=N   what the hub file's counters say, this message included\n" \
	  "  --replies-to TYPE   the type of the message that it replies to (with --reply-to ID)\n\n" \
	  "Exits with 1 when the message would be refused.\n\n" \
	  "Examples:\n" \
	  "  ieum route explain report.yaml --open-case --hub hub.yaml --sender gimpo-ps --at '2026-03-02 23:00'\n" \
	  "  ieum route explain help.yaml --hub hub.yaml --sender gimpo-case-manager --case-category domestic_violence\n") \
	X(HELP_INIT, \
	  "usage: ieum init [--dir DIR] [--hub NAME] [--jurisdiction CODE] [--listen ADDRESS:PORT] [--host NAME]\n" \
	  "                 [--agency KIND:NAME[:TITLE]]…\n\n" \
	  "Writes all that a hub of a new city needs to start: ieumd.yaml, hub.yaml with a rule or two, an\n" \
	  "authority, and for each agency a folder to give to it: certificate, key, profile. Asks for what is\n" \
	  "not given. What is there already is never overwritten. The last lines say what to do next.\n\n" \
	  "  --dir DIR            where to; made when it is not there (default: here, or /etc/ieum for root\n" \
	  "                       where the packages are installed: the journal is in /var/lib/ieum then)\n" \
	  "  --hub NAME           the hub's name in every certificate: gimpo.ieum\n" \
	  "  --jurisdiction CODE  the city's administrative code: 41570\n" \
	  "  --listen A:PORT      where the hub listens (default :7443, everywhere)\n" \
	  "  --host NAME          by which name agencies find it (default: this machine's, or A)\n" \
	  "  --agency K:N:TITLE   one that takes part, as often as there are agencies. Kinds are words of your\n" \
	  "                       own: police, case_manager, counselling_centre, city_division, school, …\n" \
	  "                       Reports go to the first case_manager, else city_division, else to the last\n\n" \
	  "Example:\n" \
	  "  ieum init --dir gimpo --hub gimpo.ieum --jurisdiction 41570 --agency police:gimpo-ps \\\n" \
	  "      --agency case_manager:gimpo-case-manager:'Gimpo case management'\n") \
	X(HELP_SCENARIO, \
	  "usage: ieum scenario show FILE…\n\n" \
	  "Prints a scenario file as the timeline that it plays: who says what when, and what is then expected\n" \
	  "of whom. Times are counted by the calendar of its hub file. Nothing is played and no hub is asked.\n\n" \
	  "Example:\n" \
	  "  ieum scenario show tests/scenarios/domestic-violence.yaml\n") \
	X(HELP_POLICY, \
	  "usage: ieum policy check HUB.yaml\n" \
	  "       ieum policy test HUB.yaml [TESTS.yaml…]\n\n" \
	  "check  reads a hub file as a hub does and tells every mistake with its line (ieumd --check does the\n" \
	  "       same and reads the daemon's file too).\n" \
	  "test   runs the hub file's own tests: a message in; recipients, deadlines, ladder, rules or refusal\n" \
	  "       out. Without TESTS.yaml those of tests.yaml beside the hub file. What differs is printed:\n" \
	  "       - was expected, + is so instead. docs/hub-file.md says how tests are written.\n\n" \
	  "Neither asks a hub. Exits with 7 when a file has mistakes, with 10 when a test fails.\n\n" \
	  "Examples:\n" \
	  "  ieum policy check hub.yaml\n" \
	  "  ieum policy test examples/gimpo/hub.yaml\n") \
	X(HELP_SUBMIT, \
	  "usage: ieum submit FILE|- [--case ID | --open-case] [--reply-to ID] [--text FILE] [--seal]\n" \
	  "                   [--on-behalf-of PERSON] [--message-id ID]\n" \
	  "                   [--subject FILE --council-key FILE [--on DAY]]\n\n" \
	  "Hands a message to the hub and prints its receipt: from then on it is on the hub's disk.\n" \
	  "FILE is YAML or JSON; - reads standard input. A message id is made when the file has none.\n\n" \
	  "  --case ID        the case it belongs to (envelope.case_id)\n" \
	  "  --open-case      it opens a new case, whose id is the message's id\n" \
	  "  --reply-to ID    the message it replies to (envelope.in_reply_to)\n" \
	  "  --text FILE      adds this plain text as a narrative part\n" \
	  "  --seal           seals the whole narrative to those whom the message reaches, so that not even\n" \
	  "                   the hub reads it (so does `seal: all` in the profile). A reporter's identity\n" \
	  "                   and a shelter's location are sealed without being asked.\n" \
	  "  --message-id ID  the message's own id (envelope.message_id): of one that may have arrived, which\n" \
	  "                   is never recorded twice\n" \
	  "  --on-behalf-of PERSON   for whom a gateway sends (envelope.on_behalf_of)\n" \
	  "  --subject FILE   makes envelope.subject_tokens of whom FILE describes, with the key of\n" \
	  "  --council-key FILE   the council; what FILE says stays here (see ieum token --help)\n\n" \
	  "Example, report.yaml:\n" \
	  "  envelope:\n" \
	  "    type: report_received\n" \
	  "    category: domestic_violence\n" \
	  "    urgency: immediate\n" \
	  "    legal_basis:\n" \
	  "      kind: consent\n" \
	  "      consent: {recipients: [any], purpose: support, items: [contact], told_of_withdrawal: true}\n" \
	  "  report_received: {response_code: code_1, child_at_home: true, victim_consents: \"yes\"}\n\n" \
	  "  ieum submit report.yaml --open-case --text notes.txt\n" \
	  "  jq .referral message.json | ieum submit - --case 0192f5d4-7c1e-7a3b-9c4d-0123456789ab\n") \
	X(HELP_INBOX, \
	  "usage: ieum inbox [--follow] [--limit N] [--settle done|none] [--wait TIME]\n" \
	  "       ieum inbox --notify [--limit N] [--wait TIME]\n\n" \
	  "Prints what waits for you, the most urgent first. Each message is taken (settled) only after it\n" \
	  "was printed; taking it is no answer: that is `ieum answer`. Sealed narratives are opened and their\n" \
	  "signer checked; a request for a key is answered by itself (ieum key --help).\n\n" \
	  "  -f, --follow       go on waiting for new ones, and for a hub that is away; Ctrl-C ends\n" \
	  "  --limit N          end after N messages\n" \
	  "  --settle done      take them (default)\n" \
	  "  --settle none      only look: they wait for you again afterwards\n" \
	  "  --wait TIME        without --follow: end when nothing came for so long (default 1s)\n" \
	  "  --notify           a neutral line for each that waits, nothing of what it says; none is taken\n\n" \
	  "Examples:\n" \
	  "  ieum inbox\n" \
	  "  ieum inbox --follow --json | while read -r line; do handle \"$line\"; done\n") \
	X(HELP_ANSWER, \
	  "usage: ieum answer MESSAGE-ID KIND [--reason R] [--remark TEXT] [--until TIME] [--outcome O]\n" \
	  "                   [--scheduled TIME] [--request N] [--text FILE] [--seal]\n" \
	  "                   [--on-behalf-of PERSON] [--message-id ID]\n\n" \
	  "Answers a message; the hub brings the answer to whoever asked.\n\n" \
	  "KIND          received, accept, reject, in_progress, interim, need_more_time, on_hold,\n" \
	  "              complete, fail; by the referrer: cancel, entered_in_error\n" \
	  "  --reason R        why; needed for reject, fail and on_hold (capacity_full, …)\n" \
	  "  --remark TEXT     a short remark that everyone in the case may read\n" \
	  "  --until TIME      needed for need_more_time: until when, or for how long (2d)\n" \
	  "  --outcome O       scheduled, unattended, interim, provided, nothing_held\n" \
	  "  --scheduled TIME  the date that is set\n" \
	  "  --request N       which of the message's requests, as `ieum referral show` and `ieum agenda`\n" \
	  "                    count them; without it the first open one that asks you\n" \
	  "  --text FILE       adds this plain text as a narrative part\n" \
	  "  --seal            seals the narrative to those whom the answer reaches\n" \
	  "  --on-behalf-of PERSON   for whom a gateway answers (envelope.on_behalf_of)\n" \
	  "  --message-id ID   the answer's own id: of one that may have arrived, which is never recorded twice\n\n" \
	  "Examples:\n" \
	  "  ieum answer 0192f5d4-7c1e-7a3b-9c4d-0123456789ab received\n" \
	  "  ieum answer 0192f5d4-7c1e-7a3b-9c4d-0123456789ab reject --reason capacity_full\n" \
	  "  ieum answer 0192f5d4-7c1e-7a3b-9c4d-0123456789ab need_more_time --until '2026-03-05 18:00'\n") \
	X(HELP_SETTLE, \
	  "usage: ieum settle DELIVERY-ID… --done | --release | --refuse REASON\n\n" \
	  "About deliveries that you have got, by the number that the inbox prints.\n\n" \
	  "  --done            taken: the hub need not deliver them again\n" \
	  "  --release         give them to a colleague at another connection\n" \
	  "  --refuse REASON   they can't be read; the operator sees the reason (no personal data)\n\n" \
	  "Example:\n" \
	  "  ieum settle 4608 4865 --done\n") \
	X(HELP_KEY, \
	  "usage: ieum key wrap MESSAGE-ID\n" \
	  "       ieum key refuse MESSAGE-ID --reason REASON [--remark TEXT]\n\n" \
	  "About a key_request: the hub asks you, who can open the sealed parts of a message, to let somebody\n" \
	  "open them who gets it only now (the next in rank, a new member, after a hand-over). MESSAGE-ID is\n" \
	  "the request's, as the inbox prints it. The newcomer's certificates are checked first.\n\n" \
	  "`ieum inbox` answers these by itself, unless the profile says `wrap_keys: ask`.\n\n" \
	  "  wrap               gives the keys of the parts that you can open\n" \
	  "  refuse             doesn't: the hub asks the next who can\n" \
	  "  --reason REASON    why (conflict_of_interest, off_purpose, endangers_family, …)\n" \
	  "  --remark TEXT      more about it, without personal data\n\n" \
	  "Example:\n" \
	  "  ieum key wrap 0192f5d4-7c1e-7a3b-9c4d-0123456789ab\n") \
	X(HELP_PIPE, \
	  "usage: ieum pipe [--plain] [--seal]\n\n" \
	  "For a program in any language: one JSON object a line on stdin, one a line on stdout, over one\n" \
	  "connection that is kept up. An \"id\" in a line comes back with its result.\n\n" \
	  "  {\"id\": 1, \"submit\": {\"referral\": {…}}}          → {\"id\": 1, \"receipt\": {…}}\n" \
	  "  {\"answer\": {\"inReplyTo\": ID, \"kind\": \"accept\"}}  → {\"receipt\": {…}}\n" \
	  "  {\"receive\": {\"deliveries\": 10}}                → {\"credit\": {…}}, then {\"delivery\": {…}} as they come:\n" \
	  "                                                   at most 10 that are not settled yet\n" \
	  "  {\"settle\": {\"done\": [\"4608\"]}}                → {\"settled\": {…}}; also release, refuse\n" \
	  "  {\"query\": {\"cases\": {}}}                      → {\"result\": {…}}, a page; send nextCursor back\n" \
	  "  {\"ping\": {}}                                   → {\"pong\": {…}}\n\n" \
	  "What went wrong is in line: {\"id\": 1, \"line\": 7, \"error\": {\"code\", \"name\", \"detail\",\n" \
	  "\"retryAfterMs\", …}}. Protobuf's JSON mapping of the .proto files; read are also ids as UUID text,\n" \
	  "short words and the files' own field names. At the end of the input it waits for what has no\n" \
	  "result yet, at most --timeout; the exit code is that of the first line that failed.\n\n" \
	  "  --plain  print as --json does elsewhere: UUID text, short words, numbers, field_names\n" \
	  "  --seal   seal every narrative, not only what must be\n\n" \
	  "Example:\n" \
	  "  echo '{\"query\": {\"whoami\": {}}}' | ieum pipe --plain\n") \
	X(HELP_CASE, \
	  "usage: ieum case list [--closed]\n" \
	  "       ieum case show ID\n" \
	  "       ieum case timeline ID\n\n" \
	  "list      the cases you take part in; --closed: the closed ones too\n" \
	  "show      one case: state, who is responsible, who takes part, next deadline\n" \
	  "timeline  the same and everything that happened, oldest first, in local time\n\n" \
	  "Reading a case is recorded by the hub. Example:\n" \
	  "  ieum case timeline 0192f5d4-7c1e-7a3b-9c4d-0123456789ab\n") \
	X(HELP_DEADLINES, \
	  "usage: ieum deadlines [--breached]\n\n" \
	  "Clocks and requests of your cases, what ends first first.\n\n" \
	  "  --breached  clocks that ended before the act was done, those stopped too late included;\n" \
	  "              the oldest first\n\n" \
	  "Clocks that stand still are shown by `ieum case show`. Reading is recorded by the hub.\n") \
	X(HELP_REFERRAL, \
	  "usage: ieum referral show MESSAGE-ID\n\n" \
	  "One message: its content, what everyone asked has answered and by when, where it went.\n" \
	  "Reading it is recorded by the hub. Example:\n" \
	  "  ieum referral show 0192f5d4-7c1e-7a3b-9c4d-0123456789ab\n") \
	X(HELP_DIRECTORY, \
	  "usage: ieum directory [--kind KIND]\n\n" \
	  "Who takes part in this hub: agencies and bodies, with the names that messages address.\n" \
	  "Example:\n" \
	  "  ieum directory --kind counselling_centre\n") \
	X(HELP_AGENDA, \
	  "usage: ieum agenda BODY\n\n" \
	  "What the next meeting of a body has before it: items that members put there, actions that\n" \
	  "are not done yet, with the meetings that had them before. For members; linked sets are shown\n" \
	  "to the convener alone. Titles are read from the messages. Example:\n" \
	  "  ieum agenda information-council-gimpo\n") \
	X(HELP_REACH, \
	  "usage: ieum reach FILE|- [--case ID | --open-case] [--reply-to ID]\n\n" \
	  "Whom would this message reach, by when must they answer, and who is asked then?\n" \
	  "Sends and stores nothing. Options as for submit. Example:\n" \
	  "  ieum reach report.yaml --open-case\n") \
	X(HELP_WHOAMI, \
	  "usage: ieum whoami\n\n" \
	  "Who the hub takes you for by your certificate, which mailboxes are yours, what you may see.\n") \
	X(HELP_PING, \
	  "usage: ieum ping [-c N]\n\n" \
	  "Asks the hub whether it is there, N times (default 1), and prints how long each took.\n" \
	  "Example:\n" \
	  "  ieum ping -c 5\n") \
	X(HELP_AUDIT, \
	  "usage: ieum audit verify JOURNAL [--earlier SIZE:ROOT]\n\n" \
	  "Verifies a journal file without a hub; the hub may be running, or may have been killed.\n" \
	  "Recomputes the Merkle tree over all events, checks every content against its recorded hash,\n" \
	  "replays every event, and accounts for every delivery of every mailbox. Exit code 0: sound;\n" \
	  "5: the first mismatch is named.\n\n" \
	  "  --earlier SIZE:ROOT   the first SIZE events must have this root, noted at an earlier audit:\n" \
	  "                        proves that the past was neither changed nor cut off\n\n" \
	  "Example:\n" \
	  "  ieum audit verify /var/lib/ieum/journal.db\n\n" \
	  "usage: ieum audit ledger JOURNAL --case ID | --token BASE64 | --participant NAME\n\n" \
	  "The disclosure ledger: who received or read what, when, from where, on which basis, and who\n" \
	  "gave whom the key of which sealed part.\n\n" \
	  "  --case ID             of the messages of this case, and of the case itself\n" \
	  "  --token BASE64        of a subject: messages that carry this token, blind signals that did,\n" \
	  "                        also erased ones, and the cases of both\n" \
	  "  --participant NAME    everything that this one got\n") \
	X(HELP_QUEUE, \
	  "usage: ieum queue list\n" \
	  "       ieum queue show MAILBOX [--dead-letters]\n\n" \
	  "For an operator with the view \"queues\". Envelopes only, no content.\n\n" \
	  "list   every mailbox: waiting, oldest, in flight, dead letters, and why its head waits\n" \
	  "show   what waits in one mailbox; --dead-letters: what was given up, and why\n\n" \
	  "Example:\n" \
	  "  ieum queue show gimpo-ps --dead-letters\n") \
	X(HELP_HANDOVER, \
	  "usage: ieum handover plan --from NAME --to NAME [--jurisdiction CODE]\n" \
	  "       ieum handover list\n" \
	  "       ieum handover status CHANGE-ID\n" \
	  "       ieum handover confirm CHANGE-ID\n\n" \
	  "plan     a dry run: each case that would go over, what it holds, and what stands in its way.\n" \
	  "         Nothing changes. For those who may announce a change.\n" \
	  "list     the changes of jurisdiction that you announced or that concern you\n" \
	  "status   how far one is, case by case, and when the old agency last read each\n" \
	  "confirm  by the new agency: counts and digests what it was asked to take over, from the messages\n" \
	  "         that it got, and states it. The hand-over is complete when that agrees with the hub's\n" \
	  "         list and every case is accepted.\n\n" \
	  "A change is announced with a jurisdiction_change (ieum submit), taken back with\n" \
	  "`ieum answer CHANGE-ID cancel` until it takes effect; a case is accepted with\n" \
	  "`ieum answer HANDOVER-ID accept`. What a digest is taken over is in docs/protocol.md.\n\n" \
	  "Example:\n" \
	  "  ieum handover plan --from siheung-cpa --to gwangmyeong-cpa --jurisdiction 41210\n") \
	X(HELP_POOL, \
	  "usage: ieum pool list\n" \
	  "       ieum pool show POOL\n\n" \
	  "list   every pool that you may ask for a place: how many are free, held, taken, waited for\n" \
	  "show   one pool with its holds and its waiting list: all of them when you keep the pool,\n" \
	  "       else your own, with their position\n\n" \
	  "Ask for a place with a capacity_hold, wait for one with a waitlist_entry (ieum submit).\n\n" \
	  "Example:\n" \
	  "  ieum pool show gimpo-shelter-girls\n") \
	X(LINE_SPOOL, \
	  "what waits on this machine for the hub") \
	X(HELP_SPOOL, \
	  "usage: ieum spool list|send|check|salvage\n" \
	  "       ieum spool drop MESSAGE\n" \
	  "       ieum spool resend MESSAGE\n\n" \
	  "What is submitted lies in the spool, a file on this machine, until the hub has it and a copy of its\n" \
	  "journal is on another disk. The profile names it (spool: FILE; spool: none for none).\n\n" \
	  "list      what is there, and your own open deadlines as the hub said them last; needs no hub\n" \
	  "send      connects and waits until everything has its receipt\n" \
	  "check     looks at every byte of the file\n" \
	  "salvage   moves a damaged file aside and makes a new one of what can be read\n" \
	  "drop      forgets a message that the hub has refused\n" \
	  "resend    submits a message that the hub has refused again, and waits for its receipt; under a new\n" \
	  "          id where it was refused because of the id's time (TOO_OLD, ID_IN_FUTURE)\n\n" \
	  "Examples:\n" \
	  "  ieum spool list\n" \
	  "  ieum spool send --timeout 5min\n") \
	X(LINE_HUB, \
	  "operator: what the hub has to know of its surroundings") \
	X(HELP_HUB, \
	  "usage: ieum hub copied NUMBER [INCARNATION]\n\n" \
	  "copied    a copy of the hub's journal up to this number is off its disk, and checked. The agencies'\n" \
	  "          spools let go what they kept up to there. NUMBER is the copy's last event and INCARNATION\n" \
	  "          its incarnation, as `ieum audit verify` of the copy prints them; only for operators.\n\n" \
	  "Example:\n" \
	  "  ieum audit verify /mnt/backup/journal && ieum hub copied 48211\n") \
	X(HELP_TOKEN, \
	  "usage: ieum token make --council-key FILE --subject FILE [--on DAY]\n" \
	  "       ieum token make --council-key FILE [--name N] [--birth DAY] [--sex S] [--guardian N]\n" \
	  "                       [--phone NUMBER] [--postcode CODE] [--on DAY]\n" \
	  "       ieum token new-key --out FILE [--council NAME] [--epoch N] [--from DAY] [--until DAY]\n\n" \
	  "make      the blind tokens of a person, for envelope.subject_tokens. Agencies that know the same\n" \
	  "          person make equal tokens; without the council's key nobody can tell whose they are.\n" \
	  "          They are personal data all the same.\n" \
	  "  --subject FILE   YAML with what is known of: name, birth, sex, guardian, phone, postcode.\n" \
	  "                   Better than options, which the shell's history and other users can see.\n" \
	  "  --phone          the guardian's number\n" \
	  "  --on DAY         the day that chooses the key's epochs (default: today)\n" \
	  "new-key   makes a council's key, or adds the next epoch to its file (rotation)\n" \
	  "  --council NAME   needed for a new file\n" \
	  "  --from, --until  the epoch's days, both included (default: today, and 455 days in all)\n\n" \
	  "Examples:\n" \
	  "  ieum token new-key --council information-council-gimpo --out council.key\n" \
	  "  ieum token make --council-key council.key --subject child.yaml\n" \
	  "  ieum submit signal.yaml --council-key council.key --subject child.yaml\n") \
	X(HELP_CERT, \
	  "usage: ieum cert request --out STEM [--hub NAME --kind KIND --participant NAME --name WHO]\n" \
	  "                         [--host NAME,…]\n" \
	  "       ieum cert show [FILE]\n\n" \
	  "request   makes a key, STEM.key, for its owner's eyes only, and STEM.csr: the request that goes to\n" \
	  "          whoever signs for the hub. The key never leaves this machine.\n" \
	  "          Without names it renews: who the profile's certificate is. The old one stays good until\n" \
	  "          it ends; put its files into the profile's `old_keys`, so that it still opens.\n" \
	  "  --hub, --kind, --participant   as the hub file has them\n" \
	  "  --name WHO       the person or workstation, as the hub will record it\n" \
	  "  --host NAME,…    of a hub (--kind hub): its host names and addresses\n" \
	  "show      what a certificate says, and how a hub file can name it; yours, without FILE\n\n" \
	  "Examples:\n" \
	  "  ieum cert request --out desk-1 --hub gimpo.ieum --kind police --participant gimpo-ps --name desk-1\n" \
	  "  ieum cert request --out desk-1-2028\n" \
	  "  ieum cert show desk-1.crt\n") \
	X(HELP_DRILL, \
	  "usage: ieum drill advance TIME\n\n" \
	  "Moves the clock of a drill hub forward; everything due by then happens. TIME is milliseconds or a\n" \
	  "length of fixed units (30min, 4h, 2d); a live hub refuses it.\n\n" \
	  "Example:\n" \
	  "  ieum drill advance 4h\n")
/* clang-format on */

#endif
