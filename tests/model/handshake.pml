/*
 * handshake.pml - the metadata handshake between two neighbours (S6.4, S6.6,
 * S6.9), over a network that loses, repeats and reorders as it likes.
 *
 * Set by -D, what may happen, at any time and in any order:
 *   RESTARTS  of either router: its sessions are gone, its boot counter rises
 *   CHANGES   new exchanges of either router (S6.8, control 2)
 *   EXPIRIES  a router forgets the session without a restart
 * and what the routers do:
 *   NUMBERED  1: exchange numbers (S6.9); 0: absence alone (S6.4)
 *   RISING    1: numbers go on rising after a session was forgotten
 *   WARY      1: after a restart absence acknowledges nothing
 * With 0 a rule is left out, to show that it is needed and would be missed.
 *
 * What an exchange says is named by its number: who has applied number n has
 * what n said. docs/verification.md tells what is shown.
 */
#ifndef RESTARTS
#define RESTARTS 0
#endif
#ifndef CHANGES
#define CHANGES 0
#endif
#ifndef EXPIRIES
#define EXPIRIES 0
#endif
#ifndef NUMBERED
#define NUMBERED 1
#endif
#ifndef RISING
#define RISING 1
#endif
#ifndef WARY
#define WARY 1
#endif
#ifndef ROUNDS
#define ROUNDS 4 /* of packets until metadata must have stopped */
#endif

#define SLOTS 2 /* different packets with metadata in each direction */
#define O 0     /* the opener: nearer to the client */
#define A 1     /* the answerer */

#define PER_BOOT 16 /* exchange numbers of one boot (S6.9) */

mtype = { PLAIN, META, ALONE, ENABLE };

typedef Side {
    bool has;   /* the session */
    byte boot;
    byte last;  /* highest number that it used since it was started */
    byte own;   /* number of its exchange */
    bool first; /* and absence acknowledges that one */
    byte peer;  /* highest number of the other that it applied */
    bool acked; /* the other has that exchange: sending has stopped */
    bool owes;  /* an answer */
    bool echo;  /* for which a plain packet is not enough */
    bool begin; /* a tour: BFD shows that the other has restarted (S8.4) */
    bool tour;  /* the other is told until it has echoed */
};

Side side[2], saved[2];
chan net[2] = [SLOTS] of { mtype, byte, byte, byte }; /* toward each */
bool plain[2];   /* a packet without metadata was sent toward it */
bool enable[2];  /* control 2 was sent toward it */
byte reached[2]; /* highest number of each that the other ever applied */
byte restarts = RESTARTS, changes = CHANGES, expiries = EXPIRIES;
bool calm; /* the network delivers, and nothing else happens any more */

/* The packet at hand, and one that is laid aside. */
hidden mtype kind, aside_kind;
hidden byte num, echo, unechoed, aside_num, aside_echo, aside_unechoed;

hidden byte was_acked, is_same;
hidden byte round, turn, who, mode;
hidden byte sent; /* packets with metadata in this round */

inline pick(x) {
    net[x]?kind, num, echo, unechoed
}

inline pick_second(x) {
    net[x]?aside_kind, aside_num, aside_echo, aside_unechoed;
    net[x]?kind, num, echo, unechoed;
    net[x]!aside_kind, aside_num, aside_echo, aside_unechoed
}

inline put_back(x) {
    net[x]!!kind, num, echo, unechoed
}

inline paid(x) {
    side[x].owes = false;
    side[x].echo = false
}

/* A network that may repeat a packet need not carry it twice. */
inline put_metadata(x, k) {
    printf("%d sends %e %d, echo %d, U %d\n", x, k, side[x].own, side[x].peer,
        !side[x].acked);
    sent++;
    if
    :: nfull(net[1 - x]) && !(net[1 - x]??[k, eval(side[x].own),
        eval(side[x].peer), eval(!side[x].acked)]) ->
        net[1 - x]!!k, side[x].own, side[x].peer, !side[x].acked
    :: full(net[1 - x]) || net[1 - x]??[k, eval(side[x].own),
        eval(side[x].peer), eval(!side[x].acked)]
    fi;
    paid(x)
}

/* A packet of the session. */
inline send(x) {
    if
    :: !side[x].acked || side[x].echo -> put_metadata(x, META)
    :: else ->
        printf("%d sends PLAIN\n", x);
        plain[1 - x] = x == O || calm; /* the opener learns nothing from it */
        paid(x)
    fi
}

/* S6.6: a packet of its own, of no other meaning where there are numbers. */
inline send_alone(x) {
    if
    :: NUMBERED -> put_metadata(x, META)
    :: !NUMBERED -> put_metadata(x, ALONE)
    fi
}

