/* retrain.h - what ships is what its command makes: any change that reaches it shows. */
#ifndef TESTS_POLICIES_RETRAIN_H
#define TESTS_POLICIES_RETRAIN_H

/* Runs the command that policies/weights/NAME.json gives, and compares both files byte for byte.
 * Under a sanitizer, where that takes minutes: twice with `smaller`, and compares these two. */
void retrain(const char *name, const char *smaller);

#endif
