// SPDX-License-Identifier: Apache-2.0
//
// An erasure beside what else goes on: events that join the person at that moment, events that were withheld, orders that several
// told of, refunds that come later, a backup from before, a list of erasures that was cut off.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { basicShop, folder, root, rows, serve, SHOP, until } from "./harness.mjs";
import { customer, order, refund, shopify } from "./shopify_help.mjs";

/** How often the word stands in any file of the data folder. */
function found(shop, word) {
  const data = join(shop.dir, "data");
  return readdirSync(data).filter((name) => statSync(join(data, name)).isFile())
    .reduce((sum, name) => sum + readFileSync(join(data, name), "latin1").split(word).length - 1, 0);
}
const by = (kind, value) => `/v1/customers/by/${kind}/${encodeURIComponent(value)}`;

test("who is erased while an event makes them one with somebody is erased, and the shop serves on", async (t) => {
  const shop = await serve(t);
  for (let i = 0; i < 60; i++) {
    await shop.post("/v1/identify", { anonymousId: `b-${i}`, traits: { round: i } });
    await shop.post("/v1/identify", { userId: `u-${i}`, traits: { round: i } });
    const { id } = (await shop.get(by("user_id", `u-${i}`))).body;
    const [erased, told] = await Promise.all([
      shop.call("DELETE", by("user_id", `u-${i}`)),
      shop.post("/v1/identify", { userId: `u-${i}`, anonymousId: `b-${i}` }),
    ]);
    assert.deepEqual([erased.status, told.status], [200, 200], erased.text + told.text);
    assert.equal((await shop.get(`/v1/customers/${id}`)).status, 404, `round ${i}`);
  }
});

test("a browser whose events were withheld does not lead to who was erased", async (t) => {
  const shop = await serve(t, basicShop(`${SHOP}consent { analytics = "opt-out", personalization = "opt-out" }\n`));
  const no = { context: { consent: { categoryPreferences: { analytics: false } } } };
  await shop.post("/v1/identify", { userId: "ann", anonymousId: "v-1", traits: { name: "Ann" } });
  const { id } = (await shop.get(by("user_id", "ann"))).body;
  await shop.post("/v1/track", { userId: "ann", anonymousId: "v-1", event: "Looked", ...no });
  assert.equal((await shop.post("/v1/track", { userId: "ann", anonymousId: "v-2", event: "Looked" })).body.status, "withheld");
  assert.equal((await shop.call("DELETE", by("user_id", "ann"))).status, 200);
  assert.equal((await shop.post("/v1/track", { anonymousId: "v-2", event: "Looked" })).body.success, true);
  const other = (await shop.get(by("anonymous_id", "v-2"))).body;
  assert.notEqual(other.id, id, "somebody new");
  assert.equal((await shop.get(`/v1/customers/${id}`)).status, 404);
});

test("a refund of who was erased meanwhile is answered, and nothing follows", async (t) => {
  const shop = await shopify(t);
  await shop.deliver("orders/create", order());
  assert.equal((await shop.call("DELETE", by("email", "bob@example.com"))).status, 200);
  const late = { created_at: undefined, processed_at: undefined };
  for (const body of [refund(), refund(), refund({ id: 8, ...late })])
    assert.deepEqual((await shop.deliver("refunds/create", body)).body, { success: true, ignored: "nobody" });
  assert.equal(await shop.metric('attune_shopify_ignored_total{reason="nobody"}'), 3);
  assert.equal(await shop.metric("attune_waiting"), 0);
  assert.equal((await shop.get(by("email", "bob@example.com"))).status, 404);
});

test("what Shopify tells later of an order from before the erasure brings nobody back", async (t) => {
  const shop = await shopify(t), at = (hours) => new Date(Date.now() - hours * 3600_000).toISOString();
  const old = (more) => order({ created_at: at(48), processed_at: at(48), updated_at: at(48), customer: customer({ updated_at: at(48) }), ...more });
  await shop.deliver("orders/create", old());
  assert.equal((await shop.call("DELETE", by("email", "bob@example.com"))).status, 200);
  await new Promise((done) => setTimeout(done, 10));
  const now = { customer: customer({ updated_at: at(0) }), updated_at: at(0), fulfillment_status: "fulfilled", refunds: [refund({ created_at: at(0), processed_at: at(0) })] };
  for (const topic of ["orders/updated", "orders/fulfilled"]) {
    const { results } = (await shop.deliver(topic, old(now))).body;
    assert.ok(results.length >= 4 && results.every((one) => one.status === "withheld"), topic);
  }
  assert.equal((await shop.get(by("email", "bob@example.com"))).status, 404);
  await shop.deliver("orders/create", order({ id: 99, order_number: 99, name: "#99", created_at: at(0), processed_at: at(0), updated_at: at(0), customer: customer({ updated_at: at(0) }) }));
  assert.equal((await shop.customer("email", "bob@example.com")).orders.count, 1, "who orders anew has come back");
});

