// SPDX-License-Identifier: Apache-2.0
//
// Addresses: HEAD and OPTIONS of every route, preflight only where write keys may go, methods that are not there, addresses
// of later versions, what is escaped in an address, and that answers on one connection never mix.
import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { basicShop, bearer, KEYS, products, raw, serve } from "./harness.mjs";

const origin = "https://shop.example", secret = bearer("sk_first_1"), write = bearer("wk_first_1");
const fill = (path) => path.replace("{writeKey}", "wk_first_1").replace("{path}", "scripts/x.lua").replace("{kind}", "user_id").replace(/\{\w+\}/g, "1");
const routes = (document) => Object.entries(document.paths).map(([path, methods]) => ({ path, address: fill(path), methods: Object.keys(methods).map((one) => one.toUpperCase()), operations: Object.values(methods) }));
/* An address may be of two patterns: "/v1/scripts/check" is a script's path for PUT and DELETE. */
const methodsAt = (all, address) => all.filter((one) => one.address === address || (one.path === "/v1/scripts/{path}" && /^\/v1\/scripts\/./.test(address))).flatMap((one) => one.methods);
const allowed = (methods) => [...["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].filter((one) => methods.includes(one === "HEAD" ? "GET" : one)), "OPTIONS"].join(", ");
const takesWriteKey = (route) => route.operations.some((one) => one.security.some((key) => "write_key" in key)) || route.path.includes("{writeKey}");

test("HEAD answers what GET would, without the body", async (t) => {
  const shop = await serve(t, basicShop(KEYS));
  await shop.call("PUT", "/v1/catalog/items", products(3), secret);
  let count = 0;
  for (const route of routes((await shop.get("/openapi.json")).body)) {
    if (!route.methods.includes("GET") || route.path === "/v1/live") continue;
    for (const headers of [secret, write, {}]) {
      const get = await shop.get(route.address, headers), head = await shop.call("HEAD", route.address, undefined, headers);
      assert.equal(head.status, get.status, route.address);
      assert.equal(head.text, "", route.address);
      assert.equal(head.headers.get("content-type"), get.headers.get("content-type"), route.address);
      if (route.path !== "/metrics") assert.equal(Number(head.headers.get("content-length")), Buffer.byteLength(get.text), route.address);
      count++;
    }
  }
  assert.ok(count >= 40, `${count} calls`);
  const live = await raw(shop.port, "HEAD /v1/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk_first_1\r\n\r\n");
  assert.match(live.text, /^HTTP\/1\.1 200 [^]*text\/event-stream[^]*\r\n\r\n$/);
  assert.ok(live.closed, "a stream without a body ends");
});

test("OPTIONS says what there is; preflight only for origins of shop.lua, only where write keys go", async (t) => {
  const shop = await serve(t, basicShop(KEYS));
  const all = routes((await shop.get("/openapi.json")).body);
  for (const route of all) {
    const ask = (from) => shop.call("OPTIONS", route.address, undefined, { origin: from, "access-control-request-method": "POST", "access-control-request-headers": "content-type" });
    const [plain, ours, theirs] = [await shop.call("OPTIONS", route.address), await ask(origin), await ask("https://evil.example")];
    for (const answer of [plain, ours, theirs]) {
      assert.deepEqual([answer.status, answer.text], [204, ""], route.address);
      assert.equal(answer.headers.get("allow"), allowed(methodsAt(all, route.address)), route.address);
    }
    const expected = takesWriteKey(route) ? origin : null;
    assert.equal(ours.headers.get("access-control-allow-origin"), expected, route.address);
    assert.equal(ours.headers.get("access-control-allow-headers"), expected && "authorization, content-type, x-retry-count", route.address);
    assert.equal(ours.headers.get("access-control-max-age"), expected && "86400", route.address);
    if (expected) assert.equal(ours.headers.get("vary"), "Origin");
    for (const name of ["access-control-allow-origin", "access-control-allow-methods"]) assert.deepEqual([plain.headers.get(name), theirs.headers.get(name)], [null, null], route.address);
  }
  assert.match((await raw(shop.port, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")).text, /^HTTP\/1\.1 204 [^]*Allow: GET, HEAD, POST/);
  assert.equal((await shop.call("OPTIONS", "/v1/nothing")).status, 404);
});

test("an answer to a page carries its origin, an error too; others get none", async (t) => {
  const shop = await serve(t, basicShop(KEYS));
  const from = (address, headers, body = {}) => shop.post(address, body, { origin, ...headers });
  for (const [answer, status] of [[await from("/v1/track", write, { anonymousId: "v", event: "A" }), 200], [await from("/v1/track", write), 400],
    [await from("/v1/track", {}), 401], [await from("/v1/rank", write, { ranking: "nope" }), 422], [await from("/v1/rank", write, "{"), 400]]) {
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.headers.get("access-control-allow-origin"), origin);
    assert.equal(answer.headers.get("vary"), "Origin");
  }
  assert.equal((await from("/v1/scripts", secret, { files: {} })).headers.get("access-control-allow-origin"), null);
  assert.equal((await from("/v1/track", { ...write, origin: "https://shop.example.evil.example" })).headers.get("access-control-allow-origin"), null);
});

test("a method that is not there is 405 with Allow; nothing is done by it", async (t) => {
  const shop = await serve(t, basicShop(KEYS));
  const all = routes((await shop.get("/openapi.json")).body);
  for (const route of all)
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
      if (methodsAt(all, route.address).includes(method)) continue;
      const answer = await shop.call(method, route.address, method === "GET" ? undefined : {}, secret);
      assert.equal(answer.status, 405, `${method} ${route.address}: ${answer.text}`);
      assert.equal(answer.body.error.code, "method_not_allowed");
      assert.equal(answer.headers.get("allow"), allowed(methodsAt(all, route.address)), route.address);
    }
  for (const method of ["TRACE", "PROPFIND", "CONNECT"])
    assert.match((await raw(shop.port, `${method} ${method === "CONNECT" ? "x:1" : "/health"} HTTP/1.1\r\nHost: x\r\n\r\n`)).text, /^HTTP\/1\.1 (400|405|501) /, method);
});

test("addresses of later versions say so, whatever the method, with no key asked for", async (t) => {
  const shop = await serve(t, basicShop(KEYS));
  const later = {
    POST: ["/v1/recommend", "/v1/search", "/v1/creative", "/v1/assist", "/v1/scripts/rehearse", "/v1/sources/postmark", "/v1/sources/mailgun", "/v1/copy/decide", "/u/token"],
    GET: ["/v1/suggest?q=a", "/v1/copy?state=waiting", "/v1/reports/sales?from=a", "/v1/experiments/x", "/v1/flows/x", "/v1/customers/1/journeys",
      "/v1/customers/by/user_id/a/journeys", "/u/token", "/attune.js", "/console/", "/console/app.js", "/v1/search"],
    PATCH: ["/v1/copy/7"], OPTIONS: ["/v1/search"],
  };
  for (const [method, addresses] of Object.entries(later))
    for (const address of addresses) {
      const answer = await shop.call(method, address, ["POST", "PATCH"].includes(method) ? {} : undefined);
      assert.deepEqual([answer.status, answer.body?.error.code], [404, "not_in_this_version"], `${method} ${address}: ${answer.text}`);
      assert.match(answer.body.error.message, /is not in this version$/);
    }
  const documented = (await shop.get("/openapi.json")).body.paths;
  for (const address of Object.values(later).flat()) if (!address.startsWith("/v1/customers")) assert.equal(documented[address.split("?")[0]], undefined, address);
  for (const address of ["/", "/v1", "/v1/", "/v1/track/", "/v1//track", "/V1/track", "/v1/%74rack", "/v1/customers", "/v1/generations/1", "/health/", "/favicon.ico", "/../health"])
    assert.match((await raw(shop.port, `GET ${address} HTTP/1.1\r\nHost: x\r\n\r\n`)).text, /^HTTP\/1\.1 404 [^]*"unknown_address"/, address);
});

test("an address is decoded once, in its parts; a broken one is refused, never guessed", async (t) => {
  const shop = await serve(t, basicShop(KEYS));
  const ids = ["SKU 1", "a/b", "100%", "ü–€", "a+b", "x?y#z", "%41", "..", "a&b=c"];
  assert.equal((await shop.call("PUT", "/v1/catalog/items", ids.map((id) => ({ id, price: 1, stock: 1 })), secret)).status, 200);
  for (const id of ids) {
    /* fetch would take ".." for a step up */
    const text = (await raw(shop.port, `GET /v1/catalog/items/${encodeURIComponent(id)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk_first_1\r\nConnection: close\r\n\r\n`)).text;
    assert.equal(JSON.parse(text.slice(text.indexOf("\r\n\r\n"))).id, id);
  }
  for (const part of ["%", "%2", "%zz", "%00", "a%00b", "%ff", "%C3", "%ED%A0%80"])
    for (const method of ["GET", "DELETE"]) {
      const text = (await raw(shop.port, `${method} /v1/catalog/items/${part} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk_first_1\r\n\r\n`, { quiet: 150 })).text;
      assert.match(text, /^HTTP\/1\.1 400 [^]*"bad_path"[^]*"field":"id"/, `${method} ${part}: ${text}`);
    }
  const script = 'ranking "y" { score = function(product) return 1 end }\n';
  for (const query of ["expect=%zz", "expect=%", "message=%ff", "message=%00"]) {
    const answer = await shop.call("PUT", `/v1/scripts/scripts/y.lua?${query}`, script, secret);
    assert.deepEqual([answer.status, answer.body.error.code], [400, "bad_query"], query);
  }
  for (const query of ["expect=", "expect=1.5", "expect=-1", "expect=1x", "expect=99999999999999999999999"]) {
    const answer = await shop.call("PUT", `/v1/scripts/scripts/y.lua?${query}`, script, secret);
    assert.deepEqual([answer.status, answer.body.error.code, answer.body.error.field], [422, "bad_number", "expect"], query);
  }
  const stale = await shop.call("PUT", "/v1/scripts/scripts/y.lua?expect=77", script, secret);
  assert.equal(stale.status, 409, "a generation that does not serve");
  for (const query of ["complete=yes", "complete=", "complete", "complete=true&sure=maybe", "complete=TRUE"]) {
    const answer = await shop.call("PUT", `/v1/catalog/items?${query}`, [], secret);
    assert.deepEqual([answer.status, answer.body.error.code], [422, "bad_boolean"], query);
  }
  for (const limit of ["0", "1001", "x", "", "-1", "1e2"]) assert.equal((await shop.get(`/v1/customers/by/user_id/u/timeline?limit=${limit}`, secret)).status, 422, limit);
  assert.equal((await shop.get("/v1/customers/by/colour/u", secret)).body.error.code, "unknown_kind");
  assert.deepEqual((await shop.get("/v1/scripts", secret)).body.files.map((one) => one.path), ["scripts/rails/stock.lua", "scripts/rankings/collection.lua"], "nothing was published");
});

test("a script that is not UTF-8 is refused, not changed", async (t) => {
  const shop = await serve(t, basicShop(KEYS));
  const text = Buffer.concat([Buffer.from("-- "), Buffer.from([0xff]), Buffer.from('\nranking "z" { score = function(product) return 1 end }\n')]);
  const answer = await shop.call("PUT", "/v1/scripts/scripts/z.lua", text, { ...secret, "content-type": "text/plain" });
  assert.deepEqual([answer.status, answer.body.error.code], [400, "bad_utf8"]);
  assert.match(answer.body.error.message, /byte 3/);
  const good = '-- ü "quoted" \\ \t€\nranking "z" { score = function(product) return 1 end }\n';
  assert.equal((await shop.call("PUT", "/v1/scripts/scripts/z.lua", good, { ...secret, "content-type": "text/x-lua" })).status, 200);
  assert.equal((await shop.get("/v1/scripts", secret)).body.files.find((one) => one.path === "scripts/z.lua").text, good);
});

test("answers of all sizes on one connection are whole and in order", async (t) => {
  const shop = await serve(t, basicShop(), { args: ["--workers", "1"] });
  await shop.call("PUT", "/v1/catalog/items", products(3000));
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const rank = (limit) => new Promise((done, fail) => {
    const body = JSON.stringify({ ranking: "collection", where: {}, limit, fields: ["title"] });
    const request = http.request({ port: shop.port, method: "POST", path: "/v1/rank", agent, headers: { "content-length": Buffer.byteLength(body) } }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part) => (text += part)).on("end", () => done(JSON.parse(text)));
    });
    request.on("error", fail).end(body);
  });
  const decisions = new Set();
  let seed = 7;
  for (let i = 0; i < 200; i++) {
    seed = (seed * 48271) % 2147483647;
    const limit = i % 20 === 0 ? 3000 : 1 + (seed % 40);
    const answer = await rank(limit);
    assert.equal(answer.items.length, limit);
    assert.equal(answer.total, 3000);
    decisions.add(answer.decision);
  }
  assert.equal(decisions.size, 200);
  const many = await Promise.all(Array.from({ length: 300 }, (_, i) => shop.post("/v1/rank", { ranking: "collection", where: {}, limit: 1 + (i % 50) })));
  many.forEach((answer, i) => assert.equal(answer.body.items.length, 1 + (i % 50)));
});
