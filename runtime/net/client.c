/* SPDX-License-Identifier: Apache-2.0
 *
 * The blocking client: one connection a call, the answer read by llhttp.
 */
#include "net/client.h"

#include <errno.h>
#include <llhttp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int open_socket(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address)) {
        int code = errno;
        close(fd);
        errno = code;
        return -1;
    }
    return fd;
}

bool at_client_is_there(const char *socket_path) {
    int fd = open_socket(socket_path);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

static bool send_all(int fd, const char *data, size_t length) {
    while (length) {
        ssize_t n = send(fd, data, length, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        data += n;
        length -= (size_t)n;
    }
    return true;
}

struct answer {
    struct at_bytes *body;
    bool is_complete;
};

static int on_body(llhttp_t *parser, const char *at, size_t length) {
    at_bytes_add(((struct answer *)parser->data)->body, at, length);
    return 0;
}

static int on_complete(llhttp_t *parser) {
    ((struct answer *)parser->data)->is_complete = true;
    return HPE_PAUSED;
}

static bool read_answer(int fd, int *status, struct at_bytes *body) {
    llhttp_settings_t settings;
    llhttp_t parser;
    struct answer answer = {body, false};
    char piece[65536];
    llhttp_settings_init(&settings);
    settings.on_body = on_body;
    settings.on_message_complete = on_complete;
    llhttp_init(&parser, HTTP_RESPONSE, &settings);
    parser.data = &answer;
    while (!answer.is_complete) {
        ssize_t n = recv(fd, piece, sizeof piece, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        enum llhttp_errno code = n ? llhttp_execute(&parser, piece, (size_t)n) : llhttp_finish(&parser);
        if (answer.is_complete) break;
        if (n == 0 || code != HPE_OK) {
            errno = EPROTO;
            return false;
        }
    }
    *status = parser.status_code;
    return !body->failed;
}

enum at_status at_client_call(const char *socket_path, const char *method, const char *path,
                              struct at_text request, int *status, struct at_bytes *body,
                              struct at_error *err) {
    char head[4096];
    int length = snprintf(head, sizeof head,
                          "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                          "application/json\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                          method, path, request.length);
    if (length < 0 || (size_t)length >= sizeof head)
        return at_fail(err, AT_TOOBIG, NULL, "that address is too long");
    int fd = open_socket(socket_path);
    bool is_ok = fd >= 0 && send_all(fd, head, (size_t)length) &&
                 send_all(fd, request.data, request.length) && read_answer(fd, status, body);
    int code = errno;
    if (fd >= 0) close(fd);
    return is_ok ? AT_OK
                 : at_fail(err, AT_IO, NULL, "the server at %s did not answer: %s", socket_path,
                           strerror(code));
}
