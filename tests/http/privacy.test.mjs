// SPDX-License-Identifier: Apache-2.0
//
// What a person may ask for: everything in one document; to be forgotten, at once and from the files, with a receipt that
// anybody can check; that nothing brings them back, not an import, not a restored backup, not a kill in the middle. And who
// looked at them is noted.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { basic, basicShop, bearer, KEYS, products, program, run, serve, until } from "./harness.mjs";

const by = (kind, value) => `/v1/customers/by/${kind}/${encodeURIComponent(value)}`;
const data = (shop) => join(shop.dir, "data");
const NAME = "Annabella Mustermann", MAIL = "annabella.m@example.com", PHONE = "+49 170 1234567", DIGITS = "1701234567";

/** How often one of the words stands in any file of the data folder. */
function found(shop, words = [NAME, MAIL, DIGITS]) {
  let count = 0;
  for (const file of readdirSync(data(shop))) {
    if (!statSync(join(data(shop), file)).isFile()) continue;
    const text = readFileSync(join(data(shop), file), "latin1");
    for (const word of words) count += text.split(word).length - 1;
  }
  return count;
}

async function ann(shop, key = {}) {
  const browser = { anonymousId: "v-ann" };
  await shop.post("/v1/track", { ...browser, event: "Product Viewed", properties: { product_id: "SKU-1" } }, key);
  await shop.post("/v1/identify", { ...browser, userId: "ann", traits: { email: MAIL, phone: PHONE, name: NAME } }, key);
  await shop.post("/v1/track", { ...browser, userId: "ann", event: "Order Completed", properties: { order_id: "1001", revenue: 99.5, currency: "EUR",
    note: `for ${NAME}`, products: [{ product_id: "SKU-1", price: 99.5, quantity: 1 }] } }, key);
  await shop.post("/v1/rank", { customer: { user_id: "ann" }, ranking: "collection", where: {}, limit: 3, explain: true }, key);
}

const scrubbed = (shop, id, key) => until(async () => {
  const { body } = await shop.get(`/v1/privacy/requests/${id}`, key);
  return body.state === "done" && body;
});

test("everything about a person is one document: what GET shows, and every row that is theirs", async (t) => {
  const shop = await serve(t);
  await shop.call("PUT", "/v1/catalog/items", products(10));
  await ann(shop);
  await shop.post("/v1/track", { anonymousId: "v-bob", event: "Product Viewed", properties: { product_id: "SKU-2" } });
  await shop.get(by("user_id", "ann") + "/timeline");
  const customer = (await shop.get(by("user_id", "ann"))).body;
  const answer = await shop.get(by("email", MAIL) + "/export");
  assert.equal(answer.status, 200, answer.text);
  const { records } = answer.body;
  assert.equal(answer.body.person, customer.id);
  assert.deepEqual(answer.body.customer.identifiers, customer.identifiers);
  assert.deepEqual(records.identifier.map((one) => one.kind).sort(), ["anonymous_id", "email", "phone", "user_id"]);
  assert.deepEqual(records.event.map((one) => one.name), ["product_viewed", "identified", "order_completed"]);
  assert.equal(records.event[2].body.properties.note, `for ${NAME}`, "as it was sent");
  assert.deepEqual(records.claim.map((one) => [one.kind, one.key]), [["order", "1001"]]);
  assert.equal(records.decision.length, 1);
  assert.ok(records.decision[0].body.items[0].terms.length, "with its reasons");
  assert.ok(records.link.length >= 3);
  assert.equal(records.profile.length, 1);
  assert.deepEqual([...new Set(records.access.map((one) => one.action))].sort(), ["customer", "export", "timeline"]);
  assert.ok(!answer.text.includes("v-bob"));
  assert.equal((await shop.get(by("user_id", "nobody") + "/export")).status, 404);
  const cli = run(["export", "user_id:ann", "--shop", shop.dir]);
  assert.equal(cli.code, 0, cli.err);
  assert.equal(JSON.parse(cli.out).person, customer.id);
});

