/* proto/channel: frames over real TLS on loopback; splits, large frames, back-pressure, many
 * connections, and that nothing is freed under anybody's feet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "tests/unit/channel_world.h"

static void send_text(struct channel *ch, const char *text)
{
	assert_int_equal(channel_send(ch, (const uint8_t *)text, (uint32_t)strlen(text)),
			 IEUM_E_OK);
}

static void both_ends_learn_who_the_other_is(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_join(&w);
	assert_string_equal(w.server.peer.uri, "spiffe://gimpo.ieum/police/gimpo-ps");
	assert_string_equal(w.server.peer.hub, "gimpo.ieum");
	assert_string_equal(w.server.peer.kind, "police");
	assert_string_equal(w.server.peer.name, "gimpo-ps");
	assert_string_equal(w.server.peer.actor, "gimpo-ps-1");
	assert_int_equal(strlen(w.server.peer.serial), 32);
	assert_string_equal(w.client.peer.kind, "hub");
	assert_string_equal(w.client.address, channel_listener_address(w.listener));
	assert_int_equal(strncmp(w.server.address, "127.0.0.1:", 10), 0);
	assert_string_equal(w.server.peer.serial, tls_own(w.client_tls)->serial);
	world_close(&w);
}

static void frames_go_both_ways(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_join(&w);
	send_text(w.client.ch, "hello");
	world_until(&w, w.server.frames == 1);
	assert_string_equal(w.server.last, "hello");
	assert_int_equal(w.server.turn_ends, 1);
	send_text(w.server.ch, "well");
	send_text(w.server.ch, "come");
	world_until(&w, w.client.frames == 2);
	assert_string_equal(w.client.last, "come");
	world_close(&w);
}

static size_t put_frame(uint8_t *to, uint32_t len, unsigned seed)
{
	size_t header = frame_header_put(to, len);

	for (uint32_t i = 0; i < len; i++)
		to[header + i] = (uint8_t)(seed + i * 31);
	return header + len;
}

/* One connection, the same stream again for each place to cut it in two records that arrive
 * in two turns. */
static void every_split_pattern_gives_the_same_frames(void **state)
{
	static const uint32_t lens[] = { 1, 127, 128, 2, 300, 1 };
	enum { FRAMES = sizeof lens / sizeof lens[0] };
	uint8_t stream[1024];
	uint32_t expected = 0;
	size_t n = 0;
	struct world w;
	struct raw raw;

	(void)state;
	world_open(&w, NULL);
	raw_open(&w, &raw, "zoo/good", NULL, 0);
	assert_int_equal(raw_handshake(&w, &raw), 1);
	world_until(&w, w.server.ready == 1);
	for (unsigned i = 0; i < FRAMES; i++) {
		n += put_frame(stream + n, lens[i], i);
		checksum_add(&expected, stream + n - lens[i], lens[i]);
	}
	for (size_t cut = 1; cut < n; cut++) {
		w.server.frames = w.server.checksum = 0;
		raw_write(&w, &raw, stream, cut);
		world_quiet(&w);
		raw_write(&w, &raw, stream + cut, n - cut);
		world_until(&w, w.server.frames == FRAMES);
		assert_int_equal(w.server.checksum, expected);
	}
	w.server.frames = w.server.checksum = 0;
	for (size_t i = 0; i < n; i++) {
		raw_write(&w, &raw, stream + i, 1);
		world_quiet(&w);
	}
	world_until(&w, w.server.frames == FRAMES);
	assert_int_equal(w.server.checksum, expected);
	assert_int_equal(w.server.closed, 0);
	raw_close(&raw, false);
	world_close(&w);
}

static void echo(struct end *end, enum channel_event event, const struct frame_view *frame)
{
	if (event == CHANNEL_FRAME &&
	    channel_send(end->ch, frame->payload, (uint32_t)frame->len) != IEUM_E_OK)
		fail_msg("the echo did not fit");
}

