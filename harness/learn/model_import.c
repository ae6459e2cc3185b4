#include "harness/learn/model_import.h"

#include <string.h>

#include "harness/learn/model_file.h"
#include "harness/learn/model_onnx.h"
#include "harness/learn/model_xgboost.h"

static int import_mlp(const char *from, const char *to, const char *given, char *text, size_t n,
                      struct err *e)
{
    struct model_file *m;
    int rc = model_file_open(&m, from, e);
    if (rc)
        return rc;
    const char *features = model_file_meta(m, "features");
    const struct safetensors_text meta[] = {{"format", "malv-mlp/1"},
                                            {"imported_from", given},
                                            {"features", features ? features : "not said"}};
    if (!model_file_mlp(m)) {
        rc = err_set(e, ERR_ENAME, "%s: no perceptron, which is what safetensors are taken for",
                     from);
    } else {
        rc = model_file_write(to, model_file_mlp(m), meta, 3, e);
        model_file_shape(model_file_mlp(m), text, n);
    }
    model_file_free(m);
    return rc;
}

static int write_forest(const struct model_forest *m, const char *to, const char *given, char *text,
                        size_t n, struct err *e)
{
    const struct safetensors_text meta[] = {
        {"format", "malv-forest/1"}, {"imported_from", given}, {"features", "not said"}};
    const struct infer_net net = model_forest_net(m);
    model_kind_forest.say(&net, text, n);
    return model_forest_write(to, m, meta, 3, e);
}

static int import_xgboost(const char *from, const char *to, const char *given, char *text, size_t n,
                          struct err *e)
{
    struct model_forest *m;
    int rc = model_xgboost_load(&m, from, e);
    if (rc)
        return rc;
    rc = write_forest(m, to, given, text, n, e);
    model_forest_free(m);
    return rc;
}

static int import_onnx(const char *from, const char *to, const char *given, char *text, size_t n,
                       struct err *e)
{
    const struct safetensors_text meta[] = {
        {"format", "malv-mlp/1"}, {"imported_from", given}, {"features", "not said"}};
    struct model_onnx *m;
    int rc = model_onnx_load(&m, from, e);
    if (rc)
        return rc;
    if (m->forest) {
        rc = write_forest(m->forest, to, given, text, n, e);
    } else {
        rc = model_file_write(to, &m->mlp, meta, 3, e);
        model_file_shape(&m->mlp, text, n);
    }
    model_onnx_free(m);
    return rc;
}

static bool ends(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n > m && !strcmp(text + n - m, end);
}

int model_import(const char *from, const char *to, const char *given, FILE *say, struct err *e)
{
    char text[128] = "";
    int rc = (ends(from, ".json")   ? import_xgboost
              : ends(from, ".onnx") ? import_onnx
                                    : import_mlp)(from, to, given, text, sizeof text, e);
    if (!rc && say)
        fprintf(say, "wrote %s: %s\n", to, text);
    return rc;
}
