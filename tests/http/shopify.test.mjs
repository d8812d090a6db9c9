// SPDX-License-Identifier: Apache-2.0
//
// Shopify's webhooks about people: who may send them, what each topic becomes, and that it does not matter how often, in which
// order or by which other way the same is told.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KEYS, SHOP, basic, bearer } from "./harness.mjs";
import { SECRETS, customer, fixture, hasFixtures, order, refund, shopify } from "./shopify_help.mjs";

const noData = { skip: hasFixtures ? false : "skipped: no data" };

test("only what a secret of shop.lua signed is taken, either of two; no key is needed and none helps", async (t) => {
  const shop = await shopify(t, { settings: KEYS });
  const body = JSON.stringify(order());
  const refused = async (options, status, code, text = body) => {
    const answer = await shop.deliver("orders/create", text, options);
    assert.deepEqual([answer.status, answer.body.error.code], [status, code], answer.text);
    assert.ok(!SECRETS.some((secret) => answer.text.includes(secret)));
  };
  await refused({ signature: "" }, 401, "bad_signature");
  await refused({ signature: "nonsense" }, 401, "bad_signature");
  await refused({ signature: "A".repeat(44) }, 401, "bad_signature");
  await refused({ signature: "=".repeat(500) }, 401, "bad_signature");
  await refused({ secret: "shpss_another" }, 401, "bad_signature");
  await refused({ secret: "shpss_another", ...bearer("sk_first_1") }, 401, "bad_signature");
  const other = JSON.stringify(order({ total_price: "1.00" }));
  const { sign } = await import("./shopify_help.mjs");
  await refused({ signature: sign(body) }, 401, "bad_signature", other);
  const unsigned = await shop.post("/v1/sources/shopify", order(), bearer("sk_first_1"));
  assert.equal(unsigned.status, 401, "a key is no signature");
  assert.equal((await shop.get("/v1/customers/by/email/bob%40example.com", bearer("sk_first_1"))).status, 404, "nothing of it was taken");
  for (const secret of SECRETS) assert.equal((await shop.deliver("orders/create", body, { secret })).status, 200, "one is rotated while both hold");
  const metrics = (await shop.get("/metrics", bearer("sk_first_1"))).text;
  assert.match(metrics, /attune_shopify_unsigned_total 8\n/);
  assert.match(metrics, /attune_shopify_webhooks_total\{topic="orders\/create"\} 2\n/);
  await shop.stop();
  assert.ok(!SECRETS.some((secret) => shop.log.includes(secret)), "no secret in the log");
});

test("without a source there is none; of another shop nothing is taken", async (t) => {
  const { serve, basicShop } = await import("./harness.mjs");
  const none = await serve(t, basicShop());
  const answer = await none.post("/v1/sources/shopify", {});
  assert.deepEqual([answer.status, answer.body.error.code], [404, "unknown_source"]);
  const shop = await shopify(t, { settings: SHOP, files: { "shop.lua": `${SHOP}sources { shopify = { secret = env "SHOPIFY_SECRET", domain = "outfitter.myshopify.com" } }` } });
  const foreign = await shop.deliver("orders/create", order(), { domain: "evil.myshopify.com" });
  assert.deepEqual([foreign.status, foreign.body.error.code], [403, "other_shop"]);
  assert.equal((await shop.deliver("orders/create", order(), { domain: "Outfitter.myshopify.com" })).status, 200);
});

