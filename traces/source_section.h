/* source_section.h - a trace section as a struct, and the streams it is made of (for source*.c). */
#ifndef TRACES_SOURCE_SECTION_H
#define TRACES_SOURCE_SECTION_H

#include "traces/import.h"
#include "traces/source.h"
#include "traces/store.h"
#include "traces/synth.h"

enum source_kind { SOURCE_FILE, SOURCE_IMPORT, SOURCE_SYNTH };

struct source_window {
    double length_s, start_s;
    bool random;
};

struct source_section {
    const struct config *at;
    enum source_kind kind;
    const char *path;                   /* file and import */
    const struct import_format *format; /* import; NULL: by its first line */
    uint64_t skip_bad;
    struct synth_params synth;
    struct source_window window; /* length_s 0: none */
    double rate_scale;
    uint64_t limit; /* 0: none */
    bool keep_failed, otherwise;
};

/* Reads the section, following "otherwise" when a data: file is absent; *found is the path of
 * its file, malloc'd, NULL for synth.                                       */
int source_section_read(const struct config *at, const struct trace_places *where,
                        struct source_section *s, char **found, struct err *e) MUST_CHECK;

/* Streams of requests over an importer or a reader, which they take over. */
int source_over_import(struct request_source **out, struct importer *im, struct err *e) MUST_CHECK;
int source_over_store(struct request_source **out, struct store_reader *r,
                      struct err *e) MUST_CHECK;

/* What window, rate_scale, limit and keep_failed do to a stream; takes `inner` over. */
struct source_cut {
    uint64_t from_ns, to_ns; /* [from, to); times count from `from` */
    double rate_scale;
    uint64_t limit; /* 0: none */
    bool keep_failed;
};
int source_cut(struct request_source **out, struct request_source *inner,
               const struct source_cut *cut, struct err *e) MUST_CHECK;

#endif
