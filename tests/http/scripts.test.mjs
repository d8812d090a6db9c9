// SPDX-License-Identifier: Apache-2.0
//
// Scripts while serving: saved in the folder, sent over HTTP, refused, rolled back, held; every answer wholly from one
// generation, never an older one after a newer.
import assert from "node:assert/strict";
import { appendFileSync, closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { products, program, serve, SHOP, until } from "./harness.mjs";

const path = "scripts/rankings/a.lua";
const constant = (n) => `ranking "all" { score = function(product) return ${n} + 0 * product.price end }\n`;
const files = (n = 1) => ({ "shop.lua": SHOP, [path]: constant(n) });
const score = async (shop) => {
  const answer = await shop.post("/v1/rank", { ranking: "all", where: {}, limit: 1 });
  assert.equal(answer.status, 200, answer.text);
  return { score: answer.body.items[0]?.score, generation: answer.body.generation, fallback: answer.body.fallback };
};
const open = async (t, n) => {
  const shop = await serve(t, files(n));
  await shop.call("PUT", "/v1/catalog/items", products(3));
  return shop;
};

test("a save is live for every worker; a broken one never serves", async (t) => {
  const shop = await open(t);
  assert.deepEqual([(await score(shop)).score, (await score(shop)).generation], [1, 1]);
  writeFileSync(join(shop.dir, path), constant(2));
  await until(async () => (await score(shop)).score === 2);
  for (const broken of ['ranking "all" { score = function(product) return 3', "ranking(", 'rankin "all" {}', 'ranking "all" { scor = 1 }', "x = 1", "error('no')", "\x1bLua", "while true do end", ""]) {
    writeFileSync(join(shop.dir, path), broken);
    await until(async () => /do not serve|declare nothing/.test(shop.log.slice(-4000)) && (await shop.get("/ready")).body.scripts === "stale", { within: 8000 });
    assert.equal((await score(shop)).score, 2, JSON.stringify(broken));
    shop.log = "";
    writeFileSync(join(shop.dir, path), constant(2));
    await until(async () => (await shop.get("/ready")).body.scripts === "ok");
  }
  mkdirSync(join(shop.dir, "scripts/new/folder"), { recursive: true });
  await new Promise((done) => setTimeout(done, 300));
  writeFileSync(join(shop.dir, "scripts/new/folder/b.lua"), 'ranking "b" { score = function(product) return 7 end }\n');
  await until(async () => (await shop.post("/v1/rank", { ranking: "b", where: {}, limit: 1 })).body?.items?.[0]?.score === 7, { within: 8000 });
});

test("a file written byte by byte never serves in part", async (t) => {
  const shop = await open(t);
  const text = constant(5) + 'rail "x" { hide = function(product) return product.price:above(1e9) end }\n';
  const fd = openSync(join(shop.dir, path), "w");
  for (let i = 0; i < text.length; i++) {
    writeSync(fd, text[i]);
    await new Promise((done) => setTimeout(done, 5));
    if (i % 10 === 0) assert.equal((await score(shop)).score, 1);
  }
  closeSync(fd);
  await until(async () => (await score(shop)).score === 5);
});

test("over HTTP: checked, published with the folder, all or nothing", async (t) => {
  const shop = await open(t);
  const bad = await shop.post("/v1/scripts", { files: { [path]: constant(2), "scripts/b.lua": 'ranking "b" { score = function(product) return prodct.price end }' } });
  assert.equal(bad.status, 422, bad.text);
  const [finding] = bad.body.error.findings;
  assert.deepEqual([finding.path, finding.line], ["scripts/b.lua", 1]);
  assert.match(finding.message, /did you mean 'product'/);
  assert.equal(readFileSync(join(shop.dir, path), "utf8"), constant(1), "nothing was written");
  const good = await shop.post("/v1/scripts", { files: { [path]: constant(2) }, message: "two", expect: 1 });
  assert.deepEqual([good.status, good.body.generation], [200, 2], good.text);
  assert.equal((await score(shop)).score, 2, "live at once");
  assert.equal(readFileSync(join(shop.dir, path), "utf8"), constant(2));
  assert.equal((await shop.post("/v1/scripts", { files: { [path]: constant(3) }, expect: 1 })).status, 409);
  const put = await shop.call("PUT", "/v1/scripts/scripts/c.lua", 'ranking "c" { score = function(product) return 4 end }\n', { "content-type": "text/plain" });
  assert.equal(put.status, 200, put.text);
  assert.deepEqual((await shop.get("/v1/scripts")).body.files.map((file) => file.path), ["scripts/c.lua", path]);
  assert.equal((await shop.call("DELETE", "/v1/scripts/scripts/c.lua")).status, 200);
  assert.equal((await shop.post("/v1/scripts/check", { files: { [path]: "nonsense(" } })).status, 422);
  assert.equal((await score(shop)).score, 2);
  for (const wrong of ["scripts/../shop.lua", "shop.lua", "templates/a.html", "/etc/passwd", "scripts/.a.lua", "scripts/a.txt"])
    assert.equal((await shop.post("/v1/scripts", { files: { [wrong]: "" } })).status, 422, wrong);
});

test("rollback serves the old files again and holds the folder", async (t) => {
  const shop = await open(t);
  await shop.post("/v1/scripts", { files: { [path]: constant(2) }, message: "two" });
  const back = await shop.post("/v1/generations/1/activate", {});
  assert.deepEqual([back.status, back.body.held], [200, true], back.text);
  const now = await score(shop);
  assert.deepEqual([now.score, now.generation], [1, 3], "a new number, so that numbers only grow");
  assert.equal((await shop.get("/ready")).body.held, true);
  assert.equal(readFileSync(join(shop.dir, path), "utf8"), constant(2), "the folder stays");
  writeFileSync(join(shop.dir, "scripts/other.lua"), 'ranking "o" { score = function(product) return 1 end }\n');
  await new Promise((done) => setTimeout(done, 500));
  assert.equal((await score(shop)).generation, 3, "saving another file does not publish");
  await shop.stop("SIGKILL");
  await shop.start();
  assert.deepEqual([(await score(shop)).score, (await shop.get("/ready")).body.held], [1, true], "held across a crash");
  writeFileSync(join(shop.dir, path), constant(6));
  await until(async () => (await score(shop)).score === 6, { within: 8000 });
  assert.equal((await shop.get("/ready")).body.held, false, "what was bad has changed");
  await shop.post("/v1/generations/1/activate", { restore: true });
  assert.equal(readFileSync(join(shop.dir, path), "utf8"), constant(1), "restored");
  assert.equal((await shop.get("/ready")).body.held, false);
  await shop.post("/v1/scripts", { files: { [path]: constant(8) } });
  await shop.post("/v1/generations/1/activate", {});
  const published = await shop.post("/v1/generations/publish", {});
  assert.deepEqual([published.status, published.body.held, (await score(shop)).score], [200, false, 8], published.text);
  const list = (await shop.get("/v1/generations")).body;
  assert.equal(list.active, list.generations[0].id);
  assert.ok(list.generations.some((one) => one.source === "rollback"));
  assert.deepEqual(list.generations.map((one) => one.files).reverse().slice(0, 5), [1, 1, 1, 2, 1]);
  assert.equal((await shop.post("/v1/generations/999/activate", {})).status, 404);
});

test("with invalid scripts at the start the last good generation serves", async (t) => {
  const shop = await open(t, 3);
  await shop.stop();
  writeFileSync(join(shop.dir, path), "ranking(");
  await shop.start();
  assert.equal((await score(shop)).score, 3);
  assert.equal((await shop.get("/ready")).body.scripts, "stale");
  const fresh = await serve(t, { "shop.lua": SHOP, [path]: "ranking(" });
  await fresh.call("PUT", "/v1/catalog/items", products(3));
  const answer = await score(fresh);
  assert.match(answer.fallback, /catalog order/);
});

/** STORM_SECONDS=30, or STORM_RELOADS=1000 instead: a reload every 50 ms. */
test("a storm of reloads under load: one generation an answer, never an older one after a newer, memory stays", async (t) => {
  const reloads = Number(process.env.STORM_RELOADS ?? Infinity), seconds = reloads < Infinity ? Infinity : Number(process.env.STORM_SECONDS ?? 30);
  const shop = await serve(t, { "shop.lua": SHOP, ...Object.fromEntries([0, 1, 2].map((i) => [`scripts/${i}.lua`, ""])), [path]: constant(1) }, { args: ["--memory", "64M"] });
  await shop.call("PUT", "/v1/catalog/items", products(50));
  for (let i = 0; i < 40; i++) /* the caches are full before memory is looked at */
    await shop.post("/v1/batch", { batch: Array.from({ length: 15 }, () => ({ type: "track", anonymousId: "v", event: "A", properties: { pad: "x".repeat(30000) } })) });
  const items = Array.from({ length: 1000 }, (_, i) => `SKU-${i % 50}-or-none`); /* the latest decisions are kept, up to a bound */
  for (let i = 0; i < 60; i++) await Promise.all(Array.from({ length: 40 }, () => shop.post("/v1/rank", { ranking: "all", items, limit: 1 })));
  const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${shop.child.pid}/status`, "utf8"))[1]);
  let n = 1, stop = false, answers = 0, last = 0, failed = 0, early = 0;
  const begin = performance.now();
  const publish = (async () => {
    for (; n <= reloads && performance.now() - begin < seconds * 1000; n++) {
      const due = performance.now() + 50;
      const answer = await shop.post("/v1/scripts", { files: {
        [path]: `ranking "all" { score = function(product) return ${n} + 0 * product.price end }\nranking "same" { score = function(product) return ${n} end }\n` } });
      assert.equal(answer.status, 200, answer.text);
      if (n === 100) early = rss();
      await new Promise((done) => setTimeout(done, due - performance.now()));
    }
  })().finally(() => { stop = true; });
  const readers = Array.from({ length: 4 }, async () => {
    let before = 0;
    while (!stop) {
      const answer = await shop.post("/v1/decide", { ask: { a: { ranking: "all", where: {}, limit: 50 }, b: { ranking: "same", where: {}, limit: 3 } } });
      if (answer.status !== 200) failed++;
      const { a, b } = answer.body.answers;
      if (answer.body.generation > 1) {
        const scores = new Set([...a.items, ...b.items].map((item) => item.score));
        assert.equal(scores.size, 1, "wholly from one generation");
      }
      assert.ok(answer.body.generation >= before, "never an older after a newer");
      before = answer.body.generation;
      last = Math.max(last, before);
      answers++;
    }
  });
  await Promise.all([publish, ...readers]);
  const late = rss(), took = (performance.now() - begin) / 1000;
  assert.equal(failed, 0);
  assert.ok(last > took, `${last} generations in ${took} s`);
  console.log(`property: ${n - 1} reloads in ${took.toFixed(0)} s over ${answers} answers, none failed; memory ${early} kB after 100, ${late} kB at the end`);
  if (/debug|tsan/.test(program) || n < 200) return; /* a sanitizer keeps what was freed */
  assert.ok(late < early * 1.05, `${early} kB after 100 reloads, ${late} kB after ${n - 1}`);
});
