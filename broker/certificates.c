/* Certificates while the hub runs: what the core has to know of its own, who may not go on, and
 * files that change under it.
 *
 * A certificate that ends, or that a new revocation list names, ends its sessions then, and is
 * known no more.  Times are the machine's, as TLS judges them; what is told ahead of an end is a
 * deadline like others, and goes by the hub's clock (core/certificates.h). */
#include <stdio.h>
#include <string.h>

#include "broker/session.h"

enum {
	WATCH_TICKS = 2,     /* how often the files are looked at */
	JUDGED_PER_TURN = 2, /* two signatures each */
	DAY_S = 24 * 60 * 60,
};

/* ---- the hub's own ---- */

static size_t own_certificates(const struct server *sv, struct core_certificate *out)
{
	const struct tls_identity *own = tls_own(sv->tls);
	const uint8_t *list = tls_crl_fingerprint(sv->tls);
	size_t n = 0;

	out[n++] = (struct core_certificate){
		.matter = IEUM__V1__CERTIFICATE_MATTER__CERTIFICATE_MATTER_HUB,
		.fingerprint = tls_own_certificate(sv->tls)->fingerprint,
		.ends_at_ms = own->not_after_s * 1000,
		.actor = own->actor,
		.serial = own->serial,
	};
	if (list)
		out[n++] = (struct core_certificate){
			.matter = IEUM__V1__CERTIFICATE_MATTER__CERTIFICATE_MATTER_REVOCATION_LIST,
			.fingerprint = list,
			.ends_at_ms = tls_crl_next_update_s(sv->tls) * 1000,
			.actor = "",
			.serial = "",
		};
	return n;
}

static enum ieum_err decide_own(struct server *sv)
{
	struct core_certificate own[CORE_OWN_CERTIFICATES_MAX];
	size_t n = own_certificates(sv, own);

	core_decision_reset(&sv->decision);
	return core_decide_own_certificates(sv->core, own, n, server_now_us(sv), &sv->decision);
}

enum ieum_err certificates_start(struct server *sv)
{
	enum ieum_err err = decide_own(sv);

	certificates_note_files(sv);
	certificates_judge_again(sv);
	return err ? err : recorder_record(&sv->recorder, &sv->decision);
}

bool certificates_take_own(struct server *sv)
{
	enum ieum_err err = decide_own(sv);

	if (err) {
		server_fail(sv, err, "certificates");
		return false;
	}
	return sv->decision.n_items == 0 || server_record(sv);
}

/* ---- those that are known ---- */

void certificates_judge_again(struct server *sv)
{
	sv->certificates.judging = true;
	sv->certificates.participant = 1;
	sv->certificates.judged = 0;
}

/* By the newest files: would TLS let its holder in, as the same participant? */
static bool is_good(const struct server *sv, const struct core_certificate *k)
{
	char why[TLS_WHY_BYTES];
	struct tls_identity id;
	int index;
	enum ieum_err err = tls_judge(sv->tls, k->der, k->der_len, &id, why);

	if (!err)
		err = session_identify(&id, sv->policy, &index);
	if (!err && policy_participant(sv->policy, index)->number == k->participant)
		return true;
	if (err == IEUM_E_NO_MEMORY)
		return true;
	log_info("certificate_forgotten",
		 LOG_S("participant", core_participant_name(sv->core, k->participant)),
		 LOG_S("serial", k->serial),
		 LOG_S("error", err ? ieum_error((int)err)->name : "IDENTITY_UNKNOWN"));
	return false;
}

/* Some of one participant; false: they were all looked at. */
static bool judge_some(struct server *sv)
{
	struct core_certificate known[CORE_CERTIFICATES_PER_PARTICIPANT];
	uint8_t gone[JUDGED_PER_TURN][CORE_HASH_BYTES];
	size_t n = core_certificates(sv->core, sv->certificates.participant, known,
				     CORE_CERTIFICATES_PER_PARTICIPANT);
	size_t n_gone = 0, i = sv->certificates.judged;

	for (size_t looked = 0; i < n && looked < JUDGED_PER_TURN; i++, looked++)
		if (!is_good(sv, &known[i]))
			memcpy(gone[n_gone++], known[i].fingerprint, CORE_HASH_BYTES);
	sv->certificates.judged = (uint32_t)(i - n_gone);
	if (n_gone > 0) {
		core_decision_reset(&sv->decision);
		if (core_decide_certificates_gone(sv->core, (const uint8_t(*)[CORE_HASH_BYTES])gone,
						  n_gone, server_now_us(sv),
						  &sv->decision) == IEUM_E_OK)
			(void)server_record(sv);
	}
	return i < n;
}

bool certificates_turn(struct server *sv)
{
	if (!sv->certificates.judging || sv->stalled || sv->stopping || sv->failed ||
	    recorder_room(&sv->recorder) == RECORDER_FULL)
		return false;
	if (judge_some(sv))
		return true;
	sv->certificates.judged = 0;
	sv->certificates.judging = ++sv->certificates.participant <= core_participants(sv->core);
	return sv->certificates.judging;
}

