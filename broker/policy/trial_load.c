/* Reading a policy's own tests; see trial.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/policy/trial_schema.h"
#include "ieum/v1/referral.pb-c.h"
#include "ieum/v1/types.pb-c.h"
#include "proto/codec.h"
#include "proto/pbmap.h"
#include "proto/uuid7.h"

enum { BODY_FIELD_FIRST = 100 }; /* field number of a body = 100 + number of its type */

struct reading {
	struct trials *t;
	struct yaml_diag *diag;
};

/* ---- names of the hub file ---- */

static int participant_of(struct reading *r, const struct yaml_node *node)
{
	const struct policy *p = r->t->policy;
	int who = yaml_text(node) ? policy_find_participant(p, yaml_text(node)) : POLICY_NONE;

	if (who == POLICY_NONE)
		yaml_mistake(r->diag, node, "no participant '%.64s' in the hub file",
			     yaml_text(node) ? yaml_text(node) : "");
	return who;
}

static int mailbox_of(struct reading *r, const struct yaml_node *node)
{
	const char *text = yaml_text(node);
	int box = text ? policy_find_mailbox(r->t->policy, text) : POLICY_NONE;

	if (box == POLICY_NONE && text && policy_find_body(r->t->policy, text) != POLICY_NONE)
		yaml_mistake(r->diag, node,
			     "'%.64s' is a body; name the mailbox of a role: '%.64s/ROLE'", text,
			     text);
	else if (box == POLICY_NONE)
		yaml_mistake(r->diag, node, "no mailbox '%.64s' in the hub file", text ? text : "");
	return box;
}

static int word_of(struct reading *r, const struct yaml_node *node,
		   const ProtobufCEnumDescriptor *type)
{
	int value = 0;

	if (node && (!yaml_text(node) || !pbmap_enum_value(type, yaml_text(node), &value)))
		yaml_mistake(r->diag, node, "'%.64s' is no %s",
			     yaml_text(node) ? yaml_text(node) : "", type->short_name);
	return value;
}

/* ---- the message ---- */

/* An id of a file that knows no ids: the same word is the same id. */
static bool word_id(void *context, const char *text, uint8_t id[UUID_BYTES])
{
	uint64_t hash = 14695981039346656037U; /* FNV-1a */

	(void)context;
	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 1099511628211U;
	memset(id, 0, UUID_BYTES);
	memcpy(id + 8, &hash, sizeof hash);
	id[6] = 0x70;
	id[8] = (uint8_t)(0x80 | (id[8] & 0x3f));
	return true;
}

static bool set_id(ProtobufCBinaryData *to, const char *word)
{
	if (to->len > 0)
		return true;
	to->data = malloc(UUID_BYTES);
	to->len = to->data ? UUID_BYTES : 0;
	return to->data && word_id(NULL, word, to->data);
}

static enum ieum_err complete_message(const struct yaml_node *node, bool opens_case,
				      Ieum__V1__Referral *m)
{
	Ieum__V1__Envelope *e = m->envelope;

	if (!e) {
		e = m->envelope = malloc(sizeof *e);
		if (!e)
			return IEUM_E_NO_MEMORY;
		ieum__v1__envelope__init(e);
	}
	if (e->type == 0 && (int)m->body_case > BODY_FIELD_FIRST)
		e->type = (Ieum__V1__MessageType)((int)m->body_case - BODY_FIELD_FIRST);
	e->open_case |= opens_case;
	if (!set_id(&e->message_id, "this message"))
		return IEUM_E_NO_MEMORY;
	if (yaml_get(node, "replies_to") && !set_id(&e->in_reply_to, "what it replies to"))
		return IEUM_E_NO_MEMORY;
	if (yaml_get(node, "case") && !e->open_case && !set_id(&e->case_id, "its case"))
		return IEUM_E_NO_MEMORY;
	return IEUM_E_OK;
}

