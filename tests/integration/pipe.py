"""The test of tests/integration/pipe: what goes in, what comes out, and when neither does."""
import base64
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import traceback

IEUM = os.environ["IEUM_BUILD"] + "/bin/ieum"
CERTS = os.environ["IEUM_CERTS"]
WAIT_S = 60
NEWS = {"welcome", "accepted", "resent"}  # of the spool, which the processes of a participant share
CREDENTIALS = tempfile.TemporaryDirectory()


def profile(name, address=None, folder="participants", more=""):
    path = f"{CREDENTIALS.name}/{name}.yaml"
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"addresses: [\"{address or os.environ['IEUM_HUB']}\"]\n"
                   f"ca: {CERTS}/ca.crt\nserver_name: localhost\n"
                   f"certificate: {CERTS}/{folder}/{name}.crt\nkey: {CERTS}/{folder}/{name}.key\n{more}")
    return path


def write_all(file, data):
    while data:
        data = data[file.write(data):]


class Pipe:
    """`ieum pipe` as one participant."""

    def __init__(self, name, *options, **where):
        self.process = subprocess.Popen(
            [IEUM, "pipe", "--profile", profile(name, **where), *options],
            bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(os.environ, LC_ALL="C.UTF-8", XDG_STATE_HOME=CREDENTIALS.name))
        self.came = b""

    def put(self, *lines):
        for line in lines:
            text = line if isinstance(line, str) else json.dumps(line)
            write_all(self.process.stdin, text.encode() + b"\n")

    def get(self, *kinds):
        """The next line that has one of these; others are passed over only if they are news."""
        while True:
            while b"\n" not in self.came:
                assert select.select([self.process.stdout], [], [], WAIT_S)[0], "nothing came"
                more = self.process.stdout.read(1 << 16)
                assert more, "the output ended: " + self.process.stderr.read().decode()
                self.came += more
            text, _, self.came = self.came.partition(b"\n")
            line = json.loads(text)
            if any(kind in line for kind in kinds):
                return line
            assert NEWS & line.keys(), f"{line}, wanted {kinds}"

    def ask(self, line, kind):
        self.put(line)
        return self.get(kind)[kind]

    def end(self):
        """End of input: the lines that still come, and the exit code."""
        out, _ = self.process.communicate(timeout=WAIT_S)
        lines = [json.loads(line) for line in (self.came + out).splitlines()]
        return [line for line in lines if "resent" not in line], self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


def report(text="신고", **envelope):
    return {"referral": {
        "envelope": {"open_case": True, "category": "stalking",
                     "legal_basis": {"kind": "imminent_danger"}, **envelope},
        "narrative": [{"media_type": "text/plain", "clear": base64.b64encode(text.encode()).decode()}],
        "report_received": {"child_at_home": True}}}


def depth(operator):
    """What waits for town-aid, and what it has in hand."""
    queues = operator.ask({"query": {"queues": {}}}, "result")["queues"]["queues"]
    return next((q["depth"], q["in_flight"]) for q in queues if q["mailbox"] == "town-aid")


def a_message_goes_all_the_way():
    with Pipe("town-ps") as police, Pipe("town-aid", "--plain") as aid:
        police.put({"id": {"any": ["json"]}, "submit": report("신고 접수")})
        line = police.get("receipt")
        assert line["id"] == {"any": ["json"]} and list(line) == ["id", "receipt"], line
        receipt = line["receipt"]
        assert receipt["caseId"] == receipt["messageId"] and len(receipt["messageId"]) == 24
        assert isinstance(receipt["journalNumber"], str), receipt  # protobuf's own mapping
        assert aid.ask({"id": 1, "receive": {"deliveries": 5}}, "credit") == {"deliveries": 5}
        delivery = aid.get("delivery")["delivery"]
        envelope = delivery["referral"]["envelope"]
        assert isinstance(delivery["delivery_id"], int) and len(envelope["message_id"]) == 36
        assert envelope["type"] == "report_received", envelope
        assert base64.b64decode(delivery["referral"]["narrative"][0]["clear"]).decode() == "신고 접수"
        settled = aid.ask({"settle": {"done": [delivery["delivery_id"]]}}, "settled")
        assert settled == {"deliveries": 1}
        for kind in ("received", "ANSWER_KIND_ACCEPT", 8):
            answer = {"in_reply_to": envelope["message_id"], "kind": kind}
            assert aid.ask({"answer": answer}, "receipt")["case_id"] == envelope["message_id"]
        query = {"query": {"referral": {"messageId": receipt["messageId"]}}}
        task = police.ask(query, "result")["referral"]["tasks"][0]
        assert task["state"] == "TASK_STATE_COMPLETED", task
        assert int(police.ask({"ping": {}}, "pong")["hubTimeAtMs"]) > 0
        assert police.ask({"receive": {"deliveries": 3}}, "credit")
        ids = [police.get("delivery")["delivery"]["deliveryId"] for _ in range(3)]
        assert police.ask({"settle": {"done": ids}}, "settled") == {"deliveries": 3}
        for pipe in (police, aid):
            assert pipe.end() == ([], 0)


