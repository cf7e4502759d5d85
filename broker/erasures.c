/* Payloads past their retention: asked for once an hour of hub time, decided and erased a few at
 * each tick.
 *
 * The event and the erasure are one transaction of the journal, so a restart finds both or
 * neither.  From the event on no query and no delivery reaches the payload; when it is durable, the
 * payload leaves the cache too (commits.c). */
#include "broker/server_internal.h"

#define EVERY_US ((int64_t)60 * 60 * 1000 * 1000)
/* What was kept because of its case is looked at less often: each time all since then is read. */
#define AGAIN_EVERY_US (24 * EVERY_US)

static int64_t aged_at_us(const struct server *sv, int type, int64_t now_us)
{
	int64_t aged_ms = policy_aged_at(sv->policy, (Ieum__V1__MessageType)type, now_us / 1000);

	return aged_ms == INT64_MIN ? INT64_MIN : aged_ms * 1000;
}

/* Most types are kept as long as the file's default, which is that of no type. */
static void fill_ages(const struct server *sv, int64_t now_us, struct retention_ages *ages)
{
	struct yaml_duration usual = policy_retention(sv->policy, 0);

	ages->received_by_us[0] = aged_at_us(sv, 0, now_us);
	for (int t = 1; t < POLICY_TYPES; t++) {
		struct yaml_duration kept = policy_retention(sv->policy, (Ieum__V1__MessageType)t);
		bool is_usual = kept.amount == usual.amount && kept.unit == usual.unit;

		ages->received_by_us[t] =
			is_usual ? ages->received_by_us[0] : aged_at_us(sv, t, now_us);
	}
}

static void start_look(struct server *sv)
{
	int64_t now_us = server_now_us(sv);
	bool again = now_us >= sv->erasures.again_at_us;
	struct retention_ages ages;

	fill_ages(sv, now_us, &ages);
	sv->erasures.looking = true;
	sv->erasures.next_at_us = now_us + EVERY_US;
	if (again)
		sv->erasures.again_at_us = now_us + AGAIN_EVERY_US;
	sv->erasures.erased = sv->erasures.kept = 0;
	retention_start(sv->retention, &ages, again);
}

static void erase(struct server *sv, struct core_aged *found, size_t n)
{
	enum ieum_err err;

	core_decision_reset(&sv->decision);
	err = core_decide_erase(sv->core, sv->policy, found, n, server_now_us(sv), &sv->decision);
	if (err) {
		server_fail(sv, err, "erasing");
		return;
	}
	if (sv->decision.n_items && !server_record(sv))
		return;
	for (size_t i = 0; i < n; i++) {
		sv->erasures.erased += found[i].erased;
		sv->erasures.kept += !found[i].erased;
	}
	if (n == RETENTION_AT_ONCE)
		log_info("erasing", LOG_U("payloads", sv->erasures.erased),
			 LOG_U("still_needed", sv->erasures.kept));
	retention_took(sv->retention);
}

static void tell(struct server *sv)
{
	sv->erasures.looking = false;
	if (sv->erasures.erased || sv->erasures.kept)
		log_info("payloads_erased", LOG_U("payloads", sv->erasures.erased),
			 LOG_U("still_needed", sv->erasures.kept));
}

void erasures_soon(struct server *sv)
{
	sv->erasures.next_at_us = sv->erasures.again_at_us = 0;
}

void erasures_tick(struct server *sv)
{
	struct core_aged *found;
	size_t n;

	/* It can wait: everything else goes first. */
	if (!sv->retention || sv->stalled || sv->stopping ||
	    recorder_room(&sv->recorder) != RECORDER_ROOMY)
		return;
	found = retention_found(sv->retention, &n);
	if (found) {
		erase(sv, found, n);
		return;
	}
	if (!retention_is_idle(sv->retention))
		return;
	if (sv->erasures.looking)
		tell(sv);
	if (server_now_us(sv) >= sv->erasures.next_at_us)
		start_look(sv);
}
