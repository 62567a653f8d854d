#include "schema.h"

#include "config.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CHOICES(array) .choices = (array), .choice_count = COUNT(array)
#define KEYS(array) .keys = (array), .count = COUNT(array)

#define NAME_JSON "{\"type\": \"string\", \"minLength\": 1, \"maxLength\": 63}"

const struct schema_type_info schema_types[SCHEMA_TYPE_COUNT] = {
    [SCHEMA_MAPPING] = {"mapping", "a mapping", NULL, NULL},
    [SCHEMA_NAME] = {"name",
                     "a name of 1 to 63 bytes without control characters",
                     "1 to 63 bytes of UTF-8 without control characters.",
                     NAME_JSON},
    [SCHEMA_TENANT] =
        {"tenant name", "a tenant's name such as corp or staff.corp",
         "A name whose parts are joined by dots, child first: `staff.corp` is "
         "a child of `corp`. `any` is no tenant's name.",
         NAME_JSON},
    [SCHEMA_CHOICE] = {"word", "one of its words", NULL, NULL},
    [SCHEMA_NUMBER] = {"number", "a whole number", NULL, NULL},
    [SCHEMA_BOOLEAN] = {"true or false", "true or false", NULL,
                        "{\"type\": \"boolean\"}"},
    [SCHEMA_DURATION] =
        {"duration", "a duration such as 250ms, 10s, 5m or 24h",
         "A whole number and its unit: `250ms`, `10s`, `5m`, `24h`.",
         "{\"type\": \"string\", \"pattern\": \"^[0-9]+(ms|s|m|h)$\"}"},
    [SCHEMA_INTERVAL] = {"interval", "a duration such as 30m or 24h, or never",
                         "A duration, or `never`.",
                         "{\"type\": \"string\", \"pattern\": "
                         "\"^([0-9]+(ms|s|m|h)|never)$\"}"},
    [SCHEMA_ADDRESS] =
        {"address", "an address such as 192.0.2.1 or 2001:db8::1",
         "An IPv4 or IPv6 address that a host can have: `192.0.2.1`, "
         "`\"2001:db8::1\"`.",
         "{\"type\": \"string\", \"pattern\": \"^[0-9A-Fa-f.:]+$\"}"},
    [SCHEMA_INTERFACE_ADDRESS] =
        {"address/length",
         "an address with its network's prefix length such "
         "as 192.0.2.1/24 or 2001:db8::1/64",
         "The interface's own address and the prefix length of its network: "
         "`192.0.2.1/24`, `\"2001:db8::1/64\"`.",
         "{\"type\": \"string\", \"pattern\": \"^[0-9A-Fa-f.:]+/[0-9]+$\"}"},
    [SCHEMA_PREFIX] =
        {"prefix", "a prefix such as 192.0.2.0/24 or 2001:db8::/64",
         "A network: its first address and its prefix length, all bits behind "
         "the length zero: `192.0.2.0/24`, `\"2001:db8::/64\"`.",
         "{\"type\": \"string\", \"pattern\": \"^[0-9A-Fa-f.:]+/[0-9]+$\"}"},
    [SCHEMA_MAC] =
        {"MAC address", "a MAC address such as 02:00:5e:00:53:01",
         "Six bytes in hexadecimal with colons: `\"02:00:5e:00:53:01\"`; not a "
         "group address.",
         "{\"type\": \"string\", \"pattern\": "
         "\"^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$\"}"},
    [SCHEMA_PORTS] =
        {"ports", "a port such as 80 or a range such as 8000-8100",
         "A port from 1 to 65535, or the first and the last of a range: `80`, "
         "`\"8000-8100\"`.",
         "{\"oneOf\": [{\"type\": \"integer\", \"minimum\": 1, \"maximum\": "
         "65535}, {\"type\": \"string\", \"pattern\": "
         "\"^[0-9]{1,5}(-[0-9]{1,5})?$\"}]}"},
    [SCHEMA_PROTOCOL] =
        {"protocol", "a protocol",
         "A word, or the number of an IP protocol from 1 to 255.", NULL},
    [SCHEMA_DEVICE] =
        {"device", "a network device's name of 1 to 15 bytes",
         "The name of a Linux network device: 1 to 15 bytes without spaces "
         "and slashes.",
         "{\"type\": \"string\", \"pattern\": \"^[^ /]{1,15}$\"}"},
    [SCHEMA_KEY] = {"key", "the name of a file, or exchanged",
                    "The name of a file, relative to the folder of keys, or "
                    "`exchanged`.",
                    "{\"type\": \"string\", \"minLength\": 1, \"maxLength\": "
                    "1023}"},
    [SCHEMA_IDENTITY] =
        {"identity", "64 hexadecimal digits, as svrctl keygen prints them",
         "64 hexadecimal digits, as `svrctl keygen` prints them.",
         "{\"type\": \"string\", \"pattern\": \"^[0-9A-Fa-f]{64}$\"}"},
    [SCHEMA_PRIORITY] =
        {"priority", "a number from 0 to 65000, or never",
         "A whole number from 0 to 65000, of which lower ones win, or `never`.",
         "{\"oneOf\": [{\"type\": \"integer\", \"minimum\": 0, \"maximum\": "
         "65000}, {\"enum\": [\"never\"]}]}"},
    [SCHEMA_SHARE] =
        {"percentage", "a percentage such as 0.5%",
         "A percentage from `0%` to `100%`, with up to four digits behind the "
         "point: `0.5%`.",
         "{\"type\": \"string\", \"pattern\": "
         "\"^[0-9]{1,3}([.][0-9]{1,4})?%$\"}"},
    [SCHEMA_SCORE] =
        {"score", "a mean opinion score from 1 to 4.5 such as 3.6",
         "A mean opinion score from `1` to `4.5`, with up to three digits "
         "behind the point: `3.6`.",
         "{\"type\": \"number\", \"minimum\": 1, \"maximum\": 4.5}"},
};

