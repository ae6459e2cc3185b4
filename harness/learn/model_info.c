#include "harness/learn/model_info.h"

#include "harness/base/fmt.h"
#include "harness/learn/model_kind.h"

static const char *const keys[] = {"format", "features", "outputs", "imported_from"};
enum { KEYS = sizeof keys / sizeof *keys };

static const char *type(const struct infer_mlp *p)
{
    return p->type == INFER_S8 ? "int8" : "fp32";
}

void model_info_say(const struct model_file *m, char *text, size_t n)
{
    const struct infer_mlp *p = model_file_mlp(m);
    char shape[48];
    if (!p) {
        model_file_other(m)->say(model_file_net(m), text, n);
        return;
    }
    model_file_shape(p, shape, sizeof shape);
    snprintf(text, n, "%s, %s%s, %s", shape, p->sigmoid ? "sigmoid" : "ReLU",
             p->sigmoid_out ? " and sigmoid outputs" : "", type(p));
}

static void put_mlp(FILE *f, const struct infer_mlp *p)
{
    char shape[48];
    fprintf(f, ", \"hidden\": %u, \"type\": \"%s\"", p->n_hidden, type(p));
    model_file_shape(p, shape, sizeof shape);
    if (p->n_deep)
        fprintf(f, ", \"shape\": \"%s\"", shape);
}

static void put_json(FILE *f, const struct model_file *m)
{
    const struct infer_net *net = model_file_net(m);
    uint32_t n_in, n_out;
    infer_shape(net, &n_in, &n_out);
    fputs("{\"file\": ", f);
    json_string(f, model_file_path(m));
    fprintf(f, ", \"kind\": \"%s\", \"in\": %u, \"out\": %u, \"flops\": %llu",
            model_file_mlp(m) ? "mlp" : model_file_other(m)->name, n_in, n_out,
            (unsigned long long)infer_flops(net));
    if (model_file_mlp(m))
        put_mlp(f, model_file_mlp(m));
    for (int i = 0; i < KEYS; i++)
        if (model_file_meta(m, keys[i])) {
            fprintf(f, ", \"%s\": ", keys[i]);
            json_string(f, model_file_meta(m, keys[i]));
        }
    fputs("}\n", f);
}

void model_info(FILE *f, const struct model_file *m, bool json)
{
    char text[128];
    if (json) {
        put_json(f, m);
        return;
    }
    model_info_say(m, text, sizeof text);
    fprintf(f, "file          %s\nnetwork       %s\noperations    %llu per row\n",
            model_file_path(m), text, (unsigned long long)infer_flops(model_file_net(m)));
    for (int i = 0; i < KEYS; i++)
        if (model_file_meta(m, keys[i]))
            fprintf(f, "%-13s %s\n", keys[i], model_file_meta(m, keys[i]));
}