test("a merged person's export and erasure hold what all of them were", async (t) => {
  const shop = await serve(t);
  const person = async (id) => (await shop.get(by("anonymous_id", id))).body?.id;
  await shop.call("PUT", "/v1/catalog/items", products(10));
  for (const id of ["m-1", "m-2"]) {
    await shop.post("/v1/identify", { anonymousId: id, traits: { name: `${NAME} ${id}` } });
    await shop.post("/v1/rank", { customer: { anonymous_id: id }, ranking: "collection", where: {}, limit: 3, explain: true });
  }
  const before = [await person("m-1"), await person("m-2")];
  await shop.get(`/v1/customers/${before[0]}/decisions`);
  await shop.post("/v1/identify", { anonymousId: "m-1", userId: "both" });
  await shop.post("/v1/identify", { anonymousId: "m-2", userId: "both" });
  const { records } = (await shop.get(by("user_id", "both") + "/export")).body;
  assert.equal(records.decision.length, 2, "decisions of who was merged are theirs, too");
  assert.equal(records.event.length, 4);
  assert.equal(records.merge.length, 1);
  const { id } = (await shop.call("DELETE", by("user_id", "both"))).body;
  await scrubbed(shop, id);
  for (const old of before) assert.equal((await shop.get(`/v1/customers/${old}`)).status, 404);
  assert.equal(found(shop, [NAME]), 0);
});

test("an erased person is unreachable at once, gone from the files soon, and the order stays without them", async (t) => {
  const shop = await serve(t);
  await shop.call("PUT", "/v1/catalog/items", products(10));
  await ann(shop);
  const customer = (await shop.get(by("user_id", "ann"))).body;
  const decision = (await shop.get(`/v1/customers/${customer.id}/decisions`)).body.decisions[0].decision;
  assert.ok(found(shop) > 0);
  const answer = await shop.call("DELETE", `/v1/customers/${customer.id}`);
  assert.equal(answer.status, 200, answer.text);
  const { id, receipt } = answer.body;
  assert.deepEqual([answer.body.kind, answer.body.state, receipt.person, receipt.scrubbed_at], ["erase", "unreachable", customer.id, null]);
  for (const path of [`/v1/customers/${customer.id}`, by("email", MAIL), by("user_id", "ann"), by("phone", PHONE), by("anonymous_id", "v-ann"),
    by("email", MAIL) + "/timeline", by("email", MAIL) + "/export", by("email", MAIL) + "/decisions", `/v1/decisions/${decision}`])
    assert.equal((await shop.get(path)).status, 404, path);
  assert.equal((await shop.call("DELETE", `/v1/customers/${customer.id}`)).status, 404, "twice is once");
  const done = await scrubbed(shop, id);
  assert.equal(done.receipt.events, 3);
  assert.ok(done.receipt.scrubbed_at);
  assert.equal(found(shop), 0, "no file of the data folder holds name, address or phone");

  /* the receipts: both good, neither can be changed */
  const check = (text, ...args) => {
    const path = join(shop.dir, "receipt.json");
    writeFileSync(path, text);
    return run(["erase", "--verify", path, ...args]);
  };
  for (const one of [answer.body, done.receipt]) {
    const { code, out } = check(JSON.stringify(one, null, 2), "--key", receipt.key);
    assert.equal(code, 0);
    assert.match(out, /signature is good, and the key is the one expected/);
  }
  assert.equal(check(JSON.stringify({ ...receipt, events: 7 })).code, 1);
  assert.equal(check(JSON.stringify({ ...receipt, more: 1 })).code, 1);
  assert.equal(check(JSON.stringify(receipt), "--key", "00".repeat(32)).code, 1);
  assert.equal(check("{}").code, 1);
  assert.equal(check("not JSON").code, 1);

  /* the money is there, and nothing in it leads to her; the order is not counted a second time */
  await shop.stop();
  assert.equal(found(shop), 0);
  const ask = (sql) => JSON.parse(spawnSync("sqlite3", ["-json", join(data(shop), "attune.db"), sql], { encoding: "utf8" }).stdout || "[]");
  if (spawnSync("sqlite3", ["--version"]).status === 0) {
    const money = ask("SELECT kind, amount, currency, items, day_ms % 86400000 AS rest FROM money");
    assert.deepEqual(money.map((one) => ({ ...one, items: JSON.parse(one.items) })), [{ kind: "order", amount: 99.5, currency: "EUR", rest: 0,
      items: [{ product: "SKU-1", quantity: 1, price: 99.5 }] }]);
    assert.deepEqual(ask("SELECT kind, key, person FROM claim"), [{ kind: "order", key: "1001", person: 0 }]);
  }
  await shop.start();
  assert.equal((await shop.get(`/v1/privacy/requests/${id}`)).body.receipt.signature, done.receipt.signature);
});

