/* config_tree.h - the parsed tree behind config.h; private to sim/config*.c. */
#ifndef SIM_CONFIG_TREE_H
#define SIM_CONFIG_TREE_H

#include "sim/config.h"

struct config {
    enum config_kind kind;
    char *key; /* owned; NULL for a root or an array element */
    struct config *parent;
    size_t index; /* among its siblings */
    bool truth;
    double number;
    char *string; /* owned */
    struct config **child;
    size_t n_child, cap_child;
    char *path; /* owned, made when first asked for */
    char *name; /* a root's document name, owned */
};

struct config *config_node(enum config_kind kind, const char *key); /* NULL: out of memory */
int config_adopt(struct config *parent, struct config *child);      /* frees child on failure */

/* A number as JSON text: integers plainly, others in the fewest digits that read back the same. */
void config_number_text(double v, char *out, size_t n);

#endif
