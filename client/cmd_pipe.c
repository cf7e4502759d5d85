/* ieum pipe: JSON Lines on stdin and stdout, for programs in any language; see pipe.h.
 *
 *   connecting ──► running ──end of input, or a signal──► finishing ──► leaving
 *
 * Finishing waits for the results of what was asked and for whoever reads the output; for each step
 * of it at most --timeout. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/command.h"
#include "client/link.h"
#include "client/pipe.h"
#include "client/spool_place.h"
#include "client/trouble.h"
#include "ieum/v1/frame.pb-c.h"

enum {
	PIPE_GOODBYE_MS = 1000,
	PIPE_FILE_WRITE_BYTES = 64 * 1024,
};

void pipe_abort(struct pipe *p, enum exit_code code)
{
	if (!p->code)
		p->code = code;
	p->leaving = true;
	event_base_loopbreak(p->base);
}

static void arm(struct pipe *p, int64_t ms)
{
	struct timeval tv = { .tv_sec = (time_t)(ms / 1000),
			      .tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	evtimer_add(p->patience, &tv);
}

/* ---- what can go on ---- */

static void set_credit(struct pipe *p)
{
	uint32_t wanted = p->in_ended || p->out_slow ? 0 : p->window;

	if (wanted != p->granted)
		ieum_credit(p->c, wanted);
	p->granted = wanted;
}

static void set_event(struct event *ev, bool on)
{
	if (on)
		event_add(ev, NULL);
	else
		event_del(ev);
}

static bool finished(const struct pipe *p)
{
	return p->in_ended && p->n_calls == 0 && LIST_EMPTY(&p->giving) &&
	       evbuffer_get_length(p->in) == 0 && evbuffer_get_length(p->out) == 0;
}

void pipe_go_on(struct pipe *p)
{
	bool reads;

	if (p->leaving)
		return;
	if (pipe_hand_over_held(p))
		pipe_take_lines(p);
	if (p->leaving)
		return;
	set_credit(p);
	/* A little is read ahead, to see the end of the input. */
	reads = !p->in_ended && evbuffer_get_length(p->in) <
					(pipe_is_stuck(p) ? PIPE_READ_BYTES
							  : PIPE_LINE_BYTES_MAX + PIPE_READ_BYTES);
	set_event(p->in_ev, reads);
	set_event(p->out_ev, evbuffer_get_length(p->out) > 0);
	if (finished(p)) {
		p->leaving = true;
		ieum_stop(p->c);
		arm(p, PIPE_GOODBYE_MS);
	} else if (p->in_ended && p->progress) {
		arm(p, p->inv->timeout_ms);
	}
	p->progress = false;
}

static void end_input(struct pipe *p)
{
	p->in_ended = p->progress = true;
	pipe_go_on(p);
}

/* ---- events of the loop ---- */

static void readable(evutil_socket_t fd, short what, void *arg)
{
	struct pipe *p = arg;
	char bytes[PIPE_READ_BYTES];
	ssize_t n = read(fd, bytes, sizeof bytes);

	(void)what;
	if (n > 0)
		evbuffer_add(p->in, bytes, (size_t)n);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		end_input(p);
	else
		pipe_go_on(p);
}

static void writable(evutil_socket_t fd, short what, void *arg)
{
	struct pipe *p = arg;

	(void)fd;
	(void)what;
	pipe_write(p);
	pipe_go_on(p);
}

/* What was read and not looked at yet is left. */
static void signalled(evutil_socket_t number, short what, void *arg)
{
	struct pipe *p = arg;

	(void)number;
	(void)what;
	evbuffer_drain(p->in, evbuffer_get_length(p->in));
	end_input(p);
}

/* Nobody has answered for as long as we wait. */
static void impatient(evutil_socket_t fd, short what, void *arg)
{
	struct pipe *p = arg;
	enum ieum_err err = p->last_err ? p->last_err : IEUM_E_TIMED_OUT;

	(void)fd;
	(void)what;
	if (p->leaving) {
		event_base_loopbreak(p->base);
	} else if (!p->welcomed && !p->in_ended && p->inv->profile->spool) {
		p->alone = true; /* messages are taken all the same */
		pipe_go_on(p);
	} else if (!p->welcomed) {
		pipe_abort(p,
			   p->inv->profile->spool ? EXIT_DONE : trouble(p->inv, err, p->last_why));
	} else if (p->n_calls > 0 || !LIST_EMPTY(&p->giving)) {
		pipe_abort(p, EXIT_DONE); /* the first that gets no result says the code */
	} else {
		pipe_abort(p, trouble_output(p->inv));
	}
}

