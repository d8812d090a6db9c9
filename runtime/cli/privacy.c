/* SPDX-License-Identifier: Apache-2.0
 *
 * attune export, attune erase: what a person may ask for, from a terminal; and the check of a receipt, which
 * needs no shop.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/json.h"
#include "base/sign.h"
#include "cli/cli.h"

#define RECEIPT_MAX (1u << 20)

/* ---- a call ---- */

struct calling {
    struct cli_shop *shop;
    struct at_bytes answer;
    struct at_json_parser *parser;
};

static int call_shop(struct calling *calling, const struct cli_call *call, const char *method,
                     const char *path, struct at_json *json) {
    const char *folder = cli_value(call, "shop");
    at_bytes_init(&calling->answer, 1u << 30);
    calling->parser = at_json_parser_new(1u << 30, 64);
    calling->shop = cli_shop_open(call, folder ? folder : ".");
    if (!calling->shop || !calling->parser) return EXIT_FAILED;
    int status = cli_shop_call(calling->shop, method, path, "", 0, &calling->answer);
    if (!cli_read(call, status, &calling->answer, calling->parser, json))
        return status >= 400 && status < 500 ? EXIT_REFUSED : EXIT_FAILED;
    return EXIT_DONE;
}

static void end_call(struct calling *calling) {
    if (calling->shop) cli_shop_close(calling->shop);
    if (calling->parser) at_json_parser_free(calling->parser);
    at_bytes_clear(&calling->answer);
}

int run_export(const struct cli_call *call) {
    char path[2048];
    struct calling calling = {0};
    struct at_json json;
    if (!cli_person_path(call->words[0], "/export", path, sizeof path))
        return cli_fail(call, EXIT_USAGE, "that identifier is too long");
    int code = call_shop(&calling, call, "GET", path, &json);
    if (code == EXIT_DONE) printf("%.*s\n", (int)calling.answer.length, calling.answer.data);
    end_call(&calling);
    return code;
}

/* ---- a receipt ---- */

/* The signed text: the same object without its last member. */
static void write_signed(struct at_json receipt, struct at_bytes *bytes) {
    struct at_json_out out = at_json_out(bytes);
    struct at_json_each it = at_json_each(receipt);
    at_json_open(&out, '{');
    while (at_json_next(&it)) {
        if (at_text_is(it.key, "signature")) continue;
        at_json_key_text(&out, it.key);
        at_json_put_value(&out, it.value);
    }
    at_json_close(&out, '}');
}

static bool is_signed(struct at_json receipt) {
    struct at_text key = at_json_text(at_json_get(receipt, "key")),
                   signature = at_json_text(at_json_get(receipt, "signature"));
    uint8_t key_bytes[AT_SIGN_PUBLIC_SIZE], signature_bytes[AT_SIGNATURE_SIZE];
    struct at_bytes bytes;
    if (key.length != 2 * sizeof key_bytes || signature.length != 2 * sizeof signature_bytes ||
        !at_unhex(key.data, key.length, key_bytes) ||
        !at_unhex(signature.data, signature.length, signature_bytes))
        return false;
    at_bytes_init(&bytes, RECEIPT_MAX);
    write_signed(receipt, &bytes);
    bool is_good = !bytes.failed && at_sign_check(key_bytes, bytes.data, bytes.length, signature_bytes);
    at_bytes_clear(&bytes);
    return is_good;
}

static void put(const char *what, struct at_json value) {
    struct at_text text = at_json_text(value);
    printf("  %-15s %.*s\n", what, text.data ? (int)text.length : 7, text.data ? text.data : "not yet");
}

static int say_receipt(const struct cli_call *call, struct at_json receipt) {
    struct at_text key = at_json_text(at_json_get(receipt, "key"));
    const char *expected = cli_value(call, "key");
    if (!is_signed(receipt))
        return cli_fail(call, EXIT_REFUSED,
                        "the signature does not fit: this is no receipt, or something in it was changed");
    if (expected && !at_text_is(key, expected))
        return cli_fail(call, EXIT_REFUSED, "it is signed, but with another key: %.*s", (int)key.length,
                        key.data);
    printf("the signature is good%s\n", expected ? ", and the key is the one expected" : "");
    put("erasure", at_json_get(receipt, "erasure"));
    put("shop", at_json_get(receipt, "shop"));
    put("person", at_json_get(receipt, "person"));
    put("unreachable", at_json_get(receipt, "unreachable_at"));
    put("scrubbed", at_json_get(receipt, "scrubbed_at"));
    put("key", at_json_get(receipt, "key"));
    if (!expected) printf("Whose key that is, --key says: GET /v1/privacy/requests shows the shop's.\n");
    return EXIT_DONE;
}

static size_t read_receipt(const struct cli_call *call, const char *path, char *text) {
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (!file) {
        cli_fail(call, EXIT_FAILED, "cannot read %s: %s", path, strerror(errno));
        return 0;
    }
    size_t length = fread(text, 1, RECEIPT_MAX - 1, file);
    if (!length) cli_fail(call, EXIT_REFUSED, "%s is empty", path);
    if (file != stdin) fclose(file);
    return length;
}

/* The receipt alone, or the whole request with it. */
static int verify(const struct cli_call *call, const char *path) {
    char *text = malloc(RECEIPT_MAX + AT_JSON_PADDING);
    struct at_json_parser *parser = at_json_parser_new(RECEIPT_MAX, 16);
    struct at_json json;
    struct at_error err = {0};
    int code = EXIT_FAILED;
    size_t length = text && parser ? read_receipt(call, path, text) : 0;
    if (!text || !parser)
        cli_fail(call, code, "out of memory");
    else if (length && at_json_parse(parser, text, length, false, &json, &err) != AT_OK)
        code = cli_fail(call, EXIT_REFUSED, "%s: %s", path, err.message);
    else if (length) {
        struct at_json inside = at_json_get(json, "receipt");
        code = say_receipt(call, inside.tape ? inside : json);
    }
    if (parser) at_json_parser_free(parser);
    free(text);
    return code;
}

/* ---- erase ---- */

/* What cannot be undone is asked for twice. */
static bool is_sure(const struct cli_call *call) {
    char answer[16] = "";
    if (cli_value(call, "yes")) return true;
    fprintf(stderr, "Everything about %s goes, irrevocably. Write yes: ", call->words[0]);
    return fgets(answer, sizeof answer, stdin) && strcmp(answer, "yes\n") == 0;
}

int run_erase(const struct cli_call *call) {
    char path[2048];
    struct calling calling = {0};
    struct at_json json;
    const char *receipt = cli_value(call, "verify");
    if ((receipt != NULL) == (call->word_count == 1))
        return cli_fail(call, EXIT_USAGE, "whom? attune erase PERSON; or attune erase --verify FILE");
    if (receipt) return verify(call, receipt);
    if (!cli_person_path(call->words[0], "", path, sizeof path))
        return cli_fail(call, EXIT_USAGE, "that identifier is too long");
    if (!is_sure(call)) return cli_fail(call, EXIT_REFUSED, "nothing was done");
    int code = call_shop(&calling, call, "DELETE", path, &json);
    if (code == EXIT_DONE) printf("%.*s\n", (int)calling.answer.length, calling.answer.data);
    end_call(&calling);
    return code;
}
