package io.peft4j.serve.http;

import io.javalin.Javalin;
import io.javalin.compression.CompressionStrategy;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import io.javalin.http.HttpResponseException;
import io.javalin.router.ParsedEndpoint;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.engine.BackgroundLoop;
import io.peft4j.core.engine.WorkShare;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.io.Closer;
import io.peft4j.core.io.Uninterrupted;
import io.peft4j.core.measure.ProcessUsage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Handles requests: gives each an id, authenticates it, finds the route, and turns what goes wrong into OpenAI's error
 * objects. The content of a request is never logged.
 */
public final class HttpServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HttpServer.class);
    /** What answers without a key: whether the server lives, the console, and what it loads. */
    private static final Set<String> OPEN = Set.of("/", "/health", "/openapi.json");
    private static final String REQUEST_ID = "X-Request-Id";
    /** Connections that may wait to be accepted. */
    private static final int BACKLOG = 1024;
    private static final int IDLE_MILLIS = 5000;
    /** How often it is looked whether memory can be given back. */
    private static final Duration LOOK = Duration.ofSeconds(3);
    /** Clouds kill a container 30 seconds after they have asked it to stop. */
    public static final Duration LAST_ANSWERS = Duration.ofSeconds(25);
    /** What is ended needs a moment to tell its client so. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(2);

    private final Javalin javalin;
    private final RouteTable routes;
    private final String host;
    private final Authenticator authenticator;
    private final AtomicBoolean stopping = new AtomicBoolean();
    private final ServerMetrics meters;
    private final Predicate<Throwable> diskFull;
    private final LongRequests longRequests;
    private final Closer owned;
    private final Map<String, String> elsewhere = new TreeMap<>();
    /** The server itself and each request that runs; it ends when all have left. */
    private final Phaser running = new Phaser(1);

    /**
     * Listens at once; port 0 means any that is free.
     *
     * @param diskFull takes note of any failure, and gives whether it was that the disk is full
     * @param share lets short requests go before long work
     * @throws ConfigurationException when it is not possible to listen there
     */
    public HttpServer(String host, int port, Authenticator authenticator, ServerMetrics meters,
            Predicate<Throwable> diskFull, WorkShare share, List<RouteGroup> groups) {
        this(host, port, authenticator, meters, diskFull, share, groups, RequestGate.Limits.DEFAULT);
    }

    /** As above, with limits of what is taken on. */
    HttpServer(String host, int port, Authenticator authenticator, ServerMetrics meters, Predicate<Throwable> diskFull,
            WorkShare share, List<RouteGroup> groups, RequestGate.Limits limits) {
        this.host = host;
        this.authenticator = authenticator;
        this.meters = meters;
        this.diskFull = diskFull;
        try (Closer opened = new Closer()) {
            this.longRequests = opened.add(new LongRequests(limits.threads(), share));
            opened.add(giveMemoryBack(longRequests));
            ServerSocketChannel socket = opened.add(bind(host, port));
            this.javalin = Javalin.create(config -> {
                config.jetty.threadPool = threads(RequestGate.threads(limits));
                config.jetty.modifyServer(server -> server.setHandler(new RequestGate(OPEN, limits, diskFull::test,
                        running, share)));
                configure(config, socket, groups);
            });
            opened.add(javalin::stop);
            this.routes = new RouteTable(javalin, elsewhere);
            routes.addHeads();
            javalin.start();
            this.owned = opened.keep();
        }
    }

    private static AutoCloseable giveMemoryBack(LongRequests requests) {
        BackgroundLoop loop = BackgroundLoop.start("peft4j-memory", LOOK, new FreedMemory(requests)::look, failure -> {
            LOG.debug("memory is not given back", failure);
            return true;
        });
        return () -> loop.stop(LOOK);
    }

    /** Threads that leave soon, all of them that are idle: each takes some 200 KB. */
    private static QueuedThreadPool threads(int most) {
        QueuedThreadPool threads = new QueuedThreadPool(most);
        threads.setIdleTimeout(IDLE_MILLIS);
        threads.setMaxEvictCount(most);
        return threads;
    }

    /** Javalin would log a stack trace if it is not possible to listen. */
    private static ServerSocketChannel bind(String host, int port) {
        try (Closer opened = new Closer()) {
            ServerSocketChannel socket = opened.add(ServerSocketChannel.open());
            socket.socket().bind(new InetSocketAddress(host, port), BACKLOG);
            opened.keep();
            return socket;
        } catch (IOException e) {
            throw new ConfigurationException("cannot listen on port " + port + " of " + host + ": " + e.getMessage()
                    + "; choose another port, or 0 for any free one", e);
        }
    }

    private void configure(JavalinConfig config, ServerSocketChannel socket, List<RouteGroup> groups) {
        config.startup.showJavalinBanner = false;
        config.startup.showOldJavalinVersionWarning = false;
        config.startup.startupWatcherEnabled = false;
        config.http.prefer405over404 = true;
        config.http.strictContentTypes = false;
        // Lengths are known then, and what is streamed comes at once.
        config.http.compressionStrategy = CompressionStrategy.NONE;
        config.jetty.addConnector((server, http) -> connector(server, http, socket));
        config.jetty.modifyServer(server -> server.setErrorHandler(new MalformedRequestErrors()));
        config.jetty.modifyHttpConfiguration(http -> {
            http.setSendServerVersion(false);
            http.setRequestHeaderSize(Bound.HEAD_BYTES.count());
        });
        config.requestLogger.http((request, millis) -> meters.answered(request,
                Duration.ofNanos((long) (millis * 1e6))));
        config.routes.before(this::begin);
        config.routes.after(LongRequests::leave);
        Routes described = new Routes(config.routes, elsewhere);
        groups.forEach(group -> group.addTo(described));
        described.get("/openapi.json", Operation.of("description", "This description").withoutKey()
                .reply(Operation.OBJECT), request -> Bodies.reply(request, described.description()));
        config.routes.exception(ApiException.class, HttpServer::refuse);
        config.routes.exception(HttpResponseException.class, this::refuse);
        config.routes.exception(Exception.class, this::fail);
    }

    private static Connector connector(Server server, HttpConfiguration http, ServerSocketChannel socket) {
        try {
            ServerConnector connector = new ServerConnector(server, new HttpConnectionFactory(http));
            connector.open(socket);
            return connector;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot accept connections", e);
        }
    }

    private void begin(Context request) {
        request.header(REQUEST_ID, "req_" + UUID.randomUUID().toString().replace("-", ""));
        request.header("X-Content-Type-Options", "nosniff");
        if (stopping.get()) {
            throw ApiException.unavailable("the server is stopping");
        }
        if (!OPEN.contains(request.path()) && !request.path().startsWith("/console/")) {
            authenticator.admit(request).attachTo(request);
            longRequests.begin(request);
        }
    }

    private static void refuse(ApiException error, Context request) {
        error.retryAfterSeconds().ifPresent(seconds -> request.header("Retry-After", String.valueOf(seconds)));
        Bodies.reply(request.status(error.status()), error.body(request.path()));
    }

    /** What Javalin itself refuses: no such route, no such method. */
    private void refuse(HttpResponseException error, Context request) {
        ApiException refusal = routes.refusal(error, request.method().name(), request.path());
        if (refusal.status() == 405) {
            request.header("Allow", String.join(", ", routes.methods(request.path())));
        }
        refuse(refusal, request);
    }

    private void fail(Exception error, Context request) {
        String id = request.res().getHeader(REQUEST_ID);
        if (error instanceof UncheckedIOException && error.getCause() instanceof org.eclipse.jetty.io.EofException) {
            LOG.debug("request {}: the client went away", id);
            // Unless what it sent only looked like an end, such as a chunk without a size.
            refuse(ApiException.invalid("the body of the request is malformed, or ended before its end"), request);
            return;
        }
        if (diskFull.test(error)) {
            LOG.debug("request {}: the disk is full", id);
            refuse(ApiException.outOfSpace(), request);
            return;
        }
        for (Throwable cause = error.getCause(); cause != null; cause = cause.getCause()) {
            if (cause instanceof ApiException known) {
                refuse(known, request);
                return;
            }
            if (cause instanceof OutOfMemoryError) {
                // First, since there may be no memory for a line of the log.
                refuse(ApiException.outOfMemory(), request);
                LOG.error("request {} failed", id, error);
                return;
            }
        }
        LOG.error("request {} failed", id, error);
        refuse(ApiException.of(500, "server_error", "internal_error", null,
                "internal error; see the server log for request " + id), request);
    }

    /** Where it listens: {@code http://127.0.0.1:8080}. */
    public String url() {
        return "http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + port();
    }

    /** The port it listens at. */
    public int port() {
        return javalin.port();
    }

    @Override
    public void close() {
        close(LAST_ANSWERS, () -> {
        });
    }

    /**
     * Refuses what begins now, lets what runs end, and stops listening.
     *
     * @param patience the most time for what runs
     * @param ending ends what runs then, in a way that its clients are told
     */
    public void close(Duration patience, Runnable ending) {
        if (stopping.getAndSet(true)) {
            return;
        }
        int phase = running.arriveAndDeregister();
        if (!hasEnded(phase, patience)) {
            LOG.warn("requests still running after {} s are ended", patience.toSeconds());
            ending.run();
            hasEnded(phase, LAST_WORDS);
        }
        // Jetty would forget that this thread was interrupted.
        Uninterrupted.call(() -> {
            owned.close();
            return true;
        });
    }

    private boolean hasEnded(int phase, Duration patience) {
        try {
            running.awaitAdvanceInterruptibly(phase, patience.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (TimeoutException e) {
            return false;
        }
    }

    /**
     * Gives memory back to the system that long requests have used, when there have been none for a while. Java
     * keeps what its heap has grown to, and the C library what lies between memory in use.
     */
    private static final class FreedMemory {
        private static final Logger LOG = LoggerFactory.getLogger(FreedMemory.class);
        private static final long QUIET_SECONDS = 6;
        /** A collection of all memory stops the server for a moment, so it must be worth that. */
        private static final long MUCH = 32L << 20;
        /** Java's serial collector gives nothing back the first time, and all only the fourth time in a row. */
        private static final int COLLECTIONS = 4;

        private final LongRequests requests;
        /** Turns that had begun, and memory that was resident, when memory was given back last. */
        private long begun;
        private long resident = Long.MAX_VALUE;

        FreedMemory(LongRequests requests) {
            this.requests = requests;
        }

        private boolean look() {
            long now = resident();
            // What is resident before the first long request belongs to the server.
            resident = requests.begun() == 0 ? now : resident;
            if (requests.begun() > begun && requests.isQuietFor(QUIET_SECONDS) && now > resident + MUCH) {
                begun = requests.begun();
                for (int i = 0; i < COLLECTIONS; i++) {
                    System.gc();
                }
                NativeMemory.trim();
                resident = resident();
                LOG.debug("resident memory after long requests: {} MB, {} MB of it kept", now >> 20, resident >> 20);
            }
            return true;
        }

        private static long resident() {
            return ProcessUsage.residentBytes().orElse(0);
        }
    }

    /** The routes of a server, by which it says what exists when another is asked for. */
    private static final class RouteTable {
        private final Javalin javalin;
        private final Map<String, String> elsewhere;

        /** @param elsewhere what to use instead of paths that are not here */
        RouteTable(Javalin javalin, Map<String, String> elsewhere) {
            this.javalin = javalin;
            this.elsewhere = elsewhere;
        }

        private List<ParsedEndpoint> routes() {
            return javalin.unsafe.internalRouter.allHttpHandlers().stream()
                    .filter(route -> route.endpoint.method.isHttpMethod()).toList();
        }

        /**
         * Answers HEAD by what GET finds, whose body is then not sent; Javalin itself says 200 to it wherever a GET
         * route is, also where that finds nothing.
         */
        void addHeads() {
            routes().stream().map(route -> route.endpoint).filter(route -> route.method.equals(HandlerType.GET))
                    .forEach(route -> javalin.unsafe.routes.head(route.path, route.handler));
        }

        /** The methods that a path is there for; none where it is not. */
        Set<String> methods(String path) {
            return names(route -> route.matches(path), route -> route.endpoint.method.name());
        }

        /** The error for a client whose request has no route, by its method or path. */
        ApiException refusal(HttpResponseException error, String method, String path) {
            String what = method + " " + path;
            return switch (error.getStatus()) {
                case 404 -> elsewhere.entrySet().stream().filter(each -> (path + "/").startsWith(each.getKey() + "/"))
                        .findFirst()
                        .map(each -> ApiException.of(400, "invalid_request_error", "unsupported_endpoint", null,
                                "this server has no " + each.getKey() + ": " + each.getValue()))
                        .orElseGet(() -> ApiException.notFound(null, "unknown_url",
                                "unknown request URL: " + what + "; "
                                        + SimilarNames.sentence(path,
                                                names(route -> true, route -> route.endpoint.path))
                                        + "; GET /openapi.json describes all"));
                case 405 ->
                    ApiException.of(405, "invalid_request_error", "method_not_allowed", null, "not allowed: " + what
                            + "; this URL takes " + String.join(", ", methods(path)));
                default -> ApiException.of(error.getStatus(), "invalid_request_error", null, null, error.getMessage());
            };
        }

        private Set<String> names(Predicate<ParsedEndpoint> which, Function<ParsedEndpoint, String> name) {
            return routes().stream().filter(which).map(name).collect(Collectors.toCollection(TreeSet::new));
        }
    }
}
