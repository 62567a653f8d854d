/*
 * Metadata from strangers: whatever the bytes are, decoding stays within them,
 * and every view that it hands out lies in them.
 */
#include "fuzz.h"

#include <assert.h>
#include <string.h>
#include <svr/metadata.h>

static bool lies_in(const svr_span *view, const uint8_t *data, size_t len)
{
    size_t from = (size_t)(view->data - data);
    return view->data >= data && from <= len && view->len <= len - from;
}

/* One family of each at most (S2.5). */
static int count_contexts(const svr_metadata *md)
{
    int v4 = !!(md->present & SVR_HAS(FORWARD_CONTEXT_V4)) +
             !!(md->present & SVR_HAS(REVERSE_CONTEXT_V4));
    int v6 = !!(md->present & SVR_HAS(FORWARD_CONTEXT_V6)) +
             !!(md->present & SVR_HAS(REVERSE_CONTEXT_V6));

    assert(v4 + v6 <= 2);
    return v4 + v6;
}

static void check_views(const svr_metadata *md, const uint8_t *data, size_t len)
{
    const struct {
        uint64_t has;
        const svr_span *view;
    } views[] = {
        {SVR_HAS(TENANT), &md->tenant},
        {SVR_HAS(SERVICE), &md->service},
        {SVR_HAS(SOURCE_ROUTER), &md->source_router},
        {SVR_HAS(DESTINATION_ROUTER), &md->destination_router},
        {SVR_HAS(SECURITY_POLICY), &md->security_policy},
        {SVR_HAS(PATHWAY), &md->pathway},
        {SVR_HAS(APPLICATION), &md->application},
        {SVR_HAS(MODIFY), &md->modify},
        {SVR_HAS(SESSION_KEY), &md->session_key},
        {SVR_HAS(MULTICAST_EGRESS), &md->multicast_egress},
        {SVR_HAS(RECOVERY_TOKEN), &md->recovery_token},
        {SVR_HAS(ROUTE_RECORD), &md->route_record},
    };

    assert(md->present >> SVR_ATTR_COUNT == 0);
    assert(svr_metadata_is_session(md) == (count_contexts(md) > 0));
    for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
        if (md->present & views[i].has)
            assert(views[i].view->len > 0 && lies_in(views[i].view, data, len));
    }
}

/* Returns how many attributes a section has, -1 where it does not add up. */
static int walk(const uint8_t *data, size_t len, enum svr_section section)
{
    svr_span rest = {data, len};
    svr_tlv tlv;
    int count = 0, more;

    while ((more = svr_tlv_next(&tlv, &rest)) == 1) {
        const svr_attribute_info *info = svr_attribute_find(tlv.type, section);

        assert(lies_in(&tlv.value, data, len) && lies_in(&rest, data, len));
        assert(rest.data == tlv.value.data + tlv.value.len);
        assert(!info || (info->type == tlv.type && info->name[0] != '\0' &&
                         info->min_len <= info->max_len));
        count++;
    }
    assert(more == 0 || more == SVR_ERR_TLV_OVERRUN);
    return more == 0 ? count : -1;
}

static int count_present(const svr_metadata *md)
{
    return __builtin_popcountll(md->present) + md->unknown;
}

void fuzz_one(const uint8_t *data, size_t len)
{
    svr_metadata header, whole;
    uint8_t bare[SVR_BASE_HEADER_SIZE];
    svr_block b;
    int err = svr_block_parse(&b, data, len);

    if (err != 0) {
        assert(svr_metadata_decode(&whole, data, len) == err);
        return;
    }
    size_t total = (size_t)b.header_len + b.payload_len;
    const uint8_t *payload = data + b.header_len;
    assert(svr_cookie_present(data, len) && b.data == data && total <= len);
    svr_block_write_bare(bare);
    assert(svr_block_is_bare(&b) == (total == SVR_BASE_HEADER_SIZE));
    assert(svr_block_is_bare(&b) == (memcmp(data, bare, sizeof(bare)) == 0));

    int in_header =
        walk(data + SVR_BASE_HEADER_SIZE,
             (size_t)b.header_len - SVR_BASE_HEADER_SIZE, SVR_SECTION_HEADER);
    int in_payload = walk(payload, b.payload_len, SVR_SECTION_PAYLOAD);
    svr_metadata_init(&header);
    err = svr_metadata_decode_header(&header, &b);
    if (err == 0) {
        check_views(&header, data, b.header_len);
        assert(in_header == count_present(&header));
    }
    whole = header;
    if (err == 0)
        err = svr_metadata_decode_payload(&whole, payload, b.payload_len);
    if (err == 0) {
        check_views(&whole, data, total);
        assert(in_header + in_payload == count_present(&whole));
        assert((whole.present & header.present) == header.present);
    }
    assert(svr_metadata_decode(&whole, data, len) ==
           (err == 0 ? (ptrdiff_t)total : err));
}
