/* Moments in order of time, with where to find what ends then: unlike a heap it can be read from
 * any moment on, which a list in pages needs.
 *
 * Whoever is listed keeps the handle of its node, 0 while it is not listed. */
#ifndef IEUM_BROKER_CORE_DEADLINES_H
#define IEUM_BROKER_CORE_DEADLINES_H

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

#include "broker/core/slab.h"
#include "proto/error.h"

struct deadline {
	RB_ENTRY(deadline) link;
	int64_t at_ms;
	uint64_t tie;  /* orders what ends at the same moment; unique */
	uint32_t item; /* handle of a task or of a clock */
	uint32_t node; /* its own handle */
	bool is_task;
};

RB_HEAD(deadline_tree, deadline);

struct deadlines {
	struct slab nodes;
	struct deadline_tree tree;
};

void deadlines_init(struct deadlines *d);
void deadlines_deinit(struct deadlines *d);

/* Lists `what` (at_ms, tie, item, is_task) under *node, anew where it is listed already; at_ms 0:
 * not any more. */
enum ieum_err deadlines_set(struct deadlines *d, uint32_t *node,
			    const struct deadline *what) IEUM_MUST_CHECK;

/* The first after that moment and tie, NULL: none. */
const struct deadline *deadlines_after(const struct deadlines *d, int64_t at_ms, uint64_t tie);
/* The one after it, NULL: it is the last. */
const struct deadline *deadlines_next(const struct deadline *at);

#endif
