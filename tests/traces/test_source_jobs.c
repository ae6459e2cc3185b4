/* Jobs and nodes of a trace section: jobs in order of time whatever the file's, and the texts that
 * rows name, whatever the rows come through. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/config.h"
#include "traces/convert.h"
#include "traces/source.h"

static char dir[64];

static void put(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    cr_assert(f && fputs(text, f) >= 0);
    fclose(f);
}

static void store(const char *from, const char *to)
{
    struct trace_file *t;
    struct trace_meta m;
    struct err e = {0};
    char a[128], b[128];
    snprintf(a, sizeof a, "%s/%s", dir, from);
    snprintf(b, sizeof b, "%s/%s", dir, to);
    cr_assert_eq(trace_file_open(&t, a, NULL, 0, &e), 0, "%s", e.msg);
    cr_assert_eq(convert_to_store(t, b, STORE_DEFLATE, &m, NULL, NULL, &e), 0, "%s", e.msg);
    trace_file_close(t);
}

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/malv-jobs-XXXXXX");
    cr_assert(mkdtemp(dir));
    /* two at the same second: the file's order decides */
    put("jobs.csv", "job_id,user,num_inst,submit_time,num_gpu,num_cpu,duration,gpu_type\n"
                    "late,ann,1,1300,4,8,60,V100\n"
                    "tie-a,bob,1,1100,1,1,20,\n"
                    "first,ann,1,1000,2,2,30,P100\n"
                    "tie-b,cid,1,1100,8,1,5,V100\n");
    put("nodes.csv", "sn,cpu_milli,memory_mib,gpu,model\nn0,32000,1024,2,T4\nn1,64000,2048,8,G2\n");
    store("jobs.csv", "jobs.h5");
    store("nodes.csv", "nodes.h5");
}

static void end(void)
{
    static const char *const made[] = {"jobs.csv", "jobs.h5", "nodes.csv", "nodes.h5"};
    char path[128];
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, made[i]);
        unlink(path);
    }
    rmdir(dir);
}

TestSuite(source_jobs, .init = begin, .fini = end);

static struct row_source *open_section(const char *text, unsigned tables, int *rc, struct err *e)
{
    struct config *c;
    struct row_source *s = NULL;
    struct trace_places where = {dir, dir};
    cr_assert_eq(config_parse(&c, "x.json", text, strlen(text), e), 0, "%s", e->msg);
    *rc = trace_rows_open(c, tables, 1, &where, &s, NULL, e);
    config_free(c);
    return s;
}

struct want {
    const char *name, *group, *spec; /* spec NULL: not said */
    uint64_t s, row;
    uint32_t gpus;
};
static const struct want jobs[] = {{"first", "ann", "P100", 0, 2, 2},
                                   {"tie-a", "bob", NULL, 100, 1, 1},
                                   {"tie-b", "cid", "V100", 100, 3, 8},
                                   {"late", "ann", "V100", 300, 0, 4}};

static void expect_text(const struct row_source *s, uint32_t id, const char *want)
{
    const char *got = id == TRACE_NAME_NONE ? NULL : s->name(s, id);
    if (want)
        cr_expect(got && !strcmp(got, want), "got %s, want %s", got ? got : "nothing", want);
    else
        cr_expect_null(got);
}

/* n jobs from `first` on; stretch: how much slower they arrive. */
static void check(const char *section, size_t first, size_t n, uint64_t stretch)
{
    struct err e = {0};
    union trace_row row;
    int rc;
    struct row_source *s = open_section(section, 1u << TRACE_JOBS, &rc, &e);
    cr_assert_eq(rc, 0, "%s: %s", section, e.msg);
    for (int again = 0; again < 2; again++) {
        for (size_t i = first; i < first + n; i++) {
            const struct want *w = &jobs[i];
            cr_assert_eq(s->next(s, &row, &e), 1, "%s: %s", section, e.msg);
            cr_expect_eq(row.job.time_ns, (w->s - jobs[first].s) * stretch * 1000000000);
            cr_expect_eq(row.job.row, w->row);
            cr_expect_eq(row.job.gpus, w->gpus);
            expect_text(s, row.job.name, w->name);
            expect_text(s, row.job.group, w->group);
            expect_text(s, row.job.gpu_spec, w->spec);
        }
        cr_expect_eq(s->next(s, &row, &e), 0);
        cr_assert_eq(s->rewind(s, &e), 0, "%s", e.msg);
    }
    cr_expect_null(s->name(s, 1000000), "no row has mentioned it");
    s->close(s);
}

