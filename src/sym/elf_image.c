#include "sym/elf_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <elfutils/libdwelf.h>

#define NOTE_MAX_BYTES (64u << 20)

static int image_check(struct elf_image *image)
{
	if (image->elf && elf_kind(image->elf) == ELF_K_ELF)
		return 0;
	if (!image->elf && image->fd >= 0)
		close(image->fd);
	image_done(image);
	return -ENOEXEC;
}

int image_open(struct elf_image *ret, int fd)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -ENOEXEC;
	}
	elf_version(EV_CURRENT);
	*ret = (struct elf_image){ .elf = elf_begin(fd, ELF_C_READ, NULL), .fd = fd, .size = (uint64_t)st.st_size };
	return image_check(ret);
}

/*
 * What a stranger's file names may be a pipe, which nobody will ever write to, or a device, which acts when it is opened. So
 * it is looked at first, by a descriptor that opens nothing.
 */
int image_open_path(struct elf_image *ret, const char *path)
{
	_cleanup_(fd_close) int handle = open(path, O_PATH | O_CLOEXEC);
	struct stat st;
	char again[64];
	if (handle < 0 || fstat(handle, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOEXEC;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", handle);
	int fd = open(again, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : image_open(ret, fd);
}

int image_open_memory(struct elf_image *ret, void *memory, size_t size)
{
	elf_version(EV_CURRENT);
	*ret = (struct elf_image){ .elf = elf_memory(memory, size), .fd = -1, .memory = memory, .size = size };
	return image_check(ret);
}

void image_done(struct elf_image *image)
{
	if (image->elf) {
		elf_end(image->elf);
		if (image->fd >= 0)
			close(image->fd);
	}
	image_copy_free(image);
	free(image->memory);
	*image = (struct elf_image){};
}

void image_forget(struct elf_image *image)
{
	image_copy_free(image);
	Elf *fresh = image->fd >= 0 ? elf_begin(image->fd, ELF_C_READ, NULL) : NULL;
	bool usable = fresh && elf_kind(fresh) == ELF_K_ELF; /* else it was overwritten: what was read before is all that there is */
	elf_end(usable ? image->elf : fresh);
	if (usable)
		image->elf = fresh;
}

const char *image_section_name(const struct elf_image *image, const GElf_Shdr *shdr)
{
	size_t names;
	if (elf_getshdrstrndx(image->elf, &names) < 0)
		return "";
	/* elf_strptr() reads the string table whole. */
	GElf_Shdr table;
	Elf_Scn *scn = elf_getscn(image->elf, names);
	if (!scn || !gelf_getshdr(scn, &table) || !image_section_data(image, scn, &table))
		return "";
	return elf_strptr(image->elf, names, shdr->sh_name) ?: "";
}

Elf_Scn *image_section(const struct elf_image *image, const char *name, GElf_Shdr *ret_shdr)
{
	Elf_Scn *scn = NULL;
	while ((scn = elf_nextscn(image->elf, scn)))
		if (gelf_getshdr(scn, ret_shdr) && strcmp(image_section_name(image, ret_shdr), name) == 0)
			return scn;
	return NULL;
}

Elf_Data *image_section_data(const struct elf_image *image, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	if (shdr->sh_type == SHT_NOBITS || shdr->sh_size == 0 || shdr->sh_size > ELF_SECTION_MAX_BYTES)
		return NULL;
	if (shdr->sh_offset > image->size || shdr->sh_size > image->size - shdr->sh_offset)
		return NULL;
	Elf_Data *data = elf_getdata(scn, NULL);
	return data && data->d_buf ? data : NULL;
}

/* libdwelf reads each note whole. */
static bool notes_are_small(const struct elf_image *image)
{
	GElf_Shdr shdr;
	GElf_Phdr phdr;
	size_t n = 0;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(image->elf, scn));)
		if (gelf_getshdr(scn, &shdr) && shdr.sh_type == SHT_NOTE && shdr.sh_size > NOTE_MAX_BYTES)
			return false;
	if (elf_getphdrnum(image->elf, &n) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (gelf_getphdr(image->elf, (int)i, &phdr) && phdr.p_type == PT_NOTE && phdr.p_filesz > NOTE_MAX_BYTES)
			return false;
	return true;
}

struct slice image_build_id(const struct elf_image *image)
{
	const void *id = NULL;
	if (!notes_are_small(image))
		return (struct slice){};
	ssize_t n = dwelf_elf_gnu_build_id(image->elf, &id);
	return n > 0 ? (struct slice){ id, (size_t)n } : (struct slice){};
}
