/* "host:port" to socket addresses and back. */
#include "proto/channel_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_port(const char *text)
{
	size_t n = strlen(text);

	return n >= 1 && n <= 5 && strspn(text, "0123456789") == n &&
	       strtoul(text, NULL, 10) <= UINT16_MAX;
}

/* Splits at the last colon; an IPv6 host is in brackets. */
static bool split(const char *address, char *host, size_t host_bytes, const char **port)
{
	const char *colon = strrchr(address, ':');
	const char *end;

	if (!colon || !is_port(colon + 1))
		return false;
	*port = colon + 1;
	if (address[0] == '[') {
		end = strchr(address, ']');
		if (!end || end + 1 != colon)
			return false;
		address++;
	} else {
		end = colon;
		if (memchr(address, ':', (size_t)(colon - address)))
			return false;
	}
	size_t n = (size_t)(end - address);
	if (n >= host_bytes)
		return false;
	memcpy(host, address, n);
	host[n] = '\0';
	return true;
}

struct addrinfo *channel_resolve(const char *address, bool passive, char *host, size_t host_bytes,
				 char why[TLS_WHY_BYTES], enum ieum_err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	const char *port = NULL;

	*err = IEUM_E_FIELD_INVALID;
	if (!split(address, host, host_bytes, &port) || (!passive && host[0] == '\0')) {
		snprintf(why, TLS_WHY_BYTES, "%.200s: not \"host:port\" or \"[ipv6]:port\"",
			 address);
		return NULL;
	}
	hints.ai_flags = AI_NUMERICSERV | AI_NUMERICHOST | (passive ? AI_PASSIVE : 0);
	const char *node = host[0] ? host : NULL;
	int ret = getaddrinfo(node, port, &hints, &found);
	if (ret == EAI_NONAME && node) {
		hints.ai_flags &= ~AI_NUMERICHOST;
		ret = getaddrinfo(node, port, &hints, &found);
	}
	if (ret == 0) {
		*err = IEUM_E_OK;
		return found;
	}
	*err = ret == EAI_MEMORY ? IEUM_E_NO_MEMORY : IEUM_E_HUB_UNREACHABLE;
	snprintf(why, TLS_WHY_BYTES, "%.200s: %s", address,
		 ret == EAI_SYSTEM ? strerror(errno) : gai_strerror(ret));
	return NULL;
}

void channel_address_text(const struct sockaddr *addr, socklen_t len,
			  char to[CHANNEL_ADDRESS_BYTES])
{
	char host[CHANNEL_ADDRESS_BYTES - 10], port[6];

	if (getnameinfo(addr, len, host, sizeof host, port, sizeof port,
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		snprintf(to, CHANNEL_ADDRESS_BYTES, "?");
	else
		snprintf(to, CHANNEL_ADDRESS_BYTES,
			 addr->sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}
