#include "models/vm/halt_poll.h"

sim_time halt_poll_begin(struct halt_poll *h)
{
    if (h->interval > h->rule->cap)
        h->interval = h->rule->cap;
    return h->interval;
}

static void grow(struct halt_poll *h)
{
    const struct halt_poll_rule *r = h->rule;
    if (!r->grow)
        return;
    sim_time next = h->interval * r->grow;
    next = next < r->grow_start ? r->grow_start : next;
    h->interval = next > r->cap ? r->cap : next;
    h->grown++;
}

static void shrink(struct halt_poll *h)
{
    const struct halt_poll_rule *r = h->rule;
    h->interval = r->shrink ? h->interval / r->shrink : 0;
    if (h->interval < r->grow_start)
        h->interval = 0;
    h->shrunk++;
}

void halt_poll_end(struct halt_poll *h, sim_time halt_ns, sim_time polled, bool slept)
{
    if (h->interval) {
        h->attempts++;
        h->hits += !slept;
        *(slept ? &h->miss_ns : &h->hit_ns) += polled;
    }
    if (!h->rule->cap)
        h->interval = 0;
    else if (halt_ns <= h->interval)
        return;
    else if (h->interval && halt_ns > h->rule->cap)
        shrink(h);
    else if (h->interval < h->rule->cap && halt_ns < h->rule->cap)
        grow(h);
}
