# What `make install` installs, and what has to be made for it beyond the programs.
# Included by the Makefile; names and defaults of the folders are those of the GNU
# coding standards.

VERSION := $(shell sed -n 's/.*IEUM_CLIENT_VERSION "\(.*\)"/\1/p' client/version.h)
# Of the manual pages.
DATE := November 22, 2026
# Goes up when a program built against the one before would not run: a function gone or
# changed, or a field added to a message (its struct grows).
SOVERSION := 0

prefix ?= /usr/local
exec_prefix ?= $(prefix)
bindir ?= $(exec_prefix)/bin
sbindir ?= $(exec_prefix)/sbin
libdir ?= $(exec_prefix)/lib
includedir ?= $(prefix)/include
datarootdir ?= $(prefix)/share
datadir ?= $(datarootdir)
mandir ?= $(datarootdir)/man
docdir ?= $(datarootdir)/doc/ieum
examplesdir ?= $(docdir)/examples
localedir ?= $(datarootdir)/locale
sysconfdir ?= $(prefix)/etc
localstatedir ?= $(prefix)/var
pkgconfigdir ?= $(libdir)/pkgconfig
systemdsystemunitdir ?= $(prefix)/lib/systemd/system
sysusersdir ?= $(prefix)/lib/sysusers.d
tmpfilesdir ?= $(prefix)/lib/tmpfiles.d
bashcompletiondir ?= $(datarootdir)/bash-completion/completions
zshcompletiondir ?= $(datarootdir)/zsh/site-functions
INSTALL ?= install

# ---- the library ----------------------------------------------------------------

# Found as <ieum/ieum.h>; they include one another by "proto/error.h" and "ieum/v1/…".
PUBLIC_HEADERS := client/ieum.h client/ieum_tokens.h proto/error.h
# Messages of the wire; those of the journal are the hub's own.
PUBLIC_DEFS := $(filter-out %/event.proto %/snapshot.proto,$(PROTO_DEFS))
PUBLIC_GEN := $(PUBLIC_DEFS:proto/%.proto=%.pb-c.h)

# Position-independent in a tree of their own: the programs keep their faster objects.
pic = $(patsubst %.c,$B/pic/%.o,$1)
PIC_PUBLIC_OBJ := $(call pic,$(LIBIEUM_SRC)) $(PUBLIC_DEFS:proto/%.proto=$B/pic/gen/%.pb-c.o)
PIC_INNER_OBJ := $(call pic,$(PROTO_SRC) $(YAML_SRC)) \
	$(patsubst $B/gen/%,$B/pic/gen/%,$(filter-out $(PUBLIC_DEFS:proto/%.proto=$B/gen/%.pb-c.o),$(GEN_OBJ)))
PIC_CFLAGS = $(filter-out -fPIE,$(ALL_CFLAGS)) -fPIC -fno-semantic-interposition
comma := ,
LIBIEUM_SO := libieum.so.$(SOVERSION)

$B/pic/gen/%.o: $B/gen/%.c $B/.flags | $(GEN_H)
	@mkdir -p $(@D)
	@echo "  CC    $< (shared)"
	@$(CC) $(PIC_CFLAGS) -w -MMD -MP -c -o $@ $<

$B/pic/%.o: %.c $B/.flags | $(GEN_H)
	@mkdir -p $(@D)
	@echo "  CC    $< (shared)"
	@$(CC) $(PIC_CFLAGS) -MMD -MP -c -o $@ $<

$B/pic/inner.a: $(PIC_INNER_OBJ)
	@rm -f $@
	@$(AR) rcs $@ $^

# Exported, under one version: the functions that the public headers declare.
$B/install/libieum.map: $(PUBLIC_HEADERS) packaging/install.mk
	@mkdir -p $(@D)
	@{ echo 'IEUM_$(SOVERSION) {'; echo 'global:'; grep -hv '^typedef\|^ \*' $(PUBLIC_HEADERS) | \
		grep -oE '\bieum_[a-z0-9_]+\(' | tr '(' ';' | sort -u; echo 'ieum__v1__*;'; echo 'local: *; };'; } > $@

# Of what lies under libieum only that comes along which it calls.
$B/install/$(LIBIEUM_SO): $(PIC_PUBLIC_OBJ) $B/pic/inner.a $B/install/libieum.map
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) $(filter-out -pie,$(ALL_LDFLAGS)) -shared -Wl,-soname,$(LIBIEUM_SO) $(if $(KIND_LDFLAGS_$(KIND)),,-Wl$(comma)-z$(comma)defs) \
		-Wl,--version-script=$B/install/libieum.map -o $@ $(filter %.o,$^) $B/pic/inner.a $(PKG_LIBS) $(PLAIN_LIBS)

