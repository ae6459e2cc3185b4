#include "harness/report/plot.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/fmt.h"
#include "harness/base/outfile.h"

/* Ten colours that stay apart on white, on black and for colour-blind eyes
 * when dash patterns help; ink and paper are replaced when inlined.          */
static const char *const palette[] = {"#4269d0", "#e08a00", "#e8543f", "#2a9d8f", "#a463f2",
                                      "#3ca951", "#d6539b", "#9c6b4e", "#5fa8d3", "#8a8f98"};
#define COLORS (sizeof palette / sizeof *palette)

const char *plot_color(unsigned index)
{
    return palette[index % COLORS];
}

struct plot_series *plot_add(struct plot *p, const char *name, unsigned color, enum plot_kind kind)
{
    struct plot_series *grown = realloc(p->series, (p->n_series + 1) * sizeof *grown);
    p->failed = p->failed || !grown;
    if (!grown)
        return NULL;
    p->series = grown;
    struct plot_series *s = &p->series[p->n_series++];
    *s = (struct plot_series){.name = strdup(name), .color = color, .kind = kind};
    s->failed = !s->name;
    return s;
}

bool plot_row(struct plot *p, const char *label)
{
    char **grown = realloc(p->row, (p->n_row + 1) * sizeof *grown);
    p->failed = p->failed || !grown;
    if (!grown)
        return false;
    p->row = grown;
    p->row[p->n_row] = strdup(label);
    p->failed = p->failed || !p->row[p->n_row];
    return p->row[p->n_row++] != NULL;
}

void plot_point(struct plot_series *s, double x, double y, double lo, double hi)
{
    if (!s || s->failed)
        return;
    if (s->n == s->cap) {
        const size_t cap = s->cap ? 2 * s->cap : 64;
        struct plot_point *grown = realloc(s->point, cap * sizeof *grown);
        s->failed = !grown;
        if (!grown)
            return;
        s->point = grown;
        s->cap = cap;
    }
    s->point[s->n++] = (struct plot_point){x, y, lo, hi};
}

void plot_free(struct plot *p)
{
    for (size_t i = 0; i < p->n_series; i++) {
        free(p->series[i].name);
        free(p->series[i].point);
    }
    for (size_t i = 0; i < p->n_row; i++)
        free(p->row[i]);
    free(p->row);
    free(p->series);
    p->series = NULL;
    p->row = NULL;
    p->n_series = p->n_row = 0;
}

size_t plot_points(const struct plot *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_series; i++)
        n += p->series[i].n;
    return n;
}

/* ---- the points ------------------------------------------------------------- */

static void csv_value(FILE *f, double v)
{
    fputc(',', f);
    if (isfinite(v))
        fprintf(f, "%.9g", v);
    else
        fputs("NaN", f);
}

static int write_csv(const struct plot *p, const char *dir, const char *file, struct err *e)
{
    struct outtext t;
    int rc = outtext_open(&t, e);
    if (rc)
        return rc;
    fputs("number,series,x,y,lo,hi\n", t.f);
    for (size_t i = 0; i < p->n_series; i++) {
        const struct plot_series *s = &p->series[i];
        for (size_t k = 0; k < s->n; k++) {
            fprintf(t.f, "%zu,", i);
            csv_text(t.f, s->name);
            csv_value(t.f, s->point[k].x);
            csv_value(t.f, s->point[k].y);
            csv_value(t.f, s->point[k].lo);
            csv_value(t.f, s->point[k].hi);
            fputc('\n', t.f);
        }
    }
    return outtext_save(&t, dir, file, e);
}

/* ---- the script ------------------------------------------------------------- */

/* In single quotes gnuplot interprets nothing; a quote is doubled, and a line
 * must not end inside.                                                      */
static void quoted(FILE *f, const char *s)
{
    fputc('\'', f);
    for (; *s; s++) {
        if (*s == '\'')
            fputc('\'', f);
        fputc((unsigned char)*s < 0x20 ? ' ' : *s, f);
    }
    fputc('\'', f);
}

static bool has_rows(const struct plot *p)
{
    return p->n_row > 0;
}

static bool is_stack(const struct plot *p)
{
    return p->n_series && p->series[0].kind == PLOT_STACK;
}

/* Lengths compare only when they start at zero; dots are ratios, looked at closely around 1. */
static bool from_zero(const struct plot *p)
{
    return p->n_series == 0 || p->series[0].kind == PLOT_BARS || is_stack(p);
}

static bool has_key(const struct plot *p)
{
    return p->n_series && p->series[0].kind != PLOT_BARS;
}

