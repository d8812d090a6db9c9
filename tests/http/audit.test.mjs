// SPDX-License-Identifier: Apache-2.0
//
// attune audit: real order lines against counts made by another tool, files that cannot be audited, a shop served and not served,
// the shape of its JSON and its page.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { test } from "node:test";
import { basicShop, bearer, folder, KEYS, products, run, serve, sharedData } from "./harness.mjs";

const found = (audit, code) => audit.findings.find((one) => one.code === code);
const audit = (args, options) => {
  const ran = run(["audit", ...args, "--json"], options);
  assert.equal(ran.code, 0, ran.err);
  return JSON.parse(ran.out);
};

/* Counts of the files' rows by Python's csv, which shares no code with what it is compared with. */
const counting = `
import collections, csv, glob, gzip, json, sys
counts, rows, lines, orders, customers, revenue = collections.Counter(), collections.Counter(), 0, set(), set(), 0.0
for path in sorted(glob.glob(sys.argv[1] + "/*.csv.gz")):
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        next(reader)
        for row in reader:
            lines += 1
            is_cancelled = row[0].startswith("C")
            quantity, price = float(row[3]), float(row[5])
            counts["lines_cancelled"] += is_cancelled
            counts["lines_without_customer"] += row[6] == ""
            counts["lines_price_not_positive"] += price <= 0
            counts["lines_quantity_not_positive"] += quantity <= 0 and not is_cancelled
            counts["lines_without_title"] += row[2] == ""
            rows[tuple(row)] += 1
            if not is_cancelled: orders.add(row[0])
            if row[6]: customers.add(row[6])
            if not is_cancelled and price * quantity > 0: revenue += price * quantity
counts["lines_repeated"] = sum(count - 1 for count in rows.values())
print(json.dumps({"findings": counts, "lines": lines, "orders": len(orders), "people": len(customers), "revenue": revenue}))
`;

test("order lines of a real shop, counted by another tool as well", (t) => {
  const data = join(sharedData, "uci-online-retail");
  if (!existsSync(data)) return t.skip("no data");
  const ran = spawnSync("python3", ["-c", counting, data], { encoding: "utf8", maxBuffer: 1 << 24 });
  assert.equal(ran.status, 0, ran.stderr);
  const other = JSON.parse(ran.stdout), json = audit([data]);
  for (const [code, count] of Object.entries(other.findings)) {
    assert.ok(count > 0, code);
    assert.deepEqual([code, found(json, code)?.count, found(json, code)?.of, found(json, code)?.error], [code, count, other.lines, 0]);
  }
  assert.equal(json.kind, "history");
  assert.deepEqual([json.files, json.counts.order_lines, json.counts.orders, json.counts.people], [12, other.lines, other.orders, other.people]);
  assert.ok(Math.abs(json.revenue - other.revenue) < 0.01);
  assert.match(json.columns, /^order_id=InvoiceNo, at=InvoiceDate, user_id=CustomerID, /);
  const table = run(["audit", data]);
  assert.equal(table.code, 0);
  assert.match(table.out.split("\n")[0], /is a history that was not imported yet: 12 files, columns by UCI Online Retail/);
  for (const words of [/8,197 +1\.8 %.*lines of cancelled orders/, /111,827 +24\.8 %.*order lines without a customer/, /3,942 .*more than once/, /2,259 .*price of zero or below/])
    assert.match(table.out, words);
  const next = table.out.slice(table.out.indexOf("What to do next")).match(/^ {2}\d\. /gm);
  assert.ok(next.length >= 3 && next.length <= 5);
});

const HEAD = "order_id,sku,quantity,price,customer_id,currency,time,title\n";

