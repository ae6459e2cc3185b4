/* import_disb.c - DISB workloads (REEF, OSDI'22; XSched): who asks which model for an inference,
 * when.
 *
 * {"time": s, "tasks": [{"id", "load": {"type", "trace": [ms, ..]}, ..}, ..]}, and as REEF's own
 * artifact has it, {"time", "rt": [{"name", "trace"}, ..], "be": [..]}.  A row is
 * one request of a task with a trace: tenant is the task's place in the file, model its id; its
 * output is the one answer, it has no prompt.  Tasks without a trace (continuous: the next request
 * follows the last answer; periodic and random ones) have no arrivals to import: `notes` names
 * them. Left out: what serves the model, batch sizes, frequencies.                 */
#include <stdlib.h>
#include <string.h>

#include "sim/config.h"
#include "traces/import.h"
#include "traces/spill.h"

#define FILE_MOST ((size_t)16 << 20)
#define MS_MOST   (UINT64_C(1) << 40)
#define NS_PER_MS UINT64_C(1000000)

struct arrival {
    uint64_t ns;
    uint32_t task, name;
};

struct disb {
    struct importer *im;
    struct spill *arrivals;
    uint32_t tasks;
    char idle[160]; /* ids of the tasks without a trace */
};

static int bad(struct disb *d, int rc, struct err *e)
{
    if ((rc != ERR_EPARSE && rc != ERR_ERANGE) || !d->im->skip_left)
        return rc;
    d->im->skip_left--;
    d->im->meta.skipped_rows++;
    if (e)
        *e = (struct err){0};
    return 0;
}

static int arrival(struct disb *d, const struct config *c, uint32_t name, uint64_t *last_ms,
                   struct err *e)
{
    uint64_t ms;
    int rc = config_u64(c, 0, MS_MOST, &ms, e);
    if (!rc && ms < *last_ms)
        rc = config_complain(c, e, "a time not before the one above (%llu ms)",
                             (unsigned long long)*last_ms);
    if (rc)
        return bad(d, rc, e);
    *last_ms = ms;
    struct arrival a = {ms * NS_PER_MS, d->tasks, name};
    return spill_add(d->arrivals, &a, e);
}

static int arrivals(struct disb *d, const struct config *list, const char *id, struct err *e)
{
    uint64_t last_ms = 0;
    uint32_t name;
    if (config_kind(list) != CONFIG_ARRAY)
        return config_complain(list, e, "a list of times in ms");
    int rc = import_label(d->im, id, &name, e);
    for (size_t i = 0; !rc && i < config_count(list); i++)
        rc = arrival(d, config_at(list, i), name, &last_ms, e);
    return rc;
}

static void name_idle(struct disb *d, const char *id)
{
    size_t at = strlen(d->idle);
    if (at + strlen(id) + 2 < sizeof d->idle && !strpbrk(id, ";=:,"))
        snprintf(d->idle + at, sizeof d->idle - at, "%s%s", at ? " " : "", id);
}

/* load NULL: the trace is the task's own. */
static int task(struct disb *d, const struct config *c, const char *key, struct err *e)
{
    const char *id;
    bool own = !strcmp(key, "name");
    const struct config *named = config_get(c, key), *load = own ? c : config_get(c, "load");
    const struct config *trace = load ? config_get(load, "trace") : NULL;
    if (!named || !load)
        return config_complain(c, e,
                               own ? "a task with a \"name\"" : "a task with \"id\" and \"load\"");
    int rc = config_str(named, &id, e);
    if (!rc && trace)
        rc = arrivals(d, trace, id, e);
    else if (!rc)
        name_idle(d, id);
    d->tasks++;
    return rc;
}

static int tasks(struct disb *d, const struct config *root, const char *list, const char *key,
                 struct err *e)
{
    const struct config *c = config_get(root, list);
    int rc = 0;
    if (c && config_kind(c) != CONFIG_ARRAY)
        return config_complain(c, e, "a list of tasks");
    for (size_t i = 0; !rc && c && i < config_count(c); i++)
        rc = task(d, config_at(c, i), key, e);
    return rc;
}

