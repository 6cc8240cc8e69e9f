#include "engine/held.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/hashmap.h"
#include "base/log.h"
#include "engine/processes.h"

struct held {
	const struct held_ops *ops;
	void *arg;
	pid_t pid;
	bool ended, released, stopped;
	bool alone; /* the kernel knows of no process under our hand any more */
	int status;
	struct hashmap threads; /* tid → its process, as a number */
};

/* Tells the parent why exec failed; a successful exec closes the pipe. */
static void child_run(const struct held_command *command, int go, int failed)
{
	char c;
	if (read(go, &c, 1) != 1)
		_exit(127);
	setrlimit(RLIMIT_NOFILE, &command->files);
	sigaction(SIGPIPE, &command->on_pipe, NULL);
	sigprocmask(SIG_SETMASK, &command->mask, NULL);
	execvp(command->argv[0], command->argv);
	int error = errno;
	if (write(failed, &error, sizeof(error)) < 0)
		_exit(127);
	_exit(error == ENOENT ? 127 : 126);
}

static long options_of(bool follow)
{
	long options = PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE;
	return follow ? options | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK : options;
}

/* Runs the child up to the stop after its exec. */
static int wait_for_exec(struct held *h, int failed, const char *file, struct reason *why)
{
	for (;;) {
		int status;
		if (waitpid(h->pid, &status, __WALL) < 0)
			return reason_set(why, -errno, "'%s' could not be started: %s", file, strerror(errno));
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			int error = EIO;
			if (read(failed, &error, sizeof(error)) != sizeof(error))
				error = EIO;
			h->ended = true;
			return reason_set(why, error == ENOENT ? -ENOENT : -EACCES, "'%s' cannot be executed: %s", file, strerror(error));
		}
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8))
			return 0;
		ptrace(PTRACE_CONT, h->pid, 0, WIFSTOPPED(status) && status >> 16 == 0 ? WSTOPSIG(status) : 0);
	}
}

int held_start(struct held **ret, const struct held_command *command, const struct held_ops *ops, void *arg, struct reason *why)
{
	const char *file = command->argv[0];
	_cleanup_(held_free) struct held *h = xcalloc(1, sizeof(*h));
	int go[2], failed[2];
	if (pipe2(go, O_CLOEXEC) < 0 || pipe2(failed, O_CLOEXEC) < 0)
		return reason_set(why, -errno, "no pipe: %s", strerror(errno));
	*h = (struct held){ .ops = ops, .arg = arg };
	h->pid = fork();
	if (h->pid < 0)
		return reason_set(why, -errno, "no process for '%s': %s", file, strerror(errno));
	if (h->pid == 0)
		child_run(command, go[0], failed[1]);
	close(go[0]);
	close(failed[1]);
	int r = 0;
	if (ptrace(PTRACE_SEIZE, h->pid, 0, options_of(command->follow)) < 0) {
		r = reason_set(why, -errno, "'%s' cannot be held at its start (ptrace: %s); start it yourself and use -p", file, strerror(errno));
		kill(h->pid, SIGKILL);
	} else if (write(go[1], "", 1) != 1) {
		r = -errno;
	} else {
		r = wait_for_exec(h, failed[0], file, why);
	}
	close(go[1]);
	close(failed[0]);
	if (r < 0)
		return r;
	hashmap_put(&h->threads, (uint64_t)h->pid, (void *)(uintptr_t)h->pid);
	*ret = take_ptr(h);
	return 0;
}

void held_free(struct held *h)
{
	if (!h)
		return;
	if (h->pid > 0 && !h->ended && !h->released)
		kill(h->pid, SIGKILL); /* it never began */
	hashmap_done(&h->threads);
	free(h);
}

pid_t held_pid(const struct held *h)
{
	return h->pid;
}

bool held_has(const struct held *h, pid_t pid)
{
	return hashmap_get(&h->threads, (uint64_t)pid) != NULL;
}

void held_release(struct held *h)
{
	h->released = true;
	ptrace(PTRACE_CONT, h->pid, 0, 0);
}

bool held_ended(const struct held *h, int *ret_status)
{
	if (h->ended)
		*ret_status = h->status;
	return h->ended;
}

bool held_alone(const struct held *h)
{
	return h->alone;
}

bool held_stopped(const struct held *h)
{
	return h->stopped && !h->ended;
}

void held_kill(struct held *h, int sig)
{
	if (!h->ended)
		kill(h->pid, sig);
}

static pid_t known_process(struct held *h, pid_t tid, bool *ret_new)
{
	pid_t pid = (pid_t)(uintptr_t)hashmap_get(&h->threads, (uint64_t)tid);
	*ret_new = pid == 0;
	if (pid == 0) {
		pid = processes_of_thread(tid);
		hashmap_put(&h->threads, (uint64_t)tid, (void *)(uintptr_t)pid);
	}
	return pid;
}

/* After exec from a thread that was not the first, the first one's number is its own; its former number is free. */
static void on_exec(struct held *h, pid_t tid)
{
	unsigned long former = 0;
	bool by_thread = ptrace(PTRACE_GETEVENTMSG, tid, 0, &former) == 0 && (pid_t)former != tid;
	if (by_thread)
		hashmap_remove(&h->threads, former);
	h->ops->changed(h->arg, tid, by_thread ? HELD_EXEC_BY_THREAD : HELD_EXEC);
}

/* A signal is about to be delivered: to the thread, unless our kernel half sent it. */
static int on_signal(struct held *h, pid_t pid, pid_t tid, int sig)
{
	if ((sig != SIGURG && sig != SIGSTOP) || !h->ops->is_ours(h->arg, tid))
		return sig;
	h->ops->changed(h->arg, pid, HELD_MAP);
	return 0;
}

static bool is_job_stop(int sig)
{
	return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

/* A thread stopped: tell, and let it run on as the kind of stop demands. */
static void on_stop(struct held *h, pid_t tid, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16;
	bool is_new;
	pid_t pid = known_process(h, tid, &is_new);
	if (is_new && pid == tid)
		h->ops->changed(h->arg, pid, HELD_FORK);
	if (tid == h->pid)
		h->stopped = event == PTRACE_EVENT_STOP && is_job_stop(sig);
	if (event == PTRACE_EVENT_STOP && is_job_stop(sig)) {
		ptrace(PTRACE_LISTEN, tid, 0, 0); /* stopped for its own reasons: stay so until SIGCONT */
		return;
	}
	if (event == PTRACE_EVENT_EXEC)
		on_exec(h, tid);
	ptrace(PTRACE_CONT, tid, 0, event ? 0 : on_signal(h, pid, tid, sig));
}

static void on_end(struct held *h, pid_t tid, int status)
{
	bool whole = (pid_t)(uintptr_t)hashmap_remove(&h->threads, (uint64_t)tid) == tid;
	if (tid == h->pid) {
		h->ended = true;
		h->status = status;
	}
	if (whole)
		h->ops->changed(h->arg, tid, HELD_END);
}

/* Stops that follow each other quickly (a program that lives by signals) must not keep us from the rings. */
#define STOPS_A_ROUND 64

bool held_dispatch(struct held *h)
{
	for (int i = 0; i < STOPS_A_ROUND; i++) {
		int status;
		pid_t tid = waitpid(-1, &status, __WALL | WNOHANG);
		if (tid <= 0) {
			h->alone = tid < 0 && errno == ECHILD;
			return false;
		}
		if (WIFSTOPPED(status))
			on_stop(h, tid, status);
		else
			on_end(h, tid, status);
	}
	return true;
}
