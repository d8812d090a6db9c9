// SPDX-License-Identifier: Apache-2.0
//
// The pages of docs/guide/ with blocks to run, block by block as they stand, each in a folder of its own. What is wrong
// (```lua wrong) is saved and checked, and the text behind it is all that is said.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { folder, program, root, until } from "./harness.mjs";

async function runPage(t, name, least) {
  const dir = folder(t, {}), port = 20000 + (process.pid % 20000);
  const text = readFileSync(join(root, `docs/guide/${name}.md`), "utf8").replaceAll("127.0.0.1:8080", `127.0.0.1:${port}`);
  const blocks = [...text.matchAll(/```(sh|lua|lua wrong)(?: file=(\S+))?\n([\s\S]*?)```(?:\n```text\n([\s\S]*?)```)?/g)];
  const env = { ...process.env, PATH: `${dirname(program)}:${process.env.PATH}` };
  const outputs = [];
  let server;
  t.after(() => server?.kill("SIGKILL"));
  assert.ok(blocks.length >= least);
  for (const [, kind, file, body, said] of blocks) {
    if (kind === "lua wrong") {
      writeFileSync(join(dir, file), body);
      const checked = spawnSync(program, ["check", file.split("/")[0]], { cwd: dir, env, encoding: "utf8" });
      assert.deepEqual([checked.status, checked.stdout + checked.stderr], [1, said]);
      continue;
    }
    if (kind === "lua" && !server) {
      writeFileSync(join(dir, file), body);
      continue;
    }
    if (kind === "lua") {
      const before = (await (await fetch(`http://127.0.0.1:${port}/ready`)).json()).generation;
      writeFileSync(join(dir, file), body);
      await until(async () => (await (await fetch(`http://127.0.0.1:${port}/ready`)).json()).generation > before);
      continue;
    }
    const serving = body.match(/^attune serve (\S+) (.*) &$/m);
    if (serving) {
      assert.equal(spawnSync("sh", ["-ec", body.replace(serving[0], "")], { cwd: dir, env }).status, 0);
      server = spawn(program, ["serve", serving[1], ...serving[2].split(" ")], { cwd: dir, env, stdio: "ignore" });
      await until(() => fetch(`http://127.0.0.1:${port}/ready`).then((answer) => answer.ok, () => false));
      continue;
    }
    const ran = spawnSync("sh", ["-ec", body], { cwd: dir, env, encoding: "utf8", timeout: 20000 });
    assert.equal(ran.status, 0, `${body}\n${ran.stdout}${ran.stderr}`);
    outputs.push(ran.stdout);
  }
  server?.kill("SIGKILL");
  return outputs.join("\n");
}