static const struct schema_choice port_kinds[] = {
    {"tap", PORT_TAP, "a TAP device: Ethernet frames, segmentation offloads"},
    {"tun", PORT_TUN, "a TUN device: IP packets, segmentation offloads"},
    {"pcap", PORT_PCAP, "a network device, captured and sent to with libpcap"},
};

static const struct schema_key source_keys[] = {
    [SOURCE_PREFIX] = {.name = "prefix",
                       .type = SCHEMA_PREFIX,
                       .required = true,
                       .text = "the clients' addresses"},
    [SOURCE_TENANT] = {.name = "tenant",
                       .type = SCHEMA_NAME,
                       .required = true,
                       .text = "the tenant that they belong to"},
};

static const struct schema_mapping source_mapping = {
    .name = "source",
    .article = "a tenant by source prefix",
    .title = "Tenants by source prefix",
    .text = "Clients behind one interface can belong to several tenants. The "
            "longest prefix that holds a client's address decides; where none "
            "does, the interface's `tenant`.",
    KEYS(source_keys),
};

static const struct schema_key interface_keys[] = {
    [INTERFACE_KIND] = {.name = "kind",
                        .type = SCHEMA_CHOICE,
                        .required = true,
                        .text = "how svrd attaches to the device",
                        CHOICES(port_kinds)},
    [INTERFACE_DEVICE] = {.name = "device",
                          .type = SCHEMA_DEVICE,
                          .required = true,
                          .text = "the device, which must exist when svrd "
                                  "starts"},
    [INTERFACE_ADDRESS] = {.name = "address",
                           .shape = SCHEMA_ONE_OR_LIST,
                           .type = SCHEMA_INTERFACE_ADDRESS,
                           .required = true,
                           .most = 32,
                           .text = "the router's own addresses on this "
                                   "interface, with their networks"},
    [INTERFACE_GATEWAY] = {.name = "gateway",
                           .shape = SCHEMA_ONE_OR_LIST,
                           .type = SCHEMA_ADDRESS,
                           .most = 2,
                           .otherwise = "only the interface's own networks are "
                                        "reached through it",
                           .text = "the next hop for everything outside the "
                                   "interface's networks; at most one for "
                                   "IPv4 and one for IPv6"},
    [INTERFACE_MTU] = {.name = "mtu",
                       .type = SCHEMA_NUMBER,
                       .min = 1280,
                       .max = 65535,
                       .fallback = "1500",
                       .text = "the largest IP packet, in bytes"},
    [INTERFACE_TENANT] = {.name = "tenant",
                          .type = SCHEMA_NAME,
                          .otherwise = "none: its clients reach public "
                                       "services only",
                          .text = "the tenant of the clients behind this "
                                  "interface"},
    [INTERFACE_TENANTS] = {.name = "tenants",
                           .shape = SCHEMA_LIST,
                           .type = SCHEMA_MAPPING,
                           .most = 1024,
                           .otherwise = "all clients belong to `tenant`",
                           .text = "further tenants by the clients' addresses",
                           .mapping = &source_mapping},
    [INTERFACE_MAC] = {.name = "mac",
                       .type = SCHEMA_MAC,
                       .otherwise = "derived from the names of authority, "
                                    "router and interface: always the same, "
                                    "locally administered",
                       .text = "the router's own MAC address on the TAP's "
                               "network; for kind tap only"},
};

