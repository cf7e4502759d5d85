#include "tests/integration/stranger.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct stranger {
	int fd;
	char address[64];
	SSL_CTX *ctx;
	SSL *ssl;
};

struct stranger *stranger_connect(const struct hub *h)
{
	struct sockaddr_in hub = { .sin_family = AF_INET }, own = { 0 };
	struct stranger *s = calloc(1, sizeof(*s));
	socklen_t len = sizeof(own);
	char ip[INET_ADDRSTRLEN];

	assert_non_null(s);
	signal(SIGPIPE, SIG_IGN);
	hub.sin_port = htons((uint16_t)strtoul(strrchr(h->address, ':') + 1, NULL, 10));
	hub.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(s->fd >= 0);
	assert_int_equal(connect(s->fd, (struct sockaddr *)&hub, sizeof(hub)), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&own, &len), 0);
	inet_ntop(AF_INET, &own.sin_addr, ip, sizeof(ip));
	snprintf(s->address, sizeof(s->address), "%s:%u", ip, ntohs(own.sin_port));
	assert_int_equal(fcntl(s->fd, F_SETFL, O_NONBLOCK), 0);
	return s;
}

const char *stranger_address(const struct stranger *s)
{
	return s->address;
}

static void await_io(const struct stranger *s, short events)
{
	struct pollfd p = { .fd = s->fd, .events = events };

	if (poll(&p, 1, HUB_WAIT_S * 1000) != 1)
		fail_msg("the hub did not react in time");
}

void stranger_send(struct stranger *s, const void *bytes, size_t n)
{
	assert_int_equal(send(s->fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
}

void stranger_await_end(struct stranger *s)
{
	char dropped[4096];
	ssize_t n;

	do {
		await_io(s, POLLIN);
		n = recv(s->fd, dropped, sizeof(dropped), 0);
	} while (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)));
}

void stranger_begin_tls(struct stranger *s, const struct hub *h, const struct stranger_tls *how)
{
	unsigned char alpn[64];
	char file[2 * HUB_PATH_BYTES];

	s->ctx = SSL_CTX_new(TLS_client_method());
	assert_non_null(s->ctx);
	if (how->max_version)
		SSL_CTX_set_max_proto_version(s->ctx, how->max_version);
	snprintf(file, sizeof(file), "%s/%s.crt", h->certificates, how->certificate);
	assert_int_equal(SSL_CTX_use_certificate_chain_file(s->ctx, file), 1);
	snprintf(file, sizeof(file), "%s/%s.key", h->certificates, how->certificate);
	assert_int_equal(SSL_CTX_use_PrivateKey_file(s->ctx, file, SSL_FILETYPE_PEM), 1);
	s->ssl = SSL_new(s->ctx);
	assert_non_null(s->ssl);
	if (how->alpn) {
		alpn[0] = (unsigned char)snprintf((char *)alpn + 1, sizeof(alpn) - 1, "%s",
						  how->alpn);
		assert_int_equal(SSL_set_alpn_protos(s->ssl, alpn, alpn[0] + 1U), 0);
	}
	SSL_set_fd(s->ssl, s->fd);
	SSL_set_connect_state(s->ssl);
}

/* Waits for what OpenSSL wants; false when it wants nothing any more: it has failed. */
static bool go_on(struct stranger *s, int rc)
{
	switch (SSL_get_error(s->ssl, rc)) {
	case SSL_ERROR_WANT_READ: await_io(s, POLLIN); return true;
	case SSL_ERROR_WANT_WRITE: await_io(s, POLLOUT); return true;
	default: return false;
	}
}

bool stranger_try_handshake(struct stranger *s)
{
	int rc;

	ERR_clear_error();
	rc = SSL_do_handshake(s->ssl);
	if (rc != 1 && SSL_get_error(s->ssl, rc) != SSL_ERROR_WANT_READ)
		fail_msg("handshake: %s", ERR_reason_error_string(ERR_peek_error()));
	return rc == 1;
}

void stranger_handshake(struct stranger *s)
{
	int rc;

	while ((rc = SSL_do_handshake(s->ssl)) != 1)
		if (!go_on(s, rc))
			fail_msg("handshake: %s", ERR_reason_error_string(ERR_peek_error()));
}

const char *stranger_await_alert(struct stranger *s)
{
	unsigned long code;
	char dropped[256];
	int rc;

	ERR_clear_error();
	while ((rc = SSL_do_handshake(s->ssl)) != 1 && go_on(s, rc))
		;
	/* In TLS 1.3 the client is done before the hub has looked at its certificate. */
	if (rc == 1)
		while ((rc = SSL_read(s->ssl, dropped, sizeof(dropped))) > 0 || go_on(s, rc))
			;
	code = ERR_peek_error();
	if (!code || ERR_GET_REASON(code) < SSL_AD_REASON_OFFSET)
		fail_msg("the hub ended without an alert: %s",
			 code ? ERR_reason_error_string(code) : "no error");
	return SSL_alert_desc_string_long(ERR_GET_REASON(code) - SSL_AD_REASON_OFFSET);
}

void stranger_ask(struct stranger *s, const void *bytes, size_t n)
{
	char dropped[256];
	int rc;

	assert_int_equal(SSL_write(s->ssl, bytes, (int)n), (int)n);
	while ((rc = SSL_read(s->ssl, dropped, sizeof(dropped))) <= 0)
		if (!go_on(s, rc))
			fail_msg("no answer: %s", ERR_reason_error_string(ERR_peek_error()));
}

void stranger_hub_serial(const struct stranger *s, char serial[64])
{
	X509 *cert = SSL_get1_peer_certificate(s->ssl);
	BIGNUM *number;
	char *hex;

	assert_non_null(cert);
	number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	hex = BN_bn2hex(number);
	snprintf(serial, 64, "%s", hex);
	OPENSSL_free(hex);
	BN_free(number);
	X509_free(cert);
}

void stranger_end(struct stranger *s)
{
	if (!s)
		return;
	SSL_free(s->ssl);
	SSL_CTX_free(s->ctx);
	close(s->fd);
	free(s);
}
