/* import_openb.c - Alibaba cluster-trace-gpu-v2023 (openb): pod lists and node lists.
 *
 * Pod lists have eleven columns; the multigpu ones only the first five, and
 * then say neither when a pod came nor how it ended.  Times are whole seconds
 * from the first pod; rows are sorted by name, not by time.  Memory is MiB.  */
#include <string.h>

#include "traces/import.h"

#define NS_PER_S UINT64_C(1000000000)
#define S_MAX    (UINT64_C(1) << 33) /* 272 years */
#define MIB_MAX  (UINT64_C(1) << 40)
#define CPU_MAX  1000000000u

enum {
    NAME,
    CPU,
    MEM,
    GPUS,
    GPU_MILLI,
    SPEC,
    QOS,
    PHASE,
    CREATED,
    DELETED,
    SCHEDULED,
    POD_COLUMNS
};
#define SHORT_COLUMNS 5 /* of the multigpu lists */
#define ONLY_SHORT    1u

static const char *const pod_names[POD_COLUMNS] = {
    "name", "cpu_milli", "memory_mib",    "num_gpu",       "gpu_milli",     "gpu_spec",
    "qos",  "pod_phase", "creation_time", "deletion_time", "scheduled_time"};

static bool begins(const char *head, size_t len, const char *with)
{
    return len >= strlen(with) && !memcmp(head, with, strlen(with));
}

static bool pods_sniff(const char *head, size_t len)
{
    return begins(head, len, "name,cpu_milli,memory_mib,num_gpu,gpu_milli");
}

static int pods_open(struct importer *im, struct err *e)
{
    int want = csv_column(&im->csv, pod_names[CREATED]) < 0 ? SHORT_COLUMNS : POD_COLUMNS;
    im->flags = want == SHORT_COLUMNS ? ONLY_SHORT : 0;
    for (int i = 0; i < POD_COLUMNS; i++)
        im->column[i] = -1;
    for (int i = 0; i < want; i++) {
        int rc = csv_want_column(&im->csv, pod_names[i], &im->column[i], e);
        if (rc)
            return rc;
    }
    return 0;
}

/* Seconds since the pod was created; an empty field is a time that never came. */
static int since(struct importer *im, int what, uint64_t created_s, uint64_t *ns, struct err *e)
{
    int field = im->column[what];
    uint64_t s;
    if (im->csv.field[field].len == 0) {
        *ns = TRACE_TIME_NONE;
        return 0;
    }
    int rc = csv_u64(&im->csv, field, S_MAX, &s, e);
    if (rc)
        return rc;
    if (s < created_s)
        return csv_complain(&im->csv, field, e, "a time not before creation_time (%llu)",
                            (unsigned long long)created_s);
    *ns = (s - created_s) * NS_PER_S;
    return 0;
}

static int pod_times(struct importer *im, struct trace_job *j, struct err *e)
{
    uint64_t created;
    int rc = csv_u64(&im->csv, im->column[CREATED], S_MAX, &created, e);
    if (rc || (rc = since(im, DELETED, created, &j->duration_ns, e)) ||
        (rc = since(im, SCHEDULED, created, &j->wait_ns, e)))
        return rc;
    j->time_ns = created * NS_PER_S;
    return 0;
}

static int pod_labels(struct importer *im, struct trace_job *j, struct err *e)
{
    int rc = import_name(im, im->column[SPEC], &j->gpu_spec, e);
    if (!rc)
        rc = import_name(im, im->column[QOS], &j->qos, e);
    if (!rc)
        rc = import_name(im, im->column[PHASE], &j->status, e);
    return rc;
}

static int pods_row(struct importer *im, union trace_row *out, struct err *e)
{
    struct trace_job *j = &out->job;
    int rc = csv_next(&im->csv, e), *col = im->column;
    if (rc <= 0)
        return rc;
    *j = (struct trace_job){.duration_ns = TRACE_TIME_NONE,
                            .wait_ns = TRACE_TIME_NONE,
                            .gpu_spec = TRACE_NAME_NONE,
                            .user = TRACE_NAME_NONE,
                            .group = TRACE_NAME_NONE,
                            .status = TRACE_NAME_NONE,
                            .qos = TRACE_NAME_NONE,
                            .row = im->rows};
    if ((rc = csv_u32(&im->csv, col[CPU], CPU_MAX, &j->cpu_milli, e)) ||
        (rc = csv_u64(&im->csv, col[MEM], MIB_MAX, &j->mem_bytes, e)) ||
        (rc = csv_u32(&im->csv, col[GPUS], 1024, &j->gpus, e)) ||
        (rc = csv_u32(&im->csv, col[GPU_MILLI], 1000, &j->gpu_milli, e)) ||
        (rc = im->flags ? 0 : pod_times(im, j, e)) || (rc = im->flags ? 0 : pod_labels(im, j, e)) ||
        (rc = import_name(im, col[NAME], &j->name, e)))
        return rc;
    j->mem_bytes <<= 20;
    im->rows++;
    return 1;
}

