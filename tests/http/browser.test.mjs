// SPDX-License-Identifier: Apache-2.0
//
// A storefront in a real browser: headless Chromium opens the pages of a web server that is another origin than attune, with the
// snippet and the calls as docs/guide/identity.md has them and @segment/analytics-next as it is published. What the pages tell,
// offline, while they are left and from two devices, is one person's in the end, each event once.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { basicShop, bearer, root, serve, SHOP, until } from "./harness.mjs";

const SECRET = "sk_storefront_1", secret = bearer(SECRET), PATIENCE = { timeout: 25000 };
const sdk = readFileSync(join(root, "node_modules/@segment/analytics-next/dist/umd/index.js"));
const [section] = /^## From the storefront's page\n[^]*?(?=^## )/m.exec(readFileSync(join(root, "docs/guide/identity.md"), "utf8"));
const block = (kind) => new RegExp(`\`\`\`${kind}\\n([^]*?)\`\`\``).exec(section)[1];
const [, settings] = /<<'END'\n([^]*?)END\n/.exec(block("sh")), snippet = block("html");
const [viewed, added, listed, identified, ordered] = block("js").trim().split("\n");

const catalog = [["sofa-1", "Acme"], ["sofa-2", "Birch"], ["sofa-3", "Cedar"], ["sofa-4", "Acme"]].map(([id, brand]) =>
  ({ id, title: id, brand, category: "sofas", price: 499, stock: 5 }));
const USUAL = "sofa-1 sofa-2 sofa-3 sofa-4", HERS = "sofa-2 sofa-1 sofa-3 sofa-4";
const RANKING = 'ranking "collection" { score = function(product) return product.affinity end }\n';

/* ---- the browser ---- */

const profile = mkdtempSync(join(tmpdir(), "attune-chromium-"));
let browser;

before(async () => {
  const chromium = process.env.CHROMIUM ?? spawnSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).stdout.trim();
  assert.ok(chromium, "chromium is not installed: `make deps` installs it, or CHROMIUM names one");
  const { default: puppeteer } = await import("puppeteer-core");
  browser = await puppeteer.launch({
    executablePath: chromium, headless: true, userDataDir: profile, timeout: 20000, protocolTimeout: 20000,
    env: { ...process.env, HOME: profile, XDG_CONFIG_HOME: profile, XDG_CACHE_HOME: profile }, /* what it writes goes with the folder */
    args: ["--no-sandbox", "--disable-dev-shm-usage"], /* it may be root's, in a container: these pages are our own */
  });
});
after(async () => {
  const child = browser?.process();
  const closed = await Promise.race([browser?.close().then(() => true), new Promise((done) => setTimeout(done, 5000, false).unref())]);
  if (child && !closed) child.kill("SIGKILL");
  rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});

