/* See recipients.h. */
#include "broker/recipients.h"

#include "proto/seal_der.h"

enum ieum_err recipients_read(const Ieum__V1__Referral *referral, struct arena *arena,
			      struct core_submit *to)
{
	bool wraps = referral->body_case == IEUM__V1__REFERRAL__BODY_KEY_WRAP;
	size_t places = wraps ? referral->key_wrap->n_keys : referral->n_narrative;
	size_t left = SEAL_MESSAGE_RECIPIENTS_MAX, n = 0;
	struct core_sealed *sealed = NULL;
	struct seal_recipient *recipients = NULL;
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < places && !err; i++) {
		if (!wraps && referral->narrative[i]->content_case !=
				      IEUM__V1__NARRATIVE_PART__CONTENT_SEALED)
			continue;
		if (!sealed) {
			sealed = arena_alloc(arena, places * sizeof(*sealed));
			recipients = arena_alloc(arena, left * sizeof(*recipients));
		}
		if (!sealed || !recipients)
			return IEUM_E_NO_MEMORY;
		const ProtobufCBinaryData *der =
			wraps ? &referral->key_wrap->keys[i]->recipient_info
			      : &referral->narrative[i]->sealed;
		err = wraps ? seal_info_recipients(der->data, der->len, recipients, left, &n)
			    : seal_recipients(der->data, der->len, recipients, left, &n);
		sealed[to->n_sealed++] = (struct core_sealed){ i, recipients, n };
		recipients += n;
		left -= n;
	}
	to->sealed = sealed;
	return err;
}
