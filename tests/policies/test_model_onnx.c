/* test_model_onnx.c - networks from ONNX files answer what ONNX Runtime answers.
 *
 * tests/policies/onnx/ holds models as scikit-learn's, XGBoost's and LightGBM's
 * exporters wrote them, and two put together by hand, with 40 rows of inputs and
 * what ONNX Runtime 1.32 says of them; make.py there made them.             */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gpu-kernels/infer.h"
#include "harness/learn/model_file.h"
#include "harness/learn/model_import.h"
#include "harness/learn/model_onnx.h"
#include "harness/learn/onnx.pb-c.h"

#define PLACE "tests/policies/onnx/"
enum { ROWS = 40, IN = 4, OUT_MOST = 3 };

static void run(const struct infer_net *net, const float *x, float *y)
{
    char why[256] = "";
    struct infer *r;
    struct infer_model *m;
    cr_assert_eq(infer_open(&r, INFER_CPU, why, sizeof why), 0, "%s", why);
    cr_assert_eq(infer_load(r, net, &m, why, sizeof why), 0, "%s", why);
    cr_assert_eq(infer_run(m, ROWS, x, y, why, sizeof why), 0, "%s", why);
    infer_unload(m);
    infer_close(r);
}

/* Inputs (an empty field: missing), then predictions. */
static void read_csv(const char *name, uint32_t outs, float *x, float *y)
{
    char path[128], line[512];
    snprintf(path, sizeof path, PLACE "%s.csv", name);
    FILE *f = fopen(path, "r");
    cr_assert_neq(f, NULL, "%s", path);
    for (uint32_t r = 0; r < ROWS; r++) {
        cr_assert_neq(fgets(line, sizeof line, f), NULL);
        char *at = line;
        for (uint32_t i = 0; i < IN + outs; i++) {
            char *field = strsep(&at, ",\n");
            cr_assert_neq(field, NULL, "%s: row %u", path, r);
            const float v = *field ? strtof(field, NULL) : NAN;
            *(i < IN ? &x[r * IN + i] : &y[r * outs + i - IN]) = v;
        }
    }
    fclose(f);
}

/* Through the weights file that the command writes. */
static void answers_alike(const char *name, const char *shape, uint32_t outs)
{
    char from[128], to[] = "/tmp/malv-onnx-XXXXXX", said[256] = "", want_said[256];
    float x[ROWS * IN], want[ROWS * OUT_MOST], y[ROWS * OUT_MOST];
    struct model_file *m;
    struct err e = {0};
    const int fd = mkstemp(to);
    cr_assert_geq(fd, 0);
    close(fd);
    snprintf(from, sizeof from, PLACE "%s.onnx", name);
    FILE *say = fmemopen(said, sizeof said, "w");
    cr_assert_eq(model_import(from, to, from, say, &e), 0, "%s", e.msg);
    fclose(say);
    snprintf(want_said, sizeof want_said, "wrote %s: %s\n", to, shape);
    cr_expect_str_eq(said, want_said);
    cr_assert_eq(model_file_open(&m, to, &e), 0, "%s", e.msg);
    read_csv(name, outs, x, want);
    run(model_file_net(m), x, y);
    for (uint32_t i = 0; i < ROWS * outs; i++)
        cr_expect_float_eq(y[i], want[i], 2e-6f * fmaxf(1, fabsf(want[i])),
                           "%s %u: %.9g, want %.9g", name, i, (double)y[i], (double)want[i]);
    model_file_free(m);
    unlink(to);
}

#define FOREST(trees, nodes, outs, transform)                                                      \
    "forest of " #trees " trees, " #nodes " nodes, 4 inputs, " outs ", " transform

Test(model_onnx, perceptrons_answer_what_the_runtime_answers)
{
    answers_alike("torch", "4-16-8-3", 3);
    answers_alike("listed", "4-6-5-2", 2);
    answers_alike("sklearn-mlp", "4-12-7-1", 1);
}

