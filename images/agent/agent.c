/*
 * The agent: drives the sockets of the TCP implementation below it on behalf of lastack, over the protocol of
 * docs/agent-protocol.md. It decides nothing and judges nothing; it does what it is asked and tells what
 * happened.
 *
 * One thread and one poll(2) loop, for where it mostly runs (a guest kernel in virtual time) system calls are
 * what costs: a round takes all requests that have come, answers what can be answered, and sends all answers
 * in one call.
 *
 * Portable to whatever has BSD sockets; what only Linux has (namespaces, netlink, raw frames, being a guest's
 * first process) is set apart by #ifdef and answered elsewhere with "unsupported".
 */
#ifdef __linux__
#define _GNU_SOURCE
#else
#define _DARWIN_C_SOURCE
#endif

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#endif

/* ---- The protocol's numbers (docs/agent-protocol.md) ---- */

enum {
	LOWEST_VERSION = 1,
	HIGHEST_VERSION = 1,
	LENGTH_OCTETS = 4,
	HEADER_OCTETS = 12,
	MESSAGE_MOST = 262144,
	REPLY_BIT = 0x8000,
	EVENT_TYPE = 0xffff,
};

enum status { SUCCESS, STACK_ERROR, UNSUPPORTED, CANCELLED, BAD_REQUEST };

enum request_type {
	HELLO = 1,
	SOCKET,
	BIND,
	LISTEN,
	CONNECT,
	ESTABLISHED,
	ACCEPT,
	SEND,
	RECEIVE,
	SHUTDOWN,
	CLOSE,
	ABORT,
	SET_OPTION,
	GET_OPTION,
	INFO,
	QUEUES,
	AT_MARK,
	ERROR,
	POLL,
	WATCH,
	CANCEL,
	SOCKETS,
	NAMESPACE_NEW = 32,
	NAMESPACE_FREE,
	NETLINK,
	OPEN,
	READ,
	WRITE,
	CLOSE_FILE,
	REQUEST_TYPES,
};

enum capability {
	HAS_NAMESPACES = 1,
	HAS_NETLINK = 2,
	HAS_FILES = 4,
	HAS_TCP_INFO = 8,
	HAS_STATE_EVENT = 32,
};
enum { FLAG_OOB = 1, FLAG_PEEK = 2, FLAG_DONTWAIT = 4, FLAG_MORE = 8 };
enum { FILE_READ = 1, FILE_WRITE = 2, FILE_CREATE = 4, FILE_TRUNCATE = 8 };
enum { VALUE_ANY, VALUE_NUMBER, VALUE_TEXT, VALUE_OCTETS };
enum { IS_READABLE = 1, IS_WRITABLE = 2, IS_URGENT = 4, IS_PEER_CLOSED = 8, IS_HUNG_UP = 16, IS_ERROR = 32 };
enum event { EVENT_ACCEPTABLE = 1, EVENT_READABLE, EVENT_END, EVENT_ERROR, EVENT_STATE };
#define BIT(event) (1u << ((event) - 1))

enum state {
	STATE_UNKNOWN,
	STATE_CLOSED,
	STATE_LISTEN,
	STATE_SYN_SENT,
	STATE_SYN_RECEIVED,
	STATE_ESTABLISHED,
	STATE_FIN_WAIT_1,
	STATE_FIN_WAIT_2,
	STATE_CLOSE_WAIT,
	STATE_CLOSING,
	STATE_LAST_ACK,
	STATE_TIME_WAIT,
};

/* ---- Limits: nothing grows without bound, whatever the other side sends ---- */

enum {
	SOCKETS_MOST = 60000,
	NAMESPACES_MOST = 4096,
	FILES_MOST = 1024,
	WAITING_MOST = 65536,
	WAITING_OCTETS_MOST = 16 << 20,
	LINGERING_MOST = 64,
	/* Chunks of one READ: small reads of an endless file must end some time. */
	CHUNKS_MOST = 4096,
	OPTION_OCTETS = 4096,
	PATH_MOST = 4096,
	DESCRIPTORS_WANTED = 65536,
	/* Room for the transport, the lingering children and some sockets; more is made when there are more. */
	POLLED_FIRST = 2 + LINGERING_MOST + 62,
	/* Of frames taken or sent in one call. */
	FRAMES_AT_ONCE = 8,
	FRAME_OCTETS = 65536 + 64,
	STREAM_AT_ONCE = 65536,
	/* No request is begun while more than this waits to be sent. */
	OUTPUT_HIGH = 1 << 20,
	/* The longest reply of a request that is given up when its socket is closed. */
	SHORT_REPLY_OCTETS = 64,
	/* Real time for what is still to be sent when the other side will send no more. */
	FAREWELL_MS = 1000,
	/* For what no event tells the end of: the card's queue was full, or poll(2) was wrong. */
	RETRY_MS = 1,
	NETLINK_BUFFER_OCTETS = 1 << 20,
	/*
	 * What has arrived at one instant must fit, for no frame comes twice. A card may count each as its
	 * largest: about 1400 then.
	 */
	FRAMES_BUFFER_OCTETS = 24 << 20,
};

#define INPUT_OCTETS (LENGTH_OCTETS + MESSAGE_MOST + FRAMES_AT_ONCE * FRAME_OCTETS)
/* One reply of any length may follow when it is high, and with it those of all requests that wait. */
#define OUTPUT_OCTETS (OUTPUT_HIGH + LENGTH_OCTETS + MESSAGE_MOST + WAITING_MOST * SHORT_REPLY_OCTETS)

/* ---- Portability ---- */

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* SIGPIPE is ignored anyway */
#endif
#ifndef MSG_MORE
#define MSG_MORE 0
#endif
#ifndef POLLRDHUP
#define POLLRDHUP 0
#endif
#ifndef O_CLOEXEC
#define O_CLOEXEC 0
#endif

/* A fatal error of the agent itself, never of what it was asked. */
static bool is_first_process;

static void die(const char *what)
{
	char line[256];
	const char *form = errno == 0 ? "agent: %s\n" : "agent: %s: %s\n";
	int octets = snprintf(line, sizeof line, form, what, strerror(errno));
	int fd = is_first_process ? open("/dev/console", O_WRONLY | O_NOCTTY) : STDERR_FILENO;
	if (octets > (int)sizeof line - 1)
		octets = sizeof line - 1;
	if (fd >= 0 && write(fd, line, (size_t)octets) < 0) {
		/* There is nobody left to tell. */
	}
	if (!is_first_process)
		exit(1);
	/*
	 * The kernel panics when its first process ends, and the line above would be lost among what it says
	 * then.
	 */
	for (;;)
		pause();
}

/* ---- errno by name ---- */

static const struct {
	int number;
	const char *name;
} errno_names[] = {
#define NAME(name) { name, #name }
	NAME(E2BIG), NAME(EACCES), NAME(EADDRINUSE), NAME(EADDRNOTAVAIL), NAME(EAFNOSUPPORT), NAME(EAGAIN),
	NAME(EALREADY), NAME(EBADF), NAME(EBADMSG), NAME(EBUSY), NAME(ECANCELED), NAME(ECHILD),
	NAME(ECONNABORTED), NAME(ECONNREFUSED), NAME(ECONNRESET), NAME(EDEADLK), NAME(EDESTADDRREQ), NAME(EDOM),
	NAME(EDQUOT), NAME(EEXIST), NAME(EFAULT), NAME(EFBIG), NAME(EHOSTDOWN), NAME(EHOSTUNREACH), NAME(EIDRM),
	NAME(EILSEQ), NAME(EINPROGRESS), NAME(EINTR), NAME(EINVAL), NAME(EIO), NAME(EISCONN), NAME(EISDIR),
	NAME(ELOOP), NAME(EMFILE), NAME(EMLINK), NAME(EMSGSIZE), NAME(ENAMETOOLONG), NAME(ENETDOWN),
	NAME(ENETRESET), NAME(ENETUNREACH), NAME(ENFILE), NAME(ENOBUFS), NAME(ENODEV), NAME(ENOENT),
	NAME(ENOEXEC), NAME(ENOLCK), NAME(ENOMEM), NAME(ENOMSG), NAME(ENOPROTOOPT), NAME(ENOSPC), NAME(ENOSYS),
	NAME(ENOTBLK), NAME(ENOTCONN), NAME(ENOTDIR), NAME(ENOTEMPTY), NAME(ENOTSOCK), NAME(ENOTTY), NAME(ENXIO),
	NAME(EOPNOTSUPP), NAME(EOVERFLOW), NAME(EPERM), NAME(EPFNOSUPPORT), NAME(EPIPE), NAME(EPROTO),
	NAME(EPROTONOSUPPORT), NAME(EPROTOTYPE), NAME(ERANGE), NAME(EROFS), NAME(ESHUTDOWN),
	NAME(ESOCKTNOSUPPORT), NAME(ESPIPE), NAME(ESRCH), NAME(ESTALE), NAME(ETIMEDOUT), NAME(ETOOMANYREFS),
	NAME(ETXTBSY), NAME(EUSERS), NAME(EXDEV),
#ifdef __linux__
	NAME(EADV), NAME(EBADE), NAME(EBADFD), NAME(EBADR), NAME(EBADRQC), NAME(EBADSLT), NAME(EBFONT),
	NAME(ECHRNG), NAME(ECOMM), NAME(EDOTDOT), NAME(EHWPOISON), NAME(EISNAM), NAME(EKEYEXPIRED),
	NAME(EKEYREJECTED), NAME(EKEYREVOKED), NAME(EL2HLT), NAME(EL2NSYNC), NAME(EL3HLT), NAME(EL3RST),
	NAME(ELIBACC), NAME(ELIBBAD), NAME(ELIBEXEC), NAME(ELIBMAX), NAME(ELIBSCN), NAME(ELNRNG),
	NAME(EMEDIUMTYPE), NAME(EMULTIHOP), NAME(ENAVAIL), NAME(ENOANO), NAME(ENOCSI), NAME(ENODATA),
	NAME(ENOKEY), NAME(ENOLINK), NAME(ENOMEDIUM), NAME(ENONET), NAME(ENOPKG), NAME(ENOSR), NAME(ENOSTR),
	NAME(ENOTNAM), NAME(ENOTRECOVERABLE), NAME(ENOTUNIQ), NAME(EOWNERDEAD), NAME(EREMCHG), NAME(EREMOTE),
	NAME(EREMOTEIO), NAME(ERESTART), NAME(ERFKILL), NAME(ESRMNT), NAME(ESTRPIPE), NAME(ETIME), NAME(EUCLEAN),
	NAME(EUNATCH), NAME(EXFULL),
#endif
#undef NAME
};

static const char *errno_name(int number)
{
	static char other[32];
	for (size_t i = 0; i < sizeof errno_names / sizeof *errno_names; i++)
		if (errno_names[i].number == number)
			return errno_names[i].name;
	snprintf(other, sizeof other, "errno %d", number);
	return other;
}

/* ---- Output: all replies and events of a round, gathered ---- */

static struct {
	size_t from, to;
	/* Where the message being written begins. */
	size_t open;
	/* The card had no room, and will not say when it has. */
	bool is_refused;
	uint8_t octets[OUTPUT_OCTETS];
} output;

/* What the agent has here. */
static uint32_t capabilities;

/* Whom a reply answers. */
struct origin {
	uint16_t type;
	uint32_t id;
	uint32_t handle;
};

static bool has_room(void)
{
	return output.to - output.from <= OUTPUT_HIGH;
}

static void put(const void *octets, size_t count)
{
	if (count > OUTPUT_OCTETS - output.to) {
		errno = 0;
		die("the output is longer than it can be"); /* never: see OUTPUT_OCTETS */
	}
	if (count > 0)
		memcpy(output.octets + output.to, octets, count);
	output.to += count;
}

static void put_8(uint8_t value)
{
	put(&value, 1);
}

static void put_16(uint16_t value)
{
	value = htons(value);
	put(&value, 2);
}

static void put_32(uint32_t value)
{
	value = htonl(value);
	put(&value, 4);
}

