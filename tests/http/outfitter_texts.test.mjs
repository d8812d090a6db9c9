// SPDX-License-Identifier: Apache-2.0
//
// Reads the example shop's catalog and holds it to what a real shop would
// have: valid lines, sane prices and stock, enough brands and categories, and
// texts that were written one by one. No server is needed. The invariant: no
// two titles and no two descriptions are equal or differ by one word or by
// numbers only.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

const file = new URL("../../examples/outfitter/catalog.jsonl", import.meta.url);
const lines = readFileSync(file, "utf8").split("\n").filter((line) => line !== "");
const products = lines.map((line, at) => {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new Error(`catalog.jsonl line ${at + 1} is not JSON: ${error.message}`);
  }
});

/** Lowercase words; every number, also inside a word, becomes "#". */
function wordsOf(text) {
  const plain = text.toLowerCase().replace(/\d+(?:[.,]\d+)*/g, "#");
  return plain.match(/[\p{L}#]+(?:['’-][\p{L}#]+)*/gu) ?? [];
}

/** True if one substitution, insertion or deletion of a word, or none, turns a into b. */
function withinOneWord(a, b) {
  if (Math.abs(a.length - b.length) > 1) return false;
  const shorter = Math.min(a.length, b.length);
  let head = 0;
  while (head < shorter && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < shorter - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  return Math.max(a.length, b.length) - head - tail <= 1;
}

function nearPairs(texts) {
  const lists = texts.map(wordsOf);
  const pairs = [];
  for (let i = 0; i < lists.length; i++) {
    for (let j = i + 1; j < lists.length; j++) {
      if (withinOneWord(lists[i], lists[j])) pairs.push(`${texts[i]}  |  ${texts[j]}`);
    }
  }
  return pairs;
}

function countBy(field) {
  const counts = new Map();
  for (const product of products) counts.set(product[field], (counts.get(product[field]) ?? 0) + 1);
  return counts;
}

function assertUnique(values, what) {
  const seen = new Set();
  for (const value of values) {
    assert.ok(!seen.has(value), `${what} appears twice: ${value}`);
    seen.add(value);
  }
}

test("the comparison finds texts that differ by one word or by numbers", () => {
  const near = (a, b) => withinOneWord(wordsOf(a), wordsOf(b));
  assert.ok(near("Red wool hat", "Blue wool hat"), "one word substituted");
  assert.ok(near("Wool hat", "Warm wool hat"), "one word inserted at the front");
  assert.ok(near("A hat of warm wool", "A hat of wool"), "one word deleted in the middle");
  assert.ok(near("Tent 2, 300 g", "Tent 3, 4.5 g"), "numbers only");
  assert.ok(!near("Red wool hat", "Blue wool cap"), "two words are enough to differ");
  assert.ok(!near("Wool hat for men", "Wool hat"), "two words more are enough to differ");
});

test("there are enough products, categories and brands, none of them too large", () => {
  assert.ok(products.length >= 420, `${products.length} products`);
  const categories = countBy("category");
  const brands = countBy("brand");
  assert.ok(categories.size >= 10, `${categories.size} categories`);
  assert.ok(brands.size >= 12, `${brands.size} brands`);
  for (const [name, count] of categories) assert.ok(count >= 20, `category ${name} has only ${count}`);
  for (const [name, count] of brands) {
    const inCategories = new Set(products.filter((p) => p.brand === name).map((p) => p.category));
    assert.ok(count >= 10 && count <= 0.15 * products.length, `brand ${name} has ${count} products`);
    assert.ok(inCategories.size >= 2 && inCategories.size <= 5, `brand ${name} is in ${inCategories.size} categories`);
  }
});

test("ids, addresses, pictures, titles and descriptions are unique", () => {
  assertUnique(products.flatMap((p) => [p.id, ...(p.variants ?? []).map((v) => v.id)]), "id");
  for (const field of ["url", "image", "title", "description"]) assertUnique(products.map((p) => p[field]), field);
});

test("no two titles differ only by numbers or by one word", () => {
  assert.deepEqual(nearPairs(products.map((p) => p.title)), []);
});

test("no two descriptions differ only by numbers or by one word", () => {
  assert.deepEqual(nearPairs(products.map((p) => p.description)), []);
});

test("no sentence is used for two products", () => {
  const sentences = products.flatMap((p) => p.description.split(/(?<=[.!?:])\s+/));
  assertUnique(sentences.map((s) => wordsOf(s).join(" ")), "sentence");
});

test("every product has a readable title and description", () => {
  for (const p of products) {
    assert.ok(wordsOf(p.title).length >= 3 && p.title.length <= 60, `${p.id}: title "${p.title}"`);
    const words = wordsOf(p.description).length;
    assert.ok(words >= 10 && words <= 50, `${p.id}: description has ${words} words`);
  }
});

test("prices, list prices and costs are sane", () => {
  const cents = (value) => Math.abs(value * 100 - Math.round(value * 100)) < 1e-6;
  for (const p of products) {
    assert.ok(p.price >= 5 && p.price <= 2000 && cents(p.price), `${p.id}: price ${p.price}`);
    assert.ok(p.cost > 0 && p.cost < p.price && cents(p.cost), `${p.id}: cost ${p.cost}`);
    if (p.list_price !== undefined) {
      assert.ok(p.list_price > p.price && p.list_price < 3 * p.price, `${p.id}: list price ${p.list_price}`);
      assert.ok(p.tags.includes("sale"), `${p.id} is reduced but not tagged "sale"`);
    }
  }
  const reduced = products.filter((p) => p.list_price !== undefined).length;
  assert.ok(reduced >= 0.05 * products.length && reduced <= 0.4 * products.length, `${reduced} are reduced`);
});

test("stock is a whole number, the sum of the variants, and some are sold out", () => {
  for (const p of products) {
    assert.ok(Number.isInteger(p.stock) && p.stock >= 0, `${p.id}: stock ${p.stock}`);
    if (!p.variants) continue;
    assertUnique(p.variants.map((v) => v.size), `size of ${p.id}`);
    for (const v of p.variants) assert.ok(v.id.startsWith(`${p.id}-`) && v.stock >= 0, `variant ${v.id}`);
    assert.equal(p.stock, p.variants.reduce((sum, v) => sum + v.stock, 0), `${p.id}: stock is not the sum`);
  }
  const soldOut = products.filter((p) => p.stock === 0).length;
  assert.ok(soldOut >= 5 && soldOut <= 0.1 * products.length, `${soldOut} are sold out`);
});

test("clothing and shoes come in sizes", () => {
  const sized = new Set(["jackets", "knitwear", "shirts", "trousers", "footwear"]);
  for (const p of products) {
    if (sized.has(p.category)) assert.ok(p.variants?.length >= 3, `${p.id} has no sizes`);
  }
});

test("dates, ratings, tags and addresses are well formed", () => {
  for (const p of products) {
    assert.match(p.id, /^OUT-\d{4}$/);
    assert.match(p.released, /^2026-\d\d-\d\d$/);
    assert.equal(new Date(p.released).toISOString().slice(0, 10), p.released, `${p.id}: released`);
    assert.ok(Array.isArray(p.tags) && p.tags.every((tag) => typeof tag === "string"), `${p.id}: tags`);
    assertUnique(p.tags, `tag of ${p.id}`);
    assert.ok(p.rating === undefined || (p.rating >= 1 && p.rating <= 5), `${p.id}: rating ${p.rating}`);
    assert.match(p.url, /^\/p\/[a-z0-9-]+$/);
    assert.match(p.image, /^img\/[a-z0-9-]+\.jpg$/);
    assert.ok(p.color && p.material, `${p.id}: color or material is missing`);
  }
  const rated = products.filter((p) => p.rating !== undefined).length;
  assert.ok(rated > 0.5 * products.length && rated < products.length, `${rated} are rated`);
});