/** A shop's own web server: pages with a snippet, and the SDK's file as it is. */
async function storefront(t) {
  const site = { head: "" };
  const server = http.createServer((request, response) => {
    const isSdk = request.url === "/analytics-next.js";
    response.writeHead(200, { "content-type": isSdk ? "text/javascript" : "text/html; charset=utf-8", "cache-control": "no-store" });
    response.end(isSdk ? sdk : `<!doctype html><title>Shop</title><link rel="icon" href="data:,">
${site.head}<script>const show = (items) => (document.querySelector("#list").textContent = items.map((item) => item.id).join(" "));</script>
<p id="list"></p>`);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => (server.close(), server.closeAllConnections()));
  site.origin = `http://127.0.0.1:${server.address().port}`;
  return site;
}

/** attune with the guide's keys, and the storefront it lets in, whose pages have the guide's snippet. */
async function open(t, more = "") {
  const site = await storefront(t);
  const shop = await serve(t, { ...basicShop(SHOP + settings.replace("https://shop.example", site.origin) + more), "scripts/rankings/collection.lua": RANKING },
    { env: { ATTUNE_SECRET_KEY: SECRET } });
  await shop.call("PUT", "/v1/catalog/items", catalog, secret);
  site.head = head(shop.url);
  return { site, shop };
}
const head = (url) => snippet.replace("127.0.0.1:8080", new URL(url).host);
/** The same page, but the SDK asks attune for its settings, as it does where a shop has Segment's own snippet. */
const askingHead = (url) => {
  const asks = head(url).replace(/cdnSettings: \{[^]*?\n {2}\} \}, \{/, `cdnURL: "${url}" }, { integrations: { "Segment.io": { protocol: "http" } },`);
  assert.ok(asks.includes("cdnURL") && !asks.includes("cdnSettings"), asks);
  return asks;
};

/** A gateway between pages and attune, at the address it returns. on(request, answer) may answer itself and then says true. */
async function gateway(t, shop, on) {
  const server = http.createServer((request, response) => {
    const onward = http.request({ host: "127.0.0.1", port: shop.port, method: request.method, path: request.url, headers: request.headers }, async (answer) => {
      if (await on(request, response)) return answer.resume();
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => (server.close(), server.closeAllConnections()));
  return `http://127.0.0.1:${server.address().port}`;
}

/** A browser in which nobody was before. Remembers which messages its pages sent, and whom they asked. */
async function device(t, headers = {}) {
  const context = await browser.createBrowserContext(), sent = new Set(), asked = new Set(), paths = new Set(), errors = [];
  t.after(() => context.close());
  const note = (request) => {
    if (!/^https?:/.test(request.url())) return;
    asked.add(new URL(request.url()).origin);
    paths.add(new URL(request.url()).pathname);
    if (request.method() !== "POST" || !/\/v1\/[a-z]$/.test(request.url())) return;
    const body = JSON.parse(request.postData());
    for (const event of body.batch ?? [body]) sent.add(event.messageId);
  };
  const visit = async (address) => {
    const page = await context.newPage();
    page.setDefaultTimeout(10000);
    await page.setExtraHTTPHeaders(headers);
    page.on("request", note);
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(address);
    return page;
  };
  return { visit, sent, asked, paths, errors };
}

/* ---- what the tests say and ask ---- */

/** A line of the page's own, done when the SDK has tried to send it. */
const say = (page, line) => page.evaluate(`(async () => { await ${line}\n})()`);
/** The same without waiting for anything. */
const start = (page, lines) => page.evaluate(`{ ${lines} } undefined`);
/** As a person closes it: the page is told, and gone. */
const close = (page) => Promise.all([new Promise((done) => page.once("close", done)), page.close({ runBeforeUnload: true })]);
const list = async (page) => (await say(page, listed), page.$eval("#list", (one) => one.textContent));
const visitorOf = async (page) => {
  await page.waitForFunction(() => document.cookie.includes("ajs_anonymous_id="));
  return page.evaluate(() => /ajs_anonymous_id=([^;]+)/.exec(document.cookie)[1]);
};
const of = async (shop, kind, value) => (await shop.get(`/v1/customers/by/${kind}/${value}`, secret)).body;
const total = async (shop, kind, value, name) => (await of(shop, kind, value)).counts?.[name]?.total ?? 0;
const counted = (shop, visitor, name, count) => until(async () => (await total(shop, "anonymous_id", visitor, name)) >= count);
const metric = async (shop, name) => Number(new RegExp(`^${name} (\\S+)`, "m").exec((await shop.get("/metrics", secret)).text)[1]);
const timeline = async (shop, kind, value) => (await shop.get(`/v1/customers/by/${kind}/${value}/timeline?limit=200`, secret)).body.events;

test("from the first page view to one person on two devices", PATIENCE, async (t) => {
  const { site, shop } = await open(t);
  const laptop = await device(t), page = await laptop.visit(`${site.origin}/`), visitor = await visitorOf(page);
  await counted(shop, visitor, "page_viewed", 1);
  assert.equal(await list(page), USUAL);
  await say(page, viewed);
  await say(page, added);
  await until(async () => (await list(page)) === HERS);
  const cart = (await of(shop, "anonymous_id", visitor)).basket;
  assert.deepEqual([cart.value, cart.items.map((line) => line.product)], [499, ["sofa-2"]]);

  await say(page, identified);
  await counted(shop, visitor, "identified", 1);
  await page.reload();
  assert.equal(await visitorOf(page), visitor, "the same browser");
  await say(page, ordered);
  await counted(shop, visitor, "order_completed", 1);
  await counted(shop, visitor, "page_viewed", 2);
  const known = await of(shop, "user_id", "42");
  assert.deepEqual([known.sessions, known.session.pages, known.session.landing], [1, 2, "/"], "signing in is no new visit");
  assert.equal(known.session.started_at, known.first_seen);

  site.head = askingHead(shop.url);
  const phone = await device(t), small = await phone.visit(`${site.origin}/sale`), other = await visitorOf(small);
  assert.notEqual(other, visitor);
  await say(small, 'analytics.track("Product Added", { product_id: "sofa-3", price: 499, quantity: 2 });');
  await counted(shop, other, "product_added", 1);
  assert.equal((await of(shop, "anonymous_id", other)).identifiers.length, 1, "nobody knows yet who that is");
  await say(small, identified);
  const ann = await until(async () => {
    const one = await of(shop, "user_id", "42");
    return one.identifiers.filter((identifier) => identifier.kind === "anonymous_id").length === 2 && one;
  });
  assert.deepEqual(ann.identifiers.map(({ kind, value }) => `${kind} ${value}`).sort(),
    [`anonymous_id ${visitor}`, `anonymous_id ${other}`, "email ann@example.com", "user_id 42"].sort());
  for (const id of [visitor, other]) assert.equal((await of(shop, "anonymous_id", id)).id, ann.id);
  assert.deepEqual(Object.fromEntries(Object.entries(ann.counts).map(([name, count]) => [name, count.total])),
    { page_viewed: 3, product_viewed: 1, product_added: 2, identified: 2, order_completed: 1 });
  assert.deepEqual([ann.orders.count, ann.orders.revenue], [1, 499]);
  assert.deepEqual(ann.basket.items.map((line) => [line.product, line.quantity]), [["sofa-3", 2]], "what was bought is out of it");
  assert.equal(ann.sessions, 1);
  assert.match(await list(small), /^sofa-[23] sofa-[23] /, "what she liked on the laptop and put into the cart on the phone");

  const told = (await timeline(shop, "user_id", "42")).map((event) => event.message_id);
  assert.deepEqual(told.sort(), [...laptop.sent, ...phone.sent].sort(), "each message once");
  assert.deepEqual([...laptop.errors, ...phone.errors], []);

  /* The SDK's own figures are due every 30 s: they go to nobody. Nor does a link say who somebody is. */
  assert.ok([...phone.paths].some((path) => /^\/v1\/projects\/wk_storefront\/settings$/.test(path)));
  site.head = head(shop.url);
  await page.goto(`${site.origin}/?ajs_uid=eve&ajs_event=Won`);
  for (const one of [page, small]) {
    await one.evaluate("analytics.ready()");
    const devtools = await one.createCDPSession(), over = new Promise((done) => devtools.once("Emulation.virtualTimeBudgetExpired", done));
    await devtools.send("Emulation.setVirtualTimePolicy", { policy: "advance", budget: 31000 });
    await over;
    assert.ok((await one.evaluate(() => performance.now())) > 31000);
  }
  for (const one of [laptop, phone]) assert.deepEqual([...one.asked].sort(), [site.origin, shop.url].sort());
  assert.equal((await of(shop, "user_id", "eve")).error.code, "unknown_customer");
});

test("a page that is left right after it told something loses nothing", PATIENCE, async (t) => {
  const { site, shop } = await open(t);
  const laptop = await device(t), visitor = await visitorOf(await laptop.visit(site.origin));
  const tell = (i) => `analytics.track("Product Viewed", { product_id: "sofa-2", i: ${i} });`;
  const names = async () => (await timeline(shop, "anonymous_id", visitor)).filter((event) => event.event === "Product Viewed").map((event) => event.properties.i).sort();
  await counted(shop, visitor, "page_viewed", 1);

  /* Under way when the page goes, and so slowly that only what outlives a page arrives. */
  const usual = site.head;
  let left;
  const isLeft = new Promise((done) => (left = done));
  site.head = head(await gateway(t, shop, async (request) => request.url === "/v1/t" && request.method === "OPTIONS" && (await isLeft, false)));
  const page = await laptop.visit(site.origin);
  await Promise.all([page.waitForRequest((request) => request.url().endsWith("/v1/t")), start(page, tell(0))]);
  await close(page);
  setTimeout(left, 500); /* by then Chromium has given up what does not outlive the page */
  await counted(shop, visitor, "product_viewed", 1);

  /* Held back to be sent as a batch: it goes out while the page goes. */
  site.head = usual.replace("{ config: { keepalive: true } }", '{ strategy: "batching", config: { size: 100, timeout: 60000 } }');
  assert.notEqual(site.head, usual);
  const slow = await laptop.visit(site.origin);
  for (const i of [1, 2]) await say(slow, tell(i));
  assert.deepEqual(await names(), [0]);
  await close(slow);
  await counted(shop, visitor, "product_viewed", 3);
  site.head = usual;

  /* Left by the script that told: under way and kept in the browser for the next page, whose SDK tells it again. */
  const next = await laptop.visit(site.origin);
  for (const i of [3, 4, 5, 6]) {
    await next.evaluate("analytics.ready()");
    await Promise.all([next.waitForNavigation(), start(next, `${tell(i)} location.href = "/next?${i}";`)]);
  }
  await counted(shop, visitor, "product_viewed", 7);
  await next.waitForFunction(() => !Object.keys(localStorage).some((key) => /^persisted-queue.*:items$/.test(key)));
  await say(next, tell(7));
  await counted(shop, visitor, "product_viewed", 8);
  assert.deepEqual(await names(), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.equal(await metric(shop, "attune_events_conflict_total"), 0);
});

test("attune is away while a page tells: the SDK's own retries bring it in, once", PATIENCE, async (t) => {
  const { site, shop } = await open(t);
  const laptop = await device(t), [page, closed] = [await laptop.visit(site.origin), await laptop.visit(site.origin)];
  const visitor = await visitorOf(page), isRetry = (request) => "x-retry-count" in request.headers();
  await counted(shop, visitor, "page_viewed", 2);
  await shop.stop();
  await Promise.all([page.waitForRequest(isRetry), closed.waitForRequest(isRetry), start(page, `${viewed} ${added}`), start(closed, identified)]);
  await close(closed);
  assert.equal(await list(page), "", "no answer: the page keeps its own order");
  await laptop.visit(site.origin); /* which has the message of the closed one to tell, and its own */
  await shop.start(shop.lastPort);
  for (const name of ["product_viewed", "product_added", "identified"]) await counted(shop, visitor, name, 1);
  await counted(shop, visitor, "page_viewed", 3);
  const events = await timeline(shop, "user_id", "42");
  assert.deepEqual(events.map((event) => event.message_id).sort(), [...laptop.sent].sort(), "each message once");
  assert.equal(events.length, 6);
});

test("an answer is lost on its way: what the page tells again is the same", PATIENCE, async (t) => {
  const { site, shop } = await open(t);
  let tries = 0; /* the gateway takes the first event through, and gives up before its answer */
  const isEvent = (request) => request.method === "POST" && request.url === "/v1/t";
  site.head = head(await gateway(t, shop, (request, response) => isEvent(request) && ++tries === 1 && response.writeHead(504).end()));
  const page = await (await device(t)).visit(site.origin), visitor = await visitorOf(page);
  const isAgain = (response) => response.request().method() === "POST" && "x-retry-count" in response.request().headers();
  const [again] = await Promise.all([page.waitForResponse(isAgain), start(page, ordered)]);
  assert.deepEqual(await again.json(), { success: true });
  assert.equal(tries, 2);
  const known = await of(shop, "anonymous_id", visitor);
  assert.deepEqual([known.orders.count, known.orders.revenue, known.counts.order_completed.total], [1, 499, 1]);
  assert.deepEqual([await metric(shop, "attune_events_duplicate_total"), await metric(shop, "attune_events_conflict_total")], [1, 0]);
});

test("what the visitor told the consent banner holds from that moment", PATIENCE, async (t) => {
  const { site, shop } = await open(t, 'consent { analytics = "opt-in", personalization = "opt-in" }\n');
  const page = await (await device(t)).visit(site.origin), visitor = await visitorOf(page);
  const choose = (said) => page.evaluate((text) => localStorage.setItem("consent", text), JSON.stringify(said));
  const withheld = (count) => until(async () => (await metric(shop, "attune_events_withheld_total")) === count);
  await say(page, viewed);
  await withheld(2); /* the page view as well */
  assert.equal((await of(shop, "anonymous_id", visitor)).error.code, "unknown_customer", "nothing said, nothing kept");

  await choose({ analytics: true, personalization: false });
  await say(page, viewed);
  await counted(shop, visitor, "product_viewed", 1);
  assert.deepEqual((await of(shop, "anonymous_id", visitor)).consent, { analytics: "granted", personalization: "denied" });
  assert.equal(await list(page), USUAL);

  await choose({ analytics: true, personalization: true });
  await say(page, viewed);
  await until(async () => (await list(page)) === HERS);

  await choose({ analytics: false, personalization: false });
  await say(page, viewed);
  await withheld(3);
  assert.equal(await list(page), USUAL, "what was learned is not read");
  const known = await of(shop, "anonymous_id", visitor);
  assert.deepEqual(known.consent, { analytics: "denied", personalization: "denied" });
  assert.deepEqual([known.counts.product_viewed.total, known.counts.page_viewed], [2, undefined]);
});

test("a browser that sends Sec-GPC is no profile, and is told so", PATIENCE, async (t) => {
  const { site, shop } = await open(t, 'consent { analytics = "opt-out", personalization = "opt-out" }\n');
  const careful = await (await device(t, { "Sec-GPC": "1" })).visit(site.origin), plain = await (await device(t)).visit(site.origin);
  const [visitor, other] = [await visitorOf(careful), await visitorOf(plain)];
  for (const page of [careful, plain]) await say(page, viewed); /* in this order, and so they are learned */
  await until(async () => (await list(plain)) === HERS);
  await counted(shop, visitor, "product_viewed", 1);
  assert.equal(await list(careful), USUAL);
  const answer = (page) => page.evaluate('rank({ ranking: "collection", where: {} })');
  assert.deepEqual([(await answer(careful)).gpc, (await answer(plain)).gpc], ["honoured", undefined]);
  const known = await of(shop, "anonymous_id", visitor);
  assert.deepEqual(known.consent, { personalization: "denied", sale: "denied" });
  assert.ok(known.consent_statements.every((one) => one.gpc), JSON.stringify(known.consent_statements));
  assert.deepEqual((await of(shop, "anonymous_id", other)).consent, {});
});

test("a page of another origin, or with a key that is not known, brings nothing in", PATIENCE, async (t) => {
  const { site, shop } = await open(t);
  const stranger = await storefront(t), laptop = await device(t);
  const tries = async (address, html) => {
    stranger.head = site.head = html;
    const page = await laptop.visit("about:blank"), said = [];
    page.on("console", (message) => said.push(message.text()));
    await page.goto(address);
    await Promise.all([page.waitForRequest((request) => request.url() === `${shop.url}/v1/t`), start(page, viewed)]);
    await until(() => said.length);
    return `${await page.evaluate('rank({ ranking: "collection", where: {} }).then(JSON.stringify, (error) => error.message)')}\n${said.join("\n")}`;
  };
  assert.match(await tries(stranger.origin, head(shop.url)), /^Failed to fetch\n[^]*No 'Access-Control-Allow-Origin' header is present/);
  assert.match(await tries(site.origin, head(shop.url).replace("wk_storefront", "wk_of_nobody")), /^{"error":{"code":"no_key"[^]*\n[^]*401/);
  assert.equal(await metric(shop, "attune_events_accepted_total"), 0);
});
