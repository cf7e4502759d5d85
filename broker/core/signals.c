/* The sets of blind signals as a part of the state; see signals.h. */
#include "broker/core/signals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core/apply.h"
#include "broker/core/cases.h"
#include "broker/core/signals_in.h"
#include "broker/core/snapshot.h"

static void set_placed(void *core, uint32_t set, uint32_t place)
{
	signal_set_at(core, set)->place = place;
}

void signals_init(struct core *c)
{
	struct signals *s = &c->signals;

	slab_init(&s->records, sizeof(struct signal));
	slab_init(&s->sets, sizeof(struct signal_set));
	slab_init(&s->tags, sizeof(struct signal_tag));
	slab_init(&s->places, sizeof(struct tag_place));
	heap_init(&s->ends, set_placed, c);
}

void signals_deinit(struct core *c)
{
	struct signals *s = &c->signals;

	slab_deinit(&s->records);
	slab_deinit(&s->sets);
	slab_deinit(&s->tags);
	slab_deinit(&s->places);
	lookup_deinit(&s->ids);
	lookup_deinit(&s->tag_keys);
	heap_deinit(&s->ends);
}

bool signals_own_case(const struct core *c, const struct core_case *k)
{
	return k->referrals.head && referral_at(c, k->referrals.head)->type ==
					    IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_LINKED_SET_NOTICE;
}

const char *signals_linkage(const struct core *c, const struct core_case *k)
{
	return k->signal_set ? signal_set_at(c, k->signal_set)->linkage : NULL;
}

enum ieum_err signals_months(const struct core *c, const struct core_case *k, struct arena *arena,
			     char ***list, size_t *n)
{
	uint32_t seen[SIGNALS_MONTHS_MAX];
	uint32_t sh = k->signal_set ? signal_set_at(c, k->signal_set)->head : 0;

	*n = 0;
	*list = arena_zalloc(arena, SIGNALS_MONTHS_MAX * sizeof **list);
	if (!*list)
		return IEUM_E_NO_MEMORY;
	for (; sh && *n < SIGNALS_MONTHS_MAX; sh = signal_at(c, sh)->set_next) {
		uint32_t month = signal_at(c, sh)->month;
		bool known = month == 0;
		for (size_t i = 0; i < *n; i++)
			known |= seen[i] == month;
		if (known)
			continue;
		seen[*n] = month;
		(*list)[*n] = signal_month_text(arena, month);
		if (!(*list)[(*n)++])
			return IEUM_E_NO_MEMORY;
	}
	return IEUM_E_OK;
}

char *signal_month_text(struct arena *arena, uint32_t month)
{
	enum { TEXT_BYTES = 16 };
	char *text = arena_zalloc(arena, TEXT_BYTES);

	if (text && month)
		(void)snprintf(text, TEXT_BYTES, "%04u-%02u", month / 12 % 10000, month % 12 + 1);
	return text;
}

/* Of a set that is over it isn't known which linkage made it: then the gate of each counts. */
bool signals_closed_case(const struct core *c, const struct policy *p, const struct core_case *k,
			 int64_t now_ms)
{
	const char *name = signals_own_case(c, k) ? signals_linkage(c, k) : NULL;
	bool known = name && policy_find_linkage(p, name) != POLICY_NONE;

	if (!signals_own_case(c, k))
		return false;
	for (int i = 0; policy_linkage(p, i); i++) {
		const struct policy_gate *gate = policy_linkage_gate(p, i);
		if (gate && (!known || strcmp(policy_linkage(p, i)->name, name) == 0) &&
		    !gate_is_open(&k->gates, gate->name, now_ms))
			return true;
	}
	return false;
}

uint32_t signal_find(const struct core *c, const uint8_t id[CORE_ID_BYTES])
{
	struct lookup_probe probe;

	for (uint32_t h = lookup_first(&c->signals.ids, state_id_hash(c, id), &probe); h;
	     h = lookup_next(&probe))
		if (memcmp(signal_at(c, h)->id, id, CORE_ID_BYTES) == 0)
			return h;
	return 0;
}

