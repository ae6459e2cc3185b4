#include "models/kernel/sc.h"

#include <assert.h>
#include <string.h>

void sc_init(struct sc *s, sim_time budget, sim_time period, bool constant)
{
    assert(budget && budget <= period);
    *s = (struct sc){.budget = budget, .period = period, .constant = constant, .available = budget};
}

void sc_advance(struct sc *s, sim_time now)
{
    unsigned due = 0;
    while (due < s->n && s->refill[due].at <= now)
        s->available += s->refill[due++].amount;
    memmove(s->refill, s->refill + due, (s->n - due) * sizeof *s->refill);
    s->n -= due;
    assert(s->available <= s->budget);
}

void sc_charge(struct sc *s, sim_time start, sim_time used)
{
    assert(used <= s->available);
    if (!used)
        return;
    s->available -= used;
    s->consumed += used;
    sim_time at = start + s->period;
    struct sc_refill *last = s->n ? &s->refill[s->n - 1] : NULL;
    if (last && (s->constant || last->at >= at)) {
        last->amount += used;
    } else if (s->n == SC_REFILLS) {
        last->amount += used;
        last->at = at;
    } else {
        s->refill[s->n++] = (struct sc_refill){at, used};
    }
}

sim_time sc_when(const struct sc *s, sim_time now, sim_time need)
{
    sim_time have = s->available;
    assert(need <= s->budget);
    for (unsigned i = 0; have < need && i < s->n; i++) {
        have += s->refill[i].amount;
        if (s->refill[i].at > now)
            now = s->refill[i].at;
    }
    assert(have >= need);
    return now;
}