static const struct schema_mapping interface_mapping = {
    .name = "interface",
    .article = "an interface",
    .title = "Interfaces",
    .text = "An interface connects a router to clients and servers, or to the "
            "networks that lead to other routers, or to both. svrd makes no "
            "devices and sets no addresses on them: the addresses here are the "
            "router's, which answers for them itself.",
    KEYS(interface_keys),
};

static const struct schema_choice tcp_as_udp[] = {
    {"never", TCP_AS_UDP_NEVER, "no session: TCP stays TCP"},
    {"always", TCP_AS_UDP_ALWAYS,
     "each one that this router opens; of those that the peer opens, its own "
     "entry decides"},
    {"probe", TCP_AS_UDP_PROBE,
     "as `always` while a kind of TCP packet does not come through, which is "
     "tried every 5 minutes, else as `never`; says nothing where the peer is "
     "behind a NAT"},
};

static const struct schema_choice recoveries[] = {
    {"packet-based", RECOVERY_PACKET,
     "a router that gets a packet of a session that it does not have asks for "
     "the session"},
    {"inactivity-based", RECOVERY_INACTIVITY,
     "it does not; a router that sends packets of a session and gets none back "
     "for the time of `inactivity` asks whether the session is there"},
};

static const struct schema_choice detections[] = {
    {"own", DETECTION_OWN,
     "this router's multiplier times the slower of its `required` and the "
     "peer's `interval`"},
    {"peer", DETECTION_PEER, "the peer's multiplier instead, as in RFC 5880"},
};

static const struct schema_choice forms[] = {
    {"block", FORM_BLOCK,
     "a signed block behind each BFD packet, by which loss, latency, MTU and "
     "NAT are found out"},
    {"plain", FORM_PLAIN,
     "BFD alone, which anyone on the way can forge; for a peer that is another "
     "implementation, such as FRR or BIRD"},
};

#define BFD_TIME(key, least, fallback_value, what)                            \
    {                                                                         \
        .name = (key), .type = SCHEMA_DURATION, .min = (least),               \
        .max = 600 * SVR_SECOND, .fallback = (fallback_value), .text = (what) \
    }

static const struct schema_key bfd_keys[] = {
    [BFD_INTERVAL] = BFD_TIME("interval", 50 * SVR_MILLISECOND, "1s",
                              "how often this router wants to send"),
    [BFD_REQUIRED] = BFD_TIME("required", 50 * SVR_MILLISECOND, "1s",
                              "how often it takes packets at most; the slower "
                              "of this and the peer's `interval` holds"),
    [BFD_MULTIPLIER] = {.name = "multiplier",
                        .type = SCHEMA_NUMBER,
                        .min = 3,
                        .max = 20,
                        .fallback = "3",
                        .text = "how many packets may be missing"},
    [BFD_HOLD_DOWN] = BFD_TIME("hold-down", 0, "5s",
                               "for how long a pathway that came up takes no "
                               "new sessions"),
    [BFD_DETECTION] = {.name = "detection",
                       .type = SCHEMA_CHOICE,
                       .fallback = "own",
                       .text = "the silence after which the pathway is down",
                       CHOICES(detections)},
    [BFD_PORT] = {.name = "port",
                  .type = SCHEMA_NUMBER,
                  .min = 1,
                  .max = 16383,
                  .fallback = "1280",
                  .text = "the UDP port at both ends, the same there; below "
                          "those of sessions. RFC 5881 has 3784"},
    [BFD_TTL] = {.name = "ttl",
                 .type = SCHEMA_NUMBER,
                 .min = 1,
                 .max = 255,
                 .fallback = "64",
                 .text = "TTL or hop limit of packets sent; with 255 only "
                         "packets that come with 255 count, as RFC 5881 has "
                         "it for neighbours"},
    [BFD_FORM] = {.name = "form",
                  .type = SCHEMA_CHOICE,
                  .fallback = "block",
                  .text = "whether more than BFD is said; the same at the "
                          "other end",
                  CHOICES(forms)},
};

static const struct schema_mapping bfd_mapping = {
    .name = "bfd",
    .article = "the BFD settings",
    .title = "BFD",
    .text = "Two routers tell each other by BFD that a pathway lives; only one "
            "that is up carries sessions. Each end has its own settings. What "
            "it costs: docs/pathways.md.",
    KEYS(bfd_keys),
};

