#include "broker/salt.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

struct salt_source {
	EVP_MD *sha256;
	EVP_MD_CTX *ctx;
	size_t left; /* unused bytes at the end of the pool */
	uint8_t pool[SALT_POOL_BYTES];
};

struct salt_source *salt_source_new(void)
{
	struct salt_source *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	s->ctx = EVP_MD_CTX_new();
	if (!s->sha256 || !s->ctx) {
		salt_source_free(s);
		return NULL;
	}
	return s;
}

void salt_source_free(struct salt_source *s)
{
	if (!s)
		return;
	EVP_MD_CTX_free(s->ctx);
	EVP_MD_free(s->sha256);
	free(s);
}

static enum ieum_err salt_take(struct salt_source *s, uint8_t salt[SALT_BYTES])
{
	uint8_t *from;

	if (s->left < SALT_BYTES) {
		if (RAND_bytes(s->pool, sizeof(s->pool)) != 1)
			return IEUM_E_INTERNAL;
		s->left = sizeof(s->pool);
	}
	from = s->pool + sizeof(s->pool) - s->left;
	memcpy(salt, from, SALT_BYTES);
	/* A used salt must not lie about: with it gone, an erased payload can't be guessed at. */
	memset(from, 0, SALT_BYTES);
	s->left -= SALT_BYTES;
	return IEUM_E_OK;
}

enum ieum_err salt_hash(struct salt_source *s, const uint8_t *payload, size_t len,
			uint8_t salt[SALT_BYTES], uint8_t hash[SALT_HASH_BYTES])
{
	enum ieum_err err = salt_take(s, salt);

	if (err)
		return err;
	if (EVP_DigestInit_ex2(s->ctx, s->sha256, NULL) != 1 ||
	    EVP_DigestUpdate(s->ctx, salt, SALT_BYTES) != 1 ||
	    EVP_DigestUpdate(s->ctx, payload, len) != 1 ||
	    EVP_DigestFinal_ex(s->ctx, hash, NULL) != 1)
		return IEUM_E_INTERNAL;
	return IEUM_E_OK;
}
