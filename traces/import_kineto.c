/* import_kineto.c - PyTorch profiles (Kineto): Chrome trace JSON, streamed.
 *
 * Kept are operations of devices (cat kernel, gpu_memcpy, gpu_memset) and the
 * runtime and driver calls of host threads; what a call waited for comes from
 * cuda_sync events and from names (op_join.h).  Operators of the framework
 * (cpu_op) are left out: the time that they take on the host is the gap
 * between calls.  Left out too: annotations, flow arrows (correlations say the
 * same), contexts, shapes of grids and blocks (their products stay), occupancy.
 * Time 0 is the first row.  One file is one tenant.  Events may come in any
 * order: they are sorted on disk.  What our own export wrote is taken as it is. */
#include <stdlib.h>
#include <string.h>

#include "traces/kineto.h"
#include "traces/parse.h"

#define YEAR_2000 UINT64_C(946684800000000000) /* in ns since 1970 */

static void count_cat(struct kineto *k, const char *cat)
{
    int i = 0;
    while (i < k->cats && strcmp(k->cat[i].cat, cat))
        i++;
    if (i == KINETO_CATS)
        return;
    if (i == k->cats)
        snprintf(k->cat[k->cats++].cat, sizeof k->cat[i].cat, "%.39s", cat);
    k->cat[i].n++;
}

static int add_event(struct kineto *k, struct err *e)
{
    struct op_raw raw;
    struct kineto_event *ev = &k->ev;
    k->events++;
    if (ev->complete)
        count_cat(k, ev->cat.v);
    int rc = kineto_event_raw(ev, k->im->path, k->as_is, &raw, e);
    k->left_out += rc == KINETO_LEFT_OUT;
    if (rc <= 0 || rc == KINETO_LEFT_OUT)
        return rc < 0 ? rc : 0;
    if (ev->named) {
        raw.op.name = names_id(k->texts, ev->name, ev->name_len);
        if (raw.op.name == TRACE_NAME_NONE)
            return err_set(e, ERR_ENOMEM, "out of memory");
    }
    rc = op_join_add(k->join, &raw, e);
    return rc ? err_wrap(e, rc, "%s", k->im->path) : 0;
}

int kineto_add_event(struct kineto *k, struct err *e)
{
    int rc = add_event(k, e);
    if ((rc != ERR_EPARSE && rc != ERR_ERANGE) || !k->im->skip_left)
        return rc;
    k->im->skip_left--;
    k->im->meta.skipped_rows++;
    if (e)
        *e = (struct err){0};
    return 0;
}

/* What the file holds beside the rows. */
static void write_notes(struct kineto *k)
{
    char *to = k->im->meta.notes;
    size_t room = META_TEXT, n = 0;
    for (char *p = k->device; *p; p++)
        *p = strchr(";:,=", *p) ? ' ' : *p;
    if (k->left_out)
        n += (size_t)snprintf(to, room, "copies from host to host, left out=%llu;",
                              (unsigned long long)k->left_out);
    if (*k->device)
        n += (size_t)snprintf(to + n, room - n, "device=%s;", k->device);
    n += (size_t)snprintf(to + n, room - n,
                          "events=%llu;X events by cat:", (unsigned long long)k->events);
    for (int i = 0; i < k->cats; i++) {
        char item[64];
        int len = snprintf(item, sizeof item, "%s%s=%llu", i ? "," : "", k->cat[i].cat,
                           (unsigned long long)k->cat[i].n);
        if (strpbrk(k->cat[i].cat, ";:,=") || n + (size_t)len >= room)
            break;
        memcpy(to + n, item, (size_t)len + 1);
        n += (size_t)len;
    }
}

static int sort(struct kineto *k, struct err *e)
{
    uint64_t zero = 0;
    int rc = k->as_is ? op_join_sort_from(k->join, 0, e) : op_join_sort(k->join, &zero, e);
    if (rc)
        return err_wrap(e, rc, "%s", k->im->path);
    write_notes(k);
    if (k->base_ns + zero >= YEAR_2000) {
        format_stamp(k->im->meta.epoch, k->base_ns + zero, 9);
        k->im->stamp.digits = 9;
    }
    return 0;
}

static void kineto_done(struct importer *im)
{
    struct kineto *k = im->own;
    if (!k)
        return;
    op_join_free(k->join);
    names_free(k->texts);
    free(k->name_of);
    free(k->ev.name);
    free(k->ev.depends);
    free(k);
}

static int kineto_open(struct importer *im, struct err *e)
{
    struct kineto *k = im->own = calloc(1, sizeof *k);
    if (!k || !(k->texts = names_new()))
        return err_set(e, ERR_ENOMEM, "out of memory");
    k->im = im;
    int rc = op_join_new(&k->join, e);
    if (!rc)
        rc = kineto_parse(k, e);
    return rc ? rc : sort(k, e);
}

static int name(struct kineto *k, uint32_t *id, struct err *e)
{
    if (*id == TRACE_NAME_NONE)
        return 0;
    if (*id >= k->names_cap) {
        uint32_t cap = names_count(k->texts);
        if (!(k->name_of = malloc(cap * sizeof *k->name_of)))
            return err_set(e, ERR_ENOMEM, "out of memory");
        memset(k->name_of, 0xff, cap * sizeof *k->name_of);
        k->names_cap = cap;
    }
    uint32_t *of = &k->name_of[*id];
    int rc = *of == TRACE_NAME_NONE ? import_label(k->im, names_text(k->texts, *id), of, e) : 0;
    *id = *of;
    return rc;
}

static int kineto_row(struct importer *im, union trace_row *out, struct err *e)
{
    struct kineto *k = im->own;
    int rc = op_join_next(k->join, &out->op, e);
    if (rc <= 0)
        return rc;
    rc = name(k, &out->op.name, e);
    return rc ? rc : 1;
}

static bool kineto_sniff(const char *head, size_t len)
{
    static const char events[] = "\"traceEvents\"", phase[] = "\"ph\"";
    size_t at = 0;
    while (at < len && strchr(" \t\r\n", head[at]))
        at++;
    return at < len && ((head[at] == '{' && memmem(head, len, events, sizeof events - 1)) ||
                        (head[at] == '[' && memmem(head, len, phase, sizeof phase - 1)));
}

const struct import_format import_kineto = {
    .name = "kineto",
    .title = "PyTorch profiles (Kineto, Chrome trace JSON)",
    .source = "a PyTorch profile (Kineto), github.com/pytorch/kineto",
    .licence = "the publisher's",
    .table = TRACE_OPS,
    .whole = true,
    .sniff = kineto_sniff,
    .open = kineto_open,
    .done = kineto_done,
    .row = kineto_row,
    .head = kineto_head,
    .put = kineto_put,
    .tail = kineto_tail,
};
