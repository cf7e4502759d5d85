/* See manifest.h. */
#include "tests/scenarios/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "proto/sha256.h"

static bool is_listed(const struct handover_row *rows, size_t n, const uint8_t *case_id)
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(rows[i].case_id, case_id, HANDOVER_ID_BYTES) == 0)
			return true;
	return false;
}

/* Each case once, however often it was asked for. */
static size_t take_rows(const uint8_t *change_id, const char *who,
			const struct play_delivery *deliveries, size_t n, struct handover_row *rows)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		const struct play_delivery *d = &deliveries[i];
		if (d->type != IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_HANDOVER ||
		    strcmp(d->participant, who) != 0 ||
		    memcmp(d->change_id, change_id, PLAY_ID_BYTES) != 0 ||
		    is_listed(rows, found, d->case_id))
			continue;
		rows[found] = d->handed;
		memcpy(rows[found++].case_id, d->case_id, PLAY_ID_BYTES);
	}
	qsort(rows, found, sizeof *rows, handover_row_compare);
	return found;
}

static ProtobufCBinaryData copy(const uint8_t *bytes, size_t len)
{
	uint8_t *copied = malloc(len);

	if (!copied)
		abort();
	memcpy(copied, bytes, len);
	return (ProtobufCBinaryData){ len, copied };
}

bool manifest_fill(Ieum__V1__HandoverManifest *m, const uint8_t *change_id, const char *who,
		   const struct play_delivery *deliveries, size_t n)
{
	struct handover_row *rows = calloc(n + 1, sizeof *rows);
	uint8_t *bytes = malloc((n + 1) * HANDOVER_ROW_BYTES);
	struct handover_row sum = { .open_referrals = 0 };
	uint8_t digest[SHA256_BYTES];
	bool ok = rows && bytes;
	size_t found = ok ? take_rows(change_id, who, deliveries, n, rows) : 0;

	for (size_t i = 0; i < found; i++) {
		handover_row_put(&rows[i], bytes + i * HANDOVER_ROW_BYTES);
		sum.open_referrals += rows[i].open_referrals;
		sum.clocks += rows[i].clocks;
		sum.holds += rows[i].holds;
	}
	ok = ok && sha256(bytes, found * HANDOVER_ROW_BYTES, digest);
	if (ok) {
		m->change_id = copy(change_id, PLAY_ID_BYTES);
		m->cases = m->cases ? m->cases : (uint32_t)found;
		m->open_referrals = m->open_referrals ? m->open_referrals : sum.open_referrals;
		m->clocks = m->clocks ? m->clocks : sum.clocks;
		m->holds = m->holds ? m->holds : sum.holds;
		if (!m->digest.len)
			m->digest = copy(digest, sizeof digest);
	}
	free(rows);
	free(bytes);
	return ok;
}