static void put_text(const char *text)
{
	size_t octets = strlen(text);
	put_16((uint16_t)octets);
	put(text, octets);
}

static void begin_message(uint16_t type, enum status status, uint32_t id, uint32_t handle)
{
	output.open = output.to;
	put_32(0);
	put_16(type);
	put_16((uint16_t)status);
	put_32(id);
	put_32(handle);
}

static void end_message(void)
{
	uint32_t length = htonl((uint32_t)(output.to - output.open - LENGTH_OCTETS));
	memcpy(output.octets + output.open, &length, LENGTH_OCTETS);
}

static void drop_message(void)
{
	output.to = output.open;
}

static void begin_reply(const struct origin *to, enum status status)
{
	begin_message((uint16_t)(to->type | REPLY_BIT), status, to->id, to->handle);
}

static void reply_done(const struct origin *to)
{
	begin_reply(to, SUCCESS);
	end_message();
}

static void reply_error(const struct origin *to, int number, const char *detail)
{
	begin_reply(to, STACK_ERROR);
	put_text(errno_name(number));
	put_text(detail);
	end_message();
}

static void reply_refusal(const struct origin *to, enum status status, const char *sentence)
{
	begin_reply(to, status);
	put_text(sentence);
	end_message();
}

/* ---- Addresses ---- */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t address_octets(const union address *address)
{
	return address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
}

static uint16_t port_of(const union address *address)
{
	return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port : address->v4.sin_port);
}

static void put_address(const union address *address)
{
	bool is_6 = address->any.sa_family == AF_INET6;
	put_8(is_6 ? 6 : 4);
	if (is_6)
		put(&address->v6.sin6_addr, 16);
	else
		put(&address->v4.sin_addr, 4);
	put_16(port_of(address));
}

static bool local_address(int fd, union address *address)
{
	socklen_t octets = sizeof *address;
	memset(address, 0, sizeof *address);
	return getsockname(fd, &address->any, &octets) == 0;
}

/* ---- What handles name ---- */

enum kind { IS_SOCKET, IS_NAMESPACE, IS_FILE, KINDS };

struct object {
	struct object *next;
	uint32_t handle;
	enum kind kind;
	int fd;
};

enum { BUCKETS = 65536 };

static struct {
	struct object *buckets[BUCKETS];
	unsigned counts[KINDS];
	unsigned most[KINDS];
	uint32_t last_handle;
} objects = { .most = { SOCKETS_MOST, NAMESPACES_MOST, FILES_MOST } };

/* NULL with errno when there are too many, or no memory. Takes the descriptor over only when it succeeds. */
static void *new_object(enum kind kind, size_t octets, int fd)
{
	if (objects.counts[kind] >= objects.most[kind] || objects.last_handle == UINT32_MAX) {
		errno = EMFILE;
		return NULL;
	}
	struct object *object = calloc(1, octets);
	if (object == NULL)
		return NULL;
	object->handle = ++objects.last_handle;
	object->kind = kind;
	object->fd = fd;
	struct object **bucket = &objects.buckets[object->handle % BUCKETS];
	object->next = *bucket;
	*bucket = object;
	objects.counts[kind]++;
	return object;
}

static struct object *find_object(uint32_t handle, enum kind kind)
{
	struct object *object = objects.buckets[handle % BUCKETS];
	while (object != NULL && object->handle != handle)
		object = object->next;
	return object != NULL && object->kind == kind ? object : NULL;
}

/* Frees its memory; its descriptor is the caller's to close. */
static void forget_object(struct object *object)
{
	struct object **link = &objects.buckets[object->handle % BUCKETS];
	while (*link != object)
		link = &(*link)->next;
	*link = object->next;
	objects.counts[object->kind]--;
	free(object);
}

/* ---- Input: a message, read from front to back ---- */

struct message {
	struct origin origin;
	const uint8_t *at;
	size_t left;
	/* The first thing that made no sense. */
	const char *complaint;
};

static void complain(struct message *m, const char *sentence)
{
	if (m->complaint == NULL)
		m->complaint = sentence;
}

static const uint8_t *take(struct message *m, size_t count)
{
	static const uint8_t zeros[16];
	if (count > m->left) {
		complain(m, "the payload is too short");
		m->left = 0;
		return zeros;
	}
	const uint8_t *at = m->at;
	m->at += count;
	m->left -= count;
	return at;
}

static uint8_t take_8(struct message *m)
{
	return *take(m, 1);
}

static uint16_t take_16(struct message *m)
{
	const uint8_t *at = take(m, 2);
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t take_32(struct message *m)
{
	const uint8_t *at = take(m, 4);
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t take_i64(struct message *m)
{
	uint64_t high = take_32(m);
	return (int64_t)(high << 32 | take_32(m));
}

/* A text without a NUL, ended by one, in a buffer of so many octets. */
static void take_text(struct message *m, char *text, size_t octets)
{
	size_t count = take_16(m);
	text[0] = '\0';
	if (count > m->left) {
		complain(m, "a text is longer than the payload");
		return;
	}
	const uint8_t *at = take(m, count);
	if (count >= octets)
		complain(m, "a text is too long");
	else if (memchr(at, 0, count) != NULL)
		complain(m, "a text has a NUL in it");
	else {
		memcpy(text, at, count);
		text[count] = '\0';
	}
}

static union address take_address(struct message *m)
{
	union address address;
	memset(&address, 0, sizeof address);
	uint8_t family = take_8(m);
	if (family == 6) {
		address.v6.sin6_family = AF_INET6;
		memcpy(&address.v6.sin6_addr, take(m, 16), 16);
		address.v6.sin6_port = htons(take_16(m));
	} else {
		if (family != 4)
			complain(m, "an address is of family 4 or 6");
		address.v4.sin_family = AF_INET;
		memcpy(&address.v4.sin_addr, take(m, 4), 4);
		address.v4.sin_port = htons(take_16(m));
	}
	return address;
}

/* To be asked when all of the payload was taken: answers what made no sense. */
static bool makes_sense(struct message *m)
{
	if (m->left > 0)
		complain(m, "the payload is too long");
	if (m->complaint == NULL)
		return true;
	reply_refusal(&m->origin, BAD_REQUEST, m->complaint);
	return false;
}

/* ---- Sockets ---- */

/* The queues of requests that wait at a socket: each is served in order, and waits for none of the others. */
enum queue { OPENING, ACCEPTING, SENDING, RECEIVING, URGENT, QUEUES_OF_SOCKET };

/* A request that could not be answered at once. */
struct waiting {
	struct waiting *next;
	struct origin origin;
	int flags;
	uint32_t most;
	/* It has been tried before: MSG_OOB's EINVAL says something else then. */
	bool was_tried;
	uint32_t sent;
	const uint8_t *data;
	size_t left;
	size_t kept;
	uint8_t copy[];
};

enum opening { NOT_OPENED, BEGUN, OPENED, FAILED };

struct socket {
	struct object object;
	struct waiting *first[QUEUES_OF_SOCKET], *last[QUEUES_OF_SOCKET];
	/* In the list of those that poll(2) is to look at. */
	struct socket *next_attended, *previous_attended;
	bool is_attended;
	bool is_listening;
	/* SO_LINGER was set, on it or on its listener: close(2) may block. */
	bool may_linger;
	enum opening opening;
	int opening_error;
	/* An error that was read for an event and is still to be reported. */
	int pending_error;
	union address local;
	uint8_t watched;
	/* Events that have been said and are still so. */
	uint8_t said;
	uint8_t state_said;
	/* A request came by: what was said may be so no longer. */
	bool is_touched;
	/* Hung up or in error, with nothing to be done about it: poll(2) would return at once for ever. */
	bool is_quiet;
	/* What poll(2) saw last. */
	short seen;
	/*
	 * poll(2) said that something could be done, and nothing could (MSG_PEEK beyond SO_PEEK_OFF): it must not
	 * be asked at once again.
	 */
	bool is_resting;
	bool has_moved;
};

static struct socket *attended;
static unsigned touched_count;
static unsigned waiting_count;
static size_t waiting_octets;

static void attend(struct socket *s)
{
	if (s->is_attended)
		return;
	s->is_attended = true;
	s->previous_attended = NULL;
	s->next_attended = attended;
	if (attended != NULL)
		attended->previous_attended = s;
	attended = s;
}

static void disregard(struct socket *s)
{
	if (!s->is_attended)
		return;
	s->is_attended = false;
	if (s->previous_attended != NULL)
		s->previous_attended->next_attended = s->next_attended;
	else
		attended = s->next_attended;
	if (s->next_attended != NULL)
		s->next_attended->previous_attended = s->previous_attended;
}

static void touch(struct socket *s)
{
	s->is_quiet = false;
	if (s->watched == 0 || s->is_touched)
		return;
	s->is_touched = true;
	touched_count++;
}

static void untouch(struct socket *s)
{
	if (s->is_touched)
		touched_count--;
	s->is_touched = false;
}

static struct socket *take_socket(struct message *m)
{
	struct object *object = find_object(m->origin.handle, IS_SOCKET);
	if (object == NULL) {
		complain(m, "the handle is no socket's");
		return NULL;
	}
	touch((struct socket *)object);
	return (struct socket *)object;
}

/* The error that the stack holds for the socket; asking clears it. 0: none. */
static int take_error(struct socket *s)
{
	int number = s->pending_error;
	socklen_t octets = sizeof number;
	s->pending_error = 0;
	if (number == 0 && getsockopt(s->object.fd, SOL_SOCKET, SO_ERROR, &number, &octets) < 0)
		number = errno;
	return number;
}

/*
 * ICMP errors queue up where IP_RECVERR is on; nobody reads them, and poll(2) does not wait while there are
 * any.
 */
static void drain_error_queue(int fd)
{
#ifdef MSG_ERRQUEUE
	struct msghdr message = { .msg_iov = NULL };
	for (int i = 0; i < CHUNKS_MOST && recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0; i++) {
	}
#else
	(void)fd;
#endif
}

static bool set_unblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

static int new_descriptor(int family)
{
#ifdef __linux__
	return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
#else
	int fd = socket(family, SOCK_STREAM, IPPROTO_TCP);
	if (fd >= 0 && !set_unblocking(fd)) {
		close(fd);
		return -1;
	}
	return fd;
#endif
}

static int accept_descriptor(int fd, union address *remote)
{
	socklen_t octets = sizeof *remote;
	memset(remote, 0, sizeof *remote);
#ifdef __linux__
	return accept4(fd, &remote->any, &octets, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
	int accepted = accept(fd, &remote->any, &octets);
	if (accepted >= 0 && !set_unblocking(accepted)) {
		close(accepted);
		return -1;
	}
	return accepted;
#endif
}

static bool would_wait(int number)
{
	return number == EAGAIN || number == EWOULDBLOCK;
}

/* ---- Requests that may wait: each attempt answers, or says that it is not yet time ---- */

static void reply_local(const struct origin *to, const struct socket *s)
{
	begin_reply(to, SUCCESS);
	put_address(&s->local);
	end_message();
}

/* Called when poll(2) has seen something, or when the opening was decided before. */
static bool try_opening(struct socket *s, struct waiting *w)
{
	if (s->opening == BEGUN && w->was_tried) {
		union address remote;
		socklen_t octets = sizeof remote;
		s->opening_error = take_error(s);
		/* What it died of may have been taken away by ERROR. */
		if (s->opening_error == 0 && (s->seen & POLLHUP) != 0 &&
		    getpeername(s->object.fd, &remote.any, &octets) < 0)
			s->opening_error = errno;
		s->opening = s->opening_error == 0 ? OPENED : FAILED;
		if (s->opening == OPENED && port_of(&s->local) == 0)
			local_address(s->object.fd, &s->local);
	}
	if (s->opening == BEGUN)
		return false;
	if (s->opening == OPENED)
		reply_local(&w->origin, s);
	else
		reply_error(&w->origin, s->opening == FAILED ? s->opening_error : ENOTCONN, "");
	return true;
}

static bool try_accepting(struct socket *s, struct waiting *w)
{
	union address remote;
	int fd = accept_descriptor(s->object.fd, &remote);
	if (fd < 0) {
		if (would_wait(errno))
			return false;
		reply_error(&w->origin, errno, "");
		return true;
	}
	struct socket *accepted = new_object(IS_SOCKET, sizeof *accepted, fd);
	if (accepted == NULL) {
		int number = errno;
		close(fd);
		reply_error(&w->origin, number, "");
		return true;
	}
	accepted->opening = OPENED;
	accepted->may_linger = s->may_linger;
	local_address(fd, &accepted->local);
	begin_reply(&w->origin, SUCCESS);
	put_32(accepted->object.handle);
	put_address(&accepted->local);
	put_address(&remote);
	end_message();
	return true;
}

static void reply_sent(const struct waiting *w, enum status status)
{
	begin_reply(&w->origin, status);
	put_32(w->sent);
	end_message();
}

static bool try_sending(struct socket *s, struct waiting *w)
{
	for (;;) {
		ssize_t octets = send(s->object.fd, w->data, w->left, w->flags);
		if (octets < 0)
			break;
		w->data += octets;
		w->left -= (size_t)octets;
		w->sent += (uint32_t)octets;
		s->has_moved = true;
		if (w->left == 0) {
			reply_sent(w, SUCCESS);
			return true;
		}
	}
	int number = errno;
	if (would_wait(number) && (w->flags & MSG_DONTWAIT) == 0)
		return false;
	if (would_wait(number) && w->sent > 0) {
		reply_sent(w, SUCCESS);
		return true;
	}
	if (number == EPIPE && s->pending_error != 0)
		number = take_error(s);
	reply_error(&w->origin, number, "");
	return true;
}

static bool try_receiving(struct socket *s, struct waiting *w)
{
	bool is_urgent = (w->flags & MSG_OOB) != 0, waits = (w->flags & MSG_DONTWAIT) == 0;
	begin_reply(&w->origin, SUCCESS);
	put_8(0);
	ssize_t octets = recv(s->object.fd, output.octets + output.to, w->most, w->flags);
	int number = errno;
	if (octets <= 0 && s->pending_error != 0) {
		octets = -1;
		number = take_error(s);
	}
	if (octets >= 0) {
		output.octets[output.to - 1] = octets == 0;
		output.to += (size_t)octets;
		end_message();
		return true;
	}
	drop_message();
	/* EINVAL from MSG_OOB: no urgent data has come (Linux's tcp_recv_urg); worth waiting for, once. */
	if (waits && (would_wait(number) || (is_urgent && number == EINVAL && !w->was_tried)))
		return false;
	reply_error(&w->origin, would_wait(number) ? EAGAIN : number, "");
	return true;
}

static const struct {
	bool (*attempt)(struct socket *s, struct waiting *w);
	short events;
} queues[QUEUES_OF_SOCKET] = {
	[OPENING] = { try_opening, POLLOUT },
	[ACCEPTING] = { try_accepting, POLLIN },
	[SENDING] = { try_sending, POLLOUT },
	[RECEIVING] = { try_receiving, POLLIN | POLLRDHUP },
	/* After the other side's FIN none can come. */
	[URGENT] = { try_receiving, POLLPRI | POLLRDHUP },
};

static void keep_waiting(struct socket *s, enum queue queue, const struct waiting *w)
{
	if (waiting_count >= WAITING_MOST || w->left > WAITING_OCTETS_MOST - waiting_octets) {
		reply_error(&w->origin, ENOBUFS, "too many requests wait");
		return;
	}
	struct waiting *kept = malloc(sizeof *kept + w->left);
	if (kept == NULL) {
		reply_error(&w->origin, ENOMEM, "no memory to let the request wait");
		return;
	}
	*kept = *w;
	kept->next = NULL;
	kept->was_tried = true;
	kept->kept = w->left;
	if (w->left > 0)
		memcpy(kept->copy, w->data, w->left);
	kept->data = kept->copy;
	waiting_count++;
	waiting_octets += kept->kept;
	if (s->first[queue] == NULL)
		s->first[queue] = kept;
	else
		s->last[queue]->next = kept;
	s->last[queue] = kept;
	attend(s);
}

static void forget_first(struct socket *s, enum queue queue)
{
	struct waiting *w = s->first[queue];
	s->first[queue] = w->next;
	waiting_count--;
	waiting_octets -= w->kept;
	free(w);
}

static void begin_waiting(struct socket *s, enum queue queue, struct waiting *w)
{
	if (s->first[queue] == NULL) {
		if (queues[queue].attempt(s, w))
			return;
	} else if ((w->flags & MSG_DONTWAIT) != 0) {
		reply_error(&w->origin, EAGAIN, "another request waits before it");
		return;
	}
	keep_waiting(s, queue, w);
}

static void serve_queue(struct socket *s, enum queue queue)
{
	while (s->first[queue] != NULL && has_room()) {
		if (!queues[queue].attempt(s, s->first[queue]))
			return;
		touch(s);
		s->has_moved = true;
		forget_first(s, queue);
	}
}

static bool has_waiting(const struct socket *s)
{
	for (int queue = 0; queue < QUEUES_OF_SOCKET; queue++)
		if (s->first[queue] != NULL)
			return true;
	return false;
}

/* ---- Closing ---- */

/* Answers what waits at it and frees all but the descriptor, which is returned. */
static int release_socket(struct socket *s)
{
	int fd = s->object.fd;
	for (int queue = 0; queue < QUEUES_OF_SOCKET; queue++)
		while (s->first[queue] != NULL) {
			reply_error(&s->first[queue]->origin, EBADF, "closed meanwhile");
			forget_first(s, queue);
		}
	disregard(s);
	untouch(s);
	forget_object(&s->object);
	return fd;
}

static void set_linger_zero(int fd)
{
	struct linger off = { .l_onoff = 1, .l_linger = 0 };
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof off);
}

/*
 * With a linger time close(2) blocks, also for a non-blocking socket. A child process does that in our place:
 * it holds the last descriptor of the socket, and its end is seen as the end of a socket pair.
 */
static struct {
	struct origin origin;
	int fd;
	pid_t child;
} lingering[LINGERING_MOST];
static int lingering_count;

static void close_range_of(unsigned first, unsigned last)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, first, last, 0) == 0)
		return;
