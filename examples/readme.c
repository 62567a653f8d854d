/* Reads one IP packet from standard input and tells its SVR service. */
#include <stdio.h>
#include <svr/svr.h>

int main(void)
{
    static uint8_t buf[SVR_OUTPUT_SIZE(SVR_PACKET_MAX)];
    size_t len = fread(buf + SVR_HEADROOM, 1, SVR_PACKET_MAX, stdin);
    svr_metadata md;
    svr_headers h;
    svr_packet p;

    int err = svr_packet_init(&p, buf, sizeof(buf), len);
    if (err == 0)
        err = svr_packet_parse(&h, &p);
    if (err != 0) {
        fprintf(stderr, "no packet: %s\n", svr_strerror(err));
        return 1;
    }
    ptrdiff_t block =
        svr_metadata_decode(&md, p.data + h.payload, p.len - h.payload);
    if (block < 0) {
        fprintf(stderr, "no metadata: %s\n", svr_strerror((int)block));
        return 1;
    }
    if (md.present & SVR_HAS(SERVICE))
        printf("service %.*s, %d bytes of metadata\n", (int)md.service.len,
               (const char *)md.service.data, (int)block);
    return 0;
}
