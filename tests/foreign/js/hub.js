// A connection to a hub of ieum, with nothing but Node's library and protobufjs.
//
// docs/connect/javascript.md shows this file piece by piece.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const tls = require('node:tls');
const protobuf = require('protobufjs');

// Errors that say in the protocol's table: again, on a new connection.
const ON_A_NEW_CONNECTION = ['STOPPING', 'JOURNAL_IO', 'COMMIT_UNKNOWN', 'JOURNAL_FENCED'];

// ieum.v1.Frame, from the folder that holds ieum/v1/frame.proto.
function loadFrame(folder) {
  const root = new protobuf.Root();
  root.resolvePath = (origin, target) => path.resolve(folder, target);
  return root.loadSync('ieum/v1/frame.proto').lookupType('ieum.v1.Frame');
}

// The hub said no; `error` is its ieum.v1.Error.
class Refused extends Error {
  constructor(error) {
    super(`${error.name}: ${error.detail}`);
    this.error = error;
  }
}

// The first frame of `bytes`: [its message's bytes, what is behind it]; null: more has to come.
function cutFrame(bytes) {
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    length += (bytes[i] & 0x7f) * 2 ** (7 * i);
    if (bytes[i] < 0x80) {
      const end = i + 1 + length;
      return bytes.length < end ? null : [bytes.subarray(i + 1, end), bytes.subarray(end)];
    }
  }
  return null;
}

// One connection.
class Hub {
  // Resolves when the hub has welcomed us.
  static async connect(Frame, { host, port, certificate, key, ca, serverName }) {
    const socket = tls.connect({
      host,
      port,
      cert: fs.readFileSync(certificate),
      key: fs.readFileSync(key),
      ca: fs.readFileSync(ca),
      servername: serverName ?? host,
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['ieum/1'],
    });
    const hub = new Hub(Frame, socket);
    const hello = { versionMin: 1, versionMax: 1, software: 'example in JavaScript' };
    hub.welcome = (await hub.request({ hello })).welcome;
    return hub;
  }

  constructor(Frame, socket) {
    this.Frame = Frame;
    this.socket = socket;
    this.lastRequest = 0;
    this.waiting = new Map(); // request id: what settles its promise
    this.settling = []; // [request id, the same], in their order
    this.deliveries = []; // that nobody has asked for yet
    this.readers = []; // that wait for a delivery
    this.input = Buffer.alloc(0);
    socket.setNoDelay(true);
    socket.on('data', (bytes) => this.take(bytes));
    socket.on('error', (error) => this.end(error));
    socket.on('close', () => this.end(new Error('the hub has closed the connection')));
  }

  close() {
    this.socket.end();
  }

  // Everybody who waits for something is told that nothing comes any more.
  end(error) {
    this.ended ??= error;
    const all = [...this.waiting.values(), ...this.settling.map(([, w]) => w), ...this.readers];
    this.waiting.clear();
    this.settling = [];
    this.readers = [];
    all.forEach((waiter) => waiter.reject(this.ended));
  }

  take(bytes) {
    this.input = Buffer.concat([this.input, bytes]);
    for (let cut; (cut = cutFrame(this.input)); this.input = cut[1]) {
      this.received(this.Frame.decode(cut[0]));
    }
  }

  received(frame) {
    const waiter = this.waiting.get(Number(frame.requestId));
    this.waiting.delete(Number(frame.requestId));
    if (frame.what === 'delivery') {
      const reader = this.readers.shift();
      reader ? reader.resolve(frame.delivery) : this.deliveries.push(frame.delivery);
    } else if (frame.what === 'settled') {
      const through = Number(frame.settled.throughRequestId);
      while (this.settling.length > 0 && this.settling[0][0] <= through) {
        this.settling.shift()[1].resolve();
      }
    } else if (frame.what === 'error') {
      const refusal = new Refused(frame.error);
      const settle = this.settling.findIndex(([id]) => id === Number(frame.requestId));
      if (settle >= 0) this.settling.splice(settle, 1)[0][1].reject(refusal);
      else waiter ? waiter.reject(refusal) : this.end(refusal);
    } else if (waiter) {
      waiter.resolve(frame);
    }
  }

