// SPDX-License-Identifier: Apache-2.0
//
// Every publish is a record: who, when, what, from where, what it touched; and which publish brought a line.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bearer, KEYS, run, serve, until } from "./harness.mjs";

const path = "scripts/a.lua";
const rule = (n) => `ranking "a" {\n  score = function(product) return ${n} * product.price end,\n}\n`;
const ops = bearer("sk_second_2");
const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g;
const shown = (done) => (assert.equal(done.code, 0, done.err), done.out.replace(time, "TIME"));

test("a publish is listed with its key, its message and what it touched", async (t) => {
  const shop = await serve(t, { "shop.lua": KEYS, [path]: rule(1) });
  const publish = async (files, message) => assert.equal((await shop.post("/v1/scripts", { files, message }, ops)).status, 200);
  await publish({ [path]: rule(2), "scripts/r.lua": 'rail "r" { hide = function(product) return product.price:above(9) end }\n' }, "dearer first");
  writeFileSync(join(shop.dir, path), `-- said\n${rule(2)}`);
  await until(async () => (await shop.get("/ready")).body.generation === 3);
  assert.equal((await shop.post("/v1/generations/1/activate", {}, ops)).status, 200);
  const list = (await shop.get("/v1/generations", ops)).body.generations;
  assert.deepEqual(list.map(({ id, author, source, message, files, changes }) => ({ id, author, source, message, files, changes })), [
    { id: 4, author: "ops", source: "rollback", message: "back to generation 1", files: 1, changes: ['ranking "a" changed: score (line 2) (scripts/a.lua:1)', 'rail "r" removed (scripts/r.lua:1)'] },
    { id: 3, author: "", source: "folder", message: "", files: 2, changes: [] },
    { id: 2, author: "ops", source: "http", message: "dearer first", files: 2, changes: ['ranking "a" changed: score (line 2) (scripts/a.lua:1)', 'rail "r" added (scripts/r.lua:1)'] },
    { id: 1, author: "", source: "folder", message: "", files: 1, changes: ['ranking "a" added (scripts/a.lua:1)'] }]);
  assert.equal(shown(run(["generations", "--shop", shop.dir])), `*     4  TIME  1 files  rollback, by the key "ops"  back to generation 1
           ranking "a" changed: score (line 2) (scripts/a.lua:1)
           rail "r" removed (scripts/r.lua:1)
      3  TIME  2 files  folder
      2  TIME  2 files  http, by the key "ops"  dearer first
           ranking "a" changed: score (line 2) (scripts/a.lua:1)
           rail "r" added (scripts/r.lua:1)
      1  TIME  1 files  folder
           ranking "a" added (scripts/a.lua:1)
The folder is held: saving publishes again when what was bad has changed.
`);
  await publish(Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((n) => [`scripts/n${n}.lua`, `ranking "n${n}" { score = function(product) return ${n} end }\n`])), "many");
  await shop.post("/v1/generations/publish", {}, ops);
  assert.match(shown(run(["generations", "--shop", shop.dir])), /\n {11}and 4 more: attune diff --from 4 --to 5\n/);
});

test("a line is blamed on the publish that brought it", async (t) => {
  const shop = await serve(t, { "shop.lua": KEYS, [path]: rule(1) });
  const publish = async (text, message) => assert.equal((await shop.post("/v1/scripts", { files: { [path]: text }, message }, ops)).status, 200);
  await publish(`-- of all\n\n${rule(1)}`, "a word");
  await publish(`-- of all\n\n${rule(3)}`, "three");
  await publish(`-- of all\n-- indeed\n${rule(3)}-- the end`, "more");
  const blamed = async (line) => (await shop.get(`/v1/blame/${line}/${path}`, ops)).body;
  const now = readFileSync(join(shop.dir, path), "utf8").split("\n");
  const by = [];
  for (let line = 1; line <= now.length; line++) {
    const one = await blamed(line);
    assert.deepEqual([one.path, one.line, one.text, one.or_before], [path, line, now[line - 1], false]);
    by.push(one.generation);
  }
  assert.deepEqual(by, [2, 4, 1, 3, 1, 4]);
  assert.equal(shown(run(["blame", `${path}:4`, "--shop", shop.dir])), '  score = function(product) return 3 * product.price end,\ngeneration 3  TIME  http, by the key "ops"  three\n');
  assert.equal(shown(run(["blame", `${path}:5`, "--shop", shop.dir])), "}\ngeneration 1  TIME  folder\n");
  for (const [line, file] of [[7, path], [1, "scripts/none.lua"], [0, path], ["x", path]]) {
    const answer = await shop.get(`/v1/blame/${line}/${file}`, ops);
    assert.deepEqual([answer.status, answer.body.error.code], [404, "unknown_line"], answer.text);
  }
  assert.match(run(["blame", `${path}:7`, "--shop", shop.dir]).err, /scripts\/a\.lua has no line 7 in generation 4/);
  assert.equal(run(["blame", path, "--shop", shop.dir]).code, 2);
  assert.equal((await shop.get(`/v1/blame/1/${path}`, bearer("wk_first_1"))).status, 403);
});

test("random edits: each line is blamed as the versions, line by line, say", async (t) => {
  const seed = Number(process.env.SEED ?? Date.now() % 1e9);
  let state = seed;
  const below = (n) => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0), Math.floor((state / 2 ** 32) * n));
  const shop = await serve(t, { "shop.lua": KEYS, [path]: "-- 0\n" });
  let lines = [{ text: "-- 0", by: 1 }], checked = 0, made = 0;
  for (let round = 2; round < 42; round++) {
    for (let edits = 1 + below(3); edits--; ) {
      const at = below(lines.length + 1), how = below(3);
      if (how === 0 && lines.length > 3) lines.splice(at, 1);
      else lines.splice(at, how === 1 ? 1 : 0, { text: `-- ${++made} of ${round}`, by: round });
    }
    lines.push({ text: `-- ${++made} of ${round}`, by: round });
    const done = await shop.post("/v1/scripts", { files: { [path]: lines.map((one) => `${one.text}\n`).join("") } }, ops);
    assert.equal(done.body.generation, round, done.text);
    const some = round % 8 === 1 ? lines : lines.slice(-1);
    for (const one of some) {
      const answer = await shop.get(`/v1/blame/${lines.indexOf(one) + 1}/${path}`, ops);
      assert.deepEqual([answer.body.text, answer.body.generation], [one.text, one.by], `seed ${seed}`);
      checked++;
    }
  }
  t.diagnostic(`seed ${seed}, ${checked} lines`);
});
