/* Reading and writing index.txt; see index.h. */
#include "certs/index.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FIELDS = 6, TIME_BYTES = 32 };

/* "261122140000Z"; years from 2050 on have four digits, as in ASN.1. */
static void put_time(int64_t at_s, char to[TIME_BYTES])
{
	time_t at = (time_t)at_s;
	struct tm tm;

	gmtime_r(&at, &tm);
	strftime(to, TIME_BYTES, tm.tm_year < 150 ? "%y%m%d%H%M%SZ" : "%Y%m%d%H%M%SZ", &tm);
}

static bool read_time(const char *text, int64_t *at_s)
{
	struct tm tm = { 0 };
	const char *end =
		strptime(text, strlen(text) == 13 ? "%y%m%d%H%M%SZ" : "%Y%m%d%H%M%SZ", &tm);

	if (!end || *end)
		return false;
	/* strptime takes 69 to 99 for the last century; ASN.1 splits at 50. */
	if (strlen(text) == 13 && tm.tm_year < 50)
		tm.tm_year += 100;
	*at_s = (int64_t)timegm(&tm);
	return true;
}

static const char *const reasons[] = { [REVOKED_SILENTLY] = "",
				       [REVOKED_OUT_OF_USE] = "cessationOfOperation",
				       [REVOKED_STOLEN] = "keyCompromise" };

/* "261122140000Z,keyCompromise"; what else `openssl ca` may have written counts as no reason. */
static bool read_revocation(char *text, struct index_row *row)
{
	const char *when = strsep(&text, ",");

	row->why = REVOKED_SILENTLY;
	for (size_t i = 0; text && i < sizeof reasons / sizeof reasons[0]; i++)
		if (strcmp(text, reasons[i]) == 0)
			row->why = (enum revocation)i;
	return read_time(when, &row->revoked_s);
}

static void put_revocation(const struct index_row *row, FILE *out)
{
	char at[TIME_BYTES];

	if (!row->revoked_s)
		return;
	put_time(row->revoked_s, at);
	fprintf(out, "%s%s%s", at, *reasons[row->why] ? "," : "", reasons[row->why]);
}

static bool copy(char *to, size_t room, const char *from)
{
	size_t n = strlen(from);

	if (n >= room)
		return false;
	memcpy(to, from, n + 1);
	return true;
}

static bool read_row(char *line, struct index_row *row)
{
	char *field[FIELDS];

	for (int i = 0; i < FIELDS; i++)
		if (!(field[i] = strsep(&line, "\t")))
			return false;
	*row = (struct index_row){ 0 };
	if (!read_time(field[1], &row->not_after_s) ||
	    !copy(row->serial, sizeof row->serial, field[3]) ||
	    !copy(row->file, sizeof row->file, field[4]))
		return false;
	if (strcmp(field[0], "R") == 0)
		return read_revocation(field[2], row);
	return strcmp(field[0], "V") == 0 || strcmp(field[0], "E") == 0;
}

enum ieum_err index_add(struct index *index, const struct index_row *row)
{
	if (index->n >= INDEX_ROWS_MAX)
		return IEUM_E_FIELD_TOO_LARGE;
	struct index_row *rows = reallocarray(index->rows, index->n + 1, sizeof *rows);
	if (!rows)
		return IEUM_E_NO_MEMORY;
	rows[index->n++] = *row;
	index->rows = rows;
	return IEUM_E_OK;
}

enum ieum_err index_load(const char *path, struct index *out, char why[CERTS_WHY_BYTES])
{
	enum ieum_err err = IEUM_E_OK;
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	FILE *in = fopen(path, "re");

	*out = (struct index){ 0 };
	if (!in && errno == ENOENT)
		return IEUM_E_OK;
	if (!in) {
		snprintf(why, CERTS_WHY_BYTES, "%.300s: %s", path, strerror(errno));
		return IEUM_E_FILE_UNREADABLE;
	}
	for (unsigned number = 1; !err && (n = getline(&line, &room, in)) > 0; number++) {
		struct index_row row;
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		err = read_row(line, &row) ? index_add(out, &row) : IEUM_E_FILE_INVALID;
		if (err)
			snprintf(why, CERTS_WHY_BYTES, "%.300s:%u: not a line of an index", path,
				 number);
	}
	free(line);
	fclose(in);
	if (err)
		index_release(out);
	return err;
}

void index_release(struct index *index)
{
	free(index->rows);
	*index = (struct index){ 0 };
}

char *index_text(const struct index *index)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	if (!out)
		return NULL;
	for (size_t i = 0; i < index->n; i++) {
		const struct index_row *row = &index->rows[i];
		char until[TIME_BYTES];
		put_time(row->not_after_s, until);
		fprintf(out, "%c\t%s\t", row->revoked_s ? 'R' : 'V', until);
		put_revocation(row, out);
		fprintf(out, "\t%s\t%s\t/\n", row->serial, row->file);
	}
	bool ok = !ferror(out);
	if (fclose(out) != 0 || !ok) {
		free(text);
		return NULL;
	}
	return text;
}