test("what cannot be audited is said, with what to do", (t) => {
  const dir = folder(t, { "empty/notes.txt": "x", "csv/a.csv": "a,b\n1,2\n", "bin/x.csv": "\x00\x01\x02", "none/e.jsonl": "hello\n", "void/v.csv": "", "void/w.jsonl": "" });
  const refused = (args, code, words) => {
    const ran = run(["audit", ...args]);
    assert.equal(ran.code, code, ran.out + ran.err);
    assert.match(ran.err, words);
    assert.equal(ran.out, "");
  };
  refused([join(dir, "nowhere")], 3, /cannot read .*nowhere/);
  refused([join(dir, "empty")], 1, /is no shop \(it has no shop\.lua\) and holds no history: order lines as \*\.csv or events as \*\.jsonl/);
  refused([join(dir, "empty/notes.txt")], 1, /neither order lines .* nor events/);
  const csv = join(dir, "csv");
  refused([csv], 2, /a\.csv: say which column is order_id: --map order_id=COLUMN; there are a, b\n/);
  refused([csv, "--map", "order_id=a", "--map", "product_id=zz"], 2, /a\.csv: --map: there is no column "zz"; there are a, b\n/);
  refused([csv, "--map", "order_id=a", "--map", "product_id=b"], 2, /say which column is price \(or line_total\): --map price=COLUMN/);
  const words = "order_id, line_of, at, user_id, anonymous_id, email, phone, country, product_id, quantity, price, line_total, revenue, discount, refunded, refunded_at, refund_of, status, currency, coupon, title, cancelled_at";
  for (const [map, near] of [["customer=a", ""], ["order=a", ""], ["usr_id=a", '"user_id"'], ["ORDER_ID=a", '"order_id"'], ["subtotal=a", ""]])
    for (const verb of [["audit", csv], ["audit", join(dir, "none")], ["import", "orders", join(csv, "a.csv"), "--dry-run"]]) {
      const ran = run([...verb, "--map", map]);
      assert.deepEqual([ran.code, ran.out], [2, ""]);
      assert.ok(ran.err.includes(`a column cannot be "${map.split("=")[0]}"`) && ran.err.endsWith(`can be ${words}\n`) && ran.err.includes(near), ran.err);
    }
  refused([csv, "--map", "order_id"], 2, /a mapping is ROLE=COLUMN, such as order_id=InvoiceNo, not "order_id"/);
  refused([csv, "--map", "order_id=a,product_id=b"], 2, /there is no column "a,product_id=b"/);
  refused([csv, "--at-format", "%Q"], 2, /no format of times/);
  refused([csv, "--timezone", "Europe/Londn"], 2, /no time zone "Europe\/Londn"/);
  refused([join(dir, "bin")], 1, /x\.csv: the line with the names of the columns: /);
  refused([join(dir, "none")], 1, /e\.jsonl: not one line of it is a JSON object/);
  refused([join(dir, "void")], 1, /v\.csv is empty: a line with the names of its columns comes first/);
  refused([join(dir, "void/w.jsonl")], 1, /w\.jsonl: not one line of it is a JSON object/);
  const packed = gzipSync(HEAD + Array.from({ length: 5000 }, (_, i) => `${i},p${i % 7},1,${i}.5,c${i},EUR,2026-01-01,${Math.sin(i)}\n`).join(""));
  mkdirSync(join(dir, "cut"));
  writeFileSync(join(dir, "cut/orders.csv.gz"), packed.subarray(0, packed.length >> 1));
  refused([join(dir, "cut")], 3, /orders\.csv\.gz is not a whole gzip file: it ends in the middle/);
  const broken = Buffer.from(packed);
  broken[packed.length >> 1] ^= 0xff;
  writeFileSync(join(dir, "cut/orders.csv.gz"), broken);
  refused([join(dir, "cut")], 3, /orders\.csv\.gz is not a whole gzip file/);
  writeFileSync(join(dir, "cut/orders.csv.gz"), packed);
  assert.equal(audit([join(dir, "cut")]).counts.order_lines, 5000);
  const nofile = run(["audit", join(dir, "cut"), "--html", join(dir, "no/where.html")]);
  assert.deepEqual([nofile.code, /cannot write .*where\.html/.test(nofile.err)], [3, true]);
  refused([], 2, /use it as/);
});