static enum ieum_err read_message(struct reading *r, const struct yaml_node *node,
				  struct trial *trial)
{
	static const struct pbmap_names names = { .id_cb = word_id };
	const struct yaml_node *message = yaml_require(node, "message", r->diag);
	struct codec_problem problem = { 0 };
	ProtobufCMessage *read = NULL;
	bool opens_case = false;
	enum ieum_err err;

	(void)yaml_opt_bool(node, "opens_case", r->diag, &opens_case);
	if (!message)
		return IEUM_E_OK;
	err = pbmap_from_yaml_named(message, &ieum__v1__referral__descriptor, NULL, &names, r->diag,
				    &read);
	if (err)
		return err == IEUM_E_NO_MEMORY ? err : IEUM_E_OK;
	trial->message = (Ieum__V1__Referral *)read;
	err = complete_message(node, opens_case, trial->message);
	if (!err && codec_check_referral(trial->message, &problem))
		yaml_mistake(r->diag, message, "no hub takes this message: %s", problem.detail);
	return err;
}

/* ---- the rest of a test ---- */

static void read_counts(struct reading *r, const struct yaml_node *map, struct explain_case *c)
{
	if (map && yaml_kind(map) != YAML_MAP)
		(void)yaml_expected(map, "a map such as {dispatches: 3}", r->diag);
	for (size_t i = 0; map && i < yaml_count(map); i++) {
		const struct yaml_node *key = yaml_key_at(map, i);
		int index = explain_find_counter(r->t->policy, yaml_text(key));

		if (index == POLICY_NONE)
			yaml_mistake(r->diag, key, "no counter '%.64s' in the hub file",
				     yaml_text(key));
		else
			(void)yaml_read_int(yaml_at(map, i), 0, TRIAL_COUNT_MAX, r->diag,
					    &c->counts[index]);
	}
}

static void read_gates(struct reading *r, const struct yaml_node *list, struct explain_case *c)
{
	if (!list || !yaml_check_seq(list, 0, TRIAL_LIST_MAX, r->diag))
		return;
	for (size_t i = 0; i < yaml_count(list); i++) {
		const char *text = yaml_text(yaml_at(list, i));
		int index = text ? explain_find_gate(r->t->policy, text) : POLICY_NONE;

		if (index == POLICY_NONE)
			yaml_mistake(r->diag, yaml_at(list, i), "no gate '%.64s' in the hub file",
				     text ? text : "");
		else
			c->gates_open |= UINT32_C(1) << index;
	}
}

static void read_case(struct reading *r, const struct yaml_node *node, struct explain_case *c)
{
	const struct yaml_node *excluded;

	explain_case_init(c);
	if (!node || !yaml_schema_check(node, &trial_schema_case, r->diag))
		return;
	c->category = (Ieum__V1__Category)word_of(r, yaml_get(node, "category"),
						  &ieum__v1__category__descriptor);
	c->state = (Ieum__V1__CaseState)word_of(r, yaml_get(node, "state"),
						&ieum__v1__case_state__descriptor);
	(void)yaml_opt_text(node, "jurisdiction", TRIAL_TEXT_BYTES, r->diag, &c->jurisdiction);
	(void)yaml_opt_text(node, "grade", TRIAL_TEXT_BYTES, r->diag, &c->grade);
	if (yaml_get(node, "owner"))
		c->owner = mailbox_of(r, yaml_get(node, "owner"));
	read_counts(r, yaml_get(node, "counts"), c);
	read_gates(r, yaml_get(node, "gates"), c);
	(void)yaml_opt_bool(node, "consent_withdrawn", r->diag, &c->consent_withdrawn);
	(void)yaml_opt_bool(node, "linked_set", r->diag, &c->linked_set);
	excluded = yaml_get(node, "excluded");
	if (!excluded || !yaml_check_seq(excluded, 0, EXPLAIN_EXCLUDED_MAX, r->diag))
		return;
	for (size_t i = 0; i < yaml_count(excluded); i++)
		c->excluded[c->n_excluded++] = participant_of(r, yaml_at(excluded, i));
}

