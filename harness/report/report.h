/* report.h - what a result set says, found once and then written as a page.
 *
 * report_new finds: the grid, the axis to compare along (the policy where one
 * was swept), a winner in every setting of the other axes, what the result
 * rests on.  report_figures draws, report_page and report_csv write.  The
 * page is one file without outside references; the same results give the
 * same bytes (pictures: for the same gnuplot).                              */
#ifndef HARNESS_REPORT_REPORT_H
#define HARNESS_REPORT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "harness/base/outfile.h"
#include "harness/report/report_basis.h"
#include "results/cells.h"
#include "results/contrast.h"
#include "results/metric.h"

enum report_kind {
    KIND_PLAIN,
    KIND_LEARNED, /* asked for inferences */
    KIND_FREE,    /* asked for inferences that were not charged: an ideal */
    KIND_ORACLE   /* told the truth in advance: an ideal */
};

/* One value of the compared axis in one setting. */
struct report_entry {
    const struct cell *cell;
    size_t value; /* on the axis: also its colour */
    const char *label;
    enum report_kind kind;
    struct summary rank;     /* the ranking metric over its trials */
    struct contrast to_base; /* base -> this */
    bool leads;              /* the best, or not shown to be worse than it (ideals never lead) */
    size_t ejected;          /* trials in which the policy was thrown out */
};

#define NO_ENTRY SIZE_MAX
struct report_setting {
    char *text; /* "stack kvm"; "" when nothing else was swept */
    struct report_entry *entry;
    size_t n;
    size_t base, best, next, oracle; /* entries or NO_ENTRY; best, next: among those not ideal */
};

struct report_figure {
    char name[96], title[160], caption[200];
    const char *section; /* static text: which part of the page it belongs to */
};

struct report {
    const struct result_set *rs;
    struct cells *cells;
    struct metric_list metrics;
    size_t by;                 /* axis; cells->n_axis when nothing was swept */
    bool contest;              /* along policies, stacks, machines somebody can win */
    const char *headline;      /* the model's measures by importance, "a,b"; NULL: not said */
    const struct metric *rank; /* what winners are chosen by; NULL: nothing to rank */
    struct report_setting *setting;
    size_t n_setting;
    struct basis basis;
    struct report_figure *figure;
    size_t n_figure;
    bool drawn; /* gnuplot was there */
    size_t failed, seeds;
};

/* rank: a metric's name, or NULL to choose. */
int report_new(struct report **out, const struct result_set *rs, const char *rank,
               struct err *e) MUST_CHECK;
void report_free(struct report *r);
int report_figures(struct report *r, const char *dir,
                   struct err *e) MUST_CHECK; /* into DIR/figures */
int report_csv(const struct report *r, const char *dir, struct err *e) MUST_CHECK;
int report_page(const struct report *r, const char *dir, struct err *e) MUST_CHECK;

/* Parts of the page. */
void report_summary(const struct report *r, FILE *f);
void report_headline(const struct report *r, FILE *f);
/* The same as plain text in out->data, for the caller to free. */
int report_headline_text(const struct report *r, struct outtext *out, struct err *e) MUST_CHECK;
void report_many(const struct report *r, FILE *f);
void report_tiles(const struct report *r, FILE *f);
void report_glance(const struct report *r, FILE *f);
void report_measures(const struct report *r, FILE *f);
void report_effects(const struct report *r, FILE *f);
void report_shares_tables(const struct report *r, FILE *f);
void report_incidents(const struct report *r, FILE *f);
void report_lives(const struct report *r, FILE *f);
bool report_is_life(const char *kind); /* an incident that stands there, not among the others */
void report_basis(const struct report *r, FILE *f);
extern const char report_css[];

/* "mean end-to-end latency", "99th percentile of time to first token" */
void report_metric_title(const char *metric, char *out, size_t size);
/* The metrics that a table has room for, the ranking one first. */
size_t report_columns(const struct report *r, const struct metric **out, size_t most);
const struct metric *report_metric(const struct report *r, const char *name);
bool report_ideal(const struct report_entry *en);
/* Mean of a number over the entry's trials; NAN when none has it. */
double report_mean(const struct report_entry *en, const char *metric);

#endif