  // Numbers the frame and sends it; the number.  encodeDelimited() writes the length before it.
  send(what) {
    this.lastRequest += 1;
    const frame = this.Frame.fromObject({ requestId: this.lastRequest, ...what });
    this.socket.write(this.Frame.encodeDelimited(frame).finish());
    return this.lastRequest;
  }

  // Sends it; the frame that answers it.
  request(what) {
    return new Promise((resolve, reject) => {
      if (this.ended) reject(this.ended);
      else this.waiting.set(this.send(what), { resolve, reject });
    });
  }

  async submit(referral) {
    return (await this.request({ submit: { referral } })).receipt;
  }

  async ask(query) {
    return (await this.request({ query })).result;
  }

  // How many deliveries we hold unsettled at most, from now on; not answered.
  credit(deliveries) {
    this.send({ credit: { deliveries } });
  }

  nextDelivery() {
    return new Promise((resolve, reject) => {
      if (this.deliveries.length > 0) resolve(this.deliveries.shift());
      else if (this.ended) reject(this.ended);
      else this.readers.push({ resolve, reject });
    });
  }

  // We have it; resolves once the hub has that on disk.
  settle(deliveryId) {
    return new Promise((resolve, reject) => {
      if (this.ended) reject(this.ended);
      else this.settling.push([this.send({ settle: { done: [deliveryId] } }), { resolve, reject }]);
    });
  }
}

// A UUIDv7 (RFC 9562): 48 bits of time in milliseconds, then random bits.
function newMessageId() {
  const id = crypto.randomBytes(16);
  id.writeUIntBE(Date.now(), 0, 6);
  id[6] = (id[6] & 0x0f) | 0x70;
  id[8] = (id[8] & 0x3f) | 0x80;
  return id;
}

const inMilliseconds = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Submits until there is a receipt, however often the connection is lost on the way.  The message
// keeps its id, so the hub has it once whatever got lost: the receipt of a repeat is the first one,
// with `repeated` set.
async function submitSurely(connect, referral, sleep = inMilliseconds) {
  for (let pause = 500; ; pause = Math.min(2 * pause, 30000)) {
    let hub;
    try {
      hub = await connect();
      return await hub.submit(referral);
    } catch (error) {
      if (error instanceof Refused) {
        const { name, retryAfterMs } = error.error;
        if (!retryAfterMs && !ON_A_NEW_CONNECTION.includes(name)) throw error;
        pause = Math.max(pause, retryAfterMs);
      } else if (/CERT|SIGNED|ALTNAME|VERIFY/.test(error.code)) {
        throw error; // the hub is not who it should be
      }
    } finally {
      hub?.close();
    }
    await sleep(pause * (0.5 + Math.random()));
  }
}

// A report that opens a case.
function report(category, text) {
  return {
    envelope: {
      messageId: newMessageId(),
      type: 'MESSAGE_TYPE_REPORT_RECEIVED',
      openCase: true,
      category,
      legalBasis: { kind: 'BASIS_KIND_IMMINENT_DANGER' },
    },
    narrative: [{ mediaType: 'text/plain', language: 'ko', clear: Buffer.from(text) }],
    reportReceived: { childAtHome: true },
  };
}

// What we say to a message: that we have read it, will do it, have done it, …
function answerTo(delivery, kind, reason = 'REASON_UNSPECIFIED') {
  return {
    envelope: {
      messageId: newMessageId(),
      type: 'MESSAGE_TYPE_ANSWER',
      inReplyTo: delivery.referral.envelope.messageId,
    },
    answer: { kind, reason },
  };
}

// Takes one message: stored, settled, answered.  `keep` stores it, and knows a repeat.
async function work(hub, keep) {
  const delivery = await hub.nextDelivery();
  await keep(delivery);
  await hub.settle(delivery.deliveryId);
  await hub.submit(answerTo(delivery, 'ANSWER_KIND_RECEIVED'));
  return delivery;
}

module.exports = { Hub, Refused, answerTo, cutFrame, loadFrame, newMessageId, report, submitSurely, work };
