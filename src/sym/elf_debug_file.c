/*
 * The separate debug file, as distributions ship them: by build-id in /usr/lib/debug/.build-id/xx/yyyy.debug, else by the
 * name in .gnu_debuglink: beside the file, in .debug/ beside it, or in its directory under /usr/lib/debug (GDB manual,
 * "Debugging Information in Separate Files"). What is found must belong to our file: the build-ids are equal or, when one
 * of the two has none, the CRC in the link is that of the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <elfutils/libdwelf.h>
#include <lzma.h>

#include "base/macro.h"
#include "sym/elf_inside.h"

#define DEBUG_ROOT "/usr/lib/debug"
#define BUILD_ID_MAX_BYTES 64

/* The real directory of an open file, without the last slash: "" for the root. -errno: not known (deleted, in memory). */
static int directory_of(int fd, char ret[PATH_MAX])
{
	char link[64];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, ret, PATH_MAX - 1);
	if (n < 0)
		return -errno;
	ret[n] = '\0';
	char *slash = strrchr(ret, '/');
	if (ret[0] != '/' || !slash)
		return -ENOENT;
	*slash = '\0';
	return 0;
}

/* The CRC of .gnu_debuglink is that of gzip and xz. */
static int file_crc(int fd, uint32_t *ret)
{
	uint8_t buf[64 << 10];
	uint32_t crc = 0;
	ssize_t n;
	for (off_t at = 0; (n = pread(fd, buf, sizeof(buf), at)) != 0; at += n) {
		if (n < 0)
			return -errno;
		crc = lzma_crc32(buf, (size_t)n, crc);
	}
	*ret = crc;
	return 0;
}

static bool is_same_file(int a, int b)
{
	struct stat x, y;
	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* @crc NULL: only the build-id can prove that it belongs to us. */
static bool try(struct elf_image *ret, const struct elf *elf, const uint32_t *crc, const char *path)
{
	struct elf_image image = {};
	uint32_t actual;
	if (image_open_path(&image, path) < 0)
		return false;
	struct slice id = image_build_id(&image);
	bool ours = false;
	if (is_same_file(image.fd, elf->self.fd))
		ours = false;
	else if (id.len && elf->build_id.len)
		ours = slice_eq(id, elf->build_id);
	else
		ours = crc && file_crc(image.fd, &actual) == 0 && actual == *crc;
	if (ours)
		*ret = image;
	else
		image_done(&image);
	return ours;
}

static bool build_id_path(char ret[PATH_MAX], struct slice id)
{
	char hex[2 * BUILD_ID_MAX_BYTES + 1];
	if (id.len < 2 || id.len > BUILD_ID_MAX_BYTES)
		return false;
	for (size_t i = 0; i < id.len; i++)
		snprintf(hex + 2 * i, 3, "%02x", (unsigned char)id.data[i]);
	snprintf(ret, PATH_MAX, DEBUG_ROOT "/.build-id/%.2s/%s.debug", hex, hex + 2);
	return true;
}

static bool find_by_link(struct elf *elf)
{
	static const struct {
		const char *root, *below;
	} places[] = { { "", "/" }, { "", "/.debug/" }, { DEBUG_ROOT, "/" } };
	char path[PATH_MAX], directory[PATH_MAX];
	GElf_Shdr shdr;
	GElf_Word crc;
	Elf_Scn *scn = image_section(&elf->self, ".gnu_debuglink", &shdr);
	const char *name =
		scn && image_section_data(&elf->self, scn, &shdr) ? dwelf_elf_gnu_debuglink(elf->self.elf, &crc) : NULL;
	if (!name || !*name || strchr(name, '/') || directory_of(elf->self.fd, directory) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		int n = snprintf(path, sizeof(path), "%s%s%s%s", places[i].root, directory, places[i].below, name);
		if (n < (int)sizeof(path) && try(&elf->debug, elf, &crc, path))
			return true;
	}
	return false;
}

struct elf_image *elf_debug_file(struct elf *elf)
{
	char path[PATH_MAX];
	if (!elf->debug_sought) {
		elf->debug_sought = true;
		if (!build_id_path(path, elf->build_id) || !try(&elf->debug, elf, NULL, path))
			find_by_link(elf);
	}
	return elf->debug.elf ? &elf->debug : NULL;
}

int elf_debug_alt_file(struct elf_image *ret, const struct elf_image *of, const char *name, struct slice build_id)
{
	char by_id[PATH_MAX], by_name[PATH_MAX + 256] = "", directory[PATH_MAX];
	if (name[0] == '/')
		snprintf(by_name, sizeof(by_name), "%s", name);
	else if (of->fd >= 0 && strlen(name) < 256 && directory_of(of->fd, directory) == 0)
		snprintf(by_name, sizeof(by_name), "%s/%s", directory, name);
	const char *paths[] = { build_id_path(by_id, build_id) ? by_id : "", by_name };
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct elf_image image = {};
		if (!paths[i][0] || image_open_path(&image, paths[i]) < 0)
			continue;
		if (slice_eq(image_build_id(&image), build_id)) {
			*ret = image;
			return 0;
		}
		image_done(&image);
	}
	return -ENOENT;
}