test("nothing brings them back: imports, late events and other ids of before are refused; somebody new may come", async (t) => {
  const shop = await serve(t);
  await ann(shop);
  const old = new Date(Date.now() - 3600_000).toISOString();
  const { id } = (await shop.call("DELETE", by("email", MAIL))).body;
  const attempts = [
    { type: "track", anonymousId: "v-ann", event: "Old", timestamp: old },
    { type: "identify", userId: "ann", traits: { name: NAME }, timestamp: old },
    { type: "identify", anonymousId: "v-other", traits: { email: MAIL.toUpperCase(), name: NAME }, timestamp: old },
    { type: "identify", anonymousId: "v-other", traits: { phone: PHONE.replaceAll(" ", "") }, timestamp: old },
    { type: "alias", userId: "else", previousId: "v-ann", timestamp: old },
    { type: "track", anonymousId: "v-bob", event: "Old", timestamp: old },
  ];
  const { results } = (await shop.post("/v1/import", { batch: attempts })).body;
  assert.deepEqual(results.map((one) => one.status), ["withheld", "withheld", "withheld", "withheld", "withheld", "accepted"]);
  assert.match(results[0].message, /erased/);
  for (const [kind, value] of [["email", MAIL], ["user_id", "ann"], ["anonymous_id", "v-ann"], ["anonymous_id", "v-other"], ["user_id", "else"]])
    assert.equal((await shop.get(by(kind, value))).status, 404, value);
  await scrubbed(shop, id);
  assert.match((await shop.get("/metrics")).text, /attune_events_forgotten_total 5\n/);
  for (const round of ["at once", "after a restart"]) {
    assert.equal((await shop.post("/v1/import", { batch: attempts.slice(0, 1) })).body.results[0].status, "withheld", round);
    await shop.stop();
    assert.equal(found(shop), 0, round);
    await shop.start();
  }
  /* she comes back, by herself */
  assert.equal((await shop.post("/v1/identify", { anonymousId: "v-ann", userId: "ann", traits: { email: MAIL } })).status, 200);
  const again = (await shop.get(by("email", MAIL))).body;
  assert.equal(again.orders.count, 0);
  assert.equal((await shop.post("/v1/import", { batch: attempts.slice(0, 2) })).body.results[1].status, "withheld", "her past stays forgotten");
  /* and may go again */
  assert.equal((await shop.call("DELETE", by("email", MAIL))).status, 200);
  assert.equal((await shop.get(by("email", MAIL))).status, 404);
});

test("a database from before the erasure forgets again at its start, by erasures.log; without its key nothing starts", async (t) => {
  const shop = await serve(t);
  await ann(shop);
  await shop.post("/v1/identify", { anonymousId: "v-apart", traits: { name: `${NAME} elsewhere` } });
  await shop.stop();
  const backup = join(shop.dir, "backup.db");
  copyFileSync(join(data(shop), "attune.db"), backup);
  await shop.start();
  await shop.post("/v1/identify", { anonymousId: "v-apart", userId: "ann" }); /* two in the backup, one when she is erased */
  await shop.post("/v1/identify", { anonymousId: "v-bob", userId: "bob" });
  const { id } = (await shop.call("DELETE", by("user_id", "ann"))).body;
  await shop.stop();
  copyFileSync(backup, join(data(shop), "attune.db"));
  assert.ok(found(shop) > 0);
  await shop.start();
  assert.match(shop.log, /1 erasures that this database did not know/);
  for (const [kind, value] of [["email", MAIL], ["anonymous_id", "v-ann"], ["anonymous_id", "v-apart"]])
    assert.equal((await shop.get(by(kind, value))).status, 404, value);
  await scrubbed(shop, id);
  assert.equal((await shop.post("/v1/import", { batch: [{ type: "track", userId: "ann", event: "Old", timestamp: "2026-01-01T00:00:00Z" }] })).body.results[0].status, "withheld");
  await shop.stop();
  assert.equal(found(shop, [MAIL, DIGITS]), 0);
  await shop.start();
  assert.doesNotMatch(shop.log, /did not know/, "once");
  await shop.stop();

  const key = join(data(shop), "erasure.key"), kept = readFileSync(key);
  rmSync(key);
  await assert.rejects(() => shop.start(), /erasure.key is missing .*Put it back/s);
  writeFileSync(key, "abc\n");
  await assert.rejects(() => shop.start(), /erasure.key .*is not two lines of 64 hexadecimal digits/s);
  writeFileSync(key, kept);
  await shop.start();
});

