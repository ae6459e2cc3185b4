/* MIG placement against what nvidia-smi lists, against the geometries that others allow, and
 * against all subsets of places. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/profile.h"
#include "models/gpu/mig.h"
#include "models/gpu/setup.h"

struct world {
    struct machine *machine;
    struct machine_use use;
    struct mig_table table;
};

static int begin(struct world *w, const char *path, struct err *e)
{
    struct config *c = NULL;
    *w = (struct world){0};
    cr_assert_eq(profile_load(&c, path, e), 0, "%s", e->msg);
    cr_assert_eq(machine_load(&w->machine, c, e), 0, "%s", e->msg);
    config_free(c);
    cr_assert_eq(machine_use_begin(&w->use, w->machine, e), 0);
    return mig_table_read(&w->table, &w->use, e);
}

static void end(struct world *w)
{
    machine_use_end(&w->use);
    machine_free(w->machine);
}

static struct world world_of(const char *path)
{
    struct world w;
    struct err e = {0};
    cr_assert_eq(begin(&w, path, &e), 0, "%s", e.msg);
    return w;
}

#define A100 "machines/a100-40gb.json"

/* nvidia-smi mig -lgipp, as many have posted it: {starts}:size. */
static const struct {
    const char *machine, *profile;
    uint32_t starts, size;
} listed[] = {
    {A100, "1g.5gb", 0x7f, 1},
    {A100, "1g.10gb", 0x55, 2},
    {A100, "2g.10gb", 0x15, 2},
    {A100, "3g.20gb", 0x11, 4},
    {A100, "4g.20gb", 0x01, 4},
    {A100, "7g.40gb", 0x01, 8},
    {"machines/h100-server.json", "1g.10gb", 0x7f, 1},
    {"machines/h100-server.json", "1g.20gb", 0x55, 2},
    {"machines/h100-server.json", "2g.20gb", 0x15, 2},
    {"machines/h100-server.json", "3g.40gb", 0x11, 4},
    {"machines/h100-server.json", "4g.40gb", 0x01, 4},
    {"machines/h100-server.json", "7g.80gb", 0x01, 8},
};

Test(mig, starts_are_those_that_the_driver_lists)
{
    for (size_t i = 0; i < sizeof listed / sizeof *listed; i++) {
        struct world w = world_of(listed[i].machine);
        const struct mig_profile *p = mig_profile(&w.table, listed[i].profile);
        cr_assert(p, "%s", listed[i].profile);
        cr_expect_eq(mig_starts(&w.table, p), listed[i].starts, "%s of %s", p->name,
                     listed[i].machine);
        cr_expect_eq(p->memory_slices, listed[i].size);
        end(&w);
    }
}

/* ---- all subsets of places, by a rule of their own: the driver's list and no overlap ---- */

enum { PLACES = 19 };
struct place {
    const char *profile;
    unsigned memory; /* set of slices */
};

static size_t a100_places(struct place out[PLACES])
{
    size_t n = 0;
    for (size_t i = 0; i < 6; i++)
        for (unsigned s = 0; s < 8; s++)
            if (listed[i].starts & 1u << s)
                out[n++] = (struct place){listed[i].profile, ((1u << listed[i].size) - 1) << s};
    return n;
}

static bool disjoint(const struct place *p, size_t n, unsigned subset, unsigned *used)
{
    *used = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(subset & 1u << i))
            continue;
        if (*used & p[i].memory)
            return false;
        *used |= p[i].memory;
    }
    return true;
}

static bool maximal(const struct place *p, size_t n, unsigned used)
{
    for (size_t i = 0; i < n; i++)
        if (!(used & p[i].memory))
            return false;
    return true;
}

static bool plain(const struct place *p)
{
    return strcmp(p->profile, "1g.10gb") != 0;
}

/* Without 1g.10gb the A100 has 19 layouts to which nothing can be added: 7g, and six left halves
 * (4, 3, 2+2, 2+1+1, 1+1+2, 1+1+1+1) beside three right ones (3, 2+1, 1+1+1). */
Test(mig, an_a100_has_nineteen_full_layouts)
{
    struct world w = world_of(A100);
    struct place all[PLACES], some[PLACES];
    size_t n = 0, full = 0;
    const size_t m = a100_places(all);
    for (size_t i = 0; i < m; i++)
        if (plain(&all[i]))
            some[n++] = all[i];
    cr_assert_eq(n, 14);
    for (unsigned subset = 1; subset < 1u << n; subset++) {
        unsigned used;
        if (!disjoint(some, n, subset, &used))
            continue;
        struct mig g = {.table = &w.table};
        struct device_partition_want want;
        uint32_t number, left = 0;
        for (size_t i = 0; i < n; i++)
            if (subset & 1u << i)
                cr_assert_eq(mig_place(&g, some[i].profile, (uint32_t)__builtin_ctz(some[i].memory),
                                       &number, &want, NULL),
                             0);
        for (uint32_t i = 0; i < w.table.n; i++)
            left += strcmp(w.table.profile[i].name, "1g.10gb") && mig_fits(&g, &w.table.profile[i]);
        cr_assert_eq(left == 0, maximal(some, n, used));
        full += left == 0;
    }
    cr_expect_eq(full, 19);
    end(&w);
}

