package io.peft4j.serve.console;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A page in a headless Chromium, driven through its DevTools protocol. */
final class Browser implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Process process;
    private final WebSocket socket;
    private final AtomicInteger calls = new AtomicInteger();
    private final Map<Integer, CompletableFuture<JsonNode>> waiting = new ConcurrentHashMap<>();
    private final List<String> errors = new CopyOnWriteArrayList<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();

    /**
     * Starts one.
     *
     * @param profile an empty folder for what it keeps
     */
    Browser(String executable, Path profile) throws IOException, InterruptedException {
        process = new ProcessBuilder(executable, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--disable-background-networking", "--remote-debugging-port=0", "--remote-allow-origins=*",
                "--user-data-dir=" + profile, "about:blank").redirectError(profile.resolve("log").toFile()).start();
        HttpClient http = HttpClient.newHttpClient();
        String page = http.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port(profile)
                + "/json/new?about:blank")).PUT(HttpRequest.BodyPublishers.noBody()).build(),
                HttpResponse.BodyHandlers.ofString()).body();
        socket = http.newWebSocketBuilder().buildAsync(URI.create(JSON.readTree(page).get("webSocketDebuggerUrl")
                .asText()), new Listener()).join();
        List.of("Page", "Runtime", "Network", "Log")
                .forEach(domain -> call(domain + ".enable", JSON.createObjectNode()));
    }

    private int port(Path profile) throws IOException, InterruptedException {
        Path file = profile.resolve("DevToolsActivePort");
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (System.nanoTime() < end && process.isAlive()) {
            if (Files.exists(file)) {
                try (BufferedReader lines = Files.newBufferedReader(file)) {
                    String line = lines.readLine();
                    if (line != null) {
                        return Integer.parseInt(line.strip());
                    }
                }
            }
            Thread.sleep(50);
        }
        throw new IOException("the browser does not start: " + Files.readString(profile.resolve("log")));
    }

    /** Takes what the browser says. */
    private final class Listener implements WebSocket.Listener {
        private final StringBuilder text = new StringBuilder();

        @Override
        public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
            text.append(data);
            if (last) {
                take(text.toString());
                text.setLength(0);
            }
            from.request(1);
            return null;
        }
    }

    private void take(String message) {
        try {
            JsonNode node = JSON.readTree(message);
            if (node.has("id")) {
                waiting.remove(node.get("id").asInt()).complete(node);
            } else {
                note(node.get("method").asText(), node.get("params"));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void note(String event, JsonNode values) {
        switch (event) {
            case "Network.requestWillBeSent" -> requests.add(values.at("/request/url").asText());
            case "Runtime.exceptionThrown" -> errors.add(values.at("/exceptionDetails").toString());
            case "Log.entryAdded" -> {
                if (values.at("/entry/level").asText().equals("error")) {
                    errors.add(values.at("/entry").toString());
                }
            }
            case "Runtime.consoleAPICalled" -> {
                if (values.get("type").asText().equals("error")) {
                    errors.add(values.get("args").toString());
                }
            }
            default -> {
            }
        }
    }

    private JsonNode call(String method, ObjectNode parameters) {
        int id = calls.incrementAndGet();
        CompletableFuture<JsonNode> reply = new CompletableFuture<>();
        waiting.put(id, reply);
        ObjectNode message = JSON.createObjectNode().put("id", id).put("method", method);
        message.set("params", parameters);
        synchronized (socket) {
            socket.sendText(message.toString(), true).join();
        }
        JsonNode node = reply.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
        if (node.has("error")) {
            throw new IllegalStateException(method + ": " + node.get("error"));
        }
        return node.get("result");
    }

    /** Shows an address. */
    void open(String url) {
        call("Page.navigate", JSON.createObjectNode().put("url", url));
        await("document.readyState === 'complete'");
    }

    /** A window of so many pixels, light or dark. */
    void window(int width, int height, boolean dark) {
        call("Emulation.setDeviceMetricsOverride", JSON.createObjectNode().put("width", width).put("height", height)
                .put("deviceScaleFactor", 1).put("mobile", width < 600));
        ObjectNode media = JSON.createObjectNode();
        media.putArray("features").addObject().put("name", "prefers-color-scheme")
                .put("value", dark ? "dark" : "light");
        call("Emulation.setEmulatedMedia", media);
    }

    /** The value of a JavaScript expression; a promise is awaited. */
    JsonNode evaluate(String expression) {
        JsonNode result = call("Runtime.evaluate", JSON.createObjectNode().put("expression", expression)
                .put("returnByValue", true).put("awaitPromise", true));
        if (result.has("exceptionDetails")) {
            throw new IllegalStateException(expression + ": " + result.get("exceptionDetails"));
        }
        return result.at("/result/value");
    }

    /** Waits until an expression is true. */
    void await(String expression) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!evaluate("Boolean(" + expression + ")").asBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("never true: " + expression + "; the page says: "
                        + evaluate("document.body.innerText").asText() + "; errors: " + errors);
            }
            try {
                Thread.sleep(50);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
        }
    }

    /** What the accessibility checker axe finds wrong with the page: rules, each with the elements that break it. */
    List<String> barriers() throws IOException {
        try (InputStream script = Browser.class.getResourceAsStream("/axe.min.js")) {
            evaluate(new String(script.readAllBytes(), StandardCharsets.UTF_8) + ";true");
        }
        List<String> found = new ArrayList<>();
        evaluate("axe.run().then(result => result.violations.map(rule => rule.id + ': '"
                + " + rule.nodes.map(node => node.target.join(' ') + ' ' + node.html).join(', ')))")
                .forEach(rule -> found.add(rule.asText()));
        return found;
    }

    /** A picture of the page. */
    void screenshot(Path file) throws IOException {
        Files.write(file, Base64.getDecoder().decode(call("Page.captureScreenshot", JSON.createObjectNode()
                .put("format", "png").put("captureBeyondViewport", true)).get("data").asText()));
    }

    /** What went wrong on the pages so far. */
    List<String> errors() {
        return new ArrayList<>(errors);
    }

    /** Everything the pages asked for. */
    List<String> requests() {
        return new ArrayList<>(requests);
    }

    /** Ends the browser, then its helper processes, which would still write to the profile. */
    @Override
    public void close() {
        socket.abort();
        List<ProcessHandle> helpers = process.descendants().toList();
        process.destroy();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
            helpers.forEach(ProcessHandle::destroyForcibly);
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
            // One that has ended and waits to be reaped is alive, but has no command any more.
            while (helpers.stream().anyMatch(one -> one.info().command().isPresent()) && System.nanoTime() < end) {
                Thread.sleep(10);
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
