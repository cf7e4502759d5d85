#include "tests/integration/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "broker/audit.h"
#include "broker/journal/journal.h"

struct visit {
	record_cb *cb;
	void *ctx;
};

static enum ieum_err on_record(void *ctx, const struct journal_record *r)
{
	const struct visit *v = ctx;
	Ieum__V1__Event *event = ieum__v1__event__unpack(NULL, r->kept_len, r->kept);

	if (!event)
		return IEUM_E_JOURNAL_CORRUPT;
	v->cb(v->ctx, r->seq, event);
	ieum__v1__event__free_unpacked(event, NULL);
	return IEUM_E_OK;
}

void record_each(const struct hub *h, record_cb *cb, void *ctx)
{
	struct journal_config config = { .engine = "sqlite",
					 .path = h->journal,
					 .read_only = true };
	struct visit visit = { cb, ctx };
	struct journal *j;

	assert_int_equal(journal_open(&config, &j), IEUM_E_OK);
	assert_int_equal(journal_load(j, 1, UINT64_MAX, 0, on_record, &visit), IEUM_E_OK);
	journal_close(j);
}

struct refused {
	enum ieum_err code;
	const char *what;
	uint32_t count, events;
};

static void count_refused(void *ctx, uint64_t seq, const Ieum__V1__Event *event)
{
	struct refused *r = ctx;

	(void)seq;
	if (event->what_case != IEUM__V1__EVENT__WHAT_REFUSED ||
	    event->refused->code != (uint32_t)r->code ||
	    (r->what && strcmp(r->what, event->refused->what) != 0))
		return;
	r->events++;
	r->count += event->refused->count;
}

uint32_t record_refused(const struct hub *h, enum ieum_err code, const char *what, uint32_t *events)
{
	struct refused r = { .code = code, .what = what };

	record_each(h, count_refused, &r);
	if (events)
		*events = r.events;
	return r.count;
}

struct was_read {
	const char *what;
	const uint8_t *id;
	uint32_t count;
};

static void count_read(void *ctx, uint64_t seq, const Ieum__V1__Event *event)
{
	struct was_read *r = ctx;
	const Ieum__V1__WasRead *e = event->was_read;
	bool found = !r->id;

	(void)seq;
	if (event->what_case != IEUM__V1__EVENT__WHAT_WAS_READ || strcmp(e->what, r->what) != 0)
		return;
	for (size_t i = 0; !found && i < e->n_ids; i++)
		found = e->ids[i].len == 16 && memcmp(e->ids[i].data, r->id, 16) == 0;
	r->count += found;
}

uint32_t record_read(const struct hub *h, const char *what, const uint8_t *id)
{
	struct was_read r = { .what = what, .id = id };

	record_each(h, count_read, &r);
	return r.count;
}

void record_audit(const struct hub *h)
{
	struct audit_options options = { .earlier_size = 0 };
	struct audit a;

	assert_int_equal(audit_run(h->journal, &options, &a), IEUM_E_OK);
	if (!a.sound)
		fail_msg("event %llu: %s", (unsigned long long)a.mismatch_seq, a.mismatch);
	audit_release(&a);
}
