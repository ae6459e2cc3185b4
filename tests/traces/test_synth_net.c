/* Steps of networks: against published sizes, closed forms, and real PyTorch profiles. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/traces/synth_rig.h"
#include "traces/synth_net.h"

static struct net_sum step_of(const struct synth_net *known, bool train)
{
    struct synth_net net = *known;
    struct err e = {0};
    struct net_sum sum;
    net.train = train;
    cr_assert_eq(synth_net_step(NULL, NULL, &sum, &net, &e), 0, "%s", e.msg);
    return sum;
}

static struct synth_net net_of(const char *text)
{
    struct err e = {0};
    struct config *c;
    struct synth_net net;
    cr_assert_eq(config_parse(&c, "t", text, strlen(text), &e), 0, "%s", e.msg);
    cr_assert_eq(synth_net_read(c, &net, &e), 0, "%s", e.msg);
    config_free(c);
    return net;
}

/* Weights: torchvision's documentation (ResNet-50), the GPT-2 checkpoint, the papers' or model
 * cards' round numbers else.  PointNet has both of its transforms. */
Test(synth_net, weights_are_as_many_as_published)
{
    static const struct {
        const struct synth_net *net;
        double millions, within;
    } known[] = {{&synth_net_tally_resnet50, 25.557032, 0},
                 {&synth_net_tally_gpt2, 774.030080, 1e-5}, /* without the last norm's 2560 */
                 {&synth_net_tally_bert, 108.893186, 1e-4}, /* without segments' 1536 */
                 {&synth_net_tally_whisper, 241.734912, 0.01},
                 {&synth_net_tally_pegasus, 272, 0.01},
                 {&synth_net_tally_pointnet, 3.5, 0.02}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const double n = (double)step_of(known[i].net, false).parameters * 1e-6;
        cr_expect(fabs(n / known[i].millions - 1) <= known[i].within, "%g, want %g", n,
                  known[i].millions);
    }
}

/* torchvision: 4.09 billion multiplications for a picture.  PointNet's paper: 440 million for 1024
 * points. */
Test(synth_net, work_forward_is_what_was_published)
{
    struct synth_net points = synth_net_tally_pointnet;
    cr_expect_float_eq(step_of(&synth_net_tally_resnet50, false).flops / 128 / 2e9, 4.09, 0.01);
    for (uint32_t i = 0; i < points.layers; i++)
        if (points.layer[i].length) {
            points.layer[i].length = 1024;
            if (points.layer[i].kind == NET_POOL)
                points.layer[i].stride = 1024;
        }
    cr_expect_float_eq(step_of(&points, false).flops / 128 / 2e6, 440, 0.05 * 440);
}

/* Narayanan et al., SC'21: a step of a decoder with its activations computed twice takes
 * 96 B s l h^2 (1 + s / 6h + V / 16 l h); once, 72 and V / 12 l h.  Attention in either way. */
Test(synth_net, work_of_a_transformer_is_the_closed_form)
{
    static const char *const ways[] = {"\"eager\": true, \"passes\": 1", "\"fused_qkv\": true"};
    const double B = 3, s = 256, l = 5, h = 512, V = 1000;
    for (int twice = 0; twice < 2; twice++)
        for (size_t i = 0; i < 2; i++) {
            char text[600];
            snprintf(text, sizeof text,
                     "{\"batch\": 3, \"checkpoint\": %s, \"optimizer\": \"adamw\", \"layers\": ["
                     "{\"kind\": \"embedding\", \"rows\": 1000, \"tokens\": 256, \"width\": 512},"
                     "{\"kind\": \"transformer\", \"count\": 5, \"tokens\": 256, \"width\": 512, "
                     "\"heads\": 8, \"ffn\": 2048, %s},"
                     "{\"kind\": \"linear\", \"tokens\": 256, \"in\": 512, \"out\": 1000, "
                     "\"tied\": true}, {\"kind\": \"loss\", \"rows\": 1000, \"tokens\": 256}]}",
                     twice ? "true" : "false", ways[i]);
            const struct synth_net net = net_of(text);
            const double each = twice ? 96 : 72, head = twice ? 16 : 12;
            const double want = each * B * s * l * h * h * (1 + s / (6 * h) + V / (head * l * h));
            const double got = step_of(&net, true).flops;
            cr_expect(fabs(got / want - 1) < 1e-12, "%s: %g, want %g", text, got, want);
        }
}

