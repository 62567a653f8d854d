#include "wire/checksum.h"
#include "wire/headers.h"
#include "wire/tcp_option.h"

enum {
    OPTION_MSS = 2,
    OPTION_MSS_SIZE = 4,
};

static uint16_t swap(uint16_t v)
{
    return (uint16_t)(v << 8 | v >> 8);
}

/* odd: the value stands across two words of the sum. */
static void correct_checksum(uint8_t *field, uint16_t from, uint16_t to,
                             bool odd)
{
    uint16_t delta =
        odd ? svr__sum_delta(swap(from), swap(to)) : svr__sum_delta(from, to);

    svr__store_be16(field, svr__checksum_update(svr__load_be16(field), delta));
}

void svr_packet_clamp_mss(svr_packet *p, const svr_headers *h, uint16_t mss)
{
    uint8_t *tcp = p->data + h->l4;
    size_t len = (size_t)(h->payload - h->l4), at = 0;
    uint8_t *value;

    if (h->tuple.proto != SVR_PROTO_TCP || !(h->tcp_flags & SVR_TCP_SYN))
        return;
    while ((value = svr__tcp_option_find(tcp, len, &at, OPTION_MSS,
                                         OPTION_MSS_SIZE)) != NULL) {
        uint16_t old = svr__load_be16(value);

        if (old <= mss)
            continue;
        svr__store_be16(value, mss);
        if (p->checksum != SVR_CHECKSUM_PARTIAL)
            correct_checksum(tcp + TCP_CHECKSUM, old, mss, (value - tcp) & 1);
    }
}