#endif
	unsigned end = (unsigned)sysconf(_SC_OPEN_MAX);
	for (unsigned fd = first; fd <= last && fd < end; fd++)
		close((int)fd);
}

static void linger_in_child(int fd, int pair)
{
	char octet = 0;
	unsigned low = (unsigned)(fd < pair ? fd : pair), high = (unsigned)(fd < pair ? pair : fd);
	/* Every other socket must have its last descriptor in the agent: closing it there must still close it. */
	if (low > 0)
		close_range_of(0, low - 1);
	if (high > low + 1)
		close_range_of(low + 1, high - 1);
	close_range_of(high + 1, UINT_MAX);
	if (write(pair, &octet, 1) == 1 && read(pair, &octet, 1) == 1)
		close(fd);
	_exit(0);
}

static bool lingers(const struct socket *s)
{
	struct linger linger = { .l_onoff = 0 };
	socklen_t octets = sizeof linger;
	return s->may_linger && getsockopt(s->object.fd, SOL_SOCKET, SO_LINGER, &linger, &octets) == 0 &&
	    linger.l_onoff != 0 && linger.l_linger != 0;
}

/* False with errno: nothing was done. */
static bool close_lingering(const struct origin *origin, int fd)
{
	int pair[2];
	char octet;
	if (lingering_count == LINGERING_MOST) {
		errno = ENOBUFS;
		return false;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return false;
	pid_t child = fork();
	if (child == 0)
		linger_in_child(fd, pair[1]);
	int number = errno;
	close(pair[1]);
	if (child < 0) {
		close(pair[0]);
		errno = number;
		return false;
	}
	if (read(pair[0], &octet, 1) == 1) {
		close(fd);
		if (write(pair[0], &octet, 1) < 0) {
			/* It is gone, and with it the last descriptor: the end will be seen at once. */
		}
	} else {
		close(fd);
	}
	fcntl(pair[0], F_SETFD, FD_CLOEXEC);
	lingering[lingering_count].origin = *origin;
	lingering[lingering_count].fd = pair[0];
	lingering[lingering_count].child = child;
	lingering_count++;
	return true;
}

static void end_lingering(int index)
{
	close(lingering[index].fd);
	waitpid(lingering[index].child, NULL, 0);
	lingering[index] = lingering[--lingering_count];
}

/* ---- Requests about sockets ---- */

static void on_socket(struct message *m);

static void on_bind(struct message *m)
{
	struct socket *s = take_socket(m);
	union address address = take_address(m);
	if (!makes_sense(m))
		return;
	if (bind(s->object.fd, &address.any, address_octets(&address)) < 0 ||
	    !local_address(s->object.fd, &s->local))
		reply_error(&m->origin, errno, "");
	else
		reply_local(&m->origin, s);
}

static void on_listen(struct message *m)
{
	struct socket *s = take_socket(m);
	uint32_t backlog = take_32(m);
	if (!makes_sense(m))
		return;
	if (listen(s->object.fd, backlog > INT_MAX ? INT_MAX : (int)backlog) < 0 ||
	    !local_address(s->object.fd, &s->local)) {
		reply_error(&m->origin, errno, "");
		return;
	}
	s->is_listening = true;
	reply_local(&m->origin, s);
}

static void on_connect(struct message *m)
{
	struct socket *s = take_socket(m);
	union address address = take_address(m);
	if (!makes_sense(m))
		return;
	int number = connect(s->object.fd, &address.any, address_octets(&address)) < 0 ? errno : 0;
	if (number == 0 || number == EINPROGRESS) {
		s->opening = number == 0 ? OPENED : BEGUN;
		if (local_address(s->object.fd, &s->local)) {
			reply_local(&m->origin, s);
			return;
		}
		number = errno;
	} else if (s->opening == NOT_OPENED) {
		s->opening = FAILED;
		s->opening_error = number;
	}
	reply_error(&m->origin, number, "");
}

static void on_established(struct message *m)
{
	struct socket *s = take_socket(m);
	if (!makes_sense(m))
		return;
	struct waiting w = { .origin = m->origin };
	begin_waiting(s, OPENING, &w);
}

static void on_accept(struct message *m)
{
	struct socket *s = take_socket(m);
	if (!makes_sense(m))
		return;
	struct waiting w = { .origin = m->origin };
	begin_waiting(s, ACCEPTING, &w);
}

static int take_flags(struct message *m)
{
	uint16_t flags = take_16(m);
	if (flags > (FLAG_OOB | FLAG_PEEK | FLAG_DONTWAIT | FLAG_MORE))
		complain(m, "there are no such flags");
	return (flags & FLAG_OOB ? MSG_OOB : 0) | (flags & FLAG_PEEK ? MSG_PEEK : 0) |
	    (flags & FLAG_DONTWAIT ? MSG_DONTWAIT : 0) | (flags & FLAG_MORE ? MSG_MORE : 0) | MSG_NOSIGNAL;
}

static void on_send(struct message *m)
{
	struct socket *s = take_socket(m);
	struct waiting w = { .origin = m->origin, .flags = take_flags(m) };
	w.left = m->left;
	w.data = take(m, m->left);
	if (makes_sense(m))
		begin_waiting(s, SENDING, &w);
}

static void on_receive(struct message *m)
{
	enum { REPLY_MOST = MESSAGE_MOST - HEADER_OCTETS - 1 };
	struct socket *s = take_socket(m);
	struct waiting w = { .origin = m->origin };
	w.most = take_32(m);
	w.flags = take_flags(m) & ~(MSG_MORE | MSG_NOSIGNAL);
	if (w.most == 0)
		complain(m, "at least one octet must be asked for");
	if (w.most > REPLY_MOST)
		w.most = REPLY_MOST;
	if (makes_sense(m))
		begin_waiting(s, (w.flags & MSG_OOB) != 0 ? URGENT : RECEIVING, &w);
}

static void on_shutdown(struct message *m)
{
	static const int hows[] = { 0, SHUT_RD, SHUT_WR, SHUT_RDWR };
	struct socket *s = take_socket(m);
	uint8_t how = take_8(m);
	if (how < 1 || how > 3)
		complain(m, "how is 1, 2 or 3");
	if (!makes_sense(m))
		return;
	if (shutdown(s->object.fd, hows[how]) < 0)
		reply_error(&m->origin, errno, "");
	else
		reply_done(&m->origin);
}

static void on_close(struct message *m)
{
	struct socket *s = take_socket(m);
	if (!makes_sense(m))
		return;
	if (!lingers(s)) {
		close(release_socket(s));
		reply_done(&m->origin);
	} else if (close_lingering(&m->origin, s->object.fd)) {
		release_socket(s);
	} else {
		reply_error(&m->origin, errno, "no process to linger in");
	}
}

static void on_abort(struct message *m)
{
	struct socket *s = take_socket(m);
	if (!makes_sense(m))
		return;
	set_linger_zero(s->object.fd);
	close(release_socket(s));
	reply_done(&m->origin);
}

/* ---- Options ---- */

/*
 * Numbers that are newer than the headers of some systems; Linux's are the same since
 * (include/uapi/linux/tcp.h, in.h, in6.h).
 */
#ifdef __linux__
#ifndef SO_INCOMING_NAPI_ID
#define SO_INCOMING_NAPI_ID 56
#endif
#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY 60
#endif
#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif
#ifndef SO_RESERVE_MEM
#define SO_RESERVE_MEM 73
#endif
#ifndef SO_TXREHASH
#define SO_TXREHASH 74
#endif
#ifndef TCP_ULP
#define TCP_ULP 31
#endif
#ifndef TCP_FASTOPEN_KEY
#define TCP_FASTOPEN_KEY 33
#endif
#ifndef TCP_FASTOPEN_NO_COOKIE
#define TCP_FASTOPEN_NO_COOKIE 34
#endif
#ifndef TCP_INQ
#define TCP_INQ 36
#endif
#ifndef TCP_TX_DELAY
#define TCP_TX_DELAY 37
#endif
#ifndef TCP_IS_MPTCP
#define TCP_IS_MPTCP 43
#endif
#ifndef TCP_RTO_MAX_MS
#define TCP_RTO_MAX_MS 44
#endif
#ifndef TCP_RTO_MIN_US
#define TCP_RTO_MIN_US 45
#endif
#ifndef TCP_DELACK_MAX_US
#define TCP_DELACK_MAX_US 46
#endif
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif
#ifndef IPV6_FLOWINFO_SEND
#define IPV6_FLOWINFO_SEND 33
#endif
#ifndef IPV6_AUTOFLOWLABEL
#define IPV6_AUTOFLOWLABEL 70
#endif
#ifndef IPV6_MINHOPCOUNT
#define IPV6_MINHOPCOUNT 73
#endif
#ifndef IPV6_TRANSPARENT
#define IPV6_TRANSPARENT 75
#endif
#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78
#endif
#endif

enum form { FORM_INT, FORM_UINT, FORM_U64, FORM_LINGER, FORM_TIMEVAL, FORM_TEXT, FORM_OCTETS };

struct option {
	const char *name;
	int level, number;
	enum form form;
};

#define OPTION(level, name, form) { #name, level, name, form }
/* Not by way of OPTION: its name would be replaced by its number before it becomes a text. */
#define INT(level, name) { #name, level, name, FORM_INT }

static const struct option options[] = {
	INT(SOL_SOCKET, SO_DEBUG),
	INT(SOL_SOCKET, SO_REUSEADDR),
	INT(SOL_SOCKET, SO_TYPE),
	INT(SOL_SOCKET, SO_ERROR),
	INT(SOL_SOCKET, SO_DONTROUTE),
	INT(SOL_SOCKET, SO_BROADCAST),
	INT(SOL_SOCKET, SO_SNDBUF),
	INT(SOL_SOCKET, SO_RCVBUF),
	INT(SOL_SOCKET, SO_KEEPALIVE),
	INT(SOL_SOCKET, SO_OOBINLINE),
	OPTION(SOL_SOCKET, SO_LINGER, FORM_LINGER),
	INT(SOL_SOCKET, SO_RCVLOWAT),
	INT(SOL_SOCKET, SO_SNDLOWAT),
	OPTION(SOL_SOCKET, SO_RCVTIMEO, FORM_TIMEVAL),
	OPTION(SOL_SOCKET, SO_SNDTIMEO, FORM_TIMEVAL),
	INT(SOL_SOCKET, SO_ACCEPTCONN),
	INT(IPPROTO_TCP, TCP_NODELAY),
	INT(IPPROTO_IP, IP_TOS),
	INT(IPPROTO_IP, IP_TTL),
	OPTION(IPPROTO_IP, IP_OPTIONS, FORM_OCTETS),
	INT(IPPROTO_IPV6, IPV6_UNICAST_HOPS),
	INT(IPPROTO_IPV6, IPV6_V6ONLY),
#ifdef SO_REUSEPORT
	INT(SOL_SOCKET, SO_REUSEPORT),
#endif
#ifdef TCP_MAXSEG
	INT(IPPROTO_TCP, TCP_MAXSEG),
#endif
#ifdef TCP_KEEPIDLE
	INT(IPPROTO_TCP, TCP_KEEPIDLE),
#elif defined(TCP_KEEPALIVE)
	{ "TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPALIVE, FORM_INT },
#endif
#ifdef TCP_KEEPINTVL
	INT(IPPROTO_TCP, TCP_KEEPINTVL),
#endif
#ifdef TCP_KEEPCNT
	INT(IPPROTO_TCP, TCP_KEEPCNT),
#endif
#ifdef TCP_CONGESTION
	OPTION(IPPROTO_TCP, TCP_CONGESTION, FORM_TEXT),
#endif
#ifdef TCP_FASTOPEN
	INT(IPPROTO_TCP, TCP_FASTOPEN),
#endif
#ifdef TCP_NOPUSH
	INT(IPPROTO_TCP, TCP_NOPUSH),
#endif
#ifdef TCP_NOOPT
	INT(IPPROTO_TCP, TCP_NOOPT),
#endif
#ifdef TCP_KEEPINIT
	INT(IPPROTO_TCP, TCP_KEEPINIT),
#endif
#ifdef IPV6_TCLASS
	INT(IPPROTO_IPV6, IPV6_TCLASS),
#endif
#ifdef IPV6_DONTFRAG
	INT(IPPROTO_IPV6, IPV6_DONTFRAG),
#endif
#ifdef IP_MINTTL
	INT(IPPROTO_IP, IP_MINTTL),
#endif
#ifdef __linux__
	INT(SOL_SOCKET, SO_PRIORITY),
	OPTION(SOL_SOCKET, SO_BINDTODEVICE, FORM_TEXT),
	INT(SOL_SOCKET, SO_SNDBUFFORCE),
	INT(SOL_SOCKET, SO_RCVBUFFORCE),
	OPTION(SOL_SOCKET, SO_MARK, FORM_UINT),
	INT(SOL_SOCKET, SO_PROTOCOL),
	INT(SOL_SOCKET, SO_DOMAIN),
	INT(SOL_SOCKET, SO_PEEK_OFF),
	INT(SOL_SOCKET, SO_BUSY_POLL),
	OPTION(SOL_SOCKET, SO_MAX_PACING_RATE, FORM_U64),
	INT(SOL_SOCKET, SO_INCOMING_CPU),
	INT(SOL_SOCKET, SO_INCOMING_NAPI_ID),
	OPTION(SOL_SOCKET, SO_COOKIE, FORM_U64),
	INT(SOL_SOCKET, SO_ZEROCOPY),
	INT(SOL_SOCKET, SO_BINDTOIFINDEX),
	OPTION(SOL_SOCKET, SO_NETNS_COOKIE, FORM_U64),
	INT(SOL_SOCKET, SO_BUF_LOCK),
	INT(SOL_SOCKET, SO_RESERVE_MEM),
	INT(SOL_SOCKET, SO_TXREHASH),
	INT(IPPROTO_TCP, TCP_CORK),
	INT(IPPROTO_TCP, TCP_SYNCNT),
	INT(IPPROTO_TCP, TCP_LINGER2),
	INT(IPPROTO_TCP, TCP_DEFER_ACCEPT),
	INT(IPPROTO_TCP, TCP_WINDOW_CLAMP),
	INT(IPPROTO_TCP, TCP_QUICKACK),
	INT(IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS),
	INT(IPPROTO_TCP, TCP_THIN_DUPACK),
	INT(IPPROTO_TCP, TCP_USER_TIMEOUT),
	INT(IPPROTO_TCP, TCP_REPAIR),
	INT(IPPROTO_TCP, TCP_REPAIR_QUEUE),
	OPTION(IPPROTO_TCP, TCP_QUEUE_SEQ, FORM_UINT),
	OPTION(IPPROTO_TCP, TCP_TIMESTAMP, FORM_UINT),
	OPTION(IPPROTO_TCP, TCP_NOTSENT_LOWAT, FORM_UINT),
	INT(IPPROTO_TCP, TCP_SAVE_SYN),
	OPTION(IPPROTO_TCP, TCP_SAVED_SYN, FORM_OCTETS),
	INT(IPPROTO_TCP, TCP_FASTOPEN_CONNECT),
	OPTION(IPPROTO_TCP, TCP_ULP, FORM_TEXT),
	OPTION(IPPROTO_TCP, TCP_FASTOPEN_KEY, FORM_OCTETS),
	INT(IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE),
	INT(IPPROTO_TCP, TCP_INQ),
	INT(IPPROTO_TCP, TCP_TX_DELAY),
	INT(IPPROTO_TCP, TCP_IS_MPTCP),
	INT(IPPROTO_TCP, TCP_RTO_MAX_MS),
	INT(IPPROTO_TCP, TCP_RTO_MIN_US),
	INT(IPPROTO_TCP, TCP_DELACK_MAX_US),
	INT(IPPROTO_IP, IP_RECVERR),
	INT(IPPROTO_IP, IP_MTU_DISCOVER),
	INT(IPPROTO_IP, IP_MTU),
	INT(IPPROTO_IP, IP_FREEBIND),
	INT(IPPROTO_IP, IP_TRANSPARENT),
	INT(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT),
	OPTION(IPPROTO_IP, IP_LOCAL_PORT_RANGE, FORM_UINT),
	INT(IPPROTO_IPV6, IPV6_MTU_DISCOVER),
	INT(IPPROTO_IPV6, IPV6_MTU),
	INT(IPPROTO_IPV6, IPV6_RECVERR),
	INT(IPPROTO_IPV6, IPV6_FLOWINFO_SEND),
	INT(IPPROTO_IPV6, IPV6_AUTOFLOWLABEL),
	INT(IPPROTO_IPV6, IPV6_MINHOPCOUNT),
	INT(IPPROTO_IPV6, IPV6_TRANSPARENT),
	INT(IPPROTO_IPV6, IPV6_FREEBIND),
#endif
};

/* What setsockopt(2) takes and getsockopt(2) gives, in all forms. */
union value {
	int32_t number;
	uint64_t wide;
	struct linger linger;
	struct timeval time;
	char text[OPTION_OCTETS];
};

static const struct option *take_option(struct message *m, char *name, size_t octets)
{
	take_text(m, name, octets);
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	return NULL;
}

static bool is_number(enum form form)
{
	return form != FORM_TEXT && form != FORM_OCTETS;
}

/*
 * Exactly as many as the option has, where that is known: some give more where there is more room, and some
 * refuse.
 */
static socklen_t value_octets(enum form form)
{
	switch (form) {
	case FORM_U64:
		return sizeof(uint64_t);
	case FORM_TIMEVAL:
		return sizeof(struct timeval);
	case FORM_LINGER:
		return sizeof(struct linger);
	case FORM_INT:
	case FORM_UINT:
		return sizeof(int32_t);
	default:
		return sizeof(union value);
	}
}

/* A complaint when it does not fit. */
static void set_number(struct message *m, enum form form, int64_t number, union value *value)
{
	switch (form) {
	case FORM_U64:
		value->wide = (uint64_t)number;
		return;
	case FORM_TIMEVAL:
		if (number < 0 || number / 1000 > INT32_MAX)
			complain(m, "a time is in milliseconds, from 0 to 2^31 seconds");
		value->time.tv_sec = (time_t)(number / 1000);
		value->time.tv_usec = (suseconds_t)(number % 1000 * 1000);
		return;
	case FORM_LINGER:
		if (number > INT32_MAX)
			complain(m, "the linger time is at most 2^31 seconds");
		value->linger.l_onoff = number >= 0;
		value->linger.l_linger = number >= 0 ? (int)number : 0;
		return;
	default:
		if (number < INT32_MIN || number > UINT32_MAX)
			complain(m, "the number has more than 32 bits");
		value->number = (int32_t)(uint32_t)number;
	}
}

static socklen_t take_value(struct message *m, const struct option *option, union value *value)
{
	uint8_t kind = take_8(m);
	memset(value, 0, sizeof *value);
	if (kind == VALUE_NUMBER && is_number(option->form)) {
		set_number(m, option->form, take_i64(m), value);
		return value_octets(option->form);
	}
	if (kind == VALUE_TEXT && option->form == FORM_TEXT) {
		take_text(m, value->text, sizeof value->text);
		return (socklen_t)strlen(value->text) + 1;
	}
	if (kind != VALUE_OCTETS || m->left > sizeof *value) {
		complain(m, kind == VALUE_OCTETS ? "the value is too long" : "the option's value is of another kind");
		return 0;
	}
	size_t octets = m->left;
	memcpy(value, take(m, octets), octets);
	return (socklen_t)octets;
}

static void on_set_option(struct message *m)
{
	char name[64];
	static union value value;
	struct socket *s = take_socket(m);
	const struct option *option = take_option(m, name, sizeof name);
	if (option == NULL && m->complaint == NULL) {
		reply_refusal(&m->origin, UNSUPPORTED, "this system has no socket option of that name");
		return;
	}
	socklen_t octets = option == NULL ? 0 : take_value(m, option, &value);
	if (!makes_sense(m))
		return;
	if (setsockopt(s->object.fd, option->level, option->number, &value, octets) < 0) {
		reply_error(&m->origin, errno, "");
		return;
	}
	if (option->form == FORM_LINGER)
		s->may_linger = true;
	reply_done(&m->origin);
}

static int64_t value_number(enum form form, const union value *value)
{
	switch (form) {
	case FORM_U64:
		return (int64_t)value->wide;
	case FORM_UINT:
		return (uint32_t)value->number;
	case FORM_TIMEVAL:
		return (int64_t)value->time.tv_sec * 1000 + value->time.tv_usec / 1000;
	case FORM_LINGER:
		return value->linger.l_onoff != 0 ? value->linger.l_linger : -1;
	default:
		return value->number;
	}
}

static void put_value(uint8_t kind, enum form form, const union value *value, socklen_t octets)
{
	put_8(kind);
	if (kind == VALUE_NUMBER) {
		uint64_t number = (uint64_t)value_number(form, value);
		put_32((uint32_t)(number >> 32));
		put_32((uint32_t)number);
	} else if (kind == VALUE_TEXT) {
		size_t length = strnlen(value->text, octets);
		put_16((uint16_t)length);
		put(value->text, length);
	} else {
		put(value, octets);
	}
}

static void on_get_option(struct message *m)
{
	char name[64];
	static union value value;
	struct socket *s = take_socket(m);
	const struct option *option = take_option(m, name, sizeof name);
	uint8_t kind = take_8(m);
	enum form form = option == NULL ? FORM_OCTETS : option->form;
	uint8_t natural = is_number(form) ? VALUE_NUMBER : form == FORM_TEXT ? VALUE_TEXT : VALUE_OCTETS;
	if (kind == VALUE_ANY)
		kind = natural;
	if (option != NULL && kind != natural && kind != VALUE_OCTETS)
		complain(m, "the option's value is of another kind");
	if (!makes_sense(m))
		return;
	if (option == NULL) {
		reply_refusal(&m->origin, UNSUPPORTED, "this system has no socket option of that name");
		return;
	}
	socklen_t octets = value_octets(form);
	memset(&value, 0, sizeof value);
	if (getsockopt(s->object.fd, option->level, option->number, &value, &octets) < 0) {
		reply_error(&m->origin, errno, "");
		return;
	}
	begin_reply(&m->origin, SUCCESS);
	put_value(kind, form, &value, octets);
	end_message();
}

/* ---- What the stack says of a socket ---- */

static enum state state_by_number(unsigned number)
{
#ifdef __linux__
	/* include/net/tcp_states.h; 12 is TCP_NEW_SYN_RECV. */
	static const uint8_t states[] = {
		STATE_UNKNOWN,	  STATE_ESTABLISHED, STATE_SYN_SENT, STATE_SYN_RECEIVED, STATE_FIN_WAIT_1,
		STATE_FIN_WAIT_2, STATE_TIME_WAIT,   STATE_CLOSED,   STATE_CLOSE_WAIT,	 STATE_LAST_ACK,
		STATE_LISTEN,	  STATE_CLOSING,     STATE_SYN_RECEIVED,
	};
#else
	/* netinet/tcp_fsm.h of the BSDs. */
	static const uint8_t states[] = {
		STATE_CLOSED,	  STATE_LISTEN,	     STATE_SYN_SENT, STATE_SYN_RECEIVED, STATE_ESTABLISHED,
		STATE_CLOSE_WAIT, STATE_FIN_WAIT_1,  STATE_CLOSING,  STATE_LAST_ACK,	 STATE_FIN_WAIT_2,
		STATE_TIME_WAIT,
	};
#endif
	return number < sizeof states ? states[number] : STATE_UNKNOWN;
}

#if !defined(TCP_INFO) && defined(TCP_CONNECTION_INFO)
#define TCP_INFO TCP_CONNECTION_INFO /* macOS; its first octet is the state as well */
#endif

/* The octets of TCP_INFO, its first being the state; 0 with errno when there are none. */
static socklen_t tcp_info(int fd, uint8_t *info, socklen_t octets)
{
#ifdef TCP_INFO
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &octets) == 0 ? octets : 0;
#else
	(void)fd, (void)info, (void)octets;
	errno = EOPNOTSUPP;
	return 0;
#endif
}

static void on_info(struct message *m)
{
	uint8_t info[1024];
	struct socket *s = take_socket(m);
	if (!makes_sense(m))
		return;
	socklen_t octets = tcp_info(s->object.fd, info, sizeof info);
	if (octets == 0) {
		if (errno == EOPNOTSUPP)
			reply_refusal(&m->origin, UNSUPPORTED, "this system has no TCP_INFO");
		else
			reply_error(&m->origin, errno, "");
		return;
	}
	begin_reply(&m->origin, SUCCESS);
#ifdef __linux__
	put_8(1);
	put_8((uint8_t)state_by_number(info[0]));
	put(info, octets);
#else
	put_8(0);
	put_8((uint8_t)state_by_number(info[0]));
#endif
	end_message();
}

#ifdef __linux__

static void on_queues(struct message *m)
{
	int received, sent, unsent;
	struct socket *s = take_socket(m);
	if (!makes_sense(m))
		return;
	int fd = s->object.fd;
	if (ioctl(fd, SIOCINQ, &received) < 0 || ioctl(fd, SIOCOUTQ, &sent) < 0 ||
	    ioctl(fd, SIOCOUTQNSD, &unsent) < 0) {
		reply_error(&m->origin, errno, "");
		return;
	}
	begin_reply(&m->origin, SUCCESS);
	put_32((uint32_t)received);
	put_32((uint32_t)sent);
	put_32((uint32_t)unsent);
	end_message();
}

#else

static void on_queues(struct message *m)
{
	take_socket(m);
	if (makes_sense(m))
		reply_refusal(&m->origin, UNSUPPORTED, "this system does not tell what was never sent");
}

#endif

static void on_at_mark(struct message *m)
{
	struct socket *s = take_socket(m);
	if (!makes_sense(m))
		return;
	int is_at_mark = sockatmark(s->object.fd);
	if (is_at_mark < 0) {
		reply_error(&m->origin, errno, "");
		return;
	}
	begin_reply(&m->origin, SUCCESS);
	put_8(is_at_mark != 0);
	end_message();
}

static void on_error(struct message *m)
{
	struct socket *s = take_socket(m);
	if (!makes_sense(m))
		return;
	int number = take_error(s);
	begin_reply(&m->origin, SUCCESS);
	put_text(number == 0 ? "" : errno_name(number));
	end_message();
}

static void on_poll(struct message *m)
{
	struct socket *s = take_socket(m);
	if (!makes_sense(m))
		return;
	struct pollfd now = { .fd = s->object.fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP };
	if (poll(&now, 1, 0) < 0) {
		reply_error(&m->origin, errno, "");
		return;
	}
	int seen = now.revents;
	begin_reply(&m->origin, SUCCESS);
	put_8((uint8_t)((seen & POLLIN ? IS_READABLE : 0) | (seen & POLLOUT ? IS_WRITABLE : 0) |
	    (seen & POLLPRI ? IS_URGENT : 0) | (seen & POLLRDHUP ? IS_PEER_CLOSED : 0) |
	    (seen & POLLHUP ? IS_HUNG_UP : 0) | (seen & POLLERR || s->pending_error != 0 ? IS_ERROR : 0)));
	end_message();
}

/* ---- Events ---- */

static void on_watch(struct message *m)
{
	struct socket *s = take_socket(m);
	uint8_t mask = take_8(m);
	if (mask >= 1u << EVENT_STATE)
		complain(m, "there are no such events");
	if (!makes_sense(m))
		return;
	untouch(s);
	s->watched = mask;
	s->said = 0;
	s->state_said = STATE_UNKNOWN;
	touch(s);
	if (mask != 0)
		attend(s);
	reply_done(&m->origin);
}

static void begin_event(const struct socket *s, enum event event)
{
	begin_message(EVENT_TYPE, SUCCESS, 0, s->object.handle);
	put_8((uint8_t)event);
}

static short watched_events(const struct socket *s)
{
	/* Once said, a thing is looked at again only when a request may have ended it. */
	uint8_t asked = s->is_touched ? s->watched : s->watched & (uint8_t)~s->said;
	short events = 0;
	if (asked & BIT(s->is_listening ? EVENT_ACCEPTABLE : EVENT_READABLE))
		events |= POLLIN;
	if (asked & BIT(EVENT_END))
		events |= POLLRDHUP != 0 ? POLLRDHUP : POLLIN;
	return events;
}

static bool has_ended(const struct socket *s, short seen)
{
	char octet;
	if (POLLRDHUP != 0 || (seen & POLLIN) == 0)
		return (seen & POLLRDHUP) != 0;
	return recv(s->object.fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/*
 * Linux lets nobody look at a pending error without clearing it: what was read for the event is kept for who
 * asks later.
 */
static void hold_error(struct socket *s)
{
	if (s->pending_error == 0)
		s->pending_error = take_error(s);
	if (s->pending_error == 0)
		drain_error_queue(s->object.fd);
}

static void say_state(struct socket *s)
{
	uint8_t number;
	if (tcp_info(s->object.fd, &number, 1) == 0)
		return;
	uint8_t state = (uint8_t)state_by_number(number);
	if (state == s->state_said)
		return;
	s->state_said = state;
	begin_event(s, EVENT_STATE);
	put_8(state);
	end_message();
}

static void say_events(struct socket *s, short seen)
{
	uint8_t now = 0;
	if (seen & POLLIN)
		now |= BIT(s->is_listening ? EVENT_ACCEPTABLE : EVENT_READABLE);
	if (has_ended(s, seen))
		now |= BIT(EVENT_END);
	if ((seen & POLLERR) != 0 && (s->watched & BIT(EVENT_ERROR)) != 0)
		hold_error(s);
	if (s->pending_error != 0)
		now |= BIT(EVENT_ERROR);
	if (s->is_touched)
		s->said &= now;
	untouch(s);
	uint8_t news = now & s->watched & (uint8_t)~s->said;
	s->said |= news;
	for (enum event event = EVENT_ACCEPTABLE; event <= EVENT_ERROR; event++) {
		if ((news & BIT(event)) == 0)
			continue;
		begin_event(s, event);
		if (event == EVENT_ERROR)
			put_text(errno_name(s->pending_error));
		end_message();
	}
	if (s->watched & BIT(EVENT_STATE))
		say_state(s);
}

/* ---- Requests about the agent ---- */

static void on_hello(struct message *m)
{
	struct utsname system;
	char text[sizeof system * 2];
	uint16_t lowest = take_16(m), highest = take_16(m);
	if (!makes_sense(m))
		return;
	if (lowest > HIGHEST_VERSION || highest < LOWEST_VERSION) {
		reply_refusal(&m->origin, UNSUPPORTED, "this agent speaks version 1 of the protocol only");
		return;
	}
	if (uname(&system) < 0) {
		reply_error(&m->origin, errno, "");
		return;
	}
	begin_reply(&m->origin, SUCCESS);
	put_16(HIGHEST_VERSION);
	put_32(capabilities);
	put_32(MESSAGE_MOST);
	put_32(objects.most[IS_SOCKET]);
	snprintf(text, sizeof text, "%s@%s", system.sysname, system.release);
	for (char *c = text; *c != '@' && *c != '\0'; c++)
		*c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
	put_text(text);
	snprintf(text, sizeof text, "%s %s %s %s", system.sysname, system.release, system.version,
	    system.machine);
	put_text(text);
	end_message();
}

static bool cancel_in(struct socket *s, enum queue queue, uint32_t id)
{
	struct waiting *before = NULL;
	for (struct waiting *w = s->first[queue]; w != NULL; before = w, w = w->next) {
		if (w->origin.id != id)
			continue;
		if (queue == SENDING) {
			reply_sent(w, CANCELLED);
		} else {
			begin_reply(&w->origin, CANCELLED);
			end_message();
		}
		if (before == NULL) {
			forget_first(s, queue);
			return true;
		}
		before->next = w->next;
		if (s->last[queue] == w)
			s->last[queue] = before;
		waiting_count--;
		waiting_octets -= w->kept;
		free(w);
		return true;
	}
	return false;
}

static void on_cancel(struct message *m)
{
	uint32_t id = take_32(m);
	bool was_waiting = false;
	if (!makes_sense(m))
		return;
	for (struct socket *s = attended; s != NULL && !was_waiting; s = s->next_attended)
		for (int queue = 0; queue < QUEUES_OF_SOCKET && !was_waiting; queue++)
			was_waiting = cancel_in(s, (enum queue)queue, id);
	begin_reply(&m->origin, SUCCESS);
	put_8(was_waiting);
	end_message();
}

static void on_sockets(struct message *m)
{
	if (makes_sense(m))
		reply_refusal(&m->origin, UNSUPPORTED, "this agent does not list sockets");
}

/* ---- Network namespaces and netlink ---- */

enum { PROTOCOLS = 32 };

struct namespace {
	struct object object;
#ifdef __linux__
	/* Netlink sockets, opened when first asked for, by protocol; -1: none. */
	int netlink[PROTOCOLS];
#endif
};

static struct namespace own;

static struct namespace *take_namespace(struct message *m, uint32_t handle)
{
	struct object *object = handle == 0 ? &own.object : find_object(handle, IS_NAMESPACE);
	if (object == NULL)
		complain(m, "there is no such namespace");
	return (struct namespace *)object;
}

#ifdef __linux__

/*
 * Where the agent is. It goes elsewhere only when something is to be opened there, for each step costs a
 * system call.
 */
static struct namespace *current = &own;

static bool enter(struct namespace *namespace)
{
	if (namespace == current)
		return true;
	if (setns(namespace->object.fd, CLONE_NEWNET) < 0)
		return false;
	current = namespace;
	return true;
}

static void prepare_namespaces(void)
{
	memset(own.netlink, -1, sizeof own.netlink);
	own.object.fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	capabilities |= HAS_NETLINK;
	/* Who may go to where he is already may make new ones as well. */
	if (own.object.fd >= 0 && setns(own.object.fd, CLONE_NEWNET) == 0)
		capabilities |= HAS_NAMESPACES;
}

static void on_namespace_new(struct message *m)
{
	int fd = -1;
	struct namespace *namespace = NULL;
	if (!makes_sense(m))
		return;
	if (unshare(CLONE_NEWNET) == 0) {
		/* Neither here nor there until it is known where the agent is. */
		current = NULL;
		fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		namespace = fd < 0 ? NULL : new_object(IS_NAMESPACE, sizeof *namespace, fd);
	}
	if (namespace == NULL) {
		int number = errno;
		if (fd >= 0)
			close(fd);
		if (!enter(&own))
			die("cannot go back to the agent's own network namespace");
		reply_error(&m->origin, number, "");
		return;
	}
	current = namespace;
	memset(namespace->netlink, -1, sizeof namespace->netlink);
	struct origin origin = m->origin;
	origin.handle = namespace->object.handle;
	begin_reply(&origin, SUCCESS);
	put_32((uint32_t)fd);
	end_message();
}

static void free_namespace(struct namespace *namespace)
{
	if (current == namespace && !enter(&own))
		die("cannot go back to the agent's own network namespace");
	for (int i = 0; i < PROTOCOLS; i++)
		if (namespace->netlink[i] >= 0)
			close(namespace->netlink[i]);
	close(namespace->object.fd);
	forget_object(&namespace->object);
}

static void enlarge_receive_buffer(int fd, int octets)
{
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
}

static int netlink_descriptor(struct namespace *namespace, uint16_t protocol)
{
	if (protocol >= PROTOCOLS) {
		errno = EPROTONOSUPPORT;
		return -1;
	}
	int fd = namespace->netlink[protocol];
	if (fd >= 0)
		return fd;
	if (!enter(namespace))
		return -1;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	if (fd >= 0)
		enlarge_receive_buffer(fd, NETLINK_BUFFER_OCTETS);
	namespace->netlink[protocol] = fd;
	return fd;
}

/*
 * The kernel has answered, or begun to, when send(2) returns: what can be read without waiting is all there
 * is. 0, or an errno.
 */
static int put_answers(int fd)
{
	for (;;) {
		size_t room = MESSAGE_MOST - (output.to - output.open - LENGTH_OCTETS);
		ssize_t octets = recv(fd, output.octets + output.to, room, MSG_DONTWAIT | MSG_TRUNC);
		if (octets < 0)
			return would_wait(errno) ? 0 : errno;
		if ((size_t)octets > room)
			return EMSGSIZE;
		output.to += (size_t)octets;
	}
}

static void on_netlink(struct message *m)
{
	struct namespace *namespace = take_namespace(m, take_32(m));
	uint16_t protocol = take_16(m);
	size_t octets = m->left;
	const uint8_t *question = take(m, octets);
	if (octets == 0)
		complain(m, "there is no netlink message");
	if (!makes_sense(m))
		return;
	int fd = netlink_descriptor(namespace, protocol);
	if (fd < 0 || send(fd, question, octets, 0) < 0) {
		reply_error(&m->origin, errno, "");
		return;
	}
	begin_reply(&m->origin, SUCCESS);
	int number = put_answers(fd);
	if (number == 0) {
		end_message();
		return;
	}
	drop_message();
	/* The rest of the answer must not be taken for the next one's. */
	close(fd);
	namespace->netlink[protocol] = -1;
	reply_error(&m->origin, number, number == EMSGSIZE ? "the answer is longer than a message" : "");
}

#else

static bool enter(struct namespace *namespace)
{
	(void)namespace;
	return true;
}

static void prepare_namespaces(void)
{
}

static void free_namespace(struct namespace *namespace)
{
	(void)namespace;
}

static void on_namespace_new(struct message *m)
{
	if (makes_sense(m))
		reply_refusal(&m->origin, UNSUPPORTED, "this system has no network namespaces");
}

static void on_netlink(struct message *m)
{
	reply_refusal(&m->origin, UNSUPPORTED, "this system has no netlink");
}

#endif

static void on_namespace_free(struct message *m)
{
	struct namespace *namespace = m->origin.handle == 0 ? NULL : take_namespace(m, m->origin.handle);
	if (namespace == NULL)
		complain(m, "there is no such namespace");
	if (!makes_sense(m))
		return;
	free_namespace(namespace);
	reply_done(&m->origin);
}

static void on_socket(struct message *m)
{
	uint8_t family = take_8(m);
	struct namespace *namespace = take_namespace(m, take_32(m));
	if (family != 4 && family != 6)
		complain(m, "a socket's family is 4 or 6");
	if (!makes_sense(m))
		return;
	int fd = enter(namespace) ? new_descriptor(family == 6 ? AF_INET6 : AF_INET) : -1;
	struct socket *s = fd < 0 ? NULL : new_object(IS_SOCKET, sizeof *s, fd);
	if (s == NULL) {
		int number = errno;
		if (fd >= 0)
			close(fd);
		reply_error(&m->origin, number, "");
		return;
	}
	s->local.any.sa_family = family == 6 ? AF_INET6 : AF_INET;
	struct origin origin = m->origin;
	origin.handle = s->object.handle;
	reply_done(&origin);
}

/* ---- Files ---- */

static void on_open(struct message *m)
{
	static char path[PATH_MOST];
	struct namespace *namespace = take_namespace(m, take_32(m));
	uint16_t flags = take_16(m);
	take_text(m, path, sizeof path);
	if ((flags & (FILE_READ | FILE_WRITE)) == 0 ||
	    flags > (FILE_READ | FILE_WRITE | FILE_CREATE | FILE_TRUNCATE))
		complain(m, "a file is opened to read, to write, or both");
	if (!makes_sense(m))
		return;
	int mode = (flags & FILE_WRITE) == 0 ? O_RDONLY : (flags & FILE_READ) == 0 ? O_WRONLY : O_RDWR;
	mode |= (flags & FILE_CREATE ? O_CREAT : 0) | (flags & FILE_TRUNCATE ? O_TRUNC : 0);
	int fd = enter(namespace) ? open(path, mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644) : -1;
	struct object *file = fd < 0 ? NULL : new_object(IS_FILE, sizeof *file, fd);
	if (file == NULL) {
		int number = errno;
		if (fd >= 0)
			close(fd);
		reply_error(&m->origin, number, "");
		return;
	}
	struct origin origin = m->origin;
	origin.handle = file->handle;
	reply_done(&origin);
}

static struct object *take_file(struct message *m)
{
	struct object *file = find_object(m->origin.handle, IS_FILE);
	if (file == NULL)
		complain(m, "the handle is no file's");
	return file;
}

/*
 * Chunk by chunk, for where one read(2) ends may mean something: a page of the kernel's trace. False with
 * errno: an error, and no chunk.
 */
static bool put_chunks(int fd, size_t most)
{
	enum { SIZE_OCTETS = 4 };
	for (int chunks = 0; chunks < CHUNKS_MOST; chunks++) {
		size_t room = MESSAGE_MOST - (output.to - output.open - LENGTH_OCTETS);
		if (most + SIZE_OCTETS > room)
			return true;
		ssize_t octets = read(fd, output.octets + output.to + SIZE_OCTETS, most);
		if (octets < 0)
			return chunks > 0 || would_wait(errno);
		if (octets == 0)
			return true;
		put_32((uint32_t)octets);
		output.to += (size_t)octets;
	}
	return true;
}

static void on_read(struct message *m)
{
	enum { CHUNK_MOST = MESSAGE_MOST - HEADER_OCTETS - 4 };
	struct object *file = take_file(m);
	uint32_t most = take_32(m);
	if (most == 0)
		complain(m, "at least one octet must be asked for");
	if (!makes_sense(m))
		return;
	begin_reply(&m->origin, SUCCESS);
	if (put_chunks(file->fd, most > CHUNK_MOST ? CHUNK_MOST : most)) {
		end_message();
		return;
	}
	drop_message();
	reply_error(&m->origin, errno, "");
}

static void on_write(struct message *m)
{
	struct object *file = take_file(m);
	size_t octets = m->left;
	const uint8_t *data = take(m, octets);
	if (!makes_sense(m))
		return;
	ssize_t written = write(file->fd, data, octets);
	if (written < 0) {
		reply_error(&m->origin, errno, "");
		return;
	}
	begin_reply(&m->origin, SUCCESS);
	put_32((uint32_t)written);
	end_message();
}

static void free_file(struct object *file)
{
	close(file->fd);
	forget_object(file);
}

static void on_close_file(struct message *m)
{
	struct object *file = take_file(m);
	if (!makes_sense(m))
		return;
	free_file(file);
	reply_done(&m->origin);
}

/* ---- From octets to requests ---- */

static const struct {
	void (*handle)(struct message *m);
	/* The capability that it needs; 0: none. */
	uint32_t needs;
} requests[REQUEST_TYPES] = {
	[HELLO] = { on_hello, 0 },
	[SOCKET] = { on_socket, 0 },
	[BIND] = { on_bind, 0 },
	[LISTEN] = { on_listen, 0 },
	[CONNECT] = { on_connect, 0 },
	[ESTABLISHED] = { on_established, 0 },
	[ACCEPT] = { on_accept, 0 },
	[SEND] = { on_send, 0 },
	[RECEIVE] = { on_receive, 0 },
	[SHUTDOWN] = { on_shutdown, 0 },
	[CLOSE] = { on_close, 0 },
	[ABORT] = { on_abort, 0 },
	[SET_OPTION] = { on_set_option, 0 },
	[GET_OPTION] = { on_get_option, 0 },
	[INFO] = { on_info, 0 },
	[QUEUES] = { on_queues, 0 },
	[AT_MARK] = { on_at_mark, 0 },
	[ERROR] = { on_error, 0 },
	[POLL] = { on_poll, 0 },
	[WATCH] = { on_watch, 0 },
	[CANCEL] = { on_cancel, 0 },
	[SOCKETS] = { on_sockets, 0 },
	[NAMESPACE_NEW] = { on_namespace_new, HAS_NAMESPACES },
	[NAMESPACE_FREE] = { on_namespace_free, HAS_NAMESPACES },
	[NETLINK] = { on_netlink, HAS_NETLINK },
	[OPEN] = { on_open, HAS_FILES },
	[READ] = { on_read, HAS_FILES },
	[WRITE] = { on_write, HAS_FILES },
	[CLOSE_FILE] = { on_close_file, HAS_FILES },
};

static struct {
	size_t to;
	/* A whole request stands there, and waits for room in the output. */
	bool is_stalled;
	uint8_t octets[INPUT_OCTETS];
} input;

static void handle_message(const uint8_t *octets, size_t length)
{
	struct message m = { .at = octets, .left = length };
	m.origin.type = take_16(&m);
	uint16_t status = take_16(&m);
	m.origin.id = take_32(&m);
	m.origin.handle = take_32(&m);
	uint16_t type = m.origin.type;
	if (type >= REQUEST_TYPES || requests[type].handle == NULL) {
		m.origin.type &= (uint16_t)~REPLY_BIT;
		reply_refusal(&m.origin, UNSUPPORTED, "there is no such request");
	} else if ((requests[type].needs & ~capabilities) != 0) {
		reply_refusal(&m.origin, UNSUPPORTED, "this agent does not do that here");
	} else {
		if (status != 0)
			complain(&m, "a request's status is 0");
		requests[type].handle(&m);
	}
}

/* All whole requests that have come. False when nobody can tell any more where the next one begins. */
static bool handle_input(void)
{
	size_t from = 0;
	bool is_sound = true;
	input.is_stalled = false;
	while (input.to - from >= LENGTH_OCTETS) {
		struct message head = { .at = input.octets + from, .left = LENGTH_OCTETS };
		size_t length = take_32(&head);
		is_sound = length >= HEADER_OCTETS && length <= MESSAGE_MOST;
		if (!is_sound || input.to - from - LENGTH_OCTETS < length)
			break;
		input.is_stalled = !has_room();
		if (input.is_stalled)
			break;
		handle_message(head.at, length);
		from += LENGTH_OCTETS + length;
	}
	if (from > 0)
		memmove(input.octets, input.octets + from, input.to - from);
	input.to -= from;
	return is_sound;
}

/* ---- Transports ---- */

static struct {
	int in, out;
	/* Cut into frames on a device. */
	bool is_framed;
	size_t frame_most;
	uint8_t header[14];
} transport = { .in = -1, .out = -1 };

enum { ETHERTYPE_AGENT = 0x88b5, FRAME_HEADER_OCTETS = 14, FRAME_LENGTH_OCTETS = 2 };

static size_t input_at_once(void)
{
	return transport.is_framed ? FRAMES_AT_ONCE * FRAME_OCTETS : STREAM_AT_ONCE;
}

static bool is_temporary(int number)
{
	return would_wait(number) || number == EINTR;
}

/* False at the end. */
static bool take_stream(void)
{
	ssize_t octets = read(transport.in, input.octets + input.to, INPUT_OCTETS - input.to);
	if (octets < 0)
		return is_temporary(errno);
	input.to += (size_t)octets;
	return octets > 0;
}

/* False when the other side will never take it. */
static bool send_stream(void)
{
	ssize_t octets = write(transport.out, output.octets + output.from, output.to - output.from);
	if (octets < 0)
		return is_temporary(errno);
	output.from += (size_t)octets;
	return true;
}

#ifdef __linux__

static void take_frame(const uint8_t *frame, size_t octets, const struct sockaddr_ll *from)
{
	size_t before = FRAME_HEADER_OCTETS + FRAME_LENGTH_OCTETS;
	if (from->sll_pkttype == PACKET_OUTGOING || octets < before)
		return;
	size_t count = (size_t)frame[FRAME_HEADER_OCTETS] << 8 | frame[FRAME_HEADER_OCTETS + 1];
	if (count > octets - before)
		return;
	memcpy(input.octets + input.to, frame + before, count);
	input.to += count;
}

/*
 * The stream cannot go on when a part of it is missing; whoever waits for an answer must find why there is
 * none.
 */
static void see_that_none_was_lost(int count)
{
	static bool were_many;
	struct tpacket_stats seen = { .tp_drops = 0 };
	socklen_t octets = sizeof seen;
	/* Where some were lost, many came: asked only then, it costs nothing. */
	bool is_asked = were_many || count == FRAMES_AT_ONCE;
	were_many = count == FRAMES_AT_ONCE;
	if (!is_asked || getsockopt(transport.in, SOL_PACKET, PACKET_STATISTICS, &seen, &octets) < 0 ||
	    seen.tp_drops == 0)
		return;
	errno = 0;
	die("frames were lost, for more came at once than the receive buffer holds");
}

/* With `waits`, until there is one. */
static bool take_frames(bool waits)
{
	static uint8_t frames[FRAMES_AT_ONCE][FRAME_OCTETS];
	struct sockaddr_ll from[FRAMES_AT_ONCE];
	struct iovec parts[FRAMES_AT_ONCE];
	struct mmsghdr messages[FRAMES_AT_ONCE];
	memset(messages, 0, sizeof messages);
	for (int i = 0; i < FRAMES_AT_ONCE; i++) {
		parts[i] = (struct iovec){ .iov_base = frames[i], .iov_len = FRAME_OCTETS };
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &parts[i], .msg_iovlen = 1
		};
	}
	/* Errors (the device was down) are told once and pass; there is no end of a device. */
	int flags = waits ? MSG_WAITFORONE : MSG_DONTWAIT;
	int count = recvmmsg(transport.in, messages, FRAMES_AT_ONCE, flags, NULL);
	for (int i = 0; i < count; i++)
		take_frame(frames[i], messages[i].msg_len, &from[i]);
	see_that_none_was_lost(count);
	return true;
}

static bool send_frames(void)
{
	uint8_t headers[FRAMES_AT_ONCE][FRAME_HEADER_OCTETS + FRAME_LENGTH_OCTETS];
	struct iovec parts[FRAMES_AT_ONCE][2];
	struct mmsghdr messages[FRAMES_AT_ONCE];
	size_t ends[FRAMES_AT_ONCE], at = output.from;
	unsigned count = 0;
	memset(messages, 0, sizeof messages);
	for (; count < FRAMES_AT_ONCE && at < output.to; count++) {
		size_t octets = output.to - at < transport.frame_most ? output.to - at : transport.frame_most;
		memcpy(headers[count], transport.header, FRAME_HEADER_OCTETS);
		headers[count][FRAME_HEADER_OCTETS] = (uint8_t)(octets >> 8);
		headers[count][FRAME_HEADER_OCTETS + 1] = (uint8_t)octets;
		parts[count][0] = (struct iovec){ .iov_base = headers[count], .iov_len = sizeof headers[count] };
		parts[count][1] = (struct iovec){ .iov_base = output.octets + at, .iov_len = octets };
		messages[count].msg_hdr = (struct msghdr){ .msg_iov = parts[count], .msg_iovlen = 2 };
		ends[count] = at += octets;
	}
	int sent = sendmmsg(transport.out, messages, count, MSG_DONTWAIT);
	if (sent > 0)
		output.from = ends[sent - 1];
	/* ENOBUFS, ENETDOWN: nothing tells when it is over. */
	output.is_refused = sent < 0 && !would_wait(errno);
	return true;
}

#else

static bool take_frames(bool waits)
{
	(void)waits;
	return false;
}

static bool send_frames(void)
{
	return false;
}

#endif

static bool take_input(bool waits)
{
	return transport.is_framed ? take_frames(waits) : take_stream();
}

/* As much as the other side takes now. */
static bool send_output(void)
{
	output.is_refused = false;
	while (output.from < output.to) {
		size_t from = output.from;
		if (!(transport.is_framed ? send_frames() : send_stream()))
			return false;
		if (output.from == from)
			break;
	}
	memmove(output.octets, output.octets + output.from, output.to - output.from);
	output.to -= output.from;
	output.from = 0;
	return true;
}

/* ---- The loop ---- */

static struct {
	struct pollfd *all;
	/* The socket that each is for; NULL for the transport and for lingering children. */
	struct socket **sockets;
	size_t count, room;
	bool has_resting;
} polled;

static bool make_room_to_poll(size_t room)
{
	struct pollfd *all = realloc(polled.all, room * sizeof *all);
	if (all == NULL)
		return false;
	polled.all = all;
	struct socket **sockets = realloc(polled.sockets, room * sizeof *sockets);
	if (sockets == NULL)
		return false;
	polled.sockets = sockets;
	polled.room = room;
	return true;
}

static void poll_for(int fd, short events, struct socket *s)
{
	if (polled.count == polled.room && !make_room_to_poll(polled.room * 2))
		return; /* it will be looked at when there is memory again */
	polled.all[polled.count] = (struct pollfd){ .fd = fd, .events = events };
	polled.sockets[polled.count++] = s;
}

static void poll_for_socket(struct socket *s)
{
	short events = watched_events(s);
	bool waits = has_waiting(s);
	for (int queue = 0; queue < QUEUES_OF_SOCKET; queue++)
		if (s->first[queue] != NULL)
			events |= queues[queue].events;
	if (!waits && s->watched == 0)
		disregard(s);
	else if (s->is_resting)
		polled.has_resting = true;
	else if (waits || !s->is_quiet)
		poll_for(s->object.fd, events, s);
	s->is_resting = false;
}

enum { INPUT_SLOT, OUTPUT_SLOT, FIRST_LINGERING_SLOT };

static void choose_polled(void)
{
	bool has_output = output.from < output.to && !output.is_refused;
	bool takes_input = has_room() && INPUT_OCTETS - input.to >= input_at_once();
	polled.count = 0;
	polled.has_resting = false;
	poll_for(takes_input ? transport.in : -1, POLLIN, NULL);
	poll_for(has_output ? transport.out : -1, POLLOUT, NULL);
	for (int i = 0; i < lingering_count; i++)
		poll_for(has_room() ? lingering[i].fd : -1, POLLIN, NULL);
	if (!has_room())
		return;
	for (struct socket *s = attended, *next; s != NULL; s = next) {
		next = s->next_attended;
		poll_for_socket(s);
	}
}

static int poll_time_out(void)
{
	if (has_room() && (input.is_stalled || touched_count > 0))
		return 0;
	return output.is_refused || polled.has_resting ? RETRY_MS : -1;
}

/* Then taking it can wait for it, and poll(2) is not needed. A stream is read without waiting. */
static bool awaits_frames_only(void)
{
	return transport.is_framed && polled.count == FIRST_LINGERING_SLOT && polled.all[INPUT_SLOT].fd >= 0 &&
	    polled.all[OUTPUT_SLOT].fd < 0 && poll_time_out() < 0;
}

static void serve_socket(struct socket *s, short seen)
{
	short trouble = POLLERR | POLLHUP | POLLNVAL;
	bool was_tried = false;
	s->seen = seen;
	s->has_moved = false;
	if (s->watched != 0)
		say_events(s, seen);
	for (int queue = 0; queue < QUEUES_OF_SOCKET; queue++) {
		if (s->first[queue] == NULL || (seen & (queues[queue].events | trouble)) == 0)
			continue;
		serve_queue(s, (enum queue)queue);
		was_tried = true;
	}
	if (!has_room() || s->has_moved)
		return;
	if (was_tried && (seen & POLLERR) != 0)
		drain_error_queue(s->object.fd);
	s->is_resting = was_tried;
	s->is_quiet = !has_waiting(s) && (seen & trouble) != 0;
}

static void serve_polled(int lingering_polled)
{
	for (int i = lingering_polled - 1; i >= 0; i--) {
		if (polled.all[FIRST_LINGERING_SLOT + i].revents == 0)
			continue;
		reply_done(&lingering[i].origin);
		end_lingering(i);
	}
	for (size_t i = (size_t)(FIRST_LINGERING_SLOT + lingering_polled); i < polled.count && has_room(); i++) {
		struct socket *s = polled.sockets[i];
		if (polled.all[i].revents != 0 || s->is_touched || (s->watched & BIT(EVENT_STATE)) != 0)
			serve_socket(s, polled.all[i].revents);
	}
}

/* One client, from its first request to its end. */
static void serve_client(void)
{
	for (;;) {
		choose_polled();
		int lingering_polled = lingering_count;
		bool waits = awaits_frames_only();
		if (!waits && poll(polled.all, (nfds_t)polled.count, poll_time_out()) < 0) {
			if (errno == EINTR || errno == EAGAIN || errno == ENOMEM)
				continue;
			die("poll");
		}
		serve_polled(lingering_polled);
		bool is_over = (waits || polled.all[INPUT_SLOT].revents != 0) && !take_input(waits);
		is_over = !handle_input() || is_over;
		if (!send_output() || is_over)
			return;
	}
}

/* The client will send no more, but may still read what its last requests gave. */
static void say_farewell(void)
{
	struct pollfd slot = { .fd = transport.out, .events = POLLOUT };
	while (output.from < output.to && poll(&slot, 1, FAREWELL_MS) > 0)
		if (!send_output())
			return;
}

static void free_socket(struct socket *s)
{
	for (int queue = 0; queue < QUEUES_OF_SOCKET; queue++)
		while (s->first[queue] != NULL)
			forget_first(s, (enum queue)queue);
	set_linger_zero(s->object.fd);
	close(release_socket(s));
}

static void free_all(void)
{
	for (size_t i = 0; i < BUCKETS; i++)
		while (objects.buckets[i] != NULL) {
			struct object *object = objects.buckets[i];
			if (object->kind == IS_SOCKET)
				free_socket((struct socket *)object);
			else if (object->kind == IS_NAMESPACE)
				free_namespace((struct namespace *)object);
			else
				free_file(object);
		}
	while (lingering_count > 0) {
		kill(lingering[lingering_count - 1].child, SIGKILL);
		end_lingering(lingering_count - 1);
	}
	input.to = 0;
	input.is_stalled = false;
	output.from = output.to = 0;
}

static void serve(int in, int out)
{
	transport.in = in;
	transport.out = out;
	serve_client();
	say_farewell();
	free_all();
}

/* ---- Ways to be reached ---- */

static void serve_stdio(void)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);
	if (flags < 0 || fcntl(STDOUT_FILENO, F_SETFL, flags | O_NONBLOCK) < 0)
		die("stdout");
	serve(STDIN_FILENO, STDOUT_FILENO);
	/* It may be a terminal, and others' as well. */
	fcntl(STDOUT_FILENO, F_SETFL, flags);
}

