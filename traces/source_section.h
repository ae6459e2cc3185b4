/* source_section.h - a trace section as a struct, and the streams it is made of (for
 * source*.c). */
#ifndef TRACES_SOURCE_SECTION_H
#define TRACES_SOURCE_SECTION_H

#include "traces/clients.h"
#include "traces/import.h"
#include "traces/column_map.h"
#include "traces/source.h"
#include "traces/store.h"
#include "traces/synth_kinds.h"

enum source_kind { SOURCE_FILE, SOURCE_IMPORT, SOURCE_SYNTH };

struct source_window {
    double length_s, start_s;
    bool random;
};

struct source_section {
    const struct config *at;
    enum source_kind kind;
    const char *path;                   /* file and import; of a description of clients */
    const struct import_format *format; /* import; NULL: by its first line */
    const struct config *map_at;        /* of a column map: then the format is `map` */
    struct column_map map;
    uint64_t skip_bad;
    struct synth_any synth;
    const struct config *clients; /* synth by a description of clients: it, or NULL */
    struct source_window window;  /* length_s 0: none */
    double rate_scale;
    uint64_t limit; /* 0: none */
    bool keep_failed, otherwise;
};

/* Reads the section, following "otherwise" when a data: file is absent; *found is the path of
 * its file, malloc'd, NULL for synth.  tables: a bit set of 1 << TRACE_x, those wanted. */
int source_section_read(const struct config *at, unsigned tables, const struct trace_places *where,
                        struct source_section *s, char **found, struct err *e) MUST_CHECK;
/* Of a section with `clients`: found as source_section_read gave it. */
int source_section_clients(struct clients **out, const struct source_section *s, const char *found,
                           struct err *e) MUST_CHECK;
/* Refuses what is of use only for requests, or for rows that have a time. */
int source_section_fits(const struct source_section *s, enum trace_table table,
                        struct err *e) MUST_CHECK;

/* Streams of rows over a published file (jobs sorted), and over a reader from a time on, which it
 * takes over. */
int source_over_import(struct row_source **out, const char *path,
                       const struct import_format *format, uint64_t skip_bad,
                       struct err *e) MUST_CHECK;
/* Jobs in order of time, then of their row; takes `inner` over. */
int source_sorted(struct row_source **out, struct row_source *inner, struct err *e) MUST_CHECK;
/* Of the input of such a stream, over an import: all of it was read. */
const struct trace_meta *source_sorted_meta(const struct row_source *s);
int source_over_store(struct row_source **out, struct store_reader *r, uint64_t from_ns,
                      struct err *e) MUST_CHECK;

/* What window, rate_scale, limit and keep_failed do to a stream; takes `inner` over. */
struct source_cut {
    uint64_t from_ns, to_ns; /* [from, to); times count from `from` */
    double rate_scale;
    uint64_t limit; /* 0: none */
    bool keep_failed;
};
int source_cut(struct row_source **out, struct row_source *inner, const struct source_cut *cut,
               struct err *e) MUST_CHECK;

#endif