static const struct schema_key pathway_keys[] = {
    [PATHWAY_INTERFACE] = {.name = "interface",
                           .type = SCHEMA_NAME,
                           .required = true,
                           .text = "the own interface that it leaves by"},
    [PATHWAY_PEER] = {.name = "peer",
                      .type = SCHEMA_NAME,
                      .required = true,
                      .text = "the router at its other end"},
    [PATHWAY_REMOTE] = {.name = "remote",
                        .type = SCHEMA_ADDRESS,
                        .required = true,
                        .text = "the peer's waypoint: an address of one of its "
                                "interfaces"},
    [PATHWAY_LOCAL] = {.name = "local",
                       .type = SCHEMA_ADDRESS,
                       .otherwise = "the interface's first address of the "
                                    "family of `remote`",
                       .text = "the own waypoint: an address of the interface"},
    [PATHWAY_SECURITY] = {.name = "security",
                          .type = SCHEMA_NAME,
                          .required = true,
                          .text = "the security policy, the same at both ends"},
    [PATHWAY_TCP_AS_UDP] = {.name = "tcp-as-udp",
                            .type = SCHEMA_CHOICE,
                            .fallback = "never",
                            .text = "which TCP sessions travel as UDP; for "
                                    "networks that drop TCP with data in its "
                                    "SYN",
                            CHOICES(tcp_as_udp)},
    [PATHWAY_RECOVERY] = {.name = "recovery",
                          .type = SCHEMA_CHOICE,
                          .fallback = "packet-based",
                          .text = "how it is noticed that a router has lost a "
                                  "session; the same at both ends",
                          CHOICES(recoveries)},
    [PATHWAY_INACTIVITY] = {.name = "inactivity",
                            .type = SCHEMA_DURATION,
                            .min = 1 * SVR_SECOND,
                            .max = 30 * SVR_SECOND,
                            .fallback = "5s",
                            .text = "with `recovery: inactivity-based`: the "
                                    "time without return traffic, in whole "
                                    "seconds"},
    [PATHWAY_PORTS] = {.name = "ports",
                       .type = SCHEMA_PORTS,
                       .otherwise = "16384-65534",
                       .text =
                           "the own ports that sessions on it use, of which "
                           "the router that opens a session takes even "
                           "ones for itself and odd ones of the peer's; "
                           "within 16384 to 65534"},
    [PATHWAY_VECTOR] = {.name = "vector",
                        .type = SCHEMA_NAME,
                        .otherwise = "none: policies rank it last",
                        .text = "the name by which service policies rank it, "
                                "such as mpls or internet"},
    [PATHWAY_COST] = {.name = "cost",
                      .type = SCHEMA_NUMBER,
                      .min = 0,
                      .max = 16777215,
                      .fallback = "0",
                      .text = "what it costs to use it, in a unit of your own; "
                              "decides where a policy finds vectors equal"},
    [PATHWAY_CAPACITY] = {.name = "capacity",
                          .type = SCHEMA_NUMBER,
                          .min = 1,
                          .max = 16777216,
                          .otherwise = "no limit",
                          .text = "how many sessions it should carry at most, "
                                  "for services whose policy names a "
                                  "`best-path`"},
    [PATHWAY_BFD] = {.name = "bfd",
                     .type = SCHEMA_MAPPING,
                     .otherwise = "the defaults below",
                     .text = "how it is found out whether the pathway lives",
                     .mapping = &bfd_mapping},
};

static const struct schema_mapping pathway_mapping = {
    .name = "pathway",
    .article = "a pathway",
    .title = "Pathways",
    .text = "A pathway is a pair of addresses, one of each router, over one "
            "network. It needs an entry at both routers: what is `local` at "
            "one is `remote` at the other. Two routers can have several.",
    KEYS(pathway_keys),
};

static const struct schema_key router_keys[] = {
    [ROUTER_INTERFACES] = {.name = "interfaces",
                           .shape = SCHEMA_NAMED,
                           .type = SCHEMA_MAPPING,
                           .required = true,
                           .most = 256,
                           .text = "the router's interfaces",
                           .mapping = &interface_mapping},
    [ROUTER_PATHWAYS] = {.name = "pathways",
                         .shape = SCHEMA_NAMED,
                         .type = SCHEMA_MAPPING,
                         .most = 4096,
                         .otherwise = "the router has no peers",
                         .text = "the ways to other routers",
                         .mapping = &pathway_mapping},
    [ROUTER_IDENTITY] = {.name = "identity",
                         .type = SCHEMA_IDENTITY,
                         .otherwise = "it exchanges no keys",
                         .text = "the public half of the router's identity, by "
                                 "which others know it when they exchange "
                                 "keys; the private half is the file "
                                 "`NAME.identity` in its folder of keys, which "
                                 "`svrctl keygen NAME` makes"},
};

