/* The yardstick: what the kernel asks for one endpoint, and nothing on top.
 *
 *   client BASE COUNT PORT WINDOW PROCESSES FILE
 *
 * Visits COUNT addresses from BASE on, WINDOW at once: connect, then the three PDUs of FILE
 * (A-ASSOCIATE-RQ, P-DATA-TF with a C-ECHO-RQ, A-RELEASE-RQ), each when the one before was answered,
 * then close. Of an answer only its type and length are looked at. Prints one line of JSON. */
#include "common.h"

enum { ANSWERED, FAILED };
#define PATIENCE_MS 5000

static const unsigned char answer_types[3] = {2, 4, 6};
static struct pdus questions;
static uint32_t base;
static long window;
static int port;
static signed char step[MOST_FDS]; /* the question that waits for its answer; -1: connecting */

static int ask(int fd) {
    ssize_t size = (ssize_t)questions.length[(int)++step[fd]];
    return send(fd, questions.bytes + questions.start[(int)step[fd]], (size_t)size, MSG_NOSIGNAL) == size
               ? 0
               : -1;
}

/* 0: goes on, 1: ended well, -1: ended badly. */
static int listen_to(int fd) {
    unsigned char data[4096];
    ssize_t size = recv(fd, data, sizeof data, 0);
    if (size < 0 && errno == EAGAIN) return 0;
    if (size < PDU_HEADER || data[0] != answer_types[(int)step[fd]] || pdu_length(data) != (size_t)size)
        return -1;
    return step[fd] == 2 ? 1 : ask(fd);
}

static int progress(int fd, uint32_t happened) {
    if (step[fd] < 0 && ask(fd) != 0) return -1;
    return happened & (EPOLLIN | EPOLLERR | EPOLLHUP) ? listen_to(fd) : 0;
}

/* 1 if a connection is under way. */
static int visit(int poll, uint32_t address) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET};
    int code, fd = begin(address, port, &code);
    if (code != 0 && code != EINPROGRESS) return close(fd), 0;
    event.data.fd = fd;
    step[fd] = -1;
    if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
    return 1;
}

static void part(long first, long after, long *row) {
    struct epoll_event events[EVENTS];
    int poll = epoll_create1(EPOLL_CLOEXEC);
    long next = first, open = 0;
    if (poll < 0) die("epoll_create1");
    while (next < after || open > 0) {
        for (; open < window && next < after; next++) {
            int begun = visit(poll, base + (uint32_t)next);
            open += begun;
            row[FAILED] += !begun;
        }
        int ready = epoll_wait(poll, events, EVENTS, PATIENCE_MS);
        if (ready == 0) { /* nobody has said anything for a long while */
            row[FAILED] += open;
            return;
        }
        for (int n = 0; n < ready; n++) {
            int fd = events[n].data.fd, end = progress(fd, events[n].events);
            if (end == 0) continue;
            close(fd);
            open--;
            row[end > 0 ? ANSWERED : FAILED]++;
        }
    }
}

int main(int count, char **words) {
    if (count != 7) return fprintf(stderr, "client BASE COUNT PORT WINDOW PROCESSES FILE\n"), 2;
    long(*tally)[8];
    long visits = number(words[2], 1, 1 << 24), processes = number(words[5], 1, 64);
    base = base_address(words[1]);
    port = (int)number(words[3], 1, 65535);
    window = number(words[4], 1, raise_descriptors() - 16);
    read_pdus(words[6], 3, &questions);
    struct cost cost = in_parts(visits, processes, &tally, part);
    printf("{\"answered\": %ld, \"failed\": %ld, \"seconds\": %.6f, \"cpu\": %.6f}\n", tally[0][ANSWERED],
           tally[0][FAILED], cost.seconds, cost.cpu);
    return 0;
}