bool certificates_is_stranger(const struct session *s)
{
	const struct server *sv = s->server;
	struct tls_certificate came;
	struct core_certificate known;

	if (!channel_peer_is_stale(s->ch))
		return false;
	return channel_peer_certificate(s->ch, &came) ||
	       !core_certificate(sv->core, came.fingerprint, &known) ||
	       known.participant != session_participant(s)->number;
}

/* ---- files that change ---- */

void certificates_note_files(struct server *sv)
{
	sv->certificates.files_seen = sv->certificates.files_read = tls_files_sum(&sv->config->tls);
}

/* Read when they are the same twice: a certificate and its key are not replaced in one moment. */
static void watch_files(struct server *sv)
{
	uint64_t sum = tls_files_sum(&sv->config->tls);
	bool settled = sum == sv->certificates.files_seen;

	sv->certificates.files_seen = sum;
	if (settled && sum != sv->certificates.files_read)
		(void)reload_certificates(sv);
}

/* ---- what ends ---- */

void certificates_tick(struct server *sv)
{
	int64_t now_s = clock_read().realtime_us / 1000000;
	struct session *s;

	LIST_FOREACH(s, &sv->sessions, all_link) {
		if (s->state == SESSION_OPEN && channel_peer(s->ch)->chain_ends_s <= now_s)
			reload_admit_no_more(s, IEUM_E_CERTIFICATE_EXPIRED, "certificate",
					     "certificate has expired");
	}
	if (sv->ticks % WATCH_TICKS == 0 && !sv->stopping)
		watch_files(sv);
}

void certificates_tell_dates(const struct server *sv)
{
	int64_t now_s = clock_read().realtime_us / 1000000;
	int64_t certificate_s = tls_own(sv->tls)->not_after_s - now_s;
	int64_t crl_at_s = tls_crl_next_update_s(sv->tls);
	int64_t grace_s = sv->config->tls.crl_grace_s;

	if (certificate_s < CONFIG_CERTIFICATE_WARNING_DAYS * (int64_t)DAY_S)
		log_warn("certificate_ends", LOG_S("matter", "hub"),
			 LOG_I("in_days", certificate_s / DAY_S));
	if (policy_holidays_end_soon(sv->policy, now_s * 1000))
		log_warn("holidays_end",
			 LOG_I("in_days",
			       (policy_holidays_end_ms(sv->policy) / 1000 - now_s) / DAY_S),
			 LOG_S("do", "add the next ones to the hub file and send SIGHUP"));
	if (crl_at_s && crl_at_s - now_s < CONFIG_LIST_WARNING_DAYS * (int64_t)DAY_S)
		log_warn("revocation_list_ends", LOG_I("in_hours", (crl_at_s - now_s) / 3600),
			 LOG_S("then", grace_s ? "who is known is let in for a while, nobody else"
					       : "every new connection is refused"),
			 LOG_S("do", "put a new one in its place"));
}

void certificates_tell_left_out(const struct session *s, const struct core_certificate *with)
{
	struct server *sv = s->server;
	struct roster_entry *entry = &sv->roster.entries[s->participant];
	struct core_certificate known[CORE_CERTIFICATES_PER_PARTICIPANT];
	const struct policy_participant *who = session_participant(s);

	if (entry->told_left_out || core_certificate(sv->core, with->fingerprint, known) ||
	    core_certificates(sv->core, who->number, known, CORE_CERTIFICATES_PER_PARTICIPANT) <
		    CORE_CERTIFICATES_PER_PARTICIPANT)
		return;
	entry->told_left_out = true;
	log_warn("certificate_left_out", LOG_S("participant", who->name),
		 LOG_S("serial", with->serial), LOG_I("kept", CORE_CERTIFICATES_PER_PARTICIPANT),
		 LOG_S("then", "nobody seals to it"), LOG_S("do", "revoke those that nobody uses"));
}

static const char *matter_word(Ieum__V1__CertificateMatter matter)
{
	switch (matter) {
	case IEUM__V1__CERTIFICATE_MATTER__CERTIFICATE_MATTER_HUB: return "hub";
	case IEUM__V1__CERTIFICATE_MATTER__CERTIFICATE_MATTER_REVOCATION_LIST:
		return "revocation_list";
	default: return "participant";
	}
}

static void tell(const struct server *sv, const ProtobufCBinaryData *fingerprint, int64_t days)
{
	struct core_certificate k;

	if (fingerprint->len == CORE_HASH_BYTES &&
	    core_certificate(sv->core, fingerprint->data, &k))
		log_warn("certificate_ends", LOG_S("matter", matter_word(k.matter)),
			 LOG_S("participant", core_participant_name(sv->core, k.participant)),
			 LOG_S("serial", k.serial), LOG_I("in_days", days));
}

void certificates_tell_due(const struct server *sv)
{
	for (size_t i = 0; i < sv->decision.n_items; i++) {
		const Ieum__V1__Event *event = sv->decision.items[i].event;
		const Ieum__V1__CertificatesChanged *e = event->certificates_changed;

		if (event->what_case != IEUM__V1__EVENT__WHAT_CERTIFICATES_CHANGED)
			continue;
		for (size_t k = 0; k < e->n_told; k++)
			tell(sv, &e->told[k]->fingerprint, e->told[k]->days);
		for (size_t k = 0; k < e->n_gone; k++)
			tell(sv, &e->gone[k], 0);
	}
}
