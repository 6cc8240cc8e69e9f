/*
 * The functions of a file, from all places that know names. Symbol tables are read as they are: names stay in libelf's
 * copy of the string table, only versions make a copy. What two tables both know is kept once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/macro.h"
#include "sym/demangle.h"
#include "sym/elf_inside.h"

#define OVERLAP_MAX 64 /* how many functions that begin before an address are asked whether they hold it */

struct names {
	struct elf *elf;
	struct elf_func *items;
	size_t n, cap;
	const char *const *only; /* NULL: all; else no others than these */
	size_t n_only;
};

struct symbol_table {
	Elf_Data *symbols;
	const char *text;
	size_t text_len; /* up to and including its last NUL */
	size_t n;
};

static void names_done(struct names *names)
{
	free(names->items);
}
DEFINE_CLEANUP_IN_PLACE(struct names, names_done)

static bool open_table(struct symbol_table *ret, const struct elf_image *image, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	GElf_Shdr text_shdr;
	Elf_Scn *text_scn = elf_getscn(image->elf, shdr->sh_link);
	if (!text_scn || !gelf_getshdr(text_scn, &text_shdr) || text_shdr.sh_type != SHT_STRTAB)
		return false;
	Elf_Data *text = image_section_data(image, text_scn, &text_shdr);
	Elf_Data *symbols = image_section_data(image, scn, shdr);
	const char *last = text ? memrchr(text->d_buf, '\0', text->d_size) : NULL;
	if (!last || !symbols)
		return false;
	*ret = (struct symbol_table){ symbols, text->d_buf, (size_t)(last - (const char *)text->d_buf) + 1,
		                      symbols->d_size / gelf_fsize(image->elf, ELF_T_SYM, 1, EV_CURRENT) };
	return true;
}

/* "memcpy@@GLIBC_2.14" is memcpy; an '@' that is followed by anything but a version's letters belongs to the name. */
static const char *without_version(struct elf *elf, const char *name)
{
	const char *at = strchr(name, '@');
	if (!at || at == name)
		return name;
	const char *version = at + 1 + (at[1] == '@');
	size_t len = strspn(version, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-+");
	return version[len] ? name : arena_strndup(&elf->names, name, (size_t)(at - name));
}

/* gcc names the cold part of foo foo.cold, older ones foo.cold.12. */
static bool is_cold_part(const char *name)
{
	const char *cold = strstr(name, ".cold");
	return cold && (cold[5] == '\0' || cold[5] == '.');
}

static void add_symbol(struct names *names, const char *name, const GElf_Sym *sym, enum func_source source)
{
	struct elf *elf = names->elf;
	const struct segment *s = elf_segment_at(elf, sym->st_value);
	const struct code_section *code = elf_code_at(elf, sym->st_value);
	if (!s || !s->code || (elf->n_code && !code) || (code && code->plt))
		return;
	GROW(names->items, names->n, names->cap);
	names->items[names->n++] = (struct elf_func){
		.linkage_name = without_version(elf, name),
		.addr = sym->st_value,
		.offset = s->offset + (sym->st_value - s->addr),
		.size = MIN(sym->st_size, s->file_size - (sym->st_value - s->addr)),
		.source = source,
		.ifunc = GELF_ST_TYPE(sym->st_info) == STT_GNU_IFUNC,
		.local = GELF_ST_BIND(sym->st_info) == STB_LOCAL,
		.fragment = is_cold_part(name),
	};
}

static bool is_wanted(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n_only; i++)
		if (streq(names->only[i], name))
			return true;
	return !names->only;
}

static int add_table(struct names *names, const struct symbol_table *t, enum func_source source, struct reason *why)
{
	if (t->n > ELF_SYMBOLS_MAX - names->n)
		return reason_set(why, -E2BIG, "%s has more than %u symbols", names->elf->name, ELF_SYMBOLS_MAX);
	for (size_t i = 1; i < t->n; i++) {
		GElf_Sym sym;
		if (!gelf_getsym(t->symbols, (int)i, &sym))
			break;
		unsigned type = GELF_ST_TYPE(sym.st_info);
		if ((type == STT_FUNC || type == STT_GNU_IFUNC) && sym.st_shndx != SHN_UNDEF && sym.st_name < t->text_len &&
		    t->text[sym.st_name] && is_wanted(names, t->text + sym.st_name))
			add_symbol(names, t->text + sym.st_name, &sym, source);
	}
	return 0;
}