test("a refund that waits for its order holds nothing of who paid", async (t) => {
  const shop = await shopify(t);
  const paid = { kind: "refund", status: "success", amount: "209.00", payment_details: { credit_card_name: "Bob Norman" }, receipt: { payer: "bob@example.com" } };
  assert.equal((await shop.deliver("refunds/create", refund({ note: "Bob rang", transactions: [paid] }))).body.waiting, true);
  await shop.stop();
  for (const word of ["Bob", "bob@example.com"]) assert.equal(found(shop, word), 0, word);
  await shop.start();
  await shop.deliver("orders/create", order({ customer: customer() }));
  assert.deepEqual([(await shop.customer("email", "bob@example.com")).orders.refunded, await shop.metric("attune_waiting")], [199, 0]);
});

test("a customer of Shopify who is several people here is erased whole, be one of them nobody", async (t) => {
  const shop = await shopify(t, { settings: `${SHOP}consent { analytics = "opt-in", personalization = "opt-in" }\n` });
  const yes = { context: { consent: { categoryPreferences: { analytics: true } } } };
  await shop.post("/v1/identify", { messageId: "m-1", userId: "bob", traits: { email: "bob@example.com" }, ...yes });
  /* of the second copy under this id, withheld, the account's number is known and nothing is kept */
  const again = { type: "track", messageId: "m-1", event: "Looked", timestamp: "2026-11-01T00:00:00Z", context: { externalIds: [{ type: "shopify_customer_id", id: "77", collection: "users", encoding: "none" }] } };
  assert.equal((await shop.post("/v1/import", { batch: [again] })).body.results[0].status, "withheld");
  assert.deepEqual((await shop.deliver("customers/redact", { customer: { id: 77, email: "bob@example.com" } })).body, { success: true, recorded: true });
  assert.equal((await shop.get(by("email", "bob@example.com"))).status, 404);
  const { requests } = (await shop.get("/v1/privacy/requests")).body;
  assert.deepEqual(requests.map((one) => [one.kind, one.state === "nothing"]).sort(), [["erase", false], ["erase", true]]);
});

test("a list of erasures that was cut off in a line, and a long one, still say who is forgotten", async (t) => {
  const shop = await serve(t), log = join(shop.dir, "data/erasures.log"), database = join(shop.dir, "data/attune.db");
  for (const id of ["ann", "bob", "carl"]) await shop.post("/v1/identify", { userId: id, traits: { name: id } });
  await shop.stop();
  const backup = readFileSync(database);
  await shop.start();
  assert.equal((await shop.call("DELETE", by("user_id", "ann"))).status, 200);
  await shop.stop();
  /* the disk was full, or the power went, in the middle of a line; and many were erased before, some with many addresses */
  const hash = (i, n) => `${i}${n}`.padStart(64, "0"), addresses = (i) => Array.from({ length: 1000 }, (_, n) => `"${hash(i, n)}":"anonymous_id"`).join(",");
  const many = Array.from({ length: 15 }, (_, i) => `{"erasure":"OLD-${i}","at":"2026-01-01T00:00:00.000Z","by":"default","addresses":{${addresses(i + 1)}}}\n`).join("");
  assert.ok(many.length > 1 << 20);
  writeFileSync(log, `${many}${readFileSync(log, "utf8")}{"erasure":"01M8","at":"2026-11-27T1`);
  await shop.start();
  assert.equal((await shop.call("DELETE", by("user_id", "bob"))).status, 200);
  await shop.stop();
  writeFileSync(database, backup);
  await shop.start();
  for (const [id, status] of [["ann", 404], ["bob", 404], ["carl", 200]]) assert.equal((await shop.get(by("user_id", id))).status, status, id);
});

/** Puts an older database in the place of the shop's, as a restore does, and starts it. */
async function back(shop, database) {
  await shop.stop();
  writeFileSync(join(shop.dir, "data/attune.db"), database);
  await shop.start();
}
async function copy(shop) {
  await shop.stop();
  const database = readFileSync(join(shop.dir, "data/attune.db"));
  await shop.start();
  return database;
}