test("ten thousand events: unreachable within moments, and no other shopper waits", async (t) => {
  const shop = await serve(t, basicShop(), { args: ["--log", "text"] });
  for (let i = 0; i < 10; i++) {
    const batch = Array.from({ length: 1000 }, (_, n) => ({ type: "track", anonymousId: "v-long", userId: "long", event: "Product Viewed",
      properties: { product_id: `SKU-${n}`, note: `${NAME} ${i}` } }));
    assert.equal((await shop.post("/v1/batch", { batch })).status, 200);
  }
  const began = performance.now(), out = await shop.get(by("user_id", "long") + "/export"), exported = performance.now() - began;
  assert.equal(out.body.records.event.length, 10000);
  const start = performance.now(), { body } = await shop.call("DELETE", by("user_id", "long")), took = performance.now() - start;
  assert.equal((await shop.get(by("user_id", "long"))).status, 404);
  const done = await scrubbed(shop, body.id);
  assert.equal(done.receipt.events, 10000);
  const gone = performance.now() - start;
  assert.equal(found(shop, [NAME]), 0);
  t.diagnostic(`10,000 events: exported in ${exported.toFixed(0)} ms, unreachable in ${took.toFixed(0)} ms, scrubbed in ${gone.toFixed(0)} ms`);
});

test("killed at any moment: an answered erasure holds, and the start goes on with it", async (t) => {
  const seed = Date.now() % 100000;
  t.diagnostic(`property: kills while erasing, seed ${seed}`);
  const shop = await serve(t);
  let random = seed, answered = 0;
  const dice = (n) => (random = (random * 48271 + 11) % 2147483647) % n;
  for (let round = 0; round < 8; round++) {
    const people = Array.from({ length: 6 }, (_, i) => `k-${round}-${i}`);
    for (const id of people) {
      const batch = Array.from({ length: 300 }, () => ({ type: "track", anonymousId: id, event: "Product Viewed", properties: { product_id: "SKU-1", note: `owner ${id}.` } }));
      assert.equal((await shop.post("/v1/batch", { batch })).status, 200);
    }
    const outcome = {};
    const work = people.map((id) => shop.call("DELETE", by("anonymous_id", id)).then((answer) => (outcome[id] = answer.status), () => (outcome[id] = 0)));
    const kill = new Promise((done) => setTimeout(done, dice(40))).then(() => shop.stop("SIGKILL"));
    await Promise.all([...work, kill]);
    await shop.start();
    for (const id of people) {
      const { status } = await shop.get(by("anonymous_id", id));
      if (outcome[id] === 200) {
        answered++;
        assert.equal(status, 404, `${id} was answered`);
      }
      if (status === 200) assert.equal((await shop.call("DELETE", by("anonymous_id", id))).status, 200);
    }
    await until(async () => (await shop.get("/v1/privacy/requests?limit=1000")).body.requests.every((one) => one.state === "done"));
    assert.equal(found(shop, people.map((id) => `owner ${id}.`)), 0);
  }
  t.diagnostic(`${answered} of 48 erasures were answered before the kill`);
});