/* ---- tags ---- */

static uint64_t tag_hash(const struct core *c, uint8_t kind, uint8_t epoch, uint64_t tag)
{
	return lookup_hash(c->seed, tag, (uint64_t)kind << 8 | epoch);
}

uint32_t signal_find_tag(const struct core *c, uint8_t kind, uint8_t epoch, uint64_t tag)
{
	struct lookup_probe probe;

	for (uint32_t h = lookup_first(&c->signals.tag_keys, tag_hash(c, kind, epoch, tag), &probe);
	     h; h = lookup_next(&probe)) {
		const struct signal_tag *t = signal_tag_at(c, h);
		if (t->tag == tag && t->kind == kind && t->epoch == epoch)
			return h;
	}
	return 0;
}

static uint32_t make_tag(struct core *c, uint8_t kind, uint8_t epoch, uint64_t tag)
{
	uint32_t h = signal_find_tag(c, kind, epoch, tag);

	if (h)
		return h;
	h = slab_get(&c->signals.tags);
	if (!h)
		return 0;
	*signal_tag_at(c, h) = (struct signal_tag){ .tag = tag, .kind = kind, .epoch = epoch };
	return lookup_add(&c->signals.tag_keys, tag_hash(c, kind, epoch, tag), h) ? 0 : h;
}

static void remove_place(struct core *c, uint32_t ph)
{
	struct tag_place *place = tag_place_at(c, ph);
	struct signal_tag *t = signal_tag_at(c, place->tag);

	*(place->newer ? &tag_place_at(c, place->newer)->older : &t->newest) = place->older;
	if (place->older)
		tag_place_at(c, place->older)->newer = place->newer;
	signal_at(c, place->signal)->places[place->which] = 0;
	if (--t->n == 0) {
		lookup_remove(&c->signals.tag_keys, tag_hash(c, t->kind, t->epoch, t->tag),
			      place->tag);
		slab_put(&c->signals.tags, place->tag);
	}
	slab_put(&c->signals.places, ph);
}

/* Which one leaves a full list: the sender's own oldest when it has many, so that nobody can push
 * out what others have sent; else the oldest. */
static uint32_t place_to_leave(const struct core *c, const struct signal_tag *t,
			       uint32_t participant)
{
	uint32_t oldest = 0;
	uint32_t own = 0;
	uint32_t n_own = 0;

	for (uint32_t ph = t->newest; ph; ph = tag_place_at(c, ph)->older) {
		oldest = ph;
		if (signal_at(c, tag_place_at(c, ph)->signal)->participant != participant)
			continue;
		own = ph;
		n_own++;
	}
	return n_own >= SIGNALS_PER_TAG_OWN_MAX ? own : oldest;
}

/* The newest of its tag. */
static enum ieum_err add_place(struct core *c, uint32_t sh, uint32_t which)
{
	struct signal *s = signal_at(c, sh);
	uint32_t th = make_tag(c, s->kinds[which], s->epochs[which], s->tags[which]);
	uint32_t ph = th ? slab_get(&c->signals.places) : 0;

	if (!ph)
		return IEUM_E_NO_MEMORY;
	struct signal_tag *t = signal_tag_at(c, th);
	*tag_place_at(c, ph) =
		(struct tag_place){ .tag = th, .signal = sh, .older = t->newest, .which = which };
	if (t->newest)
		tag_place_at(c, t->newest)->newer = ph;
	t->newest = ph;
	t->n++;
	s->places[which] = ph;
	return IEUM_E_OK;
}

static enum ieum_err post(struct core *c, uint32_t sh, uint32_t which)
{
	const struct signal *s = signal_at(c, sh);
	uint32_t th = signal_find_tag(c, s->kinds[which], s->epochs[which], s->tags[which]);

