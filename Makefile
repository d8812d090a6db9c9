# SPDX-License-Identifier: Apache-2.0
# attune: make help lists the targets. Outputs go to build/$(MODE)/.

MODE    ?= release
SHELL   := /bin/sh
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
CXX     ?= g++
ifeq ($(origin CXX),default)
CXX     := g++
endif
SHARED_DATA ?= ../shared/data
VERSION := 0.1.0
O       := build/$(MODE)

# --- third-party parts, all from the distribution's packages ---------------
LUA_PKG    := $(shell for p in lua5.4 lua-5.4 lua54 lua; do pkg-config --exists $$p 2>/dev/null && echo $$p && break; done)
LLHTTP_SRC := $(wildcard /usr/share/llhttp/llhttp.c /usr/share/llhttp/api.c /usr/share/llhttp/http.c)
PKGS       := $(LUA_PKG) libuv sqlite3 zlib libcrypto libidn2
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
ifneq ($(LLHTTP_SRC),)
LLHTTP_CFLAGS := -isystem /usr/share/include/llhttp -DLLHTTP_STRICT_MODE=1
LLHTTP_OBJ    := $(patsubst /usr/share/llhttp/%.c,$(O)/llhttp/%.o,$(LLHTTP_SRC))
LLHTTP_LIBS   :=
else
LLHTTP_CFLAGS := $(shell pkg-config --cflags libllhttp 2>/dev/null)
LLHTTP_OBJ    :=
LLHTTP_LIBS   := $(shell pkg-config --libs libllhttp 2>/dev/null || echo -lllhttp)
endif

# --- flags ------------------------------------------------------------------
WARN    := -Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wwrite-strings -Wformat=2 -Wundef -Wvla
CWARN   := $(WARN) -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
CPPFLAGS += -Iruntime -I$(O)/gen -D_GNU_SOURCE -DAT_VERSION='"$(VERSION)"' $(PKG_CFLAGS) $(LLHTTP_CFLAGS)
BASE    := -g -fPIC -ffp-contract=off -fno-math-errno -fvisibility=hidden -pthread
OPT.release := -O2 -DNDEBUG_FAST
OPT.debug   := -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -DAT_DEBUG
OPT.tsan    := -O1 -fsanitize=thread -fno-omit-frame-pointer -DAT_TSAN
OPT.cov     := -O0 --coverage
OPT.fuzz    := -O1 -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize=vptr -fno-omit-frame-pointer -DAT_FUZZ
ifeq ($(MODE),fuzz)
CC      := clang
CXX     := clang++
endif
CFLAGS_ALL   = -std=c11 $(BASE) $(OPT.$(MODE)) $(CWARN) $(CFLAGS)
CXXFLAGS_ALL = -std=c++17 $(BASE) $(OPT.$(MODE)) $(WARN) $(CXXFLAGS)
LIBS    := $(PKG_LIBS) $(LLHTTP_LIBS) -lsimdjson -lphonenumber -lprotobuf -lstdc++ -lm -ldl
LDFLAGS_ALL = $(OPT.$(MODE)) -pthread $(LDFLAGS)

# --- sources ----------------------------------------------------------------
C_SRC   := $(filter-out runtime/main.c,$(wildcard runtime/*.c runtime/*/*.c))
CXX_SRC := $(wildcard runtime/*/*.cc)
OBJ     := $(C_SRC:%.c=$(O)/%.o) $(CXX_SRC:%.cc=$(O)/%.o) $(LLHTTP_OBJ) $(O)/gen/stdlib.o
TESTS   := $(patsubst tests/unit/%.c,$(O)/tests/%,$(wildcard tests/unit/*_test.c))

.PHONY: libs all lib deps help check test unit unit-build faulty faulty-program http soak bench run install clean format
all: $(O)/attune lib
	@ln -sfn $(MODE)/attune build/attune
libs: ; @echo $(LIBS)
lib: $(O)/libattune.a $(O)/libattune.so $(O)/attune.pc

$(O)/%.o: %.c
	@mkdir -p $(@D)
	@echo "cc $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS_ALL) -MMD -MP -c $< -o $@
$(O)/%.o: %.cc
	@mkdir -p $(@D)
	@echo "c++ $<"
	@$(CXX) $(CPPFLAGS) $(CXXFLAGS_ALL) -MMD -MP -c $< -o $@
$(O)/llhttp/%.o: /usr/share/llhttp/%.c
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) -std=c11 -w $(BASE) $(OPT.$(MODE)) -O2 -c $< -o $@
# Lua lives in .lua files and is embedded at build time.
$(O)/gen/stdlib.c: $(shell find stdlib scripts -name '*.lua' -o -name '*.jsonl' 2>/dev/null) tools/embed.sh
	@mkdir -p $(@D)
	@sh tools/embed.sh stdlib scripts > $@.tmp && mv $@.tmp $@
$(O)/gen/stdlib.o: $(O)/gen/stdlib.c
	@$(CC) $(CPPFLAGS) $(CFLAGS_ALL) -c $< -o $@

$(O)/libattune.a: $(OBJ)
	@rm -f $@; ar rcs $@ $^
$(O)/libattune.so: $(OBJ)
	@$(CC) -shared -Wl,-soname,libattune.so.0 $(LDFLAGS_ALL) -o $@ $^ $(LIBS)
$(O)/attune: $(O)/runtime/main.o $(O)/libattune.a
	@$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)
$(O)/attune.pc: Makefile
	@mkdir -p $(@D)
	@printf 'prefix=%s\nlibdir=$${prefix}/lib\nincludedir=$${prefix}/include\n\nName: attune\nDescription: Lua-scriptable personalization runtime for online shops\nVersion: %s\nRequires.private: libuv sqlite3 zlib libcrypto libidn2\nLibs: -L$${libdir} -lattune\nLibs.private: $(LIBS)\nCflags: -I$${includedir}\n' '$(PREFIX)' '$(VERSION)' > $@

# --- tests ------------------------------------------------------------------
# A unit test links what it uses out of libattune.a; tests/unit/NAME.ld holds extra linker flags of one test.
$(O)/tests/%: tests/unit/%.c $(O)/libattune.a
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) -Itests/unit $(CFLAGS_ALL) -MMD -MP $< -o $@ $$(cat tests/unit/$*.ld 2>/dev/null) $(LDFLAGS_ALL) $(O)/libattune.a $(LIBS) -lcmocka
# One of them against one source that has a fault in it, in the library's stead: tools/planted.sh.
faulty: $(O)/libattune.a
	@$(CC) $(CPPFLAGS) -Itests/unit $(CFLAGS_ALL) -O1 -g0 -w tests/unit/$(TEST).c tests/unit/only.c $(FAULTY) -o $(OUT) $$(cat tests/unit/$(TEST).ld 2>/dev/null) $(LDFLAGS_ALL) $(O)/libattune.a $(LIBS) -lcmocka
faulty-program: $(O)/runtime/main.o $(O)/libattune.a
	@$(CC) $(CPPFLAGS) $(CFLAGS_ALL) -w $(O)/runtime/main.o $(FAULTY) -o $(OUT) $(LDFLAGS_ALL) $(O)/libattune.a $(LIBS)
unit-build: $(TESTS)
unit: $(TESTS)
	@for t in $(TESTS); do echo "== $$t"; SHARED_DATA=$(SHARED_DATA) timeout 120 $$t || exit 1; done

clean:
	rm -rf build

-include $(wildcard $(O)/runtime/*.d $(O)/runtime/*/*.d $(O)/tests/*.d)
include tools/targets.mk
