/* Sessions end when they are idle (S9); answers that wait for a time go out
 * (S6.6); packets that lost a piece are given up (S18); pathways do what is due
 * (S14). */
#include "node/node.h"

enum {
    /* Sessions looked at in one call: a quarter of a millisecond's work, most
     * of it waiting for memory. */
    EXPIRY_BATCH = 256,
};

static void last_packets(const svr_node *n, const svr__session *s,
                         svr_time passed[2])
{
    for (unsigned side = 0; side < 2; side++)
        passed[side] = svr__session_flow(&n->table, s, side)->seen;
}

svr_time svr__session_idle_due(const svr_node *n, const svr__session *s)
{
    svr_time seen = svr__session_last(&n->table, s);
    svr_time idle = svr_life_idle(&s->machine.life, &n->lifetimes);
    return idle < SVR_NEVER - seen ? seen + idle : SVR_NEVER;
}

void svr__session_arm(svr_node *n, svr__session *s)
{
    svr_time due = svr__session_idle_due(n, s);
    svr_time passed[2];
    last_packets(n, s, passed);
    for (unsigned side = 0; side < 2; side++) {
        svr_time word = svr_session_due(&s->machine, side, passed);
        if (word < due)
            due = word;
    }
    svr_time wipe = svr__seal_due(n, s);
    due = wipe < due ? wipe : due;
    svr__wheel_arm(&n->table.wheel, svr__session_number(&n->table, s), due);
}

static enum svr_cause cause_of_end(const svr__session *s)
{
    switch (s->machine.life.state) {
    case SVR_LIFE_CLOSING:
        return SVR_CAUSE_CLOSED;
    case SVR_LIFE_RESET:
        return SVR_CAUSE_RESET;
    default:
        return SVR_CAUSE_IDLE;
    }
}

/* The timer of a session: plain packets have moved its end without telling the
 * wheel, so what is due is worked out here. */
static void handle_session(svr_node *n, svr__session *s, svr_time now)
{
    if (svr__session_idle_due(n, s) <= now) {
        svr__session_close(n, s, cause_of_end(s), now);
        return;
    }
    svr__seal_expire(n, s, now);
    svr_time passed[2];
    last_packets(n, s, passed);
    for (unsigned side = 0; side < 2; side++)
        svr__session_act(
            n, s, side, svr_session_timer(&s->machine, side, passed, now), now);
    svr__session_settle(n, s);
}

svr_time svr_node_expiry(const svr_node *n)
{
    svr_time due = svr__wheel_next(&n->table.wheel);
    svr_time fabric = svr_reassembly_expiry(n->fabric);
    svr_time clients = svr_reassembly_expiry(n->clients);
    svr_time watch = svr__watch_expiry(n);
    svr_time aliases = svr__aliases_due(&n->table.aliases);

    due = watch < due ? watch : due;
    due = svr__tours_due(n) < due ? svr__tours_due(n) : due;
    due = svr__keying_due(n) < due ? svr__keying_due(n) : due;
    due = svr__choices_due(n) < due ? svr__choices_due(n) : due;
    due = svr__learn_due(n) < due ? svr__learn_due(n) : due;
    due = aliases < due ? aliases : due;
    due = fabric < due ? fabric : due;
    return clients < due ? clients : due;
}

/* S17 */
static void drop_aliases(svr_node *n, svr_time now)
{
    svr__alias *a;
    for (int i = 0;
         i < EXPIRY_BATCH && (a = svr__aliases_expired(&n->table.aliases, now));
         i++) {
        svr__session_part(n, a, now);
        svr__alias_drop(n, a, now);
    }
}

void svr_node_handle_expiry(svr_node *n, svr_time now)
{
    uint32_t number;

    svr__keying_run(n, now);
    svr__watch_expire(n, now);
    svr__learn_run(n, now);
    svr__resync_tokens(n, now);
    svr__choices_run(n, now);
    svr__tours_run(n, now);
    drop_aliases(n, now);
    svr_reassembly_handle_expiry(n->fabric, now);
    svr_reassembly_handle_expiry(n->clients, now);
    for (int i = 0; i < EXPIRY_BATCH && n->outbox.count < SVR__OUTBOX; i++) {
        if (svr__wheel_expire(&n->table.wheel, now, &number))
            handle_session(n, &n->table.sessions[number], now);
        else if (svr__wheel_next(&n->table.wheel) > now)
            break;
    }
}

bool svr__bucket_take(svr__bucket *b, svr_time now, uint32_t per_second,
                      uint32_t burst)
{
    svr_time step = SVR_SECOND / per_second;
    svr_time next = b->next > now ? b->next : now;
    if (next - now > step * (burst - 1))
        return false;
    b->next = next + step;
    return true;
}
