/* SPDX-License-Identifier: Apache-2.0
 *
 * Text that grows on the Lua side of an error: see internal.h. The string functions use it instead of
 * luaL_Buffer, which marks stack slots to be closed (not sound in 5.4.4) and has no ceiling.
 */
#include "script/internal.h"

#include <string.h>

void at_script_buffer_init(struct at_script_buffer *buffer, lua_State *L) {
    buffer->L = L;
    buffer->data = buffer->first;
    buffer->length = 0;
    buffer->capacity = sizeof(buffer->first);
    luaL_checkstack(L, 8, NULL);
    lua_pushnil(L);
    buffer->slot = lua_gettop(L);
}

char *at_script_buffer_room(struct at_script_buffer *buffer, size_t more) {
    if (more > AT_SCRIPT_RESULT_MAX - buffer->length)
        luaL_error(buffer->L, "the resulting text is longer than %d bytes", AT_SCRIPT_RESULT_MAX);
    size_t needed = buffer->length + more;
    if (needed > buffer->capacity) {
        if (needed > AT_SCRIPT_POLL_BYTES) at_script_poll(buffer->L); /* many short calls make a long one */
        size_t capacity = buffer->capacity * 2 > needed ? buffer->capacity * 2 : needed;
        char *data = lua_newuserdatauv(buffer->L, capacity, 0);
        memcpy(data, buffer->data, buffer->length);
        lua_replace(buffer->L, buffer->slot);
        buffer->data = data;
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->length;
}

void at_script_buffer_add(struct at_script_buffer *buffer, const char *data, size_t length) {
    memcpy(at_script_buffer_room(buffer, length), data, length);
    buffer->length += length;
}

void at_script_buffer_push(struct at_script_buffer *buffer) {
    lua_pushlstring(buffer->L, buffer->data, buffer->length);
}
