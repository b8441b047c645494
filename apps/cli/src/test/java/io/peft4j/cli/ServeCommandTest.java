package io.peft4j.cli;

import static io.peft4j.cli.CommandRun.FIXTURES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.io.FolderLock;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The server as it is started: what it prints, who may come in, how it ends. */
class ServeCommandTest {
    private static final Path MODEL = FIXTURES.resolve("tiny-llama").toAbsolutePath().normalize();
    private static final Path EMBEDDER = FIXTURES.resolve("sentences/mean-normalized").toAbsolutePath().normalize();
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    @TempDir
    Path folder;

    private static HttpResponse<String> get(String address, String key) throws IOException, InterruptedException {
        return CLIENT.send(HttpRequest.newBuilder(URI.create(address)).header("Authorization", "Bearer " + key)
                .build(), BodyHandlers.ofString());
    }

    /** Starts a server at any port, with its output. */
    private JavaProcess serve(Object... more) throws IOException, InterruptedException {
        List<Object> arguments = new ArrayList<>(List.of("serve", "--port", 0, "--dtype", "f32"));
        arguments.addAll(List.of(more));
        JavaProcess process = JavaProcess.start(folder, Files.createFile(folder.resolve("nothing")),
                arguments.toArray());
        for (int i = 0; i < 3000 && process.process().isAlive() && !process.out().contains("\n"); i++) {
            Thread.sleep(20);
        }
        return process;
    }

    @Test
    void aServerSaysWhereItListensAndEndsInOrder() throws IOException, InterruptedException {
        Path data = folder.resolve("data");
        String key = CommandRun.succeeding("serve", "keys", "add", "--data", data, "team").out().strip();
        JsonNode line = CommandRun.succeeding("serve", "keys", "list", "--data", data).json().get(0);
        assertEquals("team", line.get("name").asText());
        JavaProcess process = serve("--model", MODEL, "--data", data, "--host", "0.0.0.0", "--embedding-model",
                EMBEDDER);
        try {
            assertTrue(process.out().matches("listening on http://0\\.0\\.0\\.0:\\d+\n"), process.out()
                    + process.err());
            String url = process.out().strip().replace("listening on ", "").replace("0.0.0.0", "127.0.0.1");
            assertEquals(200, get(url + "/health", "").statusCode());
            assertEquals(401, get(url + "/v1/models", "sk-other").statusCode());
            HttpResponse<String> models = get(url + "/v1/models", key);
            assertEquals("tiny-llama", CommandRun.parse(models.body()).at("/data/0/id").asText());
            assertEquals("mean-normalized", CommandRun.parse(models.body()).at("/data/1/id").asText());
            assertEquals(24, embedding(url, key).size());
            CommandRun.succeeding("serve", "keys", "revoke", "--data", data, line.get("id").asText());
            process.process().destroy();
            assertEquals(143, process.status(), process.err());
        } finally {
            process.process().destroyForcibly();
        }
        assertEquals(1, process.out().lines().count());
    }

    /** Whose only name is that of the whole. */
    @Test
    void aBaseWithoutAFolderIsServed() throws IOException, InterruptedException {
        JavaProcess process = serve("--model", "tiny", "--data", folder.resolve("data"));
        try {
            assertTrue(process.out().startsWith("listening on "), process.out() + process.err());
            String models = get(process.out().strip().replace("listening on ", "") + "/v1/models", "").body();
            assertEquals("tiny", CommandRun.parse(models).at("/data/0/id").asText());
        } finally {
            process.process().destroyForcibly();
        }
    }

    private static JsonNode embedding(String url, String key) throws IOException, InterruptedException {
        HttpResponse<String> reply = CLIENT.send(HttpRequest.newBuilder(URI.create(url + "/v1/embeddings"))
                .header("Authorization", "Bearer " + key).POST(BodyPublishers.ofString(
                        "{\"model\": \"mean-normalized\", \"input\": \"leave\"}"))
                .build(), BodyHandlers.ofString());
        assertEquals(200, reply.statusCode(), reply.body());
        return CommandRun.parse(reply.body()).at("/data/0/embedding");
    }

