/*
 * forge_first_packet - opens a session toward router dc without being router
 * branch: what it takes, and that it fails without the key.
 *
 *   forge_first_packet [--wrong] KEY-FILE FROM TO [BOOT-COUNTER]
 *
 * Builds the first packet of a UDP session as router FROM would send it to
 * router TO (S5): metadata behind the UDP header, signed with their key and the
 * boot counter that `svrctl status` shows of router TO (S11).
 * With --wrong one bit of the tag is flipped. Addresses and names are those of
 * examples/authority.yaml. Needs the right to use raw sockets.
 */
#define _DEFAULT_SOURCE

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svr/svr.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#define WAYPOINT_FROM "203.0.113.1"
#define WAYPOINT_TO "203.0.113.2"
#define CLIENT "10.1.0.66"
#define SERVER "10.2.0.10"
#define SERVER_PORT 5209
#define TEXT "This packet comes from nobody.\n"

static svr_addr address(const char *text)
{
    uint8_t b[4] = {0};
    inet_pton(AF_INET, text, b);
    return svr_addr_from_v4(b);
}

static svr_span name(const char *text)
{
    return (svr_span){(const uint8_t *)text, strlen(text)};
}

static int read_key(uint8_t key[SVR_KEY_SIZE], const char *file)
{
    FILE *f = fopen(file, "re");
    int got = 0;
    while (f && got < SVR_KEY_SIZE && fscanf(f, "%2hhx", &key[got]) == 1)
        got++;
    if (f)
        fclose(f);
    return got == SVR_KEY_SIZE ? 0 : -1;
}

static ptrdiff_t write_metadata(uint8_t *buf, size_t cap, const char *from,
                                uint32_t security_id)
{
    svr_metadata md;
    svr_metadata_init(&md);
    md.present = SVR_HAS(SECURITY_ID) | SVR_HAS(PACKET_NUMBER) |
                 SVR_HAS(FORWARD_CONTEXT_V4) | SVR_HAS(SESSION_UUID) |
                 SVR_HAS(TENANT) | SVR_HAS(SERVICE) | SVR_HAS(SOURCE_ROUTER) |
                 SVR_HAS(SECURITY_POLICY) | SVR_HAS(PATHWAY);
    md.security_id = security_id;
    /* Above all that the true router has sent. */
    md.packet_number = (uint64_t)0x7fffffff << 32 | (uint32_t)time(NULL);
    md.forward = (svr_tuple){.src = address(CLIENT),
                             .sport = 6666,
                             .dst = address(SERVER),
                             .dport = SERVER_PORT,
                             .proto = SVR_PROTO_UDP};
    if (getrandom(md.uuid.b, sizeof md.uuid.b, 0) != sizeof md.uuid.b)
        return -1;
    md.uuid.b[6] = (uint8_t)((md.uuid.b[6] & 0x0f) | 0x40);
    md.uuid.b[8] = (uint8_t)((md.uuid.b[8] & 0x3f) | 0x80);
    md.tenant = name("staff.corp");
    md.service = name("iperf");
    md.source_router = name(from);
    md.security_policy = name("default");
    md.pathway = name("wan0-dc");
    return svr_metadata_encode(buf, cap, &md);
}

/* Appends the tag over all that follows the UDP header, the time and the boot
 * counter of the router that shall believe it (S11). */
static size_t sign(uint8_t *payload, size_t len, const svr_direction_key *key,
                   uint32_t boot)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    svr_tag_scope scope = {
        .timed = true,
        .step = ((uint64_t)now.tv_sec * SVR_SECOND + (uint64_t)now.tv_nsec) /
                SVR_TIME_STEP,
        .boot = boot,
    };
    svr_mac mac;
    svr_mac_init(&mac, &svr_hmac_sha256_128, key->key);
    svr_tag_write(&mac, (svr_span){payload, len}, &scope, payload + len);
    svr_mac_wipe(&mac);
    return svr_hmac_sha256_128.tag_len;
}

int main(int argc, char **argv)
{
    bool wrong = argc > 1 && !strcmp(argv[1], "--wrong");
    char **arg = argv + wrong;
    uint8_t shared[SVR_KEY_SIZE], buf[SVR_OUTPUT_SIZE(1500)];
    uint8_t *payload = buf + SVR_HEADROOM;
    svr_direction_key key;

    if (argc - wrong < 4 || argc - wrong > 5) {
        fprintf(stderr, "usage: forge_first_packet [--wrong] KEY-FILE "
                        "FROM TO [BOOT-COUNTER]\n");
        return 2;
    }
    if (svr_crypto_init() || read_key(shared, arg[1])) {
        fprintf(stderr, "forge_first_packet: no key in %s\n", arg[1]);
        return 1;
    }
    svr_direction_key_derive(&key, shared, arg[2], arg[3], 1);

    ptrdiff_t md_len =
        write_metadata(payload, SVR_METADATA_MAX, arg[2], key.security_id);
    if (md_len < 0)
        return 1;
    size_t len = (size_t)md_len;
    memcpy(payload + len, TEXT, sizeof TEXT - 1);
    len += sizeof TEXT - 1;
    len += sign(payload, len, &key,
                arg[4] ? (uint32_t)strtoul(arg[4], NULL, 10) : 0);
    payload[len - 1] ^= wrong;

    svr_packet p;
    svr_tuple waypoints = {.src = address(WAYPOINT_FROM),
                           .sport = 20000,
                           .dst = address(WAYPOINT_TO),
                           .dport = 20001,
                           .proto = SVR_PROTO_UDP};
    if (svr_packet_init(&p, buf, sizeof buf, len) ||
        svr_udp_wrap(&p, &waypoints))
        return 1;

    struct sockaddr_in to = {.sin_family = AF_INET};
    inet_pton(AF_INET, WAYPOINT_TO, &to.sin_addr);
    int s = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    if (s < 0 || sendto(s, p.data, p.len, 0, (struct sockaddr *)&to,
                        sizeof to) != (ssize_t)p.len) {
        perror("forge_first_packet");
        return 1;
    }
    return 0;
}
