/* ieum inbox: a delivery is printed, and only then taken; what can be answered by itself is.  See
 * cmd_inbox.c. */
#include <stdio.h>

#include "client/inbox.h"
#include "client/json_out.h"
#include "client/render.h"
#include "client/trouble.h"

static bool is_of_spool(enum ieum_err err)
{
	return err == IEUM_E_SPOOL_FULL || err == IEUM_E_SPOOL_LOCKED ||
	       err == IEUM_E_SPOOL_CORRUPT || err == IEUM_E_FILE_UNREADABLE;
}

static void end_unless_following(struct inbox *in, enum exit_code code)
{
	if (in->ending || !in->follow)
		inbox_end(in, code);
}

static void settled(struct ieum *c, uint64_t delivery_id, const struct ieum_failure *failure,
		    void *arg)
{
	struct inbox *in = arg;

	(void)c;
	(void)delivery_id;
	if (in->settling > 0)
		in->settling--;
	/* Of the spool it was said: what isn't noted now is as soon as that works, and a delivery
	 * that comes mustn't wait for it. */
	if (failure && is_of_spool(failure->code) && in->spooled)
		end_unless_following(in, exit_code_of(failure->code));
	else if (failure)
		inbox_end(in, link_failure(in->inv, failure));
	else if (in->ending)
		inbox_end(in, EXIT_DONE);
}

static enum exit_code print_notice(const struct inbox *in, bool drill)
{
	const char *notice = in->notice ? in->notice : say(in->inv, TEXT_INBOX_NOTICE);
	json_t *line;

	if (!in->inv->json) {
		if (drill)
			fprintf(in->inv->out, "** %s ** ", say(in->inv, TEXT_DRILL));
		fprintf(in->inv->out, "%s\n", notice);
		return EXIT_DONE;
	}
	line = json_pack("{s:s, s:b}", "notification", notice, "drill", drill);
	if (!line)
		return trouble(in->inv, IEUM_E_NO_MEMORY, NULL);
	json_dumpf(line, in->inv->out, JSON_COMPACT);
	fputc('\n', in->inv->out);
	json_decref(line);
	return EXIT_DONE;
}

static enum exit_code print(struct inbox *in, const Ieum__V1__Delivery *d)
{
	struct names names = { in->directory.page, in->directory.n };
	bool maybe_shown = ieum_handed_before(in->c, d->delivery_id);

	if (in->notify)
		return print_notice(in, d->drill);
	if (in->inv->json)
		return json_out_delivery(in->inv, d, maybe_shown);
	return render_delivery(in->inv, d, maybe_shown, &names, inbox_now_ms() + in->hub_ahead_ms);
}

static void settle(struct inbox *in, uint64_t delivery_id, enum ieum_settle how)
{
	enum ieum_err err = ieum_settle(in->c, delivery_id, how, NULL, settled, in);

	if (err)
		inbox_end(in, trouble(in->inv, err, NULL));
	else
		in->settling++;
}

/* ---- keys for newcomers ---- */

void inbox_key_given(void *ctx, uint64_t delivery_id, enum ieum_settle how)
{
	struct inbox *in = ctx;

	if (!in->leaving)
		settle(in, delivery_id, how);
}

/* What needs the hub itself isn't printed without it: it comes again in a moment. */
static bool put_off(struct inbox *in, const Ieum__V1__Delivery *d)
{
	if (!in->spooled || ieum_connected(in->c) || !giving_wanted(&in->giver, d))
		return false;
	settle(in, d->delivery_id, IEUM_SETTLE_RELEASE);
	return true;
}

static void take(struct inbox *in, const Ieum__V1__Delivery *d)
{
	if (!in->settle)
		return;
	if (!giving_wanted(&in->giver, d))
		settle(in, d->delivery_id, IEUM_SETTLE_DONE);
	else if (!giving_start(&in->giver, in->c, d))
		settle(in, d->delivery_id, IEUM_SETTLE_RELEASE);
}

/* ---- a delivery ---- */

static void tell_held(struct inbox *in)
{
	if (in->asked || in->told_held || in->inv->json)
		return;
	in->told_held = true;
	fprintf(in->inv->err, "%s\n", say(in->inv, TEXT_INBOX_HELD));
}

void inbox_delivered(struct ieum *c, const Ieum__V1__Delivery *d, const uint8_t *referral,
		     size_t referral_len, void *arg)
{
	struct inbox *in = arg;
	enum exit_code code;

	(void)referral;
	(void)referral_len;
	if (in->ending) /* what was under way goes back to the queue when we leave */
		return;
	if (put_off(in, d))
		return;
	tell_held(in);
	in->inv->keyring = ieum_keyring(c);
	code = print(in, d);
	if (!code && (fflush(in->inv->out) || ferror(in->inv->out)))
		code = trouble_output(in->inv);
	if (code) {
		inbox_end(in, code);
		return;
	}
	in->printed++;
	if (in->limit && in->printed == in->limit) {
		ieum_credit(c, 0);
		take(in, d);
		inbox_end(in, EXIT_DONE);
		return;
	}
	take(in, d);
	if (in->hopeless || (in->asked && !in->follow))
		inbox_arm(in, in->quiet_ms);
}
