/* stack_table.h - the table of stacks, private to stack.c and its tests. */
#ifndef MODELS_STACK_TABLE_H
#define MODELS_STACK_TABLE_H

#include "models/stack.h"

extern const struct stack stack_table[];
extern const size_t stack_table_n;

#endif
