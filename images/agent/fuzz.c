/*
 * A fuzzer of the agent: throws requests at it that are right, nearly right and wrong, and looks that it
 * lives, answers each request at most once and in its form, and leaves nothing behind (with the sanitizers it
 * also looks into its memory).
 *
 *   gcc -g -O1 -std=gnu99 -fsanitize=address,undefined -fno-sanitize-recover=all -o fuzz fuzz.c
 *   ./fuzz [seconds [seed]]
 *
 * What it asks for is done: files are written, addresses connected to. So it first goes where that harms
 * nobody: it becomes an ordinary user, in namespaces of his own, in an empty folder as root of all files.
 * Where that is not allowed it ends with status 77. Linux only.
 */
#define main agent_main
#include "agent.c"
#undef main

#include <dirent.h>
#include <time.h>

enum {
	MESSAGES_OF_SESSION = 4000,
	MESSAGES_OF_FLOOD = 20000,
	/* Sent before the answers are looked at. */
	MESSAGES_AT_ONCE = 64,
	HANDLES_KEPT = 64,
	IDS_KEPT = 65536,
	/* One that counting does not come to. */
	HELLO_ID = 0x7e110000,
	HANGS_MS = 20000,
	FLOOD_MS = 5,
	/* What the agent may take: its limits (waiting data, both buffers) and the sanitizer's own share. */
	RESIDENT_MOST_MIB = 400,
	NOBODY = 65534,
	SKIPPED = 77,
};

/* ---- Chance ---- */

static uint64_t chance_state;

/* xorshift64*: the same numbers for the same seed everywhere. */
static uint64_t chance(void)
{
	chance_state ^= chance_state >> 12;
	chance_state ^= chance_state << 25;
	chance_state ^= chance_state >> 27;
	return chance_state * 0x2545f4914f6cdd1dULL >> 16;
}

static uint32_t below(uint32_t limit)
{
	return (uint32_t)(chance() % limit);
}

static bool one_in(uint32_t count)
{
	return below(count) == 0;
}

/* ---- The session that is under way ---- */

static struct {
	int fd;
	pid_t agent;
	uint64_t seed;
	uint32_t next_id;
	/* How many requests may still be answered, by the lower half of their id. */
	uint16_t unanswered[IDS_KEPT];
	struct {
		uint32_t handle;
		enum kind kind;
	} handles[HANDLES_KEPT];
	unsigned handle_count;
	bool has_said_hello;
	/* Answers are taken only when the agent takes no more: its output is full then. */
	bool is_flood;
	/* The agent has ended the connection, as it must where framing is lost. */
	bool is_over;
	uint8_t received[LENGTH_OCTETS + MESSAGE_MOST];
	size_t received_octets;
} session;

static uint64_t messages_sent, replies_seen, events_seen, sessions_done, successes;
static long resident_most;

static void fail(const char *what)
{
	fprintf(stderr, "fuzz: %s (seed %llu)\n", what, (unsigned long long)session.seed);
	if (session.agent > 0)
		kill(session.agent, SIGKILL);
	exit(1);
}

/* ---- Messages ---- */

struct draft {
	size_t octets;
	uint8_t at[LENGTH_OCTETS + MESSAGE_MOST + 64];
};

static struct draft draft;

static void add(const void *octets, size_t count)
{
	if (draft.octets + count > sizeof draft.at)
		return;
	memcpy(draft.at + draft.octets, octets, count);
	draft.octets += count;
}

static void add_number(uint64_t value, int octets)
{
	for (int i = octets - 1; i >= 0; i--) {
		uint8_t octet = (uint8_t)(value >> (8 * i));
		add(&octet, 1);
	}
}

static void add_noise(size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_number(chance(), 1);
}

static void add_text(const char *text)
{
	add_number(strlen(text), 2);
	add(text, strlen(text));
}