# What a client links statically: libieum with the protocol inside.
$B/install/libieum.a: $(LIBIEUM_OBJ) $(YAML_OBJ) $(PROTO_OBJ) $B/.sources
	@mkdir -p $(@D)
	@rm -f $@
	@$(AR) rcs $@ $(filter %.o,$^)

-include $(PIC_PUBLIC_OBJ:.o=.d) $(PIC_INNER_OBJ:.o=.d)
.SECONDARY: $(PIC_PUBLIC_OBJ) $(PIC_INNER_OBJ)

# ---- texts ----------------------------------------------------------------------

MAN_PAGES := ieum.1 ieum-certs.1 libieum.3 ieumd.yaml.5 hub.yaml.5 ieumd.8
MAN_BUILT := $(MAN_PAGES:%=$B/install/man/%)
MAKE_MAN = IEUM_DATE='$(DATE)' IEUM_VERSION='$(VERSION)' packaging/man/make-man $(@F)

$B/install/man/ieum.1: $B/bin/ieum
$B/install/man/ieum-certs.1: $B/bin/ieum-certs
$B/install/man/ieumd.8: $B/bin/ieumd
$B/install/man/libieum.3: $(PUBLIC_HEADERS)
$B/install/man/ieumd.8 $B/install/man/ieumd.yaml.5: docs/ieumd.md
$B/install/man/ieumd.yaml.5: examples/gimpo/ieumd.yaml
$B/install/man/hub.yaml.5: docs/schema/hub.schema.json
$(MAN_BUILT): packaging/man/make-man
	@mkdir -p $(@D)
	@echo "  MAN   $@"
	@$(MAKE_MAN) $(filter $B/bin/% %.h,$^) > $@

$B/install/command_table: $B/bin/ieum-command-table
	@mkdir -p $(@D)
	@$< > $@
$B/install/ieum.bash $B/install/ieum.zsh: $B/install/ieum.%: $B/install/command_table packaging/completion/make packaging/completion/ieum.%.in
	@echo "  SHELL $@"
	@packaging/completion/make $* $< > $@

# Files with the folders of this installation in them.
FILLED := ieumd.service ieum.sysusers ieum.tmpfiles libieum.pc
fill = sed -e 's|@sbindir@|$(sbindir)|g' -e 's|@bindir@|$(bindir)|g' -e 's|@sysconfdir@|$(sysconfdir)|g' \
	-e 's|@localstatedir@|$(localstatedir)|g' -e 's|@docdir@|$(docdir)|g' -e 's|@prefix@|$(prefix)|g' \
	-e 's|@libdir@|$(libdir)|g' -e 's|@includedir@|$(includedir)|g' -e 's|@VERSION@|$(VERSION)|g'

# ---- installing -----------------------------------------------------------------

# In their folders, as their links have it.
INSTALLED_DOCS := $(wildcard README.md CONTRIBUTING.md LICENSE docs/*.md docs/connect/* docs/decisions/*.md docs/schema/*.json \
	certs/README.md tests/scenarios/README.md tests/foreign/*/hub.* tests/vectors/frames.json tests/vectors/frame_cases.yaml)
# For programs in other languages: messages, and vectors to test with.
INSTALLED_PROTO := $(PUBLIC_DEFS:proto/%=%)
INSTALLED_VECTORS := $(wildcard tests/vectors/*.json)
INSTALLED_EXAMPLES := $(wildcard examples/*/*.yaml)
INSTALL_MADE := $B/install/libieum.a $B/install/$(LIBIEUM_SO) $(MAN_BUILT) $B/install/ieum.bash $B/install/ieum.zsh

.PHONY: installable install uninstall hooks
installable: $(INSTALLED_PROGRAMS) $(CATALOGS) $(INSTALL_MADE) ## make what `make install` only copies

