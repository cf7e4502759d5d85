/* Addresses of the policy language: from text, and to the mailboxes behind them. */
#include "broker/policy/route.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ieum/v1/body.pb-c.h"
#include "proto/catalog.h"

enum { SHOWN_BYTES = 64, POOL_DIGITS_MAX = 3 };

struct parse {
	const struct policy *p;
	struct address *out;
	char *why;
	size_t why_bytes;
};

static bool wrong(const struct parse *ps, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static bool wrong(const struct parse *ps, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(ps->why, ps->why_bytes, tr(format), args);
	va_end(args);
	return false;
}

static bool unknown(const struct parse *ps, const char *what, const char *text, size_t len,
		    const char *const *words)
{
	char name[SHOWN_BYTES + 1];
	const char *near;

	(void)snprintf(name, sizeof name, "%.*s", (int)(len < SHOWN_BYTES ? len : SHOWN_BYTES),
		       text);
	near = yaml_nearest(name, words);
	return near ? wrong(ps, "unknown %s '%s'; did you mean '%s'?", tr(what), name, near)
		    : wrong(ps, "unknown %s '%s'", tr(what), name);
}

static bool parse_body(const struct parse *ps, const char *text, size_t len)
{
	const struct policy *p = ps->p;
	const char *slash = memchr(text, '/', len);
	size_t name_len = slash ? (size_t)(slash - text) : len;
	const struct name_entry *entry = policy_name(p, text, name_len);

	if (!entry || entry->body == POLICY_NONE)
		return unknown(ps, "body", text, name_len, (const char *const *)p->body_words);
	*ps->out = (struct address){ .kind = ADDRESS_BODY, .index = entry->body };
	if (!slash)
		return true;

	const struct body_roles *roles = &p->roles[entry->body];
	const char *words[POLICY_ROLES_MAX + 1] = { NULL };
	const char *role = slash + 1;
	size_t role_len = len - name_len - 1;

	ps->out->kind = ADDRESS_BODY_ROLE;
	for (size_t i = 0; i < roles->n_roles; i++) {
		words[i] = roles->roles[i].name;
		if (strncmp(words[i], role, role_len) == 0 && words[i][role_len] == '\0') {
			ps->out->part = (int)i;
			return true;
		}
	}
	return unknown(ps, "role of that body", role, role_len, words);
}

static bool parse_lead(const struct parse *ps, const char *text, size_t len)
{
	const struct name_entry *entry = policy_name(ps->p, text, len);

	if (!entry || entry->body == POLICY_NONE)
		return unknown(ps, "body", text, len, (const char *const *)ps->p->body_words);
	if (ps->p->bodies[entry->body].lead == POLICY_NONE)
		return wrong(
			ps,
			"body '%s' has neither 'lead' nor 'convener'; name the role that is responsible",
			entry->name);
	*ps->out = (struct address){ .kind = ADDRESS_LEAD, .index = entry->body };
	return true;
}

/* "vi", "female", "vi,female": what stands in the brackets behind a role or a provider. */
static bool parse_wanted(const struct parse *ps, const char *text, size_t len)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	static const struct {
		const char *word;
		int sex;
	} sexes[] = { { "female", IEUM__V1__SEX__SEX_FEMALE },
		      { "male", IEUM__V1__SEX__SEX_MALE } };

	while (len > 0) {
		const char *comma = memchr(text, ',', len);
		size_t n = comma ? (size_t)(comma - text) : len;
		int sex = 0;

		for (size_t i = 0; i < sizeof sexes / sizeof sexes[0]; i++) {
			if (n == strlen(sexes[i].word) && memcmp(text, sexes[i].word, n) == 0)
				sex = sexes[i].sex;
		}
		if (n == 0 || n >= LANGUAGE_BYTES || strspn(text, allowed) < n ||
		    (sex ? ps->out->sex != 0 : *ps->out->language != '\0'))
			return wrong(ps,
				     "'[%.*s]' must be a language, a sex or both, for example "
				     "[vi,female]",
				     (int)(len < SHOWN_BYTES ? len : SHOWN_BYTES), text);
		if (sex)
			ps->out->sex = sex;
		else
			memcpy(ps->out->language, text, n);
		text += n + (comma != NULL);
		len -= n + (comma != NULL);
	}
	return true;
}

