/* What was sealed in a message and is opened for whoever runs the command. */
#ifndef IEUM_CLIENT_OPENED_H
#define IEUM_CLIENT_OPENED_H

#include <jansson.h>

#include "client/ieum.h"
#include "client/invocation.h"
#include "client/shown.h"
#include "ieum/v1/referral.pb-c.h"
#include "proto/pbmap.h"

/* Opens what can be, by the keys of this run; NULL where nothing is sealed, or there are no keys. */
struct ieum_opened *opened_of(const struct invocation *inv, const Ieum__V1__Referral *m,
			      const char *sender, int64_t received_at_ms);

/* A sealed part, its text indented, with what it is about and who signed it; or why it is not opened. */
void opened_render(const struct invocation *inv, const Ieum__V1__NarrativePart *part,
		   const struct ieum_opened_part *opened, const struct names *names);

/* Into a Referral's JSON: each sealed part gets "opened": {"text": … (or "clear":
 * bytes), "signed_by", "actor"}, or {"error", "detail"}.  `opened` may be NULL.  NO_MEMORY. */
enum ieum_err opened_into_json(json_t *referral, const Ieum__V1__Referral *m,
			       const struct ieum_opened *opened,
			       const struct pbmap_style *style) IEUM_MUST_CHECK;

#endif