/* About as long as there is room for, or longer. */
static void add_long_text(void)
{
	static const uint16_t lengths[] = { 62, 4094, 65533 };
	size_t count = lengths[below(3)] + below(3);
	add_number(count, 2);
	while (count-- > 0)
		add_number('x', 1);
}

static void add_some_text(const char *text)
{
	if (one_in(100))
		add_long_text();
	else
		add_text(text);
}

static uint32_t some_number(void)
{
	static const uint32_t numbers[] = { 0, 1, 2, 4, 255, 4096, 65535, 65536, 262131, 262144, INT32_MAX,
		0x80000000u, UINT32_MAX };
	return one_in(2) ? numbers[below(sizeof numbers / sizeof *numbers)] : below(one_in(2) ? 16 : UINT32_MAX);
}

/* Mostly one that is, of the kind that is wanted. */
static uint32_t some_handle(enum kind kind)
{
	for (int i = 0; i < 20 && session.handle_count > 0; i++) {
		unsigned at = below(session.handle_count);
		if (session.handles[at].kind == kind || one_in(50))
			return session.handles[at].handle;
	}
	return below(8);
}

static void add_some_address(void)
{
	static const uint8_t loopback_4[4] = { 127, 0, 0, 1 }, loopback_6[16] = { [15] = 1 }, any[16];
	bool is_6 = one_in(3), is_any = one_in(6);
	add_number(is_6 ? 6 : 4, 1);
	if (is_6)
		add(is_any ? any : loopback_6, 16);
	else
		add(is_any ? any : loopback_4, 4);
	/* Few ports, so that connections meet listeners. */
	add_number(one_in(4) ? 0 : 2000 + below(8), 2);
}

static void add_some_value(void)
{
	switch (below(4)) {
	case 0:
		add_number(2, 1);
		add_some_text(one_in(2) ? "reno" : "lo");
		break;
	case 1:
		add_number(3, 1);
		add_noise(below(one_in(10) ? 5000 : 40));
		break;
	default:
		add_number(1, 1);
		add_number(one_in(4) ? chance() : some_number() % 100, 8);
	}
}

/* All links of the namespace: a long answer to a short question. */
static void add_link_dump(void)
{
	enum { GET_LINK = 18, QUESTION_OCTETS = 32 };
	struct nlmsghdr head = {
		.nlmsg_len = QUESTION_OCTETS, .nlmsg_type = GET_LINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP
	};
	add_number(0, 4);
	add_number(NETLINK_ROUTE, 2);
	add(&head, sizeof head);
	for (size_t i = sizeof head; i < QUESTION_OCTETS; i++)
		add_number(0, 1);
}

static void add_some_netlink(void)
{
	struct nlmsghdr head = {
		.nlmsg_len = 16 + 4 * below(16), .nlmsg_type = (uint16_t)(16 + below(100)), .nlmsg_seq = 1
	};
	static const uint16_t protocols[] = { NETLINK_ROUTE, NETLINK_ROUTE, NETLINK_SOCK_DIAG, NETLINK_GENERIC,
		NETLINK_NETFILTER, 31, 40 };
	add_number(one_in(2) ? 0 : some_handle(IS_NAMESPACE), 4);
	add_number(protocols[below(sizeof protocols / sizeof *protocols)], 2);
	for (unsigned count = 1 + below(3); count > 0; count--) {
		head.nlmsg_flags =
		    (uint16_t)(NLM_F_REQUEST | (one_in(3) ? NLM_F_ACK : 0) | (one_in(2) ? NLM_F_DUMP : 0));
		add(&head, sizeof head);
		for (size_t i = sizeof head; i < head.nlmsg_len; i++)
			add_number(one_in(3) ? chance() : 0, 1);
	}
}

