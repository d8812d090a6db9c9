// SPDX-License-Identifier: Apache-2.0
//
// Every route of the document with no, write, secret and wrong key; HEAD, OPTIONS, 404, 405; the document both ways.
import assert from "node:assert/strict";
import { test } from "node:test";
import { basic, basicShop, bearer, checkSchema, folder, KEYS, operations, products, run, serve, Server, SHOP } from "./harness.mjs";

const bodies = {
  track: { anonymousId: "v", event: "A" }, page: { anonymousId: "v" }, screen: { anonymousId: "v" }, identify: { anonymousId: "v", traits: {} },
  group: { anonymousId: "v", groupId: "g" }, alias: { userId: "u", previousId: "v" }, batch: { batch: [] }, import: { batch: [] },
  rank: { ranking: "collection", where: {} }, decide: { ask: {} }, put_items: products(3), patch_items: { id: "SKU-1", stock: 2 }, patch_item: { stock: 3 },
  publish_scripts: { files: {} }, check_scripts: { files: {} }, put_script: 'ranking "x" { score = function(product) return 1 end }', activate_generation: {},
  consent: { purpose: "email_marketing", status: "granted" }, consent_by: { purpose: "email_marketing", status: "denied" },
  privacy_request_add: { kind: "erase", identifier: { kind: "email", value: "none@example.com" } }, privacy_request_move: { state: "refused" },
  unmerge: { identifier: { kind: "user_id", value: "u-1" } }, unmerge_by: { identifier: { kind: "email", value: "v@example.com" } },
};
const parameters = { id: "SKU-1", kind: "anonymous_id", value: "v", writeKey: "wk_first_1", path: "scripts/x.lua", name: "all" };

test("every documented route, with every kind of key; answers fit the document", async (t) => {
  const shop = await serve(t, { ...basicShop(KEYS), "scripts/segments.lua": 'segment "all" { when = function(customer) return true end }' });
  await shop.call("PUT", "/v1/catalog/items", products(3), bearer("sk_first_1"));
  await shop.post("/v1/track", { anonymousId: "v", event: "A" }, basic("wk_first_1"));
  await shop.post("/v1/identify", { anonymousId: "v", userId: "u-1", traits: { email: "v@example.com" } }, basic("wk_first_1"));
  await shop.post("/v1/import", { batch: [], mark: { name: "first", state: {} } }, bearer("sk_first_1"));
  const customer = (await shop.get("/v1/customers/by/anonymous_id/v", bearer("sk_first_1"))).body.id;
  for (const id of ["leaves", "goes"]) await shop.post("/v1/identify", { userId: id }, bearer("sk_first_1"));
  const leaving = (await shop.get("/v1/customers/by/user_id/leaves", bearer("sk_first_1"))).body.id;
  const asked = (await shop.post("/v1/privacy/requests", { kind: "export", identifier: { kind: "anonymous_id", value: "v" } }, bearer("sk_first_1"))).body.id;
  const decision = (await shop.post("/v1/rank", bodies.rank, basic("wk_first_1"))).body.decision;
  const document = (await shop.get("/openapi.json")).body;
  assert.equal(document.openapi, "3.1.0");
  let count = 0;
  for (const { path, method, operation } of operations(document)) {
    if (operation.operationId === "live") continue;
    const fill = { ...parameters };
    if (path.includes("/customers/{id}")) fill.id = customer;
    if (path.includes("/privacy/")) fill.id = asked;
    if (operation.operationId === "erase") fill.id = leaving;
    if (operation.operationId === "erase_by") Object.assign(fill, { kind: "user_id", value: "goes" });
    if (path.includes("/decisions/{id}")) fill.id = decision;
    if (path.includes("/imports/{name}")) fill.name = "first";
    if (path.includes("/generations/{id}")) fill.id = "1";
    if (path.startsWith("/v1/blame/")) Object.assign(fill, { line: "1", path: "scripts/rankings/collection.lua" });
    const real = path.replace(/\{(\w+)\}/g, (_, name) => (name === "path" ? fill.path : encodeURIComponent(fill[name])));
    const body = operation.requestBody ? bodies[operation.operationId] ?? {} : undefined;
    const call = (headers) => shop.call(method, real, body, headers);
    const need = operation.security.length ? Object.keys(operation.security[0])[0] : "none";
    const [none, wrong, write, secret] = [await call(), await call(bearer("nonsense-key")), await call(basic("wk_second_2")), await call(bearer("sk_second_2"))];
    const label = `${method} ${real}`;
    if (operation.operationId === "backup") { /* no key opens it: only who may open the data folder */
      for (const answer of [write, secret]) assert.equal(answer.status, 403, answer.text);
      continue;
    }
    if (operation.operationId === "shopify") { /* no key opens it, and here it is no source */
      for (const answer of [none, wrong, write, secret]) assert.deepEqual([answer.status, answer.body.error.code], [404, "unknown_source"], answer.text);
      continue;
    }
    if (need !== "none") {
      assert.deepEqual([none.status, wrong.status], [401, 401], `${label}: ${none.text} ${wrong.text}`);
      assert.equal(none.body.error.code, "no_key");
      assert.equal(write.status < 400, need === "write_key", `${label} with a write key: ${write.status} ${write.text}`);
      if (need === "secret_key") assert.equal(write.status, 403, label);
    }
    const done = need === "none" ? none : secret;
    assert.ok(done.status < 300 || method === "DELETE", `${label}: ${done.status} ${done.text}`);
    const content = operation.responses["200"].content?.["application/json"];
    if (content && done.status === 200) checkSchema(document, content.schema, done.body, label);
    count++;
  }
  assert.ok(count >= 35, `${count} routes`);
  assert.ok(!/wk_first_1|sk_first_1|wk_second|sk_second/.test(shop.log), "no key in the log");
});

