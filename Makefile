# Builds, tests and installs ieum.  `make help` lists the targets.
#
# Everything built lies in build/<kind>/; KIND=release|debug|asan|ubsan|tsan|cover
# chooses the kind, BUILD=folder another place.  GNU make 4.3 or newer.  Only `make`
# itself has to be there beforehand: scripts/setup installs the rest (demo, check and
# .ci/run call it).
#
# A new source file is added to the list of its module below; a new unit test to
# UNIT_TESTS.  Lists are explicit, so that a forgotten file fails to link at once.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules --no-builtin-variables

KIND ?= release
KINDS := release debug asan ubsan tsan cover
ifeq ($(filter $(KIND),$(KINDS)),)
$(error KIND=$(KIND) is none of: $(KINDS))
endif
BUILD ?= build
B := $(BUILD)/$(KIND)

# ---- sources, module by module ------------------------------------------------

# The protocol: messages, and what carries them.
PROTO_DEFS := $(sort $(wildcard proto/ieum/v1/*.proto))
PROTO_SRC := \
	proto/arena.c \
	proto/buf.c \
	proto/catalog.c \
	proto/channel.c \
	proto/channel_address.c \
	proto/channel_connect.c \
	proto/channel_io.c \
	proto/channel_listen.c \
	proto/channel_loop.c \
	proto/codec_check.c \
	proto/codec_decode.c \
	proto/codec_form.c \
	proto/codec_problem.c \
	proto/codec_put.c \
	proto/codec_rules_body.c \
	proto/codec_rules_frame.c \
	proto/codec_rules_referral.c \
	proto/codec_splice.c \
	proto/codec_value.c \
	proto/error.c \
	proto/frame.c \
	proto/pbmap_bytes.c \
	proto/pbmap_read.c \
	proto/pbmap_rules.c \
	proto/pbmap_write.c \
	proto/resident_number.c \
	proto/schema_json.c \
	proto/seal_der.c \
	proto/sha256.c \
	proto/tls.c \
	proto/tls_certificate.c \
	proto/tls_files.c \
	proto/tls_identity.c \
	proto/tls_verify.c \
	proto/utf8.c \
	proto/uuid7.c \
	proto/words.c

# Reading YAML with the line of each mistake.
YAML_SRC := \
	yaml/yaml_diag.c \
	yaml/yaml_doc.c \
	yaml/yaml_load.c \
	yaml/yaml_read.c \
	yaml/yaml_schema.c \
	yaml/yaml_value.c

# Pure decisions: no clock, disk, socket, random or log.
CORE_SRC := \
	broker/core/agenda.c \
	broker/core/agenda_copy.c \
	broker/core/agenda_ask.c broker/core/agenda_decide.c \
	broker/core/answer.c \
	broker/core/approval.c \
	broker/core/apply_delivery.c \
	broker/core/apply_submit.c \
	broker/core/case_clock.c \
	broker/core/case_clock_act.c \
	broker/core/case_clock_check.c \
	broker/core/case_clock_due.c \
	broker/core/case_clock_snapshot.c \
	broker/core/cases.c \
	broker/core/check.c \
	broker/core/closing.c \
	broker/core/command.c \
	broker/core/contact.c \
	broker/core/copies.c \
	broker/core/core.c \
	broker/core/consent.c broker/core/counting.c broker/core/counts.c broker/core/counts_snapshot.c \
	broker/core/deadlines.c \
	broker/core/decision.c \
	broker/core/due.c \
	broker/core/erase.c \
	broker/core/gates.c \
	broker/core/gateway.c \
	broker/core/handover_accept.c \
	broker/core/handover_apply.c \
	broker/core/handover_change.c \
	broker/core/handover_check.c \
	broker/core/handover_cutover.c \
	broker/core/handover_due.c \
	broker/core/handover_giveup.c \
	broker/core/handover_list.c \
	broker/core/handover_redirect.c \
	broker/core/handover_snapshot.c \
	broker/core/heap.c \
	broker/core/acts.c broker/core/hub_message.c broker/core/occasion.c broker/core/outcome.c \
	broker/core/lookup.c broker/core/participation.c broker/core/past_acts.c \
	broker/core/place_acts.c broker/core/place_answer.c broker/core/place_due.c \
	broker/core/place_event.c broker/core/place_hold.c broker/core/place_policy.c \
	broker/core/place_step.c broker/core/places.c broker/core/places_check.c \
	broker/core/places_snapshot.c broker/core/place_time.c broker/core/waits.c \
	broker/core/agreements.c \
	broker/core/key_wrap.c broker/core/sealed.c broker/core/sealed_due.c \
	broker/core/sealed_readers.c broker/core/sealed_snapshot.c broker/core/sealed_submit.c \
	broker/core/sealed_wants.c \
	broker/core/certificates.c \
	broker/core/certificates_decide.c \
	broker/core/ladder.c \
	broker/core/leavers.c broker/core/leaver_due.c broker/core/leaver_policy.c \
	broker/core/mailbox.c \
	broker/core/names.c \
	broker/core/readers.c \
	broker/core/release.c \
	broker/core/returning.c \
	broker/core/seqmap.c \
	broker/core/settle.c \
	broker/core/signal_decide.c \
	broker/core/signals.c \
	broker/core/slab.c \
	broker/core/snapshot_read.c \
	broker/core/snapshot_write.c \
	broker/core/state.c \
	broker/core/stop_use.c \
	broker/core/submit.c \
	broker/core/task.c \
	broker/core/task_state.c \
	broker/core/timeline.c \
	broker/core/view.c \
	broker/core/view_agenda.c \
	broker/core/view_case.c \
	broker/core/view_deadlines.c \
	broker/core/view_directory.c \
	broker/core/view_pools.c \
	broker/core/view_handover.c \
	broker/core/view_queue.c \
	broker/core/view_referral.c \
	broker/core/withdrawal.c

# The hub file compiled to rules and calendar.
POLICY_SRC := \
	broker/policy/address.c broker/policy/anonymity.c \
	broker/policy/calendar.c \
	broker/policy/check_circles.c \
	broker/policy/check_conditions.c \
	broker/policy/check_handover.c \
	broker/policy/check_places.c \
	broker/policy/check_quorum.c \
	broker/policy/check_rules.c \
	broker/policy/check_who.c \
	broker/policy/clocks.c \
	broker/policy/condition.c \
	broker/policy/contact.c \
	broker/policy/decide.c \
	broker/policy/duty.c \
	broker/policy/explain.c \
	broker/policy/explain_acts.c \
	broker/policy/gate.c \
	broker/policy/language.c \
	broker/policy/load.c \
	broker/policy/load_bodies.c \
	broker/policy/load_clocks.c \
	broker/policy/load_condition.c \
	broker/policy/load_counters.c broker/policy/load_emit.c \
	broker/policy/load_gates.c \
	broker/policy/load_left.c \
	broker/policy/load_hub.c \
	broker/policy/load_linkage.c \
	broker/policy/load_identities.c \
	broker/policy/load_links.c \
	broker/policy/load_pools.c broker/policy/pools.c \
	broker/policy/load_participants.c \
	broker/policy/load_acts.c broker/policy/load_rules.c \
	broker/policy/load_values.c \
	broker/policy/load_wants.c \
	broker/policy/load_who.c \
	broker/policy/policy.c \
	broker/policy/request.c \
	broker/policy/resolve.c \
	broker/policy/retention.c \
	broker/policy/schema.c \
	broker/policy/trace_rule.c \
	broker/policy/trial.c \
	broker/policy/trial_load.c \
	broker/policy/trial_schema.c \
	broker/policy/zone.c

# Engines, commit thread, evidence.
JOURNAL_SRC := \
	broker/journal/batch.c \
	broker/journal/committer.c \
	broker/journal/evidence.c \
	broker/journal/incarnation.c \
	broker/journal/journal.c \
	broker/journal/mark.c \
	broker/journal/memory.c \
	broker/journal/merkle.c \
	broker/journal/snapshot.c \
	broker/journal/sqlite.c \
	broker/journal/sqlite_checkpoint.c \
	broker/journal/sqlite_mark.c \
	broker/journal/sqlite_open.c \
	broker/journal/sqlite_snapshot.c

# ieumd around the core: server, configuration, log, operations.
BROKER_SRC := \
	broker/audit.c \
	broker/audit_ledger.c \
	broker/audit_names.c \
	broker/audit_table.c \
	broker/clock.c \
	broker/commits.c \
	broker/config.c \
	broker/config_check.c \
	broker/disclosures.c \
	broker/due.c \
	broker/certificates.c \
	broker/erasures.c \
	broker/log.c \
	broker/outbox.c \
	broker/pace.c \
	broker/privileges.c \
	broker/payload_cache.c \
	broker/queries.c \
	broker/recipients.c \
	broker/recorder.c \
	broker/refusals.c \
	broker/refusing.c \
	broker/releases.c \
	broker/reload.c \
	broker/replay.c \
	broker/requests.c \
	broker/retention.c \
	broker/roster.c \
	broker/salt.c \
	broker/server.c \
	broker/session.c \
	broker/snapshotter.c \
	broker/start.c \
	broker/stop.c \
	broker/supervisor.c
IEUMD_MAIN := $(wildcard broker/main.c)

# libieum, then the ieum command.
LIBIEUM_SRC := \
	client/lib.c \
	client/lib_blocking.c \
	client/lib_connection.c \
	client/lib_files.c \
	client/lib_id.c \
	client/lib_inbox.c \
	client/lib_request.c \
	client/lib_settle.c \
	client/lib_spool.c \
	client/lib_spool_hand.c \
	client/lib_spool_inbox.c \
	client/lib_submit.c \
	client/keyring.c client/lib_key.c client/lib_seal.c \
	client/seal.c client/seal_cms.c client/seal_message.c client/seal_open.c \
	client/council_key.c \
	client/identifier.c \
	client/letters.c \
	client/name_form.c \
	client/spool.c \
	client/spool_deliver.c \
	client/spool_check.c \
	client/spool_salvage.c \
	client/spool_schema.c \
	client/spool_submit.c \
	client/tokens.c
IEUM_SRC := \
	client/arguments.c \
	client/cmd_agenda.c \
	client/cmd_answer.c \
	client/cmd_ask.c \
	client/cmd_audit.c \
	client/cmd_handover.c \
	client/cmd_hub.c \
	client/cmd_inbox.c \
	client/cmd_key.c client/giving.c client/opened.c \
	client/cmd_init.c \
	client/cmd_ledger.c \
	client/cmd_pipe.c \
	client/cmd_policy.c \
	client/cmd_route.c \
	client/cmd_scenario.c \
	client/cmd_settle.c \
	client/cmd_spool.c \
	client/cmd_submit.c \
	client/cmd_token.c \
	client/cert_request.c client/cmd_cert.c \
	client/command.c \
	client/exit_code.c \
	client/explained.c client/explained_acts.c \
	client/explained_json.c \
	client/fields.c \
	client/handover_list.c \
	client/handover_plan.c \
	client/inbox_print.c \
	client/json_out.c \
	client/link.c \
	client/message.c \
	client/new_city.c \
	client/new_city_ask.c \
	client/pipe_input.c \
	client/pipe_output.c \
	client/pipe_seal.c \
	client/profile.c \
	client/offline.c \
	client/receipt.c \
	client/render_address.c \
	client/render_agenda.c \
	client/render_body.c \
	client/render_case.c \
	client/render_deadlines.c \
	client/render_handover.c \
	client/render_lists.c \
	client/render_pools.c \
	client/render_queue.c \
	client/render_referral.c \
	client/sheet.c \
	client/spool_place.c \
	client/shown.c \
	client/subject.c \
	client/table.c \
	client/texts.c \
	client/trouble.c client/details.c client/details_known.c \
	client/values.c \
	client/when.c
IEUM_MAIN := $(wildcard client/main.c)

# Authorities: of a city, and for development.
CERTS_SRC := \
	certs/authority.c \
	certs/cmd_offline.c \
	certs/dev.c \
	certs/hub_file.c \
	certs/index.c \
	certs/offline.c \
	certs/request.c \
	certs/store.c \
	certs/zoo.c
CERTS_MAIN := $(wildcard certs/main.c)

# The simulator, the player of scenario files, the load generator.
SIM_SRC := \
	tests/sim/city.c \
	tests/sim/city_address.c \
	tests/sim/city_left.c \
	tests/sim/city_rules.c \
	tests/sim/city_things.c \
	tests/sim/city_who.c \
	tests/sim/hub.c \
	tests/sim/ledger.c \
	tests/sim/ledger_access.c \
	tests/sim/ledger_consent.c \
	tests/sim/ledger_mail.c \
	tests/sim/ledger_places.c \
	tests/sim/ledger_requests.c \
	tests/sim/random.c \
	tests/sim/random_any.c \
	tests/sim/random_check.c \
	tests/sim/random_city.c \
	tests/sim/random_clocks.c \
	tests/sim/random_council.c \
	tests/sim/random_messages.c \
	tests/sim/scenario_hub.c \
	tests/sim/sealing.c
SIM_MAIN := $(wildcard tests/sim/main.c)
SCENARIO_SRC := \
	tests/process/ieumd_process.c \
	tests/scenarios/edited.c \
	tests/scenarios/manifest.c \
	tests/scenarios/play.c \
	tests/scenarios/real_agency.c \
	tests/scenarios/real_hub.c
SCENARIO_MAIN := $(wildcard tests/scenarios/main.c)

# Scenario files: reading them.
SCENARIOS_SRC := \
	scenarios/scenario.c \
	scenarios/schema.c \
	scenarios/subject.c
NEEDED_MAIN := tests/scenarios/needed.c
# What the files under docs/schema are made of.
SCHEMAS_SRC := \
	tests/schema/files.c
SCHEMAS_MAIN := tests/schema/main.c
YEAR_SRC := \
	tests/year/care.c \
	tests/year/real_city.c \
	tests/year/script.c \
	tests/year/sim_city.c
YEAR_MAIN := tests/year/main.c

BENCH_SRC := \
	bench/hist.c \
	bench/load.c \
	bench/machine.c \
	bench/seal.c \
	bench/spool.c \
	bench/wire.c
BENCH_MAIN := $(wildcard bench/main.c)
BENCH_CORE_MAIN := tests/unit/core_bench.c
# Writes the test vectors of docs/tokens.md.
TOKEN_VECTORS_MAIN := tests/vectors/make_tokens.c
# And those of the frames.
FRAME_VECTORS_MAIN := tests/vectors/make_frames.c
# What the shells complete.
COMMAND_TABLE_MAIN := packaging/command_table.c

# Messages that only tests use.
TEST_PROTO_DEFS := \
	tests/unit/pbmap_kinds.proto \
	tests/unit/pbmap_optional.proto

# What several tests share; linked into every test that uses it.
TEST_SUPPORT_SRC := \
	tests/crash/agent.c \
	tests/crash/load.c \
	tests/crash/power_vfs.c \
	tests/integration/between.c \
	tests/integration/desk.c \
	tests/integration/hub.c \
	tests/integration/peer.c \
	tests/integration/record.c \
	tests/integration/stranger.c \
	tests/unit/channel_world.c \
	tests/unit/codec_samples.c \
	tests/unit/hub_text.c \
	tests/unit/libieum_hub.c \
	tests/unit/libieum_world.c \
	tests/unit/core_trial.c \
	tests/unit/council.c \
	tests/unit/open_case.c \
	tests/unit/scratch.c \
	tests/unit/sealed.c \
	tests/unit/screen.c \
	tests/vectors/frames.c

# One cmocka binary per file; what is no .c file is a script and run as it is.
UNIT_TESTS := \
	tests/unit/test_core_agenda.c \
	tests/unit/test_core_case.c \
	tests/unit/test_core_certificates.c \
	tests/unit/test_core_clocks.c \
	tests/unit/test_core_deadlines.c \
	tests/unit/test_core_conflict.c \
	tests/unit/test_core_erase.c \
	tests/unit/test_core_gates.c \
	tests/unit/test_core_large.c \
	tests/unit/test_core_handover.c \
	tests/unit/test_core_leaving.c \
	tests/unit/test_core_limits.c \
	tests/unit/test_core_linkage.c \
	tests/unit/test_core_containers.c \
	tests/unit/test_core_consent.c tests/unit/test_core_counts.c \
	tests/unit/test_core_delivery.c \
	tests/unit/test_core_participation.c tests/unit/test_core_place_time.c tests/unit/test_core_places.c \
	tests/unit/test_core_random.c tests/unit/test_core_sealed.c tests/unit/test_core_sealed_many.c \
	tests/unit/test_core_submit.c \
	tests/unit/test_core_view.c \
	tests/unit/test_core_who.c \
	tests/unit/test_task_state.c \
	tests/unit/test_arena.c \
	tests/unit/test_audit.c \
	tests/unit/test_audit_ledger.c \
	tests/unit/test_authority.c \
	tests/unit/test_buf.c \
	tests/unit/test_calendar.c \
	tests/unit/test_certs.c \
	tests/unit/test_channel.c \
	tests/unit/test_channel_end.c \
	tests/unit/test_clock.c \
	tests/unit/test_cmd_token.c \
	tests/unit/test_codec.c \
	tests/unit/test_codec_hostile.c \
	tests/unit/test_codec_rules.c \
	tests/unit/test_codec_splice.c \
	tests/unit/test_command.c \
	tests/unit/test_committer.c \
	tests/unit/test_config.c \
	tests/unit/test_council_key.c \
	tests/unit/test_details.c \
	tests/unit/test_docs.c \
	tests/unit/test_error.c \
	tests/unit/test_fields.c \
	tests/unit/test_frame.c \
	tests/unit/test_golden.c \
	tests/unit/test_journal.c \
	tests/unit/test_journal_mark.c \
	tests/unit/test_journal_memory.c \
	tests/unit/test_journal_power.c \
	tests/unit/test_journal_sqlite.c \
	tests/unit/test_libieum_blocking.c \
	tests/unit/test_libieum_connection.c \
	tests/unit/test_libieum_inbox.c \
	tests/unit/test_libieum_seal.c \
	tests/unit/test_libieum_submit.c \
	tests/unit/test_log.c \
	tests/unit/test_libieum_spool.c \
	tests/unit/test_silent_hub.c \
	tests/unit/test_spool.c \
	tests/unit/test_merkle.c \
	tests/unit/test_payload_cache.c \
	tests/unit/test_pbmap.c \
	tests/unit/test_policy.c tests/unit/test_policy_counters.c \
	tests/unit/test_policy_checks.c \
	tests/unit/test_policy_explain.c \
	tests/unit/test_policy_trial.c \
	tests/unit/test_policy_clocks.c \
	tests/unit/test_policy_pools.c \
	tests/unit/test_policy_council.c \
	tests/unit/test_policy_handover.c \
	tests/unit/test_policy_identities.c \
	tests/unit/test_policy_routes.c \
	tests/unit/test_policy_who.c \
	tests/unit/test_profile.c \
	tests/unit/test_recipients.c \
	tests/unit/test_refusals.c \
	tests/unit/test_render.c \
	tests/unit/test_render_council.c \
	tests/unit/test_render_deadlines.c \
	tests/unit/test_resident_number.c \
	tests/unit/test_schema.c \
	tests/unit/test_seal.c tests/unit/test_seal_der.c \
	tests/unit/test_table.c \
	tests/unit/test_texts.c \
	tests/unit/test_tls.c \
	tests/unit/test_utf8.c \
	tests/unit/test_frame_vectors.c \
	tests/unit/test_token_vectors.c \
	tests/unit/test_tokens.c \
	tests/unit/test_uuid7.c \
	tests/unit/test_words.c \
	tests/unit/test_yaml_doc.c \
	tests/unit/test_yaml_read.c \
	tests/unit/test_yaml_value.c \
	tests/vectors/tokens.py

# Clients in other languages, which share no code with ours.
FOREIGN_TESTS := \
	tests/foreign/same_as_docs \
	tests/foreign/foreign_python \
	tests/foreign/foreign_js

# A .c file is built and run; anything else is an executable script and is run as
# it is, from the root, with IEUM_BUILD naming the build folder.
INTEGRATION_TESTS := \
	tests/integration/whole_flow \
	tests/integration/hub_guide \
	tests/integration/install \
	tests/integration/new_city \
	tests/integration/new_agency \
	tests/integration/doc_links \
	tests/integration/translations \
	tests/integration/ledger \
	tests/integration/schemas \
	tests/integration/pipe \
	$(FOREIGN_TESTS) \
	tests/integration/test_smoke.c \
	tests/integration/test_daemon.c \
	tests/integration/test_pressure.c \
	tests/integration/test_certificate_life.c tests/integration/test_certificates.c \
	tests/integration/test_cli.c \
	tests/integration/test_delivery.c \
	tests/integration/test_held_back.c \
	tests/integration/test_held_output.c \
	tests/integration/test_handover.c \
	tests/integration/test_ids.c \
	tests/integration/test_inbox_spool.c \
	tests/integration/test_journal_trouble.c \
	tests/integration/test_limits.c \
	tests/integration/test_queries.c \
	tests/integration/test_reload.c \
	tests/integration/test_restore.c \
	tests/integration/test_retention.c \
	tests/integration/test_seal_and_open.c \
	tests/integration/test_sealed.c \
	tests/integration/test_service.c \
	tests/integration/test_slow_reader.c \
	tests/integration/test_spool.c
CRASH_TESTS := \
	tests/crash/crash_main.c

# ---- tools and flags ----------------------------------------------------------

CC = gcc
AR = ar
PKG_CONFIG ?= pkg-config
PROTOC_C ?= protoc-c
CLANG_FORMAT ?= clang-format
CLANG_TIDY ?= clang-tidy
CPPCHECK ?= cppcheck
GCOVR ?= gcovr

PKGS := libevent_core libevent_extra libevent_pthreads openssl libprotobuf-c sqlite3 libfyaml jansson \
	icu-i18n icu-uc libsystemd
TEST_PKGS := cmocka
# Without a .pc file.
PLAIN_LIBS := -lunistring

# Asked for once, and only when something is compiled: `make help` and the set-up
# have to work where the libraries are still missing.
pkg = $(eval $1 := $(shell $(PKG_CONFIG) $2))$(if $(filter 0,$(.SHELLSTATUS)),,$(error a library is missing: run scripts/setup))$($1)
PKG_CFLAGS = $(call pkg,PKG_CFLAGS,--cflags $(PKGS) $(TEST_PKGS))
PKG_LIBS = $(call pkg,PKG_LIBS,--libs $(PKGS))
TEST_LIBS = $(call pkg,TEST_LIBS,--libs $(TEST_PKGS))

# Generated initializers of messages that begin with a oneof lack braces.
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wformat-security -Wno-missing-braces
ifneq ($(filter true,$(CI))$(filter 1,$(WERROR)),)
WARNINGS += -Werror
endif

# NDEBUG is set in no kind: asserts stay on.
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=2
KIND_CFLAGS_release := -O2 $(HARDEN)
KIND_CFLAGS_debug := -Og -g3 -fstack-protector-strong
KIND_CFLAGS_asan := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
KIND_CFLAGS_ubsan := -O1 -fno-omit-frame-pointer -fsanitize=undefined -fno-sanitize-recover=all
KIND_CFLAGS_tsan := -O1 -fno-omit-frame-pointer -fsanitize=thread
KIND_CFLAGS_cover := -O0 --coverage -fprofile-update=atomic
KIND_LDFLAGS_asan := -fsanitize=address,undefined
KIND_LDFLAGS_ubsan := -fsanitize=undefined
KIND_LDFLAGS_tsan := -fsanitize=thread
KIND_LDFLAGS_cover := --coverage

INCLUDES := -I. -I$B/gen
LANGUAGE := -std=c17 -D_GNU_SOURCE
CFLAGS ?=
LDFLAGS ?=
ALL_CFLAGS = $(LANGUAGE) $(WARNINGS) -g -fPIE -pthread $(KIND_CFLAGS_$(KIND)) $(INCLUDES) $(PKG_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = -pie -pthread -Wl,-z,relro,-z,now -Wl,--as-needed $(KIND_LDFLAGS_$(KIND)) $(LDFLAGS)

# ---- objects, archives, binaries ----------------------------------------------

GEN_C := $(PROTO_DEFS:proto/%.proto=$B/gen/%.pb-c.c)
GEN_H := $(GEN_C:.c=.h)
GEN_OBJ := $(GEN_C:.c=.o)
GEN_TEST_C := $(TEST_PROTO_DEFS:%.proto=$B/gen/%.pb-c.c)
GEN_TEST_OBJ := $(GEN_TEST_C:.c=.o)
GEN_H += $(GEN_TEST_C:.c=.h)

obj = $(patsubst %.c,$B/%.o,$1)

PROTO_OBJ := $(call obj,$(PROTO_SRC)) $(GEN_OBJ)
YAML_OBJ := $(call obj,$(YAML_SRC))
CORE_OBJ := $(call obj,$(CORE_SRC))
POLICY_OBJ := $(call obj,$(POLICY_SRC))
JOURNAL_OBJ := $(call obj,$(JOURNAL_SRC))
BROKER_OBJ := $(call obj,$(BROKER_SRC))
LIBIEUM_OBJ := $(call obj,$(LIBIEUM_SRC))
IEUM_OBJ := $(call obj,$(IEUM_SRC))
CERTS_OBJ := $(call obj,$(CERTS_SRC))
SIM_OBJ := $(call obj,$(SIM_SRC))
SCENARIO_OBJ := $(call obj,$(SCENARIO_SRC))
SCENARIOS_OBJ := $(call obj,$(SCENARIOS_SRC))
SCHEMAS_OBJ := $(call obj,$(SCHEMAS_SRC))
BENCH_OBJ := $(call obj,$(BENCH_SRC))
YEAR_OBJ := $(call obj,$(YEAR_SRC))
TEST_SUPPORT_OBJ := $(call obj,$(TEST_SUPPORT_SRC))

# archive,objects: a module without sources yet has no archive.
ARCHIVES :=
define archive
ifneq ($(strip $2),)
ARCHIVES += $B/$1.a
$B/$1.a: $2
endif
endef
$(eval $(call archive,libtests,$(TEST_SUPPORT_OBJ) $(GEN_TEST_OBJ)))
$(eval $(call archive,libbench,$(BENCH_OBJ)))
$(eval $(call archive,libyear,$(YEAR_OBJ)))
$(eval $(call archive,libschemas,$(SCHEMAS_OBJ)))
$(eval $(call archive,libscenario,$(SCENARIO_OBJ)))
$(eval $(call archive,libsim,$(SIM_OBJ)))
$(eval $(call archive,libcerts,$(CERTS_OBJ)))
$(eval $(call archive,libieumcommand,$(IEUM_OBJ)))
$(eval $(call archive,libscenarios,$(SCENARIOS_OBJ)))
$(eval $(call archive,libieum,$(LIBIEUM_OBJ)))
$(eval $(call archive,libbroker,$(BROKER_OBJ)))
$(eval $(call archive,libjournal,$(JOURNAL_OBJ)))
$(eval $(call archive,libpolicy,$(POLICY_OBJ)))
$(eval $(call archive,libcore,$(CORE_OBJ)))
$(eval $(call archive,libyaml,$(YAML_OBJ)))
$(eval $(call archive,libproto,$(PROTO_OBJ)))

# binary,main file
PROGRAMS :=
MAINS :=
define program
ifneq ($(strip $2),)
PROGRAMS += $B/bin/$1
MAINS += $2
$B/bin/$1: $(call obj,$2)
endif
endef
$(eval $(call program,ieumd,$(IEUMD_MAIN)))
$(eval $(call program,ieum,$(IEUM_MAIN)))
$(eval $(call program,ieum-certs,$(CERTS_MAIN)))
$(eval $(call program,ieum-sim,$(SIM_MAIN)))
$(eval $(call program,ieum-play,$(SCENARIO_MAIN)))
$(eval $(call program,ieum-needed,$(NEEDED_MAIN)))
$(eval $(call program,ieum-schemas,$(SCHEMAS_MAIN)))
$(eval $(call program,ieum-year,$(YEAR_MAIN)))
$(eval $(call program,ieum-bench,$(BENCH_MAIN)))
$(eval $(call program,ieum-bench-core,$(BENCH_CORE_MAIN)))
$(eval $(call program,ieum-token-vectors,$(TOKEN_VECTORS_MAIN)))
$(eval $(call program,ieum-frame-vectors,$(FRAME_VECTORS_MAIN)))
$(eval $(call program,ieum-command-table,$(COMMAND_TABLE_MAIN)))

bin = $(patsubst %.c,$B/%,$(filter %.c,$1)) $(filter-out %.c,$1)
# ONLY=word builds and runs just the tests whose path holds the word.
ONLY ?=
chosen = $(if $(ONLY),$(foreach t,$1,$(if $(findstring $(ONLY),$t),$t)),$1)
UNIT_BIN := $(call chosen,$(call bin,$(UNIT_TESTS)))
INTEGRATION_BIN := $(call chosen,$(call bin,$(INTEGRATION_TESTS)))
CRASH_BIN := $(call chosen,$(call bin,$(CRASH_TESTS)))
TEST_PROGRAMS := $(filter $B/%,$(UNIT_BIN) $(INTEGRATION_BIN) $(CRASH_BIN))

SOURCES := $(PROTO_SRC) $(YAML_SRC) $(CORE_SRC) $(POLICY_SRC) $(JOURNAL_SRC) $(BROKER_SRC) \
	$(LIBIEUM_SRC) $(IEUM_SRC) $(CERTS_SRC) $(SIM_SRC) $(SCENARIO_SRC) $(SCENARIOS_SRC) $(SCHEMAS_SRC) $(YEAR_SRC) $(BENCH_SRC) \
	$(TEST_SUPPORT_SRC) $(MAINS) $(filter %.c,$(UNIT_TESTS) $(INTEGRATION_TESTS) $(CRASH_TESTS))
OBJECTS := $(call obj,$(SOURCES)) $(GEN_OBJ) $(GEN_TEST_OBJ)

# Translations, where the programs find them: share/locale beside bin.
PO := $(sort $(wildcard po/*.po))
CATALOGS := $(PO:po/%.po=$B/share/locale/%/LC_MESSAGES/ieum.mo)

# tests/integration/install tries what is installed of these kinds.
TESTED_INSTALL := $(if $(filter release debug,$(KIND)),installable)

.PHONY: all tests
all: $(ARCHIVES) $(PROGRAMS) $(CATALOGS) ## build the broker, the command, the library (KIND=release)
tests: all $(TESTED_INSTALL) $(TEST_PROGRAMS) ## build every test program too

$B/%.o: %.c $B/.flags | $(GEN_H)
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Generated code is not ours to warn about.
$(GEN_OBJ) $(GEN_TEST_OBJ): $B/gen/%.o: $B/gen/%.c $B/.flags | $(GEN_H)
	@echo "  CC    $<"
	@$(CC) $(ALL_CFLAGS) -w -MMD -MP -c -o $@ $<

$B/gen/%.pb-c.c $B/gen/%.pb-c.h: proto/%.proto $(PROTO_DEFS)
	@mkdir -p $(@D)
	@echo "  PROTO $<"
	@$(PROTOC_C) --proto_path=proto --c_out=$B/gen $<

$B/gen/tests/%.pb-c.c $B/gen/tests/%.pb-c.h: tests/%.proto
	@mkdir -p $(@D)
	@echo "  PROTO $<"
	@$(PROTOC_C) --proto_path=. --c_out=$B/gen $<

# Made afresh each time: ar keeps members whose source is gone.
$(ARCHIVES): $B/.sources
	@echo "  AR    $@"
	@rm -f $@
	@$(AR) rcs $@ $(filter %.o,$^)

# What is installed is linked without what only tests and measurements need.
INSTALLED_PROGRAMS := $(addprefix $B/bin/,ieumd ieum ieum-certs ieum-command-table)
TEST_ARCHIVES := $(patsubst %,$B/lib%.a,tests bench year schemas scenario sim)
$(INSTALLED_PROGRAMS): $(filter-out $(TEST_ARCHIVES),$(ARCHIVES))
$(filter-out $(INSTALLED_PROGRAMS),$(PROGRAMS)): $(ARCHIVES)
$(PROGRAMS):
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(PKG_LIBS) $(PLAIN_LIBS)

$(TEST_PROGRAMS): $B/%: $B/%.o $(ARCHIVES)
	@echo "  LD    $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $< -Wl,--start-group $(ARCHIVES) -Wl,--end-group $(PKG_LIBS) $(PLAIN_LIBS) $(TEST_LIBS)

$(CATALOGS): $B/share/locale/%/LC_MESSAGES/ieum.mo: po/%.po
	@mkdir -p $(@D)
	@echo "  MO    $<"
	@msgfmt --check-format --output-file=$@ $<

# Rewritten only when the flags, or the lists, differ from those of the last run.
$B/.flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)' | cmp -s - $@ || echo '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)' > $@
$B/.sources: FORCE
	@mkdir -p $(@D)
	@echo '$(SOURCES) $(PROTO_DEFS)' | cmp -s - $@ || echo '$(SOURCES) $(PROTO_DEFS)' > $@

.PHONY: FORCE
FORCE:
.SECONDARY: $(GEN_C) $(GEN_TEST_C) $(OBJECTS)
-include $(wildcard $(OBJECTS:.o=.d))

# ---- running ------------------------------------------------------------------

RUN := IEUM_BUILD=$(abspath $B) tests/run --timeout 600
# For targets that build in a second make: both processors, unless told how many.
JOBS = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

# A daemon that a test has killed can't fail the test by its exit code, so every
# process leaves its report in a folder that tests/run looks into.
REPORTS := $B/sanitizer
# An allocation too large returns NULL, as malloc does: those paths are tested too.
SANITIZER_OPTIONS := halt_on_error=1:allocator_may_return_null=1:log_path=$(abspath $(REPORTS))
SANITIZED := \
	ASAN_OPTIONS=$(SANITIZER_OPTIONS)/asan:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1 \
	UBSAN_OPTIONS=$(SANITIZER_OPTIONS)/ubsan:print_stacktrace=1 \
	TSAN_OPTIONS=$(SANITIZER_OPTIONS)/tsan:second_deadlock_stack=1

# Fixed sets of seeds on two hub files and in random cities.
SIM_RUNS := "$B/bin/ieum-sim --seeds 60 --steps 2500" "$B/bin/ieum-sim --hub tests/sim/places.yaml --seeds 30 --steps 2500" \
	"$B/bin/ieum-sim --cities --seeds 60 --steps 2500"
# New seeds with each run: they find what nobody has seen yet.
FRESH_RUNS := "$B/bin/ieum-sim --seconds 60 --steps 2500" "$B/bin/ieum-sim --cities --seconds 120 --steps 2500"
SCENARIOS := $(sort $(wildcard tests/scenarios/*.yaml))
SCENARIO_RUNS := "$B/bin/ieum-play $(SCENARIOS)"
# Every rule of the examples has a scenario that misses it.
NEEDED_RUNS := "$B/bin/ieum-needed examples/gimpo/hub.yaml $(SCENARIOS)" \
	"$B/bin/ieum-needed examples/gwangmyeong/hub.yaml $(SCENARIOS)"
# A part of a city's year; all of it by `make year`.
YEAR_RUNS := "$B/bin/ieum-year --part 50" "$B/bin/ieum-year --part 500 --real $B/bin"

.PHONY: po setup demo check check-built unit sim scenarios drill needed needed-keys year integration foreign crash crash-long token-vectors frame-vectors bench
po: ## bring the translations up to the texts in the sources
	@scripts/po

setup: ## install what the build and the tests need (apt)
	@scripts/setup build

demo: ## play a case from the 112 report to its closing, with a kill in the middle
	@scripts/setup build
	@$(MAKE) --no-print-directory $(JOBS) all
	@IEUM_BUILD=$B tests/scenarios/demo

check: ## build, run all tests; the last line is "N passed, M failed"
	@scripts/setup build
	@$(MAKE) --no-print-directory $(JOBS) check-built

check-built: tests
	@$(RUN) $(UNIT_BIN) $(SIM_RUNS) $(SCENARIO_RUNS) $(NEEDED_RUNS) $(YEAR_RUNS) $(INTEGRATION_BIN) $(CRASH_BIN)

unit: all $(filter $B/%,$(UNIT_BIN)) ## run the unit tests (ONLY=word chooses)
	@$(RUN) $(UNIT_BIN)

sim: all ## run the simulator's fixed and fresh seeds
	@$(RUN) $(SIM_RUNS) $(FRESH_RUNS)

scenarios: all ## play the scenario files in the simulator, a line each and a count
	@$B/bin/ieum-play $(SCENARIOS)

drill: all ## play the scenario files against real processes: a drill hub, a client per agency
	@$B/bin/ieum-play --real $B/bin $(SCENARIOS)

needed: all ## is every rule of the example hub files missed by a scenario when it is taken away?
	@$B/bin/ieum-needed examples/gimpo/hub.yaml $(SCENARIOS)
	@$B/bin/ieum-needed examples/gwangmyeong/hub.yaml $(SCENARIOS)

needed-keys: all ## the same for each key and number of their entries: lists what nobody misses (minutes)
	@$B/bin/ieum-needed --keys examples/gimpo/hub.yaml $(SCENARIOS); gimpo=$$?; \
	$B/bin/ieum-needed --keys examples/gwangmyeong/hub.yaml $(SCENARIOS) && exit $$gimpo

year: all ## a city's year with a kill in the middle: simulated, then a real hub
	@$B/bin/ieum-year
	@$B/bin/ieum-year --real $B/bin

integration: all $(TESTED_INSTALL) $(filter $B/%,$(INTEGRATION_BIN)) ## run the integration tests: real broker, real clients
	@$(RUN) $(INTEGRATION_BIN)

foreign: all ## run the clients in JavaScript and Python against a real broker
	@$(RUN) $(FOREIGN_TESTS)

crash: all $(filter $B/%,$(CRASH_BIN)) ## run the crash tests
	@$(RUN) $(CRASH_BIN)

crash-long: all $(filter $B/%,$(CRASH_BIN)) ## the crash tests twenty times, each with a seed of its own
	@for run in {1..20}; do $(RUN) $(CRASH_BIN) || exit 1; done

token-vectors: $B/bin/ieum-token-vectors ## make the test vectors of docs/tokens.md anew from their cases
	@$B/bin/ieum-token-vectors tests/vectors/token_cases.yaml > $B/tokens.json
	@mv $B/tokens.json tests/vectors/tokens.json

frame-vectors: $B/bin/ieum-frame-vectors ## make the test vectors of the frames anew from their cases
	@$B/bin/ieum-frame-vectors tests/vectors/frame_cases.yaml > $B/frames.json
	@mv $B/frames.json tests/vectors/frames.json

bench: all ## measure over mTLS, one JSON line; BENCH_ARGS="--test lat" for 500 messages/s
	@IEUM_BUILD=$B $B/bin/ieum-bench $(BENCH_ARGS)

.PHONY: pages
pages: $B/tests/unit/test_core_large ## measure the longest page of each query in a state of 20,000 cases
	@$< measure

.PHONY: schemas
schemas: $B/bin/ieum-schemas ## write docs/schema anew from the tables of the loaders
	@$<

.PHONY: asan ubsan tsan sanitized cover
asan ubsan tsan: ## run unit and integration tests under that sanitizer (asan has both address and undefined)
	@$(MAKE) --no-print-directory $(JOBS) KIND=$@ sanitized

sanitized: tests
	@$(SANITIZED) $(RUN) --timeout 900 --reports $(REPORTS) $(UNIT_BIN) $(INTEGRATION_BIN)

cover: ## measure which lines the tests reach: build/cover/coverage.html
	@scripts/setup build cover
	@$(MAKE) --no-print-directory $(JOBS) KIND=cover cover-built

cover-built: tests
	@find $B -name '*.gcda' -delete
	@$(RUN) $(UNIT_BIN) $(SIM_RUNS) $(SCENARIO_RUNS) $(NEEDED_RUNS) $(YEAR_RUNS) $(INTEGRATION_BIN)
	@$(GCOVR) --root . --object-directory $B --exclude '$B/gen/' --exclude 'tests/' \
		--html-details $B/coverage.html --print-summary

# ---- reading the code ---------------------------------------------------------

FORMATTED = $(sort $(wildcard $(addsuffix /*.[ch],proto yaml broker broker/* client certs bench packaging tests/*)))
TIDY_STAMPS := $(patsubst %.c,$B/tidy/%.ok,$(SOURCES))

.PHONY: format format-check tidy clang-tidy cppcheck check-layers
format: ## lay out all C files by .clang-format
	@$(CLANG_FORMAT) -i $(FORMATTED)

format-check: ## fail where a C file is not laid out by .clang-format
	@$(CLANG_FORMAT) --dry-run --Werror $(FORMATTED)

tidy: ## static analysis: clang-tidy and cppcheck, any finding fails
	@scripts/setup build lint
	@$(MAKE) --no-print-directory $(JOBS) clang-tidy cppcheck

clang-tidy: $(TIDY_STAMPS)

# Hangs on the object: that one follows the headers.
$B/tidy/%.ok: %.c $B/%.o .clang-tidy
	@mkdir -p $(@D)
	@echo "  TIDY  $<"
	@$(CLANG_TIDY) --quiet $< -- $(LANGUAGE) $(INCLUDES) $(PKG_CFLAGS) -Wno-unknown-warning-option 2>$@.err || { cat $@.err >&2; exit 1; }
	@rm -f $@.err
	@touch $@

# It reads no system headers; without these two, generated headers stop at an #error.
CPPCHECK_KNOWS := -DPROTOBUF_C_VERSION_NUMBER=1004001 -DPROTOBUF_C_MIN_COMPILER_VERSION=1000000
# It must see the loops of this one, or it takes every list element for uninitialised.
# And the macros of this one, which stand for whole functions.
TREE_H = /usr/include/bsd/sys/tree.h
QUEUE_H = $(filter %/sys/queue.h,$(shell $(CC) -E -M -include sys/queue.h -x c /dev/null))
cppcheck: $(GEN_H)
	@mkdir -p $B/cppcheck
	@echo "  CPPCHECK"
	@$(CPPCHECK) -j$(shell nproc) --quiet --error-exitcode=1 --inline-suppr --std=c11 --language=c \
		--enable=warning,performance,portability --library=posix --library=openssl,sqlite3 \
		--suppress=missingIncludeSystem --suppressions-list=scripts/cppcheck-suppressions \
		-D_GNU_SOURCE $(CPPCHECK_KNOWS) --include=$(QUEUE_H) --include=$(TREE_H) -I. -I$B/gen --cppcheck-build-dir=$B/cppcheck $(SOURCES)

check-layers: ## fail where an #include goes against the direction of dependence
	@scripts/check-layers

# ---- installing, packages -----------------------------------------------------

include packaging/install.mk

# ---- housekeeping -------------------------------------------------------------

.PHONY: help clean
clean: ## remove everything built
	rm -rf $(BUILD)

help: ## list the targets
	@echo "usage: make [target] [KIND=$(subst $() ,|,$(KINDS))]"
	@awk -F ':.*## ' '/^[a-z][a-z -]*:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST)) packaging/install.mk
	@echo "also: ONLY=word, WERROR=1, BUILD=folder, CC, CFLAGS, LDFLAGS, prefix, DESTDIR"