static void add_some_path(void)
{
	static const char *const paths[] = { "/file", "/other", "/proc/net/dev",
		"/proc/sys/net/ipv4/tcp_retries2", "/", "/proc/self/maps", "/dev/zero", "/none/such",
		"/proc/net/tcp" };
	add_number(one_in(2) ? 0 : some_handle(IS_NAMESPACE), 4);
	add_number(one_in(10) ? chance() : 1 + below(15), 2);
	add_some_text(paths[below(sizeof paths / sizeof *paths)]);
}

static void add_some_data(void)
{
	size_t octets = one_in(200) ? MESSAGE_MOST - HEADER_OCTETS - 2 : one_in(20) ? below(70000) : below(64);
	while (octets-- > 0)
		add_number(octets, 1);
}

static const char *some_option(void)
{
	return one_in(40) ? "SO_NOTHING" : options[below(sizeof options / sizeof *options)].name;
}

static void add_payload(uint16_t type)
{
	switch (type) {
	case HELLO:
		add_number(below(3), 2);
		add_number(below(3), 2);
		break;
	case SOCKET:
		add_number(one_in(3) ? 6 : 4, 1);
		add_number(one_in(4) ? some_handle(IS_NAMESPACE) : 0, 4);
		break;
	case BIND:
	case CONNECT:
		add_some_address();
		break;
	case LISTEN:
		add_number(some_number(), 4);
		break;
	case SEND:
		add_number(one_in(20) ? chance() : below(16), 2);
		add_some_data();
		break;
	case RECEIVE:
		add_number(some_number(), 4);
		add_number(one_in(20) ? chance() : below(16), 2);
		break;
	case SHUTDOWN:
		add_number(one_in(20) ? chance() : 1 + below(3), 1);
		break;
	case SET_OPTION:
		add_some_text(some_option());
		add_some_value();
		break;
	case GET_OPTION:
		add_some_text(some_option());
		add_number(below(5), 1);
		break;
	case WATCH:
		add_number(below(33), 1);
		break;
	case CANCEL:
		add_number(session.next_id - below(one_in(2) ? 30 : MESSAGES_OF_SESSION), 4);
		break;
	case NETLINK:
		if (session.is_flood)
			add_link_dump();
		else
			add_some_netlink();
		break;
	case OPEN:
		add_some_path();
		break;
	case READ:
		add_number(some_number(), 4);
		break;
	case WRITE:
		add_some_data();
		break;
	default:
		break;
	}
}

/*
 * In a flood, what has long answers. Few openings of files and namespaces, which cost much; many of sockets
 * that are connected.
 */
static uint16_t some_type(void)
{
	static const uint8_t often[] = { SOCKET, BIND, LISTEN, CONNECT, CONNECT, ACCEPT, ACCEPT, SEND, RECEIVE,
		RECEIVE, ESTABLISHED, WATCH, SHUTDOWN };
	if (one_in(2))
		return session.is_flood ? NETLINK : often[below(sizeof often)];
	if (one_in(200))
		return (uint16_t)chance();
	uint16_t type = (uint16_t)below(REQUEST_TYPES);
	bool is_dear = type == NAMESPACE_NEW || type == ERROR + 1;
	return is_dear && !one_in(10) ? (uint16_t)SEND : type;
}

static enum kind kind_for(uint16_t type)
{
	if (type == NAMESPACE_FREE)
		return IS_NAMESPACE;
	return type == READ || type == WRITE || type == CLOSE_FILE ? IS_FILE : IS_SOCKET;
}

static void mutate(void)
{
	size_t before = draft.octets, header = LENGTH_OCTETS;
	switch (below(5)) {
	case 0: /* some octets differ */
		for (unsigned count = 1 + below(4); count > 0; count--)
			draft.at[header + below((uint32_t)(before - header))] = (uint8_t)chance();
		break;
	case 1: /* cut short */
		draft.octets = header + HEADER_OCTETS + below((uint32_t)(before - header - HEADER_OCTETS + 1));
		break;
	case 2: /* too long */
		add_noise(1 + below(40));
		break;
	case 3: /* a payload of something else */
		draft.octets = header + HEADER_OCTETS;
		add_payload((uint16_t)below(REQUEST_TYPES));
		break;
	default: /* noise */
		draft.octets = header + HEADER_OCTETS;
		add_noise(below(300));
	}
}

