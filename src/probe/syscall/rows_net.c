/* rows_net: sockets, and waiting for many descriptors. One row a call; names are those of the manual pages. */
#include "probe/syscall/decode.h"

ROW(socket, RESULT_FD, { "domain", &type_address_family }, { "type", &type_socket_type },
	{ "protocol", &type_socket_protocol });
ROW(accept, RESULT_FD, { "sockfd", &type_fd }, { "addr", &type_sockaddr_out }, { "addrlen", &type_socklen_ptr });
ROW(accept4, RESULT_FD, { "sockfd", &type_fd }, { "addr", &type_sockaddr_out }, { "addrlen", &type_socklen_ptr },
	{ "flags", &type_socket_flags });
ROW(epoll_create, RESULT_FD, { "size", &type_int });
ROW(epoll_create1, RESULT_FD, { "flags", &type_epoll_create_flags });
ROW(eventfd, RESULT_FD, { "count", &type_uint });
ROW(eventfd2, RESULT_FD, { "count", &type_uint }, { "flags", &type_eventfd_flags });
ROW(signalfd, RESULT_FD, { "fd", &type_fd }, { "mask", &type_signalfd_set }, { "sizemask", &type_size });
ROW(signalfd4, RESULT_FD, { "fd", &type_fd }, { "mask", &type_signalfd_set }, { "sizemask", &type_size },
	{ "flags", &type_signalfd_flags });
ROW(timerfd_create, RESULT_FD, { "clockid", &type_clock }, { "flags", &type_timerfd_flags });
ROW(socketpair, RESULT_INT, { "domain", &type_address_family }, { "type", &type_socket_type },
	{ "protocol", &type_socket_protocol }, { "sv", &type_fd_pair });
ROW(connect, RESULT_INT, { "sockfd", &type_fd }, { "addr", &type_sockaddr_in }, { "addrlen", &type_uint });
ROW(bind, RESULT_INT, { "sockfd", &type_fd }, { "addr", &type_sockaddr_in }, { "addrlen", &type_uint });
ROW(listen, RESULT_INT, { "sockfd", &type_fd }, { "backlog", &type_int });
ROW(getsockname, RESULT_INT, { "sockfd", &type_fd }, { "addr", &type_sockaddr_out }, { "addrlen", &type_socklen_ptr });
ROW(getpeername, RESULT_INT, { "sockfd", &type_fd }, { "addr", &type_sockaddr_out }, { "addrlen", &type_socklen_ptr });
ROW(shutdown, RESULT_INT, { "sockfd", &type_fd }, { "how", &type_shutdown_how });
ROW(setsockopt, RESULT_INT, { "sockfd", &type_fd }, { "level", &type_sockopt_level }, { "optname", &type_sockopt_name },
	{ "optval", &type_sockopt_in }, { "optlen", &type_int });
ROW(getsockopt, RESULT_INT, { "sockfd", &type_fd }, { "level", &type_sockopt_level }, { "optname", &type_sockopt_name },
	{ "optval", &type_sockopt_out }, { "optlen", &type_socklen_ptr });
ROW(sendto, RESULT_INT, { "sockfd", &type_fd }, { "buf", &type_bytes_in }, { "len", &type_size },
	{ "flags", &type_message_flags }, { "dest_addr", &type_sockaddr_in }, { "addrlen", &type_uint });
ROW(recvfrom, RESULT_INT, { "sockfd", &type_fd }, { "buf", &type_bytes_out }, { "len", &type_size },
	{ "flags", &type_message_flags }, { "src_addr", &type_sockaddr_out }, { "addrlen", &type_socklen_ptr });
ROW(sendmsg, RESULT_INT, { "sockfd", &type_fd }, { "msg", &type_message_in }, { "flags", &type_message_flags });
ROW(recvmsg, RESULT_INT, { "sockfd", &type_fd }, { "msg", &type_message_out }, { "flags", &type_message_flags });
ROW(sendmmsg, RESULT_INT, { "sockfd", &type_fd }, { "msgvec", &type_messages_in }, { "vlen", &type_uint },
	{ "flags", &type_message_flags });
ROW(recvmmsg, RESULT_INT, { "sockfd", &type_fd }, { "msgvec", &type_messages_out }, { "vlen", &type_uint },
	{ "flags", &type_message_flags }, { "timeout", &type_timespec_in });
ROW(poll, RESULT_INT, { "fds", &type_pollfds }, { "nfds", &type_uint }, { "timeout", &type_int });
ROW(ppoll, RESULT_INT, { "fds", &type_pollfds }, { "nfds", &type_uint }, { "tmo_p", &type_poll_timeout },
	{ "sigmask", &type_sigset_in }, { "sigsetsize", &type_size });
ROW(select, RESULT_INT, { "nfds", &type_int }, { "readfds", &type_fd_set }, { "writefds", &type_fd_set },
	{ "exceptfds", &type_fd_set }, { "timeout", &type_select_timeout });
ROW(pselect6, RESULT_INT, { "nfds", &type_int }, { "readfds", &type_fd_set }, { "writefds", &type_fd_set },
	{ "exceptfds", &type_fd_set }, { "timeout", &type_poll_timeout }, { "sigmask", &type_pselect_mask });
ROW(epoll_ctl, RESULT_INT, { "epfd", &type_fd }, { "op", &type_epoll_op }, { "fd", &type_fd }, { "event", &type_epoll_event });
ROW(epoll_wait, RESULT_INT, { "epfd", &type_fd }, { "events", &type_epoll_events }, { "maxevents", &type_int },
	{ "timeout", &type_int });
ROW(epoll_pwait, RESULT_INT, { "epfd", &type_fd }, { "events", &type_epoll_events }, { "maxevents", &type_int },
	{ "timeout", &type_int }, { "sigmask", &type_sigset_in }, { "sigsetsize", &type_size });
ROW(epoll_pwait2, RESULT_INT, { "epfd", &type_fd }, { "events", &type_epoll_events }, { "maxevents", &type_int },
	{ "timeout", &type_timespec_in }, { "sigmask", &type_sigset_in }, { "sigsetsize", &type_size });
ROW(epoll_ctl_old, RESULT_INT, { "arg1", &type_hex }, { "arg2", &type_hex }, { "arg3", &type_hex }, { "arg4", &type_hex });
ROW(epoll_wait_old, RESULT_INT, { "arg1", &type_hex }, { "arg2", &type_hex }, { "arg3", &type_hex }, { "arg4", &type_hex });
ROW(timerfd_settime, RESULT_INT, { "fd", &type_fd }, { "flags", &type_timerfd_flags }, { "new_value", &type_itimerspec_in },
	{ "old_value", &type_itimerspec_out });
ROW(timerfd_gettime, RESULT_INT, { "fd", &type_fd }, { "curr_value", &type_itimerspec_out });
