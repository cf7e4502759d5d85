/* ieum-schemas: writes the JSON Schemas under docs/schema from the loaders' tables.
 * Run by `make schemas`, from the root of the project. */
#include <stdio.h>
#include <stdlib.h>

#include "proto/schema_json.h"
#include "tests/schema/files.h"

static bool write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	bool good = file && fputs(text, file) >= 0;

	if (file && fclose(file))
		good = false;
	if (!good)
		perror(path);
	return good;
}

int main(void)
{
	for (const struct schema_file *f = schema_files; f->path; f++) {
		char *text;

		if (schema_json(f->table, &text)) {
			fprintf(stderr, "out of memory\n");
			return EXIT_FAILURE;
		}
		bool written = write_file(f->path, text);

		free(text);
		if (!written)
			return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
