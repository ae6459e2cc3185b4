/* Python's random numbers, against what Python itself says.  Constants by CPython 3.11:
 *     import random
 *     r = random.Random(S); [r.getrandbits(32) for _ in range(3)]
 *     r = random.Random(S); [r.random().hex() for _ in range(3)]; r.uniform(1.5, 3).hex()
 *     [r.randrange(26) for _ in range(8)]; l = [0, 1, 2]; four times r.shuffle(l)
 *     [r.sample(range(10), 2) for _ in range(3)]; [r.sample(range(40), 2) for _ in range(3)] */
#include <criterion/criterion.h>

#include "policies/python_random.h"

static const struct known {
    uint64_t seed;
    uint32_t word[3];
    double unit[3], uniform;
    uint32_t below[8], shuffled[4][3], few[3][2], many[3][2];
} known[] = {
    {0,
     {3626764237u, 1654615998u, 3255389356u},
     {0x1.b0580f98a7dbep-1, 0x1.84129978f9c1ap-1, 0x1.aeaa51052e978p-2},
     0x1.e36c8d5e57a1ep+0,
     {16, 15, 12, 25, 9, 15, 11, 18},
     {{1, 2, 0}, {0, 1, 2}, {2, 1, 0}, {1, 2, 0}},
     {{4, 1}, {1, 5}, {7, 8}},
     {{6, 22}, {27, 20}, {39, 13}}},
    {2,
     {4106135923u, 3707026329u, 4070888059u},
     {0x1.e97d52f73d2eep-1, 0x1.e549a4f656ebfp-1, 0x1.cf44d05dc8670p-5},
     0x1.a09741b154ac9p+0,
     {5, 23, 25, 21, 9, 8, 19, 6},
     {{1, 0, 2}, {0, 1, 2}, {0, 2, 1}, {0, 2, 1}},
     {{8, 7}, {8, 4}, {0, 9}},
     {{23, 29}, {20, 24}, {27, 33}}},
    {4294967301u,
     {675479763u, 2085189291u, 1213270837u},
     {0x1.4218067c49768p-3, 0x1.21442cf1e9172p-2, 0x1.357affb575f81p-1},
     0x1.8593b6910b0dap+0,
     {20, 5, 24, 21, 15, 23, 11, 24},
     {{2, 1, 0}, {1, 2, 0}, {2, 1, 0}, {2, 0, 1}},
     {{9, 2}, {6, 8}, {0, 1}},
     {{23, 12}, {39, 18}, {36, 19}}},
};

Test(rounds_random, words_are_those_of_python)
{
    struct pyrandom r;
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        pyrandom_seed(&r, known[k].seed);
        for (int i = 0; i < 3; i++)
            cr_expect_eq(pyrandom_word(&r), known[k].word[i], "seed %zu, word %d", k, i);
    }
    pyrandom_seed(&r, 7); /* past the first 624: r = random.Random(7), the 1001st and 1002nd */
    for (int i = 0; i < 1000; i++)
        pyrandom_word(&r);
    cr_expect_eq(pyrandom_word(&r), 3192093819u);
    cr_expect_eq(pyrandom_word(&r), 2975926257u);
}

Test(rounds_random, draws_are_those_of_python)
{
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        const struct known *w = &known[k];
        struct pyrandom r;
        uint32_t list[3] = {0, 1, 2}, two[2];
        pyrandom_seed(&r, w->seed);
        for (int i = 0; i < 3; i++)
            cr_expect_eq(pyrandom_unit(&r), w->unit[i]);
        cr_expect_eq(pyrandom_uniform(&r, 1.5, 3), w->uniform);
        for (int i = 0; i < 8; i++)
            cr_expect_eq(pyrandom_below(&r, 26), w->below[i], "seed %zu, draw %d", k, i);
        for (int i = 0; i < 4; i++) {
            pyrandom_shuffle(&r, list, 3);
            cr_expect_arr_eq(list, w->shuffled[i], sizeof list);
        }
        for (int i = 0; i < 6; i++) {
            pyrandom_two(&r, i < 3 ? 10 : 40, two);
            cr_expect_arr_eq(two, i < 3 ? w->few[i] : w->many[i - 3], sizeof two);
        }
    }
}