/* About five ticks from zero to the largest value, at 1, 2 or 5 times a power of ten. */
static double tick_step(const struct plot *p)
{
    double top = 0, step = 1e-12;
    for (size_t i = 0; i < p->n_series; i++)
        for (size_t k = 0; k < p->series[i].n; k++)
            top = fmax(top, fmax(p->series[i].point[k].x, p->series[i].point[k].hi));
    static const double grow[] = {2, 2.5, 2};
    for (unsigned i = 0; step * 5 < top; i++)
        step *= grow[i % 3];
    return top > 0 ? step : 1;
}

static void script_rows(FILE *f, const struct plot *p)
{
    fputs("unset ylabel\nset grid xtics lt 1 lw 1 lc rgb '#d9dde3'\n", f);
    fprintf(f, "set yrange [%g:0.5]\n", -(double)p->n_row + 0.5);
    if (from_zero(p))
        fprintf(f, "set xrange [0:*]\nset xtics %g\n", is_stack(p) ? 0.2 : tick_step(p));
    else
        fputs("set arrow 1 from 1, graph 0 to 1, graph 1 nohead lw 1.4 lc rgb '#8d93a1'\n", f);
    fputs("set ytics scale 0 (", f);
    for (size_t i = 0; i < p->n_row; i++) {
        fputs(i ? ", " : "", f);
        quoted(f, p->row[i]);
        fprintf(f, " %d", -(int)i);
    }
    fputs(") noenhanced\nset border 1\n", f);
}

static void script_axes(FILE *f, const struct plot *p)
{
    fputs("set xlabel ", f);
    quoted(f, p->xlabel);
    fputs(" noenhanced\n", f);
    if (has_rows(p)) {
        script_rows(f, p);
        fputs(p->log_x ? "set logscale x\nset format x '%g'\n" : "", f);
        return;
    }
    fputs("set ylabel ", f);
    quoted(f, p->ylabel);
    fputs(" noenhanced\nset grid xtics ytics lt 1 lw 1 lc rgb '#d9dde3'\nset border 3\n", f);
    fputs(p->log_x ? "set logscale x\nset format x '%g'\n" : "", f);
    fputs(p->log_y ? "set logscale y\nset format y '%g'\n" : "", f);
    if (p->y_max > 0)
        fprintf(f, "set yrange [0:%g]\n", p->y_max);
    else if (!p->log_y)
        fputs("set yrange [0:*]\n", f);
}

static void script_series(FILE *f, const struct plot *p, size_t i)
{
    static const char *const dash[] = {"1", "2", "4", "5", "3"};
    const struct plot_series *s = &p->series[i];
    const char *color = plot_color(s->color);
    const char *pick = "using ($1==%zu ? $3 : NaN)";
    fputs("  data ", f);
    fprintf(f, pick, i);
    switch (s->kind) {
    case PLOT_LINES:
    case PLOT_STEPS:
        fprintf(f, ":4 with %s lw 2.2 dt %s lc rgb '%s' title ",
                s->kind == PLOT_LINES ? "lines" : "steps", dash[s->color / 2 % 5], color);
        break;
    case PLOT_BARS:
        fprintf(f,
                ":(-$4):(0):3:(-$4-0.3):(-$4+0.3) with boxxyerror fs solid 0.75 noborder lc rgb "
                "'%s' notitle, \\\n",
                color);
        fputs("  data ", f);
        fprintf(f, pick, i);
        fputs(":(-$4):5:6 with xerrorbars pt 7 ps 0.4 lw 1.6 lc rgb '#222233' notitle", f);
        return;
    case PLOT_STACK:
        fprintf(f,
                ":(-$4):5:3:(-$4-0.34):(-$4+0.34) with boxxyerror fs solid 0.85 noborder lc rgb "
                "'%s' title ",
                color);
        break;
    case PLOT_DOTS:
        fprintf(f, ":(-$4):5:6 with xerrorbars pt 7 ps 0.6 lw 1.4 lc rgb '%s' title ", color);
        break;
    case PLOT_POINTS:
        fprintf(f, ":4:5:6 with yerrorbars pt 7 ps 0.6 lw 1.6 lc rgb '%s' title ", color);
        break;
    case PLOT_CURVE:
        fprintf(f, ":4:5:6 with yerrorlines pt 7 ps 0.6 lw 1.8 lc rgb '%s' title ", color);
        break;
    case PLOT_MARKS:
        fprintf(f, ":4 with points pt 4 ps 1.1 lw 1.4 lc rgb '%s' title ", color);
        break;
    }
    quoted(f, s->name);
    fputs(" noenhanced", f);
}

