// SPDX-License-Identifier: Apache-2.0
//
// Shopify's webhooks about products and stock: what the catalog has, whatever comes first, again, late or before its product.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fixture, hasFixtures, shopify } from "./shopify_help.mjs";

const noData = { skip: hasFixtures ? false : "skipped: no data" };
const variant = (id, price, quantity, more = {}) => ({ id, sku: `S-${id}`, title: `V ${id}`, price: price.toFixed(2), compare_at_price: null, inventory_item_id: 100 + id, inventory_management: "shopify", inventory_policy: "deny", inventory_quantity: quantity, ...more });
const product = (more = {}) => ({
  id: 7, title: "Shirt", vendor: "Acme", product_type: "Tops", handle: "shirt", tags: "cotton, summer", body_html: "<p>Soft</p>", status: "active", published_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-11-01T10:00:00Z", options: [{ name: "Size" }], images: [{ id: 1, src: "https://cdn.example/1.jpg" }], variants: [variant(1, 20, 3, { option1: "M" }), variant(2, 18, 2, { option1: "L" })], ...more,
});
const level = (item, location, available, second) => ({ inventory_item_id: item, location_id: location, available, updated_at: `2026-11-02T10:00:${String(second).padStart(2, "0")}Z` });
const item = async (shop, id) => (await shop.get(`/v1/catalog/items/${id}`)).body;
const stocks = async (shop, id = 7) => (await item(shop, id)).variants.map((one) => one.stock);
const ranked = async (shop) => (await shop.post("/v1/rank", { ranking: "collection", where: {} })).body.items.map((one) => one.id);

test("a product is in the catalog and ranked at once; what is not offered is not", async (t) => {
  const shop = await shopify(t);
  assert.deepEqual((await shop.deliver("products/create", product())).body, { success: true });
  const shirt = await item(shop, 7);
  assert.deepEqual([shirt.title, shirt.brand, shirt.category, shirt.tags, shirt.url, shirt.image], ["Shirt", "Acme", "Tops", ["cotton", "summer"], "https://outfitter.myshopify.com/products/shirt", "https://cdn.example/1.jpg"]);
  assert.deepEqual(shirt.variants[0], { id: "1", sku: "S-1", title: "V 1", price: 20, stock: 3, inventory_item_id: "101", size: "M" });
  assert.deepEqual(await ranked(shop), ["7"]);
  const at = (second) => ({ updated_at: `2026-11-01T10:00:${second}Z` });
  await shop.deliver("products/update", product({ ...at("10"), status: "draft" }));
  assert.deepEqual([(await shop.get("/v1/catalog/items/7")).status, await ranked(shop)], [404, []]);
  await shop.deliver("products/update", product({ ...at("05"), title: "Older" }));
  assert.equal((await shop.get("/v1/catalog/items/7")).status, 404, "an older version does not bring it back");
  await shop.deliver("products/update", product({ ...at("20"), title: "Newer" }));
  assert.equal((await item(shop, 7)).title, "Newer");
  await shop.deliver("products/update", product({ ...at("15"), published_at: null }));
  assert.deepEqual([(await item(shop, 7)).title, await ranked(shop)], ["Newer", ["7"]], "nor does it take it away");
  await shop.deliver("products/delete", { id: 7 }, { at: "2026-11-01T10:01:00Z" });
  await shop.deliver("products/update", product({ ...at("50"), title: "Late" }));
  assert.equal((await shop.get("/v1/catalog/items/7")).status, 404);
  await shop.deliver("products/delete", { id: 8 }, { at: "2026-11-01T10:01:00Z" });
  await shop.deliver("products/create", product({ id: 8 }));
  assert.equal((await shop.get("/v1/catalog/items/8")).status, 404, "deleted before it was told of");
  await shop.stop("SIGKILL");
  await shop.start();
  await shop.deliver("products/update", product({ ...at("50"), title: "Late" }));
  assert.deepEqual([(await shop.get("/v1/catalog/items/7")).status, (await shop.get("/v1/catalog/items/8")).status], [404, 404]);
});

