/* synth_rows.c - counting and rewinding, for every synthesizer of rows. */
#include "traces/synth_rows.h"

#include <stdlib.h>
#include <string.h>

static int next(struct row_source *self, union trace_row *out, struct err *e)
{
    struct synth_rows *s = (struct synth_rows *)self;
    (void)e;
    if (s->rows && s->made == s->rows)
        return 0;
    memset(out, 0, sizeof *out);
    s->make(s, out);
    if (s->until_ns && out->page.time_ns >= s->until_ns)
        return 0;
    s->made++;
    return 1;
}

static int begin_again(struct row_source *self, struct err *e)
{
    struct synth_rows *s = (struct synth_rows *)self;
    (void)e;
    s->made = 0;
    s->begin(s);
    return 0;
}

static void done(struct row_source *self)
{
    struct synth_rows *s = (struct synth_rows *)self;
    s->end(s);
}

void synth_rows_open(struct synth_rows *s, enum trace_table table, const struct synth_head *h,
                     uint64_t seed)
{
    s->base = (struct row_source){table, next, begin_again, done, h->rows, NULL};
    s->rows = h->rows;
    s->until_ns = (uint64_t)(h->duration_s * 1e9 + 0.5);
    s->seed = h->seeded ? h->seed : seed;
    s->made = 0;
    s->begin(s);
}

void synth_head_set_rows(void *params, uint64_t n)
{
    struct synth_head *h = params;
    h->rows = n;
    h->duration_s = 0;
}

uint64_t synth_head_rows(const void *params)
{
    return ((const struct synth_head *)params)->rows;
}

double synth_head_span(const struct synth_head *head, double rows_s)
{
    bool by_rows = head->rows && (head->duration_s <= 0 || rows_s < head->duration_s);
    return by_rows ? rows_s : head->duration_s;
}

const char *synth_head_name(const void *params)
{
    return ((const struct synth_head *)params)->preset;
}

void synth_head_named(struct synth_head *h, const char *preset)
{
    snprintf(h->preset, sizeof h->preset, "%s", preset);
}

bool synth_head_seeded(const void *params, uint64_t *seed)
{
    const struct synth_head *h = params;
    if (h->seeded)
        *seed = h->seed;
    return h->seeded;
}

char *synth_head_json(const void *params, void (*put_rest)(FILE *f, const void *params))
{
    const struct synth_head *h = params;
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        return NULL;
    fprintf(f, "{\"rows\":%llu,\"duration_s\":%.17g", (unsigned long long)h->rows, h->duration_s);
    if (h->seeded)
        fprintf(f, ",\"seed\":%llu", (unsigned long long)h->seed);
    put_rest(f, params);
    fputc('}', f);
    if (fclose(f)) {
        free(text);
        return NULL;
    }
    return text;
}

int synth_head_check(const struct config *section, struct synth_head *h, struct err *e)
{
    const struct config *rows = config_get(section, "rows"),
                        *duration = config_get(section, "duration_s");
    h->seeded = config_get(section, "seed") != NULL;
    if (rows && !duration)
        h->duration_s = 0;
    if (duration && !rows)
        h->rows = 0;
    if (!h->rows && h->duration_s <= 0)
        return config_complain(section, e, "rows or duration_s: where it ends");
    return 0;
}
