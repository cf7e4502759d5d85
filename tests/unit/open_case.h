/* A trial's hub with everybody connected and one case, opened by the report of `ps`: where tests of
 * cases, conflicts and queries begin. */
#ifndef IEUM_TESTS_UNIT_OPEN_CASE_H
#define IEUM_TESTS_UNIT_OPEN_CASE_H

#include "tests/unit/core_trial.h"

struct open_case {
	struct trial w;
	uint64_t ps, boss, manager, counsellor, city, aid_1, aid_2, carer, op; /* connections */
	uint8_t case_id[CORE_ID_BYTES];                                        /* its report too */
	uint8_t id[CORE_ID_BYTES]; /* of the last request */
	struct message m;
};

/* cmocka's set-up and tear-down of a test; *state is a struct open_case. */
int open_case_start(void **state);
int open_case_stop(void **state);

#endif
