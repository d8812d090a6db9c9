// SPDX-License-Identifier: Apache-2.0
//
// Webhooks as Shopify sends them: signed over their bytes, with its headers; and its example bodies, where they are there.
import { createHmac, randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { basicShop, serve, SHOP, sharedData } from "./harness.mjs";

export const SECRETS = ["shpss_the_new_secret", "shpss_the_old_secret"];
export const SOURCES = 'sources { shopify = { secrets = { env "SHOPIFY_SECRET", env "SHOPIFY_SECRET_OLD" } } }\n';
const env = { SHOPIFY_SECRET: SECRETS[0], SHOPIFY_SECRET_OLD: SECRETS[1] };

export const sign = (text, secret = SECRETS[0]) => createHmac("sha256", secret).update(text).digest("base64");

/** A shop with Shopify as a source; deliver(topic, body, {…headers}) sends one webhook. */
export async function shopify(t, { settings = SHOP, files = {}, ...options } = {}) {
  const shop = await serve(t, { ...basicShop(settings + SOURCES), ...files }, { ...options, env: { ...env, ...options.env } });
  shop.deliver = (topic, body, { secret, signature, event = randomUUID(), webhook = randomUUID(), domain = "outfitter.myshopify.com", at, ...headers } = {}) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return shop.call("POST", "/v1/sources/shopify", text, {
      "x-shopify-topic": topic, "x-shopify-hmac-sha256": signature ?? sign(text, secret), "x-shopify-shop-domain": domain,
      ...(event ? { "x-shopify-event-id": event } : {}), ...(webhook ? { "x-shopify-webhook-id": webhook } : {}),
      ...(at ? { "x-shopify-triggered-at": at } : {}), ...headers,
    });
  };
  shop.customer = async (kind, value) => (await shop.get(`/v1/customers/by/${kind}/${encodeURIComponent(value)}`)).body;
  shop.timeline = async (kind, value) => (await shop.get(`/v1/customers/by/${kind}/${encodeURIComponent(value)}/timeline?limit=500`)).body.events;
  shop.metric = async (name) => Number(new RegExp(`^${name.replace(/[{}"]/g, "\\$&")} (\\d+)`, "m").exec((await shop.get("/metrics")).text)?.[1] ?? 0);
  return shop;
}

const folder = join(sharedData, "shopify-fixtures");
export const hasFixtures = existsSync(folder);
/** "shopify_api/order.json" without the name it is wrapped in. */
export function fixture(path) {
  const [[, body]] = Object.entries(JSON.parse(readFileSync(join(folder, path), "utf8")));
  return body;
}

/* Small bodies of our own, with the members that count. */
export const customer = (more = {}) => ({
  id: 207119551, email: "bob@example.com", first_name: "Bob", last_name: "Norman", state: "enabled", verified_email: true, tags: "vip, wholesale",
  created_at: "2026-10-01T10:00:00+02:00", updated_at: "2026-11-01T10:00:00+01:00", note: "speaks of his knee",
  default_address: { address1: "Chestnut Street 92", zip: "40202", city: "Louisville", country: "United States", country_code: "US", phone: "555-625-1199" }, ...more,
});
export const line = (id, price, quantity, more = {}) => ({ id: 9000 + id, product_id: id, variant_id: 1000 + id, sku: `SKU-${id}`, title: `Thing ${id}`, vendor: "Acme", price: price.toFixed(2), quantity, tax_lines: [], ...more });
export const order = (more = {}) => ({
  id: 450789469, name: "#1001", order_number: 1001, email: "bob@example.com", currency: "EUR", presentment_currency: "USD", test: false, taxes_included: false,
  created_at: "2026-11-20T11:00:00+01:00", processed_at: "2026-11-20T11:00:00+01:00", updated_at: "2026-11-20T11:00:05+01:00", cancelled_at: null,
  subtotal_price: "398.00", total_line_items_price: "408.00", total_discounts: "10.00", total_tax: "75.62", total_price: "478.62",
  financial_status: "paid", fulfillment_status: null, discount_codes: [{ code: "TENOFF", amount: "10.00" }], checkout_token: "c0ffee", source_name: "web",
  note_attributes: [], shipping_lines: [{ price: "5.00", tax_lines: [] }], line_items: [line(1, 199, 1), line(2, 104.5, 2)], refunds: [], customer: customer(), ...more,
});
export const refund = (more = {}) => ({
  id: 509562969, order_id: 450789469, created_at: "2026-11-25T11:15:00+01:00", processed_at: "2026-11-25T11:15:00+01:00", order_adjustments: [], transactions: [{ kind: "refund", status: "success", amount: "209.00" }],
  refund_line_items: [{ quantity: 1, subtotal: 199.0, total_tax: 37.81, line_item: line(1, 199, 1, { tax_lines: [{ price: "37.81", rate: 0.19 }] }) }], ...more,
});