def what_is_sealed_is_sealed_and_opened_on_the_way():
    with Pipe("town-ps") as police, Pipe("town-aid") as aid, Pipe("town-head", "--plain") as head:
        for pipe in (police, aid):  # from now on the hub knows their certificates
            pipe.ask({"ping": {}}, "pong")
        message = report("신고자: 이웃 김씨")
        message["referral"]["narrative"][0]["subject"] = "reporter_identity"
        receipt = police.ask({"submit": message}, "receipt")
        aid.ask({"receive": {"deliveries": 5}}, "credit")
        line = aid.get("delivery")
        part = line["delivery"]["referral"]["narrative"][0]
        assert "sealed" in part and "clear" not in part and "opened" not in part, part
        opened = {"part": 0, "text": "신고자: 이웃 김씨", "signedBy": "town-ps", "actor": "town-ps-1"}
        assert line["opened"] == [opened], line
        query = {"query": {"referral": {"messageId": receipt["messageId"]}}}
        police.put(query)  # who sealed it can open it too
        assert police.get("result")["opened"] == [opened]
        answer = {"inReplyTo": receipt["messageId"], "kind": "reject", "reason": "capacity_full"}
        aid.ask({"settle": {"done": [line["delivery"]["deliveryId"]]}}, "settled")
        aid.ask({"answer": answer}, "receipt")
        # Somebody who comes to it later gets the key of who holds it, without that program's doing.
        head.ask({"receive": {"deliveries": 5}}, "credit")
        wrapped = aid.get("keyWrapped")["keyWrapped"]
        assert wrapped == {"messageId": receipt["messageId"], "participant": "town-head"}, wrapped
        while True:
            delivery = head.get("delivery")["delivery"]
            if delivery["referral"]["envelope"]["type"] == "key_wrap":
                break
        part = head.ask(query, "result")["referral"]["referral"]["narrative"][0]
        assert part["opened"]["text"] == "신고자: 이웃 김씨", part


def mistakes_are_told_in_line_and_it_goes_on():
    wanted = [
        ("{\"submit\":", "FILE_INVALID", "no JSON"),
        ("[1]", "FIELD_INVALID", "wanted: an object"),
        ({"id": "a", "sumbit": {}}, "FIELD_INVALID", "wanted: an object"),
        ({"ping": {}, "receive": {}}, "FIELD_INVALID", "wanted: an object"),
        ({"id": 4, "submit": report(urgenzy="routine")}, "FIELD_INVALID",
         "referral.envelope.urgenzy: Envelope has no field 'urgenzy'; did you mean 'urgency'?"),
        ({"submit": {}}, "FIELD_MISSING", "referral"),
        ({"submit": report(message_id="0192f5d4-7c1e-4a3b-9c4d-0123456789ab")}, "ID_INVALID",
         "referral.envelope.message_id"),
        ({"submit": report("900101-1234567")}, "RESIDENT_NUMBER", "referral.narrative[0].clear"),
        ("\"" + "x" * (5 << 20) + "\"", "FIELD_TOO_LARGE", "a line has at most"),
        ({"settle": {"refuse": [{"deliveryId": "7"}]}}, "REASON_MISSING", ""),
        ({"query": {"cases": {}, "pools": {}}}, "FIELD_INVALID", "pools: 'pools' and 'cases' exclude"),
    ]
    with Pipe("town-ps") as police:
        for number, (line, name, detail) in enumerate(wanted, 1):
            police.put(line)
            got = police.get("error")
            assert got["line"] == number and got["error"]["name"] == name, (got, name)
            assert got["error"].get("detail", "").startswith(detail), (got, detail)
            assert got.get("id") == (line.get("id") if isinstance(line, dict) else None), got
            assert got["error"]["code"] > 0 and got["error"]["textKo"], got
        police.put("", "  \r")
        assert police.ask({"ping": {}}, "pong")
        assert police.end() == ([], 7)


