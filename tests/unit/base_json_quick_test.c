/* SPDX-License-Identifier: Apache-2.0
 *
 * The quick way of reading JSON against simdjson: where it reads a text, the tape and the strings are the
 * same to the bit; texts as they usually come it does read. Behind a text anything may stand.
 */
#include "base_test.h"
#include "base/json.h"
#include "base/json_simd.h"

enum { TEXTS = 30000, TEXT_MAX = 4096 };

struct writing {
    char text[TEXT_MAX + 128];
    size_t length;
    bool is_usual; /* nothing in it that the quick way leaves to simdjson */
};

static struct at_simd *quick, *slow;
static uint32_t read_count;

static void put(struct writing *out, const char *text) {
    size_t length = strlen(text);
    if (out->length + length > TEXT_MAX / 2) return; /* the rest of it is not written: wrong JSON, too */
    memcpy(out->text + out->length, text, length);
    out->length += length;
}

static void put_space(struct writing *out) {
    static const char *const SPACES[] = {" ", "\n", "\t", "\r\n", "  "};
    if (next_random() % 6 == 0) put(out, SPACES[next_random() % 5]);
}

static void put_string(struct writing *out) {
    static const char *const RARE[] = {"\\n", "\\u00e9", "\xC3\xBC", "\\\"", "\x01", "\xFF", "\\x"};
    put(out, "\"");
    for (uint64_t left = next_random() % 3 ? next_random() % 12 : next_random() % 50; left; left--) {
        char c[2] = {(char)(0x20 + next_random() % 0x5F), 0};
        put(out, *c == '"' || *c == '\\' ? "~" : c);
    }
    if (next_random() % 60 == 0) {
        put(out, RARE[next_random() % 7]);
        out->is_usual = false;
    }
    put(out, "\"");
}

static void put_plain(struct writing *out) {
    static const char *const RARE[] = {"-0",
                                       "-0.0",
                                       "1e5",
                                       "0.1234567890123456",
                                       "9223372036854775807",
                                       "-",
                                       "01",
                                       "1.",
                                       "18446744073709551615",
                                       "1E400",
                                       "tru",
                                       "nul",
                                       "-01.5",
                                       "1.5e-3",
                                       "123456789012345.6"};
    static const char *const USUAL[] = {"0",    "true", "false", "null", "-1", "0.5", "999999999999999999",
                                        "12.25"};
    char number[64];
    switch (next_random() % 8) {
    case 0: put(out, USUAL[next_random() % 8]); break;
    case 1:
        snprintf(number, sizeof number, "%lld", (long long)(next_random() >> (next_random() % 59 + 5)));
        if (strlen(number) > 18) number[18] = 0;
        put(out, number);
        break;
    case 2:
        snprintf(number, sizeof number, "%s%llu.%0*llu", next_random() % 2 ? "-" : "",
                 (unsigned long long)(1 + next_random() % 99999), (int)(1 + next_random() % 9),
                 (unsigned long long)(next_random() % 10));
        put(out, number);
        break;
    case 3:
        if (next_random() % 40) {
            put(out, "7");
        } else {
            put(out, RARE[next_random() % 15]);
            out->is_usual = false;
        }
        break;
    default: put_string(out);
    }
}

static void put_value(struct writing *out, uint32_t depth);
static void put_container(struct writing *out, uint32_t depth, bool is_list) {
    put(out, is_list ? "[" : "{");
    put_space(out);
    for (uint64_t left = next_random() % 7; left; left--) {
        if (!is_list) {
            put_string(out);
            put_space(out);
            put(out, ":");
            put_space(out);
        }
        put_value(out, depth + 1);
        put_space(out);
        if (left > 1) put(out, ",");
        put_space(out);
    }
    put(out, is_list ? "]" : "}");
}
static void put_value(struct writing *out, uint32_t depth) {
    if (depth < 6 && next_random() % (depth ? 4 : 1) == 0)
        put_container(out, depth, next_random() % 2);
    else
        put_plain(out);
}

/* A byte elsewhere, gone, or another one. */
static void damage(struct writing *out) {
    static const char BYTES[] = "\"\\,:[]{}0-.e tn\x01\x80";
    size_t at = out->length ? next_random() % out->length : 0;
    switch (next_random() % 3) {
    case 0: out->length = at; break;
    case 1: out->text[at] = BYTES[next_random() % (sizeof BYTES - 1)]; break;
    default:
        if (!out->length) return;
        memmove(out->text + at, out->text + at + 1, out->length - at - 1);
        out->length--;
    }
    out->is_usual = false;
}

static void expect_same(const struct writing *in, size_t depth) {
    uint8_t *strings;
    const uint8_t *slow_strings;
    const uint64_t *slow_tape;
    const char *why;
    uint64_t *tape = at_simd_buffers(quick, in->length, depth, &strings);
    assert_non_null(tape);
    if (!at_json_quick(in->text, in->length, depth, tape, strings)) {
        if (in->is_usual) fail_msg("not read: %.*s", (int)in->length, in->text);
        return;
    }
    read_count++;
    if (at_simd_parse(slow, in->text, in->length, in->length, depth + 1, &slow_tape, &slow_strings, &why))
        fail_msg("%s: %.*s", why, (int)in->length, in->text);
    uint32_t words = (uint32_t)tape[0];
    for (uint32_t i = 0; i < words; i++) {
        if (tape[i] != slow_tape[i])
            fail_msg("word %u is %llx, not %llx: %.*s", i, (unsigned long long)tape[i],
                     (unsigned long long)slow_tape[i], (int)in->length, in->text);
        struct at_json here = {tape, strings, i}, there = {slow_tape, slow_strings, i};
        struct at_text text = at_json_text(here);
        if (!text.data) {
            i += tape[i] >> 56 == 'l' || tape[i] >> 56 == 'd';
            if (i < words) assert_true(tape[i] == slow_tape[i]);
            continue;
        }
        assert_int_equal(text.length, at_json_text(there).length);
        assert_memory_equal(text.data, at_json_text(there).data, text.length + 1);
    }
}

static void read_quickly_it_is_what_simdjson_reads(void **state) {
    (void)state;
    static struct writing out;
    static const char *const BEHIND[] = {
        "", "]", "\"]", "}}", ",1]", "\":\"aaaaaaaaaaaaaaaa", "                "};
    seed_random(TEXTS);
    for (int i = 0; i < TEXTS; i++) {
        out.length = 0;
        out.is_usual = true;
        put_space(&out);
        put_value(&out, 0);
        put_space(&out);
        if (out.length > TEXT_MAX / 2 - 300) out.is_usual = false; /* it may lack its end */
        if (next_random() % 3 == 0) damage(&out);
        if (!out.length) continue;
        const char *behind = BEHIND[next_random() % 7];
        memset(out.text + out.length, next_random() % 2 ? 'x' : 0, AT_JSON_PADDING);
        memcpy(out.text + out.length, behind, strlen(behind));
        expect_same(&out, out.is_usual ? 8 : 1 + next_random() % 8);
    }
    print_message("%u of them read quickly\n", read_count);
    assert_true(read_count > TEXTS / 3);
}

static int set_up(void **state) {
    (void)state;
    quick = at_simd_new();
    slow = at_simd_new();
    return quick && slow ? 0 : -1;
}
static int tear_down(void **state) {
    (void)state;
    at_simd_free(quick);
    at_simd_free(slow);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(read_quickly_it_is_what_simdjson_reads)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
