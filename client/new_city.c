/* The texts of a new hub's files; see new_city.h. */
#include "client/new_city.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/utf8.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

/* What kinds are called, where a city has no better word. */
static const struct {
	const char *kind, *en, *ko;
} titles[] = {
	{ "police", "Police", "경찰서" },
	{ "case_manager", "Case manager", "통합사례관리사" },
	{ "city_division", "City welfare division", "시청 복지과" },
	{ "counselling_centre", "Counselling centre", "상담소" },
	{ "child_protection_agency", "Child protection agency", "아동보호전문기관" },
	{ "child_abuse_official", "City child-abuse official", "아동학대전담공무원" },
	{ "education_office", "Education office", "교육지원청" },
	{ "school", "School", "학교" },
	{ "shelter", "Shelter", "쉼터" },
	{ "hospital", "Hospital", "병원" },
	{ "legal_aid", "Legal aid", "법률지원기관" },
	{ "family_centre", "Family centre", "가족센터" },
	{ "hub_operator", "Hub operator", "허브 운영자" },
};

/* ---- values ---- */

static bool made_of(const char *text, size_t n, const char *allowed)
{
	return n > 0 && n < NEW_CITY_WORD_BYTES && strspn(text, allowed) >= n &&
	       strchr(LETTERS DIGITS, text[0]);
}

bool new_city_read_agency(const char *text, struct new_agency *out)
{
	static const char word[] = LETTERS DIGITS "_-";
	const char *name = strchr(text, ':');
	const char *title;
	size_t kind_n, name_n;

	if (!name)
		return false;
	kind_n = (size_t)(name++ - text);
	title = strchr(name, ':');
	name_n = title ? (size_t)(title++ - name) : strlen(name);
	if (!title)
		title = name;
	if (!made_of(text, kind_n, word) || !made_of(name, name_n, word) || !*title ||
	    strlen(title) >= NEW_CITY_TITLE_BYTES ||
	    !utf8_text_valid((const uint8_t *)title, strlen(title)))
		return false;
	for (const char *c = title; *c; c++)
		if ((unsigned char)*c < ' ')
			return false;
	*out = (struct new_agency){ .kind = "" };
	memcpy(out->kind, text, kind_n);
	memcpy(out->name, name, name_n);
	memcpy(out->title, title, strlen(title));
	return true;
}

bool new_city_hub_valid(const char *text)
{
	return made_of(text, strlen(text), LETTERS DIGITS ".-");
}

bool new_city_jurisdiction_valid(const char *text)
{
	size_t n = strlen(text);

	return n >= 2 && n <= 10 && strspn(text, DIGITS) == n;
}