static int write_script(const struct plot *p, const char *dir, const char *file, struct err *e)
{
    struct outtext t;
    int rc = outtext_open(&t, e);
    if (rc)
        return rc;
    const unsigned key = !from_zero(p) ? 24 : has_key(p) ? 12 * (unsigned)p->n_series + 20 : 0;
    const unsigned height =
        has_rows(p) ? 90 + 26 * (unsigned)p->n_row + key : 310 + 20 * (unsigned)p->n_series;
    fprintf(t.f, "# %s.gp - run it here: gnuplot -d %s.gp\n", p->name, p->name);
    fprintf(t.f, "set encoding utf8\nset datafile separator ','\nset datafile missing 'NaN'\n");
    fprintf(t.f, "data = '%s.csv'\n", p->name);
    fputs("set label 1 ", t.f);
    quoted(t.f, p->title);
    fprintf(
        t.f,
        " at screen 0.5, screen %g center noenhanced textcolor rgb '#222233'\nset tmargin 2.2\n",
        1 - 16.0 / height);
    fputs("set key below center horizontal Left reverse maxcols 2 samplen 2 textcolor rgb "
          "'#222233'\n",
          t.f);
    fputs("set border lc rgb '#8d93a1'\nset tics nomirror textcolor rgb '#222233'\n", t.f);
    script_axes(t.f, p);
    fputs("set xlabel textcolor rgb '#222233'\nset ylabel textcolor rgb '#222233'\n", t.f);
    fprintf(t.f,
            "set terminal svg size 560,%u dynamic rounded font 'sans-serif,14' background rgb "
            "'#fdfdfe'\n",
            height);
    fprintf(t.f, "set output '%s.svg'\nplot \\\n", p->name);
    for (size_t i = 0; i < p->n_series; i++) {
        script_series(t.f, p, i);
        fputs(i + 1 < p->n_series ? ", \\\n" : "\n", t.f);
    }
    fprintf(t.f,
            "set terminal pngcairo size 1120,%u font 'sans-serif,20' linewidth 2 background rgb "
            "'#ffffff'\n",
            2 * height);
    fprintf(t.f, "set output '%s.png'\nreplot\nset output\n", p->name);
    return outtext_save(&t, dir, file, e);
}

/* ---- gnuplot ---------------------------------------------------------------- */

/* The child: in the figure's folder, no user settings, nothing on our output. */
static void become_gnuplot(const char *dir, const char *script, int said)
{
    const int null = open("/dev/null", O_RDWR);
    if (chdir(dir) || null < 0)
        _exit(126);
    dup2(null, 0);
    dup2(said, 1);
    dup2(said, 2);
    setenv("LC_ALL", "C.UTF-8", 1);
    execlp("gnuplot", "gnuplot", "-d", script, (char *)NULL);
    _exit(errno == ENOENT ? 127 : 126);
}

static void listen_to(int fd, char *said, size_t size)
{
    size_t at = 0;
    char drop[512] = {0};
    for (;;) { /* reads on to the end, so that the child never blocks */
        const bool room = at + 1 < size;
        const ssize_t n = read(fd, room ? said + at : drop, room ? size - 1 - at : sizeof drop);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        at += room ? (size_t)n : 0;
    }
    said[at] = 0;
    for (char *c = said; *c; c++)
        *c = (unsigned char)*c < 0x20 ? ' ' : *c;
}

static int run_gnuplot(const char *dir, const char *script, bool *drawn, struct err *e)
{
    char said[240];
    int talk[2], status;
    if (pipe2(talk, O_CLOEXEC))
        return err_set(e, ERR_EFAIL, "cannot run gnuplot: %s", strerror(errno));
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0)
        become_gnuplot(dir, script, talk[1]);
    close(talk[1]);
    listen_to(talk[0], said, sizeof said);
    close(talk[0]);
    if (pid < 0)
        return err_set(e, ERR_EFAIL, "cannot run gnuplot: %s", strerror(errno));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    *drawn = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (*drawn || (WIFEXITED(status) && WEXITSTATUS(status) == 127))
        return 0; /* 127: there is no gnuplot, which the caller tells */
    return err_set(e, ERR_EFAIL, "gnuplot on %s/%s failed: %s", dir, script, said);
}

int plot_write(const struct plot *p, const char *dir, bool *drawn, struct err *e)
{
    char csv[256], script[256];
    *drawn = false;
    bool failed = p->failed;
    for (size_t i = 0; i < p->n_series; i++)
        failed = failed || p->series[i].failed;
    if (failed)
        return err_set(e, ERR_ENOMEM, "out of memory");
    snprintf(csv, sizeof csv, "%s.csv", p->name);
    snprintf(script, sizeof script, "%s.gp", p->name);
    int rc = outfile_mkdir(dir, e);
    if (!rc)
        rc = write_csv(p, dir, csv, e);
    if (!rc)
        rc = write_script(p, dir, script, e);
    if (!rc)
        rc = run_gnuplot(dir, script, drawn, e);
    return rc;
}