test("what is no webhook is refused and says why; a topic that is not used is answered, counted and told once", async (t) => {
  const shop = await shopify(t);
  const refused = async (topic, body, status, code, field) => {
    const answer = await shop.deliver(topic, body);
    assert.deepEqual([answer.status, answer.body.error.code, answer.body.error.field ?? null], [status, code, field ?? null], answer.text);
    assert.ok(answer.body.error.message.length > 10);
  };
  await refused("orders/create", "{", 400, "bad_json");
  await refused("orders/create", "[]", 400, "not_an_object");
  await refused("orders/create", {}, 400, "no_id", "id");
  await refused("refunds/create", { id: 7 }, 400, "no_id", "order_id");
  await refused("customers/update", { email: "a@example.com" }, 400, "no_id", "id");
  await refused("customers/delete", {}, 400, "no_id", "id");
  await refused("checkouts/update", {}, 400, "no_id", "token");
  await refused("carts/update", {}, 400, "no_id", "token");
  await refused("", order(), 400, "no_topic", "X-Shopify-Topic");
  assert.equal((await shop.deliver("orders/create", `"${"x".repeat(6 << 20)}"`)).status, 413);
  for (let i = 0; i < 3; i++) {
    const unknown = await shop.deliver("themes/publish", { id: 1 });
    assert.deepEqual([unknown.status, unknown.body], [200, { success: true, ignored: "topic" }]);
  }
  assert.equal(shop.log.match(/topic themes\/publish is not used/g).length, 1);
  assert.equal(await shop.metric('attune_shopify_webhooks_total{topic="other"}'), 3);
  assert.equal(await shop.metric('attune_shopify_ignored_total{reason="topic"}'), 3);
  const gone = await shop.deliver("app/uninstalled", { id: 1 });
  assert.deepEqual(gone.body, { success: true, ignored: "app" });
  assert.match(shop.log, /the app was uninstalled/);
});

test("an order is an order of its customer: revenue before tax and shipping, products, traits, no streets", async (t) => {
  const shop = await shopify(t);
  await shop.call("PUT", "/v1/catalog/items", [{ id: "1", brand: "Acme", category: "shoes", price: 199, stock: 3, variants: [{ id: "1001", sku: "SKU-1" }] }]);
  assert.equal((await shop.deliver("orders/create", order())).status, 200);
  const bob = await shop.customer("shopify_customer_id", "207119551");
  assert.deepEqual([bob.orders.count, bob.orders.revenue, bob.orders.refunded], [1, 398, 0]);
  assert.equal(bob.orders.first_at, "2026-11-20T10:00:00.000Z");
  assert.deepEqual(bob.products.map((one) => [one.product, one.bought]).sort(), [["1", 1], ["2", 1]]);
  assert.ok(bob.affinity.brand.Acme > 0);
  assert.deepEqual(bob.identifiers.map((one) => `${one.kind}:${one.value}`).sort(), ["email:bob@example.com", "shopify_customer_id:207119551"]);
  const { email, first_name, last_name, city, country, customer_tags, customer_state } = bob.traits;
  assert.deepEqual([email, first_name, last_name, city, country, customer_tags, customer_state], ["bob@example.com", "Bob", "Norman", "Louisville", "US", ["vip", "wholesale"], "enabled"]);
  assert.ok(!/Chestnut|40202|knee|555-625/.test(JSON.stringify(bob)), "what is not needed is not there");
  assert.deepEqual([bob.sessions, bob.last_seen, bob.session.started_at ?? null], [0, null, null], "no visit is made up");
  const completed = (await shop.timeline("email", "bob@example.com")).find((one) => one.name === "order_completed");
  const { order_id, order_number, order_name, revenue, currency, coupon, shipping, tax, products } = completed.properties;
  assert.deepEqual([order_id, order_number, order_name, revenue, currency, coupon, shipping, tax], ["450789469", "1001", "#1001", 398, "EUR", "TENOFF", 5, 75.62]);
  assert.deepEqual(products[1], { product_id: "2", variant_id: "1002", sku: "SKU-2", name: "Thing 2", brand: "Acme", price: 104.5, quantity: 2 });
  assert.equal(completed.timestamp, "2026-11-20T10:00:00.000Z");
});

