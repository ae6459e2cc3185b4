/* synth_pages_params.c - presets of the page patterns, and a section of one's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/synth_kinds.h"
#include "traces/synth_pages.h"

#define PAGES_MAX 1e12
#define SOURCE    "nobody's trace: a pattern (traces/synth_pages.h)"

static const char *const patterns[PAGES_PATTERNS + 1] = {
    "sequential", "strided", "uniform", "zipf", "phases", "drift", "scan", "files", NULL};
static const char *const modes[MODES + 1] = {"random", "sequential", "reverse",
                                             "runs",   "any",        NULL};

static const struct preset {
    const char *name, *title;
    enum synth_pattern pattern;
} presets[] = {
    {"pages-sequential", "a loop over 65,536 pages (256 MiB)", PAGES_SEQUENTIAL},
    {"pages-strided", "every 16th of 65,536 pages", PAGES_STRIDED},
    {"pages-uniform", "65,536 pages, all alike", PAGES_UNIFORM},
    {"pages-zipf", "65,536 pages, Zipf 0.9", PAGES_ZIPF},
    {"pages-phases", "90 % of the accesses to 10 % of the pages, which move on", PAGES_PHASES},
    {"pages-drift", "a working set of 4,096 pages that drifts", PAGES_DRIFT},
    {"pages-scan", "Zipf 0.9 and a loop over 16,384 pages beside it", PAGES_SCAN},
    {"pages-files", "8 files of 65,536 pages, each read in one way after another", PAGES_FILES},
};
#define PRESETS (sizeof presets / sizeof *presets)

static struct synth_pages defaults(void)
{
    return (struct synth_pages){.head.rows = 1000000,
                                .pages = 65536,
                                .gap_ns = 100,
                                .stride = 16,
                                .phase_accesses = 100000,
                                .window = 4096,
                                .drift_accesses = 64,
                                .scan_pages = 16384,
                                .zipf = 0.9,
                                .hot = 0.1,
                                .hot_share = 0.9,
                                .scan = 0.5,
                                .files = 8,
                                .mode = MODE_ANY,
                                .mode_accesses = 20000};
}

/* Which keys say something to which patterns. */
static const struct {
    const char *key;
    unsigned patterns;
} uses[] = {
    {"stride", 1u << PAGES_STRIDED},
    {"zipf", 1u << PAGES_ZIPF | 1u << PAGES_SCAN},
    {"hot", 1u << PAGES_PHASES},
    {"hot_share", 1u << PAGES_PHASES},
    {"phase_accesses", 1u << PAGES_PHASES},
    {"window", 1u << PAGES_DRIFT},
    {"drift_accesses", 1u << PAGES_DRIFT},
    {"scan", 1u << PAGES_SCAN},
    {"scan_pages", 1u << PAGES_SCAN},
    {"files", 1u << PAGES_FILES},
    {"mode", 1u << PAGES_FILES},
    {"mode_accesses", 1u << PAGES_FILES},
    {"run_pages", 1u << PAGES_FILES},
};

static int check(const struct config *section, const struct synth_pages *p, struct err *e)
{
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        const struct config *at = config_get(section, uses[i].key);
        if (at && !(uses[i].patterns & 1u << p->pattern))
            return err_set(e, ERR_ENAME, "%s: of no use with pattern \"%s\"", config_path(at),
                           patterns[p->pattern]);
    }
    if (p->gap_ns == 0 && p->head.rows == 0)
        return config_complain(section, e, "rows where gap_ns is 0: time stands still");
    if (p->pattern == PAGES_STRIDED && p->stride > p->pages)
        return config_complain(section, e, "a stride of at most its %llu pages",
                               (unsigned long long)p->pages);
    if (p->pattern == PAGES_DRIFT && p->window > p->pages)
        return config_complain(section, e, "a window of at most its %llu pages",
                               (unsigned long long)p->pages);
    return p->pattern == PAGES_PHASES && p->pages < 2
               ? config_complain(section, e, "at least 2 pages: hot ones and others")
               : 0;
}

struct pages_text {
    struct synth_pages p;
    const struct config *table, *preset, *pattern, *mode;
};

#define FIELD_U64(key, lo, hi)                                                                     \
    {                                                                                              \
#key, CONFIG_T_U64, offsetof(struct pages_text, p.key), lo, hi, false                      \
    }
