/* The first events of a run: the hub came up, and the policy by which it decides. */
#include "broker/server_internal.h"

/* Before the journal thread runs, so by hand. */
static enum ieum_err commit_now(struct server *sv)
{
	struct journal_batch *b = recorder_batch(&sv->recorder);
	enum ieum_err err;

	if (journal_batch_empty(b))
		return IEUM_E_OK;
	b->at_us = server_now_us(sv);
	err = journal_append(sv->journal, b);
	if (!err)
		recorder_done(&sv->recorder, (int)sv->recorder.gathering);
	return err;
}

enum ieum_err start_record(struct server *sv)
{
	struct core_decision *d = &sv->decision;
	enum ieum_err err;

	core_decision_reset(d);
	err = core_decide_start(sv->core, IEUM_VERSION, sv->incarnation, sv->drill,
				server_now_us(sv), d);
	if (!err)
		err = recorder_record(&sv->recorder, d);
	if (err)
		return err;
	core_decision_reset(d);
	err = core_decide_policy(sv->core, sv->policy, server_now_us(sv), d);
	if (err && d->detail[0])
		log_error("hub_file_refused", LOG_S("why", d->detail));
	if (!err)
		err = recorder_record(&sv->recorder, d);
	if (!err)
		err = core_bind_policy(sv->core, sv->policy);
	if (!err)
		err = certificates_start(sv);
	return err ? err : commit_now(sv);
}
