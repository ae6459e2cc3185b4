#include "models/vm/vlapic.h"

#include <assert.h>
#include <stddef.h>

enum { WORDS = VLAPIC_VECTORS / 64 };

static int highest(const uint64_t *set, const uint64_t *also)
{
    for (int w = WORDS - 1; w >= 0; w--) {
        uint64_t bits = set[w] | (also ? also[w] : 0);
        if (bits)
            return w * 64 + 63 - __builtin_clzll(bits);
    }
    return VLAPIC_NONE;
}

bool vlapic_post(struct vlapic *l, uint8_t vector)
{
    uint64_t bit = UINT64_C(1) << (vector % 64), *pir = &l->pir[vector / 64];
    l->raised++;
    if ((*pir | l->irr[vector / 64]) & bit) {
        l->collapsed++;
        return false;
    }
    *pir |= bit;
    return true;
}

bool vlapic_waiting(const struct vlapic *l)
{
    return highest(l->irr, l->pir) != VLAPIC_NONE;
}

/* Priority is the upper half of the vector: one in service holds back its class and those below. */
int vlapic_deliverable(const struct vlapic *l)
{
    int next = highest(l->irr, l->pir), serving = highest(l->isr, NULL);
    if (l->masked || next == VLAPIC_NONE)
        return VLAPIC_NONE;
    return serving != VLAPIC_NONE && next >> 4 <= serving >> 4 ? VLAPIC_NONE : next;
}

int vlapic_accept(struct vlapic *l)
{
    int v = vlapic_deliverable(l);
    assert(v != VLAPIC_NONE);
    for (int w = 0; w < WORDS; w++) {
        l->irr[w] |= l->pir[w];
        l->pir[w] = 0;
    }
    l->irr[v / 64] &= ~(UINT64_C(1) << (v % 64));
    l->isr[v / 64] |= UINT64_C(1) << (v % 64);
    l->delivered++;
    return v;
}

void vlapic_eoi(struct vlapic *l)
{
    int v = highest(l->isr, NULL);
    assert(v != VLAPIC_NONE);
    l->isr[v / 64] &= ~(UINT64_C(1) << (v % 64));
}

unsigned vlapic_count(const struct vlapic *l)
{
    unsigned n = 0;
    for (int w = 0; w < WORDS; w++)
        n += (unsigned)__builtin_popcountll(l->irr[w] | l->pir[w]);
    return n;
}