    @Test
    void aModelThatGivesVectorsIsServedAlone() throws IOException, InterruptedException {
        JavaProcess process = serve("--model", EMBEDDER, "--data", folder.resolve("data"));
        try {
            assertTrue(process.out().startsWith("listening on "), process.out() + process.err());
            assertEquals(24, embedding(process.out().strip().replace("listening on ", ""), "").size());
        } finally {
            process.process().destroyForcibly();
        }
    }

    @Test
    void theFirstKeyOfAServerThatRunsIsMadeOnPurposeOnly() throws IOException {
        Path data = Files.createDirectories(folder.resolve("open"));
        try (FolderLock server = FolderLock.take(data)) {
            String refused = CommandRun.failing(1, "serve", "keys", "add", "--data", data, "team");
            assertTrue(refused.contains("it refuses every request without one by 401"), refused);
            CommandRun.succeeding("serve", "keys", "add", "--data", data, "--shut-out", "team");
            CommandRun.succeeding("serve", "keys", "add", "--data", data, "other");
        }
    }

    @Test
    void keysBelongToProjects() {
        Path data = folder.resolve("data");
        CommandRun.succeeding("serve", "keys", "create", "--data", data, "--project", "red", "team");
        CommandRun.succeeding("serve", "keys", "add", "--data", data, "--admin", "root");
        CommandRun.succeeding("serve", "keys", "add", "--data", data, "old");
        List<JsonNode> keys = CommandRun.succeeding("serve", "keys", "list", "--data", data).json();
        assertEquals(List.of("red", "null", "default"), keys.stream().map(key -> key.get("project").asText()).toList());
        assertEquals(List.of(false, true, false), keys.stream().map(key -> key.get("admin").asBoolean()).toList());
        assertTrue(CommandRun.failing(2, "serve", "keys", "add", "--data", data, "--project", "a b", "x")
                .startsWith("the project (--project) must be"));
        assertTrue(CommandRun.failing(2, "serve", "keys", "add", "--data", data, "--project", "a", "--admin", "x")
                .startsWith("--admin and --project exclude each other"));
    }

    @Test
    void aDamagedDatabaseIsRefusedAndBuiltAgain() throws IOException {
        Path data = folder.resolve("data");
        CommandRun.succeeding("serve", "keys", "add", "--data", data, "team");
        Files.write(data.resolve("state.db"), new byte[10_000]);
        String advice = "build it again from the folders of files and jobs with 'peft4j serve rebuild --data " + data
                + "'";
        assertTrue(CommandRun.failing(1, "serve", "--model", MODEL, "--port", 0, "--data", data).strip()
                .endsWith(advice));
        assertTrue(CommandRun.failing(1, "serve", "keys", "list", "--data", data).strip().endsWith(advice));
        JsonNode found = CommandRun.succeeding("serve", "rebuild", "--data", data).json().get(0);
        assertEquals(1, found.get("keys").asInt());
        assertEquals("team", CommandRun.succeeding("serve", "keys", "list", "--data", data).json().get(0).get("name")
                .asText());
    }

    @Test
    void whatIsMissingOrWrongIsSaid() {
        assertTrue(CommandRun.failing(2, "serve", "--model", MODEL).startsWith(
                "Missing required options: '--port', '--data'"));
        assertTrue(CommandRun.failing(2, "serve", "--model", MODEL, "--data", folder, "--port", 99999)
                .startsWith("the port (--port) must be from 0"));
        assertTrue(CommandRun.failing(1, "serve", "--model", MODEL, "--data", folder, "--port", 0, "--host",
                "0.0.0.0").contains("needs an API key"));
        assertTrue(CommandRun.failing(2, "serve", "--model", MODEL, "--data", folder, "--port", 0,
                "--training-share", 2).startsWith("the share of training"));
        assertTrue(CommandRun.failing(2, "serve", "--model", MODEL, "--data", folder, "--port", 0, "--max-error", 1)
                .startsWith("--max-error is 1.0; it must be above 0"));
        assertTrue(CommandRun.failing(2, "serve", "keys").startsWith("Missing command"));
        assertTrue(CommandRun.failing(1, "serve", "keys", "revoke", "--data", folder, "nobody").contains("no key"));
        assertEquals(List.of(), CommandRun.succeeding("serve", "keys", "list", "--data", folder).json());
    }
}