static void large_frames_cross_records_and_scratch(void **state)
{
	static const uint32_t lens[] = { 16383,  16384,  16385,  100000, 131071,  131072,
					 131073, 262143, 262144, 262145, 1048575, 1048576 };
	uint8_t *bytes = malloc(1048576);
	struct world w;

	(void)state;
	assert_non_null(bytes);
	world_open(&w, NULL);
	w.server.then = echo;
	world_join(&w);
	for (unsigned i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		uint32_t expected = 0;
		for (uint32_t k = 0; k < lens[i]; k++)
			bytes[k] = (uint8_t)(k * 2654435761u >> 24);
		checksum_add(&expected, bytes, lens[i]);
		w.client.checksum = 0;
		assert_int_equal(channel_send(w.client.ch, bytes, lens[i]), IEUM_E_OK);
		world_until(&w, w.client.frames == i + 1);
		assert_int_equal(w.client.last_len, lens[i]);
		assert_int_equal(w.client.checksum, expected);
	}
	free(bytes);
	world_close(&w);
}

/* The small frame shares the last record of the large one, which OpenSSL has read whole: the
 * socket will never say so. */
static void what_openssl_has_read_ahead_is_not_forgotten(void **state)
{
	static uint8_t large[1000000];
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_join(&w);
	for (unsigned i = 1; i <= 20; i++) {
		assert_int_equal(channel_send(w.client.ch, large, sizeof large - i), IEUM_E_OK);
		send_text(w.client.ch, "small");
		world_until(&w, w.server.frames == 2 * i);
	}
	world_close(&w);
}

/* Half a record lies in OpenSSL's memory, and the socket has no more: asking again before it
 * has would turn the loop round and round for as long as the peer likes. */
static void half_a_record_is_waited_for_in_peace(void **state)
{
	static const uint8_t frame[] = "\x0chalf a frame";
	struct world w;
	struct raw raw;
	uint8_t record[256];
	int n;

	(void)state;
	world_open(&w, NULL);
	raw_open(&w, &raw, "zoo/good", NULL, 0);
	assert_int_equal(raw_handshake(&w, &raw), 1);
	world_until(&w, w.server.ready == 1);
	BIO *sealed = BIO_new(BIO_s_mem());
	SSL_set0_wbio(raw.ssl, sealed);
	assert_int_equal(SSL_write(raw.ssl, frame, sizeof frame - 1), sizeof frame - 1);
	n = BIO_read(sealed, record, sizeof record);
	assert_true(n > 20);
	assert_int_equal(write(raw.fd, record, 20), 20);
	int64_t began_ms = world_now_ms();
	/* One may hear of the bytes, the others wait: for 50 ms each, or less where the time-out of an
	 * earlier step that had something to do ends them. */
	for (int step = 0; step < 12; step++)
		world_step(&w);
	assert_true(world_now_ms() - began_ms >= 100);
	assert_int_equal(write(raw.fd, record + 20, (size_t)n - 20), n - 20);
	world_until(&w, w.server.frames == 1);
	assert_string_equal(w.server.last, "half a frame");
	raw_close(&raw, false);
	world_until(&w, w.server.closed == 1);
	world_close(&w);
}

/* Pauses after some frames and resumes from a timer's turn, at random. */
struct moody {
	unsigned seed;
	unsigned pauses;
	bool paused;
};

static void pause_sometimes(struct end *end, enum channel_event event,
			    const struct frame_view *frame)
{
	struct moody *moody = end->then_arg;

	(void)frame;
	if (event != CHANNEL_FRAME)
		return;
	assert_false(moody->paused);
	if (rand_r(&moody->seed) % 7)
		return;
	channel_pause(end->ch);
	moody->paused = true;
	moody->pauses++;
}

static void pauses_lose_and_reorder_nothing(void **state)
{
	enum { FRAMES = 3000, LARGEST = 60000 };
	struct moody moody = { .seed = 20261122 };
	unsigned seed = 42;
	uint32_t expected = 0;
	uint8_t *bytes = malloc(LARGEST);
	unsigned sent = 0;
	struct world w;

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 0x5a, LARGEST);
	world_open(&w, NULL);
	w.server.then = pause_sometimes;
	w.server.then_arg = &moody;
	world_join(&w);
	int64_t until_ms = world_now_ms() + 60000;
	while (w.server.frames < FRAMES) {
		uint32_t len = 1 + (uint32_t)rand_r(&seed) % (sent % 50 ? 900 : LARGEST);
		memcpy(bytes, &sent, sizeof sent < len ? sizeof sent : len);
		if (sent < FRAMES && channel_send(w.client.ch, bytes, len) == IEUM_E_OK) {
			checksum_add(&expected, bytes, len);
			sent++;
		}
		event_base_loop(w.base, EVLOOP_NONBLOCK);
		unsigned before = w.server.frames;
		if (rand_r(&seed) % 3 == 0) {
			moody.paused = false;
			channel_resume(w.server.ch);
		}
		assert_int_equal(w.server.frames, before);
		assert_true(world_now_ms() < until_ms);
	}
	assert_int_equal(w.server.checksum, expected);
	assert_true(moody.pauses > 100);
	free(bytes);
	world_close(&w);
}