static void put_length(uint32_t length)
{
	for (int i = 0; i < LENGTH_OCTETS; i++)
		draft.at[i] = (uint8_t)(length >> (8 * (LENGTH_OCTETS - 1 - i)));
}

static void write_draft(void)
{
	uint16_t type = some_type();
	uint32_t id = ++session.next_id;
	draft.octets = 0;
	add_number(0, 4);
	add_number(type, 2);
	add_number(one_in(500) ? chance() : 0, 2);
	add_number(id, 4);
	add_number(
	    type == SOCKET || type == OPEN || type == NETLINK || type == HELLO ? 0 : some_handle(kind_for(type)),
	    4);
	add_payload(type);
	if (one_in(10))
		mutate();
	if (draft.octets > LENGTH_OCTETS + MESSAGE_MOST)
		draft.octets = LENGTH_OCTETS + MESSAGE_MOST;
	put_length((uint32_t)(draft.octets - LENGTH_OCTETS));
	/* A mutation may have made it another. */
	session.unanswered[draft.at[LENGTH_OCTETS + 6] << 8 | draft.at[LENGTH_OCTETS + 7]]++;
	messages_sent++;
}

/* ---- Answers ---- */

static void keep_handle(uint32_t handle, enum kind kind)
{
	unsigned at = session.handle_count < HANDLES_KEPT ? session.handle_count++ : below(HANDLES_KEPT);
	session.handles[at].handle = handle;
	session.handles[at].kind = kind;
}

static void look_at_reply(struct message *m, uint16_t status)
{
	if ((m->origin.type & REPLY_BIT) == 0 || status > BAD_REQUEST)
		fail("a reply has a type or a status that none has");
	if (session.unanswered[m->origin.id % IDS_KEPT]-- == 0)
		fail("a request was answered twice, or one that nobody made");
	replies_seen++;
	if (m->origin.id == HELLO_ID)
		session.has_said_hello = true;
	if (status != SUCCESS) {
		char text[256];
		if (status == CANCELLED)
			return;
		take_text(m, text, sizeof text);
		if (status == STACK_ERROR)
			take_text(m, text, sizeof text);
		if (m->complaint != NULL || m->left > 0)
			fail("an error's payload is not in its form");
		return;
	}
	successes++;
	if (m->origin.type == (SOCKET | REPLY_BIT))
		keep_handle(m->origin.handle, IS_SOCKET);
	else if (m->origin.type == (ACCEPT | REPLY_BIT))
		keep_handle(take_32(m), IS_SOCKET);
	else if (m->origin.type == (NAMESPACE_NEW | REPLY_BIT))
		keep_handle(m->origin.handle, IS_NAMESPACE);
	else if (m->origin.type == (OPEN | REPLY_BIT))
		keep_handle(m->origin.handle, IS_FILE);
}

static void look_at_messages(void)
{
	size_t from = 0;
	while (session.received_octets - from >= LENGTH_OCTETS) {
		struct message m = { .at = session.received + from, .left = LENGTH_OCTETS };
		size_t length = take_32(&m);
		if (length < HEADER_OCTETS || length > MESSAGE_MOST)
			fail("the agent has lost its framing");
		if (session.received_octets - from - LENGTH_OCTETS < length)
			break;
		m.left = length;
		m.origin.type = take_16(&m);
		uint16_t status = take_16(&m);
		m.origin.id = take_32(&m);
		m.origin.handle = take_32(&m);
		if (m.origin.type == EVENT_TYPE)
			events_seen++;
		else
			look_at_reply(&m, status);
		from += LENGTH_OCTETS + length;
	}
	memmove(session.received, session.received + from, session.received_octets - from);
	session.received_octets -= from;
}

