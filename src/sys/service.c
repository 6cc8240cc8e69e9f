#include "sys/service.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "sys/proc.h"

#define WORDS_BYTES 4096       /* of a command line that are looked at */
#define ENVIRONMENT_BYTES (128 * 1024)
#define NAME_BYTES_MAX 128

/* Who runs a script, and which of its options have a word behind them. */
static const struct interpreter {
	const char *name;
	const char *with_value; /* "-W -X" */
	const char *module;     /* the word behind it is what is run */
	const char *code;       /* a program on the command line: it has no name */
} interpreters[] = {
	{ "python", " -W -X --check-hash-based-pycs ", " -m ", " -c " },
	{ "pypy", " -W -X ", " -m ", " -c " },
	{ "node", " -r --require --import --loader --experimental-loader -C --conditions ", "", " -e --eval -p --print " },
	{ "ruby", " -I -r -C -E -K ", "", " -e " },
	{ "perl", " -I -M -m ", "", " -e -E " },
	{ "php", " -c -d -z -t -S ", " -f ", " -r " },
	{ "java", " -cp -classpath --class-path -p --module-path --add-modules --add-opens --add-exports ", " -jar -m --module ", "" },
	{ "bash", " -O -o ", "", " -c " },
	{ "dash", " -o ", "", " -c " },
	{ "sh", " -o ", "", " -c " },
};

/* Units that start whatever others ask for: their name says nothing of it. */
static const char *const starters[] = { "cron", "crond", "atd", "ssh", "sshd", "docker", "containerd", "crio", "kubelet", "supervisor", "init" };

static struct slice base_of(struct slice path)
{
	const char *slash = path.len ? memrchr(path.data, '/', path.len) : NULL;
	return slash ? (struct slice){ slash + 1, (size_t)(path.data + path.len - slash - 1) } : path;
}

static struct slice folder_of(struct slice path)
{
	const char *slash = path.len ? memrchr(path.data, '/', path.len) : NULL;
	return slash ? (struct slice){ path.data, (size_t)(slash - path.data) } : (struct slice){};
}

/* "python3.11" is python. */
static const struct interpreter *interpreter_of(struct slice exe)
{
	struct slice name = base_of(exe);
	while (name.len && (isdigit((unsigned char)name.data[name.len - 1]) || name.data[name.len - 1] == '.'))
		name.len--;
	for (size_t i = 0; i < ARRAY_SIZE(interpreters); i++)
		if (slice_eq_str(name, interpreters[i].name))
			return &interpreters[i];
	return NULL;
}

static bool is_among(const char *list, struct slice word)
{
	char padded[64];
	if (word.len > sizeof(padded) - 3)
		return false;
	snprintf(padded, sizeof(padded), " %.*s ", (int)word.len, word.data);
	return strstr(list, padded) != NULL;
}

static struct slice take_word(struct slice *words)
{
	size_t len = strnlen(words->data, words->len);
	struct slice word = { words->data, len };
	size_t step = MIN(len + 1, words->len);
	*words = (struct slice){ words->data + step, words->len - step };
	return word;
}

static bool has_suffix(struct slice s, const char *suffix)
{
	size_t len = strlen(suffix);
	return s.len > len && memcmp(s.data + s.len - len, suffix, len) == 0;
}

/* shop.py is shop; /srv/shop/index.js as well, which says only what it is within shop. */
static struct slice name_of_script(struct slice path)
{
	static const char *const suffixes[] = { ".py", ".pyc", ".js", ".mjs", ".cjs", ".ts", ".rb", ".pl", ".php", ".sh", ".jar", ".war" };
	static const char *const empty[] = { "index", "main", "__main__" };
	struct slice name = base_of(path);
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (has_suffix(name, suffixes[i])) {
			name.len -= strlen(suffixes[i]);
			break;
		}
	for (size_t i = 0; i < ARRAY_SIZE(empty); i++)
		if (slice_eq_str(name, empty[i]) && base_of(folder_of(path)).len)
			return base_of(folder_of(path));
	return name;
}

/* "org.example.shop.Server", "shop/org.example.Server" */
static struct slice name_of_class(struct slice word)
{
	const char *dot = memrchr(word.data, '.', word.len);
	return dot ? (struct slice){ dot + 1, (size_t)(word.data + word.len - dot - 1) } : word;
}