	if (th && signal_tag_at(c, th)->n == SIGNALS_PER_TAG_MAX)
		remove_place(c, place_to_leave(c, signal_tag_at(c, th), s->participant));
	return add_place(c, sh, which);
}

/* ---- sets ---- */

static void set_append(struct core *c, uint32_t set, uint32_t sh)
{
	struct signal_set *s = signal_set_at(c, set);
	struct signal *signal = signal_at(c, sh);

	signal->set = set;
	signal->set_prev = s->tail;
	signal->set_next = 0;
	*(s->tail ? &signal_at(c, s->tail)->set_next : &s->head) = sh;
	s->tail = sh;
	s->n++;
}

static void drop_signal(struct core *c, uint32_t sh)
{
	struct signal *s = signal_at(c, sh);
	struct signal_set *set = signal_set_at(c, s->set);

	for (uint32_t i = 0; i < s->n_tags; i++)
		if (s->places[i])
			remove_place(c, s->places[i]);
	*(s->set_prev ? &signal_at(c, s->set_prev)->set_next : &set->head) = s->set_next;
	*(s->set_next ? &signal_at(c, s->set_next)->set_prev : &set->tail) = s->set_prev;
	set->n--;
	if (s->participant)
		c->participants[s->participant - 1].n_signals--;
	lookup_remove(&c->signals.ids, state_id_hash(c, s->id), sh);
	s->seq = 0;
	slab_put(&c->signals.records, sh);
}

static void drop_set(struct core *c, uint32_t set)
{
	struct signal_set *s = signal_set_at(c, set);

	while (s->head)
		drop_signal(c, s->head);
	if (s->core_case)
		case_at(c, s->core_case)->signal_set = 0;
	if (s->place)
		heap_remove(&c->signals.ends, s->place);
	slab_put(&c->signals.sets, set);
}

void signals_forget(struct core *c, uint32_t set)
{
	if (set)
		drop_set(c, set);
}

/* After every change of its first signal too, which orders those that end at one time. */
static enum ieum_err set_last_until(struct core *c, uint32_t set, int64_t until_ms)
{
	struct signal_set *s = signal_set_at(c, set);
	uint64_t tie = signal_at(c, s->head)->seq;

	s->until_ms = until_ms;
	if (!s->place)
		return heap_push(&c->signals.ends, (uint64_t)until_ms, tie, set);
	heap_rekey(&c->signals.ends, s->place, (uint64_t)until_ms, tie);
	return IEUM_E_OK;
}

static uint32_t make_set(struct core *c, const char *linkage)
{
	uint32_t set = slab_get(&c->signals.sets);

	if (set)
		memcpy(signal_set_at(c, set)->linkage, linkage,
		       strnlen(linkage, POLICY_NAME_BYTES - 1));
	return set;
}

/* Both become the first, in order of seq.  Of a case that was the other's nothing is known here
 * any more: the notice has linked it. */
static void unite(struct core *c, uint32_t into, uint32_t other)
{
	struct signal_set *to = signal_set_at(c, into);
	struct signal_set *from = signal_set_at(c, other);
	uint32_t a = to->head;
	uint32_t b = from->head;

	to->head = to->tail = to->n = 0;
	while (a || b) {
		uint32_t *first =
			!b || (a && signal_at(c, a)->seq < signal_at(c, b)->seq) ? &a : &b;
		uint32_t taken = *first;
		*first = signal_at(c, taken)->set_next;
		set_append(c, into, taken);
	}
	if (from->core_case)
		case_at(c, from->core_case)->signal_set = 0;
	heap_remove(&c->signals.ends, from->place);
	slab_put(&c->signals.sets, other);
}

/* ---- applying ---- */

