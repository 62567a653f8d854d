#include "report_keys.h"

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *seconds(svr_time from, svr_time to)
{
    return number(to > from ? (to - from) / SVR_SECOND : 0);
}

/* S12.4: without an answer for an hour the keys in use are too old. */
static const char *state_of(const svr_node_key *key)
{
    if (key->info.overdue)
        return "overdue";
    return key->keyed ? "keyed" : "keying";
}

json_t *report_key(const svr_node_key *key, svr_time now)
{
    const svr_exchange_info *info = &key->info;
    bool due = info->rekey != SVR_NEVER;
    json_t *o = json_object();

    json_object_set_new(o, "peer", json_string(key->peer));
    json_object_set_new(o, "state", json_string(state_of(key)));
    json_object_set_new(o, "keyed", json_boolean(key->keyed));
    json_object_set_new(o, "generation", number(info->current));
    json_object_set_new(
        o, "age_s", info->current ? seconds(info->since, now) : json_null());
    json_object_set_new(o, "rekey_s",
                        due ? seconds(now, info->rekey) : json_null());
    json_object_set_new(o, "newest", number(info->generation));
    json_object_set_new(o, "live", number(info->live));
    json_object_set_new(o, "asking", json_boolean(info->running));
    json_object_set_new(o, "asked", number(info->sent));
    return o;
}

json_t *report_exchange(const svr_counters *c)
{
    json_t *o = json_object();

    for (int i = 0; i < SVR_EXCHANGE_VERDICTS; i++)
        json_object_set_new(
            o, svr_exchange_verdict_name((enum svr_exchange_verdict)i),
            number(c->exchange[i]));
    return o;
}

json_t *report_rekey(const struct report *r, const json_t *request,
                     svr_time now)
{
    const json_t *given = json_object_get(request, "peer");
    const char *peer = json_string_value(given);

    if (given != NULL && peer == NULL)
        return report_error("peer must be the name of a router");
    if (svr_node_rekey(r->node, peer, now) < 0)
        return report_error(peer != NULL
                                ? "no keys are exchanged with a peer of that "
                                  "name"
                                : "no keys are exchanged with any peer");
    return report_document("svr.rekey/1", json_pack("{s:s?}", "peer", peer));
}
