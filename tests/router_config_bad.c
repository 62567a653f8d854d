/* Authority files that are refused: what is told, and where. */
#include "router_config.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(bad, .init = folder_make, .fini = folder_remove);

static size_t count_lines(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* The report is one line, at that place, that holds the words. */
static void check_report(const struct outcome *o, const char *at,
                         const char *words, const char *about)
{
    char begin[64];

    snprintf(begin, sizeof(begin), FILE_NAME "%s%s: ", at[0] ? ":" : "", at);
    cr_expect_null(o->config, "%s: loaded", about);
    cr_expect_eq(count_lines(o->report), 1, "%s: %s", about, o->report);
    cr_expect_eq(strncmp(o->report, begin, strlen(begin)), 0,
                 "%s: found %sexpected it at %s", about, o->report, at);
    cr_expect_not_null(strstr(o->report, words),
                       "%s: found %sexpected in it: %s", about, o->report,
                       words);
}

static void check_text(const char *text, const char *router, const char *at,
                       const char *words, const char *about)
{
    struct outcome o = load_text(text, router);

    check_report(&o, at, words, about);
    outcome_free(&o);
}

/* One change to base_file, and the one problem that it makes. */
struct change {
    const char *find, *put;
    const char *at, *words;
};

static void check_changes(const struct change *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *text = file_with(table[i].find, table[i].put);

        check_text(text, "a", table[i].at, table[i].words, table[i].put);
        free(text);
    }
}

#define CHECK_CHANGES(table) \
    check_changes(table, sizeof(table) / sizeof((table)[0]))

Test(bad, not_yaml)
{
    static const struct change table[] = {
        {"routers:", "routers:\n\t", "3:1", "cannot start any token"},
        {"staff.corp, guest]", "staff.corp, guest", "21:9",
         "found no valid YAML"},
        {"  b:", " b:", "12:2", "did not find expected key"},
        {"services:", "services: {", "23:13",
         "(while parsing a flow mapping from line 21 on)"},
        {"authority: test", "authority: *x", "1:12", "undefined alias"},
        {"authority: test", "authority: &a &b x", "1:15", "found no valid"},
        {"authority: test", "authority: \"\\q\"", "1:13", "unknown escape"},
        {"authority: test", "authority: \x01", "1:12",
         "control characters are not allowed"},
        {"authority: test", "authority: \xff", "1:12", "invalid leading UTF-8"},
        {"authority: test", "authority: \xc3(", "1:13",
         "invalid trailing UTF-8"},
        {"timeouts", "---\ntimeouts", "30:1",
         "found more than 1 YAML document, expected no more"},
        {"timeouts", "...\ntimeouts", "31:1", "found no valid YAML"},
        {"timeouts: {udp: 60s}", "%YAML 3.0\n---\na: b", "30:1",
         "found no valid YAML"},
    };

    CHECK_CHANGES(table);
}

