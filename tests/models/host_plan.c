#include "tests/models/host_plan.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim/rng.h"

/* How many values each number may take. */
static const uint32_t range[PLAN_NUMBERS] = {5, 4, 4, 2, 2, 2, 2, 2, 2, 2, 2, 3};

struct host_plan plan_draw(uint64_t seed)
{
    struct rng r;
    rng_init(&r, seed, "test", "host plan");
    struct host_plan p = {.cpus = (uint32_t)rng_below(&r, 8),
                          .millis = 5 + (uint32_t)rng_below(&r, 30),
                          .stack = (uint32_t)rng_below(&r, 4),
                          .vms = (uint32_t)rng_below(&r, PLAN_VMS)};
    for (int i = 0; i < PLAN_VMS; i++)
        for (int k = 0; k < PLAN_NUMBERS; k++)
            p.vm[i].n[k] = (uint32_t)rng_below(&r, range[k]);
    return p;
}

const char *plan_stack(const struct host_plan *p)
{
    static const char *const stacks[] = {"native", "kvm", "lake", "malv"};
    return stacks[p->stack];
}

static void workload(FILE *f, const uint32_t n[PLAN_NUMBERS])
{
    const unsigned threads = n[PLAN_THREADS] + 1, size = n[PLAN_SIZE];
    const char *sync = n[PLAN_BLOCKING] ? "blocking" : "polling";
    switch (n[PLAN_PROGRAM]) {
    case 0:
        fprintf(f, "'program':'cpu','threads':%u,'compute_us':%u,'lock_us':%u", threads,
                20 + 90 * size, n[PLAN_LOCK] * 15);
        break;
    case 1:
        fprintf(f, "'program':'io','threads':%u,'io_kib':%u,'write_every':%u,'think_us':%u",
                threads, 4 << (2 * size), n[PLAN_LOCK] * 3, 10 * size);
        break;
    case 2:
        fprintf(f,
                "'program':'training','workers':%u,'ranks':%u,'kernels':%u,'kernel_us':20,"
                "'batch_mib':0.5,'read_mib':0.1,'load_us':300,'framework_us':100,'sync':'%s'",
                n[PLAN_THREADS], n[PLAN_LOCK] + 1, 5 + 20 * size, sync);
        break;
    case 3:
        fprintf(f,
                "'program':'inference','rate_per_s':%u,'batch':%u,'kernels':4,'kernel_us':40,"
                "'batch_mib':0.05,'framework_us':20,'sync':'%s'",
                300 + 900 * size, threads, sync);
        break;
    default:
        fprintf(f,
                "'program':'memory','threads':%u,'compute_us':%u,'touch_mib':%u,"
                "'working_set_mib':%u",
                threads, 50 + 200 * size, n[PLAN_LOCK], 64 << size);
    }
}

static void vm(FILE *f, const uint32_t n[PLAN_NUMBERS], unsigned i)
{
    fprintf(f, "%s{'name':'v%u','vcpus':%u,'pv_lock':%s,'halt_poll_us':%u,'device':'%s',",
            i ? "," : "", i, n[PLAN_VCPUS] + 1, n[PLAN_PV] ? "true" : "false", n[PLAN_POLL] * 100,
            n[PLAN_PASSED] ? "passthrough" : "virtio");
    if (n[PLAN_BUDGET])
        fprintf(f, "'budget_ms':1,'period_ms':3,");
    fprintf(f, "'tick_hz':%u,'pages':'%s','workload':{", n[PLAN_TICK] * 1000,
            n[PLAN_PAGES] ? "2m" : "4k");
    workload(f, n);
    fprintf(f, "}}");
}

char *plan_text(const struct host_plan *p)
{
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    fprintf(f, "{'cpus':%u,'duration_s':%g,'vms':[", p->cpus + 1, (p->millis + 1) / 1e3);
    for (unsigned i = 0; i <= p->vms; i++)
        vm(f, p->vm[i].n, i);
    fprintf(f, "]}");
    fclose(f);
    return text;
}

/* ---- shrinking ------------------------------------------------------------------- */

static uint32_t *number(struct host_plan *p, unsigned i)
{
    uint32_t *const own[] = {&p->vms, &p->cpus, &p->millis, &p->stack};
    if (i < 4)
        return own[i];
    const unsigned k = (i - 4) / PLAN_NUMBERS;
    return k <= p->vms ? &p->vm[k].n[(i - 4) % PLAN_NUMBERS] : NULL;
}

uint64_t plan_weight(const struct host_plan *p)
{
    struct host_plan copy = *p;
    uint64_t sum = 0;
    for (unsigned i = 0; i < 4 + PLAN_VMS * PLAN_NUMBERS; i++)
        sum += number(&copy, i) ? *number(&copy, i) : 0;
    return sum;
}

/* Without its first VM: the others move up. */
static bool drop_first(struct host_plan *p)
{
    if (!p->vms)
        return false;
    for (unsigned i = 0; i < p->vms; i++)
        p->vm[i] = p->vm[i + 1];
    p->vms--;
    return true;
}

static bool lower(struct host_plan *p, unsigned i, uint32_t to)
{
    uint32_t *n = number(p, i);
    if (!n || *n <= to)
        return false;
    *n = to;
    return true;
}

struct host_plan plan_shrink(struct host_plan p, bool (*fails)(const struct host_plan *, void *),
                             void *ctx)
{
    for (bool again = true; again;) {
        again = false;
        struct host_plan next = p;
        if (drop_first(&next) && fails(&next, ctx)) {
            p = next;
            again = true;
            continue;
        }
        for (unsigned i = 0; i < 4 + PLAN_VMS * PLAN_NUMBERS; i++)
            for (unsigned step = 0; step < 3; step++) { /* to nothing, to half, by one */
                const uint32_t have = number(&p, i) ? *number(&p, i) : 0;
                const uint32_t to = step == 0 ? 0 : step == 1 ? have / 2 : have ? have - 1 : 0;
                next = p;
                if (!lower(&next, i, to) || !fails(&next, ctx))
                    continue;
                p = next;
                again = true;
                break;
            }
    }
    return p;
}
