/* kineto_event.c - what an event of a PyTorch profile says of calls, kernels and copies. */
#include <ctype.h>
#include <string.h>

#include "traces/kineto.h"
#include "traces/parse.h"

#define NS_MAX (UINT64_C(1) << 62)

/* Moves the point: "1.5e3" is "1500". */
static bool plain(const char *s, size_t len, size_t exp_at, char out[160], size_t *out_len)
{
    bool negative = exp_at + 1 < len && s[exp_at + 1] == '-';
    size_t from = exp_at + 1 + (exp_at + 1 < len && (s[exp_at + 1] == '-' || s[exp_at + 1] == '+'));
    const char *dot = memchr(s, '.', exp_at);
    size_t whole = dot ? (size_t)(dot - s) : exp_at, n = 0;
    uint64_t exp;
    if (from >= len || !parse_u64(s + from, len - from, 40, &exp) || exp_at == 0 || exp_at > 60)
        return false;
    size_t zeros = negative && exp >= whole ? exp - whole + 1 : 0;
    size_t point = negative ? whole + zeros - exp : whole + exp;
    for (size_t i = 0; i < zeros; i++)
        out[n++] = '0';
    for (size_t i = 0; i < exp_at; i++)
        if (s[i] != '.')
            out[n++] = s[i];
    while (n < point)
        out[n++] = '0';
    if (n > point) {
        memmove(out + point + 1, out + point, n - point);
        out[point] = '.';
        n++;
    }
    *out_len = n;
    return true;
}

bool kineto_ns(const char *s, size_t len, uint64_t *out)
{
    char text[160];
    for (size_t i = 0; i < len; i++)
        if (s[i] == 'e' || s[i] == 'E')
            return plain(s, len, i, text, &len) && parse_decimal_ns(text, len, 1000, out) &&
                   *out <= NS_MAX;
    return parse_decimal_ns(s, len, 1000, out) && *out <= NS_MAX;
}

const char *const kineto_kinds[TRACE_OP_KINDS] = {
    [TRACE_OP_KERNEL] = "kernel",     [TRACE_OP_H2D] = "gpu_memcpy",
    [TRACE_OP_D2H] = "gpu_memcpy",    [TRACE_OP_D2D] = "gpu_memcpy",
    [TRACE_OP_P2P] = "gpu_memcpy",    [TRACE_OP_MEMSET] = "gpu_memset",
    [TRACE_OP_COMM] = "kernel",       [TRACE_OP_LAUNCH] = "cuda_runtime",
    [TRACE_OP_SYNC] = "cuda_runtime", [TRACE_OP_CPU] = "cuda_runtime",
};

static bool ends(const struct kineto_text *t, const char *with)
{
    size_t n = strlen(with);
    return t->len >= n && !memcmp(t->v + t->len - n, with, n);
}

static bool is(const struct kineto_text *t, const char *a, const char *b)
{
    return !strcmp(t->v, a) || !strcmp(t->v, b);
}

static int complain(const struct kineto_event *ev, const struct kineto_text *got, const char *file,
                    const char *want, struct err *e)
{
    const struct kineto_place *at = got->len ? &got->at : &ev->at;
    if (!got->len)
        return err_set(e, ERR_EPARSE, "%s:%llu:%llu: %s", file, (unsigned long long)at->line,
                       (unsigned long long)at->column, want);
    return err_set(e, ERR_EPARSE, "%s:%llu:%llu: got %s, want %s", file,
                   (unsigned long long)at->line, (unsigned long long)at->column, got->v, want);
}

static bool said(const struct kineto_event *ev, enum kineto_arg a)
{
    return ev->seen & 1u << a;
}

static uint32_t number(const struct kineto_event *ev, enum kineto_arg a, uint32_t otherwise)
{
    return said(ev, a) ? (uint32_t)ev->number[a] : otherwise;
}

static const struct {
    const char *name;
    uint32_t bytes;
} dtypes[] = {{"Byte", 1},          {"Char", 1},  {"Bool", 1},  {"Float8_e5m2", 1},
              {"Float8_e4m3fn", 1}, {"Half", 2},  {"Short", 2}, {"BFloat16", 2},
              {"Int", 4},           {"Float", 4}, {"Long", 8},  {"Double", 8},
              {"ComplexFloat", 8}};

