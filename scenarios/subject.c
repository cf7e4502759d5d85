/* See subject.h. */
#include "scenarios/subject.h"

#include <stdlib.h>
#include <string.h>

#include "client/council_key.h"
#include "yaml/yaml_read.h"

static const char *const words[] = {
#define X(name, word) [IEUM_IDENTIFIER_##name] = (word),
	IEUM_IDENTIFIERS(X)
#undef X
};

/* The day on which all tokens of scenarios are made: the key of its epoch is the only one. */
static const char day[] = "2026-03-01";

static void make_key(struct ieum_council_key *key)
{
	struct council_epoch *epoch = &key->epochs[0];

	memset(key, 0, sizeof *key);
	strcpy(key->council, "scenarios");
	key->n_epochs = 1;
	epoch->number = 1;
	for (int i = 0; i < COUNCIL_KEY_BYTES; i++)
		epoch->key[i] = (uint8_t)i;
	strcpy(epoch->from, "2026-01-01");
	strcpy(epoch->until, "2026-12-31");
}

static void put_tokens(const struct ieum_tokens *tokens, Ieum__V1__Envelope *envelope)
{
	envelope->subject_tokens = calloc(tokens->n, sizeof *envelope->subject_tokens);
	if (!envelope->subject_tokens)
		abort();
	for (size_t i = 0; i < tokens->n; i++) {
		uint8_t *bytes = malloc(IEUM_TOKEN_BYTES);
		if (!bytes)
			abort();
		memcpy(bytes, tokens->at[i].bytes, IEUM_TOKEN_BYTES);
		envelope->subject_tokens[envelope->n_subject_tokens++] =
			(ProtobufCBinaryData){ IEUM_TOKEN_BYTES, bytes };
	}
}

void scenario_subject(const struct yaml_node *node, struct yaml_diag *diag,
		      Ieum__V1__Envelope *envelope)
{
	struct ieum_identifiers known = { { NULL } };
	struct ieum_council_key key;
	struct ieum_tokens tokens;
	char why[IEUM_WHY_BYTES] = "";

	for (int i = 0; i < IEUM_IDENTIFIER_COUNT_OF; i++)
		known.text[i] = yaml_text(yaml_get(node, words[i]));
	make_key(&key);
	if (ieum_tokens_make(&key, &known, day, &tokens, why) != IEUM_E_OK)
		yaml_mistake(diag, node, "no tokens can be made of this: %s", why);
	else
		put_tokens(&tokens, envelope);
}
