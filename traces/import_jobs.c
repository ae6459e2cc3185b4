/* import_jobs.c - logs of training jobs on GPU clusters, columns found by name.
 *
 * philly   Microsoft Philly 2017 as the authors of Pollux extracted it: calendar
 *          time of submission, seconds of running, GPUs, virtual cluster
 * pai-sim  the input of Alibaba's PAI simulator, whole seconds; its `user` and
 *          three estimates of the duration, of which the estimates are left out
 *
 * The virtual cluster is the job's group.  Rows are not sorted by time.       */
#include <string.h>

#include "traces/import.h"
#include "traces/parse.h"

#define NS_PER_S UINT64_C(1000000000)
#define S_MAX    (UINT64_C(1) << 33) /* 272 years */
#define GPUS_MAX 65536u
#define CPU_MAX  1000000u

enum { SUBMITTED, DURATION, GPUS, CPUS, GROUP, SPEC, JOB, COLUMNS };

static const char *const philly_names[COLUMNS] = {
    [SUBMITTED] = "timestamp", [DURATION] = "duration", [GPUS] = "num_gpus", [GROUP] = "cluster"};
static const char *const pai_names[COLUMNS] = {[SUBMITTED] = "submit_time",
                                               [DURATION] = "duration",
                                               [GPUS] = "num_gpu",
                                               [CPUS] = "num_cpu",
                                               [GROUP] = "user",
                                               [SPEC] = "gpu_type",
                                               [JOB] = "job_id"};

static bool begins(const char *head, size_t len, const char *with)
{
    return len >= strlen(with) && !memcmp(head, with, strlen(with));
}

static bool philly_sniff(const char *head, size_t len)
{
    return begins(head, len, "timestamp,duration,num_gpus,");
}

static bool pai_sniff(const char *head, size_t len)
{
    return begins(head, len, "job_id,user,num_inst,submit_time,");
}

static int find(struct importer *im, const char *const names[COLUMNS], struct err *e)
{
    int rc = 0;
    for (int i = 0; i < COLUMNS && !rc; i++) {
        im->column[i] = -1;
        if (names[i])
            rc = csv_want_column(&im->csv, names[i], &im->column[i], e);
    }
    return rc;
}

static int philly_open(struct importer *im, struct err *e)
{
    return find(im, philly_names, e);
}

static int pai_open(struct importer *im, struct err *e)
{
    return find(im, pai_names, e);
}

static int seconds(struct importer *im, int what, uint64_t *ns, struct err *e)
{
    const struct csv_field *f = &im->csv.field[im->column[what]];
    if (parse_decimal_ns(f->text, f->len, NS_PER_S, ns) && *ns <= S_MAX * NS_PER_S)
        return 0;
    return csv_complain(&im->csv, im->column[what], e, "seconds");
}

static int common(struct importer *im, struct trace_job *j, struct err *e)
{
    int rc = csv_next(&im->csv, e);
    if (rc <= 0)
        return rc;
    *j = (struct trace_job){.wait_ns = TRACE_TIME_NONE,
                            .gpu_milli = 1000,
                            .gpu_spec = TRACE_NAME_NONE,
                            .user = TRACE_NAME_NONE,
                            .status = TRACE_NAME_NONE,
                            .qos = TRACE_NAME_NONE,
                            .name = TRACE_NAME_NONE,
                            .row = im->rows};
    if ((rc = seconds(im, DURATION, &j->duration_ns, e)) ||
        (rc = csv_u32(&im->csv, im->column[GPUS], GPUS_MAX, &j->gpus, e)) ||
        (rc = import_name(im, im->column[GROUP], &j->group, e)))
        return rc;
    im->rows++;
    return 1;
}

static int philly_row(struct importer *im, union trace_row *out, struct err *e)
{
    struct stamp at;
    int rc = common(im, &out->job, e);
    if (rc <= 0)
        return rc;
    const struct csv_field *f = &im->csv.field[im->column[SUBMITTED]];
    if (!parse_stamp(f->text, f->len, &at))
        return csv_complain(&im->csv, im->column[SUBMITTED], e, "YYYY-MM-DD HH:MM:SS");
    out->job.time_ns = at.ns;
    return 1;
}

static int pai_row(struct importer *im, union trace_row *out, struct err *e)
{
    struct trace_job *j = &out->job;
    uint32_t cpus = 0;
    int rc = common(im, j, e);
    if (rc <= 0)
        return rc;
    if ((rc = seconds(im, SUBMITTED, &j->time_ns, e)) ||
        (rc = csv_u32(&im->csv, im->column[CPUS], CPU_MAX, &cpus, e)) ||
        (rc = import_name(im, im->column[SPEC], &j->gpu_spec, e)) ||
        (rc = import_name(im, im->column[JOB], &j->name, e)))
        return rc;
    j->cpu_milli = cpus * 1000;
    return 1;
}

const struct import_format import_philly = {
    .name = "philly",
    .title = "Microsoft Philly jobs (2017)",
    .source = "Microsoft Philly (Jeon et al., ATC'19), github.com/msr-fiddle/philly-traces, as "
              "extracted in github.com/pkusys/ElasticFlow",
    .licence = "CC-BY-4.0",
    .table = TRACE_JOBS,
    .csv = true,
    .sniff = philly_sniff,
    .open = philly_open,
    .row = philly_row,
};

const struct import_format import_pai_sim = {
    .name = "pai-sim",
    .title = "jobs as Alibaba's PAI simulator reads them",
    .source = "not said",
    .licence = "not said",
    .table = TRACE_JOBS,
    .csv = true,
    .sniff = pai_sniff,
    .open = pai_open,
    .row = pai_row,
};
