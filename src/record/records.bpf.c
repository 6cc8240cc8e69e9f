/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * records: no program, only the types of all records. Their BTF is the layout that every recording carries: struct
 * record_types has a member for each record type, named r and the type in four hexadecimal digits. Another record type is
 * one more line.
 */
#include <linux/types.h>

#include "bpf/record.abi.h"
#include "engine/fact.abi.h"
#include "probe/func/fact.abi.h"
#include "probe/func/func.abi.h"
#include "probe/sock/sock.abi.h"
#include "probe/syscall/syscall.abi.h"
#include "probe/task/task.abi.h"
#include "probe/tls/tls.abi.h"
#include "span/request.abi.h"

/* A record that is only its head. */
struct bare_rec {
	struct rec_head head;
};

struct record_types {
	struct task_rec r0101;        /* TASK_FORK */
	struct task_rec r0102;        /* TASK_EXEC */
	struct task_rec r0103;        /* TASK_EXIT */
	struct task_rec r0104;        /* TASK_MAP */
	struct task_rec r0105;        /* TASK_RENAME */
	struct task_rec r0106;        /* TASK_MOVE */
	struct bare_rec r0201;        /* RUN_TICK */
	struct run_loss_rec r0202;    /* RUN_LOSS */
	struct bare_rec r0203;        /* RUN_CUT */
	struct run_clock_rec r0280;   /* RUN_CLOCK */
	struct run_process_rec r0281; /* RUN_PROCESS */
	struct bare_rec r0282;        /* RUN_PROCESS_END */
	struct run_note_rec r0283;    /* RUN_NOTE */
	struct run_account_rec r0284; /* RUN_ACCOUNT */
	struct run_thread_rec r0285;  /* RUN_THREAD */
	struct func_call_rec r0301;   /* FUNC_CALL */
	struct func_point_rec r0302;  /* FUNC_POINT */
	struct func_stat_rec r0303;   /* FUNC_STAT */
	struct func_probe_fact r0380; /* FUNC_PROBE_FACT */
	struct syscall_rec r0401;     /* REC_SYSCALL_CALL */
	struct syscall_stat_rec r0402; /* REC_SYSCALL_STAT */
	struct sock_conn_rec r0581;   /* SOCK_CONN */
	struct sock_data_rec r0502;   /* SOCK_DATA */
	struct sock_close_rec r0503;  /* SOCK_CLOSE */
	struct sock_ended_rec r0504;  /* SOCK_ENDED */
	struct request_rec r0601;     /* REQUEST_DONE */
	struct tls_data_rec r0701;    /* TLS_DATA */
	struct tls_session_rec r0782; /* TLS_SESSION */
};

struct record_types record_types; /* of no memory: only its type is kept */
