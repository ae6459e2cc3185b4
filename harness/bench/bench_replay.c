/* bench_replay.c - a long trace through the request path, and how much memory that takes.
 *
 * Synthesizes requests (azure-conv), writes them to the HDF5 store, streams
 * them back and serves every one of them on the shipped H100 profile.  Each
 * step runs in a process of its own, so that its peak memory is its own: a
 * replay of ten times as many rows must not take more.                      */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/bench/bench.h"
#include "harness/base/places.h"
#include "harness/base/profile.h"
#include "models/machine.h"
#include "models/model.h"
#include "traces/source.h"
#include "traces/store.h"

#define RSS_GROWTH 1.05 /* what ten times the rows may take */

struct step_result {
    double cpu_s;
    double completed;
    struct err e;
};

/* Peak resident memory comes from the kernel's account of the child. */
struct step {
    struct step_result r;
    double rss_mib;
};

struct replay {
    char path[512]; /* the store file */
    uint64_t rows;  /* of this step */
};

/* ---- the steps --------------------------------------------------------------------- */

static int synth_source(uint64_t rows, struct request_source **out, struct err *e)
{
    char text[128];
    struct config *section;
    struct trace_about about;
    snprintf(text, sizeof text, "{\"synth\":{\"preset\":\"azure-conv\",\"requests\":%llu}}",
             (unsigned long long)rows);
    int rc = config_parse(&section, "bench", text, strlen(text), e);
    if (!rc) {
        rc = trace_source_open(section, 1, &(struct trace_places){0}, out, &about, e);
        config_free(section);
    }
    return rc;
}

static int copy_rows(struct request_source *from, struct store_writer *to, struct err *e)
{
    union trace_row row;
    int rc;
    while ((rc = from->next(from, &row.request, e)) > 0) {
        rc = store_put(to, &row, e);
        if (rc)
            return rc;
    }
    return rc;
}

static int write_store(const struct replay *p, struct step_result *r, struct err *e)
{
    struct request_source *from = NULL;
    struct store_writer *to = NULL;
    struct trace_meta meta = {
        .source = "malv bench replay", .licence = "Apache-2.0", .importer = "synth"};
    (void)r;
    int rc = synth_source(p->rows, &from, e);
    if (!rc)
        rc = store_create(&to, p->path, TRACE_REQUESTS, STORE_DEFLATE, e);
    if (!rc)
        rc = copy_rows(from, to, e);
    if (from)
        from->close(from);
    if (rc) {
        store_abort(to);
        return rc;
    }
    return store_commit(to, &meta, NULL, e);
}

static int open_machine(struct machine **m, struct err *e)
{
    struct config *json = NULL;
    char *path = places_root("machines/h100-server.json");
    if (!path)
        return err_set(e, ERR_EIO,
                       "machines/h100-server.json: cannot tell where the program's files are");
    int rc = profile_load(&json, path, e);
    free(path);
    if (!rc)
        rc = machine_load(m, json, e);
    config_free(json);
    return rc;
}

static int serve(const struct machine *m, struct request_source *requests, struct step_result *r,
                 struct err *e)
{
    struct measures *out = measures_new();
    struct config *section = NULL;
    struct model_env env = {.seed = 1, .machine = m, .requests = requests, .stack = "native"};
    int rc =
        out ? config_parse(&section, "bench", "{}", 2, e) : err_set(e, ERR_ENOMEM, "out of memory");
    if (!rc)
        rc = model_serve.run(section, &env, out, e);
    const double *done = rc ? NULL : measures_find(out, "completed");
    r->completed = done ? *done : 0;
    config_free(section);
    measures_free(out);
    return rc;
}

