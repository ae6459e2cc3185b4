/* mig.c - where MIG instances may lie. */
#include "models/gpu/mig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "gpu.mig."

/* ---- the profiles of a machine ---- */

static int read_number(struct machine_use *u, const char *name, const char *what, uint32_t *out,
                       struct err *e)
{
    char key[96];
    double v = 0;
    snprintf(key, sizeof key, PREFIX "%s.%s", name, what);
    const int rc = machine_value(u, key, QUANTITY_COUNT, &v, e);
    if (!rc && !(v >= 1 && v <= 65536 && v == (double)(uint32_t)v))
        return err_set(e, ERR_ERANGE, "machine \"%s\": \"%s\": got %g, want an integer 1..65536",
                       u->machine->name, key, v);
    *out = (uint32_t)v;
    return rc;
}

static int read_profile(struct mig_profile *p, struct machine_use *u, struct err *e)
{
    const struct {
        const char *what;
        uint32_t *to;
    } numbers[] = {{"slices", &p->slices},
                   {"memory_slices", &p->memory_slices},
                   {"sms", &p->sms},
                   {"copy_engines", &p->copy_engines},
                   {"max", &p->max}};
    char key[96];
    double bytes = 0;
    int rc = 0;
    for (size_t i = 0; !rc && i < sizeof numbers / sizeof *numbers; i++)
        rc = read_number(u, p->name, numbers[i].what, numbers[i].to, e);
    snprintf(key, sizeof key, PREFIX "%s.memory", p->name);
    if (!rc)
        rc = machine_value(u, key, QUANTITY_BYTES, &bytes, e);
    p->memory = (uint64_t)bytes;
    return rc;
}

/* "gpu.mig.3g.20gb.slices" is the leaf that every profile has; the name may have dots. */
static bool profile_name(const char *leaf, char name[MIG_NAME_MAX])
{
    static const char tail[] = ".slices";
    const size_t n = strlen(leaf), head = sizeof PREFIX - 1, end = sizeof tail - 1;
    if (strncmp(leaf, PREFIX, head) || n <= head + end || strcmp(leaf + n - end, tail))
        return false;
    const size_t len = n - head - end;
    if (len >= MIG_NAME_MAX)
        return false;
    memcpy(name, leaf + head, len);
    name[len] = 0;
    return true;
}

static int check_table(const struct mig_table *t, struct err *e)
{
    if (!t->n)
        return err_set(e, ERR_ENAME, "machine \"%s\" has no MIG profiles (gpu.mig)", t->machine);
    if (t->memory_slices > MIG_SLICES_MAX)
        return err_set(e, ERR_ERANGE,
                       "machine \"%s\": gpu.mig: got %u memory slices, want at most %d", t->machine,
                       t->memory_slices, MIG_SLICES_MAX);
    for (uint32_t i = 0; i < t->n; i++)
        if (!mig_starts(t, &t->profile[i]))
            return err_set(e, ERR_ERANGE,
                           "machine \"%s\": gpu.mig.%s: got %u slices with %u of memory, which has "
                           "no place among %u and %u",
                           t->machine, t->profile[i].name, t->profile[i].slices,
                           t->profile[i].memory_slices, t->slices, t->memory_slices);
    return 0;
}

int mig_table_read(struct mig_table *t, struct machine_use *u, struct err *e)
{
    *t = (struct mig_table){.machine = u->machine->name};
    for (size_t i = 0; i < u->machine->n_cost; i++) {
        struct mig_profile p = {0};
        if (!profile_name(u->machine->cost[i].name, p.name))
            continue;
        if (t->n == MIG_PROFILES_MAX)
            return err_set(e, ERR_ERANGE, "machine \"%s\": gpu.mig: more than %d profiles",
                           t->machine, MIG_PROFILES_MAX);
        const int rc = read_profile(&p, u, e);
        if (rc)
            return rc;
        t->slices = p.slices > t->slices ? p.slices : t->slices;
        t->memory_slices = p.memory_slices > t->memory_slices ? p.memory_slices : t->memory_slices;
        t->profile[t->n++] = p;
    }
    return check_table(t, e);
}