static const struct schema_mapping router_mapping = {
    .name = "router",
    .article = "a router",
    .title = "Routers",
    .text = "Each router is one svrd, started with `--router NAME`. A router's "
            "name contains no slash, since its control socket bears it.",
    KEYS(router_keys),
};

static const struct schema_choice protocols[] = {
    {"tcp", SVR_PROTO_TCP, "TCP"},
    {"udp", SVR_PROTO_UDP, "UDP"},
    {"icmp", SVR_PROTO_ICMP, "ICMP for IPv4"},
    {"icmpv6", SVR_PROTO_ICMPV6, "ICMP for IPv6"},
    {"gre", 47, "GRE"},
    {"esp", 50, "ESP"},
    {"any", 0, "every protocol"},
};

static const struct schema_key transport_keys[] = {
    [TRANSPORT_PROTOCOL] = {.name = "protocol",
                            .type = SCHEMA_PROTOCOL,
                            .required = true,
                            .text = "the IP protocol",
                            CHOICES(protocols)},
    [TRANSPORT_PORTS] = {.name = "ports",
                         .shape = SCHEMA_ONE_OR_LIST,
                         .type = SCHEMA_PORTS,
                         .most = 64,
                         .otherwise = "all ports",
                         .text = "the destination ports; for tcp and udp only"},
};

static const struct schema_mapping transport_mapping = {
    .name = "transport",
    .article = "a transport",
    .title = "Transports",
    .text = "The protocols and ports of a service.",
    KEYS(transport_keys),
};

static const struct schema_key access_keys[] = {
    [ACCESS_ALLOW] = {.name = "allow",
                      .type = SCHEMA_NAME,
                      .alternative = true,
                      .text =
                          "the tenant that may reach the service, or `any`"},
    [ACCESS_DENY] = {.name = "deny",
                     .type = SCHEMA_NAME,
                     .alternative = true,
                     .text = "the tenant that may not, or `any`"},
    [ACCESS_FROM] = {.name = "from",
                     .type = SCHEMA_PREFIX,
                     .otherwise = "clients of all addresses",
                     .text = "only clients with these addresses"},
};

static const struct schema_mapping access_mapping = {
    .name = "access",
    .article = "an access line",
    .title = "Access",
    .text = "A line for `corp` fits the clients of `staff.corp` as well, never "
            "the reverse. Where a deny line fits, access is denied; else where "
            "an allow line fits, it is granted; else it is denied.",
    KEYS(access_keys),
};

static const struct schema_key route_keys[] = {
    [ROUTE_ROUTER] = {.name = "router",
                      .type = SCHEMA_NAME,
                      .required = true,
                      .text = "the router where the sessions leave SVR"},
    [ROUTE_INTERFACE] = {.name = "interface",
                         .type = SCHEMA_NAME,
                         .required = true,
                         .text = "that router's interface towards the servers"},
    [ROUTE_CAPACITY] = {.name = "capacity",
                        .type = SCHEMA_NUMBER,
                        .min = 1,
                        .max = 16777216,
                        .otherwise = "no limit",
                        .text = "how many sessions the servers there should "
                                "have at most, for services whose policy names "
                                "a `best-path`"},
};

static const struct schema_mapping route_mapping = {
    .name = "route",
    .article = "a route",
    .title = "Routes",
    .text = "Routes are tried in their order. A router that has no pathway to "
            "the route's router sends by the peer that is the fewest pathways "
            "away from it; among equals the first by name. Where the service's "
            "policy has a `best-path`, that decides instead.",
    KEYS(route_keys),
};

static const struct schema_choice scopes[] = {
    {"private", SCOPE_PRIVATE, "only for tenants with access"},
    {"public", SCOPE_PUBLIC,
     "for clients without a tenant too, where no line denies it"},
};

static const struct schema_choice denials[] = {
    {"silent", SVR_DENIAL_SILENT, "nothing: the packet is dropped"},
    {"reset", SVR_DENIAL_RESET, "a TCP reset; nothing for other protocols"},
    {"prohibited", SVR_DENIAL_PROHIBITED, "ICMP: administratively prohibited"},
};

