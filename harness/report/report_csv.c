/* The tables behind a report, for spreadsheets and scripts. */
#include "harness/base/fmt.h"
#include "harness/base/outfile.h"
#include "harness/report/report.h"

/* trials.csv: one row per trial, one column per factor and measure. */
static void trials_csv(const struct report *r, FILE *f)
{
    const struct result_set *rs = r->rs;
    fputs("trial,seed,failed", f);
    for (size_t i = 0; i < r->cells->n_axis; i++) {
        fputc(',', f);
        csv_text(f, r->cells->axis[i].path);
    }
    for (size_t i = 0; i < r->metrics.n; i++) {
        fputc(',', f);
        csv_text(f, r->metrics.metric[i].name);
    }
    fputc('\n', f);
    for (size_t t = 0; t < rs->n_trial; t++) {
        const struct result_trial *row = &rs->trial[t];
        fprintf(f, "%llu,%llu,%d", (unsigned long long)row->index, (unsigned long long)row->seed,
                row->failed);
        for (size_t i = 0; i < row->n_factor; i++) {
            fputc(',', f);
            csv_text(f, row->factor[i].value);
        }
        for (size_t i = 0; i < r->metrics.n; i++) {
            double v;
            fputc(',', f);
            if (metric_value(row->measures, r->metrics.metric[i].name, &v))
                json_number(f, v);
        }
        fputc('\n', f);
    }
}

/* summary.csv: one row per setting, value of the compared axis, and measure. */
static void summary_csv(const struct report *r, FILE *f)
{
    fputs("setting,value,measure,unit,trials,mean,sd,ci95_lo,ci95_hi,min,max\n", f);
    for (size_t s = 0; s < r->n_setting; s++)
        for (size_t k = 0; k < r->setting[s].n; k++)
            for (size_t i = 0; i < r->metrics.n; i++) {
                struct summary x;
                cell_summary(r->setting[s].entry[k].cell, r->metrics.metric[i].name, CONFIDENCE,
                             &x);
                if (!x.n)
                    continue;
                csv_text(f, r->setting[s].text);
                fputc(',', f);
                csv_text(f, r->setting[s].entry[k].label);
                fputc(',', f);
                csv_text(f, r->metrics.metric[i].name);
                fputc(',', f);
                csv_text(f, r->metrics.metric[i].unit);
                fprintf(f, ",%zu,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g\n", x.n, x.mean, x.sd, x.lo, x.hi,
                        x.min, x.max);
            }
}

int report_csv(const struct report *r, const char *dir, struct err *e)
{
    static const struct {
        const char *name;
        void (*write)(const struct report *, FILE *);
    } files[] = {{"trials.csv", trials_csv}, {"summary.csv", summary_csv}};
    int rc = 0;
    for (size_t i = 0; !rc && i < sizeof files / sizeof *files; i++) {
        struct outtext t;
        rc = outtext_open(&t, e);
        if (rc)
            break;
        files[i].write(r, t.f);
        rc = outtext_save(&t, dir, files[i].name, e);
    }
    return rc;
}