test("stock is the sum over places, by the newest word of each; cost gives the margin", async (t) => {
  const shop = await shopify(t);
  await shop.deliver("products/create", product());
  await shop.deliver("inventory_levels/update", level(101, 1, 6, 10));
  await shop.deliver("inventory_levels/connect", level(101, 2, 4, 11));
  assert.deepEqual(await stocks(shop), [10, 2]);
  await shop.deliver("inventory_levels/update", level(101, 1, 99, 5));
  assert.deepEqual(await stocks(shop), [10, 2], "older");
  await shop.deliver("inventory_levels/disconnect", { inventory_item_id: 101, location_id: 2 }, { at: "2026-11-02T10:00:20Z" });
  await shop.deliver("inventory_levels/connect", level(101, 2, 4, 11), { event: "again" });
  assert.deepEqual(await stocks(shop), [6, 2], "a place that sells it no more");
  await shop.deliver("products/update", product({ updated_at: "2026-11-02T10:00:15Z", title: "Renamed" }));
  assert.deepEqual([(await item(shop, 7)).title, ...(await stocks(shop))], ["Renamed", 6, 2], "the level is newer than the product");
  await shop.deliver("products/update", product({ updated_at: "2026-11-02T10:01:00Z", variants: [variant(1, 20, 1), variant(2, 18, 0)] }));
  assert.deepEqual(await stocks(shop), [1, 0]);
  await shop.deliver("inventory_items/update", { id: 102, cost: "9.00", tracked: true, updated_at: "2026-11-02T10:02:00Z" });
  const shirt = await item(shop, 7);
  assert.deepEqual([shirt.cost, shirt.variants[1].cost, shirt.updated_at], [9, 9, "2026-11-02T10:01:00.000Z"]);
  await shop.deliver("inventory_levels/update", level(101, 1, 0, 59));
  await shop.deliver("inventory_levels/update", { ...level(101, 1, 0, 59), updated_at: "2026-11-03T10:00:00Z" });
  assert.deepEqual(await ranked(shop), [], "sold out: it rules the next decision");
  assert.deepEqual((await shop.deliver("inventory_levels/update", { available: 1 })).body.error.code, "no_id");
  /* what the merchant keeps beside stays */
  await shop.call("PATCH", "/v1/catalog/items/7", { season: "winter" });
  await shop.deliver("products/update", product({ updated_at: "2026-11-04T10:00:00Z" }));
  assert.equal((await item(shop, 7)).season, "winter");
});

test("a level before its product waits, durably, and is heard with it", async (t) => {
  const shop = await shopify(t);
  assert.deepEqual((await shop.deliver("inventory_levels/update", level(101, 1, 5, 1))).body, { success: true, waiting: true });
  await shop.deliver("inventory_levels/update", level(101, 1, 8, 3));
  await shop.deliver("inventory_levels/update", level(101, 1, 9, 2));
  await shop.deliver("inventory_levels/update", level(101, 2, 2, 2));
  await shop.deliver("inventory_levels/disconnect", { inventory_item_id: 102, location_id: 1 }, { at: "2026-11-02T10:00:20Z" });
  await shop.deliver("inventory_items/create", { id: 101, cost: "4.50", updated_at: "2026-11-02T10:02:00Z" });
  await shop.deliver("inventory_levels/update", level(999, 1, 5, 1));
  assert.equal(await shop.metric("attune_waiting"), 5);
  await shop.stop("SIGKILL");
  await shop.start();
  assert.equal(await shop.metric("attune_waiting"), 5);
  await shop.deliver("products/create", product());
  assert.deepEqual(await stocks(shop), [10, 0]);
  assert.equal((await item(shop, 7)).variants[0].cost, 4.5);
  assert.equal(await shop.metric("attune_waiting"), 1);
});

test("a product that does not fit is answered, counted and named in the log", async (t) => {
  const shop = await shopify(t);
  const large = product({ variants: Array.from({ length: 400 }, (_, i) => variant(i + 1, 20, 1, { title: "x".repeat(200) })) });
  for (let i = 0; i < 2; i++) assert.deepEqual((await shop.deliver("products/update", large)).body, { success: true, ignored: "refused" });
  assert.equal(shop.log.match(/product 7 of Shopify's topic products\/update was refused: the product is larger than 64 KiB/g).length, 1);
  assert.equal(await shop.metric('attune_shopify_ignored_total{reason="refused"}'), 2);
  assert.deepEqual((await shop.deliver("products/update", [])).body.error.code, "not_an_object");
  assert.deepEqual((await shop.deliver("products/update", {})).body.error.code, "no_id");
});

test("the example product and levels", noData, async (t) => {
  const shop = await shopify(t);
  const levels = JSON.parse(JSON.stringify(fixture("go-shopify/inventory_levels.json")));
  for (const one of levels) assert.equal((await shop.deliver("inventory_levels/update", one)).status, 200);
  await shop.deliver("inventory_levels/update", fixture("go-shopify/inventory_level.json"));
  assert.deepEqual((await shop.deliver("products/create", fixture("shopify_api/product.json"))).body, { success: true });
  const ipod = await item(shop, "632910392");
  assert.deepEqual([ipod.title, ipod.brand, ipod.category, ipod.tags.length, ipod.variants.length], ["IPod Nano - 8GB", "Apple", "Cult Products", 4, 4]);
  const stock = Object.fromEntries(ipod.variants.map((one) => [one.id, one.stock]));
  assert.deepEqual([stock["808950810"], stock["39072856"], stock["49148385"]], [9 + 6, 27 + 3, 20], "summed over two places; continued sale is at least 1");
  assert.deepEqual((await shop.deliver("products/update", fixture("go-shopify/product.json"))).body, { success: true });
  assert.equal((await item(shop, "1071559748")).variants[0].title, undefined);
});