/* A pause is kept: what has arrived meanwhile waits. */
static void a_paused_channel_hears_nothing(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_join(&w);
	channel_pause(w.server.ch);
	send_text(w.client.ch, "one");
	for (int i = 0; i < 10; i++)
		world_quiet(&w);
	assert_int_equal(w.server.frames, 0);
	channel_resume(w.server.ch);
	world_until(&w, w.server.frames == 1);
	world_close(&w);
}

static void a_slow_reader_meets_the_cap_and_loses_nothing(void **state)
{
	struct channel_limits limits = channel_limits_default;
	static uint8_t bytes[50000];
	struct world w;
	unsigned sent = 0;
	enum ieum_err err;

	(void)state;
	limits.out_max_bytes = 2 * 1024 * 1024;
	limits.out_high_bytes = 1024 * 1024;
	limits.out_low_bytes = 64 * 1024;
	world_open(&w, &limits);
	world_join(&w);
	channel_pause(w.client.ch);
	do {
		err = channel_send(w.server.ch, bytes, sizeof bytes);
		if (!err)
			sent++;
		/* The sockets' own buffers fill first. */
		event_base_loop(w.base, EVLOOP_NONBLOCK);
		assert_true(buf_len(channel_out(w.server.ch)) <= limits.out_max_bytes);
		assert_true(sent < 10000);
	} while (!err);
	assert_int_equal(err, IEUM_E_FIELD_TOO_LARGE);
	assert_int_equal(w.server.drained, 0);
	channel_resume(w.client.ch);
	world_until(&w, w.client.frames == sent);
	assert_int_equal(w.server.drained, 1);
	assert_int_equal(w.client.bytes, (size_t)sent * sizeof bytes);
	assert_int_equal(w.server.closed, 0);
	world_close(&w);
}

static void a_filled_buffer_is_swapped_in_whole(void **state)
{
	struct world w;
	struct buf mine;
	uint8_t frame[] = { 2, 'h', 'i' };

	(void)state;
	world_open(&w, NULL);
	world_join(&w);
	buf_init(&mine, 100);
	assert_int_equal(buf_append(&mine, frame, sizeof frame), IEUM_E_OK);
	const uint8_t *memory = mine.base;
	assert_true(channel_out_swap(w.server.ch, &mine));
	assert_int_equal(mine.max, 100);
	assert_int_equal(buf_len(&mine), 0);
	assert_ptr_equal(buf_bytes(channel_out(w.server.ch)), memory);
	assert_int_equal(buf_append(&mine, frame, sizeof frame), IEUM_E_OK);
	assert_false(channel_out_swap(w.server.ch, &mine));
	assert_int_equal(buf_len(&mine), sizeof frame);
	world_until(&w, w.client.frames == 1);
	assert_string_equal(w.client.last, "hi");
	buf_release(&mine);
	world_close(&w);
}

static void close_on_frame(struct end *end, enum channel_event event,
			   const struct frame_view *frame)
{
	(void)frame;
	if (event == CHANNEL_FRAME) {
		channel_close(end->ch);
		channel_close(end->ch);
		/* Still a channel until its CLOSED. */
		assert_int_equal(channel_id(end->ch), end->id);
		assert_int_equal(buf_append(channel_out(end->ch), "x", 1), IEUM_E_OK);
		channel_flush(end->ch);
	}
}

static void a_close_inside_a_callback_is_the_last_word(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	w.server.then = close_on_frame;
	world_join(&w);
	for (int i = 0; i < 10; i++)
		send_text(w.client.ch, "frame");
	uint64_t id = w.server.id;
	assert_non_null(channel_find(w.server_loop, id));
	world_until(&w, w.server.closed == 1 && w.client.closed == 1);
	assert_int_equal(w.server.frames, 1);
	assert_int_equal(w.server.turn_ends, 0);
	assert_int_equal(w.server.reason, CHANNEL_CLOSE_HERE);
	assert_int_equal(w.client.reason, CHANNEL_CLOSE_LOST);
	assert_null(channel_find(w.server_loop, id));
	assert_int_equal(channel_loop_count(w.server_loop), 0);
	world_close(&w);
}

