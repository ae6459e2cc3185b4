/* embedding_config.c - the section "embedding". */
#include "models/mem/embedding.h"

#include <stddef.h>

struct section {
    struct emb_config c;
    const struct config *by, *fill, *order, *infer;
    uint32_t page_kib;
    const char *label; /* a sweep over whole sections names them; nothing here reads it */
};

#define FIELD(type, key, lo, hi, must)                                                             \
    {                                                                                              \
#key, CONFIG_T_##type, offsetof(struct section, c.key), lo, hi, must                       \
    }
static const struct config_field fields[] = {
    FIELD(U64, rows, 2, 1 << 28, true),
    FIELD(U64, batches, 1, 1 << 24, true),
    FIELD(U64, warmup, 0, 1 << 24, false),
    FIELD(U32, row_bytes, 4, 1 << 16, false),
    FIELD(U32, batch, 1, 1 << 20, false),
    FIELD(U32, pooling, 1, 1 << 16, false),
    FIELD(U32, period, 1, 1 << 16, false),
    FIELD(U32, threads, 1, 1024, false),
    FIELD(F64, skew, 0, 8, false),
    FIELD(F64, hbm_gib, 0, 1 << 20, true),
    FIELD(F64, host_gib, 0, 1 << 20, false),
    FIELD(F64, compute_us, 0, 1e9, false),
    FIELD(BOOL, ahead, 0, 0, false),
    FIELD(BOOL, train, 0, 0, false),
    FIELD(STR, drive, 0, 0, false),
    CONFIG_ANY(struct section, by, false),
    CONFIG_ANY(struct section, fill, false),
    CONFIG_ANY(struct section, order, false),
    CONFIG_ANY(struct section, infer, false),
    CONFIG_U32(struct section, page_kib, 4, 1 << 16, false),
    CONFIG_STR(struct section, label, false),
    CONFIG_END};

static int choose(const struct config *at, const char *const *names, bool *second, struct err *e)
{
    int v = 0, rc = at ? config_choice(at, names, &v, e) : 0;
    *second = v == 1;
    return rc;
}

static int refuse(const struct config *c, const char *const *keys, const char *who, struct err *e)
{
    for (; *keys; keys++)
        if (config_get(c, *keys))
            return config_complain(config_get(c, *keys), e, "\"by\": \"%s\" beside it", who);
    return 0;
}

/* What holds for one of the two beside the other is a mistake; and numbers that do not fit. */
static int check(const struct config *c, const struct section *s, struct err *e)
{
    static const char *const of_os[] = {"page_kib", "period", "infer", NULL},
                             *const of_process[] = {"fill", "ahead", "threads", NULL};
    const double table = (double)s->c.rows * s->c.row_bytes;
    int rc = s->c.os ? refuse(c, of_process, "process", e) : refuse(c, of_os, "os", e);
    if (!rc && s->c.warmup >= s->c.batches)
        rc = config_complain(config_get(c, "warmup"), e, "less than batches");
    if (!rc && (uint64_t)s->c.batch * s->c.pooling * s->c.period > 1u << 28)
        rc = config_complain(c, e, "at most %u lookups (batch x pooling) in a period", 1u << 28);
    if (!rc && s->c.os && s->c.row_bytes > s->page_kib << 10)
        rc = config_complain(config_get(c, "row_bytes"), e, "at most page_kib");
    if (!rc && s->c.hbm_gib * 0x1p30 >= table)
        rc = config_complain(config_get(c, "hbm_gib"), e,
                             "less than the table (%.6g GiB): else there is nothing to place",
                             table / 0x1p30);
    return rc;
}

int emb_config(struct emb_config *c, const struct config *at, struct err *e)
{
    static const char *const who[] = {"process", "os", NULL},
                             *const how[] = {"gather", "direct", NULL},
                             *const lie[] = {"hot", "scattered", NULL};
    struct section s = {.c = {.row_bytes = 512,
                              .batch = 4096,
                              .pooling = 20,
                              .period = 10,
                              .threads = 8,
                              .skew = 1.05,
                              .drive = "980-pro"},
                        .page_kib = 64};
    int rc = config_fill(at, fields, &s, e);
    if (!rc)
        rc = choose(s.by, who, &s.c.os, e);
    if (!rc)
        rc = choose(s.fill, how, &s.c.direct, e);
    if (!rc)
        rc = choose(s.order, lie, &s.c.scattered, e);
    if (!rc)
        rc = check(at, &s, e);
    if (!rc)
        rc = mlaas_bill_config(&s.c.infer, s.infer, e);
    s.c.page = (uint64_t)s.page_kib << 10;
    if (!rc)
        *c = s.c;
    return rc;
}
