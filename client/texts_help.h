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
	X(LINE_DEADLINES, "what ends when in your cases, and what is overdue",  "내 사례의 기한과 도과") \
	X(LINE_REFERRAL,  "one message: content, who owes what, where it went", "메시지 하나: 내용, 처리 상태, 전달 현황") \
	X(LINE_AGENDA,    "what the next meeting of a council has before it",   "협의체 다음 회의의 안건") \
	X(LINE_DIRECTORY, "who takes part in this hub",                        "허브 참여 기관 명부") \
	X(LINE_REACH,     "whom would this message reach? (sends nothing)",    "이 메시지를 받을 기관 미리 보기 (보내지 않음)") \
	X(LINE_WHOAMI,    "who the hub takes you for",                         "허브가 보는 내 신원") \
	X(LINE_PING,      "is the hub there, and how fast",                    "허브 응답 확인") \
	X(LINE_AUDIT,     "verify a journal file; who got what, offline",      "저널 파일 검증과 제공 내역 (오프라인)") \
	X(LINE_QUEUE,     "operator: the queues, envelopes only",              "운영자: 대기열 (봉투 정보만)") \
	X(LINE_HANDOVER,  "hand-over of a jurisdiction: dry run, progress, confirm", "관할 이관: 모의 실행, 진행, 확인") \
	X(LINE_POOL,      "places: how many are free, who waits",              "시설 정원: 빈자리와 대기 순번") \
	X(LINE_TOKEN,     "blind tokens of a person, and a council's key (no hub)", "사람의 가명 토큰과 협의체 키 (허브 없이)") \
	X(LINE_ROUTE,     "which rules a message meets and why, offline",      "메시지에 적용되는 규칙과 이유 (오프라인)") \
	X(LINE_POLICY,    "check a hub file, run its tests, offline",          "허브 파일 검사와 시험 (오프라인)") \
	X(LINE_SCENARIO,  "a scenario file as its timeline, offline",           "시나리오 파일을 시간순으로 보기 (오프라인)") \
	X(LINE_DRILL,     "operator of a drill: move its clock on",            "훈련 운영자: 훈련 시계 앞당기기") \
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
	  "  ieum route explain help.yaml --hub hub.yaml --sender gimpo-case-manager --case-category domestic_violence\n", \
	  "사용법: ieum route explain 파일|- --hub 허브파일 --sender 기관 [--at 시각] [--open-case | --case 번호]\n" \
	  "                   [--case-category 분류] [--case-state 상태] [--case-owner 수신함] [--excluded 기관,…]\n" \
	  "                   [--counted 계수기=N,…] [--replies-to 유형]\n\n" \
	  "이 허브 파일을 쓰는 허브가 메시지를 어떻게 처리할지와 그 이유를 보여 줍니다. 해당 유형의 모든 규칙과\n" \
	  "맞지 않는 조건, 받는 곳, 회신 기한과 다음 단계, 허브가 보내거나 시작하는 일, 또는 거부 사유.\n" \
	  "허브에 연결하지 않습니다.\n\n" \
	  "  --hub 파일          허브 파일\n" \
	  "  --sender 기관       보내는 기관, 또는: hub\n" \
	  "  --at 시각           허브 접수 시각(허브의 현지 시각): '2026-03-02 10:00'. 없으면 지금\n" \
	  "  --case-category C   속한 사례의 분류\n" \
	  "  --case-state S      그 사례의 상태\n" \
	  "  --case-owner M      그 사례를 책임지는 수신함\n" \
	  "  --excluded N,N      그 사례에 이해관계가 있는 기관\n" \
	  "  --counted C=N,C=N   허브 파일 계수기의 값 (이 메시지 포함)\n" \
	  "  --replies-to 유형   회신 대상 메시지의 유형 (--reply-to 번호와 함께)\n\n" \
	  "메시지가 거부될 때 종료 코드는 1입니다.\n\n" \
	  "예시:\n" \
	  "  ieum route explain report.yaml --open-case --hub hub.yaml --sender gimpo-ps --at '2026-03-02 23:00'\n" \
	  "  ieum route explain help.yaml --hub hub.yaml --sender gimpo-case-manager --case-category domestic_violence\n") \
	X(HELP_SCENARIO, \
	  "usage: ieum scenario show FILE…\n\n" \
	  "Prints a scenario file as the timeline that it plays: who says what when, and what is then expected\n" \
	  "of whom. Times are counted by the calendar of its hub file. Nothing is played and no hub is asked.\n\n" \
	  "Example:\n" \
	  "  ieum scenario show tests/scenarios/domestic-violence.yaml\n", \
	  "사용법: ieum scenario show 파일…\n\n" \
	  "시나리오 파일을 시간순으로 보여 줍니다: 누가 언제 무엇을 말하고, 누구에게 무엇이 기대되는지.\n" \
	  "시각은 그 허브 파일의 달력으로 셉니다. 실행하지 않으며 허브에 연결하지 않습니다.\n\n" \
	  "예시:\n" \
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
	  "  ieum policy test examples/gimpo/hub.yaml\n", \
	  "사용법: ieum policy check 허브파일\n" \
	  "        ieum policy test 허브파일 [시험파일…]\n\n" \
	  "check  허브와 똑같이 허브 파일을 읽고 잘못을 줄 번호와 함께 모두 알려 줍니다.\n" \
	  "       (ieumd --check는 데몬 설정까지 함께 검사합니다.)\n" \
	  "test   허브 파일의 시험을 실행합니다: 메시지를 넣어 받는 곳, 기한, 다음 단계, 규칙, 거부를 확인합니다.\n" \
	  "       시험파일이 없으면 허브 파일 옆의 tests.yaml을 씁니다. 다른 점이 출력됩니다:\n" \
	  "       - 기대한 값, + 실제 값. 작성 방법은 docs/hub-file.md에 있습니다.\n\n" \
	  "허브에 연결하지 않습니다. 파일이 잘못되면 7, 시험이 실패하면 10으로 끝납니다.\n\n" \
	  "예시:\n" \
	  "  ieum policy check hub.yaml\n" \
	  "  ieum policy test examples/gimpo/hub.yaml\n") \
	X(HELP_SUBMIT, \
	  "usage: ieum submit FILE|- [--case ID | --open-case] [--reply-to ID] [--text FILE]\n" \
	  "                   [--subject FILE --council-key FILE [--on DAY]]\n\n" \
	  "Hands a message to the hub and prints its receipt: from then on it is on the hub's disk.\n" \
	  "FILE is YAML or JSON; - reads standard input. A message id is made when the file has none.\n\n" \
	  "  --case ID        the case it belongs to (envelope.case_id)\n" \
	  "  --open-case      it opens a new case, whose id is the message's id\n" \
	  "  --reply-to ID    the message it replies to (envelope.in_reply_to)\n" \
	  "  --text FILE      adds this plain text as a narrative part\n" \
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
	  "  jq .referral message.json | ieum submit - --case 0192f5d4-7c1e-7a3b-9c4d-0123456789ab\n", \
	  "사용법: ieum submit 파일|- [--case 번호 | --open-case] [--reply-to 번호] [--text 파일]\n" \
	  "                    [--subject 파일 --council-key 파일 [--on 날짜]]\n\n" \
	  "메시지를 허브에 보내고 접수증을 출력합니다. 접수증이 나오면 허브의 디스크에 기록된 것입니다.\n" \
	  "파일은 YAML 또는 JSON이며 -는 표준 입력입니다. 메시지 번호가 없으면 만들어 씁니다.\n\n" \
	  "  --case 번호      속한 사례 (envelope.case_id)\n" \
	  "  --open-case      새 사례를 엶. 사례 번호는 메시지 번호와 같음\n" \
	  "  --reply-to 번호  회신 대상 메시지 (envelope.in_reply_to)\n" \
	  "  --text 파일      텍스트 파일을 서술로 덧붙임\n" \
	  "  --subject 파일   파일에 적힌 사람의 토큰을 envelope.subject_tokens에 넣음. 내용은 보내지 않음\n" \
	  "  --council-key 파일   그때 쓰는 협의체 키 (ieum token --help 참조)\n\n" \
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
	  "usage: ieum inbox [--follow] [--limit N] [--settle done|none] [--wait TIME]\n" \
	  "       ieum inbox --notify [--limit N] [--wait TIME]\n\n" \
	  "Prints what waits for you, the most urgent first. Each message is taken (settled) only after it\n" \
	  "was printed; taking it is no answer: that is `ieum answer`.\n\n" \
	  "  -f, --follow       go on waiting for new ones; Ctrl-C ends\n" \
	  "  --limit N          end after N messages\n" \
	  "  --settle done      take them (default)\n" \
	  "  --settle none      only look: they wait for you again afterwards\n" \
	  "  --wait TIME        without --follow: end when nothing came for so long (default 1 s)\n" \
	  "  --notify           a neutral line for each that waits, nothing of what it says; none is taken\n\n" \
	  "Examples:\n" \
	  "  ieum inbox\n" \
	  "  ieum inbox --follow --json | while read -r line; do handle \"$line\"; done\n", \
	  "사용법: ieum inbox [--follow] [--limit 건수] [--settle done|none] [--wait 시간]\n" \
	  "        ieum inbox --notify [--limit 건수] [--wait 시간]\n\n" \
	  "기다리는 메시지를 긴급한 것부터 출력합니다. 출력을 마친 메시지만 수령 처리됩니다.\n" \
	  "수령은 회신이 아닙니다. 회신은 `ieum answer`로 합니다.\n\n" \
	  "  -f, --follow       새 메시지를 계속 기다림. 끝내려면 Ctrl-C\n" \
	  "  --limit 건수       이만큼 받으면 끝냄\n" \
	  "  --settle done      수령 처리 (기본)\n" \
	  "  --settle none      보기만 함: 다시 대기열로 돌아감\n" \
	  "  --wait 시간        --follow 없이, 이 시간 동안 오지 않으면 끝냄 (기본 1 s)\n" \
	  "  --notify           기다리는 메시지마다 내용 없는 알림 한 줄만 출력. 수령하지 않음\n\n" \
	  "예시:\n" \
	  "  ieum inbox\n" \
	  "  ieum inbox --follow --json | while read -r line; do handle \"$line\"; done\n") \
	X(HELP_ANSWER, \
	  "usage: ieum answer MESSAGE-ID KIND [--reason R] [--remark TEXT] [--until TIME] [--outcome O]\n" \
	  "                   [--scheduled TIME] [--request N] [--text FILE]\n\n" \
	  "Answers a message; the hub brings the answer to whoever asked.\n\n" \
	  "KIND          received, accept, reject, in_progress, interim, need_more_time, on_hold,\n" \
	  "              complete, fail; by the referrer: cancel, entered_in_error\n" \
	  "  --reason R        why; needed for reject, fail and on_hold (capacity_full, …)\n" \
	  "  --remark TEXT     a short remark that everyone in the case may read\n" \
	  "  --until TIME      needed for need_more_time: until when, or for how long (2 d)\n" \
	  "  --outcome O       scheduled, unattended, interim, provided, nothing_held\n" \
	  "  --scheduled TIME  the date that is set\n" \
	  "  --request N       which of the message's requests, as `ieum referral show` and `ieum agenda`\n" \
	  "                    count them; without it the first open one that asks you\n" \
	  "  --text FILE       adds this plain text as a narrative part\n\n" \
	  "Examples:\n" \
	  "  ieum answer 0192f5d4-7c1e-7a3b-9c4d-0123456789ab received\n" \
	  "  ieum answer 0192f5d4-7c1e-7a3b-9c4d-0123456789ab reject --reason capacity_full\n" \
	  "  ieum answer 0192f5d4-7c1e-7a3b-9c4d-0123456789ab need_more_time --until '2026-03-05 18:00'\n", \
	  "사용법: ieum answer 메시지번호 종류 [--reason 사유] [--remark 글] [--until 시각] [--outcome 결과]\n" \
	  "                    [--scheduled 시각] [--request 번호] [--text 파일]\n\n" \
	  "메시지에 회신합니다. 허브가 요청한 기관에 전달합니다.\n\n" \
	  "종류          received 접수, accept 수락, reject 반려, in_progress 진행중, interim 중간보고,\n" \
	  "              need_more_time 기한 연장, on_hold 보류, complete 완료, fail 실패\n" \
	  "              의뢰한 쪽: cancel 취소, entered_in_error 오등록\n" \
	  "  --reason 사유     reject, fail, on_hold에 필요 (capacity_full 정원초과, …)\n" \
	  "  --remark 글       사례 참여 기관이 모두 볼 수 있는 짧은 글\n" \
	  "  --until 시각      need_more_time에 필요: 시각 또는 길이 (2 d)\n" \
	  "  --outcome 결과    scheduled, unattended, interim, provided, nothing_held\n" \
	  "  --scheduled 시각  잡힌 일정\n" \
	  "  --request 번호    메시지의 여러 요청 가운데 몇 번째인지. 번호는 ieum referral show와 ieum agenda에\n" \
	  "                    나옴. 없으면 우리 기관에 온 첫 미완료 요청\n" \
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
	X(HELP_DEADLINES, \
	  "usage: ieum deadlines [--breached]\n\n" \
	  "Clocks and requests of your cases, what ends first first.\n\n" \
	  "  --breached  clocks that ended before the act was done, those stopped too late included;\n" \
	  "              the oldest first\n\n" \
	  "Clocks that stand still are shown by `ieum case show`. Reading is recorded by the hub.\n", \
	  "사용법: ieum deadlines [--breached]\n\n" \
	  "참여 중인 사례의 기한과 요청, 먼저 끝나는 것부터.\n\n" \
	  "  --breached  조치 전에 끝난 기한. 늦게 조치된 것도 포함, 오래된 것부터\n\n" \
	  "정지된 기한은 `ieum case show`에 나옵니다. 열람은 허브에 기록됩니다.\n") \
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
	X(HELP_AGENDA, \
	  "usage: ieum agenda BODY\n\n" \
	  "What the next meeting of a body has before it: items that members put there, actions that\n" \
	  "are not done yet, with the meetings that had them before. For members; linked sets are shown\n" \
	  "to the convener alone. Titles are read from the messages. Example:\n" \
	  "  ieum agenda information-council-gimpo\n", \
	  "사용법: ieum agenda 협의체\n\n" \
	  "다음 회의의 안건: 구성 기관이 올린 안건, 아직 이행되지 않은 조치와 지난 회의 횟수.\n" \
	  "구성 기관만 볼 수 있고 연결된 신호는 의장 기관에만 보입니다. 제목은 메시지에서 읽습니다. 예시:\n" \
	  "  ieum agenda information-council-gimpo\n") \
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
	  "  ieum audit verify /var/lib/ieum/journal.db\n\n" \
	  "usage: ieum audit ledger JOURNAL --case ID | --token BASE64 | --participant NAME\n\n" \
	  "The disclosure ledger: who received or read what, when, from where, on which basis.\n\n" \
	  "  --case ID             of the messages of this case, and of the case itself\n" \
	  "  --token BASE64        of a subject: messages that carry this token, blind signals that did,\n" \
	  "                        also erased ones, and the cases of both\n" \
	  "  --participant NAME    everything that this one got\n", \
	  "사용법: ieum audit verify 저널 [--earlier 크기:루트]\n\n" \
	  "허브 없이 저널 파일을 검증합니다. 허브가 켜져 있거나 강제 종료된 뒤에도 됩니다.\n" \
	  "모든 이벤트의 머클 트리를 다시 계산하고, 내용을 기록된 해시와 비교하고, 이벤트를 재생하고,\n" \
	  "수신함마다 모든 배달을 정산합니다. 종료 코드 0: 이상 없음, 5: 첫 불일치를 알림.\n\n" \
	  "  --earlier 크기:루트   처음 크기만큼의 이벤트가 예전 감사 때의 루트와 같아야 함:\n" \
	  "                        과거가 바뀌거나 잘리지 않았음을 증명\n\n" \
	  "예시:\n" \
	  "  ieum audit verify /var/lib/ieum/journal.db\n\n" \
	  "사용법: ieum audit ledger 저널 --case 번호 | --token BASE64 | --participant 기관\n\n" \
	  "제공 내역: 누가 언제 어디서 무엇을 어떤 근거로 받거나 조회했는지.\n\n" \
	  "  --case 번호           이 사례와 그 메시지\n" \
	  "  --token BASE64        대상자: 이 토큰이 든 메시지, 삭제된 것까지 포함한 가명 신호, 그 사례\n" \
	  "  --participant 기관    이 기관이 받은 모든 것\n") \
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
	  "  ieum handover plan --from siheung-cpa --to gwangmyeong-cpa --jurisdiction 41210\n", \
	  "사용법: ieum handover plan --from 기관 --to 기관 [--jurisdiction 코드]\n" \
	  "       ieum handover list\n" \
	  "       ieum handover status 관할변경번호\n" \
	  "       ieum handover confirm 관할변경번호\n\n" \
	  "plan     모의 실행: 넘어갈 사례마다 남은 요청과 기한, 막는 사유. 아무것도 바뀌지 않습니다.\n" \
	  "         관할변경을 알릴 수 있는 기관만 쓸 수 있습니다.\n" \
	  "list     알렸거나 관련된 관할변경\n" \
	  "status   사례별 진행 상황과 이전 기관의 최종 열람 시각\n" \
	  "confirm  새 기관이 직접 받은 이관 메시지의 건수와 해시를 계산해 알림. 허브의 이관목록과 같고\n" \
	  "         모든 사례를 인수했을 때 이관이 끝납니다.\n\n" \
	  "관할변경은 jurisdiction_change로 알리고 (ieum submit), 시행 전에는 `ieum answer 번호 cancel`로\n" \
	  "거둡니다. 사례 인수는 `ieum answer 이관번호 accept`. 해시의 대상은 docs/protocol.md에 있습니다.\n\n" \
	  "예시:\n" \
	  "  ieum handover plan --from siheung-cpa --to gwangmyeong-cpa --jurisdiction 41210\n") \
	X(HELP_POOL, \
	  "usage: ieum pool list\n" \
	  "       ieum pool show POOL\n\n" \
	  "list   every pool that you may ask for a place: how many are free, held, taken, waited for\n" \
	  "show   one pool with its holds and its waiting list: all of them when you keep the pool,\n" \
	  "       else your own, with their position\n\n" \
	  "Ask for a place with a capacity_hold, wait for one with a waitlist_entry (ieum submit).\n\n" \
	  "Example:\n" \
	  "  ieum pool show gimpo-shelter-girls\n", \
	  "사용법: ieum pool list\n" \
	  "       ieum pool show 시설\n\n" \
	  "list   자리를 요청할 수 있는 모든 시설: 빈자리, 확보, 입소, 대기\n" \
	  "show   한 시설의 확보 자리와 대기 명부. 운영기관은 전부, 그 밖에는 자기 것만 순번과 함께\n\n" \
	  "자리 요청은 capacity_hold, 대기 등록은 waitlist_entry로 합니다 (ieum submit).\n\n" \
	  "예시:\n" \
	  "  ieum pool show gimpo-shelter-girls\n") \
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
	  "  ieum submit signal.yaml --council-key council.key --subject child.yaml\n", \
	  "사용법: ieum token make --council-key 파일 --subject 파일 [--on 날짜]\n" \
	  "       ieum token make --council-key 파일 [--name 이름] [--birth 날짜] [--sex 성별] [--guardian 이름]\n" \
	  "                       [--phone 번호] [--postcode 우편번호] [--on 날짜]\n" \
	  "       ieum token new-key --out 파일 [--council 이름] [--epoch 번호] [--from 날짜] [--until 날짜]\n\n" \
	  "make      envelope.subject_tokens에 넣을 가명 토큰. 같은 사람을 아는 기관은 같은 토큰을 만들고,\n" \
	  "          협의체 키가 없으면 누구의 것인지 알 수 없습니다. 그래도 개인정보입니다.\n" \
	  "  --subject 파일   아는 것만 적은 YAML: name, birth, sex, guardian, phone, postcode.\n" \
	  "                   옵션은 셸 기록과 다른 사용자에게 보이므로 파일이 낫습니다.\n" \
	  "  --phone          보호자 전화번호\n" \
	  "  --on 날짜        키 세대를 고르는 날 (기본: 오늘)\n" \
	  "new-key   협의체 키를 만들거나, 있는 파일에 다음 세대를 더함 (교체)\n" \
	  "  --council 이름   새 파일에 필요\n" \
	  "  --from, --until  세대의 첫날과 마지막 날 (기본: 오늘부터 455일)\n\n" \
	  "예시:\n" \
	  "  ieum token new-key --council information-council-gimpo --out council.key\n" \
	  "  ieum token make --council-key council.key --subject child.yaml\n" \
	  "  ieum submit signal.yaml --council-key council.key --subject child.yaml\n") \
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
