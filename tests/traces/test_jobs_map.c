/* Column maps: the shipped ones on rows as published, what they refuse, and what comes back.  The
 * rows of Helios, Acme, PAI and the spot trace are the examples of their publishers' READMEs. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traces/column_map.h"
#include "traces/parse.h"
#include "traces/schema.h"
#include "traces/source.h"

#define S  UINT64_C(1000000000)
#define NO TRACE_TIME_NONE

static void read_file(struct column_map *m, const char *name)
{
    struct config *doc;
    struct err e = {0};
    char *path = column_map_path(name);
    cr_assert_eq(config_load(&doc, path, &e), 0, "%s", e.msg);
    cr_assert_eq(column_map_read(m, doc, &e), 0, "%s", e.msg);
    config_free(doc);
    free(path);
}

static int read_text(struct column_map *m, const char *text, struct err *e)
{
    struct config *doc;
    int rc = config_parse(&doc, "m", text, strlen(text), e);
    cr_assert_eq(rc, 0, "%s", e->msg);
    rc = column_map_read(m, doc, e);
    config_free(doc);
    return rc;
}

static struct importer *open_text(const struct column_map *m, const char *text, int *rc,
                                  struct err *e)
{
    struct input *in;
    struct importer *im = NULL;
    *rc = input_open_memory(&in, "t", text, strlen(text), e);
    if (!*rc)
        *rc = import_open_input(&im, in, &m->format, 0, e);
    return im;
}

static uint64_t at(const char *stamp)
{
    struct stamp s;
    cr_assert(parse_stamp(stamp, strlen(stamp), &s));
    return s.ns;
}

struct want {
    const char *map, *text, *submit; /* submit NULL: time_ns */
    uint64_t time_ns, duration_ns, wait_ns;
    uint32_t gpus, gpu_milli, cpu_milli;
    uint64_t mem_bytes;
    const char *user, *group, *spec, *status, *qos, *name;
};
static const struct want published[] = {
    {"helios",
     "job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,"
     "queue\n"
     "1425511,uXBbc,vcJkd,1,1,1,COMPLETED,2020-06-09 18:41:01,2020-06-09 18:41:01,2020-06-10 "
     "04:55:09,36848,0\n",
     "2020-06-09 18:41:01", 0, 36848 * S, 0, 1, 1000, 1000, 0, "uXBbc", "vcJkd", NULL, "COMPLETED",
     NULL, "1425511"},
    {"acme-seren",
     "job_id,user,node_num,gpu_num,cpu_num,type,state,submit_time,start_time,end_time,duration,"
     "queue,gpu_time\n"
     "5778432,u5907,1,8,128,Other,FAILED,2023-03-01 00:18:22+08:00,2023-03-01 00:18:54+08:00,"
     "2023-03-01 00:20:51+08:00,117,32,936.0\n",
     "2023-03-01 00:18:22", 0, 117 * S, 32 * S, 8, 1000, 128000, 0, "u5907", "Other", NULL,
     "FAILED", NULL, "5778432"},
    {"acme-kalos",
     "job_id,user,node_num,gpu_num,cpu_num,mem_per_pod_GB,shared_mem_per_pod,type,state,submit_"
     "time,"
     "start_time,end_time,fail_time,stop_time,duration,queue,gpu_time\n"
     "dlctk696s0jbvitv,uf794,8,64,960,1000,100.0,Other,FAILED,2023-05-17 11:00:58+00:00,2023-05-17 "
     "11:01:08+00:00,2023-05-17 11:01:16+00:00,2023-05-17 11:01:16+00:00,,18,10.0,1152.0\n",
     "2023-05-17 11:00:58", 0, 8 * S, 10 * S, 64, 1000, 960000, UINT64_C(8000000000000), "uf794",
     "Other", NULL, "FAILED", NULL, "dlctk696s0jbvitv"},
    {"pai-task",
     "4f057009a5d481acec67b088,tensorflow,1.0,Terminated,1739162.0,1739200.0,600.0,29.296875,"
     "50.0,MISC\n",
     NULL, 1739162 * S, 38 * S, NO, 1, 500, 6000, UINT64_C(30000) << 20, NULL, "tensorflow", "MISC",
     "Terminated", NULL, "4f057009a5d481acec67b088"},
    /* the second task of the README's drawing: two instances of half a GPU, not yet ended */
    {"pai-task", "job_0,worker,2.0,Running,10.5,,400.0,,50.0,\n", NULL, 10 * S + S / 2, NO, NO, 2,
     500, 8000, 0, NULL, "worker", NULL, "Running", NULL, "job_0"},
    {"alibaba-spot",
     "job_name,organization,gpu_model,cpu_request,gpu_request,worker_num,submit_time,duration,job_"
     "type\n"
     "437260,57,A100-SXM4-80GB,15.0,1.0,16,9589663,41060,Spot\n",
     NULL, 9589663 * S, 41060 * S, NO, 16, 1000, 240000, 0, NULL, "57", "A100-SXM4-80GB", NULL,
     "Spot", "437260"},
    {"tiresias",
     "job_id,num_gpu,submit_time,iterations,model_name,duration,interval\n1,8,30,133,vgg11,147,"
     "23\n",
     NULL, 30 * S, 147 * S, NO, 8, 1000, 0, 0, NULL, "vgg11", NULL, NULL, NULL, "1"},
};

