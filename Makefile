# A thin front door: cargo does the work. `make help` says what there is.

CARGO  ?= cargo
RUSTC  ?= rustc
PREFIX ?= /usr/local
# Packagers may say LOCKED=--frozen.
LOCKED ?= --locked
# Nothing may be skipped; on a lesser kernel, a comma list of what it has.
export SANDBOX_TEST_EXPECT ?= all

OUT    := $(abspath $(or $(CARGO_TARGET_DIR),target))
# The triple is named so that RUSTFLAGS leave build scripts and macros alone.
TRIPLE := $(or $(shell $(RUSTC) -vV 2>/dev/null | sed -n 's/^host: //p'),$(shell uname -m)-unknown-linux-gnu)
BIN    := $(OUT)/$(TRIPLE)/release

# Static: the dynamic loader is half of an interpreter's start-up.
STATIC := RUSTFLAGS='$(strip $(RUSTFLAGS) -C target-feature=+crt-static)' \
          $(CARGO) build --release $(LOCKED) --target $(TRIPLE)

# hpython is a library that python3 loads; without the triple, so that it leaves the others' builds alone.
DYNAMIC := $(CARGO) build --release $(LOCKED)

PROGRAMS := $(addprefix $(BIN)/,hlua hpython hexec)
SOURCES := Cargo.toml $(wildcard Cargo.lock) $(wildcard .cargo/config.toml) $(shell find filters sandbox-core hosts hexec -type f 2>/dev/null)

bindir := $(DESTDIR)$(PREFIX)/bin
libdir := $(DESTDIR)$(PREFIX)/lib/h
docdir := $(DESTDIR)$(PREFIX)/share/doc/h
DOCS   := $(wildcard README.md ARCHITECTURE.md SECURITY.md CHANGELOG.md LICENSE* LICENCE* COPYING*)

export CARGO_TARGET_DIR := $(OUT)

.DEFAULT_GOAL := build
# The targets share cargo's directory and the terminal: one after the other.
.NOTPARALLEL:
.PHONY: help deps build-deps build demo demo-control check tools lint unit casebook bench install installed uninstall clean

help:
	@echo 'make demo       a malicious game fails to do harm (demo-control: under plain lua5.4 it does)'
	@echo 'make check      every test, as the CI runs them'
	@echo 'make build      the release binaries, $(BIN)/hlua, hpython and hexec'
	@echo 'make bench      compare with lua5.4 and other sandboxes (BENCH="--runs 50 --only open")'
	@echo 'make install    DESTDIR= PREFIX=/usr/local; uninstall takes it away again'
	@echo 'make deps       install the Debian packages that are missing; the others do it by themselves'
	@echo 'make clean      remove what was built'

deps:
	@.ci/deps check '$(OUT)'

build-deps:
	@.ci/deps build

build: build-deps
	$(STATIC) -p hlua
	$(DYNAMIC) -p hpython
	@ln -f '$(OUT)/release/libhpython.so' '$(BIN)/hpython'
	$(STATIC) -p hexec
	$(DYNAMIC) -p hexec-preload
	$(CC) -shared -s -o '$(BIN)/libhexec.so' $(LDFLAGS) $(PRELOAD_FLAGS)

# Linked here, because cargo exports no function that takes a variable list of arguments.
PRELOAD_FLAGS = -Wl,--whole-archive '$(OUT)/release/libhexec_preload.a' -Wl,--no-whole-archive -Wl,--gc-sections \
                -Wl,--version-script=hexec/preload/exports.map -Wl,-z,defs,-z,now -Wl,--as-needed -static-libgcc

# Calls cargo only when a source is newer: `sudo make install` needs no cargo.
$(PROGRAMS) $(BIN)/libhexec.so &: $(SOURCES)
	$(MAKE) build
	@touch $(PROGRAMS) '$(BIN)/libhexec.so'

demo: build
	@examples/demo.sh '$(BIN)/hlua'

demo-control: deps
	@examples/demo.sh --control lua5.4

check: deps tools lint unit build demo-in-check installed casebook

tools:
	@$(CARGO) fmt --version >/dev/null 2>&1 && $(CARGO) clippy --version >/dev/null 2>&1 || \
	  { echo 'check: rustfmt and clippy are needed: rustup component add rustfmt clippy' >&2; exit 1; }

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(LOCKED) --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc $(LOCKED) --workspace --no-deps --document-private-items

unit:
	$(CARGO) test $(LOCKED) --workspace --exclude casebook

# Here the game plays itself, whatever stdin is.
.PHONY: demo-in-check
demo-in-check: build
	examples/demo.sh '$(BIN)/hlua' </dev/null
	examples/demo.sh --control lua5.4 </dev/null

# A tree installed for a package must work from wherever it ends up.
installed: build
	tree=$$(mktemp -d) && trap 'rm -rf "$$tree"' EXIT && \
	  $(MAKE) --no-print-directory install DESTDIR="$$tree" PREFIX=/usr && mv "$$tree/usr" "$$tree/elsewhere" && \
	  test "$$("$$tree/elsewhere/bin/hlua" -e 'print(_VERSION)')" = 'Lua 5.4' && \
	  test "$$("$$tree/elsewhere/bin/hpython" -c 'print(6 * 7)')" = 42 && \
	  test "$$("$$tree/elsewhere/bin/hexec" --by=preload sh -c 'echo $$LD_PRELOAD')" = "$$tree/elsewhere/lib/h/libhexec.so"

# Last, so that the test runner's summary ends the output. The probe is built by itself: together
# with it cargo would choose other features for the host, and the tests would see another binary.
casebook: build
	$(STATIC) -p casebook --bin probe
	H_BIN_DIR='$(BIN)' FENNEL="$$(command -v fennel || echo '$(OUT)/fennel/usr/bin/fennel')" \
	  $(CARGO) test $(LOCKED) -p casebook --no-fail-fast --lib --test '*'

bench: deps build
	$(STATIC) -p bench --bins
	@'$(BIN)/bench' $(BENCH)

install: $(PROGRAMS) $(BIN)/libhexec.so
	install -d '$(bindir)' '$(libdir)' '$(docdir)'
	install -m 755 $(PROGRAMS) '$(bindir)'
	install -m 644 '$(BIN)/libhexec.so' '$(libdir)'
	install -m 644 $(DOCS) examples/fun.lua '$(docdir)'

uninstall:
	rm -f '$(bindir)/hlua' '$(bindir)/hpython' '$(bindir)/hexec'
	rm -rf '$(libdir)' '$(docdir)'

clean:
	$(CARGO) clean