/* Every list of up to 7 profiles: mig_layout finds room exactly when some subset of places has
 * these profiles. */
static bool possible(const struct place *p, size_t n, const uint32_t want[6], unsigned used)
{
    uint32_t left[6], sum = 0;
    memcpy(left, want, sizeof left);
    for (size_t k = 0; k < 6; k++)
        sum += left[k];
    if (!sum)
        return true;
    for (size_t k = 0; k < 6; k++) {
        if (!left[k])
            continue;
        left[k]--;
        for (size_t i = 0; i < n; i++)
            if (!strcmp(p[i].profile, listed[k].profile) && !(p[i].memory & used) &&
                possible(p, n, left, used | p[i].memory))
                return true;
        return false; /* the first kind has to lie somewhere */
    }
    return false;
}

static uint32_t try_list(const struct world *w, const struct place *p, size_t n,
                         const uint32_t want[6])
{
    const char *names[8];
    struct device_partition_want out[8];
    struct mig g = {.table = &w->table};
    uint32_t k = 0, sms = 0, memory = 0, engines = 0;
    for (uint32_t i = 0; i < 6; i++)
        for (uint32_t c = 0; c < want[i]; c++)
            names[k++] = listed[i].profile;
    const bool ok = mig_layout(&g, names, k, out, NULL) == 0;
    cr_assert_eq(ok, possible(p, n, want, 0), "%u %u %u %u %u %u", want[0], want[1], want[2],
                 want[3], want[4], want[5]);
    for (uint32_t i = 0; ok && i < k; i++) {
        sms += out[i].sms;
        memory += out[i].memory_milli;
        engines += out[i].copy_engines;
    }
    cr_assert(sms <= 98 && memory <= 1000 && engines <= 7); /* conservation */
    return ok;
}

Test(mig, a_layout_is_found_exactly_when_there_is_one, .timeout = 60)
{
    struct world w = world_of(A100);
    struct place p[PLACES];
    const size_t n = a100_places(p);
    uint32_t found = 0, c[6];
    for (c[0] = 0; c[0] <= 8; c[0]++)
        for (c[1] = 0; c[1] <= 4; c[1]++)
            for (c[2] = 0; c[2] <= 4; c[2]++)
                for (c[3] = 0; c[3] <= 3; c[3]++)
                    for (c[4] = 0; c[4] <= 2; c[4]++)
                        for (c[5] = 0; c[5] <= 1; c[5]++) {
                            const uint32_t k = c[0] + c[1] + c[2] + c[3] + c[4] + c[5];
                            if (k && k <= 8)
                                found += try_list(&w, p, n, c);
                        }
    cr_expect_gt(found, 14);
    end(&w);
}

/* ---- what others allow: nebuly-ai/nos, pkg/gpu/mig/known_configs.go ---- */

static const char *const known[][8] = {
    {"7g.40gb"},
    {"4g.20gb", "2g.10gb", "1g.5gb"},
    {"4g.20gb", "1g.5gb", "1g.5gb", "1g.5gb"},
    {"3g.20gb", "3g.20gb"},
    {"3g.20gb", "2g.10gb", "1g.5gb"},
    {"3g.20gb", "1g.5gb", "1g.5gb", "1g.5gb"},
    {"2g.10gb", "2g.10gb", "3g.20gb"},
    {"2g.10gb", "1g.5gb", "1g.5gb", "3g.20gb"},
    {"2g.10gb", "2g.10gb", "2g.10gb", "1g.5gb"},
    {"2g.10gb", "2g.10gb", "1g.5gb", "1g.5gb", "1g.5gb"},
    {"2g.10gb", "1g.5gb", "1g.5gb", "1g.5gb", "1g.5gb", "1g.5gb"},
    {"1g.5gb", "1g.5gb", "1g.5gb", "1g.5gb", "1g.5gb", "1g.5gb", "1g.5gb"},
};

Test(mig, geometries_that_an_operator_allows_have_room)
{
    struct world w = world_of(A100);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct mig g = {.table = &w.table};
        struct device_partition_want out[8];
        struct err e = {0};
        uint32_t n = 0;
        while (n < 8 && known[i][n])
            n++;
        cr_expect_eq(mig_layout(&g, known[i], n, out, &e), 0, "case %zu: %s", i, e.msg);
    }
    end(&w);
}

Test(mig, a_partition_is_what_the_profile_says)
{
    struct world w = world_of(A100);
    struct mig g = {.table = &w.table};
    struct device_partition_want want;
    uint32_t number;
    cr_assert_eq(mig_place(&g, "3g.20gb", MIG_ANYWHERE, &number, &want, NULL), 0);
    cr_expect(want.sms == 42 && want.memory_milli == 500 && want.copy_engines == 3);
    cr_assert_eq(mig_place(&g, "1g.5gb", MIG_ANYWHERE, &number, &want, NULL), 0);
    cr_expect(want.sms == 14 && want.memory_milli == 125 && want.copy_engines == 1);
    cr_expect_eq(g.instance[number].start, 4); /* behind the 3g, which holds four of memory */
    cr_expect(!mig_fits(&g, mig_profile(&w.table, "3g.20gb")));
    mig_remove(&g, number);
    cr_expect(mig_fits(&g, mig_profile(&w.table, "3g.20gb")));
    end(&w);
}

