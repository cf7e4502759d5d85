/* What a message may say in the case of a linked set before the gate is open: nothing that could
 * tell whom it is about.
 *
 * It holds for every type of message, whatever the rules say.  Numbers of other systems, tokens,
 * links to other cases and the narrative are refused as they are; a text anywhere in the body or
 * the legal basis has to be one that the hub file knows: a name of its own, an article of
 * `legal_bases`, a month, or one of the linkage's `may_say`. */
#include "broker/policy/decide.h"

#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 160 };

/* One message looked at for one linkage. */
struct looking {
	const struct policy *p;
	const struct linkage *linkage;
	char path[PATH_BYTES]; /* of the text that is looked at, or that failed */
};

static bool is_month(const char *text)
{
	static const char form[] = "0000-00";

	if (strlen(text) != sizeof form - 1)
		return false;
	for (size_t i = 0; i < sizeof form - 1; i++)
		if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	return true;
}

static bool is_listed(const char *const *list, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], text) == 0)
			return true;
	return false;
}

static bool may_say(const struct looking *l, const char *text)
{
	const struct policy *p = l->p;
	size_t len = text ? strlen(text) : 0;

	return len == 0 || is_month(text) || policy_name(p, text, len) ||
	       policy_find_domain(p, text, len) != POLICY_NONE || policy_knows_pool(p, text) ||
	       is_listed(p->articles, p->n_articles, text) ||
	       is_listed(l->linkage->may_say, l->linkage->n_may_say, text);
}

static bool look_at(struct looking *l, const ProtobufCMessage *m, size_t used);

/* `at`: where the value of the field lies. */
static bool look_at_value(struct looking *l, const ProtobufCFieldDescriptor *field, const void *at,
			  size_t used)
{
	const char *text;
	const ProtobufCMessage *inner;

	if (field->type == PROTOBUF_C_TYPE_STRING) {
		memcpy(&text, at, sizeof text);
		return may_say(l, text);
	}
	if (field->type != PROTOBUF_C_TYPE_MESSAGE)
		return true;
	memcpy(&inner, at, sizeof inner);
	return !inner || look_at(l, inner, used);
}

static bool look_at_field(struct looking *l, const ProtobufCMessage *m,
			  const ProtobufCFieldDescriptor *field, size_t used)
{
	const char *at = (const char *)m + field->offset, *items;
	uint32_t which = 0;
	size_t n = 0;

	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		memcpy(&which, (const char *)m + field->quantifier_offset, sizeof which);
		return which != field->id || look_at_value(l, field, at, used);
	}
	if (field->label != PROTOBUF_C_LABEL_REPEATED)
		return look_at_value(l, field, at, used);
	memcpy(&n, (const char *)m + field->quantifier_offset, sizeof n);
	memcpy(&items, at, sizeof items);
	for (size_t i = 0; i < n; i++)
		if (!look_at_value(l, field, items + i * sizeof(void *), used))
			return false;
	return true;
}

/* Texts and messages are what can hold one; both are pointers, also in a list. */
static bool look_at(struct looking *l, const ProtobufCMessage *m, size_t used)
{
	for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &m->descriptor->fields[i];
		int more;

		if (field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		more = snprintf(l->path + used, sizeof l->path - used, ".%s", field->name);
		if (more < 0 || used + (size_t)more >= sizeof l->path)
			return false;
		if (!look_at_field(l, m, field, used + (size_t)more))
			return false;
	}
	return true;
}

static bool look_at_named(struct looking *l, const char *name, const ProtobufCMessage *m)
{
	(void)snprintf(l->path, sizeof l->path, "%s", name);
	return !m || look_at(l, m, strlen(l->path));
}

/* What names somebody, whatever it says; NULL: nothing of the kind is there. */
static const char *what_names(const struct deciding *d)
{
	const Ieum__V1__Envelope *e = d->s.envelope;

	return d->s.ctx->referral->n_narrative > 0 ? "narrative"
	       : e->n_external_refs > 0            ? "envelope.external_refs"
	       : e->n_subject_tokens > 0           ? "envelope.subject_tokens"
	       : e->n_case_links > 0               ? "envelope.case_links"
						   : NULL;
}

static enum ieum_err refuse(struct deciding *d, const struct linkage *linkage, const char *field,
			    const char *instead)
{
	return decide_refuse(d, IEUM_E_GATE_CLOSED,
			     "%.64s: in a linked set's case nothing says who it is until the gate "
			     "'%s' is open; %s, or have it opened by an identity_request",
			     field, d->s.p->gates[linkage->gate - 1].name, instead);
}

static enum ieum_err check_one(struct deciding *d, const struct linkage *linkage)
{
	struct looking l = { .p = d->s.p, .linkage = linkage };
	const Ieum__V1__LegalBasis *basis = d->s.envelope->legal_basis;
	const char *field = what_names(d);
	char word[PBMAP_WORD_BYTES];

	if (field)
		return refuse(d, linkage, field, "leave it out");
	if (!look_at_named(&l, "envelope.legal_basis", basis ? &basis->base : NULL) ||
	    !look_at_named(&l, decide_type_word(d, word), d->s.body))
		return refuse(d, linkage, l.path,
			      "leave it out, write a text of the linkage's may_say");
	return IEUM_E_OK;
}

enum ieum_err anonymity_check(struct deciding *d)
{
	const struct policy_context *ctx = d->s.ctx;
	enum ieum_err err = IEUM_E_OK;

	if (!ctx->linked_set || ctx->sender == POLICY_NONE)
		return IEUM_E_OK;
	for (size_t i = 0; i < d->s.p->n_linkages && !err; i++) {
		const struct linkage *linkage = &d->s.p->linkages[i];

		/* Of a set that is over it isn't known which linkage made it: then each counts. */
		if (!linkage->gate || ctx->gates_open & UINT32_C(1) << (linkage->gate - 1) ||
		    (ctx->linkage && policy_find_linkage(d->s.p, ctx->linkage) != POLICY_NONE &&
		     strcmp(ctx->linkage, linkage->is.name) != 0))
			continue;
		err = check_one(d, linkage);
	}
	return err;
}
