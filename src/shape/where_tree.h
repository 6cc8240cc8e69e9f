/* where_tree: a --where expression as a tree, between its parser and where.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/reason.h"
#include "shape/where.abi.h"

#define WHERE_MAX_NODES 256 /* of an expression: what recurses over the tree stays shallow */
#define WHERE_MAX_DEPTH 32  /* parentheses and '!' inside one another */

/* What only user space can look at follows the fields of the kernel. */
enum where_user_field { WHERE_ARG7 = WHERE_FIELDS, WHERE_ARG8, WHERE_ARG9, WHERE_COMM, WHERE_NAMED };

enum where_kind { WHERE_KIND_COMPARE, WHERE_KIND_AND, WHERE_KIND_OR, WHERE_KIND_NOT };

struct where_node {
	enum where_kind kind;
	size_t begin, end; /* where it stands in the text, with its parentheses */
	unsigned left, right; /* nodes; of NOT only the left */

	/* A comparison. */
	unsigned field;   /* enum where_field or where_user_field */
	char *name;       /* of WHERE_NAMED, owned */
	enum where_op op; /* WHERE_EQ to WHERE_GE */
	bool glob;        /* '~': @text is a pattern, @op is WHERE_EQ */
	char *text;       /* compare with text, owned; NULL: with @number */
	int64_t number;
	bool is_signed;   /* the number was written with a minus sign, or is 0 and compared by order: "ret < 0" */
};

struct where_tree {
	const char *option; /* borrowed: what it was given by, for messages */
	char *text;
	struct where_node *nodes;
	unsigned n, cap, root;
};

/* -EINVAL with the column and what was expected there. */
int where_parse(struct where_tree *ret, const char *option, const char *text, struct reason *why);
void where_tree_done(struct where_tree *t);
DEFINE_CLEANUP_IN_PLACE(struct where_tree, where_tree_done)