/* An address that may have brackets behind it. */
static bool parse_narrowed(const struct parse *ps, const char *text, size_t len,
			   bool (*parse)(const struct parse *ps, const char *text, size_t len))
{
	const char *open = memchr(text, '[', len);
	size_t before = open ? (size_t)(open - text) : len;

	if (!parse(ps, text, before))
		return false;
	if (!open)
		return true;
	if (text[len - 1] != ']' || len - before <= 2)
		return wrong(ps, "'[' needs a language or a sex and ']' behind it, for example "
				 "[vi,female]");
	return parse_wanted(ps, open + 1, len - before - 2);
}

static bool parse_role(const struct parse *ps, const char *text, size_t len)
{
	const char *at = memchr(text, '@', len);
	size_t kind_len = at ? (size_t)(at - text) : len;
	size_t code_len = at ? len - kind_len - 1 : 0;
	int kind = policy_find_kind(ps->p, text, kind_len);

	if (kind == POLICY_NONE)
		return unknown(ps, "kind", text, kind_len, (const char *const *)ps->p->kind_words);
	*ps->out = (struct address){ .kind = ADDRESS_ROLE, .index = kind };
	if (!at)
		return true;
	if (code_len == 0 || code_len >= sizeof ps->out->jurisdiction ||
	    strspn(at + 1, "0123456789") < code_len)
		return wrong(
			ps, "'@' needs the digits of a jurisdiction behind it, for example @41570");
	memcpy(ps->out->jurisdiction, at + 1, code_len);
	return true;
}

static bool parse_provider(const struct parse *ps, const char *text, size_t len)
{
	const char *hash = memchr(text, '#', len);
	size_t domain_len = hash ? (size_t)(hash - text) : len;
	int domain = policy_find_domain(ps->p, text, domain_len);
	int rank = 0;

	if (domain == POLICY_NONE)
		return unknown(ps, "support domain", text, domain_len,
			       (const char *const *)ps->p->domain_words);
	if (hash) {
		if (len - domain_len != 2 || hash[1] < '1' || hash[1] > '0' + POLICY_RANKS_MAX)
			return wrong(
				ps,
				"'#' needs a rank from 1 to %d behind it, for example provider:legal#2",
				POLICY_RANKS_MAX);
		rank = hash[1] - '0';
		if (rank > ps->p->domains[domain].n_ranks)
			return wrong(ps, "nobody has rank %d in support domain '%s'", rank,
				     ps->p->domains[domain].name);
	}
	*ps->out = (struct address){ .kind = ADDRESS_PROVIDER, .index = domain, .part = rank };
	return true;
}

/* "NAME", or "NAME#3": three places of it. */
static bool parse_pool(const struct parse *ps, const char *text, size_t len)
{
	const char *hash = memchr(text, '#', len);
	size_t name_len = hash ? (size_t)(hash - text) : len;
	size_t digits = len - name_len;
	int places = hash ? 0 : 1;

	for (size_t i = 1; i < digits && digits <= POOL_DIGITS_MAX + 1; i++)
		places = hash[i] >= '0' && hash[i] <= '9' && places >= 0
				 ? 10 * places + (hash[i] - '0')
				 : -1;
	if (places < 1)
		return wrong(ps,
			     "'#' needs a number of places behind it, for example pool:shelter#2");
	for (size_t i = 0; i < ps->p->n_pools; i++) {
		const char *name = ps->p->pools[i].name;

		if (strncmp(name, text, name_len) != 0 || name[name_len] != '\0')
			continue;
		*ps->out =
			(struct address){ .kind = ADDRESS_POOL, .index = (int)i, .part = places };
		return true;
	}
	return unknown(ps, "pool", text, name_len, (const char *const *)ps->p->pool_words);
}

static bool parse_role_narrowed(const struct parse *ps, const char *text, size_t len)
{
	return parse_narrowed(ps, text, len, parse_role);
}

static bool parse_provider_narrowed(const struct parse *ps, const char *text, size_t len)
{
	return parse_narrowed(ps, text, len, parse_provider);
}