test("columns that are mapped, and both kinds of files in one folder", (t) => {
  const dir = folder(t, {
    "orders.csv": "nr;artikel;menge;preis;kunde\n1;a;2;1,50;ann@example.com\n2;b;1;3,00;\n",
    "events.jsonl": ['{"type":"page","anonymousId":"v","messageId":"1"}', '{"type":"track","event":"Order Completed","userId":"u","messageId":"2","properties":{"order_id":"7","revenue":5,"currency":"EUR","products":["a"]}}'].join("\n"),
    "README.md": "x",
  });
  const maps = ["order_id=nr", "product_id=artikel", "quantity=menge", "price=preis"].flatMap((one) => ["--map", one]);
  const json = audit([dir, ...maps, "--map", "user_id=kunde"]);
  assert.deepEqual([json.files, json.counts.order_lines, json.counts.events, json.counts.orders], [2, 2, 2, 3]);
  assert.ok(Math.abs(json.revenue - 11) < 1e-9);
  assert.equal(found(json, "lines_without_customer").count, 1);
  assert.equal(found(json, "visits_not_recognised").count, 1);
  assert.match(run(["audit", join(dir, "events.jsonl")]).out, /events\.jsonl is a history that was not imported yet: 1 file\n/);
  assert.match(run(["audit", dir, ...maps]).out, /columns by --map and their names \(order_id=nr, product_id=artikel, quantity=menge, price=preis\); 1 other file was not read\n/);
});

test("a file is read with the options it would be imported with", (t) => {
  const dir = folder(t, { "o.csv": "order_id,sku,quantity,price,email,when\nR-1,a1,1,1.50,a@example.com,02.01.26 00:30\n2,b1,2,3,b@example.com,02.01.26 10:00\n3,b1,1,3,b@example.com,2026-01-02\n" });
  const json = audit([join(dir, "o.csv"), "--map", "at=when", "--at-format", "%d.%m.%y %H:%M", "--timezone", "Europe/Berlin", "--currency", "EUR", "--cancelled-prefix", "R-"]);
  assert.deepEqual([json.first_at, json.last_at, json.currency, json.revenue], ["2026-01-01T23:30:00.000Z", "2026-01-02T09:00:00.000Z", "EUR", 9]);
  assert.deepEqual([found(json, "lines_cancelled").examples, found(json, "lines_bad_time").examples, found(json, "orders_without_currency")], [["R-1"], ["3"], undefined]);
  const plain = audit([join(dir, "o.csv")]);
  assert.deepEqual([found(plain, "lines_cancelled"), plain.not_checked.some((one) => one.why.includes("--map at=COLUMN")), found(plain, "orders_without_currency").count], [undefined, true, 3]);
});

test("events a line each, or batches of them; a line that is none is counted with its place", (t) => {
  const one = (id) => JSON.stringify({ type: "page", anonymousId: "v", messageId: id }), batch = JSON.stringify({ context: {}, batch: [JSON.parse(one("b1")), JSON.parse(one("b2"))] });
  const lines = [batch, one("1"), "", "{bad}", ` ${one("2")}\t`, `{"pad":"${"x".repeat(3 << 20)}"}`, batch.replaceAll("b1", "b3").replaceAll("b2", "b4"), "7", one("3")];
  const dir = folder(t, { "e.jsonl": `\uFEFF${lines.join("\r\n")}` });
  const json = audit([join(dir, "e.jsonl")]), unreadable = found(json, "rows_unreadable");
  assert.deepEqual([json.counts.events, unreadable.count, unreadable.examples], [7, 3, ["e.jsonl:4", "e.jsonl:6", "e.jsonl:8"]]);
});

/* ---- a shop ---- */

const CONSENT = `consent {
  analytics = "opt-out", personalization = "opt-out", email_marketing = "opt-in",
}
identity { kinds = { email = { at_most = 2 } } }
`;
const secret = bearer("sk_first_1");
const cleanEvents = (count) => Array.from({ length: count }, (_, i) => [
  { type: "page", anonymousId: `b${i}`, userId: `u${i}`, messageId: `p${i}`, context: { consent: { categoryPreferences: { analytics: true, personalization: true, email_marketing: true } } } },
  { type: "track", event: "Product Viewed", anonymousId: `b${i}`, userId: `u${i}`, messageId: `w${i}`, properties: { product_id: "SKU-1" } },
  { type: "track", event: "Order Completed", anonymousId: `b${i}`, userId: `u${i}`, messageId: `o${i}`, properties: { order_id: `o${i}`, revenue: 20, currency: "EUR", products: [{ product_id: "SKU-1", price: 10, quantity: 2 }] } },
]).flat();
const whole = (count) => products(count, () => ({ image: "i.jpg", description: "words", updated_at: new Date().toISOString() }));
async function send(shop, events, path = "/v1/batch") {
  const answer = await shop.post(path, { batch: events }, secret);
  assert.equal(answer.status, 200, answer.text);
  return answer.body.results.map((one) => one.status);
}

