/* mix.h - how fast programs run beside each other on one machine.
 *
 * A mix is who is on a machine at once: how many of each kind, in order of kind;
 * and on a host those who share a GPU, GPU by GPU, in order of who is on each.
 * It is simulated by the real model of the machine (full_config.h), whose seed
 * follows from the run's and the mix alone, and is kept, so that thousands of
 * machines with the same mix are one simulation.  Who came first, and whether it
 * was kept, changes nothing.                                                  */
#ifndef MODELS_CLUSTER_MIX_H
#define MODELS_CLUSTER_MIX_H

#include "models/cluster/full_config.h"

enum { MIX_PARTS = 64, MIX_SHARES = 16 };

/* A program with a part of a GPU. */
struct mix_kind {
    uint16_t rule, milli; /* milli 1000: whole GPUs, or none */
};
struct mix {
    uint32_t n;
    struct mix_part {
        struct mix_kind kind;
        uint32_t n;
        /* On a host: `times` GPUs are shared in this way, number `group`, from 1; 0: none is. */
        uint16_t group, times;
    } part[MIX_PARTS]; /* ascending by group and kind */
};
static inline uint32_t mix_order(struct mix_kind k)
{
    return (uint32_t)k.rule << 16 | k.milli;
}
/* Somebody with GPUs of his own, or on the GPU that is the machine.  false: more kinds than there
 * is room for. */
bool mix_add(struct mix *x, struct mix_kind kind, uint32_t n);
/* mix_join.c: adds a host's shared GPUs, who is on each; group[i]: its number.  false: no room. */
enum { MIX_GPUS = 16 };
bool mix_join(struct mix *x, const struct mix *gpu, uint32_t n, uint16_t *group);
/* One of a kind, alone on a machine. */
void mix_alone(struct mix *x, const struct full_config *c, struct mix_kind kind);
bool mix_is_alone(const struct mix *x);

/* Of one of a kind in a mix.  Speeds in millionths of that on the bare machine, alone. */
struct mix_speed {
    uint32_t micro;
    uint32_t alone;             /* on the same stack, without the others */
    uint32_t share[MIX_SHARES]; /* of its time, in millionths, by mixes_share_name */
};

struct mixes;
int mixes_open(struct mixes **out, const struct full_config *c, const struct model_env *env,
               struct err *e) MUST_CHECK;
void mixes_close(struct mixes *m);
/* *out: [x->n] as x->part, until the next call. */
int mixes_speeds(struct mixes *m, const struct mix *x, const struct mix_speed **out,
                 struct err *e) MUST_CHECK;
const char *mixes_share_name(const struct mixes *m, uint32_t i); /* NULL: no more */
void mixes_report(const struct mixes *m, struct measures *out);

/* full_section.c: the section for a mix, as JSON text to be freed; NULL: out of memory.  bare: on
 * the bare machine, a GPU to itself. */
char *full_section(const struct full_config *c, const struct machine *machine, const struct mix *x,
                   bool bare);
/* What the model measured of part i of the mix: time of an operation (s), and where it went. */
struct mix_seen {
    double time;                      /* 0: none ended */
    double share[MIX_SHARES];         /* of it */
    const char *category[MIX_SHARES]; /* their names, [n]; borrowed from the measures */
    uint32_t n;
};
void full_seen(const struct full_config *c, const struct measures *m, const struct mix *x,
               uint32_t i, struct mix_seen *out);
void full_say(const struct full_config *c, const struct mix *x, char *text, size_t size);

#endif
