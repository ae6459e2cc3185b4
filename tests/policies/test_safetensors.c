/* Malformed files, each with its sentence; what is written reads back. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/files.h"
#include "harness/learn/model_file.h"
#include "harness/learn/safetensors.h"
#include "tests/gpu-kernels/nets.h"

/* A file from its header and n bytes of data 0, 1, 2, .. */
static size_t build(unsigned char *out, const char *header, size_t n)
{
    size_t len = strlen(header);
    for (int i = 0; i < 8; i++)
        out[i] = (unsigned char)((uint64_t)len >> 8 * i);
    memcpy(out + 8, header, len);
    for (size_t i = 0; i < n; i++)
        out[8 + len + i] = (unsigned char)i;
    return 8 + len + n;
}

static const struct {
    const char *header;
    size_t n;
    int code;
    const char *want;
} cases[] = {
    {"", 0, ERR_EPARSE, "t: no JSON object after the header length"},
    {"[]", 0, ERR_EPARSE, "t: no JSON object after the header length"},
    {"{\"a\": 1", 0, ERR_EPARSE, "t:1:"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 9, ERR_EPARSE,
     "t: 9 bytes of data, the tensors cover 8"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 4, ERR_ERANGE,
     "t: a.data_offsets[1]: got 8, want an integer 0..4"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, ERR_ERANGE,
     "t: a.data_offsets: "},
    {"{\"a\":{\"dtype\":\"F31\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, ERR_ERANGE,
     "t: a.dtype: got \"F31\", want F32, I8, I32 or another known type"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}", 8, ERR_ERANGE,
     "t: a.shape: got 2, want an array of at most 4 sizes"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, ERR_ERANGE,
     "t: a.shape[0]: got -2, want an integer 0..67108864"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[67108864,67108864],\"data_offsets\":[0,8]}}", 8,
     ERR_ERANGE, "t: a.shape: "},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, ERR_ENAME,
     "t: a: key \"data_offsets\" is missing"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
     "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
     4, ERR_EPARSE, "t: tensor "},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, ERR_EPARSE,
     "t: tensor a begins at byte 4, want 0: no holes, no overlaps"},
    {"{\"__metadata__\":{\"k\":1}}", 0, ERR_ERANGE, "t: __metadata__.k: got 1, want "},
    {"{\"__metadata__\":[]}", 0, ERR_ERANGE, "t: __metadata__: got "},
    {"{\"a\":{},\"a\":{}}", 0, ERR_EPARSE, "t: key \"a\" is given twice"},
};

ParameterizedTestParameters(safetensors, refuses_with_a_sentence)
{
    static int row[sizeof cases / sizeof *cases];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, safetensors, refuses_with_a_sentence)
{
    unsigned char file[512];
    struct safetensors *st;
    struct err e = {0};
    size_t n = build(file, cases[*row].header, cases[*row].n);
    int rc = safetensors_parse(&st, "t", file, n, &e);
    cr_expect(rc < 0 && err_status(rc) == 2);
    cr_expect_null(st);
    cr_expect_eq(rc, cases[*row].code, "%s: code %d, said \"%s\"", cases[*row].header, rc, e.msg);
    cr_expect(!strncmp(e.msg, cases[*row].want, strlen(cases[*row].want)), "%s: said \"%s\"",
              cases[*row].header, e.msg);
}

Test(safetensors, every_truncation_is_refused)
{
    unsigned char file[256];
    size_t n = build(file, "{\"a\":{\"dtype\":\"I8\",\"shape\":[2,2],\"data_offsets\":[0,4]}}", 4);
    for (size_t cut = 0; cut < n; cut++) {
        struct safetensors *st;
        struct err e = {0};
        cr_expect_lt(safetensors_parse(&st, "t", file, cut, &e), 0, "cut at %zu", cut);
    }
}

Test(safetensors, reads_a_file_as_the_reference_writer_leaves_it)
{
    unsigned char file[256];
    /* safetensors 0.4 from Python: save({"b": int8 [[0,1],[2,3]]}, metadata={"format": "pt"}) */
    size_t n =
        build(file,
              "{\"__metadata__\":{\"format\":\"pt\"},\"b\":{\"dtype\":\"I8\",\"shape\":[2,2],"
              "\"data_offsets\":[0,4]}}   ",
              4);
    struct safetensors *st;
    struct err e = {0};
    cr_assert_eq(safetensors_parse(&st, "t", file, n, &e), 0, "%s", e.msg);
    cr_expect_eq(safetensors_count(st), 1);
    cr_expect_str_eq(safetensors_meta(st, "format"), "pt");
    cr_expect_null(safetensors_meta(st, "no"));
    const struct safetensor *b = safetensors_find(st, "b");
    cr_assert(b && b->n_dim == 2 && b->shape[0] == 2 && b->bytes == 4);
    cr_expect_eq(((const signed char *)b->data)[3], 3);
    safetensors_free(st);
}