ParameterizedTestParameters(jobs_map, rows_as_published)
{
    static int row[sizeof published / sizeof *published];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

static void named(const struct importer *im, uint32_t id, const char *want)
{
    const char *got = id == TRACE_NAME_NONE ? NULL : names_text(im->names, id);
    cr_expect((!got && !want) || (got && want && !strcmp(got, want)), "got %s, want %s",
              got ? got : "none", want ? want : "none");
}

ParameterizedTest(int *row, jobs_map, rows_as_published)
{
    const struct want *w = &published[*row];
    struct column_map m;
    struct err e = {0};
    union trace_row r;
    int rc;
    read_file(&m, w->map);
    struct importer *im = open_text(&m, w->text, &rc, &e);
    cr_assert_eq(rc, 0, "%s", e.msg);
    cr_assert_eq(import_next(im, &r, &e), 1, "%s", e.msg);
    const struct trace_job *j = &r.job;
    cr_expect_eq(j->time_ns, w->submit ? at(w->submit) : w->time_ns);
    cr_expect_eq(j->duration_ns, w->duration_ns);
    cr_expect_eq(j->wait_ns, w->wait_ns);
    cr_expect_eq(j->gpus, w->gpus);
    cr_expect_eq(j->gpu_milli, w->gpu_milli);
    cr_expect_eq(j->cpu_milli, w->cpu_milli);
    cr_expect_eq(j->mem_bytes, w->mem_bytes);
    named(im, j->user, w->user);
    named(im, j->group, w->group);
    named(im, j->gpu_spec, w->spec);
    named(im, j->status, w->status);
    named(im, j->qos, w->qos);
    named(im, j->name, w->name);
    cr_expect_eq(import_next(im, &r, &e), 0);
    import_close(im);
}

Test(jobs_map, every_shipped_map_reads)
{
    glob_t g;
    cr_assert_eq(glob("traces/maps/*.json", 0, NULL, &g), 0);
    cr_expect_geq(g.gl_pathc, 7);
    for (size_t i = 0; i < g.gl_pathc; i++) {
        struct column_map m;
        read_file(&m, g.gl_pathv[i]);
        cr_expect_str_neq(m.source, "not said", "%s: where is it from?", g.gl_pathv[i]);
    }
    globfree(&g);
}

#define MAP "{\"submit\": {\"column\": \"at\", \"unit\": \"s\"}, "

static const struct {
    const char *map, *text, *want;
} bad[] = {
    {"[]", "", "m: got an array of 0, want a column map: an object of fields"},
    {"{}", "", "m: got an object, want a field \"submit\""},
    {MAP "\"gpu\": 1}", "", "m: gpu: unknown key"},
    {MAP "\"gpus\": {\"colum\": \"x\"}}", "",
     "m: gpus: unknown key \"colum\"; did you mean \"column\"?"},
    {MAP "\"duration\": {\"column\": \"x\"}}", "",
     "m: duration: got an object, want a \"unit\" beside the column"},
    {MAP "\"duration\": {\"column\": \"x\", \"unit\": \"datetime\"}}", "",
     "m: duration.unit: got \"datetime\", want one of \"ns\", \"us\", \"ms\", \"s\", \"min\", "
     "\"h\""},
    {MAP "\"end\": {\"column\": \"x\", \"unit\": \"s\"}}", "",
     "m: got an object, want \"start\" beside \"end\""},
    {MAP "\"start\": {\"column\": \"x\", \"unit\": \"datetime\"}}", "",
     "m: start: got an object, want datetime as \"submit\", or neither"},
    {MAP "\"user\": {\"column\": \"x\", \"unit\": \"s\"}}", "",
     "m: user.unit: got \"s\", want none: it is a text"},
    {MAP "\"user\": {\"column\": \"x\", \"times\": \"y\"}}", "",
     "m: user.times: got \"y\", want none: only gpus, cpus and mem"},
    {MAP "\"header\": false}", "",
     "m: got an object, want \"columns\", as the file has no line of names"},
    {MAP "\"columns\": [\"a\"]}", "",
     "m: submit: got an object, want columns that \"columns\" lists"},
    {MAP "\"gpus\": -1}", "", "m: gpus: got -1, want an integer 0..65536"},
    {MAP "\"gpus\": {\"column\": \"n\"}}", "at,m\n", "t:1:1: column \"n\" is missing"},
    {MAP "\"gpus\": {\"column\": \"n\"}}", "at,n\n-1,2\n",
     "t:2:1: got \"-1\", want a number, not negative, of at most 2^33 s"},
    {MAP "\"gpus\": {\"column\": \"n\"}}", "at,n\n,2\n",
     "t:2:1: got \"\", want when the job was submitted"},
    {MAP "\"gpus\": {\"column\": \"n\"}}", "at,n\n1,many\n",
     "t:2:3: got \"many\", want a number, not negative, of at most 65536"},
    {MAP "\"gpus\": {\"column\": \"n\"}}", "at,n\n1,2,3\n", "t:2:1: got 3 fields, want 2"},
    {MAP "\"gpus\": {\"column\": \"n\", \"times\": \"w\"}}", "at,n,w\n1,2,0.5\n",
     "t:2:5: got \"0.5\", want an integer 0..65536"},
    {MAP "\"gpus\": {\"column\": \"n\", \"times\": \"w\"}}", "at,n,w\n1,2,60000\n",
     "t:2:3: got \"2\", want less of \"gpus\" in one job"},
    {MAP "\"gpu_milli\": {\"column\": \"m\"}, \"gpus\": {\"column\": \"n\"}}",
     "at,n,m\n1,1.5,500\n",
     "t:2:3: got \"1.5\", want whole GPUs, as \"gpu_milli\" says which part of each"},
    {"{\"submit\": {\"column\": \"at\", \"unit\": \"datetime\"}}", "at\nnoon\n",
     "t:2:1: got \"noon\", want a time YYYY-MM-DD HH:MM:SS"},
    {"{\"submit\": {\"column\": \"at\", \"unit\": \"datetime\"}}",
     "at\n2020-01-01 00:00:00Z\n2020-01-01 00:00:00+08:00\n",
     "t:3:1: got \"2020-01-01 00:00:00+08:00\", want the same zone as the first time, \"Z\""},
    {MAP "\"start\": {\"column\": \"b\", \"unit\": \"s\"}, \"end\": {\"column\": \"e\", \"unit\": "
         "\"s\"}}",
     "at,b,e\n5,9,8\n", "t:2:5: got \"8\", want a time not before the job's start"},
    {MAP "\"start\": {\"column\": \"b\", \"unit\": \"s\"}}", "at,b\n5,4\n",
     "t:2:3: got \"4\", want a time not before the job's submission"},
};

ParameterizedTestParameters(jobs_map, what_is_wrong_is_said)
{
    static int row[sizeof bad / sizeof *bad];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, jobs_map, what_is_wrong_is_said)
{
    struct column_map m;
    struct err e = {0};
    union trace_row r;
    struct importer *im = NULL;
    int rc = read_text(&m, bad[*row].map, &e);
    if (!rc)
        im = open_text(&m, bad[*row].text, &rc, &e);
    while (!rc && (rc = import_next(im, &r, &e)) == 1)
        rc = 0;
    cr_expect_lt(rc, 0, "%s: %s was taken", bad[*row].map, bad[*row].text);
    cr_expect_str_eq(e.msg, bad[*row].want);
    import_close(im);
}

/* Parts of GPUs: 1.5 are two of three quarters; a constant is everybody's. */
Test(jobs_map, parts_of_gpus_and_constants)
{
    static const struct {
        const char *map, *text;
        uint32_t gpus, milli;
    } each[] = {
        {MAP "\"gpus\": {\"column\": \"n\"}}", "at,n\n0,1.5\n", 2, 750},
        {MAP "\"gpus\": {\"column\": \"n\"}}", "at,n\n0,0.25\n", 1, 250},
        {MAP "\"gpus\": {\"column\": \"n\"}}", "at,n\n0,0\n", 0, 0},
        {MAP "\"gpus\": {\"column\": \"n\"}}", "at,n\n0,\n", 0, 0},
        {MAP "\"gpus\": {\"column\": \"n\", \"unit\": \"milli\"}}", "at,n\n0,2500\n", 3, 834},
        {MAP "\"gpus\": {\"column\": \"n\"}, \"gpu_milli\": 500}", "at,n\n0,4\n", 4, 500},
        {MAP "\"gpus\": 2}", "at\n0\n", 2, 1000},
        {MAP "\"gpus\": 1, \"gpu_milli\": {\"column\": \"m\"}}", "at,m\n0,125\n", 1, 125},
    };
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        struct column_map m;
        struct err e = {0};
        union trace_row r;
        int rc = read_text(&m, each[i].map, &e);
        struct importer *im = rc ? NULL : open_text(&m, each[i].text, &rc, &e);
        cr_assert(!rc && import_next(im, &r, &e) == 1, "%s: %s", each[i].map, e.msg);
        cr_expect_eq(r.job.gpus, each[i].gpus, "%s", each[i].text);
        cr_expect_eq(r.job.gpu_milli, each[i].milli, "%s", each[i].text);
        import_close(im);
    }
}