test("requests have a state that only moves the right way", async (t) => {
  const shop = await serve(t);
  await ann(shop);
  const add = (body) => shop.post("/v1/privacy/requests", body);
  const who = { kind: "email", value: MAIL };
  const made = await add({ kind: "export", identifier: who, reference: "ticket 12" });
  assert.equal(made.status, 200, made.text);
  assert.deepEqual([made.body.kind, made.body.state, made.body.reference, made.body.source], ["export", "ready", "ticket 12", "default"]);
  assert.ok(Math.abs(Date.parse(made.body.due_at) - Date.parse(made.body.asked_at) - 30 * 86400_000) < 1000);
  assert.equal((await add({ kind: "export", identifier: { kind: "email", value: "who@example.com" } })).body.state, "nothing");
  const move = (id, state) => shop.post(`/v1/privacy/requests/${id}`, { state });
  assert.equal((await move(made.body.id, "ready")).status, 422);
  assert.equal((await move(made.body.id, "done")).body.state, "done");
  assert.equal((await move(made.body.id, "refused")).status, 409);
  assert.equal((await move("01ABC", "done")).status, 404);
  const erased = await add({ kind: "erase", identifier: who });
  assert.equal(erased.body.state, "unreachable");
  await scrubbed(shop, erased.body.id);
  assert.equal((await shop.get("/v1/privacy/requests?state=done")).body.requests.length, 2);
  assert.equal((await shop.get("/v1/privacy/requests?state=open")).status, 422);
  assert.equal((await shop.get("/v1/privacy/requests/01ABC")).status, 404);
  for (const [body, status, code] of [
    [{ kind: "forget", identifier: who }, 422, "bad_kind"],
    [{ kind: "erase" }, 422, "no_identifier"],
    [{ kind: "erase", identifier: { kind: "mail", value: "a" } }, 422, "unknown_kind"],
    [{ kind: "erase", identifier: who, reference: 7 }, 422, "bad_text"],
    [[], 400, "not_an_object"]]) {
    const answer = await add(body);
    assert.deepEqual([answer.status, answer.body.error.code], [status, code]);
  }
});

test("who looked at whom is noted with the key; a public key may neither export nor erase", async (t) => {
  const shop = await serve(t, basicShop(KEYS));
  const secret = bearer("sk_first_1"), ops = bearer("sk_second_2");
  await ann(shop, secret);
  await shop.get(by("user_id", "ann"), ops);
  await shop.post(by("user_id", "ann") + "/consent", { purpose: "email_marketing", status: "denied" }, secret);
  for (const path of [by("user_id", "ann"), by("user_id", "ann") + "/export"]) {
    for (const key of [{}, basic("wk_first_1"), bearer("wk_first_1")]) {
      const method = path.endsWith("export") ? "GET" : "DELETE";
      assert.ok([401, 403].includes((await shop.call(method, path, undefined, key)).status), path);
    }
  }
  const { access } = (await shop.get(by("user_id", "ann") + "/export", ops)).body.records;
  assert.deepEqual(access.map((one) => [one.author, one.action]), [["ops", "customer"], ["default", "consent"], ["ops", "export"]]);
  await shop.stop();
  assert.doesNotMatch(shop.log, new RegExp(`${MAIL}|${DIGITS}|${NAME}`));
});

