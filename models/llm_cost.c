/* llm_cost.c - the cost model's two sources, and the formula of the fit. */
#include "models/llm_cost.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static int name_of(char *out, size_t n, const char *model, const char *what, struct err *e)
{
    int len = snprintf(out, n, "llm.%s.%s", model, what);
    return len > 0 && (size_t)len < n
               ? 0
               : err_set(e, ERR_ENAME, "model name \"%.40s...\" is too long", model);
}

static int open_times(struct llm_cost *c, struct machine_use *u, const char *model, struct err *e)
{
    static const struct {
        const char *what;
        size_t at;
    } times[] = {
        {"fixed", offsetof(struct llm_cost, fixed)},
        {"prompt_step", offsetof(struct llm_cost, prompt_step)},
        {"prompt_token", offsetof(struct llm_cost, prompt_token)},
        {"prompt_past", offsetof(struct llm_cost, prompt_past)},
        {"prompt_kpair", offsetof(struct llm_cost, prompt_kpair)},
        {"decode_step", offsetof(struct llm_cost, decode_step)},
        {"decode_seq", offsetof(struct llm_cost, decode_seq)},
        {"decode_token", offsetof(struct llm_cost, decode_token)},
    };
    char name[128];
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        int rc = name_of(name, sizeof name, model, times[i].what, e);
        if (!rc)
            rc = machine_ps(u, name, (sim_cost *)((char *)c + times[i].at), e);
        if (rc)
            return rc;
    }
    return 0;
}

static int open_sizes(struct llm_cost *c, struct machine_use *u, const char *model, struct err *e)
{
    static const struct {
        const char *what;
        enum quantity quantity;
        size_t at;
    } sizes[] = {
        {"weights", QUANTITY_BYTES, offsetof(struct llm_cost, weight_bytes)},
        {"kv_per_token", QUANTITY_BYTES, offsetof(struct llm_cost, kv_bytes_per_token)},
        {"reserve", QUANTITY_BYTES, offsetof(struct llm_cost, reserve_bytes)},
        {"kernels", QUANTITY_COUNT, offsetof(struct llm_cost, kernels)},
    };
    char name[128];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        double v = 0;
        int rc = name_of(name, sizeof name, model, sizes[i].what, e);
        if (!rc)
            rc = machine_value(u, name, sizes[i].quantity, &v, e);
        if (rc)
            return rc;
        *(uint64_t *)((char *)c + sizes[i].at) = (uint64_t)v;
    }
    return c->kv_bytes_per_token
               ? 0
               : err_set(e, ERR_ERANGE, "machine \"%s\": \"llm.%s.kv_per_token\" is 0, want bytes",
                         u->machine->name, model);
}

static sim_cost stretched(const struct llm_cost *c, sim_cost ps)
{
    return c->sms_lost ? (sim_cost)((unsigned __int128)ps * c->sms / (c->sms - c->sms_lost)) : ps;
}

static void look_up_few(struct llm_cost *c)
{
    for (uint64_t i = 0; i < LLM_FEW; i++) {
        c->few_dense[i] = stretched(c, machine_table_at(c->dense, i));
        c->few_head[i] = stretched(c, machine_table_at(c->head, i));
    }
}

int llm_cost_open(struct llm_cost *c, struct machine_use *u, const char *model, struct err *e)
{
    char name[128];
    *c = (struct llm_cost){0};
    int rc = name_of(name, sizeof name, model, "dense", e);
    if (!rc)
        rc = machine_table(u, name, &c->dense, e);
    if (!rc)
        rc = name_of(name, sizeof name, model, "head", e);
    if (!rc)
        rc = machine_table(u, name, &c->head, e);
    if (!rc)
        look_up_few(c);
    if (!rc)
        rc = open_times(c, u, model, e);
    return rc ? rc : open_sizes(c, u, model, e);
}

/* Only "layers" must be there: what tables of any model need they ask for themselves. */
static int open_shape(struct llm_shape *s, struct machine_use *u, const char *model, struct err *e)
{
    const struct {
        const char *what;
        uint64_t *to;
    } sizes[] = {{"layers", &s->layers}, {"hidden", &s->hidden},     {"ffn", &s->ffn},
                 {"heads", &s->heads},   {"kv_heads", &s->kv_heads}, {"head_dim", &s->head_dim},
                 {"vocab", &s->vocab}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char name[128];
        double v = 0;
        int rc = name_of(name, sizeof name, model, sizes[i].what, e);
        if (!rc && (i == 0 || machine_find(u->machine, name)))
            rc = machine_value(u, name, QUANTITY_COUNT, &v, e);
        if (rc)
            return rc;
        *sizes[i].to = (uint64_t)v;
    }
    return 0;
}

