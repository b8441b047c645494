package io.peft4j.serve;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A server in a process of its own that is given less and less memory, with 20 clients that ask at once. */
@Tag("full")
class LittleMemoryTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int CLIENTS = 20;
    private static final String RIGHT = "right";
    private static final String[] MUCH = {"-Dtest.kernels=nd4j", "-XX:+UseSerialGC",
        "-Dorg.bytedeco.javacpp.maxphysicalbytes=0", "-Xmx256m"};

    @TempDir
    Path folder;

    private final HttpClient client = HttpClient.newHttpClient();

    /** As long as the context takes, so that prompts differ in what they need. */
    private static String question(int number) {
        return "{\"model\": \"tiny-llama\", \"max_tokens\": 8, \"temperature\": 0, \"messages\": [{\"role\": \"user\", "
                + "\"content\": \"" + "Who is number " + number + "?" + " Who?".repeat(number) + "\"}]}";
    }

    /** What each client is answered, or why not. */
    private List<String> ask(String url) {
        List<CompletableFuture<String>> asked = IntStream.range(0, CLIENTS).mapToObj(i -> client.sendAsync(
                HttpRequest.newBuilder(URI.create(url + "/v1/chat/completions")).timeout(Duration.ofSeconds(60))
                        .header("Content-Type", "application/json").POST(BodyPublishers.ofString(question(i))).build(),
                BodyHandlers.ofString()).handle(
                        (reply, failure) -> failure == null ? said(reply) : failure.getCause()
                                .toString()))
                .toList();
        return asked.stream().map(CompletableFuture::join).toList();
    }

    private static String said(HttpResponse<String> reply) {
        try {
            JsonNode body = JSON.readTree(reply.body());
            return reply.statusCode() == 200 ? body.at("/choices/0/message/content").asText()
                    : reply.statusCode() + ": " + body.at("/error/message").asText("no message in " + body);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private ServerProcess start(String... memory) throws IOException {
        return ServerProcess.start(folder.resolve("data"), Optional.empty(), folder.resolve("server.log"), memory);
    }

    /** What 20 clients were answered at a size, or why the server does not start. */
    private Map<String, Long> answers(String limit, List<String> expected) throws IOException, InterruptedException {
        try (ServerProcess server = start(MUCH[0], MUCH[1], MUCH[2], MUCH[3], limit)) {
            List<String> replies = ask(server.url());
            return IntStream.range(0, CLIENTS).mapToObj(i -> replies.get(i).equals(expected.get(i)) ? RIGHT : replies
                    .get(i)).collect(Collectors.groupingBy(reply -> reply, TreeMap::new, Collectors.counting()));
        } catch (AssertionError e) {
            return Map.of(e.getMessage(), 1L);
        }
    }

    /** A connection that is closed is an end, too: where there is no memory for a reply. */
    private static boolean isClear(String reply) {
        return reply.equals(RIGHT) || reply.matches("(?s)[45]\\d\\d: (?!no message).+") || reply.matches(
                "java.io.IOException: .*") || reply.matches("(?s)the server has ended with .*(OutOfMemory|heap).*");
    }

    @ParameterizedTest
    @CsvSource({"-Xmx%dm, 40 28 24", "-Dorg.bytedeco.javacpp.maxbytes=%dk, 64 16 4 1"})
    void noAnswerIsWrongAndNoneWithoutEnd(String option, String sizes, TestReporter report) throws IOException,
            InterruptedException {
        List<String> expected;
        try (ServerProcess server = start(MUCH)) {
            expected = ask(server.url());
        }
        Map<String, Long> answers = Map.of(RIGHT, (long) CLIENTS);
        for (String size : sizes.split(" ")) {
            if (answers.containsKey(RIGHT)) {
                String limit = String.format(option, Integer.parseInt(size));
                answers = answers(limit, expected);
                report.publishEntry(limit, answers.toString());
                assertTrue(answers.keySet().stream().allMatch(LittleMemoryTest::isClear), limit + ": " + answers);
            }
        }
    }
}