test("a shop that is clean has no finding, served or not", async (t) => {
  const shop = await serve(t, basicShop(KEYS + CONSENT));
  await shop.call("PUT", "/v1/catalog/items", whole(3), secret);
  assert.ok((await send(shop, cleanEvents(20))).every((one) => one === "accepted"));
  const served = run(["audit", shop.dir]);
  assert.equal(served.code, 0, served.err);
  assert.match(served.out.split("\n")[0], /is a shop: what is in .*\/data, which is being served$/);
  assert.match(served.out, /\nNothing was found\.\n/);
  const json = audit([shop.dir]);
  assert.deepEqual([json.findings, json.next, json.not_checked.map((one) => one.code)], [[], [], ["clocks_wrong"]]);
  assert.deepEqual(json.counts, { events: 80, event_names: 3, order_lines: 0, orders: 20, people: 20, identifiers: 40, products: 3, people_error: 0, orders_error: 0 });
  assert.deepEqual([json.kind, json.name, json.revenue, json.currency], ["shop", "test", 400, "EUR"]);
  assert.deepEqual(json.sessions, { count: 20, recognised: 20, became_known: 0, known_later: 0, never_known: 0, share_recognised: 1, error: 0 });
  assert.equal((await shop.stop()).code, 0);
  const alone = run(["audit", shop.dir]);
  assert.match(alone.out.split("\n")[0], /which nobody serves just now$/);
  const { at, ...rest } = audit([shop.dir]), { at: earlier, ...before } = json;
  assert.ok(at >= earlier);
  assert.deepEqual(rest, before);
});

