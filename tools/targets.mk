# SPDX-License-Identifier: Apache-2.0
# The targets a person calls; the build itself is in the Makefile.

help:
	@echo "make                build the release program and libraries into build/release; build/attune points at the program"
	@echo "make MODE=debug     … with the address and undefined sanitizers (tsan: thread sanitizer, cov: coverage, fuzz: fuzzers)"
	@echo "make deps           install what is missing, by package name"
	@echo "make run            install, build, load the example shop, send it traffic, serve it"
	@echo "make test           the whole suite"
	@echo "make unit           the C tests of MODE"
	@echo "make http           the tests with real clients over HTTP"
	@echo "make check          format, lint, the line of rooms, headers by themselves, sizes"
	@echo "make reference      docs/reference/, from the words of the language"
	@echo "make soak           what takes longer: kills, power cuts, reloads, fuzzing; SOAK_SHARE=20 for a fifth of it"
	@echo "make bench          the figures of bench/RESULTS.md (make deps-bench installs what they compare with)"
	@echo "make install        PREFIX=/usr/local DESTDIR="
	@echo "make clean"

deps:
	@sh tools/deps.sh

.PHONY: deps-bench
deps-bench:
	@sh tools/deps-bench.sh

check: tools/check.sh
	@sh tools/check.sh

.PHONY: reference
reference:
	@sh tools/reference.sh

test:
	@sh tools/test.sh

http: all node_modules/.ready
	@SHARED_DATA=$(SHARED_DATA) node --test --test-concurrency=2 tests/http/

node_modules/.ready: package.json
	npm install --no-audit --no-fund --silent
	@touch $@

soak: all node_modules/.ready
	@sh tools/soak.sh

bench: all
	@for b in run rule guard reload events memory; do sh bench/$$b.sh || exit 1; done

run:
	@sh tools/run.sh

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include
	install -m 755 $(O)/attune $(DESTDIR)$(PREFIX)/bin/attune
	install -m 644 $(O)/libattune.a $(DESTDIR)$(PREFIX)/lib/libattune.a
	install -m 755 $(O)/libattune.so $(DESTDIR)$(PREFIX)/lib/libattune.so.0
	ln -sf libattune.so.0 $(DESTDIR)$(PREFIX)/lib/libattune.so
	sed 's|^prefix=.*|prefix=$(PREFIX)|' $(O)/attune.pc >$(DESTDIR)$(PREFIX)/lib/pkgconfig/attune.pc
	install -m 644 runtime/attune.h $(DESTDIR)$(PREFIX)/include/attune.h

format:
	clang-format -i $$(find runtime tests bench examples -name '*.[ch]' -o -name '*.cc')