static void serve_listener(int listener)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd < 0 || !set_unblocking(fd)) {
			if (fd >= 0)
				close(fd);
			else if (errno != EINTR && errno != ECONNABORTED)
				die("accept");
			continue;
		}
		int on = 1;
		/* Fails on a unix socket, which does not wait for more anyway. */
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		serve(fd, fd);
		close(fd);
	}
}

/* HOST:PORT with a numeric address: a static program cannot ask for names. No host: all addresses. */
static bool parse_address(const char *text, union address *address)
{
	char host[INET6_ADDRSTRLEN + 2], *end;
	const char *colon = strrchr(text, ':');
	size_t octets = colon == NULL ? sizeof host : (size_t)(colon - text);
	if (octets >= sizeof host)
		return false;
	unsigned long port = strtoul(colon + 1, &end, 10);
	if (end == colon + 1 || *end != '\0' || port > UINT16_MAX)
		return false;
	bool is_6 = text[0] == '[' && text[octets - 1] == ']';
	octets -= is_6 ? 2 : 0;
	memcpy(host, text + (is_6 ? 1 : 0), octets);
	host[octets] = '\0';
	memset(address, 0, sizeof *address);
	if (is_6) {
		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_port = htons((uint16_t)port);
		return inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1;
	}
	address->v4.sin_family = AF_INET;
	address->v4.sin_port = htons((uint16_t)port);
	return octets == 0 || inet_pton(AF_INET, host, &address->v4.sin_addr) == 1;
}

