/* synth_rows.h - what the synthesizers of all tables but requests share.
 *
 * Parameters begin with a synth_head; a synthesizer fills in begin and make
 * and gets counting, rewinding and seeding from here.  Every one is a pure
 * function of (parameters, seed) and holds only what is alive.              */
#ifndef TRACES_SYNTH_ROWS_H
#define TRACES_SYNTH_ROWS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/config.h"
#include "sim/err.h"
#include "traces/record.h"

#define SYNTH_ROWS_MAX 1e15
#define SYNTH_SEED_MAX 9007199254740992.0 /* 2^53: what JSON holds exactly */

struct synth_head {
    char preset[32];
    uint64_t rows;     /* 0: until duration_s */
    double duration_s; /* 0: until rows */
    bool seeded;       /* the section fixes the seed, whatever the trial's */
    uint64_t seed;
};

/* What every section of rows may say; `any` takes the keys that synth_kinds.c has read. */
#define SYNTH_HEAD_FIELDS(S, member)                                                               \
    {"rows", CONFIG_T_U64, offsetof(S, member.rows), 1, SYNTH_ROWS_MAX, false},                    \
        {"duration_s", CONFIG_T_F64, offsetof(S, member.duration_s), 1e-6, 1e9, false},            \
        {"seed", CONFIG_T_U64, offsetof(S, member.seed), 0, SYNTH_SEED_MAX, false},                \
        CONFIG_ANY(S, table, false), CONFIG_ANY(S, preset, false)

struct synth_rows {
    struct row_source base;
    uint64_t rows, until_ns; /* 0: no bound */
    uint64_t made, seed;
    void (*begin)(struct synth_rows *s); /* back to the first row, from s->seed */
    void (*make)(struct synth_rows *s, union trace_row *out);
    void (*end)(struct synth_rows *s); /* frees what is its own, then itself */
};

/* The seed of the section, if it has one, goes before the trial's. */
void synth_rows_open(struct synth_rows *s, enum trace_table table, const struct synth_head *h,
                     uint64_t seed);

/* For the table of a synth_kind: of any parameters that begin with a synth_head. */
void synth_head_set_rows(void *params, uint64_t n); /* whatever the duration */
uint64_t synth_head_rows(const void *params);
/* How long it lasts that would take so many seconds for its rows: duration_s may end it before. */
double synth_head_span(const struct synth_head *head, double rows_s);
const char *synth_head_name(const void *params);
void synth_head_named(struct synth_head *h, const char *preset); /* sets it */
bool synth_head_seeded(const void *params, uint64_t *seed);
/* After reading: is the seed there, is there an end?  A section that says one of rows and
 * duration_s drops what its preset had of the other. */
char *synth_head_json(const void *params, void (*put_rest)(FILE *f, const void *params));
int synth_head_check(const struct config *section, struct synth_head *h, struct err *e) MUST_CHECK;

#endif
