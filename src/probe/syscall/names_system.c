/* names_system: clocks, timers and io_uring. Values: uapi/linux/{time,io_uring}.h. */
#include "probe/syscall/decode.h"

static const struct name_row clock_rows[] = {
	NAME_AS(0, "CLOCK_REALTIME"), NAME_AS(1, "CLOCK_MONOTONIC"), NAME_AS(2, "CLOCK_PROCESS_CPUTIME_ID"),
	NAME_AS(3, "CLOCK_THREAD_CPUTIME_ID"), NAME_AS(4, "CLOCK_MONOTONIC_RAW"), NAME_AS(5, "CLOCK_REALTIME_COARSE"),
	NAME_AS(6, "CLOCK_MONOTONIC_COARSE"), NAME_AS(7, "CLOCK_BOOTTIME"), NAME_AS(8, "CLOCK_REALTIME_ALARM"),
	NAME_AS(9, "CLOCK_BOOTTIME_ALARM"), NAME_AS(10, "CLOCK_SGI_CYCLE"), NAME_AS(11, "CLOCK_TAI"),
};
ENUM_TYPE(clock, "CLOCK_???");

static const struct name_row timer_flags_rows[] = { FLAG_AS(1, "TIMER_ABSTIME") };
FLAG_TYPE(timer_flags, "TIMER_???");

static const struct name_row itimer_rows[] = { NAME_AS(0, "ITIMER_REAL"), NAME_AS(1, "ITIMER_VIRTUAL"), NAME_AS(2, "ITIMER_PROF") };
ENUM_TYPE(itimer, "ITIMER_???");

static const struct name_row io_uring_enter_flags_rows[] = {
	FLAG_AS(1, "IORING_ENTER_GETEVENTS"), FLAG_AS(2, "IORING_ENTER_SQ_WAKEUP"), FLAG_AS(4, "IORING_ENTER_SQ_WAIT"),
	FLAG_AS(8, "IORING_ENTER_EXT_ARG"), FLAG_AS(16, "IORING_ENTER_REGISTERED_RING"),
};
FLAG_TYPE(io_uring_enter_flags, "IORING_ENTER_???");