bool new_city_host_valid(const char *text)
{
	size_t n = strlen(text);

	return n > 0 && n < 256 &&
	       strspn(text, LETTERS DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZ.:-") == n;
}

bool new_city_listen_valid(const char *text)
{
	const char *port = strrchr(text, ':');
	size_t digits = port ? strspn(port + 1, DIGITS) : 0;

	return digits > 0 && digits <= 5 && !port[1 + digits] &&
	       strtoul(port + 1, NULL, 10) <= UINT16_MAX && strlen(text) < 256 &&
	       strspn(text, LETTERS DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZ.:-[]") == strlen(text);
}

const struct new_agency *new_city_receiver(const struct new_city *city)
{
	static const char *const kinds[] = { "case_manager", "city_division" };

	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
		for (size_t i = 0; i < city->n; i++)
			if (strcmp(city->agencies[i].kind, kinds[k]) == 0)
				return &city->agencies[i];
	for (size_t i = city->n; i-- > 0;)
		if (strcmp(city->agencies[i].name, city->operator) != 0)
			return &city->agencies[i];
	return &city->agencies[0];
}

/* ---- hub.yaml ---- */

static void quoted(const char *text, FILE *out)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void write_title(const char *en, const char *ko, FILE *out)
{
	fputs("title: {en: ", out);
	quoted(en, out);
	fputs(", ko: ", out);
	quoted(ko, out);
	fputc('}', out);
}

static bool is_operator(const struct new_city *city, const struct new_agency *agency)
{
	return strcmp(agency->name, city->operator) == 0;
}

static void write_kinds(const struct new_city *city, FILE *out)
{
	fputs("\n# Kinds of institutions and what each may send: all, none, a list, or all_except.\nkinds:\n",
	      out);
	for (size_t i = 0; i < city->n; i++) {
		const struct new_agency *a = &city->agencies[i];
		const char *en = a->kind, *ko = a->kind;
		bool written = false;

		for (size_t k = 0; k < i; k++)
			written |= strcmp(city->agencies[k].kind, a->kind) == 0;
		if (written)
			continue;
		for (size_t k = 0; k < sizeof titles / sizeof titles[0]; k++) {
			if (strcmp(titles[k].kind, a->kind) == 0) {
				en = titles[k].en;
				ko = titles[k].ko;
			}
		}
		fprintf(out, "  %s:\n    ", a->kind);
		write_title(en, ko, out);
		fprintf(out, "\n    may_send: %s\n", is_operator(city, a) ? "none" : "all");
	}
}

static void write_participants(const struct new_city *city, FILE *out)
{
	const struct new_agency *receiver = new_city_receiver(city);

	fputs("\n# Each participant has a certificate in its name and a mailbox of its own.\n"
	      "#   head   who is told when this participant stays silent\n"
	      "participants:\n",
	      out);
	for (size_t i = 0; i < city->n; i++) {
		const struct new_agency *a = &city->agencies[i];

		fprintf(out, "  %s:\n    kind: %s\n    ", a->name, a->kind);
		write_title(a->title, a->title, out);
		fputc('\n', out);
		if (is_operator(city, a))
			fputs("    views: [queues]             # looks after queues, reads no case\n",
			      out);
		else if (a != receiver)
			fprintf(out, "    head: %s\n", receiver->name);
	}
}

/* Somebody who is asked when the receiver stays silent: another one of its kind, else any. */
static const struct new_agency *second(const struct new_city *city)
{
	const struct new_agency *receiver = new_city_receiver(city), *any = receiver;

	for (size_t i = 0; i < city->n; i++) {
		const struct new_agency *a = &city->agencies[i];

		if (a == receiver || is_operator(city, a))
			continue;
		if (strcmp(a->kind, receiver->kind) == 0 || strcmp(a->kind, "city_division") == 0)
			return a;
		any = a;
	}
	return any;
}

static void write_rules(const struct new_city *city, FILE *out)
{
	const char *receiver = new_city_receiver(city)->name, *next = second(city)->name;

	fprintf(out,
		"\n# Every rule whose `when` fits a message applies. The times are proposals: put your own,\n"
		"# and those of the law, in their place.\n"
		"rules:\n"
		"  - name: report                   # who gets a report, and who is asked when nobody answers\n"
		"    when: {type: report_received}\n"
		"    to: %s\n"
		"    answer_within: 4 business hours\n"
		"    stops_at: received             # the recipient's own word, never the hub's\n"
		"    then:\n"
		"      - to: %s\n"
		"    blocks_closing: true           # the case stays open while this is\n",
		receiver, next);
	fprintf(out,
		"  - name: referral                 # to whom the sender names\n"
		"    when: {type: referral, addressed: true}\n"
		"    to: addressees\n"
		"    answer_within: 3 business days\n"
		"    stops_at: received\n"
		"    then:\n"
		"      - to: case_owner\n"
		"    blocks_closing: true\n"
		"  - name: responsible              # who owns a new case\n"
		"    when: {type: [report_received, referral], opens_case: true, addressed: either}\n"
		"    owner: %s\n"
		"  - name: what-was-done\n"
		"    when: {type: [service_report, contact_result]}\n"
		"    to: case_owner\n"
		"  - name: closing                  # the case is closed when its owner accepts\n"
		"    when: {type: closure_request}\n"
		"    to: case_owner\n"
		"    answer_within: 3 business days\n"
		"    on_accept: close_case\n"
		"    closing: true                  # refused while something that blocks closing is open\n"
		"    then:\n"
		"      - to: %s\n",
		receiver, next);
}

void new_city_write_hub(const struct new_city *city, FILE *out)
{
	fprintf(out,
		"# The hub file of %s, as `ieum init` wrote it: who takes part, and how referrals flow.\n"
		"#\n"
		"#   ieum policy check hub.yaml      every mistake with its line\n"
		"#   hub.yaml(5)                     every key; docs/hub-guide.md writes a whole city's file\n"
		"#\n"
		"# A running hub takes a changed file over at SIGHUP, all or nothing.\n\n"
		"hub:\n"
		"  name: %s\n"
		"  ",
		city->hub, city->hub);
	write_title(city->hub, city->hub, out);
	fprintf(out,
		"\n"
		"  jurisdiction: \"%s\"\n"
		"  time_zone: Asia/Seoul\n\n"
		"# Business hours and business days are counted by this calendar. A holiday that is missing is a\n"
		"# working day: list those of this year and the next.\n"
		"calendar:\n"
		"  working_hours: \"09:00-18:00\"\n"
		"  weekend: [saturday, sunday]\n"
		"  holidays: []\n",
		city->jurisdiction);
	write_kinds(city, out);
	write_participants(city, out);
	fputs("\n# What each type of message needs before any rule is looked at.\n"
	      "types:\n"
	      "  default: {needs_case: true, needs_basis: true}\n"
	      "  report_received: {may_open: true}\n"
	      "  referral: {may_open: true}\n"
	      "  answer: {needs_case: false, needs_basis: false, needs_reply_to: true}\n",
	      out);
	write_rules(city, out);
	fputs("\n# On a telephone or an unwatched screen, instead of any content.\n"
	      "notification: {en: Please look into your inbox., ko: 수신함을 확인하십시오.}\n",
	      out);
}

/* ---- ieumd.yaml, profiles ---- */

void new_city_write_ieumd(const struct new_city *city, FILE *out)
{
	fprintf(out,
		"# How the daemon of %s runs, as `ieum init` wrote it; ieumd.yaml(5) has every key.\n"
		"# Paths are relative to this file.\n\n"
		"listen: \"%s\"\n"
		"certificate: certs/hub.crt\n"
		"key: certs/hub.key\n"
		"ca: certs/ca.crt\n"
		"crl: certs/ca.crl\n"
		"hub_file: hub.yaml\n",
		city->hub, city->listen);
	if (city->account)
		fprintf(out, "user: %-26s # what it becomes when root starts it\n", city->account);
	fprintf(out,
		"\n"
		"journal: {engine: sqlite, path: %s}\n"
		"log: {format: kv, level: info}\n",
		city->journal);
}

void new_city_write_profile(const struct new_city *city, const struct new_agency *agency, FILE *out)
{
	fprintf(out,
		"# The profile of %s for the command ieum.  Paths are relative to this file.\n"
		"addresses: [\"%s\"]\n"
		"ca: ca.crt\n"
		"crl: ca.crl                    # nothing is sealed to a certificate that was revoked\n"
		"certificate: %s.crt\n"
		"key: %s.key\n",
		agency->name, city->address, agency->name, agency->name);
}
