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

# What is built and installed; the rest follows from the names. Of these hexec is no host. Where there is no libnode of the
# release that hnode is written for: HOSTS='hlua hpython hsh hexec'.
HOSTS ?= hlua hpython hsh hnode hexec

# Static: the dynamic loader is half of an interpreter's start-up.
STATIC := RUSTFLAGS='$(strip $(RUSTFLAGS) -C target-feature=+crt-static)' \
          $(CARGO) build --release $(LOCKED) --target $(TRIPLE)

# hpython and hsh are libraries that python3 and bash load; without the triple, so that it leaves the others' builds alone.
DYNAMIC := $(CARGO) build --release $(LOCKED)

LIBRARIES := $(if $(filter hexec,$(HOSTS)),libhexec.so)
FILES := $(addprefix $(BIN)/,$(HOSTS) $(LIBRARIES))
# The crates that can be built here.
WORKSPACE := --workspace $(if $(filter hnode,$(HOSTS)),,--exclude hnode --exclude hnode-sys)
SOURCES := Cargo.toml $(wildcard Cargo.lock) $(wildcard .cargo/config.toml) $(shell find filters sandbox-core hosts hexec -type f 2>/dev/null)

bindir := $(DESTDIR)$(PREFIX)/bin
libdir := $(DESTDIR)$(PREFIX)/lib/h
share  := $(DESTDIR)$(PREFIX)/share
docdir := $(share)/doc/h
DOCS   := $(wildcard README.md ARCHITECTURE.md SECURITY.md CHANGELOG.md LICENSE* LICENCE* COPYING* doc/*.md)
# Where man and the shells look.
man    := $(share)/man
bash   := $(share)/bash-completion/completions
zsh    := $(share)/zsh/site-functions
fish   := $(share)/fish/vendor_completions.d

export CARGO_TARGET_DIR := $(OUT)

.DEFAULT_GOAL := build
# The targets share cargo's directory and the terminal: one after the other.
.NOTPARALLEL:
.PHONY: help deps build-deps build $(HOSTS:%=build-%) demo demo-control check tools lint workflows crates unit casebook kernels python-versions bench peers manual \
        install install-hosts install-documents installed uninstall deb deb-again arch clean

help:
	@echo 'make demo       a malicious game fails to do harm (demo-control: under plain lua5.4 it does)'
	@echo 'make check      every test, as the CI runs them'
	@echo 'make build      the release binaries in $(BIN): $(HOSTS)'
	@echo 'make kernels    the casebook of hlua under older and newer kernels, in an emulator'
	@echo 'make bench      compare with lua5.4 and other sandboxes (BENCH="--runs 50 --only open")'
	@echo 'make peers      what a script can do under this and other sandboxes, tried'
	@echo 'make manual     bring the option lists of manual pages and completions up to date'
	@echo 'make python-versions  hpython with the Pythons of Debian trixie and sid, each in a folder; as root'
	@echo 'make install    DESTDIR= PREFIX=/usr/local; uninstall takes it away again'
	@echo 'make deb        Debian packages of SUITE=bookworm, built and tried in a clean root; arch: with makepkg'
	@echo 'make deps       install the Debian packages that are missing; the others do it by themselves'
	@echo 'make clean      remove what was built'

deps:
	@HOSTS='$(HOSTS)' .ci/deps check '$(OUT)'

build-deps:
	@HOSTS='$(HOSTS)' .ci/deps build '$(OUT)'

build: build-deps $(HOSTS:%=build-%)

build-hlua:
	$(STATIC) -p hlua

build-hpython build-hsh: build-%:
	$(DYNAMIC) -p $*
	@install -d '$(BIN)' && ln -f '$(OUT)/release/lib$*.so' '$(BIN)/$*'

build-hnode:
	$(DYNAMIC) -p hnode
	@install -d '$(BIN)' && ln -f '$(OUT)/release/hnode' '$(BIN)/hnode'

build-hexec:
	$(STATIC) -p hexec
	$(DYNAMIC) -p hexec-preload
	$(CC) -shared -s -o '$(BIN)/libhexec.so' $(LDFLAGS) $(PRELOAD_FLAGS)

# Linked here, because cargo exports no function that takes a variable list of arguments.
PRELOAD_FLAGS = -Wl,--whole-archive '$(OUT)/release/libhexec_preload.a' -Wl,--no-whole-archive -Wl,--gc-sections \
                -Wl,--version-script=hexec/preload/exports.map -Wl,-z,defs,-z,now -Wl,--as-needed -static-libgcc

# Calls cargo only when a source is newer: `sudo make install` needs no cargo.
$(FILES) &: $(SOURCES)
	$(MAKE) build
	@touch $(FILES)

demo: build
	@examples/demo.sh '$(BIN)/hlua'

demo-control: deps
	@examples/demo.sh --control lua5.4

check: deps tools lint workflows crates unit build demo-in-check installed casebook

tools:
	@$(CARGO) fmt --version >/dev/null 2>&1 && $(CARGO) clippy --version >/dev/null 2>&1 || \
	  { echo 'check: rustfmt and clippy are needed: rustup component add rustfmt clippy' >&2; exit 1; }

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(LOCKED) $(WORKSPACE) --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc $(LOCKED) $(WORKSPACE) --no-deps --document-private-items

# Both programs are wheels that deps fetches for x86_64; neither asks the network.
TOOLS := $(OUT)/tools/bin
IF_TOOLS = test -d '$(TOOLS)' || { echo 'check: no wheels for this machine: $@ not checked' >&2; exit 0; };

workflows:
	@$(IF_TOOLS) '$(TOOLS)/actionlint' && '$(TOOLS)/zizmor' --offline --quiet .github

# Licences, bans and sources, as deny.toml wants them; and what Debian is told of the licences.
# Those of other systems are fetched too, because the lists name them.
crates:
	$(CARGO) fetch $(LOCKED)
	@$(IF_TOOLS) '$(TOOLS)/cargo-deny' --offline --workspace --locked check licenses bans sources
	packaging/copyright --check
	packaging/version --check

unit:
	$(CARGO) test $(LOCKED) $(WORKSPACE) --exclude casebook

# Here the game plays itself, whatever stdin is.
.PHONY: demo-in-check
demo-in-check: build
	examples/demo.sh '$(BIN)/hlua' </dev/null
	examples/demo.sh --control lua5.4 </dev/null

# What each is asked, so that it answers 42; hexec, where its library is.
ASK_hlua    := -e 'print(6 * 7)'
ASK_hpython := -c 'print(6 * 7)'
ASK_hsh     := -c 'echo $$((6 * 7))'
ASK_hnode   := -p '6 * 7'
ASK_hexec   := --by=preload sh -c 'case $$LD_PRELOAD in */elsewhere/lib/h/libhexec.so) echo 42 ;; esac'

