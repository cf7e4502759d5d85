/* Messages with sealed parts in a snapshot, and what always holds of them; see sealed.h. */
#include <string.h>

#include "broker/core/sealed.h"
#include "broker/core/snapshot.h"

/* ---- writing ---- */

static enum ieum_err write_parts(struct snapshot_writing *w, const struct sealed *s,
				 Ieum__V1__SnapshotSealed *m)
{
	Ieum__V1__SealedPart *rows = snapshot_room(w, s->n_parts, sizeof *rows);

	m->parts = snapshot_room(w, s->n_parts, sizeof *m->parts);
	if (!rows || !m->parts)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < s->n_parts; i++) {
		rows[i] = (Ieum__V1__SealedPart)IEUM__V1__SEALED_PART__INIT;
		rows[i].number = s->parts[i].number;
		rows[i].holders = s->parts[i].holders;
		rows[i].n_holders = s->parts[i].n_holders;
		rows[i].recipients = s->parts[i].recipients;
		rows[i].n_recipients = s->parts[i].n_recipients;
		rows[i].certificates = s->parts[i].to.ids;
		rows[i].n_certificates = s->parts[i].to.n;
		m->parts[m->n_parts++] = &rows[i];
	}
	return IEUM_E_OK;
}

static enum ieum_err write_keys(struct snapshot_writing *w, const struct sealed *s,
				Ieum__V1__SnapshotSealed *m)
{
	Ieum__V1__SnapshotKey *rows = snapshot_room(w, s->n_keys, sizeof *rows);

	m->keys = snapshot_room(w, s->n_keys, sizeof *m->keys);
	if (!rows || !m->keys)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < s->n_keys; i++) {
		rows[i] = (Ieum__V1__SnapshotKey)IEUM__V1__SNAPSHOT_KEY__INIT;
		rows[i].participant = s->keys[i].participant;
		rows[i].holder = s->keys[i].holder;
		rows[i].part = s->keys[i].part;
		rows[i].recipient_info =
			(ProtobufCBinaryData){ s->keys[i].info_len, s->keys[i].info };
		rows[i].wrap_id = snapshot_id(s->keys[i].wrap_id);
		rows[i].certificates = s->keys[i].to.ids;
		rows[i].n_certificates = s->keys[i].to.n;
		m->keys[m->n_keys++] = &rows[i];
	}
	return IEUM_E_OK;
}

static enum ieum_err write_rejected(struct snapshot_writing *w, const struct sealed *s,
				    Ieum__V1__SnapshotSealed *m)
{
	Ieum__V1__SnapshotRejected *rows = snapshot_room(w, s->n_rejected, sizeof *rows);

	m->rejected = snapshot_room(w, s->n_rejected, sizeof *m->rejected);
	if (!rows || !m->rejected)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < s->n_rejected; i++) {
		rows[i] = (Ieum__V1__SnapshotRejected)IEUM__V1__SNAPSHOT_REJECTED__INIT;
		rows[i].participant = s->rejected[i].participant;
		rows[i].holder = s->rejected[i].holder;
		rows[i].newest = s->rejected[i].newest;
		m->rejected[m->n_rejected++] = &rows[i];
	}
	return IEUM_E_OK;
}

static enum ieum_err write_wants(struct snapshot_writing *w, const struct sealed *s,
				 Ieum__V1__SnapshotSealed *m)
{
	size_t n = 0;

	for (uint32_t wh = s->first_want; wh; wh = sealed_want_at(w->c, wh)->next)
		n++;
	Ieum__V1__SnapshotWant *rows = snapshot_room(w, n, sizeof *rows);
	m->wants = snapshot_room(w, n, sizeof *m->wants);
	if (!rows || !m->wants)
		return IEUM_E_NO_MEMORY;
	for (uint32_t wh = s->first_want; wh; wh = sealed_want_at(w->c, wh)->next) {
		struct sealed_want *want = sealed_want_at(w->c, wh);
		Ieum__V1__SnapshotWant *row = &rows[m->n_wants];
		*row = (Ieum__V1__SnapshotWant)IEUM__V1__SNAPSHOT_WANT__INIT;
		row->participant = want->participant;
		row->parts = want->parts;
		row->asked = want->asked;
		row->n_asked = want->n_asked;
		row->declined = want->declined;
		row->n_declined = want->n_declined;
		row->requests = want->requests;
		row->n_requests = want->n_requests;
		row->partly = want->partly;
		row->through = want->through;
		row->asked_at_ms = want->asked_at_ms;
		row->request_id = snapshot_id(want->request_id);
		row->ask_again_at_ms = want->ask_again_at_ms;
		m->wants[m->n_wants++] = row;
	}
	return IEUM_E_OK;
}

enum ieum_err sealed_write(struct snapshot_writing *w)
{
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t h = w->c->sealed.head; h && !err; h = sealed_at(w->c, h)->next) {
		const struct sealed *s = sealed_at(w->c, h);
		Ieum__V1__SnapshotSealed m = IEUM__V1__SNAPSHOT_SEALED__INIT;
		m.message_id = snapshot_id(referral_at(w->c, s->referral)->id);
		m.look = sealed_to_look(w->c, s);
		err = write_parts(w, s, &m);
		if (!err)
			err = write_keys(w, s, &m);
		if (!err)
			err = write_rejected(w, s, &m);
		if (!err)
			err = write_wants(w, s, &m);
		if (!err)
			err = snapshot_put(w, IEUM__V1__SNAPSHOT_RECORD__WHAT_SEALED, &m);
	}
	return err;
}

