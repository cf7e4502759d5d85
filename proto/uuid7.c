/* UUIDv7; see uuid7.h. */
#include "proto/uuid7.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define MS_MAX ((UINT64_C(1) << 48) - 1)
enum {
	COUNTER_MAX = 0xFFF,
	COUNTER_START_MASK =
		0x7FF, /* the top bit starts at 0, so that at least 2,048 ids fit a millisecond */
	RANDOM_BYTES = 8,
};

static enum ieum_err take_random(struct uuid7_source *s, uint8_t out[RANDOM_BYTES])
{
	if (s->pool_left < RANDOM_BYTES) {
		ssize_t got;

		do
			got = getrandom(s->pool, sizeof s->pool, 0);
		while (got < 0 && errno == EINTR);
		if (got != (ssize_t)sizeof s->pool)
			return IEUM_E_INTERNAL;
		s->pool_left = sizeof s->pool;
	}
	uint8_t *from = s->pool + sizeof s->pool - s->pool_left;
	memcpy(out, from, RANDOM_BYTES);
	memset(from, 0, RANDOM_BYTES);
	s->pool_left -= RANDOM_BYTES;
	return IEUM_E_OK;
}

enum ieum_err uuid7_next(struct uuid7_source *s, uint64_t unix_ms, uint8_t out[UUID_BYTES])
{
	uint8_t random[RANDOM_BYTES];
	enum ieum_err err;

	if (unix_ms > MS_MAX)
		return IEUM_E_FIELD_INVALID;
	if (unix_ms > s->last_ms || s->counter >= COUNTER_MAX) {
		uint64_t ms = unix_ms > s->last_ms ? unix_ms : s->last_ms + 1;

		if (ms > MS_MAX)
			return IEUM_E_FIELD_INVALID;
		err = take_random(s, random);
		if (err)
			return err;
		s->last_ms = ms;
		s->counter = (uint32_t)(random[0] << 8 | random[1]) & COUNTER_START_MASK;
	} else {
		s->counter++;
	}
	err = take_random(s, random);
	if (err)
		return err;
	for (int i = 0; i < 6; i++)
		out[i] = (uint8_t)(s->last_ms >> (40 - 8 * i));
	out[6] = (uint8_t)(0x70 | s->counter >> 8);
	out[7] = (uint8_t)s->counter;
	memcpy(out + 8, random, RANDOM_BYTES);
	out[8] = (uint8_t)(0x80 | (out[8] & 0x3F));
	return IEUM_E_OK;
}

enum ieum_err uuid7_make(uint8_t out[UUID_BYTES])
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct uuid7_source source;
	struct timespec now;
	enum ieum_err err;

	if (clock_gettime(CLOCK_REALTIME, &now) || now.tv_sec < 0)
		return IEUM_E_INTERNAL;
	pthread_mutex_lock(&lock);
	err = uuid7_next(&source, (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000,
			 out);
	pthread_mutex_unlock(&lock);
	return err;
}

bool uuid7_valid(const uint8_t *id, size_t n)
{
	return n == UUID_BYTES && id[6] >> 4 == 7 && id[8] >> 6 == 2;
}

uint64_t uuid7_ms(const uint8_t id[UUID_BYTES])
{
	uint64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id[i];
	return ms;
}

static bool dash_before(int byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void uuid_format(const uint8_t id[UUID_BYTES], char out[UUID_TEXT_BYTES])
{
	static const char hex[] = "0123456789abcdef";

	for (int i = 0; i < UUID_BYTES; i++) {
		if (dash_before(i))
			*out++ = '-';
		*out++ = hex[id[i] >> 4];
		*out++ = hex[id[i] & 0xF];
	}
	*out = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool uuid_parse(const char *text, uint8_t out[UUID_BYTES])
{
	uint8_t id[UUID_BYTES];

	for (int i = 0; i < UUID_BYTES; i++) {
		if (dash_before(i) && *text++ != '-')
			return false;
		int high = hex_value(text[0]);
		int low = high < 0 ? -1 : hex_value(text[1]);
		if (low < 0)
			return false;
		id[i] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	if (*text != '\0')
		return false;
	memcpy(out, id, sizeof id);
	return true;
}
