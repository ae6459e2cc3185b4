/* import_splitwise.c - splitwise-sim's perf_model.csv: measured times of serving an LLM.
 *
 * A line is one run: a batch of equal prompts, and as many tokens of each answer.  It gives
 * three costs, one after another, in ms and kept to a picosecond:
 *
 *     "prompt"    the prompt phase of the batch
 *     "token"     one token of every sequence, the mean over the answer
 *     "e2e"       the whole run
 *
 * where is the hardware, with the model; the keys are prompt size, batch size, answer's tokens,
 * tensor parallelism, and the number of the line.  Columns of power are not kept.             */
#include <string.h>

#include "traces/import.h"
#include "traces/parse.h"

#define PS_PER_MS UINT64_C(1000000000)
#define KEY_MAX   UINT32_MAX
#define TIME_MAX  (UINT64_MAX / 1024)

enum {
    MODEL,
    HARDWARE,
    PROMPT,
    BATCH,
    TOKENS,
    PARALLEL,
    TIMES,
    KINDS = 3,
    COLUMNS = TIMES + KINDS
};
enum { HELD_LEFT, HELD_TIME, HELD_KEY = HELD_TIME + KINDS, HELD_WHERE = HELD_KEY + 5, HELD_WITH };
static const char *const columns[COLUMNS] = {"model",       "hardware",   "prompt_size",
                                             "batch_size",  "token_size", "tensor_parallel",
                                             "prompt_time", "token_time", "e2e_time"};
static const char *const kinds[KINDS] = {"prompt", "token", "e2e"};

static bool splitwise_sniff(const char *head, size_t len)
{
    static const char want[] = "model,hardware,prompt_size,batch_size,token_size,";
    return len > sizeof want && !memcmp(head, want, sizeof want - 1);
}

static int splitwise_open(struct importer *im, struct err *e)
{
    int rc = 0;
    for (int i = 0; i < COLUMNS && !rc; i++)
        rc = csv_want_column(&im->csv, columns[i], &im->column[i], e);
    return rc;
}

static int read_line(struct importer *im, struct err *e)
{
    uint32_t id = 0;
    int rc = import_name(im, im->column[HARDWARE], &id, e);
    im->held[HELD_WHERE] = id;
    if (!rc)
        rc = import_name(im, im->column[MODEL], &id, e);
    im->held[HELD_WITH] = id;
    for (int i = 0; i < 4 && !rc; i++)
        rc = csv_u64(&im->csv, im->column[PROMPT + i], KEY_MAX, &im->held[HELD_KEY + i], e);
    for (int i = 0; i < KINDS && !rc; i++) {
        const struct csv_field *f = &im->csv.field[im->column[TIMES + i]];
        uint64_t *ps = &im->held[HELD_TIME + i];
        if (!parse_decimal_ns(f->text, f->len, PS_PER_MS, ps) || *ps > TIME_MAX)
            rc = csv_complain(&im->csv, im->column[TIMES + i], e, "milliseconds, at most %llu",
                              (unsigned long long)(TIME_MAX / PS_PER_MS));
    }
    if (!rc)
        im->held[HELD_KEY + 4]++;
    return rc;
}

static int splitwise_row(struct importer *im, union trace_row *out, struct err *e)
{
    struct trace_cost *c = &out->cost;
    int rc = 1;
    if (!im->held[HELD_LEFT]) {
        rc = csv_next(&im->csv, e);
        if (rc == 1 && (rc = read_line(im, e)) == 0)
            rc = 1;
        if (rc != 1)
            return rc;
        im->held[HELD_LEFT] = KINDS;
    }
    const uint64_t kind = KINDS - im->held[HELD_LEFT];
    rc = import_label(im, kinds[kind], &c->name, e);
    if (rc)
        return rc;
    im->held[HELD_LEFT]--;
    c->where = (uint32_t)im->held[HELD_WHERE];
    c->with = (uint32_t)im->held[HELD_WITH];
    c->unit = TRACE_COST_PS;
    for (int i = 0; i < 5; i++)
        c->key[i] = im->held[HELD_KEY + i];
    c->key[4]--;
    c->value = im->held[HELD_TIME + kind];
    return 1;
}

const struct import_format import_splitwise = {
    .name = "splitwise",
    .title = "splitwise-sim's measured times of prompts and tokens",
    .source = "github.com/Mutinifni/splitwise-sim, data/perf_model.csv",
    .licence = "MIT",
    .table = TRACE_COSTS,
    .csv = true,
    .sniff = splitwise_sniff,
    .open = splitwise_open,
    .row = splitwise_row,
};