/* Of a collective: what one rank puts in or takes out, the larger. */
static uint64_t message(const struct kineto_event *ev)
{
    uint64_t in = said(ev, KINETO_IN_MESSAGE) ? ev->number[KINETO_IN_MESSAGE] : 0;
    uint64_t out = said(ev, KINETO_OUT_MESSAGE) ? ev->number[KINETO_OUT_MESSAGE] : 0;
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (!strcmp(ev->dtype.v, dtypes[i].name))
            return (in > out ? in : out) * dtypes[i].bytes;
    return 0;
}

/* NVIDIA: "Memcpy HtoD (Pageable -> Device)"; AMD: "CopyHostToDevice".  Arrays lie on the device.
 */
static bool copy_kind(const char *name, uint32_t *kind)
{
    static const struct {
        const char *part;
        enum trace_op_kind kind;
    } known[] = {{"HtoD", TRACE_OP_H2D},         {"HtoA", TRACE_OP_H2D},
                 {"DtoH", TRACE_OP_D2H},         {"AtoH", TRACE_OP_D2H},
                 {"DtoD", TRACE_OP_D2D},         {"AtoD", TRACE_OP_D2D},
                 {"DtoA", TRACE_OP_D2D},         {"AtoA", TRACE_OP_D2D},
                 {"PtoP", TRACE_OP_P2P},         {"HostToDevice", TRACE_OP_H2D},
                 {"DeviceToHost", TRACE_OP_D2H}, {"DeviceToDevice", TRACE_OP_D2D},
                 {"PeerToPeer", TRACE_OP_P2P}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strstr(name, known[i].part)) {
            *kind = known[i].kind;
            return true;
        }
    return false;
}

/* Old files say device and stream as process and thread only. */
static int take_device(const struct kineto_event *ev, const char *file, struct trace_op *op,
                       struct err *e)
{
    static const struct kineto_text none;
    bool device = said(ev, KINETO_DEVICE), stream = said(ev, KINETO_STREAM);
    if (!device && !(said(ev, KINETO_PID) && ev->number[KINETO_PID] <= OP_JOIN_DEVICE))
        return complain(ev, &none, file, "key \"args.device\" is missing", e);
    if (!stream && !said(ev, KINETO_TID))
        return complain(ev, &none, file, "key \"args.stream\" is missing", e);
    op->device = number(ev, device ? KINETO_DEVICE : KINETO_PID, 0);
    op->stream = number(ev, stream ? KINETO_STREAM : KINETO_TID, 0);
    return 0;
}

static void take_sizes(const struct kineto_event *ev, struct trace_op *op)
{
    op->bytes = said(ev, KINETO_BYTES) ? ev->number[KINETO_BYTES] : 0;
    op->grid = ev->seen_dims & 1 ? ev->dims[0] : 0;
    op->block = ev->seen_dims & 2 ? (uint32_t)ev->dims[1] : 0;
    op->registers = number(ev, KINETO_REGISTERS, 0);
    op->smem = number(ev, KINETO_SMEM, 0);
}

static int take_operation(const struct kineto_event *ev, const char *file, struct op_raw *out,
                          struct err *e)
{
    static const struct kineto_text none;
    struct trace_op *op = &out->op;
    out->role = OP_DEVICE;
    op->kind = is(&ev->cat, "gpu_memset", "Memset") ? TRACE_OP_MEMSET
               : op_collective_named(ev->name)      ? TRACE_OP_COMM
                                                    : TRACE_OP_KERNEL;
    if (is(&ev->cat, "gpu_memcpy", "Memcpy") && !copy_kind(ev->name, &op->kind))
        return complain(ev, &none, file, "this copy's name does not say which way it goes", e);
    take_sizes(ev, op);
    if (op->kind == TRACE_OP_COMM && !op->bytes)
        op->bytes = message(ev);
    return take_device(ev, file, op, e);
}

static void take_note(const struct kineto_event *ev, struct op_raw *out)
{
    out->role = OP_NOTE;
    out->wait = !strcmp(ev->name, "Context Sync")        ? OP_WAIT_DEVICE
                : !strcmp(ev->name, "Stream Sync")       ? OP_WAIT_STREAM
                : !strcmp(ev->name, "Event Sync")        ? OP_WAIT_EVENT
                : !strcmp(ev->name, "Stream Wait Event") ? OP_WAIT_IN_STREAM
                                                         : OP_WAIT_NONE;
    out->device = number(ev, KINETO_DEVICE, TRACE_NAME_NONE);
    out->stream = number(ev, KINETO_STREAM, TRACE_NAME_NONE);
    out->event_stream = number(ev, KINETO_EVENT_STREAM, TRACE_NAME_NONE);
    out->record = said(ev, KINETO_RECORD) && ev->number[KINETO_RECORD] < UINT32_MAX
                      ? ev->number[KINETO_RECORD]
                      : 0;
}