test("revenue leaves tax out where prices hold it, and counts what was ordered, whatever came back", async (t) => {
  const shop = await shopify(t);
  let n = 0;
  const revenue = async (more) => {
    const email = `r${++n}@example.com`;
    await shop.deliver("orders/create", order({ id: 1000 + n, name: `#${2000 + n}`, order_number: 2000 + n, email, customer: null, ...more }));
    return (await shop.customer("email", email)).orders.revenue;
  };
  assert.equal(await revenue({}), 398);
  assert.equal(await revenue({ taxes_included: true, subtotal_price: "119.00", total_tax: "19.95", shipping_lines: [{ price: "5.95", tax_lines: [{ price: "0.95" }] }] }), 100);
  const taxed = [{ product_id: 1, price: "59.50", quantity: 2, tax_lines: [{ price: "19.00", rate: 0.19 }] }];
  assert.equal(await revenue({ taxes_included: true, subtotal_price: "119.00", total_tax: "25.00", line_items: taxed }), 100);
  /* as it is now, and what was given back of it: an edited order */
  const refunds = [{ id: 1, created_at: "2026-11-21T10:00:00Z", refund_line_items: [{ quantity: 1, subtotal: "98.00", total_tax: "0.00", line_item: {} }] }];
  assert.equal(await revenue({ subtotal_price: "398.00", current_subtotal_price: "310.50", refunds }), 408.5);
  assert.equal(await revenue({ subtotal_price: undefined, total_line_items_price: "50.10", total_discounts: "0.05" }), 50.05);
  assert.equal(await revenue({ subtotal_price_set: { shop_money: { amount: "300.00", currency_code: "EUR" }, presentment_money: { amount: "330.00" } } }), 300);
});

test("a test order counts nowhere; an order that names nobody is counted as such", async (t) => {
  const shop = await shopify(t);
  assert.deepEqual((await shop.deliver("orders/create", order({ test: true }))).body, { success: true, ignored: "test" });
  assert.equal((await shop.get("/v1/customers/by/email/bob%40example.com")).status, 404);
  assert.deepEqual((await shop.deliver("orders/create", order({ email: "", customer: null }))).body, { success: true, ignored: "nobody" });
  assert.deepEqual((await shop.deliver("checkouts/delete", { id: 1 })).body, { success: true, ignored: "nobody" });
  assert.deepEqual((await shop.deliver("carts/update", { id: "t", token: "t", line_items: [] })).body, { success: true, ignored: "nobody" });
  assert.deepEqual([await shop.metric('attune_shopify_ignored_total{reason="test"}'), await shop.metric('attune_shopify_ignored_total{reason="nobody"}')], [1, 3]);
});

test("deliveries and events count once, however often they come, across kill -9", async (t) => {
  const shop = await shopify(t);
  const one = { event: "e-1", webhook: "w-1" };
  const first = await shop.deliver("orders/create", order(), one);
  assert.deepEqual(first.body.results.map((result) => result.status), ["accepted", "accepted"]);
  assert.deepEqual((await shop.deliver("orders/create", order(), one)).body, { success: true, duplicate: true });
  const again = await shop.deliver("orders/create", order(), { ...one, webhook: "w-2" }); /* another subscription */
  assert.deepEqual(again.body.results.map((result) => result.status), ["duplicate", "duplicate"]);
  await shop.deliver("orders/paid", order({ updated_at: "2026-11-20T11:01:00+01:00" }), { event: "e-1" }); /* of one event, another topic */
  const check = async () => {
    const bob = await shop.customer("email", "bob@example.com");
    assert.deepEqual([bob.orders.count, bob.orders.revenue, bob.counts.order_completed.total, bob.counts.order_paid.total], [1, 398, 1, 1]);
    assert.equal(bob.products.find((product) => product.product === "2").bought, 1);
    assert.equal((await shop.timeline("email", "bob@example.com")).length, 4);
  };
  await check();
  await shop.stop("SIGKILL");
  await shop.start();
  const after = await shop.deliver("orders/create", order(), one);
  assert.deepEqual(after.body.results.map((result) => result.status), ["duplicate", "duplicate"]);
  const concurrent = await Promise.all(Array.from({ length: 12 }, () => shop.deliver("orders/updated", order({ updated_at: "2026-11-20T12:00:00+01:00" }), { event: "e-2" })));
  assert.ok(concurrent.every((answer) => answer.status === 200));
  const bob = await shop.customer("email", "bob@example.com");
  assert.deepEqual([bob.orders.count, bob.counts.order_updated.total], [1, 1]);
  /* without headers the thing and its version are what it is known by */
  for (let i = 0; i < 2; i++) await shop.deliver("orders/updated", order({ updated_at: "2026-11-20T13:00:00+01:00" }), { event: null, webhook: null });
  assert.equal((await shop.customer("email", "bob@example.com")).counts.order_updated.total, 2);
  assert.equal(await shop.metric("attune_events_conflict_total"), 0);
});

