// SPDX-License-Identifier: Apache-2.0
//
// What people say they like and dislike: from an event into the next list and its explanation; who is told what; consent,
// merges, export and erasure; the same after folding anew.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { basicShop, forget, products, run, serve, SHOP, until } from "./harness.mjs";

const TASTE = 'ranking "taste" { score = function(product) return product.affinity end }\n';
const RULES = TASTE + `ranking "brand" { score = function(product, customer) return customer.affinity.brand[product.brand] end }
ranking "said" { score = function(product, customer) return when(product.brand:one_of(customer.traits.likes.brand), 2, 0) + #customer.traits.likes.brand end }
ranking "top" { score = function(product, customer)
  for i, brand in ipairs(customer.affinity.brand:top(9)) do if product.brand == brand then return 10 - i end end
  return 0
end }\n`;
const files = (settings = SHOP) => ({ ...basicShop(settings), "scripts/rules.lua": RULES });
const by = (id, kind = "anonymous_id") => `/v1/customers/by/${kind}/${id}`;
const ago = (days) => new Date(Date.now() - days * 86400000).toISOString();
const view = (anonymousId, product_id, more = {}) => ({ type: "track", anonymousId, event: "Product Viewed", properties: { product_id }, ...more });
const says = (anonymousId, traits, more = {}) => ({ type: "identify", anonymousId, traits, ...more });
async function send(shop, batch, path = "/v1/batch") {
  const answer = await shop.post(path, { batch });
  assert.equal(answer.status, 200, answer.text);
  return answer.body.results;
}
async function start(t, settings) {
  const shop = await serve(t, files(settings));
  await shop.call("PUT", "/v1/catalog/items", products(21, (i) => ({ price: 50, tags: i === 0 ? ["oak", "new"] : ["oak"] })));
  return shop;
}
const rank = async (shop, id, ranking, more = {}) => {
  const answer = await shop.post("/v1/rank", { customer: { anonymous_id: id }, ranking, where: {}, limit: 30, ...more });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.body.fallback, undefined, answer.text);
  return answer.body;
};
/** What the rule gives each brand. */
const brands = async (shop, id, ranking = "brand", more) => Object.fromEntries((await rank(shop, id, ranking, { fields: ["brand"], ...more })).items.map((item) => [item.brand, item.score]));

test("who just said a brand sees it first, and the explanation says why", async (t) => {
  const shop = await start(t);
  await send(shop, Array.from({ length: 90 }, (_, i) => view(`crowd-${i}`, "SKU-3"))); /* everyone likes Brand 2 */
  const single = await shop.post("/v1/identify", says("ann", { likes: { brand: ["Brand 2", "Brand 4"] }, dislikes: { brand: "Brand 1" } }));
  assert.deepEqual(single.body, { success: true }, "nothing to say of it");
  const list = await rank(shop, "ann", "taste", { explain: true, fields: ["brand"] });
  assert.deepEqual([...new Set(list.items.slice(0, 6).map((item) => item.brand))].sort(), ["Brand 2", "Brand 4"]);
  assert.ok(list.items.slice(0, 6).every((item) => item.score === 1 && item.features.affinity === 1));
  assert.ok(list.items.slice(6).every((item) => item.score === 0));
  const [{ at, ...why }] = list.items[0].stated;
  assert.deepEqual(why, { facet: "brand", value: list.items[0].brand, said: "likes", strength: 1 });
  assert.ok(Date.now() - Date.parse(at) < 60000);
  assert.deepEqual(list.items.filter((item) => item.brand === "Brand 1").map((item) => item.stated[0].said), ["dislikes", "dislikes", "dislikes"]);
  assert.ok(list.items.filter((item) => item.brand === "Brand 5").every((item) => item.stated === undefined));
  const shown = run(["explain", list.decision, "--shop", shop.dir]);
  assert.match(shown.out, /^ +likes brand "Brand [24]", said \d{4}-.*, strength 1\.00$/m, shown.err);
  const { affinity, traits } = (await shop.get(by("ann"))).body;
  assert.deepEqual(affinity.brand, { "Brand 2": 1, "Brand 4": 1 });
  assert.deepEqual(traits.dislikes, { brand: "Brand 1" }, "as it was sent");
  assert.deepEqual(await brands(shop, "ann", "said"), Object.fromEntries(Object.keys(await brands(shop, "ann")).map((name) => [name, /[24]$/.test(name) ? 4 : 2])));
  assert.ok(Object.values(await brands(shop, "nobody", "said")).every((score) => score === 0), "who said nothing");
});