test("a database from before starts, though it never knew who was erased; who was in a segment is counted no more", async (t) => {
  const shop = await serve(t, { ...basicShop(), "scripts/segments.lua": 'segment "all" { when = function(customer) return customer.is_known end }\n' });
  await shop.post("/v1/identify", { userId: "ann", traits: { name: "Ann" } });
  await shop.post("/v1/identify", { userId: "bob", traits: { name: "Bob" } });
  const count = async () => (await shop.get("/v1/segments")).body.segments[0].count;
  await until(async () => (await count()) === 2);
  const before = await copy(shop);
  await shop.post("/v1/identify", { userId: "late", traits: { name: "Late" } });
  for (const id of ["late", "ann"]) assert.equal((await shop.call("DELETE", by("user_id", id))).status, 200);
  await back(shop, before);
  assert.match(shop.log, /2 erasures that this database did not know/);
  const old = { type: "track", userId: "late", event: "Old", timestamp: new Date(Date.now() - 60_000).toISOString() };
  assert.equal((await shop.post("/v1/import", { batch: [old] })).body.results[0].status, "withheld");
  assert.equal((await shop.get("/v1/segments/all")).body.members.length, 1);
  assert.equal(await count(), 1);
});

test("of an address that was erased twice the later moment holds, also after a restore and a start", async (t) => {
  const shop = await serve(t);
  await shop.post("/v1/identify", { userId: "ann", anonymousId: "v-1", traits: { name: "Ann" } });
  const before = await copy(shop);
  assert.equal((await shop.call("DELETE", by("user_id", "ann"))).status, 200);
  await new Promise((done) => setTimeout(done, 20));
  const timestamp = new Date().toISOString();
  assert.equal((await shop.post("/v1/identify", { userId: "ann", traits: { name: "Ann" }, timestamp })).body.success, true);
  assert.equal((await shop.call("DELETE", by("user_id", "ann"))).status, 200);
  await back(shop, before);
  await shop.stop();
  await shop.start();
  assert.doesNotMatch(shop.log, /did not know/);
  const again = await shop.post("/v1/import", { batch: [{ type: "identify", userId: "ann", traits: { name: "Ann" }, timestamp }] });
  assert.equal(again.body.results[0].status, "withheld");
});

test("a clock that is ahead keeps nobody in a restored database", async (t) => {
  const shop = await serve(t);
  await shop.post("/v1/identify", { userId: "ann", traits: { name: "Ann" }, timestamp: new Date(Date.now() + 3600_000).toISOString() });
  const ann = (await shop.get(by("user_id", "ann"))).body;
  assert.ok(Date.parse(ann.identifiers[0].since) <= Date.now());
  const before = await copy(shop);
  assert.equal((await shop.call("DELETE", by("user_id", "ann"))).status, 200);
  await back(shop, before);
  assert.equal((await shop.get(by("user_id", "ann"))).status, 404);
});

async function money(shop) {
  await shop.stop();
  const all = rows(shop.dir, "SELECT day_ms, kind, amount, currency, items FROM money ORDER BY kind, amount, day_ms");
  await shop.start();
  return all.map((one) => ({ ...one, day: new Date(one.day_ms).toISOString().slice(0, 10), day_ms: undefined, items: JSON.parse(one.items) }));
}
const sums = (all) => all.map((one) => [one.kind, one.day, one.amount, one.currency, one.items.map((item) => `${item.quantity} ${item.product}`).join(", ")]);

