// A client in JavaScript against a real hub: tests/foreign/with_hub starts it and tells where it is.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const client = require('./hub.js');
const { Hub, Refused } = client;

const Frame = client.loadFrame('proto');
const [host, port] = process.env.IEUM_HUB.split(':');
const certs = process.env.IEUM_CERTS;
const vectors = JSON.parse(fs.readFileSync('tests/vectors/frames.json', 'utf8'));
// As protobuf's own JSON mapping writes it.
const OWN_JSON = { longs: String, enums: String, bytes: String };

function connect(name = 'town-ps', folder = 'participants', ca = 'ca.crt') {
  const path = `${certs}/${folder}/${name}`;
  return Hub.connect(Frame, {
    host,
    port,
    certificate: `${path}.crt`,
    key: `${path}.key`,
    ca: `${certs}/${ca}`,
    serverName: 'localhost',
  });
}

async function withHubs(names, run) {
  const hubs = await Promise.all(names.map((name) => connect(name)));
  try {
    await run(...hubs);
  } finally {
    hubs.forEach((hub) => hub.close());
  }
}

async function refused(name, promise) {
  const error = await promise.then(
    () => assert.fail(`not refused, wanted ${name}`),
    (reason) => reason,
  );
  assert(error instanceof Refused, error);
  assert.strictEqual(error.error.name, name);
}

const newReport = () => client.report('CATEGORY_STALKING', '신고 접수');
const ping = (hub) => hub.request({ ping: {} });
const base64 = (bytes) => Buffer.from(bytes).toString('base64');

async function taskState(hub, messageId) {
  const result = await hub.ask({ referral: { messageId } });
  return Frame.toObject(Frame.create({ result }), OWN_JSON).result.referral.tasks[0].state;
}

