/* runner_head.c - what results say about their inputs. */
#include <stdio.h>
#include <stdlib.h>

#include "harness/run/named.h"
#include "harness/run/runner_parts.h"
#include "harness/run/setup.h"
#include "harness/base/textset.h"
#include "harness/base/version.h"
#include "models/machine.h"

struct inputs {
    struct textset sections; /* trace sections already asked about */
    struct textset traces, machines;
};

static int about_section(struct inputs *in, const struct experiment *x,
                         const struct config *section, unsigned tables, struct err *e)
{
    struct row_source *source;
    struct trace_about about;
    bool is_new;
    int rc = textset_add(&in->sections, config_text(section), &is_new, e);
    if (rc || !is_new)
        return rc;
    rc = trace_rows_open(section, tables, x->seed, &x->where, &source, &about, e);
    if (rc)
        return rc;
    source->close(source);
    return textset_add(&in->traces, trace_about_json(&about), &is_new, e);
}

static int about_traces(struct inputs *in, const struct experiment *x, const struct setup *s,
                        struct err *e)
{
    int rc = s->trace ? about_section(in, x, s->trace, setup_tables(s), e) : 0;
    if (s->nodes && !rc)
        rc = about_section(in, x, s->nodes, 1u << TRACE_NODES, e);
    for (int k = 0; k < NAMED_KINDS; k++) {
        const struct config *all = named_at(s, (enum named_kind)k);
        for (size_t i = 0; all && i < config_count(all) && !rc; i++)
            rc = about_section(in, x, config_at(all, i), named_rows((enum named_kind)k), e);
    }
    return rc;
}

static int about_machine(struct inputs *in, const struct experiment *x, const struct setup *s,
                         struct err *e)
{
    struct machine *m;
    char *text;
    bool is_new;
    if (!s->machine)
        return 0;
    int rc = machines_get(x, s, &m, &text, e);
    if (rc)
        return rc;
    machine_free(m);
    return textset_add(&in->machines, text, &is_new, e);
}

/* "" for none, the text itself for one, a JSON array for several. */
static char *together(const struct textset *s)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        return NULL;
    for (size_t i = 0; i < s->n; i++)
        fprintf(f, "%s%s", i ? "," : s->n > 1 ? "[" : "", s->text[i]);
    if (s->n > 1)
        fputc(']', f);
    if (fclose(f)) {
        free(text);
        return NULL;
    }
    return text;
}

static int gather(struct inputs *in, const struct experiment *x, struct err *e)
{
    int rc = 0;
    for (uint64_t i = 0; i < x->combinations && !rc; i++) {
        struct config *doc;
        struct setup s;
        if ((rc = experiment_combination(x, i, &doc, e)))
            return rc;
        rc = setup_read(&s, doc, e);
        if (!rc)
            rc = about_traces(in, x, &s, e);
        if (!rc)
            rc = about_machine(in, x, &s, e);
        config_free(doc);
    }
    return rc;
}

int runner_head(const struct experiment *x, struct result_set **rs, struct err *e)
{
    struct inputs in = {0};
    *rs = NULL;
    int rc = gather(&in, x, e);
    char *trace = rc ? NULL : together(&in.traces);
    char *machine = rc ? NULL : together(&in.machines);
    if (trace && machine)
        *rs = results_new(x->name, x->title, x->text, machine, trace, MALV_VERSION, x->planned);
    if (!rc && !*rs)
        rc = err_set(e, ERR_ENOMEM, "out of memory for the results");
    free(machine);
    free(trace);
    textset_free(&in.sections);
    textset_free(&in.traces);
    textset_free(&in.machines);
    return rc;
}
