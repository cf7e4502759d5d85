#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/open_case.h"

int open_case_start(void **state)
{
	struct open_case *f = calloc(1, sizeof *f);

	assert_non_null(f);
	trial_start(&f->w, trial_hub, NULL);
	f->ps = trial_connect(&f->w, "ps");
	f->boss = trial_connect(&f->w, "boss");
	f->manager = trial_connect(&f->w, "manager");
	f->counsellor = trial_connect(&f->w, "counsellor");
	f->city = trial_connect(&f->w, "city");
	f->aid_1 = trial_connect(&f->w, "aid-1");
	f->aid_2 = trial_connect(&f->w, "aid-2");
	f->carer = trial_connect(&f->w, "carer");
	f->op = trial_connect(&f->w, "op");
	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	trial_submitted(&f->w, f->ps, &f->m);
	memcpy(f->case_id, f->m.id, CORE_ID_BYTES);
	*state = f;
	return 0;
}

int open_case_stop(void **state)
{
	struct open_case *f = *state;

	trial_stop(&f->w);
	free(f);
	return 0;
}
