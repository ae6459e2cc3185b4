/* test_model_knn.c - weights files of nearest neighbours. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/learn/model_file.h"
#include "harness/learn/model_file_knn.h"
#include "harness/learn/model_info.h"
#include "tests/gpu-kernels/knns.h"

static void temporary(char *path)
{
    const int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
}

Test(model_knn, a_file_gives_back_what_was_written)
{
    char path[] = "/tmp/malv-knn-XXXXXX", text[128];
    temporary(path);
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct knn *n = knn_make_any(100, seed);
        const struct safetensors_text meta[] = {{"features", "none/1"}};
        struct model_file *file;
        struct err e = {0};
        cr_assert_eq(model_knn_write(path, &n->m, meta, 1, &e), 0, "%s", e.msg);
        cr_assert_eq(model_file_open(&file, path, &e), 0, "%s", e.msg);
        cr_expect_eq(model_file_mlp(file), NULL);
        cr_expect_str_eq(model_file_meta(file, "features"), "none/1");
        const struct infer_knn *m = model_file_net(file)->knn;
        cr_expect(m->n_refs == n->m.n_refs && m->n_dim == n->m.n_dim && m->k == n->m.k &&
                  m->n_labels == n->m.n_labels && !memcmp(&m->in_scale, &n->m.in_scale, 4));
        cr_expect_arr_eq(m->refs, n->refs, (size_t)m->n_refs * m->n_dim);
        cr_expect_arr_eq(m->labels, n->labels, m->n_refs);
        snprintf(text, sizeof text, "%u nearest of %u references, ", m->k, m->n_refs);
        char said[128];
        model_info_say(file, said, sizeof said);
        cr_expect_eq(strncmp(said, text, strlen(text)), 0, "%s", said);
        model_file_free(file);
        knn_free(n);
    }
    unlink(path);
}

/* ---- what is refused ------------------------------------------------------------ */

/* A file of three references of two inputs, with one thing changed. */
enum { IN_SCALE, LABELS, REFS, TENSORS };
struct change {
    int tensor; /* TENSORS: none */
    struct safetensor to;
    const char *k, *labels;
};

static int open_changed(struct model_file **m, char *path, const struct change *c, struct err *e)
{
    static const float scale[] = {1};
    static const int8_t refs[] = {1, 2, 3, 4, 5, 6};
    static const uint8_t labels[] = {0, 1, 1};
    struct safetensor t[] = {{"in_scale", "F32", {1}, 1, scale, 4},
                             {"labels", "U8", {3}, 1, labels, 3},
                             {"refs", "I8", {3, 2}, 2, refs, 6}};
    struct safetensors_text meta[3] = {{"kind", "knn"}};
    size_t n_meta = 1;
    if (c->k)
        meta[n_meta++] = (struct safetensors_text){"k", c->k};
    if (c->labels)
        meta[n_meta++] = (struct safetensors_text){"labels", c->labels};
    if (c->tensor < TENSORS)
        t[c->tensor] = c->to;
    temporary(path);
    cr_assert_eq(safetensors_write(path, t, TENSORS, meta, n_meta, e), 0, "%s", e->msg);
    return model_file_open(m, path, e);
}

static void refused(struct change c, const char *says)
{
    char path[] = "/tmp/malv-knn-XXXXXX", want[192];
    struct model_file *m;
    struct err e = {0};
    cr_expect_neq(open_changed(&m, path, &c, &e), 0, "taken: %s", says);
    cr_expect_eq(m, NULL);
    snprintf(want, sizeof want, "%s: %s", path, says);
    cr_expect_str_eq(e.msg, want);
    unlink(path);
}

Test(model_knn, labels_may_be_words)
{
    const int32_t words[] = {1, 0, 1};
    char path[] = "/tmp/malv-knn-XXXXXX";
    struct model_file *m;
    struct err e = {0};
    struct change c = {LABELS, {"labels", "I32", {3}, 1, words, 12}, "2", "2"};
    cr_assert_eq(open_changed(&m, path, &c, &e), 0, "%s", e.msg);
    cr_expect_eq(model_file_net(m)->knn->labels[2], 1);
    model_file_free(m);
    unlink(path);
}

Test(model_knn, bad_files_get_their_sentence)
{
    static const int32_t far[] = {0, 1, 300};
    static const uint8_t bytes[20000] = {0};
    static const float none[] = {0}, two[] = {1, 1};
    const struct change whole = {.tensor = TENSORS, .k = "2", .labels = "2"};
    struct change c = whole;
    c.k = NULL;
    refused(c, "nearest neighbours want \"k\" in the metadata");
    c.k = "many";
    refused(c, "k is \"many\", want 1..32");
    c.k = "33";
    refused(c, "k is \"33\", want 1..32");
    c.k = "4";
    refused(c, "k is 4, want 1..3");
    c = whole, c.labels = "0";
    refused(c, "labels is \"0\", want 1..16");
    c.labels = "1";
    refused(c, "labels[1] is 1, want 0..0");
    c = whole, c.tensor = LABELS;
    c.to = (struct safetensor){"labels", "I32", {3}, 1, far, 12};
    refused(c, "labels[2] is 255, want 0..1");
    c.to = (struct safetensor){"labels", "U8", {2}, 1, bytes, 2};
    refused(c, "labels has 2 values, want 3");
    c.to = (struct safetensor){"lables", "U8", {3}, 1, bytes, 3};
    refused(c, "nearest neighbours want a tensor labels");
    c.to = (struct safetensor){"labels", "F32", {3}, 1, bytes, 12};
    refused(c, "labels is F32 of 1 dimensions, want U8 of 1");
    c.tensor = REFS;
    c.to = (struct safetensor){"refs", "I8", {6}, 1, bytes, 6};
    refused(c, "refs is I8 of 1 dimensions, want I8 of 2");
    c.to = (struct safetensor){"refs", "I8", {9000, 2}, 2, bytes, 18000};
    refused(c, "refs is [9000, 2], want 1..8192 and 1..256");
    c.to = (struct safetensor){"refs", "I8", {3, 0}, 2, bytes, 0};
    refused(c, "refs is [3, 0], want 1..8192 and 1..256");
    c.tensor = IN_SCALE;
    c.to = (struct safetensor){"in_scale", "F32", {1}, 1, none, 4};
    refused(c, "in_scale is 0, want 1e-12..1e12");
    c.to = (struct safetensor){"in_scale", "F32", {2}, 1, two, 8};
    refused(c, "in_scale has 2 values, want 1");
}