static void serve_tcp(const char *text)
{
	union address address;
	char host[INET6_ADDRSTRLEN];
	int on = 1;
	errno = 0;
	if (!parse_address(text, &address))
		die("--listen takes HOST:PORT, the host as a numeric address");
	int fd = socket(address.any.sa_family, SOCK_STREAM, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || bind(fd, &address.any, address_octets(&address)) < 0 ||
	    listen(fd, 1) < 0 || !local_address(fd, &address))
		die(text);
	bool is_6 = address.any.sa_family == AF_INET6;
	inet_ntop(address.any.sa_family, is_6 ? (void *)&address.v6.sin6_addr : (void *)&address.v4.sin_addr,
	    host, sizeof host);
	printf(is_6 ? "agent: listening at [%s]:%u\n" : "agent: listening at %s:%u\n", host, port_of(&address));
	fflush(stdout);
	serve_listener(fd);
}

static void serve_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat status;
	errno = ENAMETOOLONG;
	if (strlen(path) >= sizeof address.sun_path)
		die(path);
	strcpy(address.sun_path, path);
	/* What an agent before this one has left would be in the way. */
	if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode))
		unlink(path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1) < 0)
		die(path);
	printf("agent: listening at %s\n", path);
	fflush(stdout);
	serve_listener(fd);
}