static void drop_ended(struct core *c, int64_t now_ms)
{
	for (int i = 0; i < SIGNALS_ENDED_MAX && c->signals.ends.n > 0; i++) {
		const struct heap_entry *first = heap_first(&c->signals.ends);
		if ((int64_t)first->key > now_ms)
			break;
		drop_set(c, first->item);
	}
}

static enum ieum_err make_signal(struct core *c, uint64_t seq, const uint8_t *id, uint32_t *out)
{
	uint32_t sh = slab_get(&c->signals.records);

	*out = sh;
	if (!sh)
		return IEUM_E_NO_MEMORY;
	memcpy(signal_at(c, sh)->id, id, CORE_ID_BYTES);
	signal_at(c, sh)->seq = seq;
	return lookup_add(&c->signals.ids, state_id_hash(c, id), sh);
}

static enum ieum_err take_tags(struct signal *s, Ieum__V1__TokenTag *const *tags, size_t n)
{
	if (n == 0 || n > SIGNAL_TAGS_MAX)
		return IEUM_E_JOURNAL_CORRUPT;
	for (size_t i = 0; i < n; i++) {
		s->kinds[i] = (uint8_t)tags[i]->kind;
		s->epochs[i] = (uint8_t)tags[i]->epoch;
		s->tags[i] = tags[i]->tag;
	}
	s->n_tags = (uint32_t)n;
	return IEUM_E_OK;
}

/* One set of all that the event names. */
static enum ieum_err join_sets(struct core *c, uint32_t set, const Ieum__V1__SignalKept *e)
{
	int64_t until_ms = signal_set_at(c, set)->until_ms;

	for (size_t i = 0; i < e->n_linked_ids; i++) {
		uint32_t sh = e->linked_ids[i].len == CORE_ID_BYTES
				      ? signal_find(c, e->linked_ids[i].data)
				      : 0;
		if (!sh)
			return IEUM_E_JOURNAL_CORRUPT;
		uint32_t other = signal_at(c, sh)->set;
		if (other == set)
			continue;
		if (signal_set_at(c, other)->until_ms > until_ms)
			until_ms = signal_set_at(c, other)->until_ms;
		unite(c, set, other);
	}
	return set_last_until(c, set, until_ms);
}

static enum ieum_err become_case(struct core *c, uint32_t set, const Ieum__V1__SignalKept *e)
{
	uint32_t ch = e->case_id.len == CORE_ID_BYTES ? state_case(c, e->case_id.data) : 0;

	if (!ch || case_at(c, ch)->signal_set)
		return IEUM_E_JOURNAL_CORRUPT;
	signal_set_at(c, set)->core_case = ch;
	case_at(c, ch)->signal_set = set;
	return set_last_until(c, set, e->set_until_at_ms);
}

enum ieum_err apply_signal_kept(struct core *c, const struct applied *a,
				const Ieum__V1__SignalKept *e)
{
	uint32_t sh = 0;

	drop_ended(c, to_ms(a->at_us));
	if (e->message_id.len != CORE_ID_BYTES || signal_find(c, e->message_id.data) ||
	    e->participant > c->n_participants)
		return IEUM_E_JOURNAL_CORRUPT;
	enum ieum_err err = make_signal(c, a->seq, e->message_id.data, &sh);
	uint32_t set = err ? 0 : make_set(c, e->linkage);
	if (!set)
		return IEUM_E_NO_MEMORY;
	struct signal *s = signal_at(c, sh);
	s->at_ms = to_ms(a->at_us);
	s->until_ms = e->until_at_ms;
	s->participant = e->participant;
	if (s->participant)
		c->participants[s->participant - 1].n_signals++;
	s->weight = e->weight;
	s->month = e->month;
	s->category = (uint8_t)e->category;
	err = take_tags(s, e->tags, e->n_tags);
	for (uint32_t i = 0; i < s->n_tags && !err; i++)
		err = post(c, sh, i);
	set_append(c, set, sh);
	if (!err)
		err = set_last_until(c, set, e->until_at_ms);
	if (!err)
		err = join_sets(c, set, e);
	if (!err && e->case_id.len)
		err = become_case(c, set, e);
	while (!err && signal_set_at(c, set)->n > SIGNALS_PER_SET_MAX)
		drop_signal(c, signal_set_at(c, set)->head);
	return err ? err : set_last_until(c, set, signal_set_at(c, set)->until_ms);
}