/* ---- Sessions ---- */

static void take_answers(void)
{
	ssize_t octets = recv(session.fd, session.received + session.received_octets,
	    sizeof session.received - session.received_octets, MSG_DONTWAIT);
	if (octets == 0 || (octets < 0 && !would_wait(errno)))
		session.is_over = true;
	if (octets <= 0)
		return;
	session.received_octets += (size_t)octets;
	look_at_messages();
}

static void throw_octets(const uint8_t *octets, size_t count)
{
	int waits_ms = session.is_flood ? FLOOD_MS : HANGS_MS, waited_ms = 0;
	while (count > 0 && !session.is_over) {
		struct pollfd slot = { .fd = session.fd, .events = session.is_flood ? POLLOUT : POLLIN | POLLOUT };
		waited_ms = poll(&slot, 1, waits_ms) == 0 ? waited_ms + waits_ms : 0;
		if (waited_ms >= HANGS_MS)
			fail("the agent hangs");
		if ((slot.revents & ~POLLOUT) != 0 || slot.revents == 0)
			take_answers();
		if ((slot.revents & POLLOUT) == 0)
			continue;
		ssize_t sent = send(session.fd, octets, count, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && !would_wait(errno))
			session.is_over = true;
		octets += sent > 0 ? sent : 0;
		count -= sent > 0 ? (size_t)sent : 0;
	}
}

/* HELLO is answered whatever came before. */
static void see_that_it_lives(void)
{
	draft.octets = 0;
	add_number(HEADER_OCTETS + 4, 4);
	add_number(HELLO, 2);
	add_number(0, 2);
	add_number(HELLO_ID, 4);
	add_number(0, 4);
	add_number(LOWEST_VERSION, 2);
	add_number(HIGHEST_VERSION, 2);
	session.unanswered[HELLO_ID % IDS_KEPT]++;
	session.has_said_hello = false;
	throw_octets(draft.at, draft.octets);
	while (!session.is_over && !session.has_said_hello) {
		struct pollfd slot = { .fd = session.fd, .events = POLLIN };
		if (poll(&slot, 1, HANGS_MS) <= 0)
			fail("the agent hangs");
		take_answers();
	}
	if (session.is_over)
		fail("the agent has ended a connection whose framing was not lost");
}

static void note_resident(void)
{
	char path[64], line[256] = "";
	snprintf(path, sizeof path, "/proc/%d/statm", (int)session.agent);
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return;
	if (read(fd, line, sizeof line - 1) < 0)
		line[0] = '\0';
	close(fd);
	char *resident = strchr(line, ' ');
	long pages = resident == NULL ? 0 : strtol(resident, NULL, 10), mib = pages * sysconf(_SC_PAGESIZE) >> 20;
	if (mib > resident_most)
		resident_most = mib;
	if (mib > RESIDENT_MOST_MIB)
		fail("the agent takes too much memory");
}

