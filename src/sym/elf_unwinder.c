#include <string.h>

#include "base/macro.h"
#include "sym/elf_inside.h"

/*
 * Code that throws or catches with a runtime in another file imports one of these; a runtime exports them. Not
 * _Unwind_Resume: C compiled with -fexceptions calls it to go on after a cleanup, and such C only ever unwinds by
 * pthread_exit() and pthread_cancel(), for which libc loads libgcc_s at that moment.
 */
static const char *const unwinding[] = {
	"_Unwind_RaiseException", "_Unwind_Resume_or_Rethrow", "_Unwind_SjLj_RaiseException", "__cxa_throw",
	"__cxa_rethrow",          "__cxa_begin_catch",         "__gxx_personality_v0",        "rust_eh_personality",
	"__gnat_personality_v0",  "__gnu_objc_personality_v0", "__gccgo_personality_v0",      "__gdc_personality_v0",
	"_d_eh_personality",
};

static bool unwinds(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(unwinding); i++)
		if (streq(unwinding[i], name))
			return true;
	return false;
}

static bool table_unwinds(const struct elf_image *image, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	GElf_Shdr names_shdr;
	GElf_Sym sym;
	Elf_Scn *names_scn = elf_getscn(image->elf, shdr->sh_link);
	Elf_Data *data = image_section_data(image, scn, shdr);
	if (!data || !names_scn || !gelf_getshdr(names_scn, &names_shdr) || !image_section_data(image, names_scn, &names_shdr))
		return false;
	for (int i = 1; gelf_getsym(data, i, &sym); i++) {
		const char *name = elf_strptr(image->elf, shdr->sh_link, sym.st_name);
		if (name && unwinds(name))
			return true;
	}
	return false;
}

/* .symtab is not asked: a static C program defines the unwinder too and has no use for it. Its tables tell. */
bool elf_has_unwinder(struct elf *elf)
{
	GElf_Shdr shdr;
	if (elf->soname && (strncmp(elf->soname, "libgcc_s.so", 11) == 0 || strncmp(elf->soname, "libunwind", 9) == 0))
		return true;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf->self.elf, scn));)
		if (gelf_getshdr(scn, &shdr) && shdr.sh_type == SHT_DYNSYM && table_unwinds(&elf->self, scn, &shdr))
			return true;
	return elf_frames(elf)->catches;
}
