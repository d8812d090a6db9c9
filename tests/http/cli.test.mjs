// SPDX-License-Identifier: Apache-2.0
//
// The program as people use it: every verb with --help, exit codes, errors that say what to do; with a server and without.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { basicShop, folder, products, program, root, run, serve } from "./harness.mjs";

test("every verb has help; misspelt ones get a suggestion", () => {
  const all = run(["--help"]);
  assert.equal(all.code, 0);
  const verbs = [...all.out.matchAll(/^ {2}attune (\w+)/gm)].map((found) => found[1]);
  assert.deepEqual(verbs, ["new", "serve", "check", "test", "stubs", "import", "audit", "explain", "identity", "export", "erase", "segments", "generations", "diff", "blame", "publish", "rollback", "backup", "restore", "resume", "version"]);
  for (const verb of verbs) {
    const help = run([verb, "--help"]);
    assert.equal(help.code, 0);
    assert.match(help.out, new RegExp(`^attune ${verb}`));
  }
  assert.match(run(["serv"]).err, /did you mean "serve"/);
  assert.equal(run(["serv"]).code, 2);
  assert.match(run(["serve", "x", "--liste", "y"]).err, /did you mean --listen/);
  assert.equal(run([]).code, 2);
  assert.match(run(["version"]).out, /^attune \d+\.\d+/);
  for (const shell of ["bash", "zsh", "fish"]) assert.match(run(["completion", shell]).out, /rollback/);
  assert.equal(spawnSync("bash", ["-n"], { input: run(["completion", "bash"]).out }).status, 0);
  assert.match(run(["unit", root]).out, /ExecStart=.*attune serve /);
});