for (const first of ["shopify", "page"])
  test(`an order through Shopify and through Order Completed counts once; ${first} first`, async (t) => {
    const shop = await shopify(t);
    const page = (order_id) => shop.post("/v1/track", { userId: "u-7", event: "Order Completed", timestamp: "2026-11-20T10:00:09Z", context: { traits: { email: "bob@example.com" } }, properties: { order_id, revenue: 1, products: [] } });
    for (const [i, said] of ["450789469", "1002", "#1003"].entries()) {
      const body = order({ id: 450789469 + i, name: `#${1001 + i}`, order_number: 1001 + i });
      const ways = [() => shop.deliver("orders/create", body), () => page(said)];
      for (const way of first === "shopify" ? ways : ways.reverse()) assert.equal((await way()).status, 200);
    }
    const bob = await shop.customer("email", "bob@example.com");
    assert.equal((await shop.customer("user_id", "u-7")).id, bob.id);
    assert.deepEqual([bob.orders.count, bob.orders.revenue, bob.counts.order_completed.total], [3, 3 * 398, 3], "the platform's word counts, the page's does not");
    assert.deepEqual(bob.products.map((one) => [one.product, one.bought]).sort(), [["1", 3], ["2", 3]], "the richer one brings the products");
  });

test("what a page tells of money moves none once Shopify vouches for it; its products fill gaps", async (t) => {
  const shop = await shopify(t, { settings: KEYS });
  const secret = bearer("sk_first_1"), write = basic("wk_first_1");
  const bob = async () => (await shop.get("/v1/customers/by/user_id/u-7", secret)).body;
  const page = (event, properties) => shop.post("/v1/track", { userId: "u-7", event, context: { traits: { email: "bob@example.com" } }, properties }, write);
  await page("Order Completed", { order_id: "#1001", revenue: 5000, products: [{ product_id: "9", price: 1 }] });
  await page("Order Refunded", { order_id: "#1001", refund_id: "r", amount: 10 });
  await page("Order Cancelled", { order_id: "#1001" });
  let { orders, products } = await bob();
  assert.deepEqual([orders.count, orders.revenue, orders.refunded], [0, 0, 0]);
  assert.equal(products[0].product, "9");
  await shop.deliver("orders/create", order({ line_items: [] }));
  ({ orders, products } = await bob());
  assert.deepEqual([orders.count, orders.revenue, orders.refunded, products[0].bought], [1, 398, 0, 1]);
});

test("a newer version of an order changes it, an older one undoes nothing; cancelled it is none", async (t) => {
  const shop = await shopify(t);
  const version = (second, more) => order({ updated_at: `2026-11-20T11:00:${second}+01:00`, ...more });
  const orders = async () => (await shop.customer("email", "bob@example.com")).orders;
  await shop.deliver("orders/updated", version(30, { subtotal_price: "300.00" }));
  assert.deepEqual([(await orders()).count, (await orders()).revenue], [1, 300], "it counts whatever brings it first");
  await shop.deliver("orders/create", version(10));
  assert.equal((await orders()).revenue, 300);
  await shop.deliver("orders/updated", version(40, { subtotal_price: "250.00" }));
  assert.equal((await orders()).revenue, 250);
  await shop.deliver("orders/fulfilled", version(50, { subtotal_price: "250.00", fulfillment_status: "fulfilled" }));
  const cancelled = version(59, { cancelled_at: "2026-11-21T11:00:00+01:00", cancel_reason: "customer" });
  await shop.deliver("orders/cancelled", cancelled);
  await shop.deliver("orders/updated", cancelled);
  const bob = await shop.customer("email", "bob@example.com");
  assert.deepEqual([bob.orders.count, bob.orders.revenue, bob.orders.last_at], [0, 0, null]);
  assert.deepEqual([bob.counts.order_completed.total, bob.counts.order_cancelled.total, bob.counts.order_fulfilled.total], [1, 1, 1]);
});