static void ids_are_never_used_twice(void **state)
{
	struct world w;
	uint64_t ids[20];

	(void)state;
	world_open(&w, NULL);
	for (unsigned i = 0; i < 20; i++) {
		world_join(&w);
		ids[i] = w.server.id;
		assert_ptr_equal(channel_find(w.server_loop, ids[i]), w.server.ch);
		for (unsigned k = 0; k < i; k++) {
			assert_true(ids[k] != ids[i]);
			assert_null(channel_find(w.server_loop, ids[k]));
		}
		channel_close(w.client.ch);
		world_until(&w, w.server.closed == i + 1);
	}
	assert_null(channel_find(w.server_loop, 0));
	assert_null(channel_find(w.server_loop, UINT64_MAX));
	world_close(&w);
}

static void answer_on_ready(struct end *end, enum channel_event event,
			    const struct frame_view *frame)
{
	(void)frame;
	if (event == CHANNEL_READY)
		send_text(end->ch, "at once");
}

static void frames_sent_at_ready_arrive(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	w.server.then = w.client.then = answer_on_ready;
	struct channel *ch = world_connect(&w, w.client_tls);
	send_text(ch, "even before");
	world_until(&w, w.server.frames == 2 && w.client.frames == 1);
	w.server.then = w.client.then = NULL;
	ch = world_connect(&w, w.client_tls);
	send_text(ch, "before, and nothing after");
	world_until(&w, w.server.frames == 3);
	world_close(&w);
}

static void count_writes(const char *what, int64_t us, void *arg)
{
	(void)us;
	*(unsigned *)arg += strcmp(what, "write") == 0;
}

static void a_thousand_connections(void **state)
{
	enum { MANY = 1000 };
	struct channel_limits limits = channel_limits_default;
	struct rlimit files;
	static uint64_t ids[MANY];
	unsigned n_writes = 0;
	struct world w;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_max < 2 * MANY + 100)
		skip();
	files.rlim_cur = files.rlim_max < 4096 ? files.rlim_max : 4096;
	setrlimit(RLIMIT_NOFILE, &files);
	limits.handshaking_max = 32;
	world_open(&w, &limits);
	w.server.then = echo;
	for (unsigned i = 0; i < MANY; i++) {
		ids[i] = channel_id(world_connect(&w, w.client_tls));
		if (i % 50 == 49)
			world_until(&w, w.server.ready == i + 1);
	}
	world_until(&w, w.server.ready == MANY && w.client.ready == MANY);
	assert_int_equal(channel_loop_count(w.server_loop), MANY);
	channel_loop_measure(w.client_loop, count_writes, &n_writes);
	for (unsigned i = 0; i < MANY; i++)
		send_text(channel_find(w.client_loop, ids[i]), "to all");
	world_until(&w, w.client.frames == MANY);
	/* A thousand system calls are not made in one go. */
	assert_true(n_writes > 2);
	for (unsigned i = 0; i < MANY; i++)
		channel_finish(channel_find(w.client_loop, ids[i]));
	world_until(&w, w.server.closed == MANY && channel_loop_count(w.client_loop) == 0);
	assert_int_equal(w.server.reason, CHANNEL_CLOSE_PEER);
	assert_int_equal(channel_loop_count(w.server_loop), 0);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_learn_who_the_other_is),
		cmocka_unit_test(frames_go_both_ways),
		cmocka_unit_test(every_split_pattern_gives_the_same_frames),
		cmocka_unit_test(large_frames_cross_records_and_scratch),
		cmocka_unit_test(what_openssl_has_read_ahead_is_not_forgotten),
		cmocka_unit_test(half_a_record_is_waited_for_in_peace),
		cmocka_unit_test(pauses_lose_and_reorder_nothing),
		cmocka_unit_test(a_paused_channel_hears_nothing),
		cmocka_unit_test(a_slow_reader_meets_the_cap_and_loses_nothing),
		cmocka_unit_test(a_filled_buffer_is_swapped_in_whole),
		cmocka_unit_test(a_close_inside_a_callback_is_the_last_word),
		cmocka_unit_test(ids_are_never_used_twice),
		cmocka_unit_test(frames_sent_at_ready_arrive),
		cmocka_unit_test(a_thousand_connections),
	};

	return cmocka_run_group_tests_name("channel", tests, world_certs_make, world_certs_remove);
}
