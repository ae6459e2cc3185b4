/* facts.h - what `malv trace info` says about the records of a trace.
 *
 * Facts are (group, key, value) in order; group "" is the top.  Names are the
 * format's own column names, so that they can be held against published
 * tables.  Quantiles are exact nearest ranks (tally.h).  One pass; memory
 * grows with the number of different values and different prefix blocks.    */
#ifndef TRACES_FACTS_H
#define TRACES_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/err.h"
#include "traces/import.h"
#include "traces/meta.h"
#include "traces/names.h"
#include "traces/record.h"

enum fact_kind { FACT_INTEGER, FACT_NUMBER, FACT_BOOL, FACT_TEXT };

struct fact {
    char group[80], key[160];
    enum fact_kind kind;
    uint64_t integer; /* and bool */
    double number;
    char text[80];
};

struct facts {
    struct fact *fact;
    size_t n, cap;
    bool failed; /* out of memory, sticky */
};

void facts_free(struct facts *f);
void facts_integer(struct facts *f, const char *group, const char *key, uint64_t v);
void facts_number(struct facts *f, const char *group, const char *key, double v);
void facts_bool(struct facts *f, const char *group, const char *key, bool v);
void facts_text(struct facts *f, const char *group, const char *key, const char *v);
/* The attribute `notes`: KEY=VALUE;GROUP:KEY=VALUE,KEY=VALUE;.. */
void facts_notes(struct facts *f, const char *notes);
const struct fact *facts_find(const struct facts *f, const char *group, const char *key);

/* Gathers from rows of one table; format NULL: no labels of its own. */
struct gather;
struct gather *gather_new(enum trace_table table, const struct import_format *format);
void gather_free(struct gather *g);
int gather_row(struct gather *g, const union trace_row *row, struct err *e) MUST_CHECK;
int gather_end(struct gather *g, const struct trace_meta *meta, const struct trace_names *names,
               struct facts *out, struct err *e) MUST_CHECK;

#endif
