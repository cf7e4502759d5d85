/* The longer part of the texts (texts.h): what --help says.
 *
 * LINE_x is the command's line in `ieum --help`, HELP_x what `ieum x --help` prints.  Words in
 * capitals stand for values. */
#ifndef IEUM_CLIENT_TEXTS_HELP_H
#define IEUM_CLIENT_TEXTS_HELP_H

/* clang-format off */
#define IEUM_HELP_TEXTS(X) \
	X(HELP_BEGIN, \
	  "usage: ieum [OPTION…] COMMAND …\n\nCarries case referrals between agencies. Commands:\n\n", \
	  "사용법: ieum [옵션…] 명령 …\n\n기관 사이의 사례 의뢰를 전달합니다. 명령:\n\n") \
	X(HELP_OPTIONS, \
	  "\nOptions of every command:\n" \
	  "  --profile FILE    where the hub is and who we are; else $IEUM_PROFILE,\n" \
	  "                    else ~/.config/ieum/profile.yaml\n" \
	  "  --json            print JSON (one document; inbox: one object a line)\n" \
	  "  --lang en|ko      language; else the profile's, else the locale's\n" \
	  "  --timeout TIME    how long to wait for the hub: 10 s, 1 min (default 15 s)\n" \
	  "  --help            what a command does, with examples\n" \
	  "  --version\n\nExit codes:\n", \
	  "\n모든 명령의 옵션:\n" \
	  "  --profile 파일    허브 주소와 우리 인증서. 없으면 $IEUM_PROFILE,\n" \
	  "                    없으면 ~/.config/ieum/profile.yaml\n" \
	  "  --json            JSON으로 출력 (문서 하나, inbox는 한 줄에 하나)\n" \
	  "  --lang en|ko      언어. 없으면 프로필, 없으면 로캘을 따름\n" \
	  "  --timeout 시간    허브를 기다리는 시간: 10 s, 1 min (기본 15 s)\n" \
	  "  --help            명령 설명과 예시\n" \
	  "  --version\n\n종료 코드:\n") \
	X(HELP_PROFILE, \
	  "\nA profile:\n" \
	  "  addresses: [hub.gimpo.example:7443]\n" \
	  "  ca: ca.crt                 # paths are relative to the profile's folder\n" \
	  "  certificate: gimpo-ps.crt\n" \
	  "  key: gimpo-ps.key\n" \
	  "  server_name: hub.gimpo.ieum\n" \
	  "  language: ko\n", \
	  "\n프로필:\n" \
	  "  addresses: [hub.gimpo.example:7443]\n" \
	  "  ca: ca.crt                 # 경로는 프로필 폴더 기준\n" \
	  "  certificate: gimpo-ps.crt\n" \
	  "  key: gimpo-ps.key\n" \
	  "  server_name: hub.gimpo.ieum\n" \
	  "  language: ko\n") \
	X(LINE_SUBMIT,    "hand a message to the hub",                         "메시지를 허브에 접수") \
	X(LINE_INBOX,     "print what has come for you, and take it",          "받은 메시지를 출력하고 수령") \
	X(LINE_ANSWER,    "answer a message",                                  "메시지에 회신") \
	X(LINE_SETTLE,    "take, give back or refuse deliveries",              "배달을 수령, 반환, 거부") \
	X(LINE_CASE,      "your cases, one case, its timeline",                "내 사례, 사례 하나, 경과") \
	X(LINE_REFERRAL,  "one message: content, who owes what, where it went", "메시지 하나: 내용, 처리 상태, 전달 현황") \
	X(LINE_DIRECTORY, "who takes part in this hub",                        "허브 참여 기관 명부") \
	X(LINE_REACH,     "whom would this message reach? (sends nothing)",    "이 메시지를 받을 기관 미리 보기 (보내지 않음)") \
	X(LINE_WHOAMI,    "who the hub takes you for",                         "허브가 보는 내 신원") \
	X(LINE_PING,      "is the hub there, and how fast",                    "허브 응답 확인") \
	X(LINE_AUDIT,     "verify a journal file, offline",                    "저널 파일 검증 (오프라인)") \
	X(LINE_QUEUE,     "operator: the queues, envelopes only",              "운영자: 대기열 (봉투 정보만)") \
	X(LINE_DRILL,     "operator of a drill: move its clock on",            "훈련 운영자: 훈련 시계 앞당기기") \
	X(HELP_SUBMIT, \
	  "usage: ieum submit FILE|- [--case ID | --open-case] [--reply-to ID] [--text FILE]\n\n" \
	  "Hands a message to the hub and prints its receipt: from then on it is on the hub's disk.\n" \
	  "FILE is YAML or JSON; - reads standard input. A message id is made when the file has none.\n\n" \
	  "  --case ID        the case it belongs to (envelope.case_id)\n" \
	  "  --open-case      it opens a new case, whose id is the message's id\n" \
	  "  --reply-to ID    the message it replies to (envelope.in_reply_to)\n" \
	  "  --text FILE      adds this plain text as a narrative part\n\n" \
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
	  "  jq .referral message.json | ieum submit - --case 0192f5d4-7c1e-7a3b-9c4d-0123456789ab\n", \
	  "사용법: ieum submit 파일|- [--case 번호 | --open-case] [--reply-to 번호] [--text 파일]\n\n" \
	  "메시지를 허브에 보내고 접수증을 출력합니다. 접수증이 나오면 허브의 디스크에 기록된 것입니다.\n" \
	  "파일은 YAML 또는 JSON이며 -는 표준 입력입니다. 메시지 번호가 없으면 만들어 씁니다.\n\n" \
	  "  --case 번호      속한 사례 (envelope.case_id)\n" \
	  "  --open-case      새 사례를 엶. 사례 번호는 메시지 번호와 같음\n" \
	  "  --reply-to 번호  회신 대상 메시지 (envelope.in_reply_to)\n" \
	  "  --text 파일      텍스트 파일을 서술로 덧붙임\n\n" \
	  "예시, report.yaml:\n" \
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
	  "usage: ieum inbox [--follow] [--limit N] [--settle done|none] [--wait TIME]\n\n" \
	  "Prints what waits for you, the most urgent first. Each message is taken (settled) only after it\n" \
	  "was printed; taking it is no answer: that is `ieum answer`.\n\n" \
	  "  -f, --follow       go on waiting for new ones; Ctrl-C ends\n" \
	  "  --limit N          end after N messages\n" \
	  "  --settle done      take them (default)\n" \
	  "  --settle none      only look: they wait for you again afterwards\n" \
	  "  --wait TIME        without --follow: end when nothing came for so long (default 1 s)\n\n" \
	  "Examples:\n" \
	  "  ieum inbox\n" \
	  "  ieum inbox --follow --json | while read -r line; do handle \"$line\"; done\n", \
	  "사용법: ieum inbox [--follow] [--limit 건수] [--settle done|none] [--wait 시간]\n\n" \
	  "기다리는 메시지를 긴급한 것부터 출력합니다. 출력을 마친 메시지만 수령 처리됩니다.\n" \
	  "수령은 회신이 아닙니다. 회신은 `ieum answer`로 합니다.\n\n" \
	  "  -f, --follow       새 메시지를 계속 기다림. 끝내려면 Ctrl-C\n" \
	  "  --limit 건수       이만큼 받으면 끝냄\n" \
	  "  --settle done      수령 처리 (기본)\n" \
	  "  --settle none      보기만 함: 다시 대기열로 돌아감\n" \
	  "  --wait 시간        --follow 없이, 이 시간 동안 오지 않으면 끝냄 (기본 1 s)\n\n" \
	  "예시:\n" \
	  "  ieum inbox\n" \
	  "  ieum inbox --follow --json | while read -r line; do handle \"$line\"; done\n") \
	X(HELP_ANSWER, \
	  "usage: ieum answer MESSAGE-ID KIND [--reason R] [--remark TEXT] [--until TIME] [--outcome O]\n" \
	  "                   [--scheduled TIME] [--text FILE]\n\n" \
	  "Answers a message; the hub brings the answer to whoever asked.\n\n" \
	  "KIND          received, accept, reject, in_progress, interim, need_more_time, on_hold,\n" \
	  "              complete, fail; by the referrer: cancel, entered_in_error\n" \
	  "  --reason R        why; needed for reject, fail and on_hold (capacity_full, …)\n" \
	  "  --remark TEXT     a short remark that everyone in the case may read\n" \
	  "  --until TIME      needed for need_more_time: until when, or for how long (2 d)\n" \
	  "  --outcome O       scheduled, unattended, interim, provided, nothing_held\n" \
	  "  --scheduled TIME  the date that is set\n" \
	  "  --text FILE       adds this plain text as a narrative part\n\n" \
	  "Examples:\n" \
	  "  ieum answer 0192f5d4-7c1e-7a3b-9c4d-0123456789ab received\n" \
	  "  ieum answer 0192f5d4-7c1e-7a3b-9c4d-0123456789ab reject --reason capacity_full\n" \
	  "  ieum answer 0192f5d4-7c1e-7a3b-9c4d-0123456789ab need_more_time --until '2026-03-05 18:00'\n", \
	  "사용법: ieum answer 메시지번호 종류 [--reason 사유] [--remark 글] [--until 시각] [--outcome 결과]\n" \
	  "                    [--scheduled 시각] [--text 파일]\n\n" \
	  "메시지에 회신합니다. 허브가 요청한 기관에 전달합니다.\n\n" \
	  "종류          received 접수, accept 수락, reject 반려, in_progress 진행중, interim 중간보고,\n" \
	  "              need_more_time 기한 연장, on_hold 보류, complete 완료, fail 실패\n" \
	  "              의뢰한 쪽: cancel 취소, entered_in_error 오등록\n" \
	  "  --reason 사유     reject, fail, on_hold에 필요 (capacity_full 정원초과, …)\n" \
	  "  --remark 글       사례 참여 기관이 모두 볼 수 있는 짧은 글\n" \
	  "  --until 시각      need_more_time에 필요: 시각 또는 길이 (2 d)\n" \
	  "  --outcome 결과    scheduled, unattended, interim, provided, nothing_held\n" \
	  "  --scheduled 시각  잡힌 일정\n" \
	  "  --text 파일       텍스트 파일을 서술로 덧붙임\n\n" \
	  "예시:\n" \
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
	  "  ieum settle 4608 4865 --done\n", \
	  "사용법: ieum settle 배달번호… --done | --release | --refuse 사유\n\n" \
	  "받은 배달을 처리합니다. 번호는 수신함에 나옵니다.\n\n" \
	  "  --done            수령: 다시 배달하지 않음\n" \
	  "  --release         다른 접속의 동료에게 넘김\n" \
	  "  --refuse 사유     읽을 수 없음. 운영자가 사유를 봄 (개인정보 금지)\n\n" \
	  "예시:\n" \
	  "  ieum settle 4608 4865 --done\n") \
	X(HELP_CASE, \
	  "usage: ieum case list [--closed]\n" \
	  "       ieum case show ID\n" \
	  "       ieum case timeline ID\n\n" \
	  "list      the cases you take part in; --closed: the closed ones too\n" \
	  "show      one case: state, who is responsible, who takes part, next deadline\n" \
	  "timeline  the same and everything that happened, oldest first, in local time\n\n" \
	  "Reading a case is recorded by the hub. Example:\n" \
	  "  ieum case timeline 0192f5d4-7c1e-7a3b-9c4d-0123456789ab\n", \
	  "사용법: ieum case list [--closed]\n" \
	  "       ieum case show 번호\n" \
	  "       ieum case timeline 번호\n\n" \
	  "list      참여 중인 사례. --closed: 종결된 것도 포함\n" \
	  "show      사례 하나: 상태, 책임 기관, 참여 기관, 다음 기한\n" \
	  "timeline  위 내용과 지금까지의 경과, 오래된 것부터, 현지 시각\n\n" \
	  "사례 열람은 허브에 기록됩니다. 예시:\n" \
	  "  ieum case timeline 0192f5d4-7c1e-7a3b-9c4d-0123456789ab\n") \
	X(HELP_REFERRAL, \
	  "usage: ieum referral show MESSAGE-ID\n\n" \
	  "One message: its content, what everyone asked has answered and by when, where it went.\n" \
	  "Reading it is recorded by the hub. Example:\n" \
	  "  ieum referral show 0192f5d4-7c1e-7a3b-9c4d-0123456789ab\n", \
	  "사용법: ieum referral show 메시지번호\n\n" \
	  "메시지 하나: 내용, 요청받은 기관의 회신과 기한, 전달 현황.\n" \
	  "열람은 허브에 기록됩니다. 예시:\n" \
	  "  ieum referral show 0192f5d4-7c1e-7a3b-9c4d-0123456789ab\n") \
	X(HELP_DIRECTORY, \
	  "usage: ieum directory [--kind KIND]\n\n" \
	  "Who takes part in this hub: agencies and bodies, with the names that messages address.\n" \
	  "Example:\n" \
	  "  ieum directory --kind counselling_centre\n", \
	  "사용법: ieum directory [--kind 종류]\n\n" \
	  "허브에 참여하는 기관과 기구, 그리고 메시지에 쓰는 이름.\n" \
	  "예시:\n" \
	  "  ieum directory --kind counselling_centre\n") \
	X(HELP_REACH, \
	  "usage: ieum reach FILE|- [--case ID | --open-case] [--reply-to ID]\n\n" \
	  "Whom would this message reach, by when must they answer, and who is asked then?\n" \
	  "Sends and stores nothing. Options as for submit. Example:\n" \
	  "  ieum reach report.yaml --open-case\n", \
	  "사용법: ieum reach 파일|- [--case 번호 | --open-case] [--reply-to 번호]\n\n" \
	  "이 메시지를 받을 기관, 회신 기한, 그다음 요청 대상을 보여 줍니다.\n" \
	  "보내거나 저장하지 않습니다. 옵션은 submit과 같습니다. 예시:\n" \
	  "  ieum reach report.yaml --open-case\n") \
	X(HELP_WHOAMI, \
	  "usage: ieum whoami\n\n" \
	  "Who the hub takes you for by your certificate, which mailboxes are yours, what you may see.\n", \
	  "사용법: ieum whoami\n\n" \
	  "인증서로 본 내 신원, 내 수신함, 조회 권한.\n") \
	X(HELP_PING, \
	  "usage: ieum ping [-c N]\n\n" \
	  "Asks the hub whether it is there, N times (default 1), and prints how long each took.\n" \
	  "Example:\n" \
	  "  ieum ping -c 5\n", \
	  "사용법: ieum ping [-c 횟수]\n\n" \
	  "허브가 응답하는지 횟수만큼(기본 1) 묻고 걸린 시간을 출력합니다.\n" \
	  "예시:\n" \
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
	  "  ieum audit verify /var/lib/ieum/journal.db\n", \
	  "사용법: ieum audit verify 저널 [--earlier 크기:루트]\n\n" \
	  "허브 없이 저널 파일을 검증합니다. 허브가 켜져 있거나 강제 종료된 뒤에도 됩니다.\n" \
	  "모든 이벤트의 머클 트리를 다시 계산하고, 내용을 기록된 해시와 비교하고, 이벤트를 재생하고,\n" \
	  "수신함마다 모든 배달을 정산합니다. 종료 코드 0: 이상 없음, 5: 첫 불일치를 알림.\n\n" \
	  "  --earlier 크기:루트   처음 크기만큼의 이벤트가 예전 감사 때의 루트와 같아야 함:\n" \
	  "                        과거가 바뀌거나 잘리지 않았음을 증명\n\n" \
	  "예시:\n" \
	  "  ieum audit verify /var/lib/ieum/journal.db\n") \
	X(HELP_QUEUE, \
	  "usage: ieum queue list\n" \
	  "       ieum queue show MAILBOX [--dead-letters]\n\n" \
	  "For an operator with the view \"queues\". Envelopes only, no content.\n\n" \
	  "list   every mailbox: waiting, oldest, in flight, dead letters, and why its head waits\n" \
	  "show   what waits in one mailbox; --dead-letters: what was given up, and why\n\n" \
	  "Example:\n" \
	  "  ieum queue show gimpo-ps --dead-letters\n", \
	  "사용법: ieum queue list\n" \
	  "       ieum queue show 수신함 [--dead-letters]\n\n" \
	  "\"queues\" 조회 권한이 있는 운영자용. 봉투 정보만 나오고 내용은 나오지 않습니다.\n\n" \
	  "list   모든 수신함: 대기, 최장 대기, 전달중, 전달 실패, 첫 건이 기다리는 이유\n" \
	  "show   한 수신함의 대기 목록. --dead-letters: 전달 실패와 이유\n\n" \
	  "예시:\n" \
	  "  ieum queue show gimpo-ps --dead-letters\n") \
	X(HELP_DRILL, \
	  "usage: ieum drill advance TIME\n\n" \
	  "Moves the clock of a drill hub forward; everything due by then happens. TIME is milliseconds or a\n" \
	  "length of fixed units (s, min, h, d); a live hub refuses it.\n\n" \
	  "Example:\n" \
	  "  ieum drill advance 4 h\n", \
	  "사용법: ieum drill advance 시간\n\n" \
	  "훈련용 허브의 시계를 앞당깁니다. 그때까지 기한이 된 일이 모두 일어납니다. 시간은 밀리초 또는\n" \
	  "고정 단위(s, min, h, d)의 길이입니다. 실제 허브는 거부합니다.\n\n" \
	  "예시:\n" \
	  "  ieum drill advance 4 h\n")
/* clang-format on */

#endif
