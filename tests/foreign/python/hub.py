"""A connection to a hub of ieum, with nothing but Python's library and protobuf's.

docs/connect/python.md shows this file piece by piece.
"""
import collections
import os
import random
import socket
import ssl
import time

from ieum.v1 import frame_pb2, referral_pb2, types_pb2

Frame = frame_pb2.Frame
# Errors that say in the protocol's table: again, on a new connection.
ON_A_NEW_CONNECTION = {"STOPPING", "JOURNAL_IO", "COMMIT_UNKNOWN", "JOURNAL_FENCED"}


class Refused(Exception):
    """The hub said no; `error` is its ieum.v1.Error."""

    def __init__(self, error):
        super().__init__(f"{error.name}: {error.detail}")
        self.error = error


def varint(number):
    """A frame's length, as it stands before the frame."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def read_frame(stream):
    """The next frame of a file of bytes; ConnectionError when there is none any more."""
    length = shift = 0
    while True:
        byte = stream.read(1)
        if not byte:
            raise ConnectionError("the hub has closed the connection")
        length |= (byte[0] & 0x7F) << shift
        shift += 7
        if byte[0] < 0x80:
            break
    body = stream.read(length)
    if len(body) < length:
        raise ConnectionError("the connection ended within a frame")
    return Frame.FromString(body)


class Hub:
    """One connection, used by one thread."""

    def __init__(self, host, port, certificate, key, ca, server_name=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_verify_locations(ca)
        context.load_cert_chain(certificate, key)
        context.set_alpn_protocols(["ieum/1"])
        raw = socket.create_connection((host, port), timeout=15)
        self.tls = context.wrap_socket(raw, server_hostname=server_name or host)
        self.stream = self.tls.makefile("rb")
        self.last_request = 0
        self.deliveries = collections.deque()  # that came while we waited for something else
        hello = Frame()
        hello.hello.version_min = hello.hello.version_max = 1
        hello.hello.software = "example in Python"
        self.welcome = self.request(hello).welcome

    def close(self):
        self.stream.close()
        self.tls.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, frame):
        """Numbers the frame and sends it; the number."""
        self.last_request += 1
        frame.request_id = self.last_request
        body = frame.SerializeToString()
        self.tls.sendall(varint(len(body)) + body)
        return self.last_request

    def wait(self, is_answer):
        """The first frame that is one; deliveries that come before it are kept."""
        while True:
            frame = read_frame(self.stream)
            if is_answer(frame):
                return frame
            if frame.WhichOneof("what") == "delivery":
                self.deliveries.append(frame.delivery)
            elif frame.WhichOneof("what") == "error":
                raise Refused(frame.error)

    def request(self, frame):
        """Sends it; the frame that answers it."""
        number = self.send(frame)
        answer = self.wait(lambda got: got.request_id == number)
        if answer.WhichOneof("what") == "error":
            raise Refused(answer.error)
        return answer

    def submit(self, referral):
        frame = Frame()
        frame.submit.referral.CopyFrom(referral)
        return self.request(frame).receipt

    def ask(self, query):
        frame = Frame()
        frame.query.CopyFrom(query)
        return self.request(frame).result

    def credit(self, deliveries):
        """How many deliveries we hold unsettled at most, from now on; not answered."""
        frame = Frame()
        frame.credit.deliveries = deliveries
        self.send(frame)

    def next_delivery(self):
        if not self.deliveries:
            frame = self.wait(lambda got: got.WhichOneof("what") == "delivery")
            self.deliveries.append(frame.delivery)
        return self.deliveries.popleft()

    def settle(self, delivery_id):
        """We have it; returns once the hub has that on disk."""
        frame = Frame()
        frame.settle.done.append(delivery_id)
        number = self.send(frame)
        self.wait(lambda got: got.settled.through_request_id >= number)


def new_message_id():
    """A UUIDv7 (RFC 9562): 48 bits of time in milliseconds, then random bits."""
    number = time.time_ns() // 1_000_000 << 80 | int.from_bytes(os.urandom(10), "big")
    number = number & ~(0xF << 76) | 7 << 76
    number = number & ~(3 << 62) | 2 << 62
    return number.to_bytes(16, "big")


def submit_surely(connect, referral, sleep=time.sleep):
    """Submits until there is a receipt, however often the connection is lost on the way.

    The message keeps its id, so the hub has it once whatever got lost: the receipt of a repeat is
    the first one, with `repeated` set.
    """
    pause = 0.5
    while True:
        try:
            with connect() as hub:
                return hub.submit(referral)
        except Refused as refused:
            error = refused.error
            if not error.retry_after_ms and error.name not in ON_A_NEW_CONNECTION:
                raise
            pause = max(pause, error.retry_after_ms / 1000)
        except ssl.SSLCertVerificationError:
            raise  # the hub is not who it should be
        except OSError:
            pass
        sleep(pause * random.uniform(0.5, 1.5))
        pause = min(2 * pause, 30)


def report(category, text):
    """A report that opens a case."""
    referral = referral_pb2.Referral()
    envelope = referral.envelope
    envelope.message_id = new_message_id()
    envelope.type = types_pb2.MESSAGE_TYPE_REPORT_RECEIVED
    envelope.open_case = True
    envelope.category = category
    envelope.legal_basis.kind = types_pb2.BASIS_KIND_IMMINENT_DANGER
    referral.report_received.child_at_home = True
    part = referral.narrative.add(media_type="text/plain", language="ko")
    part.clear = text.encode()
    return referral


def answer_to(delivery, kind, reason=types_pb2.REASON_UNSPECIFIED):
    """What we say to a message: that we have read it, will do it, have done it, …"""
    referral = referral_pb2.Referral()
    referral.envelope.message_id = new_message_id()
    referral.envelope.type = types_pb2.MESSAGE_TYPE_ANSWER
    referral.envelope.in_reply_to = delivery.referral.envelope.message_id
    referral.answer.kind = kind
    referral.answer.reason = reason
    return referral


def work(hub, keep):
    """Takes one message: stored, settled, answered.  `keep` stores it, and knows a repeat."""
    delivery = hub.next_delivery()
    keep(delivery)
    hub.settle(delivery.delivery_id)
    hub.submit(answer_to(delivery, types_pb2.ANSWER_KIND_RECEIVED))
    return delivery
