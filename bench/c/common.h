/* What the programs of this folder share: time, descriptors, work cut into processes, PDUs in a file. */
#ifndef COMMON_H
#define COMMON_H

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_FDS 65536
#define EVENTS 512

static inline void die(const char *what) {
    perror(what);
    exit(1);
}

/* Seconds on a clock that never jumps. */
static inline double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A number from the command line, within bounds. */
static inline long number(const char *text, long least, long most) {
    char *end;
    long value = strtol(text, &end, 10);
    if (*text == 0 || *end != 0 || value < least || value > most) {
        fprintf(stderr, "%s is not a number from %ld to %ld\n", text, least, most);
        exit(2);
    }
    return value;
}

/* An IPv4 address in host byte order, so that one can be added to it. */
static inline uint32_t base_address(const char *text) {
    struct in_addr address;
    if (inet_pton(AF_INET, text, &address) != 1) {
        fprintf(stderr, "%s is no IPv4 address\n", text);
        exit(2);
    }
    return ntohl(address.s_addr);
}

/* Allow as many descriptors as the hard limit does (at most MOST_FDS), and say how many. */
static inline long raise_descriptors(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) die("getrlimit");
    limit.rlim_cur = limit.rlim_max < MOST_FDS ? limit.rlim_max : MOST_FDS;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) die("setrlimit");
    return (long)limit.rlim_cur;
}

/* Begin to connect; the errno (EINPROGRESS where it is under way) goes to *code. */
static inline int begin(uint32_t address, int port, int *code) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) die("socket");
    to.sin_addr.s_addr = htonl(address);
    *code = connect(fd, (struct sockaddr *)&to, sizeof to) == 0 ? 0 : errno;
    return fd;
}

/* PDUs as bytes, one after the other in a file: type, a zero byte, length (4, big-endian), content
 * (PS3.8 9.3.1). */
#define PDU_HEADER 6
struct pdus {
    unsigned char bytes[65536];
    size_t start[8], length[8];
    int count;
};

static inline size_t pdu_length(const unsigned char *header) {
    return PDU_HEADER + (((size_t)header[2] << 24) | ((size_t)header[3] << 16) |
                         ((size_t)header[4] << 8) | (size_t)header[5]);
}

static inline void read_pdus(const char *path, int wanted, struct pdus *pdus) {
    FILE *file = fopen(path, "rb");
    size_t size, at = 0;
    if (!file) die(path);
    size = fread(pdus->bytes, 1, sizeof pdus->bytes, file);
    fclose(file);
    for (pdus->count = 0; at + PDU_HEADER <= size && pdus->count < 8; pdus->count++) {
        pdus->start[pdus->count] = at;
        pdus->length[pdus->count] = pdu_length(pdus->bytes + at);
        at += pdus->length[pdus->count];
    }
    if (pdus->count != wanted || at != size) {
        fprintf(stderr, "%s does not hold %d PDUs\n", path, wanted);
        exit(2);
    }
}

/* Cut `count` items into `processes` parts and do each in a process of its own, which adds to
 * `tally` (memory that all of them share, a row of `columns` numbers for each). The sums end in the
 * first row; seconds from the first fork to the last exit and the CPU seconds of all are returned. */
struct cost {
    double seconds, cpu;
};

static inline struct cost in_parts(long count, long processes, long (**tally)[8],
                                   void (*part)(long first, long after, long *row)) {
    struct rusage used;
    struct cost cost;
    double began;
    int status, failed = 0;
    long(*rows)[8] = mmap(NULL, (size_t)processes * sizeof *rows, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (rows == MAP_FAILED) die("mmap");
    began = now();
    for (long n = 0; n < processes; n++) {
        pid_t child = fork();
        if (child < 0) die("fork");
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            part(count * n / processes, count * (n + 1) / processes, rows[n]);
            _exit(0);
        }
    }
    while (wait(&status) > 0) failed |= status;
    if (failed) exit(1);
    cost.seconds = now() - began;
    getrusage(RUSAGE_CHILDREN, &used);
    cost.cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    for (long n = 1; n < processes; n++)
        for (int column = 0; column < 8; column++) rows[0][column] += rows[n][column];
    *tally = rows;
    return cost;
}

#endif
