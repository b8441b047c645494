package io.peft4j.serve.http;

import io.javalin.http.Context;
import io.peft4j.core.engine.TurnExecutor;
import io.peft4j.core.engine.WorkShare;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Lets few requests at a time do what takes much processor time, such as reading a long body and its tokens, so that
 * short ones and answers that grow go on beside them, and at a small share of the processors while these are there.
 * Clients have their turns, piece by piece: who sends many holds up mostly their own.
 */
public final class LongRequests implements AutoCloseable {
    /** Bodies up to this length are read at once. */
    static final int SHORT = 16 << 10;
    /** How often the connection of the client is checked. */
    private static final long LOOK_MILLIS = 100;
    private static final String ATTRIBUTE = "peft4j.long-requests";
    private static final String TURN = "peft4j.turn";

    /** Each of its threads stands for a turn, and waits until that is over. */
    private final TurnExecutor executor;
    private final WorkShare share;
    private final AtomicLong begun = new AtomicLong();
    private final AtomicLong over = new AtomicLong();
    private volatile long lastOver = System.nanoTime();

    /**
     * None yet.
     *
     * @param threads that handle requests; most of them are for others
     * @param share knows of the short ones
     */
    LongRequests(int threads, WorkShare share) {
        this.share = share;
        executor = new TurnExecutor("peft4j-turns", Math.max(1, Math.min(Runtime.getRuntime().availableProcessors() / 2,
                threads / 4)));
    }

    private final class Turn {
        private final CountDownLatch granted = new CountDownLatch(1);
        private final CountDownLatch left = new CountDownLatch(1);
        private final WorkShare.Pieces pieces = share.pieces();

        void hold() {
            begun.incrementAndGet();
            granted.countDown();
            try {
                left.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            lastOver = System.nanoTime();
            over.incrementAndGet();
        }
    }

    /** How many turns have begun. */
    long begun() {
        return begun.get();
    }

    /** Whether none runs, and none has for so many seconds. */
    boolean isQuietFor(long seconds) {
        return begun.get() == over.get() && System.nanoTime() - lastOver > TimeUnit.SECONDS.toNanos(seconds);
    }

    /** Lets a request begin; one with a long body waits for its turn. Its caller is known. */
    void begin(Context request) {
        request.attribute(ATTRIBUTE, this);
        String method = request.method().name();
        boolean body = method.equals("POST") || method.equals("PUT") || method.equals("PATCH");
        long length = request.req().getContentLengthLong();
        // Files go to the disk as they come, however slowly that is.
        if (body && (length < 0 || length > SHORT) && !request.isMultipartFormData()) {
            await(request);
        }
    }

    /**
     * Waits for the turn of a request that is short, but whose work is not.
     *
     * @throws ApiException when too many of the client wait, or it leaves
     */
    public static void enter(Context request) {
        LongRequests all = request.attribute(ATTRIBUTE);
        if (all != null && request.attribute(TURN) == null) {
            all.await(request);
        }
    }

    private void await(Context request) {
        String client = Caller.of(request).id();
        if (executor.waiting(client) >= Bound.WAITING.most()) {
            throw ApiException.tooMany("rate_limit_exceeded", Bound.WAITING.most()
                    + " long requests of this client are "
                    + "waiting; try again", 1);
        }
        Turn turn = new Turn();
        executor.execute(client, turn::hold);
        await(request, turn);
    }

    private void await(Context request, Turn turn) {
        request.attribute(TURN, turn);
        try {
            while (!turn.granted.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
                requireConnected(request);
            }
            turn.pieces.resume();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw ApiException.unavailable("the server is stopping");
        }
    }

    /**
     * Between two pieces of work: looks whether the client is still there, and lets others go first where the request
     * has a turn; for the thread that handles the request.
     *
     * @throws ApiException when the client has left
     */
    public static void requireClient(Context request) {
        requireConnected(request);
        giveWay(request);
    }

    /** As above, without a look at the connection, which takes longer than a small piece. */
    static void giveWay(Context request) {
        Turn turn = request.attribute(TURN);
        LongRequests all = request.attribute(ATTRIBUTE);
        if (turn != null && all != null && turn.pieces.pause()) {
            // The turn was held in the pause, which is what keeps all of them to their share.
            turn.left.countDown();
            Turn next = all.new Turn();
            all.executor.executeNext(Caller.of(request).id(), next::hold);
            all.await(request, next);
        }
    }

    private static void requireConnected(Context request) {
        if (Connections.isGone(request)) {
            throw ApiException.clientClosed();
        }
    }

    /** The turn of a request is over, if it has one: it waits for others from now on. */
    public static void leave(Context request) {
        Turn turn = request.attribute(TURN);
        if (turn != null) {
            turn.left.countDown();
        }
    }

    @Override
    public void close() {
        executor.close();
    }
}