def what_the_hub_refuses_is_told_in_line():
    with Pipe("town-aid") as aid:
        aid.put({"id": 1, "settle": {"done": ["9", 8]}})
        got = aid.get("error")
        assert got["error"]["name"] == "DELIVERY_UNKNOWN" and got["error"]["code"] == 34, got
        assert sorted(got["deliveryIds"]) == ["8", "9"] and got["line"] == 1, got
        aid.put({"id": 2, "submit": report()})
        got = aid.get("error")
        assert got["error"]["name"] == "NOT_PERMITTED" and "retryAfterMs" not in got["error"], got
        assert len(got["error"]["messageId"]) == 24, got
        assert aid.end() == ([], 4)  # of the first that failed


def the_end_of_the_input_waits_for_what_was_asked():
    with Pipe("town-ps") as police:
        police.put(*[{"id": n, "submit": report()} for n in range(30)])
        lines, code = police.end()
        assert [line["id"] for line in lines if "receipt" in line] == list(range(30)) and code == 0
    with Pipe("town-ps") as police:
        write_all(police.process.stdin, b'{"query":{"whoami":{}}}')  # without the end of its line
        lines, code = police.end()
        assert lines[-1]["result"]["whoami"]["participant"] == "town-ps" and code == 0
    empty_inbox(30)


def empty_inbox(n):
    with Pipe("town-aid", "--plain") as aid:
        aid.put({"receive": {"deliveries": 100}})
        aid.get("credit")
        ids = [aid.get("delivery")["delivery"]["delivery_id"] for _ in range(n)]
        aid.ask({"settle": {"done": ids}}, "settled")


def the_window_is_never_exceeded():
    with Pipe("town-ps") as police, Pipe("town-aid", "--plain") as aid, \
            Pipe("town-op", "--plain") as operator:
        for _ in range(6):
            police.ask({"submit": report()}, "receipt")
        aid.ask({"receive": {"deliveries": 2}}, "credit")
        held = [aid.get("delivery")["delivery"]["delivery_id"] for _ in range(2)]
        assert aid.ask({"ping": {}}, "pong") and depth(operator) == (4, 2)
        aid.put({"settle": {"done": held[:1]}})
        lines = [aid.get("delivery", "settled") for _ in range(2)]
        held += [line["delivery"]["delivery_id"] for line in lines if "delivery" in line]
        assert aid.ask({"ping": {}}, "pong") and depth(operator) == (3, 2)
        aid.ask({"receive": {"deliveries": 100}}, "credit")
        held += [aid.get("delivery")["delivery"]["delivery_id"] for _ in range(3)]
        assert aid.ask({"settle": {"done": held[1:]}}, "settled") == {"deliveries": 5}
        assert depth(operator) == (0, 0)


def output_that_nobody_reads_takes_the_credit_back():
    """Reports come one by one until some stay with the hub, though the window is wide open."""
    with Pipe("town-ps") as police, Pipe("town-aid", "--plain") as aid, \
            Pipe("town-op", "--plain") as operator:
        aid.ask({"receive": {"deliveries": 1000}}, "credit")
        sent = 0
        while depth(operator)[0] < 5:
            police.ask({"submit": report("가" * 10000)}, "receipt")
            sent += 1
            assert sent < 150, "everything is released to a program that does not read"
        ids = [aid.get("delivery")["delivery"]["delivery_id"] for _ in range(sent)]
        assert len(set(ids)) == sent
        assert aid.ask({"settle": {"done": ids}}, "settled") == {"deliveries": sent}


