/* kineto.h - one event of a Chrome trace, between the parser and the rows.  Private to
 * import_kineto*.c and kineto_*.c.                                         */
#ifndef TRACES_KINETO_H
#define TRACES_KINETO_H

#include "traces/import.h"
#include "traces/op_join.h"

/* The numbers in an event that rows are made of: key, largest value, what is wanted. */
#define KINETO_ARGS(X)                                                                             \
    X(DEVICE, "device", OP_JOIN_DEVICE)                                                            \
    X(STREAM, "stream", UINT32_MAX)                                                                \
    X(CORRELATION, "correlation", UINT64_MAX)                                                      \
    X(BYTES, "bytes", UINT64_MAX)                                                                  \
    X(REGISTERS, "registers per thread", UINT32_MAX)                                               \
    X(SMEM, "shared memory", UINT32_MAX)                                                           \
    X(EVENT_STREAM, "wait_on_stream", UINT32_MAX)                                                  \
    X(RECORD, "wait_on_cuda_event_record_corr_id", UINT64_MAX)                                     \
    X(IN_MESSAGE, "In msg nelems", UINT32_MAX)                                                     \
    X(OUT_MESSAGE, "Out msg nelems", UINT32_MAX)                                                   \
    X(TENANT, "malv_tenant", OP_JOIN_TENANT)                                                       \
    X(SMS, "malv_sms", UINT32_MAX)                                                                 \
    X(BOUND, "malv_bound", TRACE_OP_BOUND_MEMORY)                                                  \
    X(KIND, "malv_kind", TRACE_OP_KINDS - 1)

enum kineto_arg {
#define X(id, key, max) KINETO_##id,
    KINETO_ARGS(X)
#undef X
        KINETO_PID,
    KINETO_TID,
    KINETO_NUMBERS
};

struct kineto_place {
    uint64_t line, column;
};

struct kineto_text {
    char v[64];
    size_t len;
    struct kineto_place at;
};

struct kineto_event {
    struct kineto_place at;
    bool complete; /* ph is X */
    struct kineto_text cat, ts, dur, dtype;
    char *name; /* grows */
    size_t name_len, name_cap;
    bool named;
    uint64_t number[KINETO_NUMBERS], dims[2]; /* dims: products of grid and block */
    unsigned seen, seen_dims;
    uint64_t *depends;
    uint32_t n_depends, depends_cap;
    struct { /* the first number that is none */
        bool is;
        struct kineto_text got;
        const char *want;
    } wrong;
};

#define KINETO_CATS  24
#define KINETO_DEPTH 64

/* What is held while a file is read. */
struct yajl_handle_t;
struct kineto {
    struct importer *im;
    struct op_join *join;
    struct trace_names *texts; /* as met; the trace's own are numbered as rows come out */
    uint32_t *name_of, names_cap;
    bool as_is;                         /* our own export */
    uint64_t base_ns, events, left_out; /* left_out: copies from host to host */
    char device[64];
    struct {
        char cat[40];
        uint64_t n;
    } cat[KINETO_CATS];
    int cats;
    /* of the parser */
    struct kineto_event ev;
    struct yajl_handle_t *json;
    struct err *e;
    int rc;                      /* of a callback that gave up */
    int at[KINETO_DEPTH], depth; /* where in the file's tree */
    unsigned key;
    bool has_events, quoted;    /* the value being read is a text */
    const unsigned char *chunk; /* lines in it are counted up to */
    size_t counted;
    uint64_t before, line, line_at; /* bytes of earlier chunks; where the line begins */
};

int kineto_parse(struct kineto *k, struct err *e) MUST_CHECK;     /* all of k->im->in */
int kineto_add_event(struct kineto *k, struct err *e) MUST_CHECK; /* k->ev */

/* A decimal count of microseconds, exponent and all, in ns: digits below a ns round half up. */
bool kineto_ns(const char *s, size_t len, uint64_t *out);
/* What the event says: 1 a record, 0 nothing of interest, KINETO_LEFT_OUT, ERR_EPARSE with a
 * sentence.  as_is: from our own export.  The name is not set. */
#define KINETO_LEFT_OUT 2 /* a copy from host to host: no device does it */
int kineto_event_raw(const struct kineto_event *ev, const char *file, bool as_is,
                     struct op_raw *out, struct err *e) MUST_CHECK;
extern const char *const kineto_kinds[TRACE_OP_KINDS];
void kineto_head(struct exporter *x);
void kineto_put(struct exporter *x, const union trace_row *row);
void kineto_tail(struct exporter *x);

#endif
