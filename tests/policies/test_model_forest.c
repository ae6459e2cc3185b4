/* test_model_forest.c - weights files of forests, and XGBoost's own models.
 *
 * tests/policies/xgboost/ holds models as XGBoost 1.7.4 (Debian bookworm) saved
 * them, and for 40 rows of inputs, a tenth of them missing, what it predicted. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/learn/model_file.h"
#include "harness/learn/model_info.h"
#include "harness/learn/model_xgboost.h"
#include "tests/gpu-kernels/forests.h"

enum { ROWS = 40, IN = 4, OUT_MOST = 3 };

static void run(const struct infer_net *net, uint32_t rows, const float *x, float *y)
{
    char why[256] = "";
    struct infer *r;
    struct infer_model *m;
    cr_assert_eq(infer_open(&r, INFER_CPU, why, sizeof why), 0, "%s", why);
    cr_assert_eq(infer_load(r, net, &m, why, sizeof why), 0, "%s", why);
    cr_assert_eq(infer_run(m, rows, x, y, why, sizeof why), 0, "%s", why);
    infer_unload(m);
    infer_close(r);
}

/* Inputs (an empty field: missing), then predictions. */
static void read_csv(const char *name, uint32_t outs, float *x, float *y)
{
    char path[128], line[512];
    snprintf(path, sizeof path, "tests/policies/xgboost/xgboost-%s.csv", name);
    FILE *f = fopen(path, "r");
    cr_assert_neq(f, NULL, "%s", path);
    for (int r = 0; r < ROWS; r++) {
        cr_assert_neq(fgets(line, sizeof line, f), NULL);
        char *at = line;
        for (uint32_t i = 0; i < IN + outs; i++) {
            char *field = strsep(&at, ",\n");
            const float v = *field ? strtof(field, NULL) : NAN;
            *(i < IN ? &x[r * IN + (int)i] : &y[r * (int)outs + (int)i - IN]) = v;
        }
    }
    fclose(f);
}

static void predicts_as_xgboost(const char *name, uint32_t outs, uint32_t trees)
{
    float x[ROWS * IN], want[ROWS * OUT_MOST], y[ROWS * OUT_MOST];
    char path[128];
    struct model_forest *m;
    struct err e = {0};
    snprintf(path, sizeof path, "tests/policies/xgboost/xgboost-%s.json", name);
    cr_assert_eq(model_xgboost_load(&m, path, &e), 0, "%s", e.msg);
    cr_expect_eq(m->f.n_in, IN);
    cr_expect_eq(m->f.n_out, outs);
    cr_expect_eq(m->f.n_trees, trees);
    const struct infer_net net = model_forest_net(m);
    read_csv(name, outs, x, want);
    run(&net, ROWS, x, y);
    for (uint32_t i = 0; i < ROWS * outs; i++)
        cr_expect_float_eq(y[i], want[i], 1e-6f * fmaxf(1, fabsf(want[i])),
                           "%s %u: %.9g, want %.9g", name, i, (double)y[i], (double)want[i]);
    model_forest_free(m);
}

Test(model_forest, predicts_what_xgboost_predicted)
{
    predicts_as_xgboost("squared", 1, 4);
    predicts_as_xgboost("logistic", 1, 4);
    predicts_as_xgboost("poisson", 1, 4);
    predicts_as_xgboost("classes", 3, 24); /* two parallel trees for each class and round */
}

