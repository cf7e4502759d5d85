/* Answering queries; private to broker/core.  Texts of a result point into the core and the
 * policy, ids into the core: it is to be packed before either changes. */
#ifndef IEUM_BROKER_CORE_VIEW_H
#define IEUM_BROKER_CORE_VIEW_H

#include "broker/core/decision.h"

enum {
	VIEW_ROWS_DEFAULT = 50,
	VIEW_ROWS_MAX = 200,
	VIEW_LOOKED_MAX = 4000, /* records looked at for one page: then it ends early */
};

struct viewing {
	const struct core *c;
	const struct policy *p;
	struct core_view *v;
	struct caller who;
	size_t rows;     /* most of this page */
	uint64_t cursor; /* 0: from the start */
	uint64_t tie;    /* second half of a cursor of two numbers */
	uint32_t looked; /* records */
};

/* No more of this page: somebody else waits.  What is at hand is finished, so a page can hold one
 * record's requests more than the limit. */
static inline bool view_tired(const struct viewing *w)
{
	return w->looked >= VIEW_LOOKED_MAX;
}

void *view_alloc(struct viewing *w, size_t bytes); /* cleared */
/* The page ends here; the next begins at `cursor`, which is not 0. */
enum ieum_err view_more(struct viewing *w, uint64_t cursor) IEUM_MUST_CHECK;
/* The same where one number does not say where that is. */
enum ieum_err view_more_at(struct viewing *w, uint64_t cursor, uint64_t tie) IEUM_MUST_CHECK;
enum ieum_err view_refuse(struct viewing *w, enum ieum_err code,
			  const char *detail) IEUM_MUST_CHECK;
void view_read_id(struct viewing *w, const uint8_t id[CORE_ID_BYTES]);
static inline char *view_text(const char *text)
{
	return (char *)text;
}
static inline ProtobufCBinaryData view_id(const uint8_t id[CORE_ID_BYTES])
{
	return (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)id };
}

enum ieum_err view_cases(struct viewing *w) IEUM_MUST_CHECK;
enum ieum_err view_case(struct viewing *w, const Ieum__V1__CaseQuery *q) IEUM_MUST_CHECK;
enum ieum_err view_referral(struct viewing *w, const Ieum__V1__ReferralQuery *q) IEUM_MUST_CHECK;
enum ieum_err view_directory(struct viewing *w, const Ieum__V1__DirectoryQuery *q) IEUM_MUST_CHECK;
enum ieum_err view_reach(struct viewing *w, const Ieum__V1__ReachQuery *q) IEUM_MUST_CHECK;
enum ieum_err view_whoami(struct viewing *w) IEUM_MUST_CHECK;
enum ieum_err view_agenda(struct viewing *w, const Ieum__V1__AgendaQuery *q) IEUM_MUST_CHECK;
enum ieum_err view_deadlines(struct viewing *w, const Ieum__V1__DeadlinesQuery *q) IEUM_MUST_CHECK;
enum ieum_err view_handover(struct viewing *w, const Ieum__V1__HandoverQuery *q) IEUM_MUST_CHECK;
enum ieum_err view_pools(struct viewing *w, const Ieum__V1__PoolsQuery *q) IEUM_MUST_CHECK;
enum ieum_err view_queues(struct viewing *w) IEUM_MUST_CHECK;
enum ieum_err view_queue(struct viewing *w, const Ieum__V1__QueueQuery *q) IEUM_MUST_CHECK;

/* Until its gate is open, how and when a linked set came to be is its owner's knowledge alone:
 * others see of its case what they sent and got themselves. */
bool view_is_narrow(const struct viewing *w, const struct core_case *k);
/* view_referral.c: did the caller send or get it? */
bool view_is_own(const struct viewing *w, const struct referral *m);
/* view_referral.c: a request as its case's members see it. */
enum ieum_err view_task(struct viewing *w, const struct task *t,
			Ieum__V1__TaskView *out) IEUM_MUST_CHECK;
/* view_pools.c: who may ask for places sees all pools, a keeper its own. */
bool view_may_see_pool(const struct viewing *w, const struct policy_pool *pool);
/* view_deadlines.c: the clocks of a case. */
enum ieum_err view_case_clocks(struct viewing *w, const struct core_case *of,
			       Ieum__V1__CaseResult *r) IEUM_MUST_CHECK;

#endif
