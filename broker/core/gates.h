/* Gates of cases, and the requests that several have to approve before one opens.
 *
 * A gate is closed until an event opens it, and closed again when its time is over: nothing has to
 * happen for that, so whoever asks says what time it is.  Break-glass opens one at once.  When the
 * gate of a linked set's case opens, those who sent the signals are asked who it is. */
#ifndef IEUM_BROKER_CORE_GATES_H
#define IEUM_BROKER_CORE_GATES_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/policy/policy.h"
#include "ieum/v1/event.pb-c.h"
#include "ieum/v1/snapshot.pb-c.h"
#include "proto/error.h"

enum {
	CASE_GATES_MAX = 32,      /* ever opened in one case, by name */
	APPROVAL_QUORUM_MAX = 16, /* participants who have to accept one request */
};

struct core;
struct core_case;
struct occasion;
struct submission;
struct task;
struct snapshot_writing;

struct case_gate {
	char name[POLICY_NAME_BYTES];
	int64_t until_ms; /* 0: without an end */
};

/* In the order of their first opening. */
struct case_gates {
	struct case_gate *list;
	uint32_t n;
};

/* What a request needs beside one acceptance; a task without any of it has none. */
struct approval {
	uint32_t quorum;
	uint32_t accepted_by[APPROVAL_QUORUM_MAX]; /* participants, in order */
	uint32_t n_accepted;
	bool of_kinds, of_agencies;
	char gate[POLICY_NAME_BYTES]; /* that it opens; "": none */
	int64_t gate_for_ms;
};

bool gate_is_open(const struct case_gates *g, const char *name, int64_t now_ms);
/* A bit per gate of the policy; of no case (NULL): none. */
uint32_t gates_open(const struct policy *p, const struct core_case *k, int64_t now_ms);

/* ---- deciding ---- */

/* The gate of the occasion's case opens, because of the message with this id; or at once, because of
 * the occasion's own, without those who would have to approve (NULL). */
enum ieum_err gate_decide(const struct occasion *o, const char *name, int64_t for_ms,
			  const ProtobufCBinaryData *approved) IEUM_MUST_CHECK;
/* The act of a rule: that gate of the policy opens at once. */
enum ieum_err gate_act(const struct occasion *o, int gate) IEUM_MUST_CHECK;
/* What an answer of the caller does to a request that several have to approve; the change is
 * filled already as if one were enough.  STATE_CONFLICT, NOT_ADDRESSED. */
enum ieum_err approval_decide(struct submission *s, const struct task *t,
			      Ieum__V1__TaskChanged *change) IEUM_MUST_CHECK;
/* The request that was just approved opens its gate. */
enum ieum_err approval_carry_out(struct submission *s) IEUM_MUST_CHECK;

/* ---- state ---- */

/* Opens it, or opens it again. */
enum ieum_err gate_set(struct case_gates *g, const char *name, int64_t until_ms) IEUM_MUST_CHECK;
void gates_deinit(struct case_gates *g);

/* NULL in *out when the request needs none. */
enum ieum_err approval_new(const Ieum__V1__Task *from, struct approval **out) IEUM_MUST_CHECK;
enum ieum_err approval_add(struct approval *a, uint32_t participant) IEUM_MUST_CHECK;
/* Whoever accepted before has thought again. */
enum ieum_err approval_take_back(struct approval *a, uint32_t participant) IEUM_MUST_CHECK;

/* ---- snapshots ---- */

enum ieum_err gates_write(struct snapshot_writing *w, const struct case_gates *g,
			  Ieum__V1__SnapshotGate ***list, size_t *n) IEUM_MUST_CHECK;
enum ieum_err gates_read(struct case_gates *g, Ieum__V1__SnapshotGate *const *list,
			 size_t n) IEUM_MUST_CHECK;

#endif