static uint64_t digest(struct importer *im, char hex[SHA256_HEX], struct exporter *x)
{
    union trace_row r;
    struct err e = {0};
    struct sha256 s;
    uint64_t n = 0;
    int rc;
    sha256_init(&s);
    while ((rc = import_next(im, &r, &e)) == 1) {
        schema_digest(TRACE_JOBS, &r, &s);
        n++;
        if (x)
            export_row(x, &r);
    }
    cr_assert_eq(rc, 0, "%s", e.msg);
    schema_digest_names(im->names, &s);
    sha256_hex(&s, hex);
    return n;
}

Test(jobs_map, an_export_reads_as_the_same_records)
{
    static const char *const map =
        "{\"header\": false, \"columns\": [\"id\", \"skip\", \"at\", \"b\", \"e\", \"n\", "
        "\"mem\"], "
        "\"submit\": {\"column\": \"at\", \"unit\": \"datetime\"}, "
        "\"start\": {\"column\": \"b\", \"unit\": \"datetime\"}, "
        "\"end\": {\"column\": \"e\", \"unit\": \"datetime\"}, "
        "\"gpus\": {\"column\": \"n\", \"unit\": \"percent\"}, "
        "\"mem\": {\"column\": \"mem\", \"unit\": \"GiB\"}, \"name\": {\"column\": \"id\"}}";
    static const char *const text =
        "a,x,2020-01-01 00:00:00+01:00,2020-01-01 00:00:10.25+01:00,2020-01-01 00:00:20+01:00,150,"
        "29.296875\n"
        "\"b,c\",x,2019-12-31 23:59:59+01:00,,,33.3,0.3\n";
    struct column_map m;
    struct err e = {0};
    char first[SHA256_HEX], second[SHA256_HEX], *out = NULL;
    size_t len;
    int rc = read_text(&m, map, &e);
    cr_assert_eq(rc, 0, "%s", e.msg);
    struct importer *style = open_text(&m, text, &rc, &e);
    cr_assert_eq(digest(style, first, NULL), 2);
    struct importer *im = open_text(&m, text, &rc, &e);
    FILE *to = open_memstream(&out, &len);
    struct exporter x;
    cr_assert_eq(export_begin(&x, &m.format, import_meta(style), im->names, to, &e), 0);
    digest(im, first, &x);
    cr_assert_eq(export_end(&x, &e), 0);
    fclose(to);
    struct importer *again = open_text(&m, out, &rc, &e);
    cr_assert_eq(rc, 0, "%s", e.msg);
    cr_expect_eq(digest(again, second, NULL), 2);
    cr_expect_str_eq(first, second, "%s", out);
    import_close(again);
    import_close(im);
    import_close(style);
    free(out);
}

