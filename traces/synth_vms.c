/* synth_vms.c - one VM after another, each with its series. */
#include "traces/synth_vms.h"

#include <stdlib.h>

#include "sim/dmath.h"
#include "sim/rng.h"

#define NS_PER_S 1e9
#define DAY_S    86400.0
#define AR       0.9
#define AR_FRESH 0.4358898943540674 /* sqrt(1 - AR^2): the noise keeps its deviation */

struct vms {
    struct synth_rows rows;
    struct synth_vms p;
    struct rng arrivals, shapes;
    uint64_t now_ns;
    uint64_t util[SYNTH_VM_STEPS];
};

static void begin(struct synth_rows *r)
{
    struct vms *s = (struct vms *)r;
    rng_init(&s->arrivals, r->seed, "synth-vms", "arrivals");
    rng_init(&s->shapes, r->seed, "synth-vms", "shapes");
    s->now_ns = 0;
}

static uint64_t per_mille(double share)
{
    return share <= 0 ? 0 : share >= 1 ? 1000 : (uint64_t)(share * 1000 + 0.5);
}

static void draw_diurnal(struct vms *s, struct rng *r, uint32_t n)
{
    double start_s = (double)s->now_ns / NS_PER_S, noise = rng_normal(r, 0, 1);
    double peak_s = (s->p.peak_h + 4 * (rng_unit(r) - 0.5)) * 3600;
    for (uint32_t i = 0; i < n; i++) {
        double t = start_s + i * s->p.step_s - peak_s;
        double day = s->p.amplitude * dmath_cospi(2 * t / DAY_S);
        s->util[i] = per_mille(s->p.mean + day + s->p.noise * noise);
        noise = AR * noise + AR_FRESH * rng_normal(r, 0, 1);
    }
}

/* A state is left with probability 1 / its mean length; bursts take a share `burst` of time. */
static void draw_bursty(struct vms *s, struct rng *r, uint32_t n)
{
    double leave_high = 1 / s->p.burst_steps;
    double leave_low = leave_high * s->p.burst / (1 - s->p.burst);
    bool high = rng_unit(r) < s->p.burst;
    for (uint32_t i = 0; i < n; i++) {
        s->util[i] = per_mille(high ? s->p.high : s->p.low);
        if (rng_unit(r) < (high ? leave_high : leave_low))
            high = !high;
    }
}

static void make(struct synth_rows *row, union trace_row *out)
{
    struct vms *s = (struct vms *)row;
    struct rng series;
    double life_s = rng_exponential(&s->shapes, s->p.lifetime_h * 3600);
    double steps = life_s / s->p.step_s + 1;
    uint32_t n = steps < SYNTH_VM_STEPS ? (uint32_t)steps : SYNTH_VM_STEPS;
    uint32_t vcpus = s->p.vcpus[rng_below(&s->shapes, s->p.sizes)];
    bool diurnal =
        s->p.pattern == VMS_MIXED ? rng_unit(&s->shapes) < 0.5 : s->p.pattern == VMS_DIURNAL;
    rng_init_indexed(&series, row->seed, "synth-vms", "series", row->made);
    (diurnal ? draw_diurnal : draw_bursty)(s, &series, n);
    out->vm = (struct trace_vm){.time_ns = s->now_ns,
                                .tenant = (uint32_t)row->made,
                                .name = TRACE_NAME_NONE,
                                .end_ns = s->now_ns + (uint64_t)(life_s * NS_PER_S),
                                .vcpus = vcpus,
                                .mem_bytes = (uint64_t)(vcpus * s->p.gib_per_vcpu * 0x1p30),
                                .step_ns = (uint64_t)(s->p.step_s * NS_PER_S + 0.5),
                                .n_util = n,
                                .util = s->util};
    s->now_ns += (uint64_t)(rng_exponential(&s->arrivals, s->p.gap_s) * NS_PER_S + 0.5);
}

static void end(struct synth_rows *r)
{
    free(r);
}

int synth_vms_open(struct row_source **out, const void *params, uint64_t seed, struct err *e)
{
    struct vms *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return err_set(e, ERR_ENOMEM, "out of memory");
    s->p = *(const struct synth_vms *)params;
    s->rows.begin = begin;
    s->rows.make = make;
    s->rows.end = end;
    synth_rows_open(&s->rows, TRACE_VMS, &s->p.head, seed);
    *out = &s->rows.base;
    return 0;
}
