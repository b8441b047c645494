package io.peft4j.serve.answer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Task;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.serve.FineTuningServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A server whose model gives vectors of texts and no answers. Its configuration allows vectors of 8 numbers, too. */
class EmbeddingServerTest {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private static Path folder;
    private static BaseModel model;
    private static FineTuningServer server;

    @BeforeAll
    static void start() throws IOException {
        Path from = AnsweringServer.FIXTURES.resolve("sentences/mean-normalized");
        Path to = folder.resolve("vectors");
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
        }
        ObjectNode config = (ObjectNode) JSON.readTree(to.resolve("config.json").toFile());
        config.putArray("matryoshka_dimensions").add(8);
        JSON.writeValue(to.resolve("config.json").toFile(), config);
        model = load(to, Task.EMBEDDING);
        server = FineTuningServer.builder(model, folder.resolve("data")).adapter("tuned", to.resolve("adapter"))
                .start();
    }

    private static BaseModel load(Path folder, Task task) {
        return BaseModel.load(folder.toString(), ModelOptions.defaults().withTask(task)
                .withPrecision(ModelOptions.Precision.F32));
    }

    @AfterAll
    static void stop() {
        server.close();
        model.close();
    }

    private static HttpResponse<String> send(String method, String path, String json) throws IOException,
            InterruptedException {
        return CLIENT.send(HttpRequest.newBuilder(URI.create(server.url() + path)).timeout(Duration.ofSeconds(60))
                .method(method, BodyPublishers.ofString(json.replace('\'', '"'))).build(), BodyHandlers.ofString());
    }

    private static JsonNode embed(String fields) throws IOException, InterruptedException {
        HttpResponse<String> reply = send("POST", "/v1/embeddings", "{'model': 'vectors', " + fields + "}");
        assertEquals(200, reply.statusCode(), reply.body());
        return JSON.readTree(reply.body());
    }

    private static float[] vector(JsonNode reply, int index) {
        return JSON.convertValue(reply.at("/data/" + index + "/embedding"), float[].class);
    }

    @Test
    void textsBecomeVectorsAsInTheLibrary() throws IOException, InterruptedException {
        JsonNode reply = embed("'input': ['notice period', 'leave']");
        assertArrayEquals(new TextEmbedder(model).embed("leave"), vector(reply, 1), 1e-6f);
        int tokens = model.tokenizer().encodeWithSpecials("notice period").length
                + model.tokenizer().encodeWithSpecials("leave").length;
        assertEquals(tokens, reply.at("/usage/prompt_tokens").asInt());
        assertEquals(tokens, reply.at("/usage/total_tokens").asInt());
        byte[] bytes = Base64.getDecoder().decode(embed("'input': 'leave', 'encoding_format': 'base64'")
                .at("/data/0/embedding").asText());
        float[] encoded = new float[bytes.length / 4];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(encoded);
        assertArrayEquals(vector(reply, 1), encoded, 1e-6f);
    }

    @Test
    void anAdapterGivesVectorsUnderItsName() throws IOException, InterruptedException {
        JsonNode reply = JSON.readTree(send("POST", "/v1/embeddings", "{'model': 'tuned', 'input': 'leave'}").body());
        try (PeftModel tuned = model.withAdapter(folder.resolve("vectors/adapter"))) {
            assertArrayEquals(new TextEmbedder(tuned).embed("leave"), vector(reply, 0), 1e-6f);
        }
        assertTrue(Math.abs(vector(reply, 0)[0] - vector(embed("'input': 'leave'"), 0)[0]) > 1e-3, reply.toString());
    }

    @Test
    void tokensAreReadAsTheyAre() throws IOException, InterruptedException {
        String ids = Arrays.toString(model.tokenizer().encodeWithSpecials("leave"));
        float[] expected = vector(embed("'input': 'leave'"), 0);
        assertArrayEquals(expected, vector(embed("'input': " + ids), 0), 1e-6f);
        assertArrayEquals(expected, vector(embed("'input': [[5, 6], " + ids + "]"), 1), 1e-6f);
    }

    @Test
    void aShorterVectorIsTheBeginningWithNormOne() throws IOException, InterruptedException {
        float[] whole = vector(embed("'input': 'leave'"), 0);
        assertArrayEquals(whole, vector(embed("'input': 'leave', 'dimensions': " + whole.length), 0));
        float[] part = vector(embed("'input': 'leave', 'dimensions': 8"), 0);
        assertEquals(8, part.length);
        double squares = 0;
        for (int i = 0; i < part.length; i++) {
            squares += part[i] * part[i];
            assertEquals(whole[i] / whole[0], part[i] / part[0], 1e-4);
        }
        assertEquals(1, squares, 1e-5);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            'input': 'a', 'dimensions': 7 | dimensions | invalid_value
            'input': 'a', 'encoding_format': 'int8' | encoding_format | invalid_value
            'input': '' | input | invalid_value
            'input': [] | input | invalid_type
            'input': [[]] | input | invalid_value
            'input': ['a', 7] | input | invalid_type
            'input': [7, 'a'] | input | invalid_type
            'input': [1000000] | input | invalid_value
            'input': 'a', 'prompt_name': 'nobody' | prompt_name | invalid_value
            'input': 'a', 'encoding': 'float' | encoding | unknown_parameter
            """)
    void theFieldThatIsWrongIsNamed(String fields, String param, String code) throws IOException, InterruptedException {
        HttpResponse<String> reply = send("POST", "/v1/embeddings", "{'model': 'vectors', " + fields + "}");
        assertEquals(400, reply.statusCode(), reply.body());
        assertEquals(param, JSON.readTree(reply.body()).at("/error/param").asText(), reply.body());
        assertEquals(code, JSON.readTree(reply.body()).at("/error/code").asText(), reply.body());
    }

    @Test
    void aTextThatWouldBeCutIsRefused() throws IOException, InterruptedException {
        HttpResponse<String> reply = send("POST", "/v1/embeddings", "{'model': 'vectors', 'input': ['a', '"
                + "leave ".repeat(1000) + "']}");
        assertEquals("context_length_exceeded", JSON.readTree(reply.body()).at("/error/code").asText(), reply.body());
    }

    /** The error says what the model does, on every route that answers or trains. */
    @Test
    void nobodyIsAnsweredByAModelThatGivesVectors() throws IOException, InterruptedException {
        for (String route : List.of("chat/completions", "responses", "completions", "fine_tuning/jobs")) {
            HttpResponse<String> reply = send("POST", "/v1/" + route, "{'model': 'vectors'"
                    + (route.endsWith("jobs") ? ", 'training_file': 'file-1'}" : "}"));
            assertEquals(400, reply.statusCode(), route + ": " + reply.body());
            assertTrue(reply.body().contains("gives vectors of texts, by POST /v1/embeddings"), reply.body());
        }
        assertEquals(404, send("POST", "/v1/embeddings", "{'model': 'nobody', 'input': 'a'}").statusCode());
        List<String> names = new ArrayList<>();
        JSON.readTree(send("GET", "/v1/models", "").body()).path("data")
                .forEach(each -> names.add(each.path("id").asText()));
        assertEquals(List.of("vectors", "tuned"), names);
    }

    @Test
    void aClassifierIsNoModelOfAServer() {
        try (BaseModel classifier = load(folder.resolve("vectors"), Task.classification("a", "b"))) {
            assertTrue(assertThrows(ConfigurationException.class, () -> FineTuningServer.builder(classifier,
                    folder.resolve("other")).start()).getMessage().contains("is for SEQ_CLS"));
        }
    }
}
