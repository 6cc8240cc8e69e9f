#include <search.h>
#include <stddef.h>

/*
 * elfutils_trees.c - the search trees that elfutils 0.192 forgot to put into its static libraries.
 *
 * In that version, which is Debian 13's, libelf.a and libdw.a call eu_tsearch() and its kin, which stand in an internal
 * library that is not installed (sourceware bug 32293, mended in 0.193). They are tsearch(3) behind a lock. The build takes
 * this file in only where a static program does not link without it.
 *
 * Of elfutils' search_tree (lib/eu-search.h) only the first member is touched, the root of the tree: whether the lock that
 * follows it exists depends on how elfutils was configured. So a Dwarf or an Elf belongs to one thread at a time, as it
 * does wherever elfutils is built without its option --enable-thread-safety.
 */
struct tree {
	void *root;
};

typedef int (*compare_fn)(const void *, const void *);
typedef void (*free_fn)(void *);

void *eu_tsearch(const void *key, struct tree *tree, compare_fn compare);
void *eu_tfind(const void *key, struct tree *tree, compare_fn compare);
void *eu_tdelete(const void *key, struct tree *tree, compare_fn compare);
void eu_tdestroy(struct tree *tree, free_fn free_node);
void eu_search_tree_init(struct tree *tree);
void eu_search_tree_fini(struct tree *tree, free_fn free_node);

void *eu_tsearch(const void *key, struct tree *tree, compare_fn compare)
{
	return tsearch(key, &tree->root, compare);
}

void *eu_tfind(const void *key, struct tree *tree, compare_fn compare)
{
	return tfind(key, &tree->root, compare);
}

void *eu_tdelete(const void *key, struct tree *tree, compare_fn compare)
{
	return tdelete(key, &tree->root, compare);
}

void eu_tdestroy(struct tree *tree, free_fn free_node)
{
	tdestroy(tree->root, free_node);
	tree->root = NULL;
}

void eu_search_tree_init(struct tree *tree)
{
	tree->root = NULL;
}

void eu_search_tree_fini(struct tree *tree, free_fn free_node)
{
	eu_tdestroy(tree, free_node);
}