#ifdef __linux__

static void serve_frames(const char *device)
{
	struct ifreq request;
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE_AGENT) };
	memset(&request, 0, sizeof request);
	errno = ENAMETOOLONG;
	if (strlen(device) >= sizeof request.ifr_name)
		die(device);
	strcpy(request.ifr_name, device);
	/* No protocol until it is bound: nothing of another device may slip in. */
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCGIFINDEX, &request) < 0)
		die(device);
	address.sll_ifindex = request.ifr_ifindex;
	if (ioctl(fd, SIOCGIFMTU, &request) < 0)
		die(device);
	size_t most = (size_t)request.ifr_mtu;
	transport.frame_most = (most > UINT16_MAX ? UINT16_MAX : most) - FRAME_LENGTH_OCTETS;
	if (ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		die(device);
	memset(transport.header, 0xff, 6);
	memcpy(transport.header + 6, request.ifr_hwaddr.sa_data, 6);
	transport.header[12] = ETHERTYPE_AGENT >> 8;
	transport.header[13] = ETHERTYPE_AGENT & 0xff;
	enlarge_receive_buffer(fd, FRAMES_BUFFER_OCTETS);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
		die(device);
	transport.is_framed = true;
	for (;;)
		serve(fd, fd);
}

/* ---- The first process of a guest kernel ---- */

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0) {
		/* A kernel without it has nothing to be told. */
	}
	close(fd);
}