Test(model_onnx, trees_answer_what_the_runtime_answers)
{
    answers_alike("all-modes", FOREST(21, 99, "3 outputs", "linear"), 3);
    answers_alike("sklearn-boosting", FOREST(5, 75, "1 output", "linear"), 1);
    answers_alike("sklearn-forest", FOREST(10, 150, "2 outputs", "linear"), 2);
    answers_alike("sklearn-classes", FOREST(15, 225, "3 outputs", "linear"), 3);
    answers_alike("sklearn-binary", FOREST(5, 73, "1 output", "linear"), 1);
    answers_alike("xgboost", FOREST(5, 75, "1 output", "linear"), 1);
    answers_alike("xgboost-binary", FOREST(5, 75, "1 output", "sigmoid"), 1);
    answers_alike("lightgbm", FOREST(5, 67, "1 output", "linear"), 1);
    answers_alike("lightgbm-binary", FOREST(5, 67, "1 output", "sigmoid"), 1);
}

/* ---- what is refused ------------------------------------------------------------ */

static Onnx__Model *open_model(const char *name)
{
    static uint8_t bytes[1 << 16];
    char path[128];
    snprintf(path, sizeof path, PLACE "%s.onnx", name);
    FILE *f = fopen(path, "rb");
    cr_assert_neq(f, NULL, "%s", path);
    const size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    Onnx__Model *model = onnx__model__unpack(NULL, n, bytes);
    cr_assert_neq(model, NULL);
    return model;
}

/* Closes it, as bytes that are parsed again. */
static void refused(Onnx__Model *model, const char *says)
{
    static uint8_t bytes[1 << 16];
    struct model_onnx *m;
    struct err e = {0};
    const size_t n = onnx__model__get_packed_size(model);
    cr_assert_leq(n, sizeof bytes);
    onnx__model__pack(model, bytes);
    onnx__model__free_unpacked(model, NULL);
    cr_expect_eq(model_onnx_parse(&m, "x", bytes, n, &e), e.code);
    cr_expect_neq(e.code, 0, "taken, want: %s", says);
    cr_expect_eq(m, NULL);
    cr_expect_str_eq(e.msg, says);
}

static void rename_to(char **at, const char *text)
{
    free(*at);
    *at = strdup(text);
}

static Onnx__Attribute *attribute(Onnx__Model *m, size_t node, const char *name)
{
    Onnx__Node *n = m->graph->node[node];
    for (size_t i = 0; i < n->n_attribute; i++)
        if (!strcmp(n->attribute[i]->name, name))
            return n->attribute[i];
    cr_assert_fail("no attribute %s", name);
    return NULL;
}

static void set_text(ProtobufCBinaryData *s, const char *text)
{
    free(s->data);
    s->data = (uint8_t *)strdup(text);
    s->len = strlen(text);
}

/* For each: open NAME, change it by a statement on m and g, and want a sentence. */
#define REFUSED(name, change, says)                                                                \
    do {                                                                                           \
        Onnx__Model *m = open_model(name);                                                         \
        Onnx__Graph *g = m->graph;                                                                 \
        change;                                                                                    \
        (void)g;                                                                                   \
        refused(m, says);                                                                          \
    } while (0)

Test(model_onnx, what_is_no_chain_of_known_nodes_is_refused)
{
    struct model_onnx *none;
    struct err e = {0};
    cr_expect_neq(model_onnx_parse(&none, "x", "\x3a\x05", 2, &e), 0);
    cr_expect_str_eq(e.msg, "x: does not parse as ONNX's protobuf");
    e = (struct err){0};
    cr_expect_neq(model_onnx_parse(&none, "x", "", 0, &e), 0);
    cr_expect_str_eq(e.msg, "x: want an ONNX model with a graph of nodes");
    REFUSED("torch", rename_to(&g->node[2]->op_type, "Tanh"),
            "x: node \"/2/Relu\" (Tanh): want a perceptron of Gemm, MatMul, Add, Relu and Sigmoid, "
            "or one TreeEnsembleRegressor or TreeEnsembleClassifier");
    REFUSED("torch", rename_to(&g->node[2]->input[0], "elsewhere\n"),
            "x: node \"/2/Relu\" (Relu): reads \"elsewhere?\", want a chain of nodes: "
            "\"/1/Gemm_output_0\" comes next");
    REFUSED("torch", rename_to(&g->node[2]->name, "");
            rename_to(&g->node[2]->op_type, "Gelu"),
            "x: node 2 (Gelu): want a perceptron of Gemm, MatMul, Add, Relu and Sigmoid, or one "
            "TreeEnsembleRegressor or TreeEnsembleClassifier");
    REFUSED("torch", m->opset_import[0]->version = 6,
            "x: node \"/0/Flatten\" (Flatten): operators of version 6, want 7 or later");
    REFUSED("torch", rename_to(&g->output[0]->name, "/1/Gemm_output_0"),
            "x: the output \"/1/Gemm_output_0\" is not what the last node gives");
    REFUSED("torch", g->input[0]->type->tensor_type->elem_type = 11,
            "x: node \"/1/Gemm\" (Gemm): \"/0/Flatten_output_0\" has elements of type 11, want "
            "float32 (1)");
    REFUSED("torch", g->input[0]->type->tensor_type->shape->dim[1]->dim_value = 5,
            "x: node \"/1/Gemm\" (Gemm): \"/0/Flatten_output_0\" has rows of 5 numbers, want 4");
    REFUSED("torch", rename_to(&g->input[0]->name, "1.weight"),
            "x: the graph has no input that is a tensor, want one");
    REFUSED("torch", attribute(m, 0, "axis")->i = 0,
            "x: node \"/0/Flatten\" (Flatten): axis is 0, want 1, and rows to begin with");
    REFUSED("listed", g->initializer[6]->int64_data[1] = 1,
            "x: node 8 (Reshape): want a shape that leaves every row as it is, such as [0, -1]");
    REFUSED("sklearn-mlp", attribute(m, 0, "to")->i = 11,
            "x: node \"Cast\" (Cast): to is 11, want float32 (1)");
}

