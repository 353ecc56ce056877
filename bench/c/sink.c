/* sink PORT: an SCP that takes every object and keeps none: a thread for each connection, PDUs parsed.
 *
 * It accepts each presentation context in its first transfer syntax, announces 128 KiB, answers a C-ECHO-RQ,
 * and a C-STORE-RQ when the last fragment of its data set has come, with success, and sets TCP_NODELAY. */
#include "common.h"
#include <netinet/tcp.h>
#include <pthread.h>

#define LARGEST (1 << 20)

struct peer {
    int fd;
    size_t at, have;
    unsigned char buffer[LARGEST];
};

/* The next byte count bytes, or exit from the thread. */
static unsigned char *take(struct peer *p, size_t count) {
    if (p->have - p->at < count && p->at) {
        memmove(p->buffer, p->buffer + p->at, p->have - p->at);
        p->have -= p->at;
        p->at = 0;
    }
    while (p->have - p->at < count) {
        ssize_t n = read(p->fd, p->buffer + p->have, LARGEST - p->have);
        if (n <= 0) {
            close(p->fd);
            free(p);
            pthread_exit(NULL);
        }
        p->have += (size_t)n;
    }
    p->at += count;
    return p->buffer + p->at - count;
}

static uint32_t big(const unsigned char *b) {
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void put(int fd, const unsigned char *data, size_t size) {
    while (size) {
        ssize_t n = write(fd, data, size);
        if (n <= 0) return;
        data += n;
        size -= (size_t)n;
    }
}

/* A-ASSOCIATE-AC: the titles as they came, and each context with the first syntax it proposes. */
static void accept_all(int fd, const unsigned char *body, size_t size) {
    static const unsigned char information[] = {0x50, 0, 0, 14, 0x51, 0, 0, 4, 0, 2, 0, 0,
                                                0x52, 0, 0, 2, '1', '.'};
    unsigned char out[65536];
    size_t at = 6 + 68, end;
    memcpy(out + 6, body, 68);
    for (size_t i = 68; i + 4 <= size; i = end) {
        size_t length = (size_t)body[i + 2] << 8 | body[i + 3];
        end = i + 4 + length;
        if (body[i] == 0x10) {
            memcpy(out + at, body + i, 4 + length);
            at += 4 + length;
        } else if (body[i] == 0x20) {
            size_t j = i + 8;
            while (j + 4 <= end && body[j] != 0x40) j += 4 + ((size_t)body[j + 2] << 8 | body[j + 3]);
            size_t syntax = 4 + ((size_t)body[j + 2] << 8 | body[j + 3]);
            out[at] = 0x21;
            out[at + 1] = 0;
            out[at + 2] = (unsigned char)((4 + syntax) >> 8);
            out[at + 3] = (unsigned char)(4 + syntax);
            out[at + 4] = body[i + 4];
            memset(out + at + 5, 0, 3);
            memcpy(out + at + 8, body + j, syntax);
            at += 8 + syntax;
        }
    }
    memcpy(out + at, information, sizeof information);
    at += sizeof information;
    out[0] = 2;
    out[1] = 0;
    uint32_t length = htonl((uint32_t)(at - 6));
    memcpy(out + 2, &length, 4);
    put(fd, out, at);
}

/* The response, success, to the request of this command set. */
static void answer(int fd, unsigned char context, const unsigned char *command, size_t size) {
    unsigned char id[2] = {0, 0}, field[2] = {0, 0};
    for (size_t i = 0; i + 8 <= size;) {
        uint32_t length = (uint32_t)command[i + 4] | (uint32_t)command[i + 5] << 8;
        if (command[i + 2] == 0x10 && command[i + 3] == 0x01) memcpy(id, command + i + 8, 2);
        if (command[i + 2] == 0x00 && command[i + 3] == 0x01) memcpy(field, command + i + 8, 2);
        i += 8 + length;
    }
    unsigned char out[] = {4, 0, 0, 0, 0, 58, 0, 0, 0, 54, context, 3,
                           0, 0, 0, 0, 4, 0, 0, 0, 40, 0, 0, 0,
                           0, 0, 0, 1, 2, 0, 0, 0, field[0], field[1] | 0x80,
                           0, 0, 0x20, 1, 2, 0, 0, 0, id[0], id[1],
                           0, 0, 0, 8, 2, 0, 0, 0, 1, 1,
                           0, 0, 0, 9, 2, 0, 0, 0, 0, 0};
    put(fd, out, sizeof out);
}

/* Whether a command set, which begins with its group length, is a C-ECHO-RQ: class, then command field. */
static int is_echo(const unsigned char *command) {
    const unsigned char *field = command + 12 + 8 + command[16];
    return field[2] == 0 && field[3] == 1 && field[8] == 0x30;
}

static void *serve(void *argument) {
    struct peer *p = argument;
    unsigned char command[16384];
    size_t command_size = 0;
    for (;;) {
        unsigned char *head = take(p, 6);
        unsigned char type = head[0];
        size_t left = big(head + 2);
        if (type == 4) {
            while (left >= 6) {
                unsigned char *value = take(p, 6);
                size_t length = big(value) - 2;
                unsigned char context = value[4], control = value[5];
                left -= 6 + length;
                if (control & 1) {
                    if (command_size + length > sizeof command) command_size = 0;
                    memcpy(command + command_size, take(p, length), length);
                    command_size += length;
                    if (control & 2 && is_echo(command)) {
                        answer(p->fd, context, command, command_size);
                        command_size = 0;
                    }
                } else {
                    while (length > 65536) {
                        take(p, 65536);
                        length -= 65536;
                    }
                    take(p, length);
                    if (control & 2) {
                        answer(p->fd, context, command, command_size);
                        command_size = 0;
                    }
                }
            }
        } else {
            unsigned char *body = take(p, left);
            static const unsigned char released[] = {6, 0, 0, 0, 0, 4, 0, 0, 0, 0};
            if (type == 1) accept_all(p->fd, body, left);
            if (type == 5) put(p->fd, released, sizeof released);
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number(argv[1], 1, 65535))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) die("listen");
    signal(SIGPIPE, SIG_IGN);
    puts("ready");
    fflush(stdout);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct peer *p = calloc(1, sizeof *p);
        p->fd = fd;
        pthread_t thread;
        pthread_create(&thread, NULL, serve, p);
        pthread_detach(thread);
    }
}
