#include "models/rounds/synth.h"

#include <stdio.h>

#include "sim/dmath.h"

/* scheduler/job_table.py; `several`: it can run on more than one GPU */
static const struct family {
    const char *name;
    uint32_t batch[5]; /* 0: none more */
    bool several;
} families[] = {
    {"ResNet-18", {16, 32, 64, 128, 256}, true},
    {"ResNet-50", {16, 32, 64, 128}, true},
    {"Transformer", {16, 32, 64, 128, 256}, true},
    {"LM", {5, 10, 20, 40, 80}, true},
    {"Recommendation", {512, 1024, 2048, 4096, 8192}, false},
    {"A3C", {0}, false},
    {"CycleGAN", {0}, false},
};
static const uint32_t gpus_of[4] = {1, 2, 4, 8};

static int find(struct synth *s, uint32_t n, const char *name, bool several, struct err *e)
{
    for (uint32_t g = 0; g < 4; g++) {
        const uint32_t k = rates_kind(s->rates, name, gpus_of[g]);
        s->kind[n][g] = several || !g ? k : RATES_NONE;
        if ((!g || (several && s->many)) &&
            (k == RATES_NONE || rates_alone(s->rates, s->reference, k) <= 0))
            return err_set(e, ERR_ENAME, "no rate of %s on %u GPUs of type %s, want one", name,
                           gpus_of[g], s->rates->type[s->reference]);
    }
    return 0;
}

int synth_init(struct synth *s, const struct rates *r, uint32_t reference, double per_hour,
               bool many, uint64_t seed, struct err *e)
{
    *s = (struct synth){
        .rates = r, .reference = reference, .many = many, .gap_s = 3600.0 / per_hour};
    pyrandom_seed(&s->jobs, seed + 2);
    pyrandom_seed(&s->arrivals, seed + 3);
    uint32_t n = 0;
    for (size_t f = 0; f < sizeof families / sizeof *families; f++)
        for (uint32_t b = 0; b < 5 && (!b || families[f].batch[b]); b++) {
            char name[64];
            if (families[f].batch[b])
                snprintf(name, sizeof name, "%s (batch size %u)", families[f].name,
                         families[f].batch[b]);
            else
                snprintf(name, sizeof name, "%s", families[f].name);
            int rc = find(s, n++, name, families[f].several, e);
            if (rc)
                return rc;
        }
    return 0;
}

/* The number of GPUs is drawn whether it is wanted or not. */
static uint32_t draw_gpus(struct synth *s)
{
    const double u = pyrandom_uniform(&s->jobs, 0, 1);
    const uint32_t g = u < 0.7 ? 0 : u <= 0.8 ? 1 : u <= 0.95 ? 2 : 3;
    return s->many ? g : 0;
}

struct synth_job synth_next(struct synth *s)
{
    struct synth_job j = {.arrives = (sim_time)(s->next_s * 1e9 + 0.5)};
    const uint32_t g = draw_gpus(s);
    const bool lasts = pyrandom_unit(&s->jobs) >= 0.8;
    const double exponent =
        lasts ? pyrandom_uniform(&s->jobs, 3, 4) : pyrandom_uniform(&s->jobs, 1.5, 3);
    j.seconds = 60 * dmath_pow(10, exponent);
    do
        j.kind = s->kind[pyrandom_below(&s->jobs, SYNTH_JOBS)][g];
    while (j.kind == RATES_NONE);
    j.steps = j.seconds * rates_alone(s->rates, s->reference, j.kind);
    s->next_s += -dmath_log(1.0 - pyrandom_unit(&s->arrivals)) / (1.0 / s->gap_s);
    return j;
}
