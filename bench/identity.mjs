// SPDX-License-Identifier: Apache-2.0
//
// Two people with 1,000 events each become one, and one becomes two again: from sending the event that shows it until a GET of
// the person and a ranked list have the joined past. ROUNDS (20) medians, beside an event that joins nobody.
import { performance } from "node:perf_hooks";
import { basicShop, products, serve } from "../tests/http/harness.mjs";

const rounds = Number(process.env.ROUNDS ?? 20), each = Number(process.env.EVENTS ?? 1000);
const shop = await serve(undefined, basicShop());
await shop.call("PUT", "/v1/catalog/items", products(200));
const times = { "an event that joins nobody": [], "the event that joins": [], "… and the GET with both pasts": [], "… and the list with the joined taste": [], "taken apart": [] };
const note = (name, begin) => times[name].push(performance.now() - begin);
for (let round = 0; round < rounds; round++) {
  for (const side of ["a", "b"])
    for (let i = 0; i < each; i += 100)
      await shop.post("/v1/batch", { batch: Array.from({ length: 100 }, (_, k) => ({ type: "track", event: "Product Viewed", anonymousId: `${side}${round}`, messageId: `${side}${round}-${i + k}`,
        properties: { product_id: `SKU-${1 + ((i + k) % 100) + (side === "b" ? 100 : 0)}` } })) });
  await shop.post("/v1/identify", { anonymousId: `a${round}`, userId: `u${round}` });
  let begin = performance.now();
  await shop.post("/v1/track", { anonymousId: `a${round}`, event: "Thing" });
  note("an event that joins nobody", begin);
  begin = performance.now();
  await shop.post("/v1/identify", { anonymousId: `b${round}`, userId: `u${round}` });
  note("the event that joins", begin);
  const got = (await shop.get(`/v1/customers/by/user_id/u${round}`)).body;
  note("… and the GET with both pasts", begin);
  if (got.counts.product_viewed.total !== 2 * each) throw new Error(`${got.counts.product_viewed.total} events`);
  const list = await shop.post("/v1/rank", { customer: { anonymous_id: `b${round}` }, ranking: "collection", where: {}, limit: 5 });
  note("… and the list with the joined taste", begin);
  if (list.status !== 200) throw new Error(list.text);
  begin = performance.now();
  const split = await shop.post(`/v1/customers/${got.id}/unmerge`, { identifier: { kind: "anonymous_id", value: `b${round}` } });
  note("taken apart", begin);
  if (split.status !== 200) throw new Error(split.text);
}
for (const [name, list] of Object.entries(times)) {
  list.sort((x, y) => x - y);
  console.log(`${name}: median ${list[list.length >> 1].toFixed(2)} ms, longest ${list.at(-1).toFixed(2)} ms`);
}
await shop.stop();