/* ---- networks in files -------------------------------------------------------- */

static char *temporary(void)
{
    char *path;
    cr_assert_gt(asprintf(&path, BUILD "/tests/weights-%ld.safetensors", (long)getpid()), 0);
    return path;
}

Test(model_file, what_is_written_reads_back_both_types)
{
    float w1[6] = {1, -2, 3.5f, 0, 1e-3f, 7}, b1[3] = {0, 1, 2}, w2[3] = {1, 2, 3}, b2[1] = {-1};
    int8_t q1[6] = {1, -127, 3, 4, 5, 6}, q2[3] = {1, 2, -3};
    int32_t c1[3] = {100, -200000, 3}, c2[1] = {9};
    const struct infer_mlp nets[2] = {{.n_in = 2,
                                       .n_hidden = 3,
                                       .n_out = 1,
                                       .type = INFER_F32,
                                       .w1 = w1,
                                       .b1 = b1,
                                       .w2 = w2,
                                       .b2 = b2},
                                      {.n_in = 2,
                                       .n_hidden = 3,
                                       .n_out = 1,
                                       .type = INFER_S8,
                                       .q1 = q1,
                                       .c1 = c1,
                                       .q2 = q2,
                                       .c2 = c2,
                                       .in_scale = 0.5f,
                                       .hidden_scale = 0.25f,
                                       .out_scale = 2}};
    const struct safetensors_text meta = {"say", "a \"quoted\" \\ text"};
    char *path = temporary();
    for (int i = 0; i < 2; i++) {
        struct model_file *m;
        struct err e = {0};
        cr_assert_eq(model_file_write(path, &nets[i], &meta, 1, &e), 0, "%s", e.msg);
        cr_assert_eq(model_file_open(&m, path, &e), 0, "%s", e.msg);
        const struct infer_mlp *got = model_file_mlp(m);
        cr_expect(got->n_in == 2 && got->n_hidden == 3 && got->n_out == 1 &&
                  got->type == nets[i].type);
        cr_expect_str_eq(model_file_meta(m, "say"), meta.value);
        cr_expect_eq(infer_flops(model_file_net(m)), 2 * 3 * 3);
        if (i == 0)
            cr_expect(!memcmp(got->w1, w1, sizeof w1) && !memcmp(got->b2, b2, sizeof b2));
        else
            cr_expect(!memcmp(got->q1, q1, sizeof q1) && !memcmp(got->c1, c1, sizeof c1) &&
                      got->hidden_scale == 0.25f);
        model_file_free(m);
    }
    unlink(path);
    free(path);
}

static void reads_back(const struct infer_mlp *net, const char *shape)
{
    struct model_file *m;
    struct err e = {0};
    char *path = temporary(), text[48];
    cr_assert_eq(model_file_write(path, net, NULL, 0, &e), 0, "%s", e.msg);
    cr_assert_eq(model_file_open(&m, path, &e), 0, "%s", e.msg);
    const struct infer_mlp *got = model_file_mlp(m);
    cr_expect(got->type == net->type && got->sigmoid == net->sigmoid &&
              got->sigmoid_out == net->sigmoid_out && got->out_scale == net->out_scale);
    for (uint32_t i = 0, before = net->n_in; i <= net->n_deep; i++) {
        struct infer_layer a = infer_layer(net, i), b = infer_layer(got, i);
        size_t n = (size_t)before * a.width;
        cr_assert_eq(a.width, b.width);
        if (net->type == INFER_S8)
            cr_expect(!memcmp(a.q, b.q, n) && !memcmp(a.c, b.c, 4 * a.width) && a.scale == b.scale);
        else
            cr_expect(!memcmp(a.w, b.w, 4 * n) && !memcmp(a.b, b.b, 4 * a.width));
        before = a.width;
    }
    model_file_shape(got, text, sizeof text);
    cr_expect_str_eq(text, shape);
    model_file_free(m);
    unlink(path);
    free(path);
}

Test(model_file, several_hidden_layers_and_sigmoids_read_back)
{
    const uint32_t widths[] = {5, 7, 9};
    struct net *n = net_make_deep(3, 4, 2, INFER_F32, 2, widths, 1);
    reads_back(&n->mlp, "3-4-5-7-2");
    cr_expect_eq(infer_flops(&(struct infer_net){.kind = INFER_MLP, .mlp = &n->mlp}),
                 2 * (12 + 20 + 35 + 14));
    n->mlp.sigmoid = true;
    reads_back(&n->mlp, "3-4-5-7-2");
    n->mlp.sigmoid_out = true;
    reads_back(&n->mlp, "3-4-5-7-2");
    net_free(n);
    n = net_make_deep(64, 1, 16, INFER_S8, 3, widths, 1);
    reads_back(&n->mlp, "64-1-5-7-9-16");
    net_free(n);
}