static const struct schema_choice midstreams[] = {
    {"refuse", false, "a TCP reset"},
    {"allow", true,
     "opens a session, as for connections that were made before the router was "
     "in their way"},
};

static const struct schema_key service_keys[] = {
    [SERVICE_PREFIXES] = {.name = "prefixes",
                          .shape = SCHEMA_LIST,
                          .type = SCHEMA_PREFIX,
                          .required = true,
                          .most = 1024,
                          .text = "the servers' addresses"},
    [SERVICE_TRANSPORTS] = {.name = "transports",
                            .shape = SCHEMA_LIST,
                            .type = SCHEMA_MAPPING,
                            .most = 64,
                            .otherwise = "every protocol and port",
                            .text = "its protocols and ports",
                            .mapping = &transport_mapping},
    [SERVICE_ACCESS] = {.name = "access",
                        .shape = SCHEMA_LIST,
                        .type = SCHEMA_MAPPING,
                        .most = 1024,
                        .otherwise = "no tenant may reach it",
                        .text = "which tenants may reach it",
                        .mapping = &access_mapping},
    [SERVICE_SCOPE] = {.name = "scope",
                       .type = SCHEMA_CHOICE,
                       .fallback = "private",
                       .text = "whether a client needs a tenant",
                       CHOICES(scopes)},
    [SERVICE_DENIAL] = {.name = "denial",
                        .type = SCHEMA_CHOICE,
                        .fallback = "silent",
                        .text = "what a client gets that is denied access",
                        CHOICES(denials)},
    [SERVICE_TCP_MIDSTREAM] = {.name = "tcp-midstream",
                               .type = SCHEMA_CHOICE,
                               .fallback = "refuse",
                               .text = "what becomes of a client's first TCP "
                                       "packet that is no SYN",
                               CHOICES(midstreams)},
    [SERVICE_POLICY] = {.name = "policy",
                        .type = SCHEMA_NAME,
                        .otherwise = "the defaults of a service policy",
                        .text = "the service policy by which its sessions "
                                "travel, or a ready-made one: `voice`, "
                                "`video`, `interactive` or `bulk`"},
    [SERVICE_ROUTES] = {.name = "routes",
                        .shape = SCHEMA_LIST,
                        .type = SCHEMA_MAPPING,
                        .required = true,
                        .most = 64,
                        .text = "where its sessions leave SVR",
                        .mapping = &route_mapping},
};

static const struct schema_mapping service_mapping = {
    .name = "service",
    .article = "a service",
    .title = "Services",
    .text = "A service is a named destination. Among the services that fit a "
            "session the one with the longest prefix is taken, then the one "
            "that names the protocol, then the one with the narrowest range of "
            "ports, then the first in the file. Names can be dotted like "
            "those of tenants.",
    KEYS(service_keys),
};

static const struct schema_choice hmacs[] = {
    {"sha256-128", 0, "HMAC-SHA-256 cut to 16 bytes"},
    {"sha256", 1, "HMAC-SHA-256, 32 bytes"},
    {"sha384", 2, "HMAC-SHA-384, 48 bytes; needs libcrypto"},
    {"sha512", 3, "HMAC-SHA-512, 64 bytes"},
    {"sha1", 4,
     "HMAC-SHA-1, 20 bytes, for what has nothing better; needs libcrypto and "
     "`insecure: true`"},
};

static const struct schema_choice ciphers[] = {
    {"none", 0, "metadata and payloads are clear"},
    {"aes-gcm-256", 1, "AES-256 in Galois/counter mode"},
    {"aes-gcm-128", 2, "AES-128 in Galois/counter mode; needs libcrypto"},
    {"aes-cbc-256", 3,
     "AES-256 in cipher block chaining; needs `sign: per-packet` and "
     "libcrypto"},
    {"aes-cbc-128", 4,
     "AES-128 in cipher block chaining; needs `sign: per-packet` and "
     "libcrypto"},
    {"chacha20-poly1305", 5, "ChaCha20 and Poly1305"},
};

static const struct schema_choice modes[] = {
    {"time-based", SVR_HMAC_TIME_BASED,
     "the tag covers the time too, in steps of 2 seconds"},
    {"regular", SVR_HMAC_REGULAR, "the tag does not cover the time"},
    {"disabled", SVR_HMAC_DISABLED,
     "only metadata is signed, other packets can be forged; needs `insecure: "
     "true`"},
};

