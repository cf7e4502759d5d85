"""A client in Python against a real hub: tests/foreign/with_hub starts it and tells where it is."""
import io
import json
import os
import ssl
import sys
import traceback

from google.protobuf import json_format
from ieum.v1 import frame_pb2, query_pb2, types_pb2

import hub as client
from hub import Frame, Hub, Refused

HOST, PORT = os.environ["IEUM_HUB"].rsplit(":", 1)
CERTS = os.environ["IEUM_CERTS"]
VECTORS = json.load(open("tests/vectors/frames.json", encoding="utf-8"))


def connect(name="town-ps", folder="participants", ca="ca.crt"):
    path = f"{CERTS}/{folder}/{name}"
    return Hub(HOST, int(PORT), path + ".crt", path + ".key", f"{CERTS}/{ca}", "localhost")


def refused(name, call, *args):
    try:
        call(*args)
    except Refused as refusal:
        assert refusal.error.name == name, f"{refusal}, not {name}"
        return refusal.error
    raise AssertionError(f"not refused, wanted {name}")


def new_report():
    return client.report(types_pb2.CATEGORY_STALKING, "신고 접수")


def task_state(hub, message_id):
    query = query_pb2.Query()
    query.referral.message_id = message_id
    return hub.ask(query).referral.tasks[0].state


def vectors_are_read_and_written():
    """Protobuf's own JSON of the frames is what the file says, and the bytes are made of it."""
    read = 0
    for vector in VECTORS:
        good = [entry["frame"] for entry in vector["frames"] if "frame" in entry]
        if len(good) < len(vector["frames"]) or "missing" in vector or "ends" in vector:
            continue
        data, made = bytes.fromhex(vector["bytes"]), b""
        stream = io.BytesIO(data)
        for wanted in good:
            frame = client.read_frame(stream)
            assert json_format.MessageToDict(frame) == wanted, vector["name"]
            body = json_format.ParseDict(wanted, Frame()).SerializeToString()
            made += client.varint(len(body)) + body
        assert stream.read() == b"", vector["name"]
        assert made == data or vector["name"] == "length-in-five-bytes", vector["name"]
        read += 1
    assert read >= 16, read


def a_referral_is_submitted_delivered_settled_answered():
    report, kept = new_report(), []
    with connect() as police, connect("town-aid") as aid:
        assert police.welcome.participant == "town-ps" and police.welcome.version == 1
        receipt = police.submit(report)
        assert receipt.message_id == report.envelope.message_id and not receipt.repeated
        assert receipt.case_id == report.envelope.message_id
        aid.credit(4)
        delivery = client.work(aid, kept.append)
        assert kept == [delivery] and delivery.sender == "town-ps" and delivery.attempt == 1
        assert delivery.referral == report
        assert task_state(police, report.envelope.message_id) == types_pb2.TASK_STATE_RECEIVED
        aid.submit(client.answer_to(delivery, types_pb2.ANSWER_KIND_ACCEPT))
        aid.submit(client.answer_to(delivery, types_pb2.ANSWER_KIND_COMPLETE))
        assert task_state(police, report.envelope.message_id) == types_pb2.TASK_STATE_COMPLETED
        police.credit(8)
        answers = [police.next_delivery() for _ in range(3)]
        kinds = [answer.referral.answer.kind for answer in answers]
        assert kinds == [types_pb2.ANSWER_KIND_RECEIVED, types_pb2.ANSWER_KIND_ACCEPT,
                         types_pb2.ANSWER_KIND_COMPLETE], kinds
        for answer in answers:
            police.settle(answer.delivery_id)


def empty_inbox(name):
    """Nothing of an earlier case is left."""
    with connect(name) as hub:
        hub.credit(100)
        query = query_pb2.Query()
        query.whoami.SetInParent()
        hub.ask(query)
        while hub.deliveries:
            hub.settle(hub.next_delivery().delivery_id)
            hub.ask(query)


