#include "sim/spans.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tracks are few (a handful per resource), so a linear search at creation is enough. */
struct process {
    char *name;
    uint32_t id;
};

struct spans {
    FILE *f;
    char *path;
    struct process *process;
    uint32_t n_process, n_track;
    uint32_t *pid_of; /* [n_track] */
    int first_errno;
    int comma;
};

int spans_open(struct spans **out, const char *path, struct err *e)
{
    *out = NULL;
    struct spans *sp = calloc(1, sizeof *sp);
    if (!sp || !(sp->path = strdup(path))) {
        free(sp);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    sp->f = fopen(path, "w");
    if (!sp->f) {
        int rc = err_set(e, ERR_EIO, "%s: %s", path, strerror(errno));
        free(sp->path);
        free(sp);
        return rc;
    }
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", sp->f);
    *out = sp;
    return 0;
}

int spans_close(struct spans *sp, struct err *e)
{
    if (!sp)
        return 0;
    fputs("\n]}\n", sp->f);
    if (ferror(sp->f) && !sp->first_errno)
        sp->first_errno = EIO;
    if (fclose(sp->f) && !sp->first_errno)
        sp->first_errno = errno;
    int rc = 0;
    if (sp->first_errno)
        rc = err_set(e, ERR_EIO, "%s: %s", sp->path, strerror(sp->first_errno));
    for (uint32_t i = 0; i < sp->n_process; i++)
        free(sp->process[i].name);
    free(sp->process);
    free(sp->pid_of);
    free(sp->path);
    free(sp);
    return rc;
}

static void put_text(FILE *f, const char *s)
{
    fputc('"', f);
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            fputc('\\', f);
        if (c >= ' ')
            fputc(c, f);
    }
    fputc('"', f);
}

/* Microseconds with three decimals: the unit of the format, without losing a nanosecond. */
static void put_us(FILE *f, const char *key, uint64_t ns)
{
    fprintf(f, ",\"%s\":%" PRIu64 ".%03u", key, ns / 1000, (unsigned)(ns % 1000));
}

static void begin(struct spans *sp, const char *name, const char *phase, uint32_t pid, uint32_t tid)
{
    fputs(sp->comma ? ",\n{\"name\":" : "\n{\"name\":", sp->f);
    sp->comma = 1;
    put_text(sp->f, name);
    fprintf(sp->f, ",\"ph\":\"%s\",\"pid\":%u,\"tid\":%u", phase, pid, tid);
}

static void put_meta(struct spans *sp, const char *what, uint32_t pid, uint32_t tid,
                     const char *name)
{
    begin(sp, what, "M", pid, tid);
    fputs(",\"args\":{\"name\":", sp->f);
    put_text(sp->f, name);
    fputs("}}", sp->f);
}

static uint32_t process_id(struct spans *sp, const char *name)
{
    for (uint32_t i = 0; i < sp->n_process; i++)
        if (!strcmp(sp->process[i].name, name))
            return sp->process[i].id;
    struct process *grown = realloc(sp->process, (sp->n_process + 1) * sizeof *grown);
    char *copy = strdup(name);
    if (grown)
        sp->process = grown;
    if (!grown || !copy) {
        sp->first_errno = ENOMEM;
        free(copy);
        return 0;
    }
    uint32_t id = ++sp->n_process;
    sp->process[id - 1] = (struct process){copy, id};
    put_meta(sp, "process_name", id, 0, name);
    return id;
}

uint32_t spans_track(struct spans *sp, const char *process, const char *thread)
{
    if (!sp)
        return 0;
    uint32_t pid = process_id(sp, process);
    uint32_t *grown = realloc(sp->pid_of, (sp->n_track + 1) * sizeof *grown);
    if (!grown) {
        sp->first_errno = ENOMEM;
        return 0;
    }
    sp->pid_of = grown;
    sp->pid_of[sp->n_track] = pid;
    put_meta(sp, "thread_name", pid, sp->n_track, thread);
    return sp->n_track++;
}

static uint32_t pid_of(const struct spans *sp, uint32_t track)
{
    return track < sp->n_track ? sp->pid_of[track] : 0;
}

void spans_slice(struct spans *sp, uint32_t track, const char *name, sim_time start, sim_time end)
{
    if (!sp)
        return;
    begin(sp, name, "X", pid_of(sp, track), track);
    put_us(sp->f, "ts", start);
    put_us(sp->f, "dur", end - start);
    fputc('}', sp->f);
}

void spans_instant(struct spans *sp, uint32_t track, const char *name, sim_time at)
{
    if (!sp)
        return;
    begin(sp, name, "i", pid_of(sp, track), track);
    put_us(sp->f, "ts", at);
    fputs(",\"s\":\"t\"}", sp->f);
}

void spans_counter(struct spans *sp, uint32_t track, const char *name, sim_time at, double value)
{
    if (!sp)
        return;
    begin(sp, name, "C", pid_of(sp, track), track);
    put_us(sp->f, "ts", at);
    fprintf(sp->f, ",\"args\":{\"value\":%.17g}}", value);
}
