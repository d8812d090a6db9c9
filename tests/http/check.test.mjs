// SPDX-License-Identifier: Apache-2.0
//
// attune check: what it prints for people, for editors and for programs; what it mends; what it says on each save.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { basicShop, folder, program, root, run, serve, until } from "./harness.mjs";

const bad = `// what everyone buys
ranking "bought" {
  score = function(product)
    local n = 0
    if customer.country = "DE" && product.stock > 0 then n += 1 end
    return n * product.popularity
  end
  explor = 5,
}
`;
const good = `-- what everyone buys
ranking "bought" {
  score = function(product, customer)
    local n = 0
    if customer.country == "DE" and product.stock > 0 then n = n + 1 end
    return n * product.popularity
  end,
  explore = "5%",
}
`;
const shopOf = (t, files) => folder(t, { "shop.lua": 'shop "s" { currency = "EUR" }\n', ...files });

test("every mistake of all files at once, with the place marked", (t) => {
  const dir = shopOf(t, { "scripts/a.lua": bad, "scripts/b.lua": "local x = wehn(1)\n", "shop.lua": 'shop "s" { curency = "EUR" }\n' });
  const told = run(["check", dir]);
  assert.equal(told.code, 1);
  assert.match(told.out, /shop\.lua:1:12 {2}shop has no field "curency" — did you mean "currency"\?\n {4}shop "s" \{ curency = "EUR" \}\n {15}\^{7}\n {4}Hint: write currency\n/);
  assert.match(told.out, /scripts\/a\.lua:1:1 [^]*scripts\/a\.lua:5:25 [^]*scripts\/b\.lua:1:11 /);
  assert.match(told.out, /\d mistakes, \d warnings?; attune check --fix can mend \d of them\n$/);
});

test("JSON and a line each carry the same findings", (t) => {
  const dir = shopOf(t, { "scripts/a.lua": bad });
  const json = run(["check", dir, "--json"]), lines = run(["check", "--format=gcc", dir]);
  assert.deepEqual([json.code, lines.code], [1, 1]);
  const { errors, warnings, findings } = JSON.parse(json.out);
  assert.equal(findings.length, errors + warnings);
  assert.equal(lines.out.trim().split("\n").length, findings.length);
  for (const one of findings) {
    assert.equal(one.path, "scripts/a.lua");
    assert.ok(one.from < one.to && one.line && one.column && one.message && ["error", "warning"].includes(one.severity));
    assert.ok(lines.out.includes(`${dir}/scripts/a.lua:${one.line}:${one.column}: ${one.severity}: ${one.message}`));
  }
  assert.deepEqual(findings[0].fix, { from: 0, to: 2, text: "--" });
  const sound = run(["check", shopOf(t, { "scripts/a.lua": good }), "--json"]);
  assert.deepEqual([sound.code, JSON.parse(sound.out)], [0, { errors: 0, warnings: 0, findings: [] }]);
  assert.deepEqual([run(["check", dir, "--format=xml"]).code, run(["check", dir, "--dry-run"]).code], [2, 2]);
});

test("--fix mends what is certain, and only that", (t) => {
  const dir = shopOf(t, { "scripts/a.lua": bad });
  const path = join(dir, "scripts/a.lua");
  const shown = run(["check", dir, "--fix", "--dry-run"]);
  assert.equal(readFileSync(path, "utf8"), bad, "nothing is written");
  assert.match(shown.out, /^--- a\/scripts\/a\.lua\n\+\+\+ b\/scripts\/a\.lua\n@@ -1,9 \+1,9 @@\n-\/\/ what everyone buys\n[^]*\n\+ {2}explore = "5%",\n/);
  const patched = spawnSync("patch", ["-p1", "-d", dir, "-o", "-"], { input: shown.out.split("would mend:")[0], encoding: "utf8" });
  if (!patched.error) assert.equal(patched.stdout, good, "a diff that patch understands");
  const mended = run(["check", dir, "--fix"]);
  assert.equal(mended.code, 0, mended.out);
  assert.match(mended.out, /^mended:\n(scripts\/a\.lua:\d+:\d+ .*; .+\n)+\n[^]*good\n$/);
  assert.equal(readFileSync(path, "utf8"), good);
  writeFileSync(join(dir, "scripts/b.lua"), 'print(qqqqq)\nrail "x" { only = function(product) product.stock:above(0) end }\n');
  const before = statSync(path).mtimeMs, half = run(["check", dir, "--fix"]);
  assert.equal(half.code, 1, "qqqqq is left");
  assert.match(half.out, /unknown name 'qqqqq'/);
  assert.match(readFileSync(join(dir, "scripts/b.lua"), "utf8"), /qqqqq\)\nrail "x" \{ only = function\(product\) return product\.stock:above\(0\) end \}/);
  assert.equal(statSync(path).mtimeMs, before, "what is sound is not touched");
  assert.deepEqual(readdirSync(join(dir, "scripts")).sort(), ["a.lua", "b.lua"], "nothing is left beside");
});