test("words outweigh what was inferred: a like is above ten views, a dislike is 0 and no top", async (t) => {
  const shop = await start(t);
  await send(shop, Array.from({ length: 40 }, (_, i) => view(`crowd-${i}`, `SKU-${1 + (i % 20)}`)));
  for (let i = 0; i < 10; i++) await send(shop, [view("ann", "SKU-6"), view("ann", "SKU-2"), { ...view("ann", "SKU-2"), event: "Product Added" }]);
  await until(async () => (await brands(shop, "ann"))["Brand 1"] > 0.3);
  await send(shop, [says("ann", { likes: { brand: ["Brand 4"] }, dislikes: { brand: ["Brand 1"] } })]);
  for (let i = 0; i < 10; i++) await send(shop, [view("ann", "SKU-6"), { ...view("ann", "SKU-2"), event: "Product Added" }]);
  const scores = await brands(shop, "ann");
  assert.equal(scores["Brand 1"], 0);
  assert.ok(scores["Brand 4"] === 1 && scores["Brand 5"] > 0 && scores["Brand 5"] < 1, JSON.stringify(scores));
  assert.equal((await brands(shop, "ann", "taste"))["Brand 1"], 0, "whatever else such a product has");
  const top = await brands(shop, "ann", "top");
  assert.deepEqual([top["Brand 4"], top["Brand 5"], top["Brand 1"]], [9, 8, 0]);
  await send(shop, [says("ann", { dislikes: { tags: "new" } })]); /* one disliked value of a list is enough; the word before is replaced */
  const { items } = await rank(shop, "ann", "taste");
  assert.equal(items.find((item) => item.id === "SKU-1").score, 0);
  assert.ok((await brands(shop, "ann"))["Brand 1"] > 0.1, "no longer disliked");
  await send(shop, [says("ann", { likes: null, dislikes: null })]);
  assert.ok((await brands(shop, "ann"))["Brand 4"] < 0.2, "taken back");
});

test("what says nothing is told, in every answer that takes traits; the trait is kept", async (t) => {
  const shop = await start(t);
  const many = Array.from({ length: 70 }, (_, i) => `Brand ${i % 7}`);
  const cases = [
    [{ likes: "Brand 1" }, /^traits\.likes is not like \{"brand":\["Acme"\]\}: kept as a trait/],
    [{ dislikes: { brand: [7] } }, /^traits\.dislikes\.brand holds something that is no text.*from 0 of its 1 values$/],
    [{ likes: { colour: "red" } }, /^traits\.likes\.colour: no product has an attribute of that name: it is kept/],
    [{ likes: { barnd: "Brand 1" } }, /did you mean "brand"\?/],
    [{ likes: { price: "50" } }, /^traits\.likes\.price: of products that is a number/],
    [{ likes: { brand: "brand 1" } }, /^traits\.likes\.brand: no product has "brand 1"/],
    [{ likes: { brand: many } }, /^traits\.likes has too many values \(the first 64 count\).*from 64 of its 70 values$/],
    [{ likes: { brand: "Brand 1" }, dislikes: { brand: "Brand 1" } }, /"Brand 1" is among the dislikes too, which count$/],
    [{ likes: { brand: `x${"y".repeat(17000)}` } }, /^traits\.likes is over 16 KiB: not kept/],
  ];
  for (const [i, [traits, message]] of cases.entries()) {
    const forms = [
      async () => (await shop.post("/v1/identify", says(`a-${i}`, traits))).body,
      async () => (await send(shop, [says(`b-${i}`, traits)]))[0],
      async () => (await send(shop, [{ ...view(`c-${i}`, "SKU-1"), context: { traits } }]))[0],
      async () => (await send(shop, [says(`d-${i}`, traits, { timestamp: ago(3) })], "/v1/import"))[0],
    ];
    for (const [k, form] of forms.entries()) {
      const answer = await form();
      assert.equal(answer.status, "accepted");
      assert.match(answer.message, message);
      const kept = (await shop.get(by(`${"abcd"[k]}-${i}`))).body.traits;
      if (i < 8) assert.deepEqual(kept, traits);
      else assert.deepEqual(kept, {});
      await rank(shop, `${"abcd"[k]}-${i}`, "said"); /* no odd trait fails a rule */
    }
  }
  writeFileSync(join(shop.dir, "h.jsonl"), `${JSON.stringify(view("e", "SKU-1", { timestamp: ago(2) }))}\n${JSON.stringify(says("e", { likes: 7 }, { timestamp: ago(2) }))}\n`);
  const imported = run(["import", "events", join(shop.dir, "h.jsonl"), "--shop", shop.dir]);
  assert.match(imported.out, /^2 events taken/, imported.err);
  assert.match(imported.err, /^line 2: traits\.likes is not like/m);
});

