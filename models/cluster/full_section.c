/* full_section.c - a mix as a section of the machine's model, and what that model says of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/cluster/mix.h"
#include "models/machine.h"

#define MIG        "gpu.mig."
#define MIG_SLICES 7 /* of the GPUs that nodes.h knows parts of */

/* ---- text ---------------------------------------------------------------------- */

static bool listed(const char *key, const char *const *keys)
{
    for (size_t i = 0; keys[i]; i++)
        if (!strcmp(keys[i], key))
            return true;
    return false;
}

/* The members of an object, but for some; each led by a comma. */
static bool say_members(FILE *f, const struct config *obj, const char *const *but)
{
    bool ok = true;
    for (size_t i = 0; ok && obj && i < config_count(obj); i++) {
        const struct config *at = config_at(obj, i);
        if (listed(config_key(at), but))
            continue;
        char *text = config_text(at);
        ok = text != NULL && fprintf(f, ",\"%s\":%s", config_key(at), text) > 0;
        free(text);
    }
    return ok;
}

/* ---- a GPU: tenants --------------------------------------------------------------- */

static const char *sharing_of(const struct full_config *c)
{
    const struct config *at = c->section ? config_get(c->section, "sharing") : NULL;
    const char *sharing = "time-slice";
    return at && config_str(at, &sharing, NULL) ? "" : sharing;
}

static double constant(const struct machine *m, const char *profile, size_t n, const char *what)
{
    char name[96];
    snprintf(name, sizeof name, MIG "%.*s.%s", (int)n, profile, what);
    const struct machine_cost *cost = machine_find(m, name);
    return cost ? cost->value : 0;
}

/* The MIG profile with so many compute slices; of several the one with the least memory. */
static void say_profile(FILE *f, const struct machine *m, uint32_t slices, const char *otherwise)
{
    const char *best = NULL;
    size_t length = 0;
    double least = 0;
    for (size_t i = 0; m && i < m->n_cost; i++) {
        const char *name = m->cost[i].name, *end = strstr(name, ".slices");
        if (strncmp(name, MIG, strlen(MIG)) || !end || strcmp(end, ".slices"))
            continue;
        const char *profile = name + strlen(MIG);
        const size_t n = (size_t)(end - profile);
        const double memory = constant(m, profile, n, "memory_slices");
        if ((uint32_t)m->cost[i].value != slices || (best && memory >= least))
            continue;
        best = profile;
        length = n;
        least = memory;
    }
    if (best)
        fprintf(f, "\"%.*s\"", (int)length, best);
    else if (m)
        fprintf(f, "\"%ug\"", slices); /* which the model refuses, naming those that there are */
    else
        fputs(otherwise, f); /* no machine yet */
}

static void say_partitions(FILE *f, const struct machine *m, const struct mix *x)
{
    uint32_t said = 0;
    fputs(",\"partitions\":[", f);
    for (uint32_t i = 0; i < x->n; i++)
        for (uint32_t k = 0; k < x->part[i].n; k++) {
            if (said++)
                fputc(',', f);
            say_profile(f, m, x->part[i].kind.milli * MIG_SLICES / 1000,
                        "{\"sms\":1,\"memory_milli\":1}");
        }
    fputc(']', f);
}

static bool say_tenant(FILE *f, const struct full_config *c, const struct mix_kind *kind,
                       uint32_t number, bool bare)
{
    static const char *const none[] = {NULL};
    if (!bare && c->of == OF_MIG)
        fprintf(f, ",\"partition\":%u", number);
    if (!bare && c->of == OF_MPS)
        fprintf(f, ",\"percent\":%g", kind->milli / 10.0);
    if (!bare && c->of == OF_TIME)
        fprintf(f, ",\"weight\":%u", (kind->milli * 1024u + 999) / 1000);
    return say_members(f, c->rule[kind->rule].runs, none) && fputc('}', f) != EOF;
}

static bool say_gpu(FILE *f, const struct full_config *c, const struct machine *machine,
                    const struct mix *x, bool bare)
{
    static const char *const all[] = {"sharing", NULL};
    static const char *const shared[] = {"sharing", "timeslice_us", "vgpus",
                                         "remote",  "coalesce",     NULL};
    bool ok = true;
    uint32_t number = 0;
    fprintf(f, "{\"sharing\":\"%s\",\"tenants\":[", bare ? "exclusive" : sharing_of(c));
    for (uint32_t i = 0; i < x->n; i++)
        for (uint32_t k = 0; ok && k < x->part[i].n; k++, number++) {
            fprintf(f, "%s{\"name\":\"m%u_%u\"", number ? "," : "", i, k);
            ok = say_tenant(f, c, &x->part[i].kind, number, bare);
        }
    fputc(']', f);
    if (!bare && c->of == OF_MIG)
        say_partitions(f, machine, x);
    return ok && say_members(f, c->section, bare ? shared : all) && fputc('}', f) != EOF;
}

/* ---- a host: VMs ----------------------------------------------------------------- */

/* The GPU of a VM that has a part of one. */
static void say_part(FILE *f, const struct full_config *c, const struct machine *machine,
                     uint32_t milli, uint32_t gpu)
{
    fprintf(f, ",\"gpu\":{\"on\":%u", gpu);
    if (c->of == OF_MPS)
        fprintf(f, ",\"percent\":%u", (milli + 9) / 10);
    if (c->of == OF_TIME)
        fprintf(f, ",\"weight\":%u", (milli * 1024u + 999) / 1000);
    if (c->of == OF_MIG) {
        fputs(",\"slice\":", f);
        say_profile(f, machine, milli * MIG_SLICES / 1000, "\"any\"");
    }
    fputc('}', f);
}

