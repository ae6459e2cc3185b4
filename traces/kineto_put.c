/* kineto_put.c - rows of ops as a Chrome trace, with what it has no name for under ours, so that
 * the rows come back: chrome://tracing and Perfetto read it all the same.      */
#include <string.h>

#include "traces/kineto.h"
#include "traces/parse.h"

void kineto_head(struct exporter *x)
{
    fprintf(x->to,
            "{\"schemaVersion\":1,\"malvTrace\":1,\"baseTimeNanoseconds\":%llu,"
            "\"traceEvents\":[\n{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":0,\"tid\":0,"
            "\"args\":{\"name\":\"malv\"}}",
            (unsigned long long)x->epoch_ns);
}

void kineto_tail(struct exporter *x)
{
    fputs("\n]}", x->to);
}

static void put_text(FILE *to, const char *s)
{
    fputc('"', to);
    for (; *s; s++)
        if ((unsigned char)*s < 32)
            fprintf(to, "\\u%04x", (unsigned char)*s);
        else
            fputs(
                (char[]){*s == '"' || *s == '\\' ? '\\' : *s, *s == '"' || *s == '\\' ? *s : 0, 0},
                to);
    fputc('"', to);
}

static void put_number(FILE *to, const char *key, uint64_t v)
{
    if (v)
        fprintf(to, ",\"%s\":%llu", key, (unsigned long long)v);
}

static void put_args(struct exporter *x, const struct trace_op *op)
{
    fprintf(x->to, "{\"malv_kind\":%u,\"stream\":%u", op->kind, op->stream);
    if (op->device != TRACE_NAME_NONE)
        fprintf(x->to, ",\"device\":%u", op->device);
    put_number(x->to, "correlation", op->correlation);
    put_number(x->to, "bytes", op->bytes);
    put_number(x->to, "registers per thread", op->registers);
    put_number(x->to, "shared memory", op->smem);
    put_number(x->to, "malv_tenant", op->tenant);
    put_number(x->to, "malv_sms", op->sms);
    put_number(x->to, "malv_bound", op->bound);
    if (op->grid)
        fprintf(x->to, ",\"grid\":[%llu,1,1]", (unsigned long long)op->grid);
    if (op->block)
        fprintf(x->to, ",\"block\":[%u,1,1]", op->block);
    for (uint32_t i = 0; i < op->n_depends; i++)
        fprintf(x->to, "%s%llu", i ? "," : ",\"malv_depends\":[",
                (unsigned long long)op->depends[i]);
    fputs(op->n_depends ? "]}}" : "}}", x->to);
}

/* Host threads of a tenant are a process, its devices are the others. */
void kineto_put(struct exporter *x, const union trace_row *row)
{
    const struct trace_op *op = &row->op;
    const char *name = op->name == TRACE_NAME_NONE ? NULL : names_text(x->names, op->name);
    char ts[40], dur[40];
    bool host = op->device == TRACE_NAME_NONE;
    format_decimal_ns(ts, op->time_ns, 1000);
    format_decimal_ns(dur, op->duration_ns, 1000);
    fprintf(x->to, ",{\"ph\":\"X\",\"cat\":\"%s\",", kineto_kinds[op->kind]);
    if (name) {
        fputs("\"name\":", x->to);
        put_text(x->to, name);
        fputc(',', x->to);
    }
    fprintf(x->to, "\"pid\":%u,\"tid\":%u,\"ts\":%s,\"dur\":%s,\"args\":",
            host ? 1000000 + op->tenant : op->device, op->stream, ts, dur);
    put_args(x, op);
}