static bool read_time(struct reading *r, const struct yaml_node *node, int64_t *out)
{
	return (yaml_text(node) && explain_parse_time(r->t->policy, yaml_text(node), out)) ||
	       yaml_expected(node, "a time such as 2026-03-02 10:00", r->diag);
}

static void check_mailboxes(struct reading *r, const struct yaml_node *list)
{
	if (!list || !yaml_check_seq(list, 0, TRIAL_LIST_MAX, r->diag))
		return;
	for (size_t i = 0; i < yaml_count(list); i++)
		(void)mailbox_of(r, yaml_at(list, i));
}

static void check_texts(struct reading *r, const struct yaml_node *list)
{
	const char *text;

	if (!list || !yaml_check_seq(list, 0, TRIAL_LIST_MAX, r->diag))
		return;
	for (size_t i = 0; i < yaml_count(list); i++)
		(void)yaml_read_text(yaml_at(list, i), TRIAL_TEXT_BYTES, r->diag, &text);
}

static void check_deadlines(struct reading *r, const struct yaml_node *map)
{
	struct yaml_duration duration;
	int64_t time_ms;

	if (map && yaml_kind(map) != YAML_MAP)
		(void)yaml_expected(map, "a map such as {gimpo-ps: 10 min}", r->diag);
	for (size_t i = 0; i < yaml_count(map); i++) {
		const struct yaml_node *value = yaml_at(map, i);
		const char *text = yaml_text(value) ? yaml_text(value) : "";

		(void)mailbox_of(r, yaml_key_at(map, i));
		if (strcmp(text, "none") != 0 && !yaml_parse_duration(text, &duration) &&
		    !explain_parse_time(r->t->policy, text, &time_ms))
			(void)yaml_expected(value,
					    "a duration, a time such as 2026-03-02 10:00, or none",
					    r->diag);
	}
}

static void check_ladder(struct reading *r, const struct yaml_node *map)
{
	const char *text;
	int64_t at_ms;

	if (map && yaml_kind(map) != YAML_MAP)
		(void)yaml_expected(map, "a map such as {gimpo-ps: [head]}", r->diag);
	for (size_t i = 0; i < yaml_count(map); i++) {
		const struct yaml_node *steps = yaml_at(map, i);

		(void)mailbox_of(r, yaml_key_at(map, i));
		if (!yaml_check_seq(steps, 0, TRIAL_LIST_MAX, r->diag))
			continue;
		for (size_t k = 0; k < yaml_count(steps); k++) {
			const struct yaml_node *step = yaml_at(steps, k);

			if (yaml_kind(step) != YAML_MAP) {
				(void)yaml_read_text(step, TRIAL_TEXT_BYTES, r->diag, &text);
				continue;
			}
			(void)yaml_schema_check(step, &trial_schema_step, r->diag);
			(void)yaml_require(step, "to", r->diag);
			if (yaml_get(step, "at"))
				(void)read_time(r, yaml_get(step, "at"), &at_ms);
		}
	}
}

static void check_emits(struct reading *r, const struct yaml_node *list)
{
	if (!list || !yaml_check_seq(list, 0, POLICY_EMITS_MAX, r->diag))
		return;
	for (size_t i = 0; i < yaml_count(list); i++)
		(void)word_of(r, yaml_at(list, i), &ieum__v1__message_type__descriptor);
}

