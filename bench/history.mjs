// SPDX-License-Identifier: Apache-2.0
//
// A past as a file of JSON lines: EVENTS events of EVENTS / 20 people, as an SDK would have sent them; and one person with
// 10,000 of them.  node bench/history.mjs EVENTS >file
import { createWriteStream } from "node:fs";
import { once } from "node:events";
const events = Number(process.argv[2]), people = Math.max(1, Math.floor(events / 20)), out = createWriteStream(null, { fd: 1, highWaterMark: 1 << 22 });
let state = 7;
const random = (below) => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 4) % below;
const begin = Date.parse("2026-06-01T00:00:00Z"), step = Math.floor((150 * 86400e3) / events);
const names = ["Product Viewed", "Product Viewed", "Product Viewed", "Product Added", "Page Viewed", "Products Searched", "Product List Viewed"];
const line = (i, who) => {
  const at = new Date(begin + i * step).toISOString(), product_id = `SKU-${random(5000)}`;
  const base = { type: "track", messageId: `h-${i}`, anonymousId: `v-${who}`, timestamp: at, context: { page: { url: `https://shop.example/p/${product_id}`, path: `/p/${product_id}` }, userAgent: "Mozilla/5.0 (X11; Linux x86_64)", locale: "de-DE" } };
  if (i % 20 === 0) return { ...base, type: "identify", userId: `u-${who}`, traits: { email: `person${who}@example.com`, firstName: "P" } };
  if (i % 25 === 3) return { ...base, event: "Order Completed", userId: `u-${who}`, properties: { order_id: `o-${i}`, revenue: 20 + random(80), currency: "EUR", products: [{ product_id, price: 20, quantity: 1 }] } };
  return { ...base, event: names[random(names.length)], properties: { product_id, price: 20, category: "c" + random(40), brand: "b" + random(30) } };
};
let text = "";
for (let i = 0; i < events; i++) {
  text += JSON.stringify(line(i, i % 100 === 50 ? "many" : random(people))) + "\n";
  if (text.length < 1 << 20) continue;
  if (!out.write(text)) await once(out, "drain");
  text = "";
}
out.end(text);
