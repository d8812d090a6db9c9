// SPDX-License-Identifier: Apache-2.0
//
// README.md, block by block as it stands: the shop of `make run` answers its questions with the products that are printed, its
// rule serves once it is saved, a shop of one's own begins as it says.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { folder, program, products, root, Server, until } from "./harness.mjs";

const text = readFileSync(join(root, "README.md"), "utf8");
const section = (title) => {
  const found = new RegExp(`^## ${title}\\n([^]*?)(?=^## |\\s*$(?![^]))`, "m").exec(text);
  assert.ok(found, `README.md has a section "${title}"`);
  return found[1];
};
/** Blocks of four spaces, without them. */
const shell = (part) => [...part.matchAll(/(?:^ {4}.*\n)+/gm)].map(([block]) => block.replace(/^ {4}/gm, ""));
const sh = (body, cwd) => {
  const ran = spawnSync("sh", ["-ec", body], { cwd, encoding: "utf8", timeout: 30000 });
  assert.equal(ran.status, 0, `${body}\n${ran.stdout}${ran.stderr}`);
  return ran.stdout;
};

/** Numbers and texts of an answer become their kind, so that two answers can be compared. */
function shape(value) {
  if (Array.isArray(value)) return value.map(shape);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shape(one)]));
  return typeof value;
}

test("a question, and its answer; a rule", async (t) => {
  const dir = folder(t, {});
  cpSync(join(root, "examples/outfitter"), join(dir, "shop"), { recursive: true });
  const shop = new Server(join(dir, "shop"));
  await shop.start();
  t.after(() => shop.stop("SIGKILL"));
  for (const [command, ...args] of [[program, "import", "catalog", join(dir, "shop/catalog.jsonl"), "--shop", join(dir, "shop")],
    ["node", join(dir, "shop/traffic.mjs"), "--url", shop.url, "--shoppers", "200"]]) { /* what make run does */
    const ran = spawnSync(command, args, { encoding: "utf8", timeout: 120000 });
    assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  }
  await new Promise((done) => setTimeout(done, 2000));

  const part = section("A question, and its answer"), lines = shell(part), [, printed] = /```json\n([^]*?)```/.exec(part);
  assert.equal(lines.length, 2);
  const ask = () => JSON.parse(sh(lines[0].replaceAll("http://127.0.0.1:8080", shop.url), dir));
  const answer = ask(), wanted = JSON.parse(printed);
  assert.deepEqual(shape(answer), shape(wanted), JSON.stringify(answer));
  assert.deepEqual(answer.items.map((item) => item.id), wanted.items.map((item) => item.id), JSON.stringify(answer));
  assert.equal(answer.total, wanted.total);
  answer.items.forEach((item, i) => assert.ok(Math.abs(item.score - wanted.items[i].score) < 0.05, `${item.score} for the printed ${wanted.items[i].score}`));
  assert.deepEqual(JSON.parse(sh(lines[1].replaceAll("http://127.0.0.1:8080", shop.url), dir)), { success: true });
  await until(async () => (await shop.get("/v1/customers/by/anonymous_id/me")).body?.counts?.product_viewed?.total === 1);

  const rule = section("A rule"), [, path] = /`(scripts\/[^`]+\.lua)`/.exec(rule), [, body] = /```lua\n([^]*?)```/.exec(rule);
  const before = answer.generation;
  writeFileSync(join(dir, "shop", path), body);
  await until(async () => (await shop.get("/ready")).body.generation > before);
  assert.equal((await shop.get("/ready")).body.scripts, "ok", shop.log);
  const ranked = await shop.post("/v1/rank", { customer: { anonymous_id: "shopper-7-001" }, ranking: "collection", where: {}, limit: 3, explain: true });
  assert.deepEqual([ranked.status, ranked.body.items.length, ranked.body.fallback], [200, 3, undefined], ranked.text);
});

test("a shop of your own", async (t) => {
  const dir = folder(t, { "products.jsonl": products(5).map((one) => JSON.stringify(one)).join("\n") }), port = 20000 + ((process.pid + 7777) % 20000);
  const [body] = shell(section("A shop of your own"));
  const lines = body.trim().split("\n").map((line) => line.replace(/^build\/attune/, program));
  const serving = lines.findIndex((line) => line.endsWith("&"));
  assert.ok(serving > 0 && lines.length === 5, body);
  sh(lines.slice(0, serving).join("\n"), dir);
  const server = spawn(program, [...lines[serving].split(/\s+/).slice(1, -1), "--listen", `127.0.0.1:${port}`], { cwd: dir, stdio: "ignore" });
  t.after(() => server.kill("SIGKILL"));
  await until(() => fetch(`http://127.0.0.1:${port}/ready`).then((answer) => answer.ok, () => false));
  const said = sh(lines.slice(serving + 1).join("\n"), dir);
  assert.match(said, /5/, said);
  const answer = await fetch(`http://127.0.0.1:${port}/v1/catalog/items/SKU-1`);
  assert.equal(answer.status, 200, "what was imported is there");
});

test("what it points at and counts is there", () => {
  assert.ok(text.includes("prints three `curl` lines"));
  assert.equal(readFileSync(join(root, "tools/run.sh"), "utf8").match(/^ +curl /gm).length, 3);
  for (const [, path] of text.matchAll(/\]\(([^)#]+)\)/g)) if (!/^https?:/.test(path)) assert.ok(sh(`ls -d "${path}"`, root), path);
});