static void mount_at(const char *type, const char *path)
{
	mkdir(path, 0755);
	mount(type, path, type, 0, NULL);
}

/*
 * Up, and silent: a device with IPv6 says things of its own accord, at times that are no part of any
 * scenario.
 */
static void bring_up(const char *device, bool is_silent)
{
	struct ifreq request;
	char path[128];
	if (strlen(device) >= sizeof request.ifr_name)
		return;
	if (is_silent) {
		snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6", device);
		write_file(path, "1");
	}
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	memset(&request, 0, sizeof request);
	strcpy(request.ifr_name, device);
	if (ioctl(fd, SIOCGIFFLAGS, &request) == 0) {
		request.ifr_flags |= IFF_UP;
		ioctl(fd, SIOCSIFFLAGS, &request);
	}
	close(fd);
}

/* Never returns. */
static void be_first_process(void)
{
	const char *control = getenv("LASTACK_CONTROL");
	if (control == NULL)
		control = "vec1";
	mount_at("proc", "/proc");
	mount_at("sysfs", "/sys");
	mount_at("tracefs", "/sys/kernel/tracing");
	mount_at("devtmpfs", "/dev");
	bring_up("lo", false);
	bring_up("vec0", true);
	bring_up(control, true);
	prepare_namespaces();
	serve_frames(control);
}

