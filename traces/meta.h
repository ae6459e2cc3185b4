/* meta.h - what a trace says of itself: the attributes of malv-trace/1.
 *
 * One list serves the writer, the reader, `malv trace info` and the docs.   */
#ifndef TRACES_META_H
#define TRACES_META_H

#include <stdint.h>

#define TRACE_SCHEMA "malv-trace/1"
#define META_TEXT    1024

#define META_TEXTS(X)                                                                              \
    X(source, "who published the data, where")                                                     \
    X(licence, "under which licence")                                                              \
    X(format, "the format that it was imported from, or synth")                                    \
    X(importer, "which program and version wrote this")                                            \
    X(input, "file name of the input, without its folder")                                         \
    X(input_sha256, "of the input's decoded bytes")                                                \
    X(digest, "sha256 of the records and names in canonical order, whatever the compression")      \
    X(epoch, "calendar time of time 0, as the input wrote it; empty: not said")                    \
    X(style, "how the input was written, so that an export gives its bytes back")                  \
    X(synth, "parameters of the synthesizer, JSON")

/* Files from before these were written have none of them. */
#define META_LATER_TEXTS(X)                                                                        \
    X(notes, "what the input said beside its rows: KEY=VALUE;GROUP:KEY=VALUE,KEY=VALUE;..")

#define META_LATER(X)                                                                              \
    X(io, "rows")                                                                                  \
    X(pages, "rows")                                                                               \
    X(sched, "rows")                                                                               \
    X(vms, "rows")                                                                                 \
    X(util_values, "utilisation values in all VMs")                                                \
    X(ops, "rows")                                                                                 \
    X(depends_values, "dependencies of all operations")                                            \
    X(costs, "rows")

#define META_NUMBERS(X)                                                                            \
    X(requests, "rows")                                                                            \
    X(jobs, "rows")                                                                                \
    X(nodes, "rows")                                                                               \
    X(prefix_blocks, "prefix-block hashes in all requests")                                        \
    X(failed_requests, "requests without an output: nothing was served")                           \
    X(span_ns, "time of the last row")                                                             \
    X(first_ns, "time of the first")                                                               \
    X(skipped_rows, "bad rows of the input that --skip-bad let pass")                              \
    X(seed, "of the synthesizer")

struct trace_meta { /* texts end in a NUL, times are ns; what is not there is "" or 0 */
#define X(name, what) char name[META_TEXT];
    META_TEXTS(X)
    META_LATER_TEXTS(X)
#undef X
#define X(name, what) uint64_t name;
    META_NUMBERS(X)
    META_LATER(X)
#undef X
};

#define MALV_IMPORTER "malv 0.1.0"

#endif