/* What is written must be able to come true: a name that nobody has never could. */
static void check_expect(struct reading *r, const struct yaml_node *expect)
{
	const struct yaml_node *owner = yaml_get(expect, "owner");
	const char *text;
	size_t word;

	if (!yaml_schema_check(expect, &trial_schema_expect, r->diag))
		return;
	(void)yaml_schema_opt_word(expect, &trial_schema_expect, "refused", r->diag, &word);
	(void)yaml_opt_text(expect, "because", TRIAL_TEXT_BYTES, r->diag, &text);
	check_mailboxes(r, yaml_get(expect, "recipients"));
	check_mailboxes(r, yaml_get(expect, "asked"));
	check_deadlines(r, yaml_get(expect, "deadlines"));
	check_ladder(r, yaml_get(expect, "ladder"));
	check_texts(r, yaml_get(expect, "rules"));
	check_emits(r, yaml_get(expect, "emits"));
	check_texts(r, yaml_get(expect, "acts"));
	if (owner && (!yaml_text(owner) || strcmp(yaml_text(owner), "none") != 0))
		(void)mailbox_of(r, owner);
	(void)word_of(r, yaml_get(expect, "case_state"), &ieum__v1__case_state__descriptor);
}

static enum ieum_err read_trial(struct reading *r, const struct yaml_node *node,
				struct trial *trial)
{
	const struct yaml_node *test, *sender, *at;

	trial->line = yaml_line(node);
	trial->sender = POLICY_NONE;
	if (!yaml_schema_check(node, &trial_schema_test, r->diag))
		return IEUM_E_OK;
	trial->name = "";
	test = yaml_require(node, "test", r->diag);
	if (test)
		(void)yaml_read_text(test, TRIAL_TEXT_BYTES, r->diag, &trial->name);
	sender = yaml_require(node, "sender", r->diag);
	if (sender && yaml_text(sender) && strcmp(yaml_text(sender), "hub") != 0)
		trial->sender = participant_of(r, sender);
	at = yaml_require(node, "at", r->diag);
	if (at)
		(void)read_time(r, at, &trial->at_ms);
	read_case(r, yaml_get(node, "case"), &trial->in_case);
	trial->in_case.replied_type =
		(Ieum__V1__MessageType)word_of(r, yaml_get(node, "replies_to"),
					       &ieum__v1__message_type__descriptor);
	trial->expect = yaml_require(node, "expect", r->diag);
	if (trial->expect)
		check_expect(r, trial->expect);
	return read_message(r, node, trial);
}

static enum ieum_err read_all(struct reading *r)
{
	const struct yaml_node *root = yaml_doc_root(r->t->doc), *tests;
	enum ieum_err err = IEUM_E_OK;

	if (!yaml_schema_check(root, &trial_schema_file, r->diag))
		return IEUM_E_FILE_INVALID;
	tests = yaml_require(root, "tests", r->diag);
	if (!tests || !yaml_check_seq(tests, 1, TRIALS_MAX, r->diag))
		return IEUM_E_FILE_INVALID;
	r->t->trials = calloc(yaml_count(tests), sizeof *r->t->trials);
	if (!r->t->trials)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < yaml_count(tests) && !err; i++)
		err = read_trial(r, yaml_at(tests, i), &r->t->trials[r->t->n++]);
	return err;
}

enum ieum_err trials_load(const struct policy *p, const char *path, struct yaml_diag *diag,
			  struct trials **out)
{
	struct trials *t = calloc(1, sizeof *t);
	struct reading r = { .t = t, .diag = diag };
	size_t mistakes_before = diag->count;
	enum ieum_err err;

	if (!t)
		return IEUM_E_NO_MEMORY;
	t->policy = p;
	err = yaml_doc_open(path, diag, &t->doc);
	if (!err)
		err = read_all(&r);
	if (!err && diag->count > mistakes_before)
		err = IEUM_E_FILE_INVALID;
	if (err) {
		trials_free(t);
		return err;
	}
	*out = t;
	return IEUM_E_OK;
}

void trials_free(struct trials *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++) {
		if (t->trials[i].message)
			ieum__v1__referral__free_unpacked(t->trials[i].message, NULL);
	}
	free(t->trials);
	yaml_doc_free(t->doc);
	free(t);
}