const struct mig_profile *mig_profile(const struct mig_table *t, const char *name)
{
    for (uint32_t i = 0; i < t->n; i++)
        if (!strcmp(t->profile[i].name, name))
            return &t->profile[i];
    return NULL;
}

/* ---- places ---- */

uint32_t mig_starts(const struct mig_table *t, const struct mig_profile *p)
{
    uint32_t set = 0;
    for (uint32_t s = 0; s + p->memory_slices <= t->memory_slices; s += p->memory_slices)
        if (s + p->slices <= t->slices)
            set |= 1u << s;
    return set;
}

static uint32_t memory_of(const struct mig_instance *i)
{
    return i->profile ? ((1u << i->profile->memory_slices) - 1) << i->start : 0;
}

static uint32_t taken(const struct mig *m)
{
    uint32_t set = 0;
    for (uint32_t i = 0; i < MIG_SLICES_MAX; i++)
        set |= memory_of(&m->instance[i]);
    return set;
}

static uint32_t count(const struct mig *m, const struct mig_profile *p)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < MIG_SLICES_MAX; i++)
        n += m->instance[i].profile == p;
    return n;
}

/* Where one more of p may begin now. */
static uint32_t free_starts(const struct mig *m, const struct mig_profile *p)
{
    const uint32_t used = taken(m), starts = mig_starts(m->table, p);
    uint32_t set = 0;
    if (count(m, p) >= p->max)
        return 0;
    for (uint32_t s = 0; s < m->table->memory_slices; s++)
        if (starts & 1u << s && !(memory_of(&(struct mig_instance){p, s}) & used))
            set |= 1u << s;
    return set;
}

bool mig_fits(const struct mig *m, const struct mig_profile *p)
{
    return free_starts(m, p) != 0;
}

static uint32_t put(struct mig *m, const struct mig_profile *p, uint32_t start)
{
    uint32_t i = 0;
    while (m->instance[i].profile) /* an instance has a slice at least: there is room */
        i++;
    m->instance[i] = (struct mig_instance){p, start};
    return i;
}

void mig_remove(struct mig *m, uint32_t number)
{
    m->instance[number].profile = NULL;
}

static struct device_partition_want want_of(const struct mig_table *t, const struct mig_profile *p)
{
    return (struct device_partition_want){.sms = p->sms,
                                          .memory_milli =
                                              p->memory_slices * DEVICE_MILLI / t->memory_slices,
                                          .copy_engines = p->copy_engines,
                                          .memory = p->memory};
}

/* ---- what is wrong, in words ---- */

struct line {
    char text[160];
    size_t n;
};

static void say(struct line *l, const char *word)
{
    l->n += (size_t)snprintf(l->text + l->n, sizeof l->text - l->n, "%s%s", l->n ? ", " : "", word);
    l->n = l->n < sizeof l->text ? l->n : sizeof l->text - 1;
}

static int complain_name(const struct mig_table *t, const char *name, struct err *e)
{
    struct line l = {.n = 0};
    for (uint32_t i = 0; i < t->n; i++)
        say(&l, t->profile[i].name);
    return err_set(e, ERR_ENAME, "MIG: got \"%.32s\", want a profile of \"%.40s\": %s", name,
                   t->machine, l.text);
}

static int complain_start(const struct mig_table *t, const struct mig_profile *p, uint32_t start,
                          struct err *e)
{
    struct line l = {.n = 0};
    for (uint32_t s = 0; s < t->memory_slices; s++) {
        char digits[16];
        snprintf(digits, sizeof digits, "%u", s);
        if (mig_starts(t, p) & 1u << s)
            say(&l, digits);
    }
    return err_set(e, ERR_ERANGE, "MIG: %s: got start %u, want one of %s", p->name, start, l.text);
}