/* ResNet-18 at batch 128 of 1000 classes. */
static struct synth_net resnet18(void)
{
    char text[4000];
    int at = snprintf(text, sizeof text,
                      "{\"batch\": 128, \"optimizer\": \"sgd\", \"sms\": 68, "
                      "\"threads_per_sm\": 1024, \"tflops\": 13.45, \"bandwidth_gbs\": 616, "
                      "\"layers\": [{\"kind\": \"conv\", \"in\": 3, \"out\": 64, \"size\": 224, "
                      "\"kernel\": 7, \"stride\": 2, \"norm\": true, \"relu\": true}, "
                      "{\"kind\": \"pool\", \"in\": 64, \"size\": 112, \"stride\": 2}");
    for (int w = 64, in = 64, size = 56; w <= 512; in = w, w *= 2)
        for (int i = 0; i < 5; i++) {
            const bool first = i == 0 && w > 64, shortcut = i == 4;
            if (shortcut && w == 64)
                continue;
            at += snprintf(text + at, sizeof text - (size_t)at,
                           ", {\"kind\": \"conv\", \"in\": %d, \"out\": %d, \"size\": %d, "
                           "\"kernel\": %d, \"stride\": %d, \"norm\": true, \"relu\": %s, "
                           "\"residual\": %s}",
                           first || shortcut ? in : w, w, shortcut ? 2 * size : size,
                           shortcut ? 1 : 3, first || shortcut ? 2 : 1, shortcut ? "false" : "true",
                           i == 1 || i == 3 ? "true" : "false");
            size = first ? size / 2 : size;
        }
    snprintf(text + at, sizeof text - (size_t)at,
             ", {\"kind\": \"pool\", \"in\": 512, \"size\": 7, \"stride\": 7}, "
             "{\"kind\": \"linear\", \"in\": 512, \"out\": 1000, \"bias\": true}, "
             "{\"kind\": \"loss\", \"rows\": 1000}]}");
    return net_of(text);
}

static double us_of(const struct synth_net *net, enum net_name name, uint64_t *first_grid)
{
    struct synth_kernel *at;
    struct err e = {0};
    uint64_t n;
    double us = 0;
    *first_grid = 0;
    cr_assert_eq(synth_net_step(&at, &n, NULL, net, &e), 0);
    for (uint64_t i = 0; i < n; i++) {
        us += at[i].cls == name ? (double)at[i].ns * 1e-3 : 0;
        if (at[i].cls == name && !*first_grid)
            *first_grid = at[i].grid;
    }
    free(at);
    return us;
}

/* facebookresearch/param 1e115ff, et_replay/tests/inputs/resnet_kineto.json.gz: 30 steps on an RTX
 * 2080 Ti, whose kernels were counted and added up by another program.  Its convolutions are not
 * compared: cuDNN took Winograd's, which have 2.25 times less to multiply. */
Test(synth_net, a_step_launches_what_a_profile_shows)
{
    const struct synth_net net = resnet18();
    const struct net_sum sum = step_of(&net, true);
    uint64_t grid;
    cr_expect_eq(sum.of[NET_BATCH_NORM_KERNEL], 20 + 20);
    cr_expect_eq(sum.of[NET_ACTIVATION_KERNEL], 17 + 17);
    cr_expect_eq(sum.of[NET_POOL_KERNEL], 2 + 2);
    cr_expect(sum.of[NET_OPTIMIZER_KERNEL] >= 1 && sum.of[NET_OPTIMIZER_KERNEL] <= 5);
    cr_expect_float_eq(us_of(&net, NET_ACTIVATION_KERNEL, &grid), 10911, 0.15 * 10911, "%g us",
                       us_of(&net, NET_ACTIVATION_KERNEL, &grid));
    cr_expect_eq(grid, 200704);
    const double norms = us_of(&net, NET_BATCH_NORM_KERNEL, &grid);
    cr_expect_float_eq(norms, 21782, 0.15 * 21782, "%g us", norms);
}

/* A V100, FP32.  Orion's profile resnet50_32_fb1: 95.3 ms, of which 32.9 ms bound by memory.
 * NVIDIA's DeepLearningExamples: 367 pictures/s at batch 192.  Both had Winograd's convolutions,
 * which have less to multiply, so that ours take longer; by less than 30 %. */
Test(synth_net, resnet50_takes_what_a_v100_took)
{
    struct synth_net net = synth_net_tally_resnet50, a100 = resnet18();
    struct synth_kernel *at;
    struct err e = {0};
    uint64_t n;
    double memory = 0, all = 0;
    net.gemm = a100.gemm;
    net.cudnn = true;
    net.batch = 32;
    net.sms = 80;
    net.tflops = 15.7;
    net.bandwidth_gbs = 900;
    cr_assert_eq(synth_net_step(&at, &n, NULL, &net, &e), 0);
    for (uint64_t i = 0; i < n; i++) {
        all += (double)at[i].ns * 1e-6;
        memory += at[i].bound == TRACE_OP_BOUND_MEMORY ? (double)at[i].ns * 1e-6 : 0;
    }
    free(at);
    cr_expect_float_eq(memory, 32.9, 0.15 * 32.9, "%g ms", memory);
    cr_expect(all > 95.3 && all < 1.3 * 95.3, "%g ms", all);
    net.batch = 192;
    const double rate = 192 / (step_of(&net, true).ns * 1e-9);
    cr_expect(rate < 367 && rate > 367 / 1.3, "%g/s", rate);
}

/* m x n by k on 10 SMs of 1 TFLOPS in all, tiles of 128 x 128 x 8, so that an SM needs 2.62144 us
 * for a tile and eight of its depth. */
