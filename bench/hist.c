/* Logarithmic histogram; see hist.h. */
#include "bench/hist.h"

#include <math.h>

static unsigned bucket_of(uint64_t v)
{
	const uint64_t sub = 1u << HIST_SUB_BITS;

	if (v < sub)
		return (unsigned)v;
	unsigned exponent = 63u - (unsigned)__builtin_clzll(v);
	return ((exponent - HIST_SUB_BITS + 1) << HIST_SUB_BITS) +
	       (unsigned)((v >> (exponent - HIST_SUB_BITS)) & (sub - 1));
}

static double value_of(unsigned bucket)
{
	const unsigned sub = 1u << HIST_SUB_BITS;

	if (bucket < sub)
		return bucket;
	unsigned exponent = (bucket >> HIST_SUB_BITS) + HIST_SUB_BITS - 1;
	return ((double)(sub + (bucket & (sub - 1))) + 0.5) *
	       ldexp(1, (int)(exponent - HIST_SUB_BITS));
}

void hist_add(struct hist *h, int64_t ns)
{
	if (ns < 0)
		ns = 0;
	h->count[bucket_of((uint64_t)ns)]++;
	h->total++;
	h->sum_ns += (double)ns;
	if (ns > h->max_ns)
		h->max_ns = ns;
}

double hist_quantile_ns(const struct hist *h, double q)
{
	uint64_t rank = (uint64_t)ceil(q * (double)h->total);
	uint64_t seen = 0;

	if (h->total == 0)
		return 0;
	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		seen += h->count[i];
		if (seen >= rank && seen > 0)
			return value_of(i);
	}
	return (double)h->max_ns;
}

void hist_print(const struct hist *h, const char *name, FILE *out)
{
	fprintf(out,
		",\"%s_us\":{\"n\":%lu,\"mean\":%.0f,\"p50\":%.0f,\"p99\":%.0f,\"p999\":%.0f,\"max\":%.0f}",
		name, (unsigned long)h->total, h->total ? h->sum_ns / (double)h->total / 1e3 : 0,
		hist_quantile_ns(h, .5) / 1e3, hist_quantile_ns(h, .99) / 1e3,
		hist_quantile_ns(h, .999) / 1e3, (double)h->max_ns / 1e3);
}