put = $(INSTALL) -D -m $1 $2 $(DESTDIR)$3
install: installable ## install programs, library, manual, unit, examples (prefix, DESTDIR, GNU folders)
	$(call put,755,$B/bin/ieumd,$(sbindir)/ieumd)
	$(call put,755,$B/bin/ieum,$(bindir)/ieum)
	$(call put,755,$B/bin/ieum-certs,$(bindir)/ieum-certs)
	$(call put,644,$B/install/libieum.a,$(libdir)/libieum.a)
	$(call put,644,$B/install/$(LIBIEUM_SO),$(libdir)/$(LIBIEUM_SO))
	ln -sf $(LIBIEUM_SO) $(DESTDIR)$(libdir)/libieum.so
	for h in $(PUBLIC_GEN); do $(call put,644,$B/gen/$$h,$(includedir)/$$h); done
	$(call put,644,client/ieum.h,$(includedir)/ieum/ieum.h)
	$(call put,644,proto/error.h,$(includedir)/ieum/proto/error.h)
	sed 's|"client/ieum.h"|"ieum.h"|' client/ieum_tokens.h > $(DESTDIR)$(includedir)/ieum/ieum_tokens.h
	chmod 644 $(DESTDIR)$(includedir)/ieum/ieum_tokens.h
	for f in $(FILLED); do $(fill) packaging/$$f.in > $B/install/$$f; done
	$(call put,644,$B/install/libieum.pc,$(pkgconfigdir)/libieum.pc)
	$(call put,644,$B/install/ieumd.service,$(systemdsystemunitdir)/ieumd.service)
	$(call put,644,$B/install/ieum.sysusers,$(sysusersdir)/ieum.conf)
	$(call put,644,$B/install/ieum.tmpfiles,$(tmpfilesdir)/ieum.conf)
	for m in $(MAN_PAGES); do $(call put,644,$B/install/man/$$m,$(mandir)/man$${m##*.}/$$m); done
	$(call put,644,$B/install/ieum.bash,$(bashcompletiondir)/ieum)
	$(call put,644,$B/install/ieum.zsh,$(zshcompletiondir)/_ieum)
	for d in $(INSTALLED_DOCS); do $(call put,644,$$d,$(docdir)/$$d); done
	for p in $(INSTALLED_PROTO); do $(call put,644,proto/$$p,$(datadir)/ieum/proto/$$p); done
	for v in $(INSTALLED_VECTORS); do $(call put,644,$$v,$(datadir)/ieum/vectors/$${v##*/}); done
	for e in $(INSTALLED_EXAMPLES); do $(call put,644,$$e,$(examplesdir)/$${e#examples/}); done
	for c in $(CATALOGS:$B/share/locale/%=%); do $(call put,644,$B/share/locale/$$c,$(localedir)/$$c); done

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(sbindir)/ieumd $(addprefix $(DESTDIR)$(bindir)/,ieum ieum-certs)
	rm -f $(addprefix $(DESTDIR)$(libdir)/,libieum.a $(LIBIEUM_SO) libieum.so) $(DESTDIR)$(pkgconfigdir)/libieum.pc
	rm -f $(addprefix $(DESTDIR)$(includedir)/,$(PUBLIC_GEN) ieum/ieum.h ieum/ieum_tokens.h ieum/proto/error.h)
	-find $(DESTDIR)$(includedir)/ieum -depth -type d -empty -delete
	rm -f $(DESTDIR)$(systemdsystemunitdir)/ieumd.service $(DESTDIR)$(sysusersdir)/ieum.conf $(DESTDIR)$(tmpfilesdir)/ieum.conf
	rm -f $(foreach m,$(MAN_PAGES),$(DESTDIR)$(mandir)/man$(subst .,,$(suffix $m))/$m)
	rm -f $(DESTDIR)$(bashcompletiondir)/ieum $(DESTDIR)$(zshcompletiondir)/_ieum
	rm -f $(addprefix $(DESTDIR)$(docdir)/,$(INSTALLED_DOCS))
	rm -f $(addprefix $(DESTDIR)$(datadir)/ieum/,$(addprefix proto/,$(INSTALLED_PROTO)) $(INSTALLED_VECTORS:tests/%=%))
	rm -f $(INSTALLED_EXAMPLES:examples/%=$(DESTDIR)$(examplesdir)/%) $(CATALOGS:$B/share/locale/%=$(DESTDIR)$(localedir)/%)
	-find $(DESTDIR)$(docdir) $(DESTDIR)$(datadir)/ieum -depth -type d -empty -delete

hooks: ## install the git hooks: format of changed lines, shape of commit messages
	@$(INSTALL) -m 755 scripts/hooks/pre-commit scripts/hooks/commit-msg "$$(git rev-parse --git-path hooks)"

# ---- Debian packages ------------------------------------------------------------

DEB := $(abspath $B)/deb
.PHONY: deb deb-check
deb: ## make Debian packages, lintian must find no error: BUILD/KIND/deb/*.deb
	@scripts/setup build deb
	@packaging/deb $(DEB) $(VERSION)

deb-check: deb ## in a bare Debian 12 install, upgrade an old journal and a running hub, refer, remove (root)
	@packaging/deb-check $(DEB)