def the_same_message_again_gets_the_same_receipt():
    report, pauses = new_report(), []
    dropped = connect()
    frame = Frame()
    frame.submit.referral.CopyFrom(report)
    dropped.send(frame)
    dropped.close()  # without having read the receipt

    def connect_at_last():
        if not pauses:
            raise ConnectionRefusedError
        if len(pauses) == 1:
            raise Refused(frame_pb2.Error(name="STOPPING"))
        if len(pauses) == 2:
            raise Refused(frame_pb2.Error(name="UNAVAILABLE", retry_after_ms=8000))
        return connect()

    first = client.submit_surely(connect_at_last, report, pauses.append)
    bounds = [(0.25, 0.75), (0.5, 1.5), (4, 12)]
    assert len(pauses) == 3 and all(a <= p <= b for p, (a, b) in zip(pauses, bounds)), pauses
    with connect() as police:
        again = police.submit(report)
        assert again.repeated and again.journal_number == first.journal_number
        other = new_report()
        other.envelope.message_id = report.envelope.message_id
        other.report_received.child_at_home = False
        refused("ID_REUSED", police.submit, other)
    empty_inbox("town-aid")


def mistakes_are_refused_by_name():
    checked = 0
    for vector in VECTORS:
        entries, ends = vector["frames"], vector.get("ends")
        names = [entry["error"] for entry in entries if "error" in entry]
        if vector["from"] != "client" or not (names or ends):
            continue
        with connect() as police:
            police.tls.sendall(bytes.fromhex(vector["bytes"]))
            error = client.read_frame(police.stream).error
            assert error.name == (names[0] if names else ends), f"{vector['name']}: {error}"
            assert not names or error.detail == entries[0]["detail"], f"{vector['name']}: {error}"
            assert error.text_ko and not error.retry_after_ms, error
            if ends:  # nothing more can be read of it
                try:
                    while True:
                        client.read_frame(police.stream)
                except OSError:
                    pass
            else:
                ping = Frame()
                ping.ping.SetInParent()
                police.last_request = 1000
                assert police.request(ping).pong.hub_time_at_ms > 0
        checked += 1
    assert checked >= 20, checked
    with connect() as police:
        refused("DELIVERY_UNKNOWN", police.settle, 1 << 62)
        nowhere = new_report()
        nowhere.envelope.addressees.add(participant="nobody-here")
        refused("ADDRESSEE_UNKNOWN", police.submit, nowhere)


def a_wrong_certificate_is_refused():
    for name in ("expired", "revoked", "wrong-ca"):
        try:
            connect(name, "zoo").close()
        except (ssl.SSLError, OSError):
            continue
        except Refused as refusal:
            assert refusal.error.code in (20, 21, 22), refusal
            continue
        raise AssertionError(f"a certificate that is {name} got in")
    refused("IDENTITY_UNKNOWN", connect, "wrong-san", "zoo")
    try:
        connect(ca="zoo/self-signed.crt").close()
    except ssl.SSLCertVerificationError:
        return
    raise AssertionError("a hub of another authority was believed")


def the_window_is_never_exceeded():
    ping = Frame()
    ping.ping.SetInParent()
    with connect() as police, connect("town-aid") as aid:
        ids = [police.submit(new_report()).message_id for _ in range(8)]
        aid.request(ping)
        assert not aid.deliveries, "a delivery without credit"
        aid.credit(3)
        held = [aid.next_delivery() for _ in range(3)]
        aid.request(ping)
        assert not aid.deliveries, "more than the window"
        aid.settle(held.pop(0).delivery_id)
        held.append(aid.next_delivery())
        aid.request(ping)
        assert not aid.deliveries, "more than the window after one was settled"
        aid.credit(0)
        for delivery in held:
            aid.settle(delivery.delivery_id)
        aid.request(ping)
        assert not aid.deliveries, "a delivery after the credit was taken back"
        aid.credit(100)
        held += [aid.next_delivery() for _ in range(4)]
        for delivery in held[-4:]:
            aid.settle(delivery.delivery_id)
        assert {d.referral.envelope.message_id for d in held} <= set(ids)


TESTS = [vectors_are_read_and_written, a_referral_is_submitted_delivered_settled_answered,
         the_same_message_again_gets_the_same_receipt, mistakes_are_refused_by_name,
         a_wrong_certificate_is_refused, the_window_is_never_exceeded]


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
