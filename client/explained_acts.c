/* What a rule sets off, in words; see explained_parts.h. */
#include <stdio.h>
#include <string.h>

#include "client/explained_parts.h"
#include "proto/catalog.h"

/* By the key of the hub file.  A text takes the key's value, where it has one, as its %s. */
/* clang-format off */
static const struct {
	const char *key;
	const char *text;
} acts[] = {
	{ "starts",         N_("starts clock %s") },
	{ "restarts",       N_("restarts clock %s") },
	{ "stops",          N_("stops clock %s") },
	{ "freezes",        N_("freezes clock %s") },
	{ "resumes",        N_("resumes clock %s") },
	{ "extends",        N_("extends clock %s") },
	{ "grade",          N_("sets the repeat risk to %s") },
	{ "holds",          N_("holds places") },
	{ "takes_place",    N_("takes up the place that was held") },
	{ "returns_place",  N_("gives the place back") },
	{ "counts_places",  N_("counts the pool's places") },
	{ "waits",          N_("puts on the waiting list") },
	{ "opens_gate",     N_("opens gate %s") },
	{ "stops_use",      N_("stops the use of what the consent carried") },
	{ "gives_consent",  N_("notes a consent that is given again") },
	{ "asks_actions",   N_("asks those whom the minutes name for their actions") },
	{ "sends_agenda",   N_("sends the agenda") },
	{ "hands_over",     N_("hands a jurisdiction over") },
	{ "puts_on_agenda", N_("puts it on the agenda") },
	{ "meeting_within", N_("asks the convener to call a meeting") },
	{ "minutes_within", N_("asks the convener for the minutes") },
	{ "ends_agenda",    N_("ends what was on the agenda") },
	{ "confirms",       N_("confirms what was handed over") },
};
/* clang-format on */

const char *explained_act(const struct invocation *inv, const struct policy_act *act,
			  char out[EXPLAINED_ACT_BYTES])
{
	const char *value = act->text ? act->text : "";

	for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
		if (strcmp(acts[i].key, act->key) != 0)
			continue;
		snprintf(out, EXPLAINED_ACT_BYTES, catalog_text(inv->lang, acts[i].text), value);
		return out;
	}
	/* Of a hub file of a later version. */
	snprintf(out, EXPLAINED_ACT_BYTES, "%s%s%s", act->key, *value ? " " : "", value);
	return out;
}