test("new writes the consent rules of the shop's country", (t) => {
  const base = folder(t, {});
  for (const [country, is] of [["DE", /^consent \{[^}]*EU = "opt-in"/m], ["gb", /in Europe/], ["US", /in the United States/], ["JP", /law of your country/], [undefined, /^-- consent \{/m]]) {
    const dir = join(base, `shop-${country}`);
    const made = run(["new", dir, ...(country ? ["--country", country] : [])]);
    assert.equal(made.code, 0, made.err);
    const text = readFileSync(join(dir, "shop.lua"), "utf8");
    assert.match(text, is);
    assert.equal(text.split("SPDX").length, 2);
    const checked = run(["check", dir]);
    assert.equal(checked.code, 0, checked.out + checked.err);
  }
  const wrong = run(["new", join(base, "x"), "--country", "Germany"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /two letters/);
});

test("new, check, import, generations, rollback without a server", (t) => {
  const base = folder(t, {}), dir = join(base, "shop");
  assert.equal(run(["new", dir]).code, 0);
  assert.equal(run(["new", dir]).code, 3, "nothing is overwritten");
  const good = run(["check", dir]);
  assert.equal(good.code, 0, good.out + good.err);
  assert.match(good.out, /all at once/);
  assert.doesNotMatch(good.out, /warning|product by product/);
  writeFileSync(join(base, "p.jsonl"), [...products(3).map((one) => JSON.stringify(one)), "{bad", '{"id":"x","price":"y"}'].join("\n"));
  const taken = run(["import", "catalog", join(base, "p.jsonl"), "--shop", dir]);
  assert.equal(taken.code, 1);
  assert.match(taken.out, /3 products taken, 0 unchanged, 0 retired, 2 rows not accepted/);
  assert.match(taken.err, /line 4.*\n[^]*line 5 \(x\)/);
  writeFileSync(join(base, "p.csv"), "id,title,price,tags\nA,\"Sofa, red\",19.5,new|sale\nB,Lamp,7,\n");
  assert.match(run(["import", "catalog", join(base, "p.csv"), "--shop", dir]).out, /2 products taken/);
  const scripts = readdirSync(join(dir, "scripts"), { recursive: true }).filter((name) => name.endsWith(".lua")).length;
  assert.match(run(["generations", "--shop", dir]).out, new RegExp(`^\\*\\s+1 .*  ${scripts} files  folder`));
  writeFileSync(join(dir, "scripts/rankings/collection.lua"), 'ranking "collection" {\n  score = function(product) return prodct.price end\n}\n');
  const bad = run(["check", dir]);
  assert.equal(bad.code, 1);
  assert.match(bad.out, /collection\.lua:2:36 .*did you mean 'product'/);
  assert.match(bad.out, /\n\s+\^{6}\n/, "the place is marked");
  assert.equal(run(["rollback", "x", "--shop", dir]).code, 2);
  assert.equal(run(["import", "catalog", "/nowhere.jsonl", "--shop", dir]).code, 3);
});

test("new and stubs write what an editor needs to know the words", async (t) => {
  const base = folder(t, {}), dir = join(base, "shop"), stubs = join(dir, ".attune/stubs.lua");
  const made = run(["new", dir]);
  assert.equal(made.code, 0, made.err);
  assert.match(made.out, /\.attune\/stubs\.lua\n.*\.luarc\.json\n/);
  const settings = JSON.parse(readFileSync(join(dir, ".luarc.json"), "utf8"));
  assert.deepEqual([settings["runtime.version"], settings["workspace.library"], settings["runtime.path"]], ["Lua 5.4", [".attune"], ["scripts/?.lua"]]);
  const class_of = (name) => readFileSync(stubs, "utf8").split("\n\n").find((part) => part.includes(`---@class ${name}\n`));
  assert.match(class_of("Product"), /---@field price number\?\n[^]*---@field \[string\] any/);
  assert.match(class_of("Ranking"), /---@field score fun\(product: Product, customer: Customer, page: Page\): number\?\n/);
  assert.equal(spawnSync("luac5.4", ["-p", stubs]).status ?? 0, 0, "it is Lua");
  writeFileSync(join(dir, ".luarc.json"), "{}");
  writeFileSync(join(dir, "shop.lua"), 'shop "s" { currency = "EUR" }\nattributes { season = "text", rivals = "list" }\nkeys { write = env "NOT_SET_HERE" }\n');
  writeFileSync(join(dir, "scripts/segments.lua"), 'segment "regular" { when = function(customer) return customer.orders.count > 3 end }\n');
  assert.equal(run(["stubs", dir]).code, 0);
  assert.match(class_of("Product"), /---@field rivals List\?\n---@field season string\?\n/);
  assert.match(readFileSync(stubs, "utf8"), /---@alias SegmentName string(\|"(active|lapsing|new|regular|vip)"){5}\n/);
  assert.equal(readFileSync(join(dir, ".luarc.json"), "utf8"), "{}", "it is the merchant's own");
  assert.equal(run(["stubs", join(base, "nowhere")]).code, 3);
  writeFileSync(join(dir, "shop.lua"), "shop {");
  const wrong = run(["stubs", dir]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /shop\.lua:1/);
});

test("stubs of a shop with a catalog have its attributes, served or not", async (t) => {
  const shop = await serve(t, basicShop());
  writeFileSync(join(shop.dir, "p.jsonl"), products(3, () => ({ season: "winter", vegan: true, sizes: ["S"] })).map((one) => JSON.stringify(one)).join("\n"));
  assert.equal(run(["import", "catalog", join(shop.dir, "p.jsonl"), "--shop", shop.dir]).code, 0);
  const read = () => {
    const done = run(["stubs", shop.dir]);
    assert.equal(done.code, 0, done.err);
    return readFileSync(join(shop.dir, ".attune/stubs.lua"), "utf8").split("\n\n").find((part) => part.includes("---@class Product\n"));
  };
  const served = read();
  assert.match(served, /---@field season string\?\n/);
  assert.match(served, /---@field vegan boolean\?$/m);
  assert.match(served, /---@field sizes List\?$/m);
  assert.doesNotMatch(served, /---@field \[string\]/, "there are no others");
  await shop.stop();
  assert.equal(read(), served);
});

test("verbs speak to the process that owns the data folder", async (t) => {
  const shop = await serve(t, basicShop());
  writeFileSync(join(shop.dir, "p.jsonl"), products(9).map((one) => JSON.stringify(one)).join("\n"));
  const taken = run(["import", "catalog", join(shop.dir, "p.jsonl"), "--shop", shop.dir]);
  assert.equal(taken.code, 0, taken.err);
  const list = await shop.post("/v1/rank", { ranking: "collection", where: {}, limit: 2 });
  assert.equal(list.body.total, 9);
  await shop.post("/v1/identify", { anonymousId: "v 1", userId: "ann", messageId: "m-1", traits: { email: "Ann@Example.com" } });
  const who = run(["identity", "explain", "email:ann@example.com", "--shop", shop.dir]);
  assert.equal(who.code, 0, who.err);
  assert.match(who.out, /^person p\w+\n(  \S+  \w+:.+\n){3}because these were named together[^\n]+\n(  \S+  anonymous_id:v 1  =  [^\n]+ identified, message m-1 from default\n)/);
  assert.deepEqual([run(["identity", "explain", "user_id:nobody", "--shop", shop.dir]).code, run(["identity", "show", "x", "--shop", shop.dir]).code], [1, 2]);
  const told = run(["explain", list.body.decision, "--why-not", "SKU-9", "--shop", shop.dir]);
  assert.equal(told.code, 0, told.err);
  assert.match(told.out, /line 3/);
  await shop.post("/v1/scripts", { files: { "scripts/x.lua": 'ranking "x" { score = function(product) return 1 end }' } });
  const back = run(["rollback", "1", "--shop", shop.dir]);
  assert.match(back.out, /generation 3 serves.*held/);
  assert.equal((await shop.get("/ready")).body.held, true);
  const second = run(["serve", shop.dir, "--listen", "127.0.0.1:0"]);
  assert.equal(second.code, 3);
  assert.match(second.err, /pid|process/);
});

test("installed, found by pkg-config, embedded from C and from Python", (t) => {
  const base = folder(t, {}), prefix = join(base, "prefix");
  const make = (...args) => spawnSync("make", ["-s", "-C", root, ...args], { encoding: "utf8" });
  const installed = make("install", `PREFIX=${prefix}`);
  assert.equal(installed.status, 0, installed.stderr);
  const env = { ...process.env, PKG_CONFIG_PATH: join(prefix, "lib/pkgconfig"), LD_LIBRARY_PATH: join(prefix, "lib") };
  const flags = spawnSync("pkg-config", ["--cflags", "--libs", "attune", "libuv"], { env, encoding: "utf8" }).stdout.trim().split(/\s+/);
  const built = spawnSync("cc", ["-Wall", "-Werror", join(root, "examples/embed/embed.c"), ...flags, "-o", join(base, "embed")], { env, encoding: "utf8" });
  assert.equal(built.status, 0, built.stderr);
  for (const [name, command] of [["c", [join(base, "embed")]], ["py", ["python3", join(root, "examples/embed/embed.py"), join(prefix, "lib/libattune.so")]]]) {
    const shop = join(base, name);
    assert.equal(run(["new", shop]).code, 0);
    mkdirSync(join(base, `data-${name}`));
    const ran = spawnSync(command[0], [...command.slice(1), shop, join(base, `data-${name}`)], { env, encoding: "utf8", timeout: 30000 });
    assert.equal(ran.status, 0, ran.stderr);
    assert.match(ran.stdout, /"accepted":3[^]*"success":true[^]*"id":"B"[^]*closed\n$/, ran.stdout);
  }
  const names = spawnSync("nm", ["-D", "--defined-only", join(prefix, "lib/libattune.so")], { encoding: "utf8" }).stdout;
  assert.ok(names.split("\n").filter(Boolean).every((line) => / attune_\w+$/.test(line)), "exports attune_* only");
  assert.ok(readFileSync(join(root, "examples/embed/embed.c"), "utf8").split("\n").length < 100);
  assert.ok(program);
});