/* "partitions" of the model gpu, by name. */
Test(mig, the_gpu_model_takes_profiles_for_partitions)
{
    static const char json[] = "{\"sharing\": \"mig\", \"partitions\": [\"3g.20gb\", \"4g.20gb\"]}";
    struct world w = world_of(A100);
    struct gpu_setup s;
    struct config *c = NULL;
    struct err e = {0};
    cr_assert_eq(config_parse(&c, "gpu", json, strlen(json), &e), 0, "%s", e.msg);
    cr_assert_eq(gpu_setup_read(&s, c, &e), 0, "%s", e.msg);
    cr_assert_eq(gpu_setup_slices(&s, &w.use, &e), 0, "%s", e.msg);
    cr_expect_eq(s.partitions, 2);
    cr_expect(s.partition[0].sms == 42 && s.partition[0].memory_milli == 500);
    cr_expect(s.partition[1].sms == 56 && s.partition[1].copy_engines == 4);
    gpu_setup_free(&s);
    config_free(c);
    end(&w);
}

/* ---- what is said when it does not work ---- */

static const struct {
    const char *names[8];
    const char *says;
} wrong[] = {
    {{"5g.25gb"},
     "MIG: got \"5g.25gb\", want a profile of \"a100-40gb\": 1g.5gb, 1g.10gb, 2g.10gb"},
    {{"3g.20gb@2"}, "MIG: 3g.20gb: got start 2, want one of 0, 4"},
    {{"3g.20gb@99999999999"}, "MIG: 3g.20gb: got start 8, want one of 0, 4"},
    {{"3g.20gb@"}, "MIG: got \"3g.20gb@\", want NAME or NAME@START"},
    {{"3g.20gb@x"}, "MIG: got \"3g.20gb@x\", want NAME or NAME@START"},
    {{"4g.20gb", "4g.20gb"}, "MIG: no room for 4g.20gb, 4g.20gb on one GPU of \"a100-40gb\""},
    {{"3g.20gb", "3g.20gb", "1g.5gb"}, "MIG: no room for 3g.20gb, 3g.20gb, 1g.5gb on one GPU"},
    {{"3g.20gb@0", "4g.20gb"}, "MIG: no room for 3g.20gb@0, 4g.20gb on one GPU"},
    {{NULL}, "MIG: got 0 instances, want 1..8"},
};

Test(mig, what_does_not_fit_is_said)
{
    struct world w = world_of(A100);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct mig g = {.table = &w.table};
        struct device_partition_want out[8];
        struct err e = {0};
        uint32_t n = 0;
        while (n < 8 && wrong[i].names[n])
            n++;
        cr_expect_neq(mig_layout(&g, wrong[i].names, n, out, &e), 0);
        cr_expect(!strncmp(e.msg, wrong[i].says, strlen(wrong[i].says)), "case %zu: %s", i, e.msg);
    }
    end(&w);
}

Test(mig, what_has_no_place_left_is_said)
{
    struct world w = world_of(A100);
    struct mig g = {.table = &w.table};
    struct device_partition_want want;
    struct err e = {0};
    uint32_t number;
    cr_assert_eq(mig_place(&g, "4g.20gb", MIG_ANYWHERE, &number, &want, NULL), 0);
    e = (struct err){0};
    cr_expect_neq(mig_place(&g, "4g.20gb", MIG_ANYWHERE, &number, &want, &e), 0);
    cr_expect_str_eq(e.msg, "MIG: got one more 4g.20gb, want at most 1 on one GPU");
    e = (struct err){0};
    cr_expect_neq(mig_place(&g, "3g.20gb", 0, &number, &want, &e), 0);
    cr_expect_str_eq(e.msg, "MIG: no room for 3g.20gb at 0 beside 4g.20gb@0");
    e = (struct err){0};
    cr_expect_neq(mig_place(&g, "7g.40gb", MIG_ANYWHERE, &number, &want, &e), 0);
    cr_expect_str_eq(e.msg, "MIG: no room for 7g.40gb beside 4g.20gb@0");
    e = (struct err){0};
    cr_expect_neq(mig_place(&g, "1g.5gb", 7, &number, &want, &e), 0);
    cr_expect_str_eq(e.msg, "MIG: 1g.5gb: got start 7, want one of 0, 1, 2, 3, 4, 5, 6");
    end(&w);
}

Test(mig, a_machine_without_profiles_is_refused)
{
    struct world w;
    struct err e = {0};
    cr_expect_neq(begin(&w, "machines/v100-node.json", &e), 0);
    cr_expect_str_eq(e.msg, "machine \"v100-node\" has no MIG profiles (gpu.mig)");
    end(&w);
}