test("the moment of the word decides, in whatever order it comes; the same when all is folded anew", async (t) => {
  const shop = await start(t);
  const words = [
    says("ann", { likes: { brand: "Brand 1" } }, { timestamp: ago(30) }), says("ann", { likes: { brand: "Brand 2" } }, { timestamp: ago(20) }),
    says("ann", { dislikes: { brand: ["Brand 2", "Brand 3"] } }, { timestamp: ago(25) }), says("ann", { tier: "gold" }, { timestamp: ago(1) }),
    says("old", { likes: { brand: "Brand 1" }, dislikes: { brand: "Brand 3" } }, { timestamp: ago(540) }),
    view("old", "SKU-4"), view("old", "SKU-4"),
  ];
  for (const order of [[0, 1, 2, 3, 4, 5, 6], [3, 6, 5, 2, 1, 0, 4], [1, 2, 0, 4, 3, 5, 6]]) {
    const name = (id) => `${id}-${order.join("")}`;
    for (const i of order) await send(shop, [{ ...words[i], anonymousId: name(words[i].anonymousId) }], words[i].timestamp ? "/v1/import" : "/v1/batch");
    assert.deepEqual((await shop.get(by(name("ann")))).body.affinity.brand, { "Brand 2": 1 }, `${order}`);
  }
  const read = async () => (await shop.get(by("old-0123456"))).body.affinity.brand;
  await until(async () => (await read())["Brand 3"] > 0.002);
  await new Promise((done) => setTimeout(done, 1500)); /* everyone's shares are published each second */
  const before = await read();
  /* 540 days are half a year in full and two that halve */
  assert.ok(Math.abs(before["Brand 1"] - 0.25) < 0.001 && before["Brand 3"] > 0.002, JSON.stringify(before));
  await shop.stop();
  forget(shop.dir);
  await shop.start();
  await until(async () => { /* everyone's shares are learned anew, too */
    const after = await read();
    return Object.keys(before).every((brand) => Math.abs(after[brand] - before[brand]) < 0.001);
  });
  assert.deepEqual((await shop.get(by("ann-0123456"))).body.affinity.brand, { "Brand 2": 1 });
});

test("a word may come before its products, and a segment may ask for it", async (t) => {
  const shop = await serve(t, { ...files(), "scripts/segments.lua": `segment "fans" { when = function(customer) return customer.affinity.brand["Brand 1"] > 0.5 end }
segment "said so" { when = function(customer) return customer.traits.likes.brand:contains "Brand 1" end }\n` });
  assert.deepEqual((await shop.post("/v1/identify", says("ann", { likes: { brand: "Brand 1", wood: "oak" } }))).body, { success: true }, "an empty catalog knows none yet");
  await shop.call("PUT", "/v1/catalog/items", products(7));
  assert.equal((await rank(shop, "ann", "taste")).items[0].id, "SKU-2");
  await shop.call("PUT", "/v1/catalog/items", [{ id: "OAK", title: "Oak", brand: "Brand 5", wood: "oak", stock: 1 }]);
  const { items } = await rank(shop, "ann", "taste");
  assert.ok(items.find((item) => item.id === "OAK").score > 0.4, JSON.stringify(items));
  await until(async () => (await shop.get(by("ann"))).body.segments.map((one) => one.name).sort().join() === "fans,said so");
  await shop.post("/v1/identify", says("ann", { likes: null }));
  await until(async () => (await shop.get(by("ann"))).body.segments.length === 0);
});