test("what an erased person paid is what all copies of their orders together say", async (t) => {
  const shop = await shopify(t);
  const tell = (event, properties, timestamp) => shop.post("/v1/import", { batch: [{ type: "track", event, userId: "bob", timestamp, properties, context: { traits: { email: "bob@example.com" } } }] });
  /* the page was first, and knows no money that holds; the platform's newest version does */
  await shop.post("/v1/track", { anonymousId: "v-1", userId: "bob", event: "Order Completed", timestamp: "2026-11-20T10:00:00Z", properties: { order_id: "450789469", revenue: 9999, products: [{ product_id: "7", quantity: 3, price: 5 }] } }, { authorization: "" });
  await shop.deliver("orders/create", order());
  await shop.deliver("orders/updated", order({ updated_at: "2026-11-21T11:00:05+01:00", subtotal_price: "300.00" }));
  await shop.deliver("refunds/create", refund());
  /* one that was cancelled, one that came back whole, one whose amount only the second copy has, one without a number */
  await shop.deliver("orders/create", order({ id: 2, name: "#2", order_number: 2 }));
  await shop.deliver("orders/cancelled", order({ id: 2, name: "#2", order_number: 2, cancelled_at: "2026-11-23T11:00:05+01:00", updated_at: "2026-11-23T11:00:05+01:00", refunds: [refund({ id: 22, order_id: 2 })] }));
  await tell("Order Completed", { order_id: "w-3", revenue: 50, currency: "USD", products: [{ product_id: "3" }] }, "2026-11-05T10:00:00Z");
  await tell("Order Refunded", { order_id: "w-3", refund_id: "r-3", amount: 20 }, "2026-11-06T10:00:00Z");
  await tell("Order Refunded", { order_id: "w-3", refund_id: "r-3-rest" }, "2026-11-07T10:00:00Z");
  await tell("Order Completed", { order_id: "w-4", products: [{ product_id: "4", quantity: 2 }] }, "2026-11-08T10:00:00Z");
  await tell("Order Completed", { order_id: "w-4", revenue: 40, currency: "EUR", products: [{ product_id: "4" }, { product_id: "5", price: 8 }] }, "2026-11-09T10:00:00Z");
  await tell("Order Completed", { revenue: 7, currency: "EUR" }, "2026-11-10T10:00:00Z");
  const { orders } = await shop.customer("email", "bob@example.com");
  assert.equal((await shop.call("DELETE", by("email", "bob@example.com"))).status, 200);
  const kept = await money(shop);
  assert.deepEqual(sums(kept), [
    ["order", "2026-11-10", 7, "EUR", ""],
    ["order", "2026-11-08", 40, "EUR", "2 4, 1 5"],
    ["order", "2026-11-05", 50, "USD", "1 3"],
    ["order", "2026-11-20", 300, "EUR", "3 7, 1 1, 2 2"],
    ["refund", "2026-11-06", 20, "", ""],
    ["refund", "2026-11-07", 30, "", ""],
    ["refund", "2026-11-25", 199, "", "1 1"],
  ]);
  const sum = (kind) => kept.filter((one) => one.kind === kind).reduce((all, one) => all + one.amount, 0);
  assert.deepEqual([kept.filter((one) => one.kind === "order").length, sum("order"), sum("refund")], [orders.count, orders.revenue, orders.refunded]);
});

function shim(t) {
  const dir = folder(t, {}), library = join(dir, "sync.so"), flag = join(dir, "fail");
  const built = spawnSync("cc", ["-D_GNU_SOURCE", "-shared", "-fPIC", "-O1", join(root, "tests/shim/sync.c"), "-o", library, "-ldl"], { encoding: "utf8" });
  assert.equal(built.status, 0, built.stderr);
  return { flag, env: { LD_PRELOAD: library, SYNC_FAIL: flag } };
}

test("a disk that fails while somebody is erased: they are told so, and nothing is half done", async (t) => {
  const { flag, env } = shim(t), shop = await serve(t, basicShop(), { env }), log = join(shop.dir, "data/erasures.log");
  for (const id of ["ann", "bob"]) await shop.post("/v1/identify", { userId: id, traits: { name: id } });
  assert.equal((await shop.call("DELETE", by("user_id", "bob"))).status, 200);
  const lines = readFileSync(log, "utf8");
  writeFileSync(flag, "");
  const failed = await shop.call("DELETE", by("user_id", "ann"));
  assert.equal(failed.status, 503, failed.text);
  assert.match(failed.body.error.message, /erasures\.log of the data folder/);
  rmSync(flag);
  assert.equal(readFileSync(log, "utf8"), lines, "no line of what was not done");
  assert.equal((await shop.get(by("user_id", "ann"))).status, 200);
  const twice = await Promise.all([1, 2, 3].map(() => shop.call("DELETE", by("user_id", "ann"))));
  assert.deepEqual(twice.map((one) => one.status).sort(), [200, 404, 404], "at once is once");
  await shop.stop();
  await shop.start();
  assert.doesNotMatch(shop.log, /did not know/);
});

for (const way of ["works again", "is stopped"])
  test(`a disk that fails once somebody is erased: the rest is done when it ${way}`, async (t) => {
    const { flag, env } = shim(t), shop = await serve(t, basicShop(), { env: { ...env, SYNC_DELAY_MS: "150" } });
    await shop.post("/v1/track", { userId: "ann", event: "Order Completed", properties: { order_id: "1", revenue: 20, currency: "EUR", note: "Annabella" } });
    const erased = await shop.call("DELETE", by("user_id", "ann"));
    writeFileSync(flag, ""); /* what she paid is being counted */
    assert.equal(erased.status, 200);
    await until(() => /waits to be counted/.test(shop.log));
    rmSync(flag);
    if (way === "works again") await until(async () => (await shop.get(`/v1/privacy/requests/${erased.body.id}`)).body.state === "done");
    await shop.stop();
    assert.equal(found(shop, "Annabella"), 0);
    assert.deepEqual(rows(shop.dir, "SELECT amount FROM money"), [{ amount: 20 }]);
    assert.deepEqual(rows(shop.dir, "SELECT event_count FROM erasure"), [{ event_count: 1 }]);
  });