static void pods_head(struct exporter *x)
{
    int n = x->flags & ONLY_SHORT ? SHORT_COLUMNS : POD_COLUMNS;
    for (int i = 0; i < n; i++)
        fprintf(x->to, "%s%s", i ? "," : "", pod_names[i]);
}

static void put_seconds(struct exporter *x, uint64_t base_ns, uint64_t ns)
{
    if (ns == TRACE_TIME_NONE)
        fputc(',', x->to);
    else
        fprintf(x->to, ",%llu", (unsigned long long)((base_ns + ns) / NS_PER_S));
}

static void pods_put(struct exporter *x, const union trace_row *row)
{
    const struct trace_job *j = &row->job;
    export_csv_name(x, j->name);
    fprintf(x->to, ",%u,%llu,%u,%u", j->cpu_milli, (unsigned long long)(j->mem_bytes >> 20),
            j->gpus, j->gpu_milli);
    if (x->flags & ONLY_SHORT)
        return;
    const uint32_t labels[] = {j->gpu_spec, j->qos, j->status};
    for (int i = 0; i < 3; i++) {
        fputc(',', x->to);
        export_csv_name(x, labels[i]);
    }
    put_seconds(x, j->time_ns, 0);
    put_seconds(x, j->time_ns, j->duration_ns);
    put_seconds(x, j->time_ns, j->wait_ns);
}

enum { SN, NODE_CPU, NODE_MEM, NODE_GPUS, NODE_MODEL, NODE_COLUMNS };
static const char *const node_names[NODE_COLUMNS] = {"sn", "cpu_milli", "memory_mib", "gpu",
                                                     "model"};

static bool nodes_sniff(const char *head, size_t len)
{
    return begins(head, len, "sn,cpu_milli,memory_mib,gpu,model");
}

static int nodes_open(struct importer *im, struct err *e)
{
    for (int i = 0; i < NODE_COLUMNS; i++) {
        int rc = csv_want_column(&im->csv, node_names[i], &im->column[i], e);
        if (rc)
            return rc;
    }
    return 0;
}

static int nodes_row(struct importer *im, union trace_row *out, struct err *e)
{
    struct trace_node *n = &out->node;
    int rc = csv_next(&im->csv, e), *col = im->column;
    if (rc <= 0)
        return rc;
    if ((rc = csv_u32(&im->csv, col[NODE_CPU], CPU_MAX, &n->cpu_milli, e)) ||
        (rc = csv_u64(&im->csv, col[NODE_MEM], MIB_MAX, &n->mem_bytes, e)) ||
        (rc = csv_u32(&im->csv, col[NODE_GPUS], 1024, &n->gpus, e)) ||
        (rc = import_name(im, col[NODE_MODEL], &n->model, e)) ||
        (rc = import_name(im, col[SN], &n->name, e)))
        return rc;
    n->mem_bytes <<= 20;
    return 1;
}

static void nodes_head(struct exporter *x)
{
    fputs("sn,cpu_milli,memory_mib,gpu,model", x->to);
}

static void nodes_put(struct exporter *x, const union trace_row *row)
{
    const struct trace_node *n = &row->node;
    export_csv_name(x, n->name);
    fprintf(x->to, ",%u,%llu,%u,", n->cpu_milli, (unsigned long long)(n->mem_bytes >> 20), n->gpus);
    export_csv_name(x, n->model);
}

#define OPENB_SOURCE                                                                               \
    "Alibaba cluster-trace-gpu-v2023, openb (Weng et al., ATC'23), "                               \
    "github.com/hkust-adsl/kubernetes-scheduler-simulator"

const struct import_format import_openb_pods = {
    .name = "openb-pods",
    .title = "Alibaba openb pod lists (2023)",
    .source = OPENB_SOURCE,
    .licence = "Apache-2.0",
    .table = TRACE_JOBS,
    .csv = true,
    .sniff = pods_sniff,
    .open = pods_open,
    .row = pods_row,
    .head = pods_head,
    .put = pods_put,
};

const struct import_format import_openb_nodes = {
    .name = "openb-nodes",
    .title = "Alibaba openb node lists (2023)",
    .source = OPENB_SOURCE,
    .licence = "Apache-2.0",
    .table = TRACE_NODES,
    .csv = true,
    .sniff = nodes_sniff,
    .open = nodes_open,
    .row = nodes_row,
    .head = nodes_head,
    .put = nodes_put,
};