static int write_notes(struct disb *d, const struct config *root, struct err *e)
{
    const struct config *time = config_get(root, "time");
    char *to = d->im->meta.notes;
    uint64_t s = 0;
    int rc = time ? config_u64(time, 0, UINT32_MAX, &s, e) : 0;
    int n = snprintf(to, META_TEXT, "tasks=%u", d->tasks);
    if (time && config_get(root, "tasks")) /* of REEF's the unit is not said */
        n += snprintf(to + n, META_TEXT - (size_t)n, ";time_s=%llu", (unsigned long long)s);
    if (*d->idle)
        snprintf(to + n, META_TEXT - (size_t)n, ";tasks without a trace=%s", d->idle);
    return rc;
}

static int take(struct disb *d, const struct config *root, struct err *e)
{
    if (!config_get(root, "tasks") && !config_get(root, "rt") && !config_get(root, "be"))
        return config_complain(root, e, "a DISB workload: \"tasks\", or \"rt\" and \"be\"");
    int rc = tasks(d, root, "tasks", "id", e);
    if (!rc)
        rc = tasks(d, root, "rt", "name", e);
    if (!rc)
        rc = tasks(d, root, "be", "name", e);
    if (!rc && !spill_count(d->arrivals))
        return err_set(e, ERR_EPARSE,
                       "%s: none of its %u tasks has a trace of arrivals: continuous and periodic "
                       "ones are the experiment's to make",
                       d->im->path, d->tasks);
    return rc ? rc : write_notes(d, root, e);
}

static int disb_open(struct importer *im, struct err *e)
{
    struct disb *d = im->own = calloc(1, sizeof *d);
    struct config *root = NULL;
    char *text = NULL;
    size_t len;
    if (!d)
        return err_set(e, ERR_ENOMEM, "out of memory");
    d->im = im;
    int rc = spill_new(&d->arrivals, sizeof(struct arrival), SPILL_BYTES / 4, e);
    if (!rc)
        rc = input_read_all(im->in, FILE_MOST, "a DISB workload", &text, &len, e);
    if (!rc)
        rc = config_parse(&root, im->path, text, len, e);
    if (!rc)
        rc = take(d, root, e);
    config_free(root);
    free(text);
    return rc ? rc : spill_sort(d->arrivals, e);
}

static void disb_done(struct importer *im)
{
    struct disb *d = im->own;
    if (d)
        spill_free(d->arrivals);
    free(d);
}

static int disb_row(struct importer *im, union trace_row *out, struct err *e)
{
    struct disb *d = im->own;
    struct arrival a;
    int rc = spill_next(d->arrivals, &a, e);
    if (rc == 1)
        out->request = (struct trace_request){
            .time_ns = a.ns, .tenant = a.task, .model = a.name, .output_tokens = 1};
    return rc;
}

static bool disb_sniff(const char *head, size_t len)
{
    static const char *const parts[2][2] = {{"\"tasks\"", "\"load\""}, {"\"rt\"", "\"be\""}};
    if (!len || !memchr(head, '{', len < 64 ? len : 64))
        return false;
    for (int i = 0; i < 2; i++)
        if (memmem(head, len, parts[i][0], strlen(parts[i][0])) &&
            memmem(head, len, parts[i][1], strlen(parts[i][1])))
            return true;
    return false;
}

const struct import_format import_disb = {
    .name = "disb",
    .title = "DISB workloads: arrivals at inference tasks (REEF, XSched)",
    .source = "DISB (Han et al., REEF, OSDI'22), github.com/SJTU-IPADS/disb",
    .licence = "Apache-2.0",
    .table = TRACE_REQUESTS,
    .labels = {"prompt", "answers"},
    .whole = true,
    .sniff = disb_sniff,
    .open = disb_open,
    .done = disb_done,
    .row = disb_row,
};