#endif

/* ---- main ---- */

/* As many descriptors as are wanted, or as many as an ordinary user gets. */
static void raise_limits(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	struct rlimit wanted = { .rlim_cur = DESCRIPTORS_WANTED, .rlim_max = DESCRIPTORS_WANTED };
	if (limit.rlim_max > wanted.rlim_max)
		wanted.rlim_max = limit.rlim_max;
	if (limit.rlim_cur < wanted.rlim_cur && setrlimit(RLIMIT_NOFILE, &wanted) < 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < objects.most[IS_SOCKET])
		objects.most[IS_SOCKET] = (unsigned)limit.rlim_cur;
}

static int usage(void)
{
	fputs("usage: agent [--sockets-only] [--stdio | --listen HOST:PORT | --unix PATH", stderr);
#ifdef __linux__
	fputs(" | --frames DEVICE", stderr);
#endif
	fputs("]\n", stderr);
	return 2;
}

static int serve_by(const char *way, const char *where)
{
	if (strcmp(way, "--stdio") == 0 && where == NULL)
		serve_stdio();
	else if (strcmp(way, "--listen") == 0 && where != NULL)
		serve_tcp(where);
	else if (strcmp(way, "--unix") == 0 && where != NULL)
		serve_unix(where);
#ifdef __linux__
	else if (strcmp(way, "--frames") == 0 && where != NULL)
		serve_frames(where);
#endif
	else
		return usage();
	return 0;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	raise_limits();
	if (!make_room_to_poll(POLLED_FIRST))
		die("no memory");
	capabilities = HAS_FILES | HAS_STATE_EVENT;
#ifdef __linux__
	capabilities |= HAS_TCP_INFO;
	/* By its name, for the first process of a container is no guest's. */
	is_first_process = getpid() == 1 && strcmp(argv[0], "/init") == 0;
	if (is_first_process)
		be_first_process();
#endif
	prepare_namespaces();
	if (argc > 1 && strcmp(argv[1], "--sockets-only") == 0) {
		capabilities &= ~(uint32_t)(HAS_NAMESPACES | HAS_NETLINK | HAS_FILES);
		argc--;
		argv++;
	}
	if (argc > 3)
		return usage();
	return serve_by(argc > 1 ? argv[1] : "--stdio", argc > 2 ? argv[2] : NULL);
}