test("what is wrong with a shop is found, with its count, examples and money", async (t) => {
  const shop = await serve(t, basicShop(KEYS + CONSENT));
  const ago = (ms) => new Date(Date.now() - ms).toISOString(), hour = 3600e3;
  await shop.call("PUT", "/v1/catalog/items", [...whole(3), { id: "bare" }, { id: "twin", title: "product 1", price: 5, stock: 1, brand: "B", category: "C", images: { worn: "w.jpg" }, description: "d", list_price: 4, updated_at: ago(60 * 24 * hour) }], secret);
  await send(shop, cleanEvents(10));
  const one = (more) => ({ type: "track", anonymousId: "b0", userId: "u0", ...more });
  assert.deepEqual(await send(shop, [
    cleanEvents(1)[1],
    one({ messageId: "w0", event: "Product Viewed", properties: { product_id: "SKU-2" } }),
    { type: "track", event: "A", messageId: "none" },
  ]), ["duplicate", "conflict", "invalid"]);
  await send(shop, [
    one({ messageId: "misspelt", event: "Prodct Viewed" }),
    one({ messageId: "unknown", event: "Product Viewed", properties: { product_id: "gone" } }),
    one({ messageId: "null", userId: "null", event: "Product Viewed" }),
    one({ messageId: "ahead", event: "Product Viewed", originalTimestamp: ago(-2 * hour), sentAt: ago(-2 * hour) }),
    one({ messageId: "bare", event: "Order Completed", properties: { order_id: "bare", revenue: 100, products: [{ product_id: "bare", price: 60 }, { product_id: "gone", price: 60 }], discount: 10 } }),
    one({ messageId: "usd", event: "Order Completed", properties: { order_id: "usd", revenue: 1, currency: "USD", products: ["SKU-1"] } }),
    one({ messageId: "again", event: "Order Completed", properties: { order_id: "o1", revenue: 21, currency: "EUR", products: ["SKU-1"] } }),
    one({ messageId: "refund", event: "Order Refunded", properties: { order_id: "never", refund: 5 } }),
    { type: "track", userId: "server", messageId: "server", event: "Order Completed", properties: { order_id: "server", revenue: 10, currency: "EUR", products: ["SKU-1"] } },
    { type: "page", anonymousId: "visitor", messageId: "seen" },
    { type: "track", anonymousId: "visitor", messageId: "stranger", event: "Order Completed", properties: { order_id: "stranger", revenue: 10, currency: "EUR", products: ["SKU-1"] } },
    { type: "identify", anonymousId: "two", userId: "u3", messageId: "i1", traits: { email: "first@example.com", first_name: "Ann" } },
    { type: "identify", anonymousId: "three", userId: "u3", messageId: "i2", traits: { email: "second@example.com", first_name: "Anna" } },
    { type: "identify", userId: "u4", messageId: "i3", traits: { email: "first@example.com" } },
    ...["t1", "t2", "t3"].map((user) => ({ type: "page", anonymousId: "till", userId: user, messageId: `till ${user}` })),
  ]);
  await send(shop, [one({ messageId: "late", event: "Product Viewed", timestamp: ago(3 * 24 * hour) })], "/v1/import");
  const json = audit([shop.dir]), ids = {};
  ids.u3 = (await shop.get("/v1/customers/by/user_id/u3", secret)).body.id;
  const expected = {
    products_without_price: [1, 5, "bare"], products_without_stock: [1, 5, "bare"], products_without_title: [1, 5, "bare"], products_without_picture: [1, 5, "bare"], products_without_description: [1, 5, "bare"],
    products_without_category: [1, 5, "bare"], products_without_brand: [1, 5, "bare"], products_without_updated_at: [1, 5, "bare"], products_same_title: [2, 5, "twin"],
    products_list_price_below_price: [1, 5, "twin"], products_stale: [1, 5, "twin"],
    events_conflict: [1, undefined, "w0"], events_duplicate: [1, undefined], events_refused: [1, undefined], event_names_misspelt: [1, undefined, "misspelt"], events_unknown_product: [2, undefined, "gone"],
    ids_that_name_nobody: [1, undefined, "null"], clocks_wrong: [1, undefined, "ahead"], events_late: [1, undefined, "late"],
    orders_without_currency: [1, 14, "bare"], orders_other_currency: [1, 14], orders_sum_differs: [1, 14, "bare"], orders_told_twice: [1, 14, "o1"], refunds_without_order: [1, 1, "never"],
    orders_without_visit: [1, 14, "server"], orders_without_identity: [1, 14, "stranger"],
    people_conflicting: [1, undefined, ids.u3], people_at_limits: [1, undefined, ids.u3], people_traits_disagree: [1, undefined, ids.u3], shared_browsers: [1, undefined, "till t3"], shared_addresses: [1, undefined, "i3"],
    identifiers_over_limit: [undefined], events_without_consent: [undefined], consent_unknown: [undefined], visits_not_recognised: [undefined],
  };
  for (const [code, [count, of, example]] of Object.entries(expected)) {
    const finding = found(json, code);
    assert.ok(finding, code);
    if (count !== undefined) assert.deepEqual([code, finding.count], [code, count]);
    if (of !== undefined) assert.deepEqual([code, finding.of], [code, of]);
    if (example !== undefined) assert.ok(finding.examples.includes(example), `${code}: ${finding.examples} has no ${example}`);
  }
  assert.deepEqual(json.findings.map((finding) => finding.code).filter((code) => !expected[code]), []);
  assert.equal(json.revenue, 10 * 20 + 100 + 1 + 10 + 10);
  assert.equal(found(json, "products_without_price").money, 60);
  assert.equal(found(json, "orders_without_identity").money, 10);
  assert.deepEqual(found(json, "orders_told_twice").parts, [{ name: "with another amount", count: 1 }]);
  for (let i = 1; i < json.findings.length; i++) assert.ok(json.findings[i - 1].value >= json.findings[i].value);
  assert.ok(json.next.length >= 3 && json.next.length <= 5);
  assert.deepEqual(json.next[0].because, json.findings[0].code);
  assert.ok(!JSON.stringify(json).includes("first@example.com"), "no address in full");
  assert.equal((await shop.get("/v1/audit", bearer("wk_first_1"))).status, 403);
  const at_once = await Promise.all(Array.from({ length: 8 }, () => shop.get("/v1/audit", secret)));
  assert.ok(at_once.some((answer) => answer.status === 200) && at_once.every((answer) => answer.status === 200 || answer.body.error.code === "auditing"), "one at a time");
});

