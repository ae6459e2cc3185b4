/* mix_join.c - the shared GPUs of a host, as parts of its mix. */
#include "models/cluster/mix.h"

/* Below 0, 0, above: any total order of who is on a GPU. */
static int compare(const struct mix *a, const struct mix *b)
{
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    for (uint32_t i = 0; i < a->n; i++) {
        const uint32_t x = mix_order(a->part[i].kind), y = mix_order(b->part[i].kind);
        if (x != y)
            return x < y ? -1 : 1;
        if (a->part[i].n != b->part[i].n)
            return a->part[i].n < b->part[i].n ? -1 : 1;
    }
    return 0;
}

static bool append(struct mix *x, const struct mix *gpu, uint16_t group, uint16_t times)
{
    for (uint32_t i = 0; i < gpu->n; i++) {
        if (x->n == MIX_PARTS)
            return false;
        x->part[x->n] = gpu->part[i];
        x->part[x->n].group = group;
        x->part[x->n++].times = times;
    }
    return true;
}

static void sort(const struct mix *gpu, uint32_t n, uint32_t *order)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = i;
        for (; k > 0 && compare(&gpu[i], &gpu[order[k - 1]]) < 0; k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
}

bool mix_join(struct mix *x, const struct mix *gpu, uint32_t n, uint16_t *group)
{
    uint32_t order[MIX_GPUS];
    uint16_t number = 0;
    sort(gpu, n, order);
    for (uint32_t i = 0; i < n;) {
        uint32_t to = i;
        number++;
        for (; to < n && !compare(&gpu[order[to]], &gpu[order[i]]); to++)
            group[order[to]] = number;
        if (!append(x, &gpu[order[i]], number, (uint16_t)(to - i)))
            return false;
        i = to;
    }
    return true;
}

void mix_alone(struct mix *x, const struct full_config *c, struct mix_kind kind)
{
    struct mix gpu = {0};
    uint16_t group;
    *x = (struct mix){0};
    if (c->model == FULL_GPU || kind.milli == 1000) {
        mix_add(x, kind, 1);
        return;
    }
    mix_add(&gpu, kind, 1);
    mix_join(x, &gpu, 1, &group);
}

bool mix_is_alone(const struct mix *x)
{
    return x->n == 1 && x->part[0].n * x->part[0].times == 1;
}
