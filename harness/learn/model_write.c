#include "harness/learn/model_write.h"

#include <stdlib.h>

#include "harness/base/files.h"
#include "harness/base/fmt.h"
#include "harness/learn/model_file.h"
#include "harness/learn/model_train.h"
#include "harness/learn/safetensors.h"

void model_write_command(FILE *f, void (*command)(FILE *f, const struct model_train_want *w),
                         const struct model_train_want *w)
{
    char *text = NULL;
    size_t n = 0;
    FILE *m = open_memstream(&text, &n);
    if (m) {
        command(m, w);
        fclose(m);
    }
    json_string(f, text ? text : "");
    free(text);
}

void model_write_traces(FILE *f, const struct model_train_want *w)
{
    for (size_t i = 0; i < w->n_trace; i++)
        fprintf(f, " --trace '%s'", w->trace[i]);
    for (size_t i = 0; i < w->n_eval; i++)
        fprintf(f, " --eval '%s'", w->eval[i]);
}

void model_write_split(FILE *f, size_t train, size_t valid, size_t test)
{
    fprintf(f, "\"split\": {\"by\": \"time\", \"train\": %zu, \"validation\": %zu, \"test\": %zu}",
            train, valid, test);
}

int model_write_weights(const struct model_write *w, const char *suffix,
                        const struct infer_mlp *mlp, struct err *e)
{
    char *path;
    const struct safetensors_text meta[] = {{"format", "malv-mlp/1"},
                                            {"features", w->features},
                                            {"outputs", w->outputs},
                                            {"provenance", "the .json of the same name"}};
    if (asprintf(&path, "%s/%s%s.safetensors", w->dir, w->name, suffix) < 0)
        return err_set(e, ERR_ENOMEM, "out of memory");
    int rc = model_file_write(path, mlp, meta, sizeof meta / sizeof *meta, e);
    free(path);
    return rc;
}

int model_write_provenance(const struct model_write *w, void (*put)(FILE *f, const void *ctx),
                           const void *ctx, bool show, struct err *e)
{
    char *text = NULL, *path = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    if (f)
        put(f, ctx);
    bool whole = f && !fclose(f) && asprintf(&path, "%s/%s.json", w->dir, w->name) > 0;
    int rc = whole ? files_write(path, text, n, e) : err_set(e, ERR_ENOMEM, "out of memory");
    if (!rc && show)
        fputs(text, stdout);
    free(path);
    free(text);
    return rc;
}