/* ---- snapshots ---- */

static int compare_signals(const void *a, const void *b)
{
	const struct signal *x = *(const struct signal *const *)a;
	const struct signal *y = *(const struct signal *const *)b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static enum ieum_err write_signal(struct snapshot_writing *w, const struct signal *s)
{
	const struct signal_set *set = signal_set_at(w->c, s->set);
	const struct signal *first = signal_at(w->c, set->head);
	Ieum__V1__SnapshotSignal m = IEUM__V1__SNAPSHOT_SIGNAL__INIT;
	Ieum__V1__TokenTag *tags = snapshot_room(w, s->n_tags, sizeof *tags);

	m.tags = snapshot_room(w, s->n_tags, sizeof *m.tags);
	if (!tags || !m.tags)
		return IEUM_E_NO_MEMORY;
	m.seq = s->seq;
	m.message_id = snapshot_id(s->id);
	m.at_ms = s->at_ms;
	m.until_at_ms = s->until_ms;
	m.participant = s->participant;
	m.weight = s->weight;
	m.month = s->month;
	m.category = s->category;
	m.set_id = snapshot_id(first->id);
	for (; m.n_tags < s->n_tags; m.n_tags++) {
		Ieum__V1__TokenTag *t = &tags[m.n_tags];
		*t = (Ieum__V1__TokenTag)IEUM__V1__TOKEN_TAG__INIT;
		t->kind = s->kinds[m.n_tags];
		t->epoch = s->epochs[m.n_tags];
		t->tag = s->tags[m.n_tags];
		m.tags[m.n_tags] = t;
		m.found_by |= (uint32_t)(s->places[m.n_tags] != 0) << m.n_tags;
	}
	if (s == first) {
		m.linkage = (char *)set->linkage;
		m.set_until_at_ms = set->until_ms;
		m.set_case_seq = set->core_case ? case_at(w->c, set->core_case)->seq : 0;
	}
	return snapshot_put(w, IEUM__V1__SNAPSHOT_RECORD__WHAT_SIGNAL, &m);
}

enum ieum_err signals_write(struct snapshot_writing *w)
{
	const struct core *c = w->c;
	const struct signal **list = malloc((c->signals.records.live + 1U) * sizeof *list);
	enum ieum_err err = IEUM_E_OK;
	size_t n = 0;

	if (!list)
		return IEUM_E_NO_MEMORY;
	for (uint32_t h = 1; h < c->signals.records.used; h++)
		if (signal_at(c, h)->seq)
			list[n++] = signal_at(c, h);
	if (n > 0)
		qsort(list, n, sizeof(const struct signal *), compare_signals);
	for (size_t i = 0; i < n && !err; i++)
		err = write_signal(w, list[i]);
	free(list);
	return err;
}

/* The set that a first signal begins. */
static enum ieum_err read_set(struct core *c, const Ieum__V1__SnapshotSignal *m, uint32_t *out)
{
	uint32_t set = make_set(c, m->linkage);

	*out = set;
	if (!set)
		return IEUM_E_NO_MEMORY;
	if (m->set_case_seq) {
		uint32_t ch = snapshot_case(c, m->set_case_seq);
		if (!ch || case_at(c, ch)->signal_set)
			return IEUM_E_JOURNAL_CORRUPT;
		signal_set_at(c, set)->core_case = ch;
		case_at(c, ch)->signal_set = set;
	}
	return IEUM_E_OK;
}

enum ieum_err signals_read(struct core *c, const Ieum__V1__SnapshotSignal *m)
{
	uint32_t sh = 0;
	uint32_t set = 0;

	if (m->message_id.len != CORE_ID_BYTES || m->set_id.len != CORE_ID_BYTES || m->seq == 0 ||
	    signal_find(c, m->message_id.data) || m->participant > c->n_participants)
		return IEUM_E_JOURNAL_CORRUPT;
	enum ieum_err err = make_signal(c, m->seq, m->message_id.data, &sh);
	if (err)
		return err;
	uint32_t first = signal_find(c, m->set_id.data);
	if (first == sh)
		err = read_set(c, m, &set);
	else
		set = first ? signal_at(c, first)->set : 0;
	if (err || !set)
		return err ? err : IEUM_E_JOURNAL_CORRUPT;
	struct signal *s = signal_at(c, sh);
	s->at_ms = m->at_ms;
	s->until_ms = m->until_at_ms;
	s->participant = m->participant;
	if (s->participant)
		c->participants[s->participant - 1].n_signals++;
	s->weight = m->weight;
	s->month = m->month;
	s->category = (uint8_t)m->category;
	err = take_tags(s, m->tags, m->n_tags);
	for (uint32_t i = 0; i < s->n_tags && !err; i++)
		if (m->found_by & UINT32_C(1) << i)
			err = add_place(c, sh, i);
	set_append(c, set, sh);
	if (!err && first == sh)
		err = set_last_until(c, set, m->set_until_at_ms);
	return err;
}

/* ---- checking ---- */

static const char *check_set(const struct core *c, uint32_t set, uint32_t *n_signals)
{
	const struct signal_set *s = signal_set_at(c, set);
	uint64_t last = 0;
	uint32_t n = 0;

	for (uint32_t sh = s->head; sh; sh = signal_at(c, sh)->set_next, n++) {
		const struct signal *signal = signal_at(c, sh);
		if (signal->set != set || signal->seq <= last)
			return "a set of signals is out of order";
		if (signal_find(c, signal->id) != sh)
			return "a signal can't be found by its id";
		last = signal->seq;
	}
	if (n != s->n || n == 0 || n > SIGNALS_PER_SET_MAX)
		return "a set counts its signals wrongly";
	if (s->core_case && case_at(c, s->core_case)->signal_set != set)
		return "a case does not know the set that it is";
	*n_signals += n;
	return NULL;
}

/* Each sender's own. */
static const char *check_senders(const struct core *c)
{
	uint32_t *n = calloc(c->n_participants + 1U, sizeof *n);
	const char *wrong = n ? NULL : "no memory to count signals";

	for (uint32_t h = 1; n && h < c->signals.records.used; h++)
		if (signal_at(c, h)->seq)
			n[signal_at(c, h)->participant]++;
	for (uint32_t i = 1; n && i <= c->n_participants; i++)
		if (n[i] != c->participants[i - 1].n_signals)
			wrong = "a sender has another number of signals than counted";
	free(n);
	return wrong;
}

const char *signals_check(const struct core *c)
{
	const char *wrong = check_senders(c);
	uint32_t n_signals = 0;
	uint32_t n_places = 0;

	for (uint32_t i = 0; i < c->signals.ends.n && !wrong; i++)
		wrong = check_set(c, c->signals.ends.entries[i].item, &n_signals);
	for (uint32_t h = 1; h < c->signals.records.used; h++)
		for (uint32_t i = 0; signal_at(c, h)->seq && i < signal_at(c, h)->n_tags; i++)
			n_places += signal_at(c, h)->places[i] != 0;
	if (!wrong && c->signals.ends.n != c->signals.sets.live)
		return "a set has no end";
	if (!wrong && n_signals != c->signals.records.live)
		return "a signal is in no set, or in two";
	if (!wrong && n_places != c->signals.places.live)
		return "a tag lists a signal that is gone";
	return wrong;
}