test("the first hour runs as written", async (t) => {
  const all = await runPage(t, "first-hour", 23);
  assert.match(all, /---@field brand string\?\n/);
  assert.ok(/"id":"sofa-1"/.test(all) && !/"id":"sofa-3","score"/.test(all));
  assert.match(all, /"items":\[\{"id":"sofa-2","score":0\.16\d*\},\{"id":"lamp-1","score":0\.05\}\]/);
  assert.match(all, /^14 tests passed, 0 failed\n8 files, 3 rankings, 2 rails, 4 segments: good$/m);
  assert.match(all, /^would mend:\n(scripts\/rankings\/bargains\.lua:.*\n){2}/m);
  assert.match(all, /\n\+ {4}if customer:in_segment "vip" then\n/);
  assert.match(all, /^mended:\n(scripts\/rankings\/bargains\.lua:.*\n){2}\n[^]*: good$/m);
  assert.match(all, /^ok .*what is reduced comes first\n1 passed, 0 failed$/m);
  assert.match(all, /"terms":\[\{"line":\d+,"text":"/);
  assert.match(all, /"items":\[\{"id":"sofa-2","score":0\.\d+,"features":\{"brand":"Birch","category":"sofas","affinity":1,.*?"stated":\[\{"facet":"brand","value":"Birch","said":"likes","at":"/);
  assert.match(all, /\{"facet":"tags","value":"sale","said":"dislikes"/);
  assert.match(all, /"message":"traits\.likes\.brnd: no product has an attribute of that name \(did you mean \\"brand\\"\?\): it is kept, and counts as soon as one has"/);
  assert.match(all, /"items":\[\{"id":"sofa-2","score":2\}\]/);
  assert.match(all, /^my-shop, compared with generation 1:\n( {2}.*\n)* {2}ranking "said" added \(scripts\/rankings\/said\.lua:1\)\n/m);
  assert.match(all, /\n {11}ranking "said" added \(scripts\/rankings\/said\.lua:1\)\n/);
  assert.match(all, /\nranking "said" \{\ngeneration \d+ {2}\S+Z {2}folder\n/);
  assert.match(all, /generation \d+ serves, with the files of 1; the folder is held/);
});

test("tests run as written", async (t) => {
  const all = await runPage(t, "tests", 10);
  assert.match(all, /\nok .*nothing sold out is ever shown\n1 passed, 0 failed\n/);
  assert.match(all, /\n4 of 4 functions and ways through them ran\n[1-9]\d* passed, 0 failed\n/);
  assert.match(all, /\{"passed":1,"failed":0,"tests":\[\{"name":"a regular sees first what earns most"/);
  assert.match(all, /8 tests passed, 0 failed\n6 files, 1 rankings, 1 rails, 0 segments: good/);
});

test("privacy runs as written", async (t) => {
  const all = await runPage(t, "privacy", 6);
  assert.match(all, /"kind":"export","state":"ready"/);
  assert.match(all, /the signature is good\n {2}erasure/);
});

test("Shopify runs as written", async (t) => {
  const all = await runPage(t, "shopify", 2);
  assert.match(all, /"success":true,"results":\[\{"status":"accepted"\},\{"status":"accepted"\}\]/);
  assert.match(all, /"kind":"shopify_customer_id","value":"207119551"/);
  assert.match(all, /"orders":\{"count":1,"revenue":99,/);
});

test("identity runs as written", async (t) => {
  const all = await runPage(t, "identity", 5);
  assert.match(all, /"kind":"anonymous_id","value":"laptop-1"/);
  assert.match(all, /anonymous_id:laptop-1 {2}= {2}user_id:42 {3}identified, message/);
  const { kept, split } = JSON.parse(/\{"kept".*\}/.exec(all)[0]);
  assert.ok(kept && split && kept !== split);
});

test("the audit runs as written", async (t) => {
  const all = await runPage(t, "audit", 6);
  assert.match(all, /^orders\.csv is a history that was not imported yet: 1 file, columns by their names \(order_id=order_id, at=time, user_id=customer, product_id=sku, /m);
  assert.match(all, /0\.4586 +high +1 +25\.0 % +45\.9 % +orders in another currency than most\n/);
  assert.match(all, /0\.0276 +high +1 +16\.7 % +2\.8 % +order lines without a customer\n/);
  assert.match(all, /^export\.csv is .* columns by --map and their names \(order_id=Beleg, at=Zeit, user_id=Kunde, /m);
  assert.match(all, /prodct_viewed: product_viewed\? 1/);
  assert.match(all, /products do not add up to their revenue\n +another reason 1\n/);
  assert.match(all, /my-shop is a shop: what is in my-shop\/data, which is being served/);
  assert.match(all, /such as LAMP-2/);
  assert.match(all, /"code":"orders_without_identity"\n"share_recognised":0\n/);
  assert.equal([...all.matchAll(/What to do next, most valuable first\n {2}1\. /g)].length, 4);
});

test("segments run as written", async (t) => {
  const all = await runPage(t, "segments", 10);
  assert.match(all, /"segments":\[.*?\{"name":"regular","since":"/);
  assert.match(all, /"event":"Segment Entered","name":"segment_entered"/);
  assert.match(all, /there is no segment \\"reglar\\" — did you mean \\"regular\\"\?/);
  assert.match(all, /^regular +1 +1 {2}scripts\/segments\.lua:1$/m);
  assert.match(all, /"segment":"quiet","count":1,"members":\[\{"id":"p/);
  assert.match(all, /^segment {2}fans of Acme +scripts\/fans\.lua:1 {2}asked again every 6h00m: line 2, "customer\.affinity"/m);
  assert.match(all, /"message":"regular: 1 enter, 0 leave"/);
  const people = all.split(/(?=\{"id":"p)/).filter((text) => /"typical_interval_days":(10|90)\b/.test(text)); // documents one after another
  assert.deepEqual(people.map((text) => [/"value":"(\w+)"/.exec(text)[1], /"segments":(\[.*?\])/.exec(text)[1].includes("lapsing")]), [["cleo", true], ["dan", false]]);
  assert.match(all, /"segment":"lapsing","count":2,"members":\[\{"id":"p/);
  const shown = /^ {4}segment "lapsing" \{\n[^]*?^ {4}\}\n/m.exec(readFileSync(join(root, "docs/guide/segments.md"), "utf8"))[0];
  assert.ok(readFileSync(join(root, "scripts/new/scripts/segments/customers.lua"), "utf8").includes(shown.replace(/^ {4}/gm, "")));
  assert.match(all, /"acquired":\{"at":"[^"]+","source":"newsletter","campaign":"spring",[^}]*\}.*"segments":\[\{"name":"came by newsletter"/);
});