/* ---- the connection ---- */

/* Once: it goes on as it is, and somebody should know. */
static void tell_list(struct pipe *p)
{
	int64_t ended_at_ms = link_list_ended_at_ms(p->inv->keyring);
	char list[PBMAP_WORD_BYTES], at[PBMAP_WORD_BYTES];

	if (!ended_at_ms || p->told_list)
		return;
	p->told_list = true;
	pipe_say(p, pipe_key(p, "revocation_list_ended", list),
		 json_pack("{s:I}", pipe_key(p, "ended_at_ms", at), (json_int_t)ended_at_ms));
}

static void connected(struct ieum *c, const Ieum__V1__Welcome *welcome, void *arg)
{
	struct pipe *p = arg;

	if (!p->welcomed && !p->in_ended)
		evtimer_del(p->patience);
	p->welcomed = true;
	p->last_err = IEUM_E_OK;
	p->last_why[0] = '\0';
	p->inv->keyring = ieum_keyring(c);
	offline_ask(&p->deadlines, c);
	pipe_say(p, "welcome", pipe_json(p, &welcome->base));
	tell_list(p);
	pipe_go_on(p);
}

static void disconnected(struct ieum *c, const struct ieum_failure *why, bool permanent,
			 int64_t retry_in_ms, void *arg)
{
	struct pipe *p = arg;
	char room[PBMAP_WORD_BYTES];
	json_t *error;

	if (why->code == IEUM_E_OK) {
		event_base_loopbreak(p->base);
		return;
	}
	p->last_err = why->code;
	snprintf(p->last_why, sizeof p->last_why, "%s", why->detail);
	error = pipe_error_json(p, why, NULL);
	if (error)
		pipe_say(p, "disconnected",
			 json_pack("{s:o, s:I}", "error", error, pipe_key(p, "retry_in_ms", room),
				   (json_int_t)retry_in_ms));
	if (!link_renew(p->inv, c) && permanent) {
		pipe_abort(p, link_failure(p->inv, why));
		return;
	}
	pipe_go_on(p);
}

static void delivered(struct ieum *c, const Ieum__V1__Delivery *delivery, const uint8_t *referral,
		      size_t referral_len, void *arg)
{
	struct pipe *p = arg;

	json_t *json, *opened, *line;

	(void)c;
	(void)referral;
	(void)referral_len;
	if (p->leaving || pipe_give_key(p, delivery))
		return;
	json = pipe_json(p, &delivery->base);
	if (!json)
		return;
	opened = pipe_open(p, json_object_get(json, "referral"), delivery->referral,
			   delivery->sender, delivery->received_at_ms);
	line = json_pack("{s:o, s:o*}", "delivery", json, "opened", opened);
	pipe_put(p, line);
	pipe_go_on(p);
}

/* ---- the spool ---- */

static void accepted(struct ieum *c, const uint8_t *message_id, void *arg)
{
	(void)c;
	pipe_accepted(arg, message_id);
	pipe_go_on(arg);
}

static void renamed(struct ieum *c, const uint8_t *before, const uint8_t *now, void *arg)
{
	(void)c;
	pipe_renamed(arg, before, now);
	pipe_go_on(arg);
}

static void resent(struct ieum *c, const uint8_t *message_id, const Ieum__V1__Receipt *receipt,
		   const struct ieum_failure *failure, void *arg)
{
	struct pipe *p = arg;
	json_t *how =
		receipt ? pipe_json(p, &receipt->base) : pipe_error_json(p, failure, message_id);

	(void)c;
	if (how)
		pipe_say(p, "resent", json_pack("{s:o}", receipt ? "receipt" : "error", how));
	pipe_go_on(p);
}

static void let_go(struct ieum *c, size_t messages, void *arg)
{
	struct pipe *p = arg;
	char room[PBMAP_WORD_BYTES];

	(void)c;
	pipe_say(p, pipe_key(p, "let_go", room),
		 json_pack("{s:I}", "messages", (json_int_t)messages));
	pipe_go_on(p);
}

static void spool_trouble(struct ieum *c, const struct ieum_failure *why, void *arg)
{
	struct pipe *p = arg;
	char room[PBMAP_WORD_BYTES];

	(void)c;
	pipe_say(p, pipe_key(p, "spool_trouble", room), pipe_error_json(p, why, NULL));
	pipe_go_on(p);
}