inline renew(x) {
    printf("%d renews\n", x);
    side[x].last++;
    side[x].own = side[x].last;
    side[x].first = false;
    side[x].acked = false
}

inline begin_tour(x) {
    side[x].begin = false;
    side[x].tour = true;
    renew(x)
}

inline forget(x) {
    printf("%d forgets\n", x);
    side[x].has = false;
    side[x].own = 0;
    side[x].first = false;
    side[x].peer = 0;
    side[x].acked = false;
    paid(x);
    side[x].begin = false;
    side[x].tour = false
}

inline restart(x) {
    side[x].boot++;
    side[x].last = side[x].boot * PER_BOOT;
    forget(x);
    side[1 - x].begin = side[1 - x].has
}

inline empty_network(x) {
    do
    :: nempty(net[x]) -> pick(x)
    :: empty(net[x]) -> break
    od;
    plain[x] = false;
    enable[x] = false
}

/* By then the session was idle for longer than a packet is accepted. */
inline expire(x) {
    forget(x);
    empty_network(O);
    empty_network(A)
}

/* Nothing is acknowledged that the other has never applied. */
inline acknowledged(x) {
    assert(reached[x] >= side[x].own);
    side[x].acked = true;
    side[x].tour = false
}

/* What is older than what was applied does nothing any more where nothing can
 * be forgotten; to leave it out makes fewer states. */
inline leave_out_older(x) {
    turn = len(net[x]);
    do
    :: turn > 0 ->
        net[x]?aside_kind, aside_num, aside_echo, aside_unechoed;
        if
        :: aside_num >= side[x].peer || restarts || expiries || !NUMBERED ->
            net[x]!aside_kind, aside_num, aside_echo, aside_unechoed
        :: else
        fi;
        turn--
    :: turn == 0 -> break
    od
}

/* An old exchange never undoes a later one. */
inline apply(x) {
    assert(num > side[x].peer || !NUMBERED && num == side[x].peer);
    side[x].peer = num;
    if :: num > reached[1 - x] -> reached[1 - x] = num :: else fi;
    if :: !calm -> leave_out_older(x) :: else fi
}

inline new_exchange(x) {
    if
    :: RISING -> side[x].last++
    :: !RISING -> side[x].last = side[x].boot * PER_BOOT + 1
    fi;
    side[x].own = side[x].last;
    side[x].acked = false
}

/* S6.1; for the opener S8.5: its recovery token has come back. Absence counts
 * where no late packet of before a restart may be about. */
inline make(x) {
    side[x].has = true;
    new_exchange(x);
    side[x].first = x == A && (!WARY || !echo && !side[x].boot);
    apply(x);
    if
    :: unechoed && NUMBERED -> owe_echo(x)
    :: unechoed && !NUMBERED -> side[x].owes = true
    :: else
    fi
}

inline owe_echo(x) {
    side[x].owes = true;
    side[x].echo = true
}

/* The opener answers what answers its first offer by a plain packet. Who is
 * asked again after that, echoes. before: whether it was acknowledged. */
inline asked(x, before, same) {
    if
    :: x == O && side[x].acked && side[x].first && !side[x].echo &&
        (!before || (same && side[x].owes)) -> side[x].owes = true
    :: else -> owe_echo(x)
    fi
}

/* What it says of our own exchange: that it has it; that it was made again
 * from something older; or that we were, and it knows a later one of ours. */
inline got_echo(x) {
    if
    :: echo == side[x].own -> acknowledged(x)
    :: echo < side[x].own && num > side[x].peer -> side[x].acked = false
    :: echo > side[x].own ->
        side[x].last = echo;
        renew(x)
    :: else
    fi
}

inline got_numbered(x) {
    was_acked = side[x].acked;
    is_same = num == side[x].peer;
    if
    :: num >= side[x].peer -> got_echo(x)
    :: else
    fi;
    if
    :: num > side[x].peer -> apply(x)
    :: else
    fi;
    if
    :: num >= side[x].peer && unechoed -> asked(x, was_acked, is_same)
    :: else
    fi
}

/* S6.4: whatever comes counts. */
inline got_unnumbered(x) {
    apply(x);
    side[x].owes = side[x].owes || kind == META;
    if
    :: x == O || kind == ALONE -> acknowledged(x)
    :: else -> side[x].acked = false
    fi
}

inline got_metadata(x) {
    if
    :: !side[x].has -> make(x)
    :: side[x].has && NUMBERED -> got_numbered(x)
    :: side[x].has && !NUMBERED -> got_unnumbered(x)
    fi
}

inline got_plain(x) {
    if
    :: !side[x].has -> enable[1 - x] = calm /* else it is one of CHANGES */
    :: side[x].has && x == A && !side[x].acked &&
        (!NUMBERED || side[x].first) -> acknowledged(x)
    :: else
    fi
}