static const struct {
    const char *header;
    size_t n;
    const char *want;
} nets[] = {
    {"{\"__metadata__\":{\"activation\":\"tanh\"},"
     "\"w1\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[0,4]},"
     "\"b1\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]},"
     "\"w2\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[8,12]},"
     "\"b2\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[12,16]}}",
     16, "t: activation is \"tanh\", want relu or sigmoid"},
    {"{\"w1\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]},"
     "\"b1\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]},"
     "\"w2\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[16,24]},"
     "\"b2\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[24,28]},"
     "\"w3\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[28,36]},"
     "\"b3\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[36,40]}}",
     40, "t: w3 has another shape than [1, 1]"},
    {"{\"w1\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[0,4]}}", 4,
     "t: want tensors w1, b1, w2, b2 (or 0.weight .. 2.bias, or fc1.weight .. fc2.bias)"},
    {"{\"w1\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
     "\"b1\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]},"
     "\"w2\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[8,12]},"
     "\"b2\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[12,16]}}",
     16, "t: w1 and w2 want two dimensions each"},
    {"{\"fc1.weight\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[0,4]},"
     "\"fc1.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]},"
     "\"fc2.weight\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[12,16]},"
     "\"fc2.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[16,20]}}",
     20, "t: fc1.bias has another shape than [1]"},
    {"{\"0.weight\":{\"dtype\":\"F16\",\"shape\":[1,1],\"data_offsets\":[0,2]},"
     "\"0.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[2,6]},"
     "\"2.weight\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[6,10]},"
     "\"2.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[10,14]}}",
     14, "t: 0.weight is F16, want F32"},
    {"{\"w1\":{\"dtype\":\"F32\",\"shape\":[0,1],\"data_offsets\":[0,0]},"
     "\"b1\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},"
     "\"w2\":{\"dtype\":\"F32\",\"shape\":[1,0],\"data_offsets\":[0,0]},"
     "\"b2\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
     4, "t: a 1-0-1 network, want 1..64, 1..1024, 1..16"},
    {"{\"w1\":{\"dtype\":\"I8\",\"shape\":[1,1],\"data_offsets\":[0,1]},"
     "\"b1\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[1,5]},"
     "\"w2\":{\"dtype\":\"I8\",\"shape\":[1,1],\"data_offsets\":[5,6]},"
     "\"b2\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[6,10]}}",
     10, "t: int8 weights want a tensor scales"},
};

ParameterizedTestParameters(model_file, refuses_with_a_sentence)
{
    static int row[sizeof nets / sizeof *nets];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, model_file, refuses_with_a_sentence)
{
    unsigned char file[1024];
    struct model_file *m;
    struct err e = {0};
    size_t n = build(file, nets[*row].header, nets[*row].n);
    int rc = model_file_from(&m, "t", file, n, &e);
    cr_expect(rc < 0 && err_status(rc) == 2);
    cr_expect_null(m);
    cr_expect_str_eq(e.msg, nets[*row].want);
}

Test(model_file, weights_that_are_no_numbers_are_refused)
{
    float w1[1] = {1}, b1[1] = {0}, w2[1] = {1}, b2[1] = {0.0f / 1};
    uint32_t nan = 0x7fc00000;
    memcpy(b2, &nan, sizeof nan);
    struct infer_mlp net = {
        .n_in = 1, .n_hidden = 1, .n_out = 1, .w1 = w1, .b1 = b1, .w2 = w2, .b2 = b2};
    char *path = temporary(), want[256];
    struct model_file *m;
    struct err e = {0};
    cr_assert_eq(model_file_write(path, &net, NULL, 0, &e), 0);
    cr_expect_eq(model_file_open(&m, path, &e), ERR_ERANGE);
    snprintf(want, sizeof want, "%s: b2[0] is not a finite number", path);
    cr_expect_str_eq(e.msg, want);
    unlink(path);
    free(path);
}

Test(model_file, names_that_are_not_there_say_where_they_would_be)
{
    struct model_file *m;
    struct err e = {0}, f = {0};
    cr_expect_eq(model_file_open(&m, "nosuch", &e), ERR_ENAME);
    cr_expect_str_eq(e.msg, "no weights policies/weights/nosuch.safetensors");
    cr_expect_eq(model_file_open(&m, "a/b", &f), ERR_ENAME);
    cr_expect_str_eq(f.msg, "a/b: no such file, want weights in safetensors");
}