test("a refund is of its order's customer, counts once, and waits where the order has not come", async (t) => {
  const shop = await shopify(t);
  const early = await shop.deliver("refunds/create", refund(), { event: "r-1" });
  assert.deepEqual(early.body, { success: true, waiting: true });
  assert.equal(await shop.metric("attune_waiting"), 1);
  await shop.stop("SIGKILL");
  await shop.start();
  assert.equal(await shop.metric("attune_waiting"), 1, "it waits over kill -9");
  await shop.deliver("refunds/create", refund(), { event: "r-1" });
  assert.equal(await shop.metric("attune_waiting"), 1, "once");
  await shop.deliver("orders/create", order());
  let bob = await shop.customer("email", "bob@example.com");
  assert.deepEqual([bob.orders.revenue, bob.orders.refunded, await shop.metric("attune_waiting")], [398, 199, 0]);
  /* again, by every way */
  await shop.deliver("refunds/create", refund());
  await shop.deliver("orders/updated", order({ updated_at: "2026-11-25T11:15:01+01:00", refunds: [refund(), refund({ id: 2, refund_line_items: [{ quantity: 1, subtotal: 10.5, total_tax: 0, line_item: {} }] })] }));
  bob = await shop.customer("email", "bob@example.com");
  assert.deepEqual([bob.orders.refunded, bob.counts.order_refunded.total], [209.5, 2]);
  const shown = (await shop.timeline("email", "bob@example.com")).find((one) => one.name === "order_refunded");
  assert.equal(shown.timestamp, "2026-11-25T10:15:00.000Z");
  /* under the number by which the shop's own server knew it first */
  await shop.post("/v1/track", { userId: "ann", event: "Order Completed", properties: { order_id: "77", revenue: 9 } });
  await shop.deliver("refunds/create", refund({ id: 3, order_id: 77, refund_line_items: [], transactions: [{ kind: "refund", status: "success", amount: "2.00" }] }));
  assert.equal((await shop.customer("user_id", "ann")).orders.refunded, 2);
});

test("refunds without lines, with fees, with tax in the price", async (t) => {
  const shop = await shopify(t);
  await shop.deliver("orders/create", order());
  let before = 0, n = 100;
  const amount = async (more) => {
    await shop.deliver("refunds/create", refund({ id: ++n, ...more }));
    const { refunded } = (await shop.customer("email", "bob@example.com")).orders, is = Math.round((refunded - before) * 100) / 100;
    before = refunded;
    return is;
  };
  const of = (subtotal, total_tax, rate) => [{ quantity: 1, subtotal, total_tax, line_item: { product_id: 1, price: "1.00", tax_lines: [{ rate }] } }];
  assert.equal(await amount({ refund_line_items: of(100, 19, 0.19) }), 100, "tax stands beside the price");
  assert.equal(await amount({ refund_line_items: of(119, 19, 0.19) }), 100, "tax is in the price");
  assert.equal(await amount({ refund_line_items: of(100, 0, 0) }), 100);
  assert.equal(await amount({ refund_line_items: [], transactions: [], order_adjustments: [{ kind: "refund_discrepancy", amount: "-10.00" }, { kind: "shipping_refund", amount: "-5.00" }] }), 10, "a gesture; shipping is no revenue");
  assert.equal(await amount({ refund_line_items: of(50, 0, 0), order_adjustments: [{ kind: "refund_discrepancy", amount: "5.00" }] }), 45, "a fee is kept");
  assert.equal(await amount({ refund_line_items: [], transactions: [{ kind: "refund", status: "success", amount: "7.25" }, { kind: "refund", status: "failure", amount: "9.00" }] }), 7.25);
  assert.equal(await amount({ refund_line_items: [{ quantity: 2, line_item: { price: "3.50" } }] }), 7);
  assert.equal(await amount({ refund_line_items: [], transactions: [] }), 0);
});

