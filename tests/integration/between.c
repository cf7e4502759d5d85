/* Something that holds back; see between.h. */
#include "tests/integration/between.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { COPY_BYTES = 65536, HEADER_BYTES = 5, TLS_APPLICATION_DATA = 23 };

struct passing {
	unsigned records; /* left */
	bool swallow, held;
	uint8_t bytes[COPY_BYTES]; /* of the agency, not passed on yet */
	size_t n;
};

static bool write_all(int to, const uint8_t *bytes, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t wrote = write(to, bytes + at, n - at);

		if (wrote <= 0)
			return false;
		at += (size_t)wrote;
	}
	return true;
}

static size_t first_record(const struct passing *p)
{
	size_t len =
		p->n < HEADER_BYTES ? 0 : HEADER_BYTES + (size_t)(p->bytes[3] << 8 | p->bytes[4]);

	return len <= p->n ? len : 0;
}

/* Record by record; nothing behind the last one that may pass. */
static bool pass_records(struct passing *p, int server)
{
	size_t len;

	while (!p->held && (len = first_record(p)) > 0) {
		p->records -= p->bytes[0] == TLS_APPLICATION_DATA;
		p->held = p->records == 0;
		if (!(p->held && p->swallow) && !write_all(server, p->bytes, len))
			return false;
		memmove(p->bytes, p->bytes + len, p->n -= len);
		if (p->held && write(STDOUT_FILENO, "h", 1) != 1)
			return false;
	}
	return true;
}

static bool from_agency(struct passing *p, int client, int server)
{
	ssize_t n = read(client, p->bytes + p->n, sizeof p->bytes - p->n);

	if (n <= 0)
		return false;
	p->n += (size_t)n;
	if (p->held)
		p->n = 0;
	return pass_records(p, server);
}

static bool from_hub(int server, int client)
{
	static uint8_t bytes[COPY_BYTES];
	ssize_t n = read(server, bytes, sizeof bytes);

	return n > 0 && write_all(client, bytes, (size_t)n);
}

static void serve(int client, int server, struct passing *p)
{
	struct pollfd fds[] = { { .fd = client, .events = POLLIN },
				{ .fd = server, .events = POLLIN } };

	p->held = p->records == 0;
	if (p->held && write(STDOUT_FILENO, "h", 1) != 1)
		return;
	for (;;) {
		if (p->held)
			fds[1].fd = -1;
		if (poll(fds, 2, -1) <= 0 || (fds[0].revents && !from_agency(p, client, server)) ||
		    (fds[1].revents && !from_hub(server, client)))
			return;
	}
}

static int open_socket(uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (port ? connect(fd, (void *)&in, sizeof in)
		 : bind(fd, (void *)&in, sizeof in) || listen(fd, 16)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void run(int listener, uint16_t to, unsigned records, bool swallow)
{
	static struct passing p;
	int client;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	while ((client = accept(listener, NULL, NULL)) >= 0) {
		int server = open_socket(to);

		p = (struct passing){ .records = records, .swallow = swallow };
		if (server >= 0) {
			serve(client, server, &p);
			close(server);
		}
		close(client);
	}
}

void between_start(struct between *b, const struct hub *h, unsigned records, bool swallow)
{
	struct sockaddr_in in = { 0 };
	socklen_t len = sizeof in;
	int listener = open_socket(0), ends[2];
	uint16_t to = (uint16_t)strtoul(strrchr(h->address, ':') + 1, NULL, 10);

	assert_true(listener >= 0);
	assert_int_equal(getsockname(listener, (void *)&in, &len), 0);
	assert_int_equal(pipe(ends), 0);
	snprintf(b->address, sizeof b->address, "127.0.0.1:%u", ntohs(in.sin_port));
	b->pid = fork();
	assert_true(b->pid >= 0);
	if (b->pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		run(listener, to, records, swallow);
		_exit(0);
	}
	close(listener);
	close(ends[1]);
	b->out = ends[0];
}

void between_await(const struct between *b)
{
	struct pollfd fd = { .fd = b->out, .events = POLLIN };
	char byte;

	if (poll(&fd, 1, HUB_WAIT_S * 1000) != 1 || read(b->out, &byte, 1) != 1)
		fail_msg("nobody has sent so many records to %s", b->address);
}

void between_end(struct between *b)
{
	if (!b->pid)
		return;
	kill(b->pid, SIGKILL);
	waitpid(b->pid, NULL, 0);
	close(b->out);
	*b = (struct between){ 0 };
}
