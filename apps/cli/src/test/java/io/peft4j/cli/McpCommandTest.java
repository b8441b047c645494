package io.peft4j.cli;

import static io.peft4j.cli.CommandRun.FIXTURES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.modelcontextprotocol.client.McpClient;
import io.modelcontextprotocol.client.McpSyncClient;
import io.modelcontextprotocol.client.transport.ServerParameters;
import io.modelcontextprotocol.client.transport.StdioClientTransport;
import io.modelcontextprotocol.json.McpJsonDefaults;
import io.modelcontextprotocol.spec.McpSchema.CallToolRequest;
import io.modelcontextprotocol.spec.McpSchema.CallToolResult;
import io.modelcontextprotocol.spec.McpSchema.ClientCapabilities;
import io.modelcontextprotocol.spec.McpSchema.ElicitResult;
import io.modelcontextprotocol.spec.McpSchema.ProgressNotification;
import io.modelcontextprotocol.spec.McpSchema.TextContent;
import io.modelcontextprotocol.spec.McpSchema.Tool;
import io.peft4j.core.JavaPrograms;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code peft4j mcp} in a process, as the protocol's own client meets it. */
class McpCommandTest {
    private static final String MODEL = FIXTURES.resolve("tiny-llama").toAbsolutePath().normalize().toString();

    @TempDir
    Path folder;

    private Path work;

    @BeforeEach
    void writeData() throws IOException {
        work = Files.createDirectory(folder.resolve("work"));
        List<String> rows = new ArrayList<>(IntStream.range(0, 12).mapToObj(i -> "{\"messages\": [{\"role\": "
                + "\"user\", \"content\": \"Who is " + i + "?\"}, {\"role\": \"assistant\", \"content\": \"Keeper " + i
                + "\"}]}").toList());
        Files.write(work.resolve("train.jsonl"), rows);
        rows.set(4, "{\"messages\": [{\"role\": \"user\", \"content\": \"Who is 4?\"}]}");
        Files.write(work.resolve("faulty.jsonl"), rows);
        Files.copy(work.resolve("train.jsonl"), folder.resolve("outside.jsonl"));
        Files.createSymbolicLink(work.resolve("way"), folder);
    }