test("a browser and an order are one person by address, or by the visitor's id in the cart", async (t) => {
  const shop = await shopify(t);
  const view = (anonymousId, traits) => shop.post("/v1/identify", { anonymousId, traits });
  await view("v-1", { email: "Bob@Example.com" });
  await view("v-2", {});
  await shop.deliver("orders/create", order({ note_attributes: [{ name: "gift", value: "yes" }, { name: "attune_anonymous_id", value: "v-2" }] }));
  const bob = await shop.customer("shopify_customer_id", "207119551");
  for (const visitor of ["v-1", "v-2"]) assert.equal((await shop.customer("anonymous_id", visitor)).id, bob.id, visitor);
  /* an address goes from one customer to another: each stays who they are */
  await shop.deliver("customers/update", customer({ id: 8, email: "eve@example.com", updated_at: "2026-11-02T10:00:00Z" }));
  await shop.deliver("customers/update", customer({ id: 8, email: "bob@example.com", first_name: "Eve", updated_at: "2026-11-03T10:00:00Z" }));
  assert.equal((await shop.customer("shopify_customer_id", "8")).traits.first_name, "Eve");
  assert.equal((await shop.customer("shopify_customer_id", "207119551")).traits.first_name, "Bob");
  await shop.deliver("customers/delete", { id: 8 });
  assert.equal((await shop.customer("shopify_customer_id", "8")).traits.customer_state, "deleted");
  assert.deepEqual((await shop.deliver("customers/delete", { id: 9 })).body, { success: true, ignored: "nobody" });
});

test("what customers agreed to, each with its own moment, whatever else says so too", async (t) => {
  const rules = 'consent { analytics = "opt-out", personalization = "opt-out", email_marketing = { EU = "double opt-in", elsewhere = "opt-in" }, sms_marketing = "opt-in" }\n';
  const shop = await shopify(t, { settings: SHOP + rules });
  const consent = (state, at, level = "single_opt_in") => ({ state, opt_in_level: level, consent_updated_at: at });
  const update = (second, more) => shop.deliver("customers/update", customer({ updated_at: `2026-11-02T10:00:${second}Z`, ...more }));
  const bob = () => shop.customer("email", "bob@example.com");
  await update("10", { email_marketing_consent: consent("not_subscribed", "2026-11-01T10:00:00Z"), sms_marketing_consent: null });
  assert.deepEqual((await bob()).consent, {}, "nobody asked");
  await update("30", { email_marketing_consent: consent("unsubscribed", "2026-11-02T10:00:29Z"), sms_marketing_consent: consent("subscribed", "2026-11-02T10:00:20Z") });
  await update("20", { email_marketing_consent: consent("subscribed", "2026-11-02T10:00:19Z", "confirmed_opt_in") });
  let { consent: said, consent_statements } = await bob();
  assert.deepEqual(said, { email_marketing: "denied", sms_marketing: "granted" }, "the older yes came later");
  assert.deepEqual(consent_statements.map((one) => [one.purpose, one.status, one.source, one.of, one.at]), [
    ["email_marketing", "denied", "shopify", "person", "2026-11-02T10:00:29.000Z"], ["sms_marketing", "granted", "shopify", "person", "2026-11-02T10:00:20.000Z"]]);
  await update("40", { email_marketing_consent: consent("subscribed", "2026-11-02T10:00:39Z", "confirmed_opt_in") });
  ({ consent: said, consent_statements } = await bob());
  assert.deepEqual([said.email_marketing, consent_statements[0].confirmed], ["granted", true]);
  /* every order brings the same statement along: it is kept once */
  const before = await shop.metric("attune_consent_statements_total");
  await shop.deliver("orders/create", order({ customer: customer({ updated_at: "2026-11-02T10:00:40Z", email_marketing_consent: consent("subscribed", "2026-11-02T10:00:39Z", "confirmed_opt_in") }) }));
  assert.equal(await shop.metric("attune_consent_statements_total"), before);
  /* what is said elsewhere later holds, and what Shopify says later than that */
  await shop.post("/v1/customers/by/email/bob%40example.com/consent", { purpose: "email_marketing", status: "denied", source: "link in a mail", at: "2026-11-03T10:00:00Z" });
  await update("50", { email_marketing_consent: consent("subscribed", "2026-11-02T10:00:45Z") });
  assert.equal((await bob()).consent.email_marketing, "denied");
  await update("59", { email_marketing_consent: consent("subscribed", "2026-11-04T10:00:45Z") });
  assert.equal((await bob()).consent.email_marketing, "granted");
  const events = (await shop.timeline("email", "bob@example.com")).filter((one) => one.name === "consent_updated");
  assert.ok(events.every((one) => one.properties.purpose && one.properties.source));
});