test("two who turn out to be one: each trait by its later word; apart again each has its own", async (t) => {
  const shop = await start(t);
  await send(shop, [says("phone", { likes: { brand: "Brand 1" }, dislikes: { brand: "Brand 2" } }, { timestamp: ago(10) }),
    says("laptop", { likes: { brand: "Brand 2" } }, { timestamp: ago(20) })], "/v1/import");
  await shop.post("/v1/identify", { anonymousId: "laptop", userId: "ann" });
  await shop.post("/v1/identify", { anonymousId: "phone", userId: "ann" });
  const ann = await until(async () => { const { body } = await shop.get(by("ann", "user_id")); return body.identifiers.length === 3 && body; });
  assert.deepEqual(ann.affinity.brand, { "Brand 1": 1 });
  const apart = await shop.post(`/v1/customers/${ann.id}/unmerge`, { identifier: { kind: "anonymous_id", value: "phone" } });
  assert.equal(apart.status, 200, apart.text);
  assert.deepEqual((await shop.get(by("laptop"))).body.affinity.brand, { "Brand 2": 1 });
  assert.deepEqual((await shop.get(by("phone"))).body.affinity.brand, { "Brand 1": 1 });
});

test("without consent to personalization no word is read; withheld with analytics; never_use", async (t) => {
  const block = 'consent { analytics = { EU = "opt-in", US = "opt-out", elsewhere = "opt-in" }, personalization = "opt-in", never_use = { "brand.Brand 3" } }\n';
  const shop = await start(t, SHOP + block);
  const consent = (categoryPreferences, country = "US") => ({ context: { consent: { categoryPreferences }, location: { country } } });
  const traits = { likes: { brand: ["Brand 1", "Brand 3"] } };
  const results = await send(shop, [says("no", traits, consent({ personalization: false })), says("yes", traits, consent({ personalization: true })),
    says("gone", { likes: 7 }, consent({ analytics: false }))]);
  assert.deepEqual(results.map((one) => one.status), ["accepted", "accepted", "withheld"]);
  assert.match(results[2].message, /^without consent to analytics/, "of what is not kept nothing more is said");
  assert.ok(Object.values(await brands(shop, "no")).every((score) => score === 0));
  assert.ok(Object.values(await brands(shop, "no", "said")).every((score) => score === 0));
  const list = await rank(shop, "no", "taste", { explain: true });
  assert.ok(list.withheld && list.items.every((item) => item.score === 0 && !item.stated));
  const yes = await brands(shop, "yes");
  assert.deepEqual([yes["Brand 1"], yes["Brand 3"]], [1, 0], "never used");
  assert.equal((await brands(shop, "yes", "said"))["Brand 1"], 3, "nor told");
  await send(shop, [view("no", "SKU-5", consent({ personalization: true }))]);
  assert.equal((await brands(shop, "no"))["Brand 1"], 1, "a trait, kept meanwhile: read from the yes on");
});

test("an export has the words, an erasure leaves none", async (t) => {
  const shop = await start(t);
  const word = "Velvet of the third kind";
  await send(shop, [says("ann", { likes: { brand: ["Brand 1"], fabric: word } }), view("bob", "SKU-1")]);
  const exported = await shop.get(`${by("ann")}/export`);
  assert.deepEqual(exported.body.customer.traits.likes, { brand: ["Brand 1"], fabric: word });
  assert.equal(exported.body.customer.affinity.brand["Brand 1"], 1);
  const asked = await shop.call("DELETE", by("ann"));
  assert.ok(asked.status === 200 || asked.status === 202, asked.text);
  await until(async () => (await shop.get(`/v1/privacy/requests/${asked.body.id}`)).body.state === "done");
  assert.equal((await shop.get(by("ann"))).status, 404);
  assert.ok(Object.values(await brands(shop, "ann")).every((score) => score === 0));
  await shop.stop();
  for (const file of readdirSync(join(shop.dir, "data"))) {
    const path = join(shop.dir, "data", file);
    assert.ok(!statSync(path).isFile() || !readFileSync(path).includes(word), file);
  }
});
