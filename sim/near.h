/* near.h - the known name that somebody who mistyped one probably meant.
 *
 * near_begin() with what was said, near_offer() with each name that there is,
 * then near_words() for the end of the complaint.  Distance is that of
 * Damerau and Levenshtein with adjacent transpositions (optimal string
 * alignment): letters left out, put in, exchanged or swapped.  A third of the
 * letters may be wrong, at most three; among equally near names the first
 * offered is taken.                                                         */
#ifndef SIM_NEAR_H
#define SIM_NEAR_H

#define NEAR_MAX 64 /* longer names are not compared */

struct near {
    const char *said, *best; /* borrowed; best: NULL when nothing is near */
    unsigned distance;
    char words[NEAR_MAX + 24];
};

void near_begin(struct near *n, const char *said);
void near_offer(struct near *n, const char *known);
/* "; did you mean \"cores\"?", or "" when nothing is near; lives as long as n. */
const char *near_words(struct near *n);

#endif
