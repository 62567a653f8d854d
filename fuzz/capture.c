/*
 * Capture files: whatever libpcap makes of one, svrdump prints lines of
 * printable ASCII, with --json one object each. It follows sessions, has keys
 * to verify tags and to open metadata and payloads with, and makes packets of
 * hosts again.
 */
#include "fuzz.h"
#include "svrdump/restore.h"
#include "svrdump/verify.h"

#include <stdlib.h>
#include <string.h>

static void check(int holds)
{
    if (!holds)
        abort();
}

/* What signed the files of the corpus. */
static struct verify_keys *make_keys(void)
{
    struct verify_keys *keys = verify_keys_new();
    svr_security_config policy = {
        .hmac = &svr_hmac_sha256_128,
        .mode = SVR_HMAC_TIME_BASED,
        .per_packet = true,
        .bind_tcp = true,
    };
    memset(policy.key, 0x42, sizeof(policy.key));
    check(keys && verify_keys_add(keys, "branch", "dc", &policy, false));
    policy.cipher = &svr_cipher_chacha20_poly1305;
    check(verify_keys_add(keys, "branch", "dc", &policy, false));
    return keys;
}

static void check_text(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        check(text[i] == '\n' || (text[i] >= 0x20 && text[i] <= 0x7e));
    check(len == 0 || text[len - 1] == '\n');
}

static void check_json(const char *text, size_t len)
{
    for (const char *end, *at = text; at < text + len; at = end + 1) {
        end = memchr(at, '\n', (size_t)(text + len - at));
        json_t *frame = json_loadb(at, (size_t)(end - at), 0, NULL);
        check(json_is_object(frame));
        json_decref(frame);
    }
}

static void print(FILE *out, const uint8_t *data, size_t len,
                  const struct dump_options *options)
{
    char error[PCAP_ERRBUF_SIZE];
    FILE *in = fmemopen((void *)(uintptr_t)data, len, "r");
    check(in != NULL);
    pcap_t *pcap = pcap_fopen_offline_with_tstamp_precision(
        in, PCAP_TSTAMP_PRECISION_NANO, error);
    if (!pcap) {
        fclose(in);
        return;
    }
    dump_capture(pcap, options, out);
    pcap_close(pcap);
}

void fuzz_one(const uint8_t *data, size_t len)
{
    if (len == 0) /* is nothing that fmemopen can open */
        return;
    static struct verify_keys *keys; /* reading does not change it */
    if (!keys)
        keys = make_keys();
    struct dump_options options = {
        .file = "fuzz", .all = true, .verbose = true, .keys = keys};
    for (int json = 0; json < 2; json++) {
        char *text = NULL;
        size_t text_len = 0;
        FILE *out = open_memstream(&text, &text_len);
        check(out != NULL);
        options.json = json;
        options.restore = json ? restore_open("/dev/null") : NULL;
        print(out, data, len, &options);
        check(fclose(out) == 0);
        if (options.restore)
            check(restore_close(options.restore) == 0);
        check_text(text, text_len);
        if (json)
            check_json(text, text_len);
        free(text);
    }
}