static const struct schema_choice signs[] = {
    {"per-packet", SIGN_PER_PACKET, "each packet carries a tag"},
    {"metadata-only", SIGN_METADATA_ONLY,
     "only packets with metadata do; no bytes are added to others"},
};

static const struct schema_key security_keys[] = {
    [SECURITY_KEY] = {.name = "key",
                      .type = SCHEMA_KEY,
                      .required = true,
                      .text = "`exchanged`, and the routers agree on keys "
                              "that change as `rekey` says, each knowing the "
                              "other by its `identity`; or the file that "
                              "holds a key which stays"},
    [SECURITY_HMAC] = {.name = "hmac",
                       .type = SCHEMA_CHOICE,
                       .fallback = "sha256-128",
                       .text = "how packets are signed",
                       CHOICES(hmacs)},
    [SECURITY_MODE] = {.name = "mode",
                       .type = SCHEMA_CHOICE,
                       .fallback = "time-based",
                       .text = "what a signature is bound to",
                       CHOICES(modes)},
    [SECURITY_SIGN] = {.name = "sign",
                       .type = SCHEMA_CHOICE,
                       .fallback = "per-packet",
                       .text = "which packets are signed",
                       CHOICES(signs)},
    [SECURITY_BIND_TCP] = {.name = "bind-tcp",
                           .type = SCHEMA_BOOLEAN,
                           .fallback = "true",
                           .text = "whether the tag covers TCP's numbers, "
                                   "window, flags and options; false where "
                                   "something on the way rewrites them"},
    [SECURITY_CIPHER] = {.name = "cipher",
                         .type = SCHEMA_CHOICE,
                         .fallback = "aes-gcm-256",
                         .text = "how metadata is encrypted, and payloads of "
                                 "services that want it. A processor without "
                                 "AES-GCM needs libcrypto for the default, or "
                                 "`chacha20-poly1305`, which all have",
                         CHOICES(ciphers)},
    [SECURITY_INSECURE] = {.name = "insecure",
                           .type = SCHEMA_BOOLEAN,
                           .fallback = "false",
                           .text = "confirms that `mode: disabled` or `hmac: "
                                   "sha1` is meant"},
};

static const struct schema_mapping security_mapping = {
    .name = "security-policy",
    .article = "a security policy",
    .title = "Security policies",
    .text = "How two routers sign and encrypt what they send to each other. "
            "With `key: exchanged` nothing secret is shared: each router has "
            "an identity of its own, see `svrctl keygen`. Else the key is one "
            "line of 64 hexadecimal digits in a file, which lies at both ends; "
            "a new one: `(umask 077; openssl rand -hex 32 > FILE)`. Files with "
            "keys and identities must be readable by their owner alone (mode "
            "0600 or 0400), the user whom svrd is started as.",
    KEYS(security_keys),
};

#define TIMEOUT(key, fallback_value, what)                                    \
    {                                                                         \
        .name = (key), .type = SCHEMA_DURATION, .min = 100 * SVR_MILLISECOND, \
        .max = UINT64_C(168) * 60 * 60 * SVR_SECOND,                          \
        .fallback = (fallback_value), .text = (what)                          \
    }

static const struct schema_key timeout_keys[] = {
    [TIMEOUT_TCP_SETUP] = TIMEOUT("tcp-setup", "10s",
                                  "TCP before the first data was acknowledged"),
    [TIMEOUT_TCP] = TIMEOUT("tcp", "1900s", "TCP after that"),
    [TIMEOUT_UDP] = TIMEOUT("udp", "180s", "UDP"),
    [TIMEOUT_ICMP] = TIMEOUT("icmp", "10s", "ICMP and ICMPv6"),
    [TIMEOUT_DNS] = TIMEOUT("dns", "5s", "UDP to port 53"),
    [TIMEOUT_OTHER] = TIMEOUT("other", "180s", "other protocols"),
};

static const struct schema_mapping timeout_mapping = {
    .name = "timeouts",
    .article = "the timeouts",
    .title = "Timeouts",
    .text = "How long a session without packets lives, by its protocol.",
    KEYS(timeout_keys),
};

#define LIMIT(key, most_of_it, what)                                         \
    {                                                                        \
        .name = (key), .type = SCHEMA_NUMBER, .min = 1, .max = (most_of_it), \
        .otherwise = "no limit of its own", .text = (what)                   \
    }