static void alone(struct ieum *c, int64_t for_ms, uint64_t waiting, void *arg)
{
	struct pipe *p = arg;
	char room[PBMAP_WORD_BYTES];

	(void)c;
	pipe_say(p, "alone",
		 json_pack("{s:I, s:I}", pipe_key(p, "for_ms", room), (json_int_t)for_ms, "waiting",
			   (json_int_t)waiting));
	pipe_go_on(p);
}

/* ---- the command ---- */

/* Standard input and output may be files, which the system's quickest way of waiting refuses. */
static struct event_base *base_for_files(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config && event_config_require_features(config, EV_FEATURE_FDS) == 0)
		base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	return base;
}

static bool prepare(struct pipe *p)
{
	static const int numbers[] = { SIGINT, SIGTERM };
	int out = fileno(p->inv->out);
	struct stat st;

	p->base = base_for_files();
	p->in = evbuffer_new();
	p->out = evbuffer_new();
	if (!p->base || !p->in || !p->out)
		return false;
	p->in_ev = event_new(p->base, STDIN_FILENO, EV_READ | EV_PERSIST, readable, p);
	p->out_ev = event_new(p->base, out, EV_WRITE | EV_PERSIST, writable, p);
	p->patience = evtimer_new(p->base, impatient, p);
	if (!p->in_ev || !p->out_ev || !p->patience)
		return false;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		p->signals[i] = evsignal_new(p->base, numbers[i], signalled, p);
		if (!p->signals[i] || evsignal_add(p->signals[i], NULL))
			return false;
	}
	/* A pipe that can be written to has room for this many. */
	p->write_bytes =
		fstat(out, &st) == 0 && S_ISREG(st.st_mode) ? PIPE_FILE_WRITE_BYTES : PIPE_BUF;
	return true;
}

static void free_event(struct event *ev)
{
	if (ev)
		event_free(ev);
}

/* Once nobody calls back any more, what has no result gets one. */
static void conclude(struct pipe *p)
{
	struct pollfd out = { .fd = fileno(p->inv->out), .events = POLLOUT };

	p->inv->keyring = NULL;
	ieum_free(p->c);
	p->c = NULL;
	pipe_drop_giving(p);
	pipe_end_all(p, p->last_err ? p->last_err : IEUM_E_TIMED_OUT, p->last_why);
	while (!p->out_broken && p->out && evbuffer_get_length(p->out) > 0 &&
	       poll(&out, 1, PIPE_GOODBYE_MS) > 0)
		pipe_write(p);
}

static void dismantle(struct pipe *p)
{
	offline_asking_end(&p->deadlines);
	free_event(p->in_ev);
	free_event(p->out_ev);
	free_event(p->patience);
	free_event(p->signals[0]);
	free_event(p->signals[1]);
	if (p->in)
		evbuffer_free(p->in);
	if (p->out)
		evbuffer_free(p->out);
	if (p->base)
		event_base_free(p->base);
}

static enum exit_code run(struct pipe *p)
{
	struct ieum_options options;
	char why[IEUM_WHY_BYTES] = "";
	enum ieum_err err;

	if (!prepare(p))
		return trouble(p->inv, IEUM_E_NO_MEMORY, NULL);
	link_options(p->inv, &options);
	options.callbacks.connected = connected;
	options.callbacks.disconnected = disconnected;
	options.callbacks.delivery = delivered;
	options.callbacks.accepted = accepted;
	options.callbacks.renamed = renamed;
	options.callbacks.resent = resent;
	options.callbacks.let_go = let_go;
	options.callbacks.spool_trouble = spool_trouble;
	options.callbacks.alone = alone;
	options.ctx = p;
	err = ieum_new(p->base, &options, &p->c, why);
	if (err)
		return trouble(p->inv, err, why);
	if (!offline_asking_begin(&p->deadlines, p->base, &options))
		return trouble(p->inv, IEUM_E_NO_MEMORY, NULL);
	arm(p, p->inv->timeout_ms);
	set_event(p->in_ev, true);
	event_base_dispatch(p->base);
	conclude(p);
	return p->code;
}

enum exit_code cmd_pipe(struct invocation *inv)
{
	bool plain = given(inv, OPTION_PLAIN);
	struct pipe p = { .inv = inv,
			  .style = { .canonical = !plain, .defaults = plain },
			  .calls = TAILQ_HEAD_INITIALIZER(p.calls) };
	enum exit_code code = link_profile(inv);

	if (!code) {
		spool_say_missing(inv);
		code = run(&p);
	}
	dismantle(&p);
	return code;
}
