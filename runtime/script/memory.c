/* SPDX-License-Identifier: Apache-2.0
 *
 * The allocator of a Lua state: malloc under the state's cap and the shared account. Lua calls it; it owns
 * the numbers in at_script_memory. A refusal is NULL: Lua then collects everything and asks once more.
 * Shrinking never fails, as Lua requires.
 */
#include "script/internal.h"

#include <stdlib.h>

#define DRAW_BYTES   ((size_t)64 * 1024)
#define DEPTH_CALLS  10000
#define NODE_BYTES   24 /* of a hash slot in Lua 5.4; a test fails if that changes */
#define BOX_OVERHEAD 64

/* Lua asks for hash parts with no old block, no object tag and exactly 24·2^k bytes. So does the array
 * part of a list that is born with 24,576 (· 2^k) elements: at_script_push_list makes such a list one longer;
 * a constructor of exactly that many in a script is refused. */
static bool is_hash_part(const void *block, size_t tag, size_t size) {
    if (block || tag || size <= (size_t)NODE_BYTES * AT_SCRIPT_HASH_SLOTS_MAX || size % NODE_BYTES)
        return false;
    size_t slots = size / NODE_BYTES;
    return (slots & (slots - 1)) == 0;
}

static bool refuse(struct at_script *script, enum at_script_refusal why) {
    lua_Debug frame;
    script->memory.refusal = why;
    lua_State *L = script->running;
    script->memory.was_deep = L && lua_getstack(L, DEPTH_CALLS, &frame);
    return false;
}

/* The account is asked in steps of DRAW_BYTES. */
static bool draw(struct at_script_memory *memory, size_t used_bytes) {
    if (!memory->account || used_bytes <= memory->drawn_bytes) return true;
    size_t more = used_bytes - memory->drawn_bytes + DRAW_BYTES - 1;
    more -= more % DRAW_BYTES;
    if (!at_account_draw(memory->account, more)) return false;
    memory->drawn_bytes += more;
    return true;
}

static void give_back(struct at_script_memory *memory) {
    if (!memory->account || memory->drawn_bytes - memory->used_bytes < 3 * DRAW_BYTES) return;
    size_t spare = memory->drawn_bytes - memory->used_bytes - DRAW_BYTES;
    at_account_give(memory->account, spare);
    memory->drawn_bytes -= spare;
}

static bool is_test_failure(struct at_script_memory *memory) {
    memory->growth_count++;
    if (!memory->fail_at) return false;
    return memory->is_failing_forever ? memory->growth_count >= memory->fail_at
                                      : memory->growth_count == memory->fail_at;
}

static bool may_grow(struct at_script *script, const void *block, size_t tag, size_t old_bytes,
                     size_t new_bytes) {
    struct at_script_memory *memory = &script->memory;
    if (is_test_failure(memory)) return refuse(script, AT_SCRIPT_REFUSED_TOTAL);
    if (is_hash_part(block, tag, new_bytes)) return refuse(script, AT_SCRIPT_REFUSED_KEYS);
    if (!block && tag == LUA_TSTRING && new_bytes > AT_SCRIPT_STRING_BYTES_MAX + BOX_OVERHEAD)
        return refuse(script, AT_SCRIPT_REFUSED_TEXT);
    size_t more = new_bytes - old_bytes;
    if (more > memory->max_bytes || memory->used_bytes > memory->max_bytes - more)
        return refuse(script, AT_SCRIPT_REFUSED_TOTAL);
    if (!draw(memory, memory->used_bytes + more)) return refuse(script, AT_SCRIPT_REFUSED_TOTAL);
    return true;
}

void *at_script_allocate(void *arg, void *block, size_t old_size, size_t new_size) {
    struct at_script *script = arg;
    struct at_script_memory *memory = &script->memory;
    size_t old_bytes = block ? old_size : 0; /* without a block the old size is the object's tag */
    if (!new_size) {
        free(block);
        memory->used_bytes -= old_bytes;
        give_back(memory);
        return NULL;
    }
    if (new_size > old_bytes && !may_grow(script, block, block ? 0 : old_size, old_bytes, new_size))
        return NULL;
    void *result = realloc(block, new_size);
    if (!result && new_size > old_bytes) {
        refuse(script, AT_SCRIPT_REFUSED_TOTAL);
        return NULL;
    }
    memory->used_bytes += new_size - old_bytes;
    give_back(memory);
    return result ? result : block;
}

void at_script_memory_close(struct at_script_memory *memory) {
    if (memory->account) at_account_give(memory->account, memory->drawn_bytes);
    memory->drawn_bytes = 0;
}