Test(source_jobs, a_published_list_comes_in_order_of_time_then_of_its_rows)
{
    check("{\"import\": {\"format\": \"pai-sim\", \"file\": \"jobs.csv\"}}", 0, 4, 1);
}

Test(source_jobs, so_does_a_stored_one)
{
    check("{\"file\": \"jobs.h5\"}", 0, 4, 1);
}

Test(source_jobs, a_limit_takes_the_first_of_them)
{
    check("{\"import\": {\"file\": \"jobs.csv\"}, \"limit\": 2}", 0, 2, 1);
    check("{\"file\": \"jobs.h5\", \"limit\": 3}", 0, 3, 1);
}

Test(source_jobs, a_window_takes_those_in_it)
{
    check(
        "{\"import\": {\"file\": \"jobs.csv\"}, \"window\": {\"start_s\": 100, \"length_s\": 150}}",
        1, 2, 1);
    check("{\"file\": \"jobs.h5\", \"window\": {\"start_s\": 100, \"length_s\": 200}}", 1, 2, 1);
}

Test(source_jobs, half_the_rate_doubles_the_times)
{
    check("{\"import\": {\"file\": \"jobs.csv\"}, \"rate_scale\": 0.5}", 0, 4, 2);
}

static void check_nodes(const char *section, size_t n)
{
    struct err e = {0};
    union trace_row row;
    int rc;
    struct row_source *s = open_section(section, 1u << TRACE_NODES, &rc, &e);
    cr_assert_eq(rc, 0, "%s: %s", section, e.msg);
    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(s->next(s, &row, &e), 1, "%s", e.msg);
        expect_text(s, row.node.name, i ? "n1" : "n0");
        expect_text(s, row.node.model, i ? "G2" : "T4");
        cr_expect_eq(row.node.gpus, i ? 8 : 2);
        cr_expect_eq(row.node.mem_bytes, (i ? 2048ull : 1024ull) << 20);
    }
    cr_expect_eq(s->next(s, &row, &e), 0);
    s->close(s);
}

Test(source_jobs, nodes_come_as_they_are)
{
    check_nodes("{\"import\": {\"file\": \"nodes.csv\"}}", 2);
    check_nodes("{\"file\": \"nodes.h5\"}", 2);
    check_nodes("{\"file\": \"nodes.h5\", \"limit\": 1}", 1);
}

Test(source_jobs, nodes_have_no_window_and_no_rate)
{
    struct err e = {0};
    int rc;
    open_section("{\"file\": \"nodes.h5\", \"rate_scale\": 2}", 1u << TRACE_NODES, &rc, &e);
    cr_expect_str_eq(e.msg, "x.json: rate_scale: of no use: nodes have no time");
    e = (struct err){0};
    open_section("{\"file\": \"nodes.h5\", \"window\": {\"length_s\": 1}}", 1u << TRACE_NODES, &rc,
                 &e);
    cr_expect_str_eq(e.msg, "x.json: window: of no use: nodes have no time");
}

Test(source_jobs, a_bad_job_is_a_sentence_before_any_is_given_out)
{
    struct err e = {0};
    int rc;
    put("jobs.csv", "timestamp,duration,num_gpus,cluster\n2017-10-03 02:11:09,1,1,a\n"
                    "yesterday,1,1,a\n");
    open_section("{\"import\": {\"file\": \"jobs.csv\"}}", 1u << TRACE_JOBS, &rc, &e);
    cr_expect_eq(rc, ERR_EPARSE);
    cr_expect(strstr(e.msg, "/jobs.csv:3:1: got \"yesterday\", want YYYY-MM-DD HH:MM:SS"), "%s",
              e.msg);
}
