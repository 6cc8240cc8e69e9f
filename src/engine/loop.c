#include "engine/loop.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macro.h"
#include "engine/fact.h"
#include "engine/follow.h"
#include "engine/held.h"
#include "engine/pipeline.h"
#include "engine/recording.h"
#include "engine/retire.h"
#include "engine/ring.h"
#include "priv/loader.h"

#define LOOK_NS (50 * NSEC_PER_MSEC)  /* at the rings, when they have not woken us: kernel halves wake only at 256 KiB */
#define LOOKS_A_DRAIN 5

void loop_consume(struct engine *e, bool last)
{
	if (!e->events)
		return;
	e->more_records = ring_consume(e->facts, last) || ring_consume(e->events, last);
	arena_reset(&e->arena);
	processes_sweep(&e->processes);
}

int loop_watch(struct engine *e, int fd, enum wake what)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = what };
	return epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

/* Each process that is followed takes a few descriptors. */
static void raise_limit_of_files(struct engine *e)
{
	getrlimit(RLIMIT_NOFILE, &e->files);
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){ e->files.rlim_max, e->files.rlim_max });
}

int loop_open(struct engine *e)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	if (e->recording && recording_wants_signal(e->recording))
		sigaddset(&set, SIGUSR2);
	if (engine_options(e)->command) {
		sigaddset(&set, SIGQUIT); /* of the terminal's: for the command, as Ctrl-C */
		sigaddset(&set, SIGTSTP);
	}
	sigprocmask(SIG_BLOCK, &set, &e->mask);
	sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, &e->on_pipe);
	raise_limit_of_files(e);
	e->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	e->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	e->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (e->epoll_fd < 0 || e->signal_fd < 0 || e->timer_fd < 0)
		return -errno;
	struct itimerspec every = { .it_interval.tv_nsec = LOOK_NS, .it_value.tv_nsec = LOOK_NS };
	timerfd_settime(e->timer_fd, 0, &every, NULL);
	int r = loop_watch(e, e->signal_fd, WAKE_SIGNAL);
	return r < 0 ? r : loop_watch(e, e->timer_fd, WAKE_TIMER);
}

static void drain(struct engine *e, bool last)
{
	for (size_t i = 0; i < e->n_families; i++) {
		struct family *f = &e->families[i];
		if (!f->off && f->ops->drain)
			f->ops->drain(e, f->state, last);
	}
	arena_reset(&e->arena);
}

/* Facts that found no room may have told of an end: nobody else would, and the run would wait for the dead. */
static void find_the_dead(struct engine *e)
{
	uint64_t lost = account_lost_facts(loader_map(e->loader, "losses"));
	if (lost == e->lost_facts)
		return;
	e->lost_facts = lost;
	for (struct target_process *p = e->processes.first; p; p = p->next)
		if (!p->ended && !p->process.held && !proc_alive(p->process.pid))
			follow_end(e, p);
}

static void on_timer(struct engine *e)
{
	uint64_t ticks;
	if (read(e->timer_fd, &ticks, sizeof(ticks)) < 0)
		return;
	loop_consume(e, false);
	if (++e->looks % LOOKS_A_DRAIN)
		return;
	drain(e, false);
	find_the_dead(e);
	fact_clock(e);
	if (e->recording) {
		fact_account(e, false);
		recording_tick(e);
	}
	fact_tick(e);
}

/* We stop as a job when the command has: had we stopped first, it would have waited for us to let it. */
static void dispatch_held(struct engine *e)
{
	e->more_held = e->held && held_dispatch(e->held);
	if (!e->suspend || !held_stopped(e->held))
		return;
	e->suspend = false;
	raise(SIGSTOP);
}

/*
 * Asked to end: the command is asked, and its end ends us; a second time, or without a command, we end at once. What the
 * terminal sends (its si_code is the kernel's) goes to the command by itself.
 */
static void on_end_asked(struct engine *e, const struct signalfd_siginfo *info)
{
	bool first = e->signal == 0;
	e->signal = (int)info->ssi_signo;
	if (e->held && first) {
		if (info->ssi_code != SI_KERNEL)
			held_kill(e->held, e->signal);
		return;
	}
	e->stopping = true;
	e->abandoned = true;
}

static void on_signal(struct engine *e)
{
	struct signalfd_siginfo info;
	while (read(e->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD) {
			e->more_held = true;
		} else if (info.ssi_signo == SIGUSR2) {
			loop_consume(e, true); /* what happened before the signal belongs to it */
			recording_trigger(e);
		} else if (info.ssi_signo == SIGTSTP) {
			e->suspend = true;
			if (info.ssi_code != SI_KERNEL)
				held_kill(e->held, SIGTSTP);
		} else {
			on_end_asked(e, &info);
		}
	}
}

static bool command_ended(const struct engine *e)
{
	int status;
	return e->held && held_ended(e->held, &status);
}

/* Has everything that could still bring an event ended? */
static bool nothing_left(const struct engine *e)
{
	if (e->held)
		return command_ended(e) && (engine_options(e)->no_follow || (held_alone(e->held) && e->processes.n == 0));
	return e->processes.n == 0 && !e->targets.picks_up && !e->job->without_targets;
}

/* --limit or --duration: probes go. Without a command the run ends; with one, it runs on. */
static void take_probes_away(struct engine *e)
{
	if (e->detached)
		return;
	e->detached = true;
	for (size_t i = 0; i < e->n_families; i++) {
		struct family *f = &e->families[i];
		if (!f->off && f->ops->detach)
			f->ops->detach(e, f->state);
	}
	retire_wait(e->retire);
}

static bool time_is_up(const struct engine *e)
{
	uint64_t duration_ns = engine_options(e)->duration_ns;
	return duration_ns && clock_monotonic_ns() - e->started_ns >= duration_ns;
}

static void run(struct engine *e)
{
	while (!e->abandoned) {
		if (nothing_left(e))
			break;
		if (e->stopping || e->limit_reached || time_is_up(e)) {
			take_probes_away(e);
			if (!e->held || command_ended(e))
				break;
		}
		struct epoll_event ready[8];
		if (e->more_held)
			dispatch_held(e);
		if (e->more_records)
			loop_consume(e, false);
		int n = epoll_wait(e->epoll_fd, ready, ARRAY_SIZE(ready), e->more_held || e->more_records ? 0 : -1);
		for (int i = 0; i < n; i++) {
			if (ready[i].data.u32 == WAKE_TIMER)
				on_timer(e);
			else if (ready[i].data.u32 == WAKE_SIGNAL)
				on_signal(e);
			else
				loop_consume(e, false);
		}
	}
}

/* What is still on its way is shown; then maps are read for the last time and the account is closed. */
void loop_run(struct engine *e)
{
	run(e);
	take_probes_away(e);
	loop_consume(e, true);
	drain(e, true);
	fact_account(e, true);
	pipeline_finish(e);
}

/* What is asked for, before the kernel or a process is. */

void loop_close(struct engine *e)
{
	for (size_t i = 0; i < 3; i++) {
		int fd = (int[]){ e->epoll_fd, e->signal_fd, e->timer_fd }[i];
		if (fd > 0)
			close(fd);
	}
}