test("events of a kind go when their time is over; the person is as if they had never been", async (t) => {
  const retention = 'shop "test" { currency = "EUR", timezone = "UTC" }\nretention { page_viewed = "90d", product_viewed = "30d" }\n';
  const start = Date.parse("2026-01-10T10:00:00Z"), at = (ms) => ["--now", new Date(ms).toISOString()], day = 86400_000;
  const shop = await serve(t, basicShop(retention), { args: at(start) }), never = await serve(t, basicShop(), { args: at(start) });
  const feed = async (server, kinds) => {
    for (const who of ["a", "b"]) {
      const all = [
        { type: "page", name: "home", properties: { path: `/secret-${who}` } }, { type: "track", event: "Product Viewed", properties: { product_id: "SKU-1", note: `secret-${who}` } },
        { type: "identify", userId: `u-${who}`, traits: { plan: "gold" } }, { type: "track", event: "Order Completed", properties: { order_id: `o-${who}`, revenue: 20, products: [{ product_id: "SKU-2", price: 20 }] } },
      ].filter((one) => kinds.includes(one.event ?? one.type)).map((one, i) => ({ messageId: `${who}-${one.event ?? one.type}`, anonymousId: `v-${who}`, timestamp: new Date(start + i).toISOString(), ...one }));
      assert.equal((await server.post("/v1/import", { batch: all })).status, 200);
    }
  };
  await feed(shop, ["page", "Product Viewed", "identify", "Order Completed"]);
  await feed(never, ["identify", "Order Completed"]);
  const look = async (server, who) => {
    const { id, ...rest } = (await server.get(by("user_id", `u-${who}`))).body;
    const strip = (value) => JSON.parse(JSON.stringify(value).replace(/"\d{4}-\d\d-\d\dT[^"]*"/g, '"time"'));
    return strip({ ...rest, timeline: (await server.get(by("user_id", `u-${who}`) + "/timeline")).body.events.map((one) => one.name) });
  };
  const travel = async (server, ms) => {
    await server.stop();
    server.args = at(ms);
    await server.start();
  };
  await travel(shop, start + 31 * day);
  await until(async () => /attune_events_expired_total 2\n/.test((await shop.get("/metrics")).text));
  assert.deepEqual((await look(shop, "a")).timeline, ["order_completed", "identified", "page_viewed"]);
  await travel(shop, start + 91 * day);
  await until(async () => /attune_events_expired_total 2\n/.test((await shop.get("/metrics")).text));
  await travel(never, start + 91 * day);
  for (const who of ["a", "b"]) assert.deepEqual(await look(shop, who), await look(never, who));
  await travel(shop, start + 92 * day);
  for (const who of ["a", "b"]) assert.deepEqual(await look(shop, who), await look(never, who), "as it is stored, too");
  await shop.stop();
  assert.equal(found(shop, ["secret-a", "secret-b"]), 0);
});

test("who was in a segment by events that go leaves it with them", async (t) => {
  const retention = 'shop "test" { currency = "EUR", timezone = "UTC" }\nretention { page_viewed = "90d" }\n';
  const start = Date.parse("2026-01-10T10:00:00Z"), at = (ms) => ["--now", new Date(ms).toISOString()];
  const segment = 'segment "readers" { when = function(customer) return customer:count("page_viewed") > 0 end }\n';
  const shop = await serve(t, { ...basicShop(retention), "scripts/segments.lua": segment }, { args: at(start) });
  const count = async () => (await shop.get("/v1/segments/readers")).body.count;
  for (const userId of ["ann", "bob"]) await shop.post("/v1/page", { userId, name: "home" });
  await until(async () => (await count()) === 2);
  await shop.stop();
  shop.args = at(start + 91 * 86400_000);
  await shop.start();
  await until(async () => (await count()) === 0);
  assert.match((await shop.get("/metrics")).text, /attune_segment_left_total 2\n/);
});

test("who was in a segment is in it no more, before and after a restart", async (t) => {
  const shop = await serve(t, { ...basicShop(), "scripts/segments.lua": 'segment "all" { when = function(customer) return customer.is_known end }\n' });
  await ann(shop);
  await shop.post("/v1/identify", { anonymousId: "v-bob", userId: "bob" });
  const members = async () => {
    const { body } = await shop.get("/v1/segments/all");
    return [body.count, body.members?.length];
  };
  await until(async () => (await members())[0] === 2);
  assert.deepEqual((await shop.get(by("user_id", "ann") + "/export")).body.records.segment_member.map((one) => one.segment), ["all"]);
  const { id } = (await shop.call("DELETE", by("user_id", "ann"))).body;
  assert.deepEqual(await members(), [1, 1]);
  await scrubbed(shop, id);
  await shop.stop();
  await shop.start();
  assert.deepEqual(await members(), [1, 1]);
  assert.equal(found(shop), 0);
});

test("erase from a terminal asks first", async (t) => {
  const shop = await serve(t);
  await ann(shop);
  const attempt = (input, ...args) => spawnSync(program, ["erase", `email:${MAIL}`, "--shop", shop.dir, ...args], { input, encoding: "utf8" });
  assert.equal(attempt("no\n").status, 1);
  assert.equal((await shop.get(by("email", MAIL))).status, 200);
  const { status, stdout } = attempt("yes\n");
  assert.equal(status, 0);
  assert.equal(JSON.parse(stdout).kind, "erase");
  assert.equal((await shop.get(by("email", MAIL))).status, 404);
  assert.equal(attempt("yes\n").status, 1);
  assert.equal(spawnSync(program, ["erase", "--shop", shop.dir]).status, 2);
});
