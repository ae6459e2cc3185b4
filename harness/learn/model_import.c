#include "harness/learn/model_import.h"

#include <string.h>

#include "harness/learn/model_file.h"
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

static int import_forest(const char *from, const char *to, const char *given, char *text, size_t n,
                         struct err *e)
{
    struct model_forest *m;
    int rc = model_xgboost_load(&m, from, e);
    if (rc)
        return rc;
    const struct safetensors_text meta[] = {
        {"format", "malv-forest/1"}, {"imported_from", given}, {"features", "not said"}};
    const struct infer_net net = model_forest_net(m);
    rc = model_forest_write(to, m, meta, 3, e);
    model_kind_forest.say(&net, text, n);
    model_forest_free(m);
    return rc;
}

int model_import(const char *from, const char *to, const char *given, FILE *say, struct err *e)
{
    char text[128] = "";
    const size_t n = strlen(from);
    const bool trees = n > 5 && !strcmp(from + n - 5, ".json");
    int rc = (trees ? import_forest : import_mlp)(from, to, given, text, sizeof text, e);
    if (!rc && say)
        fprintf(say, "wrote %s: %s\n", to, text);
    return rc;
}
