/* Whose a certificate is: the spiffe URI of its participant, or what the file lists under
 * `identities` where agencies come with certificates of a PKI that they have already.
 *
 * A participant that lists some is known by those alone.  Each is kept as proto/tls.h has it in
 * tls_identity.names: SHA-256 over a text. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/policy/load.h"

enum {
	IDENTITIES_MAX = 32, /* of one participant: one for each person or workstation */
	KEY_DIGITS = 64,     /* SHA-256, hexadecimal */
	TEXT_MAX_BYTES = 1100,
};

/* ---- loading ---- */

static void add(struct loader *l, size_t participant, const struct yaml_node *node,
		const char *text)
{
	struct policy *p = l->p;
	struct identity *id = &p->identities[p->n_identities];

	id->participant = (int)participant;
	id->line = node ? yaml_line(node) : 0;
	id->node = node;
	if (EVP_Digest(text, strlen(text), id->name, NULL, EVP_sha256(), NULL) != 1)
		l->no_memory = true;
	else
		p->n_identities++;
}

/* "sha256:" may stand before the digits. */
static bool read_key(struct loader *l, const struct yaml_node *node, char out[KEY_DIGITS + 1])
{
	static const char prefix[] = "sha256:";
	const char *text;

	if (!yaml_read_text(node, KEY_DIGITS + sizeof prefix, l->diag, &text))
		return false;
	if (strncmp(text, prefix, sizeof prefix - 1) == 0)
		text += sizeof prefix - 1;
	if (strlen(text) != KEY_DIGITS || strspn(text, "0123456789abcdefABCDEF") != KEY_DIGITS) {
		yaml_mistake(
			l->diag, node,
			"a key is SHA-256 over its DER, 64 hexadecimal digits; `ieum cert show "
			"FILE` prints it");
		return false;
	}
	for (size_t i = 0; i <= KEY_DIGITS; i++)
		out[i] = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] - 'A' + 'a') : text[i];
	return true;
}

static void load_identity(struct loader *l, const struct yaml_node *node, size_t participant)
{
	const struct yaml_node *uri = yaml_get(node, "uri"), *key = yaml_get(node, "key");
	const struct yaml_node *issuer = yaml_get(node, "issuer");
	const struct yaml_node *subject = yaml_get(node, "subject");
	char text[TEXT_MAX_BYTES], digits[KEY_DIGITS + 1];
	const char *a, *b;

	if (!yaml_schema_check(node, &schema_identity, l->diag))
		return;
	if ((uri != NULL) + (key != NULL) + (issuer || subject) != 1 || !issuer != !subject) {
		yaml_mistake(
			l->diag, node,
			"an identity is a 'uri', or 'issuer' and 'subject' together, or a 'key'");
	} else if (uri) {
		if (!yaml_read_text(uri, 255, l->diag, &a))
			return;
		(void)snprintf(text, sizeof text, "uri %s", a);
		add(l, participant, node, text);
	} else if (key) {
		if (!read_key(l, key, digits))
			return;
		(void)snprintf(text, sizeof text, "key %s", digits);
		add(l, participant, node, text);
	} else if (yaml_read_text(issuer, 500, l->diag, &a) &&
		   yaml_read_text(subject, 500, l->diag, &b)) {
		(void)snprintf(text, sizeof text, "name %s\n%s", a, b);
		add(l, participant, node, text);
	}
}

/* `spiffe://<hub>/<kind>/<name>`, as `ieum-certs` puts it into a certificate. */
static void add_spiffe(struct loader *l, size_t participant)
{
	const struct policy_participant *who = &l->p->participants[participant];
	char text[TEXT_MAX_BYTES];

	(void)snprintf(text, sizeof text, "uri spiffe://%s/%s/%s", l->p->hub, who->kind, who->name);
	add(l, participant, NULL, text);
}

static int compare(const void *a, const void *b)
{
	const struct identity *x = a, *y = b;
	int order = memcmp(x->name, y->name, sizeof x->name);

	return order ? order : (x->line > y->line) - (x->line < y->line);
}

/* After sorting equal ones are neighbours, what the file doesn't list first. */
static void check_once(struct loader *l)
{
	const struct policy *p = l->p;

	for (size_t i = 1; i < p->n_identities; i++) {
		const struct identity *first = &p->identities[i - 1], *again = first + 1;
		if (memcmp(first->name, again->name, sizeof first->name) != 0)
			continue;
		if (first->line)
			yaml_mistake(l->diag, again->node,
				     "this certificate is '%s' already, in line %d; whose it is "
				     "must be clear",
				     p->participants[first->participant].name, first->line);
		else if (again->node)
			yaml_mistake(
				l->diag, again->node,
				"this is the URI of '%s', which lists no identities of its own",
				p->participants[first->participant].name);
	}
}

void load_identities(struct loader *l)
{
	struct policy *p = l->p;
	size_t n = 0;

	for (size_t i = 0; i < p->n_participants; i++)
		n += 1 + yaml_count(yaml_get(load_nth(l, "participants", i), "identities"));
	p->identities = load_alloc(l, n, sizeof *p->identities);
	if (l->no_memory)
		return;
	for (size_t i = 0; i < p->n_participants; i++) {
		const struct yaml_node *list =
			yaml_get(load_nth(l, "participants", i), "identities");
		if (list && !yaml_check_seq(list, 1, IDENTITIES_MAX, l->diag))
			continue;
		p->names_certificates |= list != NULL;
		for (size_t k = 0; k < yaml_count(list); k++)
			load_identity(l, yaml_at(list, k), i);
		if (!list)
			add_spiffe(l, i);
	}
	if (p->n_identities)
		qsort(p->identities, p->n_identities, sizeof *p->identities, compare);
	check_once(l);
	for (size_t i = 0; i < p->n_identities; i++)
		p->identities[i].node = NULL; /* of the file, which is freed */
}

/* ---- looking ---- */

static int compare_name(const void *name, const void *identity)
{
	return memcmp(name, ((const struct identity *)identity)->name, POLICY_HASH_BYTES);
}

int policy_identify(const struct policy *p, const uint8_t (*names)[POLICY_HASH_BYTES], size_t n)
{
	int found = POLICY_NONE;

	for (size_t i = 0; i < n; i++) {
		const struct identity *id =
			p->n_identities ? bsearch(names[i], p->identities, p->n_identities,
						  sizeof *p->identities, compare_name)
					: NULL;
		if (id && found != POLICY_NONE && found != id->participant)
			return POLICY_NONE;
		if (id)
			found = id->participant;
	}
	return found;
}

bool policy_names_certificates(const struct policy *p)
{
	return p->names_certificates;
}