Test(model_forest, a_file_gives_back_what_was_written)
{
    char path[] = "/tmp/malv-forest-XXXXXX", text[128];
    const int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    for (uint64_t seed = 0; seed < 6; seed++) {
        struct forest *f = forest_make_any(seed);
        size_t nodes = f->first[f->f.n_trees - 1] + f->sizes[f->f.n_trees - 1];
        const struct model_forest m = {f->f,      f->sizes,        f->features,
                                       f->values, f->default_left, nodes};
        const struct safetensors_text meta[] = {{"features", "none/1"}};
        struct model_file *file;
        struct err e = {0};
        cr_assert_eq(model_forest_write(path, &m, meta, 1, &e), 0, "%s", e.msg);
        cr_assert_eq(model_file_open(&file, path, &e), 0, "%s", e.msg);
        cr_expect_eq(model_file_mlp(file), NULL);
        cr_expect_str_eq(model_file_meta(file, "features"), "none/1");
        model_info_say(file, text, sizeof text);
        cr_expect_eq(strncmp(text, "forest of ", 10), 0, "%s", text);
        float *x = forest_inputs(f, 20, 1), *y = forest_outputs(f, 20), *z = forest_outputs(f, 20);
        run(&f->net, 20, x, y);
        run(model_file_net(file), 20, x, z);
        cr_expect_eq(forest_differ(f, 20, y, z), 0);
        free(x), free(y), free(z);
        model_file_free(file);
        forest_free(f);
    }
    unlink(path);
}

/* ---- what is refused ------------------------------------------------------------ */

static const char whole[] =
    "{\"learner\": {\"gradient_booster\": {\"name\": \"gbtree\", \"model\": {\"tree_info\": [0],\n"
    "\"trees\": [{\"left_children\": [1, -1, -1], \"right_children\": [2, -1, -1],\n"
    "\"split_indices\": [0, 0, 0], \"split_conditions\": [0.5, 1, 2], \"default_left\": [1, 0, "
    "0],\n"
    "\"split_type\": [0, 0, 0]}]}}, \"objective\": {\"name\": \"reg:logistic\"},\n"
    "\"learner_model_param\": {\"base_score\": \"5E-1\", \"num_class\": \"0\",\n"
    "\"num_feature\": \"2\"}}}";

/* The model with `from` replaced by `to` is refused with this sentence. */
static void refused(const char *from, const char *to, const char *says)
{
    char text[1024];
    struct model_forest *m;
    struct err e = {0};
    const char *at = strstr(whole, from);
    cr_assert_neq(at, NULL, "%s", from);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from));
    cr_expect_eq(model_xgboost_parse(&m, "x", text, strlen(text), &e), e.code);
    cr_expect_neq(e.code, 0, "taken: %s for %s", to, from);
    cr_expect_eq(m, NULL);
    cr_expect_str_eq(e.msg, says);
}

Test(model_forest, what_is_no_xgboost_model_is_refused)
{
    struct model_forest *m;
    struct err e = {0};
    cr_assert_eq(model_xgboost_parse(&m, "x", whole, sizeof whole - 1, &e), 0, "%s", e.msg);
    cr_expect_eq(m->f.base, 0.0f);
    model_forest_free(m);
    refused("\"learner\"", "\"lerner\"",
            "x: got an object, want one with \"learner\", as XGBoost writes it");
    refused("gbtree", "dart", "x: learner.gradient_booster.name: got \"dart\", want gbtree");
    refused("reg:logistic", "binary:hinge",
            "x: learner.objective.name: got \"binary:hinge\", want an objective whose outputs are "
            "sums, their logistic or exp");
    refused("5E-1", "1",
            "x: learner.learner_model_param.base_score: got \"1\", want a text with a number "
            "1e-30..0.9999999");
    refused("5E-1", "half",
            "x: learner.learner_model_param.base_score: got \"half\", want a text with a number "
            "1e-30..0.9999999");
    refused(
        "\"0\",\n", "\"17\",\n",
        "x: learner.learner_model_param.num_class: got \"17\", want a text with a number 0..16");
    refused("\"2\"", "\"300\"",
            "x: learner.learner_model_param.num_feature: got \"300\", want a text with a number "
            "1..128");
    refused(
        "[0],\n", "[0, 0],\n",
        "x: learner.gradient_booster.model.tree_info: got an array of 2, want one value a tree");
    refused("[0],\n", "[1],\n",
            "x: learner.gradient_booster.model.tree_info[0]: got 1, want a number 0..0");
    refused("[0.5, 1, 2]", "[0.5, 1]",
            "x: learner.gradient_booster.model.trees[0].split_conditions: got an array of 2, want "
            "3 values, as left_children has");
    refused("[0.5, 1, 2]", "[0.5, 1, \"2\"]",
            "x: learner.gradient_booster.model.trees[0].split_conditions[2]: got \"2\", want a "
            "number -3.5e+38..3.5e+38");
    refused(
        "[1, -1, -1]", "[3, -1, -1]",
        "x: learner.gradient_booster.model.trees[0].left_children[0]: got 3, want a number -1..2");
    refused("[1, -1, -1]", "[0, -1, -1]",
            "x: learner.gradient_booster.model.trees[0].left_children: got an array of 3, want a "
            "tree of at most 3 nodes, each with one parent");
    refused(
        "[1, -1, -1]", "[1, 1, -1]",
        "x: learner.gradient_booster.model.trees[0].right_children[1]: got -1, want a number 1..2");
    refused("[0, 0, 0], \"split_c", "[2, 0, 0], \"split_c",
            "x: node 0 of tree 0 asks for feature 2, want -1..1");
    refused("[0, 0, 0]}]", "[1, 0, 0]}]",
            "x: learner.gradient_booster.model.trees[0].split_type[0]: got 1, want 0: a split of "
            "numbers, not categories");
    refused(
        "[1, 0, 0]", "[0.5, 0, 0]",
        "x: learner.gradient_booster.model.trees[0].default_left[0]: got 0.5, want a whole number");
}