const tests = {
  'vectors are read and written': async () => {
    let read = 0;
    for (const vector of vectors) {
      const good = vector.frames.filter((entry) => entry.frame);
      if (good.length < vector.frames.length || vector.missing || vector.ends) continue;
      let bytes = Buffer.from(vector.bytes, 'hex');
      const made = [];
      for (const { frame: wanted } of good) {
        const [body, rest] = client.cutFrame(bytes);
        assert.deepStrictEqual(Frame.toObject(Frame.decode(body), OWN_JSON), wanted, vector.name);
        made.push(Frame.encodeDelimited(Frame.fromObject(wanted)).finish());
        bytes = rest;
      }
      assert.strictEqual(bytes.length, 0, vector.name);
      if (vector.name !== 'length-in-five-bytes') {
        assert.strictEqual(Buffer.concat(made).toString('hex'), vector.bytes, vector.name);
      }
      read++;
    }
    assert(read >= 16, `${read}`);
  },

  'a referral is submitted, delivered, settled, answered': () =>
    withHubs(['town-ps', 'town-aid'], async (police, aid) => {
      const report = newReport();
      const { messageId } = report.envelope;
      const kept = [];
      assert.strictEqual(police.welcome.participant, 'town-ps');
      const receipt = await police.submit(report);
      assert.strictEqual(base64(receipt.messageId), base64(messageId));
      assert.strictEqual(base64(receipt.caseId), base64(messageId));
      assert(!receipt.repeated);
      aid.credit(4);
      const delivery = await client.work(aid, (d) => kept.push(d));
      assert.deepStrictEqual(kept, [delivery]);
      assert.strictEqual(delivery.sender, 'town-ps');
      assert.strictEqual(Buffer.from(delivery.referral.narrative[0].clear).toString(), '신고 접수');
      assert.strictEqual(await taskState(police, messageId), 'TASK_STATE_RECEIVED');
      await aid.submit(client.answerTo(delivery, 'ANSWER_KIND_ACCEPT'));
      await aid.submit(client.answerTo(delivery, 'ANSWER_KIND_COMPLETE'));
      assert.strictEqual(await taskState(police, messageId), 'TASK_STATE_COMPLETED');
      police.credit(8);
      const kinds = [];
      for (let i = 0; i < 3; i++) {
        const answer = await police.nextDelivery();
        assert.strictEqual(base64(answer.referral.envelope.inReplyTo), base64(messageId));
        kinds.push(answer.referral.answer.kind);
        await police.settle(answer.deliveryId);
      }
      assert.deepStrictEqual(kinds, [1, 2, 8]); // received, accept, complete
    }),

  'the same message again gets the same receipt': async () => {
    const report = newReport();
    const pauses = [];
    const dropped = await connect();
    dropped.send({ submit: { referral: report } });
    dropped.close(); // without having read the receipt
    const failures = [
      new Error('nobody there'),
      new Refused({ name: 'STOPPING', retryAfterMs: 0 }),
      new Refused({ name: 'UNAVAILABLE', retryAfterMs: 8000 }),
    ];
    const connectAtLast = () => {
      const failure = failures[pauses.length];
      return failure ? Promise.reject(failure) : connect();
    };
    const first = await client.submitSurely(connectAtLast, report, (ms) => pauses.push(ms));
    const bounds = [[250, 750], [500, 1500], [4000, 12000]];
    assert(bounds.every(([a, b], i) => a <= pauses[i] && pauses[i] <= b), `${pauses}`);
    await withHubs(['town-ps', 'town-aid'], async (police, aid) => {
      const again = await police.submit(report);
      assert(again.repeated);
      assert.strictEqual(`${again.journalNumber}`, `${first.journalNumber}`);
      const other = newReport();
      other.envelope.messageId = report.envelope.messageId;
      other.reportReceived.childAtHome = false;
      await refused('ID_REUSED', police.submit(other));
      aid.credit(4);
      await aid.settle((await aid.nextDelivery()).deliveryId);
    });
  },

  'mistakes are refused by name': async () => {
    let checked = 0;
    for (const vector of vectors) {
      const wrong = vector.frames.find((entry) => entry.error);
      if (vector.from !== 'client' || !(wrong || vector.ends)) continue;
      const police = await connect();
      const first = new Promise((resolve) => {
        police.received = (frame) => resolve(frame.error);
      });
      police.socket.write(Buffer.from(vector.bytes, 'hex'));
      const error = await first;
      assert.strictEqual(error.name, wrong ? wrong.error : vector.ends, vector.name);
      if (wrong) assert.strictEqual(error.detail, wrong.detail, vector.name);
      delete police.received;
      if (vector.ends) {
        await assert.rejects(ping(police), undefined, vector.name); // nothing more can be read
      } else {
        police.lastRequest = 1000;
        assert((await ping(police)).pong.hubTimeAtMs > 0);
      }
      police.close();
      checked++;
    }
    assert(checked >= 20, `${checked}`);
    await withHubs(['town-ps'], async (police) => {
      await refused('DELIVERY_UNKNOWN', police.settle(2 ** 52));
      const nowhere = newReport();
      nowhere.envelope.addressees = [{ participant: 'nobody-here' }];
      await refused('ADDRESSEE_UNKNOWN', police.submit(nowhere));
    });
  },

  'a wrong certificate is refused': async () => {
    for (const name of ['expired', 'revoked', 'wrong-ca']) {
      await assert.rejects(connect(name, 'zoo'), undefined, name);
    }
    await refused('IDENTITY_UNKNOWN', connect('wrong-san', 'zoo'));
    await assert.rejects(connect('town-ps', 'participants', 'zoo/self-signed.crt'), (error) =>
      /CERT|SIGNED|VERIFY/.test(error.code),
    );
  },

  'the window is never exceeded': () =>
    withHubs(['town-ps', 'town-aid'], async (police, aid) => {
      const ids = [];
      for (let i = 0; i < 8; i++) ids.push(base64((await police.submit(newReport())).messageId));
      const none = async (why) => {
        await ping(aid);
        assert.strictEqual(aid.deliveries.length, 0, why);
      };
      const held = [];
      const take = async (n) => {
        for (let i = 0; i < n; i++) held.push(await aid.nextDelivery());
      };
      await none('a delivery without credit');
      aid.credit(3);
      await take(3);
      await none('more than the window');
      await aid.settle(held[0].deliveryId);
      await take(1);
      await none('more than the window after one was settled');
      aid.credit(0);
      await Promise.all(held.slice(1).map((delivery) => aid.settle(delivery.deliveryId)));
      await none('a delivery after the credit was taken back');
      aid.credit(100);
      await take(4);
      await Promise.all(held.slice(4).map((delivery) => aid.settle(delivery.deliveryId)));
      const got = held.map((delivery) => base64(delivery.referral.envelope.messageId));
      assert.deepStrictEqual(got.sort(), ids.sort());
    }),
};

async function main() {
  let number = 0;
  console.log(`1..${Object.keys(tests).length}`);
  for (const [name, test] of Object.entries(tests)) {
    number++;
    try {
      await test();
      console.log(`ok ${number} - ${name}`);
    } catch (error) {
      console.log(error);
      console.log(`not ok ${number} - ${name}`);
      process.exitCode = 1;
    }
  }
}

main();
