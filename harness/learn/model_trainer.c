#include "harness/learn/model_trainer.h"

#include <string.h>

#include "harness/learn/model_ahead.h"
#include "harness/learn/model_balance.h"
#include "harness/learn/model_jobs.h"
#include "harness/learn/model_pages.h"
#include "harness/learn/model_share.h"
#include "harness/learn/model_steer.h"
#include "harness/learn/model_steer_knn.h"
#include "harness/learn/model_steer_lake.h"

static const char *const lengths[] = {"synth:mixed",    "synth:azure-code", "synth:azure-conv",
                                      "synth:mooncake", "synth:burstgpt",   NULL};
static const char *const blocks[] = {"synth:lake-azure",    "synth:lake-cosmos",
                                     "synth:lake-bing",     "synth:lake-mixed-1x",
                                     "synth:lake-mixed-3x", NULL};

static const char *const no_traces[] = {NULL}; /* one must be given */
static const char *const logs[] = {"data:philly-2017/philly.csv.xz",
                                   "data:alibaba-openb-2023/openb_pod_list_default.csv", NULL};

static const struct model_trainer kinds[] = {
    {.option = "lengths",
     .help = "fits answer lengths (features: policies/length_features.h); of each --trace the\n"
             "        first 70 % are fitted, 15 % decide when to stop, the last 15 % are scored;\n"
             "        --eval traces are only scored. Without --trace: 40000 requests of each\n"
             "        synthesizer preset\n",
     .o = TRAIN_DEFAULTS,
     .requests = 40000,
     .traces = lengths,
     .evals = true,
     .int8 = true,
     .train = model_train},
    {.option = "steer",
     .help = "fits which reads of a block device will be slow, on runs without steering\n"
             "        (features: policies/linnos_features.h; the first 80 % of each fitted, 10 %, "
             "10 %)\n",
     .o = STEER_DEFAULTS,
     .requests = STEER_REQUESTS,
     .machine = "machines/lake-testbed.json",
     .traces = blocks,
     .int8 = true,
     .train = model_steer_train},
    {.option = "steer-lake",
     .help =
         "the same network as LAKE trains it: of one --trace, one network for each device,\n"
         "        NAME_0, NAME_1 .., on whole reads, the last epoch's weights (8 in 10 of them)\n",
     .o = STEER_LAKE_DEFAULTS,
     .requests = STEER_LAKE_REQUESTS,
     .machine = "machines/lake-testbed.json",
     .traces = no_traces,
     .train = model_steer_lake_train},
    {.option = "steer-knn",
     .name = "knn_steer",
     .help = "takes reads of such runs as references for nearest neighbours (features:\n"
             "        policies/linnos_features.h)\n",
     .o = STEER_DEFAULTS,
     .requests = STEER_REQUESTS,
     .machine = "machines/lake-testbed.json",
     .traces = blocks,
     .train = model_steer_knn_train},
    {.option = "readahead",
     .name = "kml",
     .help = "fits how far to read ahead, on runs of the page cache with every amount there is\n"
             "        (features: policies/kml_features.h); --requests: accesses of a run\n",
     .o = AHEAD_DEFAULTS,
     .requests = AHEAD_REQUESTS,
     .machine = AHEAD_MACHINE,
     .train = model_ahead_train},
    {.option = "balance",
     .name = "mllb",
     .help = "fits which tasks Linux would move, on runs of guests on two nodes (features:\n"
             "        policies/mllb_features.h); --requests: questions of a run\n",
     .o = BALANCE_DEFAULTS,
     .requests = BALANCE_REQUESTS,
     .machine = BALANCE_MACHINE,
     .train = model_balance_train},
    {.option = "pages",
     .name = "kleio",
     .help = "fits how warm each page will be in the next period, on traces of pages\n"
             "        (features: policies/place_features.h; a recurrent network)\n",
     .o = PAGES_DEFAULTS,
     .requests = PAGES_REQUESTS,
     .traces = model_pages_traces,
     .train = model_pages_train},
    {.option = "jobs",
     .name = "duration",
     .help =
         "boosts trees that say how long a job will run, from logs of jobs (features:\n"
         "        policies/duration_features.h), with XGBoost where it was when this was built;\n"
         "        of each the first 70 % are fitted, 15 % decide when to stop, 15 % are scored\n",
     .o = JOBS_DEFAULTS,
     .requests = JOBS_MOST,
     .traces = logs,
     .evals = true,
     .train = model_jobs_train},
    {.option = "share",
     .name = "share",
     .help = "boosts trees that say what a part of a GPU does to a latency, on runs of the model\n"
             "        gpu with random parts (features: policies/share_features.h)\n",
     .o = SHARE_DEFAULTS,
     .machine = SHARE_MACHINE,
     .train = model_share_train},
};
#define KINDS (sizeof kinds / sizeof *kinds)

const struct model_trainer *model_trainer_at(size_t i)
{
    return i < KINDS ? &kinds[i] : NULL;
}

const struct model_trainer *model_trainer_option(const char *option)
{
    for (size_t i = 0; i < KINDS; i++)
        if (!strcmp(kinds[i].option, option))
            return &kinds[i];
    return NULL;
}

const struct model_trainer *model_trainer_name(const char *name)
{
    for (size_t i = 0; i < KINDS; i++)
        if (kinds[i].name && !strcmp(kinds[i].name, name))
            return &kinds[i];
    return NULL;
}