/* On the bare machine nobody takes anything over from the program, or has only a part of a GPU. */
static bool say_vms(FILE *f, const struct full_config *c, const struct machine *machine,
                    const struct mix *x, uint32_t i, uint32_t gpu, bool bare)
{
    static const char *const none[] = {NULL}, *const offload[] = {"offload", NULL};
    const struct mix_part *p = &x->part[i];
    const struct config *runs = c->rule[p->kind.rule].runs;
    fprintf(f, "{\"name\":\"m%u\",\"count\":%u", i, p->n);
    if (p->group && !bare && !config_get(runs, "gpu"))
        say_part(f, c, machine, p->kind.milli, gpu);
    return say_members(f, runs, bare ? offload : none) && fputc('}', f) != EOF;
}

static bool say_host(FILE *f, const struct full_config *c, const struct machine *machine,
                     const struct mix *x, bool bare)
{
    static const char *const none[] = {NULL}, *const gpus[] = {"gpus", NULL};
    uint32_t gpu = 0;
    bool ok = true, parts = false;
    fputs("{\"vms\":[", f);
    for (uint32_t i = 0; ok && i < x->n; i++) {
        const struct mix_part *p = &x->part[i];
        if (i && p->group > 1 && p->group != x->part[i - 1].group)
            gpu += x->part[i - 1].times;
        for (uint32_t t = 0; ok && t < p->times; t++) {
            fputs(i + t ? "," : "", f);
            ok = say_vms(f, c, machine, x, i, gpu + t, bare);
        }
        parts |= p->group && !config_get(c->rule[p->kind.rule].runs, "gpu");
    }
    fputc(']', f);
    return ok && say_members(f, c->section, bare || !parts ? gpus : none) && fputc('}', f) != EOF;
}

char *full_section(const struct full_config *c, const struct machine *machine, const struct mix *x,
                   bool bare)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (!f)
        return NULL;
    const bool ok =
        c->model == FULL_HOST ? say_host(f, c, machine, x, bare) : say_gpu(f, c, machine, x, bare);
    const bool whole = fclose(f) == 0 && ok;
    if (whole)
        return text;
    free(text);
    return NULL;
}

/* ---- what it says ------------------------------------------------------------------ */

static double find(const struct measures *m, const char *who, const char *what)
{
    char name[64];
    snprintf(name, sizeof name, "%s.%s", who, what);
    const double *v = measures_find(m, name);
    return v ? *v : 0;
}

/* Shares of all VMs of the part, weighted alike; in the order in which they are told. */
static void add_shares(const struct measures *m, const char *who, uint32_t of, struct mix_seen *out)
{
    char prefix[64];
    const int n = snprintf(prefix, sizeof prefix, "%s.share_", who);
    out->n = 0;
    for (size_t i = 0; i < m->n_number && out->n < MIX_SHARES; i++) {
        if (strncmp(m->number[i].name, prefix, (size_t)n))
            continue;
        out->category[out->n] = m->number[i].name + n;
        out->share[out->n++] += m->number[i].value / of;
    }
}

/* VMs are numbered from 1 in the order of the list. */
static void host_seen(const struct measures *m, const struct mix *x, uint32_t i,
                      struct mix_seen *out)
{
    const uint32_t n = x->part[i].n * x->part[i].times;
    uint32_t first = 1;
    for (uint32_t k = 0; k < i; k++)
        first += x->part[k].n * x->part[k].times;
    for (uint32_t k = 0; k < n; k++) {
        char who[32];
        snprintf(who, sizeof who, "m%u.%u", i, first + k);
        const double ms = find(m, who, "op_mean");
        if (ms <= 0) {
            out->time = 0;
            return;
        }
        out->time += ms / 1e3 / n;
        add_shares(m, who, n, out);
    }
}

static void gpu_seen(const struct measures *m, const struct mix *x, uint32_t i,
                     struct mix_seen *out)
{
    double rate = 0;
    for (uint32_t k = 0; k < x->part[i].n; k++) {
        char who[32];
        snprintf(who, sizeof who, "m%u_%u", i, k);
        if (find(m, who, "iterations") < 1)
            return;
        rate += find(m, who, "throughput") / x->part[i].n;
    }
    out->time = rate > 0 ? 1 / rate : 0;
}

void full_seen(const struct full_config *c, const struct measures *m, const struct mix *x,
               uint32_t i, struct mix_seen *out)
{
    *out = (struct mix_seen){0};
    if (c->model == FULL_HOST)
        host_seen(m, x, i, out);
    else
        gpu_seen(m, x, i, out);
}

/* "2 vision, 1 speech (0.5 of a GPU)" */
void full_say(const struct full_config *c, const struct mix *x, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < x->n && at < size; i++) {
        const struct mix_part *p = &x->part[i];
        at += (size_t)snprintf(text + at, size - at, "%s%u %s", i ? ", " : "", p->n * p->times,
                               c->rule[p->kind.rule].name);
        if (p->kind.milli < 1000 && at < size)
            at += (size_t)snprintf(text + at, size - at, " (%g of a GPU)", p->kind.milli / 1000.0);
    }
}