test("shop.lua is mended too", (t) => {
  const dir = shopOf(t, { "shop.lua": 'shop “outfitter” { curency = "EUR" timezone = "Europe/Berlin" }\n' });
  mkdirSync(join(dir, "scripts"), { recursive: true });
  assert.equal(run(["check", dir, "--fix"]).code, 0);
  assert.equal(readFileSync(join(dir, "shop.lua"), "utf8"), 'shop "outfitter" { currency = "EUR", timezone = "Europe/Berlin" }\n');
});

test("a folder or a file that cannot be read is named", (t) => {
  const missing = run(["check", "/nowhere/shop"]);
  assert.deepEqual([missing.code, missing.err], [3, "attune check: there is no folder /nowhere/shop\n"]);
  const dir = shopOf(t, { "scripts/a.lua": good });
  mkdirSync(join(dir, "scripts/b.lua"));
  assert.equal(run(["check", dir]).code, 0, "a folder is no file");
  writeFileSync(join(dir, "scripts/c.lua"), "-- \xff\n", "latin1");
  const wrong = run(["check", dir]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.out, /scripts\/c\.lua:1:\d+ .*UTF-8/);
  if (process.getuid() === 0) return;
  chmodSync(join(dir, "scripts/c.lua"), 0);
  const closed = run(["check", dir]);
  assert.equal(closed.code, 3);
  assert.match(closed.err, /cannot read .*c\.lua: Permission denied/);
});

test("--watch checks again on each save", async (t) => {
  const dir = shopOf(t, { "scripts/a.lua": good });
  const watching = spawn(program, ["check", dir, "--watch"]);
  let out = "";
  watching.stdout.on("data", (data) => (out += data));
  t.after(() => watching.kill("SIGKILL"));
  const rounds = () => out.split("waiting for the next save").length - 1;
  await until(() => rounds() === 1);
  assert.match(out, /1 rankings.*good\n-- checked at/);
  writeFileSync(join(dir, "scripts/a.lua"), bad);
  await until(() => /scripts\/a\.lua:1:1 /.test(out));
  mkdirSync(join(dir, "scripts/more"));
  await until(() => rounds() >= 3);
  writeFileSync(join(dir, "scripts/more/b.lua"), "local x = wehn(1)\n");
  await until(() => /scripts\/more\/b\.lua:1:11 /.test(out));
  const over = new Promise((done) => watching.on("close", done));
  watching.kill("SIGINT");
  assert.equal(await over, 1, "the last check's");
});

test("the routes tell the same fields", async (t) => {
  const shop = await serve(t, basicShop());
  const answer = await shop.post("/v1/scripts/check", { files: { "scripts/a.lua": bad } });
  const findings = answer.body.error.findings;
  assert.deepEqual(findings[0].fix, { from: 0, to: 2, text: "--" });
  for (const one of findings) assert.ok(one.severity === "error" && one.from < one.to && one.code && one.hint);
});

test("examples are sound", () => {
  const told = run(["check", join(root, "examples/outfitter")]);
  assert.equal(told.code, 0);
  assert.equal(told.out.match(/warning/g).length, told.out.match(/is 0 everywhere/g).length);
});