/* @source: of .symtab; FUNC_SYMTAB for the file itself, whose .dynsym counts too. */
static int add_image(struct names *names, const struct elf_image *image, enum func_source source, struct reason *why)
{
	GElf_Shdr shdr;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(image->elf, scn));) {
		struct symbol_table t;
		if (!gelf_getshdr(scn, &shdr))
			continue;
		bool dynamic = shdr.sh_type == SHT_DYNSYM && source == FUNC_SYMTAB;
		if ((!dynamic && shdr.sh_type != SHT_SYMTAB) || !open_table(&t, image, scn, &shdr))
			continue;
		int r = add_table(names, &t, dynamic ? FUNC_DYNSYM : source, why);
		if (r < 0)
			return r;
	}
	return 0;
}

static int by_address_and_rank(const void *a, const void *b)
{
	const struct elf_func *x = a, *y = b;
	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (x->local != y->local)
		return x->local ? 1 : -1;
	size_t x_len = strlen(x->linkage_name), y_len = strlen(y->linkage_name);
	if (x_len != y_len)
		return x_len < y_len ? -1 : 1;
	return strcmp(x->linkage_name, y->linkage_name) ?: (int)x->source - (int)y->source;
}

static void sort_names(struct names *names)
{
	size_t kept = 0;
	if (names->n)
		qsort(names->items, names->n, sizeof(*names->items), by_address_and_rank);
	for (size_t i = 0; i < names->n; i++) {
		struct elf_func *f = &names->items[i], *before = kept ? &names->items[kept - 1] : NULL;
		f->alias = before && before->addr == f->addr;
		if (!f->alias || strcmp(before->linkage_name, f->linkage_name) != 0)
			names->items[kept++] = *f;
	}
	names->n = kept;
}

/* Where a function without a size must end: at the next one, at the end of its FDE, section or segment. */
static uint64_t end_of(struct elf *elf, const struct elf_func *f, uint64_t next)
{
	const struct frame_entry *frame = elf_frame_at(elf, f->addr);
	const struct code_section *code = elf_code_at(elf, f->addr);
	const struct segment *s = elf_segment_at(elf, f->addr);
	uint64_t end = s->addr + s->file_size;
	end = code ? MIN(end, code->end) : end;
	end = frame ? MIN(end, frame->end) : end;
	return MIN(end, next);
}

static void measure(struct names *names)
{
	uint64_t next = UINT64_MAX;
	for (size_t i = names->n; i-- > 0;) {
		struct elf_func *f = &names->items[i];
		const struct frame_entry *frame = elf_frame_at(names->elf, f->addr);
		if (i + 1 < names->n && f[1].addr != f->addr)
			next = f[1].addr;
		if (!f->size)
			f->size = end_of(names->elf, f, next) - f->addr;
		f->fragment |= frame && frame->start == f->addr && frame->fragment;
	}
}

static struct elf_func nameless(struct elf *elf, const struct frame_entry *frame)
{
	const struct segment *s = elf_segment_at(elf, frame->start);
	uint64_t at = frame->start - s->addr;
	return (struct elf_func){
		.linkage_name = arena_printf(&elf->names, "func_0x%llx", (unsigned long long)frame->start).data,
		.addr = frame->start,
		.offset = s->offset + at,
		.size = MIN(frame->end - frame->start, s->file_size - at),
		.source = FUNC_EH_FRAME,
		.local = true,
		.fragment = frame->fragment,
	};
}

static bool is_plt(const struct elf *elf, uint64_t addr)
{
	const struct code_section *code = elf_code_at(elf, addr);
	return code && code->plt;
}