# A tree installed for a package must work from wherever it ends up.
installed: build
	tree=$$(mktemp -d) && trap 'rm -rf "$$tree"' EXIT && \
	  $(MAKE) --no-print-directory install DESTDIR="$$tree" PREFIX=/usr && mv "$$tree/usr" "$$tree/elsewhere" && \
	  $(foreach host,$(HOSTS),test "$$("$$tree/elsewhere/bin/$(host)" $(ASK_$(host)))" = 42 && \
	  man -M "$$tree/elsewhere/share/man" -w $(host) >/dev/null &&) :

# Last, so that the test runner's summary ends the output. The probe is built by itself: together
# with it cargo would choose other features for the host, and the tests would see another binary.
casebook: build
	$(STATIC) -p casebook --bin probe
	H_BIN_DIR='$(BIN)' FENNEL="$$(command -v fennel || echo '$(OUT)/fennel/usr/bin/fennel')" \
	  $(CARGO) test $(LOCKED) -p casebook --no-fail-fast --lib --test '*'

# KERNELS_OF="bookworm sid" for some of them, TESTS="--skip limits/" for some of the tests.
kernels: build
	@HOSTS='$(HOSTS)' .ci/deps kernels '$(OUT)'
	$(STATIC) -p casebook --bin probe
	FENNEL="$$(command -v fennel || echo '$(OUT)/fennel/usr/bin/fennel')" tests/kernels/run '$(BIN)' '$(OUT)/kernels'

# Not part of `check`: it fetches two releases of Debian.
SUITES ?= trixie sid
python-versions: build
	@.ci/python-versions '$(OUT)/python-versions' $(SUITES)

bench: deps build
	$(STATIC) -p bench --bins
	@'$(BIN)/bench' --chart '$(OUT)/start-up.svg' $(BENCH)

# In a clean root of a release of Debian, which needs root and debootstrap, and without network. deb-again: the same bytes?
SUITE ?= bookworm
deb:
	packaging/debian-build '$(SUITE)' '$(OUT)/deb/$(SUITE)'

deb-again:
	packaging/debian-build --again '$(SUITE)' '$(OUT)/deb/$(SUITE)'

# With makepkg, which Debian has as well.
arch:
	packaging/arch-build '$(OUT)/arch'

manual:
	$(CARGO) run $(LOCKED) -p doc-generator

# What a script can do under each sandbox that is installed here.
peers: build
	@bench/peers.py '$(BIN)'

install: install-hosts install-documents

# HOSTS=hlua installs that one only: packages are made this way.
install-hosts: $(FILES)
	install -d '$(bindir)' '$(man)/man1' '$(bash)' '$(zsh)' '$(fish)'
	install -m 755 $(HOSTS:%='$(BIN)/%') '$(bindir)'
	$(if $(LIBRARIES),install -d '$(libdir)' && install -m 644 $(LIBRARIES:%='$(BIN)/%') '$(libdir)')
	install -m 644 $(HOSTS:%=doc/man/%.1) '$(man)/man1'
	install -m 644 $(HOSTS:%=doc/completions/bash/%) '$(bash)'
	install -m 644 $(HOSTS:%=doc/completions/zsh/_%) '$(zsh)'
	install -m 644 $(HOSTS:%=doc/completions/fish/%.fish) '$(fish)'

install-documents:
	install -d '$(docdir)' '$(man)/man5' '$(man)/man7'
	install -m 644 $(DOCS) examples/fun.lua '$(docdir)'
	install -m 644 doc/man/*.5 '$(man)/man5'
	install -m 644 doc/man/*.7 '$(man)/man7'

uninstall:
	rm -f $(foreach host,$(HOSTS),'$(bindir)/$(host)' '$(bash)/$(host)' '$(zsh)/_$(host)' '$(fish)/$(host).fish')
	rm -f $(foreach page,$(notdir $(wildcard doc/man/*)),'$(man)/man$(subst .,,$(suffix $(page)))/$(page)')
	rm -rf '$(docdir)' '$(libdir)'

clean:
	$(CARGO) clean
