/* See sha256.h. */
#include "proto/sha256.h"

#include <openssl/evp.h>

bool sha256(const uint8_t *bytes, size_t len, uint8_t digest[SHA256_BYTES])
{
	return EVP_Digest(bytes, len, digest, NULL, EVP_sha256(), NULL) == 1;
}