int llm_cost_open_ops(struct llm_cost *c, struct machine_use *u, const char *model,
                      struct row_source *const *rows, size_t n, uint32_t parallel, struct err *e)
{
    struct llm_shape shape = {0};
    *c = (struct llm_cost){0};
    int rc = open_sizes(c, u, model, e);
    if (!rc)
        rc = open_shape(&shape, u, model, e);
    c->weight_bytes /= parallel; /* of each GPU */
    c->kv_bytes_per_token = (c->kv_bytes_per_token + parallel - 1) / parallel;
    if (rc || !n)
        return rc;
    c->ops = calloc(1, sizeof *c->ops);
    if (!c->ops)
        return err_set(e, ERR_ENOMEM, "operator tables: out of memory");
    return llm_ops_open(c->ops, rows, n, &shape, parallel, e);
}

void llm_cost_close(struct llm_cost *c)
{
    if (c->ops)
        llm_ops_free(c->ops);
    free(c->ops);
    c->ops = NULL;
}

int llm_cost_without(struct llm_cost *c, uint64_t sms, struct machine_use *u, struct err *e)
{
    sim_cost *const times[] = {&c->fixed,       &c->prompt_step,  &c->prompt_token,
                               &c->prompt_past, &c->prompt_kpair, &c->decode_step,
                               &c->decode_seq,  &c->decode_token};
    double all = 0;
    int rc = machine_value(u, "gpu.sms", QUANTITY_COUNT, &all, e);
    if (!rc && (double)sms >= all)
        rc = err_set(e, ERR_ERANGE,
                     "machine \"%s\": %llu SMs are wanted for a resident kernel, \"gpu.sms\" is %g",
                     u->machine->name, (unsigned long long)sms, all);
    if (rc)
        return rc;
    c->sms = (uint64_t)all;
    c->sms_lost = sms;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        *times[i] = stretched(c, *times[i]);
    if (c->ops)
        llm_ops_stretch(c->ops, c->sms, c->sms - c->sms_lost);
    else
        look_up_few(c);
    return 0;
}

static sim_cost by_ops(const struct llm_cost *c, const struct llm_batch *b)
{
    return stretched(c, llm_ops_dense(c->ops, b->prompt_tokens + b->decoding)) +
           stretched(c, llm_ops_head(c->ops, b->sampled)) + llm_ops_attention(c->ops, b);
}

static inline sim_cost by_table(const struct llm_cost *c, const struct machine_cost *table,
                                const sim_cost few[LLM_FEW], uint64_t n)
{
    return n < LLM_FEW ? few[n] : stretched(c, machine_table_at(table, n));
}

sim_cost llm_cost_iteration(const struct llm_cost *c, const struct llm_batch *b)
{
    if (c->ops)
        return by_ops(c, b);
    sim_cost ps = c->fixed + by_table(c, c->dense, c->few_dense, b->prompt_tokens + b->decoding);
    if (b->sampled)
        ps += by_table(c, c->head, c->few_head, b->sampled);
    if (b->chunks)
        ps += c->prompt_step + b->prompt_tokens * c->prompt_token + b->past * c->prompt_past +
              b->pairs * c->prompt_kpair / 1000;
    if (b->decoding)
        ps += c->decode_step + b->decoding * c->decode_seq + b->cached * c->decode_token;
    return ps;
}

int64_t llm_cost_growth(const struct llm_cost *c, const struct llm_batch *b, uint64_t *iterations)
{
    if (c->ops)
        return llm_ops_growth(c->ops, b, iterations);
    *iterations = UINT64_MAX;
    return (int64_t)(b->decoding * c->decode_token);
}

int llm_cost_kv_tokens(const struct llm_cost *c, struct machine_use *u, double fraction,
                       uint64_t *tokens, struct err *e)
{
    double memory = 0;
    int rc = machine_value(u, "gpu.memory", QUANTITY_BYTES, &memory, e);
    if (rc)
        return rc;
    double room = memory * fraction - (double)c->weight_bytes - (double)c->reserve_bytes;
    if (room < (double)c->kv_bytes_per_token * 16)
        return err_set(
            e, ERR_ERANGE,
            "machine \"%s\": the model's weights (%.1f GB) leave no room for a KV cache in "
            "%.2f of %.1f GB",
            u->machine->name, (double)c->weight_bytes / 1e9, fraction, memory / 1e9);
    *tokens = (uint64_t)(room / (double)c->kv_bytes_per_token);
    return 0;
}