test("a secret key's Consent Updated is a statement; a write key's is not", async (t) => {
  const shop = await shopify(t, { settings: KEYS });
  const secret = bearer("sk_first_1"), said = { type: "track", userId: "ann", event: "Consent Updated", properties: { purpose: "email_marketing", status: "granted", at: "2026-11-01T10:00:00Z", source: "import" } };
  const ann = async () => (await shop.get("/v1/customers/by/user_id/ann", secret)).body;
  await shop.post("/v1/batch", { batch: [said] }, basic("wk_first_1"));
  assert.deepEqual((await ann()).consent, {});
  const answer = await shop.post("/v1/batch", { batch: [said, { ...said, properties: { purpose: "sms_marketing", status: "grnted" } }, { ...said, properties: { purpose: "x", status: "denied", at: "soon" } }] }, secret);
  assert.deepEqual(answer.body.results.map((one) => one.status), ["accepted", "invalid", "invalid"]);
  assert.match(answer.body.results[1].message, /did you mean "granted"/);
  assert.deepEqual((await ann()).consent_statements.map((one) => [one.purpose, one.status, one.at, one.of]), [["email_marketing", "granted", "2026-11-01T10:00:00.000Z", "person"]]);
});

test("checkouts and carts are baskets of whom they name; a completed one is an order", async (t) => {
  const shop = await shopify(t);
  const lines = (n) => [{ product_id: 1, variant_id: 1001, price: "10.00", quantity: n }, { product_id: 2, price: "5.50", quantity: 1 }];
  const checkout = (second, more = {}) => ({
    id: 5, token: "c0ffee", cart_token: "ca4t", email: "", customer_locale: "de-AT", currency: "EUR", presentment_currency: "USD", subtotal_price: "25.50", line_items: lines(2),
    abandoned_checkout_url: "https://outfitter.example/recover/c0ffee", created_at: "2026-11-20T10:00:00Z", updated_at: `2026-11-20T10:00:${second}Z`, completed_at: null, ...more });
  assert.deepEqual((await shop.deliver("checkouts/create", checkout("00"))).body, { success: true, ignored: "nobody" }, "no address yet");
  await shop.deliver("checkouts/update", checkout("10", { email: "Bob@example.com" }));
  await shop.deliver("checkouts/update", checkout("30", { email: "bob@example.com", line_items: lines(3) }));
  await shop.deliver("checkouts/update", checkout("20", { email: "bob@example.com", line_items: lines(9) }));
  let bob = await shop.customer("email", "bob@example.com");
  assert.deepEqual(bob.basket.items.map((one) => [one.product, one.quantity]), [["1", 3], ["2", 1]]);
  assert.deepEqual([bob.basket.value, bob.basket.url, bob.locale, bob.sessions], [35.5, "https://outfitter.example/recover/c0ffee", "de-AT", 0]);
  assert.deepEqual([bob.counts.checkout_started.total, bob.counts.checkout_started.first_at, bob.counts.checkout_updated.total], [1, "2026-11-20T10:00:00.000Z", 3]);
  const started = (await shop.timeline("email", "bob@example.com")).find((one) => one.name === "checkout_started").properties;
  assert.deepEqual([started.checkout_id, started.cart_id, started.value, started.currency], ["c0ffee", "ca4t", 25.5, "USD"]);
  const cart = (second, more) => ({ id: "ca4t", token: "ca4t", updated_at: `2026-11-20T10:00:${second}Z`, attributes: { attune_anonymous_id: "v-1" }, line_items: lines(4), ...more });
  await shop.post("/v1/identify", { anonymousId: "v-1", traits: { email: "bob@example.com" } });
  await shop.deliver("carts/update", cart("50"));
  await shop.deliver("carts/update", cart("40", { line_items: [] }));
  bob = await shop.customer("email", "bob@example.com");
  assert.deepEqual(bob.basket.items.map((one) => one.quantity), [4, 1]);
  await shop.deliver("orders/create", order({ processed_at: "2026-11-20T10:01:00Z", checkout_token: "c0ffee" }));
  assert.deepEqual((await shop.deliver("checkouts/update", checkout("59", { email: "bob@example.com", completed_at: "2026-11-20T10:01:00Z" }))).body, { success: true, ignored: "completed" });
  assert.deepEqual((await shop.customer("email", "bob@example.com")).basket.items, []);
  await shop.deliver("carts/create", cart("55"));
  assert.deepEqual((await shop.customer("email", "bob@example.com")).basket.items, [], "of before the order");
  await shop.deliver("carts/update", cart("55", { updated_at: "2026-11-21T10:00:00Z" }));
  await shop.deliver("carts/update", cart("55", { updated_at: "2026-11-21T10:00:01Z", line_items: [] }));
  assert.deepEqual((await shop.customer("email", "bob@example.com")).basket.items, [], "emptied");
});