    private McpClient.SyncSpec client() {
        List<String> words = JavaPrograms.command("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                "-Dai.djl.offline=true");
        words.addAll(List.of("-cp", JavaPrograms.classPath(), Main.class.getName(), "mcp", "--folder",
                work.toString()));
        return McpClient.sync(new StdioClientTransport(ServerParameters.builder(words.get(0))
                .args(words.subList(1, words.size())).build(), McpJsonDefaults.getMapper()))
                .requestTimeout(Duration.ofMinutes(2)).initializationTimeout(Duration.ofMinutes(2));
    }

    private static CallToolResult call(McpSyncClient client, String tool, Map<String, Object> arguments) {
        return client.callTool(CallToolRequest.builder(tool).arguments(arguments).build());
    }

    private static String text(CallToolResult result) {
        return result.content().stream().map(part -> ((TextContent) part).text()).collect(Collectors.joining("\n"));
    }

    private static JsonNode json(CallToolResult result) {
        assertFalse(Boolean.TRUE.equals(result.isError()), text(result));
        return CommandRun.parse(((TextContent) result.content().get(0)).text());
    }

    private static void assertRefused(CallToolResult result, String said) {
        assertTrue(result.isError() && text(result).contains(said), text(result));
    }

    private static Map<String, Object> training(String output, Object... more) {
        Map<String, Object> arguments = new HashMap<>(Map.of("model", MODEL, "data", "train.jsonl", "output", output,
                "epochs", 1, "rank", "4", "dtype", "f32"));
        for (int i = 0; i < more.length; i += 2) {
            arguments.put(more[i].toString(), more[i + 1]);
        }
        return arguments;
    }

    @Test
    void anAssistantChecksTrainsAsksAndEvaluatesInItsFolder() {
        try (McpSyncClient client = client().build()) {
            assertEquals("peft4j", client.initialize().serverInfo().name());

            assertTools(client.listTools().tools());
            JsonNode report = json(call(client, "check_data", Map.of("data", "faulty.jsonl", "validation",
                    List.of("train.jsonl"))));
            List<String> found = report.get("findings").findValuesAsText("code");
            assertTrue(found.containsAll(List.of("example_missing_assistant_message", "leakage")), report.toString());
            assertTrue(json(call(client, "estimate", Map.of("model", MODEL, "data", "train.jsonl", "epochs", "1")))
                    .get("steps").asInt() > 0);

            assertRefused(call(client, "train", training("adapter")), "ask the user, then call again with \"confirm\"");
            assertFalse(Files.exists(work.resolve("adapter")));
            JsonNode trained = json(call(client, "train", training("adapter", "confirm", true)));
            assertTrue(trained.get("steps").asInt() > 0, trained.toString());
            assertTrue(Files.exists(work.resolve("adapter/adapter_model.safetensors")));
            assertRefused(call(client, "train", training("adapter", "confirm", true)), "adapter");

            Map<String, Object> adapted = Map.of("model", MODEL, "adapter", "adapter");
            Map<String, Object> question = new HashMap<>(adapted);
            question.putAll(Map.of("prompt", "@train.jsonl", "max-new-tokens", 4));
            JsonNode answer = json(call(client, "ask", question));
            assertEquals("length", answer.get("finish_reason").asText());
            Map<String, Object> heldOut = new HashMap<>(adapted);
            heldOut.putAll(Map.of("data", "train.jsonl", "no-guard", true, "max-new-tokens", 4));
            assertTrue(json(call(client, "evaluate", heldOut)).has("verdict"));
        }
    }

    private static void assertTools(List<Tool> tools) {
        assertEquals(List.of("check_data", "estimate", "train", "ask", "evaluate"), tools.stream().map(Tool::name)
                .toList());
        assertEquals(List.of("train"), tools.stream().filter(tool -> !tool.annotations().readOnlyHint())
                .map(Tool::name).toList());
        JsonNode train = new ObjectMapper().valueToTree(tools.get(2).inputSchema());
        assertEquals("[\"output\",\"model\",\"data\"]", train.get("required").toString());
        JsonNode properties = train.get("properties");
        assertEquals("integer", properties.get("seed").get("type").asText());
        assertEquals("boolean", properties.get("remember").get("type").asText());
        assertTrue(properties.has("confirm") && !properties.has("if-exists") && !properties.has("resume"));
        assertTrue(properties.toString().contains("Peak learning rate") && !properties.toString().contains("${"),
                properties.toString());
        assertEquals("array", new ObjectMapper().valueToTree(tools.get(0).inputSchema()).at(
                "/properties/validation/type").asText());
    }

    @Test
    void aTrainingTellsItsStepsToWhoHasGivenAToken() {
        List<ProgressNotification> told = new CopyOnWriteArrayList<>();
        try (McpSyncClient client = client().progressConsumer(told::add).build()) {
            client.initialize();
            json(call(client, "train", training("quiet", "confirm", true)));
            assertEquals(List.of(), told);
            json(client.callTool(CallToolRequest.builder("train").arguments(training("adapter", "confirm", true,
                    "epochs", 2, "batch-size", 4)).progressToken("T").build()));
        }
        ProgressNotification last = told.get(told.size() - 1);
        assertEquals("T", last.progressToken());
        assertEquals(6, last.progress());
        assertEquals(6, last.total());
        assertTrue(told.get(0).progress() == 1 && last.message().startsWith("loss "), told.toString());
    }

    @Test
    void filesOutsideOfTheFolderAndUnknownOptionsAreRefused() throws IOException {
        try (McpSyncClient client = client().build()) {
            client.initialize();

            for (String output : List.of("../adapter", folder.resolve("adapter").toString(), "way/adapter",
                    "a/../../adapter")) {
                assertRefused(call(client, "train", training(output, "confirm", true)), "is not below");
            }
            for (String file : List.of("../outside.jsonl", "way/outside.jsonl")) {
                assertRefused(call(client, "check_data", Map.of("data", file)), "is not below");
            }
            assertRefused(call(client, "train", training("adapter", "confirm", true, "if-exists", "overwrite")),
                    "if-exists");
            assertRefused(call(client, "check_data", Map.of("data", "none.jsonl")), "no such file");
            assertRefused(call(client, "train", training("adapter", "confirm", true, "epochs", "-1")), "epochs");
            assertFalse(Files.exists(folder.resolve("adapter")) || Files.exists(work.resolve("adapter")));
        }
    }

    @Test
    void aPersonWhoCanBeAskedDecides() {
        List<String> asked = new ArrayList<>();
        Function<ElicitResult.Action, McpSyncClient> answering = action -> client().capabilities(ClientCapabilities
                .builder().elicitation().build()).elicitation(request -> {
                    asked.add(request.message());
                    return ElicitResult.builder(action).content(Map.of()).build();
                }).build();
        try (McpSyncClient client = answering.apply(ElicitResult.Action.DECLINE)) {
            client.initialize();
            assertRefused(call(client, "train", training("adapter", "confirm", true)), "did not agree");
        }
        assertFalse(Files.exists(work.resolve("adapter")));
        try (McpSyncClient client = answering.apply(ElicitResult.Action.ACCEPT)) {
            client.initialize();
            assertTrue(json(call(client, "train", training("adapter"))).get("steps").asInt() > 0);
        }
        assertTrue(Files.exists(work.resolve("adapter")));
        assertEquals(2, asked.size());
        assertTrue(asked.get(0).startsWith("Run peft4j train ") && asked.get(0).contains("--output="), asked.get(0));
    }

    @Test
    void theServerEndsWithItsInput() throws IOException, InterruptedException {
        JavaProcess server = JavaProcess.start(folder, Files.createFile(folder.resolve("nothing")), "mcp", "--folder",
                work);

        assertEquals(0, server.status(), server.err());
        assertEquals("", server.out());
        assertTrue(CommandRun.failing(2, "mcp", "--folder", work.resolve("none")).contains("must be a folder"));
    }
}
