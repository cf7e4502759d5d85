/* What is known of hand-overs; see handover.h.  A part of the state. */
#ifndef IEUM_BROKER_CORE_HANDOVERS_H
#define IEUM_BROKER_CORE_HANDOVERS_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/core/core.h"
#include "proto/handover_row.h"

enum { HANDOVERS_MAX = 64 }; /* remembered; the oldest that is over makes room */

#define HANDOVER_STEP(word) ((uint8_t)IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_##word)

struct handed_case {
	struct handover_row row;
	uint8_t step;
};

struct handover {
	uint32_t number; /* never reused */
	uint8_t change_id[CORE_ID_BYTES];
	uint32_t from, to, announced_by; /* mailboxes */
	char jurisdiction[16];           /* "": any */
	int64_t effective_at_ms;
	uint8_t step;
	bool listed; /* both have the manifest */
	/* From the cut-over on.  Of the places of `from`'s list of cases, as it was then. */
	uint32_t looked, to_look;
	uint32_t n_cases, open_referrals, clocks, holds;
	uint32_t n_accepted, n_kept, n_asked;
	uint8_t digest[HANDOVER_DIGEST_BYTES];
	struct handed_case *cases; /* in order of id; NULL before and after */
};

/* A message that is still to go to whoever its case was handed to. */
struct handover_forward {
	uint64_t seq;
	uint32_t mailbox;
};

struct handovers {
	struct handover *all[HANDOVERS_MAX]; /* in order of announcement */
	uint32_t n;
	uint32_t last_number;
	struct handover_forward *forwards; /* the first at `forwards_at` */
	uint32_t forwards_at, n_forwards, cap_forwards;
};

#endif