Test(synth_net, products_have_a_block_for_each_tile)
{
    static const struct {
        const char *rule;
        unsigned out, in;
        uint64_t grid;
        double us;
    } known[] = {
        {"\"split_k\": 1024, \"split_below\": 0", 1280, 64, 10, 8 * 2.62144},
        {"\"split_k\": 1024, \"split_below\": 0", 1281, 64, 11, 2 * 8 * 2.62144},
        {"\"split_k\": 1024, \"split_below\": 0", 128, 64, 1, 8 * 2.62144},
        {"\"split_k\": 128, \"split_below\": 3", 256, 1024, 16, 2 * 16 * 2.62144},
        {"\"split_k\": 128, \"split_below\": 2", 256, 1024, 2, 128 * 2.62144},
        {"\"split_k\": 0", 256, 1024, 10, 26 * 2.62144}, /* five slices of 205, a whole 208 */
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char text[400];
        struct synth_kernel *at;
        struct err e = {0};
        uint64_t n;
        snprintf(text, sizeof text,
                 "{\"sms\": 10, \"tflops\": 1, \"bandwidth_gbs\": 1e5, \"train\": false, "
                 "\"batch\": 128, \"least_us\": 0.001, "
                 "\"gemm\": {%s, \"efficiency\": 1}, \"layers\": "
                 "[{\"kind\": \"linear\", \"in\": %u, \"out\": %u}]}",
                 known[i].rule, known[i].in, known[i].out);
        const struct synth_net net = net_of(text);
        cr_assert_eq(synth_net_step(&at, &n, NULL, &net, &e), 0);
        cr_expect_eq(at[0].grid, known[i].grid, "%s: %lu", text, (unsigned long)at[0].grid);
        cr_expect_float_eq((double)at[0].ns * 1e-3, known[i].us, 1e-3, "%s: %lu ns", text,
                           (unsigned long)at[0].ns);
        cr_expect_eq(n > 1, known[i].grid > (known[i].out + 127) / 128, "the slices are added up");
        free(at);
    }
}

Test(synth_net, a_program_runs_the_steps_kernels_in_order)
{
    struct err e = {0};
    union trace_row r;
    struct synth_kernel *at;
    uint64_t n, k = 0;
    struct row_source *s =
        synth_text("{\"preset\": \"tally-gpt2-large-train\", \"iterations\": 2}", 9, &e);
    cr_assert(s, "%s", e.msg);
    cr_assert_eq(synth_net_step(&at, &n, NULL, &synth_net_tally_gpt2, &e), 0);
    for (; s->next(s, &r, &e) == 1;) {
        if (r.op.kind != TRACE_OP_KERNEL)
            continue;
        const struct synth_kernel *want = &at[k++ % n];
        cr_assert_eq(r.op.duration_ns, want->ns);
        cr_assert_eq(r.op.grid, want->grid);
        cr_assert_eq(r.op.bytes, want->bytes);
        cr_assert_eq(r.op.name, want->cls);
    }
    cr_expect_eq(k, 2 * n);
    free(at);
    s->close(s);
}

#define NET(inner) "{\"table\": \"ops\", \"network\": " inner "}"
static const struct {
    const char *text, *want;
} bad[] = {
    {NET("{}"), "t: network: key \"layers\" is missing"},
    {NET("{\"layers\": []}"), "t: network.layers: got an array of 0, want a list of 1..40 layers"},
    {NET("{\"layers\": [{\"kind\": \"rnn\"}]}"), NULL},
    {NET("{\"layers\": [{\"kind\": \"linear\", \"in\": 4}]}"),
     "t: network.layers[0]: got an object, want a linear of in, out"},
    {NET("{\"layers\": [{\"kind\": \"transformer\", \"width\": 10, \"heads\": 3, \"ffn\": 4}]}"),
     NULL},
    {NET("{\"layers\": [{\"kind\": \"conv\", \"in\": 1, \"out\": 1}]}"), NULL},
    {NET("{\"optimizer\": \"lion\", \"layers\": [{\"kind\": \"linear\", \"in\": 4, \"out\": 4}]}"),
     NULL},
    {NET("{\"cudnn\": false, \"batch\": 65536, \"layers\": [{\"kind\": \"conv\", \"in\": 4, "
         "\"out\": "
         "4, \"size\": 9, \"count\": 9999}]}"),
     "t: network: got an object, want a step of 1..1000000 kernels"},
    {"{\"table\": \"ops\", \"kernels\": [{\"name\": \"k\", \"us\": 1}], \"network\": {\"layers\": "
     "[{\"kind\": \"linear\", \"in\": 4, \"out\": 4}]}}",
     "t: got an object, want one of kernels and network"},
};

Test(synth_net, wrong_networks_are_refused)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = {0};
        cr_expect_null(synth_text(bad[i].text, 1, &e), "%s", bad[i].text);
        cr_expect_eq(strncmp(e.msg, "t: ", 3), 0, "%s: %s", bad[i].text, e.msg);
        if (bad[i].want)
            cr_expect_str_eq(e.msg, bad[i].want);
    }
}
