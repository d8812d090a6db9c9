# SPDX-License-Identifier: Apache-2.0
#
# The same from Python through ctypes:  python3 embed.py libattune.so my-shop my-data
import ctypes
import ctypes.util
import json
import sys


class Options(ctypes.Structure):
    _fields_ = [("shop", ctypes.c_char_p), ("data", ctypes.c_char_p), ("loop", ctypes.c_void_p), ("memory", ctypes.c_size_t),
                ("now_ms", ctypes.c_int64), ("watchdog_signal", ctypes.c_int), ("log_fd", ctypes.c_int),
                ("log", ctypes.c_void_p), ("log_arg", ctypes.c_void_p)]


class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_char * 40), ("field", ctypes.c_char * 80), ("message", ctypes.c_char * 512)]


class Request(ctypes.Structure):
    _fields_ = [("method", ctypes.c_char_p), ("path", ctypes.c_char_p), ("body", ctypes.c_char_p), ("length", ctypes.c_size_t)]


class Answer(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("body", ctypes.c_char_p), ("length", ctypes.c_size_t)]


ON_ANSWER = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(Answer))
ON_CLOSED = ctypes.CFUNCTYPE(None, ctypes.c_void_p)

attune = ctypes.CDLL(sys.argv[1])
uv = ctypes.CDLL(ctypes.util.find_library("uv"))
uv.uv_default_loop.restype = ctypes.c_void_p
uv.uv_run.argtypes = [ctypes.c_void_p, ctypes.c_int]
attune.attune_close.argtypes = [ctypes.c_void_p, ON_CLOSED, ctypes.c_void_p]
attune.attune_call.argtypes = [ctypes.c_void_p, ctypes.POINTER(Request), ON_ANSWER, ctypes.c_void_p, ctypes.POINTER(Error)]

loop = uv.uv_default_loop()
shop, error = ctypes.c_void_p(), Error()
options = Options(shop=sys.argv[2].encode(), data=sys.argv[3].encode(), loop=loop, watchdog_signal=-1)
if attune.attune_open(ctypes.byref(shop), ctypes.byref(options), ctypes.byref(error)):
    sys.exit(error.message.decode())

steps = [
    (b"PUT", b"/v1/catalog/items", [{"id": "A", "price": 20, "stock": 3}, {"id": "B", "price": 10, "stock": 3}, {"id": "C", "price": 5, "stock": 0}]),
    (b"POST", b"/v1/track", {"anonymousId": "v-1", "event": "Product Viewed", "properties": {"product_id": "B"}}),
    (b"POST", b"/v1/rank", {"customer": {"anonymous_id": "v-1"}, "ranking": "collection", "where": {}}),
]


@ON_CLOSED
def on_closed(_):
    print("closed")


@ON_ANSWER
def on_answer(_, answer):
    print(answer.contents.status, answer.contents.body.decode())
    advance()


def advance():
    if not steps:
        attune.attune_close(shop, on_closed, None)
        return
    method, path, body = steps.pop(0)
    text = json.dumps(body).encode()
    request = Request(method, path, text, len(text))
    if attune.attune_call(shop, ctypes.byref(request), on_answer, None, ctypes.byref(error)):
        sys.exit(error.message.decode())


advance()
uv.uv_run(loop, 0)