/* ---- reading ---- */

static enum ieum_err read_want(struct core *c, uint32_t h, const Ieum__V1__SnapshotWant *m)
{
	if (m->participant == 0 || m->participant > c->n_participants || !m->parts ||
	    m->n_asked > SEALED_ASKED_MAX || m->n_declined > SEALED_ASKED_MAX ||
	    m->n_requests > SEALED_ASKED_MAX || m->request_id.len != CORE_ID_BYTES ||
	    sealed_want_of(c, sealed_at(c, h), m->participant))
		return IEUM_E_JOURNAL_CORRUPT;
	uint32_t wh = sealed_add_want(c, h, m->participant);
	if (!wh)
		return IEUM_E_NO_MEMORY;
	struct sealed_want *w = sealed_want_at(c, wh);
	w->parts = m->parts;
	if (m->n_asked)
		memcpy(w->asked, m->asked, m->n_asked * sizeof *w->asked);
	w->n_asked = (uint32_t)m->n_asked;
	if (m->n_declined)
		memcpy(w->declined, m->declined, m->n_declined * sizeof *w->declined);
	w->n_declined = (uint32_t)m->n_declined;
	if (m->n_requests)
		memcpy(w->requests, m->requests, m->n_requests * sizeof *w->requests);
	w->n_requests = (uint32_t)m->n_requests;
	w->partly = m->partly;
	w->through = m->through;
	w->asked_at_ms = m->asked_at_ms;
	memcpy(w->request_id, m->request_id.data, CORE_ID_BYTES);
	return sealed_place_want(c, wh, m->ask_again_at_ms);
}

enum ieum_err sealed_read(struct core *c, const Ieum__V1__SnapshotSealed *m)
{
	uint32_t rh =
		m->message_id.len == CORE_ID_BYTES ? state_referral(c, m->message_id.data) : 0;

	if (!rh || referral_at(c, rh)->sealed || (c->sealed.first_look && !m->look))
		return IEUM_E_JOURNAL_CORRUPT;
	enum ieum_err err = sealed_add(c, rh, m->parts, m->n_parts);
	uint32_t h = referral_at(c, rh)->sealed;
	for (size_t i = 0; i < m->n_keys && !err; i++) {
		struct sealed_key key = { .participant = m->keys[i]->participant,
					  .holder = m->keys[i]->holder,
					  .part = m->keys[i]->part,
					  .info = m->keys[i]->recipient_info.data,
					  .info_len = m->keys[i]->recipient_info.len,
					  .to = { m->keys[i]->certificates,
						  m->keys[i]->n_certificates } };
		if (m->keys[i]->wrap_id.len != CORE_ID_BYTES)
			return IEUM_E_JOURNAL_CORRUPT;
		memcpy(key.wrap_id, m->keys[i]->wrap_id.data, CORE_ID_BYTES);
		err = sealed_add_key(c, sealed_at(c, h), &key);
	}
	for (size_t i = 0; i < m->n_rejected && !err; i++)
		err = sealed_add_rejected(c, sealed_at(c, h),
					  &(struct sealed_rejected){ m->rejected[i]->participant,
								     m->rejected[i]->holder,
								     m->rejected[i]->newest });
	for (size_t i = 0; i < m->n_wants && !err; i++)
		err = read_want(c, h, m->wants[i]);
	if (!err && m->look)
		sealed_look(c, h);
	return err;
}

/* ---- checking ---- */

static const char *check_want(const struct core *c, uint32_t h, uint32_t wh)
{
	const struct sealed_want *w = sealed_want_at(c, wh);

	if (w->sealed != h || sealed_want_of(c, sealed_at(c, h), w->participant) != wh)
		return "somebody wants keys of a message twice, or of another one";
	if (!w->parts)
		return "somebody wants no keys";
	if ((w->ask_again_at_ms != 0) != (w->place != 0))
		return "who wants keys waits and is due, or neither";
	if (w->place && (int64_t)c->sealed.due.entries[w->place - 1].key != w->ask_again_at_ms)
		return "who wants keys is due at another moment than it says";
	return NULL;
}

static const char *check_one(const struct core *c, uint32_t h, bool look, uint32_t *wants)
{
	const struct sealed *s = sealed_at(c, h);
	const struct referral *r = referral_at(c, s->referral);

	if (r->sealed != h || r->erased)
		return "a message with sealed parts is another's, or its content is gone";
	if (sealed_to_look(c, s) != look)
		return "what has to be looked at does not stand behind the others";
	for (uint32_t wh = s->first_want; wh; wh = sealed_want_at(c, wh)->next) {
		const char *wrong = check_want(c, h, wh);
		if (wrong)
			return wrong;
		++*wants;
	}
	return NULL;
}

const char *sealed_check(const struct core *c)
{
	uint32_t n = 0, wants = 0, waiting = 0;
	bool look = false;

	for (uint32_t h = c->sealed.head; h; h = sealed_at(c, h)->next) {
		look |= h == c->sealed.first_look;
		const char *wrong = check_one(c, h, look, &wants);
		if (wrong)
			return wrong;
		n++;
	}
	for (uint32_t wh = c->sealed.wait_head; wh; wh = sealed_want_at(c, wh)->wait_next)
		waiting++;
	if (n != c->sealed.records.live || wants != c->sealed.wants.live ||
	    wants != waiting + c->sealed.due.n)
		return "messages with sealed parts, or who wants their keys, are counted wrong";
	return NULL;
}
