package io.peft4j.serve.http;

import io.peft4j.core.engine.WorkShare;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Phaser;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.Invocable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Comes before all routes: bodies are read as they come, without a thread that waits for them, within a memory that
 * all of them share; uploads, which go to the disk, have a limited number of threads; and some threads are kept for
 * what must always answer.
 */
final class RequestGate extends Handler.Wrapper {
    private static final Logger LOG = LoggerFactory.getLogger(RequestGate.class);
    /** Bodies of this size are always taken. */
    private static final int SMALL = 1 << 16;
    /** Bodies are kept in pieces of up to this size: a large array takes time to make room for. */
    private static final int PIECE = 1 << 16;
    private static final int SMALLEST_PIECE = 1 << 10;

    private final Set<String> alwaysOpen;
    private final Limits limits;
    private final Consumer<Throwable> failures;
    private final Phaser running;
    private final WorkShare share;
    private final Semaphore threads;
    private final Semaphore uploads = new Semaphore(Bound.UPLOADS.count());
    private final AtomicLong held = new AtomicLong();
    private final Set<Loader> loading = ConcurrentHashMap.newKeySet();

    /**
     * What a server takes on.
     *
     * @param threads that handle requests at a time
     * @param bytes of bodies in memory
     * @param rate at which bodies have to come
     */
    record Limits(int threads, long bytes, WatchedRequest.Rate rate) {
        static final Limits DEFAULT = new Limits(Bound.REQUESTS.count(), Bound.BODIES_BYTES.most(),
                WatchedRequest.Rate.LEAST);
    }

    /**
     * A gate.
     *
     * @param alwaysOpen paths that are answered however busy the server is; the console's files are, too
     * @param failures hears what fails outside of the routes
     * @param running has a party for each request that routes handle, until its whole response is written
     * @param share is held for each short request, for as long
     */
    RequestGate(Set<String> alwaysOpen, Limits limits, Consumer<Throwable> failures, Phaser running,
            WorkShare share) {
        this.share = share;
        this.failures = failures;
        this.running = running;
        this.alwaysOpen = alwaysOpen;
        this.limits = limits;
        this.threads = new Semaphore(limits.threads());
    }

    /** The threads that are needed for these limits. */
    static int threads(Limits limits) {
        return limits.threads() + 48;
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
        String path = Request.getPathInContext(request);
        boolean body = request.getHeaders().contains(HttpHeader.TRANSFER_ENCODING)
                || request.getHeaders().getLongField(HttpHeader.CONTENT_LENGTH) > 0;
        if (!body) {
            return alwaysOpen.contains(path) || path.startsWith("/console/") ? super.handle(request, response, callback)
                    : enter(request, response, callback);
        }
        WatchedRequest watched = new WatchedRequest(request, limits.rate());
        if (isForm(request)) {
            return upload(watched, response, callback);
        }
        new Loader(watched, response, callback).begin();
        return true;
    }

    private static boolean isForm(Request request) {
        String type = request.getHeaders().get(HttpHeader.CONTENT_TYPE);
        return type != null && type.strip().regionMatches(true, 0, "multipart/", 0, "multipart/".length());
    }

    /** Whether a body would be given up for lack of memory before it is whole: none of it is kept then. */
    private boolean isTooMuch(long length) {
        return length > SMALL && length <= Bound.JSON_BYTES.most() && held.get() + length > limits.bytes()
                && loading.stream().allMatch(each -> each.size < length);
    }

    private static ApiException noRoom() {
        return ApiException.unavailable("the memory for bodies of requests is used up; try again, or send less at "
                + "once");
    }

    private boolean enter(Request request, Response response, Callback callback) throws Exception {
        if (!threads.tryAcquire()) {
            return refuse(response, callback, ApiException.tooMany("rate_limit_exceeded", limits.threads()
                    + " requests are being answered; try again", 1));
        }
        running.register();
        boolean brief = request.getLength() <= LongRequests.SHORT && !isForm(request);
        if (brief) {
            share.begin();
        }
        AtomicBoolean left = new AtomicBoolean();
        Runnable leave = () -> {
            if (!left.getAndSet(true)) {
                running.arriveAndDeregister();
                if (brief) {
                    share.end();
                }
            }
        };
        boolean handled = false;
        try {
            handled = super.handle(request, response, Callback.from(callback, leave));
            return handled;
        } catch (Error e) {
            failures.accept(e);
            throw e;
        } finally {
            threads.release();
            if (!handled) {
                leave.run();
            }
        }
    }

    private boolean upload(WatchedRequest request, Response response, Callback callback) throws Exception {
        if (!uploads.tryAcquire()) {
            request.end();
            return refuse(response, callback, ApiException.tooMany("rate_limit_exceeded", Bound.UPLOADS.most()
                    + " files are being received; try again", 1));
        }
        try {
            return enter(request, response, callback);
        } finally {
            request.end();
            uploads.release();
        }
    }

    private static boolean refuse(Response response, Callback callback, ApiException error) {
        error.retryAfterSeconds().ifPresent(seconds -> response.getHeaders().put("Retry-After", seconds));
        MalformedRequestErrors.write(response, callback, error);
        return true;
    }

