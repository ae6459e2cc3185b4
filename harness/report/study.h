/* study.h - one comparison of stacks over mixes of VMs, as data.
 *
 * A file of experiments/figures with schema "malv-study/1".  Nothing of it has been published by
 * others, so nothing is judged: what the figure says, who wins and where malv loses, is what the
 * runs gave.
 *
 *   name, title, source    words
 *   stacks       the columns, in order
 *   compare      [base, of]: who is compared with whom, of these
 *   mechanisms   [{"name", "title"}]: `of` once more without each, stack "malv-without-NAME"
 *   least        a smaller change is nobody's win: 0.001
 *   factor       of the tornado: each assumed constant divided and multiplied by it
 *   mixes        [{"name", "title", "experiment", "headline", "measures", ..}]
 *     measures   {"p50": "latency.p50", ..}: what the mix's model calls each of STUDY_MEASURES;
 *                left out: the model does not say
 *     headline   the one of them that ablation and tornado are about
 *     under      {STACK: {"set": {path: value}}, or {"absent": why}}: what is different there; what
 *                `of` sets holds also where a mechanism is taken out, unless that says otherwise
 *     without    [{"name", "title", "set"}]: more to be taken out of `of`, of this mix alone
 *     tornado    {path: value}: set in both runs of the tornado, to keep it short
 *
 * All columns of a mix run on the same seeds; changes are paired over them.   */
#ifndef HARNESS_REPORT_STUDY_H
#define HARNESS_REPORT_STUDY_H

#include <stdbool.h>
#include <stdio.h>

#include "harness/report/tornado.h"
#include "results/stats.h"
#include "sim/config.h"

#define STUDY_SCHEMA     "malv-study/1"
#define STUDY_CONFIDENCE 0.95

#define STUDY_MEASURES(X)                                                                          \
    X(p50, "p50", -1)                                                                              \
    X(p99, "p99", -1)                                                                              \
    X(throughput, "throughput", 1)                                                                 \
    X(gpu, "GPU busy", 0)                                                                          \
    X(os, "OS CPU", -1)                                                                            \
    X(policy, "policy", -1)
enum study_measure {
#define X(key, words, better) STUDY_##key,
    STUDY_MEASURES(X)
#undef X
        STUDY_N
};
const char *study_words(enum study_measure m);
int study_better(enum study_measure m); /* 1: more is, -1: less is, 0: neither */

/* A mix under one stack, or under `of` without something. */
struct study_column {
    const char *name, *title;         /* "kvm"; "micro-lake"; title: of what was taken out */
    const char *stack;                /* NULL: that of `of` */
    const struct config *set;         /* of a mix's own ablation; NULL: none */
    const char *absent;               /* why it did not run; NULL: it did */
    double *value[STUDY_N];           /* [trials]; NULL: not measured */
    double mean[STUDY_N];             /* NAN: not measured */
    struct paired over_base, over_of; /* the headline's, if both ran */
};

struct study_mix {
    const char *name, *title;
    const struct config *experiment, *under, *tornado_set;
    const char *metric[STUDY_N];
    char *unit[STUDY_N]; /* of the first results */
    enum study_measure headline;
    struct study_column *column; /* [stacks], then ablations */
    size_t columns, stacks;
    size_t trials;
    struct paired change[STUDY_N]; /* of `of` over base; n is 0 where it can not be said */
    struct tornado tornado;
};

struct study {
    char *file;
    struct config *doc; /* everything borrowed lives in it */
    const char *name, *title, *source;
    const struct config *stacks, *mechanisms;
    size_t base, of; /* columns */
    double factor, least;
    struct study_mix *mix;
    size_t n;
};

bool study_is(const char *path); /* whether that file's schema is a study's */
int study_load(struct study **s, const char *path, struct err *e) MUST_CHECK;
void study_free(struct study *s);
/* Runs everything on `jobs` processes. */
int study_run(struct study *s, unsigned jobs, bool quiet, struct err *e) MUST_CHECK;

/* The verdict on one measure of a mix: 1 `of` is better, -1 worse, 0 not told apart: the interval
 * has 1 in it, or the change is too small to speak of. */
int study_verdict(const struct study *s, const struct study_mix *m, enum study_measure k);
/* Whether a constant decides who is ahead in the headline, where one of the two is. */
bool study_flips(const struct study *s, const struct study_mix *m, const struct tornado_row *r);

void study_text(const struct study *s, FILE *out);
void study_json(const struct study *s, FILE *out);
void study_markdown(const struct study *s, FILE *out);
int study_draw(const struct study *s, const char *dir, bool *drawn, struct err *e) MUST_CHECK;
/* The sentences that text and page end with. */
void study_says(const struct study *s, FILE *out);

#endif