static bool parse_head(const struct parse *ps, const char *text, size_t len)
{
	const struct name_entry *entry = policy_name(ps->p, text, len);

	if (len == strlen("sender") && memcmp(text, "sender", len) == 0) {
		*ps->out = (struct address){ .kind = ADDRESS_HEAD_OF, .index = POLICY_NONE };
		return true;
	}
	if (!entry || entry->participant == POLICY_NONE)
		return unknown(ps, "participant", text, len,
			       (const char *const *)ps->p->participant_words);
	if (ps->p->participants[entry->participant].head == POLICY_NONE)
		return wrong(ps, "'%s' has no head; give it one: \"head: …\"", entry->name);
	*ps->out = (struct address){ .kind = ADDRESS_HEAD_OF, .index = entry->participant };
	return true;
}

static bool parse_name(const struct parse *ps, const char *text, size_t len)
{
	const struct name_entry *entry = policy_name(ps->p, text, len);

	if (entry && entry->participant != POLICY_NONE) {
		*ps->out = (struct address){ .kind = ADDRESS_MAILBOX, .index = entry->mailbox };
		return true;
	}
	if (entry)
		return wrong(ps, "'%s' belongs to a body; write 'body:%s'", entry->name,
			     entry->name);
	if (policy_find_kind(ps->p, text, len) != POLICY_NONE)
		return wrong(ps, "'%.*s' is a kind; write 'role:%.*s' for everyone of it", (int)len,
			     text, (int)len, text);
	return unknown(ps, "participant", text, len, (const char *const *)ps->p->participant_words);
}

size_t address_length(const char *text)
{
	size_t n = strcspn(text, ",[");

	if (text[n] == '[')
		n += strcspn(text + n, "]");
	return n + strcspn(text + n, ",");
}

size_t address_narrow(const struct scope *s, const char *text, char *out, size_t out_bytes)
{
	size_t used = 0;

	while (*text) {
		size_t len = address_length(text);
		bool group = strncmp(text, "role:", 5) == 0 || strncmp(text, "provider:", 9) == 0;
		const char *sex = s->sex == IEUM__V1__SEX__SEX_FEMALE ? "female"
				  : s->sex == IEUM__V1__SEX__SEX_MALE ? "male"
								      : "";
		bool narrow = group && !memchr(text, '[', len) && (s->language || *sex);

		used += (size_t)snprintf(used < out_bytes ? out + used : NULL,
					 used < out_bytes ? out_bytes - used : 0,
					 "%s%.*s%s%s%s%s%s", used ? ", " : "", (int)len, text,
					 narrow ? "[" : "",
					 narrow && s->language ? s->language : "",
					 narrow && s->language && *sex ? "," : "",
					 narrow ? sex : "", narrow ? "]" : "");
		text += len;
		text += strspn(text, ", ");
	}
	return used;
}

bool address_parse(const struct policy *p, const char *text, size_t len, struct address *out,
		   char *why, size_t why_bytes)
{
	static const struct {
		const char *word;
		enum address_kind kind;
	} words[] = { { "head", ADDRESS_HEAD },
		      { "sender", ADDRESS_SENDER },
		      { "case_owner", ADDRESS_CASE_OWNER },
		      { "addressees", ADDRESS_ADDRESSEES } };
	static const struct {
		const char *prefix;
		bool (*parse)(const struct parse *ps, const char *text, size_t len);
	} prefixes[] = { { "body:", parse_body },
			 { "lead:", parse_lead },
			 { "convener:", parse_lead },
			 { "role:", parse_role_narrowed },
			 { "provider:", parse_provider_narrowed },
			 { "head:", parse_head },
			 { "pool:", parse_pool } };
	const struct parse ps = { p, out, why, why_bytes };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (len == strlen(words[i].word) && memcmp(text, words[i].word, len) == 0) {
			*out = (struct address){ .kind = words[i].kind };
			return true;
		}
	}
	for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
		size_t n = strlen(prefixes[i].prefix);

		if (len > n && memcmp(text, prefixes[i].prefix, n) == 0)
			return prefixes[i].parse(&ps, text + n, len - n);
	}
	if (memchr(text, ':', len))
		return wrong(
			&ps,
			"'%.*s' is no address; they begin with body:, lead:, convener:, role:, provider:, "
			"pool: or head:, or are a participant's name",
			(int)(len < SHOWN_BYTES ? len : SHOWN_BYTES), text);
	return parse_name(&ps, text, len);
}