def input_is_not_read_while_the_output_is_not():
    with Pipe("town-ps") as police:
        police.ask({"ping": {}}, "pong")
        stdin, put, lines = police.process.stdin.fileno(), 0, b"{\"id\": 1, \"ping\": {}}\n" * 100
        while select.select([], [stdin], [], 1)[1]:
            put += os.write(stdin, lines[put % len(lines):][:4096])
            assert put < 4 << 20, "everything is read though nobody takes the answers"
        whole, rest = divmod(put, len(lines) // 100)
        if rest:
            write_all(police.process.stdin, lines[rest:len(lines) // 100])
        answers, code = police.end()
        pongs = sum("pong" in answer for answer in answers)
        assert pongs == whole + (rest > 0) and code == 0, (pongs, whole, rest)


def no_hub_no_entry_no_reader():
    with Pipe("town-ps", "--timeout", "300", address="127.0.0.1:1") as police:
        police.put({"id": 1, "ping": {}})
        lines, code = police.end()
        assert code == 3 and lines[-1]["id"] == 1, (lines, code)
        assert lines[-1]["error"]["name"] == "HUB_UNREACHABLE", lines
        assert lines[-1]["error"]["retryAfterMs"] > 0, lines
    with Pipe("wrong-san", folder="zoo", more="spool: none\n") as stranger:
        stranger.put({"ping": {}})
        lines, code = stranger.end()
        assert code == 3 and lines[0]["disconnected"]["error"]["name"] == "IDENTITY_UNKNOWN", lines
        assert lines[-1]["error"]["name"] == "IDENTITY_UNKNOWN" and lines[-1]["line"] == 1, lines
    with Pipe("town-ps") as police:
        police.ask({"ping": {}}, "pong")
        police.process.stdout.close()
        police.put({"ping": {}})
        assert police.process.wait(WAIT_S) == 9


def it_ends_by_a_signal():
    with Pipe("town-ps") as police:
        police.ask({"receive": {"deliveries": 1}}, "credit")
        police.process.send_signal(signal.SIGTERM)
        assert police.process.wait(WAIT_S) == 0


def a_lost_hub_is_told_and_the_spool_keeps_what_is_submitted():
    """The last one: it kills the hub."""
    with Pipe("town-ps", "--timeout", "1 s") as police:
        police.ask({"ping": {}}, "pong")
        os.kill(int(os.environ["IEUM_HUB_PID"]), signal.SIGKILL)
        assert police.get("disconnected")["disconnected"]["retryInMs"] > 0
        police.put({"id": 1, "submit": report()}, {"id": 2, "query": {"cases": {}}})
        lines, code = police.end()
        said = [(line["id"], *(set(line) - {"id", "line"})) for line in lines if "id" in line]
        assert sorted(said) == [(1, "accepted"), (1, "kept"), (2, "error")], lines
        error = next(line["error"] for line in lines if line.get("id") == 2)
        assert error["retryAfterMs"] > 0 and code == 3, (lines, code)
    with Pipe("town-ps", "--timeout", "1 s") as police:  # from the start without a hub
        police.put({"id": 3, "submit": report()})
        assert police.get("accepted")["id"] == 3
        lines, code = police.end()
        assert [line["id"] for line in lines if "kept" in line] == [3] and code == 11, (lines, code)


TESTS = [a_message_goes_all_the_way, what_is_sealed_is_sealed_and_opened_on_the_way,
         mistakes_are_told_in_line_and_it_goes_on,
         what_the_hub_refuses_is_told_in_line, the_end_of_the_input_waits_for_what_was_asked,
         the_window_is_never_exceeded, output_that_nobody_reads_takes_the_credit_back,
         input_is_not_read_while_the_output_is_not, no_hub_no_entry_no_reader, it_ends_by_a_signal,
         a_lost_hub_is_told_and_the_spool_keeps_what_is_submitted]


def main():
    failed = 0
    print(f"1..{len(TESTS)}")
    for number, test in enumerate(TESTS, 1):
        try:
            test()
            print(f"ok {number} - {test.__name__}", flush=True)
        except Exception:  # whatever it is, the others are run too
            traceback.print_exc(file=sys.stdout)
            print(f"not ok {number} - {test.__name__}", flush=True)
            failed += 1
    return failed != 0


sys.exit(main())
