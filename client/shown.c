/* Codes for people; see shown.h. */
#include "client/shown.h"

#include <string.h>
#include <unistr.h>
#include <uniwidth.h>

#include "proto/words.h"

const char *shown_word(const struct invocation *inv, const ProtobufCEnumDescriptor *type, int value,
		       char out[PBMAP_WORD_BYTES])
{
	if (value == 0)
		return "";
	if (!pbmap_enum_word(type, value, out))
		return out;
	return words_text(out, inv->lang);
}

const char *shown_id(const ProtobufCBinaryData *id, char out[UUID_TEXT_BYTES])
{
	size_t n = id->len < UUID_BYTES ? id->len : UUID_BYTES;

	out[0] = '\0';
	if (id->len == UUID_BYTES) {
		uuid_format(id->data, out);
		return out;
	}
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", id->data[i]);
	return out;
}

/* Bytes of the next character; *shown false: it would act on the terminal instead of showing. */
static size_t next_char(const char *text, size_t n, bool *shown)
{
	ucs4_t c;
	int len = u8_mbtouc(&c, (const uint8_t *)text, n);

	if (len <= 0)
		len = 1;
	*shown = u8_check((const uint8_t *)text, (size_t)len) == NULL &&
		 (c == '\t' || uc_width((ucs4_t)c, "UTF-8") >= 0) &&
		 !(c >= 0x202A && c <= 0x202E) && !(c >= 0x2066 && c <= 0x2069);
	return (size_t)len;
}

void shown_text(FILE *out, const char *text, size_t n, const char *indent)
{
	bool at_start = true, shown;
	size_t len;

	for (size_t i = 0; i < n; i += len) {
		len = next_char(text + i, n - i, &shown);
		if (at_start)
			fputs(indent, out);
		at_start = text[i] == '\n';
		if (at_start)
			fputc('\n', out);
		else if (shown)
			fwrite(text + i, 1, len, out);
		else if (text[i] != '\r')
			fputc('?', out);
	}
	if (!at_start)
		fputc('\n', out);
}

static const Ieum__V1__DirectoryEntry *find_entry(const struct names *names, const char *name,
						  size_t n)
{
	for (size_t i = 0; names && i < names->n_pages; i++) {
		const Ieum__V1__DirectoryResult *d = names->pages[i]->directory;

		for (size_t k = 0; k < d->n_entries; k++) {
			if (strlen(d->entries[k]->name) == n &&
			    memcmp(d->entries[k]->name, name, n) == 0)
				return d->entries[k];
		}
	}
	return NULL;
}

static const char *title_in(const struct invocation *inv, const char *en, const char *ko)
{
	return inv->lang == WORDS_KO ? ko : en;
}

/* Title of the one who has that role of the body; "" when it is not one. */
static const char *role_title(const struct invocation *inv, const struct names *names,
			      const Ieum__V1__DirectoryEntry *body, const char *role)
{
	const Ieum__V1__DirectoryEntry *who = NULL;
	size_t n = strlen(role);

	for (size_t i = 0; i < body->n_members; i++) {
		const char *member = body->members[i];

		if (strncmp(member, role, n) != 0 || strncmp(member + n, ": ", 2) != 0)
			continue;
		if (who)
			return "";
		who = find_entry(names, member + n + 2, strlen(member + n + 2));
		if (!who)
			return "";
	}
	return who ? title_in(inv, who->title_en, who->title_ko) : "";
}

/* Of a clock, a gate or a pool; "" when the hub calls nothing so. */
static const char *thing_title(const struct invocation *inv, const struct names *names,
			       const char *name)
{
	for (size_t i = 0; names && i < names->n_pages; i++) {
		const Ieum__V1__DirectoryResult *d = names->pages[i]->directory;

		for (size_t k = 0; k < d->n_titles; k++)
			if (strcmp(d->titles[k]->name, name) == 0)
				return title_in(inv, d->titles[k]->title_en,
						d->titles[k]->title_ko);
	}
	return "";
}

const char *shown_name(const struct invocation *inv, const struct names *names, const char *name,
		       char out[SHOWN_BYTES])
{
	size_t n = strcspn(name, "/"); /* "body/role" */
	const Ieum__V1__DirectoryEntry *e;
	const char *title, *role = "";

	if (!*name)
		return say(inv, TEXT_HUB);
	e = find_entry(names, name, n);
	title = e ? title_in(inv, e->title_en, e->title_ko) : thing_title(inv, names, name);
	if (!*title)
		return name;
	if (e && name[n])
		role = role_title(inv, names, e, name + n + 1);
	if (*role)
		snprintf(out, SHOWN_BYTES, "%s (%s)", title, role);
	else
		snprintf(out, SHOWN_BYTES, "%s%s", title, name + n);
	return out;
}

const char *shown_who(const struct invocation *inv, const struct names *names, const char *name,
		      const char *actor, char out[SHOWN_WHO_BYTES])
{
	char title[SHOWN_BYTES];

	snprintf(out, SHOWN_WHO_BYTES, *actor ? "%s (%s)" : "%s%s",
		 shown_name(inv, names, name, title), actor);
	return out;
}