Test(model_onnx, perceptrons_of_another_make_are_refused)
{
    REFUSED("torch", rename_to(&attribute(m, 1, "transB")->name, "transA"),
            "x: node \"/1/Gemm\" (Gemm): transA is 1, want 0: rows come in as rows");
    REFUSED("torch", attribute(m, 1, "alpha")->f = INFINITY,
            "x: node \"/1/Gemm\" (Gemm): alpha is not a finite number");
    REFUSED("torch", attribute(m, 1, "alpha")->f = 3e38f;
            rename_to(&attribute(m, 1, "beta")->name, "gamma"),
            "x: node \"/1/Gemm\" (Gemm): a weight times its factor is not a finite number");
    REFUSED("torch", rename_to(&g->node[2]->op_type, "Identity"),
            "x: node \"/3/Gemm\" (Gemm): comes right after another layer, want Relu or Sigmoid "
            "between");
    REFUSED("torch", rename_to(&g->node[4]->op_type, "Sigmoid"),
            "x: node \"/4/Relu\" (Sigmoid): want the activation of the first layer, Relu");
    REFUSED("torch", rename_to(&g->node[1]->op_type, "Relu"),
            "x: node \"/1/Gemm\" (Relu): want it right after a layer of a perceptron");
    REFUSED("torch", g->initializer[0]->dims[0] = (int64_t)1 << 40,
            "x: node \"/1/Gemm\" (Gemm): \"1.weight\" has a dimension of 1099511627776, want 1 or "
            "more, all in this file");
    REFUSED("torch", g->initializer[0]->dims[0] = 17,
            "x: node \"/1/Gemm\" (Gemm): \"1.weight\" has 256 bytes of numbers, want 272 by its "
            "dimensions");
    REFUSED("torch", g->initializer[1]->dims[0] = 15;
            g->initializer[1]->raw_data.len -= 4,
            "x: node \"/1/Gemm\" (Gemm): \"1.bias\" has another shape, want a number for each of "
            "16 neurons");
    REFUSED("torch", g->initializer[0]->data_type = 11,
            "x: node \"/1/Gemm\" (Gemm): \"1.weight\" has elements of type 11, want float32 (1)");
    REFUSED("torch", g->initializer[0]->data_location = 1;
            g->initializer[0]->has_data_location = 1,
            "x: node \"/1/Gemm\" (Gemm): \"1.weight\" lies in another file, want its numbers in "
            "this one");
    REFUSED("torch", memset(g->initializer[0]->raw_data.data + 8, 0xff, 4),
            "x: node \"/1/Gemm\" (Gemm): \"1.weight\"[2] is not a finite number");
    REFUSED("torch", rename_to(&g->initializer[0]->name, "other"),
            "x: node \"/1/Gemm\" (Gemm): weights \"1.weight\": want a matrix among the "
            "initializers");
    REFUSED("listed", rename_to(&g->node[4]->op_type, "Relu"),
            "x: node 4 (Relu): reads \"b2\", want a chain of nodes: \"m2\" comes next");
    REFUSED("listed", rename_to(&g->node[7]->op_type, "Relu"),
            "x: node 7 (Relu): want Sigmoid or nothing at the end");
}