test("privacy requests are verified, carried out and kept with their state", async (t) => {
  const shop = await shopify(t);
  await shop.deliver("orders/create", order({ id: 9, customer: { id: 77 } }));
  const bob = await shop.customer("email", "bob@example.com");
  assert.equal(bob.orders.count, 1);
  const request = { shop_domain: "outfitter.myshopify.com", customer: { id: 77, email: "bob@example.com" }, orders_to_redact: [1] };
  const states = async () => (await shop.get("/v1/privacy/requests")).body.requests.map((one) => [one.kind, one.state === "unreachable" ? "done" : one.state, one.person, one.source, one.reference]);
  for (const topic of ["customers/data_request", "customers/redact", "shop/redact"])
    assert.equal((await shop.deliver(topic, request, { secret: "shpss_another" })).status, 401);
  assert.deepEqual(await states(), []);
  assert.deepEqual((await shop.deliver("customers/data_request", { ...request, data_request: { id: 9999 } })).body, { success: true, recorded: true });
  assert.deepEqual(await states(), [["export", "ready", bob.id, "shopify", "9999"]]);
  assert.deepEqual((await shop.deliver("customers/redact", request)).body, { success: true, recorded: true });
  assert.equal((await shop.get("/v1/customers/by/email/bob@example.com")).status, 404);
  assert.equal((await shop.get(`/v1/customers/${bob.id}`)).status, 404);
  await shop.deliver("shop/redact", request);
  await shop.deliver("customers/redact", { customer: { id: 5, email: "nobody@example.com" } });
  assert.deepEqual((await states()).map((one) => one.slice(0, 3)), [["erase", "nothing", null], ["redact", "waiting", null], ["erase", "done", bob.id], ["export", "ready", bob.id]]);
  assert.equal((await shop.deliver("orders/updated", order({ id: 9, customer: { id: 77 }, created_at: "2026-01-01T00:00:00Z", updated_at: "2026-01-01T00:00:00Z" }))).status, 200);
  assert.equal((await shop.get("/v1/customers/by/email/bob@example.com")).status, 404, "the past stays forgotten");
  assert.ok(!shop.log.includes("bob@example.com"));
});

/* ---- Shopify's own examples ---- */

test("the example order and customer", noData, async (t) => {
  const shop = await shopify(t);
  const body = fixture("shopify_api/order.json");
  assert.equal((await shop.deliver("orders/create", body)).status, 200);
  assert.equal((await shop.deliver("refunds/create", fixture("shopify_api/refund.json"))).status, 200);
  const bob = await shop.customer("email", "bob.norman@hostmail.com");
  assert.deepEqual([bob.orders.count, bob.orders.revenue, bob.orders.refunded], [1, 398, 398]);
  assert.equal((await shop.customer("shopify_customer_id", "207119551")).id, bob.id);
  assert.deepEqual((await shop.deliver("orders/create", fixture("go-shopify/order.json"))).body, { success: true, ignored: "test" });
  assert.equal((await shop.deliver("customers/update", fixture("shopify_api/customers.json"))).status, 200);
  assert.equal((await shop.customer("email", "bob.norman@hostmail.com")).traits.city, "Louisville");
});
