/* The yardstick for addresses where nobody answers: connect, wait, close.
 *
 *   connect BASE COUNT PORTS WINDOW TIMEOUT_MS PROCESSES
 *
 * Connects to COUNT addresses from BASE on, on each of PORTS (as 104,11112), WINDOW at once; whatever
 * is not decided after TIMEOUT_MS counts as unanswered. Prints one line of JSON. */
#include "common.h"

enum { OPEN, REFUSED, UNANSWERED, OTHER };

static uint32_t base;
static int ports[64], port_count;
static long window;
static double timeout;

/* Connections in the order in which they began, which is also the order in which they run out: a
 * ring. One that is decided early leaves a hole, which is skipped when it comes to the head. */
struct attempt {
    double until;
    int fd; /* -1: decided */
};

struct ring {
    struct attempt *slots;
    long size, head, used, open;
};

static long slot_of[MOST_FDS];

static void decide(struct ring *ring, int fd, int code, long *row) {
    close(fd);
    ring->slots[slot_of[fd]].fd = -1;
    ring->open--;
    row[code == 0 ? OPEN : code == ECONNREFUSED ? REFUSED : code == ETIMEDOUT ? UNANSWERED : OTHER]++;
}

static void start(struct ring *ring, int poll, long item, long *row) {
    struct epoll_event event = {.events = EPOLLOUT | EPOLLET};
    long slot = (ring->head + ring->used++) % ring->size;
    int code, fd = begin(base + (uint32_t)(item / port_count), ports[item % port_count], &code);
    ring->slots[slot] = (struct attempt){.until = now() + timeout, .fd = fd};
    slot_of[fd] = slot;
    ring->open++;
    if (code != EINPROGRESS) {
        decide(ring, fd, code, row);
        return;
    }
    event.data.fd = fd;
    if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

/* Drop what has run out, and the holes, from the head of the ring. */
static void expire(struct ring *ring, long *row) {
    double moment = now();
    for (; ring->used > 0; ring->used--, ring->head = (ring->head + 1) % ring->size) {
        struct attempt *oldest = &ring->slots[ring->head];
        if (oldest->fd < 0) continue;
        if (oldest->until > moment) return;
        decide(ring, oldest->fd, ETIMEDOUT, row);
    }
}

static int has_room(const struct ring *ring) { return ring->open < window && ring->used < ring->size; }

static int patience_ms(const struct ring *ring) {
    double left = ring->used > 0 ? ring->slots[ring->head].until - now() : 0;
    return left <= 0 ? 0 : (int)(left * 1000) + 1;
}

static void look(struct ring *ring, int poll, int patience, long *row) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(poll, events, EVENTS, patience);
    for (int n = 0; n < ready; n++) {
        int code = 0;
        socklen_t size = sizeof code;
        getsockopt(events[n].data.fd, SOL_SOCKET, SO_ERROR, &code, &size);
        decide(ring, events[n].data.fd, code, row);
    }
}

static void part(long first, long after, long *row) {
    struct ring ring = {.size = window * 4}; /* room for holes */
    int poll = epoll_create1(EPOLL_CLOEXEC);
    long next = first;
    ring.slots = calloc((size_t)ring.size, sizeof *ring.slots);
    if (poll < 0 || !ring.slots) die("epoll or memory");
    while (next < after || ring.open > 0) {
        /* No more than a batch between two looks, or early answers would wait for late questions. */
        for (int n = 0; n < EVENTS && next < after && has_room(&ring); n++)
            start(&ring, poll, next++, row);
        expire(&ring, row);
        if (ring.open > 0) look(&ring, poll, next < after && has_room(&ring) ? 0 : patience_ms(&ring), row);
    }
}

static void read_ports(char *words) {
    for (char *word = strtok(words, ","); word && port_count < 64; word = strtok(NULL, ","))
        ports[port_count++] = (int)number(word, 1, 65535);
}

int main(int count, char **words) {
    if (count != 7)
        return fprintf(stderr, "connect BASE COUNT PORTS WINDOW TIMEOUT_MS PROCESSES\n"), 2;
    long(*tally)[8];
    long addresses = number(words[2], 1, 1 << 24), processes = number(words[6], 1, 64);
    base = base_address(words[1]);
    read_ports(words[3]);
    window = number(words[4], 1, raise_descriptors() - 16);
    timeout = (double)number(words[5], 1, 600000) / 1000;
    struct cost cost = in_parts(addresses * port_count, processes, &tally, part);
    printf("{\"answered\": %ld, \"refused\": %ld, \"unanswered\": %ld, \"failed\": %ld,"
           " \"seconds\": %.6f, \"cpu\": %.6f}\n",
           tally[0][OPEN], tally[0][REFUSED], tally[0][UNANSWERED], tally[0][OTHER], cost.seconds, cost.cpu);
    return 0;
}