Test(bad, shapes_of_the_whole)
{
    static const struct {
        const char *text, *at, *words;
    } table[] = {
        {"", "1:1", "found nothing, expected a mapping"},
        {"# only a remark\n", "1:1", "found nothing"},
        {"---\n", "2:1", "found nothing, expected a mapping"},
        {"just text\n", "1:1", "found \"just text\", expected a mapping"},
        {"- a\n- b\n", "1:1", "found a list, expected a mapping"},
        {"&a [*a]\n", "1:1", "found a list, expected a mapping"},
        {"authority: x\n", "1:1", "found no key \"routers\""},
        {"authority: &x {a: *x}\nrouters: {r: {interfaces: {i: {kind: tun, "
         "device: d, address: 10.0.0.1/8}}}}\n",
         "1:12", "found a mapping, expected a name"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        check_text(table[i].text, NULL, table[i].at, table[i].words,
                   table[i].text);
}

Test(bad, nul_bytes)
{
    static const char text[] = "authority: x\nrou\0ters: {}\n";
    struct outcome o = {0};
    size_t len;
    FILE *report = open_memstream(&o.report, &len);

    o.config =
        config_load_text(text, sizeof(text) - 1, FILE_NAME, "a", ".", report);
    fclose(report);
    check_report(&o, "2:4", "found a NUL byte", "NUL");
    outcome_free(&o);
}

/* Keys that are unknown, missing, twice or no keys. */
Test(bad, keys)
{
    static const struct change table[] = {
        {"kind: tap, device: a-wan", "kind: tap, devise: x, device: a-wan",
         "7:24", "found the key \"devise\", expected one of kind, device, "},
        {"kind: tap, device: a-wan", "kind: tap, devise: x, device: a-wan",
         "7:24", "; did you mean \"device\"?"},
        {"timeouts:", "Timeouts:", "30:1", "; did you mean \"timeouts\"?"},
        {"timeouts:", "timeotus:", "30:1", "; did you mean \"timeouts\"?"},
        {"security: s}", "security: s, vectors: [mpls]}", "11:27",
         "found the key \"vectors\", expected one of interface, peer"},
        {"{key: s.key}", "{key: s.key, sgin: x}", "28:19",
         "; did you mean \"sign\"?"},
        {"{key: s.key}", "{}", "28:3",
         "found no key \"key\" in security-policy \"s\""},
        {"kind: tap, device: a-lan", "device: a-lan", "5:7",
         "found no key \"kind\" in interface \"lan\""},
        {"prefixes: [10.2.0.0/24]\n    ", "", "22:3",
         "found no key \"prefixes\" in service \"web\""},
        {"{router: b, interface: lan}", "{interface: lan}", "26:14",
         "found no key \"router\" in a route"},
        {"authority: test\n", "", "1:1",
         "found no key \"authority\" in the authority file"},
        {"kind: tap, device: a-lan", "kind: tap, kind: tap, device: a-lan",
         "5:24", "found the key \"kind\" a second time, first at line 5"},
        {"tenants: [corp", "authority: again\ntenants: [corp", "20:1",
         "found the key \"authority\" a second time, first at line 1"},
        {"  t: {key: t.key}", "  s: {key: t.key}", "29:3",
         "found \"s\" a second time, first at line 28"},
        {"timeouts: {", "timeouts: {[a]: b, ", "30:12",
         "found a list, expected a key"},
        {"timeouts: {", "timeouts: {{a: b}: b, ", "30:12",
         "found a mapping, expected a key"},
        {"timeouts: {", "timeouts: {~: b, ", "30:12", "found the key \"~\""},
        {"  t: {key: t.key}", "  <<: {key: t.key}", "29:3", "a merge key (<<)"},
        {"{key: s.key}", "{<<: {key: s.key}, key: s.key}", "28:7",
         "a merge key (<<)"},
        {"allow: corp", "allow: corp, deny: guest", "25:14",
         "found 2 keys in an access line that exclude each other"},
        {"allow: corp", "from: 10.0.0.0/8", "25:14",
         "found no key \"allow\" in an access line"},
    };

    CHECK_CHANGES(table);
}

/* One kind of value in the place of another. */
Test(bad, kinds_of_values)
{
    static const struct change table[] = {
        {"kind: tap, device: a-lan", "kind: [tap], device: a-lan", "5:19",
         "found a list, expected one of its words"},
        {"kind: tap, device: a-lan", "kind: , device: a-lan", "5:19",
         "found nothing, expected one of its words"},
        {"device: a-lan", "device: {name: a-lan}", "5:32",
         "found a mapping, expected a network device's name"},
        {"limits: {sessions: 1000}", "limits: 1000", "31:9",
         "found \"1000\", expected a mapping"},
        {"limits: {sessions: 1000}", "limits:", "31:8",
         "found nothing, expected a mapping"},
        {"tenants: [corp, staff.corp, guest]", "tenants: corp", "20:10",
         "found \"corp\", expected a list"},
        {"tenants: [corp, staff.corp, guest]", "tenants: {corp: x}", "20:10",
         "found a mapping, expected a list"},
        {"prefixes: [10.2.0.0/24]", "prefixes: [[10.2.0.0/24]]", "23:16",
         "found a list, expected a prefix"},
        {"access: [{allow: corp}]", "access: [corp]", "25:14",
         "found \"corp\", expected a mapping"},
        {"access: [{allow: corp}]", "access: []", "25:13",
         "found no entries, expected at least one in \"access\", or no such"},
        {"prefixes: [10.2.0.0/24]", "prefixes: []", "23:15",
         "found no entries, expected at least one in \"prefixes\""},
        {"routes: [{router: b, interface: lan}]", "routes:", "26:12",
         "found nothing, expected a list"},
        {"  s: {key: s.key}", "  s: s.key", "28:6",
         "found \"s.key\", expected a mapping"},
        {"authority: test", "authority: !secret test", "1:12",
         "found the tag \"!secret\", expected a value without a tag"},
        {"sessions: 1000", "sessions: !!int 1000", "31:20",
         "found the tag \"tag:yaml.org,2002:int\""},
        {"tenants: [", "tenants: !!set [", "20:10", "found the tag"},
        {"limits: {", "limits: !x {", "31:9", "found the tag \"!x\""},
        {"authority: test", "authority: \"te\\0st\"", "1:12",
         "found a NUL character behind \"te\""},
    };

    CHECK_CHANGES(table);
}

Test(bad, names)
{
    static const struct change table[] = {
        {"authority: test", "authority: ''", "1:12",
         "found \"\", expected a name of 1 to 63 bytes"},
        {"authority: test",
         "authority: "
         "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
         "1:12", "expected a name of 1 to 63 bytes"},
        {"authority: test", "authority: \"te\\nst\"", "1:12",
         "found \"te\\x0ast\", expected a name"},
        {"authority: test", "authority: \"te\\x7f\"", "1:12",
         "found \"te\\x7f\""},
        {"authority: test", "authority: \"te\\x9bm\"", "1:12",
         "found \"te\\xc2\\x9bm\""},
        {"  t: {", "  \"t\\e[2J\": {", "29:3", "found \"t\\x1b[2J\""},
        {"tenants: [corp, staff.corp, guest]",
         "tenants: [corp, staff.corp, guest, any]", "20:36",
         "found \"any\", expected a name other than"},
        {"tenants: [corp, staff.corp, guest]",
         "tenants: [corp, staff.corp, guest, a..b]", "20:36",
         "no empty part between the dots"},
        {"tenants: [corp, staff.corp, guest]",
         "tenants: [corp, staff.corp, guest, .b]", "20:36",
         "no empty part between the dots"},
        {"tenants: [corp, staff.corp, guest]",
         "tenants: [corp, staff.corp, guest, b.]", "20:36",
         "no empty part between the dots"},
        {"tenants: [corp, staff.corp, guest]",
         "tenants: [corp, staff.corp, guest, corp]", "20:36",
         "found \"corp\" a second time, first at line 20"},
        {"device: a-lan", "device: a-lan-a-lan-a-lan", "5:32",
         "expected a network device's name of 1 to 15 bytes"},
        {"device: a-lan", "device: a/lan", "5:32",
         "found \"a/lan\", expected a network device's name"},
        {"device: a-lan", "device: ''", "5:32", "found \"\""},
        {"device: a-lan", "device: ..", "5:32", "found \"..\""},
        {"key: s.key", "key: ''", "28:12", "expected the name of a file"},
    };

    CHECK_CHANGES(table);
}

Test(bad, words_and_numbers)
{
    static const struct change table[] = {
        {"protocol: tcp", "protocol: tpc", "24:29",
         "found \"tpc\", expected a number from 1 to 255 or a word: one of "
         "tcp, udp, icmp, icmpv6, gre, esp, any; did you mean \"tcp\"?"},
        {"protocol: tcp", "protocol: TCP", "24:29", "did you mean \"tcp\"?"},
        {"protocol: tcp", "protocol: 0", "24:29", "a number from 1 to 255"},
        {"protocol: tcp", "protocol: 256", "24:29", "a number from 1 to 255"},
        {"protocol: tcp", "protocol: 06", "24:29", "a number from 1 to 255"},
        {"kind: tap, device: a-lan", "kind: tab, device: a-lan", "5:19",
         "found \"tab\", expected one of tap, tun, pcap; did you mean"},
        {"remote: 192.0.2.2,\n", "remote: 192.0.2.2, tcp-as-udp: true,\n",
         "10:70", "found \"true\", expected one of never, always, probe"},
        {"key: s.key", "key: s.key, mode: time", "28:25",
         "expected one of time-based, regular, disabled"},
        {"key: s.key", "key: s.key, hmac: sha1", "28:25",
         "found hmac \"sha1\", expected \"insecure: true\""},
        {"key: s.key", "key: s.key, cipher: des", "28:27",
         "expected one of none, aes-gcm-256"},
        {"key: s.key", "key: s.key, cipher: aes-cbc-256, sign: metadata-only",
         "28:27", "expected \"sign: per-packet\" beside it"},
        {"key: s.key", "key: s.key, hmac: md5", "28:25",
         "expected one of sha256-128, sha256, sha384, sha512, sha1"},
        {"key: s.key", "key: s.key, bind-tcp: yes", "28:29",
         "found \"yes\", expected true or false"},
        {"key: s.key", "key: s.key, bind-tcp: True", "28:29",
         "found \"True\", expected true or false"},
        {"10.1.0.1/24,\n", "10.1.0.1/24, mtu: 1279,\n", "5:66",
         "found \"1279\", expected a whole number from 1280 to 65535"},
        {"10.1.0.1/24,\n", "10.1.0.1/24, mtu: 65536,\n", "5:66", "1280 to"},
        {"10.1.0.1/24,\n", "10.1.0.1/24, mtu: 1500.0,\n", "5:66", "1280 to"},
        {"10.1.0.1/24,\n", "10.1.0.1/24, mtu: 0x5dc,\n", "5:66", "1280 to"},
        {"10.1.0.1/24,\n", "10.1.0.1/24, mtu: -1500,\n", "5:66", "1280 to"},
        {"sessions: 1000", "sessions: 0", "31:20", "from 1 to 16777216"},
        {"sessions: 1000", "sessions: 18446744073709551617", "31:20",
         "from 1 to 16777216"},
        {"udp: 60s", "udp: 60", "30:17",
         "found \"60\", expected a duration such as 250ms, 10s, 5m or 24h"},
        {"udp: 60s", "udp: 60 s", "30:17", "expected a duration such as"},
        {"udp: 60s", "udp: s", "30:17", "expected a duration such as"},
        {"udp: 60s", "udp: 0s", "30:17", "a duration from 100ms to 168h"},
        {"udp: 60s", "udp: 99ms", "30:17", "a duration from 100ms to 168h"},
        {"udp: 60s", "udp: 169h", "30:17", "a duration from 100ms to 168h"},
        {"udp: 60s", "udp: 5124095577h", "30:17", "expected a duration"},
        {"ports: [80,", "ports: [0,", "24:42",
         "found \"0\", expected a port such as 80 or a range"},
        {"ports: [80,", "ports: [65536,", "24:42", "expected a port"},
        {"ports: [80,", "ports: [http,", "24:42", "expected a port"},
        {"ports: [80,", "ports: [90-,", "24:42", "expected a port"},
        {"ports: [80,", "ports: [-90,", "24:42", "expected a port"},
        {"ports: [80,", "ports: [80-90-100,", "24:42", "expected a port"},
        {"ports: [80,", "ports: [90-80,", "24:42",
         "expected the lower port first: 80-90"},
        {"ports: [80,", "ports: [80, 80,", "24:46",
         "found \"80\" a second time, first at line 24"},
    };

    CHECK_CHANGES(table);
}

Test(bad, addresses)
{
    static const struct change table[] = {
        {"10.1.0.1/24", "10.1.0.1", "5:48",
         "expected an address with its network's prefix length"},
        {"10.1.0.1/24", "10.1.0.1/33", "5:48", "expected an address with its"},
        {"10.1.0.1/24", "10.1.0.1/0", "5:48", "expected an address with its"},
        {"10.1.0.1/24", "10.1.0.1/024", "5:48", "expected an address with its"},
        {"10.1.0.1/24", "10.1.0.01/24", "5:48", "expected an address with its"},
        {"10.1.0.1/24", "10.1.1/24", "5:48", "expected an address with its"},
        {"10.1.0.1/24", "10.1.0.256/24", "5:48", "expected an address with"},
        {"10.1.0.1/24", "'::1%lo/64'", "5:48", "expected an address with"},
        {"10.1.0.1/24", "'::ffff:10.1.0.1/120'", "5:48",
         "expected an address with"},
        {"10.1.0.1/24", "10.1.0.0/24", "5:48",
         "expected the interface's own address, not the network: such as "
         "10.1.0.1/24"},
        {"10.1.0.1/24", "'2001:db8:1::/64'", "5:48",
         "such as 2001:db8:1::1/64"},
        {"10.1.0.1/24", "10.1.0.255/24", "5:48", "not the broadcast's"},
        {"10.1.0.1/24", "127.0.0.1/8", "5:48", "that a host can have"},
        {"10.1.0.1/24", "224.0.0.1/24", "5:48", "that a host can have"},
        {"10.1.0.1/24", "0.0.0.1/24", "5:48", "that a host can have"},
        {"10.1.0.1/24", "'ff02::1/64'", "5:48", "that a host can have"},
        {"10.1.0.1/24", "'::1/64'", "5:48", "that a host can have"},
        {"10.1.0.1/24", "'::/64'", "5:48", "that a host can have"},
        {"10.1.0.1/24", "[10.1.0.1/24, 10.1.0.1/16]", "5:62",
         "found \"10.1.0.1/16\" a second time, first at line 5"},
        {"[10.2.0.0/24]", "[10.2.0.7/24]", "23:16",
         "found \"10.2.0.7/24\", expected no bits behind the prefix length: "
         "10.2.0.0/24"},
        {"[10.2.0.0/24]", "['2001:db8::1/32']", "23:16", "2001:db8::/32"},
        {"[10.2.0.0/24]", "['2001:DB8::/32', '2001:db8:0::/32']", "23:33",
         "found \"2001:db8:0::/32\" a second time"},
        {"[10.2.0.0/24]", "[10.2.0.0]", "23:16", "expected a prefix such as"},
        {"[10.2.0.0/24]", "['::ffff:0:0/96']", "23:16", "expected a prefix"},
        {"[10.2.0.0/24]", "[/24]", "23:16", "expected a prefix such as"},
        {"[10.2.0.0/24]", "[10.2.0.0/]", "23:16", "expected a prefix such as"},
        {"remote: 192.0.2.2", "remote: 192.0.2.2/24", "10:47",
         "expected an address such as"},
        {"remote: 192.0.2.2", "remote: 255.255.255.255", "10:47",
         "that a host can have"},
        {"device: a-lan", "device: a-lan, mac: 02-00-00-00-00-01", "5:44",
         "expected a MAC address such as"},
        {"device: a-lan", "device: a-lan, mac: '02:00:00:00:00:0g'", "5:44",
         "expected a MAC address such as"},
        {"device: a-lan", "device: a-lan, mac: '03:00:00:00:00:01'", "5:44",
         "expected the address of one station"},
        {"device: a-lan", "device: a-lan, mac: '00:00:00:00:00:00'", "5:44",
         "expected the address of one station"},
    };

    CHECK_CHANGES(table);
}

Test(bad, interfaces)
{
    static const struct change table[] = {
        {"tenant: staff.corp}", "tenant: staf.corp}", "6:21",
         "found \"staf.corp\", expected a tenant: one of corp, staff.corp, "
         "guest; did you mean \"staff.corp\"?"},
        {"kind: tap, device: a-lan",
         "kind: tun, device: a-lan, mac: '02:00:00:00:00:01'", "5:44",
         "found the key \"mac\" at an interface of kind \"tun\""},
        {"device: a-lan", "device: a-wan", "7:32",
         "found the device a second time, first at line 5"},
        {"10.1.0.1/24", "192.0.2.1/24", "8:23",
         "found the address a second time, first at line 5"},
        {"10.1.0.1/24,\n", "10.1.0.1/24, gateway: 10.2.0.1,\n", "5:70",
         "found 10.2.0.1, expected an address in a network of interface "
         "\"lan\""},
        {"10.1.0.1/24,\n", "10.1.0.1/24, gateway: 10.1.0.1,\n", "5:70",
         "found the interface's own address 10.1.0.1"},
        {"10.1.0.1/24,\n", "10.1.0.1/24, gateway: 'fe80::1',\n", "5:70",
         "found fe80::1, expected an address in a network"},
        {"10.1.0.1/24,\n", "10.1.0.1/24, gateway: [10.1.0.2, 10.1.0.3],\n",
         "5:81", "found a second gateway of one family"},
        {"10.1.0.1/24,\n",
         "10.1.0.1/24, gateway: [10.1.0.2, 10.1.0.3, 10.1.0.4],\n", "5:70",
         "found 3 entries, expected at most 2 in \"gateway\""},
        {"10.1.0.1/24,\n",
         "10.1.0.1/24, tenants: [{prefix: 10.0.0.0/8, tenant: x}],\n", "5:100",
         "found \"x\", expected a tenant"},
        {"10.1.0.1/24,\n",
         "10.1.0.1/24, tenants: [{prefix: 10.0.0.0/8, tenant: corp},\n"
         "{prefix: 10.0.0.0/8, tenant: guest}],\n",
         "6:10", "found the prefix a second time, first at line 5"},
    };

    CHECK_CHANGES(table);
}

Test(bad, pathways)
{
    static const struct change table[] = {
        {"interface: wan, peer: b", "interface: wna, peer: b", "10:25",
         "found \"wna\", expected an interface of this router: one of lan, "
         "wan; did you mean \"wan\"?"},
        {"security: s}\n  b:", "security: x}\n  b:", "11:24",
         "found \"x\", expected a security policy: one of s, t"},
        {"remote: 192.0.2.2", "remote: 192.0.2.3", "10:47",
         "found \"192.0.2.3\", expected an address of router \"b\": one of "
         "10.2.0.1, 192.0.2.2, 2001:db8::2; did you mean \"192.0.2.2\"?"},
        {"remote: 192.0.2.1,", "remote: 192.0.2.1, local: 192.0.2.1,", "18:65",
         "found 192.0.2.1, expected an address of interface \"wan\""},
        {"remote: 192.0.2.2,", "remote: 192.0.2.2, local: '2001:db8::1',",
         "10:65", "found an IPv6 address, expected one of the family of"},
        {"interface: wan, peer: b, remote: 192.0.2.2",
         "interface: lan, peer: b, remote: '2001:db8::2'", "10:47",
         "found an IPv6 address, but interface \"lan\" has none"},
        /* no way back, which is told at the end that is there */
        {"    pathways:\n      to-a: {interface: wan, peer: a, remote: "
         "192.0.2.1,\n             security: s}\n",
         "", "10:7",
         "found no pathway back, expected one at router \"b\" with peer: "
         "\"a\", "
         "remote: 192.0.2.1, local: 192.0.2.2"},
        {"security: s}\ntenants", "security: t}\ntenants", "19:24",
         "found security policy \"t\", expected \"s\" as at the other end "
         "(line 11)"},
        {"security: s}\n  b:",
         "security: s}\n      again: {interface: wan, peer: b, remote: "
         "192.0.2.2, security: s}\n  b:",
         "12:7",
         "found the same pair of waypoints a second time, first at "
         "line 10"},
    };

    CHECK_CHANGES(table);
}

/* What one change to base_file cannot show. */
Test(bad, pathways_of_small_networks)
{
    static const char to_itself[] =
        "authority: x\n"
        "routers:\n"
        "  a:\n"
        "    interfaces:\n"
        "      w: {kind: tap, device: w, address: [10.0.0.1/24, 10.0.0.2/24]}\n"
        "    pathways:\n"
        "      p: {interface: w, peer: a, remote: 10.0.0.2, security: s}\n"
        "security-policies: {s: {key: s.key}}\n";
    static const char far_away[] =
        "authority: x\n"
        "routers:\n"
        "  a:\n"
        "    interfaces:\n"
        "      w: {kind: tap, device: w, address: 10.0.0.1/24}\n"
        "    pathways:\n"
        "      p: {interface: w, peer: b, remote: 10.9.0.1, security: s}\n"
        "  b:\n"
        "    interfaces:\n"
        "      w: {kind: tun, device: w, address: 10.9.0.1/24}\n"
        "    pathways:\n"
        "      p: {interface: w, peer: a, remote: 10.0.0.1, security: s}\n"
        "security-policies: {s: {key: s.key}}\n";
    static const char slash[] =
        "authority: x\n"
        "routers: {a/b: {interfaces: {i: {kind: tun, device: d,\n"
        "                                 address: 10.0.0.1/24}}}}\n";
    static const char no_tenants[] =
        "authority: x\n"
        "routers: {a: {interfaces: {i: {kind: tun, device: d, tenant: t,\n"
        "                               address: 10.0.0.1/24}}}}\n";

    check_text(to_itself, "a", "7:31",
               "found the router \"a\" itself, expected another", "to itself");
    check_text(far_away, "a", "7:42",
               "found 10.9.0.1, which is in no network of interface \"w\", "
               "expected an IPv4 gateway there",
               "far away");
    check_text(slash, NULL, "2:11", "a router's name without a slash", "a/b");
    check_text(no_tenants, "a", "2:62",
               "found \"t\", expected a tenant, but the file names none",
               "no tenants");
}

/* S16.2 */
Test(bad, service_policies)
{
    static const struct {
        const char *keys, *at, *expected;
    } rows[] = {
        {"best-path: fastest", "21:35",
         "expected one of order, vector, latency, mos"},
        {"max-loss: 0.5", "21:34", "expected a percentage such as 0.5%"},
        {"max-loss: 101%", "21:34", "expected a percentage"},
        {"max-loss: 100.0001%", "21:34", "expected a percentage"},
        {"max-loss: 0.%", "21:34", "expected a percentage"},
        {"max-loss: 0.00001%", "21:34", "expected a percentage"},
        {"max-loss: '%'", "21:34", "expected a percentage"},
        {"max-latency: 250", "21:37", "expected a duration such as 250ms"},
        {"max-latency: 11s", "21:37", "expected a duration from 1ms to 10s"},
        {"max-jitter: 0ms", "21:36", "expected a duration from 1ms to 10s"},
        {"min-mos: 4.51", "21:33", "expected a mean opinion score"},
        {"min-mos: 0.9", "21:33", "expected a mean opinion score"},
        {"min-mos: 3.6%", "21:33", "expected a mean opinion score"},
        {"min-mos: 5", "21:33", "expected a mean opinion score"},
        {"balance: even", "21:33", "expected one of hunt, proportional"},
        {"best-effort: maybe", "21:37", "expected true or false"},
        {"vectors: [mpls]", "21:34", "found \"mpls\", expected a mapping"},
        {"vectors: [{name: mpls}]", "21:34", "found no key \"priority\""},
        {"vectors: [{name: mpls, priority: often}]", "21:57",
         "expected a number from 0 to 65000, or never"},
        {"vectors: [{name: mpls, priority: 65001}]", "21:57",
         "expected a number from 0 to 65000, or never"},
        {"vectors: [{name: mlps, priority: 1}]", "21:41",
         "found \"mlps\", expected the vector of a pathway, but the file names "
         "none"},
        {"best-path: order, balance: hunt", "21:51",
         "found balance beside \"best-path: order\""},
        {"best-path: order, max-loss: 1%", "21:52",
         "found max-loss beside \"best-path: order\""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char put[160];
        snprintf(put, sizeof(put),
                 "service-policies: {p: {%s}}\nservices:", rows[i].keys);
        check_changes(
            &(struct change){"services:", put, rows[i].at, rows[i].expected},
            1);
    }
}

Test(bad, vectors)
{
    static const struct {
        const char *names, *at, *expected;
    } rows[] = {
        {"{name: mpls, priority: 1}, {name: mpls, priority: 2}", "21:68",
         "found the vector a second time"},
        {"{name: mlps, priority: 1}", "21:41",
         "found \"mlps\", expected the vector of a pathway: one of mpls; did "
         "you mean \"mpls\"?"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char put[240];
        snprintf(put, sizeof(put),
                 "security: s, vector: mpls}\n"
                 "tenants: [corp, staff.corp, guest]\n"
                 "service-policies: {p: {vectors: [%s]}}\nservices:",
                 rows[i].names);
        check_changes(&(struct change){"security: s}\n"
                                       "tenants: [corp, staff.corp, guest]\n"
                                       "services:",
                                       put, rows[i].at, rows[i].expected},
                      1);
    }
}

Test(bad, services)
{
    static const struct change table[] = {
        {"allow: corp", "allow: crop", "25:22",
         "found \"crop\", expected a tenant or any: one of corp"},
        {"allow: corp", "deny: nobody", "25:21", "expected a tenant or any"},
        {"    routes:", "    policy: fast\n    routes:", "26:13",
         "found \"fast\", expected a service policy: one of voice, video, "
         "interactive, bulk"},
        {"    routes:", "    policy: vioce\n    routes:", "26:13",
         "did you mean \"voice\"?"},
        {"services:",
         "service-policies: {p: {resiliency: failback}}\nservices:", "21:36",
         "found \"failback\", expected one of none, failover, "
         "revertible-failover, packet-duplication"},
        {"services:", "service-policies: {p: {resilience: none}}\nservices:",
         "21:24", "found the key \"resilience\""},
        {"[{allow: corp}]", "[{allow: corp}, {deny: corp}]", "25:29",
         "found a line for the same clients a second time"},
        {"[{allow: corp}]",
         "[{allow: any, from: 10.0.0.0/8}, {allow: any, from: 10.0.0.0/8}]",
         "25:46", "found a line for the same clients a second time"},
        {"router: b, interface: lan", "router: c, interface: lan", "26:23",
         "found \"c\", expected a router: one of a, b"},
        {"router: b, interface: lan", "router: b, interface: lam", "26:37",
         "expected an interface of router \"b\": one of lan, wan; did you"},
        {"[{router: b, interface: lan}]",
         "[{router: b, interface: lan}, {router: b, interface: lan}]", "26:43",
         "found the route a second time, first at line 26"},
        {"protocol: tcp, ports: [80, 8000-8100]", "protocol: icmp, ports: 8",
         "24:42", "found ports with protocol \"icmp\""},
        {"protocol: tcp, ports: [80, 8000-8100]", "protocol: any, ports: 80",
         "24:41", "found ports with protocol \"any\""},
        {"protocol: tcp, ports: [80, 8000-8100]", "protocol: 132, ports: 80",
         "24:41", "found ports with protocol \"132\""},
        {"ports: [80, 8000-8100]}", "ports: 80}, {protocol: 6, ports: 80}",
         "24:67", "found the same protocol and ports a second time"},
        {"ports: [80, 8000-8100]}",
         "ports: 80}, {protocol: esp}, "
         "{protocol: 50}",
         "24:63", "found the same protocol and ports a second time"},
        {"security-policies:",
         "  www:\n"
         "    prefixes: [10.3.0.0/16, 10.2.0.0/24]\n"
         "    transports: [{protocol: tcp, ports: 80}]\n"
         "    routes: [{router: b, interface: lan}]\n"
         "security-policies:",
         "28:29",
         "found the prefix with the same protocol and ports a second "
         "time, first at line 23"},
    };

    CHECK_CHANGES(table);
}

/* Services without transports, and with any: all the same. */
Test(bad, conflict_of_all_protocols)
{
    static const char text[] =
        "authority: x\n"
        "routers: {a: {interfaces: {i: {kind: tun, device: d,\n"
        "                               address: 10.0.0.1/24}}}}\n"
        "services:\n"
        "  x: {prefixes: ['::/0', 0.0.0.0/0],\n"
        "      routes: &r [{router: a, interface: i}]}\n"
        "  y: {prefixes: [0.0.0.0/0], transports: [{protocol: any}],\n"
        "      routes: *r}\n";

    check_text(text, "a", "7:18", "the prefix with the same protocol and ports",
               "any");
}

Test(bad, security_policies)
{
    static const struct change table[] = {
        {"{key: s.key}", "{key: s.key, mode: disabled}", "28:25",
         "found mode \"disabled\", expected \"insecure: true\" beside it"},
        {"{key: s.key}", "{key: s.key, mode: disabled, insecure: false}",
         "28:25", "expected \"insecure: true\""},
    };

    CHECK_CHANGES(table);
}

Test(bad, routers_that_are_not_there)
{
    check_text(base_file, "c", "3:3",
               "found no router \"c\", expected --router to name: one of a, b",
               "c");
    check_text(base_file, "", "3:3", "found no router \"\"", "empty");
}

/* The pathway of router a with these BFD settings. */
#define BFD(settings) "security: s, bfd: {" settings "}}\n  b:"

#define RECOVERY(time) \
    "security: s, recovery: inactivity-based, inactivity: " time "}\n  b:"

Test(bad, bfd)
{
    static const char find[] = "security: s}\n  b:";
    static const struct change table[] = {
        {find, BFD("interval: 49ms"), "11:43",
         "found \"49ms\", expected a duration from 50ms to 10m"},
        {find, BFD("interval: 601s"), "11:43", "from 50ms to 10m"},
        {find, BFD("required: 0s"), "11:43", "from 50ms to 10m"},
        {find, BFD("hold-down: 11m"), "11:44", "from 0ms to 10m"},
        {find, BFD("multiplier: 2"), "11:45",
         "found \"2\", expected a whole number from 3 to 20"},
        {find, BFD("multiplier: 21"), "11:45", "from 3 to 20"},
        {find, BFD("port: 0"), "11:39", "from 1 to 16383"},
        {find, BFD("port: 16384"), "11:39", "from 1 to 16383"},
        {find, BFD("ttl: 0"), "11:38", "from 1 to 255"},
        {find, BFD("ttl: 256"), "11:38", "from 1 to 255"},
        {find, BFD("detection: remote"), "11:44", "expected one of own, peer"},
        {find, BFD("form: signed"), "11:39", "expected one of block, plain"},
        {find, BFD("intervall: 1s"), "11:33",
         "found the key \"intervall\", expected one of interval,"},
        {find, "security: s, bfd: 1s}\n  b:", "11:32",
         "found \"1s\", expected a mapping"},
        {find, "security: s, ports: 16383-20000}\n  b:", "11:34",
         "found ports \"16383-20000\", expected some within 16384-65534"},
        {find, "security: s, ports: 20000-65535}\n  b:", "11:34",
         "found ports \"20000-65535\", expected some within 16384-65534"},
        {find, "security: s, inactivity: 5s}\n  b:", "11:39",
         "found \"inactivity\" in a pathway without \"recovery: "
         "inactivity-based\""},
        {find, RECOVERY("500ms"), "11:67",
         "found \"500ms\", expected a duration from 1s to 30s"},
        {find, RECOVERY("31s"), "11:67", "from 1s to 30s"},
        {find, RECOVERY("1500ms"), "11:67",
         "found \"1500ms\", expected whole seconds"},
        {find, "security: s, recovery: none}\n  b:", "11:37",
         "expected one of packet-based, inactivity-based"},
        {find, "security: s, ports: 1280}\n  b:", "11:34",
         "found ports \"1280\", expected some within 16384-65534"},
        {find, "security: s, tcp-as-udp: probe, bfd: {form: plain}}\n  b:",
         "11:39", "found \"probe\" in a pathway with BFD form \"plain\""},
    };

    CHECK_CHANGES(table);
}

Test(bad, bfd_ends_that_differ)
{
    static const char find[] = "security: s}\n  b:";
    static const struct change table[] = {
        {find, BFD("port: 3784"), "18:7",
         "found BFD port \"1280\", expected \"3784\" as at the other end "
         "(line 11)"},
        {find, RECOVERY("5s"), "18:7",
         "found recovery \"packet-based\", expected \"inactivity-based\""},
        {find, BFD("form: plain"), "18:7",
         "found BFD form \"block\", expected \"plain\""},
        {find, BFD("ttl: 255"), "18:7",
         "found BFD TTL \"64\", expected \"255\" as at the other end (line "
         "11)"},
    };

    CHECK_CHANGES(table);
}

/* Key files. The problem stands where the file is named. */
static void check_key(const char *words)
{
    check_text(base_file, "a", "28:12", words, words);
}

Test(bad, key_files)
{
    static const char zero[] = "00000000000000000000000000000000"
                               "00000000000000000000000000000000\n";
    static const char demo[] = "6C69627376722064656d6f206b65792c"
                               "206e6f74206120736563726574212121\n";
    static const char good[] = "000102030405060708090a0b0c0d0e0f"
                               "101112131415161718191a1b1c1d1e1f";
    char text[160];

    file_write("s.key", good, 0644);
    check_key("/s.key\" has mode 0644, expected 0600: chmod 600 /tmp/");
    file_write("s.key", good, 0640);
    check_key("has mode 0640");
    file_write("s.key", good, 0700);
    check_key("has mode 0700");
    file_write("s.key", good, 04600);
    check_key("has mode 4600");
    file_write("s.key", zero, 0600);
    check_key("is all zero, expected a random key: openssl rand -hex 32");
    file_write("s.key", demo, 0600);
    check_key("is the demo's, which everyone knows");
    file_write("s.key", "", 0600);
    check_key("has fewer than 64 characters");
    snprintf(text, sizeof(text), "%.63s\n", good);
    file_write("s.key", text, 0600);
    check_key("has fewer than 64 characters");
    snprintf(text, sizeof(text), "%s0\n", good);
    file_write("s.key", text, 0600);
    check_key("has more than 64 characters");
    snprintf(text, sizeof(text), "%s\n\n", good);
    file_write("s.key", text, 0600);
    check_key("has more than 64 characters");
    snprintf(text, sizeof(text), "%s\n%s\n", good, good);
    file_write("s.key", text, 0600);
    check_key("has more than 64 characters");
}

/* Each byte but a digit is found, and is not printed. */
Test(bad, key_digits)
{
    char text[] = "000102030405060708090a0b0c0d0e0f"
                  "101112131415161718191a1b1c1d1e1f";

    for (int c = 1; c < 256; c++) {
        struct outcome o;

        text[40] = (char)c;
        file_write("s.key", text, 0600);
        o = load_text(base_file, "a");
        if (strchr("0123456789abcdefABCDEF", c)) {
            cr_expect_not_null(o.config);
        } else {
            check_report(&o, "28:12",
                         "no hexadecimal digit as character 41, expected",
                         "digit");
        }
        outcome_free(&o);
    }
}

Test(bad, key_files_that_are_no_files)
{
    char path[64];

    snprintf(path, sizeof(path), "%s/s.key", key_folder);
    unlink(path);
    check_key("does not exist; a new one: (umask 077; openssl rand -hex 32 > "
              "/tmp/");
    cr_assert_eq(mkdir(path, 0700), 0);
    check_key("is not a file, expected a regular file");
    rmdir(path);
    cr_assert_eq(mkfifo(path, 0600), 0);
    check_key("is not a file, expected a regular file");
    unlink(path);
    cr_assert_eq(symlink(path, path), 0);
    check_key("cannot be opened: Too many levels of symbolic links");
    unlink(path);
    if (geteuid() == 0) {
        file_write("s.key", "x", 0600);
        cr_assert_eq(chown(path, 12345, (gid_t)-1), 0);
        check_key("belongs to user 12345, expected user 0: chown 0 /tmp/");
    }
}

/* Other routers' keys do not matter, but for a check of the whole file. */
Test(bad, all_keys_where_no_router_is_named)
{
    struct outcome o;

    file_write("t.key", "nonsense", 0600);
    o = load_text(base_file, "a");
    cr_expect_not_null(o.config);
    outcome_free(&o);
    check_text(base_file, NULL, "29:12", "has fewer than 64 characters", "t");
}

/* A path that a shell would take apart is not put into a command. */
Test(bad, key_paths_in_commands)
{
    char *text = file_with("{key: s.key}", "{key: 'a b;$(c)'}");

    check_text(text, "a", "28:12",
               "/a b;$(c)\" does not exist; a new one: (umask 077; openssl "
               "rand -hex 32 > FILE)",
               "path");
    free(text);
}

/* Problems do not hide each other, and none is told twice. */
Test(bad, several_at_once)
{
    static const char text[] =
        "authority: test\n"
        "routers:\n"
        "  a:\n"
        "    interfaces:\n"
        "      lan: {kind: tapp, device: a-lan, address: 10.1.0.1/24}\n"
        "      wan: {kind: tap, device: wan, address: 192.0.2.0/24}\n"
        "    pathways:\n"
        "      to-b: {interface: wan, peer: c, remote: 192.0.2.2,\n"
        "             security: s}\n"
        "  b:\n"
        "    interfaces:\n"
        "      lan: {kind: tap, device: b-lan, address: 10.2.0.1/24}\n"
        "      wan: {kind: tap, device: wan, address: 192.0.2.2/24,\n"
        "            tenant: nobody}\n"
        "    pathways:\n"
        "      to-a: {interface: wan, peer: a, remote: 192.0.2.1,\n"
        "             security: x, color: red}\n"
        "services:\n"
        "  web: {prefixes: [10.2.0.1/24], routes: [{router: b}]}\n"
        "  dns: {prefixes: [10.2.0.0/24],\n"
        "        routes: [{router: b, interface: nothing}]}\n"
        "security-policies: {s: {key: s.key, mode: disabled}}\n";
    static const char *const expected[] = {
        "5:19: found \"tapp\"",
        "6:46: found \"192.0.2.0/24\"",
        "17:27: found the key \"color\"",
        "19:20: found \"10.2.0.1/24\"",
        "19:43: found no key \"interface\"",
        "22:43: found mode \"disabled\"",
        "14:21: found \"nobody\"",
        "8:36: found \"c\"",
        "21:41: found \"nothing\"",
    };
    struct outcome o = load_text(text, "a");

    cr_expect_null(o.config);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        cr_expect_not_null(strstr(o.report, expected[i]), "%s", expected[i]);
    cr_expect_eq(count_lines(o.report), 9, "%s", o.report);
    outcome_free(&o);
}

/* After twenty problems it is enough. */
Test(bad, too_many)
{
    char text[4096] = "authority: test\n";
    struct outcome o;

    for (int i = 0; i < 30; i++)
        sprintf(text + strlen(text), "unknown%d: x\n", i);
    o = load_text(text, "a");
    cr_expect_null(o.config);
    cr_expect_eq(count_lines(o.report), 21);
    cr_expect_not_null(strstr(o.report, "unknown19"));
    cr_expect_null(strstr(o.report, "unknown20"));
    cr_expect_not_null(
        strstr(o.report, FILE_NAME ": stopped after 20 problems\n"));
    outcome_free(&o);
}

/* What would take libyaml very long is refused before. */
Test(bad, deep_and_anchored)
{
    char *text = malloc(1 << 20);

    cr_assert_not_null(text);
    memset(text, '[', 1 << 20);
    text[(1 << 20) - 1] = '\0';
    check_text(text, "a", "1:33",
               "found more than 32 levels of lists and mappings", "depth");
    for (size_t i = 0; i < 65535; i++)
        snprintf(text + 16 * i, 17, "- &a%09zu b\n", i);
    check_text(text, "a", "1001:3", "found more than 1000 anchors", "anchors");
    free(text);
}

/* A long list of what was expected ends in dots; letters of all lengths are
 * printed as they are, but for those that turn the direction of text. */
Test(bad, long_lists_and_letters)
{
    char text[2048] = "tenants: [";
    size_t len = strlen(text);

    for (int i = 0; i < 20; i++)
        len += (size_t)sprintf(text + len, "t%d, ", i);
    sprintf(text + len, "%s",
            "]\nauthority: x\nrouters: {a: {interfaces: {i: {kind: tun, "
            "device: d, address: 10.0.0.1/24,\n"
            "tenant: \xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\x8d\xe2\x80\xae}}}}\n");
    check_text(text, NULL, "4:9",
               "found \"\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\x8d"
               "\\xe2\\x80\\xae\", expected a tenant: one of t0, t1, ",
               "letters");
    check_text(text, NULL, "4:9", ", t14, t15, …", "list");
}

/* Very long values are refused, and shown cut. */
Test(bad, long_values)
{
    char text[4096] = "authority: ", *end = text + strlen(text);
    struct outcome o;

    memset(end, 'x', 2000);
    sprintf(end + 2000, "%s", "\nrouters: 1\n");
    o = load_text(text, NULL);
    cr_expect_null(o.config);
    cr_expect_not_null(strstr(o.report, "xxx…\", expected a name of 1 to 63"));
    cr_expect_lt(strlen(o.report), 400);
    outcome_free(&o);
}
