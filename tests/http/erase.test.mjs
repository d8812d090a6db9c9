// SPDX-License-Identifier: Apache-2.0
//
// An erasure beside what else goes on: events that join the person at that moment, events that were withheld, orders that several
// told of, refunds that come later, a backup from before, a list of erasures that was cut off.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { basicShop, serve, SHOP } from "./harness.mjs";
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