#define FIELD_F64(key, lo, hi)                                                                     \
    {                                                                                              \
#key, CONFIG_T_F64, offsetof(struct pages_text, p.key), lo, hi, false                      \
    }

static const struct config_field pages_fields[] = {
    SYNTH_HEAD_FIELDS(struct pages_text, p.head),
    CONFIG_ANY(struct pages_text, pattern, false),
    FIELD_U64(pages, 1, PAGES_MAX),
    FIELD_U64(gap_ns, 0, 1e12),
    FIELD_F64(write, 0, 1),
    FIELD_U64(stride, 1, PAGES_MAX),
    FIELD_F64(zipf, 0.01, 10),
    FIELD_F64(hot, 1e-9, 0.99),
    FIELD_F64(hot_share, 0, 1),
    FIELD_U64(phase_accesses, 1, 1e15),
    FIELD_U64(window, 1, PAGES_MAX),
    FIELD_U64(drift_accesses, 1, 1e15),
    FIELD_F64(scan, 0, 1),
    FIELD_U64(scan_pages, 1, PAGES_MAX),
    CONFIG_ANY(struct pages_text, mode, false),
    {"files", CONFIG_T_U32, offsetof(struct pages_text, p.files), 1, SYNTH_FILES_MAX, false},
    FIELD_U64(mode_accesses, 1, 1e15),
    FIELD_U64(run_pages, 0, PAGES_MAX),
    CONFIG_END,
};

static int read_params(const struct config *section, void *params, struct err *e)
{
    struct pages_text t = {.p = defaults()};
    int pattern = 0, rc = synth_preset_read(section, &synth_kind_pages, &t.p, e);
    if (rc || (rc = config_fill(section, pages_fields, &t, e)) ||
        (rc = synth_head_check(section, &t.p.head, e)))
        return rc;
    if (!t.preset && !t.pattern)
        return config_complain(section, e, "a preset or a pattern");
    if (t.pattern && (rc = config_choice(t.pattern, patterns, &pattern, e)))
        return rc;
    if (t.pattern)
        t.p.pattern = (enum synth_pattern)pattern;
    if (t.mode && (rc = config_choice(t.mode, modes, &pattern, e)))
        return rc;
    if (t.mode)
        t.p.mode = (enum synth_mode)pattern;
    if ((rc = check(section, &t.p, e)))
        return rc;
    *(struct synth_pages *)params = t.p;
    return 0;
}

static void put_rest(FILE *f, const void *params)
{
    const struct synth_pages *p = params;
    fprintf(f, ",\"pattern\":\"%s\",\"write\":%.17g", patterns[p->pattern], p->write);
    fprintf(f, ",\"zipf\":%.17g,\"hot\":%.17g,\"hot_share\":%.17g,\"scan\":%.17g", p->zipf, p->hot,
            p->hot_share, p->scan);
#define X(key) fprintf(f, ",\"%s\":%llu", #key, (unsigned long long)p->key)
    X(pages);
    X(gap_ns);
    X(stride);
    X(phase_accesses);
    X(window);
    X(drift_accesses);
    X(scan_pages);
    if (p->pattern == PAGES_FILES) { /* only then: digests of the others stay what they were */
        fprintf(f, ",\"files\":%u,\"mode\":\"%s\"", p->files, modes[p->mode]);
        X(mode_accesses);
        X(run_pages);
    }
#undef X
}

static char *json(const void *params)
{
    return synth_head_json(params, put_rest);
}

static double span_s(const void *params)
{
    const struct synth_pages *p = params;
    return synth_head_span(&p->head, (double)p->head.rows * (double)p->gap_ns * 1e-9);
}

static bool preset_at(size_t i, struct synth_named *what, void *params)
{
    struct synth_pages *p = params;
    if (i >= PRESETS)
        return false;
    *what = (struct synth_named){presets[i].name, presets[i].title, SOURCE};
    if (p) {
        *p = defaults();
        p->pattern = presets[i].pattern;
        synth_head_named(&p->head, what->name);
    }
    return true;
}

const struct synth_kind synth_kind_pages = {.table = TRACE_PAGES,
                                            .read = read_params,
                                            .json = json,
                                            .open = synth_pages_open,
                                            .set_rows = synth_head_set_rows,
                                            .rows = synth_head_rows,
                                            .span_s = span_s,
                                            .name = synth_head_name,
                                            .seeded = synth_head_seeded,
                                            .preset_at = preset_at};