test("404, 405 with Allow, HEAD, OPTIONS; later routes say so", async (t) => {
  const shop = await serve(t);
  assert.equal((await shop.get("/v1/nothing")).status, 404);
  const wrong = await shop.get("/v1/track");
  assert.deepEqual([wrong.status, wrong.headers.get("allow")], [405, "POST, OPTIONS"]);
  const head = await shop.call("HEAD", "/health");
  assert.deepEqual([head.status, head.text, head.headers.get("content-length")], [200, "", "15"]);
  const options = await shop.call("OPTIONS", "/v1/catalog/items/x");
  assert.deepEqual([options.status, options.headers.get("allow")], [204, "GET, HEAD, PATCH, DELETE, OPTIONS"]);
  for (const [method, path] of [["POST", "/v1/search"], ["POST", "/v1/recommend"], ["GET", "/v1/suggest"], ["POST", "/v1/sources/mailgun"]]) {
    const later = await shop.call(method, path, method === "POST" ? {} : undefined);
    assert.deepEqual([later.status, later.body.error.code], [404, "not_in_this_version"], path);
  }
});

test("keys are settings: an unset one is named; without keys only this machine", async (t) => {
  const dir = folder(t, { ...basicShop(), "shop.lua": SHOP + 'keys { write = env "A_KEY_NOBODY_SET", secret = env "B" }\n' });
  const unset = run(["serve", dir, "--listen", "127.0.0.1:0"]);
  assert.equal(unset.code, 3);
  assert.match(unset.err, /A_KEY_NOBODY_SET is not set/);
  const open = run(["serve", folder(t, basicShop()), "--listen", "0.0.0.0:0"]);
  assert.equal(open.code, 3);
  assert.match(open.err, /only this machine/);
  const server = new Server(dir, [], { A_KEY_NOBODY_SET: "wk_from_env_1", B: "sk_from_env_1" });
  await server.start();
  t.after(() => server.stop("SIGKILL"));
  assert.equal((await server.post("/v1/track", { anonymousId: "v", event: "A" }, basic("wk_from_env_1"))).status, 200);
  assert.equal((await server.post("/v1/track", { anonymousId: "v", event: "A", writeKey: "sk_from_env_1" })).status, 401, "a secret key does not travel in a body");
});