/* Merges what only .eh_frame knows into the sorted names. */
static void add_nameless(struct names *names)
{
	const struct frames *frames = elf_frames(names->elf);
	struct names all = { .elf = names->elf };
	uint64_t covered = 0; /* up to where the functions so far reach */
	size_t next = 0;
	for (size_t i = 0; i < frames->n; i++) {
		const struct frame_entry *frame = &frames->items[i];
		for (; next < names->n && names->items[next].addr <= frame->start; next++) {
			GROW(all.items, all.n, all.cap);
			all.items[all.n++] = names->items[next];
			covered = MAX(covered, names->items[next].addr + names->items[next].size);
		}
		if (frame->start < covered || is_plt(names->elf, frame->start))
			continue;
		GROW(all.items, all.n, all.cap);
		all.items[all.n++] = nameless(names->elf, frame);
	}
	for (; next < names->n; next++) {
		GROW(all.items, all.n, all.cap);
		all.items[all.n++] = names->items[next];
	}
	free(names->items);
	*names = all;
}

static int read_names(struct names *names, struct reason *why)
{
	int r = add_image(names, &names->elf->self, FUNC_SYMTAB, why);
	const struct elf_image *debug = elf_debug_file(names->elf);
	const struct elf_image *mini = debug ? NULL : elf_debugdata(names->elf);
	if (r == 0 && debug)
		r = add_image(names, debug, FUNC_DEBUG_FILE, why);
	if (r == 0 && mini)
		r = add_image(names, mini, FUNC_DEBUGDATA, why);
	if (r < 0)
		return r;
	sort_names(names);
	measure(names);
	add_nameless(names);
	return 0;
}

int elf_functions(struct elf *elf, const struct elf_func **ret, size_t *ret_n, struct reason *why)
{
	if (!elf->funcs_known) {
		_cleanup_(names_done) struct names names = { .elf = elf };
		int r = read_names(&names, why);
		if (r < 0)
			return r;
		elf->n_funcs = names.n;
		elf->funcs = take_ptr(names.items);
		elf->func_names = xcalloc(elf->n_funcs ?: 1, sizeof(*elf->func_names));
		elf->funcs_known = true;
	}
	*ret = elf->funcs;
	*ret_n = elf->n_funcs;
	return 0;
}

size_t elf_find(struct elf *elf, const char *const *wanted, size_t n, struct elf_func *ret)
{
	_cleanup_(names_done) struct names names = { .elf = elf, .only = wanted, .n_only = n };
	size_t found = 0;
	add_image(&names, &elf->self, FUNC_SYMTAB, NULL);
	for (size_t i = 0; i < n; i++) {
		ret[i] = (struct elf_func){};
		for (size_t k = 0; k < names.n && !ret[i].linkage_name; k++)
			if (streq(names.items[k].linkage_name, wanted[i]))
				ret[i] = names.items[k];
		found += ret[i].linkage_name != NULL;
	}
	return found;
}

char *elf_func_demangled(struct elf *elf, const struct elf_func *func)
{
	uint64_t start = clock_monotonic_ns();
	bool afford = elf->demangled_bytes < ELF_DEMANGLED_MAX_BYTES && elf->demangled_ns < ELF_DEMANGLED_MAX_NS;
	char *text = afford ? demangle(func->linkage_name) : NULL;
	elf->demangled_bytes += text ? strlen(text) : 0;
	elf->demangled_ns += clock_monotonic_ns() - start;
	return text;
}

const char *elf_func_name(struct elf *elf, const struct elf_func *func)
{
	const char **name = &elf->func_names[func - elf->funcs];
	if (!*name) {
		_cleanup_(free) char *text = elf_func_demangled(elf, func);
		*name = text ? arena_strndup(&elf->names, text, strlen(text)) : func->linkage_name;
	}
	return *name;
}

const struct elf_func *elf_function_at(struct elf *elf, uint64_t offset)
{
	const struct elf_func *funcs;
	size_t n;
	const struct segment *s = elf_segment_at_offset(elf, offset);
	if (!s || !s->code || elf_functions(elf, &funcs, &n, NULL) < 0)
		return NULL;
	uint64_t addr = s->addr + (offset - s->offset);
	size_t low = 0, high = n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (funcs[middle].addr <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	const struct elf_func *found = NULL;
	for (size_t i = low; i-- > 0 && low - i <= OVERLAP_MAX && (!found || funcs[i].addr == found->addr);)
		if (addr - funcs[i].addr < funcs[i].size)
			found = &funcs[i];
	return found;
}