inline receive(x) {
    printf("%d gets %e %d, echo %d, U %d\n", x, kind, num, echo, unechoed);
    if
    :: kind == PLAIN -> got_plain(x)
    :: kind == ENABLE && side[x].has -> renew(x)
    :: kind == META || kind == ALONE -> got_metadata(x)
    :: else
    fi
}

/* What may happen at a router. A full network loses the new packet or an old
 * one; one that is there and never delivered is lost, too. */
proctype router(byte x) provided (!calm) {
end:
    do
    :: d_step { side[x].has -> send(x) }
    :: d_step { side[x].has && full(net[1 - x]) -> pick((1 - x)); send(x) }
    :: d_step { side[x].has && full(net[1 - x]) ->
        pick_second((1 - x)); send(x) }
    :: d_step { side[x].owes || side[x].tour -> send_alone(x); skip }
    :: d_step { side[x].begin -> begin_tour(x) }
    :: d_step { changes && side[x].has -> changes--; renew(x) }
    :: d_step { restarts && side[x].has -> restarts--; restart(x) }
    :: d_step { expiries && side[x].has -> expiries--; expire(x) }
    :: d_step { plain[x] -> kind = PLAIN; receive(x) }
    :: d_step { nempty(net[x]) -> pick(x); put_back(x); receive(x) }
    :: d_step { full(net[x]) -> pick_second(x); put_back(x); receive(x) }
    od
}

/* ---- the end: what is on its way is lost, and all that follows arrives ---- */

inline deliver(x) {
    do
    :: nempty(net[x]) -> pick(x); receive(x)
    :: empty(net[x]) && plain[x] ->
        plain[x] = false; kind = PLAIN; receive(x)
    :: empty(net[x]) && !plain[x] && enable[x] ->
        enable[x] = false; kind = ENABLE; receive(x)
    :: empty(net[x]) && !plain[x] && !enable[x] -> break
    od
}

/* Each side that has traffic (mode: bit 0 the client, bit 1 the server) sends a
 * packet, then whoever waits sends its packet of its own. */
inline play() {
    round = 0;
    do
    :: round < ROUNDS ->
        round++;
        sent = 0;
        turn = 0;
        do
        :: turn < 4 ->
            who = turn % 2;
            if
            :: turn < 2 && (mode & (1 + who)) && side[who].has -> send(who)
            :: turn >= 2 && side[who].begin -> begin_tour(who)
            :: else
            fi;
            if
            :: turn >= 2 && (side[who].owes || side[who].tour) ->
                send_alone(who)
            :: else
            fi;
            deliver((1 - who));
            deliver(who);
            deliver((1 - who));
            turn++
        :: turn == 4 -> break
        od
    :: round == ROUNDS -> break
    od
}

#define nobody_speaks ((mode == 1 && !side[O].has) || \
    (mode == 2 && !side[A].has) || (!side[O].has && !side[A].has))

/* Metadata has stopped; who speaks has been acknowledged; what is acknowledged
 * is what the other has. */
inline check_agreement() {
    if
    :: nobody_speaks
    :: else ->
        assert(side[O].has && side[A].has);
        assert(sent == 0);
        assert(side[O].acked || !(mode & 1));
        assert(side[A].acked || !(mode & 2));
        assert(!side[A].acked || side[O].peer == side[A].own);
        assert(!side[O].acked || side[A].peer == side[O].own)
    fi
}

inline copy(to, from) {
    to.has = from.has; to.boot = from.boot; to.last = from.last;
    to.own = from.own; to.first = from.first; to.peer = from.peer;
    to.acked = from.acked; to.owes = from.owes; to.echo = from.echo;
    to.begin = from.begin; to.tour = from.tour
}

/* All ends look alike, so that they are one state. */
inline blur() {
    forget(O);
    forget(A);
    side[O].boot = 0;
    side[A].boot = 0;
    side[O].last = 0;
    side[A].last = 0;
    copy(saved[O], side[O]);
    copy(saved[A], side[A]);
    reached[O] = 0;
    reached[A] = 0;
    restarts = 0;
    changes = 0;
    expiries = 0
}

init {
    atomic {
        side[O].has = true;
        new_exchange(O);
        side[O].first = true;
        run router(O);
        run router(A)
    }
    d_step {
        calm = true;
        copy(saved[O], side[O]);
        copy(saved[A], side[A]);
        mode = 1;
        do
        :: mode < 4 ->
            printf("calm, mode %d\n", mode);
            copy(side[O], saved[O]);
            copy(side[A], saved[A]);
            empty_network(O);
            empty_network(A);
            play();
            check_agreement();
            mode++
        :: mode == 4 -> break
        od;
        blur()
    }
}