static int take_as_is(const struct kineto_event *ev, const char *file, struct op_raw *out,
                      struct err *e)
{
    static const struct kineto_text none;
    struct trace_op *op = &out->op;
    out->role = OP_ROW;
    op->kind = number(ev, KINETO_KIND, 0);
    op->tenant = number(ev, KINETO_TENANT, 0);
    op->sms = number(ev, KINETO_SMS, 0);
    op->bound = number(ev, KINETO_BOUND, 0);
    op->device = number(ev, KINETO_DEVICE, TRACE_NAME_NONE);
    op->stream = number(ev, said(ev, KINETO_STREAM) ? KINETO_STREAM : KINETO_TID, 0);
    op->n_depends = ev->n_depends;
    op->depends = ev->depends;
    take_sizes(ev, op);
    if (trace_op_on_device(op) != said(ev, KINETO_DEVICE))
        return complain(ev, &none, file, "operations of devices have a device, others none", e);
    return 0;
}

static int take_times(const struct kineto_event *ev, const char *file, struct trace_op *op,
                      struct err *e)
{
    static const char want[] = "a decimal count of microseconds below 2^62 ns";
    static const struct kineto_text none;
    if (!ev->ts.len || !ev->dur.len)
        return complain(ev, &none, file,
                        ev->ts.len ? "key \"dur\" is missing" : "key \"ts\" is missing", e);
    if (!kineto_ns(ev->ts.v, ev->ts.len, &op->time_ns))
        return complain(ev, &ev->ts, file, want, e);
    if (!kineto_ns(ev->dur.v, ev->dur.len, &op->duration_ns))
        return complain(ev, &ev->dur, file, want, e);
    return 0;
}

static int take_correlation(const struct kineto_event *ev, const char *file, bool as_is,
                            struct trace_op *op, struct err *e)
{
    static const struct kineto_text none;
    op->correlation = said(ev, KINETO_CORRELATION) ? ev->number[KINETO_CORRELATION] : 0;
    if (!as_is && op->correlation > OP_JOIN_CORRELATION)
        return complain(ev, &none, file, "its correlation is above 2^50", e);
    return 0;
}

enum interest { NOTHING, CALL, OPERATION, NOTE };

static enum interest interest(const struct kineto_text *cat)
{
    if (is(cat, "kernel", "Kernel") || is(cat, "gpu_memcpy", "Memcpy") ||
        is(cat, "gpu_memset", "Memset"))
        return OPERATION;
    if (ends(cat, "_runtime") || ends(cat, "_driver") || !strcmp(cat->v, "Runtime"))
        return CALL;
    return !strcmp(cat->v, "cuda_sync") ? NOTE : NOTHING;
}

int kineto_event_raw(const struct kineto_event *ev, const char *file, bool as_is,
                     struct op_raw *out, struct err *e)
{
    static const struct kineto_text none;
    enum interest what = ev->complete ? interest(&ev->cat) : NOTHING;
    int rc;
    if (what == NOTHING)
        return 0;
    if (what == OPERATION && !as_is && ev->named && strstr(ev->name, "HtoH"))
        return KINETO_LEFT_OUT;
    if (ev->wrong.is)
        return complain(ev, &ev->wrong.got, file, ev->wrong.want, e);
    if (!ev->named && !as_is)
        return complain(ev, &none, file, "key \"name\" is missing", e);
    *out = (struct op_raw){.role = OP_CALL,
                           .device = TRACE_NAME_NONE,
                           .stream = TRACE_NAME_NONE,
                           .event_stream = TRACE_NAME_NONE,
                           .op = {.device = TRACE_NAME_NONE, .name = TRACE_NAME_NONE}};
    if ((rc = take_times(ev, file, &out->op, e)) ||
        (rc = take_correlation(ev, file, as_is, &out->op, e)))
        return rc;
    if (as_is) {
        rc = take_as_is(ev, file, out, e);
    } else if (what == OPERATION) {
        rc = take_operation(ev, file, out, e);
    } else if (what == NOTE) {
        take_note(ev, out);
    } else {
        out->wait = op_wait_named(ev->name);
        out->op.stream = number(ev, KINETO_TID, 0);
    }
    return rc ? rc : 1;
}
