package io.peft4j.serve.http;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.thread.Invocable;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * A request whose body has to come at a least rate: where the server waits for more of it and too little has come for a
 * while, the body fails with status 408, also for a thread that reads it.
 */
final class WatchedRequest extends Request.Wrapper {
    private final Rate rate;
    private final AtomicReference<Runnable> waiting = new AtomicReference<>();
    private volatile Scheduler.Task next;
    private volatile Throwable failure;
    private volatile boolean ended;
    private volatile long received;
    private long before;

    /**
     * The least rate of a body.
     *
     * @param bytes that must come in the time
     */
    record Rate(long bytes, Duration time) {
        /** A kilobyte a second, over ten seconds: slower than any line that is still one. */
        static final Rate LEAST = new Rate(10_240, Duration.ofSeconds(10));
    }

    WatchedRequest(Request request, Rate rate) {
        super(request);
        this.rate = rate;
        this.next = schedule();
    }

    private Scheduler.Task schedule() {
        return getComponents().getScheduler().schedule(this::look, rate.time().toMillis(), TimeUnit.MILLISECONDS);
    }

    private void look() {
        if (ended) {
            return;
        }
        if (waiting.get() != null && received - before < rate.bytes()) {
            fail(ApiException.of(408, "invalid_request_error", "request_timeout", null, "the body of the request "
                    + "comes too slowly: fewer than " + rate.bytes() + " bytes in " + rate.time().toSeconds() + " s"));
            return;
        }
        before = received;
        next = schedule();
    }

    /** Ends the body with an error, for whoever reads it. */
    void fail(ApiException error) {
        failure = error;
        getComponents().getExecutor().execute(this::wake);
    }

    /** Nothing more is read. */
    void end() {
        ended = true;
        next.cancel();
    }

    @Override
    public Content.Chunk read() {
        Throwable failed = failure;
        if (failed != null) {
            return Content.Chunk.from(failed, true);
        }
        Content.Chunk chunk = super.read();
        if (chunk != null) {
            received += chunk.remaining();
            if (chunk.isLast()) {
                end();
            }
        }
        return chunk;
    }

    @Override
    public void demand(Runnable callback) {
        waiting.set(callback);
        if (failure != null) {
            getComponents().getExecutor().execute(this::wake);
        } else {
            super.demand(Invocable.from(Invocable.getInvocationType(callback), this::wake));
        }
    }

    /** Once for each demand, whether bytes have come or the body failed. */
    private void wake() {
        Runnable callback = waiting.getAndSet(null);
        if (callback != null) {
            callback.run();
        }
    }
}
