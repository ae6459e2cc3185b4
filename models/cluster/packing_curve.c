#include "models/cluster/packing_curve.h"

#include <stdio.h>

static uint32_t nearest(double percent) /* halves to the even one */
{
    const uint32_t down = (uint32_t)percent;
    const double rest = percent - down;
    return down + (rest > 0.5 || (rest == 0.5 && down % 2));
}

void packing_curve_add(struct packing_curve *c, double arrived, double allocated, double fragmented)
{
    const uint32_t at = nearest(arrived);
    if (at > PACKING_LOAD_MAX)
        return;
    if (at > c->top)
        c->top = at;
    c->bin[at].n++;
    c->bin[at].allocated += allocated;
    c->bin[at].fragmented += fragmented;
}

static void report_at(const struct packing_curve *c, struct measures *out, uint32_t at)
{
    const uint32_t wide = !c->bin[at].n;
    uint32_t from = at - wide, to = at + wide;
    double n = 0, allocated = 0, fragmented = 0;
    char name[32];
    if (!c->bin[from].n && !c->bin[to].n)
        for (to = from; from && !c->bin[from].n; from--, to--)
            ;
    for (uint32_t i = from; i <= to; i++) {
        n += c->bin[i].n;
        allocated += c->bin[i].allocated;
        fragmented += c->bin[i].fragmented;
    }
    if (n == 0)
        return;
    snprintf(name, sizeof name, "allocation.%u", at);
    measures_number(out, name, "%", BETTER_MORE, allocated / n);
    snprintf(name, sizeof name, "fragmented.%u", at);
    measures_number(out, name, "%", BETTER_LESS, fragmented / n);
}

void packing_curve_report(const struct packing_curve *c, struct measures *out)
{
    for (uint32_t at = 10; at <= c->top; at += 10)
        report_at(c, out, at);
}