/* The philly importer knows the same columns by itself. */
Test(jobs_map, a_map_reads_what_its_importer_reads, .timeout = 60)
{
    static const char *const sections[] = {
        "{\"import\": {\"format\": \"philly\", \"file\": \"data:philly-2017/philly.csv.xz\"}}",
        "{\"import\": {\"map\": \"philly\", \"file\": \"data:philly-2017/philly.csv.xz\"}}"};
    char hex[2][SHA256_HEX];
    for (int i = 0; i < 2; i++) {
        struct config *c;
        struct row_source *rows;
        struct trace_about about;
        struct err e = {0};
        union trace_row r;
        struct sha256 s;
        cr_assert_eq(config_parse(&c, "x", sections[i], strlen(sections[i]), &e), 0);
        int rc =
            trace_rows_open(c, 1u << TRACE_JOBS, 1, &(struct trace_places){0}, &rows, &about, &e);
        config_free(c);
        if (rc == ERR_ENAME)
            cr_skip_test("the trace of Philly is not here");
        cr_assert_eq(rc, 0, "%s", e.msg);
        sha256_init(&s);
        while (rows->next(rows, &r, &e) == 1) {
            schema_digest(TRACE_JOBS, &r, &s);
            const char *group = rows->name(rows, r.job.group);
            sha256_add(&s, group, strlen(group));
        }
        sha256_hex(&s, hex[i]);
        cr_expect_eq(about.requests, 82247);
        rows->close(rows);
    }
    cr_expect_str_eq(hex[0], hex[1]);
}