static const struct schema_key limit_keys[] = {
    [LIMIT_SESSIONS] = {.name = "sessions",
                        .type = SCHEMA_NUMBER,
                        .min = 1,
                        .max = 16777216,
                        .fallback = "65536",
                        .text = "the most sessions at once; memory for all of "
                                "them is taken at the start. From nine tenths "
                                "on, sessions that are not established end "
                                "after a shorter time"},
    [LIMIT_SEALED] = LIMIT("encrypted-sessions", 16777216,
                           "the most sessions at once that begin or end at "
                           "the router and are encrypted, which take some 6 "
                           "kB each. A larger number holds from the next "
                           "start on"),
    [LIMIT_PEER_SESSIONS] = LIMIT("sessions-per-peer", 16777216,
                                  "the most sessions at once that one peer has "
                                  "opened here"),
    [LIMIT_TENANT_SESSIONS] = LIMIT("sessions-per-tenant", 16777216,
                                    "the most sessions at once of the clients "
                                    "of one tenant"),
    [LIMIT_PEER_RATE] = LIMIT("rate-per-peer", 10000000,
                              "the most new sessions a second that one peer "
                              "opens here, with bursts of as many"),
    [LIMIT_TENANT_RATE] = LIMIT("rate-per-tenant", 10000000,
                                "the most new sessions a second of the clients "
                                "of one tenant, with bursts of as many"),
};

static const struct schema_mapping limit_mapping = {
    .name = "limits",
    .article = "the limits",
    .title = "Limits",
    .text = "What one router takes at most.",
    KEYS(limit_keys),
};

static const struct schema_key root_keys[] = {
    [ROOT_AUTHORITY] = {.name = "authority",
                        .type = SCHEMA_NAME,
                        .required = true,
                        .text = "the name of the whole: its routers, tenants, "
                                "services and keys belong together"},
    [ROOT_ROUTERS] = {.name = "routers",
                      .shape = SCHEMA_NAMED,
                      .type = SCHEMA_MAPPING,
                      .required = true,
                      .most = 16384,
                      .text = "all routers",
                      .mapping = &router_mapping},
    [ROOT_TENANTS] = {.name = "tenants",
                      .shape = SCHEMA_LIST,
                      .type = SCHEMA_TENANT,
                      .most = 16384,
                      .otherwise = "there are none",
                      .text = "the groups of clients that access is granted "
                              "to; a child can be listed without its parent"},
    [ROOT_SERVICES] = {.name = "services",
                       .shape = SCHEMA_NAMED,
                       .type = SCHEMA_MAPPING,
                       .most = 16384,
                       .otherwise = "there are none: nothing is forwarded",
                       .text = "the destinations",
                       .mapping = &service_mapping},
    [ROOT_SERVICE_POLICIES] = {.name = "service-policies",
                               .shape = SCHEMA_NAMED,
                               .type = SCHEMA_MAPPING,
                               .most = 1024,
                               .otherwise = "there are none",
                               .text = "how sessions travel",
                               .mapping = &schema_service_policy},
    [ROOT_SECURITY] = {.name = "security-policies",
                       .shape = SCHEMA_NAMED,
                       .type = SCHEMA_MAPPING,
                       .most = 1024,
                       .otherwise = "there are none, and so no pathways",
                       .text = "how routers sign to each other",
                       .mapping = &security_mapping},
    [ROOT_REKEY] = {.name = "rekey",
                    .type = SCHEMA_INTERVAL,
                    .min = SVR_SECOND,
                    .max = UINT64_C(720) * 3600 * SVR_SECOND,
                    .fallback = "24h",
                    .text = "how long exchanged keys are used until there are "
                            "new ones; less than an hour is for tests. With "
                            "`never` that is on command only: `svrctl rekey`"},
    [ROOT_TIMEOUTS] = {.name = "timeouts",
                       .type = SCHEMA_MAPPING,
                       .otherwise = "the defaults below",
                       .text = "when idle sessions end",
                       .mapping = &timeout_mapping},
    [ROOT_LIMITS] = {.name = "limits",
                     .type = SCHEMA_MAPPING,
                     .otherwise = "the defaults below",
                     .text = "what a router takes at most",
                     .mapping = &limit_mapping},
};

const struct schema_mapping schema_root = {
    .name = "authority",
    .article = "the authority file",
    .title = "The file",
    .text = "One YAML file describes the whole network; every router reads the "
            "same file. A file with an error is refused whole. Unknown keys "
            "are errors. Aliases (`*name`) may stand for whole values; merge "
            "keys (`<<`) and tags are refused. IPv6 addresses are best written "
            "in quotes.",
    KEYS(root_keys),
};
