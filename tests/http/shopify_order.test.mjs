// SPDX-License-Identifier: Apache-2.0
//
// Property: the deliveries of a few weeks of a shop, in any order, some of them twice, some at once, with the page's own word between
// them, give the same people, orders and products as in the order in which they happened; and once everybody is erased, the same
// money, which is what their orders came to. ATTUNE_SEED repeats a run.
import assert from "node:assert/strict";
import { test } from "node:test";
import { rows } from "./harness.mjs";
import { customer, line, order, refund, shopify } from "./shopify_help.mjs";

const first = Number(process.env.ATTUNE_SEED ?? 20261127), rounds = Number(process.env.SHOPIFY_ROUNDS ?? 6);

/* splitmix32 */
const random = (seed) => () => {
  seed = (seed + 0x9e3779b9) | 0;
  let z = seed ^ (seed >>> 16);
  z = Math.imul(z, 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
};

const begin = Date.parse("2026-11-01T10:00:00Z");
const when = (minutes) => new Date(begin + minutes * 60000).toISOString();

/** What happens, as Shopify tells of it: [topic, body, headers] in the order of things; and what the page tells. */
function happenings(below) {
  const out = [], people = [1, 2, 3].map((id) => ({ id, email: `p${id}@example.com` }));
  let minute = 0, n = 0;
  const tell = (topic, body) => out.push({ topic, body, headers: { event: `e-${++n}`, at: when(minute) } });
  const person = (one, more) => customer({ id: one.id, email: one.email, first_name: `Name ${one.renamed ?? 0}`, updated_at: one.changed ?? when(0), tags: "", ...more });
  const change = (one) => {
    one.renamed = (one.renamed ?? 0) + 1;
    one.changed = when(minute);
    const state = ["subscribed", "unsubscribed", "not_subscribed"][below(3)];
    tell("customers/update", person(one, { email_marketing_consent: { state, opt_in_level: "single_opt_in", consent_updated_at: when(minute) } }));
  };
  const place = (one) => {
    const id = 5000000 + out.length, number = 1001 + out.length, at = when(minute), items = [line(1 + below(3), 10 + below(5), 1 + below(2)), line(4, 2.5, 1)];
    let sum = items.reduce((total, item) => total + Number(item.price) * item.quantity, 0);
    const body = (more) => order({ id, name: `#${number}`, order_number: number, email: one.email, created_at: at, processed_at: at, updated_at: when(minute), subtotal_price: sum.toFixed(2), line_items: items, customer: person(one), checkout_token: `t${id}`, ...more });
    tell("orders/create", body({}));
    if (below(2)) out.push({ page: { userId: `u-${one.id}`, event: "Order Completed", messageId: `page-${id}`, timestamp: at, context: { traits: { email: one.email } },
      properties: { order_id: below(2) ? `#${number}` : String(id), revenue: 1, products: items.map((item) => ({ product_id: String(item.product_id), price: Number(item.price), quantity: item.quantity })) } } });
    minute += 1 + below(5);
    if (below(2)) tell("orders/paid", body({ financial_status: "paid" }));
    minute += 60;
    if (below(3) === 0) {
      items.push(line(5, 7, 1)); /* an edit */
      sum += 7;
      tell("orders/updated", body({}));
    }
    const refunds = [];
    for (let i = below(3); i > 0; i--) {
      minute += 60 * 24;
      refunds.push(refund({ id: 100 * id + i, order_id: id, created_at: when(minute), processed_at: when(minute), refund_line_items: [{ quantity: 1, subtotal: 2.5, total_tax: 0, line_item: line(4, 2.5, 1) }] }));
      tell("refunds/create", refunds.at(-1));
    }
    if (refunds.length && below(2)) tell("orders/updated", body({ refunds: [...refunds], current_subtotal_price: (sum - 2.5 * refunds.length).toFixed(2) }));
    if (below(5) === 0) tell("orders/cancelled", body({ refunds: [...refunds], cancelled_at: when(minute), current_subtotal_price: (sum - 2.5 * refunds.length).toFixed(2) }));
  };
  const stock = () => {
    const item = 101 + below(3);
    tell("inventory_levels/update", { inventory_item_id: item, location_id: 1 + below(2), available: below(9), updated_at: when(minute) });
  };
  const product = (id) => tell("products/update", {
    id, title: `Thing ${id} ${minute}`, vendor: id % 2 ? "Acme" : "Birch", product_type: "things", status: "active", published_at: when(0), updated_at: when(minute),
    variants: [{ id: 1000 + id, sku: `SKU-${id}`, price: (10 + below(5)).toFixed(2), inventory_item_id: 100 + id, inventory_management: "shopify", inventory_quantity: below(9) }],
  });
  for (const one of people) tell("customers/create", person(one));
  /* What is known of a product when it is bought is kept with the order: so all are there from the beginning. */
  const products = [1, 2, 3, 4, 5].map((id) => ({ id: String(id), brand: id % 2 ? "Acme" : "Birch", category: "things", price: 1, stock: 1 }));
  for (let i = 0; i < 14; i++) {
    minute += 30 + below(3000);
    [() => place(people[below(3)]), () => place(people[below(3)]), () => change(people[below(3)]), stock, () => product(1 + below(3))][below(5)]();
  }
  minute += 10000;
  for (const id of [1, 2, 3]) product(id);
  return { out, people, products };
}

/** What is shown of everybody and everything, without what names or numbers by order of arrival. */
async function shown(shop, people) {
  const all = {};
  for (const one of people) {
    /* Visits are the page's, which tells of them live; Shopify's deliveries make none. */
    const { id, identifiers, products, sessions, session, acquired, ...rest } = await shop.customer("email", one.email);
    /* Of a refund told twice the second is dropped: which of the two messages it was depends on the order. */
    delete rest.counts.order_refunded?.last?.id;
    assert.ok(id && sessions !== undefined && session && acquired);
    all[one.email] = { ...rest, identifiers: identifiers.map((each) => `${each.kind}:${each.value}`).sort(), products: products.sort((a, b) => (a.product < b.product ? -1 : 1)) };
  }
  for (const id of [1, 2, 3]) {
    const answer = await shop.get(`/v1/catalog/items/${id}`);
    all[id] = answer.status === 200 ? { ...answer.body, inventory: Object.fromEntries(Object.entries(answer.body.inventory).map(([item, { said, at }]) => [item, { said, at }])) } : answer.status;
  }
  return all;
}

/* Tastes fade between two looks. */
function near(a, b, label) {
  if (typeof b === "number") return assert.ok(Math.abs(a - b) < 1e-4, `${label}: ${a}, not ${b}`);
  assert.deepEqual(Object.keys(a).sort(), Object.keys(b).sort(), label);
  for (const [name, value] of Object.entries(b)) near(a[name], value, `${label}.${name}`);
}

const SUMS = "SELECT sum(kind = 'order') AS count, total(CASE kind WHEN 'order' THEN amount END) AS revenue, total(CASE kind WHEN 'refund' THEN amount END) AS refunded FROM money";

/** Erases everybody; answers the rows that are kept without them. */
async function eraseAll(shop, people, seen) {
  for (const one of people) assert.equal((await shop.call("DELETE", `/v1/customers/by/email/${one.email}`)).status, 200);
  await shop.stop();
  const of = (name) => people.reduce((sum, one) => sum + seen[one.email].orders[name], 0);
  const [sums] = rows(shop.dir, SUMS);
  for (const name of ["count", "revenue", "refunded"]) assert.ok(Math.abs((sums[name] ?? 0) - of(name)) < 1e-6, `${name} of the erased: ${sums[name]}, not ${of(name)}`);
  const kept = rows(shop.dir, "SELECT day_ms, kind, amount, currency, items FROM money").map((one) => ({ ...one, items: JSON.parse(one.items).map((item) => JSON.stringify(item)).sort() }));
  return kept.map((one) => JSON.stringify(one)).sort();
}

const send = async (shop, one) => {
  const answer = one.page ? await shop.post("/v1/import", { batch: [{ type: "track", ...one.page }] }) : await shop.deliver(one.topic, one.body, one.headers);
  assert.equal(answer.status, 200, answer.text);
};

test("deliveries in any order, twice and at once, give the same", async (t) => {
  let deliveries = 0;
  for (let round = 0; round < rounds; round++) {
    const seed = first + round, draw = random(seed), below = (n) => Math.floor(draw() * n);
    console.log(`property: deliveries in any order, seed ${seed}`);
    const { out, people, products } = happenings(below);
    const later = { args: ["--now", "2027-02-01T00:00:00Z"] }, inOrder = await shopify(t, later), shuffled = await shopify(t, later);
    for (const shop of [inOrder, shuffled]) await shop.call("PUT", "/v1/catalog/items", products);
    for (const one of out) await send(inOrder, one);
    const order = [...out, ...out.filter(() => below(4) === 0)];
    for (let i = order.length - 1; i > 0; i--) {
      const j = below(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    for (let i = 0; i < order.length;) {
      const some = order.slice(i, (i += 1 + below(4)));
      await Promise.all(some.map((one) => send(shuffled, one)));
      if (below(20) === 0) {
        await shuffled.stop("SIGKILL");
        await shuffled.start();
      }
    }
    deliveries += order.length;
    await new Promise((done) => setTimeout(done, 1500)); /* what everyone likes is published each second */
    const [expected, found] = [await shown(inOrder, people), await shown(shuffled, people)];
    for (const one of Object.keys(expected)) for (const part of Object.keys(expected[one])) {
      const label = `seed ${seed}: ${part} of ${one}`;
      if (part === "affinity") near(found[one][part], expected[one][part], label);
      else assert.deepEqual(found[one][part], expected[one][part], label);
    }
    assert.equal(await shuffled.metric("attune_events_conflict_total"), 0);
    assert.deepEqual(await eraseAll(shuffled, people, found), await eraseAll(inOrder, people, expected), `seed ${seed}: money of the erased`);
  }
  console.log(`property: ${deliveries} deliveries in ${rounds} rounds`);
});