static int replay_store(const struct replay *p, struct step_result *r, struct err *e)
{
    struct machine *m = NULL;
    struct config *section = NULL;
    struct request_source *requests = NULL;
    struct trace_about about;
    char text[640];
    snprintf(text, sizeof text, "{\"file\":\"%s\",\"limit\":%llu}", p->path,
             (unsigned long long)p->rows);
    int rc = open_machine(&m, e);
    if (!rc)
        rc = config_parse(&section, "bench", text, strlen(text), e);
    if (!rc)
        rc = trace_source_open(section, 1, &(struct trace_places){0}, &requests, &about, e);
    if (!rc)
        rc = serve(m, requests, r, e);
    if (requests)
        requests->close(requests);
    config_free(section);
    machine_free(m);
    return rc;
}

/* ---- a process for each ---------------------------------------------------------------- */

typedef int step_fn(const struct replay *p, struct step_result *r, struct err *e);

static void child(step_fn *fn, const struct replay *p, int to)
{
    struct step_result r = {0};
    double began = bench_cpu_s();
    if (fn(p, &r, &r.e) && !r.e.code)
        err_set(&r.e, ERR_EFAIL, "the step failed without a word");
    r.cpu_s = bench_cpu_s() - began;
    ssize_t n = write(to, &r, sizeof r);
    _exit(n == (ssize_t)sizeof r ? 0 : 1);
}

static int in_child(step_fn *fn, const struct replay *p, struct step *s, struct err *e)
{
    int pipe_fd[2], status;
    struct rusage use;
    fflush(NULL);
    if (pipe(pipe_fd))
        return err_set(e, ERR_EIO, "pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        close(pipe_fd[0]);
        child(fn, p, pipe_fd[1]);
    }
    close(pipe_fd[1]);
    ssize_t n = pid < 0 ? -1 : read(pipe_fd[0], &s->r, sizeof s->r);
    close(pipe_fd[0]);
    if (pid < 0 || wait4(pid, &status, 0, &use) != pid || n != (ssize_t)sizeof s->r)
        return err_set(e, ERR_EFAIL, "the step's process ended early");
    s->rss_mib = (double)use.ru_maxrss / 1024;
    if (s->r.e.code)
        return err_set(e, s->r.e.code, "%s", s->r.e.msg);
    return 0;
}

static void row(struct bench *b, const char *unit, double value, double target, const char *name,
                uint64_t rows)
{
    struct bench_row *r = bench_add(b, unit, &value, 1, "%s.%llu", name, (unsigned long long)rows);
    if (r)
        r->target = target;
}

static int measure(struct bench *b, struct replay *p, uint64_t rows, double *rss, struct err *e)
{
    struct step s;
    p->rows = rows;
    int rc = in_child(replay_store, p, &s, e);
    if (rc)
        return rc;
    if (s.r.completed != (double)rows)
        return err_set(e, ERR_EFAIL, "%.0f of %llu requests were served", s.r.completed,
                       (unsigned long long)rows);
    row(b, "rows/s", (double)rows / s.r.cpu_s, 0, "replay.speed", rows);
    row(b, "MiB", s.rss_mib, 0, "replay.rss", rows);
    *rss = s.rss_mib;
    return 0;
}

int bench_replay(struct bench *b, struct err *e)
{
    uint64_t most = b->quick ? 200000 : 10000000, few = most / 10;
    const char *tmp = getenv("TMPDIR");
    struct replay p = {.rows = most};
    struct step s;
    double rss_few = 0, rss_most = 0;
    snprintf(p.path, sizeof p.path, "%s/malv-bench-replay.%ld.h5", tmp ? tmp : "/tmp",
             (long)getpid());
    int rc = in_child(write_store, &p, &s, e);
    if (!rc) {
        row(b, "rows/s", (double)most / s.r.cpu_s, 0, "write.speed", most);
        row(b, "MiB", s.rss_mib, 0, "write.rss", most);
        rc = measure(b, &p, few, &rss_few, e);
    }
    if (!rc)
        rc = measure(b, &p, most, &rss_most, e);
    if (!rc)
        row(b, "1", rss_most / rss_few, RSS_GROWTH, "replay.rss_growth", most / few);
    unlink(p.path);
    return rc;
}
