/*
 * elf: the functions, probes and facts of one ELF file, without caring where their names come from.
 *
 * Names are merged from .symtab, .dynsym, the separate debug file (by build-id, then by .gnu_debuglink) and
 * .gnu_debugdata; code that none of them names but .eh_frame bounds becomes func_0xADDR. Everything is bounded and
 * checked: the file is bytes from outside.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/reason.h"
#include "base/slice.h"

struct elf;

/*
 * Opens by path, or from @fd (kept open by the caller; @name is for messages). -ENOEXEC and @why: not ELF, truncated, or
 * of the other byte order. Not thread-safe: one thread at a time may use one struct elf. A file that is overwritten or
 * truncated meanwhile may give wrong names, never a SIGBUS.
 */
/* The names for the linker are other ones: libbpf 1.5 defines elf_open and elf_close (src/elf.c), and a static link sees them. */
int elf_open(struct elf **ret, const char *path, struct reason *why) __asm__("utrace_elf_open");
int elf_open_fd(struct elf **ret, int fd, const char *name, struct reason *why);
void elf_close(struct elf *elf) __asm__("utrace_elf_close");
DEFINE_CLEANUP(struct elf *, elf_close)

const char *elf_name(const struct elf *elf);     /* as it was opened */
int elf_machine(const struct elf *elf);          /* EM_X86_64 ... */
const char *elf_interpreter(const struct elf *elf); /* NULL: static or a library */
struct slice elf_build_id(const struct elf *elf);   /* raw bytes; empty: none */
size_t elf_needed(const struct elf *elf, const char *const **ret_names); /* DT_NEEDED, owned by @elf */
bool elf_has_section(const struct elf *elf, const char *name);
/*
 * Gives back the memory of all that can be read again: functions, names, lines, probes, bytes. What the functions below (and
 * elf_bytes()) handed out is not valid any more; what stands above is. Of node's 86,000 functions that is 45 MB.
 */
void elf_forget(struct elf *elf);
void elf_forget_bytes(struct elf *elf); /* of elf_bytes() alone */
/*
 * Does code of this file throw or catch by unwinding: imports or exports _Unwind_RaiseException or what stands on it
 * (__cxa_throw, __gxx_personality_v0 ...), is libgcc_s or libunwind, or has exception tables that catch (so also a static
 * Rust or C++ program without any symbol)? Not: libc and C with -fexceptions, whose tables only clean up.
 */
bool elf_has_unwinder(struct elf *elf);

enum func_source { FUNC_SYMTAB, FUNC_DYNSYM, FUNC_DEBUG_FILE, FUNC_DEBUGDATA, FUNC_EH_FRAME };

struct elf_func {
	const char *linkage_name; /* as in the symbol table, without @VERSION; owned by the elf; for people: elf_func_name() */
	uint64_t addr;            /* virtual address in the file */
	uint64_t offset;          /* in the file, which is where a uprobe goes */
	uint64_t size;            /* 0: not known even after looking at the next symbol and .eh_frame */
	enum func_source source;
	bool ifunc;               /* STT_GNU_IFUNC: the resolver, not the function */
	bool alias;               /* a further name of a function that comes earlier in the list (same address) */
	bool local;               /* STB_LOCAL: a static function; also those that only .eh_frame knows */
	bool fragment;            /* never called: entered by a jump (gcc's foo.cold) or a return (__restore_rt), so no return
	                             address lies where a call leaves it */
};

/*
 * All functions, sorted by address, then by rank of their names (global before local, shortest first). The first call
 * reads and sorts; later ones are free. Only names are read here, not code, lines or types.
 */
int elf_functions(struct elf *elf, const struct elf_func **ret, size_t *ret_n, struct reason *why);

/*
 * The functions of these names that its own symbol tables define, which is much less than to know all: @ret has @n items, in step with
 * @wanted; linkage_name is NULL where there is none, size 0 where the table tells none. Returns how many were found.
 */
size_t elf_find(struct elf *elf, const char *const *wanted, size_t n, struct elf_func *ret);

/*
 * @func's name for people: demangled (C++, Rust, D), or linkage_name itself where there is nothing to demangle. @func is
 * an item of elf_functions(). The text is made when it is first asked for, because that costs as much as all the rest:
 * node's 86,000 functions take 100 ms to read and another 70 ms and 7 MB to demangle. Owned by the elf.
 */
const char *elf_func_name(struct elf *elf, const struct elf_func *func);
/* The same, not kept: for who looks through all of them once. free() it; NULL: there is nothing to demangle. */
char *elf_func_demangled(struct elf *elf, const struct elf_func *func);

/* The function whose code holds file offset @offset; NULL: none. */
const struct elf_func *elf_function_at(struct elf *elf, uint64_t offset);

/*
 * @len bytes of the file at @offset, borrowed from our copy of it until elf_forget...(), or until the first of elf_functions()
 * and elf_has_unwinder(); shorter (empty) at its end.
 */
struct slice elf_bytes(struct elf *elf, uint64_t offset, size_t len);

/* Source file and line of a virtual address, from DWARF here or in the separate debug file. -ENOENT: not known. */
int elf_line(struct elf *elf, uint64_t addr, const char **ret_file, unsigned *ret_line);

struct usdt_probe {
	const char *provider, *name; /* owned by the elf */
	const char *arguments;       /* "-4@%edi 8@-8(%rbp)", as in the note */
	uint64_t offset;             /* of the nop, in the file */
	uint64_t semaphore;          /* file offset of the counter to hold above 0; 0: none */
};

/* The USDT probes of .note.stapsdt (format: SystemTap wiki, "UserSpaceProbeImplementation"), prelink adjusted. */
int elf_usdt(struct elf *elf, const struct usdt_probe **ret, size_t *ret_n, struct reason *why);
