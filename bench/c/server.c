/* A DICOM server that knows three answers, as cheap as this kernel allows.
 *
 *   server PORT PROCESSES FILE
 *
 * FILE holds an A-ASSOCIATE-AC, a P-DATA-TF and an A-RELEASE-RP: the answers to an A-ASSOCIATE-RQ,
 * a P-DATA-TF and an A-RELEASE-RQ. It listens on every address of the interface lo, and on nothing
 * else: the socket is bound to that device. Each process has an epoll loop and a listener of its own
 * (SO_REUSEPORT). It prints "ready" once it listens, and ends when its parent does. */
#include "common.h"

/* Where we are within the PDU that is arriving. */
struct connection {
    unsigned char header[PDU_HEADER];
    unsigned char have;
    size_t left;
};

static struct connection connections[MOST_FDS];
static struct pdus answers;

static int listener(int port) {
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (fd < 0) die("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) != 0) die("SO_BINDTODEVICE lo");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) die("SO_REUSEADDR");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) die("SO_REUSEPORT");
    if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0) die("bind");
    if (listen(fd, 65535) != 0) die("listen"); /* the kernel lowers it to net.core.somaxconn */
    return fd;
}

static int answer(int fd, unsigned char type) {
    int which = type == 1 ? 0 : type == 4 ? 1 : type == 5 ? 2 : -1;
    if (which < 0) return -1;
    return send(fd, answers.bytes + answers.start[which], answers.length[which], MSG_NOSIGNAL) ==
                   (ssize_t)answers.length[which]
               ? 0
               : -1;
}

/* Take in what came; answer each PDU when its last byte is here. */
static int take(int fd, const unsigned char *data, size_t size) {
    struct connection *c = &connections[fd];
    while (size > 0) {
        if (c->have < PDU_HEADER) {
            c->header[c->have++] = *data++;
            size--;
            if (c->have == PDU_HEADER) c->left = pdu_length(c->header) - PDU_HEADER;
        } else {
            size_t step = size < c->left ? size : c->left;
            data += step;
            size -= step;
            c->left -= step;
        }
        if (c->have == PDU_HEADER && c->left == 0) {
            c->have = 0;
            if (answer(fd, c->header[0]) != 0) return -1;
        }
    }
    return 0;
}

static void welcome(int poll, int from) {
    int fd;
    while ((fd = accept4(from, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        connections[fd].have = 0;
        if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
    }
}

static void serve(int from) {
    static unsigned char data[65536];
    struct epoll_event events[EVENTS];
    struct epoll_event event = {.events = EPOLLIN, .data.fd = from};
    int poll = epoll_create1(EPOLL_CLOEXEC);
    if (poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, from, &event) != 0) die("epoll");
    for (;;) {
        int ready = epoll_wait(poll, events, EVENTS, -1);
        for (int n = 0; n < ready; n++) {
            int fd = events[n].data.fd;
            ssize_t size;
            if (fd == from) {
                welcome(poll, from);
                continue;
            }
            size = recv(fd, data, sizeof data, 0);
            if (size <= 0 || take(fd, data, (size_t)size) != 0) close(fd);
        }
    }
}

int main(int count, char **words) {
    if (count != 4) return fprintf(stderr, "server PORT PROCESSES FILE\n"), 2;
    int port = (int)number(words[1], 1, 65535), processes = (int)number(words[2], 1, 64);
    int listeners[64];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    raise_descriptors();
    read_pdus(words[3], 3, &answers);
    for (int n = 0; n < processes; n++) listeners[n] = listener(port);
    for (int n = 0; n < processes; n++) {
        pid_t child = fork();
        if (child < 0) die("fork");
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (int other = 0; other < processes; other++)
                if (other != n) close(listeners[other]);
            serve(listeners[n]);
        }
    }
    for (int n = 0; n < processes; n++) close(listeners[n]);
    puts("ready");
    fflush(stdout);
    while (wait(NULL) > 0) {
    }
    return 1; /* a process that serves never ends by itself */
}
