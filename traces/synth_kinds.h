/* synth_kinds.h - the synthesizers of all tables behind one face.
 *
 * The section "synth" of a trace is read by the synthesizer of its "table"
 * (requests when it names none, or the table of its "preset").              */
#ifndef TRACES_SYNTH_KINDS_H
#define TRACES_SYNTH_KINDS_H

#include "sim/config.h"
#include "sim/err.h"
#include "traces/names.h"
#include "traces/record.h"
#include "traces/synth.h"

#include "traces/synth_io.h"
#include "traces/synth_jobs.h"
#include "traces/synth_nodes.h"
#include "traces/synth_ops.h"
#include "traces/synth_pages.h"
#include "traces/synth_sched.h"
#include "traces/synth_vms.h"

struct synth_any {
    enum trace_table table;
    union {
        struct synth_params requests;
        struct synth_io io;
        struct synth_pages pages;
        struct synth_sched sched;
        struct synth_vms vms;
        struct synth_ops ops;
        struct synth_jobs jobs;
        struct synth_nodes nodes;
    } p;
};

struct synth_named { /* a preset */
    const char *name, *title, *source;
};

/* One synthesizer; params points at the member of struct synth_any that is its own. */
struct synth_kind {
    enum trace_table table;
    int (*read)(const struct config *section, void *params, struct err *e);
    char *(*json)(const void *params); /* every number, for digests; malloc'd */
    int (*open)(struct row_source **out, const void *params, uint64_t seed, struct err *e);
    void (*set_rows)(void *params, uint64_t n);
    uint64_t (*rows)(const void *params);    /* how many will come */
    double (*span_s)(const void *params);    /* nominal: the end is known when it is made */
    const char *(*name)(const void *params); /* of the preset; "": none */
    bool (*seeded)(const void *params, uint64_t *seed); /* does the section fix the seed? */
    struct trace_names *(*names)(const void *params);   /* that rows refer to; NULL: none do */
    /* The i-th preset, with its parameters where params is not NULL; false past the end. */
    bool (*preset_at)(size_t i, struct synth_named *what, void *params);
};

const struct synth_kind *synth_kind_at(size_t i);               /* NULL past the end */
const struct synth_kind *synth_kind_of(enum trace_table table); /* NULL: none makes this table */

int synth_any_read(const struct config *section, struct synth_any *s, struct err *e) MUST_CHECK;
int synth_any_preset(const char *name, struct synth_any *s, struct err *e) MUST_CHECK;
/* Of the preset that the parameters began as; NULL: none. */
const char *synth_any_source(const struct synth_any *s);

/* For the readers of the kinds: params as the section's "preset" has them, when it names one. */
int synth_preset_read(const struct config *section, const struct synth_kind *k, void *params,
                      struct err *e) MUST_CHECK;
/* A name of 1..room - 1 letters, digits and any of _-./, or a complaint at its key. */
int synth_name_check(const struct config *at, const char *name, size_t room,
                     struct err *e) MUST_CHECK;

extern const struct synth_kind synth_kind_requests, synth_kind_io, synth_kind_pages,
    synth_kind_sched, synth_kind_vms, synth_kind_ops, synth_kind_jobs, synth_kind_nodes;

#endif