    /** Frees memory by giving up the largest of the bodies that are on their way. */
    private void makeRoom() {
        if (held.get() > limits.bytes()) {
            loading.stream().filter(each -> each.size > SMALL).max(Comparator.comparingInt(each -> each.size))
                    .ifPresent(largest -> largest.request.fail(noRoom()));
        }
    }

    /**
     * Reads a body as it comes, on the thread that waits for all connections: many bodies that drip need few threads,
     * each of which would take memory.
     */
    private final class Loader implements Invocable.Task {
        private final WatchedRequest request;
        private final Response response;
        private final Callback callback;
        private Deque<ByteBuffer> pieces = new ArrayDeque<>();
        private long capacity;
        private volatile int size;
        /** Read, since a client that still sends would not see why it is refused, but not kept. */
        private final boolean dropped;

        Loader(WatchedRequest request, Response response, Callback callback) {
            this.request = request;
            this.response = response;
            this.callback = callback;
            this.dropped = isTooMuch(request.getLength());
            loading.add(this);
        }

        @Override
        public InvocationType getInvocationType() {
            return InvocationType.NON_BLOCKING;
        }

        /** Reads what is there, and handles the request where that is all of it. */
        void begin() {
            if (load()) {
                handle();
            }
        }

        @Override
        public void run() {
            if (load()) {
                request.getComponents().getExecutor().execute(this::handle);
            }
        }

        /** Whether the body is whole; otherwise more of it will come, or the request has failed. */
        private boolean load() {
            try {
                Content.Chunk chunk = request.read();
                while (chunk != null) {
                    if (Content.Chunk.isFailure(chunk)) {
                        fail(chunk.getFailure());
                        return false;
                    }
                    boolean last = chunk.isLast();
                    add(chunk);
                    if (dropped && last) {
                        fail(noRoom());
                        return false;
                    }
                    if (size > Bound.JSON_BYTES.most() || last) {
                        // One that is too long is refused where it is parsed.
                        return true;
                    }
                    chunk = request.read();
                }
                request.demand(this);
            } catch (RuntimeException | OutOfMemoryError e) {
                fail(e);
            }
            return false;
        }

        private void add(Content.Chunk chunk) {
            ByteBuffer bytes = chunk.getByteBuffer();
            int more = dropped ? 0 : Math.min(bytes.remaining(), Bound.JSON_BYTES.count() + 1 - size);
            while (more > 0) {
                if (size == capacity) {
                    pieces.add(ByteBuffer.allocate(Math.max(SMALLEST_PIECE, Math.min(PIECE, size))));
                    capacity += pieces.getLast().capacity();
                    held.addAndGet(pieces.getLast().capacity());
                    makeRoom();
                }
                ByteBuffer piece = pieces.getLast();
                int count = Math.min(more, piece.remaining());
                piece.put(bytes.slice(bytes.position(), count));
                bytes.position(bytes.position() + count);
                size += count;
                more -= count;
            }
            chunk.release();
        }

        private void handle() {
            request.end();
            loading.remove(this);
            pieces.forEach(ByteBuffer::flip);
            Request loaded = new LoadedRequest(request, pieces);
            pieces = new ArrayDeque<>();
            try {
                if (!enter(loaded, response, callback)) {
                    Response.writeError(request, response, callback, 404);
                }
            } catch (Exception | OutOfMemoryError e) {
                fail(e);
            } finally {
                held.addAndGet(-capacity);
            }
        }

        private void fail(Throwable failure) {
            request.end();
            if (loading.remove(this)) {
                held.addAndGet(-capacity);
                pieces.clear();
            }
            LOG.debug("the body of a request to {} did not come: {}", Request.getPathInContext(request),
                    failure.toString());
            if (failure instanceof ApiException error) {
                refuse(response, callback, error);
            } else if (failure instanceof IOException || failure instanceof HttpException) {
                refuse(response, callback, ApiException.invalid(
                        "the body of the request is malformed, or ended before its end"));
            } else {
                failures.accept(failure);
                if (failure instanceof OutOfMemoryError && !response.isCommitted()) {
                    refuse(response, callback, ApiException.outOfMemory());
                } else {
                    callback.failed(failure);
                }
            }
        }
    }

    /** A request whose body has been read. Its pieces are given up as they are asked for. */
    private static final class LoadedRequest extends Request.Wrapper {
        private final int length;
        private final Deque<ByteBuffer> pieces;

        /** @param pieces that are not empty */
        LoadedRequest(Request request, Deque<ByteBuffer> pieces) {
            super(request);
            this.length = pieces.stream().mapToInt(ByteBuffer::remaining).sum();
            this.pieces = pieces;
        }

        @Override
        public long getLength() {
            return length;
        }

        @Override
        public Content.Chunk read() {
            ByteBuffer piece = pieces.poll();
            return piece == null ? Content.Chunk.EOF : Content.Chunk.from(piece, pieces.isEmpty());
        }

        @Override
        public void demand(Runnable callback) {
            callback.run();
        }

        @Override
        public boolean consumeAvailable() {
            pieces.clear();
            return true;
        }
    }
}
