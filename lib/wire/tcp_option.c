#include "wire/tcp_option.h"

#include "wire/headers.h"

enum {
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_SCALE = 3,
    OPTION_SCALE_SIZE = 3,
};

uint8_t *svr__tcp_option_find(uint8_t *tcp, size_t len, size_t *at,
                              uint8_t kind, uint8_t size)
{
    if (*at == 0)
        *at = TCP_SIZE;
    while (*at < len && tcp[*at] != OPTION_END) {
        uint8_t *option = tcp + *at;
        size_t left = len - *at;

        if (option[0] == OPTION_NOP) {
            *at += 1;
            continue;
        }
        if (left < 2 || option[1] < 2 || option[1] > left)
            return NULL;
        *at += option[1];
        if (option[0] == kind && option[1] == size)
            return option + 2;
    }
    return NULL;
}

uint8_t svr__tcp_window_shift(const svr_packet *p, const svr_headers *h)
{
    size_t at = 0;
    const uint8_t *value =
        svr__tcp_option_find(p->data + h->l4, (size_t)(h->payload - h->l4), &at,
                             OPTION_SCALE, OPTION_SCALE_SIZE);
    return value ? *value : 0;
}
