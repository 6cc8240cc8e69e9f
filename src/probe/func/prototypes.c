/* Prototypes of the C library (POSIX.1-2017 and glibc 2.36 headers), sorted by name. open's mode is left out: it is there only with O_CREAT. */
#include "probe/func/prototypes.h"

#include <stdlib.h>
#include <string.h>

#include "base/macro.h"

/* Types: how they are written, and read. */
#define INT "int", FORMAT_INT, 4
#define UINT "unsigned int", FORMAT_UINT, 4
#define LONG "long", FORMAT_INT, 8
#define ULONG "unsigned long", FORMAT_UINT, 8
#define SIZE "size_t", FORMAT_UINT, 8
#define SSIZE "ssize_t", FORMAT_INT, 8
#define POINTER "void *", FORMAT_HEX, 8
#define CHARS "char *", FORMAT_HEX, 8
#define STRING "const char *", FORMAT_STRING, 8
#define MODE "mode_t", FORMAT_HEX, 4
#define VOID "void", FORMAT_HEX, 0

static const struct prototype prototypes[] = {
	{ "accept", INT, { { "sockfd", INT }, { "addr", POINTER }, { "addrlen", POINTER } } },
	{ "accept4", INT, { { "sockfd", INT }, { "addr", POINTER }, { "addrlen", POINTER }, { "flags", INT } } },
	{ "access", INT, { { "pathname", STRING }, { "mode", INT } } },
	{ "aligned_alloc", POINTER, { { "alignment", SIZE }, { "size", SIZE } } },
	{ "atoi", INT, { { "nptr", STRING } } },
	{ "atol", LONG, { { "nptr", STRING } } },
	{ "bind", INT, { { "sockfd", INT }, { "addr", POINTER }, { "addrlen", UINT } } },
	{ "calloc", POINTER, { { "nmemb", SIZE }, { "size", SIZE } } },
	{ "chdir", INT, { { "path", STRING } } },
	{ "chmod", INT, { { "pathname", STRING }, { "mode", MODE } } },
	{ "chown", INT, { { "pathname", STRING }, { "owner", INT }, { "group", INT } } },
	{ "close", INT, { { "fd", INT } } },
	{ "closedir", INT, { { "dirp", POINTER } } },
	{ "connect", INT, { { "sockfd", INT }, { "addr", POINTER }, { "addrlen", UINT } } },
	{ "creat", INT, { { "pathname", STRING }, { "mode", MODE } } },
	{ "dcgettext", "char *", FORMAT_STRING, 8, { { "domainname", STRING }, { "msgid", STRING }, { "category", INT } } },
	{ "dlclose", INT, { { "handle", POINTER } } },
	{ "dlopen", POINTER, { { "filename", STRING }, { "flags", INT } } },
	{ "dlsym", POINTER, { { "handle", POINTER }, { "symbol", STRING } } },
	{ "epoll_wait", INT, { { "epfd", INT }, { "events", POINTER }, { "maxevents", INT }, { "timeout", INT } } },
	{ "execv", INT, { { "path", STRING }, { "argv", POINTER } } },
	{ "execve", INT, { { "path", STRING }, { "argv", POINTER }, { "envp", POINTER } } },
	{ "execvp", INT, { { "file", STRING }, { "argv", POINTER } } },
	{ "exit", VOID, { { "status", INT } } },
	{ "fclose", INT, { { "stream", POINTER } } },
	{ "fdopen", POINTER, { { "fd", INT }, { "mode", STRING } } },
	{ "fgets", CHARS, { { "s", POINTER }, { "size", INT }, { "stream", POINTER } } },
	{ "fopen", POINTER, { { "pathname", STRING }, { "mode", STRING } } },
	{ "fopen64", POINTER, { { "pathname", STRING }, { "mode", STRING } } },
	{ "fprintf", INT, { { "stream", POINTER }, { "format", STRING } } },
	{ "fputs", INT, { { "s", STRING }, { "stream", POINTER } } },
	{ "fread", SIZE, { { "ptr", POINTER }, { "size", SIZE }, { "nmemb", SIZE }, { "stream", POINTER } } },
	{ "free", VOID, { { "ptr", POINTER } } },
	{ "fstat", INT, { { "fd", INT }, { "statbuf", POINTER } } },
	{ "fwrite", SIZE, { { "ptr", POINTER }, { "size", SIZE }, { "nmemb", SIZE }, { "stream", POINTER } } },
	{ "getaddrinfo", INT, { { "node", STRING }, { "service", STRING }, { "hints", POINTER }, { "res", POINTER } } },
	{ "getenv", "char *", FORMAT_STRING, 8, { { "name", STRING } } },
	{ "gethostbyname", POINTER, { { "name", STRING } } },
	{ "getpwnam", POINTER, { { "name", STRING } } },
	{ "gettext", "char *", FORMAT_STRING, 8, { { "msgid", STRING } } },
	{ "kill", INT, { { "pid", INT }, { "sig", INT } } },
	{ "link", INT, { { "oldpath", STRING }, { "newpath", STRING } } },
	{ "listen", INT, { { "sockfd", INT }, { "backlog", INT } } },
	{ "lseek", LONG, { { "fd", INT }, { "offset", LONG }, { "whence", INT } } },
	{ "lstat", INT, { { "pathname", STRING }, { "statbuf", POINTER } } },
	{ "lstat64", INT, { { "pathname", STRING }, { "statbuf", POINTER } } },
	{ "malloc", POINTER, { { "size", SIZE } } },
	{ "memcmp", INT, { { "s1", POINTER }, { "s2", POINTER }, { "n", SIZE } } },
	{ "memcpy", POINTER, { { "dest", POINTER }, { "src", POINTER }, { "n", SIZE } } },
	{ "memmove", POINTER, { { "dest", POINTER }, { "src", POINTER }, { "n", SIZE } } },
	{ "memset", POINTER, { { "s", POINTER }, { "c", INT }, { "n", SIZE } } },
	{ "mkdir", INT, { { "pathname", STRING }, { "mode", MODE } } },
	{ "mmap", POINTER, { { "addr", POINTER }, { "length", SIZE }, { "prot", INT }, { "flags", INT }, { "fd", INT }, { "offset", LONG } } },
	{ "munmap", INT, { { "addr", POINTER }, { "length", SIZE } } },
	{ "open", INT, { { "pathname", STRING }, { "flags", INT } } },
	{ "open64", INT, { { "pathname", STRING }, { "flags", INT } } },
	{ "openat", INT, { { "dirfd", INT }, { "pathname", STRING }, { "flags", INT } } },
	{ "opendir", POINTER, { { "name", STRING } } },
	{ "poll", INT, { { "fds", POINTER }, { "nfds", ULONG }, { "timeout", INT } } },
	{ "popen", POINTER, { { "command", STRING }, { "type", STRING } } },
	{ "posix_memalign", INT, { { "memptr", POINTER }, { "alignment", SIZE }, { "size", SIZE } } },
	{ "pread", SSIZE, { { "fd", INT }, { "buf", POINTER }, { "count", SIZE }, { "offset", LONG } } },
	{ "pread64", SSIZE, { { "fd", INT }, { "buf", POINTER }, { "count", SIZE }, { "offset", LONG } } },
	{ "printf", INT, { { "format", STRING } } },
	{ "pthread_create", INT, { { "thread", POINTER }, { "attr", POINTER }, { "start_routine", POINTER }, { "arg", POINTER } } },
	{ "pthread_join", INT, { { "thread", ULONG }, { "retval", POINTER } } },
	{ "pthread_mutex_lock", INT, { { "mutex", POINTER } } },
	{ "pthread_mutex_trylock", INT, { { "mutex", POINTER } } },
	{ "pthread_mutex_unlock", INT, { { "mutex", POINTER } } },
	{ "putenv", INT, { { "string", STRING } } },
	{ "puts", INT, { { "s", STRING } } },
	{ "pwrite", SSIZE, { { "fd", INT }, { "buf", POINTER }, { "count", SIZE }, { "offset", LONG } } },
	{ "pwrite64", SSIZE, { { "fd", INT }, { "buf", POINTER }, { "count", SIZE }, { "offset", LONG } } },
	{ "read", SSIZE, { { "fd", INT }, { "buf", POINTER }, { "count", SIZE } } },
	{ "readdir", POINTER, { { "dirp", POINTER } } },
	{ "readdir64", POINTER, { { "dirp", POINTER } } },
	{ "readlink", SSIZE, { { "pathname", STRING }, { "buf", POINTER }, { "bufsiz", SIZE } } },
	{ "realloc", POINTER, { { "ptr", POINTER }, { "size", SIZE } } },
	{ "reallocarray", POINTER, { { "ptr", POINTER }, { "nmemb", SIZE }, { "size", SIZE } } },
	{ "recv", SSIZE, { { "sockfd", INT }, { "buf", POINTER }, { "len", SIZE }, { "flags", INT } } },
	{ "recvfrom", SSIZE, { { "sockfd", INT }, { "buf", POINTER }, { "len", SIZE }, { "flags", INT }, { "src_addr", POINTER }, { "addrlen", POINTER } } },
	{ "rename", INT, { { "oldpath", STRING }, { "newpath", STRING } } },
	{ "rmdir", INT, { { "pathname", STRING } } },
	{ "send", SSIZE, { { "sockfd", INT }, { "buf", POINTER }, { "len", SIZE }, { "flags", INT } } },
	{ "sendto", SSIZE, { { "sockfd", INT }, { "buf", POINTER }, { "len", SIZE }, { "flags", INT }, { "dest_addr", POINTER }, { "addrlen", UINT } } },
	{ "setenv", INT, { { "name", STRING }, { "value", STRING }, { "overwrite", INT } } },
	{ "setlocale", POINTER, { { "category", INT }, { "locale", STRING } } },
	{ "sleep", UINT, { { "seconds", UINT } } },
	{ "snprintf", INT, { { "str", POINTER }, { "size", SIZE }, { "format", STRING } } },
	{ "socket", INT, { { "domain", INT }, { "type", INT }, { "protocol", INT } } },
	{ "sprintf", INT, { { "str", POINTER }, { "format", STRING } } },
	{ "stat", INT, { { "pathname", STRING }, { "statbuf", POINTER } } },
	{ "stat64", INT, { { "pathname", STRING }, { "statbuf", POINTER } } },
	{ "strcasecmp", INT, { { "s1", STRING }, { "s2", STRING } } },
	{ "strcat", CHARS, { { "dest", POINTER }, { "src", STRING } } },
	{ "strchr", CHARS, { { "s", STRING }, { "c", INT } } },
	{ "strcmp", INT, { { "s1", STRING }, { "s2", STRING } } },
	{ "strcpy", CHARS, { { "dest", POINTER }, { "src", STRING } } },
	{ "strdup", CHARS, { { "s", STRING } } },
	{ "strlen", SIZE, { { "s", STRING } } },
	{ "strncasecmp", INT, { { "s1", STRING }, { "s2", STRING }, { "n", SIZE } } },
	{ "strncmp", INT, { { "s1", STRING }, { "s2", STRING }, { "n", SIZE } } },
	{ "strncpy", CHARS, { { "dest", POINTER }, { "src", STRING }, { "n", SIZE } } },
	{ "strrchr", CHARS, { { "s", STRING }, { "c", INT } } },
	{ "strstr", CHARS, { { "haystack", STRING }, { "needle", STRING } } },
	{ "strtol", LONG, { { "nptr", STRING }, { "endptr", POINTER }, { "base", INT } } },
	{ "strtoul", ULONG, { { "nptr", STRING }, { "endptr", POINTER }, { "base", INT } } },
	{ "symlink", INT, { { "target", STRING }, { "linkpath", STRING } } },
	{ "syslog", VOID, { { "priority", INT }, { "format", STRING } } },
	{ "system", INT, { { "command", STRING } } },
	{ "unlink", INT, { { "pathname", STRING } } },
	{ "unsetenv", INT, { { "name", STRING } } },
	{ "usleep", INT, { { "usec", UINT } } },
	{ "write", SSIZE, { { "fd", INT }, { "buf", POINTER }, { "count", SIZE } } },
};

static int by_name(const void *name, const void *row)
{
	return strcmp(name, ((const struct prototype *)row)->name);
}

const struct prototype *prototype_find(const char *name)
{
	return bsearch(name, prototypes, ARRAY_SIZE(prototypes), sizeof(prototypes[0]), by_name);
}