static int count_descriptors(void)
{
	int count = 0;
	for (int fd = 0; fd < DESCRIPTORS_WANTED; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void start_agent(void)
{
	int pair[2];
	char *arguments[] = { "agent", "--stdio", NULL };
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		fail("no socket pair");
	session.agent = fork();
	if (session.agent == 0) {
		dup2(pair[1], STDIN_FILENO);
		dup2(pair[1], STDOUT_FILENO);
		close(pair[0]);
		close(pair[1]);
		int before = count_descriptors();
		int status = agent_main(2, arguments);
		/* It keeps those of its own namespace. */
		exit(count_descriptors() > before + 1 + PROTOCOLS ? 3 : status);
	}
	if (session.agent < 0)
		fail("no process for the agent");
	close(pair[1]);
	session.fd = pair[0];
}

/* With what ends a connection: half a message and the end, or a length that none has. */
static void end_session(void)
{
	int status;
	if (one_in(2)) {
		write_draft();
		put_length(one_in(2) ? below(HEADER_OCTETS) : MESSAGE_MOST + 1 + below(1 << 30));
		throw_octets(draft.at, draft.octets);
		while (!session.is_over) {
			struct pollfd slot = { .fd = session.fd, .events = POLLIN };
			if (poll(&slot, 1, HANGS_MS) <= 0)
				fail("the agent goes on though framing is lost");
			take_answers();
		}
	} else {
		write_draft();
		throw_octets(draft.at, below((uint32_t)draft.octets));
	}
	close(session.fd);
	if (waitpid(session.agent, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail("the agent died, or left something behind");
	session.agent = 0;
	sessions_done++;
}

static void run_session(uint64_t seed)
{
	memset(&session, 0, sizeof session);
	session.seed = seed;
	chance_state = seed * 0x9e3779b97f4a7c15ULL | 1;
	start_agent();
	session.is_flood = one_in(20);
	int messages = session.is_flood ? MESSAGES_OF_FLOOD : MESSAGES_OF_SESSION;
	for (int i = 1; i <= messages && !session.is_over; i++) {
		write_draft();
		throw_octets(draft.at, draft.octets);
		if (session.is_flood || i % MESSAGES_AT_ONCE != 0)
			continue;
		see_that_it_lives();
		note_resident();
	}
	session.is_flood = false;
	if (!session.is_over)
		see_that_it_lives();
	end_session();
}

/* ---- Where it harms nobody ---- */

static void skip(const char *why)
{
	fprintf(stderr, "fuzz: skipped, for %s: %s\n", why, strerror(errno));
	exit(SKIPPED);
}

static void write_map(const char *path, unsigned id)
{
	char line[32];
	snprintf(line, sizeof line, "0 %u 1", id);
	write_file(path, line);
}

/* Its files, whatever they are called, and the empty folder that the process table was mounted on. */
static void remove_folder(const char *folder)
{
	char path[PATH_MAX];
	DIR *entries = opendir(folder);
	for (struct dirent *entry = entries == NULL ? NULL : readdir(entries); entry != NULL;
	    entry = readdir(entries)) {
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		if (unlink(path) < 0)
			rmdir(path);
	}
	if (entries != NULL)
		closedir(entries);
	rmdir(folder);
}

static void go_where_it_harms_nobody(void)
{
	char folder[] = "/tmp/lastack-fuzz-XXXXXX", proc[64];
	if (mkdtemp(folder) == NULL || chmod(folder, 0777) < 0)
		skip("no folder can be made");
	/* Somebody stays outside to remove it. */
	pid_t inside = fork();
	if (inside > 0) {
		int status;
		waitpid(inside, &status, 0);
		remove_folder(folder);
		exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	if (getuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
		skip("it cannot become an ordinary user");
	unsigned user = getuid(), group = getgid();
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
		skip("namespaces of an ordinary user are not allowed");
	write_file("/proc/self/setgroups", "deny");
	write_map("/proc/self/uid_map", user);
	write_map("/proc/self/gid_map", group);
	snprintf(proc, sizeof proc, "%s/proc", folder);
	if (mkdir(proc, 0755) < 0 || mount("/proc", proc, NULL, MS_BIND | MS_REC, NULL) < 0 ||
	    chroot(folder) < 0 || chdir("/") < 0)
		skip("there is no root of its own");
	bring_up("lo", false);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 10;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);
	struct timespec start, now;
	fprintf(stderr, "fuzz: seed %llu\n", (unsigned long long)seed);
	go_where_it_harms_nobody();
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		run_session(seed++);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) / 1e9 < seconds);
	printf("%llu messages in %llu sessions: %llu replies (%llu of success), %llu events; at most %ld MiB\n",
	    (unsigned long long)messages_sent, (unsigned long long)sessions_done,
	    (unsigned long long)replies_seen, (unsigned long long)successes, (unsigned long long)events_seen,
	    resident_most);
	return 0;
}