test("consent: what was withheld, and of whom nothing is known", async (t) => {
  const shop = await serve(t, basicShop(KEYS + 'consent { analytics = "opt-in", personalization = "opt-in", email_marketing = "opt-in" }\n'));
  const allowed = { context: { consent: { categoryPreferences: { analytics: true } } } };
  assert.deepEqual(await send(shop, [
    { type: "page", anonymousId: "stranger", messageId: "1" },
    { type: "page", anonymousId: "stranger", messageId: "2" },
    { type: "page", anonymousId: "yes", messageId: "3", ...allowed },
    { type: "page", anonymousId: "yes", messageId: "4", ...allowed },
    { type: "page", anonymousId: "no", messageId: "5", context: { consent: { categoryPreferences: { analytics: false } } } },
  ]), ["withheld", "withheld", "accepted", "accepted", "withheld"]);
  const json = audit([shop.dir]);
  assert.deepEqual(json.consent, [{ purpose: "analytics", people: 2, unknown: 0 }, { purpose: "email_marketing", people: 2, unknown: 2 }, { purpose: "personalization", people: 2, unknown: 2 }]);
  assert.deepEqual([found(json, "events_withheld").count, found(json, "events_without_consent")], [3, undefined]);
  assert.equal(found(json, "consent_unknown").count, 2);
});

test("a shop that was never served has nothing to audit", (t) => {
  const dir = folder(t, basicShop());
  const ran = run(["audit", dir]);
  assert.deepEqual([ran.code, ran.out], [1, ""]);
  assert.match(ran.err, /is a shop without data: nothing was ever served or imported into .*\/data/);
  assert.ok(!existsSync(join(dir, "data")), "nothing is made");
  for (const option of ["map", "at-format", "timezone", "currency", "cancelled-prefix"]) {
    const refused = run(["audit", dir, `--${option}`, "x"]);
    assert.deepEqual([refused.code, refused.err], [2, `attune audit: --${option} is for files of order lines, and ${dir} is a shop\n`]);
  }
});

test("the page is whole, says the same, escapes what comes from outside, and loads nothing", async (t) => {
  const shop = await serve(t, { ...basicShop(KEYS), "shop.lua": KEYS.replace('shop "test"', 'shop "<b>Ann\'s & \\"Bob\'s\\"</b>"') });
  await shop.call("PUT", "/v1/catalog/items", [{ id: "<script>alert(1)</script>" }, { id: '"><img src=x onerror=alert(1)>' }], secret);
  await send(shop, cleanEvents(3));
  const path = join(shop.dir, "audit.html"), ran = run(["audit", shop.dir, "--html", path, "--json"]);
  assert.equal(ran.code, 0, ran.err);
  const html = readFileSync(path, "utf8"), json = JSON.parse(ran.out);
  assert.ok(html.startsWith("<!doctype html>") && html.endsWith("</html>\n"));
  assert.ok(!/<script|<img|<b>|https?:|src=[^x]|url\(|@import/i.test(html));
  assert.ok(html.includes("&lt;script&gt;alert(1)&lt;/script&gt;") && html.includes("&lt;b&gt;Ann&#39;s &amp; &quot;Bob&#39;s&quot;&lt;/b&gt;"));
  const open = [];
  for (const [, slash, tag] of html.matchAll(/<(\/?)([a-z0-9!]+)[^>]*>/g)) {
    if (["meta", "!doctype"].includes(tag)) continue;
    if (slash) assert.equal(open.pop(), tag);
    else open.push(tag);
  }
  assert.deepEqual(open, []);
  for (const finding of json.findings) assert.ok(html.includes(`id="${finding.code}"`) && html.includes(finding.title), finding.code);
  assert.ok(html.indexOf("What to do next") < html.indexOf("<h2>Findings"));
});
