package io.peft4j.models.hub;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A model hub on this machine, with the troubles that a real one has. Holds one model with the commit {@link #COMMIT}.
 */
final class FakeHub implements AutoCloseable {
    static final String ID = "acme/tiny";
    static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** What was asked. */
    record Request(String method, String path, String range, String authorization) {
    }

    final List<Request> requests = new CopyOnWriteArrayList<>();
    private final Map<String, byte[]> files = new TreeMap<>();
    private final Map<String, Boolean> large = new TreeMap<>();
    private final Map<String, Integer> breakAfter = new ConcurrentHashMap<>();
    private final Map<String, AtomicInteger> spoil = new ConcurrentHashMap<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpServer server;
    private volatile String revision = ModelReference.DEFAULT_REVISION;
    private volatile int status = 200;
    private final AtomicInteger busyAnswers = new AtomicInteger();
    private volatile int busyStatus = 503;
    private volatile String retryAfter = "0";
    private volatile String storage;
    private volatile boolean ignoresRange;
    private volatile boolean tellsChecksums = true;
    private volatile String rawListing;

    FakeHub() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::handle);
        server.setExecutor(threads);
        server.start();
    }

    String address() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** A file that lies in git itself. */
    FakeHub small(String name, String content) {
        files.put(name, content.getBytes(StandardCharsets.UTF_8));
        large.put(name, false);
        return this;
    }

    /** A file in the storage for large ones. */
    FakeHub large(String name, byte[] content) {
        files.put(name, content);
        large.put(name, true);
        return this;
    }

    /** The files of a whole model. */
    FakeHub model(byte[] weights) {
        return small("config.json", "{}").small("generation_config.json", "{\"x\":1}").small("tokenizer.json",
                "{\"t\":1}")
                .small("tokenizer_config.json", "{\"c\":1}").small("special_tokens_map.json", "{\"s\":1}")
                .small("chat_template.jinja", "hello").small("README.md", "not needed")
                .large("onnx/model.onnx", new byte[10]).large("pytorch_model.bin", new byte[11])
                .large("model.safetensors", weights);
    }

    /** The connection breaks once, after so many bytes of a file. */
    void breakOnce(String name, int bytes) {
        breakAfter.put(name, bytes);
    }

    /** The first bytes are wrong, so many times. */
    void spoil(String name, int times) {
        spoil.put(name, new AtomicInteger(times));
    }

    void answerAlways(int code) {
        status = code;
    }

    void answerBusy(int times) {
        busyAnswers.set(times);
    }

    /** Says that too much was asked, so many times, and when to ask again. */
    void limitRate(int times, String after) {
        busyStatus = 429;
        retryAfter = after;
        busyAnswers.set(times);
    }

    /** Large files lie on another server. */
    void redirectLargeTo(String address) {
        storage = address;
    }

    void ignoreRange() {
        ignoresRange = true;
    }

    void tellNoChecksums() {
        tellsChecksums = false;
    }

    void answerListingWith(String text) {
        rawListing = text;
    }

    void nameRevision(String name) {
        revision = name;
    }

    List<String> filesAsked() {
        return requests.stream().map(Request::path).filter(path -> path.contains("/resolve/"))
                .map(path -> path.substring(path.indexOf(COMMIT) + COMMIT.length() + 1)).toList();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            requests.add(new Request(exchange.getRequestMethod(), path, exchange.getRequestHeaders().getFirst("Range"),
                    exchange.getRequestHeaders().getFirst("Authorization")));
            if (busyAnswers.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
                exchange.getResponseHeaders().set("Retry-After", retryAfter);
                answer(exchange, busyStatus, new byte[0]);
            } else if (status != 200) {
                answer(exchange, status, new byte[0]);
            } else if (path.equals("/api/models/" + ID + "/revision/" + revision)) {
                answer(exchange, 200, rawListing != null ? rawListing.getBytes(StandardCharsets.UTF_8) : listing());
            } else if (path.startsWith("/" + ID + "/resolve/" + COMMIT + "/")) {
                file(exchange, path.substring(path.indexOf(COMMIT) + COMMIT.length() + 1));
            } else {
                answer(exchange, 404, new byte[0]);
            }
        }
    }

    private byte[] listing() throws IOException {
        ObjectNode root = JSON.createObjectNode().put("id", ID).put("sha", COMMIT);
        ArrayNode siblings = root.putArray("siblings");
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            ObjectNode entry = siblings.addObject().put("rfilename", file.getKey());
            if (tellsChecksums) {
                entry.put("size", file.getValue().length);
                entry.put("blobId", gitHash(file.getValue()));
                if (large.get(file.getKey())) {
                    entry.putObject("lfs").put("sha256", sha256(file.getValue())).put("size", file.getValue().length);
                }
            }
        }
        return JSON.writeValueAsBytes(root);
    }

    private void file(HttpExchange exchange, String name) throws IOException {
        byte[] content = files.get(name);
        if (content == null) {
            answer(exchange, 404, new byte[0]);
            return;
        }
        boolean isLarge = large.get(name);
        exchange.getResponseHeaders().set("ETag", "\"" + gitHash(content) + "\"");
        if (isLarge) {
            exchange.getResponseHeaders().set("X-Linked-Etag", "\"" + sha256(content) + "\"");
        }
        if (isLarge && storage != null) {
            exchange.getResponseHeaders().set("Location", storage + exchange.getRequestURI().getPath());
            answer(exchange, 302, new byte[0]);
            return;
        }
        String range = exchange.getRequestHeaders().getFirst("Range");
        int start = range == null || ignoresRange ? 0
                : Integer.parseInt(range.substring("bytes=".length(), range.length() - 1));
        if (start > 0) {
            exchange.getResponseHeaders().set("Content-Range", "bytes " + start + "-" + (content.length - 1) + "/"
                    + content.length);
        }
        byte[] body = Arrays.copyOfRange(content, start, content.length);
        if (spoil.containsKey(name) && spoil.get(name).getAndDecrement() > 0) {
            body[0] ^= 1;
        }
        Integer broken = breakAfter.remove(name);
        if (broken != null) {
            exchange.sendResponseHeaders(start > 0 ? 206 : 200, body.length);
            exchange.getResponseBody().write(body, 0, broken);
            exchange.getResponseBody().flush();
            // Leaving with bytes missing closes the connection.
            return;
        }
        answer(exchange, start > 0 ? 206 : 200, body);
    }

    private static void answer(HttpExchange exchange, int code, byte[] body) throws IOException {
        boolean head = exchange.getRequestMethod().equals("HEAD");
        exchange.sendResponseHeaders(code, head || body.length == 0 ? -1 : body.length);
        if (!head && body.length > 0) {
            exchange.getResponseBody().write(body);
        }
    }

    static String sha256(byte[] content) {
        return hash("SHA-256", content);
    }

    static String gitHash(byte[] content) {
        byte[] head = ("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII);
        byte[] all = Arrays.copyOf(head, head.length + content.length);
        System.arraycopy(content, 0, all, head.length, content.length);
        return hash("SHA-1", all);
    }

    private static String hash(String algorithm, byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