static void drop_text(Onnx__Attribute *a)
{
    free(a->strings[--a->n_strings].data);
}

Test(model_onnx, ensembles_of_another_make_are_refused)
{
#define NODE "x: node 0 (TreeEnsembleRegressor): "
    REFUSED("all-modes", set_text(&attribute(m, 0, "aggregate_function")->s, "MIN"),
            NODE "aggregate_function is \"MIN\", want SUM or AVERAGE");
    REFUSED("all-modes", set_text(&attribute(m, 0, "post_transform")->s, "SOFTMAX"),
            NODE "post_transform is \"SOFTMAX\", want NONE or LOGISTIC");
    REFUSED("all-modes", set_text(&attribute(m, 0, "nodes_modes")->strings[7], "BRANCH_EQ"),
            NODE "nodes_modes[7] is \"BRANCH_EQ\", want LEAF, BRANCH_LT, BRANCH_LEQ, BRANCH_GT or "
                 "BRANCH_GTE");
    REFUSED("all-modes", drop_text(attribute(m, 0, "nodes_modes")),
            NODE "nodes_modes has 62 texts, want 63");
    REFUSED("all-modes", attribute(m, 0, "nodes_values")->n_floats = 3,
            NODE "nodes_values has 3 numbers, want 63 of float32");
    REFUSED("all-modes", attribute(m, 0, "nodes_nodeids")->n_ints = 3,
            NODE "nodes_nodeids has 3 whole numbers, want 63");
    REFUSED("all-modes", attribute(m, 0, "nodes_treeids")->n_ints = 0,
            NODE "nodes_treeids has 0 whole numbers, want 1");
    REFUSED("all-modes", attribute(m, 0, "nodes_values")->floats[1] = INFINITY,
            NODE "nodes_values[1] is not a finite number");
    REFUSED("all-modes",
            rename_to(&attribute(m, 0, "nodes_values")->name, "nodes_values_as_tensor"),
            NODE "nodes_values_as_tensor: want float32, without _as_tensor");
    REFUSED("all-modes", attribute(m, 0, "nodes_featureids")->ints[0] = 128,
            NODE "nodes_featureids[0] is 128, want 0..127");
    REFUSED("all-modes", attribute(m, 0, "nodes_featureids")->ints[0] = 4,
            NODE "node 0 of tree 0 asks for feature 4, want -1..3");
    REFUSED("all-modes", attribute(m, 0, "nodes_nodeids")->ints[1] = 2,
            NODE "tree 0 has two nodes 2");
    REFUSED("all-modes", attribute(m, 0, "nodes_truenodeids")->ints[0] = 7,
            NODE "tree 0 has no node 7, which node 0 goes to");
    REFUSED("all-modes", attribute(m, 0, "nodes_truenodeids")->ints[0] = 2,
            NODE "node 2 of tree 0 has two parents, want one");
    REFUSED("all-modes", attribute(m, 0, "nodes_truenodeids")->ints[1] = 0,
            NODE "tree 0 goes in a circle: its root reaches 1 of 7 nodes");
    REFUSED("all-modes", set_text(&attribute(m, 0, "nodes_modes")->strings[1], "LEAF"),
            NODE "nodes 0 and 3 of tree 0 have no parent, want one root");
    REFUSED("all-modes", attribute(m, 0, "target_nodeids")->ints[0] = 0,
            NODE "target_nodeids[0]: node 0 of tree 0 is no leaf");
    REFUSED("all-modes", attribute(m, 0, "target_ids")->ints[0] = 3,
            NODE "target_ids[0] is 3, want 0..2");
    REFUSED("all-modes", attribute(m, 0, "n_targets")->i = 17, NODE "17 targets, want 1..16");
    REFUSED("all-modes", attribute(m, 0, "base_values")->n_floats = 2,
            NODE "base_values has 2 numbers, want 3");
    REFUSED("sklearn-binary", attribute(m, 0, "classlabels_int64s")->n_ints = 0,
            "x: node \"TreeEnsembleClassifier\" (TreeEnsembleClassifier): 0 labels, want 1..16");
}
