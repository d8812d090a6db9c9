/* SPDX-License-Identifier: Apache-2.0
 *
 * The key a request brings: Basic user name, Bearer, or writeKey in the body, as the SDKs do it.
 */
#include <string.h>
#include <strings.h>
#include "base/hash.h"
#include "api/internal.h"

static struct at_text basic_user(struct at_text value, char *out, size_t size) {
    if (value.length > size) return (struct at_text){NULL, 0};
    long length = at_base64_decode(value.data, value.length, (uint8_t *)out);
    if (length <= 0) return (struct at_text){NULL, 0};
    const char *colon = memchr(out, ':', (size_t)length);
    return (struct at_text){out, colon ? (size_t)(colon - out) : (size_t)length};
}

static struct at_text skip_blanks(struct at_text text) {
    while (text.length && *text.data == ' ') text = (struct at_text){text.data + 1, text.length - 1};
    return text;
}

struct at_key_match call_key(struct call *call) {
    char user[1024];
    struct at_shop *shop = at_worker_shop(call->worker);
    struct at_text header = at_request_header(call->request, "authorization"), key = {NULL, 0};
    if (call->is_owner) return (struct at_key_match){AT_KEY_SECRET, "default"};
    if (header.length > 6 && strncasecmp(header.data, "basic ", 6) == 0)
        key =
            basic_user(skip_blanks((struct at_text){header.data + 6, header.length - 6}), user, sizeof user);
    else if (header.length > 7 && strncasecmp(header.data, "bearer ", 7) == 0)
        key = skip_blanks((struct at_text){header.data + 7, header.length - 7});
    else if (call->body.tape) {
        key = at_json_text(at_json_get(call->body, "writeKey"));
        struct at_key_match match = at_shop_key(shop, key.data, key.length, call->request->is_loopback);
        /* A body is where public keys travel: a secret one there counts as none. */
        if (match.class == AT_KEY_SECRET && at_shop_has_keys(shop)) match.class = AT_KEY_NONE;
        return match;
    }
    return at_shop_key(shop, key.data, key.length, call->request->is_loopback);
}