static struct slice name_of_program(const struct interpreter *in, struct slice option, struct slice word)
{
	bool is_java = streq(in->name, "java");
	if (is_java && !slice_eq_str(option, "-jar"))
		return name_of_class(word);
	if (!is_java && option.len && !streq(in->name, "php")) { /* python -m package.module */
		const char *dot = memchr(word.data, '.', word.len);
		return dot ? (struct slice){ word.data, (size_t)(dot - word.data) } : word;
	}
	return name_of_script(word);
}

/* "gunicorn: worker [shop]": a process that has renamed itself has one word. */
static struct slice name_of_title(struct slice words)
{
	const char *colon = memmem(words.data, words.len, ": ", 2);
	struct slice title = { words.data, colon ? (size_t)(colon - words.data) : 0 };
	return memchr(title.data, '\0', title.len) || memchr(title.data, ' ', title.len) ? (struct slice){} : base_of(title);
}

static struct slice of_interpreter(const struct interpreter *in, struct slice words)
{
	struct slice option = {};
	if (!words.data || !words.len)
		return (struct slice){};
	struct slice title = name_of_title(words);
	if (title.len)
		return title;
	for (take_word(&words); words.len;) {
		struct slice word = take_word(&words);
		if (is_among(in->code, word))
			break;
		if (is_among(in->with_value, word))
			take_word(&words);
		else if (is_among(in->module, word))
			return words.len ? name_of_program(in, word, take_word(&words)) : (struct slice){};
		else if (word.len && word.data[0] != '-' && word.data[0] != '@')
			return name_of_program(in, option, word);
	}
	return (struct slice){};
}

/* "/system.slice/shop@2.service" is shop. Units of a user's own manager are sessions and desktops: only system ones are services. */
static struct slice of_unit(struct slice cgroup)
{
	struct slice name = base_of(cgroup);
	if (!has_suffix(name, ".service") || memmem(cgroup.data, cgroup.len, "/user.slice/", 12))
		return (struct slice){};
	name.len -= strlen(".service");
	const char *at = memchr(name.data, '@', name.len);
	name.len = at ? (size_t)(at - name.data) : name.len;
	for (size_t i = 0; i < ARRAY_SIZE(starters); i++)
		if (slice_eq_str(name, starters[i]))
			return (struct slice){};
	return name.len > 8 && memcmp(name.data, "systemd-", 8) == 0 ? (struct slice){} : name;
}

void service_choose(struct strbuf *out, const struct service_facts *f)
{
	const struct interpreter *in = interpreter_of(f->exe);
	struct slice names[] = { f->declared, of_unit(f->cgroup), in ? of_interpreter(in, f->words) : (struct slice){}, base_of(f->exe), f->comm };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!names[i].len)
			continue;
		strbuf_add(out, names[i].data, MIN(names[i].len, (size_t)NAME_BYTES_MAX));
		return;
	}
}

/* The beginning of a file of the process. */
static struct slice read_file(pid_t pid, const char *name, char *to, size_t size)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	_cleanup_(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n, len = 0;
	while (fd >= 0 && (size_t)len < size && (n = read(fd, to + len, size - (size_t)len)) > 0)
		len += n;
	return (struct slice){ to, (size_t)len };
}

/* One variable alone is looked for: the rest of an environment is nobody's business. */
static struct slice declared_in(struct slice environment)
{
	static const char name[] = "OTEL_SERVICE_NAME=";
	while (environment.len) {
		struct slice word = take_word(&environment);
		if (word.len > sizeof(name) - 1 && memcmp(word.data, name, sizeof(name) - 1) == 0)
			return (struct slice){ word.data + sizeof(name) - 1, word.len - (sizeof(name) - 1) };
	}
	return (struct slice){};
}

void service_name(struct strbuf *out, pid_t pid, const char *exe, const char *comm)
{
	_cleanup_(free) char *environment = xmalloc(ENVIRONMENT_BYTES);
	char words[WORDS_BYTES], cgroup[4096], own[4096];
	bool in_cgroup = proc_cgroup(pid, cgroup, sizeof(cgroup)) == 0;
	bool as_we = in_cgroup && proc_cgroup(getpid(), own, sizeof(own)) == 0 && streq(cgroup, own);
	struct service_facts f = {
		.declared = declared_in(read_file(pid, "environ", environment, ENVIRONMENT_BYTES)),
		.cgroup = in_cgroup && !as_we ? slice_of(cgroup) : (struct slice){},
		.exe = slice_of(exe), .words = read_file(pid, "cmdline", words, sizeof(words)), .comm = slice_of(comm),
	};
	service_choose(out, &f);
}
