/* Have the files that TLS reads changed?  By what their folders say of them; none is read. */
#include <dirent.h>
#include <sys/stat.h>

#include "proto/tls.h"

#define SUM_BEGIN UINT64_C(0xcbf29ce484222325) /* FNV-1a */

static uint64_t mixed(uint64_t sum, uint64_t with)
{
	return (sum ^ with) * UINT64_C(0x100000001b3);
}

static uint64_t sum_of(const struct stat *st)
{
	uint64_t sum = mixed(SUM_BEGIN, (uint64_t)st->st_ino);

	sum = mixed(sum, (uint64_t)st->st_size);
	sum = mixed(sum, (uint64_t)st->st_mtim.tv_sec);
	return mixed(sum, (uint64_t)st->st_mtim.tv_nsec);
}

/* A folder's own time changes when a file is put into it; written over in place, the file's.  Added
 * up: a folder may list its files in another order each time. */
static uint64_t sum_inside(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	struct stat st;
	uint64_t sum = 0;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0)
			sum += sum_of(&st);
	if (dir)
		closedir(dir);
	return sum;
}

static uint64_t mix_path(uint64_t sum, const char *path)
{
	struct stat st;

	if (!path || stat(path, &st) < 0)
		return mixed(sum, 0);
	sum = mixed(sum, sum_of(&st));
	return S_ISDIR(st.st_mode) ? mixed(sum, sum_inside(path)) : sum;
}

uint64_t tls_files_sum(const struct tls_files *files)
{
	uint64_t sum = mix_path(SUM_BEGIN, files->cert);

	sum = mix_path(sum, files->key);
	sum = mix_path(sum, files->ca);
	return mix_path(sum, files->crl);
}
