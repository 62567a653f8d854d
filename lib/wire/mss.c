#include "wire/checksum.h"
#include "wire/headers.h"

enum {
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_MSS = 2,
    OPTION_MSS_SIZE = 4,
};

/* The next MSS option's value within options[at..len), or NULL where there is
 * none or the options are malformed. *at moves behind it. */
static uint8_t *find_mss(uint8_t *options, size_t len, size_t *at)
{
    while (*at < len && options[*at] != OPTION_END) {
        uint8_t *option = options + *at;
        size_t left = len - *at;

        if (option[0] == OPTION_NOP) {
            *at += 1;
            continue;
        }
        if (left < 2 || option[1] < 2 || option[1] > left)
            return NULL;
        *at += option[1];
        if (option[0] == OPTION_MSS && option[1] == OPTION_MSS_SIZE)
            return option + 2;
    }
    return NULL;
}

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
    size_t len = (size_t)(h->payload - h->l4), at = TCP_SIZE;
    uint8_t *value;

    if (h->tuple.proto != SVR_PROTO_TCP || !(h->tcp_flags & SVR_TCP_SYN))
        return;
    while ((value = find_mss(tcp, len, &at)) != NULL) {
        uint16_t old = svr__load_be16(value);

        if (old <= mss)
            continue;
        svr__store_be16(value, mss);
        if (p->checksum != SVR_CHECKSUM_PARTIAL)
            correct_checksum(tcp + TCP_CHECKSUM, old, mss, (value - tcp) & 1);
    }
}