/* A file of one tree, with one tensor changed. */
static void file_refused(int change, const void *data, uint64_t count, const char *says)
{
    static const float base[] = {0}, values[] = {0.5f, 1, 2};
    static const int32_t features[] = {0, -1, -1}, shape[] = {1, 1}, sizes[] = {3};
    static const uint8_t left[] = {1, 0, 0};
    struct safetensor t[] = {
        {"base", "F32", {1}, 1, base, 4},          {"default_left", "U8", {3}, 1, left, 3},
        {"features", "I32", {3}, 1, features, 12}, {"shape", "I32", {2}, 1, shape, 8},
        {"sizes", "I32", {1}, 1, sizes, 4},        {"values", "F32", {3}, 1, values, 12}};
    const struct safetensors_text meta[] = {{"kind", change == 7 ? "oak" : "forest"},
                                            {"transform", change == 6 ? "cube" : "linear"}};
    char path[] = "/tmp/malv-forest-XXXXXX", want[160];
    struct model_file *m;
    struct err e = {0};
    const int fd = mkstemp(path);
    close(fd);
    if (change < 6) {
        t[change].data = data;
        t[change].bytes = t[change].bytes / t[change].shape[0] * count;
        t[change].shape[0] = count;
    }
    cr_assert_eq(safetensors_write(path, t, 6, meta, 2, &e), 0, "%s", e.msg);
    cr_expect_neq(model_file_open(&m, path, &e), 0, "taken: %s", says);
    snprintf(want, sizeof want, "%s: %s", path, says);
    cr_expect_str_eq(e.msg, want);
    unlink(path);
}

Test(model_forest, bad_files_get_their_sentence)
{
    const int32_t four[] = {4}, wrong[] = {1, -1, -1}, in[] = {1000, 1}, none[] = {0};
    const float inf[] = {0.5f, INFINITY, 2};
    file_refused(4, four, 1, "the sizes of the trees come to 4 nodes, want 3");
    file_refused(2, wrong, 3, "node 0 of tree 0 asks for feature 1, want -1..0");
    file_refused(2, wrong, 1, "values has 3 values, want 1");
    file_refused(3, in, 2, "n_in is 1000, want 1..128");
    file_refused(4, none, 0, "0 trees, want 1..2048");
    file_refused(5, inf, 3, "node 1 of tree 0 has the value inf, want a number");
    file_refused(6, NULL, 0, "transform is \"cube\", want linear, sigmoid or exp");
    file_refused(7, NULL, 0, "there is no kind of network \"oak\"");
}
