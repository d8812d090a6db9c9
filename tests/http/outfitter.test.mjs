// SPDX-License-Identifier: Apache-2.0
//
// The example shop: shoppers with a taste find it in their top 10, those without get the popularity order; two shoppers get two
// orders of one list. And the rules of a check: a planted include is found.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { folder, root, run, Server } from "./harness.mjs";

test("tastes show, strangers see what everyone buys", async (t) => {
  const dir = folder(t, {});
  cpSync(join(root, "examples/outfitter"), dir, { recursive: true });
  const shop = new Server(dir);
  await shop.start();
  t.after(() => shop.stop("SIGKILL"));
  assert.equal(run(["import", "catalog", join(dir, "catalog.jsonl"), "--shop", dir]).code, 0);
  const checked = spawnSync("node", [join(root, "examples/outfitter/traffic.mjs"), "--url", shop.url, "--check", "--settle", "4"], { encoding: "utf8", timeout: 120000 });
  assert.equal(checked.status, 0, checked.stdout + checked.stderr);
  console.log(`property: ${/.*shoppers with a taste.*/.exec(checked.stdout)?.[0]}`);
  const list = async (who) => (await shop.post("/v1/rank", { customer: { anonymous_id: who }, ranking: "for_you", where: {}, limit: 10 })).body.items.map((item) => item.id);
  assert.notDeepEqual(await list("shopper-7-001"), await list("shopper-7-002"));
});

test("make check fails on a planted include of lua.h in ranking/", (t) => {
  const dir = folder(t, {});
  const clone = spawnSync("git", ["clone", "-q", root, join(dir, "clone")], { encoding: "utf8" });
  if (clone.status !== 0) return t.skip("not a repository");
  const file = join(dir, "clone/runtime/ranking/rank.c");
  const check = () => spawnSync("sh", ["tools/check.sh"], { cwd: join(dir, "clone"), encoding: "utf8", timeout: 120000 });
  writeFileSync(file, `${readFileSync(file, "utf8")}#include "lua.h"\n`);
  const planted = check();
  assert.equal(planted.status, 1);
  assert.match(planted.stdout, /runtime\/ranking\/rank\.c includes lua\.h: only script language may/);
  rmSync(join(dir, "clone"), { recursive: true });
});