static int complain_room(const struct mig *m, const struct mig_profile *p, uint32_t start,
                         struct err *e)
{
    struct line l = {.n = 0};
    char at[16] = "";
    if (count(m, p) >= p->max)
        return err_set(e, ERR_ERANGE, "MIG: got one more %s, want at most %u on one GPU", p->name,
                       p->max);
    for (uint32_t i = 0; i < MIG_SLICES_MAX; i++) {
        const struct mig_instance *x = &m->instance[i];
        char where[MIG_NAME_MAX + 16];
        if (!x->profile)
            continue;
        snprintf(where, sizeof where, "%s@%u", x->profile->name, x->start);
        say(&l, where);
    }
    if (start != MIG_ANYWHERE)
        snprintf(at, sizeof at, " at %u", start);
    return err_set(e, ERR_ERANGE, "MIG: no room for %s%s beside %s", p->name, at, l.text);
}

int mig_place(struct mig *m, const char *profile, uint32_t start, uint32_t *number,
              struct device_partition_want *w, struct err *e)
{
    const struct mig_profile *p = mig_profile(m->table, profile);
    if (!p)
        return complain_name(m->table, profile, e);
    if (start != MIG_ANYWHERE && (start >= 32 || !(mig_starts(m->table, p) & 1u << start)))
        return complain_start(m->table, p, start, e);
    const uint32_t able = free_starts(m, p);
    uint32_t s = 0;
    if (start != MIG_ANYWHERE ? !(able & 1u << start) : !able)
        return complain_room(m, p, start, e);
    while (start == MIG_ANYWHERE && !(able & 1u << s))
        s++;
    *number = put(m, p, start == MIG_ANYWHERE ? s : start);
    *w = want_of(m->table, p);
    return 0;
}

/* ---- all at once ---- */

struct wish {
    const struct mig_profile *profile;
    uint32_t start;
};

static int read_wish(const struct mig_table *t, const char *text, struct wish *w, struct err *e)
{
    char name[MIG_NAME_MAX];
    const size_t len = strcspn(text, "@");
    char *end = NULL;
    w->start = MIG_ANYWHERE;
    if (len >= sizeof name)
        return complain_name(t, text, e);
    memcpy(name, text, len);
    name[len] = 0;
    if (!(w->profile = mig_profile(t, name)))
        return complain_name(t, name, e);
    if (!text[len])
        return 0;
    const unsigned long s = strtoul(text + len + 1, &end, 10);
    if (end == text + len + 1 || *end || text[len + 1] == '-')
        return err_set(e, ERR_EPARSE, "MIG: got \"%.40s\", want NAME or NAME@START", text);
    w->start = s < MIG_SLICES_MAX ? (uint32_t)s : MIG_SLICES_MAX;
    if (s >= MIG_SLICES_MAX || !(mig_starts(t, w->profile) & 1u << s))
        return complain_start(t, w->profile, w->start, e);
    return 0;
}

/* Backtracking: at most 8 instances with at most 8 places each, nearly all of them taken. */
static bool search(struct mig *m, const struct wish *w, uint32_t n, uint32_t i)
{
    if (i == n)
        return true;
    uint32_t able = free_starts(m, w[i].profile);
    if (w[i].start != MIG_ANYWHERE)
        able &= 1u << w[i].start;
    for (uint32_t s = 0; s < m->table->memory_slices; s++) {
        if (!(able & 1u << s))
            continue;
        const uint32_t number = put(m, w[i].profile, s);
        if (search(m, w, n, i + 1))
            return true;
        mig_remove(m, number);
    }
    return false;
}

int mig_layout(struct mig *m, const char *const *names, uint32_t n, struct device_partition_want *w,
               struct err *e)
{
    struct wish wish[MIG_SLICES_MAX];
    if (!n || n > m->table->memory_slices)
        return err_set(e, ERR_ERANGE, "MIG: got %u instances, want 1..%u", n,
                       m->table->memory_slices);
    for (uint32_t i = 0; i < n; i++) {
        const int rc = read_wish(m->table, names[i], &wish[i], e);
        if (rc)
            return rc;
        w[i] = want_of(m->table, wish[i].profile);
    }
    if (search(m, wish, n, 0))
        return 0;
    struct line l = {.n = 0};
    for (uint32_t i = 0; i < n; i++)
        say(&l, names[i]);
    return err_set(e, ERR_ERANGE, "MIG: no room for %s on one GPU of \"%.40s\"", l.text,
                   m->table->machine);
}
